//! A body while it is put together.

use bicep::source::Span;
use bicep::value::{Data, Field, Shape, Unknown, Value, Why};
use bumpalo::Bump;

use crate::table::Constant;
use crate::value::MAX_DEPTH;

/// A value that can still grow.
#[derive(Debug, Clone)]
pub(crate) enum Tree<'a> {
    Leaf(Value<'a>),
    Object(Span, Vec<(&'a str, Span, Self)>),
    List(Span, Vec<Self>),
}

impl<'a> Tree<'a> {
    pub(crate) fn object(span: Span) -> Self {
        Self::Object(span, Vec::new())
    }

    /// A value that can grow from now on.
    pub(crate) fn of(value: &Value<'a>, depth: usize) -> Self {
        match value.data {
            Data::Object(fields) if depth < MAX_DEPTH => Self::Object(
                value.span,
                fields
                    .iter()
                    .map(|field| (field.key, field.key_span, Self::of(&field.value, depth + 1)))
                    .collect(),
            ),
            Data::Array(items) if depth < MAX_DEPTH => Self::List(
                value.span,
                items.iter().map(|item| Self::of(item, depth + 1)).collect(),
            ),
            _ => Self::Leaf(*value),
        }
    }

    pub(crate) fn constant(arena: &'a Bump, constant: &Constant, span: Span) -> Self {
        let data = match constant {
            Constant::Null => Data::Null,
            Constant::Bool(value) => Data::Bool(*value),
            Constant::Int(value) => Data::Int(*value),
            Constant::Str(text) if text.contains("{subscription}") => {
                let why = vec![Why::Scope("subscription")];
                return Self::Leaf(open(arena, span, text, Shape::Id, why));
            }
            Constant::Str(text) => Data::Str(arena.alloc_str(text)),
            Constant::List(items) => {
                let items = items
                    .iter()
                    .map(|item| Self::constant(arena, item, span))
                    .collect();
                return Self::List(span, items);
            }
            Constant::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| {
                        let key: &'a str = arena.alloc_str(key);
                        (key, span, Self::constant(arena, value, span))
                    })
                    .collect();
                return Self::Object(span, fields);
            }
        };
        Self::Leaf(Value { span, data })
    }

    /// Sets what a path (`properties.networkProfile.networkPlugin`) leads to; objects are merged.
    /// Keys that hold dots are parted by `::`.
    pub(crate) fn set(&mut self, arena: &'a Bump, path: &str, key_span: Span, value: Self) {
        self.set_keys(arena, &keys(path), key_span, value);
    }

    fn set_keys(&mut self, arena: &'a Bump, path: &[&str], key_span: Span, value: Self) {
        // What is open stays open, whatever is known of a part of it.
        let (Self::Object(whole, fields), Some((key, rest))) = (self, path.split_first()) else {
            return;
        };
        let whole = *whole;
        let place = fields
            .iter()
            .position(|(known, ..)| known.eq_ignore_ascii_case(key));
        if rest.is_empty() {
            match place.and_then(|at| fields.get_mut(at)) {
                Some((_, span, old)) => {
                    *span = key_span;
                    old.merge(value, 0);
                }
                None => fields.push((arena.alloc_str(key), key_span, value)),
            }
            return;
        }
        let place = place.unwrap_or_else(|| {
            // Nobody wrote this object: it stands where the one does that it is in.
            fields.push((arena.alloc_str(key), whole, Self::object(whole)));
            fields.len() - 1
        });
        if let Some((_, _, inner)) = fields.get_mut(place) {
            inner.set_keys(arena, rest, key_span, value);
        }
    }

    /// Lays another value over this one.
    pub(crate) fn merge(&mut self, other: Self, depth: usize) {
        match (self, other) {
            (Self::Object(_, old), Self::Object(_, new)) if depth < MAX_DEPTH => {
                for (key, span, value) in new {
                    let found = old
                        .iter_mut()
                        .find(|(known, ..)| known.eq_ignore_ascii_case(key));
                    match found {
                        _ if matches!(&value, Self::Leaf(leaf) if matches!(leaf.data, Data::Null)) =>
                            {}
                        Some((_, place, inner)) => {
                            if !matches!(inner, Self::Object(..)) {
                                *place = span;
                            }
                            inner.merge(value, depth + 1);
                        }
                        None => old.push((key, span, value)),
                    }
                }
            }
            (old, new) => *old = new,
        }
    }

    /// Places the objects that it holds itself elsewhere: `properties`.
    pub(crate) fn place_at(&mut self, place: Span) {
        if let Self::Object(_, fields) = self {
            for (_, key_span, value) in fields {
                if let Self::Object(whole, _) = value {
                    (*key_span, *whole) = (place, place);
                }
            }
        }
    }

    /// Appends to the list at a path.
    pub(crate) fn append(&mut self, arena: &'a Bump, path: &str, span: Span, value: Self) {
        self.append_keys(arena, &keys(path), span, value);
    }

    fn append_keys(&mut self, arena: &'a Bump, path: &[&str], span: Span, value: Self) {
        let (Self::Object(whole, fields), Some((key, rest))) = (self, path.split_first()) else {
            return;
        };
        let whole = *whole;
        let place = fields
            .iter()
            .position(|(known, ..)| known.eq_ignore_ascii_case(key));
        let place = place.unwrap_or_else(|| {
            let (span, empty) = if rest.is_empty() {
                (span, Self::List(span, Vec::new()))
            } else {
                (whole, Self::object(whole))
            };
            fields.push((arena.alloc_str(key), span, empty));
            fields.len() - 1
        });
        match fields.get_mut(place) {
            Some((_, _, inner)) if !rest.is_empty() => inner.append_keys(arena, rest, span, value),
            Some((_, _, Self::List(_, items))) => items.push(value),
            _ => {}
        }
    }

    /// Every value in it becomes one that may as well be absent.
    pub(crate) fn unless(self, arena: &'a Bump, condition: &Value<'a>, depth: usize) -> Self {
        match self {
            Self::Object(span, fields) if depth < MAX_DEPTH => Self::Object(
                span,
                fields
                    .into_iter()
                    .map(|(key, span, value)| {
                        (key, span, value.unless(arena, condition, depth + 1))
                    })
                    .collect(),
            ),
            other => {
                let value = other.freeze(arena, depth);
                let mut why: Vec<Why<'a>> = Vec::new();
                let mut text = String::from("…");
                if let Some(unknown) = condition.unknown() {
                    why.extend_from_slice(unknown.why);
                    unknown.text.clone_into(&mut text);
                }
                if let Some(unknown) = value.unknown() {
                    why.extend_from_slice(unknown.why);
                }
                let text = format!("{text} ? {} : null", words(&value));
                Self::Leaf(open(arena, value.span, &text, Shape::Any, why))
            }
        }
    }

    /// The finished value.
    pub(crate) fn freeze(self, arena: &'a Bump, depth: usize) -> Value<'a> {
        match self {
            Self::Leaf(value) => value,
            Self::Object(span, _) | Self::List(span, _) if depth > MAX_DEPTH * 2 => Value {
                span,
                data: Data::Null,
            },
            Self::Object(span, fields) => {
                let fields: Vec<Field<'a>> = fields
                    .into_iter()
                    .map(|(key, key_span, value)| Field {
                        key,
                        key_span,
                        value: value.freeze(arena, depth + 1),
                    })
                    .collect();
                Value {
                    span,
                    data: Data::Object(arena.alloc_slice_copy(&fields)),
                }
            }
            Self::List(span, items) => {
                let items: Vec<Value<'a>> = items
                    .into_iter()
                    .map(|item| item.freeze(arena, depth + 1))
                    .collect();
                Value {
                    span,
                    data: Data::Array(arena.alloc_slice_copy(&items)),
                }
            }
        }
    }
}

fn keys(path: &str) -> Vec<&str> {
    match path.contains("::") {
        true => path.split("::").collect(),
        false => path.split('.').collect(),
    }
}

/// An unknown.
pub(crate) fn open<'a>(
    arena: &'a Bump,
    span: Span,
    text: &str,
    shape: Shape,
    mut why: Vec<Why<'a>>,
) -> Value<'a> {
    why.sort_unstable();
    why.dedup();
    if why.is_empty() {
        why.push(Why::Unsupported("an expression"));
    }
    let unknown = arena.alloc(Unknown {
        text: crate::value::bounded(arena, text),
        shape,
        why: arena.alloc_slice_copy(&why),
        secret: false,
        absent: false,
        not: &[],
        fields: &[],
        items: &[],
    });
    Value {
        span,
        data: Data::Unknown(unknown),
    }
}

/// A value in words, for the text of an unknown.
pub(crate) fn words(value: &Value<'_>) -> String {
    match value.data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => value.to_string(),
        Data::Str(text) => format!("{text:?}"),
        Data::Array(_) => "[…]".to_owned(),
        Data::Object(_) => "{…}".to_owned(),
        Data::Unknown(unknown) => unknown.text.to_owned(),
    }
}
