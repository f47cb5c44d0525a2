//! External Secrets: who writes an ExternalSecret has a Secret made of what it names in a store, and reads it there.
//!
//! A ClusterSecretStore serves all namespaces unless its conditions name some
//! (<https://external-secrets.io/latest/api/clustersecretstore/>); a store of Azure Key Vault names the vault
//! (<https://external-secrets.io/latest/provider/azure-key-vault/>). What the store's identity may read there is not
//! followed here, so these steps are never sure. Left out: stores of other providers.

use std::collections::BTreeMap;

use model::{Ref, Resource, ResourceRef};

use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::NodeNo;
use crate::paths::node::Place;
use crate::reach::Workload;

const RIGHT: &str = "external-secret";
const DOUBT: &str = "what the store's identity may read in the vault is not known";

pub(super) fn add(builder: &mut Builder<'_>, workload: &Workload) {
    if !workload.name.ends_with("external-secrets") {
        return;
    }
    let vaults = vaults(builder);
    let estate = builder.estate;
    for kind in ["ClusterSecretStore", "SecretStore"] {
        let kind = format!("{kind}.external-secrets.io");
        for id in estate.of_kind(&kind) {
            let Some(store) = estate.get(*id) else {
                continue;
            };
            let url = store
                .object()
                .path(&["spec", "provider", "azurekv", "vaultUrl"]);
            let Some(name) = url.and_then(Ref::as_str).and_then(vault_of) else {
                continue;
            };
            let Some(to) = vaults.get(&name).copied() else {
                builder.gap(&format!(
                    "vault {name} was not given, from which External Secrets reads"
                ));
                continue;
            };
            serves(builder, workload, (*id, store), url, to);
        }
    }
}

fn serves(
    builder: &mut Builder<'_>,
    workload: &Workload,
    (id, store): (ResourceRef, &Resource),
    url: Option<Ref<'_>>,
    to: NodeNo,
) {
    let everywhere = builder.known_right(RIGHT, Place::Cluster).is_some();
    let runs = builder.seen(workload.resource, None, "makes Secrets of what stores hold");
    let reads = builder.seen(id, url, "the store reads the vault");
    for namespace in builder.namespaces.clone() {
        let place = builder.namespace(&namespace);
        if !everywhere && builder.known_right(RIGHT, place).is_none() {
            continue;
        }
        let why = match &store.name.namespace {
            _ if store.name.kind.name() == "SecretStore" => {
                if crate::reach::namespace_of(store) != &*namespace {
                    continue;
                }
                DOUBT
            }
            _ => match conditions(store, &namespace) {
                Some(true) => DOUBT,
                Some(false) => continue,
                None => "whether the store serves the namespace is not known",
            },
        };
        let from = builder.right(RIGHT, place);
        let read = builder.right("secret-read", place);
        builder.add(
            Draft::new(Edge::OperatorResource, from, to)
                .and(read)
                .by(reads.clone())
                .by(runs.clone())
                .perhaps(Some(why)),
        );
    }
}

/// Whether one of the conditions of a store names a namespace; `None` where that hangs on labels or patterns.
fn conditions(store: &Resource, namespace: &str) -> Option<bool> {
    let conditions = store.object().path(&["spec", "conditions"]);
    let conditions: Vec<Ref<'_>> = conditions.into_iter().flat_map(Ref::items).collect();
    let named = |condition: &Ref<'_>| {
        let mut names = condition.get("namespaces").into_iter().flat_map(Ref::items);
        names.any(|name| name.as_str() == Some(namespace))
    };
    if conditions.is_empty() || conditions.iter().any(named) {
        return Some(true);
    }
    let open = ["namespaceSelector", "namespaceRegexes"];
    let hangs = |condition: &Ref<'_>| open.iter().any(|key| condition.get(key).is_some());
    (!conditions.iter().any(hangs)).then_some(false)
}

/// `https://NAME.vault.azure.net`
fn vault_of(url: &str) -> Option<String> {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next()?.to_ascii_lowercase();
    let (name, rest) = host.split_once('.')?;
    rest.starts_with("vault").then(|| name.to_owned())
}

/// What the vaults hold that were given, by their names.
fn vaults(builder: &mut Builder<'_>) -> BTreeMap<String, NodeNo> {
    let estate = builder.estate;
    let given: Vec<(String, Box<str>)> = estate
        .of_kind("Microsoft.KeyVault/vaults")
        .iter()
        .filter_map(|id| estate.get(*id))
        .filter_map(|vault| {
            let id = vault.azure.as_ref()?.id.clone();
            Some((vault.name.name.to_ascii_lowercase(), id))
        })
        .collect();
    given
        .into_iter()
        .map(|(name, id)| (name, builder.power("vault-secrets", &id)))
        .collect()
}
