//! One document's values, read once into an arena, each with its place in the text.
//!
//! An alias shares the node of its anchor, so a document is a graph without cycles. Map
//! entries whose value is null are dropped, as the API server drops them.

use std::sync::{Arc, OnceLock};

use cel::{Symbol, Symbols};
use yaml::{Build, Entry, Span};

use crate::value::Ref;

mod cut;
mod edit;
mod parts;
mod table;

pub use parts::Part;
pub use table::Shapes;
use table::Table;

/// Number of a node within its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// How keys of a document are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As they are written.
    Plain,
    /// Azure resources: keys are found whatever their case.
    Azure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Int,
    Uint,
    Double,
    Str,
    List,
    Map,
    /// A value that is never kept: what Secrets hold.
    Redacted,
    /// A value of an object that was not given.
    NotGiven,
    /// A value the source leaves open; the string is the expression that decides it.
    Open,
    /// The same where it is a string: the open parts stand in braces, what is known beside them.
    OpenText,
    /// What the API fills in and nobody documents.
    Undocumented,
}

/// Payload: integers and floats use both words; strings, lists and maps are (start, length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MapEntry {
    pub(crate) symbol: Symbol,
    pub(crate) key: (u32, u32),
    pub(crate) key_span: Span,
    pub(crate) value: u32,
}

/// Texts longer than this get a table of their lines when places are first asked for.
const LONG: usize = 16 << 10;

/// Documents with more nodes get a table of parents when routes are first asked for.
const SMALL: usize = 400;

/// Offsets of the second and every further line.
fn line_starts(bytes: &[u8]) -> Vec<u32> {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at as u32 + 1)
        .collect()
}

/// Marks a string that stands in the extra buffer instead of in the text.
const EXTRA: u32 = 1 << 31;

/// What holds a node: the first map or list that does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) node: u32,
    /// Number of the entry in the document, for maps.
    pub(crate) entry: u32,
    /// Number of the item in its list, for lists.
    pub(crate) index: u32,
}

impl Parent {
    pub(crate) const NONE: u32 = u32::MAX;
}

/// An anchor or one use of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) node: u32,
    pub(crate) span: Span,
    pub(crate) uses: u32,
}

/// One document: its text and its values.
#[derive(Debug)]
pub struct Doc {
    pub(crate) text: Box<str>,
    pub(crate) extra: String,
    pub(crate) nodes: Table<Node>,
    pub(crate) entries: Table<MapEntry>,
    pub(crate) items: Table<u32>,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) root: u32,
    line_starts: OnceLock<Vec<u32>>,
    parents: OnceLock<Vec<Parent>>,
    /// For rendered text: the template's line for each line.
    led_lines: Option<Arc<[u32]>>,
    /// For a text that joins several files: where each begins, in order.
    parts: Vec<Part>,
    /// Keys are found whatever their case, as ARM finds them.
    pub(crate) folds_case: bool,
    /// For Azure resources: places of values that look like credentials.
    pub(crate) hidden: Vec<Span>,
    /// Lists and maps that may hold more than they show, in order: those in which the text ends.
    pub(crate) cut: Vec<u32>,
    /// The text is not that of the files: of a place only the line is known.
    pub(crate) only_lines: bool,
    /// Line of the file on which the text begins, from 1.
    pub first_line: u32,
    /// Keys that stood twice in one map, with the place of the later one.
    pub duplicates: Vec<(Box<str>, Span)>,
}

impl Doc {
    /// The root value.
    #[must_use]
    pub fn root(&self) -> Ref<'_> {
        Ref {
            doc: self,
            id: self.root,
        }
    }

    /// A value by its number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Ref<'_> {
        Ref {
            doc: self,
            id: id.0,
        }
    }

    /// The document's text, with the values of Secrets struck out.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it takes in memory: its text, and its values beside it, which it may share ([`Shapes`]).
    #[must_use]
    pub fn weight(&self) -> (usize, usize) {
        let led = self.led_lines.as_ref().map_or(0, |lines| lines.len());
        let tables = self.nodes.len() * size_of::<Node>()
            + self.entries.len() * size_of::<MapEntry>()
            + (self.items.len() + led) * size_of::<u32>();
        (self.text.len() + self.extra.capacity(), tables)
    }

    /// Line and column (from 1, in characters) of a byte offset.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let bytes = self.text.as_bytes();
        let offset = (offset as usize).min(bytes.len());
        let (lines_before, start) = if bytes.len() > LONG {
            let starts = self.line_starts.get_or_init(|| line_starts(bytes));
            let index = starts.partition_point(|start| *start as usize <= offset);
            (
                index as u32,
                index
                    .checked_sub(1)
                    .and_then(|at| starts.get(at))
                    .map_or(0, |start| *start as usize),
            )
        } else {
            let before = bytes.get(..offset).unwrap_or_default();
            let lines = memchr::memchr_iter(b'\n', before).count() as u32;
            (lines, memchr::memrchr(b'\n', before).map_or(0, |at| at + 1))
        };
        let before = bytes.get(start..offset).unwrap_or_default();
        // Counting characters would cost too much on a line of megabytes.
        let column = if before.len() > LONG {
            before.len() as u32
        } else {
            before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u32
        };
        // Lines that are led are those of the whole text.
        let line = if self.led_lines.is_some() {
            lines_before
        } else {
            self.lines_in_part(offset, lines_before)
        };
        (self.file_line(line), column + 1)
    }

    /// The lines of offsets that are asked for in rising order.
    pub(crate) fn lines_from_start(&self) -> RisingLines<'_> {
        RisingLines {
            doc: self,
            offset: 0,
            lines: 0,
        }
    }

    fn file_line(&self, lines_before: u32) -> u32 {
        match &self.led_lines {
            Some(led) => led
                .get(lines_before as usize)
                .or(led.last())
                .copied()
                .unwrap_or(1),
            None => self.first_line + lines_before,
        }
    }

    /// Leads the lines of rendered text to those of its template.
    pub(crate) fn lead(&mut self, lines: &Arc<[u32]>) {
        self.led_lines = Some(Arc::clone(lines));
    }

    /// Whether of a place only the file and the line are known, and no text of it.
    #[must_use]
    pub const fn knows_only_lines(&self) -> bool {
        self.only_lines
    }

    /// The line that holds a byte offset, without its end, and where it begins.
    #[must_use]
    pub fn line_at(&self, offset: u32) -> (&str, u32) {
        let bytes = self.text.as_bytes();
        let offset = (offset as usize).min(bytes.len());
        let (start, end) = if bytes.len() > LONG {
            let starts = self.line_starts.get_or_init(|| line_starts(bytes));
            let next = starts.partition_point(|start| *start as usize <= offset);
            let start = next
                .checked_sub(1)
                .and_then(|at| starts.get(at))
                .map_or(0, |at| *at as usize);
            (
                start,
                starts
                    .get(next)
                    .map_or(bytes.len(), |next| *next as usize - 1),
            )
        } else {
            let before = bytes.get(..offset).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let rest = bytes.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            (start, start + end)
        };
        let line = self.text.get(start..end).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        (line, start as u32)
    }

    /// The place of the anchor that holds `offset`, when that anchor is used elsewhere too.
    #[must_use]
    pub fn shared_anchor(&self, offset: u32) -> Option<Span> {
        self.anchors
            .iter()
            .filter(|anchor| {
                anchor.uses > 0 && anchor.span.start <= offset && offset < anchor.span.end
            })
            .map(|anchor| anchor.span)
            .next()
    }

    pub(crate) fn parent(&self, id: u32) -> Parent {
        const ORPHAN: Parent = Parent {
            node: Parent::NONE,
            entry: Parent::NONE,
            index: 0,
        };
        // What was added later stands behind what holds it.
        if self.nodes.len() <= SMALL && !self.folds_case {
            return self.find_parent(id).unwrap_or(ORPHAN);
        }
        let parents = self.parents.get_or_init(|| {
            let mut parents = vec![ORPHAN; self.nodes.len()];
            let mut set = |child: u32, parent: Parent| {
                if let Some(slot) = parents.get_mut(child as usize)
                    && slot.node == Parent::NONE
                {
                    *slot = parent;
                }
            };
            for (node, held) in self.nodes.iter().enumerate() {
                let node = node as u32;
                for (offset, entry) in self.map_entries(*held).iter().enumerate() {
                    set(
                        entry.value,
                        Parent {
                            node,
                            entry: held.a + offset as u32,
                            index: 0,
                        },
                    );
                }
                for (index, item) in self.list_items(*held).iter().enumerate() {
                    set(
                        *item,
                        Parent {
                            node,
                            entry: Parent::NONE,
                            index: index as u32,
                        },
                    );
                }
            }
            parents
        });
        parents.get(id as usize).copied().unwrap_or(ORPHAN)
    }

    /// The parent of a node, by looking: parents are made after their children.
    fn find_parent(&self, id: u32) -> Option<Parent> {
        for (node, held) in self.nodes.iter().enumerate().skip(id as usize + 1) {
            let node = node as u32;
            if let Some(at) = self
                .map_entries(*held)
                .iter()
                .position(|entry| entry.value == id)
            {
                return Some(Parent {
                    node,
                    entry: held.a + at as u32,
                    index: 0,
                });
            }
            if let Some(at) = self.list_items(*held).iter().position(|item| *item == id) {
                return Some(Parent {
                    node,
                    entry: Parent::NONE,
                    index: at as u32,
                });
            }
        }
        None
    }

    pub(crate) fn entry(&self, index: u32) -> Option<&MapEntry> {
        self.entries.get(index as usize)
    }

    pub(crate) fn string(&self, a: u32, b: u32) -> &str {
        let (buffer, start) = if a & EXTRA == 0 {
            (&*self.text, a as usize)
        } else {
            (&*self.extra, (a & !EXTRA) as usize)
        };
        buffer.get(start..start + b as usize).unwrap_or_default()
    }

    /// A document without text or values.
    pub(crate) fn empty() -> Self {
        Self {
            text: Box::default(),
            extra: String::new(),
            nodes: Table::default(),
            entries: Table::default(),
            items: Table::default(),
            anchors: Vec::new(),
            root: 0,
            line_starts: OnceLock::new(),
            parents: OnceLock::new(),
            led_lines: None,
            parts: Vec::new(),
            folds_case: false,
            hidden: Vec::new(),
            cut: Vec::new(),
            only_lines: false,
            first_line: 1,
            duplicates: Vec::new(),
        }
    }

    /// Keeps a copy of a string in the buffer of strings that do not stand in the text.
    pub(crate) fn keep_extra(extra: &mut String, text: &str) -> (u32, u32) {
        let start = extra.len() as u32;
        extra.push_str(text);
        (start | EXTRA, text.len() as u32)
    }

    pub(crate) fn at(&self, id: u32) -> Node {
        const NOTHING: Node = Node {
            kind: Kind::Null,
            a: 0,
            b: 0,
            span: Span { start: 0, end: 0 },
        };
        self.nodes.get(id as usize).copied().unwrap_or(NOTHING)
    }

    pub(crate) fn map_entries(&self, node: Node) -> &[MapEntry] {
        if node.kind != Kind::Map {
            return &[];
        }
        let start = node.a as usize;
        self.entries
            .get(start..start + node.b as usize)
            .unwrap_or_default()
    }

    pub(crate) fn list_items(&self, node: Node) -> &[u32] {
        if node.kind != Kind::List {
            return &[];
        }
        let start = node.a as usize;
        self.items
            .get(start..start + node.b as usize)
            .unwrap_or_default()
    }

    /// Adds texts to a map, as if they stood where it begins: symbol, key and value of each.
    pub(crate) fn give(&mut self, map: u32, texts: &[(Symbol, &str, &str)]) {
        let mut node = self.at(map);
        if node.kind != Kind::Map || texts.is_empty() {
            return;
        }
        let span = Span {
            start: node.span.start,
            end: node.span.start,
        };
        let mut entries = self.map_entries(node).to_vec();
        let mut extra = std::mem::take(&mut self.extra);
        for (symbol, key, value) in texts {
            let key = Self::keep_extra(&mut extra, key);
            let (a, b) = Self::keep_extra(&mut extra, value);
            entries.push(MapEntry {
                symbol: *symbol,
                key,
                key_span: span,
                value: self.nodes.len() as u32,
            });
            self.nodes.push(Node {
                kind: Kind::Str,
                a,
                b,
                span,
            });
        }
        self.extra = extra;
        node.a = self.entries.len() as u32;
        node.b = entries.len() as u32;
        self.entries.extend(entries);
        if let Some(slot) = self.nodes.get_mut(map as usize) {
            *slot = node;
        }
        self.parents = OnceLock::new();
    }

    /// Strikes out the scalars below `node` in the values and in the text.
    pub(crate) fn redact(&mut self, id: u32) {
        let node = self.at(id);
        match node.kind {
            Kind::Map => {
                let values: Vec<u32> = self
                    .map_entries(node)
                    .iter()
                    .map(|entry| entry.value)
                    .collect();
                for value in values {
                    self.redact(value);
                }
            }
            Kind::List => {
                for item in self.list_items(node).to_vec() {
                    self.redact(item);
                }
            }
            _ => {
                if let Some(slot) = self.nodes.get_mut(id as usize) {
                    slot.kind = Kind::Redacted;
                }
                if matches!(node.kind, Kind::Str | Kind::Open | Kind::OpenText)
                    && node.a & EXTRA != 0
                {
                    blank(&mut self.extra, node.a & !EXTRA, (node.a & !EXTRA) + node.b);
                }
                blank(&mut self.text, node.span.start, node.span.end);
            }
        }
    }
}

/// Counts lines forward, so that many offsets cost one pass.
pub(crate) struct RisingLines<'d> {
    doc: &'d Doc,
    offset: usize,
    lines: u32,
}

impl RisingLines<'_> {
    /// The line of the file that holds an offset not below the last one.
    pub(crate) fn at(&mut self, offset: u32) -> u32 {
        let passed = self
            .doc
            .text
            .as_bytes()
            .get(self.offset..offset as usize)
            .unwrap_or_default();
        self.lines += passed.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.offset = self.offset.max(offset as usize);
        self.doc.file_line(self.lines)
    }
}

/// Overwrites a range of a text.
fn blank<T>(text: &mut T, start: u32, end: u32)
where
    T: Default + Into<String> + From<String> + AsRef<str>,
{
    let (start, end) = (start as usize, end as usize);
    let own = text.as_ref();
    if start >= end || !own.is_char_boundary(start) || !own.is_char_boundary(end) {
        return;
    }
    let own: String = std::mem::take(text).into();
    let mut bytes = own.into_bytes();
    strike(&mut bytes, start, end);
    *text = written(bytes).into();
}

/// Overwrites a range with asterisks, keeping line ends, so that places stay right.
fn strike(bytes: &mut [u8], start: usize, end: usize) {
    for byte in bytes.get_mut(start..end).unwrap_or_default() {
        if *byte != b'\n' && *byte != b'\r' && *byte != b' ' {
            *byte = b'*';
        }
    }
}

/// Whole characters were overwritten: it is a text still.
fn written(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

/// Builds a [`Doc`] from what a parser reads.
#[derive(Debug)]
pub struct DocBuilder<'s> {
    symbols: &'s Symbols,
    doc: Doc,
    extra: String,
}

impl<'s> DocBuilder<'s> {
    /// A builder for `text`, which begins on line `first_line` of its file.
    #[must_use]
    pub fn new(symbols: &'s Symbols, dialect: Dialect, text: Box<str>, first_line: u32) -> Self {
        let guess = text.len() / 18;
        Self {
            symbols,
            doc: Doc {
                nodes: Vec::with_capacity(guess).into(),
                entries: Vec::with_capacity(guess).into(),
                first_line,
                text,
                folds_case: dialect == Dialect::Azure,
                ..Doc::empty()
            },
            extra: String::new(),
        }
    }

    /// A value nobody gave: what is known of an object that others only name.
    pub fn not_given(&mut self, span: Span) -> NodeId {
        self.push(Kind::NotGiven, 0, 0, span)
    }

    /// Names the files that the text joins, in order.
    pub fn parts(&mut self, parts: Vec<Part>) {
        self.doc.parts = parts;
    }

    /// A string that is one whatever it looks like.
    pub fn text(&mut self, value: &str, span: Span) -> NodeId {
        let (a, b) = self.keep(value, span);
        self.push(Kind::Str, a, b, span)
    }

    /// A value that the source leaves open, and the expression that decides it.
    pub fn open(&mut self, expression: &str, span: Span) -> NodeId {
        let (a, b) = self.keep(expression, span);
        self.push(Kind::Open, a, b, span)
    }

    /// A string that the source leaves open, its open parts in braces: `{prefix}-aks`.
    pub fn open_text(&mut self, text: &str, span: Span) -> NodeId {
        let (a, b) = self.keep(text, span);
        self.push(Kind::OpenText, a, b, span)
    }

    /// A value that is there and is never shown.
    pub fn redacted(&mut self, span: Span) -> NodeId {
        self.push(Kind::Redacted, 0, 0, span)
    }

    /// A value that the API fills in, and nobody documents what with.
    pub(crate) fn undocumented(&mut self) -> NodeId {
        self.push(Kind::Undocumented, 0, 0, Span::default())
    }

    pub(crate) fn node_at(&self, id: NodeId) -> Node {
        self.doc.at(id.0)
    }

    /// A string that was kept, while the document is being built.
    pub(crate) fn string_of(&self, a: u32, b: u32) -> &str {
        if a & EXTRA == 0 {
            return self.doc.string(a, b);
        }
        let start = (a & !EXTRA) as usize;
        self.extra
            .get(start..start + b as usize)
            .unwrap_or_default()
    }

    /// Puts a value somewhere else.
    pub(crate) fn place(&mut self, id: u32, span: Span) {
        if let Some(node) = self.doc.nodes.get_mut(id as usize) {
            node.span = span;
        }
    }

    /// Leads each line of the text to one of the file it was made from, whose text is not at hand.
    pub(crate) fn lead(&mut self, lines: &Arc<[u32]>) {
        self.doc.lead(lines);
        self.doc.only_lines = true;
    }

    /// The document whose root is `root`.
    #[must_use]
    pub fn finish(mut self, root: NodeId) -> Doc {
        self.doc.root = root.0;
        self.doc.extra = self.extra;
        self.doc.nodes.shrink_to_fit();
        self.doc.entries.shrink_to_fit();
        self.doc.items.shrink_to_fit();
        self.doc
    }

    fn push(&mut self, kind: Kind, a: u32, b: u32, span: Span) -> NodeId {
        let id = self.doc.nodes.len() as u32;
        self.doc.nodes.push(Node { kind, a, b, span });
        NodeId(id)
    }

    fn push_wide(&mut self, kind: Kind, bits: u64, span: Span) -> NodeId {
        self.push(kind, (bits >> 32) as u32, bits as u32, span)
    }

    /// Refers to the text where it holds the string literally, else keeps a copy.
    fn keep(&mut self, value: &str, span: Span) -> (u32, u32) {
        let length = value.len() as u32;
        for quote in [0, 1] {
            let start = span.start + quote;
            if self
                .doc
                .text
                .get(start as usize..start as usize + value.len())
                == Some(value)
            {
                return (start, length);
            }
        }
        Doc::keep_extra(&mut self.extra, value)
    }
}

impl Build for DocBuilder<'_> {
    type Node = NodeId;

    fn null(&mut self, span: Span) -> NodeId {
        self.push(Kind::Null, 0, 0, span)
    }

    fn bool(&mut self, value: bool, span: Span) -> NodeId {
        self.push(if value { Kind::True } else { Kind::False }, 0, 0, span)
    }

    fn int(&mut self, value: i64, span: Span) -> NodeId {
        self.push_wide(Kind::Int, value as u64, span)
    }

    fn uint(&mut self, value: u64, span: Span) -> NodeId {
        self.push_wide(Kind::Uint, value, span)
    }

    fn float(&mut self, value: f64, span: Span) -> NodeId {
        self.push_wide(Kind::Double, value.to_bits(), span)
    }

    fn string(&mut self, value: &str, span: Span) -> NodeId {
        self.text(value, span)
    }

    fn list(&mut self, items: &[NodeId], span: Span) -> NodeId {
        let start = self.doc.items.len() as u32;
        self.doc.items.extend(items.iter().map(|item| item.0));
        self.push(Kind::List, start, items.len() as u32, span)
    }

    fn map(&mut self, entries: &[Entry<'_, NodeId>], span: Span) -> NodeId {
        let start = self.doc.entries.len() as u32;
        for entry in entries {
            if self.doc.at(entry.value.0).kind == Kind::Null {
                continue;
            }
            let key = self.keep(&entry.key, entry.key_span);
            self.doc.entries.push(MapEntry {
                symbol: match self.symbols.get(&entry.key) {
                    Symbol::NONE if self.doc.folds_case => self.symbols.fold(&entry.key),
                    symbol => symbol,
                },
                key,
                key_span: entry.key_span,
                value: entry.value.0,
            });
        }
        let length = self.doc.entries.len() as u32 - start;
        self.push(Kind::Map, start, length, span)
    }

    fn cut_string(&mut self, known: &str, span: Span) -> NodeId {
        self.open_text(&format!("{known}{{…}}"), span)
    }

    fn cut(&mut self, node: NodeId) {
        self.doc.cut.push(node.0);
    }

    fn anchored(&mut self, node: NodeId, _anchor: &str, span: Span) {
        self.doc.anchors.push(Anchor {
            node: node.0,
            span,
            uses: 0,
        });
    }

    fn duplicate(&mut self, key: &str, _first: Span, again: Span) {
        self.doc.duplicates.push((key.into(), again));
    }

    fn aliased(&mut self, node: NodeId, _anchor: &str, _span: Span) {
        if let Some(anchor) = self
            .doc
            .anchors
            .iter_mut()
            .rev()
            .find(|anchor| anchor.node == node.0)
        {
            anchor.uses += 1;
            anchor.span = self
                .doc
                .nodes
                .get(node.0 as usize)
                .map_or(anchor.span, |node| node.span);
        }
    }
}
