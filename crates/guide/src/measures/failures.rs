//! Which objects do not follow the guidelines that take steps away, noted while they are judged.
//!
//! A report of a whole estate judges each object once, when it is read; what the steps of attackers rest on is
//! known only when everything has been read. So that nothing is judged twice, and findings need not wait, a
//! number for each object is kept: that of its set of guidelines. Few sets are different.

use std::collections::HashMap;

use analysis::paths::{Edge, Object, Step};
use model::ResourceRef;

use crate::catalogue::Guide;
use crate::judge::{Judged, VerdictWord};

/// An object that does not follow a guideline, by its number in [`Guide::guidelines`]; without an object, the
/// estate as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Failure {
    /// The guideline.
    pub guideline: u16,
    /// The object.
    pub object: Option<ResourceRef>,
}

/// What was noted.
#[derive(Debug)]
pub struct Failures {
    /// kinds of steps that each guideline takes away
    cuts: Vec<Vec<Edge>>,
    /// sets of guidelines; the first is empty
    sets: Vec<Box<[u16]>>,
    numbers: HashMap<Box<[u16]>, u32>,
    /// the number of its set, for each object
    of: Vec<u32>,
    estate: Vec<u16>,
}

impl Failures {
    /// Nothing is noted yet.
    #[must_use]
    pub fn new(guide: &Guide) -> Self {
        let cuts = |guideline: &crate::Guideline| {
            let ids = guideline.cuts.iter();
            ids.filter_map(|id| Edge::find(id)).collect()
        };
        Self {
            cuts: guide.guidelines.iter().map(cuts).collect(),
            sets: vec![Box::default()],
            numbers: HashMap::from([(Box::default(), 0)]),
            of: Vec::new(),
            estate: Vec::new(),
        }
    }

    fn failed(&self, judged: &Judged) -> Vec<u16> {
        let cuts = |number: u16| self.cuts.get(usize::from(number));
        judged
            .verdicts
            .iter()
            .filter(|(_, verdict)| *verdict == VerdictWord::Fail)
            .map(|(number, _)| *number)
            .filter(|number| cuts(*number).is_some_and(|cuts| !cuts.is_empty()))
            .collect()
    }

    /// Notes what was said of an object.
    pub fn note(&mut self, object: ResourceRef, judged: &Judged) {
        let mut failed = self.failed(judged);
        if failed.is_empty() {
            return;
        }
        let at = object.0 as usize;
        if self.of.len() <= at {
            self.of.resize(at + 1, 0);
        }
        failed.extend_from_slice(self.of_object(object));
        failed.sort_unstable();
        failed.dedup();
        let next = self.sets.len() as u32;
        let failed = failed.into_boxed_slice();
        let number = match self.numbers.get(&failed) {
            Some(number) => *number,
            None => {
                self.sets.push(failed.clone());
                self.numbers.insert(failed, next);
                next
            }
        };
        if let Some(slot) = self.of.get_mut(at) {
            *slot = number;
        }
    }

    /// Notes what was said of the estate as a whole.
    pub fn note_estate(&mut self, judged: &Judged) {
        let failed = self.failed(judged);
        self.estate.extend(failed);
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.estate.is_empty() && self.sets.len() == 1
    }

    fn of_object(&self, object: ResourceRef) -> &[u16] {
        let number = self.of.get(object.0 as usize).copied().unwrap_or_default();
        self.sets.get(number as usize).map_or(&[], |set| set)
    }

    /// What stands behind a step: each would take it away if it were mended, alone.
    pub fn behind(&self, step: &Step<'_>) -> Vec<Failure> {
        let edge = step.edge;
        if edge == Edge::Implied {
            return Vec::new();
        }
        let cuts = |number: u16| {
            self.cuts
                .get(usize::from(number))
                .is_some_and(|cuts| cuts.contains(&edge))
        };
        let mut found: Vec<Failure> = Vec::new();
        let mut take = |object: Option<ResourceRef>, numbers: &[u16]| {
            let numbers = numbers.iter().copied().filter(|number| cuts(*number));
            found.extend(numbers.map(|guideline| Failure { guideline, object }));
        };
        take(None, &self.estate);
        for evidence in step.evidence {
            if let Object::Estate(object) = evidence.object {
                take(Some(object), self.of_object(object));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
