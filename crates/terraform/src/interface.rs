//! What a root module takes and gives, as the tree of a template that declares the same
//! parameters and outputs: so whoever judges templates judges it too.

use bicep::node::{Entry, Node, NodeKind};
use bicep::source::Span;
use bumpalo::Bump;

use crate::load::Module;
use crate::syntax::{Attribute, Block, Expr, Kind};

/// `{parameters: {NAME: {type, defaultValue}}, outputs: {NAME: {type, value}}}`; what is sensitive
/// has a secure type.
pub(crate) fn of<'a>(arena: &'a Bump, module: &Module<'a>) -> Node<'a> {
    let tree = Tree { arena };
    let parameters: Vec<Entry<'a>> = module
        .variables
        .iter()
        .map(|(name, block)| tree.entry(name, block.head, tree.variable(block)))
        .collect();
    let outputs: Vec<Entry<'a>> = module
        .outputs
        .iter()
        .map(|(name, block)| tree.entry(name, block.head, tree.output(block)))
        .collect();
    let here = parameters
        .first()
        .or(outputs.first())
        .map_or_else(Span::default, |first| first.key_span);
    let parts = [
        tree.entry("parameters", here, tree.object(here, &parameters)),
        tree.entry("outputs", here, tree.object(here, &outputs)),
    ];
    tree.object(here, &parts)
}

struct Tree<'a> {
    arena: &'a Bump,
}

impl<'a> Tree<'a> {
    fn object(&self, span: Span, entries: &[Entry<'a>]) -> Node<'a> {
        Node {
            span,
            kind: NodeKind::Object(self.arena.alloc_slice_copy(entries)),
        }
    }

    fn entry(&self, key: &'a str, key_span: Span, value: Node<'a>) -> Entry<'a> {
        Entry {
            key,
            key_expr: None,
            key_span,
            value,
        }
    }

    fn kind(&self, block: &Block<'a>) -> Entry<'a> {
        let sensitive = matches!(
            block.body.attribute("sensitive"),
            Some(Attribute {
                value: Expr {
                    kind: Kind::Bool(true),
                    ..
                },
                ..
            })
        );
        let declared = block
            .body
            .attribute("type")
            .and_then(|of| match of.value.kind {
                Kind::Name(name) => Some(name),
                _ => None,
            });
        let text = match (sensitive, declared) {
            (true, Some("string") | None) => "secureString",
            (true, _) => "secureObject",
            (false, declared) => declared.unwrap_or("any"),
        };
        let kind = Node {
            span: block.head,
            kind: NodeKind::Str(text),
        };
        self.entry("type", block.head, kind)
    }

    fn variable(&self, block: &Block<'a>) -> Node<'a> {
        let mut entries = vec![self.kind(block)];
        if let Some(default) = block.body.attribute("default") {
            let value = self.literal(&default.value, 0);
            entries.push(self.entry("defaultValue", default.name_span, value));
        }
        self.object(block.head, &entries)
    }

    fn output(&self, block: &Block<'a>) -> Node<'a> {
        let mut entries = vec![self.kind(block)];
        if let Some(value) = block.body.attribute("value") {
            let node = Node {
                span: value.value.span,
                kind: NodeKind::Null,
            };
            entries.push(self.entry("value", value.name_span, node));
        }
        self.object(block.head, &entries)
    }

    /// A default is a literal; whatever else stands there is none.
    fn literal(&self, expression: &Expr<'a>, depth: usize) -> Node<'a> {
        let items = |items: &'a [Expr<'a>]| -> &'a [Node<'a>] {
            self.arena
                .alloc_slice_fill_iter(items.iter().map(|item| self.literal(item, depth + 1)))
        };
        let kind = match expression.kind {
            Kind::Bool(value) => NodeKind::Bool(value),
            Kind::Int(value) => NodeKind::Int(value),
            Kind::Float(value) => NodeKind::Float(value),
            Kind::Str(text) => NodeKind::Str(text),
            Kind::Tuple(all) if depth < 64 => NodeKind::Array(items(all)),
            Kind::Object(all) if depth < 64 => {
                let entries: Vec<Entry<'a>> = all
                    .iter()
                    .map(|item| {
                        let key = match item.key.kind {
                            Kind::Str(text) | Kind::Name(text) => text,
                            _ => "",
                        };
                        self.entry(key, item.key.span, self.literal(&item.value, depth + 1))
                    })
                    .collect();
                NodeKind::Object(self.arena.alloc_slice_copy(&entries))
            }
            _ => NodeKind::Null,
        };
        Node {
            span: expression.span,
            kind,
        }
    }
}
