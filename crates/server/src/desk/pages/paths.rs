//! Ways of attackers: which there are, and one walked step by step. For who may see everything: a way passes through
//! what is anybody's.

use analysis::paths::EntryKind;
use maud::{Markup, html};
use report::html::words;
use report::{clean, count};

use super::super::request::address;
use super::super::ways::{Deed, Told, Ways};
use super::{Content, Frame, PAGE, Part, shell, time};

const fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Exposed => "broken into from the internet",
        EntryKind::Anonymous => "anybody, without signing in",
        EntryKind::Image => "a bad image",
        EntryKind::Credential => "a stolen credential",
        EntryKind::Breached => "any pod, once broken into",
    }
}

pub(super) fn list(frame: &Frame<'_>) -> Option<Markup> {
    if !frame.sight.is_everything() {
        return None;
    }
    let ways = frame.ways();
    let body = match ways.as_deref() {
        None => {
            html! { p role="status" data-waits { "They are being looked for. " a href="/paths" { "Look again" } } }
        }
        Some(ways) if ways.told.is_empty() => html! {
            p { "There is no way from where attackers start to what is worth reaching that is sure from what is known." }
            (gaps(ways))
        },
        Some(ways) => found(frame, ways),
    };
    Some(shell(
        frame,
        &Content {
            title: "Attack paths",
            within: "/paths",
            body,
        },
    ))
}

fn found(frame: &Frame<'_>, ways: &Ways) -> Markup {
    let part = Part::of(ways.told.len(), frame.asked);
    html! {
        p.found { (count(ways.told.len(), "way")) ", what leads to the dearest first, as of " (time::moment(ways.at)) ". Each rests on what is known alone." }
        table.cards.found {
            caption.unseen { "Attack paths" }
            thead { tr { th scope="col" { "Steps" } th scope="col" { "From, and to" } th scope="col" { "How it starts" } } }
            tbody {
                @for told in ways.told.iter().skip(part.first()).take(PAGE) {
                    tr {
                        td data-label="Steps" { (count(told.deeds.len(), "step")) }
                        th scope="row" { a href={ "/paths/" (told.id) } { (clean(&told.start)) " → " (clean(&told.jewel)) } }
                        td data-label="How it starts" {
                            (kind(told.kind))
                            @if !told.alike.is_empty() { span.item { "the same from " (count(told.alike.len(), "other")) } }
                        }
                    }
                }
            }
        }
        (part.turner("/paths", &[], "way"))
        @if ways.left_out > 0 { p { "At least " (count(ways.left_out, "way")) " more: " code { "seawall paths --cluster" } " tells them." } }
        (gaps(ways))
    }
}

fn gaps(ways: &Ways) -> Markup {
    html! {
        @if !ways.gaps.is_empty() {
            details { summary { "What is not known" } ul { @for gap in &ways.gaps { li { (words(gap)) } } } }
        }
    }
}

pub(super) fn one(frame: &Frame<'_>, id: &str) -> Option<Markup> {
    if !frame.sight.is_everything() {
        return None;
    }
    let ways = frame.ways()?;
    let told = ways.told.iter().find(|told| told.id == id)?;
    let title = format!("From {} to {}", clean(&told.start), clean(&told.jewel));
    let body = html! {
        p.lead { (capital(kind(told.kind))) ": " (words(&told.because)) "." }
        (walk(frame, told))
        @if !told.alike.is_empty() {
            details {
                summary { "The same from " (count(told.alike.len(), "other")) }
                ul.columns { @for other in told.alike.iter().take(200) { li { (clean(other)) } } }
            }
        }
    };
    Some(shell(
        frame,
        &Content {
            title: &title,
            within: "/paths",
            body,
        },
    ))
}

fn walk(frame: &Frame<'_>, told: &Told) -> Markup {
    let last = told.deeds.len();
    html! {
        ol.walk {
            li.spot.start #step-0 { p.held { (capital(&clean(&told.start))) } p.help { "where it starts" } }
            @for (at, deed) in told.deeds.iter().enumerate() {
                li.spot.jewel[at + 1 == last] id=(format!("step-{}", at + 1)) { (step(frame, deed, at + 1)) }
            }
        }
    }
}

fn step(frame: &Frame<'_>, deed: &Deed, number: usize) -> Markup {
    html! {
        p.deed { span.number { (number) } " " (clean(&deed.title)) " " code.quiet { (deed.edge) } }
        ul.evidence {
            @for (place, says) in &deed.rests {
                li {
                    (words(says))
                    @if let Some(place) = place { " – " a href=(address("/object", &[("at", place)])) { (clean(place)) } }
                }
            }
        }
        p.held { (capital(&clean(&deed.reaches))) }
        @if !deed.cuts.is_empty() {
            details {
                summary { "Cut by " (count(deed.cuts.len(), "measure")) }
                ul { @for (id, title, guideline) in &deed.cuts { li {
                    @if *guideline && frame.guide().guideline(id).is_some() { a href={ "/guide/" (id) } { (title) } } @else { (title) " " code.quiet { (id) } }
                } } }
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
