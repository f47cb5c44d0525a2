//! Findings by guideline: why, how to mend it, what it costs, and each place.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use guide::{Guide, Guideline};
use maud::{Markup, html};
use model::finding::{Finding, GuidelineId, Location, Severity};

use super::{Kept, Tally, chip, prose, result};
use crate::assessment::Assessment;
use crate::enables::Enables;
use crate::text::{self, clean, count};

/// A guideline's findings.
struct Group<'k> {
    id: &'k GuidelineId,
    tally: Tally,
    severity: Severity,
    opens: Option<&'k Enables>,
    findings: Vec<&'k Finding>,
}

/// In the order of severity, then of what is open to attackers, then of how much there is. What only waits or was set aside comes after what fails.
fn groups<'k>(kept: &'k Kept, assessment: &'k Assessment<'_>) -> Vec<Group<'k>> {
    let mut by_guideline: BTreeMap<&GuidelineId, Vec<&Finding>> = BTreeMap::new();
    for finding in kept.findings.values().rev().flatten() {
        by_guideline
            .entry(&finding.guideline)
            .or_default()
            .push(finding);
    }
    let mut groups: Vec<Group<'_>> = kept
        .tallies
        .iter()
        .map(|(id, tally)| Group {
            id,
            tally: *tally,
            severity: tally.severity.unwrap_or(Severity::Low),
            opens: assessment.attack.of_guideline(id, assessment.guide),
            findings: by_guideline.remove(id).unwrap_or_default(),
        })
        .collect();
    groups.sort_by_key(|group| {
        (
            group.tally.fail == 0,
            group.tally.fail + group.tally.unknown == 0,
            Reverse(group.severity),
            Reverse(group.opens.map(|enables| enables.weight)),
            Reverse(group.tally.fail),
        )
    });
    groups
}

/// The section.
pub(super) fn section(assessment: &Assessment<'_>, kept: &Kept) -> Markup {
    let groups = groups(kept, assessment);
    html! {
        section #findings aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            @if groups.is_empty() {
                p { "Nothing was found." }
            } @else {
                (overview(&groups, assessment.guide))
                @if kept.left_out > 0 {
                    p.notice { (count(kept.left_out, "finding")) " left out here: a page holds " (super::FINDINGS_KEPT) ", the worst. The JSON report lists them all." }
                }
                (toolbar())
                @for group in &groups { (card(group, assessment)) }
                p #nothing hidden { "No finding matches the filter." }
            }
        }
    }
}

/// All guidelines with findings at a glance.
fn overview(groups: &[Group<'_>], guide: &Guide) -> Markup {
    html! {
        table.overview {
            caption { "Guidelines with findings" }
            thead { tr { th scope="col" { "Severity" } th scope="col" { "Guideline" } th.count scope="col" { "fail" } th.count scope="col" { "unknown" } th.count scope="col" { "not counted" } } }
            tbody {
                @for group in groups {
                    tr {
                        td { (chip(group.severity)) }
                        th scope="row" { a href={ "#" (group.id) } { (guide.guideline(&group.id.0).map_or(&*group.id.0, |guideline| &guideline.title)) } }
                        td.count { (group.tally.fail) }
                        td.count { (group.tally.unknown) }
                        td.count { (group.tally.aside) }
                    }
                }
            }
        }
    }
}

/// Shown by the script, which alone can use it.
fn toolbar() -> Markup {
    html! {
        form.toolbar #filter role="search" aria-label="Filter findings" hidden {
            label.search { "Search " input type="search" name="text" placeholder="name, path, guideline, value" autocomplete="off"; }
            fieldset {
                legend { "Severity" }
                @for severity in Severity::WORST_FIRST {
                    label { input type="checkbox" name="severity" value=(severity.word()) checked; " " (severity.word()) }
                }
            }
            fieldset {
                legend { "State" }
                @for (value, label) in [("fail", "fail"), ("unknown", "unknown"), ("aside", "not counted")] {
                    label { input type="checkbox" name="state" value=(value) checked; " " (label) }
                }
            }
            output #shown aria-live="polite" {}
        }
    }
}

fn card(group: &Group<'_>, assessment: &Assessment<'_>) -> Markup {
    let guideline = assessment.guide.guideline(&group.id.0);
    let missing = (group.tally.fail + group.tally.unknown + group.tally.aside)
        .saturating_sub(group.findings.len());
    html! {
        article.guideline id=(group.id) aria-labelledby={ (group.id) "-title" } {
            header {
                h3 id={ (group.id) "-title" } { (chip(group.severity)) " " (guideline.map_or(&*group.id.0, |guideline| &guideline.title)) }
                p.meta {
                    code { (group.id) } " · " (result::counts(group.tally))
                    @if let Some(page) = assessment.page_of(group.id) { " · " a href=(page) rel="noreferrer" { "in the guide" } }
                }
            }
            @if let Some(enables) = group.opens { p.opens { (opens(enables)) } }
            @if let Some(guideline) = guideline { (about(guideline, &group.findings.iter().filter_map(|finding| finding.check).collect(), assessment.guide)) }
            table.cards {
                caption.unseen { "Findings of " (group.id) }
                thead { tr { th scope="col" { "State" } th scope="col" { "Resource" } th scope="col" { "What was found, and where" } } }
                tbody { @for finding in &group.findings { (row(finding, assessment)) } }
            }
            @if missing > 0 { p.notice { (count(missing, "finding")) " of this guideline left out here." } }
        }
    }
}

/// Why, how to mend it, what it costs, what it maps to.
#[must_use]
pub fn about(guideline: &Guideline, checks: &BTreeSet<usize>, guide: &Guide) -> Markup {
    let sentence = text::first_sentence(&guideline.prose);
    html! {
        p.why { (prose::spans(&sentence)) }
        @if text::plain(&guideline.prose) != sentence {
            details.prose { summary { "Why it matters, and when not to follow it" } (prose::blocks(&guideline.prose)) }
        }
        dl.advice {
            @for fix in text::fixes(guideline, checks) {
                div { dt { (fix.safety.word()) " fix" } dd { @for operation in text::operations(fix) { code { (operation) } " " } } }
            }
            @if let Some(cost) = text::cost(&guideline.cost) { div { dt { "Cost" } dd { (prose::spans(&cost)) } } }
            @if !guideline.frameworks.is_empty() {
                div { dt { "Controls" } dd { ul.controls {
                    @for (framework, control) in &guideline.frameworks { li { (control_words(guide, framework, control)) } }
                } } }
            }
            @if !guideline.references.is_empty() {
                div { dt { "References" } dd { ul.controls {
                    @for reference in &guideline.references {
                        li { a href=(reference.url) rel="noreferrer" { (short(&reference.url)) } }
                    }
                } } }
            }
        }
    }
}

/// An address without its scheme.
fn short(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

fn control_words(guide: &Guide, framework: &str, control: &str) -> String {
    match guide.framework(framework) {
        Some(known) => format!("{} {}, {control}", known.title, known.version),
        None => format!("{framework}, {control}"),
    }
}

/// What is open to attackers, in a sentence.
fn opens(enables: &Enables) -> String {
    let closing = enables.closing();
    let closing = closing.map_or_else(String::new, |closing| format!("; {closing}"));
    format!("Opens {}{closing}.", clean(&enables.words()))
}

fn row(finding: &Finding, assessment: &Assessment<'_>) -> Markup {
    let state = result::state(finding);
    let filter = if finding.counts() {
        finding.outcome.word()
    } else {
        "aside"
    };
    html! {
        tr data-severity=(finding.severity.word()) data-state=(filter) {
            td data-label="State" {
                @if filter == "fail" { (chip(finding.severity)) } @else { span class={ "chip " (if filter == "unknown" { "unknown" } else { "quiet" }) } { (state) } }
            }
            td data-label="Resource" {
                span.kind { (clean(finding.resource.kind.name())) } " "
                span.name { @if let Some(namespace) = &finding.resource.namespace { (clean(namespace)) "/" wbr; } (clean(&finding.resource.name)) }
                @if let Some(item) = &finding.item { span.item { (if item.bytes().all(|byte| byte.is_ascii_digit()) { "item " } else { "in " }) (clean(item)) } }
            }
            td data-label="Found" {
                p.message { (prose::words(&finding.message)) }
                @for place in finding.places() { (source(place)) }
                @if !finding.evidence.is_empty() {
                    ul.evidence {
                        @for evidence in &finding.evidence { li { code { (clean(&evidence.route)) } " = " code.value { (clean(&evidence.value)) } } }
                    }
                }
                @if let Some(enables) = assessment.attack.of_finding(finding, assessment.guide) { p.help { (opens(enables)) } }
                @if let Some(cause) = &finding.root_cause { p.help { "Same cause as others: " (prose::words(cause)) } }
                @if let Some(reason) = text::set_aside(finding) { p.help { (reason) @if let Some(waiver) = &finding.waiver { " (" code { (clean(&waiver.at)) } ")" } } }
            }
        }
    }
}

/// The place, and its source line with what decided marked.
#[must_use]
pub fn source(place: &Location) -> Markup {
    let characters: Vec<char> = place.source.trim_end().chars().collect();
    let length = characters.len();
    let start = (place.column.saturating_sub(1) as usize).min(length);
    let end = if place.end_line > place.line {
        length
    } else {
        place.end_column.saturating_sub(1) as usize
    }
    .clamp(start, length);
    let part = |from: usize, to: usize| -> String {
        let text: String = characters.iter().take(to).skip(from).collect();
        clean(&text).into_owned()
    };
    html! {
        figure.source {
            figcaption { (text::place(place)) @if place.live && !place.route.is_empty() { " " code { (clean(&place.route)) } } @if let Some(note) = &place.note { " – " (clean(note)) } }
            @if !place.source.trim().is_empty() {
                pre tabindex="0" { code { span.line { (place.line) } (part(0, start)) mark { (part(start, end)) } (part(end, length)) } }
            }
        }
    }
}
