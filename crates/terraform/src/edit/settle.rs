//! An edit with the white space that it asks for around it: where equals signs stood below each
//! other they still do. Lines that nobody had formatted are left as they are.

use std::ops::Range;

use yaml::edit::Edit;

use super::lines::{self, Gap, Line};
use super::pieces::Pieces;

/// Where the mark of a line stands.
type Mark = fn(&Line) -> Option<usize>;

/// Makes an edit and aligns the lines that it touches.
pub(crate) fn make(pieces: &mut Pieces, edit: &Edit) {
    let old = pieces.text.clone();
    pieces.replace(edit.start..edit.end, &edit.text);
    let touched = edit.start..edit.start + edit.text.len();
    let grown = edit.text.len() as isize - (edit.end - edit.start) as isize;
    let runs: [(Mark, Run); 2] = [
        (|line| line.equals, lines::assigned),
        (|line| line.comment, lines::commented),
    ];
    let (mut touched, mut grown) = (touched, grown);
    for (mark, run) in runs {
        let new = pieces.text.clone();
        let gaps = gaps(&old, &new, &touched, grown, mark, run);
        for (range, width) in gaps.into_iter().rev() {
            let change = width as isize - range.len() as isize;
            // Later places move with it.
            if range.start < touched.start {
                touched.start = touched.start.saturating_add_signed(change);
                touched.end = touched.end.saturating_add_signed(change);
            } else if range.start <= touched.end {
                touched.end = touched.end.saturating_add_signed(change);
            }
            grown += change;
            pieces.replace(range, &" ".repeat(width));
        }
        // What moved within lines no longer tells where lines stood.
        if grown != edit.text.len() as isize - (edit.end - edit.start) as isize {
            break;
        }
    }
}

type Run = fn(&[Line], usize) -> Range<usize>;

fn gaps(
    old: &str,
    new: &str,
    touched: &Range<usize>,
    grown: isize,
    mark: Mark,
    run: Run,
) -> Vec<Gap> {
    let (before, after) = (lines::lines(old), lines::lines(new));
    let at = |offset: usize| {
        let found = after.partition_point(|line| line.range.end < offset);
        found.min(after.len().saturating_sub(1))
    };
    let (first, last) = (at(touched.start), at(touched.end));
    let is_touched = |line: &Line| {
        line.range.end > touched.start && line.range.start < touched.end
            || (touched.contains(&line.range.start) && touched.contains(&line.range.end))
    };
    let mut gaps = Vec::new();
    let mut next = first.saturating_sub(1);
    while next <= last + 1 {
        let lines = run(&after, next);
        if let Some(all) = after.get(lines.clone()).filter(|all| !all.is_empty()) {
            let was_aligned = all.iter().filter(|line| !is_touched(line)).all(|line| {
                let stood = if line.range.start < touched.start {
                    line.range.start
                } else {
                    line.range.start.saturating_add_signed(-grown)
                };
                let at = before.partition_point(|line| line.range.end < stood);
                let lines = before.get(run(&before, at)).unwrap_or_default();
                lines::gaps(old, lines, mark).is_empty()
            });
            if was_aligned {
                gaps.extend(lines::gaps(new, all, mark));
            }
        }
        next = lines.end.max(next + 1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::{Pieces, make};
    use yaml::edit::Edit;

    fn after(text: &str, old: &str, new: &str) -> String {
        let start = text.find(old).unwrap();
        let mut pieces = Pieces::new(text.into());
        let edit = Edit {
            start,
            end: start + old.len(),
            text: new.to_owned(),
        };
        make(&mut pieces, &edit);
        pieces.text.to_string()
    }

    #[test]
    fn lines_stay_aligned() {
        assert_eq!(
            after("  a  = 1\n  bb = 2\n\n  c = 3\n", "= 2", "= 2\n  dddd = 4"),
            "  a    = 1\n  bb   = 2\n  dddd = 4\n\n  c = 3\n"
        );
        assert_eq!(
            after("a    = 1\nbbbb = 2\nc    = 3\n", "bbbb = 2\n", ""),
            "a = 1\nc = 3\n"
        );
        assert_eq!(
            after("a = 1   # x\nb = 222 # y\n", "222", "2"),
            "a = 1 # x\nb = 2 # y\n"
        );
        assert_eq!(
            after("a = 1\nbb = 2\n", "= 2", "= 2\nccc = 3"),
            "a = 1\nbb = 2\nccc = 3\n"
        );
    }
}
