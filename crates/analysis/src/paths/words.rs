//! What nodes are called.

use super::graph::Graph;
use super::node::{EVERYTHING, Node, Place};

/// What people call a node.
pub(crate) fn title(graph: &Graph, node: Node) -> String {
    let names = &graph.names;
    let text = |number: u32| {
        names
            .shown
            .get(&number)
            .map_or_else(|| names.texts.text(number), |shown| shown)
    };
    match node {
        Node::Base(name) => name.replace('-', " "),
        Node::Workload(number) => match names.workloads.get(number as usize) {
            Some(workload) => format!("{} {}/{}", workload.kind, workload.namespace, workload.name),
            None => "a workload".to_owned(),
        },
        Node::Network(_) => "a position in the network".to_owned(),
        Node::Class(class) => match names
            .workloads
            .iter()
            .find(|workload| workload.class == class as usize)
        {
            Some(workload) => format!("the ports of {}/{}", workload.namespace, workload.name),
            None => "ports of pods".to_owned(),
        },
        Node::Pool(number) => match names.pools.get(number as usize) {
            Some(pool) if !pool.name.is_empty() => {
                format!("root on the nodes of pool {}", pool.name)
            }
            _ => "root on the nodes".to_owned(),
        },
        Node::Subject(number) => subject(text(number)),
        Node::Role { role, place } => {
            let name = names.roles.get(role as usize).map_or("?", |name| name);
            format!("{name}{}", within(graph, place))
        }
        Node::Right(EVERYTHING, Place::Cluster) => "cluster-admin".to_owned(),
        Node::Right(EVERYTHING, place) => format!("every right{}", within(graph, place)),
        Node::Right(right, place) => {
            let title = crate::rbac::title_of(right)
                .map_or_else(|| right.replace('-', " "), |title| format!("who {title}"));
            format!("{title}{}", within(graph, place))
        }
        Node::Secret(number) => format!("Secret {}", text(number)),
        Node::Images(number) => format!("the images of {}", text(number)),
        Node::Principal(number) => format!("Entra identity {}", text(number)),
        Node::Power(power, on) => format!("{} of {}", power.replace('-', " "), scope(text(on))),
    }
}

fn within(graph: &Graph, place: Place) -> String {
    match place {
        Place::Cluster => " in the whole cluster".to_owned(),
        Place::Namespace(_) => format!(" in namespace {}", graph.place(place)),
    }
}

fn subject(key: &str) -> String {
    match key.split_once(':') {
        Some(("sa", name)) => format!("ServiceAccount {name}"),
        Some(("user", name)) => format!("user {name}"),
        Some(("group", name)) => format!("group {name}"),
        _ => key.to_owned(),
    }
}

/// `vault kv-shop`, `resource group rg`, `subscription …`: the last pair of an id.
fn scope(id: &str) -> String {
    let parts = model::azure::segments(id);
    match parts.as_slice() {
        [.., "subscriptions", subscription] => format!("subscription {subscription}"),
        [.., kind, name] if kind.eq_ignore_ascii_case("resourcegroups") => {
            format!("resource group {name}")
        }
        [.., name] if !name.is_empty() => (*name).to_owned(),
        _ => id.to_owned(),
    }
}
