//! What is shown where the pointer rests: the guideline of a finding, or of an id in a page of a guide.

use ::guide::Guide;
use lsp_types::{Code, Hover, MarkupContent, MarkupKind, Position, Range};

use super::desk::Desk;
use super::documents::Document;
use super::subject::Subject;
use super::text::Lines;

/// Guidelines that are shown at one place.
const MOST: usize = 3;

/// What is shown at a place of a document.
pub(super) fn at(
    desk: &Desk<'_>,
    document: &Document,
    shown: &[lsp_types::Diagnostic],
    position: Position,
) -> Option<Hover> {
    let guide = desk.judging.guide;
    let mut here: Vec<_> = shown
        .iter()
        .filter(|diagnostic| holds(diagnostic.range, position))
        .filter_map(|diagnostic| match &diagnostic.code {
            Some(Code::String(id)) => Some((diagnostic.range, id.as_str())),
            _ => None,
        })
        .collect();
    // The narrowest first.
    here.sort_by_key(|(range, _)| (range.end.line - range.start.line, range.end.character));
    here.dedup_by_key(|(_, id)| *id);
    if here.is_empty() {
        return named(desk, guide, document, position);
    }
    let range = here.first().map(|(range, _)| *range);
    let more = here.len().saturating_sub(MOST);
    let pages = here.iter().take(MOST);
    let pages = pages.filter_map(|(_, id)| Some(report::explain::markdown(guide.guideline(id)?)));
    let mut page = pages.collect::<Vec<_>>().join("\n---\n\n");
    if more > 0 {
        page.push_str(&format!("\n---\n\nand {more} more\n"));
    }
    Some(markdown(page, range))
}

/// The guideline whose id stands at a place of a guide's page or a configuration.
fn named(desk: &Desk<'_>, guide: &Guide, document: &Document, position: Position) -> Option<Hover> {
    if !matches!(
        document.subject,
        Some(Subject::Page(..) | Subject::Configuration(_))
    ) {
        return None;
    }
    let lines = Lines::of(&document.text, desk.client.encoding);
    let at = lines.offset(position);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let before = document.text.get(..at)?;
    let start = before.trim_end_matches(is_part).len();
    let after = document.text.get(at..)?;
    let end = at + after.len() - after.trim_start_matches(is_part).len();
    let guideline = guide.guideline(document.text.get(start..end)?)?;
    let range = Range {
        start: lines.position(start),
        end: lines.position(end),
    };
    Some(markdown(report::explain::markdown(guideline), Some(range)))
}

fn markdown(value: String, range: Option<Range>) -> Hover {
    Hover {
        contents: MarkupContent {
            kind: MarkupKind::Markdown,
            value,
        }
        .into(),
        range,
    }
}

/// Whether a range holds a place, its end too.
pub(super) fn holds(range: Range, position: Position) -> bool {
    let key = |position: Position| (position.line, position.character);
    key(range.start) <= key(position) && key(position) <= key(range.end)
}
