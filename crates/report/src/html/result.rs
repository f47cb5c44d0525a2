//! The first screen: the result in a sentence, tiles, bars, aspects and principles.

use std::collections::BTreeMap;

use guide::guideline::{ASPECTS, PRINCIPLES};
use maud::{Markup, html};
use model::finding::{Finding, Severity};

use super::{Kept, prose};
use crate::assessment::{Assessment, Summary};
use crate::outcome;
use crate::text::count;

/// The section.
pub(super) fn section(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    let summary = &assessment.summary;
    let code = assessment.exit_code();
    let unknowns: usize = summary.unknowns.values().sum();
    html! {
        section #result aria-labelledby="result-title" {
            h2 #result-title { "Result" }
            p class={ "verdict " (tone(assessment)) } {
                strong { (headline(assessment)) }
                span { (outcome::coverage(assessment)) "." }
                span { "Exit code " (code) ": " (outcome::exit_reason(assessment)) "." }
            }
            ul.tiles {
                @for severity in Severity::WORST_FIRST {
                    @let fails = summary.fails.get(&severity).copied().unwrap_or_default();
                    li class={ "tile " (severity.word()) (if fails == 0 { " none" } else { "" }) } {
                        span.number { (fails) } span.label { (severity.word()) }
                    }
                }
                li class={ "tile unknown" (if unknowns == 0 { " none" } else { "" }) } { span.number { (unknowns) } span.label { "unknown" } }
                li.tile.plain { span.number { (summary.resources) } span.label { "resources" } }
                li.tile.plain { span.number { (summary.guidelines) } span.label { "guidelines" } }
            }
            @if !kept.tallies.is_empty() { (bars(assessment, kept)) }
            @if let Some(words) = outcome::attack(assessment) { p { "Attack paths: " (prose::words(&words)) "." } }
            @if let Some(aside) = outcome::set_aside(summary) { p { "Not counted: " (aside) "." } }
            @if summary.unknowns_from_absence > 0 {
                p {
                    (summary.unknowns_from_absence) " of the unknown verdicts only say that something is absent from what was given and may stand elsewhere."
                }
            }
            (tallies(assessment, kept))
        }
    }
}

/// What was found, in a sentence.
fn headline(assessment: &Assessment<'_>) -> String {
    let fails = &assessment.summary.fails;
    let total: usize = fails.values().sum();
    let worst: Vec<String> = [Severity::Critical, Severity::High]
        .iter()
        .filter_map(|severity| Some((severity, fails.get(severity)?)))
        .filter(|(_, number)| **number > 0)
        .map(|(severity, number)| format!("{number} {}", severity.word()))
        .collect();
    match (total, assessment.coverage.incomplete()) {
        (0, true) => "Nothing found in what could be read.".to_owned(),
        (0, false) => "Nothing found.".to_owned(),
        _ if worst.is_empty() => format!(
            "{}, none of them critical or high.",
            count(total, "finding")
        ),
        _ => format!(
            "{}, of these {}.",
            count(total, "finding"),
            worst.join(" and ")
        ),
    }
}

/// What is bad is so whatever the exit code says.
fn tone(assessment: &Assessment<'_>) -> &'static str {
    let summary = &assessment.summary;
    let some = |counts: &BTreeMap<Severity, usize>| counts.values().any(|number| *number > 0);
    if Summary::at_or_above(&summary.fails, Severity::High) > 0 {
        "bad"
    } else if some(&summary.fails) || some(&summary.unknowns) || assessment.coverage.incomplete() {
        "open"
    } else {
        "good"
    }
}

/// For each severity a bar of fails, unknowns and what was set aside.
fn bars(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    let summary = &assessment.summary;
    let rows = Severity::WORST_FIRST.map(|severity| {
        let aside: usize = kept
            .findings
            .iter()
            .filter(|((counts, _, own), _)| !counts && *own == severity)
            .map(|(_, list)| list.len())
            .sum();
        let fails = summary.fails.get(&severity).copied().unwrap_or_default();
        (
            severity,
            fails,
            summary.unknowns.get(&severity).copied().unwrap_or_default(),
            aside,
        )
    });
    let most = rows
        .iter()
        .map(|(_, fail, unknown, aside)| fail + unknown + aside)
        .max()
        .unwrap_or_default()
        .max(1);
    // Thousandths of the bar's length.
    let scale = |number: usize| number * 1000 / most;
    html! {
        div.bars role="group" aria-label="Findings by severity" {
            @for (severity, fail, unknown, aside) in rows {
                span.name { (severity.word()) }
                svg viewBox="0 0 1000 16" preserveAspectRatio="none" role="img"
                    aria-label={ (severity.word()) ": " (fail) " fail, " (unknown) " unknown, " (aside) " not counted" } {
                    rect.rail width="1000" height="16" {}
                    rect class=(severity.word()) width=(scale(fail)) height="16" {}
                    rect.unknown x=(scale(fail)) width=(scale(unknown)) height="16" {}
                    rect.aside x=(scale(fail + unknown)) width=(scale(aside)) height="16" {}
                }
                span.value { (fail) " fail" @if unknown > 0 { ", " (unknown) " unknown" } @if aside > 0 { ", " (aside) " not counted" } }
            }
        }
    }
}

/// Findings by aspect and by principle.
fn tallies(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    let by = |word: &dyn Fn(&guide::Guideline) -> bool| {
        kept.tallies
            .iter()
            .filter(|(id, _)| assessment.guide.guideline(&id.0).is_some_and(word))
            .fold((0, 0), |(fail, unknown), (_, tally)| {
                (fail + tally.fail, unknown + tally.unknown)
            })
    };
    let table = |title: &str, rows: Vec<(&str, (usize, usize))>| {
        html! {
            table.small {
                caption { (title) }
                thead { tr { th scope="col" { (title) } th.count scope="col" { "fail" } th.count scope="col" { "unknown" } } }
                tbody {
                    @for (name, (fail, unknown)) in rows {
                        tr class=[(fail + unknown == 0).then_some("none")] { th scope="row" { (name) } td.count { (fail) } td.count { (unknown) } }
                    }
                }
            }
        }
    };
    let aspects = ASPECTS
        .iter()
        .map(|(id, title)| (*title, by(&|guideline| &*guideline.aspect == *id)))
        .collect();
    let principles = PRINCIPLES
        .iter()
        .map(|(id, title)| {
            (
                *title,
                by(&|guideline| guideline.principles.iter().any(|own| &**own == *id)),
            )
        })
        .collect();
    html! { div.pair { (table("Aspect", aspects)) (table("Principle", principles)) } }
}

/// `12 findings`, with what is unknown or set aside.
pub(super) fn counts(tally: super::Tally) -> String {
    let mut parts = Vec::new();
    if tally.fail > 0 {
        parts.push(count(tally.fail, "finding"));
    }
    if tally.unknown > 0 {
        parts.push(format!("{} unknown", tally.unknown));
    }
    if tally.aside > 0 {
        parts.push(format!("{} not counted", tally.aside));
    }
    parts.join(", ")
}

/// The class of a finding's state.
pub(super) fn state(finding: &Finding) -> &'static str {
    if finding.waiver.is_some() {
        "waived"
    } else if finding.in_baseline {
        "baseline"
    } else if finding.provider_managed {
        "kept by AKS"
    } else {
        finding.outcome.word()
    }
}
