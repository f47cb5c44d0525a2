//! What a pass has to ask again: what is another object than at the last pass, and whatever read of those that are.
//!
//! The judge notes what it reads beside an object (`analysis::notes`). Rights and the network are answers about many
//! objects at once: they are worked out where something changed that they are made of, and compared.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use analysis::ask::Subject;
use analysis::notes::Read;
use analysis::reach::{Reach, Touched};
use analysis::{Analyses, Holdings, Network, Networks, Rights, RightsTouched, notes, reach};
use model::{Estate, Resource};
use report::assessment::Counts;

use super::{ESTATE, Picture};

/// What was asked of an address: what that hangs on, and how it was answered.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Numbers of `analysis::notes::Read`.
    pub(super) reads: Box<[u64]>,
    pub(super) verdicts: Counts,
}

/// What is known of the last pass.
#[derive(Default)]
pub(super) struct Last {
    pub(super) picture: Option<Arc<Picture>>,
    /// By address.
    said: HashMap<Arc<str>, Unit>,
    /// The addresses that what was said of hangs on a reading.
    hang: BTreeSet<(u64, Arc<str>)>,
    /// What was said of what is no object: kinds that could not be read, waivers.
    pub(super) beside: Vec<(Arc<str>, Unit)>,
    /// Answers about the network and rights, by what reads them.
    in_numbers: InNumbers,
    pub(super) rights: Option<Arc<Rights>>,
    pub(super) holdings: Option<Arc<Holdings>>,
    /// The whole of it, where guidelines ask who reaches whom.
    pub(super) network: Option<Arc<Network>>,
    pub(super) networks: Networks,
    /// The network and rights are worked out at once, for all namespaces.
    pub(super) at_once: bool,
}

#[derive(Default)]
struct InNumbers {
    /// By namespace; of the whole, by none.
    network: HashMap<Box<str>, HashMap<u64, u64>>,
    rights: HashMap<u64, u64>,
}

/// What has to be asked.
pub(super) struct Questions {
    pub(super) addresses: BTreeSet<Arc<str>>,
    pub(super) gone: Vec<Arc<str>>,
    /// Of the estate as a whole too.
    pub(super) estate: bool,
}

/// The resources of an estate by their address: one may give several, and what is only named stands where the first is
/// that names it.
pub(super) fn units(estate: &Estate) -> Vec<(Arc<str>, Vec<&Resource>)> {
    let mut in_order: Vec<&Resource> = estate.resources().iter().collect();
    // Nearly all are in order.
    in_order.sort_by(|one, other| one.origin.path.cmp(&other.origin.path));
    let units = in_order.chunk_by(|one, other| one.origin.path == other.origin.path);
    units
        .filter_map(|unit| Some((Arc::clone(&unit.first()?.origin.path), unit.to_vec())))
        .collect()
}

/// What is another than it was.
#[derive(Default)]
struct Changes {
    addresses: BTreeSet<Arc<str>>,
    gone: Vec<Arc<str>>,
    /// What can be read of it.
    touched: BTreeSet<u64>,
    network: Touched,
    /// Something that the whole network is read from.
    whole_network: bool,
    rights: RightsTouched,
    /// Nothing that rights are made of was even read again.
    same_rights: bool,
}

impl Changes {
    /// Takes note of what is in one estate and another, or not there, beside it; what is `quiet` is the same to the
    /// network.
    fn note(&mut self, (of, beside): (&Estate, &Estate), resource: &Resource, quiet: bool) {
        notes::touched(of, resource, beside, &mut self.touched);
        let kind = &resource.name.kind;
        let rights = Analyses::is_about_rights(kind);
        self.rights.note(resource);
        self.same_rights &= !rights;
        if !quiet {
            self.network.note(of, resource, beside);
            self.whole_network |= reach::reads(kind);
        }
    }
}

impl Last {
    /// Nothing was asked yet.
    pub(super) fn forget(&mut self) {
        self.said.clear();
        self.hang.clear();
        self.beside.clear();
    }

    /// What an address was asked, in the place of what it was before.
    pub(super) fn put(&mut self, address: &Arc<str>, unit: Option<Unit>) -> Option<Unit> {
        for read in unit.iter().flat_map(|unit| &unit.reads) {
            self.hang.insert((*read, Arc::clone(address)));
        }
        let reads = |unit: &Option<Unit>| unit.as_ref().map(|unit| unit.reads.clone());
        let now = reads(&unit).unwrap_or_default();
        let before = match unit {
            Some(unit) => self.said.insert(Arc::clone(address), unit),
            None => self.said.remove(address),
        };
        for read in before.iter().flat_map(|unit| &unit.reads) {
            if now.binary_search(read).is_err() {
                self.hang.remove(&(*read, Arc::clone(address)));
            }
        }
        before
    }

    /// The addresses of which something was said that hangs on a reading.
    fn hanging_on(&self, read: u64) -> impl Iterator<Item = &Arc<str>> {
        let from = self.hang.range((read, Arc::default())..);
        let those = from.take_while(move |(other, _)| *other == read);
        those.map(|(_, address)| address)
    }

    /// What has to be asked by the `same` configuration, where something may be another at some addresses (without them,
    /// at all); `None` for everything. The analyses come back with what can be kept of the last ones.
    pub(super) fn questions<'e>(
        &mut self,
        picture: &'e Picture,
        same: bool,
        differs: Option<BTreeSet<Arc<str>>>,
        analyses: Analyses<'e>,
        network: bool,
    ) -> (Option<Questions>, Analyses<'e>) {
        let at_once = self.at_once || picture.setting.set.contains("intent");
        let last = self.picture.as_ref();
        let last = last.filter(|last| same && same_terms(last, picture));
        let last = last.cloned();
        let Some(last) = last else {
            let (analyses, _) = match at_once || !network {
                true => (analyses, None),
                false => analyses.namespace_by_namespace(Networks::default(), Touched::default()),
            };
            self.in_numbers.network = HashMap::new();
            if network {
                self.in_numbers
                    .ask_network(&analyses, picture, at_once, None);
            }
            let (analyses, _) = match self.at_once {
                true => (analyses, None),
                false => analyses.follow_rights(None, RightsTouched::default()),
            };
            self.in_numbers.rights = analyses.rights_in_numbers(None);
            let _ = analyses.noted();
            return (None, analyses);
        };
        let differs = differs.unwrap_or_else(|| {
            let both = last.estate.resources().iter();
            let both = both.chain(picture.estate.resources().iter());
            both.map(|own| Arc::clone(&own.origin.path)).collect()
        });
        let mut changes = changes(&last.estate, &picture.estate, differs);
        let kept = self.rights.take().filter(|_| changes.same_rights);
        let analyses = analyses.with_rights(kept);
        let kept = self.network.take().filter(|_| !changes.whole_network);
        let analyses = analyses.with_network(kept);
        let changed = match at_once {
            true => changes.whole_network,
            false => !changes.network.is_nothing(),
        };
        let (analyses, again) = if at_once || !network {
            (analyses, None)
        } else {
            let networks = std::mem::take(&mut self.networks);
            analyses.namespace_by_namespace(networks, std::mem::take(&mut changes.network))
        };
        if changed && network {
            let differs = self
                .in_numbers
                .ask_network(&analyses, picture, at_once, again);
            changes.touched.extend(differs);
        }
        let touched = std::mem::take(&mut changes.rights);
        let (analyses, again) = analyses.follow_rights(self.holdings.take(), touched);
        changes
            .touched
            .extend(self.in_numbers.ask_rights(&analyses, again.as_ref()));
        let mut addresses = changes.addresses;
        for read in changes.touched {
            addresses.extend(self.hanging_on(read).map(Arc::clone));
        }
        // What stands for the estate is the first of it.
        let first = |estate: &'_ Estate| {
            let first = estate.resources().first()?;
            Some(Arc::clone(&first.origin.path))
        };
        let witness = first(&picture.estate);
        let estate = addresses.contains(ESTATE)
            || witness != first(&last.estate)
            || witness.is_some_and(|witness| addresses.contains(&witness));
        addresses.retain(|address| !address.is_empty());
        let questions = Questions {
            addresses,
            gone: changes.gone,
            estate,
        };
        (Some(questions), analyses)
    }
}

/// Whether two moments are judged by the same guidelines and know as much.
fn same_terms(last: &Picture, now: &Picture) -> bool {
    Arc::ptr_eq(&last.setting, &now.setting)
        && in_words(&last.estate.completeness) == in_words(&now.estate.completeness)
        && in_words(&last.coverage.guidelines) == in_words(&now.coverage.guidelines)
}

fn in_words(what: &impl std::fmt::Debug) -> String {
    format!("{what:?}")
}

impl InNumbers {
    /// Asks the rights of some again, or of all. The readings whose answers differ.
    fn ask_rights(
        &mut self,
        analyses: &Analyses<'_>,
        subjects: Option<&BTreeSet<Subject>>,
    ) -> Vec<u64> {
        let now = analyses.rights_in_numbers(subjects);
        let Some(subjects) = subjects else {
            let before = std::mem::replace(&mut self.rights, now);
            return differences(&before, &self.rights);
        };
        let mut differ = Vec::new();
        for subject in subjects {
            let read = Read::Rights(subject).number();
            let before = match now.get(&read) {
                Some(now) => self.rights.insert(read, *now),
                None => self.rights.remove(&read),
            };
            if before.as_ref() != now.get(&read) {
                differ.push(read);
            }
        }
        differ
    }

    /// Asks the network again: of these namespaces, or of all. The readings whose answers differ.
    fn ask_network(
        &mut self,
        analyses: &Analyses<'_>,
        picture: &Picture,
        at_once: bool,
        namespaces: Option<BTreeSet<Box<str>>>,
    ) -> Vec<u64> {
        let numbers =
            |reach: &Reach| guide::facts::in_numbers(reach, &picture.estate, &picture.setting);
        let mut before = HashMap::new();
        let namespaces = match namespaces {
            Some(some) => some,
            None => {
                before = std::mem::take(&mut self.network);
                match at_once {
                    true => BTreeSet::from([Box::default()]),
                    false => analyses.namespaces(),
                }
            }
        };
        let mut differ = Vec::new();
        for namespace in namespaces {
            let now = match at_once {
                true => numbers(analyses.reach()),
                false => numbers(analyses.network_of(&namespace).reach()),
            };
            let last = self.network.remove(&namespace);
            let last = last.or_else(|| before.remove(&namespace));
            differ.extend(differences(&last.unwrap_or_default(), &now));
            if !now.is_empty() {
                self.network.insert(namespace, now);
            }
        }
        // Those that are there no more.
        differ.extend(before.into_values().flat_map(HashMap::into_keys));
        differ
    }
}

/// The readings whose answers differ.
fn differences(before: &HashMap<u64, u64>, now: &HashMap<u64, u64>) -> Vec<u64> {
    let differs = |one: &HashMap<u64, u64>, other: &HashMap<u64, u64>| {
        let one = one
            .iter()
            .filter(|(read, said)| other.get(*read) != Some(*said));
        one.map(|(read, _)| *read).collect::<Vec<u64>>()
    };
    let mut all = differs(before, now);
    all.extend(differs(now, before));
    all
}

fn changes(before: &Estate, now: &Estate, differs: BTreeSet<Arc<str>>) -> Changes {
    let mut changes = Changes {
        same_rights: true,
        ..Changes::default()
    };
    for address in differs {
        let (old, new) = (before.at(&address), now.at(&address));
        // What was made again may have another number.
        let same_number =
            |old: &Resource, new: &Resource| before.number_of(old) == now.number_of(new);
        let all = old.len() == new.len();
        if all
            && old
                .iter()
                .zip(&new)
                .all(|(old, new)| is_same(old, new) && same_number(old, new))
        {
            let mut both = old.iter().zip(&new);
            let reread = both.any(|(old, new)| {
                !Arc::ptr_eq(&old.doc, &new.doc) && Analyses::is_about_rights(&old.name.kind)
            });
            changes.same_rights &= !reread;
            continue;
        }
        let quiet = match (&*old, &*new) {
            ([old], [new]) => reach::is_same(old, new) && same_number(old, new),
            _ => false,
        };
        for resource in old {
            changes.note((before, now), resource, quiet);
        }
        let gone = new.is_empty();
        for resource in new {
            changes.note((now, before), resource, quiet);
        }
        if gone {
            changes.gone.push(address);
        } else {
            changes.addresses.insert(address);
        }
    }
    changes
}

/// Whether two states of a resource are one to whoever joins: what is kept of them stands in the same words.
fn is_same(before: &Resource, now: &Resource) -> bool {
    before.name == now.name
        && before.provider_managed == now.provider_managed
        && before.implied == now.implied
        && (Arc::ptr_eq(&before.doc, &now.doc) || before.doc.text() == now.doc.text())
}
