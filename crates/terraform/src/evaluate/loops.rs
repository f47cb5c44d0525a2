//! `for` expressions, and what can be iterated.

use std::collections::HashMap;

use bicep::source::Span;
use bicep::value::Shape;

use crate::engine::{Engine, Eval, Fault, Names, Scope};
use crate::syntax::For;
use crate::types;
use crate::value::{Data, Entry, Map, Seq, Val};

impl<'a> Engine<'a, '_> {
    pub(super) fn repeat(
        &mut self,
        scope: &Scope<'_, 'a>,
        repeat: &'a For<'a>,
        span: Span,
    ) -> Eval<'a> {
        let collection = self.eval(scope, &repeat.collection)?;
        let Some(pairs) = pairs(&collection) else {
            if collection.unknown().is_some() {
                let shape = match repeat.result_key {
                    Some(_) => Shape::Object,
                    None => Shape::Array,
                };
                return Ok(self.open_call("for", &[collection], shape, span));
            }
            return Err(self.fault(
                repeat.collection.span,
                "only lists and maps can be iterated",
            ));
        };
        let mut items = Vec::new();
        let mut collected = Collected::default();
        for (key, value) in pairs {
            let outer = Names {
                name: repeat.key.unwrap_or(""),
                value: key,
                up: scope.names,
            };
            let names = Names {
                name: repeat.value,
                value,
                up: Some(&outer),
            };
            let inner = Scope {
                names: Some(&names),
                ..*scope
            };
            if let Some(condition) = &repeat.condition {
                let holds = self.eval(&inner, condition)?;
                match types::to_bool(&holds) {
                    Some(Data::Bool(true)) => {}
                    Some(_) => continue,
                    None if holds.unknown().is_some() => {
                        let shape = match repeat.result_key {
                            Some(_) => Shape::Object,
                            None => Shape::Array,
                        };
                        return Ok(self.open_call("for", &[collection, holds], shape, span));
                    }
                    None => return Err(self.fault(condition.span, "`if` takes a boolean")),
                }
            }
            let result = self.eval(&inner, &repeat.result)?;
            match &repeat.result_key {
                None => items.push(result),
                Some(key) => {
                    let place = key.span;
                    let key = self.eval(&inner, key)?;
                    let entry = self.entry(&key, result, place)?;
                    self.collect(&mut collected, entry, repeat.grouping)?;
                }
            }
        }
        if repeat.result_key.is_none() {
            return Ok(self.seq(Seq::Tuple, items, span));
        }
        let mut entries = collected.entries;
        if repeat.grouping {
            for (entry, items) in entries.iter_mut().zip(collected.groups) {
                entry.value = self.seq(Seq::Tuple, items, entry.value.span);
            }
        }
        entries.sort_by_key(|entry| entry.key);
        Ok(self.map(Map::Object, &entries, span))
    }

    fn collect(
        &self,
        collected: &mut Collected<'a>,
        entry: Entry<'a>,
        grouping: bool,
    ) -> Result<(), Fault<'a>> {
        let known = collected.places.get(entry.key).copied();
        let Some(known) = known else {
            collected.places.insert(entry.key, collected.entries.len());
            if grouping {
                collected.groups.push(vec![entry.value]);
            }
            collected.entries.push(entry);
            return Ok(());
        };
        if grouping {
            if let Some(group) = collected.groups.get_mut(known) {
                group.push(entry.value);
            }
            return Ok(());
        }
        let old = collected.entries.get(known);
        let secret = old.and_then(|old| old.value.secret).or(entry.value.secret);
        let message = match secret {
            None => format!("two items have the key `{}`", entry.key),
            Some(_) => "two items have the same key".to_owned(),
        };
        Err(self.fault(entry.key_span, message))
    }
}

/// What a `for` with keys makes.
#[derive(Default)]
struct Collected<'a> {
    entries: Vec<Entry<'a>>,
    /// The items of each entry, when they are grouped.
    groups: Vec<Vec<Val<'a>>>,
    /// Where keys stand.
    places: HashMap<&'a str, usize>,
}

/// Keys and values of what can be iterated.
pub(crate) fn pairs<'a>(value: &Val<'a>) -> Option<Vec<(Val<'a>, Val<'a>)>> {
    match value.data {
        Data::Seq(Seq::Set, items) => Some(items.iter().map(|item| (*item, *item)).collect()),
        Data::Seq(_, items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let at = i64::try_from(at).unwrap_or(i64::MAX);
                    (Val::new(item.span, Data::Int(at)), *item)
                })
                .collect(),
        ),
        Data::Map(kind, entries) => {
            let mut pairs: Vec<&Entry<'a>> = entries.iter().collect();
            if kind == Map::Object {
                // Objects are iterated in the order of their keys as well.
                pairs.sort_by_key(|entry| entry.key);
            }
            Some(
                pairs
                    .into_iter()
                    .map(|entry| (entry.key_value(), entry.value))
                    .collect(),
            )
        }
        Data::Instance(instance) => Some(
            instance
                .fields
                .iter()
                .map(|entry| (entry.key_value(), entry.value))
                .collect(),
        ),
        _ => None,
    }
}
