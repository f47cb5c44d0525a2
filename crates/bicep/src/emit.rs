//! Prints a tree as ARM JSON: two spaces, keys in the order in which they stand. It knows nothing
//! of templates; what may stand where is the matter of those who make the tree.

use std::fmt::Write as _;
use std::slice::Iter;

use crate::expression;
use crate::json::escape_literal;
use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};

/// The tree as ARM JSON, with a line break at its end.
#[must_use]
pub fn emit(node: &Node<'_>) -> String {
    let mut printer = Printer::default();
    printer.node(node);
    printer.out.push('\n');
    printer.out
}

/// A list or a map that is being printed.
enum Open<'n, 'a> {
    Array(Iter<'n, Node<'a>>),
    Object(Iter<'n, Entry<'a>>),
}

#[derive(Default)]
struct Printer {
    out: String,
}

impl Printer {
    /// Keeps the open lists and maps itself: a tree may be deeper than the call stack.
    fn node(&mut self, root: &Node<'_>) {
        let mut open: Vec<Open<'_, '_>> = Vec::new();
        self.start(root, &mut open);
        while let Some(top) = open.last_mut() {
            let next = match top {
                Open::Array(items) => items.next().map(|item| (None, item)),
                Open::Object(entries) => entries.next().map(|entry| (Some(entry), &entry.value)),
            };
            let Some((entry, value)) = next else {
                let close = match open.pop() {
                    Some(Open::Array(_)) => ']',
                    _ => '}',
                };
                self.line(open.len());
                self.out.push(close);
                continue;
            };
            // A string that ends with a bracket still ends with a quote.
            if !self.out.ends_with(['[', '{']) {
                self.out.push(',');
            }
            self.line(open.len());
            if let Some(entry) = entry {
                self.key(entry);
            }
            self.start(value, &mut open);
        }
    }

    fn start<'n, 'a>(&mut self, node: &'n Node<'a>, open: &mut Vec<Open<'n, 'a>>) {
        match &node.kind {
            NodeKind::Null => self.out.push_str("null"),
            NodeKind::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            NodeKind::Int(value) => {
                let _ = write!(self.out, "{value}");
            }
            NodeKind::Float(value) => self.out.push_str(&float(*value)),
            NodeKind::Str(text) => self.string(text),
            NodeKind::Expr(Expr {
                kind:
                    ExprKind::Call {
                        name: crate::json::INVALID,
                        ..
                    },
                ..
            }) => self.out.push_str("null"),
            NodeKind::Expr(expr) => {
                quote(&mut self.out, &expression::print(expr));
            }
            NodeKind::Array([]) => self.out.push_str("[]"),
            NodeKind::Object([]) => self.out.push_str("{}"),
            NodeKind::Array(items) => {
                self.out.push('[');
                open.push(Open::Array(items.iter()));
            }
            NodeKind::Object(entries) => {
                self.out.push('{');
                open.push(Open::Object(entries.iter()));
            }
        }
    }

    fn key(&mut self, entry: &Entry<'_>) {
        match entry.key_expr {
            Some(expr) => {
                quote(&mut self.out, &expression::print(expr));
            }
            None => self.string(entry.key),
        }
        self.out.push_str(": ");
    }

    /// What would be read as an expression is escaped.
    fn string(&mut self, text: &str) {
        quote(&mut self.out, &escape_literal(text));
    }

    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        for _ in 0..depth {
            self.out.push_str("  ");
        }
    }
}

fn float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let text = format!("{value}");
    if text.contains(['.', 'e', 'E']) {
        text
    } else {
        text + ".0"
    }
}

/// A JSON string. Escaped is what JSON demands and the three line ends that JavaScript breaks at,
/// as Json.NET does.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                let _ = write!(out, "\\u{:04x}", letter as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
