//! For whom a controller makes an object: what is accepted of a Deployment is accepted of its pods.
//!
//! Anybody may write an owner into an object, so it counts only in what Kubernetes' own controllers write.

use model::kinds::Kind;
use model::ownership;
use model::resource::ResourceName;
use model::{Estate, Resource};

use super::review::User;

/// Their service accounts
/// (<https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go>).
const CONTROLLERS: [&str; 7] = [
    "deployment-controller",
    "replicaset-controller",
    "replication-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "job-controller",
    "cronjob-controller",
];

/// Whether one of Kubernetes' controllers of workloads asks, by its own account or by that of the process.
fn is_controller(user: &User<'_>) -> bool {
    user.username == "system:kube-controller-manager"
        || user
            .username
            .strip_prefix("system:serviceaccount:kube-system:")
            .is_some_and(|name| CONTROLLERS.contains(&name))
}

/// Those that the object is made for, the nearest first. Nobody's, unless a controller asks.
pub(super) fn of(
    resource: &Resource,
    user: &User<'_>,
    estate: Option<&Estate>,
) -> Vec<ResourceName> {
    if !is_controller(user) {
        return Vec::new();
    }
    let Some((kind, name)) = ownership::owner(resource) else {
        return Vec::new();
    };
    let named = |kind: &str, name: &str| ResourceName {
        kind: Kind::Kubernetes {
            group: group(kind).into(),
            kind: kind.into(),
        },
        api_version: Box::default(),
        namespace: resource.name.namespace.clone(),
        name: name.into(),
    };
    let namespace = resource.name.namespace.as_deref().unwrap_or_default();
    let known = estate
        .and_then(|estate| estate.find(namespace, kind, name))
        .and_then(ownership::owner);
    let above = match (known, kind) {
        (Some((kind, name)), _) => Some((kind, name)),
        // As the controllers name what they make, where the cache does not show it yet: a ReplicaSet by the
        // hash that its pods carry, a Job by the minute.
        (None, "ReplicaSet") => resource
            .object()
            .path(&["metadata", "labels", "pod-template-hash"])
            .and_then(model::Ref::as_str)
            .and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'))
            .map(|name| ("Deployment", name)),
        (None, "Job") => name
            .rsplit_once('-')
            .filter(|(_, minute)| minute.len() >= 8 && minute.bytes().all(|b| b.is_ascii_digit()))
            .map(|(name, _)| ("CronJob", name)),
        _ => None,
    };
    std::iter::once(named(kind, name))
        .chain(above.map(|(kind, name)| named(kind, name)))
        .collect()
}

fn group(kind: &str) -> &'static str {
    match kind {
        "Job" | "CronJob" => "batch",
        "ReplicationController" => "",
        _ => "apps",
    }
}
