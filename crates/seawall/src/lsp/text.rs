//! Places in a text as editors count them: lines from 0 that end in `\n`, `\r\n` or `\r`, and in a line units of
//! UTF-16, or bytes where both sides agree on UTF-8.

use lsp_types::{Position, Range};

/// What a position in a line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// How much a piece of a line counts.
    fn units(self, piece: &str) -> u32 {
        let units = match self {
            Self::Utf8 => piece.len(),
            Self::Utf16 => piece.chars().map(char::len_utf16).sum(),
        };
        units as u32
    }

    /// The first place in a line that so many units stand before; its end where it is shorter.
    fn within(self, line: &str, units: u32) -> usize {
        let mut left = units as usize;
        for (at, c) in line.char_indices() {
            let width = match self {
                Self::Utf8 => c.len_utf8(),
                Self::Utf16 => c.len_utf16(),
            };
            // Half of a character is none.
            if left < width {
                return at;
            }
            left -= width;
        }
        line.len()
    }
}

/// A text with the places at which its lines begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes);
        let ends = ends.filter(|at| bytes.get(*at..at + 2) != Some(b"\r\n"));
        let starts = std::iter::once(0).chain(ends.map(|at| at + 1)).collect();
        Self {
            text,
            starts,
            encoding,
        }
    }

    /// A line from 0, without what ends it.
    fn line(&self, number: usize) -> &'t str {
        let start = self.start(number);
        let end = self.starts.get(number + 1).copied();
        let end = end.unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        line.trim_end_matches(['\r', '\n'])
    }

    /// Where a line begins; the end of the text where there are fewer.
    fn start(&self, number: usize) -> usize {
        self.starts.get(number).copied().unwrap_or(self.text.len())
    }

    /// The place of a byte.
    pub(super) fn position(&self, offset: usize) -> Position {
        let number = self.starts.partition_point(|start| *start <= offset);
        let number = number.saturating_sub(1);
        let before = self.text.get(self.start(number)..offset);
        Position {
            line: number as u32,
            character: self.encoding.units(before.unwrap_or_default()),
        }
    }

    /// The byte of a place.
    pub(super) fn offset(&self, position: Position) -> usize {
        let number = position.line as usize;
        let line = self.line(number);
        self.start(number) + self.encoding.within(line, position.character)
    }

    /// A place of a finding: line and column from 1, in characters.
    pub(super) fn place(&self, line: u32, column: u32) -> Position {
        let number = line.saturating_sub(1) as usize;
        if number >= self.starts.len() {
            return self.position(self.text.len());
        }
        let text = self.line(number);
        let characters = column.saturating_sub(1) as usize;
        let end = text.char_indices().nth(characters);
        let end = end.map_or(text.len(), |(at, _)| at);
        Position {
            line: number as u32,
            character: self.encoding.units(text.get(..end).unwrap_or_default()),
        }
    }

    /// All of a line from 1 but the white space around it.
    pub(super) fn whole(&self, line: u32) -> Range {
        let number = line.saturating_sub(1) as usize;
        let text = self.line(number);
        let start = text.len() - text.trim_start().len();
        let end = text.trim_end().len().max(start);
        let at = |end: usize| Position {
            line: line.saturating_sub(1),
            character: self.encoding.units(text.get(..end).unwrap_or_default()),
        };
        Range {
            start: at(start),
            end: at(end),
        }
    }
}

/// Replaces a part of a text.
pub(super) fn change(text: &mut String, range: Range, new: &str, encoding: Encoding) {
    let lines = Lines::of(text, encoding);
    let (start, end) = (lines.offset(range.start), lines.offset(range.end));
    text.replace_range(start.min(end)..start.max(end), new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn places_count_what_the_editor_counts() {
        let text = "a: 𝒳é\r\nb: c\rd\n";
        let wide = Lines::of(text, Encoding::Utf16);
        assert_eq!(wide.position(text.find('é').unwrap()), at(0, 5));
        assert_eq!(wide.position(text.find('b').unwrap()), at(1, 0));
        assert_eq!(wide.position(text.find('d').unwrap()), at(2, 0));
        assert_eq!(wide.position(text.len()), at(3, 0));
        assert_eq!(wide.place(1, 5), at(0, 5));
        let bytes = Lines::of(text, Encoding::Utf8);
        assert_eq!(bytes.position(text.find('é').unwrap()), at(0, 7));
        assert_eq!(bytes.place(1, 5), at(0, 7));
        for (offset, _) in text.char_indices() {
            // Between `\r` and `\n` there is no place.
            let (before, after) = text.split_at(offset);
            if !before.ends_with('\r') || !after.starts_with('\n') {
                for lines in [&wide, &bytes] {
                    assert_eq!(lines.offset(lines.position(offset)), offset);
                }
            }
        }
    }

    #[test]
    fn places_beyond_the_text_are_its_ends() {
        let lines = Lines::of("ab\ncd", Encoding::Utf16);
        assert_eq!(lines.offset(at(0, 9)), 2);
        assert_eq!(lines.offset(at(7, 0)), 5);
        assert_eq!(lines.place(9, 1), at(1, 2));
        assert_eq!(lines.place(2, 9), at(1, 2));
        let half = Lines::of("𝒳", Encoding::Utf16);
        assert_eq!(half.offset(at(0, 1)), 0);
    }

    #[test]
    fn changes_replace_what_lies_between() {
        let mut text = "a: 𝒳é\nb: c\n".to_owned();
        let range = Range {
            start: at(0, 5),
            end: at(1, 1),
        };
        change(&mut text, range, "!\nB", Encoding::Utf16);
        assert_eq!(text, "a: 𝒳!\nB: c\n");
        let end = Range {
            start: at(9, 0),
            end: at(9, 9),
        };
        change(&mut text, end, "d", Encoding::Utf16);
        assert_eq!(text, "a: 𝒳!\nB: c\nd");
    }
}
