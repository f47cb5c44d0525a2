//! Pods opened to the network: by Services, Ingresses and routes, which lead the internet to them; by network
//! policies, which let others in.
//!
//! A Service of type LoadBalancer has a public address on AKS unless an annotation says otherwise
//! (<https://learn.microsoft.com/azure/aks/load-balancer-standard>). Network policies add to each other: one that lets
//! everybody in opens pods that others close (<https://kubernetes.io/docs/concepts/services-networking/network-policies/>).
//! What listens must have a weakness, so these steps are never sure. Left out: what an Ingress opens whose controller
//! alone is let in; policies of the whole cluster, which stand above those of a namespace; egress.

use std::collections::BTreeMap;

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::{Node, Place};
use crate::reach::{Direction, End, Workload, address};

const OPEN: &str = "network-open";
const POLICIES: &str = "network-policy-write";
const DOUBT: &str = "what listens there must have a weakness";

/// The workloads of a namespace: those that let the internet in, and those that do not with the policies that close
/// them.
#[derive(Default)]
struct Listening {
    open: Vec<NodeNo>,
    closed: Vec<NodeNo>,
    by: Vec<Evidence>,
}

pub(super) fn add(builder: &mut Builder<'_>) {
    let [opens, closes] = [OPEN, POLICIES].map(|right| builder.places_of(right));
    if opens.is_empty() && closes.is_empty() {
        return;
    }
    let everywhere = opens.contains(&Place::Cluster) || closes.contains(&Place::Cluster);
    let mut found = listening(builder, |place| {
        everywhere || opens.contains(&place) || closes.contains(&place)
    });
    // A Service leads to what no policy closes; the rest needs both.
    let mut anybody = None;
    for (place, own) in &mut found {
        let open = builder.right(OPEN, *place);
        if !own.open.is_empty() {
            let pods = hub(
                builder,
                "open-pods",
                *place,
                &own.open,
                own.closed.is_empty(),
            );
            builder.implied(open, pods);
        }
        if own.closed.is_empty() {
            continue;
        }
        let pods = hub(
            builder,
            "closed-pods",
            *place,
            &own.closed,
            own.open.is_empty(),
        );
        let policies = builder.right(POLICIES, *place);
        let network = *anybody.get_or_insert_with(|| network(builder));
        for from in [open, network] {
            builder.add(
                Draft::new(Edge::NetworkOpen, policies, pods)
                    .and(from)
                    .by_all(own.by.iter().cloned())
                    .perhaps(Some(DOUBT)),
            );
        }
    }
}

/// What stands for some pods of a namespace, or for all.
fn hub(
    builder: &mut Builder<'_>,
    right: &'static str,
    place: Place,
    workloads: &[NodeNo],
    all: bool,
) -> NodeNo {
    if all {
        return builder.right("pods", place);
    }
    let pods = builder.right(right, place);
    for workload in workloads {
        builder.implied(pods, *workload);
    }
    pods
}

/// What listens in the namespaces that are asked about.
fn listening(
    builder: &mut Builder<'_>,
    wanted: impl Fn(Place) -> bool,
) -> BTreeMap<Place, Listening> {
    let analyses = builder.analyses;
    let reach = analyses.reach();
    let public = address::public();
    let mut known: BTreeMap<usize, bool> = BTreeMap::new();
    let mut found: BTreeMap<Place, Listening> = BTreeMap::new();
    for (number, workload) in (0u32..).zip(reach.workloads()) {
        let place = builder.namespace(&workload.namespace);
        if !wanted(place) {
            continue;
        }
        let open = *known.entry(workload.class).or_insert_with(|| {
            // What no policy selects need not be asked about.
            reach.selecting(workload, Direction::Ingress).is_empty()
                || !reach.let_in(workload, &public).is_none()
        });
        let node = builder.node(Node::Workload(number));
        let own = found.entry(place).or_default();
        if open {
            own.open.push(node);
        } else {
            own.closed.push(node);
            if own.by.is_empty() {
                own.by = closed_by(builder, workload);
            }
        }
    }
    found
}

fn closed_by(builder: &mut Builder<'_>, workload: &Workload) -> Vec<Evidence> {
    let reach = builder.analyses.reach();
    reach
        .selecting(workload, Direction::Ingress)
        .into_iter()
        .map(|policy| builder.seen(policy, None, "closes pods of the namespace"))
        .collect()
}

/// A place in the network from which other pods are reached: code in any pod whose policies leave it free to ask.
fn network(builder: &mut Builder<'_>) -> NodeNo {
    let network = builder.right("pod-network", Place::Cluster);
    let analyses = builder.analyses;
    let reach = analyses.reach();
    let mut known: BTreeMap<usize, bool> = BTreeMap::new();
    for (number, workload) in (0u32..).zip(reach.workloads()) {
        let free = *known.entry(workload.class).or_insert_with(|| {
            matches!(reach.end_of(workload), End::Host(_))
                || !reach.isolated(workload, Direction::Egress)
        });
        if free {
            let from = builder.node(Node::Workload(number));
            builder.implied(from, network);
        }
    }
    network
}
