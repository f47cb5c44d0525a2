//! Giving roles and writing them.
//!
//! Who may write role assignments without a condition gives itself Owner
//! (<https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-overview>); with one,
//! what the condition lets pass. Who may write role definitions widens a custom role that it holds: that needs
//! the right at all scopes that the role can be assigned at
//! (<https://learn.microsoft.com/azure/role-based-access-control/custom-roles>, "Who can create, delete, update, or
//! view a custom role").

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::Ref;

use super::held::{doubt_of, evidence, give_node, owner};
use super::powers::{self, ASSIGN, DATA, MANAGE, OWNER, WRITE_ROLES};
use super::{Azure, value};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::roles::builtin::guid;
use crate::roles::condition::{Outcome, ROLE_GIVEN};
use crate::roles::{Ask, Assignment, Covers, Role, Says};

/// Built-in roles that give a power, beside those that conditions name, by id.
const WORTH_GIVING: [&str; 15] = [
    // Owner
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    // Contributor
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    // User Access Administrator
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    // Role Based Access Control Administrator
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    // Azure Kubernetes Service Contributor Role
    "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
    // Azure Kubernetes Service Cluster Admin Role
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
    // Azure Kubernetes Service RBAC Cluster Admin
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
    // Virtual Machine Contributor
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
    // Key Vault Administrator
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    // Key Vault Secrets User
    "4633458b-17de-408a-b874-0445c86b69e6",
    // Storage Account Contributor
    "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    // Storage Blob Data Owner
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    // AcrPush
    "8311e382-0749-4cb8-b61a-304f252e45ec",
    // Managed Identity Contributor
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    // Managed Identity Operator
    "f1a07417-d97a-45cb-824c-7a7467783830",
];

/// Powers, and what each hangs on.
type Gives = BTreeMap<&'static str, Option<Box<str>>>;

/// Those who may give some roles only.
#[derive(Default)]
pub(super) struct Delegates {
    /// by what limits them: the powers that they may give, and whether that hangs on more
    known: HashMap<Box<str>, Arc<Gives>>,
}

impl Delegates {
    /// What somebody comes to by the roles that a condition lets it give.
    pub(super) fn add(
        &mut self,
        builder: &mut Builder<'_>,
        azure: &mut Azure<'_>,
        assignment: &Assignment,
    ) {
        let Role::Known(definition) = &assignment.role else {
            return;
        };
        let key = format!(
            "{}\n{}",
            definition.id,
            assignment.condition.as_ref().map_or("", |own| own.text())
        );
        let gives = match self.known.get(&*key) {
            Some(gives) => Arc::clone(gives),
            None => {
                let gives = Arc::new(givable(azure, assignment));
                self.known.insert(key.into(), Arc::clone(&gives));
                gives
            }
        };
        for (power, rest) in gives.iter() {
            let doubt = rest
                .as_ref()
                .map(|rest| format!("it is allowed only if {rest}"));
            let to = builder.power(power, &assignment.scope_key);
            give_node(builder, azure, assignment, to, Edge::AzureRoleGrant, doubt);
        }
    }
}

/// The powers of the roles that somebody may give.
fn givable(azure: &Azure<'_>, assignment: &Assignment) -> Gives {
    let mut found = Gives::new();
    let Role::Known(definition) = &assignment.role else {
        return found;
    };
    let mut candidates: BTreeSet<String> = WORTH_GIVING.iter().map(ToString::to_string).collect();
    let conditions = definition
        .permissions
        .iter()
        .filter_map(|permission| permission.condition.as_ref())
        .chain(&assignment.condition);
    for condition in conditions {
        candidates.extend(guids(condition.text()));
    }
    for id in candidates {
        let attributes = [(ROLE_GIVEN, Some(&*id))];
        let ask = Ask {
            action: ASSIGN,
            data: false,
            resource: &assignment.scope_key,
            attributes: &attributes,
        };
        let mut rests: Vec<Box<str>> = Vec::new();
        match azure.roles.role_says(definition, &ask) {
            Says::No | Says::Open => continue,
            Says::Yes { condition, .. } => rests.extend(condition),
        }
        match azure.roles.assignment_outcome(assignment, &ask) {
            Outcome::Fails => continue,
            Outcome::Hangs(rest) => rests.push(rest),
            Outcome::Holds => {}
        }
        let rest: Option<Box<str>> = (!rests.is_empty()).then(|| rests.join(", and ").into());
        let Some(given) = azure.roles.role(azure.estate, &id) else {
            continue;
        };
        let role = powers::Role::read(azure.roles, &given);
        let mut note = |name: &'static str| {
            found
                .entry(name)
                .and_modify(|known| {
                    if rest.is_none() {
                        *known = None;
                    }
                })
                .or_insert_with(|| rest.clone());
        };
        let free = |name: &str| {
            role.gives
                .iter()
                .any(|own| own.power.name == name && own.condition.is_none())
        };
        if role.owns || free(powers::GRANT_ROLES) {
            note(OWNER);
            continue;
        }
        if role.manages {
            note(MANAGE);
        }
        for own in &role.gives {
            let managed = role.manages && powers::is_managing(own.power);
            if own.condition.is_none() && !managed {
                note(own.power.name);
            }
        }
    }
    // Who gives itself Owner has the rest by that.
    if found.get(OWNER) == Some(&None) {
        found.retain(|name, _| *name == OWNER);
    }
    found.remove(DATA);
    found
}

/// GUIDs in a text.
fn guids(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-')
        .filter_map(guid)
        .collect()
}

/// Custom roles that somebody may widen who holds them.
pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let writers: BTreeSet<Box<str>> = builder.scopes_of(WRITE_ROLES);
    if writers.is_empty() {
        return;
    }
    for assignment in azure.roles.assignments() {
        let Role::Known(definition) = &assignment.role else {
            continue;
        };
        let Some(resource) = definition
            .resource
            .and_then(|number| azure.estate.get(number))
        else {
            continue;
        };
        let scopes: Vec<&str> = value(resource, &["properties", "assignableScopes"])
            .into_iter()
            .flat_map(Ref::items)
            .filter_map(|scope| scope.as_str().or_else(|| scope.open_expression()))
            .collect();
        let from = builder.principal(&assignment.who);
        let mut needs = Vec::new();
        let mut certain = !scopes.is_empty();
        let mut reached = true;
        for scope in scopes {
            let scope = scope.to_ascii_lowercase();
            let mut over = writers.iter().filter_map(|writer| {
                match azure.roles.scope_covers(writer, &scope) {
                    Covers::No => None,
                    covers => Some((writer, covers != Covers::Maybe)),
                }
            });
            match over.next() {
                Some((writer, sure)) => {
                    certain &= sure;
                    let needed = builder.power(WRITE_ROLES, writer);
                    needs.push(needed);
                }
                None => reached = false,
            }
        }
        if !reached {
            continue;
        }
        let why = (!certain).then_some("at which scopes the role can be assigned is not known");
        let evidence = evidence(builder, azure, assignment);
        let to = builder.power(OWNER, &assignment.scope_key);
        let draft = Draft::new(Edge::AzureRoleGrant, from, to);
        builder.add(
            needs
                .into_iter()
                .fold(draft, Draft::and)
                .by_all(evidence)
                .perhaps(why)
                .perhaps(doubt_of(assignment)),
        );
        owner(builder, &assignment.scope_key);
    }
}
