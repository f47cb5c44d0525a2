//! Makes values of the YAML that `loadYamlContent` reads.

use yaml::Entry;

use crate::node::{Node, NodeKind};
use crate::source::{FileId, Span};

use super::expr::{self, Maker};

/// Builds in an arena.
pub(crate) struct Build<'a> {
    pub(crate) make: Maker<'a>,
    pub(crate) file: FileId,
}

impl<'a> Build<'a> {
    fn span(&self, span: yaml::Span) -> Span {
        Span {
            file: self.file,
            start: span.start,
            end: span.end,
        }
    }

    fn node(&self, kind: NodeKind<'a>, span: yaml::Span) -> Node<'a> {
        Node {
            span: self.span(span),
            kind,
        }
    }
}

impl<'a> yaml::Build for Build<'a> {
    type Node = Node<'a>;

    fn null(&mut self, span: yaml::Span) -> Node<'a> {
        self.node(NodeKind::Null, span)
    }

    fn bool(&mut self, value: bool, span: yaml::Span) -> Node<'a> {
        self.node(NodeKind::Bool(value), span)
    }

    fn int(&mut self, value: i64, span: yaml::Span) -> Node<'a> {
        self.node(NodeKind::Int(value), span)
    }

    fn uint(&mut self, value: u64, span: yaml::Span) -> Node<'a> {
        self.float(value as f64, span)
    }

    /// Bicep has no such literal.
    fn float(&mut self, value: f64, span: yaml::Span) -> Node<'a> {
        let span = self.span(span);
        let text = self.make.string(span, &value.to_string());
        self.make.value(self.make.call(span, "json", &[text]))
    }

    fn string(&mut self, text: &str, span: yaml::Span) -> Node<'a> {
        self.node(NodeKind::Str(self.make.text(text)), span)
    }

    fn list(&mut self, items: &[Node<'a>], span: yaml::Span) -> Node<'a> {
        self.make.array(self.span(span), items)
    }

    fn map(&mut self, entries: &[Entry<'_, Node<'a>>], span: yaml::Span) -> Node<'a> {
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| {
                let key = self.make.text(&entry.key);
                expr::entry(key, self.span(entry.key_span), entry.value)
            })
            .collect();
        self.make.object(self.span(span), &entries)
    }
}
