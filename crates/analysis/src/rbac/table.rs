//! Who may: from a request to the rules that allow it, to the roles that hold them, to the bindings that give
//! those, to the subjects.
//!
//! Rules are found by the resource that they name, so that a question costs what its answer weighs; nothing
//! here multiplies subjects by objects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::ResourceRef;

use super::read::{NAMESPACE_NOT_GIVEN, NOBODY, Objects, RuleAt, Space};
use super::rule::{Asked, AskedTarget, Match, Rule};
use super::words::{STAR, Word};
use super::{Rbac, word};
use crate::ask::{Evidence, Holder, MASTERS, Names, Question, Reach, Subject, Target, Why, Within};

/// The index.
#[derive(Debug)]
pub(crate) struct Table {
    /// The rules that name a resource; `*` among them.
    of_resource: HashMap<Word, Vec<u32>>,
    /// The rules with paths.
    with_urls: Vec<u32>,
    /// The roles that hold a rule, and where in them.
    roles_of: Vec<Vec<(u32, RuleAt)>>,
    /// The bindings that give a role.
    bindings_of: Vec<Vec<u32>>,
    /// For each subject of each binding, the number of the pair of the two things that matter: who and where.
    seats_of: Vec<Box<[u32]>>,
    /// Who and where.
    seats: Vec<(u32, Space)>,
}

impl Table {
    pub(crate) fn new(objects: &Objects) -> Self {
        let mut of_resource: HashMap<Word, Vec<u32>> = HashMap::new();
        let mut with_urls = Vec::new();
        for (number, rule) in objects.rules.list.iter().enumerate() {
            for (at, resource) in rule.resources.iter().enumerate() {
                if !rule.resources.iter().take(at).any(|one| one == resource) {
                    of_resource
                        .entry(*resource)
                        .or_default()
                        .push(number as u32);
                }
            }
            if !rule.urls.is_empty() {
                with_urls.push(number as u32);
            }
        }
        let mut roles_of = vec![Vec::new(); objects.rules.list.len()];
        for (number, role) in objects.roles.iter().enumerate() {
            for at in &role.rules {
                if let Some(roles) = roles_of.get_mut(at.rule as usize)
                    && roles.last().is_none_or(|(last, _)| *last != number as u32)
                {
                    roles.push((number as u32, *at));
                }
            }
        }
        let mut bindings_of = vec![Vec::new(); objects.roles.len()];
        let mut numbers: HashMap<(u32, Space), u32> = HashMap::new();
        let mut seats = Vec::new();
        let mut seats_of = Vec::with_capacity(objects.bindings.len());
        for (number, binding) in objects.bindings.iter().enumerate() {
            for role in &binding.roles {
                if let Some(list) = bindings_of.get_mut(*role as usize) {
                    list.push(number as u32);
                }
            }
            let own = binding.subjects.iter().map(|subject| {
                if *subject == NOBODY {
                    return NOBODY;
                }
                *numbers.entry((*subject, binding.space)).or_insert_with(|| {
                    seats.push((*subject, binding.space));
                    seats.len() as u32 - 1
                })
            });
            seats_of.push(own.collect());
        }
        Self {
            of_resource,
            with_urls,
            roles_of,
            bindings_of,
            seats_of,
            seats,
        }
    }

    /// The roles that hold a rule.
    pub(crate) fn roles_of(&self, rule: u32) -> &[(u32, RuleAt)] {
        self.roles_of.get(rule as usize).map_or(&[], Vec::as_slice)
    }

    /// The bindings that give a role.
    pub(crate) fn bindings_of(&self, role: u32) -> &[u32] {
        self.bindings_of
            .get(role as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The rules that may allow a request.
    pub(crate) fn candidates(&self, asked: &Asked<'_>) -> impl Iterator<Item = u32> + '_ {
        let (paths, resources) = match asked.target {
            AskedTarget::Path(_) => (&self.with_urls[..], [None; 3]),
            AskedTarget::Resource {
                combined, of_all, ..
            } => {
                let combined = combined.filter(|word| *word != STAR);
                (&[][..], [Some(STAR), combined, of_all])
            }
        };
        let lists = resources
            .into_iter()
            .flatten()
            .filter_map(|resource| self.of_resource.get(&resource));
        paths.iter().chain(lists.flatten()).copied()
    }
}

/// One right of one subject, in numbers; see [`Rbac::holder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    seat: u32,
    binding: u32,
    subject: u32,
    role: u32,
    at: RuleAt,
}

impl Grant {
    /// What is written before what.
    const fn order(&self) -> (u32, u32, u32, u32) {
        (self.binding, self.role, self.at.index, self.subject)
    }
}

/// Who may, in numbers.
#[derive(Debug)]
pub struct Found<'s> {
    /// Each who and where once.
    pub all: &'s [Grant],
    /// Who may for objects of some names only; the same subject may occur several times, and in `all`.
    pub named: &'s [Grant],
}

/// Puts very many questions to one [`Rbac`].
#[derive(Debug)]
pub struct Sweep<'r> {
    rbac: &'r Rbac,
    /// The round in which a seat was last found, and its number among all.
    seen: Vec<(u32, u32)>,
    round: u32,
    /// The same of a subject.
    counted: Vec<u32>,
    all: Vec<Grant>,
    named: Vec<Grant>,
}

/// How many may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// in the whole cluster
    pub everywhere: usize,
    /// not that, but in some namespace
    pub within: usize,
    /// neither, but for some names
    pub named: usize,
}

impl<'r> Sweep<'r> {
    /// Ready for questions.
    #[must_use]
    pub fn new(rbac: &'r Rbac) -> Self {
        Self {
            rbac,
            seen: vec![(0, 0); rbac.table.seats.len()],
            round: 0,
            counted: vec![0; rbac.subjects.list.len()],
            all: Vec::new(),
            named: Vec::new(),
        }
    }

    /// Who may. A grant on which a condition hangs is listed too.
    pub fn ask(&mut self, question: &Question<'_>) -> Found<'_> {
        let rbac = self.rbac;
        let table = &rbac.table;
        self.round += 1;
        self.all.clear();
        self.named.clear();
        let asked = Asked::new(&question.attributes, &rbac.words);
        let within = match (question.within, question.attributes.target) {
            // Paths belong to no namespace.
            (_, Target::Path(_)) => Where::Cluster,
            (Within::Cluster, _) => Where::Cluster,
            (Within::Anywhere, _) => Where::Anywhere,
            (Within::Namespace(name), _) => Where::In(rbac.words.find(name)),
        };
        let asks_any = matches!(question.attributes.target, Target::Resource(target) if target.name.is_empty());
        for number in table.candidates(&asked) {
            let Some(rule) = rbac.rules.get(number as usize) else {
                continue;
            };
            let found = match rule.matches(&asked, &rbac.words) {
                Match::No => continue,
                // A rule for the empty name allows what has no name, and not any name.
                Match::Yes if asks_any && !rule.names.is_empty() => Match::OtherNames,
                found => found,
            };
            for (role, at) in table.roles_of.get(number as usize).into_iter().flatten() {
                for binding in table.bindings_of.get(*role as usize).into_iter().flatten() {
                    self.give(*binding, *role, *at, found, within);
                }
            }
        }
        self.named.sort_by_key(Grant::order);
        Found {
            all: &self.all,
            named: &self.named,
        }
    }

    /// How many may: everywhere, elsewhere in some namespace, and only by name. Each subject counts once.
    pub fn count(&mut self, question: &Question<'_>) -> Counts {
        self.ask(question);
        let mut counts = Counts::default();
        let seats = &self.rbac.table.seats;
        let mut count = |grants: &[Grant], cluster: bool, number: &mut usize| {
            for grant in grants {
                let Some((subject, space)) = seats.get(grant.seat as usize) else {
                    continue;
                };
                if cluster && *space != Space::Cluster {
                    continue;
                }
                if let Some(seen) = self.counted.get_mut(*subject as usize)
                    && *seen != self.round
                {
                    *seen = self.round;
                    *number += 1;
                }
            }
        };
        count(&self.all, true, &mut counts.everywhere);
        count(&self.all, false, &mut counts.within);
        count(&self.named, false, &mut counts.named);
        counts
    }

    fn give(&mut self, number: u32, role: u32, at: RuleAt, found: Match, within: Where) {
        let Some(binding) = self.rbac.bindings.get(number as usize) else {
            return;
        };
        let counts = match (within, binding.space) {
            (_, Space::Cluster) | (Where::Anywhere, _) | (Where::In(_), Space::NotGiven) => true,
            (Where::In(asked), Space::In(own)) => asked == Some(own),
            (Where::Cluster, _) => false,
        };
        if !counts {
            return;
        }
        let seats = self.rbac.table.seats_of.get(number as usize);
        for (subject, seat) in seats.into_iter().flatten().enumerate() {
            let grant = Grant {
                seat: *seat,
                binding: number,
                subject: subject as u32,
                role,
                at,
            };
            let Some(seen) = self.seen.get_mut(*seat as usize) else {
                continue; // nobody
            };
            if found == Match::OtherNames {
                self.named.push(grant);
            } else if seen.0 != self.round {
                *seen = (self.round, self.all.len() as u32);
                self.all.push(grant);
            } else if let Some(known) = self.all.get_mut(seen.1 as usize)
                && grant.order() < known.order()
            {
                // The first that is written, whatever else there is.
                *known = grant;
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Where {
    Cluster,
    In(Option<Word>),
    Anywhere,
}

/// Who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan {
    /// Sorted by who and where; each pair once, or twice where a condition hangs on one.
    pub holders: Vec<Holder>,
    /// Bindings of which nobody can say what they give.
    pub unknown: Vec<Why>,
}

impl Rbac {
    /// Who may. With an empty name, who may for objects of every name, and who for those of some names only.
    /// `system:masters` comes first: it always may.
    #[must_use]
    pub fn who_can(&self, question: &Question<'_>) -> WhoCan {
        let mut sweep = Sweep::new(self);
        let found = sweep.ask(question);
        let asks_name = matches!(question.attributes.target, Target::Resource(target) if !target.name.is_empty());
        let mut best: BTreeMap<(u32, Space, bool), Holder> = BTreeMap::new();
        for grant in found.all {
            let holder = self.holder(grant);
            let key = (self.seat(grant), holder.condition.is_some());
            best.entry((key.0.0, key.0.1, key.1)).or_insert(holder);
        }
        if !asks_name {
            self.add_named(found.named, &mut best);
        }
        let mut holders: Vec<Holder> = best.into_values().collect();
        holders.sort();
        let masters = Holder {
            subject: Subject::Group(MASTERS.into()),
            reach: Reach::Cluster,
            names: Names::Any,
            condition: None,
            evidence: Evidence::Masters,
        };
        holders.retain(|holder| holder.subject != masters.subject);
        holders.insert(0, masters);
        WhoCan {
            holders,
            unknown: self.unknown_for(question),
        }
    }

    /// Adds who may for some names only, unless they may for all of them anyway.
    fn add_named(&self, named: &[Grant], best: &mut BTreeMap<(u32, Space, bool), Holder>) {
        let mut limited: BTreeMap<(u32, Space, bool), Holder> = BTreeMap::new();
        for grant in named {
            let (subject, space) = self.seat(grant);
            if best.contains_key(&(subject, space, false)) {
                continue;
            }
            let names: BTreeSet<Box<str>> = self
                .rule_of(grant)
                .into_iter()
                .flat_map(|rule| rule.named(&self.words))
                .map(Box::from)
                .collect();
            let holder = self.holder(grant);
            let key = (subject, space, holder.condition.is_some());
            match limited.entry(key) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(Holder {
                        names: Names::Only(names),
                        ..holder
                    });
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    if let Names::Only(known) = &mut entry.get_mut().names {
                        known.extend(names);
                    }
                }
            }
        }
        for (key, holder) in limited {
            best.entry(key).or_insert(holder);
        }
    }

    pub(crate) fn rule_of(&self, grant: &Grant) -> Option<&Rule> {
        self.rules.get(grant.at.rule as usize)
    }

    pub(crate) fn seat(&self, grant: &Grant) -> (u32, Space) {
        self.table
            .seats
            .get(grant.seat as usize)
            .copied()
            .unwrap_or((NOBODY, Space::NotGiven))
    }

    /// A grant in words, for every name.
    #[must_use]
    pub fn holder(&self, grant: &Grant) -> Holder {
        let (subject, space) = self.seat(grant);
        let binding = self.bindings.get(grant.binding as usize);
        let role = self.roles.get(grant.role as usize);
        let nowhere = ResourceRef(u32::MAX);
        Holder {
            subject: self
                .subjects
                .list
                .get(subject as usize)
                .cloned()
                .unwrap_or(Subject::User("".into())),
            reach: self.reach(space),
            names: Names::Any,
            condition: binding.and_then(|binding| self.condition(binding)),
            evidence: Evidence::Binding {
                binding: binding.map_or(nowhere, |binding| binding.resource),
                subject: grant.subject,
                role: role.map_or(nowhere, |role| role.resource),
                rule: (grant.at.written, grant.at.index),
            },
        }
    }

    pub(crate) fn reach(&self, space: Space) -> Reach {
        match space {
            Space::Cluster => Reach::Cluster,
            Space::In(namespace) => Reach::Namespace(self.words.text(namespace).into()),
            Space::NotGiven => Reach::NamespaceNotGiven,
        }
    }

    /// Bindings that count for a question and name a role that is not known, by role.
    fn unknown_for(&self, question: &Question<'_>) -> Vec<Why> {
        let counts = |space: Space| match (question.within, question.attributes.target) {
            (Within::Cluster, _) | (_, Target::Path(_)) => space == Space::Cluster,
            (Within::Anywhere, _) => true,
            (Within::Namespace(name), _) => match space {
                Space::In(own) => self.words.text(own) == name,
                Space::Cluster | Space::NotGiven => true,
            },
        };
        self.bindings
            .iter()
            .filter(|binding| binding.roles.is_empty() && counts(binding.space))
            .filter_map(|binding| {
                let mut why = self.unresolved(binding)?;
                let who: Vec<String> = binding
                    .subjects
                    .iter()
                    .filter_map(|subject| self.subjects.list.get(*subject as usize))
                    .map(|subject| format!("{} {}", subject.kind(), subject.name()))
                    .collect();
                if who.is_empty() {
                    return None;
                }
                why.text = format!(
                    "{} gives {} {} `{}`, which was not given",
                    self.shown(binding),
                    who.join(", "),
                    word(binding.role_kind),
                    self.words.text(binding.role_name)
                )
                .into();
                Some(why)
            })
            .collect()
    }

    /// Whether a service account is named without a namespace in a file without one.
    #[must_use]
    pub fn is_placeholder(namespace: &str) -> bool {
        namespace == NAMESPACE_NOT_GIVEN
    }
}
