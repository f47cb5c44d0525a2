//! The guidelines by severity, by aspect and by principle.

use guide::Guideline;
use guide::guideline::{ASPECTS, PRINCIPLES};
use maud::{Markup, html};
use model::Severity;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, front, guideline_path, relative};
use crate::html::chip;
use crate::text::count;

pub(super) const SEVERITIES: &str = "severities.html";
pub(super) const ASPECTS_PATH: &str = "aspects.html";
pub(super) const PRINCIPLES_PATH: &str = "principles.html";
pub(super) const PATHS: [&str; 3] = [SEVERITIES, ASPECTS_PATH, PRINCIPLES_PATH];

/// A group of guidelines: fragment, title, members.
type Group<'g> = (&'static str, &'static str, Vec<&'g Guideline>);

pub(super) fn pages(site: &Site<'_>) -> [Page; 3] {
    let severities = Severity::WORST_FIRST.map(|severity| {
        let members = site.guidelines(|guideline| guideline.severity == severity);
        (severity.word(), severity.word(), members)
    });
    let aspects = ASPECTS.map(|(id, title)| {
        let members = site.guidelines(|guideline| &*guideline.aspect == id);
        (id, title, members)
    });
    let principles = PRINCIPLES.map(|(id, title)| {
        let members =
            site.guidelines(|guideline| guideline.principles.iter().any(|own| &**own == id));
        (id, title, members)
    });
    [
        page(
            site,
            SEVERITIES,
            "Severities",
            "How bad it is when a guideline is not followed. Each has its own severity, whatever the weight of its topic.",
            &severities,
        ),
        page(
            site,
            ASPECTS_PATH,
            "Aspects",
            "The six technical aspects of a cluster. Every guideline belongs to one.",
            &aspects,
        ),
        page(
            site,
            PRINCIPLES_PATH,
            "Principles",
            "The seven principles of the guide. A guideline serves one or more.",
            &principles,
        ),
    ]
}

fn page(site: &Site<'_>, path: &str, title: &str, about: &str, groups: &[Group<'_>]) -> Page {
    let body = html! {
        p.lead { (about) }
        ul.jump { @for (id, title, members) in groups { li { a href=(format!("#{id}")) { (title) } " " span.quiet { (members.len()) } } } }
        @for (id, title, members) in groups {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) " " span.quiet { (count(members.len(), "guideline")) } }
                (guidelines(path, members))
            }
        }
    };
    frame::page(
        site,
        Content {
            path: path.to_owned(),
            title: title.to_owned(),
            heading: title.to_owned(),
            above: vec![("Guide".to_owned(), front::PATH.to_owned())],
            checked: Checked::whole(site),
            body,
        },
    )
}

/// Guidelines with severity, title and id.
pub(super) fn guidelines(here: &str, guidelines: &[&Guideline]) -> Markup {
    html! {
        @if guidelines.is_empty() {
            p.quiet { "No guideline yet." }
        } @else {
            ul.guidelines {
                @for guideline in guidelines {
                    li {
                        (chip(guideline.severity)) " "
                        a href=(relative(here, &guideline_path(guideline))) { (guideline.title) } " "
                        code.quiet { (guideline.id) }
                    }
                }
            }
        }
    }
}
