//! The functions of the language and of the Kubernetes libraries.
//!
//! Every function takes resolved values; an unknown or an error among them is given back, the
//! first one as written, unless what is known of it decides. A list that may hold more than it shows makes the result unknown unless
//! the function says otherwise.

pub(crate) mod convert;
pub(crate) mod encoders;
pub(crate) mod format;
pub(crate) mod format_string;
pub(crate) mod lists;
pub(crate) mod math;
pub(crate) mod net;
pub(crate) mod optionals;
pub(crate) mod quantity;
pub(crate) mod regex;
pub(crate) mod semver;
pub(crate) mod sets;
pub(crate) mod strings;
pub(crate) mod times;
pub(crate) mod url;

use crate::error::ErrorKind;
use crate::eval::Machine;
use crate::functions::{self, Func};
use crate::ir::Ir;
use crate::val::{Entries, Seq};
use crate::{Budget, Node, Scope, Span, Val, partial};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// What a function gives: a value, or `None` when it does not take values of these types.
pub(crate) type Given<'a, N> = Option<Val<'a, N>>;

/// A call under way: what a function needs to make values and errors.
#[derive(Clone, Copy)]
pub(crate) struct Call<'m, 'a, N: Node<'a>> {
    pub(crate) machine: &'m Machine<'m, 'a, N>,
    pub(crate) span: Span,
}

impl<'a, N: Node<'a>> Call<'_, 'a, N> {
    pub(crate) fn fail(self, detail: &str) -> Val<'a, N> {
        self.machine.fail(ErrorKind::Other, detail, self.span)
    }

    pub(crate) fn kind(self, kind: ErrorKind, detail: &str) -> Val<'a, N> {
        self.machine.fail(kind, detail, self.span)
    }

    pub(crate) fn text(self, text: &str) -> Val<'a, N> {
        self.walk(text.len());
        Val::Str(self.machine.bump.alloc_str(text))
    }

    /// Charges for walking a string of this length.
    pub(crate) fn walk(self, length: usize) {
        self.machine.budget.charge(length as u64 / 10);
    }

    pub(crate) fn list(self, items: BumpVec<'a, Val<'a, N>>) -> Val<'a, N> {
        self.machine.budget.charge(10 + items.len() as u64);
        let bump = self.machine.bump;
        Val::List(bump.alloc(crate::List {
            items: items.into_bump_slice(),
            rest: None,
        }))
    }
}

/// Calls a function.
#[inline(never)]
pub(crate) fn call<'a, N: Node<'a>>(
    m: &mut Machine<'_, 'a, N>,
    func: Func,
    args: &'a [Ir],
    span: Span,
) -> Val<'a, N> {
    if let (Func::OrValue | Func::Or, [a, b]) = (func, args) {
        return optionals::or(m, func, a, b);
    }
    let mut small = [Val::Null; 4];
    let mut large;
    let values: &mut [Val<'a, N>] = match small.get_mut(..args.len()) {
        Some(v) => v,
        None => {
            large = BumpVec::from_iter_in(args.iter().map(|_| Val::Null), m.bump);
            &mut large
        }
    };
    for (place, arg) in values.iter_mut().zip(args) {
        let value = m.eval(arg);
        *place = value.resolve();
        if let Val::Unknown(_) = place
            && let Some(part) = value.partial()
        {
            *place = Val::Partial(m.bump.alloc(part));
        }
    }
    let bad = |v: &Val<'a, N>| v.is_bad() || matches!(v, Val::Partial(_));
    if let Some(bad) = values.iter().copied().find(bad) {
        let call = Call { machine: m, span };
        return partial::call(call, func, values).unwrap_or_else(|| bad.resolve());
    }
    // What an open list holds beyond what it shows decides unless the function looks itself.
    let looks = matches!(
        func,
        Func::Dyn
            | Func::Type
            | Func::First
            | Func::OptionalOf
            | Func::IndexOf
            | Func::Distinct
            | Func::Flatten
            | Func::Sort
            | Func::Reverse
            | Func::SetsContains
            | Func::SetsIntersects
            | Func::SetsEquivalent
            | Func::Slice
    );
    if !looks {
        let rest = values.iter().find_map(|v| match Seq::of(*v) {
            Some(s) => s.rest(),
            None => Entries::of(*v).and_then(Entries::rest),
        });
        if let Some(u) = rest {
            return Val::Unknown(u);
        }
    }
    let call = Call { machine: m, span };
    dispatch(call, func, values).unwrap_or_else(|| m.overload(name(func), span))
}

/// A conversion of a constant, while compiling.
pub(crate) fn convert_constant<'a, N: Node<'a>>(
    func: Func,
    x: Val<'a, N>,
    scope: &dyn Scope<'a, N>,
    bump: &'a Bump,
    budget: &Budget,
    span: Span,
) -> Val<'a, N> {
    let machine = Machine {
        scope,
        locals: &mut [],
        bump,
        budget,
    };
    let call = Call {
        machine: &machine,
        span,
    };
    core(call, func, &[x]).unwrap_or_else(|| machine.overload(name(func), span))
}

fn name(func: Func) -> &'static str {
    functions::TABLE
        .iter()
        .find(|e| e.func == func)
        .map_or("", |e| e.name)
}

fn dispatch<'a, N: Node<'a>>(c: Call<'_, 'a, N>, func: Func, args: &[Val<'a, N>]) -> Given<'a, N> {
    core(c, func, args)
        .or_else(|| strings::call(c, func, args))
        .or_else(|| lists::call(c, func, args))
        .or_else(|| times::call(c, func, args))
        .or_else(|| optionals::call(c, func, args))
        .or_else(|| sets::call(c, func, args))
        .or_else(|| math::call(c, func, args))
        .or_else(|| quantity::call(c, func, args))
        .or_else(|| net::call(c, func, args))
        .or_else(|| url::call(c, func, args))
        .or_else(|| semver::call(c, func, args))
        .or_else(|| format::call(c, func, args))
        .or_else(|| encoders::call(c, func, args))
        .or_else(|| regex::dynamic(c, func, args))
}

fn core<'a, N: Node<'a>>(c: Call<'_, 'a, N>, func: Func, args: &[Val<'a, N>]) -> Given<'a, N> {
    let [x] = args else {
        return None;
    };
    match func {
        Func::Size | Func::SizeOf => size(*x),
        Func::Type => Some(Val::Type(match x {
            Val::Host(_) => "map",
            other => other.type_name(),
        })),
        Func::Dyn => Some(*x),
        Func::Int => convert::int(c, *x),
        Func::Uint => convert::uint(c, *x),
        Func::Double => convert::double(c, *x),
        Func::String => convert::string(c, *x),
        Func::Bytes => convert::bytes(*x),
        Func::Bool => convert::bool(c, *x),
        Func::Duration => convert::duration(c, *x),
        Func::Timestamp => convert::timestamp(c, *x),
        _ => None,
    }
}

fn size<'a, N: Node<'a>>(x: Val<'a, N>) -> Given<'a, N> {
    let n = match x {
        Val::Str(s) => s.chars().count(),
        Val::Bytes(b) => b.len(),
        _ => match Seq::of(x) {
            Some(seq) => seq.len(),
            None => Entries::of(x)?.len(),
        },
    };
    Some(Val::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}
