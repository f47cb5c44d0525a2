//! `seawall serve` when things go wrong around it, under load, before a real API server: each pod is judged, or refused
//! as is declared for the case that nobody judges. Nothing bad is let in, and nobody is locked out.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use oracle::{ApiServer, Options, Signer};
use serde_json::{Value, json};
use server::tls::made;

use super::run::Folder;
use super::serve::{ACCOUNT, Webhook, create, pod, rights};

#[path = "failures/load.rs"]
mod load;
#[path = "failures/service.rs"]
mod service;

use load::Load;
use service::Service;

fn api_server() -> ApiServer {
    let server = ApiServer::start_with(&Options::default().user(ACCOUNT, &[])).unwrap();
    for name in ["shop", "seawall"] {
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        create(&server, "/api/v1/namespaces", &namespace);
    }
    server
}

fn good() -> Value {
    pod("good", &json!({ "name": "logs", "emptyDir": {} }))
}

fn bad() -> Value {
    pod(
        "bad",
        &json!({ "name": "logs", "hostPath": { "path": "/var/log" } }),
    )
}

/// A replica, and where it listens.
fn replica(folder: &Folder, own: &str, url: &str, name: &str) -> (Webhook, SocketAddr) {
    let args = [
        "--kubeconfig",
        own,
        "--url",
        url,
        "--listen",
        "127.0.0.1:0",
        "--drain",
        "1",
    ];
    let webhook = Webhook::named(folder, &args, name);
    let serving = webhook.says("serving");
    let address = serving["address"].as_str().unwrap().parse().unwrap();
    (webhook, address)
}

/// Puts into the Secret what a webhook has whose certificate was made two months ago and whose next one, which is trusted
/// already, is to be shown in an hour.
fn renewing(server: &ApiServer, names: &[String]) -> made::Kept {
    let now = jiff::Timestamp::now().as_second();
    let first = made::step(&made::Kept::new(), names, now - 61 * 86_400);
    let renewed = made::step(&first.unwrap().unwrap(), names, now - made::OVERLAP + 3600);
    let kept = renewed.unwrap().unwrap();
    assert!(kept.contains_key("next.crt"));
    let path = "/api/v1/namespaces/seawall/secrets/seawall-webhook";
    let text = json!({ "stringData": kept });
    let (status, answer) = server.request("PATCH", path, Some(&text)).unwrap();
    assert_eq!(status, 200, "{answer}");
    kept
}

/// Takes the step that is due then, as some replica does.
fn promote(server: &ApiServer, kept: &made::Kept, names: &[String]) {
    let later = jiff::Timestamp::now().as_second() + 2 * 3600;
    let next = made::step(kept, names, later).unwrap().unwrap();
    assert!(!next.contains_key("next.crt"));
    let path = "/api/v1/namespaces/seawall/secrets/seawall-webhook";
    let text = json!({ "stringData": next, "data": { "next.crt": null, "next.key": null } });
    let (status, answer) = server.request("PATCH", path, Some(&text)).unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn kubectl(server: &ApiServer, args: &[&str], input: &str) -> (bool, String) {
    let folder = Folder::of(&[("object.json", input)]);
    let ran = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(server.kubeconfig())
        .args(args)
        .current_dir(folder.path())
        .output()
        .expect("kubectl is there");
    let said = [ran.stdout, ran.stderr].concat();
    (
        ran.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn replicas_api_server_and_certificate_come_and_go_under_load() {
    let server = api_server();
    rights(&server);
    let folder = Folder::of(&[("seawall.yaml", "{}\n")]);
    let own = server.kubeconfig_of(ACCOUNT).unwrap().display().to_string();
    let admin = server.kubeconfig().display().to_string();
    let service = Service::start();
    let url = format!("https://{}", service.address);
    let names = [
        "seawall.seawall.svc",
        "seawall.seawall.svc.cluster.local",
        "127.0.0.1",
    ];
    let names = names.map(str::to_owned);
    let kept = renewing(&server, &names);
    service.trust(made::trusted(&kept).unwrap());
    let mut replicas = Vec::new();
    for name in ["one", "two", "three"] {
        let (webhook, address) = replica(&folder, &own, &url, name);
        service.add(address);
        replicas.push(webhook);
    }
    let ran = folder.run(&["serve", "--install", "--kubeconfig", &admin, "--url", &url]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    service.has(3, Duration::from_secs(120));
    let path = "/api/v1/namespaces/shop/pods?dryRun=All";
    let (status, answer) = server
        .eventually("POST", path, Some(&bad()), |status, _| status == 403)
        .unwrap();
    assert_eq!(status, 403, "{answer}");

    let load = Load::new();
    let (good, bad) = (good(), bad());
    thread::scope(|scope| {
        let _stop = load.until_dropped();
        for _ in 0..3 {
            scope.spawn(|| load.go(&server, &good, &bad));
        }
        // What became of all that was asked while it lasted, and how long it took until all was judged again.
        let judged = |what: &str, begin: Instant| {
            let lasted = begin.elapsed();
            let after = load.until_judged(Instant::now(), what);
            let sum = load.since(begin);
            println!("{what}, {lasted:.1?}: {sum}; all judged again {after:.1?} later");
            sum
        };
        let dwell = |seconds: u64| thread::sleep(Duration::from_secs(seconds));
        let begin = Instant::now();
        dwell(2);
        let steady = judged("nothing is wrong", begin);
        assert_eq!(steady.failed_closed + steady.away, 0, "{steady}");

        // One is killed, and another takes its place.
        let begin = Instant::now();
        replicas.remove(0).kill();
        dwell(4);
        let killed = judged("a replica is killed", begin);
        assert!(killed.judged > killed.failed_closed, "{killed}");
        let (webhook, address) = replica(&folder, &own, &url, "four");
        service.add(address);
        replicas.push(webhook);

        // Both hang that connections lead to: these are given up one by one, and the new ones lead to the other.
        let begin = Instant::now();
        for replica in &replicas[..2] {
            replica.signal("STOP");
        }
        dwell(12);
        let hung = judged("two replicas hang", begin);
        // A request in a connection that hangs fails; one that waits for its connection goes over another that is free.
        let waited = hung.failed_closed > 0 || hung.longest > Duration::from_secs(2);
        assert!(waited && hung.judged > hung.failed_closed, "{hung}");
        for replica in &replicas[..2] {
            replica.signal("CONT");
        }
        let begin = Instant::now();
        service.has(3, Duration::from_secs(60));
        judged("they go on", begin);

        // The next certificate is shown.
        let begin = Instant::now();
        promote(&server, &kept, &names);
        for replica in &replicas {
            replica.says("certificate exchanged");
        }
        dwell(2);
        let renewal = judged("certificates are exchanged", begin);
        assert_eq!(renewal.failed_closed, 0, "{renewal}");

        // etcd does not answer.
        let begin = Instant::now();
        server.etcd(false).unwrap();
        dwell(4);
        server.etcd(true).unwrap();
        judged("etcd stands still", begin);

        // The API server is away.
        let begin = Instant::now();
        server.kill();
        dwell(1);
        server.revive().unwrap();
        let away = judged("the API server starts again", begin);
        assert!(away.away > 0, "{away}");
    });
    assert_eq!(load.wrong(), Vec::<String>::new());
    for replica in &mut replicas {
        let (most, ended) = (replica.most_memory(), replica.has_ended());
        println!("a replica took at most {most} MB");
        assert!(!ended && most < 700, "{most} MB");
    }
    all_are_away(&server, &folder, &admin, replicas);
}

/// Without any replica: what fails closed is refused, and says so; the rest goes on, and the way out is open.
fn all_are_away(server: &ApiServer, folder: &Folder, admin: &str, replicas: Vec<Webhook>) {
    let (text, dry) = (
        bad().to_string(),
        ["apply", "--dry-run=server", "-f", "object.json"],
    );
    let (done, said) = kubectl(server, &dry, &text);
    assert!(
        !done && said.contains("seawall refuses Pod shop/bad"),
        "{said}"
    );
    assert!(said.contains("`seawall explain pss-host-path`"), "{said}");
    for replica in replicas {
        replica.kill();
    }
    let (done, said) = kubectl(server, &dry, &good().to_string());
    assert!(!done, "{said}");
    assert!(
        said.contains("failed calling webhook \"closed.seawall.dev\""),
        "{said}"
    );
    // What only warns is let in.
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "none", "namespace": "shop" }, "spec": { "maxUnavailable": 0 } });
    let (done, said) = kubectl(server, &dry, &budget.to_string());
    assert!(done, "{said}");
    // So is what keeps the cluster alive.
    let mut system = bad();
    system["metadata"]["namespace"] = "kube-system".into();
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "kube-system" } });
    server
        .request("POST", "/api/v1/namespaces", Some(&namespace))
        .unwrap();
    let (done, said) = kubectl(server, &dry, &system.to_string());
    assert!(done, "{said}");
    let ran = folder.run(&["serve", "--remove", "--kubeconfig", admin]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let begin = Instant::now();
    while !kubectl(server, &dry, &text).0 {
        assert!(begin.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(200));
    }
}

/// A folder on a disk of its own, of so many KiB; none where mounting is not permitted.
struct Disk<'f>(&'f Folder);

impl<'f> Disk<'f> {
    fn mount(folder: &'f Folder, kib: usize) -> Option<Self> {
        let options = format!("size={kib}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "none"])
            .arg(folder.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_costs_history_and_no_decision() {
    let place = Folder::new();
    let Some(_disk) = Disk::mount(&place, 64) else {
        println!("NOT TESTED: a full disk, for mounting a small one is not permitted here");
        return;
    };
    let server = api_server();
    rights(&server);
    let folder = Folder::of(&[("seawall.yaml", "{}\n")]);
    let own = server.kubeconfig_of(ACCOUNT).unwrap().display().to_string();
    let admin = server.kubeconfig().display().to_string();
    // Full but for what is there already.
    let filler = place.path().join("filler");
    let _ = std::fs::write(&filler, vec![0; 1 << 20]);
    let history = place.path().display().to_string();
    let url = "https://127.0.0.1";
    let args = [
        "--kubeconfig",
        &own,
        "--url",
        url,
        "--listen",
        "127.0.0.1:0",
        "--drain",
        "1",
        "--history",
        &history,
    ];
    let webhook = Webhook::named(&folder, &args, "one");
    let address = webhook.says("serving")["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = webhook.says("the posture history cannot be written");
    assert!(told["why"].as_str().unwrap().contains("space"), "{told}");
    let url = format!("https://{address}");
    let ran = folder.run(&["serve", "--install", "--kubeconfig", &admin, "--url", &url]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let path = "/api/v1/namespaces/shop/pods?dryRun=All";
    let (status, answer) = server
        .eventually("POST", path, Some(&bad()), |status, _| status == 403)
        .unwrap();
    assert_eq!(status, 403, "{answer}");
    for _ in 0..20 {
        assert_eq!(server.request("POST", path, Some(&bad())).unwrap().0, 403);
        assert_eq!(server.request("POST", path, Some(&good())).unwrap().0, 201);
    }
    // With room again it is written.
    std::fs::remove_file(&filler).unwrap();
    let begin = Instant::now();
    loop {
        let all = server::watch::history::read(place.path()).unwrap();
        if let Some(last) = all.last() {
            assert!(last.objects > 0, "{last:?}");
            break;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "nothing was written"
        );
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(webhook.end(), Some(0));
}

/// A volume as a kubelet fills it: `..data` leads to the files of the moment, and is exchanged in one step
/// (`k8s.io/kubernetes/pkg/volume/util/atomic_writer.go`).
fn mount(folder: &Folder, name: &str, version: usize, files: &[(&str, &str)]) {
    let volume = folder.path().join(name);
    let own = format!("..{version}");
    for (file, text) in files {
        folder.write(&format!("{name}/{own}/{file}"), text);
        let link = volume.join(file);
        if std::fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(file), link).unwrap();
        }
    }
    let next = volume.join("..data_tmp");
    symlink(own, &next).unwrap();
    std::fs::rename(next, volume.join("..data")).unwrap();
}

#[test]
fn a_certificate_and_a_configuration_that_are_mounted_are_followed() {
    let server = api_server();
    rights(&server);
    let own = server.kubeconfig_of(ACCOUNT).unwrap().display().to_string();
    let admin = server.kubeconfig().display().to_string();
    // As an issuer of cert-manager keeps it: `tls.crt`, `tls.key`, `ca.crt`.
    let signer = Signer::new().unwrap();
    let names = ["seawall.seawall.svc", "127.0.0.1"];
    let folder = Folder::new();
    let (first, first_key) = signer.sign(&names).unwrap();
    let tls = |version: usize, certificate: &str, key: &str| {
        let files = [
            ("tls.crt", certificate),
            ("tls.key", key),
            ("ca.crt", signer.certificate()),
        ];
        mount(&folder, "tls", version, &files);
    };
    let config = |version: usize, text: &str| {
        mount(&folder, "config", version, &[("seawall.yaml", text)]);
    };
    tls(1, &first, &first_key);
    config(1, "{}\n");
    let args = [
        "--kubeconfig",
        &own,
        "--url",
        "https://127.0.0.1",
        "--listen",
        "127.0.0.1:0",
        "--drain",
        "1",
        "--cert-dir",
        "tls",
        "--config",
        "config/seawall.yaml",
    ];
    let webhook = Webhook::named(&folder, &args, "one");
    let address = webhook.says("serving")["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("https://{address}");
    let installing = [
        "serve",
        "--install",
        "--kubeconfig",
        &admin,
        "--url",
        &url,
        "--cert-dir",
        "tls",
        "--inject-ca-from",
        "seawall/seawall-webhook",
        "--config",
        "config/seawall.yaml",
    ];
    let ran = folder.run(&installing);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let stored = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/seawall";
    let (_, installed) = server.request("GET", stored, None).unwrap();
    assert_eq!(
        installed["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
        "seawall/seawall-webhook"
    );
    let path = "/api/v1/namespaces/shop/pods?dryRun=All";
    let becomes = |wanted: u16| -> Value {
        let (status, answer) = server
            .eventually("POST", path, Some(&bad()), |status, _| status == wanted)
            .unwrap();
        assert_eq!(status, wanted, "{answer}");
        answer
    };
    let refused = becomes(403);

    // A certificate with the key of another is not shown; what was goes on.
    let (second, second_key) = signer.sign(&names).unwrap();
    tls(2, &second, &first_key);
    let told = webhook.says_next("certificate not renewed");
    assert!(
        told["why"].as_str().unwrap().contains("cannot be used"),
        "{told}"
    );
    becomes(403);
    tls(3, &second, &second_key);
    webhook.says_next("certificate exchanged");
    becomes(403);
    assert_eq!(server.request("POST", path, Some(&good())).unwrap().0, 201);
    // Another authority, as cert-manager's injector writes it before a replica shows the certificate.
    let other = Signer::new().unwrap();
    let both = format!("{}{}", signer.certificate(), other.certificate());
    let (third, third_key) = other.sign(&names).unwrap();
    folder.write("trusted/ca.crt", &both);
    let mut trusting = installing;
    trusting[7] = "trusted";
    let ran = folder.run(&trusting);
    assert_eq!(ran.code, 0, "{}", ran.err);
    thread::sleep(Duration::from_secs(2));
    tls(4, &third, &third_key);
    webhook.says_next("certificate exchanged");
    becomes(403);
    let answer = oracle::get(
        &url,
        "/readyz",
        other.certificate(),
        Duration::from_secs(10),
    );
    assert!(matches!(answer, Ok((200, _))), "{answer:?}");

    // A bad configuration leaves the old one; a good one counts without a restart.
    config(2, "serve: { deny: [everything] }\n");
    let told = webhook.says_next("configuration not exchanged");
    assert!(
        told["why"]
            .as_str()
            .unwrap()
            .contains("seawall.yaml:1: `deny`"),
        "{told}"
    );
    becomes(403);
    let message = refused["message"].as_str().unwrap();
    let ids = message
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split(' ').next());
    let mut waivers = String::from("waivers:\n");
    for id in ids {
        waivers += &format!(
            "- {{guideline: {id}, resource: Pod/shop/bad, reason: it reads logs, owner: jane, until: 2099-01-01}}\n"
        );
    }
    config(3, &waivers);
    webhook.says_next("configuration exchanged");
    becomes(201);
    let mut another = bad();
    another["metadata"]["name"] = "another".into();
    assert_eq!(server.request("POST", path, Some(&another)).unwrap().0, 403);
    config(4, "serve: { exclude: [sandbox] }\n");
    let told = webhook.says_next("configuration exchanged");
    assert!(
        told["help"].as_str().unwrap().contains("--install"),
        "{told}"
    );
    becomes(403);
    let both = format!("{both}{}", signer.certificate());
    let metrics = oracle::get(&url, "/metrics", &both, Duration::from_secs(10))
        .unwrap()
        .1;
    for line in [
        "seawall_configuration_loads_total{result=\"taken\"} 2",
        "seawall_configuration_loads_total{result=\"failed\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert_eq!(webhook.end(), Some(0));
}
