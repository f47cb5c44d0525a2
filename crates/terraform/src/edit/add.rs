//! A new resource of azurerm behind the one that it stands beside: the table read backwards for a whole body. What is a
//! block of its parent in azurerm becomes one.
//!
//! References are those of Terraform (`azurerm_kubernetes_cluster.shop.id`), so what is referred to has to be declared
//! in the same module. Left out: azapi, and resources that `for_each` makes.

mod filling;

use std::sync::Arc;

use bicep::addition::{Addition, Given, Leaves, Part, Piece, Seat, Target, elsewhere, free};
use bicep::declaration::Declare;
use bumpalo::Bump;
use hcl_edit::structure::{Block, Body};
use yaml::edit::{Edit, Operation, Step, Value};

use self::filling::Filling;
use super::body::{Parsed, Place, line_end, newline};
use super::find::Finder;
use super::render::{New, Style, aligned};
use super::reverse::leaves;
use super::{Editor, Input, More, Outcome, State, Wanted, prove, settle};
use crate::table::{Arguments, Form, Id, Kind, Rule};

/// What begins and ends an expression in a value.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

impl Editor {
    /// Does what is wanted besides, or leaves everything as it is.
    pub fn more(&mut self, input: &Input<'_>, more: &More<'_>) -> Outcome {
        match more {
            More::Resource(addition) => self.add(input, addition),
            More::Variable(file, offset, act) => self.declare(input, file, *offset, *act),
        }
    }

    /// Changes how a variable is declared.
    fn declare(&mut self, input: &Input<'_>, file: &str, offset: usize, act: Declare) -> Outcome {
        if file.ends_with(".json") {
            return Err(format!("`{file}` is in the JSON syntax of Terraform"));
        }
        let arena = Bump::new();
        let state = self.state(&arena, input);
        let start = self.files.clone();
        let mut allowed = prove::Allowed::default();
        let mut finder = Finder::new(input, &state, &mut self.files, &mut allowed);
        let (offset, old, parsed) = now(&mut finder, file, offset)?;
        let block = outermost(&parsed.body, offset)
            .filter(|block| block.ident.as_str() == "variable")
            .ok_or("the declaration of the variable is not found")?;
        let place = Place::new(&old, block).ok_or("its block cannot be seen through")?;
        let said = |name: &str| block.body.get_attribute(name);
        let edit = match act {
            Declare::Secure if said("sensitive").is_some() => {
                return Err("`sensitive` is said already".to_owned());
            }
            Declare::Secure => {
                let yes = Value::Bool(true);
                Some(place.insert(&New::Attribute("sensitive".to_owned(), yes)))
            }
            Declare::NoDefault => said("default")
                .and_then(hcl_edit::Span::span)
                .map(|span| place.remove(span)),
        };
        if let Some(edit) = edit {
            settle::make(&mut finder.text(file)?.pieces, &edit);
            finder.read(file)?;
        }
        Ok(self.changed(&start))
    }

    /// Adds a resource, or leaves everything as it is.
    fn add(&mut self, input: &Input<'_>, addition: &Addition) -> Outcome {
        let arena = Bump::new();
        let before = self.state(&arena, input);
        let start = self.files.clone();
        let patch = addition.patch()?;
        let done = self
            .written(input, &before, addition)
            .and_then(|(wanted, address)| {
                let after = State::of(&arena, input, &self.files);
                match &patch {
                    None => prove::added(&before, &after, &wanted)?,
                    Some((target, leaves)) => {
                        let mut allowed = prove::Allowed::default();
                        for (way, _) in leaves {
                            allowed.add(&target.kind, prove::keys(way));
                        }
                        prove::same(&before, &after, &allowed)?;
                    }
                }
                Ok(address)
            });
        match (done, patch) {
            (Ok(address), None) => self
                .fresh
                .extend(address.map(|address| (addition.fresh(), address))),
            (Ok(_), Some(_)) => {}
            // Where no resource says it, the one that is there does.
            (Err(_), Some((target, leaves))) => {
                self.files = start;
                drop(before);
                return self.patched(input, target, leaves);
            }
            (Err(why), None) => {
                self.files = start;
                return Err(why);
            }
        }
        Ok(self.changed(&start))
    }

    /// Says more of a resource in its own arguments.
    fn patched(&mut self, input: &Input<'_>, target: &Target, leaves: Leaves) -> Outcome {
        let leaves = leaves.into_iter();
        let operations: Vec<Operation> = leaves
            .map(|(route, value)| Operation::Set { route, value })
            .collect();
        let place = target.declared.as_ref();
        let wanted = Wanted {
            kind: &target.kind,
            name: &target.name,
            place: place.map(|(file, place)| (&**file, place.start)),
            operations: &operations,
            within: None,
            at_call: false,
        };
        self.alone(input, &wanted)
    }

    fn written<'w>(
        &mut self,
        input: &Input<'_>,
        state: &State<'_>,
        addition: &'w Addition,
    ) -> Result<(prove::New<'w>, Option<String>), String> {
        let mut allowed = prove::Allowed::default();
        let mut finder = Finder::new(input, state, &mut self.files, &mut allowed);
        let first = addition.targets.first().ok_or("it stands beside nothing")?;
        let (file, place) = first.declared.as_ref().ok_or_else(|| elsewhere(first))?;
        if file.ends_with(".json") {
            return Err(format!("`{file}` is in the JSON syntax of Terraform"));
        }
        let is_published = |name: &str| {
            let mut all = state.sources.iter();
            all.any(|(_, source)| source.name == name && source.published)
        };
        if is_published(file) {
            return Err(format!("`{file}` is of a downloaded module"));
        }
        let (offset, text, parsed) = now(&mut finder, file, place.start)?;
        let block = outermost(&parsed.body, offset)
            .ok_or_else(|| format!("`{}` is not declared there", first.name))?;
        let own = Declared::of(block)
            .ok_or_else(|| format!("`{}` is not declared by a resource", first.name))?;
        if own.each {
            return Err(format!(
                "`{}` is made for each of several: add the resource there",
                first.name
            ));
        }
        let folder = folder(file);
        let mut targets = Vec::new();
        for (number, target) in addition.targets.iter().enumerate() {
            targets.push(match (number, &target.declared) {
                (0, _) => Said::of(&own, true),
                (_, Some((file, place))) if self::folder(file) == folder => {
                    let (offset, _, parsed) = now(&mut finder, file, place.start)?;
                    let declared = outermost(&parsed.body, offset)
                        .filter(|block| starts_at(block, offset))
                        .and_then(Declared::of)
                        .filter(|declared| !declared.each);
                    match declared {
                        Some(declared) => Said::of(&declared, false),
                        None => Said::Not,
                    }
                }
                _ => Said::Not,
            });
        }
        let writer = Writer {
            input,
            versions: state.reading.azurerm,
            addition,
            targets,
            own: &own,
            subscription: subscription(state, folder),
        };
        let mut address = None;
        let edit = match writer.as_block()? {
            Some(New::Block(name, _)) if lets_in(block, &name) => {
                return Err(format!(
                    "`{}` has a dynamic block `{name}`: give what lets it in",
                    own.address(false)
                ));
            }
            Some(new) => Place::new(&text, block)
                .ok_or("its block cannot be seen through")?
                .insert(&new),
            None => {
                let taken = |kind: &str, name: &str| {
                    let mut all = state.reading.resources.iter();
                    all.any(|resource| resource.kind == kind && resource.name == name)
                };
                let newline = newline(&text, offset);
                let (made, name) = writer.as_resource(newline, &taken)?;
                // Each of several goes with one of those that it stands beside.
                let index = own.count.as_ref().map_or("", |_| "[count.index]");
                address = Some(format!("{name}{index}"));
                let end = hcl_edit::Span::span(block).map_or(offset, |span| span.end);
                let end = line_end(&text, end);
                Edit {
                    start: end,
                    end,
                    text: format!("{newline}{newline}{made}"),
                }
            }
        };
        let text = finder.text(file)?;
        settle::make(&mut text.pieces, &edit);
        let new = prove::New {
            kind: &addition.kind,
            body: writer.literal(),
        };
        Ok((new, address))
    }
}

/// Where a place of a file as it was given stands now, the text, and what it says.
fn now(
    finder: &mut Finder<'_, '_>,
    file: &str,
    offset: usize,
) -> Result<(usize, Arc<str>, Parsed), String> {
    let offset = finder.text(file)?.pieces.now(offset, 0);
    let (text, parsed) = finder.read(file)?;
    Ok((offset, text, parsed))
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The block of a configuration that an offset lies in.
fn outermost(body: &Body, offset: usize) -> Option<&Block> {
    let holds =
        |block: &&Block| hcl_edit::Span::span(*block).is_some_and(|span| span.contains(&offset));
    body.blocks().find(holds)
}

/// The id of the subscription, where the module in a folder looks it up.
fn subscription(state: &State<'_>, folder: &str) -> Option<String> {
    let mut all = state.reading.resources.iter();
    let found = all.find(|resource| {
        let file = state.sources.get(resource.span.file);
        let here = file.is_some_and(|file| self::folder(file.name) == folder);
        resource.existing && resource.kind == "azurerm_subscription" && here
    })?;
    // One that is looked up by an id may be another.
    let own = found.body.get("subscription_id").is_none();
    own.then(|| format!("data.azurerm_subscription.{}.id", found.name))
}

/// Whether a block holds others of a name that something lets in.
fn lets_in(block: &Block, name: &str) -> bool {
    block.body.blocks().any(|inner| {
        inner.ident.as_str() == "dynamic"
            && inner
                .labels
                .first()
                .is_some_and(|label| label.as_str() == name)
    })
}

fn starts_at(block: &Block, offset: usize) -> bool {
    hcl_edit::Span::span(block).is_some_and(|span| span.start == offset)
}

/// A resource as it is declared.
struct Declared {
    kind: String,
    name: String,
    /// The expression of its `count`.
    count: Option<String>,
    /// It has a `for_each`.
    each: bool,
    /// The expression of its `resource_group_name`.
    group: Option<String>,
    /// The expression of its `location`.
    location: Option<String>,
}

impl Declared {
    fn of(block: &Block) -> Option<Self> {
        let [kind, name] = block.labels.as_slice() else {
            return None;
        };
        let said = |name: &str| {
            let attribute = block.body.get_attribute(name)?;
            Some(attribute.value.to_string().trim().to_owned())
        };
        (block.ident.as_str() == "resource").then(|| Self {
            kind: kind.as_str().to_owned(),
            name: name.as_str().to_owned(),
            count: said("count"),
            each: block.body.get_attribute("for_each").is_some(),
            group: said("resource_group_name"),
            location: said("location"),
        })
    }

    /// What it is called; beside it, each of several goes with one of the new ones.
    fn address(&self, beside: bool) -> String {
        let index = match (&self.count, beside) {
            (None, _) => "",
            (Some(_), true) => "[count.index]",
            (Some(_), false) => "[0]",
        };
        format!("{}.{}{index}", self.kind, self.name)
    }
}

/// How a target is said.
enum Said {
    /// By an address.
    Declared {
        address: String,
        /// the expressions of its location and its resource group
        location: Option<String>,
        group: Option<String>,
    },
    /// It has none in the module.
    Not,
}

impl Said {
    fn of(declared: &Declared, beside: bool) -> Self {
        Self::Declared {
            address: declared.address(beside),
            location: declared.location.clone(),
            group: declared.group.clone(),
        }
    }
}

struct Writer<'w, 'i> {
    input: &'w Input<'i>,
    versions: (u64, u64),
    addition: &'w Addition,
    targets: Vec<Said>,
    own: &'w Declared,
    /// The id of the subscription, where the module looks it up.
    subscription: Option<String>,
}

/// An expression within a value.
fn expression(text: &str) -> Value {
    Value::String(format!("{OPEN}{text}{CLOSE}"))
}

impl Writer<'_, '_> {
    fn part(&self, number: usize, part: Part) -> Result<Value, String> {
        let missing = || "it refers to nothing".to_owned();
        let target: &Target = self.addition.targets.get(number).ok_or_else(missing)?;
        match (self.targets.get(number), part, target.literal_id()) {
            (
                Some(Said::Declared {
                    location: Some(location),
                    ..
                }),
                Part::Location,
                _,
            ) if self.addition.apart => Ok(expression(location)),
            (Some(Said::Declared { address, .. }), part, _) => {
                let attribute = match part {
                    Part::Id => "id",
                    Part::Name => "name",
                    Part::Location => "location",
                };
                Ok(expression(&format!("{address}.{attribute}")))
            }
            (_, Part::Id, Some(id)) => Ok(Value::String(id.to_owned())),
            _ => Err(elsewhere(target)),
        }
    }

    fn text(&self, pieces: &[Piece]) -> Result<Value, String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Of(number, part) => match self.part(*number, *part)? {
                    Value::String(one) => text.push_str(&one),
                    _ => return Err("it refers to what is no text".to_owned()),
                },
            }
        }
        Ok(Value::String(text))
    }

    fn value(&self, given: &Given) -> Result<Value, String> {
        Ok(match given {
            Given::Text(pieces) => self.text(pieces)?,
            Given::Scalar(value) => value.clone(),
            Given::List(items) => {
                let items = items.iter().map(|item| self.value(item));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Given::Map(entries) => self.map(entries)?,
        })
    }

    fn map(&self, entries: &[(Box<str>, Given)]) -> Result<Value, String> {
        let entries = entries
            .iter()
            .map(|(key, value)| Ok((key.to_string(), self.value(value)?)));
        Ok(Value::Map(entries.collect::<Result<_, String>>()?))
    }

    /// What of its body is said without references.
    fn literal(&self) -> Vec<(Vec<Step>, Value)> {
        // What azurerm says in arguments of its own is not mapped.
        if !self.addition.azurerm.is_empty() {
            return Vec::new();
        }
        let body = self.map(&self.addition.body).unwrap_or(Value::Null);
        let mut all = leaves(&[], &body);
        all.retain(|(_, value)| !has_expression(value));
        all
    }

    /// As a block of its parent, where azurerm has it so.
    fn as_block(&self) -> Result<Option<New>, String> {
        let Seat::Child(0) = self.addition.seat else {
            return Ok(None);
        };
        let Some(kind) = self.input.table.kinds.get(&self.own.kind) else {
            return Ok(None);
        };
        let last = self.addition.kind.rsplit('/').next().unwrap_or_default();
        let name = match self.addition.name.as_slice() {
            [Piece::Text(name)] => format!("={name}"),
            _ => return Ok(None),
        };
        let body = self.map(&self.addition.body)?;
        let arguments = self.input.table.arguments.get(&self.own.kind);
        for argument in &kind.body.map {
            for rule in &argument.rules {
                let Rule::Block(block) = rule else { continue };
                let is_it = matches!(&block.form, Form::Child(segment, own)
                    if segment.eq_ignore_ascii_case(last) && own.eq_ignore_ascii_case(&name));
                if !is_it {
                    continue;
                }
                let filling = self.filling(arguments);
                if !filling.has(&argument.name) {
                    return Err(format!(
                        "`{}` is no block in the version of azurerm in use",
                        argument.name
                    ));
                }
                let prefix = format!("{}.", argument.name);
                let content = filling.fill(&block.rules, &body, &prefix, 0);
                let content = content.ok_or_else(|| self.unsaid(&argument.name))?;
                return Ok(Some(New::Block(argument.name.clone(), content)));
            }
        }
        Ok(None)
    }

    fn filling<'f>(&'f self, arguments: Option<&'f Arguments>) -> Filling<'f> {
        Filling {
            arguments,
            versions: self.versions,
            extra: &self.addition.azurerm,
        }
    }

    fn unsaid(&self, kind: &str) -> String {
        format!("`{kind}` cannot say all of it")
    }

    /// As a resource, in lines of its own, and its address.
    fn as_resource(
        &self,
        newline: &'static str,
        taken: &dyn Fn(&str, &str) -> bool,
    ) -> Result<(String, String), String> {
        let body = self.map(&self.addition.body)?;
        let mut against = None;
        for (name, kind) in &self.input.table.kinds {
            if !kind.arm.eq_ignore_ascii_case(&self.addition.kind) || kind.append.is_some() {
                continue;
            }
            let filling = self.filling(self.input.table.arguments.get(name));
            let Some(mut all) = self.place(kind, &filling)? else {
                continue;
            };
            match filling.fill(&kind.body, &body, "", 0) {
                Some(content) => all.extend(content),
                None => {
                    against = Some(self.unsaid(name));
                    continue;
                }
            }
            let wanted = snake(&format!("{}_{}", self.own.name, self.addition.symbol));
            let own = free(&wanted, |own| taken(name, own));
            let head = format!("resource \"{name}\" \"{own}\"");
            return Ok((self.block(&head, all, newline), format!("{name}.{own}")));
        }
        Err(against.unwrap_or_else(|| {
            format!(
                "azurerm has no resource for {} that is known here",
                self.addition.kind
            )
        }))
    }

    /// The arguments that say what it is called and where it belongs; nothing where this kind of resource belongs
    /// elsewhere.
    fn place(&self, kind: &Kind, filling: &Filling<'_>) -> Result<Option<Vec<New>>, String> {
        // These scopes are no resources.
        const ABOVE: [&str; 3] = [
            "subscription_id",
            "management_group_id",
            "resource_group_id",
        ];
        let name = self.text(&self.addition.name)?;
        let attribute = |name: &str, value: Value| New::Attribute(name.to_owned(), value);
        let mut all = Vec::new();
        let mut say_names = |names: &[String], parent: Option<Value>| {
            let own = names.iter().filter(|name| !name.starts_with('='));
            let own: Vec<&String> = own.collect();
            match (own.as_slice(), parent) {
                ([only], _) => all.push(attribute(only, name.clone())),
                ([above, only], Some(parent)) => {
                    all.push(attribute(only, name.clone()));
                    all.push(attribute(above, parent));
                }
                _ => return false,
            }
            true
        };
        let group = || match &self.own.group {
            Some(group) if self.addition.apart => expression(group),
            _ => expression(&format!("{}.resource_group_name", self.own.address(true))),
        };
        let found = match (&kind.id, self.addition.seat) {
            (Id::Extension(argument), Seat::Extension(at))
                if !ABOVE.contains(&argument.as_str()) =>
            {
                let named = say_names(&kind.names, None);
                all.push(attribute(argument, self.part(at, Part::Id)?));
                named
            }
            (Id::Child(arguments), Seat::Child(at)) => {
                let argument = arguments.iter().find(|argument| filling.has(argument));
                match (argument, &kind.or) {
                    (Some(argument), _) => {
                        let named = say_names(&kind.names, None);
                        all.push(attribute(argument, self.part(at, Part::Id)?));
                        named
                    }
                    (None, Some((Id::Group(argument), names))) => {
                        let named = say_names(names, Some(self.part(at, Part::Name)?));
                        all.push(attribute(argument, group()));
                        named
                    }
                    _ => false,
                }
            }
            (Id::Patch(argument), Seat::Patch(at)) => {
                all.push(attribute(argument, self.part(at, Part::Id)?));
                true
            }
            (Id::Group(argument), Seat::Child(at)) if kind.names.len() == 2 => {
                let group = match self.targets.get(at) {
                    Some(Said::Declared {
                        group: Some(group), ..
                    }) => expression(group),
                    _ => return Ok(None),
                };
                let named = say_names(&kind.names, Some(self.part(at, Part::Name)?));
                all.push(attribute(argument, group));
                named
            }
            (Id::Group(argument), Seat::Deployment) => {
                if !self.own.kind.starts_with("azurerm_") {
                    return Err(format!(
                        "`{}.{}` does not say the resource group by its name",
                        self.own.kind, self.own.name
                    ));
                }
                let named = say_names(&kind.names, None);
                all.push(attribute(argument, group()));
                named
            }
            (Id::Extension(argument), Seat::Deployment) if argument == "resource_group_id" => {
                let group = self.own.group.as_deref().unwrap_or_default();
                let Some(declared) = group.strip_suffix(".name").filter(|one| is_group(one)) else {
                    return Err(format!(
                        "the resource group of `{}.{}` is not declared in its module",
                        self.own.kind, self.own.name
                    ));
                };
                let named = say_names(&kind.names, None);
                all.push(attribute(argument, expression(&format!("{declared}.id"))));
                named
            }
            (Id::Extension(argument), Seat::Subscription)
                if !ABOVE.contains(&argument.as_str()) =>
            {
                let id = self.subscription.as_ref().ok_or(
                    "the subscription is not looked up in its module: add `data \"azurerm_subscription\" \"current\" {}`",
                )?;
                let named = say_names(&kind.names, None);
                all.push(attribute(argument, expression(id)));
                named
            }
            (Id::Subscription, Seat::Subscription) => say_names(&kind.names, None),
            _ => false,
        };
        Ok(found.then_some(all))
    }

    fn block(&self, head: &str, all: Vec<New>, newline: &'static str) -> String {
        let style = Style {
            indent: "  ".to_owned(),
            unit: "  ",
            newline,
        };
        let mut out = String::new();
        for line in &self.addition.comment {
            out.push_str(&format!("# {line}{newline}"));
        }
        out.push_str(&format!("{head} {{{newline}"));
        if let Some(count) = &self.own.count {
            out.push_str(&format!("  count = {count}{newline}{newline}"));
        }
        let (attributes, blocks): (Vec<New>, Vec<New>) = all
            .into_iter()
            .partition(|new| matches!(new, New::Attribute(..)));
        for new in &attributes {
            out.push_str(&format!("  {}{newline}", new.text(&style)));
        }
        for new in &blocks {
            out.push_str(&format!("{newline}  {}{newline}", new.text(&style)));
        }
        out.push('}');
        aligned(with_expressions(&out))
    }
}

/// Whether an expression names a resource group that is declared or looked up.
fn is_group(text: &str) -> bool {
    let text = text.strip_prefix("data.").unwrap_or(text);
    text.strip_prefix("azurerm_resource_group.")
        .is_some_and(|name| {
            name.chars()
                .all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '[' | ']'))
        })
}

/// Whether an expression stands somewhere in a value. Values are as deep as guidelines write them.
fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(OPEN),
        Value::List(items) => items.iter().any(has_expression),
        Value::Map(entries) => entries.iter().any(|(_, value)| has_expression(value)),
        _ => false,
    }
}

/// A text whose values hold expressions: bare where one is all of a value, else in `${ }`.
fn with_expressions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((inner, behind)) = after.split_once(CLOSE) else {
            break;
        };
        match (before.strip_suffix('"'), behind.strip_prefix('"')) {
            (Some(before), Some(behind)) if !before.ends_with('\\') => {
                out.push_str(before);
                // As a text it had its quotes escaped.
                out.push_str(&inner.replace("\\\"", "\""));
                rest = behind;
            }
            _ => {
                out.push_str(before);
                out.push_str(&format!("${{{inner}}}"));
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `aks_upgradeWindow` as Terraform writes names.
fn snake(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
