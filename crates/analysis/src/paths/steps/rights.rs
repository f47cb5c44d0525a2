//! From a subject of the cluster to what its rights amount to.
//!
//! Who holds which right is said by [`crate::rbac`] ([`Analyses::escalations`](crate::Analyses)); each fact
//! there is a right here, between those who hold it and what it leads to.

use crate::ask::{Evidence as Grant, Names, Subject, implied_groups, service_account};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::{EVERYTHING, Node, Place};

/// Rights that are held and what kind of step it is to use them.
const RIGHTS: &[(&str, Edge)] = &[
    ("token-request", Edge::TokenRequest),
    ("secret-read", Edge::SecretRead),
];

pub(super) fn add(builder: &mut Builder<'_>) {
    members(builder);
    held(builder);
    targets(builder);
}

/// Every service account is in groups that its name says.
fn members(builder: &mut Builder<'_>) {
    let accounts: Vec<(Box<str>, Box<str>)> = builder
        .accounts
        .iter()
        .flat_map(|(namespace, names)| names.iter().map(|name| (namespace.clone(), name.clone())))
        .collect();
    for (namespace, name) in accounts {
        let account = builder.account(&namespace, &name);
        let user = format!("system:serviceaccount:{namespace}:{name}");
        debug_assert!(service_account(&user).is_some());
        for group in implied_groups(&user) {
            let group = builder.subject(&Subject::Group(group.as_ref().into()));
            builder.implied(account, group);
        }
    }
}

/// Who holds which right.
fn held(builder: &mut Builder<'_>) {
    let analyses = builder.analyses;
    for escalation in analyses.escalations() {
        let edge = match escalation.id {
            EVERYTHING => Edge::BoundRole,
            id => match RIGHTS.iter().find(|(right, _)| *right == id) {
                Some((_, edge)) => *edge,
                None => continue,
            },
        };
        for held in &escalation.held {
            let from = builder.subject(&held.subject);
            let place = builder.place(&held.reach);
            let evidence: Vec<Evidence> = held
                .evidence
                .iter()
                .flat_map(|grant| granted(builder, grant, escalation.title))
                .collect();
            match &held.names {
                Names::Any => {
                    let right = builder.right(escalation.id, place);
                    builder.add(Draft::new(edge, from, right).by_all(evidence));
                }
                Names::Only(names) => {
                    for name in names {
                        named(builder, edge, from, place, name, &evidence);
                    }
                }
            }
        }
    }
}

/// A binding and the rule of the role that it gives.
fn granted(builder: &mut Builder<'_>, grant: &Grant, title: &str) -> Vec<Evidence> {
    match grant {
        Grant::Binding { binding, rule, .. } => vec![
            builder.seen_right(*binding, None, "gives the role"),
            builder.seen_right(rule.0, None, title),
        ],
        Grant::Assignment { assignment, .. } | Grant::Administrator { assignment, .. } => {
            vec![builder.seen(*assignment, None, title)]
        }
        Grant::Masters => Vec::new(),
    }
}

/// A right for some names only leads to these alone.
fn named(
    builder: &mut Builder<'_>,
    edge: Edge,
    from: NodeNo,
    place: Place,
    name: &str,
    evidence: &[Evidence],
) {
    let Place::Namespace(number) = place else {
        return;
    };
    let namespace = builder.names.texts.text(number).to_owned();
    let to = match edge {
        Edge::TokenRequest => builder.account(&namespace, name),
        Edge::SecretRead => builder.secret(&namespace, name),
        _ => return,
    };
    builder.add(Draft::new(edge, from, to).by_all(evidence.iter().cloned()));
}

/// What rights lead to.
fn targets(builder: &mut Builder<'_>) {
    let accounts = builder.accounts.clone();
    for (namespace, names) in &accounts {
        let place = builder.namespace(namespace);
        let right = builder.right("token-request", place);
        for name in names {
            let account = builder.account(namespace, name);
            builder.implied(right, account);
        }
    }
    // Who may do everything may do each of these.
    for (right, _) in RIGHTS {
        let everything: Vec<NodeNo> = builder
            .places_of(EVERYTHING)
            .into_iter()
            .map(|place| builder.right(EVERYTHING, place))
            .collect();
        for from in everything {
            let Node::Right(_, place) = builder.node_of(from) else {
                continue;
            };
            let to = builder.right(right, place);
            builder.implied(from, to);
        }
    }
}
