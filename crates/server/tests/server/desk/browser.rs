//! The dashboard in a real browser: sign in, filter, follow a finding, on a wide and on a narrow screen, in the light
//! and in the dark, by keyboard.

use oracle::ApiServer;
use oracle::browser::Browser;
use serde_json::json;

use super::{beside, cluster, pages, post, with_base};

#[test]
fn in_a_browser() {
    let server = cluster();
    pages::furnish(&server);
    let history = std::env::temp_dir().join(format!("seawall-desk-history-{}", std::process::id()));
    std::fs::create_dir_all(&history).unwrap();
    std::fs::write(history.join("posture-2026-11-01.jsonl"), postures()).unwrap();
    let repository = pages::repository("browsed");
    let dashboard = with_base(&server, Some(history.clone()), Some(repository.clone()));
    pages::furnished(&dashboard);
    dashboard.until("the audit log", |shared| {
        shared.trail().alerts().len() >= 14
    });
    let site = format!("https://{}", dashboard.address);
    let mut browser = Browser::start();

    // Not signed in: to the door, and in by it.
    browser.size(1280, false);
    browser.call("Page.navigate", json!({"url": format!("{site}/findings")}));
    browser.until("location.pathname === '/sign-in'");
    browser.looked_at("sign-in");
    sign_in(&mut browser, server.token_of("otto"));

    let mut walked = findings(&mut browser, &site);
    walked.extend(paths(&mut browser, &site));
    walked.extend(map(&mut browser, &site));
    let pages = [
        ("overview", "/"),
        ("findings", "/findings"),
        ("guideline", "/guide/pss-host-path"),
        ("objects", "/objects"),
        ("map", "/map"),
        ("paths", "/paths"),
        ("decisions", "/decisions"),
        ("drift", "/drift"),
        ("timeline", "/timeline"),
        ("waivers", "/waivers"),
        ("coverage", "/coverage"),
        ("missing", "/nothing"),
    ];
    let pages = pages.map(|(name, path)| (name, format!("{site}{path}")));
    for (name, address) in pages.into_iter().chain(walked) {
        browser.call("Page.navigate", json!({"url": address}));
        browser.until("document.querySelector('main') && !document.querySelector('[data-waits]')");
        browser.looked_at(name);
    }
    // The last page is missing, which browsers note as an error.
    browser
        .complaints
        .retain(|complaint| !complaint.contains("404"));
    assert_eq!(browser.complaints, Vec::<String>::new());

    browser.size(1280, false);
    browser.go(&format!("{site}/"));
    browser.eval("document.querySelector('form.out').requestSubmit()");
    browser.until("location.pathname === '/sign-in'");
    browser.go(&format!("{site}/sign-in"));
    drop(browser);
    std::fs::remove_dir_all(history).unwrap();
    std::fs::remove_dir_all(repository).unwrap();
}

/// A filter counts when it is chosen; a finding leads to the line of the file that it comes from.
fn findings(browser: &mut Browser, site: &str) -> Vec<(&'static str, String)> {
    browser.size(1280, false);
    browser.go(&format!("{site}/findings"));
    browser.choose("severity", "critical");
    browser.until("location.search === '?severity=critical'");
    let rows = "[...document.querySelectorAll('table.found tbody td:first-child .chip:first-child')].map(chip => chip.textContent)";
    browser.until(&format!(
        "{rows}.length > 0 && {rows}.every(word => word === 'critical')"
    ));
    browser.go(&format!(
        "{site}/findings?guideline=pss-privileged&namespace=shop"
    ));
    browser.eval("document.querySelector('table.found tbody th a').click()");
    browser.until("location.pathname.startsWith('/findings/')");
    browser.until("document.querySelector('section[aria-labelledby=declared] figcaption').textContent.includes('web.yaml:19')");
    assert_eq!(
        browser
            .eval("document.querySelector('section[aria-labelledby=declared] mark').textContent"),
        "true"
    );
    browser.until("document.querySelector('.diff del').textContent.includes('privileged: true')");
    let finding = browser.here();
    // The first stop of the keyboard is the way past the navigation.
    browser.tab();
    assert_eq!(browser.eval("document.activeElement.className"), "skip");
    let object = browser.eval("document.querySelector('.facts a[href^=\"/object\"]').href");
    let object = object.as_str().unwrap().to_owned();
    // With the keyboard alone: `/` goes to the search.
    browser.go(&format!("{site}/objects"));
    browser.eval(
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: '/', cancelable: true }))",
    );
    assert_eq!(browser.eval("document.activeElement.name"), "text");
    browser.choose("with", "exposed");
    browser.until("location.search === '?with=exposed' && document.querySelectorAll('table.objects tbody tr').length === 1");
    browser.eval("document.querySelector('table.objects tbody a').click()");
    browser.until("location.pathname === '/object' && document.querySelector('#reached')");
    vec![
        ("finding", finding),
        ("object", object),
        ("exposed", browser.here()),
    ]
}

/// A way of an attacker, walked step by step to what it rests on.
fn paths(browser: &mut Browser, site: &str) -> Vec<(&'static str, String)> {
    browser.go(&format!("{site}/paths"));
    browser.until("document.querySelector('table.found tbody th a')");
    browser.eval("document.querySelector('table.found tbody th a').click()");
    browser.until("location.pathname.startsWith('/paths/') && document.querySelectorAll('.walk .spot').length > 1");
    let walk = browser.here();
    // From a step to the object that it rests on.
    browser.eval("document.querySelector('.walk .evidence a').click()");
    browser.until("location.pathname === '/object' && document.querySelector('.facts')");
    vec![("walk", walk)]
}

/// A line of the map leads to why, as its row does.
fn map(browser: &mut Browser, site: &str) -> Vec<(&'static str, String)> {
    browser.go(&format!("{site}/map"));
    let lines = browser.eval("document.querySelectorAll('.map svg a').length");
    assert!(lines.as_u64() > Some(3), "{lines}");
    // It is for the pointer: the table has the same for keyboards and screen readers.
    assert_eq!(
        browser.eval("[...document.querySelectorAll('.map svg a')].every(line => line.tabIndex === -1) && [...document.querySelectorAll('.map svg a')].map(line => line.getAttribute('href')).sort().join() === [...document.querySelectorAll('.pairs td:last-child a')].map(link => link.getAttribute('href')).sort().join()"),
        true
    );
    browser.eval("[...document.querySelectorAll('.map svg a')].find(line => line.textContent.includes('front') && line.textContent.includes('shop/web')).dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))");
    browser.until("location.search.includes('web') && document.querySelector('.policies')?.textContent.includes('spec.ingress[0]')");
    let why = browser.here();
    browser.go(&format!("{site}/map"));
    browser.choose("namespace", "shop");
    browser.until("location.search === '?namespace=shop' && document.querySelector('.pairs')");
    vec![("why", why), ("map-shop", browser.here())]
}

fn sign_in(browser: &mut Browser, token: &str) {
    browser.eval(&format!("document.querySelector('#token').value = '{token}'; document.querySelector('form').requestSubmit()"));
    browser.until(
        "location.pathname === '/' && document.querySelector('h1').textContent === 'Posture'",
    );
}

/// Two thousand objects in forty namespaces: pages stay readable, and come in time.
#[test]
fn a_large_cluster_in_a_browser() {
    let server = cluster();
    large(&server);
    let dashboard = beside(&server, None);
    dashboard.until("all namespaces", |shared| {
        let picture = shared.picture();
        picture
            .estate
            .find("team-39", "Deployment", "app-11")
            .is_some()
            && picture.estate.resources().len() > 2000
    });
    let site = format!("https://{}", dashboard.address);
    let mut browser = Browser::start();
    browser.size(1280, false);
    browser.go(&format!("{site}/sign-in"));
    sign_in(&mut browser, server.token_of("otto"));
    for (name, path) in [
        ("large-overview", "/"),
        ("large-objects", "/objects"),
        ("large-map", "/map"),
        ("large-map-team", "/map?namespace=team-7"),
        ("large-findings", "/findings"),
        ("large-paths", "/paths"),
        ("large-decisions", "/decisions"),
        (
            "large-object",
            "/object?at=/apis/apps/v1/namespaces/team-7/deployments/app-3",
        ),
    ] {
        browser.call("Page.navigate", json!({"url": format!("{site}{path}")}));
        browser.until(&format!(
            "location.pathname + location.search === '{path}' && document.querySelector('main') && !document.querySelector('[data-waits]')"
        ));
        browser.looked_at(name);
    }
    // The matrix has a square for each pair of the namespaces on the page, and leads on.
    browser.size(1280, false);
    browser.go(&format!("{site}/map"));
    let squares = browser.eval("document.querySelectorAll('.matrix .cell').length");
    assert!(squares.as_u64() > Some(40 * 40), "{squares}");
    browser.eval("document.querySelector('.spaces tbody th a').click()");
    browser.until("location.search.startsWith('?namespace=') && document.querySelector('.pairs')");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// Teams with twelve workloads each; every other one lets in only itself.
fn large(server: &ApiServer) {
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for team in (0..40).filter(|team| team % 4 == part) {
                    one_team(server, &format!("team-{team}"), team % 2 == 0);
                }
            });
        }
    });
}

fn one_team(server: &ApiServer, name: &str, closed: bool) {
    let within = |api: &str, kind: &str| format!("{api}/namespaces/{name}/{kind}");
    post(
        server,
        "/api/v1/namespaces",
        &json!({"metadata": {"name": name}}),
    );
    for number in 0..12 {
        let app = format!("app-{number}");
        post(
            server,
            &within("/apis/apps/v1", "deployments"),
            &json!({"metadata": {"name": app, "labels": {"app": app, "team": name}}, "spec": {
                "selector": {"matchLabels": {"app": app}},
                "template": {"metadata": {"labels": {"app": app, "tier": number.to_string()}}, "spec": {
                    "serviceAccountName": app,
                    "containers": [{"name": "app", "image": format!("example.azurecr.io/{app}:1")}]}}}}),
        );
        post(
            server,
            &within("/api/v1", "serviceaccounts"),
            &json!({"metadata": {"name": app}}),
        );
        post(
            server,
            &within("/api/v1", "configmaps"),
            &json!({"metadata": {"name": app}, "data": {"a": "b"}}),
        );
        post(
            server,
            &within("/api/v1", "services"),
            &json!({"metadata": {"name": app}, "spec": {"selector": {"app": app}, "type": if number == 0 { "LoadBalancer" } else { "ClusterIP" },
                "ports": [{"port": 80, "targetPort": 8080}]}}),
        );
    }
    if closed {
        post(
            server,
            &within("/apis/networking.k8s.io/v1", "networkpolicies"),
            &json!({"metadata": {"name": "own"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": {}}]}]}}),
        );
    }
}

/// A month in which things got better.
fn postures() -> String {
    (1..=25)
        .map(|day| {
            let fails = json!({"critical": 30 - day, "high": 60 - day * 2, "medium": 40 - day / 2, "low": 12 + day % 3});
            let line = json!({"at": format!("2026-11-{day:02}T08:00:00Z"), "objects": 100, "fails": fails, "unknown": 3,
                "waived": 1, "unread": 0, "chapters": {"workloads": {"high": 40 - day}}, "topics": {"workloads/pod-security": {"high": 20 - day / 2}}});
            format!("{line}\n")
        })
        .collect()
}
