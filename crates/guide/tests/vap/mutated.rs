//! Pods that nobody wrote, in namespaces that say what is done in them: the API server and seawall
//! say the same of each. `SEAWALL_VAP_PODS=10000` makes more of them.

use std::collections::{BTreeMap, BTreeSet};

use guide::export::{ConfigMap, Enforce, NAMESPACE_LABEL, Options, vap};
use guide::guideline::Applies;
use guide::setting::{newest_minor, setting};
use guide::{Guide, Guideline};
use serde_json::{Value, json};

use crate::cluster::{Cluster, objects};
use crate::examples::SERVER;
use crate::said::{id, say};

const PARAMS: &str = "{registries: [example.azurecr.io], containerMemoryMaximum: 2Gi, servicePorts: [443], \
     untrustedLabels: {tenancy: untrusted}, untrustedPodLabels: {code: untrusted}, tierLabel: tier}";

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn one(&mut self, all: &Value) -> Value {
        let all = all.as_array().unwrap();
        all[self.roll(all.len())].clone()
    }

    /// A map with some of the keys, each with one of its values.
    fn some(&mut self, of: &Value, chance: usize) -> Value {
        let mut map = serde_json::Map::new();
        for (key, values) in of.as_object().unwrap() {
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
    .unwrap()
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
        first.as_object_mut().unwrap().remove("lifecycle");
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

fn object(dice: &mut Dice, number: usize, namespace: &str) -> Value {
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
    if annotated && spec["containers"][0]["securityContext"].is_null() {
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

/// What policies of a namespace do: none, one for each guideline that fails, or a refusal.
const SAYS: [(&str, Option<&str>); 5] = [
    ("silent", None),
    ("warns", Some("warn")),
    ("audits", Some("audit")),
    ("refuses", Some("deny")),
    ("left-alone", Some("off")),
];

/// Warnings of more than 4096 characters are dropped (`k8s.io/apiserver/pkg/endpoints/filters/warning.go`),
/// so that policies are asked in parts.
const PARTS: usize = 12;

/// The guidelines that warn of an object.
fn warn(cluster: &Cluster, object: &Value) -> BTreeSet<String> {
    let answers = (0..PARTS).map(|part| cluster.judge(object, &format!("part-{part}")).unwrap());
    let policies = answers.flat_map(|answer| {
        assert_eq!(answer.status, 201, "{:#}", answer.body);
        answer.policies
    });
    policies
        .filter_map(|(policy, text)| {
            assert!(
                !text.contains("does not follow") && !text.contains("error:"),
                "{policy}: {text}"
            );
            Some(policy.strip_prefix("seawall-")?.to_owned())
        })
        .collect()
}

#[test]
fn mutated_pods_are_judged_alike() {
    let count = std::env::var("SEAWALL_VAP_PODS").map_or(250, |text| text.parse().unwrap());
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let about: Vec<&Guideline> = deploy(&guide, &cluster);
    let mut dice = Dice(7);
    let (mut judged, mut refused, mut failing, mut wrong) = (0, 0, 0, Vec::new());
    for number in 0..count {
        let (namespace, word) = SAYS[dice.roll(SAYS.len())];
        let object = object(&mut dice, number, namespace);
        let answer = cluster.judge(&object, "all").unwrap();
        let message = answer.body["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if answer.status != 201 && !message.contains("ValidatingAdmissionPolicy") {
            refused += 1;
            continue;
        }
        judged += 1;
        let theirs = if matches!(word, None | Some("warn")) {
            warn(&cluster, &object)
        } else {
            BTreeSet::new()
        };
        let ours = fails(&guide, &about, &object);
        failing += ours.len();
        let all: BTreeSet<String> = ours.keys().map(|id| (*id).to_owned()).collect();
        let expected = match word {
            None | Some("warn") => all.clone(),
            _ => BTreeSet::new(),
        };
        let wanted = if word == Some("deny") && !all.is_empty() {
            422
        } else {
            201
        };
        if theirs != expected || answer.status != wanted {
            wrong.push(format!(
                "{} in {namespace}: {} {message}\n  only the server: {:?}\n  only seawall: {:?}\n  {object}",
                object["kind"],
                answer.status,
                theirs.difference(&expected).collect::<Vec<_>>(),
                expected.difference(&theirs).collect::<Vec<_>>(),
            ));
        }
    }
    for line in wrong.iter().take(20) {
        println!("{line}");
    }
    println!(
        "{judged} objects judged by {} policies ({refused} are none that Kubernetes takes), {failing} fails, {} judged otherwise",
        about.len(),
        wrong.len()
    );
    assert!(judged * 2 > count, "{judged}");
    assert!(wrong.is_empty());
}

/// All policies about workloads, with the label and with settings in a ConfigMap.
fn deploy<'g>(guide: &'g Guide, cluster: &Cluster) -> Vec<&'g Guideline> {
    let setting = setting(guide, Some(PARAMS), None).unwrap();
    let options = Options {
        server_minor: SERVER,
        enforce: Some(Enforce::Warn),
        namespace_label: Some(NAMESPACE_LABEL),
        settings: Some(ConfigMap {
            namespace: "kube-system",
            name: "seawall-settings",
        }),
        ..Options::default()
    };
    let workloads =
        |guideline: &Guideline| guideline.applies == Applies::Workload && !guideline.needs.joined;
    let export = vap(guide, &setting, options, workloads);
    let texts = export.beside.iter().map(|beside| &beside.text);
    let mut parts = 0;
    for text in texts.chain(export.policies.iter().map(|policy| &policy.text)) {
        for mut object in objects(text) {
            let asked = object["metadata"]["labels"]["seawall.dev/guideline"].is_string()
                && object["kind"] == "ValidatingAdmissionPolicy";
            if asked {
                let part = parts % PARTS;
                parts += 1;
                let condition = json!({"name": "asked", "expression":
                    format!("request.options.?fieldManager.orValue(\"\") in [\"all\", \"part-{part}\"]")});
                object["spec"]["matchConditions"]
                    .as_array_mut()
                    .unwrap()
                    .push(condition);
            }
            cluster.create(&cluster.path(&object).unwrap(), &object);
        }
    }
    for (namespace, word) in SAYS {
        cluster.namespace(
            namespace,
            word.map(|word| json!({NAMESPACE_LABEL: word})).as_ref(),
        );
    }
    cluster.settle("all-made");
    let ids = export.policies.iter();
    ids.filter_map(|policy| guide.guideline(&policy.guideline.0))
        .collect()
}

/// The guidelines that an object fails, by seawall, with what they say.
fn fails<'g>(
    guide: &Guide,
    about: &[&'g Guideline],
    object: &Value,
) -> BTreeMap<&'g str, BTreeSet<String>> {
    let key = id(object);
    let mut found = BTreeMap::new();
    for guideline in about {
        let mut said = say(
            guide,
            guideline,
            std::slice::from_ref(object),
            Some(PARAMS),
            newest_minor(guide),
        )
        .unwrap();
        let said = said.remove(&key).unwrap_or_default();
        if !said.fails.is_empty() {
            found.insert(&*guideline.id.0, said.fails);
        }
    }
    found
}

/// The API server counts what an expression costs, and refuses when it is too much.
#[test]
fn a_large_pod_is_not_too_dear() {
    let (guide, _) = Guide::builtin();
    let cluster = Cluster::start();
    let about = deploy(&guide, &cluster);
    let volumes: Vec<Value> = (0..40)
        .map(|number| json!({"name": format!("v{number}"), "emptyDir": {}}))
        .collect();
    let containers: Vec<Value> = (0..40)
        .map(|number| {
            let env: Vec<Value> = (0..40).map(|at| json!({"name": format!("VARIABLE_{at}"), "value": "value ".repeat(10)})).collect();
            let mounts: Vec<Value> = (0..20).map(|at| json!({"name": format!("v{at}"), "mountPath": format!("/m/{at}")})).collect();
            let ports: Vec<Value> = (0..10).map(|at| json!({"containerPort": 8000 + 10 * number + at})).collect();
            json!({"name": format!("c{number}"), "image": "example.azurecr.io/shop/some/long/name/web:1.2.3", "env": env,
                "volumeMounts": mounts, "ports": ports, "args": ["--a", "--b", "--c"],
                "securityContext": {"capabilities": {"add": ["NET_ADMIN", "CHOWN", "KILL"]}}})
        })
        .collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "large", "namespace": "silent"},
        "spec": {"containers": containers, "volumes": volumes}});
    let theirs = warn(&cluster, &pod);
    let ours = fails(&guide, &about, &pod);
    let ours: BTreeSet<String> = ours.keys().map(|id| (*id).to_owned()).collect();
    assert_eq!(theirs, ours);
    assert!(theirs.len() > 10, "{theirs:?}");
}
