//! The objects that sources told, as they are now, and what is known of what is missing.
//!
//! Of a workload only what joins can read is kept (`model::prune`); it was judged before. A source that begins anew
//! tells everything again: what it did not tell again is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::Symbols;
use guide::Setting;
use jiff::Timestamp;
use model::completeness::Gap;
use model::coverage::{Coverage, DocumentEntry, Status};
use model::estate::Change;
use model::ownership::Made;
use model::resource::{Resource, ResourceRef};
use model::{Completeness, Estate, Scope};
use report::assessment::Counts;
use sources::live::{Unread, other};

/// Who tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Teller {
    Cluster,
    Azure,
}

/// An object that was told.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) from: Teller,
    /// Which telling of its source it belongs to.
    pub(crate) round: u32,
    /// None for what is only noted in the ledger; Azure may give several.
    pub(crate) resources: Vec<Resource>,
    /// Their numbers in estates, ascending; given by [`Held::put`].
    pub(crate) numbers: Box<[ResourceRef]>,
    /// What became of it, unless it was judged.
    pub(crate) entries: Vec<DocumentEntry>,
    /// Guidelines are about it; else it is only read with others.
    pub(crate) judged: bool,
    pub(crate) made: Option<Made>,
    pub(crate) verdicts: Counts,
    /// It was told and cannot be understood.
    pub(crate) hidden: Option<Gap>,
}

/// What a source said of kinds.
#[derive(Debug, Default)]
struct Known {
    complete: BTreeSet<(Box<str>, Box<str>)>,
    gaps: BTreeMap<(Box<str>, Box<str>), Unread>,
    others: BTreeSet<(Box<str>, Box<str>)>,
}

/// One source.
#[derive(Debug, Default)]
struct Source {
    name: String,
    round: u32,
    known: Known,
    /// What is said while everything is told anew.
    next: Option<Known>,
    caught_up: bool,
    heard: BTreeMap<Box<str>, Timestamp>,
    lost: BTreeMap<Box<str>, Lost>,
}

/// A kind of which nothing is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Why, as a clause.
    pub why: Box<str>,
    /// Since when what is known of it may be old.
    pub since: Timestamp,
}

/// Everything that is held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// What verdicts depend on besides what is held, once that is known.
    pub(crate) setting: Option<Arc<Setting>>,
    objects: BTreeMap<Arc<str>, Object>,
    sources: BTreeMap<Teller, Source>,
    ledger: BTreeMap<(Box<str>, Status), usize>,
    /// Where an object could not be read as it should, ...
    unread: BTreeSet<Arc<str>>,
    /// ... and where something else became of one that was not judged.
    aside: BTreeSet<Arc<str>>,
    /// How many resources AKS keeps.
    provider_managed: usize,
    /// Where something was put or removed since this was last taken.
    touched: BTreeSet<Arc<str>>,
    numbers: Numbers,
}

/// Numbers of resources in all estates that are made of what is held: each has its own as long as it is held.
#[derive(Debug, Default)]
struct Numbers {
    next: u32,
    free: Vec<ResourceRef>,
    /// Of namespaces that are only named.
    namespaces: HashMap<Box<str>, ResourceRef>,
}

impl Numbers {
    fn one(&mut self) -> ResourceRef {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            ResourceRef(self.next - 1)
        })
    }

    /// So many, ascending, of which some are there already.
    fn some(&mut self, many: usize, had: Box<[ResourceRef]>) -> Box<[ResourceRef]> {
        if had.len() == many {
            return had;
        }
        let mut all = had.into_vec();
        while all.len() < many {
            all.push(self.one());
        }
        self.free.extend(all.drain(many..));
        all.sort_unstable();
        all.into()
    }

    fn of_namespace(&mut self, name: &str) -> ResourceRef {
        if let Some(number) = self.namespaces.get(name) {
            return *number;
        }
        let number = self.one();
        self.namespaces.insert(name.into(), number);
        number
    }
}

impl Held {
    /// A source tells everything from now on; its number of this telling.
    pub(crate) fn begin(&mut self, from: Teller, name: &str) -> u32 {
        let source = self.sources.entry(from).or_default();
        name.clone_into(&mut source.name);
        source.round += 1;
        source.next = Some(Known::default());
        source.round
    }

    /// It has told everything: the addresses of what it did not tell again.
    pub(crate) fn caught_up(&mut self, from: Teller) -> Vec<Arc<str>> {
        let source = self.sources.entry(from).or_default();
        if let Some(next) = source.next.take() {
            source.known = next;
        }
        source.caught_up = true;
        let round = source.round;
        self.objects
            .iter()
            .filter(|(_, object)| object.from == from && object.round < round)
            .map(|(address, _)| Arc::clone(address))
            .collect()
    }

    /// Whether a source has told everything once.
    pub(crate) fn is_caught_up(&self, from: Teller) -> bool {
        self.sources
            .get(&from)
            .is_some_and(|source| source.caught_up)
    }

    pub(crate) fn round(&self, from: Teller) -> u32 {
        self.sources.get(&from).map_or(0, |source| source.round)
    }

    fn known(&mut self, from: Teller) -> &mut Known {
        let source = self.sources.entry(from).or_default();
        source.next.as_mut().unwrap_or(&mut source.known)
    }

    /// A kind was read to the end. Whether that is new.
    pub(crate) fn complete(&mut self, from: Teller, kind: Box<str>, within: Box<str>) -> bool {
        let known = self.known(from);
        let gap = known.gaps.remove(&(kind.clone(), within.clone())).is_some();
        known.complete.insert((kind, within)) || gap
    }

    /// A kind was not read. Whether that is new.
    pub(crate) fn gap(&mut self, from: Teller, gap: Unread) -> bool {
        let known = self.known(from);
        let key = (gap.kind.clone(), gap.within.clone());
        let complete = known.complete.remove(&key);
        known.gaps.insert(key, gap.clone()) != Some(gap) || complete
    }

    pub(crate) fn other(&mut self, from: Teller, api_version: Box<str>, kind: Box<str>) {
        self.known(from).others.insert((api_version, kind));
    }

    pub(crate) fn heard(&mut self, from: Teller, kind: Box<str>, now: Timestamp) {
        let source = self.sources.entry(from).or_default();
        source.lost.remove(&kind);
        source.heard.insert(kind, now);
    }

    pub(crate) fn lost(&mut self, from: Teller, kind: Box<str>, why: Box<str>, now: Timestamp) {
        let source = self.sources.entry(from).or_default();
        let since = source.heard.get(&kind).copied().unwrap_or(now);
        source.lost.insert(kind, Lost { why, since });
    }

    pub(crate) fn get(&self, address: &str) -> Option<&Object> {
        self.objects.get(address)
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Puts an object in the place of the one that was there.
    pub(crate) fn put(&mut self, address: Arc<str>, mut object: Object) -> Option<Object> {
        let before = self.remove_but_numbers(&address);
        let had = before.as_ref().map(|before| before.numbers.clone());
        object.numbers = self
            .numbers
            .some(object.resources.len(), had.unwrap_or_default());
        note(&mut self.ledger, &object, true);
        let mut entries = object.entries.iter();
        if object.hidden.is_some() || entries.any(|entry| entry.status.incomplete()) {
            self.unread.insert(Arc::clone(&address));
        } else if !object.entries.is_empty() {
            self.aside.insert(Arc::clone(&address));
        }
        self.provider_managed += managed(&object);
        self.touched.insert(Arc::clone(&address));
        self.objects.insert(address, object);
        before
    }

    pub(crate) fn remove(&mut self, address: &Arc<str>) -> Option<Object> {
        let before = self.remove_but_numbers(address)?;
        self.numbers.free.extend(before.numbers.iter().copied());
        self.touched.insert(Arc::clone(address));
        Some(before)
    }

    fn remove_but_numbers(&mut self, address: &str) -> Option<Object> {
        let before = self.objects.remove(address)?;
        note(&mut self.ledger, &before, false);
        self.unread.remove(address);
        self.aside.remove(address);
        self.provider_managed -= managed(&before);
        Some(before)
    }

    /// Where something was put or removed since this was last asked.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.touched)
    }

    /// What it all comes to.
    pub(crate) fn estate(&mut self, symbols: &Symbols) -> Estate {
        let mut estate = Estate::by_address(Scope::Open);
        estate.completeness = self.completeness();
        let all = self.objects.keys().map(Arc::clone).collect();
        self.bring_up(&mut estate, all, symbols);
        estate
    }

    /// Brings an estate up to what is held, where that may be another at these addresses: where something is another.
    pub(crate) fn bring_up(
        &mut self,
        estate: &mut Estate,
        addresses: BTreeSet<Arc<str>>,
        symbols: &Symbols,
    ) -> BTreeSet<Arc<str>> {
        let change = |address: Arc<str>| {
            let object = self.objects.get(&address);
            let resources = object.into_iter().flat_map(|object| {
                let numbers = object.numbers.iter().copied();
                numbers.zip(object.resources.iter().cloned())
            });
            let resources = resources.collect();
            Change { address, resources }
        };
        let changes = addresses.into_iter().map(change).collect();
        let numbers = &mut self.numbers;
        estate.change(changes, symbols, |namespace| {
            numbers.of_namespace(namespace)
        })
    }

    /// What became of single objects that were read and not judged.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &DocumentEntry> {
        let aside = self.aside.iter();
        aside
            .filter_map(|address| self.objects.get(address))
            .flat_map(|object| &object.entries)
    }

    pub(crate) fn completeness(&self) -> Completeness {
        let mut completeness = Completeness::default();
        for source in self.sources.values() {
            for (kind, within) in &source.known.complete {
                completeness.declare(kind, within);
            }
            for gap in source.known.gaps.values() {
                completeness.gap(Gap {
                    kind: gap.kind.clone(),
                    within: gap.within.clone(),
                    why: gap.why.clone(),
                });
            }
        }
        for address in &self.unread {
            let object = self.objects.get(address);
            if let Some(gap) = object.and_then(|object| object.hidden.as_ref()) {
                completeness.gap(gap.clone());
            }
        }
        completeness
    }

    /// The ledger, with one entry for all objects of a kind that were judged: what is asked of it is which kinds are
    /// there, and what could not be read. What else became of single objects is in [`Held::entries`].
    pub(crate) fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        let mut judged: BTreeSet<&str> = BTreeSet::new();
        for (kind, status) in self.ledger.keys() {
            if *status == Status::Assessed {
                judged.insert(kind);
            }
        }
        for kind in judged {
            coverage.documents.push(DocumentEntry {
                path: Arc::from(""),
                live: true,
                index: 0,
                line: 1,
                status: Status::Assessed,
                kind: Some(kind.into()),
                namespace: None,
                name: None,
                reason: None,
                help: None,
            });
        }
        for source in self.sources.values() {
            let gaps = source.known.gaps.values();
            coverage.documents.extend(gaps.map(Unread::entry));
            let others = source.known.others.iter();
            coverage
                .documents
                .extend(others.map(|(api_version, kind)| other(api_version, kind)));
        }
        let unread = self.unread.iter();
        for object in unread.filter_map(|address| self.objects.get(address)) {
            coverage.documents.extend(object.entries.iter().cloned());
        }
        coverage.provider_managed = self.provider_managed;
        coverage
    }

    /// How many objects of each kind ended with which status.
    pub(crate) fn ledger(&self) -> BTreeMap<(Box<str>, Status), usize> {
        self.ledger.clone()
    }

    pub(crate) fn gaps(&self) -> Vec<Unread> {
        let sources = self.sources.values();
        sources
            .flat_map(|source| source.known.gaps.values().cloned())
            .collect()
    }

    pub(crate) fn lost_kinds(&self) -> BTreeMap<Box<str>, Lost> {
        let sources = self.sources.values();
        sources.flat_map(|source| source.lost.clone()).collect()
    }

    /// What the sources are called.
    pub(crate) fn names(&self) -> Vec<String> {
        let sources = self.sources.values();
        sources.map(|source| source.name.clone()).collect()
    }

    /// Since when something that is known may be old; nothing, when everything is heard of.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        let sources = self.sources.values();
        sources
            .flat_map(|source| source.lost.values().map(|lost| lost.since))
            .min()
    }
}

fn managed(object: &Object) -> usize {
    let managed = object.resources.iter().filter(|own| own.provider_managed);
    managed.count()
}

fn note(ledger: &mut BTreeMap<(Box<str>, Status), usize>, object: &Object, add: bool) {
    let mut change = |kind: &str, status: Status| {
        let count = ledger.entry((kind.into(), status)).or_default();
        *count = if add {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
        if *count == 0 {
            ledger.remove(&(Box::from(kind), status));
        }
    };
    let status = if object.judged {
        Status::Assessed
    } else {
        Status::NotRelevant
    };
    for resource in &object.resources {
        change(resource.name.kind.name(), status);
    }
    for entry in &object.entries {
        change(entry.kind.as_deref().unwrap_or_default(), entry.status);
    }
}
