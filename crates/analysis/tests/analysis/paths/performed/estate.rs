//! The estate: what is always there, and random roles and bindings.

use oracle::ApiServer;
use serde_json::{Value, json};

use crate::estates::Dice;

pub(super) const NAMESPACES: [&str; 2] = ["n0", "n1"];
pub(super) const USERS: [(&str, &[&str]); 4] = [
    ("u0", &["g0"]),
    ("u1", &["g0"]),
    ("u2", &["g1"]),
    ("u3", &[]),
];

/// Service accounts that act too, each with the token that its pod `p0` mounts.
pub(super) const ACCOUNT: &str = "a0";

/// What makes pods: API version, kind, name.
pub(super) const MAKERS: [(&str, &str, &str); 6] = [
    ("apps/v1", "Deployment", "d0"),
    ("apps/v1", "DaemonSet", "ds0"),
    ("apps/v1", "StatefulSet", "ss0"),
    ("apps/v1", "ReplicaSet", "rs0"),
    ("batch/v1", "CronJob", "cj0"),
    ("v1", "ReplicationController", "rc0"),
];

/// What operators carry out: API version, kind, the right, and whether it is in no namespace.
pub(super) const OPERATORS: &[(&str, &str, &str, bool)] = &[
    (
        "argoproj.io/v1alpha1",
        "Application",
        "argo-application",
        false,
    ),
    (
        "argoproj.io/v1alpha1",
        "ApplicationSet",
        "argo-application-set",
        false,
    ),
    ("argoproj.io/v1alpha1", "AppProject", "argo-project", false),
    ("argoproj.io/v1alpha1", "Workflow", "argo-workflow", false),
    ("argoproj.io/v1alpha1", "Rollout", "argo-rollout", false),
    ("tekton.dev/v1", "TaskRun", "tekton-run", false),
    ("keda.sh/v1alpha1", "ScaledJob", "keda-job", false),
    (
        "monitoring.coreos.com/v1",
        "Alertmanager",
        "prometheus-resource",
        false,
    ),
    (
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        "flux-kustomization",
        false,
    ),
    (
        "helm.toolkit.fluxcd.io/v2",
        "HelmRelease",
        "flux-helm-release",
        false,
    ),
    (
        "authorization.azure.com/v1api20220401",
        "RoleAssignment",
        "operator-role-assignment",
        false,
    ),
    (
        "kubernetes.crossplane.io/v1alpha2",
        "Object",
        "crossplane-object",
        true,
    ),
    (
        "helm.crossplane.io/v1beta1",
        "Release",
        "crossplane-release",
        true,
    ),
    ("cert-manager.io/v1", "Issuer", "certificate-issuer", false),
    (
        "cert-manager.io/v1",
        "ClusterIssuer",
        "certificate-cluster-issuer",
        true,
    ),
    (
        "aadpodidentity.k8s.io/v1",
        "AzureIdentityBinding",
        "pod-identity-binding",
        false,
    ),
    (
        "external-secrets.io/v1",
        "ExternalSecret",
        "external-secret",
        false,
    ),
    (
        "external-secrets.io/v1",
        "SecretStore",
        "secret-store",
        false,
    ),
    (
        "external-secrets.io/v1",
        "ClusterSecretStore",
        "cluster-secret-store",
        true,
    ),
    ("kyverno.io/v1", "ClusterPolicy", "kyverno-mutation", true),
];

/// An identity of Azure that trusts the account `n0/a0` of the cluster with this issuer.
pub(super) const IDENTITY: &str = "30000000-0000-0000-0000-000000000001";
pub(super) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// What is in Azure.
pub(super) fn azure() -> [Value; 3] {
    let group = "/subscriptions/s/resourceGroups/shop/providers";
    let identity = format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/shop");
    [
        json!({"id": format!("{group}/Microsoft.ContainerService/managedClusters/shop"),
            "properties": {"oidcIssuerProfile": {"enabled": true, "issuerURL": ISSUER}}}),
        json!({"id": identity, "properties": {"principalId": IDENTITY}}),
        json!({"id": format!("{identity}/federatedIdentityCredentials/a0"), "properties": {
            "issuer": ISSUER, "subject": "system:serviceaccount:n0:a0",
            "audiences": ["api://AzureADTokenExchange"]}}),
    ]
}

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// Where objects of a kind are.
pub(in super::super) fn path_of(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let api = match object["apiVersion"].as_str().unwrap() {
        "v1" => "/api/v1".to_owned(),
        version => format!("/apis/{version}"),
    };
    let plural = plural(kind);
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{api}/namespaces/{namespace}/{plural}"),
        None => format!("{api}/{plural}"),
    }
}

pub(super) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        _ if lower.ends_with("ss") => format!("{lower}es"),
        _ if lower.ends_with('s') => lower,
        Some(stem) => format!("{stem}ies"),
        None => format!("{lower}s"),
    }
}

/// The kinds of operators, and one that nobody carries out, as a server must know them.
fn definitions() -> Vec<Value> {
    let others = [("example.com/v1", "Thing", "", false)];
    OPERATORS
        .iter()
        .chain(&others)
        .map(|(api, kind, _, everywhere)| {
            let (group, version) = api.split_once('/').unwrap();
            let plural = plural(kind);
            let scope = if *everywhere { "Cluster" } else { "Namespaced" };
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("{plural}.{group}"),
                    // Names below k8s.io would need an approval.
                    "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
                "spec": {"group": group, "scope": scope,
                    "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
                    "versions": [{"name": version, "served": true, "storage": true,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})
        })
        .collect()
}

fn maker(api: &str, kind: &str, meta: &Value) -> Value {
    let selector = json!({"matchLabels": {"app": "web"}});
    let mut template = template();
    let spec = match kind {
        "CronJob" => {
            template["spec"]["restartPolicy"] = "Never".into();
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}})
        }
        "ReplicationController" => json!({"selector": {"app": "web"}, "template": template}),
        "StatefulSet" => json!({"serviceName": "web", "selector": selector, "template": template}),
        _ => json!({"selector": selector, "template": template}),
    };
    json!({"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec})
}

pub(super) fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "shop.example/web:1"}]}})
}

fn role(kind: &str, meta: &Value) -> Value {
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": meta,
        "rules": [{"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}]})
}

fn binding(kind: &str, meta: &Value, role_kind: &str, role: &str) -> Value {
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": meta,
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
        "subjects": [{"kind": "User", "name": "victim", "apiGroup": RBAC},
            {"kind": "Group", "name": "victims", "apiGroup": RBAC}]})
}

/// The same in every round: `n1` enforces Pod Security.
pub(super) fn given() -> Vec<Value> {
    let enforced = json!({"pod-security.kubernetes.io/enforce": "baseline"});
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n0"}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n1", "labels": enforced}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1"}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node2"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"}}),
        role("ClusterRole", &json!({"name": "cr0"})),
        binding(
            "ClusterRoleBinding",
            &json!({"name": "cb0"}),
            "ClusterRole",
            "cr0",
        ),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "mw"}, "webhooks": []}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "vw"}, "webhooks": []}),
    ];
    for namespace in NAMESPACES {
        let meta = |name: &str| json!({"name": name, "namespace": namespace});
        all.extend([
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("a0")}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("s0"), "data": {"key": "dmFsdWU="}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("mounted"), "data": {"key": "dmFsdWU="}}),
            json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {"name": "legacy", "namespace": namespace,
                    "annotations": {"kubernetes.io/service-account.name": "a0"}}}),
            json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "p0", "namespace": namespace, "labels": {"app": "p0"}},
                "spec": {"serviceAccountName": "a0", "nodeName": "node1",
                    "volumes": [{"name": "own", "secret": {"secretName": "mounted"}}],
                    "containers": [{"name": "web", "image": "shop.example/web:1", "stdin": true,
                        "volumeMounts": [{"name": "own", "mountPath": "/own"}]}]}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": meta("web"),
                "spec": {"selector": {"app": "p0"}, "ports": [{"port": 80}]}}),
            json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta("web")}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta("i0"),
                "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("np0"),
                "spec": {"podSelector": {"matchLabels": {"app": "other"}}}}),
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta("web"),
                "addressType": "IPv4", "endpoints": []}),
            role("Role", &meta("r0")),
            binding("RoleBinding", &meta("b0"), "Role", "r0"),
            binding("RoleBinding", &meta("b1"), "ClusterRole", "cr0"),
            // It names an account that is not there.
            json!({"apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding", "metadata": meta("b2"),
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cr0"},
                "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": namespace}]}),
        ]);
        for (api, kind, name) in MAKERS {
            all.push(maker(api, kind, &meta(name)));
        }
        for (api, kind, _, everywhere) in OPERATORS.iter().copied() {
            if !everywhere {
                all.push(json!({"apiVersion": api, "kind": kind, "metadata": meta("o0"), "spec": {"a": "b"}}));
            }
        }
    }
    for (api, kind, _, everywhere) in OPERATORS.iter().copied() {
        if everywhere {
            all.push(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "o0"}, "spec": {"a": "b"}}));
        }
    }
    all
}

/// Creates what is always there, and waits until controllers have added theirs.
pub(super) fn fixed(server: &ApiServer) {
    for object in definitions().into_iter().chain(given()) {
        let path = path_of(&object);
        // The service account `default` comes a moment after its namespace, a kind after its definition.
        let (status, answer) = server
            .eventually("POST", &path, Some(&object), |status, _| {
                ![403, 404].contains(&status)
            })
            .unwrap();
        assert_eq!(status, 201, "{object}\n{answer:#}");
    }
}

pub(super) fn create(server: &ApiServer, objects: &[Value]) {
    for object in objects {
        let (status, answer) = server
            .request("POST", &path_of(object), Some(object))
            .unwrap();
        assert_eq!(status, 201, "{object}\n{answer:#}");
    }
}

pub(super) fn delete(server: &ApiServer, objects: &[Value]) {
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{}/{name}", path_of(object));
        assert_eq!(server.request("DELETE", &path, None).unwrap().0, 200);
    }
}

type Texts = &'static [&'static str];

/// What rules speak of: a group, resources, verbs, names.
const MATTERS: &[(&str, Texts, Texts, Texts)] = &[
    (
        "",
        &["pods/exec"],
        &["get", "create", "list"],
        &["p0", "p9"],
    ),
    (
        "",
        &["pods/portforward", "pods/proxy", "pods/attach"],
        &["get", "create"],
        &["p0"],
    ),
    (
        "",
        &["services/proxy", "services"],
        &["get", "create", "update"],
        &["web"],
    ),
    (
        "",
        &["services", "endpoints"],
        &["patch", "update", "create"],
        &["web", "other"],
    ),
    (
        "discovery.k8s.io",
        &["endpointslices", "*"],
        &["patch", "update", "create"],
        &["web"],
    ),
    (
        "",
        &["persistentvolumes", "persistentvolumeclaims", "pods"],
        &["create"],
        &["new"],
    ),
    (
        "",
        &["pods/status", "services/status"],
        &["patch", "update"],
        &["web"],
    ),
    (
        "",
        &["pods/binding", "pods/eviction", "nodes/status", "pods"],
        &["create", "delete", "patch", "deletecollection"],
        &["zz"],
    ),
    (
        "networking.k8s.io",
        &["ingresses", "networkpolicies"],
        &["create", "patch", "delete", "deletecollection"],
        &["i0", "np0"],
    ),
    (
        "admissionregistration.k8s.io",
        &["validatingwebhookconfigurations"],
        &["create", "patch", "get"],
        &["vw"],
    ),
    (
        "apiextensions.k8s.io",
        &["customresourcedefinitions"],
        &["patch", "update", "get"],
        &["applications.argoproj.io", "things.example.com"],
    ),
    ("example.com", &["*"], &["get", "list", "create"], &["t0"]),
    (
        "",
        &["pods/ephemeralcontainers", "*/ephemeralcontainers"],
        &["patch", "update", "get"],
        &["p0"],
    ),
    (
        "",
        &["pods", "replicationcontrollers"],
        &["create", "get", "patch", "update"],
        &["p0", "rc0"],
    ),
    (
        "apps",
        &["deployments", "daemonsets", "statefulsets", "replicasets"],
        &["create", "patch", "update"],
        &["d0", "ds0", "ss0", "rs0"],
    ),
    (
        "batch",
        &["jobs", "cronjobs", "*"],
        &["create", "update", "get"],
        &["cj0"],
    ),
    (
        "",
        &["namespaces"],
        &["patch", "update", "get"],
        &["n0", "n1"],
    ),
    (
        "",
        &["namespaces/status", "namespaces/finalize"],
        &["patch", "update"],
        &["n0", "n1"],
    ),
    (
        "",
        &["secrets"],
        &[
            "get",
            "list",
            "watch",
            "create",
            "patch",
            "deletecollection",
        ],
        &["s0", "tok", "legacy"],
    ),
    (
        "",
        &["serviceaccounts/token", "serviceaccounts"],
        &["create", "get", "impersonate"],
        &["a0", "robot"],
    ),
    ("", &["users"], &["impersonate"], &["victim", "u0"]),
    (
        "",
        &["groups"],
        &["impersonate"],
        &["victims", "system:masters"],
    ),
    (
        "",
        &["users", "groups", "serviceaccounts"],
        &["impersonate"],
        &["victim", "victims", "a0"],
    ),
    (
        RBAC,
        &["rolebindings"],
        &["create", "update", "patch"],
        &["b0", "b1"],
    ),
    (
        RBAC,
        &["clusterrolebindings"],
        &["create", "update", "patch"],
        &["cb0"],
    ),
    (
        RBAC,
        &["clusterroles"],
        &["bind", "escalate", "patch", "update", "create"],
        &["cr0", "cluster-admin"],
    ),
    (
        RBAC,
        &["roles"],
        &["bind", "escalate", "patch", "update", "create"],
        &["r0"],
    ),
    (
        "certificates.k8s.io",
        &["certificatesigningrequests"],
        &["create", "get"],
        &["csr0"],
    ),
    (
        "certificates.k8s.io",
        &["certificatesigningrequests/approval"],
        &["update", "patch"],
        &["csr0"],
    ),
    (
        "certificates.k8s.io",
        &["signers"],
        &["approve", "sign"],
        &[
            "kubernetes.io/kube-apiserver-client",
            "kubernetes.io/kube-apiserver-client-kubelet",
            "kubernetes.io/*",
            "kubernetes.io/kubelet-serving",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["mutatingwebhookconfigurations"],
        &["create", "patch", "update"],
        &["mw"],
    ),
    (
        "",
        &["nodes/proxy", "nodes"],
        &["get", "create", "patch"],
        &["node1"],
    ),
    (
        "",
        &["configmaps"],
        &["update", "patch", "get"],
        &["coredns", "other"],
    ),
    ("*", &["*"], &["*"], &["p0"]),
];

fn some<'l>(dice: &mut Dice, list: &[&'l str]) -> Vec<&'l str> {
    let mut all: Vec<&str> = list.iter().copied().filter(|_| dice.once_in(2)).collect();
    if all.is_empty() {
        all.push(list[dice.below(list.len())]);
    }
    all
}

fn rule(dice: &mut Dice) -> Value {
    if dice.once_in(6) {
        let (api, kind, ..) = *dice.of(OPERATORS);
        let (group, _) = api.split_once('/').unwrap();
        let mut rule = json!({"apiGroups": [group], "resources": [plural(kind)],
            "verbs": some(dice, &["create", "patch", "update", "get"])});
        if dice.once_in(3) {
            rule["resourceNames"] = json!([dice.of(&["o0", "other"])]);
        }
        return rule;
    }
    // The last stands for everything and is rare.
    let last = usize::from(!dice.once_in(12));
    let (group, resources, verbs, names) = MATTERS[dice.below(MATTERS.len() - last)];
    let mut verbs = some(dice, verbs);
    if dice.once_in(12) {
        verbs = vec!["*"];
    }
    let mut rule =
        json!({"apiGroups": [group], "resources": some(dice, resources), "verbs": verbs});
    if dice.once_in(3) {
        rule["resourceNames"] = json!(some(dice, names));
    }
    rule
}

/// Rights of which a deed takes several; one may be missing.
fn together(dice: &mut Dice) -> Vec<Value> {
    let of = |group: &str, resource: &str, verb: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
    let mut rules = if dice.once_in(2) {
        let signer = dice.of(&[
            "kube-apiserver-client",
            "kube-apiserver-client-kubelet",
            "*",
        ]);
        let mut approve = of("certificates.k8s.io", "signers", "approve");
        approve["resourceNames"] = json!([format!("kubernetes.io/{signer}")]);
        vec![
            of(
                "certificates.k8s.io",
                "certificatesigningrequests",
                "create",
            ),
            of(
                "certificates.k8s.io",
                "certificatesigningrequests/approval",
                dice.of::<&str>(&["update", "patch"]),
            ),
            approve,
        ]
    } else {
        vec![
            of("", "persistentvolumes", "create"),
            of("", "persistentvolumeclaims", "create"),
            if dice.once_in(2) {
                of("", "pods", "create")
            } else {
                of("apps", "deployments", "create")
            },
        ]
    };
    if dice.once_in(4) {
        rules.remove(dice.below(rules.len()));
    }
    rules
}

/// Random roles, and bindings of them to users, groups and everybody who signs in.
pub(super) fn random(dice: &mut Dice) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0..10 + dice.below(8) {
        let cluster = dice.once_in(2);
        let namespace = *dice.of(&NAMESPACES);
        let mut rules: Vec<Value> = (0..1 + dice.below(4)).map(|_| rule(dice)).collect();
        if dice.once_in(8) {
            rules = together(dice);
        }
        let name = format!("x{number}");
        let kind = if cluster { "ClusterRole" } else { "Role" };
        let meta = |everywhere: bool| {
            if everywhere {
                json!({"name": name})
            } else {
                json!({"name": name, "namespace": namespace})
            }
        };
        let mut metadata = meta(cluster);
        if cluster && dice.once_in(3) {
            metadata["labels"] = json!({"joins": "yes"});
        }
        all.push(
            json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata, "rules": rules}),
        );
        let everywhere = cluster && dice.once_in(2);
        let subject = match dice.below(14) {
            10 => {
                json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": dice.of(&NAMESPACES)})
            }
            11 => {
                json!({"kind": "Group", "name": dice.of(&["system:serviceaccounts", "system:serviceaccounts:n0"]),
                "apiGroup": RBAC})
            }
            12 => json!({"kind": "User", "name": "system:anonymous", "apiGroup": RBAC}),
            13 => json!({"kind": "Group", "name": "system:unauthenticated", "apiGroup": RBAC}),
            0 => json!({"kind": "Group", "name": dice.of(&["g0", "g1"]), "apiGroup": RBAC}),
            1 => json!({"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}),
            _ => json!({"kind": "User", "name": dice.of(&USERS).0, "apiGroup": RBAC}),
        };
        let kind_of = if everywhere {
            "ClusterRoleBinding"
        } else {
            "RoleBinding"
        };
        all.push(json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind_of, "metadata": meta(everywhere),
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name}, "subjects": [subject]}));
    }
    // A role of what others hold, which a controller fills in; it may make a deleted one anew, so each has its name.
    let name = format!("xsum{}", dice.below(1_000_000));
    all.push(json!({"apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"joins": "yes"}}]}}));
    let within = *dice.of(&NAMESPACES);
    all.push(
        json!({"apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": within},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "User", "name": dice.of(&USERS).0, "apiGroup": RBAC}]}),
    );
    all
}
