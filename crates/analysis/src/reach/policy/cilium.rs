//! The part of CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy that other kinds of policies
//! have too: endpoints, addresses, entities, ports (Cilium documentation, security/policy/language).
//!
//! Left out: policies of nodes (`nodeSelector`). Of a rule with paths of HTTP, names of DNS or TLS, or
//! with `toFQDNs` and `toServices`, it is only known that some of it is meant.

use model::kinds::Kind;
use model::{Ref, Resource, ResourceRef};

use super::{
    Action, Entity, Isolates, Namespaces, Peer, Ports, Tier, Written, WrittenRule, number,
};
use crate::reach::address;
use crate::reach::labels::{NAMESPACE_NAME, Operator, Requirement, Selector};
use crate::reach::ports::{PortSet, Protocol};

/// The label by which Cilium knows a pod's namespace.
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// Before the labels of a pod's namespace.
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";

pub(crate) fn read(resource: &Resource, id: ResourceRef, namespace: &str) -> Vec<Written> {
    let clusterwide = matches!(&resource.name.kind, Kind::Kubernetes { kind, .. } if kind.starts_with("CiliumClusterwide"));
    let object = resource.object();
    let single = object.get("spec").map(|spec| (spec, "spec".to_owned()));
    let several = object
        .get("specs")
        .into_iter()
        .flat_map(Ref::items)
        .enumerate()
        .map(|(at, spec)| (spec, format!("specs[{at}]")));
    single
        .into_iter()
        .chain(several)
        .filter_map(|(spec, route)| {
            let reader = Reader {
                own: !clusterwide,
                route,
            };
            reader.read(spec, id, if clusterwide { "" } else { namespace })
        })
        .collect()
}

struct Reader {
    /// Endpoints are looked for in the policy's namespace where none is said.
    own: bool,
    route: String,
}

impl Reader {
    fn read(&self, spec: Ref<'_>, id: ResourceRef, namespace: &str) -> Option<Written> {
        let subject = vec![self.subject(spec.get("endpointSelector")?, namespace)];
        let (ingress, egress) = (
            self.rules(spec, "ingress", "ingressDeny", "from"),
            self.rules(spec, "egress", "egressDeny", "to"),
        );
        let denies = |direction: &str| {
            spec.path(&["enableDefaultDeny", direction])
                .and_then(Ref::as_bool)
                .unwrap_or(true)
        };
        Some(Written {
            resource: id,
            tier: Tier::Namespace,
            priority: 0,
            namespace: namespace.into(),
            subject,
            ingress,
            egress,
            isolates: Isolates {
                ingress: denies("ingress"),
                egress: denies("egress"),
            },
        })
    }

    fn rules(
        &self,
        spec: Ref<'_>,
        allow: &str,
        deny: &str,
        side: &str,
    ) -> Option<Vec<WrittenRule>> {
        let mut found = Vec::new();
        let mut any = false;
        for (key, action) in [(deny, Action::Deny), (allow, Action::Allow)] {
            for (at, rule) in spec.get(key).into_iter().flat_map(Ref::items).enumerate() {
                any = true;
                let route = format!("{}.{key}[{at}]", self.route);
                found.extend(self.rule(rule, action, side, route));
            }
        }
        any.then_some(found)
    }

    /// A rule; an empty one allows nothing, it only closes the direction.
    fn rule(
        &self,
        rule: Ref<'_>,
        action: Action,
        side: &str,
        route: String,
    ) -> Option<WrittenRule> {
        let get = |what: &str| rule.get(&format!("{side}{what}"));
        let items = |what: &str| get(what).into_iter().flat_map(Ref::items);
        let mut peers: Vec<Peer> = Vec::new();
        let mut partly = false;
        peers.extend(items("Endpoints").map(|selector| self.endpoints(selector)));
        for cidr in items("CIDR") {
            peers.push(
                cidr.as_str()
                    .and_then(address::block)
                    .map_or(Peer::Open, Peer::Block),
            );
        }
        peers.extend(items("CIDRSet").map(cidr_set));
        for entity in items("Entities") {
            peers.extend(entity.as_str().map_or(Some(Peer::Open), entity_of));
        }
        peers.extend(items("Nodes").map(|nodes| Peer::Nodes(self.plain(nodes, |_, _| false).1)));
        if items("FQDNs").next().is_some() {
            peers.push(Peer::Names);
        }
        if ["Services", "Groups"]
            .iter()
            .any(|what| items(what).next().is_some())
        {
            peers.push(Peer::Open);
        }
        partly |= ["Requires"].iter().any(|what| items(what).next().is_some());
        let said = [
            "Endpoints",
            "CIDR",
            "CIDRSet",
            "Entities",
            "Nodes",
            "FQDNs",
            "Services",
            "Groups",
        ]
        .iter()
        .any(|what| get(what).is_some());
        let listed = rule.get("toPorts");
        let mut ports = Ports::all();
        if let Some(listed) = listed.filter(|listed| listed.items().len() > 0) {
            ports = Ports::default();
            for one in listed.items() {
                partly |= one.get("rules").is_some() || one.get("terminatingTLS").is_some();
                to_ports(one, &mut ports);
            }
        } else if rule.get("icmps").is_some() || !(said || partly) {
            // Nothing with ports, or an empty rule.
            return None;
        }
        if !said {
            // Only ports: whoever the other end is.
            peers.push(Peer::Everything);
        }
        Some(WrittenRule {
            action,
            peers,
            ports,
            route: route.into(),
            partly,
        })
    }

    /// The pods that a policy selects. One that belongs to a namespace selects none elsewhere: "EndpointSelector always
    /// applies in namespace of the policy resource", and a label that says another is replaced (cilium/cilium,
    /// pkg/k8s/apis/cilium.io/utils). What is no pod has no namespace.
    fn subject(&self, selector: Ref<'_>, namespace: &str) -> Peer {
        if !self.own {
            return self.endpoints(selector);
        }
        let labels = selector.get("matchLabels").into_iter();
        let labels = labels.flat_map(Ref::entries).count();
        let said = |at: usize, key: &str| at < labels && key == POD_NAMESPACE;
        let (mut namespaces, pods) = self.plain(selector, said);
        if namespaces.0.is_empty() {
            return Peer::Pods(Namespaces::Own, pods);
        }
        namespaces.0.push(Requirement {
            key: NAMESPACE_NAME.into(),
            operator: Operator::In(vec![namespace.into()]),
        });
        Peer::Pods(Namespaces::Selected(namespaces), pods)
    }

    /// Pods by labels; the namespace is one of them.
    fn endpoints(&self, selector: Ref<'_>) -> Peer {
        let (namespaces, pods) = self.plain(selector, |_, _| false);
        if let Some(entity) = pods.0.iter().find_map(reserved) {
            return entity;
        }
        let namespaces = match (namespaces.0.is_empty(), self.own) {
            (false, _) => Namespaces::Selected(namespaces),
            (true, true) => Namespaces::Own,
            (true, false) => Namespaces::All,
        };
        Peer::Pods(namespaces, pods)
    }

    /// A selector apart: what it says of namespaces, and of pods. `left_out` is asked about the number and the key of
    /// each requirement.
    #[expect(clippy::unused_self, reason = "one of the ways that a policy is read")]
    fn plain(
        &self,
        selector: Ref<'_>,
        left_out: impl Fn(usize, &str) -> bool,
    ) -> (Selector, Selector) {
        let (mut namespaces, mut pods) = (Selector::default(), Selector::default());
        for (at, mut requirement) in Selector::read(selector).0.into_iter().enumerate() {
            let key = ["k8s:", "any:", "k8s."]
                .iter()
                .find_map(|prefix| requirement.key.strip_prefix(prefix))
                .unwrap_or(&requirement.key)
                .to_owned();
            if left_out(at, &key) {
                continue;
            }
            if key == POD_NAMESPACE {
                requirement.key = NAMESPACE_NAME.into();
                namespaces.0.push(requirement);
            } else if let Some(label) = key.strip_prefix(NAMESPACE_LABELS) {
                requirement.key = label.into();
                namespaces.0.push(requirement);
            } else {
                requirement.key = key.into();
                pods.0.push(requirement);
            }
        }
        (namespaces, pods)
    }
}

/// `reserved:host: ""` and the like name entities.
fn reserved(requirement: &Requirement) -> Option<Peer> {
    let name = requirement.key.strip_prefix("reserved:")?;
    Some(match requirement.operator {
        Operator::In(_) | Operator::Exists => entity_of(name).unwrap_or(Peer::Open),
        _ => Peer::Open,
    })
}

fn entity_of(name: &str) -> Option<Peer> {
    Some(match name {
        "all" => Peer::Everything,
        "cluster" => Peer::Entity(Entity::Cluster),
        "host" => Peer::Entity(Entity::Host),
        "remote-node" => Peer::Entity(Entity::RemoteNode),
        "world" | "world-ipv4" => Peer::Entity(Entity::World),
        "kube-apiserver" => Peer::Entity(Entity::ApiServer),
        // Nothing that is an end here: health checks of Cilium's own, endpoints without labels yet.
        "health" | "init" | "unmanaged" | "none" | "ingress" | "world-ipv6" => return None,
        _ => Peer::Open,
    })
}

fn cidr_set(set: Ref<'_>) -> Peer {
    let Some(whole) = set
        .get("cidr")
        .and_then(Ref::as_str)
        .and_then(address::block)
    else {
        // A group of addresses that another object lists.
        return Peer::Open;
    };
    let rest = set
        .get("except")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|hole| hole.as_str().and_then(address::block))
        .fold(whole, |rest, hole| rest.minus(&hole));
    Peer::Block(rest)
}

fn to_ports(one: Ref<'_>, found: &mut Ports) {
    let listed = one.get("ports").filter(|ports| ports.items().len() > 0);
    let Some(listed) = listed else {
        *found = Ports::all();
        return;
    };
    for port in listed.items() {
        let word = port.get("protocol").and_then(Ref::as_str).unwrap_or("ANY");
        let protocols: Vec<Protocol> = match Protocol::parse(word) {
            Some(protocol) => vec![protocol],
            None if word.eq_ignore_ascii_case("ANY") => Protocol::ALL.to_vec(),
            None => continue,
        };
        let value = port.get("port");
        let first = value
            .and_then(number)
            .or_else(|| value?.as_str()?.parse().ok());
        for protocol in protocols {
            match first {
                // "0 matches any port"
                Some(0) => found.add(&PortSet::protocol(protocol)),
                Some(first) => {
                    let last = port
                        .get("endPort")
                        .and_then(number)
                        .filter(|last| *last > first)
                        .unwrap_or(first);
                    found.add(&PortSet::range(protocol, first, last));
                }
                None => match value.and_then(Ref::as_str) {
                    Some(name) => found.named.push((Some(protocol), name.into())),
                    None if value.is_none() => found.add(&PortSet::protocol(protocol)),
                    None => found.may_add(&PortSet::protocol(protocol)),
                },
            }
        }
    }
}
