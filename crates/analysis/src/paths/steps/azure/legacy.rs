//! AAD Pod Identity, which gave identities to pods before workload identity did: archived and retired
//! (<https://learn.microsoft.com/azure/aks/use-azure-ad-pod-identity>), and still found.
//!
//! An AzureIdentityBinding gives an AzureIdentity to every pod whose label `aadpodidbinding` is its selector
//! (<https://azure.github.io/aad-pod-identity/docs/concepts/azureidentitybinding/>). The component on the nodes (NMI)
//! hands out the tokens.

use std::collections::BTreeMap;

use model::{Ref, Resource, ResourceRef};

use super::{Azure, value};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::NodeNo;
use crate::paths::node::Node;
use crate::roles::user_assigned;

const IDENTITY: &str = "AzureIdentity.aadpodidentity.k8s.io";
const BINDING: &str = "AzureIdentityBinding.aadpodidentity.k8s.io";

pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let why = (!runs(builder, azure))
        .then_some("whether AAD Pod Identity runs in the cluster was not given");
    bound_anew(builder, azure, why);
    let given = selectors(builder, azure);
    if given.is_empty() {
        return;
    }
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let label = builder
            .resource(&workload)
            .and_then(|resource| resource.pod_holder())
            .and_then(|holder| holder.path(&["metadata", "labels", "aadpodidbinding"]));
        let Some(label) = label else { continue };
        let found = given.get(label.as_str().unwrap_or_default());
        for (binding, identity) in found.into_iter().flatten() {
            let from = builder.node(Node::Workload(number as u32));
            let own = builder.seen(
                workload.resource,
                Some(label),
                "the label asks for the identity",
            );
            let by = builder.seen(*binding, None, "gives the identity to pods with the label");
            builder.add(
                Draft::new(Edge::PodIdentityLegacy, from, *identity)
                    .by(own)
                    .by(by)
                    .perhaps(why),
            );
        }
    }
}

/// Who writes bindings gives an identity of the namespace to pods of their own.
fn bound_anew(builder: &mut Builder<'_>, azure: &Azure<'_>, why: Option<&'static str>) {
    for number in azure.estate.of_kind(IDENTITY) {
        let Some(own) = azure.estate.get(*number) else {
            continue;
        };
        let Some(id) = resource_of(own) else {
            continue;
        };
        let namespace = crate::reach::namespace_of(own);
        let place = builder.namespace(namespace);
        let bind = builder.right("pod-identity-binding", place);
        let create = builder.right("pod-create", place);
        let to = builder.principal(&user_assigned(azure.estate, id));
        let by = builder.seen(*number, None, "names the identity, which nodes carry");
        builder.add(
            Draft::new(Edge::PodIdentityLegacy, bind, to)
                .and(create)
                .by(by)
                .perhaps(why),
        );
    }
}

/// The identity of Azure that an AzureIdentity names. Type 0 is a user-assigned identity; others are service
/// principals.
fn resource_of(identity: &Resource) -> Option<&str> {
    let kind = value(identity, &["spec", "type"]).and_then(Ref::as_int);
    let id = value(identity, &["spec", "resourceID"]).and_then(Ref::as_str);
    id.filter(|_| kind.unwrap_or(0) == 0)
}

/// The identities that pods get, by the label.
fn selectors<'a>(
    builder: &mut Builder<'_>,
    azure: &Azure<'a>,
) -> BTreeMap<&'a str, Vec<(ResourceRef, NodeNo)>> {
    let mut found: BTreeMap<&str, Vec<(ResourceRef, NodeNo)>> = BTreeMap::new();
    for number in azure.estate.of_kind(BINDING) {
        let Some(binding) = azure.estate.get(*number) else {
            continue;
        };
        let text = |key| value(binding, &["spec", key]).and_then(Ref::as_str);
        let (Some(name), Some(selector)) = (text("azureIdentity"), text("selector")) else {
            continue;
        };
        let namespace = crate::reach::namespace_of(binding);
        let id = azure
            .estate
            .find(namespace, IDENTITY, name)
            .and_then(resource_of);
        if let Some(id) = id {
            let identity = builder.principal(&user_assigned(azure.estate, id));
            found.entry(selector).or_default().push((*number, identity));
        }
    }
    found
}

/// Whether the component that hands out tokens runs: AKS's add-on, or a DaemonSet of its name.
fn runs(builder: &Builder<'_>, azure: &Azure<'_>) -> bool {
    let by_aks = builder.clusters().iter().any(|(cluster, _)| {
        azure
            .estate
            .get(cluster.resource)
            .and_then(|own| value(own, &["properties", "podIdentityProfile", "enabled"]))
            .and_then(Ref::as_bool)
            == Some(true)
    });
    by_aks
        || azure
            .estate
            .of_kind("DaemonSet")
            .iter()
            .filter_map(|number| azure.estate.get(*number))
            .any(|own| matches!(&*own.name.name, "nmi" | "aad-pod-identity-nmi"))
}
