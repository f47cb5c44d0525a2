//! The dashboard beside a real API server: who sees what, sessions, bounds.

#[path = "desk/browser.rs"]
mod browser;
#[path = "desk/issuer.rs"]
mod issuer;
#[path = "desk/pages.rs"]
mod pages;
#[path = "desk/visitor.rs"]
mod visitor;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use guide::Guide;
use jiff::{SignedDuration, Timestamp};
use oracle::{ApiServer, Options};
use report::config::Config;
use serde_json::json;
use server::configuration::Configuration;
use server::desk::{self, Desk, Key, Limits};
use server::metrics::Metrics;
use server::tls::{Certificates, made};
use server::watch::history::Place;
use server::watch::{self, Shared};
use sources::cluster::Writer;

use self::visitor::{Answer, Visitor};
use super::running::names;

/// A dashboard on a port of its own, with a watch where there is a cluster.
pub(super) struct Dashboard {
    pub(super) address: SocketAddr,
    pub(super) trusted: String,
    pub(super) metrics: Arc<Metrics>,
    pub(super) shared: Arc<Shared>,
    /// Seconds that its clock is ahead.
    pub(super) ahead: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    end: tokio::sync::watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    /// Ends last.
    _desk: Arc<Desk>,
}

/// How one is to run.
struct Wishes<'w> {
    /// Of who watches; without one nothing is watched.
    watches: Option<std::path::PathBuf>,
    /// Of who asks what people may see.
    asks: std::path::PathBuf,
    config: &'w str,
    history: Option<std::path::PathBuf>,
    /// A folder that what runs is compared with.
    drift: Option<std::path::PathBuf>,
    issuer: Option<desk::Issuer>,
    limits: Limits,
}

impl Dashboard {
    fn start(wishes: Wishes<'_>) -> Self {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let guide = Arc::new(guide);
        let config = Config::parse("seawall.yaml", wishes.config, &guide).unwrap();
        let config = Configuration::new(config);
        let cluster = sources::cluster::Options {
            kubeconfig: wishes.watches.clone(),
            ..Default::default()
        };
        let mut watching = watch::Options::new(cluster, Arc::clone(&config));
        watching.quiet = Duration::from_millis(300);
        watching.most = Duration::from_secs(2);
        watching.keeping.history = wishes.history.clone().map(Place::Folder);
        watching.drift = wishes.drift.map(basing);
        watching.audit = Some(super::trail::beside());
        watching.drift_every = Duration::from_secs(2);
        let shared = Arc::new(Shared::new(&guide, &watching).unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        if wishes.watches.is_some() {
            let (guide, known, stop) = (Arc::clone(&guide), Arc::clone(&shared), Arc::clone(&stop));
            threads.push(thread::spawn(move || {
                watch::run(&guide, &watching, &known, &stop);
            }));
        }
        let asks = sources::cluster::Options {
            kubeconfig: Some(wishes.asks),
            ..Default::default()
        };
        let metrics = Arc::new(Metrics::new());
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead);
        let options = desk::Options {
            guide,
            shared: Arc::clone(&shared),
            config,
            writer: Arc::new(Writer::connect(&asks).unwrap()),
            history: wishes.history,
            issuer: wishes.issuer,
            key: Key::of(b"what all replicas know, 32 bytes"),
            metrics: Arc::clone(&metrics),
            clock: Arc::new(move || {
                Timestamp::now() + SignedDuration::from_secs(clock.load(Ordering::Relaxed))
            }),
        };
        let kept = made::step(&made::Kept::new(), &names(), Timestamp::now().as_second());
        let kept = kept.unwrap().unwrap();
        let certificates = Certificates::new(made::shown(&kept).unwrap());
        let (end, ended) = tokio::sync::watch::channel(false);
        let (tell, told) = std::sync::mpsc::channel();
        let desk = Desk::new(options).unwrap();
        let kept_desk = Arc::clone(&desk);
        threads.push(thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = server::http::listen("127.0.0.1:0".parse().unwrap())
                    .await
                    .unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                desk::serve(listener, desk, certificates, wishes.limits, ended)
                    .await
                    .unwrap();
            });
        }));
        Self {
            address: told.recv().unwrap(),
            trusted: made::trusted(&kept).unwrap().to_owned(),
            metrics,
            shared,
            ahead,
            stop,
            end,
            threads,
            _desk: kept_desk,
        }
    }

    fn until(&self, what: &str, mut so: impl FnMut(&Shared) -> bool) {
        let begin = Instant::now();
        while !so(&self.shared) {
            assert!(
                begin.elapsed() < Duration::from_secs(180),
                "{what} never came"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn refused(&self, why: &str) -> f64 {
        self.metrics
            .value("seawall_dashboard_refused_total", &[("why", why)])
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            dashboard: self,
            cookie: None,
        }
    }

    /// Somebody who has signed in.
    fn signed_in(&self, token: &str) -> Visitor<'_> {
        let mut visitor = self.visitor();
        let answer = visitor.sign_in(token);
        assert_eq!(answer.status, 303, "{}", answer.body);
        visitor
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.end.send(true);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

fn post(server: &ApiServer, path: &str, body: &serde_json::Value) {
    let (status, answer) = server.request("POST", path, Some(body)).unwrap();
    assert_eq!(status, 201, "{answer}");
}

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1";

fn subject(name: &str) -> serde_json::Value {
    json!([{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}])
}

/// A cluster with two teams: `jane` is of `shop`, `otto` sees everything, `nina` nothing; `desk` may ask what others
/// may.
fn cluster() -> ApiServer {
    let options = Options::default()
        .user("jane", &["team-shop"])
        .user("otto", &[])
        .user("nina", &[])
        .user("desk", &[]);
    let server = ApiServer::start_with(&options).unwrap();
    for name in ["shop", "bankvault"] {
        post(
            &server,
            "/api/v1/namespaces",
            &json!({"metadata": {"name": name}}),
        );
    }
    for (namespace, name, image) in [
        ("shop", "web", "example.azurecr.io/web:1.2.3"),
        (
            "bankvault",
            "ledgerkeeper",
            "example.azurecr.io/ledgerimage:latest",
        ),
    ] {
        let body = json!({"metadata": {"name": name}, "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "app", "image": image, "securityContext": {"privileged": true}}]}}}});
        post(
            &server,
            &format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
            &body,
        );
    }
    let list = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    post(
        &server,
        &format!("{ROLES}/namespaces/shop/roles"),
        &json!({"metadata": {"name": "seer"}, "rules": list}),
    );
    post(
        &server,
        &format!("{ROLES}/clusterroles"),
        &json!({"metadata": {"name": "seer"}, "rules": list}),
    );
    let of = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    // The group, not the name: groups must come along.
    let group =
        json!([{"kind": "Group", "name": "team-shop", "apiGroup": "rbac.authorization.k8s.io"}]);
    post(
        &server,
        &format!("{ROLES}/namespaces/shop/rolebindings"),
        &json!({"metadata": {"name": "seer"}, "roleRef": of("Role", "seer"), "subjects": group}),
    );
    // An account of the other team may do things here: joins tell of it.
    post(
        &server,
        &format!("{ROLES}/namespaces/shop/rolebindings"),
        &json!({"metadata": {"name": "foreign"}, "roleRef": of("ClusterRole", "cluster-admin"),
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "bankvault"}]}),
    );
    for (name, role, user) in [
        ("seer", "seer", "otto"),
        ("desk", "system:auth-delegator", "desk"),
    ] {
        post(
            &server,
            &format!("{ROLES}/clusterrolebindings"),
            &json!({"metadata": {"name": format!("test-{name}")}, "roleRef": of("ClusterRole", role), "subjects": subject(user)}),
        );
    }
    server
}

const CONFIG: &str = "waivers:
- guideline: pss-privileged
  resource: Deployment/bankvault/ledgerkeeper
  reason: the vault of the bank needs it
  owner: bankers
  until: 2099-01-31
";

fn beside(server: &ApiServer, history: Option<std::path::PathBuf>) -> Dashboard {
    with_base(server, history, None)
}

/// The same, where what runs is compared with a folder.
fn with_base(
    server: &ApiServer,
    history: Option<std::path::PathBuf>,
    drift: Option<std::path::PathBuf>,
) -> Dashboard {
    let dashboard = Dashboard::start(Wishes {
        watches: Some(server.kubeconfig()),
        asks: server.kubeconfig_of("desk").unwrap(),
        config: CONFIG,
        history,
        drift,
        issuer: None,
        limits: Limits::default(),
    });
    settled(&dashboard);
    dashboard
}

/// A folder, read as `seawall serve --drift` reads it.
fn basing(folder: std::path::PathBuf) -> watch::drift::Basing {
    Arc::new(move |_| {
        let failed = |error: sources::WalkError| sources::live::LiveError {
            message: error.to_string(),
            help: None,
        };
        Ok(watch::drift::Base {
            name: "the repository".to_owned(),
            inputs: sources::walk(std::slice::from_ref(&folder)).map_err(failed)?,
            ..watch::drift::Base::default()
        })
    })
}

/// Waits until both teams' findings are there.
fn settled(dashboard: &Dashboard) {
    dashboard.until("the findings of both teams", |shared| {
        let findings = shared.findings();
        let of = |namespace: &str| {
            findings
                .iter()
                .any(|finding| finding.resource.namespace.as_deref() == Some(namespace))
        };
        shared.is_ready() && of("shop") && of("bankvault")
    });
}

/// Every page that one can come to from the first, by its links.
fn all_pages(visitor: &Visitor<'_>) -> BTreeMap<String, Answer> {
    let mut open = vec!["/".to_owned(), "/findings?state=all".to_owned()];
    let mut pages: BTreeMap<String, Answer> = BTreeMap::new();
    while let Some(path) = open.pop() {
        if pages.contains_key(&path) || pages.len() > 2000 {
            continue;
        }
        let answer = visitor.get(&path);
        for link in answer.links() {
            // The guide is the same for everybody, and long.
            let known =
                path.starts_with("/guide/") || link.starts_with("/guide/") && pages.len() > 300;
            if !known {
                open.push(link);
            }
        }
        pages.insert(path, answer);
    }
    pages
}

/// Whether an address is that of a list as a file.
fn is_file(path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    path.ends_with(".csv") || path.ends_with(".json")
}

#[test]
fn people_see_the_namespaces_where_they_may_list_pods() {
    let server = cluster();
    let dashboard = beside(&server, None);
    let otto = dashboard.signed_in(server.token_of("otto"));
    let jane = dashboard.signed_in(server.token_of("jane"));
    let nina = dashboard.signed_in(server.token_of("nina"));

    let all = otto.get("/findings?state=all").body;
    assert!(all.contains("ledgerkeeper") && all.contains("web"), "{all}");
    let overview = otto.get("/");
    assert_eq!(overview.status, 200);
    overview.is_whole();
    assert!(overview.body.contains("href=\"/coverage\""));
    // By links alone to the line that decided.
    let found = otto.get("/findings?guideline=pss-privileged&namespace=shop");
    let link = found
        .links()
        .into_iter()
        .find(|link| link.starts_with("/findings/"))
        .unwrap();
    let finding = otto.get(&link);
    for part in [
        "/apis/apps/v1/namespaces/shop/deployments/web",
        "spec.template.spec.containers[0].securityContext.privileged",
        "kubectl get deployment.apps web --namespace shop",
        "Why, and how to mend it",
    ] {
        assert!(finding.body.contains(part), "{part}: {}", finding.body);
    }
    dashboard.until("the audit log", |shared| {
        shared.trail().alerts().len() >= 14
    });
    let timeline = otto.get("/timeline");
    timeline.is_whole();
    for part in [
        "ledgerkeeper",
        "Somebody ran a command in a container",
        "What to do next",
        "<rect",
        "bankvault/vault",
    ] {
        assert!(timeline.body.contains(part), "{part}: {}", timeline.body);
    }
    let own = otto.get("/timeline?namespace=shop&severity=medium").body;
    assert!(
        own.contains("shop/web") && !own.contains("bankvault/vault"),
        "{own}"
    );
    let theirs = jane.get("/timeline").body;
    assert!(
        theirs.contains("shop/web") && theirs.contains("somebody elsewhere"),
        "{theirs}"
    );
    assert!(!nina.get("/timeline").body.contains("Somebody ran"));
    let waivers = otto.get("/waivers").body;
    assert!(waivers.contains("the vault of the bank needs it") && waivers.contains("2099-01-31"));
    assert_eq!(otto.get("/coverage").status, 200);

    // Jane: her own, and not a byte of the others, on any page that there is a way to.
    let pages = all_pages(&jane);
    assert!(pages.len() > 10, "{:?}", pages.keys());
    assert!(
        pages
            .values()
            .any(|page| page.body.contains("shop/<wbr>web"))
    );
    for (path, page) in &pages {
        assert_eq!(page.status, 200, "{path}");
        if is_file(path) {
            page.is_file();
        } else {
            page.is_whole();
        }
        for secret in [
            "bankvault",
            "ledgerkeeper",
            "ledgerimage",
            "vault of the bank",
        ] {
            assert!(
                !page.body.contains(secret),
                "{path} tells of {secret}: {}",
                page.body
            );
        }
    }
    // Nor by an address that she might know.
    let foreign = otto.get("/findings?namespace=bankvault&state=all");
    let links: Vec<String> = foreign
        .links()
        .into_iter()
        .filter(|link| link.starts_with("/findings/"))
        .collect();
    assert!(!links.is_empty());
    let others = [
        "/object?at=/apis/apps/v1/namespaces/bankvault/deployments/ledgerkeeper".to_owned(),
        "/coverage".to_owned(),
    ];
    for path in links.iter().chain(&others) {
        assert_eq!(otto.get(path).status, 200, "{path}");
        let answer = jane.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("bankvault"), "{path}");
        // As if there were nothing.
        let nothing = jane.get("/findings/00000000000000000000000000000000");
        assert_eq!(answer.content(), nothing.content(), "{path}");
    }
    let tried = jane.get("/findings?namespace=bankvault&state=all");
    assert!(tried.body.contains("0 findings"), "{}", tried.body);

    // Nina: nothing at all.
    for (path, page) in all_pages(&nina) {
        for secret in ["bankvault", "ledgerkeeper", "shop"] {
            assert!(!page.body.contains(secret), "{path} tells of {secret}");
        }
    }
    assert!(nina.get("/").body.contains("in no namespace"));

    // Who is nobody, and who has no session.
    let mut stranger = dashboard.visitor();
    assert_eq!(stranger.sign_in("no-token-of-anybody").status, 401);
    assert_eq!(stranger.cookie, None);
    assert_eq!(stranger.sign_in("two words").status, 400);
    assert_eq!(stranger.sign_in("").status, 400);
    for path in ["/", "/findings", "/guide/pss-privileged", "/nothing"] {
        let answer = stranger.get(path);
        assert_eq!(
            (answer.status, &*answer.header("location")),
            (303, "/sign-in"),
            "{path}"
        );
        assert!(answer.body.is_empty());
    }
    let counted = |result| {
        dashboard
            .metrics
            .value("seawall_dashboard_sign_ins_total", &[("result", result)])
    };
    assert_eq!(
        (
            counted("signed-in"),
            counted("refused"),
            counted("malformed")
        ),
        (3.0, 1.0, 2.0)
    );

    sessions(&dashboard, &server);
}

fn sessions(dashboard: &Dashboard, server: &ApiServer) {
    let jane = dashboard.signed_in(server.token_of("jane"));
    let cookie = jane.cookie.clone().unwrap();
    // It says nothing of the token.
    assert!(!cookie.contains(server.token_of("jane")));
    // One who writes himself into hers.
    let (body, tag) = cookie.split_once('.').unwrap();
    let mut forged = jane.clone();
    forged.cookie = Some(format!("{}A.{tag}", &body[..body.len() - 1]));
    let answer = forged.get("/");
    assert_eq!(
        (answer.status, &*answer.header("location")),
        (303, "/sign-in")
    );
    for odd in ["", ".", "a.b", &"x".repeat(5000), "e30.e30"] {
        forged.cookie = Some(odd.to_owned());
        assert_eq!(forged.get("/").status, 303, "{odd}");
    }
    assert!(dashboard.refused("session") >= 6.0);
    // It ends.
    dashboard.ahead.store(8 * 3600 - 600, Ordering::Relaxed);
    assert_eq!(jane.get("/").status, 200);
    dashboard.ahead.store(8 * 3600 + 600, Ordering::Relaxed);
    assert_eq!(jane.get("/").status, 303);
    dashboard.ahead.store(0, Ordering::Relaxed);
    assert_eq!(jane.get("/").status, 200);
    // Another page cannot sign her out; she can, and the cookie is worth nothing any more.
    assert_eq!(
        jane.send(
            "POST",
            "/sign-out",
            &[("Origin", "https://evil.example")],
            ""
        )
        .status,
        403
    );
    assert_eq!(jane.send("POST", "/sign-out", &[], "").status, 403);
    assert_eq!(jane.get("/").status, 200);
    let out = jane.send("POST", "/sign-out", &[("Origin", &jane.origin())], "");
    assert_eq!(out.status, 303);
    assert!(
        out.header("set-cookie").contains("Max-Age=0"),
        "{}",
        out.head
    );
    assert_eq!(jane.get("/").status, 303);
}

/// No API server answers: nobody signs in, and clients are held to their bounds.
#[test]
fn bounds_hold_and_without_an_api_server_nobody_gets_in() {
    let folder = std::env::temp_dir().join(format!("seawall-desk-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let kubeconfig = folder.join("kubeconfig");
    std::fs::write(
        &kubeconfig,
        r#"{"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}]}"#,
    )
    .unwrap();
    let dashboard = Dashboard::start(Wishes {
        watches: None,
        asks: kubeconfig,
        config: "",
        history: None,
        drift: None,
        issuer: None,
        limits: Limits {
            connections: 6,
            patience: Duration::from_millis(1500),
            ..Limits::default()
        },
    });
    std::fs::remove_dir_all(&folder).unwrap();
    let visitor = dashboard.visitor();
    let page = visitor.get("/sign-in");
    assert_eq!(page.status, 200);
    page.is_whole();
    for file in ["/style.css", "/script.js"] {
        assert_eq!(visitor.get(file).status, 200);
    }
    assert_eq!(
        visitor
            .get(&format!("/findings?text={}", "x".repeat(5000)))
            .status,
        414
    );
    assert_eq!(visitor.send("DELETE", "/", &[], "").status, 405);
    let own = [("Origin", &*visitor.origin())];
    let large = visitor.raw(&format!(
        "POST /sign-in HTTP/1.1
Host: {}
Content-Length: 40000

token=",
        dashboard.address
    ));
    assert_eq!(large.status, 413);
    assert_eq!(visitor.send("POST", "/sign-in", &[], "token=t").status, 403);
    assert_eq!(visitor.send("POST", "/findings", &own, "a=b").status, 401);
    // Clients that say nothing take all places, and are left in time.
    let silent: Vec<_> = (0..6)
        .map(|_| std::net::TcpStream::connect(dashboard.address).unwrap())
        .collect();
    thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    assert_eq!(visitor.get("/sign-in").status, 200);
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    assert!(dashboard.refused("slow") >= 1.0);
    drop(silent);
    // A form that does not end.
    let answer = visitor.raw(&format!(
        "POST /sign-in HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nContent-Length: 100\r\n\r\ntoken=",
        dashboard.address,
        visitor.origin()
    ));
    assert_eq!(answer.status, 408);
    let mut stranger = dashboard.visitor();
    let answer = stranger.sign_in("t");
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(stranger.cookie, None);
}
