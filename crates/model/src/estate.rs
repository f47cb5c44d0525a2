//! Everything known about one environment, indexed so that joins do not walk it all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use cel::{Symbols, Unknown};

use crate::azure::links::AzureLinks;
use crate::completeness::{Completeness, Within};
use crate::implied;
use crate::kinds::Kind;
use crate::references;
use crate::resource::{Resource, ResourceRef};
use crate::value::Ref;

/// What the sources are complete for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// What was given may be a part: absence proves nothing.
    #[default]
    Open,
    /// What was given is everything: what is absent does not exist.
    Whole,
}

/// Namespace, kind and name.
type FullName = (Box<str>, Box<str>, Box<str>);

/// Namespace, one of a few known kinds, and a name or label.
type Named = (Box<str>, &'static str, Box<str>);

/// The environment under judgement.
#[derive(Debug, Default)]
pub struct Estate {
    resources: Vec<Resource>,
    by_kind: BTreeMap<Box<str>, Vec<ResourceRef>>,
    by_namespace: HashMap<Box<str>, BTreeMap<Box<str>, Vec<ResourceRef>>>,
    by_name: HashMap<FullName, ResourceRef>,
    links: OnceLock<Links>,
    azure_links: OnceLock<AzureLinks>,
    holders: OnceLock<HashMap<usize, Vec<ResourceRef>>>,
    /// Whether absence proves anything.
    pub scope: Scope,
    /// What live sources read to the end, and what they could not.
    pub completeness: Completeness,
}

/// Joins that are only computed when a guideline asks for them.
#[derive(Debug, Default)]
struct Links {
    /// selector objects by namespace, kind, and one label they need (empty: none needed)
    selectors: HashMap<Named, Vec<ResourceRef>>,
    /// workloads by namespace and each of their labels
    labelled: HashMap<(Box<str>, Box<str>), Vec<ResourceRef>>,
    /// who refers to (namespace, kind, name)
    used_by: HashMap<Named, Vec<ResourceRef>>,
    /// bindings by the role or account they name
    bound_by: HashMap<Named, Vec<ResourceRef>>,
}

/// The kinds whose selectors match pods.
const SELECTORS: [&str; 3] = ["Service", "NetworkPolicy", "PodDisruptionBudget"];

impl Estate {
    /// An empty estate.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }

    /// Adds a resource. An object that was already there under the same name stays too: both
    /// are judged, the first one is what references find.
    pub fn add(&mut self, resource: Resource) -> ResourceRef {
        let id = ResourceRef(self.resources.len() as u32);
        let kind: Box<str> = index_name(&resource.name.kind).into();
        let namespace: Box<str> = resource
            .name
            .namespace
            .as_deref()
            .unwrap_or_default()
            .into();
        self.by_kind.entry(kind.clone()).or_default().push(id);
        self.by_namespace
            .entry(namespace.clone())
            .or_default()
            .entry(kind.clone())
            .or_default()
            .push(id);
        self.by_name
            .entry((namespace, kind, resource.name.name.clone()))
            .or_insert(id);
        self.resources.push(resource);
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

    /// All resources, in the order in which they were read.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// One resource.
    #[must_use]
    pub fn get(&self, id: ResourceRef) -> Option<&Resource> {
        self.resources.get(id.0 as usize)
    }

    /// Makes a Namespace for every namespace that is named and was not read. Findings about it
    /// point to the first object that names it; its labels are unknown unless the estate is whole.
    pub fn imply_namespaces(&mut self, symbols: &Symbols) {
        let mut first_in: BTreeMap<Box<str>, usize> = BTreeMap::new();
        for (index, resource) in self.resources.iter().enumerate() {
            if let (Some(namespace), Kind::Kubernetes { .. }) =
                (&resource.name.namespace, &resource.name.kind)
            {
                first_in.entry(namespace.clone()).or_insert(index);
            }
        }
        for (namespace, index) in first_in {
            if self.find("", "Namespace", &namespace).is_some() {
                continue;
            }
            let Some(witness) = self.resources.get(index) else {
                continue;
            };
            let whole = self.absent("Namespace", Within::Everywhere).is_none();
            let doc = implied::namespace(symbols, &namespace, witness, whole);
            let root = doc.root().id();
            let implied = Resource {
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
            };
            self.add(implied);
        }
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
        (0..self.resources.len() as u32)
            .map(ResourceRef)
            .filter(|id| {
                self.get(*id)
                    .is_some_and(|resource| resource.is_workload() && !self.is_owned(resource))
            })
    }

    /// An object by namespace (empty for cluster-scoped ones), kind and name.
    #[must_use]
    pub fn find(&self, namespace: &str, kind: &str, name: &str) -> Option<&Resource> {
        self.by_name
            .get(&(namespace.into(), normalise(kind).into(), name.into()))
            .and_then(|id| self.get(*id))
    }

    /// The resource whose document holds a value (the first, for documents with several).
    #[must_use]
    pub fn holder_of(&self, value: Ref<'_>) -> Option<&Resource> {
        let holders = self.holders.get_or_init(|| {
            let mut holders: HashMap<usize, Vec<ResourceRef>> = HashMap::new();
            for (index, resource) in self.resources.iter().enumerate() {
                holders
                    .entry(address(&resource.doc))
                    .or_default()
                    .push(ResourceRef(index as u32));
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
        found.into_iter().collect()
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
                self.get(*id)
                    .is_some_and(|workload| selects(&selector, pod_labels(workload)))
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
            .get_or_init(|| AzureLinks::build(&self.resources))
    }

    /// The number of a resource that the estate holds.
    #[must_use]
    pub fn number_of(&self, resource: &Resource) -> Option<ResourceRef> {
        // Those of the estate lie side by side.
        let first = std::ptr::from_ref(self.resources.first()?).addr();
        let at = std::ptr::from_ref(resource).addr().checked_sub(first)?;
        let id = ResourceRef((at / size_of::<Resource>()) as u32);
        self.get(id)
            .is_some_and(|own| std::ptr::eq(own, resource))
            .then_some(id)
    }

    fn links(&self) -> &Links {
        self.links.get_or_init(|| Links::build(self))
    }
}

/// Kinds whose users are recorded.
const USED: [&str; 4] = [
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "PersistentVolumeClaim",
];

impl Links {
    fn build(estate: &Estate) -> Self {
        let mut links = Self::default();
        for (index, resource) in estate.resources.iter().enumerate() {
            let id = ResourceRef(index as u32);
            let namespace: Box<str> = namespace_of(resource).into();
            let kind = resource.name.kind.name();
            if resource.is_workload() && !estate.is_owned(resource) {
                for (key, _, value) in pod_labels(resource)
                    .iter()
                    .flat_map(|labels| labels.entries())
                {
                    let label = label_key(key, value.as_str().unwrap_or_default());
                    links
                        .labelled
                        .entry((namespace.clone(), label))
                        .or_default()
                        .push(id);
                }
            }
            if let (Some(kind), Some(selector)) = (
                SELECTORS.into_iter().find(|known| *known == kind),
                selector(resource),
            ) {
                let label = first_label(&selector).unwrap_or_default();
                links
                    .selectors
                    .entry((namespace.clone(), kind, label))
                    .or_default()
                    .push(id);
            }
            if kind == "RoleBinding" || kind == "ClusterRoleBinding" {
                links.bind(resource, &namespace, id);
            }
            match &resource.refers {
                Some(refers) => refers
                    .iter()
                    .for_each(|(kind, name)| links.uses(&namespace, kind, name, id)),
                None => references::of(resource)
                    .into_iter()
                    .for_each(|(kind, name)| links.uses(&namespace, kind, name, id)),
            }
        }
        links
    }

    fn uses(&mut self, namespace: &str, kind: &'static str, name: &str, id: ResourceRef) {
        let users = self
            .used_by
            .entry((namespace.into(), kind, name.into()))
            .or_default();
        if users.last() != Some(&id) {
            users.push(id);
        }
    }

    fn bind(&mut self, binding: &Resource, namespace: &str, id: ResourceRef) {
        let object = binding.object();
        let text = |value: Option<Ref<'_>>| {
            value
                .and_then(Ref::as_str)
                .map(str::to_owned)
                .unwrap_or_default()
        };
        let role = text(object.path(&["roleRef", "name"]));
        let key = if text(object.path(&["roleRef", "kind"])) == "Role" {
            (Box::from(namespace), "Role", role.into_boxed_str())
        } else {
            (Box::default(), "ClusterRole", role.into_boxed_str())
        };
        self.bound_by.entry(key).or_default().push(id);
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
            let key = (
                of.into_boxed_str(),
                "ServiceAccount",
                text(subject.get("name")).into_boxed_str(),
            );
            self.bound_by.entry(key).or_default().push(id);
        }
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

fn pod_labels(workload: &Resource) -> Option<Ref<'_>> {
    workload.pod_holder()?.path(&["metadata", "labels"])
}

/// A label selector: `matchLabels` and `matchExpressions`, or a Service's plain map.
#[derive(Debug, Clone, Copy)]
struct Selector<'a> {
    labels: Option<Ref<'a>>,
    expressions: Option<Ref<'a>>,
}

fn selector(object: &Resource) -> Option<Selector<'_>> {
    let spec = object.object().get("spec")?;
    match object.name.kind.name() {
        // A Service without a selector selects nothing.
        "Service" => {
            let labels = spec
                .get("selector")
                .filter(|labels| labels.entries().len() > 0)?;
            Some(Selector {
                labels: Some(labels),
                expressions: None,
            })
        }
        "NetworkPolicy" => {
            let selector = spec.get("podSelector");
            Some(Selector {
                labels: selector.and_then(|selector| selector.get("matchLabels")),
                expressions: selector.and_then(|selector| selector.get("matchExpressions")),
            })
        }
        // A budget without a selector selects nothing, one with `{}` everything (policy/v1).
        "PodDisruptionBudget" => {
            let selector = spec.get("selector")?;
            Some(Selector {
                labels: selector.get("matchLabels"),
                expressions: selector.get("matchExpressions"),
            })
        }
        _ => None,
    }
}

fn first_label(selector: &Selector<'_>) -> Option<Box<str>> {
    let (key, _, value) = selector.labels?.entries().next()?;
    Some(label_key(key, value.as_str().unwrap_or_default()))
}

fn label_key(key: &str, value: &str) -> Box<str> {
    format!("{key}={value}").into_boxed_str()
}

fn selects(selector: &Selector<'_>, labels: Option<Ref<'_>>) -> bool {
    let label = |key: &str| {
        labels
            .and_then(|labels| labels.get(key))
            .and_then(Ref::as_str)
    };
    let plain = selector.labels.is_none_or(|wanted| {
        wanted
            .entries()
            .all(|(key, _, value)| label(key) == value.as_str())
    });
    plain
        && selector.expressions.is_none_or(|expressions| {
            expressions.items().all(|expression| {
                let have = expression.get("key").and_then(Ref::as_str).and_then(label);
                let among = |value: &str| {
                    expression.get("values").is_some_and(|values| {
                        values.items().any(|item| item.as_str() == Some(value))
                    })
                };
                match expression.get("operator").and_then(Ref::as_str) {
                    Some("In") => have.is_some_and(among),
                    Some("NotIn") => have.is_none_or(|value| !among(value)),
                    Some("Exists") => have.is_some(),
                    Some("DoesNotExist") => have.is_none(),
                    _ => false,
                }
            })
        })
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
