//! From root on a node to what runs on it, and from files of a node to the tokens and Secrets of its pods.
//!
//! A kubelet may read the Secrets that pods on its node name, and ask for tokens of their accounts; no more
//! (kubernetes.io/docs/reference/access-authn-authz/node). Whoever has its credential has as much.

use std::collections::{BTreeMap, BTreeSet};

use model::Ref;

use super::container::Pod;
use super::files::{azure_file, kubelet_files, pod_volumes};
use super::pod::account_of;
use crate::paths::NodeNo;
use crate::paths::admission::{Admitted, Shape};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::{Node, Place};

/// What root on a node holds besides.
const BELOW_ROOT: [fn(u32) -> Node; 3] = [kubelet_files, azure_file, network];

pub(super) const fn network(pool: u32) -> Node {
    Node::OnNodes("network", pool)
}

const fn metadata(pool: u32) -> Node {
    Node::OnNodes("metadata", pool)
}

pub(super) fn add(builder: &mut Builder<'_>) {
    pods(builder);
    tokens(builder);
    for pool in 0..builder.pools().len() as u32 {
        let root = builder.pool(pool);
        for below in BELOW_ROOT {
            let to = builder.node(below(pool));
            builder.implied(root, to);
        }
        let files = builder.node(kubelet_files(pool));
        let volumes = builder.node(pod_volumes(pool));
        builder.implied(files, volumes);
    }
    choices(builder);
}

/// One of several pools: who has one of these has that, and whoever has that has some one of these.
fn choices(builder: &mut Builder<'_>) {
    for number in 0..builder.pools().len() as u32 {
        let Some(members) = members(builder, number) else {
            continue;
        };
        let why = which(builder, &members);
        for make in [
            Node::Pool as fn(u32) -> Node,
            kubelet_files,
            pod_volumes,
            azure_file,
            network,
            metadata,
        ] {
            let one = builder.node(make(number));
            for member in &members {
                let own = builder.node(make(*member));
                builder.implied(own, one);
                builder.add(Draft::new(Edge::Implied, one, own).perhaps(Some(why.as_str())));
            }
        }
    }
}

fn members(builder: &Builder<'_>, pool: u32) -> Option<Vec<u32>> {
    let members = &builder.pools().get(pool as usize)?.any_of;
    (!members.is_empty()).then(|| members.clone())
}

/// Why it is not certain that something runs on a pool.
fn which(builder: &Builder<'_>, members: &[u32]) -> String {
    if members.len() > 4 {
        return format!("on which of {} pools it runs is not known", members.len());
    }
    let names: Vec<&str> = members
        .iter()
        .filter_map(|member| Some(&*builder.pools().get(*member as usize)?.name))
        .collect();
    format!(
        "on which of the pools {} it runs is not known",
        names.join(", ")
    )
}

/// Where rules keep out pods that take a node, one that only sits in its network or reads its files may yet pass.
pub(super) fn created(builder: &mut Builder<'_>) {
    const RIGHT: &str = "pod-create";
    let held = builder.places_of(RIGHT);
    let everywhere = held.contains(&Place::Cluster);
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        if !everywhere && !held.contains(&place) {
            continue;
        }
        if matches!(builder.admits(&namespace, Shape::Node), Admitted::Yes(_)) {
            continue;
        }
        for (shape, edge, to) in [
            (
                Shape::HostNetwork,
                Edge::HostNetwork,
                network as fn(u32) -> Node,
            ),
            (Shape::HostPath, Edge::HostPathRead, kubelet_files),
        ] {
            let (doubt, evidence) = match builder.admits(&namespace, shape) {
                Admitted::Yes(evidence) => (None, evidence),
                Admitted::Perhaps(why, evidence) => (Some(why), evidence),
                Admitted::No(_) => continue,
            };
            let from = builder.right(RIGHT, place);
            for pool in 0..builder.pools().len() as u32 {
                let skip = builder
                    .pools()
                    .get(pool as usize)
                    .is_none_or(|pool| pool.windows || !pool.any_of.is_empty());
                if skip {
                    continue;
                }
                let to = builder.node(to(pool));
                builder.add(
                    Draft::new(edge, from, to)
                        .by_all(evidence.iter().cloned())
                        .perhaps(doubt.clone()),
                );
            }
        }
    }
}

/// Root on a node is root in its containers.
fn pods(builder: &mut Builder<'_>) {
    let mut by_choice: BTreeMap<u32, Vec<NodeNo>> = BTreeMap::new();
    let mut everywhere: BTreeMap<Vec<u32>, Vec<NodeNo>> = BTreeMap::new();
    for number in 0..builder.names.workloads.len() {
        let to = builder.node(Node::Workload(number as u32));
        let pools = builder.pools_of.get(number).cloned().unwrap_or_default();
        for pool in &pools {
            if members(builder, *pool).is_some() {
                by_choice.entry(*pool).or_default().push(to);
                continue;
            }
            let from = builder.pool(*pool);
            builder.add(Draft::new(Edge::NodeToPods, from, to));
        }
        if pools.len() > 1 {
            everywhere.entry(pools).or_default().push(to);
        }
    }
    for (choice, pods) in by_choice {
        let Some(members) = members(builder, choice) else {
            continue;
        };
        let all = builder.node(Node::OnNodes("pods", choice));
        let why = which(builder, &members);
        for member in members {
            let from = builder.pool(member);
            builder.add(Draft::new(Edge::NodeToPods, from, all).perhaps(Some(why.as_str())));
        }
        for pod in pods {
            builder.implied(all, pod);
        }
    }
    // What runs on each of several pools runs on any one of them.
    for number in 0..builder.pools().len() as u32 {
        let Some(members) = members(builder, number) else {
            continue;
        };
        let from = builder.pool(number);
        for (pools, pods) in &everywhere {
            if members.iter().all(|member| pools.contains(member)) {
                for pod in pods {
                    builder.add(Draft::new(Edge::NodeToPods, from, *pod));
                }
            }
        }
    }
}

/// Tokens and Secrets of the pods on a node: those in volumes lie in its files, the others the kubelet may ask for.
fn tokens(builder: &mut Builder<'_>) {
    let mut found: BTreeSet<(Node, NodeNo)> = BTreeSet::new();
    let mut choices: BTreeSet<u32> = BTreeSet::new();
    for number in 0..builder.names.workloads.len() {
        let Some(pod) = Pod::read(builder, number) else {
            continue;
        };
        let account = account_of(builder, number).map(|held| {
            let name = held.name.to_owned();
            builder.account(&pod.namespace, &name)
        });
        let in_volumes: Vec<NodeNo> = volume_secrets(pod.spec)
            .into_iter()
            .map(|name| builder.secret(&pod.namespace, name))
            .chain(account)
            .collect();
        let others: Vec<NodeNo> = builder
            .estate
            .get(pod.resource)
            .map(|resource| resource.referred())
            .unwrap_or_default()
            .into_iter()
            .filter(|(kind, _)| *kind == "Secret")
            .map(|(_, name)| builder.secret(&pod.namespace, name))
            .collect();
        for pool in &pod.pools {
            let several = members(builder, *pool).is_some();
            if several {
                choices.insert(*pool);
            }
            let from = if several {
                [Node::OnNodes("tokens", *pool); 2]
            } else {
                [pod_volumes(*pool), kubelet_files(*pool)]
            };
            for (from, held) in from.into_iter().zip([&in_volumes, &others]) {
                found.extend(held.iter().map(|to| (from, *to)));
            }
        }
    }
    for (from, to) in found {
        let from = builder.node(from);
        let several = matches!(builder.node_of(from), Node::OnNodes("tokens", _));
        let edge = if several {
            Edge::Implied
        } else {
            Edge::NodeTokens
        };
        builder.add(Draft::new(edge, from, to));
    }
    for choice in choices {
        let Some(members) = members(builder, choice) else {
            continue;
        };
        let why = which(builder, &members);
        let all = builder.node(Node::OnNodes("tokens", choice));
        for member in members {
            let from = builder.node(kubelet_files(member));
            builder.add(Draft::new(Edge::NodeTokens, from, all).perhaps(Some(why.as_str())));
        }
    }
}

fn volume_secrets(spec: Ref<'_>) -> Vec<&str> {
    let volumes = || spec.get("volumes").into_iter().flat_map(Ref::items);
    let direct = volumes().filter_map(|volume| volume.path(&["secret", "secretName"]));
    let projected = volumes()
        .filter_map(|volume| volume.path(&["projected", "sources"]))
        .flat_map(Ref::items)
        .filter_map(|source| source.path(&["secret", "name"]));
    direct.chain(projected).filter_map(Ref::as_str).collect()
}
