//! New text in the native syntax, as `terraform fmt` would leave it.

use std::fmt::Write as _;

use yaml::edit::Value;

use super::lines;

/// How lines begin and end around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// What a line at the place begins with.
    pub(crate) indent: String,
    /// What one level more begins with.
    pub(crate) unit: &'static str,
    pub(crate) newline: &'static str,
}

impl Style {
    /// One level deeper.
    pub(crate) fn deeper(&self) -> Self {
        Self {
            indent: format!("{}{}", self.indent, self.unit),
            ..self.clone()
        }
    }
}

/// Something new in a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum New {
    /// `name = value`
    Attribute(String, Value),
    /// `name { … }`
    Block(String, Vec<Self>),
}

impl New {
    /// Its lines, the first without indentation and the last without a line break.
    pub(crate) fn text(&self, style: &Style) -> String {
        let mut text = String::new();
        match self {
            Self::Attribute(name, value) => {
                let _ = write!(text, "{name} = {}", expression(value, style));
            }
            Self::Block(name, content) if content.is_empty() => {
                let _ = write!(text, "{name} {{}}");
            }
            Self::Block(name, content) => {
                let (inner, newline) = (style.deeper(), style.newline);
                let _ = write!(text, "{name} {{{newline}");
                for new in content {
                    let _ = write!(text, "{}{}{newline}", inner.indent, new.text(&inner));
                }
                let _ = write!(text, "{}}}", style.indent);
            }
        }
        text
    }
}

/// Values deeper than this are none that a fix makes.
const DEPTH: usize = 32;

/// A value as an expression; a map takes a line for each of its entries.
pub(crate) fn expression(value: &Value, style: &Style) -> String {
    let text = written(value, style, 0);
    if text.contains('\n') {
        aligned(text)
    } else {
        text
    }
}

fn written(value: &Value, style: &Style, depth: usize) -> String {
    if depth > DEPTH {
        return "null".to_owned();
    }
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::List(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| written(item, style, depth + 1))
                .collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let (inner, newline) = (style.deeper(), style.newline);
            let mut text = format!("{{{newline}");
            for (key, value) in entries {
                let value = written(value, &inner, depth + 1);
                let _ = write!(
                    text,
                    "{}{} = {value}{newline}",
                    inner.indent,
                    self::key(key)
                );
            }
            let _ = write!(text, "{}}}", style.indent);
            text
        }
    }
}

/// A value on one line.
pub(crate) fn inline(value: &Value, depth: usize) -> String {
    let flat = Style {
        indent: String::new(),
        unit: "",
        newline: "",
    };
    match value {
        Value::Map(entries) if !entries.is_empty() && depth < DEPTH => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", self::key(key), inline(value, depth + 1)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::List(items) if depth < DEPTH => {
            let items: Vec<String> = items.iter().map(|item| inline(item, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        value => written(value, &flat, depth),
    }
}

/// A key of an object: bare where it may be.
pub(crate) fn key(key: &str) -> String {
    if is_name(key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#identifiers>
fn is_name(text: &str) -> bool {
    let mut all = text.chars();
    let begins = all
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    begins && all.all(|next| next.is_ascii_alphanumeric() || matches!(next, '_' | '-'))
}

/// <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#quoted-template-expressions>
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                out.push(next);
                out.push(next);
            }
            _ if next.is_control() => {
                let _ = write!(out, "\\u{:04x}", next as u32);
            }
            _ => out.push(next),
        }
    }
    out.push('"');
    out
}

/// Equals signs below each other.
pub(super) fn aligned(text: String) -> String {
    let lines = lines::lines(&text);
    let mut gaps = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let run = lines::assigned(&lines, at);
        if let Some(run) = lines.get(run.clone()) {
            gaps.extend(lines::gaps(&text, run, |line| line.equals));
        }
        at = run.end.max(at + 1);
    }
    let mut text = text;
    for (range, width) in gaps.into_iter().rev() {
        text.replace_range(range, &" ".repeat(width));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{New, Style, quoted};
    use yaml::edit::Value;

    #[test]
    fn new_text_is_formatted() {
        let style = Style {
            indent: "  ".to_owned(),
            unit: "  ",
            newline: "\n",
        };
        let map = Value::Map(vec![
            ("a".to_owned(), Value::Bool(true)),
            ("long key".to_owned(), Value::Int(3)),
        ]);
        let new = New::Block("b".to_owned(), vec![New::Attribute("c".to_owned(), map)]);
        assert_eq!(
            new.text(&style),
            "b {\n    c = {\n      a          = true\n      \"long key\" = 3\n    }\n  }"
        );
        assert_eq!(quoted("a\"${b}%{\\$\u{1}"), r#""a\"$${b}%%{\\$\u0001""#);
    }
}
