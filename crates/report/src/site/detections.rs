//! The detections over audit logs: a page with all of them, and one for each, with its query.

use guide::detection::{Detection, Memory};
use maud::{Markup, html};
use model::Severity;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, framework, front, links, relative};
use crate::detections;
use crate::html::{chip, prose};
use crate::text::count;

pub(super) const LIST_PATH: &str = "detections/index.html";

pub(super) fn path(id: &str) -> String {
    format!("detections/{id}.html")
}

/// The detections that answer a control.
pub(super) fn of_control<'g>(
    site: &Site<'g>,
    framework: &str,
    control: &str,
) -> Vec<&'g Detection> {
    let answers = |detection: &&Detection| {
        detection
            .frameworks
            .iter()
            .any(|(own, controls)| **own == *framework && **controls == *control)
    };
    site.guide.detections.iter().filter(answers).collect()
}

pub(super) fn items(here: &str, detections: &[&Detection]) -> Markup {
    html! {
        ul.guidelines {
            @for detection in detections {
                li {
                    (chip(detection.severity)) " "
                    a href=(relative(here, &path(&detection.id))) { (detection.title) } " "
                    code.quiet { (detection.id) }
                }
            }
        }
    }
}

pub(super) fn list(site: &Site<'_>) -> Page {
    let all = &site.guide.detections;
    let groups: Vec<(Severity, Vec<&Detection>)> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| {
            let own = all
                .iter()
                .filter(|detection| detection.severity == severity);
            (severity, own.collect())
        })
        .collect();
    let body = html! {
        p.lead { "What is looked for in audit logs: " (count(all.len(), "detection")) ". " code { "seawall audit detect LOGS" } " asks them about every event; each page has the query for logs that are kept in Log Analytics." }
        ul.jump { @for (severity, own) in &groups { li { a href=(format!("#{}", severity.word())) { (severity.word()) } " " span.quiet { (own.len()) } } } }
        @for (severity, own) in &groups {
            section aria-labelledby=(severity.word()) {
                h2 id=(severity.word()) { (severity.word()) " " span.quiet { (count(own.len(), "detection")) } }
                (items(LIST_PATH, own))
            }
        }
    };
    frame::page(
        site,
        Content {
            path: LIST_PATH.to_owned(),
            title: "Detections".to_owned(),
            heading: "Detections".to_owned(),
            above: vec![("Guide".to_owned(), front::PATH.to_owned())],
            checked: Checked::by(all.iter().flat_map(|own| &own.references)),
            body,
        },
    )
}

pub(super) fn page(site: &Site<'_>, own: &Detection) -> Page {
    let path = path(&own.id);
    let resolve = |address: &str| site.resolve(&path, address);
    let body = html! {
        dl.facts.boxed {
            div { dt { "Detection" } dd { code { (own.id) } } }
            div { dt { "Severity" } dd { (chip(own.severity)) } }
            div { dt { "Reads" } dd { (detections::log(own)) } }
            @for id in &own.mitre {
                div { dt { "ATT&CK " (id) } dd { (site.guide.technique(id).unwrap_or_default()) } }
            }
        }
        section.prose aria-labelledby="why" {
            h2 #why { "Why it matters" }
            (prose::document(&own.prose, &resolve))
        }
        (asked(own))
        section.prose aria-labelledby="next" {
            h2 #next { "What to do next" }
            (prose::document(&own.next, &resolve))
        }
        (query(site, own))
        (serves(site, own, &path))
        (links::references(&own.references))
    };
    frame::page(
        site,
        Content {
            title: format!("{} ({})", own.title, own.id),
            heading: own.title.to_string(),
            above: vec![
                ("Guide".to_owned(), front::PATH.to_owned()),
                ("Detections".to_owned(), LIST_PATH.to_owned()),
            ],
            path: path.clone(),
            checked: Checked::by(&own.references).or(|| Checked::whole(site)),
            body,
        },
    )
}

fn asked(own: &Detection) -> Markup {
    html! {
        section aria-labelledby="asked" {
            h2 #asked { "When it alerts" }
            p { "It looks at:" }
            ul { @for trigger in &own.looks_at { li { code { (detections::trigger(trigger)) } } } }
            @if let Memory::Sequence { check, .. } = &own.memory {
                p { "First:" }
                pre tabindex="0" { code { (check.source()) } }
                p { "And then:" }
            } @else {
                p { "It is an alert when this is true:" }
            }
            pre tabindex="0" { code { (own.check.source()) } }
            @if let Some(memory) = detections::memory(own) { p { (prose::words(&memory)) } }
        }
    }
}

fn query(site: &Site<'_>, own: &Detection) -> Markup {
    html! {
        @match site.beside.queries.get(&own.id) {
            Some(Ok(query)) => {
                section aria-labelledby="query" {
                    h2 #query { "As a query" }
                    p { "For AKSAudit and AKSAuditAdmin of Log Analytics. " code { "seawall audit kql --detection " (own.id) } " writes it for other tables and as a rule." }
                    details {
                        summary { "KQL" }
                        pre tabindex="0" { code { (query) } }
                    }
                }
            }
            Some(Err(reason)) => {
                section aria-labelledby="query" {
                    h2 #query { "As a query" }
                    p { "It is no query of AKSAudit: " (prose::words(reason)) "." }
                }
            }
            None => {}
        }
    }
}

fn serves(site: &Site<'_>, own: &Detection, here: &str) -> Markup {
    html! {
        @if !own.frameworks.is_empty() {
            section aria-labelledby="serves" {
                h2 #serves { "What it answers" }
                ul {
                    @for (id, control) in &own.frameworks {
                        @if let Some(known) = site.guide.framework(id) {
                            li {
                                a href=(format!("{}#{}", relative(here, &framework::path(id)), framework::anchor(control))) { (known.title) " " (control) }
                            }
                        }
                    }
                }
            }
        }
    }
}
