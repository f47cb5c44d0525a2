//! What is accepted: by configuration, by comment, by baseline, by another severity.

use crate::run::{Folder, Json, PRIVILEGED, pod};

const ARGS: [&str; 5] = [
    ".",
    "--guideline",
    "pss-privileged",
    "--guideline",
    "waiver-current",
];

fn shop(config: &str) -> Folder {
    let two = pod("web", PRIVILEGED)
        + "  - name: other\n    image: b\n    securityContext: {privileged: true}\n";
    Folder::of(&[("seawall.yaml", config), ("pod.yaml", &two)])
}

fn assessed(config: &str) -> Json {
    shop(config).json(&ARGS)
}

fn waiver(more: &str) -> String {
    format!(
        "waivers:\n- guideline: pss-privileged\n  reason: it loads a driver\n  owner: team-platform\n{more}"
    )
}

#[test]
fn a_waiver_takes_findings_out() {
    let report = assessed(&waiver("  until: 2027-01-31\n"));
    assert_eq!((report.code, report.findings()), (0, vec![]));
    assert_eq!(
        report.waived(),
        [
            "pod.yaml:11 pss-privileged fail",
            "pod.yaml:14 pss-privileged fail"
        ]
    );
    let note = &report.list("/findings")[0]["waiver"];
    assert_eq!(note["reason"], "it loads a driver");
    assert_eq!(note["owner"], "team-platform");
    assert_eq!(note["until"], "2027-01-31");
    assert_eq!(note["at"], "seawall.yaml:2");
    assert_eq!(report.value["summary"]["waived"], 2);
}

#[test]
fn a_waiver_covers_the_container_and_the_resource_it_names() {
    let one = assessed(&waiver("  container: other\n"));
    assert_eq!(
        (one.code, one.findings()),
        (1, vec!["pod.yaml:11 pss-privileged fail".to_owned()])
    );
    for resource in ["Pod/shop/web", "Pod/shop/*", "*/web", "Pod/*"] {
        let report = assessed(&waiver(&format!("  resource: '{resource}'\n")));
        assert_eq!((report.code, report.findings()), (0, vec![]), "{resource}");
    }
    for resource in ["Pod/shop/we", "Deployment/shop/web", "Pod/other/*", "web"] {
        let report = assessed(&waiver(&format!("  resource: '{resource}'\n")));
        assert_eq!(
            report.findings().len(),
            3,
            "{resource}: two findings and a waiver that matches nothing"
        );
    }
}

#[test]
fn the_last_day_counts() {
    assert_eq!(assessed(&waiver("  until: 2026-11-23\n")).code, 0);
    let late = assessed(&waiver("  until: 2026-11-22\n"));
    assert_eq!(late.code, 1);
    assert_eq!(late.findings().len(), 3);
    assert!(
        late.findings()
            .contains(&"seawall.yaml:2 waiver-current fail".to_owned())
    );
}

#[test]
fn a_waiver_without_reason_or_owner_is_not_honoured_and_is_a_finding() {
    for missing in ["  reason: it loads a driver\n", "  owner: team-platform\n"] {
        let report = assessed(&waiver("").replace(missing, ""));
        assert_eq!(report.code, 1, "without {missing}");
        assert_eq!(report.findings().len(), 3, "{:?}", report.findings());
        assert!(
            report
                .findings()
                .contains(&"seawall.yaml:2 waiver-current fail".to_owned())
        );
    }
}

#[test]
fn a_waiver_that_matches_nothing_is_a_finding() {
    let folder = Folder::of(&[
        ("seawall.yaml", &*waiver("")),
        ("pod.yaml", &pod("web", "")),
    ]);
    let report = folder.json(&ARGS);
    assert_eq!(report.findings(), ["seawall.yaml:2 waiver-current fail"]);
    assert_eq!(
        report.list("/findings")[0]["message"],
        "the waiver for `pss-privileged` matches no finding"
    );
}

#[test]
fn what_was_not_judged_does_not_say_that_a_waiver_is_left_over() {
    let text = waiver("");
    let quiet = pod("web", "");
    let folder = Folder::of(&[("seawall.yaml", &*text), ("apps/web/pod.yaml", &quiet)]);
    let left_over = |folder: &Folder, args: &[&str]| {
        let report = folder.json(args);
        let findings = report.findings();
        findings.iter().any(|line| line.contains("waiver-current"))
    };
    assert!(left_over(&folder, &["."]));
    // What it is about may stand in another folder.
    let config = ["--config", "seawall.yaml"];
    assert!(!left_over(&folder, &[&["apps/web"], &config[..]].concat()));
    assert!(left_over(
        &folder,
        &[&["apps/web", "--whole"], &config[..]].concat()
    ));
    // The guideline was not asked.
    assert!(!left_over(&folder, &[".", "--guideline", "waiver-current"]));
    let azure = waiver("").replace("pss-privileged", "acr-no-arm-tokens");
    assert!(!left_over(
        &Folder::of(&[("seawall.yaml", &*azure), ("pod.yaml", &quiet)]),
        &["."]
    ));
    // Something was not read.
    folder.write("broken.yaml", "apiVersion: v1\nkind: [");
    assert!(!left_over(&folder, &["."]));
}

fn with_comment(comment: &str) -> Json {
    let text = pod(
        "web",
        &PRIVILEGED.replace("privileged: true", &format!("privileged: true{comment}")),
    );
    Folder::of(&[("pod.yaml", &text)]).json(&ARGS)
}

#[test]
fn a_comment_takes_a_finding_out() {
    let report =
        with_comment(" # seawall: waive pss-privileged until 2027-01-31 because it loads a driver");
    assert_eq!((report.code, report.findings()), (0, vec![]));
    let note = &report.list("/findings")[0]["waiver"];
    assert_eq!(
        (note["reason"].as_str(), note["until"].as_str()),
        (Some("it loads a driver"), Some("2027-01-31"))
    );
    assert_eq!(note["at"], "pod.yaml:11");
    let forever = with_comment(" # seawall: waive pss-privileged because it loads a driver");
    assert_eq!((forever.code, forever.findings()), (0, vec![]));
}

#[test]
fn a_comment_above_covers_the_value_below_it() {
    let above = |line: &str| {
        let comment = "# seawall: waive pss-privileged because it loads a driver\n";
        let indent = line.len() - line.trim_start().len();
        let text = pod("web", PRIVILEGED).replacen(
            line,
            &format!("{}{comment}{line}", " ".repeat(indent)),
            1,
        );
        Folder::of(&[("pod.yaml", &*text)]).json(&ARGS).code
    };
    for line in [
        "apiVersion: v1",
        "spec:",
        "  - name: app",
        "    securityContext:",
        "      privileged:",
    ] {
        assert_eq!(above(line), 0, "above `{line}`");
    }
    for line in ["metadata:", "    image:"] {
        assert_eq!(above(line), 1, "above `{line}`");
    }
}

#[test]
fn a_comment_of_another_document_covers_nothing_here() {
    let comment = "# seawall: waive pss-privileged because it loads a driver\n";
    let text = format!(
        "{comment}apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n---\n{}",
        pod("web", PRIVILEGED)
    );
    assert_eq!(Folder::of(&[("pod.yaml", &*text)]).json(&ARGS).code, 1);
}

#[test]
fn comments_that_do_not_hold_are_findings() {
    let expired =
        with_comment(" # seawall: waive pss-privileged until 2026-01-31 because it loads a driver");
    let silent = with_comment(" # seawall: waive pss-privileged until 2027-01-31");
    let undated =
        with_comment(" # seawall: waive pss-privileged until summer because it loads a driver");
    let unknown = with_comment(" # seawall: waive pss-privilegd because it loads a driver");
    for report in [expired, silent, undated, unknown] {
        assert_eq!(report.code, 1);
        assert_eq!(
            report.findings(),
            [
                "pod.yaml:11 pss-privileged fail",
                "pod.yaml:11 waiver-current fail"
            ]
        );
    }
}

#[test]
fn text_that_is_no_comment_waives_nothing() {
    let text = pod("web", PRIVILEGED).replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations:\n    note: |\n      # seawall: waive pss-privileged because it loads a driver\n",
    );
    let report = Folder::of(&[("pod.yaml", &*text)]).json(&ARGS);
    assert_eq!((report.code, report.findings().len()), (1, 1));
}

#[test]
fn a_baseline_takes_known_findings_out_and_leaves_new_ones() {
    let folder = shop("");
    folder.assess(&[
        "pod.yaml",
        "--guideline",
        "pss-privileged",
        "--format",
        "json=known.json",
    ]);
    let args = [
        "pod.yaml",
        "--guideline",
        "pss-privileged",
        "--baseline",
        "known.json",
    ];
    let same = folder.json(&args);
    assert_eq!((same.code, same.findings()), (0, vec![]));
    assert_eq!(same.value["summary"]["baseline"], 2);
    // Moved by comments and blank lines, they are still known; another container is new.
    let text = std::fs::read_to_string(folder.path().join("pod.yaml")).unwrap();
    let moved = format!(
        "# moved\n\n\n{text}  - {{name: new, image: c, securityContext: {{privileged: true}}}}\n"
    );
    folder.write("pod.yaml", moved);
    let later = folder.json(&args);
    assert_eq!(
        (later.code, later.findings()),
        (1, vec!["pod.yaml:18 pss-privileged fail".to_owned()])
    );
    assert_eq!(later.value["summary"]["baseline"], 2);
}

#[test]
fn a_severity_of_ones_own_moves_the_floor() {
    let report = assessed("severities: {pss-privileged: medium}\n");
    assert_eq!(report.code, 0);
    assert_eq!(report.list("/findings")[0]["severity"], "medium");
    assert_eq!(
        assessed("severities: {pss-privileged: medium}\nfail-on: medium\n").code,
        1
    );
}

#[test]
fn the_configuration_may_say_that_nothing_fails() {
    assert_eq!(assessed("fail-on: none\n").code, 0);
    let folder = shop("fail-on: none\n");
    assert_eq!(
        folder
            .assess(&[&ARGS[..], &["--fail-on", "low"]].concat())
            .code,
        1,
        "the command line goes first"
    );
}

#[test]
fn the_configuration_is_found_beside_and_above_within_a_repository() {
    let folder = shop("fail-on: none\n");
    folder.write("deploy/pod.yaml", pod("web", PRIVILEGED));
    let deploy = ["deploy", "--guideline", "pss-privileged"];
    assert_eq!(folder.assess(&deploy).code, 0, "it runs where the file is");
    let path = folder.path().join("deploy");
    let elsewhere = [path.to_str().unwrap(), "--guideline", "pss-privileged"];
    let other = Folder::new();
    assert_eq!(other.assess(&elsewhere).code, 1, "not a repository");
    folder.write(".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(folder.assess(&deploy).code, 0);
    assert_eq!(other.assess(&elsewhere).code, 0);
    folder.write("deploy/seawall.yaml", "fail-on: high\n");
    assert_eq!(folder.assess(&deploy).code, 1, "the nearest counts");
    assert_eq!(
        folder
            .assess(&[&deploy[..], &["--config", "seawall.yaml"]].concat())
            .code,
        0
    );
}

#[test]
fn the_configuration_selects_frameworks_and_the_version() {
    let folder = shop("frameworks: [pss-restricted]\nkubernetes: \"1.24\"\nfail-on: none\n");
    let report = folder.json(&["."]);
    assert_eq!(report.value["framework"], "pss-restricted");
    assert_eq!(report.value["kubernetes"], "1.24");
    let other = folder.json(&[".", "--framework", "pss-baseline", "--kubernetes", "1.30"]);
    assert_eq!(
        (
            other.value["framework"].as_str(),
            other.value["kubernetes"].as_str()
        ),
        (Some("pss-baseline"), Some("1.30"))
    );
}

#[test]
fn waivers_stand_in_a_file_of_their_own_too() {
    let folder = shop("whole: true\n");
    folder.write("seawall-waivers.yaml", waiver("  until: 2027-01-31\n"));
    let report = folder.json(&ARGS);
    assert_eq!((report.code, report.findings()), (0, vec![]));
    let note = &report.list("/findings")[0]["waiver"];
    assert_eq!(note["at"], "seawall-waivers.yaml:2");
    // It is no manifest, and holds nothing else.
    assert!(
        report
            .documents()
            .iter()
            .all(|line| !line.contains("waivers"))
    );
    folder.write("seawall-waivers.yaml", "fail-on: none\n");
    let ran = folder.assess(&["."]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("seawall-waivers.yaml:1: it holds a list of `waivers` and nothing else"),
        "{}",
        ran.err
    );
    // One that is over is told where it stands.
    folder.write("seawall-waivers.yaml", waiver("  until: 2026-01-31\n"));
    let report = folder.json(&ARGS);
    assert!(
        report
            .findings()
            .contains(&"seawall-waivers.yaml:2 waiver-current fail".to_owned()),
        "{:?}",
        report.findings()
    );
}
