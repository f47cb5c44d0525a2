//! From pod to pod over the network.
//!
//! Who reaches whom is said by [`crate::reach`]; that what listens there has a weakness is not known, so these
//! steps are never sure. Pods of which no policy tells apart the ends that they reach share one network
//! position.

use std::collections::{BTreeMap, HashMap};

use model::ResourceRef;

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::paths::node::Node;
use crate::reach::{ConnId, End};

const DOUBT: &str = "what listens there must have a weakness";

pub(super) fn add(builder: &mut Builder<'_>) {
    let reach = builder.analyses.reach();
    let mut classes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (number, workload) in reach.workloads().iter().enumerate() {
        classes
            .entry(workload.class)
            .or_default()
            .push(number as u32);
    }
    let ends: Vec<(usize, usize)> = reach
        .ends()
        .filter_map(|(number, end)| match end {
            End::Pods(class) | End::Host(class) => Some((number, class)),
            _ => None,
        })
        .collect();
    let namespaces: HashMap<Box<str>, ResourceRef> = builder
        .estate
        .of_kind("Namespace")
        .iter()
        .filter_map(|id| Some((*id, builder.estate.get(*id)?)))
        .filter(|(_, namespace)| !namespace.implied)
        .map(|(id, namespace)| (namespace.name.name.clone(), id))
        .collect();
    let of_class: BTreeMap<usize, Vec<Evidence>> = classes
        .iter()
        .map(|(class, workloads)| {
            let listening = builder.node(Node::Class(*class as u32));
            for workload in workloads {
                let target = builder.node(Node::Workload(*workload));
                builder.implied(listening, target);
            }
            (*class, evidence(builder, workloads, &namespaces))
        })
        .collect();
    let mut matrix = reach.matrix();
    // The number of a position is that of the first workload in it.
    let mut positions: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
    for (number, class) in &ends {
        let row = matrix.from(*number);
        let reached: Vec<usize> = ends
            .iter()
            .filter(|(other, _)| row.get(*other).is_some_and(|conn| *conn != ConnId::NONE))
            .map(|(_, class)| *class)
            .collect();
        let Some(members) = classes.get(class) else {
            continue;
        };
        let first = members.first().copied().unwrap_or_default();
        if reached.is_empty() {
            continue;
        }
        let known = positions.get(&reached).copied();
        let position = builder.node(Node::Network(known.unwrap_or(first)));
        if known.is_none() {
            for class in &reached {
                let listening = builder.node(Node::Class(*class as u32));
                let evidence = of_class.get(class).cloned().unwrap_or_default();
                builder.add(
                    Draft::new(Edge::LateralNetwork, position, listening)
                        .by_all(evidence)
                        .perhaps(Some(DOUBT)),
                );
            }
            positions.insert(reached, first);
        }
        for workload in members {
            let from = builder.node(Node::Workload(*workload));
            builder.implied(from, position);
        }
    }
}

/// Where a policy would close the pods of a class: the first of them, and their namespace.
fn evidence(
    builder: &mut Builder<'_>,
    workloads: &[u32],
    namespaces: &HashMap<Box<str>, ResourceRef>,
) -> Vec<Evidence> {
    let first = workloads.first().map(|number| *number as usize);
    let Some(workload) = first.and_then(|first| builder.names.workloads.get(first).cloned()) else {
        return Vec::new();
    };
    let mut found = vec![builder.seen(
        workload.resource,
        None,
        "the policies of both ends let ports of it through",
    )];
    if let Some(id) = namespaces.get(&workload.namespace) {
        found.push(builder.seen(*id, None, "its policies let traffic in"));
    }
    found
}
