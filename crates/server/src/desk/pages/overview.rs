//! The first page: how things stand, where, since when, and what is not known.

use std::collections::BTreeMap;

use maud::{Markup, html};
use model::finding::{Finding, Outcome, Severity};
use report::html::words;
use report::{clean, count};

use super::super::request::{Replied, address};
use super::export::Form;
use super::{Content, Frame, SPACE, shell, time};

mod history;

/// Findings that count and fail, by severity.
type Fails = BTreeMap<Severity, usize>;

pub(super) fn page(frame: &Frame<'_>) -> Markup {
    let counting = || {
        frame
            .sight
            .findings
            .iter()
            .filter(|finding| finding.counts())
    };
    let mut fails = Fails::new();
    let mut unknown = 0;
    for finding in counting() {
        if finding.outcome == Outcome::Fail {
            *fails.entry(finding.severity).or_default() += 1;
        } else {
            unknown += 1;
        }
    }
    let aside = frame.sight.findings.len() - counting().count();
    let objects = frame.sight.resources().count();
    let body = html! {
        (state(frame, &fails, unknown))
        ul.tiles {
            @for severity in Severity::WORST_FIRST {
                @let number = fails.get(&severity).copied().unwrap_or_default();
                li class={ "tile " (severity.word()) (if number == 0 { " none" } else { "" }) } {
                    a href=(address("/findings", &[("severity", severity.word()), ("state", "fail")])) { span.number { (number) } (SPACE) span.label { (severity.word()) } }
                }
            }
            li class={ "tile unknown" (if unknown == 0 { " none" } else { "" }) } { a href="/findings?state=unknown" { span.number { (unknown) } (SPACE) span.label { "unknown" } } }
            li.tile.plain { a href="/findings?state=aside" { span.number { (aside) } (SPACE) span.label { "not counted" } } }
            li.tile.plain { a href="/objects" { span.number { (objects) } (SPACE) span.label { "objects" } } }
        }
        (unread(frame))
        @if frame.sight.is_everything() { (history::section(frame)) }
        (by_topic(frame))
    };
    shell(
        frame,
        &Content {
            title: "Posture",
            within: "/",
            body,
        },
    )
}

/// How it is, in a sentence.
fn state(frame: &Frame<'_>, fails: &Fails, unknown: usize) -> Markup {
    let subject: Vec<_> = frame
        .sight
        .picture
        .subject
        .iter()
        .map(|name| clean(name))
        .collect();
    let number = |severity| fails.get(&severity).copied().unwrap_or_default();
    let (critical, high) = (number(Severity::Critical), number(Severity::High));
    let total: usize = fails.values().sum();
    let (tone, said) = match (total, critical, high) {
        _ if frame.sight.picture.number == 0 => ("open", "Nothing has been read yet.".to_owned()),
        (0, ..) if unknown > 0 => (
            "open",
            "Nothing was found; not everything is known.".to_owned(),
        ),
        (0, ..) => ("good", "Nothing was found.".to_owned()),
        (_, 0, 0) => (
            "open",
            format!(
                "{}, none of them critical or high.",
                count(total, "finding")
            ),
        ),
        _ => {
            let worst = match (critical, high) {
                (0, high) => format!("{high} high"),
                (critical, 0) => format!("{critical} critical"),
                _ => format!("{critical} critical and {high} high"),
            };
            (
                "bad",
                format!("{}, of these {worst}.", count(total, "finding")),
            )
        }
    };
    html! {
        p class={ "verdict " (tone) } {
            strong { (said) }
            span { (subject.join(", ")) }
        }
    }
}

/// What could not be read, of which kinds nothing is heard, and whether the cluster is there at all.
fn unread(frame: &Frame<'_>) -> Markup {
    let stand = frame.desk.options.shared.stand();
    let everything = frame.sight.is_everything();
    let gaps: Vec<_> = stand.gaps.iter().filter(|gap| !gap.by_choice).collect();
    let oldest = stand.lost.values().map(|lost| lost.since).min();
    html! {
        @if stand.unreachable {
            p.notice role="status" { strong { "The cluster cannot be reached." } (SPACE) "What is shown is as it was"
                @if let Some(oldest) = oldest { " " (time::ago(frame.now - oldest.as_second())) } "." }
        }
        @if everything && !gaps.is_empty() {
            section aria-labelledby="unread" {
                h2 #unread { "What could not be read" }
                ul {
                    @for gap in gaps.iter().take(10) { li { strong { (clean(&gap.kind)) } ": " (words(&gap.why)) @if let Some(help) = &gap.help { " – " (words(help)) } } }
                }
                p { a href="/coverage" { "Everything that was read, and what became of it" } }
            }
        } @else if everything && !stand.unreachable && !stand.lost.is_empty() {
            p.notice role="status" { "Nothing is heard of " (count(stand.lost.len(), "kind"))
                @if let Some(oldest) = oldest { " since " (time::moment(oldest)) } ". "
                a href="/coverage" { "Coverage" } " tells which." }
        }
    }
}

/// Chapters and topics with what fails there.
fn by_topic(frame: &Frame<'_>) -> Markup {
    let guide = frame.guide();
    let mut topics: BTreeMap<(&str, &str), (Fails, usize)> = BTreeMap::new();
    for finding in frame
        .sight
        .findings
        .iter()
        .filter(|finding| finding.counts())
    {
        let Some(guideline) = guide.guideline(&finding.guideline.0) else {
            continue;
        };
        let (fails, unknown) = topics
            .entry((&guideline.chapter, &guideline.topic))
            .or_default();
        if finding.outcome == Outcome::Fail {
            *fails.entry(finding.severity).or_default() += 1;
        } else {
            *unknown += 1;
        }
    }
    html! {
        section aria-labelledby="topics" {
            h2 #topics { "By chapter and topic" }
            @for chapter in &guide.chapters {
                @let own: Vec<_> = guide.topics.iter().filter(|topic| topic.chapter == chapter.id)
                    .map(|topic| (topic, topics.get(&(&*topic.chapter, &*topic.id)))).collect();
                @let quiet = own.iter().filter(|(_, found)| found.is_none()).count();
                table.topics {
                    caption { (chapter.title) }
                    thead { tr {
                        th scope="col" { "Topic" }
                        @for severity in Severity::WORST_FIRST { th.count scope="col" { (severity.word()) } }
                        th.count scope="col" { "unknown" }
                    } }
                    tbody {
                        @for (topic, found) in &own {
                            @if let Some((fails, unknown)) = found {
                                @let id = format!("{}/{}", topic.chapter, topic.id);
                                tr {
                                    th scope="row" { a href=(address("/findings", &[("topic", &id)])) { (topic.title) } }
                                    @for severity in Severity::WORST_FIRST { (cell(fails.get(&severity).copied(), severity.word())) }
                                    (cell(Some(*unknown), "unknown"))
                                }
                            }
                        }
                        @if quiet > 0 { tr.none { td colspan="6" { (count(quiet, if quiet == own.len() { "topic" } else { "other topic" })) " without findings" } } }
                    }
                }
            }
        }
    }
}

fn cell(number: Option<usize>, word: &str) -> Markup {
    let number = number.unwrap_or_default();
    html! {
        @if number == 0 { td.count.zero data-label=(word) { "0" } } @else { td class={ "count some " (word) } data-label=(word) { (number) } }
    }
}

/// How it was, of everything, of a chapter or of a topic; as a file too.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    history::file(frame, form)
}

/// For the worst of a list, in a word.
pub(super) fn worst(findings: &[&Finding]) -> Option<Severity> {
    findings
        .iter()
        .filter(|finding| finding.counts() && finding.outcome == Outcome::Fail)
        .map(|finding| finding.severity)
        .max()
}
