//! Makes expressions of the template language.

use bumpalo::Bump;

use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::Span;

/// Makes trees in one arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maker<'a>(pub(crate) &'a Bump);

impl<'a> Maker<'a> {
    pub(crate) fn text(self, text: &str) -> &'a str {
        self.0.alloc_str(text)
    }

    pub(crate) fn expr(self, expr: Expr<'a>) -> &'a Expr<'a> {
        self.0.alloc(expr)
    }

    pub(crate) fn call(self, span: Span, name: &'a str, args: &[Expr<'a>]) -> Expr<'a> {
        self.call_in(span, None, name, args)
    }

    pub(crate) fn call_in(
        self,
        span: Span,
        namespace: Option<&'a str>,
        name: &'a str,
        args: &[Expr<'a>],
    ) -> Expr<'a> {
        Expr {
            span,
            kind: ExprKind::Call {
                namespace,
                name,
                args: self.0.alloc_slice_copy(args),
            },
        }
    }

    pub(crate) fn null(self, span: Span) -> Expr<'a> {
        self.call(span, "null", &[])
    }

    /// What stands for something that is wrong and was said to be: nothing that uses it says more.
    pub(crate) fn invalid(self, span: Span) -> Expr<'a> {
        self.call(span, crate::json::INVALID, &[])
    }

    /// A string that is made here.
    pub(crate) fn string(self, span: Span, text: &str) -> Expr<'a> {
        string(span, self.text(text))
    }

    /// `base.property` or `base[index]`; the language has neither on literals.
    pub(crate) fn access(self, span: Span, base: Expr<'a>, accessor: Expr<'a>) -> Expr<'a> {
        let base = self.0.alloc(self.function(base));
        let kind = match accessor.kind {
            ExprKind::Str(name) => ExprKind::Prop(base, name),
            _ => ExprKind::Index(base, self.0.alloc(accessor)),
        };
        Expr { span, kind }
    }

    pub(crate) fn property(self, span: Span, base: Expr<'a>, name: &'a str) -> Expr<'a> {
        self.access(span, base, string(span, name))
    }

    /// What is no function call is made one: `int(1)`, `string('a')`.
    pub(crate) fn function(self, expr: Expr<'a>) -> Expr<'a> {
        match expr.kind {
            ExprKind::Int(_) | ExprKind::Float(_) => self.call(expr.span, "int", &[expr]),
            ExprKind::Str(_) => self.call(expr.span, "string", &[expr]),
            _ => expr,
        }
    }

    /// A whole number; the language has only 32 bits of it.
    pub(crate) fn int(self, span: Span, value: i64) -> Expr<'a> {
        if i32::try_from(value).is_ok() {
            Expr {
                span,
                kind: ExprKind::Int(value),
            }
        } else {
            let text = self.string(span, &value.to_string());
            self.call(span, "json", &[text])
        }
    }

    pub(crate) fn bool(self, span: Span, value: bool) -> Expr<'a> {
        self.call(span, if value { "true" } else { "false" }, &[])
    }

    pub(crate) fn object(self, span: Span, entries: &[Entry<'a>]) -> Node<'a> {
        Node {
            span,
            kind: NodeKind::Object(self.0.alloc_slice_copy(entries)),
        }
    }

    pub(crate) fn array(self, span: Span, items: &[Node<'a>]) -> Node<'a> {
        Node {
            span,
            kind: NodeKind::Array(self.0.alloc_slice_copy(items)),
        }
    }

    /// An expression as a value: literals stand without brackets.
    pub(crate) fn value(self, expr: Expr<'a>) -> Node<'a> {
        let kind = match expr.kind {
            ExprKind::Str(text) => NodeKind::Str(text),
            ExprKind::Int(value) => NodeKind::Int(value),
            _ => NodeKind::Expr(self.0.alloc(expr)),
        };
        Node {
            span: expr.span,
            kind,
        }
    }

    /// A value as an expression.
    pub(crate) fn of_node(self, node: &Node<'a>) -> Expr<'a> {
        let span = node.span;
        match node.kind {
            NodeKind::Null => self.null(span),
            NodeKind::Bool(value) => self.bool(span, value),
            NodeKind::Int(value) => self.int(span, value),
            NodeKind::Float(value) => {
                let text = self.string(span, &value.to_string());
                self.call(span, "json", &[text])
            }
            NodeKind::Str(text) => string(span, text),
            NodeKind::Expr(expr) => *expr,
            NodeKind::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.of_node(item)).collect();
                self.call(span, "createArray", &items)
            }
            NodeKind::Object(entries) => {
                let mut args = Vec::with_capacity(entries.len() * 2);
                for entry in entries {
                    args.push(match entry.key_expr {
                        Some(key) => *key,
                        None => string(entry.key_span, entry.key),
                    });
                    args.push(self.of_node(&entry.value));
                }
                self.call(span, "createObject", &args)
            }
        }
    }
}

pub(crate) fn string<'a>(span: Span, text: &'a str) -> Expr<'a> {
    Expr {
        span,
        kind: ExprKind::Str(text),
    }
}

pub(crate) fn text<'a>(span: Span, text: &'a str) -> Node<'a> {
    Node {
        span,
        kind: NodeKind::Str(text),
    }
}

pub(crate) fn boolean<'a>(span: Span, value: bool) -> Node<'a> {
    Node {
        span,
        kind: NodeKind::Bool(value),
    }
}

pub(crate) fn number<'a>(span: Span, value: i64) -> Node<'a> {
    Node {
        span,
        kind: NodeKind::Int(value),
    }
}

/// A key that no template language reads anything into.
pub(crate) fn entry<'a>(key: &'a str, span: Span, value: Node<'a>) -> Entry<'a> {
    Entry {
        key,
        key_expr: None,
        key_span: span,
        value,
    }
}

/// Whether an expression reads the number of a loop.
pub(crate) fn reads_copy_index(expr: &Expr<'_>) -> bool {
    let mut open = vec![expr];
    while let Some(next) = open.pop() {
        match next.kind {
            ExprKind::Call {
                namespace: None,
                name,
                args,
            } => {
                if name == "copyIndex" {
                    return true;
                }
                open.extend(args);
            }
            ExprKind::Call { args, .. } => open.extend(args),
            ExprKind::Prop(base, _) => open.push(base),
            ExprKind::Index(base, index) => {
                open.push(base);
                open.push(index);
            }
            _ => {}
        }
    }
    false
}
