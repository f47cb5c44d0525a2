//! Both ends that a connection can have, numbered: classes of pods, a pod that was not given, pods on
//! the node's network, nodes, the API server, and ranges of addresses that no rule tells apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::completeness::Within;
use model::{Estate, Ref, Resource};

use super::address;
use super::around::Around;
use super::azure::Metadata;
use super::azure::filters::Filters;
use super::bits::{Belongs, Bits, TriBits};
use super::conn::Conn;
use super::engine::Engine;
use super::labels::{Index, Labels, NAMESPACE_NAME, Selector};
use super::policy::{Entity, Namespaces, Peer};
use super::ports::PortSet;
use super::ranges::Ranges;
use super::workloads::{Class, Workload};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The pods of a class, by its number.
    Pods(usize),
    /// A pod that was not given, in a namespace that was not given.
    Stranger,
    /// The pods of a class on their nodes' network, by its number.
    Host(usize),
    /// The node that the pod at the other end runs on.
    OwnNode,
    /// Another node.
    OtherNode,
    /// The Kubernetes API server.
    ApiServer,
    /// A range of addresses, by its number.
    External(usize),
}

/// Everything that can be an end, and how to find it.
#[derive(Debug)]
pub(crate) struct Universe {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) classes: Vec<Class>,
    /// Classes with addresses of their own; those on the node's network follow.
    pub(crate) pods: usize,
    /// Sets of addresses that no rule tells apart.
    pub(crate) externals: Vec<Ranges>,
    /// What else stands between nodes and each of them, and between pods and each.
    host_limits: Vec<Option<Conn>>,
    pod_limits: Vec<Option<Conn>>,
    pub(crate) engine: Engine,
    /// Addresses that nodes may have, and pods.
    pub(crate) node_addresses: Ranges,
    pub(crate) pod_addresses: Ranges,
    pub(crate) api_addresses: Ranges,
    pub(crate) namespaces: Vec<(Box<str>, Labels)>,
    namespace_index: Index,
    /// endpoints of pods by the number of their namespace; the stranger's is the last
    pods_of: Vec<Vec<u32>>,
    pod_index: Index,
    blocks: HashMap<Ranges, Vec<u32>>,
    nodes: Arc<Nodes>,
}

/// The labels of the nodes that were given.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    labels: Vec<Labels>,
    index: Index,
}

impl Nodes {
    pub(crate) fn read(estate: &Estate) -> Self {
        let nodes = estate.of_kind("Node").iter();
        let nodes = nodes.filter_map(|id| estate.get(*id));
        let labels: Vec<Labels> = nodes.map(labels_of).collect();
        Self {
            index: Index::new(labels.len(), labels.iter().enumerate()),
            labels,
        }
    }
}

impl PartialEq for Nodes {
    fn eq(&self, other: &Self) -> bool {
        self.labels == other.labels
    }
}

fn labels_of(node: &Resource) -> Labels {
    Labels::read(node.object().path(&["metadata", "labels"]))
}

/// All that is read of a node.
pub(crate) fn seen_of_node(node: &Resource) -> (Labels, Ranges) {
    (labels_of(node), addresses_of(std::iter::once(node)))
}

/// What is known of addresses from elsewhere.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// Of nodes.
    pub(crate) nodes: Ranges,
    /// Of pods.
    pub(crate) pods: Ranges,
    /// Of the API server.
    pub(crate) api: Ranges,
}

impl Universe {
    pub(crate) fn new(
        estate: &Estate,
        (workloads, classes): (Vec<Workload>, Vec<Class>),
        namespaces: BTreeSet<Box<str>>,
        blocks: Vec<Ranges>,
        around: &Around,
    ) -> Self {
        let known = &around.known;
        let pods = classes.iter().filter(|class| !class.traits.host).count();
        let (externals, blocks) = externals(blocks, around.six);
        let or = |given: &Ranges, other: Ranges| {
            if given.is_empty() {
                other
            } else {
                given.clone()
            }
        };
        let namespaces: Vec<(Box<str>, Labels)> = namespaces
            .into_iter()
            .map(|name| {
                let labels = namespace_labels(estate, &name);
                (name, labels)
            })
            .collect();
        let mut universe = Self {
            node_addresses: or(&known.nodes, address::private()),
            pod_addresses: or(&known.pods, address::private()),
            api_addresses: or(
                &known.api,
                address::v4().minus(&address::union_of(&["169.254.0.0/16", "168.63.129.16"])),
            ),
            namespace_index: Index::default(),
            pods_of: vec![Vec::new(); namespaces.len() + 1],
            pod_index: Index::default(),
            nodes: Arc::clone(&around.nodes),
            workloads,
            classes,
            pods,
            host_limits: Vec::new(),
            pod_limits: Vec::new(),
            externals,
            engine: around.engine,
            namespaces,
            blocks,
        };
        universe.index();
        universe.limit_by(&around.filters, around.network.metadata);
        universe
    }

    fn index(&mut self) {
        // The last namespace is one that was not given; nothing is known of its labels, nor of
        // those of the pod in it.
        let stranger = Labels {
            open: true,
            ..Labels::default()
        };
        let count = self.namespaces.len();
        self.namespace_index = Index::new(
            count + 1,
            self.namespaces
                .iter()
                .map(|(_, labels)| labels)
                .chain([&stranger])
                .enumerate(),
        );
        self.pod_index = Index::new(
            self.size(),
            self.classes
                .iter()
                .take(self.pods)
                .map(|class| &class.traits.labels)
                .chain([&stranger])
                .enumerate(),
        );
        for (at, class) in self.classes.iter().take(self.pods).enumerate() {
            let number = self
                .namespaces
                .binary_search_by(|(name, _)| name.cmp(&class.traits.namespace));
            if let Ok(number) = number
                && let Some(pods) = self.pods_of.get_mut(number)
            {
                pods.push(at as u32);
            }
        }
        if let Some(pods) = self.pods_of.last_mut() {
            pods.push(self.pods as u32);
        }
    }

    /// Takes what the network of the nodes lets out.
    fn limit_by(&mut self, filters: &Filters, metadata: Metadata) {
        self.host_limits = self
            .externals
            .iter()
            .map(|addresses| filters.outbound(addresses))
            .collect();
        self.pod_limits.clone_from(&self.host_limits);
        let own = address::single(address::METADATA.into());
        let at = self
            .externals
            .iter()
            .position(|addresses| *addresses == own);
        if let Some(limit) = at.and_then(|at| self.pod_limits.get_mut(at)) {
            *limit = match metadata {
                Metadata::Open => None,
                Metadata::Closed => Some(Conn::none()),
                Metadata::Perhaps => Some(Conn {
                    sure: PortSet::none(),
                    may: PortSet::all(),
                }),
            };
        }
    }

    /// What else than policies stands between an end within the cluster and another.
    pub(crate) fn limit(&self, from: End, to: End) -> Option<&Conn> {
        let End::External(at) = to else {
            return None;
        };
        self.limits(from).get(at)?.as_ref()
    }

    /// The same, for every range of addresses.
    pub(crate) fn limits(&self, from: End) -> &[Option<Conn>] {
        match from {
            End::Pods(_) => &self.pod_limits,
            End::Host(_) => &self.host_limits,
            _ => &[],
        }
    }

    /// How many ends there are.
    pub(crate) fn size(&self) -> usize {
        self.classes.len() + 4 + self.externals.len()
    }

    /// The end of a number.
    pub(crate) fn end(&self, number: usize) -> End {
        let classes = self.classes.len();
        match number {
            at if at < self.pods => End::Pods(at),
            at if at == self.pods => End::Stranger,
            at if at <= classes => End::Host(at - 1),
            at if at == classes + 1 => End::OwnNode,
            at if at == classes + 2 => End::OtherNode,
            at if at == classes + 3 => End::ApiServer,
            at => End::External(at - classes - 4),
        }
    }

    /// The number of an end.
    pub(crate) fn number(&self, end: End) -> usize {
        let classes = self.classes.len();
        match end {
            End::Pods(class) => class,
            End::Stranger => self.pods,
            End::Host(class) => class + 1,
            End::OwnNode => classes + 1,
            End::OtherNode => classes + 2,
            End::ApiServer => classes + 3,
            End::External(at) => classes + 4 + at,
        }
    }

    /// The end that the pods of a class are.
    pub(crate) const fn end_of_class(&self, class: usize) -> End {
        if class < self.pods {
            End::Pods(class)
        } else {
            End::Host(class)
        }
    }

    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, End)> + '_ {
        (0..self.size()).map(|number| (number, self.end(number)))
    }

    /// Everyone whom a list of peers names; `own` is the policy's namespace.
    pub(crate) fn resolve(&self, peers: &[Peer], own: &str) -> TriBits {
        let mut all = TriBits::none(self.size());
        for peer in peers {
            all.or(&self.peer(peer, own));
        }
        all
    }

    fn peer(&self, peer: &Peer, own: &str) -> TriBits {
        match peer {
            Peer::Everything => TriBits::range(self.size(), 0, self.size()),
            Peer::Pods(namespaces, selector) => self.pods_in(namespaces, selector, own),
            Peer::Block(block) => self.block(block, false),
            Peer::Network(block) => self.block(block, true),
            Peer::Names => {
                let mut may = Bits::range(self.size(), self.number(End::External(0)), self.size());
                may.set(self.number(End::ApiServer));
                TriBits {
                    sure: Bits::none(self.size()),
                    may,
                }
            }
            Peer::Nodes(selector) => self.nodes(selector),
            Peer::Entity(entity) => self.entity(*entity),
            Peer::Open => TriBits {
                sure: Bits::none(self.size()),
                may: Bits::range(self.size(), 0, self.size()),
            },
        }
    }

    fn pods_in(&self, namespaces: &Namespaces, selector: &Selector, own: &str) -> TriBits {
        let count = self.namespaces.len();
        let selected = match namespaces {
            Namespaces::All => TriBits::range(count + 1, 0, count + 1),
            Namespaces::Selected(selector) => self
                .namespace_index
                .select(selector, &TriBits::range(count + 1, 0, count + 1)),
            Namespaces::Own => {
                let mut own_only = TriBits::none(count + 1);
                if let Ok(at) = self
                    .namespaces
                    .binary_search_by(|(name, _)| (**name).cmp(own))
                {
                    own_only.set(at, Belongs::Yes);
                }
                // A pod that was not given may be in this very namespace.
                own_only.set(count, Belongs::Maybe);
                own_only
            }
        };
        let mut among = TriBits::none(self.size());
        for number in selected.may.iter() {
            let belongs = selected.has(number);
            for pod in self.pods_of.get(number).into_iter().flatten() {
                among.set(*pod as usize, belongs);
            }
        }
        self.pod_index.select(selector, &among)
    }

    /// Whoever has an address of a block.
    fn block(&self, block: &Ranges, pods: bool) -> TriBits {
        let mut found = TriBits::none(self.size());
        let first = self.number(End::External(0));
        for at in self.blocks.get(block).into_iter().flatten() {
            found.set(first + *at as usize, Belongs::Yes);
        }
        let within = |possible: &Ranges| {
            if block.covers(possible) {
                Belongs::Yes
            } else if block.meets(possible) {
                Belongs::Maybe
            } else {
                Belongs::No
            }
        };
        found.set(self.number(End::ApiServer), within(&self.api_addresses));
        if self.engine == Engine::Cilium {
            // "It is not possible to use CIDR rules to select pods or nodes" (Cilium
            // documentation, security/policy/language; Azure documentation, aks/azure-cni-powered-by-cilium).
            return found;
        }
        let unknown = match self.engine {
            // The API says that blocks should be outside the cluster, "since Pod IPs are ephemeral
            // and unpredictable" (`IPBlock`, k8s.io/api/networking/v1); what comes of one that
            // holds pods is the plugin's choice. Calico and Azure's go by the address.
            Engine::Upstream if !pods => within(&self.pod_addresses).min(Belongs::Maybe),
            _ => within(&self.pod_addresses),
        };
        for (at, class) in self.classes.iter().enumerate() {
            let own = &class.traits.addresses;
            let belongs = if at >= self.pods {
                within(if own.is_empty() {
                    &self.node_addresses
                } else {
                    own
                })
            } else if own.is_empty() {
                unknown
            } else {
                within(own)
            };
            found.set(self.number(self.end_of_class(at)), belongs);
        }
        found.set(self.number(End::Stranger), unknown);
        let node = within(&self.node_addresses);
        found.set(self.number(End::OwnNode), node);
        found.set(self.number(End::OtherNode), node);
        found
    }

    fn nodes(&self, selector: &Selector) -> TriBits {
        let Nodes { labels, index } = &*self.nodes;
        let all = TriBits::range(labels.len(), 0, labels.len());
        let selected = index.select(selector, &all);
        let belongs = if selector.0.is_empty() {
            Belongs::Yes
        } else if labels.is_empty() {
            Belongs::Maybe
        } else if selected.sure == all.sure {
            Belongs::Yes
        } else if selected.may.is_empty() {
            Belongs::No
        } else {
            Belongs::Maybe
        };
        let mut found = TriBits::none(self.size());
        for (number, end) in self.ends() {
            if matches!(end, End::Host(_) | End::OwnNode | End::OtherNode) {
                found.set(number, belongs);
            }
        }
        found
    }

    fn entity(&self, entity: Entity) -> TriBits {
        use Belongs::{Maybe, No, Yes};
        let mut found = TriBits::none(self.size());
        for (number, end) in self.ends() {
            let belongs = match (entity, end) {
                (Entity::Cluster, End::Pods(_) | End::Stranger | End::Host(_))
                | (Entity::Cluster | Entity::Host, End::OwnNode)
                | (Entity::Cluster | Entity::RemoteNode, End::OtherNode)
                | (Entity::ApiServer, End::ApiServer)
                | (Entity::World, End::External(_)) => Yes,
                // On AKS the API server runs outside the cluster, under an address of the world.
                (Entity::Cluster | Entity::World, End::ApiServer)
                | (Entity::Host | Entity::RemoteNode, End::Host(_)) => Maybe,
                _ => No,
            };
            found.set(number, belongs);
        }
        found
    }
}

/// The labels of a namespace: unknown where nobody gave the object and the estate may be a part.
pub(crate) fn namespace_labels(estate: &Estate, name: &str) -> Labels {
    let mut labels = match estate.find("", "Namespace", name) {
        Some(namespace) => Labels::read(namespace.object().path(&["metadata", "labels"])),
        None => Labels {
            open: estate.absent("Namespace", Within::Everywhere).is_some(),
            ..Labels::default()
        },
    };
    labels
        .known
        .insert(NAMESPACE_NAME.into(), Some(name.into()));
    labels
}

/// The addresses of the nodes that were given.
pub(crate) fn addresses_of_nodes(estate: &Estate) -> Ranges {
    let nodes = estate.of_kind("Node").iter();
    addresses_of(nodes.filter_map(|id| estate.get(*id)))
}

fn addresses_of<'n>(nodes: impl Iterator<Item = &'n Resource>) -> Ranges {
    nodes
        .filter_map(|node| node.object().path(&["status", "addresses"]))
        .flat_map(Ref::items)
        .filter_map(|item| item.get("address").and_then(Ref::as_str))
        .filter_map(|text| text.parse().ok())
        .map(address::single)
        .fold(Ranges::empty(), |all, one| all.union(&one))
}

/// The addresses behind the Service `default/kubernetes` of a running cluster: packets to the API server
/// carry them once the Service was resolved (`kubernetes` endpoints, k8s.io/kubernetes/pkg/controlplane).
pub(crate) fn addresses_of_api_server(estate: &Estate) -> Option<Ranges> {
    let label = ["metadata", "labels", "kubernetes.io/service-name"];
    let found = estate
        .in_namespace("default", "EndpointSlice")
        .iter()
        .filter_map(|id| Some(estate.get(*id)?.object()))
        .filter(|slice| slice.path(&label).and_then(Ref::as_str) == Some("kubernetes"))
        .filter_map(|slice| slice.get("endpoints"))
        .flat_map(Ref::items)
        .filter_map(|endpoint| endpoint.get("addresses"))
        .flat_map(Ref::items)
        .filter_map(|text| text.as_str()?.parse().ok())
        .map(address::single)
        .fold(Ranges::empty(), |all, one| all.union(&one));
    (!found.is_empty()).then_some(found)
}

/// Addresses that every block treats alike form one set; and which sets each block holds.
fn externals(blocks: Vec<Ranges>, six: bool) -> (Vec<Ranges>, HashMap<Ranges, Vec<u32>>) {
    let asked: BTreeSet<Ranges> = blocks.into_iter().collect();
    let all = if six {
        address::v4().union(&address::v6())
    } else {
        address::v4()
    };
    let always = [
        address::single(address::METADATA.into()),
        address::single(address::WIRE_SERVER.into()),
        address::public(),
    ];
    let mut known: Vec<(Ranges, Ranges)> = asked
        .iter()
        .map(|block| (block.clone(), block.intersection(&all)))
        .collect();
    known.extend(
        always
            .iter()
            .chain([&all])
            .map(|block| (Ranges::empty(), block.intersection(&all))),
    );
    // A sweep over the places where any block begins or ends.
    let mut borders: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
    for (at, (_, block)) in known.iter().enumerate() {
        for (first, last) in block.parts() {
            borders.entry(*first).or_default().push(at);
            if let Some(after) = last.checked_add(1) {
                borders.entry(after).or_default().push(at);
            }
        }
    }
    let mut active: BTreeSet<usize> = BTreeSet::new();
    let mut numbers: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut parts: Vec<Vec<(u128, u128)>> = Vec::new();
    let mut holds: Vec<Vec<u32>> = vec![Vec::new(); known.len()];
    let starts: Vec<u128> = borders.keys().copied().collect();
    for (step, changed) in borders.values().enumerate() {
        for at in changed {
            if !active.remove(at) {
                active.insert(*at);
            }
        }
        let (Some(first), false) = (starts.get(step).copied(), active.is_empty()) else {
            continue;
        };
        let last = starts.get(step + 1).map_or(u128::MAX, |next| next - 1);
        let key: Vec<usize> = active.iter().copied().collect();
        let number = *numbers.entry(key).or_insert_with(|| {
            parts.push(Vec::new());
            for at in &active {
                if let Some(holds) = holds.get_mut(*at) {
                    holds.push(parts.len() as u32 - 1);
                }
            }
            parts.len() - 1
        });
        if let Some(parts) = parts.get_mut(number) {
            parts.push((first, last));
        }
    }
    let index = known
        .into_iter()
        .zip(holds)
        .filter(|((asked, _), _)| !asked.is_empty())
        .map(|((asked, _), holds)| (asked, holds))
        .collect();
    (parts.into_iter().map(Ranges::from_parts).collect(), index)
}
