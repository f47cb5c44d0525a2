//! Connections that an estate declares or shows: what Services, Ingresses and routes lead to pods, which workloads
//! name a Service in their settings, and what `intent` in the configuration says. Each with the place that says so.
//!
//! Nothing is guessed: a name counts only where it can be nothing but a host, and what is not seen is no flow.

use std::collections::{BTreeMap, BTreeSet};

use analysis::reach::{Audience, Exposure, Way};
use analysis::{Analyses, compare::resources::relative};
use model::estate::namespace_of;
use model::{Ref, Resource, ResourceRef};

use self::hosts::Host;
use crate::judge::Setting;

mod hosts;

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    /// Another workload.
    Workload(ResourceRef),
    /// The pods of a Gateway: its namespace and name.
    Gateway(Box<str>, Box<str>),
    /// A range of addresses.
    Block(Box<str>),
    /// The internet.
    Internet,
    /// The private ranges.
    Private,
}

/// A port of the pods that are reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Port {
    Number(&'static str, u16),
    Range(&'static str, u16, u16),
    Name(&'static str, Box<str>),
}

/// One direction of a workload: who, on which ports (none: all), and what says so.
pub(super) type Side = BTreeMap<Peer, (BTreeSet<Port>, BTreeSet<String>)>;

/// What is known of one workload.
#[derive(Debug, Default)]
pub(super) struct Of {
    pub(super) ingress: Side,
    pub(super) egress: Side,
    /// What was seen and cannot be allowed by a network policy, as sentences.
    pub(super) remarks: BTreeSet<String>,
}

/// The flows of an estate by workload.
#[derive(Debug, Default)]
pub(super) struct Flows(pub(super) BTreeMap<ResourceRef, Of>);

/// What texts are searched with.
struct Search<'e> {
    analyses: &'e Analyses<'e>,
    setting: &'e Setting,
    flows: Flows,
}

impl Flows {
    pub(super) fn of(analyses: &Analyses<'_>, setting: &Setting) -> Self {
        let mut search = Search {
            analyses,
            setting,
            flows: Self::default(),
        };
        let estate = analyses.estate;
        let workloads: Vec<ResourceRef> = estate.workloads().collect();
        for id in &workloads {
            if let Some(workload) = estate.get(*id) {
                search.exposures(*id, workload);
                search.settings(*id, workload);
            }
        }
        search.intent(&workloads);
        search.flows
    }
}

impl Search<'_> {
    /// `web.yaml:12`.
    fn place(&self, resource: &Resource, at: Ref<'_>) -> String {
        let path = &resource.origin.path;
        // As it was given, unless that says where this machine keeps it.
        let shown = if path.starts_with('/') {
            let below = relative(path, &self.setting.roots).filter(|path| !path.is_empty());
            below.unwrap_or_else(|| path.rsplit('/').next().unwrap_or_default().to_owned())
        } else {
            path.to_string()
        };
        format!("{shown}:{}", resource.doc.line_column(at.span().start).0)
    }

    fn allow(side: &mut Side, peer: Peer, ports: &BTreeSet<Port>, seen: &str) {
        // Whoever may use all ports needs no list of them.
        match side.get_mut(&peer) {
            Some((known, places)) => {
                if known.is_empty() || ports.is_empty() {
                    known.clear();
                } else {
                    known.extend(ports.iter().cloned());
                }
                places.insert(seen.to_owned());
            }
            None => {
                let seen = BTreeSet::from([seen.to_owned()]);
                side.insert(peer, (ports.clone(), seen));
            }
        }
    }

    fn connect(&mut self, from: ResourceRef, to: ResourceRef, ports: &BTreeSet<Port>, seen: &str) {
        let source = self.flows.0.entry(from).or_default();
        Self::allow(&mut source.egress, Peer::Workload(to), ports, seen);
        let target = self.flows.0.entry(to).or_default();
        Self::allow(&mut target.ingress, Peer::Workload(from), ports, seen);
    }

    /// What leads to a workload from outside of the cluster.
    fn exposures(&mut self, id: ResourceRef, workload: &Resource) {
        let reach = self.analyses.reach();
        let Some(number) = self.analyses.workload(id) else {
            return;
        };
        for exposure in reach.exposures_of(number) {
            if exposure.way == Way::HostNetwork {
                continue;
            }
            let ports = exposure
                .target
                .ranges()
                .map(|(protocol, first, last)| {
                    if first == last {
                        Port::Number(protocol.name(), first)
                    } else {
                        Port::Range(protocol.name(), first, last)
                    }
                })
                .collect();
            let through = exposure.through.first();
            let through = through.and_then(|id| self.analyses.estate.get(*id));
            let object = through.unwrap_or(workload);
            let seen = format!(
                "{}: {} `{}`",
                self.place(object, object.object()),
                object.name.kind.name(),
                object.name.name
            );
            self.entrance(id, exposure, object, &ports, &seen);
        }
    }

    fn entrance(
        &mut self,
        id: ResourceRef,
        exposure: &Exposure,
        object: &Resource,
        ports: &BTreeSet<Port>,
        seen: &str,
    ) {
        let of = self.flows.0.entry(id).or_default();
        let text = |keys: &[&str]| object.object().path(keys).and_then(Ref::as_str);
        match exposure.way {
            Way::Gateway | Way::Ingress => {
                let class = text(&["spec", "gatewayClassName"])
                    .or_else(|| text(&["spec", "ingressClassName"]))
                    .or_else(|| text(&["metadata", "annotations", "kubernetes.io/ingress.class"]));
                // Application Gateway for Containers and the one of virtual machines ask from a subnet
                // (learn.microsoft.com/azure/application-gateway/for-containers/overview); a Gateway's own pods
                // carry its name (gateway.networking.k8s.io/gateway-name, GEP-1762).
                if matches!(
                    class,
                    Some("azure-alb-external" | "azure-application-gateway")
                ) {
                    Self::allow(&mut of.ingress, Peer::Private, ports, seen);
                } else if object.name.kind.is("Gateway.gateway.networking.k8s.io") {
                    let namespace = namespace_of(object).into();
                    let peer = Peer::Gateway(namespace, object.name.name.clone());
                    Self::allow(&mut of.ingress, peer, ports, seen);
                } else if class == Some("webapprouting.kubernetes.azure.com") {
                    // learn.microsoft.com/azure/aks/app-routing: the controller's pods.
                    let peer = Peer::Gateway("app-routing-system".into(), "".into());
                    Self::allow(&mut of.ingress, peer, ports, seen);
                } else {
                    let class = class.map_or_else(
                        || "that serves it".to_owned(),
                        |class| format!("of class `{class}`"),
                    );
                    of.remarks.insert(format!(
                        "{seen} leads here; where the pods of the controller {class} run is not known: add a rule for them"
                    ));
                }
            }
            Way::LoadBalancer
            | Way::NodePort
            | Way::ExternalAddress
            | Way::HostPort
            | Way::HostNetwork => {
                let ranges: Vec<&str> = object
                    .object()
                    .path(&["spec", "loadBalancerSourceRanges"])
                    .into_iter()
                    .flat_map(Ref::items)
                    .filter_map(Ref::as_str)
                    .collect();
                for range in &ranges {
                    Self::allow(&mut of.ingress, Peer::Block((*range).into()), ports, seen);
                }
                if ranges.is_empty() {
                    let peer = if exposure.audience == Audience::Network {
                        Peer::Private
                    } else {
                        Peer::Internet
                    };
                    Self::allow(&mut of.ingress, peer, ports, seen);
                }
                let local = text(&["spec", "externalTrafficPolicy"]) == Some("Local");
                if !local && exposure.way != Way::HostPort {
                    of.remarks.insert(format!(
                        "{seen} does not say `externalTrafficPolicy: Local`: nodes may put their own addresses in the place of clients', so allow those too"
                    ));
                }
            }
        }
    }

    /// What a workload's settings name.
    fn settings(&mut self, id: ResourceRef, workload: &Resource) {
        let estate = self.analyses.estate;
        let Some(pod) = workload.pod_spec() else {
            return;
        };
        let namespace = namespace_of(workload);
        let mut maps: BTreeSet<&str> = BTreeSet::new();
        for key in ["initContainers", "containers"] {
            for container in pod.get(key).into_iter().flat_map(Ref::items) {
                for entry in container.get("env").into_iter().flat_map(Ref::items) {
                    let name = entry.get("name").and_then(Ref::as_str).unwrap_or_default();
                    if let Some(value) = entry.get("value") {
                        self.text(
                            id,
                            workload,
                            workload,
                            value,
                            &format!("`{name}`"),
                            hosts::is_host_key(name),
                        );
                    }
                    let from = entry.path(&["valueFrom", "configMapKeyRef"]);
                    let name_of = |key: &str| from.and_then(|from| from.get(key)?.as_str());
                    if let (Some(map), Some(key)) = (name_of("name"), name_of("key"))
                        && let Some(map) = estate.find(namespace, "ConfigMap", map)
                        && let Some(value) = map.object().path(&["data", key])
                    {
                        self.text(
                            id,
                            workload,
                            map,
                            value,
                            &format!("`{name}`"),
                            hosts::is_host_key(name),
                        );
                    }
                }
                for from in container.get("envFrom").into_iter().flat_map(Ref::items) {
                    maps.extend(from.path(&["configMapRef", "name"]).and_then(Ref::as_str));
                }
                for key in ["command", "args"] {
                    for value in container.get(key).into_iter().flat_map(Ref::items) {
                        self.text(id, workload, workload, value, &format!("`{key}`"), false);
                    }
                }
            }
        }
        for volume in pod.get("volumes").into_iter().flat_map(Ref::items) {
            maps.extend(volume.path(&["configMap", "name"]).and_then(Ref::as_str));
        }
        for map in maps {
            let Some(map) = estate.find(namespace, "ConfigMap", map) else {
                continue;
            };
            for (key, _, value) in map.object().get("data").into_iter().flat_map(Ref::entries) {
                self.text(
                    id,
                    workload,
                    map,
                    value,
                    &format!("`{key}`"),
                    hosts::is_host_key(key),
                );
            }
        }
        if let Some(why) = self.api_server(workload, pod) {
            self.flows.0.entry(id).or_default().remarks.insert(why);
        }
    }

    /// Looks for hosts in one text. `about` names the setting.
    fn text(
        &mut self,
        id: ResourceRef,
        workload: &Resource,
        holder: &Resource,
        value: Ref<'_>,
        about: &str,
        host_key: bool,
    ) {
        let Some(text) = value.as_str() else { return };
        for host in hosts::of(text, host_key) {
            let place = self.place(holder, value);
            if let Some((service, ports)) = self.service(namespace_of(workload), &host) {
                let seen = format!("{place}: {about} names Service `{}`", service.name.name);
                for target in self.analyses.estate.selected_by(service) {
                    self.connect(id, target, &ports, &seen);
                }
                continue;
            }
            let of = self.flows.0.entry(id).or_default();
            if let Some(address) = &host.address {
                let ports = host.port.map(|port| Port::Number("TCP", port));
                let seen = format!("{place}: {about} names {address}");
                let peer = Peer::Block(format!("{address}/32").into());
                Self::allow(&mut of.egress, peer, &ports.into_iter().collect(), &seen);
            } else if host.outside {
                of.remarks.insert(format!(
                    "{place}: {about} names the host `{}`; a network policy knows addresses only: allow those that it has",
                    host.name
                ));
            }
        }
    }

    /// The Service that a host is, and the ports of its pods that are meant.
    fn service(&self, namespace: &str, host: &Host) -> Option<(&Resource, BTreeSet<Port>)> {
        let estate = self.analyses.estate;
        let parts: Vec<&str> = host.name.split('.').collect();
        let known = |name: &str, namespace: &str| estate.find(namespace, "Service", name);
        let service = match parts.as_slice() {
            [name] if host.bare => known(name, namespace)?,
            [name, space] => known(name, space)?,
            [name, space, "svc", ..] => known(name, space)?,
            // A pod of a StatefulSet: its name stands before that of the Service.
            [_, name, space, "svc", ..] => known(name, space)?,
            _ => return None,
        };
        let mut ports = BTreeSet::new();
        let all = service.object().path(&["spec", "ports"]);
        for port in all.into_iter().flat_map(Ref::items) {
            let own = port.get("port").and_then(Ref::as_int);
            let meant = host
                .port
                .is_none_or(|wanted| own == Some(i64::from(wanted)));
            if !meant {
                continue;
            }
            let protocol = match port.get("protocol").and_then(Ref::as_str) {
                Some("UDP") => "UDP",
                Some("SCTP") => "SCTP",
                _ => "TCP",
            };
            let target = port.get("targetPort");
            let number = match target.and_then(Ref::as_int) {
                Some(0) | None => own,
                number => number,
            };
            let named = target.and_then(Ref::as_str);
            match (named, number.and_then(|number| u16::try_from(number).ok())) {
                (Some(text), _) => match text.parse() {
                    Ok(number) => ports.insert(Port::Number(protocol, number)),
                    Err(_) => ports.insert(Port::Name(protocol, text.into())),
                },
                (None, Some(number)) => ports.insert(Port::Number(protocol, number)),
                (None, None) => false,
            };
        }
        // Straight to a pod, on a port that the Service does not have.
        if ports.is_empty() {
            ports.extend(host.port.map(|port| Port::Number("TCP", port)));
        }
        Some((service, ports))
    }

    /// Whether the workload may talk to the API server, whose address no file tells.
    fn api_server(&self, workload: &Resource, pod: Ref<'_>) -> Option<String> {
        let estate = self.analyses.estate;
        let name = pod
            .get("serviceAccountName")
            .or_else(|| pod.get("serviceAccount"))?
            .as_str()?;
        let account = estate.find(namespace_of(workload), "ServiceAccount", name)?;
        let mounts = |holder: Ref<'_>| {
            holder
                .get("automountServiceAccountToken")
                .and_then(Ref::as_bool)
        };
        if mounts(pod).or_else(|| mounts(account.object())) == Some(false) {
            return None;
        }
        let binding = estate.get(*estate.bindings_of(account).first()?)?;
        Some(format!(
            "{}: {} `{}` gives its account `{name}` rights; if it talks to the API server, allow the address of that",
            self.place(binding, binding.object()),
            binding.name.kind.name(),
            binding.name.name
        ))
    }

    /// What the configuration says; where it governs a namespace, nothing else counts there.
    fn intent(&mut self, workloads: &[ResourceRef]) {
        let entries = self.setting.params.root().get("intent");
        let Some(entries) = entries.filter(|entries| entries.items().len() > 0) else {
            return;
        };
        let estate = self.analyses.estate;
        let text =
            |entry: Ref<'_>, key: &str| entry.get(key).and_then(Ref::as_str).map(str::to_owned);
        let entries: Vec<(String, String, BTreeSet<Port>)> = entries
            .items()
            .filter_map(|entry| {
                let ports = entry.get("ports").into_iter().flat_map(Ref::items);
                let ports = ports.filter_map(intended).collect();
                Some((text(entry, "from")?, text(entry, "to")?, ports))
            })
            .collect();
        let name = |id: &ResourceRef| {
            let workload = estate.get(*id)?;
            let namespace = match namespace_of(workload) {
                "" => "default",
                namespace => namespace,
            };
            Some((namespace, &*workload.name.name))
        };
        let is = |pattern: &str, id: &ResourceRef| {
            let wanted = pattern.split_once('/');
            wanted
                .zip(name(id))
                .is_some_and(|(wanted, have)| fits(wanted.0, have.0) && fits(wanted.1, have.1))
        };
        let mut flows = Vec::new();
        for to in workloads {
            let governed = name(to).is_some_and(|(namespace, _)| {
                entries.iter().any(|(_, to, _)| {
                    to.split_once('/')
                        .is_some_and(|(wanted, _)| fits(wanted, namespace))
                })
            });
            if !governed {
                continue;
            }
            let gone = self.flows.0.entry(*to).or_default();
            let gone: Vec<Peer> = std::mem::take(&mut gone.ingress).into_keys().collect();
            for peer in gone {
                if let Peer::Workload(from) = peer
                    && let Some(source) = self.flows.0.get_mut(&from)
                {
                    source.egress.remove(&Peer::Workload(*to));
                }
            }
            for (from, pattern, ports) in &entries {
                if !is(pattern, to) {
                    continue;
                }
                let seen = format!("seawall.yaml: `intent` from {from} to {pattern}");
                if from == "internet" {
                    let target = self.flows.0.entry(*to).or_default();
                    Self::allow(&mut target.ingress, Peer::Internet, ports, &seen);
                    continue;
                }
                let sources = workloads.iter().filter(|source| is(from, source));
                flows.extend(sources.map(|source| (*source, *to, ports.clone(), seen.clone())));
            }
        }
        for (from, to, ports, seen) in flows {
            self.connect(from, to, &ports, &seen);
        }
    }
}

/// A port of an entry of `intent`: `5432`, `"8000-8100"`, `"UDP 53"`.
fn intended(port: Ref<'_>) -> Option<Port> {
    if let Some(number) = port.as_int() {
        return Some(Port::Number("TCP", u16::try_from(number).ok()?));
    }
    let text = port.as_str()?;
    let (protocol, numbers) = match text.split_once(' ') {
        Some(("UDP", numbers)) => ("UDP", numbers.trim()),
        Some(("SCTP", numbers)) => ("SCTP", numbers.trim()),
        Some((_, numbers)) => ("TCP", numbers.trim()),
        None => ("TCP", text),
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    Some(if first == last {
        Port::Number(protocol, first)
    } else {
        Port::Range(protocol, first, last)
    })
}

/// Whether a text fits a pattern, in which `*` is any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "ab"),
            ("*b", "ab"),
            ("a*c*e", "abcde"),
            ("ab", "ab"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*b", "a"), ("*c", "ab"), ("a*a", "a")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
