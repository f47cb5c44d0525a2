//! Conversions of constants are done while compiling, and fail there: cel-go does the same under
//! `OptOptimize`, which Kubernetes sets, so such a policy would not be accepted.

use crate::functions::Func;
use crate::ir::{Const, Ir, Op};
use crate::library;
use crate::{Budget, CompileError, Key, Node, Scope, Slot, Span, Unknown, Val, View};
use bumpalo::Bump;

/// The data of an expression that reads none.
#[derive(Clone, Copy)]
struct Nothing;

impl<'a> Node<'a> for Nothing {
    fn view(self) -> View<'a> {
        View::Null
    }
    fn field(self, _: &Key) -> Option<Self> {
        None
    }
    fn field_named(self, _: &str) -> Option<Self> {
        None
    }
    fn item(self, _: usize) -> Option<Self> {
        None
    }
    fn entry(self, _: usize) -> Option<(&'a str, Self)> {
        None
    }
    fn rest(self) -> Option<Unknown> {
        None
    }
    fn same(self, _: Self) -> bool {
        true
    }
}

impl<'a> Scope<'a, Self> for Nothing {
    fn variable(&self, _: Slot) -> Val<'a, Self> {
        Val::Null
    }
}

/// The call, or its value when it converts a constant.
pub(super) fn conversion(func: Func, args: Box<[Ir]>, span: Span) -> Result<Op, CompileError> {
    let converts = matches!(
        func,
        Func::Bool
            | Func::Bytes
            | Func::Double
            | Func::Duration
            | Func::Int
            | Func::String
            | Func::Timestamp
            | Func::Uint
    );
    let constant = match &*args {
        [
            Ir {
                op: Op::Const(constant),
                ..
            },
        ] if converts => constant,
        [x] if converts && is_constant(x) => {
            return Err(CompileError::new("a list or map cannot be converted", span));
        }
        _ => return Ok(Op::Call(func, args)),
    };
    let bump = Bump::new();
    let budget = Budget::default();
    match library::convert_constant::<Nothing>(
        func,
        constant.value(),
        &Nothing,
        &bump,
        &budget,
        span,
    ) {
        Val::Error(e) => Err(CompileError::new(e.to_string(), span)),
        v => match Const::of(v) {
            Some(c) => Ok(Op::Const(c)),
            None => Ok(Op::Call(func, args)),
        },
    }
}

/// A literal of literals.
fn is_constant(ir: &Ir) -> bool {
    match &ir.op {
        Op::Const(_) => true,
        Op::List(items) => items
            .iter()
            .all(|(optional, x)| !optional && is_constant(x)),
        Op::Map(entries) => entries
            .iter()
            .all(|(optional, k, v)| !optional && is_constant(k) && is_constant(v)),
        _ => false,
    }
}
