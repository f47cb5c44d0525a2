//! What somebody may do in the cluster, and who may do something to an object, as far as who looks sees it.
//!
//! Who does not see everything is told only of rights in their namespaces that are given there: what is given elsewhere
//! tells of elsewhere.
//!
//! What it deliberately leaves out: Azure's roles (`seawall who-can` tells of both).

use std::collections::BTreeSet;

use analysis::Analyses;
use analysis::ask::{
    Attributes, Evidence, Holder, Question, Reach, Requester, ResourceTarget, Subject, Target,
    Within,
};
use model::{Estate, Resource, ResourceRef};
use report::rights::{By, Place, Row, Words};

use super::sight::Sight;

/// What a binding gives.
#[derive(Debug)]
pub(super) struct Given {
    /// `RoleBinding shop/reader`, and its address.
    pub(super) binding: (String, String),
    /// `ClusterRole view`, and its address where it is no built-in one.
    pub(super) role: (String, Option<String>),
    /// `everywhere`, `in shop`.
    pub(super) place: String,
    /// `get, list pods`, a rule each.
    pub(super) rules: Vec<String>,
}

/// What somebody holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) given: Vec<Given>,
    /// What it amounts to: `reads Secrets`, where.
    pub(super) amounts: Vec<(String, String)>,
}

/// Rules that are shown of a binding.
const RULES: usize = 12;

/// What a service account may do.
pub(super) fn of_account(
    analyses: &Analyses<'_>,
    sight: &Sight,
    namespace: &str,
    name: &str,
) -> Held {
    let rights = analyses.rights();
    let user = format!("system:serviceaccount:{namespace}:{name}");
    let requester = Requester {
        user: &user,
        ..Requester::default()
    }
    .with_implied_groups();
    let mut held = Held::default();
    let mut last: Option<(ResourceRef, ResourceRef)> = None;
    let seen = |reach: &Reach| match reach {
        Reach::Namespace(namespace) => sight.sees_namespace(namespace),
        Reach::Cluster | Reach::NamespaceNotGiven => sight.is_everything(),
    };
    for right in rights.rbac.rights_of(&requester) {
        let Evidence::Binding { binding, role, .. } = right.evidence else {
            continue;
        };
        let (Some(by), Some(of)) = (rights.estate.get(binding), rights.estate.get(role)) else {
            continue;
        };
        if !seen(&right.reach) || is_for_everybody(by) {
            continue;
        }
        let rule = rule(&right.rule);
        if sight.hides(&rule) || sight.hides(&of.name.name) {
            continue;
        }
        if last != Some((binding, role)) {
            last = Some((binding, role));
            held.given.push(Given {
                binding: (called(by), by.origin.path.to_string()),
                role: (
                    called(of),
                    of.origin.live.then(|| of.origin.path.to_string()),
                ),
                place: place(&right.reach),
                rules: Vec::new(),
            });
        }
        if let Some(given) = held.given.last_mut() {
            given.rules.push(rule);
        }
    }
    for given in &mut held.given {
        let more = given.rules.len().saturating_sub(RULES);
        given.rules.truncate(RULES);
        if more > 0 {
            given.rules.push(format!("and {more} more rules"));
        }
    }
    let subject = Subject::ServiceAccount {
        namespace: namespace.into(),
        name: name.into(),
    };
    held.amounts = amounts(analyses, sight, &subject);
    held
}

/// What a service account's rights amount to.
pub(super) fn amounts(
    analyses: &Analyses<'_>,
    sight: &Sight,
    subject: &Subject,
) -> Vec<(String, String)> {
    let seen = |reach: &Reach| match reach {
        Reach::Namespace(namespace) => sight.sees_namespace(namespace),
        Reach::Cluster | Reach::NamespaceNotGiven => sight.is_everything(),
    };
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for (escalation, held) in analyses.escalations_of(subject) {
        if seen(&held.reach) {
            found.insert((escalation.title.to_owned(), place(&held.reach)));
        }
    }
    found.into_iter().collect()
}

/// Every service account has what these give; it says nothing of one (the API server makes them:
/// kubernetes/kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
fn is_for_everybody(binding: &Resource) -> bool {
    matches!(
        &*binding.name.name,
        "system:basic-user"
            | "system:discovery"
            | "system:public-info-viewer"
            | "system:service-account-issuer-discovery"
    )
}

fn rule(rule: &analysis::rbac::PolicyRule) -> String {
    let any = |list: &[Box<str>]| list.iter().any(|one| &**one == "*");
    let mut text = if any(&rule.verbs) {
        "do anything to".to_owned()
    } else {
        rule.verbs.join(", ")
    };
    let all = rule.names.is_empty() && rule.urls.is_empty();
    if all && any(&rule.resources) && any(&rule.groups) {
        return format!("{text} every resource");
    }
    let resources: Vec<String> = rule
        .resources
        .iter()
        .map(|resource| {
            let groups: Vec<&str> = rule.groups.iter().map(|group| &**group).collect();
            match groups.as_slice() {
                [""] | [] => resource.to_string(),
                [one] => format!("{resource}.{one}"),
                several => {
                    let named: Vec<&str> = several
                        .iter()
                        .map(|group| if group.is_empty() { "core" } else { group })
                        .collect();
                    format!("{resource} ({})", named.join(", "))
                }
            }
        })
        .collect();
    if !resources.is_empty() {
        text.push(' ');
        text.push_str(&resources.join(", "));
    }
    if !rule.names.is_empty() {
        text.push_str(&format!(" named {}", rule.names.join(", ")));
    }
    if !rule.urls.is_empty() {
        text.push_str(&format!(" {}", rule.urls.join(", ")));
    }
    text
}

fn place(reach: &Reach) -> String {
    match reach {
        Reach::Cluster => "everywhere".to_owned(),
        Reach::Namespace(namespace) => format!("in {namespace}"),
        Reach::NamespaceNotGiven => "somewhere".to_owned(),
    }
}

fn called(resource: &Resource) -> String {
    let name = &resource.name;
    match &name.namespace {
        Some(namespace) => format!("{} {namespace}/{}", name.kind.name(), name.name),
        None => format!("{} {}", name.kind.name(), name.name),
    }
}

/// The account that pods of a workload run as.
pub(super) fn account(resource: &Resource) -> Option<&str> {
    let spec = resource.pod_spec()?;
    let named = |key| spec.get(key).and_then(model::Ref::as_str);
    let named = named("serviceAccountName").or_else(|| named("serviceAccount"));
    Some(named.filter(|name| !name.is_empty()).unwrap_or("default"))
}

/// Who may do something.
#[derive(Debug)]
pub(super) struct May {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) note: Option<String>,
    pub(super) place: String,
    /// The binding, and its address.
    pub(super) by: Option<(String, String)>,
}

/// What is asked about objects of a kind: in words, and the request.
type Deed = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Of each kind what matters most (verb, group, resource, subresource).
fn deed(kind: &str) -> Option<Deed> {
    Some(match kind {
        "Secret" => ("read it", "get", "", "secrets", ""),
        "ConfigMap" => ("change it", "update", "", "configmaps", ""),
        "ServiceAccount" => ("get tokens of it", "create", "", "serviceaccounts", "token"),
        "Namespace" => ("start pods in it", "create", "", "pods", ""),
        "Pod" => ("run commands in it", "create", "", "pods", "exec"),
        "Deployment" => ("change it", "update", "apps", "deployments", ""),
        "StatefulSet" => ("change it", "update", "apps", "statefulsets", ""),
        "DaemonSet" => ("change it", "update", "apps", "daemonsets", ""),
        "CronJob" => ("change it", "update", "batch", "cronjobs", ""),
        "Job" => ("change it", "update", "batch", "jobs", ""),
        _ => return None,
    })
}

/// Who may do to an object what matters most, and what that is.
pub(super) fn who_may(
    analyses: &Analyses<'_>,
    resource: &Resource,
) -> Option<(&'static str, Vec<May>)> {
    let (words, verb, group, kind, subresource) = deed(resource.name.kind.name())?;
    let is_namespace = resource.name.kind.name() == "Namespace";
    let namespace = if is_namespace {
        &*resource.name.name
    } else {
        resource.name.namespace.as_deref()?
    };
    let rights = analyses.rights();
    let question = Question {
        attributes: Attributes {
            verb,
            target: Target::Resource(ResourceTarget {
                group,
                resource: kind,
                subresource,
                namespace,
                name: if is_namespace {
                    ""
                } else {
                    &resource.name.name
                },
                ..ResourceTarget::default()
            }),
        },
        within: Within::Namespace(namespace),
    };
    let found = rights.rbac.who_can(&question);
    let said = Words {
        estate: &rights.estate,
        name: &|_| None,
    };
    let may = found.holders.iter().map(|holder| may(&said, holder));
    Some((words, may.collect()))
}

fn may(words: &Words<'_>, holder: &Holder) -> May {
    let Row { who, place, by, .. } = words.row(holder);
    let by = by.into_iter().find_map(|by| match by {
        By::Binding { binding, .. } => {
            let name = match &binding.namespace {
                Some(namespace) => format!("{} {namespace}/{}", binding.kind, binding.name),
                None => format!("{} {}", binding.kind, binding.name),
            };
            Some((name, binding.path))
        }
        _ => None,
    });
    May {
        kind: who.kind,
        name: match &who.namespace {
            Some(namespace) => format!("{namespace}/{}", who.name),
            None => who.name,
        },
        note: who.note,
        place: match place {
            Place::Everywhere => "everywhere".to_owned(),
            Place::Namespace(namespace) => format!("in {namespace}"),
            Place::NotGiven => "somewhere".to_owned(),
        },
        by,
    }
}

/// The object that an address of the estate is.
pub(super) fn at<'e>(estate: &'e Estate, address: &str) -> Option<&'e Resource> {
    let mut there = estate.at(address).into_iter();
    there.find(|resource| !resource.implied)
}
