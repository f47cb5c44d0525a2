//! Rights that other families need, as questions to the table of rights.

use std::collections::BTreeSet;

use crate::ask::{Attributes, Evidence as Grant, Names, Question, ResourceTarget, Target, Within};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::paths::node::Place;

/// A request, as rules name it.
pub(super) struct Request {
    pub(super) verb: &'static str,
    /// `pods/log`
    pub(super) resource: &'static str,
    pub(super) says: &'static str,
}

/// Leads everybody who may do something to the right to it; where somebody may. Only those count who may for every
/// name. Who may do everything is left out: they need no more.
pub(super) fn holders(
    builder: &mut Builder<'_>,
    right: &'static str,
    edge: Edge,
    request: &Request,
    within: Within<'_>,
) -> BTreeSet<Place> {
    let (resource, subresource) = request
        .resource
        .split_once('/')
        .unwrap_or((request.resource, ""));
    let question = Question {
        attributes: Attributes {
            verb: request.verb,
            target: Target::Resource(ResourceTarget {
                resource,
                subresource,
                ..ResourceTarget::default()
            }),
        },
        within,
    };
    let found = builder.analyses.rights().rbac.who_can(&question);
    let mut places = BTreeSet::new();
    for holder in found.holders {
        let Grant::Binding { binding, rule, .. } = holder.evidence else {
            continue;
        };
        // What every cluster has is held by controllers, whose accounts are worth more than this.
        let built_in = builder
            .analyses
            .rights()
            .taken_from
            .get(binding.0 as usize)
            .is_none();
        if holder.names != Names::Any || built_in {
            continue;
        }
        let from = builder.subject(&holder.subject);
        let place = builder.place(&holder.reach);
        let to = builder.right(right, place);
        let evidence: [Evidence; 2] = [
            builder.seen_right(binding, None, "the binding gives the role"),
            builder.seen_right(rule.0, None, request.says),
        ];
        let condition = holder
            .condition
            .map(|condition| format!("only if {condition}"));
        builder.add(
            Draft::new(edge, from, to)
                .by_all(evidence)
                .perhaps(condition),
        );
        places.insert(place);
    }
    places
}
