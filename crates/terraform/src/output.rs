//! What is handed out, and the way from [`crate::value`] to it.

use bicep::deployment::{OpenParameter, Problem};
use bicep::node::Node;
use bicep::source::Span;
use bicep::value::{Data as OutData, Field, Shape, Unknown as OutUnknown, Value, Why};
use bumpalo::Bump;

use crate::value::{Data, Entry, MAX_DEPTH, Map, Seq, Unknown, Val};

/// A resource or a data source as the configuration or the plan has it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// `module.network["a"].azurerm_subnet.nodes[0]`
    pub address: &'a str,
    /// `azurerm_subnet`
    pub kind: &'a str,
    /// Its id in Azure, open parts in braces, when the table knows how it is composed.
    pub id: Option<&'a str>,
    /// Its label: `nodes`.
    pub name: &'a str,
    /// `azurerm`, or `azurerm.hub` for another configuration of it.
    pub provider: &'a str,
    /// Its arguments; blocks are lists of objects. What is null is left out.
    pub body: Value<'a>,
    /// When it is made, where that is not known.
    pub condition: Option<Value<'a>>,
    /// A data source.
    pub existing: bool,
    /// Where it is declared: its kind and labels; in a plan its whole entry.
    pub span: Span,
    /// Where the module calls stand that lead to it, outermost first.
    pub through: &'a [Span],
}

/// What a configuration or a plan comes to.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    /// In the order in which they are written, files by name; modules where they are called.
    pub resources: Vec<Resource<'a>>,
    /// The root module's outputs.
    pub outputs: Vec<(&'a str, Value<'a>)>,
    /// The root module's variables that have no value.
    pub open: Vec<OpenParameter<'a>>,
    /// What the root module takes and gives, as a template declares it.
    pub interface: Option<Node<'a>>,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// The lowest and the highest major version of azurerm that it may be used with.
    pub azurerm: (u64, u64),
    /// Arguments that are null: where each stands, and where the null was written.
    pub(crate) nulls: Vec<(Span, Span)>,
    /// Dynamic blocks that make nothing because of a condition: where each stands, where the
    /// condition's value was written, and which it is.
    pub(crate) switches: Vec<(Span, Span, bool)>,
    /// Literals that conditions chose.
    pub(crate) choices: Vec<Choice>,
}

/// A literal that a condition chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// The literal.
    pub(crate) chosen: Span,
    /// What the other outcome would have chosen.
    pub(crate) other: Span,
    /// Where the condition's value was written.
    pub(crate) condition: Span,
    /// Which it is.
    pub(crate) holds: bool,
}

/// Values of one reading that are written out at most.
const MAX_VALUES: usize = 2_000_000;

/// Writes values out.
pub(crate) struct Out<'a> {
    pub(crate) arena: &'a Bump,
    left: usize,
    /// See [`Reading::nulls`].
    pub(crate) nulls: Vec<(Span, Span)>,
}

/// An expression for the text of an open string, whose braces would be taken for the borders of
/// open parts.
pub(crate) fn expression<'a>(arena: &'a Bump, text: &'a str) -> &'a str {
    if text.contains(['{', '}']) {
        arena.alloc_str(&text.replace('{', "‹").replace('}', "›"))
    } else {
        text
    }
}

impl<'a> Out<'a> {
    pub(crate) fn new(arena: &'a Bump) -> Self {
        Self {
            arena,
            left: MAX_VALUES,
            nulls: Vec::new(),
        }
    }

    pub(crate) fn value(&mut self, value: &Val<'a>) -> Value<'a> {
        self.value_to(value, 0)
    }

    fn value_to(&mut self, value: &Val<'a>, depth: usize) -> Value<'a> {
        let span = value.span;
        if depth > MAX_DEPTH || self.left == 0 {
            return self.open(span, "…", Why::Unsupported("a value that is too large"));
        }
        self.left -= 1;
        if let Some(name) = value.secret {
            return self.secret(value, name);
        }
        let data = match value.data {
            Data::Null => OutData::Null,
            Data::Bool(value) => OutData::Bool(value),
            Data::Int(value) => OutData::Int(value),
            Data::Float(value) => OutData::Float(value),
            Data::Str(text) => OutData::Str(text),
            Data::Seq(_, items) => {
                let items: Vec<Value<'a>> = items
                    .iter()
                    .map(|item| self.value_to(item, depth + 1))
                    .collect();
                OutData::Array(self.arena.alloc_slice_copy(&items))
            }
            Data::Map(_, entries) => self.fields(entries, depth, false),
            Data::Instance(instance) => self.fields(instance.fields, depth, true),
            Data::Module(_) => {
                return self.open(span, "module", Why::Unsupported("a module as a value"));
            }
            Data::Unknown(_) | Data::Uncertain(_) => match value.unknown() {
                Some(unknown) => OutData::Unknown(self.unknown(unknown, depth)),
                None => OutData::Null,
            },
        };
        Value { span, data }
    }

    fn fields(&mut self, entries: &[Entry<'a>], depth: usize, sparse: bool) -> OutData<'a> {
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(entries.len());
        for entry in entries {
            if sparse && entry.value.is_null() {
                self.nulls.push((entry.key_span, entry.value.span));
                continue;
            }
            fields.push(Field {
                key: entry.key,
                key_span: entry.key_span,
                value: self.value_to(&entry.value, depth + 1),
            });
        }
        OutData::Object(self.arena.alloc_slice_copy(&fields))
    }

    fn unknown(&mut self, unknown: &Unknown<'a>, depth: usize) -> &'a OutUnknown<'a> {
        let fields = match self.fields(unknown.fields, depth, false) {
            OutData::Object(fields) => fields,
            _ => &[],
        };
        let items: Vec<Value<'a>> = unknown
            .items
            .iter()
            .map(|item| self.value_to(item, depth + 1))
            .collect();
        let why = if unknown.why.is_empty() {
            &[Why::Unsupported("an expression")]
        } else {
            unknown.why
        };
        self.arena.alloc(OutUnknown {
            text: match unknown.shape {
                Shape::String if !unknown.partial => expression(self.arena, unknown.text),
                _ => unknown.text,
            },
            shape: unknown.shape,
            why,
            secret: unknown.secret,
            absent: false,
            not: unknown.not,
            fields,
            items: self.arena.alloc_slice_copy(&items),
        })
    }

    /// What is sensitive is not handed out even when it is known.
    fn secret(&self, value: &Val<'a>, name: &'a str) -> Value<'a> {
        let mut why = Vec::new();
        value.gather(&mut why, &mut None);
        let before = why.len();
        why.extend(variables(name).into_iter().map(Why::Parameter));
        if why.len() == before {
            why.push(Why::Keys(name));
        }
        why.sort_unstable();
        why.dedup();
        let unknown = self.arena.alloc(OutUnknown {
            text: value.unknown().map_or(name, |unknown| unknown.text),
            shape: match value.data {
                Data::Null => Shape::Any,
                _ => crate::evaluate::shape(value),
            },
            why: self.arena.alloc_slice_copy(&why),
            secret: true,
            absent: false,
            not: &[],
            fields: &[],
            items: &[],
        });
        Value {
            span: value.span,
            data: OutData::Unknown(unknown),
        }
    }

    fn open(&self, span: Span, text: &'a str, why: Why<'a>) -> Value<'a> {
        let unknown = self.arena.alloc(OutUnknown {
            text,
            shape: Shape::Any,
            why: self.arena.alloc_slice_copy(&[why]),
            secret: false,
            absent: false,
            not: &[],
            fields: &[],
            items: &[],
        });
        Value {
            span,
            data: OutData::Unknown(unknown),
        }
    }
}

/// The variables of the root that a text names.
fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("var.") {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let inner = before.is_some_and(|next| next.is_alphanumeric() || matches!(next, '.' | '_'));
        let rest = text.get(at + 4..).unwrap_or_default();
        let end = rest
            .find(|next: char| !next.is_alphanumeric() && !matches!(next, '_' | '-'))
            .unwrap_or(rest.len());
        if let Some(name) = rest.get(..end).filter(|name| !inner && !name.is_empty()) {
            found.push(name);
        }
    }
    found
}

/// A value that is handed in, as a variable's.
pub(crate) fn given<'a>(arena: &'a Bump, value: &Value<'a>, depth: usize) -> Val<'a> {
    let data = match value.data {
        OutData::Null => Data::Null,
        OutData::Bool(value) => Data::Bool(value),
        OutData::Int(value) => Data::Int(value),
        OutData::Float(value) => Data::Float(value),
        OutData::Str(text) => Data::Str(text),
        OutData::Array(items) if depth < MAX_DEPTH => {
            let items: Vec<Val<'a>> = items
                .iter()
                .map(|item| given(arena, item, depth + 1))
                .collect();
            Data::Seq(Seq::Tuple, arena.alloc_slice_copy(&items))
        }
        OutData::Object(fields) if depth < MAX_DEPTH => {
            let entries: Vec<Entry<'a>> = fields
                .iter()
                .map(|field| Entry {
                    key: field.key,
                    key_span: field.key_span,
                    open: None,
                    value: given(arena, &field.value, depth + 1),
                })
                .collect();
            Data::Map(Map::Object, arena.alloc_slice_copy(&entries))
        }
        OutData::Unknown(unknown) => Data::Unknown(arena.alloc(Unknown {
            text: unknown.text,
            partial: unknown.shape == Shape::String && unknown.text.contains('{'),
            shape: unknown.shape,
            why: unknown.why,
            secret: unknown.secret,
            not: unknown.not,
            of: None,
            fields: &[],
            items: &[],
        })),
        OutData::Array(_) | OutData::Object(_) => Data::Null,
    };
    Val::new(value.span, data)
}
