//! Unknown verdicts that count, gathered by reason.
//!
//! What it deliberately leaves out: single places, which JSON and HTML list.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use model::finding::{Because, Finding, GuidelineId, Outcome};

/// Reasons kept apart; a template can open thousands of values.
const REASONS_KEPT: usize = 256;

/// Unknowns with one reason.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reason {
    /// how many
    pub(crate) count: usize,
    /// of which guidelines
    pub(crate) guidelines: BTreeSet<GuidelineId>,
}

/// All unknowns.
#[derive(Debug, Default)]
pub(crate) struct Unknowns {
    reasons: BTreeMap<Box<str>, Reason>,
    /// Those with reasons beyond the ones kept apart.
    pub(crate) other: usize,
    /// Those that only come from absence.
    pub(crate) absence: Reason,
}

impl Unknowns {
    /// Takes a finding in, when it is an unknown that counts.
    pub(crate) fn add(&mut self, finding: &Finding) {
        let Outcome::Unknown { reason, because } = &finding.outcome else {
            return;
        };
        if !finding.counts() {
            return;
        }
        let full = self.reasons.len() >= REASONS_KEPT;
        let entry = if *because == Because::Absence {
            &mut self.absence
        } else if full && !self.reasons.contains_key(reason) {
            self.other += 1;
            return;
        } else {
            self.reasons.entry(reason.clone()).or_default()
        };
        entry.count += 1;
        if !entry.guidelines.contains(&finding.guideline) {
            entry.guidelines.insert(finding.guideline.clone());
        }
    }

    /// All of them.
    pub(crate) fn total(&self) -> usize {
        self.reasons
            .values()
            .map(|reason| reason.count)
            .sum::<usize>()
            + self.other
            + self.absence.count
    }

    /// Reasons other than absence, the most frequent first.
    pub(crate) fn in_order(&self) -> Vec<(&str, &Reason)> {
        let mut reasons: Vec<(&str, &Reason)> = self
            .reasons
            .iter()
            .map(|(text, reason)| (&**text, reason))
            .collect();
        reasons.sort_by_key(|(_, reason)| Reverse(reason.count));
        reasons
    }
}
