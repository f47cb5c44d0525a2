//! What either estate can say about what only the other one holds.
//!
//! What is absent is gone only where it would have been seen. Two folders are compared as they were given: both
//! may be a part in the same way. But what a cluster refused to list, what was not asked for, and what a folder
//! beside a whole cluster leaves out is not known: neither better nor worse.

use std::collections::{BTreeMap, BTreeSet};

use model::completeness::Within;
use model::resource::ResourceName;
use model::{Estate, unknown};

use super::connections::Connections;
use super::resources::{Change, What};
use super::rights::Rights;

/// What rests on who is bound to what.
const CLUSTER_RIGHTS: [&str; 2] = ["ClusterRole", "ClusterRoleBinding"];
const NAMESPACE_RIGHTS: [&str; 2] = ["Role", "RoleBinding"];
const ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";
const POLICIES: [&str; 1] = ["NetworkPolicy"];
/// What leads to a workload, and the workloads.
const WAYS: [&str; 10] = [
    "Service",
    "Ingress",
    "Gateway.gateway.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
    "NetworkPolicy",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "CronJob",
    "Pod",
];

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// Before.
    Old,
    /// After.
    New,
}

/// What only one estate holds, of which the other cannot say that it lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The estate that cannot say.
    pub by: Of,
    /// The kind; `rights`, `connections`.
    pub what: String,
    /// How many.
    pub count: usize,
    /// Why it cannot say.
    pub why: String,
}

/// Two estates, and what hides something in them.
#[derive(Debug)]
pub struct Sight<'a> {
    old: &'a Estate,
    new: &'a Estate,
    /// ids of all that is there, before and after
    ids: [BTreeSet<String>; 2],
    /// files of the new state could not be read, which could before
    unread: bool,
    unseen: BTreeMap<(Of, String), (usize, String)>,
}

impl<'a> Sight<'a> {
    /// `unread`: files of the new state could not be read that could before, and may hold anything.
    #[must_use]
    pub fn new(old: &'a Estate, new: &'a Estate, unread: bool) -> Self {
        let ids = |estate: &Estate| {
            let resources = estate.resources().iter();
            resources.map(|resource| resource.name.id()).collect()
        };
        Self {
            old,
            new,
            ids: [ids(old), ids(new)],
            unread,
            unseen: BTreeMap::new(),
        }
    }

    /// Why an estate cannot say that something is absent which the other one holds.
    fn hides(&self, by: Of, absent: impl Fn(&Estate) -> Option<cel::Unknown>) -> Option<String> {
        let (here, there) = match by {
            Of::Old => (self.old, self.new),
            Of::New => (self.new, self.old),
        };
        if by == Of::New && self.unread {
            return Some("of its files not all could be read".to_owned());
        }
        let reason = absent(here)?;
        // Two states of files are compared as they were given.
        let files = here.completeness.is_empty() && there.completeness.is_empty();
        if reason == unknown::NOT_WHOLE && (files || absent(there) == Some(reason)) {
            return None;
        }
        // So are the same namespaces of a cluster.
        let same = |other| {
            there.completeness.is_elsewhere(other) && there.describe(other) == here.describe(reason)
        };
        if here.completeness.is_elsewhere(reason) && absent(there).is_some_and(same) {
            return None;
        }
        Some(if reason == unknown::NOT_WHOLE {
            "what was given of it may not be everything".to_owned()
        } else {
            here.describe(reason).to_owned()
        })
    }

    fn hides_any(&self, by: Of, kinds: &[&str], within: Within<'_>) -> Option<String> {
        self.hides(by, |estate| estate.absent_any(kinds, within))
    }

    fn hides_name(&self, by: Of, name: &ResourceName) -> Option<String> {
        let within = match name.namespace.as_deref() {
            Some(namespace) => Within::Namespace(namespace),
            None => Within::Everywhere,
        };
        self.hides(by, |estate| estate.absent_of(&name.kind, within))
    }

    /// Whether an estate cannot say what became of a resource that only the other one holds.
    #[must_use]
    pub fn is_hidden(&self, by: Of, name: &ResourceName) -> bool {
        let [olds, news] = &self.ids;
        let (here, there) = match by {
            Of::Old => (olds, news),
            Of::New => (news, olds),
        };
        let id = name.id();
        if here.contains(&id) {
            return false;
        }
        // The estate itself is judged as long as it holds anything.
        if !there.contains(&id) {
            return here.is_empty() && self.is_narrower(by);
        }
        self.hides_name(by, name).is_some()
    }

    /// Whether an estate sees less than the other one of anything.
    #[must_use]
    pub fn is_narrower(&self, by: Of) -> bool {
        let (here, there) = match by {
            Of::Old => (self.old, self.new),
            Of::New => (self.new, self.old),
        };
        !here.completeness.gaps().is_empty()
            || (by == Of::New && self.unread)
            || there
                .completeness
                .declared()
                .any(|(kind, _)| here.absent(kind, Within::Everywhere).is_some())
    }

    fn note(&mut self, by: Of, what: &str, why: String) {
        let line = self.unseen.entry((by, what.to_owned())).or_insert((0, why));
        line.0 += 1;
    }

    /// Keeps what is known to have come or gone.
    pub fn resources(&mut self, changes: &mut Vec<Change>) {
        changes.retain(|change| {
            let by = match change.what {
                What::Added => Of::Old,
                What::Removed => Of::New,
                What::Changed(..) => return true,
            };
            match self.hides_name(by, &change.name) {
                Some(why) => self.note(by, change.name.kind.name(), why),
                None => return true,
            }
            false
        });
    }

    /// Keeps the rights that the other estate would have shown.
    pub fn rights(&mut self, rights: &mut Rights) {
        for (by, list) in [(Of::Old, &mut rights.gained), (Of::New, &mut rights.lost)] {
            list.retain(|right| self.keeps_right(by, &right.within, right.verbs.is_empty()));
        }
        for (by, list) in [
            (Of::Old, &mut rights.escalations),
            (Of::New, &mut rights.no_escalations),
        ] {
            list.retain(|one| self.keeps_right(by, &one.within, false));
        }
    }

    fn keeps_right(&mut self, by: Of, within: &str, azure: bool) -> bool {
        let why = if azure {
            self.hides_any(by, &[ASSIGNMENTS], Within::Id(within))
        } else {
            let namespace = within.strip_prefix("namespace ");
            self.hides_any(by, &CLUSTER_RIGHTS, Within::Everywhere)
                .or_else(|| self.hides_any(by, &NAMESPACE_RIGHTS, Within::Namespace(namespace?)))
        };
        why.map(|why| self.note(by, "rights", why)).is_none()
    }

    /// Keeps the connections that rest on nothing hidden.
    pub fn connections(&mut self, all: &mut Connections) {
        for by in [Of::Old, Of::New] {
            if let Some(why) = self.hides_any(by, &POLICIES, Within::Everywhere) {
                let count = all.opened.len() + all.closed.len() + all.outside.len();
                for _ in 0..count {
                    self.note(by, "connections", why.clone());
                }
                all.opened.clear();
                all.closed.clear();
                all.outside.clear();
            }
        }
        for (by, list) in [(Of::Old, &mut all.exposed), (Of::New, &mut all.hidden)] {
            list.retain(|one| {
                let namespace = one
                    .to
                    .split_once('/')
                    .map_or("", |(namespace, _)| namespace);
                let why = self.hides_any(by, &WAYS, Within::Namespace(namespace));
                why.map(|why| self.note(by, "connections", why)).is_none()
            });
        }
    }

    /// What was left out.
    #[must_use]
    pub fn unseen(self) -> Vec<Unseen> {
        self.unseen
            .into_iter()
            .map(|((by, what), (count, why))| Unseen {
                by,
                what,
                count,
                why,
            })
            .collect()
    }
}
