//! Ingresses and routes of the Gateway API: which workloads stand behind the Services they name.
//!
//! Whether the controller that serves them is on the internet is read from an address in the status or
//! from annotations of AKS's own controllers; otherwise it is not known.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{Estate, Ref, Resource, ResourceRef};

use super::gateways::{ALB_CLASS, GROUP, Proxy, gate, grant};
use super::services::{annotation, hangs_on};
use super::{Audience, Exposure, Way};
use crate::reach::Reach;
use crate::reach::address;
use crate::reach::around::Part;
use crate::reach::bits::Belongs;
use crate::reach::conn::Conn;
use crate::reach::policy::number;
use crate::reach::ports::{PortSet, Protocol};
use crate::reach::ranges::Ranges;
use crate::reach::universe::End;
use crate::reach::workloads;

/// The kinds of routes.
pub(crate) const KINDS: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

/// A way in before the Service is resolved.
struct Entry {
    proxy: Proxy,
    way: Way,
    through: Vec<ResourceRef>,
    audience: Audience,
    because: Option<Box<str>>,
    hosts: Vec<Box<str>>,
    front: PortSet,
    /// something about it is not settled
    may: bool,
}

pub(crate) fn find(reach: &Reach, part: Part<'_>) -> Vec<Exposure> {
    let estate = part.estate;
    let mut found = Vec::new();
    for (id, ingress) in part.of_kind("Ingress") {
        found.extend(of_ingress(reach, estate, id, ingress));
    }
    for (id, route) in part.routes() {
        found.extend(of_route(reach, estate, id, route));
    }
    found
}

/// All routes, kind by kind.
pub(crate) fn all(estate: &Estate) -> impl Iterator<Item = ResourceRef> + '_ {
    let kinds = KINDS.iter();
    kinds.flat_map(|kind| estate.of_kind(&format!("{kind}.{GROUP}")).to_vec())
}

/// The namespaces of a route's backends.
pub(crate) fn leads_to(route: &Resource) -> BTreeSet<&str> {
    let backends = route
        .object()
        .get("spec")
        .into_iter()
        .flat_map(backend_refs);
    backends
        .map(|backend| backend_namespace(backend, route))
        .collect()
}

fn backend_refs(spec: Ref<'_>) -> impl Iterator<Item = Ref<'_>> {
    let rules = spec.get("rules").into_iter().flat_map(Ref::items);
    let listed = rules.filter_map(|rule| rule.get("backendRefs"));
    listed.flat_map(Ref::items)
}

fn backend_namespace<'r>(backend: Ref<'r>, route: &'r Resource) -> &'r str {
    let said = backend.get("namespace").and_then(Ref::as_str);
    said.unwrap_or_else(|| workloads::namespace(route))
}

/// Who reaches a controller, by the addresses of its status.
pub(super) fn by_status(addresses: &[&str]) -> Option<Audience> {
    let public = address::public();
    let known: Vec<IpAddr> = addresses
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    if known.is_empty() {
        return None;
    }
    Some(
        if known
            .iter()
            .any(|one| public.covers(&address::single(*one)))
        {
            Audience::Internet
        } else {
            Audience::Network
        },
    )
}

fn of_ingress(
    reach: &Reach,
    estate: &Estate,
    id: ResourceRef,
    ingress: &Resource,
) -> Vec<Exposure> {
    let object = ingress.object();
    let Some(spec) = object.get("spec") else {
        return Vec::new();
    };
    let addresses: Vec<&str> = object
        .path(&["status", "loadBalancer", "ingress"])
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|one| one.get("ip")?.as_str())
        .collect();
    // Application Gateway Ingress Controller, docs/annotations.md.
    let private = annotation(ingress, "appgw.ingress.kubernetes.io/use-private-ip")
        .and_then(Ref::as_str)
        == Some("true");
    let class = spec
        .get("ingressClassName")
        .or_else(|| annotation(ingress, "kubernetes.io/ingress.class"))
        .and_then(Ref::as_str);
    let alb = class == Some(ALB_CLASS);
    let (audience, because) = match (by_status(&addresses), private) {
        (Some(audience), _) => (audience, None),
        (None, true) => (Audience::Network, None),
        _ if alb => (Audience::Internet, None),
        (None, false) => (
            Audience::Unknown,
            Some(match class {
                Some(class) => {
                    format!("whether the controller of class `{class}` is public was not given")
                }
                None => "whether its controller is public was not given".to_owned(),
            }),
        ),
    };
    let tls = spec.get("tls").is_some_and(|tls| tls.items().len() > 0);
    let mut front = PortSet::port(Protocol::Tcp, 80);
    if tls {
        front = front.union(&PortSet::port(Protocol::Tcp, 443));
    }
    let mut found: Vec<Exposure> = Vec::new();
    for (host, backend) in backends(spec) {
        let Some((service, port)) = service_of(backend) else {
            continue;
        };
        let entry = Entry {
            proxy: if alb { Proxy::Subnet } else { Proxy::Anywhere },
            way: Way::Ingress,
            through: vec![id],
            audience,
            because: because.clone().map(Into::into),
            hosts: host.map(Into::into).into_iter().collect(),
            front: front.clone(),
            may: false,
        };
        let namespace = workloads::namespace(ingress);
        for exposure in behind(reach, estate, entry, namespace, service, port) {
            merge(&mut found, exposure);
        }
    }
    found
}

/// The backends of an Ingress, each with the host it is for.
fn backends<'r>(spec: Ref<'r>) -> Vec<(Option<&'r str>, Ref<'r>)> {
    let mut found = Vec::new();
    for key in ["defaultBackend", "backend"] {
        found.extend(spec.get(key).map(|backend| (None, backend)));
    }
    for rule in spec.get("rules").into_iter().flat_map(Ref::items) {
        let host = rule.get("host").and_then(Ref::as_str);
        let paths = rule.path(&["http", "paths"]);
        for path in paths.into_iter().flat_map(Ref::items) {
            found.extend(path.get("backend").map(|backend| (host, backend)));
        }
    }
    found
}

/// Which port of a Service is meant.
#[derive(Clone, Copy)]
enum Wanted<'r> {
    Number(u16),
    Name(&'r str),
    Any,
}

/// `service.name` and `service.port`; `serviceName` and `servicePort` before v1.
fn service_of(backend: Ref<'_>) -> Option<(&str, Wanted<'_>)> {
    let port = |port: Option<Ref<'_>>| -> Option<u16> { port.and_then(number) };
    if let Some(service) = backend.get("service") {
        let name = service.get("name")?.as_str()?;
        let wanted = match port(service.path(&["port", "number"])) {
            Some(number) => Wanted::Number(number),
            None => service
                .path(&["port", "name"])
                .and_then(Ref::as_str)
                .map_or(Wanted::Any, Wanted::Name),
        };
        return Some((name, wanted));
    }
    let name = backend.get("serviceName")?.as_str()?;
    let given = backend.get("servicePort");
    let wanted = match port(given) {
        Some(number) => Wanted::Number(number),
        None => given
            .and_then(Ref::as_str)
            .map_or(Wanted::Any, Wanted::Name),
    };
    Some((name, wanted))
}

/// The workloads behind a port of a Service.
fn behind(
    reach: &Reach,
    estate: &Estate,
    entry: Entry,
    namespace: &str,
    name: &str,
    wanted: Wanted<'_>,
) -> Vec<Exposure> {
    let here = |resource: &&Resource| workloads::namespace(resource) == namespace;
    let service = estate
        .find(namespace, "Service", name)
        .or_else(|| estate.find("", "Service", name).filter(here));
    let Some(service) = service else {
        return Vec::new();
    };
    let number_of = estate.number_of(service);
    let ports = service.object().path(&["spec", "ports"]);
    let mut found = Vec::new();
    for (workload, belongs) in reach.behind(service) {
        let mut targets = PortSet::none();
        for port in ports.into_iter().flat_map(Ref::items) {
            let meant = match wanted {
                Wanted::Any => true,
                Wanted::Number(number_) => port.get("port").and_then(number) == Some(number_),
                Wanted::Name(name) => port.get("name").and_then(Ref::as_str) == Some(name),
            };
            if meant && let Some((protocol, target)) = reach.target(workload, port) {
                targets = targets.union(&PortSet::port(protocol, target));
            }
        }
        if targets.is_empty() {
            continue;
        }
        let mut open = asked_by(reach, workload, entry.proxy).within(&targets);
        if belongs == Belongs::Maybe || entry.may {
            open.sure = PortSet::none();
        }
        found.push(Exposure {
            workload,
            way: entry.way,
            through: entry.through.iter().copied().chain(number_of).collect(),
            audience: entry.audience,
            because: entry.because.clone(),
            hosts: entry.hosts.clone(),
            clients: Ranges::empty(),
            front: entry.front.clone(),
            target: targets,
            hangs_on: hangs_on(reach, workload, &open),
            open,
        });
    }
    found
}

/// What comes in to a workload from a controller's proxies.
fn asked_by(reach: &Reach, workload: usize, proxy: Proxy) -> Conn {
    if proxy == Proxy::Subnet {
        let known = &reach.around.network.gateways;
        return if known.is_empty() {
            reach.let_in_by_all(workload, &address::private())
        } else {
            reach.let_in_by_all(workload, known)
        };
    }
    // A pod that was not given, or something outside the cluster.
    let inside = reach.entering_workload(workload, |_, end| end == End::Stranger);
    let outside = reach.entering_workload(workload, |_, end| matches!(end, End::External(_)));
    Conn {
        sure: inside.sure.intersection(&outside.sure),
        may: inside.may.union(&outside.may),
    }
}

/// Several rules of one object lead to one workload: one exposure.
fn merge(found: &mut Vec<Exposure>, one: Exposure) {
    let same = found
        .iter_mut()
        .find(|known| known.workload == one.workload && known.through == one.through);
    let Some(known) = same else {
        found.push(one);
        return;
    };
    if known.hosts.is_empty() || one.hosts.is_empty() {
        known.hosts.clear();
    } else {
        known.hosts.extend(one.hosts);
        known.hosts.sort();
        known.hosts.dedup();
    }
    known.front = known.front.union(&one.front);
    known.target = known.target.union(&one.target);
    known.open = known.open.join(&one.open);
}

fn of_route(reach: &Reach, estate: &Estate, id: ResourceRef, route: &Resource) -> Vec<Exposure> {
    let kind = route.name.kind.name();
    let Some(spec) = route.object().get("spec") else {
        return Vec::new();
    };
    let own = workloads::namespace(route);
    let listed = spec.get("hostnames");
    let names = listed.into_iter().flat_map(Ref::items);
    let wanted: Option<Vec<&str>> = match listed {
        Some(listed) if listed.is_open() => None,
        _ => names.map(Ref::as_str).collect(),
    };
    let mut found: Vec<Exposure> = Vec::new();
    for parent in spec.get("parentRefs").into_iter().flat_map(Ref::items) {
        let Some(gate) = gate(estate, parent, own, kind, &wanted) else {
            continue;
        };
        for backend in backend_refs(spec) {
            let is_service = backend
                .get("kind")
                .and_then(Ref::as_str)
                .is_none_or(|kind| kind == "Service");
            let Some(name) = backend.get("name").and_then(Ref::as_str) else {
                continue;
            };
            let namespace = backend_namespace(backend, route);
            let granted = grant(estate, kind, own, namespace, name);
            if !is_service || granted == Belongs::No {
                continue;
            }
            let port = backend.get("port").and_then(number);
            let entry = Entry {
                proxy: gate.proxy,
                way: Way::Gateway,
                through: gate.gateway.into_iter().chain([id]).collect(),
                audience: gate.audience,
                because: gate.because.clone(),
                hosts: gate.hosts.clone(),
                front: gate.front.clone(),
                may: gate.may || granted == Belongs::Maybe,
            };
            let wanted = port.map_or(Wanted::Any, Wanted::Number);
            for exposure in behind(reach, estate, entry, namespace, name, wanted) {
                merge(&mut found, exposure);
            }
        }
    }
    found
}
