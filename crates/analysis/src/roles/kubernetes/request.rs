//! From a request to the data action that it is checked as.

use super::CLUSTERS;
use crate::ask::{Attributes, ResourceTarget, Target};

/// The data actions that a request may be checked as. Where there are two, which one AKS checks hangs on a
/// setting that is not public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Without the type of the cluster: `pods/read`, `apps/deployments/write`.
    pub action: String,
    /// What it is when custom resources are checked as such.
    pub custom: Option<String>,
}

/// Resources that Azure has data actions for, by API group (the data actions of
/// `Microsoft.ContainerService/managedClusters` in
/// <https://learn.microsoft.com/azure/role-based-access-control/permissions/containers>).
const KNOWN: [(&str, &str); 21] = [
    (
        "",
        "bindings componentstatuses configmaps endpoints events groups limitranges namespaces nodes \
         persistentvolumeclaims persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets \
         serviceaccounts services users",
    ),
    (
        "admissionregistration.k8s.io",
        "initializerconfigurations mutatingwebhookconfigurations validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    (
        "apps",
        "controllerrevisions daemonsets deployments replicasets statefulsets",
    ),
    ("authentication.k8s.io", "tokenreviews userextras"),
    (
        "authorization.k8s.io",
        "localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews subjectaccessreviews",
    ),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs jobs"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
    ("events.k8s.io", "events"),
    (
        "extensions",
        "daemonsets deployments ingresses networkpolicies podsecuritypolicies replicasets",
    ),
    ("metrics.k8s.io", "nodes pods"),
    (
        "networking.k8s.io",
        "ingressclasses ingresses networkpolicies",
    ),
    ("node.k8s.io", "runtimeclasses"),
    ("policy", "poddisruptionbudgets podsecuritypolicies"),
    (
        "rbac.authorization.k8s.io",
        "clusterrolebindings clusterroles rolebindings roles",
    ),
    ("scheduling.k8s.io", "priorityclasses"),
    (
        "storage.k8s.io",
        "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
    ),
];

/// The last part of an action (`getActionName`).
fn action_name(verb: &str) -> &'static str {
    match verb {
        "get" | "list" | "watch" => "read",
        "bind" => "bind/action",
        "escalate" => "escalate/action",
        "use" => "use/action",
        "impersonate" => "impersonate/action",
        "create" | "patch" | "update" => "write",
        "delete" | "deletecollection" => "delete",
        "*" => "*",
        _ => "",
    }
}

/// Texts joined by single slashes; empty ones are left out (Go's `path.Join`).
fn join(parts: &[&str]) -> String {
    parts
        .iter()
        .flat_map(|part| part.split('/'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// What a request is checked as (`getDataActions`). A `*` for verb, group or resource is taken apart by
/// [`every`].
#[must_use]
pub fn checked(attributes: &Attributes<'_>) -> Checked {
    let target = match attributes.target {
        Target::Path(path) => {
            return Checked {
                action: join(&[path, action_name(attributes.verb)]),
                custom: None,
            };
        }
        Target::Resource(target) => target,
    };
    let action = if target.resource == "pods" && target.subresource == "exec" {
        join(&[target.group, "pods/exec/action"])
    } else {
        join(&[target.group, target.resource, action_name(attributes.verb)])
    };
    let name = action_name(attributes.verb);
    let custom = !target.group.is_empty()
        && !is_known(target.group, target.resource)
        && matches!(name, "read" | "write" | "delete");
    Checked {
        action,
        custom: custom.then(|| join(&["customresources", name])),
    }
}

pub(super) fn is_known(group: &str, resource: &str) -> bool {
    KNOWN
        .iter()
        .find(|(own, _)| *own == group)
        .is_some_and(|(_, resources)| resources.split(' ').any(|known| known == resource))
}

/// Whether an action is one on the objects of a cluster.
pub(in crate::roles) fn is_data_action(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let Some(rest) = action
        .strip_prefix(&*CLUSTERS.to_ascii_lowercase())
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return false;
    };
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        ["customresources", _] => true,
        [resource, _] => is_known("", resource),
        ["pods", "exec", "action"] => true,
        [group, resource, ..] => is_known("", group) || is_known(group, resource),
        _ => false,
    }
}

/// What a question with a `*` comes to: all of these must be allowed.
pub(super) fn every<'a>(attributes: &Attributes<'a>, namespaced_only: bool) -> Vec<Attributes<'a>> {
    let Target::Resource(target) = attributes.target else {
        return vec![*attributes];
    };
    if ![attributes.verb, target.group, target.resource].contains(&"*") {
        return vec![*attributes];
    }
    let mut found = Vec::new();
    for (group, resources) in KNOWN {
        if target.group != "*" && target.group != group {
            continue;
        }
        for resource in resources.split(' ').filter(|one| !one.is_empty()) {
            if target.resource != "*" && target.resource != resource
                || namespaced_only && CLUSTER_WIDE.contains(&resource)
            {
                continue;
            }
            for own in verbs(group, resource) {
                let (verb, subresource) = match *own {
                    "exec" => ("create", "exec"),
                    other => (other, ""),
                };
                let asked = attributes.verb == "*"
                    || *own != "exec" && action_name(attributes.verb) == action_name(verb);
                if !asked {
                    continue;
                }
                found.push(Attributes {
                    verb,
                    target: Target::Resource(ResourceTarget {
                        group,
                        resource,
                        subresource,
                        ..target
                    }),
                });
            }
        }
    }
    if found.is_empty() {
        let any: &[&str] = if attributes.verb == "*" {
            &["get", "create", "delete"]
        } else {
            std::slice::from_ref(&attributes.verb)
        };
        for verb in any {
            found.push(Attributes {
                verb,
                target: attributes.target,
            });
        }
    }
    found
}

/// The data actions that Azure has for a resource, as verbs; `exec` is that of `pods/exec`.
fn verbs(group: &str, resource: &str) -> &'static [&'static str] {
    match (group, resource) {
        ("", "pods") => &["get", "create", "delete", "exec"],
        ("", "serviceaccounts") => &["get", "create", "delete", "impersonate"],
        ("", "groups" | "users") | (_, "userextras") => &["impersonate"],
        ("", "bindings") | ("authentication.k8s.io", _) | ("authorization.k8s.io", _) => {
            &["create"]
        }
        ("metrics.k8s.io", _) => &["get"],
        ("policy", "podsecuritypolicies") => &["get", "create", "delete", "use"],
        ("rbac.authorization.k8s.io", "clusterroles" | "roles") => {
            &["get", "create", "delete", "bind", "escalate"]
        }
        _ => &["get", "create", "delete"],
    }
}

/// Known resources that are in no namespace (`kubectl api-resources --namespaced=false`).
const CLUSTER_WIDE: [&str; 27] = [
    "apiservices",
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "componentstatuses",
    "csidrivers",
    "csinodes",
    "customresourcedefinitions",
    "groups",
    "ingressclasses",
    "initializerconfigurations",
    "mutatingwebhookconfigurations",
    "namespaces",
    "nodes",
    "persistentvolumes",
    "podsecuritypolicies",
    "priorityclasses",
    "runtimeclasses",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "storageclasses",
    "subjectaccessreviews",
    "tokenreviews",
    "userextras",
    "users",
    "validatingwebhookconfigurations",
    "volumeattachments",
];
