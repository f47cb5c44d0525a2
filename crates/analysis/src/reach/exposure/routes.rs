//! Ingresses and routes of the Gateway API: which workloads stand behind the Services they name.
//!
//! Whether the controller that serves them is on the internet is read from an address in the status or
//! from annotations of AKS's own controllers; otherwise it is not known.

use std::net::IpAddr;

use model::kinds::Kind;
use model::{Estate, Ref, Resource, ResourceRef, Scope};

use super::services::{annotation, hangs_on};
use super::{Audience, Exposure, Way};
use crate::reach::Reach;
use crate::reach::address;
use crate::reach::bits::{Belongs, TriBits};
use crate::reach::labels::{Index, Selector};
use crate::reach::policy::number;
use crate::reach::ports::{PortSet, Protocol};
use crate::reach::ranges::Ranges;
use crate::reach::universe::{End, namespace_labels};
use crate::reach::workloads;

const ROUTES: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];
const GROUP: &str = "gateway.networking.k8s.io";

/// A way in before the Service is resolved.
struct Entry {
    way: Way,
    through: Vec<ResourceRef>,
    audience: Audience,
    because: Option<Box<str>>,
    hosts: Vec<Box<str>>,
    front: PortSet,
    /// something about it is not settled
    may: bool,
}

pub(crate) fn find(reach: &Reach, estate: &Estate) -> Vec<Exposure> {
    let mut found = Vec::new();
    for id in estate.of_kind("Ingress") {
        if let Some(ingress) = estate.get(*id) {
            found.extend(of_ingress(reach, estate, *id, ingress));
        }
    }
    for kind in ROUTES {
        for id in estate.of_kind(&format!("{kind}.{GROUP}")) {
            if let Some(route) = estate.get(*id) {
                found.extend(of_route(reach, estate, *id, route, kind));
            }
        }
    }
    found
}

/// Who reaches a controller, by the addresses of its status.
fn by_status(addresses: &[&str]) -> Option<Audience> {
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
    let (audience, because) = match (by_status(&addresses), private) {
        (Some(audience), _) => (audience, None),
        (None, true) => (Audience::Network, None),
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
    let number_of = estate.of_kind("Service").iter().copied().find(|id| {
        estate
            .get(*id)
            .is_some_and(|one| std::ptr::eq(one, service))
    });
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
        // Its controller: a pod that was not given, or something outside the cluster.
        let inside = reach.entering(workload, |_, end| end == End::Stranger);
        let outside = reach.entering(workload, |_, end| matches!(end, End::External(_)));
        let mut open = inside.within(&targets);
        open.may = open.may.union(&outside.may.intersection(&targets));
        open.sure = open.sure.intersection(&outside.sure);
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

fn of_route(
    reach: &Reach,
    estate: &Estate,
    id: ResourceRef,
    route: &Resource,
    kind: &str,
) -> Vec<Exposure> {
    let Some(spec) = route.object().get("spec") else {
        return Vec::new();
    };
    let own = workloads::namespace(route);
    let hosts: Vec<Box<str>> = spec
        .get("hostnames")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|host| host.as_str().map(Into::into))
        .collect();
    let mut found: Vec<Exposure> = Vec::new();
    for parent in spec.get("parentRefs").into_iter().flat_map(Ref::items) {
        let Some(gate) = gate(estate, parent, own, kind) else {
            continue;
        };
        for backend in spec
            .get("rules")
            .into_iter()
            .flat_map(Ref::items)
            .filter_map(|rule| rule.get("backendRefs"))
            .flat_map(Ref::items)
        {
            let is_service = backend
                .get("kind")
                .and_then(Ref::as_str)
                .is_none_or(|kind| kind == "Service");
            let Some(name) = backend.get("name").and_then(Ref::as_str) else {
                continue;
            };
            let namespace = backend
                .get("namespace")
                .and_then(Ref::as_str)
                .unwrap_or(own);
            let granted = grant(estate, kind, own, namespace, name);
            if !is_service || granted == Belongs::No {
                continue;
            }
            let port = backend.get("port").and_then(number);
            let entry = Entry {
                way: Way::Gateway,
                through: gate.gateway.into_iter().chain([id]).collect(),
                audience: gate.audience,
                because: gate.because.clone(),
                hosts: hosts.clone(),
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

/// The gateway that a route is attached to.
struct Gate {
    gateway: Option<ResourceRef>,
    audience: Audience,
    because: Option<Box<str>>,
    front: PortSet,
    may: bool,
}

fn gate(estate: &Estate, parent: Ref<'_>, own: &str, kind: &str) -> Option<Gate> {
    let named = |key| parent.get(key).and_then(Ref::as_str);
    if named("kind").is_some_and(|kind| kind != "Gateway") {
        return None;
    }
    let name = named("name")?;
    let namespace = named("namespace").unwrap_or(own);
    let gateways = format!("Gateway.{GROUP}");
    let here = |id: &&ResourceRef| {
        estate.get(**id).is_some_and(|gateway| {
            &*gateway.name.name == name && workloads::namespace(gateway) == namespace
        })
    };
    let unknown = |why: &str| Gate {
        gateway: None,
        audience: Audience::Unknown,
        because: Some(why.into()),
        front: PortSet::none(),
        may: true,
    };
    let Some(id) = estate.of_kind(&gateways).iter().find(here) else {
        return (estate.scope == Scope::Open)
            .then(|| unknown(&format!("gateway `{namespace}/{name}` was not given")));
    };
    let object = estate.get(*id)?.object();
    let (mut front, mut may, mut attached) = (PortSet::none(), false, false);
    for listener in object
        .path(&["spec", "listeners"])
        .into_iter()
        .flat_map(Ref::items)
    {
        let wanted = named("sectionName")
            .is_none_or(|section| listener.get("name").and_then(Ref::as_str) == Some(section));
        let admitted = admits(estate, listener, namespace, own);
        if !wanted || admitted == Belongs::No || !carries(listener, kind) {
            continue;
        }
        attached = true;
        may |= admitted == Belongs::Maybe;
        let protocol = match listener.get("protocol").and_then(Ref::as_str) {
            Some("UDP") => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        if let Some(port) = listener.get("port").and_then(number) {
            front = front.union(&PortSet::port(protocol, port));
        }
    }
    if !attached {
        return None;
    }
    let mut addresses: Vec<&str> = Vec::new();
    for route in [["status", "addresses"], ["spec", "addresses"]] {
        let listed = object.path(&route).into_iter().flat_map(Ref::items);
        addresses.extend(listed.filter_map(|one| one.get("value")?.as_str()));
    }
    let audience = by_status(&addresses);
    Some(Gate {
        gateway: Some(*id),
        audience: audience.unwrap_or(Audience::Unknown),
        because: audience.is_none().then(|| {
            format!("whether gateway `{namespace}/{name}` is public was not given").into()
        }),
        front,
        may,
    })
}

/// Whether a listener's protocol carries a kind of route.
fn carries(listener: Ref<'_>, kind: &str) -> bool {
    let listed = listener.path(&["allowedRoutes", "kinds"]);
    if let Some(kinds) = listed.filter(|kinds| kinds.items().len() > 0) {
        return kinds
            .items()
            .any(|one| one.get("kind").and_then(Ref::as_str) == Some(kind));
    }
    match listener.get("protocol").and_then(Ref::as_str) {
        Some("HTTP" | "HTTPS") => matches!(kind, "HTTPRoute" | "GRPCRoute"),
        Some("TLS") => matches!(kind, "TLSRoute" | "TCPRoute"),
        Some("TCP") => kind == "TCPRoute",
        Some("UDP") => kind == "UDPRoute",
        _ => true,
    }
}

/// Whether a listener lets routes of a namespace attach: `Same` where nothing is said.
fn admits(estate: &Estate, listener: Ref<'_>, gateway: &str, route: &str) -> Belongs {
    let rule = listener.path(&["allowedRoutes", "namespaces"]);
    let from = rule
        .and_then(|rule| rule.get("from"))
        .and_then(Ref::as_str)
        .unwrap_or("Same");
    match from {
        "All" => Belongs::Yes,
        "Selector" => {
            let selector = rule
                .and_then(|rule| rule.get("selector"))
                .map(Selector::read)
                .unwrap_or_default();
            let labels = namespace_labels(estate, route);
            let index = Index::new(1, std::iter::once((0, &labels)));
            index.select(&selector, &TriBits::range(1, 0, 1)).has(0)
        }
        "Same" if gateway == route => Belongs::Yes,
        _ => Belongs::No,
    }
}

/// A backend in another namespace needs a ReferenceGrant there.
fn grant(estate: &Estate, kind: &str, from: &str, to: &str, service: &str) -> Belongs {
    if from == to {
        return Belongs::Yes;
    }
    let says = |item: Ref<'_>, key: &str, wanted: &str| {
        item.get(key).and_then(Ref::as_str).unwrap_or_default() == wanted
    };
    let granted = estate.resources().iter().any(|resource| {
        let is = matches!(&resource.name.kind, Kind::Kubernetes { group, kind }
            if &**kind == "ReferenceGrant" && &**group == GROUP);
        let items = |key: &str| {
            resource
                .object()
                .path(&["spec", key])
                .into_iter()
                .flat_map(Ref::items)
        };
        is && workloads::namespace(resource) == to
            && items("from").any(|one| {
                says(one, "group", GROUP) && says(one, "kind", kind) && says(one, "namespace", from)
            })
            && items("to").any(|one| {
                says(one, "group", "")
                    && says(one, "kind", "Service")
                    && (one.get("name").is_none() || says(one, "name", service))
            })
    });
    if granted {
        Belongs::Yes
    } else if estate.scope == Scope::Open {
        Belongs::Maybe
    } else {
        Belongs::No
    }
}
