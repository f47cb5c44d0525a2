//! Where what runs is written: of each object of a base of files its place, of what is found there the line, and what
//! would mend it as a difference of the text.
//!
//! What it deliberately leaves out: objects that were rendered, of which no text is edited here, and proving that a
//! finding is gone then (`seawall fix` does both).

use std::collections::BTreeMap;

use model::Resource;
use model::finding::{Finding, Location, Outcome};
use model::remedy::Remedy;
use yaml::edit::{self, Editor, Format};

use super::word;

/// Lines that a difference may have; more is no hint any more.
const LINES: usize = 60;
/// Lines around what changes.
const AROUND: usize = 2;

/// A finding as the base has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line that decided.
    pub place: Location,
    /// What would mend it, line by line: each begins with ` `, `-` or `+`. Nothing where no fix can be written there.
    pub mended: Option<Box<str>>,
}

/// What a base of files says of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// By the object's id; several files may declare one.
    objects: BTreeMap<String, Vec<Location>>,
    findings: BTreeMap<String, Line>,
}

impl Declared {
    /// Notes where an object is written.
    pub(super) fn object(&mut self, resource: &Resource) {
        if resource.origin.live || resource.implied {
            return;
        }
        let start = resource.object().span().start;
        let (line, column) = resource.doc.line_column(start);
        let (source, _) = resource.doc.line_at(start);
        let place = Location {
            path: resource
                .doc
                .path_at(start)
                .unwrap_or(&resource.origin.path)
                .clone(),
            live: false,
            line,
            column,
            end_line: line,
            end_column: column,
            route: String::new(),
            source: source.into(),
            note: resource.origin.rendered_by.as_deref().map(Box::from),
        };
        self.objects
            .entry(resource.name.id())
            .or_default()
            .push(place);
    }

    /// Notes what was found in an object, before it is said of who made that.
    pub(super) fn finding(&mut self, resource: &Resource, finding: &Finding) {
        if finding.outcome != Outcome::Fail || finding.place.live {
            return;
        }
        let remedy = finding.remedy.as_deref();
        let mended = remedy.and_then(|remedy| mended(resource, remedy));
        let line = Line {
            place: finding.place.clone(),
            mended: mended.map(Box::from),
        };
        self.findings.insert(word(finding), line);
    }

    /// Where an object is written.
    #[must_use]
    pub fn places(&self, id: &str) -> &[Location] {
        self.objects.get(id).map_or(&[], Vec::as_slice)
    }

    /// The same finding, as the base has it.
    #[must_use]
    pub fn line(&self, finding: &Finding) -> Option<&Line> {
        self.findings.get(&word(finding))
    }
}

/// The difference that a remedy makes to the text of an object's own document.
fn mended(resource: &Resource, remedy: &Remedy) -> Option<String> {
    let origin = &resource.origin;
    let own = remedy.origin == *origin
        && origin.rendered_by.is_none()
        && resource.azure.is_none()
        && remedy.other.is_none()
        && remedy.new.is_empty()
        && remedy.added.is_empty()
        && !remedy.changes.is_empty();
    if !own {
        return None;
    }
    let text = resource.doc.text();
    let options = edit::Options {
        format: if origin.path.ends_with(".json") {
            Format::Jsonc
        } else {
            Format::Documents
        },
        ..edit::Options::default()
    };
    let operations = guide::remedy::operations(&remedy.changes).ok()?;
    let mut editor = Editor::new(text, options);
    editor.apply(0, &operations).ok()?;
    let outcome = editor.finish();
    if !outcome.refused.is_empty() {
        return None;
    }
    let (first, _) = resource.doc.line_column(0);
    difference(text, &edit::apply(text, &outcome.edits), first)
}

/// The lines that differ between two texts, with a few around them; nothing where they are too many.
fn difference(old: &str, new: &str, first: u32) -> Option<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let before = same(&mut old.iter().zip(&new));
    let room = old.len().min(new.len()) - before;
    let after = same(&mut old.iter().rev().zip(new.iter().rev())).min(room);
    let from = before.saturating_sub(AROUND);
    let (gone, come) = (
        old.get(before..old.len() - after)?,
        new.get(before..new.len() - after)?,
    );
    let rest = old.get(old.len() - after..)?;
    if gone.is_empty() && come.is_empty() || gone.len() + come.len() > LINES {
        return None;
    }
    let mut text = format!("@@ line {} @@\n", first as usize + from);
    let mut add = |sign: char, lines: &[&str]| {
        for line in lines {
            text.push(sign);
            text.push_str(line);
            text.push('\n');
        }
    };
    add(' ', old.get(from..before)?);
    add('-', gone);
    add('+', come);
    add(' ', rest.get(..AROUND.min(rest.len()))?);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_told_with_a_few_lines_around_it() {
        let old = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(
            difference(old, "a\nb\nc\nD\ne\nf\n", 10).as_deref(),
            Some("@@ line 11 @@\n b\n c\n-d\n+D\n e\n f\n")
        );
        assert_eq!(
            difference(old, "a\nb\nc\nd\nd\ne\nf\n", 1).as_deref(),
            Some("@@ line 3 @@\n c\n d\n+d\n e\n f\n")
        );
        assert_eq!(
            difference("a\n", "b\na\n", 1).as_deref(),
            Some("@@ line 1 @@\n+b\n a\n")
        );
        assert_eq!(difference(old, old, 1), None);
        let long = "x\n".repeat(100);
        assert_eq!(difference(old, &long, 1), None);
    }
}
