//! What a text means: the values of one document, aliases sharing the node of their anchor.
//!
//! The proof stands on it: operations are applied to this tree, without any knowledge of the
//! text, and what the edited text says must be the same. It leaves out places.

use std::collections::{HashMap, HashSet};

use crate::{Build, Entry, Span};

use super::value::Value;
use super::{Operation, Step, same_key};

pub(crate) type NodeId = u32;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(Box<str>),
    /// An item that was removed is `None`, so that the others keep their number.
    List(Vec<Option<NodeId>>),
    Map(Vec<MapEntry>),
}

#[derive(Debug, Clone)]
pub(crate) struct MapEntry {
    pub(crate) key: Box<str>,
    pub(crate) node: NodeId,
    /// a merge key brought it in
    pub(crate) merged: bool,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// entries of large maps by key
    index: HashMap<NodeId, HashMap<Box<str>, usize>>,
}

/// Up to here looking at each key is cheaper than a table.
const FEW: usize = 16;

fn folded(key: &str, any_case: bool) -> Box<str> {
    if any_case {
        key.to_ascii_lowercase().into()
    } else {
        key.into()
    }
}

impl Tree {
    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        (self.nodes.len() - 1) as NodeId
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&Node::Null)
    }

    fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id as usize)
    }

    /// The value of a node. Recursive: for what was read within the usual limits of depth.
    pub(crate) fn value(&self, id: NodeId) -> Value {
        match self.get(id) {
            Node::Null => Value::Null,
            Node::Bool(v) => Value::Bool(*v),
            Node::Int(v) => Value::Int(*v),
            Node::Uint(v) => Value::Uint(*v),
            Node::Float(v) => Value::Float(*v),
            Node::String(v) => Value::String(v.to_string()),
            Node::List(items) => Value::List(
                items
                    .iter()
                    .flatten()
                    .map(|item| self.value(*item))
                    .collect(),
            ),
            Node::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|entry| (entry.key.to_string(), self.value(entry.node)))
                    .collect(),
            ),
        }
    }

    /// Whether a node already is a value.
    pub(crate) fn is(&self, id: NodeId, value: &Value) -> bool {
        match (self.get(id), value) {
            (Node::Null, Value::Null) => true,
            (Node::Bool(a), Value::Bool(b)) => a == b,
            (Node::Int(a), Value::Int(b)) => a == b,
            (Node::Uint(a), Value::Uint(b)) => a == b,
            (Node::Float(a), Value::Float(b)) => a == b,
            (Node::Int(a), Value::Float(b)) => same_number(*a, *b),
            (Node::Float(a), Value::Int(b)) => same_number(*b, *a),
            (Node::String(a), Value::String(b)) => **a == **b,
            (Node::List(items), Value::List(values)) => {
                items.len() == values.len()
                    && items
                        .iter()
                        .zip(values)
                        .all(|(item, value)| item.is_some_and(|item| self.is(item, value)))
            }
            (Node::Map(entries), Value::Map(values)) => {
                entries.len() == values.len()
                    && values.iter().all(|(key, value)| {
                        let entry = entries.iter().find(|entry| *entry.key == **key);
                        entry.is_some_and(|entry| self.is(entry.node, value))
                    })
            }
            _ => false,
        }
    }

    fn insert(&mut self, value: &Value) -> NodeId {
        let node = match value {
            Value::Null => Node::Null,
            Value::Bool(v) => Node::Bool(*v),
            Value::Int(v) => Node::Int(*v),
            Value::Uint(v) => Node::Uint(*v),
            Value::Float(v) => Node::Float(*v),
            Value::String(v) => Node::String(v.as_str().into()),
            Value::List(items) => {
                Node::List(items.iter().map(|item| Some(self.insert(item))).collect())
            }
            Value::Map(entries) => Node::Map(
                entries
                    .iter()
                    .map(|(key, value)| MapEntry {
                        key: key.as_str().into(),
                        node: self.insert(value),
                        merged: false,
                    })
                    .collect(),
            ),
        };
        self.push(node)
    }

    /// Applies an operation that was found possible. `shared` changes the last node itself,
    /// so that its aliases change with it.
    pub(crate) fn apply(
        &mut self,
        root: NodeId,
        operation: &Operation,
        shared: bool,
        any_case: bool,
    ) -> Option<()> {
        let route = operation.route();
        let (last, parents) = route.split_last()?;
        let creates = matches!(operation, Operation::Set { .. } | Operation::Add { .. });
        let mut at = root;
        for step in parents {
            at = match self.step_to(at, step, any_case) {
                Some(next) if creates && matches!(self.get(next), Node::Null) => {
                    *self.get_mut(next)? = Node::Map(Vec::new());
                    next
                }
                Some(next) => next,
                None if creates => self.grow(at, step, any_case)?,
                None => return Some(()),
            };
        }
        match operation {
            Operation::Set { value, .. } => {
                let value = self.insert(value);
                self.put(at, last, value, shared, any_case)
            }
            Operation::Add { value, .. } => match self.step_to(at, last, any_case) {
                Some(list) if matches!(self.get(list), Node::List(_)) => {
                    let Node::List(items) = self.get(list) else {
                        return None;
                    };
                    if items.iter().flatten().any(|item| self.is(*item, value)) {
                        return Some(());
                    }
                    let value = self.insert(value);
                    if let Some(Node::List(items)) = self.get_mut(list) {
                        items.push(Some(value));
                    }
                    Some(())
                }
                Some(other) if !matches!(self.get(other), Node::Null) => None,
                _ => {
                    let value = self.insert(value);
                    let list = self.push(Node::List(vec![Some(value)]));
                    self.put(at, last, list, shared, any_case)
                }
            },
            Operation::Remove { prune, .. } => {
                let removed = self.remove(at, last, any_case);
                let mut route = parents;
                while let (true, Some((last, parents))) = (*prune && removed, route.split_last()) {
                    let up = self.find(root, parents, any_case)?;
                    let emptied = self
                        .step_to(up, last, any_case)
                        .is_some_and(|n| self.empty(n));
                    if !emptied {
                        break;
                    }
                    self.remove(up, last, any_case);
                    route = parents;
                }
                Some(())
            }
            Operation::Rename { key, .. } => self.rename(at, last, key, any_case),
            Operation::Nest { .. } => None,
            Operation::Replace { key, value, .. } => {
                let value = self.insert(value);
                self.put(at, last, value, shared, any_case)?;
                self.rename(at, last, key, any_case)
            }
        }
    }

    fn find(&mut self, root: NodeId, route: &[Step], any_case: bool) -> Option<NodeId> {
        let mut steps = route.iter();
        steps.try_fold(root, |at, step| self.step_to(at, step, any_case))
    }

    /// Which entry of a map has a key.
    fn position(&mut self, map: NodeId, key: &str, any_case: bool) -> Option<usize> {
        let Some(Node::Map(entries)) = self.nodes.get(map as usize) else {
            return None;
        };
        if entries.len() <= FEW {
            return entries
                .iter()
                .position(|entry| same_key(&entry.key, key, any_case));
        }
        let table = self.index.entry(map).or_insert_with(|| {
            let entries = entries.iter().enumerate();
            entries
                .map(|(at, entry)| (folded(&entry.key, any_case), at))
                .collect()
        });
        if any_case {
            table.get(&folded(key, any_case)).copied()
        } else {
            table.get(key).copied()
        }
    }

    fn push_entry(&mut self, map: NodeId, key: &str, node: NodeId, any_case: bool) -> Option<()> {
        let Some(Node::Map(entries)) = self.nodes.get_mut(map as usize) else {
            return None;
        };
        if let Some(table) = self.index.get_mut(&map) {
            table.insert(folded(key, any_case), entries.len());
        }
        entries.push(MapEntry {
            key: key.into(),
            node,
            merged: false,
        });
        Some(())
    }

    /// [`Self::step`] with tables for large maps.
    fn step_to(&mut self, at: NodeId, step: &Step, any_case: bool) -> Option<NodeId> {
        let Step::Key(key) = step else {
            return self.step(at, step, any_case);
        };
        let slot = self.position(at, key, any_case)?;
        match self.get(at) {
            Node::Map(entries) => entries.get(slot).map(|entry| entry.node),
            _ => None,
        }
    }

    fn empty(&self, id: NodeId) -> bool {
        match self.get(id) {
            Node::Map(entries) => entries.is_empty(),
            Node::List(items) => items.iter().all(Option::is_none),
            _ => false,
        }
    }

    /// The node one step further.
    pub(crate) fn step(&self, at: NodeId, step: &Step, any_case: bool) -> Option<NodeId> {
        match (self.get(at), step) {
            (Node::Map(entries), Step::Key(key)) => entries
                .iter()
                .find(|entry| same_key(&entry.key, key, any_case))
                .map(|entry| entry.node),
            (Node::List(items), Step::Index(index)) => items.get(*index).copied().flatten(),
            _ => None,
        }
    }

    fn grow(&mut self, at: NodeId, step: &Step, any_case: bool) -> Option<NodeId> {
        let Step::Key(key) = step else { return None };
        let node = self.push(Node::Map(Vec::new()));
        self.push_entry(at, key, node, any_case)?;
        Some(node)
    }

    fn put(
        &mut self,
        at: NodeId,
        step: &Step,
        value: NodeId,
        shared: bool,
        any_case: bool,
    ) -> Option<()> {
        if shared && let Some(old) = self.step_to(at, step, any_case) {
            let value = self.get(value).clone();
            self.index.remove(&old);
            *self.get_mut(old)? = value;
            return Some(());
        }
        let key = match step {
            Step::Key(key) => key,
            Step::Index(index) => {
                let Node::List(items) = self.get_mut(at)? else {
                    return None;
                };
                *items.get_mut(*index)? = Some(value);
                return Some(());
            }
        };
        let Some(slot) = self.position(at, key, any_case) else {
            return self.push_entry(at, key, value, any_case);
        };
        let Node::Map(entries) = self.get_mut(at)? else {
            return None;
        };
        entries.get_mut(slot)?.node = value;
        Some(())
    }

    /// Whether something was removed.
    fn remove(&mut self, at: NodeId, step: &Step, any_case: bool) -> bool {
        match step {
            Step::Key(key) => {
                let Some(slot) = self.position(at, key, any_case) else {
                    return false;
                };
                let Some(Node::Map(entries)) = self.nodes.get_mut(at as usize) else {
                    return false;
                };
                entries.swap_remove(slot);
                if let Some(table) = self.index.get_mut(&at) {
                    table.remove(&folded(key, any_case));
                    if let Some(moved) = entries.get(slot) {
                        table.insert(folded(&moved.key, any_case), slot);
                    }
                }
                true
            }
            Step::Index(index) => {
                let Some(Node::List(items)) = self.get_mut(at) else {
                    return false;
                };
                let item = items.get_mut(*index);
                item.is_some_and(|item| item.take().is_some())
            }
        }
    }

    fn rename(&mut self, at: NodeId, step: &Step, key: &str, any_case: bool) -> Option<()> {
        let Step::Key(old) = step else { return None };
        let slot = self.position(at, old, any_case)?;
        self.index.remove(&at);
        let Node::Map(entries) = self.get_mut(at)? else {
            return None;
        };
        entries.get_mut(slot)?.key = key.into();
        Some(())
    }

    /// Whether two documents mean the same. Without recursion; a pair of nodes is compared once.
    pub(crate) fn same(&self, id: NodeId, other: &Self, theirs: NodeId) -> bool {
        let mut seen = HashSet::new();
        let mut waiting = vec![(id, theirs)];
        while let Some((a, b)) = waiting.pop() {
            let equal = match (self.get(a), other.get(b)) {
                (Node::List(ours), Node::List(theirs)) => {
                    if !seen.insert((a, b)) {
                        continue;
                    }
                    let count = ours.iter().flatten().count();
                    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
                    waiting.extend(pairs.map(|(a, b)| (*a, *b)));
                    count == theirs.iter().flatten().count()
                }
                (Node::Map(ours), Node::Map(theirs)) => {
                    if !seen.insert((a, b)) {
                        continue;
                    }
                    same_maps(ours, theirs, &mut waiting)
                }
                (a, b) => same_scalars(a, b),
            };
            if !equal {
                return false;
            }
        }
        true
    }
}

/// Usually both are in the same order; a sorted copy finds what is not.
fn same_maps(ours: &[MapEntry], theirs: &[MapEntry], waiting: &mut Vec<(NodeId, NodeId)>) -> bool {
    if ours.len() != theirs.len() {
        return false;
    }
    if ours.iter().zip(theirs).all(|(a, b)| a.key == b.key) {
        waiting.extend(ours.iter().zip(theirs).map(|(a, b)| (a.node, b.node)));
        return true;
    }
    let sorted = |entries: &[MapEntry]| {
        let mut entries: Vec<_> = entries.iter().map(|e| (e.key.clone(), e.node)).collect();
        entries.sort();
        entries
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    waiting.extend(ours.iter().zip(&theirs).map(|(a, b)| (a.1, b.1)));
    ours.iter().zip(&theirs).all(|(a, b)| a.0 == b.0)
}

fn same_number(int: i64, float: f64) -> bool {
    int.unsigned_abs() < 1 << 53 && int as f64 == float
}

fn same_scalars(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::Int(a), Node::Int(b)) => a == b,
        (Node::Uint(a), Node::Uint(b)) => a == b,
        (Node::Float(a), Node::Float(b)) => a == b,
        (Node::Int(a), Node::Float(b)) | (Node::Float(b), Node::Int(a)) => same_number(*a, *b),
        (Node::String(a), Node::String(b)) => a == b,
        _ => false,
    }
}

impl Build for Tree {
    type Node = NodeId;

    fn null(&mut self, _: Span) -> NodeId {
        self.push(Node::Null)
    }
    fn bool(&mut self, value: bool, _: Span) -> NodeId {
        self.push(Node::Bool(value))
    }
    fn int(&mut self, value: i64, _: Span) -> NodeId {
        self.push(Node::Int(value))
    }
    fn uint(&mut self, value: u64, _: Span) -> NodeId {
        self.push(Node::Uint(value))
    }
    fn float(&mut self, value: f64, _: Span) -> NodeId {
        self.push(Node::Float(value))
    }
    fn string(&mut self, value: &str, _: Span) -> NodeId {
        self.push(Node::String(value.into()))
    }
    fn list(&mut self, items: &[NodeId], _: Span) -> NodeId {
        self.push(Node::List(items.iter().map(|item| Some(*item)).collect()))
    }
    fn map(&mut self, entries: &[Entry<'_, NodeId>], _: Span) -> NodeId {
        let entries = entries.iter().map(|entry| MapEntry {
            key: (&*entry.key).into(),
            node: entry.value,
            merged: entry.merged,
        });
        let entries = entries.collect();
        self.push(Node::Map(entries))
    }
}
