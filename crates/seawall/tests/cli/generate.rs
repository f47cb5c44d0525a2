//! `generate`: an intent becomes files that stay as people left them, and that seawall judges clean.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::run::{DAY, Folder, Ran};

#[path = "generate/round_trip.rs"]
mod round_trip;

/// A shop with a workload of each class.
const INTENT: &str = include_str!("../../../generate/tests/intent.yaml");

fn generate(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["generate", "--as-of", DAY], args].concat())
}

fn shop() -> Folder {
    let folder = Folder::of(&[("intent.yaml", INTENT)]);
    let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    folder
}

/// Every file below a folder with its text.
fn texts(root: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

#[test]
fn the_same_intent_makes_the_same_files() {
    let (one, two) = (shop(), shop());
    let (one, two) = (
        texts(&one.path().join("shop")),
        texts(&two.path().join("shop")),
    );
    assert!(one.len() > 20, "{:?}", one.keys());
    assert_eq!(one, two);
    for (path, text) in &one {
        assert!(
            text.ends_with('\n') && !text.ends_with("\n\n"),
            "the end of {path}"
        );
        assert!(
            !text.contains(" \n"),
            "a space at the end of a line of {path}"
        );
        assert!(
            !text.contains("<<") && !text.contains("{%"),
            "a template's syntax in {path}"
        );
    }
}

#[test]
fn a_changed_answer_changes_only_what_it_is_about() {
    let folder = shop();
    let before = texts(&folder.path().join("shop"));
    let changed = format!("{INTENT}decisions:\n  pod-security: psa-baseline\n");
    folder.write("intent.yaml", changed);
    let ran = generate(&folder, &["intent.yaml", "--out", "shop", "--check"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(
        texts(&folder.path().join("shop")),
        before,
        "`--check` writes nothing"
    );
    let said: Vec<&str> = ran.out.lines().collect();
    let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let after = texts(&folder.path().join("shop"));
    let differ: Vec<String> = before
        .iter()
        .filter(|(path, text)| after.get(*path) != Some(text) && !path.starts_with('.'))
        .map(|(path, _)| format!("{path}: would change"))
        .collect();
    assert_eq!(said, differ);
    for line in &differ {
        // Azure Policy is told the level too.
        let about_it = [
            "README.md",
            "seawall.yaml",
            "manifests/",
            "bicep/modules/policies.bicep",
        ];
        assert!(
            about_it.iter().any(|start| line.starts_with(start)),
            "{line}"
        );
    }
    let ran = generate(&folder, &["intent.yaml", "--out", "shop", "--check"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "shop is as the intent says.\n"),
        "{}",
        ran.err
    );
}

#[test]
fn what_people_changed_is_not_overwritten() {
    let folder = shop();
    let own = format!(
        "{}# ours\n",
        fs::read_to_string(folder.path().join("shop/README.md")).unwrap()
    );
    folder.write("shop/README.md", &own);
    folder.write("shop/notes.md", "ours");
    folder.write(
        "intent.yaml",
        INTENT.replace("region: westeurope", "region: northeurope"),
    );
    let before = texts(folder.path());
    let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("README.md"), "{}", ran.err);
    assert!(ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(texts(folder.path()), before, "nothing was written");
    let ran = generate(&folder, &["intent.yaml", "--out", "shop", "--force"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let after = texts(&folder.path().join("shop"));
    assert!(!after["README.md"].contains("# ours"));
    assert_eq!(
        after["notes.md"], "ours",
        "what is not generated is nobody's business"
    );
}

#[test]
fn what_is_not_generated_any_more_goes_unless_it_was_changed() {
    let folder = shop();
    let kept = "shop/manifests/namespaces/plugins/namespace.yaml";
    let text = fs::read_to_string(folder.path().join(kept)).expect("the namespace of a workload");
    folder.write(kept, format!("{text}# ours\n"));
    let without: Vec<&str> = INTENT
        .lines()
        .filter(|line| !line.contains("name: plugins"))
        .collect();
    folder.write("intent.yaml", without.join("\n"));
    let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let after = texts(&folder.path().join("shop"));
    let left: Vec<&String> = after
        .keys()
        .filter(|path| path.starts_with("manifests/namespaces/plugins/"))
        .collect();
    assert_eq!(left, ["manifests/namespaces/plugins/namespace.yaml"]);
}

#[test]
fn a_wrong_intent_is_told_with_its_line() {
    let cases = [
        (
            "region: West Europe\n",
            "region: West Europe",
            "short name of an Azure region",
        ),
        (
            "owner: team-platform\n",
            "owner: \"team\\\"platform\"",
            "one line without quotes",
        ),
        (
            "range: 10.20.0.0/16",
            "range: 10.10.128.0/17",
            "overlaps that of another",
        ),
        (
            "range: 10.20.0.0/16",
            "range: 10.20.0.1/16",
            "range of private addresses",
        ),
        (
            "profile: production",
            "profile: prod",
            "development, production or regulated",
        ),
        (
            "class: batch",
            "class: cron",
            "web, internal, batch or untrusted",
        ),
        (
            "calls: [orders] }\n- { name: plugins",
            "calls: [payments] }\n- { name: plugins",
            "`payments` is no workload",
        ),
        ("port: 8080", "port: 80", "cannot listen below"),
        (
            "hosts: [shop.example.com], ",
            "",
            "under which names people reach `storefront`",
        ),
        (
            "administrators: 1111",
            "administrators: admins-1111",
            "object id of an Entra group",
        ),
        (
            "repository: example/shop",
            "repo: example/shop",
            "unknown key `repo`",
        ),
    ];
    for (from, to, said) in cases {
        let from = if from.starts_with("region") {
            "region: westeurope\n"
        } else {
            from
        };
        let to = if from.ends_with('\n') && !to.contains('\n') {
            format!("{to}\n")
        } else {
            to.to_owned()
        };
        assert!(INTENT.contains(from), "{from}");
        let folder = Folder::of(&[("intent.yaml", &INTENT.replace(from, &to))]);
        let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
        assert_eq!(ran.code, 2, "{to}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{to}: {}", ran.err);
        assert!(
            ran.err.starts_with("error: intent.yaml:"),
            "{to}: {}",
            ran.err
        );
        assert!(!folder.path().join("shop").exists());
    }
}

#[test]
fn decisions_that_do_not_fit_are_told_apart() {
    let cases = [
        ("egress: internet", "no answer to `egress`"),
        ("exits: nat-gateway", "`exits` is no question"),
        ("egress: [nat-gateway, no-egress]", "must have one answer"),
        (
            "egress: no-egress\n  api-server: public-ranges",
            "`egress: no-egress` needs `api-server: private`",
        ),
        (
            "network-policies: calico\n  egress-names: acns",
            "needs `network-policies: cilium`",
        ),
    ];
    for (decision, said) in cases {
        let folder = Folder::of(&[(
            "intent.yaml",
            &format!("{INTENT}decisions:\n  {decision}\n"),
        )]);
        let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
        assert_eq!(ran.code, 2, "{decision}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{decision}: {}", ran.err);
        assert!(
            ran.err
                .contains("seawall generate intent.yaml --interactive"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn what_is_decided_bends_what_the_guide_would_take() {
    let folder = Folder::of(&[(
        "intent.yaml",
        &format!("{INTENT}decisions:\n  egress: no-egress\n"),
    )]);
    let ran = generate(&folder, &["intent.yaml", "--out", "shop"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let readme = fs::read_to_string(folder.path().join("shop/README.md")).unwrap();
    let answer = |question: &str| -> String {
        let key = format!("`{question}: ");
        let line = readme.lines().find(|line| line.contains(&key));
        line.unwrap_or_else(|| panic!("{question} in {readme}"))
            .to_owned()
    };
    let egress = answer("egress");
    assert!(egress.contains("`egress: no-egress`"), "{egress}");
    assert!(!egress.contains("The guide's choice"), "{egress}");
    // An isolated cluster has no public API server.
    let api_server = answer("api-server");
    assert!(
        api_server.contains("`api-server: vnet-integration-private`"),
        "{api_server}"
    );
    assert!(api_server.contains("The guide's choice"), "{api_server}");
}

#[test]
fn a_talk_ends_in_an_intent_that_reads_the_same() {
    let basics = "shop\n\nteam-platform\nsec@example.com\n\n\n\n\n\n11111111-1111-1111-1111-111111111111\n22222222-2222-2222-2222-222222222222\n33333333-3333-3333-3333-333333333333\n\nstorefront\nweb\nshop.example.com\n\n\n\n\norders\n\n8081\nvault\n\n\n\n";
    let folder = Folder::new();
    // One by its number, one by its name, the page of the guide, back, and the rest as marked.
    let answers = format!("{basics}\nnamespaces\n?\n\nb\nnone\nrest\n");
    let ran = folder.run_with(
        &["generate", "--interactive", "--out", "shop", "--as-of", DAY],
        answers.as_bytes(),
        OsString::new(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.out
    );
    let intent = fs::read_to_string(folder.path().join("intent.yaml")).unwrap();
    assert!(intent.contains("environments: namespaces\n"), "{intent}");
    assert!(intent.contains("pools: []\n"), "{intent}");
    let made = texts(&folder.path().join("shop"));
    let ran = generate(&folder, &["intent.yaml", "--out", "shop", "--check"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "shop is as the intent says.\n"),
        "{}",
        ran.err
    );
    // Asked again, empty lines keep every answer.
    let ran = folder.run_with(
        &["generate", "intent.yaml", "--interactive", "--as-of", DAY],
        "\n".repeat(40).as_bytes(),
        OsString::new(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = generate(&folder, &["intent.yaml", "--out", "again"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let again = texts(&folder.path().join("again"));
    let texts_of = |texts: BTreeMap<String, String>| -> BTreeMap<String, String> {
        // The README says which answers were given.
        texts
            .into_iter()
            .filter(|(path, _)| path != "README.md" && !path.starts_with('.'))
            .collect()
    };
    assert_eq!(texts_of(again), texts_of(made));
}

#[test]
fn answers_are_written_into_an_intent_that_is_there() {
    let folder = Folder::of(&[("intent.yaml", INTENT)]);
    let ran = folder.run_with(
        &["generate", "intent.yaml", "--interactive", "--as-of", DAY],
        b"none\n2\nrest\n",
        OsString::new(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let intent = fs::read_to_string(folder.path().join("intent.yaml")).unwrap();
    let added = "decisions:\n  environments: namespaces\n  governance: []\n";
    assert_eq!(intent, format!("{INTENT}{added}"));
}

#[test]
fn a_talk_that_breaks_off_writes_nothing() {
    for answers in [
        "shop\n",
        "shop\n\nteam\nsec@example.com\n\n\n\n\n\n11111111-1111-1111-1111-111111111111\n22222222-2222-2222-2222-222222222222\n33333333-3333-3333-3333-333333333333\n\n\nq\n",
    ] {
        let folder = Folder::new();
        let ran = folder.run_with(
            &["generate", "--interactive"],
            answers.as_bytes(),
            OsString::new(),
        );
        assert!(!folder.path().join("intent.yaml").exists(), "{}", ran.out);
        assert_eq!(
            ran.code,
            if answers.ends_with("q\n") { 0 } else { 2 },
            "{}{}",
            ran.out,
            ran.err
        );
    }
}
