//! `seawall audit detect --follow` and audit logs in Blob storage: killed, fed and starved.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use oracle::Azurite;
use oracle::azure::{Azure as Server, World};

use serde_json::{Value, json};
use sources::azure::{Auth, Cloud, CloudName, SignIn, Surroundings, Trust};
use sources::blob::Blobs;

use crate::run::{Folder, Ran};

/// Somebody runs a command in a pod: an alert for each.
fn exec(number: usize, hour: usize) -> String {
    let at = format!(
        "2026-11-26T{hour:02}:{:02}:{:02}Z",
        number / 60 % 60,
        number % 60
    );
    exec_at(number, at.parse().unwrap())
}

pub(crate) fn exec_at(number: usize, at: Timestamp) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseStarted","requestURI":"/api/v1/namespaces/shop/pods/web/exec?command=id&n={number}","verb":"get","user":{{"username":"eve"}},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl","objectRef":{{"resource":"pods","subresource":"exec","namespace":"shop","name":"web","apiVersion":"v1"}},"responseStatus":{{"code":101}},"requestReceivedTimestamp":"{at:.6}","stageTimestamp":"{at:.6}"}}"#
    )
}

/// As AKS keeps it.
pub(crate) fn kept(log: &str) -> String {
    json!({
        "category": "kube-audit",
        "properties": {"log": log},
        "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP",
        "time": "2026-11-26T12:59:59Z",
    })
    .to_string()
}

pub(crate) fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seawall"));
    command
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", OsString::new())
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Tells it to end, and waits.
pub(crate) fn ended(child: Child) -> Ran {
    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a file of alerts tells: ids of alerts and of events.
pub(crate) fn told(folder: &Folder, name: &str) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let values: Vec<Value> = whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let all = |key: &str| {
        values
            .iter()
            .map(|value| value[key].as_str().unwrap().to_owned())
            .collect()
    };
    (all("id"), all("auditID"))
}

pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "waited for {what}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn all_once(folder: &Folder, name: &str, count: usize) {
    let (ids, events) = told(folder, name);
    let (one, other): (BTreeSet<&String>, BTreeSet<&String>) =
        (ids.iter().collect(), events.iter().collect());
    assert_eq!((ids.len(), one.len()), (count, count), "each alert once");
    let expected: Vec<String> = (0..count).map(|number| format!("id-{number}")).collect();
    assert_eq!(other, expected.iter().collect());
}

#[test]
fn who_is_killed_again_and_again_tells_each_alert_once() {
    const ALL: usize = 400;
    let folder = Folder::new();
    folder.write("logs/audit.log", "");
    let path = folder.path().join("logs/audit.log");
    let logs = folder.path().join("logs");
    let writer = thread::spawn(move || {
        for number in 0..ALL {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .unwrap();
            let line = exec(number, 12) + "\n";
            let (one, two) = line.split_at(line.len() / 2);
            file.write_all(one.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(25));
            file.write_all(two.as_bytes()).unwrap();
            if number % 90 == 89 {
                std::fs::rename(&path, logs.join(format!("audit-{number}.log"))).unwrap();
            }
        }
    });
    let args = [
        "audit",
        "detect",
        "logs",
        "--follow",
        "--checkpoint",
        "here.json",
        "--only",
        "exec-into-pod",
        "--format",
        "json=alerts.jsonl",
    ];
    let mut chance: u64 = 42;
    let mut killed = 0;
    while !writer.is_finished() || killed < 5 {
        let mut child = command(&folder, &args).spawn().unwrap();
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(200 + (chance >> 33) % 4000));
        // SIGKILL: nothing is written any more.
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        killed += 1;
    }
    writer.join().unwrap();
    let child = command(&folder, &args).spawn().unwrap();
    // Once it tells of something new it hears signals.
    folder.write("logs/last.log", exec(ALL, 12) + "\n");
    until("all alerts", || told(&folder, "alerts.jsonl").0.len() > ALL);
    let ran = ended(child);
    assert!([0, 1].contains(&ran.code), "{} {}", ran.code, ran.err);
    all_once(&folder, "alerts.jsonl", ALL + 1);
}

#[test]
fn alerts_of_a_pipe_come_while_it_is_open() {
    let folder = Folder::new();
    let args = ["audit", "detect", "-", "--follow", "--fail-on", "medium"];
    let mut child = command(&folder, &args)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{}", exec(0, 12)).unwrap();
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(
        line.starts_with(
            "2026-11-26T12:00:00Z  medium    exec-into-pod  `eve` ran `id` in `shop/web` (exec) #"
        ),
        "{line}"
    );
    // The last line needs no end.
    write!(stdin, "{}\nnothing\n{}", exec(0, 12), exec(1, 12)).unwrap();
    drop(stdin);
    line.clear();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("2026-11-26T12:00:01Z"), "{line}");
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("Read 3 events"), "{err}");
    assert!(err.contains("1 record was unreadable"), "{err}");
    assert!(err.contains("1 event was there twice"), "{err}");
    let refused = folder.run(&["audit", "detect", "-", "--follow", "--checkpoint", "c"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("standard input cannot be read again"),
        "{}",
        refused.err
    );
}

/// Storage, and who gives tokens for it.
pub(crate) struct Account {
    pub(crate) storage: Azurite,
    entra: Server,
    pub(crate) sign_in: SignIn,
    pub(crate) folder: Folder,
}

impl Account {
    pub(crate) fn start() -> Self {
        let assertion = "a service account's token";
        let world = World {
            assertion: assertion.to_owned(),
            ..World::default()
        };
        let (storage, entra) = (Azurite::start().unwrap(), Server::start(world).unwrap());
        let folder = Folder::new();
        let token = folder.write("token", assertion);
        let both = format!("{}\n{}", storage.certificate(), entra.certificate());
        folder.write("ca.pem", &both);
        let address = Some(entra.address());
        let sign_in = SignIn {
            cloud: Cloud::new(CloudName::Public, address, address, address).unwrap(),
            auth: Auth::WorkloadIdentity,
            surroundings: Surroundings {
                tenant: Some("11111111-1111-1111-1111-111111111111".to_owned()),
                client: Some("aaaaaaaa-0000-4000-8000-000000000001".to_owned()),
                token_file: Some(token),
                ..Surroundings::default()
            },
            trust: Trust {
                authorities: vec![both.into_bytes()],
            },
            timeout: Duration::from_secs(20),
        };
        Self {
            storage,
            entra,
            sign_in,
            folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/insights-logs-kube-audit", self.storage.url())
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.folder, args);
        command
            .env("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111")
            .env("AZURE_CLIENT_ID", "aaaaaaaa-0000-4000-8000-000000000001")
            .env(
                "AZURE_FEDERATED_TOKEN_FILE",
                self.folder.path().join("token"),
            )
            .env("AZURE_AUTHORITY_HOST", self.entra.address())
            .env("SSL_CERT_FILE", self.folder.path().join("ca.pem"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Adds to the blob of an hour, as Azure Monitor does.
    pub(crate) fn append(&self, at: Timestamp, text: &str) {
        let folder = "resourceId=/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/SHOP";
        let url = format!(
            "{}/{}/{}",
            self.url(),
            folder.replace('=', "%3D"),
            at.strftime("y=%Y/m=%m/d=%d/h=%H/m=00")
        );
        let blobs = Blobs::new(&url, &self.sign_in).unwrap();
        blobs.append("PT1H.json", text.as_bytes()).unwrap();
    }
}

#[test]
fn logs_in_storage_are_read_by_the_hour_and_followed() {
    const ALL: usize = 300;
    let account = Account::start();
    let url = account.url();
    let ran = account.run(&["audit", "detect", &url]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("404 ContainerNotFound"), "{}", ran.err);
    assert!(
        ran.err.contains("check the name of the container"),
        "{}",
        ran.err
    );
    account
        .storage
        .container("insights-logs-kube-audit")
        .unwrap();
    let ran = account.run(&["audit", "detect", &url]);
    assert!(ran.err.contains("there are no logs"), "{}", ran.err);
    for hour in 8..12 {
        let lines = (0..10).map(|number| kept(&exec(number + hour * 100, hour)) + "\n");
        let at = format!("2026-11-26T{hour:02}:30:00Z");
        account.append(at.parse().unwrap(), &lines.collect::<String>());
    }
    let alerts = |more: &[&str]| -> usize {
        let args = [
            &[
                "audit",
                "detect",
                &url,
                "--format",
                "json",
                "--only",
                "exec-into-pod",
            ],
            more,
        ]
        .concat();
        let ran = account.run(&args);
        let value = ran.json().value;
        value["alerts"].as_array().unwrap().len()
    };
    assert_eq!(alerts(&[]), 40);
    assert_eq!(
        alerts(&[
            "--since",
            "2026-11-26T09:00:00Z",
            "--until",
            "2026-11-26T11:00:00Z"
        ]),
        20
    );
    assert_eq!(
        alerts(&[
            "--since",
            "2026-11-26T09:15:05Z",
            "--until",
            "2026-11-26T09:15:07Z"
        ]),
        2
    );
    // The checkpoint is in storage too.
    account.storage.container("seawall").unwrap();
    let checkpoint = format!("{}/seawall/checkpoint", account.storage.url());
    let args = [
        "audit",
        "detect",
        &url,
        "--follow",
        "--every",
        "1",
        "--since",
        "3h",
        "--checkpoint",
        &checkpoint,
        "--only",
        "exec-into-pod",
        "--format",
        "json=alerts.jsonl",
    ];
    let mut child = account.command(&args).spawn().unwrap();
    let mut chance: u64 = 7;
    // Of the last hours, for those may still grow.
    let begun = Timestamp::now();
    for some in 0..30 {
        let ago = |hours| begun - SignedDuration::from_hours(hours);
        let hour = ago(1 - i64::try_from(some / 15).unwrap());
        let lines: String = (some * 10..some * 10 + 10)
            .map(|number| kept(&exec_at(number, hour)) + "\n")
            .collect();
        // Azure Monitor writes blocks; a line may be in two of them.
        let (one, two) = lines.split_at(lines.len() / 3);
        account.append(hour, one);
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis((chance >> 33) % 600));
        if some % 5 == 4 {
            child.kill().unwrap();
            child.wait().unwrap();
            child = account.command(&args).spawn().unwrap();
        }
        account.append(hour, two);
    }
    until("all alerts", || {
        told(&account.folder, "alerts.jsonl").0.len() >= ALL
    });
    let ran = ended(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    all_once(&account.folder, "alerts.jsonl", ALL);
    // Two with one checkpoint would tell the same twice: the second to write notices.
    let both = [
        account.command(&args).spawn().unwrap(),
        account.command(&args).spawn().unwrap(),
    ];
    thread::sleep(Duration::from_secs(6));
    account.append(begun, &(kept(&exec_at(300, begun)) + "\n"));
    let mut codes: Vec<Option<i32>> = Vec::new();
    let mut both = both;
    until("one to notice", || {
        codes = both
            .iter_mut()
            .map(|child| child.try_wait().unwrap().and_then(|status| status.code()))
            .collect();
        codes.iter().any(Option::is_some)
    });
    if codes.iter().flatten().count() != 1 {
        let said = both.map(|child| child.wait_with_output().unwrap());
        panic!("{said:#?}");
    }
    assert_eq!(codes.iter().flatten().copied().collect::<Vec<i32>>(), [2]);
    let mut errors = String::new();
    for (mut child, code) in both.into_iter().zip(codes) {
        if code.is_none() {
            child.kill().unwrap();
        } else {
            errors = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        }
    }
    assert!(errors.contains("somebody else goes on from"), "{errors}");
}
