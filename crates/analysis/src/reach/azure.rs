//! What Azure says of a cluster's network: the engine, address ranges, whether nodes and the API server
//! are public, and what filters and routes on the node subnets do to packets that leave.
//!
//! Property names are those of `Microsoft.ContainerService/managedClusters` and `Microsoft.Network` in
//! azure-rest-api-specs. What a template leaves open stays unknown.

use model::{Estate, Ref, Resource, ResourceRef};

use super::address;
use super::engine::Engine;
use super::ranges::Ranges;

pub(crate) mod filters;

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";
const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

/// What was found out about the cluster's network.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// The cluster, when there is exactly one.
    pub(crate) cluster: Option<ResourceRef>,
    /// Several clusters were given; which one the objects run in is not known.
    pub(crate) several: bool,
    pub(crate) engine: Option<Engine>,
    pub(crate) pods: Ranges,
    pub(crate) nodes: Ranges,
    /// The API server has no public address.
    pub(crate) private_api: Option<bool>,
    /// Nodes have public addresses.
    pub(crate) public_nodes: Option<bool>,
    /// Subnets of nodes.
    pub(crate) subnets: Vec<ResourceRef>,
    /// The cluster or a pool names a subnet that was not given.
    pub(crate) subnet_missing: bool,
}

/// Reads the estate's cluster.
pub(crate) fn read(estate: &Estate) -> Network {
    let mut network = Network::default();
    let clusters = estate.of_kind(CLUSTER);
    let [id] = clusters else {
        network.several = clusters.len() > 1;
        // All may have one engine.
        let mut engines: Vec<Option<Engine>> = clusters
            .iter()
            .filter_map(|id| estate.get(*id))
            .map(|cluster| engine(cluster.object()))
            .collect();
        engines.dedup();
        if let [Some(engine)] = *engines.as_slice() {
            network.engine = Some(engine);
        }
        return network;
    };
    let Some(cluster) = estate.get(*id) else {
        return network;
    };
    let object = cluster.object();
    network.cluster = Some(*id);
    network.engine = engine(object);
    let profile = object.path(&["properties", "networkProfile"]);
    network.pods = profile.map(pod_ranges).unwrap_or_default();
    network.private_api = match object.path(&["properties", "apiServerAccessProfile"]) {
        None => Some(false),
        Some(profile) => match profile.get("enablePrivateCluster") {
            None => (!profile.is_open()).then_some(false),
            Some(value) => value.as_bool(),
        },
    };
    pools(estate, cluster, &mut network);
    network
}

/// `networkPolicy` and `networkDataplane`; a cluster that names no engine has none.
fn engine(cluster: Ref<'_>) -> Option<Engine> {
    let word = |value: Ref<'_>| value.as_str().map(str::to_ascii_lowercase);
    // AKS Automatic comes with Azure CNI powered by Cilium (Azure documentation,
    // aks/intro-aks-automatic).
    if cluster.path(&["sku", "name"]).and_then(word).as_deref() == Some("automatic") {
        return Some(Engine::Cilium);
    }
    let Some(profile) = cluster.path(&["properties", "networkProfile"]) else {
        return Some(Engine::None);
    };
    if profile.is_open() {
        return None;
    }
    if let Some(plane) = profile.get("networkDataplane") {
        match word(plane).as_deref() {
            Some("cilium") => return Some(Engine::Cilium),
            None => return None,
            _ => {}
        }
    }
    match profile.get("networkPolicy") {
        None => Some(Engine::None),
        Some(policy) => Engine::parse(&word(policy)?),
    }
}

/// Where pods have addresses of their own ranges (overlay, kubenet).
fn pod_ranges(profile: Ref<'_>) -> Ranges {
    let several = profile.get("podCidrs").into_iter().flat_map(Ref::items);
    several
        .chain(profile.get("podCidr"))
        .filter_map(Ref::as_str)
        .filter_map(address::block)
        .fold(Ranges::empty(), |all, one| all.union(&one))
}

/// The subnets of the node pools, and whether nodes have public addresses.
fn pools(estate: &Estate, cluster: &Resource, network: &mut Network) {
    let inline = cluster
        .object()
        .path(&["properties", "agentPoolProfiles"])
        .into_iter()
        .flat_map(Ref::items);
    let apart = estate.links_down(cluster, POOL);
    let apart = apart
        .iter()
        .filter_map(|id| estate.get(*id)?.object().get("properties"));
    let mut public = Some(false);
    let mut pod_subnets = Ranges::empty();
    let mut any = false;
    for pool in inline.chain(apart) {
        any = true;
        match pool.get("enableNodePublicIP").map(Ref::as_bool) {
            Some(Some(true)) => public = Some(true),
            Some(None) if public == Some(false) => public = None,
            _ => {}
        }
        match pool.get("vnetSubnetID") {
            // AKS makes a network of its own.
            None => {}
            Some(subnet) => match subnet_at(estate, subnet) {
                Some(id) if !network.subnets.contains(&id) => network.subnets.push(id),
                Some(_) => {}
                None => network.subnet_missing = true,
            },
        }
        if let Some(id) = pool.get("podSubnetID").and_then(|id| subnet_at(estate, id))
            && let Some(subnet) = estate.get(id)
        {
            pod_subnets = pod_subnets.union(&prefixes(subnet));
        }
    }
    network.public_nodes = any.then_some(public).flatten();
    if !network.subnet_missing {
        network.nodes = network
            .subnets
            .iter()
            .filter_map(|id| estate.get(*id))
            .map(prefixes)
            .fold(Ranges::empty(), |all, one| all.union(&one));
    }
    if network.pods.is_empty() {
        // Without ranges of their own, pods have addresses of their subnet, else of the nodes'.
        network.pods = if pod_subnets.is_empty() {
            network.nodes.clone()
        } else {
            pod_subnets
        };
    }
}

fn subnet_at(estate: &Estate, id: Ref<'_>) -> Option<ResourceRef> {
    let id = id.as_str().or_else(|| id.open_expression())?;
    let found = estate.at_id(id)?;
    estate
        .get(found)
        .is_some_and(|resource| resource.name.kind.is(SUBNET))
        .then_some(found)
}

/// The addresses of a subnet; nothing when the template leaves any open.
fn prefixes(subnet: &Resource) -> Ranges {
    let properties = subnet.object().get("properties");
    let get = |key: &str| properties.and_then(|properties| properties.get(key));
    let several = get("addressPrefixes").into_iter().flat_map(Ref::items);
    let blocks: Option<Vec<Ranges>> = several
        .chain(get("addressPrefix"))
        .map(|prefix| prefix.as_str().and_then(address::block))
        .collect();
    blocks
        .unwrap_or_default()
        .into_iter()
        .fold(Ranges::empty(), |all, one| all.union(&one))
}
