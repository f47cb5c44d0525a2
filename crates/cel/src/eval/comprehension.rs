//! The macros, each with its own loop: short-circuiting, aware of open lists, and without
//! intermediate accumulators.

use super::{Machine, Pending, Tri, equal};
use crate::ast::Macro;
use crate::error::ErrorKind;
use crate::ir::{Ir, MacroIr};
use crate::val::{Entries, Seq};
use crate::{List, Map, Node, Span, Unknown, Val};
use bumpalo::collections::Vec as BumpVec;

/// What a macro goes over.
#[derive(Clone, Copy)]
pub(crate) enum Range<'a, N: Node<'a>> {
    List(Seq<'a, N>),
    Map(Entries<'a, N>),
}

impl<'a, N: Node<'a>> Range<'a, N> {
    pub(crate) fn of(v: Val<'a, N>) -> Option<Self> {
        match Seq::of(v) {
            Some(seq) => Some(Self::List(seq)),
            None => Entries::of(v).map(Self::Map),
        }
    }

    pub(crate) fn rest(self) -> Option<Unknown> {
        match self {
            Self::List(s) => s.rest(),
            Self::Map(e) => e.rest(),
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::List(s) => s.len(),
            Self::Map(e) => e.len(),
        }
    }
}

/// What a predicate said.
enum Said<'a, N: Node<'a>> {
    Yes,
    No,
    Unknown(Unknown),
    Error(Val<'a, N>),
}

impl<'a, N: Node<'a>> Machine<'_, 'a, N> {
    pub(super) fn comprehension(&mut self, m: &'a MacroIr, span: Span) -> Val<'a, N> {
        let target = self.eval(&m.target).resolve();
        if target.is_bad() {
            return target;
        }
        if matches!(m.kind, Macro::OptMap | Macro::OptFlatMap) {
            return self.optional_map(m, target, span);
        }
        let Some(range) = Range::of(target) else {
            return self.overload(m.kind.name(1 + usize::from(m.two)), span);
        };
        match m.kind {
            Macro::All => self.quantify(m, range, false),
            Macro::Exists => self.quantify(m, range, true),
            Macro::ExistsOne => self.exists_one(m, range),
            Macro::Filter => self.filter(m, range),
            Macro::Map | Macro::TransformList => self.transform_list(m, range),
            Macro::SortBy => self.sort_by(m, target, range, span),
            _ => self.transform_map(m, range, span),
        }
    }

    /// Puts the `i`th element into the macro's variables.
    #[inline]
    pub(crate) fn enter(&mut self, m: &MacroIr, range: Range<'a, N>, i: usize) {
        self.budget.charge(1);
        let first = match range {
            Range::List(seq) => {
                let item = seq.get(i).unwrap_or(Val::Null);
                if !m.two {
                    self.set_local(m.local, item);
                    return;
                }
                self.set_local(m.local + 1, item);
                Val::Int(i64::try_from(i).unwrap_or(i64::MAX))
            }
            Range::Map(entries) => {
                let (key, value) = entries.get(i).unwrap_or((Val::Null, Val::Null));
                if m.two {
                    self.set_local(m.local + 1, value);
                }
                key
            }
        };
        self.set_local(m.local, first);
    }

    fn test(&mut self, predicate: &'a Ir) -> Said<'a, N> {
        match self.eval(predicate).resolve() {
            Val::Bool(true) => Said::Yes,
            Val::Bool(false) => Said::No,
            Val::Unknown(u) => Said::Unknown(u),
            e @ Val::Error(_) => Said::Error(e),
            _ => Said::Error(self.overload("predicate", predicate.span)),
        }
    }

    fn quantify(&mut self, m: &'a MacroIr, range: Range<'a, N>, exists: bool) -> Val<'a, N> {
        let [predicate, ..] = &*m.args else {
            return Val::Null;
        };
        let mut pending = Pending::new(range.rest());
        for i in 0..range.len() {
            self.enter(m, range, i);
            match self.test(predicate) {
                Said::Yes if exists => return Val::Bool(true),
                Said::No if !exists => return Val::Bool(false),
                Said::Yes | Said::No => {}
                Said::Unknown(u) => pending.unknown(u),
                Said::Error(e) => pending.error(e),
            }
            if self.budget.exhausted() {
                break;
            }
        }
        pending.or(Val::Bool(!exists))
    }

    /// Errors are not absorbed here, as in the specification.
    fn exists_one(&mut self, m: &'a MacroIr, range: Range<'a, N>) -> Val<'a, N> {
        let [predicate, ..] = &*m.args else {
            return Val::Null;
        };
        let mut pending = Pending::new(range.rest());
        let mut count = 0_u32;
        for i in 0..range.len() {
            self.enter(m, range, i);
            match self.test(predicate) {
                Said::Yes => count += 1,
                Said::No => {}
                Said::Unknown(u) => pending.unknown(u),
                Said::Error(e) => pending.error(e),
            }
            if self.budget.exhausted() {
                break;
            }
        }
        if count > 1 && pending.error.is_none() {
            return Val::Bool(false);
        }
        pending.or(Val::Bool(count == 1))
    }

    fn filter(&mut self, m: &'a MacroIr, range: Range<'a, N>) -> Val<'a, N> {
        let [predicate, ..] = &*m.args else {
            return Val::Null;
        };
        self.budget.charge(10);
        let mut rest = range.rest();
        let mut out = BumpVec::new_in(self.bump);
        for i in 0..range.len() {
            self.enter(m, range, i);
            match self.test(predicate) {
                Said::Yes => out.push(self.local(m.local)),
                Said::No => {}
                Said::Unknown(u) => {
                    rest.get_or_insert(u);
                }
                Said::Error(e) => return e,
            }
            if self.budget.exhausted() {
                break;
            }
        }
        Val::List(self.bump.alloc(List {
            items: out.into_bump_slice(),
            rest,
        }))
    }

    /// The predicate, when there is one, and the transformation.
    fn parts(m: &'a MacroIr) -> Option<(Option<&'a Ir>, &'a Ir)> {
        match &*m.args {
            [body] => Some((None, body)),
            [predicate, body] => Some((Some(predicate), body)),
            _ => None,
        }
    }

    fn transform_list(&mut self, m: &'a MacroIr, range: Range<'a, N>) -> Val<'a, N> {
        let Some((predicate, body)) = Self::parts(m) else {
            return Val::Null;
        };
        self.budget.charge(10);
        let mut rest = range.rest();
        let mut out = BumpVec::with_capacity_in(range.len(), self.bump);
        for i in 0..range.len() {
            self.enter(m, range, i);
            match predicate.map(|p| self.test(p)) {
                None | Some(Said::Yes) => {}
                Some(Said::No) => continue,
                Some(Said::Unknown(u)) => {
                    rest.get_or_insert(u);
                    continue;
                }
                Some(Said::Error(e)) => return e,
            }
            let v = self.eval(body);
            if let e @ Val::Error(_) = v.resolve() {
                return e;
            }
            out.push(v);
            if self.budget.exhausted() {
                break;
            }
        }
        Val::List(self.bump.alloc(List {
            items: out.into_bump_slice(),
            rest,
        }))
    }

    fn transform_map(&mut self, m: &'a MacroIr, range: Range<'a, N>, span: Span) -> Val<'a, N> {
        let Some((predicate, body)) = Self::parts(m) else {
            return Val::Null;
        };
        self.budget.charge(30);
        let mut rest = range.rest();
        let mut out: BumpVec<'a, (Val<'a, N>, Val<'a, N>)> = BumpVec::new_in(self.bump);
        for i in 0..range.len() {
            self.enter(m, range, i);
            let key = self.local(m.local);
            match predicate.map(|p| self.test(p)) {
                None | Some(Said::Yes) => {}
                Some(Said::No) => continue,
                Some(Said::Unknown(u)) => {
                    rest.get_or_insert(u);
                    continue;
                }
                Some(Said::Error(e)) => return e,
            }
            let v = self.eval(body);
            if let e @ Val::Error(_) = v.resolve() {
                return e;
            }
            if m.kind == Macro::TransformMap {
                out.push((key, v));
            } else {
                match v.resolve() {
                    Val::Unknown(u) => {
                        rest.get_or_insert(u);
                    }
                    v => {
                        if let Some(e) = self.add_entries(&mut out, v, span) {
                            return e;
                        }
                    }
                }
            }
            self.budget.charge(out.len() as u64 / 8);
            if self.budget.exhausted() {
                break;
            }
        }
        Val::Map(self.bump.alloc(Map {
            entries: out.into_bump_slice(),
            rest,
        }))
    }

    fn add_entries(
        &self,
        out: &mut BumpVec<'a, (Val<'a, N>, Val<'a, N>)>,
        v: Val<'a, N>,
        span: Span,
    ) -> Option<Val<'a, N>> {
        let Some(entries) = Entries::of(v) else {
            return Some(self.overload("transformMapEntry", span));
        };
        for (k, v) in entries.iter() {
            if out.iter().any(|(other, _)| equal(k, *other) == Tri::True) {
                return Some(self.fail(
                    ErrorKind::Other,
                    &format!("insert failed: key {k:?} already exists"),
                    span,
                ));
            }
            out.push((k, v));
        }
        None
    }

    fn optional_map(&mut self, m: &'a MacroIr, target: Val<'a, N>, span: Span) -> Val<'a, N> {
        let [body] = &*m.args else {
            return Val::Null;
        };
        match target {
            Val::Optional(None) => Val::Optional(None),
            Val::Optional(Some(inner)) => {
                self.set_local(m.local, *inner);
                let v = self.eval(body);
                if v.resolve().is_bad() || m.kind == Macro::OptFlatMap {
                    return v;
                }
                self.some(v)
            }
            _ => self.overload(m.kind.name(1), span),
        }
    }

    fn sort_by(
        &mut self,
        m: &'a MacroIr,
        target: Val<'a, N>,
        range: Range<'a, N>,
        span: Span,
    ) -> Val<'a, N> {
        let ([body], Range::List(seq)) = (&*m.args, range) else {
            return self.overload("sortBy", span);
        };
        let mut keys = BumpVec::with_capacity_in(seq.len(), self.bump);
        for i in 0..seq.len() {
            self.enter(m, range, i);
            let key = self.eval(body).resolve();
            if key.is_bad() {
                return key;
            }
            keys.push(key);
            if self.budget.exhausted() {
                return Val::Null;
            }
        }
        crate::library::lists::sort(self, target, seq, &keys, span)
    }
}
