//! What the answer to a question hangs on, so that whoever watches an estate asks again only what may be answered
//! otherwise.
//!
//! While an object is judged, what is read of the estate beside it is noted, a number each ([`Read::number`]). An object
//! that came, went or changed touches what can be read of it ([`touched`]). What both have in common has to be asked
//! again; two readings with one number cost a question too many, nothing else.
//!
//! What many objects together come to (rights, the network) is not followed back to single objects: the answers of two
//! moments are compared. What is known to be complete is no reading of an object; whoever watches begins anew when that
//! changes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use model::estate::namespace_of;
use model::kinds::{self, Kind};
use model::{Estate, Ref, Resource};

use crate::ask::Subject;

/// Something that is read of an estate.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Read<'r> {
    /// All objects of a kind, as guidelines name it; `workloads` for what carries pods and nothing else made.
    All(&'r str),
    /// Those of a namespace.
    In(&'r str, &'r str),
    /// An object: namespace (empty where it has none), kind, name.
    Named(&'r str, &'r str, &'r str),
    /// The bindings of a role or account, named in the same way.
    Bound(&'r str, &'r str, &'r str),
    /// Who uses an object.
    Used(&'r str, &'r str, &'r str),
    /// Whom the workload of an address reaches, and who reaches it.
    Network(&'r str),
    /// What a subject's rights amount to.
    Rights(&'r Subject),
    /// What leads from one resource of Azure to another, and their roles.
    Azure,
}

/// What carries pods and nothing else made, among kinds.
pub const WORKLOADS: &str = "workloads";

impl Read<'_> {
    /// The number that stands for it.
    #[must_use]
    pub fn number(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            // Types of Azure are written as anybody likes.
            Self::All(kind) if kind.contains('/') => {
                Read::All(&kind.to_ascii_lowercase()).hash(&mut hasher);
            }
            _ => self.hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// What was read since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeSet<u64>>);

impl Notes {
    pub(crate) fn note(&self, read: &Read<'_>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(read.number());
    }

    pub(crate) fn take(&self) -> Box<[u64]> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes).into_iter().collect()
    }
}

/// The name by which guidelines call a kind.
fn named(kind: &Kind) -> String {
    match kind {
        Kind::Azure(name) => name.to_ascii_lowercase(),
        Kind::Kubernetes { group, kind } if kinds::is_builtin(group, kind) => kind.to_string(),
        Kind::Kubernetes { group, kind } => format!("{kind}.{group}"),
    }
}

/// Notes what can be read of an object of an estate that is not there, or is another, in the estate beside.
pub fn touched(estate: &Estate, resource: &Resource, beside: &Estate, all: &mut BTreeSet<u64>) {
    let kind = named(&resource.name.kind);
    let (namespace, name) = (namespace_of(resource), &*resource.name.name);
    let mut note = |read: Read<'_>| {
        all.insert(read.number());
    };
    note(Read::All(&kind));
    note(Read::In(namespace, &kind));
    note(Read::Named(namespace, &kind, name));
    if resource.azure.is_some() {
        note(Read::Azure);
    }
    if resource.is_workload() {
        // What makes pods decides by being there whether they are workloads of their own.
        let makes = !resource.name.kind.is("Pod") && beside.find(namespace, &kind, name).is_none();
        if makes || !estate.is_owned(resource) {
            note(Read::All(WORKLOADS));
            note(Read::In(namespace, WORKLOADS));
        }
    }
    for (kind, name) in resource.referred() {
        note(Read::Used(namespace, kind, name));
    }
    if matches!(&*kind, "RoleBinding" | "ClusterRoleBinding") {
        bound(resource, namespace, &mut note);
    }
}

/// The role of a binding, and the accounts that it names.
fn bound(binding: &Resource, namespace: &str, note: &mut impl FnMut(Read<'_>)) {
    let object = binding.object();
    let text = |value: Option<Ref<'_>>| value.and_then(Ref::as_str).unwrap_or_default().to_owned();
    let role = text(object.path(&["roleRef", "name"]));
    note(Read::Bound(namespace, "Role", &role));
    note(Read::Bound("", "ClusterRole", &role));
    for subject in object.get("subjects").into_iter().flat_map(Ref::items) {
        let name = text(subject.get("name"));
        let of = text(subject.get("namespace"));
        // An empty namespace is that of the binding.
        let of = if of.is_empty() { namespace } else { &of };
        note(Read::Bound(of, "ServiceAccount", &name));
    }
}
