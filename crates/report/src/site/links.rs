//! Where the guide's facts come from: on each page, and all of them on one.

use std::collections::BTreeMap;

use guide::guideline::Reference;
use maud::{Markup, html};

use super::checked::Checked;
use super::frame::{self, Content};
use super::{
    Page, Site, detections, edges, framework, front, guideline_path, relative, topic_path,
};
use crate::html::prose;
use crate::text::count;

pub(super) const PATH: &str = "links.html";
pub(super) const BESIDES_PATH: &str = "links-besides.html";
/// Pages that are named beside an address; more are counted, since some facts carry half of the guide.
const MOST: usize = 3;

/// The references of a page.
pub(super) fn references(references: &[Reference]) -> Markup {
    html! {
        @if !references.is_empty() {
            section aria-labelledby="references" {
                h2 #references { "References" }
                ul.references { @for reference in references { li { (link(&reference.url)) " " (seen(&reference.seen)) } } }
            }
        }
    }
}

/// An address with the day on which it was last seen.
pub(super) fn link(url: &str) -> Markup {
    html! {
        @match prose::web(url) {
            Some(address) => a href=(address) { (url.trim_start_matches("https://")) },
            None => (url),
        }
    }
}

pub(super) fn seen(day: &str) -> Markup {
    html! { span.quiet { "seen " time { (day) } } }
}

/// Who rests on an address, and when it was last seen.
#[derive(Default)]
struct Use<'g> {
    seen: &'g str,
    /// Place among the groups of the first that names it.
    group: usize,
    /// Title and path.
    users: Vec<(&'g str, String)>,
}

/// Every address once, below the first topic that rests on it; those that no topic rests on have a page of their own.
pub(super) fn pages(site: &Site<'_>) -> [Page; 2] {
    let guide = site.guide;
    let mut uses: BTreeMap<&str, Use<'_>> = BTreeMap::new();
    let mut groups = Vec::new();
    for topic in &guide.topics {
        let path = topic_path(&topic.chapter, &topic.id);
        let members = site.guidelines(|guideline| {
            guideline.chapter == topic.chapter && guideline.topic == topic.id
        });
        let own = topic
            .references
            .iter()
            .map(|reference| (reference, &*topic.title, path.clone()));
        let theirs = members.into_iter().flat_map(|guideline| {
            guideline
                .references
                .iter()
                .map(|reference| (reference, &*guideline.id.0, guideline_path(guideline)))
        });
        collect(&mut uses, groups.len(), own.chain(theirs));
        groups.push((&*topic.title, path.clone()));
    }
    let frameworks = guide.frameworks.iter().filter_map(|known| {
        Some((
            known.source.as_ref()?,
            &*known.title,
            framework::path(&known.id),
        ))
    });
    collect(&mut uses, groups.len(), frameworks);
    groups.push(("Frameworks", framework::LIST_PATH.to_owned()));
    let steps = guide.edge_pages.values().flat_map(|edge| {
        edge.references
            .iter()
            .map(|reference| (reference, &*edge.id, edges::path(&edge.id)))
    });
    collect(&mut uses, groups.len(), steps);
    groups.push(("Steps of attackers", edges::LIST_PATH.to_owned()));
    let detections = guide.detections.iter().flat_map(|detection| {
        detection
            .references
            .iter()
            .map(|reference| (reference, &*detection.id, detections::path(&detection.id)))
    });
    collect(&mut uses, groups.len(), detections);
    groups.push(("Detections", detections::LIST_PATH.to_owned()));
    let (topics, others) = groups.split_at(groups.len().min(guide.topics.len()));
    let section = |here: &str, index: usize, (title, path): &(&str, String)| {
        let own: Vec<_> = uses
            .iter()
            .filter(|(_, used)| used.group == index)
            .collect();
        html! {
            @if !own.is_empty() {
                section {
                    h2 { a href=(relative(here, path)) { (title) } }
                    ul.references { @for (url, used) in own { (self::used(here, url, used, path)) } }
                }
            }
        }
    };
    let first = html! {
        p.lead { "What the guide's facts rest on: " (count(uses.len(), "link")) ", each named once, below the first topic that uses it, with the day it was last seen and what rests on it. What only steps of attackers, detections and frameworks rest on stands " a href=(relative(PATH, BESIDES_PATH)) { "on a page of its own" } "." }
        @for (index, group) in topics.iter().enumerate() { (section(PATH, index, group)) }
    };
    let second = html! {
        p.lead { "What steps of attackers, detections and frameworks rest on besides " a href=(relative(BESIDES_PATH, PATH)) { "the links of topics" } ", with the day it was last seen." }
        @for (index, group) in others.iter().enumerate() { (section(BESIDES_PATH, topics.len() + index, group)) }
    };
    let page = |path: &str, title: &str, above: Vec<(String, String)>, body| {
        frame::page(
            site,
            Content {
                path: path.to_owned(),
                title: title.to_owned(),
                heading: title.to_owned(),
                above,
                checked: Checked::whole(site),
                body,
            },
        )
    };
    let guide = ("Guide".to_owned(), front::PATH.to_owned());
    let links = ("Links".to_owned(), PATH.to_owned());
    [
        page(PATH, "Links", vec![guide.clone()], first),
        page(BESIDES_PATH, "More links", vec![guide, links], second),
    ]
}

/// An address with who rests on it besides the page that the heading leads to.
fn used(here: &str, url: &str, used: &Use<'_>, heading: &str) -> Markup {
    let others: Vec<_> = used
        .users
        .iter()
        .filter(|(_, path)| path != heading)
        .collect();
    html! {
        li {
            (link(url)) " " span.quiet { "seen " (used.seen) }
            @if !others.is_empty() {
                span.users {
                    "for " @for (index, (name, path)) in others.iter().take(MOST).enumerate() { @if index > 0 { ", " } a href=(relative(here, path)) { (name) } }
                    @if others.len() > MOST { " and " (others.len() - MOST) " more" }
                }
            }
        }
    }
}

fn collect<'g>(
    uses: &mut BTreeMap<&'g str, Use<'g>>,
    group: usize,
    references: impl Iterator<Item = (&'g Reference, &'g str, String)>,
) {
    for (reference, name, path) in references {
        let used = uses.entry(&reference.url).or_insert_with(|| Use {
            group,
            ..Use::default()
        });
        used.seen = used.seen.max(&reference.seen);
        if !used.users.iter().any(|(_, known)| *known == path) {
            used.users.push((name, path));
        }
    }
}
