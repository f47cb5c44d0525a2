//! Where entries of an object and items of a list begin and end in the text, and the splices that
//! add one or take one away.

use std::ops::Range;

use crate::syntax::{Comment, Program};

use super::draft::Splice;
use super::write::Style;

/// What has brackets.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// With its brackets.
    pub(super) place: Range<usize>,
    /// What stands in it, in order.
    pub(super) items: Vec<Range<usize>>,
    /// `" "` within `{ }`, nothing within `[]`.
    pub(super) space: &'static str,
}

/// A text with its comments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'t, 'a> {
    text: &'t str,
    comments: &'t [Comment<'a>],
}

/// Where a new entry goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// What is replaced, mostly nothing.
    place: Range<usize>,
    before: String,
    after: String,
    /// The indentation of the entry.
    pub(super) indent: String,
    pub(super) style: Style,
}

impl Gap {
    pub(super) fn filled(self, entry: &str) -> Splice {
        Splice {
            start: self.place.start,
            end: self.place.end,
            text: format!("{}{entry}{}", self.before, self.after),
        }
    }
}

impl<'t, 'a> Lines<'t, 'a> {
    pub(super) fn new(text: &'t str, program: &Program<'a>) -> Self {
        Self {
            text,
            comments: program.comments,
        }
    }

    fn get(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn breaks(&self, range: Range<usize>) -> bool {
        self.get(range).contains('\n')
    }

    /// Where the line of an offset begins.
    fn start(&self, at: usize) -> usize {
        self.get(0..at).rfind('\n').map_or(0, |line| line + 1)
    }

    /// The white space that the line of an offset begins with.
    pub(super) fn indent(&self, at: usize) -> &'t str {
        let rest = self.get(self.start(at)..self.text.len());
        let end = rest.find(|c| c != ' ' && c != '\t').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Nothing but white space stands before it on its line.
    pub(super) fn begins_line(&self, at: usize) -> bool {
        self.get(self.start(at)..at).trim().is_empty()
    }

    /// The end of the line, when nothing but white space and comments stands between.
    pub(super) fn rest_of_line(&self, at: usize) -> Option<usize> {
        let mut at = at;
        loop {
            let rest = self.get(at..self.text.len());
            let blank = rest.find(|c| c != ' ' && c != '\t' && c != '\r');
            let next = at + blank.unwrap_or(rest.len());
            match self.text.as_bytes().get(next) {
                None => return Some(self.text.len()),
                Some(b'\n') => {
                    let carriage = self.get(at..next).ends_with('\r');
                    return Some(next - usize::from(carriage));
                }
                Some(b'/') => {
                    let comment = self
                        .comments
                        .iter()
                        .find(|comment| comment.span.start as usize == next)?;
                    at = comment.span.end as usize;
                }
                Some(_) => return None,
            }
        }
    }

    /// How lines end and are indented in something that stands at a place.
    pub(super) fn style(&self, holder: &Holder) -> Style {
        let line = self.line_break();
        let outer = self.indent(holder.place.start);
        let own = holder
            .items
            .iter()
            .find(|item| self.begins_line(item.start))
            .and_then(|item| self.indent(item.start).strip_prefix(outer))
            .filter(|unit| !unit.is_empty());
        let unit = own.map_or_else(|| self.unit(), str::to_owned);
        Style {
            line,
            unit,
            flat: false,
        }
    }

    /// How lines end and are indented in the file.
    pub(super) fn style_of_file(&self) -> Style {
        Style {
            line: self.line_break(),
            unit: self.unit(),
            flat: false,
        }
    }

    fn line_break(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.get(0..at).ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// What the file indents by.
    fn unit(&self) -> String {
        let lines = self.text.lines();
        let first = lines
            .map(|line| {
                let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(0);
                line.get(..end).unwrap_or_default()
            })
            .find(|indent| !indent.is_empty());
        match first {
            Some(indent) if indent.starts_with('\t') => "\t".to_owned(),
            Some(indent) if indent.len() <= 8 => indent.to_owned(),
            _ => "  ".to_owned(),
        }
    }

    /// Where an entry goes behind item number `last` of a holder, or into an empty one.
    pub(super) fn gap(&self, holder: &Holder, last: Option<usize>) -> Gap {
        let style = self.style(holder);
        let close = holder.place.end.saturating_sub(1);
        let Some(last) = last.and_then(|last| holder.items.get(last)) else {
            return self.first(holder, style);
        };
        let own_line = self.begins_line(last.start) && self.breaks(holder.place.start..last.start);
        if !own_line {
            return Gap {
                place: last.end..last.end,
                before: ", ".to_owned(),
                after: String::new(),
                indent: self.indent(last.start).to_owned(),
                style: Style {
                    flat: true,
                    ..style
                },
            };
        }
        let at = self
            .rest_of_line(last.end)
            .filter(|at| *at <= close)
            .unwrap_or(last.end);
        let indent = self.indent(last.start).to_owned();
        Gap {
            place: at..at,
            before: format!("{}{indent}", style.line),
            after: String::new(),
            indent,
            style,
        }
    }

    fn first(&self, holder: &Holder, style: Style) -> Gap {
        let open = holder.place.start + 1;
        let close = holder.place.end.saturating_sub(1);
        let outer = self.indent(holder.place.start).to_owned();
        let indent = format!("{outer}{}", style.unit);
        if !holder.items.is_empty() {
            // Only resources stand in it.
            return Gap {
                place: open..open,
                before: format!("{}{indent}", style.line),
                after: String::new(),
                indent,
                style,
            };
        }
        if self.breaks(open..close) && self.begins_line(close) {
            // Comments stay above what is new.
            let at = self.start(close);
            let after = style.line.to_owned();
            return Gap {
                place: at..at,
                before: indent.clone(),
                after,
                indent,
                style,
            };
        }
        let comments = !self.get(open..close).trim().is_empty();
        let place = if comments { close..close } else { open..close };
        if self.rest_of_line(holder.place.end).is_none() && !comments {
            let space = holder.space;
            return Gap {
                place,
                before: space.to_owned(),
                after: space.to_owned(),
                indent: outer,
                style: Style {
                    flat: true,
                    ..style
                },
            };
        }
        Gap {
            place,
            before: format!("{}{indent}", style.line),
            after: format!("{}{outer}", style.line),
            indent,
            style,
        }
    }

    /// Takes an item away: with its line and the comment at its end where it has lines of its own,
    /// else with a comma beside it.
    pub(super) fn without(&self, holder: &Holder, at: usize) -> Option<Splice> {
        let item = holder.items.get(at)?;
        let close = holder.place.end.saturating_sub(1);
        let gone = |start: usize, end: usize| Splice {
            start,
            end,
            text: String::new(),
        };
        if self.begins_line(item.start) && self.start(item.start) > holder.place.start {
            let start = self.start(item.start);
            if let Some(end) = self.rest_of_line(item.end).filter(|end| *end <= close) {
                let rest = self.get(end..self.text.len());
                let line = if rest.starts_with("\r\n") { 2 } else { 1 };
                return Some(gone(start, end + line));
            }
            if self.get(item.end..close).trim().is_empty() {
                // The bracket stands on its line.
                return Some(gone(item.start, item.end));
            }
        }
        let next = holder.items.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| holder.items.get(at));
        Some(match (before, next) {
            (_, Some(next)) if !self.breaks(item.end..next.start) => gone(item.start, next.start),
            (Some(before), _) if !self.breaks(before.end..item.start) => gone(before.end, item.end),
            _ => gone(item.start, item.end),
        })
    }
}
