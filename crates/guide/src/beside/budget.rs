//! Quotas and limit ranges of a namespace, sized by what its workloads ask for.
//!
//! The sums leave room for half as much again. Where containers say nothing, the largest value that another container
//! of the namespace states is their default; where none states any, there is nothing to size by, and nothing is made.

use std::fmt::Write as _;

use model::remedy::NewObject;
use model::{Estate, Ref, Resource};

use super::quantity::{self, Milli};
use super::{Ask, Written};
use crate::fix::object;

/// What containers ask for, by name in requests and limits, and whether it is memory.
const COMPUTE: [(&str, bool); 2] = [("cpu", false), ("memory", true)];

/// The largest value that a container states, and which one.
#[derive(Default, Clone)]
struct Largest {
    value: Milli,
    container: String,
}

/// Defaults for containers that say nothing: of CPU and memory.
struct Defaults {
    requests: [Largest; 2],
    limits: [Largest; 2],
    /// No container states a limit: it is twice the request.
    doubled: [bool; 2],
}

/// A container of a workload: main ones and sidecars run at once, others of `initContainers` before them.
struct Container<'e> {
    name: &'e str,
    value: Ref<'e>,
    before: bool,
}

fn containers(workload: &Resource) -> Vec<Container<'_>> {
    let mut found = Vec::new();
    let Some(pod) = workload.pod_spec() else {
        return found;
    };
    for key in ["initContainers", "containers"] {
        for value in pod.get(key).into_iter().flat_map(Ref::items) {
            let sidecar = value.get("restartPolicy").and_then(Ref::as_str) == Some("Always");
            found.push(Container {
                name: value.get("name").and_then(Ref::as_str).unwrap_or("?"),
                value,
                before: key == "initContainers" && !sidecar,
            });
        }
    }
    found
}

fn stated(container: Ref<'_>, of: &str, what: &str) -> Option<Milli> {
    container
        .path(&["resources", of, what])
        .and_then(quantity::read)
}

/// The API server makes a limit the request where none is said (defaults.go of the core types).
fn request(container: Ref<'_>, what: &str) -> Option<Milli> {
    stated(container, "requests", what).or_else(|| stated(container, "limits", what))
}

fn workloads<'e>(estate: &'e Estate, namespace: &str) -> Vec<&'e Resource> {
    let found = estate.workloads_in(namespace);
    found
        .filter_map(|id| estate.get(id))
        .filter(|resource| resource.name.kind.name() != "PodTemplate")
        .collect()
}

fn defaults(workloads: &[&Resource], namespace: &str) -> Result<Defaults, Box<str>> {
    let largest = |of: &dyn Fn(Ref<'_>) -> Option<Milli>| {
        let mut largest = Largest::default();
        for workload in workloads {
            for container in containers(workload) {
                match of(container.value) {
                    Some(value) if value > largest.value => {
                        largest.value = value;
                        largest.container =
                            format!("`{}` of {}", container.name, workload.name.name);
                    }
                    _ => {}
                }
            }
        }
        largest
    };
    let requests = COMPUTE.map(|(what, _)| largest(&|container| request(container, what)));
    let mut limits =
        COMPUTE.map(|(what, _)| largest(&|container| stated(container, "limits", what)));
    let mut doubled = [false; 2];
    for (((limit, request), doubled), (what, memory)) in limits
        .iter_mut()
        .zip(&requests)
        .zip(&mut doubled)
        .zip(COMPUTE)
    {
        if request.value == 0 {
            return Err(format!(
                "no container in `{namespace}` says how much {what} it needs, so there is nothing to size by: set requests first"
            )
            .into());
        }
        if limit.value == 0 {
            *doubled = true;
            limit.value = quantity::round(request.value.saturating_mul(2), memory);
            limit.container.clone_from(&request.container);
        }
        limit.value = limit.value.max(request.value);
    }
    Ok(Defaults {
        requests,
        limits,
        doubled,
    })
}

/// A name that no object of the kind has in the namespace.
fn free(estate: &Estate, namespace: &str, kind: &str, endings: [&str; 2]) -> Option<String> {
    let names = std::iter::once(namespace.to_owned())
        .chain(endings.iter().map(|ending| format!("{namespace}-{ending}")));
    names
        .into_iter()
        .find(|name| estate.find(namespace, kind, name).is_none())
}

/// The head of an object in a namespace.
pub(super) fn head(api_version: &str, kind: &str, name: &str, namespace: Option<&str>) -> String {
    let mut text = format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {}\n",
        object::scalar(name)
    );
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {}", object::scalar(namespace));
    }
    text
}

/// A LimitRange whose maximum and defaults the containers of the namespace fit in.
pub(super) fn limit_range(ask: &Ask<'_>) -> Written {
    let Some(analyses) = ask.analyses else {
        return Ok(Vec::new());
    };
    let (estate, namespace) = (analyses.estate, &*ask.resource.name.name);
    let defaults = defaults(&workloads(estate, namespace), namespace)?;
    Ok(range_of(estate, namespace, &defaults).into_iter().collect())
}

fn range_of(estate: &Estate, namespace: &str, defaults: &Defaults) -> Option<NewObject> {
    let name = free(estate, namespace, "LimitRange", ["limits", "containers"])?;
    let mut text = head("v1", "LimitRange", &name, Some(namespace));
    text.push_str("spec:\n  limits:\n  - type: Container\n");
    let mut lines = |key: &str, values: &[Largest; 2], doubled: bool| {
        let _ = writeln!(text, "    {key}:");
        for (at, ((what, memory), largest)) in COMPUTE.into_iter().zip(values).enumerate() {
            let twice = doubled && defaults.doubled.get(at) == Some(&true);
            let why = if twice {
                format!("twice the request of container {}", largest.container)
            } else {
                format!("the most that one states: container {}", largest.container)
            };
            let value = quantity::shown(largest.value, memory);
            let _ = writeln!(text, "      {what}: {value} # {why}");
        }
    };
    lines("defaultRequest", &defaults.requests, false);
    lines("default", &defaults.limits, true);
    let memory = defaults.limits.get(1)?;
    let max = quantity::with_room(memory.value, true);
    text.push_str("    # Half as much again as the largest limit.\n    max:\n");
    let _ = writeln!(text, "      memory: {}", quantity::shown(max, true));
    object::named(&text)
}

/// A ResourceQuota with room for half as much again as the namespace's workloads ask for, and the LimitRange without
/// which it would refuse containers that say nothing.
pub(super) fn resource_quota(ask: &Ask<'_>) -> Written {
    let Some(analyses) = ask.analyses else {
        return Ok(Vec::new());
    };
    let (estate, namespace) = (analyses.estate, &*ask.resource.name.name);
    let workloads = workloads(estate, namespace);
    let defaults = defaults(&workloads, namespace)?;
    let mut sums = Sums::default();
    for workload in &workloads {
        sums.add(estate, workload, &defaults)?;
    }
    let Some(name) = free(estate, namespace, "ResourceQuota", ["quota", "budget"]) else {
        return Ok(Vec::new());
    };
    let mut text = head("v1", "ResourceQuota", &name, Some(namespace));
    text.push_str("spec:\n  hard:\n");
    let _ = writeln!(
        text,
        "    # What its {} ask for at most, one surge included, and half as much again.",
        match sums.pods {
            1 => "1 pod".to_owned(),
            pods => format!("{pods} pods"),
        }
    );
    for (of, values) in [("requests", &sums.requests), ("limits", &sums.limits)] {
        for ((what, memory), value) in COMPUTE.into_iter().zip(values) {
            let value = quantity::shown(quantity::with_room(*value, memory), memory);
            let _ = writeln!(text, "    {of}.{what}: {value}");
        }
    }
    let claims = estate
        .in_namespace(namespace, "PersistentVolumeClaim")
        .len() as u128
        + sums.claims;
    let doors = Doors::of(estate, namespace);
    text.push_str("    # As many claims and half as many again; the doors that there are.\n");
    let _ = writeln!(
        text,
        "    persistentvolumeclaims: \"{}\"",
        claims + claims.div_ceil(2)
    );
    let _ = writeln!(text, "    services.loadbalancers: \"{}\"", doors.balancers);
    let _ = writeln!(text, "    services.nodeports: \"{}\"", doors.node_ports);
    let mut made: Vec<NewObject> = object::named(&text).into_iter().collect();
    // Whoever says nothing needs a default once there is a quota.
    let silent = sums.silent && estate.in_namespace(namespace, "LimitRange").is_empty();
    if silent {
        made.extend(range_of(estate, namespace, &defaults));
    }
    Ok(made)
}

#[derive(Default)]
struct Sums {
    pods: u128,
    requests: [Milli; 2],
    limits: [Milli; 2],
    claims: u128,
    /// A container says less than all four.
    silent: bool,
}

impl Sums {
    fn add(
        &mut self,
        estate: &Estate,
        workload: &Resource,
        defaults: &Defaults,
    ) -> Result<(), Box<str>> {
        let pods = pods(estate, workload)?;
        self.pods += pods;
        let containers = containers(workload);
        let own = |of: &str, what: &str| workload.pod_spec().and_then(|pod| stated(pod, of, what));
        for (at, (what, _)) in COMPUTE.into_iter().enumerate() {
            for (of, sums, default) in [
                ("requests", &mut self.requests, defaults.requests.get(at)),
                ("limits", &mut self.limits, defaults.limits.get(at)),
            ] {
                let (mut together, mut before) = (0, 0);
                for container in &containers {
                    let said = match of {
                        "requests" => request(container.value, what),
                        _ => stated(container.value, of, what),
                    };
                    self.silent |= said.is_none();
                    let value = said.or(default.map(|default| default.value));
                    let value = value.unwrap_or_default();
                    if container.before {
                        before = value.max(before);
                    } else {
                        together += value;
                    }
                }
                let pod = own(of, what).unwrap_or_else(|| together.max(before));
                if let Some(sum) = sums.get_mut(at) {
                    *sum += pod.saturating_mul(pods);
                }
            }
        }
        let templates = workload.object().path(&["spec", "volumeClaimTemplates"]);
        let templates = templates.map_or(0, |templates| templates.items().len());
        let volumes = workload.pod_spec().and_then(|pod| pod.get("volumes"));
        let ephemeral = volumes.into_iter().flat_map(Ref::items);
        let ephemeral = ephemeral
            .filter(|volume| volume.get("ephemeral").is_some())
            .count();
        self.claims += (templates + ephemeral) as u128 * pods;
        Ok(())
    }
}

/// How many pods a workload has at most, one surge of a rollout included.
fn pods(estate: &Estate, workload: &Resource) -> Result<u128, Box<str>> {
    let object = workload.object();
    let number = |keys: &[&str], default: u128| {
        object
            .path(keys)
            .and_then(Ref::as_int)
            .and_then(|number| u128::try_from(number).ok())
            .unwrap_or(default)
    };
    let kind = workload.name.kind.name();
    match kind {
        "DaemonSet" => Err(format!(
            "DaemonSet `{}` runs on every node, and how many there are is not known: size the quota by hand",
            workload.name.name
        )
        .into()),
        "Job" => Ok(number(&["spec", "parallelism"], 1)),
        "CronJob" => Ok(number(&["spec", "jobTemplate", "spec", "parallelism"], 1)),
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
            let replicas = scaled(estate, workload).unwrap_or_else(|| number(&["spec", "replicas"], 1));
            Ok(replicas + if kind == "Deployment" { surge(object, replicas) } else { 0 })
        }
        _ => Ok(1),
    }
}

/// The most that an autoscaler makes of it.
fn scaled(estate: &Estate, workload: &Resource) -> Option<u128> {
    let namespace = workload.name.namespace.as_deref()?;
    let scalers = estate.in_namespace(namespace, "HorizontalPodAutoscaler");
    let most = scalers.iter().filter_map(|id| {
        let spec = estate.get(*id)?.object().get("spec")?;
        let target = spec.get("scaleTargetRef")?;
        let is = |key: &str, wanted: &str| target.get(key).and_then(Ref::as_str) == Some(wanted);
        (is("kind", workload.name.kind.name()) && is("name", &workload.name.name))
            .then(|| spec.get("maxReplicas").and_then(Ref::as_int))
            .flatten()
    });
    most.max().and_then(|most| u128::try_from(most).ok())
}

/// The pods that a rolling update adds: a quarter where nothing is said (defaults.go of apps/v1), rounded up.
fn surge(object: Ref<'_>, replicas: u128) -> u128 {
    let strategy = object.path(&["spec", "strategy"]);
    let kind = strategy
        .and_then(|strategy| strategy.get("type"))
        .and_then(Ref::as_str);
    if kind == Some("Recreate") {
        return 0;
    }
    let said = strategy.and_then(|strategy| strategy.path(&["rollingUpdate", "maxSurge"]));
    let percent = |percent: u128| (replicas * percent).div_ceil(100);
    match said {
        Some(said) => match (said.as_int(), said.as_str()) {
            (Some(number), _) => u128::try_from(number).unwrap_or_default(),
            (None, Some(text)) => text
                .strip_suffix('%')
                .and_then(|text| text.parse().ok())
                .map_or(0, percent),
            _ => 0,
        },
        None => percent(25),
    }
}

/// Services that open a door to the outside.
#[derive(Default)]
struct Doors {
    balancers: usize,
    node_ports: usize,
}

impl Doors {
    fn of(estate: &Estate, namespace: &str) -> Self {
        let mut doors = Self::default();
        for id in estate.in_namespace(namespace, "Service") {
            let Some(spec) = estate
                .get(*id)
                .and_then(|service| service.object().get("spec"))
            else {
                continue;
            };
            let kind = spec.get("type").and_then(Ref::as_str).unwrap_or_default();
            let ports = spec.get("ports").map_or(0, |ports| ports.items().len());
            // pkg/quota/v1/evaluator/core/services.go of Kubernetes counts a node port for each port of both types.
            let allocates = spec
                .get("allocateLoadBalancerNodePorts")
                .and_then(Ref::as_bool)
                != Some(false);
            doors.balancers += usize::from(kind == "LoadBalancer");
            if kind == "NodePort" || kind == "LoadBalancer" && allocates {
                doors.node_ports += ports;
            }
        }
        doors
    }
}
