//! How quick a watch is, and how large: a real API server with many objects, changed one at a time.
//!
//! `cargo run --release -p seawall-server --example watch -- 20000` (see `bench/watch.sh`). The watch runs in this
//! process, so its memory is this process's; the API server is another. With 0 rounds nothing is watched: the API server
//! is there, for others, until standard input ends (see `bench/serve.sh`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement, for people"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use guide::Guide;
use oracle::ApiServer;
use report::config::Config;
use serde_json::{Value, json};
use server::configuration::Configuration;
use server::watch::{self, Options, Shared};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Objects that one namespace has, besides itself.
const IN_A_NAMESPACE: usize = 100;

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(20_000, |n| n.parse().unwrap());
    let rounds = std::env::args().nth(2).map_or(20, |n| n.parse().unwrap());
    let flags = [
        "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0",
        "--enable-priority-and-fairness=false",
    ];
    let options = flags
        .iter()
        .fold(oracle::Options::default(), |options, flag| {
            options.flag(flag)
        });
    let server = ApiServer::start_with(&options).unwrap();
    let begin = Instant::now();
    let namespaces = count / (IN_A_NAMESPACE + 1);
    fill(&server, namespaces);
    println!(
        "{} objects made in {:.1?}",
        namespaces * (IN_A_NAMESPACE + 1),
        begin.elapsed()
    );
    if rounds == 0 {
        println!("kubeconfig: {}", server.kubeconfig().display());
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        return;
    }

    server::run::keep_pages_small();
    let (guide, _) = Guide::builtin();
    println!("memory before: {} MB", memory());
    let cluster = sources::cluster::Options {
        kubeconfig: Some(server.kubeconfig()),
        ..Default::default()
    };
    let mut options = Options::new(cluster, Configuration::new(Config::default()));
    options.log = Arc::new(|_, what, fields| println!("  {what} {fields}"));
    let shared = Shared::new(&guide, &options).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| watch::run(&guide, &options, &shared, &stop));
        let (begin, cpu) = (Instant::now(), seconds_of_work());
        until(|| shared.is_ready());
        let stand = shared.stand();
        let standing: usize = stand
            .guidelines
            .values()
            .map(|standing| standing.fail + standing.unknown)
            .sum();
        println!(
            "ready after {:.1?} ({:.1} s of work): {} objects, {standing} findings, memory {} MB",
            begin.elapsed(),
            seconds_of_work() - cpu,
            stand.objects,
            memory()
        );
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        let cpu = seconds_of_work();
        for round in 0..rounds {
            let name = format!("ns-{}", round % namespaces);
            alone.push(one_object(&server, &shared, &name));
            together.push(one_join(&server, &shared, &name));
        }
        tell("from a change to the object's own finding", &mut alone);
        tell("from a change to a finding of a join", &mut together);
        println!(
            "work for each change, passes too: {:.2} s; memory {} MB",
            (seconds_of_work() - cpu) / (2 * rounds) as f64,
            memory()
        );
        for (what, change) in CHANGES {
            for round in 0..3 {
                let passes = shared.stand().passes;
                let cpu = seconds_of_work();
                change(&server, round);
                // To look costs too.
                while shared.stand().passes == passes {
                    thread::sleep(Duration::from_millis(100));
                }
                let worked = 1000.0 * (seconds_of_work() - cpu);
                println!("{what}: {worked:.0} ms of work, the pass and what led to it");
            }
        }
        println!("memory {} MB", memory());
        let cpu = seconds_of_work();
        thread::sleep(Duration::from_secs(20));
        println!(
            "work in 20 s without a change: {:.2} s",
            seconds_of_work() - cpu
        );
        weigh(&shared);
        stop.store(true, Ordering::Relaxed);
    });
}

/// A change, and the number of the time that it is made.
type Change = fn(&ApiServer, usize);

/// Changes whose passes are measured.
const CHANGES: [(&str, Change); 5] = [
    ("a pod is replaced", |server, round| {
        let pods = "/api/v1/namespaces/ns-7/pods";
        let gone = format!("{pods}/app-3-5d9c-{round}?gracePeriodSeconds=0");
        server.request("DELETE", &gone, None).unwrap();
        let mut pod = pod("app-3", false);
        pod["metadata"]["name"] = json!(format!("app-3-5d9c-{}", 10 + round));
        pod["metadata"]["ownerReferences"] = owner("ReplicaSet", "app-3-5d9c");
        server.request("POST", pods, Some(&pod)).unwrap();
    }),
    ("a RoleBinding is added", |server, round| {
        let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/ns-7";
        let binding = json!({"metadata": {"name": format!("more-{round}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "ServiceAccount", "name": format!("app-{round}"), "namespace": "ns-7"}]});
        let path = format!("{rbac}/rolebindings");
        server.request("POST", &path, Some(&binding)).unwrap();
    }),
    ("a NetworkPolicy is added", |server, round| {
        let policy = json!({"metadata": {"name": format!("more-{round}")},
            "spec": {"podSelector": {"matchLabels": {"app": format!("app-{round}")}}, "policyTypes": ["Egress"],
                "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}});
        let path = "/apis/networking.k8s.io/v1/namespaces/ns-7/networkpolicies";
        server.request("POST", path, Some(&policy)).unwrap();
    }),
    ("a namespace gets a label", |server, round| {
        let label = json!({"metadata": {"labels": {"round": format!("r{round}")}}});
        server
            .request("PATCH", "/api/v1/namespaces/ns-7", Some(&label))
            .unwrap();
    }),
    ("a ConfigMap's data change", |server, round| {
        let data = json!({"data": {"round": format!("r{round}")}});
        let path = "/api/v1/namespaces/ns-7/configmaps/app-1";
        server.request("PATCH", path, Some(&data)).unwrap();
    }),
];

fn owner(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": true}])
}

/// What holds the memory.
fn weigh(shared: &Shared) {
    let picture = shared.picture();
    for workloads in [true, false] {
        let all = picture.estate.resources().iter();
        let (mut number, mut text, mut tables) = (0, 0, 0);
        for resource in all.filter(|resource| resource.is_workload() == workloads) {
            let weight = resource.doc.weight();
            number += 1;
            text += weight.0;
            tables += weight.1;
        }
        let what = if workloads { "workloads" } else { "others" };
        println!(
            "  {number} {what}: text {} KB, values (each as if it shared none) {} KB, the rest {} KB and more",
            text / 1024,
            tables / 1024,
            number * (size_of::<model::doc::Doc>() + 2 * size_of::<model::Resource>()) / 1024
        );
    }
    let findings = shared.findings();
    let texts: usize = findings.iter().map(weight).sum();
    println!(
        "  {} findings: texts {} KB, the rest {} KB",
        findings.len(),
        texts / 1024,
        findings.len() * size_of::<model::finding::Finding>() / 1024
    );
}

fn weight(finding: &model::finding::Finding) -> usize {
    let places: usize = finding
        .places()
        .map(|place| {
            let note = place.note.as_ref().map_or(0, |note| note.len());
            place.route.capacity() + place.source.len() + note
        })
        .sum();
    let evidence = finding.evidence.iter();
    let evidence: usize = evidence
        .map(|one| one.route.capacity() + one.value.capacity() + size_of_val(one))
        .sum();
    finding.message.capacity()
        + places
        + evidence
        + finding.more_places.capacity() * size_of::<model::finding::Location>()
}

fn tell(what: &str, times: &mut [Duration]) {
    times.sort();
    println!(
        "{what}: median {:.0?}, longest {:.0?} of {}",
        times[times.len() / 2],
        times[times.len() - 1],
        times.len()
    );
}

fn until(so: impl Fn() -> bool) {
    while !so() {
        thread::sleep(Duration::from_millis(2));
    }
}

/// A Deployment becomes privileged, and is mended again.
fn one_object(server: &ApiServer, shared: &Shared, namespace: &str) -> Duration {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/app-0");
    let said = || {
        let findings = shared.findings_of(&path);
        findings
            .iter()
            .any(|finding| &*finding.guideline.0 == "pss-privileged")
    };
    let set = |privileged: bool| {
        let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app-0"},
            "spec": {"selector": {"matchLabels": {"app": "app-0"}}, "template": pod("app-0", privileged)}});
        let path = format!("{path}?fieldManager=bench&force=true");
        let (status, answer) = server.request("APPLY", &path, Some(&body)).unwrap();
        assert_eq!(status, 200, "{answer}");
    };
    let begin = Instant::now();
    set(true);
    until(said);
    let took = begin.elapsed();
    set(false);
    until(|| !said());
    took
}

/// A namespace loses its NetworkPolicy, and gets it back.
fn one_join(server: &ApiServer, shared: &Shared, namespace: &str) -> Duration {
    let list = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies");
    let at = format!("/api/v1/namespaces/{namespace}");
    let said = || shared.findings_of(&at).len();
    let before = said();
    let begin = Instant::now();
    server
        .request("DELETE", &format!("{list}/default-deny"), None)
        .unwrap();
    until(|| said() > before);
    let took = begin.elapsed();
    server.request("POST", &list, Some(&policy())).unwrap();
    until(|| said() == before);
    took
}

fn policy() -> Value {
    json!({"metadata": {"name": "default-deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
}

fn pod(name: &str, privileged: bool) -> Value {
    let container = |container: &str| {
        json!({"name": container, "image": format!("registry.example.com/{name}/{container}:1.{}", name.len()),
            "env": [{"name": "MODE", "value": "production"}, {"name": "REGION", "value": "westeurope"}],
            "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
            "securityContext": {"privileged": privileged, "readOnlyRootFilesystem": true}})
    };
    json!({"metadata": {"labels": {"app": name, "team": "shop"}}, "spec": {
        "containers": [container("web"), container("sidecar")],
        "volumes": [{"name": "tmp", "emptyDir": {}}]}})
}

/// What the objects of a namespace are: of each hundred 40 Pods that 10 ReplicaSets of 10 Deployments made, and what
/// goes with them.
fn objects(namespace: &str) -> Vec<(String, Value)> {
    let core = format!("/api/v1/namespaces/{namespace}");
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let mut all = vec![
        (
            format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"),
            policy(),
        ),
        (
            format!("{core}/resourcequotas"),
            json!({"metadata": {"name": "quota"}, "spec": {"hard": {"pods": "100"}}}),
        ),
    ];
    for number in 0..10 {
        let app = format!("app-{number}");
        let labels = json!({"matchLabels": {"app": app}});
        let set = format!("{app}-5d9c");
        all.push((
            format!("{apps}/deployments"),
            json!({"metadata": {"name": app}, "spec": {"replicas": 4, "selector": labels, "template": pod(&app, false)}}),
        ));
        all.push((
            format!("{apps}/replicasets"),
            json!({"metadata": {"name": set, "ownerReferences": owner("Deployment", &app)},
                "spec": {"replicas": 4, "selector": labels, "template": pod(&app, false)}}),
        ));
        for copy in 0..4 {
            let mut pod = pod(&app, false);
            pod["metadata"]["name"] = json!(format!("{set}-{copy}"));
            pod["metadata"]["ownerReferences"] = owner("ReplicaSet", &set);
            all.push((format!("{core}/pods"), pod));
        }
        all.push((
            format!("{core}/services"),
            json!({"metadata": {"name": app}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}),
        ));
        all.push((
            format!("{core}/configmaps"),
            json!({"metadata": {"name": app}, "data": {"settings.json": "{\"log\": \"info\"}\n".repeat(60)}}),
        ));
        all.push((
            format!("{core}/serviceaccounts"),
            json!({"metadata": {"name": app}}),
        ));
    }
    for number in 0..4 {
        let name = format!("reader-{number}");
        all.push((
            format!("{rbac}/roles"),
            json!({"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]}]}),
        ));
        all.push((
            format!("{rbac}/rolebindings"),
            json!({"metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": format!("app-{number}"), "namespace": namespace}]}),
        ));
    }
    assert_eq!(all.len(), IN_A_NAMESPACE);
    all
}

fn fill(server: &ApiServer, namespaces: usize) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= namespaces {
                        return;
                    }
                    let name = format!("ns-{number}");
                    let namespace = json!({"metadata": {"name": name}});
                    let made = server.request("POST", "/api/v1/namespaces", Some(&namespace));
                    assert_eq!(made.unwrap().0, 201);
                    for (path, body) in objects(&name) {
                        let (status, answer) = server.request("POST", &path, Some(&body)).unwrap();
                        assert_eq!(status, 201, "{path}: {answer}");
                    }
                }
            });
        }
    });
}

/// Resident memory of this process, in MB (`/proc/self/status`).
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}

/// Seconds that the processors worked for this process' threads (`/proc/self/task/*/schedstat`, nanoseconds).
fn seconds_of_work() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let worked = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    worked.sum::<f64>() / 1e9
}
