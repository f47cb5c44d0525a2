//! The watch beside a real API server: what is created, changed and deleted shows; a server that goes and comes, a
//! kind that may not be read, a replica that dies, a day that ends.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use guide::Guide;
use jiff::Timestamp;
use model::finding::{Finding, Severity};
use oracle::ApiServer;
use report::config::Config;
use serde_json::{Value, json};
use server::configuration::Configuration;
use server::watch::{self, Alerting, Election, Options, Receiver, Shared};

static GUIDE: LazyLock<Guide> = LazyLock::new(|| {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:?}");
    guide
});

/// A watch on a thread of its own; dropped, it stops.
pub(crate) struct Watching {
    pub(crate) shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    pub(crate) log: Arc<Mutex<Vec<(String, Value)>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// Options for tests: quick to try again and to pass over everything.
pub(crate) fn options(kubeconfig: PathBuf) -> Options {
    let cluster = sources::cluster::Options {
        kubeconfig: Some(kubeconfig),
        ..Default::default()
    };
    let mut options = Options::new(cluster, Configuration::new(Config::default()));
    options.pace.refused = Duration::from_secs(1);
    options.pace.longest = Duration::from_secs(1);
    options.quiet = Duration::from_millis(300);
    options.most = Duration::from_secs(2);
    options
}

pub(crate) fn watch(mut options: Options) -> Watching {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    options.log = Arc::new(move |_, what, fields| {
        lines.lock().unwrap().push((what.to_owned(), fields));
    });
    let shared = Arc::new(Shared::new(&GUIDE, &options).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let (known, end) = (Arc::clone(&shared), Arc::clone(&stop));
    let thread = thread::spawn(move || watch::run(&GUIDE, &options, &known, &end));
    Watching {
        shared,
        stop,
        log,
        thread: Some(thread),
    }
}

impl Watching {
    /// Waits until something is so; says what stands when it never is.
    pub(crate) fn until(&self, what: &str, mut so: impl FnMut(&Shared) -> bool) -> Duration {
        let begin = Instant::now();
        while !so(&self.shared) {
            assert!(
                begin.elapsed() < Duration::from_secs(120),
                "{what} never came\nlog: {:#?}\ngaps: {:?}\nlost: {:?}",
                self.log.lock().unwrap(),
                self.shared.stand().gaps,
                self.shared.stand().lost,
            );
            thread::sleep(Duration::from_millis(20));
        }
        begin.elapsed()
    }

    pub(crate) fn ready(&self) {
        self.until("the first picture", Shared::is_ready);
    }

    /// What is said of an object, by the id of the guideline.
    fn said_of(&self, id: &str) -> BTreeMap<String, Finding> {
        self.shared
            .findings()
            .into_iter()
            .filter(|finding| finding.resource.id() == id)
            .map(|finding| (finding.guideline.0.to_string(), finding))
            .collect()
    }

    pub(crate) fn logged(&self, what: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(said, _)| said == what).count()
    }
}

fn post(server: &ApiServer, path: &str, body: &Value) {
    let (status, answer) = server.request("POST", path, Some(body)).unwrap();
    assert_eq!(status, 201, "{answer}");
}

fn delete(server: &ApiServer, path: &str) {
    let (status, answer) = server.request("DELETE", path, None).unwrap();
    assert_eq!(status, 200, "{answer}");
}

pub(crate) fn namespace(server: &ApiServer, name: &str) {
    let body = json!({"metadata": {"name": name}});
    post(server, "/api/v1/namespaces", &body);
}

fn template(privileged: bool) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app",
        "image": "example.azurecr.io/web:1.2.3", "securityContext": {"privileged": privileged}}]}})
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

pub(crate) fn deployment(server: &ApiServer, name: &str, privileged: bool) {
    let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template(privileged)}});
    let path = format!("{DEPLOYMENTS}/{name}?fieldManager=test&force=true");
    let (status, answer) = server.request("APPLY", &path, Some(&body)).unwrap();
    assert!(matches!(status, 200 | 201), "{status} {answer}");
}

const PRIVILEGED: &str = "pss-privileged";

/// Every finding as text, in an order.
fn all(shared: &Shared) -> Vec<String> {
    let mut all: Vec<String> = shared
        .findings()
        .iter()
        .map(|finding| {
            format!(
                "{} {} {} {} {:?}",
                finding.fingerprint,
                finding.guideline.0,
                finding.resource.id(),
                finding.message,
                finding.outcome,
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_changes_shows_and_what_goes_takes_its_findings_along() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    let watching = watch(options(server.kubeconfig()));
    watching.ready();
    let id = "apps/Deployment/shop/web";
    let set_id = "apps/ReplicaSet/shop/web-1";
    assert!(watching.said_of(id).is_empty());
    assert!(watching.shared.namespace("shop").is_some());

    deployment(&server, "web", true);
    let took = watching.until("the finding", |_| {
        watching.said_of(id).contains_key(PRIVILEGED)
    });
    println!("from the change to the finding: {took:?}");
    let finding = &watching.said_of(id)[PRIVILEGED];
    assert_eq!(*finding.place.path, format!("{DEPLOYMENTS}/web"));
    watching.until("a finding of a join", |shared| {
        shared.findings().iter().any(|finding| {
            let guideline = GUIDE.guideline(&finding.guideline.0);
            guideline.is_some_and(|guideline| guideline.needs.joined)
                && finding.resource.id().contains("shop")
        })
    });

    // Its pods say the same, and it is said of the Deployment.
    let owner = |kind: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": true}]);
    let set = json!({"metadata": {"name": "web-1", "ownerReferences": owner("Deployment", "web")},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template(true)}});
    let sets = "/apis/apps/v1/namespaces/shop/replicasets";
    let pods = "/api/v1/namespaces/shop/pods";
    for name in ["web-1-a", "web-1-b"] {
        let mut pod = template(true);
        pod["metadata"] = json!({"name": name, "labels": {"app": "web"},
            "ownerReferences": owner("ReplicaSet", "web-1")});
        post(&server, pods, &pod);
    }
    // Before their ReplicaSet is there, that is the top.
    watching.until("findings of the pods", |_| {
        watching.said_of(set_id).contains_key(PRIVILEGED)
    });
    post(&server, sets, &set);
    watching.until("findings moved to the Deployment", |_| {
        watching.said_of(set_id).is_empty()
    });
    let of_pod = watching.shared.findings_of(&format!("{pods}/web-1-a"));
    assert!(of_pod.iter().any(|finding| finding.resource.id() == id));

    // What is mended in the template stands as long as a pod says it.
    deployment(&server, "web", false);
    watching.until("the mended Deployment", |shared| {
        let own = shared.findings_of(&format!("{DEPLOYMENTS}/web"));
        !own.iter().any(|one| &*one.guideline.0 == PRIVILEGED)
    });
    assert!(watching.said_of(id).contains_key(PRIVILEGED));
    let none = json!({"spec": {"replicas": 0}});
    let path = format!("{sets}/web-1");
    server.request("PATCH", &path, Some(&none)).unwrap();
    for name in ["web-1-a", "web-1-b"] {
        delete(&server, &format!("{pods}/{name}?gracePeriodSeconds=0"));
    }
    watching.until("no pod that says it", |_| {
        !watching.said_of(id).contains_key(PRIVILEGED)
    });

    // A watch that begins now knows the same as this one, which saw everything happen.
    let fresh = watch(options(server.kubeconfig()));
    fresh.ready();
    // Passes of both may still be due: they settle on the same.
    let mut differ = Vec::new();
    fresh.until("the same findings", |shared| {
        let (one, other) = (all(shared), all(&watching.shared));
        differ = one
            .iter()
            .filter(|line| !other.contains(line))
            .cloned()
            .collect();
        one == other
    });
    let (one, other) = (fresh.shared.stand(), watching.shared.stand());
    assert_eq!(one.guidelines, other.guidelines);
    assert_eq!(one.verdicts, other.verdicts);
    assert_eq!(one.ledger, other.ledger);
    drop(fresh);

    delete(&server, &format!("{DEPLOYMENTS}/web"));
    watching.until("nothing of the Deployment", |_| {
        watching.said_of(id).is_empty()
    });
    let figures = watching.shared.figures(Timestamp::now());
    let objects = "seawall_objects{status=\"assessed\"}";
    assert!(figures.contains(objects), "{figures}");
    assert!(figures.contains("seawall_watch_gaps 0"), "{figures}");
}

#[test]
fn a_server_that_goes_and_comes_is_followed_on() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "web", true);
    let watching = watch(options(server.kubeconfig()));
    watching.ready();
    let objects = watching.shared.stand().objects;
    server.kill();
    watching.until("that nothing is heard", |shared| {
        shared.stand().lost.contains_key("Deployment")
    });
    // What was known stays known, with its age.
    assert_eq!(watching.shared.stand().objects, objects);
    let figures = watching.shared.figures(Timestamp::now());
    let lost = "seawall_watch_lost_seconds{kind=\"Deployment\"}";
    assert!(figures.contains(lost), "{figures}");
    server.revive().unwrap();
    deployment(&server, "other", true);
    watching.until("what came after", |_| {
        let said = watching.said_of("apps/Deployment/shop/other");
        said.contains_key(PRIVILEGED)
    });
    watching.until("that all is heard again", |shared| {
        shared.stand().lost.is_empty()
    });
    assert!(watching.shared.stand().gaps.iter().all(|gap| gap.by_choice));
    let said = watching.said_of("apps/Deployment/shop/web");
    assert!(said.contains_key(PRIVILEGED));
    // It was not told anew: the watch went on.
    assert_eq!(watching.logged("watching"), 1);
}

#[test]
fn a_kind_that_may_not_be_read_is_a_gap_until_it_may() {
    let user = oracle::Options::default().user("watcher", &["watchers"]);
    let server = ApiServer::start_with(&user).unwrap();
    namespace(&server, "shop");
    deployment(&server, "web", true);
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let role = |resources: &[&str]| {
        let rule =
            json!({"apiGroups": ["*"], "resources": resources, "verbs": ["get", "list", "watch"]});
        json!({"metadata": {"name": "watcher"}, "rules": [rule]})
    };
    let binding = json!({"metadata": {"name": "watcher"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "watcher"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "watchers"}]});
    let some = role(&["namespaces", "deployments"]);
    post(&server, &format!("{rbac}/clusterroles"), &some);
    post(&server, &format!("{rbac}/clusterrolebindings"), &binding);
    let watching = watch(options(server.kubeconfig_of("watcher").unwrap()));
    watching.ready();
    let gap = |shared: &Shared| {
        let gaps = shared.stand().gaps;
        gaps.into_iter().find(|gap| &*gap.kind == "NetworkPolicy")
    };
    let told = gap(&watching.shared).unwrap();
    let why = "refused to list networkpolicies";
    assert!(told.why.contains(why), "{told:?}");
    let said = watching.said_of("apps/Deployment/shop/web");
    assert!(said.contains_key(PRIVILEGED));
    let path = format!("{rbac}/clusterroles/watcher");
    let everything = role(&["*"]);
    let (status, answer) = server.request("PUT", &path, Some(&everything)).unwrap();
    assert_eq!(status, 200, "{answer}");
    watching.until("the gap closed", |shared| gap(shared).is_none());
}

/// The definitions of policy reports, by hand: what `severity` takes differs between versions of v1alpha2
/// (wg-policy-prototypes, policy-report/crd/v1alpha2).
fn define_reports(server: &ApiServer, severities: &[&str]) {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let reference = json!({"type": "object", "properties":
        {"apiVersion": text, "kind": text, "namespace": text, "name": text}});
    let result = json!({"type": "object", "required": ["policy"], "properties": {
        "policy": text, "rule": text, "category": text, "message": text, "source": text,
        "scored": {"type": "boolean"}, "properties": texts,
        "severity": {"type": "string", "enum": severities},
        "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]},
        "resources": {"type": "array", "items": reference}}});
    let count = json!({"type": "integer"});
    let schema = json!({"type": "object", "properties": {
        "summary": {"type": "object", "properties":
            {"pass": count, "fail": count, "warn": count, "error": count, "skip": count}},
        "results": {"type": "array", "items": result}}});
    for (scope, kind) in [
        ("Namespaced", "PolicyReport"),
        ("Cluster", "ClusterPolicyReport"),
    ] {
        let plural = format!("{}s", kind.to_lowercase());
        let body = json!({"metadata": {"name": format!("{plural}.wgpolicyk8s.io"),
            // A group under *.k8s.io needs it (KEP 2337).
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}, "spec": {
            "group": "wgpolicyk8s.io", "scope": scope,
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1alpha2", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]}});
        let list = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        post(server, list, &body);
    }
    for kind in ["clusterpolicyreports", "policyreports"] {
        let reports = format!("/apis/wgpolicyk8s.io/v1alpha2/{kind}");
        let served = server.eventually("GET", &reports, None, |status, _| status == 200);
        assert_eq!(served.unwrap().0, 200);
    }
}

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/seawall/leases/seawall";
const REPORT: &str = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/shop/policyreports/seawall";

fn lease(server: &ApiServer) -> Value {
    server.request("GET", LEASE, None).unwrap().1["spec"].clone()
}

/// Whether a report says that `web` is privileged.
fn says(_: u16, report: &Value) -> bool {
    let mut results = report["results"].as_array().into_iter().flatten();
    results.any(|result| result["policy"] == PRIVILEGED && result["resources"][0]["name"] == "web")
}

#[test]
fn one_replica_reports_and_another_takes_over() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    namespace(&server, "seawall");
    define_reports(&server, &["critical", "high", "low", "medium", "info"]);
    deployment(&server, "web", true);
    // A replica that died a moment ago holds the Lease.
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ");
    let dead = json!({"metadata": {"name": "seawall", "namespace": "seawall"}, "spec": {
        "holderIdentity": "dead", "leaseDurationSeconds": 3, "acquireTime": now.to_string(),
        "renewTime": now.to_string(), "leaseTransitions": 4}});
    post(&server, LEASE.rsplit_once('/').unwrap().0, &dead);
    let replica = |name: &str| {
        let mut options = options(server.kubeconfig());
        let mut election = Election::new("seawall", name);
        election.lasts = Duration::from_secs(6);
        options.keeping.election = Some(election);
        options.keeping.reports = true;
        watch(options)
    };
    let one = replica("one");
    one.until("the Lease of the dead", Shared::keeps);
    assert_eq!(lease(&server)["holderIdentity"], "one");
    assert_eq!(lease(&server)["leaseTransitions"], 5);
    let two = replica("two");
    two.ready();
    let (status, report) = server.eventually("GET", REPORT, None, says).unwrap();
    assert!(says(status, &report), "{report}");
    let results = report["results"].as_array().unwrap();
    let count = |key: &str, value: &str| {
        let own = results.iter().filter(|result| result[key] == value);
        own.count() as u64
    };
    assert!(count("severity", "critical") > 0, "{report}");
    assert_eq!(count("result", "fail"), report["summary"]["fail"]);
    assert!(!two.shared.keeps());
    assert_eq!(lease(&server)["leaseTransitions"], 5);

    // One goes: the other need not wait until the Lease has run out.
    drop(one);
    two.until("the Lease", Shared::keeps);
    assert_eq!(lease(&server)["holderIdentity"], "two");
    delete(&server, &format!("{DEPLOYMENTS}/web"));
    let gone = |status: u16, report: &Value| !says(status, report);
    let (status, report) = server.eventually("GET", REPORT, None, gone).unwrap();
    assert!(gone(status, &report), "{report}");

    // Nothing changes any more, so nothing is written.
    let written = || {
        let figures = two.shared.figures(Timestamp::now());
        let mut lines = figures.lines();
        let line = lines.find(|line| line.starts_with("seawall_report_writes_total "));
        line.unwrap().to_owned()
    };
    let mut before = (written(), Instant::now());
    two.until("a time without writes", |_| {
        if written() != before.0 {
            before = (written(), Instant::now());
        }
        before.1.elapsed() > Duration::from_secs(12)
    });
}

#[test]
fn reports_fit_definitions_that_know_no_critical() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    define_reports(&server, &["high", "low", "medium"]);
    deployment(&server, "web", true);
    let mut options = options(server.kubeconfig());
    options.keeping.reports = true;
    let watching = watch(options);
    watching.ready();
    let (status, report) = server.eventually("GET", REPORT, None, says).unwrap();
    let log = watching.log.lock().unwrap();
    assert!(says(status, &report), "{report}\n{log:?}");
    let results = report["results"].as_array().unwrap();
    let mut results = results.iter();
    let result = results
        .find(|result| result["policy"] == PRIVILEGED)
        .unwrap();
    assert_eq!(result["severity"], "high");
    assert_eq!(result["properties"]["severity"], "critical");
}

/// A request's body.
fn body(stream: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap();
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head.split_once("content-length: ").unwrap().1;
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if body.len() >= length {
            return body.to_owned();
        }
    }
}

/// An endpoint that notes what it is told, and fails first.
pub(crate) fn endpoint(failures: usize) -> (String, Arc<Mutex<Vec<Value>>>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}/hook?token=sesame");
    let told = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let (notes, count) = (Arc::clone(&told), Arc::clone(&asked));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = body(&mut stream);
            let status = if count.fetch_add(1, Ordering::Relaxed) < failures {
                "503 Service Unavailable"
            } else {
                let message = serde_json::from_str(&body).unwrap();
                notes.lock().unwrap().push(message);
                "204 No Content"
            };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, told, asked)
}

#[test]
fn what_is_new_and_grave_is_told_once_and_the_posture_noted() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "old", true);
    let (url, told, asked) = endpoint(2);
    let name = format!("seawall-watch-history-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let mut options = options(server.kubeconfig());
    options.keeping.alerts = vec![Alerting {
        to: Receiver::Webhook(url, sources::azure::Trust::default()),
        floor: Severity::Critical,
    }];
    options.keeping.history = Some(watch::history::Place::Folder(folder.clone()));
    let watching = watch(options);
    watching.ready();
    watching.until("the posture", |_| {
        watch::history::read(&folder).is_ok_and(|all| !all.is_empty())
    });
    deployment(&server, "new", true);
    let of = |name: &str| {
        let told = told.lock().unwrap();
        let messages = told.iter();
        let findings = messages.flat_map(|message| message["findings"].as_array().unwrap());
        findings
            .filter(|one| one["guideline"] == PRIVILEGED && one["resource"]["name"] == name)
            .count()
    };
    watching.until("the alert", |_| of("new") > 0);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(of("new"), 1);
    assert_eq!(of("old"), 0);
    assert!(asked.load(Ordering::Relaxed) >= 3);
    assert_eq!(told.lock().unwrap()[0]["schema"], watch::ALERT_SCHEMA);
    let log = format!("{:?}", watching.log.lock().unwrap());
    assert!(log.contains("alerts cannot be sent"), "{log}");
    assert!(!log.contains("sesame"), "{log}");
    let postures = watch::history::read(&folder).unwrap();
    let critical = |posture: &watch::history::Posture| posture.fails["critical"];
    assert!(critical(postures.last().unwrap()) > critical(&postures[0]));
    drop(watching);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_new_day_and_another_configuration_judge_everything_anew() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "web", true);
    let text = "waivers:\n- guideline: pss-privileged\n  resource: Deployment/shop/web\n  reason: needed\n  owner: me@example.org\n  until: 2026-11-27\n";
    let config = Config::parse("seawall.yaml", text, &GUIDE).unwrap();
    let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    let clock = Arc::new(Mutex::new(noon));
    let time = Arc::clone(&clock);
    let mut options = options(server.kubeconfig());
    let configuration = Configuration::new(config);
    options.config = Arc::clone(&configuration);
    options.clock = Arc::new(move || *time.lock().unwrap());
    let watching = watch(options);
    watching.ready();
    let counts = |watching: &Watching| {
        let said = watching.said_of("apps/Deployment/shop/web");
        said.get(PRIVILEGED).is_some_and(Finding::counts)
    };
    assert!(!counts(&watching));
    let objects = watching.shared.stand().objects;
    *clock.lock().unwrap() = "2026-11-28T00:00:01Z".parse().unwrap();
    watching.until("the end of the waiver", |_| counts(&watching));
    watching.until("a finding about it", |shared| {
        let findings = shared.findings();
        let mut kinds = findings.iter().map(|finding| &finding.resource.kind);
        kinds.any(|kind| kind.is("Waiver.seawall.dev"))
    });
    assert_eq!(watching.logged("watching"), 2);
    assert_eq!(watching.shared.stand().objects, objects);
    // So does another configuration.
    let text = text.replace("2026-11-27", "2099-01-01");
    configuration.exchange(Config::parse("seawall.yaml", &text, &GUIDE).unwrap());
    watching.until("another end of the waiver", |_| !counts(&watching));
    assert_eq!(watching.logged("watching"), 3);
    assert_eq!(watching.shared.stand().objects, objects);
}

#[test]
fn what_runs_is_compared_with_what_should() {
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "web", true);
    deployment(&server, "stray", false);
    let name = format!("seawall-watch-base-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["web", "missing"] {
        let body = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template(false)}});
        std::fs::write(folder.join(format!("{name}.yaml")), body.to_string()).unwrap();
    }
    let mut options = options(server.kubeconfig());
    let given = vec![folder.clone()];
    options.drift = Some(Arc::new(move |_| {
        let failed = |error: sources::WalkError| sources::live::LiveError {
            message: error.to_string(),
            help: None,
        };
        Ok(watch::drift::Base {
            name: "the repository".to_owned(),
            inputs: sources::walk(&given).map_err(failed)?,
            ..watch::drift::Base::default()
        })
    }));
    options.drift_every = Duration::from_secs(2);
    let watching = watch(options);
    let drift = |shared: &Shared| {
        let drift = shared.drift()?;
        let words = drift.differences().map(|(_, one)| one.first.clone());
        Some(words)
    };
    watching.until("the comparison", |shared| drift(shared).is_some());
    let [new, gone, objects_new, objects_gone] = drift(&watching.shared).unwrap();
    let privileged = |words: &[String], name: &str| {
        let start = format!("{PRIVILEGED} apps/Deployment/shop/{name}");
        words.iter().any(|word| word.starts_with(&start))
    };
    assert!(privileged(&new, "web"), "{new:?}");
    assert!(!privileged(&new, "stray"), "{new:?}");
    // What the missing one would fail at, and nothing of what both have.
    assert!(
        gone.iter().all(|word| word.contains("/shop/missing")),
        "{gone:?}"
    );
    assert!(new.iter().all(|word| !word.contains("/missing")), "{new:?}");
    assert_eq!(objects_new, ["apps/Deployment/shop/stray"]);
    assert_eq!(objects_gone, ["apps/Deployment/shop/missing"]);
    let figures = watching.shared.figures(Timestamp::now());
    let line = "seawall_drift{what=\"objects-gone\"} 1";
    assert!(figures.contains(line), "{figures}");
    // Mended where it runs, and in the repository.
    deployment(&server, "web", false);
    delete(&server, &format!("{DEPLOYMENTS}/stray"));
    std::fs::remove_file(folder.join("missing.yaml")).unwrap();
    watching.until("no difference", |shared| {
        drift(shared).is_some_and(|words| words.iter().all(Vec::is_empty))
    });
    assert_eq!(watching.logged("what runs is as it should be"), 1);
    drop(watching);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Azure as `sources` is tested with it: a loopback server, read by the real source.
fn azure(world: &oracle::azure::World, server: &oracle::azure::Azure) -> sources::azure::Options {
    use sources::azure::{Auth, Cloud, CloudName, Options, Pace, Surroundings, Trust};
    let name = format!("seawall-watch-token-{}", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, &world.assertion).unwrap();
    let address = Some(server.address());
    Options {
        cloud: Cloud::new(CloudName::Public, address, address, address).unwrap(),
        auth: Auth::WorkloadIdentity,
        surroundings: Surroundings {
            tenant: Some("11111111-1111-1111-1111-111111111111".to_owned()),
            client: Some("bbbbbbbb-0000-4000-8000-000000000002".to_owned()),
            token_file: Some(file),
            ..Surroundings::default()
        },
        subscriptions: Vec::new(),
        entra: false,
        trust: Trust {
            authorities: vec![server.certificate().as_bytes().to_vec()],
        },
        pace: Pace {
            timeout: Duration::from_secs(5),
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_secs(3),
            attempts: 3,
        },
        patience: sources::live::Patience::default(),
    }
}

#[test]
fn azure_is_read_from_time_to_time_and_kept_when_it_cannot_be() {
    let estate: Value = serde_json::from_str(include_str!(
        "../../../sources/tests/sources/azure-estate.json"
    ))
    .unwrap();
    let world = |registry: bool| {
        let resources = estate["resources"].as_array().unwrap().iter();
        let kept = resources.filter(|resource| {
            registry || !resource["id"].as_str().unwrap().contains("/shopimages")
        });
        let subscriptions = estate["subscriptions"].as_array().unwrap().iter();
        oracle::azure::World {
            subscriptions: subscriptions
                .map(|id| id.as_str().unwrap().to_owned())
                .collect(),
            resources: kept.cloned().collect(),
            page: 20,
            assertion: "a service account's token".to_owned(),
            ..oracle::azure::World::default()
        }
    };
    let cloud = oracle::azure::Azure::start(world(true)).unwrap();
    let given = azure(&world(true), &cloud);
    let server = ApiServer::start().unwrap();
    let mut options = options(server.kubeconfig());
    options.azure = Some(Arc::new(move || {
        Ok(Box::new(sources::azure::Azure::new(given.clone())))
    }));
    options.azure_every = Duration::from_secs(2);
    let watching = watch(options);
    let registries = |shared: &Shared| {
        let picture = shared.picture();
        picture
            .estate
            .of_kind("Microsoft.ContainerRegistry/registries")
            .len()
    };
    watching.until("the registry", |shared| registries(shared) == 1);
    let about = |shared: &Shared| {
        let findings = shared.findings();
        findings
            .iter()
            .filter(|finding| finding.resource.id().contains("registries/shopimages"))
            .count()
    };
    assert!(about(&watching.shared) > 0);
    cloud.set(world(false));
    watching.until("no registry", |shared| registries(shared) == 0);
    assert_eq!(about(&watching.shared), 0);
    // What was read stays when Azure is away.
    let clusters = |shared: &Shared| {
        let picture = shared.picture();
        picture
            .estate
            .of_kind("Microsoft.ContainerService/managedClusters")
            .len()
    };
    assert_eq!(clusters(&watching.shared), 1);
    drop(cloud);
    watching.until("that Azure is away", |_| {
        watching.logged("Azure cannot be read") > 0
    });
    namespace(&server, "later");
    let passes = watching.shared.stand().passes;
    watching.until("another pass", |shared| shared.stand().passes > passes);
    assert_eq!(clusters(&watching.shared), 1);
}
