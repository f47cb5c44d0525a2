//! A generated estate: namespaces of teams with workloads that are wrong in every second way, and what
//! surrounds them. The same number makes the same objects.

use serde_json::{Value, json};

/// Objects in an order in which an API server takes them.
pub(crate) fn estate(teams: usize) -> Vec<Value> {
    let mut objects = cluster();
    for team in 0..teams {
        objects.extend(namespace(team));
    }
    objects
}

fn meta(name: &str) -> Value {
    json!({"name": name})
}

/// What belongs to no namespace.
fn cluster() -> Vec<Value> {
    let rbac = "rbac.authorization.k8s.io/v1";
    let admission = "admissionregistration.k8s.io/v1";
    vec![
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": meta("everything"),
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": meta("peek"),
            "rules": [{"apiGroups": [""], "resources": ["events", "endpoints"], "verbs": ["get", "list"]}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": meta("everyone"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "peek"},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": meta("deployer"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "team-0"}]}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta("disk"),
            "provisioner": "disk.csi.azure.com", "parameters": {"skuName": "Premium_LRS"}}),
        json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": meta("kata"), "handler": "kata"}),
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta("important"), "value": 1000}),
        json!({"apiVersion": admission, "kind": "ValidatingWebhookConfiguration", "metadata": meta("gate"),
            "webhooks": [{"name": "gate.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Ignore", "clientConfig": {"service": {"name": "gate", "namespace": "team-0"}},
                "objectSelector": {"matchLabels": {"gate": "closed"}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]}),
        json!({"apiVersion": admission, "kind": "ValidatingAdmissionPolicy", "metadata": meta("no-host-path"),
            "spec": {"failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
                "validations": [{"expression": "true"}]}}),
        json!({"apiVersion": admission, "kind": "ValidatingAdmissionPolicyBinding", "metadata": meta("no-host-path"),
            "spec": {"policyName": "no-host-path", "validationActions": ["Warn"]}}),
    ]
}

/// A team's namespace with everything in it.
fn namespace(team: usize) -> Vec<Value> {
    let name = format!("team-{team}");
    let name = name.as_str();
    let level = ["privileged", "baseline", "restricted"][team % 3];
    let labels = if team.is_multiple_of(2) {
        json!({"pod-security.kubernetes.io/warn": level, "team": name})
    } else {
        json!({})
    };
    let place = |own: &str| json!({"name": own, "namespace": name});
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place("web"), "automountServiceAccountToken": team.is_multiple_of(2)}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place("settings"),
            "data": {"DB_PASSWORD": if team.is_multiple_of(2) { "hunter-of-2-words" } else { "/run/secrets/db" }, "LEVEL": "info"}}),
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": place("limits"),
            "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "100m"}}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": place("default"),
            "spec": {"podSelector": {}, "policyTypes": if team.is_multiple_of(3) { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) }}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": place("web"),
            "spec": {"podSelector": {"matchLabels": {"app": "w0"}},
                "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 53, "protocol": "UDP"}]}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": place("operate"),
            "rules": [{"apiGroups": [""], "resources": [if team.is_multiple_of(2) { "*" } else { "secrets" }], "verbs": ["get", "list", "create"]},
                {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": place("operate"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operate"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": name},
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane@example.com"}]}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": place("data"),
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "disk", "resources": {"requests": {"storage": "1Gi"}}}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": place("web"),
            "spec": {"rules": [{"host": format!("{name}.example.com"), "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "w0", "port": {"number": 80}}}}]}}]}}),
    ];
    if team % 2 == 1 {
        objects.push(json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": place("quota"), "spec": {"hard": {"count/configmaps": "100"}}}));
    }
    for number in 0..8 {
        objects.extend(workload(team, number));
    }
    objects
}

/// A workload of a kind that its number chooses, with what exposes and guards it.
fn workload(team: usize, number: usize) -> Vec<Value> {
    let app = format!("w{number}");
    let app = app.as_str();
    let namespace = format!("team-{team}");
    let place = |name: &str| json!({"name": name, "namespace": namespace});
    let labels = json!({"app": app});
    let template = json!({"metadata": {"labels": labels}, "spec": pod(team, number)});
    let selector = json!({"matchLabels": labels});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("Never");
    let main = match number {
        0 | 1 => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place(app),
            "spec": {"replicas": 2, "selector": selector, "template": template}})
        }
        2 => {
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": place(app),
            "spec": {"replicas": 1, "serviceName": app, "selector": selector, "template": template}})
        }
        3 => {
            json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": place(app),
            "spec": {"selector": selector, "template": template}})
        }
        4 => {
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": place(app), "spec": {"template": once}})
        }
        5 => {
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": place(app),
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": once}}}})
        }
        6 => {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": app, "namespace": namespace, "labels": labels},
            "spec": pod(team, number)})
        }
        _ => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place(app),
            "spec": {"selector": selector, "template": template}})
        }
    };
    let mut objects = vec![main];
    if number.is_multiple_of(2) {
        let kind = ["ClusterIP", "LoadBalancer", "NodePort"][team % 3];
        objects.push(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": place(app),
            "spec": {"type": kind, "selector": labels, "ports": [{"port": 80}]}}),
        );
    }
    if number == 0 {
        objects.push(
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": place(app),
            "spec": {"selector": selector, "minAvailable": if team.is_multiple_of(2) { 2 } else { 1 }}}),
        );
        objects.push(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": place(app),
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": app}, "maxReplicas": 3,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]}}));
    }
    objects
}

/// A pod's spec; each way of being wrong has a digit of its own.
fn pod(team: usize, number: usize) -> Value {
    let seed = team * 8 + number;
    let wrong = |every: usize| seed.is_multiple_of(every);
    let mut container = json!({"name": "app", "image": if wrong(2) { "example.azurecr.io/app:latest" } else {
        "example.azurecr.io/app@sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" }});
    let mut security = json!({"allowPrivilegeEscalation": wrong(3), "readOnlyRootFilesystem": !wrong(4),
        "capabilities": {"drop": ["ALL"]}});
    if wrong(7) {
        security["privileged"] = json!(true);
        security["allowPrivilegeEscalation"] = json!(true);
    }
    if wrong(5) {
        security["capabilities"]["add"] = json!(["NET_ADMIN"]);
    }
    if !wrong(6) {
        container["securityContext"] = security;
    }
    if wrong(3) {
        container["env"] = json!([{"name": "API_TOKEN", "value": "words-that-say-something"},
            {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]);
    }
    if !wrong(2) {
        container["resources"] =
            json!({"limits": {"memory": "64Mi"}, "requests": {"cpu": "10m", "memory": "64Mi"}});
        container["livenessProbe"] = json!({"tcpSocket": {"port": 80}});
        container["readinessProbe"] = json!({"httpGet": {"port": 80, "path": "/"}});
    }
    let mut spec = json!({"containers": [container]});
    if wrong(3) {
        spec["initContainers"] = json!([{"name": "prepare", "image": "docker.io/library/busybox"}]);
    }
    if wrong(4) {
        spec["hostNetwork"] = json!(true);
    }
    if wrong(9) {
        spec["hostPID"] = json!(true);
    }
    if wrong(5) {
        spec["volumes"] = json!([{"name": "logs", "hostPath": {"path": "/var/log"}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 86400}}]}}]);
    }
    if wrong(2) {
        spec["serviceAccountName"] = json!("web");
    }
    if !wrong(4) {
        spec["securityContext"] = json!({"runAsNonRoot": true, "runAsUser": 10_001, "seccompProfile": {"type": "RuntimeDefault"}});
    }
    if wrong(11) {
        spec["automountServiceAccountToken"] = json!(false);
        spec["tolerations"] = json!([{"operator": "Exists"}]);
    }
    spec
}

/// Where an object is created: the collection's path.
pub(crate) fn collection(object: &Value) -> String {
    let api_version = object["apiVersion"].as_str().unwrap();
    let root = if api_version.contains('/') {
        "apis"
    } else {
        "api"
    };
    let kind = object["kind"].as_str().unwrap();
    let plural = match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        "ValidatingAdmissionPolicy" => "validatingadmissionpolicies".to_owned(),
        _ if kind.ends_with("ss") => format!("{}es", kind.to_lowercase()),
        _ => format!("{}s", kind.to_lowercase()),
    };
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/{root}/{api_version}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{api_version}/{plural}"),
    }
}
