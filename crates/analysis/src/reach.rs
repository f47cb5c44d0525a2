//! Who can talk to whom: network policies of every kind, what is exposed, and Azure's network around it.
//!
//! Built once from an estate ([`Reach::build`]); then single questions are cheap ([`Reach::conn`],
//! [`Reach::explain`]) and the whole matrix is computed row by row ([`Reach::matrix`]).
//!
//! Answers are three-valued. A [`Conn`] says which ports are surely open by what was given, and which
//! may be. What was *not* given (policies of an estate that may be a part) is in
//! [`Reach::assumptions`], for it concerns every answer alike.
//!
//! Leaves out what happens above the transport layer, ICMP, and network address translation within
//! the cluster: a rule is held against the pod that answers, as plugins do after a Service was resolved.
//!
//! | module | holds |
//! |---|---|
//! | [`ranges`], [`ports`], [`address`] | sets of ports and of addresses |
//! | [`workloads`](self::Workload) | who runs, in classes that no policy tells apart |
//! | [`End`] | everything that can be an end of a connection |
//! | [`policy`](self::Tier) | one form for all kinds of policies |
//! | [`conn`](self::Conn) | what passes, and how rules in order come to it |
//! | [`Matrix`] | rows of connections |

use std::collections::BTreeSet;
use std::sync::Arc;

use model::kinds::Kind;
use model::{Estate, Resource, ResourceRef};

pub mod address;
mod around;
mod azure;
mod bits;
mod conn;
mod engine;
mod explain;
mod exposure;
mod facts;
mod intent;
mod labels;
mod matrix;
mod opinion;
mod policy;
pub mod ports;
pub mod ranges;
mod universe;
mod workloads;

pub use around::{Around, Routes, Touched};
pub use conn::{Conn, ConnId};
pub use engine::Engine;
pub use explain::{Explanation, Matching, PolicyView, RuleView, Selecting, Side};
pub use exposure::{Audience, Exposure, Way};
pub use facts::{Answer, Facts, KUBELET, Verdict, metadata_ports, wire_server_ports};
pub use intent::{Apart, Difference, Intent};
pub use matrix::Matrix;
pub use opinion::{Aim, Door, Opinion};
pub use policy::{Action, Direction, Tier};
pub use ports::{PortSet, Protocol};
pub use ranges::Ranges;
pub use universe::End;
pub use workloads::{READS, Workload};
pub(crate) use workloads::{is_made_here, makers, namespace as namespace_of};

use around::Part;
use matrix::{Policy, Selected};
use policy::Written;
use universe::Universe;

/// The kinds that are read here beside workloads, as guidelines name them.
pub const KINDS: [&str; 21] = [
    "Namespace",
    "Node",
    "Service",
    "EndpointSlice",
    "Ingress",
    "IngressClass",
    "NetworkPolicy",
    "AdminNetworkPolicy.policy.networking.k8s.io",
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io",
    "ClusterNetworkPolicy.policy.networking.k8s.io",
    "CiliumNetworkPolicy.cilium.io",
    "CiliumClusterwideNetworkPolicy.cilium.io",
    "Gateway.gateway.networking.k8s.io",
    "GatewayClass.gateway.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
    "GRPCRoute.gateway.networking.k8s.io",
    "TLSRoute.gateway.networking.k8s.io",
    "TCPRoute.gateway.networking.k8s.io",
    "UDPRoute.gateway.networking.k8s.io",
    "ReferenceGrant.gateway.networking.k8s.io",
    "ListenerSet.gateway.networking.k8s.io",
];

/// What the command line decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The engine, instead of the one that the estate names.
    pub engine: Option<Engine>,
    /// Addresses that are asked about: no end holds some of them and others too.
    pub addresses: Vec<Ranges>,
}

/// How the engine is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It was asked for.
    Asked,
    /// The cluster's own network profile.
    Cluster,
    /// Policies that only it reads.
    Policies,
    /// It is not known.
    Assumed,
}

/// Who can talk to whom in an estate.
#[derive(Debug)]
pub struct Reach {
    around: Arc<Around>,
    universe: Universe,
    policies: Vec<Policy>,
    selected: Selected,
    missing: facts::Missing,
    remarks: Vec<Box<str>>,
    exposures: exposure::Exposures,
    outward: facts::Outward,
}

impl Reach {
    /// Reads an estate.
    #[must_use]
    pub fn build(estate: &Estate, options: &Options) -> Self {
        let (around, policies) = Around::with_policies(estate, options);
        let mut reach = Self::read(Part::whole(estate), Arc::new(around), policies);
        let Around {
            filters, network, ..
        } = &*reach.around;
        reach.remarks = filters
            .remarks()
            .into_iter()
            .chain(network.remarks(estate))
            .chain(unread(estate, reach.engine()))
            .map(Into::into)
            .collect();
        reach
    }

    /// Reads what hangs on the objects of one namespace: its workloads, what they reach outside of the cluster and how
    /// they are exposed are those of the whole.
    #[must_use]
    pub fn of_namespace(
        estate: &Estate,
        around: Arc<Around>,
        routes: &Routes,
        namespace: &str,
    ) -> Self {
        let part = Part {
            estate,
            namespace: Some(namespace),
            routes: routes.to(namespace),
        };
        let policies = part.policies(&around);
        Self::read(part, around, policies)
    }

    fn read(part: Part<'_>, around: Arc<Around>, written: Vec<Written>) -> Self {
        let estate = part.estate;
        let engine = around.engine;
        let found = workloads::read(part);
        let mut namespaces: BTreeSet<Box<str>> = found
            .0
            .iter()
            .map(|workload| workload.namespace.clone())
            .collect();
        namespaces.extend(
            written
                .iter()
                .map(|policy| policy.namespace.clone())
                .filter(|name| !name.is_empty()),
        );
        if part.namespace.is_none() {
            let given = estate.of_kind("Namespace").iter();
            let given = given.filter_map(|id| estate.get(*id));
            namespaces.extend(given.map(|namespace| namespace.name.name.clone()));
        }
        let blocks = part.blocks(&written, &around);
        let universe = Universe::new(estate, found, namespaces, blocks, &around);
        let policies: Vec<Policy> = written
            .into_iter()
            .map(|policy| Policy::resolve(policy, &universe))
            // Most that belong to no namespace select nobody in this one.
            .filter(|policy| part.namespace.is_none() || !policy.subject.may.is_empty())
            .collect();
        let mut selected = Selected::new(&universe, &policies);
        let names = universe.namespaces.iter().map(|(name, _)| &**name);
        let missing = facts::Missing::of(estate, names, &around);
        if engine != Engine::None {
            let classes = universe.classes.iter().take(universe.pods).enumerate();
            selected.unread(
                classes
                    .filter(|(_, class)| missing.is_unread(&class.traits.namespace))
                    .map(|(number, _)| number),
            );
        }
        let outward = facts::Outward::new(&universe, &selected, &missing);
        let mut reach = Self {
            around,
            universe,
            policies,
            selected,
            missing,
            outward,
            remarks: Vec::new(),
            exposures: exposure::Exposures::default(),
        };
        reach.exposures = reach.find_exposures(part);
        reach
    }

    /// What enforces policies.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.universe.engine
    }

    /// How the engine is known.
    #[must_use]
    pub fn engine_source(&self) -> Source {
        self.around.source
    }

    /// The cluster whose network profile was read.
    #[must_use]
    pub fn cluster(&self) -> Option<ResourceRef> {
        self.around.network.cluster
    }

    /// The policies that are in effect, in the order in which they decide.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = ResourceRef> + '_ {
        self.policies.iter().map(|policy| policy.resource)
    }

    /// The policies that select a workload's pods for a direction, in the order in which they decide.
    #[must_use]
    pub fn selecting(&self, workload: &Workload, direction: Direction) -> Vec<ResourceRef> {
        let End::Pods(class) = self.end_of(workload) else {
            return Vec::new();
        };
        self.selected
            .of(direction, class)
            .iter()
            .filter_map(|(at, _)| Some(self.policies.get(*at as usize)?.resource))
            .collect()
    }

    /// What else is to be known of the answers.
    #[must_use]
    pub fn remarks(&self) -> &[Box<str>] {
        &self.remarks
    }

    /// All workloads, by namespace, name and kind.
    #[must_use]
    pub fn workloads(&self) -> &[Workload] {
        &self.universe.workloads
    }

    /// The workloads of a class that no policy tells apart.
    pub fn members(&self, class: usize) -> impl Iterator<Item = &Workload> {
        self.universe
            .classes
            .get(class)
            .into_iter()
            .flat_map(|class| &class.workloads)
            .filter_map(|at| self.universe.workloads.get(*at))
    }

    /// The end that a workload's pods are.
    #[must_use]
    pub fn end_of(&self, workload: &Workload) -> End {
        self.universe.end_of_class(workload.class)
    }

    /// All ends, in the order of the matrix's rows and columns.
    pub fn ends(&self) -> impl Iterator<Item = (usize, End)> + '_ {
        self.universe.ends()
    }

    /// The number of an end: its row and column.
    #[must_use]
    pub fn number(&self, end: End) -> usize {
        self.universe.number(end)
    }

    /// The addresses of an external end.
    #[must_use]
    pub fn addresses(&self, end: End) -> Option<&Ranges> {
        match end {
            End::External(at) => self.universe.externals.get(at),
            _ => None,
        }
    }

    /// All connections, computed as they are asked for.
    #[must_use]
    pub fn matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.universe, &self.policies, &self.selected)
    }

    /// What can pass from one end to another.
    #[must_use]
    pub fn conn(&self, from: End, to: End) -> Conn {
        let mut rows = self.rows();
        let mut side = |own, other, direction| match own {
            End::Pods(class) => {
                let at = self.universe.number(other);
                let applied = self.selected.of(direction, class);
                rows.row(class, applied, direction, at..at + 1)
                    .first()
                    .copied()
                    .unwrap_or(ConnId::ALL)
            }
            _ => ConnId::ALL,
        };
        let egress = side(from, to, Direction::Egress);
        let ingress = side(to, from, Direction::Ingress);
        let mut met = rows.memo.meet(egress, ingress);
        let always = matrix::on_one_node(&self.universe, from, to);
        if always != bits::Belongs::No {
            met = matrix::same_node(&mut rows.memo, met, always);
        }
        let conn = rows.memo.get(met);
        match self.universe.limit(from, to) {
            Some(limit) => conn.meet(limit),
            None => conn,
        }
    }
}

/// Whether an object of the estate makes a difference to what its workloads reach outside of the cluster and how they
/// are exposed; `beside` is the estate in which it is not there, or is another. A pod of something that is here does
/// not: what passes between addresses outside and pods hangs on labels, and it has those of its maker; of itself it has
/// an address, which is no end outside. What else something here made does only where pods name it that are in the
/// estate beside: they count to something else there.
fn matters(estate: &Estate, resource: &Resource, beside: &Estate) -> bool {
    let kind = &resource.name.kind;
    if !reads(kind) {
        return false;
    }
    if !workloads::is_made_here(estate, resource) {
        return true;
    }
    !kind.is("Pod") && workloads::is_maker(beside, resource)
}

/// Whether two states of a workload, or of a node, are one to the analysis.
#[must_use]
pub fn is_same(one: &Resource, other: &Resource) -> bool {
    let seen = |resource: &Resource| universe::seen_of_node(resource);
    one.name == other.name
        && if one.name.kind.is("Node") {
            seen(one) == seen(other)
        } else {
            one.is_workload()
                && other.is_workload()
                && workloads::seen(one) == workloads::seen(other)
        }
}

/// Whether the analysis reads objects of a kind.
#[must_use]
pub fn reads(kind: &Kind) -> bool {
    match kind {
        Kind::Kubernetes { group, kind } => match &**group {
            "" => matches!(&**kind, "Namespace" | "Node" | "Service") || carries_pods(group, kind),
            "networking.k8s.io" | "extensions" => {
                matches!(&**kind, "NetworkPolicy" | "Ingress") || carries_pods(group, kind)
            }
            "policy.networking.k8s.io" | "gateway.networking.k8s.io" => true,
            // The one of the API server.
            "discovery.k8s.io" => &**kind == "EndpointSlice",
            // Calico's own policies are counted, not judged.
            "cilium.io" | "crd.projectcalico.org" | "projectcalico.org" => {
                kind.ends_with("NetworkPolicy")
            }
            _ => carries_pods(group, kind),
        },
        Kind::Azure(kind) => {
            let kind = kind.to_ascii_lowercase();
            kind.starts_with("microsoft.containerservice/managedclusters")
                || kind.starts_with("microsoft.network/")
                || kind.starts_with("microsoft.servicenetworking/")
        }
    }
}

fn carries_pods(group: &str, kind: &str) -> bool {
    model::kinds::pod_route(group, kind).is_some()
}

/// What is to be said of policies that were given and not judged.
fn unread(estate: &Estate, engine: Engine) -> Vec<String> {
    let mut remarks: Vec<String> = estate
        .of_kind("NetworkPolicy")
        .iter()
        .filter_map(|id| estate.get(*id))
        .flat_map(policy::v1::refused)
        .collect();
    let calico = around::of_calico(estate);
    if calico > 0 && engine != Engine::None {
        remarks.push(format!(
            "{calico} of Calico's own policies are not judged; they may stop or let through what is said here."
        ));
    }
    let cilium = around::CILIUM_KINDS.map(|kind| estate.of_kind(kind).len());
    let cilium: usize = cilium.into_iter().sum();
    if cilium > 0 && !matches!(engine, Engine::Cilium | Engine::None) {
        remarks.push(format!(
            "{cilium} of Cilium's own policies have no effect with this engine."
        ));
    }
    remarks
}
