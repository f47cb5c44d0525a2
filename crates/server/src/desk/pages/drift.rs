//! Where what runs differs from what it is to be, for who may see everything.

use std::collections::BTreeMap;

use maud::{Markup, html};
use report::html::words;
use report::{clean, count};

use super::super::request::{Replied, address};
use super::export::{self, Form};
use super::{Content, Frame, files, shell, time};
use crate::watch::drift::{Difference, Drift};

pub(super) fn page(frame: &Frame<'_>) -> Option<Markup> {
    if !frame.sight.is_everything() {
        return None;
    }
    let drift = frame.desk.options.shared.drift();
    let body = html! {
        @match drift.as_deref() {
            None => {
                p { "What runs is compared with nothing, or not yet." }
                p.help { "With " code { "seawall serve --drift PATH" } " it is compared with a folder of manifests or a snapshot." }
            },
            Some(drift) => (told(frame, drift)),
        }
    };
    Some(shell(
        frame,
        &Content {
            title: "Drift",
            within: "/drift",
            body,
        },
    ))
}

const fn title(word: &str) -> (&'static str, &'static str) {
    match word.as_bytes() {
        b"findings-new" => ("Findings that only what runs has", "finding"),
        b"findings-gone" => ("Findings that what runs does not have", "finding"),
        b"objects-new" => ("Objects that only run", "object"),
        _ => ("Objects that do not run", "object"),
    }
}

fn told(frame: &Frame<'_>, drift: &Drift) -> Markup {
    let same = drift.differences().iter().all(|(_, one)| one.count == 0);
    html! {
        p class={ "verdict " (if same { "good" } else { "open" }) } {
            strong { @if same { "What runs is as it should be." } @else { "What runs differs from what should." } }
            span { "compared with " (clean(&drift.base)) }
        }
        ul.tiles.four {
            @for (word, one) in drift.differences() {
                @let (title, _) = title(word);
                li.tile.plain.none[one.count == 0] { a href={ "#" (word) } { span.number { (one.count) } " " span.label { (title) } } }
            }
        }
        p.help { "What runs as of " (time::moment(drift.at)) ", the other read " (time::ago(frame.now - drift.read.as_second())) ". Kinds and namespaces that the other does not have are left out, and what controllers, AKS and Kubernetes itself make." }
        @for (word, one) in drift.differences() { @if one.count > 0 { (difference(frame, word, one)) } }
        (files("/drift", &[]))
    }
}

fn difference(frame: &Frame<'_>, word: &str, one: &Difference) -> Markup {
    let (title, noun) = title(word);
    let is_finding = noun == "finding";
    // By guideline, or by kind.
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in &one.first {
        let (group, rest) = if is_finding {
            text.split_once(' ').unwrap_or(("", text))
        } else {
            let at = text
                .match_indices('/')
                .map(|(at, _)| at)
                .find(|at| text.get(..*at).is_some_and(is_kind));
            at.map_or(("", &**text), |at| {
                (
                    text.get(..at).unwrap_or_default(),
                    text.get(at + 1..).unwrap_or_default(),
                )
            })
        };
        groups.entry(group).or_default().push(rest);
    }
    html! {
        section aria-labelledby=(word) {
            h2 id=(word) { (title) }
            p.found { (count(one.count, noun)) @if one.count > one.first.len() { ", the first " (one.first.len()) " of them" } }
            @for (group, members) in &groups {
                details open[groups.len() < 12] {
                    summary {
                        @if is_finding {
                            @let guideline = frame.guide().guideline(group);
                            (guideline.map_or(*group, |guideline| &guideline.title)) " (" (members.len()) ")"
                        } @else { (clean(group)) " (" (members.len()) ")" }
                    }
                    ul.columns { @for member in members { li {
                        @if is_finding { (words(member)) " " } @else { a href=(address("/objects", &[("text", member)])) { (clean(member)) } }
                    } } }
                    @if is_finding && frame.guide().guideline(group).is_some() { p { a href=(address("/findings", &[("guideline", group), ("state", "all")])) { "Findings of this guideline" } } }
                }
            }
        }
    }
}

/// Whether an id's first parts are a group and a kind: kinds begin with a capital, groups and names do not.
fn is_kind(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    last.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The differences as a file.
pub(super) fn file(frame: &Frame<'_>, form: Form) -> Option<Replied> {
    let drift = frame.desk.options.shared.drift();
    let drift = drift.filter(|_| frame.sight.is_everything())?;
    let rows = drift.differences().into_iter().flat_map(|(word, one)| {
        let rows = one.first.iter();
        rows.map(move |text| vec![word.to_owned(), text.clone()])
    });
    export::file(form, "drift", &["difference", "what"], rows)
}
