//! The steps of attackers: a page with all of them, and one for each that the graph knows.

use guide::edges::{EdgeExample, EdgePage, Wanted};
use maud::{Markup, html};

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, front, guideline_path, links, relative, topic_path};
use crate::edges;
use crate::html::prose;
use crate::text::count;

pub(super) const LIST_PATH: &str = "steps/index.html";

pub(super) fn path(id: &str) -> String {
    format!("steps/{id}.html")
}

/// A step in words, leading to its page, or to its line in the list where it has none.
pub(super) fn link(site: &Site<'_>, here: &str, id: &str) -> Markup {
    let title = super::options::edge_title(site, id);
    html! {
        @if site.guide.edge_pages.contains_key(id) {
            a href=(relative(here, &path(id))) { (title) }
        } @else {
            a href=(format!("{}#{id}", relative(here, LIST_PATH))) { (title) }
        }
    }
}

pub(super) fn list(site: &Site<'_>) -> Page {
    let guide = site.guide;
    let bare: Vec<_> = guide
        .edges
        .iter()
        .filter(|(id, _)| !guide.edge_pages.contains_key(*id))
        .collect();
    let body = html! {
        p.lead { "What an attacker can do with what is held already: " (count(guide.edge_pages.len(), "kind of step")) ". " code { "seawall paths" } " finds the ways that they make from where attacks start to what is worth reaching." }
        table.cards {
            thead { tr { th scope="col" { "Step" } th scope="col" { "Takes" } th scope="col" { "Taken away by" } } }
            tbody {
                @for (id, own) in &guide.edge_pages {
                    tr {
                        th scope="row" { a href=(relative(LIST_PATH, &path(id))) { (edges::upper(&own.title)) } " " code.quiet { (id) } }
                        td data-label="Takes" { (edges::effort(own)) }
                        td data-label="Taken away by" { (count(edges::guidelines(guide, id).len(), "guideline")) ", " (count(edges::options(guide, id).len(), "option")) }
                    }
                }
            }
        }
        @if !bare.is_empty() {
            section aria-labelledby="others" {
                h2 #others { "Not in the graph" }
                p { "Guidelines and options name these too; no way is made of them." }
                ul { @for (id, title) in bare { li id=(id) { (edges::upper(title)) " " code.quiet { (id) } } } }
            }
        }
    };
    frame::page(
        site,
        Content {
            title: "Steps of attackers".to_owned(),
            heading: "Steps of attackers".to_owned(),
            above: vec![("Guide".to_owned(), front::PATH.to_owned())],
            path: LIST_PATH.to_owned(),
            checked: Checked::by(guide.edge_pages.values().flat_map(|edge| &edge.references)),
            body,
        },
    )
}

pub(super) fn page(site: &Site<'_>, own: &EdgePage) -> Page {
    let path = path(&own.id);
    let resolve = |address: &str| site.resolve(&path, address);
    let (first, rest) = own.examples.split_at(own.examples.len().min(1));
    let body = html! {
        dl.facts.boxed {
            div { dt { "Step" } dd { code { (own.id) } } }
            div { dt { "Takes" } dd { (edges::effort(own)) " (" (own.effort) " of 5)" } }
        }
        section.prose aria-labelledby="when" {
            h2 #when { "When it is there" }
            (prose::document(&edges::prose(own), &resolve))
        }
        section aria-labelledby="examples" {
            h2 #examples { "Examples" }
            p { "Each is a test: the step is found in it, and gone after any of the changes below it." }
            @for example in first { (self::example(&own.title, example)) }
            @if !rest.is_empty() {
                details {
                    summary { (count(rest.len(), "more example")) }
                    @for example in rest { (self::example(&own.title, example)) }
                }
            }
        }
        (taken(site, own, &path))
        (links::references(&own.references))
    };
    let title = edges::upper(&own.title);
    frame::page(
        site,
        Content {
            title: format!("{title} ({})", own.id),
            heading: title,
            above: vec![
                ("Guide".to_owned(), front::PATH.to_owned()),
                ("Steps of attackers".to_owned(), LIST_PATH.to_owned()),
            ],
            path: path.clone(),
            checked: Checked::by(&own.references).or(|| Checked::whole(site)),
            body,
        },
    )
}

fn example(title: &str, example: &EdgeExample) -> Markup {
    html! {
        figure.source.bad {
            figcaption {
                strong { "Here it is" }
                @if example.open { ", where these files are a part of an estate" }
                @if let Some(minor) = example.kubernetes { ", for Kubernetes 1." (minor) }
            }
            @for file in &example.files { pre tabindex="0" { code { (file.text) } } }
        }
        (hops(title, &example.steps, false))
        p { "Any of these takes it away:" }
        ul { @for change in &example.without { li { (prose::words(&edges::change(change))) } } }
    }
}

/// Steps as a drawing: what is held, what is done, what is held then.
fn hops(title: &str, steps: &[Wanted], parted: bool) -> Markup {
    html! {
        ul.hops aria-label="The steps, drawn" {
            @for step in steps {
                li.hop.perhaps[step.perhaps].parted[parted] {
                    span.held { @for need in &step.needs { span.node { (node(need)) } } }
                    span.deed { span { (title) @if step.perhaps { ", perhaps" } @if parted { span.unseen { ", cut" } } } }
                    span.held { span.node.gained { (node(&step.gives)) } }
                }
            }
        }
    }
}

/// `workload:shop/web[Pod]`: its kind above its name.
fn node(id: &str) -> Markup {
    html! {
        @match id.split_once(':') {
            Some((kind, name)) if !name.is_empty() => { span.kind { (kind) } " " (short(name)) },
            _ => (id.trim_end_matches(':')),
        }
    }
}

/// Of an id in Azure what tells most: its last type and name.
fn short(name: &str) -> String {
    let long = name
        .find("/subscriptions/")
        .and_then(|at| name.split_at_checked(at));
    let Some((before, id)) = long else {
        return name.to_owned();
    };
    let parts: Vec<&str> = id.split('/').collect();
    let last = parts.len().saturating_sub(2);
    let tail = parts.get(last..).unwrap_or_default().join("/");
    format!("{before}…/{tail}")
}

/// A step that a guideline takes away, drawn by its first example.
pub(super) fn parted(site: &Site<'_>, here: &str, id: &str) -> Markup {
    let page = site.guide.edge_pages.get(id);
    let first = page.and_then(|page| page.examples.first());
    html! {
        p.cut-step { (link(site, here, id)) " " code.quiet { (id) } }
        @if let (Some(page), Some(example)) = (page, first) {
            (hops(&page.title, example.steps.get(..1).unwrap_or_default(), true))
        }
    }
}

fn taken(site: &Site<'_>, own: &EdgePage, here: &str) -> Markup {
    let guide = site.guide;
    let guidelines = edges::guidelines(guide, &own.id);
    html! {
        section aria-labelledby="taken" {
            h2 #taken { "What takes it away" }
            @if !guidelines.is_empty() {
                h3 { "Guidelines" }
                ul { @for guideline in guidelines { li { a href=(relative(here, &guideline_path(guideline))) { (guideline.title) } " " code.quiet { (guideline.id) } } } }
            }
            h3 { "Options" }
            ul {
                @for topic in &guide.topics {
                    @for option in topic.options.iter().filter(|option| option.cuts.contains(&own.id)) {
                        li { a href=(format!("{}#option-{}", relative(here, &topic_path(&topic.chapter, &topic.id)), option.id)) { (option.title) } " (" (topic.title) ")" }
                    }
                }
            }
        }
    }
}
