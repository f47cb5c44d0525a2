//! cel-go's `ext.Math`.

use super::{Call, Given};
use crate::error::ErrorKind;
use crate::eval::compare;
use crate::functions::Func;
use crate::val::Seq;
use crate::{Node, Val};
use std::cmp::Ordering;

fn is_number<'a, N: Node<'a>>(v: Val<'a, N>) -> bool {
    matches!(v, Val::Int(_) | Val::Uint(_) | Val::Double(_))
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    match func {
        Func::Greatest => return extreme(c, args, Ordering::Greater),
        Func::Least => return extreme(c, args, Ordering::Less),
        _ => {}
    }
    Some(match (func, args) {
        (Func::Ceil, [Val::Double(d)]) => Val::Double(d.ceil()),
        (Func::Floor, [Val::Double(d)]) => Val::Double(d.floor()),
        (Func::Round, [Val::Double(d)]) => Val::Double(d.round()),
        (Func::Trunc, [Val::Double(d)]) => Val::Double(d.trunc()),
        (Func::Abs, [Val::Double(d)]) => Val::Double(d.abs()),
        (Func::Abs, [Val::Uint(u)]) => Val::Uint(*u),
        (Func::Abs, [Val::Int(i)]) => match i.checked_abs() {
            Some(n) => Val::Int(n),
            None => c.kind(ErrorKind::Overflow, "integer"),
        },
        (Func::MathSign, [Val::Double(d)]) => Val::Double(if d.is_nan() || *d == 0.0 {
            d + 0.0
        } else {
            d.signum()
        }),
        (Func::MathSign, [Val::Int(i)]) => Val::Int(i.signum()),
        (Func::MathSign, [Val::Uint(u)]) => Val::Uint((*u).min(1)),
        (Func::Sqrt, [Val::Double(d)]) => Val::Double(d.sqrt()),
        (Func::Sqrt, [Val::Int(i)]) => Val::Double((*i as f64).sqrt()),
        (Func::Sqrt, [Val::Uint(u)]) => Val::Double((*u as f64).sqrt()),
        (Func::IsNan, [Val::Double(d)]) => Val::Bool(d.is_nan()),
        (Func::IsInf, [Val::Double(d)]) => Val::Bool(d.is_infinite()),
        (Func::IsFinite, [Val::Double(d)]) => Val::Bool(d.is_finite()),
        (Func::BitNot, [Val::Int(a)]) => Val::Int(!a),
        (Func::BitNot, [Val::Uint(a)]) => Val::Uint(!a),
        (Func::BitAnd, [Val::Int(a), Val::Int(b)]) => Val::Int(a & b),
        (Func::BitAnd, [Val::Uint(a), Val::Uint(b)]) => Val::Uint(a & b),
        (Func::BitOr, [Val::Int(a), Val::Int(b)]) => Val::Int(a | b),
        (Func::BitOr, [Val::Uint(a), Val::Uint(b)]) => Val::Uint(a | b),
        (Func::BitXor, [Val::Int(a), Val::Int(b)]) => Val::Int(a ^ b),
        (Func::BitXor, [Val::Uint(a), Val::Uint(b)]) => Val::Uint(a ^ b),
        (Func::BitShiftLeft | Func::BitShiftRight, [x, Val::Int(by)]) => {
            return shift(c, func, *x, *by);
        }
        _ => return None,
    })
}

/// Shifts right fill with zeros for signed numbers too.
fn shift<'a, N: Node<'a>>(c: Call<'_, 'a, N>, func: Func, x: Val<'a, N>, by: i64) -> Given<'a, N> {
    let (bits, signed) = match x {
        Val::Int(i) => (i.cast_unsigned(), true),
        Val::Uint(u) => (u, false),
        _ => return None,
    };
    let Ok(by) = u32::try_from(by.min(64)) else {
        let name = if func == Func::BitShiftLeft {
            "bitShiftLeft"
        } else {
            "bitShiftRight"
        };
        return Some(c.fail(&format!("math.{name}() negative offset: {by}")));
    };
    let moved = match func {
        Func::BitShiftLeft => bits.checked_shl(by),
        _ => bits.checked_shr(by),
    }
    .unwrap_or(0);
    Some(if signed {
        Val::Int(moved.cast_signed())
    } else {
        Val::Uint(moved)
    })
}

fn extreme<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    args: &[Val<'a, N>],
    wanted: Ordering,
) -> Given<'a, N> {
    let mut best: Option<Val<'a, N>> = None;
    let mut take = |v: Val<'a, N>| -> Option<()> {
        if !is_number(v) {
            return None;
        }
        let better = match best {
            None => true,
            Some(b) => compare(v, b)? == Some(wanted),
        };
        if better {
            best = Some(v);
        }
        Some(())
    };
    if let [list] = args
        && let Some(seq) = Seq::of(*list)
    {
        for v in seq.iter() {
            let v = v.resolve();
            if v.is_bad() {
                return Some(v);
            }
            take(v)?;
        }
        return Some(best.unwrap_or_else(|| c.fail("the list is empty")));
    }
    for v in args {
        take(*v)?;
    }
    best
}
