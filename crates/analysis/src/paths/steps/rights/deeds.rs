//! What takes which rights: one request each, or one of a few that come to the same.
//!
//! Sources: pkg/registry of kubernetes for what a subresource does and what is checked beside the request itself
//! (pkg/registry/rbac, apiserver/pkg/endpoints/filters/impersonation.go, plugin/pkg/admission/certificates);
//! kubernetes.io/docs/concepts/security/rbac-good-practices. Where a need is that of a name that another need
//! must share (the role that is bound, the role that is widened), [`Use`] says how they hang together.
//!
//! Here are the deeds over workloads, credentials and roles; [`control`] has those over what the cluster runs on,
//! [`operators`] those over objects that a controller carries out.

use model::kinds::{Kind, is_builtin};

use crate::paths::edge::Edge;
use crate::rbac::escalations::facts::{
    CERTIFICATES, CHANGE, Level, Need, RBAC, SHOW, anywhere, cluster, named,
};

/// A deed.
pub(super) struct Deed {
    /// The name of the right: a node between those who hold it and what it leads to.
    pub(super) right: &'static str,
    /// What the right is called.
    pub(super) title: &'static str,
    pub(super) edge: Edge,
    /// Each of these is enough; all needs of one by the same subject, for they are one request.
    pub(super) any_of: &'static [&'static [Need]],
    /// Only before this minor version.
    before: Option<u8>,
    /// Only since this minor version.
    since: Option<u8>,
    pub(super) leads: Use,
    /// Why it may come to nothing.
    pub(super) doubt: Option<&'static str>,
}

impl Deed {
    /// Whether what it is done to belongs to no namespace.
    pub(super) fn is_of_the_cluster(&self) -> bool {
        let needs = self.any_of.iter().copied().flatten();
        needs
            .take(1)
            .any(|need| matches!(need.level, Level::Cluster))
    }
}

/// What names in the rules mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// There are none, or whoever asks chooses them.
    Free,
    /// Names of these are targets.
    Named(Target),
    /// A name is a target, and the right counts only where no name is said.
    Everything,
    /// A new binding of the roles that the last need names; of ClusterRoles or of Roles.
    Bind {
        everywhere: bool,
        cluster_role: bool,
    },
    /// A change of the bindings that the first need names, whose role the second must name.
    Rebind {
        everywhere: bool,
        cluster_role: bool,
    },
    /// A change of a role that both needs must name.
    Widen { cluster_role: bool },
    /// A new role, of any name.
    Invent { cluster_role: bool },
}

/// What a rule's names are the names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Pods,
    /// pods in which a container reads what is typed
    Typed,
    /// objects of a kind that make pods
    Makers(&'static str),
    Namespaces,
    Secrets,
    Accounts,
    Users,
    Groups,
    Nodes,
    Services,
    /// objects of these kinds, which must be there; what one of them leads to, all of its namespace do
    Present(&'static [&'static str]),
    /// what keeps pods out
    Guards(Guard),
    /// definitions of custom resources
    Definitions,
}

/// What keeps pods out at admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Policy,
    Binding,
    Webhook,
    Kyverno,
}

const fn deed(
    right: &'static str,
    title: &'static str,
    edge: Edge,
    leads: Use,
    any_of: &'static [&'static [Need]],
) -> Deed {
    Deed {
        right,
        title,
        edge,
        any_of,
        before: None,
        since: None,
        leads,
        doubt: None,
    }
}

const fn before(minor: u8, deed: Deed) -> Deed {
    Deed {
        before: Some(minor),
        ..deed
    }
}

const fn since(minor: u8, deed: Deed) -> Deed {
    Deed {
        since: Some(minor),
        ..deed
    }
}

const fn perhaps(why: &'static str, deed: Deed) -> Deed {
    Deed {
        doubt: Some(why),
        ..deed
    }
}

/// Who approves asks for the signer by its name, then for all of its domain
/// (kubernetes pkg/apis/certificates/authorization, `IsAuthorizedForSignerName`).
const CLIENT: &[&str] = &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
const KUBELET: &[&str] = &[
    "kubernetes.io/kube-apiserver-client-kubelet",
    "kubernetes.io/*",
];
const CREATE: &[&str] = &["create"];
const WEAKNESS: &str = "a program that listens there must have a weakness";
const TRUST: &str =
    "a client must trust whoever answers, without a certificate that proves the name";

/// Changes of what makes pods of a kind.
const fn maker(
    right: &'static str,
    title: &'static str,
    kind: &'static str,
    any_of: &'static [&'static [Need]],
) -> Deed {
    deed(
        right,
        title,
        Edge::PodPatch,
        Use::Named(Target::Makers(kind)),
        any_of,
    )
}

const fn bind(
    right: &'static str,
    title: &'static str,
    leads: Use,
    any_of: &'static [&'static [Need]],
) -> Deed {
    deed(right, title, Edge::RoleBind, leads, any_of)
}

const fn widen(
    right: &'static str,
    title: &'static str,
    leads: Use,
    any_of: &'static [&'static [Need]],
) -> Deed {
    deed(right, title, Edge::RoleEscalate, leads, any_of)
}

mod control;
mod operators;

/// All deeds, of every version.
pub(super) fn every() -> impl Iterator<Item = &'static Deed> {
    let more = control::DEEDS.iter().chain(operators::DEEDS);
    DEEDS.iter().chain(more)
}

/// Those of a minor version.
pub(super) fn of_version(minor: u8) -> impl Iterator<Item = &'static Deed> {
    every().filter(move |deed| {
        deed.before.is_none_or(|before| minor < before)
            && deed.since.is_none_or(|since| minor >= since)
    })
}

/// Kinds whose objects are targets where a rule names them.
pub(crate) fn reads(kind: &Kind) -> bool {
    let Kind::Kubernetes { group, kind } = kind else {
        return false;
    };
    every().any(|deed| match deed.leads {
        Use::Named(Target::Present(kinds)) => kinds.iter().any(|own| match own.split_once('.') {
            Some((name, of)) => name == &**kind && of == &**group,
            None => *own == &**kind && is_builtin(group, kind),
        }),
        _ => false,
    })
}

const DEEDS: &[Deed] = &[
    deed(
        "everything",
        "may do everything",
        Edge::BoundRole,
        Use::Everything,
        &[&[anywhere(&["*"], "*", &["*"])]],
    ),
    deed(
        "pod-exec",
        "may run commands in pods",
        Edge::PodExec,
        Use::Named(Target::Pods),
        &[&[anywhere(CREATE, "", &["pods/exec"])]],
    ),
    // A WebSocket begins with a GET, for which only `get` is asked while
    // AuthorizePodWebsocketUpgradeCreatePermission is off (kubernetes CHANGELOG-1.35).
    before(
        35,
        deed(
            "pod-exec",
            "may run commands in pods, by a right to read",
            Edge::PodExec,
            Use::Named(Target::Pods),
            &[&[anywhere(&["get"], "", &["pods/exec"])]],
        ),
    ),
    perhaps(
        "what reads there must take commands",
        deed(
            "pod-attach",
            "may type into containers",
            Edge::PodExec,
            Use::Named(Target::Typed),
            &[&[anywhere(CREATE, "", &["pods/attach"])]],
        ),
    ),
    before(
        35,
        perhaps(
            "what reads there must take commands",
            deed(
                "pod-attach",
                "may type into containers, by a right to read",
                Edge::PodExec,
                Use::Named(Target::Typed),
                &[&[anywhere(&["get"], "", &["pods/attach"])]],
            ),
        ),
    ),
    perhaps(
        WEAKNESS,
        deed(
            "pod-forward",
            "may reach the ports of pods",
            Edge::PodForward,
            Use::Named(Target::Pods),
            &[
                &[anywhere(CREATE, "", &["pods/portforward"])],
                &[anywhere(&["get", "create"], "", &["pods/proxy"])],
            ],
        ),
    ),
    before(
        35,
        perhaps(
            WEAKNESS,
            deed(
                "pod-forward",
                "may reach the ports of pods, by a right to read",
                Edge::PodForward,
                Use::Named(Target::Pods),
                &[&[anywhere(&["get"], "", &["pods/portforward"])]],
            ),
        ),
    ),
    perhaps(
        WEAKNESS,
        deed(
            "service-proxy",
            "may reach what is behind Services",
            Edge::PodForward,
            Use::Named(Target::Services),
            &[&[anywhere(&["get", "create"], "", &["services/proxy"])]],
        ),
    ),
    deed(
        "pod-debug",
        "may add containers to pods",
        Edge::PodDebug,
        Use::Named(Target::Pods),
        &[&[anywhere(CHANGE, "", &["pods/ephemeralcontainers"])]],
    ),
    deed(
        "pod-create",
        "may create workloads",
        Edge::PodCreate,
        Use::Free,
        &[
            &[anywhere(CREATE, "", &["pods", "replicationcontrollers"])],
            &[anywhere(
                CREATE,
                "apps",
                &["deployments", "daemonsets", "statefulsets", "replicasets"],
            )],
            &[anywhere(CREATE, "batch", &["jobs", "cronjobs"])],
        ],
    ),
    deed(
        "pod-patch",
        "may change the image of pods",
        Edge::PodPatch,
        Use::Named(Target::Pods),
        &[&[anywhere(CHANGE, "", &["pods"])]],
    ),
    maker(
        "deployment-patch",
        "may change Deployments",
        "Deployment",
        &[&[anywhere(CHANGE, "apps", &["deployments"])]],
    ),
    maker(
        "daemonset-patch",
        "may change DaemonSets",
        "DaemonSet",
        &[&[anywhere(CHANGE, "apps", &["daemonsets"])]],
    ),
    maker(
        "statefulset-patch",
        "may change StatefulSets",
        "StatefulSet",
        &[&[anywhere(CHANGE, "apps", &["statefulsets"])]],
    ),
    maker(
        "replicaset-patch",
        "may change ReplicaSets",
        "ReplicaSet",
        &[&[anywhere(CHANGE, "apps", &["replicasets"])]],
    ),
    maker(
        "cronjob-patch",
        "may change CronJobs",
        "CronJob",
        &[&[anywhere(CHANGE, "batch", &["cronjobs"])]],
    ),
    maker(
        "controller-patch",
        "may change ReplicationControllers",
        "ReplicationController",
        &[&[anywhere(CHANGE, "", &["replicationcontrollers"])]],
    ),
    deed(
        "namespace-label",
        "may change the labels of namespaces",
        Edge::NamespaceLabel,
        Use::Named(Target::Namespaces),
        &[
            &[anywhere(CHANGE, "", &["namespaces"])],
            &[anywhere(CHANGE, "", &["namespaces/status"])],
            &[anywhere(&["update"], "", &["namespaces/finalize"])],
        ],
    ),
    deed(
        "secret-read",
        "may read Secrets",
        Edge::SecretRead,
        Use::Named(Target::Secrets),
        &[&[anywhere(SHOW, "", &["secrets"])]],
    ),
    deed(
        "secret-create",
        "may create Secrets",
        Edge::TokenSecret,
        Use::Free,
        &[&[anywhere(CREATE, "", &["secrets"])]],
    ),
    deed(
        "token-request",
        "may ask for tokens of service accounts",
        Edge::TokenRequest,
        Use::Named(Target::Accounts),
        &[&[anywhere(CREATE, "", &["serviceaccounts/token"])]],
    ),
    deed(
        "account-create",
        "may create service accounts",
        Edge::TokenRequest,
        Use::Free,
        &[&[anywhere(CREATE, "", &["serviceaccounts"])]],
    ),
    deed(
        "impersonate-user",
        "may act as users",
        Edge::Impersonate,
        Use::Named(Target::Users),
        &[&[cluster(&["impersonate"], "", &["users"])]],
    ),
    deed(
        "impersonate-account",
        "may act as service accounts",
        Edge::Impersonate,
        Use::Named(Target::Accounts),
        &[&[anywhere(&["impersonate"], "", &["serviceaccounts"])]],
    ),
    // Groups are taken only together with a user (`impersonating groups without a user` is refused).
    deed(
        "impersonate-group",
        "may act as a member of groups",
        Edge::Impersonate,
        Use::Named(Target::Groups),
        &[
            &[
                cluster(&["impersonate"], "", &["groups"]),
                cluster(&["impersonate"], "", &["users"]),
            ],
            &[
                cluster(&["impersonate"], "", &["groups"]),
                anywhere(&["impersonate"], "", &["serviceaccounts"]),
            ],
        ],
    ),
    // Kubernetes decides nothing by extra attributes; the webhook that asks Azure takes the object id from one
    // (github.com/kubeguard/guard, authz/providers/azure).
    perhaps(
        "AKS must take the object id from where the public webhook does",
        deed(
            "impersonate-object-id",
            "may act as object ids of Entra",
            Edge::Impersonate,
            Use::Everything,
            &[&[
                cluster(&["impersonate"], "", &["users"]),
                cluster(
                    &["impersonate"],
                    "authentication.k8s.io",
                    &["userextras/oid"],
                ),
            ]],
        ),
    ),
    bind(
        "cluster-role-bind",
        "may bind ClusterRoles everywhere",
        Use::Bind {
            everywhere: true,
            cluster_role: true,
        },
        &[&[
            cluster(CREATE, RBAC, &["clusterrolebindings"]),
            cluster(&["bind"], RBAC, &["clusterroles"]),
        ]],
    ),
    bind(
        "role-bind",
        "may bind ClusterRoles",
        Use::Bind {
            everywhere: false,
            cluster_role: true,
        },
        &[&[
            anywhere(CREATE, RBAC, &["rolebindings"]),
            anywhere(&["bind"], RBAC, &["clusterroles"]),
        ]],
    ),
    bind(
        "own-role-bind",
        "may bind Roles",
        Use::Bind {
            everywhere: false,
            cluster_role: false,
        },
        &[&[
            anywhere(CREATE, RBAC, &["rolebindings"]),
            anywhere(&["bind"], RBAC, &["roles"]),
        ]],
    ),
    bind(
        "cluster-role-rebind",
        "may change who ClusterRoles are bound to everywhere",
        Use::Rebind {
            everywhere: true,
            cluster_role: true,
        },
        &[&[
            cluster(CHANGE, RBAC, &["clusterrolebindings"]),
            cluster(&["bind"], RBAC, &["clusterroles"]),
        ]],
    ),
    bind(
        "role-rebind",
        "may change who ClusterRoles are bound to",
        Use::Rebind {
            everywhere: false,
            cluster_role: true,
        },
        &[&[
            anywhere(CHANGE, RBAC, &["rolebindings"]),
            anywhere(&["bind"], RBAC, &["clusterroles"]),
        ]],
    ),
    bind(
        "own-role-rebind",
        "may change who Roles are bound to",
        Use::Rebind {
            everywhere: false,
            cluster_role: false,
        },
        &[&[
            anywhere(CHANGE, RBAC, &["rolebindings"]),
            anywhere(&["bind"], RBAC, &["roles"]),
        ]],
    ),
    widen(
        "cluster-role-widen",
        "may add any right to ClusterRoles",
        Use::Widen { cluster_role: true },
        &[&[
            cluster(CHANGE, RBAC, &["clusterroles"]),
            cluster(&["escalate"], RBAC, &["clusterroles"]),
        ]],
    ),
    widen(
        "role-widen",
        "may add any right to Roles",
        Use::Widen {
            cluster_role: false,
        },
        &[&[
            anywhere(CHANGE, RBAC, &["roles"]),
            anywhere(&["escalate"], RBAC, &["roles"]),
        ]],
    ),
    deed(
        "cluster-role-invent",
        "may create ClusterRoles with any right",
        Edge::RoleAggregation,
        Use::Invent { cluster_role: true },
        &[&[
            cluster(CREATE, RBAC, &["clusterroles"]),
            cluster(&["escalate"], RBAC, &["clusterroles"]),
        ]],
    ),
    widen(
        "role-invent",
        "may create Roles with any right",
        Use::Invent {
            cluster_role: false,
        },
        &[&[
            anywhere(CREATE, RBAC, &["roles"]),
            anywhere(&["escalate"], RBAC, &["roles"]),
        ]],
    ),
    deed(
        "csr-create",
        "may ask for certificates",
        Edge::CertificateSign,
        Use::Free,
        &[&[cluster(
            CREATE,
            CERTIFICATES,
            &["certificatesigningrequests"],
        )]],
    ),
    deed(
        "csr-approve",
        "may approve client certificates",
        Edge::CertificateSign,
        Use::Free,
        &[&[
            cluster(
                CHANGE,
                CERTIFICATES,
                &["certificatesigningrequests/approval"],
            ),
            named(cluster(&["approve"], CERTIFICATES, &["signers"]), CLIENT),
        ]],
    ),
    deed(
        "csr-approve-node",
        "may approve certificates of nodes",
        Edge::CertificateSign,
        Use::Free,
        &[&[
            cluster(
                CHANGE,
                CERTIFICATES,
                &["certificatesigningrequests/approval"],
            ),
            named(cluster(&["approve"], CERTIFICATES, &["signers"]), KUBELET),
        ]],
    ),
];

/// What a right is called, in words.
pub(crate) fn title_of(right: &str) -> Option<String> {
    if let Some(deed) = every().find(|deed| deed.right == right) {
        return Some(format!("who {}", deed.title));
    }
    let title = match right {
        "pods" => "code in every pod",
        "accounts" => "every service account",
        "secrets" => "every Secret",
        "every-node" => "root on every node",
        "users" => "every user",
        "groups" => "every group",
        "certificate-sign" => "a client certificate of any name",
        "node-certificate" => "a client certificate of a node",
        "cluster-role-held" => "a ClusterRole that is bound",
        "role-held" => "a Role that is bound",
        "open-pods" => "what listens in pods that let anybody in",
        "closed-pods" => "what listens in pods that policies close",
        "pod-network" => "a place in the network of the pods",
        "aggregate-held" => "an aggregated ClusterRole that is bound",
        _ => return None,
    };
    Some(title.to_owned())
}
