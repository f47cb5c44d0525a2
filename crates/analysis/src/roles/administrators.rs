//! Who acts as a cluster's built-in administrator through Azure: whoever may fetch its credential, which is a
//! member of `system:masters`, or run a command inside the cluster with it. What makes somebody administrator
//! only after a change (a role assigned, a setting turned) is left to [`Roles::takeovers`].

use std::collections::BTreeSet;

use super::critical::{CRITICAL, Critical, Moot};
use super::kubernetes::{Cluster, WhoCan};
use super::{Grant, Roles, Who};
use crate::ask::{Evidence, Holder, Names, Reach, Why};

/// Whether an action by itself is one of the administrator.
const fn is_administrators(critical: &Critical, cluster: &Cluster) -> bool {
    match critical.moot {
        Moot::LocalAccountsOff | Moot::Entra => true,
        // With Entra the command runs with the caller's own rights, which count anyway.
        Moot::EntraToken => !matches!(cluster.entra, Some(true)),
        Moot::Never | Moot::RoleGiven => false,
    }
}

impl Roles {
    /// Who may do everything in a cluster because Azure lets them act as its administrator: one holder for each
    /// assignment that does it, with all the actions by which.
    #[must_use]
    pub fn administrators(&self, cluster: &Cluster) -> WhoCan {
        let mut found = WhoCan::default();
        let mut certain: Vec<(Grant, Vec<&'static str>)> = Vec::new();
        let mut doubtful: Vec<(Grant, Vec<&'static str>)> = Vec::new();
        let actions = CRITICAL
            .iter()
            .filter(|critical| is_administrators(critical, cluster));
        for critical in actions {
            let holders = self.holders_for(critical, cluster);
            found.ground = found.ground.max(holders.ground);
            found.unknown.extend(holders.unknown);
            for grant in holders.grants {
                let known = if grant.doubts.is_empty() {
                    &mut certain
                } else {
                    &mut doubtful
                };
                let same = known.iter_mut().find(|(own, _)| {
                    own.who == grant.who
                        && own.assignment == grant.assignment
                        && own.through == grant.through
                        && own.condition == grant.condition
                        && own.doubts == grant.doubts
                });
                match same {
                    Some((_, ways)) => ways.push(critical.action),
                    None => known.push((grant, vec![critical.action])),
                }
            }
        }
        doubtful.retain(|(grant, _)| {
            !certain
                .iter()
                .any(|(own, _)| own.who == grant.who && own.assignment == grant.assignment)
        });
        for (grant, ways) in &doubtful {
            found.unknown.push(Why {
                text: format!(
                    "role {} may make {} the cluster's administrator ({}): {}",
                    grant.role,
                    self.called(grant),
                    said(ways),
                    grant.doubts.join("; ")
                )
                .into(),
                resource: Some(grant.assignment),
            });
        }
        for (grant, ways) in certain {
            let holder = Holder {
                subject: self.subject(&grant),
                reach: Reach::Cluster,
                names: Names::Any,
                condition: grant.condition.clone(),
                evidence: Evidence::Administrator {
                    assignment: grant.assignment,
                    role: grant.role.clone(),
                    route: grant.route.clone(),
                    actions: ways,
                },
            };
            if !found.holders.contains(&holder) {
                found.holders.push(holder);
            }
        }
        found.holders.sort();
        found.unknown.sort();
        found.unknown.dedup();
        found
    }

    /// How many others can make themselves administrators of a cluster through Azure.
    #[must_use]
    pub fn other_takeovers(&self, cluster: &Cluster) -> usize {
        let administrators: BTreeSet<Who> = CRITICAL
            .iter()
            .filter(|critical| is_administrators(critical, cluster))
            .flat_map(|critical| self.holders_for(critical, cluster).grants)
            .filter(|grant| grant.doubts.is_empty())
            .map(|grant| grant.who)
            .collect();
        let all: BTreeSet<Who> = self
            .takeovers(cluster)
            .0
            .into_iter()
            .filter(|(_, grant)| grant.doubts.is_empty())
            .map(|(_, grant)| grant.who)
            .collect();
        all.difference(&administrators).count()
    }

    /// What people call whoever an assignment names, with the object id.
    fn called(&self, grant: &Grant) -> String {
        let name = self.name(&grant.who);
        match &grant.who {
            Who::Id(id) if **id != *name => format!("{name} ({id})"),
            _ => name,
        }
    }
}

/// Actions as people say them: `listClusterAdminCredential, runCommand`.
#[must_use]
pub fn said(actions: &[&str]) -> String {
    let short: Vec<&str> = actions
        .iter()
        .map(|action| {
            let action = action.strip_suffix("/action").unwrap_or(action);
            action
                .strip_prefix("Microsoft.ContainerService/managedClusters/")
                .unwrap_or(action)
        })
        .collect();
    short.join(", ")
}
