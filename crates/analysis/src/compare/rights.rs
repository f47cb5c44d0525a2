//! Who gained and who lost rights: in Kubernetes right by right, of Azure role by role; and whose rights
//! amount to more than before.

use std::collections::{BTreeMap, BTreeSet};

use model::{Estate, ResourceRef};

use crate::ask::{Names, Reach, Subject};
use crate::rbac::{Escalation, PolicyRule, Rbac};
use crate::roles::Roles;

use super::shown_at;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Rights that somebody has now and had not.
    pub gained: Vec<Right>,
    /// Rights that somebody had and has no more.
    pub lost: Vec<Right>,
    /// What somebody can take now beyond what they were given.
    pub escalations: Vec<Escalated>,
    /// What nobody of the same name can take any more.
    pub no_escalations: Vec<Escalated>,
}

impl Rights {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.gained.is_empty()
            && self.lost.is_empty()
            && self.escalations.is_empty()
            && self.no_escalations.is_empty()
    }
}

/// A right, with the verbs that differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// `ServiceAccount shop/web`
    pub who: String,
    /// `the cluster`, `namespace shop`, or an Azure scope.
    pub within: String,
    /// `secrets`, `deployments.apps`, `/healthz`, `*.*`; the name of an Azure role.
    pub what: String,
    /// The objects, where a rule names them.
    pub names: Vec<Box<str>>,
    /// `get`, `list`; empty for an Azure role.
    pub verbs: Vec<Box<str>>,
    /// `RoleBinding shop/reader to Role shop/reader`
    pub by: String,
}

/// What somebody can take beyond what they were given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Escalated {
    /// `ServiceAccount shop/web`
    pub who: String,
    /// `the cluster`, `namespace shop`
    pub within: String,
    /// How: the shortest way first.
    pub how: Vec<How>,
}

/// One way to more rights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct How {
    /// Its stable name.
    pub id: &'static str,
    /// `reads Secrets`
    pub title: &'static str,
    /// What it leads to.
    pub leads_to: &'static str,
}

/// One verb on one resource, or on one path.
type Atom<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

/// An estate with its analyses.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Its roles and bindings.
    pub rbac: &'a Rbac,
    /// Azure's.
    pub roles: Option<&'a Roles>,
}

/// What stands in the place of a group where the resource is a path.
const PATH: &str = "nonResourceURLs";

/// More pairs of verb and resource than that are not taken apart: a rule of thousands of names.
const MOST: usize = 20_000;

/// Compares who may do what. `minor` is Kubernetes' version.
#[must_use]
pub fn compare(old: Side<'_>, new: Side<'_>, minor: u8) -> Rights {
    let before = granted(old);
    let after = granted(new);
    let mut gained = missing(&after, &before, new.estate);
    let mut lost = missing(&before, &after, old.estate);
    let (olds, news) = (assigned(old), assigned(new));
    gained.extend(news.difference(&olds).cloned());
    lost.extend(olds.difference(&news).cloned());
    gained.sort();
    lost.sort();
    let (olds, news) = (old.rbac.escalations(minor), new.rbac.escalations(minor));
    let (olds, news) = (by_whom(&olds), by_whom(&news));
    Rights {
        gained,
        lost,
        escalations: beyond(&news, &olds),
        no_escalations: beyond(&olds, &news),
    }
}

/// What somebody can take by the new facts ([`Rbac::escalations`]) and could not by the old.
#[must_use]
pub fn escalated(old: &[Escalation], new: &[Escalation]) -> Vec<Escalated> {
    beyond(&by_whom(new), &by_whom(old))
}

/// A rule with the binding and role that give it.
type Given = (PolicyRule, ResourceRef, ResourceRef);

fn granted(side: Side<'_>) -> BTreeMap<(Subject, Reach), Vec<Given>> {
    let mut all: BTreeMap<(Subject, Reach), Vec<Given>> = BTreeMap::new();
    for grant in side.rbac.granted() {
        all.entry((grant.subject, grant.reach)).or_default().push((
            grant.rule,
            grant.binding,
            grant.role,
        ));
    }
    all
}

/// A resource, the names of its objects, and what gives a right to it.
type What = (String, Vec<Box<str>>, String);

/// What is in one and not covered by the other.
fn missing(
    here: &BTreeMap<(Subject, Reach), Vec<Given>>,
    there: &BTreeMap<(Subject, Reach), Vec<Given>>,
    estate: &Estate,
) -> Vec<Right> {
    let mut rights = Vec::new();
    let none = Vec::new();
    for ((subject, reach), given) in here {
        let own = there
            .get(&(subject.clone(), reach.clone()))
            .unwrap_or(&none);
        let everywhere = there
            .get(&(subject.clone(), Reach::Cluster))
            .filter(|_| *reach != Reach::Cluster)
            .unwrap_or(&none);
        let covering: Vec<&PolicyRule> = own
            .iter()
            .chain(everywhere)
            .map(|(rule, _, _)| rule)
            .collect();
        let mut found: BTreeMap<What, BTreeSet<Box<str>>> = BTreeMap::new();
        for (rule, binding, role) in given {
            if covering.contains(&rule) {
                continue;
            }
            let by = || {
                format!(
                    "{} to {}",
                    shown_at(estate, *binding),
                    shown_at(estate, *role)
                )
            };
            for (verb, group, resource, name) in atoms(rule) {
                if covering
                    .iter()
                    .any(|old| covers(old, (verb, group, resource, name)))
                {
                    continue;
                }
                let what = what(group, resource);
                let names = name.map(Box::from).into_iter().collect();
                found
                    .entry((what, names, by()))
                    .or_default()
                    .insert(verb.into());
            }
        }
        for ((what, names, by), verbs) in found {
            rights.push(Right {
                who: who(subject),
                within: within(reach),
                what,
                names,
                verbs: verbs.into_iter().collect(),
                by,
            });
        }
    }
    rights
}

/// Each verb, group, resource and name of a rule; a path has no group, and stands for the resource.
fn atoms(rule: &PolicyRule) -> Vec<Atom<'_>> {
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    for verb in &rule.verbs {
        for url in &rule.urls {
            atoms.push((verb, PATH, url, None));
        }
        for group in &rule.groups {
            for resource in &rule.resources {
                if atoms.len() > MOST {
                    return atoms;
                }
                if rule.names.is_empty() {
                    atoms.push((verb, group, resource, None));
                }
                for name in &rule.names {
                    atoms.push((verb, group, resource, Some(name)));
                }
            }
        }
    }
    atoms
}

/// Whether a rule gives all of it (pkg/registry/rbac/validation, `ruleCovers`).
fn covers(rule: &PolicyRule, (verb, group, resource, name): Atom<'_>) -> bool {
    let has =
        |list: &[Box<str>], word: &str| list.iter().any(|own| **own == *word || &**own == "*");
    if !has(&rule.verbs, verb) {
        return false;
    }
    if group == PATH {
        return rule.urls.iter().any(|url| {
            **url == *resource
                || url
                    .strip_suffix('*')
                    .is_some_and(|head| resource.starts_with(head))
        });
    }
    let of_all = resource
        .split_once('/')
        .map(|(_, subresource)| format!("*/{subresource}"));
    let resources = has(&rule.resources, resource)
        || of_all.is_some_and(|of_all| rule.resources.iter().any(|own| **own == *of_all));
    let names = rule.names.is_empty()
        || name.is_some_and(|name| rule.names.iter().any(|own| **own == *name));
    has(&rule.groups, group) && resources && names
}

/// `secrets`, `deployments.apps`
fn what(group: &str, resource: &str) -> String {
    if group == PATH {
        // `*` is every path.
        if resource == "*" { "/*" } else { resource }.to_owned()
    } else if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

fn who(subject: &Subject) -> String {
    format!("{} {}", subject.kind(), subject.name())
}

fn within(reach: &Reach) -> String {
    match reach {
        Reach::Cluster => "the cluster".to_owned(),
        Reach::Namespace(namespace) => format!("namespace {namespace}"),
        Reach::NamespaceNotGiven => "a namespace that its file does not say".to_owned(),
    }
}

fn assigned(side: Side<'_>) -> BTreeSet<Right> {
    let Some(roles) = side.roles else {
        return BTreeSet::new();
    };
    roles
        .assignments()
        .iter()
        .map(|assignment| Right {
            who: roles.name(&assignment.who),
            within: assignment.scope.to_string(),
            what: if assignment.eligible {
                format!("{} (when activated)", assignment.role.name())
            } else {
                assignment.role.name().to_owned()
            },
            names: Vec::new(),
            verbs: Vec::new(),
            by: "an Azure role assignment".to_owned(),
        })
        .collect()
}

/// Who can take what, where; the ways in the order of the facts.
type Escalations = BTreeMap<(String, String), Vec<How>>;

fn by_whom(facts: &[Escalation]) -> Escalations {
    let mut all = Escalations::new();
    for escalation in facts {
        for held in &escalation.held {
            let mut within = within(&held.reach);
            if let Names::Only(names) = &held.names {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                within.push_str(&format!(", only {}", names.join(", ")));
            }
            all.entry((who(&held.subject), within))
                .or_default()
                .push(How {
                    id: escalation.id,
                    title: escalation.title,
                    leads_to: escalation.leads_to,
                });
        }
    }
    all
}

/// What is in one and not in the other.
fn beyond(here: &Escalations, there: &Escalations) -> Vec<Escalated> {
    let mut found = Vec::new();
    for ((who, within), ways) in here {
        let known = there.get(&(who.clone(), within.clone()));
        let how: Vec<How> = ways
            .iter()
            .filter(|way| known.is_none_or(|known| !known.contains(way)))
            .cloned()
            .collect();
        if !how.is_empty() {
            found.push(Escalated {
                who: who.clone(),
                within: within.clone(),
                how,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> PolicyRule {
        let list = |words: &[&str]| words.iter().map(|word| Box::from(*word)).collect();
        PolicyRule {
            verbs: list(verbs),
            groups: list(groups),
            resources: list(resources),
            names: list(names),
            urls: Vec::new(),
        }
    }

    #[test]
    fn a_right_is_covered_as_the_server_says() {
        let all = rule(&["*"], &["*"], &["*"], &[]);
        let logs = rule(&["get"], &[""], &["*/log"], &[]);
        let one = rule(&["get"], &[""], &["secrets"], &["a"]);
        assert!(covers(&all, ("get", "apps", "deployments", None)));
        assert!(covers(&all, ("*", "*", "*", None)));
        assert!(covers(&logs, ("get", "", "pods/log", None)));
        assert!(!covers(&logs, ("get", "", "pods", None)));
        assert!(covers(&one, ("get", "", "secrets", Some("a"))));
        assert!(!covers(&one, ("get", "", "secrets", Some("b"))));
        assert!(!covers(&one, ("get", "", "secrets", None)));
        assert!(!covers(&one, ("*", "", "secrets", Some("a"))));
        let healthz = PolicyRule {
            verbs: vec!["get".into()],
            urls: vec!["/healthz/*".into()],
            ..PolicyRule::default()
        };
        assert!(covers(&healthz, ("get", PATH, "/healthz/etcd", None)));
        assert!(!covers(&healthz, ("get", PATH, "/metrics", None)));
        assert!(!covers(&all, ("get", PATH, "/metrics", None)));
    }
}
