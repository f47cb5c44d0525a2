//! Values as Bicep.

use yaml::edit::Value;

use crate::syntax::escape;

use super::Refusal;

/// How lines are written around a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    /// `\n` or `\r\n`
    pub(super) line: &'static str,
    /// what one level is indented by
    pub(super) unit: String,
    /// everything stays on one line
    pub(super) flat: bool,
}

impl Style {
    /// Everything on one line.
    pub(super) fn flat() -> Self {
        Self {
            line: "\n",
            unit: "  ".to_owned(),
            flat: true,
        }
    }
}

/// A value, whose first line is indented by `indent`.
pub(super) fn value(value: &Value, indent: &str, style: &Style) -> Result<String, Refusal> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(_) => return Err(Refusal::Value("a number of this size")),
        Value::Float(_) => return Err(Refusal::Value("a number with a fraction")),
        Value::String(text) => string(text),
        Value::List(items) if items.is_empty() => "[]".to_owned(),
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::List(items) => {
            let inner = format!("{indent}{}", style.unit);
            let items = items.iter().map(|item| self::value(item, &inner, style));
            let items: Vec<String> = items.collect::<Result<_, _>>()?;
            block("[", "]", "", &items, indent, style)
        }
        Value::Map(entries) => {
            let inner = format!("{indent}{}", style.unit);
            let entries = entries
                .iter()
                .map(|(key, value)| entry(key, value, &inner, style));
            let entries: Vec<String> = entries.collect::<Result<_, _>>()?;
            block("{", "}", " ", &entries, indent, style)
        }
    })
}

/// `key: value`
pub(super) fn entry(
    key: &str,
    value: &Value,
    indent: &str,
    style: &Style,
) -> Result<String, Refusal> {
    let value = self::value(value, indent, style)?;
    Ok(format!("{}: {value}", self::key(key)))
}

fn block(
    open: &str,
    close: &str,
    space: &str,
    items: &[String],
    indent: &str,
    style: &Style,
) -> String {
    if style.flat {
        return format!("{open}{space}{}{space}{close}", items.join(", "));
    }
    let mut out = String::from(open);
    for item in items {
        out.push_str(style.line);
        out.push_str(indent);
        out.push_str(&style.unit);
        out.push_str(item);
    }
    out.push_str(style.line);
    out.push_str(indent);
    out.push_str(close);
    out
}

pub(super) fn string(text: &str) -> String {
    let mut out = String::from("'");
    escape(&mut out, text);
    out.push('\'');
    out
}

pub(super) fn key(key: &str) -> String {
    let mut bytes = key.bytes();
    let plain = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !matches!(key, "true" | "false" | "null" | "resource");
    if plain { key.to_owned() } else { string(key) }
}
