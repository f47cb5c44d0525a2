//! A configuration as it is evaluated: one tree for the native and the JSON syntax, in an
//! arena, with the place of everything. It leaves out comments and layout.

use bicep::source::Span;

/// What stands between braces.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Body<'a> {
    pub(crate) attributes: &'a [Attribute<'a>],
    pub(crate) blocks: &'a [Block<'a>],
}

/// `name = value`
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) name_span: Span,
    pub(crate) value: Expr<'a>,
}

/// `kind "label" { … }`
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) kind: &'a str,
    pub(crate) labels: &'a [&'a str],
    /// The kind and the labels.
    pub(crate) head: Span,
    pub(crate) body: Body<'a>,
}

/// An expression and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expr<'a> {
    pub(crate) span: Span,
    pub(crate) kind: Kind<'a>,
}

/// What an [`Expr`] is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
    Tuple(&'a [Expr<'a>]),
    Object(&'a [Item<'a>]),
    Template(&'a [Part<'a>]),
    Name(&'a str),
    Conditional(&'a [Expr<'a>; 3]),
    Call(&'a Call<'a>),
    Attr(&'a Expr<'a>, &'a str),
    Index(&'a Expr<'a>, &'a Expr<'a>),
    /// `x[*].a`, `x.*.a`: what follows is applied to each item.
    Splat(&'a Expr<'a>, &'a [Step<'a>]),
    Not(&'a Expr<'a>),
    Minus(&'a Expr<'a>),
    Binary(Operator, &'a [Expr<'a>; 2]),
    For(&'a For<'a>),
}

/// `name(args…)`
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// `provider::azurerm::…` included.
    pub(crate) name: &'a str,
    pub(crate) args: &'a [Expr<'a>],
    /// The last argument is spread (`list...`).
    pub(crate) spread: bool,
}

/// One step behind a splat.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Attr(&'a str, Span),
    Index(Expr<'a>),
}

/// `[for k, v in x : value if cond]`, `{for k, v in x : key => value... if cond}`
#[derive(Debug, Clone, Copy)]
pub(crate) struct For<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) value: &'a str,
    pub(crate) collection: Expr<'a>,
    pub(crate) result_key: Option<Expr<'a>>,
    pub(crate) result: Expr<'a>,
    pub(crate) condition: Option<Expr<'a>>,
    pub(crate) grouping: bool,
}

/// An entry of an object. A bare name as key is a string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) key: Expr<'a>,
    pub(crate) value: Expr<'a>,
}

/// A piece of a template.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    Literal(&'a str),
    Value(Expr<'a>),
    If {
        condition: Expr<'a>,
        then: &'a [Self],
        otherwise: &'a [Self],
    },
    For {
        key: Option<&'a str>,
        value: &'a str,
        collection: Expr<'a>,
        parts: &'a [Self],
    },
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
}

impl Operator {
    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

impl<'a> Body<'a> {
    /// The attribute of a name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a Attribute<'a>> {
        self.attributes.iter().find(|found| found.name == name)
    }

    /// The first block of a kind.
    pub(crate) fn block(&self, kind: &str) -> Option<&'a Block<'a>> {
        self.blocks.iter().find(|found| found.kind == kind)
    }
}
