//! An evaluator of network policies that knows nothing of classes, bits or ranges: one pair of ends
//! and one port at a time, from the objects as JSON, in the words of the API's documentation.
//!
//! Three-valued where the analysis is: labels of namespaces that were not given, and whether a block
//! holds a pod whose address nobody knows.

use std::net::Ipv4Addr;

use serde_json::Value;

/// False, unknown, true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tri {
    No,
    Maybe,
    Yes,
}

use Tri::{Maybe, No, Yes};

impl Tri {
    fn of(is: bool) -> Self {
        if is { Yes } else { No }
    }

    fn and(self, other: Self) -> Self {
        self.min(other)
    }

    fn or(self, other: Self) -> Self {
        self.max(other)
    }

    fn not(self) -> Self {
        match self {
            No => Yes,
            Maybe => Maybe,
            Yes => No,
        }
    }
}

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End<'o> {
    Pod(&'o Value),
    Address(Ipv4Addr),
}

/// A port asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) protocol: &'static str,
    pub(crate) port: u64,
}

pub(crate) struct World<'o> {
    pub(crate) objects: &'o [Value],
    /// Namespaces without an object have no labels but their name.
    pub(crate) whole: bool,
}

pub(crate) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("")
}

fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

impl<'o> World<'o> {
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'o Value> {
        self.objects
            .iter()
            .filter(move |object| object["kind"] == kind)
    }

    /// What the policies let through from one end to another.
    pub(crate) fn allowed(&self, from: End<'o>, to: End<'o>, asked: Asked) -> Tri {
        let out = match from {
            End::Pod(pod) => self.side(pod, to, to, asked, "egress"),
            End::Address(_) => Yes,
        };
        let into = match to {
            End::Pod(pod) => self.side(pod, from, to, asked, "ingress"),
            End::Address(_) => Yes,
        };
        out.and(into)
    }

    /// One direction of one pod.
    fn side(
        &self,
        pod: &'o Value,
        peer: End<'o>,
        destination: End<'o>,
        asked: Asked,
        direction: &str,
    ) -> Tri {
        let mut isolated = No;
        let mut allowed = No;
        for policy in self.of_kind("NetworkPolicy") {
            let selects = self.policy_selects(policy, pod);
            if selects == No || !is_about(policy, direction) {
                continue;
            }
            isolated = isolated.or(selects);
            for rule in list(policy, &format!("/spec/{direction}")) {
                let peers = if direction == "ingress" {
                    "/from"
                } else {
                    "/to"
                };
                let peer = self.any_peer(list(rule, peers), policy, peer);
                let port = any_port(list(rule, "/ports"), destination, asked);
                allowed = allowed.or(selects.and(peer).and(port));
            }
        }
        isolated.not().or(allowed)
    }

    fn policy_selects(&self, policy: &Value, pod: &Value) -> Tri {
        let same = text(policy, "/metadata/namespace") == text(pod, "/metadata/namespace");
        Tri::of(same).and(selects(&policy["spec"]["podSelector"], |key| {
            Known::of(pod.pointer("/metadata/labels"), key)
        }))
    }

    fn any_peer(&self, peers: &[Value], policy: &Value, end: End<'_>) -> Tri {
        if peers.is_empty() {
            return Yes;
        }
        peers
            .iter()
            .map(|peer| self.peer(peer, policy, end))
            .fold(No, Tri::or)
    }

    fn peer(&self, peer: &Value, policy: &Value, end: End<'_>) -> Tri {
        if let Some(block) = peer.get("ipBlock") {
            return in_block(block, end);
        }
        let End::Pod(pod) = end else {
            return No;
        };
        let of_pod = peer.get("podSelector").map_or(Yes, |selector| {
            selects(selector, |key| {
                Known::of(pod.pointer("/metadata/labels"), key)
            })
        });
        let namespace = text(pod, "/metadata/namespace");
        let of_namespace = match peer.get("namespaceSelector") {
            Some(selector) => self.namespace_matches(selector, namespace),
            None => Tri::of(text(policy, "/metadata/namespace") == namespace),
        };
        of_pod.and(of_namespace)
    }

    fn namespace_matches(&self, selector: &Value, name: &str) -> Tri {
        let object = self
            .of_kind("Namespace")
            .find(|namespace| text(namespace, "/metadata/name") == name);
        selects(selector, |key| {
            if key == "kubernetes.io/metadata.name" {
                return Known::Value(name.to_owned());
            }
            match object {
                Some(object) => Known::of(object.pointer("/metadata/labels"), key),
                None if self.whole => Known::Absent,
                None => Known::Unknown,
            }
        })
    }
}

/// "If this field is not specified, it will default based on the existence of ingress or egress
/// rules; policies that contain an egress section are assumed to affect egress, and all policies
/// (whether or not they contain an ingress section) are assumed to affect ingress."
fn is_about(policy: &Value, direction: &str) -> bool {
    let types = list(policy, "/spec/policyTypes");
    if types.is_empty() {
        return direction == "ingress" || !list(policy, "/spec/egress").is_empty();
    }
    let wanted = if direction == "ingress" {
        "Ingress"
    } else {
        "Egress"
    };
    types.iter().any(|one| one == wanted)
}

/// What is known of a label.
pub(crate) enum Known {
    Absent,
    Value(String),
    Unknown,
}

impl Known {
    fn of(labels: Option<&Value>, key: &str) -> Self {
        match labels.and_then(|labels| labels.get(key)) {
            Some(value) => Self::Value(value.as_str().unwrap().to_owned()),
            None => Self::Absent,
        }
    }
}

/// "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all
/// objects."
fn selects(selector: &Value, label: impl Fn(&str) -> Known) -> Tri {
    let mut all = Yes;
    if let Some(labels) = selector.get("matchLabels").and_then(Value::as_object) {
        for (key, value) in labels {
            all = all.and(among(&label(key), std::slice::from_ref(value)));
        }
    }
    for expression in list(selector, "/matchExpressions") {
        let have = label(text(expression, "/key"));
        let values = list(expression, "/values");
        let exists = match have {
            Known::Absent => No,
            Known::Value(_) => Yes,
            Known::Unknown => Maybe,
        };
        all = all.and(match text(expression, "/operator") {
            "In" => among(&have, values),
            "NotIn" => among(&have, values).not(),
            "Exists" => exists,
            "DoesNotExist" => exists.not(),
            other => panic!("{other}"),
        });
    }
    all
}

fn among(have: &Known, values: &[Value]) -> Tri {
    match have {
        Known::Absent => No,
        Known::Value(value) => Tri::of(values.iter().any(|one| one == value)),
        Known::Unknown if values.is_empty() => No,
        Known::Unknown => Maybe,
    }
}

/// Whether a block surely, perhaps or surely not holds an end.
fn in_block(block: &Value, end: End<'_>) -> Tri {
    let holds = |address: Ipv4Addr| {
        in_cidr(text(block, "/cidr"), address)
            && !list(block, "/except")
                .iter()
                .any(|hole| in_cidr(hole.as_str().unwrap(), address))
    };
    match end {
        End::Address(address) => Tri::of(holds(address)),
        End::Pod(pod) => match text(pod, "/status/podIP") {
            // The blocks that tests write all hold some private address, or none.
            "" => Tri::of(
                text(block, "/cidr").starts_with("10.") || text(block, "/cidr") == "0.0.0.0/0",
            )
            .and(Maybe),
            address => Tri::of(holds(address.parse().unwrap())),
        },
    }
}

pub(crate) fn in_cidr(cidr: &str, address: Ipv4Addr) -> bool {
    let (net, length) = cidr.split_once('/').unwrap();
    let net = u32::from(net.parse::<Ipv4Addr>().unwrap());
    let length: u32 = length.parse().unwrap();
    (0..length).all(|bit| (net ^ u32::from(address)) >> (31 - bit) & 1 == 0)
}

/// "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
fn any_port(ports: &[Value], destination: End<'_>, asked: Asked) -> Tri {
    Tri::of(ports.is_empty() || ports.iter().any(|port| is_port(port, destination, asked)))
}

fn is_port(rule: &Value, destination: End<'_>, asked: Asked) -> bool {
    let protocol = rule["protocol"].as_str().unwrap_or("TCP");
    if protocol != asked.protocol {
        return false;
    }
    match &rule["port"] {
        // "If this field is not provided, this matches all port names and numbers."
        Value::Null => true,
        Value::Number(first) => {
            let first = first.as_u64().unwrap();
            let last = rule["endPort"].as_u64().unwrap_or(first);
            (first..=last).contains(&asked.port)
        }
        Value::String(name) => match destination {
            End::Pod(pod) => is_named(pod, name, asked),
            End::Address(_) => false,
        },
        other => panic!("{other}"),
    }
}

/// Whether a pod calls a port so.
pub(crate) fn is_named(pod: &Value, name: &str, asked: Asked) -> bool {
    list(pod, "/spec/containers")
        .iter()
        .flat_map(|container| list(container, "/ports"))
        .any(|port| {
            port["name"] == *name
                && port["protocol"].as_str().unwrap_or("TCP") == asked.protocol
                && port["containerPort"] == asked.port
        })
}
