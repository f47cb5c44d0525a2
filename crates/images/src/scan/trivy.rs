//! Trivy's own JSON, schema version 2 (<https://trivy.dev/latest/docs/configuration/reporting/#json>, types in
//! aquasecurity/trivy, `pkg/types/report.go`).

use serde_json::Value;

use super::{Scan, Severity, Vulnerability, items, some, text, texts};

pub(super) fn read(report: &Value) -> Scan {
    let mut scan = Scan {
        tool: "trivy".to_owned(),
        at: some(text(report, "/CreatedAt")),
        ..Scan::default()
    };
    if text(report, "/ArtifactType") == "container_image" {
        scan.called(text(report, "/ArtifactName"));
    }
    for name in texts(report, "/Metadata/RepoDigests").chain(texts(report, "/Metadata/RepoTags")) {
        scan.called(name);
    }
    for result in items(report, "/Results") {
        for found in items(result, "/Vulnerabilities") {
            scan.vulnerabilities.push(Vulnerability {
                id: text(found, "/VulnerabilityID").to_owned(),
                severity: Severity::of(text(found, "/Severity")),
                package: text(found, "/PkgName").to_owned(),
                installed: text(found, "/InstalledVersion").to_owned(),
                fixed: text(found, "/FixedVersion").to_owned(),
                published: some(text(found, "/PublishedDate")),
                excused: None,
            });
        }
    }
    scan
}
