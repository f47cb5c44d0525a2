//! Types of variables: parsed from their expressions, and values converted to them as Terraform
//! does (`"8"` to `8`, missing optional attributes to their defaults).

use bicep::value::Shape;
use bumpalo::Bump;

use crate::syntax::{Expr, Kind};
use crate::value::{Data, Entry, MAX_DEPTH, Map, Seq, Val};

/// A type constraint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type<'a> {
    Any,
    Bool,
    Number,
    String,
    List(&'a Self),
    Set(&'a Self),
    Map(&'a Self),
    Tuple(&'a [Self]),
    Object(&'a [Field<'a>]),
}

/// An attribute of an object type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) of: Type<'a>,
    pub(crate) optional: bool,
    pub(crate) default: Option<Expr<'a>>,
}

impl<'a> Type<'a> {
    /// Reads `type = …`; what it does not know is any type.
    pub(crate) fn parse(arena: &'a Bump, expr: &Expr<'a>) -> Self {
        Self::parse_to(arena, expr, 0)
    }

    fn parse_to(arena: &'a Bump, expr: &Expr<'a>, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Type::Any;
        }
        match expr.kind {
            // The quoted form of Terraform 0.11.
            Kind::Name(name) | Kind::Str(name) => match name {
                "bool" => Type::Bool,
                "number" => Type::Number,
                "string" => Type::String,
                "list" => Type::List(&Type::Any),
                "set" => Type::Set(&Type::Any),
                "map" => Type::Map(&Type::Any),
                _ => Type::Any,
            },
            Kind::Call(call) => {
                let inner = call.args.first();
                let element = |arena: &'a Bump| -> &'a Type<'a> {
                    match inner {
                        Some(inner) => arena.alloc(Self::parse_to(arena, inner, depth + 1)),
                        None => &Type::Any,
                    }
                };
                match call.name {
                    "list" => Type::List(element(arena)),
                    "set" => Type::Set(element(arena)),
                    "map" => Type::Map(element(arena)),
                    "optional" => *element(arena),
                    "tuple" => match inner.map(|inner| inner.kind) {
                        Some(Kind::Tuple(items)) => Type::Tuple(
                            arena.alloc_slice_fill_iter(
                                items
                                    .iter()
                                    .map(|item| Self::parse_to(arena, item, depth + 1)),
                            ),
                        ),
                        _ => Type::Any,
                    },
                    "object" => match inner.map(|inner| inner.kind) {
                        Some(Kind::Object(items)) => {
                            Type::Object(arena.alloc_slice_fill_iter(items.iter().map(|item| {
                                let name = match item.key.kind {
                                    Kind::Str(name) => name,
                                    _ => "",
                                };
                                let mut field = Field {
                                    name,
                                    of: Self::parse_to(arena, &item.value, depth + 1),
                                    optional: false,
                                    default: None,
                                };
                                if let Kind::Call(call) = item.value.kind
                                    && call.name == "optional"
                                {
                                    field.optional = true;
                                    field.default = call.args.get(1).copied();
                                }
                                field
                            })))
                        }
                        _ => Type::Any,
                    },
                    _ => Type::Any,
                }
            }
            _ => Type::Any,
        }
    }

    /// What an unknown of this type is known to be.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Type::Any => Shape::Any,
            Type::Bool => Shape::Bool,
            Type::Number => Shape::Int,
            Type::String => Shape::String,
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => Shape::Array,
            Type::Map(_) | Type::Object(_) => Shape::Object,
        }
    }

    /// The type of an attribute of a value of this type.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a Self> {
        match self {
            Type::Object(fields) => fields
                .iter()
                .find(|field| field.name == name)
                .map(|field| &field.of),
            Type::Map(of) => Some(of),
            _ => None,
        }
    }

    /// The type of an item.
    pub(crate) fn item(&self) -> Option<&'a Self> {
        match self {
            Type::List(of) | Type::Set(of) | Type::Map(of) => Some(of),
            _ => None,
        }
    }

    /// The value converted, or what it should have been. `default` evaluates the default of an
    /// optional attribute.
    pub(crate) fn convert(
        &self,
        arena: &'a Bump,
        value: Val<'a>,
        default: &mut dyn FnMut(&Expr<'a>) -> Val<'a>,
    ) -> Result<Val<'a>, String> {
        self.convert_to(arena, value, default, 0)
    }

    fn convert_to(
        &self,
        arena: &'a Bump,
        value: Val<'a>,
        default: &mut dyn FnMut(&Expr<'a>) -> Val<'a>,
        depth: usize,
    ) -> Result<Val<'a>, String> {
        if depth > MAX_DEPTH || value.is_null() || value.unknown().is_some() {
            return Ok(value);
        }
        let data = match self {
            Type::Any => return Ok(value),
            Type::Bool => to_bool(&value).ok_or("a boolean is required")?,
            Type::Number => to_number(&value).ok_or("a number is required")?,
            Type::String => to_string(arena, &value).ok_or("a string is required")?,
            Type::List(of) | Type::Set(of) => {
                let items = value.seq().ok_or("a list is required")?;
                let mut converted = Vec::with_capacity(items.len());
                for item in items {
                    converted.push(of.convert_to(arena, *item, default, depth + 1)?);
                }
                if matches!(self, Type::Set(_)) {
                    Data::Seq(Seq::Set, set(arena, converted))
                } else {
                    Data::Seq(Seq::List, arena.alloc_slice_copy(&converted))
                }
            }
            Type::Tuple(types) => {
                let items = value.seq().ok_or("a tuple is required")?;
                if items.len() != types.len() {
                    return Err(format!("a tuple of {} items is required", types.len()));
                }
                let mut converted = Vec::with_capacity(items.len());
                for (of, item) in types.iter().zip(items) {
                    converted.push(of.convert_to(arena, *item, default, depth + 1)?);
                }
                Data::Seq(Seq::Tuple, arena.alloc_slice_copy(&converted))
            }
            Type::Map(of) => {
                let entries = value.entries().ok_or("a map is required")?;
                let mut converted = Vec::with_capacity(entries.len());
                for entry in entries {
                    converted.push(Entry {
                        value: of.convert_to(arena, entry.value, default, depth + 1)?,
                        ..*entry
                    });
                }
                converted.sort_by_key(|entry| entry.key);
                Data::Map(Map::Map, arena.alloc_slice_copy(&converted))
            }
            Type::Object(fields) => self.convert_object(arena, &value, fields, default, depth)?,
        };
        Ok(Val { data, ..value })
    }

    fn convert_object(
        &self,
        arena: &'a Bump,
        value: &Val<'a>,
        fields: &[Field<'a>],
        default: &mut dyn FnMut(&Expr<'a>) -> Val<'a>,
        depth: usize,
    ) -> Result<Data<'a>, String> {
        if value.entries().is_none() {
            return Err("an object is required".to_owned());
        }
        let mut converted = Vec::with_capacity(fields.len());
        for field in fields {
            let given = value
                .entries()
                .unwrap_or_default()
                .iter()
                .find(|entry| entry.key == field.name);
            // A null is replaced by the default as well.
            let found = match given {
                Some(entry) if !entry.value.is_null() => entry.value,
                _ => match &field.default {
                    Some(expr) => default(expr),
                    None if field.optional || given.is_some() => {
                        Val::null(given.map_or(value.span, |entry| entry.value.span))
                    }
                    None => return Err(format!("attribute `{}` is required", field.name)),
                },
            };
            converted.push(Entry {
                key: field.name,
                key_span: given.map_or(value.span, |entry| entry.key_span),
                open: None,
                value: field.of.convert_to(arena, found, default, depth + 1)?,
            });
        }
        Ok(Data::Map(Map::Object, arena.alloc_slice_copy(&converted)))
    }
}

/// As a boolean.
pub(crate) fn to_bool<'a>(value: &Val<'a>) -> Option<Data<'a>> {
    match value.data {
        Data::Bool(_) => Some(value.data),
        Data::Str("true" | "1") => Some(Data::Bool(true)),
        Data::Str("false" | "0") => Some(Data::Bool(false)),
        _ => None,
    }
}

/// As a number.
pub(crate) fn to_number<'a>(value: &Val<'a>) -> Option<Data<'a>> {
    match value.data {
        Data::Int(_) | Data::Float(_) => Some(value.data),
        Data::Str(text) => text.parse().map(Data::Int).ok().or_else(|| {
            text.parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(|number| Val::number(value.span, number).data)
        }),
        _ => None,
    }
}

/// As a string.
pub(crate) fn to_string<'a>(arena: &'a Bump, value: &Val<'a>) -> Option<Data<'a>> {
    match value.data {
        Data::Str(_) => Some(value.data),
        Data::Bool(true) => Some(Data::Str("true")),
        Data::Bool(false) => Some(Data::Str("false")),
        Data::Int(number) => Some(Data::Str(arena.alloc_str(&number.to_string()))),
        Data::Float(number) => Some(Data::Str(arena.alloc_str(&number.to_string()))),
        _ => None,
    }
}

/// The items of a set: distinct, in Terraform's order.
pub(crate) fn set<'a>(arena: &'a Bump, items: Vec<Val<'a>>) -> &'a [Val<'a>] {
    let mut keyed: Vec<(String, Val<'a>)> = items
        .into_iter()
        .map(|item| {
            let key = match item.data {
                Data::Str(text) => text.to_owned(),
                _ => item.text(),
            };
            (key, item)
        })
        .collect();
    let numbers = keyed.iter().all(|(_, item)| item.number_value().is_some());
    if numbers {
        keyed.sort_by(|(_, left), (_, right)| {
            left.number_value()
                .unwrap_or_default()
                .total_cmp(&right.number_value().unwrap_or_default())
        });
    } else {
        keyed.sort_by(|left, right| left.0.cmp(&right.0));
    }
    keyed.dedup_by(|left, right| left.0 == right.0);
    let items: Vec<Val<'a>> = keyed.into_iter().map(|(_, item)| item).collect();
    arena.alloc_slice_copy(&items)
}
