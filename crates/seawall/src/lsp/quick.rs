//! The first answer in a large file of manifests: what is said of the documents that were changed, by the guidelines
//! that need nothing else, beside what was known of the others. The whole is judged after it.

use lsp_types::{Code, Diagnostic, Range};

use super::diagnostics::is_of_all;

/// A smaller file is judged as a whole at once.
pub(super) const LARGE: usize = 64 << 10;

/// What was changed in a text, by whole documents. Lines count from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// These documents alone, on the lines that they have.
    pub(super) text: String,
    /// The first line of them.
    first: u32,
    /// The first line behind them as it was; none where they are the last.
    behind: Option<u32>,
    /// How many lines what stands behind them has moved.
    moved: i64,
}

/// The documents that differ; nothing where that is much of the text.
pub(super) fn changed(before: &str, after: &str) -> Option<Changed> {
    let old: Vec<yaml::Raw<'_>> = yaml::documents(before).collect();
    let new: Vec<yaml::Raw<'_>> = yaml::documents(after).collect();
    let same = |(one, other): &(&yaml::Raw<'_>, &yaml::Raw<'_>)| one.text == other.text;
    let ahead = old.iter().zip(&new).take_while(same).count();
    let rest = old.len().min(new.len()) - ahead;
    let backwards = old.iter().rev().zip(new.iter().rev());
    let behind = backwards.take(rest).take_while(same).count();
    let behind_old = (behind > 0).then(|| old.get(old.len() - behind)).flatten();
    let behind_new = (behind > 0).then(|| new.get(new.len() - behind)).flatten();
    let first = new.get(ahead);
    let start = first.map_or(after.len(), |raw| raw.offset as usize);
    let end = behind_new.map_or(after.len(), |raw| raw.offset as usize);
    let own = after.get(start..end)?;
    if own.len() > LARGE {
        return None;
    }
    let line = |raw: &yaml::Raw<'_>| raw.line.saturating_sub(1);
    let first = first.or(old.get(ahead)).map_or(0, line);
    let mut text = "\n".repeat(first as usize);
    text.push_str(own);
    let moved = match (behind_old, behind_new) {
        (Some(old), Some(new)) => i64::from(new.line) - i64::from(old.line),
        _ => 0,
    };
    Some(Changed {
        text,
        first,
        behind: behind_old.map(line),
        moved,
    })
}

/// What was known, with what is said of the changed documents now. `joins` tells the guidelines that were not asked
/// again: what they said stays until the whole is judged.
pub(super) fn merged(
    known: &[Diagnostic],
    now: Vec<Diagnostic>,
    changed: &Changed,
    joins: &dyn Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    let mut all = now;
    for diagnostic in known {
        let line = diagnostic.range.start.line;
        let joined = matches!(&diagnostic.code, Some(Code::String(id)) if joins(id));
        if is_of_all(diagnostic) {
            all.push(diagnostic.clone());
        } else if changed.behind.is_some_and(|behind| line >= behind) {
            let mut diagnostic = diagnostic.clone();
            diagnostic.range = moved(diagnostic.range, changed.moved);
            for related in diagnostic.related_information.iter_mut().flatten() {
                let line = related.location.range.start.line;
                if changed.behind.is_some_and(|behind| line >= behind) {
                    related.location.range = moved(related.location.range, changed.moved);
                }
            }
            all.push(diagnostic);
        } else if line < changed.first || joined {
            all.push(diagnostic.clone());
        }
    }
    all
}

fn moved(mut range: Range, by: i64) -> Range {
    for line in [&mut range.start.line, &mut range.end.line] {
        *line = u32::try_from(i64::from(*line) + by).unwrap_or_default();
    }
    range
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;

    use super::*;

    fn at(line: u32, id: &str) -> Diagnostic {
        let place = Position { line, character: 0 };
        Diagnostic {
            range: Range {
                start: place,
                end: place,
            },
            code: Some(Code::String(id.to_owned())),
            ..Diagnostic::default()
        }
    }

    const BEFORE: &str = "a: 1\n---\nb: 1\n---\nc: 1\n";

    #[test]
    fn what_was_changed_is_whole_documents() {
        let found = changed(BEFORE, "a: 1\n---\nb: 1\nd: 2\n---\nc: 1\n").unwrap();
        assert_eq!(found.text, "\n---\nb: 1\nd: 2\n");
        assert_eq!((found.first, found.behind, found.moved), (1, Some(3), 1));
        let last = changed(BEFORE, "a: 1\n---\nb: 1\n---\nc: 2\n").unwrap();
        assert_eq!(last.text, "\n\n\n---\nc: 2\n");
        assert_eq!((last.first, last.behind), (3, None));
        let gone = changed(BEFORE, "a: 1\n---\nc: 1\n").unwrap();
        assert_eq!(gone.text, "\n");
        assert_eq!((gone.first, gone.behind, gone.moved), (1, Some(3), -2));
        let none = changed(BEFORE, BEFORE).unwrap();
        assert_eq!(none.text.trim(), "");
        let much = format!("{BEFORE}{}", "x: 1\n".repeat(LARGE));
        assert_eq!(changed(BEFORE, &much), None);
    }

    #[test]
    fn what_was_known_moves_with_its_document() {
        let found = changed(BEFORE, "a: 1\n---\nb: 1\nd: 2\n---\nc: 1\n").unwrap();
        let known = [at(0, "one"), at(2, "two"), at(2, "joined"), at(4, "three")];
        let all = merged(&known, vec![at(3, "new")], &found, &|id| id == "joined");
        let all: Vec<(u32, String)> = all
            .iter()
            .map(|one| match &one.code {
                Some(Code::String(id)) => (one.range.start.line, id.clone()),
                _ => (0, String::new()),
            })
            .collect();
        let wanted = [(3, "new"), (0, "one"), (2, "joined"), (5, "three")];
        assert_eq!(all, wanted.map(|(line, id)| (line, id.to_owned())));
    }
}
