//! Where in the files a property of a resource is said, and the edit that makes it say what is
//! wanted.

mod azapi;
mod blocks;
mod written;

use std::sync::Arc;

use bicep::source::Span;
use bicep::value::Value;
use yaml::edit::{Edit, Operation, Step, Value as Wish};

use super::body::{Parsed, Place};
use super::expr::Act;
use super::pieces::Pieces;
use super::render::New;
use super::reverse::{self, End, Way};
use super::{Done, Input, State, Text, Texts, Wanted, prove, settle};
use crate::arm::Origin;
use crate::output::Resource;
use crate::table::{Argument, Arguments, Form, Kind, Rule};

/// Why an argument of the table is not written.
const OTHER_VERSION: &str = "is no argument in the version of azurerm in use";

/// What finds, and edits what it found.
pub(crate) struct Finder<'f, 'a> {
    pub(crate) input: &'f Input<'a>,
    pub(crate) state: &'f State<'a>,
    pub(crate) files: &'f mut Texts,
    pub(crate) allowed: &'f mut prove::Allowed,
    /// Where the dynamic block stands that the last way ended at.
    dynamic: Option<usize>,
    /// Only the files of the root module may change.
    at_call: bool,
    /// A dynamic block came in, whose content nobody has evaluated yet.
    pub(crate) switched: bool,
}

/// An edit that is about to be made.
struct Plan {
    path: String,
    edit: Edit,
    /// How far it is from what is written: the nearest is best.
    distance: u8,
    /// What it may change besides: the path in Azure of a block that comes or goes.
    beside: Option<Vec<String>>,
    /// It lets a dynamic block make something.
    switches: bool,
}

/// What a way comes to; nothing when it is so already.
type Planned = Result<Option<Plan>, String>;

/// A block, where the way to an argument has come to.
struct Here<'s, 'a> {
    path: &'a str,
    /// Where its kind stands now.
    offset: usize,
    /// Its value, as far as it is known.
    value: Option<&'s Value<'a>>,
    /// It is the `content` of a dynamic block.
    dynamic: bool,
}

/// What is known of the arguments of a kind of resource.
#[derive(Clone, Copy)]
struct Known<'t> {
    arguments: Option<&'t Arguments>,
    versions: (u64, u64),
}

impl Known<'_> {
    fn has(&self, path: &str) -> bool {
        self.arguments
            .is_none_or(|known| known.has(path, self.versions))
    }

    fn needs(&self, block: &str) -> Vec<&str> {
        let needs = self
            .arguments
            .map(|known| known.needs(block, self.versions));
        needs.unwrap_or_default()
    }
}

/// The names of an argument.
fn names(argument: &Argument) -> impl Iterator<Item = &str> {
    std::iter::once(argument.name.as_str()).chain(argument.aliases.iter().map(String::as_str))
}

/// One property, and what is done to it.
pub(crate) type Deed = (Vec<Step>, Act);

/// An operation property by property.
pub(crate) fn deeds(operation: &Operation) -> Result<Vec<Deed>, String> {
    let set = |route: &[Step], value: &Wish| -> Vec<(Vec<Step>, Act)> {
        let leaves = reverse::leaves(route, value).into_iter();
        leaves
            .map(|(route, value)| (route, Act::Set(value)))
            .collect()
    };
    Ok(match operation {
        Operation::Set { route, value } => set(route, value),
        Operation::Add { route, value } => vec![(route.clone(), Act::Add(value.clone()))],
        Operation::Remove { route, .. } => vec![(route.clone(), Act::Remove)],
        Operation::Replace { route, key, value } => {
            let mut other = route.clone();
            other.pop();
            other.push(Step::Key(key.as_str().into()));
            let mut acts = vec![(route.clone(), Act::Remove)];
            acts.extend(set(&other, value));
            acts
        }
        Operation::Rename { .. } | Operation::Nest { .. } => {
            return Err("a property of Azure has one name".to_owned());
        }
    })
}

impl<'f, 'a> Finder<'f, 'a> {
    pub(crate) fn new(
        input: &'f Input<'a>,
        state: &'f State<'a>,
        files: &'f mut Texts,
        allowed: &'f mut prove::Allowed,
    ) -> Self {
        Self {
            input,
            state,
            files,
            allowed,
            dynamic: None,
            at_call: false,
            switched: false,
        }
    }

    /// With what a wish says of how it is to be done.
    pub(crate) fn with(mut self, wanted: &Wanted<'_>) -> Self {
        self.at_call = wanted.at_call;
        self
    }

    /// Does something to a property of a resource.
    pub(crate) fn deed(&mut self, at: usize, (route, act): &Deed) -> Done {
        let kind = self.state.mapped.resources.get(at).map(|one| one.kind);
        self.allowed
            .add(kind.unwrap_or_default(), prove::keys(route));
        self.property(at, route, act)
    }

    fn property(&mut self, at: usize, route: &[Step], act: &Act) -> Done {
        let state = self.state;
        let origins = state.mapped.origins.get(at).cloned().unwrap_or_default();
        let (mut against, mut beside) = (Vec::new(), Vec::new());
        let (mut best, mut is_own): (Option<Plan>, bool) = (None, false);
        for origin in origins {
            let Some(resource) = state.reading.resources.get(origin.resource) else {
                continue;
            };
            let planned = match resource.kind {
                "azapi_resource" | "azapi_update_resource" => {
                    vec![self.azapi(resource, route, act)]
                }
                kind => match self.input.table.kinds.get(kind) {
                    Some(kind) => self.azurerm(resource, origin, kind, route, act, &mut against),
                    None => Vec::new(),
                },
            };
            for plan in planned {
                match plan {
                    Ok(None) => return Ok(()),
                    Ok(Some(plan)) => {
                        if best
                            .as_ref()
                            .is_none_or(|best| plan.distance < best.distance)
                        {
                            best = Some(plan);
                        }
                    }
                    // What azapi adds to a resource of azurerm need not say it.
                    Err(why) if resource.kind == "azapi_update_resource" => beside.push(why),
                    Err(why) => against.push(why),
                }
            }
            is_own |= resource.kind != "azapi_update_resource";
        }
        let Some(plan) = best else {
            if !is_own {
                against.append(&mut beside);
            }
            against.dedup();
            // What another version has is nothing to tell where there is more to say.
            if against.iter().any(|why| !why.ends_with(OTHER_VERSION)) {
                against.retain(|why| !why.ends_with(OTHER_VERSION));
            }
            return Err(if against.is_empty() {
                format!(
                    "no argument of the resource is known to set `{}`",
                    super::route_text(route)
                )
            } else {
                against.join("; ")
            });
        };
        let kind = self.state.mapped.resources.get(at).map(|one| one.kind);
        if let (Some(keys), Some(kind)) = (plan.beside, kind) {
            self.allowed.add(kind, keys);
        }
        self.switched |= plan.switches;
        let text = self.text(&plan.path)?;
        settle::make(&mut text.pieces, &plan.edit);
        Ok(())
    }

    /// A file's text as it is now, and what it says.
    pub(super) fn read(&mut self, path: &str) -> Result<(Arc<str>, Parsed), String> {
        let text = self.text(path)?.pieces.text.clone();
        let parsed = Parsed::new(&self.files.parses, path, &text)?;
        Ok((text, parsed))
    }

    /// A file's text as it is now.
    pub(super) fn text(&mut self, path: &str) -> Result<&mut Text, String> {
        if !self.files.by_path.contains_key(path) {
            let bytes = self.input.files.read(path)?;
            let whole =
                String::from_utf8(bytes).map_err(|_| format!("`{path}` is not in UTF-8"))?;
            let text = whole.strip_prefix('\u{feff}').unwrap_or(&whole);
            let new = Text {
                before: whole.len() - text.len(),
                pieces: Pieces::new(text.into()),
                read: 0,
            };
            self.files.by_path.insert(path.to_owned(), new);
        }
        self.files
            .by_path
            .get_mut(path)
            .ok_or_else(|| format!("`{path}` cannot be read"))
    }

    /// Where a place of the evaluated texts is now.
    fn now(&mut self, path: &str, offset: u32) -> Result<usize, String> {
        let text = self.text(path)?;
        Ok(text.pieces.now(offset as usize, text.read))
    }

    fn azurerm(
        &mut self,
        resource: &'f Resource<'a>,
        origin: Origin,
        kind: &'a Kind,
        route: &[Step],
        act: &Act,
        against: &mut Vec<String>,
    ) -> Vec<Planned> {
        if kind.append.is_some() {
            return Vec::new();
        }
        let known = Known {
            arguments: self.input.table.arguments.get(resource.kind),
            versions: self.state.reading.azurerm,
        };
        // A block that is a resource of its own has its own rules.
        let (rules, block) = match origin.block {
            None => (&kind.body, None),
            Some(span) => match child(kind, resource, span) {
                Some((rules, argument, value)) => (rules, Some((argument, value, span))),
                None => return Vec::new(),
            },
        };
        let mut ways = reverse::ways(rules, route, act);
        against.append(&mut ways.against);
        let start = match block {
            None => (String::new(), &resource.body, resource.span),
            Some((argument, value, span)) => (format!("{argument}."), value, span),
        };
        let ways = ways.found.iter();
        ways.map(|way| self.way(resource, known, &start, way))
            .collect()
    }

    /// What a way comes to in the text.
    fn way(
        &mut self,
        resource: &Resource<'a>,
        known: Known<'_>,
        (prefix, body, span): &(String, &'f Value<'a>, Span),
        way: &Way<'_>,
    ) -> Planned {
        if matches!(way.end, End::Fixed) {
            return Ok(None);
        }
        let path = self.editable(resource, *span)?;
        self.dynamic = None;
        let mut here = Here {
            path,
            offset: self.now(path, span.start)?,
            value: Some(body),
            dynamic: false,
        };
        let mut written = prefix.clone();
        for (at, hop) in way.hops.iter().enumerate() {
            let last = at + 1 == way.hops.len();
            if last && matches!(way.end, End::Another(_)) {
                self.is_one_more(&here, hop)?;
                return self.new_block(&here, known, &written, way, at);
            }
            let inner = match self.hop(&here, hop) {
                Ok(inner) => inner,
                Err(why) => return self.switch(resource, &here, hop, why),
            };
            match inner {
                Some(inner) if last && matches!(way.end, End::Absent) => {
                    return self.without_block(&inner, hop).map(Some);
                }
                Some(inner) => {
                    here = inner;
                    written = format!("{written}{}.", hop.argument.name);
                }
                None => return self.new_block(&here, known, &written, way, at),
            }
        }
        match &way.end {
            End::Argument {
                argument,
                route,
                act,
            } => self.argument(resource, known, &here, &written, argument, route, act),
            End::Present | End::Absent | End::Fixed | End::Another(_) => Ok(None),
        }
    }

    /// The file that a declaration stands in, when it may be edited.
    fn editable(&self, resource: &Resource<'a>, span: Span) -> Result<&'a str, String> {
        let source = self.state.sources.get(span.file);
        let source = source.ok_or("the file of the resource is not at hand")?;
        if source.name.ends_with(".json") {
            return Err(format!(
                "`{}` is in the JSON syntax of Terraform",
                source.name
            ));
        }
        if self.stays(source.name) && resource.through.is_empty() {
            return Err(format!("`{}` is of a downloaded module", source.name));
        }
        Ok(source.name)
    }

    /// Whether a file may not be edited: it is of a downloaded module, or of one that others call.
    fn stays(&self, path: &str) -> bool {
        let sources = &self.state.sources;
        let source = sources.find(path).and_then(|file| sources.get(file));
        let root = if self.input.folder == "." {
            ""
        } else {
            self.input.folder
        };
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        source.is_some_and(|source| source.published) || (self.at_call && own != root)
    }

    /// The name that an argument has in the version in use.
    fn name(&self, known: Known<'_>, path: &str, argument: &Argument) -> Result<String, String> {
        names(argument)
            .find(|name| known.has(&format!("{path}{name}")))
            .map(str::to_owned)
            .ok_or_else(|| format!("`{path}{}` {OTHER_VERSION}", argument.name))
    }

    fn insertion(&mut self, here: &Here<'_, 'a>, new: &New) -> Result<Edit, String> {
        if self.stays(here.path) {
            return Err(downloaded(here.path));
        }
        let (text, parsed) = self.read(here.path)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        let place = Place::new(&text, block).ok_or("its block is lost")?;
        Ok(place.insert(new))
    }
}

/// Why a module's file is not edited.
fn downloaded(path: &str) -> String {
    format!("it is written in a downloaded module (`{path}`), whose call has no argument for it")
}

/// The value of an argument that is not there yet.
fn wanted(route: &[Step], act: &Act) -> Result<Wish, String> {
    let value = match act {
        Act::Set(value) => value.clone(),
        Act::Add(value) => Wish::List(vec![value.clone()]),
        Act::Remove => return Err("it is not there".to_owned()),
    };
    route
        .iter()
        .rev()
        .try_fold(value, |value, step| match step {
            Step::Key(key) => Ok(Wish::Map(vec![(key.to_string(), value)])),
            Step::Index(_) => Err("there is no such item".to_owned()),
        })
}

/// The rules and the value of the block at a place that is a resource of its own.
fn child<'f, 'a>(
    kind: &'a Kind,
    resource: &'f Resource<'a>,
    span: Span,
) -> Option<(&'a crate::table::Rules, &'a str, &'f Value<'a>)> {
    for argument in &kind.body.map {
        for rule in &argument.rules {
            let Rule::Block(block) = rule else { continue };
            if !matches!(block.form, Form::Child(..)) {
                continue;
            }
            let value = names(argument).find_map(|name| resource.body.get(name));
            let item = value.and_then(|value| value.items().iter().find(|item| item.span == span));
            if let Some(item) = item {
                return Some((&block.rules, &argument.name, item));
            }
        }
    }
    None
}
