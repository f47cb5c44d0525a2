//! What people ask first of a workload: does it reach the internet, the metadata of its node, the API
//! server, kubelets. Cheap: nothing but the columns in question is computed.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use cel::Unknown;
use model::Estate;

use super::address;
use super::around::{ADMIN_KINDS, Around};
use super::bits::Belongs;
use super::conn::{Conn, ConnId, Memo};
use super::engine::Engine;
use super::matrix::{self, Rows, Selected};
use super::policy::{Direction, Tier};
use super::ports::{PortSet, Protocol};
use super::ranges::Ranges;
use super::universe::{End, Universe};
use super::{Reach, Workload};

/// The port of the kubelet's API (`KubeletPort`, k8s.io/kubernetes/pkg/cluster/ports).
pub const KUBELET: u16 = 10250;
/// The port of the metadata service, and those of the wire server, all TCP; its port 53 answers names
/// (Azure documentation, virtual-desktop/azurecommunicationips and
/// virtual-network/what-is-ip-address-168-63-129-16).
const METADATA: [u16; 1] = [80];
const WIRE_SERVER: [u16; 2] = [80, 32526];

/// The ports of the metadata service.
#[must_use]
pub fn metadata_ports() -> PortSet {
    tcp(&METADATA)
}

/// The ports of the wire server.
#[must_use]
pub fn wire_server_ports() -> PortSet {
    tcp(&WIRE_SERVER)
}

fn tcp(ports: &[u16]) -> PortSet {
    ports.iter().fold(PortSet::none(), |all, port| {
        all.union(&PortSet::port(Protocol::Tcp, *port))
    })
}

/// Whether something can be reached, and what the answer hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The ports that are open, by what was given.
    pub conn: Conn,
    /// Addresses of the target that are reached; empty where it is no range of addresses.
    pub addresses: Ranges,
    /// Why what was not given may change the answer, as a clause.
    pub hangs_on: Option<Box<str>>,
}

/// An answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing passes, whatever else there is.
    No,
    /// It hangs on something that was not given.
    Unknown,
    /// Something passes, whatever else there is.
    Yes,
}

impl Answer {
    /// The answer in one word; unknown where anything that was not given could change it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.hangs_on.is_some() {
            Verdict::Unknown
        } else if !self.conn.sure.is_empty() {
            Verdict::Yes
        } else if self.conn.may.is_empty() {
            Verdict::No
        } else {
            Verdict::Unknown
        }
    }
}

/// What a workload's pods reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Public addresses.
    pub internet: Answer,
    /// The instance metadata service, TCP 80 of 169.254.169.254.
    pub metadata: Answer,
    /// Azure's wire server, TCP 80 and 32526 of 168.63.129.16.
    pub wire_server: Answer,
    /// The Kubernetes API server.
    pub api_server: Answer,
    /// The kubelet's API of nodes but the own one, to which traffic always passes.
    pub kubelet: Answer,
}

/// Why the absence of policies proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// by namespace: of network policies
    namespaced: Vec<(Box<str>, Box<str>)>,
    /// of policies of administrators
    admin: Option<Box<str>>,
    /// namespaces of which a source that was asked could not read the policies
    unread: Vec<Box<str>>,
    /// the same of policies of administrators
    unread_admin: bool,
}

impl Missing {
    pub(crate) fn of<'n>(
        estate: &Estate,
        namespaces: impl Iterator<Item = &'n str>,
        around: &Around,
    ) -> Self {
        use model::completeness::Within;
        let say = |kinds: &str, why: Unknown| -> Box<str> {
            if why == model::unknown::NOT_WHOLE {
                format!("{kinds} that were not given may exist").into()
            } else {
                estate.describe(why).into()
            }
        };
        let mut own = vec!["NetworkPolicy"];
        let mut admin = ADMIN_KINDS.to_vec();
        if around.engine == Engine::Cilium {
            own.push("CiliumNetworkPolicy.cilium.io");
            admin.push("CiliumClusterwideNetworkPolicy.cilium.io");
        }
        let mut unread = Vec::new();
        let unread_admin = estate
            .absent_any(&admin, Within::Everywhere)
            .is_some_and(|why| estate.completeness.is_gap(why));
        Self {
            namespaced: namespaces
                .filter_map(|name| {
                    let why = estate.absent_any(&own, Within::Namespace(name))?;
                    if estate.completeness.is_gap(why) {
                        unread.push(name.into());
                    }
                    Some((name.into(), say("network policies", why)))
                })
                .collect(),
            unread,
            unread_admin,
            admin: around
                .calico
                .then(|| "Calico's own policies are not judged".into())
                .or_else(|| {
                    let why = estate.absent_any(&admin, Within::Everywhere)?;
                    Some(say("cluster-wide network policies", why))
                }),
        }
    }

    /// Whether policies that could not be read may select pods of a namespace.
    pub(crate) fn is_unread(&self, namespace: &str) -> bool {
        let found = self.unread.binary_search_by(|name| (**name).cmp(namespace));
        self.unread_admin || found.is_ok()
    }

    fn in_namespace(&self, namespace: &str) -> Option<&str> {
        let at = self
            .namespaced
            .binary_search_by(|(name, _)| (**name).cmp(namespace))
            .ok()?;
        Some(&self.namespaced.get(at)?.1)
    }

    /// Each reason once.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = self
            .namespaced
            .iter()
            .map(|(_, why)| &**why)
            .chain(self.admin.as_deref())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }
}

/// What workloads reach, worked out when it is asked for, once for all that reach the same: those that the same policies
/// of egress select in namespaces of which as much is known, and those on their node's network.
#[derive(Debug)]
pub(crate) struct Outward {
    /// by class: the number of its answer
    of: Vec<usize>,
    answers: Vec<OnceLock<Facts>>,
    /// of a workload that is none of these
    other: OnceLock<Facts>,
}

impl Outward {
    pub(crate) fn new(universe: &Universe, selected: &Selected, missing: &Missing) -> Self {
        let mut known = HashMap::new();
        let classes = universe.classes.iter().enumerate();
        let of: Vec<usize> = classes
            .map(|(number, class)| {
                let own = !class.traits.host;
                let alike = own.then(|| {
                    let applied = selected.of(Direction::Egress, number);
                    (applied, missing.in_namespace(&class.traits.namespace))
                });
                let next = known.len();
                *known.entry(alike).or_insert(next)
            })
            .collect();
        let answers = known.values().map(|_| OnceLock::new()).collect();
        Self {
            of,
            answers,
            other: OnceLock::new(),
        }
    }
}

impl Reach {
    /// What a workload's pods reach.
    #[must_use]
    pub fn facts(&self, workload: &Workload) -> &Facts {
        let Outward { of, answers, other } = &self.outward;
        let answer = of.get(workload.class).and_then(|at| answers.get(*at));
        answer
            .unwrap_or(other)
            .get_or_init(|| self.find_facts(self.end_of(workload)))
    }

    fn find_facts(&self, end: End) -> Facts {
        let first = self.universe.number(End::OwnNode);
        let (row, memo) = self.outside(end);
        let public = address::public();
        let of = |wanted: &dyn Fn(End) -> bool, ports: &PortSet| {
            let mut conn = Conn::none();
            let mut known: BTreeMap<ConnId, bool> = BTreeMap::new();
            let mut addresses: Vec<(u128, u128)> = Vec::new();
            for (at, id) in row.iter().enumerate() {
                let target = self.universe.end(first + at);
                if *id == ConnId::NONE || !wanted(target) {
                    continue;
                }
                let passes = *known.entry(*id).or_insert_with(|| {
                    let one = memo.get(*id).within(ports);
                    conn = conn.join(&one);
                    !one.is_none()
                });
                if passes && let Some(reached) = self.addresses(target) {
                    addresses.extend(reached.parts());
                }
            }
            // What the network of the nodes stops, no policy opens.
            let possible = (first..self.universe.size())
                .map(|number| self.universe.end(number))
                .filter(|target| wanted(*target))
                .any(|target| match self.universe.limit(end, target) {
                    Some(limit) => !limit.within(ports).is_none(),
                    None => true,
                });
            Answer {
                hangs_on: self
                    .hangs_on(end, Direction::Egress, !conn.sure.is_empty())
                    .filter(|_| possible),
                addresses: Ranges::from_parts(addresses),
                conn,
            }
        };
        let within = |set: Ranges| {
            move |target: End| {
                self.addresses(target)
                    .is_some_and(|addresses| set.covers(addresses))
            }
        };
        let all = PortSet::all();
        Facts {
            internet: of(&within(public), &all),
            metadata: of(
                &within(address::single(address::METADATA.into())),
                &metadata_ports(),
            ),
            wire_server: of(
                &within(address::single(address::WIRE_SERVER.into())),
                &wire_server_ports(),
            ),
            api_server: of(&|target| target == End::ApiServer, &all),
            kubelet: of(&|target| target == End::OtherNode, &tcp(&[KUBELET])),
        }
    }

    /// What passes from pods to nodes, the API server and every range of addresses, in that order.
    fn outside(&self, end: End) -> (Vec<ConnId>, Memo) {
        let ends = self.universe.number(End::OwnNode)..self.universe.size();
        let mut rows = self.rows();
        let mut row = match end {
            End::Pods(class) => {
                let applied = self.selected.of(Direction::Egress, class);
                rows.row(class, applied, Direction::Egress, ends.clone())
            }
            _ => vec![ConnId::ALL; ends.len()],
        };
        for (id, number) in row.iter_mut().zip(ends) {
            let target = self.universe.end(number);
            if let Some(limit) = self.universe.limit(end, target) {
                let limit = rows.memo.conn(limit.clone());
                *id = rows.memo.meet(*id, limit);
            }
            let always = matrix::on_one_node(&self.universe, end, target);
            if always != Belongs::No {
                *id = matrix::same_node(&mut rows.memo, *id, always);
            }
        }
        (row, rows.memo)
    }

    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows {
            universe: &self.universe,
            policies: &self.policies,
            memo: Memo::default(),
        }
    }

    /// Whether the policies that were given close a direction of a workload's pods.
    #[must_use]
    pub fn isolated(&self, workload: &Workload, direction: Direction) -> bool {
        self.end_isolated(self.end_of(workload), direction)
    }

    fn end_isolated(&self, end: End, direction: Direction) -> bool {
        let End::Pods(class) = end else {
            return false;
        };
        self.selected
            .of(direction, class)
            .iter()
            .filter_map(|(at, belongs)| Some((self.policies.get(*at as usize)?, belongs)))
            .any(|(policy, belongs)| {
                *belongs == Belongs::Yes
                    && policy.tier == Tier::Namespace
                    && policy.isolates(direction)
            })
    }

    /// Why policies that were not given may change what passes in a direction.
    pub(crate) fn hangs_on(
        &self,
        end: End,
        direction: Direction,
        allowed: bool,
    ) -> Option<Box<str>> {
        let End::Pods(class) = end else {
            return None;
        };
        if self.universe.engine == Engine::None {
            return None;
        }
        let namespace = &self.universe.classes.get(class)?.traits.namespace;
        // Network policies add to each other: what one lets through, another cannot stop.
        let settled = allowed && self.end_isolated(end, direction);
        let own = self.missing.in_namespace(namespace).filter(|_| !settled);
        own.or(self.missing.admin.as_deref()).map(Into::into)
    }

    /// What the answers leave out of account: policies that may exist and were not given, each reason
    /// once.
    #[must_use]
    pub fn assumptions(&self) -> Vec<&str> {
        if self.universe.engine == Engine::None {
            return Vec::new();
        }
        self.missing.reasons()
    }
}
