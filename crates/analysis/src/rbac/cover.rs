//! The API server's check that nobody gives away more than they hold: `bind`, `escalate`, and whether rules
//! that are held cover rules that are given (kubernetes pkg/registry/rbac/escalation_check.go,
//! pkg/registry/rbac/validation/rule.go; component-helpers/auth/rbac/validation/policy_comparator.go).
//!
//! Whether the write itself is allowed (`create rolebindings`) is another question: [`Rbac::can`].

use super::Rbac;
use super::read::{RoleKind, Space};
use super::rule::{PolicyRule, Rule, url_matches};
use super::words::{STAR, Word, Words};
use crate::ask::{Answer, Attributes, Requester, ResourceTarget, Target};

/// The kind that a binding's `roleRef` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleKindRef {
    /// `Role`
    Role,
    /// `ClusterRole`
    ClusterRole,
}

/// Whether a binding that names a role passes the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindAnswer {
    /// By the verb `bind`, or as a member of `system:masters`.
    Explicit,
    /// The requester holds everything that the role gives.
    Covered,
    /// These rules of the role are not held, in single verbs and resources.
    Missing(Vec<PolicyRule>),
    /// There is no such role: only `bind` would help.
    NoRole,
}

/// Whether a role with given rules passes the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAnswer {
    /// By the verb `escalate`, or as a member of `system:masters`.
    Explicit,
    /// The requester holds all of the rules.
    Covered,
    /// These rules are not held.
    Missing(Vec<PolicyRule>),
    /// An aggregation rule takes the right to everything.
    Aggregation,
}

impl BindAnswer {
    /// Whether the check passes.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Explicit | Self::Covered)
    }
}

impl WriteAnswer {
    /// Whether the check passes.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Explicit | Self::Covered)
    }
}

const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

impl Rbac {
    /// Whether somebody may make or change a binding in a namespace (empty: a ClusterRoleBinding) that names
    /// a role.
    #[must_use]
    pub fn may_bind(
        &self,
        requester: &Requester<'_>,
        kind: RoleKindRef,
        role: &str,
        namespace: &str,
    ) -> BindAnswer {
        let (resource, own) = match kind {
            RoleKindRef::Role => ("roles", RoleKind::Role),
            RoleKindRef::ClusterRole => ("clusterroles", RoleKind::ClusterRole),
        };
        if self.holds(requester, "bind", resource, namespace, role) {
            return BindAnswer::Explicit;
        }
        let Some(rules) = self.rules_of_role(own, role, namespace) else {
            return BindAnswer::NoRole;
        };
        let missing = uncovered(&self.rules_for(requester, namespace), &rules, &self.words);
        if missing.is_empty() {
            BindAnswer::Covered
        } else {
            BindAnswer::Missing(missing)
        }
    }

    /// Whether somebody may write a Role in a namespace, or a ClusterRole (empty namespace), with these rules.
    /// The name is that of the request: empty when it is created, for the path of a creation has none, so that
    /// `escalate` on some names lets nobody create.
    #[must_use]
    pub fn may_write_role(
        &self,
        requester: &Requester<'_>,
        namespace: &str,
        name: &str,
        rules: &[PolicyRule],
        aggregates: bool,
    ) -> WriteAnswer {
        let resource = if namespace.is_empty() {
            "clusterroles"
        } else {
            "roles"
        };
        if self.holds(requester, "escalate", resource, namespace, name) {
            return WriteAnswer::Explicit;
        }
        let held = self.rules_for(requester, namespace);
        let missing = uncovered(&held, rules, &self.words);
        if !missing.is_empty() {
            return WriteAnswer::Missing(missing);
        }
        if aggregates && !uncovered(&held, &everything(), &self.words).is_empty() {
            return WriteAnswer::Aggregation;
        }
        WriteAnswer::Covered
    }

    fn holds(
        &self,
        requester: &Requester<'_>,
        verb: &str,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> bool {
        let target = ResourceTarget {
            group: RBAC_GROUP,
            version: "*",
            resource,
            subresource: "",
            namespace,
            name,
        };
        let attributes = Attributes {
            verb,
            target: Target::Resource(target),
        };
        matches!(self.can(requester, &attributes), Answer::Yes(_))
    }

    /// The rules that somebody holds in a namespace; empty: at the level of the cluster.
    fn rules_for(&self, requester: &Requester<'_>, namespace: &str) -> Vec<&Rule> {
        let mine = self.numbers_of(requester);
        let mut held = Vec::new();
        for number in self.bindings_of(&mine, namespace) {
            let binding = self.bindings.get(number as usize);
            let Some(binding) = binding.filter(|binding| binding.space != Space::NotGiven) else {
                continue;
            };
            // What only may be held covers nothing.
            if self.condition(binding).is_some() {
                continue;
            }
            for role in binding
                .roles
                .iter()
                .filter_map(|role| self.roles.get(*role as usize))
            {
                held.extend(
                    role.rules
                        .iter()
                        .filter_map(|at| self.rules.get(at.rule as usize)),
                );
            }
        }
        held
    }

    /// The rules of a ClusterRole, those that are aggregated too.
    #[must_use]
    pub fn rules_of_cluster_role(&self, name: &str) -> Option<Vec<PolicyRule>> {
        self.rules_of_role(RoleKind::ClusterRole, name, "")
    }

    fn rules_of_role(
        &self,
        kind: RoleKind,
        name: &str,
        namespace: &str,
    ) -> Option<Vec<PolicyRule>> {
        let name = self.words.find(name)?;
        let space = match kind {
            RoleKind::ClusterRole => Space::Cluster,
            _ => Space::In(self.words.find(namespace)?),
        };
        let role = self
            .roles
            .iter()
            .find(|role| role.kind == kind && role.space == space && role.name == name)?;
        Some(
            role.rules
                .iter()
                .filter_map(|at| self.rules.get(at.rule as usize))
                .map(|rule| rule.shown(&self.words))
                .collect(),
        )
    }
}

/// `*` on everything, and on every path (`fullAuthority` of pkg/registry/rbac/clusterrole/policybased).
fn everything() -> [PolicyRule; 2] {
    let star = || vec![Box::from("*")];
    [
        PolicyRule {
            verbs: star(),
            groups: star(),
            resources: star(),
            ..PolicyRule::default()
        },
        PolicyRule {
            verbs: star(),
            urls: star(),
            ..PolicyRule::default()
        },
    ]
}

/// The parts of the asked rules, in single verbs, resources and names, of which no held rule covers one.
fn uncovered(held: &[&Rule], asked: &[PolicyRule], words: &Words) -> Vec<PolicyRule> {
    let mut missing = Vec::new();
    for rule in asked {
        let nameless = [None];
        let names: Vec<Option<&Box<str>>> = rule.names.iter().map(Some).collect();
        let names: &[Option<&Box<str>>] = if names.is_empty() { &nameless } else { &names };
        for group in &rule.groups {
            for resource in &rule.resources {
                for verb in &rule.verbs {
                    let part = Part::new(group, resource, verb, words);
                    for name in names {
                        let word = name.map(|name| words.find(name));
                        if !held.iter().any(|own| part.is_covered_by(own, word)) {
                            missing.push(PolicyRule {
                                verbs: vec![verb.clone()],
                                groups: vec![group.clone()],
                                resources: vec![resource.clone()],
                                names: name.iter().map(|name| (**name).clone()).collect(),
                                urls: Vec::new(),
                            });
                        }
                    }
                }
            }
        }
        for url in &rule.urls {
            for verb in &rule.verbs {
                let number = words.find(verb);
                let covered = held.iter().any(|own| {
                    own.names.is_empty()
                        && has(&own.verbs, number)
                        && own
                            .urls
                            .iter()
                            .any(|own| url_matches(words.text(*own), url))
                });
                if !covered {
                    missing.push(PolicyRule {
                        verbs: vec![verb.clone()],
                        urls: vec![url.clone()],
                        ..PolicyRule::default()
                    });
                }
            }
        }
    }
    missing
}

/// One group, resource and verb, as numbers; `None` is a text that no role mentions.
struct Part {
    group: Option<Word>,
    resource: Option<Word>,
    /// `*/scale` for `deployments/scale`.
    of_all: Option<Word>,
    verb: Option<Word>,
}

impl Part {
    fn new(group: &str, resource: &str, verb: &str, words: &Words) -> Self {
        let subresource = resource.split_once('/').map(|(_, rest)| rest);
        Self {
            group: words.find(group),
            resource: words.find(resource),
            of_all: subresource.and_then(|rest| words.find(&format!("*/{rest}"))),
            verb: words.find(verb),
        }
    }

    /// `name`: none where the asked rule has no names; `Some(None)` for a name that no role mentions.
    fn is_covered_by(&self, own: &Rule, name: Option<Option<Word>>) -> bool {
        let named =
            own.names.is_empty() || name.flatten().is_some_and(|name| own.names.contains(&name));
        named
            && has(&own.verbs, self.verb)
            && has(&own.groups, self.group)
            && own.resources.iter().any(|resource| {
                *resource == STAR
                    || Some(*resource) == self.resource
                    || (self.of_all.is_some() && Some(*resource) == self.of_all)
            })
    }
}

fn has(list: &[Word], asked: Option<Word>) -> bool {
    list.iter().any(|own| *own == STAR || Some(*own) == asked)
}
