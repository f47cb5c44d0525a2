//! Values of Secrets stand in nothing that is written.

use super::live::{CANARY, ENCODED, SECRETS, live};
use crate::run::{Ran, text};

fn leaks(ran: &Ran) -> bool {
    [&ran.out, &ran.err]
        .iter()
        .any(|written| written.contains(CANARY) || written.contains(ENCODED))
}

#[test]
fn names_of_secrets_are_read_and_values_are_not() {
    let live = live();
    for format in [
        "terminal",
        "json",
        "sarif",
        "html",
        "junit",
        "markdown",
        "csv",
        "policyreport",
    ] {
        let ran = live.assess(
            SECRETS,
            &["--secrets", "--verdicts", "all", "--format", format],
        );
        assert!(!leaks(&ran), "{format}");
    }
    let report = live.json(SECRETS, &["--secrets", "--verdicts", "all"]);
    let said = |guideline: &str, verdict: &str| {
        report.list("/verdicts").iter().any(|one| {
            text(&one["guideline"]) == guideline
                && text(&one["resource"]) == "Secret/team-0/db"
                && text(&one["verdict"]) == verdict
        })
    };
    // That `kubectl apply` left a copy of the values is found without reading it.
    assert!(
        said("sec-no-plain-secrets", "fail"),
        "{:?}",
        report.value["verdicts"]
    );
    // Its type does not stand in its metadata, and is known all the same.
    assert!(said("sa-no-static-tokens", "pass"));
    // A pod reads it.
    assert!(said("sec-unused-removed", "pass"));
}

#[test]
fn without_the_opt_in_secrets_are_left_out_by_choice() {
    let report = live().json("admin", &[]);
    let entries: Vec<String> = report
        .documents()
        .into_iter()
        .filter(|line| line.starts_with("/api/v1/secrets:"))
        .collect();
    assert_eq!(
        entries,
        ["/api/v1/secrets:1 not-relevant Secret Secrets were not asked for"]
    );
    let missing = report
        .list("/coverage/guidelines")
        .iter()
        .find(|entry| text(&entry["guideline"]) == "sa-no-static-tokens")
        .map(|entry| text(&entry["needs"]).to_owned());
    assert!(missing.is_some_and(|needs| needs.contains("--secrets")));
    assert!(
        !report
            .findings()
            .iter()
            .any(|line| line.contains("/secrets/"))
    );
}
