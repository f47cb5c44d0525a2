//! How long it takes to say what a binding, and a pod, open to attackers, beside so many objects.
//!
//! ```text
//! cargo run --release -p seawall-server --example ways [NAMESPACES]
//! ```
//!
//! A namespace has ten Deployments with a pod each, their accounts, roles and bindings, a Service, a network policy.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement for people at a terminal"
)]

use std::time::{Duration, Instant};

use analysis::paths::Wishes;
use guide::{Guide, setting};
use model::managed::Managed;
use model::manifest::{Form, Reader};
use model::resource::Origin;
use model::{Estate, Scope};
use report::config::{Asked, Config, Serve};
use report::triage::Triage;
use serde_json::{Value, json};
use server::admission::{Gate, Half, Review, Rules, Ways};

const RBAC: &str = "rbac.authorization.k8s.io";

fn template(app: &str) -> Value {
    json!({ "metadata": { "labels": { "app": app } }, "spec": {
        "serviceAccountName": app, "containers": [{ "name": "web", "image": "example.azurecr.io/web:1",
            "ports": [{ "containerPort": 8080 }] }] } })
}

fn namespace(number: usize) -> Vec<Value> {
    let within = format!("team-{number}");
    let meta = |name: &str| json!({ "name": name, "namespace": within });
    let mut all = vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": within,
            "labels": { "pod-security.kubernetes.io/enforce": if number.is_multiple_of(2) { "baseline" } else { "privileged" } } } }),
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("own"),
            "spec": { "podSelector": {}, "policyTypes": ["Ingress"],
                "ingress": [{ "from": [{ "podSelector": {} }] }, { "ports": [{ "port": 8080 }] }] } }),
    ];
    for app in 0..10 {
        let app = format!("app-{app}");
        let selector = json!({ "app": app });
        all.push(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(&app) }));
        all.push(
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(&app),
            "spec": { "selector": { "matchLabels": selector }, "template": template(&app) } }),
        );
        let mut pod = template(&app);
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = format!("{app}-5d4f-x2x9z").into();
        pod["metadata"]["namespace"] = within.clone().into();
        pod["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-5d4f"), "controller": true, "uid": "u" }]);
        all.push(pod);
        all.push(json!({ "apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": meta(&app),
            "rules": [{ "apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get"] }] }));
        all.push(json!({ "apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding", "metadata": meta(&app),
            "roleRef": { "apiGroup": RBAC, "kind": "Role", "name": app },
            "subjects": [{ "kind": "ServiceAccount", "name": app, "namespace": within }] }));
    }
    all.push(json!({ "apiVersion": "v1", "kind": "Service", "metadata": meta("entrance"),
        "spec": { "type": "LoadBalancer", "selector": { "app": "app-0" }, "ports": [{ "port": 80, "targetPort": 8080 }] } }));
    all
}

fn review(plural: &str, object: &Value) -> String {
    let (group, version) = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
        .unwrap_or(("", "v1"));
    json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
        "kind": { "group": group, "version": version, "kind": object["kind"] },
        "resource": { "group": group, "version": version, "resource": plural },
        "namespace": object["metadata"]["namespace"], "name": object["metadata"]["name"],
        "operation": "CREATE", "userInfo": { "username": "jane" }, "object": object } })
    .to_string()
}

/// What the process takes now and took at most, in MB.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
        kib.unwrap_or_default() / 1024
    };
    format!("{} MB now, {} MB at most", of("VmRSS:"), of("VmHWM:"))
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let namespaces: usize = std::env::args().nth(1).map_or(375, |number| {
        number.parse().expect("a number of namespaces")
    });
    let (guide, _) = Guide::builtin();
    let setting = setting::setting(&guide, None, Some(34)).expect("the guide's own parameters");
    let managed = Managed::default();
    let reader = Reader {
        symbols: &guide.symbols,
        wants: &|_| true,
        managed: &managed,
        defaults: &guide.defaults,
        limits: yaml::Limits::default(),
        schema: None,
    };
    let mut estate = Estate::new(Scope::Whole);
    for object in (0..namespaces).flat_map(namespace) {
        let origin = Origin {
            path: object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .into(),
            index: 0,
            rendered_by: None,
            live: true,
        };
        for resource in reader
            .read(&object.to_string(), Form::Json, 1, &origin)
            .resources
        {
            estate.add(resource);
        }
    }
    estate.imply_namespaces(&guide.symbols);
    println!("{} objects, {}", estate.resources().len(), memory());
    let beside = guide::facts::analyses(&guide, &setting, &estate);
    let begin = Instant::now();
    let _ = beside.escalations();
    println!(
        "rights of all, once for each picture: {:.2?}",
        begin.elapsed()
    );
    let serve = Serve {
        ways: Asked::Everything,
        ..Serve::default()
    };
    let gate = Gate::new(
        &guide,
        &setting,
        Rules {
            serve,
            dry_run: true,
        },
        Triage::new(&Config::default(), "2026-11-27"),
        Managed::default(),
        |_| true,
    );
    let without = |gate: &Gate<'_>, name: &str, body: &str| {
        let review = Review::parse(body).expect("a review");
        let begin = Instant::now();
        let mut decision = gate.decide(&review, Half::Open, None, Some(&beside), &|_| false);
        if gate.is_to_complete(&review, Half::Open, &beside) {
            gate.complete(&review, &beside, &|_| false, &mut decision);
        }
        println!(
            "{name}: {:.2?}, opens {}, completes {:?}",
            begin.elapsed(),
            decision.opens.len(),
            decision
                .completes
                .first()
                .map(|way| (&way.jewel, &way.start, way.deeds.len()))
        );
    };
    let binding = review(
        "clusterrolebindings",
        &json!({ "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": "new" },
            "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "kind": "ServiceAccount", "name": "app-0", "namespace": "team-1" }] }),
    );
    let pod = review(
        "pods",
        &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "new", "namespace": "team-1" },
            "spec": { "containers": [{ "name": "c", "image": "web", "securityContext": { "privileged": true } }] } }),
    );
    without(&gate, "a binding, without ways", &binding);
    let gate = gate.looking_for(Ways::new(
        &guide,
        &setting,
        Wishes::default(),
        Asked::Everything,
    ));
    without(&gate, "the first with ways", &binding);
    let took = || gate.ways().map_or(Duration::ZERO, Ways::took);
    for _ in 0..3 {
        without(&gate, "a binding", &binding);
        println!("  ways: {:.2?}", took());
        without(&gate, "a pod", &pod);
        println!("  ways: {:.2?}", took());
    }
    println!("{}", memory());
}
