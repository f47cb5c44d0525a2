//! Values as text, in the style of a document. It leaves out where the text goes.

use super::quote::{self, Context};
use super::style::{SHORT, Style};
use super::value::Value;

/// Whether a value is written over several lines without brackets.
pub(crate) fn is_tall(value: &Value) -> bool {
    match value {
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}

/// Longer texts need a line of their own.
const WORD: usize = 40;

#[derive(Debug)]
pub(crate) struct Render<'s> {
    pub(crate) style: &'s Style,
    pub(crate) line_break: &'static str,
    /// blanks by which a map and a list stand deeper than their key
    pub(crate) step: usize,
    pub(crate) list: usize,
    /// strings and keys in brackets are quoted as in JSON
    pub(crate) json: bool,
    /// texts of several lines may be written as such
    pub(crate) literal: bool,
}

impl Render<'_> {
    fn line(&self, out: &mut String, column: usize) {
        out.push_str(self.line_break);
        out.extend(std::iter::repeat_n(' ', column));
    }

    /// Whether a value is a short list that this document writes in brackets.
    pub(crate) fn is_flat(&self, value: &Value) -> bool {
        let Value::List(items) = value else {
            return false;
        };
        self.style.flat == Some(true)
            && (1..=SHORT).contains(&items.len())
            && items.iter().all(|item| match item {
                Value::String(text) => text.len() <= WORD && !text.contains(['\n', '\r']),
                item => !matches!(item, Value::List(_) | Value::Map(_)),
            })
    }

    /// A value behind `key:` or `-`, the blank included.
    fn behind(&self, out: &mut String, value: &Value, column: usize, dash: bool) {
        match value {
            value if self.is_flat(value) => {
                out.push(' ');
                self.brackets(out, value, None);
            }
            value if is_tall(value) && dash => {
                out.push(' ');
                self.block(out, value, column + 2);
            }
            Value::Map(_) if is_tall(value) => {
                self.line(out, column + self.step);
                self.block(out, value, column + self.step);
            }
            Value::List(_) if is_tall(value) => {
                self.line(out, column + self.list);
                self.block(out, value, column + self.list);
            }
            value => {
                out.push(' ');
                let inner = column + if dash { 2 } else { self.step };
                self.inline(out, value, inner);
            }
        }
    }

    /// A scalar or an empty collection; lines of a long text stand at `column`.
    pub(crate) fn inline(&self, out: &mut String, value: &Value, column: usize) {
        if let Value::String(text) = value
            && self.literal
            && let Some((header, lines)) = quote::literal(text)
        {
            out.push_str(header);
            for line in lines {
                if line.is_empty() {
                    out.push_str(self.line_break);
                } else {
                    self.line(out, column);
                    out.push_str(line);
                }
            }
            return;
        }
        quote::scalar(out, value, Context::Block, self.style.single);
    }

    /// An entry of a map or an item of a list; its first byte stands at `column`.
    pub(crate) fn child(&self, out: &mut String, key: Option<&str>, value: &Value, column: usize) {
        match key {
            Some(key) => {
                quote::string(out, key, Context::Block, self.style.single);
                out.push(':');
            }
            None => out.push('-'),
        }
        self.behind(out, value, column, key.is_none());
    }

    /// A collection without brackets; its first byte stands at `column`.
    pub(crate) fn block(&self, out: &mut String, value: &Value, column: usize) {
        let keys_and_values: Vec<(Option<&str>, &Value)> = match value {
            Value::Map(entries) => entries.iter().map(|(k, v)| (Some(&**k), v)).collect(),
            Value::List(items) => items.iter().map(|v| (None, v)).collect(),
            _ => Vec::new(),
        };
        for (at, (key, value)) in keys_and_values.into_iter().enumerate() {
            if at > 0 {
                self.line(out, column);
            }
            self.child(out, key, value, column);
        }
    }

    /// What stands in brackets. With `indent` in lines of its own, indented so.
    pub(crate) fn brackets(&self, out: &mut String, value: &Value, indent: Option<&str>) {
        let (open, close) = match value {
            Value::Map(_) => ('{', '}'),
            Value::List(_) => ('[', ']'),
            _ => {
                quote::scalar(out, value, self.context(), self.style.single);
                return;
            }
        };
        out.push(open);
        let inner = indent.map(|indent| {
            let unit = self.style.unit.as_deref().unwrap_or_default();
            [indent, unit].concat()
        });
        let inner = inner.as_deref();
        let mut first = true;
        let mut next = |out: &mut String| {
            if !first {
                out.push(',');
            }
            match inner {
                Some(indent) => {
                    out.push_str(self.line_break);
                    out.push_str(indent);
                }
                None if !first => out.push_str(self.style.comma()),
                None => {}
            }
            first = false;
        };
        match value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    next(out);
                    self.pair(out, key, value, inner);
                }
            }
            Value::List(items) => {
                for item in items {
                    next(out);
                    self.brackets(out, item, inner);
                }
            }
            _ => {}
        }
        if let (Some(indent), true) = (indent, is_tall(value)) {
            out.push_str(self.line_break);
            out.push_str(indent);
        }
        out.push(close);
    }

    /// `key: value` in brackets.
    pub(crate) fn pair(&self, out: &mut String, key: &str, value: &Value, indent: Option<&str>) {
        let from = out.len();
        quote::string(out, key, self.context(), self.style.single);
        out.push(':');
        // Only behind quotes may the blank be missing in YAML.
        let quoted = out.get(from..).is_some_and(|text| text.starts_with('"'));
        out.push_str(if quoted { self.style.colon() } else { " " });
        self.brackets(out, value, indent);
    }

    fn context(&self) -> Context {
        if self.json {
            Context::Json
        } else {
            Context::Flow
        }
    }
}
