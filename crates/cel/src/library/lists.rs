//! Lists: Kubernetes' own functions and cel-go's `ext.Lists`.

use super::{Call, Given};
use crate::ast::BinaryOp;
use crate::error::ErrorKind;
use crate::eval::{Machine, Tri, compare, same};
use crate::functions::Func;
use crate::val::Seq;
use crate::{List, Node, Span, Unknown, Val};
use bumpalo::collections::Vec as BumpVec;
use std::cmp::Ordering;

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    if let (Func::Range, [Val::Int(n)]) = (func, args) {
        return Some(range(c, *n));
    }
    let (first, rest) = args.split_first()?;
    let seq = Seq::of(*first)?;
    c.machine.budget.charge(seq.len() as u64);
    match (func, rest) {
        (Func::IsSorted, []) => is_sorted(seq),
        (Func::Sum, []) => sum(c, seq),
        (Func::Min, []) => extreme(c, seq, Ordering::Less, "min"),
        (Func::Max, []) => extreme(c, seq, Ordering::Greater, "max"),
        (Func::IndexOf, [x]) => Some(position(seq, *x, false)),
        (Func::LastIndexOf, [x]) => Some(position(seq, *x, true)),
        (Func::Slice, [Val::Int(a), Val::Int(b)]) => Some(slice(c, seq, *a, *b)),
        (Func::Flatten, []) => flatten(c, seq, 1),
        (Func::Flatten, [Val::Int(depth)]) => flatten(c, seq, *depth),
        (Func::Distinct, []) => Some(distinct(c, seq)),
        (Func::Sort, []) => {
            let mut keys = BumpVec::with_capacity_in(seq.len(), c.machine.bump);
            for v in seq.iter() {
                let v = v.resolve();
                if v.is_bad() {
                    return Some(v);
                }
                keys.push(v);
            }
            Some(sort(c.machine, *first, seq, &keys, c.span))
        }
        (Func::Reverse, []) => {
            let items = (0..seq.len()).rev().filter_map(|i| seq.get(i));
            Some(open(
                c,
                BumpVec::from_iter_in(items, c.machine.bump),
                seq.rest(),
            ))
        }
        _ => None,
    }
}

fn open<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    items: BumpVec<'a, Val<'a, N>>,
    rest: Option<Unknown>,
) -> Val<'a, N> {
    c.machine.budget.charge(10 + items.len() as u64);
    Val::List(c.machine.bump.alloc(List {
        items: items.into_bump_slice(),
        rest,
    }))
}

fn range<'a, N: Node<'a>>(c: Call<'_, 'a, N>, n: i64) -> Val<'a, N> {
    c.machine.budget.charge(u64::try_from(n).unwrap_or(0));
    if c.machine.budget.exhausted() {
        return Val::Null;
    }
    c.list(BumpVec::from_iter_in((0..n).map(Val::Int), c.machine.bump))
}

fn is_sorted<'a, N: Node<'a>>(seq: Seq<'a, N>) -> Given<'a, N> {
    let mut last: Option<Val<'a, N>> = None;
    for v in seq.iter() {
        let v = v.resolve();
        if v.is_bad() {
            return Some(v);
        }
        compare(v, v)?;
        // NaN and values of another type compare to nothing.
        if last.and_then(|last| compare(last, v)).flatten() == Some(Ordering::Greater) {
            return Some(Val::Bool(false));
        }
        last = Some(v);
    }
    Some(Val::Bool(true))
}

fn sum<'a, N: Node<'a>>(c: Call<'_, 'a, N>, seq: Seq<'a, N>) -> Given<'a, N> {
    let mut total: Option<Val<'a, N>> = None;
    for v in seq.iter() {
        let v = v.resolve();
        if v.is_bad() {
            return Some(v);
        }
        if !matches!(
            v,
            Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Duration(_)
        ) {
            return None;
        }
        total = Some(match total {
            None => v,
            Some(t) => c.machine.arith(BinaryOp::Add, t, v, c.span),
        });
        if total.is_some_and(Val::is_bad) {
            return total;
        }
    }
    total.or(Some(Val::Int(0)))
}

fn extreme<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    seq: Seq<'a, N>,
    wanted: Ordering,
    name: &str,
) -> Given<'a, N> {
    let mut best: Option<Val<'a, N>> = None;
    for v in seq.iter() {
        let v = v.resolve();
        if v.is_bad() {
            return Some(v);
        }
        compare(v, v)?;
        best = match best {
            None => Some(v),
            Some(b) if compare(v, b).flatten() == Some(wanted) => Some(v),
            other => other,
        };
    }
    Some(best.unwrap_or_else(|| c.fail(&format!("{name} called on empty list"))))
}

fn position<'a, N: Node<'a>>(seq: Seq<'a, N>, x: Val<'a, N>, last: bool) -> Val<'a, N> {
    if let (true, Some(u)) = (last, seq.rest()) {
        return Val::Unknown(u);
    }
    let mut found = seq.rest().map_or(Val::Int(-1), Val::Unknown);
    for (i, v) in seq.iter().enumerate() {
        match same(v, x) {
            Tri::True => {
                found = Val::Int(i64::try_from(i).unwrap_or(i64::MAX));
                if !last {
                    break;
                }
            }
            Tri::False => {}
            Tri::Unknown(u) => return Val::Unknown(u),
        }
    }
    found
}

fn slice<'a, N: Node<'a>>(c: Call<'_, 'a, N>, seq: Seq<'a, N>, from: i64, to: i64) -> Val<'a, N> {
    let length = i64::try_from(seq.len()).unwrap_or(i64::MAX);
    let why = match (from, to) {
        (a, b) if a < 0 || b < 0 => "negative indexes not supported".to_owned(),
        (a, b) if a > b => "start index must be less than or equal to end index".to_owned(),
        (_, b) if length < b => match seq.rest() {
            Some(u) => return Val::Unknown(u),
            None => format!("list is length {length}"),
        },
        (a, b) => {
            let items = (a..b).filter_map(|i| seq.get(usize::try_from(i).ok()?));
            return c.list(BumpVec::from_iter_in(items, c.machine.bump));
        }
    };
    c.fail(&format!("cannot slice({from}, {to}), {why}"))
}

fn flatten<'a, N: Node<'a>>(c: Call<'_, 'a, N>, seq: Seq<'a, N>, depth: i64) -> Given<'a, N> {
    if depth < 0 {
        return Some(c.fail("level must be non-negative"));
    }
    let mut items = BumpVec::new_in(c.machine.bump);
    let mut rest = None;
    flatten_into(&mut items, &mut rest, seq, depth.min(250));
    Some(open(c, items, rest))
}

fn flatten_into<'a, N: Node<'a>>(
    out: &mut BumpVec<'a, Val<'a, N>>,
    rest: &mut Option<Unknown>,
    seq: Seq<'a, N>,
    depth: i64,
) {
    *rest = rest.or(seq.rest());
    for v in seq.iter() {
        match Seq::of(v.resolve()) {
            Some(inner) if depth > 0 => flatten_into(out, rest, inner, depth - 1),
            _ => out.push(v),
        }
    }
}

fn distinct<'a, N: Node<'a>>(c: Call<'_, 'a, N>, seq: Seq<'a, N>) -> Val<'a, N> {
    let mut items: BumpVec<'a, Val<'a, N>> = BumpVec::new_in(c.machine.bump);
    let mut rest = seq.rest();
    for v in seq.iter() {
        c.machine.budget.charge(items.len() as u64);
        let mut new = true;
        for other in &items {
            match same(v, *other) {
                Tri::True => {
                    new = false;
                    break;
                }
                Tri::False => {}
                Tri::Unknown(u) => {
                    rest.get_or_insert(u);
                }
            }
        }
        if new {
            items.push(v);
        }
        if c.machine.budget.exhausted() {
            break;
        }
    }
    open(c, items, rest)
}

/// The items in the order of their keys, which must be of one comparable type.
pub(crate) fn sort<'a, N: Node<'a>>(
    m: &Machine<'_, 'a, N>,
    list: Val<'a, N>,
    seq: Seq<'a, N>,
    keys: &[Val<'a, N>],
    span: Span,
) -> Val<'a, N> {
    let Some(first) = keys.first() else {
        return list;
    };
    m.budget.charge((keys.len() * keys.len()) as u64 / 4);
    if compare(*first, *first).is_none() {
        return m.fail(ErrorKind::Other, "list elements must be comparable", span);
    }
    if keys.iter().any(|k| k.type_name() != first.type_name()) {
        return m.fail(
            ErrorKind::Other,
            "list elements must have the same type",
            span,
        );
    }
    let mut order: BumpVec<'a, usize> = BumpVec::from_iter_in(0..keys.len(), m.bump);
    order.sort_by(|a, b| match (keys.get(*a), keys.get(*b)) {
        (Some(a), Some(b)) => compare(*a, *b).flatten().unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    });
    let items = BumpVec::from_iter_in(order.iter().filter_map(|i| seq.get(*i)), m.bump);
    Val::List(m.bump.alloc(List {
        items: items.into_bump_slice(),
        rest: seq.rest(),
    }))
}
