//! Who runs: workloads, and the classes of them that no network policy can tell apart.
//!
//! Pods that something else made count to what made them; a pod whose maker was not given stands for
//! it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::estate::namespace_of;
use model::ownership::owner_reference;
use model::{Estate, Ref, Resource, ResourceRef};

use super::address;
use super::around::Part;
use super::labels::Labels;
use super::policy::{number, protocol};
use super::ports::Protocol;
use super::ranges::Ranges;

/// Something that makes pods, or a pod that nothing here made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What it was read from; for pods whose maker was not given, the first of them.
    pub resource: ResourceRef,
    /// Its namespace; `default` where nobody says one.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its kind: `Deployment`.
    pub kind: Box<str>,
    /// The number of its class.
    pub class: usize,
}

impl Workload {
    /// `namespace/name[Kind]`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}[{}]", self.namespace, self.name, self.kind)
    }
}

/// The keys of workloads that are read here beside those of every index; whole below where `true`.
pub const READS: &[(&str, bool)] = &[
    ("hostNetwork", false),
    ("nodeSelector", true),
    ("affinity", true),
    ("containers", false),
    ("initContainers", false),
    ("restartPolicy", false),
    ("ports", true),
    ("status", false),
    ("phase", false),
    ("podIP", false),
    ("podIPs", true),
];

/// A port that a container names or opens on the node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ContainerPort {
    pub(crate) name: Box<str>,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
    pub(crate) host_port: Option<u16>,
}

/// What tells the pods of a workload from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Traits {
    /// After the pods that have an address of their own.
    pub(crate) host: bool,
    pub(crate) namespace: Box<str>,
    pub(crate) labels: Labels,
    pub(crate) ports: Vec<ContainerPort>,
    /// One on every node.
    pub(crate) everywhere: bool,
    /// Known addresses; empty where none is.
    pub(crate) addresses: Ranges,
}

/// Workloads that no policy tells apart.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) traits: Traits,
    /// Numbers of its workloads.
    pub(crate) workloads: Vec<usize>,
}

/// The namespace that objects without one are applied to, where nobody says otherwise.
pub(crate) const DEFAULT: &str = "default";

/// The namespace of an object that has one.
pub(crate) fn namespace(resource: &Resource) -> &str {
    match namespace_of(resource) {
        "" => DEFAULT,
        name => name,
    }
}

/// Namespace, kind and name.
type FullName = (Box<str>, Box<str>, Box<str>);

struct Found {
    workload: Workload,
    traits: Traits,
}

/// The workloads of a part of an estate by namespace, name and kind, and their classes.
pub(crate) fn read(part: Part<'_>) -> (Vec<Workload>, Vec<Class>) {
    let estate = part.estate;
    let mut found: Vec<Found> = Vec::new();
    let mut owned: Vec<ResourceRef> = Vec::new();
    let mut numbers: HashMap<ResourceRef, usize> = HashMap::new();
    for (id, resource) in part.resources() {
        let pods = resource.is_workload() && resource.name.kind.name() != "PodTemplate";
        if !pods || has_ended(resource) {
            continue;
        }
        if owner(resource.object()).is_some() {
            owned.push(id);
            continue;
        }
        if let Some(traits) = traits(resource) {
            numbers.insert(id, found.len());
            found.push(Found {
                workload: named(id, resource, resource.name.kind.name(), &resource.name.name),
                traits,
            });
        }
    }
    let mut absent: BTreeMap<FullName, usize> = BTreeMap::new();
    for id in owned {
        let Some(resource) = estate.get(id) else {
            continue;
        };
        let own = addresses(resource);
        let at = match top(estate, resource) {
            Top::Here(top) => numbers.get(&top).copied(),
            Top::Absent(kind, name) => {
                let key = (namespace(resource).into(), kind.clone(), name.clone());
                absent.get(&key).copied().or_else(|| {
                    let traits = traits(resource)?;
                    absent.insert(key, found.len());
                    found.push(Found {
                        workload: named(id, resource, &kind, &name),
                        traits,
                    });
                    Some(found.len() - 1)
                })
            }
        };
        if let Some(found) = at.and_then(|at| found.get_mut(at)) {
            found.traits.addresses = found.traits.addresses.union(&own);
        }
    }
    // Those of one name stay in the order in which they were read.
    found.sort_by(|a, b| order(&a.workload).cmp(&order(&b.workload)));
    classes(found)
}

fn order(workload: &Workload) -> (&str, &str, &str) {
    (&workload.namespace, &workload.name, &workload.kind)
}

fn named(id: ResourceRef, resource: &Resource, kind: &str, name: &str) -> Workload {
    Workload {
        resource: id,
        namespace: namespace(resource).into(),
        name: name.into(),
        kind: kind.into(),
        class: 0,
    }
}

fn classes(found: Vec<Found>) -> (Vec<Workload>, Vec<Class>) {
    // Pods with addresses of their own first, then by namespace, then by first workload.
    let mut numbers: HashMap<&Traits, usize> = HashMap::new();
    let mut members: Vec<(&Traits, Vec<usize>)> = Vec::new();
    for (at, one) in found.iter().enumerate() {
        let number = *numbers.entry(&one.traits).or_insert_with(|| {
            members.push((&one.traits, Vec::new()));
            members.len() - 1
        });
        if let Some((_, workloads)) = members.get_mut(number) {
            workloads.push(at);
        }
    }
    members.sort_by_key(|(traits, workloads)| {
        (traits.host, workloads.first().copied().unwrap_or_default())
    });
    let classes: Vec<Class> = members
        .into_iter()
        .map(|(traits, workloads)| Class {
            traits: traits.clone(),
            workloads,
        })
        .collect();
    let mut workloads: Vec<Workload> = found.into_iter().map(|one| one.workload).collect();
    for (number, class) in classes.iter().enumerate() {
        for at in &class.workloads {
            if let Some(workload) = workloads.get_mut(*at) {
                workload.class = number;
            }
        }
    }
    (workloads, classes)
}

enum Top {
    Here(ResourceRef),
    Absent(Box<str>, Box<str>),
}

/// What made an object in the end.
fn top(estate: &Estate, resource: &Resource) -> Top {
    let mut at = resource;
    let mut absent = (resource.name.kind.name().into(), resource.name.name.clone());
    // Owners of owners: CronJob, Job, Pod is as deep as Kubernetes goes.
    for _ in 0..8 {
        let Some((kind, name)) = owner(at.object()) else {
            break;
        };
        absent = (kind.into(), name.into());
        match estate.find(namespace_of(resource), kind, name) {
            Some(above) => at = above,
            None => return Top::Absent(absent.0, absent.1),
        }
    }
    estate
        .number_of(at)
        .map_or(Top::Absent(absent.0, absent.1), Top::Here)
}

/// The objects that a workload read from a pod may be numbered by: the pod, and what made it.
pub(crate) fn makers(estate: &Estate, pod: ResourceRef) -> Vec<ResourceRef> {
    let mut found = vec![pod];
    if let Some(resource) = estate.get(pod)
        && let Top::Here(top) = top(estate, resource)
        && top != pod
    {
        found.push(top);
    }
    found
}

/// Whether an object counts to another that is here and made it.
pub(crate) fn is_made_here(estate: &Estate, resource: &Resource) -> bool {
    resource.is_workload()
        && owner(resource.object()).is_some()
        && matches!(top(estate, resource), Top::Here(_))
}

/// Kinds whose objects may name what made them.
const MADE: [&str; 8] = [
    "Pod",
    "ReplicaSet",
    "Job",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "ReplicationController",
];

/// Whether something names an object as what made it.
pub(crate) fn is_maker(estate: &Estate, resource: &Resource) -> bool {
    let (kind, name) = (resource.name.kind.name(), &*resource.name.name);
    let namespace = namespace_of(resource);
    MADE.into_iter().any(|made| {
        let made = estate.in_namespace(namespace, made).iter();
        let mut made = made.filter_map(|id| estate.get(*id));
        made.any(|made| owner(made.object()) == Some((kind, name)))
    })
}

/// All that is read of a workload.
#[derive(PartialEq)]
pub(crate) struct Seen<'r> {
    traits: Option<Traits>,
    owner: Option<(&'r str, &'r str)>,
    has_ended: bool,
}

pub(crate) fn seen(workload: &Resource) -> Seen<'_> {
    Seen {
        traits: traits(workload),
        owner: owner(workload.object()),
        has_ended: has_ended(workload),
    }
}

/// Whether a pod runs no more: nobody talks to it.
fn has_ended(resource: &Resource) -> bool {
    resource.name.kind.name() == "Pod"
        && matches!(
            resource
                .object()
                .path(&["status", "phase"])
                .and_then(Ref::as_str),
            Some("Succeeded" | "Failed")
        )
}

/// The controller that owns an object; without one, its first owner.
fn owner(object: Ref<'_>) -> Option<(&str, &str)> {
    let owner = owner_reference(object)?;
    // A static pod is owned by its node; it is a workload of its own.
    let kind = owner.get("kind")?.as_str().filter(|kind| *kind != "Node")?;
    Some((kind, owner.get("name")?.as_str()?))
}

fn traits(resource: &Resource) -> Option<Traits> {
    let holder = resource.pod_holder()?;
    let spec = holder.get("spec");
    let host = spec
        .and_then(|spec| spec.get("hostNetwork"))
        .and_then(Ref::as_bool)
        == Some(true);
    let pinned = ["nodeSelector", "affinity"]
        .into_iter()
        .any(|key| spec.is_some_and(|spec| spec.get(key).is_some()));
    Some(Traits {
        host,
        namespace: namespace(resource).into(),
        labels: Labels::read(holder.path(&["metadata", "labels"])),
        ports: spec.map(container_ports).unwrap_or_default(),
        everywhere: host && resource.name.kind.name() == "DaemonSet" && !pinned,
        addresses: addresses(resource),
    })
}

/// Named ports of containers and of sidecars, and those opened on the node.
fn container_ports(spec: Ref<'_>) -> Vec<ContainerPort> {
    let sidecar = |container: &Ref<'_>| {
        container.get("restartPolicy").and_then(Ref::as_str) == Some("Always")
    };
    let containers = spec.get("containers").into_iter().flat_map(Ref::items);
    let sidecars = spec
        .get("initContainers")
        .into_iter()
        .flat_map(Ref::items)
        .filter(sidecar);
    containers
        .chain(sidecars)
        .filter_map(|container| container.get("ports"))
        .flat_map(Ref::items)
        .filter_map(|port| {
            let host_port = port
                .get("hostPort")
                .and_then(number)
                .filter(|port| *port > 0);
            let name = port.get("name").and_then(Ref::as_str).unwrap_or_default();
            (!name.is_empty() || host_port.is_some()).then_some(())?;
            Some(ContainerPort {
                name: name.into(),
                protocol: protocol(port.get("protocol")).ok()?,
                port: port.get("containerPort").and_then(number)?,
                host_port,
            })
        })
        .collect()
}

/// The addresses that a running pod has.
fn addresses(resource: &Resource) -> Ranges {
    let status = resource.object().get("status");
    let listed = status
        .and_then(|status| status.get("podIPs"))
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|item| item.get("ip"));
    let single = status.and_then(|status| status.get("podIP"));
    listed
        .chain(single)
        .filter_map(Ref::as_str)
        .filter_map(|text| text.parse::<IpAddr>().ok())
        .map(address::single)
        .fold(Ranges::empty(), |all, one| all.union(&one))
}
