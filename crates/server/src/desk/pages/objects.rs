//! What is there: every object that was read, and what is said of one.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use model::Resource;
use model::finding::{Finding, Outcome, Severity};
use report::{clean, count};

use super::super::request::address;
use super::super::sight::namespace;
use super::overview::worst;
use super::{Content, Frame, PAGE, Part, findings, resource, select, shell};

pub(super) fn list(frame: &Frame<'_>) -> Markup {
    let query = &frame.asked.query;
    let (text, kind, within) = (query.get("text"), query.get("kind"), query.get("namespace"));
    let words: Vec<String> = text
        .to_lowercase()
        .split_whitespace()
        .take(8)
        .map(str::to_owned)
        .collect();
    let kinds: BTreeSet<&str> = frame
        .sight
        .resources()
        .map(|own| own.name.kind.name())
        .collect();
    let takes = |own: &&Resource| {
        (kind.is_empty() || own.name.kind.name() == kind)
            && (within.is_empty() || namespace(&own.name) == Some(within))
            && (words.is_empty() || {
                let id = own.name.id().to_lowercase();
                words.iter().all(|word| id.contains(word))
            })
    };
    let mut found: Vec<&Resource> = frame.sight.resources().filter(takes).collect();
    let said = by_object(frame);
    let weight = |own: &Resource| {
        said.get(&*own.name.id())
            .and_then(|findings| worst(findings))
    };
    found.sort_by_cached_key(|own| (std::cmp::Reverse(weight(own)), own.name.id()));
    let part = Part::of(found.len(), frame.asked);
    let fields = [("text", text), ("kind", kind), ("namespace", within)];
    let all_kinds: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(kinds.iter().map(|kind| (*kind, *kind)))
        .collect();
    let namespaces = frame.sight.namespaces();
    let places: Vec<(&str, &str)> = std::iter::once(("", "all"))
        .chain(namespaces.iter().map(|name| (&**name, &**name)))
        .collect();
    let body = html! {
        form.filter method="get" action="/objects" role="search" aria-label="Filter objects" data-submits {
            label.search { "Search" input type="search" name="text" value=(clean(text)) maxlength="200" placeholder="name" autocomplete="off"; }
            (select("kind", "Kind", kind, &all_kinds))
            (select("namespace", "Namespace", within, &places))
            button type="submit" { "Show" }
        }
        p.found role="status" { (count(found.len(), "object")) @if part.pages > 1 { "; page " (part.number) " of " (part.pages) } }
        @if !found.is_empty() {
            table.cards.found {
                caption.unseen { "Objects" }
                thead { tr { th scope="col" { "Worst" } th scope="col" { "Object" } th scope="col" { "Findings" } } }
                tbody {
                    @for own in found.iter().skip(part.first()).take(PAGE) {
                        @let findings = said.get(&*own.name.id()).map_or(&[][..], Vec::as_slice);
                        tr {
                            td data-label="Worst" { (worst_chip(findings)) }
                            th scope="row" { a href=(address("/object", &[("at", &own.origin.path)])) { (resource(&own.name)) } }
                            td data-label="Findings" { (tally(findings)) }
                        }
                    }
                }
            }
        }
        (part.turner("/objects", &fields, "object"))
    };
    shell(
        frame,
        &Content {
            title: "Objects",
            within: "/objects",
            body,
        },
    )
}

/// Findings by the id of what they are about.
fn by_object<'f>(frame: &'f Frame<'_>) -> BTreeMap<Box<str>, Vec<&'f Finding>> {
    let mut said: BTreeMap<Box<str>, Vec<&Finding>> = BTreeMap::new();
    for finding in &frame.sight.findings {
        said.entry(finding.resource.id().into())
            .or_default()
            .push(finding);
    }
    said
}

fn worst_chip(findings: &[&Finding]) -> Markup {
    match worst(findings) {
        Some(severity) => report::html::chip(severity),
        None => html! { span.chip.quiet { "–" } },
    }
}

fn tally(findings: &[&Finding]) -> String {
    let number =
        |takes: &dyn Fn(&Finding) -> bool| findings.iter().filter(|finding| takes(finding)).count();
    let mut parts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .map(|severity| {
            let fails = number(&|finding| {
                finding.counts()
                    && finding.outcome == Outcome::Fail
                    && finding.severity == *severity
            });
            (fails, severity.word())
        })
        .chain([
            (
                number(&|finding| finding.counts() && finding.outcome != Outcome::Fail),
                "unknown",
            ),
            (number(&|finding| !finding.counts()), "not counted"),
        ])
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if parts.is_empty() {
        parts.push("none".to_owned());
    }
    parts.join(", ")
}

/// What is said of the object at an address.
pub(super) fn one(frame: &Frame<'_>) -> Option<Markup> {
    let at = frame.asked.query.get("at");
    let shared = &frame.desk.options.shared;
    let object = shared.object(at)?;
    if !frame.sight.sees(&object.name) {
        return None;
    }
    let prints: BTreeSet<_> = shared
        .findings_of(at)
        .iter()
        .map(|finding| finding.fingerprint)
        .collect();
    // Those of the sight: they say no more than may be seen.
    let findings: Vec<&Finding> = frame
        .sight
        .findings
        .iter()
        .map(|finding| &**finding)
        .filter(|finding| prints.contains(&finding.fingerprint) || *finding.resource == object.name)
        .collect();
    let made = model::ownership::made(&object);
    let refers = object.referred();
    let body = html! {
        dl.facts.boxed {
            div { dt { "Kind" } dd { (clean(object.name.kind.name())) } }
            @if let Some(namespace) = &object.name.namespace { div { dt { "Namespace" } dd { a href=(address("/objects", &[("namespace", namespace)])) { (clean(namespace)) } } } }
            div { dt { "API version" } dd { (clean(&object.name.api_version)) } }
            div { dt { "Findings" } dd { (tally(&findings)) } }
        }
        p.help { "Read at " code { (clean(at)) } @if object.provider_managed { ". AKS makes and keeps it" } }
        @if let Some(made) = &made { p { "Made by " (resource(&made.by)) "; what is wrong with both is said of that." } }
        @if !refers.is_empty() {
            p { "It refers to " @for (index, (kind, name)) in refers.iter().enumerate() { @if index > 0 { ", " } (kind) " " code { (clean(name)) } } "." }
        }
        section aria-labelledby="said" {
            h2 #said { "What is said of it" }
            @if findings.is_empty() { p { "Nothing was found." } } @else { (findings::table(frame, &findings, "Findings of this object")) }
        }
    };
    Some(shell(
        frame,
        &Content {
            title: &object.name.name,
            within: "/objects",
            body,
        },
    ))
}
