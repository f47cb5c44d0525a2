//! From a guideline's fix to the changes that cure one finding.

use bicep::addition::{Addition, Seat, Target};
use cel::{Node as _, Val, View};
use model::doc::Doc;
use model::remedy::{Act, Change, NewObject, Remedy, Step, Wanted, Written};
use model::resource::Origin;
use model::{Ref, Resource};
use serde_json::Value as Json;
use yaml::{Span, edit};

use crate::answers::Asks;
use crate::beside::Ask;
use crate::context::Value;
use crate::fix::{Fix, Given, Key, New, Operation, Route, With};

/// Values deeper than this are none that a fix makes.
const DEPTH: usize = 32;

/// What a fix does to the document of a resource and which objects it puts beside it; `None` where there is nothing
/// that it can do: what it changes is not there, or stands in several documents. `eval` computes values; it takes the item
/// of the fix's own list, which may be another object.
pub(crate) fn of<'a>(
    fix: &'a Fix,
    ask: &Ask<'a>,
    item: Option<Value<'a>>,
    bind: impl FnOnce(Vec<Answer<'a>>),
    mut eval: impl FnMut(&'a cel::Program, Option<Value<'a>>) -> Value<'a>,
) -> Option<Remedy> {
    let resource = ask.resource;
    // What others only name has no document to change.
    if resource.implied && !fix.operations.is_empty() {
        return None;
    }
    if let Some(when) = &fix.when
        && !matches!(eval(when, None).resolve(), Val::Bool(true))
    {
        return None;
    }
    let refused = |why: Box<str>| Remedy {
        safety: fix.safety,
        origin: resource.origin.clone(),
        other: None,
        changes: Vec::new(),
        new: Vec::new(),
        added: Vec::new(),
        refused: Some(why),
        wanted: Vec::new(),
    };
    let forbidden = |eval: &mut dyn FnMut(&'a cel::Program, Option<Value<'a>>) -> Value<'a>| {
        let (unless, why) = fix.unless.as_ref()?;
        matches!(eval(unless, None).resolve(), Val::Bool(true)).then(|| refused(why.clone()))
    };
    if let Some(refused) = forbidden(&mut eval) {
        return Some(refused);
    }
    // Nobody is asked about what cannot be done in the end.
    for with in fix
        .with
        .iter()
        .filter(|with| !with.program.source().contains("answers."))
    {
        if other(ask, with, eval(&with.program, None)).is_none() {
            return Some(refused(with.why.clone()));
        }
    }
    let mut wanted = Vec::new();
    let mut answers = Vec::new();
    for asks in &fix.asks {
        match answer(asks, ask, &mut eval)? {
            Ok(value) => answers.push((&*asks.name, value)),
            Err(missing) => wanted.push(missing),
        }
    }
    if !wanted.is_empty() {
        return Some(Remedy {
            wanted,
            ..refused("it needs an answer that only you know".into())
        });
    }
    bind(answers);
    // What it must not do may hang on an answer.
    if let Some(refused) = forbidden(&mut eval) {
        return Some(refused);
    }
    let mut others = Vec::new();
    for with in &fix.with {
        match other(ask, with, eval(&with.program, None)) {
            Some(found) => others.push(found),
            None => return Some(refused(with.why.clone())),
        }
    }
    let own = match &fix.each {
        Some(each) => {
            let list = eval(&each.program, None).as_list()?;
            (0..list.len())
                .filter_map(|index| list.get(index))
                .collect()
        }
        None => Vec::new(),
    };
    let mut changes = Vec::new();
    let mut docs: Vec<&'a Doc> = Vec::new();
    for operation in &fix.operations {
        let mut asking = Asking {
            resource,
            item,
            docs: &mut docs,
            others: &others,
            eval: &mut eval,
        };
        match fix.each.as_ref() {
            Some(each) if operation.route().names(&each.name) => {
                for value in &own {
                    changes.extend(asking.change(operation, Some((&each.name, *value)))?);
                }
            }
            _ => changes.extend(asking.change(operation, None)?),
        }
    }
    let mut remedy = Remedy {
        safety: fix.safety,
        origin: origin(ask, &docs)?.clone(),
        other: None,
        changes,
        new: Vec::new(),
        added: Vec::new(),
        refused: None,
        wanted: Vec::new(),
    };
    let routes = fix.operations.iter().map(Operation::route);
    let mut changed = routes.filter_map(|route| others.iter().find(|one| *one.name == *route.root));
    if let Some(found) = changed.next().and_then(|one| one.resource) {
        remedy.other = Some(found.name.clone());
        remedy.origin = found.origin.clone();
    }
    let adds = fix.new.iter().any(|new| matches!(new, New::Azure(_)));
    if let (true, None, Some(beside)) = (adds, &resource.azure, others.first())
        && let Some(beside) = beside.resource
    {
        remedy.origin = beside.origin.clone();
    }
    let targets = || -> Vec<Target> {
        let own = match &resource.azure {
            Some(azure) => Some(target(resource, &azure.id)),
            // What an object of Kubernetes lacks in Azure stands beside what it has to do with there.
            None => others.first().map(|other| other.target.clone()),
        };
        let others = others.iter().map(|other| other.target.clone());
        own.into_iter().chain(others).collect()
    };
    for new in &fix.new {
        match new {
            New::Written(object) => {
                let made = object.filled(&mut |program| eval(program, None))?;
                if let Some(why) = exists(ask, &made) {
                    return Some(refused(why));
                }
                remedy.new.push(made);
            }
            New::Azure(added) => {
                let mut eval = |program| eval(program, None);
                let made = added.filled(&targets(), &remedy.added, &mut eval)?;
                if let Some(why) = stands(ask, &made) {
                    return Some(refused(why));
                }
                remedy.added.push(made);
            }
            New::From(writer) => match (writer.write)(ask) {
                Ok(made) => remedy.new.extend(made),
                Err(why) => return Some(refused(why)),
            },
        }
    }
    if remedy
        .added
        .iter()
        .any(|added| matches!(added.seat, Seat::Patch(_)))
    {
        for added in &mut remedy.added {
            added.apart = true;
        }
    }
    let does = !remedy.changes.is_empty() || !remedy.new.is_empty() || !remedy.added.is_empty();
    does.then_some(remedy)
}

/// An answer, and what fixes call it.
pub(crate) type Answer<'a> = (&'a str, Value<'a>);

/// What somebody answered, or what the estate itself has for an answer; else what is wanted. Nothing where it is not
/// known what to ask about.
fn answer<'a>(
    asks: &'a Asks,
    ask: &Ask<'a>,
    eval: &mut impl FnMut(&'a cel::Program, Option<Value<'a>>) -> Value<'a>,
) -> Option<Result<Value<'a>, Wanted>> {
    let about = match &asks.about {
        Some(about) => match eval(about, None).resolve() {
            Val::Str(text) => Some(text),
            _ => return None,
        },
        None => None,
    };
    if let Some(given) = ask.setting.answers.to(&asks.name, about) {
        return Some(Ok(Val::Node(given)));
    }
    let known = asks.known.as_ref().and_then(|known| {
        let value = match eval(known, None) {
            Val::Optional(inner) => inner.copied()?,
            value => value,
        };
        let says = match value.resolve() {
            Val::Unknown(_) | Val::Error(_) | Val::Null => false,
            Val::Str(text) => !text.is_empty(),
            Val::Map(map) => !map.entries.is_empty(),
            Val::Node(node) if matches!(node.view(), View::Map(_)) => {
                node.entries().next().is_some()
            }
            _ => value.as_list().is_none_or(|list| !list.is_empty()),
        };
        says.then_some(value)
    });
    Some(known.ok_or_else(|| asks.wanted(about)))
}

/// Another resource that a fix changes or refers to.
struct Other<'a> {
    name: &'a str,
    /// Nothing where only the id is known.
    resource: Option<&'a Resource>,
    target: Target,
}

/// What an expression of `with` gives: a resource of the estate, or an id.
fn other<'a>(ask: &Ask<'a>, with: &'a With, value: Value<'a>) -> Option<Other<'a>> {
    let value = match value {
        Val::Optional(inner) => inner.copied()?,
        value => value,
    };
    let found = |resource: Option<&'a Resource>, target: Target| Other {
        name: &with.name,
        resource,
        target,
    };
    if let Val::Str(id) = value.resolve() {
        let kind = model::azure::type_of_id(id)?;
        let name = model::azure::segments(id).last().copied()?;
        let target = Target {
            kind: kind.into(),
            name: name.into(),
            id: id.into(),
            declared: None,
        };
        return Some(found(None, target));
    }
    let node = value.as_node()?;
    let resources = ask.analyses?.estate.resources().iter();
    let resource = resources
        .filter(|resource| resource.azure.is_some())
        .find(|resource| resource.object() == node)?;
    let id = &resource.azure.as_ref()?.id;
    Some(found(Some(resource), target(resource, id)))
}

/// A resource as additions refer to it.
fn target(resource: &Resource, id: &str) -> Target {
    let written = places(resource, &[]).into_iter().next();
    let written = written.filter(|written| written.steps == 0 && !written.published);
    Target {
        kind: resource.name.kind.name().into(),
        name: resource.name.name.clone(),
        id: id.into(),
        declared: written.map(|written| {
            let span = written.span.start as usize..written.span.end as usize;
            ((&*written.path).into(), span)
        }),
    }
}

/// Why a resource cannot be added: it is there.
fn stands(ask: &Ask<'_>, made: &Addition) -> Option<Box<str>> {
    let estate = ask.analyses?.estate;
    let name = made.shown_name();
    let target = |at: usize| made.targets.get(at).map(|target| &*target.id);
    let id = match made.seat {
        // What it says more of is there.
        Seat::Patch(_) => return None,
        Seat::Deployment | Seat::Subscription => None,
        Seat::Extension(at) => Some(format!("{}/providers/{}/{name}", target(at)?, made.kind)),
        Seat::Child(at) => {
            let last = made.kind.rsplit('/').next()?;
            Some(format!("{}/{last}/{name}", target(at)?))
        }
    };
    let known = estate.of_kind(&made.kind).iter();
    let mut known = known.filter_map(|id| estate.get(*id));
    let found = known.find(|known| match (&id, &known.azure) {
        (Some(id), Some(azure)) => azure.id.eq_ignore_ascii_case(id),
        _ => known.name.name.eq_ignore_ascii_case(&name),
    })?;
    Some(
        format!(
            "there is a {} `{name}` already, in {}: change that one",
            made.kind, found.origin.path
        )
        .into(),
    )
}

/// Where the one document came from that changes: the object's own, or that of another one.
fn origin<'a>(ask: &Ask<'a>, docs: &[&'a Doc]) -> Option<&'a Origin> {
    let own = &ask.resource.doc;
    let Some(first) = docs.iter().find(|doc| !std::ptr::eq(**doc, &**own)) else {
        return Some(&ask.resource.origin);
    };
    if !docs.iter().all(|doc| std::ptr::eq(*doc, *first)) {
        return None;
    }
    let mut all = ask.analyses?.estate.resources().iter();
    let other = all.find(|other| std::ptr::eq(&*other.doc, *first))?;
    let written = !other.implied && !other.origin.live && other.azure.is_none();
    written.then_some(&other.origin)
}

/// An item of a fix's own list, with what it is called.
type Own<'a> = (&'a str, Value<'a>);

/// What an operation is asked about.
struct Asking<'a, 'e, E> {
    resource: &'a Resource,
    /// of the guideline
    item: Option<Value<'a>>,
    /// the documents that change
    docs: &'e mut Vec<&'a Doc>,
    others: &'e [Other<'a>],
    eval: &'e mut E,
}

impl<'a, E> Asking<'a, '_, E>
where
    E: FnMut(&'a cel::Program, Option<Value<'a>>) -> Value<'a>,
{
    /// The change that an operation is for an item of the fix's list, if it is one. `None` if its place is nowhere.
    fn change(&mut self, operation: &'a Operation, own: Option<Own<'a>>) -> Option<Option<Change>> {
        let mut given = |given: &'a Given| -> Option<Box<str>> {
            match given {
                Given::Written(text) => Some(text.clone()),
                Given::Computed(program, _) => {
                    let value = (self.eval)(program, own.map(|(_, value)| value));
                    let mut text = String::new();
                    flow(value, 0, &mut text)?;
                    Some(text.into_boxed_str())
                }
            }
        };
        let act = match operation {
            Operation::Set { value, .. } => Act::Set(given(value)?),
            Operation::Add { value, .. } => Act::Add(given(value)?),
            Operation::Remove { .. } => Act::Remove,
            Operation::Replace { key, value, .. } => Act::Replace {
                key: key.clone(),
                value: value.clone(),
            },
            Operation::Wrap { around, within, .. } => Act::Wrap {
                around: given(around)?,
                within: within.clone(),
            },
        };
        let route = operation.route();
        let item = match own {
            Some((name, value)) if *name == *route.root => Some(value),
            _ => self.item,
        };
        let other = self.others.iter().find(|other| *other.name == *route.root);
        let (resource, (mut at, root, doc)) = match other {
            Some(other) => {
                let resource = other.resource?;
                let start = (Vec::new(), Some(resource.object()), &*self.resource.doc);
                (resource, start)
            }
            None => (self.resource, start(&route.root, self.resource, item)?),
        };
        let keys = keys(route, own)?;
        let takes_away = matches!(act, Act::Remove | Act::Replace { .. } | Act::Wrap { .. });
        if takes_away && !is_there(root, &keys) {
            return Some(None);
        }
        self.docs.push(doc);
        at.extend(keys.into_iter().map(Step::Key));
        let written = if is_of_template(resource) {
            places(resource, &at)
        } else {
            Vec::new()
        };
        Some(Some(Change { at, act, written }))
    }
}

/// The keys of a route below its root.
fn keys(route: &Route, own: Option<Own<'_>>) -> Option<Vec<Box<str>>> {
    let keys = route.keys.iter().map(|key| match key {
        Key::Written(key) => Some(key.clone()),
        Key::Item(_) => match own?.1.resolve() {
            Val::Str(text) => Some(text.into()),
            Val::Node(node) => node.as_str().map(Into::into),
            _ => None,
        },
    });
    keys.collect()
}

/// Why an object cannot be made: there is one of its name.
fn exists(ask: &Ask<'_>, made: &NewObject) -> Option<Box<str>> {
    let estate = ask.analyses?.estate;
    let namespace = made.namespace.as_deref().unwrap_or_default();
    let found = estate.find(namespace, &made.kind, &made.name);
    let found = found.filter(|found| !found.implied)?;
    Some(
        format!(
            "there is a {} `{}` already, in {}: change that one",
            made.kind, made.name, found.origin.path
        )
        .into(),
    )
}

/// Changes as edits of a text with the values of its document.
///
/// # Errors
/// When a value is no YAML.
pub fn operations(changes: &[Change]) -> Result<Vec<edit::Operation>, String> {
    changes.iter().map(operation).collect()
}

fn operation(change: &Change) -> Result<edit::Operation, String> {
    let read = |text: &str| {
        edit::Value::read(text).map_err(|error| format!("the value `{text}` of its fix: {error}"))
    };
    let steps = change.at.iter().map(|step| match step {
        Step::Key(key) => edit::Step::Key(key.clone()),
        Step::Index(index) => edit::Step::Index(*index),
    });
    let route: Vec<edit::Step> = steps.collect();
    Ok(match &change.act {
        Act::Set(value) => edit::Operation::Set {
            route,
            value: read(value)?,
        },
        Act::Add(value) => edit::Operation::Add {
            route,
            value: read(value)?,
        },
        Act::Remove => {
            // A map that is left empty says nothing; an empty list says that there is none.
            let prune = matches!(route.last(), Some(edit::Step::Key(_)));
            edit::Operation::Remove { route, prune }
        }
        Act::Replace { key, value } => edit::Operation::Replace {
            route,
            key: key.to_string(),
            value: read(value)?,
        },
        Act::Wrap { around, within } => edit::Operation::Nest {
            route,
            around: read(around)?,
            within: within.to_vec(),
        },
    })
}

/// A way in a document, the value at its end, and the document.
type Start<'a> = (Vec<Step>, Option<Ref<'a>>, &'a Doc);

/// The way to a root of routes, and its value where there is one.
fn start<'a>(root: &str, resource: &'a Resource, item: Option<Value<'a>>) -> Option<Start<'a>> {
    let object = resource.object();
    // A template's document has no way to its resources: it starts at each.
    let document = if is_of_template(resource) {
        object
    } else {
        resource.doc.root()
    };
    let below = |holder: Ref<'a>, key: &str| {
        let mut at = document.way_to(holder)?;
        at.push(Step::Key(key.into()));
        Some((at, holder.get(key), &*resource.doc))
    };
    match root {
        "object" | "resource" => Some((document.way_to(object)?, Some(object), &*resource.doc)),
        "pod" => below(resource.pod_holder()?, "spec"),
        "podMetadata" => below(resource.pod_holder()?, "metadata"),
        _ => {
            let node = item?.as_node()?;
            if std::ptr::eq(node.doc, &*resource.doc) {
                return Some((document.way_to(node)?, Some(node), node.doc));
            }
            // The places of an Azure resource's values are its own.
            resource.azure.is_none().then_some(())?;
            Some((node.doc.root().way_to(node)?, Some(node), node.doc))
        }
    }
}

/// Whether a resource stands in a template, or is one: its document holds much besides.
fn is_of_template(resource: &Resource) -> bool {
    resource.azure.is_some() || resource.name.kind == model::azure::template::kind()
}

/// Where the values on a way down from an Azure resource are written.
fn places(resource: &Resource, at: &[Step]) -> Vec<Written> {
    let doc = &*resource.doc;
    // What the text is not at hand of has no place in it.
    if doc.knows_only_lines() || resource.origin.live {
        return Vec::new();
    }
    let through: &[Span] = resource
        .azure
        .as_ref()
        .map_or(&[], |azure| azure.through.as_slice());
    let mut places = Vec::new();
    let mut value = resource.object();
    let mut key = None;
    for steps in 0..=at.len() {
        let span = value.span();
        if !value.is_filled_in()
            && let Some(part) = doc.part_at(span.start)
        {
            let local = |span: Span| Span {
                start: span.start - part.start,
                end: span.end - part.start,
            };
            let beside =
                |key: &Span| doc.path_at(key.start) == Some(&part.path) && key.start < key.end;
            places.push(Written {
                steps,
                path: part.path.clone(),
                span: local(span),
                key: key.filter(beside).map(local),
                published: through.contains(&span),
                hidden: part.hidden,
            });
        }
        let below = match at.get(steps) {
            Some(Step::Key(wanted)) => value
                .entries()
                .find(|(own, _, _)| own.eq_ignore_ascii_case(wanted))
                .map(|(_, key, value)| (Some(key), value)),
            Some(Step::Index(index)) => value.items().nth(*index).map(|item| (None, item)),
            None => None,
        };
        let Some(below) = below else { break };
        (key, value) = below;
    }
    places
}

fn is_there(root: Option<Ref<'_>>, keys: &[Box<str>]) -> bool {
    keys.iter()
        .try_fold(root, |at, key| at.map(|at| at.get(key)))
        .flatten()
        .is_some()
}

/// Writes a value as JSON, which is YAML in flow style, entries in their own order; `None` for what no document can
/// hold.
fn flow(value: Value<'_>, depth: usize, out: &mut String) -> Option<()> {
    if depth > DEPTH {
        return None;
    }
    let scalar = match value.resolve() {
        Val::Null => Json::Null,
        Val::Bool(value) => value.into(),
        Val::Int(value) => value.into(),
        Val::Uint(value) => value.into(),
        Val::Double(value) => serde_json::Number::from_f64(value)?.into(),
        Val::Str(text) => text.into(),
        Val::List(list) if list.rest.is_none() => {
            return items(list.items.iter().copied(), depth, out);
        }
        Val::Map(map) if map.rest.is_none() => {
            let pairs = map.entries.iter().map(|(key, value)| match key.resolve() {
                Val::Str(key) => Some((key, *value)),
                _ => None,
            });
            return entries(pairs, depth, out);
        }
        Val::Node(node) => {
            return match node.view() {
                View::List(_) => items(node.items().map(Val::Node), depth, out),
                View::Map(_) => {
                    let pairs = node.entries();
                    entries(
                        pairs.map(|(key, _, value)| Some((key, Val::Node(value)))),
                        depth,
                        out,
                    )
                }
                _ => None,
            };
        }
        _ => return None,
    };
    out.push_str(&scalar.to_string());
    Some(())
}

fn items<'a>(items: impl Iterator<Item = Value<'a>>, depth: usize, out: &mut String) -> Option<()> {
    out.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(',');
        }
        flow(item, depth + 1, out)?;
    }
    out.push(']');
    Some(())
}

fn entries<'k, 'a>(
    entries: impl Iterator<Item = Option<(&'k str, Value<'a>)>>,
    depth: usize,
    out: &mut String,
) -> Option<()> {
    out.push('{');
    for (number, entry) in entries.enumerate() {
        let (key, value) = entry?;
        if number > 0 {
            out.push(',');
        }
        out.push_str(&Json::from(key).to_string());
        out.push(':');
        flow(value, depth + 1, out)?;
    }
    out.push('}');
    Some(())
}

/// A value as JSON, which is YAML in flow style; `None` for what no document can hold.
pub(crate) fn json(value: Value<'_>, depth: usize) -> Option<Json> {
    if depth > DEPTH {
        return None;
    }
    Some(match value.resolve() {
        Val::Null => Json::Null,
        Val::Bool(value) => value.into(),
        Val::Int(value) => value.into(),
        Val::Uint(value) => value.into(),
        Val::Double(value) => serde_json::Number::from_f64(value)?.into(),
        Val::Str(text) => text.into(),
        Val::List(list) if list.rest.is_none() => {
            let items = list.items.iter().map(|item| json(*item, depth + 1));
            Json::Array(items.collect::<Option<_>>()?)
        }
        Val::Map(map) if map.rest.is_none() => {
            let entries = map.entries.iter().map(|(key, value)| {
                let Val::Str(key) = key.resolve() else {
                    return None;
                };
                Some((key.to_owned(), json(*value, depth + 1)?))
            });
            Json::Object(entries.collect::<Option<_>>()?)
        }
        Val::Node(node) => written(node, depth)?,
        _ => return None,
    })
}

fn written(node: Ref<'_>, depth: usize) -> Option<Json> {
    match node.view() {
        View::List(_) => {
            let items = node.items().map(|item| json(Val::Node(item), depth + 1));
            items.collect::<Option<_>>().map(Json::Array)
        }
        View::Map(_) => {
            let entries = node
                .entries()
                .map(|(key, _, value)| Some((key.to_owned(), json(Val::Node(value), depth + 1)?)));
            entries.collect::<Option<_>>().map(Json::Object)
        }
        _ => None,
    }
}
