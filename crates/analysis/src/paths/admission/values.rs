//! Objects as plain values, and back as documents that expressions read.

use cel::Symbols;
use model::doc::{Dialect, Doc, DocBuilder};
use model::{NodeId, Ref};
use serde_json::Value;
use yaml::{Build as _, Entry, Span};

use super::shapes::{ANY, OPEN};

/// Deeper objects are cut off.
const DEPTH: usize = 48;

/// An object of the estate as plain values; what is open is marked.
pub(super) fn written(value: Ref<'_>, depth: usize) -> Value {
    use cel::{Node as _, View};
    if depth > DEPTH {
        return Value::Null;
    }
    match value.view() {
        View::Null => Value::Null,
        View::Unknown(_) => Value::String(format!("{OPEN}?")),
        View::Bool(value) => value.into(),
        View::Int(value) => value.into(),
        View::Uint(value) => value.into(),
        View::Double(value) => value.into(),
        View::Str(value) => value.into(),
        View::List(_) => value.items().map(|item| written(item, depth + 1)).collect(),
        View::Map(_) => Value::Object(
            value
                .entries()
                .map(|(key, _, value)| (key.to_owned(), written(value, depth + 1)))
                .collect(),
        ),
    }
}

/// Values as a document over the names that a policy's programs know.
pub(super) fn document(symbols: &Symbols, value: &Value) -> Doc {
    let mut builder = DocBuilder::new(symbols, Dialect::Plain, "".into(), 1);
    let root = put(&mut builder, value, 0);
    builder.finish(root)
}

fn put(builder: &mut DocBuilder<'_>, value: &Value, depth: usize) -> NodeId {
    let none = Span { start: 0, end: 0 };
    if depth > DEPTH + 8 {
        return builder.null(none);
    }
    match value {
        Value::Null => builder.null(none),
        Value::Bool(value) => builder.bool(*value, none),
        Value::Number(number) => match number.as_i64() {
            Some(number) => builder.int(number, none),
            None => builder.float(number.as_f64().unwrap_or_default(), none),
        },
        Value::String(text) if text == ANY => builder.not_given(none),
        Value::String(text) => match text.strip_prefix(OPEN) {
            Some(expression) => builder.open(expression, none),
            None => builder.string(text, none),
        },
        Value::Array(items) => {
            let items: Vec<NodeId> = items
                .iter()
                .map(|item| put(builder, item, depth + 1))
                .collect();
            builder.list(&items, none)
        }
        Value::Object(entries) => {
            let entries: Vec<Entry<'_, NodeId>> = entries
                .iter()
                .map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    key_span: none,
                    value: put(builder, value, depth + 1),
                    merged: false,
                })
                .collect();
            builder.map(&entries, none)
        }
    }
}
