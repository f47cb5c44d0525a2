//! The pods that an attacker would write.

use model::{Estate, Ref, Resource};
use serde_json::{Value, json};

use super::Shape;
use super::values::written;

/// A value that the attacker writes as rules want it.
pub(super) const ANY: &str = "\u{1}";

/// What marks a value that nobody gave.
pub(super) const OPEN: char = '\u{2}';

/// A request to make a pod, or to put a container into one.
pub(super) struct Wanted {
    pub(super) object: Value,
    /// What is there before.
    pub(super) old: Option<Value>,
    /// `ephemeralcontainers`, or nothing.
    pub(super) subresource: &'static str,
}

/// What serves a purpose; one is enough.
pub(super) fn pods(
    estate: &Estate,
    namespace: &str,
    shape: Shape,
    elsewhere: Option<&str>,
) -> Vec<Wanted> {
    let image = image(estate, namespace, elsewhere);
    let pod = |container: Value, spec: Value| {
        let mut object = tame(namespace, &image);
        put(&mut object, "/spec/containers/0", container);
        put(&mut object, "/spec", spec);
        Wanted {
            object,
            old: None,
            subresource: "",
        }
    };
    let root = || json!({"runAsNonRoot": false, "runAsUser": 0});
    let mount = |path: &str, read_only: bool| {
        pod(
            json!({
                "securityContext": root(),
                "volumeMounts": [{"name": "host", "mountPath": "/host", "readOnly": read_only}],
            }),
            json!({
                "securityContext": root(),
                "volumes": [{"name": "host", "hostPath": {"path": path, "type": ""}}],
            }),
        )
    };
    match shape {
        // As any account of the namespace: what rules say of accounts decides about some.
        Shape::Plain => {
            let any = format!("{OPEN}serviceAccountName");
            vec![pod(
                json!({}),
                json!({"serviceAccountName": any, "serviceAccount": any}),
            )]
        }
        Shape::Node => vec![
            pod(
                json!({"securityContext": privileged()}),
                json!({"securityContext": root()}),
            ),
            mount("/", false),
            mount("/run/containerd/containerd.sock", true),
            pod(
                json!({"securityContext": capable(&["SYS_MODULE"])}),
                json!({"securityContext": root()}),
            ),
            pod(
                json!({"securityContext": capable(&["SYS_PTRACE"])}),
                json!({"securityContext": root(), "hostPID": true}),
            ),
        ],
        Shape::HostNetwork => vec![pod(json!({}), json!({"hostNetwork": true}))],
        Shape::HostPath => vec![mount("/", true), mount("/var/lib/kubelet", true)],
        // A pod that is there is needed: see `debugged`.
        Shape::Privileged => Vec::new(),
    }
}

/// Containers that take the node, each in a pod that a workload has. Its labels are what they are.
pub(super) fn debugged(
    estate: &Estate,
    namespace: &str,
    workload: &Resource,
    elsewhere: Option<&str>,
) -> Vec<Wanted> {
    let Some(holder) = workload.pod_holder() else {
        return Vec::new();
    };
    let image = image(estate, namespace, elsewhere);
    let mut old = written(holder, 0);
    let Some(fields) = old.as_object_mut() else {
        return Vec::new();
    };
    fields.insert("apiVersion".to_owned(), "v1".into());
    fields.insert("kind".to_owned(), "Pod".into());
    let own = workload.name.kind.name() == "Pod";
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("namespace".to_owned(), namespace.into());
        if !own {
            metadata.insert("name".to_owned(), format!("{OPEN}name").into());
        }
    }
    let spec = fields.entry("spec").or_insert_with(|| json!({}));
    set_defaults(spec);
    mount_token(estate, namespace, spec);
    [privileged(), capable(&["SYS_MODULE"])]
        .into_iter()
        .map(|context| {
            let mut object = old.clone();
            let mut container = json!({
                "name": ANY, "image": image, "imagePullPolicy": "Always", "securityContext": context,
            });
            merge(&mut container, container_defaults());
            let at = "/spec/ephemeralContainers";
            match object.pointer_mut(at).and_then(Value::as_array_mut) {
                Some(list) => list.push(container),
                None => put(
                    &mut object,
                    "/spec",
                    json!({"ephemeralContainers": [container]}),
                ),
            }
            Wanted {
                object,
                old: Some(old.clone()),
                subresource: "ephemeralcontainers",
            }
        })
        .collect()
}

fn privileged() -> Value {
    json!({
        "privileged": true, "allowPrivilegeEscalation": true,
        "runAsNonRoot": false, "runAsUser": 0, "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": true,
    })
}

fn capable(names: &[&str]) -> Value {
    json!({
        "runAsNonRoot": false, "runAsUser": 0,
        "capabilities": {"drop": ["ALL"], "add": names},
        "appArmorProfile": {"type": "Unconfined"},
        "readOnlyRootFilesystem": true,
    })
}

/// What the API server and its admission set where nothing is said (kubernetes pkg/apis/core/v1/defaults.go;
/// plugin/pkg/admission/serviceaccount and priority).
fn set_defaults(spec: &mut Value) {
    let Some(fields) = spec.as_object_mut() else {
        return;
    };
    let account = fields
        .get("serviceAccountName")
        .cloned()
        .unwrap_or_else(|| "default".into());
    for (key, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("enableServiceLinks", json!(true)),
        ("securityContext", json!({})),
        ("priority", json!(0)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("tolerations", json!(format!("{OPEN}tolerations"))),
        ("serviceAccountName", account.clone()),
        ("serviceAccount", account),
    ] {
        fields.entry(key).or_insert(value);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = fields.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mut all = container_defaults();
            merge(&mut all, container.take());
            *container = all;
        }
    }
}

/// The token that is mounted where neither the pod nor its account says otherwise.
fn mount_token(estate: &Estate, namespace: &str, spec: &mut Value) {
    const AUTOMOUNT: &str = "automountServiceAccountToken";
    const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let account = spec["serviceAccountName"].as_str();
    let of_account = account
        .and_then(|account| estate.find(namespace, "ServiceAccount", account))
        .and_then(|account| account.object().get(AUTOMOUNT));
    let wanted = spec[AUTOMOUNT]
        .as_bool()
        .or(of_account.and_then(Ref::as_bool));
    let Some(fields) = spec.as_object_mut() else {
        return;
    };
    let there = fields
        .get("containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|container| container.to_string().contains(PATH));
    if there || wanted == Some(false) {
        return;
    }
    let name = format!("{OPEN}name");
    let add = |fields: &mut serde_json::Map<String, Value>, list: &str, item: Value| {
        let list = fields.entry(list).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(item);
        }
    };
    let volume = json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ]}});
    add(fields, "volumes", volume);
    for list in ["containers", "initContainers"] {
        let containers = fields.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                let mount = json!({"name": name, "mountPath": PATH, "readOnly": true});
                add(container, "volumeMounts", mount);
            }
        }
    }
}

fn container_defaults() -> Value {
    json!({
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "resources": {},
    })
}

/// A pod that `restricted` and most rules besides let pass.
fn tame(namespace: &str, image: &str) -> Value {
    let probe = json!({"tcpSocket": {"port": 8080}, "periodSeconds": 10});
    let sizes = json!({"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi"});
    let mut object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": ANY, "namespace": namespace,
            "labels": ANY, "annotations": ANY,
        },
        "spec": {
            "serviceAccountName": ANY,
            "serviceAccount": ANY,
            "automountServiceAccountToken": ANY,
            "enableServiceLinks": ANY,
            "priorityClassName": ANY,
            "priority": ANY,
            "nodeSelector": ANY,
            "tolerations": ANY,
            "topologySpreadConstraints": ANY,
            "affinity": ANY,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [],
            "containers": [{
                "name": ANY, "image": image, "imagePullPolicy": "Always",
                "resources": {"requests": sizes.clone(), "limits": sizes},
                "livenessProbe": probe.clone(), "readinessProbe": probe,
                "volumeMounts": [],
                "securityContext": {
                    "privileged": false, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001,
                    "capabilities": {"drop": ["ALL"]},
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            }],
        },
    });
    if let Some(spec) = object.get_mut("spec") {
        set_defaults(spec);
    }
    object
}

/// Puts values into the map at a place.
fn put(object: &mut Value, at: &str, values: Value) {
    if let Some(own) = object.pointer_mut(at) {
        merge(own, values);
    }
}

/// Puts values into a map; maps are joined.
fn merge(into: &mut Value, values: Value) {
    let (Some(into), Value::Object(values)) = (into.as_object_mut(), values) else {
        return;
    };
    for (key, value) in values {
        match into.get_mut(&key) {
            Some(own) if own.is_object() && value.is_object() => {
                let (Some(own), Value::Object(value)) = (own.as_object_mut(), value) else {
                    continue;
                };
                own.extend(value);
            }
            _ => {
                into.insert(key, value);
            }
        }
    }
}

/// An image that rules let pass: one that runs in the namespace, or anywhere.
fn image(estate: &Estate, namespace: &str, elsewhere: Option<&str>) -> String {
    estate
        .workloads_in(namespace)
        .find_map(|id| image_of(estate.get(id)?))
        .or(elsewhere)
        .unwrap_or(ANY)
        .to_owned()
}

/// The image of some workload.
pub(super) fn any_image(estate: &Estate) -> Option<String> {
    let found = estate
        .workloads()
        .find_map(|id| image_of(estate.get(id)?))?;
    Some(found.to_owned())
}

fn image_of(resource: &Resource) -> Option<&str> {
    resource
        .pod_spec()?
        .get("containers")?
        .items()
        .find_map(|container| container.get("image").and_then(Ref::as_str))
}
