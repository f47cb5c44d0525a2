//! Everything known about one environment, indexed so that joins do not walk it all.

mod changing;
mod links;
mod named;
mod resources;
mod selector;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use cel::{Symbols, Unknown};

use crate::azure::links::AzureLinks;
use crate::completeness::{Completeness, Within};
use crate::implied;
use crate::kinds::Kind;
use crate::resource::{Resource, ResourceRef};
use crate::value::Ref;

use self::links::{Links, SELECTORS, USED};
use self::named::Named;
use self::selector::{first_label, label_key, pod_labels, selector, selects};

pub use self::changing::Change;
pub use self::resources::Resources;

/// What the sources are complete for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// What was given may be a part: absence proves nothing.
    #[default]
    Open,
    /// What was given is everything: what is absent does not exist.
    Whole,
}

/// The environment under judgement.
#[derive(Debug, Default)]
pub struct Estate {
    /// By number; a number whose resource is gone has none.
    slots: Vec<Option<Resource>>,
    /// Those that there are.
    order: Vec<ResourceRef>,
    /// They are in the order of addresses, not in that of numbers.
    by_address: bool,
    by_kind: BTreeMap<Box<str>, Vec<ResourceRef>>,
    by_namespace: HashMap<Box<str>, BTreeMap<Box<str>, Vec<ResourceRef>>>,
    by_name: Named,
    links: OnceLock<Links>,
    azure_links: OnceLock<AzureLinks>,
    holders: OnceLock<HashMap<usize, Vec<ResourceRef>>>,
    /// Whether absence proves anything.
    pub scope: Scope,
    /// What live sources read to the end, and what they could not.
    pub completeness: Completeness,
}

impl Estate {
    /// An empty estate.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }

    /// An estate of some resources of this one, in which as much is known of what there is; they have other numbers.
    #[must_use]
    pub fn part<'r>(&self, resources: impl IntoIterator<Item = &'r Resource>) -> Self {
        let mut part = Self::new(self.scope);
        part.completeness = self.completeness.clone();
        for resource in resources {
            part.add(resource.clone());
        }
        part
    }

    /// Adds a resource. An object that was already there under the same name stays too: both
    /// are judged, the first one is what references find.
    pub fn add(&mut self, resource: Resource) -> ResourceRef {
        let id = ResourceRef(self.slots.len() as u32);
        let kind: Box<str> = index_name(&resource.name.kind).into();
        let namespace: Box<str> = namespace_of(&resource).into();
        self.by_kind.entry(kind.clone()).or_default().push(id);
        self.by_namespace
            .entry(namespace.clone())
            .or_default()
            .entry(kind.clone())
            .or_default()
            .push(id);
        self.by_name
            .add((namespace, kind, resource.name.name.clone()), id);
        self.slots.push(Some(resource));
        self.order.push(id);
        id
    }

    /// Why the absence of a kind proves nothing here; `None` when it does. Kinds are named as
    /// guidelines name them.
    #[must_use]
    pub fn absent(&self, kind: &str, within: Within<'_>) -> Option<Unknown> {
        self.completeness.absent(self.scope, kind, within)
    }

    /// The same for the kind of a resource.
    #[must_use]
    pub fn absent_of(&self, kind: &Kind, within: Within<'_>) -> Option<Unknown> {
        self.absent(&index_name(kind), within)
    }

    /// The same for several kinds: the first reason.
    #[must_use]
    pub fn absent_any(&self, kinds: &[&str], within: Within<'_>) -> Option<Unknown> {
        kinds.iter().find_map(|kind| self.absent(kind, within))
    }

    /// The sentence for a reason why something is unknown.
    #[must_use]
    pub fn describe(&self, reason: Unknown) -> &str {
        self.completeness
            .describe(reason)
            .unwrap_or_else(|| crate::unknown::describe(reason))
    }

    /// All resources, in the order in which they were read; where they come and go
    /// ([`Estate::change`]), in that of their addresses.
    #[must_use]
    pub fn resources(&self) -> Resources<'_> {
        Resources::of(&self.slots, &self.order)
    }

    /// One resource.
    #[must_use]
    pub fn get(&self, id: ResourceRef) -> Option<&Resource> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    /// Whether anything of Azure is here.
    #[must_use]
    pub fn has_azure(&self) -> bool {
        // No kind of Kubernetes has a slash in its name.
        self.by_kind.keys().any(|kind| kind.contains('/'))
    }

    /// Makes a Namespace for every namespace that is named and was not read. Findings about it
    /// point to the first object that names it; its labels are unknown unless the estate is whole.
    pub fn imply_namespaces(&mut self, symbols: &Symbols) {
        let mut first_in: BTreeMap<Box<str>, ResourceRef> = BTreeMap::new();
        for (id, resource) in self.resources().numbered() {
            if let (Some(namespace), Kind::Kubernetes { .. }) =
                (&resource.name.namespace, &resource.name.kind)
                && !first_in.contains_key(namespace)
            {
                first_in.insert(namespace.clone(), id);
            }
        }
        for (namespace, id) in first_in {
            if self.find("", "Namespace", &namespace).is_some() {
                continue;
            }
            if let Some(implied) = self.implied(symbols, namespace, id) {
                self.add(implied);
            }
        }
    }

    /// A Namespace that a resource names.
    fn implied(
        &self,
        symbols: &Symbols,
        namespace: Box<str>,
        witness: ResourceRef,
    ) -> Option<Resource> {
        let witness = self.get(witness)?;
        let whole = self.absent("Namespace", Within::Everywhere).is_none();
        let doc = implied::namespace(symbols, &namespace, witness, whole);
        let root = doc.root().id();
        Some(Resource {
            name: crate::resource::ResourceName {
                kind: Kind::Kubernetes {
                    group: "".into(),
                    kind: "Namespace".into(),
                },
                api_version: "v1".into(),
                namespace: None,
                name: namespace,
            },
            doc,
            root,
            origin: witness.origin.clone(),
            provider_managed: false,
            implied: true,
            refers: None,
            certificates: None,
            azure: None,
        })
    }

    /// Objects of a kind as guidelines name it.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[ResourceRef] {
        self.by_kind
            .get(&*normalise(kind))
            .map_or(&[], Vec::as_slice)
    }

    /// Objects of a kind in a namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str, kind: &str) -> &[ResourceRef] {
        self.by_namespace
            .get(namespace)
            .and_then(|kinds| kinds.get(&*normalise(kind)))
            .map_or(&[], Vec::as_slice)
    }

    /// The namespaces of objects, in no order; an empty one for those without.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.by_namespace.keys().map(|name| &**name)
    }

    /// Everything in a namespace, in the order of [`Estate::resources`].
    #[must_use]
    pub fn all_in(&self, namespace: &str) -> Vec<ResourceRef> {
        let kinds = self.by_namespace.get(namespace).into_iter();
        let mut all: Vec<ResourceRef> = kinds
            .flat_map(|kinds| kinds.values().flatten().copied())
            .collect();
        self.sort(&mut all);
        all
    }

    /// Everything in a namespace that carries a pod and is not owned by something else here.
    pub fn workloads_in(&self, namespace: &str) -> impl Iterator<Item = ResourceRef> + '_ {
        self.by_namespace
            .get(namespace)
            .into_iter()
            .flat_map(|kinds| kinds.values().flatten().copied())
            .filter(|id| {
                self.get(*id)
                    .is_some_and(|resource| resource.is_workload() && !self.is_owned(resource))
            })
    }

    /// Everything that carries a pod and is not owned.
    pub fn workloads(&self) -> impl Iterator<Item = ResourceRef> + '_ {
        self.order.iter().copied().filter(|id| {
            self.get(*id)
                .is_some_and(|resource| resource.is_workload() && !self.is_owned(resource))
        })
    }

    /// An object by namespace (empty for cluster-scoped ones), kind and name.
    #[must_use]
    pub fn find(&self, namespace: &str, kind: &str, name: &str) -> Option<&Resource> {
        self.by_name
            .first(&(namespace.into(), normalise(kind).into(), name.into()))
            .and_then(|id| self.get(id))
    }

    /// The resource whose document holds a value (the first, for documents with several).
    #[must_use]
    pub fn holder_of(&self, value: Ref<'_>) -> Option<&Resource> {
        let holders = self.holders.get_or_init(|| {
            let mut holders: HashMap<usize, Vec<ResourceRef>> = HashMap::new();
            for (id, resource) in self.resources().numbered() {
                holders.entry(address(&resource.doc)).or_default().push(id);
            }
            holders
        });
        let here = holders.get(&address(value.doc))?;
        here.iter().filter_map(|id| self.get(*id)).find(|resource| {
            resource.object() == value || resource.object().route_to(value).is_some()
        })
    }

    /// Objects of one of the selecting kinds whose selector matches a workload's pods.
    #[must_use]
    pub fn selecting(&self, workload: &Resource, kind: &str) -> Vec<ResourceRef> {
        let Some(kind) = SELECTORS.into_iter().find(|known| *known == kind) else {
            return Vec::new();
        };
        let namespace = namespace_of(workload);
        let labels = pod_labels(workload);
        let links = self.links();
        let mut found = BTreeSet::new();
        let mut consider = |label: Box<str>| {
            for id in links
                .selectors
                .get(&(namespace.into(), kind, label))
                .into_iter()
                .flatten()
            {
                if self
                    .get(*id)
                    .and_then(selector)
                    .is_some_and(|selector| selects(&selector, labels))
                {
                    found.insert(*id);
                }
            }
        };
        consider("".into());
        for (key, _, value) in labels.iter().flat_map(|labels| labels.entries()) {
            consider(label_key(key, value.as_str().unwrap_or_default()));
        }
        let mut found: Vec<ResourceRef> = found.into_iter().collect();
        self.sort(&mut found);
        found
    }

    /// The workloads that an object's selector matches.
    #[must_use]
    pub fn selected_by(&self, object: &Resource) -> Vec<ResourceRef> {
        let Some(selector) = selector(object) else {
            return Vec::new();
        };
        let namespace = namespace_of(object);
        let candidates: Vec<ResourceRef> = match first_label(&selector) {
            Some(label) => self
                .links()
                .labelled
                .get(&(namespace.into(), label))
                .cloned()
                .unwrap_or_default(),
            None => self.workloads_in(namespace).collect(),
        };
        candidates
            .into_iter()
            .filter(|id| {
                self.get(*id).is_some_and(|workload| {
                    selects(&selector, pod_labels(workload)) && !self.is_owned(workload)
                })
            })
            .collect()
    }

    /// Who refers to an object (see the guideline format for what counts).
    #[must_use]
    pub fn users_of(&self, object: &Resource) -> &[ResourceRef] {
        let Some(kind) = USED
            .into_iter()
            .find(|kind| *kind == object.name.kind.name())
        else {
            return &[];
        };
        self.links()
            .used_by
            .get(&(namespace_of(object).into(), kind, object.name.name.clone()))
            .map_or(&[], Vec::as_slice)
    }

    /// The bindings that name a role or a service account.
    #[must_use]
    pub fn bindings_of(&self, object: &Resource) -> &[ResourceRef] {
        const BOUND: [&str; 3] = ["Role", "ClusterRole", "ServiceAccount"];
        let Some(kind) = BOUND
            .into_iter()
            .find(|kind| *kind == object.name.kind.name())
        else {
            return &[];
        };
        self.links()
            .bound_by
            .get(&(namespace_of(object).into(), kind, object.name.name.clone()))
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn azure_links(&self) -> &AzureLinks {
        self.azure_links
            .get_or_init(|| AzureLinks::build(self.resources()))
    }

    /// The number of a resource that the estate holds.
    #[must_use]
    pub fn number_of(&self, resource: &Resource) -> Option<ResourceRef> {
        // Those of the estate lie side by side.
        let first = self.slots.as_ptr().addr();
        let at = std::ptr::from_ref(resource).addr().checked_sub(first)?;
        let id = ResourceRef(u32::try_from(at / size_of::<Option<Resource>>()).ok()?);
        self.get(id)
            .is_some_and(|own| std::ptr::eq(own, resource))
            .then_some(id)
    }

    /// Puts numbers into the order of [`Estate::resources`].
    pub fn sort(&self, ids: &mut [ResourceRef]) {
        ids.sort_by(|one, other| self.ranks().compare(*one, *other));
    }

    fn links(&self) -> &Links {
        self.links.get_or_init(|| Links::build(self))
    }
}

/// The namespace of a resource; empty for cluster-scoped ones and where a file does not say.
#[must_use]
pub fn namespace_of(resource: &Resource) -> &str {
    resource.name.namespace.as_deref().unwrap_or_default()
}

/// Documents stay where they are while the estate lives.
fn address(doc: &crate::doc::Doc) -> usize {
    std::ptr::from_ref(doc) as usize
}

/// The name under which a kind is indexed: bare for Kubernetes' own kinds, with its group for
/// others, lower case for Azure.
fn index_name(kind: &Kind) -> String {
    match kind {
        Kind::Azure(name) => name.to_ascii_lowercase(),
        Kind::Kubernetes { group, kind } if crate::kinds::is_builtin(group, kind) => {
            kind.to_string()
        }
        Kind::Kubernetes { group, kind } => format!("{kind}.{group}"),
    }
}

fn normalise(kind: &str) -> std::borrow::Cow<'_, str> {
    if kind.contains('/') {
        kind.to_ascii_lowercase().into()
    } else {
        kind.into()
    }
}
