//! Storage accounts: who reads what lies there, and what that leads to.
//!
//! Whoever may list an account's keys, or have signatures made with them, reads and writes all of it, unless the
//! account takes no keys (<https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent>); whoever
//! holds a role over its data reads it with their own name. What lies there is not known but for backups that Velero
//! puts there, which hold the Secrets of the cluster (<https://velero.io/docs/main/how-velero-works/>).

use model::{Ref, Resource};

use super::powers::On;
use super::{Azure, value};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::Place;

const BACKUPS: &str = "BackupStorageLocation.velero.io";

pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    for target in azure.targets.iter().filter(|own| own.on == On::Storage) {
        let Some(number) = target.resource else {
            continue;
        };
        let Some(account) = azure.estate.get(number) else {
            continue;
        };
        let to = builder.power("storage-data", &target.id);
        let closed = closed(account);
        let keys = value(account, &["properties", "allowSharedKeyAccess"]);
        if let Some(from) = builder.known_power("storage-keys", &target.id)
            && keys.and_then(Ref::as_bool) != Some(false)
        {
            let open = keys
                .is_some_and(Ref::is_open)
                .then_some("the template leaves open whether the account takes keys");
            let evidence = builder.seen(number, keys, "takes its keys from whoever has them");
            builder.add(
                Draft::new(Edge::StorageData, from, to)
                    .by(evidence)
                    .perhaps(open)
                    .perhaps(closed)
                    .perhaps(azure.locked(&target.id)),
            );
        }
        if let Some(from) = builder.known_power("storage-read", &target.id) {
            builder.add(Draft::new(Edge::StorageData, from, to).perhaps(closed));
        }
        backups(builder, azure, account, &target.id);
    }
}

/// Why an attacker may not reach the account at all.
fn closed(account: &Resource) -> Option<&'static str> {
    let text = |path: &[&str]| value(account, path).and_then(Ref::as_str);
    let is =
        |path: &[&str], word: &str| text(path).is_some_and(|own| own.eq_ignore_ascii_case(word));
    if is(&["properties", "publicNetworkAccess"], "Disabled") {
        Some("the storage account answers only inside its private network")
    } else if is(&["properties", "networkAcls", "defaultAction"], "Deny") {
        Some("the storage account answers only some networks")
    } else {
        None
    }
}

/// Backups of the cluster in an account.
fn backups(builder: &mut Builder<'_>, azure: &Azure<'_>, account: &Resource, id: &str) {
    let locations = azure.estate.of_kind(BACKUPS);
    for number in locations {
        let name = azure.estate.get(*number).and_then(|location| {
            value(location, &["spec", "config", "storageAccount"]).filter(|_| {
                let provider = value(location, &["spec", "provider"]).and_then(Ref::as_str);
                provider.is_some_and(|own| own.ends_with("azure"))
            })
        });
        let own = name
            .and_then(Ref::as_str)
            .is_some_and(|own| own.eq_ignore_ascii_case(&account.name.name));
        if !own {
            continue;
        }
        let from = builder.power("storage-data", id);
        let to = builder.right("secret-read", Place::Cluster);
        let evidence = builder.seen(*number, name, "backups of the cluster lie there");
        builder.add(
            Draft::new(Edge::StorageData, from, to)
                .by(evidence)
                .perhaps(Some("a backup that holds Secrets must have been made")),
        );
    }
}
