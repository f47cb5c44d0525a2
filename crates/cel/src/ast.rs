//! The syntax tree: what was written, with spans and with macros as nodes of their own.
//!
//! Public, so that exporters can rewrite expressions; [`Expr`]'s `Display` prints source that
//! parses to the same tree.

mod print;

use crate::Span;

/// An expression and where it stands in its source.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, in bytes.
    pub span: Span,
}

/// Two expressions are equal when they say the same, wherever they stand.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A name; with a leading dot when written so.
    Ident(Box<str>),
    /// `operand.field`, `operand.?field`
    Select {
        /// What is read.
        operand: Box<Expr>,
        /// The field's name, without backticks.
        field: Box<str>,
        /// `.?`: gives an optional.
        optional: bool,
    },
    /// `operand[index]`, `operand[?index]`
    Index {
        /// What is read.
        operand: Box<Expr>,
        /// The key or index.
        index: Box<Expr>,
        /// `[?`: gives an optional.
        optional: bool,
    },
    /// `has(operand.field)`
    Has {
        /// What is looked into.
        operand: Box<Expr>,
        /// The field's name.
        field: Box<str>,
    },
    /// `function(args)`, `target.function(args)`
    Call {
        /// The receiver, or the namespace of a function such as `math.abs`.
        target: Option<Box<Expr>>,
        /// The function's name.
        function: Box<str>,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `!x`
    Not(Box<Expr>),
    /// `-x`
    Neg(Box<Expr>),
    /// `left op right`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Its left side.
        left: Box<Expr>,
        /// Its right side.
        right: Box<Expr>,
    },
    /// `a && b && …`
    And(Vec<Expr>),
    /// `a || b || …`
    Or(Vec<Expr>),
    /// `condition ? then : otherwise`
    Ternary {
        /// What decides.
        condition: Box<Expr>,
        /// The value when it is true.
        then: Box<Expr>,
        /// The value when it is false.
        otherwise: Box<Expr>,
    },
    /// `[a, ?b]`
    List(Vec<Element>),
    /// `{k: v, ?k: v}`
    Map(Vec<Entry>),
    /// `Name{field: value}`: parsed, but no program can make messages.
    Message(Box<str>, Vec<(Box<str>, Expr)>),
    /// A macro over a list, map or optional.
    Macro {
        /// Which one.
        kind: Macro,
        /// What it goes over.
        target: Box<Expr>,
        /// The variables it declares: one or two.
        vars: Vec<Box<str>>,
        /// What is evaluated for each element.
        args: Vec<Expr>,
    },
    /// `cel.bind(name, value, body)`
    Bind {
        /// The variable it declares.
        name: Box<str>,
        /// Its value.
        value: Box<Expr>,
        /// Where it is visible.
        body: Box<Expr>,
    },
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.0`
    Double(f64),
    /// `"text"`
    Str(Box<str>),
    /// `b"text"`
    Bytes(Box<[u8]>),
}

/// An element of a list literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// `?x`: left out when the optional is none.
    pub optional: bool,
    /// Its value.
    pub value: Expr,
}

/// An entry of a map literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `?k: v`: left out when the optional is none.
    pub optional: bool,
    /// Its key.
    pub key: Expr,
    /// Its value.
    pub value: Expr,
}

/// The operators with two sides other than `&&` and `||`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl BinaryOp {
    /// How it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }
}

/// The macros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Macro {
    /// `.all(x, p)`, `.all(i, x, p)`
    All,
    /// `.exists(x, p)`, `.exists(i, x, p)`
    Exists,
    /// `.exists_one(x, p)`, `.existsOne(i, x, p)`
    ExistsOne,
    /// `.map(x, e)`, `.map(x, p, e)`
    Map,
    /// `.filter(x, p)`
    Filter,
    /// `.transformList(i, x, e)`, `.transformList(i, x, p, e)`
    TransformList,
    /// `.transformMap(k, v, e)`, `.transformMap(k, v, p, e)`
    TransformMap,
    /// `.transformMapEntry(k, v, m)`, `.transformMapEntry(k, v, p, m)`
    TransformMapEntry,
    /// `.optMap(x, e)`
    OptMap,
    /// `.optFlatMap(x, e)`
    OptFlatMap,
    /// `.sortBy(x, key)`
    SortBy,
}

impl Macro {
    /// How it is written with this number of variables.
    #[must_use]
    pub fn name(self, vars: usize) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne if vars == 2 => "existsOne",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
            Self::TransformList => "transformList",
            Self::TransformMap => "transformMap",
            Self::TransformMapEntry => "transformMapEntry",
            Self::OptMap => "optMap",
            Self::OptFlatMap => "optFlatMap",
            Self::SortBy => "sortBy",
        }
    }
}

impl Expr {
    /// An expression at a place.
    #[must_use]
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The name when this is a plain name.
    #[must_use]
    pub fn as_ident(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Ident(name) => Some(name),
            _ => None,
        }
    }

    /// Calls `f` with every direct part of the expression, in the order of the source.
    pub fn children<'e>(&'e self, f: &mut dyn FnMut(&'e Self)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Ident(_) => {}
            ExprKind::Select { operand, .. } | ExprKind::Has { operand, .. } => f(operand),
            ExprKind::Index { operand, index, .. } => {
                f(operand);
                f(index);
            }
            ExprKind::Call { target, args, .. } => {
                if let Some(t) = target {
                    f(t);
                }
                args.iter().for_each(f);
            }
            ExprKind::Not(x) | ExprKind::Neg(x) => f(x),
            ExprKind::Binary { left, right, .. } => {
                f(left);
                f(right);
            }
            ExprKind::And(xs) | ExprKind::Or(xs) => xs.iter().for_each(f),
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                f(condition);
                f(then);
                f(otherwise);
            }
            ExprKind::List(xs) => xs.iter().for_each(|e| f(&e.value)),
            ExprKind::Map(xs) => {
                for e in xs {
                    f(&e.key);
                    f(&e.value);
                }
            }
            ExprKind::Message(_, fields) => fields.iter().for_each(|(_, e)| f(e)),
            ExprKind::Macro { target, args, .. } => {
                f(target);
                args.iter().for_each(f);
            }
            ExprKind::Bind { value, body, .. } => {
                f(value);
                f(body);
            }
        }
    }

    /// As [`Self::children`], to change them.
    pub fn children_mut(&mut self, f: &mut dyn FnMut(&mut Self)) {
        match &mut self.kind {
            ExprKind::Literal(_) | ExprKind::Ident(_) => {}
            ExprKind::Select { operand, .. } | ExprKind::Has { operand, .. } => f(operand),
            ExprKind::Index { operand, index, .. } => {
                f(operand);
                f(index);
            }
            ExprKind::Call { target, args, .. } => {
                if let Some(t) = target {
                    f(t);
                }
                args.iter_mut().for_each(f);
            }
            ExprKind::Not(x) | ExprKind::Neg(x) => f(x),
            ExprKind::Binary { left, right, .. } => {
                f(left);
                f(right);
            }
            ExprKind::And(xs) | ExprKind::Or(xs) => xs.iter_mut().for_each(f),
            ExprKind::Ternary {
                condition,
                then,
                otherwise,
            } => {
                f(condition);
                f(then);
                f(otherwise);
            }
            ExprKind::List(xs) => xs.iter_mut().for_each(|e| f(&mut e.value)),
            ExprKind::Map(xs) => {
                for e in xs {
                    f(&mut e.key);
                    f(&mut e.value);
                }
            }
            ExprKind::Message(_, fields) => fields.iter_mut().for_each(|(_, e)| f(e)),
            ExprKind::Macro { target, args, .. } => {
                f(target);
                args.iter_mut().for_each(f);
            }
            ExprKind::Bind { value, body, .. } => {
                f(value);
                f(body);
            }
        }
    }
}
