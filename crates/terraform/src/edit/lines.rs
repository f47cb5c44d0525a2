//! The lines of a text in the native syntax as `terraform fmt` sees them, and how it aligns
//! them: equals signs of lines that follow each other stand below each other, and so do the
//! comments at their ends.
//! <https://github.com/hashicorp/hcl/blob/main/hclwrite/format.go>

use std::ops::Range;

/// A line, with the heredocs that begin on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its place, without the line break.
    pub(crate) range: Range<usize>,
    /// Where the equals sign stands, when what is assigned ends on the line.
    pub(crate) equals: Option<usize>,
    /// Where the comment begins that follows something.
    pub(crate) comment: Option<usize>,
}

/// What has been opened and not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `(`, `[` or `{`
    Bracket,
    /// A string.
    Quote,
    /// `${` or `%{` in a string or heredoc.
    Template,
}

/// A line while it is read.
#[derive(Default)]
struct Reading {
    tokens: usize,
    equals: Option<usize>,
    /// Brackets that are opened after the equals sign and not closed.
    depth: i32,
    comment: Option<usize>,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    stack: Vec<Open>,
    line: Reading,
    start: usize,
    lines: Vec<Line>,
    /// The end of a heredoc that begins on this line.
    heredoc: Option<&'t str>,
}

/// The lines of a text.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner {
        text,
        at: 0,
        stack: Vec::new(),
        line: Reading::default(),
        start: 0,
        lines: Vec::new(),
        heredoc: None,
    };
    while scanner.at < text.len() {
        scanner.token();
    }
    scanner.end_line(text.len());
    scanner.lines
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn end_line(&mut self, end: usize) {
        let line = std::mem::take(&mut self.line);
        let end = match self.text.get(self.start..end) {
            Some(text) if text.ends_with('\r') => end - 1,
            _ => end,
        };
        self.lines.push(Line {
            range: self.start..end,
            equals: line.equals.filter(|_| line.depth == 0),
            comment: line.comment,
        });
    }

    fn break_line(&mut self) {
        if let Some(end) = self.heredoc.take() {
            self.at += 1;
            return self.skip_heredoc(end);
        }
        self.end_line(self.at);
        self.at += 1;
        self.start = self.at;
    }

    /// A heredoc is a part of the line that it begins on.
    fn skip_heredoc(&mut self, end: &str) {
        while self.at < self.text.len() {
            let rest = self.rest();
            let length = rest.find('\n').unwrap_or(rest.len());
            self.at += length;
            if rest.get(..length).unwrap_or_default().trim() == end {
                return;
            }
            self.at = (self.at + 1).min(self.text.len());
        }
    }

    fn token(&mut self) {
        let rest = self.rest();
        let Some(next) = rest.chars().next() else {
            return;
        };
        if self.stack.last() == Some(&Open::Quote) {
            return self.in_string(rest, next);
        }
        match next {
            '\n' => return self.break_line(),
            _ if next.is_whitespace() => {
                self.at += next.len_utf8();
                return;
            }
            '#' => return self.comment(),
            '/' if rest.starts_with("//") => return self.comment(),
            '/' if rest.starts_with("/*") => return self.long_comment(rest),
            '"' => self.open(Open::Quote),
            '{' | '(' | '[' => {
                self.open(Open::Bracket);
                self.line.depth += i32::from(self.line.equals.is_some());
            }
            '}' | ')' | ']' => {
                self.stack.pop();
                self.line.depth -= i32::from(self.line.equals.is_some());
            }
            '<' if rest.starts_with("<<") => self.heredoc(rest),
            '=' if rest.starts_with("==") || rest.starts_with("=>") => self.at += 1,
            '!' | '<' | '>' if rest.get(1..2) == Some("=") => self.at += 1,
            '=' if self.line.tokens > 0 && self.line.equals.is_none() => {
                self.line.equals = Some(self.at);
            }
            _ if next.is_alphanumeric() || next == '_' => {
                let word = rest
                    .find(|next: char| !next.is_alphanumeric() && !matches!(next, '_' | '-'))
                    .unwrap_or(rest.len());
                self.at += word - next.len_utf8();
            }
            _ => {}
        }
        self.line.tokens += 1;
        self.line.comment = None;
        self.at += next.len_utf8();
    }

    fn open(&mut self, what: Open) {
        self.stack.push(what);
    }

    fn in_string(&mut self, rest: &str, next: char) {
        match next {
            '"' => {
                self.stack.pop();
            }
            '\\' => self.at += 1,
            '$' | '%' if rest.get(1..3).is_some_and(|two| two == format!("{next}{{")) => {
                self.at += 2;
            }
            '$' | '%' if rest.get(1..2) == Some("{") => {
                self.open(Open::Template);
                self.line.depth += i32::from(self.line.equals.is_some());
                self.at += 1;
            }
            // No string goes on past its line; what follows is as good as a new beginning.
            '\n' => {
                self.stack.clear();
                return self.break_line();
            }
            _ => {}
        }
        let escaped = next == '\\';
        let step = if escaped {
            self.rest().chars().next().map_or(0, char::len_utf8)
        } else {
            next.len_utf8()
        };
        self.at = (self.at + step).min(self.text.len());
    }

    fn comment(&mut self) {
        if self.line.tokens > 0 {
            self.line.comment = Some(self.at);
        }
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn long_comment(&mut self, rest: &str) {
        let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
        let until = self.at + end;
        while let Some(at) = self
            .text
            .get(self.at..until)
            .and_then(|rest| rest.find('\n'))
        {
            self.at += at;
            self.line = Reading::default();
            self.break_line();
        }
        self.at = until;
    }

    fn heredoc(&mut self, rest: &'t str) {
        let after = rest.get(2..).unwrap_or_default();
        let after = after.strip_prefix('-').unwrap_or(after);
        let end = after
            .find(|next: char| !next.is_alphanumeric() && !matches!(next, '_' | '-'))
            .unwrap_or(after.len());
        if end > 0 {
            self.heredoc = after.get(..end);
        }
        self.at += 1;
    }
}

/// How many columns a piece of text takes.
fn columns(text: &str) -> usize {
    text.chars().count()
}

/// A change of white space.
pub(crate) type Gap = (Range<usize>, usize);

/// The run of lines around one that `has` holds for, and that hold for it too.
fn run(lines: &[Line], at: usize, has: impl Fn(&Line) -> bool) -> Range<usize> {
    if !lines.get(at).is_some_and(&has) {
        return at..at;
    }
    let before = lines.get(..at).unwrap_or_default().iter().rev();
    let start = at - before.take_while(|line| has(line)).count();
    let after = lines.get(at..).unwrap_or_default().iter();
    start..at + after.take_while(|line| has(line)).count()
}

/// The lines whose equals signs stand below each other with that of a line.
pub(crate) fn assigned(lines: &[Line], at: usize) -> Range<usize> {
    run(lines, at, |line| line.equals.is_some())
}

/// The lines whose comments stand below each other with that of a line.
pub(crate) fn commented(lines: &[Line], at: usize) -> Range<usize> {
    run(lines, at, |line| line.comment.is_some())
}

/// What would have to change for the marks of a run of lines to stand below each other.
pub(crate) fn gaps(text: &str, run: &[Line], mark: impl Fn(&Line) -> Option<usize>) -> Vec<Gap> {
    let leads: Vec<(usize, usize, usize)> = run
        .iter()
        .filter_map(|line| {
            let mark = mark(line)?;
            let lead = text.get(line.range.start..mark)?.trim_end();
            Some((line.range.start + lead.len(), mark, columns(lead)))
        })
        .collect();
    let widest = leads.iter().map(|(.., columns)| *columns).max();
    leads
        .into_iter()
        .filter_map(|(end, mark, columns)| {
            let wanted = widest.unwrap_or_default() - columns + 1;
            let found = text.get(end..mark)?;
            (found.len() != wanted || found.contains('\t')).then_some((end..mark, wanted))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{assigned, gaps, lines};

    fn shape(text: &str) -> Vec<(bool, bool)> {
        lines(text)
            .iter()
            .map(|line| (line.equals.is_some(), line.comment.is_some()))
            .collect()
    }

    #[test]
    fn lines_are_seen_as_the_formatter_sees_them() {
        let text = "a = 1 # one\nb = [\n  2,\n]\n# alone\nc = \"x = ${y == 1 ? \"{\" : \"\"}\"\nd = <<EOT\nq = 1\nEOT\ne = { f = 1 }\n";
        let (no, yes) = (false, true);
        assert_eq!(
            shape(text),
            [
                (yes, yes),
                (no, no),
                (no, no),
                (no, no),
                (no, no),
                (yes, no),
                (yes, no),
                (yes, no),
                (no, no)
            ]
        );
    }

    #[test]
    fn runs_are_aligned() {
        let text = "  a = 1\n  long  = 2\n\n  x = 3\n";
        let lines = lines(text);
        let run = assigned(&lines, 0);
        assert_eq!(run, 0..2);
        let gaps = gaps(text, &lines[run], |line| line.equals);
        assert_eq!(gaps, [(3..4, 4), (14..16, 1)]);
    }
}
