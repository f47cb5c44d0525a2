//! From a guideline's fix to the changes that cure one finding.

use cel::{Node as _, Val, View};
use model::remedy::{Act, Change, NewObject, Remedy, Step, Written};
use model::{Ref, Resource};
use serde_json::Value as Json;
use yaml::{Span, edit};

use crate::beside::Ask;
use crate::context::Value;
use crate::fix::{Fix, Given, New, Operation, Route};

/// Values deeper than this are none that a fix makes.
const DEPTH: usize = 32;

/// What a fix does to the document of a resource and which objects it puts beside it; `None` where there is nothing
/// that it can do: what it changes is not there, or stands in another document. `eval` computes values.
pub(crate) fn of<'a>(
    fix: &'a Fix,
    ask: &Ask<'a>,
    item: Option<Value<'a>>,
    mut eval: impl FnMut(&'a cel::Program) -> Value<'a>,
) -> Option<Remedy> {
    let resource = ask.resource;
    // What others only name has no document to change.
    if resource.implied && !fix.operations.is_empty() {
        return None;
    }
    if let Some(when) = &fix.when
        && !matches!(eval(when).resolve(), Val::Bool(true))
    {
        return None;
    }
    let refused = |why: Box<str>| Remedy {
        safety: fix.safety,
        origin: resource.origin.clone(),
        changes: Vec::new(),
        new: Vec::new(),
        refused: Some(why),
    };
    if let Some((unless, why)) = &fix.unless
        && matches!(eval(unless).resolve(), Val::Bool(true))
    {
        return Some(refused(why.clone()));
    }
    let mut changes = Vec::new();
    for operation in &fix.operations {
        let mut given = |given: &'a Given| -> Option<Box<str>> {
            match given {
                Given::Written(text) => Some(text.clone()),
                Given::Computed(program, _) => {
                    Some(json(eval(program), 0)?.to_string().into_boxed_str())
                }
            }
        };
        let (route, act) = match operation {
            Operation::Set { route, value } => (route, Act::Set(given(value)?)),
            Operation::Add { route, value } => (route, Act::Add(given(value)?)),
            Operation::Remove { route } => (route, Act::Remove),
            Operation::Replace { route, key, value } => (
                route,
                Act::Replace {
                    key: key.clone(),
                    value: value.clone(),
                },
            ),
        };
        let (mut at, root) = start(&route.root, resource, item)?;
        let takes_away = matches!(act, Act::Remove | Act::Replace { .. });
        if takes_away && !is_there(root, route) {
            continue;
        }
        at.extend(route.keys.iter().cloned().map(Step::Key));
        let written = if resource.azure.is_some() {
            places(resource, &at)
        } else {
            Vec::new()
        };
        changes.push(Change { at, act, written });
    }
    let mut remedy = Remedy {
        safety: fix.safety,
        origin: resource.origin.clone(),
        changes,
        new: Vec::new(),
        refused: None,
    };
    for new in &fix.new {
        match new {
            New::Written(object) => {
                let made = object.filled(&mut eval)?;
                if let Some(why) = exists(ask, &made) {
                    return Some(refused(why));
                }
                remedy.new.push(made);
            }
            New::From(writer) => match (writer.write)(ask) {
                Ok(made) => remedy.new.extend(made),
                Err(why) => return Some(refused(why)),
            },
        }
    }
    (!remedy.changes.is_empty() || !remedy.new.is_empty()).then_some(remedy)
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
    })
}

/// The way to a root of routes, and its value where there is one.
fn start<'a>(
    root: &str,
    resource: &'a Resource,
    item: Option<Value<'a>>,
) -> Option<(Vec<Step>, Option<Ref<'a>>)> {
    let object = resource.object();
    // A template's document has no way to its resources: it starts at each.
    let document = if resource.azure.is_some() {
        object
    } else {
        resource.doc.root()
    };
    let below = |holder: Ref<'a>, key: &str| {
        let mut at = document.way_to(holder)?;
        at.push(Step::Key(key.into()));
        Some((at, holder.get(key)))
    };
    match root {
        "object" | "resource" => Some((document.way_to(object)?, Some(object))),
        "pod" => below(resource.pod_holder()?, "spec"),
        "podMetadata" => below(resource.pod_holder()?, "metadata"),
        _ => {
            let node = item?.as_node()?;
            std::ptr::eq(node.doc, &*resource.doc).then_some(())?;
            Some((document.way_to(node)?, Some(node)))
        }
    }
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

fn is_there(root: Option<Ref<'_>>, route: &Route) -> bool {
    route
        .keys
        .iter()
        .try_fold(root, |at, key| at.map(|at| at.get(key)))
        .flatten()
        .is_some()
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
