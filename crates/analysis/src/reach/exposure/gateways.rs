//! Gateways, and which routes they take: by listener, namespace, kind and host, with ReferenceGrants for
//! backends elsewhere.

use model::{Estate, Ref, ResourceRef, Scope};

use super::Audience;
use super::routes::by_status;
use crate::reach::bits::{Belongs, TriBits};
use crate::reach::labels::{Index, Selector};
use crate::reach::policy::number;
use crate::reach::ports::{PortSet, Protocol};
use crate::reach::universe::namespace_labels;
use crate::reach::workloads;

pub(crate) const GROUP: &str = "gateway.networking.k8s.io";
/// The class of Application Gateway for Containers, and its controller. Its frontends are public:
/// "private IP addresses aren't currently supported" (Azure documentation,
/// application-gateway/for-containers/application-gateway-for-containers-components).
pub(crate) const ALB_CLASS: &str = "azure-alb-external";
const ALB_CONTROLLER: &str = "alb.networking.azure.io/alb-controller";

/// From where a controller's proxies ask the pods.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// From a pod, or from outside.
    Anywhere,
    /// From a subnet of Application Gateway for Containers.
    Subnet,
}

/// The gateway that a route is attached to.
pub(crate) struct Gate {
    pub(crate) proxy: Proxy,
    /// the hosts it answers to, of those of the route
    pub(crate) hosts: Vec<Box<str>>,
    pub(crate) gateway: Option<ResourceRef>,
    pub(crate) audience: Audience,
    pub(crate) because: Option<Box<str>>,
    pub(crate) front: PortSet,
    pub(crate) may: bool,
}

pub(crate) fn gate(
    estate: &Estate,
    parent: Ref<'_>,
    own: &str,
    kind: &str,
    wanted: &Option<Vec<&str>>,
) -> Option<Gate> {
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
        proxy: Proxy::Anywhere,
        hosts: wanted.iter().flatten().map(|host| (*host).into()).collect(),
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
    let mut hosts = Vec::new();
    let (mut front, mut may, mut attached, mut any) = (PortSet::none(), false, false, false);
    for listener in object
        .path(&["spec", "listeners"])
        .into_iter()
        .flat_map(Ref::items)
    {
        let here = named("sectionName")
            .is_none_or(|section| listener.get("name").and_then(Ref::as_str) == Some(section));
        let admitted = admits(estate, listener, namespace, own);
        if !here || admitted == Belongs::No || !carries(listener, kind) {
            continue;
        }
        match common_hosts(listener, wanted.as_deref(), kind) {
            Hosts::None => continue,
            Hosts::Any => any = true,
            Hosts::Open => (any, may) = (true, true),
            Hosts::These(these) => hosts.extend(these),
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
    hosts.sort();
    hosts.dedup();
    if any {
        hosts.clear();
    }
    let alb = is_alb(estate, object);
    let audience = by_status(&addresses).or(alb.then_some(Audience::Internet));
    Some(Gate {
        proxy: if alb { Proxy::Subnet } else { Proxy::Anywhere },
        hosts,
        gateway: Some(*id),
        audience: audience.unwrap_or(Audience::Unknown),
        because: audience.is_none().then(|| {
            format!("whether gateway `{namespace}/{name}` is public was not given").into()
        }),
        front,
        may,
    })
}

/// Whether Application Gateway for Containers serves a gateway.
fn is_alb(estate: &Estate, gateway: Ref<'_>) -> bool {
    let Some(class) = gateway
        .path(&["spec", "gatewayClassName"])
        .and_then(Ref::as_str)
    else {
        return false;
    };
    let controller = estate
        .of_kind(&format!("GatewayClass.{GROUP}"))
        .iter()
        .filter_map(|id| estate.get(*id))
        .find(|one| &*one.name.name == class)
        .and_then(|one| one.object().path(&["spec", "controllerName"])?.as_str());
    match controller {
        Some(controller) => controller == ALB_CONTROLLER,
        None => class == ALB_CLASS,
    }
}

/// The hosts that a listener and a route have in common.
enum Hosts {
    /// None: the listener does not accept the route.
    None,
    /// Whichever is asked for.
    Any,
    /// The template leaves some of them open.
    Open,
    These(Vec<Box<str>>),
}

/// Where both name hosts, a listener takes a route only if they have one in common; a wildcard stands for
/// one or more labels (`Hostname` and `HTTPRouteSpec.Hostnames`, sigs.k8s.io/gateway-api/apis/v1).
fn common_hosts(listener: Ref<'_>, route: Option<&[&str]>, kind: &str) -> Hosts {
    if matches!(kind, "TCPRoute" | "UDPRoute") {
        return Hosts::Any;
    }
    let own = listener.get("hostname");
    let Some(route) = route.filter(|_| !own.is_some_and(Ref::is_open)) else {
        return Hosts::Open;
    };
    let own = own.and_then(Ref::as_str).unwrap_or_default();
    let found: Vec<Box<str>> = match (own, route) {
        ("", []) => return Hosts::Any,
        ("", route) => route.iter().map(|host| (*host).into()).collect(),
        (own, []) => vec![own.into()],
        (own, route) => route
            .iter()
            .filter_map(|host| common_host(own, host).map(Into::into))
            .collect(),
    };
    if found.is_empty() {
        Hosts::None
    } else {
        Hosts::These(found)
    }
}

/// The narrower of two names of hosts, where one holds the other.
fn common_host<'h>(one: &'h str, other: &'h str) -> Option<&'h str> {
    let holds = |wide: &str, narrow: &str| {
        let (wide, narrow) = (wide.to_ascii_lowercase(), narrow.to_ascii_lowercase());
        match wide.strip_prefix('*') {
            Some(end) => narrow == wide || narrow.len() > end.len() && narrow.ends_with(end),
            None => narrow == wide,
        }
    };
    if holds(one, other) {
        Some(other)
    } else {
        holds(other, one).then_some(one)
    }
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
pub(crate) fn grant(estate: &Estate, kind: &str, from: &str, to: &str, service: &str) -> Belongs {
    if from == to {
        return Belongs::Yes;
    }
    let says = |item: Ref<'_>, key: &str, wanted: &str| {
        item.get(key).and_then(Ref::as_str).unwrap_or_default() == wanted
    };
    let grants = estate.of_kind(&format!("ReferenceGrant.{GROUP}")).iter();
    let mut grants = grants.filter_map(|id| estate.get(*id));
    let granted = grants.any(|resource| {
        let items = |key: &str| {
            resource
                .object()
                .path(&["spec", key])
                .into_iter()
                .flat_map(Ref::items)
        };
        workloads::namespace(resource) == to
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
