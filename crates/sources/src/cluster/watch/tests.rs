//! What a real API server does only on a bad day of a watch: it forgets the version, says what nobody understands,
//! says nothing any more. A loopback server answers as upstream documents it
//! (kubernetes.io/docs/reference/using-api/api-concepts, "Efficient detection of changes").

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::Pace;
use crate::cluster::{Cluster, Options};
use crate::live::{Change, Event, LiveError, Object};

/// What was asked of pods: lists and watches, in order.
#[derive(Default)]
struct Server {
    asked: Mutex<Vec<String>>,
    lists: AtomicUsize,
    watches: AtomicUsize,
}

fn pod(name: &str, version: u32, image: &str) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name, "resourceVersion": version.to_string()},
        "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn list(version: u32, items: &[Value]) -> Response {
    let list = json!({"metadata": {"resourceVersion": version.to_string()}, "items": items});
    list.to_string().into_response()
}

fn lines(lines: &[(&str, Value)]) -> String {
    lines
        .iter()
        .map(|(kind, object)| format!("{}\n", json!({"type": kind, "object": object})))
        .collect()
}

/// Says it, and then nothing, and does not hang up.
fn open(text: String) -> Response {
    let said = futures::stream::once(async { Ok::<_, std::io::Error>(text) });
    Body::from_stream(said.chain(futures::stream::pending())).into_response()
}

fn pods(server: &Server, query: &str) -> Response {
    let version = query
        .split('&')
        .find_map(|part| part.strip_prefix("resourceVersion="));
    let watch = query.contains("watch=true");
    let asked = match (watch, version) {
        (true, Some(version)) => format!("watch {version}"),
        (true, None) => "watch".to_owned(),
        (false, _) => "list".to_owned(),
    };
    server.asked.lock().unwrap().push(asked);
    if !watch {
        return match server.lists.fetch_add(1, Ordering::Relaxed) {
            0 => list(10, &[pod("a", 8, "one"), pod("b", 9, "one")]),
            _ => list(30, &[pod("b", 25, "two"), pod("c", 12, "one")]),
        };
    }
    let expired = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    match server.watches.fetch_add(1, Ordering::Relaxed) {
        // A heartbeat changes the version and nothing that is told.
        0 => lines(&[
            ("MODIFIED", pod("b", 11, "one")),
            ("ADDED", pod("c", 12, "one")),
            ("BOOKMARK", json!({"metadata": {"resourceVersion": "20"}})),
        ])
        .into_response(),
        1 => lines(&[("ERROR", expired)]).into_response(),
        2 => {
            let mut text = lines(&[("DELETED", pod("c", 31, "one"))]);
            text.push_str("{\"type\": \"ADDED\", \"obj\n");
            text.into_response()
        }
        3 => {
            let mut answer = expired.to_string().into_response();
            *answer.status_mut() = axum::http::StatusCode::GONE;
            answer
        }
        _ => open(lines(&[("ADDED", pod("d", 40, "one"))])),
    }
}

fn serve(server: &Server, uri: &Uri) -> Response {
    let group = |resources: Value| {
        json!({"kind": "APIGroupDiscoveryList", "items": resources})
            .to_string()
            .into_response()
    };
    match uri.path() {
        "/version" => json!({"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
            .to_string()
            .into_response(),
        "/api" => group(json!([{"metadata": {"name": ""}, "versions": [
            {"version": "v1", "freshness": "Current", "resources": [
                {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": ["get", "list", "watch"]}]}]}])),
        "/apis" => group(json!([])),
        "/api/v1/pods" => pods(server, uri.query().unwrap_or_default()),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

/// What is told of pods until `enough` says so, and what was asked.
fn told(enough: impl Fn(&[String]) -> bool) -> (Vec<String>, Vec<String>) {
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
            let handle =
                |State(server): State<Arc<Server>>, uri: Uri| async move { serve(&server, &uri) };
            let router = Router::new().fallback(handle).with_state(shared);
            axum::serve(listener, router).await.unwrap();
        });
    });
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "me"}}],
        "clusters": [{"name": "shop", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "me", "user": {}}]});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut cluster = Cluster::new(Options {
        kubeconfig: Some(file),
        ..Options::default()
    })
    .unwrap();
    let pace = Pace {
        first: Duration::from_millis(5),
        longest: Duration::from_millis(20),
        silence: Duration::from_millis(400),
        ..Pace::default()
    };
    let mut told = Vec::new();
    let name = |address: &str| address.rsplit('/').next().unwrap_or_default().to_owned();
    let done = cluster.watch(&pace, &AtomicBool::new(false), &mut |change| {
        let word = match change {
            Change::Told(Event::Object(Object { address, json, .. }))
                if address.contains("/pods/") =>
            {
                let two = if json.contains("\"two\"") { " two" } else { "" };
                format!("object {}{two}", name(&address))
            }
            Change::Told(Event::Complete { kind, .. }) if &*kind == "Pod" => "complete".to_owned(),
            Change::Gone(address) => format!("gone {}", name(&address)),
            Change::Lost { kind, why } if &*kind == "Pod" => format!("lost: {why}"),
            _ => return Ok(()),
        };
        told.push(word);
        if enough(&told) {
            return Err(LiveError::stopped());
        }
        Ok(())
    });
    assert_eq!(done.unwrap_err().message, "stopped");
    let asked = server.asked.lock().unwrap().clone();
    (told, asked)
}

#[test]
fn a_watch_goes_on_whatever_the_server_does() {
    let lost = |told: &[String]| told.iter().any(|word| word.starts_with("lost"));
    let (told, asked) = told(lost);
    assert_eq!(
        told,
        [
            "object a",
            "object b",
            "complete",
            // The heartbeat of b is not told.
            "object c",
            // Forgotten: what the new list holds is told where it differs.
            "object b two",
            "gone a",
            "complete",
            "gone c",
            // Forgotten again, and c is back.
            "object c",
            "complete",
            "object d",
            // Of that one watch after the other says nothing.
            "lost: the watch of pods said nothing for 400ms",
        ]
    );
    // A bookmark moved the version on, and so did a deletion before what nobody understood.
    assert_eq!(
        asked[..8],
        [
            "list", "watch 10", "watch 20", "list", "watch 30", "watch 31", "list", "watch 30"
        ]
    );
    assert_eq!(asked[8], "watch 40");
}
