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
const ASSOCIATION: &str = "Microsoft.ServiceNetworking/trafficControllers/associations";
const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

/// Whether pods with addresses of their own get to the metadata of their node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Metadata {
    /// Nothing but policies is in the way.
    #[default]
    Open,
    /// It hangs on something that was not given.
    Perhaps,
    /// Nodes stop them.
    Closed,
}

/// What was found out about the cluster's network.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Network {
    /// The cluster, when there is exactly one.
    pub(crate) cluster: Option<ResourceRef>,
    pub(crate) engine: Option<Engine>,
    pub(crate) pods: Ranges,
    pub(crate) nodes: Ranges,
    /// Addresses that the API server may have; empty where nothing is known of them.
    pub(crate) api: Ranges,
    /// Nodes have public addresses.
    pub(crate) public_nodes: Option<bool>,
    pub(crate) metadata: Metadata,
    /// Subnets of nodes.
    pub(crate) subnets: Vec<ResourceRef>,
    /// Addresses from which Application Gateway for Containers asks; empty where nothing is known.
    pub(crate) gateways: Ranges,
    /// The cluster or a pool names a subnet that was not given.
    subnet_missing: bool,
}

/// Reads the estate's clusters. Of several it is not known which one the objects run in: what is true
/// of all of them is true.
pub(crate) fn read(estate: &Estate) -> Network {
    let mut network = estate
        .of_kind(CLUSTER)
        .iter()
        .filter_map(|id| Some(of_cluster(estate, *id, estate.get(*id)?)))
        .reduce(Network::or)
        .unwrap_or_default();
    network.gateways = gateways(estate);
    network
}

/// The subnets into which Application Gateway for Containers is associated: its proxies ask pods from
/// there (Azure documentation, application-gateway/for-containers/application-gateway-for-containers-components).
fn gateways(estate: &Estate) -> Ranges {
    let subnets: Option<Vec<Ranges>> = estate
        .of_kind(ASSOCIATION)
        .iter()
        .filter_map(|id| estate.get(*id))
        .map(|association| {
            let id = association.object().path(&["properties", "subnet", "id"])?;
            let subnet = prefixes(estate.get(subnet_at(estate, id)?)?);
            (!subnet.is_empty()).then_some(subnet)
        })
        .collect();
    // One that is not known may be the one.
    subnets
        .unwrap_or_default()
        .iter()
        .fold(Ranges::empty(), |all, one| all.union(one))
}

impl Network {
    /// What is to be said of it.
    pub(crate) fn remarks(&self, estate: &Estate) -> Option<String> {
        let of = match self.cluster.and_then(|id| estate.get(id)) {
            Some(cluster) => format!("of `{}`", cluster.name.name),
            None => "of the clusters".to_owned(),
        };
        match self.metadata {
            Metadata::Open => None,
            Metadata::Closed => Some(format!(
                "Nodes {of} let no pod with an address of its own reach instance metadata (`podLinkLocalAccess`)."
            )),
            Metadata::Perhaps => Some(format!(
                "Whether nodes {of} let pods reach instance metadata (`podLinkLocalAccess`) is not known."
            )),
        }
    }

    /// What is known of a network that is one of two.
    fn or(self, other: Self) -> Self {
        let either = |one: Ranges, another: Ranges| {
            if one.is_empty() || another.is_empty() {
                Ranges::empty()
            } else {
                one.union(&another)
            }
        };
        let mut subnets = Vec::new();
        if !self.subnets.is_empty() && !other.subnets.is_empty() {
            subnets = self.subnets;
            let new = |id: &ResourceRef| !subnets.contains(id);
            let more: Vec<ResourceRef> = other.subnets.into_iter().filter(new).collect();
            subnets.extend(more);
        }
        Self {
            cluster: None,
            engine: self.engine.filter(|_| self.engine == other.engine),
            pods: either(self.pods, other.pods),
            nodes: either(self.nodes, other.nodes),
            api: either(self.api, other.api),
            public_nodes: self
                .public_nodes
                .filter(|_| self.public_nodes == other.public_nodes),
            metadata: if self.metadata == other.metadata {
                self.metadata
            } else {
                Metadata::Perhaps
            },
            subnets,
            gateways: Ranges::empty(),
            subnet_missing: self.subnet_missing || other.subnet_missing,
        }
    }
}

fn of_cluster(estate: &Estate, id: ResourceRef, cluster: &Resource) -> Network {
    let object = cluster.object();
    let profile = object.path(&["properties", "networkProfile"]);
    let mut network = Network {
        cluster: Some(id),
        engine: engine(object),
        pods: profile.map(pod_ranges).unwrap_or_default(),
        ..Network::default()
    };
    let pools = pools(estate, cluster);
    network.read_pools(estate, &pools);
    network.metadata = metadata(profile, &pools);
    network.api = api_server(estate, object, &network);
    network
}

/// AKS Automatic comes with settings of its own (Azure documentation, aks/intro-aks-automatic).
fn is_automatic(cluster: Ref<'_>) -> bool {
    cluster
        .path(&["sku", "name"])
        .and_then(Ref::as_str)
        .is_some_and(|name| name.eq_ignore_ascii_case("automatic"))
}

/// Where the API server is to pods.
///
/// With integration "agent nodes always communicate directly with the private IP address of the API
/// server", in the delegated subnet, be the cluster public or not (Azure documentation,
/// aks/api-server-vnet-integration); Automatic always has it. A private cluster without it has a private
/// endpoint in the network of its nodes (aks/private-clusters), any other a public address.
fn api_server(estate: &Estate, cluster: Ref<'_>, network: &Network) -> Ranges {
    let profile = cluster.path(&["properties", "apiServerAccessProfile"]);
    let says = |key: &str| match profile.and_then(|profile| profile.get(key)) {
        Some(value) => value.as_bool(),
        None => (!profile.is_some_and(Ref::is_open)).then_some(false),
    };
    let or_private = |known: Ranges| {
        if known.is_empty() {
            address::private()
        } else {
            known
        }
    };
    let integrated = if is_automatic(cluster) {
        Some(true)
    } else {
        says("enableVnetIntegration")
    };
    match (integrated, says("enablePrivateCluster")) {
        (Some(true), _) => or_private(
            profile
                .and_then(|profile| subnet_at(estate, profile.get("subnetId")?))
                .and_then(|id| estate.get(id))
                .map(prefixes)
                .unwrap_or_default(),
        ),
        (Some(false), Some(true)) => or_private(network.nodes.clone()),
        (None, Some(true)) => address::private(),
        (Some(false), Some(false)) => address::public().intersection(&address::v4()),
        _ => Ranges::empty(),
    }
}

/// `podLinkLocalAccess`: with `None` "pods with hostNetwork=false cannot access Azure Instance Metadata
/// Service", by rules in the tables of the nodes; without a word it is `IMDS`. Not on Windows (Azure
/// documentation, aks/imds-restriction).
fn metadata(profile: Option<Ref<'_>>, pools: &Pools<'_>) -> Metadata {
    let value = profile.and_then(|profile| profile.get("podLinkLocalAccess"));
    let closed = match value {
        None if profile.is_some_and(Ref::is_open) => Metadata::Perhaps,
        None => return Metadata::Open,
        Some(value) => match value.as_str() {
            Some(word) if word.eq_ignore_ascii_case("none") => Metadata::Closed,
            Some(_) => return Metadata::Open,
            None => Metadata::Perhaps,
        },
    };
    let windows = pools.given.iter().any(|pool| {
        pool.get("osType")
            .is_some_and(|system| system.as_str() != Some("Linux"))
    });
    if windows { Metadata::Perhaps } else { closed }
}

/// `networkPolicy` and `networkDataplane`; a cluster that names no engine has none.
fn engine(cluster: Ref<'_>) -> Option<Engine> {
    let word = |value: Ref<'_>| value.as_str().map(str::to_ascii_lowercase);
    // Azure CNI powered by Cilium.
    if is_automatic(cluster) {
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

/// The node pools that were given.
struct Pools<'e> {
    given: Vec<Ref<'e>>,
    /// The template leaves open which there are.
    open: bool,
}

/// Those that the cluster lists and those that stand for themselves.
fn pools<'e>(estate: &'e Estate, cluster: &'e Resource) -> Pools<'e> {
    let inline = cluster.object().path(&["properties", "agentPoolProfiles"]);
    let apart = estate.links_down(cluster, POOL);
    let apart = apart
        .iter()
        .filter_map(|id| estate.get(*id)?.object().get("properties"));
    Pools {
        given: inline
            .into_iter()
            .flat_map(Ref::items)
            .chain(apart)
            .collect(),
        open: inline.is_some_and(Ref::is_open),
    }
}

impl Network {
    /// The subnets of the node pools, and whether nodes have public addresses.
    fn read_pools(&mut self, estate: &Estate, pools: &Pools<'_>) {
        let mut pod_subnets = Ranges::empty();
        for pool in &pools.given {
            match pool.get("vnetSubnetID") {
                // AKS makes a network of its own.
                None => self.subnet_missing |= pool.is_open(),
                Some(subnet) => match subnet_at(estate, subnet) {
                    Some(id) if !self.subnets.contains(&id) => self.subnets.push(id),
                    Some(_) => {}
                    None => self.subnet_missing = true,
                },
            }
            if let Some(id) = pool.get("podSubnetID").and_then(|id| subnet_at(estate, id))
                && let Some(subnet) = estate.get(id)
            {
                pod_subnets = pod_subnets.union(&prefixes(subnet));
            }
        }
        self.public_nodes = public_nodes(pools);
        if !self.subnet_missing && !pools.open {
            self.nodes = self
                .subnets
                .iter()
                .filter_map(|id| estate.get(*id))
                .map(prefixes)
                .fold(Ranges::empty(), |all, one| all.union(&one));
        }
        if self.pods.is_empty() {
            // Without ranges of their own, pods have addresses of their subnet, else of the nodes'.
            self.pods = if pod_subnets.is_empty() {
                self.nodes.clone()
            } else {
                pod_subnets
            };
        }
    }
}

/// Whether nodes have public addresses: `enableNodePublicIP` of each pool, false where nobody says it.
fn public_nodes(pools: &Pools<'_>) -> Option<bool> {
    if pools.open || pools.given.is_empty() {
        return None;
    }
    let mut all = Some(false);
    for pool in &pools.given {
        match pool.get("enableNodePublicIP").map(Ref::as_bool) {
            Some(Some(true)) => return Some(true),
            Some(Some(false)) => {}
            Some(None) => all = None,
            // A prefix for addresses says nothing unless they are wanted.
            None if pool.is_open() || pool.get("nodePublicIPPrefixID").is_some() => all = None,
            None => {}
        }
    }
    all
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
