//! Deny assignments: they take away whatever any assignment gives
//! (<https://learn.microsoft.com/azure/role-based-access-control/deny-assignments>). Azure itself makes them:
//! for managed applications, deployment stacks, and the node resource group of a cluster that is locked down.

use model::{Estate, Ref, ResourceRef};

use super::Ask;
use super::builtin::guid;
use super::condition::{Condition, Outcome};
use super::definition::{self, Listed, Permission};
use super::principal::{Member, Who};
use super::scope::{self, Covers, Groups};

/// The object id that stands for everybody ("System-Defined Principal" of deny assignments).
const EVERYBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A deny assignment.
#[derive(Debug)]
pub(super) struct Deny {
    /// `deny assignment NAME`
    pub(super) name: Box<str>,
    scope: Box<str>,
    principals: Vec<Named>,
    excluded: Vec<Named>,
    permissions: Vec<Permission>,
    permissions_open: bool,
    /// It counts for the scope alone.
    here_only: bool,
    condition: Option<Condition>,
}

/// Whom it names.
#[derive(Debug)]
enum Named {
    Everybody,
    /// One that is said to be no group.
    One(Who),
    Who(Who),
}

/// Whether somebody is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Yes,
    Maybe,
    No,
}

impl Deny {
    pub(super) fn read_all(estate: &Estate) -> Vec<Self> {
        let mut found: Vec<Self> = estate
            .of_kind("Microsoft.Authorization/denyAssignments")
            .iter()
            .filter_map(|number| Self::read(estate, *number))
            .collect();
        found.extend(
            estate
                .of_kind("Microsoft.ContainerService/managedClusters")
                .iter()
                .filter_map(|number| Self::lockdown(estate, *number)),
        );
        found
    }

    fn read(estate: &Estate, number: ResourceRef) -> Option<Self> {
        let resource = estate.get(number)?;
        let azure = resource.azure.as_ref()?;
        let object = resource.object();
        let property = |key| object.path(&["properties", key]);
        let name = property("denyAssignmentName")
            .and_then(Ref::as_str)
            .unwrap_or(&resource.name.name);
        let (permissions, permissions_open) = definition::permissions(object);
        Some(Self {
            name: format!("deny assignment `{name}`").into(),
            scope: property("scope")
                .and_then(Ref::as_str)
                .or_else(|| model::azure::scope_of_id(&azure.id))
                .unwrap_or("/")
                .to_ascii_lowercase()
                .into(),
            principals: named(property("principals")),
            excluded: named(property("excludePrincipals")),
            permissions,
            permissions_open,
            here_only: property("doNotApplyToChildScopes").and_then(Ref::as_bool) == Some(true),
            condition: property("condition").and_then(Condition::of),
        })
    }

    /// What AKS makes for a node resource group that is locked: a deny assignment
    /// (<https://learn.microsoft.com/azure/aks/node-resource-group-lockdown>) that allows "only */read RBAC
    /// permissions"
    /// (<https://learn.microsoft.com/dotnet/api/azure.provisioning.containerservice.managedclusternoderesourcegrouprestrictionlevel>),
    /// and so no run-command either. Whom it leaves out is not documented: the cluster's own identities surely.
    fn lockdown(estate: &Estate, number: ResourceRef) -> Option<Self> {
        let resource = estate.get(number)?;
        let object = resource.object();
        let property = |keys: &[&str]| {
            object
                .get("properties")
                .and_then(|properties| properties.path(keys))
                .and_then(Ref::as_str)
        };
        let level = property(&["nodeResourceGroupProfile", "restrictionLevel"])?;
        if !level.eq_ignore_ascii_case("ReadOnly") {
            return None;
        }
        let scope = super::kubernetes::node_group(estate, number)?;
        let excluded = super::identities_of(estate, number)
            .into_iter()
            .map(|(_, who)| Named::Who(who))
            .collect();
        let all_but_reading = definition::Actions {
            allow: vec!["*".into()],
            except: vec!["*/read".into()],
            ..definition::Actions::default()
        };
        Some(Self {
            name: format!(
                "the lockdown of the node resource group of `{}`",
                resource.name.name
            )
            .into(),
            scope: scope.to_ascii_lowercase().into(),
            principals: vec![Named::Everybody],
            excluded,
            permissions: vec![Permission {
                control: all_but_reading,
                ..Permission::default()
            }],
            permissions_open: false,
            here_only: false,
            condition: None,
        })
    }

    /// Whether it takes an action away at a resource: `Some(true)` for certain.
    pub(super) fn takes(
        &self,
        ask: &Ask<'_>,
        target: &str,
        groups: &Groups,
        outcome: &dyn Fn(&Condition) -> Outcome,
    ) -> Option<bool> {
        let mut certain = match scope::covers(&self.scope, target, groups) {
            Covers::No => return None,
            Covers::Above if self.here_only => return None,
            Covers::Maybe => false,
            Covers::Above | Covers::Itself => true,
        };
        let mut takes = Listed::No;
        for permission in &self.permissions {
            let mut held = permission.of(ask.data).hold(ask.action);
            if matches!(held, Listed::Yes(_)) {
                match permission.condition.as_ref().map(outcome) {
                    Some(Outcome::Fails) => held = Listed::No,
                    Some(Outcome::Hangs(_)) => held = Listed::Open,
                    Some(Outcome::Holds) | None => {}
                }
            }
            match held {
                Listed::Yes(_) => {
                    takes = held;
                    break;
                }
                Listed::Open => takes = held,
                Listed::No => {}
            }
        }
        match takes {
            Listed::Yes(_) => {}
            Listed::Open => certain = false,
            Listed::No if self.permissions_open => certain = false,
            Listed::No => return None,
        }
        match self.condition.as_ref().map(outcome) {
            Some(Outcome::Fails) => return None,
            Some(Outcome::Hangs(_)) => certain = false,
            Some(Outcome::Holds) | None => {}
        }
        Some(certain)
    }

    /// Whether it counts for somebody.
    pub(super) fn denies(&self, who: &Who, member: &dyn Fn(&str, &str) -> Member) -> Denied {
        let meant = among(&self.principals, who, member);
        if meant == Member::No {
            return Denied::No;
        }
        match (meant, among(&self.excluded, who, member)) {
            (_, Member::Yes) => Denied::No,
            (Member::Yes, Member::No) => Denied::Yes,
            _ => Denied::Maybe,
        }
    }
}

fn named(list: Option<Ref<'_>>) -> Vec<Named> {
    let Some(list) = list else {
        return Vec::new();
    };
    if list.is_open() {
        return vec![Named::Who(Who::Open(
            list.open_shown().unwrap_or("an open value").into(),
        ))];
    }
    list.items()
        .map(|item| {
            let id = item.get("id").unwrap_or(item);
            match id.as_str().and_then(guid) {
                Some(id) if id == EVERYBODY => Named::Everybody,
                Some(id) => {
                    let kind = item.get("type").and_then(Ref::as_str).unwrap_or_default();
                    let one = ["User", "ServicePrincipal", "Device"]
                        .iter()
                        .any(|own| own.eq_ignore_ascii_case(kind));
                    let who = Who::Id(id.into());
                    if one {
                        Named::One(who)
                    } else {
                        Named::Who(who)
                    }
                }
                None => Named::Who(Who::Open(
                    id.as_str()
                        .or_else(|| id.open_shown())
                        .unwrap_or("an open value")
                        .into(),
                )),
            }
        })
        .collect()
}

/// Whether somebody is among those named.
fn among(list: &[Named], who: &Who, member: &dyn Fn(&str, &str) -> Member) -> Member {
    let mut maybe = false;
    for named in list {
        let one = match (named, who) {
            (Named::Everybody, _) => Member::Yes,
            (Named::Who(one) | Named::One(one), who) if one == who => Member::Yes,
            (Named::One(Who::Id(_)), Who::Id(_)) => Member::No,
            (Named::Who(Who::Id(group)), Who::Id(id)) => member(id, group),
            // What is only known when it is deployed can be anybody.
            (
                Named::Who(Who::Identity { .. }) | Named::One(Who::Identity { .. }),
                Who::Identity { .. },
            ) => Member::No,
            _ => Member::Maybe,
        };
        match one {
            Member::Yes => return Member::Yes,
            Member::Maybe => maybe = true,
            Member::No => {}
        }
    }
    if maybe { Member::Maybe } else { Member::No }
}
