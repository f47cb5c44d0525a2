//! Workloads that nobody wrote: what is in them is thrown with dice that fall the same way in every run, from values that
//! guidelines care about.

#![expect(
    clippy::indexing_slicing,
    reason = "values of JSON are made by indexing, and tests fail by panicking"
)]

use serde_json::{Value, json};

/// Settings under which most of what is thrown matters to some guideline.
pub const PARAMS: &str = "{registries: [example.azurecr.io], containerMemoryMaximum: 2Gi, servicePorts: [443], \
     untrustedLabels: {tenancy: untrusted}, untrustedPodLabels: {code: untrusted}, tierLabel: tier}";

/// Numbers that are the same in every run (splitmix64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Other numbers for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of the numbers below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn one(&mut self, all: &Value) -> Value {
        let all = all.as_array().map_or(&[][..], Vec::as_slice);
        let at = self.roll(all.len().max(1));
        all.get(at).cloned().unwrap_or_default()
    }

    /// A map with some of the keys, each with one of its values.
    fn some(&mut self, of: &Value, chance: usize) -> Value {
        let mut map = serde_json::Map::new();
        for (key, values) in of.as_object().into_iter().flatten() {
            if self.roll(100) < chance {
                map.insert(key.clone(), self.one(values));
            }
        }
        map.into()
    }
}

fn security() -> Value {
    json!({
        "runAsNonRoot": [true, false],
        "runAsUser": [0, 1000, 20000],
        "runAsGroup": [0, 1000, 20000],
        "seccompProfile": [{"type": "RuntimeDefault"}, {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "a.json"}],
        "seLinuxOptions": [{"type": "container_t"}, {"type": "spc_t"}, {"user": "system_u"}, {"level": "s0"}],
        "appArmorProfile": [{"type": "RuntimeDefault"}, {"type": "Unconfined"}],
    })
}

fn container(dice: &mut Dice, name: &str, mounts: &[String]) -> Value {
    let images = json!([
        "example.azurecr.io/web:1",
        "example.azurecr.io/web:latest",
        "web",
        "web:2",
        "k8s.gcr.io/pause:3.2",
        "other.azurecr.io/web@sha256:2222222222222222222222222222222222222222222222222222222222222222",
        "example.azurecr.io/web:1@sha256:2222222222222222222222222222222222222222222222222222222222222222"
    ]);
    let mut container = dice.some(
        &json!({
            "imagePullPolicy": ["Always", "IfNotPresent", "Never"],
            "command": [["sh", "-c", "run"], ["sudo", "run"], ["/usr/bin/sudo"], []],
            "args": [["--debug"], ["sudo"], ["--password=hunter2"]],
            "ports": [[{"containerPort": 8080}], [{"containerPort": 8080, "hostPort": 8080}], [{"containerPort": 22}], [{"containerPort": 80, "name": "http"}]],
            "env": [[{"name": "MODE", "value": "x"}], [{"name": "PASSWORD", "value": "hunter2hunter2"}],
                [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "k", "key": "k"}}}], [{"name": "GITSYNC_GIT", "value": "/x"}]],
            "envFrom": [[{"secretRef": {"name": "s"}}], [{"configMapRef": {"name": "c"}}]],
            "resources": [{}, {"limits": {"memory": "1Gi"}}, {"limits": {"memory": "4Gi", "cpu": "1"}}, {"requests": {"memory": "64Mi", "cpu": "100m"}},
                {"requests": {"memory": "64Mi", "cpu": "100m"}, "limits": {"memory": "64Mi"}}],
            "lifecycle": [{"preStop": {"httpGet": {"host": "10.0.0.1", "port": 80}}}, {"preStop": {"exec": {"command": ["true"]}}}],
            "workingDir": ["/", "/app"],
            "stdin": [true, false],
        }),
        30,
    );
    container["name"] = name.into();
    container["image"] = dice.one(&images);
    let mut own = security();
    for (key, values) in json!({
        "privileged": [true, false],
        "allowPrivilegeEscalation": [true, false, false],
        "readOnlyRootFilesystem": [true, false],
        "capabilities": [{"drop": ["ALL"]}, {"add": ["NET_ADMIN"]}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, {"add": ["CHOWN"]}, {"drop": ["NET_RAW"]}, {}],
        "procMount": ["Default", "Unmasked"],
        "windowsOptions": [{"hostProcess": false}, {"runAsUserName": "ContainerAdministrator"}],
    })
    .as_object()
    .into_iter()
    .flatten()
    {
        own[key] = values.clone();
    }
    if dice.roll(10) > 1 {
        container["securityContext"] = dice.some(&own, 35);
    }
    let used: Vec<Value> = mounts
        .iter()
        .filter(|_| dice.roll(2) == 0)
        .map(|volume| json!({"name": volume, "mountPath": format!("/{volume}")}))
        .collect();
    if !used.is_empty() {
        container["volumeMounts"] = used.into();
    }
    container
}

fn spec(dice: &mut Dice) -> Value {
    let mut pod_security = security();
    pod_security["sysctls"] = json!([[{"name": "net.ipv4.tcp_syncookies", "value": "1"}], [{"name": "kernel.msgmax", "value": "1"}], []]);
    pod_security["fsGroup"] = json!([0, 1000]);
    pod_security["supplementalGroups"] = json!([[0], [1000], []]);
    let mut spec = dice.some(
        &json!({
            "hostPID": [true, false],
            "hostIPC": [true, false],
            "hostNetwork": [true, false],
            "hostUsers": [true, false],
            "shareProcessNamespace": [true, false],
            "automountServiceAccountToken": [true, false],
            "serviceAccountName": ["default", "web"],
            "imagePullSecrets": [[{"name": "pull"}], []],
            "nodeName": ["node-1"],
            "nodeSelector": [{"tier": "confidential"}, {"kubernetes.io/os": "linux"}],
            "runtimeClassName": ["kata-vm-isolation", "runc"],
            "priorityClassName": ["system-node-critical", "shop"],
            "enableServiceLinks": [true, false],
            "tolerations": [[{"operator": "Exists"}], [{"key": "CriticalAddonsOnly", "operator": "Exists"}], [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}], []],
            "dnsPolicy": ["Default", "ClusterFirst"],
        }),
        15,
    );
    if dice.roll(3) > 0 {
        spec["securityContext"] = dice.some(&pod_security, 30);
    }
    let kinds = json!([
        {"hostPath": {"path": "/"}}, {"hostPath": {"path": "/var/run/docker.sock"}}, {"hostPath": {"path": "/run/containerd/containerd.sock", "type": "Socket"}},
        {"hostPath": {"path": "/var/log"}}, {"emptyDir": {}}, {"emptyDir": {"medium": "Memory"}}, {"secret": {"secretName": "s"}}, {"configMap": {"name": "c"}},
        {"persistentVolumeClaim": {"claimName": "d"}}, {"nfs": {"server": "10.0.0.4", "path": "/"}}, {"azureDisk": {"diskName": "d", "diskURI": "/d"}},
        {"csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true, "volumeAttributes": {"secretProviderClass": "c"}}}, {"csi": {"driver": "inline.example.com"}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 86400}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600, "audience": "vault"}}, {"configMap": {"name": "kube-root-ca.crt"}}]}},
        {"projected": {}}, {"downwardAPI": {}}, {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
    ]);
    let mut names = Vec::new();
    let mut volumes = Vec::new();
    for number in 0..dice.roll(4) {
        let mut volume = dice.one(&kinds);
        volume["name"] = format!("v{number}").into();
        names.push(format!("v{number}"));
        volumes.push(volume);
    }
    if !volumes.is_empty() {
        spec["volumes"] = volumes.into();
    }
    let containers: Vec<Value> = (0..=dice.roll(3))
        .map(|number| container(dice, &format!("c{number}"), &names))
        .collect();
    spec["containers"] = containers.into();
    if dice.roll(3) == 0 {
        let mut first = container(dice, "first", &names);
        if dice.roll(2) == 0 {
            first["restartPolicy"] = "Always".into();
        }
        if let Some(first) = first.as_object_mut() {
            first.remove("lifecycle");
        }
        spec["initContainers"] = json!([first]);
    }
    spec
}

/// What the API server itself fills in before policies judge, and no file says: a port of the node for each port of a
/// pod in the node's network (`SetDefaults_HostNetworkPorts`, `k8s.io/kubernetes/pkg/apis/core/v1/defaults.go`).
fn filled_in(spec: &mut Value) {
    if spec["hostNetwork"] != true {
        return;
    }
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            for port in container["ports"].as_array_mut().into_iter().flatten() {
                port["hostPort"] = port["containerPort"].clone();
            }
        }
    }
}

/// A Pod, Deployment or CronJob with this number.
pub fn object(dice: &mut Dice, number: usize, namespace: &str) -> Value {
    let mut spec = spec(dice);
    filled_in(&mut spec);
    let mut metadata = dice.some(
        &json!({
            "labels": [{"app": "web"}, {"app": "web", "code": "untrusted"}, {"sidecar.istio.io/inject": "false"}],
            "annotations": [{"container.apparmor.security.beta.kubernetes.io/c0": "unconfined"}, {"sidecar.istio.io/inject": "false"}, {"note": "x"}],
        }),
        40,
    );
    metadata["labels"]["app"] = "web".into();
    // The API server makes a field of it before policies judge (`applyAppArmorVersionSkew`,
    // `k8s.io/kubernetes/pkg/registry/core/pod/strategy.go`): a context that no file declares.
    let armor = "container.apparmor.security.beta.kubernetes.io/c0";
    let annotated = metadata["annotations"].get(armor).is_some();
    let context = spec["containers"][0]["securityContext"].as_object();
    if annotated && context.is_none_or(serde_json::Map::is_empty) {
        metadata["annotations"] = json!({});
    }
    let name = json!({"name": format!("m{number}"), "namespace": namespace});
    let template = json!({"metadata": metadata, "spec": spec});
    match dice.roll(4) {
        0 => json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name,
            "spec": {"replicas": dice.roll(3), "selector": {"matchLabels": {"app": "web"}}, "template": template}}),
        1 => {
            let mut template = template;
            template["spec"]["restartPolicy"] = "Never".into();
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": name,
                "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}})
        }
        _ => {
            metadata["name"] = name["name"].clone();
            metadata["namespace"] = namespace.into();
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
        }
    }
}
