//! Who may do what takes several rights in one request, each way once: by which bindings and rules, for which
//! names.
//!
//! [`Rbac::escalations`](super::Rbac::escalations) says of each subject whether a fact is true of it. Here every
//! binding that makes it true counts, so that what is left when one of them goes is known too; and the names
//! that rules are limited to are kept for each right, since one request must pass all of them.

use std::collections::{BTreeMap, BTreeSet};

use model::ResourceRef;

use super::Rbac;
use super::escalations::facts::{Level, Need};
use super::escalations::has_names;
use super::read::RoleKind;
use super::read::{NOBODY, RuleAt, Space};
use super::rule::{Asked, Match};
use super::words::STAR;
use crate::ask::{Attributes, Names, Reach, ResourceTarget, Subject, Target};

/// Somebody who may, in one way.
#[derive(Debug, Clone)]
pub(crate) struct Doer {
    pub(crate) subject: Subject,
    pub(crate) reach: Reach,
    /// One for each right that the request takes.
    pub(crate) parts: Vec<Part>,
}

/// A right that a request takes.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) names: Names,
    /// The binding and the number of the subject in it; nothing where only the role is looked at.
    pub(crate) binding: Option<(ResourceRef, u32)>,
    pub(crate) role: ResourceRef,
    /// The object that the rule is written in, and its number there.
    pub(crate) rule: (ResourceRef, u32),
    pub(crate) condition: Option<Box<str>>,
    /// The rule is that for everything.
    pub(crate) full: bool,
}

/// A binding as it stands.
#[derive(Debug, Clone)]
pub(crate) struct BindingView {
    pub(crate) resource: ResourceRef,
    pub(crate) name: Box<str>,
    pub(crate) reach: Reach,
    /// It is a ClusterRoleBinding.
    pub(crate) everywhere: bool,
    /// It names a ClusterRole.
    pub(crate) cluster_role: bool,
    pub(crate) role_name: Box<str>,
    /// None where it dangles.
    pub(crate) roles: Vec<ResourceRef>,
    /// Why nobody can say what it gives.
    pub(crate) unresolved: Option<Box<str>>,
    /// By their numbers in it.
    pub(crate) subjects: Vec<(u32, Subject)>,
}

/// A role of which a request takes no more.
#[derive(Debug, Clone)]
pub(crate) struct RoleDoer {
    pub(crate) role: ResourceRef,
    pub(crate) parts: Vec<Part>,
}

/// Ways in which one subject may hold several rights at once; beyond that many nothing is added.
const WAYS: usize = 64;

/// A rule that gives a need, in a role.
struct Giver {
    role: u32,
    at: RuleAt,
    names: Names,
}

/// One right of one subject.
struct Hold {
    space: Space,
    part: Part,
}

impl Rbac {
    /// Everybody who may do what takes all of these, in every way.
    pub(crate) fn doers(&self, needs: &[Need]) -> Vec<Doer> {
        let holds: Vec<BTreeMap<u32, Vec<Hold>>> =
            needs.iter().map(|need| self.held_by(need)).collect();
        let subjects: BTreeSet<u32> = holds.iter().flat_map(|own| own.keys().copied()).collect();
        let mut found = Vec::new();
        for number in subjects {
            let Some(subject) = self.subjects.list.get(number as usize) else {
                continue;
            };
            let mut numbers = vec![number];
            if needs.len() > 1 {
                numbers.extend(
                    self.groups_of(subject)
                        .into_iter()
                        .filter(|one| *one != number),
                );
            }
            // What its groups hold without it is theirs.
            for (own, space, parts) in together(&numbers, &holds) {
                if own {
                    found.push(Doer {
                        subject: subject.clone(),
                        reach: self.reach(space),
                        parts,
                    });
                }
            }
        }
        found
    }

    /// Every role whose rules alone give all of these.
    pub(crate) fn role_doers(&self, needs: &[Need]) -> Vec<RoleDoer> {
        let mut of_role: BTreeMap<u32, Vec<Vec<Part>>> = BTreeMap::new();
        for (number, need) in needs.iter().enumerate() {
            for giver in self.givers(need) {
                let parts = of_role.entry(giver.role).or_default();
                parts.resize_with(needs.len(), Vec::new);
                if let Some(own) = parts.get_mut(number)
                    && let Some(part) = self.part(&giver, None)
                {
                    own.push(part);
                }
            }
        }
        let mut found = Vec::new();
        for (role, parts) in of_role {
            let Some(role) = self.roles.get(role as usize) else {
                continue;
            };
            for parts in product(&parts) {
                found.push(RoleDoer {
                    role: role.resource,
                    parts,
                });
            }
        }
        found
    }

    /// All bindings that name a role which there can be.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = BindingView> + '_ {
        self.bindings
            .iter()
            .filter(|binding| binding.role_kind != RoleKind::Other)
            .map(|binding| BindingView {
                resource: binding.resource,
                name: self.words.text(binding.name).into(),
                reach: self.reach(binding.space),
                everywhere: binding.space == Space::Cluster,
                cluster_role: binding.role_kind == RoleKind::ClusterRole,
                role_name: self.words.text(binding.role_name).into(),
                roles: binding
                    .roles
                    .iter()
                    .filter_map(|role| self.roles.get(*role as usize))
                    .map(|role| role.resource)
                    .collect(),
                unresolved: if binding.roles.is_empty() {
                    self.unresolved(binding).map(|why| why.text)
                } else {
                    None
                },
                subjects: (0u32..)
                    .zip(&binding.subjects)
                    .filter(|(_, subject)| **subject != NOBODY)
                    .filter_map(|(at, subject)| {
                        Some((at, self.subjects.list.get(*subject as usize)?.clone()))
                    })
                    .collect(),
            })
    }

    fn part(&self, giver: &Giver, binding: Option<(u32, u32)>) -> Option<Part> {
        let known = binding.map(|(number, subject)| (self.bindings.get(number as usize), subject));
        Some(Part {
            names: giver.names.clone(),
            binding: match known {
                Some((binding, subject)) => Some((binding?.resource, subject)),
                None => None,
            },
            role: self.roles.get(giver.role as usize)?.resource,
            rule: (giver.at.written, giver.at.index),
            condition: known
                .and_then(|(binding, _)| binding)
                .and_then(|binding| self.condition(binding)),
            full: self.rules.get(giver.at.rule as usize).is_some_and(|rule| {
                rule.names.is_empty()
                    && [&rule.verbs, &rule.groups, &rule.resources]
                        .iter()
                        .all(|list| list.contains(&STAR))
            }),
        })
    }

    /// Who holds one need, binding by binding.
    fn held_by(&self, need: &Need) -> BTreeMap<u32, Vec<Hold>> {
        let mut found: BTreeMap<u32, Vec<Hold>> = BTreeMap::new();
        let mut seen: BTreeSet<(u32, Option<BTreeSet<Box<str>>>)> = BTreeSet::new();
        for giver in self.givers(need) {
            let bindings = self.table.bindings_of(giver.role);
            for number in bindings {
                let Some(binding) = self.bindings.get(*number as usize) else {
                    continue;
                };
                let counts = match (need.level, binding.space) {
                    (_, Space::Cluster) | (Level::Anywhere, _) => true,
                    (Level::Cluster, _) => false,
                    (Level::Namespace(_), Space::NotGiven) => true,
                    (Level::Namespace(asked), Space::In(own)) => self.words.text(own) == asked,
                };
                let key = match &giver.names {
                    Names::Any => None,
                    Names::Only(names) => Some(names.clone()),
                };
                if !counts || !seen.insert((*number, key)) {
                    continue;
                }
                for (at, subject) in binding.subjects.iter().enumerate() {
                    if *subject == NOBODY {
                        continue;
                    }
                    let Some(part) = self.part(&giver, Some((*number, at as u32))) else {
                        continue;
                    };
                    found.entry(*subject).or_default().push(Hold {
                        space: binding.space,
                        part,
                    });
                }
            }
        }
        found
    }

    /// The rules that give a need, in each role that holds them.
    fn givers(&self, need: &Need) -> Vec<Giver> {
        let mut found = Vec::new();
        let mut seen: BTreeSet<(u32, ResourceRef, u32)> = BTreeSet::new();
        let resources = need.resources.iter().flat_map(|one| self.spelled(one));
        for resource in resources {
            let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
            for verb in need.verbs {
                for name in need.names {
                    let attributes = Attributes {
                        verb,
                        target: Target::Resource(ResourceTarget {
                            group: need.group,
                            version: "",
                            resource,
                            subresource,
                            namespace: "",
                            name,
                        }),
                    };
                    let asked = Asked::new(&attributes, &self.words);
                    for number in self.table.candidates(&asked) {
                        let Some(names) = self.allows(number, &asked, verb, subresource, name)
                        else {
                            continue;
                        };
                        for (role, at) in self.table.roles_of(number) {
                            if seen.insert((*role, at.written, at.index)) {
                                found.push(Giver {
                                    role: *role,
                                    at: *at,
                                    names: names.clone(),
                                });
                            }
                        }
                    }
                }
            }
        }
        found
    }

    /// For which names a rule allows a request; `name` is empty for any.
    fn allows(
        &self,
        rule: u32,
        asked: &Asked<'_>,
        verb: &str,
        subresource: &str,
        name: &str,
    ) -> Option<Names> {
        let rule = self.rules.get(rule as usize)?;
        let found = rule.matches(asked, &self.words);
        if found == Match::No || found == Match::OtherNames && !name.is_empty() {
            return None;
        }
        if !name.is_empty() || rule.names.is_empty() {
            return Some(Names::Any);
        }
        let names: BTreeSet<Box<str>> = rule.named(&self.words).map(Box::from).collect();
        if has_names(verb, subresource) {
            Some(Names::Only(names))
        } else {
            // A rule for the empty name allows what has none.
            names.contains("").then_some(Names::Any)
        }
    }
}

/// Every way in which these, taken together, hold all needs in one place; whether the first of them is needed.
fn together(numbers: &[u32], holds: &[BTreeMap<u32, Vec<Hold>>]) -> Vec<(bool, Space, Vec<Part>)> {
    let mut ways: Vec<(bool, Space, Vec<Part>)> = vec![(false, Space::Cluster, Vec::new())];
    for own in holds {
        let mut next = Vec::new();
        for (is_own, space, parts) in &ways {
            for (at, number) in numbers.iter().enumerate() {
                for hold in own.get(number).into_iter().flatten() {
                    let joint = match (*space, hold.space) {
                        (Space::Cluster, other) | (other, Space::Cluster) => other,
                        (one, other) if one == other => one,
                        _ => continue,
                    };
                    let mut parts = parts.clone();
                    parts.push(hold.part.clone());
                    next.push((*is_own || at == 0, joint, parts));
                }
            }
        }
        if holds.len() > 1 {
            next.truncate(WAYS);
        }
        ways = next;
    }
    ways
}

/// One of each list.
fn product(lists: &[Vec<Part>]) -> Vec<Vec<Part>> {
    let mut all: Vec<Vec<Part>> = vec![Vec::new()];
    for list in lists {
        all = all
            .iter()
            .flat_map(|before| {
                list.iter().map(move |part| {
                    let mut parts = before.clone();
                    parts.push(part.clone());
                    parts
                })
            })
            .take(WAYS)
            .collect();
    }
    all
}
