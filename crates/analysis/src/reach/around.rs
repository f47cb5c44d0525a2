//! What is read of an estate: once what stands around the pods of every namespace, then all of them, or those of one
//! namespace.
//!
//! What workloads reach outside of the cluster and how they are exposed hangs on their namespace's own objects and on
//! what stands around all ([`Around`]). So whoever watches an estate works it out again for the namespaces in which
//! something changed.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::kinds::Kind;
use model::{Estate, Resource, ResourceRef};

use super::azure::filters::Filters;
use super::azure::{self, Network};
use super::engine::Engine;
use super::exposure::gateways::GROUP;
use super::exposure::{routes, services};
use super::policy::{self, Peer, Written};
use super::ranges::Ranges;
use super::universe::{self, Known, Nodes};
use super::{Options, Source, address, workloads};

/// What stands around the pods of every namespace.
#[derive(Debug, PartialEq)]
pub struct Around {
    pub(crate) network: Network,
    pub(crate) filters: Filters,
    pub(crate) engine: Engine,
    pub(crate) source: Source,
    pub(crate) known: Known,
    pub(crate) nodes: Arc<Nodes>,
    /// Policies of no namespace.
    policies: Vec<Written>,
    /// There are policies of Calico's own, which are not judged.
    pub(crate) calico: bool,
    /// Somebody speaks of addresses of IPv6.
    pub(crate) six: bool,
    addresses: Vec<Ranges>,
}

/// Routes by the namespaces that they lead to.
#[derive(Debug, Default)]
pub struct Routes(HashMap<Box<str>, Vec<ResourceRef>>);

impl Routes {
    /// Reads an estate.
    #[must_use]
    pub fn read(estate: &Estate) -> Self {
        let mut found = Self::default();
        for id in routes::all(estate) {
            for namespace in estate.get(id).into_iter().flat_map(routes::leads_to) {
                found.0.entry(namespace.into()).or_default().push(id);
            }
        }
        found
    }

    pub(crate) fn to(&self, namespace: &str) -> &[ResourceRef] {
        self.0.get(namespace).map_or(&[], Vec::as_slice)
    }
}

impl Around {
    /// Reads an estate.
    #[must_use]
    pub fn read(estate: &Estate, options: &Options) -> Self {
        Self::with_policies(estate, options).0
    }

    /// The same, and all policies of the estate in the order in which they decide.
    pub(crate) fn with_policies(estate: &Estate, options: &Options) -> (Self, Vec<Written>) {
        let network = azure::read(estate);
        let (engine, source) = engine(estate, options, &network);
        let running = universe::addresses_of_nodes(estate);
        let known = Known {
            nodes: if running.is_empty() {
                network.nodes.clone()
            } else {
                running
            },
            pods: network.pods.clone(),
            api: universe::addresses_of_api_server(estate).unwrap_or_else(|| network.api.clone()),
        };
        let cluster_wide = OF_CLUSTERS.iter().flat_map(|kind| estate.of_kind(kind));
        let cluster_wide = cluster_wide.filter_map(|id| Some((*id, estate.get(*id)?)));
        let mut around = Self {
            filters: Filters::read(estate, &network),
            nodes: Arc::new(Nodes::read(estate)),
            policies: written(cluster_wide, engine),
            calico: of_calico(estate) > 0,
            addresses: options.addresses.clone(),
            network,
            engine,
            source,
            known,
            six: false,
        };
        let all = Part::whole(estate);
        let policies = all.policies(&around);
        around.six = is_of_six(&all.blocks(&policies, &around));
        (around, policies)
    }

    /// Blocks of addresses that no end may hold some of.
    fn blocks(&self) -> impl Iterator<Item = Ranges> + '_ {
        let gateways = Some(&self.network.gateways).filter(|gateways| !gateways.is_empty());
        let addresses = self.addresses.iter().chain(gateways).cloned();
        addresses.chain(self.filters.blocks())
    }
}

/// What changed of what is read.
#[derive(Debug, Default)]
pub struct Touched {
    /// Objects of these namespaces, or what leads to them.
    pub namespaces: BTreeSet<Box<str>>,
    /// Perhaps what stands around the pods of every namespace.
    pub around: bool,
    /// Which routes lead where.
    pub routes: bool,
    /// What may make a difference anywhere.
    pub everywhere: bool,
}

impl Touched {
    /// Takes note of an object of an estate that is not there, or is another, in the estate beside.
    pub fn note(&mut self, estate: &Estate, resource: &Resource, beside: &Estate) {
        if !super::matters(estate, resource, beside) {
            return;
        }
        let Kind::Kubernetes { group, kind } = &resource.name.kind else {
            self.around = true;
            return;
        };
        let own = workloads::namespace(resource);
        let gated = || {
            let gateways = format!("Gateway.{GROUP}");
            [estate, beside]
                .iter()
                .any(|one| !one.of_kind(&gateways).is_empty())
        };
        match (&**group, &**kind) {
            // Listeners choose namespaces by their labels.
            ("", "Namespace") if gated() => self.everywhere = true,
            ("", "Namespace") => {
                self.namespaces.insert(resource.name.name.clone());
            }
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => {
                let blocks = written(
                    Some((ResourceRef(0), resource)).into_iter(),
                    Engine::Upstream,
                );
                self.around |= is_of_six(&blocks_of(&blocks).collect::<Vec<_>>());
                self.namespaces.insert(own.into());
            }
            ("", "Service") => {
                self.around |= is_of_six(&[services::clients(resource)]);
                self.namespaces.insert(own.into());
            }
            ("discovery.k8s.io", _) => self.around |= own == workloads::DEFAULT,
            ("", "Node")
            | ("policy.networking.k8s.io" | "crd.projectcalico.org" | "projectcalico.org", _) => {
                self.around = true;
            }
            // Which engine there is may hang on it.
            ("cilium.io", _) => {
                self.around = true;
                self.namespaces.insert(own.into());
            }
            (GROUP, "ReferenceGrant") => {
                self.namespaces.insert(own.into());
            }
            (GROUP, kind) if routes::KINDS.contains(&kind) => {
                self.routes = true;
                let namespaces = routes::leads_to(resource).into_iter();
                self.namespaces.extend(namespaces.map(Box::from));
            }
            (GROUP, _) => self.everywhere = true,
            _ => {
                self.namespaces.insert(own.into());
            }
        }
    }

    /// Whether nothing did.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.namespaces.is_empty() && !self.around && !self.routes && !self.everywhere
    }
}

/// The objects of an estate that are read for its workloads, or for those of one namespace.
#[derive(Clone, Copy)]
pub(crate) struct Part<'e> {
    pub(crate) estate: &'e Estate,
    pub(crate) namespace: Option<&'e str>,
    /// What leads to the namespace.
    pub(crate) routes: &'e [ResourceRef],
}

impl<'e> Part<'e> {
    pub(crate) const fn whole(estate: &'e Estate) -> Self {
        Self {
            estate,
            namespace: None,
            routes: &[],
        }
    }

    /// Everything that has a namespace, in the order of the estate.
    pub(crate) fn resources(self) -> Vec<(ResourceRef, &'e Resource)> {
        let Some(namespace) = self.namespace else {
            return self.estate.resources().numbered().collect();
        };
        let mut all = self.estate.all_in(namespace);
        if namespace == workloads::DEFAULT {
            all.extend(self.estate.all_in(""));
            self.estate.sort(&mut all);
        }
        self.with_numbers(&all)
    }

    /// Those of a kind that has namespaces.
    pub(crate) fn of_kind(self, kind: &str) -> Vec<(ResourceRef, &'e Resource)> {
        let Some(namespace) = self.namespace else {
            return self.with_numbers(self.estate.of_kind(kind));
        };
        let mut all = Cow::from(self.estate.in_namespace(namespace, kind));
        if namespace == workloads::DEFAULT {
            all.to_mut().extend(self.estate.in_namespace("", kind));
            self.estate.sort(all.to_mut());
        }
        self.with_numbers(&all)
    }

    /// The routes that lead there.
    pub(crate) fn routes(self) -> Vec<(ResourceRef, &'e Resource)> {
        match self.namespace {
            None => self.with_numbers(&routes::all(self.estate).collect::<Vec<_>>()),
            Some(_) => self.with_numbers(self.routes),
        }
    }

    /// Every policy that may select a pod here and that the engine reads, in the order in which they decide; those of
    /// one kind and priority as they were read.
    pub(crate) fn policies(self, around: &Around) -> Vec<Written> {
        if around.engine == Engine::None {
            return Vec::new();
        }
        let own = OF_NAMESPACES.iter().flat_map(|kind| self.of_kind(kind));
        let mut all = around.policies.clone();
        all.extend(written(own, around.engine));
        all.sort_by_key(|policy| (policy.tier, policy.priority));
        all
    }

    /// Blocks of addresses that no end may hold some of.
    pub(crate) fn blocks(self, policies: &[Written], around: &Around) -> Vec<Ranges> {
        let services = self.of_kind("Service").into_iter();
        let clients = services.map(|(_, service)| services::clients(service));
        let clients = clients.filter(|clients| !clients.is_empty());
        let policies = blocks_of(policies);
        policies.chain(clients).chain(around.blocks()).collect()
    }

    fn with_numbers(self, ids: &[ResourceRef]) -> Vec<(ResourceRef, &'e Resource)> {
        let ids = ids.iter();
        ids.filter_map(|id| Some((*id, self.estate.get(*id)?)))
            .collect()
    }
}

/// The kinds of policies that belong to a namespace, and those that do not.
const OF_NAMESPACES: [&str; 2] = ["NetworkPolicy", CILIUM_KINDS[0]];
const OF_CLUSTERS: [&str; 4] = [
    ADMIN_KINDS[0],
    ADMIN_KINDS[1],
    ADMIN_KINDS[2],
    CILIUM_KINDS[1],
];

/// The kinds that decide before or after network policies, as guidelines name them.
pub(crate) const ADMIN_KINDS: [&str; 3] = [
    "AdminNetworkPolicy.policy.networking.k8s.io",
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io",
    "ClusterNetworkPolicy.policy.networking.k8s.io",
];

pub(crate) const CILIUM_KINDS: [&str; 2] = [
    "CiliumNetworkPolicy.cilium.io",
    "CiliumClusterwideNetworkPolicy.cilium.io",
];

/// The groups of Calico's own policies, as they are stored and as they are applied.
const CALICO_GROUPS: [&str; 2] = ["crd.projectcalico.org", "projectcalico.org"];
const CALICO_KINDS: [&str; 5] = [
    "NetworkPolicy",
    "GlobalNetworkPolicy",
    "StagedNetworkPolicy",
    "StagedGlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy",
];

/// How many policies of Calico's own there are, which are not judged.
pub(crate) fn of_calico(estate: &Estate) -> usize {
    let kinds = CALICO_GROUPS
        .iter()
        .flat_map(|group| CALICO_KINDS.map(|kind| format!("{kind}.{group}")));
    kinds.map(|kind| estate.of_kind(&kind).len()).sum()
}

/// The blocks that policies name.
fn blocks_of(policies: &[Written]) -> impl Iterator<Item = Ranges> + '_ {
    let rules = policies
        .iter()
        .flat_map(|policy| policy.ingress.iter().chain(&policy.egress).flatten());
    let peers = rules.flat_map(|rule| &rule.peers);
    peers.filter_map(|peer| match peer {
        Peer::Block(block) | Peer::Network(block) => Some(block.clone()),
        _ => None,
    })
}

fn is_of_six(blocks: &[Ranges]) -> bool {
    let six = address::v6();
    blocks.iter().any(|block| block.meets(&six))
}

/// Policies as they are written.
fn written<'e>(
    policies: impl Iterator<Item = (ResourceRef, &'e Resource)>,
    engine: Engine,
) -> Vec<Written> {
    let mut found = Vec::new();
    if engine == Engine::None {
        return found;
    }
    for (id, resource) in policies {
        let Kind::Kubernetes { group, kind } = &resource.name.kind else {
            continue;
        };
        let own = workloads::namespace(resource);
        match &**group {
            "policy.networking.k8s.io" => found.extend(policy::admin::read(resource, id, kind)),
            "cilium.io" if engine == Engine::Cilium => {
                found.extend(policy::cilium::read(resource, id, own));
            }
            "cilium.io" => {}
            _ => found.extend(policy::v1::read(resource, id, own)),
        }
    }
    found
}

/// What enforces policies: what was asked for, what the cluster says, what its policies give away.
fn engine(estate: &Estate, options: &Options, network: &Network) -> (Engine, Source) {
    if let Some(engine) = options.engine {
        return (engine, Source::Asked);
    }
    if let Some(engine) = network.engine {
        return (engine, Source::Cluster);
    }
    let cilium = CILIUM_KINDS
        .iter()
        .any(|kind| !estate.of_kind(kind).is_empty());
    if cilium {
        return (Engine::Cilium, Source::Policies);
    }
    (Engine::Upstream, Source::Assumed)
}
