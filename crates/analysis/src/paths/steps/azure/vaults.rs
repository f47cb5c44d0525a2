//! Key vaults: who reads their secrets by a role, by an access policy, or by writing one; pods that mount them.
//!
//! A vault uses roles or access policies, never both; changing which takes the right to give roles
//! (<https://learn.microsoft.com/azure/key-vault/general/rbac-guide>). A vault that answers only some networks leaves
//! open from where an attacker asks. Keys of a vault can be used, never taken
//! (<https://learn.microsoft.com/azure/key-vault/keys/about-keys>), so they are no step; a certificate's private key is
//! one of the secrets.

use std::collections::BTreeMap;

use model::{Ref, Resource, ResourceRef};

use super::powers::{DEPLOY, On};
use super::{Azure, value};
use crate::ask::PrincipalKind;
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::NodeNo;
use crate::paths::node::Node;
use crate::roles::builtin::guid;
use crate::roles::{Who, user_assigned};

const CLASSES: &str = "SecretProviderClass.secrets-store.csi.x-k8s.io";
/// What a vault holds.
pub(super) const HELD: &str = "vault-secrets";

pub(super) fn add(builder: &mut Builder<'_>, azure: &mut Azure<'_>) {
    let vaults: Vec<(Box<str>, ResourceRef)> = azure
        .targets
        .iter()
        .filter(|target| target.on == On::Vault)
        .filter_map(|target| Some((target.id.clone(), target.resource?)))
        .collect();
    let mut by_name: BTreeMap<String, NodeNo> = BTreeMap::new();
    for (id, number) in &vaults {
        let Some(vault) = azure.estate.get(*number) else {
            continue;
        };
        let to = builder.power(HELD, id);
        by_name.insert(vault.name.name.to_ascii_lowercase(), to);
        let title = format!(
            "the secrets of vault {}",
            model::azure::shown(&vault.name.name)
        );
        builder.jewel(to, "vault-data", &title, 7);
        deployments(builder, azure, (id, *number, vault), to);
        let closed = closed(vault);
        let roles = value(vault, &["properties", "enableRbacAuthorization"]);
        let by_roles = roles.map_or(Some(false), Ref::as_bool);
        let open = by_roles
            .is_none()
            .then_some("whether the vault uses roles or access policies is not known");
        if by_roles != Some(false)
            && let Some(from) = builder.known_power("secret-read", id)
        {
            let evidence = builder.seen(*number, roles, "the vault goes by roles");
            builder.add(
                Draft::new(Edge::VaultSecrets, from, to)
                    .by(evidence)
                    .perhaps(open)
                    .perhaps(closed),
            );
        }
        if by_roles != Some(true) {
            if let Some(from) = builder.known_power("vault-policies", id) {
                let evidence = builder.seen(*number, roles, "the vault goes by access policies");
                builder.add(
                    Draft::new(Edge::VaultSecrets, from, to)
                        .by(evidence)
                        .perhaps(open)
                        .perhaps(closed)
                        .perhaps(azure.locked(id)),
                );
            }
            policies(builder, azure, (*number, vault), to, open.or(closed));
        }
    }
    // Policies that a template adds to a vault.
    for number in azure
        .estate
        .of_kind("Microsoft.KeyVault/vaults/accessPolicies")
    {
        let Some(added) = azure.estate.get(*number) else {
            continue;
        };
        let parent = added
            .azure
            .as_ref()
            .and_then(|own| model::azure::parent_of_id(&own.id))
            .map(str::to_ascii_lowercase);
        let vault = vaults
            .iter()
            .find(|(id, _)| Some(&**id) == parent.as_deref())
            .and_then(|(id, number)| Some((id, azure.estate.get(*number)?)));
        let Some((id, vault)) = vault else { continue };
        let by_roles = value(vault, &["properties", "enableRbacAuthorization"])
            .map_or(Some(false), Ref::as_bool);
        if by_roles != Some(true) {
            let to = builder.power(HELD, id);
            policies(builder, azure, (*number, added), to, closed(vault));
        }
    }
    mounts(builder, azure, &by_name);
}

/// Whoever deploys a template has it read secrets of a vault that lets deployments read: by an action on the vault, not
/// by a role for its data, and past its firewall unless it keeps Azure's own services out
/// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/key-vault-parameter>,
/// <https://learn.microsoft.com/azure/key-vault/general/overview-vnet-service-endpoints>). Who writes the vault lets them.
fn deployments(
    builder: &mut Builder<'_>,
    azure: &Azure<'_>,
    (id, number, vault): (&str, ResourceRef, &Resource),
    to: NodeNo,
) {
    let (Some(reads), Some(deploys)) = (
        builder.known_power("vault-deploy", id),
        builder.known_power(DEPLOY, "/"),
    ) else {
        return;
    };
    let flag = value(vault, &["properties", "enabledForTemplateDeployment"]);
    let keeps_out = value(vault, &["properties", "networkAcls", "bypass"])
        .and_then(Ref::as_str)
        .is_some_and(|bypass| bypass.eq_ignore_ascii_case("None"));
    let closed = closed(vault).filter(|_| keeps_out);
    let draft = Draft::new(Edge::VaultDeployment, reads, to).and(deploys);
    let on = flag.and_then(Ref::as_bool) == Some(true);
    if on || flag.is_some_and(Ref::is_open) {
        let open = (!on).then_some("the template leaves open whether deployments read the vault");
        let evidence = builder.seen(number, flag, "lets deployments read its secrets");
        let draft = draft.by(evidence).perhaps(open).perhaps(closed);
        builder.add(draft.perhaps(azure.locked(id)));
        return;
    }
    if let Some(writes) = builder.known_power("vault-write", id) {
        let evidence = builder.seen(
            number,
            flag,
            "does not let deployments read its secrets yet",
        );
        let why =
            "the vault must be opened to deployments first, which a policy of Azure may forbid";
        builder.add(draft.and(writes).by(evidence).perhaps(Some(why)));
    }
}

/// Why an attacker may not reach the vault at all.
fn closed(vault: &Resource) -> Option<&'static str> {
    let text = |path: &[&str]| value(vault, path).and_then(Ref::as_str);
    if text(&["properties", "publicNetworkAccess"])
        .is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
    {
        return Some("the vault answers only inside its private network");
    }
    if text(&["properties", "networkAcls", "defaultAction"])
        .is_some_and(|action| action.eq_ignore_ascii_case("Deny"))
    {
        return Some("the vault answers only some networks");
    }
    None
}

/// Whom the access policies of a vault let read secrets.
fn policies(
    builder: &mut Builder<'_>,
    azure: &mut Azure<'_>,
    (number, holder): (ResourceRef, &Resource),
    to: NodeNo,
    doubt: Option<&'static str>,
) {
    let list = value(holder, &["properties", "accessPolicies"]);
    if list.is_some_and(Ref::is_open) {
        builder.gap(&format!(
            "whom the access policies of vault {} let in is left open",
            model::azure::shown(&holder.name.name)
        ));
    }
    for policy in list.into_iter().flat_map(Ref::items) {
        let secrets = policy.path(&["permissions", "secrets"]);
        let open = secrets
            .is_some_and(Ref::is_open)
            .then_some("the template leaves open what the access policy allows");
        let reads = secrets
            .into_iter()
            .flat_map(Ref::items)
            .filter_map(Ref::as_str)
            .any(|permission| {
                permission.eq_ignore_ascii_case("get") || permission.eq_ignore_ascii_case("all")
            });
        // A policy for an application that acts for a user is none for the user alone.
        let compound = policy
            .get("applicationId")
            .is_some_and(|own| own.as_str().is_some());
        let Some(who) = policy.get("objectId").and_then(|id| whom(azure, id)) else {
            continue;
        };
        if !reads && open.is_none() || compound {
            continue;
        }
        let from = builder.principal(&who);
        azure.holds(&who, PrincipalKind::NotSaid, number);
        let evidence = builder.seen(
            number,
            Some(policy),
            "an access policy lets it read secrets",
        );
        builder.add(
            Draft::new(Edge::VaultSecrets, from, to)
                .by(evidence)
                .perhaps(open)
                .perhaps(doubt),
        );
    }
}

/// Whom an object id means, an open one by the identity that it is taken from.
fn whom(azure: &Azure<'_>, id: Ref<'_>) -> Option<Who> {
    if let Some(id) = id.as_str().and_then(guid) {
        return Some(Who::Id(id.into()));
    }
    let expression = id.open_expression()?.to_ascii_lowercase();
    let identity = azure.targets.iter().find(|target| {
        target.on == On::Identity
            && expression.contains(&*target.id)
            && expression.contains("principalid")
    });
    Some(match identity {
        Some(identity) => user_assigned(azure.estate, &identity.id),
        None => Who::Open(id.open_shown().unwrap_or("an open value").into()),
    })
}

/// Pods that mount secrets of a vault by a SecretProviderClass: those that it lists
/// (<https://learn.microsoft.com/azure/aks/csi-secrets-store-identity-access>).
fn mounts(builder: &mut Builder<'_>, azure: &Azure<'_>, vaults: &BTreeMap<String, NodeNo>) {
    let mut classes: BTreeMap<(&str, &str), (ResourceRef, NodeNo)> = BTreeMap::new();
    for number in azure.estate.of_kind(CLASSES) {
        let Some(class) = azure.estate.get(*number) else {
            continue;
        };
        let name = value(class, &["spec", "parameters", "keyvaultName"]).and_then(Ref::as_str);
        let vault = name.and_then(|name| vaults.get(&name.to_ascii_lowercase()));
        if vault.is_none()
            && let Some(name) = name
        {
            builder.gap(&format!(
                "vault {name} was not given, from which SecretProviderClasses mount"
            ));
        }
        if let Some(vault) = vault {
            let namespace = crate::reach::namespace_of(class);
            classes.insert((namespace, &class.name.name), (*number, *vault));
        }
    }
    if classes.is_empty() {
        return;
    }
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(spec) = builder.resource(&workload).and_then(Resource::pod_spec) else {
            continue;
        };
        let from = builder.node(Node::Workload(number as u32));
        for volume in spec.get("volumes").into_iter().flat_map(Ref::items) {
            let Some(csi) = volume.get("csi") else {
                continue;
            };
            if csi.get("driver").and_then(Ref::as_str) != Some("secrets-store.csi.k8s.io") {
                continue;
            }
            let found = csi
                .path(&["volumeAttributes", "secretProviderClass"])
                .and_then(Ref::as_str)
                .and_then(|name| classes.get(&(&*workload.namespace, name)));
            let Some((class, vault)) = found else {
                continue;
            };
            let mount = builder.seen(workload.resource, Some(csi), "mounts secrets of the vault");
            let lists = builder.seen(*class, None, "says which secrets");
            builder.add(
                Draft::new(Edge::VaultSecrets, from, *vault)
                    .by(mount)
                    .by(lists)
                    .perhaps(Some("it mounts only what its SecretProviderClass lists")),
            );
        }
    }
}
