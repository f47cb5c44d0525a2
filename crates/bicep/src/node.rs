//! A template as a tree: JSON whose strings may be expressions. Both front ends make it, the
//! evaluator reads it, and printing it gives ARM JSON.

use crate::source::Span;

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node<'a> {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind<'a>,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeKind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string that is no expression, without the escape of a leading `[[`.
    Str(&'a str),
    /// `"[…]"`
    Expr(&'a Expr<'a>),
    /// A list.
    Array(&'a [Node<'a>]),
    /// A map, in the order in which it is written. Keys may repeat; ARM ignores their case.
    Object(&'a [Entry<'a>]),
}

/// One key of an object and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'a> {
    /// The key, when it is no expression; otherwise the text of the expression.
    pub key: &'a str,
    /// The key as an expression (`"[format('{0}', …)]": …`).
    pub key_expr: Option<&'a Expr<'a>>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node<'a>,
}

/// An expression of the template language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expr<'a> {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind<'a>,
}

/// What an [`Expr`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExprKind<'a> {
    /// `'text'`, without its quotes and doubled quotes.
    Str(&'a str),
    /// `12`, `-3`
    Int(i64),
    /// `1.5`: the language has no such literal, but accepts it in places.
    Float(f64),
    /// `name(a, b)`, `namespace.name(a, b)`
    Call {
        /// User functions and extensions: the part before the dot.
        namespace: Option<&'a str>,
        /// As written; its case does not matter.
        name: &'a str,
        /// In order.
        args: &'a [Expr<'a>],
    },
    /// `base.name`
    Prop(&'a Expr<'a>, &'a str),
    /// `base[index]`
    Index(&'a Expr<'a>, &'a Expr<'a>),
}

impl<'a> Node<'a> {
    /// The value of a key, whatever its case, when this is an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, whatever its case.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&'a Entry<'a>> {
        self.entries()
            .iter()
            .find(|entry| entry.key_expr.is_none() && entry.key.eq_ignore_ascii_case(key))
    }

    /// The entries of an object; nothing for anything else.
    #[must_use]
    pub fn entries(&self) -> &'a [Entry<'a>] {
        match self.kind {
            NodeKind::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; nothing for anything else.
    #[must_use]
    pub fn items(&self) -> &'a [Self] {
        match self.kind {
            NodeKind::Array(items) => items,
            _ => &[],
        }
    }

    /// The string, when it is one that is no expression.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self.kind {
            NodeKind::Str(text) => Some(text),
            _ => None,
        }
    }
}
