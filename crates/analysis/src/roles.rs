//! Who may do what by Azure's roles: on Azure resources, and in clusters that ask Azure
//! ([`kubernetes`]).
//!
//! An action is allowed by a role assignment at the resource or above it whose role allows it
//! ([`definition`]), to the principal and to the members of the group it names ([`principal`]), unless a deny
//! assignment takes it away; a condition makes it *allowed if* ([`condition`])
//! (<https://learn.microsoft.com/azure/role-based-access-control/overview>, "How Azure RBAC determines if a user
//! has access to a resource"). What a template leaves open, a role that nobody knows and members that were not
//! read are doubts, never a no.
//!
//! Left out: classic administrators (retired in August 2024), and what needs no role: access keys of a
//! storage account, the admin user of a registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Completeness, Estate, ResourceRef, Scope, Within};

pub mod administrators;
mod assignment;
pub mod builtin;
pub mod condition;
pub mod critical;
pub mod definition;
mod deny;
mod each;
pub mod kubernetes;
pub mod pattern;
pub mod principal;
mod scope;

pub use assignment::{Assignment, Role};
pub use builtin::Builtin;
pub use definition::Definition;
pub(crate) use principal::user_assigned;
pub use principal::{Who, identities_of};

use crate::ask::{Answer, Evidence, Ground, PrincipalKind, Why};
use condition::{Asked, Condition, Outcome};
use definition::Listed;
use deny::{Denied, Deny};
use principal::{Directory, Member};
pub(crate) use scope::Covers;

/// The roles of an estate.
#[derive(Debug)]
pub struct Roles {
    builtin: Arc<Builtin>,
    assignments: Vec<Assignment>,
    denies: Vec<Deny>,
    directory: Directory,
    groups: scope::Groups,
    clusters: Vec<kubernetes::Cluster>,
    whole: Scope,
    completeness: Completeness,
    answers: Mutex<HashMap<Key, Arc<Holders>>>,
}

/// Action, whether it is a data action, resource, attributes.
type Key = (Box<str>, bool, Box<str>, Box<str>);

/// *Who may do this action there?*
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// `Microsoft.ContainerService/managedClusters/runCommand/action`
    pub action: &'a str,
    /// Whether it is a data action.
    pub data: bool,
    /// The id of the resource.
    pub resource: &'a str,
    /// What is known of the request's attributes, for conditions.
    pub attributes: &'a [(&'a str, Option<&'a str>)],
}

/// Who may, by what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holders {
    /// Whether all assignments that count are known.
    pub ground: Ground,
    /// In the order of the assignments; somebody who holds it twice stands twice.
    pub grants: Vec<Grant>,
    /// Why there may be more.
    pub unknown: Vec<Why>,
}

impl Default for Holders {
    fn default() -> Self {
        Self {
            ground: Ground::Complete,
            grants: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

/// Somebody who may, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub who: Who,
    /// What that is.
    pub kind: PrincipalKind,
    /// The groups through which it is given, outermost first.
    pub through: Vec<Box<str>>,
    /// The assignment.
    pub assignment: ResourceRef,
    /// The role's name.
    pub role: Box<str>,
    /// The resource of a custom role.
    pub definition: Option<ResourceRef>,
    /// The way to the action in the role: `permissions[0].actions[2]`.
    pub route: Box<str>,
    /// The scope of the assignment, as it is written.
    pub scope: Box<str>,
    /// The scope is above the resource.
    pub inherited: bool,
    /// What must hold as well.
    pub condition: Option<Box<str>>,
    /// Why it may not be so.
    pub doubts: Vec<Box<str>>,
}

impl Grant {
    /// Whether nothing stands against it.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        self.condition.is_none() && self.doubts.is_empty()
    }

    /// What grants it, in the words of questions.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence::Assignment {
            assignment: self.assignment,
            definition: self.definition,
            role: self.role.clone(),
            route: self.route.clone(),
        }
    }
}

impl Roles {
    /// Reads the roles of an estate.
    #[must_use]
    pub fn build(estate: &Estate, builtin: Arc<Builtin>) -> Self {
        let mut roles = Self {
            assignments: Vec::new(),
            denies: Deny::read_all(estate),
            directory: Directory::read(estate),
            groups: scope::Groups::read(estate),
            clusters: kubernetes::Cluster::read_all(estate),
            whole: estate.scope,
            completeness: estate.completeness.clone(),
            answers: Mutex::default(),
            builtin,
        };
        let mut definitions = assignment::Definitions::read(estate, &roles.builtin);
        for (kind, eligible) in assignment::GIVING {
            for number in estate.of_kind(kind) {
                roles.assignments.extend(Assignment::read(
                    estate,
                    *number,
                    eligible,
                    &mut definitions,
                ));
            }
        }
        roles
    }

    /// All assignments.
    #[must_use]
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// The assignments that name somebody, or a group that somebody is known to be in.
    pub fn assigned<'r>(&'r self, who: &'r Who) -> impl Iterator<Item = &'r Assignment> {
        self.assignments.iter().filter(move |assignment| {
            assignment.who == *who
                || match (who, &assignment.who) {
                    (Who::Id(own), Who::Id(group)) => {
                        self.directory.is_group(group)
                            && self.directory.is_member(own, group) == Member::Yes
                    }
                    _ => false,
                }
        })
    }

    /// The clusters.
    #[must_use]
    pub fn clusters(&self) -> &[kubernetes::Cluster] {
        &self.clusters
    }

    /// What people call somebody: a name where one is known, else the object id.
    #[must_use]
    pub fn name(&self, who: &Who) -> String {
        match who {
            Who::Id(id) => self.directory.name(id).unwrap_or_else(|| id.to_string()),
            Who::Identity { resource, path } => self.directory.identity_name(resource, path),
            Who::Open(shown) => shown.to_string(),
        }
    }

    /// Whether an action is a data action, as far as that is known.
    #[must_use]
    pub fn is_data_action(&self, action: &str) -> Option<bool> {
        let critical = critical::CRITICAL
            .iter()
            .find(|critical| critical.action.eq_ignore_ascii_case(action));
        match critical {
            Some(critical) => Some(critical.data),
            None if kubernetes::is_data_action(action) => Some(true),
            None => self.builtin.is_data_action(action),
        }
    }

    /// Where an action can be done: the resources of the estate of the type that it names; clusters, for what is
    /// done to any resource; the node resource groups of clusters, for what is done to their machines; with none of
    /// these, the scopes of the assignments.
    #[must_use]
    pub fn targets(&self, estate: &Estate, action: &str) -> Vec<Box<str>> {
        // Resources of these types hang on others.
        let anywhere = [
            "microsoft.authorization/",
            "microsoft.kubernetesconfiguration/",
            "microsoft.insights/diagnosticsettings/",
        ]
        .iter()
        .any(|start| action.to_ascii_lowercase().starts_with(start));
        if anywhere && !self.clusters.is_empty() {
            return self
                .clusters
                .iter()
                .map(|cluster| cluster.id.clone())
                .collect();
        }
        let mut kinds: Vec<&str> = action
            .match_indices('/')
            .skip(1)
            .filter_map(|(at, _)| action.get(..at))
            .collect();
        kinds.reverse();
        for kind in kinds.into_iter().filter(|_| !anywhere) {
            let ids: Vec<Box<str>> = estate
                .resources()
                .iter()
                .filter(|resource| resource.name.kind.is(kind))
                .filter_map(|resource| Some(resource.azure.as_ref()?.id.clone()))
                .collect();
            if !ids.is_empty() {
                return ids;
            }
        }
        let compute = action
            .to_ascii_lowercase()
            .starts_with("microsoft.compute/");
        let mut found: Vec<Box<str>> = if compute {
            self.clusters
                .iter()
                .map(|cluster| cluster.node_group.clone())
                .collect()
        } else {
            Vec::new()
        };
        if found.is_empty() {
            // A scope that is a resource of another type holds none of the wanted one.
            let wide = |scope: &str| {
                model::azure::type_of_id(scope).is_none_or(|kind| {
                    kind.eq_ignore_ascii_case("Microsoft.Management/managementGroups")
                        || action.len() > kind.len()
                            && action
                                .get(..kind.len())
                                .is_some_and(|start| start.eq_ignore_ascii_case(&kind))
                })
            };
            let scopes = self.assignments.iter().map(|assignment| &assignment.scope);
            found.extend(scopes.filter(|scope| wide(scope)).cloned());
        }
        found.sort();
        found.dedup();
        found
    }

    /// Who may do an action.
    #[must_use]
    pub fn holders(&self, ask: &Ask<'_>) -> Arc<Holders> {
        let key = key(ask);
        let known = self
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return known;
        }
        let found = Arc::new(self.find(ask));
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(&found));
        found
    }

    fn find(&self, ask: &Ask<'_>) -> Holders {
        let target = ask.resource.to_ascii_lowercase();
        let (ground, gap) = self.ground(&target);
        let mut holders = Holders {
            ground,
            grants: Vec::new(),
            unknown: gap.into_iter().collect(),
        };
        let denies = self.denies_of(ask, &target);
        let mut known = Known::default();
        for assignment in &self.assignments {
            let Some(mut grant) = self.given(assignment, ask, &target, &mut known) else {
                continue;
            };
            let Who::Id(id) = &assignment.who else {
                self.deny(&mut holders, grant, &denies);
                continue;
            };
            let is_group = self.directory.is_group(id);
            if is_group {
                grant.kind = PrincipalKind::Group;
            }
            if is_group || assignment.kind == PrincipalKind::Group {
                let (members, whole) = self.directory.members(id);
                if !whole {
                    holders.unknown.push(Why {
                        text: format!(
                            "not all members of group {} are known",
                            self.name(&assignment.who)
                        )
                        .into(),
                        resource: Some(assignment.resource),
                    });
                }
                for member in members {
                    let kind = if self.directory.is_group(&member.member) {
                        PrincipalKind::Group
                    } else {
                        PrincipalKind::NotSaid
                    };
                    let grant = Grant {
                        who: Who::Id(member.member),
                        kind,
                        through: member.through,
                        ..grant.clone()
                    };
                    self.deny(&mut holders, grant, &denies);
                }
            }
            self.deny(&mut holders, grant, &denies);
        }
        holders.unknown.sort();
        holders.unknown.dedup();
        holders
    }

    /// Whether every assignment that counts at a resource was read.
    #[must_use]
    pub fn knows_assignments(&self, resource: &str) -> bool {
        self.ground(&resource.to_ascii_lowercase()).0 == Ground::Complete
    }

    /// Whether all assignments that count at a resource were read, and why not where that is known.
    fn ground(&self, target: &str) -> (Ground, Option<Why>) {
        let absent =
            self.completeness
                .absent(self.whole, assignment::ASSIGNMENTS, Within::Id(target));
        let Some(reason) = absent else {
            return (Ground::Complete, None);
        };
        let gap = self.completeness.describe(reason).map(|text| Why {
            text: text.into(),
            resource: None,
        });
        (Ground::ByWhatWasGiven, gap)
    }

    /// What an assignment gives to the one it names, before denials.
    fn given<'r>(
        &'r self,
        assignment: &'r Assignment,
        ask: &Ask<'_>,
        target: &str,
        known: &mut Known<'r>,
    ) -> Option<Grant> {
        let covers = *known
            .scopes
            .entry(&assignment.scope_key)
            .or_insert_with(|| scope::covers(&assignment.scope_key, target, &self.groups));
        if covers == Covers::No {
            return None;
        }
        let mut grant = Grant {
            who: assignment.who.clone(),
            kind: assignment.kind,
            through: Vec::new(),
            assignment: assignment.resource,
            role: assignment.role.name().into(),
            definition: None,
            route: Box::default(),
            scope: assignment.scope.clone(),
            inherited: covers != Covers::Itself,
            condition: None,
            doubts: assignment.doubt.iter().cloned().collect(),
        };
        let mut conditions: Vec<Box<str>> = Vec::new();
        if assignment.eligible {
            conditions.push("it is activated in Privileged Identity Management".into());
        }
        match &assignment.role {
            Role::Unknown(shown) => grant
                .doubts
                .push(format!("what the role `{shown}` allows is not known").into()),
            Role::Known(definition) => {
                grant.definition = definition.resource;
                let says = known
                    .roles
                    .entry(Arc::as_ptr(definition))
                    .or_insert_with(|| self.says(definition, ask));
                match says {
                    Says::No => return None,
                    Says::Yes { route, condition } => {
                        grant.route = route.clone();
                        conditions.extend(condition.iter().cloned());
                    }
                    Says::Open => grant.doubts.push(
                        format!(
                            "the template leaves open what the role `{}` allows",
                            definition.name
                        )
                        .into(),
                    ),
                }
            }
        }
        match assignment
            .condition
            .as_ref()
            .map(|condition| self.outcome(condition, ask))
        {
            Some(Outcome::Fails) => return None,
            Some(Outcome::Hangs(rest)) => conditions.push(rest),
            Some(Outcome::Holds) | None => {}
        }
        if covers == Covers::Maybe {
            grant.doubts.push(
                format!(
                    "whether its scope {} holds it is not known",
                    model::azure::shown(&assignment.scope)
                )
                .into(),
            );
        }
        if !conditions.is_empty() {
            grant.condition = Some(conditions.join(", and ").into());
        }
        Some(grant)
    }

    /// Whether a role allows an action.
    fn says(&self, definition: &Definition, ask: &Ask<'_>) -> Says {
        let mut open = definition.open;
        let mut hanging: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (number, permission) in definition.permissions.iter().enumerate() {
            let at = match permission.of(ask.data).hold(ask.action) {
                Listed::No => continue,
                Listed::Open => {
                    open = true;
                    continue;
                }
                Listed::Yes(at) => at,
            };
            let list = if ask.data { "dataActions" } else { "actions" };
            let route = format!("permissions[{number}].{list}[{at}]").into();
            match permission
                .condition
                .as_ref()
                .map(|condition| self.outcome(condition, ask))
            {
                None | Some(Outcome::Holds) => {
                    return Says::Yes {
                        route,
                        condition: None,
                    };
                }
                Some(Outcome::Fails) => {}
                Some(Outcome::Hangs(rest)) => hanging.push((route, rest)),
            }
        }
        if open {
            return Says::Open;
        }
        let Some((route, _)) = hanging.first().cloned() else {
            return Says::No;
        };
        let rests: Vec<&str> = hanging.iter().map(|(_, rest)| &**rest).collect();
        Says::Yes {
            route,
            condition: Some(rests.join(", or ").into()),
        }
    }

    fn outcome(&self, condition: &Condition, ask: &Ask<'_>) -> Outcome {
        let asked = Asked {
            action: ask.action,
            attributes: ask.attributes,
        };
        condition.outcome(&asked, &|id| self.builtin.name_of(id).map(str::to_owned))
    }

    /// The denials that take the action away at this resource, and whether that is certain.
    fn denies_of(&self, ask: &Ask<'_>, target: &str) -> Vec<(&Deny, bool)> {
        self.denies
            .iter()
            .filter_map(|deny| {
                let certain = deny.takes(ask, target, &self.groups, &|condition| {
                    self.outcome(condition, ask)
                })?;
                Some((deny, certain))
            })
            .collect()
    }

    /// Adds a grant, unless it is denied.
    fn deny(&self, holders: &mut Holders, mut grant: Grant, denies: &[(&Deny, bool)]) {
        let member = |who: &str, group: &str| {
            if grant.through.iter().any(|own| **own == *group) {
                Member::Yes
            } else {
                self.directory.is_member(who, group)
            }
        };
        let mut doubts = Vec::new();
        for (deny, certain) in denies {
            match (deny.denies(&grant.who, &member), certain) {
                (Denied::No, _) => {}
                (Denied::Yes, true) => return,
                _ => doubts.push(format!("{} may deny it", deny.name).into()),
            }
        }
        grant.doubts.append(&mut doubts);
        holders.grants.push(grant);
    }

    /// Whether somebody may do an action. `groups` are the object ids of all groups they are in, where that is
    /// known (a token lists them); else what the estate holds of Entra counts.
    #[must_use]
    pub fn can(&self, id: &str, groups: Option<&[&str]>, ask: &Ask<'_>) -> Answer {
        let id = builtin::guid(id).unwrap_or_else(|| id.to_owned());
        let groups: Option<Vec<String>> = groups.map(|groups| {
            groups
                .iter()
                .filter_map(|group| builtin::guid(group))
                .collect()
        });
        let member = |who: &str, group: &str| match &groups {
            Some(groups) if who == id => {
                if groups.iter().any(|own| own == group) {
                    Member::Yes
                } else {
                    Member::No
                }
            }
            _ => self.directory.is_member(who, group),
        };
        let target = ask.resource.to_ascii_lowercase();
        let denies = self.denies_of(ask, &target);
        let mut known = Known::default();
        let (ground, gap) = self.ground(&target);
        // What could not be read may give it.
        let mut best = match gap {
            Some(gap) => Answer::Unknown(vec![gap]),
            None => Answer::No(ground),
        };
        let me = Who::Id(id.as_str().into());
        for assignment in &self.assignments {
            let is_me = match &assignment.who {
                Who::Id(own) if **own == *id => Member::Yes,
                Who::Id(group)
                    if assignment.kind == PrincipalKind::User
                        || assignment.kind == PrincipalKind::ServicePrincipal
                            && !self.directory.is_group(group) =>
                {
                    Member::No
                }
                Who::Id(group) => {
                    let found = member(&id, group);
                    if found == Member::Maybe && assignment.kind == PrincipalKind::NotSaid {
                        // Nobody says that it is a group.
                        Member::Maybe
                    } else {
                        found
                    }
                }
                Who::Identity { .. } | Who::Open(_) => Member::Maybe,
            };
            if is_me == Member::No {
                continue;
            }
            let Some(mut grant) = self.given(assignment, ask, &target, &mut known) else {
                continue;
            };
            if is_me == Member::Maybe {
                grant.doubts.push(
                    format!(
                        "whether {} is meant is not known",
                        self.name(&assignment.who)
                    )
                    .into(),
                );
            }
            let mut denied = false;
            for (deny, certain) in &denies {
                match (deny.denies(&me, &member), certain) {
                    (Denied::No, _) => {}
                    (Denied::Yes, true) => denied = true,
                    _ => grant
                        .doubts
                        .push(format!("{} may deny it", deny.name).into()),
                }
            }
            if !denied {
                best = best.or(answer(grant));
            }
        }
        best
    }
}

/// A grant as an answer.
fn answer(grant: Grant) -> Answer {
    let evidence = grant.evidence();
    if !grant.doubts.is_empty() {
        return Answer::Unknown(
            grant
                .doubts
                .into_iter()
                .map(|text| Why {
                    text,
                    resource: Some(grant.assignment),
                })
                .collect(),
        );
    }
    match grant.condition {
        Some(condition) => Answer::If {
            evidence,
            condition,
        },
        None => Answer::Yes(evidence),
    }
}

/// What was found out for one question: scopes and roles come again and again.
#[derive(Default)]
struct Known<'r> {
    scopes: HashMap<&'r str, Covers>,
    roles: HashMap<*const Definition, Says>,
}

/// Whether a role allows an action, and where.
pub(crate) enum Says {
    /// No.
    No,
    /// Yes.
    Yes {
        /// the way to the action in the role
        route: Box<str>,
        /// what must hold as well
        condition: Option<Box<str>>,
    },
    /// The template leaves it open.
    Open,
}

fn key(ask: &Ask<'_>) -> Key {
    let attributes: Vec<String> = ask
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={}", value.unwrap_or("\u{0}")))
        .collect();
    (
        ask.action.to_ascii_lowercase().into(),
        ask.data,
        ask.resource.to_ascii_lowercase().into(),
        attributes.join("\n").into(),
    )
}
