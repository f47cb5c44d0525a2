//! Rights that amount to more than they say: whoever may do this can take what they were not given.
//!
//! Each fact is a question to the same table as any other, or a few that must hold together. The rights of a
//! service account count together with those of the groups that it is always in.

pub(crate) mod facts;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::read::{NOBODY, RoleKind, Space};
use super::table::{Grant, Sweep};
use super::{PolicyRule, Rbac};
use crate::ask::{
    AUTHENTICATED, Attributes, Evidence, Holder, Names, Question, Reach, ResourceTarget,
    SERVICE_ACCOUNT_PREFIX, SERVICE_ACCOUNTS, Subject, Target, UNAUTHENTICATED, Within,
    implied_groups,
};
use facts::{FACTS, Fact, Level, Need};

/// A fact, and who it is true of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// A stable name: that of the attacker's step in the guide, where it has one.
    pub id: &'static str,
    /// `reads Secrets`
    pub title: &'static str,
    /// What it leads to.
    pub leads_to: &'static str,
    /// Sorted by who and where.
    pub held: Vec<Held>,
}

/// Somebody of whom a fact is true.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// who
    pub subject: Subject,
    /// where
    pub reach: Reach,
    /// of which objects, where a rule names them
    pub names: Names,
    /// what gives it: one for each right that is needed
    pub evidence: Vec<Evidence>,
}

/// All facts.
pub type Escalations = Vec<Escalation>;

/// Where a subject holds one need, and for which names.
type Holds = BTreeMap<Space, (Names, Evidence)>;

/// The facts of which a rule gives a right that is needed, wherever it is bound; with others it may be all of
/// them.
#[must_use]
pub fn powers(rule: &PolicyRule) -> Vec<&'static str> {
    let has =
        |list: &[Box<str>], wanted: &str| list.iter().any(|own| **own == *wanted || &**own == "*");
    let gives = |need: &Need| {
        let of_all = |resource: &str| {
            let sub = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
            sub.is_some_and(|sub| rule.resources.iter().any(|own| **own == sub))
        };
        let named = |name: &&str| name.is_empty() || has(&rule.names, name);
        need.verbs.iter().any(|verb| has(&rule.verbs, verb))
            && has(&rule.groups, need.group)
            && need
                .resources
                .iter()
                .any(|resource| has(&rule.resources, resource) || of_all(resource))
            && (rule.names.is_empty() || need.names.iter().any(named))
    };
    FACTS
        .iter()
        .filter(|fact| {
            fact.alternatives
                .iter()
                .flat_map(|needs| needs.iter())
                .any(gives)
        })
        .map(|fact| fact.id)
        .collect()
}

impl Rbac {
    /// All facts, in a fixed order, those that are true of nobody too. `minor` is Kubernetes' version: before
    /// 1.35 `get` on `pods/exec` was enough to run commands.
    #[must_use]
    pub fn escalations(&self, minor: u8) -> Escalations {
        let mut sweep = Sweep::new(self);
        FACTS
            .iter()
            .filter(|fact| fact.before.is_none_or(|before| minor < before))
            .map(|fact| Escalation {
                id: fact.id,
                title: fact.title,
                leads_to: fact.leads_to,
                held: self.held(fact, &mut sweep),
            })
            .collect()
    }

    /// Adds those who hold rights by another authorizer, which is asked for every need. What holds only under a
    /// condition is left out.
    pub fn add_escalations(
        all: &mut Escalations,
        mut ask: impl FnMut(&Question<'_>) -> Vec<Holder>,
    ) {
        for fact in all.iter_mut() {
            let Some(known) = FACTS.iter().find(|known| known.id == fact.id) else {
                continue;
            };
            let mut added: BTreeMap<(Subject, Reach), Held> = BTreeMap::new();
            for needs in known.alternatives {
                let holders: Vec<Others> =
                    needs.iter().map(|need| others(need, &mut ask)).collect();
                for held in all_needs(&holders) {
                    let key = (held.subject.clone(), held.reach.clone());
                    added.entry(key).or_insert(held);
                }
            }
            let everywhere: BTreeSet<Subject> = added
                .keys()
                .filter(|(_, reach)| *reach == Reach::Cluster)
                .map(|(subject, _)| subject.clone())
                .collect();
            fact.held.extend(added.into_values().filter(|held| {
                held.reach == Reach::Cluster || !everywhere.contains(&held.subject)
            }));
        }
    }

    fn held(&self, fact: &Fact, sweep: &mut Sweep<'_>) -> Vec<Held> {
        let mut all: BTreeMap<(Subject, Reach), Held> = BTreeMap::new();
        for needs in fact.alternatives {
            let holders: Vec<BTreeMap<u32, Holds>> =
                needs.iter().map(|need| self.holders(need, sweep)).collect();
            let subjects: BTreeSet<u32> = holders
                .iter()
                .flat_map(|holders| holders.keys().copied())
                .collect();
            for subject in subjects {
                for held in self.together(subject, &holders) {
                    let key = (held.subject.clone(), held.reach.clone());
                    match all.get_mut(&key) {
                        None => {
                            all.insert(key, held);
                        }
                        Some(known) if known.names != Names::Any => {
                            known.names = wider(&known.names, &held.names);
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        // What is held everywhere is not repeated for a namespace.
        let everywhere: BTreeSet<Subject> = all
            .values()
            .filter(|held| held.reach == Reach::Cluster && held.names == Names::Any)
            .map(|held| held.subject.clone())
            .collect();
        all.into_values()
            .filter(|held| held.reach == Reach::Cluster || !everywhere.contains(&held.subject))
            .collect()
    }

    /// Where a subject holds all needs at once, together with the groups that it is in by its name alone.
    fn together(&self, subject: u32, holders: &[BTreeMap<u32, Holds>]) -> Vec<Held> {
        let Some(who) = self.subjects.list.get(subject as usize) else {
            return Vec::new();
        };
        let mut numbers = vec![subject];
        if holders.len() > 1 {
            numbers.extend(self.groups_of(who));
        }
        // Per need, every place where one of them holds it.
        let places: Vec<Holds> = holders
            .iter()
            .map(|holders| {
                let mut places = Holds::new();
                for number in &numbers {
                    for (space, (names, evidence)) in holders.get(number).into_iter().flatten() {
                        places
                            .entry(*space)
                            .and_modify(|known| known.0 = wider(&known.0, names))
                            .or_insert_with(|| (names.clone(), evidence.clone()));
                    }
                }
                places
            })
            .collect();
        let spaces: BTreeSet<Space> = places
            .iter()
            .flat_map(|places| places.keys().copied())
            .collect();
        // What only the groups hold is theirs.
        let own = |space: Space| {
            let mut held = holders.iter().filter_map(|holders| holders.get(&subject));
            held.any(|own| own.contains_key(&space) || own.contains_key(&Space::Cluster))
        };
        spaces
            .into_iter()
            .filter(|space| own(*space))
            .filter_map(|space| {
                let mut names = Names::Any;
                let mut evidence = Vec::new();
                for places in &places {
                    let own = places.get(&space);
                    let (limits, by) = own.or_else(|| places.get(&Space::Cluster))?;
                    if let (Names::Any, Names::Only(_)) = (&names, limits) {
                        names = limits.clone();
                    }
                    evidence.push(by.clone());
                }
                Some(Held {
                    subject: who.clone(),
                    reach: self.reach(space),
                    names,
                    evidence,
                })
            })
            .collect()
    }

    /// The groups that somebody is in by name alone. Whoever is in a group signed in, unless it is that of those
    /// who did not; service accounts of a namespace are service accounts.
    pub(crate) fn groups_of(&self, subject: &Subject) -> Vec<u32> {
        let groups: Vec<Cow<'_, str>> = match subject {
            Subject::User(name) => implied_groups(name),
            Subject::ServiceAccount { namespace, name } => {
                implied_groups(&format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}"))
            }
            Subject::Group(name) if **name == *UNAUTHENTICATED => Vec::new(),
            Subject::Group(name) => {
                let of_accounts = name
                    .strip_prefix(SERVICE_ACCOUNTS)
                    .is_some_and(|rest| rest.starts_with(':'));
                let all = of_accounts.then_some(SERVICE_ACCOUNTS.into());
                std::iter::once(AUTHENTICATED.into()).chain(all).collect()
            }
            Subject::Principal { .. } => Vec::new(),
        };
        groups
            .iter()
            .filter_map(|group| self.subjects.group(group))
            .collect()
    }

    /// Who holds one need, and where.
    fn holders(&self, need: &Need, sweep: &mut Sweep<'_>) -> BTreeMap<u32, Holds> {
        let mut holders: BTreeMap<u32, Holds> = BTreeMap::new();
        let resources: Vec<String> = need
            .resources
            .iter()
            .flat_map(|resource| self.spelled(resource))
            .collect();
        for resource in &resources {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            for verb in need.verbs {
                for name in need.names {
                    let target = ResourceTarget {
                        group: need.group,
                        version: "",
                        resource,
                        subresource,
                        namespace: "",
                        name,
                    };
                    let question = Question {
                        attributes: Attributes {
                            verb,
                            target: Target::Resource(target),
                        },
                        within: match need.level {
                            Level::Cluster => Within::Cluster,
                            Level::Anywhere => Within::Anywhere,
                            Level::Namespace(namespace) => Within::Namespace(namespace),
                        },
                    };
                    let found = sweep.ask(&question);
                    for grant in found.all {
                        self.note(grant, Names::Any, &mut holders);
                    }
                    for grant in found.named.iter().filter(|_| name.is_empty()) {
                        let names = self.names_of(grant);
                        let nameless = |names: &Names| match names {
                            Names::Only(names) => names.contains(""),
                            Names::Any => true,
                        };
                        if has_names(verb, subresource) {
                            self.note(grant, names, &mut holders);
                        } else if nameless(&names) {
                            self.note(grant, Names::Any, &mut holders);
                        }
                    }
                }
            }
        }
        holders
    }

    fn note(&self, grant: &Grant, names: Names, holders: &mut BTreeMap<u32, Holds>) {
        let (subject, space) = self.seat(grant);
        if subject == NOBODY {
            return;
        }
        let places = holders.entry(subject).or_default();
        match places.get_mut(&space) {
            Some((known, _)) if *known == Names::Any => {}
            Some((known, evidence)) => {
                if names == Names::Any {
                    *evidence = self.holder(grant).evidence;
                }
                *known = wider(known, &names);
            }
            None => {
                places.insert(space, (names, self.holder(grant).evidence));
            }
        }
    }

    fn names_of(&self, grant: &Grant) -> Names {
        let rule = self.rule_of(grant);
        Names::Only(
            rule.into_iter()
                .flat_map(|rule| rule.named(&self.words))
                .map(Box::from)
                .collect(),
        )
    }

    /// `userextras/` stands for every subresource of it that a rule names.
    pub(crate) fn spelled(&self, resource: &str) -> Vec<String> {
        if !resource.ends_with('/') {
            return vec![resource.to_owned()];
        }
        // What has such subresources belongs to the cluster: a Role gives nobody any.
        let roles = self.roles.iter();
        let rules = roles
            .filter(|role| role.kind == RoleKind::ClusterRole)
            .flat_map(|role| &role.rules);
        let named = rules
            .filter_map(|at| self.rules.get(at.rule as usize))
            .flat_map(|rule| &rule.resources)
            .map(|word| self.words.text(*word))
            .filter(|word| word.starts_with(resource));
        let mut all: Vec<String> = named.map(str::to_owned).collect();
        all.sort();
        all.dedup();
        // For rules that say `*`.
        all.push(format!("{resource}any"));
        all
    }
}

/// By subject: where they hold a need, and by what.
type Others = BTreeMap<Subject, BTreeMap<Reach, Evidence>>;

/// Who holds one need by another authorizer.
fn others(need: &Need, ask: &mut impl FnMut(&Question<'_>) -> Vec<Holder>) -> Others {
    let mut found = Others::new();
    for resource in need.resources {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        for verb in need.verbs {
            let question = Question {
                attributes: Attributes {
                    verb,
                    target: Target::Resource(ResourceTarget {
                        group: need.group,
                        version: "",
                        resource,
                        subresource,
                        namespace: "",
                        name: "",
                    }),
                },
                within: match need.level {
                    Level::Cluster => Within::Cluster,
                    Level::Anywhere => Within::Anywhere,
                    Level::Namespace(namespace) => Within::Namespace(namespace),
                },
            };
            for holder in ask(&question) {
                if holder.condition.is_none() {
                    let places = found.entry(holder.subject).or_default();
                    places.entry(holder.reach).or_insert(holder.evidence);
                }
            }
        }
    }
    found
}

/// Who holds all of these by another authorizer, each with the conditions of all.
pub(crate) fn held_elsewhere(
    needs: &[Need],
    ask: &mut impl FnMut(&Question<'_>) -> Vec<Holder>,
) -> Vec<Held> {
    let holders: Vec<Others> = needs.iter().map(|need| others(need, ask)).collect();
    all_needs(&holders)
}

/// Where somebody holds all needs; what is held in the whole cluster is held in each namespace.
fn all_needs(needs: &[Others]) -> Vec<Held> {
    let subjects: BTreeSet<&Subject> = needs.iter().flat_map(BTreeMap::keys).collect();
    let mut found = Vec::new();
    for subject in subjects {
        let reaches: BTreeSet<&Reach> = needs
            .iter()
            .filter_map(|need| need.get(subject))
            .flat_map(BTreeMap::keys)
            .collect();
        for reach in reaches {
            let evidence: Option<Vec<Evidence>> = needs
                .iter()
                .map(|need| {
                    let places = need.get(subject)?;
                    places
                        .get(reach)
                        .or_else(|| places.get(&Reach::Cluster))
                        .cloned()
                })
                .collect();
            found.extend(evidence.map(|evidence| Held {
                subject: subject.clone(),
                reach: reach.clone(),
                names: Names::Any,
                evidence,
            }));
        }
    }
    found
}

/// Whether a request with this verb has a name that a rule can be limited to: a creation has none, unless it
/// is of a subresource; a deletion of many has none.
pub(crate) fn has_names(verb: &str, subresource: &str) -> bool {
    match verb {
        "create" => !subresource.is_empty(),
        "deletecollection" => false,
        _ => true,
    }
}

fn wider(one: &Names, two: &Names) -> Names {
    match (one, two) {
        (Names::Only(one), Names::Only(two)) => Names::Only(one.union(two).cloned().collect()),
        _ => Names::Any,
    }
}
