//! What every page has around its content: head, navigation, the way back, footer.

use maud::{DOCTYPE, Markup, html};

use super::{
    Page, STYLE_PATH, Site, chapter_path, detections, edges, framework, front, links, lists,
    relative,
};

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
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'";
                title { (title) }
                link rel="stylesheet" href=(to(STYLE_PATH));
            }
            body {
                a.skip href="#content" { "Skip to the text" }
                header.site {
                    p.brand { a href=(to(front::PATH)) { (site.name) } }
                    nav aria-label="The guide" { (navigation(site, here)) }
                }
                main #content {
                    @if !content.above.is_empty() {
                        nav.above aria-label="Where you are" {
                            ol { @for (title, path) in &content.above { li { a href=(to(path)) { (title) } } } }
                        }
                    }
                    h1 { (content.heading) }
                    (content.body)
                }
                footer { p { "Written by seawall from its guide. A page loads nothing but its style sheet and sends nothing." } }
            }
        }
    };
    let mut html = html.into_string();
    html.push('\n');
    Page {
        path: content.path.into(),
        html,
    }
}

fn navigation(site: &Site<'_>, here: &str) -> Markup {
    let chapters = site
        .guide
        .chapters
        .iter()
        .map(|chapter| (&*chapter.title, chapter_path(&chapter.id)));
    let others = [
        ("Severities", lists::SEVERITIES),
        ("Aspects", lists::ASPECTS_PATH),
        ("Principles", lists::PRINCIPLES_PATH),
        ("Frameworks", framework::LIST_PATH),
        ("Steps of attackers", edges::LIST_PATH),
        ("Detections", detections::LIST_PATH),
        ("Links", links::PATH),
    ];
    let entries = chapters.chain(others.map(|(title, path)| (title, path.to_owned())));
    html! {
        ul {
            @for (title, path) in entries {
                li { a href=(relative(here, &path)) aria-current=[(path == here).then_some("page")] { (title) } }
            }
        }
    }
}
