//! What is tried: for each kind of step the requests by which it is done.

use analysis::paths::Edge;
use oracle::ApiServer;
use serde_json::{Value, json};

use super::estate::{NAMESPACES, RBAC, template};

#[path = "deeds/certificates.rs"]
mod certificates;
#[path = "deeds/cluster.rs"]
mod cluster;
#[path = "deeds/network.rs"]
mod network;
#[path = "deeds/tokens.rs"]
pub(super) mod tokens;
#[path = "deeds/writers.rs"]
mod writers;

/// Does it with somebody's token; whether it was let pass.
type Does = dyn Fn(&ApiServer, &str) -> bool;

/// A deed, and what the graph must say of it.
pub(super) struct Deed {
    pub(super) title: String,
    /// Empty for the whole cluster.
    pub(super) namespace: String,
    /// Steps that count as doing it.
    pub(super) edges: &'static [Edge],
    /// Doubtful ones count too.
    pub(super) possible: bool,
    /// What is held beside the user's own.
    pub(super) given: Vec<String>,
    /// Any of these is held then.
    pub(super) gives: Vec<String>,
    /// Not tried where one of these is held: it leads to the same from elsewhere.
    pub(super) unless: Vec<String>,
    /// It may pass because what is given away is held anyway, which the graph does not call a step.
    pub(super) may_be_covered: bool,
    does: Box<Does>,
}

fn deed(
    title: &str,
    namespace: &str,
    edges: &'static [Edge],
    gives: &[&str],
    does: impl Fn(&ApiServer, &str) -> bool + 'static,
) -> Deed {
    Deed {
        title: format!("{title} {namespace}"),
        namespace: namespace.to_owned(),
        edges,
        possible: false,
        given: Vec::new(),
        unless: Vec::new(),
        gives: gives
            .iter()
            .map(|id| id.replace("NS", if namespace.is_empty() { "*" } else { namespace }))
            .collect(),
        may_be_covered: false,
        does: Box::new(does),
    }
}

/// A deed that ends on nodes, wherever it begins.
fn on_nodes(
    title: &str,
    namespace: &'static str,
    edges: &'static [Edge],
    gives: &[&str],
    does: impl Fn(&ApiServer, &str) -> bool + 'static,
) -> Deed {
    let others = NAMESPACES.iter().filter(|other| **other != namespace);
    let mut unless: Vec<String> = others
        .flat_map(|other| {
            [
                format!("right:pod-create@{other}"),
                format!("right:pod-debug@{other}"),
                format!("workload:{other}/p0[Pod]"),
            ]
        })
        .collect();
    // Of the two this one lets everything pass, so the other leads there only with other labels.
    if namespace == "n0" && !edges.contains(&Edge::NamespaceLabel) {
        unless.clear();
    }
    Deed {
        unless,
        ..deed(title, namespace, edges, gives, does)
    }
}

fn core(namespace: &str, rest: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{rest}")
}

fn status(server: &ApiServer, token: &str, method: &str, path: &str, body: Option<&Value>) -> u16 {
    server.request_as(token, method, path, body).unwrap().0
}

/// Whether a request passed authorization; whatever happens then has no kubelet to happen on.
fn authorized(server: &ApiServer, token: &str, method: &str, path: &str) -> bool {
    let body = (method != "GET").then(|| json!({}));
    let (status, answer) = server
        .request_as(token, method, path, body.as_ref())
        .unwrap();
    assert_ne!(status, 401, "{answer}");
    status != 403
}

fn dry(path: &str) -> String {
    format!("{path}?dryRun=All")
}

/// Changes an object by a patch or, failing that, by writing all of it.
fn change(server: &ApiServer, token: &str, path: &str, patch: &Value) -> bool {
    if status(server, token, "PATCH", &dry(path), Some(patch)) == 200 {
        return true;
    }
    let (found, mut object) = server.request("GET", path, None).unwrap();
    assert_eq!(found, 200, "{path} {object}");
    merge(&mut object, patch);
    status(server, token, "PUT", &dry(path), Some(&object)) == 200
}

fn merge(into: &mut Value, patch: &Value) {
    match patch {
        Value::Object(entries) if into.is_object() => {
            for (key, value) in entries {
                merge(&mut into[key], value);
            }
        }
        _ => *into = patch.clone(),
    }
}

/// Everything by which pods can be made.
fn makers(namespace: &str, account: &str, privileged: bool) -> Vec<(String, Value, bool)> {
    let mut template = template();
    template["spec"]["serviceAccountName"] = account.into();
    // With a token of the account for Entra.
    template["spec"]["volumes"] = json!([{"name": "entra", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "audience": "api://AzureADTokenExchange"}}]}}]);
    if privileged {
        template["spec"]["hostPID"] = true.into();
        template["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    }
    let selector = json!({"matchLabels": {"app": "web"}});
    let meta = json!({"name": "new"});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = "Never".into();
    let set = |kind: &str| json!({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {"selector": selector, "template": template}});
    let mut stateful = set("StatefulSet");
    stateful["spec"]["serviceName"] = "web".into();
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    let batch = format!("/apis/batch/v1/namespaces/{namespace}");
    vec![
        (
            core(namespace, "pods"),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}),
            true,
        ),
        (
            core(namespace, "replicationcontrollers"),
            json!({"apiVersion": "v1", "kind": "ReplicationController",
            "metadata": meta, "spec": {"selector": {"app": "web"}, "template": template}}),
            false,
        ),
        (format!("{apps}/deployments"), set("Deployment"), false),
        (format!("{apps}/daemonsets"), set("DaemonSet"), false),
        (format!("{apps}/statefulsets"), stateful, false),
        (format!("{apps}/replicasets"), set("ReplicaSet"), false),
        (
            format!("{batch}/jobs"),
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": once}}),
            false,
        ),
        (
            format!("{batch}/cronjobs"),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta,
            "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}}}),
            false,
        ),
    ]
}

/// Whether somebody can have a pod made; what a controller makes, it makes by its own rights.
fn makes_pod(
    server: &ApiServer,
    token: &str,
    namespace: &str,
    account: &str,
    privileged: bool,
) -> bool {
    let all = makers(namespace, account, privileged);
    let (pods, pod, _) = &all[0];
    let admitted = status(server, server.token(), "POST", &dry(pods), Some(pod)) == 201;
    admitted
        && all
            .iter()
            .any(|(path, object, _)| status(server, token, "POST", &dry(path), Some(object)) == 201)
}

/// What is done to a Secret answers with what it holds, not only what reads it.
fn reads(server: &ApiServer, token: &str, namespace: &str, name: &str) -> bool {
    let all = core(namespace, "secrets");
    let field = format!("fieldSelector=metadata.name%3D{name}");
    let shown = |method: &str, path: &str, body: Option<&Value>| {
        let (status, answer) = server.request_as(token, method, path, body).unwrap();
        assert!(
            status != 200 || answer.to_string().contains(r#""data""#),
            "{answer}"
        );
        status == 200
    };
    let watch = format!("{all}?watch=1&timeoutSeconds=1&{field}");
    shown("GET", &format!("{all}/{name}"), None)
        || shown("GET", &all, None)
        || shown("GET", &format!("{all}?{field}"), None)
        || status(server, token, "GET", &watch, None) != 403
        || shown("PATCH", &dry(&format!("{all}/{name}")), Some(&json!({})))
        || shown("DELETE", &dry(&all), None)
}

/// Whether the API server takes somebody for another.
fn becomes(server: &ApiServer, token: &str, user: &str, group: Option<&str>) -> bool {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let mut headers = vec![("Impersonate-User", user)];
    headers.extend(group.map(|group| ("Impersonate-Group", group)));
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (status, answer) = server
        .request_with(token, &headers, "POST", path, Some(&review))
        .unwrap();
    let info = &answer["status"]["userInfo"];
    if status != 201 {
        return false;
    }
    assert_eq!(info["username"], user);
    group.is_none_or(|group| {
        info["groups"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one == group)
    })
}

fn binds(server: &ApiServer, token: &str, namespace: &str, kind: &str, role: &str) -> bool {
    let binding = json!({"apiVersion": format!("{RBAC}/v1"),
        "kind": if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" },
        "metadata": {"name": "new"}, "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": "mallory", "apiGroup": RBAC}]});
    let path = if namespace.is_empty() {
        format!("/apis/{RBAC}/v1/clusterrolebindings")
    } else {
        format!("/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings")
    };
    status(server, token, "POST", &dry(&path), Some(&binding)) == 201
}

fn rebinds(server: &ApiServer, token: &str, namespace: &str, name: &str) -> bool {
    let path = if namespace.is_empty() {
        format!("/apis/{RBAC}/v1/clusterrolebindings/{name}")
    } else {
        format!("/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings/{name}")
    };
    let patch = json!({"subjects": [{"kind": "User", "name": "mallory", "apiGroup": RBAC}]});
    change(server, token, &path, &patch)
}

fn star() -> Value {
    json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
}

fn widens(server: &ApiServer, token: &str, namespace: &str, name: &str) -> bool {
    let path = if namespace.is_empty() {
        format!("/apis/{RBAC}/v1/clusterroles/{name}")
    } else {
        format!("/apis/{RBAC}/v1/namespaces/{namespace}/roles/{name}")
    };
    change(server, token, &path, &json!({"rules": star()}))
}

impl Deed {
    pub(super) fn perform(&self, server: &ApiServer, token: &str) -> bool {
        (self.does)(server, token)
    }

    /// All that are tried in an estate.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for namespace in NAMESPACES {
            pods(&mut all, namespace);
            credentials(&mut all, namespace);
            roles(&mut all, namespace);
            network::add(&mut all, namespace);
            tokens::add(&mut all, namespace);
            writers::add(&mut all, namespace);
        }
        cluster::add(&mut all);
        certificates::add(&mut all);
        writers::volumes(&mut all);
        all
    }
}

fn pods(all: &mut Vec<Deed>, namespace: &'static str) {
    all.push(Deed {
        possible: true,
        ..deed(
            "run a command in a pod, or type into one, of",
            namespace,
            &[Edge::PodExec],
            &["workload:NS/p0[Pod]"],
            move |server, token| {
                ["exec?command=id&stdout=1", "attach?stdin=1"]
                    .iter()
                    .any(|rest| {
                        let path = core(namespace, &format!("pods/p0/{rest}"));
                        ["POST", "GET"]
                            .iter()
                            .any(|method| authorized(server, token, method, &path))
                    })
            },
        )
    });
    all.push(Deed {
        // Who types only may come to nothing.
        unless: vec![
            format!("right:pod-attach@{namespace}"),
            "right:pod-attach@*".to_owned(),
        ],
        ..deed(
            "run a command in a pod of",
            namespace,
            &[Edge::PodExec],
            &["workload:NS/p0[Pod]"],
            move |server, token| {
                let path = core(namespace, "pods/p0/exec?command=id&stdout=1");
                authorized(server, token, "POST", &path) || authorized(server, token, "GET", &path)
            },
        )
    });
    let added = |privileged: bool| {
        move |server: &ApiServer, token: &str| {
            let path = core(namespace, "pods/p0/ephemeralcontainers");
            let patch = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "shop.example/tools:1",
                "securityContext": {"privileged": privileged}}]}});
            change(server, token, &path, &patch)
        }
    };
    all.push(deed(
        "add a container to a pod of",
        namespace,
        &[Edge::PodDebug],
        &["workload:NS/p0[Pod]"],
        added(false),
    ));
    // `pool:` is the pool of both nodes.
    all.push(on_nodes(
        "add a privileged container to a pod of",
        namespace,
        &[Edge::PodDebug],
        &["pool:"],
        added(true),
    ));
    all.push(deed(
        "change the image of a pod of",
        namespace,
        &[Edge::PodPatch],
        &["workload:NS/p0[Pod]"],
        move |server, token| {
            let path = core(namespace, "pods/p0");
            let (_, pod) = server.request("GET", &path, None).unwrap();
            let mut containers = pod["spec"]["containers"].clone();
            containers[0]["image"] = "shop.example/other:1".into();
            let patch = json!({"spec": {"containers": containers}});
            change(server, token, &path, &patch)
        },
    ));
    all.push(deed(
        "run a pod as a service account of",
        namespace,
        &[Edge::PodCreate, Edge::PodPatch],
        &["sa:NS/a0"],
        move |server, token| {
            makes_pod(server, token, namespace, "a0", false)
                || writers::changes_any(server, token, namespace, "a0")
        },
    ));
    all.push(on_nodes(
        "run a privileged pod in",
        namespace,
        &[Edge::PodCreate, Edge::PodCreateNode],
        &["pool:"],
        move |server, token| makes_pod(server, token, namespace, "a0", true),
    ));
    all.push(on_nodes(
        "relabel and run a privileged pod in",
        namespace,
        &[Edge::PodCreate, Edge::PodCreateNode, Edge::NamespaceLabel],
        &["pool:"],
        move |server, token| {
            let relabelled = relabel(server, token, namespace);
            let made = makes_pod(server, token, namespace, "a0", true);
            if relabelled && namespace == "n1" {
                let back =
                    json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
                let path = format!("/api/v1/namespaces/{namespace}");
                assert_eq!(server.request("PATCH", &path, Some(&back)).unwrap().0, 200);
            }
            made
        },
    ));
}

/// Really turns Pod Security off in a namespace, in any way that there is.
fn relabel(server: &ApiServer, token: &str, namespace: &str) -> bool {
    let path = format!("/api/v1/namespaces/{namespace}");
    let patch =
        json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}});
    let passes = |method: &str, path: &str, body: &Value| {
        let (status, answer) = server.request_as(token, method, path, Some(body)).unwrap();
        status == 200
            && answer["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    };
    let (_, mut object) = server.request("GET", &path, None).unwrap();
    merge(&mut object, &patch);
    passes("PATCH", &path, &patch)
        || passes("PUT", &path, &object)
        || passes("PATCH", &format!("{path}/status"), &patch)
        || passes("PUT", &format!("{path}/status"), &object)
        || passes("PUT", &format!("{path}/finalize"), &object)
}

/// Each of the subresources by which a namespace is changed changes its labels too.
pub(super) fn every_way_relabels(server: &ApiServer) {
    let label = "pod-security.kubernetes.io/enforce";
    for (number, (method, rest)) in [
        ("PATCH", ""),
        ("PATCH", "/status"),
        ("PUT", "/status"),
        ("PUT", "/finalize"),
    ]
    .iter()
    .enumerate()
    {
        let level = ["baseline", "privileged"][number % 2];
        let path = "/api/v1/namespaces/n0";
        let (_, mut object) = server.request("GET", path, None).unwrap();
        merge(
            &mut object,
            &json!({"metadata": {"labels": {label: level}}}),
        );
        if *method == "PATCH" {
            object = json!({"metadata": {"labels": {label: level}}});
        }
        let (status, answer) = server
            .request(method, &format!("{path}{rest}"), Some(&object))
            .unwrap();
        assert_eq!(status, 200, "{answer:#}");
        assert_eq!(
            answer["metadata"]["labels"][label], level,
            "{method} {rest}"
        );
    }
    let none = json!({"metadata": {"labels": {label: null}}});
    let (status, _) = server
        .request("PATCH", "/api/v1/namespaces/n0", Some(&none))
        .unwrap();
    assert_eq!(status, 200);
}

fn credentials(all: &mut Vec<Deed>, namespace: &'static str) {
    all.push(deed(
        "read a Secret of",
        namespace,
        &[Edge::SecretRead],
        &["secret:NS/s0"],
        move |server, token| reads(server, token, namespace, "s0"),
    ));
    all.push(deed(
        "have a token written into a Secret of",
        namespace,
        &[Edge::TokenSecret, Edge::SecretRead],
        &["sa:NS/a0"],
        move |server, token| {
            let secret = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {"name": name, "annotations": {"kubernetes.io/service-account.name": "a0"}}});
            let path = core(namespace, "secrets");
            let (created, _) = server.request_as(token, "POST", &path, Some(&secret("tok"))).unwrap();
            if created != 201 {
                return false;
            }
            let (_, filled) = server
                .eventually("GET", &format!("{path}/tok"), None, |_, secret| secret["data"]["token"].is_string())
                .unwrap();
            assert!(filled["data"]["token"].is_string());
            let read = reads(server, token, namespace, "tok");
            let own = oracle::from_base64(filled["data"]["token"].as_str().unwrap()).unwrap();
            assert_eq!(tokens::user_of(server, &own), format!("system:serviceaccount:{namespace}:a0"));
            assert_eq!(server.request("DELETE", &format!("{path}/tok"), None).unwrap().0, 200);
            read
        },
    ));
    all.push(deed(
        "ask for a token of a service account of",
        namespace,
        &[Edge::TokenRequest],
        &["sa:NS/a0"],
        move |server, token| {
            let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}});
            let path = core(namespace, "serviceaccounts/a0/token");
            let (status, answer) = server.request_as(token, "POST", &path, Some(&request)).unwrap();
            if status != 201 {
                return false;
            }
            // It is worth what it says.
            let own = answer["status"]["token"].as_str().unwrap();
            tokens::user_of(server, own) == format!("system:serviceaccount:{namespace}:a0")
        },
    ));
    all.push(deed(
        "act as a service account of",
        namespace,
        &[Edge::Impersonate],
        &["sa:NS/a0"],
        move |server, token| {
            becomes(
                server,
                token,
                &format!("system:serviceaccount:{namespace}:a0"),
                None,
            )
        },
    ));
}

fn roles(all: &mut Vec<Deed>, namespace: &'static str) {
    all.push(deed(
        "bind cluster-admin in",
        namespace,
        &[Edge::RoleBind],
        &["right:everything@NS", "role:cluster-admin@NS"],
        move |server, token| binds(server, token, namespace, "ClusterRole", "cluster-admin"),
    ));
    for (kind, role, binding) in [("ClusterRole", "cr0", "b1"), ("Role", "r0", "b0")] {
        all.push(Deed {
            may_be_covered: true,
            ..deed(
                &format!("bind {kind} {role} in"),
                namespace,
                &[Edge::RoleBind],
                if kind == "Role" {
                    &["role:r0@NS"]
                } else {
                    &["role:cr0@NS", "right:everything@NS"]
                },
                move |server, token| {
                    binds(server, token, namespace, kind, role)
                        || rebinds(server, token, namespace, binding)
                },
            )
        });
    }
    all.push(Deed {
        given: vec![
            format!("role:r0@{namespace}"),
            format!("right:role-held@{namespace}"),
        ],
        // Their own ClusterRoles would do as well.
        unless: vec!["right:cluster-role-widen@*".to_owned()],
        ..deed(
            "widen Role r0 in",
            namespace,
            &[Edge::RoleEscalate],
            &["right:everything@NS"],
            move |server, token| widens(server, token, namespace, "r0"),
        )
    });
    all.push(deed(
        "create a Role with everything in",
        namespace,
        &[Edge::RoleEscalate],
        &["right:role-invent@NS", "right:role-invent@*"],
        move |server, token| {
            let role = json!({"apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": {"name": "new"}, "rules": star()});
            let path = format!("/apis/{RBAC}/v1/namespaces/{namespace}/roles");
            status(server, token, "POST", &dry(&path), Some(&role)) == 201
        },
    ));
}
