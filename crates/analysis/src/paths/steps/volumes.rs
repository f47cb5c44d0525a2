//! From code in a pod, or a subject, to a node by persistent volumes: a volume of type `hostPath` or `local` is a
//! path of the node, and Pod Security looks at pods only
//! (kubernetes.io/docs/concepts/security/pod-security-standards: volumes).

use std::collections::{BTreeMap, HashMap};

use model::{Ref, ResourceRef};

use super::container::{Container, Pod};
use super::files::{leads_to, of_path};
use super::held::{Request, holders};
use crate::ask::Within;
use crate::paths::admission::{Admitted, Shape};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::{EVERYTHING, Place};

/// By namespace and claim.
type Bound<'a> = HashMap<(Box<str>, Box<str>), (ResourceRef, Ref<'a>)>;

pub(super) fn add(builder: &mut Builder<'_>) {
    let bound = bound(builder);
    if !bound.is_empty() {
        for number in 0..builder.names.workloads.len() {
            if let Some(pod) = Pod::read(builder, number) {
                mounted(builder, &pod, &bound);
            }
        }
    }
}

/// The path of the node that a volume is.
fn path_of(volume: Ref<'_>) -> Option<Ref<'_>> {
    let spec = volume.get("spec")?;
    spec.path(&["hostPath", "path"])
        .or_else(|| spec.path(&["local", "path"]))
}

/// Claims that are bound to a path of the node.
fn bound<'a>(builder: &Builder<'a>) -> Bound<'a> {
    let estate = builder.estate;
    let mut found = Bound::new();
    let mut by_name: BTreeMap<&str, (ResourceRef, Ref<'a>)> = BTreeMap::new();
    for id in estate.of_kind("PersistentVolume") {
        let Some(volume) = estate.get(*id) else {
            continue;
        };
        let Some(path) = path_of(volume.object()) else {
            continue;
        };
        by_name.insert(&volume.name.name, (*id, path));
        let claim = |key: &str| {
            volume
                .object()
                .path(&["spec", "claimRef", key])
                .and_then(Ref::as_str)
        };
        if let (Some(namespace), Some(name)) = (claim("namespace"), claim("name")) {
            found.insert((namespace.into(), name.into()), (*id, path));
        }
    }
    for id in estate.of_kind("PersistentVolumeClaim") {
        let Some(claim) = estate.get(*id) else {
            continue;
        };
        let volume = claim
            .object()
            .path(&["spec", "volumeName"])
            .and_then(Ref::as_str)
            .and_then(|name| by_name.get(name));
        if let Some(volume) = volume {
            let namespace = crate::reach::namespace_of(claim).into();
            found.insert((namespace, claim.name.name.clone()), *volume);
        }
    }
    found
}

/// What a pod mounts through a claim.
fn mounted<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>, bound: &Bound<'a>) {
    for volume in pod.spec.get("volumes").into_iter().flat_map(Ref::items) {
        let claimed = volume.path(&["persistentVolumeClaim", "claimName"]);
        let Some(claim) = claimed.and_then(Ref::as_str) else {
            continue;
        };
        let Some((resource, path)) = bound.get(&(pod.namespace.clone(), claim.into())) else {
            continue;
        };
        let mounts = |container: &&Container<'a>| mount_of(container.value, volume).is_some();
        let Some(container) = pod.containers.iter().find(mounts) else {
            continue;
        };
        let read_only = [
            mount_of(container.value, volume),
            volume.get("persistentVolumeClaim"),
        ]
        .into_iter()
        .flatten()
        .any(|holder| holder.get("readOnly").and_then(Ref::as_bool) == Some(true));
        let all = pod
            .containers
            .iter()
            .filter(|one| one.runs)
            .all(|one| mount_of(one.value, volume).is_some());
        let part = (!all).then(|| {
            "not every container mounts it, and which one is broken into is not known".to_owned()
        });
        for (of, doubt) in of_path(path.as_str().unwrap_or_default(), read_only, *path) {
            for pool in &pod.pools {
                let evidence = [
                    builder.seen(*resource, Some(*path), "the volume is a path of the node"),
                    builder.seen(
                        pod.resource,
                        claimed,
                        &format!("the pod mounts the claim {claim}"),
                    ),
                ];
                let to = builder.node(leads_to(of, *pool));
                builder.add(
                    Draft::new(Edge::PersistentVolume, pod.from, to)
                        .by_all(evidence)
                        .perhaps(doubt.clone().or_else(|| part.clone())),
                );
            }
        }
    }
}

fn mount_of<'a>(container: Ref<'a>, volume: Ref<'a>) -> Option<Ref<'a>> {
    let name = volume.get("name").and_then(Ref::as_str);
    container
        .get("volumeMounts")
        .into_iter()
        .flat_map(Ref::items)
        .find(|mount| mount.get("name").and_then(Ref::as_str) == name)
}

const VOLUMES: &str = "persistent-volumes";
const CLAIMS: &str = "volume-claims";
const PODS: &str = "pod-create";

/// Rights that lead to pods of the holder's choice.
const MAKERS: [&str; 8] = [
    PODS,
    EVERYTHING,
    "deployment-patch",
    "daemonset-patch",
    "statefulset-patch",
    "replicaset-patch",
    "cronjob-patch",
    "controller-patch",
];

/// Who makes a volume that is the root of a node, claims it, and makes a pod that mounts it, takes the node that
/// the pod names.
pub(super) fn created(builder: &mut Builder<'_>) {
    let edge = Edge::PersistentVolume;
    let ask = |builder: &mut Builder<'_>, right, resource, says, within| {
        let request = Request {
            verb: "create",
            resource,
            says,
        };
        holders(builder, right, edge, &request, within)
    };
    let makers = ask(
        builder,
        VOLUMES,
        "persistentvolumes",
        "whoever holds the role creates persistent volumes",
        Within::Cluster,
    );
    if makers.is_empty() {
        return;
    }
    let claims = ask(
        builder,
        CLAIMS,
        "persistentvolumeclaims",
        "whoever holds the role creates claims",
        Within::Anywhere,
    );
    let pods = builder.places_held(&MAKERS);
    let places: Vec<(Place, Box<str>)> = builder
        .namespaces
        .clone()
        .into_iter()
        .map(|name| (builder.namespace(&name), name))
        .filter(|(place, _)| {
            [&claims, &pods]
                .iter()
                .all(|held| held.contains(place) || held.contains(&Place::Cluster))
        })
        .collect();
    let volumes = builder.right(VOLUMES, Place::Cluster);
    for (place, namespace) in places {
        let (doubt, evidence) = match builder.admits(&namespace, Shape::Plain) {
            Admitted::Yes(evidence) => (None, evidence),
            Admitted::Perhaps(why, evidence) => (Some(why), evidence),
            Admitted::No(_) => continue,
        };
        let claims = builder.right(CLAIMS, place);
        let pods = builder.right(PODS, place);
        for pool in 0..builder.pools().len() as u32 {
            let skip = builder
                .pools()
                .get(pool as usize)
                .is_none_or(|pool| pool.windows || !pool.any_of.is_empty());
            if skip {
                continue;
            }
            let to = builder.pool(pool);
            builder.add(
                Draft::new(edge, volumes, to)
                    .and(claims)
                    .and(pods)
                    .by_all(evidence.iter().cloned())
                    .perhaps(doubt.clone()),
            );
        }
    }
}
