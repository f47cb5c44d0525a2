//! All analyses of one estate, each made when it is first asked for.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use model::kinds::Kind;
use model::{Estate, Resource, ResourceRef};

use crate::ask::{Evidence, Subject};
use crate::notes::{Notes, Read};
use crate::rbac::{self, Rbac};
use crate::reach::{self, Reach};
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
    roles: OnceLock<Roles>,
    network: OnceLock<Arc<Network>>,
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

/// Who can talk to whom, and under which numbers.
#[derive(Debug)]
pub struct Network {
    reach: Reach,
    workloads: HashMap<ResourceRef, usize>,
}

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
            roles: OnceLock::new(),
            network: OnceLock::new(),
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

    /// The same with the network of an earlier estate, in which everything that [`reach::matters`] was the same and had
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

    /// Everything that makes the rights of a subject amount to more, in numbers that stand for all that can be seen
    /// of it.
    #[must_use]
    pub fn rights_in_numbers(&self) -> HashMap<u64, u64> {
        let (facts, held) = self.held_escalations();
        let estate = &self.rights().estate;
        let mut all = HashMap::new();
        for (subject, places) in held {
            let mut hasher = DefaultHasher::new();
            for (fact, at) in places {
                let Some((escalation, holder)) = facts
                    .get(*fact)
                    .and_then(|fact| Some((fact, fact.held.get(*at)?)))
                else {
                    continue;
                };
                (escalation.id, format!("{:?}", holder.reach)).hash(&mut hasher);
                if let Some(Evidence::Binding { binding, role, .. }) = holder.evidence.first() {
                    for resource in [binding, role].into_iter().filter_map(|id| estate.get(*id)) {
                        (&*resource.origin.path, resource.doc.text()).hash(&mut hasher);
                    }
                }
            }
            all.insert(Read::Rights(subject).number(), hasher.finish());
        }
        all
    }

    /// Who may do what in the cluster.
    pub fn rights(&self) -> &Rights {
        self.rights.get_or_init(|| {
            let mut estate = Estate::new(self.estate.scope);
            estate.completeness = self.estate.completeness.clone();
            let mut taken_from = Vec::new();
            for kind in RBAC_KINDS {
                for id in self.estate.of_kind(kind) {
                    if let Some(resource) = self.estate.get(*id) {
                        estate.add(resource.clone());
                        taken_from.push(*id);
                    }
                }
            }
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
    pub fn escalations_of(
        &self,
        subject: &Subject,
    ) -> impl Iterator<Item = (&rbac::Escalation, &rbac::Held)> {
        let (facts, held) = self.held_escalations();
        held.get(subject)
            .into_iter()
            .flatten()
            .filter_map(|(fact, at)| {
                let escalation = facts.get(*fact)?;
                Some((escalation, escalation.held.get(*at)?))
            })
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
        self.network().workloads.get(&resource).copied()
    }

    fn network(&self) -> &Network {
        self.network.get_or_init(|| {
            let reach = Reach::build(self.estate, &self.given.network);
            let workloads = reach
                .workloads()
                .iter()
                .enumerate()
                .map(|(number, workload)| (workload.resource, number))
                .collect();
            Arc::new(Network { reach, workloads })
        })
    }
}
