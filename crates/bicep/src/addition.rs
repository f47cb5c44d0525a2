//! A resource that is to be added to a template, in no language yet, and how it is written in ARM JSON. The other
//! languages write it in their editors ([`crate::edit`], the crate `terraform`).
//!
//! What it says of resources that are there (an id, a name) is a reference, which each language writes as people would.
//! It leaves out whether the resource should be there.

mod arm;

pub use arm::operations;

use std::ops::Range;

use yaml::edit::{Step, Value};

/// What begins and ends a text that stands for the id of an addition.
const FRESH: char = '\u{e002}';
const END: char = '\u{e003}';

/// A resource that is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// What it is called where resources have names of their own: `lock`.
    pub symbol: Box<str>,
    /// Its whole type.
    pub kind: Box<str>,
    /// The API version that it is written for.
    pub api_version: Box<str>,
    /// Its own name, without those of its parents.
    pub name: Text,
    /// Where it belongs.
    pub seat: Seat,
    /// What else it says, in the order in which it is written: `location`, `properties`, …
    pub body: Vec<(Box<str>, Given)>,
    /// Arguments with which azurerm says a part of it that is not a property by itself there.
    pub azurerm: Vec<(Box<str>, Value)>,
    /// Lines of a comment above it.
    pub comment: Vec<Box<str>>,
    /// What it stands beside refers to it, so it must not refer to that.
    pub apart: bool,
    /// The resources that it refers to. It is written beside the first.
    pub targets: Vec<Target>,
}

/// Where a resource belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Wherever the template is deployed to.
    Deployment,
    /// The subscription.
    Subscription,
    /// It is a child of this target.
    Child(usize),
    /// It is attached to this target.
    Extension(usize),
    /// It is no resource of its own, but says more of this target.
    Patch(usize),
}

/// A value of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// A text that may hold references.
    Text(Text),
    /// Any other scalar.
    Scalar(Value),
    /// A list.
    List(Vec<Self>),
    /// A map in the order in which it is written.
    Map(Vec<(Box<str>, Self)>),
}

/// A text in pieces.
pub type Text = Vec<Piece>;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(Box<str>),
    /// What a target says.
    Of(usize, Part),
}

/// What a target says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// its id
    Id,
    /// its name
    Name,
    /// its region
    Location,
}

/// A resource that is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its whole type.
    pub kind: Box<str>,
    /// Its whole name, as far as it is known.
    pub name: Box<str>,
    /// Its id, as far as it is known.
    pub id: Box<str>,
    /// Where it is declared: the file, and the place there; a byte order mark does not count. Nothing where only the
    /// id is known.
    pub declared: Option<(Box<str>, Range<usize>)>,
}

impl Addition {
    /// Its name for people: what is open in it stands in braces.
    #[must_use]
    pub fn shown_name(&self) -> String {
        let pieces = self.name.iter().map(|piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Of(number, _) => {
                let target = self.targets.get(*number);
                target.map_or_else(String::new, |target| target.name.to_string())
            }
        });
        pieces.collect()
    }

    /// What stands for its id in what is added with it, until all of that is written.
    #[must_use]
    pub fn fresh(&self) -> String {
        format!("{FRESH}{}|{}{END}", self.kind, self.shown_name())
    }

    /// The target that it says more of, with what is set there and the ways to it; nothing where it is a resource.
    ///
    /// # Errors
    /// When it refers to others than additions.
    pub fn patch(&self) -> Result<Option<(&Target, Leaves)>, String> {
        let Seat::Patch(at) = self.seat else {
            return Ok(None);
        };
        let target = self.targets.get(at).ok_or("it says more of nothing")?;
        let mut leaves = Vec::new();
        for (key, value) in &self.body {
            leaves_of(value, vec![Step::Key(key.as_ref().into())], &mut leaves, 0)?;
        }
        Ok(Some((target, leaves)))
    }

    /// The file that it is written in.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        let (file, _) = self.targets.first()?.declared.as_ref()?;
        Some(file)
    }
}

impl Target {
    /// Where it is declared in a file.
    #[must_use]
    pub fn place_in(&self, file: &str) -> Option<&Range<usize>> {
        let (own, place) = self.declared.as_ref()?;
        (**own == *file).then_some(place)
    }

    /// Its id, when all of it is known.
    #[must_use]
    pub fn literal_id(&self) -> Option<&str> {
        (self.id.starts_with('/') && !self.id.contains('{')).then_some(&*self.id)
    }
}

impl Given {
    /// The value of a tree whose texts are read by `text`.
    pub fn of(value: &Value, text: &impl Fn(&str) -> Text) -> Self {
        match value {
            Value::String(one) => Self::Text(text(one)),
            Value::List(items) => {
                Self::List(items.iter().map(|item| Self::of(item, text)).collect())
            }
            Value::Map(entries) => {
                let entries = entries.iter();
                Self::Map(
                    entries
                        .map(|(key, value)| (key.as_str().into(), Self::of(value, text)))
                        .collect(),
                )
            }
            scalar => Self::Scalar(scalar.clone()),
        }
    }
}

/// Whether something in a text stands for the id of an addition.
#[must_use]
pub fn is_unfinished(text: &str) -> bool {
    text.contains(FRESH)
}

/// Values, and the ways to them.
pub type Leaves = Vec<(Vec<Step>, Value)>;

/// Values deeper than this are none that anybody adds.
const DEPTH: usize = 32;

fn leaves_of(
    given: &Given,
    way: Vec<Step>,
    leaves: &mut Leaves,
    depth: usize,
) -> Result<(), String> {
    match given {
        // Where a key stands for an id, the map is said as a whole.
        Given::Map(entries)
            if depth < DEPTH
                && !entries.is_empty()
                && !entries.iter().any(|(key, _)| key.contains(FRESH)) =>
        {
            for (key, value) in entries {
                let mut way = way.clone();
                way.push(Step::Key(key.as_ref().into()));
                leaves_of(value, way, leaves, depth + 1)?;
            }
        }
        _ => leaves.push((way, plain(given, depth)?)),
    }
    Ok(())
}

/// A value without references to targets.
fn plain(given: &Given, depth: usize) -> Result<Value, String> {
    if depth > DEPTH {
        return Err("it is too deep".to_owned());
    }
    Ok(match given {
        Given::Text(pieces) => {
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => Ok(&**text),
                Piece::Of(..) => Err("it refers to what is declared elsewhere"),
            });
            Value::String(pieces.collect::<Result<_, _>>()?)
        }
        Given::Scalar(value) => value.clone(),
        Given::List(items) => {
            let items = items.iter().map(|item| plain(item, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Given::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Ok((key.to_string(), plain(value, depth + 1)?)));
            Value::Map(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// Why a target cannot be named in a file, for people.
#[must_use]
pub fn elsewhere(target: &Target) -> String {
    match &target.declared {
        Some((file, _)) => format!(
            "`{}` is declared in `{file}`, from where it has to be passed on",
            target.name
        ),
        None => format!("the whole id of `{}` is not known", target.name),
    }
}

/// A name that is not taken: with a number behind it where it is.
#[must_use]
pub fn free(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names
        .find(|name| !taken(name))
        .unwrap_or_else(|| wanted.to_owned())
}

/// Why a resource of the subscription does not stand in a template of a resource group, for people.
#[must_use]
pub fn of_subscription(addition: &Addition) -> String {
    format!(
        "{} `{}` belongs to the subscription: add it to a template that is deployed there",
        addition.kind,
        addition.shown_name()
    )
}
