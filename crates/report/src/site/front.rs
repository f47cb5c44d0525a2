//! The front page and the chapters.

use guide::guideline::{ASPECTS, Chapter, PRINCIPLES};
use maud::{Markup, html};
use model::Severity;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, aspects, chapter_path, framework, lists, relative, topic_path};
use crate::html::{prose, symbol};
use crate::text::count;

pub(super) const PATH: &str = "index.html";

/// The front page: the ways into the guide between its first words and the rest of them.
pub(super) fn page(site: &Site<'_>) -> Page {
    let links = |address: &str| site.resolve(PATH, address);
    let text = &*site.guide.front;
    let (lead, rest) = text
        .find("\n## ")
        .and_then(|at| text.split_at_checked(at))
        .unwrap_or((text, ""));
    let (before, words, after) = drawn(rest).unwrap_or((rest, None, ""));
    let body = html! {
        div.prose.lead { (prose::document(lead, &links)) }
        @if let Some(words) = words {
            div.prose { (prose::document(words, &links)) }
            (aspects::figure(site, PATH))
        }
        (ways(site))
        div.prose { (prose::document(before, &links)) (prose::document(after, &links)) }
    };
    frame::page(
        site,
        Content {
            path: PATH.to_owned(),
            title: site.name.clone(),
            heading: site.name.clone(),
            above: Vec::new(),
            checked: Checked::whole(site),
            body,
        },
    )
}

/// The text before the section of the aspects, what stands in it before its picture, and the text after it. For who reads
/// it as text the picture stands there in letters, with the list that says the same behind it.
fn drawn(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (until, rest) = text.split_once("\n```figure aspects\n")?;
    let (_, rest) = rest.split_once("\n```\n")?;
    let after = rest
        .find("\n## ")
        .and_then(|at| rest.get(at..))
        .unwrap_or_default();
    let heading = until.rfind("\n## ")?;
    let (before, words) = until.split_at_checked(heading)?;
    Some((before, Some(words), after))
}

fn ways(site: &Site<'_>) -> Markup {
    let guide = site.guide;
    let number = |select: &dyn Fn(&guide::Guideline) -> bool| {
        guide
            .guidelines
            .iter()
            .filter(|guideline| select(guideline))
            .count()
    };
    html! {
        section aria-labelledby="find" {
            h2 #find { "Find a guideline" }
            p { (count(guide.guidelines.len(), "guideline")) " in " (count(guide.topics.len(), "topic")) ", by five ways." }
            div.ways {
                div.chapters {
                    h3 { "By chapter" }
                    @for chapter in &guide.chapters {
                        p { a href=(chapter_path(&chapter.id)) { (chapter.title) } }
                        ul.topics {
                            @for topic in site.topics(chapter) {
                                li { a href=(topic_path(&topic.chapter, &topic.id)) { (topic.title) } }
                            }
                        }
                    }
                }
                div {
                    h3 { "By severity" }
                    ul.plain {
                        @for severity in Severity::WORST_FIRST {
                            li {
                                a.severity.(severity.word()) href=(format!("{}#{}", lists::SEVERITIES, severity.word())) { (symbol(severity)) (severity.word()) }
                                " " span.quiet { (number(&|guideline| guideline.severity == severity)) }
                            }
                        }
                    }
                    h3 { "By aspect" }
                    ul.plain {
                        @for (id, title) in ASPECTS {
                            li {
                                a href=(format!("{}#{id}", lists::ASPECTS_PATH)) { (title) }
                                " " span.quiet { (number(&|guideline| &*guideline.aspect == id)) }
                            }
                        }
                    }
                }
                div {
                    h3 { "By principle" }
                    ul.plain {
                        @for (id, title) in PRINCIPLES {
                            li {
                                a href=(format!("{}#{id}", lists::PRINCIPLES_PATH)) { (title) }
                                " " span.quiet { (number(&|guideline| guideline.principles.iter().any(|own| &**own == id))) }
                            }
                        }
                    }
                    h3 { "By framework" }
                    ul.plain {
                        @for framework in &guide.frameworks {
                            li { a href=(framework::path(&framework.id)) { (framework.title) } }
                        }
                    }
                }
            }
        }
    }
}

/// A chapter: its text and everything in it.
pub(super) fn chapter(site: &Site<'_>, chapter: &Chapter) -> Page {
    let path = chapter_path(&chapter.id);
    let links = |address: &str| site.resolve(&path, address);
    let own = site.guidelines(|guideline| guideline.chapter == chapter.id);
    let body = html! {
        div.prose.lead { (prose::document(&chapter.prose, &links)) }
        section aria-labelledby="guidelines" {
            h2 #guidelines { "Guidelines of this chapter" }
            @for topic in site.topics(chapter) {
                h3 { a href=(relative(&path, &topic_path(&topic.chapter, &topic.id))) { (topic.title) } }
                (lists::guidelines(&path, &site.guidelines(|guideline| guideline.chapter == topic.chapter && guideline.topic == topic.id)))
            }
        }
    };
    frame::page(
        site,
        Content {
            title: chapter.title.to_string(),
            heading: chapter.title.to_string(),
            above: vec![("Guide".to_owned(), PATH.to_owned())],
            path: path.clone(),
            checked: Checked::by(
                site.topics(chapter)
                    .flat_map(|topic| &topic.references)
                    .chain(own.iter().flat_map(|guideline| &guideline.references)),
            ),
            body,
        },
    )
}
