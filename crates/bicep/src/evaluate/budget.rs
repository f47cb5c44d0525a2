//! What one evaluation may cost: steps, parts that are looked at, bytes, templates, resources.
//! A text of a few lines can ask for more than any machine has.

use crate::deployment::{Problem, ProblemKind};
use crate::evaluate::compare::{Comparison, MAX_COMPARED};
use crate::evaluate::engine::Engine;
use crate::evaluate::weight::MAX_SIZE;
use crate::source::Span;
use crate::value::{Data, Shape, Value, Why};

/// Steps that one evaluation may take. The largest of the Azure Verified Modules takes about a
/// hundredth of it.
pub(crate) const FUEL: u64 = 10_000_000;

/// Parts of values (a few bytes of a string count as one) that functions may look at.
pub(crate) const WORK: u64 = 150_000_000;

/// How much one evaluation may add to the arena. The arena doubles when it is full, so that it may
/// come to twice as much.
pub(crate) const MOST_BYTES: usize = 1 << 28;

/// How many resources one evaluation may list. Azure makes no more than 800 for one template.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits>
pub(crate) const MOST_RESOURCES: usize = 20_000;

/// How many templates (deployments within deployments) one evaluation may look at.
pub(crate) const MOST_TEMPLATES: usize = 4_000;

/// What is said, once, where evaluation is given up.
pub(crate) const EXHAUSTED: &str = "the template takes too much time or space to evaluate";

impl<'a> Engine<'a> {
    /// Counts parts that are looked at or made. Whether there was something left.
    pub(crate) fn spend(&self, parts: usize) -> bool {
        let left = self.work.get().saturating_sub(parts as u64);
        self.work.set(left);
        if left == 0 || self.bump.allocated_bytes() > self.most_bytes {
            self.fuel.set(0);
        }
        self.fuel.get() > 0
    }

    /// Counts what a function has to look at.
    pub(crate) fn spend_on(&self, values: &[Value<'a>]) -> bool {
        let parts = values.iter().map(|value| match value.data {
            Data::Str(text) => text.len() / 2,
            Data::Array(_) | Data::Object(_) => self.size(value).min(MAX_SIZE) as usize,
            _ => 1,
        });
        self.spend(parts.sum())
    }

    /// Whether two values are the same, as far as that is known.
    pub(crate) fn equal(&self, a: &Value<'a>, b: &Value<'a>) -> Option<bool> {
        let mut comparison = Comparison { left: MAX_COMPARED };
        let equal = comparison.equal(a, b, 0);
        self.spend((MAX_COMPARED - comparison.left) as usize);
        equal
    }

    /// Whether two values are certainly the same.
    pub(crate) fn identical(&self, a: &Value<'a>, b: &Value<'a>) -> bool {
        self.equal(a, b) == Some(true)
    }

    /// Ends evaluation because there are too many of something, and says so once.
    pub(crate) fn too_many(&self, span: Span, message: String) {
        self.fuel.set(0);
        if self.gave_up.replace(true) {
            return;
        }
        self.problem(Problem {
            span,
            message,
            help: Some("what comes after it is not part of the answer".to_owned()),
            kind: ProblemKind::Unresolved,
        });
    }

    /// Notes, once, that evaluation was given up.
    pub(crate) fn exhausted(&self, span: Span) -> Value<'a> {
        if self.gave_up.replace(true) {
            let why = [Why::Error(EXHAUSTED)];
            return self.unknown(span, "error", Shape::Any, &why, false);
        }
        // It may not be needed, but what comes after it is not looked at.
        let guesses = self.guesses.replace(0);
        let value = self.error(span, EXHAUSTED.to_owned());
        self.guesses.set(guesses);
        value
    }
}
