//! `fix`: what is shown is what is written, nothing else changes, and what is said to be cured is.

#[path = "fix/answers.rs"]
mod answers;
#[path = "fix/others.rs"]
mod others;
#[path = "fix/referred.rs"]
mod referred;
#[path = "fix/removal.rs"]
mod removal;
#[path = "fix/shared.rs"]
mod shared;
#[path = "fix/templates.rs"]
mod templates;

use std::ffi::OsString;
use std::fs;

use crate::run::{DAY, Folder, Json, Ran};
use crate::schemas::{errors, schema};

/// Comments, quotes, flow style and order that must survive.
const WEB: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
    name:   web
    namespace: 'shop'      # quoted
spec:
    selector: {matchLabels: {app: web}}
    template:
        metadata: {labels: {app: web}}
        spec:
            hostPID: true  # for debugging
            containers:
            -   name: web
                image: example.azurecr.io/web:1
                securityContext: {privileged: true}   # why?
            -   name: side
                image: \"example.azurecr.io/side:1\"
";

fn fix(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["fix", "--as-of", DAY], args].concat())
}

/// What a way of running `fix` says once everything is written.
fn saved(fix: impl Fn(&Folder, &[&str]) -> Ran, folder: &Folder, args: &[&str]) -> Json {
    let ran = fix(
        folder,
        &[args, &["--write", "--unsafe", "--format", "json"]].concat(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(
        errors(&schema("fix-v1.json"), &report.value),
        Vec::<String>::new()
    );
    report
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// Lines that went and lines that came.
fn changed(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (old, new) = (lines(before), lines(after));
    let only = |these: &[String], those: &[String]| {
        let mut those = those.to_vec();
        these
            .iter()
            .filter(|line| match those.iter().position(|other| other == *line) {
                Some(at) => {
                    those.remove(at);
                    false
                }
                None => true,
            })
            .cloned()
            .collect::<Vec<_>>()
    };
    (only(&old, &new), only(&new, &old))
}

#[test]
fn a_diff_is_shown_and_nothing_is_written() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let ran = fix(&folder, &["web.yaml", "--guideline", "pss-host-pid-ipc"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("web.yaml  Deployment shop/web"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("unsafe  pss-host-pid-ipc"), "{}", ran.out);
    assert!(
        ran.out.contains("-            hostPID: true"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("--write --unsafe"), "{}", ran.out);
    assert_eq!(read(&folder, "web.yaml"), WEB);
}

#[test]
fn what_may_break_a_workload_is_written_only_when_asked_for() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let ran = fix(&folder, &["web.yaml", "--write"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("have a fix that may break a workload"),
        "{}",
        ran.out
    );
    assert_eq!(read(&folder, "web.yaml"), WEB);
}

#[test]
fn all_else_stays_byte_for_byte_and_the_findings_are_gone() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let before = folder.json(&["."]);
    let ran = fix(
        &folder,
        &["web.yaml", "--write", "--unsafe", "--format", "json"],
    );
    let (code, report) = (ran.code, ran.json());
    assert_eq!(code, 0);
    let schema = schema("fix-v1.json");
    assert_eq!(errors(&schema, &report.value), Vec::<String>::new());
    let text = read(&folder, "web.yaml");
    let (gone, _) = changed(WEB, &text);
    assert_eq!(
        gone,
        [
            "            hostPID: true  # for debugging",
            "                securityContext: {privileged: true}   # why?",
        ]
    );
    for kept in [
        "# The shop's front.",
        "    name:   web",
        "'shop'      # quoted",
        "# why?",
        "\"example.azurecr.io/side:1\"",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    let after = folder.json(&["."]);
    let fixed: Vec<(String, u64)> = report
        .list("/changes")
        .iter()
        .flat_map(|change| change["fixes"].as_array().unwrap())
        .flat_map(|one| one["findings"].as_array().unwrap())
        .map(|finding| {
            (
                finding["guideline"].as_str().unwrap().to_owned(),
                finding["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert!(fixed.len() >= 8, "{fixed:?}");
    // Each finding that was fixed is gone, and nothing fails that did not before.
    let count = |report: &crate::run::Json, id: &str| {
        report
            .list("/findings")
            .iter()
            .filter(|finding| finding["guideline"] == id && finding["verdict"] == "fail")
            .count()
    };
    let guidelines: std::collections::BTreeSet<String> = after
        .list("/findings")
        .iter()
        .chain(before.list("/findings"))
        .map(|finding| finding["guideline"].as_str().unwrap().to_owned())
        .collect();
    for id in guidelines {
        let cured = fixed.iter().filter(|(other, _)| *other == id).count();
        assert!(count(&after, &id) + cured <= count(&before, &id), "{id}");
    }
    // And again there is nothing to do.
    let again = fix(&folder, &["web.yaml", "--write", "--unsafe"]);
    assert_eq!(again.code, 0);
    assert!(
        again.out.contains("Nothing to fix here without an answer."),
        "{}",
        again.out
    );
    assert_eq!(read(&folder, "web.yaml"), text);
}

#[test]
fn line_breaks_and_a_missing_one_at_the_end_are_kept() {
    let windows = WEB.trim_end().replace('\n', "\r\n");
    let folder = Folder::of(&[("web.yaml", &windows)]);
    let ran = fix(&folder, &["web.yaml", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let text = read(&folder, "web.yaml");
    assert_ne!(text, windows);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(!text.ends_with('\n'), "{text:?}");
}

#[test]
fn what_others_use_through_an_alias_is_left_with_the_reason() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec:
  containers:
  - name: one
    image: example.azurecr.io/a:1
    securityContext: &shared
      privileged: true
  - name: two
    image: example.azurecr.io/a:1
    securityContext: *shared
";
    let folder = Folder::of(&[("pod.yaml", text)]);
    let ran = fix(
        &folder,
        &[
            "pod.yaml",
            "--guideline",
            "pss-privileged",
            "--write",
            "--unsafe",
        ],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Not fixed here"), "{}", ran.out);
    assert!(ran.out.contains("shared"), "{}", ran.out);
    assert_eq!(read(&folder, "pod.yaml"), text);
}

#[test]
fn what_is_held_back_is_told() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let one = ["web.yaml", "--guideline", "pss-host-pid-ipc", "--write"];
    let ran = fix(&folder, &one);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "Nothing was written: 1 finding has a fix that may break a workload. \
             `seawall fix PATH` shows it, `--write --unsafe` writes it."
        ),
        "{said}"
    );
    assert_eq!(read(&folder, "web.yaml"), WEB);
    let missing = fix(&folder, &["none"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("`none` does not exist"),
        "{}",
        missing.err
    );
    assert!(!missing.err.contains("standard input"), "{}", missing.err);
}

#[test]
fn accepted_findings_are_left_alone() {
    let text = WEB.replace(
        "            hostPID: true  # for debugging",
        "            hostPID: true # seawall: waive pss-host-pid-ipc until 2027-01-01 because the profiler needs it",
    );
    let folder = Folder::of(&[("web.yaml", &text)]);
    let ran = fix(&folder, &["web.yaml", "--guideline", "pss-host-pid-ipc"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Nothing to fix here."), "{}", ran.out);
}

#[test]
fn values_of_secrets_are_not_shown_around_a_change() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec:
  containers:
  - name: one
    image: example.azurecr.io/a:1
    securityContext: {privileged: true}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: Zq7vCanaryW3x}
";
    let folder = Folder::of(&[("all.yaml", text)]);
    for format in ["text", "json"] {
        let ran = fix(&folder, &["all.yaml", "--format", format]);
        assert!(ran.out.contains("privileged"), "{}", ran.out);
        assert!(!ran.out.contains("Zq7vCanaryW3x"), "{}", ran.out);
    }
    let ran = fix(&folder, &["all.yaml", "--write", "--unsafe"]);
    assert_eq!(ran.code, 0);
    assert!(read(&folder, "all.yaml").contains("Zq7vCanaryW3x"));
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_fixed() {
    let folder = Folder::of(&[("web.yaml", WEB), ("broken.yaml", "a: [1\n")]);
    let ran = fix(&folder, &[".", "--write", "--unsafe"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("broken.yaml"), "{}", ran.err);
    assert!(!read(&folder, "web.yaml").contains("hostPID"));
    assert_eq!(read(&folder, "broken.yaml"), "a: [1\n");
}

#[test]
fn each_fix_can_be_asked_for() {
    let folder = Folder::of(&[("web.yaml", WEB)]);
    let args = [
        "fix",
        "--as-of",
        DAY,
        "--interactive",
        "web.yaml",
        "--guideline",
        "pss-host-pid-ipc",
        "--guideline",
        "pss-privileged",
    ];
    let ran = folder.run_with(&args, b"what\nn\ny\n", OsString::new());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("(1 of 2) write this?"), "{}", ran.out);
    let text = read(&folder, "web.yaml");
    assert!(text.contains("hostPID: true  # for debugging"), "{text}");
    assert!(text.contains("{privileged: false}"), "{text}");
    // The end of the input leaves the rest.
    let ran = folder.run_with(&args, b"", OsString::new());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(read(&folder, "web.yaml"), text);
}

#[test]
fn what_cannot_be_fixed_here_says_where_to_go() {
    let folder = Folder::new();
    let nothing = fix(&folder, &["."]);
    assert_eq!(nothing.code, 3);
    let ran = fix(&folder, &["missing.yaml"]);
    assert_eq!(ran.code, 2);
    folder.write("web.yaml", WEB);
    let ran = folder.run_with(
        &["fix", "--as-of", DAY, "-"],
        WEB.as_bytes(),
        OsString::new(),
    );
    assert!(
        ran.out.contains("standard input cannot be written"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn a_fix_that_makes_another_verdict_worse_is_taken_back() {
    // Without the pod's reference nothing uses the Secret any more, which is a finding of its own.
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec:
  imagePullSecrets: [{name: pull}]
  hostPID: true
  containers: [{name: one, image: example.azurecr.io/a:1}]
---
apiVersion: v1
kind: Secret
metadata: {name: pull, namespace: shop}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{}'}
";
    let folder = Folder::of(&[("all.yaml", text)]);
    let args = [
        "all.yaml",
        "--whole",
        "--write",
        "--unsafe",
        "--guideline",
        "img-no-static-pull-secret",
        "--guideline",
        "pss-host-pid-ipc",
    ];
    let ran = fix(&folder, &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("`sec-unused-removed` would be worse for Secret/shop/pull"),
        "{}",
        ran.out
    );
    let after = read(&folder, "all.yaml");
    assert!(after.contains("imagePullSecrets"), "{after}");
    assert!(!after.contains("hostPID"), "{after}");
}
