//! Roles that are bound, widened, added to.
//!
//! The API server asks for `bind` or `escalate` beside the write itself (kubernetes pkg/registry/rbac, the
//! `policybased` storages), of the same subject: that is in the deeds. Who holds the role that is widened is
//! another matter, so that is a need of its own. Whoever may bind or widen without these verbs gives away only
//! what they hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::ResourceRef;

use super::deeds::{Deed, Use};
use super::{Hand, Hands, role_node};
use crate::ask::Names;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::NodeNo;
use crate::paths::node::{EVERYTHING, Place};
use crate::rbac::BindingView;

/// The steps of somebody who may bind or write roles.
pub(super) fn lay(builder: &mut Builder<'_>, hands: &mut Hands, deed: &Deed, hand: &Hand) {
    let any = hand.names.iter().all(|names| *names == Names::Any);
    match deed.leads {
        Use::Bind {
            everywhere,
            cluster_role,
        } => bind(builder, hands, deed, hand, everywhere, cluster_role),
        Use::Rebind { .. } | Use::Widen { .. } | Use::Invent { .. } if any => {
            let right = builder.right(deed.right, hand.place);
            builder.add(hand.step(deed.edge, right));
        }
        Use::Rebind {
            everywhere,
            cluster_role,
        } => rebind(builder, hands, hand, everywhere, cluster_role),
        Use::Widen { cluster_role } => widen(builder, hands, hand, cluster_role),
        _ => {}
    }
}

fn bind(
    builder: &mut Builder<'_>,
    hands: &mut Hands,
    deed: &Deed,
    hand: &Hand,
    everywhere: bool,
    cluster_role: bool,
) {
    match hand.names.last() {
        Some(Names::Only(names)) => {
            for name in names {
                for (role, place) in
                    roles_named(builder, name, hand.place, everywhere, cluster_role)
                {
                    hands.want(role, place);
                    let to = role_node(builder, role, place);
                    builder.add(hand.step(Edge::RoleBind, to));
                }
            }
        }
        // cluster-admin is among them; in one namespace it gives everything there.
        _ if cluster_role && (everywhere || hand.place != Place::Cluster) => {
            let to = builder.right(EVERYTHING, hand.place);
            builder.add(hand.step(Edge::RoleBind, to));
        }
        _ => {
            let right = builder.right(deed.right, hand.place);
            builder.add(hand.step(deed.edge, right));
        }
    }
}

/// The roles of a name that can be bound, and where.
fn roles_named(
    builder: &mut Builder<'_>,
    name: &str,
    place: Place,
    everywhere: bool,
    cluster_role: bool,
) -> Vec<(ResourceRef, Place)> {
    let estate = &builder.analyses.rights().estate;
    let find = |namespace: &str, kind: &str| estate.number_of(estate.find(namespace, kind, name)?);
    if everywhere {
        let role = find("", "ClusterRole");
        return role
            .map(|role| (role, Place::Cluster))
            .into_iter()
            .collect();
    }
    let namespaces: Vec<Box<str>> = match place {
        Place::Cluster => builder.namespaces.iter().cloned().collect(),
        Place::Namespace(number) => vec![builder.names.texts.text(number).into()],
    };
    let mut found = Vec::new();
    for namespace in namespaces {
        let role = if cluster_role {
            find("", "ClusterRole")
        } else {
            find(&namespace, "Role")
        };
        if let Some(role) = role {
            found.push((role, builder.namespace(&namespace)));
        }
    }
    found
}

fn may(names: Option<&Names>, name: &str) -> bool {
    match names {
        Some(Names::Only(names)) => names.contains(name),
        Some(Names::Any) => true,
        None => false,
    }
}

/// Adds itself to a binding that is there: its role is not changed, so `bind` is asked for that.
fn rebind(
    builder: &mut Builder<'_>,
    hands: &mut Hands,
    hand: &Hand,
    everywhere: bool,
    cluster_role: bool,
) {
    for binding in changeable(hands, everywhere, cluster_role) {
        let place = builder.place(&binding.reach);
        let within = hand.place == Place::Cluster || hand.place == place;
        if !within
            || !may(hand.names.first(), &binding.name)
            || !may(hand.names.last(), &binding.role_name)
        {
            continue;
        }
        for role in binding.roles.iter().copied() {
            hands.want(role, place);
            let to = role_node(builder, role, place);
            let by = builder.seen_right(binding.resource, None, "is there to be changed");
            builder.add(hand.step(Edge::RoleBind, to).by(by));
        }
    }
}

fn changeable(hands: &Hands, everywhere: bool, cluster_role: bool) -> Vec<Arc<BindingView>> {
    hands
        .bindings
        .iter()
        .filter(|binding| binding.everywhere == everywhere && binding.cluster_role == cluster_role)
        .cloned()
        .collect()
}

/// Widens roles of some names.
fn widen(builder: &mut Builder<'_>, hands: &mut Hands, hand: &Hand, cluster_role: bool) {
    let [one, two] = hand.names.as_slice() else {
        return;
    };
    let names: BTreeSet<Box<str>> = match (one, two) {
        (Names::Only(one), Names::Only(two)) => one.intersection(two).cloned().collect(),
        (Names::Only(names), Names::Any) | (Names::Any, Names::Only(names)) => names.clone(),
        (Names::Any, Names::Any) => return,
    };
    let rights = builder.analyses.rights();
    for binding in hands.bindings.clone().iter() {
        let place = builder.place(&binding.reach);
        // A Role stands in the namespace of the binding.
        let within = cluster_role || hand.place == Place::Cluster || hand.place == place;
        if binding.cluster_role != cluster_role || !within || !names.contains(&binding.role_name) {
            continue;
        }
        for role in binding.roles.iter().copied() {
            hands.hold(role, place);
            let held = role_node(builder, role, place);
            let everything = builder.right(EVERYTHING, place);
            builder.add(hand.step(Edge::RoleEscalate, everything).and(held));
        }
    }
    // With a label, an aggregate takes its rules.
    let there = names
        .iter()
        .any(|name| rights.estate.find("", "ClusterRole", name).is_some());
    if cluster_role && there {
        let invent = builder.right("cluster-role-invent", Place::Cluster);
        builder.add(hand.step(Edge::RoleAggregation, invent));
    }
}

/// What the rights over all roles of a kind lead to; it may make more roles wanted.
pub(super) fn targets(builder: &mut Builder<'_>, hands: &mut Hands) {
    let namespaces: Vec<Box<str>> = builder.namespaces.iter().cloned().collect();
    for namespace in &namespaces {
        let place = builder.namespace(namespace);
        let bind = builder.right("role-bind", place);
        let everything = builder.right(EVERYTHING, place);
        builder.implied(bind, everything);
    }
    let rights = builder.analyses.rights();
    let own = builder.places_of("own-role-bind");
    if !own.is_empty() {
        for id in rights.estate.of_kind("Role") {
            let Some(role) = rights.estate.get(*id) else {
                continue;
            };
            let namespace = crate::reach::namespace_of(role).to_owned();
            let place = builder.namespace(&namespace);
            if own.contains(&place) || own.contains(&Place::Cluster) {
                let bind = builder.right("own-role-bind", place);
                hands.want(*id, place);
                let to = role_node(builder, *id, place);
                builder.implied(bind, to);
            }
        }
    }
    for (right, everywhere, cluster_role) in [
        ("cluster-role-rebind", true, true),
        ("role-rebind", false, true),
        ("own-role-rebind", false, false),
    ] {
        let held = builder.places_of(right);
        if held.is_empty() {
            continue;
        }
        for binding in changeable(hands, everywhere, cluster_role) {
            let place = builder.place(&binding.reach);
            if !held.contains(&place) && !held.contains(&Place::Cluster) {
                continue;
            }
            let from = builder.right(right, place);
            let by = builder.seen_right(binding.resource, None, "is there to be changed");
            for role in binding.roles.iter().copied() {
                hands.want(role, place);
                let to = role_node(builder, role, place);
                builder.add_once(Draft::new(Edge::RoleBind, from, to).by(by.clone()));
            }
        }
    }
}

/// Who holds roles that somebody may widen or add to.
pub(super) fn held(builder: &mut Builder<'_>, hands: &Hands) {
    let rights = builder.analyses.rights();
    let mut places: BTreeSet<(bool, Place)> = BTreeSet::new();
    let mut aggregated: BTreeSet<Place> = BTreeSet::new();
    for binding in hands.bindings.iter() {
        let place = builder.place(&binding.reach);
        let roles: Vec<bool> = binding
            .roles
            .iter()
            .map(|role| is_aggregate(builder, *role))
            .collect();
        for (number, subject) in &binding.subjects {
            let from = builder.subject(subject);
            if binding.roles.is_empty() {
                let value = super::item(rights, binding.resource, "subjects", *number);
                let says = "binds a role that is not there";
                let by = builder.seen_right(binding.resource, value, says);
                dangling(builder, binding, from, place, by);
                continue;
            }
            places.insert((binding.cluster_role, place));
            let right = builder.right(held_right(binding.cluster_role), place);
            builder.implied(from, right);
            if roles.contains(&true) {
                aggregated.insert(place);
                let right = builder.right("aggregate-held", place);
                builder.implied(from, right);
            }
            for role in &binding.roles {
                if hands.is_held(*role, place) {
                    let to = role_node(builder, *role, place);
                    builder.implied(from, to);
                }
            }
        }
    }
    // Those that can be bound first.
    for (role, place) in hands.wanted() {
        let from = role_node(builder, *role, *place);
        let resource = rights.estate.get(*role);
        let cluster_role = resource.is_some_and(|role| role.name.kind.name() == "ClusterRole");
        places.insert((cluster_role, *place));
        let right = builder.right(held_right(cluster_role), *place);
        builder.implied(from, right);
        if is_aggregate(builder, *role) {
            aggregated.insert(*place);
            let right = builder.right("aggregate-held", *place);
            builder.implied(from, right);
        }
    }
    let always = builder.always("everybody who is bound to the role has what is added");
    for (cluster_role, place) in places {
        let held = builder.right(held_right(cluster_role), place);
        let widen = if cluster_role {
            builder.right("cluster-role-widen", Place::Cluster)
        } else {
            builder.right("role-widen", place)
        };
        let everything = builder.right(EVERYTHING, place);
        let draft = Draft::new(Edge::RoleEscalate, widen, everything).and(held);
        builder.add(draft.by(always.clone()));
    }
    let invent = builder.right("cluster-role-invent", Place::Cluster);
    for place in aggregated {
        let held = builder.right("aggregate-held", place);
        let everything = builder.right(EVERYTHING, place);
        let draft = Draft::new(Edge::RoleAggregation, invent, everything).and(held);
        builder.add(draft.by(always.clone()));
    }
}

const fn held_right(cluster_role: bool) -> &'static str {
    if cluster_role {
        "cluster-role-held"
    } else {
        "role-held"
    }
}

/// A binding to a role that is not there: whoever may create the role makes it anything.
fn dangling(
    builder: &mut Builder<'_>,
    binding: &BindingView,
    from: NodeNo,
    place: Place,
    by: crate::paths::Evidence,
) {
    let invent = if binding.cluster_role {
        builder.right("cluster-role-invent", Place::Cluster)
    } else {
        builder.right("role-invent", place)
    };
    let everything = builder.right(EVERYTHING, place);
    builder.add(
        Draft::new(Edge::RoleEscalate, from, everything)
            .and(invent)
            .by(by)
            .perhaps(binding.unresolved.clone()),
    );
}

fn is_aggregate(builder: &Builder<'_>, role: ResourceRef) -> bool {
    let estate = &builder.analyses.rights().estate;
    estate.get(role).is_some_and(|role| {
        role.object()
            .path(&["aggregationRule", "clusterRoleSelectors"])
            .is_some()
    })
}
