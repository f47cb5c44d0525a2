//! From rights over pods, over what makes them and over namespaces to pods, service accounts and nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deeds::Deed;
use super::{Hand, Hands};
use crate::paths::admission::{Admitted, Shape};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{Evidence, NodeNo};
use crate::paths::node::{Node, Place};

mod guards;

/// Root on the nodes of every pool.
pub(in crate::paths) const EVERY_NODE: &str = "every-node";

/// Rights to change what makes pods, by the kind that they are for.
const MAKERS: [(&str, &str); 6] = [
    ("Deployment", "deployment-patch"),
    ("DaemonSet", "daemonset-patch"),
    ("StatefulSet", "statefulset-patch"),
    ("ReplicaSet", "replicaset-patch"),
    ("CronJob", "cronjob-patch"),
    ("ReplicationController", "controller-patch"),
];

pub(super) fn add(builder: &mut Builder<'_>, hands: &Hands) {
    let every_node = builder.right(EVERY_NODE, Place::Cluster);
    // What stands for one of several follows from these.
    let real: Vec<u32> = (0u32..)
        .zip(builder.pools())
        .filter(|(_, pool)| pool.any_of.is_empty())
        .map(|(number, _)| number)
        .collect();
    for number in real {
        let pool = builder.pool(number);
        builder.implied(every_node, pool);
    }
    let namespaces: Vec<Box<str>> = builder.namespaces.iter().cloned().collect();
    let served = hands.index().served();
    let mut behind: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (namespace, number) in served {
        behind.entry(namespace).or_default().push(number);
    }
    for namespace in namespaces {
        let place = builder.namespace(&namespace);
        let own: &[u32] = hands
            .index()
            .within
            .get(&namespace)
            .map_or(&[], Vec::as_slice);
        to_pods(builder, hands, place, own);
        let proxy = builder.right("service-proxy", place);
        for number in behind.get(&*namespace).into_iter().flatten() {
            let to = builder.node(Node::Workload(*number));
            builder.implied(proxy, to);
        }
        created(builder, hands, &namespace, place, every_node);
        debugged(builder, &namespace, place, own);
    }
}

/// What rights over all pods of a namespace lead to.
fn to_pods(builder: &mut Builder<'_>, hands: &Hands, place: Place, own: &[u32]) {
    if own.is_empty() {
        return;
    }
    let pods = builder.right("pods", place);
    let typed = builder.right("pod-attach", place);
    let create = builder.right("pod-create", place);
    let mut kinds: BTreeSet<Box<str>> = BTreeSet::new();
    for number in own {
        let to = builder.node(Node::Workload(*number));
        builder.implied(pods, to);
        if hands.index().typed.contains(number) {
            builder.implied(typed, to);
        }
        let kind = builder.names.workloads.get(*number as usize);
        let kind = kind.map(|own| own.kind.clone()).unwrap_or_default();
        let right = MAKERS.iter().find(|(own, _)| *own == &*kind);
        if let Some((_, right)) = right {
            let right = builder.right(right, place);
            builder.implied(right, to);
            // One of them, made over, is a pod of the attacker's choice.
            if kinds.insert(kind) {
                builder.implied(right, create);
            }
        }
    }
    for right in [
        "pod-exec",
        "pod-debug",
        "pod-patch",
        "pod-forward",
        "service-redirect",
    ] {
        let right = builder.right(right, place);
        builder.implied(right, pods);
    }
}

/// What a new pod in a namespace leads to.
fn created(
    builder: &mut Builder<'_>,
    hands: &Hands,
    namespace: &str,
    place: Place,
    every_node: NodeNo,
) {
    let create = builder.right("pod-create", place);
    let plain = builder.admits(namespace, Shape::Plain);
    // As any service account; and what it mounts, it reads.
    for right in ["accounts", "secret-read"] {
        let to = builder.right(right, place);
        match &plain {
            Admitted::Yes(evidence) if evidence.is_empty() => builder.implied(create, to),
            Admitted::Yes(evidence) => {
                let draft = Draft::new(Edge::PodCreate, create, to);
                builder.add(draft.by_all(evidence.iter().cloned()));
            }
            Admitted::Perhaps(why, evidence) => {
                let draft = Draft::new(Edge::PodCreate, create, to);
                let draft = draft.by_all(evidence.iter().cloned());
                builder.add(draft.perhaps(Some(why.clone())));
            }
            Admitted::No(_) => {}
        }
    }
    let (kept_out, why, evidence) = match builder.admits(namespace, Shape::Node) {
        Admitted::Yes(evidence) => (false, None, evidence),
        Admitted::Perhaps(why, evidence) => (true, Some(why), evidence),
        Admitted::No(evidence) => (true, None, evidence),
    };
    if !kept_out || why.is_some() {
        let evidence = or_nothing(builder, evidence.clone());
        builder.add(
            Draft::new(Edge::PodCreateNode, create, every_node)
                .by_all(evidence)
                .perhaps(why),
        );
    }
    if !kept_out {
        return;
    }
    let before = builder.admits(namespace, Shape::Node);
    guards::removed(builder, hands, (namespace, place), &before, every_node);
    // With other labels the namespace lets it in.
    let relabelled = builder.admits_relabelled(namespace, Shape::Node);
    let (why, evidence) = match &relabelled {
        Admitted::Yes(more) => (None, [evidence, more.clone()].concat()),
        Admitted::Perhaps(why, more) => (Some(Arc::clone(why)), [evidence, more.clone()].concat()),
        Admitted::No(_) => return,
    };
    let label = builder.right("namespace-label", place);
    builder.add(
        Draft::new(Edge::NamespaceLabel, label, every_node)
            .and(create)
            .by_all(evidence)
            .perhaps(why),
    );
}

/// Where no object says it: namespaces have no label that keeps pods out unless somebody gives them one.
fn or_nothing(builder: &mut Builder<'_>, evidence: Vec<Evidence>) -> Vec<Evidence> {
    if evidence.is_empty() {
        vec![builder.always("admission lets such pods into namespaces that nobody labelled")]
    } else {
        evidence
    }
}

/// What a container added to pods of a namespace leads to: the nodes that they are on, where a privileged one
/// passes. It joins no other namespaces of the node, but mounts its disk.
fn debugged(builder: &mut Builder<'_>, namespace: &str, place: Place, own: &[u32]) {
    let mut pools: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for number in own {
        let on = builder.pools_of.get(*number as usize);
        for pool in on.into_iter().flatten() {
            pools.entry(*pool).or_default().push(*number);
        }
    }
    if pools.is_empty() {
        return;
    }
    let from = builder.right("pod-debug", place);
    for (pool, own) in pools {
        let (why, evidence) = match builder.admits_into(namespace, &own) {
            Admitted::Yes(evidence) => (None, evidence),
            Admitted::Perhaps(why, evidence) => (Some(why), evidence),
            Admitted::No(_) => continue,
        };
        let evidence = or_nothing(builder, evidence);
        let to = builder.pool(pool);
        builder.add(
            Draft::new(Edge::PodDebug, from, to)
                .by_all(evidence)
                .perhaps(why),
        );
    }
}

impl Hands {
    /// The same for one pod.
    pub(super) fn debugged(
        &self,
        builder: &mut Builder<'_>,
        deed: &Deed,
        hand: &Hand,
        number: u32,
    ) {
        if deed.right != "pod-debug" {
            return;
        }
        let Some(workload) = builder.names.workloads.get(number as usize).cloned() else {
            return;
        };
        let (why, evidence) = match builder.admits_into(&workload.namespace, &[number]) {
            Admitted::Yes(evidence) => (None, evidence),
            Admitted::Perhaps(why, evidence) => (Some(why), evidence),
            Admitted::No(_) => return,
        };
        let pools = builder.pools_of.get(number as usize).cloned();
        for pool in pools.unwrap_or_default() {
            let to = builder.pool(pool);
            let draft = hand.step(Edge::PodDebug, to);
            let draft = draft.by_all(evidence.iter().cloned());
            builder.add(draft.perhaps(why.clone()));
        }
    }
}
