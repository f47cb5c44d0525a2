//! The operations, one by one. It leaves out how a route is followed (`plan`) and what must not
//! change by the way (`guard`).

use std::collections::HashSet;

use super::nested::{is_empty, nest, put_value, remove_value};
use super::{Change, Effect, End, Plan};
use crate::edit::layout::{Found, Kind, PlaceId};
use crate::edit::refusal::Refusal;
use crate::edit::tree::{Node, NodeId};
use crate::edit::value::Value;
use crate::edit::{Step, route_text, same_key};

impl Plan<'_> {
    pub(super) fn put(&mut self, id: PlaceId, value: Value) -> Result<Effect, Refusal> {
        let shared = self.guard_inside(id)?;
        self.guard_gone(id, false)?;
        let change = self.change(id);
        change.value = Some(value);
        change.added.clear();
        Ok(if shared {
            Effect::ChangesShared
        } else {
            Effect::Changes
        })
    }

    pub(super) fn append(
        &mut self,
        id: PlaceId,
        key: Option<String>,
        value: Value,
    ) -> Result<Effect, Refusal> {
        self.guard_inside(id)?;
        self.guard_form(id)?;
        self.change_by_appending(id, key, value);
        Ok(Effect::Changes)
    }

    pub(super) fn take(&mut self, id: PlaceId) -> Result<(), Refusal> {
        if let Some((parent, _)) = self.layout.get(id).and_then(|place| place.parent) {
            self.guard_inside(parent)?;
            self.guard_form(parent)?;
        }
        self.guard_gone(id, true)?;
        let change = self.change(id);
        *change = Change {
            removed: true,
            ..Change::default()
        };
        Ok(())
    }

    pub(super) fn set(&mut self, route: &[Step], value: &Value) -> Result<Effect, Refusal> {
        match self.walk(route, true)? {
            End::Place(id, node) => self.set_place(id, node, value),
            End::Null(id, depth) => self.put(id, nest(route, depth, value.clone())?),
            End::Removed(id, depth) => {
                let value = nest(route, depth, value.clone())?;
                self.change(id).removed = false;
                self.put(id, value)
            }
            End::Missing(id, depth) => {
                let Some(Step::Key(key)) = route.get(depth) else {
                    return Err(Refusal::Unsafe);
                };
                let value = nest(route, depth + 1, value.clone())?;
                self.append(id, Some(key.to_string()), value)
            }
            End::Value(id, depth) => self.in_value(id, None, route, depth, |at, rest| {
                put_value(at, rest, value, false)
            }),
            End::Added(id, index, depth) => {
                self.in_value(id, Some(index), route, depth, |at, rest| {
                    put_value(at, rest, value, false)
                })
            }
        }
    }

    /// Changes a value that an earlier operation brought in.
    pub(super) fn in_value(
        &mut self,
        id: PlaceId,
        added: Option<usize>,
        route: &[Step],
        depth: usize,
        change: impl FnOnce(&mut Value, &[Step]) -> Option<()>,
    ) -> Result<Effect, Refusal> {
        let shared = self.guard_inside(id)? && added.is_none();
        let gone = Refusal::Gone(route_text(route));
        let own = self.change(id);
        let value = match added {
            None => own.value.as_mut(),
            Some(index) => own.added.get_mut(index).map(|(_, value)| value),
        };
        let rest = route.get(depth..).unwrap_or_default();
        value.and_then(|value| change(value, rest)).ok_or(gone)?;
        Ok(if shared && depth == route.len() {
            Effect::ChangesShared
        } else {
            Effect::Changes
        })
    }

    /// Sets an existing value; of maps only the entries that differ, of lists what is gone
    /// and what is new.
    pub(super) fn set_place(
        &mut self,
        id: PlaceId,
        node: NodeId,
        value: &Value,
    ) -> Result<Effect, Refusal> {
        if self.touched.contains(&id) {
            return self.put(id, value.clone());
        }
        if self.tree.is(node, value) {
            return Ok(Effect::Nothing);
        }
        let kind = self.layout.get(id).map(|place| place.kind);
        let plain = !self.layout.merges(id) && self.guard_form(id).is_ok() && !self.has_twice(id);
        match (kind, value) {
            (Some(Kind::Map), Value::Map(wanted)) if plain && !wanted.is_empty() => {
                if self.guard_inside(id)? {
                    return self.put(id, value.clone());
                }
                self.set_map(id, node, wanted)
            }
            (Some(Kind::List), Value::List(wanted)) if plain && !wanted.is_empty() => {
                if self.guard_inside(id)? {
                    return self.put(id, value.clone());
                }
                self.set_list(id, node, wanted, value)
            }
            _ => self.put(id, value.clone()),
        }
    }

    pub(super) fn children(&self, id: PlaceId) -> Vec<PlaceId> {
        let children = self.layout.get(id).map(|place| place.children.as_slice());
        children
            .unwrap_or_default()
            .iter()
            .map(|child| child.place)
            .collect()
    }

    pub(super) fn set_map(
        &mut self,
        id: PlaceId,
        node: NodeId,
        wanted: &[(String, Value)],
    ) -> Result<Effect, Refusal> {
        let mut kept = HashSet::new();
        for (key, value) in wanted {
            match self.layout.find(id, key, false) {
                Found::Once(slot) => {
                    let child = self.layout.child(id, slot).map(|child| child.place);
                    let Some(child) = child else {
                        return Err(Refusal::Unsafe);
                    };
                    kept.insert(child);
                    let entry = self.tree.step(node, &Step::Key(key.as_str().into()), false);
                    self.set_place(child, entry.ok_or(Refusal::Unsafe)?, value)?;
                }
                _ => {
                    self.append(id, Some(key.clone()), value.clone())?;
                }
            }
        }
        for child in self.children(id) {
            if !kept.contains(&child) {
                self.take(child)?;
            }
        }
        Ok(Effect::Changes)
    }

    pub(super) fn set_list(
        &mut self,
        id: PlaceId,
        node: NodeId,
        wanted: &[Value],
        value: &Value,
    ) -> Result<Effect, Refusal> {
        let Node::List(items) = self.tree.get(node) else {
            return Err(Refusal::Unsafe);
        };
        // Which of the items stay: those that come in the same order.
        let mut matched = 0;
        let mut stays = Vec::with_capacity(items.len());
        for item in items {
            let same = wanted.get(matched).zip(*item);
            let same = same.is_some_and(|(value, item)| self.tree.is(item, value));
            matched += usize::from(same);
            stays.push(same);
        }
        if matched == 0 {
            return self.put(id, value.clone());
        }
        for (child, stays) in self.children(id).into_iter().zip(stays) {
            if !stays {
                self.take(child)?;
            }
        }
        for value in wanted.iter().skip(matched) {
            self.append(id, None, value.clone())?;
        }
        Ok(Effect::Changes)
    }

    pub(super) fn add(&mut self, route: &[Step], value: &Value) -> Result<Effect, Refusal> {
        let list = || Value::List(vec![value.clone()]);
        match self.walk(route, false)? {
            End::Place(id, node) => {
                let id = self.through(id, route, route.len())?;
                if matches!(self.tree.get(node), Node::Null) {
                    return self.put(id, list());
                }
                let Node::List(items) = self.tree.get(node) else {
                    return Err(self.kind(route, id, node, "a list"));
                };
                let children = self.children(id);
                let there = items.iter().zip(&children).any(|(item, child)| {
                    match self.changes.get(child) {
                        Some(change) if change.removed => false,
                        Some(Change {
                            value: Some(own), ..
                        }) => own == value,
                        _ => {
                            !self.touched.contains(child)
                                && item.is_some_and(|item| self.tree.is(item, value))
                        }
                    }
                });
                let added = self.changes.get(&id).map(|change| change.added.as_slice());
                let added = added.unwrap_or_default();
                if there || added.iter().any(|(_, own)| own == value) {
                    return Ok(Effect::Nothing);
                }
                self.append(id, None, value.clone())
            }
            End::Null(id, depth) => self.put(id, nest(route, depth, list())?),
            End::Removed(id, depth) => {
                let value = nest(route, depth, list())?;
                self.change(id).removed = false;
                self.put(id, value)
            }
            End::Missing(id, depth) => {
                let Some(Step::Key(key)) = route.get(depth) else {
                    return Err(Refusal::Unsafe);
                };
                let value = nest(route, depth + 1, list())?;
                self.append(id, Some(key.to_string()), value)
            }
            End::Value(id, depth) => self.in_value(id, None, route, depth, |at, rest| {
                put_value(at, rest, value, true)
            }),
            End::Added(id, index, depth) => {
                self.in_value(id, Some(index), route, depth, |at, rest| {
                    put_value(at, rest, value, true)
                })
            }
        }
    }

    pub(super) fn remove(&mut self, route: &[Step], prune: bool) -> Result<Effect, Refusal> {
        match self.walk(route, false) {
            Ok(End::Place(id, _)) => self.take_with_parents(id, prune),
            Ok(End::Value(id, depth)) if depth == route.len() => self.take_with_parents(id, prune),
            Ok(End::Value(id, depth)) => {
                match self.remove_inside(id, None, route, depth, prune)? {
                    true => self.take_with_parents(id, prune),
                    false => Ok(Effect::Changes),
                }
            }
            Ok(End::Added(id, index, depth)) => {
                let whole = depth == route.len()
                    || self.remove_inside(id, Some(index), route, depth, prune)?;
                if whole {
                    self.guard_inside(id)?;
                    self.change(id).added.remove(index);
                    let is_root = self.layout.get(id).is_none_or(|p| p.parent.is_none());
                    if prune && !is_root && self.emptied(id) {
                        return self.take_with_parents(id, prune);
                    }
                }
                Ok(Effect::Changes)
            }
            Ok(End::Missing(..) | End::Null(..) | End::Removed(..))
            | Err(Refusal::Missing(_) | Refusal::Kind { .. }) => Ok(Effect::Nothing),
            Err(refusal) => Err(refusal),
        }
    }

    /// Removes something in what an earlier operation brought in; whether that is empty now
    /// and has to go.
    pub(super) fn remove_inside(
        &mut self,
        id: PlaceId,
        added: Option<usize>,
        route: &[Step],
        depth: usize,
        prune: bool,
    ) -> Result<bool, Refusal> {
        let mut emptied = false;
        self.in_value(id, added, route, depth, |at, rest| {
            let removed = remove_value(at, rest, prune)?;
            emptied = removed && prune && is_empty(at);
            Some(())
        })?;
        Ok(emptied)
    }

    pub(super) fn take_with_parents(
        &mut self,
        id: PlaceId,
        prune: bool,
    ) -> Result<Effect, Refusal> {
        if self
            .layout
            .get(id)
            .is_none_or(|place| place.parent.is_none())
        {
            return Err(Refusal::NoRoute);
        }
        self.take(id)?;
        let mut at = id;
        while let (true, Some((parent, _))) =
            (prune, self.layout.get(at).and_then(|place| place.parent))
        {
            let is_root = self.layout.get(parent).is_none_or(|p| p.parent.is_none());
            if is_root || !self.emptied(parent) {
                break;
            }
            self.take(parent)?;
            at = parent;
        }
        Ok(Effect::Changes)
    }

    pub(super) fn emptied(&self, id: PlaceId) -> bool {
        let nothing = self
            .changes
            .get(&id)
            .is_none_or(|change| change.added.is_empty());
        let children = self.layout.get(id).map(|place| place.children.as_slice());
        nothing
            && children.unwrap_or_default().iter().all(|child| {
                let change = self.changes.get(&child.place);
                change.is_some_and(|change| change.removed)
            })
    }

    pub(super) fn replace(
        &mut self,
        route: &[Step],
        key: &str,
        value: Option<&Value>,
    ) -> Result<Effect, Refusal> {
        let (id, node) = match self.walk(route, false)? {
            End::Place(id, node) => (id, node),
            End::Missing(_, depth) if depth + 1 == route.len() => {
                return self.replaced_before(route, key, value);
            }
            End::Value(..) | End::Added(..) | End::Removed(..) => {
                return Err(Refusal::Gone(route_text(route)));
            }
            End::Missing(..) | End::Null(..) => return Err(Refusal::Missing(route_text(route))),
        };
        let parent = self.layout.get(id).and_then(|place| place.parent);
        let own = self
            .layout
            .own_child(id)
            .and_then(|child| child.key.as_ref());
        let (Some((map, _)), Some(own)) = (parent, own) else {
            return Err(Refusal::Missing(route_text(route)));
        };
        let untouched = !self.touched.contains(&id);
        let same_value = value.is_some_and(|value| untouched && self.tree.is(node, value));
        let mut effect = Effect::Nothing;
        if *own.text != *key {
            let same = same_key(&own.text, key, self.options.any_case);
            self.guard_free(map, key, same)?;
            self.guard_inside(map)?;
            self.guard_form(map)?;
            self.change(id).key = Some(key.to_owned());
            self.renamed
                .entry(map)
                .or_default()
                .push((key.to_owned(), id));
            effect = Effect::Changes;
        }
        if let Some(value) = value.filter(|_| !same_value) {
            self.put(id, value.clone())?;
            effect = Effect::Changes;
        }
        Ok(effect)
    }

    /// Nothing to do if the new entry already stands there.
    pub(super) fn replaced_before(
        &mut self,
        route: &[Step],
        key: &str,
        value: Option<&Value>,
    ) -> Result<Effect, Refusal> {
        let mut renamed = route.to_vec();
        renamed.pop();
        renamed.push(Step::Key(key.into()));
        let there = match self.walk(&renamed, false) {
            Ok(End::Place(id, node)) => {
                !self.touched.contains(&id) && value.is_none_or(|value| self.tree.is(node, value))
            }
            _ => false,
        };
        if there {
            return Ok(Effect::Nothing);
        }
        Err(Refusal::Missing(route_text(route)))
    }
}
