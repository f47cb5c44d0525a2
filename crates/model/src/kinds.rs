//! Kubernetes kinds: which groups they belong to, and which carry pods.

/// What a resource is: an API group and a kind, or an Azure resource type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A Kubernetes kind with its API group (empty for the core group).
    Kubernetes {
        /// API group
        group: Box<str>,
        /// kind
        kind: Box<str>,
    },
    /// An Azure resource type, as ARM spells it.
    Azure(Box<str>),
}

impl Kind {
    /// The kind or resource type without its group.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Kubernetes { kind, .. } => kind,
            Self::Azure(name) => name,
        }
    }

    /// Whether a name in a guideline (`Service`, `Gateway.gateway.networking.k8s.io`,
    /// `Microsoft.ContainerService/managedClusters`) means this kind. A bare Kubernetes kind
    /// means Kubernetes' own; Azure types are compared without regard to case, as ARM does.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::Azure(own) => own.eq_ignore_ascii_case(name),
            Self::Kubernetes { group, kind } => match name.split_once('.') {
                _ if name.contains('/') => false,
                Some((short, wanted)) => &**kind == short && &**group == wanted,
                None => &**kind == name && builtin_groups(kind).contains(&&**group),
            },
        }
    }
}

/// The groups in which Kubernetes itself serves or served a kind. Empty for kinds it does not know.
#[must_use]
pub fn builtin_groups(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod"
        | "Service"
        | "ConfigMap"
        | "Secret"
        | "Namespace"
        | "ServiceAccount"
        | "Node"
        | "PersistentVolume"
        | "PersistentVolumeClaim"
        | "ResourceQuota"
        | "LimitRange"
        | "ReplicationController"
        | "Endpoints"
        | "PodTemplate"
        | "List"
        | "Binding"
        | "ComponentStatus" => &[""],
        "Event" => &["", "events.k8s.io"],
        "Deployment" | "DaemonSet" | "ReplicaSet" => &["apps", "extensions"],
        "StatefulSet" | "ControllerRevision" => &["apps"],
        "Job" | "CronJob" => &["batch"],
        "HorizontalPodAutoscaler" => &["autoscaling"],
        "NetworkPolicy" => &["networking.k8s.io", "extensions"],
        "Ingress" => &["networking.k8s.io", "extensions"],
        "IngressClass" | "ServiceCIDR" | "IPAddress" => &["networking.k8s.io"],
        "PodDisruptionBudget" | "Eviction" => &["policy"],
        "PodSecurityPolicy" => &["policy", "extensions"],
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => {
            &["rbac.authorization.k8s.io"]
        }
        "StorageClass"
        | "VolumeAttachment"
        | "CSIDriver"
        | "CSINode"
        | "CSIStorageCapacity"
        | "VolumeAttributesClass" => &["storage.k8s.io"],
        "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "ValidatingWebhookConfiguration"
        | "MutatingWebhookConfiguration"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => &["admissionregistration.k8s.io"],
        "CustomResourceDefinition" => &["apiextensions.k8s.io"],
        "APIService" => &["apiregistration.k8s.io"],
        "PriorityClass" => &["scheduling.k8s.io"],
        "RuntimeClass" => &["node.k8s.io"],
        "EndpointSlice" => &["discovery.k8s.io"],
        "Lease" => &["coordination.k8s.io"],
        "CertificateSigningRequest" | "ClusterTrustBundle" => &["certificates.k8s.io"],
        "FlowSchema" | "PriorityLevelConfiguration" => &["flowcontrol.apiserver.k8s.io"],
        "ResourceClaim" | "ResourceClaimTemplate" | "DeviceClass" | "ResourceSlice" => {
            &["resource.k8s.io"]
        }
        _ => &[],
    }
}

/// Whether Kubernetes itself serves (or served) this group and kind.
#[must_use]
pub fn is_builtin(group: &str, kind: &str) -> bool {
    builtin_groups(kind).contains(&group)
}

/// Kinds that belong to the cluster and not to a namespace.
#[must_use]
pub fn is_cluster_scoped(kind: &str) -> bool {
    matches!(
        kind,
        "Namespace"
            | "Node"
            | "PersistentVolume"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "StorageClass"
            | "IngressClass"
            | "PodSecurityPolicy"
            | "ValidatingAdmissionPolicy"
            | "ValidatingAdmissionPolicyBinding"
            | "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
            | "MutatingAdmissionPolicy"
            | "MutatingAdmissionPolicyBinding"
            | "CustomResourceDefinition"
            | "APIService"
            | "PriorityClass"
            | "RuntimeClass"
            | "CertificateSigningRequest"
            | "ClusterTrustBundle"
            | "FlowSchema"
            | "PriorityLevelConfiguration"
            | "CSIDriver"
            | "CSINode"
            | "VolumeAttachment"
            | "GatewayClass"
            | "DeviceClass"
            | "ResourceSlice"
            | "VolumeAttributesClass"
            | "ServiceCIDR"
            | "IPAddress"
    )
}

/// The way from an object to what carries the pod's `metadata` and `spec`. `None` for kinds
/// that carry no pod.
#[must_use]
pub fn pod_route(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    if !is_builtin(group, kind) {
        return None;
    }
    match kind {
        "Pod" => Some(&[]),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some(&["spec", "template"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template"]),
        "PodTemplate" => Some(&["template"]),
        _ => None,
    }
}

/// Splits `apps/v1` into group and version; the core group is empty.
#[must_use]
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
