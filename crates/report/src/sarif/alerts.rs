//! Alerts of audit logs as SARIF: a rule for each detection, a result for each alert.
//!
//! An alert stands in no file. Its place is the cluster, by the address of its Azure resource where the record says it,
//! and within it the object. An alert of which a cut record leaves open whether it happened has the kind `open`.

use guide::Guide;
use model::Severity;
use serde_json::{Value, json};

use super::{artifact, level, security_severity};
use crate::text;

/// An alert.
#[derive(Debug, Clone, Copy)]
pub struct AlertLine<'a> {
    /// The detection.
    pub detection: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it happened; else a cut record leaves it open.
    pub certain: bool,
    /// What happened.
    pub message: &'a str,
    /// When, where it is known (RFC 3339).
    pub time: Option<&'a str>,
    /// The id of the request.
    pub audit_id: &'a str,
    /// Who asked.
    pub user: &'a str,
    /// What for.
    pub verb: &'a str,
    /// About what.
    pub object: &'a str,
    /// The Azure resource of the cluster, where it is known.
    pub cluster: &'a str,
    /// How often, at least.
    pub times: u64,
}

/// Alerts as SARIF. `complete` tells whether everything could be read, `code` is the exit code.
#[must_use]
pub fn alerts(
    guide: &Guide,
    version: &str,
    alerts: &[AlertLine<'_>],
    complete: bool,
    code: u8,
) -> String {
    let mut order: Vec<&str> = Vec::new();
    for alert in alerts {
        if !order.contains(&alert.detection) {
            order.push(alert.detection);
        }
    }
    let rules: Vec<Value> = order.iter().map(|id| rule(guide, id)).collect();
    let results: Vec<Value> = alerts
        .iter()
        .map(|alert| {
            let index = order.iter().position(|id| *id == alert.detection);
            result(guide, alert, index.unwrap_or_default())
        })
        .collect();
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "seawall", "semanticVersion": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": complete, "exitCode": code}],
            "results": results,
        }],
    });
    format!("{value:#}\n")
}

fn rule(guide: &Guide, id: &str) -> Value {
    let Some(detection) = guide.detection(id) else {
        return json!({"id": id});
    };
    let mut tags = vec!["security", "kubernetes", "audit-log"];
    tags.extend(detection.mitre.iter().map(|id| &**id));
    let markdown = format!(
        "{}\n\n## What to do next\n\n{}",
        detection.prose, detection.next
    );
    let mut rule = json!({
        "id": id,
        "name": id,
        "shortDescription": {"text": detection.title},
        "fullDescription": {"text": text::first_sentence(&detection.prose)},
        "help": {"text": text::plain(&markdown), "markdown": markdown},
        "defaultConfiguration": {"level": level(detection.severity)},
        "properties": {
            "security-severity": security_severity(detection.severity),
            "precision": "high",
            "tags": tags,
        },
    });
    if let (Some(rule), Some(reference)) = (rule.as_object_mut(), detection.references.first()) {
        rule.insert("helpUri".to_owned(), Value::from(&*reference.url));
    }
    rule
}

fn result(guide: &Guide, alert: &AlertLine<'_>, index: usize) -> Value {
    let (kind, level) = if alert.certain {
        ("fail", level(alert.severity))
    } else {
        ("open", "none")
    };
    let object = if alert.object.is_empty() {
        "?"
    } else {
        alert.object
    };
    let place = if alert.cluster.is_empty() {
        artifact("/cluster", true)
    } else {
        artifact(alert.cluster, true)
    };
    let message = if alert.message.is_empty() {
        guide
            .detection(alert.detection)
            .map_or(alert.detection, |detection| &*detection.title)
    } else {
        alert.message
    };
    let fingerprint = [
        alert.detection,
        alert.audit_id,
        alert.verb,
        object,
        alert.user,
        alert.cluster,
    ];
    let fingerprint = fingerprint.join("|");
    json!({
        "ruleId": alert.detection,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": {"text": message},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": place.uri}},
            "logicalLocations": [{
                "name": object,
                "fullyQualifiedName": format!("{} {object}", alert.verb),
                "kind": "resource",
            }],
        }],
        "partialFingerprints": {
            "seawall/v1": fingerprint,
        },
        "occurrenceCount": alert.times.max(1),
        "properties": {
            "time": alert.time,
            "user": alert.user,
            "verb": alert.verb,
            "auditID": alert.audit_id,
            "cluster": alert.cluster,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::schema;
    use super::*;
    use crate::testing::validated;

    #[test]
    fn alerts_follow_the_standard() {
        let (guide, _) = Guide::builtin();
        let first = AlertLine {
            detection: "exec-into-pod",
            severity: Severity::Medium,
            certain: true,
            message: "`eve` ran `sh -c \"x\"`",
            time: Some("2026-11-27T12:00:00Z"),
            audit_id: "1",
            user: "eve",
            verb: "get",
            object: "pods/exec shop/web 0",
            cluster: "/subscriptions/s/resourcegroups/a b/providers/x",
            times: 1,
        };
        let open = AlertLine {
            detection: "pod-in-system-namespace",
            certain: false,
            time: None,
            message: "",
            object: "",
            cluster: "",
            times: 0,
            ..first
        };
        let all = [first, open, AlertLine { times: 7, ..first }];
        let value = validated(&schema(), &alerts(&guide, "0.1.0", &all, false, 4));
        let run = &value["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
        for (alert, result) in all.iter().zip(results) {
            let rule =
                &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], alert.detection);
            assert_eq!(result["kind"] == "open", result["level"] == "none");
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        }
        let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(
            uri,
            "https://management.azure.com/subscriptions/s/resourcegroups/a%20b/providers/x"
        );
        assert_eq!(results[2]["occurrenceCount"], 7);
        validated(&schema(), &alerts(&guide, "0.1.0", &[], true, 0));
    }
}
