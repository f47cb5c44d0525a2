//! Ids of what a plan makes, and references by them.

use std::collections::BTreeMap;

use bicep::value::Why;

use super::{Found, MAX_LEVELS, Plan};
use crate::identity::{self, Piece};
use crate::output::Resource;
use crate::table::Id;
use crate::value::{Data, Entry, Unknown, Val, reasons};

impl<'a> Plan<'a, '_> {
    /// Composes ids, again until those that hang on others are there too.
    pub(super) fn finish(mut self) -> Vec<Resource<'a>> {
        let mut ids: BTreeMap<String, Piece<'a>> = BTreeMap::new();
        for _ in 0..MAX_LEVELS {
            let before = ids.len();
            for found in &self.found {
                if ids.contains_key(found.resource.address) {
                    continue;
                }
                if let Some(id) = self.id(found, &ids) {
                    ids.insert(found.resource.address.to_owned(), id);
                }
            }
            if ids.len() == before {
                break;
            }
        }
        let mut resources = Vec::with_capacity(self.found.len());
        for found in std::mem::take(&mut self.found) {
            let body = self.linked(&found.body, &ids, 0);
            let id = ids.get(found.resource.address);
            resources.push(Resource {
                id: id.map(|id| &*self.arena.alloc_str(&id.text)),
                body: self.out.value(&body),
                ..found.resource
            });
        }
        resources
    }

    pub(super) fn id(
        &self,
        found: &Found<'a>,
        ids: &BTreeMap<String, Piece<'a>>,
    ) -> Option<Piece<'a>> {
        let open = std::cell::Cell::new(false);
        let get = |name: &str| {
            let value = found.body.get(name).filter(|value| !value.is_null())?;
            let linked = self.linked(&value, ids, 0);
            let waits = linked
                .unknown()
                .is_some_and(|unknown| unknown.text.ends_with(".id") && !unknown.partial);
            let target = linked
                .unknown()
                .and_then(|unknown| unknown.text.rsplit_once('.'));
            if waits && target.is_some_and(|(address, _)| self.kinds.contains_key(address)) {
                open.set(true);
            }
            Piece::of_val(&linked)
        };
        let known = match found.body.get("id").map(|id| id.data) {
            Some(Data::Str(id)) if id.starts_with('/') => Some(Piece {
                text: id.to_owned(),
                why: Vec::new(),
            }),
            _ => None,
        };
        let resource = &found.resource;
        let id = known.or_else(|| {
            if resource.kind.starts_with("azapi_") {
                return identity::azapi(self.arena, resource.address, &get);
            }
            let kind = self.table.kinds.get(resource.kind)?;
            if matches!(kind.id, Id::PatchNamed(_)) {
                return None;
            }
            identity::id(self.arena, kind, resource.address, resource.provider, &get)
        });
        id.filter(|_| !open.get())
    }

    /// A value whose references are ids.
    pub(super) fn linked(
        &self,
        value: &Val<'a>,
        ids: &BTreeMap<String, Piece<'a>>,
        depth: usize,
    ) -> Val<'a> {
        if depth > crate::value::MAX_DEPTH {
            return *value;
        }
        let data = match value.data {
            Data::Unknown(unknown) => {
                let found = unknown
                    .text
                    .rsplit_once('.')
                    .and_then(|(address, name)| Some((ids.get(address)?, address, name)));
                match found {
                    Some((id, address, name)) if self.holds_id(address, name) => {
                        id.clone().id(self.arena)
                    }
                    _ => {
                        let mut address = unknown.text;
                        let mut owned = None;
                        while let Some((before, _)) = address.rsplit_once('.') {
                            address = before;
                            owned = owned.or_else(|| ids.get(address));
                        }
                        match owned {
                            Some(id) => {
                                let why = vec![Why::Reference(self.arena.alloc_str(&id.text))];
                                Data::Unknown(self.arena.alloc(Unknown {
                                    why: reasons(self.arena, why),
                                    ..*unknown
                                }))
                            }
                            None => value.data,
                        }
                    }
                }
            }
            Data::Seq(kind, items) => {
                let items: Vec<Val<'a>> = items
                    .iter()
                    .map(|item| self.linked(item, ids, depth + 1))
                    .collect();
                Data::Seq(kind, self.arena.alloc_slice_copy(&items))
            }
            Data::Map(kind, entries) => {
                let entries: Vec<Entry<'a>> = entries
                    .iter()
                    .map(|entry| Entry {
                        value: self.linked(&entry.value, ids, depth + 1),
                        ..*entry
                    })
                    .collect();
                Data::Map(kind, self.arena.alloc_slice_copy(&entries))
            }
            data => data,
        };
        Val { data, ..*value }
    }

    /// Whether an attribute holds the id in Azure.
    pub(super) fn holds_id(&self, address: &str, name: &str) -> bool {
        let kind = self.kinds.get(address);
        let kind = kind.and_then(|kind| self.table.kinds.get(*kind));
        name == kind.map_or("id", |kind| kind.attribute.as_str())
    }
}
