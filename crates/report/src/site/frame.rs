//! What every page has around its content: search, the way back, when its facts were checked, the contents.

use maud::{Markup, html};

use super::checked::{self, Checked};
use super::{
    Page, STYLE_PATH, Site, chapter_path, detections, edges, framework, front, left_out, links,
    lists, relative, search, topic_path,
};
use crate::html::{Head, Style, document};

/// Only the site's own scripts run. The second word is for pages that are opened as files.
const POLICY: &str =
    "script-src 'self' file:; object-src 'none'; base-uri 'none'; form-action 'none'";

/// A page's own part.
pub(super) struct Content {
    /// Where it stands.
    pub(super) path: String,
    /// In the browser's tab; no two pages have the same.
    pub(super) title: String,
    /// The heading.
    pub(super) heading: String,
    /// Pages above it: title and path.
    pub(super) above: Vec<(String, String)>,
    /// When its facts were checked.
    pub(super) checked: Checked,
    /// Below the heading.
    pub(super) body: Markup,
}

/// The whole document.
pub(super) fn page(site: &Site<'_>, content: Content) -> Page {
    let here = &*content.path;
    let to = |path: &str| relative(here, path);
    let title = if content.title == site.name {
        content.title
    } else {
        format!("{} · {}", content.title, site.name)
    };
    let style = to(STYLE_PATH);
    let head = Head {
        title: &title,
        policy: Some(POLICY),
        style: Style::At(&style),
    };
    let more = html! {
        meta name="referrer" content="no-referrer";
        link rel="icon" href="data:,";
        script src=(to(search::SCRIPT_PATH)) data-root=(to("")) defer {}
    };
    let body = html! {
        a.skip href="#content" { "Skip to the text" }
        header.site {
            div.bar {
                p.brand { a href=(to(front::PATH)) { (site.name) } }
                (search::form())
                a.to-contents href="#contents" { "Contents" }
            }
        }
        div.sheet {
            main #content tabindex="-1" {
                @if !content.above.is_empty() {
                    nav.above aria-label="Where you are" {
                        ol { @for (title, path) in &content.above { li { a href=(to(path)) { (title) } } } }
                    }
                }
                h1 { (content.heading) }
                (content.body)
                (checked::line(&content.checked))
            }
            nav.contents #contents aria-label="The guide" { (navigation(site, here)) }
        }
        footer { p { "Written by seawall from its guide. The pages load nothing from elsewhere and send nothing." } }
    };
    let mut html = document(&head, &more, Some("guide"), &body).into_string();
    html.push('\n');
    Page {
        path: content.path.into(),
        html,
    }
}

fn navigation(site: &Site<'_>, here: &str) -> Markup {
    let folder = here.split('/').next().unwrap_or_default();
    let others = [
        ("Severities", lists::SEVERITIES),
        ("Aspects", lists::ASPECTS_PATH),
        ("Principles", lists::PRINCIPLES_PATH),
        ("Frameworks", framework::LIST_PATH),
        ("Steps of attackers", edges::LIST_PATH),
        ("Detections", detections::LIST_PATH),
        ("Not checked", left_out::PATH),
        ("Links", links::PATH),
    ];
    let entry = |title: &str, path: &str| {
        html! { a href=(relative(here, path)) aria-current=[(path == here).then_some("page")] { (title) } }
    };
    html! {
        h2.unseen { "Contents" }
        ul.chapters {
            @for chapter in &site.guide.chapters {
                li {
                    (entry(&chapter.title, &chapter_path(&chapter.id)))
                    @if *chapter.id == *folder {
                        ul {
                            @for topic in site.topics(chapter) {
                                @let path = topic_path(&topic.chapter, &topic.id);
                                @let within = here.starts_with(path.trim_end_matches("index.html"));
                                li.within[within] { (entry(&topic.title, &path)) }
                            }
                        }
                    }
                }
            }
        }
        ul.others { @for (title, path) in others { li { (entry(title, path)) } } }
    }
}
