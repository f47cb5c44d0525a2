//! Values that nobody wrote, added to a document that was read: what the API fills in, what
//! makes a resource of a part of another. They stand nowhere: their span is empty.

use cel::Symbol;
use yaml::Span;

use super::{Doc, Kind, MapEntry, Node};
use crate::value::Ref;

impl Doc {
    /// A value by its bare number.
    pub(crate) fn ref_at(&self, id: u32) -> Ref<'_> {
        Ref { doc: self, id }
    }

    fn add(&mut self, kind: Kind, a: u32, b: u32) -> u32 {
        let id = self.nodes.len() as u32;
        self.nodes.push(Node {
            kind,
            a,
            b,
            span: Span::default(),
        });
        id
    }

    pub(crate) fn add_bool(&mut self, value: bool) -> u32 {
        self.add(if value { Kind::True } else { Kind::False }, 0, 0)
    }

    pub(crate) fn add_int(&mut self, value: i64) -> u32 {
        self.add(Kind::Int, ((value as u64) >> 32) as u32, value as u32)
    }

    pub(crate) fn add_text(&mut self, value: &str) -> u32 {
        let (a, b) = Self::keep_extra(&mut self.extra, value);
        self.add(Kind::Str, a, b)
    }

    pub(crate) fn add_list(&mut self, items: &[u32]) -> u32 {
        let start = self.items.len() as u32;
        self.items.extend(items.iter().copied());
        self.add(Kind::List, start, items.len() as u32)
    }

    pub(crate) fn add_undocumented(&mut self) -> u32 {
        self.add(Kind::Undocumented, 0, 0)
    }

    pub(crate) fn empty_map(&mut self) -> u32 {
        let start = self.entries.len() as u32;
        self.add(Kind::Map, start, 0)
    }

    /// Puts a value under a key of a map, in place of what stands there.
    pub(crate) fn insert(&mut self, map: u32, symbol: Symbol, key: &str, value: u32) {
        let mut node = self.at(map);
        if node.kind != Kind::Map {
            return;
        }
        let mut entries = self.map_entries(node).to_vec();
        match entries
            .iter_mut()
            .find(|entry| self.string(entry.key.0, entry.key.1) == key)
        {
            Some(entry) => entry.value = value,
            None => {
                let key = Self::keep_extra(&mut self.extra, key);
                entries.push(MapEntry {
                    symbol,
                    key,
                    key_span: Span::default(),
                    value,
                });
            }
        }
        node.a = self.entries.len() as u32;
        node.b = entries.len() as u32;
        self.entries.extend(entries);
        if let Some(slot) = self.nodes.get_mut(map as usize) {
            *slot = node;
        }
        self.parents.take();
    }

    /// Puts a text under a key, with the place of what it replaces. An open one has its
    /// open parts in braces.
    pub(crate) fn replace_text(
        &mut self,
        map: u32,
        symbol: Symbol,
        key: &str,
        text: &str,
        open: bool,
    ) {
        let place = self
            .ref_at(map)
            .get(key)
            .map_or_else(Span::default, Ref::span);
        let value = self.add_text(text);
        if let Some(node) = self.nodes.get_mut(value as usize) {
            node.span = place;
            if open {
                node.kind = Kind::OpenText;
            }
        }
        self.insert(map, symbol, key, value);
    }

    /// A copy of a map that shares its values and its place.
    pub(crate) fn copy_map(&mut self, map: u32) -> u32 {
        let node = self.at(map);
        let entries = self.map_entries(node).to_vec();
        let start = self.entries.len() as u32;
        let count = entries.len() as u32;
        self.entries.extend(entries);
        let copy = self.add(Kind::Map, start, count);
        if let Some(slot) = self.nodes.get_mut(copy as usize) {
            slot.span = node.span;
        }
        copy
    }

    /// A map that holds another one under a key, and more beside it; it stands where the inner
    /// one does.
    pub(crate) fn wrap(
        &mut self,
        inner: u32,
        symbol: Symbol,
        key: &str,
        beside: &[(Symbol, &str, u32)],
    ) -> u32 {
        let outer = self.empty_map();
        if let Some(span) = self.nodes.get(inner as usize).map(|node| node.span)
            && let Some(slot) = self.nodes.get_mut(outer as usize)
        {
            slot.span = span;
        }
        for (symbol, key, value) in beside {
            self.insert(outer, *symbol, key, *value);
        }
        self.insert(outer, symbol, key, inner);
        outer
    }
}
