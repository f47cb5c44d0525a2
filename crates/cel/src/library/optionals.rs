//! Optional values.

use super::{Call, Given};
use crate::eval::Machine;
use crate::functions::Func;
use crate::ir::Ir;
use crate::val::{Entries, Seq};
use crate::{Node, Val};
use bumpalo::collections::Vec as BumpVec;

/// `a.or(b)` and `a.orValue(b)`: the second is only evaluated when it is needed.
pub(crate) fn or<'a, N: Node<'a>>(
    m: &mut Machine<'_, 'a, N>,
    func: Func,
    a: &'a Ir,
    b: &'a Ir,
) -> Val<'a, N> {
    let first = m.eval(a).resolve();
    match first {
        Val::Optional(Some(inner)) if func == Func::OrValue => *inner,
        Val::Optional(Some(_)) => first,
        Val::Optional(None) => m.eval(b),
        // What is no optional is its own value, as in cel-go.
        v => v,
    }
}

fn is_zero<'a, N: Node<'a>>(v: Val<'a, N>) -> bool {
    match v {
        Val::Null | Val::Bool(false) | Val::Int(0) | Val::Uint(0) | Val::Str("") => true,
        Val::Double(d) => d == 0.0,
        Val::Bytes(b) => b.is_empty(),
        Val::Duration(d) => d.0 == 0,
        Val::Timestamp(t) => t.seconds == -62_135_596_800 && t.nanos == 0,
        _ => match Seq::of(v) {
            Some(s) => s.is_empty(),
            None => Entries::of(v).is_some_and(|e| e.len() == 0),
        },
    }
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    Some(match (func, args) {
        (Func::OptionalNone, []) => Val::Optional(None),
        (Func::OptionalOf, [x]) => c.machine.some(*x),
        (Func::OptionalOfNonZero, [x]) => {
            if is_zero(*x) {
                Val::Optional(None)
            } else {
                c.machine.some(*x)
            }
        }
        (Func::HasValue, [Val::Optional(o)]) => Val::Bool(o.is_some()),
        (Func::Value, [Val::Optional(o)]) => match o {
            Some(v) => **v,
            None => c.fail("optional.none() dereference"),
        },
        (Func::First, [x]) => {
            let seq = Seq::of(*x)?;
            match (seq.get(0), seq.rest()) {
                (Some(v), _) => c.machine.some(v),
                (None, Some(u)) => Val::Unknown(u),
                (None, None) => Val::Optional(None),
            }
        }
        (Func::Last, [x]) => {
            let seq = Seq::of(*x)?;
            match seq.len().checked_sub(1).and_then(|i| seq.get(i)) {
                Some(v) => c.machine.some(v),
                None => Val::Optional(None),
            }
        }
        (Func::Unwrap | Func::UnwrapOpt, [x]) => {
            let mut items = BumpVec::new_in(c.machine.bump);
            for v in Seq::of(*x)?.iter() {
                match v.resolve() {
                    Val::Optional(Some(inner)) => items.push(*inner),
                    Val::Optional(None) => {}
                    v if v.is_bad() => return Some(v),
                    _ => return None,
                }
            }
            c.list(items)
        }
        _ => return None,
    })
}
