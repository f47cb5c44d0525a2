//! Defender for Containers: subassessments of registry images, as Resource Graph and Resource Manager return them
//! (<https://learn.microsoft.com/azure/defender-for-cloud/subassessment-rest-api>, seen 2026-11-27): a list, `{"data":
//! […]}` of `az graph query`, or `{"value": […]}`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Scan, Severity, Vulnerability, some, text, texts};

/// `None` when it is none of these.
pub(super) fn read(value: &Value) -> Option<Vec<Scan>> {
    let list = value
        .as_array()
        .or_else(|| value.get("data").and_then(Value::as_array))
        .or_else(|| value.get("value").and_then(Value::as_array))?;
    let mut scans: BTreeMap<String, Scan> = BTreeMap::new();
    let mut any = false;
    for row in list {
        let Some(more) = row.pointer("/properties/additionalData") else {
            continue;
        };
        if !text(more, "/assessedResourceType").starts_with("AzureContainerRegistryVulnerability") {
            continue;
        }
        any = true;
        let digest = text(more, "/artifactDetails/digest");
        let repository = format!(
            "{}/{}",
            text(more, "/artifactDetails/registryHost"),
            text(more, "/artifactDetails/repositoryName")
        );
        let scan = scans.entry(digest.to_owned()).or_insert_with(|| Scan {
            tool: "defender".to_owned(),
            ..Scan::default()
        });
        scan.digests.extend(some(digest));
        for tag in texts(more, "/artifactDetails/tags") {
            scan.names.insert(format!("{repository}:{tag}"));
        }
        scan.at = scan
            .at
            .take()
            .max(some(text(row, "/properties/timeGenerated")));
        let healthy = text(row, "/properties/status/code").eq_ignore_ascii_case("healthy");
        let cause = text(row, "/properties/status/cause").eq_ignore_ascii_case("exempt");
        scan.vulnerabilities.push(Vulnerability {
            id: some(text(more, "/vulnerabilityDetails/cveId"))
                .unwrap_or_else(|| text(row, "/properties/id").to_owned()),
            severity: Severity::of(text(more, "/vulnerabilityDetails/severity")),
            package: text(more, "/softwareDetails/packageName").to_owned(),
            installed: text(more, "/softwareDetails/version").to_owned(),
            fixed: text(more, "/softwareDetails/fixedVersion").to_owned(),
            published: some(text(more, "/vulnerabilityDetails/publishedDate")),
            excused: if cause {
                Some("exempt in Defender".to_owned())
            } else {
                healthy.then(|| "closed, as Defender says".to_owned())
            },
        });
    }
    any.then(|| scans.into_values().collect())
}
