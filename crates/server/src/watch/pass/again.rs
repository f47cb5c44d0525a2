//! What a pass has to ask again: what is another object than at the last pass, and whatever read of those that are.
//!
//! The judge notes what it reads beside an object (`analysis::notes`). Rights and the network are answers about many
//! objects at once: they are worked out where something changed that they are made of, and compared.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use analysis::{Analyses, Rights, notes, reach};
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
    pub(super) said: HashMap<Arc<str>, Unit>,
    /// What was said of what is no object: kinds that could not be read, waivers.
    pub(super) beside: Vec<(Arc<str>, Unit)>,
    /// Answers about the network and rights, by what reads them.
    network: HashMap<u64, u64>,
    powers: HashMap<u64, u64>,
    pub(super) rights: Option<Arc<Rights>>,
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
pub(super) struct Units<'e> {
    in_order: Vec<&'e Resource>,
}

impl<'e> Units<'e> {
    pub(super) fn of(estate: &'e Estate) -> Self {
        let mut in_order: Vec<&Resource> = estate.resources().iter().collect();
        // Nearly all are in order.
        in_order.sort_by(|one, other| one.origin.path.cmp(&other.origin.path));
        Self { in_order }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'e Arc<str>, &[&'e Resource])> {
        let units = self
            .in_order
            .chunk_by(|one, other| one.origin.path == other.origin.path);
        units.filter_map(|unit| Some((&unit.first()?.origin.path, unit)))
    }
}

/// What is another than it was.
#[derive(Default)]
struct Changes {
    addresses: BTreeSet<Arc<str>>,
    gone: Vec<Arc<str>>,
    /// What can be read of it.
    touched: BTreeSet<u64>,
    network: bool,
    rights: bool,
    /// Nothing that rights are made of was even read again.
    same_rights: bool,
}

impl Last {
    /// What has to be asked; `None` for everything. The analyses come back with what can be kept of the last ones.
    pub(super) fn questions<'e>(
        &mut self,
        picture: &'e Picture,
        units: &Units<'e>,
        analyses: Analyses<'e>,
        network: bool,
    ) -> (Option<Questions>, Analyses<'e>) {
        let last = self.picture.take().filter(|last| same_terms(last, picture));
        let intent = picture.setting.set.contains("intent");
        let Some(last) = last else {
            self.network = HashMap::new();
            if network {
                self.network = guide::facts::network_in_numbers(&analyses, &picture.setting);
            }
            self.powers = analyses.rights_in_numbers();
            let _ = analyses.noted();
            return (None, analyses);
        };
        let mut changes = changes(&last.estate, &picture.estate, units, intent);
        let kept = self.rights.take().filter(|_| changes.same_rights);
        let analyses = analyses.with_rights(kept);
        if changes.network && network {
            let now = guide::facts::network_in_numbers(&analyses, &picture.setting);
            differences(&self.network, &now, &mut changes.touched);
            self.network = now;
        }
        if changes.rights {
            let now = analyses.rights_in_numbers();
            differences(&self.powers, &now, &mut changes.touched);
            self.powers = now;
        }
        let touched: HashSet<u64> = changes.touched.iter().copied().collect();
        let hangs = |unit: &Unit| unit.reads.iter().any(|read| touched.contains(read));
        let mut addresses = changes.addresses;
        if !touched.is_empty() {
            let said = self.said.iter().filter(|(_, unit)| hangs(unit));
            addresses.extend(said.map(|(address, _)| Arc::clone(address)));
        }
        // What stands for the estate is the first of it.
        let first = |estate: &'_ Estate| {
            estate
                .resources()
                .first()
                .map(|one| one.origin.path.clone())
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

/// The readings whose answers differ.
fn differences(before: &HashMap<u64, u64>, now: &HashMap<u64, u64>, touched: &mut BTreeSet<u64>) {
    let differs = |one: &HashMap<u64, u64>, other: &HashMap<u64, u64>| {
        let one = one
            .iter()
            .filter(|(read, said)| other.get(*read) != Some(*said));
        one.map(|(read, _)| *read).collect::<Vec<u64>>()
    };
    touched.extend(differs(before, now));
    touched.extend(differs(now, before));
}

fn changes(before: &Estate, now: &Estate, units: &Units<'_>, intent: bool) -> Changes {
    let mut changes = Changes {
        same_rights: true,
        ..Changes::default()
    };
    let old = Units::of(before);
    let note = |changes: &mut Changes, of: &Estate, beside: &Estate, all: &[&Resource]| {
        for resource in all {
            notes::touched(of, resource, beside, &mut changes.touched);
            let kind = &resource.name.kind;
            let rights = Analyses::is_about_rights(kind);
            changes.rights |= rights;
            changes.same_rights &= !rights;
            changes.network |= reach::matters(of, resource) || (intent && reach::reads(kind));
        }
    };
    let (mut old_ones, mut new_ones) = (old.iter().peekable(), units.iter().peekable());
    loop {
        let order = match (old_ones.peek(), new_ones.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((old, _)), Some((new, _))) => old.cmp(new),
        };
        let old = order.is_le().then(|| old_ones.next()).flatten();
        let new = order.is_ge().then(|| new_ones.next()).flatten();
        if let (Some((_, old)), Some((_, new))) = (&old, &new)
            && old.len() == new.len()
            && old.iter().zip(*new).all(|(old, new)| is_same(old, new))
        {
            let mut both = old.iter().zip(*new);
            let reread = both.any(|(old, new)| {
                !Arc::ptr_eq(&old.doc, &new.doc) && Analyses::is_about_rights(&old.name.kind)
            });
            changes.same_rights &= !reread;
            continue;
        }
        if let Some((address, resources)) = &old {
            note(&mut changes, before, now, resources);
            if new.is_none() {
                changes.gone.push(Arc::clone(address));
            }
        }
        if let Some((address, resources)) = &new {
            note(&mut changes, now, before, resources);
            changes.addresses.insert(Arc::clone(address));
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
