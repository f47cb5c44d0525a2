//! A guideline, as the guide has it, and what it found here.

use std::collections::BTreeSet;

use maud::{Markup, html};
use report::count;
use report::html::{about, blocks, chip, words};

use super::super::request::address;
use super::{Content, Frame, shell};

pub(super) fn page(frame: &Frame<'_>, id: &str) -> Option<Markup> {
    let guide = frame.guide();
    let guideline = guide.guideline(id)?;
    let topic = guide.topic(&guideline.chapter, &guideline.topic);
    let number = frame
        .sight
        .findings
        .iter()
        .filter(|finding| finding.guideline == guideline.id)
        .count();
    let body = html! {
        p.lead { (chip(guideline.severity)) " " code { (guideline.id) } @if let Some(topic) = topic { " · " (topic.title) } }
        p {
            @if number == 0 { "Nothing was found." } @else {
                a href=(address("/findings", &[("guideline", id), ("state", "all")])) { (count(number, "finding")) }
            }
        }
        section.guideline aria-labelledby="why" {
            h2 #why { "Why, and how to mend it" }
            div.prose { (blocks(&guideline.prose)) }
            (about(guideline, &BTreeSet::new(), guide))
            @for by_hand in &guideline.by_hand { p { "By hand: " (words(&by_hand.why)) } }
        }
        section aria-labelledby="judged" {
            h2 #judged { "How it is judged" }
            @if let Some(each) = &guideline.each {
                p { "For each " code { (each.name) } " of:" }
                pre tabindex="0" { code { (each.program.source()) } }
            }
            @if let Some(when) = &guideline.when {
                p { "Only when:" }
                pre tabindex="0" { code { (when.source()) } }
            }
            @for check in &guideline.checks {
                p { "This must hold:" }
                pre tabindex="0" { code { (check.program.source()) } }
                p.help { "otherwise: " (words(&check.message.source)) }
            }
        }
    };
    Some(shell(
        frame,
        &Content {
            title: &guideline.title,
            within: "/findings",
            body,
        },
    ))
}
