//! Waivers written beside what they excuse: `# seawall: waive ID until 2027-01-31 because …`.

use std::sync::Arc;

use yaml::Span;

use crate::doc::{Doc, Part};

/// A waiver in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineWaiver {
    /// The guideline it names.
    pub guideline: Box<str>,
    /// Until when (ISO date), when it says so.
    pub until: Option<Box<str>>,
    /// Why; empty when it does not say.
    pub reason: Box<str>,
    /// The file, where a document joins several.
    pub path: Option<Arc<str>>,
    /// The text of its line.
    pub source: Box<str>,
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
        let said = Said::read(comment.get(at + MARK.len()..).unwrap_or_default());
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
            guideline: said.guideline,
            until: said.until,
            reason: said.reason,
            path: None,
            source: lines.get(index).copied().unwrap_or_default().into(),
            line: doc.first_line + line - 1,
            covers,
        });
    }
    waivers
}

/// What follows the mark: `ID until DATE because REASON`.
struct Said {
    guideline: Box<str>,
    until: Option<Box<str>>,
    reason: Box<str>,
}

impl Said {
    fn read(body: &str) -> Self {
        let body = body.trim().trim_end_matches("*/").trim();
        let (head, reason) = match body.split_once("because") {
            Some((head, reason)) => (head.trim(), reason.trim()),
            None => (body, ""),
        };
        let (id, until) = match head.split_once(" until ") {
            Some((id, until)) => (id.trim(), Some(until.trim().into())),
            None => (head, None),
        };
        Self {
            guideline: id.into(),
            until,
            reason: reason.into(),
        }
    }
}

/// The waivers in the comments of templates (`//`, `#`, `/*`), by the same rules: a comment covers
/// the value that begins on its line, or on the next line when it stands alone; at the top of a file,
/// with an empty line after it, it covers all of it.
#[must_use]
pub fn inline_in_templates(doc: &Doc) -> Vec<InlineWaiver> {
    let mut waivers = Vec::new();
    if !doc.text().contains(MARK) {
        return waivers;
    }
    for (part, text) in doc.parts() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(at) = line.find(MARK) else { continue };
            let before = line.get(..at).unwrap_or_default().trim_end();
            let Some(code) = ["//", "#", "/*"]
                .iter()
                .find_map(|mark| before.strip_suffix(mark))
            else {
                continue;
            };
            let said = Said::read(line.get(at + MARK.len()..).unwrap_or_default());
            let comment = |text: &str| {
                let text = text.trim();
                text.is_empty()
                    || ["//", "#", "/*", "*"]
                        .iter()
                        .any(|mark| text.starts_with(mark))
            };
            let alone = code.trim().is_empty();
            let own = index as u32 + 1;
            // Many resources stand in one file: only a comment that stands by itself at its top,
            // before an empty line, speaks for all of them.
            let by_itself = lines
                .iter()
                .skip(index + 1)
                .find(|text| text.trim().is_empty() || !comment(text))
                .is_none_or(|text| text.trim().is_empty());
            let on_top = lines.iter().take(index).all(|text| comment(text));
            let covers = if alone && on_top && by_itself {
                (1, lines.len() as u32)
            } else {
                let anchor = if alone {
                    lines
                        .iter()
                        .enumerate()
                        .skip(index + 1)
                        .find(|(_, text)| !comment(text))
                        .map_or(own, |(at, _)| at as u32 + 1)
                } else {
                    own
                };
                covered_in(doc, part, anchor)
            };
            waivers.push(InlineWaiver {
                guideline: said.guideline,
                until: said.until,
                reason: said.reason,
                path: Some(Arc::clone(&part.path)),
                source: (*line).into(),
                line: own,
                covers,
            });
        }
    }
    waivers
}

/// The lines of the largest value that begins on a line of one of the files.
fn covered_in(doc: &Doc, part: &Part, line: u32) -> (u32, u32) {
    let mut last = line;
    let mut widen = |start: Span, end: Span| {
        let here = doc
            .part_at(start.start)
            .is_some_and(|other| other.start == part.start);
        if here && start.end > start.start && doc.line_column(start.start).0 == line {
            last = last.max(doc.line_column(end.end.max(1) - 1).0);
        }
    };
    for entry in &doc.entries {
        widen(entry.key_span, doc.at(entry.value).span);
    }
    for node in &doc.nodes {
        widen(node.span, node.span);
    }
    (line, last)
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
