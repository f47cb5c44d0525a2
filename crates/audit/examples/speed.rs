//! How fast logs are read, learned from and judged, on one thread:
//!
//! ```text
//! cargo run --release -p seawall-audit --example speed -- write FOLDER [EVENTS]
//! cargo run --release -p seawall-audit --example speed -- FILE… [--only read|learn|detect|search] [--repeat N]
//! ```
//!
//! `search` is what no reader can beat: it looks for the bytes of a command in a pod, and for nothing else.
//!
//! `write` makes `raw.jsonl`, events as the API server writes them, and `envelope.jsonl`, the same as AKS's diagnostic
//! settings keep them. The mix is that of a cluster at work: leases and states of nodes, controllers that list, watch
//! and update, reviews of tokens, probes, pods that a controller makes, and few people. Among 200,000 events are 380
//! commands in pods, by 80 users.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use audit::detect::Detector;
use audit::learn::{Learned, Limits};
use audit::{Fold, Losses, Options, Record, Source};
use guide::Guide;
use serde_json::json;

struct Count(u64);

impl Fold for Count {
    fn take(&mut self, _: &Record<'_>) {
        self.0 += 1;
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// What an event of the mix is made of.
#[derive(Default)]
struct Act {
    level: &'static str,
    verb: &'static str,
    user: String,
    groups: Vec<String>,
    agent: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    namespace: String,
    name: String,
    path: &'static str,
    query: String,
    code: u16,
    sent: Option<serde_json::Value>,
    answered: Option<serde_json::Value>,
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<T: Copy>(&mut self, all: &[T], otherwise: T) -> T {
        let at = self.below(all.len() as u64) as usize;
        all.get(at).copied().unwrap_or(otherwise)
    }
}

const KUBELET: &str = "kubelet/v1.34.1 (linux/amd64) kubernetes/93248f9";
const MANAGER: &str = "kube-controller-manager/v1.34.1 (linux/amd64) kubernetes/93248f9";

fn node(dice: &mut Dice) -> Act {
    let node = format!("aks-work-31415926-vmss0000{:02}", dice.below(60));
    Act {
        level: "Request",
        user: format!("system:node:{node}"),
        groups: vec!["system:nodes".into(), "system:authenticated".into()],
        agent: KUBELET,
        name: node,
        code: 200,
        ..Act::default()
    }
}

fn account(namespace: &str, name: &str, agent: &'static str) -> Act {
    Act {
        level: "Request",
        user: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec![
            "system:serviceaccounts".into(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".into(),
        ],
        agent,
        code: 200,
        ..Act::default()
    }
}

fn person(dice: &mut Dice) -> Act {
    Act {
        level: "RequestResponse",
        user: format!("user-{}@contoso.example", dice.below(80)),
        groups: vec![
            "6a1b0c1d-0000-4000-8000-00000000dead".into(),
            "system:authenticated".into(),
        ],
        agent: "kubectl/v1.34.1 (darwin/arm64) kubernetes/93248f9",
        code: 200,
        ..Act::default()
    }
}

/// An operator of a team, one of some hundred.
fn operator(dice: &mut Dice) -> Act {
    let team = dice.below(120);
    let agent = match team % 4 {
        0 => "argocd-application-controller/v0.0.0 (linux/amd64) kubernetes/$Format",
        1 => "cert-manager-controller/v1.18.2 (linux/amd64) cert-manager/1a2b3c4",
        2 => "worker/v0.0.0 (linux/amd64) kubernetes/$Format",
        _ => "Go-http-client/2.0",
    };
    account(&format!("team-{team}"), "worker", agent)
}

fn lease(dice: &mut Dice) -> Act {
    let mut act = node(dice);
    act.verb = dice.of(&["get", "update", "update"], "get");
    act.group = "coordination.k8s.io";
    act.resource = "leases";
    act.namespace = "kube-node-lease".into();
    if act.verb == "update" {
        act.sent = Some(json!({
            "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
            "metadata": {"name": act.name, "namespace": "kube-node-lease", "resourceVersion": dice.below(1 << 40).to_string()},
            "spec": {"holderIdentity": act.name, "leaseDurationSeconds": 40, "renewTime": "2026-11-26T12:00:00.123456Z"},
        }));
    }
    act
}

fn election(dice: &mut Dice) -> Act {
    let mut act = operator(dice);
    act.verb = dice.of(&["get", "update"], "get");
    act.group = "coordination.k8s.io";
    act.resource = "leases";
    act.namespace = act.user.split(':').nth(2).unwrap_or_default().to_owned();
    act.name = "worker-leader".into();
    act
}

fn state(dice: &mut Dice) -> Act {
    let mut act = node(dice);
    act.verb = "patch";
    act.subresource = "status";
    if dice.below(3) == 0 {
        act.resource = "nodes";
    } else {
        act.resource = "pods";
        act.namespace = format!("team-{}", dice.below(120));
        act.name = format!("web-7d9c5b8f6d-{:05x}", dice.below(1 << 20));
    }
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-26T12:00:00Z",
               "reason": "ContainersReady", "message": "containers with \"unready\" status: []"})
    };
    act.sent = Some(json!({
        "metadata": {"uid": "0b0e8a1c-8a2c-4c7e-9d9e-000000000123"},
        "status": {"$setElementOrder/conditions": [{"type": "PodReadyToStartContainers"}, {"type": "Ready"}],
                   "conditions": [condition("Ready"), condition("ContainersReady"), condition("Initialized")],
                   "phase": "Running", "podIP": "10.244.3.17", "podIPs": [{"ip": "10.244.3.17"}]},
    }));
    act
}

fn fetched(dice: &mut Dice) -> Act {
    let mut act = node(dice);
    act.level = "Metadata";
    act.verb = dice.of(&["get", "list", "watch"], "get");
    act.resource = dice.of(&["pods", "configmaps", "secrets", "services"], "pods");
    act.namespace = format!("team-{}", dice.below(120));
    act.name = format!("settings-{}", dice.below(40));
    act.query = "?resourceVersion=0".into();
    act
}

fn controller(dice: &mut Dice) -> Act {
    let name = dice.of(
        &[
            "endpointslice-controller",
            "deployment-controller",
            "horizontal-pod-autoscaler",
            "generic-garbage-collector",
        ],
        "job-controller",
    );
    let mut act = account("kube-system", name, MANAGER);
    let (group, resource, subresource) = dice.of(
        &[
            ("discovery.k8s.io", "endpointslices", ""),
            ("apps", "replicasets", "status"),
            ("apps", "deployments", "status"),
            ("apps", "deployments", "scale"),
            ("", "endpoints", ""),
        ],
        ("", "endpoints", ""),
    );
    (act.group, act.resource, act.subresource) = (group, resource, subresource);
    act.verb = dice.of(&["update", "get", "update", "patch"], "get");
    act.namespace = format!("team-{}", dice.below(120));
    act.name = format!("web-{}", dice.below(40));
    if act.verb != "get" {
        let endpoint = |at: u64| {
            json!({"addresses": [format!("10.244.{at}.17")], "conditions": {"ready": true},
            "nodeName": "aks-work-31415926-vmss000001", "targetRef": {"kind": "Pod", "name": format!("web-{at}")}})
        };
        act.sent = Some(
            json!({"kind": "EndpointSlice", "metadata": {"name": act.name, "labels": {"app": "web"}},
            "endpoints": [endpoint(1), endpoint(2), endpoint(3)], "ports": [{"port": 8080, "protocol": "TCP"}]}),
        );
    }
    act
}

fn look(dice: &mut Dice) -> Act {
    let mut act = operator(dice);
    act.level = "Metadata";
    act.verb = dice.of(&["list", "watch", "get", "get"], "list");
    let (group, resource) = dice.of(
        &[
            ("", "pods"),
            ("", "services"),
            ("apps", "deployments"),
            ("", "configmaps"),
            ("networking.k8s.io", "ingresses"),
        ],
        ("", "pods"),
    );
    (act.group, act.resource) = (group, resource);
    act.namespace = format!("team-{}", dice.below(120));
    if act.verb == "get" {
        act.name = format!("web-{}", dice.below(200));
    }
    act.query = "?limit=500&resourceVersion=0&timeout=30s".into();
    act
}

fn review(dice: &mut Dice) -> Act {
    let mut act = node(dice);
    act.verb = "create";
    act.name = String::new();
    let (group, resource) = dice.of(
        &[
            ("authentication.k8s.io", "tokenreviews"),
            ("authorization.k8s.io", "subjectaccessreviews"),
        ],
        ("authentication.k8s.io", "tokenreviews"),
    );
    (act.group, act.resource) = (group, resource);
    act.code = 201;
    act
}

fn told(dice: &mut Dice) -> Act {
    let mut act = node(dice);
    act.verb = dice.of(&["create", "patch"], "create");
    act.resource = "events";
    act.namespace = format!("team-{}", dice.below(120));
    act.name = format!("web.{:016x}", dice.below(1 << 60));
    act.code = 201;
    act.sent = Some(
        json!({"kind": "Event", "apiVersion": "v1", "metadata": {"name": act.name},
        "involvedObject": {"kind": "Pod", "namespace": act.namespace, "name": "web-7d9c5b8f6d-abcde"},
        "reason": "Unhealthy", "message": "Readiness probe failed: Get \"http://10.244.3.17:8080/ready\": EOF",
        "type": "Warning", "count": 17}),
    );
    act
}

fn probe(dice: &mut Dice) -> Act {
    let mut act = account("kube-system", "metrics-server", "metrics-server/v0.7.2");
    act.level = "Metadata";
    act.verb = "get";
    act.path = dice.of(
        &["/readyz", "/livez", "/openapi/v3", "/apis", "/api"],
        "/readyz",
    );
    if act.path.ends_with('z') {
        act.user = "readinessChecker".into();
        act.groups = vec!["system:masters".into(), "system:authenticated".into()];
        act.agent = "kube-probe/1.34";
    }
    act
}

fn settings(dice: &mut Dice) -> Act {
    let mut act = operator(dice);
    act.verb = dice.of(&["update", "get", "patch"], "get");
    act.resource = "configmaps";
    act.namespace = act.user.split(':').nth(2).unwrap_or_default().to_owned();
    act.name = "worker-state".into();
    if act.verb != "get" {
        act.sent = Some(
            json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": act.name},
            "data": {"state": "{\"cursor\": 4711, \"healthy\": true}", "level": "info"}}),
        );
    }
    act
}

fn pod(dice: &mut Dice) -> Act {
    let mut act = account("kube-system", "replicaset-controller", MANAGER);
    act.level = "RequestResponse";
    act.verb = "create";
    act.resource = "pods";
    act.namespace = format!("team-{}", dice.below(120));
    act.code = 201;
    let container = |name: &str| {
        json!({"name": name, "image": format!("contoso.azurecr.io/shop/{name}@sha256:{:064x}", 4711),
            "env": [{"name": "LEVEL", "value": "info"}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [{"name": "kube-api-access", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
            "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent"})
    };
    let sent = json!({"kind": "Pod", "apiVersion": "v1",
        "metadata": {"generateName": "web-7d9c5b8f6d-", "namespace": act.namespace, "labels": {"app": "web", "pod-template-hash": "7d9c5b8f6d"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d9c5b8f6d", "controller": true}]},
        "spec": {"containers": [container("web"), container("proxy")], "serviceAccountName": "web", "restartPolicy": "Always",
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}}});
    act.answered = Some(sent.clone());
    act.sent = Some(sent);
    act
}

fn secret(dice: &mut Dice) -> Act {
    let mut act = operator(dice);
    act.level = "Metadata";
    act.verb = dice.of(&["get", "get", "watch"], "get");
    act.resource = "secrets";
    act.namespace = act.user.split(':').nth(2).unwrap_or_default().to_owned();
    act.name = dice.of(&["db", "tls"], "db").to_owned();
    act
}

fn shown(dice: &mut Dice) -> Act {
    let mut act = person(dice);
    act.level = "Metadata";
    act.verb = dice.of(&["get", "list"], "get");
    act.resource = dice.of(&["pods", "deployments", "services"], "pods");
    act.group = if act.resource == "deployments" {
        "apps"
    } else {
        ""
    };
    act.namespace = format!("team-{}", dice.below(120));
    if dice.below(40) == 0 {
        act.code = 403;
    }
    act
}

fn exec(dice: &mut Dice) -> Act {
    let mut act = person(dice);
    act.verb = "get";
    act.resource = "pods";
    act.subresource = "exec";
    act.namespace = format!("team-{}", dice.below(120));
    act.name = "web-7d9c5b8f6d-abcde".into();
    act.query = "?command=ls&command=-l&container=web&stdin=true&stdout=true&tty=true".into();
    act.code = 101;
    act
}

/// How often something is done, and what it is.
type Share = (u64, fn(&mut Dice) -> Act);

/// What there is of each among a thousand.
const MIX: [Share; 13] = [
    (240, lease),
    (60, election),
    (120, state),
    (100, fetched),
    (110, controller),
    (120, look),
    (90, review),
    (50, told),
    (60, probe),
    (20, settings),
    (12, pod),
    (10, secret),
    (8, shown),
];

fn act(number: u64, dice: &mut Dice) -> Act {
    // 380 of 200,000.
    if number % 526 == 17 {
        return exec(dice);
    }
    let mut roll = dice.below(1000);
    for (share, make) in MIX {
        if roll < share {
            return make(dice);
        }
        roll -= share;
    }
    lease(dice)
}

fn event(number: u64, dice: &mut Dice) -> String {
    let act = act(number, dice);
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut uri = match (act.path, act.group) {
        ("", "") => "/api/v1".to_owned(),
        ("", group) => format!("/apis/{group}/v1"),
        (path, _) => path.to_owned(),
    };
    if act.path.is_empty() {
        if !act.namespace.is_empty() {
            uri.push_str(&format!("/namespaces/{}", act.namespace));
        }
        for part in [act.resource, &act.name, act.subresource] {
            if !part.is_empty() {
                uri.push('/');
                uri.push_str(part);
            }
        }
    }
    uri.push_str(&act.query);
    let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
    let time = format!("2026-11-26T{hour:02}:{minute:02}:{second:02}");
    let groups = json!(act.groups);
    let mut text = format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"{}\",\
         \"auditID\":\"6f1c2a3e-77aa-4b6e-9c41-{number:012}\",\"stage\":\"ResponseComplete\",\"requestURI\":{},\
         \"verb\":\"{}\",\"user\":{{\"username\":{},\"uid\":\"0b0e8a1c-8a2c-4c7e-9d9e-000000000123\",\
         \"groups\":{groups},\"extra\":{{\"authentication.kubernetes.io/credential-id\":\
         [\"JTI=6f1c2a3e-77aa-4b6e-9c41-{:012}\"]}}}},\"sourceIPs\":[\"10.224.0.{}\"],\"userAgent\":{}",
        act.level,
        quoted(&uri),
        act.verb,
        quoted(&act.user),
        // A token lives for an hour.
        number / 3600,
        dice.below(60) + 4,
        quoted(act.agent),
    );
    if act.path.is_empty() {
        text.push_str(&format!(
            ",\"objectRef\":{{\"resource\":\"{}\"",
            act.resource
        ));
        for (key, value) in [
            ("namespace", act.namespace.as_str()),
            ("name", &act.name),
            ("apiGroup", act.group),
            ("apiVersion", "v1"),
            ("subresource", act.subresource),
        ] {
            if !value.is_empty() {
                text.push_str(&format!(",\"{key}\":{}", quoted(value)));
            }
        }
        text.push('}');
    }
    text.push_str(&format!(
        ",\"responseStatus\":{{\"metadata\":{{}},\"code\":{}}}",
        act.code
    ));
    for (key, value) in [
        ("requestObject", &act.sent),
        ("responseObject", &act.answered),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(",\"{key}\":{value}"));
        }
    }
    let decision = if act.code == 403 { "forbid" } else { "allow" };
    let reason = "RBAC: allowed by RoleBinding \"worker/shop\" of Role \"worker\" to ServiceAccount \"worker/shop\"";
    text.push_str(&format!(
        ",\"requestReceivedTimestamp\":\"{time}.123456Z\",\"stageTimestamp\":\"{time}.223456Z\",\"annotations\":\
         {{\"authorization.k8s.io/decision\":\"{decision}\",\"authorization.k8s.io/reason\":{}}}}}",
        quoted(reason)
    ));
    text
}

fn write(folder: &Path, events: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = |name: &str| std::fs::File::create(folder.join(name)).map(std::io::BufWriter::new);
    let (mut raw, mut envelope) = (file("raw.jsonl")?, file("envelope.jsonl")?);
    let mut dice = Dice(42);
    for number in 0..events {
        let event = event(number, &mut dice);
        writeln!(raw, "{event}")?;
        let log = serde_json::Value::from(event.as_str());
        writeln!(
            envelope,
            "{{\"category\":\"kube-audit\",\"operationName\":\
             \"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read\",\"properties\":{{\"log\":{log},\
             \"containerID\":\"0123456789abcdef\",\"stream\":\"stdout\",\"pod\":\"kube-apiserver-0\"}},\
             \"resourceId\":\"/SUBSCRIPTIONS/0/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/\
             MANAGEDCLUSTERS/X\",\"serviceBuild\":\"na\",\"time\":\"2026-11-26T23:59:59.999999999Z\"}}"
        )?;
    }
    raw.flush()?;
    envelope.flush()
}

/// Seconds of processor time of this thread (Linux), which do not hang on what else the machine does.
fn cpu() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    Ok(nanoseconds.unwrap_or_default() / 1e9)
}

/// How many lines have the bytes of a command in them.
fn search(path: &Path) -> std::io::Result<usize> {
    let finders = [r#""subresource":"exec""#, r#"\"subresource\":\"exec\""#]
        .map(|text| memchr::memmem::Finder::new(text).into_owned());
    let mut file = std::fs::File::open(path)?;
    let mut bytes = Vec::with_capacity(1 << 20);
    let mut found = 0;
    loop {
        let more = std::io::Read::by_ref(&mut file)
            .take(1 << 20)
            .read_to_end(&mut bytes)?;
        let whole = memchr::memrchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1);
        let part = bytes.get(..whole).unwrap_or_default();
        found += finders
            .iter()
            .map(|finder| finder.find_iter(part).count())
            .sum::<usize>();
        bytes.drain(..whole);
        if more == 0 {
            return Ok(found);
        }
    }
}

fn measured(
    what: &str,
    source: &Source,
    detector: &Detector<'_>,
) -> std::io::Result<(f64, Losses, usize)> {
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let sources = std::slice::from_ref(source);
    let begin = cpu()?;
    if let ("search", Source::File(path)) = (what, source) {
        let found = search(path)?;
        return Ok(((cpu()? - begin).max(1e-3), Losses::default(), found));
    }
    let (losses, found) = match what {
        "read" => audit::read(sources, options, || Count(0)).map(|(_, losses)| (losses, 0)),
        "learn" => audit::read(sources, options, || Learned::new(Limits::default()))
            .map(|(learned, losses)| (losses, learned.identities().len())),
        _ => audit::read(sources, options, || detector.start())
            .map(|(state, losses)| (losses, state.finish(None).alerts.len())),
    }
    .map_err(std::io::Error::other)?;
    Ok(((cpu()? - begin).max(1e-3), losses, found))
}

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    if word(0) == "write" {
        let events = word(2).parse().unwrap_or(200_000);
        return write(Path::new(word(1)), events);
    }
    let after = |name: &str| {
        let at = words.iter().position(|own| own == name)?;
        words.get(at + 1).cloned()
    };
    let only = after("--only");
    let repeat: usize = after("--repeat")
        .and_then(|word| word.parse().ok())
        .unwrap_or(1);
    let (guide, _) = Guide::builtin();
    let setting = guide::setting::setting(&guide, None, None)
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    let detector = Detector::new(&guide, &setting, |_| true);
    let mut out = std::io::stdout().lock();
    let files = words
        .iter()
        .take_while(|word| !word.starts_with("--"))
        .map(PathBuf::from);
    for path in files {
        let size = std::fs::metadata(&path)?.len();
        let source = Source::File(path.clone());
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        for what in ["read", "learn", "detect", "search"] {
            if only.as_deref().is_some_and(|only| only != what) {
                continue;
            }
            let mut best: Option<(f64, Losses, usize)> = None;
            for _ in 0..repeat {
                let run = measured(what, &source, &detector)?;
                if best.as_ref().is_none_or(|best| run.0 < best.0) {
                    best = Some(run);
                }
            }
            let Some((seconds, losses, found)) = best else {
                continue;
            };
            writeln!(
                out,
                "{name:16} {what:6} {:8} events {found:6} found {seconds:6.3} s {:9.0} events/s {:6.3} GB/s",
                losses.events,
                losses.events as f64 / seconds,
                size as f64 / seconds / 1e9
            )?;
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
