//! What of roles was used, as the guide reads it: `params.usedRights`, which `--audit` fills in.
//!
//! For each Role and ClusterRole that bindings give to somebody in the log: the rules that were needed of it, by all
//! of its holders together, and what was not. A role that nobody in the log holds is left out: that somebody was
//! not there says nothing of what they need. Roles that Kubernetes keeps itself, and aggregated ones, are left out
//! too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ::audit::Losses;
use ::audit::learn::{Atom, AtomWhat, Identity, Learned, Limits, compose};
use ::audit::time;
use analysis::ask::{Reach, SERVICE_ACCOUNT_PREFIX, Subject};
use analysis::rbac::{Granted, PolicyRule, Rbac, powers};
use guide::Guide;
use model::kinds::Kind;
use model::{Estate, Resource, ResourceRef};
use serde_json::{Map, Value, json};

use super::{learn, logs};
use crate::choices;
use crate::commands::estate::{self, EstateArgs};
use crate::failure::Failure;

/// The key that guidelines read.
const KEY: &str = "usedRights";

const KINDS: [&str; 4] = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

/// Verbs that leave things as they are.
pub(super) const READS: [&str; 3] = ["get", "list", "watch"];

/// Reads logs and the roles of an estate, and has its guidelines know what was used.
pub(crate) fn learn(
    paths: &[PathBuf],
    args: &EstateArgs,
    config: Option<&Path>,
    kubernetes: Option<&str>,
    guide: &Guide,
) -> anyhow::Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "with `--audit` what is judged is read twice, and standard input only once",
        )
        .help("write it to a file first")
        .into());
    }
    let logs = logs::open(
        paths,
        None,
        sources::blob::Span::default(),
        &logs::access(None)?,
    )?;
    let (learned, losses) = logs.read(|| Learned::new(Limits::default()))?;
    logs.tell(&losses)?;
    let mut opened = args.open()?;
    let config = opened.configuration(config, &args.paths, guide)?;
    let minor = choices::kubernetes(kubernetes, &config, guide, || opened.kubernetes_minor())?;
    let wants = |kind: &Kind| KINDS.iter().any(|name| kind.is(name));
    let (estate, _) = estate::read(args, opened, guide, minor, false, &wants)?;
    let used = rights(&estate, &learned, &losses);
    // Once: the same files are read again for each proof of a fix, and judged by the same log.
    let _ = args.learned.set(json!({ KEY: used }));
    Ok(())
}

/// What was used of each role, by `KIND/NAMESPACE/NAME`.
fn rights(estate: &Estate, learned: &Learned, losses: &Losses) -> Value {
    let rbac = Rbac::new(estate);
    let mut roles: BTreeMap<ResourceRef, Holders<'_>> = BTreeMap::new();
    let identities = learned.identities();
    for granted in rbac.granted() {
        let holders = roles.entry(granted.role).or_default();
        if !holders.rules.contains(&granted.rule) {
            holders.rules.push(granted.rule.clone());
        }
        for (user, identity) in &identities {
            if is_held_by(&granted, user, identity) {
                holders.users.insert(user, identity);
                holders.take(&granted, identity);
            }
        }
    }
    let mut all = Map::new();
    for (role, holders) in roles {
        let Some(role) = estate.get(role).filter(|role| is_own(role)) else {
            continue;
        };
        if !holders.users.is_empty() {
            all.insert(key(role), holders.used(losses));
        }
    }
    Value::Object(all)
}

/// How the guideline finds a role.
fn key(role: &Resource) -> String {
    let name = &role.name;
    let namespace = name.namespace.as_deref().unwrap_or_default();
    format!("{}/{namespace}/{}", name.kind.name(), name.name)
}

/// Neither Kubernetes' own nor a sum of others.
fn is_own(role: &Resource) -> bool {
    let object = role.object();
    let label = object.path(&["metadata", "labels", "kubernetes.io/bootstrapping"]);
    label.is_none() && object.get("aggregationRule").is_none()
}

pub(super) fn is_held_by(granted: &Granted, user: &str, identity: &Identity) -> bool {
    match &granted.subject {
        Subject::User(name) => **name == *user,
        Subject::Group(name) => identity.groups.contains(name),
        Subject::ServiceAccount { namespace, name } => user
            .strip_prefix(SERVICE_ACCOUNT_PREFIX)
            .and_then(|rest| rest.split_once(':'))
            .is_some_and(|of| of == (&**namespace, &**name)),
        Subject::Principal { .. } => false,
    }
}

/// Those who hold a role, and what they used of it.
#[derive(Default)]
struct Holders<'l> {
    users: BTreeMap<&'l str, &'l Identity>,
    rules: Vec<PolicyRule>,
    /// without the namespace, which a binding says and not the role
    used: Vec<Atom>,
}

impl Holders<'_> {
    /// What somebody used that a rule of the role allows where it is bound.
    fn take(&mut self, granted: &Granted, identity: &Identity) {
        for atom in identity.atoms() {
            let within = atom.namespace.as_deref();
            let there = match &granted.reach {
                Reach::Cluster => true,
                Reach::Namespace(namespace) => within == Some(namespace),
                Reach::NamespaceNotGiven => within.is_some(),
            };
            let atom = Atom {
                namespace: None,
                count: 0,
                any_name: false,
                everywhere: false,
                ..atom
            };
            if there
                && let Some(atom) = allowed(&granted.rule, &atom)
                && !self.used.contains(&atom)
            {
                self.used.push(atom);
            }
        }
    }

    fn used(&self, losses: &Losses) -> Value {
        let reads = losses.without_reads == 0 && losses.reads > 0;
        let mut atoms = self.used.clone();
        if !reads {
            let rules = self.rules.iter();
            atoms.extend(rules.flat_map(read_rights));
        }
        let rules: Vec<Value> = compose(&atoms, false)
            .iter()
            .flat_map(|grant| grant.rules.iter().map(learn::rule))
            .collect();
        let unused = self.unused(&atoms);
        let first = self.users.values().filter_map(|one| one.first).min();
        let last = self.users.values().filter_map(|one| one.last).max();
        let shown = |at: Option<i64>| at.map(time::shown).unwrap_or_default();
        let days: BTreeSet<i64> = self
            .users
            .values()
            .flat_map(|one| one.days.iter().copied())
            .collect();
        json!({
            "rules": rules,
            "unused": unused,
            "enables": self.enables(&atoms),
            "holders": self.users.keys().collect::<Vec<_>>(),
            "grantsRights": self.users.values().any(|one| one.grants_rights),
            "undecided": self.users.values().map(|one| one.undecided).sum::<u64>(),
            "readsLogged": reads,
            "days": days.len(),
            "first": shown(first),
            "last": shown(last),
        })
    }

    /// What rules give and nobody used: a verb and a resource each, `*` as it is written.
    fn unused(&self, atoms: &[Atom]) -> Vec<String> {
        let mut unused = BTreeSet::new();
        for rule in &self.rules {
            for verb in &rule.verbs {
                for url in &rule.urls {
                    let used = atoms.iter().any(|atom| {
                        (atom.verb == *verb || &**verb == "*")
                            && matches!(&atom.what, AtomWhat::Path(path) if url_is(url, path))
                    });
                    if !used || &**verb == "*" {
                        unused.insert(format!("{verb} {url}"));
                    }
                }
                for group in &rule.groups {
                    for resource in &rule.resources {
                        let wide = [verb, group, resource].iter().any(|one| &***one == "*");
                        let used = atoms.iter().any(|atom| {
                            let AtomWhat::Resource {
                                group: of,
                                resource: own,
                                ..
                            } = &atom.what
                            else {
                                return false;
                            };
                            atom.verb == *verb && of == group && own == resource
                        });
                        if wide || !used {
                            let group = match &**group {
                                "" => String::new(),
                                group => format!(".{group}"),
                            };
                            unused.insert(format!("{verb} {resource}{group}"));
                        }
                    }
                }
            }
        }
        unused.into_iter().collect()
    }

    /// The steps of attackers that the role's rules give a part of and the used ones do not.
    fn enables(&self, atoms: &[Atom]) -> Vec<&'static str> {
        let of = |rules: &mut dyn Iterator<Item = PolicyRule>| -> BTreeSet<&'static str> {
            rules.flat_map(|rule| powers(&rule)).collect()
        };
        let before = of(&mut self.rules.iter().cloned());
        let after = of(&mut atoms.iter().map(policy_rule));
        before.difference(&after).copied().collect()
    }
}

/// What a rule allows of what was used: all, some names of it, or nothing.
pub(super) fn allowed(rule: &PolicyRule, atom: &Atom) -> Option<Atom> {
    let has =
        |list: &[Box<str>], wanted: &str| list.iter().any(|own| **own == *wanted || &**own == "*");
    if !has(&rule.verbs, &atom.verb) {
        return None;
    }
    match &atom.what {
        AtomWhat::Path(path) => rule
            .urls
            .iter()
            .any(|url| url_is(url, path))
            .then(|| atom.clone()),
        AtomWhat::Resource {
            group,
            resource,
            names,
        } => {
            let of_all = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
            let named = has(&rule.resources, resource)
                || of_all.is_some_and(|of_all| rule.resources.iter().any(|own| **own == of_all));
            if !named || !has(&rule.groups, group) {
                return None;
            }
            if rule.names.is_empty() {
                return Some(atom.clone());
            }
            // Of a use of any name nobody says which were among the rule's: all of them stay.
            let kept: BTreeSet<Box<str>> = match names {
                None => rule.names.iter().cloned().collect(),
                Some(names) => names
                    .iter()
                    .filter(|name| rule.names.contains(name))
                    .cloned()
                    .collect(),
            };
            (!kept.is_empty()).then(|| Atom {
                what: AtomWhat::Resource {
                    group: group.clone(),
                    resource: resource.clone(),
                    names: Some(kept),
                },
                ..atom.clone()
            })
        }
    }
}

fn url_is(own: &str, path: &str) -> bool {
    own == path
        || own
            .strip_suffix('*')
            .is_some_and(|start| path.starts_with(start))
}

/// What a rule lets read, where no log says whether it was.
fn read_rights(rule: &PolicyRule) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let gives = |verb: &str| rule.verbs.iter().any(|own| **own == *verb || &**own == "*");
    for verb in READS.into_iter().filter(|verb| gives(verb)) {
        let atom = |what| Atom {
            namespace: None,
            verb: verb.into(),
            what,
            count: 0,
            any_name: false,
            everywhere: false,
        };
        for url in &rule.urls {
            atoms.push(atom(AtomWhat::Path(url.clone())));
        }
        for group in &rule.groups {
            for resource in &rule.resources {
                let names = rule.names.iter().cloned().collect::<BTreeSet<_>>();
                atoms.push(atom(AtomWhat::Resource {
                    group: group.clone(),
                    resource: resource.clone(),
                    names: (!names.is_empty()).then_some(names),
                }));
            }
        }
    }
    atoms
}

pub(super) fn policy_rule(atom: &Atom) -> PolicyRule {
    let mut rule = PolicyRule {
        verbs: vec![atom.verb.clone()],
        ..PolicyRule::default()
    };
    match &atom.what {
        AtomWhat::Path(path) => rule.urls.push(path.clone()),
        AtomWhat::Resource {
            group,
            resource,
            names,
        } => {
            rule.groups.push(group.clone());
            rule.resources.push(resource.clone());
            rule.names.extend(names.iter().flatten().cloned());
        }
    }
    rule
}
