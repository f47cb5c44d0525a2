//! What a real API server does only on a bad day: it throttles, fails for a moment, forgets the past of a
//! long list, or has lost a server behind it. A loopback server answers as upstream documents it
//! (kubernetes.io/docs/reference/using-api/api-concepts, apiserver/pkg/endpoints).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Cluster, Options};
use crate::live::{Event, LiveError, Patience, Source};

/// What was asked, in order, and how often for pods.
#[derive(Default)]
struct Server {
    asked: Mutex<Vec<String>>,
    pods: AtomicUsize,
    nodes: AtomicUsize,
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, body.to_string()).into_response()
}

fn refused(status: u16, message: &str) -> Response {
    answer(
        status,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}),
    )
}

fn list(names: &[&str], go_on: &str) -> Response {
    let items: Vec<Value> = names
        .iter()
        .map(|name| match name.split_once('/') {
            Some((namespace, name)) => json!({"metadata": {"namespace": namespace, "name": name}}),
            None => json!({"metadata": {"name": name}}),
        })
        .collect();
    answer(
        200,
        &json!({"metadata": {"continue": go_on}, "items": items}),
    )
}

fn resource(resource: &str, kind: &str, scope: &str) -> Value {
    json!({"resource": resource, "responseKind": {"kind": kind}, "scope": scope, "verbs": ["get", "list"]})
}

fn serve(server: &Server, uri: &Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    match uri.path() {
        "/version" => answer(
            200,
            &json!({"major": "1", "minor": "34+", "gitVersion": "v1.34.4"}),
        ),
        "/api" => answer(
            200,
            &json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": ""}, "versions": [
            {"version": "v1", "freshness": "Current", "resources": [
                resource("namespaces", "Namespace", "Cluster"), resource("nodes", "Node", "Cluster"),
                resource("pods", "Pod", "Namespaced"), resource("services", "Service", "Namespaced"),
                resource("events", "Event", "Namespaced")]}]}]}),
        ),
        "/apis" => answer(
            200,
            &json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "cilium.io"},
            "versions": [{"version": "v2", "freshness": "Stale", "resources": []}]}]}),
        ),
        "/api/v1/namespaces" => list(&["bank", "shop"], ""),
        // Throttled, then failing for a moment; the list's past is then forgotten, with a way on.
        "/api/v1/pods" => match (server.pods.fetch_add(1, Ordering::Relaxed), query) {
            (0, _) => {
                let mut throttled = refused(429, "too many requests");
                throttled
                    .headers_mut()
                    .insert(header::RETRY_AFTER, "0".parse().unwrap());
                throttled
            }
            (1, _) => refused(503, "etcdserver: leader changed"),
            (_, query) if query.contains("continue=second") => {
                let mut body = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "the continue parameter is too old"});
                body["metadata"] = json!({"continue": "go/on"});
                answer(410, &body)
            }
            (_, query) if query.contains("continue=go%2Fon") => list(&["shop/b", "shop/c"], ""),
            _ => list(&["a-b/z", "shop/a"], "second"),
        },
        // Forgotten without a way on: from the beginning.
        "/api/v1/nodes" => match (server.nodes.fetch_add(1, Ordering::Relaxed), query) {
            (1, _) => refused(410, "expired"),
            (0, _) => list(&["n1", "n2"], "more"),
            (2, _) => list(&["n1", "n2", "n3"], "more"),
            _ => list(&["n4"], ""),
        },
        "/api/v1/services" => refused(403, "services is forbidden"),
        "/api/v1/namespaces/shop/services" => list(&["shop/web"], ""),
        "/api/v1/namespaces/bank/services" => refused(403, "services is forbidden"),
        other => refused(404, other),
    }
}

/// A cluster that a kubeconfig of one context names.
fn cluster(server: &str, user: Value, patience: Patience) -> Cluster {
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "me"}}],
        "clusters": [{"name": "shop", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": user}]});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    Cluster::new(Options {
        kubeconfig: Some(file),
        patience,
        ..Options::default()
    })
    .unwrap()
}

/// What is said while somebody waits, and the patience that says it.
fn impatience() -> (Arc<Mutex<Vec<String>>>, Patience) {
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&said);
    let mut patience = Patience::new(move |what| told.lock().unwrap().push(what.to_owned()));
    patience.after = Duration::from_millis(100);
    (said, patience)
}

#[test]
fn a_server_that_never_answers_is_not_waited_for_forever() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let (said, patience) = impatience();
    let mut cluster = cluster(&url, json!({"token": "t"}), patience);
    let error = cluster.kubernetes_minor().unwrap_err();
    assert_eq!(error.message, format!("{url} does not answer in time"));
    assert_eq!(*said.lock().unwrap(), [url]);
}

#[cfg(unix)]
#[test]
fn a_program_that_never_signs_in_is_not_waited_for_forever() {
    let exec = |script: &str, mode: &str| {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
            "args": ["-c", script], "interactiveMode": mode}})
    };
    let (said, patience) = impatience();
    let mut never = cluster(
        "http://127.0.0.1:1",
        exec("exec sleep 20", "Never"),
        patience,
    );
    let error = never.kubernetes_minor().unwrap_err();
    assert!(
        error
            .message
            .starts_with("`/bin/sh`, which signs in, gave no token in "),
        "{}",
        error.message
    );
    assert!(error.help.unwrap().contains("by hand"));
    assert_eq!(*said.lock().unwrap(), ["`/bin/sh`, which signs in"]);
    // One that asks somebody gets more time: it is done before that is over.
    let (said, patience) = impatience();
    let slow = exec("sleep 2; echo no token", "IfAvailable");
    let error = cluster("http://127.0.0.1:1", slow, patience)
        .kubernetes_minor()
        .unwrap_err();
    assert_eq!(
        error.message,
        "the program that the kubeconfig names for signing in gave no token"
    );
    assert!(!said.lock().unwrap().is_empty());
}

#[test]
fn an_auth_provider_is_named_as_what_it_is() {
    let user = json!({"auth-provider": {"name": "azure", "config": {"access-token": "canary"}}});
    let mut cluster = cluster("http://127.0.0.1:1", user, Patience::default());
    let error = cluster.kubernetes_minor().unwrap_err();
    assert!(
        error.message.contains("`auth-provider`"),
        "{}",
        error.message
    );
    assert!(error.help.unwrap().contains("kubelogin convert-kubeconfig"));
}

/// What a cluster tells, an event a line.
fn told() -> (Vec<String>, Vec<String>) {
    let server = Arc::new(Server::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = Arc::clone(&server);
    // The thread ends with the test's process.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let handle = |State(server): State<Arc<Server>>, request: Request| async move {
                let uri = request.uri().clone();
                if request.headers().contains_key(header::AUTHORIZATION) {
                    server.asked.lock().unwrap().push(uri.to_string());
                }
                serve(&server, &uri)
            };
            let router = Router::new().fallback(handle).with_state(shared);
            axum::serve(listener, router).await.unwrap();
        });
    });
    let server_url = format!("http://127.0.0.1:{port}");
    let mut cluster = cluster(&server_url, json!({"token": "t"}), Patience::default());
    assert_eq!(cluster.name(), "cluster shop");
    assert_eq!(cluster.kubernetes_minor().unwrap(), Some(34));
    let mut lines = Vec::new();
    cluster
        .read(&mut |event| {
            match event {
                Event::Doing(_) | Event::Kept(_) | Event::Entry(_) => {}
                Event::Object(object) => lines.push(format!("object {}", object.address)),
                Event::Complete { kind, within } => lines.push(format!("complete {kind} {within}")),
                Event::Gap(gap) => {
                    lines.push(format!("gap {} {}: {}", gap.kind, gap.within, gap.why))
                }
                Event::Other { kind, .. } => lines.push(format!("other {kind}")),
            }
            Ok::<(), LiveError>(())
        })
        .unwrap();
    let asked = server.asked.lock().unwrap().clone();
    (lines, asked)
}

#[test]
fn bad_days_end_in_the_whole_or_in_a_gap() {
    let (lines, asked) = told();
    let about = |word: &str| -> Vec<&str> {
        lines
            .iter()
            .map(String::as_str)
            .filter(|line| line.contains(word))
            .collect()
    };
    assert_eq!(
        about("/nodes/"),
        [
            "object /api/v1/nodes/n1",
            "object /api/v1/nodes/n2",
            "object /api/v1/nodes/n3",
            "object /api/v1/nodes/n4",
        ]
    );
    assert_eq!(
        about("/pods/"),
        [
            "object /api/v1/namespaces/a-b/pods/z",
            "object /api/v1/namespaces/shop/pods/a",
            "object /api/v1/namespaces/shop/pods/b",
            "object /api/v1/namespaces/shop/pods/c",
        ]
    );
    for kind in ["Node", "Pod", "Namespace", "NetworkPolicy"] {
        let line = format!("complete {kind} ");
        assert!(lines.contains(&line), "{line}");
    }
    assert_eq!(
        [about("/services/"), about(" Service ")].concat(),
        [
            "object /api/v1/namespaces/shop/services/web",
            "complete Service shop",
            "gap Service bank: the cluster refused to list services in namespace `bank` (403)",
        ]
    );
    // The server behind a group is away: its kinds are not known to be absent.
    assert_eq!(
        about("CiliumNetworkPolicy"),
        [
            "gap CiliumNetworkPolicy.cilium.io : the server of `cilium.io` does not answer, so nobody knows whether it serves ciliumnetworkpolicies"
        ]
    );
    assert_eq!(about("other"), ["other Event"]);
    assert_eq!(about("/version"), ["object /version"]);
    let pods = asked.iter().filter(|path| path.contains("/pods")).count();
    assert_eq!(pods, 5, "{asked:?}");
    assert!(asked.iter().all(|path| !path.contains("secrets")));
}
