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
        ("rows in a list", format!("{:#}", Value::from(rows)).into()),
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
