//! Many workloads, by namespace: who reaches whom as a matrix, and a line of a table for each namespace.

use std::collections::BTreeMap;

use maud::{Markup, html};
use report::{clean, count};

use super::super::super::network::{Network, Outside, Passes, to_outside};
use super::super::super::request::address;
use super::super::{Frame, Part};

/// Namespaces on a page: so many columns can be told apart.
const NAMESPACES: usize = 40;

/// What is known between namespaces.
struct Between<'f> {
    /// In the order of their names, each with how many workloads.
    names: Vec<(&'f str, usize)>,
    /// A row for each, a column for each.
    cells: Vec<Vec<Passes>>,
    /// From the internet, and to each place outside.
    into: Vec<Passes>,
    out: Vec<[Passes; 3]>,
}

fn between<'f>(network: &Network<'f>) -> Between<'f> {
    let mut names: BTreeMap<&'f str, usize> = BTreeMap::new();
    for group in &network.groups {
        *names.entry(group.namespace).or_default() += group.members.len();
    }
    let names: Vec<(&str, usize)> = names.into_iter().collect();
    let place = |name: &str| names.iter().position(|(own, _)| *own == name);
    let places: Vec<usize> = network
        .groups
        .iter()
        .map(|group| place(group.namespace).unwrap_or_default())
        .collect();
    let size = names.len();
    let mut cells = vec![vec![Passes::No; size]; size];
    let mut into = vec![Passes::No; size];
    let mut out = vec![[Passes::No; 3]; size];
    let mut rows = network.rows();
    for (at, own) in places.iter().enumerate() {
        let row = rows.from(at);
        if let Some(line) = cells.get_mut(*own) {
            for (other, to) in places.iter().enumerate() {
                if at == other {
                    continue;
                }
                let id = rows.to(&row, other);
                let passes = rows.passes(id);
                if let Some(cell) = line.get_mut(*to) {
                    *cell = (*cell).max(passes);
                }
            }
        }
        let led = super::surely(network.entrances(at).iter());
        if let Some(cell) = into.get_mut(*own) {
            *cell = (*cell).max(led);
        }
        if let (Some(cells), Some(facts)) = (out.get_mut(*own), network.facts(at)) {
            for (cell, outside) in cells.iter_mut().zip(Outside::ALL) {
                *cell = (*cell).max(to_outside(facts, outside).0);
            }
        }
    }
    Between {
        names,
        cells,
        into,
        out,
    }
}

pub(super) fn section(frame: &Frame<'_>, network: &Network<'_>) -> Markup {
    let known = between(network);
    let part = Part::of_size(known.names.len(), frame.asked, NAMESPACES);
    let shown: Vec<usize> = (0..known.names.len())
        .skip(part.first())
        .take(NAMESPACES)
        .collect();
    html! {
        p.found role="status" {
            (count(network.groups.iter().map(|group| group.members.len()).sum(), "workload")) " in " (count(known.names.len(), "namespace"))
            @if part.pages > 1 { "; page " (part.number) " of " (part.pages) }
            ". Something passes where one workload can reach one of the others."
        }
        (picture(&known, &shown))
        table.cards.labelled.spaces {
            caption { "Namespaces, and what passes" }
            thead { tr {
                th scope="col" { "Namespace" }
                th scope="col" { "Reached from" }
                th scope="col" { "Reaches" }
                th scope="col" { "From the internet" }
                @for outside in Outside::ALL { th scope="col" { "To " (outside.title()) } }
            } }
            tbody { @for at in &shown { (line(&known, *at)) } }
        }
        (part.turner("/map", &[], "namespace"))
    }
}

fn line(known: &Between<'_>, at: usize) -> Markup {
    let Some((name, workloads)) = known.names.get(at) else {
        return html! {};
    };
    let own = format!("{name}/");
    let others = |passes: &dyn Fn(usize) -> Passes| {
        (0..known.names.len())
            .filter(|other| *other != at && passes(*other) != Passes::No)
            .count()
    };
    let cell = |from: usize, to: usize| {
        let row = known.cells.get(from).and_then(|row| row.get(to));
        row.copied().unwrap_or(Passes::No)
    };
    let into = others(&|other| cell(other, at));
    let out = others(&|other| cell(at, other));
    let rest = known.names.len() - 1;
    let word = |number: usize| match number {
        0 => "no other namespace".to_owned(),
        number if number == rest => format!("all {rest} others"),
        number => format!("{number} of {rest} others"),
    };
    html! {
        tr {
            th scope="row" { a href=(address("/map", &[("namespace", name)])) { (clean(name)) } span.item { (count(*workloads, "workload")) } }
            td data-label="Reached from" { a href=(address("/map", &[("to", &own)])) { (word(into)) span.unseen { " reach " (clean(name)) } } }
            td data-label="Reaches" { a href=(address("/map", &[("from", &own)])) { (word(out)) span.unseen { " reached from " (clean(name)) } } }
            td data-label="From the internet" { (mark(known.into.get(at).copied(), &[("from", "internet"), ("to", &own)], &format!("from the internet to {name}"))) }
            @for (place, outside) in Outside::ALL.iter().enumerate() {
                td data-label=(format!("To {}", outside.title())) { (mark(known.out.get(at).and_then(|out| out.get(place)).copied(), &[("from", &own), ("to", outside.id())], &format!("from {name} to {}", outside.title()))) }
            }
        }
    }
}

fn mark(passes: Option<Passes>, fields: &[(&str, &str)], what: &str) -> Markup {
    let passes = passes.unwrap_or(Passes::No);
    html! {
        @if passes == Passes::No { span.quiet { "no" } } @else {
            a href=(address("/map", fields)) { (passes.word()) span.unseen { " " (clean(what)) } }
        }
    }
}

const CELL: usize = 20;
const LEFT: usize = 210;
const TOP: usize = 190;

/// The matrix: sources are lines, targets columns; what is outside comes last.
fn picture(known: &Between<'_>, shown: &[usize]) -> Markup {
    let columns = shown.len() + Outside::ALL.len();
    let (width, height) = (
        LEFT + columns * CELL + CELL + 90,
        TOP + (shown.len() + 1) * CELL + CELL,
    );
    let name = |at: usize| -> String {
        let full = known.names.get(at).map_or("", |(name, _)| name);
        let mut short: String = clean(full).chars().take(26).collect();
        if short.len() < full.len() {
            short.push('…');
        }
        short
    };
    let x = |column: usize| LEFT + column * CELL + if column >= shown.len() { 8 } else { 0 };
    let y = |row: usize| TOP + row * CELL + if row >= shown.len() { 8 } else { 0 };
    let spot = |passes: Passes,
                row: usize,
                column: usize,
                fields: &[(&str, &str)],
                what: String| {
        html! {
            @if passes != Passes::No {
                a href=(address("/map", fields)) tabindex="-1" {
                    rect class=(format!("cell {}", passes.word())) x=(x(column) + 1) y=(y(row) + 1) width=(CELL - 2) height=(CELL - 2) rx="3" { title { (what) ": " (passes.word()) } }
                }
            } @else {
                rect.cell.no x=(x(column) + 1) y=(y(row) + 1) width=(CELL - 2) height=(CELL - 2) rx="3" {}
            }
        }
    };
    let title = |at: usize, y: usize| html! { text x=(LEFT - 10) y=(y + 15) text-anchor="end" { (name(at)) } };
    let above = |text: &str, x: usize| {
        let (x, y) = (x + 14, TOP - 8);
        html! { text x=(x) y=(y) transform=(format!("rotate(-60 {x} {y})")) { (text) } }
    };
    html! {
        figure.map aria-hidden="true" {
            div.scroll {
                svg.matrix viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) focusable="false" {
                    text.side x=(LEFT - 10) y=(TOP - 10) text-anchor="end" { "from ↓ to →" }
                    @for (row, at) in shown.iter().enumerate() {
                        (title(*at, y(row)))
                        (above(&name(*at), x(row)))
                        @for (column, other) in shown.iter().enumerate() {
                            @let passes = known.cells.get(*at).and_then(|row| row.get(*other)).copied().unwrap_or(Passes::No);
                            @let (from, to) = (full(known, *at), full(known, *other));
                            (spot(passes, row, column, &[("from", &from), ("to", &to)], format!("{from} → {to}")))
                        }
                        @for (place, outside) in Outside::ALL.iter().enumerate() {
                            @let passes = known.out.get(*at).and_then(|out| out.get(place)).copied().unwrap_or(Passes::No);
                            @let from = full(known, *at);
                            (spot(passes, row, shown.len() + place, &[("from", &from), ("to", outside.id())], format!("{from} → {}", outside.title())))
                        }
                    }
                    @for (place, outside) in Outside::ALL.iter().enumerate() { (above(outside.title(), x(shown.len() + place))) }
                    text x=(LEFT - 10) y=(y(shown.len()) + 15) text-anchor="end" { "the internet" }
                    @for (column, other) in shown.iter().enumerate() {
                        @let to = full(known, *other);
                        (spot(known.into.get(*other).copied().unwrap_or(Passes::No), shown.len(), column, &[("from", "internet"), ("to", &to)], format!("the internet → {to}")))
                    }
                }
            }
            figcaption {
                span.key { svg width="18" height="18" focusable="false" { rect.cell.yes x="1" y="1" width="16" height="16" rx="3" {} } " passes" }
                span.key { svg width="18" height="18" focusable="false" { rect.cell.perhaps x="1" y="1" width="16" height="16" rx="3" {} } " perhaps" }
                span.key { svg width="18" height="18" focusable="false" { rect.cell.no x="1" y="1" width="16" height="16" rx="3" {} } " nothing" }
                span { "A square leads to the workloads." }
            }
        }
    }
}

/// As addresses name a namespace.
fn full(known: &Between<'_>, at: usize) -> String {
    let name = known.names.get(at).map_or("", |(name, _)| name);
    format!("{name}/")
}
