//! From principals of Entra to powers, by role assignments; from members to groups; from powers over a scope to
//! powers over what is below.
//!
//! An assignment gives its powers at its own scope, in one node for each power and scope, and these lead down
//! to the resources below: so neither principals nor resources multiply. Where a deny assignment may count
//! for a resource, [`Roles::holders`](crate::roles::Roles::holders) is asked for it instead
//! (<https://learn.microsoft.com/azure/role-based-access-control/overview>).

use std::collections::BTreeSet;

use model::{Ref, ResourceRef};

use super::grant;
use super::powers::{self, CARRY_IDENTITY, DATA, DEPLOY, Given, Known, MANAGE, OWNER, On, Power};
use super::{Azure, value};
use crate::ask::PrincipalKind;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo, Object};
use crate::paths::node::Node;
use crate::paths::words;
use crate::roles::builtin::guid;
use crate::roles::condition::Outcome;
use crate::roles::{Ask, Assignment, Role, Who};

pub(super) fn add(builder: &mut Builder<'_>, azure: &mut Azure<'_>) {
    let roles = azure.roles;
    let mut known = Known::default();
    let mut delegates = grant::Delegates::default();
    for assignment in roles.assignments() {
        let definition = match &assignment.role {
            Role::Known(definition) => definition,
            Role::Unknown(shown) => {
                let why = format!("what the role {shown} allows is not known");
                give(builder, azure, assignment, OWNER, Some(why));
                continue;
            }
        };
        let role = known.of(roles, definition);
        let free = assignment.condition.is_none();
        if role.owns && free && !denied(azure, powers::ASSIGN, &assignment.scope_key) {
            give(builder, azure, assignment, OWNER, None);
            continue;
        }
        let manages = role.manages && free;
        if manages {
            give(builder, azure, assignment, MANAGE, None);
        }
        for given in &role.gives {
            if manages && powers::is_managing(given.power) {
                continue;
            }
            power(builder, azure, assignment, given, &mut delegates);
        }
        if role.open && role.gives.is_empty() {
            let why = format!(
                "the template leaves open what the role {} allows",
                definition.name
            );
            give(builder, azure, assignment, OWNER, Some(why));
        }
    }
    owners(builder, azure);
    grant::add(builder, azure);
    spread(builder, azure);
}

/// One power by one assignment.
fn power(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    assignment: &Assignment,
    given: &Given,
    delegates: &mut grant::Delegates,
) {
    if given.action == powers::ASSIGN
        && (given.condition.is_some() || assignment.condition.is_some())
    {
        delegates.add(builder, azure, assignment);
        return;
    }
    let ask = Ask {
        action: given.action,
        data: given.power.data,
        resource: &assignment.scope_key,
        attributes: &[],
    };
    let rest = match azure.roles.assignment_outcome(assignment, &ask) {
        Outcome::Fails => return,
        Outcome::Holds => None,
        Outcome::Hangs(rest) => Some(rest),
    };
    if given.power.on == On::Tenant && !makes(assignment) {
        return;
    }
    let conditions: Vec<&str> = [given.condition.as_deref(), rest.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let doubt = (!conditions.is_empty())
        .then(|| format!("it is allowed only if {}", conditions.join(", and ")));
    if azure.roles.may_be_denied(&ask) {
        // Of what stands at this very scope everybody is asked about below.
        let own = azure
            .targets
            .iter()
            .any(|target| target.on == given.power.on && target.id == assignment.scope_key);
        if !own {
            asked(builder, azure, given.power, &assignment.scope_key);
        }
        return;
    }
    give(builder, azure, assignment, given.power.name, doubt);
}

/// Whether something new can be made at the scope: it is no single resource.
fn makes(assignment: &Assignment) -> bool {
    model::azure::type_of_id(&assignment.scope_key).is_none_or(|kind| {
        kind.starts_with("microsoft.management/")
            || kind.starts_with("microsoft.compute/virtualmachine")
            || kind == "microsoft.containerservice/managedclusters"
    })
}

/// Whether a denial may count at the scope itself.
fn denied(azure: &Azure<'_>, action: &str, scope: &str) -> bool {
    azure.roles.may_be_denied(&Ask {
        action,
        resource: scope,
        ..Ask::default()
    })
}

/// Why an assignment may give nothing, and what says that it does.
pub(super) fn doubt_of(assignment: &Assignment) -> Option<String> {
    if let Some(doubt) = &assignment.doubt {
        return Some(doubt.to_string());
    }
    assignment
        .eligible
        .then(|| "it is activated first in Privileged Identity Management".to_owned())
}

pub(super) fn evidence(
    builder: &mut Builder<'_>,
    azure: &Azure<'_>,
    assignment: &Assignment,
) -> Vec<Evidence> {
    let says = format!("gives the role {}", assignment.role.name());
    let at = azure
        .estate
        .get(assignment.resource)
        .and_then(|resource| value(resource, &["properties", "roleDefinitionId"]));
    let mut found = vec![builder.seen(assignment.resource, at, &says)];
    if let Role::Known(definition) = &assignment.role
        && let Some(number) = definition.resource
    {
        let at = azure
            .estate
            .get(number)
            .and_then(|resource| value(resource, &["properties", "permissions"]));
        found.push(builder.seen(number, at, "allows it"));
    }
    found
}

/// What kind of step it is that somebody uses a role.
pub(super) fn kind_of(azure: &Azure<'_>, who: &Who) -> Edge {
    if azure.on_nodes.contains_key(who) {
        Edge::KubeletIdentityRoles
    } else {
        Edge::AzureRole
    }
}

/// The cluster whose nodes carry an identity. For one of an add-on that is said of no object: what is asked of a
/// cluster concerns the kubelet's.
fn carried(builder: &mut Builder<'_>, azure: &Azure<'_>, who: &Who) -> Option<Evidence> {
    let (number, kubelet) = *azure.on_nodes.get(who)?;
    let name = azure.roles.name(who);
    if kubelet {
        return Some(builder.seen(number, None, &format!("its nodes carry {name}")));
    }
    let says = builder.say(&format!("nodes carry {name}, an add-on's identity"));
    Some(Evidence {
        object: Object::Nothing,
        value: None,
        says,
    })
}

fn give(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    assignment: &Assignment,
    power: &'static str,
    doubt: Option<String>,
) {
    let to = builder.power(power, &assignment.scope_key);
    give_node(
        builder,
        azure,
        assignment,
        to,
        kind_of(azure, &assignment.who),
        doubt,
    );
}

pub(super) fn give_node(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    assignment: &Assignment,
    to: NodeNo,
    edge: Edge,
    doubt: Option<String>,
) {
    azure.holds(&assignment.who, assignment.kind, assignment.resource);
    let from = builder.principal(&assignment.who);
    let evidence = evidence(builder, azure, assignment);
    let carries = carried(builder, azure, &assignment.who);
    builder.add(
        Draft::new(edge, from, to)
            .by_all(evidence)
            .by_all(carries)
            .perhaps(doubt)
            .perhaps(doubt_of(assignment)),
    );
}

/// Whoever owns a scope manages it, and gives itself what is left.
fn owners(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let mut scopes: BTreeSet<&str> = azure
        .roles
        .assignments()
        .iter()
        .map(|assignment| &*assignment.scope_key)
        .collect();
    scopes.extend(
        azure
            .targets
            .iter()
            .filter(|target| target.on == On::Scope)
            .map(|target| &*target.id),
    );
    for scope in scopes {
        owner(builder, scope);
    }
}

/// What follows from owning a scope, where somebody may.
pub(super) fn owner(builder: &mut Builder<'_>, scope: &str) {
    let number = builder.text(scope);
    if let Some(free) = builder.known(Node::Power(powers::GRANT_ROLES, number)) {
        let to = builder.power(OWNER, scope);
        builder.add(Draft::new(Edge::AzureRoleGrant, free, to));
    }
    let Some(from) = builder.known(Node::Power(OWNER, number)) else {
        return;
    };
    let manages = builder.power(MANAGE, scope);
    builder.implied(from, manages);
    let data = builder.power(DATA, scope);
    builder.add(Draft::new(Edge::AzureRoleGrant, from, data));
}

/// From powers over scopes to powers over what is below.
fn spread(builder: &mut Builder<'_>, azure: &mut Azure<'_>) {
    for number in 0..azure.targets.len() {
        let Some(target) = azure.targets.get(number) else {
            continue;
        };
        let (on, id) = (target.on, target.id.clone());
        let own: Vec<&'static Power> = powers::over(on).collect();
        let direct: Vec<&'static str> = if azure.roles.has_denials() {
            own.iter()
                .filter(|power| {
                    power
                        .actions
                        .iter()
                        .any(|action| is_denied(azure, power, action, &id))
                })
                .map(|power| power.name)
                .collect()
        } else {
            Vec::new()
        };
        let above = azure.above.get(number).cloned().unwrap_or_default();
        let mut names: Vec<&'static str> = if on == On::Scope {
            vec![OWNER]
        } else {
            vec![MANAGE, DATA]
        };
        names.extend(own.iter().map(|power| power.name));
        for name in names {
            if direct.contains(&name) {
                continue;
            }
            for (scope, maybe) in &above {
                down(builder, name, scope, &id, *maybe);
            }
        }
        for power in &own {
            if direct.contains(&power.name) {
                asked(builder, azure, power, &id);
                continue;
            }
            let all = if power.data { DATA } else { MANAGE };
            if on != On::Scope && builder.known_power(all, &id).is_some() {
                let from = builder.power(all, &id);
                let to = builder.power(power.name, &id);
                builder.implied(from, to);
            }
        }
        if on == On::Scope {
            owner(builder, &id);
        }
    }
    carriers(builder, azure);
}

fn is_denied(azure: &Azure<'_>, power: &Power, action: &str, id: &str) -> bool {
    azure.roles.may_be_denied(&Ask {
        action,
        data: power.data,
        resource: id,
        attributes: &[],
    })
}

/// A power over a scope is one over what is below.
fn down(builder: &mut Builder<'_>, name: &'static str, scope: &str, id: &str, maybe: bool) {
    if scope == id {
        return;
    }
    let Some(from) = builder.known_power(name, scope) else {
        return;
    };
    let to = builder.power(name, id);
    if maybe {
        let why = format!("whether {} holds it is not known", words::scope(scope));
        builder.add(Draft::new(Edge::AzureRole, from, to).perhaps(Some(why)));
    } else {
        builder.implied(from, to);
    }
}

/// Whoever holds a power over one resource, denials counted.
fn asked(builder: &mut Builder<'_>, azure: &mut Azure<'_>, power: &'static Power, id: &str) {
    let roles = azure.roles;
    let mut seen = BTreeSet::new();
    for action in power.actions {
        let holders = roles.holders(&Ask {
            action,
            data: power.data,
            resource: id,
            attributes: &[],
        });
        for grant in &holders.grants {
            // Its members stand for it, for a denial may name one of them.
            if grant.kind == PrincipalKind::Group && roles.knows_members(&grant.who) {
                continue;
            }
            let doubt = grant.doubts.first().map(ToString::to_string).or_else(|| {
                grant
                    .condition
                    .as_ref()
                    .map(|only| format!("it is allowed only if {only}"))
            });
            if !seen.insert((grant.who.clone(), doubt.is_some())) {
                continue;
            }
            azure.holds(&grant.who, grant.kind, grant.assignment);
            let from = if roles.has_other_members(&grant.who) {
                builder.other_members(&grant.who)
            } else {
                builder.principal(&grant.who)
            };
            let to = builder.power(power.name, id);
            let says = format!("gives the role {}", grant.role);
            let evidence = builder.seen(grant.assignment, None, &says);
            let edge = kind_of(azure, &grant.who);
            let carries = carried(builder, azure, &grant.who);
            builder.add(
                Draft::new(edge, from, to)
                    .by(evidence)
                    .by_all(carries)
                    .perhaps(doubt),
            );
        }
    }
}

/// Whoever may make something that carries an identity, anywhere, may attach one that it may assign; whoever may
/// deploy a template anywhere has it read what a vault lets deployments read.
fn carriers(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let mut scopes: BTreeSet<&str> = BTreeSet::new();
    for assignment in azure.roles.assignments() {
        if makes(assignment) {
            scopes.insert(&assignment.scope_key);
        }
    }
    for scope in scopes.into_iter().filter(|scope| *scope != "/") {
        for power in [CARRY_IDENTITY, DEPLOY] {
            for name in [MANAGE, power] {
                if let Some(from) = builder.known_power(name, scope) {
                    let to = builder.power(power, "/");
                    builder.implied(from, to);
                }
            }
        }
    }
}

/// Whoever owns a group adds members to it, themselves too
/// (<https://learn.microsoft.com/entra/fundamentals/how-to-manage-groups>); known where the group says its owners.
fn add_owners(builder: &mut Builder<'_>, azure: &mut Azure<'_>, group: ResourceRef, to: NodeNo) {
    let list = azure
        .estate
        .get(group)
        .and_then(|own| value(own, &["properties", "owners"]).or_else(|| value(own, &["owners"])));
    for owner in list.into_iter().flat_map(Ref::items) {
        let Some(id) = owner.as_str().and_then(|id| guid(id.rsplit('/').next()?)) else {
            continue;
        };
        let who = Who::Id(id.into());
        let from = builder.principal(&who);
        let evidence = builder.seen(group, Some(owner), "owns it, and adds members");
        builder.add(Draft::new(Edge::GroupMember, from, to).by(evidence));
        azure.holds(&who, PrincipalKind::NotSaid, group);
    }
}

/// Members of the groups that hold something, and of the groups in these.
pub(super) fn add_members(builder: &mut Builder<'_>, azure: &mut Azure<'_>) {
    let roles = azure.roles;
    let groups: std::collections::BTreeMap<&str, _> = roles
        .groups()
        .map(|(id, resource, members)| (id, (resource, members)))
        .collect();
    let mut open: Vec<Box<str>> = Vec::new();
    let mut seen: BTreeSet<Box<str>> = BTreeSet::new();
    for id in groups.keys() {
        let who = Who::Id((*id).into());
        if builder.known_principal(&who).is_some() && seen.insert((*id).into()) {
            open.push((*id).into());
        }
    }
    while let Some(id) = open.pop() {
        let Some((resource, members)) = groups.get(&*id) else {
            continue;
        };
        let to = builder.principal(&Who::Id(id.clone()));
        add_owners(builder, azure, *resource, to);
        let list = azure.estate.get(*resource).and_then(|group| {
            value(group, &["properties", "members"]).or_else(|| value(group, &["members"]))
        });
        for member in members.iter().copied().flatten() {
            let who = Who::Id(member.clone());
            let from = builder.principal(&who);
            let is_group = groups.contains_key(&**member);
            let evidence = builder.seen(*resource, list, "has it among its members");
            builder.add(Draft::new(Edge::GroupMember, from, to).by(evidence));
            let kind = if is_group {
                PrincipalKind::Group
            } else {
                PrincipalKind::NotSaid
            };
            azure.holds(&who, kind, *resource);
            if is_group && seen.insert(member.clone()) {
                open.push(member.clone());
            }
        }
    }
}
