//! Where in the files a property of a resource is said, and the edit that makes it say what is
//! wanted.

mod azapi;
mod written;

use bicep::source::Span;
use bicep::value::{Data, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};
use yaml::edit::{Edit, Operation, Step, Value as Wish};

use super::body::{Parsed, Place};
use super::expr::{Act, snippet};
use super::pieces::Pieces;
use super::render::New;
use super::reverse::{self, End, Hop, Item, Way};
use super::{Done, Input, State, Text, Texts, prove, settle};
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
            switched: false,
        }
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
        let mut against = Vec::new();
        let mut best: Option<Plan> = None;
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
                    Err(why) => against.push(why),
                }
            }
        }
        let Some(plan) = best else {
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

    /// A file's text as it is now.
    pub(super) fn text(&mut self, path: &str) -> Result<&mut Text, String> {
        if !self.files.contains_key(path) {
            let bytes = self.input.files.read(path)?;
            let whole =
                String::from_utf8(bytes).map_err(|_| format!("`{path}` is not in UTF-8"))?;
            let text = whole.strip_prefix('\u{feff}').unwrap_or(&whole);
            let new = Text {
                before: whole.len() - text.len(),
                pieces: Pieces::new(text.into()),
                read: 0,
            };
            self.files.insert(path.to_owned(), new);
        }
        self.files
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
            End::Present | End::Absent | End::Fixed => Ok(None),
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
        if self.published(span) && resource.through.is_empty() {
            return Err(format!("`{}` is of a downloaded module", source.name));
        }
        Ok(source.name)
    }

    fn published(&self, span: Span) -> bool {
        self.state
            .sources
            .get(span.file)
            .is_some_and(|source| source.published)
    }

    /// The block that a hop leads to; nothing when there is none.
    fn hop<'s>(
        &mut self,
        here: &Here<'s, 'a>,
        hop: &Hop<'_>,
    ) -> Result<Option<Here<'s, 'a>>, String> {
        if let Some(value) = here.value.and_then(|value| item(value, hop))
            && let Some(path) = self.state.path(value.span)
        {
            let offset = self.now(path, value.span.start)?;
            let text = self.text(path)?.pieces.text.clone();
            let parsed = Parsed::new(&text)?;
            if let Some(block) = parsed.block_at(offset) {
                let dynamic = block.ident.as_str() == "dynamic";
                let content = block.body.get_blocks("content").next();
                let inner = if dynamic { content } else { Some(block) };
                let start = inner.and_then(hcl_edit::Span::span);
                let start = start.ok_or("a dynamic block without content")?.start;
                return Ok(Some(Here {
                    path,
                    offset: start,
                    value: Some(value),
                    dynamic: here.dynamic || dynamic,
                }));
            }
        }
        // What came with an earlier edit, and what is not known to be there.
        let text = self.text(here.path)?.pieces.text.clone();
        let parsed = Parsed::new(&text)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        if let Some(each) = dynamic(block, hop.argument) {
            self.dynamic = dynamic_start(block, hop.argument);
            return Err(format!(
                "`{}` is made by a dynamic block for `{}`",
                hop.argument.name,
                snippet(&text, each)
            ));
        }
        let blocks: Vec<&Block> = block
            .body
            .blocks()
            .filter(|block| hop.argument.holds(block.ident.as_str()))
            .collect();
        let found = match (&hop.item, blocks.as_slice()) {
            (_, []) => return Ok(None),
            (Item::Only | Item::At(0), [block]) => block.span(),
            (Item::At(at), blocks) => blocks.get(*at).and_then(|block| block.span()),
            _ => None,
        };
        match found {
            Some(span) => Ok(Some(Here {
                path: here.path,
                offset: span.start,
                value: None,
                dynamic: here.dynamic,
            })),
            None => Err(format!(
                "which of the `{}` blocks is not known",
                hop.argument.name
            )),
        }
    }

    /// Lets a dynamic block make something, when one literal keeps it from it.
    fn switch(
        &mut self,
        resource: &Resource<'a>,
        here: &Here<'_, 'a>,
        hop: &Hop<'_>,
        why: String,
    ) -> Planned {
        let state = self.state;
        let Some(start) = self.dynamic.take() else {
            return Err(why);
        };
        for (head, span, known) in &state.reading.switches {
            if state.path(*head) != Some(here.path) || self.now(here.path, head.start)? != start {
                continue;
            }
            if let Ok(Some(mut plan)) = self.literal(resource, *span, &Wish::Bool(!known)) {
                plan.beside = Some(hop.azure.clone());
                plan.switches = true;
                return Ok(Some(plan));
            }
        }
        Err(why)
    }

    /// Takes a block out.
    fn without_block(&mut self, inner: &Here<'_, 'a>, hop: &Hop<'_>) -> Result<Plan, String> {
        if self.state.sources.find(inner.path).is_some_and(|file| {
            self.state
                .sources
                .get(file)
                .is_some_and(|source| source.published)
        }) {
            return Err(downloaded(inner.path));
        }
        let text = self.text(inner.path)?.pieces.text.clone();
        let parsed = Parsed::new(&text)?;
        let around = parsed.around(inner.offset);
        let blocks: Vec<&Block> = around
            .iter()
            .filter_map(|one| match one {
                Structure::Block(block) => Some(block),
                Structure::Attribute(_) => None,
            })
            .collect();
        if inner.dynamic {
            return Err(format!(
                "`{}` is made by a dynamic block",
                hop.argument.name
            ));
        }
        let [.., outer, block] = blocks.as_slice() else {
            return Err("its block is lost".to_owned());
        };
        let place = Place::new(&text, outer).ok_or("its block is lost")?;
        let span = block.span().ok_or("its block is lost")?;
        Ok(Plan {
            path: inner.path.to_owned(),
            edit: place.remove(span),
            distance: 1,
            beside: Some(hop.azure.clone()),
            switches: false,
        })
    }

    /// Puts blocks in, from a hop on, with what is wanted in the last one.
    fn new_block(
        &mut self,
        here: &Here<'_, 'a>,
        known: Known<'_>,
        written: &str,
        way: &Way<'_>,
        from: usize,
    ) -> Planned {
        let hops = way.hops.get(from..).unwrap_or_default();
        let Some(first) = hops.first() else {
            return Ok(None);
        };
        let mut content = match &way.end {
            End::Absent | End::Fixed => return Ok(None),
            End::Argument {
                act: Act::Remove, ..
            } => return Ok(None),
            End::Present => Vec::new(),
            End::Argument {
                argument,
                route,
                act,
            } => {
                let path: String = hops
                    .iter()
                    .map(|hop| format!("{}.", hop.argument.name))
                    .collect();
                let name = self.name(known, &format!("{written}{path}"), argument)?;
                vec![New::Attribute(name, wanted(route, act)?)]
            }
        };
        let mut path: Vec<&str> = hops.iter().map(|hop| hop.argument.name.as_str()).collect();
        for hop in hops.iter().rev() {
            if matches!(hop.item, Item::At(1..) | Item::Named(..)) {
                return Err(format!("there is no such `{}` block", hop.argument.name));
            }
            let whole = format!("{written}{}", path.join("."));
            path.pop();
            let outer = if path.is_empty() {
                written.to_owned()
            } else {
                format!("{written}{}.", path.join("."))
            };
            let name = self.name(known, &outer, hop.argument)?;
            let has = |need: &str| {
                content.iter().any(|new| match new {
                    New::Attribute(name, _) | New::Block(name, _) => name == need,
                })
            };
            let missing: Vec<String> = known
                .needs(&whole)
                .into_iter()
                .filter(|need| !has(need))
                .map(|need| format!("`{need}`"))
                .collect();
            if !missing.is_empty() {
                return Err(format!(
                    "a new `{name}` block needs {}, which only you can know",
                    missing.join(" and ")
                ));
            }
            content = vec![New::Block(name, content)];
        }
        let new = content.pop().ok_or("nothing to write")?;
        let edit = self.insertion(here, &new)?;
        Ok(Some(Plan {
            path: here.path.to_owned(),
            edit,
            distance: 3,
            beside: Some(first.azure.clone()),
            switches: false,
        }))
    }

    /// The name that an argument has in the version in use.
    fn name(&self, known: Known<'_>, path: &str, argument: &Argument) -> Result<String, String> {
        names(argument)
            .find(|name| known.has(&format!("{path}{name}")))
            .map(str::to_owned)
            .ok_or_else(|| format!("`{path}{}` {OTHER_VERSION}", argument.name))
    }

    fn insertion(&mut self, here: &Here<'_, 'a>, new: &New) -> Result<Edit, String> {
        let source = self.state.sources.find(here.path);
        if source
            .and_then(|file| self.state.sources.get(file))
            .is_some_and(|source| source.published)
        {
            return Err(downloaded(here.path));
        }
        let text = self.text(here.path)?.pieces.text.clone();
        let parsed = Parsed::new(&text)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        let place = Place::new(&text, block).ok_or("its block is lost")?;
        Ok(place.insert(new))
    }
}

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

/// The value of the block that a hop leads to.
fn item<'s, 'a>(value: &'s Value<'a>, hop: &Hop<'_>) -> Option<&'s Value<'a>> {
    let block = names(hop.argument).find_map(|name| value.get(name))?;
    let items: &[Value<'a>] = match block.data {
        Data::Array(items) => items,
        Data::Object(_) => std::slice::from_ref(block),
        _ => return None,
    };
    match &hop.item {
        Item::Only => items.first(),
        Item::At(at) => items.get(*at),
        Item::Named(name, key) => items.iter().find(|item| {
            item.get(name)
                .and_then(Value::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(key))
        }),
    }
}

/// What a dynamic block of a name is made for.
fn dynamic<'b>(block: &'b Block, argument: &Argument) -> Option<&'b Expression> {
    let block = block.body.get_blocks("dynamic").find(|block| {
        let label = block.labels.first();
        label.is_some_and(|label| argument.holds(label.as_str()))
    })?;
    Some(&block.body.get_attribute("for_each")?.value)
}

fn dynamic_start(block: &Block, argument: &Argument) -> Option<usize> {
    let mut blocks = block.body.get_blocks("dynamic");
    let block = blocks.find(|block| {
        let label = block.labels.first();
        label.is_some_and(|label| argument.holds(label.as_str()))
    })?;
    Some(block.span()?.start)
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
