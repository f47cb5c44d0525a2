//! What is remembered between events: a summary that merges, of bounded size.
//!
//! Time is cut into slots. Whether so many events lie in a window, or one after the other, follows from what each slot
//! keeps: the smallest hashes of what is counted, the first and last event of either kind. Nothing in a slot hangs on
//! the order in which it was filled, and an event that comes twice changes nothing.
//!
//! A *threshold* looks at four slots of a quarter of its window each: so many events within three quarters of the
//! window are always found, and never ones that lie further apart than the window. A *sequence* is exact.

mod news;

pub(crate) use news::{read, written};

use std::collections::{BTreeMap, BTreeSet};

use super::alert::Stub;
use super::bounded::{Bounded, estimate, hash_texts};
use crate::wire::{Broken, Bytes, Wire};

/// How many slots of one detection are kept, of all its groups together.
const SLOTS: usize = 20_000;
/// How many first sightings.
const SIGHTINGS: usize = 100_000;
/// Into how many slots a window of a threshold is cut.
const PARTS: i64 = 4;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What is in a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Slot {
    /// The smallest hashes of what is counted, as many as an alert needs.
    values: BTreeSet<u64>,
    first_of_first: Option<Stub>,
    last_of_first: Option<Stub>,
    first_of_second: Option<Stub>,
    last_of_second: Option<Stub>,
}

fn earlier(own: &mut Option<Stub>, other: Option<Stub>) {
    *own = own.take().into_iter().chain(other).min();
}

fn later(own: &mut Option<Stub>, other: Option<Stub>) {
    *own = own.take().into_iter().chain(other).max();
}

impl Slot {
    fn merge(&mut self, other: Self, most: usize) {
        self.values.extend(other.values);
        while self.values.len() > most {
            self.values.pop_last();
        }
        earlier(&mut self.first_of_first, other.first_of_first);
        later(&mut self.last_of_first, other.last_of_first);
        earlier(&mut self.first_of_second, other.first_of_second);
        later(&mut self.last_of_second, other.last_of_second);
    }
}

type Slots = BTreeMap<i64, Slot>;

/// What one detection remembers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// Microseconds.
    window: i64,
    most: usize,
    /// By the hash of the group; the smallest stay.
    groups: BTreeMap<u64, Slots>,
    slots: usize,
    /// The smallest group that was given up: neither it nor any above it comes back.
    ceiling: Option<u64>,
    /// What was seen first, by the hash of the key.
    sightings: Bounded<(Vec<Box<str>>, Stub)>,
    began: Option<i64>,
    ended: Option<i64>,
}

impl Remembered {
    pub(crate) fn new(seconds: u32) -> Self {
        Self {
            window: i64::from(seconds) * SECOND,
            most: 0,
            groups: BTreeMap::new(),
            slots: 0,
            ceiling: None,
            sightings: Bounded::new(SIGHTINGS),
            began: None,
            ended: None,
        }
    }

    fn slot(&mut self, group: Vec<Box<str>>, number: i64, slot: Slot) {
        let key = hash_texts(group.iter().map(|text| &**text));
        self.put(key, number, slot);
    }

    fn put(&mut self, group: u64, number: i64, slot: Slot) {
        // What stays is whole.
        if self.ceiling.is_some_and(|ceiling| group >= ceiling) {
            return;
        }
        let most = self.most;
        let slots = self.groups.entry(group).or_default();
        let before = slots.len();
        slots.entry(number).or_default().merge(slot, most);
        self.slots += slots.len() - before;
        while self.slots > SLOTS && self.groups.len() > 1 {
            if let Some((group, gone)) = self.groups.pop_last() {
                self.slots -= gone.len();
                self.ceiling = Some(group);
            }
        }
    }

    /// One of what is counted.
    pub(crate) fn count(&mut self, group: Vec<Box<str>>, what: u64, most: usize, stub: Stub) {
        self.most = most;
        let number = stub.at.div_euclid(self.window / PARTS);
        let slot = Slot {
            values: BTreeSet::from([what]),
            first_of_second: Some(stub),
            ..Slot::default()
        };
        self.slot(group, number, slot);
    }

    /// What comes first in a sequence.
    pub(crate) fn first(&mut self, group: Vec<Box<str>>, stub: Stub) {
        let number = stub.at.div_euclid(self.window);
        let slot = Slot {
            first_of_first: Some(stub.clone()),
            last_of_first: Some(stub),
            ..Slot::default()
        };
        self.slot(group, number, slot);
    }

    /// What comes second.
    pub(crate) fn second(&mut self, group: Vec<Box<str>>, stub: Stub) {
        let number = stub.at.div_euclid(self.window);
        let slot = Slot {
            first_of_second: Some(stub.clone()),
            last_of_second: Some(stub),
            ..Slot::default()
        };
        self.slot(group, number, slot);
    }

    /// Something that is perhaps new.
    pub(crate) fn sighting(&mut self, key: Vec<Box<str>>, stub: Stub) {
        self.began = self.began.into_iter().chain([stub.at]).min();
        self.ended = self.ended.max(Some(stub.at));
        let hash = hash_texts(key.iter().map(|text| &**text));
        self.sightings.put(hash, (key, stub), first_sighting);
    }

    /// Something that was there before, at an earlier time.
    pub(crate) fn sighted_again(&mut self, at: i64) {
        self.ended = self.ended.max(Some(at));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.most = self.most.max(other.most);
        self.ceiling = self.ceiling.into_iter().chain(other.ceiling).min();
        // What the other gave up is given up here too.
        if let Some(ceiling) = self.ceiling {
            let beyond = self.groups.split_off(&ceiling);
            self.slots -= beyond.values().map(BTreeMap::len).sum::<usize>();
        }
        for (group, slots) in other.groups {
            for (number, slot) in slots {
                self.put(group, number, slot);
            }
        }
        self.sightings.merge(other.sightings, first_sighting);
        self.began = self.began.into_iter().chain(other.began).min();
        self.ended = self.ended.max(other.ended);
    }

    /// When the log began, as far as this detection saw it.
    pub(crate) fn began(&self) -> Option<i64> {
        self.began
    }

    /// About how many groups or sightings were left out.
    pub(crate) fn left_out(&self) -> u64 {
        let groups = self.ceiling.map_or(0, |ceiling| {
            let kept = self.groups.len();
            estimate(kept, ceiling).saturating_sub(kept as u64).max(1)
        });
        groups + self.sightings.left_out()
    }

    /// Bursts: the event that began each, and how many there were at least.
    pub(crate) fn bursts(&self, count: usize) -> Vec<(Stub, u64)> {
        let bursts = self.bursts_of(count).into_iter();
        bursts.map(|burst| (burst.first, burst.times)).collect()
    }

    /// The second events of sequences, one for each slot.
    pub(crate) fn pairs(&self) -> Vec<Stub> {
        let pairs = self.pairs_of().into_iter();
        pairs.map(|(_, _, stub)| stub).collect()
    }

    /// The second event of a sequence that ends in a slot.
    fn pair(&self, slots: &Slots, number: i64) -> Option<Stub> {
        let slot = slots.get(&number)?;
        let (next, last) = (
            slot.first_of_second.as_ref()?,
            slot.last_of_second.as_ref()?,
        );
        let within = slot
            .first_of_first
            .as_ref()
            .is_some_and(|first| first.at < last.at);
        let before = slots
            .get(&(number - 1))
            .and_then(|slot| slot.last_of_first.as_ref());
        if before.is_some_and(|before| next.at - before.at <= self.window) {
            Some(next.clone())
        } else {
            within.then(|| last.clone())
        }
    }

    /// What was not there before, and whether there is enough to say so: a baseline, or days enough.
    pub(crate) fn fresh(
        &mut self,
        known: Option<BTreeSet<Vec<Box<str>>>>,
        began: Option<i64>,
        days: u32,
    ) -> (Vec<Stub>, bool) {
        let from = began.unwrap_or_default() + i64::from(days) * DAY;
        let judged = known.is_some() || self.ended.is_some_and(|ended| ended >= from);
        let is_new = |key: &Vec<Box<str>>, stub: &Stub| match &known {
            Some(known) => !known.contains(key),
            None => stub.at >= from,
        };
        let fresh = self
            .sightings
            .values()
            .filter(|(key, stub)| is_new(key, stub));
        (fresh.map(|(_, stub)| stub.clone()).collect(), judged)
    }

    /// All keys that were seen.
    pub(crate) fn sightings(&self) -> impl Iterator<Item = &Vec<Box<str>>> {
        self.sightings.values().map(|(key, _)| key)
    }
}

fn first_sighting(own: &mut (Vec<Box<str>>, Stub), other: (Vec<Box<str>>, Stub)) {
    if other.1 < own.1 {
        own.1 = other.1;
    }
}

impl Wire for Slot {
    fn write(&self, out: &mut Vec<u8>) {
        self.values.write(out);
        for stub in [
            &self.first_of_first,
            &self.last_of_first,
            &self.first_of_second,
            &self.last_of_second,
        ] {
            stub.write(out);
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        Ok(Self {
            values: Wire::read(bytes)?,
            first_of_first: Wire::read(bytes)?,
            last_of_first: Wire::read(bytes)?,
            first_of_second: Wire::read(bytes)?,
            last_of_second: Wire::read(bytes)?,
        })
    }
}

impl Wire for Remembered {
    fn write(&self, out: &mut Vec<u8>) {
        self.window.write(out);
        self.most.write(out);
        self.groups.write(out);
        self.ceiling.write(out);
        self.sightings.write(out);
        self.began.write(out);
        self.ended.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let window = Wire::read(bytes)?;
        let most = Wire::read(bytes)?;
        let groups: BTreeMap<u64, Slots> = Wire::read(bytes)?;
        Ok(Self {
            window,
            most,
            slots: groups.values().map(BTreeMap::len).sum(),
            groups,
            ceiling: Wire::read(bytes)?,
            sightings: Wire::read(bytes)?,
            began: Wire::read(bytes)?,
            ended: Wire::read(bytes)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Remembered, SECOND, SLOTS, Stub};

    fn at(seconds: i64) -> Stub {
        Stub {
            at: seconds * SECOND,
            audit_id: seconds.to_string().into(),
            ..Stub::default()
        }
    }

    fn group(name: &str) -> Vec<Box<str>> {
        vec![name.into()]
    }

    fn counted(times: &[i64]) -> Vec<(i64, u64)> {
        let mut memory = Remembered::new(60);
        for time in times {
            memory.count(
                group("eve"),
                super::super::hash(&time.to_le_bytes()),
                3,
                at(*time),
            );
        }
        let found = memory.bursts(3).into_iter();
        found
            .map(|(stub, times)| (stub.at / SECOND, times))
            .collect()
    }

    #[test]
    fn a_burst_is_found_wherever_it_lies() {
        for start in 0..120 {
            assert_eq!(
                counted(&[start, start + 20, start + 44]),
                [(start, 3)],
                "{start}"
            );
            assert_eq!(counted(&[start, start + 30, start + 60]), [], "{start}");
            assert_eq!(
                counted(&[start, start, start + 1]),
                [],
                "an event that came twice"
            );
        }
        assert_eq!(counted(&[1, 2, 3, 4, 500, 501, 502]), [(1, 3), (500, 3)]);
    }

    #[test]
    fn a_sequence_is_found_exactly() {
        let pairs = |first: &[i64], second: &[i64]| -> Vec<i64> {
            let mut memory = Remembered::new(60);
            second
                .iter()
                .for_each(|time| memory.second(group("eve"), at(*time)));
            first
                .iter()
                .for_each(|time| memory.first(group("eve"), at(*time)));
            memory.pairs().iter().map(|stub| stub.at / SECOND).collect()
        };
        for start in 0..120 {
            for gap in [1, 30, 59, 60] {
                assert_eq!(pairs(&[start], &[start + gap]), [start + gap]);
            }
            assert!(pairs(&[start], &[start + 61]).is_empty());
            assert!(pairs(&[start], &[start]).is_empty());
            assert!(pairs(&[start + 5], &[start]).is_empty());
        }
        let mut other = Remembered::new(60);
        other.first(group("eve"), at(1));
        other.second(group("mallory"), at(2));
        assert!(other.pairs().is_empty());
    }

    #[test]
    fn too_many_groups_leave_the_same_ones_out_in_any_order() {
        let names: Vec<String> = (0..SLOTS + 3000).map(|n| format!("user-{n}")).collect();
        let fill = |names: &mut dyn Iterator<Item = &String>| {
            let mut memory = Remembered::new(60);
            for name in names {
                for time in [0, 1, 2] {
                    memory.count(group(name), time as u64, 3, at(time));
                }
            }
            memory
        };
        let forth = fill(&mut names.iter());
        let back = fill(&mut names.iter().rev());
        assert_eq!(forth, back);
        assert_eq!(forth.bursts(3).len(), SLOTS);
        let (a, b) = names.split_at(SLOTS / 3);
        let mut merged = fill(&mut b.iter());
        merged.merge(fill(&mut a.iter()));
        assert_eq!(merged, forth);
        let about = forth.left_out();
        assert!((2000..4500).contains(&about), "{about}");
    }
}
