//! Azure, and the ways between it and the cluster.
//!
//! | module | steps |
//! |---|---|
//! | [`powers`] | which actions amount to something |
//! | [`held`] | from principals to powers, by role assignments; groups; powers over what is below a scope |
//! | [`grant`] | giving roles and writing them |
//! | [`clusters`] | from powers over a cluster or its nodes into it; Azure RBAC for Kubernetes; Entra in bindings |
//! | [`identities`] | federated credentials, both ways; attaching identities; pipelines |
//! | [`vaults`] | vaults, and the pods that mount from them |
//! | [`images`] | registries, and the workloads that pull from them |
//! | [`legacy`] | AAD Pod Identity |
//! | [`keys`] | Secrets that hold a key to something in Azure |
//! | [`storage`] | storage accounts: who reads them, and what lies there |
//!
//! Left out: classic administrators (retired in 2024), Azure Policy that may forbid a change, and what Entra's own
//! roles allow, which nothing that is given tells. A lock that makes things read-only makes steps doubtful that change
//! them or ask them for keys ([`Azure::locked`]); one against deletion stops none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Estate, Ref, Resource, ResourceRef};

use super::super::builder::Builder;
use super::super::graph::EntryKind;
use crate::ask::PrincipalKind;
use crate::roles::{Covers, Roles, Who, identities_of};

mod clusters;
mod grant;
mod held;
mod identities;
mod images;
mod keys;
mod legacy;
mod powers;
mod storage;
mod vaults;

use powers::On;

/// Something that a power is over.
#[derive(Debug)]
struct Target {
    on: On,
    /// in lower case
    id: Box<str>,
    resource: Option<ResourceRef>,
}

/// Azure as an attacker sees it.
struct Azure<'a> {
    roles: &'a Roles,
    estate: &'a Estate,
    targets: Vec<Target>,
    /// by target: the scopes of assignments that hold it, and whether that is certain
    above: Vec<Vec<(Box<str>, bool)>>,
    /// identities that nodes carry, the cluster or scale set, and whether what is asked of that concerns it
    on_nodes: BTreeMap<Who, (ResourceRef, bool)>,
    /// who holds something, what that is, and an object that says so
    holders: BTreeMap<Who, (PrincipalKind, ResourceRef)>,
    /// what locks make read-only, in lower case
    locks: Vec<Box<str>>,
}

pub(super) fn add(builder: &mut Builder<'_>) {
    images::add_pulls(builder);
    let analyses = builder.analyses;
    let mut azure = Azure::read(builder.estate, analyses.roles());
    held::add(builder, &mut azure);
    clusters::add(builder, &mut azure);
    identities::add(builder, &azure);
    vaults::add(builder, &mut azure);
    storage::add(builder, &azure);
    images::add(builder, &azure);
    keys::add(builder, &azure);
    legacy::add(builder, &azure);
    held::add_members(builder, &mut azure);
    entries(builder, &azure);
    if azure.is_empty() {
        builder
            .gap("nothing of Azure was given: who has power over the cluster there is not known");
    }
}

/// A value of a resource.
fn value<'e>(resource: &'e Resource, path: &[&str]) -> Option<Ref<'e>> {
    resource.object().path(path)
}

impl<'a> Azure<'a> {
    fn read(estate: &'a Estate, roles: &'a Roles) -> Self {
        let mut azure = Self {
            roles,
            estate,
            targets: Vec::new(),
            above: Vec::new(),
            on_nodes: BTreeMap::new(),
            holders: BTreeMap::new(),
            locks: locks(estate),
        };
        azure.read_targets();
        azure.read_above();
        azure.read_on_nodes();
        azure
    }

    fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.roles.assignments().is_empty()
    }

    fn read_targets(&mut self) {
        let mut subscriptions: BTreeSet<Box<str>> = BTreeSet::new();
        for (kind, on) in [
            ("Microsoft.ContainerService/managedClusters", On::Cluster),
            ("Microsoft.ContainerRegistry/registries", On::Registry),
            ("Microsoft.KeyVault/vaults", On::Vault),
            (
                "Microsoft.ManagedIdentity/userAssignedIdentities",
                On::Identity,
            ),
            ("Microsoft.Storage/storageAccounts", On::Storage),
        ] {
            for number in self.estate.of_kind(kind) {
                let Some(azure) = self.estate.get(*number).and_then(|own| own.azure.as_ref())
                else {
                    continue;
                };
                self.targets.push(Target {
                    on,
                    id: azure.id.to_ascii_lowercase().into(),
                    resource: Some(*number),
                });
            }
        }
        for resource in self.estate.resources() {
            let parts = resource
                .azure
                .as_ref()
                .map(|azure| model::azure::segments(&azure.id));
            if let Some([_, word, own, ..]) = parts.as_deref()
                && word.eq_ignore_ascii_case("subscriptions")
            {
                subscriptions.insert(format!("/subscriptions/{}", own.to_ascii_lowercase()).into());
            }
        }
        for id in subscriptions {
            self.targets.push(Target {
                on: On::Scope,
                id,
                resource: None,
            });
        }
        let mut nodes: BTreeSet<Box<str>> = BTreeSet::new();
        for cluster in self.roles.clusters() {
            let group = cluster.node_group.to_ascii_lowercase();
            let sets = format!("{group}/providers/microsoft.compute/virtualmachinescalesets/");
            // Scale sets that assignments name.
            let named = self.roles.assignments().iter().filter_map(|assignment| {
                let name = assignment.scope_key.strip_prefix(&*sets)?;
                (!name.contains('/')).then(|| assignment.scope_key.clone())
            });
            nodes.extend(named);
            nodes.insert(group.into());
        }
        for id in nodes {
            self.targets.push(Target {
                on: On::Nodes,
                id,
                resource: None,
            });
        }
    }

    /// Scopes that are plain prefixes are looked up; those that are open or management groups are compared.
    fn read_above(&mut self) {
        let scopes: BTreeSet<&str> = self
            .roles
            .assignments()
            .iter()
            .map(|assignment| &*assignment.scope_key)
            .collect();
        let odd: Vec<&str> = scopes
            .iter()
            .copied()
            .filter(|scope| !scope.starts_with("/subscriptions/") || scope.contains('{'))
            .collect();
        let mut memo: HashMap<(&str, String), Covers> = HashMap::new();
        let mut above = Vec::new();
        for target in &self.targets {
            let mut found: BTreeMap<Box<str>, bool> = BTreeMap::new();
            let parts = model::azure::segments(&target.id);
            let open = target.id.contains('{');
            for length in (3..=parts.len()).step_by(2) {
                let scope = parts.get(..length).unwrap_or_default().join("/");
                if scopes.contains(&*scope) {
                    found.insert(scope.into(), false);
                }
            }
            // What is the same for all of a resource group is asked once.
            let group = parts
                .get(..5.min(parts.len()))
                .unwrap_or_default()
                .join("/");
            for scope in &odd {
                let covers = if scope.starts_with("/subscriptions/") || open {
                    self.roles.scope_covers(scope, &target.id)
                } else {
                    *memo
                        .entry((scope, group.clone()))
                        .or_insert_with(|| self.roles.scope_covers(scope, &target.id))
                };
                match covers {
                    Covers::No => {}
                    Covers::Maybe => {
                        found.entry((*scope).into()).or_insert(true);
                    }
                    Covers::Itself | Covers::Above => {
                        found.insert((*scope).into(), false);
                    }
                }
            }
            if open {
                for scope in scopes.iter().filter(|scope| !odd.contains(scope)) {
                    if self.roles.scope_covers(scope, &target.id) == Covers::Maybe {
                        found.entry((*scope).into()).or_insert(true);
                    }
                }
            }
            above.push(found.into_iter().collect());
        }
        self.above = above;
    }

    fn read_on_nodes(&mut self) {
        for cluster in self.roles.clusters() {
            for (path, who) in identities_of(self.estate, cluster.resource) {
                if path.starts_with("properties.") {
                    let kubelet = path.starts_with("properties.identityProfile.");
                    let own = self
                        .on_nodes
                        .entry(who)
                        .or_insert((cluster.resource, kubelet));
                    own.1 |= kubelet;
                }
            }
            // What was attached to the machines beside.
            let group = format!("{}/", cluster.node_group.to_ascii_lowercase());
            for number in self
                .estate
                .of_kind("Microsoft.Compute/virtualMachineScaleSets")
            {
                let own = self.estate.get(*number).and_then(|set| set.azure.as_ref());
                if own.is_some_and(|own| own.id.to_ascii_lowercase().starts_with(&group)) {
                    for (_, who) in identities_of(self.estate, *number) {
                        self.on_nodes.entry(who).or_insert((*number, true));
                    }
                }
            }
        }
    }

    /// Why something cannot be changed, nor asked for its keys, for now: a lock stops what is written or asked by
    /// POST, for whoever it may be (<https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>).
    fn locked(&self, id: &str) -> Option<&'static str> {
        let held = |scope: &str| {
            id.strip_prefix(scope)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.locks
            .iter()
            .any(|scope| held(scope))
            .then_some("a lock makes it read-only until somebody takes the lock away")
    }

    /// Notes that somebody holds something.
    fn holds(&mut self, who: &Who, kind: PrincipalKind, says: ResourceRef) {
        self.holders.entry(who.clone()).or_insert((kind, says));
    }
}

/// The scopes of the locks that make things read-only.
fn locks(estate: &Estate) -> Vec<Box<str>> {
    let all = estate.of_kind("Microsoft.Authorization/locks");
    all.iter()
        .filter_map(|number| estate.get(*number))
        .filter(|lock| {
            let level = value(lock, &["properties", "level"]).and_then(Ref::as_str);
            level.is_some_and(|level| level.eq_ignore_ascii_case("ReadOnly"))
        })
        .filter_map(|lock| {
            let id = lock.azure.as_ref()?.id.to_ascii_lowercase();
            let at = id.rfind("/providers/microsoft.authorization/locks")?;
            id.get(..at).map(Box::from)
        })
        .collect()
}

/// The credential of whoever holds something may be stolen: of people and service principals one by one, of
/// a group whose members are not known for all of them.
fn entries(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    for (who, (kind, says)) in &azure.holders {
        if azure.roles.is_identity(who) || azure.roles.knows_members(who) {
            continue;
        }
        let node = if azure.roles.has_other_members(who) {
            builder.other_members(who)
        } else {
            builder.principal(who)
        };
        let group = *kind == PrincipalKind::Group;
        let because = if group {
            "the credential of any member may be stolen"
        } else {
            "its credential may be stolen"
        };
        let evidence = vec![builder.seen(*says, None, "gives it something")];
        builder.entry(node, EntryKind::Credential, because, evidence, None);
        if group {
            builder.gap("the members of groups of Entra were not given");
        }
        builder.title_principal(who, *kind);
    }
}
