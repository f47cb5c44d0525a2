//! Joins along labels, names and bindings, made when a guideline first asks for them and kept as resources come and
//! go.

use std::collections::HashMap;

use super::changing::Ranks;
use super::selector::{first_label, label_key, pod_labels, selector};
use super::{Estate, namespace_of};
use crate::references;
use crate::resource::{Resource, ResourceRef};
use crate::value::Ref;

/// Namespace, one of a few known kinds, and a name or label.
pub(super) type Named = (Box<str>, &'static str, Box<str>);

/// Who is linked, in the order of the estate.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// selector objects by namespace, kind, and one label they need (empty: none needed)
    pub(super) selectors: HashMap<Named, Vec<ResourceRef>>,
    /// workloads by namespace and each of their labels, whoever made them
    pub(super) labelled: HashMap<(Box<str>, Box<str>), Vec<ResourceRef>>,
    /// who refers to (namespace, kind, name)
    pub(super) used_by: HashMap<Named, Vec<ResourceRef>>,
    /// bindings by the role or account they name
    pub(super) bound_by: HashMap<Named, Vec<ResourceRef>>,
}

/// The kinds whose selectors match pods.
pub(super) const SELECTORS: [&str; 3] = ["Service", "NetworkPolicy", "PodDisruptionBudget"];

/// Kinds whose users are recorded.
pub(super) const USED: [&str; 4] = [
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "PersistentVolumeClaim",
];

/// Where a resource is found.
enum Key {
    Selects(Named),
    Labelled((Box<str>, Box<str>)),
    Uses(Named),
    Binds(Named),
}

impl Links {
    pub(super) fn build(estate: &Estate) -> Self {
        let mut links = Self::default();
        for (id, resource) in estate.resources().numbered() {
            links.change(resource, |list| {
                // Something may be referred to twice.
                if list.last() != Some(&id) {
                    list.push(id);
                }
            });
        }
        links
    }

    /// Puts a resource of the estate where it belongs.
    pub(super) fn put(&mut self, ranks: Ranks<'_>, id: ResourceRef, resource: &Resource) {
        self.change(resource, |list| ranks.enlist(list, id));
    }

    /// Takes a resource out that the estate still holds.
    pub(super) fn take(&mut self, ranks: Ranks<'_>, id: ResourceRef, resource: &Resource) {
        self.change(resource, |list| ranks.delist(list, id));
    }

    fn change(&mut self, resource: &Resource, mut how: impl FnMut(&mut Vec<ResourceRef>)) {
        for key in keys(resource) {
            match key {
                Key::Selects(key) => change(&mut self.selectors, key, &mut how),
                Key::Labelled(key) => change(&mut self.labelled, key, &mut how),
                Key::Uses(key) => change(&mut self.used_by, key, &mut how),
                Key::Binds(key) => change(&mut self.bound_by, key, &mut how),
            }
        }
    }
}

/// Changes the list of a key; an empty one is none.
fn change<K: Eq + std::hash::Hash>(
    map: &mut HashMap<K, Vec<ResourceRef>>,
    key: K,
    how: &mut impl FnMut(&mut Vec<ResourceRef>),
) {
    let mut entry = match map.entry(key) {
        std::collections::hash_map::Entry::Occupied(entry) => entry,
        std::collections::hash_map::Entry::Vacant(entry) => entry.insert_entry(Vec::new()),
    };
    how(entry.get_mut());
    if entry.get().is_empty() {
        entry.remove();
    }
}

/// Where a resource is found; some may be twice there.
fn keys(resource: &Resource) -> Vec<Key> {
    let mut keys = Vec::new();
    let namespace: Box<str> = namespace_of(resource).into();
    let kind = resource.name.kind.name();
    if resource.is_workload() {
        let labels = pod_labels(resource).into_iter();
        for (key, _, value) in labels.flat_map(Ref::entries) {
            let label = label_key(key, value.as_str().unwrap_or_default());
            keys.push(Key::Labelled((namespace.clone(), label)));
        }
    }
    if let (Some(kind), Some(selector)) = (
        SELECTORS.into_iter().find(|known| *known == kind),
        selector(resource),
    ) {
        let label = first_label(&selector).unwrap_or_default();
        keys.push(Key::Selects((namespace.clone(), kind, label)));
    }
    if kind == "RoleBinding" || kind == "ClusterRoleBinding" {
        bind(resource, &namespace, &mut keys);
    }
    let mut uses = |kind: &'static str, name: &str| {
        keys.push(Key::Uses((namespace.clone(), kind, name.into())));
    };
    match &resource.refers {
        Some(refers) => refers.iter().for_each(|(kind, name)| uses(kind, name)),
        None => {
            let refers = references::of(resource).into_iter();
            refers.for_each(|(kind, name)| uses(kind, name));
        }
    }
    keys
}

fn bind(binding: &Resource, namespace: &str, keys: &mut Vec<Key>) {
    let object = binding.object();
    let text = |value: Option<Ref<'_>>| {
        value
            .and_then(Ref::as_str)
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let role = text(object.path(&["roleRef", "name"]));
    keys.push(Key::Binds(
        if text(object.path(&["roleRef", "kind"])) == "Role" {
            (Box::from(namespace), "Role", role.into_boxed_str())
        } else {
            (Box::default(), "ClusterRole", role.into_boxed_str())
        },
    ));
    for subject in object.get("subjects").into_iter().flat_map(Ref::items) {
        if text(subject.get("kind")) != "ServiceAccount" {
            continue;
        }
        // In a RoleBinding an empty namespace is the binding's own; in a ClusterRoleBinding
        // it matches nobody (plugin/pkg/auth/authorizer/rbac).
        let of = text(subject.get("namespace"));
        let of = if of.is_empty() {
            namespace.to_owned()
        } else {
            of
        };
        keys.push(Key::Binds((
            of.into_boxed_str(),
            "ServiceAccount",
            text(subject.get("name")).into_boxed_str(),
        )));
    }
}
