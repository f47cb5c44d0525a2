//! Values that an edit writes. It leaves out how they are written (`render`).

use crate::{Limits, ParseError};

use super::tree::Tree;

/// A value to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// a boolean
    Bool(bool),
    /// an integer in the signed range
    Int(i64),
    /// an integer above the signed range
    Uint(u64),
    /// any other number; finite
    Float(f64),
    /// a string
    String(String),
    /// a list
    List(Vec<Self>),
    /// a map in the order in which it is written
    Map(Vec<(String, Self)>),
}

impl Value {
    /// Reads a value as a document says it, such as `{type: RuntimeDefault}`; nothing is null.
    ///
    /// # Errors
    /// When the text is no YAML.
    pub fn read(text: &str) -> Result<Self, ParseError> {
        let mut tree = Tree::default();
        let root = crate::parse(text, &Limits::default(), &mut tree)?;
        Ok(root.map_or(Self::Null, |node| tree.value(node)))
    }

    /// Why it cannot be written: too deep, or a number that JSON does not have.
    pub(crate) fn fault(&self, depth: usize) -> Option<&'static str> {
        if depth > MOST_LEVELS {
            return Some("it is nested too deeply");
        }
        match self {
            Self::Float(value) if !value.is_finite() => Some("it is no finite number"),
            Self::List(items) => items.iter().find_map(|item| item.fault(depth + 1)),
            Self::Map(entries) => entries.iter().enumerate().find_map(|(at, (key, value))| {
                let twice = entries.iter().skip(at + 1).any(|(other, _)| other == key);
                let fault = twice.then_some("a key stands twice in it");
                fault.or_else(|| value.fault(depth + 1))
            }),
            _ => None,
        }
    }
}

/// Levels that a written value may have.
const MOST_LEVELS: usize = 50;
