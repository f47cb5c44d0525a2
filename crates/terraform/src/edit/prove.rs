//! Whether edits did what they should, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use bicep::deployment::Resource;
use bicep::value::{Data, Value};
use yaml::edit::{self, Operation, Step};

use super::{Done, State, Wanted};
use crate::arm::tree_words;

/// Values deeper than this are compared by their words.
const DEPTH: usize = 64;

/// Which properties may be others than before: types in lower case, and the keys that lead there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed(Vec<(String, Vec<String>)>);

impl Allowed {
    pub(crate) fn add(&mut self, kind: &str, keys: Vec<String>) {
        self.0.push((kind.to_ascii_lowercase(), keys));
    }

    fn covers(&self, kind: &str, path: &[String]) -> bool {
        self.0.iter().any(|(of, keys)| {
            of.eq_ignore_ascii_case(kind)
                && path.len().min(keys.len()) > 0
                && path.iter().zip(keys).all(|(one, other)| one == other)
        })
    }
}

/// The keys of a route in lower case; items of lists stand for all of them.
pub(crate) fn keys(route: &[Step]) -> Vec<String> {
    route
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.to_ascii_lowercase()),
            Step::Index(_) => None,
        })
        .collect()
}

/// Whether a resource is as wanted.
pub(crate) fn holds(state: &State<'_>, wanted: &Wanted<'_>) -> Done {
    let lost = || "the resource would be another one after it".to_owned();
    let at = state.meant(wanted).ok_or_else(lost)?;
    let resource = state.mapped.resources.get(at).ok_or_else(lost)?;
    for operation in wanted.operations {
        let found = at_route(&resource.body, operation.route());
        let (right, want) = match operation {
            Operation::Set { value, .. } => (
                found.is_some_and(|found| covers(found, value, 0)),
                super::reverse::shown(value),
            ),
            Operation::Add { value, .. } => (
                found.is_some_and(|found| found.items().iter().any(|item| covers(item, value, 0))),
                super::reverse::shown(value),
            ),
            // The next item stands there then.
            Operation::Remove { route, .. } if matches!(route.last(), Some(Step::Index(_))) => {
                (true, String::new())
            }
            Operation::Remove { .. } => (
                found.is_none_or(|found| is_unsaid(found, 0)),
                "nothing".to_owned(),
            ),
            _ => (true, String::new()),
        };
        if !right {
            let is = found.map_or_else(|| "nothing".to_owned(), tree_words);
            return Err(format!(
                "`{}` would be {is} and not {want} after it",
                super::route_text(operation.route())
            ));
        }
    }
    Ok(())
}

pub(crate) fn at_route<'v, 'a>(body: &'v Value<'a>, route: &[Step]) -> Option<&'v Value<'a>> {
    route.iter().try_fold(body, |value, step| match step {
        Step::Key(key) => value
            .fields()
            .iter()
            .find(|field| field.key.eq_ignore_ascii_case(key))
            .map(|field| &field.value),
        Step::Index(at) => value.items().get(*at),
    })
}

/// Whether nobody wrote any of it: what azurerm sends by itself has no length.
fn is_unsaid(value: &Value<'_>, depth: usize) -> bool {
    match value.data {
        Data::Null => true,
        Data::Object(fields) if depth < DEPTH => fields
            .iter()
            .all(|field| is_unsaid(&field.value, depth + 1)),
        _ => value.span.start == value.span.end,
    }
}

/// Whether a value says all that another says.
pub(crate) fn covers(found: &Value<'_>, wanted: &edit::Value, depth: usize) -> bool {
    match (found.data, wanted) {
        _ if depth > DEPTH => false,
        (Data::Bool(one), edit::Value::Bool(other)) => one == *other,
        (Data::Int(one), edit::Value::Int(other)) => one == *other,
        (Data::Float(one), edit::Value::Float(other)) => one == *other,
        (Data::Str(one), edit::Value::String(other)) => one.eq_ignore_ascii_case(other),
        (Data::Array(items), edit::Value::List(wanted)) => {
            items.len() == wanted.len()
                && items
                    .iter()
                    .zip(wanted)
                    .all(|(one, other)| covers(one, other, depth + 1))
        }
        (Data::Object(_), edit::Value::Map(wanted)) => wanted.iter().all(|(key, wanted)| {
            let field = found
                .fields()
                .iter()
                .find(|field| field.key.eq_ignore_ascii_case(key));
            field.is_some_and(|field| covers(&field.value, wanted, depth + 1))
        }),
        (Data::Null, edit::Value::Null) => true,
        _ => false,
    }
}

/// A resource that is added.
#[derive(Debug)]
pub(crate) struct New<'n> {
    pub(crate) kind: &'n str,
    /// What its body says, property by property, but for references.
    pub(crate) body: Vec<(Vec<Step>, edit::Value)>,
}

/// Whether there is one resource more, as wanted, and nothing else changed.
pub(crate) fn added(before: &State<'_>, after: &State<'_>, wanted: &New<'_>) -> Done {
    let ids: BTreeSet<&str> = before.mapped.resources.iter().map(|one| one.id).collect();
    let new: Vec<usize> = after
        .mapped
        .resources
        .iter()
        .enumerate()
        .filter(|(_, one)| !ids.contains(one.id))
        .map(|(at, _)| at)
        .collect();
    let [at] = new.as_slice() else {
        return Err("the resource would not be made by it alone".to_owned());
    };
    let made = after.mapped.resources.get(*at);
    let made = made.filter(|made| made.kind.eq_ignore_ascii_case(wanted.kind));
    let made = made.ok_or("another resource would be made by it")?;
    for (route, value) in &wanted.body {
        let found = at_route(&made.body, route);
        if !found.is_some_and(|found| covers(found, value, 0)) {
            return Err(format!(
                "`{}` of the new resource would not be {}",
                super::route_text(route),
                super::reverse::shown(value)
            ));
        }
    }
    others_same(before, after, &Allowed::default(), Some(*at))
}

/// Whether nothing changed but what may.
pub(crate) fn same(before: &State<'_>, after: &State<'_>, allowed: &Allowed) -> Done {
    others_same(before, after, allowed, None)
}

/// The same, where one resource is new.
fn others_same(
    before: &State<'_>,
    after: &State<'_>,
    allowed: &Allowed,
    new: Option<usize>,
) -> Done {
    let old = || {
        let all = after.mapped.resources.iter().enumerate();
        all.filter(move |(at, _)| Some(*at) != new)
            .map(|(_, resource)| resource)
    };
    let names = |one: &Resource<'_>| (one.id.to_owned(), one.kind.to_owned());
    if !before
        .mapped
        .resources
        .iter()
        .map(names)
        .eq(old().map(names))
    {
        return Err("other resources would be made after it".to_owned());
    }
    if after.reading.problems.len() > before.reading.problems.len() {
        return Err("it could not be evaluated after it".to_owned());
    }
    let pairs = before.mapped.resources.iter().zip(old());
    for (old, new) in pairs {
        let (old_ends, new_ends) = (ends(&old.body), ends(&new.body));
        let all = old_ends.iter().chain(&new_ends);
        for (path, _) in all {
            if old_ends.get(path) == new_ends.get(path) {
                continue;
            }
            let keys: Vec<String> = path
                .iter()
                .filter(|key| !key.starts_with('['))
                .cloned()
                .collect();
            if !allowed.covers(new.kind, &keys) {
                return Err(format!(
                    "`{}` of {} `{}` would change too",
                    keys.join("."),
                    new.kind,
                    new.name
                ));
            }
        }
    }
    Ok(())
}

/// The ends of a value by the keys that lead to them, in words.
fn ends(value: &Value<'_>) -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = vec![(Vec::new(), *value)];
    while let Some((path, value)) = rest.pop() {
        let deeper = |key: String| {
            let mut path = path.clone();
            path.push(key);
            path
        };
        match value.data {
            Data::Object(fields) if !fields.is_empty() && path.len() < DEPTH => {
                for field in fields {
                    rest.push((deeper(field.key.to_ascii_lowercase()), field.value));
                }
            }
            Data::Array(items) if !items.is_empty() && path.len() < DEPTH => {
                for (at, item) in items.iter().enumerate() {
                    rest.push((deeper(format!("[{at}]")), *item));
                }
            }
            _ => {
                found.insert(path, tree_words(&value));
            }
        }
    }
    found
}
