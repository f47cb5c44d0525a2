//! One form for every kind of network policy: who it is about, and rules in the order in which they
//! decide. What each kind writes differently is read by the modules below.
//!
//! | module | reads |
//! |---|---|
//! | [`v1`] | NetworkPolicy |
//! | [`admin`] | AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy |
//! | [`cilium`] | CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy |

use model::{Ref, ResourceRef};

use super::labels::Selector;
use super::ports::{PortSet, Protocol};
use super::ranges::Ranges;

pub(crate) mod admin;
pub(crate) mod cilium;
pub(crate) mod v1;

/// Which policies decide before which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Decides before network policies.
    Admin,
    /// NetworkPolicy and what adds to it: whoever is selected is closed but for what rules allow.
    Namespace,
    /// Decides what nothing else did.
    Baseline,
}

/// Which end of a connection a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Connections to the selected pods.
    Ingress,
    /// Connections from the selected pods.
    Egress,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lets it through.
    Allow,
    /// Stops it.
    Deny,
    /// Leaves it to the next tier.
    Pass,
}

/// A policy as it is written, before anybody is matched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) resource: ResourceRef,
    pub(crate) tier: Tier,
    /// Lower decides first.
    pub(crate) priority: i64,
    /// Whose pods `Namespaces::Own` means.
    pub(crate) namespace: Box<str>,
    pub(crate) subject: Vec<Peer>,
    /// `None`: it says nothing about this direction.
    pub(crate) ingress: Option<Vec<WrittenRule>>,
    pub(crate) egress: Option<Vec<WrittenRule>>,
    /// Being selected closes what no rule allows.
    pub(crate) isolates: Isolates,
}

/// Whether a policy of the namespace tier closes the directions it has rules for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Isolates {
    pub(crate) ingress: bool,
    pub(crate) egress: bool,
}

impl Isolates {
    pub(crate) const BOTH: Self = Self {
        ingress: true,
        egress: true,
    };
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrittenRule {
    pub(crate) action: Action,
    pub(crate) peers: Vec<Peer>,
    pub(crate) ports: Ports,
    /// Where it stands in the object.
    pub(crate) route: Box<str>,
    /// Only some of what the rule matches is meant: paths of HTTP, names of DNS.
    pub(crate) partly: bool,
}

/// One way to name the other end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Peer {
    /// Everyone and everything.
    Everything,
    /// Pods by their namespace's and their own labels.
    Pods(Namespaces, Selector),
    /// Addresses outside the cluster.
    Block(Ranges),
    /// Addresses, those of pods too ("cluster-internal traffic will be checked against the rule as
    /// well", `Networks` of the policies of administrators).
    Network(Ranges),
    /// Names of DNS, for which nobody knows the addresses.
    Names,
    /// Nodes by their labels.
    Nodes(Selector),
    /// Names of groups that Cilium knows.
    Entity(Entity),
    /// The source leaves it open.
    Open,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Namespaces {
    Own,
    All,
    Selected(Selector),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entity {
    /// Every pod, node and the API server when it runs in the cluster.
    Cluster,
    /// The node that the pod runs on.
    Host,
    /// The other nodes.
    RemoteNode,
    /// Everything outside the cluster.
    World,
    /// The API server.
    ApiServer,
}

/// The ports of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ports {
    /// Ports by number.
    pub(crate) sure: PortSet,
    /// The same with those that the source leaves open; holds `sure`.
    pub(crate) may: PortSet,
    /// Ports by the name that the destination's containers give them; any protocol where none is
    /// said.
    pub(crate) named: Vec<(Option<Protocol>, Box<str>)>,
}

impl Ports {
    pub(crate) fn all() -> Self {
        Self::of(PortSet::all())
    }

    pub(crate) fn of(set: PortSet) -> Self {
        Self {
            may: set.clone(),
            sure: set,
            named: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, set: &PortSet) {
        self.sure = self.sure.union(set);
        self.may = self.may.union(set);
    }

    pub(crate) fn may_add(&mut self, set: &PortSet) {
        self.may = self.may.union(set);
    }
}

/// A port number: an integer, as the API server reads it.
pub(crate) fn number(value: Ref<'_>) -> Option<u16> {
    value.as_int().and_then(|port| u16::try_from(port).ok())
}

/// The protocol of a port: TCP where none is said; `Err` where it is open or unknown.
pub(crate) fn protocol(value: Option<Ref<'_>>) -> Result<Protocol, Option<Ref<'_>>> {
    let Some(value) = value else {
        return Ok(Protocol::Tcp);
    };
    value
        .as_str()
        .and_then(Protocol::parse)
        .ok_or_else(|| value.is_open().then_some(value))
}
