//! The ways as one page that stands alone: the drawing, the stories, what parts the most. No script, nothing
//! loaded, everything escaped.

use maud::{Markup, html};
use report::html::{ALONE, Head, Style, document};
use report::{clean, count};

use super::picture::Picture;
use super::tell::{Deed, Story, capital, listed};
use super::*;
use crate::commands::attack::Place;

const STYLE: &str = include_str!("html/style.css");
/// What drawings and stories look like.
pub(crate) const WAYS_STYLE: &str = include_str!("html/ways.css");
const TITLE: &str = "Attack paths";
/// Measures that a step shows before the rest is folded.
const MOST_CUTS: usize = 4;

pub(super) fn write(answer: &Answer<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let stories = tell::all(answer);
    let looks = Head {
        title: TITLE,
        policy: Some(ALONE),
        style: Style::Within(&[WAYS_STYLE, STYLE]),
    };
    let body = html! {
        a.skip href="#ways" { "Skip to the ways" }
        (head(answer))
        main {
            (drawing(answer, &stories))
            (radius(answer))
            div #ways {
                (part(answer, &stories, false))
                (part(answer, &stories, true))
                @if answer.left_out > 0 {
                    p.help { (count(answer.left_out, "more way")) " not shown: " code { "--limit N" } }
                }
            }
            (chokes(answer))
            (starts(answer))
            @if !answer.graph.gaps.is_empty() {
                h2 { "Not judged" }
                ul { @for gap in &answer.graph.gaps { li { (capital(&clean(gap))) "." } } }
            }
        }
        footer { p { "Written by seawall. This page loads nothing and sends nothing." } }
    };
    let page = document(&looks, &html! {}, None, &body);
    out.write_all(page.into_string().as_bytes())?;
    writeln!(out)
}

fn head(answer: &Answer<'_>) -> Markup {
    let found = &answer.ways;
    let class = match (found.sure, found.possible) {
        (0, 0) => "verdict",
        (0, _) => "verdict open",
        _ => "verdict bad",
    };
    html! {
        header {
            p.brand { "seawall" }
            h1 { (TITLE) }
            dl.facts {
                div { dt { "Read" } dd { (clean(&answer.scene.subject.join(", "))) } }
                div { dt { "As of" } dd { (answer.scene.as_of) } }
                div { dt { "Sure ways" } dd { (found.sure) } }
                div { dt { "Possible ways" } dd { (found.possible) } }
            }
            p class=(class) { (text::first(answer)) }
        }
    }
}

fn drawing(answer: &Answer<'_>, stories: &[Story]) -> Markup {
    let picture = Picture::of(answer, stories);
    html! {
        @if let Some(svg) = svg::draw(&picture) {
            section aria-label="Drawing" {
                div.drawing tabindex="0" role="region" aria-label="Drawing of the ways" { (svg) }
                ul.legend {
                    li { i {} "where it starts" }
                    li { i.jewel {} "what is worth reaching" }
                    li { i.sure {} "sure" }
                    li { i.perhaps {} "perhaps" }
                }
            }
        }
    }
}

fn radius(answer: &Answer<'_>) -> Markup {
    let Some(radius) = &answer.radius else {
        return html! {};
    };
    let names = |names: &[String]| html! { @if names.is_empty() { "none" } @else { (names.len()) ": " (listed(names, 8)) } };
    html! {
        section {
            h2 { "What who holds " (clean(&answer.graph.title(radius.from))) " comes to hold" }
            @if radius.kinds.is_empty() { p { "Nothing else." } } @else {
                table.cards {
                    thead { tr { th scope="col" { "Kind" } th scope="col" { "Surely" } th scope="col" { "Perhaps" } } }
                    tbody {
                        @for kind in &radius.kinds {
                            tr { th scope="row" { (capital(kind.name)) } td { (names(&kind.sure)) } td { (names(&kind.possible)) } }
                        }
                    }
                }
            }
        }
    }
}

fn part(answer: &Answer<'_>, stories: &[Story], possible: bool) -> Markup {
    let own: Vec<(usize, &Story)> = stories
        .iter()
        .enumerate()
        .filter(|(_, story)| story.possible == possible)
        .collect();
    html! {
        @if !own.is_empty() {
            section {
                h2 { @if possible { "Possible ways" } @else { "Sure ways" } }
                p.quiet {
                    @if possible { "A step of each hangs on something that was not given, or on a weakness that would have to be found." }
                    @else { "They rest on what was given alone." }
                }
                (groups(answer, &own))
            }
        }
    }
}

/// The stories by what they lead to.
fn groups(answer: &Answer<'_>, stories: &[(usize, &Story)]) -> Markup {
    let by_jewel = stories.chunk_by(|(_, one), (_, two)| one.jewel == two.jewel);
    html! {
        @for group in by_jewel {
            h3.to { "To " (group.first().map_or("", |(_, story)| &story.jewel)) }
            @for (number, story) in group { (self::story(answer, number + 1, story)) }
        }
    }
}

/// The drawing and the stories, as a part of another page.
pub(crate) fn told(answer: &Answer<'_>) -> Markup {
    let stories = tell::all(answer);
    let numbered: Vec<(usize, &Story)> = stories.iter().enumerate().collect();
    html! {
        (drawing(answer, &stories))
        (groups(answer, &numbered))
    }
}

fn story(answer: &Answer<'_>, number: usize, story: &Story) -> Markup {
    html! {
        article class=(if story.possible { "story perhaps" } else { "story" }) id=(format!("way-{number}")) {
            h4 { (number) ". From " (story.start) }
            @if let Some(because) = &story.because { p.because { (capital(because)) "." } }
            @if let Some(doubt) = &story.doubt { p.doubt { b { "Perhaps: " } (doubt) } }
            ol { @for deed in &story.deeds { (self::deed(answer, deed)) } }
            @if !story.alike.is_empty() { p.quiet { "The same from " (listed(&story.alike, 12)) "." } }
            @if story.more { p.quiet { "There are more ways between these: " code { "--limit N" } "." } }
        }
    }
}

fn deed(answer: &Answer<'_>, deed: &Deed) -> Markup {
    let guide = answer.scene.guide;
    let cut = |measure: &Measure| {
        html! {
            span title=(::guide::measures::title(guide, *measure)) { code { (::guide::measures::id(guide, *measure)) } }
        }
    };
    let (first, rest) = deed
        .cuts
        .split_at_checked(MOST_CUTS)
        .unwrap_or((&deed.cuts, &[]));
    html! {
        li {
            span.reached { (capital(&deed.reaches)) }
            p.deed { (capital(&deed.title)) " " code.quiet { (deed.edge.id()) } @if !deed.also.is_empty() { ", with " (listed(&deed.also, 8)) } }
            ul.rests { @for (place, says) in &deed.evidence { li { (self::place(place.as_ref())) (says) } } }
            @for doubt in &deed.doubts { p.doubt { b { "Perhaps: " } (doubt) } }
            @if !first.is_empty() {
                p.cut { b { "Cut by " } @for (at, measure) in first.iter().enumerate() { @if at > 0 { ", " } (cut(measure)) } }
            }
            @if !rest.is_empty() {
                details {
                    summary { (count(rest.len(), "more measure")) }
                    p.cut { @for (at, measure) in rest.iter().enumerate() { @if at > 0 { ", " } (cut(measure)) } }
                }
            }
        }
    }
}

fn place(place: Option<&Place>) -> Markup {
    html! { @if let Some(place) = place { code { (clean(&place.to_string())) } " " } }
}

fn chokes(answer: &Answer<'_>) -> Markup {
    let guide = answer.scene.guide;
    html! {
        @if !answer.chokes.is_empty() {
            section {
                h2 { "What parts the most, each alone" }
                p.quiet { "There are " (count(answer.counts.0, "sure pair")) " of a start and what it reaches. " code { "seawall decide" } " finds the cheapest set that parts them all." }
                table.cards {
                    thead { tr { th.number scope="col" { "Pairs parted" } th.number scope="col" { "Steps cut" } th scope="col" { "Measure" } } }
                    tbody {
                        @for choke in answer.chokes.iter().take(20) {
                            tr {
                                td.number { (choke.parts) }
                                td.number { (choke.steps) }
                                td { (::guide::measures::title(guide, choke.measure)) " " code.quiet { (::guide::measures::id(guide, choke.measure)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn starts(answer: &Answer<'_>) -> Markup {
    html! {
        section {
            h2 { "Where attacks start" }
            table.cards {
                thead { tr { th scope="col" { "Kind" } th.number scope="col" { "Starts" } th.number scope="col" { "Surely reach a jewel" } th.number scope="col" { "Perhaps" } } }
                tbody {
                    @for (kind, (all, sure, perhaps)) in &answer.totals {
                        tr { th scope="row" { (capital(kind.id())) } td.number { (all) } td.number { (sure) } td.number { (perhaps) } }
                    }
                }
            }
        }
    }
}
