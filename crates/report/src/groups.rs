//! Findings that count, gathered by guideline: how many, where, from which cause, and the first few.
//!
//! Memory grows with guidelines, files and causes, not with findings.
//!
//! What it deliberately leaves out: unknowns ([`crate::unknowns`]) and layout.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guide::Guide;
use model::finding::{Finding, GuidelineId, Outcome, Safety, Severity};

use crate::enables::Attack;
use crate::text::count;

/// Findings kept of a guideline that takes steps of attackers away: which of them open most is known in the end.
const CANDIDATES: usize = 64;
/// Causes of which the first finding is kept for being shown.
const CAUSES_KEPT: usize = 64;

/// What was found by one guideline.
#[derive(Debug)]
pub(crate) struct Group {
    /// Which.
    pub(crate) guideline: GuidelineId,
    /// The worst of its findings.
    pub(crate) severity: Severity,
    /// Its findings.
    pub(crate) fails: usize,
    /// Of them, those that a machine may mend without asking.
    pub(crate) safe: usize,
    /// The checks that failed, where the guideline has several.
    pub(crate) checks: BTreeSet<usize>,
    /// Findings by file; those of a running estate by namespace or resource group.
    pub(crate) files: BTreeMap<Arc<str>, usize>,
    /// What these places are.
    places: BTreeSet<Places>,
    /// The first findings, those of one cause as one.
    entries: Vec<Entry>,
    /// Index into `entries` by cause; `None` where the first finding was not kept.
    causes: BTreeMap<Box<str>, Option<usize>>,
    /// Findings without a cause in `entries`.
    single: usize,
}

/// A finding, with those that have the same cause.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The first of them.
    pub(crate) finding: Finding,
    /// How many there are.
    pub(crate) count: usize,
    /// Where they are.
    pub(crate) files: BTreeMap<Arc<str>, usize>,
}

/// What findings are gathered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Places {
    File,
    Namespace,
    ResourceGroup,
    /// What belongs to no namespace or resource group.
    Level,
}

/// Where a finding is gathered.
fn place_of(finding: &Finding) -> (Places, Arc<str>) {
    let path = &finding.place.path;
    if !finding.place.live {
        return (Places::File, Arc::clone(path));
    }
    let mut parts = path
        .split('/')
        .skip_while(|part| !part.eq_ignore_ascii_case("resourceGroups"));
    if let (Some(_), Some(group)) = (parts.next(), parts.next()) {
        return (Places::ResourceGroup, group.to_ascii_lowercase().into());
    }
    match &finding.resource.namespace {
        Some(namespace) => (Places::Namespace, (&**namespace).into()),
        None => (Places::Level, "".into()),
    }
}

/// What is not shown of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// findings
    pub(crate) findings: usize,
    /// files they are in
    pub(crate) files: usize,
}

/// All groups.
#[derive(Debug)]
pub(crate) struct Groups {
    kept: usize,
    groups: BTreeMap<GuidelineId, Group>,
}

impl Groups {
    /// Keeps the first `kept` findings of each guideline.
    pub(crate) const fn new(kept: usize) -> Self {
        Self {
            kept,
            groups: BTreeMap::new(),
        }
    }

    /// Takes a finding in, when it is a fail that counts.
    pub(crate) fn add(&mut self, finding: &Finding, guide: &Guide) {
        if !finding.counts() || !matches!(finding.outcome, Outcome::Fail) {
            return;
        }
        let group = self
            .groups
            .entry(finding.guideline.clone())
            .or_insert_with(|| Group {
                guideline: finding.guideline.clone(),
                severity: finding.severity,
                fails: 0,
                safe: 0,
                checks: BTreeSet::new(),
                files: BTreeMap::new(),
                places: BTreeSet::new(),
                entries: Vec::new(),
                causes: BTreeMap::new(),
                single: 0,
            });
        let guideline = guide.guideline(&finding.guideline.0);
        let kept = if guideline.is_some_and(guide::measures::cuts_something) {
            self.kept.max(CANDIDATES)
        } else {
            self.kept
        };
        group.add(finding, kept);
    }

    /// What to do first: by severity, then what opens most to attackers, then what a machine can mend safely, then
    /// what there is most of.
    pub(crate) fn in_order(&self, attack: &Attack, guide: &Guide) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| {
            (
                Reverse(group.severity),
                Reverse(
                    attack
                        .of_guideline(&group.guideline, guide)
                        .map(|enables| enables.weight),
                ),
                group.safe == 0,
                Reverse(group.fails),
            )
        });
        groups
    }

    /// Findings by what their guideline says of itself (an aspect, its principles).
    pub(crate) fn by<'g>(
        &self,
        guide: &'g Guide,
        words: impl Fn(&'g guide::Guideline) -> Vec<&'g str>,
    ) -> BTreeMap<&'g str, usize> {
        let mut counts = BTreeMap::new();
        for group in self.groups.values() {
            for word in guide
                .guideline(&group.guideline.0)
                .map(&words)
                .unwrap_or_default()
            {
                *counts.entry(word).or_default() += group.fails;
            }
        }
        counts
    }
}

impl Group {
    fn add(&mut self, finding: &Finding, kept: usize) {
        self.fails += 1;
        self.severity = self.severity.max(finding.severity);
        self.safe += usize::from(finding.fix == Some(Safety::Safe));
        self.checks.extend(finding.check);
        let (kind, place) = place_of(finding);
        self.places.insert(kind);
        *self.files.entry(Arc::clone(&place)).or_default() += 1;
        if let Some(cause) = &finding.root_cause {
            if let Some(index) = self.causes.get(cause) {
                if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
                    entry.count += 1;
                    *entry.files.entry(place).or_default() += 1;
                }
                return;
            }
            let keep = self.causes.len() < CAUSES_KEPT;
            self.causes
                .insert(cause.clone(), keep.then_some(self.entries.len()));
            if !keep {
                return;
            }
        } else if self.single >= kept {
            return;
        } else {
            self.single += 1;
        }
        let files = BTreeMap::from([(place, 1)]);
        self.entries.push(Entry {
            finding: finding.clone(),
            count: 1,
            files,
        });
    }

    /// `3 files`, `12 namespaces`.
    pub(crate) fn count_places(&self, number: usize) -> String {
        let mut kinds = self.places.iter();
        match (kinds.next(), kinds.next()) {
            (Some(Places::File), None) => count(number, "file"),
            (Some(Places::Namespace), None) => count(number, "namespace"),
            (Some(Places::ResourceGroup), None) => count(number, "resource group"),
            (Some(Places::Level), None) => "the cluster".to_owned(),
            _ => count(number, "place"),
        }
    }

    /// The entries worth showing, those first that open most, then the biggest causes, and what is left.
    pub(crate) fn shown(&self, most: usize, attack: &Attack, guide: &Guide) -> (Vec<&Entry>, Rest) {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_cached_key(|entry| {
            let opens = attack.of_finding(&entry.finding, guide);
            (
                Reverse(opens.map(|enables| enables.weight)),
                Reverse(entry.count),
            )
        });
        entries.truncate(most);
        let mut files = self.files.clone();
        for (path, count) in entries.iter().flat_map(|entry| &entry.files) {
            if let Some(left) = files.get_mut(path) {
                *left = left.saturating_sub(*count);
            }
        }
        let shown: usize = entries.iter().map(|entry| entry.count).sum();
        let rest = Rest {
            findings: self.fails.saturating_sub(shown),
            files: files.values().filter(|left| **left > 0).count(),
        };
        (entries, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, guide, in_file};

    #[test]
    fn findings_of_one_cause_are_one_entry() {
        let guide = guide();
        let mut groups = Groups::new(2);
        for number in 0..40_u32 {
            let mut finding = in_file(&format!("f{}.yaml", number % 4));
            if number >= 8 {
                finding.root_cause = Some("chart default values".into());
            }
            groups.add(&finding, &guide);
        }
        let ordered = groups.in_order(&Attack::default(), &guide);
        let (shown, rest) = ordered[0].shown(2, &Attack::default(), &guide);
        assert_eq!(
            shown.iter().map(|entry| entry.count).collect::<Vec<_>>(),
            [32, 1]
        );
        assert_eq!(
            rest,
            Rest {
                findings: 7,
                files: 4
            }
        );
    }

    #[test]
    fn what_does_not_count_is_left_out() {
        let guide = guide();
        let mut groups = Groups::new(2);
        let mut known = finding();
        known.in_baseline = true;
        groups.add(&known, &guide);
        assert!(groups.in_order(&Attack::default(), &guide).is_empty());
    }
}
