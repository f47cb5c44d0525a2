//! `seawall audit compact`, `query` and `detect --in`: a history says what its logs say, whatever happens while it is made.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::detect::{kept, log};
use crate::follow::Account;
use crate::run::Folder;

/// Number `number` of a log that goes over three days.
fn noise(number: u64) -> String {
    let second = number * 61;
    let at = format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        24 + second / 86_400 % 3,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60,
        number % 1_000_000
    );
    let stage = ["ResponseComplete", "ResponseComplete", "RequestReceived"][number as usize % 3];
    let user = match number {
        // Only seen on the first day.
        0..1000 if number % 40 == 39 => "system:serviceaccount:shop:web",
        _ => {
            let users = [
                "dev-1@example.com",
                "system:node:aks-1",
                "pipeline",
                "mallory",
            ];
            users[number as usize % 4]
        }
    };
    let (verb, resource, code) = [
        ("get", "secrets", 200),
        ("list", "pods", 200),
        ("delete", "configmaps", 403),
        ("create", "deployments", 201),
        ("get", "secrets", 403),
    ][number as usize % 5];
    let name = format!("object-{}", number % 40);
    let ns = format!("team-{}", number % 7);
    let code = if stage == "RequestReceived" {
        String::new()
    } else {
        format!(r#","responseStatus":{{"metadata":{{}},"code":{code}}}"#)
    };
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{number:08x}-1","stage":"{stage}","requestURI":"/api/v1/namespaces/{ns}/{resource}/{name}","verb":"{verb}","user":{{"username":"{user}","groups":["system:authenticated"]}},"sourceIPs":["10.0.0.{}"],"userAgent":"agent/{}","objectRef":{{"resource":"{resource}","namespace":"{ns}","name":"{name}","apiVersion":"v1"}}{code},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#,
        number % 9,
        number % 11,
    )
}

/// Every shape: enveloped and not, cut, copied, of other categories, no UTF-8, nobody's, of Azure itself.
fn logs(folder: &Folder, events: u64) {
    folder.write("logs/attack.jsonl", log());
    let mut aks = String::new();
    let mut raw = Vec::new();
    for number in 0..events {
        let mut line = noise(number);
        if number % 97 == 0 {
            line.truncate(line.len() * (number as usize % 10) / 10);
        }
        if number % 2 == 0 && !line.is_empty() {
            let _ = writeln!(aks, "{}", kept(&line));
        } else {
            raw.extend_from_slice(line.as_bytes());
            if number % 101 == 0 {
                raw.extend_from_slice(b" \xff\xfe");
            }
            raw.push(b'\n');
        }
        if number % 53 == 0 {
            let copy = line.clone();
            raw.extend_from_slice(copy.as_bytes());
            raw.push(b'\n');
        }
    }
    aks.push_str(
        &json!({"category": "kube-apiserver", "properties": {"log": "I1126 started"}, "time": "2026-11-26T10:00:00Z"})
            .to_string(),
    );
    aks.push('\n');
    let _ = writeln!(
        aks,
        "{}",
        json!({
            "time": "2026-11-26T10:00:00Z", "category": "Administrative",
            "operationName": "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/LISTCLUSTERADMINCREDENTIAL/ACTION",
            "resultType": "Success", "correlationId": "c-1", "caller": "eve@example.com",
            "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP",
        })
    );
    folder.write("logs/aks.json", aks);
    folder.write("logs/raw.log", raw);
    let mut strange = noise(7).into_bytes();
    let at = strange
        .windows(5)
        .position(|some| some == b"agent")
        .unwrap();
    strange.splice(at..at + 5, *b"\xffgent");
    folder.write("logs/strange.log", strange);
}

fn compact(folder: &Folder, args: &[&str]) -> String {
    let all = [&["audit", "compact", "logs", "--to", "history"], args].concat();
    let ran = folder.run(&all);
    assert!(matches!(ran.code, 0 | 4), "{}", ran.err);
    ran.out
}

fn query(folder: &Folder, sql: &str) -> Vec<Value> {
    let ran = folder.run(&["audit", "query", "--in", "history", "--format", "json", sql]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{sql}");
    let lines = ran.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn number(folder: &Folder, sql: &str) -> u64 {
    query(folder, &format!("SELECT {sql} AS n FROM events"))[0]["n"]
        .as_u64()
        .unwrap()
}

/// What detections say, but for what only a reader of files knows.
fn detected(folder: &Folder, args: &[&str]) -> Value {
    let all = [
        &["audit", "detect", "--format", "json", "--fail-on", "none"],
        args,
    ]
    .concat();
    let mut value = folder.run(&all).json().value;
    for only in [
        "files",
        "bytes",
        "records",
        "unreadableAt",
        "duplicatesCertain",
    ] {
        value["losses"].as_object_mut().unwrap().remove(only);
    }
    value
}

#[test]
fn a_history_says_what_its_logs_say() {
    let folder = Folder::new();
    logs(&folder, 6000);
    compact(&folder, &["--cluster", "raw"]);
    let log = detected(&folder, &["logs"]);
    assert!(log["alerts"].as_array().unwrap().len() > 20, "{log:#}");
    assert!(
        log["losses"]["duplicates"].as_u64().unwrap() > 50,
        "{log:#}"
    );
    assert!(log["losses"]["unreadable"].as_u64().unwrap() > 1, "{log:#}");
    let kept = detected(&folder, &["--in", "history"]);
    assert_eq!(kept["alerts"], log["alerts"]);
    assert_eq!(kept["losses"], log["losses"]);
    let only = ["--only", "secrets-read-many", "--only", "exec-into-pod"];
    let some = detected(&folder, &[&["--in", "history"], &only[..]].concat());
    assert_eq!(
        some["alerts"],
        detected(&folder, &[&["logs"], &only[..]].concat())["alerts"]
    );
    // A part of time is what a log of that time says.
    let part: String = fs::read_to_string(folder.path().join("logs/attack.jsonl")).unwrap();
    folder.write("part.jsonl", part);
    let only = ["--only", "secrets-read-many"];
    let window = [
        "--since",
        "2026-11-26T12:00:00Z",
        "--until",
        "2026-11-26T12:01:00Z",
    ];
    let late = detected(
        &folder,
        &[&["--in", "history"], &only[..], &window[..]].concat(),
    );
    let users = |value: &Value| -> BTreeSet<String> {
        let alerts = value["alerts"].as_array().unwrap().iter();
        alerts.map(|alert| alert["time"].to_string()).collect()
    };
    assert_eq!(
        users(&late),
        BTreeSet::from(["\"2026-11-26T12:00:20Z\"".to_owned()])
    );
}

#[test]
fn a_baseline_comes_out_of_a_history_too() {
    let folder = Folder::new();
    logs(&folder, 500);
    compact(&folder, &[]);
    for (source, name) in [(&["logs"][..], "a.json"), (&["--in", "history"], "b.json")] {
        let args = [
            "audit",
            "detect",
            "--fail-on",
            "none",
            "--write-baseline",
            name,
        ];
        assert_eq!(folder.run(&[&args[..], source].concat()).err, "");
    }
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("a.json").contains("system:serviceaccount:shop:web"));
    assert_eq!(read("a.json"), read("b.json"));
}

#[test]
fn what_is_there_is_not_added_again_and_what_grew_is_read_on() {
    let folder = Folder::new();
    let line = |number| noise(number) + "\n";
    let first: String = (0..100).map(line).collect();
    let half = noise(100);
    let half = half.get(..120).unwrap();
    folder.write("logs/audit.log", format!("{first}{half}"));
    assert_eq!(
        compact(&folder, &[]),
        "Kept 100 events of 1 log in 1 file in `history`.\n"
    );
    let again = "Kept 0 events of 0 logs in 0 files in `history`.\n";
    assert_eq!(compact(&folder, &[]), again);
    // It grows, is renamed, and another begins under its name.
    let more: String = (100..150).map(line).collect();
    folder.write("logs/audit-1.log", format!("{first}{more}"));
    folder.write("logs/audit.log", (150..160).map(line).collect::<String>());
    compact(&folder, &[]);
    assert_eq!(number(&folder, "count(*)"), 160);
    assert_eq!(number(&folder, "count(DISTINCT audit_id)"), 160);
    let lines = query(
        &folder,
        "SELECT line FROM events WHERE audit_id = '0000006e-1'",
    );
    assert_eq!(
        lines,
        [json!({"line": 111})],
        "lines go on from where they were"
    );
    // A copy is the same log; so is one that was cut short in the middle of what is known.
    folder.write("logs/copy.log", format!("{first}{more}"));
    compact(&folder, &[]);
    assert_eq!(number(&folder, "count(*)"), 160);
    // The last line of a log that is finished.
    folder.write(
        "logs/end.log",
        (200..202).map(line).collect::<String>() + half,
    );
    let out = folder.run(&["audit", "compact", "logs/end.log", "--to", "history"]);
    assert_eq!(out.out, "Kept 2 events of 1 log in 1 file in `history`.\n");
    let out = folder.run(&[
        "audit",
        "compact",
        "logs/end.log",
        "--to",
        "history",
        "--finished",
    ]);
    assert_eq!(out.out, "Kept 1 event of 1 log in 1 file in `history`.\n");
    // What is no lines is read as a whole, once.
    folder.write("logs/list.json", format!("[{}]", noise(300)));
    compact(&folder, &[]);
    folder.write("logs/list.json", format!("[{}]  ", noise(300)));
    let ran = folder.run(&["audit", "compact", "logs", "--to", "history"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.err.contains("has changed since it was read"),
        "{}",
        ran.err
    );
    assert_eq!(number(&folder, "count(*)"), 164);
}

fn spawn(folder: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_seawall"))
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Numbers that look random and are the same in every run.
fn random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn a_killed_run_loses_nothing_and_counts_nothing_twice() {
    let folder = Folder::new();
    for file in 0..30_u64 {
        let lines: String = (0..150)
            .map(|line| noise(file * 150 + line) + "\n")
            .collect();
        folder.write(&format!("logs/{file:02}.log"), lines);
    }
    let args = [
        "audit", "compact", "logs", "--to", "history", "--batch", "200k",
    ];
    let begin = Instant::now();
    let other = Folder::new();
    fs::create_dir(other.path().join("logs")).unwrap();
    for entry in fs::read_dir(folder.path().join("logs")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            other.path().join("logs").join(entry.file_name()),
        )
        .unwrap();
    }
    assert!(spawn(other.path(), &args).wait().unwrap().success());
    let whole = begin.elapsed();
    let mut state = 20_261_127;
    let (mut killed, mut before) = (0, 0);
    for _ in 0..12 {
        let mut child = spawn(folder.path(), &args);
        // So short that many runs are needed to come to the end.
        let wait = random(&mut state) % (whole.as_micros() as u64 / 5);
        thread::sleep(Duration::from_micros(wait));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if fs::read_dir(folder.path().join("history/_commits"))
            .is_ok_and(|mut all| all.next().is_some())
        {
            let rows = number(&folder, "count(*)");
            assert!(rows >= before, "what counted is gone");
            assert_eq!(rows, number(&folder, "count(DISTINCT audit_id)"));
            before = rows;
        }
    }
    assert!(killed > 4, "{killed} of 12 were killed on the way");
    compact(&folder, &[]);
    assert_eq!(number(&folder, "count(*)"), 4500);
    assert_eq!(number(&folder, "count(DISTINCT audit_id)"), 4500);
    // Of what killed runs left nothing is there any more.
    let mut named = BTreeSet::new();
    for commit in fs::read_dir(folder.path().join("history/_commits")).unwrap() {
        let text = fs::read_to_string(commit.unwrap().path()).unwrap();
        let commit: Value = serde_json::from_str(&text).unwrap();
        for file in commit["files"].as_array().unwrap() {
            named.insert(file["path"].as_str().unwrap().to_owned());
        }
    }
    let mut there = BTreeSet::new();
    let mut folders = vec![folder.path().join("history")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".parquet") {
                let below = path.strip_prefix(folder.path().join("history")).unwrap();
                there.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(there, named);
}

#[test]
fn the_questions_of_the_handbook_are_answered() {
    let folder = Folder::new();
    logs(&folder, 3000);
    compact(&folder, &[]);
    let handbook = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/history.md"
    ));
    let handbook = handbook.unwrap();
    let questions: Vec<&str> = handbook
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(questions.len(), 10);
    let answers: Vec<Vec<Value>> = questions.iter().map(|sql| query(&folder, sql)).collect();
    for (question, answer) in questions.iter().zip(&answers) {
        // Nobody acts as somebody else in this log.
        assert_eq!(
            answer.is_empty(),
            question.contains("impersonated"),
            "{question}"
        );
    }
    let exec = &answers[2][0];
    assert_eq!(
        (&exec["username"], &exec["source_ips"]),
        (&json!("eve"), &json!(["203.0.113.7"]))
    );
    let hidden: Vec<&Value> = answers[9].iter().map(|row| &row["cut"]).collect();
    assert!(hidden.contains(&&json!("requestObject")), "{hidden:?}");
    // As a program counts it.
    let (mut refused, mut all) = (0, 0);
    for line in fs::read_to_string(folder.path().join("logs/aks.json"))
        .unwrap()
        .lines()
    {
        let record: Value = serde_json::from_str(line).unwrap();
        if record["category"] == "kube-audit" {
            all += 1;
            let log = record["properties"]["log"].as_str().unwrap();
            refused += u64::from(log.contains("\"code\":403") && log.ends_with('}'));
        }
    }
    let shop = |what: &str| {
        number(
            &folder,
            &format!("count(*) FILTER (WHERE source LIKE '%aks.json' AND kind = 'event' {what})"),
        )
    };
    assert_eq!(shop(""), all);
    assert_eq!(shop("AND code = 403 AND cut IS NULL"), refused);
}

#[test]
fn what_a_question_rules_out_is_not_read() {
    let folder = Folder::new();
    logs(&folder, 4500);
    compact(&folder, &["--cluster", "raw"]);
    let files = |sql: &str| -> usize {
        let ran = folder.run(&["audit", "query", "--in", "history", "--plan", sql]);
        assert_eq!(ran.err, "");
        ran.out.matches(".parquet").count()
    };
    let all = files("SELECT username FROM events");
    assert!(all >= 6, "{all} files");
    for (sql, expected) in [
        ("SELECT username FROM events WHERE day = '2026-11-25'", 2),
        (
            "SELECT username FROM events WHERE cluster = 'raw' AND day = '2026-11-25'",
            1,
        ),
        (
            "SELECT username FROM events WHERE time >= '2026-11-25T00:00:00Z' AND time < '2026-11-26T00:00:00Z'",
            2,
        ),
        ("SELECT username FROM events WHERE cluster = 'nobody'", 0),
    ] {
        assert_eq!(files(sql), expected, "{sql}");
    }
}

#[test]
fn what_is_no_question_is_told_with_the_next_step() {
    let folder = Folder::new();
    logs(&folder, 10);
    compact(&folder, &[]);
    let failure = |args: &[&str]| {
        let ran = folder.run(&[&["audit", "query"], args].concat());
        format!("{}{}", ran.failure(), "")
    };
    let ask = |sql: &str| failure(&["--in", "history", sql]);
    let column = ask("SELECT user_name FROM events");
    assert!(
        column.starts_with("exit 2\nerror: there is no column `user_name`\n"),
        "{column}"
    );
    assert!(
        column.contains("help: `events` has time, received, kind"),
        "{column}"
    );
    let table = ask("SELECT 1 FROM event");
    assert!(
        table.contains("help: the table is called `events`"),
        "{table}"
    );
    assert!(
        ask("SELEC 1").contains("error: this is no SQL"),
        "{}",
        ask("SELEC 1")
    );
    let outside = folder.path().join("outside.csv");
    for sql in [
        format!("COPY events TO '{}'", outside.display()),
        "CREATE TABLE a AS SELECT 1".to_owned(),
        "DROP TABLE events".to_owned(),
        "INSERT INTO events VALUES (1)".to_owned(),
        format!(
            "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '{}'",
            outside.display()
        ),
        "SET datafusion.execution.batch_size = 1".to_owned(),
    ] {
        let refused = ask(&sql);
        assert!(refused.starts_with("exit 2\nerror: "), "{sql}: {refused}");
    }
    assert!(!outside.exists());
    assert!(failure(&["--in", "nowhere", "SELECT 1"]).contains("there is no history in `nowhere`"));
    assert!(
        !folder.path().join("nowhere").exists(),
        "asking writes nothing"
    );
    let ran = folder.run(&[
        "audit",
        "query",
        "--in",
        "history",
        "--format",
        "csv",
        "SELECT 'a,\"b' AS x, 1 AS y",
    ]);
    assert_eq!(ran.out, "x,y\r\n\"a,\"\"b\",1\r\n");
    let ran = folder.run(&[
        "audit",
        "query",
        "--in",
        "history",
        "SELECT chr(27) || '[31m' AS x, 12 AS yy",
    ]);
    assert_eq!(ran.out, "x      yy\n\u{fffd}[31m  12\n");
}

#[test]
fn no_event_is_lost_or_counted_twice_in_storage_when_runs_are_killed() {
    const HOURS: usize = 10;
    let at = |hour: usize| -> jiff::Timestamp {
        format!("2026-11-26T{hour:02}:00:00Z").parse().unwrap()
    };
    let account = Account::start();
    for container in ["insights-logs-kube-audit", "history"] {
        account.storage.container(container).unwrap();
    }
    let (logs, to) = (
        account.url(),
        format!("{}/history/kept", account.storage.url()),
    );
    let some = |from: usize, to: usize| -> String {
        let lines = (from..to).map(|number| kept(&noise(number as u64 * 3)) + "\n");
        lines.collect()
    };
    for hour in 0..HOURS {
        account.append(at(hour), &some(hour * 100, hour * 100 + 60));
    }
    let args = ["audit", "compact", &logs, "--to", &to, "--batch", "50k"];
    // How long a run takes that nobody kills, to another place.
    let elsewhere = format!("{to}-elsewhere");
    let begin = Instant::now();
    let ran = account.run(&["audit", "compact", &logs, "--to", &elsewhere]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let whole = begin.elapsed().as_millis() as u64;
    let mut state = 20_261_128;
    let mut killed = 0;
    for hour in 0..HOURS {
        let mut child = account.command(&args).spawn().unwrap();
        let part = 20 + random(&mut state) % 70;
        thread::sleep(Duration::from_millis(whole * part / 100));
        // Blobs grow meanwhile, in the middle of a line too.
        let line = kept(&noise(hour as u64 * 300 + 180)) + "\n";
        let (begun, rest) = line.split_at(200);
        account.append(at(hour), begun);
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        account.append(at(hour), rest);
        account.append(at(hour), &some(hour * 100 + 61, hour * 100 + 70));
    }
    assert!(killed > 2, "{killed} of {HOURS} were killed on the way");
    let ran = account.run(&args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let count = || {
        let sql = "SELECT count(*), count(DISTINCT audit_id), count(*) FILTER (WHERE is_copy) FROM events";
        let ran = account.run(&["audit", "query", "--in", &to, "--format", "csv", sql]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.out.lines().last().unwrap().to_owned()
    };
    assert_eq!(count(), "700,700,0");
    let again = account.run(&args);
    assert!(
        again.out.contains("10 logs hold nothing new"),
        "{}",
        again.out
    );
    assert_eq!(count(), "700,700,0");
    let detect = |source: &[&str]| {
        let args = ["audit", "detect", "--format", "json", "--fail-on", "none"];
        let value = account.run(&[&args, source].concat()).json().value;
        value["alerts"].clone()
    };
    let alerts = detect(&["--in", &to]);
    assert!(!alerts.as_array().unwrap().is_empty());
    assert_eq!(alerts, detect(&[&logs]));
}

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A port that is free with the next one.
fn free_ports() -> u16 {
    loop {
        let port = free_port();
        if port < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

struct Cluster {
    url: String,
    executors: Vec<Ends>,
    _scheduler: Ends,
}

fn cluster(folder: &Folder) -> Cluster {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let scheduler = Ends(spawn(
        folder.path(),
        &["audit", "scheduler", "--listen", &address, "--timeout", "4"],
    ));
    let begin = Instant::now();
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60), "no scheduler");
        thread::sleep(Duration::from_millis(50));
    }
    let executors = (0..2).map(|number| {
        let listen = format!("127.0.0.1:{}", free_ports());
        let work = format!("work-{number}");
        let args = [
            "audit",
            "executor",
            "--scheduler",
            &address,
            "--listen",
            &listen,
            "--tasks",
            "1",
            "--heartbeat",
            "1",
            "--folder",
            &work,
        ];
        let executor = Ends(spawn(folder.path(), &args));
        let begin = Instant::now();
        while std::net::TcpStream::connect(&listen).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no executor");
            thread::sleep(Duration::from_millis(50));
        }
        executor
    });
    Cluster {
        url: format!("http://{address}"),
        executors: executors.collect(),
        _scheduler: scheduler,
    }
}

#[test]
fn a_cluster_answers_as_one_machine_does() {
    let folder = Folder::new();
    logs(&folder, 12_000);
    compact(&folder, &["--batch", "300k"]);
    let log = detected(&folder, &["logs"]);
    let cluster = cluster(&folder);
    let ballista = ["--in", "history", "--ballista", &cluster.url];
    let far = detected(&folder, &ballista);
    assert_eq!(far["alerts"], log["alerts"]);
    assert_eq!(far["losses"], log["losses"]);
    let sql = "SELECT cluster, day, verb, count(*) AS n, count(DISTINCT username) AS users FROM events GROUP BY cluster, day, verb ORDER BY cluster, day, verb";
    let args = [&["audit", "query", "--format", "json", sql], &ballista[..]].concat();
    let answer = folder.run(&args);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let here = folder.run(&["audit", "query", "--format", "json", "--in", "history", sql]);
    assert_eq!(answer.out, here.out);
}

#[test]
fn a_cluster_answers_when_an_executor_is_killed() {
    let folder = Folder::new();
    logs(&folder, 12_000);
    compact(&folder, &["--batch", "300k"]);
    let log = detected(&folder, &["logs"]);
    let mut cluster = cluster(&folder);
    let url = cluster.url.clone();
    let ballista = ["--in", "history", "--ballista", &url];
    // One of the two is killed while it works.
    let before: u64 = (0..2).map(|n| results(&folder, n)).sum();
    let asking = thread::scope(|scope| {
        let folder = &folder;
        let asked = scope.spawn(move || detected(folder, &ballista));
        let begin = Instant::now();
        while (0..2).map(|n| results(folder, n)).sum::<u64>() <= before
            && begin.elapsed() < Duration::from_secs(60)
        {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(
            !asked.is_finished(),
            "it was answered before anybody was killed"
        );
        drop(cluster.executors.pop());
        asked.join().unwrap()
    });
    assert_eq!(asking["alerts"], log["alerts"]);
    assert_eq!(asking["losses"], log["losses"]);
}

/// How many files of results an executor has.
fn results(folder: &Folder, number: u32) -> u64 {
    let mut count = 0;
    let mut folders = vec![folder.path().join(format!("work-{number}"))];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                count += 1;
            }
        }
    }
    count
}
