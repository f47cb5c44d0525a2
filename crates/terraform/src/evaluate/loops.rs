//! `for` expressions, and what can be iterated.

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
        let mut entries: Vec<Entry<'a>> = Vec::new();
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
                    self.collect(&mut entries, entry, repeat.grouping)?;
                }
            }
        }
        if repeat.result_key.is_none() {
            return Ok(self.seq(Seq::Tuple, items, span));
        }
        entries.sort_by_key(|entry| entry.key);
        Ok(self.map(Map::Object, &entries, span))
    }

    pub(super) fn collect(
        &self,
        entries: &mut Vec<Entry<'a>>,
        entry: Entry<'a>,
        grouping: bool,
    ) -> Result<(), Fault<'a>> {
        let old = entries.iter_mut().find(|old| old.key == entry.key);
        match old {
            None if grouping => entries.push(Entry {
                value: self.seq(Seq::Tuple, vec![entry.value], entry.value.span),
                ..entry
            }),
            None => entries.push(entry),
            Some(old) if grouping => {
                let mut items = old.value.seq().unwrap_or_default().to_vec();
                items.push(entry.value);
                old.value = self.seq(Seq::Tuple, items, old.value.span);
            }
            Some(_) => {
                let message = format!("two items have the key `{}`", entry.key);
                return Err(self.fault(entry.key_span, message));
            }
        }
        Ok(())
    }
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
