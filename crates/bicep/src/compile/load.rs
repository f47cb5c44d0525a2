//! The `load…` functions: what they read stands in the template, as a variable of its own or in
//! place.

use std::collections::HashMap;

use crate::node::{Entry, Node, NodeKind};
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind};

use super::expr;
use super::template::Template;
use super::unit::{Symbol, Unit};

/// Through how many variables a string may be put together.
const MAX_CONSTANT_DEPTH: usize = 64;

/// Whether a function reads a file while compiling.
pub(crate) fn is_load(name: &str) -> bool {
    always(name) || matches!(name, "loadTextContent" | "loadFileAsBase64")
}

/// What it reads is always a variable of its own.
fn always(name: &str) -> bool {
    matches!(
        name,
        "loadJsonContent" | "loadYamlContent" | "loadDirectoryFileInfo"
    )
}

fn name_of<'a>(call: &Expression<'a>) -> &'a str {
    match call.kind {
        ExpressionKind::FunctionCall(call) => call.name.name,
        ExpressionKind::InstanceFunctionCall(call) => call.name.name,
        _ => "",
    }
}

/// What a call reads is a variable of its own: a text that is the whole of a variable is not.
pub(crate) fn needs_variable(unit: &Unit<'_>, number: usize) -> bool {
    unit.loads
        .get(number)
        .is_some_and(|load| always(name_of(&load.call)) || !load.direct)
}

/// The number in its name.
pub(crate) fn variable_number(unit: &Unit<'_>, number: usize) -> usize {
    (0..number)
        .filter(|number| needs_variable(unit, *number))
        .count()
}

impl<'a> Template<'_, 'a> {
    /// The names of the variables that hold what is read, by where the calls start.
    pub(crate) fn load_variables(&self) -> HashMap<u32, &'a str> {
        let mut names = HashMap::new();
        for (number, load) in self.unit.loads.iter().enumerate() {
            if needs_variable(&self.unit, number) && self.load_call(&load.call).is_some() {
                let own = variable_number(&self.unit, number);
                let name = self.make().text(&format!("$fxv#{own}"));
                names.insert(load.call.span.start, name);
            }
        }
        names
    }

    /// What a call reads.
    pub(crate) fn load_call(&self, call: &Expression<'a>) -> Option<Node<'a>> {
        match call.kind {
            ExpressionKind::FunctionCall(of) => self.load(call, of.name.name, of.arguments),
            ExpressionKind::InstanceFunctionCall(of) => self.load(call, of.name.name, of.arguments),
            _ => None,
        }
    }

    /// What a function reads; nothing, with a problem, when it cannot be read.
    pub(crate) fn load(
        &self,
        call: &Expression<'a>,
        name: &str,
        arguments: &'a [Expression<'a>],
    ) -> Option<Node<'a>> {
        if !is_load(name) {
            return None;
        }
        let span = call.span;
        let path = self.constant(arguments.first()?, 0)?;
        let read = match name {
            "loadTextContent" => {
                let encoding = arguments.get(1).and_then(|second| self.constant(second, 0));
                self.load_text(span, &path, encoding.as_deref().unwrap_or("utf-8"))
            }
            "loadFileAsBase64" => self.load_base64(span, &path),
            "loadJsonContent" => {
                let selector = arguments.get(1).and_then(|second| self.constant(second, 0));
                self.load_json(&path, selector.as_deref())
            }
            "loadDirectoryFileInfo" => {
                let pattern = arguments.get(1).and_then(|second| self.constant(second, 0));
                self.load_directory(span, &path, pattern.as_deref().unwrap_or("*"))
            }
            _ => {
                let selector = arguments.get(1).and_then(|second| self.constant(second, 0));
                self.load_yaml(&path, selector.as_deref())
            }
        };
        match read {
            Ok(node) => Some(node),
            Err(why) => {
                self.unresolved(span, &path, &why);
                None
            }
        }
    }

    fn load_text(&self, span: Span, path: &str, encoding: &str) -> Result<Node<'a>, String> {
        let found = self.session.files.file(self.unit.name, path)?;
        Ok(expr::text(
            span,
            self.make().text(&decode(&found.bytes, encoding)),
        ))
    }

    fn load_base64(&self, span: Span, path: &str) -> Result<Node<'a>, String> {
        let found = self.session.files.file(self.unit.name, path)?;
        Ok(expr::text(span, self.make().text(&base64(&found.bytes))))
    }

    fn load_json(&self, path: &str, selector: Option<&str>) -> Result<Node<'a>, String> {
        let file = self.session.find(self.unit.name, path)?;
        let root = self.session.data(file)?;
        Ok(self.literal_json(&super::json_path::selected(self.make(), root, selector)?))
    }

    fn load_yaml(&self, path: &str, selector: Option<&str>) -> Result<Node<'a>, String> {
        let file = self.session.find(self.unit.name, path)?;
        let text = self.session.source(file).map_or("", |source| source.text);
        let mut build = super::yaml::Build {
            make: self.make(),
            file,
        };
        let parsed = match yaml::documents(text).next() {
            Some(document) => document
                .parse(&yaml::Limits::default(), &mut build)
                .map_err(|error| error.to_string())?,
            None => None,
        };
        let root = parsed.unwrap_or(Node {
            span: Span::default(),
            kind: NodeKind::Null,
        });
        super::json_path::selected(self.make(), root, selector)
    }

    /// JSON that is no template: what looks like an expression is a string.
    fn literal_json(&self, node: &Node<'a>) -> Node<'a> {
        let make = self.make();
        let written = |span: Span| {
            let raw = self.session.text_at(span);
            make.text(&unescaped(raw))
        };
        match node.kind {
            NodeKind::Expr(_) => expr::text(node.span, written(node.span)),
            NodeKind::Str(text) if text.starts_with('[') => {
                expr::text(node.span, written(node.span))
            }
            NodeKind::Float(value) => {
                let text = make.string(node.span, &value.to_string());
                make.value(make.call(node.span, "json", &[text]))
            }
            NodeKind::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.literal_json(item)).collect();
                make.array(node.span, &items)
            }
            NodeKind::Object(entries) => {
                let entries: Vec<Entry<'a>> = entries
                    .iter()
                    .map(|entry| {
                        let key = match entry.key_expr {
                            Some(_) => written(entry.key_span),
                            None => entry.key,
                        };
                        self.entry(key, entry.key_span, self.literal_json(&entry.value))
                    })
                    .collect();
                make.object(node.span, &entries)
            }
            _ => *node,
        }
    }

    fn load_directory(&self, span: Span, path: &str, pattern: &str) -> Result<Node<'a>, String> {
        let make = self.make();
        let mut files = self.session.files.list(self.unit.name, path)?;
        files.retain(|file| matches(file.rsplit('/').next().unwrap_or(file), pattern));
        files.sort_by_key(|file| file.to_lowercase());
        let items: Vec<_> = files
            .iter()
            .map(|file| {
                let base = file.rsplit('/').next().unwrap_or(file);
                let extension = base.rfind('.').and_then(|dot| base.get(dot..));
                let field =
                    |key, value: &str| expr::entry(key, span, expr::text(span, make.text(value)));
                make.object(
                    span,
                    &[
                        field("relativePath", file),
                        field("baseName", base),
                        field("extension", extension.unwrap_or_default()),
                    ],
                )
            })
            .collect();
        Ok(make.array(span, &items))
    }

    /// A string that is known while compiling.
    pub(crate) fn constant(&self, expression: &Expression<'a>, depth: usize) -> Option<String> {
        if depth > MAX_CONSTANT_DEPTH {
            return None;
        }
        match expression.kind {
            ExpressionKind::Parenthesized(inner) | ExpressionKind::NonNullAssertion(inner) => {
                self.constant(inner, depth + 1)
            }
            ExpressionKind::String(string) => {
                let mut text = String::new();
                let mut holes = string.expressions.iter();
                for (at, segment) in string.segments.iter().enumerate() {
                    if at > 0 {
                        text.push_str(&self.constant(holes.next()?, depth + 1)?);
                    }
                    text.push_str(segment.text);
                }
                Some(text)
            }
            ExpressionKind::Integer(value) => Some(value.to_string()),
            ExpressionKind::VariableAccess(name) => match self.named(expression, name)? {
                Symbol::Variable(at) => {
                    self.constant(&self.unit.variables.get(at)?.of.value, depth + 1)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// A JSON string with its quotes, without its escapes.
fn unescaped(raw: &str) -> String {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    let mut high = None;
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).unwrap_or(0xfffd);
                match (high.take(), code) {
                    (_, 0xd800..=0xdbff) => high = Some(code),
                    (Some(high), 0xdc00..=0xdfff) => {
                        let whole = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                        out.push(char::from_u32(whole).unwrap_or('\u{fffd}'));
                    }
                    _ => out.push(char::from_u32(code).unwrap_or('\u{fffd}')),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// A text in one of the encodings that the official compiler knows. A byte order mark overrules
/// what is said.
fn decode(bytes: &[u8], encoding: &str) -> String {
    let wide = |bytes: &[u8], word: fn([u8; 2]) -> u16| {
        let words: Vec<u16> = bytes
            .chunks(2)
            .filter_map(|pair| Some(word([*pair.first()?, *pair.get(1)?])))
            .collect();
        String::from_utf16_lossy(&words)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match encoding.to_ascii_lowercase().as_str() {
            "utf-16" => wide(bytes, u16::from_le_bytes),
            "utf-16be" => wide(bytes, u16::from_be_bytes),
            "iso-8859-1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
            "us-ascii" => bytes
                .iter()
                .map(|byte| {
                    if byte.is_ascii() {
                        char::from(*byte)
                    } else {
                        '?'
                    }
                })
                .collect(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

/// Whether a name matches a pattern of `*` and `?`.
fn matches(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) =
        (name.chars().collect(), pattern.chars().collect());
    let (mut at, mut wanted) = (0, 0);
    // Where the last star stands, and how much of the name it has taken.
    let mut star = None;
    while at < name.len() {
        match pattern.get(wanted) {
            Some('*') => {
                star = Some((wanted, at));
                wanted += 1;
            }
            Some(letter) if *letter == '?' || Some(letter) == name.get(at) => {
                at += 1;
                wanted += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    at = taken + 1;
                    wanted = before + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(wanted).all(|letter| *letter == '*')
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = 0_u32;
        for at in 0..3 {
            word = (word << 8) | u32::from(chunk.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            if at > chunk.len() {
                out.push('=');
                continue;
            }
            let number = (word >> (18 - 6 * at)) & 63;
            out.push(char::from(
                LETTERS.get(number as usize).copied().unwrap_or(b'A'),
            ));
        }
    }
    out
}
