//! The pods that serve an attacker, each as tame as its purpose lets it be, and every way to write them that a rule
//! of the estate looks at.

use serde_json::{Value, json};

/// What the attacker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A pod that runs as a service account.
    Account(&'static str),
    /// The node, by a pod of its own.
    Node,
    /// The same by a container in a pod that is there.
    Debug,
    /// The node's network.
    Network,
    /// The node's files, to read.
    Files,
}

/// What `restricted` lets pass.
pub(super) fn tame(namespace: &str) -> Value {
    let sizes = json!({"cpu": "10m", "memory": "16Mi"});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "namespace": namespace},
        "spec": {
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "app", "image": "shop.example/web:1", "resources": {"limits": sizes},
                "securityContext": {
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    })
}

fn with_path(mut pod: Value, path: &str, read_only: bool) -> Value {
    pod["spec"]["volumes"] = json!([{"name": "host", "hostPath": {"path": path}}]);
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "host", "mountPath": "/host", "readOnly": read_only}]);
    pod
}

fn as_root(mut pod: Value) -> Value {
    pod["spec"]["securityContext"]["runAsNonRoot"] = false.into();
    pod["spec"]["securityContext"]["runAsUser"] = 0.into();
    pod
}

fn capable(name: &str) -> Value {
    json!({"capabilities": {"add": [name], "drop": ["ALL"]}, "readOnlyRootFilesystem": true})
}

fn privileged() -> Value {
    json!({"privileged": true, "readOnlyRootFilesystem": true})
}

/// One is enough.
fn variants(purpose: Purpose, namespace: &str) -> Vec<Value> {
    let tame = tame(namespace);
    let contained = |context: Value| {
        let mut pod = as_root(tame.clone());
        pod["spec"]["containers"][0]["securityContext"] = context;
        pod
    };
    match purpose {
        Purpose::Account(_) => vec![tame],
        Purpose::Node => {
            let mut traced = contained(capable("SYS_PTRACE"));
            traced["spec"]["hostPID"] = true.into();
            vec![
                contained(privileged()),
                with_path(as_root(tame.clone()), "/", false),
                with_path(
                    as_root(tame.clone()),
                    "/run/containerd/containerd.sock",
                    true,
                ),
                contained(capable("SYS_MODULE")),
                traced,
            ]
        }
        Purpose::Debug => Vec::new(),
        Purpose::Network => {
            let mut pod = tame;
            pod["spec"]["hostNetwork"] = true.into();
            vec![pod]
        }
        Purpose::Files => vec![
            with_path(as_root(tame.clone()), "/", true),
            with_path(as_root(tame), "/var/lib/kubelet", true),
        ],
    }
}

/// Every way to write it of which a rule asks.
pub(super) fn pods(purpose: Purpose, namespace: &str, rules: &str) -> Vec<Value> {
    let mut all = variants(purpose, namespace);
    let mut vary = |asked: &[&str], changes: &[&dyn Fn(&mut Value)]| {
        if !asked.iter().any(|word| rules.contains(word)) {
            return;
        }
        let before = std::mem::take(&mut all);
        for pod in before {
            all.push(pod.clone());
            for change in changes {
                let mut pod = pod.clone();
                change(&mut pod);
                all.push(pod);
            }
        }
    };
    let label = |labels: Value| move |pod: &mut Value| pod["metadata"]["labels"] = labels.clone();
    vary(
        &["labels", "objectSelector"],
        &[
            &label(json!({"team": "shop"})),
            &label(json!({"team": "bank"})),
            &label(json!({"app": "web"})),
            &label(json!({"app": "db"})),
            &label(json!({"team": "shop", "app": "web"})),
            &label(json!({"team": "bank", "app": "web"})),
            &label(json!({"team": "shop", "app": "db"})),
            &label(json!({"team": "bank", "app": "db"})),
        ],
    );
    vary(
        &["name", "resourceNames"],
        &[&|pod| pod["metadata"]["name"] = "web-1".into()],
    );
    vary(
        &["image"],
        &[&|pod| pod["spec"]["containers"][0]["image"] = "other.example/web:1".into()],
    );
    vary(
        &["c.name", "variables.names"],
        &[&|pod| pod["spec"]["containers"][0]["name"] = "web".into()],
    );
    vary(
        &["projected", "automount"],
        &[&|pod| pod["spec"]["automountServiceAccountToken"] = false.into()],
    );
    match purpose {
        Purpose::Account(account) => {
            for pod in &mut all {
                pod["spec"]["serviceAccountName"] = account.into();
            }
        }
        _ => vary(
            &["serviceAccountName"],
            &[&|pod| pod["spec"]["serviceAccountName"] = "a0".into()],
        ),
    }
    all
}

/// Containers that take the node of the pod that they are put into.
pub(super) fn containers(rules: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for image in ["shop.example/tools:1", "other.example/tools:1"] {
        for name in ["debugger", "web"] {
            let asked =
                name == "debugger" || rules.contains("c.name") || rules.contains("variables.names");
            if !asked || image.starts_with("other") && !rules.contains("image") {
                continue;
            }
            for context in [privileged(), capable("SYS_MODULE")] {
                all.push(json!({"name": name, "image": image, "securityContext": context}));
            }
        }
    }
    all
}
