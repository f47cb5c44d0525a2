//! Builds objects whose keys are distinct whatever their case.

use std::collections::HashMap;

use bumpalo::Bump;

use crate::source::Span;
use crate::value::{Field, Value};

/// From how many keys on they are looked up by hash.
const MANY: usize = 24;

/// An object that is being built, in the order in which its keys come first.
pub(crate) struct Fields<'a> {
    fields: bumpalo::collections::Vec<'a, Field<'a>>,
    index: Option<HashMap<String, usize>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bump: &'a Bump, capacity: usize) -> Self {
        Self {
            fields: bumpalo::collections::Vec::with_capacity_in(capacity, bump),
            index: None,
        }
    }

    pub(crate) fn of(bump: &'a Bump, fields: &[Field<'a>]) -> Self {
        let mut new = Self::new(bump, fields.len() + 4);
        new.fields.extend_from_slice(fields);
        new.reindex();
        new
    }

    fn reindex(&mut self) {
        if self.fields.len() >= MANY && self.index.is_none() {
            let keys = self.fields.iter().enumerate();
            self.index = Some(
                keys.map(|(at, field)| (field.key.to_ascii_lowercase(), at))
                    .collect(),
            );
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&key.to_ascii_lowercase()).copied(),
            None => self
                .fields
                .iter()
                .position(|field| field.key.eq_ignore_ascii_case(key)),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.position(key)
            .and_then(|at| self.fields.get(at))
            .map(|field| &field.value)
    }

    /// Sets a key; the last value of a key that repeats counts.
    pub(crate) fn put(&mut self, key: &'a str, key_span: Span, value: Value<'a>) {
        match self.position(key) {
            Some(at) => {
                if let Some(field) = self.fields.get_mut(at) {
                    field.value = value;
                    field.key_span = key_span;
                }
            }
            None => {
                if let Some(index) = &mut self.index {
                    index.insert(key.to_ascii_lowercase(), self.fields.len());
                }
                self.fields.push(Field {
                    key,
                    key_span,
                    value,
                });
                self.reindex();
            }
        }
    }

    pub(crate) fn finish(self) -> &'a [Field<'a>] {
        self.fields.into_bump_slice()
    }
}
