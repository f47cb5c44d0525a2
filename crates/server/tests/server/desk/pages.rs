//! The explorer, the map, decisions, drift and lists as files: what they say, and to whom.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use oracle::ApiServer;
use serde_json::{Value, json};

use super::visitor::{Answer, Visitor};
use super::{Dashboard, ROLES, all_pages, cluster, is_file, post, with_base};

pub(super) const SHOP: &str = "/api/v1/namespaces/shop";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

/// More of the shop: a front that the internet reaches, which alone reaches `web`, as an account that reads Secrets; and
/// something of all namespaces that gives that account more.
pub(super) fn furnish(server: &ApiServer) {
    post(
        server,
        &format!("{SHOP}/serviceaccounts"),
        &json!({"metadata": {"name": "reader"}}),
    );
    let front = json!({"metadata": {"name": "front", "labels": {"team": "storefront"}}, "spec": {
        "selector": {"matchLabels": {"app": "front"}},
        "template": {"metadata": {"labels": {"app": "front"}}, "spec": {
            "serviceAccountName": "reader",
            "containers": [{"name": "app", "image": "example.azurecr.io/front:1", "ports": [{"containerPort": 8080}]}]}}}});
    post(server, "/apis/apps/v1/namespaces/shop/deployments", &front);
    post(
        server,
        &format!("{SHOP}/services"),
        &json!({"metadata": {"name": "door"}, "spec": {"type": "LoadBalancer", "selector": {"app": "front"},
            "ports": [{"port": 80, "targetPort": 8080}]}}),
    );
    post(
        server,
        "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
        &json!({"metadata": {"name": "web-in"}, "spec": {"podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "front"}}}],
                "ports": [{"port": 8080, "protocol": "TCP"}]}]}}),
    );
    post(
        server,
        &format!("{ROLES}/namespaces/shop/roles"),
        &json!({"metadata": {"name": "secret-reader"},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]}),
    );
    let account = json!([{"kind": "ServiceAccount", "name": "reader", "namespace": "shop"}]);
    let of = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    post(
        server,
        &format!("{ROLES}/namespaces/shop/rolebindings"),
        &json!({"metadata": {"name": "reads"}, "roleRef": of("Role", "secret-reader"), "subjects": account}),
    );
    post(
        server,
        &format!("{ROLES}/clusterrolebindings"),
        &json!({"metadata": {"name": "quiet-giant"}, "roleRef": of("ClusterRole", "cluster-admin"), "subjects": account}),
    );
}

/// What should run: `web`, as it runs.
pub(super) fn repository(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("seawall-desk-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("web.yaml"),
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: app
          image: example.azurecr.io/web:1.2.3
          securityContext:
            privileged: true # the printer needs it
",
    )
    .unwrap();
    folder
}

/// Waits until joins know of what was furnished, and the folder was compared.
pub(super) fn furnished(dashboard: &Dashboard) {
    dashboard.until("a pass over the shop", |shared| {
        let estate = &shared.picture().estate;
        let policy = estate.find("shop", "NetworkPolicy", "web-in").is_some();
        let giant = estate.find("", "ClusterRoleBinding", "quiet-giant");
        policy && giant.is_some() && shared.drift().is_some()
    });
}

/// Asks until a page has found out what takes long.
fn found(visitor: &Visitor<'_>, path: &str) -> Answer {
    let begin = Instant::now();
    loop {
        let answer = visitor.get(path);
        if !answer.body.contains("data-waits") {
            return answer;
        }
        assert!(begin.elapsed() < Duration::from_secs(180), "{path}");
    }
}

fn has(answer: &Answer, parts: &[&str]) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    for part in parts {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
}

#[test]
fn the_estate_is_explored_by_those_who_see_it() {
    let server = cluster();
    furnish(&server);
    let folder = repository("explored");
    let dashboard = with_base(&server, None, Some(folder.clone()));
    furnished(&dashboard);
    let otto = dashboard.signed_in(server.token_of("otto"));
    let jane = dashboard.signed_in(server.token_of("jane"));
    let nina = dashboard.signed_in(server.token_of("nina"));

    explorer(&otto, &jane);
    map(&otto, &jane, &nina);
    sources(&otto, &jane);
    decided(&otto);
    lists(&otto, &jane);
    hidden(&dashboard, &jane, &nina);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The list with what is known of each, and one object with all that is known of it.
fn explorer(otto: &Visitor<'_>, jane: &Visitor<'_>) {
    let rows = |answer: &Answer| answer.body.matches("href=\"/object?at=").count();
    let exposed = otto.get("/objects?with=exposed");
    has(&exposed, &["open to the internet", "1 object<", ">front<"]);
    assert_eq!(rows(&exposed), 1);
    let labelled = otto.get("/objects?text=team%3Dstorefront");
    has(&labelled, &["1 object<", "team storefront"]);
    let accounts = otto.get("/objects?kind=ServiceAccount&with=powers&namespace=shop");
    has(&accounts, &["reader", "and "]);
    assert_eq!(rows(&accounts), 1);

    let front = otto.get("/object?at=/apis/apps/v1/namespaces/shop/deployments/front");
    front.is_whole();
    has(
        &front,
        &[
            "load balancer",
            "Service shop/door",
            "What it can reach",
            "RoleBinding shop/reads",
            "get, list secrets",
            "ClusterRoleBinding quiet-giant",
            "Who may change it",
            "team=storefront",
        ],
    );
    // Who sees a namespace is not told what is given elsewhere.
    let own = jane.get("/object?at=/apis/apps/v1/namespaces/shop/deployments/front");
    own.is_whole();
    has(
        &own,
        &[
            "load balancer",
            "RoleBinding shop/reads",
            "get, list secrets",
        ],
    );
    for absent in [
        "quiet-giant",
        "Who may change it",
        "Attack paths that",
        "bankvault",
    ] {
        assert!(!own.body.contains(absent), "{absent}: {}", own.body);
    }
    // What is related by selectors and references.
    let service = otto.get(&format!("/object?at={SHOP}/services/door"));
    has(&service, &["Selects ", "Deployment front"]);
    let account = otto.get(&format!("/object?at={SHOP}/serviceaccounts/reader"));
    has(
        &account,
        &["Used by", "Deployment front", "Who may get tokens of it"],
    );
    // The ways of attackers that pass through it, step by step.
    let steps = found(
        otto,
        "/object?at=/apis/apps/v1/namespaces/bankvault/deployments/ledgerkeeper",
    );
    let link = steps
        .links()
        .into_iter()
        .find(|link| link.starts_with("/paths/") && link.contains("#step-"));
    let link = link.unwrap_or_else(|| panic!("{}", steps.body));
    let (path, step) = link.split_once('#').unwrap();
    has(
        &otto.get(path),
        &[&format!("id=\"{step}\""), "ledgerkeeper"],
    );
}

/// Who can talk to whom, and why.
fn map(otto: &Visitor<'_>, jane: &Visitor<'_>, nina: &Visitor<'_>) {
    let all = otto.get("/map");
    all.is_whole();
    has(
        &all,
        &[
            "<svg",
            "the internet",
            "ledgerkeeper",
            "everything",
            "TCP 8080",
        ],
    );
    // Each line leads to the same as its row.
    assert_eq!(
        all.body.matches("class=\"way ").count() - 3,
        all.body.matches(">why<").count(),
        "{}",
        all.body
    );
    let pair = |from: &str, to: &str| format!("/map?from={from}&to={to}");
    let (front, web) = ("shop/front%5BDeployment%5D", "shop/web%5BDeployment%5D");
    let ledger = "bankvault/ledgerkeeper%5BDeployment%5D";
    has(
        &otto.get(&pair(front, web)),
        &[
            "Passes: TCP 8080.",
            "no policy selects it",
            "NetworkPolicy shop/web-in",
            "spec.ingress[0]",
            "allows TCP 8080",
        ],
    );
    has(
        &otto.get(&pair(ledger, web)),
        &["Nothing passes.", "no rule matches the other end"],
    );
    has(
        &otto.get(&pair("internet", front)),
        &[
            "Something leads there",
            "Service shop/door",
            "TCP 80 to TCP 8080",
        ],
    );
    has(
        &otto.get(&pair("internet", web)),
        &[
            "Nothing that is known leads there",
            "NetworkPolicy shop/web-in",
        ],
    );
    has(
        &otto.get(&pair(front, "metadata")),
        &["Passes: TCP 80.", "no policy selects it"],
    );
    let own = otto.get("/map?namespace=bankvault");
    has(&own, &["From and to bankvault", "the API server"]);

    let seen = jane.get("/map");
    seen.is_whole();
    has(&seen, &["front", "TCP 8080", "Only workloads that you see"]);
    let pairs = |answer: &Answer| {
        let (_, rest) = answer.body.split_once("role=\"status\">").unwrap();
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        number.parse::<usize>().unwrap()
    };
    assert!(pairs(&seen) > 0);
    // As if there were no such namespace.
    for (from, to) in [
        ("bankvault/", ""),
        (ledger, web),
        ("", "bankvault/"),
        (web, ledger),
    ] {
        let answer = jane.get(&pair(from, to));
        assert_eq!(pairs(&answer), 0, "{from} {to}: {}", answer.body);
        assert!(!answer.body.contains("no rule matches"), "{}", answer.body);
    }
    let nothing = nina.get("/map");
    has(&nothing, &["There is no workload that you see"]);
}

/// From a finding to the line of the file that it comes from, and what would mend it.
fn sources(otto: &Visitor<'_>, jane: &Visitor<'_>) {
    for visitor in [otto, jane] {
        let list = visitor.get("/findings?guideline=pss-privileged&namespace=shop");
        let link = list
            .links()
            .into_iter()
            .find(|link| link.starts_with("/findings/"))
            .unwrap();
        let finding = visitor.get(&link);
        has(
            &finding,
            &[
                "web.yaml:19:25",
                "<mark>true</mark>",
                "<del>-            privileged: true # the printer needs it</del>",
                "<ins>+",
                WEB,
            ],
        );
        has(
            &visitor.get(&format!("/object?at={WEB}")),
            &["Where it is written", "web.yaml:1:1"],
        );
    }
    // What is not written anywhere says so.
    let front = otto.get("/object?at=/apis/apps/v1/namespaces/shop/deployments/front");
    has(&front, &["Not in <code>the repository</code>"]);
    let drift = otto.get("/drift");
    drift.is_whole();
    has(
        &drift,
        &[
            "compared with the repository",
            "Objects that only run",
            "shop/front",
        ],
    );
}

/// A plan for the whole estate, with what less would buy; limits are asked for.
fn decided(otto: &Visitor<'_>) {
    let all = found(otto, "/decisions");
    all.is_whole();
    has(
        &all,
        &[
            "Do this",
            "points of risk",
            "By what ran",
            "What the sums rest on",
        ],
    );
    let value = json_of(&found(otto, "/decisions.json"));
    let plan = &value["decisions"];
    assert_eq!(plan["schema"], "seawall.decide/v1");
    let measures = plan["measures"].as_array().unwrap();
    assert!(!measures.is_empty());
    for measure in measures {
        let id = measure["id"].as_str().unwrap();
        assert!(all.body.contains(id), "{id} is in the plan");
    }
    let points = plan["frontier"]["points"].as_array().map_or(0, Vec::len);
    assert!(points > 1, "{plan}");
    has(&all, &["<svg", "class=\"point"]);
    // A limit that allows nothing.
    let nothing = found(otto, "/decisions?days=0&money=0");
    has(&nothing, &["Within 0 EUR a month and 0 days of work."]);
    assert!(!nothing.body.contains("Do this"), "{}", nothing.body);
    // What is no number is no limit.
    let odd = found(otto, "/decisions?days=-3&money=x");
    assert!(!odd.body.contains("Within"), "{}", odd.body);
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// Lists as files say what their filter leaves.
fn lists(otto: &Visitor<'_>, jane: &Visitor<'_>) {
    let critical = json_of(&otto.get("/findings.json?severity=critical"));
    let critical = critical["findings"].as_array().unwrap();
    assert!(!critical.is_empty());
    for finding in critical {
        assert_eq!(finding["severity"], "critical");
    }
    let csv = otto.get("/findings.csv?severity=critical");
    csv.is_file();
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.body.starts_with("severity,verdict,"), "{}", csv.body);
    assert_eq!(csv.body.trim_end().lines().count(), critical.len() + 1);
    let objects = json_of(&otto.get("/objects.json?kind=Deployment"));
    let names = |value: &Value| -> Vec<String> {
        let rows = value["objects"].as_array().unwrap();
        rows.iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut all = names(&objects);
    all.sort();
    assert_eq!(all, ["front", "ledgerkeeper", "web"]);
    let own = json_of(&jane.get("/objects.json?kind=Deployment"));
    assert_eq!(names(&own).len(), 2);
    let map = otto.get("/map.csv?from=internet");
    has(
        &map,
        &["from,to,over,passes", "shop/front[Deployment],TCP 8080,yes"],
    );
    has(
        &otto.get("/drift.csv"),
        &["objects-new,apps/Deployment/shop/front"],
    );
}

/// Nothing of elsewhere on any page that there is a way to, nor by an address; nothing at all without a session.
fn hidden(dashboard: &Dashboard, jane: &Visitor<'_>, nina: &Visitor<'_>) {
    for (visitor, secrets) in [
        (jane, &["bankvault", "ledgerkeeper", "quiet-giant"][..]),
        (nina, &["bankvault", "shop", "front", "quiet-giant"][..]),
    ] {
        let pages = all_pages(visitor);
        assert!(pages.keys().any(|path| path.starts_with("/map")));
        for (path, page) in &pages {
            assert_eq!(page.status, 200, "{path}");
            for secret in secrets {
                assert!(
                    !page.body.contains(secret),
                    "{path} tells of {secret}: {}",
                    page.body
                );
            }
            if !is_file(path) {
                page.is_whole();
            }
        }
        for path in [
            "/decisions",
            "/decisions.json",
            "/drift",
            "/drift.csv",
            "/paths",
            "/history.csv",
        ] {
            assert_eq!(visitor.get(path).status, 404, "{path}");
        }
    }
    let stranger = dashboard.visitor();
    for path in [
        "/map",
        "/decisions",
        "/drift",
        "/object?at=/api/v1/namespaces/shop",
        "/objects.csv",
        "/findings.json",
        "/map.csv",
        "/decisions.json",
    ] {
        let answer = stranger.get(path);
        assert_eq!(
            (answer.status, &*answer.header("location")),
            (303, "/sign-in"),
            "{path}"
        );
        assert!(answer.body.is_empty());
    }
}
