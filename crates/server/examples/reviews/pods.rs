//! Reviews of pods, for measurements.

use serde_json::{Value, json};

fn container(number: usize, good: bool) -> Value {
    if !good {
        return json!({
            "name": format!("c{number}"), "image": "web:latest", "ports": [{ "containerPort": 80, "hostPort": 80 }],
            "securityContext": { "privileged": true, "capabilities": { "add": ["SYS_ADMIN"] } }
        });
    }
    json!({
        "name": format!("c{number}"),
        "image": format!("contoso.azurecr.io/shop/web@sha256:{}", "a".repeat(64)),
        "imagePullPolicy": "Always",
        "env": (0..8).map(|n| json!({ "name": format!("SETTING_{n}"), "value": "some value" })).collect::<Vec<_>>(),
        "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
        "securityContext": {
            "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
            "runAsNonRoot": true, "runAsUser": 10001, "capabilities": { "drop": ["ALL"] }
        },
        "resources": {
            "limits": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" },
            "requests": { "memory": "64Mi", "cpu": "100m", "ephemeral-storage": "1Gi" }
        },
        "livenessProbe": { "httpGet": { "path": "/", "port": 8080 } },
        "readinessProbe": { "httpGet": { "path": "/", "port": 8080 } }
    })
}

fn review(containers: usize, good: bool) -> String {
    let containers: Vec<Value> = (0..containers)
        .map(|number| container(number, good))
        .collect();
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "namespace": "shop", "name": "web", "operation": "CREATE",
            "userInfo": { "username": "jane", "groups": ["system:authenticated"] },
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "web", "namespace": "shop", "labels": { "app": "web" } },
                "spec": {
                    "automountServiceAccountToken": false,
                    "serviceAccountName": "web",
                    "securityContext": {
                        "runAsNonRoot": good, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                        "seccompProfile": { "type": "RuntimeDefault" }
                    },
                    "containers": containers,
                    "volumes": [{ "name": "data", "emptyDir": { "sizeLimit": "1Gi" } }]
                }
            },
            "oldObject": null,
            "dryRun": false
        }
    })
    .to_string()
}

/// A pod that follows what it can.
pub(crate) fn good(containers: usize) -> String {
    review(containers, true)
}

/// A pod that follows little.
pub(crate) fn bad(containers: usize) -> String {
    review(containers, false)
}
