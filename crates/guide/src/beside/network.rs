//! Network policies of a namespace: one that denies everything but names of the cluster's DNS, and one for each
//! workload with the flows that were declared or seen, each with the place that says so.
//!
//! A workload whose file does not say its namespace gets a policy of its own only. Directions that a policy limits
//! already are left to it: what it denies on purpose must not be opened.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use analysis::Analyses;
use analysis::reach::Direction;
use model::estate::namespace_of;
use model::remedy::NewObject;
use model::{Ref, Resource, ResourceRef};

use super::flows::{Flows, Peer, Port, Side};
use super::{Ask, Written};
use crate::fix::object;

/// AKS runs DNS and the tunnel to the API server there: a default deny would cut them off.
const SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Egress to the cluster's DNS (learn.microsoft.com/azure/aks/coredns-custom: its pods carry `k8s-app: kube-dns`).
const DNS: &str = "  # Names of the cluster's DNS.
  - to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
";

/// How many places are named for one peer.
const PLACES: usize = 3;

struct Writing<'e> {
    analyses: &'e Analyses<'e>,
    flows: &'e Flows,
    names: BTreeSet<String>,
}

/// A policy for the namespace of a resource, or for a workload alone.
pub(super) fn policies(ask: &Ask<'_>) -> Written {
    let Some(analyses) = ask.analyses else {
        return Ok(Vec::new());
    };
    let flows = ask
        .cache
        .flows
        .get_or_init(|| Flows::of(analyses, ask.setting));
    let mut writing = Writing {
        analyses,
        flows,
        names: BTreeSet::new(),
    };
    let namespace = match ask.resource.name.kind.name() {
        "Namespace" => &*ask.resource.name.name,
        _ => namespace_of(ask.resource),
    };
    if namespace.is_empty() || SYSTEM.contains(&namespace) {
        if selector(ask.resource).is_none() {
            return Err("its pods carry no label that a policy could select them by".into());
        }
        return Ok(writing.alone(ask.resource).into_iter().collect());
    }
    ask.once("network-policies", namespace, || {
        Ok(writing.namespace(namespace).into_iter().collect())
    })
}

impl Writing<'_> {
    /// A name that no policy of the namespace has.
    fn free(&mut self, namespace: &str, name: &str, kind: &str) -> String {
        let estate = self.analyses.estate;
        let longer = format!("{name}-{}", kind.to_lowercase());
        let numbered = (2..100).map(|number| format!("{name}-{number}"));
        let free = [name.to_owned(), longer]
            .into_iter()
            .chain(numbered)
            .find(|name| {
                estate.find(namespace, "NetworkPolicy", name).is_none()
                    && !self.names.contains(name)
            });
        let free = free.unwrap_or_else(|| format!("{name}-seawall"));
        self.names.insert(free.clone());
        free
    }

    /// The directions of a workload that no policy limits.
    fn open(&self, id: ResourceRef) -> Vec<Direction> {
        let reach = self.analyses.reach();
        let workload = self.analyses.workload(id);
        let workload = workload.and_then(|number| reach.workloads().get(number));
        [Direction::Ingress, Direction::Egress]
            .into_iter()
            .filter(|direction| {
                workload.is_some_and(|workload| !reach.isolated(workload, *direction))
            })
            .collect()
    }

    fn namespace(&mut self, namespace: &str) -> Option<NewObject> {
        let name = self.free(namespace, "default-deny", "NetworkPolicy");
        let mut text = head(&name, Some(namespace));
        text.push_str(
            "spec:\n  # All pods: what no other policy allows is denied.\n  podSelector: {}\n  policyTypes:\n  - Ingress\n  - Egress\n  egress:\n",
        );
        text.push_str(DNS);
        let estate = self.analyses.estate;
        let workloads: Vec<ResourceRef> = estate.workloads_in(namespace).collect();
        for id in workloads {
            let Some(workload) = estate.get(id) else {
                continue;
            };
            if let Some(policy) = self.of_workload(id, workload, false) {
                text.push_str("---\n");
                text.push_str(&policy);
            }
        }
        let mut made = object::named(&text)?;
        made.stem = format!("{namespace}-networkpolicies").into();
        Some(made)
    }

    fn alone(&mut self, workload: &Resource) -> Option<NewObject> {
        let id = self.analyses.estate.number_of(workload)?;
        object::named(&self.of_workload(id, workload, true)?)
    }

    /// The policy of one workload; `None` where there is nothing to say, or its pods cannot be selected. `all`: also
    /// where nothing flows, so that nothing may.
    fn of_workload(&mut self, id: ResourceRef, workload: &Resource, all: bool) -> Option<String> {
        let open = self.open(id);
        let none = super::flows::Of::default();
        let of = self.flows.0.get(&id).unwrap_or(&none);
        let wanted = |direction: Direction, side: &Side| {
            open.contains(&direction) && (all || !side.is_empty())
        };
        let ingress = wanted(Direction::Ingress, &of.ingress);
        let egress = wanted(Direction::Egress, &of.egress);
        if !ingress && !egress || pod(workload, "hostNetwork") {
            return None;
        }
        let selector = selector(workload)?;
        let namespace = workload.name.namespace.as_deref();
        let kind = workload.name.kind.name();
        let name = self.free(namespace.unwrap_or_default(), &workload.name.name, kind);
        let mut text = String::new();
        for remark in &of.remarks {
            comment("", remark, &mut text);
        }
        text.push_str(&head(&name, namespace));
        text.push_str("spec:\n  podSelector:\n    matchLabels:\n");
        for (key, value) in selector {
            let _ = writeln!(
                text,
                "      {}: {}",
                object::scalar(key),
                object::scalar(value)
            );
        }
        text.push_str("  policyTypes:\n");
        for (wanted, name) in [(ingress, "Ingress"), (egress, "Egress")] {
            if wanted {
                let _ = writeln!(text, "  - {name}");
            }
        }
        if ingress && !of.ingress.is_empty() {
            text.push_str("  ingress:\n");
            self.rules(&of.ingress, namespace, "from", &mut text);
        }
        if egress {
            text.push_str("  egress:\n");
            if all {
                text.push_str(DNS);
            }
            self.rules(&of.egress, namespace, "to", &mut text);
        }
        Some(text)
    }

    fn rules(&self, side: &Side, own: Option<&str>, word: &str, text: &mut String) {
        for (peer, (ports, places)) in side {
            let mut selectors = String::new();
            if self.peer(peer, own, word, &mut selectors).is_none() {
                continue;
            }
            for place in places.iter().take(PLACES) {
                comment("  ", place, text);
            }
            if places.len() > PLACES {
                let _ = writeln!(text, "  # and {} more", places.len() - PLACES);
            }
            let _ = writeln!(text, "  - {word}:");
            text.push_str(&selectors);
            if !ports.is_empty() {
                text.push_str("    ports:\n");
            }
            for port in ports {
                let (protocol, number, end) = match port {
                    Port::Number(protocol, number) => (protocol, number.to_string(), None),
                    Port::Range(protocol, first, last) => (protocol, first.to_string(), Some(last)),
                    Port::Name(protocol, name) => (protocol, object::scalar(name), None),
                };
                let _ = writeln!(text, "    - protocol: {protocol}\n      port: {number}");
                if let Some(end) = end {
                    let _ = writeln!(text, "      endPort: {end}");
                }
            }
        }
    }

    /// Writes the peers of a rule; `None` where the pods of the other end cannot be selected.
    fn peer(&self, peer: &Peer, own: Option<&str>, word: &str, text: &mut String) -> Option<()> {
        match peer {
            Peer::Workload(id) => {
                let workload = self.analyses.estate.get(*id)?;
                let selector = selector(workload)?;
                let namespace = workload.name.namespace.as_deref();
                let elsewhere = namespace.filter(|namespace| Some(*namespace) != own);
                pods(elsewhere, &selector, text);
            }
            Peer::Gateway(namespace, name) => {
                let labels = [("gateway.networking.k8s.io/gateway-name", &**name)];
                let labels: &[_] = if name.is_empty() { &[] } else { &labels };
                pods(
                    Some(namespace)
                        .filter(|name| !name.is_empty())
                        .map(|name| &**name),
                    labels,
                    text,
                );
            }
            Peer::Block(range) => block(range, &[], text),
            Peer::Internet => {
                // Pods and nodes are told by other rules, the metadata service and the wire server by none.
                let mut except = vec!["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
                if word == "to" {
                    except.extend(["169.254.169.254/32", "168.63.129.16/32"]);
                }
                block("0.0.0.0/0", &except, text);
            }
            Peer::Private => {
                for range in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] {
                    block(range, &[], text);
                }
            }
        }
        Some(())
    }
}

fn head(name: &str, namespace: Option<&str>) -> String {
    super::budget::head("networking.k8s.io/v1", "NetworkPolicy", name, namespace)
}

/// A comment of one line, whatever stands in it.
fn comment(indent: &str, text: &str, out: &mut String) {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(out, "{indent}# {text}");
}

fn pods(namespace: Option<&str>, labels: &[(&str, &str)], text: &mut String) {
    let mut first = "    - ";
    if let Some(namespace) = namespace {
        let _ = writeln!(
            text,
            "{first}namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: {}",
            object::scalar(namespace)
        );
        first = "      ";
    }
    if !labels.is_empty() {
        let _ = writeln!(text, "{first}podSelector:\n        matchLabels:");
        for (key, value) in labels {
            let _ = writeln!(
                text,
                "          {}: {}",
                object::scalar(key),
                object::scalar(value)
            );
        }
    }
}

fn block(range: &str, except: &[&str], text: &mut String) {
    let _ = writeln!(
        text,
        "    - ipBlock:\n        cidr: {}",
        object::scalar(range)
    );
    if !except.is_empty() {
        text.push_str("        except:\n");
    }
    for range in except {
        let _ = writeln!(text, "        - {}", object::scalar(range));
    }
}

fn pod(workload: &Resource, key: &str) -> bool {
    let value = workload.pod_spec().and_then(|pod| pod.get(key));
    value.and_then(Ref::as_bool) == Some(true)
}

/// The labels that select a workload's pods: those that it selects them by itself, else those that they carry.
fn selector(workload: &Resource) -> Option<Vec<(&str, &str)>> {
    let own = workload.object().path(&["spec", "selector"]);
    let own = match workload.name.kind.name() {
        "ReplicationController" => own,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => {
            own.and_then(|own| own.get("matchLabels"))
        }
        _ => None,
    };
    let labels = own
        .filter(|own| own.entries().len() > 0)
        .or_else(|| workload.pod_holder()?.path(&["metadata", "labels"]))?;
    let labels: Option<Vec<(&str, &str)>> = labels
        .entries()
        .map(|(key, _, value)| Some((key, value.as_str()?)))
        .collect();
    labels.filter(|labels| !labels.is_empty())
}
