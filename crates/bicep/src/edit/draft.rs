//! A text that is being edited: what it is now, and which edits of the first text that comes to.

use std::ops::Range;

use yaml::edit::Edit;

/// One replacement in the text as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

impl Splice {
    pub(super) fn applied(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + self.text.len());
        out.push_str(text.get(..self.start).unwrap_or_default());
        out.push_str(&self.text);
        out.push_str(text.get(self.end..).unwrap_or_default());
        out
    }

    /// Where a place is afterwards; nothing when it lies in what goes.
    pub(super) fn moved(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let shifted = |at: usize| at + self.text.len() - (self.end - self.start);
        let inserts = self.start == self.end;
        // Something that ends where a text is inserted does not grow.
        let reaches = if inserts {
            place.end > self.end
        } else {
            place.end >= self.end
        };
        let end = if reaches {
            shifted(place.end)
        } else if place.end <= self.start {
            place.end
        } else {
            return None;
        };
        let start = if place.start >= self.end && (place.start > self.start || inserts) {
            shifted(place.start)
        } else if place.start <= self.start {
            place.start
        } else {
            return None;
        };
        (start <= end).then_some(start..end)
    }
}

/// A piece of the text as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// as it was given
    Old(Range<usize>),
    New(String),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Old(range) => range.len(),
            Self::New(text) => text.len(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Draft<'t> {
    given: &'t str,
    text: String,
    pieces: Vec<Piece>,
    splices: Vec<Splice>,
}

impl<'t> Draft<'t> {
    pub(super) fn new(given: &'t str) -> Self {
        Self {
            given,
            text: given.to_owned(),
            pieces: vec![Piece::Old(0..given.len())],
            splices: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a place of the first text is now.
    pub(super) fn moved(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let mut splices = self.splices.iter();
        splices.try_fold(place.clone(), |place, splice| splice.moved(&place))
    }

    /// The line of the first text on which a place begins, from 1.
    pub(super) fn line_of(&self, place: &Range<usize>) -> usize {
        let before = self.given.as_bytes().get(..place.start);
        let breaks = before.unwrap_or_default().iter();
        breaks.filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn splice(&mut self, splice: Splice) {
        self.text = splice.applied(&self.text);
        let mut pieces = Vec::with_capacity(self.pieces.len() + 2);
        let mut new = Some(Piece::New(splice.text.clone()));
        let mut at = 0;
        for piece in std::mem::take(&mut self.pieces) {
            let end = at + piece.len();
            let before = splice.start.clamp(at, end) - at;
            let after = splice.end.clamp(at, end) - at;
            let (head, tail) = match piece {
                Piece::Old(range) => (
                    Piece::Old(range.start..range.start + before),
                    Piece::Old(range.start + after..range.end),
                ),
                Piece::New(text) => (
                    Piece::New(text.get(..before).unwrap_or_default().to_owned()),
                    Piece::New(text.get(after..).unwrap_or_default().to_owned()),
                ),
            };
            pieces.push(head);
            if end >= splice.start
                && let Some(new) = new.take()
            {
                pieces.push(new);
            }
            pieces.push(tail);
            at = end;
        }
        pieces.retain(|piece| piece.len() > 0);
        self.pieces = pieces;
        self.splices.push(splice);
    }

    /// What was done, as edits of the first text.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        let mut reached = 0;
        let mut waiting = String::new();
        let end = Piece::Old(self.given.len()..self.given.len());
        for piece in self.pieces.iter().chain([&end]) {
            match piece {
                Piece::New(text) => waiting.push_str(text),
                Piece::Old(range) => {
                    if !waiting.is_empty() || range.start > reached {
                        edits.push(Edit {
                            start: reached,
                            end: range.start,
                            text: std::mem::take(&mut waiting),
                        });
                    }
                    reached = range.end;
                }
            }
        }
        edits.retain(|edit| self.given.get(edit.start..edit.end) != Some(&edit.text));
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Splice};
    use yaml::edit::apply;

    fn splice(start: usize, end: usize, text: &str) -> Splice {
        Splice {
            start,
            end,
            text: text.to_owned(),
        }
    }

    #[test]
    fn edits_of_the_first_text_give_the_last() {
        let given = "abcdefgh";
        let mut draft = Draft::new(given);
        for next in [
            splice(2, 2, "XY"),
            splice(3, 6, "-"),
            splice(0, 1, ""),
            splice(7, 7, "!"),
            splice(1, 1, "12"),
        ] {
            draft.splice(next);
            assert_eq!(apply(given, &draft.edits()), draft.text());
        }
        assert_eq!(draft.text(), "b12X-efgh!");
    }

    #[test]
    fn places_move_with_the_text_and_do_not_grow() {
        let insert = splice(4, 4, "xx");
        assert_eq!(insert.moved(&(0..4)), Some(0..4));
        assert_eq!(insert.moved(&(0..5)), Some(0..7));
        assert_eq!(insert.moved(&(4..6)), Some(6..8));
        let replace = splice(2, 5, "x");
        assert_eq!(replace.moved(&(2..5)), Some(2..3));
        assert_eq!(replace.moved(&(3..4)), None);
        assert_eq!(replace.moved(&(5..6)), Some(3..4));
        assert_eq!(replace.moved(&(0..2)), Some(0..2));
        assert_eq!(replace.moved(&(0..9)), Some(0..7));
    }
}
