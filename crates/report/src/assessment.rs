//! What every report is made from: the findings as they come, and the totals at the end.

use std::collections::BTreeMap;
use std::io;

use guide::ages::OldFact;
use guide::{Guide, VerdictWord};
use model::coverage::Coverage;
use model::finding::{Because, Finding, GuidelineId, Outcome, Severity};
use model::resource::ResourceName;

use crate::enables::Attack;
use crate::html::Part;
use crate::triage::Trend;

/// Writes one output format. Findings come in the order of the input.
pub trait Sink {
    /// A finding, after triage (its waiver and baseline marks are set).
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()>;

    /// A verdict, when all are asked for (`--verdicts all`).
    ///
    /// # Errors
    /// When the output cannot be written.
    fn verdict(
        &mut self,
        guideline: &GuidelineId,
        resource: &ResourceName,
        verdict: VerdictWord,
    ) -> io::Result<()> {
        let _ = (guideline, resource, verdict);
        Ok(())
    }

    /// The end: totals and coverage are known now.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()>;
}

/// Everything but the findings themselves.
#[derive(Debug)]
pub struct Assessment<'a> {
    /// The guide.
    pub guide: &'a Guide,
    /// Counts.
    pub summary: Summary,
    /// The ledger.
    pub coverage: Coverage,
    /// What was assessed, as the user named it.
    pub subject: Vec<String>,
    /// The Kubernetes minor judged against.
    pub kubernetes_minor: u8,
    /// The day it was judged as of (ISO date).
    pub as_of: String,
    /// Findings at or above it trip the exit code; `None`: never.
    pub fail_on: Option<Severity>,
    /// Unknown verdicts trip it too.
    pub fail_on_unknown: bool,
    /// The estate was declared whole.
    pub whole: bool,
    /// Nothing but files was read, and `subject` are their paths.
    pub files_only: bool,
    /// The framework that selected the guidelines, when one did.
    pub framework: Option<String>,
    /// What findings open to attackers.
    pub attack: Attack,
    /// Facts that verdicts rest on and that were read too long ago, the oldest first.
    pub old_facts: Vec<OldFact>,
    /// What a page for people shows besides, in order.
    pub parts: Vec<Part>,
    /// What became of the findings of the baseline, when there is one.
    pub trend: Option<Trend>,
    /// Where the guide's pages stand.
    pub site: Option<Box<str>>,
    /// Program version.
    pub version: &'static str,
}

/// Counts of findings and verdicts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Findings that count, by severity.
    pub fails: BTreeMap<Severity, usize>,
    /// Unknown verdicts that count, by severity.
    pub unknowns: BTreeMap<Severity, usize>,
    /// Of the unknowns, those that only come from absence.
    pub unknowns_from_absence: usize,
    /// Findings accepted by a waiver.
    pub waived: usize,
    /// Findings known from the baseline.
    pub in_baseline: usize,
    /// Findings on objects that AKS manages.
    pub provider_managed: usize,
    /// Verdicts (guideline × resource) by word.
    pub verdicts: Counts,
    /// Resources judged.
    pub resources: usize,
    /// Guidelines that were in question.
    pub guidelines: usize,
}

/// Verdicts by word.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// holds
    pub pass: usize,
    /// does not hold
    pub fail: usize,
    /// does not apply
    pub not_applicable: usize,
    /// cannot be said
    pub unknown: usize,
}

impl Counts {
    /// Counts one more.
    pub const fn add(&mut self, verdict: VerdictWord) {
        match verdict {
            VerdictWord::Pass => self.pass += 1,
            VerdictWord::Fail => self.fail += 1,
            VerdictWord::NotApplicable => self.not_applicable += 1,
            VerdictWord::Unknown => self.unknown += 1,
        }
    }
}

impl Summary {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        if finding.waiver.is_some() {
            self.waived += 1;
        } else if finding.in_baseline {
            self.in_baseline += 1;
        } else if finding.provider_managed {
            self.provider_managed += 1;
        } else {
            match &finding.outcome {
                Outcome::Fail => *self.fails.entry(finding.severity).or_default() += 1,
                Outcome::Unknown { because, .. } => {
                    *self.unknowns.entry(finding.severity).or_default() += 1;
                    if *because == Because::Absence {
                        self.unknowns_from_absence += 1;
                    }
                }
            }
        }
    }

    /// Findings (or unknowns) that count at or above a severity.
    #[must_use]
    pub fn at_or_above(counts: &BTreeMap<Severity, usize>, floor: Severity) -> usize {
        counts.range(floor..).map(|(_, count)| count).sum()
    }
}

impl Assessment<'_> {
    /// The page of a guideline, where the guide's pages stand somewhere.
    #[must_use]
    pub fn page_of(&self, id: &GuidelineId) -> Option<String> {
        let guideline = self.guide.guideline(&id.0)?;
        Some(crate::site::page_of(self.site.as_deref()?, guideline))
    }

    /// The exit code: 1 findings at or above the floor, 4 something given could not be judged, 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if let Some(floor) = self.fail_on {
            let unknowns = if self.fail_on_unknown {
                Summary::at_or_above(&self.summary.unknowns, floor)
            } else {
                0
            };
            if Summary::at_or_above(&self.summary.fails, floor) + unknowns > 0 {
                return 1;
            }
        }
        if self.coverage.incomplete() { 4 } else { 0 }
    }
}
