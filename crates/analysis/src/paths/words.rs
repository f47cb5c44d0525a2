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
            Some(pool) if !pool.any_of.is_empty() => {
                format!("root on a node of pool {}", one_of(graph, number))
            }
            Some(pool) if !pool.name.is_empty() => {
                format!("root on the nodes of pool {}", pool.name)
            }
            _ => "root on the nodes".to_owned(),
        },
        Node::OnNodes(what, number) => format!("{}{}", on_nodes(what), of_pool(graph, number)),
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

/// `system or user`
pub(crate) fn one_of(graph: &Graph, pool: u32) -> String {
    let pools = &graph.names.pools;
    let Some(pool) = pools.get(pool as usize) else {
        return String::new();
    };
    if pool.any_of.is_empty() {
        return pool.name.to_string();
    }
    let names: Vec<&str> = pool
        .any_of
        .iter()
        .filter_map(|number| Some(&*pools.get(*number as usize)?.name))
        .collect();
    names.join(" or ")
}

fn of_pool(graph: &Graph, pool: u32) -> String {
    match one_of(graph, pool).as_str() {
        "" => String::new(),
        name => format!(" of pool {name}"),
    }
}

fn on_nodes(what: &str) -> &str {
    match what {
        "kubelet-files" => "the kubelet's files on the nodes",
        "azure-file" => "azure.json on the nodes",
        "network" => "the network of the nodes",
        "metadata" => "the metadata service of the nodes",
        "pod-volumes" => "the volumes of pods on the nodes",
        "tokens" => "the tokens of pods on the nodes",
        "pods" => "the pods on the nodes",
        other => other,
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
