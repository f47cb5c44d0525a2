//! `seawall maintenance`: what ends as people and programs read it, steps of rotation, upgrades, and a cleanup that is
//! carried out on a registry.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{DAY, Folder, Ran};

#[path = "maintenance/cleanup.rs"]
mod cleanup;

/// A cluster with a vault, whose credentials end.
const AZURE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2025-10-01", "name": "shop",
     "properties": {"kubernetesVersion": "1.34.2", "agentPoolProfiles": [{"name": "system", "mode": "System", "osSKU": "Ubuntu2204"}]}},
    {"type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2024-05-01", "name": "shop/db",
     "properties": {"attributes": {"exp": 1796083200}}},
    {"type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2024-05-01", "name": "shop/old, really; \"odd\"",
     "properties": {"attributes": {"exp": 1795000000}}}
  ]
}"#;

const CONFIG: &str = "waivers:\n- guideline: cfg-no-naked-pods\n  resource: Pod/shop/debug\n  reason: a test\n  \
                      owner: jane\n  until: 2027-01-31\n";

const BUDGET: &str = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: shop}\n\
                      spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}\n---\n\
                      apiVersion: resource.k8s.io/v1beta1\nkind: ResourceClaim\nmetadata: {name: gpu, namespace: shop}\n\
                      spec: {devices: {requests: [{name: gpu, deviceClassName: gpu.example.com}]}}\n";

fn folder() -> Folder {
    Folder::of(&[
        ("main.json", AZURE),
        ("seawall.yaml", CONFIG),
        ("budget.yaml", BUDGET),
    ])
}

fn maintenance(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["maintenance"], args, &["--as-of", DAY]].concat())
}

/// A text with the ends of the guide's own tables left out: they move whenever a table is renewed.
fn without_tables(text: &str) -> String {
    let mut lines = Vec::new();
    let mut table = false;
    for line in text.lines() {
        let begins = line.trim_start().starts_with("20");
        table = if begins {
            line.contains("table `") || line.contains(" tables of the guide")
        } else {
            table && line.starts_with("      ")
        };
        if !table {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn a_calendar_says_what_ends_in_order() {
    let ran = maintenance(&folder(), &["calendar", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let longest = ran.out.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{}", ran.out);
    let text = without_tables(&ran.out);
    let order = [
        "Has ended",
        "2026-11-18     5 d ago  secret `shop/old, really; \"odd\"` in the vault expires",
        "Ends within 30 days",
        "2026-11-30      in 7 d  Kubernetes 1.34.2 of cluster `shop` leaves support",
        "2026-12-01      in 8 d  secret `shop/db` in the vault expires",
        "Ends later",
        "2027-01-31     in 69 d  waiver of `cfg-no-naked-pods` for `Pod/shop/debug`",
        "2027-06-30    in 219 d  `Ubuntu2204` of pool `shop/system` gets no patches any",
        "2027-10-31    in 342 d  `resource.k8s.io/v1beta1` of ResourceClaim `shop/gpu`",
    ];
    let mut rest = text.as_str();
    for part in order {
        let at = rest.find(part);
        assert!(at.is_some(), "`{part}` is missing or too early: {text}");
        rest = &rest[at.unwrap()..];
    }
    assert!(text.contains("main.json:7"), "{text}");
}

#[test]
fn the_exit_code_tells_what_ends_soon() {
    let folder = folder();
    for (days, code) in [("0", 1), ("7", 1)] {
        let ran = maintenance(&folder, &["calendar", ".", "--fail-within", days]);
        assert_eq!(ran.code, code, "{days}");
    }
    let later = Folder::of(&[("budget.yaml", BUDGET)]);
    let ran = maintenance(&later, &["calendar", ".", "--fail-within", "10"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let ran = maintenance(&later, &["calendar", ".", "--within", "10"]);
    assert!(!ran.out.contains("ResourceClaim"), "{}", ran.out);
    assert_eq!(maintenance(&Folder::new(), &["calendar", "."]).code, 3);
}

#[test]
fn a_calendar_in_json_follows_its_schema() {
    let folder = folder();
    for (name, args) in [
        ("calendar-v1.json", &["calendar", "."][..]),
        ("rotation-v1.json", &["rotate", "."]),
        ("upgrade-v1.json", &["upgrade", ".", "--to", "1.38"]),
    ] {
        let ran = maintenance(&folder, &[args, &["--format", "json"]].concat());
        let mut answer: Value = serde_json::from_str(&ran.out).unwrap();
        let schema = crate::schemas::schema(name);
        assert_eq!(crate::schemas::errors(&schema, &answer), [""; 0], "{name}");
        answer["subject"] = json!(1);
        assert!(
            !crate::schemas::errors(&schema, &answer).is_empty(),
            "{name}"
        );
    }
}

/// What Mozilla's reader makes of a calendar.
fn imported(text: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/ical/main.js");
    let mut child = Command::new("node")
        .arg(root)
        .arg(oracle::fixture("ical").unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_calendar_program_reads_every_event() {
    let folder = folder();
    let ran = maintenance(
        &folder,
        &[
            "calendar",
            ".",
            "--format",
            "icalendar=ends.ics",
            "--format",
            "json",
        ],
    );
    let events: Value = serde_json::from_str(&ran.out).unwrap();
    let events = events["events"].as_array().unwrap();
    let text = std::fs::read_to_string(folder.path().join("ends.ics")).unwrap();
    let read = imported(&text);
    let read = read["events"].as_array().unwrap();
    assert_eq!(read.len(), events.len());
    let mut ids: Vec<&str> = Vec::new();
    for (own, event) in events.iter().zip(read) {
        assert_eq!(event["summary"], own["says"]);
        assert_eq!(
            event["start"].as_str(),
            own["ends"].as_str().and_then(|ends| ends.get(..10))
        );
        assert_eq!(event["wholeDay"], json!(true));
        let alarms = if own["renewsItself"] == json!(true) {
            0
        } else {
            2
        };
        assert_eq!(event["alarms"].as_array().unwrap().len(), alarms);
        let description = event["description"].as_str().unwrap();
        assert!(
            description.contains(own["resource"].as_str().unwrap()),
            "{description}"
        );
        ids.push(event["uid"].as_str().unwrap());
    }
    ids.sort_unstable();
    let many = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), many);
}

#[test]
fn metrics_have_a_line_for_each_end() {
    let ran = maintenance(&folder(), &["calendar", ".", "--format", "metrics"]);
    let line = "seawall_renewal_ends_timestamp_seconds{kind=\"vault-secret\",";
    assert_eq!(ran.out.matches(line).count(), 2, "{}", ran.out);
    assert!(ran.out.contains(
        "what=\"secret `shop/db` in the vault expires\",renews_itself=\"false\"} 1796083200\n"
    ));
    assert!(
        ran.out
            .contains("resource=\"Microsoft.KeyVault/vaults/secrets/"),
        "{}",
        ran.out
    );
}

#[test]
fn rotation_is_written_for_the_estate() {
    let folder = folder();
    let ran = maintenance(
        &folder,
        &["rotate", ".", "--kind", "vault-secret", "--within", "30"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let quoted =
        "az keyvault secret set --vault-name shop --name 'old, really; \"odd\"' --file new-value";
    for part in [
        "1. Make a new credential",
        "az keyvault secret set --vault-name shop --name db",
        quoted,
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let ran = maintenance(
        &folder,
        &["rotate", ".", "--only", "db", "--format", "markdown"],
    );
    assert!(
        ran.out.contains("## secret `shop/db`") && !ran.out.contains("really"),
        "{}",
        ran.out
    );
    let ran = maintenance(&folder, &["rotate", ".", "--kind", "nothing"]);
    assert_eq!(ran.code, 2);
    assert!(ran.failure().contains("there is no kind `nothing`"));
}

#[test]
fn an_upgrade_meets_what_stands_in_its_way() {
    let folder = folder();
    let ran = maintenance(&folder, &["upgrade", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let first = "From Kubernetes 1.34 to 1.35: .";
    assert!(ran.out.starts_with(first), "{}", ran.out);
    assert!(
        ran.out
            .contains("drained while everything keeps serving: in the way"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("lets no pod go (cfg-budget-allows-drain)"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("not served"), "{}", ran.out);
    // What ends later is in the way later.
    let ran = maintenance(
        &folder,
        &["upgrade", ".", "--to", "1.38", "--format", "json"],
    );
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let apis = &answer["controls"][0]["findings"];
    let gone = |found: &&Value| found["message"].as_str().unwrap().contains("is not served");
    let gone = apis.as_array().unwrap().iter().find(gone).unwrap();
    assert_eq!(
        (&gone["version"], &gone["path"]),
        (&json!("1.38"), &json!("budget.yaml"))
    );
    for (args, code) in [
        (&["upgrade", ".", "--to", "1.34"][..], 2),
        (&["upgrade", "budget.yaml"], 2),
        (&["upgrade", "budget.yaml", "--from", "1.37"], 1),
    ] {
        assert_eq!(maintenance(&folder, args).code, code, "{args:?}");
    }
}

#[test]
fn reports_say_when_verdicts_rest_on_old_facts() {
    let folder = Folder::of(&[("main.json", AZURE)]);
    let fresh = folder.run(&["assess", ".", "--as-of", DAY]);
    assert!(!fresh.out.contains("rest on facts older"), "{}", fresh.out);
    let old = folder.run(&["assess", ".", "--as-of", "2028-06-01"]);
    let text = old.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("rest on facts older than 90 days"), "{text}");
    let ran = folder.run(&["assess", ".", "--as-of", "2028-06-01", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let errors = crate::schemas::errors(&crate::schemas::schema("assessment-v1.json"), &report);
    assert_eq!(errors, [""; 0]);
    let facts = report["coverage"]["oldFacts"].as_array().unwrap();
    let table = facts
        .iter()
        .find(|fact| fact["of"] == "data/kubernetes.yaml")
        .unwrap();
    let ids = table["guidelines"].as_array().unwrap();
    assert!(ids.contains(&json!("up-version-supported")), "{table}");
    let ran = folder.run(&["guide", "data", "--as-of", "2028-06-01"]);
    assert!(
        ran.out.contains("kubernetes.yaml") && ran.out.contains("old: checked on"),
        "{}",
        ran.out
    );
}
