//! What actions of Azure amount to for an attacker: powers over a cluster, its nodes, a registry, a vault, an
//! identity. Only what leads on is one.
//!
//! A role is never looked at by its name: it is what its actions are
//! (<https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations>).

use std::collections::HashMap;
use std::sync::Arc;

use crate::roles::{Ask, Definition, Roles, Says};

/// What a power is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum On {
    Cluster,
    /// The resource group of a cluster's nodes, or a scale set in it.
    Nodes,
    Registry,
    Vault,
    Identity,
    Storage,
    /// A subscription.
    Scope,
    /// The tenant: whatever can be made anywhere in it.
    Tenant,
}

/// A power: any of some actions, or all of them.
#[derive(Debug)]
pub(super) struct Power {
    pub(super) name: &'static str,
    pub(super) on: On,
    pub(super) data: bool,
    /// All actions are needed.
    pub(super) all: bool,
    pub(super) actions: &'static [&'static str],
}

const fn control(on: On, name: &'static str, actions: &'static [&'static str]) -> Power {
    Power {
        name,
        on,
        data: false,
        all: false,
        actions,
    }
}

const fn data(on: On, name: &'static str, actions: &'static [&'static str]) -> Power {
    Power {
        data: true,
        ..control(on, name, actions)
    }
}

/// All that can be done to resources, but to who may do what.
pub(super) const MANAGE: &str = "manage";
/// All that can be done, roles given among it.
pub(super) const OWNER: &str = "owner";
/// All that can be done with what is in resources.
pub(super) const DATA: &str = "data";
/// Any role can be given.
pub(super) const GRANT_ROLES: &str = "grant-roles";
/// Roles can be written.
pub(super) const WRITE_ROLES: &str = "write-roles";
/// Something can be made that carries an identity.
pub(super) const CARRY_IDENTITY: &str = "carry-identity";

/// Templates can be deployed.
pub(super) const DEPLOY: &str = "deploy";

/// The action of whoever gives roles.
pub(super) const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";

pub(super) const POWERS: &[Power] = &[
    control(
        On::Cluster,
        "admin-credential",
        &[
            "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
            "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
        ],
    ),
    control(
        On::Cluster,
        "user-credential",
        &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"],
    ),
    control(
        On::Cluster,
        "run-command",
        &["Microsoft.ContainerService/managedClusters/runCommand/action"],
    ),
    control(
        On::Cluster,
        "cluster-write",
        &["Microsoft.ContainerService/managedClusters/write"],
    ),
    control(
        On::Cluster,
        "extension-write",
        &["Microsoft.KubernetesConfiguration/extensions/write"],
    ),
    control(
        On::Cluster,
        "flux-write",
        &["Microsoft.KubernetesConfiguration/fluxConfigurations/write"],
    ),
    Power {
        all: true,
        ..data(
            On::Cluster,
            "kubernetes-admin",
            &[
                "Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterrolebindings/write",
                "Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterroles/bind/action",
            ],
        )
    },
    control(
        On::Nodes,
        "node-control",
        &[
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommands/write",
            "Microsoft.Compute/virtualMachineScaleSets/extensions/write",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/extensions/write",
            "Microsoft.Compute/virtualMachineScaleSets/write",
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write",
        ],
    ),
    control(
        On::Nodes,
        "disk-access",
        &["Microsoft.Compute/disks/beginGetAccess/action"],
    ),
    control(
        On::Registry,
        "image-push",
        &["Microsoft.ContainerRegistry/registries/push/write"],
    ),
    data(
        On::Registry,
        "repository-write",
        &["Microsoft.ContainerRegistry/registries/repositories/content/write"],
    ),
    control(
        On::Registry,
        "image-import",
        &["Microsoft.ContainerRegistry/registries/importImage/action"],
    ),
    control(
        On::Registry,
        "registry-build",
        &["Microsoft.ContainerRegistry/registries/scheduleRun/action"],
    ),
    control(
        On::Registry,
        "registry-password",
        &["Microsoft.ContainerRegistry/registries/listCredentials/action"],
    ),
    control(
        On::Registry,
        "registry-token",
        &["Microsoft.ContainerRegistry/registries/generateCredentials/action"],
    ),
    data(
        On::Vault,
        "secret-read",
        &["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
    ),
    control(
        On::Vault,
        "vault-policies",
        &[
            "Microsoft.KeyVault/vaults/accessPolicies/write",
            "Microsoft.KeyVault/vaults/write",
        ],
    ),
    control(
        On::Vault,
        "vault-deploy",
        &["Microsoft.KeyVault/vaults/deploy/action"],
    ),
    control(
        On::Vault,
        "vault-write",
        &["Microsoft.KeyVault/vaults/write"],
    ),
    control(
        On::Storage,
        "storage-keys",
        &[
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/regenerateKey/action",
            "Microsoft.Storage/storageAccounts/listAccountSas/action",
            "Microsoft.Storage/storageAccounts/listServiceSas/action",
        ],
    ),
    data(
        On::Storage,
        "storage-read",
        &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
            "Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action",
        ],
    ),
    control(
        On::Identity,
        "federated-credential",
        &["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"],
    ),
    control(
        On::Identity,
        "identity-assign",
        &["Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"],
    ),
    control(On::Scope, GRANT_ROLES, &[ASSIGN]),
    control(
        On::Scope,
        WRITE_ROLES,
        &["Microsoft.Authorization/roleDefinitions/write"],
    ),
    control(
        On::Tenant,
        CARRY_IDENTITY,
        &[
            "Microsoft.Compute/virtualMachines/write",
            "Microsoft.Compute/virtualMachineScaleSets/write",
            "Microsoft.ContainerInstance/containerGroups/write",
            "Microsoft.ContainerService/managedClusters/write",
            "Microsoft.Resources/deploymentScripts/write",
            "Microsoft.Web/sites/write",
            "Microsoft.App/containerApps/write",
        ],
    ),
    control(
        On::Tenant,
        DEPLOY,
        &["Microsoft.Resources/deployments/write"],
    ),
];

/// The powers over one kind of thing.
pub(super) fn over(on: On) -> impl Iterator<Item = &'static Power> {
    POWERS.iter().filter(move |power| power.on == on)
}

/// Whether a power belongs to who changes resources, but not who may do what with them.
pub(super) fn is_managing(power: &Power) -> bool {
    !power.data && power.on != On::Scope
}

/// A power that a role gives.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) power: &'static Power,
    /// The action by which it does; conditions are asked about it.
    pub(super) action: &'static str,
    /// What must hold as well.
    pub(super) condition: Option<Box<str>>,
}

/// What a role comes to.
#[derive(Debug, Default)]
pub(super) struct Role {
    pub(super) gives: Vec<Given>,
    /// Everything that can be done to resources, roles among it.
    pub(super) owns: bool,
    /// Everything but giving roles.
    pub(super) manages: bool,
    /// The template leaves open what it allows.
    pub(super) open: bool,
}

/// What roles come to, each read once.
#[derive(Default)]
pub(super) struct Known {
    roles: HashMap<*const Definition, Arc<Role>>,
}

impl Known {
    /// What a role comes to.
    pub(super) fn of(&mut self, roles: &Roles, definition: &Arc<Definition>) -> Arc<Role> {
        let role = self
            .roles
            .entry(Arc::as_ptr(definition))
            .or_insert_with(|| Arc::new(Role::read(roles, definition)));
        Arc::clone(role)
    }
}

impl Role {
    pub(super) fn read(roles: &Roles, definition: &Definition) -> Self {
        let mut role = Self {
            open: definition.open,
            ..Self::default()
        };
        for power in POWERS {
            if let Some(given) = role.asks(roles, definition, power) {
                role.gives.push(given);
            }
        }
        let holds = |wanted: &dyn Fn(&Power) -> bool| {
            POWERS.iter().filter(|power| wanted(power)).all(|power| {
                role.gives
                    .iter()
                    .any(|given| given.power.name == power.name && given.condition.is_none())
            })
        };
        let owns = holds(&|power| !power.data);
        let manages = holds(&is_managing);
        Self {
            owns,
            manages,
            ..role
        }
    }

    fn asks(
        &mut self,
        roles: &Roles,
        definition: &Definition,
        power: &'static Power,
    ) -> Option<Given> {
        let mut best: Option<Given> = None;
        for action in power.actions {
            let ask = Ask {
                action,
                data: power.data,
                resource: "",
                attributes: &[],
            };
            let condition = match roles.role_says(definition, &ask) {
                Says::Yes { condition, .. } => condition,
                Says::Open => {
                    self.open = true;
                    continue;
                }
                Says::No if power.all => return None,
                Says::No => continue,
            };
            let better = match &best {
                None => true,
                // Of several that are needed the limited one counts, of several that do the free one.
                Some(known) => {
                    known.condition.is_none() == power.all && condition.is_none() != power.all
                }
            };
            if better {
                best = Some(Given {
                    power,
                    action,
                    condition,
                });
            }
        }
        best
    }
}
