//! The ways that are shown as a drawing: entries left, jewels right, what is between in columns.
//!
//! Columns are the longest way from an entry (steps that lead back do not count); within a column, things stand
//! near what leads to them. Left out: moving and zooming; the drawing scrolls in its frame.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use super::picture::{Line, Picture, Role};

const WIDE: usize = 190;
const APART: usize = 130;
const LINE: usize = 17;
const PAD: usize = 9;
const BETWEEN: usize = 26;
/// Characters in a line of a box.
const LETTERS: usize = 25;
/// Passes that move things near what leads to them.
const PASSES: usize = 6;

struct Laid {
    x: usize,
    y: usize,
    high: usize,
    lines: Vec<String>,
}

/// The drawing, or nothing where there is nothing to draw.
pub(super) fn draw(picture: &Picture) -> Option<Markup> {
    if picture.lines.is_empty() {
        return None;
    }
    let columns = columns(picture);
    let laid = lay(picture, &columns);
    let wide = laid.iter().map(|one| one.x + WIDE).max().unwrap_or(0) + PAD;
    let high = laid.iter().map(|one| one.y + one.high).max().unwrap_or(0) + PAD;
    Some(html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(wide) height=(high) viewBox=(format!("0 0 {wide} {high}")) role="img" aria-label="The ways that are shown, from where attacks start on the left to what they reach on the right" {
            defs {
                marker #tip viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" { path d="M0 0L8 4L0 8z" {} }
            }
            @for line in &picture.lines { (self::line(line, &laid)) }
            @for (spot, own) in picture.spots.iter().zip(&laid) {
                g class=(class(spot.role)) {
                    title { (spot.title) }
                    rect x=(own.x) y=(own.y) width=(WIDE) height=(own.high) rx=(if spot.role == Role::Entry { own.high / 2 } else { 5 }) {}
                    @for (at, text) in own.lines.iter().enumerate() {
                        text x=(own.x + WIDE / 2) y=(own.y + PAD + LINE * at + 13) text-anchor="middle" { (text) }
                    }
                }
            }
        }
    })
}

const fn class(role: Role) -> &'static str {
    match role {
        Role::Between => "spot",
        Role::Entry => "spot entry",
        Role::Jewel => "spot jewel",
    }
}

/// A curve with its label in the middle.
fn line(line: &Line, laid: &[Laid]) -> Markup {
    let (Some(from), Some(to)) = (laid.get(line.from), laid.get(line.to)) else {
        return PreEscaped(String::new());
    };
    let forward = to.x > from.x;
    let (x1, y1) = (from.x + WIDE, from.y + from.high / 2);
    let (x2, y2) = if forward {
        (to.x.saturating_sub(2), to.y + to.high / 2)
    } else {
        (to.x + WIDE + 2, to.y + to.high / 2)
    };
    let bend = APART / 2;
    let c2 = if forward {
        x2.saturating_sub(bend)
    } else {
        x2 + bend
    };
    let path = format!("M{x1} {y1}C{} {y1} {c2} {y2} {x2} {y2}", x1 + bend);
    // A label stands beside the arrow's end, where lines from one thing have parted.
    let (lx, ly) = if forward {
        (x2.saturating_sub(APART / 2), (y1 + 3 * y2) / 4)
    } else {
        (x2.max(x1) + bend / 2, usize::midpoint(y1, y2))
    };
    let label = match line.labels.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, rest @ ..] => format!("{one} +{}", rest.len()),
    };
    html! {
        g class=(if line.sure { "way" } else { "way perhaps" }) {
            title { (line.labels.join(", ")) @if !line.sure { " (perhaps)" } }
            path d=(path) marker-end="url(#tip)" {}
            text x=(lx) y=(ly.saturating_sub(4)) text-anchor="middle" { (label) }
        }
    }
}

/// The column of each spot.
fn columns(picture: &Picture) -> Vec<usize> {
    let count = picture.spots.len();
    let mut columns = vec![0usize; count];
    let kept = without_cycles(picture);
    // The longest way: as many rounds as there are spots end it.
    for _ in 0..count {
        let mut moved = false;
        for line in &kept {
            let from = columns.get(line.0).copied().unwrap_or_default();
            if let Some(to) = columns.get_mut(line.1)
                && *to < from + 1
            {
                *to = from + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    columns
}

/// The lines that do not lead back to where a walk from the entries came from.
fn without_cycles(picture: &Picture) -> Vec<(usize, usize)> {
    let count = picture.spots.len();
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    for line in &picture.lines {
        if let Some(list) = out.get_mut(line.from) {
            list.push(line.to);
        }
    }
    let mut kept = Vec::new();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let entries = (0..count).filter(|at| {
        picture
            .spots
            .get(*at)
            .is_some_and(|spot| spot.role == Role::Entry)
    });
    let roots: Vec<usize> = entries.chain(0..count).collect();
    for root in roots {
        if done.contains(&root) {
            continue;
        }
        let mut on: BTreeSet<usize> = BTreeSet::from([root]);
        let mut open = vec![(root, 0usize)];
        while let Some((node, at)) = open.pop() {
            let Some(next) = out.get(node).and_then(|list| list.get(at)).copied() else {
                on.remove(&node);
                done.insert(node);
                continue;
            };
            open.push((node, at + 1));
            if on.contains(&next) {
                continue;
            }
            kept.push((node, next));
            if !done.contains(&next) {
                on.insert(next);
                open.push((next, 0));
            }
        }
    }
    kept
}

/// Where each spot stands.
fn lay(picture: &Picture, columns: &[usize]) -> Vec<Laid> {
    let mut laid: Vec<Laid> = picture
        .spots
        .iter()
        .zip(columns)
        .map(|(spot, column)| {
            let mut lines = report::wrap(&spot.title, LETTERS);
            if lines.len() > 4 {
                lines.truncate(4);
                if let Some(last) = lines.last_mut() {
                    last.push('…');
                }
            }
            Laid {
                x: PAD + column * (WIDE + APART),
                y: 0,
                high: lines.len() * LINE + 2 * PAD,
                lines,
            }
        })
        .collect();
    let most = columns.iter().copied().max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); most + 1];
    for (spot, column) in columns.iter().enumerate() {
        if let Some(list) = order.get_mut(*column) {
            list.push(spot);
        }
    }
    for pass in 0..PASSES {
        for list in &mut order {
            let place = |spot: &usize| middle(picture, &laid, *spot, pass % 2 == 0);
            let mut wanted: Vec<(usize, usize)> =
                list.iter().map(|spot| (place(spot), *spot)).collect();
            wanted.sort_by_key(|(y, _)| *y);
            let mut free = PAD + 4;
            for (y, spot) in &wanted {
                if let Some(own) = laid.get_mut(*spot) {
                    // In the last pass things keep level with what they belong to.
                    own.y = if pass == 0 { free } else { free.max(*y) };
                    free = own.y + own.high + BETWEEN;
                }
            }
            *list = wanted.into_iter().map(|(_, spot)| spot).collect();
        }
    }
    let top = laid.iter().map(|own| own.y).min().unwrap_or(0);
    for own in &mut laid {
        own.y = own.y - top + PAD + 6;
    }
    laid
}

/// The top that would set a spot level with its neighbours: those before it, or those after it.
fn middle(picture: &Picture, laid: &[Laid], spot: usize, before: bool) -> usize {
    let neighbours = picture.lines.iter().filter_map(|line| {
        let (own, other) = if before {
            (line.to, line.from)
        } else {
            (line.from, line.to)
        };
        (own == spot).then(|| laid.get(other)).flatten()
    });
    let centres: Vec<usize> = neighbours.map(|one| one.y + one.high / 2).collect();
    let Some(own) = laid.get(spot) else { return 0 };
    if centres.is_empty() {
        return own.y;
    }
    let centre = centres.iter().sum::<usize>() / centres.len();
    centre.saturating_sub(own.high / 2)
}
