//! Verdicts that hang on a parameter, case by case: what a template would come to for each value
//! that the parameter can have.
//!
//! A reader evaluates the template again with the parameter set ([`model::azure::Case`]); here the
//! guideline is asked about each outcome. An unknown that is the same in every case is none.

use std::collections::BTreeMap;

use analysis::Analyses;
use model::Resource;
use model::azure::Case;
use model::finding::{Because, Finding, Outcome};

use crate::judge::{Judge, Judged, VerdictWord};

/// What another check of the guideline says of an item whatever the parameters are.
type Failed = (Option<Box<str>>, String);

/// What became of one item in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Passes,
    Fails,
    Unknown,
}

/// Settles what can be settled among the findings of one guideline from number `from` on, and
/// gives the verdict after that.
pub(crate) fn settle(
    judge: &Judge<'_>,
    guideline: u16,
    resource: &Resource,
    analyses: Option<&Analyses<'_>>,
    findings: &mut Vec<Finding>,
    from: usize,
) -> Option<VerdictWord> {
    let azure = resource.azure.as_ref()?;
    let own = findings.get(from..).unwrap_or_default();
    let open = |finding: &Finding| {
        matches!(
            &finding.outcome,
            Outcome::Unknown {
                because: Because::Content,
                ..
            }
        )
    };
    if azure.cases.is_empty() || !own.iter().any(open) {
        return None;
    }
    let mut by_parameter: BTreeMap<&str, Vec<(&Case, Judged)>> = BTreeMap::new();
    for case in &azure.cases {
        let judged = judge_case(judge, guideline, resource, analyses, case);
        by_parameter
            .entry(&case.parameter)
            .or_default()
            .push((case, judged));
    }
    let mut settled = Vec::new();
    let failed: Vec<Failed> = own
        .iter()
        .filter(|finding| finding.outcome == Outcome::Fail)
        .map(|finding| (finding.item.clone(), finding.message.clone()))
        .collect();
    for finding in findings.drain(from..) {
        if open(&finding) {
            settled.extend(best(finding, &failed, &by_parameter));
        } else {
            settled.push(finding);
        }
    }
    let verdict = settled
        .iter()
        .map(|finding| match finding.outcome {
            Outcome::Fail => VerdictWord::Fail,
            Outcome::Unknown { .. } => VerdictWord::Unknown,
        })
        .max()
        .unwrap_or(VerdictWord::Pass);
    findings.extend(settled);
    Some(verdict)
}

fn judge_case(
    judge: &Judge<'_>,
    guideline: u16,
    resource: &Resource,
    analyses: Option<&Analyses<'_>>,
    case: &Case,
) -> Judged {
    let Some(root) = case.root else {
        return Judged::default();
    };
    let mut other = resource.clone();
    other.doc = case.doc.clone();
    other.root = root;
    if let Some(azure) = &mut other.azure {
        azure.cases = Vec::new();
    }
    judge.ask_one(&other, analyses, guideline)
}

/// The finding after looking at every parameter: gone when it passes in all cases of one, a
/// failure when it fails in all.
fn best(
    mut finding: Finding,
    failed: &[Failed],
    by_parameter: &BTreeMap<&str, Vec<(&Case, Judged)>>,
) -> Option<Finding> {
    let mut told: Option<(usize, String)> = None;
    for (parameter, cases) in by_parameter {
        let fates: Vec<Fate> = cases
            .iter()
            .map(|(_, judged)| fate(&finding, failed, judged))
            .collect();
        let undecided = fates.iter().filter(|fate| **fate == Fate::Unknown).count();
        if undecided == 0 && fates.iter().all(|fate| *fate == Fate::Passes) {
            return None;
        }
        if undecided == 0
            && fates.iter().all(|fate| *fate == Fate::Fails)
            && let Some(message) = cases
                .iter()
                .find_map(|(_, judged)| failing(&finding, failed, judged))
        {
            finding.outcome = Outcome::Fail;
            finding.message = message.to_owned();
            return Some(finding);
        }
        // A parameter none of whose values decides anything says nothing.
        if undecided < fates.len() && told.as_ref().is_none_or(|(known, _)| undecided < *known) {
            let message = cases
                .iter()
                .find_map(|(_, judged)| failing(&finding, failed, judged));
            told = Some((undecided, tell(parameter, cases, &fates, message)));
        }
    }
    if let Some((_, text)) = told {
        if let Outcome::Unknown { reason, .. } = &mut finding.outcome {
            *reason = text.as_str().into();
        }
        let what = finding
            .item
            .as_deref()
            .filter(|item| item.parse::<usize>().is_err())
            .map(|item| format!("`{item}`: "))
            .unwrap_or_default();
        finding.message = format!("{what}{text}");
    }
    Some(finding)
}

/// What a case says of the finding's item. What fails on its own, by another check, says nothing of
/// this one.
fn same<'j>(
    finding: &Finding,
    failed: &[Failed],
    judged: &'j Judged,
) -> impl Iterator<Item = &'j Finding> {
    judged.findings.iter().filter(move |other| {
        (other.item == finding.item || finding.item.is_none())
            && !(other.outcome == Outcome::Fail
                && failed
                    .iter()
                    .any(|(item, message)| *item == other.item && *message == other.message))
    })
}

fn fate(finding: &Finding, failed: &[Failed], judged: &Judged) -> Fate {
    same(finding, failed, judged)
        .map(|other| match other.outcome {
            Outcome::Fail => Fate::Fails,
            Outcome::Unknown { .. } => Fate::Unknown,
        })
        // What fails fails, whatever else is open.
        .min_by_key(|fate| usize::from(*fate != Fate::Fails))
        .unwrap_or(Fate::Passes)
}

fn failing<'j>(finding: &Finding, failed: &[Failed], judged: &'j Judged) -> Option<&'j str> {
    same(finding, failed, judged)
        .find(|other| other.outcome == Outcome::Fail)
        .map(|other| other.message.as_str())
}

/// `it depends on parameter `environment`: fails when it is not `prod` (MESSAGE)`
fn tell(
    parameter: &str,
    cases: &[(&Case, Judged)],
    fates: &[Fate],
    message: Option<&str>,
) -> String {
    let of = |wanted: Fate| -> Vec<&Case> {
        cases
            .iter()
            .zip(fates)
            .filter(|(_, fate)| **fate == wanted)
            .map(|((case, _), _)| *case)
            .collect()
    };
    let passes = of(Fate::Passes);
    let fails = of(Fate::Fails);
    let unknown = of(Fate::Unknown);
    let mut parts = Vec::new();
    if !fails.is_empty() {
        parts.push(format!("fails when it is {}", values(&fails, &passes)));
    }
    if !passes.is_empty() && (fails.is_empty() || !unknown.is_empty()) {
        parts.push(format!("passes when it is {}", values(&passes, &fails)));
    }
    if !unknown.is_empty() {
        parts.push(format!(
            "otherwise open when it is {}",
            values(&unknown, &[])
        ));
    }
    let why = message
        .map(|message| format!(" ({message})"))
        .unwrap_or_default();
    format!(
        "it depends on the parameter `{parameter}`: {}{why}",
        parts.join(", ")
    )
}

/// `` `dev` or `test` ``; with "any other value" among them, what it is not.
fn values(these: &[&Case], those: &[&Case]) -> String {
    if these.iter().any(|case| case.value.is_none()) {
        let except: Vec<String> = those
            .iter()
            .filter_map(|case| case.value.as_deref())
            .map(|value| format!("`{value}`"))
            .collect();
        return if except.is_empty() {
            "anything else".to_owned()
        } else {
            format!("not {}", except.join(" or "))
        };
    }
    let listed: Vec<String> = these
        .iter()
        .filter_map(|case| case.value.as_deref())
        .map(|value| format!("`{value}`"))
        .collect();
    listed.join(" or ")
}
