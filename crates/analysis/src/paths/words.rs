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
            .map_or_else(|| names.texts.text(number), |shown| &**shown)
    };
    match node {
        Node::Base(name) => name.replace('-', " "),
        Node::Workload(number) => match names.workloads.get(number as usize) {
            Some(workload) => format!("{} {}/{}", workload.kind, workload.namespace, workload.name),
            None => "a workload".to_owned(),
        },
        Node::Network(_) => "a position in the network".to_owned(),
        Node::Class(class) => match names.first_of(class) {
            Some(workload) => format!("the ports of {}/{}", workload.namespace, workload.name),
            None => "ports of pods".to_owned(),
        },
        Node::Classes(_) => "ports that are open to several".to_owned(),
        Node::Pool(number) => match names.pools.get(number as usize) {
            Some(pool) if !pool.any_of.is_empty() => {
                format!("root on a node of {}", one_of(graph, number))
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
            let title = super::steps::title_of(right).unwrap_or_else(|| right.replace('-', " "));
            format!("{title}{}", within(graph, place))
        }
        Node::Secret(number) => format!("Secret {}", text(number)),
        Node::Images(number) => format!("the images of {}", text(number)),
        Node::Principal(number) => principal(text(number)),
        Node::Power(name, on) => power(name, text(on)),
    }
}

/// `pool system`, `pool system or user`, `one of 5 pools`
pub(crate) fn one_of(graph: &Graph, pool: u32) -> String {
    let pools = &graph.names.pools;
    let Some(pool) = pools.get(pool as usize) else {
        return String::new();
    };
    if pool.any_of.is_empty() {
        return match &*pool.name {
            "" => String::new(),
            name => format!("pool {name}"),
        };
    }
    if pool.any_of.len() > 3 {
        return format!("one of {} pools", pool.any_of.len());
    }
    let names: Vec<&str> = pool
        .any_of
        .iter()
        .filter_map(|number| Some(&*pools.get(*number as usize)?.name))
        .collect();
    format!("pool {}", names.join(" or "))
}

fn of_pool(graph: &Graph, pool: u32) -> String {
    match one_of(graph, pool).as_str() {
        "" => String::new(),
        name => format!(" of {name}"),
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

/// A principal whose name is not known stands by its object id.
fn principal(name: &str) -> String {
    if name.contains(' ') {
        name.to_owned()
    } else {
        format!("{name} of Entra")
    }
}

/// What holding a power comes to.
fn power(power: &str, on: &str) -> String {
    let on = scope(on);
    match power {
        "owner" => format!("Owner of {on}"),
        "manage" => format!("everything in {on} to change"),
        "data" => format!("everything in {on} to read and write"),
        "grant-roles" => format!("any role in {on} to give"),
        "write-roles" => format!("roles of {on} to write"),
        "carry-identity" => "something that carries an identity to make".to_owned(),
        "vault-secrets" => format!("the secrets of vault {on}"),
        "secret-read" => format!("the right to read secrets in {on}"),
        "vault-policies" => format!("the access policies of {on} to write"),
        "vault-deploy" => format!("deployments that read vault {on}"),
        "vault-write" => format!("the settings of vault {on} to change"),
        "deploy" => "templates to deploy".to_owned(),
        "storage-keys" => format!("the keys of storage account {on}"),
        "storage-read" => format!("the right to read storage account {on}"),
        "storage-data" => format!("the data of storage account {on}"),
        "admin-credential" => format!("the administrator's credential of {on}"),
        "user-credential" => format!("the user's credential of {on}"),
        "run-command" => format!("run-command on {on}"),
        "cluster-write" => format!("the settings of {on} to change"),
        "extension-write" => format!("extensions of {on} to install"),
        "flux-write" => format!("Flux configurations of {on} to write"),
        "kubernetes-admin" => format!("Azure's rights to everything in Kubernetes on {on}"),
        "cluster-admin" => format!("cluster-admin of {on}"),
        "node-control" => format!("commands on the machines of {on}"),
        "disk-access" => format!("the disks of {on} to download"),
        "image-push" | "repository-write" => format!("the right to push to {on}"),
        "image-import" => format!("the right to import into {on}"),
        "registry-build" => format!("builds to run in {on}"),
        "registry-password" => format!("the admin password of {on}"),
        "registry-token" => format!("tokens of {on} to make"),
        "federated-credential" => format!("federated credentials of {on} to write"),
        "identity-assign" => format!("identity {on} to attach"),
        other => format!("{} of {on}", other.replace('-', " ")),
    }
}

/// `vault kv-shop`, `resource group rg`, `subscription …`: the last pair of an id.
pub(crate) fn scope(id: &str) -> String {
    let shown = model::azure::shown;
    let parts = model::azure::segments(id);
    match parts.as_slice() {
        [.., "subscriptions", name] => format!("subscription {}", shown(name)),
        [.., kind, name] if kind.eq_ignore_ascii_case("resourcegroups") => {
            format!("resource group {}", shown(name))
        }
        [""] | ["", ""] => "the tenant".to_owned(),
        [.., name] if !name.is_empty() => shown(name),
        _ => id.to_owned(),
    }
}
