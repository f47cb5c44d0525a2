//! What is kept outside of the cluster: the posture in Blob storage that goes and comes, alerts in Azure Monitor.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use model::finding::Severity;
use oracle::azure::{Azure, Trouble, What, World};
use oracle::{ApiServer, Azurite};
use serde_json::Value;
use server::watch::archive::{self, Storage};
use server::watch::history::{Place, Posture};
use server::watch::{Alerting, Receiver, Shared};
use sources::azure::{Auth, Cloud, CloudName, SignIn, Surroundings, Trust};

use super::watch::{deployment, endpoint, namespace, options, watch};

/// Who gives tokens, and a way to sign in there.
pub(crate) fn signed_in(world: World, more: &[&str]) -> (Azure, SignIn) {
    let world = World {
        assertion: "a service account's token".to_owned(),
        ..world
    };
    let name = format!(
        "seawall-kept-token-{}-{}",
        std::process::id(),
        world.streams.len()
    );
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, &world.assertion).unwrap();
    let azure = Azure::start(world).unwrap();
    let address = Some(azure.address());
    let trusted = std::iter::once(azure.certificate()).chain(more.iter().copied());
    let sign_in = SignIn {
        cloud: Cloud::new(CloudName::Public, address, address, address).unwrap(),
        auth: Auth::WorkloadIdentity,
        surroundings: Surroundings {
            tenant: Some("11111111-1111-1111-1111-111111111111".to_owned()),
            client: Some("bbbbbbbb-0000-4000-8000-000000000002".to_owned()),
            token_file: Some(file),
            ..Surroundings::default()
        },
        trust: Trust {
            authorities: trusted.map(|pem| pem.as_bytes().to_vec()).collect(),
        },
        timeout: Duration::from_secs(5),
    };
    (azure, sign_in)
}

/// A figure without labels.
fn figure(shared: &Shared, name: &str) -> f64 {
    let text = shared.figures(Timestamp::now());
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|rest| rest.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("no {name}"))
        .parse()
        .unwrap()
}

fn critical(posture: &Posture) -> usize {
    posture.fails.get("critical").copied().unwrap_or_default()
}

#[test]
fn the_posture_waits_for_storage_and_none_is_lost() {
    let mut storage = Azurite::start().unwrap();
    let (_azure, sign_in) = signed_in(World::default(), &[storage.certificate()]);
    let place = |writer: &str| Storage {
        url: format!("{}/posture/clusters/shop", storage.url()),
        sign_in: sign_in.clone(),
        writer: writer.to_owned(),
        shown: true,
    };
    let (one, two) = (place("Seawall_1"), place("seawall-2"));
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    let mut with = options(server.kubeconfig());
    with.keeping.history = Some(Place::Blobs(Box::new(one.clone())));
    let watching = watch(with);
    let cannot = "the posture history cannot be written";
    // There is no container yet.
    watching.until("a refusal", |_| watching.logged(cannot) == 1);
    let log = format!("{:?}", watching.log.lock().unwrap());
    assert!(log.contains("404 ContainerNotFound"), "{log}");
    assert!(log.contains("make the container first"), "{log}");
    storage.container("posture").unwrap();
    let waiting = |shared: &Shared| figure(shared, "seawall_history_waiting");
    watching.until("storage", |shared| waiting(shared) == 0.0);
    watching.until("the end of it", |_| watching.logged("that is over") == 1);
    let first = archive::read(&one).unwrap();
    assert!(!first.is_empty());
    // The emulator has written it down by then.
    thread::sleep(Duration::from_secs(7));
    storage.kill();
    let errors = figure(&watching.shared, "seawall_history_errors_total");
    let mut counts = vec![critical(first.last().unwrap())];
    for name in ["a", "b", "c"] {
        let before = waiting(&watching.shared);
        deployment(&server, name, true);
        watching.until("a posture that waits", |shared| waiting(shared) > before);
        let stand = watching.shared.stand();
        assert!(stand.objects > 0);
        counts.push(counts.last().unwrap() + 1);
    }
    watching.until("an error", |shared| {
        figure(shared, "seawall_history_errors_total") > errors
    });
    storage.revive().unwrap();
    watching.until("what waited", |shared| waiting(shared) == 0.0);
    let all = archive::read(&one).unwrap();
    assert_eq!(all[..first.len()], first[..]);
    assert!(all.is_sorted_by_key(|posture| posture.at));
    let mut seen: Vec<usize> = all.iter().map(critical).collect();
    seen.dedup();
    let missing: Vec<&usize> = counts
        .iter()
        .filter(|count| !seen.contains(count))
        .collect();
    assert!(missing.is_empty(), "{counts:?} in {seen:?}");
    assert_eq!(
        figure(&watching.shared, "seawall_history_dropped_total"),
        0.0
    );
    drop(watching);

    // Another replica writes beside it, and shows what both wrote.
    let mut with = options(server.kubeconfig());
    with.keeping.history = Some(Place::Blobs(Box::new(two.clone())));
    let watching = watch(with);
    watching.until("the past", |shared| {
        shared.past().is_some_and(|past| past.len() >= all.len())
    });
    watching.until("its own", |_| {
        archive::read(&two).is_ok_and(|both| both.len() > all.len())
    });
}

/// Findings about privileged containers in rows, by the name of their object.
fn rows(azure: &Azure, name: &str) -> usize {
    let rows = azure.rows();
    let of = |row: &&Value| row["Guideline"] == "pss-privileged" && row["Name"] == name;
    rows.iter().filter(of).count()
}

#[test]
fn azure_monitor_gets_each_finding_once_whatever_else_is_told() {
    let stream =
        "/dataCollectionRules/dcr-0123456789abcdef0123456789abcdef/streams/Custom-SeawallAlerts_CL";
    let again = |status, code, wait: &str| Trouble {
        request: "/dataCollectionRules/".to_owned(),
        times: 1,
        what: What::Status(status, code, vec![("retry-after", wait.to_owned())]),
    };
    let world = World {
        streams: vec![stream.to_owned()],
        // Less than fifty findings need.
        most_of_a_call: Some(9_000),
        troubles: vec![
            again(429, "TooManyRequests", "2"),
            again(503, "ServiceUnavailable", "0"),
        ],
        ..World::default()
    };
    let (azure, sign_in) = signed_in(world, &[]);
    let (url, told, asked) = endpoint(usize::MAX);
    let server = ApiServer::start().unwrap();
    namespace(&server, "shop");
    deployment(&server, "old", true);
    let mut with = options(server.kubeconfig());
    let monitor = Receiver::Monitor(format!("{}{stream}", azure.address()), Box::new(sign_in));
    with.keeping.alerts = [Receiver::Webhook(url, Trust::default()), monitor]
        .map(|to| Alerting {
            to,
            floor: Severity::Critical,
        })
        .to_vec();
    let watching = watch(with);
    watching.ready();
    thread::sleep(Duration::from_secs(2));
    let begin = Instant::now();
    for number in 0..30 {
        deployment(&server, &format!("new-{number}"), true);
    }
    let each = |count: usize| (0..30).all(|n| rows(&azure, &format!("new-{n}")) == count);
    watching.until("a row for each", |_| each(1));
    // It was asked to wait for two seconds.
    assert!(begin.elapsed() > Duration::from_secs(2));
    thread::sleep(Duration::from_secs(3));
    assert!(each(1));
    assert_eq!(rows(&azure, "old"), 0);
    let row = azure.rows().swap_remove(0);
    assert_eq!(row["Severity"], "critical");
    assert!(
        row["TimeGenerated"].as_str().unwrap().ends_with('Z'),
        "{row}"
    );
    for key in ["Message", "Fingerprint", "Subject", "Uri", "Kind"] {
        assert!(!row[key].as_str().unwrap().is_empty(), "{key} of {row}");
    }
    // The one that takes nothing holds nobody up.
    assert!(asked.load(Ordering::Relaxed) > 0 && told.lock().unwrap().is_empty());
    let figures = watching.shared.figures(Timestamp::now());
    assert!(
        figures.contains("seawall_alerts_total{outcome=\"told\",to=\"webhook\"} 0"),
        "{figures}"
    );
    let log = format!("{:?}", watching.log.lock().unwrap());
    assert!(log.contains("answers with 429 TooManyRequests"), "{log}");
    assert!(
        !log.contains(oracle::azure::MONITOR_TOKEN) && !log.contains("sesame"),
        "{log}"
    );
}

#[test]
fn who_may_not_write_is_told_which_role_is_missing() {
    let stream =
        "/dataCollectionRules/dcr-0123456789abcdef0123456789abcdef/streams/Custom-SeawallAlerts_CL";
    let world = World {
        streams: vec![stream.to_owned()],
        troubles: vec![Trouble {
            request: "/dataCollectionRules/".to_owned(),
            times: usize::MAX,
            what: What::Status(403, "OperationFailed", Vec::new()),
        }],
        ..World::default()
    };
    let (azure, sign_in) = signed_in(world, &[]);
    let url = format!("{}{stream}", azure.address());
    let one = sources::ingestion::Ingestion::new(&url, &sign_in).unwrap();
    let untold = one.send(&[Value::Null]).unwrap_err();
    assert_eq!(untold.status, Some(403));
    assert!(!untold.later);
    assert!(
        untold
            .help
            .unwrap()
            .contains("Monitoring Metrics Publisher")
    );
}
