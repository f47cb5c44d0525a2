//! The kinds of steps that an attacker can take.
//!
//! Each has a page in `guide/edges`, which says when it is there, what it costs an attacker and what takes it
//! away, with an estate that shows it.

macro_rules! edges {
    ($($name:ident $id:literal)*) => {
        /// A kind of step.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Edge {
            /// No deed: what is held here is held there too.
            Implied,
            $(#[doc = concat!("`", $id, "`")] $name,)*
        }

        impl Edge {
            /// Every kind that is a deed.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its stable name: that of its page.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    Self::Implied => "implied",
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

edges! {
    ContainerEscapeNsenter "container-escape-nsenter"
    ContainerEscapeMount "container-escape-mount"
    ContainerEscapeModule "container-escape-module"
    ContainerEscapePtrace "container-escape-ptrace"
    ContainerEscapeCorePattern "container-escape-core-pattern"
    ContainerEscapeCgroup "container-escape-cgroup"
    ContainerEscapeFileHandle "container-escape-file-handle"
    ContainerEscapeKernel "container-escape-kernel"
    VarLogSymlink "var-log-symlink"
    HostPathRead "host-path-read"
    HostPathWrite "host-path-write"
    RuntimeSocket "runtime-socket"
    HostDevice "host-device"
    HostIpc "host-ipc"
    HostProcess "host-process"
    HostNetwork "host-network"
    NodeTokens "node-tokens"
    SharedProcessNamespace "shared-process-namespace"
    NodeToPods "node-to-pods"
    PodServiceAccount "pod-service-account"
    ImageCompromise "image-compromise"
    RegistryPush "registry-push"
    PodExec "pod-exec"
    PodDebug "pod-debug"
    PodCreate "pod-create"
    PodCreateNode "pod-create-node"
    PodPatch "pod-patch"
    NamespaceLabel "namespace-label"
    SecretRead "secret-read"
    TokenSecret "token-secret"
    TokenRequest "token-request"
    Impersonate "impersonate"
    RoleBind "role-bind"
    RoleEscalate "role-escalate"
    RoleAggregation "role-aggregation"
    CertificateSign "certificate-sign"
    KubeletProxy "kubelet-proxy"
    WebhookWrite "webhook-write"
    PodSteal "pod-steal"
    DnsConfig "dns-config"
    ServiceRedirect "service-redirect"
    OperatorResource "operator-resource"
    PipelineIdentity "pipeline-identity"
    ImdsIdentity "imds-identity"
    KubeletIdentityRoles "kubelet-identity-roles"
    NodeServicePrincipal "node-service-principal"
    FederatedIdentity "federated-identity"
    FederatedCredentialWrite "federated-credential-write"
    PodIdentityLegacy "pod-identity-legacy"
    VaultSecrets "vault-secrets"
    SecretAzureKey "secret-azure-key"
    AzureClusterAdmin "azure-cluster-admin"
    AzureRunCommand "azure-run-command"
    EntraGroupBinding "entra-group-binding"
    NodeResourceGroup "node-resource-group"
    AzureRoleGrant "azure-role-grant"
    LateralNetwork "lateral-network"
    WireServer "wire-server"
    AnonymousBinding "anonymous-binding"
    PersistentVolume "persistent-volume"
    PodForward "pod-forward"
    IdentityAssign "identity-assign"
    GroupMember "group-member"
    AzureRole "azure-role"
    AzureUserCredential "azure-user-credential"
    RegistryPassword "registry-password"
    BoundRole "bound-role"
    NodeIdentity "node-identity"
    AdmissionRemoval "admission-removal"
    CrdConversion "crd-conversion"
    NetworkOpen "network-open"
    StorageData "storage-data"
    VaultDeployment "vault-deployment"
}

impl Edge {
    /// The kind of a stable name.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|edge| edge.id() == id)
    }

    /// Its place in tables over all kinds.
    #[must_use]
    pub const fn number(self) -> usize {
        self as usize
    }
}

/// What a step of each kind costs an attacker, as its page says.
#[derive(Debug, Clone)]
pub struct Efforts(Vec<u32>);

impl Default for Efforts {
    /// Each deed costs one: the cheapest way is the shortest.
    fn default() -> Self {
        let mut efforts = vec![1; Edge::ALL.len() + 1];
        if let Some(implied) = efforts.first_mut() {
            *implied = 0;
        }
        Self(efforts)
    }
}

impl Efforts {
    /// Sets what a kind costs.
    pub fn set(&mut self, edge: Edge, effort: u32) {
        if let Some(own) = self.0.get_mut(edge.number()) {
            *own = effort;
        }
    }

    /// What a kind costs.
    #[must_use]
    pub fn of(&self, edge: Edge) -> u32 {
        self.0.get(edge.number()).copied().unwrap_or(1)
    }
}
