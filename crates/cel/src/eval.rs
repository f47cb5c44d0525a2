//! The evaluator: a walk over the compiled steps with copied values and no conversion of the
//! data it reads.
//!
//! Unknowns and errors are values. `&&`, `||`, `all` and `exists` absorb both where the rest
//! decides; otherwise an unknown wins over an error, as in cel-go. Strict operations give back
//! their first operand that is unknown or an error.

mod access;
mod arith;
mod compare;
pub(crate) mod comprehension;

pub(crate) use access::Found;
pub(crate) use compare::{Tri, compare, equal, same};

use crate::error::ErrorKind;
use crate::ir::{Ir, Op};
use crate::partial::differ;
use crate::{Budget, Node, Program, Scope, Span, Unknown, Val, library};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// One evaluation.
pub(crate) struct Machine<'m, 'a, N: Node<'a>> {
    pub(crate) scope: &'m dyn Scope<'a, N>,
    pub(crate) locals: &'a mut [Val<'a, N>],
    pub(crate) bump: &'a Bump,
    pub(crate) budget: &'m Budget,
}

impl<'a, N: Node<'a>> Val<'a, N> {
    /// Whether its type comes from the Kubernetes libraries.
    pub(crate) fn is_kubernetes(self) -> bool {
        matches!(
            self,
            Val::Quantity(_)
                | Val::Ip(_)
                | Val::Cidr(_)
                | Val::Url(_)
                | Val::Semver(_)
                | Val::Format(_)
        )
    }

    /// Whether strict operations give this back.
    #[inline]
    pub(crate) fn is_bad(self) -> bool {
        matches!(self, Val::Unknown(_) | Val::Error(_))
    }
}

/// The outcome of a run of `&&`, `||`, `all` or `exists` that nothing has decided yet.
#[derive(Clone, Copy)]
pub(crate) struct Pending<'a, N: Node<'a>> {
    unknown: Option<Unknown>,
    error: Option<Val<'a, N>>,
}

impl<'a, N: Node<'a>> Pending<'a, N> {
    pub(crate) fn new(rest: Option<Unknown>) -> Self {
        Self {
            unknown: rest,
            error: None,
        }
    }

    #[inline]
    pub(crate) fn unknown(&mut self, u: Unknown) {
        self.unknown.get_or_insert(u);
    }

    pub(crate) fn error(&mut self, e: Val<'a, N>) {
        self.error.get_or_insert(e);
    }

    /// The result when nothing decided it.
    #[inline]
    pub(crate) fn or(self, otherwise: Val<'a, N>) -> Val<'a, N> {
        match (self.unknown, self.error) {
            (Some(u), _) => Val::Unknown(u),
            (None, Some(e)) => e,
            (None, None) => otherwise,
        }
    }
}

impl<'m, 'a, N: Node<'a>> Machine<'m, 'a, N> {
    pub(crate) fn new(
        program: &Program,
        scope: &'m dyn Scope<'a, N>,
        locals: &[Val<'a, N>],
        bump: &'a Bump,
        budget: &'m Budget,
    ) -> Self {
        let frame: &mut [Val<'a, N>] = if program.frame == 0 {
            &mut []
        } else {
            bump.alloc_slice_fill_with(program.frame, |i| {
                locals.get(i).copied().unwrap_or(Val::Null)
            })
        };
        Self {
            scope,
            locals: frame,
            bump,
            budget,
        }
    }

    pub(crate) fn fail(&self, kind: ErrorKind, detail: &str, span: Span) -> Val<'a, N> {
        Val::error(self.bump, kind, detail, span)
    }

    pub(crate) fn overload(&self, name: &str, span: Span) -> Val<'a, N> {
        self.fail(ErrorKind::NoSuchOverload, name, span)
    }

    #[inline]
    pub(crate) fn set_local(&mut self, at: u16, value: Val<'a, N>) {
        if let Some(place) = self.locals.get_mut(at as usize) {
            *place = value;
        }
    }

    #[inline]
    pub(crate) fn local(&self, at: u16) -> Val<'a, N> {
        self.locals.get(at as usize).copied().unwrap_or(Val::Null)
    }

    /// The value of a step; a scalar of the caller's tree stays a node.
    pub(crate) fn eval(&mut self, ir: &'a Ir) -> Val<'a, N> {
        match &ir.op {
            Op::Const(c) => c.value(),
            Op::Var(slot) => self.scope.variable(*slot),
            Op::Local(at) => self.local(*at),
            Op::Field(x, key) => {
                self.budget.charge(1);
                let base = self.eval(x);
                self.field(base, key, ir.span)
            }
            Op::IndexKey(x, key) => {
                self.budget.charge(1);
                let base = self.eval(x);
                self.index_key(base, key, ir.span)
            }
            Op::Has(x, key) => {
                let base = self.eval(x);
                self.has(base, key, ir.span)
            }
            Op::And(xs) => self.and(xs),
            Op::Or(xs) => self.or(xs),
            Op::Not(x) => match self.eval(x).resolve() {
                Val::Bool(b) => Val::Bool(!b),
                v if v.is_bad() => v,
                _ => self.overload("!", ir.span),
            },
            Op::Eq(xs) => self.equality(xs, false),
            Op::Ne(xs) => self.equality(xs, true),
            Op::Compare(op, xs) => self.ordering(*op, xs, ir.span),
            Op::Ternary(xs) => self.ternary(xs),
            Op::Macro(m) => self.comprehension(m, ir.span),
            _ => self.eval_rare(ir),
        }
    }

    /// The steps that are not worth a place in the hot loop.
    #[inline(never)]
    fn eval_rare(&mut self, ir: &'a Ir) -> Val<'a, N> {
        let span = ir.span;
        match &ir.op {
            Op::OptVar(slot) => self.opt_var(*slot),
            Op::HasVar(slot) => self.has_var(*slot),
            Op::OptField(x, key) => {
                let base = self.eval(x);
                self.opt_field(base, &key.text, Some(key), span)
            }
            Op::Index(x, i) => {
                let base = self.eval(x).resolve();
                let index = self.eval(i).resolve();
                self.index(base, index, span)
            }
            Op::OptIndex(x, i) => {
                let base = self.eval(x).resolve();
                let index = self.eval(i).resolve();
                self.opt_index(base, index, span)
            }
            Op::Neg(x) => {
                let v = self.eval(x).resolve();
                self.negate(v, span)
            }
            Op::In(xs) => {
                let [x, list] = &**xs;
                let value = self.eval(x);
                let list = self.eval(list).resolve();
                self.contained(value, list, span)
            }
            Op::InConsts(_, items) if items.is_empty() => Val::Bool(false),
            Op::InConsts(x, items) => {
                self.budget.charge(1 + items.len() as u64);
                let x = self.eval(x);
                let value = x.resolve();
                if value.is_bad() {
                    let none = items.iter().all(|c| differ(x, c.value()));
                    return if none { Val::Bool(false) } else { value };
                }
                Val::Bool(items.iter().any(|c| equal(value, c.value()) == Tri::True))
            }
            Op::Arith(op, xs) => {
                let [a, b] = &**xs;
                let a = self.eval(a).resolve();
                let b = self.eval(b).resolve();
                self.arith(*op, a, b, span)
            }
            Op::List(items) => self.list(items, span),
            Op::Map(entries) => self.map(entries, span),
            Op::Call(func, args) => {
                self.budget.charge(1);
                library::call(self, *func, args, span)
            }
            Op::Regex(func, x, pattern, limit) => {
                self.budget.charge(1);
                let text = self.eval(x).resolve();
                let limit = limit.as_ref().map(|l| self.eval(l).resolve());
                library::regex::call(self, *func, text, pattern, limit, span)
            }
            Op::Bind(at, values, body) => {
                for (i, value) in (0_u16..).zip(values) {
                    let v = self.eval(value);
                    self.set_local(at + i, v);
                }
                self.eval(body)
            }
            _ => Val::Null,
        }
    }

    fn and(&mut self, xs: &'a [Ir]) -> Val<'a, N> {
        let mut pending = Pending::new(None);
        for x in xs {
            match self.eval(x).resolve() {
                Val::Bool(false) => return Val::Bool(false),
                Val::Bool(true) => {}
                Val::Unknown(u) => pending.unknown(u),
                e @ Val::Error(_) => pending.error(e),
                _ => pending.error(self.overload("&&", x.span)),
            }
        }
        pending.or(Val::Bool(true))
    }

    fn or(&mut self, xs: &'a [Ir]) -> Val<'a, N> {
        let mut pending = Pending::new(None);
        for x in xs {
            match self.eval(x).resolve() {
                Val::Bool(true) => return Val::Bool(true),
                Val::Bool(false) => {}
                Val::Unknown(u) => pending.unknown(u),
                e @ Val::Error(_) => pending.error(e),
                _ => pending.error(self.overload("||", x.span)),
            }
        }
        pending.or(Val::Bool(false))
    }

    fn equality(&mut self, xs: &'a [Ir; 2], negate: bool) -> Val<'a, N> {
        self.budget.charge(1);
        let [left, right] = xs;
        let (x, y) = (self.eval(left), self.eval(right));
        let (a, b) = (x.resolve(), y.resolve());
        if a.is_bad() || b.is_bad() {
            return if differ(x, y) {
                Val::Bool(negate)
            } else if a.is_bad() {
                a
            } else {
                b
            };
        }
        if a.is_kubernetes() && a.type_name() != b.type_name() {
            // Kubernetes' own types know equality with themselves only.
            return self.overload(if negate { "!=" } else { "==" }, left.span);
        }
        match equal(a, b) {
            Tri::True => Val::Bool(!negate),
            Tri::False => Val::Bool(negate),
            Tri::Unknown(u) => Val::Unknown(u),
        }
    }

    fn ternary(&mut self, xs: &'a [Ir; 3]) -> Val<'a, N> {
        let [condition, then, otherwise] = xs;
        match self.eval(condition).resolve() {
            Val::Bool(true) => self.eval(then),
            Val::Bool(false) => self.eval(otherwise),
            Val::Unknown(u) => {
                let a = self.eval(then);
                let b = self.eval(otherwise);
                let (ra, rb) = (a.resolve(), b.resolve());
                if !ra.is_bad() && !rb.is_bad() && equal(ra, rb) == Tri::True {
                    a
                } else {
                    Val::Unknown(u)
                }
            }
            e @ Val::Error(_) => e,
            _ => self.overload("?:", condition.span),
        }
    }

    fn list(&mut self, items: &'a [(bool, Ir)], span: Span) -> Val<'a, N> {
        self.budget.charge(10);
        let mut out = BumpVec::with_capacity_in(items.len(), self.bump);
        for (optional, item) in items {
            let v = self.eval(item);
            let r = v.resolve();
            match (optional, r) {
                (_, Val::Error(_)) => return r,
                // An unknown element makes the list unknown only where it is looked at.
                (false, _) => out.push(v),
                (true, Val::Unknown(_)) => return r,
                (true, Val::Optional(Some(inner))) => out.push(*inner),
                (true, Val::Optional(None)) => {}
                (true, _) => return self.overload("[?]", span),
            }
        }
        Val::List(self.bump.alloc(crate::List {
            items: out.into_bump_slice(),
            rest: None,
        }))
    }

    fn map(&mut self, entries: &'a [(bool, Ir, Ir)], span: Span) -> Val<'a, N> {
        self.budget.charge(30);
        let mut out: BumpVec<'a, (Val<'a, N>, Val<'a, N>)> =
            BumpVec::with_capacity_in(entries.len(), self.bump);
        for (optional, key, value) in entries {
            let k = self.eval(key).resolve();
            let v = self.eval(value);
            let r = v.resolve();
            if k.is_bad() {
                return k;
            }
            let v = match (optional, r) {
                (_, Val::Error(_)) => return r,
                (false, _) => v,
                (true, Val::Unknown(_)) => return r,
                (true, Val::Optional(Some(inner))) => *inner,
                (true, Val::Optional(None)) => continue,
                (true, _) => return self.overload("{?}", span),
            };
            if !matches!(k, Val::Bool(_) | Val::Int(_) | Val::Uint(_) | Val::Str(_)) {
                return self.fail(ErrorKind::Other, "unsupported key type", key.span);
            }
            self.budget.charge(out.len() as u64 / 8);
            if out.iter().any(|(other, _)| equal(k, *other) == Tri::True) {
                return self.fail(ErrorKind::Other, &format!("repeated key {k:?}"), key.span);
            }
            out.push((k, v));
        }
        Val::Map(self.bump.alloc(crate::Map {
            entries: out.into_bump_slice(),
            rest: None,
        }))
    }
}
