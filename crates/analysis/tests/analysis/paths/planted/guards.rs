//! Ways over what stands between a right and what it is for: operators, admission, answers that show more than was
//! asked, keys and deployments.

use super::Planted;

/// A dashboard may write stores of External Secrets; a store of its own has a token made for the platform's account
/// and handed to a server of the attacker's.
#[test]
fn a_store_has_a_token_made_for_the_platform() {
    Planted {
        yaml: "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: board, namespace: tools}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: platform, namespace: ops}
---
apiVersion: v1
kind: Pod
metadata: {name: board, namespace: tools}
spec:
  serviceAccountName: board
  containers: [{name: board, image: tools.example/board@sha256:1}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-secrets, namespace: external-secrets}
spec:
  selector: {matchLabels: {app: eso}}
  template:
    metadata: {labels: {app: eso}}
    spec:
      containers: [{name: controller, image: eso.example/controller@sha256:1}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: board}
rules: [{apiGroups: [external-secrets.io], resources: [clustersecretstores], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: board}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: board}
subjects: [{kind: ServiceAccount, name: board, namespace: tools}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: platform}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: platform, namespace: ops}]",
        templates: &[],
        from: "sa:tools/board",
        to: "right:everything@*",
        steps: &["operator-resource", "operator-resource", "bound-role"],
        possible: false,
        hardened: &[("verbs: [create]", "verbs: [get]")],
    }
    .check();
}

/// Argo CD carries out Applications of a team's namespace under a project that limits nothing.
#[test]
fn an_application_of_a_team_becomes_cluster_admin() {
    Planted {
        yaml: "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: controller, namespace: argocd}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: argocd-application-controller, namespace: argocd}
spec:
  selector: {matchLabels: {app: argo}}
  template:
    metadata: {labels: {app: argo}}
    spec:
      serviceAccountName: controller
      containers: [{name: controller, image: argo.example/controller@sha256:1}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cmd-params-cm, namespace: argocd}
data: {application.namespaces: 'team-*'}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ['*']
  destinations: [{server: '*', namespace: '*'}]
  clusterResourceWhitelist: [{group: '*', kind: '*'}]
  sourceNamespaces: [team-a]
---
apiVersion: v1
kind: Namespace
metadata: {name: team-a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: apps, namespace: team-a}
rules: [{apiGroups: [argoproj.io], resources: [applications], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: apps, namespace: team-a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: apps}
subjects: [{kind: User, name: jane}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: argo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: controller, namespace: argocd}]",
        templates: &[],
        from: "user:jane",
        to: "right:everything@*",
        steps: &["operator-resource", "operator-resource", "bound-role"],
        possible: false,
        hardened: &[("sourceNamespaces: [team-a]", "sourceNamespaces: [team-b]")],
    }
    .check();
}

/// A deployer whose namespace a policy guards may delete the binding that puts the policy in force.
#[test]
fn a_deployer_takes_the_guard_away() {
    Planted {
        yaml: GUARDED,
        templates: &[],
        from: "user:jane",
        to: "pool:",
        steps: &["pod-create", "admission-removal", "admission-removal"],
        possible: false,
        hardened: &[(
            "resources: [validatingadmissionpolicybindings], verbs: [delete]",
            "resources: [validatingadmissionpolicybindings], verbs: [get]",
        )],
    }
    .check();
}

/// The label that the namespace carries as well is one guard more.
#[test]
fn a_second_guard_holds() {
    Planted {
        yaml: GUARDED,
        templates: &[],
        from: "user:jane",
        to: "pool:",
        steps: &["pod-create", "admission-removal", "admission-removal"],
        possible: false,
        hardened: &[(
            "metadata: {name: shop}",
            "metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}",
        )],
    }
    .check();
}

const GUARDED: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-host}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}]
  validations:
  - expression: '!has(object.spec.hostPID) && !has(object.spec.volumes) && object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged))'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-host}
spec: {policyName: no-host, validationActions: [Deny]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: policies}
rules: [{apiGroups: [admissionregistration.k8s.io], resources: [validatingadmissionpolicybindings], verbs: [delete]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: policies}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: policies}
subjects: [{kind: User, name: jane}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deploy, namespace: shop}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deploy, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deploy}
subjects: [{kind: User, name: jane}]";

/// A label job may patch one Secret, and the answer shows what it holds: the token of an administrator.
#[test]
fn a_patch_shows_the_token_of_an_administrator() {
    Planted {
        yaml: "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: admin, namespace: ops}
---
apiVersion: v1
kind: Secret
metadata: {name: admin-token, namespace: ops, annotations: {kubernetes.io/service-account.name: admin}}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: labels, namespace: ops}
rules: [{apiGroups: [''], resources: [secrets], verbs: [patch], resourceNames: [admin-token]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: labels, namespace: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: labels}
subjects: [{kind: User, name: jane}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: admin, namespace: ops}]",
        templates: &[],
        from: "user:jane",
        to: "right:everything@*",
        steps: &["secret-read", "token-secret", "bound-role"],
        possible: false,
        hardened: &[("verbs: [patch]", "verbs: [update]")],
    }
    .check();
}

/// A Contributor of the shop's resource group has a deployment read the vault, which goes by roles.
#[test]
fn a_deployment_reads_the_vault() {
    Planted {
        yaml: "",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2024-11-01", "name": "kv-shop",
     "properties": {"enableRbacAuthorization": true, "enabledForTemplateDeployment": true, "publicNetworkAccess": "Disabled"}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "ServicePrincipal",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c')]"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "azure:vault-secrets:/subscriptions/{subscription}/resourcegroups/{resourcegroup}/providers/microsoft.keyvault/vaults/kv-shop",
        steps: &["azure-role", "vault-deployment"],
        possible: false,
        hardened: &[(
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
            "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        )],
    }
    .check();
}

/// Whoever lists the keys of the account in which the cluster's backups lie may find an administrator's token there.
#[test]
fn a_backup_holds_the_secrets_of_the_cluster() {
    Planted {
        yaml: "\
apiVersion: velero.io/v1
kind: BackupStorageLocation
metadata: {name: default, namespace: velero}
spec:
  provider: velero.io/azure
  config: {storageAccount: backups}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": "backups", "properties": {"allowSharedKeyAccess": true}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '17d1049b-9a84-46fb-8f53-869881c3d3ab')]"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "secret:shop/db",
        steps: &["azure-role", "storage-data", "storage-data"],
        possible: true,
        hardened: &[("\"allowSharedKeyAccess\": true", "\"allowSharedKeyAccess\": false")],
    }
    .check();
}

/// What a role allows that was not given may be anything in Kubernetes too.
#[test]
fn a_role_that_was_not_given_may_read_secrets() {
    Planted {
        yaml: "\
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}",
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-05-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true, "enableAzureRBAC": true}}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "[concat(resourceId('Microsoft.ContainerService/managedClusters', 'shop'), '/namespaces/shop')]",
     "properties": {"principalId": "10000000-0000-0000-0000-000000000001", "principalType": "User",
       "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '20000000-0000-0000-0000-000000000009')]"}}
  ]
}"#],
        from: "entra:10000000-0000-0000-0000-000000000001",
        to: "secret:shop/db",
        steps: &["secret-read"],
        possible: true,
        hardened: &[(
            "20000000-0000-0000-0000-000000000009",
            "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        )],
    }
    .check();
}
