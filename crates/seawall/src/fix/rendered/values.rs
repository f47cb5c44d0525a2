//! Values of rendered objects and of what they are rendered from: what is done to them, where one's place is in the
//! other. Values are as deep as `yaml` reads them, so recursion is bounded. It leaves out texts.

use model::remedy::{Act, Change, Step};
use yaml::edit::Value;

/// The entry of a map.
pub(crate) fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Map(entries) => entries.iter().find(|(own, _)| own == key),
        _ => None,
    }
    .map(|(_, value)| value)
}

pub(crate) fn string<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    match get(value, key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The entry of a map, made where there is none. What is no map becomes one.
pub(super) fn entry<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    if !matches!(value, Value::Map(_)) {
        *value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = value else {
        return value;
    };
    let at = match entries.iter().position(|(own, _)| own == key) {
        Some(at) => at,
        None => {
            entries.push((key.to_owned(), Value::Null));
            entries.len() - 1
        }
    };
    // The entry is there: it was found or made.
    #[expect(clippy::indexing_slicing, reason = "`at` was just found or made")]
    &mut entries[at].1
}

/// The value at the end of a way.
pub(super) fn at<'v>(value: &'v Value, way: &[Step]) -> Option<&'v Value> {
    way.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => get(value, key),
        Step::Index(index) => match value {
            Value::List(items) => items.get(*index),
            _ => None,
        },
    })
}

/// What a change writes; `None` for what takes away.
pub(super) fn written(act: &Act) -> Option<Value> {
    match act {
        Act::Set(text) | Act::Add(text) | Act::Replace { value: text, .. } => {
            Value::read(text).ok()
        }
        Act::Remove | Act::Wrap { .. } => None,
    }
}

/// Whether a value is as a change wants it. A switch that is gone is off.
pub(super) fn holds(value: &Value, change: &Change) -> bool {
    if change.removes_document() {
        return false;
    }
    let here = at(value, &change.at);
    match &change.act {
        Act::Set(_) => match (here, written(&change.act)) {
            (Some(here), Some(wanted)) => same(here, &wanted),
            (None, Some(wanted)) => wanted == Value::Bool(false),
            _ => false,
        },
        Act::Add(_) => match (here, written(&change.act)) {
            (Some(Value::List(items)), Some(wanted)) => {
                items.iter().any(|item| same(item, &wanted))
            }
            _ => false,
        },
        // What is rendered is not taken apart.
        Act::Wrap { .. } => false,
        Act::Remove => here.is_none_or(|here| matches!(here, Value::Null | Value::Bool(false))),
        Act::Replace { key, .. } => {
            let holder = change.at.split_last().map_or(&[][..], |(_, holder)| holder);
            let new = at(value, holder).and_then(|holder| get(holder, key));
            let own = matches!(change.at.last(), Some(Step::Key(own)) if own == key);
            (here.is_none() || own)
                && matches!((new, written(&change.act)), (Some(new), Some(wanted)) if same(new, &wanted))
        }
    }
}

/// Whether two values are the same whatever the order of keys.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    let mut found = other.iter().filter(|(own, _)| own == key);
                    found.any(|(_, other)| same(value, other))
                })
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// A value with changes made: what a rendering should become.
pub(super) fn applied(value: &Value, changes: &[Change]) -> Value {
    let mut value = value.clone();
    for change in changes {
        apply(&mut value, &change.at, &change.act);
    }
    value
}

fn apply(value: &mut Value, way: &[Step], act: &Act) {
    match way {
        [] => match (act, written(act)) {
            (Act::Set(_), Some(new)) => *value = new,
            (Act::Add(_), Some(new)) => match value {
                Value::List(items) => {
                    if !items.iter().any(|item| same(item, &new)) {
                        items.push(new);
                    }
                }
                other => *other = Value::List(vec![new]),
            },
            _ => {}
        },
        [Step::Key(key)] if matches!(act, Act::Remove | Act::Replace { .. }) => {
            if let Value::Map(entries) = value {
                entries.retain(|(own, _)| **own != **key);
            }
            if let (Act::Replace { key, .. }, Some(new)) = (act, written(act)) {
                *entry(value, key) = new;
            }
        }
        [Step::Index(index)] if matches!(act, Act::Remove) => {
            if let Value::List(items) = value
                && *index < items.len()
            {
                items.remove(*index);
            }
        }
        [Step::Key(key), rest @ ..] => apply(entry(value, key), rest, act),
        [Step::Index(index), rest @ ..] => {
            if let Value::List(items) = value
                && let Some(item) = items.get_mut(*index)
            {
                apply(item, rest, act);
            }
        }
    }
}

/// The way in `source` to what stands at `way` in `rendered`: keys are the same, items of lists are found by what
/// they say. Where the source ends, keys go on. `None` when an item has no match.
pub(super) fn mapped(rendered: &Value, source: &Value, way: &[Step]) -> Option<Vec<Step>> {
    let (mut rendered, mut source) = (Some(rendered), Some(source));
    let mut out = Vec::with_capacity(way.len());
    for step in way {
        match step {
            Step::Key(key) => {
                // What stands there and is no map cannot hold the key.
                if source.is_some_and(|source| !matches!(source, Value::Map(_) | Value::Null)) {
                    return None;
                }
                rendered = rendered.and_then(|value| get(value, key));
                source = source.and_then(|value| get(value, key));
                out.push(step.clone());
            }
            Step::Index(index) => {
                let (Some(Value::List(all)), Some(Value::List(own))) = (rendered, source) else {
                    return None;
                };
                let item = all.get(*index)?;
                let found = item_like(item, *index, all.len(), own)?;
                rendered = Some(item);
                source = own.get(found);
                out.push(Step::Index(found));
            }
        }
    }
    Some(out)
}

/// Keys that tell the items of Kubernetes' lists apart (`x-kubernetes-list-map-keys`, patch merge keys).
const IDENTITIES: [&str; 7] = [
    "name",
    "containerPort",
    "port",
    "mountPath",
    "key",
    "devicePath",
    "ip",
];

/// The entry of a list's item that tells it from others.
pub(super) fn identity(item: &Value) -> Option<(&'static str, &Value)> {
    IDENTITIES
        .iter()
        .find_map(|key| get(item, key).map(|value| (*key, value)))
}

/// The item of a source's list that a rendered item was made from.
fn item_like(item: &Value, index: usize, count: usize, own: &[Value]) -> Option<usize> {
    for key in IDENTITIES {
        let Some(identity) = get(item, key) else {
            continue;
        };
        let mut alike = own
            .iter()
            .enumerate()
            .filter(|(_, other)| get(other, key) == Some(identity));
        if let (Some((found, _)), None) = (alike.next(), alike.next()) {
            return Some(found);
        }
        // A name may be made when it is rendered, of one item in a loop perhaps; any other name is another item.
        let mut open = own
            .iter()
            .enumerate()
            .filter(|(_, other)| string(other, key).is_some_and(|text| text.contains(MASKED)));
        match (open.next(), open.next()) {
            (Some((found, _)), None) => return Some(found),
            (Some(_), Some(_)) => break,
            (None, _) => {}
        }
        if own.iter().any(|other| get(other, key).is_some()) {
            return None;
        }
    }
    if let Some(found) = own.iter().position(|other| same(item, other)) {
        return Some(found);
    }
    (own.len() == count && index < own.len())
        .then_some(index)
        .or_else(|| (own.len() == 1).then_some(0))
}

/// What stands in a template's text, read as YAML, where an action was.
pub(crate) const MASKED: &str = "____";

/// A strategic merge patch that makes changes of a rendered object; `None` where none can say them.
pub(super) fn patch(rendered: &Value, changes: &[Change]) -> Option<Value> {
    // <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/>
    if changes.iter().any(Change::removes_document) {
        let delete = Value::String("delete".to_owned());
        return Some(Value::Map(vec![("$patch".to_owned(), delete)]));
    }
    let mut patch = Value::Map(Vec::new());
    for change in changes {
        let mut here = Some(rendered);
        let mut at = &mut patch;
        let last = change.at.last()?;
        for (number, step) in change.at.iter().enumerate() {
            let is_last = number + 1 == change.at.len();
            if is_last && matches!(change.act, Act::Remove | Act::Replace { .. }) {
                break;
            }
            match step {
                Step::Key(key) => {
                    here = here.and_then(|value| get(value, key));
                    at = entry(at, key);
                }
                Step::Index(index) => {
                    let Some(Value::List(items)) = here else {
                        return None;
                    };
                    let item = items.get(*index)?;
                    at = item_of(at, identity(item)?)?;
                    here = Some(item);
                }
            }
        }
        match &change.act {
            Act::Set(_) => *at = written(&change.act)?,
            Act::Add(_) => {
                // A list of plain values is replaced whole.
                let mut items = match here {
                    Some(Value::List(items)) => items.clone(),
                    None | Some(Value::Null) => Vec::new(),
                    Some(_) => return None,
                };
                let new = written(&change.act)?;
                if matches!(new, Value::Map(_)) && identity(&new).is_some() {
                    items.clear();
                }
                items.push(new);
                *at = Value::List(items);
            }
            Act::Wrap { .. } => return None,
            Act::Remove => {
                let Step::Key(key) = last else { return None };
                *entry(at, key) = Value::Null;
            }
            Act::Replace { key, .. } => {
                let Step::Key(old) = last else { return None };
                *entry(at, old) = Value::Null;
                *entry(at, key) = written(&change.act)?;
            }
        }
    }
    Some(patch)
}

/// The item of a patch's list with this identity, made where there is none.
fn item_of<'v>(list: &'v mut Value, (key, value): (&str, &Value)) -> Option<&'v mut Value> {
    if !matches!(list, Value::List(_)) {
        *list = Value::List(Vec::new());
    }
    let Value::List(items) = list else {
        return None;
    };
    let found = items.iter().position(|item| get(item, key) == Some(value));
    let at = found.unwrap_or_else(|| {
        items.push(Value::Map(vec![(key.to_owned(), value.clone())]));
        items.len() - 1
    });
    items.get_mut(at)
}

/// Two patches of one object as one.
pub(crate) fn merge(into: &mut Value, other: &Value) {
    match (into, other) {
        (Value::Map(own), Value::Map(entries)) => {
            for (key, value) in entries {
                match own.iter_mut().find(|(other, _)| other == key) {
                    Some((_, own)) => merge(own, value),
                    None => own.push((key.clone(), value.clone())),
                }
            }
        }
        (list @ Value::List(_), Value::List(items)) => {
            for item in items {
                if let Some(name) = identity(item) {
                    if let Some(own) = item_of(list, name) {
                        merge(own, item);
                    }
                } else if let Value::List(own) = list
                    && !own.contains(item)
                {
                    own.push(item.clone());
                }
            }
        }
        (own, other) => *own = other.clone(),
    }
}

/// A value as JSON, which is YAML in flow style.
pub(crate) fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::from),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use model::remedy::{Act, Change, Step};
    use yaml::edit::Value;

    use super::{applied, holds, mapped, merge, patch, same};

    fn read(text: &str) -> Value {
        Value::read(text).unwrap()
    }

    fn way(steps: &str) -> Vec<Step> {
        let step = |step: &str| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(step.into()),
        };
        steps.split('.').map(step).collect()
    }

    fn change(at: &str, act: Act) -> Change {
        Change {
            at: way(at),
            act,
            written: Vec::new(),
        }
    }

    const RENDERED: &str = "{spec: {containers: [{name: side, image: a}, {name: web, image: b, ports: [{containerPort: 80, hostPort: 80}]}]}}";

    #[test]
    fn items_are_found_by_what_they_say() {
        let rendered = read(RENDERED);
        let at = |source: &str, steps: &str| mapped(&rendered, &read(source), &way(steps));
        let web = "spec.containers.1.securityContext.privileged";
        assert_eq!(
            at("{spec: {containers: [{name: web}]}}", web),
            Some(way("spec.containers.0.securityContext.privileged"))
        );
        // Another item is none of it, even where it stands at the same place.
        assert_eq!(
            at("{spec: {containers: [{name: x}, {name: y}]}}", web),
            None
        );
        assert_eq!(at("{spec: {}}", web), None);
        assert_eq!(at("{spec: text}", web), None);
        // The item of a loop has no name yet.
        assert_eq!(
            at("{spec: {containers: [{name: x}, {name: ______}]}}", web),
            Some(way("spec.containers.1.securityContext.privileged"))
        );
        assert_eq!(
            at(
                "{spec: {containers: [{name: web, ports: [{containerPort: 1}, {containerPort: 80}]}]}}",
                "spec.containers.1.ports.0.hostPort"
            ),
            Some(way("spec.containers.0.ports.1.hostPort"))
        );
    }

    #[test]
    fn a_patch_says_what_changes_and_no_more() {
        let rendered = read(RENDERED);
        let privileged = change(
            "spec.containers.1.securityContext.privileged",
            Act::Set("false".into()),
        );
        let port = change("spec.containers.1.ports.0.hostPort", Act::Remove);
        let drop = change(
            "spec.containers.0.securityContext.capabilities.drop",
            Act::Add("ALL".into()),
        );
        let mut all = patch(&rendered, &[privileged.clone(), port.clone()]).unwrap();
        merge(
            &mut all,
            &patch(&rendered, std::slice::from_ref(&drop)).unwrap(),
        );
        let wanted = "{spec: {containers: [
            {name: web, securityContext: {privileged: false}, ports: [{containerPort: 80, hostPort: null}]},
            {name: side, securityContext: {capabilities: {drop: [ALL]}}}]}}";
        assert!(same(&all, &read(wanted)), "{all:?}");
        let after = applied(&rendered, &[privileged.clone(), port.clone(), drop.clone()]);
        for change in [&privileged, &port, &drop] {
            assert!(!holds(&rendered, change) || change == &privileged);
            assert!(holds(&after, change));
        }
        // What has no name cannot be patched.
        let nameless = read("{spec: {containers: [{image: a}]}}");
        let change = change("spec.containers.0.image", Act::Set("b".into()));
        assert_eq!(patch(&nameless, &[change]), None);
    }
}
