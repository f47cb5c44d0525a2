//! What `deploy/` holds for the server, judged by the guide.

use std::process::Command;

use crate::rendering::tools;
use crate::run::{Folder, Json, repository};

fn assessed(path: &str) -> Json {
    let path = repository("deploy").join(path);
    let args = ["assess", path.to_str().unwrap(), "--format", "json"];
    Folder::new().run_with(&args, b"", tools()).json()
}

#[test]
fn the_own_chart_manifests_and_identity_fail_nothing() {
    for (path, accepted) in [("chart", 10), ("manifests", 4), ("azure", 2)] {
        let report = assessed(path);
        let failing: Vec<String> = report
            .findings()
            .into_iter()
            .filter(|finding| finding.contains("fail"))
            .collect();
        assert_eq!(failing, Vec::<String>::new(), "{path}");
        assert_eq!(report.code, 0, "{path}");
        let unread: Vec<String> = report
            .documents()
            .into_iter()
            .filter(|line| line.contains("unre"))
            .collect();
        assert_eq!(unread, Vec::<String>::new(), "{path}");
        assert_eq!(
            report.waived().len(),
            accepted,
            "{path}: {:?}",
            report.waived()
        );
    }
}

/// What `helm lint --strict` says of the chart with these values.
fn linted(values: &[&str]) -> (bool, String) {
    let mut command = Command::new(oracle::part("helm").unwrap());
    command.args(["lint", "--strict", "--namespace", "seawall"]);
    for value in values {
        command.args(["--set", value]);
    }
    let ran = command.arg(repository("deploy/chart")).output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (
        ran.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn the_chart_lints_bare_and_with_every_part_and_is_of_this_version() {
    let client = "azure.clientId=3411ebc1-d5aa-464f-9615-0b527bc66719";
    for values in [
        [].as_slice(),
        &["node.enabled=true", "dashboard.enabled=true", client],
        &[
            "certificate.certManager=true",
            "certificate.issuer.name=ca",
            "networkPolicy.enabled=true",
        ],
    ] {
        let (well, said) = linted(values);
        assert!(well, "{values:?}: {said}");
    }
    let (well, said) = linted(&["replicas=many"]);
    assert!(!well && said.contains("replicas"), "{said}");
    let chart = std::fs::read_to_string(repository("deploy/chart/Chart.yaml")).unwrap();
    let version = concat!("\nappVersion: ", env!("CARGO_PKG_VERSION"), "\n");
    assert!(chart.contains(version), "{chart}");
}
