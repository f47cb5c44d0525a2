//! Secrets of the cluster that hold a key to something in Azure, told by their type, name and keys: values are
//! never read, so each such step is a doubtful one.

use std::collections::{BTreeMap, BTreeSet};

use model::{Ref, Resource, ResourceRef};

use super::{Azure, value};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::node::Node;
use crate::roles::Who;
use crate::roles::builtin::guid;
use model::image::Reference;

pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    storage(builder, azure);
    pulls(builder, azure);
    principals(builder, azure);
}

/// The driver of Azure Files keeps the key of an account in `azure-storage-account-NAME-secret`; a volume may name
/// another (<https://github.com/kubernetes-sigs/azurefile-csi-driver/blob/master/docs/driver-parameters.md>).
fn storage(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let mut found: BTreeSet<(Box<str>, Box<str>, Box<str>)> = BTreeSet::new();
    for (namespace, names) in &builder.secrets {
        for name in names {
            let account = name
                .strip_prefix("azure-storage-account-")
                .and_then(|rest| rest.strip_suffix("-secret"));
            if let Some(account) = account {
                found.insert((namespace.clone(), name.clone(), account.into()));
            }
        }
    }
    for number in azure.estate.of_kind("PersistentVolume") {
        let Some(volume) = azure.estate.get(*number) else {
            continue;
        };
        let text = |path: &[&str]| value(volume, path).and_then(Ref::as_str);
        let secret =
            ["name", "namespace"].map(|key| text(&["spec", "csi", "nodeStageSecretRef", key]));
        let account = text(&["spec", "csi", "volumeAttributes", "storageAccount"]);
        if let ([Some(name), Some(namespace)], Some(account)) = (secret, account) {
            found.insert((namespace.into(), name.into(), account.into()));
        }
    }
    let accounts: BTreeMap<String, ResourceRef> = azure
        .estate
        .of_kind("Microsoft.Storage/storageAccounts")
        .iter()
        .filter_map(|number| {
            let name = &azure.estate.get(*number)?.name.name;
            Some((name.to_ascii_lowercase(), *number))
        })
        .collect();
    for (namespace, name, account) in found {
        let given = accounts.get(&account.to_ascii_lowercase()).copied();
        let own = given.and_then(|number| azure.estate.get(number));
        let switch = own.and_then(|own| value(own, &["properties", "allowSharedKeyAccess"]));
        if switch.and_then(Ref::as_bool) == Some(false) {
            continue;
        }
        let id = own
            .and_then(|own| own.azure.as_ref())
            .map_or_else(|| account.clone(), |azure| azure.id.clone());
        let from = builder.secret(&namespace, &name);
        let to = builder.power("storage-data", &id);
        let why = format!("its name says that it holds a key of storage account {account}");
        let counts = given.map(|number| builder.seen(number, switch, "its keys count"));
        builder.add(
            Draft::new(Edge::SecretAzureKey, from, to)
                .by_all(counts)
                .perhaps(Some(why)),
        );
    }
}

/// A password to pull with may be one to push with.
fn pulls(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let mut found: BTreeSet<(Box<str>, Box<str>, Box<str>)> = BTreeSet::new();
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number) else {
            continue;
        };
        let Some(spec) = builder.resource(workload).and_then(Resource::pod_spec) else {
            continue;
        };
        let account = spec
            .get("serviceAccountName")
            .and_then(Ref::as_str)
            .unwrap_or("default");
        let of_account = azure
            .estate
            .find(&workload.namespace, "ServiceAccount", account)
            .and_then(|account| value(account, &["imagePullSecrets"]));
        let secrets: Vec<&str> = [spec.get("imagePullSecrets"), of_account]
            .into_iter()
            .flatten()
            .flat_map(Ref::items)
            .filter_map(|item| item.get("name").and_then(Ref::as_str))
            .collect();
        if secrets.is_empty() {
            continue;
        }
        let hosts: BTreeSet<Box<str>> = ["containers", "initContainers"]
            .into_iter()
            .filter_map(|key| spec.get(key))
            .flat_map(Ref::items)
            .filter_map(|container| container.get("image").and_then(Ref::as_str))
            .filter_map(Reference::read)
            .map(|image| image.host)
            .filter(|host| host.ends_with(".azurecr.io"))
            .collect();
        for secret in secrets {
            for host in &hosts {
                found.insert((workload.namespace.clone(), secret.into(), host.clone()));
            }
        }
    }
    for (namespace, secret, host) in found {
        let number = builder.text(&host);
        let to = builder.node(Node::Images(number));
        let from = builder.secret(&namespace, &secret);
        let why = format!("whether its password for {host} may push as well is not known");
        builder.add(Draft::new(Edge::SecretAzureKey, from, to).perhaps(Some(why)));
    }
}

/// A container that signs in as a service principal with a password from a Secret
/// (`AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` of the Azure SDKs).
fn principals(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let by_application: BTreeMap<String, Who> = azure
        .estate
        .of_kind("Microsoft.Graph/servicePrincipals")
        .iter()
        .filter_map(|number| azure.estate.get(*number))
        .filter_map(|principal| {
            let text = |key| {
                value(principal, &["properties", key])
                    .or_else(|| value(principal, &[key]))
                    .and_then(Ref::as_str)
            };
            let id = guid(text("id")?.rsplit('/').next()?)?;
            Some((guid(text("appId")?)?, Who::Id(id.into())))
        })
        .collect();
    if by_application.is_empty() {
        return;
    }
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(spec) = builder.resource(&workload).and_then(Resource::pod_spec) else {
            continue;
        };
        let containers = ["containers", "initContainers"]
            .into_iter()
            .filter_map(|key| spec.get(key))
            .flat_map(Ref::items);
        for container in containers {
            let variable = |name: &str| {
                container
                    .get("env")
                    .into_iter()
                    .flat_map(Ref::items)
                    .find(|own| own.get("name").and_then(Ref::as_str) == Some(name))
            };
            let who = variable("AZURE_CLIENT_ID")
                .and_then(|own| own.get("value"))
                .and_then(Ref::as_str)
                .and_then(guid)
                .and_then(|id| by_application.get(&id));
            let secret = variable("AZURE_CLIENT_SECRET")
                .and_then(|own| own.path(&["valueFrom", "secretKeyRef", "name"]));
            if let (Some(who), Some(at)) = (who, secret)
                && let Some(name) = at.as_str()
            {
                let from = builder.secret(&workload.namespace, name);
                let to = builder.principal(who);
                let evidence = builder.seen(
                    workload.resource,
                    Some(at),
                    "a container signs in to Azure with its password",
                );
                builder.add(
                    Draft::new(Edge::SecretAzureKey, from, to)
                        .by(evidence)
                        .perhaps(Some("the password may have expired")),
                );
            }
        }
    }
}
