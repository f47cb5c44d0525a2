//! The kubelet's configuration files: JSON or YAML, and the drop-ins of `--config-dir` on top of them.
//!
//! Drop-ins are merged in the order of their names as `mergeKubeletConfigurations` of `cmd/kubelet/app/server.go` does
//! (RFC 7386): maps key by key, lists as a whole, and `null` takes away what was there.

use yaml::{Build, Entry, Limits, Lines, Span};

use crate::value::{Data, Place, Value};

/// A part of a configuration.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Null,
    Leaf(Value),
    Map(Vec<(String, Self)>, Place),
}

impl Tree {
    pub(super) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |tree, key| match tree {
            Self::Map(entries, _) => entries
                .iter()
                .find(|(own, _)| own == key)
                .map(|(_, value)| value),
            _ => None,
        })
    }

    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Null => None,
            Self::Leaf(value) => Some(value),
            Self::Map(entries, place) => {
                let entries = entries
                    .into_iter()
                    .filter_map(|(key, tree)| Some((key, tree.value()?)))
                    .collect();
                Some(Value::new(Data::Map(entries), &place))
            }
        }
    }

    /// Puts a drop-in on top. Both are as shallow as [`read`] lets them be.
    pub(super) fn merge(self, patch: Self) -> Self {
        match (self, patch) {
            (Self::Map(mut own, place), Self::Map(patch, _)) => {
                for (key, value) in patch {
                    let at = own.iter().position(|(name, _)| *name == key);
                    let old = at.map(|at| own.remove(at).1);
                    match (old, value) {
                        (_, Self::Null) => {}
                        (Some(old), value) => own.push((key, old.merge(value))),
                        (None, value) => own.push((key, value)),
                    }
                }
                Self::Map(own, place)
            }
            (_, patch) => patch,
        }
    }
}

/// Reads a configuration.
pub(super) fn read(file: &str, text: &str) -> Result<Tree, String> {
    let limits = Limits {
        depth: 16,
        bytes: crate::root::LONGEST as usize,
        expanded: 10_000,
        anchors: 100,
    };
    let mut build = Trees {
        made: Vec::new(),
        lines: Lines::new(text),
        file,
    };
    match yaml::parse(text, &limits, &mut build) {
        Ok(Some(root)) => Ok(build.get(root)),
        Ok(None) => Err("it is empty".to_owned()),
        // What stands there is not repeated: it may be anything.
        Err(error) => Err(format!("no YAML on line {}", error.line)),
    }
}

struct Trees<'t> {
    made: Vec<Tree>,
    lines: Lines<'t>,
    file: &'t str,
}

impl Trees<'_> {
    fn push(&mut self, tree: Tree) -> usize {
        self.made.push(tree);
        self.made.len() - 1
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.file, self.lines.at(span.start).line)
    }

    fn leaf(&mut self, data: Data, span: Span) -> usize {
        let place = self.place(span);
        self.push(Tree::Leaf(Value { data, place }))
    }

    fn get(&self, node: usize) -> Tree {
        self.made.get(node).cloned().unwrap_or(Tree::Null)
    }
}

impl Build for Trees<'_> {
    type Node = usize;

    fn null(&mut self, _: Span) -> usize {
        self.push(Tree::Null)
    }

    fn bool(&mut self, value: bool, span: Span) -> usize {
        self.leaf(Data::Bool(value), span)
    }

    fn int(&mut self, value: i64, span: Span) -> usize {
        self.leaf(Data::Int(value), span)
    }

    fn uint(&mut self, value: u64, span: Span) -> usize {
        self.leaf(Data::Text(value.to_string()), span)
    }

    fn float(&mut self, value: f64, span: Span) -> usize {
        self.leaf(Data::Text(value.to_string()), span)
    }

    fn string(&mut self, value: &str, span: Span) -> usize {
        self.leaf(Data::Text(value.to_owned()), span)
    }

    fn list(&mut self, items: &[usize], span: Span) -> usize {
        let items: Vec<Value> = items
            .iter()
            .filter_map(|item| self.get(*item).value())
            .collect();
        self.leaf(Data::List(items), span)
    }

    fn map(&mut self, entries: &[Entry<'_, usize>], span: Span) -> usize {
        let place = self.place(span);
        let entries = entries
            .iter()
            .map(|entry| (entry.key.to_string(), self.get(entry.value)))
            .collect();
        self.push(Tree::Map(entries, place))
    }
}
