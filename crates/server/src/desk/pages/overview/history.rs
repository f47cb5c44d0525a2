//! How the posture was over time: a line for each severity, of everything, of a chapter or of a topic.
//!
//! For who may see everything: the numbers are of all namespaces.

use std::collections::BTreeSet;

use maud::{Markup, html};
use model::finding::Severity;
use report::count;

use super::super::super::request::Replied;
use super::super::export::{self, Form};
use super::super::{Frame, files, select, time};
use crate::watch::history::{Fails, Posture};

/// Points of the line; more are thinned out.
const POINTS: usize = 200;
/// Changes of the table.
const ROWS: usize = 20;

/// What failed, of everything (empty), of a chapter (`cluster`) or of a topic (`cluster/network`).
fn fails<'p>(posture: &'p Posture, of: &str) -> Option<&'p Fails> {
    match of {
        "" => Some(&posture.fails),
        topic if topic.contains('/') => posture.topics.get(topic),
        chapter => posture.chapters.get(chapter),
    }
}

fn number(posture: &Posture, of: &str, severity: Severity) -> usize {
    fails(posture, of)
        .and_then(|fails| fails.get(severity.word()))
        .copied()
        .unwrap_or_default()
}

/// As a file: a row for each change, chapter and topic.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    if !frame.sight.is_everything() {
        return None;
    }
    let all = frame.desk.history();
    let rows = all.iter().flat_map(|posture| {
        let of: BTreeSet<&str> = std::iter::once("")
            .chain(posture.chapters.keys().map(|key| &**key))
            .chain(posture.topics.keys().map(|key| &**key))
            .collect();
        of.into_iter().map(move |of| {
            let mut row = vec![posture.at.to_string(), of.to_owned()];
            let numbers = Severity::WORST_FIRST.map(|severity| number(posture, of, severity));
            row.extend(numbers.map(|number| number.to_string()));
            row
        })
    });
    let head = ["at", "of", "critical", "high", "medium", "low"];
    export::file(form, "history", &head, rows.take(export::ROWS))
}

/// Thinned out; the last always shows.
fn kept(all: &[Posture]) -> Vec<&Posture> {
    let step = all.len().div_ceil(POINTS).max(1);
    let mut kept: Vec<&Posture> = all.iter().rev().step_by(step).collect();
    kept.reverse();
    kept
}

pub(super) fn section(frame: &Frame<'_>) -> Markup {
    let all = frame.desk.history();
    let Some((first, last)) = all.first().zip(all.last()) else {
        return html! {};
    };
    let of = frame.asked.query.get("of");
    let kept = kept(&all);
    let begin = first.at.as_second();
    let length = (frame.now.max(last.at.as_second()) - begin).max(1);
    let most = kept
        .iter()
        .flat_map(|posture| Severity::WORST_FIRST.map(|severity| number(posture, of, severity)))
        .max()
        .unwrap_or_default()
        .max(1);
    let across = |at: i64| (at - begin) * 1000 / length;
    let up = |number: usize| 200 - number * 190 / most;
    let path = |severity: Severity| {
        let mut path = String::new();
        for posture in &kept {
            let (x, y) = (
                across(posture.at.as_second()),
                up(number(posture, of, severity)),
            );
            // A posture stands until the next.
            path.push_str(&if path.is_empty() {
                format!("M{x} {y}")
            } else {
                format!("H{x}V{y}")
            });
        }
        path.push_str("H1000");
        path
    };
    html! {
        section aria-labelledby="over-time" {
            h2 #over-time { "Over time" }
            (choice(frame, &all, of))
            figure.line {
                svg viewBox="0 -4 1000 212" preserveAspectRatio="none" role="img"
                    aria-label={ "Findings by severity from " (first.at.strftime("%-d %B %Y")) " until now, at most " (most) "; the table below has the numbers" } {
                    line.axis x1="0" x2="1000" y1="200" y2="200" {}
                    line.axis x1="0" x2="1000" y1="10" y2="10" {}
                    @for severity in Severity::WORST_FIRST.iter().rev() {
                        path class=(severity.word()) d=(path(*severity)) vector-effect="non-scaling-stroke" {}
                    }
                }
                figcaption {
                    span.from { (time::moment(first.at)) }
                    span.legend { @for severity in Severity::WORST_FIRST { span class=(severity.word()) { (severity.word()) " " (number(last, of, severity)) } } }
                    span.to { "now; the upper line is " (most) }
                }
            }
            (changes(&all, of))
            (files("/history", &[]))
        }
    }
}

/// Of what the line is.
fn choice(frame: &Frame<'_>, all: &[Posture], of: &str) -> Markup {
    let known: BTreeSet<&str> = all
        .iter()
        .flat_map(|posture| posture.chapters.keys().chain(posture.topics.keys()))
        .map(|key| &**key)
        .collect();
    if known.is_empty() {
        return html! {};
    }
    let guide = frame.guide();
    let mut choices: Vec<(&str, String)> = vec![("", "everything".to_owned())];
    for chapter in &guide.chapters {
        if known.contains(&*chapter.id) {
            choices.push((&chapter.id, chapter.title.to_string()));
        }
        for topic in guide
            .topics
            .iter()
            .filter(|topic| topic.chapter == chapter.id)
        {
            let id = format!("{}/{}", topic.chapter, topic.id);
            if let Some(id) = known.get(&*id) {
                choices.push((id, format!("– {}", topic.title)));
            }
        }
    }
    let choices: Vec<(&str, &str)> = choices
        .iter()
        .map(|(value, title)| (*value, title.as_str()))
        .collect();
    html! {
        form.filter method="get" action="/#over-time" aria-label="Choose of what" data-submits {
            (select("of", "Of", of, &choices))
            button type="submit" { "Show" }
        }
    }
}

fn changes(all: &[Posture], of: &str) -> Markup {
    let mut rows: Vec<&Posture> = Vec::new();
    for posture in all.iter().rev() {
        // What is the same for this choice is one.
        let full = rows.len() >= ROWS;
        match rows.last_mut() {
            Some(newer) if fails(newer, of) == fails(posture, of) => *newer = posture,
            _ if full => break,
            _ => rows.push(posture),
        }
    }
    html! {
        details {
            summary { "The last " (count(rows.len(), "change")) }
            table.small {
                caption { "Findings that count, after each change" }
                thead { tr { th scope="col" { "When" } @for severity in Severity::WORST_FIRST { th.count scope="col" { (severity.word()) } } } }
                tbody { @for posture in rows { tr {
                    th scope="row" { (time::moment(posture.at)) }
                    @for severity in Severity::WORST_FIRST { td.count { (number(posture, of, severity)) } }
                } } }
            }
        }
    }
}
