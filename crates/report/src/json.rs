//! JSON, version 1: the contract for scripts. Its schema is `docs/schema/assessment-v1.json`.
//!
//! A finding is a line. Findings are serialised as they come and wait in a spool, so that
//! totals can stand before them. Same input, same bytes.
//!
//! What it deliberately leaves out: source lines (they are in the files) and passes, unless asked for.

use std::io::{self, Write};

use guide::{Guide, VerdictWord};
use model::coverage::{DocumentEntry, Status};
use model::finding::{
    Because, Cost, Finding, GuidelineId, Location, Outcome, Severity, WaiverNote,
};
use model::resource::ResourceName;
use serde::Serialize;

use crate::assessment::{Assessment, Sink, Summary};
use crate::enables::{Attack, EnablesLine, Mark};
use crate::spool::Spool;

/// The name of this version of the contract.
pub const SCHEMA: &str = "seawall.assessment/v1";

/// A sink that writes JSON.
pub fn new(out: Box<dyn Write>) -> impl Sink {
    Json {
        out,
        findings: Spool::default(),
        verdicts: Spool::default(),
        with_verdicts: false,
    }
}

struct Json {
    out: Box<dyn Write>,
    findings: Spool,
    verdicts: Spool,
    with_verdicts: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingLine<'a> {
    guideline: &'a str,
    title: &'a str,
    severity: &'static str,
    verdict: &'static str,
    message: &'a str,
    resource: ResourceLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    fingerprint: String,
    locations: Vec<Place<'a>>,
    evidence: Vec<EvidenceLine<'a>>,
    fix: FixLine,
    cost: CostLine<'a>,
    waiver: Option<WaiverLine<'a>>,
    root_cause: Option<&'a str>,
    baseline: bool,
    provider_managed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_absence: Option<bool>,
    aspect: &'a str,
    topic: &'a str,
    help: String,
    references: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLine<'a> {
    id: String,
    kind: &'a str,
    api_version: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Place<'a> {
    #[serde(rename_all = "camelCase")]
    File {
        path: &'a str,
        line: u32,
        column: u32,
        end_line: u32,
        end_column: u32,
        route: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    },
    Address {
        uri: &'a str,
        route: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    },
}

#[derive(Serialize)]
struct EvidenceLine<'a> {
    route: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct FixLine {
    available: bool,
    safety: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CostLine<'a> {
    monthly: f64,
    effort_days: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort_days_range: Option<[f64; 2]>,
    upkeep_hours: f64,
    breaks: Option<&'a str>,
}

#[derive(Serialize)]
struct WaiverLine<'a> {
    reason: &'a str,
    owner: &'a str,
    until: Option<&'a str>,
    at: &'a str,
}

impl<'a> From<&'a ResourceName> for ResourceLine<'a> {
    fn from(name: &'a ResourceName) -> Self {
        Self {
            id: name.id(),
            kind: name.kind.name(),
            api_version: &name.api_version,
            namespace: name.namespace.as_deref(),
            name: &name.name,
        }
    }
}

impl<'a> From<&'a Location> for Place<'a> {
    fn from(location: &'a Location) -> Self {
        let note = location.note.as_deref();
        if location.live {
            return Self::Address {
                uri: &location.path,
                route: &location.route,
                note,
            };
        }
        Self::File {
            path: &location.path,
            line: location.line,
            column: location.column,
            end_line: location.end_line,
            end_column: location.end_column,
            route: &location.route,
            note,
        }
    }
}

impl<'a> From<&'a Cost> for CostLine<'a> {
    fn from(cost: &'a Cost) -> Self {
        Self {
            monthly: cost.monthly,
            effort_days: cost.effort_days.middle(),
            effort_days_range: (cost.effort_days.low != cost.effort_days.high)
                .then_some([cost.effort_days.low, cost.effort_days.high]),
            upkeep_hours: cost.upkeep_hours,
            breaks: cost.breaks.as_deref(),
        }
    }
}

impl<'a> From<&'a WaiverNote> for WaiverLine<'a> {
    fn from(waiver: &'a WaiverNote) -> Self {
        Self {
            reason: &waiver.reason,
            owner: &waiver.owner,
            until: waiver.until.as_deref(),
            at: &waiver.at,
        }
    }
}

impl<'a> FindingLine<'a> {
    fn of(finding: &'a Finding, guide: &'a Guide, free: &'a Cost) -> Self {
        let guideline = guide.guideline(&finding.guideline.0);
        Self {
            guideline: &finding.guideline.0,
            title: guideline.map_or("", |guideline| &guideline.title),
            severity: finding.severity.word(),
            verdict: finding.outcome.word(),
            message: &finding.message,
            resource: finding.resource.as_ref().into(),
            item: finding.item.as_deref(),
            fingerprint: finding.fingerprint.to_string(),
            locations: finding.places().map(Into::into).collect(),
            evidence: finding
                .evidence
                .iter()
                .map(|evidence| EvidenceLine {
                    route: &evidence.route,
                    value: &evidence.value,
                })
                .collect(),
            fix: FixLine {
                available: finding.fix.is_some(),
                safety: finding.fix.map(model::Safety::word),
            },
            cost: guideline.map_or(free, |guideline| &guideline.cost).into(),
            waiver: finding.waiver.as_ref().map(Into::into),
            root_cause: finding.root_cause.as_deref(),
            baseline: finding.in_baseline,
            provider_managed: finding.provider_managed,
            from_absence: match finding.outcome {
                Outcome::Fail => None,
                Outcome::Unknown { because, .. } => Some(because == Because::Absence),
            },
            aspect: guideline.map_or("", |guideline| &guideline.aspect),
            topic: guideline.map_or("", |guideline| &guideline.topic),
            help: format!("seawall explain {}", finding.guideline),
            references: guideline
                .iter()
                .flat_map(|guideline| &guideline.references)
                .map(|reference| &*reference.url)
                .collect(),
        }
    }
}

/// A finding as it stands in `findings` of a report.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn finding(finding: &Finding, guide: &Guide) -> io::Result<serde_json::Value> {
    let free = Cost::default();
    serde_json::to_value(FindingLine::of(finding, guide, &free)).map_err(io::Error::from)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(bit: &bool) -> bool {
    !*bit
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    live: bool,
    index: u32,
    line: u32,
    status: &'static str,
    kind: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl<'a> From<&'a DocumentEntry> for Document<'a> {
    fn from(entry: &'a DocumentEntry) -> Self {
        Self {
            path: &entry.path,
            live: entry.live,
            index: entry.index,
            line: entry.line,
            status: entry.status.word(),
            kind: entry.kind.as_deref(),
            namespace: entry.namespace.as_deref(),
            name: entry.name.as_deref(),
            reason: entry.reason.as_deref(),
            help: entry.help.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotAssessed<'a> {
    guideline: &'a str,
    not_assessed: bool,
    needs: &'a str,
}

#[derive(Serialize)]
struct OldFactLine<'a> {
    of: &'a str,
    seen: &'a str,
    guidelines: &'a [Box<str>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    documents: usize,
    assessed: usize,
    not_relevant: usize,
    unknown_kind: usize,
    unreadable: usize,
    unresolved: usize,
    files: usize,
    empty: usize,
    provider_managed: usize,
    guidelines_not_assessed: usize,
}

impl From<&Assessment<'_>> for Totals {
    fn from(assessment: &Assessment<'_>) -> Self {
        let coverage = &assessment.coverage;
        Self {
            documents: coverage.documents.len(),
            assessed: coverage.count(Status::Assessed),
            not_relevant: coverage.count(Status::NotRelevant),
            unknown_kind: coverage.count(Status::UnknownKind),
            unreadable: coverage.count(Status::Unreadable),
            unresolved: coverage.count(Status::Unresolved),
            files: coverage.files,
            empty: coverage.empty,
            provider_managed: coverage.provider_managed,
            guidelines_not_assessed: coverage.guidelines.len(),
        }
    }
}

#[derive(Serialize)]
struct Both {
    fail: usize,
    unknown: usize,
}

#[derive(Serialize)]
struct BySeverity {
    critical: Both,
    high: Both,
    medium: Both,
    low: Both,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdicts {
    pass: usize,
    fail: usize,
    not_applicable: usize,
    unknown: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    by_severity: BySeverity,
    verdicts: Verdicts,
    unknown_from_absence: usize,
    waived: usize,
    baseline: usize,
    provider_managed: usize,
    resources: usize,
    guidelines: usize,
}

impl From<&Summary> for Sums {
    fn from(summary: &Summary) -> Self {
        let both = |severity: Severity| Both {
            fail: summary.fails.get(&severity).copied().unwrap_or_default(),
            unknown: summary.unknowns.get(&severity).copied().unwrap_or_default(),
        };
        Self {
            by_severity: BySeverity {
                critical: both(Severity::Critical),
                high: both(Severity::High),
                medium: both(Severity::Medium),
                low: both(Severity::Low),
            },
            verdicts: Verdicts {
                pass: summary.verdicts.pass,
                fail: summary.verdicts.fail,
                not_applicable: summary.verdicts.not_applicable,
                unknown: summary.verdicts.unknown,
            },
            unknown_from_absence: summary.unknowns_from_absence,
            waived: summary.waived,
            baseline: summary.in_baseline,
            provider_managed: summary.provider_managed,
            resources: summary.resources,
            guidelines: summary.guidelines,
        }
    }
}

/// The ways that attackers have, or why they were not looked for.
#[derive(Serialize)]
#[serde(untagged)]
enum PathsLine<'a> {
    Weighed {
        weighed: bool,
        ways: usize,
        jewels: &'a [Box<str>],
        starts: usize,
        #[serde(rename = "startsLookedAt")]
        looked_at: usize,
    },
    Left {
        weighed: bool,
        reason: &'a str,
    },
}

impl<'a> From<&'a Attack> for PathsLine<'a> {
    fn from(attack: &'a Attack) -> Self {
        match attack {
            Attack::Weighed(found) => Self::Weighed {
                weighed: true,
                ways: found.ways,
                jewels: &found.jewels,
                starts: found.starts.1,
                looked_at: found.starts.0,
            },
            Attack::Nothing => Self::Left {
                weighed: false,
                reason: "nothing was found that takes a step of attackers away",
            },
            Attack::Left(reason) => Self::Left {
                weighed: false,
                reason,
            },
        }
    }
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Json {
    fn field(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        write!(self.out, "  \"{name}\": ")?;
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b",\n")
    }

    fn list<T: Serialize>(&mut self, name: &str, items: impl Iterator<Item = T>) -> io::Result<()> {
        write!(self.out, "    \"{name}\": [")?;
        let mut any = false;
        for item in items {
            self.out.write_all(if any { b",\n" } else { b"\n" })?;
            any = true;
            serde_json::to_writer(&mut self.out, &item)?;
        }
        self.out
            .write_all(if any { b"\n    ],\n" } else { b"],\n" })
    }

    fn head(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        self.out.write_all(b"{\n")?;
        self.field("schema", &SCHEMA)?;
        self.field(
            "tool",
            &Tool {
                name: "seawall",
                version: assessment.version,
            },
        )?;
        self.field("subject", &assessment.subject)?;
        self.field("kubernetes", &format!("1.{}", assessment.kubernetes_minor))?;
        self.field("asOf", &assessment.as_of)?;
        self.field("whole", &assessment.whole)?;
        self.field("framework", &assessment.framework)?;
        self.field("failOn", &assessment.fail_on.map_or("none", Severity::word))?;
        self.field("exitCode", &assessment.exit_code())?;
        self.field("summary", &Sums::from(&assessment.summary))?;
        self.field("attackPaths", &PathsLine::from(&assessment.attack))
    }

    fn coverage(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let coverage = &assessment.coverage;
        self.out.write_all(b"  \"coverage\": {\n")?;
        self.list("documents", coverage.documents.iter().map(Document::from))?;
        self.list(
            "guidelines",
            coverage.guidelines.iter().map(|entry| NotAssessed {
                guideline: &entry.guideline.0,
                not_assessed: true,
                needs: &entry.needs,
            }),
        )?;
        if !assessment.old_facts.is_empty() {
            self.list(
                "oldFacts",
                assessment.old_facts.iter().map(|fact| OldFactLine {
                    of: &fact.of,
                    seen: &fact.seen,
                    guidelines: &fact.guidelines,
                }),
            )?;
        }
        self.out.write_all(b"    \"totals\": ")?;
        serde_json::to_writer(&mut self.out, &Totals::from(assessment))?;
        self.out.write_all(b"\n  },\n")
    }
}

impl Sink for Json {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        let free = Cost::default();
        let line = FindingLine::of(finding, guide, &free);
        let mark = Mark::of(finding, guide);
        serde_json::to_writer(self.findings.marked(mark)?, &line).map_err(io::Error::from)
    }

    fn verdict(
        &mut self,
        guideline: &GuidelineId,
        resource: &ResourceName,
        verdict: VerdictWord,
    ) -> io::Result<()> {
        #[derive(Serialize)]
        struct VerdictLine<'a> {
            guideline: &'a str,
            resource: String,
            verdict: &'static str,
        }
        self.with_verdicts = true;
        let line = VerdictLine {
            guideline: &guideline.0,
            resource: resource.id(),
            verdict: verdict.word(),
        };
        serde_json::to_writer(self.verdicts.item()?, &line).map_err(io::Error::from)
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        self.head(assessment)?;
        self.coverage(assessment)?;
        self.out.write_all(b"  \"findings\": [")?;
        self.findings.complete_into(&mut self.out, |mark, out| {
            let Some(enables) = assessment.attack.of(mark) else {
                return Ok(());
            };
            out.write_all(b",\"enables\":")?;
            serde_json::to_writer(out, &EnablesLine::from(enables)).map_err(io::Error::from)
        })?;
        self.out.write_all(b"  ]")?;
        if self.with_verdicts {
            self.out.write_all(b",\n  \"verdicts\": [")?;
            self.verdicts.copy_into(&mut self.out)?;
            self.out.write_all(b"  ]")?;
        }
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::{findings, guide, hostile, validated, with_ledger, written};

    fn validate(text: &str) -> Value {
        let schema: Value =
            serde_json::from_str(include_str!("../../../docs/schema/assessment-v1.json")).unwrap();
        validated(&schema, text)
    }

    #[test]
    fn output_follows_the_schema() {
        let guide = guide();
        let findings = findings();
        let value = validate(&written(new, &findings, &with_ledger(&guide, &findings)));
        assert_eq!(value["findings"].as_array().unwrap().len(), findings.len());
        assert_eq!(value["verdicts"].as_array().unwrap().len(), findings.len());
        assert_eq!(value["summary"]["bySeverity"]["high"]["fail"], 7);
        assert_eq!(value["coverage"]["totals"]["unreadable"], 1);
        assert_eq!(
            value["findings"][0]["locations"][1]["note"],
            "the value comes from here"
        );
        assert_eq!(value["exitCode"], 1);
    }

    #[test]
    fn odd_and_empty_input_follow_it_too() {
        let guide = guide();
        validate(&written(new, &hostile(), &with_ledger(&guide, &hostile())));
        let empty = written(new, &[], &with_ledger(&guide, &[]));
        assert!(validate(&empty).get("verdicts").is_none());
    }

    #[test]
    fn the_schema_refuses_what_is_not_in_the_contract() {
        let guide = guide();
        let text = written(new, &findings(), &with_ledger(&guide, &findings()));
        let schema: Value =
            serde_json::from_str(include_str!("../../../docs/schema/assessment-v1.json")).unwrap();
        for (from, to) in [
            ("\"verdict\":\"fail\"", "\"verdict\":\"bad\""),
            ("\"endLine\"", "\"end_line\""),
            ("unreadable\",", "lost\","),
        ] {
            let wrong: Value = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
            assert!(!jsonschema::is_valid(&schema, &wrong), "{from}");
        }
    }

    #[test]
    fn what_findings_open_follows_the_schema() {
        let guide = guide();
        let mut findings = findings();
        findings[0].object = Some(model::ResourceRef(7));
        let mark = Mark::of(&findings[0], &guide);
        let mut assessment = with_ledger(&guide, &findings);
        let enables = crate::enables::Enables {
            ways: 3,
            closes: None,
            jewel: "root on the nodes".into(),
            kind: "node-root",
            jewels: 2,
            weight: 16,
        };
        let weighed = crate::enables::Weighed {
            ways: 5,
            jewels: vec!["cluster-admin".into()],
            starts: (2, 4),
            findings: [(mark.failure().unwrap(), enables)].into(),
            ..Default::default()
        };
        assessment.attack = Attack::Weighed(weighed);
        let value = validate(&written(new, &findings, &assessment));
        assert_eq!(value["attackPaths"]["startsLookedAt"], 2);
        let all = value["findings"].as_array().unwrap();
        assert_eq!(all.len(), findings.len());
        assert_eq!(all[0]["enables"]["ways"], 3);
        assert_eq!(all[0]["enables"]["jewel"]["kind"], "node-root");
        assert!(all[1..].iter().all(|one| one.get("enables").is_none()));
        assessment.attack = Attack::Left("no".into());
        let value = validate(&written(new, &findings, &assessment));
        assert_eq!(
            value["attackPaths"],
            serde_json::json!({"weighed": false, "reason": "no"})
        );
        assert!(value["findings"][0].get("enables").is_none());
    }

    #[test]
    fn a_live_object_has_an_address_and_no_line() {
        let guide = guide();
        let mut live = findings();
        live.truncate(1);
        live[0].place.path = "/apis/apps/v1/namespaces/shop/deployments/web".into();
        live[0].place.live = true;
        let value = validate(&written(new, &live, &with_ledger(&guide, &live)));
        let place = &value["findings"][0]["locations"][0];
        assert!(place.get("line").is_none());
        assert_eq!(
            place["uri"],
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
    }
}
