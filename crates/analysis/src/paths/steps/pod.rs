//! From code in a pod to what the pod has: its service account, its Secrets.

use model::Ref;

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::Node;

pub(super) fn add(builder: &mut Builder<'_>) {
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(resource) = builder.resource(&workload) else {
            continue;
        };
        let Some(spec) = resource.pod_spec() else {
            continue;
        };
        let from = builder.node(Node::Workload(number as u32));
        service_account(builder, from, &workload, spec);
        for pool in builder.pools_of.get(number).cloned().unwrap_or_default() {
            let node = builder.pool(pool);
            builder.add(Draft::new(Edge::NodeToPods, node, from));
        }
    }
}

/// The token of a service account is mounted into every container, unless the pod or, where the pod says
/// nothing, the account turns that off
/// (kubernetes plugin/pkg/admission/serviceaccount, `ShouldAutomountServiceAccountToken`).
fn service_account(
    builder: &mut Builder<'_>,
    from: crate::paths::NodeNo,
    workload: &crate::reach::Workload,
    spec: Ref<'_>,
) {
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
        return;
    }
    let to = builder.account(namespace, name);
    let says = format!("runs as ServiceAccount {name}");
    let value = projected.filter(|_| !mounted).or(name_at).unwrap_or(spec);
    let evidence = builder.seen(workload.resource, Some(value), &says);
    let doubt = (own.is_none() && account.is_none() && name != "default" && mounted)
        .then(|| {
            builder
                .estate
                .absent("ServiceAccount", model::Within::Namespace(namespace))
        })
        .flatten()
        .map(|_| format!("ServiceAccount {name} was not given and may turn the mount off"));
    builder.add(
        Draft::new(Edge::PodServiceAccount, from, to)
            .by(evidence)
            .perhaps(doubt),
    );
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
