//! Kubernetes RBAC as the API server evaluates it: who may do what, and what amounts to more rights.
//!
//! Follows kubernetes plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac (v1.34) to the letter; the tests
//! put the same questions to that code and to a running API server. An [`Rbac`] is made from an estate once;
//! then
//!
//! - [`Rbac::can`] says whether somebody may do something, and by which binding and rule,
//! - [`Rbac::rights_of`] says what somebody was given,
//! - [`Rbac::who_can`] says who may, [`Sweep`] the same for very many questions,
//! - [`Rbac::may_bind`] and [`Rbac::may_write_role`] say what the API server's check against escalation would,
//! - [`Rbac::escalations`] says whose rights amount to more than they seem.
//!
//! What is not said by roles and bindings is left out: the Node authorizer, webhooks (Azure RBAC is
//! [`crate::roles`]), admission. A *no* says whether everything was known on which it rests.
//!
//! | module | holds |
//! |---|---|
//! | `words` | texts as numbers |
//! | `read` | roles, bindings and subjects as objects |
//! | `aggregate` | ClusterRoles that are the sum of others |
//! | `rule` | whether a rule allows a request |
//! | `table` | who may, from rules back to subjects |
//! | `cover` | the checks against escalation |
//! | `escalations` | rights that amount to more |
//! | `doers` | who may do what takes several rights in one request, binding by binding |
//! | `granted` | every rule of every subject |
//! | `bootstrap` | the roles that every cluster has |
//! | [`resources`] | what people call the resources of the API |
//! | `review` | the API server's own words for an answer |

mod aggregate;
mod bootstrap;
mod cover;
mod doers;
pub(crate) mod escalations;
mod granted;
mod read;
pub mod resources;
mod review;
mod rule;
mod table;
mod words;

pub use bootstrap::add_bootstrap;
pub use cover::{BindAnswer, RoleKindRef, WriteAnswer};
pub(crate) use doers::{BindingView, Part};
pub use escalations::{Escalation, Escalations, Held, powers};
pub use granted::Granted;
pub use review::reason;
pub use rule::PolicyRule;
pub use table::{Counts, Found, Grant, Sweep, WhoCan};

use std::collections::{BTreeMap, BTreeSet};

use model::completeness::{Completeness, Within as Place};
use model::{Estate, ResourceRef, Scope};

use crate::ask::{
    Answer, Attributes, Evidence, Ground, Reach, Requester, Subject, Target, Why, Within,
};
use read::{Binding, NOBODY, Objects, Role, RoleKind, Space, Subjects};
use rule::{Asked, Match, Rule};
use words::{Word, Words};

/// All roles and bindings of an estate, indexed both ways.
#[derive(Debug)]
pub struct Rbac {
    words: Words,
    rules: Vec<Rule>,
    roles: Vec<Role>,
    /// ClusterRoleBindings first.
    bindings: Vec<Binding>,
    subjects: Subjects,
    /// The bindings of each subject, ascending.
    of_subject: Vec<Vec<u32>>,
    table: table::Table,
    known: Known,
}

/// A rule that somebody was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// where
    pub reach: Reach,
    /// what
    pub rule: PolicyRule,
    /// under which condition, in its own words
    pub condition: Option<Box<str>>,
    /// by what
    pub evidence: Evidence,
}

/// Of which kinds everything is known.
#[derive(Debug)]
struct Known {
    completeness: Completeness,
    scope: Scope,
    /// The roles that every cluster has are there.
    builtin: bool,
}

impl Known {
    /// Why the absence of something proves nothing, kind by kind; nothing where all is known.
    fn gaps(&self, within: Within<'_>) -> Vec<String> {
        let mut gaps: Vec<String> = self
            .absent(within)
            .map(|(kind, reason)| match self.completeness.describe(reason) {
                Some(why) => why.to_owned(),
                None => format!("not every {kind} was given"),
            })
            .collect();
        if !self.builtin {
            gaps.push("the built-in roles of Kubernetes were not given".to_owned());
        }
        gaps
    }

    /// The kinds whose absence proves nothing, and why.
    fn absent<'a>(
        &'a self,
        within: Within<'a>,
    ) -> impl Iterator<Item = (&'static str, cel::Unknown)> + 'a {
        let place = match within {
            Within::Cluster => None,
            Within::Anywhere => Some(Place::Everywhere),
            Within::Namespace(namespace) => Some(Place::Namespace(namespace)),
        };
        let cluster = ["ClusterRole", "ClusterRoleBinding"].map(|kind| (kind, Place::Everywhere));
        let namespaced = ["Role", "RoleBinding"];
        let namespaced = place
            .into_iter()
            .flat_map(move |place| namespaced.map(|kind| (kind, place)));
        cluster
            .into_iter()
            .chain(namespaced)
            .filter_map(move |(kind, place)| {
                let reason = self.completeness.absent(self.scope, kind, place)?;
                Some((kind, reason))
            })
    }
}

impl Rbac {
    /// Reads the Roles, ClusterRoles, RoleBindings and ClusterRoleBindings of an estate.
    #[must_use]
    pub fn new(estate: &Estate) -> Self {
        Self::of(Objects::read(estate, None), estate)
    }

    /// The same without what belongs to other namespaces than some: it says of those what the whole says.
    #[must_use]
    pub(crate) fn of_namespaces(estate: &Estate, namespaces: &BTreeSet<Box<str>>) -> Self {
        Self::of(Objects::read(estate, Some(namespaces)), estate)
    }

    fn of(mut objects: Objects, estate: &Estate) -> Self {
        aggregate::aggregate(&mut objects, estate);
        resolve(&mut objects, estate);
        let mut of_subject = vec![Vec::new(); objects.subjects.list.len()];
        for (number, binding) in objects.bindings.iter().enumerate() {
            for subject in binding.subjects.iter().filter(|one| **one != NOBODY) {
                if let Some(list) = of_subject.get_mut(*subject as usize)
                    && list.last() != Some(&(number as u32))
                {
                    list.push(number as u32);
                }
            }
        }
        let has_builtin = objects.words.find("cluster-admin").is_some_and(|name| {
            objects
                .roles
                .iter()
                .any(|role| role.kind == RoleKind::ClusterRole && role.name == name)
        });
        Self {
            table: table::Table::new(&objects),
            words: objects.words,
            rules: objects.rules.list,
            roles: objects.roles,
            bindings: objects.bindings,
            subjects: objects.subjects,
            of_subject,
            known: Known {
                completeness: estate.completeness.clone(),
                scope: estate.scope,
                builtin: has_builtin,
            },
        }
    }

    /// What a *no* rests on. Files may be declared whole; the roles that every cluster has must be among
    /// them all the same.
    #[must_use]
    pub fn ground(&self, within: Within<'_>) -> Ground {
        // One gap is enough, and no words are made: it is asked for every review.
        if self.known.builtin && self.known.absent(within).next().is_none() {
            Ground::Complete
        } else {
            Ground::ByWhatWasGiven
        }
    }

    /// What was not given, a clause each; empty where a *no* is final.
    #[must_use]
    pub fn gaps(&self, within: Within<'_>) -> Vec<String> {
        self.known.gaps(within)
    }

    /// Everybody whom a binding names.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects.list
    }

    /// The API groups and resources that roles name together, without `*`.
    #[must_use]
    pub fn resources_named(&self) -> BTreeSet<(&str, &str)> {
        let mut named = BTreeSet::new();
        for rule in &self.rules {
            for group in rule.groups.iter().filter(|group| **group != words::STAR) {
                for resource in rule.resources.iter().filter(|one| **one != words::STAR) {
                    named.insert((self.words.text(*group), self.words.text(*resource)));
                }
            }
        }
        named
    }

    /// How many roles and bindings there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.roles.len(), self.bindings.len())
    }

    /// Whether somebody may do something. Groups are those that the requester says.
    #[must_use]
    pub fn can(&self, requester: &Requester<'_>, attributes: &Attributes<'_>) -> Answer {
        if requester.is_master() {
            return Answer::Yes(Evidence::Masters);
        }
        let asked = Asked::new(attributes, &self.words);
        let namespace = match attributes.target {
            Target::Resource(target) => target.namespace,
            Target::Path(_) => "",
        };
        let mine = self.numbers_of(requester);
        let mut conditional = None;
        let mut whys = Vec::new();
        for number in self.bindings_of(&mine, namespace) {
            let Some(binding) = self.bindings.get(number as usize) else {
                continue;
            };
            let subject = binding.subjects.iter().position(|one| mine.contains(one));
            let subject = subject.unwrap_or_default() as u32;
            if binding.roles.is_empty() {
                whys.extend(self.unresolved(binding));
            }
            for role in &binding.roles {
                let Some((role, at)) = self.allowed_by(*role, &asked) else {
                    continue;
                };
                let evidence = Evidence::Binding {
                    binding: binding.resource,
                    subject,
                    role: role.resource,
                    rule: (at.written, at.index),
                };
                if binding.space == Space::NotGiven {
                    whys.push(self.no_namespace(binding));
                } else if let Some(condition) = self.condition(binding) {
                    conditional.get_or_insert((evidence, condition));
                } else {
                    return Answer::Yes(evidence);
                }
            }
        }
        match conditional {
            Some((evidence, condition)) => Answer::If {
                evidence,
                condition,
            },
            None if whys.is_empty() => Answer::No(self.ground(match namespace {
                "" => Within::Cluster,
                namespace => Within::Namespace(namespace),
            })),
            None => Answer::Unknown(whys),
        }
    }

    /// Everything that somebody was given, a rule each, and by what. Those of cluster-wide bindings come first.
    #[must_use]
    pub fn rights_of(&self, requester: &Requester<'_>) -> Vec<Right> {
        let mine = self.numbers_of(requester);
        let mut numbers: Vec<u32> = mine
            .iter()
            .filter_map(|subject| self.of_subject.get(*subject as usize))
            .flatten()
            .copied()
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut rights = Vec::new();
        for binding in numbers
            .iter()
            .filter_map(|at| self.bindings.get(*at as usize))
        {
            let subject = binding.subjects.iter().position(|one| mine.contains(one));
            for role in binding
                .roles
                .iter()
                .filter_map(|at| self.roles.get(*at as usize))
            {
                for at in &role.rules {
                    let Some(rule) = self.rules.get(at.rule as usize) else {
                        continue;
                    };
                    rights.push(Right {
                        reach: self.reach(binding.space),
                        rule: rule.shown(&self.words),
                        condition: self.condition(binding),
                        evidence: Evidence::Binding {
                            binding: binding.resource,
                            subject: subject.unwrap_or_default() as u32,
                            role: role.resource,
                            rule: (at.written, at.index),
                        },
                    });
                }
            }
        }
        rights
    }

    /// What keeps anybody from saying all that somebody was given: bindings of theirs whose role was not given.
    #[must_use]
    pub fn rights_open(&self, requester: &Requester<'_>) -> Vec<Why> {
        let mine = self.numbers_of(requester);
        let mut numbers: Vec<u32> = mine
            .iter()
            .filter_map(|subject| self.of_subject.get(*subject as usize))
            .flatten()
            .copied()
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .iter()
            .filter_map(|at| self.bindings.get(*at as usize))
            .filter(|binding| binding.roles.is_empty())
            .filter_map(|binding| self.unresolved(binding))
            .collect()
    }

    /// The numbers of a user and of the groups of one.
    fn numbers_of(&self, requester: &Requester<'_>) -> Vec<u32> {
        let user = self.subjects.user(requester.user);
        let groups = requester.groups.iter();
        user.into_iter()
            .chain(groups.filter_map(|group| self.subjects.group(group)))
            .collect()
    }

    /// The bindings of any of these subjects that count in a namespace (empty: in none), in the order in
    /// which the authorizer visits them, and after them those that do not say their namespace.
    fn bindings_of(&self, subjects: &[u32], namespace: &str) -> Vec<u32> {
        let within = (!namespace.is_empty())
            .then(|| self.words.find(namespace))
            .flatten();
        let counts = |number: &&u32| {
            self.bindings
                .get(**number as usize)
                .is_some_and(|binding| match binding.space {
                    Space::Cluster => true,
                    Space::In(own) => Some(own) == within,
                    Space::NotGiven => !namespace.is_empty(),
                })
        };
        let mut found: Vec<u32> = subjects
            .iter()
            .filter_map(|subject| self.of_subject.get(*subject as usize))
            .flat_map(|list| list.iter().filter(counts))
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn allowed_by(&self, role: u32, asked: &Asked<'_>) -> Option<(&Role, read::RuleAt)> {
        let role = self.roles.get(role as usize)?;
        let at = role.rules.iter().find(|at| {
            self.rules
                .get(at.rule as usize)
                .is_some_and(|rule| rule.matches(asked, &self.words) == Match::Yes)
        })?;
        Some((role, *at))
    }

    /// Under which condition a binding gives its role; none for nearly all.
    fn condition(&self, binding: &Binding) -> Option<Box<str>> {
        let (number, kind, name) = if binding.rivals > 0 {
            (binding.rivals + 1, kind_of(binding), binding.name)
        } else if binding.roles.len() > 1 {
            let number = binding.roles.len() as u32;
            (number, word(binding.role_kind), binding.role_name)
        } else {
            return None;
        };
        let name = self.words.text(name);
        let text = format!(
            "this is the one in force of {number} different {kind}s `{name}` that were given"
        );
        Some(text.into())
    }

    /// Why nobody can say what a binding gives; nothing where it surely gives nothing.
    fn unresolved(&self, binding: &Binding) -> Option<Why> {
        let known = match binding.space {
            Space::Cluster => self.ground(Within::Cluster),
            Space::In(namespace) => self.ground(Within::Namespace(self.words.text(namespace))),
            Space::NotGiven => Ground::ByWhatWasGiven,
        };
        if binding.role_kind == RoleKind::Other || known == Ground::Complete {
            return None;
        }
        let text = format!(
            "{} names {} `{}`, which was not given",
            self.shown(binding),
            word(binding.role_kind),
            self.words.text(binding.role_name)
        );
        Some(Why {
            text: text.into(),
            resource: Some(binding.resource),
        })
    }

    fn no_namespace(&self, binding: &Binding) -> Why {
        Why {
            text: format!("{} does not say its namespace", self.shown(binding)).into(),
            resource: Some(binding.resource),
        }
    }

    /// `RoleBinding shop/reader`
    fn shown(&self, binding: &Binding) -> String {
        let name = self.words.text(binding.name);
        match binding.space {
            Space::In(namespace) => {
                format!("RoleBinding `{}/{name}`", self.words.text(namespace))
            }
            _ => format!("{} `{name}`", kind_of(binding)),
        }
    }
}

fn kind_of(binding: &Binding) -> &'static str {
    if binding.space == Space::Cluster {
        "ClusterRoleBinding"
    } else {
        "RoleBinding"
    }
}

const fn word(kind: RoleKind) -> &'static str {
    match kind {
        RoleKind::Role => "Role",
        RoleKind::ClusterRole => "ClusterRole",
        RoleKind::Other => "role",
    }
}

/// Finds the role of each binding: a Role in the binding's own namespace, a ClusterRole by its name
/// (`GetRoleReferenceRules`). Counts what has the same name.
fn resolve(objects: &mut Objects, estate: &Estate) {
    let mut named: BTreeMap<(RoleKind, Space, Word), Vec<u32>> = BTreeMap::new();
    for (number, role) in objects.roles.iter().enumerate() {
        let same = named.entry((role.kind, role.space, role.name)).or_default();
        // What was given twice alike is one.
        let alike = same.iter().any(|other| {
            objects
                .roles
                .get(*other as usize)
                .is_some_and(|other| rules_of(other).eq(rules_of(role)))
        });
        if !alike {
            same.push(number as u32);
        }
    }
    type Said<'a> = (RoleKind, Word, &'a [u32]);
    let mut rivals: BTreeMap<(Space, Word), BTreeSet<Said<'_>>> = BTreeMap::new();
    for binding in &objects.bindings {
        rivals
            .entry((binding.space, binding.name))
            .or_default()
            .insert((binding.role_kind, binding.role_name, &binding.subjects));
    }
    // Two files without a namespace, or with a name that is only made up later, need not collide.
    let collides = |binding: &Binding| {
        binding.space != Space::NotGiven && !is_generated(estate, binding.resource)
    };
    let rivals: Vec<u32> = objects
        .bindings
        .iter()
        .map(|binding| {
            let others = rivals
                .get(&(binding.space, binding.name))
                .map_or(0, |same| same.len().saturating_sub(1));
            if collides(binding) { others as u32 } else { 0 }
        })
        .collect();
    for (binding, rivals) in objects.bindings.iter_mut().zip(rivals) {
        binding.rivals = rivals;
        let space = match binding.role_kind {
            RoleKind::Role => binding.space,
            RoleKind::ClusterRole => Space::Cluster,
            RoleKind::Other => continue,
        };
        // A ClusterRoleBinding can name no Role.
        if let Some(roles) = named.get(&(binding.role_kind, space, binding.role_name)) {
            binding.roles.clone_from(roles);
        }
    }
}

fn rules_of(role: &Role) -> impl Iterator<Item = u32> + '_ {
    role.rules.iter().map(|at| at.rule)
}

fn is_generated(estate: &Estate, id: ResourceRef) -> bool {
    estate
        .get(id)
        .is_some_and(|resource| resource.name.name.ends_with('*'))
}
