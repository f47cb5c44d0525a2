//! The border to the caller's data: what a tree must offer to be read by expressions.
//!
//! Nothing is converted or copied; the tree stays where it is.

use std::fmt;

/// A place in a tree of data that an expression can read. Handles are small and cheap to
/// copy; nothing is converted before it is read.
pub trait Node<'a>: Copy + 'a {
    /// What stands here.
    fn view(self) -> View<'a>;
    /// The value of `key` in a map. `None` when absent, or when this is no map.
    fn field(self, key: &Key) -> Option<Self>;
    /// The value of a key that is only known at run time.
    fn field_named(self, key: &str) -> Option<Self>;
    /// The `index`th item of a list.
    fn item(self, index: usize) -> Option<Self>;
    /// The `index`th entry of a map, in the order of the document.
    fn entry(self, index: usize) -> Option<(&'a str, Self)>;
    /// `Some(why)` when a list or map may hold more than it shows: everything about what is
    /// not shown is unknown for that reason. An open list behaves like a list with one more,
    /// unknown element; an absent key of an open map is unknown instead of absent.
    fn rest(self) -> Option<Unknown>;
    /// Whether something stands here for certain, even where its value is unknown: `has()` of
    /// what may be absent is unknown.
    fn certain(self) -> bool {
        true
    }
    /// How a string that the source leaves open begins and ends, where it is certain that it is
    /// a string and what it begins or ends with. The two do not overlap.
    fn known_ends(self) -> Option<(&'a str, &'a str)> {
        None
    }
    /// Whether two handles are the same place (blame removes duplicates by it).
    fn same(self, other: Self) -> bool;
}

/// What a [`Node`] shows of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// a signed integer
    Int(i64),
    /// an unsigned integer above the signed range
    Uint(u64),
    /// a floating-point number
    Double(f64),
    /// a string
    Str(&'a str),
    /// a list with its number of items
    List(usize),
    /// a map with its number of entries
    Map(usize),
    /// a value that the source leaves open
    Unknown(Unknown),
}

/// Why a value is unknown: an index into a table that the caller keeps. Two unknowns that
/// meet are merged by keeping both in the blame; the value carries the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown(pub u32);

/// A field name known when the program was compiled, with its number in [`crate::Symbols`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name as written in the data.
    pub text: Box<str>,
    /// Its number; readers that number their keys compare this instead of the text, unless it
    /// is [`Symbol::NONE`]: then all numbers are taken and only the text tells.
    pub symbol: Symbol,
}

/// The number of a field name. `Symbol::NONE` is a name no program mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u16);

impl Symbol {
    /// A name that no program mentions.
    pub const NONE: Self = Self(0);
}

/// A range of bytes in an expression's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// first byte
    pub start: u32,
    /// one past the last byte
    pub end: u32,
}

impl Span {
    /// A range of bytes.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// The text it covers.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
