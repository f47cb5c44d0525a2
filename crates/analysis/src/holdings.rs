//! What subjects hold that amounts to more than it says, kept as long as it holds.
//!
//! What somebody holds in a namespace hangs on its roles and bindings and on those of the cluster. So whoever watches a
//! cluster works it out again for the namespaces in which something changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::kinds::Kind;
use model::{Estate, Resource};

use crate::ask::{Reach, Subject};
use crate::rbac::{Escalation, Escalations, Held, Rbac};

/// What somebody holds, by where: the number of the fact, and how.
type Places = BTreeMap<Reach, Vec<(usize, Held)>>;

/// Who holds what. Evidence has the numbers of the estate that it was read from.
#[derive(Debug, Default, Clone)]
pub struct Holdings {
    /// All facts, without those of whom they are true.
    facts: Arc<Escalations>,
    of: HashMap<Subject, Arc<Places>>,
    within: HashMap<Box<str>, Arc<BTreeSet<Subject>>>,
}

/// What changed of what gives rights.
#[derive(Debug, Default)]
pub struct RightsTouched {
    /// Roles and bindings of these namespaces.
    pub namespaces: BTreeSet<Box<str>>,
    /// Those of the cluster.
    pub everywhere: bool,
}

impl RightsTouched {
    /// Takes note of an object that is not there any more, or is another.
    pub fn note(&mut self, resource: &Resource) {
        let Kind::Kubernetes { group, kind } = &resource.name.kind else {
            return;
        };
        if &**group != "rbac.authorization.k8s.io" {
            return;
        }
        match &resource.name.namespace {
            Some(namespace) if matches!(&**kind, "Role" | "RoleBinding") => {
                self.namespaces.insert(namespace.clone());
            }
            _ => self.everywhere = true,
        }
    }

    /// Whether nothing did.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.namespaces.is_empty() && !self.everywhere
    }
}

impl Holdings {
    /// Reads an estate that holds the roles which every cluster has.
    #[must_use]
    pub fn read(estate: &Estate, minor: u8) -> Self {
        let mut holdings = Self::default();
        holdings.follow(estate, minor, &RightsTouched::everywhere());
        holdings
    }

    /// Follows the estate after a change. Those of whom something else may be said; none: of all.
    pub(crate) fn follow(
        &mut self,
        estate: &Estate,
        minor: u8,
        touched: &RightsTouched,
    ) -> Option<BTreeSet<Subject>> {
        if touched.everywhere {
            self.of.clear();
            self.within.clear();
            let mut facts = Rbac::new(estate).escalations(minor);
            self.add(&mut facts, |_| true);
            self.facts = Arc::new(facts);
            return None;
        }
        let mut changed = BTreeSet::new();
        if touched.namespaces.is_empty() {
            return Some(changed);
        }
        for namespace in &touched.namespaces {
            let Some(before) = self.within.remove(namespace) else {
                continue;
            };
            let reach = Reach::Namespace(namespace.clone());
            for subject in before.iter() {
                if let Some(places) = self.of.get_mut(subject).map(Arc::make_mut) {
                    places.remove(&reach);
                    if places.is_empty() {
                        self.of.remove(subject);
                    }
                }
            }
            changed.extend(before.iter().cloned());
        }
        let mut facts = Rbac::of_namespaces(estate, &touched.namespaces).escalations(minor);
        let there = |namespace: &str| touched.namespaces.contains(namespace);
        self.add(
            &mut facts,
            |reach| matches!(reach, Reach::Namespace(namespace) if there(namespace)),
        );
        for namespace in &touched.namespaces {
            let now = self.within.get(namespace).into_iter();
            changed.extend(now.flat_map(|now| now.iter().cloned()));
        }
        Some(changed)
    }

    /// Takes what is held in some places out of the facts.
    fn add(&mut self, facts: &mut Escalations, wanted: impl Fn(&Reach) -> bool) {
        for (fact, escalation) in facts.iter_mut().enumerate() {
            for held in std::mem::take(&mut escalation.held) {
                if !wanted(&held.reach) {
                    continue;
                }
                let places = self.of.entry(held.subject.clone()).or_default();
                if let Reach::Namespace(namespace) = &held.reach {
                    let within = self.within.entry(namespace.clone()).or_default();
                    Arc::make_mut(within).insert(held.subject.clone());
                }
                let here = Arc::make_mut(places).entry(held.reach.clone()).or_default();
                here.push((fact, held));
            }
        }
    }

    /// Everybody who holds something.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.of.keys()
    }

    /// What somebody holds, in the order of facts.
    pub(crate) fn of(&self, subject: &Subject) -> Vec<(&Escalation, &Held)> {
        let places = self.of.get(subject);
        let held = places.iter().flat_map(|places| places.values().flatten());
        let mut held: Vec<&(usize, Held)> = held.collect();
        held.sort_by_key(|(fact, held)| (*fact, &held.reach));
        held.into_iter()
            .filter_map(|(fact, held)| Some((self.facts.get(*fact)?, held)))
            .collect()
    }
}

impl RightsTouched {
    pub(crate) const fn everywhere() -> Self {
        Self {
            namespaces: BTreeSet::new(),
            everywhere: true,
        }
    }
}
