//! Who made an object: controllers make ReplicaSets, Jobs and Pods for what people wrote.

use crate::completeness::Within;
use crate::estate::{Estate, Scope};
use crate::kinds::{self, Kind, split_api_version};
use crate::resource::{Resource, ResourceName};
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

/// The reference to the controller that owns an object; without one, to its first owner.
#[must_use]
pub fn owner_reference(object: Ref<'_>) -> Option<Ref<'_>> {
    let owners = object.path(&["metadata", "ownerReferences"])?;
    owners
        .items()
        .find(controls)
        .or_else(|| owners.items().next())
}

fn controls(owner: &Ref<'_>) -> bool {
    owner.get("controller").and_then(Ref::as_bool) == Some(true)
}

/// The kind and name of the controller that made an object and carries a pod itself. Custom
/// resources and nodes own pods too, but are nothing that could be judged in their place.
#[must_use]
pub fn owner(resource: &Resource) -> Option<(&'static str, &str)> {
    let owner = owner_reference(resource.object())?;
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
    // Custom resources keep a past too: a Rollout has ReplicaSets as a Deployment has.
    let owned = controller(resource).is_some();
    match resource.name.kind.name() {
        "ReplicaSet" => {
            let none = object.path(&["spec", "replicas"]).and_then(Ref::as_int) == Some(0);
            (owned && none).then_some("an earlier revision that its owner keeps; it runs no pod")
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

/// How many owners are followed: Kubernetes' own chains have three.
const LONGEST_CHAIN: usize = 8;

/// The controller that an object names (`controller: true`; there is at most one).
#[must_use]
pub fn controller(resource: &Resource) -> Option<ResourceName> {
    let Kind::Kubernetes { .. } = resource.name.kind else {
        return None;
    };
    let owner = resource
        .object()
        .path(&["metadata", "ownerReferences"])?
        .items()
        .find(controls)?;
    let text = |key: &str| owner.get(key).and_then(Ref::as_str);
    let (api_version, kind) = (text("apiVersion")?, text("kind")?);
    let (group, _) = split_api_version(api_version);
    let namespaced = !(kinds::is_builtin(group, kind) && kinds::is_cluster_scoped(kind));
    Some(ResourceName {
        kind: Kind::Kubernetes {
            group: group.into(),
            kind: kind.into(),
        },
        api_version: api_version.into(),
        // An owner is in the namespace of what it owns, or in none.
        namespace: resource.name.namespace.clone().filter(|_| namespaced),
        name: text("name")?.into(),
    })
}

/// Whether a kind is made from a template under a name that says little: findings about it belong to
/// whatever made it. A Deployment that an operator made has a name of its own, and keeps its findings.
#[must_use]
pub fn is_made(kind: &Kind) -> bool {
    ["Pod", "ReplicaSet", "ReplicationController", "Job"]
        .iter()
        .any(|name| kind.is(name))
}

/// What an object has to do with its owner, kept when the object itself is not.
#[derive(Debug, Clone)]
pub struct Made {
    /// What made it.
    pub by: ResourceName,
    /// The name of the Deployment behind a ReplicaSet, as the object's labels tell it
    /// (`pod-template-hash` ends the name of the ReplicaSet).
    deployment: Option<Box<str>>,
}

/// What made an object, where its findings belong to that.
#[must_use]
pub fn made(resource: &Resource) -> Option<Made> {
    if !is_made(&resource.name.kind) {
        return None;
    }
    let by = controller(resource)?;
    // The kubelet shows static pods as owned by their node; nobody mends them in the Node.
    if by.kind.is("Node") {
        return None;
    }
    let hash = resource
        .object()
        .path(&["metadata", "labels", "pod-template-hash"])
        .and_then(Ref::as_str);
    let deployment = hash
        .filter(|_| by.kind.is("ReplicaSet"))
        .and_then(|hash| by.name.strip_suffix(hash)?.strip_suffix('-'))
        .map(Into::into);
    Some(Made { by, deployment })
}

/// Follows owners to the top. `known` says of an object that was read what made it.
#[must_use]
pub fn top(made: &Made, known: impl Fn(&ResourceName) -> Option<Option<Made>>) -> ResourceName {
    let mut made = made.clone();
    for _ in 0..LONGEST_CHAIN {
        match known(&made.by) {
            Some(Some(next)) => made = next,
            Some(None) => break,
            None => {
                if let Some(name) = made.deployment {
                    return ResourceName {
                        kind: Kind::Kubernetes {
                            group: "apps".into(),
                            kind: "Deployment".into(),
                        },
                        name,
                        ..made.by
                    };
                }
                break;
            }
        }
    }
    made.by
}

impl Estate {
    /// Whether another object of this estate made this one, and is judged in its place; also where that is
    /// likely, because objects of the owner's kind could not be read.
    #[must_use]
    pub fn is_owned(&self, resource: &Resource) -> bool {
        owner(resource).is_some_and(|(kind, name)| {
            let namespace = resource.name.namespace.as_deref().unwrap_or_default();
            let within = Within::Namespace(namespace);
            self.find(namespace, kind, name).is_some()
                || self
                    .completeness
                    .absent(Scope::Whole, kind, within)
                    .is_some()
        })
    }
}
