//! Verdicts and findings: what is wrong, how bad, where exactly, and what it costs to mend.

use std::fmt;
use std::sync::Arc;

use crate::remedy::Remedy;
use crate::resource::{ResourceName, ResourceRef};

/// The stable name of a guideline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuidelineId(pub Arc<str>);

impl fmt::Display for GuidelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How bad it is, least first so that comparison reads naturally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The seed's partly sunny.
    Low,
    /// The seed's cloud.
    Medium,
    /// The seed's fire.
    High,
    /// The seed's boom.
    Critical,
}

impl Severity {
    /// Worst first, the order of reports.
    pub const WORST_FIRST: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORST_FIRST
            .into_iter()
            .find(|severity| severity.word() == word)
    }
}

/// The verdicts that make a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The guideline does not hold.
    Fail,
    /// It cannot be said, and why.
    Unknown {
        /// why, as a sentence
        reason: Box<str>,
        /// what it rests on
        because: Because,
    },
}

/// What makes a verdict unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// What was given says nothing of it, and nobody said that it is everything.
    Absence,
    /// A source that was given could not read it, or was told not to.
    Unread,
    /// What was read leaves it open.
    Content,
}

impl Outcome {
    /// The word used in every output.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// An amount of which only the two ends between which it lies are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Range {
    /// An amount that is known.
    #[must_use]
    pub const fn exact(amount: f64) -> Self {
        Self {
            low: amount,
            high: amount,
        }
    }

    /// Half way between its ends.
    #[must_use]
    pub const fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {}", self.low, self.high)
        }
    }
}

/// What following a guideline costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cost {
    /// EUR a month.
    pub monthly: f64,
    /// Days of work, once.
    pub effort_days: Range,
    /// Hours a month.
    pub upkeep_hours: f64,
    /// What stops working.
    pub breaks: Option<Box<str>>,
}

/// Whether a machine may apply a fix without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// It cannot break a working workload.
    Safe,
    /// It may.
    Unsafe,
}

impl Safety {
    /// The word used in every output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, `-` for standard input; of a live object its address.
    pub path: Arc<str>,
    /// `path` is the address of a live object: there is no line to show.
    pub live: bool,
    /// from 1
    pub line: u32,
    /// from 1, in characters
    pub column: u32,
    /// from 1
    pub end_line: u32,
    /// from 1, one past the last character
    pub end_column: u32,
    /// Field path within the object: `spec.containers[0].securityContext`.
    pub route: String,
    /// The text of the first line, with secrets struck out.
    pub source: Box<str>,
    /// What this place has to do with it, for places after the first.
    pub note: Option<Box<str>>,
}

/// A value that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Field path within the object.
    pub route: String,
    /// The value as JSON, `absent`, or why it is unknown; secrets struck out.
    pub value: String,
}

/// An accepted finding: who, why, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverNote {
    /// Why it is accepted.
    pub reason: Box<str>,
    /// Who answers for it; empty for one written inline.
    pub owner: Box<str>,
    /// Until when (ISO date).
    pub until: Option<Box<str>>,
    /// Where the waiver stands: `seawall.yaml:12`.
    pub at: Box<str>,
}

/// Tells findings of one estate apart and stays the same when lines move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// From the guideline, the resource and the item within it.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut text = String::with_capacity(96);
        for part in parts {
            text.push_str(part);
            text.push('\u{1f}');
        }
        Self(xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    /// Of a finding: the guideline, where the resource was read and its id, the item, and the line of the
    /// check where the guideline has several.
    #[must_use]
    pub fn of_finding(
        guideline: &GuidelineId,
        path: &str,
        id: &str,
        item: Option<&str>,
        check: Option<usize>,
    ) -> Self {
        let check = check.map(|number| number.to_string()).unwrap_or_default();
        Self::of(&[&guideline.0, path, id, item.unwrap_or_default(), &check])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A fail or unknown verdict with its place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which guideline.
    pub guideline: GuidelineId,
    /// Its severity, after overrides.
    pub severity: Severity,
    /// Fail or unknown.
    pub outcome: Outcome,
    /// What is wrong here.
    pub message: String,
    /// Which resource.
    pub resource: Arc<ResourceName>,
    /// The number of the resource that was judged, where an estate is kept.
    pub object: Option<ResourceRef>,
    /// The container (or other item) within it, by name.
    pub item: Option<Box<str>>,
    /// Which check was not true, from 0, where the guideline has several.
    pub check: Option<usize>,
    /// AKS itself makes and keeps this object.
    pub provider_managed: bool,
    /// Tells it from others and stays when lines move.
    pub fingerprint: Fingerprint,
    /// The place that decided. A finding without a place does not build.
    pub place: Location,
    /// Further places.
    pub more_places: Vec<Location>,
    /// The values that decided.
    pub evidence: Vec<Evidence>,
    /// Whether there is a machine fix, and whether it is safe.
    pub fix: Option<Safety>,
    /// What that is here, when it was asked for.
    pub remedy: Option<Box<Remedy>>,
    /// Accepted by a waiver.
    pub waiver: Option<WaiverNote>,
    /// Known from the baseline.
    pub in_baseline: bool,
    /// What it has in common with others: findings with the same words here are mended together.
    pub root_cause: Option<Box<str>>,
}

impl Finding {
    /// Whether it counts: neither waived nor in the baseline nor AKS's own.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.waiver.is_none() && !self.in_baseline && !self.provider_managed
    }

    /// All places, the deciding one first.
    pub fn places(&self) -> impl Iterator<Item = &Location> {
        std::iter::once(&self.place).chain(&self.more_places)
    }
}
