//! What a fix changes, shown as a difference: made on an example by what `seawall fix` makes it with.

use guide::examples;
use guide::{Guide, Guideline};
use maud::{Markup, html};

use crate::explain::marked;

/// Lines shown around what differs.
const AROUND: usize = 3;
/// Longer texts are no example of a change.
const MOST_LINES: usize = 400;

/// A text before a fix and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// `YAML`, `Bicep`, …
    pub language: &'static str,
    /// Before; nothing where a new file is made.
    pub before: String,
    /// After.
    pub after: String,
}

/// The fix of a guideline on the first of its bad examples that it cures, in the language of that.
pub(super) fn of(guide: &Guide, guideline: &Guideline) -> Vec<Fixed> {
    let changed = |example| {
        let tried = examples::fixed(guide, guideline, example).ok()?;
        let after = tried
            .after
            .filter(|_| tried.cured > 0 && tried.stays.is_empty())?;
        let texts = after.files.iter().enumerate().filter_map(|(at, file)| {
            let before = example.files.get(at);
            let before = before.map_or_else(String::new, |file| unmarked(&file.text));
            let after = unmarked(&file.text);
            (before != after).then(|| Fixed {
                language: if &*file.language == "json" {
                    "ARM JSON"
                } else {
                    "YAML"
                },
                before,
                after,
            })
        });
        let texts: Vec<Fixed> = texts.collect();
        (!texts.is_empty()).then_some(texts)
    };
    // One of each language that the examples have.
    let mut shown: Vec<Fixed> = Vec::new();
    for example in &guideline.examples {
        let language = example.files.first().map(|file| &*file.language);
        let known = |one: &Fixed| (one.language == "ARM JSON") == (language == Some("json"));
        if shown.iter().any(known) {
            continue;
        }
        shown.extend(changed(example).into_iter().flatten());
    }
    shown
}

/// A text without the comments that say what is found in it.
fn unmarked(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| marked(line).0.trim_end()).collect();
    lines.join("\n")
}

/// The difference as a figure.
pub(super) fn figure(fixed: &Fixed) -> Markup {
    let before: Vec<&str> = fixed.before.lines().collect();
    let after: Vec<&str> = fixed.after.lines().collect();
    let lines = if before.len().max(after.len()) > MOST_LINES {
        after.iter().map(|line| Line::Kept(line)).collect()
    } else {
        lines(&before, &after)
    };
    let near = near(&lines);
    html! {
        figure.source.change {
            figcaption { strong { (fixed.language) } @if before.is_empty() { ", a new file" } }
            pre tabindex="0" aria-label={ "The change in " (fixed.language) } {
                code {
                    @for (at, line) in lines.iter().enumerate() {
                        @if near.get(at) == Some(&true) { (line.shown()) }
                        @else if at == 0 || near.get(at - 1) == Some(&true) { span.gap { "…" } }
                    }
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Kept(&'t str),
    Gone(&'t str),
    New(&'t str),
}

impl Line<'_> {
    fn shown(self) -> Markup {
        html! {
            @match self {
                Self::Kept(text) => span { "  " (text) },
                Self::Gone(text) => del { "- " (text) },
                Self::New(text) => ins { "+ " (text) },
            }
        }
    }
}

/// Which lines are changed, or stand near such.
fn near(lines: &[Line<'_>]) -> Vec<bool> {
    let changed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Kept(_)))
        .map(|(at, _)| at)
        .collect();
    (0..lines.len())
        .map(|at| changed.iter().any(|changed| changed.abs_diff(at) <= AROUND))
        .collect()
}

/// The lines of both, by the longest sequence that they have in common.
fn lines<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Line<'t>> {
    let width = after.len() + 1;
    // For each two ends of the texts how many lines they have in common.
    let mut common = vec![0usize; (before.len() + 1) * width];
    let at = |common: &[usize], row: usize, column: usize| {
        common
            .get(row * width + column)
            .copied()
            .unwrap_or_default()
    };
    for (row, old) in before.iter().enumerate().rev() {
        for (column, new) in after.iter().enumerate().rev() {
            let length = if old == new {
                at(&common, row + 1, column + 1) + 1
            } else {
                at(&common, row + 1, column).max(at(&common, row, column + 1))
            };
            if let Some(cell) = common.get_mut(row * width + column) {
                *cell = length;
            }
        }
    }
    let mut lines = Vec::new();
    let (mut row, mut column) = (0, 0);
    loop {
        match (before.get(row), after.get(column)) {
            (Some(old), Some(new)) if old == new => {
                lines.push(Line::Kept(old));
                row += 1;
                column += 1;
            }
            (Some(old), new)
                if new.is_none()
                    || at(&common, row + 1, column) >= at(&common, row, column + 1) =>
            {
                lines.push(Line::Gone(old));
                row += 1;
            }
            (_, Some(new)) => {
                lines.push(Line::New(new));
                column += 1;
            }
            (_, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told_from_what_goes_and_comes() {
        let told = lines(&["a", "b", "c", "d"], &["a", "x", "c", "d", "e"]);
        assert_eq!(
            told,
            [
                Line::Kept("a"),
                Line::Gone("b"),
                Line::New("x"),
                Line::Kept("c"),
                Line::Kept("d"),
                Line::New("e")
            ]
        );
        assert_eq!(near(&told), [true; 6]);
        assert_eq!(lines(&[], &["a"]), [Line::New("a")]);
        assert_eq!(lines(&["a"], &[]), [Line::Gone("a")]);
    }
}
