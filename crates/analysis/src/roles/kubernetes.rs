//! Azure RBAC for Kubernetes: clusters whose API server asks Azure what an Entra user may do.
//!
//! A request becomes a data action of the cluster, or of a namespace in it, as the open-source webhook makes it
//! (github.com/kubeguard/guard, authz/providers/azure/rbac/checkaccessreqhelper.go, read on 2026-11-26). **AKS
//! runs a build of its own, whose settings are not public; it may differ.** What follows from that source:
//!
//! - `get`, `list` and `watch` are all `read`; `create`, `update` and `patch` all `write`; `delete` and
//!   `deletecollection` `delete`. Names of objects are not looked at.
//! - Only `pods/exec` keeps its subresource. Every other one is dropped: `pods/log`, `pods/attach` and
//!   `pods/portforward` by GET need `pods/read`, a token for a service account `serviceaccounts/write`.
//! - Users whose name begins with `system:`, service accounts and nodes among them, are left to Kubernetes.
//! - A no of Azure is final where Azure is asked before Kubernetes RBAC; the order that AKS sets is not public.
//!   Its documentation says that both models can be used on one cluster, so bindings count as well.
//! - What is no known resource is `customresources` where the webhook is told to check that (documented for
//!   AKS as a preview), and else the group and resource themselves.

use std::collections::{BTreeMap, BTreeSet};

use model::ResourceRef;

use super::{Ask, Grant, Holders, Roles, Who};
use crate::ask::{
    Answer, Attributes, Evidence, Ground, Holder, Names, PrincipalKind, Question, Reach, Requester,
    Subject, Target, Why, Within,
};

mod cluster;
mod request;

pub use cluster::Cluster;
pub(super) use cluster::node_group;
pub(super) use request::is_data_action;
pub use request::{Checked, checked};

use request::{every, is_known};

pub(super) const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

/// Who may, through Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan {
    /// Whether all assignments that count are known.
    pub ground: Ground,
    /// For certain, or under a condition.
    pub holders: Vec<Holder>,
    /// Those of whom it is not known, and why there may be more.
    pub unknown: Vec<Why>,
    /// Those of whom it is not known, as holders under the condition that what is not known is so.
    doubtful: Vec<Holder>,
}

impl Default for WhoCan {
    fn default() -> Self {
        Self {
            ground: Ground::Complete,
            holders: Vec::new(),
            unknown: Vec::new(),
            doubtful: Vec::new(),
        }
    }
}

impl Roles {
    /// Who may do something in a cluster, through Azure's roles and the cluster's own administrators.
    #[must_use]
    pub fn who_can(&self, cluster: &Cluster, question: &Question<'_>) -> WhoCan {
        let mut found = WhoCan::default();
        match cluster.asks_azure {
            Some(false) => {
                found.holders.extend(admins(cluster));
                return found;
            }
            Some(true) => found.unknown.extend(admins(cluster).into_iter().map(|admin| Why {
                text: format!(
                    "whether group {} of `aadProfile.adminGroupObjectIDs` counts beside Azure is not public",
                    admin.subject.name()
                )
                .into(),
                resource: Some(cluster.resource),
            })),
            None => found.unknown.push(Why {
                text: format!(
                    "cluster `{}` leaves open whether it asks Azure (`aadProfile.enableAzureRBAC`)",
                    cluster.name
                )
                .into(),
                resource: Some(cluster.resource),
            }),
        }
        let namespaces: BTreeSet<Box<str>> = match question.within {
            Within::Cluster => BTreeSet::new(),
            Within::Namespace(namespace) => BTreeSet::from([namespace.into()]),
            Within::Anywhere => self.namespaces_assigned(cluster),
        };
        let everywhere = !matches!(question.within, Within::Namespace(_));
        let mut seen = BTreeSet::new();
        let mut wide = BTreeSet::new();
        if !everywhere {
            // Who may in the whole cluster may so in the namespace.
            let holders = self.all_of(cluster, &question.attributes, None);
            wide.extend(
                holders
                    .grants
                    .into_iter()
                    .filter(|grant| grant.doubts.is_empty())
                    .map(|grant| (grant.who, grant.assignment)),
            );
        }
        if everywhere {
            let holders = self.all_of(cluster, &question.attributes, None);
            self.take(
                &mut found,
                &mut seen,
                &wide,
                cluster,
                holders,
                &Reach::Cluster,
            );
        }
        for namespace in namespaces {
            let holders = self.all_of(cluster, &question.attributes, Some(&namespace));
            let reach = Reach::Namespace(namespace);
            self.take(&mut found, &mut seen, &wide, cluster, holders, &reach);
        }
        found.holders.sort();
        found.unknown.sort();
        found.unknown.dedup();
        found
    }

    /// Who may do something in a cluster, through Azure's roles, with those of whom that is not certain: why not is
    /// their condition.
    pub(crate) fn who_may(&self, cluster: &Cluster, question: &Question<'_>) -> Vec<Holder> {
        let mut found = self.who_can(cluster, question);
        found.holders.extend(found.doubtful);
        found.holders
    }

    /// Whether an Entra user may do something in a cluster, through Azure's roles.
    #[must_use]
    pub fn may(
        &self,
        cluster: &Cluster,
        requester: &Requester<'_>,
        attributes: &Attributes<'_>,
    ) -> Answer {
        let no = || Answer::No(Ground::Complete);
        // `system:` users are none of Azure's (Check in authz/providers/azure/azure.go); neither is one without
        // an object id, which AKS leaves to Kubernetes.
        if requester.user.to_ascii_lowercase().starts_with("system:") {
            return no();
        }
        let Some(id) = requester
            .object_id
            .filter(|_| cluster.asks_azure != Some(false))
        else {
            return no();
        };
        let groups: Vec<&str> = requester.groups.iter().map(|group| &**group).collect();
        let namespace = match attributes.target {
            Target::Resource(target) => Some(target.namespace).filter(|own| !own.is_empty()),
            Target::Path(_) => None,
        };
        let mut all: Option<Answer> = None;
        for one in every(attributes, namespace.is_some()) {
            let mut answer: Option<Answer> = None;
            for scope in scopes(cluster, namespace) {
                let asked = checked(&one);
                let can = |action: &str| {
                    let action = format!("{CLUSTERS}/{action}");
                    let request = request_attributes(&one);
                    self.can(
                        id,
                        Some(&groups),
                        &Ask {
                            action: &action,
                            data: true,
                            resource: &scope,
                            attributes: &request,
                        },
                    )
                };
                let here = match &asked.custom {
                    None => can(&asked.action),
                    Some(custom) => agreed(can(&asked.action), can(custom), cluster),
                };
                answer = Some(match answer {
                    None => here,
                    Some(before) => before.or(here),
                });
            }
            let answer = answer.unwrap_or_else(no);
            all = Some(match all {
                None => answer,
                Some(before) => weaker(before, answer),
            });
        }
        let answer = all.unwrap_or_else(no);
        match cluster.asks_azure {
            None if !matches!(answer, Answer::No(_)) => Answer::Unknown(vec![Why {
                text: format!(
                    "cluster `{}` leaves open whether it asks Azure",
                    cluster.name
                )
                .into(),
                resource: Some(cluster.resource),
            }]),
            _ => answer,
        }
    }

    /// Namespaces of a cluster that are the scope of an assignment.
    #[must_use]
    pub fn namespaces_assigned(&self, cluster: &Cluster) -> BTreeSet<Box<str>> {
        let own = format!("{}/", cluster.id.to_ascii_lowercase());
        self.assignments
            .iter()
            .filter_map(|assignment| {
                let rest = assignment.scope_key.strip_prefix(&*own)?;
                let name = rest
                    .strip_prefix("namespaces/")
                    .or_else(|| rest.strip_prefix("managednamespaces/"))?;
                (!name.contains('/')).then(|| name.into())
            })
            .collect()
    }

    /// Those who hold every action that a request needs.
    fn all_of(
        &self,
        cluster: &Cluster,
        attributes: &Attributes<'_>,
        namespace: Option<&str>,
    ) -> Holders {
        let mut result: Option<Holders> = None;
        for one in every(attributes, namespace.is_some()) {
            let mut here = Holders::default();
            for scope in scopes(cluster, namespace) {
                let asked = checked(&one);
                let request = request_attributes(&one);
                let holders = |action: &str| {
                    let action = format!("{CLUSTERS}/{action}");
                    self.holders(&Ask {
                        action: &action,
                        data: true,
                        resource: &scope,
                        attributes: &request,
                    })
                };
                let own = holders(&asked.action);
                here.ground = here.ground.max(own.ground);
                here.unknown.extend(own.unknown.iter().cloned());
                match &asked.custom {
                    None => here.grants.extend(own.grants.iter().cloned()),
                    Some(custom) => {
                        let custom = holders(custom);
                        here.unknown.extend(custom.unknown.iter().cloned());
                        here.grants.extend(either(&own, &custom));
                    }
                }
            }
            result = Some(match result {
                None => here,
                Some(before) => both(before, here),
            });
        }
        result.unwrap_or_default()
    }
}

/// The administrators that a cluster names itself: AKS binds these groups to `cluster-admin`
/// (<https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id>).
fn admins(cluster: &Cluster) -> Vec<Holder> {
    let holder = |(number, who): (usize, &Who)| Holder {
        subject: Subject::Principal {
            id: match who {
                Who::Id(id) | Who::Open(id) => id.clone(),
                Who::Identity { resource, .. } => resource.clone(),
            },
            kind: PrincipalKind::Group,
        },
        reach: Reach::Cluster,
        names: Names::Any,
        condition: None,
        evidence: Evidence::Assignment {
            assignment: cluster.resource,
            definition: None,
            role: "cluster-admin".into(),
            route: format!("properties.aadProfile.adminGroupObjectIDs[{number}]").into(),
        },
    };
    cluster
        .admin_groups
        .iter()
        .enumerate()
        .map(holder)
        .collect()
}

/// The scopes that are checked for a request: the cluster or a namespace of it, and the namespace as AKS
/// manages it (`getNameSpaceScope`, `getManagedNameSpaceScope`;
/// <https://learn.microsoft.com/azure/aks/concepts-managed-namespaces>).
fn scopes(cluster: &Cluster, namespace: Option<&str>) -> Vec<String> {
    match namespace {
        None => vec![cluster.id.to_string()],
        Some(namespace) => vec![
            format!("{}/namespaces/{namespace}", cluster.id),
            format!("{}/managedNamespaces/{namespace}", cluster.id),
        ],
    }
}

/// What conditions can ask of a request for a custom resource (`setAuthInfoResourceAttributes`). Whether AKS
/// says the subresource is not public.
fn request_attributes<'a>(attributes: &Attributes<'a>) -> Vec<(&'static str, Option<&'a str>)> {
    match attributes.target {
        Target::Resource(target) if !is_known(target.group, target.resource) => vec![
            (
                "Microsoft.ContainerService/managedClusters/customResources:group",
                Some(target.group),
            ),
            (
                "Microsoft.ContainerService/managedClusters/customResources:kind",
                Some(target.resource),
            ),
        ],
        _ => vec![
            (
                "Microsoft.ContainerService/managedClusters/customResources:group",
                None,
            ),
            (
                "Microsoft.ContainerService/managedClusters/customResources:kind",
                None,
            ),
        ],
    }
}

/// Why it hangs on a setting of AKS.
const SETTING: &str =
    "it hangs on whether AKS checks custom resources as such, which is not public";

/// Grants of either of two actions, of which nobody knows which one is checked; certain where the same
/// assignment gives both.
fn either(own: &Holders, custom: &Holders) -> Vec<Grant> {
    let mut found = Vec::new();
    let same = |one: &Grant, other: &Grant| {
        one.who == other.who && one.assignment == other.assignment && one.through == other.through
    };
    for (grants, others) in [(own, custom), (custom, own)] {
        for grant in &grants.grants {
            let in_both = others.grants.iter().any(|other| same(grant, other));
            if in_both && std::ptr::eq(grants, custom) {
                continue;
            }
            let mut grant = grant.clone();
            if !in_both {
                grant.doubts.push(SETTING.into());
            }
            found.push(grant);
        }
    }
    found
}

/// Both answers are of one request, of which nobody knows which one counts.
fn agreed(own: Answer, custom: Answer, cluster: &Cluster) -> Answer {
    match (&own, &custom) {
        (Answer::No(_), Answer::No(_)) | (Answer::Yes(_), Answer::Yes(_)) => own,
        _ => Answer::Unknown(vec![Why {
            text: SETTING.into(),
            resource: Some(cluster.resource),
        }]),
    }
}

/// The answer where both must be a yes.
fn weaker(one: Answer, other: Answer) -> Answer {
    const fn rank(answer: &Answer) -> u8 {
        match answer {
            Answer::No(_) => 0,
            Answer::Unknown(_) => 1,
            Answer::If { .. } => 2,
            Answer::Yes(_) => 3,
        }
    }
    if rank(&other) < rank(&one) {
        other
    } else {
        one
    }
}

/// Those who hold both.
fn both(one: Holders, other: Holders) -> Holders {
    let mut by_who: BTreeMap<&Who, Vec<&Grant>> = BTreeMap::new();
    for grant in &other.grants {
        by_who.entry(&grant.who).or_default().push(grant);
    }
    let ground = one.ground.max(other.ground);
    let mut unknown = one.unknown;
    let mut grants = Vec::new();
    for mut grant in one.grants {
        let Some(others) = by_who.get(&grant.who) else {
            continue;
        };
        let best = others
            .iter()
            .min_by_key(|other| (other.doubts.len(), other.condition.is_some()));
        if let Some(best) = best {
            if !best.doubts.is_empty() && grant.doubts.is_empty() {
                grant.doubts.clone_from(&best.doubts);
            }
            if let Some(condition) = &best.condition
                && grant.condition.is_none()
            {
                grant.condition = Some(condition.clone());
            }
        }
        grants.push(grant);
    }
    unknown.extend(other.unknown);
    Holders {
        ground,
        grants,
        unknown,
    }
}

impl Roles {
    /// Adds holders in the words of questions. Somebody who may in the whole cluster is not named again for a
    /// namespace.
    fn take(
        &self,
        found: &mut WhoCan,
        seen: &mut BTreeSet<(Who, ResourceRef)>,
        wide: &BTreeSet<(Who, ResourceRef)>,
        cluster: &Cluster,
        holders: Holders,
        reach: &Reach,
    ) {
        found.ground = found.ground.max(holders.ground);
        found.unknown.extend(holders.unknown);
        for grant in holders.grants {
            let key = (grant.who.clone(), grant.assignment);
            if seen.contains(&key) {
                continue;
            }
            let reach = if wide.contains(&key) {
                &Reach::Cluster
            } else {
                reach
            };
            if *reach == Reach::Cluster {
                seen.insert(key);
            }
            if !grant.doubts.is_empty() || cluster.asks_azure.is_none() {
                let mut doubts = grant.doubts.clone();
                if cluster.asks_azure.is_none() {
                    doubts.push("the cluster leaves open whether it asks Azure".into());
                }
                doubts.sort();
                let doubtful = Holder {
                    subject: self.subject(&grant),
                    reach: reach.clone(),
                    names: Names::Any,
                    condition: Some(doubts.join("; ").into()),
                    evidence: grant.evidence(),
                };
                if !found.doubtful.contains(&doubtful) {
                    found.doubtful.push(doubtful);
                }
                found.unknown.push(Why {
                    text: format!(
                        "role {} may allow it to {}: {}",
                        grant.role,
                        self.told(&grant.who),
                        doubts.join("; ")
                    )
                    .into(),
                    resource: Some(grant.assignment),
                });
                continue;
            }
            let holder = Holder {
                subject: self.subject(&grant),
                reach: reach.clone(),
                names: Names::Any,
                condition: grant.condition.clone(),
                evidence: grant.evidence(),
            };
            if !found.holders.contains(&holder) {
                found.holders.push(holder);
            }
        }
    }
}

impl Roles {
    /// Somebody in the words of questions: by the object id, where there is one.
    #[must_use]
    pub fn subject(&self, grant: &Grant) -> Subject {
        Subject::Principal {
            id: self.told(&grant.who).into(),
            kind: grant.kind,
        }
    }

    fn told(&self, who: &Who) -> String {
        match who {
            Who::Id(id) | Who::Open(id) => id.to_string(),
            Who::Identity { .. } => self.name(who),
        }
    }
}
