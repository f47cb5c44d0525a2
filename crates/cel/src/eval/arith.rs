//! Arithmetic, concatenation, and the arithmetic of times.

use super::Machine;
use crate::ast::BinaryOp;
use crate::error::ErrorKind;
use crate::val::Seq;
use crate::{Node, Span, Val};
use bumpalo::collections::Vec as BumpVec;

impl<'a, N: Node<'a>> Machine<'_, 'a, N> {
    pub(super) fn negate(&self, v: Val<'a, N>, span: Span) -> Val<'a, N> {
        self.budget.charge(1);
        match v {
            Val::Int(i) => match i.checked_neg() {
                Some(n) => Val::Int(n),
                None => self.fail(ErrorKind::Overflow, "integer", span),
            },
            Val::Double(d) => Val::Double(-d),
            Val::Duration(d) => match d.0.checked_neg() {
                Some(n) => Val::Duration(crate::Duration(n)),
                None => self.fail(ErrorKind::Overflow, "duration", span),
            },
            v if v.is_bad() => v,
            _ => self.overload("-", span),
        }
    }

    /// `a op b`; both resolved.
    pub(crate) fn arith(
        &self,
        op: BinaryOp,
        a: Val<'a, N>,
        b: Val<'a, N>,
        span: Span,
    ) -> Val<'a, N> {
        self.budget.charge(1);
        if a.is_bad() {
            return a;
        }
        if b.is_bad() {
            return b;
        }
        let result = match (a, b) {
            (Val::Int(a), Val::Int(b)) => int(op, a, b).map(|r| r.map(Val::Int)),
            (Val::Uint(a), Val::Uint(b)) => uint(op, a, b).map(|r| r.map(Val::Uint)),
            (Val::Double(a), Val::Double(b)) => double(op, a, b).map(|d| Ok(Val::Double(d))),
            _ if op == BinaryOp::Add => return self.concat(a, b, span),
            _ if op == BinaryOp::Sub => self.subtract_time(a, b),
            _ => None,
        };
        match result {
            Some(Ok(v)) => v,
            Some(Err((kind, what))) => self.fail(kind, what, span),
            None => self.overload(op.text(), span),
        }
    }

    fn subtract_time(&self, a: Val<'a, N>, b: Val<'a, N>) -> Option<Outcome<Val<'a, N>>> {
        let overflow = |what| (ErrorKind::Overflow, what);
        Some(match (a, b) {
            (Val::Duration(a), Val::Duration(b)) => a
                .checked_sub(b)
                .map(Val::Duration)
                .ok_or_else(|| overflow("duration")),
            (Val::Timestamp(a), Val::Duration(b)) => a
                .checked_sub(b)
                .map(Val::Timestamp)
                .ok_or_else(|| overflow("timestamp")),
            (Val::Timestamp(a), Val::Timestamp(b)) => a
                .since(b)
                .map(Val::Duration)
                .ok_or_else(|| overflow("duration")),
            _ => return None,
        })
    }

    fn concat(&self, a: Val<'a, N>, b: Val<'a, N>, span: Span) -> Val<'a, N> {
        let time = |t: Option<Val<'a, N>>, what| {
            t.unwrap_or_else(|| self.fail(ErrorKind::Overflow, what, span))
        };
        match (a, b) {
            (Val::Str(a), Val::Str(b)) => {
                self.budget.charge((a.len() + b.len()) as u64 / 10);
                let mut s =
                    bumpalo::collections::String::with_capacity_in(a.len() + b.len(), self.bump);
                s.push_str(a);
                s.push_str(b);
                Val::Str(s.into_bump_str())
            }
            (Val::Bytes(a), Val::Bytes(b)) => {
                self.budget.charge((a.len() + b.len()) as u64 / 10);
                let mut v = BumpVec::with_capacity_in(a.len() + b.len(), self.bump);
                v.extend_from_slice_copy(a);
                v.extend_from_slice_copy(b);
                Val::Bytes(v.into_bump_slice())
            }
            (Val::Duration(a), Val::Duration(b)) => {
                time(a.checked_add(b).map(Val::Duration), "duration")
            }
            (Val::Timestamp(t), Val::Duration(d)) | (Val::Duration(d), Val::Timestamp(t)) => {
                time(t.checked_add(d).map(Val::Timestamp), "timestamp")
            }
            _ => match (Seq::of(a), Seq::of(b)) {
                (Some(x), Some(y)) => {
                    if x.is_empty() && x.rest().is_none() {
                        return b;
                    }
                    if y.is_empty() && y.rest().is_none() {
                        return a;
                    }
                    self.budget.charge((x.len() + y.len()) as u64 / 10);
                    let mut items = BumpVec::with_capacity_in(x.len() + y.len(), self.bump);
                    items.extend(x.iter());
                    items.extend(y.iter());
                    let rest = x.rest().or(y.rest());
                    Val::List(self.bump.alloc(crate::List {
                        items: items.into_bump_slice(),
                        rest,
                    }))
                }
                _ => self.overload("+", span),
            },
        }
    }
}

type Outcome<T> = Result<T, (ErrorKind, &'static str)>;

fn int(op: BinaryOp, a: i64, b: i64) -> Option<Outcome<i64>> {
    let overflow = (ErrorKind::Overflow, "integer");
    Some(match op {
        BinaryOp::Add => a.checked_add(b).ok_or(overflow),
        BinaryOp::Sub => a.checked_sub(b).ok_or(overflow),
        BinaryOp::Mul => a.checked_mul(b).ok_or(overflow),
        BinaryOp::Div if b == 0 => Err((ErrorKind::DivideByZero, "")),
        BinaryOp::Div => a.checked_div(b).ok_or(overflow),
        BinaryOp::Rem if b == 0 => Err((ErrorKind::ModulusByZero, "")),
        BinaryOp::Rem => a.checked_rem(b).ok_or(overflow),
        _ => return None,
    })
}

fn uint(op: BinaryOp, a: u64, b: u64) -> Option<Outcome<u64>> {
    let overflow = (ErrorKind::Overflow, "unsigned integer");
    Some(match op {
        BinaryOp::Add => a.checked_add(b).ok_or(overflow),
        BinaryOp::Sub => a.checked_sub(b).ok_or(overflow),
        BinaryOp::Mul => a.checked_mul(b).ok_or(overflow),
        BinaryOp::Div => a.checked_div(b).ok_or((ErrorKind::DivideByZero, "")),
        BinaryOp::Rem => a.checked_rem(b).ok_or((ErrorKind::ModulusByZero, "")),
        _ => return None,
    })
}

fn double(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    Some(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        _ => return None,
    })
}
