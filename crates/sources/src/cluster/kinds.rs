//! The kinds that are listed in a cluster, named one by one. `deploy/rbac/` grants exactly these; a
//! test compares the two, and the table with what guidelines read.
//!
//! What stands in no row is never asked for: it enters the ledger as served, from discovery.

/// A kind that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// The resource's name in paths and in rules of roles.
    pub resource: &'static str,
    /// Its kind.
    pub kind: &'static str,
}

impl Wanted {
    /// The kind as guidelines name it: bare for Kubernetes' own, with the group for others.
    #[must_use]
    pub fn name(&self) -> String {
        if model::kinds::is_builtin(self.group, self.kind) {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// How many are asked for at once: what may be large comes in smaller pages, so that a page stays
    /// small. An API server gives objects of up to 1.5 MiB (etcd's limit).
    pub(super) fn page(&self) -> u32 {
        match self.resource {
            "configmaps" | "customresourcedefinitions" => 50,
            _ => 500,
        }
    }
}

const fn wanted(group: &'static str, resource: &'static str, kind: &'static str) -> Wanted {
    Wanted {
        group,
        resource,
        kind,
    }
}

/// Secrets are only asked for with the opt-in, and then for their metadata.
pub const SECRETS: Wanted = wanted("", "secrets", "Secret");

const APPS: &str = "apps";
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const POLICY_API: &str = "policy.networking.k8s.io";
const CILIUM: &str = "cilium.io";
const ISTIO: &str = "security.istio.io";
const FLUX: &str = "source.toolkit.fluxcd.io";
const POD_IDENTITY: &str = "aadpodidentity.k8s.io";

/// Every kind that is read, namespaces first (they are asked one by one where the whole cluster may not
/// be listed), and what makes pods before the pods that it makes.
pub const WANTED: &[Wanted] = &[
    wanted("", "namespaces", "Namespace"),
    wanted("", "nodes", "Node"),
    wanted("", "serviceaccounts", "ServiceAccount"),
    wanted("", "configmaps", "ConfigMap"),
    wanted("", "limitranges", "LimitRange"),
    wanted("", "resourcequotas", "ResourceQuota"),
    wanted("", "persistentvolumes", "PersistentVolume"),
    wanted("", "persistentvolumeclaims", "PersistentVolumeClaim"),
    wanted(APPS, "deployments", "Deployment"),
    wanted(APPS, "statefulsets", "StatefulSet"),
    wanted(APPS, "daemonsets", "DaemonSet"),
    wanted("batch", "cronjobs", "CronJob"),
    wanted("", "podtemplates", "PodTemplate"),
    wanted("", "replicationcontrollers", "ReplicationController"),
    wanted(APPS, "replicasets", "ReplicaSet"),
    wanted("batch", "jobs", "Job"),
    wanted("", "pods", "Pod"),
    wanted("", "services", "Service"),
    wanted("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    wanted(
        "autoscaling",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
    ),
    wanted("policy", "poddisruptionbudgets", "PodDisruptionBudget"),
    // Served up to Kubernetes 1.24.
    wanted("policy", "podsecuritypolicies", "PodSecurityPolicy"),
    wanted("networking.k8s.io", "networkpolicies", "NetworkPolicy"),
    wanted("networking.k8s.io", "ingresses", "Ingress"),
    wanted("networking.k8s.io", "ingressclasses", "IngressClass"),
    wanted(RBAC, "clusterroles", "ClusterRole"),
    wanted(RBAC, "clusterrolebindings", "ClusterRoleBinding"),
    wanted(RBAC, "roles", "Role"),
    wanted(RBAC, "rolebindings", "RoleBinding"),
    wanted(
        ADMISSION,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
    ),
    wanted(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
    ),
    wanted(
        ADMISSION,
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
    ),
    wanted(
        ADMISSION,
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
    ),
    wanted(
        ADMISSION,
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
    ),
    wanted(
        ADMISSION,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
    ),
    wanted(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
    ),
    wanted("apiregistration.k8s.io", "apiservices", "APIService"),
    // What pods of ours on each node read of it.
    wanted("seawall.dev", "nodereadings", "Node"),
    wanted(
        "certificates.k8s.io",
        "certificatesigningrequests",
        "CertificateSigningRequest",
    ),
    wanted("storage.k8s.io", "storageclasses", "StorageClass"),
    wanted("storage.k8s.io", "csidrivers", "CSIDriver"),
    wanted("node.k8s.io", "runtimeclasses", "RuntimeClass"),
    wanted("scheduling.k8s.io", "priorityclasses", "PriorityClass"),
    wanted(GATEWAY, "gatewayclasses", "GatewayClass"),
    wanted(GATEWAY, "gateways", "Gateway"),
    wanted(GATEWAY, "listenersets", "ListenerSet"),
    wanted(GATEWAY, "httproutes", "HTTPRoute"),
    wanted(GATEWAY, "grpcroutes", "GRPCRoute"),
    wanted(GATEWAY, "tlsroutes", "TLSRoute"),
    wanted(GATEWAY, "tcproutes", "TCPRoute"),
    wanted(GATEWAY, "udproutes", "UDPRoute"),
    wanted(GATEWAY, "referencegrants", "ReferenceGrant"),
    wanted(GATEWAY, "backendtlspolicies", "BackendTLSPolicy"),
    wanted(POLICY_API, "adminnetworkpolicies", "AdminNetworkPolicy"),
    wanted(
        POLICY_API,
        "baselineadminnetworkpolicies",
        "BaselineAdminNetworkPolicy",
    ),
    wanted(POLICY_API, "clusternetworkpolicies", "ClusterNetworkPolicy"),
    wanted(CILIUM, "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
    wanted(
        CILIUM,
        "ciliumclusterwidenetworkpolicies",
        "CiliumClusterwideNetworkPolicy",
    ),
    wanted(ISTIO, "peerauthentications", "PeerAuthentication"),
    wanted(ISTIO, "authorizationpolicies", "AuthorizationPolicy"),
    wanted(
        "secrets-store.csi.x-k8s.io",
        "secretproviderclasses",
        "SecretProviderClass",
    ),
    wanted("external-secrets.io", "externalsecrets", "ExternalSecret"),
    wanted(
        "external-secrets.io",
        "clusterexternalsecrets",
        "ClusterExternalSecret",
    ),
    wanted("cert-manager.io", "certificates", "Certificate"),
    wanted(
        "kustomize.toolkit.fluxcd.io",
        "kustomizations",
        "Kustomization",
    ),
    wanted(FLUX, "gitrepositories", "GitRepository"),
    wanted(FLUX, "helmrepositories", "HelmRepository"),
    wanted(FLUX, "ocirepositories", "OCIRepository"),
    wanted(FLUX, "buckets", "Bucket"),
    wanted("argoproj.io", "applications", "Application"),
    wanted("argoproj.io", "appprojects", "AppProject"),
    wanted(POD_IDENTITY, "azureidentities", "AzureIdentity"),
    wanted(
        POD_IDENTITY,
        "azureidentitybindings",
        "AzureIdentityBinding",
    ),
    wanted(
        POD_IDENTITY,
        "azureassignedidentities",
        "AzureAssignedIdentity",
    ),
    wanted(
        POD_IDENTITY,
        "azurepodidentityexceptions",
        "AzurePodIdentityException",
    ),
];
