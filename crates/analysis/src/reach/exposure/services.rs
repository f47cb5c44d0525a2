//! LoadBalancers, NodePorts, external addresses, and ports that pods open on their nodes.

use std::net::IpAddr;

use model::{Ref, Resource, ResourceRef};

use super::{Audience, Exposure, Way};
use crate::reach::Reach;
use crate::reach::address;
use crate::reach::around::Part;
use crate::reach::bits::Belongs;
use crate::reach::conn::Conn;
use crate::reach::policy::{Direction, number};
use crate::reach::ports::{PortSet, Protocol};
use crate::reach::ranges::Ranges;
use crate::reach::universe::End;

/// Annotations of AKS's load balancers (cloud-provider-azure, site/content/en/topics/loadbalancer.md).
const INTERNAL: &str = "service.beta.kubernetes.io/azure-load-balancer-internal";
const CLIENTS: [&str; 2] = [
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
];
const TAGS: &str = "service.beta.kubernetes.io/azure-allowed-service-tags";

/// What a Service opens to the outside.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) way: Way,
    pub(crate) audience: Audience,
    pub(crate) because: Option<Box<str>>,
    pub(crate) clients: Ranges,
}

pub(crate) fn annotation<'r>(resource: &'r Resource, key: &str) -> Option<Ref<'r>> {
    resource
        .object()
        .path(&["metadata", "annotations"])?
        .get(key)
}

/// Addresses that a Service lets in; empty for any.
pub(crate) fn clients(service: &Resource) -> Ranges {
    let listed = service.object().path(&["spec", "loadBalancerSourceRanges"]);
    let listed: Vec<&str> = listed
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(Ref::as_str)
        .collect();
    let noted = CLIENTS
        .iter()
        .filter_map(|key| annotation(service, key)?.as_str())
        .flat_map(|text| text.split(','));
    let blocks: Vec<&str> = listed.into_iter().chain(noted).collect();
    address::union_of(&blocks)
}

/// How a Service is reached from outside, if it is.
pub(crate) fn front(service: &Resource) -> Option<Front> {
    let spec = service.object().get("spec")?;
    let kind = spec.get("type");
    let outer = spec
        .get("externalIPs")
        .is_some_and(|addresses| addresses.items().len() > 0);
    match kind.and_then(Ref::as_str) {
        Some("LoadBalancer") => Some(load_balancer(service, spec)),
        Some("NodePort") => Some(Front {
            way: Way::NodePort,
            audience: Audience::Unknown,
            because: Some("whether nodes have public addresses was not given".into()),
            clients: Ranges::empty(),
        }),
        Some("ExternalName") => None,
        _ if outer => Some(Front {
            way: Way::ExternalAddress,
            audience: Audience::Unknown,
            because: Some("who routes its external addresses was not given".into()),
            clients: Ranges::empty(),
        }),
        None if kind.is_some_and(Ref::is_open) => Some(Front {
            way: Way::LoadBalancer,
            audience: Audience::Unknown,
            because: Some("the template leaves its type open".into()),
            clients: Ranges::empty(),
        }),
        _ => None,
    }
}

fn load_balancer(service: &Resource, spec: Ref<'_>) -> Front {
    let clients = clients(service);
    let tags = annotation(service, TAGS).and_then(Ref::as_str);
    let internal = annotation(service, INTERNAL);
    let given: Vec<IpAddr> = service
        .object()
        .path(&["status", "loadBalancer", "ingress"])
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|one| one.get("ip")?.as_str()?.parse().ok())
        .collect();
    let (audience, because) = if !given.is_empty() {
        // It runs: its address says it.
        let public = address::public();
        if given
            .iter()
            .any(|one| public.covers(&address::single(*one)))
        {
            (Audience::Internet, None)
        } else {
            (Audience::Network, None)
        }
    } else {
        match internal.map(|value| (value.as_str(), value.is_open())) {
            Some((Some("true"), _)) => (Audience::Network, None),
            Some((_, true)) => (
                Audience::Unknown,
                Some("the template leaves open whether it is internal".into()),
            ),
            _ if spec.get("loadBalancerClass").is_some() => (
                Audience::Unknown,
                Some("another load balancer's class is asked for".into()),
            ),
            _ => (Audience::Internet, None),
        }
    };
    let because = because.or_else(|| tags.map(|tags| format!("only from `{tags}`").into()));
    Front {
        way: Way::LoadBalancer,
        audience,
        because,
        clients,
    }
}

/// What leads from some of the clients to pods.
pub(crate) fn find(reach: &Reach, part: Part<'_>, from: &Ranges) -> Vec<Exposure> {
    let mut found = Vec::new();
    for (id, service) in part.of_kind("Service") {
        if let Some(front) = front(service) {
            found.extend(of_service(reach, id, service, &front, from));
        }
    }
    found.extend(on_nodes(reach, from));
    found
}

fn of_service(
    reach: &Reach,
    id: ResourceRef,
    service: &Resource,
    front: &Front,
    from: &Ranges,
) -> Vec<Exposure> {
    let spec = service.object().get("spec");
    let ports = || {
        spec.and_then(|spec| spec.get("ports"))
            .into_iter()
            .flat_map(Ref::items)
    };
    let local = spec
        .and_then(|spec| spec.get("externalTrafficPolicy"))
        .and_then(Ref::as_str)
        == Some("Local");
    let mut found = Vec::new();
    for (workload, belongs) in reach.behind(service) {
        let (mut fronts, mut targets) = (PortSet::none(), PortSet::none());
        for port in ports() {
            let Some((protocol, target)) = reach.target(workload, port) else {
                continue;
            };
            targets = targets.union(&PortSet::port(protocol, target));
            let shown = match front.way {
                Way::NodePort => "nodePort",
                _ => "port",
            };
            if let Some(port) = port.get(shown).and_then(number) {
                fronts = fronts.union(&PortSet::port(protocol, port));
            }
        }
        if targets.is_empty() {
            continue;
        }
        let mut open = arriving(reach, workload, front, from, local).within(&targets);
        if belongs == Belongs::Maybe {
            open.sure = PortSet::none();
        }
        found.push(Exposure {
            workload,
            way: front.way,
            through: vec![id],
            audience: front.audience,
            because: front.because.clone(),
            hosts: Vec::new(),
            clients: front.clients.clone(),
            front: fronts,
            target: targets,
            hangs_on: hangs_on(reach, workload, &open),
            open,
        });
    }
    found
}

pub(crate) fn hangs_on(reach: &Reach, workload: usize, open: &Conn) -> Option<Box<str>> {
    let workload = reach.workloads().get(workload)?;
    reach.hangs_on(
        reach.end_of(workload),
        Direction::Ingress,
        !open.sure.is_empty(),
    )
}

/// What reaches the pods of a Service from its clients. Unless the traffic policy is `Local`, nodes
/// put their own address in the client's place, before or after policies are held against it
/// ("undefined", Kubernetes documentation, concepts/services-networking/network-policies).
fn arriving(reach: &Reach, workload: usize, front: &Front, from: &Ranges, local: bool) -> Conn {
    let wanted = match front.audience {
        Audience::Network => address::private(),
        _ if front.clients.is_empty() => from.clone(),
        _ => front.clients.intersection(from),
    };
    if wanted.is_empty() {
        return Conn::none();
    }
    let outside = entering(reach, workload, &wanted);
    if local {
        return outside;
    }
    let nodes = reach.entering_workload(workload, |_, end| end == End::OtherNode);
    Conn {
        sure: outside.sure.intersection(&nodes.sure),
        may: outside.may.union(&nodes.may),
    }
}

/// What comes in from any of the addresses.
fn entering(reach: &Reach, workload: usize, from: &Ranges) -> Conn {
    reach.entering_workload(workload, |reach, end| {
        reach
            .addresses(end)
            .is_some_and(|addresses| from.meets(addresses))
    })
}

/// Ports that pods open on their nodes, and pods on their nodes' network.
fn on_nodes(reach: &Reach, from: &Ranges) -> Vec<Exposure> {
    let mut found = Vec::new();
    for (number, workload) in reach.workloads().iter().enumerate() {
        let Some(class) = reach.universe.classes.get(workload.class) else {
            continue;
        };
        let traits = &class.traits;
        let (mut front, mut target) = (PortSet::none(), PortSet::none());
        for port in &traits.ports {
            if let Some(outer) = port.host_port {
                front = front.union(&PortSet::port(port.protocol, outer));
                target = target.union(&PortSet::port(port.protocol, port.port));
            }
        }
        let way = if traits.host {
            front = PortSet::protocol(Protocol::Tcp).union(&PortSet::protocol(Protocol::Udp));
            target = front.clone();
            Way::HostNetwork
        } else if front.is_empty() {
            continue;
        } else {
            Way::HostPort
        };
        let open = entering(reach, number, from).within(&target);
        found.push(Exposure {
            workload: number,
            way,
            through: vec![workload.resource],
            audience: Audience::Unknown,
            because: Some("whether nodes have public addresses was not given".into()),
            hosts: Vec::new(),
            clients: Ranges::empty(),
            hangs_on: hangs_on(reach, number, &open),
            front,
            target,
            open,
        });
    }
    found
}
