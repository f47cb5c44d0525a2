//! Before a real API server: what is refused, what is let in, a webhook that is away, one that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use oracle::ApiServer;
use serde_json::{Value, json};
use server::bench::gate;
use server::install::{self, CONFIGURATIONS, Installed, NAME, Way};
use server::tls::made;

use super::decisions::{bad, good};
use super::running::{Running, Wishes, is_set, names};

/// What `serve --install` would write, for a webhook outside of the cluster.
pub(crate) fn configuration(running: &Running) -> Value {
    let config = running.law.config.now();
    let setting = running.law.setting(&config, "2026-11-27").unwrap();
    let gate = gate(&running.law, &config, &setting, "2026-11-27");
    let installed = Installed {
        way: Way::Url(format!("https://{}", running.address)),
        trusted: Some(running.trusted()),
        exclude: vec!["seawall".to_owned()],
        injected_from: None,
    };
    install::configuration(&gate, &installed)
}

/// An API server with namespace `shop`.
fn api_server() -> ApiServer {
    let server = ApiServer::start().unwrap();
    for name in ["shop", "kube-system", "labelled"] {
        let mut namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        if name == "labelled" {
            namespace["metadata"]["labels"] = json!({ "control-plane": "true" });
        }
        let (status, answer) = server
            .request("POST", "/api/v1/namespaces", Some(&namespace))
            .unwrap();
        assert!(status == 201 || status == 409, "{answer}");
    }
    server
}

pub(crate) fn install(server: &ApiServer, running: &Running) {
    let path = format!("{CONFIGURATIONS}/{NAME}?fieldManager=seawall&force=true");
    let (status, answer) = server
        .request("APPLY", &path, Some(&configuration(running)))
        .unwrap();
    assert!(status < 300, "{answer}");
}

const PODS: &str = "/api/v1/namespaces/shop/pods";

/// Waits until the configuration counts: a bad pod is refused.
fn enforced(server: &ApiServer) -> Value {
    let dry = format!("{PODS}?dryRun=All");
    let (status, answer) = server
        .eventually("POST", &dry, Some(&bad()), |status, _| status == 403)
        .unwrap();
    assert_eq!(status, 403, "{answer}");
    answer
}

#[test]
fn an_api_server_refuses_what_the_gate_refuses() {
    let server = api_server();
    // Something that was there before.
    let (status, answer) = server.request("POST", PODS, Some(&bad())).unwrap();
    assert_eq!(status, 201, "{answer}");
    let running = Running::start(Wishes::default());
    install(&server, &running);
    let answer = enforced(&server);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.starts_with("admission webhook \"closed.seawall.dev\" denied the request: seawall refuses Pod shop/bad: "),
        "{message}"
    );
    assert!(message.contains("pss-host-path (critical)"), "{message}");
    let (status, answer) = server.request("POST", PODS, Some(&good())).unwrap();
    assert_eq!(status, 201, "{answer}");
    // What is less than high warns.
    let mut pod = good();
    pod["metadata"]["name"] = "warned".into();
    pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = false.into();
    let (status, answer, warnings) = server.request_warned("POST", PODS, Some(&pod)).unwrap();
    assert_eq!(status, 201, "{answer}");
    assert!(
        warnings
            .iter()
            .any(|line| line.contains("`seawall explain ")),
        "{warnings:?}"
    );
    // What was there before can be labelled, get a finalizer, lose it, and go.
    let path = format!("{PODS}/bad");
    let label = json!({ "metadata": { "labels": { "seen": "yes" } } });
    let (status, answer) = server.request("PATCH", &path, Some(&label)).unwrap();
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = server
        .request("DELETE", &format!("{path}?gracePeriodSeconds=0"), None)
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    // An ephemeral container is seen too.
    let path = format!("{PODS}/good/ephemeralcontainers");
    let debug = json!({ "spec": { "ephemeralContainers": [{
        "name": "debug", "image": "busybox", "securityContext": { "privileged": true }
    }] } });
    let (status, answer) = server.request("PATCH", &path, Some(&debug)).unwrap();
    assert_eq!(status, 403, "{answer}");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("seawall refuses"),
        "{answer}"
    );
    // Namespaces that are left alone.
    for namespace in ["kube-system", "labelled"] {
        let mut pod = bad();
        pod["metadata"]["namespace"] = namespace.into();
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let (status, answer) = server.request("POST", &path, Some(&pod)).unwrap();
        assert_eq!(status, 201, "{namespace}: {answer}");
    }
}

#[test]
fn a_webhook_that_is_away_follows_its_failure_mode() {
    let server = api_server();
    let running = Running::start(Wishes::default());
    install(&server, &running);
    enforced(&server);
    let stored = format!("{CONFIGURATIONS}/{NAME}");
    let (_, configuration) = server.request("GET", &stored, None).unwrap();
    let policies: Vec<&str> = configuration["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|webhook| webhook["failurePolicy"].as_str().unwrap())
        .collect();
    assert_eq!(policies, ["Fail", "Ignore"]);
    drop(running);
    // Critical guidelines fail closed.
    let dry = format!("{PODS}?dryRun=All");
    let (status, answer) = server.request("POST", &dry, Some(&good())).unwrap();
    assert_eq!(status, 500, "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("failed calling webhook \"closed.seawall.dev\""),
        "{message}"
    );
    // What nobody judges is not held up, nor is the way out.
    let map = json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": "e", "namespace": "shop" },
        "involvedObject": { "namespace": "shop" } });
    let (status, answer) = server
        .request("POST", "/api/v1/namespaces/shop/events", Some(&map))
        .unwrap();
    assert_eq!(status, 201, "{answer}");
    let (status, _) = server.request("DELETE", &stored, None).unwrap();
    assert_eq!(status, 200);
    let (status, answer) = server
        .eventually("POST", &dry, Some(&good()), |status, _| status == 201)
        .unwrap();
    assert_eq!(status, 201, "{answer}");
    // With nothing that fails closed, nobody is held up. What others changed stays.
    let mut there = configuration.clone();
    let other = json!({ "key": "team", "operator": "Exists" });
    let at = "/webhooks/1/namespaceSelector/matchExpressions";
    let expressions = there.pointer_mut(at).unwrap().as_array_mut().unwrap();
    expressions.push(other.clone());
    let renew = |there: &mut Value, config: &'static str, exclude: &str| {
        let running = Running::start(Wishes {
            config,
            ..Wishes::default()
        });
        let config = running.law.config.now();
        let setting = running.law.setting(&config, "2026-11-27").unwrap();
        let gate = gate(&running.law, &config, &setting, "2026-11-27");
        install::renew(there, &gate, vec![exclude.to_owned()])
    };
    assert!(!renew(&mut there, "", "seawall"));
    assert!(renew(&mut there, "serve: { fail-closed: [] }\n", "seawall"));
    let [open] = there["webhooks"].as_array().unwrap().as_slice() else {
        panic!("{there}");
    };
    assert_eq!(open["failurePolicy"], "Ignore");
    assert_eq!(
        open["clientConfig"],
        configuration["webhooks"][1]["clientConfig"]
    );
    let selector = open["namespaceSelector"]["matchExpressions"]
        .as_array()
        .unwrap();
    assert!(selector.contains(&other), "{open}");
    assert!(renew(&mut there, "", "seawall"));
    let (one, two) = (&there["webhooks"][0], &configuration["webhooks"][0]);
    for key in [
        "name",
        "rules",
        "failurePolicy",
        "clientConfig",
        "namespaceSelector",
    ] {
        assert_eq!(one[key], two[key], "{key}");
    }
    assert!(renew(&mut there, "", "elsewhere"));
    assert!(there.to_string().contains("elsewhere"), "{there}");
    let running = Running::start(Wishes {
        config: "serve: { fail-closed: [] }\n",
        ..Wishes::default()
    });
    install(&server, &running);
    enforced(&server);
    drop(running);
    let (status, answer) = server.request("POST", &dry, Some(&bad())).unwrap();
    assert_eq!(status, 201, "{answer}");
}

#[test]
fn a_webhook_that_hangs_is_answered_for_in_time() {
    let server = api_server();
    // Reviews are taken in, and nobody judges them.
    let running = Running::start(Wishes {
        judges: false,
        ..Wishes::default()
    });
    install(&server, &running);
    let dry = format!("{PODS}?dryRun=All");
    let (status, answer) = server
        .eventually("POST", &dry, Some(&good()), |status, _| status != 201)
        .unwrap();
    assert_eq!(status, 503, "{answer}");
    let begin = Instant::now();
    let (status, answer) = server.request("POST", &dry, Some(&good())).unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(6),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(status, 503, "{answer}");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("there was no time left"),
        "{answer}"
    );
}

#[test]
fn a_renewal_loses_no_request_of_an_api_server() {
    let server = Arc::new(api_server());
    let running = Running::start(Wishes {
        made_ago: 61 * 86_400,
        ..Wishes::default()
    });
    install(&server, &running);
    enforced(&server);
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = {
        let (server, stop, asked) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&asked));
        thread::spawn(move || {
            let dry = format!("{PODS}?dryRun=All");
            while !is_set(&stop) {
                let (status, answer) = server.request("POST", &dry, Some(&good())).unwrap();
                assert_eq!(status, 201, "{answer}");
                let (status, answer) = server.request("POST", &dry, Some(&bad())).unwrap();
                assert_eq!(status, 403, "{answer}");
                asked.fetch_add(2, Ordering::Relaxed);
            }
        })
    };
    let mut clock = jiff::Timestamp::now().as_second();
    for after in [0, made::OVERLAP, 4 * made::OVERLAP] {
        clock += after;
        let kept = running.kept.lock().unwrap().clone();
        let next = made::step(&kept, &names(), clock).unwrap().unwrap();
        *running.kept.lock().unwrap() = next.clone();
        install(&server, &running);
        thread::sleep(Duration::from_secs(2));
        running.certificates.exchange(made::shown(&next).unwrap());
        thread::sleep(Duration::from_secs(1));
    }
    stop.store(true, Ordering::Relaxed);
    asking.join().unwrap();
    assert!(asked.load(Ordering::Relaxed) > 10);
}

#[test]
fn an_object_as_large_as_an_api_server_takes_is_judged() {
    let server = api_server();
    let running = Running::start(Wishes::default());
    install(&server, &running);
    enforced(&server);
    let dry = format!("{PODS}?dryRun=All");
    // Requests of 3 MiB are the most (`MaxRequestBodyBytes`, `k8s.io/apiserver/pkg/server/config.go`).
    for (pod, expected) in [(good(), 201), (bad(), 403)] {
        let mut pod = pod;
        let many: Vec<Value> = (0..64)
            .map(|number| json!({ "name": format!("V{number}"), "value": "x".repeat(40 << 10) }))
            .collect();
        pod["spec"]["containers"][0]["env"] = many.into();
        let (status, answer) = server.request("POST", &dry, Some(&pod)).unwrap();
        assert_eq!(status, expected, "{}", answer["message"]);
    }
    assert_eq!(running.refused("too-large"), 0.0);
}
