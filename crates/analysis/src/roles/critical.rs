//! Actions that give more than their names say: how somebody becomes administrator of a cluster, gets root on
//! its nodes, or gets into what its workloads trust, without any right in Kubernetes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::condition::ROLE_GIVEN;
use super::kubernetes::Cluster;
use super::{Ask, Grant, Holders, Roles};
use crate::ask::Why;

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// A cluster.
    Cluster,
    /// The scale sets in a cluster's node resource group.
    Nodes,
    /// A container registry.
    Registry,
    /// A key vault.
    Vault,
    /// A user-assigned identity.
    Identity,
}

/// What decides whether it gives anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moot {
    /// Nothing: it always does.
    Never,
    /// With local accounts off there is no such credential
    /// (<https://learn.microsoft.com/azure/aks/local-accounts>).
    LocalAccountsOff,
    /// With Entra the credential only leads to signing in
    /// (<https://learn.microsoft.com/azure/aks/control-kubeconfig-access>).
    Entra,
    /// With Entra the command carries the caller's own token (`clusterToken` of `RunCommandRequest` in the REST
    /// API), so what it may do hangs on the caller's rights in Kubernetes.
    EntraToken,
    /// Only a role that is worth giving counts.
    RoleGiven,
}

/// A critical action.
#[derive(Debug, Clone, Copy)]
pub struct Critical {
    /// A short name.
    pub id: &'static str,
    /// The action.
    pub action: &'static str,
    /// Whether it is a data action.
    pub data: bool,
    /// What it is done to.
    pub on: On,
    /// Whether whoever holds it can take over the whole cluster.
    pub takeover: bool,
    /// When it gives nothing.
    pub moot: Moot,
    /// What it gives, in one sentence without its full stop.
    pub gives: &'static str,
}

const fn cluster(
    id: &'static str,
    action: &'static str,
    moot: Moot,
    gives: &'static str,
) -> Critical {
    Critical {
        id,
        action,
        data: false,
        on: On::Cluster,
        takeover: true,
        moot,
        gives,
    }
}

const fn on(on: On, id: &'static str, action: &'static str, gives: &'static str) -> Critical {
    Critical {
        id,
        action,
        data: false,
        on,
        takeover: matches!(on, On::Nodes),
        moot: Moot::Never,
        gives,
    }
}

const fn data(on: On, id: &'static str, action: &'static str, gives: &'static str) -> Critical {
    Critical {
        id,
        action,
        data: true,
        on,
        takeover: false,
        moot: Moot::Never,
        gives,
    }
}

/// The actions. What each does is said by the provider's operations
/// (<https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations>).
pub const CRITICAL: [Critical; 40] = [
    cluster(
        "admin-credential",
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        Moot::LocalAccountsOff,
        "fetches the kubeconfig of the built-in cluster administrator, which no audit log tells from another's",
    ),
    cluster(
        "access-profile",
        "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
        Moot::LocalAccountsOff,
        "fetches the kubeconfig of the built-in cluster administrator by the older API",
    ),
    cluster(
        "user-credential",
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
        Moot::Entra,
        "fetches a kubeconfig that is the administrator's where users do not sign in with Entra",
    ),
    cluster(
        "run-command",
        "Microsoft.ContainerService/managedClusters/runCommand/action",
        Moot::EntraToken,
        "runs kubectl and helm inside the cluster through Azure, past the API server's network limits",
    ),
    cluster(
        "cluster-write",
        "Microsoft.ContainerService/managedClusters/write",
        Moot::Never,
        "changes the cluster: turns local accounts on, names other administrators, turns policy off",
    ),
    cluster(
        "pool-write",
        "Microsoft.ContainerService/managedClusters/agentPools/write",
        Moot::Never,
        "adds node pools of its own making to the cluster, whose nodes get what is scheduled on them",
    ),
    cluster(
        "extension-write",
        "Microsoft.KubernetesConfiguration/extensions/write",
        Moot::Never,
        "installs extensions, which AKS deploys with the rights of a cluster administrator",
    ),
    cluster(
        "flux-write",
        "Microsoft.KubernetesConfiguration/fluxConfigurations/write",
        Moot::Never,
        "has the cluster apply whatever a repository of its choice holds",
    ),
    cluster(
        "trusted-access",
        "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings/write",
        Moot::Never,
        "lets the identity of another Azure resource into the cluster",
    ),
    cluster(
        "reset-entra",
        "Microsoft.ContainerService/managedClusters/resetAADProfile/action",
        Moot::Never,
        "changes which Entra applications sign users in to the cluster",
    ),
    cluster(
        "role-assignment",
        "Microsoft.Authorization/roleAssignments/write",
        Moot::RoleGiven,
        "gives itself any role that it may give",
    ),
    cluster(
        "role-definition",
        "Microsoft.Authorization/roleDefinitions/write",
        Moot::Never,
        "widens a custom role that it holds",
    ),
    Critical {
        id: "cluster-admin-data",
        action: "Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterrolebindings/write",
        data: true,
        on: On::Cluster,
        takeover: true,
        moot: Moot::Never,
        gives: "binds itself to any role in the cluster, where the cluster asks Azure",
    },
    Critical {
        takeover: false,
        ..cluster(
            "cluster-delete",
            "Microsoft.ContainerService/managedClusters/delete",
            Moot::Never,
            "deletes the cluster",
        )
    },
    Critical {
        takeover: false,
        ..cluster(
            "diagnostics-delete",
            "Microsoft.Insights/diagnosticSettings/delete",
            Moot::Never,
            "stops the audit log from reaching anybody",
        )
    },
    Critical {
        takeover: false,
        ..cluster(
            "policy-exemption",
            "Microsoft.Authorization/policyExemptions/write",
            Moot::Never,
            "takes resources out of what Azure Policy judges",
        )
    },
    on(
        On::Nodes,
        "node-run-command",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action",
        "runs commands as root on a node, and so acts as every pod on it",
    ),
    on(
        On::Nodes,
        "node-run-commands",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommands/write",
        "runs commands as root on a node by a managed run command",
    ),
    on(
        On::Nodes,
        "node-write",
        "Microsoft.Compute/virtualMachineScaleSets/write",
        "changes the nodes' image, start script and identities",
    ),
    on(
        On::Nodes,
        "node-machine-write",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write",
        "changes a node",
    ),
    on(
        On::Nodes,
        "node-extension",
        "Microsoft.Compute/virtualMachineScaleSets/extensions/write",
        "runs a script as root on every node",
    ),
    Critical {
        takeover: false,
        ..on(
            On::Nodes,
            "disk-access",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "downloads disks, those of persistent volumes among them",
        )
    },
    on(
        On::Registry,
        "image-push",
        "Microsoft.ContainerRegistry/registries/push/write",
        "puts images into the registry, where its clusters pull them by a tag",
    ),
    data(
        On::Registry,
        "image-content-write",
        "Microsoft.ContainerRegistry/registries/repositories/content/write",
        "puts images into repositories of a registry that has permissions of its own for each",
    ),
    on(
        On::Registry,
        "image-import",
        "Microsoft.ContainerRegistry/registries/importImage/action",
        "copies images from elsewhere into the registry",
    ),
    on(
        On::Registry,
        "image-delete",
        "Microsoft.ContainerRegistry/registries/artifacts/delete",
        "deletes images",
    ),
    on(
        On::Registry,
        "registry-credentials",
        "Microsoft.ContainerRegistry/registries/listCredentials/action",
        "reads the passwords of the registry's admin user",
    ),
    on(
        On::Registry,
        "registry-token",
        "Microsoft.ContainerRegistry/registries/generateCredentials/action",
        "makes passwords for the registry's tokens",
    ),
    on(
        On::Registry,
        "registry-run",
        "Microsoft.ContainerRegistry/registries/scheduleRun/action",
        "runs builds in the registry, with the identity of its tasks",
    ),
    on(
        On::Registry,
        "registry-write",
        "Microsoft.ContainerRegistry/registries/write",
        "changes the registry: its network, its admin user, anonymous pull",
    ),
    on(
        On::Vault,
        "vault-policies",
        "Microsoft.KeyVault/vaults/accessPolicies/write",
        "gives itself any right to what the vault holds, where the vault uses access policies",
    ),
    on(
        On::Vault,
        "vault-write",
        "Microsoft.KeyVault/vaults/write",
        "changes the vault: its network, and whether roles or access policies count",
    ),
    data(
        On::Vault,
        "secret-read",
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "reads secrets",
    ),
    data(
        On::Vault,
        "secret-set",
        "Microsoft.KeyVault/vaults/secrets/setSecret/action",
        "changes secrets",
    ),
    data(
        On::Vault,
        "key-decrypt",
        "Microsoft.KeyVault/vaults/keys/decrypt/action",
        "decrypts with keys",
    ),
    data(
        On::Vault,
        "key-sign",
        "Microsoft.KeyVault/vaults/keys/sign/action",
        "signs with keys",
    ),
    data(
        On::Vault,
        "vault-purge",
        "Microsoft.KeyVault/vaults/secrets/purge/action",
        "deletes secrets for good",
    ),
    on(
        On::Identity,
        "federated-credential",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "lets an issuer of its choice sign in as the identity, and so becomes the workload",
    ),
    on(
        On::Identity,
        "identity-assign",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "attaches the identity to a resource of its own and gets its tokens there",
    ),
    on(
        On::Identity,
        "identity-write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/write",
        "changes the identity",
    ),
];

/// Roles that, once given on a cluster, make its holder an administrator of it: by id.
const WORTH_GIVING: [&str; 8] = [
    // Owner
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    // Contributor
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    // User Access Administrator
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    // Role Based Access Control Administrator
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    // Azure Kubernetes Service Contributor Role
    "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
    // Azure Kubernetes Service Cluster Admin Role
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
    // Azure Kubernetes Service RBAC Cluster Admin
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
    // Virtual Machine Contributor
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
];

/// The critical action of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Critical> {
    CRITICAL.iter().find(|critical| critical.id == id)
}

impl Roles {
    /// Who holds a critical action on a resource: a registry, a vault, an identity, a cluster.
    #[must_use]
    pub fn holders_of(&self, critical: &Critical, resource: &str) -> Arc<Holders> {
        let ask = Ask {
            action: critical.action,
            data: critical.data,
            resource,
            attributes: &[],
        };
        if critical.moot != Moot::RoleGiven {
            return self.holders(&ask);
        }
        // Whoever may give but harmless roles is left out.
        let worth: Vec<Arc<Holders>> = WORTH_GIVING
            .iter()
            .map(|role| {
                self.holders(&Ask {
                    attributes: &[(ROLE_GIVEN, Some(role))],
                    ..ask
                })
            })
            .collect();
        let all = self.holders(&ask);
        let grants = all
            .grants
            .iter()
            .filter_map(|grant| {
                let mut found = worth
                    .iter()
                    .flat_map(|holders| &holders.grants)
                    .filter(|other| {
                        other.who == grant.who
                            && other.assignment == grant.assignment
                            && other.through == grant.through
                    });
                let certain = found.clone().find(|other| other.is_certain());
                Some(match certain {
                    Some(certain) => certain.clone(),
                    None => found.next()?.clone(),
                })
            })
            .collect();
        Arc::new(Holders {
            ground: all.ground,
            grants,
            unknown: all.unknown.clone(),
        })
    }

    /// Who holds a critical action where a cluster is concerned. What gives nothing on this cluster has no
    /// holders; where the template leaves that open, each grant says so.
    #[must_use]
    pub fn holders_for(&self, critical: &Critical, cluster: &Cluster) -> Holders {
        let doubt = match critical.moot {
            Moot::Never | Moot::RoleGiven => Some(None),
            Moot::LocalAccountsOff => open(cluster.local_accounts_off, "local accounts are off"),
            Moot::Entra => open(cluster.entra, "users sign in with Entra"),
            Moot::EntraToken => match cluster.entra {
                Some(false) => Some(None),
                Some(true) => Some(Some(
                    "with Entra it runs with the caller's own rights in Kubernetes".to_owned(),
                )),
                None => open(None, "users sign in with Entra"),
            },
        };
        let Some(doubt) = doubt else {
            return Holders::default();
        };
        let mut found = Holders::default();
        for target in self.concerned(critical, cluster) {
            let holders = self.holders_of(critical, &target);
            found.ground = found.ground.max(holders.ground);
            for grant in &holders.grants {
                let known = found.grants.iter().any(|own| same(own, grant));
                if !known {
                    found.grants.push(grant.clone());
                }
            }
            found.unknown.extend(holders.unknown.iter().cloned());
        }
        if critical.data && cluster.asks_azure == Some(false) {
            return Holders::default();
        }
        let asks = (critical.data && cluster.asks_azure.is_none())
            .then(|| "the template leaves open whether the cluster asks Azure".to_owned());
        for text in doubt.into_iter().chain(asks) {
            for grant in &mut found.grants {
                grant.doubts.push(text.as_str().into());
            }
        }
        found.unknown.sort();
        found.unknown.dedup();
        found
    }

    /// Everybody who can take over a cluster through Azure, with the action that does it.
    #[must_use]
    pub fn takeovers(&self, cluster: &Cluster) -> (Vec<(&'static Critical, Grant)>, Vec<Why>) {
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for critical in CRITICAL.iter().filter(|critical| critical.takeover) {
            let holders = self.holders_for(critical, cluster);
            found.extend(holders.grants.into_iter().map(|grant| (critical, grant)));
            unknown.extend(holders.unknown);
        }
        unknown.sort();
        unknown.dedup();
        (found, unknown)
    }

    fn concerned(&self, critical: &Critical, cluster: &Cluster) -> Vec<String> {
        if critical.on != On::Nodes {
            return vec![cluster.id.to_string()];
        }
        // Scale sets that assignments name, and any other one.
        let sets = format!(
            "{}/providers/microsoft.compute/virtualmachinescalesets/",
            cluster.node_group.to_ascii_lowercase()
        );
        let mut names: BTreeSet<String> = self
            .assignments
            .iter()
            .filter(|assignment| assignment.scope_key.starts_with(&*sets))
            .map(|assignment| assignment.scope_key.to_string())
            .collect();
        names.insert(cluster.node_group.to_string());
        names.into_iter().collect()
    }
}

fn same(one: &Grant, other: &Grant) -> bool {
    one.who == other.who && one.assignment == other.assignment && one.through == other.through
}

/// Nothing where the fact makes it moot; else a doubt where the fact is open.
fn open(fact: Option<bool>, text: &str) -> Option<Option<String>> {
    match fact {
        Some(true) => None,
        Some(false) => Some(None),
        None => Some(Some(format!("the template leaves open whether {text}"))),
    }
}
