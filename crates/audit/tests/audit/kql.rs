//! Detections as KQL: Microsoft's own parser binds every query against the tables' columns, and an evaluator of what
//! is generated, written from Kusto's documentation (`oracle/kql`), gives the alerts that `detect` gives.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audit::detect::{Verdict, examples};
use audit::kql::{self, Query, Table, UNKNOWN};
use guide::detection::{Detection, Log, Memory};
use guide::setting::setting;
use guide::{Guide, Setting};
use serde_json::{Value, json};

/// Detections that have no form in Kusto, with the tables in which they have none; whoever adds a detection sees here
/// whether it is exported.
const REFUSED: [(&str, &[Table]); 5] = [
    ("config-map-with-credentials", &Table::ALL),
    ("impersonation-by-newcomer", &[Table::AksAudit]),
    ("impersonation-of-privileged", &[Table::AksAudit]),
    ("namespace-guard-lowered", &Table::ALL),
    ("workload-fails-guide", &Table::ALL),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name)
}

fn asked() -> (Guide, Setting) {
    let (guide, errors) = Guide::builtin();
    assert!(errors.is_empty(), "{errors:#?}");
    let setting = setting(&guide, None, None).unwrap();
    (guide, setting)
}

/// Asks the oracle about queries, each with the rows of its tables.
fn oracle(questions: &[Value]) -> Vec<Value> {
    let mut child = Command::new("node")
        .arg(folder("oracle/kql/main.js"))
        .arg(oracle::fixture("kusto").unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = Value::from(questions.to_vec()).to_string();
    let sent = text.clone();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    if let Ok(out) = std::env::var("SEAWALL_KQL_OUT") {
        std::fs::write(
            Path::new(&out).join(format!("questions-{}.json", questions.len())),
            &sent,
        )
        .unwrap();
    }
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn queries(guide: &Guide, table: Table) -> Vec<Query> {
    guide
        .detections
        .iter()
        .filter_map(|detection| kql::query(guide, detection, table).ok())
        .collect()
}

#[test]
fn every_detection_is_a_query_or_says_why_not() {
    let (guide, _) = asked();
    for table in Table::ALL {
        let mut refused = BTreeMap::new();
        for detection in &guide.detections {
            if let Err(error) = kql::query(&guide, detection, table) {
                refused.insert(detection.id.to_string(), error.to_string());
            }
        }
        let wanted: BTreeSet<&str> = REFUSED
            .iter()
            .filter(|(_, tables)| tables.contains(&table))
            .map(|(id, _)| *id)
            .collect();
        let got: BTreeSet<&str> = refused.keys().map(String::as_str).collect();
        assert_eq!(got, wanted, "{}: {refused:#?}", table.word());
    }
}

#[test]
fn microsofts_parser_binds_every_query() {
    let (guide, _) = asked();
    let mut questions = Vec::new();
    for table in Table::ALL {
        for query in queries(&guide, table) {
            if let Ok(out) = std::env::var("SEAWALL_KQL_OUT") {
                let folder = Path::new(&out).join(table.word());
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join(format!("{}.kql", query.id)), &query.text).unwrap();
            }
            questions.push(
                json!({"name": format!("{} {}", table.word(), query.id), "query": query.text}),
            );
        }
    }
    assert!(questions.len() > 180);
    let mut wrong = Vec::new();
    for (question, answer) in questions.iter().zip(oracle(&questions)) {
        let found = answer["diagnostics"].as_array().unwrap();
        if !found.is_empty() {
            wrong.push(format!("{}: {found:?}", question["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One mistake of each kind, each of which the parser has to see.
#[test]
fn microsofts_parser_finds_mistakes() {
    let (guide, _) = asked();
    let mut questions = Vec::new();
    let good =
        |id: &str| kql::query(&guide, guide.detection(id).unwrap(), Table::AksAudit).unwrap();
    for (id, from, to) in [
        ("exec-into-pod", "Subresource in", "Subresources in"),
        ("azure-logs-cut", "AzureActivity", "AzureActivities"),
        ("exec-into-pod", "strcat(", "strcatenate("),
        ("exec-into-pod", "| summarize", "| summarise"),
        (
            "exec-into-pod",
            "tostring(User.username)",
            "tostring(User.username",
        ),
        ("exec-into-pod", "StageReceivedTime", "StageTimestamp"),
        ("secrets-read-many", "bin(At, 75s)", "bin(Name, 75s)"),
        ("secrets-read-many", "count_distinct(", "substring("),
        (
            "rbac-then-workload",
            "on Cluster, Group1",
            "on Cluster, Group7",
        ),
        ("rbac-then-workload", "let Firsts", "let First"),
    ] {
        let text = good(id).text;
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{id}: {from}");
        questions.push(json!({"name": format!("{id}: {from}"), "query": changed}));
    }
    for (question, answer) in questions.iter().zip(oracle(&questions)) {
        let found = answer["diagnostics"].as_array().unwrap();
        assert!(!found.is_empty(), "not seen: {}", question["name"]);
    }
}

const CLUSTER: &str = "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP";

/// A record as a row of a table; what Kusto would read as the text of a value of JSON is the value.
fn row(table: Table, log: Log, record: &str) -> (&'static str, Value) {
    let event: Value = serde_json::from_str(record).unwrap_or(Value::Null);
    let time = |key: &str| {
        event[key]
            .as_str()
            .unwrap_or("2026-11-27T12:00:00Z")
            .to_owned()
    };
    match (log, table) {
        (Log::Activity, Table::DataExplorer) => {
            ("ActivityLogsRawRecords", json!({"Records": [event]}))
        }
        (Log::Activity, _) => (
            "AzureActivity",
            json!({
                "TimeGenerated": time("time"),
                "OperationNameValue": event["operationName"],
                "ActivityStatusValue": event["resultType"],
                "Caller": event["caller"],
                "CallerIpAddress": event["callerIpAddress"],
                "Claims_d": event["identity"]["claims"],
                "CorrelationId": event["correlationId"],
                "_ResourceId": event["resourceId"].as_str().unwrap_or_default().to_lowercase(),
            }),
        ),
        (_, Table::AksAudit) => (
            if ["get", "list"].contains(&event["verb"].as_str().unwrap_or_default()) {
                "AKSAudit"
            } else {
                "AKSAuditAdmin"
            },
            json!({
                "TimeGenerated": time("stageTimestamp"),
                "_ResourceId": CLUSTER.to_lowercase(),
                "AuditId": event["auditID"],
                "Level": event["level"],
                "Stage": event["stage"],
                "RequestUri": event["requestURI"],
                "Verb": event["verb"],
                "User": event["user"],
                "SourceIps": event["sourceIPs"],
                "UserAgent": event["userAgent"],
                "ObjectRef": event["objectRef"],
                "ResponseStatus": event["responseStatus"],
                "RequestObject": event["requestObject"],
                "ResponseObject": event["responseObject"],
                "RequestReceivedTime": event["requestReceivedTimestamp"],
                "StageReceivedTime": event["stageTimestamp"],
                "Annotations": event["annotations"],
            }),
        ),
        (_, Table::AzureDiagnostics) => (
            "AzureDiagnostics",
            json!({"TimeGenerated": time("stageTimestamp"), "Category": "kube-audit", "_ResourceId": CLUSTER.to_lowercase(), "log_s": record}),
        ),
        (_, Table::DataExplorer) => (
            "DiagnosticRawRecords",
            json!({"Records": [{"category": "kube-audit", "time": time("stageTimestamp"), "resourceId": CLUSTER, "properties": {"log": record}}]}),
        ),
    }
}

fn question(name: String, query: &Query, table: Table, log: Log, records: &[String]) -> Value {
    let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for record in records {
        let (name, row) = row(table, log, record);
        tables.entry(name).or_default().push(row);
    }
    // A request long before, so that there are days to have seen nothing on.
    if log == Log::Audit {
        let old = json!({"auditID": "old", "stage": "ResponseComplete", "verb": "get", "requestURI": "/livez", "user": {"username": "system:apiserver"}, "responseStatus": {"code": 200}, "stageTimestamp": "2026-10-01T00:00:00Z"});
        let (name, row) = row(table, log, &old.to_string());
        tables.entry(name).or_default().push(row);
    }
    json!({"name": name, "query": query.text, "tables": tables})
}

type Told = (String, String, String, String, String, String);

fn told(rows: &Value) -> BTreeSet<Told> {
    let text = |row: &Value, key: &str| {
        row[key]
            .as_str()
            .unwrap_or_else(|| panic!("{key}: {row}"))
            .to_owned()
    };
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                text(row, "Verdict"),
                text(row, "Message"),
                text(row, "User"),
                text(row, "Verb"),
                text(row, "Object"),
                text(row, "AuditId"),
            )
        })
        .collect()
}

/// The alerts of `detect`; AKSAudit does not tell of impersonation, so there the records are without.
fn wanted(
    guide: &Guide,
    setting: &Setting,
    detection: &Detection,
    records: &[String],
) -> BTreeSet<Told> {
    let outcome = examples::outcome(guide, setting, detection, records);
    let alerts = outcome.alerts.into_iter().map(|alert| {
        let verdict = match alert.verdict {
            Verdict::Match => "match".to_owned(),
            Verdict::Unknown => UNKNOWN.to_owned(),
        };
        let event = alert.event;
        (
            verdict,
            event.message.into_string(),
            event.user.into_string(),
            event.verb.into_string(),
            event.object.into_string(),
            event.audit_id.into_string(),
        )
    });
    alerts.collect()
}

fn as_kept(table: Table, records: Vec<String>) -> Vec<String> {
    if table != Table::AksAudit {
        return records;
    }
    // Nor is there a row for what is no record.
    let without = |record: String| {
        let mut event: Value = serde_json::from_str(&record).ok()?;
        event.as_object_mut()?.remove("impersonatedUser");
        Some(event.to_string())
    };
    records.into_iter().filter_map(without).collect()
}

/// Every example of every detection, in every table, and all events of all examples as one log.
#[test]
fn queries_find_what_detect_finds() {
    let (guide, setting) = asked();
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        let mut logs: BTreeMap<bool, Vec<String>> = BTreeMap::new();
        for detection in &guide.detections {
            for example in &detection.examples {
                let records = examples::events(&guide, detection.log, example).unwrap();
                let all = logs.entry(detection.log == Log::Audit).or_default();
                let number = all.len();
                all.extend(records.iter().map(|record| {
                    record.replacen("0000-4000-8000-", &format!("{number:04}-4000-8000-"), 1)
                }));
            }
        }
        for detection in &guide.detections {
            let Ok(query) = kql::query(&guide, detection, table) else {
                continue;
            };
            let mut cases: Vec<(String, Vec<String>)> = detection
                .examples
                .iter()
                .map(|example| {
                    let records = examples::events(&guide, detection.log, example).unwrap();
                    (format!("line {}", example.line), records)
                })
                .collect();
            // Of others' events too nothing but what is meant.
            if matches!(detection.memory, Memory::None) && table == Table::AksAudit {
                cases.push((
                    "all".to_owned(),
                    logs[&(detection.log == Log::Audit)].clone(),
                ));
            }
            for (case, records) in cases {
                let records = as_kept(table, records);
                let name = format!("{} {} {case}", table.word(), detection.id);
                questions.push(question(name, &query, table, detection.log, &records));
                answers.push(wanted(&guide, &setting, detection, &records));
            }
        }
    }
    let mut wrong = Vec::new();
    let mut alerts = 0;
    for ((question, wanted), answer) in questions.iter().zip(&answers).zip(oracle(&questions)) {
        let name = question["name"].as_str().unwrap();
        if let Some(error) = answer["error"].as_str() {
            wrong.push(format!("{name}: {error}"));
            continue;
        }
        let got = told(&answer["rows"]);
        alerts += got.len();
        if got != *wanted {
            let more: Vec<_> = got.difference(wanted).take(3).collect();
            let less: Vec<_> = wanted.difference(&got).take(3).collect();
            wrong.push(format!(
                "{name}\n  only the query: {more:?}\n  only detect: {less:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        questions.len(),
        wrong.join("\n")
    );
    assert!(
        questions.len() > 400 && alerts > 500,
        "{} {alerts}",
        questions.len()
    );
}

/// Events that are cut: what `detect` tells of the beginning, as certain or as unknown, the query tells too, and it
/// is certain of nothing of which `detect` is not.
#[test]
fn cut_records_are_never_passed_over() {
    let (guide, setting) = asked();
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    for detection in &guide.detections {
        let query = kql::query(&guide, detection, Table::AzureDiagnostics);
        let (Memory::None, Log::Audit, Ok(query)) = (&detection.memory, detection.log, query)
        else {
            continue;
        };
        let examples = detection.examples.iter();
        let events: Vec<String> = examples
            .flat_map(|example| examples::events(&guide, detection.log, example).unwrap())
            .filter(|event| {
                let one = std::slice::from_ref(event);
                !examples::outcome(&guide, &setting, detection, one)
                    .alerts
                    .is_empty()
            })
            .take(2)
            .collect();
        let mut records = Vec::new();
        let mut certain = BTreeMap::new();
        for event in events {
            let from = event.find("\"requestURI\"").unwrap_or_default();
            let places: Vec<usize> = event[from..]
                .match_indices([',', ':', '{', '[', '/', '?'])
                .map(|(at, _)| from + at + 1)
                .collect();
            let step = (places.len() / 24).max(1);
            for at in places.into_iter().step_by(step) {
                let id = format!("{:08}-0000-4000-8000-000000000000", records.len() + 1000);
                let whole = event.find("\"auditID\":\"").unwrap() + 11;
                let record = format!("{}{id}{}", &event[..whole], &event[whole + id.len()..at]);
                // Of a read that is cut before the field behind its status has a name, a query says nothing
                // (docs/detections.md), unless it acts or is somebody else's.
                let has = |part: &str| record.contains(part);
                let begins_late = [
                    "requestReceivedTimestamp",
                    "requestObject",
                    "responseObject",
                ]
                .iter()
                .any(|name| has(&format!(",\"{name}\":")));
                let reads = ["get", "list", "watch"]
                    .iter()
                    .any(|verb| has(&format!(",\"verb\":\"{verb}\"")));
                let acts = [
                    "/exec",
                    "/attach",
                    "/portforward",
                    "/proxy",
                    "\"impersonatedUser\":",
                ]
                .iter()
                .any(|part| has(part));
                if reads && !acts && !begins_late {
                    continue;
                }
                let one = std::slice::from_ref(&record);
                for alert in examples::outcome(&guide, &setting, detection, one).alerts {
                    certain.insert(id.clone(), alert.verdict == Verdict::Match);
                }
                records.push(record);
            }
        }
        assert!(!certain.is_empty(), "{}", detection.id);
        questions.push(question(
            detection.id.to_string(),
            &query,
            Table::AzureDiagnostics,
            detection.log,
            &records,
        ));
        answers.push(certain);
    }
    let mut wrong = Vec::new();
    let mut unknown = 0;
    for ((question, certain), answer) in questions.iter().zip(&answers).zip(oracle(&questions)) {
        let name = &question["name"];
        assert!(answer["error"].is_null(), "{name}: {}", answer["error"]);
        let rows = told(&answer["rows"]);
        for id in certain.keys() {
            if !rows.iter().any(|row| row.5.starts_with(id.as_str())) {
                wrong.push(format!("{name}: silent about {id}"));
            }
        }
        for row in &rows {
            unknown += usize::from(row.0 == UNKNOWN);
            if row.0 == "match" && certain.get(&row.5[..36]) != Some(&true) {
                wrong.push(format!("{name}: certain of {row:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        questions.len() > 25 && unknown > 300,
        "{} {unknown}",
        questions.len()
    );
}

/// AKSAudit leaves large objects out and says so in their place.
#[test]
fn skipped_objects_are_unknown() {
    let (guide, setting) = asked();
    let mut questions = Vec::new();
    for detection in &guide.detections {
        let Ok(query) = kql::query(&guide, detection, Table::AksAudit) else {
            continue;
        };
        if !query.text.contains("Manifest") || !matches!(detection.memory, Memory::None) {
            continue;
        }
        let examples = detection.examples.iter();
        let events =
            examples.flat_map(|example| examples::events(&guide, detection.log, example).unwrap());
        for event in events {
            let one = std::slice::from_ref(&event);
            if examples::outcome(&guide, &setting, detection, one)
                .alerts
                .is_empty()
            {
                continue;
            }
            let mut skipped: Value = serde_json::from_str(&event).unwrap();
            for key in ["requestObject", "responseObject"] {
                skipped[key] = Value::from("skipped-too-big-size-object");
            }
            let records = [skipped.to_string()];
            questions.push(question(
                detection.id.to_string(),
                &query,
                Table::AksAudit,
                detection.log,
                &records,
            ));
        }
    }
    let mut unknown = 0;
    for (question, answer) in questions.iter().zip(oracle(&questions)) {
        assert!(answer["error"].is_null(), "{question}: {}", answer["error"]);
        let rows = told(&answer["rows"]);
        assert_eq!(rows.len(), 1, "{}: {rows:?}", question["name"]);
        unknown += rows.iter().filter(|row| row.0 == UNKNOWN).count();
    }
    assert!(
        questions.len() > 15 && unknown > 15,
        "{} {unknown}",
        questions.len()
    );
}

/// One of each kind, written out: a change of the translator shows here.
#[test]
fn queries_are_as_they_were() {
    let (guide, _) = asked();
    for (id, table) in [
        ("exec-into-pod", Table::AksAudit),
        ("rbac-cluster-admin-bound", Table::AksAudit),
        ("secrets-read-many", Table::AksAudit),
        ("rbac-then-workload", Table::AksAudit),
        ("account-new-agent", Table::AksAudit),
        ("azure-logs-cut", Table::AksAudit),
        ("service-exposed", Table::AzureDiagnostics),
        ("record-hides-request", Table::DataExplorer),
    ] {
        let text = kql::query(&guide, guide.detection(id).unwrap(), table)
            .unwrap()
            .text;
        let file =
            folder("crates/audit/tests/audit/kql").join(format!("{}.{id}.kql", table.word()));
        if std::env::var_os("SEAWALL_UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(
            text == kept,
            "{} is not what it was:\n{text}",
            file.display()
        );
    }
}
