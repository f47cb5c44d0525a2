//! Who names whom among Azure resources: along ids, back along them, down and up.

use std::collections::{BTreeSet, HashMap};

use super::{parent_of_id, scope_of_id, type_of_id};
use crate::estate::{Estate, Resources};
use crate::resource::{Resource, ResourceRef};
use crate::value::Ref;

/// The ids of an estate and where they are named. Ids are kept in lower case, since ARM does
/// not mind their case.
#[derive(Debug, Default)]
pub(crate) struct AzureLinks {
    by_id: HashMap<Box<str>, ResourceRef>,
    /// the ids that a resource names, in the order in which they stand
    names: HashMap<ResourceRef, Vec<Box<str>>>,
    named_by: HashMap<Box<str>, Vec<ResourceRef>>,
    /// extension resources by the scope they are attached to
    attached: HashMap<Box<str>, Vec<ResourceRef>>,
    children: HashMap<Box<str>, Vec<ResourceRef>>,
    management: Management,
}

/// Which management groups are above which subscriptions.
#[derive(Debug, Default)]
struct Management {
    /// by subscription (lower case): the scopes of the groups above it
    chains: HashMap<Box<str>, Vec<Box<str>>>,
    /// the subscriptions that resources belong to
    subscriptions: BTreeSet<Box<str>>,
    /// the management groups that something is attached to, as scopes
    scopes: BTreeSet<Box<str>>,
}

const GROUPS: &str = "/providers/microsoft.management/managementgroups/";

fn subscription_of(id: &str) -> Option<&str> {
    id.strip_prefix("/subscriptions/")?.split('/').next()
}

impl Management {
    fn add(&mut self, id: &str, object: Ref<'_>) {
        if let Some(scope) = scope_of_id(id).filter(|scope| scope.starts_with(GROUPS)) {
            self.scopes.insert(scope.into());
        }
        if let Some(subscription) = subscription_of(id) {
            self.subscriptions.insert(subscription.into());
        }
        // A subscription as Resource Graph lists it (`resourcecontainers`).
        let own = id
            .strip_prefix("/providers/microsoft.resources/subscriptions/")
            .or_else(|| id.strip_prefix("/subscriptions/"))
            .filter(|own| !own.contains('/'));
        let chain = object.path(&["properties", "managementGroupAncestorsChain"]);
        if let (Some(own), Some(chain)) = (own, chain) {
            let scopes = chain
                .items()
                .filter_map(|group| group.get("name")?.as_str())
                .map(|name| format!("{GROUPS}{}", name.to_ascii_lowercase()).into())
                .collect();
            self.chains.insert(own.into(), scopes);
        }
    }

    /// The groups with something attached that are above a resource, and whether that is certain: what the
    /// only subscription of an estate lists is above it.
    fn over(&self, id: &str) -> (Vec<Box<str>>, bool) {
        let chain = subscription_of(id).and_then(|own| self.chains.get(own));
        match chain {
            Some(chain) => (chain.clone(), true),
            None if self.subscriptions.len() <= 1 => (self.scopes.iter().cloned().collect(), true),
            None => (Vec::new(), self.scopes.is_empty()),
        }
    }
}

impl AzureLinks {
    pub(crate) fn build(resources: Resources<'_>) -> Self {
        let mut links = Self::default();
        for (own, resource) in resources.numbered() {
            let Some(azure) = &resource.azure else {
                continue;
            };
            let id: Box<str> = azure.id.to_ascii_lowercase().into();
            links.by_id.entry(id.clone()).or_insert(own);
            links.management.add(&id, resource.object());
            if let Some(parent) = parent_of_id(&id) {
                links.children.entry(parent.into()).or_default().push(own);
            }
            if let Some(scope) = scope_of_id(&id).filter(|_| is_extension(&id)) {
                links.attached.entry(scope.into()).or_default().push(own);
            }
            let mut named = Vec::new();
            collect(resource.object(), &mut named, 0);
            named.retain(|other| **other != *id);
            for other in &named {
                links.named_by.entry(other.clone()).or_default().push(own);
            }
            links.names.insert(own, named);
        }
        links
    }
}

/// Whether a resource hangs on another resource or on a scope that is no resource group.
fn is_extension(id: &str) -> bool {
    // Two provider segments, or a type that only exists on scopes.
    id.matches("/providers/").count() > 1
        || [
            "/providers/microsoft.authorization/",
            "/providers/microsoft.insights/diagnosticsettings/",
            "/providers/microsoft.security/",
        ]
        .iter()
        .any(|kind| id.contains(kind))
}

/// Whether a text is an id of a resource.
fn is_id(text: &str) -> bool {
    (text.starts_with("/subscriptions/")
        || text.starts_with("/providers/")
        || text.starts_with('{')
        || text.starts_with("/{"))
        && text.contains("/providers/")
}

fn collect(value: Ref<'_>, named: &mut Vec<Box<str>>, depth: usize) {
    if depth > 64 {
        return;
    }
    if let Some(text) = value.as_str().or_else(|| value.open_expression()) {
        if is_id(text) {
            let id: Box<str> = text.to_ascii_lowercase().into();
            if !named.contains(&id) {
                named.push(id);
            }
        }
        return;
    }
    for item in value.items() {
        collect(item, named, depth + 1);
    }
    for (key, _, item) in value.entries() {
        // The keys of `identity.userAssignedIdentities` are ids.
        if is_id(key) {
            let id: Box<str> = key.to_ascii_lowercase().into();
            if !named.contains(&id) {
                named.push(id);
            }
        }
        collect(item, named, depth + 1);
    }
}

/// Resources along a link, and whether there may be more that were not given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// Those that are there.
    pub resources: Vec<ResourceRef>,
    /// An id of the wanted type is named whose resource was not given.
    pub not_given: bool,
}

impl Estate {
    /// The resource of an id.
    #[must_use]
    pub fn at_id(&self, id: &str) -> Option<ResourceRef> {
        self.azure_links()
            .by_id
            .get(&*id.to_ascii_lowercase())
            .copied()
    }

    /// Resources of a type that a resource names.
    #[must_use]
    pub fn links_to(&self, resource: &Resource, kind: &str) -> Linked {
        let links = self.azure_links();
        let mut linked = Linked::default();
        let Some(own) = self.number_of(resource) else {
            return linked;
        };
        for id in links.names.get(&own).into_iter().flatten() {
            if !type_of_id(id).is_some_and(|named| named.eq_ignore_ascii_case(kind)) {
                continue;
            }
            match links.by_id.get(id) {
                Some(found) => linked.resources.push(*found),
                None => linked.not_given = true,
            }
        }
        linked
    }

    /// Resources of a type that name this one or are attached to it.
    #[must_use]
    pub fn links_from(&self, resource: &Resource, kind: &str) -> Vec<ResourceRef> {
        let Some(azure) = &resource.azure else {
            return Vec::new();
        };
        let links = self.azure_links();
        let id = azure.id.to_ascii_lowercase();
        let mut found: Vec<ResourceRef> = links
            .named_by
            .get(&*id)
            .into_iter()
            .chain(links.attached.get(&*id))
            .flatten()
            .copied()
            .filter(|other| self.is_of(*other, kind))
            .collect();
        self.sort(&mut found);
        found.dedup();
        found
    }

    /// Extension resources of a type on the resource or on a scope that holds it.
    #[must_use]
    pub fn links_over(&self, resource: &Resource, kind: &str) -> Linked {
        let Some(azure) = &resource.azure else {
            return Linked::default();
        };
        let links = self.azure_links();
        let id = azure.id.to_ascii_lowercase();
        let (groups, certain) = links.management.over(&id);
        let scopes = id
            .match_indices('/')
            .skip(1)
            .chain([(id.len(), "")])
            .map(|(at, _)| id.get(..at).unwrap_or_default());
        let mut found = Vec::new();
        for scope in scopes.chain(groups.iter().map(|group| &**group)) {
            found.extend(
                links
                    .attached
                    .get(scope)
                    .into_iter()
                    .flatten()
                    .copied()
                    .filter(|other| self.is_of(*other, kind)),
            );
        }
        self.sort(&mut found);
        found.dedup();
        let of_groups = |scope: &str| {
            let attached = links.attached.get(scope).into_iter().flatten();
            attached.copied().any(|other| self.is_of(other, kind))
        };
        Linked {
            not_given: !certain && links.management.scopes.iter().any(|scope| of_groups(scope)),
            resources: found,
        }
    }

    /// Child resources of a type.
    #[must_use]
    pub fn links_down(&self, resource: &Resource, kind: &str) -> Vec<ResourceRef> {
        let Some(azure) = &resource.azure else {
            return Vec::new();
        };
        self.azure_links()
            .children
            .get(&*azure.id.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .copied()
            .filter(|child| self.is_of(*child, kind))
            .collect()
    }

    fn is_of(&self, resource: ResourceRef, kind: &str) -> bool {
        self.get(resource)
            .is_some_and(|resource| resource.name.kind.is(kind))
    }
}
