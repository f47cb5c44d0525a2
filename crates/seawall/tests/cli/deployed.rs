//! `deploy/chart` as people use it: Helm installs it on a real API server with its controllers, upgrades and uninstalls
//! it. The test is the kubelet: it runs what pods say, as their accounts, with the tokens and rights that these have.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use oracle::{ApiServer, Options};
use serde_json::{Value, json};
use sources::cluster::kinds::WANTED;

use super::run::{Folder, repository};
use super::serve::{Webhook, create, pod};

/// What runs what a chart's objects ask for.
const CONTROLLERS: [&str; 9] = [
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
];

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const REPORTS: &str = "/apis/wgpolicyk8s.io/v1alpha2";

/// Kinds that Kubernetes 1.34 does not serve unless it is told to, or not any more.
const NOT_SERVED: [&str; 3] = [
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "podsecuritypolicies",
];

/// Defines a kind that takes anything.
fn define(server: &ApiServer, (group, version): (&str, &str), (plural, kind): (&str, &str)) {
    let body = json!({"metadata": {"name": format!("{plural}.{group}"),
        // A group under *.k8s.io needs it (KEP 2337).
        "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}, "spec": {
        "group": group, "scope": if kind.starts_with("Cluster") { "Cluster" } else { "Namespaced" },
        "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
        "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema":
            {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    create(server, DEFINITIONS, &body);
}

/// A cluster that serves every kind that the chart names.
fn cluster() -> ApiServer {
    let options = Options::default().controllers_named(&CONTROLLERS).audit();
    let server = ApiServer::start_with(&options).unwrap();
    for wanted in WANTED {
        let builtin = !wanted.group.contains('.')
            || model::kinds::is_builtin(wanted.group, wanted.kind)
            || wanted.group.ends_with("apiextensions.k8s.io")
            || wanted.group.ends_with("apiregistration.k8s.io");
        if !builtin {
            let at = (wanted.group, "v1");
            define(&server, at, (wanted.resource, wanted.kind));
        }
    }
    let at = ("wgpolicyk8s.io", "v1alpha2");
    define(&server, at, ("policyreports", "PolicyReport"));
    define(&server, at, ("clusterpolicyreports", "ClusterPolicyReport"));
    let served = |status: u16, _: &Value| status == 200;
    for kind in ["policyreports", "clusterpolicyreports"] {
        let list = format!("{REPORTS}/{kind}");
        assert_eq!(
            server.eventually("GET", &list, None, served).unwrap().0,
            200
        );
    }
    let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    for (name, labels) in [("seawall", restricted), ("shop", json!({}))] {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        create(&server, "/api/v1/namespaces", &body);
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        assert_eq!(
            server.eventually("GET", &account, None, served).unwrap().0,
            200
        );
    }
    server
}

/// A kubeconfig with a token of an account, as a pod has it.
fn kubeconfig(server: &ApiServer, folder: &Path, account: &str) -> PathBuf {
    let path = format!("/api/v1/namespaces/seawall/serviceaccounts/{account}/token");
    let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600}});
    let (status, answer) = server.request("POST", &path, Some(&asked)).unwrap();
    assert_eq!(status, 201, "{answer}");
    std::fs::write(folder.join("ca.crt"), server.ca()).unwrap();
    let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server.url(), "certificate-authority": folder.join("ca.crt")}}],
        "users": [{"name": "it", "user": {"token": answer["status"]["token"]}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]});
    let file = folder.join(format!("kubeconfig-{account}"));
    std::fs::write(&file, text.to_string()).unwrap();
    file
}

/// The arguments of a pod's container, as they are on this machine.
fn arguments(server: &ApiServer, folder: &Path, spec: &Value) -> Vec<String> {
    let account = spec["serviceAccountName"].as_str().unwrap();
    let own = kubeconfig(server, folder, account).display().to_string();
    let mut all: Vec<String> = Vec::new();
    for argument in spec["containers"][0]["args"].as_array().unwrap() {
        let argument = argument.as_str().unwrap();
        all.push(match argument.split_once('=') {
            Some(("--config", _)) => {
                let path = "/api/v1/namespaces/seawall/configmaps/seawall";
                let (_, map) = server.request("GET", path, None).unwrap();
                let text = map["data"]["seawall.yaml"].as_str().unwrap();
                let file = folder.join("seawall.yaml");
                std::fs::write(&file, text).unwrap();
                format!("--config={}", file.display())
            }
            Some(("--listen", _)) => "--listen=127.0.0.1:0".to_owned(),
            _ => argument.to_owned(),
        });
    }
    all.extend(["--kubeconfig".to_owned(), own]);
    all.extend(["--own-namespace", "seawall"].map(str::to_owned));
    all
}

const PODS: &str = "/api/v1/namespaces/seawall/pods";

/// Runs the pods of jobs until it is dropped.
struct Kubelet {
    stop: Arc<AtomicBool>,
    ran: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelet {
    fn start(server: &Arc<ApiServer>, folder: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ran = Arc::new(Mutex::new(Vec::new()));
        let (server, folder) = (Arc::clone(server), folder.to_path_buf());
        let (end, notes) = (Arc::clone(&stop), Arc::clone(&ran));
        let thread = thread::spawn(move || {
            let mut known = BTreeSet::new();
            while !end.load(Ordering::Relaxed) {
                let selector = "labelSelector=batch.kubernetes.io/job-name";
                let (_, list) = server
                    .request("GET", &format!("{PODS}?{selector}"), None)
                    .unwrap();
                for pod in list["items"].as_array().into_iter().flatten() {
                    let name = pod["metadata"]["name"].as_str().unwrap();
                    if known.insert(name.to_owned()) {
                        notes.lock().unwrap().push(run_job(&server, &folder, pod));
                    }
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self {
            stop,
            ran,
            thread: Some(thread),
        }
    }

    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut *self.ran.lock().unwrap())
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// Runs a pod of a job to its end; which, and what it said.
fn run_job(server: &ApiServer, folder: &Path, pod: &Value) -> String {
    let job = pod["metadata"]["labels"]["batch.kubernetes.io/job-name"]
        .as_str()
        .unwrap();
    let arguments = arguments(server, folder, &pod["spec"]);
    let ran = Command::new(env!("CARGO_BIN_EXE_seawall"))
        .args(&arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = format!("{job}: {}", String::from_utf8_lossy(&said).trim());
    assert!(ran.status.success(), "{arguments:?}\n{said}");
    let path = format!(
        "{PODS}/{}/status",
        pod["metadata"]["name"].as_str().unwrap()
    );
    let status = json!({"status": {"phase": "Succeeded"}});
    let (code, answer) = server.request("PATCH", &path, Some(&status)).unwrap();
    assert_eq!(code, 200, "{answer}");
    said
}

/// Helm as an administrator runs it.
fn helm(server: &ApiServer, folder: &Path, arguments: &[&str]) -> Output {
    let chart = repository("deploy/chart");
    let mut command = Command::new(oracle::part("helm").unwrap());
    command
        .args(arguments.iter().map(|argument| {
            if *argument == "CHART" {
                chart.as_os_str()
            } else {
                argument.as_ref()
            }
        }))
        .args(["--namespace", "seawall", "--timeout", "180s"])
        .env("KUBECONFIG", server.kubeconfig())
        .env("HOME", folder);
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, folder.join(name));
    }
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {said}");
    ran
}

/// Who hears of alerts: each finding that is told, by the name of its object.
fn endpoint() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&told);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut part = [0; 8192];
            let message = loop {
                let read = stream.read(&mut part).unwrap();
                bytes.extend_from_slice(&part[..read]);
                let text = String::from_utf8_lossy(&bytes);
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                if let Some(Ok(message)) = body.map(serde_json::from_str::<Value>) {
                    break message;
                }
            };
            for finding in message["findings"].as_array().unwrap() {
                if finding["guideline"] == "pss-privileged" {
                    let name = finding["resource"]["name"].as_str().unwrap();
                    notes.lock().unwrap().push(name.to_owned());
                }
            }
            let answer =
                "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, told)
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(
            begin.elapsed() < Duration::from_secs(120),
            "{what} never came"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

fn privileged(server: &ApiServer, name: &str) {
    let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app",
            "image": "example.azurecr.io/web:1", "securityContext": {"privileged": true}}]}}}});
    create(server, "/apis/apps/v1/namespaces/shop/deployments", &body);
}

/// Verb, group, resource, name; of what the server asked and was given, and of what it was refused.
fn asked(server: &ApiServer) -> (BTreeSet<[String; 4]>, Vec<String>) {
    let text = std::fs::read_to_string(server.audit_log()).unwrap();
    let (mut given, mut refused) = (BTreeSet::new(), Vec::new());
    for line in text.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if event["user"]["username"] != "system:serviceaccount:seawall:seawall" {
            continue;
        }
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let what = &event["objectRef"];
        let url = said(&event["requestURI"]);
        if event["responseStatus"]["code"] == 403 {
            refused.push(format!("{} {url}", said(&event["verb"])));
        } else if what.is_object() {
            let parts = ["apiGroup", "resource", "name"].map(|key| said(&what[key]));
            let [group, resource, name] = parts;
            // Server-side apply is authorized as `patch`, and as `create` of what is new.
            let verbs = match &*said(&event["verb"]) {
                "apply" => vec!["patch".to_owned(), "create".to_owned()],
                verb => vec![verb.to_owned()],
            };
            for verb in verbs {
                given.insert([verb, group.clone(), resource.clone(), name.clone()]);
            }
        } else {
            let path = url.split('?').next().unwrap_or_default().to_owned();
            given.insert([said(&event["verb"]), path, String::new(), String::new()]);
        }
    }
    (given, refused)
}

/// What roles give and nobody asked for.
fn unused(server: &ApiServer, given: &BTreeSet<[String; 4]>) -> Vec<String> {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let roles = [
        format!("{rbac}/clusterroles/seawall-server"),
        format!("{rbac}/namespaces/seawall/roles/seawall-server"),
    ];
    let mut unused = Vec::new();
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    for role in roles {
        let (status, role) = server.request("GET", &role, None).unwrap();
        assert_eq!(status, 200, "{role}");
        for rule in role["rules"].as_array().unwrap() {
            let names = list(&rule["resourceNames"]);
            for verb in list(&rule["verbs"]) {
                for path in list(&rule["nonResourceURLs"]) {
                    let so = given.iter().any(|[asked, url, resource, _]| {
                        let fits = path
                            .strip_suffix('*')
                            .map_or(*url == path, |start| url.starts_with(start));
                        *asked == verb && resource.is_empty() && fits
                    });
                    // Without aggregated discovery (before 1.30) groups are asked one by one.
                    if !so && !path.ends_with("/*") {
                        unused.push(format!("{verb} {path}"));
                    }
                }
                for group in list(&rule["apiGroups"]) {
                    for resource in list(&rule["resources"]) {
                        let so = given.iter().any(|[asked, of, what, name]| {
                            let named = names.is_empty() || names.contains(name);
                            *asked == verb && *of == group && *what == resource && named
                        });
                        // That reports were applied is seen by the reports: the audit log has no such event.
                        let applied =
                            group == "wgpolicyk8s.io" && matches!(&*verb, "create" | "patch");
                        if !so && !applied && !NOT_SERVED.contains(&&*resource) {
                            unused.push(format!("{verb} {resource} {names:?}"));
                        }
                    }
                }
            }
        }
    }
    unused
}

#[test]
fn the_chart_installs_serves_with_its_own_rights_and_leaves_nothing() {
    let server = Arc::new(cluster());
    let folder = Folder::new();
    let place = folder.path();
    let (url, told) = endpoint();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook"}, "stringData": {"url": url}});
    create(&server, "/api/v1/namespaces/seawall/secrets", &secret);
    privileged(&server, "old");
    // What an earlier server left is deleted.
    for (list, kind) in [
        ("namespaces/shop/policyreports", "PolicyReport"),
        ("clusterpolicyreports", "ClusterPolicyReport"),
    ] {
        let stale = json!({"apiVersion": "wgpolicyk8s.io/v1alpha2", "kind": kind, "metadata": {
            "name": "stale", "labels": {"app.kubernetes.io/managed-by": "seawall"}}});
        create(&server, &format!("{REPORTS}/{list}"), &stale);
    }
    let kubelet = Kubelet::start(&server, place);
    let image = "image.repository=registry.example.com/seawall";
    helm(
        &server,
        place,
        &[
            "install",
            "seawall",
            "CHART",
            "--set",
            image,
            "--set",
            "alerts.secret=hook",
        ],
    );
    let ran = kubelet.ran();
    assert!(
        ran.len() == 1 && ran[0].starts_with("seawall-install: installed"),
        "{ran:?}"
    );
    let configuration =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/seawall";
    let (status, answer) = server.request("GET", configuration, None).unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["webhooks"][0]["clientConfig"]["service"]["namespace"],
        "seawall"
    );
    // The namespace takes nothing but restricted pods, and takes these.
    let own = format!("{PODS}?labelSelector=app.kubernetes.io/component=server");
    let three = |_: u16, list: &Value| {
        list["items"]
            .as_array()
            .is_some_and(|items| items.len() == 3)
    };
    let (_, pods) = server.eventually("GET", &own, None, three).unwrap();
    assert!(three(200, &pods), "{pods}");

    // Two of the three run, on this machine, where API servers find them by an address.
    let made = json!({"data": null});
    let (status, answer) = server
        .request(
            "PATCH",
            "/api/v1/namespaces/seawall/secrets/seawall-webhook",
            Some(&made),
        )
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    let replica = |number: usize| {
        let pod = &pods["items"][number];
        let mut args = arguments(&server, place, &pod["spec"]);
        args.extend(["--url", "https://127.0.0.1", "--drain", "1"].map(str::to_owned));
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let env = [("POD_NAME", &*name), ("SEAWALL_ALERTS_URL", &*url)];
        (Webhook::start_with(&folder, &args, &env), name.clone())
    };
    let (one, first) = replica(0);
    let serving = one.says("serving");
    assert_eq!(serving["dryRun"], true);
    let address = format!("https://{}", serving["address"].as_str().unwrap());
    one.says("keeping reports and alerts");
    let (two, second) = replica(1);
    two.says("serving");
    two.says("passed over everything");
    let lease = "/apis/coordination.k8s.io/v1/namespaces/seawall/leases/seawall";
    let holder = |name: &str| {
        let name = name.to_owned();
        move |_: u16, lease: &Value| lease["spec"]["holderIdentity"] == name.as_str()
    };
    assert!(holder(&first)(
        200,
        &server.request("GET", lease, None).unwrap().1
    ));
    let report = format!("{REPORTS}/namespaces/shop/policyreports/seawall");
    let says = |name: &str| {
        let wanted = format!("\"name\":\"{name}\"");
        move |status: u16, report: &Value| status == 200 && report.to_string().contains(&wanted)
    };
    let (_, answer) = server
        .eventually("GET", &report, None, says("old"))
        .unwrap();
    assert!(says("old")(200, &answer), "{answer}");

    // What is new is told once by one of them, and a change of the keeper loses nothing.
    let times = |name: &str| {
        told.lock()
            .unwrap()
            .iter()
            .filter(|one| *one == name)
            .count()
    };
    let admin = server.kubeconfig().display().to_string();
    let ran = folder.run(&[
        "serve",
        "--install",
        "--dry-run",
        "--kubeconfig",
        &admin,
        "--url",
        &address,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The API server asks, and is warned in a dry run.
    let bad = pod(
        "bad",
        &json!({"name": "logs", "hostPath": {"path": "/var/log"}}),
    );
    let dry = "/api/v1/namespaces/shop/pods?dryRun=All";
    until("a warning", || {
        let (status, answer, warnings) = server.request_warned("POST", dry, Some(&bad)).unwrap();
        assert!(status == 201 || status == 500, "{answer}");
        warnings.iter().any(|line| line.contains("pss-host-path"))
    });
    privileged(&server, "new");
    until("the alert", || times("new") > 0);
    let (_, answer) = server
        .eventually("GET", &report, None, says("new"))
        .unwrap();
    assert!(says("new")(200, &answer), "{answer}");
    drop(one);
    two.says("keeping reports and alerts");
    let (_, answer) = server
        .eventually("GET", lease, None, holder(&second))
        .unwrap();
    assert!(holder(&second)(200, &answer), "{answer}");
    let remove = folder.run(&["serve", "--remove", "--kubeconfig", &admin]);
    assert_eq!(remove.code, 0, "{}", remove.err);
    until("the way out", || {
        server.request("POST", dry, Some(&bad)).unwrap().0 == 201
    });
    privileged(&server, "newest");
    until("the next alert", || times("newest") > 0);
    // Nothing is left to say of the namespace, so its report goes.
    for name in ["old", "new", "newest"] {
        let path = format!("/apis/apps/v1/namespaces/shop/deployments/{name}");
        assert_eq!(server.request("DELETE", &path, None).unwrap().0, 200);
    }
    let calm = |_: u16, report: &Value| !report.to_string().contains("\"Deployment\"");
    let (_, answer) = server.eventually("GET", &report, None, calm).unwrap();
    assert!(calm(200, &answer), "{answer}");
    // Who takes over within a minute may tell again.
    assert!(matches!(times("new"), 1 | 2));
    assert_eq!((times("old"), times("newest")), (0, 1));

    // Every right is used, and none is missing.
    let (given, refused) = asked(&server);
    assert_eq!(refused, Vec::<String>::new());
    let never = unused(&server, &given);
    assert_eq!(never, Vec::<String>::new());
    assert_eq!(two.unformed(), Vec::<String>::new());
    assert_eq!(two.end(), Some(0));

    helm(
        &server,
        place,
        &[
            "upgrade",
            "seawall",
            "CHART",
            "--reuse-values",
            "--set",
            "dryRun=false",
        ],
    );
    let ran = kubelet.ran();
    assert!(
        ran.len() == 1 && ran[0].starts_with("seawall-install: installed"),
        "{ran:?}"
    );
    let (_, answer) = server
        .request(
            "GET",
            "/apis/apps/v1/namespaces/seawall/deployments/seawall",
            None,
        )
        .unwrap();
    assert!(
        !answer["spec"]["template"].to_string().contains("--dry-run"),
        "{answer}"
    );
    // Helm leaves to whom it belongs who holds the Lease.
    let (_, answer) = server.request("GET", lease, None).unwrap();
    assert!(
        answer["spec"]["leaseTransitions"].as_u64() >= Some(1),
        "{answer}"
    );

    helm(&server, place, &["uninstall", "seawall"]);
    let ran = kubelet.ran();
    assert_eq!(ran.len(), 2, "{ran:?}");
    assert_eq!(ran[0], "seawall-remove: removed: API servers ask no more");
    assert!(
        ran[1].starts_with("seawall-clean: nothing to remove"),
        "{ran:?}"
    );
    assert_eq!(left(&server), Vec::<String>::new());
}

/// Where objects of a kind are, in the namespace of seawall where they have one.
fn list_of(kind: &str) -> String {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let (group, plural, within) = match kind {
        "Namespace" => ("/api/v1", "namespaces", false),
        "ClusterRole" => (rbac, "clusterroles", false),
        "ClusterRoleBinding" => (rbac, "clusterrolebindings", false),
        "Role" => (rbac, "roles", true),
        "RoleBinding" => (rbac, "rolebindings", true),
        "ServiceAccount" => ("/api/v1", "serviceaccounts", true),
        "Secret" => ("/api/v1", "secrets", true),
        "ConfigMap" => ("/api/v1", "configmaps", true),
        "Service" => ("/api/v1", "services", true),
        "ResourceQuota" => ("/api/v1", "resourcequotas", true),
        "LimitRange" => ("/api/v1", "limitranges", true),
        "NetworkPolicy" => ("/apis/networking.k8s.io/v1", "networkpolicies", true),
        "PodDisruptionBudget" => ("/apis/policy/v1", "poddisruptionbudgets", true),
        "Deployment" => ("/apis/apps/v1", "deployments", true),
        "Lease" => ("/apis/coordination.k8s.io/v1", "leases", true),
        other => panic!("no list of {other}"),
    };
    if within {
        format!("{group}/namespaces/seawall/{plural}")
    } else {
        format!("{group}/{plural}")
    }
}

/// Applies `deploy/manifests` as `kubectl apply --server-side --validate=strict -k` does. How many objects.
fn apply_manifests(server: &ApiServer) -> usize {
    let mut applied = 0;
    for name in ["namespace.yaml", "server.yaml"] {
        let text = std::fs::read_to_string(repository("deploy/manifests").join(name)).unwrap();
        for raw in yaml::documents(&text) {
            let doc = guide::front_matter::read(&raw.text, 1).unwrap();
            let mut object = guide::setting::to_json(doc.root());
            let list = list_of(object["kind"].as_str().unwrap());
            if list.contains("/namespaces/") {
                object["metadata"]["namespace"] = "seawall".into();
            }
            let own = object["metadata"]["name"].as_str().unwrap();
            let path =
                format!("{list}/{own}?fieldManager=kubectl&force=true&fieldValidation=Strict");
            let (status, answer) = server.request("APPLY", &path, Some(&object)).unwrap();
            assert!(matches!(status, 200 | 201), "{path}: {answer}");
            applied += 1;
        }
    }
    applied
}

#[test]
fn plain_manifests_are_applied_as_a_whole_and_serve() {
    let server = Arc::new(cluster());
    let folder = Folder::new();
    let place = folder.path();
    let applied = apply_manifests(&server);
    let kustomization = repository("deploy/manifests/kustomization.yaml");
    let kustomization = std::fs::read_to_string(kustomization).unwrap();
    let named = kustomization.lines().filter(|line| line.starts_with("- "));
    assert_eq!(
        named.collect::<Vec<_>>(),
        ["- namespace.yaml", "- server.yaml"]
    );
    // Again is the same.
    assert_eq!(apply_manifests(&server), applied);

    let own = format!("{PODS}?labelSelector=app.kubernetes.io/component=server");
    let three = |_: u16, list: &Value| {
        let items = list["items"].as_array();
        items.is_some_and(|items| items.len() == 3)
    };
    let (_, pods) = server.eventually("GET", &own, None, three).unwrap();
    assert!(three(200, &pods), "{pods}");
    let pod_of_it = &pods["items"][0];
    let mut args = arguments(&server, place, &pod_of_it["spec"]);
    args.extend(["--url", "https://127.0.0.1", "--drain", "1"].map(str::to_owned));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let name = pod_of_it["metadata"]["name"].as_str().unwrap();
    let one = Webhook::start_with(&folder, &args, &[("POD_NAME", name)]);
    let serving = one.says("serving");
    let address = format!("https://{}", serving["address"].as_str().unwrap());
    let admin = server.kubeconfig().display().to_string();
    let ran = folder.run(&[
        "serve",
        "--install",
        "--dry-run",
        "--kubeconfig",
        &admin,
        "--url",
        &address,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let bad = pod(
        "bad",
        &json!({"name": "logs", "hostPath": {"path": "/var/log"}}),
    );
    let dry = "/api/v1/namespaces/shop/pods?dryRun=All";
    until("a warning", || {
        let (status, answer, warnings) = server.request_warned("POST", dry, Some(&bad)).unwrap();
        assert!(status == 201 || status == 500, "{answer}");
        warnings.iter().any(|line| line.contains("pss-host-path"))
    });
    one.says("passed over everything");
    let (_, refused) = asked(&server);
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(one.unformed(), Vec::<String>::new());
    let ran = folder.run(&["serve", "--remove", "--kubeconfig", &admin]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(one.end(), Some(0));
}

/// What there still is of it.
fn left(server: &ApiServer) -> Vec<String> {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let within = |group: &str, kind: &str| format!("{group}/namespaces/seawall/{kind}");
    let lists = [
        format!("{rbac}/clusterroles"),
        format!("{rbac}/clusterrolebindings"),
        within(rbac, "roles"),
        within(rbac, "rolebindings"),
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations".to_owned(),
        format!("{REPORTS}/policyreports"),
        format!("{REPORTS}/clusterpolicyreports"),
        within("/apis/coordination.k8s.io/v1", "leases"),
        within("/apis/apps/v1", "deployments"),
        within("/apis/apps/v1", "replicasets"),
        within("/apis/batch/v1", "jobs"),
        within("/apis/policy/v1", "poddisruptionbudgets"),
        within("/apis/networking.k8s.io/v1", "networkpolicies"),
        within("/api/v1", "configmaps"),
        within("/api/v1", "secrets"),
        within("/api/v1", "serviceaccounts"),
        within("/api/v1", "services"),
        within("/api/v1", "pods"),
    ];
    // What the controllers and the test made.
    let others = ["kube-root-ca.crt", "hook", "default"];
    let begin = Instant::now();
    loop {
        let mut left = Vec::new();
        for list in &lists {
            let (status, answer) = server.request("GET", list, None).unwrap();
            assert_eq!(status, 200, "{list}: {answer}");
            for item in answer["items"].as_array().unwrap() {
                let name = item["metadata"]["name"].as_str().unwrap();
                let foreign = name.starts_with("system:") || name.starts_with("kubeadm:");
                let own = list.contains("/namespaces/seawall/") || name.contains("seawall");
                if own && !foreign && !others.contains(&name) {
                    left.push(format!("{list}/{name}"));
                }
            }
        }
        // The garbage collector follows.
        if left.is_empty() || begin.elapsed() > Duration::from_secs(60) {
            return left;
        }
        thread::sleep(Duration::from_millis(500));
    }
}
