//! What changed since the baseline: then and now by severity, and what is there no more.

use maud::{Markup, html};
use model::finding::Severity;

use super::chip;
use crate::assessment::Assessment;
use crate::text::{clean, count};
use crate::triage::Trend;

/// Findings that are there no more, listed one by one; more are counted.
const MOST: usize = 200;

/// The section; nothing without a baseline.
pub(super) fn section(assessment: &Assessment<'_>) -> Markup {
    html! {
        @if let Some(trend) = &assessment.trend {
            section #trend aria-labelledby="trend-title" {
                h2 #trend-title { "Since the baseline" @if let Some(since) = &trend.since { " of " time datetime=(since) { (clean(since)) } } }
                p { (sentence(trend, assessment)) }
                (bars(trend, assessment))
                @if !trend.gone.is_empty() { (gone(trend, assessment)) }
            }
        }
    }
}

fn new(assessment: &Assessment<'_>, severity: Severity) -> usize {
    let fails = &assessment.summary.fails;
    fails.get(&severity).copied().unwrap_or_default()
}

/// The whole of it in a sentence.
fn sentence(trend: &Trend, assessment: &Assessment<'_>) -> String {
    let sum =
        |of: fn(&crate::triage::Before) -> usize| trend.before.values().map(of).sum::<usize>();
    let new: usize = assessment.summary.fails.values().sum();
    let mut words = format!(
        "Of {} that counted then, {} gone and {} still there; {} new.",
        count(sum(|before| before.all()), "finding"),
        be(sum(|before| before.gone)),
        be(sum(|before| before.still)),
        be(new)
    );
    match sum(|before| before.unknown) {
        0 => {}
        unknown => words.push_str(&format!(" Of {unknown} it cannot be told any more.")),
    }
    match sum(|before| before.unseen) {
        0 => {}
        unseen => words.push_str(&format!(
            " {unseen} of other guidelines, or of what was not read, were not looked for."
        )),
    }
    words
}

/// `1 is`, `2 are`
fn be(number: usize) -> String {
    format!("{number} {}", if number == 1 { "is" } else { "are" })
}

/// Two bars for each severity.
fn bars(trend: &Trend, assessment: &Assessment<'_>) -> Markup {
    let rows = Severity::WORST_FIRST.map(|severity| {
        let before = trend.before.get(&severity).copied().unwrap_or_default();
        (severity, before, new(assessment, severity))
    });
    let most = rows
        .iter()
        .map(|(_, before, new)| before.all().max(before.still + before.unknown + new))
        .max()
        .unwrap_or_default()
        .max(1);
    // Thousandths of the bar's length.
    let scale = |number: usize| number * 1000 / most;
    let bar = |tone: &str, label: &str, parts: [(&'static str, usize); 3]| {
        let mut at = 0;
        let placed = parts.map(|(class, number)| {
            let from = at;
            at += scale(number);
            (class, from, scale(number))
        });
        html! {
            svg.(tone) viewBox="0 0 1000 16" preserveAspectRatio="none" role="img" aria-label=(label) {
                rect.rail width="1000" height="16" {}
                @for (class, from, width) in placed { rect class=(class) x=(from) width=(width) height="16" {} }
            }
        }
    };
    html! {
        div.bars.trend role="group" aria-label="Then and now" {
            @for (severity, before, new) in rows {
                @let rest = before.unknown + before.unseen;
                @let word = severity.word();
                span.name { (word) ", then" }
                (bar(word, &format!("{word} then: {} now gone, {} still there, {rest} not known", before.gone, before.still), [("still", before.still), ("aside", rest), ("gone", before.gone)]))
                span.value { (before.all()) @if before.gone > 0 { ", " (before.gone) " gone" } }
                span.name { "now" }
                (bar(word, &format!("{word} now: {} still there, {new} new", before.still), [("still", before.still), ("new", new), ("aside", 0)]))
                span.value { (before.still + new) @if new > 0 { ", " (new) " new" } }
            }
        }
        ul.key {
            li { i.gone {} "gone" } li { i.still {} "still there" } li { i.new {} "new" } li { i.aside {} "not known any more" }
        }
    }
}

fn gone(trend: &Trend, assessment: &Assessment<'_>) -> Markup {
    html! {
        details {
            summary { (count(trend.gone.len(), "finding")) " no longer there" }
            table.cards {
                caption.unseen { "No longer there" }
                thead { tr { th scope="col" { "Severity" } th scope="col" { "Guideline" } th scope="col" { "Resource" } } }
                tbody {
                    @for gone in trend.gone.iter().take(MOST) {
                        tr {
                            td data-label="Severity" { (chip(gone.severity)) }
                            td data-label="Guideline" { (assessment.guide.guideline(&gone.guideline).map_or_else(|| clean(&gone.guideline), |own| clean(&own.title))) }
                            td data-label="Resource" { (clean(&gone.resource)) }
                        }
                    }
                }
            }
            @if trend.gone.len() > MOST { p { "… and " (trend.gone.len() - MOST) " more." } }
        }
    }
}
