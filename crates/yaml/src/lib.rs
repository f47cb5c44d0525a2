//! Kubernetes manifests as text: where documents begin and end, what `kubectl` reads in
//! them, and where each value stands.
//!
//! What it deliberately leaves out: any tree of its own. Whoever reads implements [`Build`],
//! so that values are made once, in the reader's own form. It knows nothing of seawall, and
//! nothing of YAML 1.2: what counts is what `sigs.k8s.io/yaml` reads.
//!
//! ```
//! # use yaml::{Build, Entry, Limits, Span, documents};
//! /// Counts values.
//! struct Count(u32);
//! impl Build for Count {
//!     type Node = ();
//!     fn null(&mut self, _: Span) { self.0 += 1 }
//!     fn bool(&mut self, _: bool, _: Span) { self.0 += 1 }
//!     fn int(&mut self, _: i64, _: Span) { self.0 += 1 }
//!     fn uint(&mut self, _: u64, _: Span) { self.0 += 1 }
//!     fn float(&mut self, _: f64, _: Span) { self.0 += 1 }
//!     fn string(&mut self, _: &str, _: Span) { self.0 += 1 }
//!     fn list(&mut self, _: &[()], _: Span) { self.0 += 1 }
//!     fn map(&mut self, _: &[Entry<'_, ()>], _: Span) { self.0 += 1 }
//! }
//! let text = "kind: Pod\n---\nkind: [\n--- # the third\nkind: &k Service\nname: *k\n";
//! let mut count = Count(0);
//! for raw in documents(text) {
//!     if let Err(error) = raw.parse(&Limits::default(), &mut count) {
//!         assert_eq!((raw.index, error.line), (1, 4));
//!     }
//! }
//! assert_eq!(count.0, 4);
//! ```
//!
//! Agreement with `sigs.k8s.io/yaml` is tested over random documents (`tests/yaml`). Where this
//! crate differs on purpose: documents over [`Limits`] are refused; a value that JSON cannot
//! hold is refused even where a duplicate key replaces it; of two keys of different types that
//! become the same string the last counts, where Go's choice is random; and [`documents`] reads
//! `--- value` and `%YAML 1.1` lines, which `kubectl`'s own splitting refuses.

mod compose;
pub mod edit;
mod error;
mod events;
pub mod json;
mod maps;
mod resolve;
mod scan;
mod split;
mod template;
mod text;

use std::borrow::Cow;

pub use error::ParseError;
pub use split::{Documents, Raw, SplitError, Splitter, documents};
pub use template::looks_like_template;
pub use text::{DecodeError, Lines, Place, decode};

/// A range of bytes in the document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// first byte
    pub start: u32,
    /// one past the last byte
    pub end: u32,
}

/// Receives the values of one document, children before their parents.
///
/// Spans hold the value alone, without `&anchor` and `!tag`: quotes and brackets included, a
/// block scalar from its `|` to the last byte of its last line. The span of a value that is not
/// written (`key:`) is empty and stands behind what precedes it.
pub trait Build {
    /// A handle on a value; an alias hands the anchor's handle out again.
    type Node: Copy;
    /// `null`, `~` or nothing
    fn null(&mut self, span: Span) -> Self::Node;
    /// a boolean, as YAML 1.1 reads it
    fn bool(&mut self, value: bool, span: Span) -> Self::Node;
    /// an integer in the signed range
    fn int(&mut self, value: i64, span: Span) -> Self::Node;
    /// an integer above the signed range
    fn uint(&mut self, value: u64, span: Span) -> Self::Node;
    /// any other number; always finite
    fn float(&mut self, value: f64, span: Span) -> Self::Node;
    /// a string, quotes and escapes resolved
    fn string(&mut self, value: &str, span: Span) -> Self::Node;
    /// a list; the span runs from its first to its last byte
    fn list(&mut self, items: &[Self::Node], span: Span) -> Self::Node;
    /// a map in the order of the document, duplicate keys resolved, merge keys merged
    fn map(&mut self, entries: &[Entry<'_, Self::Node>], span: Span) -> Self::Node;
    /// `node` was given the name `anchor` at `span`
    fn anchored(&mut self, node: Self::Node, anchor: &str, span: Span) {
        let _ = (node, anchor, span);
    }
    /// `node` is used again at `span` through `*anchor`
    fn aliased(&mut self, node: Self::Node, anchor: &str, span: Span) {
        let _ = (node, anchor, span);
    }
    /// a string that the text ends in, of which `known` was there; the span runs to the end of the text
    fn cut_string(&mut self, known: &str, span: Span) -> Self::Node {
        self.string(known, span)
    }
    /// the text ends in this list or map: what would follow in it is not known
    fn cut(&mut self, node: Self::Node) {
        let _ = node;
    }
    /// `key` stands at `first` and `again` in one map. The last value counts, silently, for
    /// `kubectl`: it converts with `sigs.k8s.io/yaml.YAMLToJSON`, which is not strict.
    fn duplicate(&mut self, key: &str, first: Span, again: Span) {
        let _ = (key, first, again);
    }
}

/// One entry of a map.
#[derive(Debug, Clone)]
pub struct Entry<'s, N> {
    /// the key as a string, as `sigs.k8s.io/yaml` makes it one
    pub key: Cow<'s, str>,
    /// where the key stands
    pub key_span: Span,
    /// its value
    pub value: N,
    /// whether a merge key (`<<`) brought it in
    pub merged: bool,
}

/// How much one document may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// levels of lists and maps, aliases written out; Kubernetes itself allows 10,000
    pub depth: usize,
    /// bytes of one document
    pub bytes: usize,
    /// nodes that aliases and merge keys add when they are written out
    pub expanded: u64,
    /// anchors in one document
    pub anchors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 100,
            bytes: 32 << 20,
            expanded: 1_000_000,
            anchors: 100_000,
        }
    }
}

/// Reads one YAML document; nothing if it holds only comments or white space.
///
/// As for `kubectl`, what follows the end of the first document in `text` does not count.
///
/// # Errors
/// When the text is no YAML 1.1 as Kubernetes reads it, or exceeds a limit. Line and column
/// count from the beginning of `text`.
pub fn parse<B: Build>(
    text: &str,
    limits: &Limits,
    build: &mut B,
) -> Result<Option<B::Node>, ParseError> {
    parse_at(text, 1, limits, build)
}

fn parse_at<B: Build>(
    text: &str,
    line: u32,
    limits: &Limits,
    build: &mut B,
) -> Result<Option<B::Node>, ParseError> {
    compose::document(text, limits, build).map_err(|problem| ParseError::new(problem, text, line))
}

/// All `#` comments of a YAML document: their line (1-based) and text from `#` to the end of
/// the line. Of a document with an error, those before it.
pub fn comments(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut found = Vec::new();
    // Most documents need no scan to know that they hold none.
    if memchr::memchr(b'#', text.as_bytes()).is_some() {
        // The scanner stands still at a NUL, which is an error for whoever reads values.
        let end = text::control_character(text).unwrap_or(text.len());
        let mut events = events::Events::new(text.get(..end).unwrap_or_default());
        events.scanner.comments = Some(Vec::new());
        while let Ok((event, _)) = events.next() {
            if matches!(event, events::Event::StreamEnd) {
                break;
            }
        }
        found = events.scanner.comments.unwrap_or_default();
    }
    let lines = Lines::new(text);
    found.into_iter().map(move |span| {
        let comment = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        (lines.at(span.start).line, comment)
    })
}
