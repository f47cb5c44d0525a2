//! JSON as Azure Resource Manager accepts it, read into a tree with places.
//!
//! More than RFC 8259: line and block comments, strings over several lines, trailing commas,
//! single quotes and a byte order mark. Strings in brackets are parsed as expressions. Keys that
//! repeat are kept. Nothing is evaluated here.

use std::borrow::Cow;

use bumpalo::Bump;

use crate::deployment::{Problem, ProblemKind};
use crate::expression;
use crate::node::{Entry, Expr, ExprKind, Node, NodeKind};
use crate::source::{FileId, Span};

/// How deep lists and objects may be nested. Azure's own limit is lower.
const MAX_DEPTH: u32 = 256;

/// How long a text may be. Azure refuses templates above 4 MB; compiled modules stay below it.
const MAX_BYTES: usize = 256 << 20;

/// A text that was read, as far as it could be.
#[derive(Debug, Clone)]
pub struct Parsed<'a> {
    /// The tree; what stood before the first mistake when there is one.
    pub root: Node<'a>,
    /// Mistakes in the JSON (at most one) and in expressions.
    pub problems: Vec<Problem>,
}

/// Reads a template.
pub fn parse<'a>(bump: &'a Bump, text: &'a str, file: FileId) -> Parsed<'a> {
    read(bump, text, file, true)
}

/// Reads data: strings in brackets are no expressions.
pub fn parse_data<'a>(bump: &'a Bump, text: &'a str, file: FileId) -> Parsed<'a> {
    read(bump, text, file, false)
}

fn read<'a>(bump: &'a Bump, text: &'a str, file: FileId, expressions: bool) -> Parsed<'a> {
    let mut reader = Reader {
        bump,
        text,
        bytes: text.as_bytes(),
        at: 0,
        file,
        expressions,
        nodes: Vec::new(),
        entries: Vec::new(),
        problems: Vec::new(),
        failed: false,
    };
    if text.len() > MAX_BYTES {
        reader.fail(0, "the text is too long", None);
        let root = reader.node(0, NodeKind::Null);
        return Parsed {
            root,
            problems: reader.problems,
        };
    }
    if text.starts_with('\u{feff}') {
        reader.at = 3;
    }
    reader.space();
    let root = reader.value(0);
    reader.space();
    if !reader.failed && reader.at < reader.bytes.len() {
        reader.fail(reader.at, "there is text after the end of the JSON", None);
    }
    Parsed {
        root,
        problems: reader.problems,
    }
}

/// Name of the call that stands where an expression could not be parsed. Its value is unknown;
/// the mistake is among the problems already.
pub(crate) const INVALID: &str = "$invalid";

struct Reader<'a> {
    bump: &'a Bump,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    file: FileId,
    expressions: bool,
    nodes: Vec<Node<'a>>,
    entries: Vec<Entry<'a>>,
    problems: Vec<Problem>,
    failed: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn span(&self, start: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: self.at as u32,
        }
    }

    fn node(&self, start: usize, kind: NodeKind<'a>) -> Node<'a> {
        Node {
            span: self.span(start),
            kind,
        }
    }

    /// Notes the first mistake; everything after it ends at once.
    fn fail(&mut self, at: usize, message: &str, help: Option<&str>) {
        if !self.failed {
            self.failed = true;
            let at = at as u32;
            self.problems.push(Problem {
                span: Span {
                    file: self.file,
                    start: at,
                    end: at,
                },
                message: message.to_owned(),
                help: help.map(str::to_owned),
                kind: ProblemKind::Syntax,
            });
        }
    }

    /// Skips white space and comments.
    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                b'/' => match self.bytes.get(self.at + 1) {
                    Some(b'/') => {
                        let rest = self.bytes.get(self.at..).unwrap_or_default();
                        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    }
                    Some(b'*') => {
                        let start = self.at;
                        let rest = self.text.get(self.at + 2..).unwrap_or_default();
                        match memchr::memmem::find(rest.as_bytes(), b"*/") {
                            Some(end) => self.at += end + 4,
                            None => {
                                self.at = self.bytes.len();
                                self.fail(start, "the comment has no end", None);
                            }
                        }
                    }
                    _ => return,
                },
                0xC2 if self.bytes.get(self.at + 1) == Some(&0xA0) => self.at += 2,
                _ => return,
            }
        }
    }

    fn value(&mut self, depth: u32) -> Node<'a> {
        let start = self.at;
        if depth > MAX_DEPTH {
            self.fail(start, "lists and objects are nested too deeply", None);
            return self.node(start, NodeKind::Null);
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(quote @ (b'"' | b'\'')) => {
                let (text, plain) = self.string(quote);
                let kind = self.string_kind(text, plain, start);
                self.node(start, kind)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", NodeKind::Bool(true)),
            Some(b'f') => self.word("false", NodeKind::Bool(false)),
            Some(b'n') => self.word("null", NodeKind::Null),
            Some(_) => {
                self.fail(start, "a value is expected here", None);
                self.node(start, NodeKind::Null)
            }
            None => {
                self.fail(start, "the text ends where a value is expected", None);
                self.node(start, NodeKind::Null)
            }
        }
    }

    fn word(&mut self, word: &str, kind: NodeKind<'a>) -> Node<'a> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = rest
            .get(word.len())
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if rest.starts_with(word.as_bytes()) && ends {
            self.at += word.len();
            return self.node(start, kind);
        }
        self.fail(start, "a value is expected here", None);
        self.node(start, NodeKind::Null)
    }

    fn number(&mut self) -> Node<'a> {
        let start = self.at;
        while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if let Ok(int) = text.parse::<i64>() {
            return self.node(start, NodeKind::Int(int));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => self.node(start, NodeKind::Float(float)),
            _ => {
                self.fail(start, &format!("`{text}` is no number"), None);
                self.node(start, NodeKind::Null)
            }
        }
    }

    /// A string from its quote on. The flag says that it stands in the text as it is.
    fn string(&mut self, quote: u8) -> (&'a str, bool) {
        let start = self.at;
        let from = start + 1;
        let rest = self.bytes.get(from..).unwrap_or_default();
        match memchr::memchr2(quote, b'\\', rest) {
            Some(end) if rest.get(end) == Some(&quote) => {
                self.at = from + end + 1;
                (self.text.get(from..from + end).unwrap_or_default(), true)
            }
            Some(_) => (self.escaped(quote, from), false),
            None => {
                self.at = self.bytes.len();
                self.fail(
                    start,
                    "the string has no end",
                    Some("close it with a quote"),
                );
                (self.text.get(from..).unwrap_or_default(), true)
            }
        }
    }

    fn escaped(&mut self, quote: u8, from: usize) -> &'a str {
        let mut out = bumpalo::collections::String::new_in(self.bump);
        let mut at = from;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(stop) = memchr::memchr2(quote, b'\\', rest) else {
                self.at = self.bytes.len();
                self.fail(
                    from - 1,
                    "the string has no end",
                    Some("close it with a quote"),
                );
                return out.into_bump_str();
            };
            out.push_str(self.text.get(at..at + stop).unwrap_or_default());
            at += stop;
            if self.bytes.get(at) == Some(&quote) {
                self.at = at + 1;
                return out.into_bump_str();
            }
            let Some((decoded, length)) = self.escape(at) else {
                self.fail(
                    at,
                    "the escape is not one of JSON",
                    Some("write `\\\\` for a backslash"),
                );
                self.at = at;
                return out.into_bump_str();
            };
            out.push(decoded);
            at += length;
        }
    }

    /// The character of the escape at a place, and the length of the escape.
    fn escape(&self, at: usize) -> Option<(char, usize)> {
        let plain = match self.bytes.get(at + 1)? {
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex(at + 2)?;
                if let Some(found) = char::from_u32(high) {
                    return Some((found, 6));
                }
                if self.bytes.get(at + 6..at + 8) == Some(b"\\u")
                    && let Some(low) = self.hex(at + 8)
                    && let Some(Ok(found)) = char::decode_utf16([high as u16, low as u16]).next()
                {
                    return Some((found, 12));
                }
                return Some((char::REPLACEMENT_CHARACTER, 6));
            }
            _ => return None,
        };
        Some((plain, 2))
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        u32::from_str_radix(digits, 16).ok()
    }

    fn string_kind(&mut self, text: &'a str, plain: bool, start: usize) -> NodeKind<'a> {
        match classify(text) {
            _ if !self.expressions => NodeKind::Str(text),
            Kind::Literal => NodeKind::Str(text),
            Kind::Escaped => NodeKind::Str(text.get(1..).unwrap_or_default()),
            Kind::Expression => NodeKind::Expr(self.expression(text, plain, start)),
        }
    }

    fn expression(&mut self, text: &'a str, plain: bool, start: usize) -> &'a Expr<'a> {
        let whole = self.span(start);
        let place = if plain {
            expression::Place::At(Span {
                start: start as u32 + 1,
                ..whole
            })
        } else {
            expression::Place::Whole(whole)
        };
        match expression::parse(self.bump, text, place) {
            Ok(expr) => self.bump.alloc(expr),
            Err(mistake) => {
                self.problems.push(mistake);
                self.bump.alloc(Expr {
                    span: whole,
                    kind: ExprKind::Call {
                        namespace: None,
                        name: INVALID,
                        args: &[],
                    },
                })
            }
        }
    }

    fn array(&mut self, depth: u32) -> Node<'a> {
        let start = self.at;
        self.at += 1;
        let mark = self.nodes.len();
        loop {
            self.space();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                None => {
                    self.fail(start, "the list has no end", Some("close it with `]`"));
                    break;
                }
                Some(_) => {}
            }
            let item = self.value(depth + 1);
            self.nodes.push(item);
            if self.failed || !self.comma(b']', start, "list") {
                break;
            }
        }
        let items = self
            .bump
            .alloc_slice_copy(self.nodes.get(mark..).unwrap_or_default());
        self.nodes.truncate(mark);
        self.node(start, NodeKind::Array(items))
    }

    /// Goes over a comma. False at a mistake.
    fn comma(&mut self, close: u8, start: usize, what: &str) -> bool {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                true
            }
            Some(byte) if byte == close => true,
            Some(_) => {
                let close = char::from(close);
                self.fail(self.at, &format!("`,` or `{close}` is expected here"), None);
                false
            }
            None => {
                self.fail(start, &format!("the {what} has no end"), None);
                false
            }
        }
    }

    fn object(&mut self, depth: u32) -> Node<'a> {
        let start = self.at;
        self.at += 1;
        let mark = self.entries.len();
        loop {
            self.space();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"' | b'\'') => {}
                Some(_) => {
                    self.fail(self.at, "a key in quotes is expected here", None);
                    break;
                }
                None => {
                    self.fail(start, "the object has no end", Some("close it with `}`"));
                    break;
                }
            }
            let Some(entry) = self.entry(depth) else {
                break;
            };
            self.entries.push(entry);
            if self.failed || !self.comma(b'}', start, "object") {
                break;
            }
        }
        let entries = self
            .bump
            .alloc_slice_copy(self.entries.get(mark..).unwrap_or_default());
        self.entries.truncate(mark);
        self.node(start, NodeKind::Object(entries))
    }

    fn entry(&mut self, depth: u32) -> Option<Entry<'a>> {
        let start = self.at;
        let (text, plain) = self.string(self.peek()?);
        let key_span = self.span(start);
        let (key, key_expr) = match self.string_kind(text, plain, start) {
            NodeKind::Expr(expr) => (text, Some(expr)),
            NodeKind::Str(literal) => (literal, None),
            _ => (text, None),
        };
        self.space();
        if self.failed || self.peek() != Some(b':') {
            self.fail(self.at, "`:` is expected after a key", None);
            return None;
        }
        self.at += 1;
        self.space();
        let value = self.value(depth + 1);
        Some(Entry {
            key,
            key_expr,
            key_span,
            value,
        })
    }
}

/// A string of a template that stands nowhere as it is.
pub(crate) fn string_node<'a>(bump: &'a Bump, text: &'a str, span: Span) -> Node<'a> {
    let kind = match classify(text) {
        Kind::Literal => NodeKind::Str(text),
        Kind::Escaped => NodeKind::Str(text.get(1..).unwrap_or_default()),
        Kind::Expression => match expression::parse(bump, text, expression::Place::Whole(span)) {
            Ok(expr) => NodeKind::Expr(bump.alloc(expr)),
            Err(_) => NodeKind::Str(text),
        },
    };
    Node { span, kind }
}

/// What a string of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Literal,
    /// `[[…]`: a literal without its first bracket.
    Escaped,
    /// `[…]`
    Expression,
}

/// What a string of a template is. One that starts with a bracket but does not end with one is a
/// literal.
pub(crate) fn classify(text: &str) -> Kind {
    let bytes = text.as_bytes();
    match bytes {
        [b'[', b'[', .., b']'] => Kind::Escaped,
        [b'[', .., b']'] => Kind::Expression,
        _ => Kind::Literal,
    }
}

/// A string as it must be written in a template so that it is taken as it is.
#[must_use]
pub fn escape_literal(text: &str) -> Cow<'_, str> {
    match classify(text) {
        Kind::Literal => Cow::Borrowed(text),
        Kind::Escaped | Kind::Expression => Cow::Owned(format!("[{text}")),
    }
}
