//! Ways from what the internet reaches, through the cluster, to the whole of Azure.

use super::Planted;

const SHOP: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers: [{name: web, image: shop.example/web:1, ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: landing, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: jobs, namespace: shop}
rules: [{apiGroups: [batch], resources: [jobs], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web-jobs, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: jobs}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-metadata, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32, 168.63.129.16/32]}}]}]";

/// A web shop starts jobs; a job may run as the account of the team that makes landing zones, whose identity owns
/// the subscription.
#[test]
fn a_web_pod_owns_the_subscription() {
    Planted {
        yaml: SHOP,
        templates: &[r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"disableLocalAccounts": true, "aadProfile": {"managed": true},
       "oidcIssuerProfile": {"enabled": true, "issuerURL": "https://westeurope.oic.prod-aks.azure.com/t/c/"},
       "agentPoolProfiles": [{"name": "system", "mode": "System"}]}},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "landing",
     "properties": {"principalId": "30000000-0000-0000-0000-000000000001"}},
    {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "apiVersion": "2024-11-30", "name": "landing/shop",
     "properties": {"issuer": "https://westeurope.oic.prod-aks.azure.com/t/c/", "subject": "system:serviceaccount:shop:landing",
       "audiences": ["api://AzureADTokenExchange"]}},
    {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "10000000-0000-0000-0000-000000000001",
     "scope": "/subscriptions/00000000-0000-0000-0000-00000000000a",
     "properties": {"principalId": "30000000-0000-0000-0000-000000000001", "principalType": "ServicePrincipal",
       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}}
  ]
}"#],
        from: "workload:shop/web[Deployment]",
        to: "azure:owner:/subscriptions/00000000-0000-0000-0000-00000000000a",
        steps: &["pod-service-account", "pod-create", "federated-identity", "azure-role"],
        possible: false,
        hardened: &[("resources: [jobs], verbs: [create]", "resources: [jobs], verbs: [get]")],
    }
    .check();
}
