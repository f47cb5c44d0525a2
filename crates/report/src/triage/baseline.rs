//! An earlier assessment: its findings are known, and what became of them is told.

use std::collections::BTreeMap;

use model::finding::{Finding, Fingerprint, Outcome, Severity};
use serde_json::Value;

/// The findings of an earlier report.
#[derive(Debug)]
pub(super) struct Baseline {
    as_of: Option<Box<str>>,
    known: BTreeMap<Fingerprint, Known>,
}

/// A finding of it.
#[derive(Debug)]
struct Known {
    guideline: Box<str>,
    severity: Severity,
    resource: Box<str>,
    /// It failed, and counted.
    failed: bool,
    /// Whether it fails now, once it was met again.
    fails: Option<bool>,
}

/// What became of the failing findings of a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// The day that the baseline was judged as of (ISO date).
    pub since: Option<Box<str>>,
    /// By severity.
    pub before: BTreeMap<Severity, Before>,
    /// Those that are there no more, the worst first.
    pub gone: Vec<Gone>,
}

/// Failing findings of a baseline, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Before {
    /// They still fail.
    pub still: usize,
    /// Nobody can tell any more.
    pub unknown: usize,
    /// They are there no more.
    pub gone: usize,
    /// They were not looked for.
    pub unseen: usize,
}

/// A finding that is there no more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gone {
    /// How bad it was.
    pub severity: Severity,
    /// Which guideline.
    pub guideline: Box<str>,
    /// On what.
    pub resource: Box<str>,
}

impl Before {
    /// How many there were.
    #[must_use]
    pub const fn all(self) -> usize {
        self.still + self.unknown + self.gone + self.unseen
    }
}

impl Baseline {
    /// Reads what `--format json` wrote.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let report: Value = serde_json::from_str(text)
            .map_err(|error| format!("it is no JSON report of seawall: {error}"))?;
        let findings = report
            .get("findings")
            .and_then(Value::as_array)
            .ok_or_else(|| "it is no JSON report of seawall: `findings` is missing".to_owned())?;
        let mut known = BTreeMap::new();
        for finding in findings {
            let word = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default();
            let Ok(print) = u128::from_str_radix(word("fingerprint"), 16) else {
                continue;
            };
            let set_aside = ["waiver", "baseline", "providerManaged"].iter().any(|key| {
                !matches!(
                    finding.get(key),
                    None | Some(Value::Null | Value::Bool(false))
                )
            });
            let entry = Known {
                guideline: word("guideline").into(),
                severity: Severity::parse(word("severity")).unwrap_or(Severity::Low),
                resource: resource(finding.get("resource")),
                failed: word("verdict") == "fail" && !set_aside,
                fails: None,
            };
            known.insert(Fingerprint(print), entry);
        }
        Ok(Self {
            as_of: report.get("asOf").and_then(Value::as_str).map(Into::into),
            known,
        })
    }

    /// Whether a finding is known; from now on it was met.
    pub(super) fn meet(&mut self, finding: &Finding) -> bool {
        let Some(known) = self.known.get_mut(&finding.fingerprint) else {
            return false;
        };
        let fails = finding.outcome == Outcome::Fail;
        known.fails = Some(fails || known.fails == Some(true));
        true
    }

    pub(super) fn trend(&self, looked: &dyn Fn(&str) -> bool) -> Trend {
        let mut trend = Trend {
            since: self.as_of.clone(),
            ..Trend::default()
        };
        for known in self.known.values().filter(|known| known.failed) {
            let before = trend.before.entry(known.severity).or_default();
            match known.fails {
                Some(true) => before.still += 1,
                Some(false) => before.unknown += 1,
                None if looked(&known.guideline) => {
                    before.gone += 1;
                    trend.gone.push(Gone {
                        severity: known.severity,
                        guideline: known.guideline.clone(),
                        resource: known.resource.clone(),
                    });
                }
                None => before.unseen += 1,
            }
        }
        trend.gone.sort_by(|one, other| {
            let key = |gone: &Gone| (gone.guideline.clone(), gone.resource.clone());
            other
                .severity
                .cmp(&one.severity)
                .then_with(|| key(one).cmp(&key(other)))
        });
        trend
    }
}

/// `Deployment shop/web`
fn resource(resource: Option<&Value>) -> Box<str> {
    let word = |key: &str| {
        let value = resource.and_then(|resource| resource.get(key));
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let name = match word("namespace") {
        "" => word("name").to_owned(),
        namespace => format!("{namespace}/{}", word("name")),
    };
    format!("{} {name}", word("kind")).trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_findings_is_told() {
        let finding = |number: u32, guideline: &str, verdict: &str, more: &str| {
            format!(
                "{{\"fingerprint\": \"{number:x}\", \"guideline\": \"{guideline}\", \"severity\": \"high\", \"verdict\": \"{verdict}\", \"resource\": {{\"kind\": \"Pod\", \"namespace\": \"shop\", \"name\": \"p{number}\"}}{more}}}"
            )
        };
        let findings = [
            finding(1, "a", "fail", ""),
            finding(2, "a", "fail", ""),
            finding(3, "a", "fail", ""),
            finding(4, "b", "fail", ""),
            finding(5, "a", "unknown", ""),
            finding(6, "a", "fail", ", \"waiver\": {\"reason\": \"so\"}"),
            finding(8, "a", "fail", ", \"baseline\": true"),
            finding(
                9,
                "a",
                "fail",
                ", \"baseline\": false, \"providerManaged\": true",
            ),
        ];
        let text = format!(
            "{{\"asOf\": \"2026-11-01\", \"findings\": [{}]}}",
            findings.join(",")
        );
        let mut baseline = Baseline::read(&text).unwrap();
        let mut met = crate::testing::finding();
        met.outcome = Outcome::Fail;
        met.fingerprint = Fingerprint(1);
        assert!(baseline.meet(&met));
        met.outcome = Outcome::Unknown {
            reason: "it was not given".into(),
            because: model::finding::Because::Absence,
        };
        met.fingerprint = Fingerprint(2);
        assert!(baseline.meet(&met));
        met.fingerprint = Fingerprint(7);
        assert!(!baseline.meet(&met));
        let trend = baseline.trend(&|id| id == "a");
        let high = trend.before[&Severity::High];
        assert_eq!(
            (high.still, high.unknown, high.gone, high.unseen, high.all()),
            (1, 1, 1, 1, 4)
        );
        assert_eq!(&*trend.gone[0].resource, "Pod shop/p3");
        assert_eq!(trend.since.as_deref(), Some("2026-11-01"));
    }
}
