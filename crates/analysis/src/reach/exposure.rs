//! What leads from outside to pods: Services, Ingresses, routes of the Gateway API, ports opened on
//! nodes. Each with what the policies of the pods behind it let in.
//!
//! | module | finds |
//! |---|---|
//! | [`services`] | LoadBalancers, NodePorts, external addresses, ports on nodes |
//! | [`routes`] | Ingresses and routes, over the Services they name |
//! | [`gateways`] | Gateways, and which routes they take |

use std::collections::BTreeMap;

use model::{Estate, Ref, Resource, ResourceRef};

use super::address;
use super::around::Part;
use super::bits::Belongs;
use super::conn::Conn;
use super::labels::Labels;
use super::ports::{PortSet, Protocol};
use super::ranges::Ranges;
use super::universe::End;
use super::workloads;
use super::{Reach, Workload};

pub(crate) mod gateways;
pub(crate) mod routes;
pub(crate) mod services;

/// From where something can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// The internet.
    Internet,
    /// Whoever reaches the cluster's network.
    Network,
    /// It hangs on something that was not given.
    Unknown,
}

/// What leads to pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A Service of type LoadBalancer.
    LoadBalancer,
    /// A Service of type NodePort.
    NodePort,
    /// A Service with addresses of its own (`externalIPs`).
    ExternalAddress,
    /// An Ingress.
    Ingress,
    /// A route of the Gateway API.
    Gateway,
    /// A port that a pod opens on its node (`hostPort`).
    HostPort,
    /// A pod on its node's network.
    HostNetwork,
}

impl Way {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoadBalancer => "load balancer",
            Self::NodePort => "node port",
            Self::ExternalAddress => "external address",
            Self::Ingress => "ingress",
            Self::Gateway => "gateway",
            Self::HostPort => "host port",
            Self::HostNetwork => "host network",
        }
    }
}

/// One way from outside to the pods of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The number of the workload.
    pub workload: usize,
    /// What leads there.
    pub way: Way,
    /// The objects it goes through, the outermost first: Ingress, then Service.
    pub through: Vec<ResourceRef>,
    /// Who can use it.
    pub audience: Audience,
    /// Why the audience is not known, or who is left out, as a clause.
    pub because: Option<Box<str>>,
    /// The hosts it answers to; empty for any.
    pub hosts: Vec<Box<str>>,
    /// Clients that the way itself lets in; empty for any.
    pub clients: Ranges,
    /// The ports clients use.
    pub front: PortSet,
    /// The ports of the pods behind it.
    pub target: PortSet,
    /// Of these, what the pods' policies let in.
    pub open: Conn,
    /// Why policies that were not given may change that.
    pub hangs_on: Option<Box<str>>,
}

impl Exposure {
    /// Whether it surely or perhaps lets the internet in.
    #[must_use]
    pub fn to_internet(&self) -> bool {
        self.audience != Audience::Network && !self.open.is_none()
    }
}

/// Everything that leads from outside to pods, by workload.
#[derive(Debug, Default)]
pub(crate) struct Exposures {
    found: Vec<Exposure>,
    by_workload: BTreeMap<usize, Vec<usize>>,
}

impl Reach {
    /// Everything that leads from outside to pods.
    #[must_use]
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures.found
    }

    /// What leads from outside to the pods of a workload, by its number.
    pub fn exposures_of(&self, workload: usize) -> impl Iterator<Item = &Exposure> {
        self.exposures
            .by_workload
            .get(&workload)
            .into_iter()
            .flatten()
            .filter_map(|at| self.exposures.found.get(*at))
    }

    /// The same for some public addresses: what leads from there to pods.
    #[must_use]
    pub fn exposures_to(&self, estate: &Estate, clients: &Ranges) -> Vec<Exposure> {
        self.find_from(Part::whole(estate), clients)
    }

    fn find_from(&self, part: Part<'_>, clients: &Ranges) -> Vec<Exposure> {
        let mut found = services::find(self, part, clients);
        found.extend(routes::find(self, part));
        let entrance = self.around.filters.inbound(clients);
        for exposure in &mut found {
            self.entrance(exposure, entrance.as_ref());
        }
        found.sort_by(|a, b| (a.workload, a.way, &a.through).cmp(&(b.workload, b.way, &b.through)));
        found
    }

    /// What the policies of a workload let in from any of the addresses; whether anything leads from
    /// there to its pods is another question.
    #[must_use]
    pub fn let_in(&self, workload: &Workload, from: &Ranges) -> Conn {
        self.entering(self.end_of(workload), |reach, end| {
            reach
                .addresses(end)
                .is_some_and(|addresses| from.meets(addresses))
        })
    }

    pub(crate) fn find_exposures(&self, part: Part<'_>) -> Exposures {
        let found = self.find_from(part, &address::public());
        let mut by_workload: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, exposure) in found.iter().enumerate() {
            by_workload.entry(exposure.workload).or_default().push(at);
        }
        Exposures { found, by_workload }
    }

    /// What the Azure network makes of a way in: whether nodes have public addresses, and what the
    /// security groups of their subnets let in.
    fn entrance(&self, exposure: &mut Exposure, entrance: Option<&Conn>) {
        let on_nodes = matches!(
            exposure.way,
            Way::NodePort | Way::HostPort | Way::HostNetwork
        );
        if on_nodes {
            match self.around.network.public_nodes {
                Some(true) => (exposure.audience, exposure.because) = (Audience::Internet, None),
                Some(false) => {
                    exposure.audience = Audience::Network;
                    exposure.because = Some("nodes have no public address".into());
                }
                None => {}
            }
        }
        let reached = on_nodes || exposure.way == Way::LoadBalancer;
        let (Some(entrance), true) = (entrance, reached) else {
            return;
        };
        if exposure.audience == Audience::Network || exposure.front.is_empty() {
            return;
        }
        let passes = entrance.within(&exposure.front);
        if passes.is_none() {
            exposure.audience = Audience::Network;
            exposure.because = Some("the nodes' network security group stops the internet".into());
        } else if passes.sure.is_empty() {
            exposure.audience = Audience::Unknown;
            exposure.because =
                Some("whether the nodes' network security group lets it in is not known".into());
        }
    }

    /// Numbers of the workloads in a namespace whose pods a Service's selector matches.
    pub(crate) fn behind(&self, service: &Resource) -> Vec<(usize, Belongs)> {
        let selector = service
            .object()
            .path(&["spec", "selector"])
            .filter(|selector| selector.entries().len() > 0);
        let Some(selector) = selector else {
            return Vec::new();
        };
        let namespace = workloads::namespace(service);
        let all = &self.universe.workloads;
        let first = all.partition_point(|workload| &*workload.namespace < namespace);
        all.iter()
            .enumerate()
            .skip(first)
            .take_while(|(_, workload)| &*workload.namespace == namespace)
            .filter_map(|(number, workload)| {
                let class = self.universe.classes.get(workload.class)?;
                let belongs = carries(&class.traits.labels, selector);
                (belongs != Belongs::No).then_some((number, belongs))
            })
            .collect()
    }

    /// The port of the pods that a Service's port leads to.
    pub(crate) fn target(&self, workload: usize, port: Ref<'_>) -> Option<(Protocol, u16)> {
        use super::policy::{number, protocol};
        let protocol = protocol(port.get("protocol")).ok()?;
        let own = || port.get("port").and_then(number);
        let Some(target) = port.get("targetPort") else {
            return Some((protocol, own()?));
        };
        match number(target) {
            Some(0) => Some((protocol, own()?)),
            Some(target) => Some((protocol, target)),
            None => {
                let name = target.as_str()?;
                let workload = self.universe.workloads.get(workload)?;
                let class = self.universe.classes.get(workload.class)?;
                class
                    .traits
                    .ports
                    .iter()
                    .find(|port| &*port.name == name && port.protocol == protocol)
                    .map(|port| (protocol, port.port))
            }
        }
    }

    /// What comes in to the pods of a workload from any of the chosen ends.
    fn entering_workload(&self, workload: usize, from: impl Fn(&Self, End) -> bool) -> Conn {
        match self.universe.workloads.get(workload) {
            Some(workload) => self.entering(self.end_of(workload), from),
            None => Conn::none(),
        }
    }

    fn entering(&self, to: End, from: impl Fn(&Self, End) -> bool) -> Conn {
        self.inbound(to)
            .into_iter()
            .filter(|(end, _)| from(self, *end))
            .fold(Conn::none(), |all, (_, conn)| all.join(&conn))
    }

    /// What surely comes in from all of the addresses, and what may from any.
    fn let_in_by_all(&self, workload: usize, from: &Ranges) -> Conn {
        let Some(workload) = self.universe.workloads.get(workload) else {
            return Conn::none();
        };
        let mut all: Option<Conn> = None;
        for (end, conn) in self.inbound(self.end_of(workload)) {
            if self
                .addresses(end)
                .is_some_and(|addresses| from.meets(addresses))
            {
                all = Some(match all {
                    None => conn,
                    Some(all) => Conn {
                        sure: all.sure.intersection(&conn.sure),
                        may: all.may.union(&conn.may),
                    },
                });
            }
        }
        all.unwrap_or_else(Conn::none)
    }

    /// What passes to a workload's pods from everything but given pods.
    fn inbound(&self, to: End) -> Vec<(End, Conn)> {
        use super::matrix;
        use super::policy::Direction;
        let universe = &self.universe;
        let stranger = universe.number(End::Stranger);
        let outside = universe.number(End::OwnNode)..universe.size();
        let End::Pods(class) = to else {
            return std::iter::once(stranger)
                .chain(outside)
                .map(|number| (universe.end(number), Conn::all()))
                .collect();
        };
        let applied = self.selected.of(Direction::Ingress, class);
        let mut rows = self.rows();
        let mut found = Vec::new();
        for ends in [stranger..stranger + 1, outside] {
            let row = rows.row(class, applied, Direction::Ingress, ends.clone());
            for (number, mut id) in ends.zip(row) {
                let from = universe.end(number);
                let always = matrix::on_one_node(universe, from, to);
                if always != Belongs::No {
                    id = matrix::same_node(&mut rows.memo, id, always);
                }
                found.push((from, rows.memo.get(id)));
            }
        }
        found
    }
}

/// Whether labels hold everything that a plain selector asks for.
fn carries(labels: &Labels, selector: Ref<'_>) -> Belongs {
    selector
        .entries()
        .map(
            |(key, _, wanted)| match (labels.known.get(key), wanted.as_str()) {
                (Some(Some(have)), Some(wanted)) if **have == *wanted => Belongs::Yes,
                (Some(Some(_)), Some(_)) => Belongs::No,
                (None, _) if !labels.open => Belongs::No,
                _ => Belongs::Maybe,
            },
        )
        .min()
        .unwrap_or(Belongs::Yes)
}
