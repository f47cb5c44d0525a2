//! Keeping of an object only what joins can read, so that an estate of a hundred thousand
//! workloads fits in memory. Places survive: the lines that kept values stand on are kept too.

use cel::{Symbol, Symbols};
use yaml::Span;

use crate::doc::{Doc, Kind, Node};
use crate::secrets;
use crate::value::Ref;

/// Which keys are kept.
#[derive(Debug, Default, Clone)]
pub struct Keep {
    /// Everything: nothing is pruned.
    pub everything: bool,
    keys: Vec<bool>,
    whole: Vec<bool>,
    entries: Vec<bool>,
}

/// Keys that indexing needs, whole below where `true`.
pub const INDEXED: &[(&str, bool)] = &[
    ("apiVersion", false),
    ("kind", false),
    ("metadata", false),
    ("name", false),
    ("namespace", false),
    ("generateName", false),
    ("labels", true),
    ("annotations", true),
    ("ownerReferences", true),
    ("spec", false),
    ("template", false),
    ("jobTemplate", false),
    ("selector", true),
    ("serviceAccountName", false),
    ("serviceAccount", false),
];

impl Keep {
    /// The keys that indexing needs.
    #[must_use]
    pub fn indexed(symbols: &Symbols) -> Self {
        let mut keep = Self::default();
        for (key, whole) in INDEXED {
            keep.add(symbols.get(key), *whole);
        }
        keep
    }

    /// Nothing is pruned.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// Keeps a key, and everything below it when `whole`.
    pub fn add(&mut self, key: Symbol, whole: bool) {
        let index = key.0 as usize;
        for (list, wanted) in [(&mut self.keys, true), (&mut self.whole, whole)] {
            if list.len() <= index {
                list.resize(index + 1, false);
            }
            if let Some(slot) = list.get_mut(index) {
                *slot |= wanted;
            }
        }
    }

    /// Keeps a key, and all entries of the map below it: some program takes one by a key it computes.
    pub fn add_entries(&mut self, key: Symbol) {
        self.add(key, false);
        let index = key.0 as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, false);
        }
        if let Some(slot) = self.entries.get_mut(index) {
            *slot = true;
        }
    }

    /// What is kept below a key.
    fn below(&self, key: Symbol) -> Below {
        let holds = |list: &[bool]| {
            key != Symbol::NONE && list.get(key.0 as usize).copied().unwrap_or(false)
        };
        if holds(&self.whole) {
            Below::Everything
        } else if holds(&self.entries) {
            Below::Entries
        } else {
            Below::Keys
        }
    }

    fn keeps(&self, key: Symbol) -> bool {
        key != Symbol::NONE && self.keys.get(key.0 as usize).copied().unwrap_or(false)
    }
}

/// What is kept of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    /// the kept keys
    Keys,
    /// all entries, and of them the kept keys
    Entries,
    /// all of it
    Everything,
}

impl Below {
    /// Whether an entry is kept, and what of it.
    fn entry(self, key: Symbol, keep: &Keep) -> Option<Self> {
        match self {
            Self::Everything => Some(Self::Everything),
            Self::Entries => Some(keep.below(key)),
            Self::Keys => keep.keeps(key).then(|| keep.below(key)),
        }
    }

    /// What is kept of an item of a list.
    const fn item(self) -> Self {
        match self {
            Self::Everything => Self::Everything,
            Self::Entries | Self::Keys => Self::Keys,
        }
    }
}

/// Lines longer than this are not worth keeping for one object.
const LONGEST: usize = 2000;

/// The object with only the kept keys, as a document of its own. `None` when it is better
/// kept as it is: it has aliases, or stands on very long lines.
#[must_use]
pub fn prune(object: Ref<'_>, keep: &Keep) -> Option<Doc> {
    if keep.everything || !object.doc.anchors.is_empty() {
        return None;
    }
    let mut pruner = Pruner {
        from: object.doc,
        keep,
        hidden: secrets::secret_spans(object),
        to: Doc::empty(),
        text: String::new(),
        extra: String::new(),
        lines: Vec::new(),
    };
    pruner.collect_lines(object, Below::Keys, 0)?;
    pruner.copy_lines();
    let root = pruner.copy(object, Below::Keys)?;
    Some(pruner.finish(root))
}

struct Pruner<'a> {
    from: &'a Doc,
    keep: &'a Keep,
    hidden: Vec<Span>,
    to: Doc,
    text: String,
    extra: String,
    /// Kept lines: where each begins in the old text, in the new text, its length, its number.
    lines: Vec<Line>,
}

#[derive(Clone, Copy)]
struct Line {
    old: u32,
    new: u32,
    length: u32,
    number: u32,
}

impl<'a> Pruner<'a> {
    /// Notes the lines on which kept keys and values begin.
    fn collect_lines(&mut self, value: Ref<'a>, below: Below, depth: usize) -> Option<()> {
        if depth > 150 {
            return None;
        }
        let node = self.from.at(value.id().0);
        self.note(node.span)?;
        for entry in self.from.map_entries(node) {
            if let Some(below) = below.entry(entry.symbol, self.keep) {
                self.note(entry.key_span)?;
                self.collect_lines(
                    Ref {
                        doc: self.from,
                        id: entry.value,
                    },
                    below,
                    depth + 1,
                )?;
            }
        }
        for item in self.from.list_items(node) {
            self.collect_lines(
                Ref {
                    doc: self.from,
                    id: *item,
                },
                below.item(),
                depth + 1,
            )?;
        }
        Some(())
    }

    fn note(&mut self, span: Span) -> Option<()> {
        let (line, start) = self.from.line_at(span.start);
        if line.len() > LONGEST {
            return None;
        }
        if self.lines.last().is_none_or(|last| last.old != start) {
            self.lines.push(Line {
                old: start,
                new: 0,
                length: line.len() as u32,
                number: 0,
            });
        }
        Some(())
    }

    fn copy_lines(&mut self) {
        self.lines.sort_by_key(|line| line.old);
        self.lines.dedup_by_key(|line| line.old);
        let mut lines = self.from.lines_from_start();
        for line in &mut self.lines {
            line.number = lines.at(line.old);
            line.new = self.text.len() as u32;
            let old = self
                .from
                .text()
                .get(line.old as usize..(line.old + line.length) as usize)
                .unwrap_or_default();
            self.text
                .push_str(&secrets::strike_out_bytes(old, line.old, &self.hidden));
            self.text.push('\n');
        }
    }

    /// The same place in the new text; what runs over its first line ends there.
    fn place(&self, span: Span) -> Span {
        let at = self.lines.partition_point(|line| line.old <= span.start);
        let Some(line) = at.checked_sub(1).and_then(|at| self.lines.get(at)) else {
            return Span::default();
        };
        let start = (span.start - line.old).min(line.length);
        let end = (span.end.saturating_sub(line.old)).clamp(start, line.length.max(start));
        Span {
            start: line.new + start,
            end: line.new + end,
        }
    }

    /// The same string, in the new text where it stands there literally.
    fn string(&mut self, a: u32, b: u32, span: Span) -> (u32, u32) {
        let text = self.from.string(a, b);
        let new = self.place(span);
        for quote in [0, 1] {
            let start = (new.start + quote) as usize;
            if self.text.get(start..start + text.len()) == Some(text) {
                return (new.start + quote, b);
            }
        }
        Doc::keep_extra(&mut self.extra, text)
    }

    fn copy(&mut self, value: Ref<'a>, below: Below) -> Option<u32> {
        let node = self.from.at(value.id().0);
        let span = self.place(node.span);
        let copied = match node.kind {
            Kind::Map => {
                let mut entries = Vec::new();
                for entry in self.from.map_entries(node) {
                    if let Some(below) = below.entry(entry.symbol, self.keep) {
                        let value = self.copy(
                            Ref {
                                doc: self.from,
                                id: entry.value,
                            },
                            below,
                        )?;
                        let key = self.string(entry.key.0, entry.key.1, entry.key_span);
                        let mut entry = *entry;
                        entry.key = key;
                        entry.key_span = self.place(entry.key_span);
                        entry.value = value;
                        entries.push(entry);
                    }
                }
                let start = self.to.entries.len() as u32;
                let length = entries.len() as u32;
                self.to.entries.extend(entries);
                Node {
                    a: start,
                    b: length,
                    span,
                    ..node
                }
            }
            Kind::List => {
                let mut items = Vec::new();
                for item in self.from.list_items(node) {
                    items.push(self.copy(
                        Ref {
                            doc: self.from,
                            id: *item,
                        },
                        below.item(),
                    )?);
                }
                let start = self.to.items.len() as u32;
                let length = items.len() as u32;
                self.to.items.extend(items);
                Node {
                    a: start,
                    b: length,
                    span,
                    ..node
                }
            }
            Kind::Str | Kind::Open | Kind::OpenText => {
                let (a, b) = self.string(node.a, node.b, node.span);
                Node { a, b, span, ..node }
            }
            _ => Node { span, ..node },
        };
        self.to.nodes.push(copied);
        Some(self.to.nodes.len() as u32 - 1)
    }

    fn finish(mut self, root: u32) -> Doc {
        self.to.text = self.text.into_boxed_str();
        self.to.extra = self.extra;
        self.to.root = root;
        let numbers: Vec<u32> = self.lines.iter().map(|line| line.number).collect();
        self.to.lead(&numbers.into());
        self.to.nodes.shrink_to_fit();
        self.to.entries.shrink_to_fit();
        self.to.items.shrink_to_fit();
        self.to
    }
}

#[cfg(test)]
mod tests {
    use cel::{Env, Node as _, View};

    use super::{Keep, prune};
    use crate::doc::{Dialect, DocBuilder};
    use crate::value::Ref;

    #[test]
    fn keeps_values_and_places_and_hides_secrets() {
        let mut env = Env::new();
        env.declare("object");
        for key in ["kind", "spec", "name", "labels", "containers", "env"] {
            env.intern(key);
        }
        let text = "kind: Pod\nspec:\n  dropped: [1, 2]\n  containers:\n  - name: a\n    env: [{name: DB_PASSWORD, value: hunter22}]\n    image: \"x\"\n  labels:\n    a/b: \"c\\u00e4\"\n";
        let mut builder = DocBuilder::new(env.symbols(), Dialect::Plain, text.into(), 10);
        let root = yaml::parse(text, &yaml::Limits::default(), &mut builder)
            .unwrap()
            .unwrap();
        let doc = builder.finish(root);
        let mut keep = Keep::default();
        for (key, whole) in [
            ("kind", false),
            ("spec", false),
            ("name", false),
            ("labels", true),
            ("containers", false),
            ("env", false),
        ] {
            keep.add(env.symbols().get(key), whole);
        }
        let pruned = prune(doc.root(), &keep).unwrap();
        let root = pruned.root();
        assert_eq!(
            root.path(&["spec", "labels", "a/b"]).and_then(Ref::as_str),
            Some("cä")
        );
        let container = root
            .path(&["spec", "containers"])
            .unwrap()
            .items()
            .next()
            .unwrap();
        assert_eq!(container.get("name").and_then(Ref::as_str), Some("a"));
        assert!(container.get("image").is_none());
        assert!(root.path(&["spec", "dropped"]).is_none());
        let variable = container.get("env").unwrap().items().next().unwrap();
        assert_eq!(
            variable.get("name").unwrap().view(),
            View::Str("DB_PASSWORD")
        );
        assert_eq!(
            pruned.line_column(container.get("name").unwrap().span().start),
            (14, 11)
        );
        assert_eq!(pruned.line_column(variable.span().start), (15, 11));
        assert_eq!(
            root.route_to(variable).unwrap(),
            "spec.containers[0].env[0]"
        );
        assert!(!pruned.text().contains("hunter22"));
        assert!(!pruned.text().contains("image"));
    }
}
