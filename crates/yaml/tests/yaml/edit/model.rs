//! What operations mean, told once more over JSON values: the engine's own telling is proved
//! against this one.

use serde_json::{Map, Value as Json};
use yaml::edit::{Operation, Step, Value};

/// An item that was removed; the others keep their number until the end.
const GONE: &str = "\u{1}gone";

pub(crate) fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(v) => (*v).into(),
        Value::Int(v) => (*v).into(),
        Value::Uint(v) => (*v).into(),
        Value::Float(v) => (*v).into(),
        Value::String(v) => v.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), json(v)));
            Json::Object(entries.collect())
        }
    }
}

pub(crate) fn step<'j>(at: &'j Json, step: &Step) -> Option<&'j Json> {
    match step {
        Step::Key(key) => at.get(&**key),
        Step::Index(index) => at.get(*index),
    }
}

fn descend<'j>(root: &'j mut Json, route: &[Step]) -> &'j mut Json {
    let mut at = root;
    for step in route {
        if at.is_null() {
            *at = Json::Object(Map::new());
        }
        at = match step {
            Step::Key(key) => &mut at[&**key],
            Step::Index(index) => &mut at[*index],
        };
    }
    at
}

fn exists(root: &Json, route: &[Step]) -> bool {
    route.iter().try_fold(root, step).is_some()
}

fn take(root: &mut Json, route: &[Step]) {
    let (last, parents) = route.split_last().unwrap();
    match (descend(root, parents), last) {
        (Json::Object(entries), Step::Key(key)) => {
            entries.remove(&**key);
        }
        (Json::Array(items), Step::Index(index)) => items[*index] = GONE.into(),
        (at, _) => panic!("{at}"),
    }
}

fn emptied(at: &Json) -> bool {
    match at {
        Json::Object(entries) => entries.is_empty(),
        Json::Array(items) => items.iter().all(|item| item == GONE),
        _ => false,
    }
}

pub(crate) fn apply(root: &mut Json, operations: &[Operation]) {
    for operation in operations {
        let route = operation.route();
        match operation {
            Operation::Set { value, .. } => *descend(root, route) = json(value),
            Operation::Add { value, .. } => {
                let at = descend(root, route);
                if at.is_null() {
                    *at = Json::Array(Vec::new());
                }
                let Json::Array(items) = at else {
                    panic!("{operations:?}: {at}");
                };
                let value = json(value);
                if !items.iter().any(|item| same(item, &value)) {
                    items.push(value);
                }
            }
            Operation::Remove { prune, .. } => {
                let mut route = route;
                if !exists(root, route) {
                    continue;
                }
                take(root, route);
                while *prune && route.len() > 1 {
                    route = &route[..route.len() - 1];
                    if !emptied(descend(root, route)) {
                        break;
                    }
                    take(root, route);
                }
            }
            Operation::Rename { key, .. } => rename(root, route, key, None),
            Operation::Replace { key, value, .. } => rename(root, route, key, Some(value)),
            Operation::Nest { .. } => panic!("random edits take nothing apart"),
        }
    }
    strip(root);
}

fn rename(root: &mut Json, route: &[Step], key: &str, value: Option<&Value>) {
    let Some((Step::Key(old), parents)) = route.split_last() else {
        panic!("{route:?}");
    };
    let Json::Object(entries) = descend(root, parents) else {
        panic!("{route:?} in {root}");
    };
    if let Some(before) = entries.remove(&**old) {
        entries.insert(key.to_owned(), value.map_or(before, json));
    }
}

fn strip(at: &mut Json) {
    match at {
        Json::Object(entries) => entries.values_mut().for_each(strip),
        Json::Array(items) => {
            items.retain(|item| item != GONE);
            items.iter_mut().for_each(strip);
        }
        _ => {}
    }
}

/// Whether two values are the same; numbers by what they are, not how they are written.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Json::Array(x), Json::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, a)| y.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
