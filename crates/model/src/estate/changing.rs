//! An estate whose resources come and go, at a cost that grows with those that do.
//!
//! Its order is that of addresses, and a resource keeps its number as long as it is there. Namespaces that are only
//! named come last, by their names, as if they had been implied in the end.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use cel::Symbols;

use super::{Estate, Scope, address, index_name, namespace_of};
use crate::kinds::Kind;
use crate::resource::{Resource, ResourceRef};

/// What lies at an address from now on; nothing where it is gone.
#[derive(Debug)]
pub struct Change {
    /// The address: what is there has it as its path.
    pub address: Arc<str>,
    /// What is there, each with a number that nothing else has, ascending.
    pub resources: Vec<(ResourceRef, Resource)>,
}

/// Who comes before whom.
#[derive(Clone, Copy)]
pub(super) struct Ranks<'e> {
    pub(super) slots: &'e [Option<Resource>],
    pub(super) by_address: bool,
}

impl<'e> Ranks<'e> {
    fn key(&self, id: ResourceRef) -> (bool, &'e str) {
        let resource = self.slots.get(id.0 as usize).and_then(Option::as_ref);
        match resource {
            Some(resource) if resource.implied => (true, &resource.name.name),
            Some(resource) => (false, &resource.origin.path),
            None => (true, ""),
        }
    }

    pub(super) fn compare(&self, one: ResourceRef, other: ResourceRef) -> Ordering {
        if self.by_address {
            let keys = self.key(one).cmp(&self.key(other));
            keys.then(one.cmp(&other))
        } else {
            one.cmp(&other)
        }
    }

    /// Puts a number where it belongs in a list, once.
    pub(super) fn enlist(&self, list: &mut Vec<ResourceRef>, id: ResourceRef) {
        if list
            .last()
            .is_none_or(|last| self.compare(*last, id).is_lt())
        {
            list.push(id);
        } else if let Err(at) = list.binary_search_by(|other| self.compare(*other, id)) {
            list.insert(at, id);
        }
    }

    /// Takes a number out whose resource is still there.
    pub(super) fn delist(&self, list: &mut Vec<ResourceRef>, id: ResourceRef) {
        if let Ok(at) = list.binary_search_by(|other| self.compare(*other, id)) {
            list.remove(at);
        }
    }
}

impl Estate {
    /// An empty estate whose resources come and go.
    #[must_use]
    pub fn by_address(scope: Scope) -> Self {
        Self {
            by_address: true,
            ..Self::new(scope)
        }
    }

    pub(super) fn ranks(&self) -> Ranks<'_> {
        Ranks {
            slots: &self.slots,
            by_address: self.by_address,
        }
    }

    /// What lies at an address, and the namespace that stands there because what lies there names it first. Of an
    /// estate whose resources come and go.
    #[must_use]
    pub fn at(&self, address: &str) -> Vec<&Resource> {
        let from = self
            .order
            .partition_point(|id| self.ranks().key(*id) < (false, address));
        let rest = self.order.get(from..).unwrap_or_default().iter();
        let mut found: Vec<&Resource> = rest
            .map_while(|id| self.get(*id))
            .take_while(|own| !own.implied && *own.origin.path == *address)
            .collect();
        let namespaces = found.iter().filter_map(|own| own.name.namespace.as_deref());
        let namespaces: BTreeSet<&str> = namespaces.collect();
        for namespace in namespaces {
            let implied = self.implied_namespace(namespace);
            let implied = implied.and_then(|id| self.get(id));
            found.extend(implied.filter(|own| *own.origin.path == *address));
        }
        found
    }

    /// Makes changes. `number` gives a number to a namespace that is only named, always the same. The addresses at
    /// which something may be another.
    pub fn change(
        &mut self,
        changes: Vec<Change>,
        symbols: &Symbols,
        mut number: impl FnMut(&str) -> ResourceRef,
    ) -> BTreeSet<Arc<str>> {
        let mut addresses = BTreeSet::new();
        let mut namespaces: BTreeSet<Box<str>> = BTreeSet::new();
        let mut note = |resource: &Resource| {
            if let Kind::Kubernetes { .. } = resource.name.kind {
                let named = resource.name.namespace.clone();
                let own = Some(&resource.name.name);
                let own = own.filter(|_| resource.name.kind.is("Namespace"));
                namespaces.extend(named.or_else(|| own.cloned()));
            }
        };
        // Numbers of what goes may be given to what comes.
        for change in &changes {
            while let Some(id) = self.first_at(&change.address) {
                if let Some(gone) = self.take(id) {
                    note(&gone);
                }
            }
        }
        for change in changes {
            for (id, resource) in change.resources {
                note(&resource);
                self.put(id, resource);
            }
            addresses.insert(change.address);
        }
        for namespace in namespaces {
            let own = self.implied_namespace(&namespace);
            if let Some(gone) = own.and_then(|id| self.take(id)) {
                addresses.insert(gone.origin.path);
            }
            if !namespace.is_empty()
                && self.find("", "Namespace", &namespace).is_none()
                && let Some(witness) = self.first_in(&namespace)
                && let Some(implied) = self.implied(symbols, namespace.clone(), witness)
            {
                addresses.insert(Arc::clone(&implied.origin.path));
                self.put(number(&namespace), implied);
            }
        }
        addresses
    }

    fn first_at(&self, address: &str) -> Option<ResourceRef> {
        let ranks = self.ranks();
        let at = self
            .order
            .partition_point(|id| ranks.key(*id) < (false, address));
        let id = *self.order.get(at)?;
        (ranks.key(id) == (false, address)).then_some(id)
    }

    /// The first object of a namespace.
    fn first_in(&self, namespace: &str) -> Option<ResourceRef> {
        let kinds = self.by_namespace.get(namespace)?.values();
        let firsts = kinds.filter_map(|ids| ids.first().copied());
        let of_cluster = |id: &ResourceRef| {
            self.get(*id)
                .is_some_and(|own| matches!(own.name.kind, Kind::Kubernetes { .. }))
        };
        firsts
            .filter(of_cluster)
            .min_by(|one, other| self.ranks().compare(*one, *other))
    }

    fn implied_namespace(&self, name: &str) -> Option<ResourceRef> {
        let all = self
            .by_name
            .all(&(Box::default(), "Namespace".into(), name.into()));
        let implied = |id: &ResourceRef| self.get(*id).is_some_and(|own| own.implied);
        all.iter().copied().find(implied)
    }

    fn put(&mut self, id: ResourceRef, resource: Resource) {
        let at = id.0 as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        let kind: Box<str> = index_name(&resource.name.kind).into();
        let namespace: Box<str> = namespace_of(&resource).into();
        let name = resource.name.name.clone();
        if resource.azure.is_some() {
            self.azure_links = OnceLock::new();
        }
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        *slot = Some(resource);
        let ranks = Ranks {
            slots: &self.slots,
            by_address: self.by_address,
        };
        ranks.enlist(&mut self.order, id);
        ranks.enlist(self.by_kind.entry(kind.clone()).or_default(), id);
        let of_namespace = self.by_namespace.entry(namespace.clone()).or_default();
        ranks.enlist(of_namespace.entry(kind.clone()).or_default(), id);
        let full = (namespace, kind, name);
        self.by_name
            .put(full, id, |others| ranks.enlist(others, id));
        let Some(resource) = self.slots.get(at).and_then(Option::as_ref) else {
            return;
        };
        if let Some(links) = self.links.get_mut() {
            links.put(ranks, id, resource);
        }
        if let Some(holders) = self.holders.get_mut() {
            let here = holders.entry(address(&resource.doc)).or_default();
            ranks.enlist(here, id);
        }
    }

    fn take(&mut self, id: ResourceRef) -> Option<Resource> {
        let at = id.0 as usize;
        let resource = self.slots.get(at)?.as_ref()?;
        let kind: Box<str> = index_name(&resource.name.kind).into();
        let namespace: Box<str> = namespace_of(resource).into();
        let ranks = Ranks {
            slots: &self.slots,
            by_address: self.by_address,
        };
        ranks.delist(&mut self.order, id);
        if let Some(own) = self.by_kind.get_mut(&kind) {
            ranks.delist(own, id);
            if own.is_empty() {
                self.by_kind.remove(&kind);
            }
        }
        if let Some(kinds) = self.by_namespace.get_mut(&namespace) {
            if let Some(own) = kinds.get_mut(&kind) {
                ranks.delist(own, id);
                if own.is_empty() {
                    kinds.remove(&kind);
                }
            }
            if kinds.is_empty() {
                self.by_namespace.remove(&namespace);
            }
        }
        self.by_name
            .take((namespace, kind, resource.name.name.clone()), id);
        if let Some(links) = self.links.get_mut() {
            links.take(ranks, id, resource);
        }
        if let Some(holders) = self.holders.get_mut() {
            let key = address(&resource.doc);
            if let Some(here) = holders.get_mut(&key) {
                ranks.delist(here, id);
                if here.is_empty() {
                    holders.remove(&key);
                }
            }
        }
        if resource.azure.is_some() {
            self.azure_links = OnceLock::new();
        }
        self.slots.get_mut(at)?.take()
    }
}
