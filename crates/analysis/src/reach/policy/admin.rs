//! Policies of the cluster's administrators (policy.networking.k8s.io): AdminNetworkPolicy and
//! BaselineAdminNetworkPolicy of v1alpha1, ClusterNetworkPolicy of v1alpha2 and v1beta1, as
//! `apis/*/*_types.go` of kubernetes-sigs/network-policy-api describes them.

use model::{Ref, Resource, ResourceRef};

use super::{
    Action, Isolates, Namespaces, Peer, Ports, Tier, Written, WrittenRule, number, protocol,
};
use crate::reach::address;
use crate::reach::labels::Selector;
use crate::reach::ports::{PortSet, Protocol};

pub(crate) fn read(resource: &Resource, id: ResourceRef, kind: &str) -> Option<Written> {
    let spec = resource.object().get("spec")?;
    let tier = match kind {
        "AdminNetworkPolicy" => Tier::Admin,
        "BaselineAdminNetworkPolicy" => Tier::Baseline,
        _ => match spec.get("tier").and_then(Ref::as_str)? {
            "Admin" => Tier::Admin,
            "Baseline" => Tier::Baseline,
            _ => return None,
        },
    };
    let rules = |key: &str, peers: &str| {
        let rules = spec.get(key)?;
        // "CNPs with no ingress rules do not affect ingress traffic."
        (rules.items().len() > 0).then(|| {
            rules
                .items()
                .enumerate()
                .filter_map(|(at, one)| rule(one, peers, format!("spec.{key}[{at}]")))
                .collect()
        })
    };
    Some(Written {
        resource: id,
        tier,
        priority: spec.get("priority").and_then(Ref::as_int).unwrap_or(0),
        namespace: "".into(),
        subject: spec.get("subject").and_then(pods).into_iter().collect(),
        ingress: rules("ingress", "from"),
        egress: rules("egress", "to"),
        isolates: Isolates {
            ingress: false,
            egress: false,
        },
    })
}

/// `namespaces` or `pods`: pods on the node's network are in neither.
fn pods(peer: Ref<'_>) -> Option<Peer> {
    if let Some(namespaces) = peer.get("namespaces") {
        return Some(Peer::Pods(
            Namespaces::Selected(Selector::read(namespaces)),
            Selector::default(),
        ));
    }
    let pods = peer.get("pods")?;
    let read = |key| pods.get(key).map(Selector::read).unwrap_or_default();
    Some(Peer::Pods(
        Namespaces::Selected(read("namespaceSelector")),
        read("podSelector"),
    ))
}

fn rule(rule: Ref<'_>, peers: &str, route: String) -> Option<WrittenRule> {
    let action = match rule.get("action").and_then(Ref::as_str)? {
        "Allow" | "Accept" => Action::Allow,
        "Deny" => Action::Deny,
        "Pass" => Action::Pass,
        _ => return None,
    };
    let mut found = WrittenRule {
        action,
        peers: Vec::new(),
        ports: ports(rule),
        route: route.into(),
        partly: false,
    };
    let mut unknown = false;
    for one in rule.get(peers).into_iter().flat_map(Ref::items) {
        let before = found.peers.len();
        found.peers.extend(pods(one));
        found.peers.extend(
            one.get("nodes")
                .map(|nodes| Peer::Nodes(Selector::read(nodes))),
        );
        for network in one.get("networks").into_iter().flat_map(Ref::items) {
            found
                .peers
                .push(match network.as_str().and_then(address::block) {
                    Some(block) => Peer::Network(block),
                    None => Peer::Open,
                });
        }
        if one.get("domainNames").is_some() {
            // Whatever the names resolve to, outside.
            found.peers.push(Peer::Names);
        }
        unknown |= found.peers.len() == before;
    }
    // "If an implementation sees no fields are set [...] it should fail closed": an Allow
    // matches nothing, a Deny or Pass denies everything.
    if unknown {
        found.peers.clear();
        if action != Action::Allow {
            found.action = Action::Deny;
            found.peers.push(Peer::Everything);
            found.ports = Ports::all();
        }
    }
    Some(found)
}

/// `ports` of v1alpha1, `protocols` of v1alpha2; missing is everything.
fn ports(rule: Ref<'_>) -> Ports {
    let listed = rule.get("ports").or_else(|| rule.get("protocols"));
    let Some(listed) = listed.filter(|listed| listed.items().len() > 0) else {
        return Ports::all();
    };
    let mut found = Ports::default();
    for one in listed.items() {
        if let Some(port) = one.get("portNumber") {
            add(port.get("protocol"), port.get("port"), None, &mut found);
        }
        if let Some(range) = one.get("portRange") {
            add(
                range.get("protocol"),
                range.get("start"),
                range.get("end"),
                &mut found,
            );
        }
        for key in ["namedPort", "destinationNamedPort"] {
            if let Some(name) = one.get(key).and_then(Ref::as_str) {
                found.named.push((None, name.into()));
            }
        }
        for (key, protocol) in [
            ("tcp", Protocol::Tcp),
            ("udp", Protocol::Udp),
            ("sctp", Protocol::Sctp),
        ] {
            if let Some(matched) = one.get(key) {
                destination(protocol, matched.get("destinationPort"), &mut found);
            }
        }
    }
    found
}

fn destination(protocol: Protocol, port: Option<Ref<'_>>, found: &mut Ports) {
    let Some(port) = port else {
        found.add(&PortSet::protocol(protocol));
        return;
    };
    if let Some(port) = port.get("number").and_then(number) {
        found.add(&PortSet::port(protocol, port));
    } else if let Some(range) = port.get("range") {
        match (
            range.get("start").and_then(number),
            range.get("end").and_then(number),
        ) {
            (Some(first), Some(last)) => found.add(&PortSet::range(protocol, first, last)),
            _ => found.may_add(&PortSet::protocol(protocol)),
        }
    } else {
        found.may_add(&PortSet::protocol(protocol));
    }
}

fn add(of: Option<Ref<'_>>, first: Option<Ref<'_>>, last: Option<Ref<'_>>, found: &mut Ports) {
    let Ok(protocol) = protocol(of) else {
        found.may_add(&PortSet::all());
        return;
    };
    let numbers = (
        first.and_then(number),
        last.map_or_else(|| first.and_then(number), number),
    );
    match numbers {
        (Some(first), Some(last)) => found.add(&PortSet::range(protocol, first, last)),
        _ => found.may_add(&PortSet::protocol(protocol)),
    }
}
