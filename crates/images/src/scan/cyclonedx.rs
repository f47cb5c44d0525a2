//! CycloneDX: a bill of materials with vulnerabilities is a scan; one that names vulnerabilities and no packages is VEX
//! (<https://cyclonedx.org/docs/1.6/json/>).

use std::collections::BTreeMap;

use serde_json::Value;

use super::vex::{Statement, Vex, product};
use super::{Read, Scan, Severity, Vulnerability, items, some, text};

pub(super) fn read(bom: &Value) -> Read {
    let packages: BTreeMap<&str, &Value> = items(bom, "/components")
        .map(|component| (text(component, "/bom-ref"), component))
        .collect();
    if packages.is_empty() {
        return Read::Vex(vex(bom));
    }
    let subject = bom.pointer("/metadata/component").unwrap_or(&Value::Null);
    let mut scan = Scan {
        tool: some(text(bom, "/metadata/tools/components/0/name"))
            .or_else(|| some(text(bom, "/metadata/tools/0/name")))
            .unwrap_or_else(|| "cyclonedx".to_owned()),
        at: some(text(bom, "/metadata/timestamp")),
        ..Scan::default()
    };
    if text(subject, "/type") == "container" {
        scan.called(text(subject, "/name"));
        let version = text(subject, "/version");
        scan.digests
            .extend(version.starts_with("sha256:").then(|| version.to_owned()));
    }
    let product = product(text(subject, "/purl"));
    scan.digests.extend(product.digest);
    for entry in items(subject, "/properties") {
        // Trivy's names (aquasecurity/trivy, `pkg/sbom/core/bom.go`).
        if matches!(
            text(entry, "/name"),
            "aquasecurity:trivy:RepoDigest" | "aquasecurity:trivy:RepoTag"
        ) {
            scan.called(text(entry, "/value"));
        }
    }
    for found in items(bom, "/vulnerabilities") {
        let severity = items(found, "/ratings")
            .map(|rating| Severity::of(text(rating, "/severity")))
            .max()
            .unwrap_or(Severity::Unknown);
        for affected in items(found, "/affects") {
            let package = packages.get(text(affected, "/ref")).copied();
            let of = |route: &str| package.map(|one| text(one, route)).unwrap_or_default();
            let fixed = items(affected, "/versions")
                .find(|version| text(version, "/status") == "unaffected")
                .map(|version| text(version, "/version"));
            scan.vulnerabilities.push(Vulnerability {
                id: text(found, "/id").to_owned(),
                severity,
                package: of("/name").to_owned(),
                installed: of("/version").to_owned(),
                fixed: fixed.unwrap_or_default().to_owned(),
                published: some(text(found, "/published")),
                excused: excuse(found),
            });
        }
    }
    Read::Scans(vec![scan])
}

/// Why it does not count.
fn excuse(found: &Value) -> Option<String> {
    let state = text(found, "/analysis/state");
    matches!(
        state,
        "not_affected" | "false_positive" | "resolved" | "resolved_with_pedigree"
    )
    .then(|| {
        let why = text(found, "/analysis/justification");
        let why = if why.is_empty() { "" } else { why };
        format!("{} {}", state.replace('_', " "), why.replace('_', " "))
            .trim()
            .to_owned()
    })
}

fn vex(bom: &Value) -> Vex {
    let mut statements = Vec::new();
    for found in items(bom, "/vulnerabilities") {
        let Some(why) = excuse(found) else { continue };
        for affected in items(found, "/affects") {
            statements.push(Statement {
                id: text(found, "/id").to_owned(),
                product: product(text(affected, "/ref")),
                packages: Vec::new(),
                why: why.clone(),
            });
        }
    }
    Vex { statements }
}
