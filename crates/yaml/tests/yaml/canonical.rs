//! Values as the JSON that Go's `encoding/json` writes: keys sorted, numbers in Go's form.

use yaml::{Build, Entry, Limits, Span};

#[derive(Debug, Clone)]
enum Value {
    Plain(String),
    List(Vec<usize>),
    Map(Vec<(String, usize)>),
}

#[derive(Debug, Default)]
pub(crate) struct Canonical {
    values: Vec<Value>,
    pub(crate) spans: Vec<Span>,
    pub(crate) duplicates: Vec<String>,
    pub(crate) names: Vec<String>,
}

impl Canonical {
    fn add(&mut self, value: Value, span: Span) -> usize {
        self.values.push(value);
        self.spans.push(span);
        self.values.len() - 1
    }

    pub(crate) fn render(&self, node: usize) -> String {
        let mut out = String::new();
        self.write(node, &mut out);
        out
    }

    fn write(&self, node: usize, out: &mut String) {
        match &self.values[node] {
            Value::Plain(text) => out.push_str(text),
            Value::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write(*item, out);
                }
                out.push(']');
            }
            Value::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort();
                out.push('{');
                for (index, (key, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(key));
                    out.push(':');
                    self.write(*value, out);
                }
                out.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\x20' => {
                out.push_str(&format!("\\u{:04x}", character as u32));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

fn go_float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") {
            text
        } else {
            text.replace('e', "e+")
        };
    }
    format!("{value}")
}

impl Build for Canonical {
    type Node = usize;

    fn null(&mut self, span: Span) -> usize {
        self.add(Value::Plain("null".to_owned()), span)
    }
    fn bool(&mut self, value: bool, span: Span) -> usize {
        self.add(Value::Plain(value.to_string()), span)
    }
    fn int(&mut self, value: i64, span: Span) -> usize {
        self.add(Value::Plain(value.to_string()), span)
    }
    fn uint(&mut self, value: u64, span: Span) -> usize {
        assert!(value > i64::MAX as u64);
        self.add(Value::Plain(value.to_string()), span)
    }
    fn float(&mut self, value: f64, span: Span) -> usize {
        assert!(value.is_finite());
        self.add(Value::Plain(go_float(value)), span)
    }
    fn string(&mut self, value: &str, span: Span) -> usize {
        self.add(Value::Plain(quoted(value)), span)
    }
    fn list(&mut self, items: &[usize], span: Span) -> usize {
        self.add(Value::List(items.to_vec()), span)
    }
    fn map(&mut self, entries: &[Entry<'_, usize>], span: Span) -> usize {
        let entries = entries
            .iter()
            .map(|e| (e.key.to_string(), e.value))
            .collect();
        self.add(Value::Map(entries), span)
    }
    fn anchored(&mut self, _: usize, anchor: &str, _: Span) {
        self.names.push(format!("&{anchor}"));
    }
    fn aliased(&mut self, _: usize, anchor: &str, _: Span) {
        self.names.push(format!("*{anchor}"));
    }
    fn duplicate(&mut self, key: &str, first: Span, again: Span) {
        assert!(first.start < again.start);
        self.duplicates.push(key.to_owned());
    }
}

/// A document as JSON, `null` if it holds nothing.
pub(crate) fn read(text: &str) -> Result<String, String> {
    let mut build = Canonical::default();
    match yaml::parse(text, &Limits::default(), &mut build) {
        Ok(Some(node)) => Ok(build.render(node)),
        Ok(None) => Ok("null".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
