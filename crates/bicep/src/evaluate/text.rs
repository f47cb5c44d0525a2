//! Strings that are known in part, as text with the open parts in braces, and values in Bicep's
//! words.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use crate::evaluate::engine::Engine;
use crate::expression::is_name;
use crate::source::Span;
use crate::value::{Data, Shape, Unknown, Value, Why};

/// From which length on the text of an unknown is cut.
const MAX_TEXT: usize = 600;

/// How many parts of a value are walked through for its text.
const MAX_WALKED: u32 = 1_000_000;

/// How deep a value is walked through.
const MAX_DEPTH: u32 = 160;

/// How long a string may become: no template may be larger.
pub(crate) const MAX_STRING: usize = 4 << 20;

/// A part of a string that is known in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Known.
    Literal(&'t str),
    /// Open: the expression, without its braces.
    Hole(&'t str),
}

/// The parts of the text of an unknown of [`Shape::String`] or [`Shape::Id`].
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = rest.find('{')?;
        if open > 0 {
            let (literal, tail) = rest.split_at(open);
            rest = tail;
            return Some(Part::Literal(literal));
        }
        let close = closing(rest);
        let hole = rest.get(1..close).unwrap_or_default();
        rest = rest.get(close + 1..).unwrap_or_default();
        Some(Part::Hole(hole))
    })
    .chain(tail(text).map(Part::Literal))
}

/// What stands after the last hole.
fn tail(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = rest.get(open..).unwrap_or_default();
        rest = rest.get(closing(rest) + 1..).unwrap_or_default();
    }
    (!rest.is_empty()).then_some(rest)
}

/// Where the brace closes that the text begins with; its end when it does not.
fn closing(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// The expression of a text that is one hole and nothing else.
pub(crate) fn sole_hole(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    (closing(text) + 1 == text.len()).then_some(inner)
}

/// What is certainly at the start and at the end of a string.
pub(crate) fn known_ends(text: &str) -> (&str, &str) {
    let start = text
        .find('{')
        .map_or(text, |at| text.get(..at).unwrap_or_default());
    (start, tail(text).unwrap_or_default())
}

/// An expression in Bicep's words for an unknown: `prefix`, `'${prefix}-aks'`, `a == b`.
pub(crate) fn unknown_text<'t>(unknown: &'t Unknown<'_>) -> Cow<'t, str> {
    match unknown.shape {
        Shape::String | Shape::Id => match sole_hole(unknown.text) {
            Some(inner) => Cow::Borrowed(inner),
            None => {
                let mut out = String::from("'");
                for part in parts(unknown.text) {
                    match part {
                        Part::Literal(text) => out.push_str(text),
                        Part::Hole(text) => {
                            out.push_str("${");
                            out.push_str(text);
                            out.push('}');
                        }
                    }
                }
                out.push('\'');
                Cow::Owned(out)
            }
        },
        _ => Cow::Borrowed(unknown.text),
    }
}

/// Whether an expression needs parentheses as an operand.
pub(crate) fn is_compound(text: &str) -> bool {
    let mut depth = 0_u32;
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'\'' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Writes a value in Bicep's words; how many parts were looked at beside those that are written.
pub(crate) fn write_value(value: &Value<'_>, out: &mut String) -> u32 {
    let mut left = MAX_WALKED;
    write_within(value, 0, out, &mut left);
    MAX_WALKED - left
}

fn write_within(value: &Value<'_>, depth: u32, out: &mut String, left: &mut u32) {
    let long = matches!(value.data, Data::Str(text) if text.len() > MAX_TEXT * 8);
    if long || is_long(out) || depth > MAX_DEPTH {
        write_hash(std::iter::once(value), depth, out, left);
        return;
    }
    match value.data {
        Data::Null => out.push_str("null"),
        Data::Bool(bool) => {
            let _ = write!(out, "{bool}");
        }
        Data::Int(int) => {
            let _ = write!(out, "{int}");
        }
        Data::Float(float) => {
            let _ = write!(out, "{float}");
        }
        Data::Str(text) => {
            out.push('\'');
            // Braces would be taken for the borders of open parts.
            for char in text.chars() {
                match char {
                    '{' => out.push('‹'),
                    '}' => out.push('›'),
                    '\'' => out.push_str("\\'"),
                    _ => out.push(char),
                }
            }
            out.push('\'');
        }
        Data::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                if is_long(out) {
                    let rest = items.get(at..).unwrap_or_default();
                    write_hash(rest.iter(), depth, out, left);
                    break;
                }
                write_within(item, depth + 1, out, left);
            }
            out.push(']');
        }
        Data::Object(fields) => {
            out.push('{');
            for (at, field) in fields.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { " " });
                if is_long(out) {
                    let rest = fields.get(at..).unwrap_or_default();
                    let mut hasher = Fnv::default();
                    for field in rest {
                        field.key.hash(&mut hasher);
                        hash_value(&field.value, &mut hasher, depth, left);
                    }
                    let _ = write!(out, "#{:x}", hasher.finish());
                    break;
                }
                if is_name(field.key) {
                    out.push_str(field.key);
                } else {
                    let _ = write!(out, "'{}'", field.key);
                }
                out.push_str(": ");
                write_within(&field.value, depth + 1, out, left);
            }
            out.push_str(" }");
        }
        Data::Unknown(unknown) => out.push_str(&unknown_text(unknown)),
    }
}

fn is_long(out: &str) -> bool {
    out.len() > MAX_TEXT * 8
}

/// What is too long to be read: the hash of what is here tells it from others that begin alike.
fn write_hash<'v, 'a: 'v>(
    values: impl Iterator<Item = &'v Value<'a>>,
    depth: u32,
    out: &mut String,
    left: &mut u32,
) {
    let mut hasher = Fnv::default();
    for value in values {
        hash_value(value, &mut hasher, depth, left);
    }
    let _ = write!(out, "#{:x}", hasher.finish());
}

fn hash_value(value: &Value<'_>, hasher: &mut Fnv, depth: u32, left: &mut u32) {
    if *left == 0 || depth > MAX_DEPTH * 2 {
        return;
    }
    *left -= 1;
    hasher.write(crate::evaluate::compare::kind_name(value).as_bytes());
    match value.data {
        Data::Null => {}
        Data::Bool(bool) => bool.hash(hasher),
        Data::Int(int) => int.hash(hasher),
        Data::Float(float) => float.to_bits().hash(hasher),
        Data::Str(text) => {
            *left = left.saturating_sub(text.len() as u32 / 16);
            text.hash(hasher);
        }
        Data::Unknown(unknown) => unknown.text.hash(hasher),
        Data::Array(items) => {
            for item in items {
                hash_value(item, hasher, depth + 1, left);
            }
        }
        Data::Object(fields) => {
            for field in fields {
                field.key.hash(hasher);
                hash_value(&field.value, hasher, depth + 1, left);
            }
        }
    }
}

/// FNV-1a: the same on every machine and with every compiler.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Cuts a text that is too long, so that it still tells one value from another.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return Cow::Borrowed(text);
    }
    let mut hasher = Fnv::default();
    text.hash(&mut hasher);
    let end = (0..=MAX_TEXT / 2)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    // What is cut must not leave a brace or a quote open.
    let kept = text
        .get(..end)
        .unwrap_or_default()
        .replace(['{', '}', '\''], "");
    Cow::Owned(format!("{kept}… #{:016x}", hasher.finish()))
}

impl<'a> Engine<'a> {
    /// A value in Bicep's words.
    pub(crate) fn expr_text(&self, value: &Value<'a>) -> String {
        let mut out = String::new();
        let walked = write_value(value, &mut out);
        // Each part is hashed.
        self.spend(walked as usize * 8 + out.len() / 16);
        out
    }

    /// The same, in parentheses where an operand needs them.
    pub(crate) fn operand(&self, value: &Value<'a>) -> String {
        let text = self.expr_text(value);
        if is_compound(&text) && value.unknown().is_some() {
            format!("({text})")
        } else {
            text
        }
    }

    /// The text of a value that serves as a key or a name: open parts in braces.
    pub(crate) fn key_text(&self, value: &Value<'a>) -> &'a str {
        match value.data {
            Data::Str(text) => text,
            Data::Unknown(unknown) if matches!(unknown.shape, Shape::String | Shape::Id) => {
                unknown.text
            }
            _ => {
                let mut builder = Builder::new(self);
                builder.push(value);
                builder.text(self)
            }
        }
    }
}

/// A string that is joined from known and open parts.
pub(crate) struct Builder<'a> {
    text: String,
    why: Vec<Why<'a>>,
    open: bool,
    secret: bool,
    /// All open parts are scopes, ids or names within an id.
    id: bool,
    /// How long the id is that the text begins with.
    base: usize,
    /// Parts of values that were looked at.
    walked: u32,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(_: &Engine<'a>) -> Self {
        Self {
            text: String::new(),
            why: Vec::new(),
            open: false,
            secret: false,
            id: false,
            base: 0,
            walked: 0,
        }
    }

    pub(crate) fn literal(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(text);
        }
    }

    /// It is longer than a string may be: nothing is added any more.
    fn is_full(&self) -> bool {
        self.text.len() > MAX_STRING || self.walked > MAX_WALKED
    }

    fn add_reasons(&mut self, why: &[Why<'a>]) {
        if self.why.len() < MAX_UNKNOWNS && !why.iter().all(|reason| self.why.contains(reason)) {
            self.why.extend_from_slice(why);
        }
    }

    /// The result is an id.
    pub(crate) fn is_id(&mut self) {
        self.id = true;
    }

    /// Adds a value the way `format` and `concat` print it.
    pub(crate) fn push(&mut self, value: &Value<'a>) {
        if self.is_full() {
            return;
        }
        match value.data {
            Data::Str(text) => self.text.push_str(text),
            Data::Null => {}
            // https://learn.microsoft.com/dotnet/api/system.boolean.tostring
            Data::Bool(true) => self.text.push_str("True"),
            Data::Bool(false) => self.text.push_str("False"),
            Data::Unknown(unknown) => self.push_unknown(unknown),
            Data::Int(int) => {
                let _ = write!(self.text, "{int}");
            }
            Data::Float(float) => {
                let _ = write!(self.text, "{float}");
            }
            Data::Array(_) | Data::Object(_) => self.push_container(value),
        }
    }

    fn push_container(&mut self, value: &Value<'a>) {
        let mut found = Vec::new();
        self.walked += collect_unknowns(value, &mut found);
        if found.is_empty() {
            self.text
                .push_str(&crate::functions::convert::to_quoted(value));
            return;
        }
        let mut text = String::new();
        self.walked += write_value(value, &mut text);
        self.hole(&text);
        for unknown in found {
            self.add_reasons(unknown.why);
            self.secret |= unknown.secret;
        }
    }

    pub(crate) fn push_unknown(&mut self, unknown: &Unknown<'a>) {
        self.open = true;
        self.secret |= unknown.secret;
        self.add_reasons(unknown.why);
        if self.text.is_empty() && unknown.shape == Shape::Id {
            self.base = unknown.text.len();
        }
        match unknown.shape {
            Shape::String | Shape::Id => self.text.push_str(unknown.text),
            _ => {
                self.text.push('{');
                self.text.push_str(unknown.text);
                self.text.push('}');
            }
        }
    }

    /// Adds an open part.
    pub(crate) fn hole(&mut self, text: &str) {
        self.open = true;
        self.text.push('{');
        self.text.push_str(text);
        self.text.push('}');
    }

    /// Adds an open value under another text.
    pub(crate) fn push_open(&mut self, value: &Value<'a>, text: &str) {
        self.hole(text);
        if let Data::Unknown(unknown) = value.data {
            self.secret |= unknown.secret;
            self.add_reasons(unknown.why);
        }
    }

    /// Adds an open part of a string that is known in part.
    pub(crate) fn push_part(&mut self, hole: &str, of: &Unknown<'a>) {
        self.hole(hole);
        self.secret |= of.secret;
        self.add_reasons(of.why);
    }

    fn text(self, engine: &Engine<'a>) -> &'a str {
        engine.bump.alloc_str(&self.text)
    }

    /// Whether it is an id that was put together by hand: `'${vnet.id}/subnets/aks'`,
    /// `'/subscriptions/${id}/resourceGroups/${name}'`.
    fn reads_as_id(&self) -> bool {
        let rest = self.text.get(self.base..).unwrap_or_default();
        let scopes = ["/subscriptions/", "/providers/"];
        (self.base > 0 && (rest.is_empty() || rest.starts_with('/')))
            || scopes.iter().any(|scope| self.text.starts_with(scope))
    }

    pub(crate) fn finish(self, engine: &Engine<'a>, span: Span) -> Value<'a> {
        engine.spend(self.text.len() / 4 + self.walked as usize);
        if self.is_full() {
            return engine.error(span, "the string is too long".to_owned());
        }
        if !self.open {
            return Value {
                span,
                data: Data::Str(engine.bump.alloc_str(&self.text)),
            };
        }
        let id = self.id || self.reads_as_id();
        let shape = if id { Shape::Id } else { Shape::String };
        engine.unknown(span, &self.text, shape, &self.why, self.secret)
    }
}

/// How many unknowns of a value are collected: enough to know why it is open.
const MAX_UNKNOWNS: usize = 4096;

/// The unknowns in a value; how many parts were looked at.
pub(crate) fn collect_unknowns<'a>(value: &Value<'a>, out: &mut Vec<&'a Unknown<'a>>) -> u32 {
    let mut left = MAX_WALKED;
    collect(value, out, 0, &mut left);
    MAX_WALKED - left
}

fn collect<'a>(value: &Value<'a>, out: &mut Vec<&'a Unknown<'a>>, depth: u32, left: &mut u32) {
    if depth > MAX_DEPTH || *left == 0 || out.len() > MAX_UNKNOWNS {
        return;
    }
    *left -= 1;
    match value.data {
        Data::Unknown(unknown) => out.push(unknown),
        Data::Array(items) => {
            for item in items {
                collect(item, out, depth + 1, left);
            }
        }
        Data::Object(fields) => {
            for field in fields {
                collect(&field.value, out, depth + 1, left);
            }
        }
        _ => {}
    }
}
