//! A resource that is to be added to a template, in no language yet, and how it is written in ARM JSON. The other
//! languages write it in their editors ([`crate::edit`], the crate `terraform`).
//!
//! What it says of resources that are there (an id, a name) is a reference, which each language writes as people would.
//! It leaves out whether the resource should be there.

mod arm;

pub use arm::operation;

use std::ops::Range;

use yaml::edit::Value;

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
