//! Values while they are evaluated: Terraform's own, with the place where they were written, a
//! mark for what is sensitive, and unknowns that know why. [`crate::output`] makes of them what
//! is handed out.

use std::fmt::Write as _;

use bicep::source::Span;
use bicep::value::{Shape, Why};
use bumpalo::Bump;

use crate::types::Type;

/// A value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Val<'a> {
    pub(crate) span: Span,
    /// It is sensitive; how it is called.
    pub(crate) secret: Option<&'a str>,
    /// How much it holds: what is shared counts each time.
    pub(crate) size: u32,
    pub(crate) data: Data<'a>,
}

/// What a [`Val`] is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Data<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
    Seq(Seq, &'a [Val<'a>]),
    /// In the order written or, for a map, of the keys.
    Map(Map, &'a [Entry<'a>]),
    /// A resource or a block in one: it has attributes beyond those that are written.
    Instance(&'a Instance<'a>),
    /// A resource of which it is not known how many there are.
    Uncertain(&'a Uncertain<'a>),
    /// An instance of a module, by number.
    Module(usize),
    Unknown(&'a Unknown<'a>),
}

/// Which sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seq {
    Tuple,
    List,
    Set,
}

/// Which mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Map {
    Object,
    Map,
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) key_span: Span,
    /// The key as an unknown, when it is one: `key` is its text then.
    pub(crate) open: Option<&'a Unknown<'a>>,
    pub(crate) value: Val<'a>,
}

impl<'a> Entry<'a> {
    /// Its key as a value.
    pub(crate) fn key_value(&self) -> Val<'a> {
        Val::new(
            self.key_span,
            self.open.map_or(Data::Str(self.key), Data::Unknown),
        )
    }
}

/// A resource, or a block in one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instance<'a> {
    /// Its address: `azurerm_subnet.nodes`, `azurerm_kubernetes_cluster.main.identity[0]`.
    pub(crate) address: &'a str,
    /// Its kind and provider; nothing for a block.
    pub(crate) of: Option<(&'a str, &'a str)>,
    pub(crate) fields: &'a [Entry<'a>],
}

/// Some number of instances of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uncertain<'a> {
    /// One that stands for all of them.
    pub(crate) sample: Val<'a>,
    /// The collection: `azurerm_subnet.nodes`.
    pub(crate) all: &'a Unknown<'a>,
}

/// A value that the configuration leaves open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unknown<'a> {
    pub(crate) text: &'a str,
    /// The text is a string with its open parts in braces, no expression.
    pub(crate) partial: bool,
    pub(crate) shape: Shape,
    pub(crate) why: &'a [Why<'a>],
    pub(crate) secret: bool,
    pub(crate) not: &'a [bicep::value::Value<'a>],
    /// The type of a variable.
    pub(crate) of: Option<&'a Type<'a>>,
    /// Entries that a map certainly has.
    pub(crate) fields: &'a [Entry<'a>],
    /// Items that a list certainly contains.
    pub(crate) items: &'a [Val<'a>],
}

fn sum(entries: &[Entry<'_>]) -> u32 {
    entries
        .iter()
        .fold(1, |sum, entry| sum.saturating_add(entry.value.size))
}

impl<'a> Val<'a> {
    pub(crate) fn new(span: Span, data: Data<'a>) -> Self {
        let size = match data {
            Data::Str(text) => 1 + u32::try_from(text.len() / 32).unwrap_or(u32::MAX - 1),
            Data::Seq(_, items) => items
                .iter()
                .fold(1, |sum: u32, item| sum.saturating_add(item.size)),
            Data::Map(_, entries) => sum(entries),
            Data::Instance(instance) => sum(instance.fields),
            _ => 1,
        };
        Self {
            span,
            secret: None,
            size,
            data,
        }
    }

    pub(crate) fn null(span: Span) -> Self {
        Self::new(span, Data::Null)
    }

    pub(crate) fn bool(span: Span, value: bool) -> Self {
        Self::new(span, Data::Bool(value))
    }

    pub(crate) fn number(span: Span, value: f64) -> Self {
        // 2^53: beyond it a float is no longer every whole number.
        if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            Self::new(span, Data::Int(value as i64))
        } else {
            Self::new(span, Data::Float(value))
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    pub(crate) fn unknown(&self) -> Option<&'a Unknown<'a>> {
        match self.data {
            Data::Unknown(unknown) => Some(unknown),
            Data::Uncertain(uncertain) => Some(uncertain.all),
            _ => None,
        }
    }

    pub(crate) fn number_value(&self) -> Option<f64> {
        match self.data {
            Data::Int(value) => Some(value as f64),
            Data::Float(value) => Some(value),
            _ => None,
        }
    }

    /// Its items, when it is a sequence.
    pub(crate) fn seq(&self) -> Option<&'a [Self]> {
        match self.data {
            Data::Seq(_, items) => Some(items),
            _ => None,
        }
    }

    /// Its entries, when it is an object or a map.
    pub(crate) fn entries(&self) -> Option<&'a [Entry<'a>]> {
        match self.data {
            Data::Map(_, entries) => Some(entries),
            Data::Instance(instance) => Some(instance.fields),
            _ => None,
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.entries()?
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value)
    }

    /// Everything in it that is open, and the marks of what is sensitive.
    pub(crate) fn gather(&self, why: &mut Vec<Why<'a>>, secret: &mut Option<&'a str>) -> bool {
        self.gather_to(why, secret, 0)
    }

    fn gather_to(
        &self,
        why: &mut Vec<Why<'a>>,
        secret: &mut Option<&'a str>,
        depth: usize,
    ) -> bool {
        if self.secret.is_some() {
            *secret = self.secret;
        }
        if depth > MAX_DEPTH {
            return false;
        }
        match self.data {
            Data::Unknown(_) | Data::Uncertain(_) => {
                if let Some(unknown) = self.unknown() {
                    why.extend_from_slice(unknown.why);
                    if unknown.secret {
                        *secret = Some(unknown.text);
                    }
                }
                true
            }
            // All of them are visited, not only the first that is open.
            Data::Seq(_, items) => {
                let mut open = false;
                for item in items {
                    open |= item.gather_to(why, secret, depth + 1);
                }
                open
            }
            Data::Map(..) | Data::Instance(_) => {
                let mut open = false;
                for entry in self.entries().unwrap_or_default() {
                    open |= entry.value.gather_to(why, secret, depth + 1);
                }
                open
            }
            _ => false,
        }
    }

    /// Whether anything in it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.gather(&mut Vec::new(), &mut None)
    }

    /// As an expression, for the text of an unknown that it is part of.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        if let Some(name) = self.secret {
            out.push_str(name);
            return;
        }
        if depth > 12 || out.len() > MAX_TEXT {
            out.push('…');
            return;
        }
        match self.data {
            Data::Null => out.push_str("null"),
            Data::Bool(value) => {
                let _ = write!(out, "{value}");
            }
            Data::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Data::Float(value) => {
                let _ = write!(out, "{value}");
            }
            Data::Str(text) => {
                let _ = write!(out, "{text:?}");
            }
            Data::Seq(_, items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    item.write(out, depth + 1);
                }
                out.push(']');
            }
            Data::Map(_, entries) => {
                out.push('{');
                for (at, entry) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    let _ = write!(out, "{} = ", entry.key);
                    entry.value.write(out, depth + 1);
                }
                out.push('}');
            }
            Data::Instance(instance) => out.push_str(instance.address),
            Data::Module(number) => {
                let _ = write!(out, "module {number}");
            }
            Data::Unknown(_) | Data::Uncertain(_) => {
                if let Some(unknown) = self.unknown() {
                    if unknown.partial {
                        let _ = write!(out, "\"{}\"", unknown.text);
                    } else {
                        out.push_str(unknown.text);
                    }
                }
            }
        }
    }

    /// Marks it, and keeps an unknown's secret.
    pub(crate) fn marked(mut self, secret: Option<&'a str>) -> Self {
        if self.secret.is_none() {
            self.secret = secret;
        }
        self
    }
}

/// Levels of lists and maps that are followed.
pub(crate) const MAX_DEPTH: usize = 64;

/// Bytes of an unknown's text that are kept.
const MAX_TEXT: usize = 600;

/// Cuts a text that is too long, so that different texts stay different.
pub(crate) fn bounded<'a>(arena: &'a Bump, text: &str) -> &'a str {
    if text.len() <= MAX_TEXT {
        return arena.alloc_str(text);
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut cut = 200;
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let start = text.get(..cut).unwrap_or_default();
    arena.alloc_str(&format!("{start}…#{hash:016x}"))
}

/// Sorted and distinct.
pub(crate) fn reasons<'a>(arena: &'a Bump, mut why: Vec<Why<'a>>) -> &'a [Why<'a>] {
    why.sort_unstable();
    why.dedup();
    why.truncate(32);
    arena.alloc_slice_copy(&why)
}
