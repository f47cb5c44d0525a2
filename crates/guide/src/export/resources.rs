//! Which requests a policy judges: kinds as the API server's resources.

use std::collections::BTreeMap;

use model::kinds::{self, builtin_groups};

use crate::guideline::{Applies, Guideline};

/// Everything that carries a pod.
const WORKLOADS: [&str; 9] = [
    "Pod",
    "ReplicationController",
    "PodTemplate",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
];

/// The API server never asks policies about these: `admissionResources` in
/// `k8s.io/apiserver/pkg/admission/plugin/policy/generic/plugin.go`.
const NEVER_ASKED: [&str; 4] = [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
];

/// Kinds that no server with ValidatingAdmissionPolicy serves: PodSecurityPolicy ended with 1.25.
const GONE: [&str; 1] = ["PodSecurityPolicy"];

/// The API group of what seawall itself makes: no cluster holds it.
const OWN_GROUP: &str = "seawall.dev";

/// Requests of one API group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) group: String,
    pub(crate) resources: Vec<String>,
    pub(crate) operations: &'static [&'static str],
    /// Only objects of namespaces, or only others.
    pub(crate) scope: Option<&'static str>,
}

/// What of a pod a guideline reads that changes through a request of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subresources {
    /// `pods/ephemeralcontainers`
    pub(crate) ephemeral_containers: bool,
    /// `pods/resize`, since 1.32
    pub(crate) resize: bool,
}

/// The rules of a guideline, in the order of groups.
///
/// # Errors
/// Says why there is none.
pub(crate) fn rules(
    guideline: &Guideline,
    subresources: Subresources,
) -> Result<Vec<Rule>, String> {
    let names: Vec<&str> = match &guideline.applies {
        Applies::Workload => WORKLOADS.to_vec(),
        Applies::Kinds(names) => names.iter().map(|name| &**name).collect(),
        Applies::Estate => Vec::new(),
    };
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut reasons = Vec::new();
    for name in &names {
        let (kind, own_group) = name
            .split_once('.')
            .map_or((*name, None), |(kind, group)| (kind, Some(group)));
        if NEVER_ASKED.contains(&kind) {
            reasons.push("the API server asks no policy about admission policies");
        } else if GONE.contains(&kind) {
            reasons.push("no supported API server serves the kind");
        } else if own_group == Some(OWN_GROUP) {
            reasons.push(if kind.starts_with("Waiver.") {
                "it judges waivers, which no cluster holds"
            } else {
                "it judges what no request to an API server holds"
            });
        } else {
            let found =
                own_group.map_or_else(|| builtin_groups(kind).to_vec(), |group| vec![group]);
            // `extensions` ended with 1.22, before there were admission policies.
            for group in found.into_iter().filter(|group| *group != "extensions") {
                groups.entry(group).or_default().push(plural(kind));
            }
        }
    }
    let mut rules = Vec::new();
    for (group, resources) in groups {
        let pods = group.is_empty() && resources.iter().any(|resource| resource == "pods");
        rules.push(Rule {
            group: group.to_owned(),
            resources,
            operations: &["CREATE", "UPDATE"],
            scope: None,
        });
        let mut changed = Vec::new();
        if pods && subresources.ephemeral_containers {
            changed.push("pods/ephemeralcontainers".to_owned());
        }
        if pods && subresources.resize {
            changed.push("pods/resize".to_owned());
        }
        if !changed.is_empty() {
            rules.push(Rule {
                group: group.to_owned(),
                resources: changed,
                operations: &["UPDATE"],
                scope: None,
            });
        }
    }
    if rules.is_empty() {
        Err(reasons
            .first()
            .copied()
            .unwrap_or("it is about no kind")
            .to_owned())
    } else {
        Ok(rules)
    }
}

/// The kinds that a policy of a guideline judges, without their groups.
pub(crate) fn kinds(guideline: &Guideline) -> Vec<String> {
    let names: Vec<&str> = match &guideline.applies {
        Applies::Workload => WORKLOADS.to_vec(),
        Applies::Kinds(names) => names.iter().map(|name| &**name).collect(),
        Applies::Estate => Vec::new(),
    };
    let bare = names
        .into_iter()
        .map(|name| name.split_once('.').map_or(name, |(kind, _)| kind));
    bare.filter(|kind| !NEVER_ASKED.contains(kind) && !GONE.contains(kind))
        .map(str::to_owned)
        .collect()
}

/// Whether a guideline judges objects of namespaces.
pub(crate) fn is_namespaced(guideline: &Guideline) -> bool {
    match &guideline.applies {
        Applies::Workload => true,
        // A Namespace is selected by its own labels.
        Applies::Kinds(names) => names
            .iter()
            .any(|name| &**name == "Namespace" || !kinds::is_cluster_scoped(name)),
        Applies::Estate => false,
    }
}

/// The rules without objects that are in no namespace; none when there are no such objects. A
/// Namespace is selected by its own labels, and stays.
pub(crate) fn in_namespaces(guideline: &Guideline, rules: &[Rule]) -> Vec<Rule> {
    let Applies::Kinds(names) = &guideline.applies else {
        return Vec::new();
    };
    if !names
        .iter()
        .any(|name| &**name != "Namespace" && kinds::is_cluster_scoped(name))
    {
        return Vec::new();
    }
    let mut within = Vec::new();
    for rule in rules {
        let (own, other): (Vec<String>, Vec<String>) = rule
            .resources
            .iter()
            .cloned()
            .partition(|resource| rule.group.is_empty() && resource == "namespaces");
        for (resources, scope) in [(own, None), (other, Some("Namespaced"))] {
            if !resources.is_empty() {
                within.push(Rule {
                    resources,
                    scope,
                    ..rule.clone()
                });
            }
        }
    }
    within
}

/// The name under which a kind is served: Kubernetes' own kinds and those of the guide follow
/// the rule of English, `Endpoints` apart.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    if lower == "endpoints" {
        return lower;
    }
    if let Some(stem) = lower.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    let ending = if lower.ends_with(['s', 'x']) || lower.ends_with("ch") || lower.ends_with("sh") {
        "es"
    } else {
        "s"
    };
    format!("{lower}{ending}")
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn names_resources_as_the_api_server_does() {
        for (kind, resource) in [
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("StorageClass", "storageclasses"),
            ("Role", "roles"),
        ] {
            assert_eq!(plural(kind), resource);
        }
    }
}
