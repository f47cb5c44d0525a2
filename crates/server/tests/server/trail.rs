//! Audit logs that are followed beside the watch: told once, whoever keeps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use model::finding::Severity;
use oracle::azure::World;
use oracle::kafka::READER;
use oracle::{ApiServer, Azurite, Kafka};
use serde_json::{Value, json};
use server::audit::Following;
use server::watch::{Alerting, Election, Receiver, Shared};
use sources::azure::Trust;
use sources::blob::Blobs;
use sources::eventhub::Access;

use super::kept::signed_in;
use super::watch::{endpoint, namespace, options, watch};

/// Somebody runs a command in a pod.
fn exec(number: usize, user: &str, pod: &str) -> String {
    let at = format!(
        "2026-11-26T12:{:02}:{:02}.000000Z",
        number / 60 % 60,
        number % 60
    );
    let (namespace, name) = pod.split_once('/').unwrap();
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-{number}","stage":"ResponseStarted","requestURI":"/api/v1/namespaces/{namespace}/pods/{name}/exec?command=id&n={number}","verb":"get","user":{{"username":"{user}"}},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl","objectRef":{{"resource":"pods","subresource":"exec","namespace":"{namespace}","name":"{name}","apiVersion":"v1"}},"responseStatus":{{"code":101}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
    )
}

/// A folder with what happened in two namespaces, for dashboards.
pub(crate) fn beside() -> Following {
    let folder = std::env::temp_dir().join(format!("seawall-trail-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let own = (0..12).map(|number| exec(number, "eve", "shop/web"));
    let others = [
        exec(
            20,
            "system:serviceaccount:bankvault:ledgerkeeper",
            "shop/web",
        ),
        exec(21, "eve", "bankvault/vault"),
    ];
    let lines: String = own.chain(others).map(|line| line + "\n").collect();
    let new = folder.join(format!(".{:?}", thread::current().id()));
    std::fs::write(&new, lines).unwrap();
    std::fs::rename(new, folder.join("audit.log")).unwrap();
    let (_, sign_in) = signed_in(World::default(), &[]);
    Following {
        source: folder.join("audit.log").display().to_string(),
        checkpoint: None,
        access: Access {
            sign_in,
            connection: None,
        },
        since: None,
        floor: Severity::High,
        every: Duration::from_secs(1),
    }
}

/// How often each event was told.
fn told(messages: &Arc<Mutex<Vec<Value>>>) -> BTreeMap<String, usize> {
    let messages = messages.lock().unwrap();
    let all = messages
        .iter()
        .flat_map(|message| message["findings"].as_array().unwrap());
    let mut counts = BTreeMap::new();
    for one in all.filter(|one| one["guideline"] == "exec-into-pod") {
        assert_eq!(one["event"]["object"], "pods/exec shop/web");
        assert_eq!(one["resource"]["namespace"], "shop");
        let id = one["event"]["auditID"].as_str().unwrap();
        *counts.entry(id.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn whoever_keeps_follows_and_tells_each_alert_once() {
    let storage = Azurite::start().unwrap();
    let (_azure, sign_in) = signed_in(World::default(), &[storage.certificate()]);
    let container = format!("{}/insights-logs-kube-audit", storage.url());
    storage.container("seawall").unwrap();
    let folder = format!(
        "{container}/resourceId%3D/SUBSCRIPTIONS/0/MANAGEDCLUSTERS/SHOP/y=2026/m=11/d=26/h=12/m=00"
    );
    let blobs = Blobs::new(&folder, &sign_in).unwrap();
    let append = |numbers: std::ops::Range<usize>| {
        let lines = numbers.map(|number| {
            let envelope = json!({"category": "kube-audit", "properties": {"log": exec(number, "eve", "shop/web")}});
            format!("{envelope}\n")
        });
        blobs
            .append("PT1H.json", lines.collect::<String>().as_bytes())
            .unwrap();
    };
    let server = ApiServer::start().unwrap();
    namespace(&server, "seawall");
    namespace(&server, "shop");
    let (url, messages, _) = endpoint(1);
    let shift = "2026-11-26T13:00:00Z"
        .parse::<Timestamp>()
        .unwrap()
        .duration_since(Timestamp::now());
    let replica = |name: &str| {
        let mut options = options(server.kubeconfig());
        let mut election = Election::new("seawall", name);
        election.lasts = Duration::from_secs(6);
        options.keeping.election = Some(election);
        // It is the hour in which the blob grows.
        options.clock = Arc::new(move || Timestamp::now() + shift);
        options.keeping.alerts = vec![Alerting {
            to: Receiver::Webhook(url.clone(), Trust::default()),
            floor: Severity::Critical,
        }];
        options.audit = Some(Following {
            source: container.clone(),
            checkpoint: Some(format!("{}/seawall/shop", storage.url())),
            access: Access {
                sign_in: sign_in.clone(),
                connection: None,
            },
            since: None,
            floor: Severity::Medium,
            every: Duration::from_secs(1),
        });
        watch(options)
    };
    let one = replica("one");
    one.until("the Lease", Shared::keeps);
    // The diagnostic setting has made nothing yet.
    one.until("a refusal", |_| {
        one.logged("audit logs cannot be followed") == 1
    });
    storage.container("insights-logs-kube-audit").unwrap();
    append(0..20);
    one.until("the end of it", |_| one.logged("that is over") >= 1);
    one.until("what happened", |_| told(&messages).len() == 20);
    let two = replica("two");
    two.ready();
    // Who does not keep shows what the other found.
    two.until("the timeline", |shared| shared.trail().alerts().len() == 20);
    assert!(two.shared.trail().figures().of_another && !two.shared.keeps());
    let figures = one.shared.figures(Timestamp::now());
    let alerts = "seawall_audit_alerts_total{detection=\"exec-into-pod\",severity=\"medium\",verdict=\"match\"} 20";
    assert!(figures.contains(alerts), "{figures}");
    assert!(
        figures.contains("seawall_audit_events_total{what=\"read\"} 20"),
        "{figures}"
    );
    append(20..25);
    drop(one);
    append(25..30);
    two.until("its turn", Shared::keeps);
    two.until("what happened meanwhile", |_| told(&messages).len() == 30);
    append(30..40);
    two.until("what happens now", |_| told(&messages).len() == 40);
    assert_eq!(two.shared.trail().alerts().len(), 40);
    thread::sleep(Duration::from_secs(3));
    // What was told while the keeper changed may come again, by the same id.
    let between = |id: &str| matches!(id, "id-20" | "id-21" | "id-22" | "id-23" | "id-24");
    let once = |told: &BTreeMap<String, usize>| {
        told.iter()
            .all(|(id, times)| *times == 1 || between(id) && *times == 2)
    };
    assert!(once(&told(&messages)), "{:?}", told(&messages));
    drop(two);
    // Both go, and one comes back: it goes on.
    let three = replica("three");
    append(40..41);
    three.until("the last", |_| told(&messages).len() == 41);
    assert!(once(&told(&messages)), "{:?}", told(&messages));
    assert_eq!(three.shared.trail().alerts().len(), 41);
}

#[test]
fn a_hub_is_followed_by_whoever_keeps() {
    let kafka = Kafka::start().unwrap();
    kafka.hub("audit", 2).unwrap();
    let (_azure, mut sign_in) = signed_in(World::default(), &[kafka.certificate()]);
    sign_in.surroundings.client = Some(READER.to_owned());
    let folder = std::env::temp_dir().join(format!("seawall-hub-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let checkpoint = folder.join("checkpoint").display().to_string();
    let _ = std::fs::remove_file(&checkpoint);
    let send = |partition: i32, numbers: std::ops::Range<usize>| {
        let bodies = numbers.map(|number| {
            let envelope = json!({"category": "kube-audit", "properties": {"log": exec(number, "eve", "shop/web")}});
            let at = Timestamp::now().as_millisecond();
            (at, json!({"records": [envelope]}).to_string())
        });
        let bodies: Vec<(i64, String)> = bodies.collect();
        kafka.send("audit", partition, &bodies).unwrap();
    };
    send(0, 0..10);
    send(1, 10..20);
    let server = ApiServer::start().unwrap();
    namespace(&server, "seawall");
    namespace(&server, "shop");
    let (url, messages, _) = endpoint(0);
    let replica = |name: &str| {
        let mut options = options(server.kubeconfig());
        let mut election = Election::new("seawall", name);
        election.lasts = Duration::from_secs(6);
        options.keeping.election = Some(election);
        options.keeping.alerts = vec![Alerting {
            to: Receiver::Webhook(url.clone(), Trust::default()),
            floor: Severity::Critical,
        }];
        options.audit = Some(Following {
            source: kafka.url("audit"),
            checkpoint: Some(checkpoint.clone()),
            access: Access {
                sign_in: sign_in.clone(),
                connection: None,
            },
            since: None,
            floor: Severity::Medium,
            every: Duration::from_secs(1),
        });
        watch(options)
    };
    let one = replica("one");
    one.until("what happened", |_| told(&messages).len() == 20);
    let figures = one.shared.figures(Timestamp::now());
    for line in [
        "seawall_audit_events_total{what=\"read\"} 20",
        "seawall_audit_events_total{what=\"expired\"} 0",
        "seawall_audit_behind_messages 0",
        "seawall_audit_trouble 0",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
    drop(one);
    // While nobody keeps, some are deleted unread.
    send(1, 20..25);
    kafka.expire("audit", 1, -1).unwrap();
    send(1, 25..30);
    let two = replica("two");
    two.until("what is left", |_| told(&messages).len() == 25);
    two.until("the loss", |_| {
        two.logged("a part of the audit log was lost") == 1
    });
    let figures = two.shared.figures(Timestamp::now());
    let expired = "seawall_audit_events_total{what=\"expired\"} 5";
    assert!(figures.contains(expired), "{figures}");
    assert!(told(&messages).values().all(|times| *times == 1));
    assert_eq!(two.shared.trail().alerts().len(), 25);
    drop(two);
    std::fs::remove_dir_all(&folder).unwrap();
}
