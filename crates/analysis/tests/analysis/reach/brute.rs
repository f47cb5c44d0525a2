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

struct Ends<'o> {
    pod: &'o Value,
    peer: End<'o>,
    destination: End<'o>,
    asked: Asked,
}

pub(crate) struct World<'o> {
    pub(crate) objects: &'o [Value],
    /// Namespaces without an object have no labels but their name.
    pub(crate) whole: bool,
    /// Blocks never hold pods, and Cilium's policies are read.
    pub(crate) cilium: bool,
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

    /// One direction of one pod: administrators first, then network policies for whoever they select,
    /// then the baseline; in the end everything passes.
    fn side(
        &self,
        pod: &'o Value,
        peer: End<'o>,
        destination: End<'o>,
        asked: Asked,
        direction: &str,
    ) -> Tri {
        let ends = Ends {
            pod,
            peer,
            destination,
            asked,
        };
        let mut possible: Vec<Tri> = Vec::new();
        for outcome in self.ordered("Admin", &ends, direction) {
            match outcome {
                Some("Allow") => possible.push(Yes),
                Some("Deny") => possible.push(No),
                _ => possible.extend(self.below_admin(&ends, direction)),
            }
        }
        match (
            possible.iter().all(|one| *one == Yes),
            possible.iter().all(|one| *one == No),
        ) {
            (true, _) => Yes,
            (_, true) => No,
            _ => Maybe,
        }
    }

    fn below_admin(&self, ends: &Ends<'o>, direction: &str) -> Vec<Tri> {
        let (mut isolated, mut allowed, mut denied) = (No, No, No);
        for policy in self.of_kind("NetworkPolicy") {
            let selects = self.policy_selects(policy, ends.pod);
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
                let peer = self.any_peer(list(rule, peers), policy, ends.peer);
                let port = any_port(list(rule, "/ports"), ends.destination, ends.asked);
                allowed = allowed.or(selects.and(peer).and(port));
            }
        }
        for policy in self.of_kind("CiliumNetworkPolicy").filter(|_| self.cilium) {
            let Some(said) = self.cilium_says(policy, ends, direction) else {
                continue;
            };
            isolated = Yes;
            allowed = allowed.or(Tri::of(said.0));
            denied = denied.or(Tri::of(said.1));
        }
        if denied == Yes {
            return vec![No];
        }
        if isolated == No {
            let outcomes = self.ordered("Baseline", ends, direction);
            return outcomes
                .into_iter()
                .map(|outcome| Tri::of(outcome != Some("Deny")))
                .collect();
        }
        vec![isolated.not().or(allowed)]
    }

    /// Policies of administrators in a tier: the first rule that matches decides. Of policies with one
    /// priority any may be asked first, so each that has a rule may decide.
    fn ordered(&self, tier: &str, ends: &Ends<'o>, direction: &str) -> Vec<Option<&'static str>> {
        let mut by_priority: std::collections::BTreeMap<i64, Vec<&Value>> = Default::default();
        for object in self.objects {
            let of = match object["kind"].as_str().unwrap() {
                "AdminNetworkPolicy" => "Admin",
                "BaselineAdminNetworkPolicy" => "Baseline",
                "ClusterNetworkPolicy" => object["spec"]["tier"].as_str().unwrap(),
                _ => continue,
            };
            if of == tier {
                let priority = object["spec"]["priority"].as_i64().unwrap_or(0);
                by_priority.entry(priority).or_default().push(object);
            }
        }
        for policies in by_priority.values() {
            let decided: Vec<Option<&'static str>> = policies
                .iter()
                .filter_map(|policy| self.first_match(policy, ends, direction))
                .map(Some)
                .collect();
            if !decided.is_empty() {
                return decided;
            }
        }
        vec![None]
    }

    fn first_match(
        &self,
        policy: &Value,
        ends: &Ends<'o>,
        direction: &str,
    ) -> Option<&'static str> {
        if !self.admin_peer(&policy["spec"]["subject"], End::Pod(ends.pod)) {
            return None;
        }
        let side = if direction == "ingress" {
            "/from"
        } else {
            "/to"
        };
        let rules = list(policy, &format!("/spec/{direction}"));
        let rule = rules.iter().find(|rule| {
            let peer = list(rule, side)
                .iter()
                .any(|peer| self.admin_peer(peer, ends.peer));
            let ports: Vec<&Value> = ["/ports", "/protocols"]
                .iter()
                .flat_map(|key| list(rule, key))
                .collect();
            let port = ports.is_empty() || ports.iter().any(|port| admin_port(port, ends));
            peer && port
        })?;
        Some(match text(rule, "/action") {
            "Allow" | "Accept" => "Allow",
            "Deny" => "Deny",
            _ => "Pass",
        })
    }

    fn admin_peer(&self, peer: &Value, end: End<'_>) -> bool {
        if let Some(networks) = peer["networks"].as_array() {
            let address = match end {
                End::Address(address) => address,
                End::Pod(pod) => text(pod, "/status/podIP").parse().unwrap(),
            };
            return networks
                .iter()
                .any(|cidr| in_cidr(cidr.as_str().unwrap(), address));
        }
        let End::Pod(pod) = end else {
            return false;
        };
        let namespace = text(pod, "/metadata/namespace");
        let pods = &peer["pods"];
        let (of_namespace, of_pod) = if pods.is_object() {
            (&pods["namespaceSelector"], &pods["podSelector"])
        } else {
            (&peer["namespaces"], &Value::Null)
        };
        self.namespace_matches(of_namespace, namespace) == Yes
            && selects(of_pod, |key| {
                Known::of(pod.pointer("/metadata/labels"), key)
            }) == Yes
    }

    /// Whether a policy of Cilium's allows and denies; `None` when it says nothing of the direction.
    fn cilium_says(
        &self,
        policy: &Value,
        ends: &Ends<'o>,
        direction: &str,
    ) -> Option<(bool, bool)> {
        let same = text(policy, "/metadata/namespace") == text(ends.pod, "/metadata/namespace");
        let own = selects(&policy["spec"]["endpointSelector"], |key| {
            Known::of(ends.pod.pointer("/metadata/labels"), key)
        });
        let rules = |suffix: &str| list(policy, &format!("/spec/{direction}{suffix}"));
        if !same || own != Yes || rules("").is_empty() && rules("Deny").is_empty() {
            return None;
        }
        let side = if direction == "ingress" { "from" } else { "to" };
        let any = |rules: &[Value]| {
            rules
                .iter()
                .any(|rule| self.cilium_rule(rule, side, policy, ends))
        };
        Some((any(rules("")), any(rules("Deny"))))
    }

    fn cilium_rule(&self, rule: &Value, side: &str, policy: &Value, ends: &Ends<'o>) -> bool {
        let said = rule.as_object().unwrap();
        if said.is_empty() {
            return false;
        }
        let peers = |what: &str| list(rule, &format!("/{side}{what}"));
        let named = said
            .keys()
            .any(|key| key.starts_with(side) && key != "toPorts");
        let peer = !named
            || peers("Endpoints")
                .iter()
                .any(|selector| self.cilium_endpoint(selector, policy, ends.peer))
            || peers("CIDRSet").iter().any(|set| match ends.peer {
                End::Address(_) => in_block(set, ends.peer) == Yes,
                End::Pod(_) => false,
            })
            || peers("Entities")
                .iter()
                .any(|entity| match entity.as_str().unwrap() {
                    "all" => true,
                    "world" => matches!(ends.peer, End::Address(_)),
                    "cluster" => matches!(ends.peer, End::Pod(_)),
                    other => panic!("{other}"),
                });
        let ports: Vec<&Value> = list(rule, "/toPorts")
            .iter()
            .flat_map(|one| list(one, "/ports"))
            .collect();
        let port = ports.is_empty()
            || ports.iter().any(|port| {
                let protocol = port["protocol"].as_str().unwrap_or("ANY");
                let asked = &ends.asked;
                if protocol != "ANY" && protocol != asked.protocol {
                    return false;
                }
                match text(port, "/port").parse::<u64>() {
                    Ok(first) => {
                        let last = port["endPort"].as_u64().unwrap_or(first);
                        (first..=last).contains(&asked.port)
                    }
                    Err(_) => match ends.destination {
                        End::Pod(pod) => is_named(pod, text(port, "/port"), *asked),
                        End::Address(_) => false,
                    },
                }
            });
        peer && port
    }

    fn cilium_endpoint(&self, selector: &Value, policy: &Value, end: End<'_>) -> bool {
        let End::Pod(pod) = end else {
            return false;
        };
        let namespace = text(pod, "/metadata/namespace");
        let wanted = selector
            .get("matchLabels")
            .and_then(|labels| labels.get("k8s:io.kubernetes.pod.namespace"));
        let there = match wanted {
            Some(wanted) => wanted == namespace,
            None => text(policy, "/metadata/namespace") == namespace,
        };
        there
            && selects(selector, |key| match key {
                "k8s:io.kubernetes.pod.namespace" => Known::Value(namespace.to_owned()),
                key => Known::of(pod.pointer("/metadata/labels"), key),
            }) == Yes
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
            return match end {
                End::Pod(_) if self.cilium => No,
                _ => in_block(block, end),
            };
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

/// `ports` of v1alpha1 and `protocols` of v1alpha2.
fn admin_port(port: &Value, ends: &Ends<'_>) -> bool {
    let asked = &ends.asked;
    let protocol = |value: &Value| value.as_str().unwrap_or("TCP") == asked.protocol;
    if let Some(one) = port.get("portNumber") {
        return protocol(&one["protocol"]) && one["port"] == asked.port;
    }
    if let Some(range) = port.get("portRange") {
        let bounds = range["start"].as_u64().unwrap()..=range["end"].as_u64().unwrap();
        return protocol(&range["protocol"]) && bounds.contains(&asked.port);
    }
    if let Some(name) = port.get("namedPort").or(port.get("destinationNamedPort")) {
        return match ends.destination {
            End::Pod(pod) => is_named(pod, name.as_str().unwrap(), *asked),
            End::Address(_) => false,
        };
    }
    let Some(matched) = port.get(asked.protocol.to_lowercase()) else {
        return false;
    };
    match (
        &matched["destinationPort"]["number"],
        &matched["destinationPort"]["range"],
    ) {
        (Value::Null, Value::Null) => true,
        (Value::Null, range) => (range["start"].as_u64().unwrap()..=range["end"].as_u64().unwrap())
            .contains(&asked.port),
        (number, _) => *number == asked.port,
    }
}
