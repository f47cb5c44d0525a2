//! A few ends and what passes between them, as lines from those on the left to those on the right.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use report::clean;

use super::super::super::network::{Folded, Network, Passes, Passing, Spot};
use super::of;

/// Ends on a side, up to which it is drawn.
const ENDS: usize = 16;
/// Lines, up to which it is drawn: more are a thicket.
const LINES: usize = 140;

const WIDTH: usize = 960;
const BOX: usize = 300;
const ROW: usize = 38;
const TOP: usize = 34;

/// Nothing where it would show nothing.
pub(super) fn picture(network: &Network<'_>, folded: &Folded) -> Markup {
    let found = &folded.passing;
    let sides = |pick: fn(&Passing) -> Spot| -> BTreeMap<Spot, usize> {
        let spots: BTreeSet<Spot> = found.iter().map(pick).collect();
        // Pods by namespace and name, then what is outside.
        spots
            .into_iter()
            .enumerate()
            .map(|(at, spot)| (spot, at))
            .collect()
    };
    let (left, right) = (sides(|one| one.from), sides(|one| one.to));
    if left.len() > ENDS || right.len() > ENDS || found.len() > LINES {
        return html! {};
    }
    let rows = left.len().max(right.len());
    let height = TOP + rows * ROW + 6;
    let middle = |at: usize| TOP + at * ROW + ROW / 2;
    let line = |one: &Passing| -> Option<String> {
        let (from, to) = (middle(*left.get(&one.from)?), middle(*right.get(&one.to)?));
        let (begin, end) = (BOX + 6, WIDTH - BOX - 16);
        Some(format!(
            "M{begin} {from}C{} {from} {} {to} {end} {to}",
            begin + 140,
            end - 140
        ))
    };
    html! {
        figure.map aria-hidden="true" {
            div.scroll {
                svg.ends viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height) focusable="false" {
                    defs { marker #arrow viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse" { path.tip d="M0 0L10 5L0 10z" {} } }
                    text.side x="8" y="18" { "from" }
                    text.side x=(WIDTH - 8) y="18" text-anchor="end" { "to" }
                    @for one in found {
                        @if let Some(path) = line(one) {
                            a href=(of(network, one)) tabindex="-1" {
                                path class=(class(one)) d=(path) marker-end="url(#arrow)" { title { (clean(&folded.title(network, one.from))) " → " (clean(&folded.title(network, one.to))) ": " (one.ports) } }
                            }
                        }
                    }
                    @for (spot, at) in &left { (node(&folded.title(network, *spot), *spot, 4, TOP + at * ROW)) }
                    @for (spot, at) in &right { (node(&folded.title(network, *spot), *spot, WIDTH - BOX - 4, TOP + at * ROW)) }
                }
            }
            figcaption {
                span.key { svg width="34" height="10" focusable="false" { path.way.yes d="M1 5H33" {} } " passes" }
                span.key { svg width="34" height="10" focusable="false" { path.way.perhaps d="M1 5H33" {} } " perhaps" }
                span.key { svg width="34" height="10" focusable="false" { path.way.outer d="M1 5H33" {} } " from or to outside" }
                span { "A line leads to why." }
            }
        }
    }
}

fn class(one: &Passing) -> String {
    let outer = [one.from, one.to]
        .iter()
        .any(|spot| matches!(spot, Spot::Outside(_)));
    let mut class = format!("way {}", one.passes.word());
    if outer && one.passes == Passes::Yes {
        class.push_str(" outer");
    }
    class
}

/// Letters of a name that fit into a box.
const LETTERS: usize = 36;

fn node(title: &str, spot: Spot, x: usize, y: usize) -> Markup {
    let title = clean(title);
    let mut shown: String = title.chars().take(LETTERS).collect();
    if shown.len() < title.len() {
        shown.push('…');
    }
    let outside = matches!(spot, Spot::Outside(_));
    html! {
        g.end.outside[outside] {
            title { (title) }
            rect x=(x) y=(y + 4) width=(BOX) height=(ROW - 8) rx="6" {}
            text x=(x + 12) y=(y + ROW / 2 + 5) { (shown) }
        }
    }
}
