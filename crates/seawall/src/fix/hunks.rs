//! Edits as the lines that they take away and bring, with lines around them.
//!
//! The edits are known, so nothing has to be compared: a file of megabytes costs no more than its edits.

use yaml::edit::Edit;

/// Lines shown before and after a change.
const AROUND: usize = 3;

/// A part of a file that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// First line of it before, from 1.
    pub(crate) old: usize,
    /// First line of it after.
    pub(crate) new: usize,
    pub(crate) lines: Vec<Line>,
}

/// One line of a hunk, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Same(String),
    Gone(String),
    New(String),
}

impl Hunk {
    /// How many lines it has before and after.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let count =
            |skipped: fn(&Line) -> bool| self.lines.iter().filter(|line| !skipped(line)).count();
        (
            count(|line| matches!(line, Line::New(_))),
            count(|line| matches!(line, Line::Gone(_))),
        )
    }
}

/// Where the lines of a text begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let after = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1)
            .filter(|at| *at < text.len());
        let starts = std::iter::once(0).chain(after).collect();
        Self { text, starts }
    }

    fn len(&self) -> usize {
        if self.text.is_empty() {
            0
        } else {
            self.starts.len()
        }
    }

    /// Number of the line that holds an offset, from 0; that of the end is one past the last when the text ends
    /// with a line break.
    fn at(&self, offset: usize) -> usize {
        if offset >= self.text.len() && (self.text.is_empty() || self.text.ends_with('\n')) {
            return self.len();
        }
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    fn line(&self, line: usize) -> &'t str {
        let text = self.text.get(self.start(line)..self.start(line + 1));
        ended(text.unwrap_or_default())
    }
}

fn ended(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// A run of old lines and the new ones in their place.
struct Change {
    from: usize,
    to: usize,
    new: Vec<String>,
}

/// The hunks of edits, which are in order and do not overlap.
pub(crate) fn hunks(text: &str, edits: &[Edit]) -> Vec<Hunk> {
    let lines = Lines::new(text);
    let same =
        |from: usize, to: usize| (from..to).map(|line| Line::Same(lines.line(line).to_owned()));
    let mut hunks: Vec<Hunk> = Vec::new();
    // How many lines the new text has more up to here, and one past the last line that changed.
    let (mut moved, mut reached) = (0_isize, 0);
    for change in changes(&lines, edits) {
        match hunks.last_mut() {
            Some(hunk) if change.from <= reached + 2 * AROUND => {
                hunk.lines.extend(same(reached, change.from));
            }
            last => {
                if let Some(hunk) = last {
                    hunk.lines.extend(same(reached, reached + AROUND));
                }
                let begin = change.from.saturating_sub(AROUND);
                hunks.push(Hunk {
                    old: begin + 1,
                    new: begin.saturating_add_signed(moved) + 1,
                    lines: same(begin, change.from).collect(),
                });
            }
        }
        moved += change.new.len() as isize - (change.to - change.from) as isize;
        reached = change.to;
        if let Some(hunk) = hunks.last_mut() {
            let gone = (change.from..change.to).map(|line| Line::Gone(lines.line(line).to_owned()));
            hunk.lines.extend(gone);
            hunk.lines.extend(change.new.into_iter().map(Line::New));
        }
    }
    if let Some(hunk) = hunks.last_mut() {
        hunk.lines
            .extend(same(reached, (reached + AROUND).min(lines.len())));
    }
    hunks
}

/// Edits as whole lines, those of one line together.
fn changes(lines: &Lines<'_>, edits: &[Edit]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut at = 0;
    while let Some(first) = edits.get(at) {
        let from = lines.at(first.start);
        let mut until = last_line(lines, first);
        let mut end = at + 1;
        while let Some(next) = edits.get(end)
            && lines.at(next.start) < until
        {
            until = until.max(last_line(lines, next));
            end += 1;
        }
        let mut new = String::new();
        let mut reached = lines.start(from);
        for edit in edits.get(at..end).unwrap_or_default() {
            new.push_str(lines.text.get(reached..edit.start).unwrap_or_default());
            new.push_str(&edit.text);
            reached = edit.end;
        }
        new.push_str(
            lines
                .text
                .get(reached..lines.start(until))
                .unwrap_or_default(),
        );
        changes.push(trimmed(lines, from, until, &new));
        at = end;
    }
    changes
}

/// One past the last line that an edit touches.
fn last_line(lines: &Lines<'_>, edit: &Edit) -> usize {
    let whole = lines.start(lines.at(edit.end)) == edit.end
        && (edit.text.is_empty() || edit.text.ends_with('\n'))
        && lines.start(lines.at(edit.start)) == edit.start;
    if whole {
        lines.at(edit.end)
    } else {
        (lines.at(edit.end) + 1).min(lines.len())
    }
}

/// Without the lines that stay as they are at both ends.
fn trimmed(lines: &Lines<'_>, mut from: usize, mut to: usize, new: &str) -> Change {
    let mut new: Vec<&str> = new.lines().collect();
    let mut skipped = 0;
    while from < to
        && new
            .get(skipped)
            .is_some_and(|line| *line == lines.line(from))
    {
        from += 1;
        skipped += 1;
    }
    while to > from
        && new.len() > skipped
        && new.last().is_some_and(|line| *line == lines.line(to - 1))
    {
        to -= 1;
        new.pop();
    }
    Change {
        from,
        to,
        new: new.into_iter().skip(skipped).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hunk, Line, hunks};
    use yaml::edit::{Edit, apply};

    fn edit(text: &str, old: &str, new: &str) -> Edit {
        let start = text.find(old).unwrap();
        Edit {
            start,
            end: start + old.len(),
            text: new.to_owned(),
        }
    }

    /// The new text that hunks give, which must be that of the edits.
    fn patched(text: &str, hunks: &[Hunk]) -> Vec<String> {
        let old: Vec<&str> = text.lines().collect();
        let mut new = Vec::new();
        let mut at = 0;
        for hunk in hunks {
            new.extend(old[at..hunk.old - 1].iter().map(|line| (*line).to_owned()));
            assert_eq!(new.len(), hunk.new - 1, "{hunk:?}");
            at = hunk.old - 1;
            for line in &hunk.lines {
                match line {
                    Line::Same(line) => {
                        assert_eq!(line, old[at]);
                        new.push(line.clone());
                        at += 1;
                    }
                    Line::Gone(line) => {
                        assert_eq!(line, old[at]);
                        at += 1;
                    }
                    Line::New(line) => new.push(line.clone()),
                }
            }
        }
        new.extend(old[at..].iter().map(|line| (*line).to_owned()));
        new
    }

    #[test]
    fn hunks_say_what_the_edits_do() {
        let text: String = (0..60).map(|line| format!("line {line}\n")).collect();
        let after = |line: usize| {
            let start =
                text.find(&format!("line {line}\n")).unwrap() + format!("line {line}\n").len();
            Edit {
                start,
                end: start,
                text: "one\ntwo\n".to_owned(),
            }
        };
        let cases: Vec<Vec<Edit>> = vec![
            vec![after(0)],
            vec![after(59)],
            vec![edit(&text, "line 10", "LINE 10")],
            vec![edit(&text, "line 10\n", ""), after(10)],
            vec![
                after(10),
                edit(&text, "line 13", "x"),
                after(13),
                edit(&text, "line 21\nline 22", "y\nz\nw"),
            ],
            vec![after(10), after(16), after(17), after(25)],
            vec![
                edit(&text, "10", "ten"),
                edit(&text, "11\nline", "eleven"),
                edit(&text, "40", "forty"),
            ],
        ];
        for edits in cases {
            let found = hunks(&text, &edits);
            let new: Vec<String> = apply(&text, &edits).lines().map(str::to_owned).collect();
            assert_eq!(patched(&text, &found), new, "{edits:?}");
            for hunk in &found {
                assert!(hunk.lines.iter().any(|line| !matches!(line, Line::Same(_))));
            }
        }
    }

    #[test]
    fn few_lines_stand_around_a_change() {
        let text: String = (0..30).map(|line| format!("line {line}\n")).collect();
        let found = hunks(
            &text,
            &[edit(&text, "line 10", "ten"), edit(&text, "line 25", "x")],
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].old, 8);
        assert_eq!(found[0].sizes(), (7, 7));
        let ends = hunks(
            "a",
            &[Edit {
                start: 1,
                end: 1,
                text: "\nb: 1".to_owned(),
            }],
        );
        assert_eq!(
            ends[0].lines,
            [Line::Same("a".to_owned()), Line::New("b: 1".to_owned())]
        );
    }
}
