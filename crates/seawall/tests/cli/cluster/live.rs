//! One API server with its controllers for all tests of clusters, filled once.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use super::estate;
use crate::run::{DAY, Folder, Json, Ran};

/// How many teams: `SEAWALL_TEST_TEAMS=140` makes about 5,000 objects.
fn teams() -> usize {
    std::env::var("SEAWALL_TEST_TEAMS")
        .ok()
        .and_then(|teams| teams.parse().ok())
        .unwrap_or(6)
}

/// Users who hold one of the roles in `deploy/rbac`, or none.
pub(crate) const READER: &str = "reader";
pub(crate) const SECRETS: &str = "reader-secrets";
/// Who may list namespaces, and read one.
pub(crate) const TEAM: &str = "team";

/// Who may read nothing.
pub(crate) const NOBODY: &str = "nobody";

/// A node without a machine, and a group of Entra.
pub(crate) const NODE: &str = "aks-shop-12345678-vmss000000";
pub(crate) const DEVELOPERS: &str = "0f000000-0000-4000-8000-0000000000a1";

/// A value that stands in a Secret and must stand nowhere else.
pub(crate) const CANARY: &str = "Zq7vCanaryW3x";
pub(crate) const ENCODED: &str = "WnE3dkNhbmFyeVczeA==";

pub(crate) struct Live {
    pub(crate) server: ApiServer,
    /// What was created, in order.
    pub(crate) objects: Vec<Value>,
}

pub(crate) fn live() -> &'static Live {
    static LIVE: LazyLock<Live> = LazyLock::new(fill);
    &LIVE
}

/// Runs the controllers that make ReplicaSets and Pods beside those that authorization needs.
const CONTROLLERS: [&str; 9] = [
    "clusterrole-aggregation-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "job-controller",
];

fn fill() -> Live {
    let mut options = Options::default().controllers_named(&CONTROLLERS);
    for user in [READER, SECRETS, TEAM, NOBODY] {
        options = options.user(user, &[]);
    }
    for wanted in sources::cluster::kinds::WANTED {
        options = options.user(&super::rights::without(wanted), &[]);
    }
    let server = ApiServer::start_with(&options).unwrap();
    // First: afterwards the controllers have thousands of objects to work through.
    past(&server);
    let objects = estate::estate(teams());
    for object in &objects {
        create(&server, object);
        if object["kind"] == "Namespace" {
            // ServiceAccount admission refuses pods until the controller has made `default`.
            let name = object["metadata"]["name"].as_str().unwrap();
            let path = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
            let (status, _) = server
                .eventually("GET", &path, None, |status, _| status == 200)
                .unwrap();
            assert_eq!(status, 200, "{path}");
        }
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "team-0",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":{{\"password\":\"{ENCODED}\"}}}}")}},
        "data": {"password": ENCODED}});
    create(&server, &secret);
    for (user, file) in [(READER, "reader.yaml"), (SECRETS, "reader-secrets.yaml")] {
        let role = super::roles::written(file);
        let name = role["metadata"]["name"].as_str().unwrap().to_owned();
        create(&server, &role);
        bind(&server, user, &name);
    }
    let rbac = "rbac.authorization.k8s.io";
    let namespaces = json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": "see-namespaces"},
        "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]}]});
    create(&server, &namespaces);
    bind(&server, TEAM, "see-namespaces");
    let within = json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
        "metadata": {"name": "test-team", "namespace": "team-1"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "seawall-reader"},
        "subjects": [{"kind": "User", "apiGroup": rbac, "name": TEAM}]});
    create(&server, &within);
    for wanted in sources::cluster::kinds::WANTED {
        create(&server, &super::rights::role(wanted));
        let user = super::rights::without(wanted);
        bind(&server, &user, &user);
    }
    settle(&server);
    Live { server, objects }
}

fn create(server: &ApiServer, object: &Value) {
    let path = estate::collection(object);
    let (status, answer) = server.request("POST", &path, Some(object)).unwrap();
    assert_eq!(status, 201, "{path} {object}: {answer}");
}

/// Binds a ClusterRole to one user.
fn bind(server: &ApiServer, user: &str, role: &str) {
    create(
        server,
        &json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("test-{user}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]}),
    );
}

/// A namespace with a past, and a node: a Deployment whose first revision was privileged, a Job that has ended, a
/// Pod that something was injected into, and one that a custom resource made.
fn past(server: &ApiServer) {
    let post = |object: Value| create(server, &object);
    post(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "past"}}));
    let account = "/api/v1/namespaces/past/serviceaccounts/default";
    let made = server.eventually("GET", account, None, |status, _| status == 200);
    assert_eq!(made.unwrap().0, 200);
    let template = |privileged: bool| {
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1",
            "securityContext": {"privileged": privileged}}]}})
    };
    let mut web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "past"},
        "spec": {"strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": "web"}}, "template": template(true)}});
    post(web.clone());
    let sets = "/apis/apps/v1/namespaces/past/replicasets";
    let count = |wanted: usize| {
        let all = |answer: &Value| answer["items"].as_array().map_or(0, Vec::len) == wanted;
        let (_, answer) = server
            .eventually("GET", sets, None, |_, answer| all(answer))
            .unwrap();
        assert!(all(&answer), "{answer}");
    };
    count(1);
    web["spec"]["template"] = template(false);
    let change = json!({"spec": {"template": template(false)}});
    let path = "/apis/apps/v1/namespaces/past/deployments/web";
    assert_eq!(server.request("PATCH", path, Some(&change)).unwrap().0, 200);
    count(2);
    let pod = |name: &str, owner: Value, container: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "past", "ownerReferences": [owner]},
            "spec": {"containers": [{"name": container, "image": "example.azurecr.io/web:1", "securityContext": {"privileged": true}}]}})
    };
    // Another uid than the StatefulSet's, or its controller would delete it.
    let uid = "5c0d1f0e-0000-4000-8000-000000000001";
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "store", "uid": uid, "controller": true});
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "roll", "uid": uid, "controller": true});
    post(
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "store", "namespace": "past"},
        "spec": {"replicas": 0, "serviceName": "store", "selector": {"matchLabels": {"app": "store"}},
            "template": {"metadata": {"labels": {"app": "store"}}, "spec": {"containers": [{"name": "app", "image": "example.azurecr.io/web:1"}]}}}}),
    );
    post(pod("store-0", set.clone(), "injected"));
    post(pod("store-1", set, "injected"));
    post(pod("roll-7d4b9c", rollout.clone(), "app"));
    post(pod("ended", rollout, "over"));
    // A node that somebody labelled, and a group of Entra that may edit.
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {"kubernetes.io/os": "linux"}}});
    let path = "/api/v1/nodes?fieldManager=kubelet";
    assert_eq!(server.request("POST", path, Some(&node)).unwrap().0, 201);
    let label = json!({"metadata": {"labels": {"tier": "payment"}}});
    let path = format!("/api/v1/nodes/{NODE}?fieldManager=kubectl-label");
    assert_eq!(server.request("PATCH", &path, Some(&label)).unwrap().0, 200);
    post(
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "entra", "namespace": "past"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": DEVELOPERS}]}),
    );
    let ended = json!({"status": {"phase": "Succeeded"}});
    let path = "/api/v1/namespaces/past/pods/ended/status";
    assert_eq!(server.request("PATCH", path, Some(&ended)).unwrap().0, 200);
}

/// Waits until the controllers have made what they make.
fn settle(server: &ApiServer) {
    let count = |path: &str| {
        let (_, answer) = server.request("GET", path, None).unwrap();
        answer["items"].as_array().map_or(0, Vec::len)
    };
    let begin = Instant::now();
    let mut last = (0, Instant::now());
    while begin.elapsed() < Duration::from_secs(900) {
        let now = count("/api/v1/pods") + count("/apis/apps/v1/replicasets");
        if now != last.0 {
            last = (now, Instant::now());
        } else if now > 0 && last.1.elapsed() > Duration::from_secs(3) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("the controllers did not come to rest");
}

impl Live {
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        if user == "admin" {
            self.server.kubeconfig()
        } else {
            self.server.kubeconfig_of(user).unwrap()
        }
    }

    /// A command about the cluster, as a user.
    pub(crate) fn run(&self, user: &str, args: &[&str]) -> Ran {
        let kubeconfig = self.kubeconfig(user).display().to_string();
        Folder::new().run(&[args, &["--cluster", "--kubeconfig", &kubeconfig]].concat())
    }

    /// `seawall assess --cluster` as a user.
    pub(crate) fn assess(&self, user: &str, args: &[&str]) -> Ran {
        let kubeconfig = self.kubeconfig(user).display().to_string();
        let own = [
            "assess",
            "--as-of",
            DAY,
            "--cluster",
            "--kubeconfig",
            &kubeconfig,
        ];
        Folder::new().run(&[&own, args].concat())
    }

    pub(crate) fn json(&self, user: &str, args: &[&str]) -> Json {
        self.assess(user, &[args, &["--format", "json"]].concat())
            .json()
    }
}
