//! JSON and YAML as values with places: plans, variable files, `jsondecode`, `yamldecode`, and
//! the JSON syntax of configurations.

use bicep::source::{FileId, Span};
use bumpalo::Bump;
use yaml::{Build, Limits};

use crate::lower::{Lower, Place, Refused};
use crate::syntax::{Attribute, Block, Body, Expr, Item, Kind};
use crate::value::{Data, Entry, MAX_DEPTH, Map, Seq, Val};

/// Makes values of a document.
pub(crate) struct Values<'a> {
    pub(crate) arena: &'a Bump,
    pub(crate) place: Place,
}

/// Reads a JSON file.
pub(crate) fn read<'a>(arena: &'a Bump, file: FileId, text: &str) -> Result<Val<'a>, Refused> {
    let mut values = Values {
        arena,
        place: Place::File(file),
    };
    let limits = Limits {
        bytes: 256 << 20,
        ..Limits::default()
    };
    yaml::json::parse(text, yaml::json::Options::default(), &limits, &mut values).map_err(|error| {
        Refused {
            span: Span {
                file,
                start: error.offset,
                end: error.offset,
            },
            message: error.message,
        }
    })
}

impl<'a> Values<'a> {
    fn span(&self, span: yaml::Span) -> Span {
        match self.place {
            Place::Fixed(span) => span,
            Place::File(file) => Span {
                file,
                start: span.start,
                end: span.end,
            },
        }
    }
}

impl<'a> Build for Values<'a> {
    type Node = Val<'a>;

    fn null(&mut self, span: yaml::Span) -> Val<'a> {
        Val::null(self.span(span))
    }

    fn bool(&mut self, value: bool, span: yaml::Span) -> Val<'a> {
        Val::bool(self.span(span), value)
    }

    fn int(&mut self, value: i64, span: yaml::Span) -> Val<'a> {
        Val::new(self.span(span), Data::Int(value))
    }

    fn uint(&mut self, value: u64, span: yaml::Span) -> Val<'a> {
        Val::new(self.span(span), Data::Float(value as f64))
    }

    fn float(&mut self, value: f64, span: yaml::Span) -> Val<'a> {
        Val::number(self.span(span), value)
    }

    fn string(&mut self, value: &str, span: yaml::Span) -> Val<'a> {
        Val::new(self.span(span), Data::Str(self.arena.alloc_str(value)))
    }

    fn list(&mut self, items: &[Val<'a>], span: yaml::Span) -> Val<'a> {
        let items = self.arena.alloc_slice_copy(items);
        Val::new(self.span(span), Data::Seq(Seq::Tuple, items))
    }

    fn map(&mut self, entries: &[yaml::Entry<'_, Val<'a>>], span: yaml::Span) -> Val<'a> {
        let made = self
            .arena
            .alloc_slice_fill_iter(entries.iter().map(|entry| Entry {
                key: self.arena.alloc_str(&entry.key),
                key_span: self.span(entry.key_span),
                open: None,
                value: entry.value,
            }));
        Val::new(self.span(span), Data::Map(Map::Object, made))
    }
}

/// How many labels the blocks of a kind have; of no kind that is not here.
fn labels(kind: &str) -> Option<usize> {
    match kind {
        "resource" | "data" | "ephemeral" => Some(2),
        "variable" | "output" | "module" | "provider" | "check" => Some(1),
        "locals" | "terraform" | "moved" | "import" | "removed" => Some(0),
        _ => None,
    }
}

/// A `.tf.json` file as the native syntax would have it.
pub(crate) fn configuration<'a>(
    arena: &'a Bump,
    root: &Val<'a>,
    refused: &mut Vec<Refused>,
) -> Body<'a> {
    let mut blocks = Vec::new();
    let mut syntax = Syntax { arena, refused };
    for entry in root.entries().unwrap_or_default() {
        if let Some(count) = labels(entry.key) {
            syntax.blocks(
                entry.key,
                entry.key_span,
                count,
                &[],
                &entry.value,
                &mut blocks,
            );
        }
    }
    Body {
        attributes: &[],
        blocks: arena.alloc_slice_copy(&blocks),
    }
}

struct Syntax<'a, 'r> {
    arena: &'a Bump,
    refused: &'r mut Vec<Refused>,
}

impl<'a> Syntax<'a, '_> {
    fn blocks(
        &mut self,
        kind: &'a str,
        head: Span,
        missing: usize,
        labels: &[&'a str],
        value: &Val<'a>,
        out: &mut Vec<Block<'a>>,
    ) {
        if let Some(items) = value.seq() {
            for item in items.iter().filter(|item| item.seq().is_none()) {
                self.blocks(kind, head, missing, labels, item, out);
            }
        } else if missing == 0 {
            out.push(Block {
                kind,
                labels: self.arena.alloc_slice_copy(labels),
                head,
                body: self.body(kind, value),
            });
        } else {
            for entry in value.entries().unwrap_or_default() {
                if entry.key == "//" {
                    continue;
                }
                let mut labels = labels.to_vec();
                labels.push(entry.key);
                self.blocks(
                    kind,
                    entry.key_span,
                    missing - 1,
                    &labels,
                    &entry.value,
                    out,
                );
            }
        }
    }

    fn body(&mut self, kind: &str, value: &Val<'a>) -> Body<'a> {
        let mut attributes = Vec::new();
        let mut blocks = Vec::new();
        for entry in value.entries().unwrap_or_default() {
            match entry.key {
                "//" => {}
                "dynamic" => {
                    let items = match value_list(&entry.value) {
                        Some(items) => items,
                        None => std::slice::from_ref(&entry.value),
                    };
                    for item in items {
                        self.dynamic(item, &mut blocks);
                    }
                }
                name => attributes.push(Attribute {
                    name,
                    name_span: entry.key_span,
                    // A type is an expression in a string, not a template.
                    value: if kind == "variable" && name == "type" {
                        self.whole(&entry.value)
                    } else {
                        self.expr(&entry.value, 0)
                    },
                }),
            }
        }
        Body {
            attributes: self.arena.alloc_slice_copy(&attributes),
            blocks: self.arena.alloc_slice_copy(&blocks),
        }
    }

    /// `"dynamic": {"name": {"for_each": …, "content": {…}}}`
    fn dynamic(&mut self, value: &Val<'a>, out: &mut Vec<Block<'a>>) {
        for entry in value.entries().unwrap_or_default() {
            let list = std::slice::from_ref(&entry.value);
            for item in value_list(&entry.value).unwrap_or(list) {
                let mut attributes = Vec::new();
                let mut blocks = Vec::new();
                for inner in item.entries().unwrap_or_default() {
                    if inner.key == "content" {
                        let list = std::slice::from_ref(&inner.value);
                        for content in value_list(&inner.value).unwrap_or(list) {
                            blocks.push(Block {
                                kind: "content",
                                labels: &[],
                                head: inner.key_span,
                                body: self.body("content", content),
                            });
                        }
                    } else {
                        attributes.push(Attribute {
                            name: inner.key,
                            name_span: inner.key_span,
                            value: self.expr(&inner.value, 0),
                        });
                    }
                }
                out.push(Block {
                    kind: "dynamic",
                    labels: self.arena.alloc_slice_copy(&[entry.key]),
                    head: entry.key_span,
                    body: Body {
                        attributes: self.arena.alloc_slice_copy(&attributes),
                        blocks: self.arena.alloc_slice_copy(&blocks),
                    },
                });
            }
        }
    }

    fn whole(&mut self, value: &Val<'a>) -> Expr<'a> {
        match value.data {
            Data::Str(text) => self.parsed(value.span, |lower| lower.expr_text(text)),
            _ => self.expr(value, 0),
        }
    }

    fn parsed(
        &mut self,
        span: Span,
        parse: impl FnOnce(&Lower<'a>) -> Result<Expr<'a>, Refused>,
    ) -> Expr<'a> {
        let lower = Lower {
            arena: self.arena,
            place: Place::Fixed(span),
        };
        parse(&lower).unwrap_or_else(|refused| {
            self.refused.push(refused);
            Expr {
                span,
                kind: Kind::Null,
            }
        })
    }

    fn expr(&mut self, value: &Val<'a>, depth: usize) -> Expr<'a> {
        let span = value.span;
        let kind = match value.data {
            _ if depth > MAX_DEPTH => Kind::Null,
            Data::Bool(value) => Kind::Bool(value),
            Data::Int(value) => Kind::Int(value),
            Data::Float(value) => Kind::Float(value),
            Data::Str(text) if text.contains("${") || text.contains("%{") => {
                return self.parsed(span, |lower| lower.template_text(text));
            }
            Data::Str(text) => Kind::Str(text),
            Data::Seq(_, items) => {
                let items: Vec<Expr<'a>> = items
                    .iter()
                    .map(|item| self.expr(item, depth + 1))
                    .collect();
                Kind::Tuple(self.arena.alloc_slice_copy(&items))
            }
            Data::Map(_, entries) => {
                let items: Vec<Item<'a>> = entries
                    .iter()
                    .filter(|entry| entry.key != "//")
                    .map(|entry| Item {
                        key: self.expr(&Val::new(entry.key_span, Data::Str(entry.key)), depth + 1),
                        value: self.expr(&entry.value, depth + 1),
                    })
                    .collect();
                Kind::Object(self.arena.alloc_slice_copy(&items))
            }
            _ => Kind::Null,
        };
        Expr { span, kind }
    }
}

fn value_list<'a>(value: &Val<'a>) -> Option<&'a [Val<'a>]> {
    value.seq()
}
