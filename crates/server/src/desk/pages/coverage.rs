//! What was read and what became of it, for who may see everything.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use model::coverage::Status;
use report::html::words;
use report::{clean, count};

use super::{Content, Frame, shell, time};

/// Documents that are told one by one.
const ROWS: usize = 500;

pub(super) fn page(frame: &Frame<'_>) -> Option<Markup> {
    if !frame.sight.is_everything() {
        return None;
    }
    let stand = frame.desk.options.shared.stand();
    let mut kinds: BTreeMap<&str, BTreeMap<Status, usize>> = BTreeMap::new();
    for ((kind, status), number) in &stand.ledger {
        kinds.entry(kind).or_default().insert(*status, *number);
    }
    let used: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| kinds.values().any(|own| own.contains_key(status)))
        .collect();
    let body = html! {
        p { (count(stand.objects, "object")) " held; what became of each is told here. Nothing is skipped silently." }
        @if !stand.lost.is_empty() {
            section aria-labelledby="lost" {
                h2 #lost { "Kinds of which nothing is heard" }
                ul { @for (kind, lost) in &stand.lost { li { strong { (clean(kind)) } ": " (words(&lost.why)) "; what is known is as of " (time::moment(lost.since)) } } }
            }
        }
        (unread(frame))
        section aria-labelledby="kinds" {
            h2 #kinds { "Objects by kind" }
            table.topics {
                caption.unseen { "Objects by kind, and what became of them" }
                thead { tr { th scope="col" { "Kind" } @for status in &used { th.count scope="col" { (status.word()) } } } }
                tbody { @for (kind, own) in &kinds { tr {
                    th scope="row" { @if kind.is_empty() { "of no kind" } @else { (clean(kind)) } }
                    @for status in &used { @let number = own.get(status).copied().unwrap_or_default(); td.count.zero[number == 0] data-label=(status.word()) { (number) } }
                } } }
            }
        }
        (not_assessed(frame))
    };
    Some(shell(
        frame,
        &Content {
            title: "Coverage",
            within: "/coverage",
            body,
        },
    ))
}

fn unread(frame: &Frame<'_>) -> Markup {
    let documents = &frame.sight.picture.coverage.documents;
    let aside = frame.desk.options.shared.entries();
    // What no guideline reads asks nothing of anybody, and is told in a line.
    let (unread, unasked): (Vec<_>, Vec<_>) = documents
        .iter()
        .chain(&aside)
        .filter(|entry| entry.reason.is_some())
        .partition(|entry| entry.status.incomplete() || entry.help.is_some());
    let unasked: BTreeSet<&str> = unasked
        .iter()
        .filter_map(|entry| entry.kind.as_deref())
        .collect();
    html! {
        @if !unread.is_empty() {
            section aria-labelledby="unread" {
                h2 #unread { "What was not judged" }
                table.cards.found {
                    caption.unseen { "What was not judged, and why" }
                    thead { tr { th scope="col" { "State" } th scope="col" { "Kind" } th scope="col" { "Why, and what to do" } } }
                    tbody { @for entry in unread.iter().take(ROWS) { tr {
                        td data-label="State" { span class={ "chip " (if entry.status.incomplete() { "high" } else { "quiet" }) } { (entry.status.word()) } }
                        th scope="row" { (clean(entry.kind.as_deref().unwrap_or("–"))) span.item { (clean(entry.name.as_deref().unwrap_or_default())) } }
                        td data-label="Why" { (words(entry.reason.as_deref().unwrap_or_default())) @if let Some(help) = &entry.help { p.help { (words(help)) } } }
                    } } }
                }
                @if unread.len() > ROWS { p { "… and " (unread.len() - ROWS) " more." } }
            }
        }
        @if !unasked.is_empty() {
            details {
                summary { "No guideline reads " (count(unasked.len(), "kind")) }
                ul.columns { @for kind in &unasked { li { (clean(kind)) } } }
            }
        }
    }
}

fn not_assessed(frame: &Frame<'_>) -> Markup {
    let mut by_need: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in &frame.sight.picture.coverage.guidelines {
        by_need
            .entry(&entry.needs)
            .or_default()
            .push(&entry.guideline.0);
    }
    html! {
        @if !by_need.is_empty() {
            section aria-labelledby="not-assessed" {
                h2 #not-assessed { "Guidelines that are not assessed" }
                p { "What they need was not given. Nothing is said about them." }
                @for (needs, ids) in &by_need {
                    details {
                        summary { "Needs " (words(needs)) " – " (count(ids.len(), "guideline")) }
                        ul.columns { @for id in ids { li { a href={ "/guide/" (id) } { (frame.guide().guideline(id).map_or(*id, |guideline| &guideline.title)) } } } }
                    }
                }
            }
        }
    }
}
