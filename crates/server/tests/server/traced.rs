//! Traces as a collector gets them: read with the code that OpenTelemetry generates from its definitions.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use oracle::ApiServer;
use prost::Message as _;
use serde_json::json;
use server::trace::{Settings, Tracer};

use super::decisions::bad;
use super::running::{Running, Wishes};
use super::watch::{deployment, namespace, options, watch};

type Requests = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that takes what it gets, after so many refusals.
fn collector(refusals: usize) -> (String, Requests) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Requests::default();
    let noted = Arc::clone(&requests);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut part = [0; 8192];
            let (head, begin) = loop {
                let read = stream.read(&mut part).unwrap();
                bytes.extend_from_slice(&part[..read]);
                let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(end) = end {
                    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
                    break (head, end + 4);
                }
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap().trim().parse().unwrap();
            while bytes.len() < begin + length {
                let read = stream.read(&mut part).unwrap();
                bytes.extend_from_slice(&part[..read]);
            }
            let status = if number < refusals {
                "503 Service Unavailable"
            } else {
                let body = bytes[begin..begin + length].to_vec();
                noted.lock().unwrap().push((head, body));
                "200 OK"
            };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, requests)
}

fn tracer(url: &str) -> Arc<Tracer> {
    let settings = Settings::of(|name| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(url.to_owned()),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("api-key=sesame".to_owned()),
        "OTEL_RESOURCE_ATTRIBUTES" => Some("k8s.cluster.name=shop".to_owned()),
        _ => None,
    });
    Tracer::new(settings.unwrap())
}

/// Every span that arrived.
fn spans(requests: &Requests) -> Vec<Span> {
    let requests = requests.lock().unwrap();
    let mut all = Vec::new();
    for (head, body) in requests.iter() {
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        assert!(head.contains("api-key: sesame"), "{head}");
        let request = ExportTraceServiceRequest::decode(&**body).unwrap();
        // Nothing in it that the definitions do not have.
        assert_eq!(request.encode_to_vec().len(), body.len());
        for of in request.resource_spans {
            let resource = of.resource.unwrap();
            let named = |key: &str| {
                let found = resource.attributes.iter().find(|one| one.key == key);
                found.and_then(|one| one.value.clone()?.value)
            };
            assert_eq!(
                named("service.name"),
                Some(Said::StringValue("seawall".to_owned()))
            );
            assert_eq!(
                named("k8s.cluster.name"),
                Some(Said::StringValue("shop".to_owned()))
            );
            all.extend(of.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    all
}

fn said(span: &Span, key: &str) -> Option<Said> {
    let found = span.attributes.iter().find(|one| one.key == key);
    found.and_then(|one| one.value.clone()?.value)
}

#[test]
fn a_review_is_a_span_of_the_trace_that_the_api_server_began() {
    let (url, requests) = collector(1);
    let tracer = tracer(&url);
    let running = Running::start(Wishes {
        tracer: Arc::clone(&tracer),
        ..Wishes::default()
    });
    let mut pod = bad();
    pod["metadata"]["annotations"] = json!({"note": "canary-in-an-object"});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop", "name": "bad", "operation": "CREATE",
            "userInfo": {"username": "jane"}, "object": pod, "dryRun": false
        }
    });
    let body = review.to_string();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for flags in ["01", "00"] {
        let mut speaking = running.connect().unwrap();
        let head = format!(
            "POST /validate/closed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-{flags}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        speaking.stream.write_all(head.as_bytes()).unwrap();
        speaking.stream.write_all(body.as_bytes()).unwrap();
        let (status, answer) = speaking.receive().unwrap();
        assert_eq!(status, 200);
        assert!(answer.contains("\"allowed\":false"), "{answer}");
    }
    // One of its own.
    running.review("/validate/open", &body);
    tracer.export(&AtomicBool::new(true), &|_| {});
    // The first message is refused once, and there is no second attempt when the process ends.
    assert_eq!(tracer.counts().0, 0);
    let (status, _) = running.ask("POST", "/validate/closed", body.as_bytes());
    assert_eq!(status, 200);
    let mut speaking = running.connect().unwrap();
    let head = format!(
        "POST /validate/closed HTTP/1.1\r\nHost: localhost\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    speaking.stream.write_all(head.as_bytes()).unwrap();
    speaking.stream.write_all(body.as_bytes()).unwrap();
    speaking.receive().unwrap();
    tracer.export(&AtomicBool::new(true), &|_| {});
    let all = spans(&requests);
    let names: Vec<&str> = all.iter().map(|span| &*span.name).collect();
    assert_eq!(
        names
            .iter()
            .filter(|name| **name == "admission review")
            .count(),
        2
    );
    assert_eq!(names.iter().filter(|name| **name == "judge").count(), 2);
    let own = |name: &str| {
        let of = |span: &&Span| {
            let id: String = span
                .trace_id
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            span.name == name && id == trace
        };
        all.iter().find(of).unwrap().clone()
    };
    let (served, judged) = (own("admission review"), own("judge"));
    assert_eq!(
        served.parent_span_id,
        [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]
    );
    assert_eq!(judged.parent_span_id, served.span_id);
    assert_eq!(served.kind, SpanKind::Server as i32);
    assert_eq!(
        said(&served, "seawall.allowed"),
        Some(Said::BoolValue(false))
    );
    assert_eq!(
        said(&judged, "k8s.kind"),
        Some(Said::StringValue("Pod".to_owned()))
    );
    let Some(Said::IntValue(findings)) = said(&judged, "seawall.findings") else {
        panic!("{judged:?}");
    };
    assert!(findings > 0);
    assert!(served.start_time_unix_nano <= judged.start_time_unix_nano);
    assert!(served.end_time_unix_nano >= judged.end_time_unix_nano);
    // Nothing of the object, and no name.
    let text = format!("{all:?}");
    for secret in ["canary-in-an-object", "jane", "shop/", "sesame"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn passes_are_spans_and_a_collector_that_is_away_holds_nobody_up() {
    let (url, requests) = collector(2);
    let tracer = tracer(&url);
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "web", true);
    let mut with = options(server.kubeconfig());
    with.tracer = Arc::clone(&tracer);
    let watching = watch(with);
    watching.ready();
    let stop = Arc::new(AtomicBool::new(false));
    let (exporter, end) = (Arc::clone(&tracer), Arc::clone(&stop));
    let sending = thread::spawn(move || exporter.export(&end, &|_| {}));
    watching.until("a span", |_| tracer.counts().0 > 0);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    sending.join().unwrap();
    let all = spans(&requests);
    let pass = all.iter().find(|span| span.name == "pass").unwrap();
    assert!(pass.parent_span_id.is_empty());
    assert!(pass.end_time_unix_nano > pass.start_time_unix_nano);
    let Some(Said::IntValue(resources)) = said(pass, "seawall.resources") else {
        panic!("{pass:?}");
    };
    assert!(resources > 0);
}
