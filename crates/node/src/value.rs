//! A value with the file and line that it comes from.

use std::sync::Arc;

/// Where a value stands on the node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the node calls it: `/etc/default/kubelet`.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
}

impl Place {
    /// A line of a file.
    #[must_use]
    pub fn new(file: &str, line: u32) -> Self {
        Self {
            file: file.into(),
            line,
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Where it comes from.
    pub place: Place,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name, in the order in which they are shown.
    Map(Vec<(String, Value)>),
    /// It is not known: what it hangs on, as a noun (`/etc/shadow (permission denied)`).
    Unknown(String),
}

impl Value {
    /// A value at a place.
    #[must_use]
    pub fn new(data: impl Into<Data>, place: &Place) -> Self {
        Self {
            data: data.into(),
            place: place.clone(),
        }
    }

    /// What is not known, and what it hangs on.
    #[must_use]
    pub fn unknown(why: impl Into<String>, place: &Place) -> Self {
        Self::new(Data::Unknown(why.into()), place)
    }

    /// A map; `None` leaves its entry out.
    pub fn map<'k>(
        entries: impl IntoIterator<Item = (&'k str, Option<Self>)>,
        place: &Place,
    ) -> Self {
        let entries = entries
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect();
        Self::new(Data::Map(entries), place)
    }

    /// The value on a way through maps.
    #[must_use]
    pub fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |value, key| match &value.data {
            Data::Map(entries) => entries
                .iter()
                .find(|(own, _)| own == key)
                .map(|(_, value)| value),
            _ => None,
        })
    }

    /// Its items, when it is a list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// Its text, when it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Data {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Data {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Data {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Data {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Value>> for Data {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}
