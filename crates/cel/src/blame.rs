//! Which values decided a result: a second, slower evaluation that follows only what decided.
//!
//! Each part is evaluated anew where it is looked at, so this costs more than evaluating and is
//! only asked for results that are shown to somebody.

use crate::ast::Macro;
use crate::eval::comprehension::Range;
use crate::eval::{Found, Machine};
use crate::functions::Func;
use crate::ir::{Ir, MacroIr, Op};
use crate::{Budget, Node, Program, Scope, Slot, Unknown, Val, View};
use bumpalo::Bump;

/// The values that decided a result, in the order of the expression, each once.
#[derive(Clone)]
pub struct Blame<'a, N: Node<'a>> {
    /// What decided.
    pub decisions: Vec<Decision<'a, N>>,
}

/// One value, or absence of a value, that decided.
#[derive(Clone, Copy)]
pub enum Decision<'a, N: Node<'a>> {
    /// The value that stands here.
    Value(N),
    /// Nothing stands under this key.
    Missing {
        /// The nearest map there is.
        within: N,
        /// The first key that it lacks.
        key: &'a str,
    },
    /// A value that is not known, and where it would stand.
    Unknown(Unknown, Option<N>),
}

/// At most so many decisions; who needs more has a list to look at.
const MOST: usize = 64;
/// `exists()` that found nothing points at the items up to this many, else at the list.
const FEW: usize = 4;
/// How deep definitions are looked through.
const DEPTH: u8 = 8;

pub(crate) fn of<'a, N: Node<'a>>(
    program: &'a Program,
    scope: &dyn Scope<'a, N>,
    locals: &[Val<'a, N>],
    bump: &'a Bump,
    budget: &Budget,
) -> Blame<'a, N> {
    let mut found = Vec::new();
    explain(program, scope, locals, bump, budget, DEPTH, &mut found);
    Blame { decisions: found }
}

fn explain<'a, N: Node<'a>>(
    program: &'a Program,
    scope: &dyn Scope<'a, N>,
    locals: &[Val<'a, N>],
    bump: &'a Bump,
    budget: &Budget,
    depth: u8,
    found: &mut Vec<Decision<'a, N>>,
) {
    let mut tracer = Tracer {
        machine: Machine::new(program, scope, locals, bump, budget),
        bound: Vec::new(),
        found,
        depth,
    };
    tracer.decided(&program.ir);
}

struct Tracer<'t, 'm, 'a, N: Node<'a>> {
    machine: Machine<'m, 'a, N>,
    /// what the locals of `cel.bind` stand for
    bound: Vec<(u16, &'a Ir)>,
    found: &'t mut Vec<Decision<'a, N>>,
    depth: u8,
}

/// What a boolean step gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gave {
    Yes,
    No,
    Unknown,
    Error,
    Other,
}

impl<'a, N: Node<'a>> Tracer<'_, '_, 'a, N> {
    fn full(&self) -> bool {
        self.found.len() >= MOST || self.machine.budget.exhausted()
    }

    fn push(&mut self, decision: Decision<'a, N>) {
        let same = |other: &Decision<'a, N>| match (*other, decision) {
            (Decision::Value(a), Decision::Value(b)) => a.same(b),
            (Decision::Missing { within: a, key: k }, Decision::Missing { within: b, key: l }) => {
                k == l && a.same(b)
            }
            (Decision::Unknown(a, m), Decision::Unknown(b, n)) => {
                a == b
                    && match (m, n) {
                        (Some(m), Some(n)) => m.same(n),
                        (None, None) => true,
                        _ => false,
                    }
            }
            _ => false,
        };
        if !self.full() && !self.found.iter().any(same) {
            self.found.push(decision);
        }
    }

    fn eval(&mut self, ir: &'a Ir) -> Val<'a, N> {
        self.machine.eval(ir)
    }

    fn gave(&mut self, ir: &'a Ir) -> Gave {
        match self.eval(ir).resolve() {
            Val::Bool(true) => Gave::Yes,
            Val::Bool(false) => Gave::No,
            Val::Unknown(_) => Gave::Unknown,
            Val::Error(_) => Gave::Error,
            _ => Gave::Other,
        }
    }

    /// Follows what decided the value of a step, whatever it is.
    fn decided(&mut self, ir: &'a Ir) {
        if self.full() {
            return;
        }
        match &ir.op {
            Op::And(xs) | Op::Or(xs) => self.logic(ir, xs),
            Op::Not(x) => self.decided(x),
            Op::Ternary(xs) => self.ternary(xs),
            Op::Macro(m) => self.macro_call(ir, m),
            Op::Bind(at, values, body) => self.bind(*at, values, body),
            Op::Var(slot) => self.variable(*slot),
            Op::HasVar(slot) | Op::OptVar(slot) => self.variable(*slot),
            Op::Has(x, key) => {
                if let Some(base) = self.base(x) {
                    self.field(base, &key.text);
                }
            }
            Op::Call(Func::OrValue | Func::Or, args) => self.or_value(args),
            _ => self.leaf(ir),
        }
    }

    /// Of the operands the ones that gave the result; where nothing decided, all that are
    /// unknown or failed.
    fn logic(&mut self, ir: &'a Ir, xs: &'a [Ir]) {
        let result = self.gave(ir);
        for x in xs {
            if self.full() {
                return;
            }
            let gave = self.gave(x);
            if gave == result || (result == Gave::Unknown && gave == Gave::Error) {
                self.decided(x);
            }
        }
    }

    fn ternary(&mut self, xs: &'a [Ir; 3]) {
        let [condition, then, otherwise] = xs;
        match self.gave(condition) {
            Gave::Yes => {
                self.decided(then);
                self.decided(condition);
            }
            Gave::No => {
                self.decided(otherwise);
                self.decided(condition);
            }
            _ => self.decided(condition),
        }
    }

    fn bind(&mut self, at: u16, values: &'a [Ir], body: &'a Ir) {
        let before = self.bound.len();
        for (i, value) in (0_u16..).zip(values) {
            let v = self.eval(value);
            self.machine.set_local(at + i, v);
            self.bound.push((at + i, value));
        }
        self.decided(body);
        self.bound.truncate(before);
    }

    /// A variable: the place where it stands, or what decided its definition.
    fn variable(&mut self, slot: Slot) {
        let value = self.machine.scope.variable(slot);
        if let Val::Node(n) = value {
            self.node(n);
            return;
        }
        let before = self.found.len();
        if self.depth > 0
            && let Some(program) = self.machine.scope.definition(slot)
        {
            let (scope, bump, budget) =
                (self.machine.scope, self.machine.bump, self.machine.budget);
            explain(
                program,
                scope,
                &[],
                bump,
                budget,
                self.depth - 1,
                self.found,
            );
        }
        if self.found.len() == before {
            self.value(value);
        }
    }

    fn node(&mut self, n: N) {
        match n.view() {
            View::Unknown(u) => self.push(Decision::Unknown(u, Some(n))),
            _ => self.push(Decision::Value(n)),
        }
    }

    /// A value that stands somewhere, or holds values that do.
    fn value(&mut self, v: Val<'a, N>) {
        match v {
            Val::Node(n) => self.node(n),
            Val::Unknown(u) => self.push(Decision::Unknown(u, None)),
            Val::Partial(p) => self.push(Decision::Unknown(p.why, None)),
            Val::Host(h) => {
                if let Some(n) = h.node() {
                    self.push(Decision::Value(n));
                }
            }
            Val::Optional(Some(inner)) => self.value(*inner),
            Val::List(l) => {
                for item in l.items.iter().take(FEW) {
                    self.value(*item);
                }
                if let Some(u) = l.rest {
                    self.push(Decision::Unknown(u, None));
                }
            }
            _ => {}
        }
    }

    /// What an expression that is looked into is; `None` when it is not there, and then that has
    /// been noted.
    fn base(&mut self, ir: &'a Ir) -> Option<Val<'a, N>> {
        let v = match &ir.op {
            Op::Field(x, key) | Op::OptField(x, key) | Op::IndexKey(x, key) => {
                let base = self.base(x)?;
                match self.machine.lookup(base, &key.text, Some(key)) {
                    Found::Here(v) => v,
                    _ => {
                        self.field(base, &key.text);
                        return None;
                    }
                }
            }
            Op::Index(x, i) | Op::OptIndex(x, i) => {
                let base = self.base(x)?;
                let index = self.eval(i).resolve();
                match self.machine.find(base.resolve(), index) {
                    Found::Here(v) => v,
                    _ => {
                        self.leaf(i);
                        match index {
                            Val::Str(s) => self.field(base, s),
                            _ => self.absent_item(base),
                        }
                        return None;
                    }
                }
            }
            _ => self.eval(ir),
        };
        match v.resolve() {
            Val::Optional(Some(inner)) => Some(*inner),
            Val::Optional(None) | Val::Error(_) => {
                self.decided_inside(ir);
                None
            }
            Val::Unknown(u) => {
                match v {
                    Val::Node(n) => self.push(Decision::Unknown(u, Some(n))),
                    _ => self.decided_inside(ir),
                }
                None
            }
            _ => Some(v),
        }
    }

    /// As [`Self::decided`], for what is no field or index: those come through [`Self::base`].
    fn decided_inside(&mut self, ir: &'a Ir) {
        match &ir.op {
            Op::Field(..)
            | Op::OptField(..)
            | Op::IndexKey(..)
            | Op::Index(..)
            | Op::OptIndex(..) => {}
            _ => self.decided(ir),
        }
    }

    fn absent_item(&mut self, base: Val<'a, N>) {
        match base {
            Val::Node(n) => match n.rest() {
                Some(u) => self.push(Decision::Unknown(u, Some(n))),
                None => self.push(Decision::Value(n)),
            },
            other => self.value(other),
        }
    }

    /// A key of something: its value, that it is missing, or that it is not known.
    fn field(&mut self, base: Val<'a, N>, name: &str) {
        match self.machine.lookup(base, name, None) {
            Found::Here(v) => self.value(v),
            Found::Unknown(u) => self.push(Decision::Unknown(u, base.as_node())),
            Found::Absent | Found::NoMap => match base.as_node() {
                Some(within) => {
                    let key = self.machine.bump.alloc_str(name);
                    self.push(Decision::Missing { within, key });
                }
                None => self.value(base),
            },
        }
    }

    /// `x.orValue(d)`: the value that was there, or that none was.
    fn or_value(&mut self, args: &'a [Ir]) {
        let [x, default] = args else {
            return;
        };
        let none = matches!(self.eval(x).resolve(), Val::Optional(None));
        self.leaf(x);
        if none {
            self.leaf(default);
        }
    }

    /// A step that decides by the values it reads: the places they stand.
    fn leaf(&mut self, ir: &'a Ir) {
        if self.full() {
            return;
        }
        match &ir.op {
            Op::Const(_) => {}
            Op::Local(at) => self.local(*at),
            Op::Field(..)
            | Op::OptField(..)
            | Op::IndexKey(..)
            | Op::Index(..)
            | Op::OptIndex(..) => {
                if let Some(v) = self.base(ir) {
                    match v {
                        // Something that was made: what it was made from.
                        Val::Node(_) | Val::Host(_) | Val::Unknown(_) => self.value(v),
                        _ => self.children(ir),
                    }
                }
            }
            Op::In(xs) => {
                let [x, list] = &**xs;
                self.leaf(x);
                self.leaf(list);
            }
            Op::Eq(_)
            | Op::Ne(_)
            | Op::Compare(..)
            | Op::Arith(..)
            | Op::InConsts(..)
            | Op::Neg(_)
            | Op::Call(..)
            | Op::Regex(..)
            | Op::List(_)
            | Op::Map(_) => {
                if let Op::Call(Func::OrValue | Func::Or, args) = &ir.op {
                    self.or_value(args);
                } else {
                    self.children(ir);
                }
            }
            _ => self.decided(ir),
        }
    }

    fn children(&mut self, ir: &'a Ir) {
        let mut parts = Vec::new();
        ir.children(&mut |x| parts.push(x));
        for x in parts {
            self.leaf(x);
        }
    }

    fn local(&mut self, at: u16) {
        let v = self.machine.local(at);
        if let Val::Node(_) | Val::Host(_) = v {
            self.value(v);
            return;
        }
        if let Some(i) = self.bound.iter().rposition(|(b, _)| *b == at)
            && let Some((_, ir)) = self.bound.get(i).copied()
        {
            // The definition does not see itself.
            let hidden = self.bound.split_off(i);
            self.leaf(ir);
            self.bound.extend(hidden);
            return;
        }
        self.value(v);
    }

    fn macro_call(&mut self, ir: &'a Ir, m: &'a MacroIr) {
        let target = self.eval(&m.target);
        let resolved = target.resolve();
        if resolved.is_bad() {
            self.leaf(&m.target);
            return;
        }
        match (m.kind, Range::of(resolved)) {
            (Macro::All | Macro::Exists, Some(range)) => {
                let result = self.gave(ir);
                self.quantifier(m, target, range, result);
            }
            (Macro::ExistsOne, Some(range)) => self.exists_one(m, target, range),
            (Macro::OptMap | Macro::OptFlatMap, _) => {
                if let Val::Optional(Some(inner)) = resolved {
                    self.machine.set_local(m.local, *inner);
                    for body in &m.args {
                        self.decided(body);
                    }
                } else {
                    self.leaf(&m.target);
                }
            }
            (Macro::Filter, Some(range)) => self.filtered(m, target, range),
            _ => self.whole(m, target),
        }
    }

    /// The list itself: the place where it stands, or what made it.
    fn whole(&mut self, m: &'a MacroIr, target: Val<'a, N>) {
        match target {
            Val::Node(n) => self.push(Decision::Value(n)),
            _ => self.leaf(&m.target),
        }
    }

    /// `all`: the items that gave the result. `exists`: the item that was found, or the items
    /// that were not, if they are few.
    fn quantifier(
        &mut self,
        m: &'a MacroIr,
        target: Val<'a, N>,
        range: Range<'a, N>,
        result: Gave,
    ) {
        let [predicate, ..] = &*m.args else {
            return;
        };
        let exists = m.kind == Macro::Exists;
        let passed = result == if exists { Gave::No } else { Gave::Yes };
        if passed && (range.len() > FEW || range.len() == 0) {
            self.whole(m, target);
            return;
        }
        for i in 0..range.len() {
            if self.full() {
                return;
            }
            self.machine.enter(m, range, i);
            let gave = self.gave(predicate);
            if gave == result || (result == Gave::Unknown && gave == Gave::Error) {
                let before = self.found.len();
                self.decided(predicate);
                if self.found.len() == before {
                    let at = m.local + u16::from(m.two);
                    self.local(at);
                }
            }
        }
        if let (Gave::Unknown, Some(u)) = (result, range.rest()) {
            self.push(Decision::Unknown(u, target.as_node()));
        }
    }

    /// The items that hold when there are several, else the list.
    fn exists_one(&mut self, m: &'a MacroIr, target: Val<'a, N>, range: Range<'a, N>) {
        let [predicate, ..] = &*m.args else {
            return;
        };
        let before = self.found.len();
        for i in 0..range.len() {
            self.machine.enter(m, range, i);
            if matches!(
                self.gave(predicate),
                Gave::Yes | Gave::Unknown | Gave::Error
            ) {
                self.decided(predicate);
            }
        }
        if let Some(u) = range.rest() {
            self.push(Decision::Unknown(u, target.as_node()));
        }
        if self.found.len() == before {
            self.whole(m, target);
        }
    }

    /// A filtered list that something is said about: the items that stayed or may have; when
    /// none did, why each went if they are few, else the list.
    fn filtered(&mut self, m: &'a MacroIr, target: Val<'a, N>, range: Range<'a, N>) {
        let [predicate, ..] = &*m.args else {
            return;
        };
        let before = self.found.len();
        for i in 0..range.len() {
            self.machine.enter(m, range, i);
            if matches!(self.gave(predicate), Gave::Yes | Gave::Unknown) {
                self.decided(predicate);
            }
        }
        if self.found.len() == before && range.len() <= FEW {
            for i in 0..range.len() {
                self.machine.enter(m, range, i);
                self.decided(predicate);
            }
        }
        if let Some(u) = range.rest() {
            self.push(Decision::Unknown(u, target.as_node()));
        }
        if self.found.len() == before {
            self.whole(m, target);
        }
    }
}
