//! Events and logs of the tests.

use std::path::PathBuf;

use audit::{Fold, Losses, Options, Record, Source, What};
use serde_json::{Value, json};

/// An event as the API server writes it: keys in its order.
pub(crate) fn event(number: usize, verb: &str, name: &str) -> String {
    let second = number % 60;
    let minute = number / 60 % 60;
    let spec = json!({"containers": [{"name": "a", "image": "x\"y\\z\n\u{e9}\u{1F600}"}]});
    let text = |value: &str| Value::from(value).to_string();
    let object = json!({"kind": "Pod", "metadata": {"name": name}, "spec": spec});
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"RequestResponse\",\
         \"auditID\":\"id-{number}\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/namespaces/shop/pods/{name}?x=1\",\"verb\":\"{verb}\",\
         \"user\":{{\"username\":\"alice\",\"uid\":\"u1\",\"groups\":[\"dev\",\"system:authenticated\"],\
         \"extra\":{{\"k\":[\"v\"]}}}},\"sourceIPs\":[\"10.0.0.1\"],\"userAgent\":{},\
         \"objectRef\":{{\"resource\":\"pods\",\"namespace\":\"shop\",\"name\":\"{name}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\"requestObject\":{object},\
         \"responseObject\":{object},\
         \"requestReceivedTimestamp\":\"2026-11-26T10:{minute:02}:{second:02}.000001Z\",\
         \"stageTimestamp\":\"2026-11-26T10:{minute:02}:{second:02}.5Z\",\
         \"annotations\":{{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":\"\"}}}}",
        text("kubectl/v1.34 \"quoted\" \\ é"),
    )
}

/// The envelope of AKS's diagnostic settings.
pub(crate) fn envelope(category: &str, log: &str) -> String {
    json!({
        "category": category,
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": log, "containerID": "c", "stream": "stdout", "pod": "kube-apiserver-1"},
        "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/X",
        "serviceBuild": "na",
        "time": "2026-11-26T10:59:59.000000001Z",
    })
    .to_string()
}

/// What was read, in words that compare.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
}

impl Fold for Told {
    fn take(&mut self, record: &Record<'_>) {
        let line = match &record.what {
            What::Event(event) => {
                let user = event
                    .acting()
                    .there()
                    .map_or("?", |user| user.name.as_str());
                let response = event.response.known();
                let code = response.and_then(|response| response.code.known().copied());
                format!(
                    "{} {user} {:?} {code:?} copy={}",
                    event.audit_id.as_str(),
                    event.request(),
                    record.copy
                )
            }
            What::Activity(json) => {
                format!("activity {}", json.string("operationName").as_str())
            }
        };
        self.lines.push(line);
    }

    fn merge(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }
}

/// Reads texts as files, in one thread; the lines as they came.
pub(crate) fn read(files: &[(&str, &[u8])], threads: usize) -> (Vec<String>, Losses) {
    let (told, losses) = folded(files, threads, Told::default);
    (told.lines, losses)
}

/// The state that takes all records of texts, which are read as files.
pub(crate) fn folded<F: Fold>(
    files: &[(&str, &[u8])],
    threads: usize,
    new: impl Fn() -> F + Sync,
) -> (F, Losses) {
    let folder = tempfile::tempdir().unwrap();
    let sources: Vec<Source> = files
        .iter()
        .map(|(name, text)| {
            let path: PathBuf = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Source::File(path)
        })
        .collect();
    let options = Options {
        threads,
        ..Options::default()
    };
    audit::read(&sources, options, new).unwrap()
}
