//! Which nodes there are, pool by pool, and whose pods run on which.
//!
//! Nodes of a pool are alike, so a pool is one node of the graph: who has root on one has root on what runs
//! the pods of that pool. Where pods run is taken from running pods; else from what the scheduler would allow:
//! `nodeName`, `nodeSelector`, required node affinity, and taints
//! (kubernetes.io/docs/concepts/scheduling-eviction). Without a Node and without an agent pool there is one pool
//! without a name.
//!
//! What may run on several pools runs on one of them, nobody can say on which: for each such choice there is a
//! pool more, that stands for *one of these* ([`Pool::any_of`]). A DaemonSet runs on all that take it.

use std::collections::{BTreeMap, HashMap};

use model::{Estate, Ref, Resource, ResourceRef};

use super::graph::Pool;
use crate::reach::Workload;
use crate::roles::kubernetes::Cluster;

mod scheduler;

use scheduler::Traits;
pub(crate) use scheduler::wants_windows;

/// The labels in which AKS writes the name of a node's pool
/// (<https://learn.microsoft.com/azure/aks/use-labels>).
const POOL_LABELS: [&str; 2] = ["kubernetes.azure.com/agentpool", "agentpool"];

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const AGENT_POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

/// Pools, and for each workload the numbers of those that its pods are on.
pub(crate) fn read(
    estate: &Estate,
    clusters: &[Cluster],
    named: Option<&str>,
    workloads: &[Workload],
) -> (Vec<Pool>, Vec<Vec<u32>>) {
    let mut pools = pools(estate, clusters);
    if pools.is_empty() {
        pools.push(Pool::of(""));
    }
    let running = running(estate, &pools);
    let traits: Vec<Traits<'_>> = pools.iter().map(|pool| Traits::of(estate, pool)).collect();
    // Manifests go to one of several clusters, unless somebody named it.
    let meant = clusters.iter().find(|cluster| {
        named.is_some_and(|named| {
            cluster.name.eq_ignore_ascii_case(named) || cluster.id.eq_ignore_ascii_case(named)
        })
    });
    let elsewhere = |number: &u32| {
        let pool = pools.get(*number as usize);
        meant.is_some_and(|meant| pool.and_then(|pool| pool.cluster) != Some(meant.resource))
    };
    let unsure =
        meant.is_none() && clusters.len() > 1 && pools.iter().all(|pool| pool.nodes.is_empty());
    let allowed: Vec<(Vec<u32>, bool)> = workloads
        .iter()
        .map(|workload| match running.get(&workload.resource) {
            Some(found) => (found.clone(), true),
            None => {
                let mut own = may_run_on(estate, workload, &traits);
                own.retain(|number| !elsewhere(number));
                (own, &*workload.kind == "DaemonSet" && !unsure)
            }
        })
        .collect();
    drop(traits);
    let mut choices: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let own = allowed
        .into_iter()
        .map(|(found, everywhere)| {
            if everywhere || found.len() < 2 {
                return found;
            }
            let next = pools.len() as u32;
            let number = *choices.entry(found).or_insert_with_key(|found| {
                let names: Vec<&str> = found
                    .iter()
                    .filter_map(|number| Some(&*pools.get(*number as usize)?.name))
                    .collect();
                let mut choice = Pool::of(&names.join("|"));
                choice.any_of.clone_from(found);
                let members = || {
                    found
                        .iter()
                        .filter_map(|number| pools.get(*number as usize))
                };
                choice.windows = members().all(|pool| pool.windows);
                let first = members().next().and_then(|pool| pool.apparmor);
                choice.apparmor = first.filter(|_| members().all(|pool| pool.apparmor == first));
                choice.seccomp = members().all(|pool| pool.seccomp);
                pools.push(choice);
                next
            });
            vec![number]
        })
        .collect();
    (pools, own)
}

impl Pool {
    fn of(name: &str) -> Self {
        Self {
            name: name.into(),
            nodes: Vec::new(),
            azure: None,
            windows: false,
            apparmor: None,
            seccomp: false,
            cluster: None,
            any_of: Vec::new(),
        }
    }
}

/// By cluster and name.
type Found = BTreeMap<(Box<str>, Box<str>), Pool>;

fn pools(estate: &Estate, clusters: &[Cluster]) -> Vec<Pool> {
    let mut found = Found::new();
    for (kind, inline) in [(AGENT_POOL, false), (CLUSTER, true)] {
        for id in estate.of_kind(kind) {
            let Some(resource) = estate.get(*id) else {
                continue;
            };
            let cluster = cluster_of(resource);
            let mut add = |name: &str, profile: Option<Ref<'_>>| {
                let pool = found
                    .entry((cluster.clone(), name.into()))
                    .or_insert_with(|| Pool::of(name));
                if pool.azure.is_none() {
                    pool.azure = Some(*id);
                    pool.read(profile);
                }
            };
            let properties = resource.object().get("properties");
            if inline {
                for profile in properties
                    .and_then(|properties| properties.get("agentPoolProfiles"))
                    .into_iter()
                    .flat_map(Ref::items)
                {
                    if let Some(name) = profile.get("name").and_then(Ref::as_str) {
                        add(name, Some(profile));
                    }
                }
            } else {
                let name = resource.name.name.rsplit('/').next().unwrap_or_default();
                add(name, properties);
            }
        }
    }
    let several = clusters.len() > 1;
    if several {
        for ((cluster, _), pool) in &mut found {
            pool.name = format!("{cluster}/{}", pool.name).into();
        }
    }
    nodes(estate, clusters, &mut found);
    for ((cluster, _), pool) in &mut found {
        let own = clusters
            .iter()
            .find(|own| named(estate, own) == *cluster && !cluster.is_empty());
        pool.cluster = own.map(|own| own.resource);
    }
    found.into_values().collect()
}

/// Node objects join the pool that their labels name.
fn nodes(estate: &Estate, clusters: &[Cluster], found: &mut Found) {
    for id in estate.of_kind("Node") {
        let Some(node) = estate.get(*id) else {
            continue;
        };
        let labels = node.object().path(&["metadata", "labels"]);
        let label = |key: &str| labels?.get(key)?.as_str();
        let name = POOL_LABELS
            .iter()
            .find_map(|key| label(key))
            .unwrap_or_default();
        // `kubernetes.azure.com/cluster` names the resource group of a cluster's nodes.
        let group = label("kubernetes.azure.com/cluster");
        let own = clusters.iter().find(|cluster| {
            let own = model::azure::segments(&cluster.node_group).last().copied();
            own.zip(group)
                .is_some_and(|(own, group)| own.eq_ignore_ascii_case(group))
        });
        let cluster: Box<str> = match (own, clusters) {
            (Some(cluster), _) => named(estate, cluster),
            (None, [only]) => named(estate, only),
            _ => "".into(),
        };
        let pool = found
            .entry((cluster, name.into()))
            .or_insert_with(|| Pool::of(name));
        if pool.nodes.is_empty() {
            pool.windows |= label("kubernetes.io/os") == Some("windows");
            let image = node
                .object()
                .path(&["status", "nodeInfo", "osImage"])
                .and_then(Ref::as_str);
            if let Some(image) = image {
                pool.apparmor = confines(image);
            }
        }
        pool.nodes.push(*id);
    }
}

fn named(estate: &Estate, cluster: &Cluster) -> Box<str> {
    estate
        .get(cluster.resource)
        .map_or_else(|| "".into(), cluster_of)
}

/// The name of the cluster that a resource is or lies below.
fn cluster_of(resource: &Resource) -> Box<str> {
    let name = &resource.name.name;
    let by_id = resource.azure.as_ref().and_then(|azure| {
        let parts = model::azure::segments(&azure.id);
        let at = parts
            .iter()
            .position(|part| part.eq_ignore_ascii_case("managedClusters"))?;
        parts.get(at + 1).map(|name| Box::from(*name))
    });
    by_id.unwrap_or_else(|| name.split('/').next().unwrap_or_default().into())
}

impl Pool {
    /// What a profile in Azure says of the nodes.
    fn read(&mut self, profile: Option<Ref<'_>>) {
        let text = |key: &str| profile?.get(key);
        let word = |key: &str| text(key).and_then(Ref::as_str);
        self.windows = word("osType").is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
        // <https://learn.microsoft.com/azure/aks/secure-container-access>
        let seccomp =
            profile.and_then(|profile| profile.path(&["kubeletConfig", "seccompDefault"]));
        self.seccomp = seccomp.and_then(Ref::as_str) == Some("RuntimeDefault");
        self.apparmor = match text("osSKU") {
            None => Some(!self.windows),
            Some(value) => value.as_str().and_then(confines),
        };
    }
}

/// Whether an image of nodes has AppArmor, under which containerd runs containers that are not privileged:
/// Ubuntu has it, Azure Linux (before: Mariner) has SELinux, which containers are not held by
/// (<https://learn.microsoft.com/azure/aks/use-azure-linux>).
fn confines(image: &str) -> Option<bool> {
    let image = image.to_ascii_lowercase();
    if image.starts_with("ubuntu") {
        return Some(true);
    }
    let without = ["azurelinux", "mariner", "cblmariner", "windows"];
    let is_azure_linux = image.contains("azure linux") || image.contains("mariner");
    (without.iter().any(|name| image.starts_with(name)) || is_azure_linux).then_some(false)
}

/// The pools that running pods are on, by the object that made them.
fn running(estate: &Estate, pools: &[Pool]) -> HashMap<ResourceRef, Vec<u32>> {
    let mut pool_of: HashMap<&str, u32> = HashMap::new();
    for (number, pool) in pools.iter().enumerate() {
        for node in &pool.nodes {
            if let Some(node) = estate.get(*node) {
                pool_of.insert(&node.name.name, number as u32);
            }
        }
    }
    let mut found: HashMap<ResourceRef, Vec<u32>> = HashMap::new();
    if pool_of.is_empty() {
        return found;
    }
    for id in estate.of_kind("Pod") {
        let Some(pod) = estate.get(*id) else { continue };
        let pool = pod
            .object()
            .path(&["spec", "nodeName"])
            .and_then(Ref::as_str)
            .and_then(|name| pool_of.get(name));
        let Some(pool) = pool else { continue };
        for maker in crate::reach::makers(estate, *id) {
            let own = found.entry(maker).or_default();
            if let Err(at) = own.binary_search(pool) {
                own.insert(at, *pool);
            }
        }
    }
    found
}

fn may_run_on(estate: &Estate, workload: &Workload, pools: &[Traits<'_>]) -> Vec<u32> {
    let every = || (0..pools.len() as u32).collect::<Vec<u32>>();
    let Some(resource) = estate.get(workload.resource) else {
        return every();
    };
    let Some(spec) = resource.pod_spec() else {
        return every();
    };
    if scheduler::virtual_node(spec) {
        return Vec::new();
    }
    let found: Vec<u32> = pools
        .iter()
        .enumerate()
        .filter(|(_, pool)| pool.takes(spec))
        .map(|(number, _)| number as u32)
        .collect();
    // What no pool takes that was given may run on one that was not.
    let all_given = estate
        .absent_any(&["Node", AGENT_POOL], model::Within::Everywhere)
        .is_none();
    if found.is_empty() && !all_given {
        return every();
    }
    found
}
