//! The same events in every shape that logs are kept in.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::made::{envelope, event, read};

fn events() -> Vec<String> {
    (0..40)
        .map(|number| event(number, "get", &format!("web-{number}")))
        .collect()
}

/// A row of AKSAudit; objects as they are or as strings.
fn row(event: &str, as_strings: bool) -> Value {
    let event: Value = serde_json::from_str(event).unwrap();
    let tree = |key: &str| {
        if as_strings {
            Value::from(event[key].to_string())
        } else {
            event[key].clone()
        }
    };
    json!({
        "TimeGenerated": "2026-11-26T10:59:59Z",
        "AuditId": event["auditID"],
        "Level": event["level"],
        "Stage": event["stage"],
        "RequestUri": event["requestURI"],
        "Verb": event["verb"],
        "User": tree("user"),
        "SourceIps": tree("sourceIPs"),
        "UserAgent": event["userAgent"],
        "ObjectRef": tree("objectRef"),
        "ResponseStatus": tree("responseStatus"),
        "RequestObject": "skipped-too-big-size-object",
        "Annotations": tree("annotations"),
        "RequestReceivedTime": event["requestReceivedTimestamp"],
        "StageReceivedTime": event["stageTimestamp"],
        "Type": "AKSAudit",
    })
}

fn csv(rows: &[Value]) -> String {
    let columns: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |cells: Vec<String>| cells.join(",") + "\r\n";
    let mut text = line(columns.iter().map(|column| quoted(column)).collect());
    for row in rows {
        let cells = columns
            .iter()
            .map(|column| quoted(row[column.as_str()].as_str().unwrap_or_default()));
        text += &line(cells.collect());
    }
    text
}

/// The lines that a container runtime makes of events, of which each part has so many bytes at most.
fn runtime(events: &[String], most: usize) -> String {
    let mut text = String::new();
    for (event, other) in events
        .iter()
        .zip(["klog", "I1126 1 x.go:1] y"].iter().cycle())
    {
        let mut rest = event.as_str();
        while !rest.is_empty() {
            let mut end = rest.len().min(most);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let tag = if end == rest.len() { "F" } else { "P" };
            text += &format!(
                "2026-11-26T10:59:59.647880072Z stdout {tag} {}\n",
                &rest[..end]
            );
            rest = &rest[end..];
            if tag == "P" {
                // Another stream between the parts is no part.
                text += "2026-11-26T10:59:59.7Z stderr F {\"category\":\"";
                text += other;
                text += "\",\"log\":\"x\"}\n";
            }
        }
    }
    text
}

/// What the query API answers.
fn query(rows: &[Value]) -> Value {
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let columns: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "type": "dynamic"}))
        .collect();
    let of = |rows: &[Value]| -> Vec<Value> {
        rows.iter()
            .map(|row| {
                names
                    .iter()
                    .map(|name| row[name.as_str()].clone())
                    .collect()
            })
            .collect()
    };
    let (some, others) = rows.split_at(rows.len() / 2);
    json!({"tables": [
        {"name": "PrimaryResult", "columns": columns, "rows": of(some)},
        {"name": "Empty", "columns": [{"name": "x", "type": "string"}], "rows": []},
        {"name": "Second", "columns": columns, "rows": of(others)},
    ]})
}

#[test]
fn the_activity_log_says_the_same_in_every_shape() {
    struct Texts(Vec<Value>);
    impl audit::Fold for Texts {
        fn take(&mut self, record: &audit::Record<'_>) {
            if let audit::What::Activity(json) = &record.what {
                assert_eq!(
                    audit::time::shown(record.at.unwrap()),
                    "2026-11-26T10:00:00Z"
                );
                self.0.push(serde_json::from_slice(&json.text()).unwrap());
            }
        }
        fn merge(&mut self, other: Self) {
            self.0.extend(other.0);
        }
    }
    const OPERATION: &str = "Microsoft.ContainerService/managedClusters/runCommand/action";
    let claims = json!({"name": "eve@contoso.example", "appid": "1"});
    let action = json!({"action": OPERATION});
    let named = |value: &str| json!({"value": value, "localizedValue": value});
    let rest = json!({
        "authorization": action, "caller": "eve@contoso.example", "claims": claims, "correlationId": "c",
        "category": named("Administrative"), "operationName": named(OPERATION), "status": named("Succeeded"),
        "subStatus": named(""), "httpRequest": {"clientIpAddress": "203.0.113.7", "method": "POST"},
        "eventTimestamp": "2026-11-26T10:00:00Z", "resourceId": "/subscriptions/0/x", "level": "Informational",
    });
    let row = json!({
        "OperationNameValue": OPERATION, "ActivityStatusValue": "Success", "Caller": "eve@contoso.example",
        "CallerIpAddress": "203.0.113.7", "CorrelationId": "c", "Claims": claims.to_string(), "Claims_d": claims,
        "Authorization": action.to_string(), "CategoryValue": "Administrative", "TimeGenerated": "2026-11-26T10:00:00Z",
        "_ResourceId": "/subscriptions/0/x", "Level": "Informational", "Type": "AzureActivity",
    });
    let expected = json!({
        "operationName": OPERATION, "resultType": "Success", "caller": "eve@contoso.example", "category": "Administrative",
        "callerIpAddress": "203.0.113.7", "correlationId": "c", "time": "2026-11-26T10:00:00Z", "level": "Informational",
        "resourceId": "/subscriptions/0/x", "identity": {"claims": claims, "authorization": action},
    });
    for (name, text) in [
        ("diagnostic settings", format!("{expected}\n{expected}")),
        (
            "Event Hub",
            json!({"records": [expected, expected]}).to_string(),
        ),
        (
            "REST",
            json!({"value": [rest, rest], "nextLink": "https://management.azure.com/"}).to_string(),
        ),
        (
            "REST, set out",
            format!("{:#}", json!({"value": [rest, rest]})),
        ),
        (
            "az monitor activity-log list",
            format!("{:#}", json!([rest, rest])),
        ),
        ("AzureActivity", format!("{:#}", json!([row, row]))),
        (
            "AzureActivity by the query API",
            query(&[row.clone(), row.clone()]).to_string(),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, &text).unwrap();
        let sources = [audit::Source::File(path)];
        let (found, losses) =
            audit::read(&sources, audit::Options::default(), || Texts(Vec::new())).unwrap();
        assert_eq!(found.0, [expected.clone(), expected.clone()], "{name}");
        assert_eq!((losses.activities, losses.unreadable), (2, 0), "{name}");
    }
}

#[test]
fn decisions_of_azure_are_counted_by_whom() {
    let line = |message: &str| {
        envelope(
            "guard",
            &format!("I1126 10:00:00.000000       1 rbac.go:467] {message}\n"),
        )
    };
    let text = [
        line("Checkaccess request is denied for user eve@contoso.example"),
        line(
            "Access allowed by Azure RBAC Role Assignment 1 of Role 2 to user bob@contoso.example",
        ),
        line("Checkaccess request is denied for user eve@contoso.example"),
        line("error in check access response. error code: 429, response: , correlationID: 1"),
        line("anything else"),
    ]
    .join("\n");
    let (_, losses) = read(&[("a.json", text.as_bytes())], 1);
    let guard = &losses.guard;
    assert_eq!((guard.allowed, guard.denied, guard.failed), (1, 2, 1));
    assert_eq!(guard.users.get("eve@contoso.example"), Some(&(0, 2)));
    assert_eq!(losses.other.get("guard"), Some(&5));
}

/// Whatever stands between them: records that are whole are read, nothing stops, and every line is accounted for.
#[test]
fn no_line_loses_another() {
    let good = events();
    let (expected, _) = read(&[("a.json", good.join("\n").as_bytes())], 1);
    let whole = envelope("kube-audit", &event(99, "get", "x"));
    let mut number = 7_u64;
    let mut dice = move |limit: usize| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % limit
    };
    for round in 0..60 {
        let mut text: Vec<u8> = Vec::new();
        let mut bad = 0;
        for one in &good {
            text.extend_from_slice(one.as_bytes());
            text.push(b'\n');
            for _ in 0..dice(3) {
                let mut line: Vec<u8> = match dice(5) {
                    0 => (0..dice(60) + 1).map(|_| dice(256) as u8).collect(),
                    1 => vec![b"{[\"\\:,"[dice(6)]; dice(3000) + 1],
                    2 => whole.as_bytes()[..dice(whole.len()) + 1].to_vec(),
                    3 => {
                        let mut line = whole.clone().into_bytes();
                        let at = dice(line.len());
                        line[at] = dice(256) as u8;
                        line
                    }
                    _ => {
                        format!("2026-11-26T10:59:59Z stdout F {}", &whole[..dice(40)]).into_bytes()
                    }
                };
                line.retain(|byte| *byte != b'\n');
                if !line.trim_ascii().is_empty() {
                    bad += 1;
                    text.extend_from_slice(&line);
                    text.push(b'\n');
                }
            }
        }
        let (told, losses) = read(&[("a.json", &text)], 1 + round % 3);
        let mut found: Vec<&String> = told.iter().filter(|line| expected.contains(line)).collect();
        found.sort();
        let mut wanted: Vec<&String> = expected.iter().collect();
        wanted.sort();
        assert_eq!(found, wanted, "round {round}");
        let others: u64 = losses.other.values().sum();
        let known = losses.events + losses.activities + losses.unreadable + others;
        assert!(
            losses.records <= 40 + bad && known >= losses.records,
            "round {round}: {losses:#?}"
        );
        assert!(
            losses.records + losses.unreadable >= 40 + bad,
            "round {round}"
        );
        assert_eq!(losses.bytes, text.len() as u64);
    }
}

#[test]
fn every_shape_tells_the_same() {
    let events = events();
    let plain = events.join("\n");
    let (expected, losses) = read(&[("a.log", plain.as_bytes())], 1);
    assert_eq!(expected.len(), 40);
    assert_eq!((losses.events, losses.requests, losses.cut()), (40, 40, 0));
    let values: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let envelopes: Vec<String> = events
        .iter()
        .map(|event| envelope("kube-audit", event))
        .collect();
    let parsed: Vec<Value> = envelopes
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": values});
    let rows: Vec<Value> = events.iter().map(|event| row(event, false)).collect();
    let strings: Vec<Value> = events.iter().map(|event| row(event, true)).collect();
    let legacy: Vec<Value> = events
        .iter()
        .map(|event| json!({"TimeGenerated": "2026-11-26T10:59:59Z", "Category": "kube-audit", "log_s": event}))
        .collect();
    let lines = |rows: &[Value]| -> String { rows.iter().map(|row| format!("{row}\n")).collect() };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(plain.as_bytes()).unwrap();
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("list", list.to_string().into()),
        ("list, set out", format!("{list:#}").into()),
        (
            "one after another, set out",
            values
                .iter()
                .map(|value| format!("{value:#}\n"))
                .collect::<String>()
                .into(),
        ),
        ("envelopes", envelopes.join("\n").into()),
        (
            "envelopes in a list",
            format!("[{}]", envelopes.join(",\n")).into(),
        ),
        (
            "body of an Event Hub",
            json!({"records": parsed}).to_string().into(),
        ),
        (
            "the same, set out",
            format!("{:#}", json!({"records": parsed})).into(),
        ),
        (
            "bodies of an Event Hub",
            parsed
                .chunks(7)
                .map(|some| format!("{}\n", json!({"records": some})))
                .collect::<String>()
                .into(),
        ),
        ("rows", lines(&rows).into()),
        (
            "rows in a list",
            format!("{:#}", Value::from(rows.clone())).into(),
        ),
        ("rows with strings", lines(&strings).into()),
        ("rows as CSV", csv(&strings).into()),
        ("AzureDiagnostics", lines(&legacy).into()),
        ("AzureDiagnostics as CSV", csv(&legacy).into()),
        ("gzip", packed.finish().unwrap()),
        (
            "a container's log",
            events
                .iter()
                .map(|event| {
                    format!(
                        "{}\n",
                        json!({"log": format!("{event}\n"), "stream": "stdout"})
                    )
                })
                .collect::<String>()
                .into(),
        ),
        ("Windows' line ends", events.join("\r\n").into()),
        ("lines of a runtime", runtime(&events, usize::MAX).into()),
        ("lines of a runtime, in parts", runtime(&events, 700).into()),
        ("answer to a query", query(&rows).to_string().into()),
        (
            "answer to a query, set out",
            format!("{:#}", query(&strings)).into(),
        ),
    ];
    for (name, text) in &shapes {
        let (told, losses) = read(&[("a.json", text)], 1);
        assert_eq!(told, expected, "{name}");
        assert_eq!(losses.unreadable, 0, "{name}");
        assert_eq!(losses.events, 40, "{name}");
    }
}

#[test]
fn what_was_left_out_for_its_size_is_counted() {
    let line = row(&event(1, "create", "web"), true).to_string();
    let (_, losses) = read(&[("a.json", line.as_bytes())], 1);
    assert_eq!(losses.truncated.get("requestObject"), Some(&1));
}

#[test]
fn a_column_whose_json_is_cut_takes_nothing_with_it() {
    let mut cut = row(&event(1, "create", "web"), true);
    cut["User"] = Value::from("{\"username\":\"mall");
    let (told, losses) = read(&[("a.json", cut.to_string().as_bytes())], 1);
    assert!(told[0].starts_with("id-1 ?"), "{told:?}");
    assert!(told[0].contains("Some(200)"), "{told:?}");
    assert_eq!(losses.truncated.get("user"), Some(&1));
}

#[test]
fn other_records_are_counted_and_wrong_ones_lose_nothing_else() {
    let text = [
        envelope("guard", "I1126 10:00:00.000000 1 azure.go:1] checked"),
        event(1, "get", "a"),
        "{\"kind\":\"Event\",]".to_owned(),
        "not json".to_owned(),
        "{".repeat(200_000),
        envelope("kube-audit", &event(2, "get", "b")),
        json!({"operationName": "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/WRITE", "category": "Administrative",
               "time": "2026-11-26T10:00:00Z"})
        .to_string(),
        event(1, "get", "a"),
    ]
    .join("\n");
    let (told, losses) = read(&[("a.json", text.as_bytes())], 1);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(losses.other.get("guard"), Some(&1));
    assert_eq!(losses.unreadable, 3);
    let lines: Vec<u64> = losses
        .unreadable_at
        .iter()
        .map(|place| place.line)
        .collect();
    assert_eq!(lines, [3, 4, 5]);
    assert_eq!(
        (losses.events, losses.duplicates, losses.activities),
        (3, 1, 1)
    );
    assert!(told[3].ends_with("copy=true"));
}

#[test]
fn an_id_that_somebody_chose_hides_nothing() {
    let text = [event(1, "get", "a"), event(1, "delete", "b")].join("\n");
    let (told, losses) = read(&[("a.json", text.as_bytes())], 1);
    assert_eq!((losses.duplicates, losses.requests), (0, 2));
    assert!(told.iter().all(|line| line.ends_with("copy=false")));
}

#[test]
fn threads_and_files_make_no_difference() {
    let events: Vec<String> = (0..6000)
        .map(|number| event(number % 4000, "get", &format!("web-{}", number % 4000)))
        .collect();
    let text = events.join("\n");
    let count = |threads, files: &[(&str, &[u8])]| {
        let (mut told, mut losses) = read(files, threads);
        // Which one of two is the copy hangs on the order.
        for line in &mut told {
            *line = line.split(" copy").next().unwrap().to_owned();
        }
        told.sort();
        losses.files = 0;
        losses.bytes = 0;
        (told, losses)
    };
    let expected = count(1, &[("a.json", text.as_bytes())]);
    assert_eq!(expected.1.duplicates, 2000);
    assert_eq!(count(3, &[("a.json", text.as_bytes())]), expected);
    let middle = events[..2500].join("\n");
    let rest = events[2500..].join("\n");
    let halves = [("b.json", rest.as_bytes()), ("a.json", middle.as_bytes())];
    assert_eq!(count(2, &halves), expected);
}

/// Events of the given minutes of a day.
fn at_minutes(minutes: impl Iterator<Item = usize>) -> String {
    minutes
        .map(|minute| {
            let answer = (200, "allow");
            crate::learned::record(minute * 60, "a", "get", ("shop", "pods", "p"), answer) + "\n"
        })
        .collect()
}

#[test]
fn a_gap_is_told_of_a_steady_log_alone() {
    let gaps = |text: &str| {
        let (_, losses) = read(&[("a.json", text.as_bytes())], 1);
        let found = losses.gaps();
        let shown = |at| audit::time::shown(at);
        found
            .iter()
            .map(|gap| format!("{} {}", shown(gap.from), shown(gap.to)))
            .collect::<Vec<_>>()
    };
    let steady = at_minutes((0..90).chain(110..200));
    assert_eq!(gaps(&steady), ["2026-11-26T01:29:00Z 2026-11-26T01:50:00Z"]);
    assert_eq!(gaps(&at_minutes(0..200)), Vec::<String>::new());
    // Now and then something: nobody can say that anything is missing.
    let sparse = at_minutes((0..1400).step_by(9));
    assert_eq!(gaps(&sparse), Vec::<String>::new());
    // The halves come in any order, in any file.
    let (early, late) = (at_minutes(0..90), at_minutes(110..200));
    let files = [("b.json", late.as_bytes()), ("c.json", early.as_bytes())];
    let (_, losses) = read(&files, 2);
    assert_eq!(losses.gaps().len(), 1);
}

#[test]
fn the_longest_delay_is_told() {
    let line = envelope("kube-audit", &event(0, "get", "web"));
    let (_, losses) = read(&[("a.json", line.as_bytes())], 1);
    // From 10:00:00.5 to 10:59:59.000000001.
    assert_eq!(losses.lag, Some(3_598_500_000));
}
