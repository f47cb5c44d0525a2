//! Resources by their full name. Nearly every name is that of one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::resource::ResourceRef;

/// Namespace, kind and name.
pub(super) type FullName = (Box<str>, Box<str>, Box<str>);

/// Who has a name, in the order of the estate.
#[derive(Debug)]
enum Bearers {
    One(ResourceRef),
    /// More than one.
    Many(Vec<ResourceRef>),
}

#[derive(Debug, Default)]
pub(super) struct Named(HashMap<FullName, Bearers>);

impl Named {
    /// Adds the last of those that have a name.
    pub(super) fn add(&mut self, name: FullName, id: ResourceRef) {
        self.put(name, id, |others| others.push(id));
    }

    /// Adds one; `how` does where others have the name.
    pub(super) fn put(
        &mut self,
        name: FullName,
        id: ResourceRef,
        how: impl FnOnce(&mut Vec<ResourceRef>),
    ) {
        match self.0.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(Bearers::One(id));
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Bearers::Many(others) => how(others),
                Bearers::One(other) => {
                    let mut others = vec![*other];
                    how(&mut others);
                    entry.insert(Bearers::Many(others));
                }
            },
        }
    }

    pub(super) fn take(&mut self, name: FullName, id: ResourceRef) {
        let Entry::Occupied(mut entry) = self.0.entry(name) else {
            return;
        };
        match entry.get_mut() {
            Bearers::One(own) => {
                if *own == id {
                    entry.remove();
                }
            }
            Bearers::Many(others) => {
                others.retain(|other| *other != id);
                if let [last] = others.as_slice() {
                    let last = *last;
                    entry.insert(Bearers::One(last));
                }
            }
        }
    }

    /// The first that has a name.
    pub(super) fn first(&self, name: &FullName) -> Option<ResourceRef> {
        match self.0.get(name)? {
            Bearers::One(id) => Some(*id),
            Bearers::Many(others) => others.first().copied(),
        }
    }

    pub(super) fn all(&self, name: &FullName) -> &[ResourceRef] {
        match self.0.get(name) {
            None => &[],
            Some(Bearers::One(id)) => std::slice::from_ref(id),
            Some(Bearers::Many(others)) => others,
        }
    }
}
