//! Which nodes there are, pool by pool, and whose pods run on which.
//!
//! Nodes of a pool are alike, so a pool is one node of the graph: who has root on one has root on what runs
//! the pods of that pool. Where pods run is taken from running pods; else from what the scheduler would allow:
//! `nodeName`, `nodeSelector`, required node affinity by simple terms, and taints
//! (kubernetes.io/docs/concepts/scheduling-eviction). Without a Node and without an agent pool there is one pool
//! without a name.

use std::collections::{BTreeMap, HashMap};

use model::{Estate, Ref, ResourceRef};

use super::graph::Pool;
use crate::reach::Workload;

/// The labels in which AKS writes the name of a node's pool
/// (<https://learn.microsoft.com/azure/aks/use-labels>).
const POOL_LABELS: [&str; 2] = ["kubernetes.azure.com/agentpool", "agentpool"];

/// Pools, and for each workload the numbers of those that its pods are on.
pub(crate) fn read(estate: &Estate, workloads: &[Workload]) -> (Vec<Pool>, Vec<Vec<u32>>) {
    let mut pools = pools(estate);
    if pools.is_empty() {
        pools.push(Pool {
            name: "".into(),
            nodes: Vec::new(),
            azure: None,
        });
    }
    let running = running(estate, &pools);
    let traits: Vec<Traits<'_>> = pools.iter().map(|pool| Traits::of(estate, pool)).collect();
    let own = workloads
        .iter()
        .map(|workload| match running.get(&workload.resource) {
            Some(found) => found.clone(),
            None => may_run_on(estate, workload, &traits),
        })
        .collect();
    (pools, own)
}

fn pools(estate: &Estate) -> Vec<Pool> {
    let mut found: BTreeMap<Box<str>, Pool> = BTreeMap::new();
    let of = |name: &str| -> Pool {
        Pool {
            name: name.into(),
            nodes: Vec::new(),
            azure: None,
        }
    };
    for id in estate.of_kind("Node") {
        let Some(node) = estate.get(*id) else {
            continue;
        };
        let labels = node.object().path(&["metadata", "labels"]);
        let name = POOL_LABELS
            .iter()
            .find_map(|key| labels?.get(key)?.as_str())
            .unwrap_or_default();
        found
            .entry(name.into())
            .or_insert_with(|| of(name))
            .nodes
            .push(*id);
    }
    for (kind, route) in [
        (
            "Microsoft.ContainerService/managedClusters/agentPools",
            None,
        ),
        (
            "Microsoft.ContainerService/managedClusters",
            Some("agentPoolProfiles"),
        ),
    ] {
        for id in estate.of_kind(kind) {
            let Some(resource) = estate.get(*id) else {
                continue;
            };
            let mut add = |name: &str| {
                let pool = found.entry(name.into()).or_insert_with(|| of(name));
                pool.azure.get_or_insert(*id);
            };
            match route {
                None => add(resource.name.name.rsplit('/').next().unwrap_or_default()),
                Some(route) => resource
                    .object()
                    .path(&["properties", route])
                    .into_iter()
                    .flat_map(Ref::items)
                    .filter_map(|profile| profile.get("name").and_then(Ref::as_str))
                    .for_each(add),
            }
        }
    }
    found.into_values().collect()
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

/// What the scheduler looks at.
struct Traits<'e> {
    name: &'e str,
    labels: BTreeMap<&'e str, &'e str>,
    /// key, value, effect
    taints: Vec<(&'e str, &'e str)>,
    /// Nothing else is known of its nodes' labels.
    open: bool,
}

impl<'e> Traits<'e> {
    fn of(estate: &'e Estate, pool: &'e Pool) -> Self {
        let mut labels = BTreeMap::new();
        let mut taints = Vec::new();
        for key in POOL_LABELS {
            labels.insert(key, &*pool.name);
        }
        let node = pool.nodes.first().and_then(|id| estate.get(*id));
        if let Some(node) = node {
            let own = node.object().path(&["metadata", "labels"]);
            for (key, _, value) in own.iter().flat_map(|labels| labels.entries()) {
                labels.insert(key, value.as_str().unwrap_or_default());
            }
            for taint in node
                .object()
                .path(&["spec", "taints"])
                .into_iter()
                .flat_map(Ref::items)
            {
                let text = |key| taint.get(key).and_then(Ref::as_str).unwrap_or_default();
                if matches!(text("effect"), "NoSchedule" | "NoExecute") {
                    taints.push((text("key"), text("value")));
                }
            }
        } else if let Some(azure) = pool.azure.and_then(|id| estate.get(id)) {
            let object = azure.object();
            let profile = object
                .path(&["properties", "agentPoolProfiles"])
                .into_iter()
                .flat_map(Ref::items)
                .find(|profile| profile.get("name").and_then(Ref::as_str) == Some(&pool.name))
                .or_else(|| object.get("properties"));
            let Some(profile) = profile else {
                return Self {
                    name: &pool.name,
                    labels,
                    taints,
                    open: true,
                };
            };
            for (key, _, value) in profile
                .get("nodeLabels")
                .iter()
                .flat_map(|labels| labels.entries())
            {
                labels.insert(key, value.as_str().unwrap_or_default());
            }
            let mode = profile.get("mode").and_then(Ref::as_str).unwrap_or("User");
            labels.insert(
                "kubernetes.azure.com/mode",
                if mode.eq_ignore_ascii_case("System") {
                    "system"
                } else {
                    "user"
                },
            );
            let windows = profile.get("osType").and_then(Ref::as_str) == Some("Windows");
            labels.insert(
                "kubernetes.io/os",
                if windows { "windows" } else { "linux" },
            );
            // `key=value:Effect`
            for taint in profile
                .get("nodeTaints")
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(Ref::as_str)
            {
                let (pair, effect) = taint.rsplit_once(':').unwrap_or((taint, ""));
                if matches!(effect, "NoSchedule" | "NoExecute") {
                    taints.push(pair.split_once('=').unwrap_or((pair, "")));
                }
            }
        }
        Self {
            name: &pool.name,
            labels,
            taints,
            open: node.is_none(),
        }
    }

    fn takes(&self, spec: Ref<'_>, daemon: bool) -> bool {
        let selected = spec
            .get("nodeSelector")
            .iter()
            .flat_map(|labels| labels.entries())
            .all(|(key, _, value)| match self.labels.get(key) {
                Some(own) => value.as_str().is_none_or(|value| value == *own),
                None => self.open && !is_known(key),
            });
        selected && (daemon && self.taints.is_empty() || self.tolerated(spec))
    }

    fn tolerated(&self, spec: Ref<'_>) -> bool {
        self.taints.iter().all(|(key, value)| {
            spec.get("tolerations")
                .into_iter()
                .flat_map(Ref::items)
                .any(|toleration| {
                    let text = |name| toleration.get(name).and_then(Ref::as_str);
                    let own = text("key").unwrap_or_default();
                    let keys = own.is_empty() || own == *key;
                    let values = text("operator") == Some("Exists")
                        || text("value").unwrap_or_default() == *value;
                    let effects = text("effect")
                        .is_none_or(|effect| matches!(effect, "" | "NoSchedule" | "NoExecute"));
                    keys && values && effects
                })
        })
    }
}

/// Labels of which a template says the value.
fn is_known(key: &str) -> bool {
    POOL_LABELS.contains(&key) || key == "kubernetes.azure.com/mode" || key == "kubernetes.io/os"
}

fn may_run_on(estate: &Estate, workload: &Workload, pools: &[Traits<'_>]) -> Vec<u32> {
    let every = || (0..pools.len() as u32).collect::<Vec<u32>>();
    let Some(resource) = estate.get(workload.resource) else {
        return every();
    };
    let Some(spec) = resource.pod_spec() else {
        return every();
    };
    let daemon = &*workload.kind == "DaemonSet";
    let found: Vec<u32> = pools
        .iter()
        .enumerate()
        .filter(|(_, pool)| pool.takes(spec, daemon))
        .map(|(number, _)| number as u32)
        .collect();
    // A pod that nothing known takes may yet run on a pool that was not given.
    if found.is_empty() && pools.iter().any(|pool| pool.name.is_empty()) {
        return every();
    }
    found
}
