//! What is expected of one attempt to connect, to be held against what a probe saw; and which Services lead to pods, so
//! that there is something to try.

use std::net::IpAddr;

use model::{Estate, Ref, Resource, ResourceRef};

use super::bits::Belongs;
use super::explain::{Explanation, Side};
use super::policy::{Direction, number};
use super::ports::{PortSet, Protocol};
use super::universe::End;
use super::{Reach, Verdict, address};

/// Where an attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// An address outside of the cluster.
    Address(IpAddr),
    /// The pods of a workload, by its number.
    Workload(usize),
    /// The node of the pod that tries.
    OwnNode,
    /// The Kubernetes API server.
    ApiServer,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Whether it gets through.
    pub verdict: Verdict,
    /// What that rests on, or hangs on, as a clause.
    pub because: Box<str>,
}

/// A Service that leads to pods of one class only: whoever asks it knows whom it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The Service.
    pub service: ResourceRef,
    /// The first workload behind it, by its number.
    pub workload: usize,
    /// How it is asked.
    pub protocol: Protocol,
    /// The Service's port.
    pub port: u16,
    /// The port of the pods.
    pub target: u16,
}

impl Reach {
    /// The number of a workload.
    #[must_use]
    pub fn workload_named(&self, namespace: &str, kind: &str, name: &str) -> Option<usize> {
        self.workloads()
            .iter()
            .position(|one| (&*one.namespace, &*one.kind, &*one.name) == (namespace, kind, name))
    }

    /// What is expected when a workload's pods try these ports; `None` where that cannot be said of the aim.
    #[must_use]
    pub fn opinion(
        &self,
        estate: &Estate,
        from: usize,
        aim: Aim,
        ports: &PortSet,
    ) -> Option<Opinion> {
        let source = self.end_of(self.workloads().get(from)?);
        let target = match aim {
            Aim::OwnNode => End::OwnNode,
            Aim::ApiServer => End::ApiServer,
            Aim::Workload(at) => self.end_of(self.workloads().get(at)?),
            Aim::Address(address) => {
                let one = address::single(address);
                let mut all = self.universe.externals.iter();
                End::External(all.position(|addresses| addresses.covers(&one))?)
            }
        };
        let why = self.explain(source, target);
        let ends = [
            (&why.egress, source, Direction::Egress),
            (&why.ingress, target, Direction::Ingress),
        ];
        let opens = ports.minus(&why.conn.sure).is_empty();
        let hangs = ends
            .iter()
            .find_map(|(_, end, direction)| self.hangs_on(*end, *direction, opens));
        let by_network = why
            .network
            .as_ref()
            .is_some_and(|limit| limit.within(ports).is_none());
        // One side that is closed for certain suffices, whatever is not known of the other.
        let closed = ends.iter().any(|(side, end, direction)| {
            side.conn.within(ports).is_none() && self.hangs_on(*end, *direction, false).is_none()
        });
        let stopped = why.conn.within(ports).is_none();
        let verdict = if opens && (why.one_node || hangs.is_none()) {
            Verdict::Yes
        } else if stopped && (by_network || closed) {
            Verdict::No
        } else {
            Verdict::Unknown
        };
        let because = match verdict {
            Verdict::Yes => opened(estate, &why),
            Verdict::No if by_network => "the network of the nodes stops it".into(),
            Verdict::No => stopped_by(estate, &ends, ports),
            Verdict::Unknown => match hangs {
                Some(hangs) => hangs.into(),
                None => "what was given does not decide it".into(),
            },
        };
        Some(Opinion {
            verdict,
            because: because.into(),
        })
    }

    /// The Services that lead to pods of one class only, in the order of Services.
    #[must_use]
    pub fn doors(&self, estate: &Estate) -> Vec<Door> {
        let services = estate.of_kind("Service").iter();
        services
            .filter_map(|id| Some((*id, estate.get(*id)?)))
            .flat_map(|(id, service)| self.doors_of(id, service))
            .collect()
    }

    fn doors_of(&self, id: ResourceRef, service: &Resource) -> Vec<Door> {
        let behind = self.behind(service);
        let Some((first, _)) = behind.first().copied() else {
            return Vec::new();
        };
        let end = |at: usize| self.workloads().get(at).map(|one| self.end_of(one));
        let alike =
            |(at, belongs): &(usize, Belongs)| *belongs == Belongs::Yes && end(*at) == end(first);
        if !behind.iter().all(alike) {
            return Vec::new();
        }
        let ports = service.object().path(&["spec", "ports"]);
        let ports = ports.into_iter().flat_map(Ref::items);
        ports
            .filter_map(|port| {
                let (protocol, target) = self.target(first, port)?;
                Some(Door {
                    service: id,
                    workload: first,
                    protocol,
                    port: port.get("port").and_then(number)?,
                    target,
                })
            })
            .collect()
    }
}

/// What lets it through.
fn opened(estate: &Estate, why: &Explanation) -> String {
    if why.one_node {
        return "what passes between a pod and its own node is let through".to_owned();
    }
    let mut names: Vec<String> = [&why.egress, &why.ingress]
        .into_iter()
        .flat_map(|side| &side.policies)
        .filter(|selecting| !selecting.rules.is_empty())
        .map(|selecting| named(estate, selecting.policy))
        .collect();
    names.dedup();
    match names.as_slice() {
        [] => "no policy closes either end".to_owned(),
        names => format!("let through by {}", few(names)),
    }
}

/// What stops it: the policies that close the side which lets nothing through.
fn stopped_by(estate: &Estate, ends: &[(&Side, End, Direction)], ports: &PortSet) -> String {
    for (side, _, direction) in ends {
        if !side.conn.within(ports).is_none() {
            continue;
        }
        let names: Vec<String> = side
            .policies
            .iter()
            .map(|selecting| named(estate, selecting.policy))
            .collect();
        let way = match direction {
            Direction::Egress => "let out",
            Direction::Ingress => "let in",
        };
        return format!("not {way} by {}", few(&names));
    }
    "stopped".to_owned()
}

fn named(estate: &Estate, policy: ResourceRef) -> String {
    let Some(policy) = estate.get(policy) else {
        return "a policy".to_owned();
    };
    let name = &policy.name;
    match &name.namespace {
        Some(namespace) => format!("{} `{namespace}/{}`", name.kind.name(), name.name),
        None => format!("{} `{}`", name.kind.name(), name.name),
    }
}

/// Names are many where every team has its own policy.
fn few(names: &[String]) -> String {
    const MOST: usize = 3;
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    match names.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
