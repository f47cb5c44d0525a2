//! A team that may only read its own namespace.

use super::live::{TEAM, live};
use crate::run::{Folder, text};

#[test]
fn a_namespace_alone_is_assessed_and_the_rest_stays_unknown() {
    let live = live();
    let report = live.json(TEAM, &["--namespace", "team-1", "--verdicts", "all"]);
    let about = |kind: &str| {
        report
            .list("/findings")
            .iter()
            .filter(|finding| text(&finding["resource"]["kind"]) == kind)
            .map(|finding| text(&finding["resource"]["namespace"]))
            .collect::<Vec<_>>()
    };
    let namespaces = about("Deployment");
    assert!(!namespaces.is_empty());
    assert!(
        namespaces.iter().all(|namespace| *namespace == "team-1"),
        "{namespaces:?}"
    );
    // What stands in the namespace is known to the end …
    let judged = |guideline: &str, resource: &str| {
        report
            .list("/verdicts")
            .iter()
            .find(|one| text(&one["guideline"]) == guideline && text(&one["resource"]) == resource)
            .map(|one| text(&one["verdict"]).to_owned())
    };
    assert_eq!(
        judged("np-default-deny", "Namespace/team-1").as_deref(),
        Some("fail")
    );
    // … what belongs to the cluster is not, by name.
    let refused = report
        .documents()
        .into_iter()
        .filter(|line| line.contains("refused to list"))
        .collect::<Vec<_>>();
    assert!(
        refused
            .iter()
            .any(|line| line.contains("clusterroles (403)")),
        "{refused:?}"
    );
    assert!(
        !refused.iter().any(|line| line.contains("deployments")),
        "{refused:?}"
    );
    assert_eq!(report.code, 1);
}

/// What was not to be read is named as that: no word of files.
#[test]
fn a_part_of_a_cluster_is_no_pile_of_files() {
    let live = live();
    let only = "only namespace `team-1` of the cluster was read (`--namespace`)";
    let report = live.json("admin", &["--namespace", "team-1", "--verdicts", "all"]);
    let text = report.value.to_string();
    assert!(text.contains(only));
    assert!(
        !text.contains("what was given may not be everything"),
        "{text}"
    );
    let folder = Folder::new();
    let kubeconfig = live.kubeconfig("admin").display().to_string();
    let part = [
        "--cluster",
        "--kubeconfig",
        &kubeconfig,
        "--namespace",
        "team-1",
    ];
    let ask = |namespace: &str| {
        let words = ["who-can", "get", "secrets", "-n", namespace];
        let ran = folder.run(&[&words, &part[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let inside = ask("team-1");
    assert!(
        !inside.contains("Namespace `team-1`") && !inside.contains(only),
        "{inside}"
    );
    assert!(inside.contains("Nobody else for certain."), "{inside}");
    let outside = ask("kube-system");
    assert!(
        outside.contains(&format!(
            "Nobody else by what was given. {}",
            only.replace("only", "Only")
        )),
        "{outside}"
    );
    assert!(!outside.contains("`--whole`"), "{outside}");
    // A snapshot says the same.
    let taken = folder.run(&[&["snapshot", "-o", "a.snapshot"], &part[..]].concat());
    assert_eq!(taken.code, 0, "{}", taken.err);
    let told = taken.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(only), "{told}");
    let kept = folder.run(&[
        "who-can",
        "get",
        "secrets",
        "-n",
        "kube-system",
        "--snapshot",
        "a.snapshot",
    ]);
    assert_eq!(
        kept.out.split_whitespace().collect::<Vec<_>>().join(" "),
        outside
    );
}

#[test]
fn namespace_by_namespace_where_the_whole_is_refused() {
    let live = live();
    // May list namespaces, and read one of them.
    let report = live.json(TEAM, &["--guideline", "pss-privilege-escalation"]);
    let lines = report.documents();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("refused to list deployments in namespace `team-0` (403)")),
        "{lines:?}"
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("in namespace `team-1`")),
        "{lines:?}"
    );
    assert!(
        report
            .findings()
            .iter()
            .any(|line| line.contains("/namespaces/team-1/"))
    );
}

#[test]
fn a_namespace_that_does_not_exist_is_an_error() {
    let ran = live().assess("admin", &["--namespace", "tem-1"]);
    insta::assert_snapshot!(ran.failure(), @"
    exit 2
    error: there is no namespace `tem-1` in the cluster
      help: `kubectl get namespaces` lists them
    ");
}
