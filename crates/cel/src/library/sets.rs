//! cel-go's `ext.Sets`: lists as sets.

use super::{Call, Given};
use crate::eval::{Tri, same};
use crate::functions::Func;
use crate::val::Seq;
use crate::{Node, Unknown, Val};

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let [a, b] = args else {
        return None;
    };
    if !matches!(
        func,
        Func::SetsContains | Func::SetsEquivalent | Func::SetsIntersects
    ) {
        return None;
    }
    let (a, b) = (Seq::of(*a)?, Seq::of(*b)?);
    c.machine.budget.charge((a.len() * b.len()) as u64);
    let result = match func {
        Func::SetsContains => contains(a, b),
        Func::SetsIntersects => intersects(a, b),
        _ => match (contains(a, b), contains(b, a)) {
            (Tri::False, _) | (_, Tri::False) => Tri::False,
            (Tri::Unknown(u), _) | (_, Tri::Unknown(u)) => Tri::Unknown(u),
            _ => Tri::True,
        },
    };
    Some(match result {
        Tri::True => Val::Bool(true),
        Tri::False => Val::Bool(false),
        Tri::Unknown(u) => Val::Unknown(u),
    })
}

fn holds<'a, N: Node<'a>>(set: Seq<'a, N>, x: Val<'a, N>) -> Tri {
    let mut unknown: Option<Unknown> = set.rest();
    for v in set.iter() {
        match same(v, x) {
            Tri::True => return Tri::True,
            Tri::False => {}
            Tri::Unknown(u) => {
                unknown.get_or_insert(u);
            }
        }
    }
    unknown.map_or(Tri::False, Tri::Unknown)
}

/// Whether every element of `b` is in `a`.
fn contains<'a, N: Node<'a>>(a: Seq<'a, N>, b: Seq<'a, N>) -> Tri {
    let mut unknown = b.rest();
    for x in b.iter() {
        match holds(a, x) {
            Tri::True => {}
            Tri::False => return Tri::False,
            Tri::Unknown(u) => {
                unknown.get_or_insert(u);
            }
        }
    }
    unknown.map_or(Tri::True, Tri::Unknown)
}

fn intersects<'a, N: Node<'a>>(a: Seq<'a, N>, b: Seq<'a, N>) -> Tri {
    let mut unknown = b.rest().filter(|_| !a.is_empty() || a.rest().is_some());
    for x in b.iter() {
        match holds(a, x) {
            Tri::True => return Tri::True,
            Tri::False => {}
            Tri::Unknown(u) => {
                unknown.get_or_insert(u);
            }
        }
    }
    unknown.map_or(Tri::False, Tri::Unknown)
}
