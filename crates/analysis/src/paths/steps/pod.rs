//! From code in a pod to what the pod has: its service account, its Secrets.

use std::collections::BTreeMap;

use model::Ref;

use super::container::{Found, Pod};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;

pub(super) fn add(builder: &mut Builder<'_>) {
    for number in 0..builder.names.workloads.len() {
        let Some(pod) = Pod::read(builder, number) else {
            continue;
        };
        if let Some(held) = account_of(builder, number) {
            let to = builder.account(&pod.namespace, held.name);
            let says = format!("the pod runs as ServiceAccount {}", held.name);
            let evidence = builder.seen(pod.resource, Some(held.value), &says);
            builder.add(
                Draft::new(Edge::PodServiceAccount, pod.from, to)
                    .by(evidence)
                    .perhaps(held.doubt),
            );
        }
        secrets(builder, &pod);
    }
}

/// The service account whose token containers of a pod hold.
pub(super) struct Account<'a> {
    pub(super) name: &'a str,
    value: Ref<'a>,
    doubt: Option<String>,
}

/// The token of a service account is mounted into every container, unless the pod or, where the pod says
/// nothing, the account turns that off
/// (kubernetes plugin/pkg/admission/serviceaccount, `ShouldAutomountServiceAccountToken`).
pub(super) fn account_of<'a>(builder: &Builder<'a>, number: usize) -> Option<Account<'a>> {
    let workload = builder.names.workloads.get(number)?;
    let spec = builder.estate.get(workload.resource)?.pod_spec()?;
    let name_at = spec
        .get("serviceAccountName")
        .or_else(|| spec.get("serviceAccount"));
    let name = name_at
        .and_then(Ref::as_str)
        .filter(|name| !name.is_empty())
        .unwrap_or("default");
    let namespace = &workload.namespace;
    let own = spec
        .get("automountServiceAccountToken")
        .and_then(Ref::as_bool);
    let account = builder.estate.find(namespace, "ServiceAccount", name);
    let by_account = || {
        account?
            .object()
            .get("automountServiceAccountToken")?
            .as_bool()
    };
    let mounted = own.or_else(by_account).unwrap_or(true);
    let projected = projects_token(spec);
    if !mounted && projected.is_none() {
        return None;
    }
    let doubt = (own.is_none() && account.is_none() && name != "default" && mounted)
        .then(|| {
            builder
                .estate
                .absent("ServiceAccount", model::Within::Namespace(namespace))
        })
        .flatten()
        .map(|_| format!("ServiceAccount {name} was not given and may turn the mount off"));
    Some(Account {
        name,
        value: projected.filter(|_| !mounted).or(name_at).unwrap_or(spec),
        doubt,
    })
}

/// Secrets that containers mount or have in their environment. Containers that see each other's processes read
/// each other's files, as the same user and with no more capabilities (man 5 proc, `/proc/pid/root`).
fn secrets<'a>(builder: &mut Builder<'a>, pod: &Pod<'a>) {
    let all = pod.containers.iter().filter(|one| one.runs).count();
    let mut held: BTreeMap<&'a str, (usize, Ref<'a>)> = BTreeMap::new();
    for container in &pod.containers {
        let mut own: Vec<(&'a str, Ref<'a>)> = Vec::new();
        named_in(pod.spec, container.value, &mut own);
        own.sort_by_key(|(name, _)| *name);
        own.dedup_by_key(|(name, _)| *name);
        for (name, value) in own {
            held.entry(name).or_insert((0, value)).0 += usize::from(container.runs);
        }
    }
    let shared = pod.flag("shareProcessNamespace");
    for (name, (count, value)) in held {
        let to = builder.secret(&pod.namespace, name);
        let doubt = match count {
            0 => Some("only an init container holds it, and it ends before the others start"),
            _ if count < all => {
                Some("not every container holds it, and which one is broken into is not known")
            }
            _ => None,
        };
        builder.add(Draft::new(Edge::Implied, pod.from, to).perhaps(doubt));
        if let Some(shared) = shared
            && count > 0
            && count < all
        {
            let found = Found::one(shared, "the pod's containers see each other's processes")
                .and(value, format!("one of them holds Secret {name}"))
                .perhaps(of_one_user(pod));
            let to = builder.node_of(to);
            pod.lead_one(builder, Edge::SharedProcessNamespace, &found, to);
        }
    }
}

/// A volume that projects a token for the API server: one without an audience of its own.
fn projects_token(spec: Ref<'_>) -> Option<Ref<'_>> {
    spec.get("volumes")
        .into_iter()
        .flat_map(Ref::items)
        .filter_map(|volume| volume.path(&["projected", "sources"]))
        .flat_map(Ref::items)
        .filter_map(|source| source.get("serviceAccountToken"))
        .find(|token| {
            token
                .get("audience")
                .and_then(Ref::as_str)
                .is_none_or(str::is_empty)
        })
}

/// Why a container may not read the files of another: another user, or more capabilities there.
fn of_one_user(pod: &Pod<'_>) -> Option<String> {
    let says = |key: &str| {
        let mut users = pod.containers.iter().filter(|one| one.runs).map(|one| {
            one.value
                .path(&["securityContext", key])
                .or_else(|| pod.spec.path(&["securityContext", key]))
                .and_then(Ref::as_int)
        });
        let first = users.next().flatten();
        first.is_some() && users.all(|user| user == first)
    };
    let more = pod.containers.iter().any(|one| {
        one.value
            .path(&["securityContext", "capabilities", "add"])
            .is_some()
            || one.value.path(&["securityContext", "privileged"]).is_some()
    });
    (!says("runAsUser") || more)
        .then(|| "only where the containers run as the same user, with the same rights".to_owned())
}

/// The Secrets that a container has in its volumes and its environment.
fn named_in<'a>(spec: Ref<'a>, container: Ref<'a>, found: &mut Vec<(&'a str, Ref<'a>)>) {
    let list = |holder: Ref<'a>, key: &str| {
        holder
            .get(key)
            .into_iter()
            .flat_map(Ref::items)
            .collect::<Vec<Ref<'a>>>()
    };
    let mut note = |value: Option<Ref<'a>>| {
        if let Some(value) = value
            && let Some(name) = value.as_str()
        {
            found.push((name, value));
        }
    };
    for variable in list(container, "env") {
        note(variable.path(&["valueFrom", "secretKeyRef", "name"]));
    }
    for source in list(container, "envFrom") {
        note(source.path(&["secretRef", "name"]));
    }
    let mounts = list(container, "volumeMounts");
    if mounts.is_empty() {
        return;
    }
    for volume in list(spec, "volumes") {
        let name = volume.get("name").and_then(Ref::as_str);
        let mounted = mounts
            .iter()
            .any(|mount| mount.get("name").and_then(Ref::as_str) == name);
        if !mounted {
            continue;
        }
        note(volume.path(&["secret", "secretName"]));
        for source in volume
            .path(&["projected", "sources"])
            .into_iter()
            .flat_map(Ref::items)
        {
            note(source.path(&["secret", "name"]));
        }
    }
}
