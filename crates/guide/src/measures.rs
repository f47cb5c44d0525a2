//! What takes a step of an attacker away: the guidelines that are not followed where it rests, and the options
//! of topics that are not chosen.
//!
//! A guideline cuts a step when it names the step's kind in its `cuts` and fails on one of the objects that
//! the step rests on (or on the estate as a whole). What is followed already is no measure; where it is
//! not known whether it is, it is one that may be. An option cuts every step of its kinds.

use std::collections::HashMap;

use analysis::Analyses;
use analysis::paths::{Edge, Object, Step};
use model::finding::Outcome;
use model::{Resource, ResourceRef};

use crate::catalogue::Guide;
use crate::judge::{Judge, Judged};

/// Something that can be done about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// To follow a guideline, by its number in [`Guide::guidelines`].
    Guideline(u16),
    /// To choose an option: the number of the topic in [`Guide::topics`] and of the option in it.
    Choice(u16, u16),
}

/// A guideline that is not followed somewhere, or of which that is not known.
type Failing = Vec<u16>;

/// Finds the measures against steps. What it finds out about an object is kept.
pub struct Measures<'a> {
    guide: &'a Guide,
    judge: Judge<'a>,
    analyses: &'a Analyses<'a>,
    /// kinds that each guideline takes away
    cuts: Vec<Vec<Edge>>,
    /// by object of a step
    failing: HashMap<ResourceRef, Failing>,
    /// of the estate as a whole
    estate: Failing,
    /// kinds that options take away
    choices: Vec<(Measure, Vec<Edge>)>,
}

impl std::fmt::Debug for Measures<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measures").finish_non_exhaustive()
    }
}

impl<'a> Measures<'a> {
    /// Ready to be asked. `judge` knows the guidelines in question; see [`cuts_something`].
    #[must_use]
    pub fn new(judge: Judge<'a>, analyses: &'a Analyses<'a>) -> Self {
        let guide = judge.guide;
        let edges = |ids: &[Box<str>]| ids.iter().filter_map(|id| Edge::find(id)).collect();
        let choices = guide
            .topics
            .iter()
            .enumerate()
            .flat_map(|(topic, of)| {
                of.options.iter().enumerate().map(move |(at, option)| {
                    (
                        Measure::Choice(topic as u16, at as u16),
                        edges(&option.cuts),
                    )
                })
            })
            .collect();
        let mut measures = Self {
            guide,
            analyses,
            cuts: guide
                .guidelines
                .iter()
                .map(|guideline| edges(&guideline.cuts))
                .collect(),
            failing: HashMap::new(),
            estate: Vec::new(),
            choices,
            judge,
        };
        if let Some(witness) = analyses.estate.resources().first() {
            measures.estate = measures.not_followed(&measures.judge.estate(witness, analyses));
        }
        measures
    }

    /// Leaves out options that the estate has chosen already.
    pub fn leave_out(&mut self, chosen: impl Fn(Measure) -> bool) {
        self.choices.retain(|(measure, _)| !chosen(*measure));
    }

    fn not_followed(&self, judged: &Judged) -> Failing {
        let mut found: Vec<u16> = judged
            .findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::Fail))
            .filter_map(|finding| self.guide.number(&finding.guideline.0))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn failing(&mut self, object: ResourceRef) -> &[u16] {
        if !self.failing.contains_key(&object) {
            let found = match self.analyses.estate.get(object) {
                Some(resource) => self.judge_one(resource),
                None => Vec::new(),
            };
            self.failing.insert(object, found);
        }
        self.failing.get(&object).map_or(&[], Vec::as_slice)
    }

    fn judge_one(&self, resource: &Resource) -> Failing {
        let mut found = self.not_followed(&self.judge.local(resource));
        found.extend(self.not_followed(&self.judge.joined(resource, self.analyses)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The guidelines that take a step away where they are followed, then the options that do; each once.
    pub fn cutting(&mut self, step: &Step<'_>) -> Vec<Measure> {
        let edge = step.edge;
        if edge == Edge::Implied {
            return Vec::new();
        }
        let mut found: Vec<u16> = self.estate.clone();
        for evidence in step.evidence {
            if let Object::Estate(object) = evidence.object {
                found.extend_from_slice(self.failing(object));
            }
        }
        found.retain(|number| {
            self.cuts
                .get(usize::from(*number))
                .is_some_and(|cuts| cuts.contains(&edge))
        });
        found.sort_unstable();
        found.dedup();
        let guidelines = found.into_iter().map(Measure::Guideline);
        let choices = self
            .choices
            .iter()
            .filter(|(_, cuts)| cuts.contains(&edge))
            .map(|(measure, _)| *measure);
        guidelines.chain(choices).collect()
    }

    /// What a measure is called: the guideline's id, `topic/option`.
    #[must_use]
    pub fn id(&self, measure: Measure) -> String {
        id(self.guide, measure)
    }
}

/// What a measure is called: the guideline's id, `topic/option`.
#[must_use]
pub fn id(guide: &Guide, measure: Measure) -> String {
    match measure {
        Measure::Guideline(number) => guide
            .guidelines
            .get(usize::from(number))
            .map_or_else(String::new, |guideline| guideline.id.to_string()),
        Measure::Choice(topic, option) => guide
            .topics
            .get(usize::from(topic))
            .and_then(|topic| {
                let option = topic.options.get(usize::from(option))?;
                Some(format!("{}/{}", topic.id, option.id))
            })
            .unwrap_or_default(),
    }
}

/// What a measure says.
#[must_use]
pub fn title(guide: &Guide, measure: Measure) -> &str {
    match measure {
        Measure::Guideline(number) => guide
            .guidelines
            .get(usize::from(number))
            .map_or("", |guideline| &guideline.title),
        Measure::Choice(topic, option) => guide
            .topics
            .get(usize::from(topic))
            .and_then(|topic| topic.options.get(usize::from(option)))
            .map_or("", |option| &option.title),
    }
}

/// Whether a guideline takes any step away, and so is worth asking.
#[must_use]
pub fn cuts_something(guideline: &crate::Guideline) -> bool {
    guideline.cuts.iter().any(|id| Edge::find(id).is_some())
}

mod failures;
pub use failures::{Failure, Failures};

#[cfg(test)]
mod claims;
