//! What the guide deliberately does not judge: controls that people look for, each with the reason and what stands in its
//! place. They stand in `guide/data/left-out.yaml`.

use guide::front_matter::{self, Fields};
use maud::{Markup, html};
use model::Ref;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, detections, edges, front, guideline_path, relative, topic_path};
use crate::html::prose;

pub(super) const PATH: &str = "not-checked.html";
const FILE: &str = "left-out.yaml";

/// A control that is no guideline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// The name by which people look for it; nothing for a whole group.
    pub(super) id: Option<Box<str>>,
    title: Box<str>,
    why: Box<str>,
    /// Guidelines, detections, steps, `topic/option`.
    pub(super) instead: Vec<Box<str>>,
}

/// All of them; nothing in a guide that says none.
pub(super) fn read(site: &Site<'_>) -> Result<Vec<LeftOut>, (u32, String)> {
    let Some(text) = site.guide.data.get(FILE) else {
        return Ok(Vec::new());
    };
    let doc = front_matter::read(text, 1)?;
    let mut all = Vec::new();
    for item in doc.root().items() {
        let at = |message| (1, message);
        let fields = Fields::of(item, &["id", "title", "why", "instead"]).map_err(at)?;
        all.push(LeftOut {
            id: fields.get("id").and_then(Ref::as_str).map(Into::into),
            title: fields.text("title").map_err(at)?.into(),
            why: fields.text("why").map_err(at)?.into(),
            instead: fields.texts("instead").map_err(at)?,
        });
    }
    Ok(all)
}

/// Where what stands in its place is, as seen from this page, with its title.
pub(super) fn target(site: &Site<'_>, id: &str) -> Option<(String, String)> {
    let guide = site.guide;
    if let Some(guideline) = guide.guideline(id) {
        let address = relative(PATH, &guideline_path(guideline));
        return Some((address, guideline.title.to_string()));
    }
    if let Some(own) = guide.detections.iter().find(|own| &*own.id == id) {
        return Some((relative(PATH, &detections::path(id)), own.title.to_string()));
    }
    if let Some(edge) = guide.edge_pages.get(id) {
        let address = relative(PATH, &edges::path(id));
        return Some((address, crate::edges::upper(&edge.title)));
    }
    let (topic, option) = guide.option(id)?;
    let path = relative(PATH, &topic_path(&topic.chapter, &topic.id));
    Some((
        format!("{path}#option-{}", option.id),
        option.title.to_string(),
    ))
}

pub(super) fn page(site: &Site<'_>) -> Page {
    let all = read(site).unwrap_or_default();
    let named: Vec<&LeftOut> = all.iter().filter(|own| own.id.is_some()).collect();
    let groups: Vec<&LeftOut> = all.iter().filter(|own| own.id.is_none()).collect();
    let body = html! {
        p.lead { "What one may look for here and not find: why it is no guideline, and what stands in its place. Nothing is left out without a word." }
        @if named.is_empty() && groups.is_empty() { p { "This guide names nothing that it leaves out. Each of its frameworks lists the controls that have no guideline." } }
        @for own in named { (entry(site, own)) }
        @if !groups.is_empty() {
            h2 #groups { "Whole groups" }
            @for own in groups { (entry(site, own)) }
        }
    };
    frame::page(
        site,
        Content {
            path: PATH.to_owned(),
            title: "Not checked".to_owned(),
            heading: "Not checked, and why".to_owned(),
            above: vec![("Guide".to_owned(), front::PATH.to_owned())],
            checked: Checked::whole(site),
            body,
        },
    )
}

fn entry(site: &Site<'_>, own: &LeftOut) -> Markup {
    html! {
        section.prose {
            @if let Some(id) = &own.id { h2 id=(id) { (own.title) " " code.quiet { (id) } } } @else { h3 { (own.title) } }
            p { (prose::spans_with(&own.why, &prose::web)) }
            @if !own.instead.is_empty() {
                p.meta { "In its place:" }
                ul {
                    @for id in &own.instead {
                        @if let Some((address, title)) = target(site, id) { li { a href=(address) { (title) } " " code.quiet { (id) } } }
                    }
                }
            }
        }
    }
}
