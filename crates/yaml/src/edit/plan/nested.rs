//! Operations inside of values that earlier operations brought in. It leaves out what stands in
//! the text.

use crate::edit::refusal::Refusal;
use crate::edit::value::Value;
use crate::edit::{Step, route_text};

/// The value at the end of a route, with the maps on the way.
pub(super) fn nest(route: &[Step], from: usize, value: Value) -> Result<Value, Refusal> {
    let rest = route.get(from..).unwrap_or_default();
    rest.iter().rev().try_fold(value, |value, step| match step {
        Step::Key(key) => Ok(Value::Map(vec![(key.to_string(), value)])),
        Step::Index(_) => Err(Refusal::Missing(route_text(route))),
    })
}

pub(super) fn put_value(at: &mut Value, rest: &[Step], value: &Value, append: bool) -> Option<()> {
    let Some((step, rest)) = rest.split_first() else {
        if !append {
            *at = value.clone();
            return Some(());
        }
        return match at {
            Value::Null => {
                *at = Value::List(vec![value.clone()]);
                Some(())
            }
            Value::List(items) => {
                if !items.contains(value) {
                    items.push(value.clone());
                }
                Some(())
            }
            _ => None,
        };
    };
    if matches!((&*at, step), (Value::Null, Step::Key(_))) {
        *at = Value::Map(Vec::new());
    }
    match (at, step) {
        (Value::Map(entries), Step::Key(key)) => {
            let slot = match entries.iter().position(|(own, _)| **own == **key) {
                Some(slot) => slot,
                None => {
                    entries.push((key.to_string(), Value::Null));
                    entries.len() - 1
                }
            };
            put_value(&mut entries.get_mut(slot)?.1, rest, value, append)
        }
        (Value::List(items), Step::Index(index)) => {
            put_value(items.get_mut(*index)?, rest, value, append)
        }
        _ => None,
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(entries) => entries.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether something was removed; nothing if it cannot be.
pub(super) fn remove_value(at: &mut Value, rest: &[Step], prune: bool) -> Option<bool> {
    let (step, rest) = rest.split_first()?;
    match (at, step) {
        (Value::Map(entries), Step::Key(key)) => {
            let Some(slot) = entries.iter().position(|(own, _)| **own == **key) else {
                return Some(false);
            };
            if rest.is_empty() {
                entries.remove(slot);
                return Some(true);
            }
            let inner = &mut entries.get_mut(slot)?.1;
            let removed = remove_value(inner, rest, prune)?;
            if removed && prune && is_empty(inner) {
                entries.remove(slot);
            }
            Some(removed)
        }
        // An item's number would mean another one afterwards.
        (Value::List(_), Step::Index(_)) if rest.is_empty() => None,
        (Value::List(items), Step::Index(index)) => {
            let inner = items.get_mut(*index)?;
            let removed = remove_value(inner, rest, prune)?;
            (!(removed && prune && is_empty(inner))).then_some(removed)
        }
        _ => Some(false),
    }
}
