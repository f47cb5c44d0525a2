//! Handles into documents, as CEL and the reports read them.

use cel::{Key, Node as CelNode, Symbol, Unknown, View};
use yaml::Span;

use crate::doc::{Doc, Kind, NodeId, Parent};
use crate::remedy::{Step, route};
use crate::unknown;

/// One value of one document.
#[derive(Debug, Clone, Copy)]
pub struct Ref<'a> {
    /// The document it stands in.
    pub doc: &'a Doc,
    pub(crate) id: u32,
}

impl<'a> Ref<'a> {
    /// Its number within the document.
    #[must_use]
    pub const fn id(self) -> NodeId {
        NodeId(self.id)
    }

    /// Where the value stands.
    #[must_use]
    pub fn span(self) -> Span {
        self.doc.at(self.id).span
    }

    /// The value itself; for one that nobody wrote, what holds it, as far up as something is
    /// written.
    #[must_use]
    pub fn written_holder(self) -> Self {
        let mut at = self;
        for _ in 0..64 {
            if !at.is_filled_in() {
                break;
            }
            let Some(parent) = at.parent() else { break };
            at = parent;
        }
        at
    }

    /// Nobody wrote it: the API fills it in.
    #[must_use]
    pub fn is_filled_in(self) -> bool {
        let span = self.span();
        self.doc.folds_case && span.end <= span.start
    }

    /// The map or list that holds it (the first, where there are several).
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let parent = self.doc.parent(self.id);
        (parent.node != Parent::NONE).then_some(Ref {
            doc: self.doc,
            id: parent.node,
        })
    }

    /// The value of a key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.field_named(key)
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |at, key| at.get(key))
    }

    /// The string, when it is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        let node = self.doc.at(self.id);
        (node.kind == Kind::Str).then(|| self.doc.string(node.a, node.b))
    }

    /// The boolean, when it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.doc.at(self.id).kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The integer, when it is one.
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        match self.view() {
            View::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Whether this is a map.
    #[must_use]
    pub fn is_map(self) -> bool {
        self.doc.at(self.id).kind == Kind::Map
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        self.doc.at(self.id).kind == Kind::List
    }

    /// Whether nobody can say the value from what was read.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self.view(), View::Unknown(_))
    }

    /// Whether the source leaves the value open, and by which expression.
    #[must_use]
    pub fn open_expression(self) -> Option<&'a str> {
        let node = self.doc.at(self.id);
        matches!(node.kind, Kind::Open | Kind::OpenText).then(|| self.doc.string(node.a, node.b))
    }

    /// The same for people: a text that is open as a whole is its expression.
    #[must_use]
    pub fn open_shown(self) -> Option<&'a str> {
        let expression = self.open_expression()?;
        let inner = expression
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .filter(|inner| !inner.contains(['{', '}']));
        Some(inner.unwrap_or(expression))
    }

    /// The items of a list; nothing for anything else.
    pub fn items(self) -> impl ExactSizeIterator<Item = Self> + 'a {
        let doc = self.doc;
        doc.list_items(doc.at(self.id))
            .iter()
            .map(move |id| Ref { doc, id: *id })
    }

    /// The entries of a map; nothing for anything else.
    pub fn entries(self) -> impl ExactSizeIterator<Item = (&'a str, Span, Self)> + 'a {
        let doc = self.doc;
        doc.map_entries(doc.at(self.id)).iter().map(move |entry| {
            (
                doc.string(entry.key.0, entry.key.1),
                entry.key_span,
                Ref {
                    doc,
                    id: entry.value,
                },
            )
        })
    }

    /// The way from `self` down to `target`, as a field path: `spec.containers[0].image`.
    /// The first way, since an alias gives a value several.
    #[must_use]
    pub fn route_to(self, target: Self) -> Option<String> {
        self.way_to(target).map(|steps| route(&steps))
    }

    /// The same, step by step.
    #[must_use]
    pub fn way_to(self, target: Self) -> Option<Vec<Step>> {
        if !std::ptr::eq(self.doc, target.doc) {
            return None;
        }
        let mut steps = Vec::new();
        let mut at = target.id;
        while at != self.id {
            let parent = self.doc.parent(at);
            if parent.node == Parent::NONE || steps.len() > 200 {
                // A child resource shares its values with the parent they are written in.
                return self.doc.folds_case.then(|| self.search(target))?;
            }
            steps.push(match self.doc.entry(parent.entry) {
                Some(entry) => Step::Key(self.doc.string(entry.key.0, entry.key.1).into()),
                None => Step::Index(parent.index as usize),
            });
            at = parent.node;
        }
        steps.reverse();
        Some(steps)
    }

    /// The way down to a value, by looking.
    fn search(self, target: Self) -> Option<Vec<Step>> {
        fn descend<'a>(at: Ref<'a>, target: Ref<'a>, steps: &mut Vec<Step>) -> bool {
            if at.id == target.id {
                return true;
            }
            if steps.len() > 64 {
                return false;
            }
            for (key, _, value) in at.entries() {
                steps.push(Step::Key(key.into()));
                if descend(value, target, steps) {
                    return true;
                }
                steps.pop();
            }
            for (index, value) in at.items().enumerate() {
                steps.push(Step::Index(index));
                if descend(value, target, steps) {
                    return true;
                }
                steps.pop();
            }
            false
        }
        let mut steps = Vec::new();
        descend(self, target, &mut steps).then_some(steps)
    }

    /// The place of the key that holds this value, when a map holds it.
    #[must_use]
    pub fn key_span(self) -> Option<Span> {
        self.doc
            .entry(self.doc.parent(self.id).entry)
            .map(|entry| entry.key_span)
    }
}

impl PartialEq for Ref<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.doc, other.doc)
    }
}

impl<'a> CelNode<'a> for Ref<'a> {
    fn view(self) -> View<'a> {
        let node = self.doc.at(self.id);
        let wide = || (u64::from(node.a) << 32) | u64::from(node.b);
        match node.kind {
            Kind::Null => View::Null,
            Kind::False => View::Bool(false),
            Kind::True => View::Bool(true),
            Kind::Int => View::Int(wide() as i64),
            Kind::Uint => View::Uint(wide()),
            Kind::Double => View::Double(f64::from_bits(wide())),
            Kind::Str => View::Str(self.doc.string(node.a, node.b)),
            Kind::List => View::List(node.b as usize),
            Kind::Map => View::Map(node.b as usize),
            Kind::NotGiven => View::Unknown(unknown::NAMESPACE_NOT_GIVEN),
            Kind::Redacted => View::Unknown(unknown::REDACTED),
            Kind::Open | Kind::OpenText => View::Unknown(unknown::OPEN_VALUE),
            Kind::Undocumented => View::Unknown(unknown::UNDOCUMENTED),
        }
    }

    fn field(self, key: &Key) -> Option<Self> {
        if key.symbol == Symbol::NONE {
            return self.field_named(&key.text);
        }
        let doc = self.doc;
        doc.map_entries(doc.at(self.id))
            .iter()
            .find(|entry| entry.symbol == key.symbol)
            .map(|entry| Ref {
                doc,
                id: entry.value,
            })
    }

    fn field_named(self, key: &str) -> Option<Self> {
        let doc = self.doc;
        doc.map_entries(doc.at(self.id))
            .iter()
            .find(|entry| {
                let own = doc.string(entry.key.0, entry.key.1);
                own == key || (doc.folds_case && own.eq_ignore_ascii_case(key))
            })
            .map(|entry| Ref {
                doc,
                id: entry.value,
            })
    }

    fn item(self, index: usize) -> Option<Self> {
        let doc = self.doc;
        doc.list_items(doc.at(self.id))
            .get(index)
            .map(|id| Ref { doc, id: *id })
    }

    fn entry(self, index: usize) -> Option<(&'a str, Self)> {
        let doc = self.doc;
        doc.map_entries(doc.at(self.id)).get(index).map(|entry| {
            (
                doc.string(entry.key.0, entry.key.1),
                Ref {
                    doc,
                    id: entry.value,
                },
            )
        })
    }

    fn rest(self) -> Option<Unknown> {
        // Few documents are cut, and those in few places: one on each level.
        let cut = &self.doc.cut;
        (!cut.is_empty() && cut.binary_search(&self.id).is_ok()).then_some(unknown::CUT)
    }

    fn certain(self) -> bool {
        // What an expression leaves open may turn out to be null, but not a text of which
        // something is known; a struck out secret is there.
        match self.doc.at(self.id).kind {
            Kind::NotGiven | Kind::Open => false,
            Kind::OpenText => self.known_ends().is_some(),
            _ => true,
        }
    }

    fn known_ends(self) -> Option<(&'a str, &'a str)> {
        let node = self.doc.at(self.id);
        if node.kind != Kind::OpenText {
            return None;
        }
        let (start, rest) = self.doc.string(node.a, node.b).split_once('{')?;
        // An open part may hold braces of its own.
        let (_, end) = rest.rsplit_once('}')?;
        // What was too long to be kept has an ellipsis where it was cut.
        let unknown = end.contains('…') || (start.is_empty() && end.is_empty());
        (!unknown).then_some((start, end))
    }

    fn same(self, other: Self) -> bool {
        self == other
    }
}

#[cfg(test)]
mod tests {
    use cel::{Node as _, Symbols};
    use yaml::Span;

    use super::Ref;
    use crate::doc::{Dialect, DocBuilder};

    /// Everything that a reader of the beginning of a text sees is what a reader of all of it sees.
    #[test]
    fn what_is_read_of_a_cut_text_is_part_of_it() {
        let symbols = Symbols::default();
        let text = r#"{"a": {"b": [1, -2.5e3, true, null, {"c{": "x\"\u00e4\ud83d\ude00{y"}], "d": {}},
            "e": [], "f": false, "a2": [["deep", [12, {"g": "h"}]]], "z": 123}"#;
        let read = |text: &str| {
            let mut builder = DocBuilder::new(&symbols, Dialect::Plain, text.into(), 1);
            let (root, cut) =
                yaml::json::prefix(text, &yaml::Limits::default(), &mut builder).ok()?;
            let doc = builder.finish(root);
            assert_eq!(doc.is_cut(), cut);
            Some(doc)
        };
        let whole = read(text).unwrap();
        assert!(!whole.is_cut());
        let mut seen = 0;
        for end in 1..text.len() {
            let Some(part) = text.get(..end) else {
                continue;
            };
            let doc = read(part).unwrap_or_else(|| panic!("{part}"));
            assert!(doc.is_cut(), "{part}");
            seen += within(doc.root(), whole.root());
        }
        assert!(seen > 1000, "{seen}");
        assert!(read("").is_none() && read("{\"a\": tru}").is_none() && read("{\"a\" 1").is_none());
    }

    /// Compares a cut value with the whole one: how many values were compared.
    fn within(cut: Ref<'_>, whole: Ref<'_>) -> usize {
        if let Some((start, _)) = cut.known_ends() {
            assert!(whole.as_str().unwrap().starts_with(start));
            return 1;
        }
        if cut.is_open() {
            assert!(whole.as_str().is_some());
            return 1;
        }
        let mut seen = 1;
        if cut.is_map() {
            assert!(cut.rest().is_some() || cut.entries().len() == whole.entries().len());
            for (key, _, value) in cut.entries() {
                seen += within(value, whole.get(key).unwrap());
            }
        } else if cut.is_list() {
            assert!(cut.rest().is_some() || cut.items().len() == whole.items().len());
            for (value, same) in cut.items().zip(whole.items()) {
                seen += within(value, same);
            }
        } else {
            assert_eq!(cut.view(), whole.view());
        }
        seen
    }

    #[test]
    fn open_texts_show_their_known_ends() {
        let symbols = Symbols::default();
        for (text, ends) in [
            ("{prefix}-sn", Some(("", "-sn"))),
            ("AzureCloud.{location}", Some(("AzureCloud.", ""))),
            ("a-{b}-{c ? { d: 1 } : {}}-e", Some(("a-", "-e"))),
            ("{prefix}", None),
            ("{a}-{b}", None),
            // An expression that nobody put into braces.
            ("random_id.prefix.hex", None),
            // What was cut.
            ("a-{b}-c…#0123456789abcdef", None),
            ("a-{b…#0123456789abcdef", None),
        ] {
            let mut builder = DocBuilder::new(&symbols, Dialect::Azure, "".into(), 1);
            let node = builder.open_text(text, Span::default());
            let doc = builder.finish(node);
            assert_eq!(doc.root().known_ends(), ends, "{text}");
            assert_eq!(doc.root().certain(), ends.is_some(), "{text}");
            assert_eq!(doc.root().open_expression(), Some(text));

            let mut builder = DocBuilder::new(&symbols, Dialect::Azure, "".into(), 1);
            let node = builder.open(text, Span::default());
            assert_eq!(builder.finish(node).root().known_ends(), None, "{text}");
        }
    }
}
