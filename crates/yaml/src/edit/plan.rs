//! From operations to what becomes of each place: replaced, removed, renamed, appended to.
//!
//! Routes mean the document as it was read, whatever earlier operations did. It leaves out
//! how the text changes (`block`, `flow`).

mod guard;
mod nested;
mod operations;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::layout::{Found, Kind, Layout, PlaceId};
use super::lines::Lines;
use super::refusal::Refusal;
use super::tree::{Node, NodeId, Tree};
use super::value::Value;
use super::{Operation, Options, Shared, Step, route_text, same_key};

/// What becomes of one place.
#[derive(Debug, Default, Clone)]
pub(crate) struct Change {
    /// what is written instead
    pub(crate) value: Option<Value>,
    /// the entry or item goes
    pub(crate) removed: bool,
    /// the entry gets this key
    pub(crate) key: Option<String>,
    /// what is written behind the last child, with keys in a map
    pub(crate) added: Vec<(Option<String>, Value)>,
}

/// What an operation does to the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Changes,
    /// the place has an anchor, its aliases change with it
    ChangesShared,
}

/// Where a route ends.
enum End {
    Place(PlaceId, NodeId),
    /// in what replaces this place; how many steps lead to it
    Value(PlaceId, usize),
    /// in what is appended to this place
    Added(PlaceId, usize, usize),
    /// this map lacks the key of this step
    Missing(PlaceId, usize),
    /// this place is empty, the step is the first into it
    Null(PlaceId, usize),
    /// this place is removed; the step is the first into it
    Removed(PlaceId, usize),
}

/// How to take one change back.
#[derive(Debug)]
enum Undo {
    /// as the change was before, if there was one
    Whole(PlaceId, Option<Change>),
    /// one was appended
    Append(PlaceId),
}

/// Up to here looking at each key is cheaper than a table.
const FEW: usize = 16;

#[derive(Debug)]
pub(crate) struct Plan<'t> {
    pub(crate) layout: Layout<'t>,
    pub(crate) tree: Tree,
    pub(crate) lines: Lines<'t>,
    root: NodeId,
    /// 1-based line of the file on which the document begins
    first_line: u32,
    options: Options,
    pub(crate) changes: BTreeMap<PlaceId, Change>,
    /// places with a change in or below them
    touched: HashSet<PlaceId>,
    /// keys that entries get, by map
    renamed: HashMap<PlaceId, Vec<(String, PlaceId)>>,
    /// places with an anchor that is used, by where they begin
    anchors: Vec<(u32, PlaceId)>,
    /// maps and lists by where their text begins, once it was asked for
    starts: HashMap<u32, PlaceId>,
    /// what the running operation changes besides
    shared: Vec<Shared>,
    /// what to put back if the running operations fail
    undo: Vec<Undo>,
    /// keys of what is appended to a map, and how many of them are known here
    added: HashMap<PlaceId, (usize, HashMap<String, usize>)>,
}

impl<'t> Plan<'t> {
    pub(crate) fn new(
        layout: Layout<'t>,
        tree: Tree,
        root: NodeId,
        lines: Lines<'t>,
        first_line: u32,
        options: Options,
    ) -> Self {
        let used = layout.uses.keys();
        let mut anchors: Vec<_> = used
            .filter_map(|id| layout.get(*id).map(|place| (place.span.start, *id)))
            .collect();
        anchors.sort_unstable();
        Plan {
            layout,
            tree,
            lines,
            root,
            first_line,
            options,
            changes: BTreeMap::new(),
            touched: HashSet::new(),
            renamed: HashMap::new(),
            anchors,
            starts: HashMap::new(),
            shared: Vec::new(),
            undo: Vec::new(),
            added: HashMap::new(),
        }
    }

    /// Plans operations, all or none of them; what each does, and what changes besides.
    pub(crate) fn apply(
        &mut self,
        operations: &[Operation],
    ) -> Result<(Vec<Effect>, Vec<Shared>), Refusal> {
        self.undo.clear();
        self.shared.clear();
        let effects = operations.iter().map(|op| self.operation(op));
        match effects.collect() {
            Ok(effects) => {
                self.shared.sort();
                self.shared.dedup();
                Ok((effects, std::mem::take(&mut self.shared)))
            }
            Err(refusal) => {
                for undo in std::mem::take(&mut self.undo).into_iter().rev() {
                    self.take_back(undo);
                }
                Err(refusal)
            }
        }
    }

    /// The steps to the map or list whose text begins at an offset.
    pub(crate) fn route_to(&mut self, at: u32) -> Option<Vec<Step>> {
        if self.starts.is_empty() {
            for (id, place) in self.layout.places.iter().enumerate() {
                if matches!(place.kind, Kind::Map | Kind::List) {
                    self.starts.insert(place.span.start, id as PlaceId);
                }
            }
        }
        let id = *self.starts.get(&at)?;
        Some(self.steps_to(id))
    }

    /// 1-based line of the file.
    pub(crate) fn line(&self, at: u32) -> u32 {
        self.first_line + self.lines.number(at as usize) as u32
    }

    fn place_line(&self, id: PlaceId) -> u32 {
        self.line(self.layout.get(id).map_or(0, |place| place.span.start))
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Whole(id, before) => {
                self.added.remove(&id);
                match before {
                    Some(change) => self.changes.insert(id, change),
                    None => self.changes.remove(&id),
                };
            }
            Undo::Append(id) => {
                self.added.remove(&id);
                if let Some(change) = self.changes.get_mut(&id) {
                    change.added.pop();
                }
            }
        }
    }

    fn touch(&mut self, id: PlaceId) {
        let mut at = Some(id);
        while let Some(place) = at {
            if !self.touched.insert(place) {
                break;
            }
            at = self.layout.get(place).and_then(|p| p.parent).map(|p| p.0);
        }
    }

    fn change(&mut self, id: PlaceId) -> &mut Change {
        let before = self.changes.get(&id).cloned();
        self.undo.push(Undo::Whole(id, before));
        self.added.remove(&id);
        self.touch(id);
        self.changes.entry(id).or_default()
    }

    fn change_by_appending(&mut self, id: PlaceId, key: Option<String>, value: Value) {
        self.undo.push(Undo::Append(id));
        self.touch(id);
        self.changes.entry(id).or_default().added.push((key, value));
    }

    /// Which of the entries that are appended to a map has a key.
    fn find_added(&mut self, map: PlaceId, key: &str) -> Option<usize> {
        let any_case = self.options.any_case;
        let added = &self.changes.get(&map)?.added;
        if added.len() <= FEW {
            let same = |own: &Option<String>| {
                let own = own.as_deref();
                own.is_some_and(|own| same_key(own, key, any_case))
            };
            return added.iter().position(|(own, _)| same(own));
        }
        let folded = |key: &str| {
            if any_case {
                key.to_ascii_lowercase()
            } else {
                key.to_owned()
            }
        };
        let (known, table) = self.added.entry(map).or_default();
        for (at, (own, _)) in added.iter().enumerate().skip(*known) {
            if let Some(own) = own {
                table.entry(folded(own)).or_insert(at);
            }
        }
        *known = added.len();
        table.get(&folded(key)).copied()
    }

    fn operation(&mut self, operation: &Operation) -> Result<Effect, Refusal> {
        let route = operation.route();
        if route.is_empty() {
            return Err(Refusal::NoRoute);
        }
        if let Operation::Set { value, .. }
        | Operation::Add { value, .. }
        | Operation::Replace { value, .. } = operation
            && let Some(fault) = value.fault(0)
        {
            return Err(Refusal::Value(fault));
        }
        match operation {
            Operation::Set { value, .. } => self.set(route, value),
            Operation::Add { value, .. } => self.add(route, value),
            Operation::Remove { prune, .. } => self.remove(route, *prune),
            Operation::Rename { key, .. } => self.replace(route, key, None),
            Operation::Replace { key, value, .. } => self.replace(route, key, Some(value)),
            // The whole text is needed for it.
            Operation::Nest { .. } => Err(Refusal::Unsafe),
        }
    }

    /// Follows a route. With `whole` its end is replaced as a whole, whatever a merge key says.
    fn walk(&mut self, route: &[Step], whole: bool) -> Result<End, Refusal> {
        let (Some(mut at), mut node) = (self.layout.root, self.root) else {
            return Err(Refusal::Empty);
        };
        for (depth, step) in route.iter().enumerate() {
            let change = self.changes.get(&at);
            if change.is_some_and(|change| change.value.is_some()) {
                return Ok(End::Value(at, depth));
            }
            at = self.through(at, route, depth)?;
            let passed = route.get(..depth).unwrap_or_default();
            let kind = self.layout.get(at).map(|place| place.kind);
            match (kind, step) {
                (Some(Kind::Map), Step::Key(key)) => {
                    let slot = match self.layout.find(at, key, self.options.any_case) {
                        Found::Once(slot) => slot,
                        Found::Twice(first, again) => {
                            return Err(Refusal::Twice {
                                key: key.to_string(),
                                first: self.line(first),
                                again: self.line(again),
                            });
                        }
                        Found::Nothing => return self.missing(at, node, route, depth, whole),
                    };
                    let Some(next) = self.layout.child(at, slot).map(|child| child.place) else {
                        return Err(Refusal::Unsafe);
                    };
                    node = self.entry(at, node, slot, step, route)?;
                    let change = self.changes.get(&next);
                    if change.is_some_and(|change| change.key.is_some()) {
                        return Err(Refusal::Gone(self.text(route, depth + 1)));
                    }
                    if change.is_some_and(|change| change.removed) {
                        return Ok(End::Removed(next, depth + 1));
                    }
                    at = next;
                }
                (Some(Kind::List), Step::Index(index)) => {
                    let child = self
                        .layout
                        .child(at, u32::try_from(*index).unwrap_or(u32::MAX));
                    let Some(next) = child.map(|child| child.place) else {
                        return Err(Refusal::Missing(self.text(route, depth + 1)));
                    };
                    if self.changes.get(&next).is_some_and(|change| change.removed) {
                        return Err(Refusal::Gone(self.text(route, depth + 1)));
                    }
                    let item = self.tree.step(node, step, false);
                    node = item.ok_or(Refusal::Unsafe)?;
                    at = next;
                }
                _ if matches!(self.tree.get(node), Node::Null) => {
                    return Ok(End::Null(at, depth));
                }
                _ => {
                    let wanted = match step {
                        Step::Key(_) => "a map",
                        Step::Index(_) => "a list",
                    };
                    return Err(self.kind(passed, at, node, wanted));
                }
            }
        }
        if self
            .changes
            .get(&at)
            .is_some_and(|change| change.value.is_some())
        {
            return Ok(End::Value(at, route.len()));
        }
        Ok(End::Place(at, node))
    }

    fn text(&self, route: &[Step], depth: usize) -> String {
        route_text(route.get(..depth).unwrap_or(route))
    }

    fn kind(&self, route: &[Step], at: PlaceId, node: NodeId, wanted: &'static str) -> Refusal {
        Refusal::Kind {
            route: route_text(route),
            found: match self.tree.get(node) {
                Node::Null => "empty",
                Node::Bool(_) => "a boolean",
                Node::Int(_) | Node::Uint(_) | Node::Float(_) => "a number",
                Node::String(_) => "a string",
                Node::List(_) => "a list",
                Node::Map(_) => "a map",
            },
            wanted,
            line: self.place_line(at),
        }
    }

    /// The place to step into: the anchor's if an alias stands there and that is wanted.
    fn through(&mut self, at: PlaceId, route: &[Step], depth: usize) -> Result<PlaceId, Refusal> {
        let Some(Kind::Alias(target)) = self.layout.get(at).map(|place| place.kind) else {
            return Ok(at);
        };
        let Some(target) = target else {
            return Err(Refusal::Form {
                what: "this alias means a key",
                line: self.place_line(at),
            });
        };
        if self.options.follow {
            return Ok(target);
        }
        Err(Refusal::Alias {
            route: self.text(route, depth),
            anchor: self.anchor_name(target),
            line: self.place_line(at),
            defined: self.anchor_line(target),
        })
    }

    /// The value of an entry that is written in the map, unless a merge key overrides it.
    fn entry(
        &self,
        map: PlaceId,
        node: NodeId,
        slot: u32,
        step: &Step,
        route: &[Step],
    ) -> Result<NodeId, Refusal> {
        let Node::Map(entries) = self.tree.get(node) else {
            return Err(Refusal::Unsafe);
        };
        let own = self
            .layout
            .child(map, slot)
            .and_then(|child| child.key.as_ref());
        let own = own.map(|key| &*key.text);
        // Without merge and double keys both are in the same order.
        let entry = match entries.get(slot as usize) {
            Some(entry) if Some(&*entry.key) == own => Some(entry),
            _ => entries.iter().find(|entry| Some(&*entry.key) == own),
        };
        match entry {
            Some(entry) if entry.merged => Err(self.merged(map, step, route)),
            Some(entry) => Ok(entry.node),
            None => Err(Refusal::Unsafe),
        }
    }

    fn merged(&self, map: PlaceId, step: &Step, route: &[Step]) -> Refusal {
        let depth = route.iter().position(|other| std::ptr::eq(other, step));
        let children = self.layout.get(map).map(|place| place.children.as_slice());
        let merge = children.unwrap_or_default().iter().find(|child| {
            let key = child.key.as_ref();
            key.is_some_and(|key| key.merge)
        });
        Refusal::Merged {
            route: self.text(route, depth.map_or(route.len(), |depth| depth + 1)),
            line: self.line(merge.map_or(0, |child| child.lead)),
        }
    }

    /// A key that is not written in the map.
    fn missing(
        &mut self,
        map: PlaceId,
        node: NodeId,
        route: &[Step],
        depth: usize,
        whole: bool,
    ) -> Result<End, Refusal> {
        let any_case = self.options.any_case;
        let Some(step @ Step::Key(key)) = route.get(depth) else {
            return Err(Refusal::Unsafe);
        };
        let added = self.find_added(map, key);
        if let Some(index) = added {
            return Ok(End::Added(map, index, depth + 1));
        }
        if self.renamed_to(map, key, any_case) {
            return Err(Refusal::Gone(self.text(route, depth + 1)));
        }
        let last = depth + 1 == route.len();
        // A whole value may be set beside the merge key: what stands below it counts.
        let merges = self.layout.merges(map);
        if merges && (!whole || !last) && self.tree.step(node, step, any_case).is_some() {
            return Err(self.merged(map, step, route));
        }
        Ok(End::Missing(map, depth))
    }
}
