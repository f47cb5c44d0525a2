//! SARIF 2.1.0, for code scanning.
//!
//! A rule is listed when it has a result. A waived finding is suppressed, not left out; so is
//! one on an object that AKS keeps. An unknown verdict has the kind `open`, and with it the
//! level `none`, as the standard demands (§3.27.10) of everything that is no failure.
//!
//! What it deliberately leaves out: fixes (`seawall fix` proves them first) and passes.

mod alerts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use guide::{Guide, Guideline};
use model::finding::{Finding, GuidelineId, Location, Outcome, Severity};
use serde::Serialize;

use crate::assessment::{Assessment, Sink};
use crate::enables::{EnablesLine, Mark};
use crate::outcome;
use crate::spool::Spool;
use crate::text;

pub use alerts::{AlertLine, alerts};

/// What relative addresses are relative to.
const BASE: &str = "%SRCROOT%";

/// A sink that writes SARIF. With a baseline every result says whether it is new.
pub fn new(out: Box<dyn Write>, baseline: bool) -> impl Sink {
    Sarif {
        out,
        baseline,
        results: Spool::default(),
        rules: BTreeMap::new(),
    }
}

struct Sarif {
    out: Box<dyn Write>,
    baseline: bool,
    results: Spool,
    /// Index by guideline, in the order of first results, with the worst severity seen.
    rules: BTreeMap<GuidelineId, (usize, Severity)>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Help<'a> {
    text: String,
    markdown: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    name: &'a str,
    short_description: Text<'a>,
    full_description: Text<'a>,
    help: Help<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'a str>,
    default_configuration: Configuration,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties<'a> {
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
    precision: &'static str,
    tags: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultLine<'a> {
    rule_id: &'a str,
    rule_index: usize,
    kind: &'static str,
    level: &'static str,
    message: Text<'a>,
    locations: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place<'a>>,
    partial_fingerprints: Fingerprints,
    suppressions: Vec<Suppression>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "seawall/v1")]
    own: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    name: &'a str,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Text<'a>,
    locations: [Place<'a>; 1],
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub sorts by this number: over 9 is critical, over 7 high, over 4 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

/// The address of a file: relative and percent-encoded (RFC 3986), so that `a b` and `c:d` stay paths. A
/// live object stands at no file; its address gets the scheme of the API that has it.
fn artifact(path: &str, live: bool) -> Artifact {
    if live {
        let scheme = if path
            .get(..15)
            .is_some_and(|head| head.eq_ignore_ascii_case("/subscriptions/"))
        {
            "https://management.azure.com"
        } else {
            "k8s:"
        };
        return Artifact {
            uri: format!("{scheme}{}", encode(path, b"/:?#=&,")),
            uri_base_id: None,
        };
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') {
        return Artifact {
            uri: format!("file://{}", encode(path, b"/")),
            uri_base_id: None,
        };
    }
    Artifact {
        uri: encode(path, b"/"),
        uri_base_id: Some(BASE),
    }
}

/// The address of a file or of a live object, for another run's results.
#[must_use]
pub fn address(path: &str, live: bool) -> serde_json::Value {
    let artifact = artifact(path, live);
    match artifact.uri_base_id {
        Some(base) => serde_json::json!({"uri": artifact.uri, "uriBaseId": base}),
        None => serde_json::json!({"uri": artifact.uri}),
    }
}

/// What relative addresses are relative to.
#[must_use]
pub fn bases() -> serde_json::Value {
    serde_json::json!({BASE: {"description": {"text": "the folder seawall was started in"}}})
}

fn encode(path: &str, kept: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

impl<'a> Place<'a> {
    fn of(location: &'a Location) -> Self {
        let region = (location.line > 0 && !location.live).then(|| Region {
            start_line: location.line,
            start_column: Some(location.column.max(1)),
            end_line: Some(location.end_line.max(location.line)),
            end_column: Some(location.end_column.max(1)),
            snippet: (!location.source.is_empty()).then_some(Text {
                text: &location.source,
            }),
        });
        Self {
            id: None,
            physical_location: Physical {
                artifact_location: artifact(&location.path, location.live),
                region,
            },
            logical_locations: Vec::new(),
            message: location.note.as_deref().map(|text| Text { text }),
        }
    }
}

impl<'a> Rule<'a> {
    fn of(
        guideline: &'a Guideline,
        severity: Severity,
        sentence: &'a str,
        page: Option<&'a str>,
    ) -> Self {
        let mut tags = vec!["security", "kubernetes", &*guideline.aspect];
        for (framework, _) in &guideline.frameworks {
            if !tags.contains(&&**framework) {
                tags.push(framework);
            }
        }
        Self {
            id: &guideline.id.0,
            name: &guideline.id.0,
            short_description: Text {
                text: &guideline.title,
            },
            full_description: Text { text: sentence },
            help: Help {
                text: text::plain(&guideline.prose),
                markdown: &guideline.prose,
            },
            help_uri: page.or_else(|| {
                let mut references = guideline.references.iter();
                references.next().map(|reference| &*reference.url)
            }),
            default_configuration: Configuration {
                level: level(severity),
            },
            properties: Properties {
                security_severity: security_severity(severity),
                precision: "high",
                tags,
            },
        }
    }
}

fn suppressions(finding: &Finding) -> Vec<Suppression> {
    let mut all = Vec::new();
    if let Some(waiver) = &finding.waiver {
        // One without an owner was written as a comment in the file itself.
        let kind = if waiver.owner.is_empty() {
            "inSource"
        } else {
            "external"
        };
        let mut justification = waiver.reason.to_string();
        if !waiver.owner.is_empty() {
            let _ = write!(justification, " ({})", waiver.owner);
        }
        if let Some(until) = &waiver.until {
            let _ = write!(justification, ", until {until}");
        }
        all.push(Suppression {
            kind,
            status: "accepted",
            justification,
        });
    } else if finding.provider_managed {
        let justification = "AKS makes and keeps this object".to_owned();
        all.push(Suppression {
            kind: "external",
            status: "accepted",
            justification,
        });
    }
    all
}

impl Sarif {
    fn put(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)
    }

    fn rules(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let mut ordered: Vec<(usize, Severity, &GuidelineId)> = self
            .rules
            .iter()
            .map(|(id, (index, severity))| (*index, *severity, id))
            .collect();
        ordered.sort_unstable();
        let mut lines = Vec::new();
        for (_, severity, id) in ordered {
            // A viewer resolves no relative address.
            let page = assessment
                .page_of(id)
                .filter(|page| page.starts_with("http"));
            lines.push(match assessment.guide.guideline(&id.0) {
                Some(guideline) => serde_json::to_string(&Rule::of(
                    guideline,
                    severity,
                    &text::first_sentence(&guideline.prose),
                    page.as_deref(),
                ))?,
                None => format!("{{\"id\":{}}}", serde_json::to_string(&*id.0)?),
            });
        }
        self.put(&lines.join(",\n"))
    }

    fn notifications(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let mut lines = Vec::new();
        for entry in outcome::incomplete(assessment) {
            let mut message = entry
                .reason
                .as_deref()
                .unwrap_or("it could not be read")
                .to_owned();
            if let Some(help) = &entry.help {
                let _ = write!(message, "; {help}");
            }
            let region = (entry.line > 0 && !entry.live).then_some(Region {
                start_line: entry.line,
                start_column: None,
                end_line: None,
                end_column: None,
                snippet: None,
            });
            let place = Place {
                id: None,
                physical_location: Physical {
                    artifact_location: artifact(&entry.path, entry.live),
                    region,
                },
                logical_locations: Vec::new(),
                message: None,
            };
            let notification = Notification {
                level: "error",
                message: Text { text: &message },
                locations: [place],
            };
            lines.push(serde_json::to_string(&notification)?);
        }
        self.put(&format!("[{}]", lines.join(",\n")))
    }
}

impl Sink for Sarif {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        let next = self.rules.len();
        let rule = self
            .rules
            .entry(finding.guideline.clone())
            .or_insert((next, finding.severity));
        rule.1 = rule.1.max(finding.severity);
        let (kind, level) = match finding.outcome {
            Outcome::Fail => ("fail", level(finding.severity)),
            Outcome::Unknown { .. } => ("open", "none"),
        };
        let mut place = Place::of(&finding.place);
        place.logical_locations.push(Logical {
            name: &finding.resource.name,
            fully_qualified_name: format!("{}#{}", finding.resource.id(), finding.place.route),
            kind: "resource",
        });
        let related = finding.more_places.iter().enumerate();
        let line = ResultLine {
            rule_id: &finding.guideline.0,
            rule_index: rule.0,
            kind,
            level,
            message: Text {
                text: &finding.message,
            },
            locations: vec![place],
            related_locations: related
                .map(|(index, location)| Place {
                    id: Some(index + 1),
                    ..Place::of(location)
                })
                .collect(),
            partial_fingerprints: Fingerprints {
                own: finding.fingerprint.to_string(),
            },
            suppressions: suppressions(finding),
            baseline_state: self.baseline.then_some(if finding.in_baseline {
                "unchanged"
            } else {
                "new"
            }),
        };
        let mark = Mark::of(finding, guide);
        serde_json::to_writer(self.results.marked(mark)?, &line).map_err(io::Error::from)
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        self.put("{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": [{\n")?;
        self.put("\"tool\": {\"driver\": {\"name\": \"seawall\", \"semanticVersion\": ")?;
        self.json(&assessment.version)?;
        self.put(", \"rules\": [\n")?;
        self.rules(assessment)?;
        self.put("\n]}},\n")?;
        self.put(&format!("\"originalUriBaseIds\": {{\"{BASE}\": {{\"description\": {{\"text\": \"the folder seawall was started in\"}}}}}},\n"))?;
        self.put("\"columnKind\": \"unicodeCodePoints\",\n")?;
        let successful = !assessment.coverage.incomplete();
        self.put(&format!(
            "\"invocations\": [{{\"executionSuccessful\": {successful}, \"exitCode\": {}, \"toolExecutionNotifications\": ",
            assessment.exit_code()
        ))?;
        self.notifications(assessment)?;
        self.put("}],\n\"results\": [")?;
        self.results.complete_into(&mut self.out, |mark, out| {
            // §3.27.25: from 0 to 100.
            if let Some(rank) = assessment.attack.rank(mark) {
                write!(out, ",\"rank\":{rank:.1}")?;
            }
            let Some(enables) = assessment.attack.of(mark) else {
                return Ok(());
            };
            out.write_all(b",\"properties\":{\"enables\":")?;
            serde_json::to_writer(&mut *out, &EnablesLine::from(enables))?;
            out.write_all(b"}")
        })?;
        self.put("]\n}]\n}\n")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {

    use serde_json::Value;

    use super::*;
    use crate::testing::{findings, guide, hostile, validated, with_ledger, written};

    /// OASIS's schema. The test set-up fetches it.
    pub(super) fn schema() -> Value {
        let path = oracle::fixture("sarif-schema-2.1.0.json").unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        // A stray bracket in its pattern for languages, which strict ECMAScript expressions refuse.
        serde_json::from_str(&text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$")).unwrap()
    }

    fn validate(text: &str) -> Value {
        validated(&schema(), text)
    }

    #[test]
    fn output_follows_the_standard() {
        let guide = guide();
        let findings = findings();
        let value = validate(&written(
            |out| new(out, true),
            &findings,
            &with_ledger(&guide, &findings),
        ));
        let run = &value["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), findings.len());
        for result in results {
            let rule =
                &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(result["kind"] == "open", result["level"] == "none");
        }
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        let notifications = run["invocations"][0]["toolExecutionNotifications"]
            .as_array()
            .unwrap();
        assert_eq!(notifications.len(), 2);
        let broken =
            &notifications[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(broken, "deploy/broken%20file.yaml");
        let waived = results
            .iter()
            .find(|result| result["suppressions"][0]["status"] == "accepted")
            .unwrap();
        assert_eq!(
            waived["suppressions"][0]["justification"],
            "=sensor, needs the kernel (sec@example.org), until 2027-01-31"
        );
        assert_eq!(
            results
                .iter()
                .filter(|result| result["baselineState"] == "unchanged")
                .count(),
            1
        );
    }

    #[test]
    fn odd_and_empty_input_follow_it_too() {
        let guide = guide();
        validate(&written(
            |out| new(out, false),
            &hostile(),
            &with_ledger(&guide, &hostile()),
        ));
        validate(&written(
            |out| new(out, false),
            &[],
            &with_ledger(&guide, &[]),
        ));
    }

    #[test]
    fn addresses_are_relative_and_encoded() {
        assert_eq!(
            artifact("./a b/ü:#.yaml", false).uri,
            "a%20b/%C3%BC%3A%23.yaml"
        );
        assert_eq!(artifact("/srv/x.yaml", false).uri, "file:///srv/x.yaml");
        let pod = artifact("/api/v1/namespaces/shop/pods/web", true);
        assert_eq!(pod.uri, "k8s:/api/v1/namespaces/shop/pods/web");
        let group = artifact("/subscriptions/s/resourceGroups/a b", true);
        assert_eq!(
            group.uri,
            "https://management.azure.com/subscriptions/s/resourceGroups/a%20b"
        );
    }
}
