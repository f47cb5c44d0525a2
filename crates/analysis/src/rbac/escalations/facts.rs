//! The facts themselves: which rights amount to more.
//!
//! Sources: kubernetes.io/docs/concepts/security/rbac-good-practices, the API server's own checks
//! (pkg/registry/rbac, apiserver/pkg/endpoints/filters/impersonation.go, plugin/pkg/admission/certificates),
//! and pkg/registry/core for what a subresource does.

/// A fact.
pub(crate) struct Fact {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) leads_to: &'static str,
    /// Any of these; each is a list of needs that must all hold.
    pub(crate) alternatives: &'static [&'static [Need]],
    /// True only before this minor version.
    pub(crate) before: Option<u8>,
}

/// One of these verbs on one of these resources, for one of these names (empty: any).
pub(crate) struct Need {
    pub(crate) verbs: &'static [&'static str],
    pub(crate) group: &'static str,
    pub(crate) resources: &'static [&'static str],
    pub(crate) names: &'static [&'static str],
    pub(crate) level: Level,
}

/// Where a right counts.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    /// Cluster-scoped resources.
    Cluster,
    /// Any namespace.
    Anywhere,
    /// One namespace.
    Namespace(&'static str),
}

pub(crate) const ANY: &[&str] = &[""];
pub(crate) const WRITE: &[&str] = &["create", "update", "patch"];
pub(crate) const CHANGE: &[&str] = &["update", "patch"];
/// Verbs whose answer holds the object. A patch answers with the object as it is then, a deletion of many with those
/// that it deleted, both for a dry run too (apiserver/pkg/endpoints/handlers/patch.go, delete.go; seen on a 1.34
/// API server); an update answers with what it was sent, a deletion of one with its name.
pub(crate) const SHOW: &[&str] = &["get", "list", "watch", "patch", "deletecollection"];
pub(crate) const REMOVE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";
pub(crate) const CERTIFICATES: &str = "certificates.k8s.io";

pub(crate) const fn anywhere(
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
) -> Need {
    Need {
        verbs,
        group,
        resources,
        names: ANY,
        level: Level::Anywhere,
    }
}

pub(crate) const fn cluster(
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
) -> Need {
    Need {
        level: Level::Cluster,
        ..anywhere(verbs, group, resources)
    }
}

pub(crate) const fn named(need: Need, names: &'static [&'static str]) -> Need {
    Need { names, ..need }
}

const fn fact(
    id: &'static str,
    title: &'static str,
    leads_to: &'static str,
    alternatives: &'static [&'static [Need]],
) -> Fact {
    Fact {
        id,
        title,
        leads_to,
        alternatives,
        before: None,
    }
}

/// Client certificates of these signers are taken by the API server as somebody's name
/// (kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests); the rights `approve` and
/// `sign` are asked for on the signer, or on all of its domain.
const SIGNERS: &[&str] = &[
    "",
    "kubernetes.io/kube-apiserver-client",
    "kubernetes.io/kube-apiserver-client-kubelet",
    "kubernetes.io/*",
];

pub(crate) const FACTS: &[Fact] = &[
    fact(
        "everything",
        "does everything",
        "holds every right there is",
        &[&[anywhere(&["*"], "*", &["*"])]],
    ),
    fact(
        "role-bind",
        "binds roles that it does not hold",
        "gives itself any role that it may bind",
        &[
            &[
                cluster(WRITE, RBAC, &["clusterrolebindings"]),
                cluster(&["bind"], RBAC, &["clusterroles"]),
            ],
            &[
                anywhere(WRITE, RBAC, &["rolebindings"]),
                anywhere(&["bind"], RBAC, &["clusterroles", "roles"]),
            ],
        ],
    ),
    fact(
        "role-escalate",
        "writes roles with rights that it does not hold",
        "widens a role that it is bound to; a ClusterRole can be made to aggregate everything",
        &[
            &[
                cluster(WRITE, RBAC, &["clusterroles"]),
                cluster(&["escalate"], RBAC, &["clusterroles"]),
            ],
            &[
                anywhere(WRITE, RBAC, &["roles"]),
                anywhere(&["escalate"], RBAC, &["roles"]),
            ],
        ],
    ),
    fact(
        "role-aggregation",
        "adds to aggregated ClusterRoles",
        "gives what it holds to everybody with view, edit or admin, through a label",
        &[&[cluster(WRITE, RBAC, &["clusterroles"])]],
    ),
    fact(
        "impersonate",
        "acts as another user or service account",
        "has all rights of whomever it impersonates",
        &[
            &[cluster(&["impersonate"], "", &["users"])],
            &[anywhere(&["impersonate"], "", &["serviceaccounts"])],
        ],
    ),
    fact(
        "impersonate-group",
        "acts as a member of another group",
        "can be in system:masters, about which nobody is asked",
        &[&[
            cluster(&["impersonate"], "", &["groups"]),
            anywhere(&["impersonate"], "", &["users", "serviceaccounts"]),
        ]],
    ),
    fact(
        "impersonate-extra",
        "gives itself another's uid or extra attributes",
        "passes webhooks that decide by them",
        &[&[
            cluster(
                &["impersonate"],
                "authentication.k8s.io",
                &["uids", "userextras/"],
            ),
            anywhere(&["impersonate"], "", &["users", "serviceaccounts"]),
        ]],
    ),
    fact(
        "token-request",
        "makes tokens of service accounts",
        "has all rights of the namespace's service accounts",
        &[&[anywhere(&["create"], "", &["serviceaccounts/token"])]],
    ),
    fact(
        "token-secret",
        "makes Secrets that hold service account tokens, and reads them",
        "has all rights of the namespace's service accounts, without an end",
        &[&[
            anywhere(&["create"], "", &["secrets"]),
            anywhere(SHOW, "", &["secrets"]),
        ]],
    ),
    fact(
        "secret-read",
        "reads Secrets",
        "has every credential that they hold; list, watch, patch and deletecollection show them as get does",
        &[&[anywhere(SHOW, "", &["secrets"])]],
    ),
    fact(
        "kubelet-proxy",
        "reaches the kubelets through nodes/proxy",
        "runs commands in every pod past admission and audit; get is enough",
        &[&[cluster(&["get", "create"], "", &["nodes/proxy"])]],
    ),
    fact(
        "pod-exec",
        "runs commands in pods",
        "has what the pod has: its service account, its files, its network",
        &[&[anywhere(&["create"], "", &["pods/exec", "pods/attach"])]],
    ),
    Fact {
        id: "pod-exec-get",
        title: "runs commands in pods by a right to read",
        leads_to: "the same as pod-exec: before 1.35 a WebSocket request asks only for get",
        alternatives: &[&[anywhere(&["get"], "", &["pods/exec", "pods/attach"])]],
        before: Some(35),
    },
    fact(
        "pod-forward",
        "reaches the ports of pods",
        "talks to what only listens inside, past network policies",
        &[&[anywhere(
            &["create", "get"],
            "",
            &["pods/portforward", "pods/proxy", "services/proxy"],
        )]],
    ),
    fact(
        "pod-debug",
        "adds containers to running pods",
        "has what the pod has, with an image of its choice",
        &[&[anywhere(CHANGE, "", &["pods/ephemeralcontainers"])]],
    ),
    fact(
        "pod-create",
        "creates workloads",
        "has the rights of any service account of the namespace, and its Secrets",
        &[
            &[anywhere(
                &["create"],
                "",
                &["pods", "replicationcontrollers"],
            )],
            &[anywhere(
                &["create"],
                "apps",
                &["deployments", "daemonsets", "statefulsets", "replicasets"],
            )],
            &[anywhere(&["create"], "batch", &["jobs", "cronjobs"])],
        ],
    ),
    fact(
        "pod-patch",
        "changes workloads",
        "runs its own image with another's service account",
        &[
            &[anywhere(CHANGE, "", &["pods", "replicationcontrollers"])],
            &[anywhere(
                CHANGE,
                "apps",
                &["deployments", "daemonsets", "statefulsets", "replicasets"],
            )],
            &[anywhere(CHANGE, "batch", &["jobs", "cronjobs"])],
        ],
    ),
    fact(
        "webhook-write",
        "changes what is asked before objects are admitted",
        "sees and alters all that is written, Secrets too, or turns the checks off",
        &[
            &[cluster(
                REMOVE,
                "admissionregistration.k8s.io",
                &[
                    "mutatingwebhookconfigurations",
                    "validatingwebhookconfigurations",
                    "validatingadmissionpolicies",
                    "validatingadmissionpolicybindings",
                    "mutatingadmissionpolicies",
                    "mutatingadmissionpolicybindings",
                ],
            )],
            &[cluster(WRITE, "apiregistration.k8s.io", &["apiservices"])],
            &[cluster(
                WRITE,
                "apiextensions.k8s.io",
                &["customresourcedefinitions"],
            )],
        ],
    ),
    fact(
        "certificate-sign",
        "has client certificates signed",
        "becomes any user in any group",
        &[
            &[
                cluster(&["create"], CERTIFICATES, &["certificatesigningrequests"]),
                cluster(
                    CHANGE,
                    CERTIFICATES,
                    &["certificatesigningrequests/approval"],
                ),
                named(cluster(&["approve"], CERTIFICATES, &["signers"]), SIGNERS),
            ],
            &[
                cluster(CHANGE, CERTIFICATES, &["certificatesigningrequests/status"]),
                named(cluster(&["sign"], CERTIFICATES, &["signers"]), SIGNERS),
            ],
        ],
    ),
    fact(
        "namespace-label",
        "changes labels of namespaces",
        "turns Pod Security and other admission off there",
        &[&[anywhere(CHANGE, "", &["namespaces"])]],
    ),
    fact(
        "persistent-volume",
        "creates persistent volumes",
        "mounts files of the nodes past Pod Security",
        &[&[cluster(&["create"], "", &["persistentvolumes"])]],
    ),
    fact(
        "pod-steal",
        "moves pods to nodes of its choice",
        "has the tokens and Secrets of pods that a node it owns then runs",
        &[
            &[cluster(CHANGE, "", &["nodes", "nodes/status"])],
            &[anywhere(&["create"], "", &["pods/binding", "bindings"])],
        ],
    ),
    fact(
        "service-redirect",
        "redirects Services",
        "receives what was sent to others",
        &[
            &[anywhere(
                WRITE,
                "",
                &["services", "services/status", "endpoints"],
            )],
            &[anywhere(CHANGE, "", &["pods/status"])],
            &[anywhere(WRITE, "discovery.k8s.io", &["endpointslices"])],
        ],
    ),
    fact(
        "dns-config",
        "changes the cluster's DNS",
        "answers every name with an address of its choice",
        &[&[Need {
            verbs: CHANGE,
            group: "",
            resources: &["configmaps"],
            names: &["coredns", "coredns-custom"],
            level: Level::Namespace("kube-system"),
        }]],
    ),
    fact(
        "log-tampering",
        "deletes events",
        "removes its traces",
        &[
            &[anywhere(&["delete", "deletecollection"], "", &["events"])],
            &[anywhere(
                &["delete", "deletecollection"],
                "events.k8s.io",
                &["events"],
            )],
        ],
    ),
    fact(
        "collection-delete",
        "deletes all objects of a kind at once",
        "takes workloads or their data down in one request; names cannot limit it",
        &[
            &[anywhere(
                &["deletecollection"],
                "",
                &[
                    "pods",
                    "secrets",
                    "configmaps",
                    "persistentvolumeclaims",
                    "services",
                ],
            )],
            &[anywhere(
                &["deletecollection"],
                "apps",
                &["deployments", "statefulsets", "daemonsets"],
            )],
        ],
    ),
];
