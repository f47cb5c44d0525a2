//! What a program executes: the syntax tree with names resolved to slots, field names to
//! symbols, functions to numbers and constant patterns to lazily built regexes.

use crate::ast::{BinaryOp, Macro};
use crate::functions::Func;
use crate::library::regex::Pattern;
use crate::{Duration, Key, Node, Slot, Span, Timestamp, Val};

/// One step with its place in the source.
#[derive(Debug)]
pub(crate) struct Ir {
    pub(crate) op: Op,
    pub(crate) span: Span,
}

/// The steps.
#[derive(Debug)]
pub(crate) enum Op {
    Const(Const),
    Var(Slot),
    /// `root.?member` of a member with its own slot
    OptVar(Slot),
    /// `has(root.member)` of a member with its own slot
    HasVar(Slot),
    Local(u16),
    Field(Box<Ir>, Key),
    OptField(Box<Ir>, Key),
    Has(Box<Ir>, Key),
    Index(Box<Ir>, Box<Ir>),
    OptIndex(Box<Ir>, Box<Ir>),
    /// an index that is a constant string
    IndexKey(Box<Ir>, Key),
    Not(Box<Ir>),
    Neg(Box<Ir>),
    Eq(Box<[Ir; 2]>),
    Ne(Box<[Ir; 2]>),
    Compare(BinaryOp, Box<[Ir; 2]>),
    In(Box<[Ir; 2]>),
    /// `x in [constants]`
    InConsts(Box<Ir>, Box<[Const]>),
    Arith(BinaryOp, Box<[Ir; 2]>),
    And(Box<[Ir]>),
    Or(Box<[Ir]>),
    Ternary(Box<[Ir; 3]>),
    List(Box<[(bool, Ir)]>),
    Map(Box<[(bool, Ir, Ir)]>),
    Call(Func, Box<[Ir]>),
    /// `matches`, `find`, `findAll` with a constant pattern: receiver, pattern, limit
    Regex(Func, Box<Ir>, Box<Pattern>, Option<Box<Ir>>),
    Macro(Box<MacroIr>),
    /// the values of some locals, then the body
    Bind(u16, Box<[Ir]>, Box<Ir>),
}

/// A macro over a list, map or optional.
#[derive(Debug)]
pub(crate) struct MacroIr {
    pub(crate) kind: Macro,
    pub(crate) target: Ir,
    /// the first variable's local; a second one follows it
    pub(crate) local: u16,
    pub(crate) two: bool,
    pub(crate) args: Box<[Ir]>,
}

/// A constant.
#[derive(Debug, Clone)]
pub(crate) enum Const {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Str(Box<str>),
    Bytes(Box<[u8]>),
    Type(&'static str),
    Duration(Duration),
    Timestamp(Timestamp),
}

impl Const {
    /// A constant of a value, where there is one.
    pub(crate) fn of<'a, N: Node<'a>>(v: Val<'a, N>) -> Option<Self> {
        Some(match v {
            Val::Null => Self::Null,
            Val::Bool(b) => Self::Bool(b),
            Val::Int(i) => Self::Int(i),
            Val::Uint(u) => Self::Uint(u),
            Val::Double(d) => Self::Double(d),
            Val::Str(s) => Self::Str(s.into()),
            Val::Bytes(b) => Self::Bytes(b.into()),
            Val::Duration(d) => Self::Duration(d),
            Val::Timestamp(t) => Self::Timestamp(t),
            _ => return None,
        })
    }

    #[inline]
    pub(crate) fn value<'a, N: Node<'a>>(&'a self) -> Val<'a, N> {
        match self {
            Self::Null => Val::Null,
            Self::Bool(b) => Val::Bool(*b),
            Self::Int(i) => Val::Int(*i),
            Self::Uint(u) => Val::Uint(*u),
            Self::Double(d) => Val::Double(*d),
            Self::Str(s) => Val::Str(s),
            Self::Bytes(b) => Val::Bytes(b),
            Self::Type(t) => Val::Type(t),
            Self::Duration(d) => Val::Duration(*d),
            Self::Timestamp(t) => Val::Timestamp(*t),
        }
    }
}

impl Ir {
    /// Calls `f` with every direct part.
    pub(crate) fn children<'e>(&'e self, f: &mut dyn FnMut(&'e Self)) {
        match &self.op {
            Op::Const(_) | Op::Var(_) | Op::OptVar(_) | Op::HasVar(_) | Op::Local(_) => {}
            Op::Field(x, _)
            | Op::OptField(x, _)
            | Op::Has(x, _)
            | Op::IndexKey(x, _)
            | Op::InConsts(x, _)
            | Op::Not(x)
            | Op::Neg(x) => f(x),
            Op::Index(a, b) | Op::OptIndex(a, b) => {
                f(a);
                f(b);
            }
            Op::Eq(xs) | Op::Ne(xs) | Op::Compare(_, xs) | Op::In(xs) | Op::Arith(_, xs) => {
                xs.iter().for_each(f);
            }
            Op::And(xs) | Op::Or(xs) | Op::Call(_, xs) => xs.iter().for_each(f),
            Op::Ternary(xs) => xs.iter().for_each(f),
            Op::List(xs) => xs.iter().for_each(|(_, x)| f(x)),
            Op::Map(xs) => {
                for (_, k, v) in xs {
                    f(k);
                    f(v);
                }
            }
            Op::Regex(_, x, _, limit) => {
                f(x);
                if let Some(l) = limit {
                    f(l);
                }
            }
            Op::Macro(m) => {
                f(&m.target);
                m.args.iter().for_each(f);
            }
            Op::Bind(_, values, body) => {
                values.iter().for_each(&mut *f);
                f(body);
            }
        }
    }
}
