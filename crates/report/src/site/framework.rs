//! Frameworks: their controls with the guidelines that map to them, and those without.

use guide::Guideline;
use guide::guideline::Framework;
use maud::html;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, detections, front, guideline_path, links, relative};
use crate::html::{chip, prose};
use crate::text::count;

pub(super) const LIST_PATH: &str = "frameworks/index.html";

pub(super) fn path(framework: &str) -> String {
    format!("frameworks/{framework}.html")
}

/// A control as a fragment.
pub(super) fn anchor(control: &str) -> String {
    format!("control-{}", prose::slug(control))
}

/// A framework with its version.
pub(super) fn name(framework: &Framework) -> String {
    format!("{} {}", framework.title, framework.version)
        .trim()
        .to_owned()
}

fn mapped<'g>(site: &Site<'g>, framework: &Framework, control: &str) -> Vec<&'g Guideline> {
    site.guidelines(|guideline| guideline.controls(&framework.id).any(|own| own == control))
}

fn covered(site: &Site<'_>, framework: &Framework) -> usize {
    let controls = framework.controls.iter();
    controls
        .filter(|(id, _)| {
            !mapped(site, framework, id).is_empty()
                || !detections::of_control(site, &framework.id, id).is_empty()
        })
        .count()
}

/// All frameworks.
pub(super) fn list(site: &Site<'_>) -> Page {
    let body = html! {
        p.lead { "What others demand, and which guidelines and detections answer it. A control without one is not covered: seawall says nothing about it, neither good nor bad." }
        table.cards {
            thead { tr { th scope="col" { "Framework" } th scope="col" { "Version" } th scope="col" { "Controls" } th scope="col" { "Answered" } } }
            tbody {
                @for framework in &site.guide.frameworks {
                    tr {
                        th scope="row" { a href=(relative(LIST_PATH, &path(&framework.id))) { (framework.title) } " " code.quiet { (framework.id) } }
                        td data-label="Version" { (framework.version) }
                        td data-label="Controls" { (framework.controls.len()) }
                        td data-label="Answered" { (covered(site, framework)) }
                    }
                }
            }
        }
    };
    frame::page(
        site,
        Content {
            path: LIST_PATH.to_owned(),
            title: "Frameworks".to_owned(),
            heading: "Frameworks".to_owned(),
            above: vec![("Guide".to_owned(), front::PATH.to_owned())],
            checked: Checked::by(
                site.guide
                    .frameworks
                    .iter()
                    .filter_map(|own| own.source.as_ref()),
            ),
            body,
        },
    )
}

/// One framework.
pub(super) fn page(site: &Site<'_>, framework: &Framework) -> Page {
    let here = path(&framework.id);
    let (all, with) = (framework.controls.len(), covered(site, framework));
    let body = html! {
        p.lead {
            (with) " of " (count(all, "control")) " have a guideline or a detection. "
            @if with < all { "About the other " (all - with) " seawall says nothing, neither good nor bad. " }
            "A guideline or detection that maps to a control answers a part of it; whether the control is met is for you to judge."
        }
        @if !framework.note.is_empty() { p.prose { (prose::spans_with(&framework.note, &prose::web)) } }
        @if let Some(source) = &framework.source { p.meta { "Source: " (links::link(&source.url)) " " (links::seen(&source.seen)) } }
        p.meta { "Judge an estate by it: " code { "seawall assess PATH --framework " (framework.id) } }
        table.cards.controls {
            caption { "Controls" }
            thead { tr { th scope="col" { "Control" } th scope="col" { "What it demands" } th scope="col" { "Guidelines and detections" } } }
            tbody {
                @for (id, title) in &framework.controls {
                    @let own = mapped(site, framework, id);
                    @let watched = detections::of_control(site, &framework.id, id);
                    tr id=(anchor(id)) {
                        th scope="row" { code { (id) } }
                        td { (title) }
                        td {
                            @if own.is_empty() && watched.is_empty() { span.quiet { "no guideline" } }
                            @if !own.is_empty() {
                                ul.guidelines {
                                    @for guideline in own {
                                        li { (chip(guideline.severity)) " " a href=(relative(&here, &guideline_path(guideline))) { (guideline.title) } }
                                    }
                                }
                            }
                            @if !watched.is_empty() { (detections::items(&here, &watched)) }
                        }
                    }
                }
            }
        }
    };
    frame::page(
        site,
        Content {
            path: here.clone(),
            title: name(framework),
            heading: name(framework),
            above: vec![
                ("Guide".to_owned(), front::PATH.to_owned()),
                ("Frameworks".to_owned(), LIST_PATH.to_owned()),
            ],
            checked: Checked::by(&framework.source).or(|| Checked::whole(site)),
            body,
        },
    )
}
