//! Grype's own JSON (anchore/grype, `grype/presenter/models`). What Grype itself left out by VEX stands in
//! `ignoredMatches` and is not counted.

use serde_json::Value;

use super::{Scan, Severity, Vulnerability, items, some, text, texts};

pub(super) fn read(report: &Value) -> Scan {
    let mut scan = Scan {
        tool: "grype".to_owned(),
        at: some(text(report, "/descriptor/timestamp")),
        ..Scan::default()
    };
    let target = report.pointer("/source/target").unwrap_or(&Value::Null);
    scan.digests.extend(some(text(target, "/manifestDigest")));
    scan.called(text(target, "/userInput"));
    for name in texts(target, "/repoDigests").chain(texts(target, "/tags")) {
        scan.called(name);
    }
    for found in items(report, "/matches") {
        let versions: Vec<&str> = texts(found, "/vulnerability/fix/versions").collect();
        scan.vulnerabilities.push(Vulnerability {
            id: text(found, "/vulnerability/id").to_owned(),
            severity: Severity::of(text(found, "/vulnerability/severity")),
            package: text(found, "/artifact/name").to_owned(),
            installed: text(found, "/artifact/version").to_owned(),
            fixed: versions.join(", "),
            published: None,
            excused: None,
        });
    }
    scan
}
