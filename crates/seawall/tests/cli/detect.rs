//! `seawall audit detect`: what a person and a script see of a break-in, and what of losses.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::run::Folder;
use crate::schemas::{errors, schema};

pub(crate) fn event(
    second: u32,
    verb: &str,
    user: &str,
    object: Value,
    code: u16,
    uri: &str,
    body: Option<&str>,
) -> String {
    let at = format!("2026-11-26T12:00:{second:02}.000000Z");
    let stage = if code == 101 {
        "ResponseStarted"
    } else {
        "ResponseComplete"
    };
    // The order of the API server, which a map of JSON does not keep.
    let mut text = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"{second:08}-0000","stage":"{stage}","requestURI":"{uri}","verb":"{verb}","user":{{"username":"{user}"}},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl/v1.34.1","objectRef":{object},"responseStatus":{{"code":{code}}}"#
    );
    if let Some(body) = body {
        write!(text, r#","requestObject":{body}"#).unwrap();
    }
    write!(
        text,
        r#","requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
    )
    .unwrap();
    text
}

/// As AKS keeps it: of a record 16 KiB.
pub(crate) fn kept(line: &str) -> String {
    let log = line.get(..16 << 10).unwrap_or(line);
    json!({
        "category": "kube-audit",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": log},
        "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP",
        "time": "2026-11-26T12:00:59Z",
    })
    .to_string()
}

pub(crate) fn log() -> String {
    let mut lines = Vec::new();
    for second in 0..5 {
        let object =
            json!({"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web"});
        let uri = format!("/api/v1/namespaces/shop/pods/web/exec?command=id&n={second}");
        lines.push(event(second, "get", "eve", object, 101, &uri, None));
    }
    // What makes the pod dangerous stands behind 17,000 letters.
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"root","annotations":{{"a":"{}"}}}},"spec":{{"hostPID":true}}}}"#,
        "x".repeat(17_000)
    );
    let object = json!({"resource": "pods", "namespace": "shop", "name": "root"});
    let uri = "/api/v1/namespaces/shop/pods";
    lines.push(event(10, "create", "eve", object, 201, uri, Some(&pod)));
    for second in 20..31 {
        let name = format!("s{second}");
        let uri = format!("/api/v1/namespaces/shop/secrets/{name}");
        let object = json!({"resource": "secrets", "namespace": "shop", "name": name});
        lines.push(event(second, "get", "mallory", object, 200, &uri, None));
    }
    let mut log: String = lines.iter().map(|line| kept(line) + "\n").collect();
    log.push_str("{oops\n");
    log
}

#[test]
fn alerts_are_told_with_what_was_cut() {
    let folder = Folder::of(&[("kept.jsonl", &log())]);
    let ran = folder.run(&["audit", "detect", "kept.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert_snapshot!(ran.out, @"
    critical  node-debug-pod
              A pod was made to work on a node
              2026-11-26T12:00:59Z  perhaps (the record was cut): `eve` made
                                    `shop/root` to work on node `?`
              ATT&CK T1611, T1610; next: seawall explain node-debug-pod

    critical  workload-fails-guide
              A workload was made that can break out of its container
              2026-11-26T12:00:59Z  perhaps (the record was cut): `eve` made Pod
                                    `shop/root`, which fails ?
              ATT&CK T1610, T1611; next: seawall explain workload-fails-guide

    high      secrets-read-many
              Somebody read many Secrets within minutes
              2026-11-26T12:00:20Z  `mallory` read many Secrets, beginning with
                                    `shop/s20` (10 or more)
              ATT&CK T1552.007; next: seawall explain secrets-read-many

    medium    exec-into-pod
              Somebody ran a command in a container
              2026-11-26T12:00:00Z  `eve` ran `id` in `shop/web` (exec)
              2026-11-26T12:00:01Z  `eve` ran `id` in `shop/web` (exec)
              2026-11-26T12:00:02Z  `eve` ran `id` in `shop/web` (exec)
                                    and 2 more like it, the last at
                                    2026-11-26T12:00:04Z
              ATT&CK T1609; next: seawall explain exec-into-pod

    6 alerts of 2 detections: 1 high, 5 medium; 2 that nobody can tell, since
    records were cut

    Read 17 events in 1 file, from 2026-11-26T12:00:00Z to 2026-11-26T12:00:30Z.
    1 record was cut: 1 in requestObject.
    1 record was unreadable.
    ");
}

#[test]
fn the_answer_for_scripts_follows_its_schema() {
    let folder = Folder::of(&[("kept.jsonl", &log())]);
    let args = ["audit", "detect", "kept.jsonl", "--format", "json"];
    let answer = folder.run(&args).json();
    assert_eq!(answer.code, 1);
    let schema = schema("alerts-v1.json");
    assert_eq!(errors(&schema, &answer.value), [""; 0]);
    assert_eq!(answer.list("/alerts").len(), 8);
    // Nothing certain at the floor, but a record was cut where it matters.
    for (only, code) in [
        ("workload-fails-guide", 4),
        ("exec-into-pod", 4),
        ("port-forward", 4),
    ] {
        let ran = folder.run(&[&args[..], &["--only", only]].concat());
        assert_eq!(ran.code, code, "{only}");
    }
    let readable = log().replace("{oops\n", "");
    folder.write("readable.jsonl", readable);
    for (args, code) in [
        (&["--only", "exec-into-pod"][..], 0),
        (&["--only", "exec-into-pod", "--fail-on", "medium"], 1),
        (&["--only", "workload-fails-guide"], 4),
        (&["--fail-on", "none"], 0),
        (&["--only", "nothing"], 2),
    ] {
        let ran = folder.run(&[&["audit", "detect", "readable.jsonl"], args].concat());
        assert_eq!(ran.code, code, "{args:?} {}", ran.err);
    }
    assert_eq!(folder.run(&["audit", "detect", "."]).code, 1);
}

/// What a month showed is no news the next day.
#[test]
fn a_baseline_keeps_what_was_seen() {
    let object = || json!({"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "namespace": "shop", "name": "own"});
    let uri = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings";
    let event = |second, user| event(second, "create", user, object(), 201, uri, None);
    let folder = Folder::of(&[
        ("month.jsonl", &(event(1, "pipeline") + "\n")),
        (
            "today.jsonl",
            &format!("{}\n{}\n", event(2, "pipeline"), event(3, "eve")),
        ),
    ]);
    let only = ["--only", "rbac-by-newcomer", "--fail-on", "medium"];
    let detect = |args: &[&str]| folder.run(&[&["audit", "detect"], args, &only].concat());
    let month = detect(&["month.jsonl", "--write-baseline", "seen.json"]);
    assert_eq!(month.code, 0, "{}", month.err);
    assert!(month.out.contains("could not judge"), "{}", month.out);
    let today = detect(&["today.jsonl", "--baseline", "seen.json"]);
    assert_eq!(today.code, 1);
    assert!(
        today
            .out
            .contains("`eve` changed rights for the first time")
    );
    assert!(!today.out.contains("pipeline"), "{}", today.out);
    let again = detect(&[
        "today.jsonl",
        "--baseline",
        "seen.json",
        "--write-baseline",
        "seen.json",
    ]);
    assert_eq!(again.code, 1);
    assert_eq!(detect(&["today.jsonl", "--baseline", "seen.json"]).code, 0);
}
