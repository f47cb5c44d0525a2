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

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// Where objects of a kind are.
pub(super) fn path_of(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let api = match object["apiVersion"].as_str().unwrap() {
        "v1" => "/api/v1".to_owned(),
        version => format!("/apis/{version}"),
    };
    let plural = format!("{}s", kind.to_lowercase());
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{api}/namespaces/{namespace}/{plural}"),
        None => format!("{api}/{plural}"),
    }
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
    ];
    for namespace in NAMESPACES {
        let meta = |name: &str| json!({"name": name, "namespace": namespace});
        all.extend([
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("a0")}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("s0"), "data": {"key": "dmFsdWU="}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta("p0"),
                "spec": {"serviceAccountName": "a0",
                    "containers": [{"name": "web", "image": "shop.example/web:1"}]}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("d0"),
                "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template()}}),
            role("Role", &meta("r0")),
            binding("RoleBinding", &meta("b0"), "Role", "r0"),
            binding("RoleBinding", &meta("b1"), "ClusterRole", "cr0"),
        ]);
    }
    all
}

/// Creates what is always there, and waits until controllers have added theirs.
pub(super) fn fixed(server: &ApiServer) {
    for object in given() {
        let path = path_of(&object);
        // The service account `default` comes a moment after its namespace.
        let (status, answer) = server
            .eventually("POST", &path, Some(&object), |status, _| status != 403)
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
        &["pods/portforward", "pods/proxy"],
        &["get", "create"],
        &["p0"],
    ),
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
        &["p0"],
    ),
    (
        "apps",
        &["deployments", "daemonsets", "statefulsets"],
        &["create", "patch", "update"],
        &["d0"],
    ),
    (
        "batch",
        &["jobs", "cronjobs", "*"],
        &["create", "update", "get"],
        &["p0"],
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
        &["get", "list", "watch", "create"],
        &["s0", "tok"],
    ),
    (
        "",
        &["serviceaccounts/token", "serviceaccounts"],
        &["create", "get", "impersonate"],
        &["a0"],
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

/// Random roles, and bindings of them to users, groups and everybody who signs in.
pub(super) fn random(dice: &mut Dice) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0..10 + dice.below(8) {
        let cluster = dice.once_in(2);
        let namespace = *dice.of(&NAMESPACES);
        let rules: Vec<Value> = (0..1 + dice.below(4)).map(|_| rule(dice)).collect();
        let name = format!("x{number}");
        let kind = if cluster { "ClusterRole" } else { "Role" };
        let meta = |everywhere: bool| {
            if everywhere {
                json!({"name": name})
            } else {
                json!({"name": name, "namespace": namespace})
            }
        };
        all.push(
            json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": meta(cluster), "rules": rules}),
        );
        let everywhere = cluster && dice.once_in(2);
        let subject = match dice.below(10) {
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
    all
}
