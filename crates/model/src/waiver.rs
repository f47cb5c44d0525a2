//! Waivers written beside what they excuse: `# seawall: waive ID until 2027-01-31 because …`.

use yaml::Span;

use crate::doc::Doc;

/// A waiver in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineWaiver {
    /// The guideline it names.
    pub guideline: Box<str>,
    /// Until when (ISO date), when it says so.
    pub until: Option<Box<str>>,
    /// Why; empty when it does not say.
    pub reason: Box<str>,
    /// The line of the comment.
    pub line: u32,
    /// The lines it covers: those of the value it stands at or above.
    pub covers: (u32, u32),
}

const MARK: &str = "seawall: waive ";

/// The waivers of a document. A comment covers the value that begins on its line, or on the
/// next line when it stands alone; at the top of a document it covers all of it.
#[must_use]
pub fn inline(doc: &Doc) -> Vec<InlineWaiver> {
    let text = doc.text();
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut waivers = Vec::new();
    for (line, comment) in yaml::comments(text) {
        let Some(at) = comment.find(MARK) else {
            continue;
        };
        let body = comment.get(at + MARK.len()..).unwrap_or_default().trim();
        let (head, reason) = match body.split_once("because") {
            Some((head, reason)) => (head.trim(), reason.trim()),
            None => (body, ""),
        };
        let (id, until) = match head.split_once(" until ") {
            Some((id, until)) => (id.trim(), Some(until.trim().into())),
            None => (head, None),
        };
        // Lines here count within the document, from 1.
        let index = line.saturating_sub(1) as usize;
        let alone = lines
            .get(index)
            .is_some_and(|text| text.trim_start().starts_with('#'));
        let anchor = if alone {
            let next = lines.iter().enumerate().skip(index + 1).find(|(_, text)| {
                let text = text.trim();
                !text.is_empty() && !text.starts_with('#')
            });
            next.map_or(line, |(at, _)| at as u32 + 1)
        } else {
            line
        };
        let above = lines.iter().take(index).all(|text| {
            let text = text.trim();
            text.is_empty() || text.starts_with('#') || text == "---"
        });
        let last = doc.first_line + lines.len().saturating_sub(1) as u32;
        let covers = if alone && above {
            (doc.first_line, last)
        } else {
            covered(doc, doc.first_line + anchor - 1)
        };
        waivers.push(InlineWaiver {
            guideline: id.into(),
            until,
            reason: reason.into(),
            line: doc.first_line + line - 1,
            covers,
        });
    }
    waivers
}

/// The lines of the largest value that begins on a line.
fn covered(doc: &Doc, line: u32) -> (u32, u32) {
    let mut last = line;
    let mut widen = |start: Span, end: Span| {
        if doc.line_column(start.start).0 == line {
            let end = doc.line_column(end.end.max(1) - 1).0;
            last = last.max(end);
        }
    };
    for entry in &doc.entries {
        widen(entry.key_span, doc.at(entry.value).span);
    }
    for item in &doc.items {
        let span = doc.at(*item).span;
        widen(span, span);
    }
    (line, last)
}
