//! SARIF 2.1.0, as Trivy and Grype write it for images: which image stands in the run's properties, the package and
//! its versions in the message.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Scan, Severity, Vulnerability, items, some, text, texts};

pub(super) fn read(log: &Value) -> Vec<Scan> {
    items(log, "/runs").map(run).collect()
}

fn run(run: &Value) -> Scan {
    let mut scan = Scan {
        tool: text(run, "/tool/driver/name").to_ascii_lowercase(),
        ..Scan::default()
    };
    scan.called(text(run, "/properties/imageName"));
    let names = texts(run, "/properties/repoDigests").chain(texts(run, "/properties/repoTags"));
    for name in names {
        scan.called(name);
    }
    let rules: BTreeMap<&str, &Value> = items(run, "/tool/driver/rules")
        .map(|rule| (text(rule, "/id"), rule))
        .collect();
    for result in items(run, "/results") {
        let id = text(result, "/ruleId");
        let message = text(result, "/message/text");
        let line = |names: &[&str]| {
            message.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                names.contains(&key.trim()).then(|| value.trim().to_owned())
            })
        };
        let said = line(&["Severity"]).map(|word| Severity::of(&word));
        let score = rules
            .get(id)
            .and_then(|rule| text(rule, "/properties/security-severity").parse().ok());
        let severity = said
            .or(score.map(Severity::of_score))
            .unwrap_or(Severity::Unknown);
        // Suppressed results were looked at (SARIF 2.1.0, section 3.27.23).
        let excused = items(result, "/suppressions").next().map(|one| {
            let why = text(one, "/justification");
            some(why).unwrap_or_else(|| "suppressed in the results".to_owned())
        });
        scan.vulnerabilities.push(Vulnerability {
            // Grype's rules are called after the package too: `CVE-2026-1-openssl`.
            id: cve(id).unwrap_or(id).to_owned(),
            severity,
            package: line(&["Package"]).unwrap_or_default(),
            installed: line(&["Installed Version"]).unwrap_or_default(),
            fixed: line(&["Fixed Version"]).unwrap_or_default(),
            published: None,
            excused,
        });
    }
    scan
}

/// The number in `CVE-YEAR-NUMBER-…`.
fn cve(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("CVE-")?;
    let (year, rest) = rest.split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    id.get(..4 + year.len() + 1 + digits)
}
