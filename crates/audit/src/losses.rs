//! What of a log was not there or could not be read: nothing is lost silently.

use std::collections::{BTreeMap, BTreeSet};

use crate::Place;
use crate::event::{Event, KEYS};
use crate::guard::Decisions;
use crate::wire::{Broken, Bytes, Wire};

/// How many places are kept of what could not be read.
const PLACES: usize = 5;
/// A log with fewer minutes than this says nothing of its steadiness.
const STEADY_MINUTES: usize = 60;
/// Nothing for so many minutes in a steady log is a gap.
const GAP_MINUTES: i64 = 5;

const MINUTE: i64 = 60_000_000;

/// What was read, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// Bytes, before decompression.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Records, audit events or not.
    pub records: u64,
    /// Audit events, copies too.
    pub events: u64,
    /// Requests: events of one request are one.
    pub requests: u64,
    /// Events that were there before, by audit id, stage and what they say.
    pub duplicates: u64,
    /// Whether more events came than can be told apart.
    pub forgot: bool,
    /// Events that end early, by the first field that is not all there.
    pub truncated: BTreeMap<&'static str, u64>,
    /// Events that are no JSON from some place on; among `truncated` too.
    pub damaged: u64,
    /// Records of the activity log.
    pub activities: u64,
    /// Records of other categories.
    pub other: BTreeMap<Box<str>, u64>,
    /// What `guard` says of Azure RBAC's decisions; its records are among `other` too.
    pub guard: Decisions,
    /// Records that nobody can read.
    pub unreadable: u64,
    /// The first of them.
    pub unreadable_at: BTreeSet<Place>,
    /// Messages that were deleted before they were read.
    pub expired: u64,
    /// Records without reads: `kube-audit-admin`.
    pub without_reads: u64,
    /// Records of which nobody says whether reads are among them, without a category.
    pub unsaid_reads: u64,
    /// `get`, `list` and `watch` among the events.
    pub reads: u64,
    /// When the first stage was reached, in microseconds since 1970.
    pub first: Option<i64>,
    /// When the last was.
    pub last: Option<i64>,
    /// The longest that a record took from its stage to the sink, in microseconds.
    pub lag: Option<i64>,
    /// Minutes in which something happened, for each cluster: bits of days.
    minutes: BTreeMap<Box<str>, BTreeMap<i64, Day>>,
}

/// The minutes of a day.
type Day = [u64; 23];

/// A time in which a log that is otherwise steady says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// the Azure resource of the cluster, where records say it
    pub cluster: Box<str>,
    /// the last minute before it, in microseconds since 1970
    pub from: i64,
    /// the first minute after it
    pub to: i64,
}

/// All of it but the places, which are those of one reader.
impl Wire for Losses {
    fn write(&self, out: &mut Vec<u8>) {
        for number in [
            self.bytes,
            self.files,
            self.records,
            self.events,
            self.requests,
            self.duplicates,
            self.damaged,
            self.activities,
            self.unreadable,
            self.expired,
            self.without_reads,
            self.unsaid_reads,
            self.reads,
        ] {
            number.write(out);
        }
        self.forgot.write(out);
        self.other.write(out);
        let truncated = self.truncated.iter();
        let truncated: Vec<(Box<str>, u64)> = truncated
            .map(|(field, times)| ((*field).into(), *times))
            .collect();
        truncated.write(out);
        for time in [self.first, self.last, self.lag] {
            time.write(out);
        }
        let minutes: BTreeMap<Box<str>, BTreeMap<i64, Vec<u64>>> = self
            .minutes
            .iter()
            .map(|(cluster, days)| {
                let days = days.iter().map(|(day, words)| (*day, words.to_vec()));
                (cluster.clone(), days.collect())
            })
            .collect();
        minutes.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let mut losses = Self::default();
        for number in [
            &mut losses.bytes,
            &mut losses.files,
            &mut losses.records,
            &mut losses.events,
            &mut losses.requests,
            &mut losses.duplicates,
            &mut losses.damaged,
            &mut losses.activities,
            &mut losses.unreadable,
            &mut losses.expired,
            &mut losses.without_reads,
            &mut losses.unsaid_reads,
            &mut losses.reads,
        ] {
            *number = u64::read(bytes)?;
        }
        losses.forgot = bool::read(bytes)?;
        losses.other = Wire::read(bytes)?;
        for (field, times) in Vec::<(Box<str>, u64)>::read(bytes)? {
            let known = KEYS.iter().find(|known| **known == &*field);
            losses.truncated.insert(known.ok_or(Broken)?, times);
        }
        for time in [&mut losses.first, &mut losses.last, &mut losses.lag] {
            *time = Wire::read(bytes)?;
        }
        let minutes: BTreeMap<Box<str>, BTreeMap<i64, Vec<u64>>> = Wire::read(bytes)?;
        for (cluster, days) in minutes {
            let known = losses.minutes.entry(cluster).or_default();
            for (day, words) in days {
                known.insert(day, words.try_into().map_err(|_| Broken)?);
            }
        }
        Ok(losses)
    }
}

impl Losses {
    pub(crate) fn event(&mut self, event: &Event<'_>, cluster: &str, at: Option<i64>) {
        self.events += 1;
        if let Some(field) = event.cut_at() {
            *self.truncated.entry(field).or_default() += 1;
        }
        self.damaged += u64::from(event.damaged);
        self.reads += u64::from(matches!(event.verb.as_str(), "get" | "list" | "watch"));
        if let Some(at) = at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
            self.minute(cluster, at.div_euclid(MINUTE));
        }
    }

    fn minute(&mut self, cluster: &str, minute: i64) {
        let (day, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        let (word, bit) = ((of_day / 64) as usize, of_day % 64);
        if !self.minutes.contains_key(cluster) {
            self.minutes.insert(cluster.into(), BTreeMap::new());
        }
        if let Some(days) = self.minutes.get_mut(cluster)
            && let Some(word) = days.entry(day).or_default().get_mut(word)
        {
            *word |= 1 << bit;
        }
    }

    pub(crate) fn unreadable(&mut self, place: Place) {
        self.unreadable += 1;
        self.unreadable_at.insert(place);
        while self.unreadable_at.len() > PLACES {
            self.unreadable_at.pop_last();
        }
    }

    pub(crate) fn lag(&mut self, lag: i64) {
        self.lag = Some(self.lag.map_or(lag, |known| known.max(lag)));
    }

    /// Adds what another reader of the same log counted.
    pub fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.files += other.files;
        self.records += other.records;
        self.events += other.events;
        self.requests += other.requests;
        self.duplicates += other.duplicates;
        self.forgot |= other.forgot;
        for (field, count) in other.truncated {
            *self.truncated.entry(field).or_default() += count;
        }
        self.damaged += other.damaged;
        self.activities += other.activities;
        for (category, count) in other.other {
            *self.other.entry(category).or_default() += count;
        }
        self.guard.merge(other.guard);
        self.unreadable += other.unreadable;
        self.unreadable_at.extend(other.unreadable_at);
        while self.unreadable_at.len() > PLACES {
            self.unreadable_at.pop_last();
        }
        self.expired += other.expired;
        self.without_reads += other.without_reads;
        self.unsaid_reads += other.unsaid_reads;
        self.reads += other.reads;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.lag = self.lag.max(other.lag);
        for (cluster, days) in other.minutes {
            let known = self.minutes.entry(cluster).or_default();
            for (day, minutes) in days {
                let known = known.entry(day).or_default();
                for (word, other) in known.iter_mut().zip(minutes) {
                    *word |= other;
                }
            }
        }
    }

    /// Events that were not all there.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.truncated.values().sum()
    }

    /// Times in which a log says nothing though it is otherwise steady: a cluster renews leases every few seconds,
    /// so a minute without any event is one that was lost. Of a log in which that happens all the time (a
    /// selection, a quiet test cluster) nothing is said.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (cluster, days) in &self.minutes {
            let minutes: Vec<i64> = days
                .iter()
                .flat_map(|(day, words)| {
                    (0..1440_i64).filter_map(move |of_day| {
                        let word = words.get((of_day / 64) as usize)?;
                        (word >> (of_day % 64) & 1 == 1).then_some(day * 1440 + of_day)
                    })
                })
                .collect();
            let pairs = || minutes.iter().zip(minutes.iter().skip(1));
            let next = pairs().filter(|(a, b)| *b - *a == 1).count();
            let steady = minutes.len() >= STEADY_MINUTES && next * 100 >= pairs().count() * 98;
            if steady {
                let found = pairs().filter(|(a, b)| *b - *a > GAP_MINUTES);
                gaps.extend(found.map(|(from, to)| Gap {
                    cluster: cluster.clone(),
                    from: from * MINUTE,
                    to: to * MINUTE,
                }));
            }
        }
        gaps
    }
}
