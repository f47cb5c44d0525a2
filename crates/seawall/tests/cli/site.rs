//! The guide's pages and the report, in a browser: looks, keyboard, search, paper.

use std::path::Path;

use oracle::browser::Browser;
use serde_json::json;

use crate::run::Folder;

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// One page of each kind.
const PAGES: [(&str, &str); 15] = [
    ("front", "index.html"),
    ("chapter", "cluster/index.html"),
    ("topic", "workloads/network-policies/index.html"),
    ("topic-prices", "environments/traffic/index.html"),
    ("guideline", "workloads/pod-security/pss-host-path.html"),
    (
        "guideline-azure",
        "cluster/api-server/api-local-accounts-off.html",
    ),
    (
        "guideline-new-object",
        "cluster/namespaces/ns-resource-quota.html",
    ),
    ("steps", "steps/index.html"),
    ("step", "steps/bound-role.html"),
    ("detections", "detections/index.html"),
    ("detection", "detections/secrets-read-many.html"),
    ("frameworks", "frameworks/index.html"),
    ("framework", "frameworks/cis-aks-1.8.html"),
    ("severities", "severities.html"),
    ("not-checked", "not-checked.html"),
];

#[test]
fn the_guide_in_a_browser() {
    let folder = Folder::of(&[]);
    let ran = folder.run(&["guide", "build", "--out", "site"]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    let site = folder.path().join("site");
    let mut browser = Browser::start();
    for (name, path) in PAGES {
        browser.go(&address(&site.join(path)));
        browser.looked_at(&format!("guide-{name}"));
        on_paper(&mut browser, &format!("guide-{name}"));
    }
    search(&mut browser, &site);
    figure(&mut browser, &site);
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// With the keyboard alone, from any page.
fn search(browser: &mut Browser, site: &Path) {
    browser.size(1280, false);
    browser.go(&address(&site.join("cluster/permissions/index.html")));
    browser.eval(
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: '/', cancelable: true }))",
    );
    assert_eq!(browser.eval("document.activeElement.id"), "search");
    for (words, first) in [
        ("hostpath", "pss-host-path"),
        ("local accounts", "api-local-accounts-off"),
        ("pss-seccomp", "pss-seccomp"),
    ] {
        type_in(browser, words);
        browser.until(&format!(
            "document.querySelector('.found li code')?.textContent === '{first}'"
        ));
    }
    // A name of Azure leads to whatever reads it.
    type_in(browser, "disableLocalAccounts");
    browser.until("[...document.querySelectorAll('.found code')].some(id => id.textContent === 'api-local-accounts-off')");
    type_in(browser, "cilium engine");
    browser.until("document.querySelectorAll('.found li').length > 0");
    browser.picture("guide-search-1280");
    assert_eq!(browser.inaccessible(), Vec::<String>::new());
    type_in(browser, "nothinghasthis");
    browser.until(
        "document.querySelector('#found-number').textContent === 'Nothing has these words.'",
    );
    type_in(browser, "host path");
    browser.until("document.querySelectorAll('.found li').length > 1");
    for _ in 0..2 {
        browser.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true }))");
    }
    assert_eq!(
        browser.eval("document.activeElement === document.querySelectorAll('.found a')[1]"),
        true
    );
    browser.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }))");
    assert_eq!(browser.eval("document.activeElement.id"), "search");
    browser.eval("document.querySelector('form.search').requestSubmit()");
    browser
        .until("location.pathname.endsWith('.html') && !location.pathname.endsWith('/index.html')");
}

fn type_in(browser: &mut Browser, words: &str) {
    browser.eval(&format!(
        "{{ const field = document.querySelector('#search'); field.value = '{words}'; field.dispatchEvent(new Event('input', {{ bubbles: true }})) }}"
    ));
}

/// The parts of the picture lead to the guidelines of their aspects.
fn figure(browser: &mut Browser, site: &Path) {
    browser.go(&address(&site.join("index.html")));
    assert_eq!(
        browser.eval("document.querySelectorAll('.aspects svg a').length"),
        6
    );
    browser.eval("document.querySelector('.aspects svg a').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))");
    browser.until("location.pathname.endsWith('/aspects.html') && location.hash.length > 1");
}

/// On paper there is nothing to press, and nothing is cut off.
fn on_paper(browser: &mut Browser, name: &str) {
    browser.size(720, false);
    browser.call("Emulation.setEmulatedMedia", json!({"media": "print"}));
    let pressed = browser.eval(
        "[...document.querySelectorAll('nav, .search, .toolbar, .skip')].filter(part => part.getClientRects().length > 0).length",
    );
    assert_eq!(pressed, 0, "{name}");
    let cut = browser.eval(
        "[...document.querySelectorAll('main pre, main table')].filter(part => part.getClientRects().length > 0 && part.scrollWidth > part.clientWidth + 1).map(part => part.textContent.slice(0, 80))",
    );
    assert_eq!(cut, json!([]), "{name}");
    browser.picture(&format!("{name}-print"));
    browser.call("Emulation.setEmulatedMedia", json!({"media": ""}));
}

#[test]
fn the_report_in_a_browser() {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let flawed = examples.join("aks-store/ops");
    let flawed = flawed.to_str().unwrap();
    let folder = Folder::of(&[("seawall.yaml", "site: https://guide.example.com/seawall\n")]);
    let was = folder.run(&[
        "assess",
        flawed,
        "--fail-on",
        "high",
        "--as-of",
        "2026-11-01",
        "--format",
        "json=was.json",
    ]);
    assert_eq!(was.code, 1, "{}", was.err);
    // Some of what was found then is now new, and something else is gone.
    let mut report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("was.json")).unwrap()).unwrap();
    let findings = report["findings"].as_array_mut().unwrap();
    findings.truncate(findings.len() / 2);
    let fails = |finding: &&serde_json::Value| finding["verdict"] == "fail";
    let mut gone = findings.iter().find(fails).unwrap().clone();
    gone["fingerprint"] = json!("1");
    findings.push(gone);
    folder.write("was.json", report.to_string());
    let ran = folder.run(&[
        "assess",
        flawed,
        "--config",
        "seawall.yaml",
        "--baseline",
        "was.json",
        "--as-of",
        "2026-11-27",
        "--fail-on",
        "none",
        "--format",
        "html=report.html",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut browser = Browser::start();
    browser.go(&address(&folder.path().join("report.html")));
    for part in [
        "trend",
        "paths",
        "decisions",
        "findings",
        "coverage",
        "frameworks",
    ] {
        browser.until(&format!("document.querySelector('#{part} > h2')"));
    }
    assert!(
        browser
            .eval("document.querySelectorAll('#paths .drawing svg rect').length")
            .as_u64()
            > Some(1)
    );
    assert_eq!(
        browser.eval("document.querySelectorAll('#decisions figure.chart svg').length"),
        1
    );
    assert_eq!(
        browser.eval("document.querySelector('#trend details summary').textContent"),
        "1 finding no longer there"
    );
    let page = browser.eval("document.querySelector('article.guideline .meta a').href");
    let id = browser.eval("document.querySelector('article.guideline').id");
    let (page, id) = (page.as_str().unwrap(), id.as_str().unwrap());
    assert!(
        page.starts_with("https://guide.example.com/seawall/"),
        "{page}"
    );
    // The site has a page for each file of the guide, called alike (`every_page_can_be_reached_and_no_path_occurs_twice`).
    let path = page.trim_start_matches("https://guide.example.com/seawall/");
    let file = path.replace(".html", ".md");
    let guide = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guide"));
    assert!(guide.join(&file).is_file(), "{file} of {id}");
    browser.looked_at("report");
    on_paper(&mut browser, "report");
    assert_eq!(browser.complaints, Vec::<String>::new());
}
