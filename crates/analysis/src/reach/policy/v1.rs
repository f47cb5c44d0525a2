//! NetworkPolicy of networking.k8s.io/v1, as `pkg/apis/networking` defaults and validates it.

use model::{Ref, Resource, ResourceRef};

use super::{
    Action, Isolates, Namespaces, Peer, Ports, Tier, Written, WrittenRule, number, protocol,
};
use crate::reach::address;
use crate::reach::labels::Selector;
use crate::reach::ports::PortSet;
use crate::reach::ranges::Ranges;
use crate::reach::workloads;

pub(crate) fn read(resource: &Resource, id: ResourceRef, namespace: &str) -> Option<Written> {
    let spec = resource.object().get("spec")?;
    let (ingress, egress) = directions(spec);
    let rules = |key: &str, from: &str, given: bool| {
        given.then(|| {
            let rules = spec.get(key);
            if rules.is_some_and(Ref::is_open) {
                return vec![open_rule(key)];
            }
            rules
                .into_iter()
                .flat_map(Ref::items)
                .enumerate()
                .map(|(at, one)| rule(one, from, format!("spec.{key}[{at}]")))
                .collect()
        })
    };
    Some(Written {
        resource: id,
        tier: Tier::Namespace,
        priority: 0,
        namespace: namespace.into(),
        subject: vec![Peer::Pods(
            Namespaces::Own,
            spec.get("podSelector")
                .map(Selector::read)
                .unwrap_or_default(),
        )],
        ingress: rules("ingress", "from", ingress),
        egress: rules("egress", "to", egress),
        isolates: Isolates::BOTH,
    })
}

/// Which directions the policy is about. Without `policyTypes` it is ingress, and egress when there
/// is at least one egress rule (`SetDefaults_NetworkPolicy`, pkg/apis/networking/v1/defaults.go).
fn directions(spec: Ref<'_>) -> (bool, bool) {
    let types = spec
        .get("policyTypes")
        .filter(|types| types.items().len() > 0);
    match types {
        Some(types) => {
            let has = |name| types.items().any(|item| item.as_str() == Some(name));
            (has("Ingress"), has("Egress"))
        }
        None => (
            true,
            spec.get("egress")
                .is_some_and(|rules| rules.is_open() || rules.items().len() > 0),
        ),
    }
}

fn open_rule(key: &str) -> WrittenRule {
    WrittenRule {
        action: Action::Allow,
        peers: vec![Peer::Open],
        ports: Ports::all(),
        route: format!("spec.{key}").into(),
        partly: false,
    }
}

fn rule(rule: Ref<'_>, from: &str, route: String) -> WrittenRule {
    let peers = match rule.get(from) {
        Some(peers) if peers.is_open() => vec![Peer::Open],
        Some(peers) if peers.items().len() > 0 => peers.items().filter_map(peer).collect(),
        // An empty or missing list is everyone.
        _ => vec![Peer::Everything],
    };
    WrittenRule {
        action: Action::Allow,
        peers,
        ports: ports(rule.get("ports")),
        route: route.into(),
        partly: rule.is_open(),
    }
}

fn peer(peer: Ref<'_>) -> Option<Peer> {
    if peer.is_open() {
        return Some(Peer::Open);
    }
    if let Some(block) = peer.get("ipBlock") {
        return Some(ip_block(block));
    }
    let pods = peer.get("podSelector").map(Selector::read);
    match peer.get("namespaceSelector").map(Selector::read) {
        Some(namespaces) => Some(Peer::Pods(
            Namespaces::Selected(namespaces),
            pods.unwrap_or_default(),
        )),
        None => Some(Peer::Pods(Namespaces::Own, pods?)),
    }
}

/// Peers that the API server refuses (`ValidateNetworkPolicyPeer` and `ValidateIPBlock`,
/// k8s.io/kubernetes/pkg/apis/networking/validation), in words.
pub(crate) fn refused(resource: &Resource) -> Vec<String> {
    let mut found = Vec::new();
    let Some(spec) = resource.object().get("spec") else {
        return found;
    };
    for (direction, side) in [("ingress", "from"), ("egress", "to")] {
        let rules = spec.get(direction).into_iter().flat_map(Ref::items);
        for (rule, peers) in rules.enumerate() {
            let peers = peers.get(side).into_iter().flat_map(Ref::items);
            for (at, peer) in peers.enumerate() {
                if let Some(why) = refusal(peer) {
                    found.push(format!(
                        "NetworkPolicy {}/{}: the API server refuses spec.{direction}[{rule}].{side}[{at}]: {why}.",
                        workloads::namespace(resource),
                        resource.name.name,
                    ));
                }
            }
        }
    }
    found
}

fn refusal(peer: Ref<'_>) -> Option<String> {
    if peer.is_open() {
        return None;
    }
    let selects = ["podSelector", "namespaceSelector"]
        .iter()
        .any(|key| peer.get(key).is_some());
    let Some(block) = peer.get("ipBlock") else {
        return (!selects).then(|| "it names nobody".to_owned());
    };
    if selects {
        return Some("`ipBlock` stands alone, without a selector".to_owned());
    }
    let strict = |text: &str| text.contains('/').then(|| address::block(text)).flatten();
    let cidr = block.get("cidr");
    if block.is_open() || cidr.is_some_and(Ref::is_open) {
        return None;
    }
    let text = cidr.and_then(Ref::as_str).unwrap_or_default();
    let Some(whole) = strict(text) else {
        return Some(format!("`{text}` is no address block"));
    };
    let holes = block.get("except").into_iter().flat_map(Ref::items);
    for hole in holes.filter_map(Ref::as_str) {
        match strict(hole) {
            None => return Some(format!("`{hole}` is no address block")),
            Some(hole_) if hole_ == whole || !whole.covers(&hole_) => {
                return Some(format!("`{hole}` is no part of `{text}`"));
            }
            Some(_) => {}
        }
    }
    None
}

fn ip_block(block: Ref<'_>) -> Peer {
    let cidr = block.get("cidr");
    let Some(whole) = cidr.and_then(Ref::as_str).and_then(address::block) else {
        let open = block.is_open() || cidr.is_some_and(Ref::is_open);
        return if open {
            Peer::Open
        } else {
            Peer::Block(Ranges::empty())
        };
    };
    let except = block.get("except");
    let holes: Option<Vec<Ranges>> = except
        .into_iter()
        .flat_map(Ref::items)
        .map(|hole| hole.as_str().and_then(address::block))
        .collect();
    match holes {
        Some(holes) if !except.is_some_and(Ref::is_open) => {
            Peer::Block(holes.iter().fold(whole, |rest, hole| rest.minus(hole)))
        }
        _ => Peer::Open,
    }
}

/// `ports` of a rule: an empty or missing list is every port; a port without a number or name is
/// every port of its protocol.
fn ports(ports: Option<Ref<'_>>) -> Ports {
    let listed = ports.map_or(0, |ports| ports.items().len());
    if listed == 0 {
        let mut all = Ports::all();
        if ports.is_some_and(Ref::is_open) {
            all.sure = PortSet::none();
        }
        return all;
    }
    let mut found = Ports::default();
    for port in ports.into_iter().flat_map(Ref::items) {
        add(port, &mut found);
    }
    found
}

fn add(entry: Ref<'_>, found: &mut Ports) {
    if entry.is_open() {
        found.may_add(&PortSet::all());
        return;
    }
    let protocol = match protocol(entry.get("protocol")) {
        Ok(protocol) => protocol,
        Err(Some(_open)) => {
            found.may_add(&PortSet::all());
            return;
        }
        // Nothing that the API server would accept.
        Err(None) => return,
    };
    let Some(port) = entry.get("port") else {
        found.add(&PortSet::protocol(protocol));
        return;
    };
    if let Some(first) = number(port) {
        match entry.get("endPort") {
            None => found.add(&PortSet::port(protocol, first)),
            Some(end) => match number(end) {
                Some(last) => found.add(&PortSet::range(protocol, first, last)),
                None => found.may_add(&PortSet::range(protocol, first, u16::MAX)),
            },
        }
    } else if port.is_open() {
        found.may_add(&PortSet::protocol(protocol));
    } else if let Some(name) = port.as_str() {
        found.named.push((Some(protocol), name.into()));
    }
}
