//! Documents that go as a whole, out of a text that may hold others.
//!
//! What goes: from the `---` in front of the document to the line before the next one, comments included. Of the first
//! document of a text the comments stay that a blank line or a `---` parts from it: they are about the file. When it had no `---`
//! in front, that of the next one goes with it. It leaves out files: whoever removes the last document of one decides
//! what becomes of it.

use std::collections::BTreeSet;

use crate::{Raw, documents};

use super::Edit;
use super::refusal::Refusal;

/// Which documents go.
#[derive(Debug, Default)]
pub(super) struct Removed {
    numbers: BTreeSet<u32>,
}

impl Removed {
    /// Plans the removal of a document.
    pub(super) fn add(&mut self, raw: &Raw<'_>) -> Result<(), Refusal> {
        if raw.empty {
            return Err(Refusal::Empty);
        }
        if head(&raw.text).any(|line| line.starts_with('%')) {
            return Err(Refusal::Form {
                what: "a directive stands in front of the document",
                line: raw.line,
            });
        }
        self.numbers.insert(raw.index);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn has(&self, document: u32) -> bool {
        self.numbers.contains(&document)
    }

    /// Whether nothing is left but what holds no value.
    pub(super) fn all(&self, raws: &[Raw<'_>]) -> bool {
        raws.iter().all(|raw| raw.empty || self.has(raw.index))
    }

    /// The edits that take the documents away, in order.
    pub(super) fn edits(&self, raws: &[Raw<'_>], text: &str) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut bare = false;
        for raw in raws {
            let (start, length) = (raw.offset as usize, raw.text.len());
            let gone = if !self.has(raw.index) {
                let marker = if bare && !raw.empty {
                    bare_marker(&raw.text)
                } else {
                    0
                };
                bare = false;
                0..marker
            } else if raw.index == 0 {
                let kept = kept_of_first(&raw.text);
                bare = kept == 0 && !raw.text.starts_with("---");
                kept..length
            } else {
                0..length
            };
            if !gone.is_empty() {
                // Comments behind a `...` at the end of the text belong to no document.
                let is_last = raw.index as usize + 1 == raws.len() && self.has(raw.index);
                let gone = gone.start..if is_last {
                    text.len() - start
                } else {
                    gone.end
                };
                edits.push(Edit {
                    start: start + gone.start,
                    end: start + gone.end,
                    text: String::new(),
                });
            }
        }
        edits
    }

    /// Whether an edited text holds what it should: the documents that stay, those without edits of their own byte for
    /// byte.
    pub(super) fn others_stay(&self, raws: &[Raw<'_>], text: &str, edits: &[Edit]) -> bool {
        let mut after = documents(text);
        let mut front = String::new();
        for raw in raws {
            if self.has(raw.index) {
                if raw.index == 0 {
                    let kept = kept_of_first(&raw.text);
                    front.push_str(raw.text.get(..kept).unwrap_or_default());
                }
                continue;
            }
            let Some(new) = after.next() else {
                return false;
            };
            let (start, end) = (raw.offset as usize, raw.offset as usize + raw.text.len());
            let marker = bare_marker(&raw.text);
            // The edit that takes the `---` away is none of its own.
            let changed = edits
                .iter()
                .any(|edit| edit.start >= start && edit.end <= end && (edit.end > start + marker));
            let old = raw.text.get(marker..).unwrap_or_default();
            let own = new.text.strip_prefix(&*front).unwrap_or_default();
            let same = own == &*raw.text || (front.is_empty() && own == old);
            front.clear();
            if new.empty != raw.empty || new.json != raw.json || !(same || changed) {
                return false;
            }
        }
        after.next().is_none()
    }
}

/// The lines in front of a document's value.
fn head(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').take_while(|line| {
        let content = line.trim();
        content.is_empty() || content.starts_with(['#', '%']) || is_marker(line)
    })
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'))
}

/// How many bytes in front of the first document are about the file.
fn kept_of_first(text: &str) -> usize {
    let (mut at, mut kept, mut said) = (0, 0, false);
    for line in head(text) {
        if is_marker(line) {
            return if said { at } else { 0 };
        }
        at += line.len();
        said |= !line.trim().is_empty();
        if said && line.trim().is_empty() {
            kept = at;
        }
    }
    kept
}

/// How many bytes the `---` in front of a document takes, when nothing else stands on its line.
fn bare_marker(text: &str) -> usize {
    match text.split_inclusive('\n').next() {
        Some(line) if line.starts_with("---") && line.trim() == "---" => line.len(),
        _ => 0,
    }
}
