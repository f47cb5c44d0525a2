//! The template language: what stands in brackets, parsed with places and printed the way the
//! official compiler writes it. Says nothing about what functions mean.

use std::fmt::Write as _;

use bumpalo::Bump;

use crate::deployment::{Problem, ProblemKind};
use crate::node::{Expr, ExprKind};
use crate::source::Span;

/// How deep calls may be nested.
const MAX_DEPTH: u32 = 128;

/// Where a text stands, so that its parts get their places.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// The text stands there as it is.
    At(Span),
    /// The text has escapes there: every part is given the whole place.
    Whole(Span),
}

/// Parses `[…]`, brackets included.
///
/// # Errors
/// What is wrong, at its place.
pub fn parse<'a>(bump: &'a Bump, text: &'a str, place: Place) -> Result<Expr<'a>, Problem> {
    let mut parser = Parser {
        bump,
        text,
        bytes: text.as_bytes(),
        at: 1,
        place,
        stack: Vec::new(),
    };
    let expr = parser.expr(0)?;
    parser.space();
    let end = text.len().saturating_sub(1);
    if parser.at == end && parser.peek() == Some(b']') {
        return Ok(expr);
    }
    Err(parser.mistake(parser.at, "the expression should end here"))
}

struct Parser<'a> {
    bump: &'a Bump,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    place: Place,
    stack: Vec<Expr<'a>>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn span(&self, start: usize) -> Span {
        match self.place {
            Place::Whole(span) => span,
            Place::At(span) => Span {
                file: span.file,
                start: span.start + start as u32,
                end: span.start + self.at as u32,
            },
        }
    }

    fn mistake(&self, at: usize, message: &str) -> Problem {
        let span = match self.place {
            Place::Whole(span) => span,
            Place::At(span) => {
                let at = span.start + at as u32;
                Span {
                    file: span.file,
                    start: at,
                    end: at,
                }
            }
        };
        Problem {
            span,
            message: message.to_owned(),
            help: None,
            kind: ProblemKind::Syntax,
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn expr(&mut self, depth: u32) -> Result<Expr<'a>, Problem> {
        if depth > MAX_DEPTH {
            return Err(self.mistake(self.at, "calls are nested too deeply"));
        }
        self.space();
        let start = self.at;
        let mut expr = self.primary(depth)?;
        let mut chain = 0;
        loop {
            self.space();
            chain += 1;
            match self.peek() {
                Some(_) if chain > MAX_DEPTH => {
                    return Err(self.mistake(self.at, "the expression is too long"));
                }
                Some(b'.') => {
                    self.at += 1;
                    self.space();
                    let name = self.name()?;
                    let base = self.bump.alloc(expr);
                    expr = Expr {
                        span: self.span(start),
                        kind: ExprKind::Prop(base, name),
                    };
                }
                Some(b'[') => {
                    self.at += 1;
                    let index = self.expr(depth + 1)?;
                    self.space();
                    if self.peek() != Some(b']') {
                        return Err(self.mistake(self.at, "`]` is expected here"));
                    }
                    self.at += 1;
                    let base = self.bump.alloc(expr);
                    let index = self.bump.alloc(index);
                    expr = Expr {
                        span: self.span(start),
                        kind: ExprKind::Index(base, index),
                    };
                }
                _ => return Ok(expr),
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, Problem> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-') || byte >= 0x80)
            {
                break;
            }
            self.at += 1;
        }
        if start == self.at {
            return Err(self.mistake(start, "a name is expected here"));
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn primary(&mut self, depth: u32) -> Result<Expr<'a>, Problem> {
        match self.peek() {
            Some(b'\'') => self.string(),
            Some(b'0'..=b'9' | b'-' | b'+') => self.number(),
            Some(_) => self.call(depth),
            None => Err(self.mistake(self.at, "the expression is empty")),
        }
    }

    fn string(&mut self) -> Result<Expr<'a>, Problem> {
        let start = self.at;
        let mut from = start + 1;
        let mut joined: Option<bumpalo::collections::String<'a>> = None;
        loop {
            let rest = self.bytes.get(from..).unwrap_or_default();
            let Some(quote) = memchr::memchr(b'\'', rest) else {
                return Err(self.mistake(start, "the string has no end"));
            };
            let part = self.text.get(from..from + quote).unwrap_or_default();
            self.at = from + quote + 1;
            let doubled = self.peek() == Some(b'\'');
            if !doubled && joined.is_none() {
                return Ok(Expr {
                    span: self.span(start),
                    kind: ExprKind::Str(part),
                });
            }
            let mut text =
                joined.unwrap_or_else(|| bumpalo::collections::String::new_in(self.bump));
            text.push_str(part);
            if !doubled {
                let kind = ExprKind::Str(text.into_bump_str());
                return Ok(Expr {
                    span: self.span(start),
                    kind,
                });
            }
            text.push('\'');
            joined = Some(text);
            from = self.at + 1;
        }
    }

    fn number(&mut self) -> Result<Expr<'a>, Problem> {
        let start = self.at;
        self.at += 1;
        while let Some(b'0'..=b'9' | b'.') = self.peek() {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let kind = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(int), _) => ExprKind::Int(int),
            (_, Ok(float)) if float.is_finite() => ExprKind::Float(float),
            _ => return Err(self.mistake(start, &format!("`{text}` is no number"))),
        };
        Ok(Expr {
            span: self.span(start),
            kind,
        })
    }

    fn call(&mut self, depth: u32) -> Result<Expr<'a>, Problem> {
        let start = self.at;
        let mut name = self.name()?;
        let mut namespace = None;
        let mut namespace_end = self.at;
        self.space();
        while self.peek() == Some(b'.') {
            namespace = self.text.get(start..namespace_end);
            self.at += 1;
            self.space();
            name = self.name()?;
            namespace_end = self.at;
            self.space();
        }
        if self.peek() != Some(b'(') {
            return Err(self.mistake(self.at, "`(` is expected after the name of a function"));
        }
        self.at += 1;
        let mark = self.stack.len();
        self.space();
        if self.peek() == Some(b')') {
            self.at += 1;
        } else {
            loop {
                let arg = self.expr(depth + 1)?;
                self.stack.push(arg);
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b')') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.mistake(self.at, "`,` or `)` is expected here")),
                }
            }
        }
        let args = self
            .bump
            .alloc_slice_copy(self.stack.get(mark..).unwrap_or_default());
        self.stack.truncate(mark);
        Ok(Expr {
            span: self.span(start),
            kind: ExprKind::Call {
                namespace,
                name,
                args,
            },
        })
    }
}

/// Prints an expression in brackets, as the official compiler does.
#[must_use]
pub fn print(expr: &Expr<'_>) -> String {
    let mut out = String::from("[");
    write(expr, &mut out);
    out.push(']');
    out
}

/// Prints an expression without brackets.
pub fn write(expr: &Expr<'_>, out: &mut String) {
    match expr.kind {
        ExprKind::Str(text) => {
            out.push('\'');
            out.push_str(&text.replace('\'', "''"));
            out.push('\'');
        }
        ExprKind::Int(int) => {
            let _ = write!(out, "{int}");
        }
        ExprKind::Float(float) => {
            let text = float.to_string();
            out.push_str(&text);
            if !text.contains('.') {
                out.push_str(".0");
            }
        }
        // What is wrong has no form of its own.
        ExprKind::Call {
            name: crate::json::INVALID,
            ..
        } => out.push_str("null()"),
        ExprKind::Call {
            namespace,
            name,
            args,
        } => {
            if let Some(namespace) = namespace {
                out.push_str(namespace);
                out.push('.');
            }
            out.push_str(name);
            out.push('(');
            for (at, arg) in args.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(arg, out);
            }
            out.push(')');
        }
        ExprKind::Prop(base, name) => {
            write(base, out);
            if is_name(name) {
                out.push('.');
                out.push_str(name);
            } else {
                out.push('[');
                write(
                    &Expr {
                        span: expr.span,
                        kind: ExprKind::Str(name),
                    },
                    out,
                );
                out.push(']');
            }
        }
        ExprKind::Index(base, index) => {
            write(base, out);
            out.push('[');
            write(index, out);
            out.push(']');
        }
    }
}

/// Whether a key can stand after a dot.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|other| other.is_ascii_alphanumeric() || other == '_')
}
