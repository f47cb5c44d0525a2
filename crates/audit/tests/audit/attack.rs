//! A break-in, written down by a real API server, among a day's noise: every act is found; and again with records
//! cut as AKS cuts them and padded so that what matters is gone: found, or said to be unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use audit::detect::{Alert, Detections, Detector, Outcome, Verdict};
use audit::{Fold, Kept, Losses, Options, Record, Source, input};
use guide::Guide;
use guide::setting::setting;
use oracle::ApiServer;
use serde_json::{Value, json};

/// How many bytes of a record AKS keeps (Azure/AKS#4635).
const KEPT: usize = 16 << 10;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const CSRS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// How an attacker makes records longer than what is kept.
#[derive(Clone, Copy, PartialEq)]
enum Padding {
    None,
    /// An annotation, which stands before what matters in the object.
    Body,
    /// The query of the path, which stands before everything.
    Path,
}

/// What is done, and the detection that must say so.
type Act = &'static str;

/// One who does the acts, each time under other names.
struct Attacker<'s> {
    server: &'s ApiServer,
    padding: Padding,
    suffix: &'static str,
}

impl Attacker<'_> {
    fn ask(
        &self,
        token: &str,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> u16 {
        let mut path = path.to_owned();
        let mut body = body;
        if self.padding == Padding::Path {
            let between = if path.contains('?') { '&' } else { '?' };
            let _ = write!(path, "{between}pad={}", "x".repeat(KEPT));
        }
        if self.padding == Padding::Body
            && let Some(map) = body.as_mut().and_then(Value::as_object_mut)
        {
            let metadata = map.entry("metadata").or_insert_with(|| json!({}));
            metadata["annotations"] = json!({"a": "x".repeat(KEPT)});
        }
        let mut all = vec![(
            "user-agent",
            "kubectl/v1.34.2 (linux/amd64) kubernetes/8cc511e",
        )];
        all.extend(headers);
        let answer = self
            .server
            .request_with(token, &all, method, &path, body.as_ref());
        answer.map_or(0, |(status, _)| status)
    }

    fn mallory(&self, method: &str, path: &str, body: Option<Value>) -> u16 {
        self.ask(self.server.token_of("mallory"), &[], method, path, body)
    }

    fn pod(&self, name: &str, privileged: bool) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "nodeName": "aks-1",
                "containers": [{
                    "name": "app",
                    "image": "example.azurecr.io/web:1",
                    "securityContext": {"privileged": privileged},
                }],
            },
        })
    }

    /// Does everything; gives the detections that must speak.
    fn act(&self) -> Vec<Act> {
        let named = |name: &str| format!("{name}-{}", self.suffix);
        let namespace = named("shop");
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let made = |status: u16| assert!(status == 201 || status == 200, "{status}");
        made(self.mallory("POST", "/api/v1/namespaces", Some(json!({
            "metadata": {"name": namespace, "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        }))));
        made(self.mallory("POST", &pods, Some(self.pod("root", true))));
        let binding = json!({
            "metadata": {"name": named("own")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}],
        });
        made(self.mallory(
            "POST",
            &format!("{RBAC}/clusterrolebindings"),
            Some(binding),
        ));
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        made(self.mallory(
            "POST",
            &accounts,
            Some(json!({"metadata": {"name": "web"}})),
        ));
        let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [], "expirationSeconds": 3600}});
        made(self.mallory("POST", &format!("{accounts}/web/token"), Some(token)));
        // The handshake of a WebSocket; the kubelet behind it need not be there for the answer 101.
        let upgrade = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "v5.channel.k8s.io"),
        ];
        let exec = format!("{pods}/root/exec?command=cat&command=/etc/shadow&stdout=true");
        self.ask(
            self.server.token_of("mallory"),
            &upgrade,
            "GET",
            &exec,
            None,
        );
        let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "example.azurecr.io/tools:1"}]}});
        made(self.mallory(
            "PATCH",
            &format!("{pods}/root/ephemeralcontainers"),
            Some(debugger),
        ));
        for path in [
            "pods",
            "secrets",
            "nodes",
            "namespaces",
            "services",
            "configmaps",
        ] {
            self.ask("", &[], "GET", &format!("/api/v1/{path}"), None);
        }
        made(self.mallory("POST", &format!("{ADMISSION}/mutatingwebhookconfigurations"), Some(json!({
            "metadata": {"name": named("inject")},
            "webhooks": [{
                "name": "inject.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "clientConfig": {"url": "https://127.0.0.1:1/inject"},
                "rules": [{"apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["none"]}],
            }],
        }))));
        let (request, _) = oracle::certificate_request("admin", "system:masters-no-more").unwrap();
        let name = named("own");
        let csr = json!({
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {"request": request, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]},
        });
        made(self.mallory("POST", CSRS, Some(csr)));
        let approved = json!({"status": {"conditions": [{
            "type": "Approved", "status": "True", "reason": "Mine", "message": "",
        }]}});
        made(self.mallory("PATCH", &format!("{CSRS}/{name}/approval"), Some(approved)));
        made(self.mallory("GET", "/api/v1/secrets", None));
        let as_admin = [
            ("impersonate-user", "admin"),
            ("impersonate-group", "system:masters"),
        ];
        made(self.ask(
            self.server.token_of("mallory"),
            &as_admin,
            "GET",
            "/api/v1/nodes",
            None,
        ));
        self.mallory("GET", "/api/v1/nodes/aks-1/proxy/pods", None);
        made(self.mallory(
            "DELETE",
            &format!("/api/v1/namespaces/{namespace}/events"),
            None,
        ));
        vec![
            "namespace-guard-lowered",
            "workload-fails-guide",
            "rbac-cluster-admin-bound",
            "token-requested",
            "exec-into-pod",
            "exec-credentials",
            "ephemeral-container",
            "anonymous-probing",
            "admission-tampered",
            "certificate-requested",
            "secrets-listed",
            "impersonation-of-privileged",
            "node-proxy-used",
            "events-deleted",
            "rbac-then-workload",
        ]
    }
}

/// The lines that the server wrote of an attack.
fn attacked(server: &ApiServer, padding: Padding, suffix: &'static str) -> (Vec<String>, Vec<Act>) {
    let before = fs::read_to_string(server.audit_log())
        .unwrap()
        .lines()
        .count();
    let acts = Attacker {
        server,
        padding,
        suffix,
    }
    .act();
    let text = fs::read_to_string(server.audit_log()).unwrap();
    // What the server does by itself at the same time is part of the log.
    (text.lines().skip(before).map(str::to_owned).collect(), acts)
}

/// What goes on in a cluster all day: `number` of `all`.
fn noise(number: u64, all: u64) -> String {
    let second = number * 86_400 / all;
    let at = format!(
        "2026-11-26T{:02}:{:02}:{:02}.{:06}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        number % 1_000_000
    );
    let pick = number % 20;
    let node = format!("system:node:aks-{}", number % 30);
    let account = |name: &str| format!("system:serviceaccount:{name}");
    let ns = format!("team-{}", number % 12);
    let (user, agent, verb, object, code, body) = match pick {
        0..=5 => (
            node,
            "kubelet/v1.34.2",
            "update",
            json!({"resource": "leases", "apiGroup": "coordination.k8s.io", "namespace": "kube-node-lease", "name": "aks-1"}),
            200,
            None,
        ),
        6 | 7 => (
            node,
            "kubelet/v1.34.2",
            "patch",
            json!({"resource": "nodes", "name": "aks-1", "subresource": "status"}),
            200,
            None,
        ),
        8 => (
            node,
            "kubelet/v1.34.2",
            "get",
            json!({"resource": "secrets", "namespace": ns, "name": "db"}),
            200,
            None,
        ),
        9 => (
            node,
            "kubelet/v1.34.2",
            "create",
            json!({"resource": "serviceaccounts", "subresource": "token", "namespace": ns, "name": "web"}),
            201,
            None,
        ),
        10 => (
            account("kube-system:deployment-controller"),
            "kube-controller-manager/v1.34.2",
            "update",
            json!({"resource": "deployments", "apiGroup": "apps", "subresource": "status", "namespace": ns, "name": "web"}),
            200,
            None,
        ),
        11 => (
            account("kube-system:replicaset-controller"),
            "kube-controller-manager/v1.34.2",
            "create",
            json!({"resource": "pods", "namespace": ns, "name": format!("web-{number}")}),
            201,
            Some(harmless("Pod")),
        ),
        12 => (
            account("kube-system:coredns"),
            "coredns/1.12",
            "watch",
            json!({"resource": "endpointslices", "apiGroup": "discovery.k8s.io"}),
            200,
            None,
        ),
        13 => (
            account(&format!("{ns}:web")),
            "web/1.2",
            "get",
            json!({"resource": "configmaps", "namespace": ns, "name": "web"}),
            200,
            None,
        ),
        14 => (
            account("ingress:nginx"),
            "nginx-ingress/v1.13",
            "watch",
            json!({"resource": "ingresses", "apiGroup": "networking.k8s.io"}),
            200,
            None,
        ),
        15 => (
            "pipeline".to_owned(),
            "argocd/v3.1",
            "patch",
            json!({"resource": "deployments", "apiGroup": "apps", "namespace": ns, "name": "web"}),
            200,
            Some(harmless("Deployment")),
        ),
        16 => (
            format!("dev-{}@example.com", number % 17),
            "kubectl/v1.34.1",
            "list",
            json!({"resource": "pods", "namespace": ns}),
            200,
            None,
        ),
        17 => (
            format!("dev-{}@example.com", number % 17),
            "kubectl/v1.34.1",
            "get",
            json!({"resource": "pods", "subresource": "log", "namespace": ns, "name": "web-1"}),
            200,
            None,
        ),
        18 => (
            format!("dev-{}@example.com", number % 17),
            "kubectl/v1.34.1",
            "get",
            json!({"resource": "deployments", "apiGroup": "apps", "namespace": ns, "name": "gone"}),
            404,
            None,
        ),
        _ => (
            "aksService".to_owned(),
            "aks/1",
            "update",
            json!({"resource": "configmaps", "namespace": "kube-system", "name": "coredns"}),
            200,
            None,
        ),
    };
    let mut event = json!({
        "level": "RequestResponse", "auditID": format!("{number:08x}-1111-4111-8111-111111111111"),
        "stage": "ResponseComplete", "requestURI": "/", "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]},
        "sourceIPs": ["10.224.0.4"], "userAgent": agent, "objectRef": object,
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": at, "stageTimestamp": at,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    });
    if let Some(body) = body {
        event["requestObject"] = body.clone();
        event["responseObject"] = body;
    }
    event["kind"] = json!("Event");
    event["apiVersion"] = json!("audit.k8s.io/v1");
    event.to_string()
}

fn harmless(kind: &str) -> Value {
    let spec = json!({"containers": [{"name": "app", "image": "example.azurecr.io/web:1"}]});
    match kind {
        "Pod" => {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec})
        }
        _ => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
            }})
        }
    }
}

/// A record as AKS keeps it.
fn enveloped(line: &str) -> String {
    let mut end = KEPT.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    json!({
        "category": "kube-audit",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": &line[..end], "stream": "stdout", "pod": "kube-apiserver-1"},
        "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP",
        "time": "2026-11-26T12:00:00Z",
    })
    .to_string()
}

fn detected(guide: &Guide, lines: &[String]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fs::write(&path, lines.join("\n")).unwrap();
    let setting = setting(guide, None, None).unwrap();
    let detector = Detector::new(guide, &setting, |_| true);
    let sources: Vec<Source> = input::files(&[path]).unwrap();
    let (state, mut losses) =
        audit::read(&sources, Options::default(), || detector.start()).unwrap();
    assert_eq!(losses.unreadable, 0);
    let (apart, found) = kept_apart(&detector, &sources);
    let outcome = state.finish(None);
    assert_eq!(apart.alerts, outcome.alerts);
    assert_eq!(apart.tally, outcome.tally);
    (losses.files, losses.bytes) = (0, 0);
    assert_eq!(found, losses);
    outcome
}

/// Records that are kept, asked in parts, and put together from bytes.
struct Apart<'d, 'g> {
    parts: Vec<(Detections<'d, 'g>, Losses)>,
    number: usize,
}

impl Fold for Apart<'_, '_> {
    fn take(&mut self, record: &Record<'_>) {
        let all = self.parts.len();
        let (state, losses) = &mut self.parts[self.number % all];
        Kept::of(record).fold(state, losses);
        self.number += 1;
    }

    fn merge(&mut self, _: Self) {}
}

fn kept_apart(detector: &Detector<'_>, sources: &[Source]) -> (Outcome, Losses) {
    let one = Options {
        threads: 1,
        ..Options::default()
    };
    let new = || Apart {
        parts: (0..3)
            .map(|_| (detector.start(), Losses::default()))
            .collect(),
        number: 0,
    };
    let (apart, _) = audit::read(sources, one, new).unwrap();
    let (mut all, mut lost) = (detector.start(), Losses::default());
    for (state, losses) in apart.parts {
        let bytes = state.to_bytes(&losses);
        let (state, losses) = detector.read(&bytes).unwrap();
        assert_eq!(state.to_bytes(&losses), bytes, "written as it was read");
        assert!(detector.read(&bytes[..bytes.len() - 1]).is_err());
        all.merge(state);
        lost.merge(losses);
    }
    (all.finish(None), lost)
}

/// Alerts of what the attacker did not do, by detection.
fn others(alerts: &[Alert]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for alert in alerts
        .iter()
        .filter(|alert| !["mallory", "system:anonymous"].contains(&&*alert.event.user))
    {
        *counts.entry(&*alert.detection).or_default() += 1;
    }
    counts
}

#[test]
fn every_act_of_an_attack_is_found_and_none_is_hidden() {
    let options = oracle::Options::default()
        .audit()
        .user("mallory", &["system:masters"]);
    let server = ApiServer::start_with(&options).unwrap();
    let node = json!({
        "metadata": {"name": "aks-1"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
        },
    });
    assert_eq!(
        server
            .request("POST", "/api/v1/nodes", Some(&node))
            .unwrap()
            .0,
        201
    );
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:?}");
    let all: u64 = std::env::var("SEAWALL_NOISE")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(20_000);
    let quiet: Vec<String> = (0..all).map(|number| noise(number, all)).collect();
    let among = |attack: &[String]| -> Vec<String> {
        let step = quiet.len() / attack.len().max(1);
        let mut lines = Vec::new();
        for (index, chunk) in quiet.chunks(step.max(1)).enumerate() {
            lines.extend_from_slice(chunk);
            lines.extend(attack.get(index).cloned());
        }
        lines
    };

    let (attack, acts) = attacked(&server, Padding::None, "a");
    let outcome = detected(&guide, &among(&attack));
    let found: BTreeSet<&str> = outcome
        .alerts
        .iter()
        .filter(|alert| alert.verdict == Verdict::Match)
        .map(|alert| &*alert.detection)
        .collect();
    let missed: Vec<Act> = acts
        .iter()
        .copied()
        .filter(|act| !found.contains(act))
        .collect();
    let attack_text = attack.join("\n");
    assert!(
        missed.is_empty(),
        "{missed:?}\n{found:?}\n{}",
        attack_text.len()
    );
    assert!(
        attack_text.contains("\"code\":101"),
        "no WebSocket was answered"
    );
    let false_alerts = others(&outcome.alerts);
    println!(
        "{all} events of noise: {} alerts, not of the attacker: {false_alerts:?}",
        outcome.alerts.len()
    );
    assert!(false_alerts.is_empty(), "{false_alerts:?}");

    for (padding, suffix) in [
        (Padding::None, "b"),
        (Padding::Body, "c"),
        (Padding::Path, "d"),
    ] {
        let (attack, acts) = attacked(&server, padding, suffix);
        let longest = attack.iter().map(String::len).max();
        assert!(
            padding == Padding::None || longest > Some(KEPT),
            "{longest:?}"
        );
        let lines: Vec<String> = attack.iter().map(|line| enveloped(line)).collect();
        let outcome = detected(&guide, &lines);
        let told: BTreeSet<&str> = outcome
            .alerts
            .iter()
            .map(|alert| &*alert.detection)
            .collect();
        // A request that hides behind its own path is told as that, one alert for each.
        let hides = |alert: &&Alert| &*alert.detection == "record-hides-request";
        let hidden = outcome.alerts.iter().filter(hides).count();
        // What the server asks itself at the same time is not padded.
        let padded = attack.iter().filter(|line| line.contains("pad=x"));
        let ids = padded.filter_map(|line| line.split("\"auditID\":\"").nth(1)?.get(..36));
        let requests = ids.collect::<BTreeSet<&str>>().len();
        assert_eq!(
            hidden,
            if padding == Padding::Path {
                requests
            } else {
                0
            }
        );
        let silent: Vec<Act> = acts
            .iter()
            .copied()
            // A sequence is one of certain events; its parts are told one by one.
            .filter(|act| padding == Padding::None || *act != "rbac-then-workload")
            .filter(|act| !told.contains(act) && padding != Padding::Path)
            .collect();
        let certain = outcome
            .alerts
            .iter()
            .filter(|alert| alert.verdict == Verdict::Match)
            .count();
        println!(
            "cut, suffix {suffix}: {} alerts, {certain} certain, {:?}",
            outcome.alerts.len(),
            outcome.tally
        );
        assert!(silent.is_empty(), "{suffix}: {silent:?}");
    }
}
