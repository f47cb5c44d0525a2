//! The estates under `examples/`, as their READMEs promise.

use std::collections::BTreeSet;

use crate::run::{Folder, Json, repository, text};

fn example(name: &str, args: &[&str]) -> Json {
    let path = repository("examples").join(name);
    Folder::new().json(&[&[path.to_str().unwrap()], args].concat())
}

#[test]
fn the_shop_is_read_completely_and_fails_nothing() {
    let report = example("aks-store", &[]);
    assert_eq!(report.code, 0);
    let totals = &report.value["coverage"]["totals"];
    assert_eq!(
        (
            &totals["unreadable"],
            &totals["unresolved"],
            &totals["unknownKind"]
        ),
        (&0.into(), &0.into(), &0.into())
    );
    assert_eq!(example("aks-store", &["--fail-on", "high"]).code, 1);
}

#[test]
fn the_shop_has_flaws_of_every_severity() {
    let report = example("aks-store", &[]);
    for (severity, least) in [("critical", 10), ("high", 20), ("medium", 20), ("low", 3)] {
        let number = report.value["summary"]["bySeverity"][severity]["fail"]
            .as_u64()
            .unwrap();
        assert!(number >= least, "{severity}: {number}");
    }
    let guidelines: BTreeSet<&str> = report
        .list("/findings")
        .iter()
        .map(|finding| text(&finding["guideline"]))
        .collect();
    assert!(guidelines.len() >= 50, "{guidelines:?}");
    let aspects: BTreeSet<&str> = report
        .list("/findings")
        .iter()
        .map(|finding| text(&finding["aspect"]))
        .collect();
    assert_eq!(aspects.len(), 6, "{aspects:?}");
    assert_eq!(
        report.value["summary"]["waived"], 2,
        "one by configuration, one by comment"
    );
    assert!(!guidelines.contains("waiver-current"));
    let unknown: Vec<String> = report
        .findings()
        .into_iter()
        .filter(|finding| finding.ends_with(" unknown"))
        .collect();
    assert!(
        !unknown.is_empty()
            && unknown.iter().all(|finding| {
                finding.contains("modules/cluster.bicep:39 ")
                    || finding.contains("infra/terraform/cluster.tf:")
                    || finding.ends_with("log-agent.yaml:3 sa-exposed-no-escalation unknown")
            }),
        "whether the cluster is private, the pipeline says; whether a role of one deployment reaches the \
         other, their resource groups; whether the internet reaches the agent on its node, the cluster that it \
         runs in: {unknown:?}"
    );
}

#[test]
fn each_environment_of_the_shop_can_be_assessed_alone() {
    for (folder, ending, guidelines) in [
        (
            "aks-store/infra/bicep",
            ".bicep",
            ["host-mgmt-ports-closed", "prov-secure-parameters"],
        ),
        (
            "aks-store/infra/terraform",
            ".tf:",
            ["api-private-or-restricted", "prov-sla-tier"],
        ),
    ] {
        let report = example(folder, &[]);
        assert_eq!(report.code, 0);
        let findings = report.findings();
        assert!(
            findings
                .iter()
                .all(|finding| finding.contains(ending) || finding.contains("waiver-current")),
            "{findings:?}"
        );
        for guideline in guidelines {
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.contains(&format!(" {guideline} fail"))),
                "{folder}: {guideline}"
            );
        }
    }
}

#[test]
fn the_hardened_shop_has_no_finding_at_any_severity() {
    let report = example("hardened", &["--fail-on", "low", "--fail-on-unknown"]);
    assert_eq!((report.code, report.findings()), (0, vec![]));
    assert_eq!(report.waived().len(), 7);
    let settings: Vec<&str> = report
        .list("/coverage/guidelines")
        .iter()
        .map(|entry| text(&entry["needs"]))
        .collect();
    assert!(
        settings
            .iter()
            .all(|needs| needs.ends_with("in seawall.yaml") || needs.starts_with("an audit log")),
        "{settings:?}"
    );
}

#[test]
fn both_shops_have_the_same_parts() {
    let names = |report: &Json| -> BTreeSet<String> {
        report
            .list("/coverage/documents")
            .iter()
            .filter(|entry| {
                ["Deployment", "StatefulSet", "CronJob"].contains(&text(&entry["kind"]))
            })
            .map(|entry| text(&entry["name"]).to_owned())
            .collect()
    };
    let (shop, hardened) = (
        names(&example("aks-store", &[])),
        names(&example("hardened", &[])),
    );
    assert_eq!(
        shop.difference(&hardened).collect::<Vec<_>>(),
        ["virtual-packer"]
    );
    assert!(hardened.is_subset(&shop));
}
