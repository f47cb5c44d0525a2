//! Reading: fields, keys, indices, presence, and the same through optionals.

use super::{Machine, Tri, equal, same};
use crate::error::ErrorKind;
use crate::partial::differ;
use crate::val::{Entries, Seq};
use crate::{Key, Node, Slot, Span, Unknown, Val, View};

/// What looking something up found.
pub(crate) enum Found<'a, N: Node<'a>> {
    Here(Val<'a, N>),
    Absent,
    Unknown(Unknown),
    /// not something to look into
    NoMap,
}

impl<'a, N: Node<'a>> Val<'a, N> {
    /// Why it is unknown whether this value, which was found, is there at all.
    #[inline]
    fn doubt(self) -> Option<Unknown> {
        match self {
            Val::Unknown(u) => Some(u),
            Val::Node(n) if !n.certain() => match n.view() {
                View::Unknown(u) => Some(u),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<'a, N: Node<'a>> Machine<'_, 'a, N> {
    /// Looks a field up. `key` is the same name with its symbol, when known at compile time.
    #[inline]
    pub(crate) fn lookup(&self, base: Val<'a, N>, name: &str, key: Option<&Key>) -> Found<'a, N> {
        match base {
            Val::Node(n) => {
                let found = match key {
                    Some(key) => n.field(key),
                    None => n.field_named(name),
                };
                match found {
                    Some(v) => Found::Here(Val::Node(v)),
                    None => match n.view() {
                        View::Map(_) => match n.rest() {
                            Some(u) => Found::Unknown(u),
                            None => Found::Absent,
                        },
                        View::Unknown(u) => Found::Unknown(u),
                        _ => Found::NoMap,
                    },
                }
            }
            Val::Map(m) => {
                let hit = m
                    .entries
                    .iter()
                    .find(|(k, _)| matches!(k, Val::Str(s) if *s == name));
                match (hit, m.rest) {
                    (Some((_, v)), _) => Found::Here(*v),
                    (None, Some(u)) => Found::Unknown(u),
                    (None, None) => Found::Absent,
                }
            }
            Val::Host(h) => match h.field(name, self.bump) {
                Some(Val::Error(e)) if e.kind == ErrorKind::Absent => Found::Absent,
                Some(v) => Found::Here(v),
                None => Found::Absent,
            },
            Val::Unknown(u) => Found::Unknown(u),
            Val::Partial(p) => Found::Unknown(p.why),
            _ => Found::NoMap,
        }
    }

    #[inline]
    pub(super) fn field(&self, base: Val<'a, N>, key: &Key, span: Span) -> Val<'a, N> {
        match self.lookup(base, &key.text, Some(key)) {
            Found::Here(v) => v,
            Found::Unknown(u) => Val::Unknown(u),
            Found::Absent => self.fail(ErrorKind::NoSuchKey, &key.text, span),
            Found::NoMap => match base {
                Val::Error(_) => base,
                Val::Optional(None) => base,
                Val::Optional(Some(inner)) => match inner.resolve() {
                    Val::Map(_) | Val::Node(_) | Val::Host(_) | Val::Optional(_) => {
                        self.opt_field(base, &key.text, Some(key), span)
                    }
                    bad if bad.is_bad() => bad,
                    _ => self.overload(".", span),
                },
                _ => self.overload(".", span),
            },
        }
    }

    pub(super) fn index_key(&self, base: Val<'a, N>, key: &Key, span: Span) -> Val<'a, N> {
        match self.lookup(base, &key.text, Some(key)) {
            Found::Here(v) => v,
            Found::Unknown(u) => Val::Unknown(u),
            Found::Absent => self.fail(ErrorKind::NoSuchKey, &key.text, span),
            Found::NoMap => match base {
                Val::Error(_) => base,
                Val::Optional(_) => {
                    self.opt_index(base, Val::Str(self.bump.alloc_str(&key.text)), span)
                }
                _ => self.overload("[]", span),
            },
        }
    }

    #[inline]
    pub(super) fn has(&self, base: Val<'a, N>, key: &Key, span: Span) -> Val<'a, N> {
        match self.lookup(base, &key.text, Some(key)) {
            Found::Here(v) => v.doubt().map_or(Val::Bool(true), Val::Unknown),
            Found::Absent => Val::Bool(false),
            Found::Unknown(u) => Val::Unknown(u),
            Found::NoMap => match base {
                Val::Error(_) => base,
                Val::Optional(Some(inner)) => self.has(*inner, key, span),
                Val::Optional(None) => Val::Bool(false),
                _ if Seq::of(base).is_some() => self.overload("has", span),
                // cel-go: what has no fields has not this one.
                _ => Val::Bool(false),
            },
        }
    }

    pub(super) fn has_var(&self, slot: Slot) -> Val<'a, N> {
        let v = self.scope.variable(slot);
        match v.resolve() {
            Val::Error(e) if e.kind == ErrorKind::Absent => Val::Bool(false),
            r if r.is_bad() && v.partial().is_none() => r,
            _ => Val::Bool(true),
        }
    }

    pub(super) fn opt_var(&self, slot: Slot) -> Val<'a, N> {
        let v = self.scope.variable(slot);
        match v.resolve() {
            Val::Error(e) if e.kind == ErrorKind::Absent => Val::Optional(None),
            r if r.is_bad() && v.partial().is_none() => r,
            _ => self.some(v),
        }
    }

    pub(crate) fn some(&self, v: Val<'a, N>) -> Val<'a, N> {
        Val::Optional(Some(self.bump.alloc(v)))
    }

    /// `base.?name`
    pub(super) fn opt_field(
        &self,
        base: Val<'a, N>,
        name: &str,
        key: Option<&Key>,
        span: Span,
    ) -> Val<'a, N> {
        self.budget.charge(1);
        match base.resolve() {
            Val::Optional(None) => return Val::Optional(None),
            Val::Optional(Some(inner)) => return self.opt_field(*inner, name, key, span),
            Val::Error(e) if e.kind == ErrorKind::Absent => return Val::Optional(None),
            Val::Error(_) => return base,
            _ => {}
        }
        match self.lookup(base, name, key) {
            Found::Here(v) => v.doubt().map_or_else(|| self.some(v), Val::Unknown),
            Found::Absent => Val::Optional(None),
            Found::Unknown(u) => Val::Unknown(u),
            Found::NoMap if Seq::of(base).is_some() => self.overload(".?", span),
            // What has no fields has not this one, as in cel-go.
            Found::NoMap => Val::Optional(None),
        }
    }

    /// `base[index]`; both resolved.
    pub(super) fn index(&self, base: Val<'a, N>, index: Val<'a, N>, span: Span) -> Val<'a, N> {
        self.budget.charge(1);
        if base.is_bad() {
            return base;
        }
        if let Val::Optional(_) = base {
            return self.opt_index(base, index, span);
        }
        if index.is_bad() {
            return index;
        }
        match self.find(base, index) {
            Found::Here(v) => v,
            Found::Unknown(u) => Val::Unknown(u),
            Found::Absent => {
                let kind = if Seq::of(base).is_some() {
                    ErrorKind::IndexOutOfRange
                } else {
                    ErrorKind::NoSuchKey
                };
                self.fail(kind, &format!("{index}"), span)
            }
            Found::NoMap => self.overload("[]", span),
        }
    }

    /// `base[?index]`; both resolved.
    pub(super) fn opt_index(&self, base: Val<'a, N>, index: Val<'a, N>, span: Span) -> Val<'a, N> {
        self.budget.charge(1);
        match base.resolve() {
            Val::Optional(None) => return Val::Optional(None),
            Val::Optional(Some(inner)) => return self.opt_index(*inner, index, span),
            v if v.is_bad() => return v,
            _ => {}
        }
        if index.is_bad() {
            return index;
        }
        if !matches!(
            index,
            Val::Bool(_) | Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Str(_)
        ) {
            return self.overload("[?]", span);
        }
        match self.find(base.resolve(), index) {
            Found::Here(v) => v.doubt().map_or_else(|| self.some(v), Val::Unknown),
            Found::Absent => Val::Optional(None),
            Found::Unknown(u) => Val::Unknown(u),
            Found::NoMap if Seq::of(base).is_some() => self.overload("[?]", span),
            Found::NoMap => Val::Optional(None),
        }
    }

    /// The item at an index or the value of a key.
    pub(crate) fn find(&self, base: Val<'a, N>, index: Val<'a, N>) -> Found<'a, N> {
        if let Some(seq) = Seq::of(base) {
            let at = match index {
                Val::Int(i) => i,
                Val::Uint(u) => match i64::try_from(u) {
                    Ok(i) => i,
                    Err(_) => return Found::NoMap,
                },
                Val::Double(d) if d.fract() == 0.0 && d.abs() < 9e15 => d as i64,
                _ => return Found::NoMap,
            };
            let found = usize::try_from(at).ok().and_then(|i| seq.get(i));
            return match (found, seq.rest()) {
                (Some(v), _) => Found::Here(v),
                (None, Some(u)) if at >= 0 => Found::Unknown(u),
                _ => Found::Absent,
            };
        }
        match (base, index) {
            (Val::Map(m), _) => {
                let hit = m
                    .entries
                    .iter()
                    .find(|(k, _)| equal(*k, index) == Tri::True);
                match (hit, m.rest) {
                    (Some((_, v)), _) => Found::Here(*v),
                    (None, Some(u)) => Found::Unknown(u),
                    (None, None) => Found::Absent,
                }
            }
            (_, Val::Str(name)) => self.lookup(base, name, None),
            (Val::Host(_), _) => Found::Absent,
            _ => match Entries::of(base) {
                Some(e) => e.rest().map_or(Found::Absent, Found::Unknown),
                None => Found::NoMap,
            },
        }
    }

    /// `value in list`; the list resolved.
    pub(super) fn contained(&self, value: Val<'a, N>, list: Val<'a, N>, span: Span) -> Val<'a, N> {
        self.budget.charge(1);
        let x = value;
        let value = x.resolve();
        if value.is_bad() {
            return match list {
                list if list.is_bad() || x.partial().is_none() => value,
                list => self.contained_in_part(x, value, list),
            };
        }
        if list.is_bad() {
            return list;
        }
        if let Some(seq) = Seq::of(list) {
            self.budget.charge(seq.len() as u64);
            let mut pending = super::Pending::new(seq.rest());
            for item in seq.iter() {
                match same(value, item) {
                    Tri::True => return Val::Bool(true),
                    Tri::False => {}
                    Tri::Unknown(u) => pending.unknown(u),
                }
            }
            return pending.or(Val::Bool(false));
        }
        if Entries::of(list).is_some() || matches!(list, Val::Host(_)) {
            return match self.find(list, value) {
                Found::Here(v) => v.doubt().map_or(Val::Bool(true), Val::Unknown),
                Found::Absent => Val::Bool(false),
                Found::Unknown(u) => Val::Unknown(u),
                Found::NoMap => self.overload("in", span),
            };
        }
        self.overload("in", span)
    }

    /// `x in list` of what is known in part; `unknown` is the same resolved.
    #[cold]
    fn contained_in_part(
        &self,
        x: Val<'a, N>,
        unknown: Val<'a, N>,
        list: Val<'a, N>,
    ) -> Val<'a, N> {
        let none = match (Seq::of(list), Entries::of(list)) {
            (Some(seq), _) => {
                self.budget.charge(seq.len() as u64);
                seq.rest().is_none() && seq.iter().all(|item| differ(x, item))
            }
            (None, Some(entries)) => {
                self.budget.charge(entries.len() as u64);
                entries.rest().is_none() && entries.iter().all(|(key, _)| differ(x, key))
            }
            (None, None) => false,
        };
        if none { Val::Bool(false) } else { unknown }
    }
}
