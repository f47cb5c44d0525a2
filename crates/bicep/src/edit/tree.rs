//! Literals as values, and changes of them without regard to the text: what an edit is measured by.

use yaml::edit::{Step, Value};

use crate::syntax::{
    ArrayItem, Expression, ExpressionKind, ObjectItem, PropertyNameKind, UnaryOperator,
    print_expression,
};

use super::Act;

/// A literal, with what is none kept as its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(Key, Self)>),
    /// An expression, as it is printed.
    Other(String),
}

/// What an entry of an object is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Plain(String),
    /// A key with holes.
    Computed,
    /// `...`
    Spread,
    /// A resource within another one.
    Resource,
    /// What could not be read.
    Skipped,
}

impl Key {
    pub(super) fn is(&self, key: &str) -> bool {
        matches!(self, Self::Plain(own) if own.eq_ignore_ascii_case(key))
    }
}

impl Tree {
    pub(super) fn of(expression: &Expression<'_>) -> Self {
        match expression.inner().kind {
            ExpressionKind::Null => Self::Null,
            ExpressionKind::Boolean(value) => Self::Bool(value),
            ExpressionKind::Integer(value) => {
                i64::try_from(value).map_or_else(|_| Self::Other(value.to_string()), Self::Int)
            }
            ExpressionKind::Unary(unary) => match (unary.operator, unary.operand.kind) {
                (UnaryOperator::Minus, ExpressionKind::Integer(value)) => i64::try_from(value)
                    .map_or_else(|_| Self::other(expression), |value| Self::Int(-value)),
                _ => Self::other(expression),
            },
            ExpressionKind::String(string) => match string.as_str() {
                Some(text) => Self::Text(text.to_owned()),
                None => Self::other(expression),
            },
            ExpressionKind::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| match item {
                        ArrayItem::Item(item) => Self::of(item),
                        ArrayItem::Spread(spread) => {
                            Self::Other(format!("...{}", print_expression(&spread.expression)))
                        }
                    })
                    .collect(),
            ),
            ExpressionKind::Object(object) => {
                Self::Map(object.items.iter().map(Self::entry).collect())
            }
            _ => Self::other(expression),
        }
    }

    fn other(expression: &Expression<'_>) -> Self {
        Self::Other(print_expression(&expression.inner()))
    }

    fn entry(item: &ObjectItem<'_>) -> (Key, Self) {
        match item {
            ObjectItem::Property(property) => match (property.key.as_str(), property.key.kind) {
                (Some(key), _) => (Key::Plain(key.to_owned()), Self::of(&property.value)),
                (None, PropertyNameKind::String(string)) => {
                    let key = Expression {
                        kind: ExpressionKind::String(string),
                        span: property.key.span,
                    };
                    let both = vec![
                        Self::Other(print_expression(&key)),
                        Self::of(&property.value),
                    ];
                    (Key::Computed, Self::List(both))
                }
                (None, _) => (Key::Skipped, Self::of(&property.value)),
            },
            ObjectItem::Spread(spread) => (
                Key::Spread,
                Self::Other(print_expression(&spread.expression)),
            ),
            ObjectItem::Resource(statement) => {
                let value = match statement.kind {
                    crate::syntax::StatementKind::Resource(of) => Self::of(&of.value),
                    _ => Self::Null,
                };
                (Key::Resource, value)
            }
            ObjectItem::Skipped(_) => (Key::Skipped, Self::Null),
        }
    }

    /// Nothing for what Bicep has no literal for.
    pub(super) fn of_value(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Uint(_) | Value::Float(_) => return None,
            Value::String(text) => Self::Text(text.clone()),
            Value::List(items) => {
                let items = items.iter().map(Self::of_value);
                Self::List(items.collect::<Option<_>>()?)
            }
            Value::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((Key::Plain(key.clone()), Self::of_value(value)?)));
                Self::Map(entries.collect::<Option<_>>()?)
            }
        })
    }

    /// Whether nothing in it is an expression.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Other(_) => false,
            Self::List(items) => items.iter().all(Self::is_plain),
            Self::Map(entries) => entries
                .iter()
                .all(|(key, value)| matches!(key, Key::Plain(_)) && value.is_plain()),
            _ => true,
        }
    }

    /// The same values, whatever the order of keys.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Map(own), Self::Map(others)) => {
                own.len() == others.len()
                    && own.iter().all(|(key, value)| {
                        let Key::Plain(key) = key else { return false };
                        let mut found = others.iter().filter(|(other, _)| other.is(key));
                        found.next().is_some_and(|(_, other)| value.same(other))
                    })
            }
            (Self::List(own), Self::List(others)) => {
                own.len() == others.len()
                    && own.iter().zip(others).all(|(own, other)| own.same(other))
            }
            _ => self == other,
        }
    }

    /// What it becomes; nothing when that cannot be.
    pub(super) fn apply(&mut self, steps: &[Step], act: &Act) -> Option<()> {
        let Some((step, rest)) = steps.split_first() else {
            return match act {
                Act::Set(value) => {
                    *self = Self::of_value(value)?;
                    Some(())
                }
                Act::Add(value) => match self {
                    Self::List(items) => {
                        items.push(Self::of_value(value)?);
                        Some(())
                    }
                    _ => None,
                },
                Act::Remove | Act::Replace { .. } => None,
            };
        };
        match (self, step) {
            (Self::Map(entries), Step::Key(key)) => {
                let found = entries.iter().position(|(own, _)| own.is(key));
                match (found, act, rest) {
                    (Some(at), Act::Remove, []) => {
                        entries.remove(at);
                    }
                    (Some(at), Act::Replace { key, value }, []) => {
                        *entries.get_mut(at)? = (Key::Plain(key.clone()), Self::of_value(value)?);
                    }
                    (Some(at), _, _) => return entries.get_mut(at)?.1.apply(rest, act),
                    (None, Act::Set(_) | Act::Add(_), _) => {
                        let mut value = match (rest, act) {
                            ([], Act::Add(_)) => Self::List(Vec::new()),
                            _ => Self::Map(Vec::new()),
                        };
                        value.apply(rest, act)?;
                        insert(entries, Key::Plain(key.to_string()), value);
                    }
                    (None, ..) => return None,
                }
                Some(())
            }
            (Self::List(items), Step::Index(at)) => {
                if let (Act::Remove, []) = (act, rest) {
                    (*at < items.len()).then(|| items.remove(*at)).map(drop)
                } else {
                    items.get_mut(*at)?.apply(rest, act)
                }
            }
            _ => None,
        }
    }
}

/// A new entry comes behind all others but resources within.
fn insert(entries: &mut Vec<(Key, Tree)>, key: Key, value: Tree) {
    let last = entries.iter().rposition(|(key, _)| *key != Key::Resource);
    entries.insert(last.map_or(0, |last| last + 1), (key, value));
}
