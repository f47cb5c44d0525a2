//! A topic: the decision, its options, its text and its guidelines.

use guide::guideline::Topic;
use maud::html;

use super::checked::Checked;
use super::frame::{self, Content};
use super::{Page, Site, chapter_path, front, links, lists, options, topic_path};
use crate::html::{chip, prose};

pub(super) fn page(site: &Site<'_>, topic: &Topic) -> Page {
    let path = topic_path(&topic.chapter, &topic.id);
    let resolve = |address: &str| site.resolve(&path, address);
    let chapter = site
        .guide
        .chapters
        .iter()
        .find(|chapter| chapter.id == topic.chapter);
    let guidelines = site
        .guidelines(|guideline| guideline.chapter == topic.chapter && guideline.topic == topic.id);
    let body = html! {
        p.question { (topic.question) }
        p.meta {
            @match topic.rating {
                Some(rating) => { "Weight of the topic: " (chip(rating)) },
                None => "The first edition gives this topic no weight.",
            }
        }
        (options::section(site, &path, topic))
        div.prose { (prose::document(&topic.prose, &resolve)) }
        section aria-labelledby="guidelines" {
            h2 #guidelines { "Guidelines" }
            (lists::guidelines(&path, &guidelines))
        }
        (links::references(&topic.references))
    };
    let mut above = vec![("Guide".to_owned(), front::PATH.to_owned())];
    above.extend(chapter.map(|chapter| (chapter.title.to_string(), chapter_path(&chapter.id))));
    let title = match chapter {
        Some(chapter) => format!("{} · {}", topic.title, chapter.title),
        None => topic.title.to_string(),
    };
    frame::page(
        site,
        Content {
            title,
            heading: topic.title.to_string(),
            above,
            path: path.clone(),
            checked: Checked::by(&topic.references),
            body,
        },
    )
}
