//! The pods that an attacker would write.

use model::{Estate, Ref, Resource};
use serde_json::{Value, json};

use super::Shape;

/// A value that the attacker writes as rules want it.
pub(super) const ANY: &str = "\u{1}";

/// A request to make a pod, or to put a container into one.
pub(super) struct Wanted {
    pub(super) object: Value,
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
    let privileged = || {
        json!({
            "privileged": true, "allowPrivilegeEscalation": true,
            "runAsNonRoot": false, "runAsUser": 0, "capabilities": {"drop": ["ALL"]},
        })
    };
    let capable = |names: &[&str]| {
        json!({
            "runAsNonRoot": false, "runAsUser": 0,
            "capabilities": {"drop": ["ALL"], "add": names},
            "appArmorProfile": {"type": "Unconfined"},
        })
    };
    match shape {
        Shape::Plain => vec![pod(json!({}), json!({}))],
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
        Shape::Privileged => [privileged(), capable(&["SYS_MODULE"])]
            .into_iter()
            .map(|context| {
                let mut object = tame(namespace, &image);
                let debugger = json!([{
                    "name": "debugger", "image": image, "securityContext": context,
                }]);
                put(
                    &mut object,
                    "/spec",
                    json!({"ephemeralContainers": debugger}),
                );
                Wanted {
                    object,
                    subresource: "ephemeralcontainers",
                }
            })
            .collect(),
    }
}

/// A pod that `restricted` and most rules besides let pass.
fn tame(namespace: &str, image: &str) -> Value {
    let probe = json!({"tcpSocket": {"port": 8080}, "periodSeconds": 10});
    let sizes = json!({"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi"});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "app", "generateName": "app-", "namespace": namespace,
            "labels": ANY, "annotations": ANY,
        },
        "spec": {
            "serviceAccountName": "app",
            "restartPolicy": "Always",
            "priorityClassName": ANY,
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
                "name": "app", "image": image, "imagePullPolicy": "Always",
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
    })
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
