//! `seawall serve` as people run it: installed, asked by a real API server, removed; with no more rights than
//! `deploy/manifests` gives.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use oracle::{ApiServer, Options};
use serde_json::{Value, json};

use super::run::Folder;

/// A webhook that runs, and its log.
pub(crate) struct Webhook {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// How many of them [`Webhook::says_next`] has passed.
    passed: Mutex<usize>,
}

impl Webhook {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        Self::start_with(folder, &[&["serve"], args].concat(), &[])
    }

    /// As a replica that is a pod of this name.
    pub(crate) fn named(folder: &Folder, args: &[&str], name: &str) -> Self {
        Self::start_with(folder, &[&["serve"], args].concat(), &[("POD_NAME", name)])
    }

    /// With all arguments and further variables.
    pub(crate) fn start_with(folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_seawall"))
            .args(args)
            .envs(env.iter().copied())
            .current_dir(folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let all = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&all);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines: all,
            passed: Mutex::default(),
        }
    }

    /// The first line of the log that says this.
    pub(crate) fn says(&self, what: &str) -> Value {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(120) {
            let lines = self.lines.lock().unwrap();
            let mut values = lines
                .iter()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!({ "what": line })));
            if let Some(found) = values.find(|value: &Value| value["what"] == what) {
                return found;
            }
            drop(values);
            drop(lines);
            thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "`{what}` was not said, but {:#?}",
            self.lines.lock().unwrap()
        );
    }

    /// The next line that says this, after the one that was last asked for like this.
    pub(crate) fn says_next(&self, what: &str) -> Value {
        let begin = Instant::now();
        let mut passed = self.passed.lock().unwrap();
        while begin.elapsed() < Duration::from_secs(120) {
            let lines = self.lines.lock().unwrap().clone();
            for (at, line) in lines.iter().enumerate().skip(*passed) {
                let value: Value = serde_json::from_str(line).unwrap_or_default();
                if value["what"] == what {
                    *passed = at + 1;
                    return value;
                }
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "`{what}` was not said again, but {:#?}",
            self.lines.lock().unwrap()
        );
    }

    /// Lines of its log that are not as docs/serve.md says.
    pub(crate) fn unformed(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let is_formed = |line: &&String| {
            let value: Value = serde_json::from_str(line).unwrap_or_default();
            let time = value["time"].as_str().map(str::parse::<jiff::Timestamp>);
            matches!(time, Some(Ok(_)))
                && matches!(value["level"].as_str(), Some("info" | "warning" | "error"))
                && value["what"].is_string()
        };
        assert!(!lines.is_empty());
        lines
            .iter()
            .filter(|line| !is_formed(line))
            .cloned()
            .collect()
    }

    /// Ends it as Kubernetes does; the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let signal = format!("-{name}");
        Command::new("kill").args([&signal, &id]).status().unwrap();
    }

    /// Ends it at once.
    pub(crate) fn kill(self) {
        drop(self);
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The most memory that it took so far, in MB.
    pub(crate) fn most_memory(&self) -> usize {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: usize = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib / 1024
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `deploy/manifests` gives the server: its Secret, its account's rights.
pub(crate) fn rights(server: &ApiServer) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/manifests/server.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let mut made = 0;
    for raw in yaml::documents(&text) {
        let doc = guide::front_matter::read(&raw.text, 1).unwrap();
        let mut object = guide::setting::to_json(doc.root());
        let list = match object["kind"].as_str().unwrap_or_default() {
            "Secret" => "/api/v1/namespaces/seawall/secrets".to_owned(),
            "ClusterRole" => format!("{rbac}/clusterroles"),
            "ClusterRoleBinding" => format!("{rbac}/clusterrolebindings"),
            "Role" => format!("{rbac}/namespaces/seawall/roles"),
            "RoleBinding" => format!("{rbac}/namespaces/seawall/rolebindings"),
            "Lease" => "/apis/coordination.k8s.io/v1/namespaces/seawall/leases".to_owned(),
            _ => continue,
        };
        object["metadata"]["namespace"] = Value::Null;
        create(server, &list, &object);
        made += 1;
    }
    assert_eq!(made, 7);
}

pub(crate) fn create(server: &ApiServer, list: &str, object: &Value) {
    let (status, answer) = server.request("POST", list, Some(object)).unwrap();
    assert_eq!(status, 201, "{answer}");
}

pub(crate) fn pod(name: &str, volume: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop" },
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": { "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": { "type": "RuntimeDefault" } },
            "volumes": [volume],
            "containers": [{
                "name": "web",
                "image": format!("contoso.azurecr.io/shop/web@sha256:{}", "a".repeat(64)),
                "imagePullPolicy": "Always",
                "securityContext": {
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] }
                },
                "resources": {
                    "limits": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" },
                    "requests": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" }
                }
            }]
        }
    })
}

/// The account that the server runs as.
pub(crate) const ACCOUNT: &str = "system:serviceaccount:seawall:seawall";

const PODS: &str = "/api/v1/namespaces/shop/pods?dryRun=All";

#[test]
fn the_webhook_is_installed_asked_and_removed() {
    let server = ApiServer::start_with(&Options::default().user(ACCOUNT, &[])).unwrap();
    for name in ["shop", "seawall"] {
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        create(&server, "/api/v1/namespaces", &namespace);
    }
    let folder = Folder::of(&[("seawall.yaml", "serve: { exclude: [sandbox] }\n")]);
    let own = server.kubeconfig_of(ACCOUNT).unwrap();
    let (own, admin) = (own.display().to_string(), server.kubeconfig());
    let admin = admin.display().to_string();
    // Without its Secret it says what to do.
    let ran = folder.run(&[
        "serve",
        "--kubeconfig",
        &admin,
        "--url",
        "https://127.0.0.1",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err
            .contains("kubectl create secret generic seawall-webhook --namespace seawall"),
        "{}",
        ran.err
    );
    rights(&server);
    let args = [
        "--kubeconfig",
        &own,
        "--url",
        "https://127.0.0.1",
        "--listen",
        "127.0.0.1:0",
        "--drain",
        "1",
    ];
    let webhook = Webhook::start(&folder, &args);
    let serving = webhook.says("serving");
    let url = format!("https://{}", serving["address"].as_str().unwrap());
    let ran = folder.run(&["serve", "--install", "--kubeconfig", &admin, "--url", &url]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let path = json!({ "name": "logs", "hostPath": { "path": "/var/log" } });
    let (bad, good) = (
        pod("bad", &path),
        pod("good", &json!({ "name": "logs", "emptyDir": {} })),
    );
    let (status, answer) = server
        .eventually("POST", PODS, Some(&bad), |status, answer| {
            status == 403
                && answer["message"]
                    .as_str()
                    .unwrap_or_default()
                    .contains("pss-host-path")
        })
        .unwrap();
    assert_eq!(status, 403, "{answer}");
    let (status, answer) = server.request("POST", PODS, Some(&good)).unwrap();
    assert_eq!(status, 201, "{answer}");
    // A change of the Namespace is known at once; what joins objects warns, and says how old it is.
    let begin = Instant::now();
    let warned = loop {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": "nothing", "namespace": "shop" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "nothing" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane" }]
        });
        let list = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All";
        let (status, answer, warnings) =
            server.request_warned("POST", list, Some(&binding)).unwrap();
        assert_eq!(status, 201, "{answer}");
        if warnings
            .iter()
            .any(|line| line.contains("rbac-no-dangling-bindings"))
        {
            break warnings;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{warnings:?}");
        thread::sleep(Duration::from_millis(500));
    };
    let warned = warned
        .iter()
        .find(|line| line.contains("rbac-no-dangling-bindings"))
        .unwrap();
    assert!(warned.contains("as the cluster was "), "{warned}");
    // What fails closed becomes another, and API servers are told; then it is as it was.
    let stored = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/seawall";
    let (_, before) = server.request("GET", stored, None).unwrap();
    let none = "serve: { exclude: [sandbox, lab], fail-closed: [] }\n";
    for (text, policies, left_alone) in [
        (none, &["Ignore"][..], "lab"),
        (
            "serve: { exclude: [sandbox] }\n",
            &["Fail", "Ignore"],
            "sandbox",
        ),
    ] {
        folder.write("seawall.yaml", text);
        let begin = Instant::now();
        loop {
            let (status, answer) = server.request("GET", stored, None).unwrap();
            assert_eq!(status, 200, "{answer}");
            let webhooks = answer["webhooks"].as_array().unwrap();
            let all = webhooks
                .iter()
                .map(|one| one["failurePolicy"].as_str().unwrap());
            if all.eq(policies.iter().copied()) {
                assert!(answer.to_string().contains(left_alone), "{answer}");
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{answer}");
            thread::sleep(Duration::from_millis(500));
        }
    }
    let (_, after) = server.request("GET", stored, None).unwrap();
    assert_eq!(before["webhooks"], after["webhooks"]);
    // It ends when it is told to; what fails closed is refused then.
    assert_eq!(webhook.end(), Some(0));
    let (status, answer) = server.request("POST", PODS, Some(&good)).unwrap();
    assert_eq!(status, 500, "{answer}");
    // The way out needs no webhook.
    let ran = folder.run(&["serve", "--remove", "--kubeconfig", &admin]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (status, answer) = server
        .eventually("POST", PODS, Some(&bad), |status, _| status == 201)
        .unwrap();
    assert_eq!(status, 201, "{answer}");
    let ran = folder.run(&["serve", "--remove", "--kubeconfig", &admin]);
    assert!(ran.out.contains("nothing to remove"), "{}", ran.out);
}

#[test]
fn a_certificate_of_somebody_else_is_taken_from_its_folder() {
    let folder = Folder::of(&[("tls/tls.crt", "no certificate"), ("tls/tls.key", "no key")]);
    let ran = folder.run(&[
        "serve",
        "--no-watch",
        "--cert-dir",
        "tls",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("there is no certificate in PEM form"),
        "{}",
        ran.err
    );
    let ran = folder.run(&["serve", "--no-watch", "--cert-dir", "nowhere"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("cannot read `nowhere/tls.crt`"),
        "{}",
        ran.err
    );
}
