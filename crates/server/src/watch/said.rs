//! What was said of which object, as it changes: findings by their fingerprint, each with all objects of which it was
//! said.
//!
//! What a controller made is wrong in the way in which its template is, so a finding about a Pod is one about what made
//! it at the top (as `report::owners` has it in a report of one reading). Here it comes and goes: a finding stands as
//! long as one object is left of which it was said. Hundreds of Pods that say the same share one finding.
//!
//! What it costs to change an object grows with what was said of it, not with the estate.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use guide::VerdictWord;
use model::finding::{Finding, Fingerprint, GuidelineId, Location, Outcome, Severity};
use model::ownership::{self, Made};
use model::resource::{Resource, ResourceName};
use report::assessment::Counts;
use report::triage::Triage;

/// Who made what.
#[derive(Debug, Default)]
pub(crate) struct Makers {
    /// workloads by id: where they are, and what made them
    known: HashMap<Box<str>, (Arc<str>, Option<Made>)>,
    /// by the id of the maker: the addresses of what names it, and its id
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
        if let Some(by) = &by {
            let others = self.made.entry(by.as_str().into()).or_default();
            others.insert(Arc::clone(address), resource.name.id().into());
        }
        let before = self
            .known
            .insert(resource.name.id().into(), (Arc::clone(address), made));
        match before {
            None => true,
            Some((_, before)) => before.map(|made| made.by.id()) != by,
        }
    }

    /// A workload is gone. Whether it was known.
    pub(crate) fn forget(&mut self, name: &ResourceName) -> bool {
        let Some((address, made)) = self.known.remove(name.id().as_str()) else {
            return false;
        };
        if let Some(made) = made {
            let by = made.by.id();
            if let Some(others) = self.made.get_mut(by.as_str()) {
                others.remove(&address);
                if others.is_empty() {
                    self.made.remove(by.as_str());
                }
            }
        }
        true
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

/// A finding that may be shared, and the address of the object that it is shown of.
pub(crate) type Placed = (Arc<Finding>, Arc<str>);

/// A finding, of one object.
#[derive(Debug)]
struct One {
    address: Arc<str>,
    /// What the object said of itself, not of what made it.
    own: bool,
    finding: Arc<Finding>,
}

/// Findings as they stand, and of which objects.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// each in the order of ranks
    by_print: BTreeMap<Fingerprint, Vec<One>>,
    of: HashMap<Arc<str>, Vec<Fingerprint>>,
    counts: BTreeMap<GuidelineId, Standing>,
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
    fn add(&mut self, finding: &Finding, by: isize) {
        let slot = if finding.waiver.is_some() {
            &mut self.waived
        } else if finding.provider_managed {
            &mut self.managed
        } else if finding.outcome == Outcome::Fail {
            &mut self.fail
        } else {
            &mut self.unknown
        };
        *slot = slot.saturating_add_signed(by);
        self.severity = Some(finding.severity);
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
            self.add(address, top.is_none(), Arc::new(finding));
        }
    }

    /// Says it again of an object whose maker is made by something else than was known.
    pub(crate) fn say_again(&mut self, address: &Arc<str>, made: &Made, sorting: &mut Sorting<'_>) {
        let findings = self.take_back(address);
        let findings = findings
            .into_iter()
            .map(|finding| shown(&finding, address))
            .collect();
        self.say(address, Some(made), sorting, findings);
    }

    /// Nothing is said of an object any more; what was.
    pub(crate) fn take_back(&mut self, address: &str) -> Vec<Arc<Finding>> {
        let mut taken = Vec::new();
        for print in self.of.remove(address).unwrap_or_default() {
            let before = self.shown(print);
            if let Some(ones) = self.by_print.get_mut(&print) {
                if let Some(at) = find(ones, address) {
                    taken.push(ones.remove(at).finding);
                }
                if ones.is_empty() {
                    self.by_print.remove(&print);
                }
            }
            self.recount(before, print);
        }
        taken
    }

    fn add(&mut self, address: &Arc<str>, own: bool, finding: Arc<Finding>) {
        let print = finding.fingerprint;
        let before = self.shown(print);
        let ones = self.by_print.entry(print).or_default();
        let known = find(ones, address);
        // An object says a thing once; that it fails says more than that it is unknown.
        let says_more = known.and_then(|at| ones.get(at)).is_none_or(|one| {
            finding.outcome == Outcome::Fail && one.finding.outcome != Outcome::Fail
        });
        if says_more {
            match known {
                Some(at) => drop(ones.remove(at)),
                None => self.of.entry(Arc::clone(address)).or_default().push(print),
            }
            let shared = ones
                .iter()
                .take(4)
                .find(|one| alike(&one.finding, &finding));
            let finding = shared.map_or(finding, |one| Arc::clone(&one.finding));
            let one = One {
                address: Arc::clone(address),
                own,
                finding,
            };
            let at = ones.partition_point(|other| rank(other) < rank(&one));
            ones.insert(at, one);
        }
        self.recount(before, print);
    }

    /// The one that stands for all.
    fn shown(&self, print: Fingerprint) -> Option<Placed> {
        let one = self.by_print.get(&print)?.first()?;
        Some((Arc::clone(&one.finding), Arc::clone(&one.address)))
    }

    fn recount(&mut self, before: Option<Placed>, print: Fingerprint) {
        if let Some((finding, _)) = before {
            let standing = self.counts.entry(finding.guideline.clone()).or_default();
            standing.add(&finding, -1);
            if standing.is_empty() {
                self.counts.remove(&finding.guideline);
            }
        }
        if let Some((finding, _)) = self.shown(print) {
            let standing = self.counts.entry(finding.guideline.clone()).or_default();
            standing.add(&finding, 1);
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

    /// The findings that stand and are wanted, in the order of fingerprints.
    pub(crate) fn findings_that(&self, wanted: &impl Fn(&Finding) -> bool) -> Vec<Finding> {
        let ones = self.by_print.values().filter_map(|ones| ones.first());
        ones.filter(|one| wanted(&one.finding))
            .map(|one| shown(&one.finding, &one.address))
            .collect()
    }

    /// What stands, to be [`shown`]: each with the object whose place it is.
    pub(crate) fn standing_at(&self) -> impl Iterator<Item = Placed> + '_ {
        let ones = self.by_print.values().filter_map(|ones| ones.first());
        ones.map(|one| (Arc::clone(&one.finding), Arc::clone(&one.address)))
    }

    /// All of them without a copy: the place of a finding may be that of another object that says the same.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &Arc<Finding>> + '_ {
        let ones = self.by_print.values().filter_map(|ones| ones.first());
        ones.map(|one| &one.finding)
    }

    /// What was said of one object, also where it is said of its maker.
    pub(crate) fn findings_of(&self, address: &str) -> Vec<Finding> {
        let prints = self.of.get(address).into_iter().flatten();
        prints
            .filter_map(|print| {
                let ones = self.by_print.get(print)?;
                let one = ones.get(find(ones, address)?)?;
                Some(shown(&one.finding, &one.address))
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
    let unknown = one.finding.outcome != Outcome::Fail;
    (unknown, !one.own, &one.address)
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

/// The finding with the place of one of the objects that share it.
pub(crate) fn shown(finding: &Arc<Finding>, address: &Arc<str>) -> Finding {
    let mut finding = Finding::clone(finding);
    let shared = Arc::clone(&finding.place.path);
    if shared != *address && finding.place.live {
        let places = std::iter::once(&mut finding.place).chain(&mut finding.more_places);
        for place in places.filter(|place| place.path == shared) {
            place.path = Arc::clone(address);
        }
    }
    finding
}

/// Whether two findings with one fingerprint say the same, but for the object where.
fn alike(one: &Finding, other: &Finding) -> bool {
    let same_place = |one: &Location, other: &Location| {
        one.route == other.route
            && one.source == other.source
            && one.note == other.note
            && one.live == other.live
    };
    one.severity == other.severity
        && one.outcome == other.outcome
        && one.message == other.message
        && one.resource == other.resource
        && one.provider_managed == other.provider_managed
        && one.evidence == other.evidence
        && one.waiver == other.waiver
        && same_place(&one.place, &other.place)
        && one.more_places.len() == other.more_places.len()
        && one
            .more_places
            .iter()
            .zip(&other.more_places)
            .all(|(one, other)| same_place(one, other))
}

/// Counts verdicts by their word.
pub(crate) fn counted(verdicts: &[(u16, VerdictWord)]) -> Counts {
    let mut counts = Counts::default();
    verdicts
        .iter()
        .for_each(|(_, verdict)| counts.add(*verdict));
    counts
}
