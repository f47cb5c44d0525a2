//! Equality and order. Equality is defined between all values: different types are unequal,
//! numbers compare by value across `int`, `uint` and `double`.

use super::Machine;
use crate::ast::BinaryOp;
use crate::error::ErrorKind;
use crate::ir::Ir;
use crate::val::{Entries, Seq};
use crate::{Node, Span, Unknown, Val, partial};
use std::cmp::Ordering;

/// True, false or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tri {
    True,
    False,
    Unknown(Unknown),
}

impl From<bool> for Tri {
    fn from(b: bool) -> Self {
        if b { Self::True } else { Self::False }
    }
}

/// Order between an integer and a double as cel-go has it: outside the integer's range by the
/// border, inside as doubles.
fn int_double(i: f64, min: f64, max: f64, d: f64) -> Option<Ordering> {
    match d {
        d if d.is_nan() => None,
        d if d < min => Some(Ordering::Greater),
        d if d > max => Some(Ordering::Less),
        d => i.partial_cmp(&d),
    }
}

fn signed(i: i64, d: f64) -> Option<Ordering> {
    int_double(i as f64, i64::MIN as f64, i64::MAX as f64, d)
}

fn unsigned(u: u64, d: f64) -> Option<Ordering> {
    int_double(u as f64, 0.0, u64::MAX as f64, d)
}

/// The order of two numbers; `None` when one is no number or NaN.
fn numbers<'a, N: Node<'a>>(a: Val<'a, N>, b: Val<'a, N>) -> Option<Option<Ordering>> {
    Some(match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(&b)),
        (Val::Uint(a), Val::Uint(b)) => Some(a.cmp(&b)),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(&b),
        (Val::Int(a), Val::Uint(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Val::Uint(a), Val::Int(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Val::Int(a), Val::Double(b)) => signed(a, b),
        (Val::Uint(a), Val::Double(b)) => unsigned(a, b),
        (Val::Double(a), Val::Int(b)) => signed(b, a).map(Ordering::reverse),
        (Val::Double(a), Val::Uint(b)) => unsigned(b, a).map(Ordering::reverse),
        _ => return None,
    })
}

/// Equality of two values that are neither errors nor unknown at the top.
#[inline]
pub(crate) fn equal<'a, N: Node<'a>>(a: Val<'a, N>, b: Val<'a, N>) -> Tri {
    match (a, b) {
        (Val::Str(a), Val::Str(b)) => (a == b).into(),
        (Val::Bool(a), Val::Bool(b)) => (a == b).into(),
        (Val::Int(a), Val::Int(b)) => (a == b).into(),
        _ => equal_rare(a, b),
    }
}

/// The same of two values that may be nodes or unknown, also in part.
#[inline]
pub(crate) fn same<'a, N: Node<'a>>(x: Val<'a, N>, y: Val<'a, N>) -> Tri {
    match equal(x.resolve(), y.resolve()) {
        Tri::Unknown(_) if partial::differ(x, y) => Tri::False,
        tri => tri,
    }
}

#[inline(never)]
fn equal_rare<'a, N: Node<'a>>(a: Val<'a, N>, b: Val<'a, N>) -> Tri {
    if let Some(order) = numbers(a, b) {
        return (order == Some(Ordering::Equal)).into();
    }
    match (a, b) {
        (Val::Unknown(u), _) | (_, Val::Unknown(u)) => Tri::Unknown(u),
        (Val::Null, Val::Null) => Tri::True,
        (Val::Bytes(a), Val::Bytes(b)) => (a == b).into(),
        (Val::Duration(a), Val::Duration(b)) => (a == b).into(),
        (Val::Timestamp(a), Val::Timestamp(b)) => (a == b).into(),
        (Val::Type(a), Val::Type(b)) => (a == b).into(),
        (Val::Quantity(a), Val::Quantity(b)) => a.compare(b).is_eq().into(),
        (Val::Ip(a), Val::Ip(b)) => (a == b).into(),
        (Val::Cidr(a), Val::Cidr(b)) => (a == b).into(),
        (Val::Url(a), Val::Url(b)) => (a == b).into(),
        (Val::Semver(a), Val::Semver(b)) => a.compare(b).is_eq().into(),
        (Val::Format(a), Val::Format(b)) => (a == b).into(),
        (Val::Optional(None), Val::Optional(None)) => Tri::True,
        (Val::Optional(Some(a)), Val::Optional(Some(b))) => same(*a, *b),
        _ => match (Seq::of(a), Seq::of(b)) {
            (Some(a), Some(b)) => equal_lists(a, b),
            (None, None) => match (Entries::of(a), Entries::of(b)) {
                (Some(a), Some(b)) => equal_maps(a, b),
                _ => Tri::False,
            },
            _ => Tri::False,
        },
    }
}

fn equal_lists<'a, N: Node<'a>>(a: Seq<'a, N>, b: Seq<'a, N>) -> Tri {
    let open = a.rest().or(b.rest());
    let longer = |x: Seq<'a, N>, y: Seq<'a, N>| x.len() > y.len() && y.rest().is_none();
    if longer(a, b) || longer(b, a) {
        return Tri::False;
    }
    let mut result = open.map_or(Tri::True, Tri::Unknown);
    for (x, y) in a.iter().zip(b.iter()) {
        match same(x, y) {
            Tri::True => {}
            // Where the unknown elements stand is unknown too.
            Tri::False if open.is_some() => {}
            Tri::False => return Tri::False,
            unknown => result = unknown,
        }
    }
    result
}

fn equal_maps<'a, N: Node<'a>>(a: Entries<'a, N>, b: Entries<'a, N>) -> Tri {
    let mut result = a.rest().or(b.rest()).map_or(Tri::True, Tri::Unknown);
    for (x, y) in [(a, b), (b, a)] {
        for (k, v) in x.iter() {
            match y.iter().find(|(other, _)| equal(k, *other) == Tri::True) {
                Some((_, w)) => match same(v, w) {
                    Tri::True => {}
                    Tri::False => return Tri::False,
                    unknown => result = unknown,
                },
                None if y.rest().is_none() => return Tri::False,
                None => {}
            }
        }
    }
    result
}

/// The order of two values of comparable types. `Some(None)`: comparable but unordered (NaN).
pub(crate) fn compare<'a, N: Node<'a>>(a: Val<'a, N>, b: Val<'a, N>) -> Option<Option<Ordering>> {
    if let Some(order) = numbers(a, b) {
        return Some(order);
    }
    Some(Some(match (a, b) {
        (Val::Str(a), Val::Str(b)) => a.cmp(b),
        (Val::Bool(a), Val::Bool(b)) => a.cmp(&b),
        (Val::Bytes(a), Val::Bytes(b)) => a.cmp(b),
        (Val::Duration(a), Val::Duration(b)) => a.cmp(&b),
        (Val::Timestamp(a), Val::Timestamp(b)) => a.cmp(&b),
        _ => return None,
    }))
}

impl<'a, N: Node<'a>> Machine<'_, 'a, N> {
    pub(super) fn ordering(&mut self, op: BinaryOp, xs: &'a [Ir; 2], span: Span) -> Val<'a, N> {
        self.budget.charge(1);
        let [a, b] = xs;
        let (x, y) = (self.eval(a), self.eval(b));
        let (a, b) = (x.resolve(), y.resolve());
        if a.is_bad() || b.is_bad() {
            let bad = if a.is_bad() { a } else { b };
            return partial::ordering(op, x, y).map_or(bad, Val::Bool);
        }
        let Some(order) = compare(a, b) else {
            return self.overload(op.text(), span);
        };
        let Some(order) = order else {
            return self.fail(ErrorKind::Other, "NaN values cannot be ordered", span);
        };
        Val::Bool(match op {
            BinaryOp::Lt => order.is_lt(),
            BinaryOp::Le => order.is_le(),
            BinaryOp::Gt => order.is_gt(),
            _ => order.is_ge(),
        })
    }
}
