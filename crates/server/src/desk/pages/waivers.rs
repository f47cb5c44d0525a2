//! What is accepted: by whom, why, until when, and what it covers now.

use std::collections::BTreeMap;

use maud::{Markup, html};
use report::config::Config;
use report::html::words;
use report::{clean, count};

use super::super::request::address;
use super::{Content, Frame, shell, time};

/// A waiver as it is shown.
struct Row<'w> {
    guideline: &'w str,
    resource: Option<String>,
    reason: &'w str,
    owner: &'w str,
    until: Option<&'w str>,
    at: String,
    covers: usize,
}

/// Who sees everything sees all that are written; others those that cover findings which they see.
fn rows<'w>(frame: &'w Frame<'_>, config: &'w Config) -> Vec<Row<'w>> {
    let mut covered: BTreeMap<(String, String), Row<'_>> = BTreeMap::new();
    for finding in &frame.sight.findings {
        if let Some(waiver) = &finding.waiver {
            let row = covered
                .entry((waiver.at.to_string(), finding.guideline.to_string()))
                .or_insert_with(|| Row {
                    guideline: &finding.guideline.0,
                    resource: None,
                    reason: &waiver.reason,
                    owner: &waiver.owner,
                    until: waiver.until.as_deref(),
                    at: waiver.at.to_string(),
                    covers: 0,
                });
            row.covers += 1;
        }
    }
    let mut rows = Vec::new();
    if frame.sight.is_everything() {
        for waiver in &config.waivers {
            let at = format!("{}:{}", waiver.path, waiver.line);
            let covers = covered
                .remove(&(at.clone(), waiver.guideline.to_string()))
                .map_or(0, |row| row.covers);
            let item = waiver.container.as_deref();
            let resource = waiver.resource.as_deref().map(|resource| match item {
                Some(item) => format!("{resource}, {item}"),
                None => resource.to_owned(),
            });
            rows.push(Row {
                guideline: &waiver.guideline,
                resource,
                reason: &waiver.reason,
                owner: &waiver.owner,
                until: waiver.until.as_deref(),
                at,
                covers,
            });
        }
    }
    rows.extend(covered.into_values());
    rows.sort_by(|one, other| {
        let key = |row: &Row<'_>| {
            (
                row.until.is_none(),
                row.until.map(str::to_owned),
                row.guideline.to_owned(),
            )
        };
        key(one).cmp(&key(other))
    });
    rows
}

pub(super) fn page(frame: &Frame<'_>) -> Markup {
    let config = frame.desk.options.config.now();
    let rows = rows(frame, &config);
    let body = html! {
        @if rows.is_empty() {
            p { "Nothing is accepted" @if !frame.sight.is_everything() { " of what you see" } "." }
        } @else {
            p.found { (count(rows.len(), "waiver")) ", the one that ends first before others." }
            table.cards.waivers {
                caption.unseen { "Waivers" }
                thead { tr { th scope="col" { "Until" } th scope="col" { "Guideline" } th scope="col" { "Why" } th scope="col" { "Covers" } } }
                tbody { @for row in &rows { (shown(frame, row)) } }
            }
        }
    };
    shell(
        frame,
        &Content {
            title: "Waivers",
            within: "/waivers",
            body,
        },
    )
}

fn shown(frame: &Frame<'_>, row: &Row<'_>) -> Markup {
    let (over, how_far) = row.until.map_or((false, String::new()), |until| {
        time::until(until, frame.now)
    });
    html! {
        tr {
            td data-label="Until" {
                @match row.until {
                    Some(until) => { time datetime=(until) { (clean(until)) } span.item { @if over { span.chip.high { (how_far) } } @else { (how_far) } } },
                    None => "no end",
                }
            }
            th scope="row" {
                a href={ "/guide/" (row.guideline) } { code { (clean(row.guideline)) } }
                span.item { @match &row.resource { Some(resource) => (clean(resource)), None if frame.sight.is_everything() => "every resource", None => "" } }
            }
            td data-label="Why" { (words(row.reason)) span.item { @if !row.owner.is_empty() { (clean(row.owner)) ", " } code { (clean(&row.at)) } } }
            td data-label="Covers" {
                @if row.covers == 0 { span.quiet { "nothing now" } } @else {
                    a href=(address("/findings", &[("guideline", row.guideline), ("state", "aside")])) { (count(row.covers, "finding")) }
                }
            }
        }
    }
}
