//! From powers over a cluster in Azure into it: credentials, run-command, settings, extensions; powers over its
//! nodes; Azure RBAC for Kubernetes; and the users and groups of Entra that bindings name.

use std::collections::{BTreeMap, BTreeSet};

use model::{Ref, ResourceRef};

use super::powers::On;
use super::{Azure, value};
use crate::ask::{Evidence as Grant, Holder, PrincipalKind, Reach, Subject};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::{EVERYTHING, Place};
use crate::paths::steps::rights;
use crate::rbac::Held;
use crate::rbac::escalations::held_elsewhere;
use crate::roles::Who;
use crate::roles::builtin::guid;
use crate::roles::kubernetes::Cluster;

/// A cluster, and what taking it gives.
struct Taken<'a> {
    cluster: &'a Cluster,
    /// in lower case
    id: Box<str>,
    /// cluster-admin in it, and why that may not be that of the manifests
    admin: Vec<(NodeNo, Option<&'static str>)>,
    /// What runs in Kubernetes may be in it, and why that is not certain; nothing where it is in another.
    holds: Option<Option<&'static str>>,
    /// Why it cannot be changed for now.
    locked: Option<&'static str>,
}

pub(super) fn add(builder: &mut Builder<'_>, azure: &mut Azure<'_>) {
    let inside = builder.clusters();
    let all = azure.roles.clusters();
    for cluster in all {
        let id: Box<str> = cluster.id.to_ascii_lowercase().into();
        let holds = inside
            .iter()
            .find(|(own, _)| own.resource == cluster.resource)
            .map(|(_, doubt)| *doubt);
        let mut admin = Vec::new();
        if all.len() > 1 {
            let own = builder.power("cluster-admin", &id);
            builder.jewel(
                own,
                "cluster-admin",
                &format!("cluster-admin of {}", model::azure::shown(&cluster.name)),
                10,
            );
            admin.push((own, None));
        }
        if let Some(doubt) = holds {
            admin.push((builder.right(EVERYTHING, Place::Cluster), doubt));
        }
        let taken = Taken {
            cluster,
            id,
            admin,
            holds,
            locked: azure.locked(&cluster.id.to_ascii_lowercase()),
        };
        credentials(builder, azure, &taken);
        settings(builder, azure, &taken);
        admin_groups(builder, azure, &taken);
        run_command(builder, azure, &taken);
        nodes(builder, azure, &taken);
        if let Some(doubt) = holds {
            azure_rbac(builder, azure, &taken, doubt);
        }
    }
    bindings(builder, azure, &inside);
}

impl Taken<'_> {
    /// Who holds a power over it, or all of several, becomes its administrator.
    fn admits(
        &self,
        builder: &mut Builder<'_>,
        edge: Edge,
        needs: &[NodeNo],
        evidence: &[Evidence],
        doubt: Option<&str>,
    ) {
        let Some((first, rest)) = needs.split_first() else {
            return;
        };
        for (to, which) in &self.admin {
            let mut draft = Draft::new(edge, *first, *to)
                .by_all(evidence.iter().cloned())
                .perhaps(doubt)
                .perhaps(*which);
            for need in rest {
                draft = draft.and(*need);
            }
            builder.add(draft);
        }
    }

    fn says(
        &self,
        builder: &mut Builder<'_>,
        azure: &Azure<'_>,
        path: &[&str],
        says: &str,
    ) -> Evidence {
        let resource = azure.estate.get(self.cluster.resource);
        // Where the value is not written, its holder is shown.
        let at = (0..=path.len())
            .rev()
            .find_map(|length| value(resource?, path.get(..length)?));
        builder.seen(self.cluster.resource, at, says)
    }
}

/// Nothing where a fact makes it moot; else why it may be so.
fn unless(fact: Option<bool>, open: &'static str) -> Option<Option<&'static str>> {
    match fact {
        Some(true) => None,
        Some(false) => Some(None),
        None => Some(Some(open)),
    }
}

/// The administrator's kubeconfig: with local accounts (<https://learn.microsoft.com/azure/aks/local-accounts>),
/// and that of the user where users do not sign in with Entra
/// (<https://learn.microsoft.com/azure/aks/control-kubeconfig-access>).
fn credentials(builder: &mut Builder<'_>, azure: &Azure<'_>, taken: &Taken<'_>) {
    let cluster = taken.cluster;
    let local = unless(
        cluster.local_accounts_off,
        "the template leaves open whether local accounts are off",
    );
    if let (Some(doubt), Some(from)) = (local, builder.known_power("admin-credential", &taken.id)) {
        let evidence = taken.says(
            builder,
            azure,
            &["properties", "disableLocalAccounts"],
            "local accounts are on",
        );
        taken.admits(
            builder,
            Edge::AzureClusterAdmin,
            &[from],
            &[evidence],
            doubt.or(taken.locked),
        );
    }
    let entra = unless(
        cluster.entra,
        "the template leaves open whether users sign in with Entra",
    );
    if let (Some(doubt), Some(from)) = (entra, builder.known_power("user-credential", &taken.id)) {
        let evidence = taken.says(
            builder,
            azure,
            &["properties", "aadProfile"],
            "users do not sign in with Entra, so the user's kubeconfig is the administrator's",
        );
        taken.admits(
            builder,
            Edge::AzureUserCredential,
            &[from],
            &[evidence],
            doubt.or(taken.locked),
        );
    }
}

/// Settings that make an administrator; what is deployed with an administrator's rights; the data actions of
/// an administrator.
fn settings(builder: &mut Builder<'_>, azure: &Azure<'_>, taken: &Taken<'_>) {
    // No setting of the cluster takes this away, so it rests on none.
    if let Some(from) = builder.known_power("cluster-write", &taken.id) {
        let locked = taken.locked;
        taken.admits(builder, Edge::AzureClusterAdmin, &[from], &[], locked);
    }
    if let Some(from) = builder.known_power("flux-write", &taken.id) {
        let flux = azure
            .estate
            .of_kind("Microsoft.KubernetesConfiguration/extensions")
            .iter()
            .copied()
            .find(|number| is_flux(azure, *number, &taken.id));
        match flux {
            Some(number) => {
                let evidence = builder.seen(
                    number,
                    None,
                    "installs Flux, which applies what a repository holds",
                );
                let locked = taken.locked;
                taken.admits(
                    builder,
                    Edge::AzureClusterAdmin,
                    &[from],
                    &[evidence],
                    locked,
                );
            }
            None => match builder.known_power("extension-write", &taken.id) {
                // Whoever installs Flux needs both.
                Some(install) => {
                    taken.admits(
                        builder,
                        Edge::AzureClusterAdmin,
                        &[from, install],
                        &[],
                        taken.locked,
                    );
                }
                None => {
                    let absent = azure.estate.absent(
                        "Microsoft.KubernetesConfiguration/extensions",
                        model::Within::Id(&taken.id),
                    );
                    if absent.is_some() {
                        let why = Some("whether the Flux extension is installed was not given");
                        taken.admits(builder, Edge::AzureClusterAdmin, &[from], &[], why);
                    }
                }
            },
        }
    }
    let asks = taken.cluster.asks_azure;
    if let Some(from) = builder.known_power("kubernetes-admin", &taken.id)
        && asks != Some(false)
    {
        let doubt = asks
            .is_none()
            .then_some("the template leaves open whether the cluster asks Azure");
        taken.admits(builder, Edge::AzureClusterAdmin, &[from], &[], doubt);
    }
}

fn is_flux(azure: &Azure<'_>, number: ResourceRef, cluster: &str) -> bool {
    let Some(resource) = azure.estate.get(number) else {
        return false;
    };
    let below = resource
        .azure
        .as_ref()
        .is_some_and(|own| own.id.to_ascii_lowercase().starts_with(cluster));
    below
        && value(resource, &["properties", "extensionType"])
            .and_then(Ref::as_str)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("microsoft.flux"))
}

/// The groups that a cluster names itself: AKS binds them to `cluster-admin`
/// (<https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id>).
fn admin_groups(builder: &mut Builder<'_>, azure: &mut Azure<'_>, taken: &Taken<'_>) {
    let cluster = taken.cluster;
    let doubt = match (cluster.entra, cluster.asks_azure) {
        (Some(false), _) => return,
        (_, Some(true)) => Some("whether these groups count beside Azure RBAC is not public"),
        (_, None) => Some("the template leaves open whether the cluster asks Azure"),
        (_, Some(false)) => None,
    };
    for group in &cluster.admin_groups {
        let from = builder.principal(group);
        let evidence = taken.says(
            builder,
            azure,
            &["properties", "aadProfile", "adminGroupObjectIDs"],
            "makes the group an administrator",
        );
        taken.admits(
            builder,
            Edge::EntraGroupBinding,
            &[from],
            &[evidence],
            doubt,
        );
        azure.holds(group, PrincipalKind::Group, cluster.resource);
    }
}

/// `az aks command invoke` runs in the cluster as an administrator; where users sign in with Entra, with the
/// caller's own token (`clusterToken` of `RunCommandRequest` in the REST API of AKS).
fn run_command(builder: &mut Builder<'_>, azure: &Azure<'_>, taken: &Taken<'_>) {
    let Some(from) = builder.known_power("run-command", &taken.id) else {
        return;
    };
    let path = ["properties", "apiServerAccessProfile", "disableRunCommand"];
    let off = azure
        .estate
        .get(taken.cluster.resource)
        .and_then(|resource| value(resource, &path));
    let doubt = match (off, taken.cluster.entra) {
        (Some(off), _) if off.as_bool() == Some(true) => return,
        (Some(off), _) if off.is_open() => {
            Some("the template leaves open whether run-command is off")
        }
        (_, Some(true)) => Some("with Entra it runs with the caller's own rights in Kubernetes"),
        (_, None) => Some("the template leaves open whether users sign in with Entra"),
        (_, Some(false)) => None,
    };
    let evidence = taken.says(builder, azure, &path, "run-command is on");
    let doubt = doubt.or(taken.locked);
    taken.admits(builder, Edge::AzureRunCommand, &[from], &[evidence], doubt);
}

/// Run-commands, extensions and models of the scale sets that the nodes are run as root on nodes
/// (<https://learn.microsoft.com/azure/virtual-machines/run-command-overview>); a disk that is no ephemeral one can
/// be downloaded, with the kubelet's credential and the pods' tokens on it.
fn nodes(builder: &mut Builder<'_>, azure: &Azure<'_>, taken: &Taken<'_>) {
    let which = taken.holds.flatten();
    let group = taken.cluster.node_group.to_ascii_lowercase();
    for target in azure.targets.iter().filter(|target| target.on == On::Nodes) {
        let set = match target.id.strip_prefix(&*group) {
            Some("") => None,
            Some(rest) => rest.rsplit('/').next(),
            None => continue,
        };
        let control = builder.known_power("node-control", &target.id);
        let disks = builder.known_power("disk-access", &target.id);
        for number in 0..builder.pools().len() as u32 {
            let Some(pool) = builder.pools().get(number as usize).cloned() else {
                continue;
            };
            let elsewhere = pool
                .cluster
                .is_some_and(|own| own != taken.cluster.resource);
            if elsewhere || !pool.any_of.is_empty() {
                continue;
            }
            let which = if pool.cluster.is_some() { None } else { which };
            // `aks-POOL-NUMBER-vmss` (learn.microsoft.com/azure/aks/concepts-clusters-workloads).
            let meant = set.is_none_or(|set| {
                pool.name.is_empty()
                    || set.strip_prefix("aks-").unwrap_or(set).split('-').next()
                        == Some(&*pool.name)
                    || set
                        .strip_prefix("aks")
                        .and_then(|rest| rest.strip_suffix("vmss"))
                        .is_some_and(|own| own.starts_with(&*pool.name))
            });
            if !meant {
                continue;
            }
            let to = builder.pool(number);
            let evidence = taken.says(
                builder,
                azure,
                &["properties", "nodeResourceGroupProfile"],
                "its node resource group is not locked",
            );
            if let Some(from) = control {
                builder.add(
                    Draft::new(Edge::NodeResourceGroup, from, to)
                        .by(evidence.clone())
                        .perhaps(which)
                        .perhaps(azure.locked(&target.id)),
                );
            }
            let kept = pool
                .azure
                .and_then(|number| disk_kind(azure, number, &pool.name));
            if let (Some(from), false) = (disks, kept == Some("Ephemeral")) {
                builder.add(
                    Draft::new(Edge::NodeResourceGroup, from, to)
                        .by(evidence)
                        .perhaps(Some(
                            "the disk of a node shows its credentials, not root on it",
                        )),
                );
            }
        }
    }
}

fn disk_kind<'e>(azure: &Azure<'e>, number: ResourceRef, pool: &str) -> Option<&'e str> {
    let object = azure.estate.get(number)?.object();
    let profile = object
        .path(&["properties", "agentPoolProfiles"])
        .into_iter()
        .flat_map(Ref::items)
        .find(|profile| profile.get("name").and_then(Ref::as_str) == Some(pool))
        .or_else(|| object.get("properties"))?;
    profile.get("osDiskType")?.as_str()
}

/// What Azure's roles allow in Kubernetes, for those who are no administrators by them.
fn azure_rbac(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    taken: &Taken<'_>,
    which: Option<&'static str>,
) {
    if taken.cluster.asks_azure == Some(false) {
        return;
    }
    let open = taken.cluster.asks_azure.is_none();
    let asking = Cluster {
        asks_azure: Some(true),
        admin_groups: Vec::new(),
        ..taken.cluster.clone()
    };
    let minor = builder.analyses.kubernetes_minor();
    let roles = azure.roles;
    let mut memo: BTreeMap<String, Vec<Holder>> = BTreeMap::new();
    let mut ask = |question: &crate::ask::Question<'_>| -> Vec<Holder> {
        memo.entry(format!("{question:?}"))
            .or_insert_with(|| roles.who_may(&asking, question))
            .clone()
    };
    let mut admins: BTreeSet<Subject> = BTreeSet::new();
    // What may do everything comes first.
    for (deed, needs) in rights::asked_of_others(minor) {
        let sure = held_elsewhere(needs, &mut ask);
        // The same with conditions taken as met, and with what allows it taken as it may be.
        let wider = held_elsewhere(needs, &mut |question: &crate::ask::Question<'_>| {
            let mut holders = ask(question);
            for holder in &mut holders {
                holder.condition = None;
            }
            holders
        });
        for held in &wider {
            if admins.contains(&held.subject) {
                continue;
            }
            let certain = sure
                .iter()
                .any(|own| own.subject == held.subject && own.reach == held.reach);
            let doubt = match (certain, open) {
                (false, _) => Some(
                    "it is allowed only under a condition, or by what is not known for certain",
                ),
                (true, true) => Some("the template leaves open whether the cluster asks Azure"),
                (true, false) => deed.doubt.or(which),
            };
            allow(builder, azure, deed, held, doubt);
        }
        if deed.right == EVERYTHING {
            let all = sure.iter().filter(|held| held.reach == Reach::Cluster);
            admins.extend(all.map(|held| held.subject.clone()));
        }
    }
}

/// A right in Kubernetes by a role of Azure.
fn allow(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    deed: rights::ByOthers,
    held: &Held,
    doubt: Option<&'static str>,
) {
    let Subject::Principal { id, kind } = &held.subject else {
        return;
    };
    let who = match guid(id) {
        Some(id) => Who::Id(id.into()),
        None => match named(azure, held) {
            Some(who) => who,
            None => return,
        },
    };
    let from = builder.principal(&who);
    let place = builder.place(&held.reach);
    let to = builder.right(deed.right_in(place), place);
    let edge = if deed.right == EVERYTHING {
        Edge::AzureRole
    } else {
        deed.edge
    };
    let mut evidence = Vec::new();
    for grant in &held.evidence {
        if let Grant::Assignment {
            assignment, role, ..
        } = grant
        {
            azure.holds(&who, *kind, *assignment);
            evidence.push(builder.seen(*assignment, None, &format!("gives the role {role}")));
        }
    }
    evidence.dedup();
    // Whoever takes any object id for their own has what any holds.
    let anybody = builder.right("impersonate-object-id", Place::Cluster);
    let says = "Azure is asked about the object id that is impersonated";
    let taken = Draft::new(Edge::Impersonate, anybody, to).by(builder.always(says));
    builder.add_once(taken.perhaps(doubt));
    builder.add(Draft::new(edge, from, to).by_all(evidence).perhaps(doubt));
}

/// Whom the assignment of a right names, where that is no object id.
fn named(azure: &Azure<'_>, held: &Held) -> Option<Who> {
    held.evidence.iter().find_map(|grant| match grant {
        Grant::Assignment { assignment, .. } => azure
            .roles
            .assignments()
            .iter()
            .find(|own| own.resource == *assignment)
            .map(|own| own.who.clone()),
        _ => None,
    })
}

/// Whoever signs in with Entra is a user by its object id or its principal name, and in the groups of the object
/// ids of its groups (<https://learn.microsoft.com/azure/aks/azure-ad-rbac>).
fn bindings(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    inside: &[(&Cluster, Option<&'static str>)],
) {
    let doubt = if inside.is_empty() {
        Some("no cluster was given, so whether users sign in with Entra is not known")
    } else if inside
        .iter()
        .all(|(cluster, _)| cluster.entra == Some(false))
    {
        return;
    } else if inside
        .iter()
        .any(|(cluster, _)| cluster.entra == Some(true))
    {
        inside.iter().find_map(|(_, doubt)| *doubt)
    } else {
        Some("the template leaves open whether users sign in with Entra")
    };
    let by_name = user_names(azure);
    let mut seen: BTreeSet<(NodeNo, NodeNo)> = BTreeSet::new();
    for kind in ["ClusterRoleBinding", "RoleBinding"] {
        for number in azure.estate.of_kind(kind) {
            let Some(binding) = azure.estate.get(*number) else {
                continue;
            };
            for subject in value(binding, &["subjects"])
                .into_iter()
                .flat_map(Ref::items)
            {
                let text = |key| subject.get(key).and_then(Ref::as_str);
                let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
                    continue;
                };
                let (own, group) = match kind {
                    "Group" => (Subject::Group(name.into()), true),
                    "User" => (Subject::User(name.into()), false),
                    _ => continue,
                };
                // Entra writes ids with dashes and in lower case; Kubernetes compares letter by letter.
                let who = match guid(name).filter(|id| *id == name) {
                    Some(id) => Who::Id(id.into()),
                    None => match by_name.get(name).filter(|_| !group) {
                        Some(id) => Who::Id(id.clone()),
                        None => continue,
                    },
                };
                if inside.is_empty() && builder.known_principal(&who).is_none() {
                    continue;
                }
                let from = builder.principal(&who);
                let to = builder.subject(&own);
                let kind = if group {
                    PrincipalKind::Group
                } else {
                    PrincipalKind::NotSaid
                };
                azure.holds(&who, kind, *number);
                if seen.insert((from, to)) {
                    let evidence =
                        builder.seen(*number, Some(subject), "names it by its id in Entra");
                    builder.add(
                        Draft::new(Edge::EntraGroupBinding, from, to)
                            .by(evidence)
                            .perhaps(doubt),
                    );
                }
            }
        }
    }
}

/// Object ids of users by the names they sign in with.
fn user_names(azure: &Azure<'_>) -> BTreeMap<Box<str>, Box<str>> {
    let mut found = BTreeMap::new();
    for number in azure.estate.of_kind("Microsoft.Graph/users") {
        let Some(user) = azure.estate.get(*number) else {
            continue;
        };
        let text = |key| {
            value(user, &["properties", key])
                .or_else(|| value(user, &[key]))
                .and_then(Ref::as_str)
        };
        let id = text("id").and_then(|id| guid(id.rsplit('/').next()?));
        if let (Some(name), Some(id)) = (text("userPrincipalName"), id) {
            found.insert(name.into(), id.into());
        }
    }
    found
}
