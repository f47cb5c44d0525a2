//! Ways through Azure, into the cluster and back.

use super::Planted;

/// A cluster that has no Entra, an identity of a pipeline, and a role with one action.
#[test]
fn a_pipeline_runs_commands_in_the_cluster() {
    Planted {
        yaml: "",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "identity": {"type": "SystemAssigned"},
     "properties": {"disableLocalAccounts": false, "apiServerAccessProfile": {"disableRunCommand": false}}},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "deploy"},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "apiVersion": "2024-11-30", "name": "deploy/main",
     "properties": {"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:shop/web:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"]}},
    {"type": "Microsoft.Authorization/roleDefinitions", "apiVersion": "2022-04-01", "name": "20000000-0000-0000-0000-000000000001",
     "properties": {"roleName": "Deployer", "type": "CustomRole", "permissions": [{"actions": ["Microsoft.ContainerService/managedClusters/runCommand/action"]}]}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "properties": {
       "principalId": "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'deploy'), '2024-11-30').principalId]",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '20000000-0000-0000-0000-000000000001')]"}}
  ]
}"#],
        from: "entra:repo:shop/web:ref:refs/heads/main of token.actions.githubusercontent.com",
        to: "right:everything@*",
        steps: &["pipeline-identity", "azure-role", "azure-run-command"],
        possible: false,
        hardened: &[("\"disableRunCommand\": false", "\"disableRunCommand\": true")],
    }
    .check();
}

/// A person who asks for tokens of a service account reads the vault of its identity; the pod's label and the
/// account's annotation play no part.
#[test]
fn a_token_of_an_account_opens_a_vault() {
    Planted {
        yaml: "
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tokens, namespace: shop}
rules: [{apiGroups: [\"\"], resources: [serviceaccounts/token], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tokens, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tokens}
subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true}, "oidcIssuerProfile": {"enabled": true}}},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "web"},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "apiVersion": "2024-11-30", "name": "web/shop",
     "properties": {"issuer": "[reference(resourceId('Microsoft.ContainerService/managedClusters', 'shop'), '2025-10-01').oidcIssuerProfile.issuerURL]",
       "subject": "system:serviceaccount:shop:web", "audiences": ["api://AzureADTokenExchange"]}},
    {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2024-11-01", "name": "kv-shop", "properties": {"enableRbacAuthorization": true}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[resourceId('Microsoft.KeyVault/vaults', 'kv-shop')]",
     "properties": {
       "principalId": "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'web'), '2024-11-30').principalId]",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')]"}}
  ]
}"#],
        from: "user:jane",
        to: "azure:vault-secrets:/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/microsoft.keyvault/vaults/kv-shop",
        steps: &["token-request", "federated-identity", "azure-role", "vault-secrets"],
        possible: false,
        hardened: &[("system:serviceaccount:shop:web\"", "system:serviceaccount:pay:web\"")],
    }
    .check();
}

/// A group of Entra that may change a vault which goes by access policies.
#[test]
fn a_member_writes_an_access_policy() {
    Planted {
        yaml: "",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.Graph/groups", "apiVersion": "v1.0", "name": "20000000-0000-0000-0000-00000000000a",
     "properties": {"displayName": "helpdesk", "members": ["10000000-0000-0000-0000-000000000001"]}},
    {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2024-11-01", "name": "kv-shop", "properties": {"enableRbacAuthorization": false}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "properties": {"principalId": "20000000-0000-0000-0000-00000000000a", "principalType": "Group",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'f25e0fa2-a7c8-4377-a976-54943a77a395')]"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "azure:vault-secrets:/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/microsoft.keyvault/vaults/kv-shop",
        steps: &["group-member", "azure-role", "vault-secrets"],
        possible: false,
        // Key Vault Contributor writes a vault that goes by roles so that deployments read it.
        hardened: &[("\"enableRbacAuthorization\": false", "\"enableRbacAuthorization\": true"),
            ("f25e0fa2-a7c8-4377-a976-54943a77a395", "21090545-7ca7-4776-b22c-e363652d74d2")],
    }
    .check();
}

/// A build's service principal pushes an image that a controller with every right pulls by a tag.
#[test]
fn a_pushed_image_becomes_cluster_admin() {
    Planted {
        yaml: "
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: ops}
spec:
  selector: {matchLabels: {app: operator}}
  template:
    metadata: {labels: {app: operator}}
    spec:
      serviceAccountName: operator
      containers: [{name: operator, image: \"shop.azurecr.io/operator:latest\"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2025-11-01", "name": "shop", "properties": {"adminUserEnabled": false}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[resourceId('Microsoft.ContainerRegistry/registries', 'shop')]",
     "properties": {"principalId": "30000000-0000-0000-0000-000000000001", "principalType": "ServicePrincipal",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '8311e382-0749-4cb8-b61a-304f252e45ec')]"}}
  ]
}"#],
        from: "entra:30000000-0000-0000-0000-000000000001",
        to: "right:everything@*",
        steps: &["azure-role", "registry-push", "image-compromise", "pod-service-account", "bound-role"],
        possible: false,
        hardened: &[(
            "operator:latest",
            "operator@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        )],
    }
    .check();
}

/// Somebody who may give one role only: that of an administrator in Kubernetes.
#[test]
fn a_delegate_gives_itself_the_one_role() {
    Planted {
        yaml: "",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true, "enableAzureRBAC": true}}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'f58310d9-a9f6-439a-9e8d-f62e7b41a168')]",
       "conditionVersion": "2.0",
       "condition": "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b}))"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "right:everything@*",
        steps: &["azure-role-grant", "azure-cluster-admin"],
        possible: false,
        hardened: &[("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "7f951dda-4ed3-4680-a7ca-43fe172d538d")],
    }
    .check();
}

/// A group is bound in the cluster, and somebody is in a group that is in it.
#[test]
fn a_member_of_a_group_in_a_group_is_bound() {
    Planted {
        yaml: "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: 20000000-0000-0000-0000-00000000000a, apiGroup: rbac.authorization.k8s.io}]",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true}}},
    {"type": "Microsoft.Graph/groups", "apiVersion": "v1.0", "name": "20000000-0000-0000-0000-00000000000a",
     "properties": {"displayName": "ops", "members": ["20000000-0000-0000-0000-00000000000b"]}},
    {"type": "Microsoft.Graph/groups", "apiVersion": "v1.0", "name": "20000000-0000-0000-0000-00000000000b",
     "properties": {"displayName": "on call", "members": ["10000000-0000-0000-0000-000000000001"]}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "right:everything@*",
        steps: &["group-member", "group-member", "entra-group-binding", "bound-role"],
        possible: false,
        hardened: &[("[\"20000000-0000-0000-0000-00000000000b\"]", "[]")],
    }
    .check();
}

/// Two harmless roles of one person, in two groups of resources, and an identity that owns the subscription.
#[test]
fn an_assigned_identity_owns_the_subscription() {
    Planted {
        yaml: "",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "landing",
     "properties": {"principalId": "30000000-0000-0000-0000-000000000001"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "/subscriptions/00000000-0000-0000-0000-00000000000a",
     "properties": {"principalId": "30000000-0000-0000-0000-000000000001", "principalType": "ServicePrincipal",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000002",
     "scope": "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'landing')]",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/f1a07417-d97a-45cb-824c-7a7467783830"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000003",
     "scope": "/subscriptions/00000000-0000-0000-0000-00000000000b/resourceGroups/lab",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/9980e02c-c2be-4d73-94e8-173b1dc7cf3c"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "azure:owner:/subscriptions/00000000-0000-0000-0000-00000000000a",
        steps: &["azure-role", "azure-role", "identity-assign", "azure-role"],
        possible: false,
        hardened: &[("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "acdd72a7-3385-48ef-bd42-f606fba81ae7")],
    }
    .check();
}

/// A monitoring team writes extensions of the node's machines, and a pod on them has every right.
#[test]
fn an_extension_on_the_nodes_becomes_cluster_admin() {
    Planted {
        yaml: "
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: v1
kind: Pod
metadata: {name: operator, namespace: ops}
spec:
  serviceAccountName: operator
  containers: [{name: operator, image: \"shop.example/operator@sha256:0000000000000000000000000000000000000000000000000000000000000000\"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true}, "nodeResourceGroup": "nodes",
       "nodeResourceGroupProfile": {"restrictionLevel": "Unrestricted"}, "agentPoolProfiles": [{"name": "system", "mode": "System"}]}},
    {"type": "Microsoft.Authorization/roleDefinitions", "apiVersion": "2022-04-01", "name": "20000000-0000-0000-0000-000000000001",
     "properties": {"roleName": "Monitoring", "type": "CustomRole", "permissions": [{"actions": ["Microsoft.Compute/virtualMachineScaleSets/extensions/write"]}]}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[subscription().id]",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '20000000-0000-0000-0000-000000000001')]"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "right:everything@*",
        steps: &["azure-role", "node-resource-group", "node-tokens", "bound-role"],
        possible: false,
        hardened: &[("\"Unrestricted\"", "\"ReadOnly\"")],
    }
    .check();
}

/// With two clusters nobody knows which one the manifests go to; each one's own administrator is certain.
#[test]
fn of_several_clusters_the_one_with_the_manifests_is_not_known() {
    let template = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "one", "properties": {"disableLocalAccounts": false, "aadProfile": {"managed": true}}},
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "two", "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true}}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[resourceId('Microsoft.ContainerService/managedClusters', 'one')]",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"}}
  ]
}"#;
    for (to, possible) in [
        (
            "azure:cluster-admin:/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/microsoft.containerservice/managedclusters/one",
            false,
        ),
        ("right:everything@*", true),
    ] {
        Planted {
            yaml: "",
            templates: Box::leak(Box::new([template])),
            from: "entra:10000000-0000-0000-0000-000000000001",
            to,
            steps: &["azure-role", "azure-cluster-admin"],
            possible,
            hardened: &[(
                "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
                "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            )],
        }
        .check();
    }
}

/// A team may write in its namespace by Azure's role, and an operator with every right lives there.
#[test]
fn a_writer_by_azure_becomes_the_operator() {
    Planted {
        yaml: "
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: ops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: ops}]",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true, "enableAzureRBAC": true}}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[concat(resourceId('Microsoft.ContainerService/managedClusters', 'shop'), '/namespaces/ops')]",
     "properties": {"principalId": "20000000-0000-0000-0000-00000000000a", "principalType": "Group",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb"}}
  ]
}"#],
        from: "entra:20000000-0000-0000-0000-00000000000a",
        to: "right:everything@*",
        steps: &["pod-create", "bound-role"],
        possible: false,
        hardened: &[(
            "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
            "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
        )],
    }
    .check();
}
