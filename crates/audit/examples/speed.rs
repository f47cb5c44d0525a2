//! How fast logs are read and learned from, on one thread:
//! `cargo run --release -p seawall-audit --example speed -- [EVENTS]`.
//!
//! Writes events as the API server does, and the same in AKS's envelopes, to a folder for the time of the run.

use std::io::Write as _;

use audit::learn::{Learned, Limits};
use audit::{Fold, Options, Record, Source};

struct Count(u64);

impl Fold for Count {
    fn take(&mut self, _: &Record<'_>) {
        self.0 += 1;
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

fn event(number: usize) -> String {
    let (user, namespace, name) = (number % 97, number % 31, number % 211);
    let verb = ["get", "list", "watch", "update", "patch", "create"]
        .get(number % 6)
        .unwrap_or(&"get");
    let resource = ["pods", "configmaps", "endpoints", "secrets"]
        .get(number / 6 % 4)
        .unwrap_or(&"pods");
    let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
    let time = format!("2026-11-26T{hour:02}:{minute:02}:{second:02}");
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Request\",\
         \"auditID\":\"6f1c2a3e-77aa-4b6e-9c41-{number:012}\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/namespaces/team-{namespace}/{resource}/object-{name}?timeout=30s\",\
         \"verb\":\"{verb}\",\"user\":{{\"username\":\"system:serviceaccount:team-{user}:worker\",\
         \"uid\":\"0b0e8a1c-8a2c-4c7e-9d9e-000000000{user:03}\",\"groups\":[\"system:serviceaccounts\",\
         \"system:serviceaccounts:team-{user}\",\"system:authenticated\"],\"extra\":\
         {{\"authentication.kubernetes.io/pod-name\":[\"worker-{user}\"]}}}},\"sourceIPs\":[\"10.244.3.{user}\"],\
         \"userAgent\":\"worker/v0.0.0 (linux/amd64) kubernetes/$Format\",\"objectRef\":{{\"resource\":\"{resource}\",\
         \"namespace\":\"team-{namespace}\",\"name\":\"object-{name}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\"requestReceivedTimestamp\":\"{time}.123456Z\",\
         \"stageTimestamp\":\"{time}.223456Z\",\"annotations\":{{\"authorization.k8s.io/decision\":\"allow\",\
         \"authorization.k8s.io/reason\":\"RBAC: allowed by RoleBinding \\\"worker/team-{namespace}\\\" of Role \
         \\\"worker\\\" to ServiceAccount \\\"worker/team-{user}\\\"\"}}}}"
    )
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

fn main() -> std::io::Result<()> {
    let events = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(200_000);
    let folder = std::env::temp_dir().join(format!("seawall-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let paths = [folder.join("raw.jsonl"), folder.join("envelope.jsonl")];
    let [raw, envelope] = &paths;
    let mut raw = std::io::BufWriter::new(std::fs::File::create(raw)?);
    let mut envelope = std::io::BufWriter::new(std::fs::File::create(envelope)?);
    for number in 0..events {
        let event = event(number);
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
    envelope.flush()?;
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let mut out = std::io::stdout().lock();
    for path in &paths {
        let size = std::fs::metadata(path)?.len();
        let sources = [Source::File(path.clone())];
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        for what in ["read", "learn"] {
            let begin = cpu()?;
            let losses = if what == "read" {
                audit::read(&sources, options, || Count(0)).map(|(_, losses)| losses)
            } else {
                audit::read(&sources, options, || Learned::new(Limits::default()))
                    .map(|(_, losses)| losses)
            };
            let losses = losses.map_err(std::io::Error::other)?;
            let seconds = (cpu()? - begin).max(1e-3);
            writeln!(
                out,
                "{name:16} {what:6} {:8} events {:6.3} s {:9.0} events/s {:6.3} GB/s",
                losses.events,
                seconds,
                losses.events as f64 / seconds,
                size as f64 / seconds / 1e9
            )?;
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        writeln!(out, "{line}")?;
    }
    std::fs::remove_dir_all(&folder)
}
