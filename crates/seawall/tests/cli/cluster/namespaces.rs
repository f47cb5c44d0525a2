//! A team that may only read its own namespace.

use super::live::{TEAM, live};
use crate::run::text;

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
