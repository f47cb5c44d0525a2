//! One source line with a mark under what decided, cut to the width around the mark.

use anstyle::Style;
use model::finding::Location;

use super::page::Page;
use crate::text::{char_width, clean, hostile, width, wrap};

/// A line cut to the width, and where the mark goes.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    text: String,
    before: usize,
    mark: usize,
}

/// Writes the line and what is said about it.
pub(super) fn write(
    page: &mut Page,
    gutter: usize,
    place: &Location,
    mark: char,
    style: Style,
    message: &str,
    value: Option<&str>,
) {
    if place.source.trim().is_empty() {
        if !place.route.is_empty() && (place.live || place.column <= 1) {
            page.gutter(gutter, &at_route(page, gutter, place, value));
        }
        if !message.is_empty() {
            for line in wrap(message, page.width().saturating_sub(gutter + 3)) {
                let line = page.paint(style, &line);
                page.gutter(gutter, &line);
            }
        }
        return;
    }
    let room = page.width().saturating_sub(gutter + 3);
    let cut = cut(place, room);
    page.gutter(gutter, "");
    page.numbered_source(gutter, place.line, &cut.text);
    let marks: String = std::iter::repeat_n(mark, cut.mark).collect();
    let beside = cut.before + cut.mark + 1 + width(message) <= room;
    let said = if beside && !message.is_empty() {
        format!("{marks} {message}")
    } else {
        marks
    };
    let said = page.paint(style, &said);
    page.gutter(gutter, &format!("{:1$}{said}", "", cut.before));
    if !beside {
        // One line if it can be, as far to the right as the mark; names of images are long words:
        // rather begin further left than break one.
        let longest = message.split(' ').map(width).max().unwrap_or_default();
        let indent = match room.checked_sub(width(message)) {
            Some(left) => cut.before.min(left),
            None => cut.before.min(room / 3).min(room.saturating_sub(longest)),
        };
        for line in wrap(message, room - indent) {
            let line = page.paint(style, &line);
            page.gutter(gutter, &format!("{:indent$}{line}", ""));
        }
    }
}

/// `spec.hostNetwork: true`, cut to one line: what there is instead of a source line.
fn at_route(page: &Page, gutter: usize, place: &Location, value: Option<&str>) -> String {
    let room = page.width().saturating_sub(gutter + 3);
    let mut text = clean(&place.route).into_owned();
    if let Some(value) = value {
        text.push_str(": ");
        text.push_str(&clean(value));
    }
    if width(&text) <= room {
        return text;
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += char_width(c);
        if used + 1 > room {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// A character as it is shown, and its columns.
fn cell(c: char) -> (String, usize) {
    match c {
        '\t' => ("    ".to_owned(), 4),
        c if hostile(c) => {
            let text: String = c.escape_unicode().collect();
            let columns = text.len();
            (text, columns)
        }
        c => (c.to_string(), char_width(c)),
    }
}

fn cut(place: &Location, room: usize) -> Cut {
    let cells: Vec<(String, usize)> = place.source.trim_end().chars().map(cell).collect();
    // Columns before each character, and the columns of the whole line at the end.
    let mut columns = vec![0];
    let mut total = 0;
    for (_, wide) in &cells {
        total += wide;
        columns.push(total);
    }
    let at = |index: usize| columns.get(index).copied().unwrap_or(total);
    let start = (place.column.saturating_sub(1) as usize).min(cells.len());
    let end = if place.end_line > place.line {
        cells.len()
    } else {
        place.end_column.saturating_sub(1) as usize
    };
    let end = end.clamp(start, cells.len());

    let mut left = 0;
    if total > room && at(end) + 1 > room {
        // The mark does not fit into the beginning of the line: cut on the left, keep some of what stands before it.
        while at(start) - at(left) > room / 4 {
            left += 1;
        }
    }
    let lead = usize::from(left > 0);
    let mut right = cells.len();
    while at(right) - at(left) + lead + usize::from(right < cells.len()) > room && right > left {
        right -= 1;
    }
    let mut text = String::new();
    if left > 0 {
        text.push('…');
    }
    for (shown, _) in cells.iter().take(right).skip(left) {
        text.push_str(shown);
    }
    if right < cells.len() {
        text.push('…');
    }
    let before = at(start.min(right)) - at(left) + lead;
    let mark = (at(end.min(right)) - at(start.min(right))).max(1);
    Cut { text, before, mark }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    fn at(source: &str, column: u32, end_column: u32) -> Location {
        Location {
            source: source.into(),
            column,
            end_column,
            ..finding().place
        }
    }

    #[test]
    fn marks_what_decided() {
        assert_eq!(
            cut(&at("  a: true", 6, 10), 40),
            Cut {
                text: "  a: true".into(),
                before: 5,
                mark: 4
            }
        );
        assert_eq!(
            cut(&at("\t漢: x", 4, 5), 40),
            Cut {
                text: "    漢: x".into(),
                before: 7,
                mark: 1
            }
        );
    }

    #[test]
    fn cuts_long_lines_around_the_mark() {
        let line = format!("{}: target # {}", "k".repeat(100), "c".repeat(100));
        let cut = cut(&at(&line, 103, 109), 40);
        assert_eq!(
            cut,
            Cut {
                text: "…kkkkkkkk: target # ccccccccccccccccccc…".into(),
                before: 11,
                mark: 6
            }
        );
        assert_eq!(width(&cut.text), 40);
    }

    #[test]
    fn a_place_outside_the_line_still_gets_a_mark() {
        assert_eq!(
            cut(&at("ab", 90, 95), 40),
            Cut {
                text: "ab".into(),
                before: 2,
                mark: 1
            }
        );
    }
}
