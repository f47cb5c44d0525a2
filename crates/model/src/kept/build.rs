//! From JSON with marks to a document.

use std::sync::Arc;

use yaml::{Build, Entry, ParseError, Span, json};

use super::{MARK, NOWHERE};
use crate::doc::{Dialect, Doc, DocBuilder, Kind, NodeId, Part};
use crate::manifest::Reader;
use crate::secrets::secret_spans;
use crate::value::Ref;
use cel::Node as _;

/// Where the lines of a text stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places<'k> {
    pub(super) lines: &'k [u32],
    pub(super) files: &'k [(u32, Arc<str>)],
    /// Lines that come after those of the object.
    pub(super) more: u32,
}

/// Reads what [`super::keep`] wrote; gives the places of the lines that come after the object, too.
pub(super) fn read(
    text: &str,
    azure: bool,
    reader: &Reader<'_>,
    places: Places<'_>,
) -> Result<(Doc, Vec<Span>), ParseError> {
    let dialect = if azure {
        Dialect::Azure
    } else {
        Dialect::Plain
    };
    let (mut text, mut starts) = in_lines(text);
    let mut more = Vec::new();
    // No resource stands in that many modules.
    for _ in 0..places.more.min(1024) {
        text.push('\n');
        let start = text.len() as u32;
        starts.push(start);
        more.push(Span { start, end: start });
    }
    let mut build = Marked {
        inner: DocBuilder::new(reader.symbols, dialect, text.as_str().into(), 1),
    };
    let parts = places.files.iter().map(|(line, path)| Part {
        start: starts.get(*line as usize).copied().unwrap_or(u32::MAX),
        path: Arc::clone(path),
        hidden: false,
    });
    build.inner.parts(parts.collect());
    if !places.lines.is_empty() {
        build.inner.lead(&places.lines.into());
    }
    let strict = json::Options { lenient: false };
    let root = json::parse(&text, strict, &reader.limits, &mut build)?;
    let mut doc = build.inner.finish(root);
    if azure {
        doc.hidden = secret_spans(doc.root());
    }
    Ok((doc, more))
}

/// The text with a line for each value, and where the lines begin.
fn in_lines(text: &str) -> (String, Vec<u32>) {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut starts = vec![0];
    let mut within = false;
    let mut escaped = false;
    for c in text.chars() {
        out.push(c);
        match c {
            '"' if !escaped => within = !within,
            '{' | '[' | ',' if !within => {
                out.push('\n');
                starts.push(out.len() as u32);
            }
            ':' if !within => out.push(' '),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    (out, starts)
}

/// Makes of each marked map what it stands for.
struct Marked<'s> {
    inner: DocBuilder<'s>,
}

impl Marked<'_> {
    fn mark(&mut self, entries: &[Entry<'_, NodeId>], span: Span) -> Option<NodeId> {
        let first = entries.first().filter(|entry| entry.key == MARK)?;
        let second = entries.get(1);
        let word = self.inner.word(first.value)?.to_owned();
        let text = || {
            second
                .filter(|entry| entry.key == "text")
                .and_then(|entry| self.inner.word(entry.value))
                .unwrap_or_default()
                .to_owned()
        };
        Some(match word.as_str() {
            "open" => {
                let text = text();
                self.inner.open(&text, span)
            }
            "open-text" => {
                let text = text();
                self.inner.open_text(&text, span)
            }
            "redacted" => self.inner.redacted(span),
            "undocumented" => self.inner.undocumented(),
            "default" => {
                let value = second.filter(|entry| entry.key == "value")?.value;
                self.inner.place(value.0, NOWHERE);
                value
            }
            _ => return None,
        })
    }
}

impl Build for Marked<'_> {
    type Node = NodeId;

    fn null(&mut self, span: Span) -> NodeId {
        self.inner.null(span)
    }

    fn bool(&mut self, value: bool, span: Span) -> NodeId {
        self.inner.bool(value, span)
    }

    fn int(&mut self, value: i64, span: Span) -> NodeId {
        self.inner.int(value, span)
    }

    fn uint(&mut self, value: u64, span: Span) -> NodeId {
        self.inner.uint(value, span)
    }

    fn float(&mut self, value: f64, span: Span) -> NodeId {
        self.inner.float(value, span)
    }

    fn string(&mut self, value: &str, span: Span) -> NodeId {
        self.inner.string(value, span)
    }

    fn list(&mut self, items: &[NodeId], span: Span) -> NodeId {
        self.inner.list(items, span)
    }

    fn map(&mut self, entries: &[Entry<'_, NodeId>], span: Span) -> NodeId {
        match self.mark(entries, span) {
            Some(node) => node,
            None => self.inner.map(entries, span),
        }
    }
}

impl DocBuilder<'_> {
    /// A string that was read.
    fn word(&self, node: NodeId) -> Option<&str> {
        let own = self.node_at(node);
        (own.kind == Kind::Str).then(|| self.string_of(own.a, own.b))
    }
}

impl<'a> Ref<'a> {
    /// Whether two values of two documents are the same, whatever the places.
    #[must_use]
    pub fn equals(self, other: Ref<'_>) -> bool {
        // Documents are bounded in depth; what is deeper than any of them is not the same.
        equal(self, other, 0)
    }
}

fn equal(one: Ref<'_>, other: Ref<'_>, depth: usize) -> bool {
    use cel::View;
    if depth > super::DEEPEST {
        return false;
    }
    match (one.view(), other.view()) {
        (View::List(length), View::List(same)) => {
            length == same
                && one
                    .items()
                    .zip(other.items())
                    .all(|(one, other)| equal(one, other, depth + 1))
        }
        (View::Map(length), View::Map(same)) => {
            length == same
                && one.entries().all(|(key, _, value)| {
                    other
                        .get(key)
                        .is_some_and(|other| equal(value, other, depth + 1))
                })
        }
        (View::Unknown(reason), View::Unknown(same)) => {
            reason == same && one.open_expression() == other.open_expression()
        }
        (View::Str(one), View::Str(other)) => one == other,
        (View::Bool(one), View::Bool(other)) => one == other,
        (View::Null, View::Null) => true,
        (View::Int(one), View::Int(other)) => one == other,
        (View::Uint(one), View::Uint(other)) => one == other,
        (View::Double(one), View::Double(other)) => one.to_bits() == other.to_bits(),
        _ => false,
    }
}
