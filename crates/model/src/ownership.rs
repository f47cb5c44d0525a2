//! Who made an object: controllers make ReplicaSets, Jobs and Pods for what people wrote.

use crate::estate::Estate;
use crate::resource::Resource;
use crate::value::Ref;

/// The kinds of Kubernetes' own controllers that make pods, or what makes pods.
const OWNERS: [&str; 7] = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
];

/// The kind and name of the controller that made an object and carries a pod itself. Custom
/// resources and nodes own pods too, but are nothing that could be judged in their place.
#[must_use]
pub fn owner(resource: &Resource) -> Option<(&'static str, &str)> {
    let owners = resource.object().path(&["metadata", "ownerReferences"])?;
    let is_controller =
        |owner: &Ref<'_>| owner.get("controller").and_then(Ref::as_bool) == Some(true);
    let owner = owners
        .items()
        .find(is_controller)
        .or_else(|| owners.items().next())?;
    let text = |key: &str| owner.get(key).and_then(Ref::as_str);
    let (kind, name) = (text("kind")?, text("name")?);
    let group = text("apiVersion").and_then(|version| version.split_once('/'));
    let group = group.map_or("", |(group, _)| group);
    OWNERS
        .into_iter()
        .find(|known| *known == kind && crate::kinds::is_builtin(group, kind))
        .map(|kind| (kind, name))
}

/// Why a live object runs nothing any more, and will not: what its owner keeps of the past.
#[must_use]
pub fn over(resource: &Resource) -> Option<&'static str> {
    if !resource.origin.live {
        return None;
    }
    let object = resource.object();
    let owned = owner(resource).is_some();
    match resource.name.kind.name() {
        "ReplicaSet" => {
            let none = object.path(&["spec", "replicas"]).and_then(Ref::as_int) == Some(0);
            (owned && none)
                .then_some("an earlier revision that its Deployment keeps; it runs no pod")
        }
        "Job" => {
            let done = |condition: Ref<'_>| {
                let text = |key: &str| condition.get(key).and_then(Ref::as_str);
                matches!(text("type"), Some("Complete" | "Failed"))
                    && text("status") == Some("True")
            };
            let conditions = object.path(&["status", "conditions"])?;
            (owned && conditions.items().any(done)).then_some("it has ended")
        }
        "Pod" => {
            let phase = object.path(&["status", "phase"]).and_then(Ref::as_str);
            (owned && matches!(phase, Some("Succeeded" | "Failed"))).then_some("it has ended")
        }
        _ => None,
    }
}

impl Estate {
    /// Whether another object of this estate made this one, and is judged in its place.
    #[must_use]
    pub fn is_owned(&self, resource: &Resource) -> bool {
        owner(resource).is_some_and(|(kind, name)| {
            let namespace = resource.name.namespace.as_deref().unwrap_or_default();
            self.find(namespace, kind, name).is_some()
        })
    }
}
