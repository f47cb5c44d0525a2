//! What was said of which object, as it changes: findings by their fingerprint, each with all objects of which it was
//! said.
//!
//! What a controller made is wrong in the way in which its template is, so a finding about a Pod is one about what made
//! it at the top (as `report::owners` has it in a report of one reading). Here it comes and goes: a finding stands as
//! long as one object is left of which it was said. Hundreds of Pods that say the same share one finding (`packed`).
//!
//! What it costs to change an object grows with what was said of it, not with the estate.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use guide::VerdictWord;
use model::finding::{Finding, Fingerprint, GuidelineId, Outcome, Severity};
use model::ownership::{self, Made};
use model::resource::{Resource, ResourceName};
use report::assessment::Counts;
use report::triage::Triage;

use super::packed::{Head, Pack, Packed};

/// Who made what.
#[derive(Debug, Default)]
pub(crate) struct Makers {
    /// workloads by id: where they are, and what made them
    known: HashMap<Box<str>, (Arc<str>, Option<Made>)>,
    /// by the id of the maker (and of the Deployment that is seen behind a ReplicaSet): the addresses of what names
    /// it, and its id
    made: HashMap<Box<str>, BTreeMap<Arc<str>, Box<str>>>,
}

impl Makers {
    /// Notes a workload. Whether it is new, or made by something else than before.
    pub(crate) fn note(&mut self, resource: &Resource) -> bool {
        if !resource.is_workload() {
            return false;
        }
        let address = &resource.origin.path;
        let made = ownership::made(resource);
        let by = made.as_ref().map(|made| made.by.id());
        let id: Box<str> = resource.name.id().into();
        let now = (Arc::clone(address), made);
        let before = self.known.insert(id.clone(), now.clone());
        if let Some(before) = &before {
            self.unmake(before);
        }
        for maker in now.1.as_ref().map(makers).into_iter().flatten() {
            let others = self.made.entry(maker.into()).or_default();
            others.insert(Arc::clone(address), id.clone());
        }
        match before {
            None => true,
            Some((_, before)) => before.map(|made| made.by.id()) != by,
        }
    }

    /// A workload is gone. Whether it was known.
    pub(crate) fn forget(&mut self, name: &ResourceName) -> bool {
        let Some(known) = self.known.remove(name.id().as_str()) else {
            return false;
        };
        self.unmake(&known);
        true
    }

    fn unmake(&mut self, (address, made): &(Arc<str>, Option<Made>)) {
        for maker in made.as_ref().map(makers).into_iter().flatten() {
            if let Some(others) = self.made.get_mut(maker.as_str()) {
                others.remove(address);
                if others.is_empty() {
                    self.made.remove(maker.as_str());
                }
            }
        }
    }

    /// What a workload made, and what that made, to the end.
    pub(crate) fn below(&self, name: &ResourceName) -> BTreeSet<Arc<str>> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = Vec::new();
        let id = name.id();
        let mut next = Some(id.as_str());
        while let Some(id) = next {
            for (address, id) in self.made.get(id).into_iter().flatten() {
                // Objects may name each other in a circle.
                if found.insert(Arc::clone(address)) {
                    open.push(id);
                }
            }
            next = open.pop();
        }
        found
    }

    /// What is at the top of what made something, and where that is.
    fn top(&self, made: &Made) -> (ResourceName, Arc<str>) {
        let known = |name: &ResourceName| {
            self.known
                .get(name.id().as_str())
                .map(|(_, made)| made.clone())
        };
        let top = ownership::top(made, known);
        let path = self
            .known
            .get(top.id().as_str())
            .map_or_else(Arc::default, |(path, _)| Arc::clone(path));
        (top, path)
    }
}

/// What made an object, and what is at the top where nothing is known of that.
fn makers(made: &Made) -> BTreeSet<String> {
    let guessed = ownership::top(made, |_| None);
    BTreeSet::from([made.by.id(), guessed.id()])
}

/// A finding, of one object.
#[derive(Debug)]
struct One {
    address: Arc<str>,
    /// What the object said of itself, not of what made it.
    own: bool,
    fails: bool,
    packed: Packed,
}

/// Findings as they stand, and of which objects.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// each in the order of ranks
    by_print: BTreeMap<Fingerprint, Vec<One>>,
    of: HashMap<Arc<str>, Vec<Fingerprint>>,
    counts: BTreeMap<GuidelineId, Standing>,
    pack: Pack,
    verdicts: Counts,
}

/// How many findings of a guideline stand.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Failures that count.
    pub fail: usize,
    /// Unknown verdicts that count.
    pub unknown: usize,
    /// Accepted by a waiver.
    pub waived: usize,
    /// On what AKS manages.
    pub managed: usize,
    /// The severity of the last one.
    pub severity: Option<Severity>,
}

impl Standing {
    fn add(&mut self, head: Head, by: isize) {
        let slot = if head.waived {
            &mut self.waived
        } else if head.managed {
            &mut self.managed
        } else if head.fails {
            &mut self.fail
        } else {
            &mut self.unknown
        };
        *slot = slot.saturating_add_signed(by);
        self.severity = Some(head.severity);
    }

    /// Nothing stands.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fail + self.unknown + self.waived + self.managed == 0
    }
}

/// How findings are brought to whom they belong, and which are accepted.
pub(crate) struct Sorting<'s> {
    pub(crate) makers: &'s Makers,
    pub(crate) triage: &'s mut Triage,
}

impl Said {
    /// What was said of an object, and what made that.
    pub(crate) fn say(
        &mut self,
        address: &Arc<str>,
        made: Option<&Made>,
        sorting: &mut Sorting<'_>,
        findings: Vec<Finding>,
    ) {
        if findings.is_empty() {
            return;
        }
        let top = made.map(|made| sorting.makers.top(made));
        let top = top.map(|(name, path)| (name.id(), Arc::new(name), path));
        for mut finding in findings {
            if let Some((id, name, path)) = &top {
                finding.resource = Arc::clone(name);
                finding.fingerprint = Fingerprint::of_finding(
                    &finding.guideline,
                    path,
                    id,
                    finding.item.as_deref(),
                    finding.check,
                );
            }
            finding.waiver = None;
            sorting.triage.apply(&mut finding);
            self.add(address, top.is_none(), &finding);
        }
    }

    /// Says again what an object says of its maker, which is made by something else than was known.
    pub(crate) fn say_again(&mut self, address: &Arc<str>, made: &Made, sorting: &mut Sorting<'_>) {
        let prints = self.of.get(&**address).cloned().unwrap_or_default();
        let mut findings = Vec::new();
        for print in prints {
            let ones = self.by_print.get(&print);
            let one = ones.and_then(|ones| ones.get(find(ones, address)?));
            let Some(one) = one.filter(|one| !one.own) else {
                continue;
            };
            findings.extend(self.pack.unpack(one.packed, print, &one.address));
            self.remove(print, address);
            if let Some(prints) = self.of.get_mut(&**address) {
                prints.retain(|other| *other != print);
            }
        }
        if self.of.get(&**address).is_some_and(Vec::is_empty) {
            self.of.remove(&**address);
        }
        self.say(address, Some(made), sorting, findings);
    }

    /// Nothing is said of an object any more.
    pub(crate) fn take_back(&mut self, address: &str) {
        for print in self.of.remove(address).unwrap_or_default() {
            self.remove(print, address);
        }
    }

    fn remove(&mut self, print: Fingerprint, address: &str) {
        self.count_shown(print, -1);
        if let Some(ones) = self.by_print.get_mut(&print) {
            if let Some(at) = find(ones, address) {
                self.pack.let_go(ones.remove(at).packed);
            }
            if ones.is_empty() {
                self.by_print.remove(&print);
            }
        }
        self.count_shown(print, 1);
    }

    fn add(&mut self, address: &Arc<str>, own: bool, finding: &Finding) {
        let print = finding.fingerprint;
        let fails = finding.outcome == Outcome::Fail;
        self.count_shown(print, -1);
        // Most findings are said of one object.
        let ones = self
            .by_print
            .entry(print)
            .or_insert_with(|| Vec::with_capacity(1));
        let known = find(ones, address);
        // An object says a thing once; that it fails says more than that it is unknown.
        let says_more = known
            .and_then(|at| ones.get(at))
            .is_none_or(|one| fails && !one.fails);
        if says_more {
            match known {
                Some(at) => self.pack.let_go(ones.remove(at).packed),
                None => {
                    let prints = self.of.entry(Arc::clone(address)).or_default();
                    prints.push(print);
                }
            }
            let one = One {
                address: Arc::clone(address),
                own,
                fails,
                packed: self.pack.pack(finding, address),
            };
            let at = ones.partition_point(|other| rank(other) < rank(&one));
            ones.insert(at, one);
        }
        self.count_shown(print, 1);
    }

    /// Counts the one that stands for all, or takes it out.
    fn count_shown(&mut self, print: Fingerprint, by: isize) {
        let Some(one) = self.by_print.get(&print).and_then(|ones| ones.first()) else {
            return;
        };
        let Some((guideline, head)) = self.pack.head(one.packed) else {
            return;
        };
        if let Some(standing) = self.counts.get_mut(guideline) {
            standing.add(head, by);
            if standing.is_empty() {
                self.counts.remove(guideline);
            }
        } else if by > 0 {
            let mut standing = Standing::default();
            standing.add(head, by);
            self.counts.insert(guideline.clone(), standing);
        }
    }

    /// Counts verdicts, or takes them out again.
    pub(crate) fn count(&mut self, verdicts: &Counts, add: bool) {
        let slots = [
            (&mut self.verdicts.pass, verdicts.pass),
            (&mut self.verdicts.fail, verdicts.fail),
            (&mut self.verdicts.unknown, verdicts.unknown),
            (&mut self.verdicts.not_applicable, verdicts.not_applicable),
        ];
        for (slot, by) in slots {
            *slot = if add {
                *slot + by
            } else {
                slot.saturating_sub(by)
            };
        }
    }

    pub(crate) const fn verdicts(&self) -> Counts {
        self.verdicts
    }

    /// What stands, by guideline.
    pub(crate) const fn counts(&self) -> &BTreeMap<GuidelineId, Standing> {
        &self.counts
    }

    /// Shows the findings that stand and are by a guideline that is wanted, in the order of fingerprints.
    pub(crate) fn visit(
        &self,
        wanted: &impl Fn(&GuidelineId, Head) -> bool,
        see: &mut impl FnMut(Finding),
    ) {
        for (print, ones) in &self.by_print {
            self.see(*print, ones, wanted, see);
        }
    }

    fn see(
        &self,
        print: Fingerprint,
        ones: &[One],
        wanted: &impl Fn(&GuidelineId, Head) -> bool,
        see: &mut impl FnMut(Finding),
    ) {
        if let Some(one) = ones.first()
            && let Some((guideline, head)) = self.pack.head(one.packed)
            && wanted(guideline, head)
            && let Some(finding) = self.pack.unpack(one.packed, print, &one.address)
        {
            see(finding);
        }
    }

    /// Some of the findings that stand, from those that follow a fingerprint on, and the last of them.
    pub(crate) fn some_after(
        &self,
        after: Option<Fingerprint>,
        some: usize,
    ) -> (Vec<Finding>, Option<Fingerprint>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut findings, mut last) = (Vec::new(), None);
        for (print, ones) in self.by_print.range((from, Bound::Unbounded)).take(some) {
            last = Some(*print);
            self.see(*print, ones, &|_, _| true, &mut |finding| {
                findings.push(finding)
            });
        }
        (findings, last)
    }

    /// What was said of one object, also where it is said of its maker.
    pub(crate) fn findings_of(&self, address: &str) -> Vec<Finding> {
        let prints = self.of.get(address).into_iter().flatten();
        prints
            .filter_map(|print| {
                let ones = self.by_print.get(print)?;
                let one = ones.get(find(ones, address)?)?;
                self.pack.unpack(one.packed, *print, &one.address)
            })
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_print.len()
    }
}

/// The first stands for all: that it fails says more than that it is unknown, and what says it of itself is nearer
/// than what it made.
fn rank(one: &One) -> (bool, bool, &str) {
    (!one.fails, !one.own, &one.address)
}

/// Where an object's own is among those that are ordered by their rank.
fn find(ones: &[One], address: &str) -> Option<usize> {
    [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .find_map(|(unknown, made)| {
            ones.binary_search_by(|one| rank(one).cmp(&(unknown, made, address)))
                .ok()
        })
}

/// Counts verdicts by their word.
pub(crate) fn counted(verdicts: &[(u16, VerdictWord)]) -> Counts {
    let mut counts = Counts::default();
    verdicts
        .iter()
        .for_each(|(_, verdict)| counts.add(*verdict));
    counts
}
