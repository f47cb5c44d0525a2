//! Audit logs in an Event Hub: read once and followed, killed, cut off and starved, against a real Kafka broker.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use oracle::Kafka;
use oracle::azure::{Azure as Server, World};
use oracle::kafka::{CONNECTION_STRING, EMULATOR, READER};
use serde_json::json;

use crate::follow::{all_once, command, ended, exec_at, kept, told, until};
use crate::run::{Folder, Ran};

/// A namespace, and who gives tokens for it.
struct Namespace {
    kafka: Kafka,
    entra: Server,
    folder: Folder,
}

impl Namespace {
    fn start() -> Self {
        let assertion = "a service account's token";
        let world = World {
            assertion: assertion.to_owned(),
            ..World::default()
        };
        let (kafka, entra) = (Kafka::start().unwrap(), Server::start(world).unwrap());
        let folder = Folder::new();
        folder.write("token", assertion);
        let both = format!("{}\n{}", kafka.certificate(), entra.certificate());
        folder.write("ca.pem", &both);
        Self {
            kafka,
            entra,
            folder,
        }
    }

    fn command(&self, args: &[&str], identity: &str) -> Command {
        let mut command = command(&self.folder, args);
        let file = |name: &str| self.folder.path().join(name);
        command
            .env("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111")
            .env("AZURE_CLIENT_ID", identity)
            .env("AZURE_FEDERATED_TOKEN_FILE", file("token"))
            .env("AZURE_AUTHORITY_HOST", self.entra.address())
            .env("SSL_CERT_FILE", file("ca.pem"));
        command
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.command(args, READER).spawn().unwrap()
    }

    fn run(&self, args: &[&str], identity: &str) -> Ran {
        let output = self.command(args, identity).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Bodies as diagnostic settings send them, two records in each.
    fn send(&self, hub: &str, partition: i32, at: Timestamp, numbers: std::ops::Range<usize>) {
        let numbers: Vec<usize> = numbers.collect();
        let bodies = numbers.chunks(2).map(|some| {
            let records: Vec<serde_json::Value> = some
                .iter()
                .map(|number| serde_json::from_str(&kept(&exec_at(*number, at))).unwrap())
                .collect();
            (
                at.as_millisecond() + 1000,
                json!({ "records": records }).to_string(),
            )
        });
        let bodies: Vec<(i64, String)> = bodies.collect();
        self.kafka.send(hub, partition, &bodies).unwrap();
    }
}

fn alerts(ran: Ran) -> usize {
    assert!([0, 1].contains(&ran.code), "{}", ran.err);
    ran.json().value["alerts"].as_array().unwrap().len()
}

#[test]
fn a_hub_is_read_once_by_who_may() {
    let namespace = Namespace::start();
    let Namespace { kafka, folder, .. } = &namespace;
    let url = kafka.url("audit");
    let detect = |url: &str, more: &[&str]| {
        let args = [
            "audit",
            "detect",
            url,
            "--format",
            "json",
            "--only",
            "exec-into-pod",
        ];
        namespace.run(&[&args[..], more].concat(), READER)
    };
    let ran = detect(&url, &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("has no event hub `audit`"), "{}", ran.err);
    kafka.hub("audit", 3).unwrap();
    let ran = detect(&url, &[]);
    assert!(ran.err.contains("there are no logs"), "{}", ran.err);
    let now = Timestamp::now();
    let ago = |hours| now - SignedDuration::from_hours(hours);
    for partition in 0..3 {
        let first = usize::try_from(partition).unwrap() * 100;
        namespace.send("audit", partition, ago(5), first..first + 10);
        namespace.send("audit", partition, ago(2), first + 10..first + 17);
    }
    // A body that goes over several lines, and one that nobody can read.
    let pretty = format!(
        "{{\n\"records\": [\n{},\n{}\n]\n}}",
        kept(&exec_at(400, ago(1))),
        kept(&exec_at(401, ago(1)))
    );
    let bodies = [pretty, "nothing".to_owned()].map(|body| (now.as_millisecond(), body));
    kafka.send("audit", 1, &bodies).unwrap();
    let ran = detect(&url, &["--fail-on", "none"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let value = ran.json().value;
    assert_eq!(value["alerts"].as_array().unwrap().len(), 53);
    assert_eq!(value["losses"]["unreadable"], 1);
    assert_eq!(value["losses"]["expired"], 0);
    let path = value["losses"]["unreadableAt"][0]["path"].as_str().unwrap();
    assert!(path.ends_with("/audit partition 1"), "{path}");
    let since = (now - SignedDuration::from_hours(3)).to_string();
    let until = (now - SignedDuration::from_mins(90)).to_string();
    assert_eq!(
        alerts(detect(&url, &["--since", &since, "--until", &until])),
        21
    );
    // What is gone is not read, and what is left is.
    kafka.expire("audit", 0, 5).unwrap();
    assert_eq!(alerts(detect(&url, &["--until", &until])), 41);
    let learned = namespace.run(&["audit", "learn", &url, "--since", &since], READER);
    assert!(
        learned.out.contains("pods/exec"),
        "{} {}",
        learned.out,
        learned.err
    );

    // With keys, which nobody sees.
    let nobody = |args: &[&str], variable: Option<&str>| {
        let mut command = namespace.command(args, "nobody");
        if let Some(text) = variable {
            command.env("SEAWALL_EVENTHUB_CONNECTION_STRING", text);
        }
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    };
    let args = [
        "audit", "detect", &url, "--format", "json", "--until", &until,
    ];
    assert_eq!(alerts(nobody(&args, Some(CONNECTION_STRING))), 41);
    folder.write("key", CONNECTION_STRING);
    let with = [&args[..], &["--connection-string", "key"]].concat();
    assert_eq!(alerts(nobody(&with, Some("nothing"))), 41);
    let emulator = kafka.emulator_url("audit");
    let plain = [
        "audit", "detect", &emulator, "--format", "json", "--until", &until,
    ];
    assert_eq!(alerts(nobody(&plain, Some(EMULATOR))), 41);

    // By who may not.
    let ran = nobody(&args, None);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err
            .contains("has no event hub `audit` for who signs in"),
        "{}",
        ran.err
    );
    let wrong = CONNECTION_STRING.replace("a2V5", "b3Blbg");
    let ran = nobody(&args, Some(&wrong));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("does not accept who signs in"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("`Listen`"), "{}", ran.err);
    assert!(!ran.err.contains("b3Blbg"), "{}", ran.err);
    let other = CONNECTION_STRING.replace("127.0.0.1", "shop.servicebus.windows.net");
    let ran = nobody(&args, Some(&other));
    assert!(ran.err.contains("of another namespace"), "{}", ran.err);
    assert!(!ran.err.contains("a2V5"), "{}", ran.err);
    // No key goes out in plain text, and nothing to who cannot show a certificate.
    let ran = nobody(&plain, Some(CONNECTION_STRING));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("cannot read from 127.0.0.1"),
        "{}",
        ran.err
    );
    let mut command = namespace.command(&args, READER);
    let output = command
        .env(
            "SSL_CERT_FILE",
            folder.write("other.pem", namespace.entra.certificate()),
        )
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("certificate"), "{err}");
}

#[test]
fn a_hub_is_followed_whatever_happens() {
    const ALL: usize = 480;
    let mut namespace = Namespace::start();
    namespace.kafka.hub("audit", 4).unwrap();
    let url = namespace.kafka.url("audit");
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
        "here.json",
        "--only",
        "exec-into-pod",
        "--format",
        "json=alerts.jsonl",
    ];
    let mut child = namespace.spawn(&args);
    let mut chance: u64 = 11;
    let mut random = move || {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        chance >> 33
    };
    let count = |namespace: &Namespace| told(&namespace.folder, "alerts.jsonl").0.len();
    for some in 0..ALL / 12 {
        let outage = some == 20;
        if outage {
            // Who reads by now tells of it, and follows on when the broker comes back.
            until("what was sent before the outage", || {
                count(&namespace) == some * 12
            });
            namespace.kafka.kill();
            thread::sleep(Duration::from_secs(8));
            namespace.kafka.revive().unwrap();
        }
        let partition = i32::try_from(random() % 4).unwrap();
        namespace.send(
            "audit",
            partition,
            Timestamp::now(),
            some * 12..some * 12 + 12,
        );
        if outage {
            until("an alert after the outage", || {
                assert_eq!(child.try_wait().unwrap(), None, "it goes on");
                count(&namespace) == (some + 1) * 12
            });
            let ran = ended(child);
            assert!(ran.err.contains("it is tried again"), "{}", ran.err);
            assert!(ran.err.contains("that is over"), "{}", ran.err);
            child = namespace.spawn(&args);
        }
        thread::sleep(Duration::from_millis(random() % 500));
        if some % 6 == 5 {
            // SIGKILL: nothing is written any more.
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            child = namespace.spawn(&args);
        }
    }
    let count = || count(&namespace);
    until("all alerts", || count() >= ALL);
    let ran = ended(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    all_once(&namespace.folder, "alerts.jsonl", ALL);

    // While nobody reads, messages come and are deleted.
    namespace.send("audit", 0, Timestamp::now(), ALL..ALL + 20);
    namespace.kafka.expire("audit", 0, -1).unwrap();
    namespace.send("audit", 0, Timestamp::now(), ALL + 20..ALL + 22);
    let child = namespace.spawn(&args);
    until("what is left", || count() >= ALL + 2);
    let ran = ended(child);
    assert!(
        ran.err
            .contains("partition 0: 10 messages were deleted before they were read"),
        "{}",
        ran.err
    );
    assert_eq!(ran.code, 4, "{}", ran.err);

    // The hub is made anew, and has other messages by the same numbers.
    namespace.kafka.delete("audit").unwrap();
    thread::sleep(Duration::from_secs(2));
    namespace.kafka.hub("audit", 4).unwrap();
    namespace.send("audit", 1, Timestamp::now(), ALL + 30..ALL + 34);
    let child = namespace.spawn(&args);
    until("what the new one has", || count() >= ALL + 6);
    let ran = ended(child);
    assert!(ran.err.contains("it was made anew"), "{}", ran.err);
}
