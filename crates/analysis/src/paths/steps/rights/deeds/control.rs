//! Over what the cluster itself runs on: kubelets, admission, scheduling, DNS, Services and network policies.

use super::{CREATE, Deed, Guard, TRUST, Target, Use, WEAKNESS, deed, perhaps, since};
use crate::paths::edge::Edge;
use crate::rbac::escalations::facts::{CHANGE, Level, Need, REMOVE, WRITE, anywhere, cluster};

const ADMISSION: &str = "admissionregistration.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const LATER: &str = "somebody must create a pod afterwards";
const WRITTEN: &str = "somebody must write a Secret afterwards";
/// What takes a guard away, or makes it look elsewhere.
const UNDO: &[&str] = &["update", "patch", "delete", "deletecollection"];

/// Taking away or changing what keeps pods out.
const fn guard(
    right: &'static str,
    title: &'static str,
    guard: Guard,
    any_of: &'static [&'static [Need]],
) -> Deed {
    deed(
        right,
        title,
        Edge::AdmissionRemoval,
        Use::Named(Target::Guards(guard)),
        any_of,
    )
}

/// Leading traffic from outside to pods: any pods of the namespace, wherever the object led before.
const fn opens(kinds: &'static [&'static str], any_of: &'static [&'static [Need]]) -> Deed {
    perhaps(
        WEAKNESS,
        deed(
            "network-open",
            "may lead the internet to pods",
            Edge::NetworkOpen,
            Use::Named(Target::Present(kinds)),
            any_of,
        ),
    )
}

/// Writing or taking away policies. What one policy lets in, no other of these kinds keeps out.
const fn policy(kinds: &'static [&'static str], any_of: &'static [&'static [Need]]) -> Deed {
    deed(
        "network-policy-write",
        "may change network policies",
        Edge::NetworkOpen,
        Use::Named(Target::Present(kinds)),
        any_of,
    )
}

pub(super) const DEEDS: &[Deed] = &[
    deed(
        "kubelet-proxy",
        "may command kubelets",
        Edge::KubeletProxy,
        Use::Named(Target::Nodes),
        &[&[cluster(&["get", "create"], "", &["nodes/proxy"])]],
    ),
    perhaps(
        LATER,
        deed(
            "webhook-write",
            "may change objects on their way through admission",
            Edge::WebhookWrite,
            Use::Named(Target::Present(&["MutatingWebhookConfiguration"])),
            &[&[cluster(
                WRITE,
                ADMISSION,
                &["mutatingwebhookconfigurations"],
            )]],
        ),
    ),
    // On by default since then (kubernetes pkg/features, `MutatingAdmissionPolicy`); AKS turns no feature gates on.
    since(
        36,
        perhaps(
            LATER,
            deed(
                "webhook-write",
                "may have policies change objects",
                Edge::WebhookWrite,
                Use::Free,
                &[&[
                    cluster(CREATE, ADMISSION, &["mutatingadmissionpolicies"]),
                    cluster(CREATE, ADMISSION, &["mutatingadmissionpolicybindings"]),
                ]],
            ),
        ),
    ),
    since(
        36,
        perhaps(
            "a policy must be in force, and somebody must create a pod afterwards",
            deed(
                "webhook-write",
                "may change policies that change objects",
                Edge::WebhookWrite,
                Use::Named(Target::Present(&["MutatingAdmissionPolicy"])),
                &[&[cluster(CHANGE, ADMISSION, &["mutatingadmissionpolicies"])]],
            ),
        ),
    ),
    // A webhook that only says yes or no is shown the whole object
    // (kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers).
    perhaps(
        WRITTEN,
        deed(
            "webhook-watch",
            "may see objects on their way through admission",
            Edge::WebhookWrite,
            Use::Named(Target::Present(&["ValidatingWebhookConfiguration"])),
            &[&[cluster(
                WRITE,
                ADMISSION,
                &["validatingwebhookconfigurations"],
            )]],
        ),
    ),
    guard(
        "policy-remove",
        "may take admission policies away",
        Guard::Policy,
        &[&[cluster(UNDO, ADMISSION, &["validatingadmissionpolicies"])]],
    ),
    guard(
        "policy-remove",
        "may take bindings of admission policies away",
        Guard::Binding,
        &[&[cluster(
            UNDO,
            ADMISSION,
            &["validatingadmissionpolicybindings"],
        )]],
    ),
    guard(
        "webhook-remove",
        "may take admission webhooks away",
        Guard::Webhook,
        &[&[cluster(
            UNDO,
            ADMISSION,
            &["validatingwebhookconfigurations"],
        )]],
    ),
    guard(
        "kyverno-remove",
        "may take policies of Kyverno away",
        Guard::Kyverno,
        &[&[cluster(UNDO, "kyverno.io", &["clusterpolicies"])]],
    ),
    // The API server hands objects to the webhook that converts them, and takes what it answers
    // (kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning).
    perhaps(
        "objects of the kind must be there, and read in a version that is not stored",
        deed(
            "crd-conversion",
            "may have custom objects converted",
            Edge::CrdConversion,
            Use::Named(Target::Definitions),
            &[&[cluster(
                CHANGE,
                "apiextensions.k8s.io",
                &["customresourcedefinitions"],
            )]],
        ),
    ),
    // A status that says a node is not ready taints it (kubernetes pkg/controller/nodelifecycle), until its kubelet
    // writes its own; a deleted pod starts elsewhere meanwhile. A pod that waits is bound by whoever may.
    perhaps(
        "the scheduler must find room on the node",
        deed(
            "pod-steal",
            "may drive pods from nodes",
            Edge::PodSteal,
            Use::Everything,
            &[
                &[cluster(CHANGE, "", &["nodes"])],
                &[
                    cluster(CHANGE, "", &["nodes/status"]),
                    cluster(&["delete", "deletecollection"], "", &["pods"]),
                ],
                &[
                    cluster(CHANGE, "", &["nodes/status"]),
                    cluster(CREATE, "", &["pods/eviction"]),
                ],
            ],
        ),
    ),
    perhaps(
        "the scheduler must be slower",
        deed(
            "pod-steal",
            "may choose the nodes of pods",
            Edge::PodSteal,
            Use::Everything,
            &[
                &[
                    anywhere(CREATE, "", &["pods/binding", "bindings"]),
                    anywhere(&["delete", "deletecollection"], "", &["pods"]),
                ],
                &[
                    anywhere(CREATE, "", &["pods/binding", "bindings"]),
                    anywhere(CREATE, "", &["pods/eviction"]),
                ],
            ],
        ),
    ),
    perhaps(
        TRUST,
        deed(
            "dns-config",
            "may change cluster DNS",
            Edge::DnsConfig,
            Use::Free,
            &[&[Need {
                verbs: CHANGE,
                group: "",
                resources: &["configmaps"],
                names: &["coredns", "coredns-custom"],
                level: Level::Namespace("kube-system"),
            }]],
        ),
    ),
    perhaps(
        TRUST,
        deed(
            "service-redirect",
            "may redirect Services",
            Edge::ServiceRedirect,
            Use::Named(Target::Services),
            &[
                &[anywhere(CHANGE, "", &["services", "services/status"])],
                &[anywhere(WRITE, "", &["endpoints"])],
                &[anywhere(WRITE, "discovery.k8s.io", &["endpointslices"])],
            ],
        ),
    ),
    // Endpoints are made from the addresses that the status of pods says (kubernetes pkg/controller/endpointslice).
    perhaps(
        TRUST,
        deed(
            "service-redirect",
            "may change the addresses of pods",
            Edge::ServiceRedirect,
            Use::Everything,
            &[&[anywhere(CHANGE, "", &["pods/status"])]],
        ),
    ),
    opens(&["Service"], &[&[anywhere(WRITE, "", &["services"])]]),
    opens(
        &["Ingress"],
        &[&[anywhere(WRITE, NETWORKING, &["ingresses"])]],
    ),
    opens(
        &[
            "HTTPRoute.gateway.networking.k8s.io",
            "GRPCRoute.gateway.networking.k8s.io",
            "TLSRoute.gateway.networking.k8s.io",
            "TCPRoute.gateway.networking.k8s.io",
        ],
        &[&[anywhere(
            WRITE,
            GATEWAY,
            &["httproutes", "grpcroutes", "tlsroutes", "tcproutes"],
        )]],
    ),
    policy(
        &["NetworkPolicy"],
        &[&[anywhere(REMOVE, NETWORKING, &["networkpolicies"])]],
    ),
    policy(
        &["CiliumNetworkPolicy.cilium.io"],
        &[&[anywhere(REMOVE, "cilium.io", &["ciliumnetworkpolicies"])]],
    ),
    // A claim of the attacker's takes the volume (kubernetes.io/docs/concepts/security/pod-security-standards:
    // baseline forbids hostPath in pods, not in volumes).
    deed(
        "persistent-volume",
        "may create persistent volumes",
        Edge::PersistentVolume,
        Use::Free,
        &[&[cluster(CREATE, "", &["persistentvolumes"])]],
    ),
];
