//! A document whose text joins several files: which file a place is in, and what of it is shown.

use std::sync::Arc;

use yaml::Span;

use super::{Doc, line_starts, strike, written};

/// A file within a text that joins several.
#[derive(Debug, Clone)]
pub struct Part {
    /// First byte of it in the text.
    pub start: u32,
    /// What it is called.
    pub path: Arc<str>,
    /// It holds values and little else (a plan, variables' values): its lines are never shown.
    pub hidden: bool,
}

impl Doc {
    /// The file that holds a byte offset, for a text that joins several.
    #[must_use]
    pub fn part_at(&self, offset: u32) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.start <= offset);
        self.parts.get(after.checked_sub(1)?)
    }

    /// Whether it holds Azure resources, whose keys have no case.
    #[must_use]
    pub fn is_azure(&self) -> bool {
        self.folds_case
    }

    /// The places of values that are never shown, for Azure resources.
    #[must_use]
    pub fn hidden(&self) -> &[Span] {
        &self.hidden
    }

    /// The files that the text joins, with their texts.
    pub fn parts(&self) -> impl Iterator<Item = (&Part, &str)> {
        let ends = self
            .parts
            .iter()
            .skip(1)
            .map(|part| part.start as usize)
            .chain([self.text.len()]);
        self.parts.iter().zip(ends).map(|(part, end)| {
            (
                part,
                self.text.get(part.start as usize..end).unwrap_or_default(),
            )
        })
    }

    /// The path of that file.
    #[must_use]
    pub fn path_at(&self, offset: u32) -> Option<&Arc<str>> {
        self.part_at(offset).map(|part| &part.path)
    }

    /// Lines before an offset within its own file.
    pub(super) fn lines_in_part(&self, offset: usize, lines_before: u32) -> u32 {
        let Some(part) = self.part_at(offset as u32).filter(|part| part.start > 0) else {
            return lines_before;
        };
        let starts = self
            .line_starts
            .get_or_init(|| line_starts(self.text.as_bytes()));
        lines_before - starts.partition_point(|start| *start <= part.start) as u32
    }

    /// Overwrites places of the text that must not be shown.
    pub(crate) fn strike(&mut self, places: &[Span]) {
        let text = std::mem::take(&mut self.text);
        let inside = |place: &&Span| {
            place.start < place.end
                && text.is_char_boundary(place.start as usize)
                && text.is_char_boundary(place.end as usize)
        };
        let places: Vec<Span> = places.iter().filter(inside).copied().collect();
        let mut bytes = text.into_string().into_bytes();
        for place in places {
            strike(&mut bytes, place.start as usize, place.end as usize);
        }
        self.text = written(bytes).into();
    }
}
