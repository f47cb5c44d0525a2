//! A text that is edited again and again: it remembers what of it stood there before, so that
//! places of an earlier state can be found, and all edits said at once in the end.

use std::ops::Range;
use std::sync::Arc;

use yaml::edit::Edit;

/// A part of the present text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// It stands in the first text.
    Old(Range<usize>),
    New(String),
}

/// Edits in the order in which they were made: what each replaced in the text that it found, and with how much.
pub(crate) type Moves = Vec<(Range<usize>, usize)>;

/// Where a place stands after edits.
pub(crate) fn moved(mut offset: usize, moves: &[(Range<usize>, usize)]) -> usize {
    for (range, new) in moves {
        if range.end <= offset {
            offset = offset - range.len() + new;
        } else if range.start < offset {
            offset = range.start;
        }
    }
    offset
}

/// A text with its edits.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    old: Arc<str>,
    pieces: Vec<Piece>,
    /// The present text.
    pub(crate) text: Arc<str>,
    log: Moves,
}

impl Pieces {
    pub(crate) fn new(old: Arc<str>) -> Self {
        Self {
            text: old.clone(),
            pieces: vec![Piece::Old(0..old.len())],
            log: Vec::new(),
            old,
        }
    }

    /// How many edits were made, for [`Self::now`].
    pub(crate) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Where a place of the text as it was at a mark stands now.
    pub(crate) fn now(&self, offset: usize, mark: usize) -> usize {
        moved(offset, self.log.get(mark..).unwrap_or_default())
    }

    /// The edits so far.
    pub(crate) fn moves(&self) -> Moves {
        self.log.clone()
    }

    /// Replaces a range of the present text.
    pub(crate) fn replace(&mut self, range: Range<usize>, new: &str) {
        let Some(old) = self.text.get(range.clone()) else {
            return;
        };
        if old == new {
            return;
        }
        let mut made = Vec::with_capacity(self.pieces.len() + 2);
        let (mut at, mut placed) = (0, false);
        let mut place = |made: &mut Vec<Piece>| {
            if !placed {
                placed = true;
                made.push(Piece::New(new.to_owned()));
            }
        };
        for piece in std::mem::take(&mut self.pieces) {
            let length = match &piece {
                Piece::Old(range) => range.len(),
                Piece::New(text) => text.len(),
            };
            let (start, end) = (at, at + length);
            at = end;
            if end <= range.start && !(end == range.start && range.is_empty() && length == 0) {
                made.push(piece);
                continue;
            }
            let before = range.start.saturating_sub(start);
            if before > 0 {
                made.push(piece.part(0..before));
            }
            place(&mut made);
            let from = range.end.saturating_sub(start).max(before);
            if from < length {
                made.push(piece.part(from..length));
            }
        }
        place(&mut made);
        self.pieces = made;
        self.log.push((range.clone(), new.len()));
        let mut text = self.text.to_string();
        text.replace_range(range, new);
        self.text = text.into();
    }

    /// What leads from the first text to this one.
    pub(crate) fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let (mut at, mut new) = (0, String::new());
        let mut close = |at: usize, until: usize, new: &mut String| {
            let old = self.old.get(at..until).unwrap_or_default();
            if old != new.as_str() {
                edits.push(trimmed(old, at, new));
            }
            new.clear();
        };
        for piece in &self.pieces {
            match piece {
                Piece::New(text) => new.push_str(text),
                Piece::Old(range) if range.is_empty() => {}
                Piece::Old(range) => {
                    close(at, range.start, &mut new);
                    at = range.end;
                }
            }
        }
        close(at, self.old.len(), &mut new);
        edits
    }
}

impl Piece {
    fn part(&self, part: Range<usize>) -> Self {
        match self {
            Self::Old(range) => Self::Old(range.start + part.start..range.start + part.end),
            Self::New(text) => Self::New(text.get(part).unwrap_or_default().to_owned()),
        }
    }
}

/// An edit without what stays the same at both of its ends.
fn trimmed(old: &str, at: usize, new: &str) -> Edit {
    let same = |(one, other): &(char, char)| one == other;
    let head: usize = old
        .chars()
        .zip(new.chars())
        .take_while(same)
        .map(|(one, _)| one.len_utf8())
        .sum();
    let (rest, fresh) = (
        old.get(head..).unwrap_or_default(),
        new.get(head..).unwrap_or_default(),
    );
    let tail: usize = rest
        .chars()
        .rev()
        .zip(fresh.chars().rev())
        .take_while(same)
        .map(|(one, _)| one.len_utf8())
        .sum();
    Edit {
        start: at + head,
        end: at + old.len() - tail,
        text: fresh
            .get(..fresh.len() - tail)
            .unwrap_or_default()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;
    use yaml::edit::apply;

    #[test]
    fn edits_lead_from_the_first_text_to_the_last() {
        let mut pieces = Pieces::new("one two three".into());
        pieces.replace(4..7, "2");
        assert_eq!(&*pieces.text, "one 2 three");
        let mark = pieces.mark();
        pieces.replace(0..0, "zero ");
        pieces.replace(9..10, "TWO and");
        pieces.replace(8..8, "!");
        assert_eq!(&*pieces.text, "zero one! TWO and three");
        assert_eq!(pieces.now(6, mark), 18, "`three` stood at 6");
        assert_eq!(apply("one two three", &pieces.edits()), *pieces.text);
        pieces.replace(0..pieces.text.len(), "one two three");
        assert!(pieces.edits().is_empty());
    }
}
