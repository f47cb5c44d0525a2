//! All analyses of one estate, each made when it is first asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::kinds::Kind;
use model::{Estate, Resource, ResourceRef};

use crate::ask::{Evidence, Subject};
use crate::holdings::{Holdings, RightsTouched};
use crate::networks::{self, Network, Networks};
use crate::notes::{Notes, Read};
use crate::rbac::{self, Rbac};
use crate::reach::{self, Reach, Touched};
use crate::roles::{Builtin, Roles};

/// What the analyses need besides the estate. What costs time to make is made when it is needed.
pub struct Given<'e> {
    /// The Kubernetes minor judged against.
    pub kubernetes_minor: u8,
    /// The roles and bindings that every cluster has.
    pub builtin_objects: Lazily<'e, Vec<Resource>>,
    /// Azure's built-in roles.
    pub builtin_roles: Lazily<'e, Arc<Builtin>>,
    /// What the command line decides about the network.
    pub network: reach::Options,
}

/// Makes something.
pub type Lazily<'e, T> = Box<dyn Fn() -> T + Send + Sync + 'e>;

/// An estate and what follows from it. What is computed owns what it keeps.
pub struct Analyses<'e> {
    /// The estate.
    pub estate: &'e Estate,
    given: Given<'e>,
    rights: OnceLock<Arc<Rights>>,
    holdings: Option<Arc<Holdings>>,
    roles: OnceLock<Roles>,
    network: OnceLock<Arc<Network>>,
    /// Where it is worked out namespace by namespace.
    networks: Option<Mutex<Networks>>,
    notes: Option<Notes>,
}

/// Kubernetes RBAC, with the estate that its evidence refers to.
#[derive(Debug)]
pub struct Rights {
    /// The roles and bindings of the estate, and the built-in ones where it holds none.
    pub estate: Estate,
    /// The number that each resource of `estate` has in the estate it was taken from; the built-in ones, which
    /// come last, have none.
    pub taken_from: Vec<ResourceRef>,
    /// What they come to.
    pub rbac: Rbac,
    escalations: OnceLock<(rbac::Escalations, Held)>,
}

/// Of each subject, the facts that are true of it: numbers of the fact and of its holder.
type Held = BTreeMap<Subject, Vec<(usize, usize)>>;

/// The kinds that RBAC reads.
const RBAC_KINDS: [&str; 5] = [
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ServiceAccount",
];

impl std::fmt::Debug for Analyses<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyses").finish_non_exhaustive()
    }
}

impl<'e> Analyses<'e> {
    /// Nothing is computed yet.
    #[must_use]
    pub fn new(estate: &'e Estate, given: Given<'e>) -> Self {
        Self {
            estate,
            given,
            rights: OnceLock::new(),
            holdings: None,
            roles: OnceLock::new(),
            network: OnceLock::new(),
            networks: None,
            notes: None,
        }
    }

    /// The same, which notes what it is asked for ([`crate::notes`]).
    #[must_use]
    pub fn noting(mut self) -> Self {
        self.notes = Some(Notes::default());
        self
    }

    /// The same with the rights of an earlier estate that held the very same documents of roles, bindings and
    /// accounts. Their numbers ([`Rights::taken_from`]) are those of that estate.
    #[must_use]
    pub fn with_rights(self, rights: Option<Arc<Rights>>) -> Self {
        if let Some(rights) = rights {
            let _ = self.rights.set(rights);
        }
        self
    }

    /// The same with what subjects hold, where an estate like this one was followed.
    #[must_use]
    pub fn with_holdings(mut self, holdings: Option<Arc<Holdings>>) -> Self {
        self.holdings = holdings;
        self
    }

    /// The same, with what holds of what subjects held before this changed. And those of whom something else may be
    /// said; none: all.
    #[must_use]
    pub fn follow_rights(
        self,
        last: Option<Arc<Holdings>>,
        mut touched: RightsTouched,
    ) -> (Self, Option<BTreeSet<Subject>>) {
        // Without the roles that every cluster has these are added, to all at once.
        let builtin = self.estate.find("", "ClusterRole", "cluster-admin");
        if builtin.is_none() {
            let again = touched.is_nothing().then(BTreeSet::new);
            return (self.with_holdings(None), again);
        }
        touched.everywhere |= last.is_none();
        let mut holdings = last.filter(|_| !touched.everywhere).unwrap_or_default();
        let mut again = Some(BTreeSet::new());
        if !touched.is_nothing() {
            let minor = self.given.kubernetes_minor;
            again = Arc::make_mut(&mut holdings).follow(self.estate, minor, &touched);
        }
        (self.with_holdings(Some(holdings)), again)
    }

    /// What subjects hold, where it was followed.
    #[must_use]
    pub fn known_holdings(&self) -> Option<Arc<Holdings>> {
        self.holdings.clone()
    }

    /// The same with the network of an earlier estate, in which everything that [`reach::reads`] was the same and had
    /// the same number.
    #[must_use]
    pub fn with_network(self, network: Option<Arc<Network>>) -> Self {
        if let Some(network) = network {
            let _ = self.network.set(network);
        }
        self
    }

    /// The network, where anybody asked for it.
    #[must_use]
    pub fn known_network(&self) -> Option<Arc<Network>> {
        self.network.get().map(Arc::clone)
    }

    /// The same, which works out what workloads reach and how they are exposed namespace by namespace, with what holds
    /// of an earlier estate's, in which this changed. And the namespaces of which something else may be said; none: all.
    #[must_use]
    pub fn namespace_by_namespace(
        mut self,
        mut networks: Networks,
        touched: Touched,
    ) -> (Self, Option<BTreeSet<Box<str>>>) {
        let again = networks.follow(self.estate, &self.given.network, touched);
        self.networks = Some(Mutex::new(networks));
        (self, again)
    }

    /// What is known of them.
    #[must_use]
    pub fn take_networks(self) -> Networks {
        let networks = self.networks.map(Mutex::into_inner);
        let networks = networks.map(|all| all.unwrap_or_else(PoisonError::into_inner));
        networks.unwrap_or_default()
    }

    /// The namespaces that workloads can be in.
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<Box<str>> {
        networks::namespaces(self.estate)
    }

    /// A network in which the workloads of a namespace reach what they reach outside of the cluster, and are exposed
    /// as they are.
    #[must_use]
    pub fn network_of(&self, namespace: &str) -> Arc<Network> {
        match &self.networks {
            Some(networks) => {
                let mut networks = networks.lock().unwrap_or_else(PoisonError::into_inner);
                networks.of(self.estate, &self.given.network, namespace)
            }
            None => Arc::clone(self.network()),
        }
    }

    /// The rights, where anybody asked for them.
    #[must_use]
    pub fn known_rights(&self) -> Option<Arc<Rights>> {
        self.rights.get().map(Arc::clone)
    }

    /// Notes that something is read.
    pub fn note(&self, read: &Read<'_>) {
        if let Some(notes) = &self.notes {
            notes.note(read);
        }
    }

    /// What was noted since this was last asked.
    #[must_use]
    pub fn noted(&self) -> Box<[u64]> {
        self.notes.as_ref().map(Notes::take).unwrap_or_default()
    }

    /// The Kubernetes minor judged against.
    #[must_use]
    pub const fn kubernetes_minor(&self) -> u8 {
        self.given.kubernetes_minor
    }

    /// Whether a kind gives rights in a cluster, or holds them.
    #[must_use]
    pub fn is_about_rights(kind: &Kind) -> bool {
        RBAC_KINDS.iter().any(|name| kind.is(name))
    }

    /// Everything that makes the rights of some subjects amount to more (of all, where none are said), in numbers that
    /// stand for all that can be seen of it. There are none for those who hold nothing.
    #[must_use]
    pub fn rights_in_numbers(&self, of: Option<&BTreeSet<Subject>>) -> HashMap<u64, u64> {
        let all: Vec<&Subject> = match (of, &self.holdings) {
            (Some(some), _) => some.iter().collect(),
            (None, Some(holdings)) => holdings.subjects().collect(),
            (None, None) => self.held_escalations().1.keys().collect(),
        };
        let mut numbers = HashMap::new();
        for subject in all {
            let held = self.escalations_of(subject);
            if held.is_empty() {
                continue;
            }
            let mut hasher = DefaultHasher::new();
            for (escalation, holder) in held {
                (escalation.id, format!("{:?}", holder.reach)).hash(&mut hasher);
                if let Some(Evidence::Binding { binding, role, .. }) = holder.evidence.first() {
                    for resource in [binding, role] {
                        let resource = self.evidence().get(*resource);
                        resource
                            .map(|resource| (&*resource.origin.path, resource.doc.text()))
                            .hash(&mut hasher);
                    }
                }
            }
            numbers.insert(Read::Rights(subject).number(), hasher.finish());
        }
        numbers
    }

    /// The estate in which evidence of [`Analyses::escalations_of`] has its numbers.
    #[must_use]
    pub fn evidence(&self) -> &Estate {
        match self.holdings {
            Some(_) => self.estate,
            None => &self.rights().estate,
        }
    }

    /// The roles and bindings that decide what is held in a namespace: its own and those of the cluster. Nothing where
    /// the estate holds none of the roles that every cluster has.
    #[must_use]
    pub fn rights_within(&self, namespace: &str) -> Option<Estate> {
        self.estate.find("", "ClusterRole", "cluster-admin")?;
        let cluster = ["ClusterRole", "ClusterRoleBinding"].map(|kind| self.estate.of_kind(kind));
        let own = ["Role", "RoleBinding"].map(|kind| self.estate.in_namespace(namespace, kind));
        let ids = cluster.into_iter().chain(own).flatten();
        let resources = ids.filter_map(|id| self.estate.get(*id));
        Some(self.estate.part(resources))
    }

    /// Who may do what in the cluster.
    pub fn rights(&self) -> &Rights {
        self.rights.get_or_init(|| {
            let ids = RBAC_KINDS.iter().flat_map(|kind| self.estate.of_kind(kind));
            let taken_from: Vec<ResourceRef> = ids.copied().collect();
            let resources = taken_from.iter().filter_map(|id| self.estate.get(*id));
            let mut estate = self.estate.part(resources);
            // A cluster that was read live shows its own.
            if estate.find("", "ClusterRole", "cluster-admin").is_none() {
                rbac::add_bootstrap(&mut estate, (self.given.builtin_objects)());
            }
            let rbac = Rbac::new(&estate);
            Arc::new(Rights {
                estate,
                taken_from,
                rbac,
                escalations: OnceLock::new(),
            })
        })
    }

    /// What a subject of the cluster holds that amounts to more than it says.
    #[must_use]
    pub fn escalations_of(&self, subject: &Subject) -> Vec<(&rbac::Escalation, &rbac::Held)> {
        if let Some(holdings) = &self.holdings {
            return holdings.of(subject);
        }
        let (facts, held) = self.held_escalations();
        let held = held.get(subject).into_iter().flatten();
        held.filter_map(|(fact, at)| {
            let escalation = facts.get(*fact)?;
            Some((escalation, escalation.held.get(*at)?))
        })
        .collect()
    }

    /// All facts about rights that amount to more, and who they are true of.
    pub fn escalations(&self) -> &rbac::Escalations {
        &self.held_escalations().0
    }

    fn held_escalations(&self) -> &(rbac::Escalations, Held) {
        let rights = self.rights();
        rights.escalations.get_or_init(|| {
            let facts = rights.rbac.escalations(self.given.kubernetes_minor);
            let mut held = Held::new();
            for (fact, escalation) in facts.iter().enumerate() {
                for (at, holder) in escalation.held.iter().enumerate() {
                    held.entry(holder.subject.clone())
                        .or_default()
                        .push((fact, at));
                }
            }
            (facts, held)
        })
    }

    /// Who may do what by Azure's roles.
    pub fn roles(&self) -> &Roles {
        self.roles
            .get_or_init(|| Roles::build(self.estate, (self.given.builtin_roles)()))
    }

    /// Who can talk to whom.
    pub fn reach(&self) -> &Reach {
        &self.network().reach
    }

    /// The number of a workload among those that [`Reach::workloads`] lists; what another listed object made
    /// has none.
    #[must_use]
    pub fn workload(&self, resource: ResourceRef) -> Option<usize> {
        // Most are pods of something, which is seen without the whole network.
        let made = |own: &Resource| reach::is_made_here(self.estate, own);
        if self.network.get().is_none() && self.estate.get(resource).is_some_and(made) {
            return None;
        }
        self.network().workload(resource)
    }

    /// The same in [`Analyses::network_of`] its namespace, with that.
    #[must_use]
    pub fn workload_apart(&self, resource: &Resource) -> Option<(Arc<Network>, usize)> {
        let id = self.estate.number_of(resource)?;
        if reach::is_made_here(self.estate, resource) {
            return None;
        }
        let network = self.network_of(reach::namespace_of(resource));
        let number = network.workload(id)?;
        Some((network, number))
    }

    fn network(&self) -> &Arc<Network> {
        self.network
            .get_or_init(|| Arc::new(Network::of(Reach::build(self.estate, &self.given.network))))
    }
}
