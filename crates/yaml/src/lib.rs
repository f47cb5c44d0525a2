//! Kubernetes manifests as text: where documents begin and end, what `kubectl` reads in
//! them, and where each value stands.
//!
//! What it deliberately leaves out: any tree of its own. Whoever reads implements [`Build`],
//! so that values are made once, in the reader's own form. It knows nothing of seawall.

/// A range of bytes in the document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// first byte
    pub start: u32,
    /// one past the last byte
    pub end: u32,
}

/// Receives the values of one document, children before their parents.
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
    /// any other number
    fn float(&mut self, value: f64, span: Span) -> Self::Node;
    /// a string. `borrowed` tells that `text[span]` with quotes stripped is the string itself.
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
}

/// One entry of a map.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'s, N> {
    /// the key as a string, as `sigs.k8s.io/yaml` makes it one
    pub key: &'s str,
    /// where the key stands
    pub key_span: Span,
    /// its value
    pub value: N,
    /// whether a merge key (`<<`) brought it in
    pub merged: bool,
}
