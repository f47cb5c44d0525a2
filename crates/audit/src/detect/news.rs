//! Alerts one by one while a log grows: each is told once, whatever is read again.
//!
//! What detections find is taken out of their state as soon as it is there, so the state holds only what they remember;
//! and of that only what lies within their windows and an hour, for logs come late. What was told is known for two days.
//! What is seen first is held against everything that was seen before, which a baseline may give.

use std::collections::BTreeMap;

use guide::detection::Memory;
use model::Severity;
use serde_json::{Value, json};

use super::alert::{Alert, Stub, Verdict};
use super::baseline::Baseline;
use super::bounded::hash_texts;
use super::memory::{Remembered, read, written};
use super::{Detections, Tally};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// How much later than others a record may come.
const LATE: i64 = 3600 * SECOND;
/// How long it is known what was told.
const KNOWN: i64 = 2 * DAY;
/// How many alerts are known at most.
const TALES: usize = 200_000;
/// How many things that were seen are known of one detection.
const SEEN: usize = 100_000;

/// An alert that was not told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The same whenever it is found again, and of no other.
    pub id: Box<str>,
    /// What is told.
    pub alert: Alert,
}

/// What was told, and what was seen.
#[derive(Debug, Default)]
pub struct Told {
    /// By detection and what it is about.
    tales: BTreeMap<(Box<str>, u64), Tale>,
    seen: Baseline,
    /// Whether a baseline was given: then everything beside it is new.
    given: bool,
    /// When the log began, as far as first sightings are concerned.
    began: Option<i64>,
    ended: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Tale {
    /// Of a burst when it ends.
    at: i64,
    verdict: Verdict,
}

impl Told {
    /// Nothing was told yet; what a baseline knows is nothing new.
    #[must_use]
    pub fn new(baseline: Option<Baseline>) -> Self {
        Self {
            given: baseline.is_some(),
            seen: baseline.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What was seen, for a baseline.
    #[must_use]
    pub const fn seen(&self) -> &Baseline {
        &self.seen
    }

    /// Whether that is new. What was open and is certain now is.
    fn is_new(&mut self, detection: &str, key: u64, at: i64, verdict: Verdict) -> bool {
        let key = (Box::from(detection), key);
        match self.tales.get_mut(&key) {
            Some(tale) if verdict >= tale.verdict => false,
            Some(tale) => {
                tale.verdict = verdict;
                true
            }
            None => {
                self.tales.insert(key, Tale { at, verdict });
                true
            }
        }
    }

    /// Whether a burst of a group is new: one that overlaps another goes on with it.
    fn is_new_burst(&mut self, detection: &str, group: u64, (from, to): (i64, i64)) -> bool {
        let key = (Box::from(detection), group);
        let tale = Tale {
            at: to,
            verdict: Verdict::Match,
        };
        let before = self.tales.insert(key.clone(), tale);
        if let Some(before) = before {
            if before.at > to
                && let Some(own) = self.tales.get_mut(&key)
            {
                own.at = before.at;
            }
            return from > before.at;
        }
        true
    }

    fn forget(&mut self, newest: i64) {
        if self.tales.len() > TALES {
            // A quarter of them at once: that is seldom.
            let mut times: Vec<i64> = self.tales.values().map(|tale| tale.at).collect();
            let middle = times.len() / 4;
            let (_, at, _) = times.select_nth_unstable(middle);
            let at = *at;
            self.tales.retain(|_, tale| tale.at > at);
        }
        self.tales.retain(|_, tale| tale.at >= newest - KNOWN);
    }

    /// What is known, to be kept in a file.
    #[must_use]
    pub fn kept(&self) -> Value {
        let tales = self.tales.iter();
        let tales = tales.map(|((detection, key), tale)| {
            json!([detection, key, tale.at, tale.verdict == Verdict::Match])
        });
        let seen: Value = serde_json::from_str(&self.seen.write()).unwrap_or_default();
        json!({
            "tales": tales.collect::<Vec<_>>(),
            "seen": seen,
            "given": self.given,
            "began": self.began,
            "ended": self.ended,
        })
    }

    /// Adds what was kept; what is of another form is left out.
    pub fn restore(&mut self, kept: &Value) {
        let tales = kept.get("tales").and_then(Value::as_array);
        for tale in tales.into_iter().flatten() {
            let detection = tale.get(0).and_then(Value::as_str);
            let key = tale.get(1).and_then(Value::as_u64);
            let at = tale.get(2).and_then(Value::as_i64);
            let certain = tale.get(3).and_then(Value::as_bool) == Some(true);
            let verdict = if certain {
                Verdict::Match
            } else {
                Verdict::Unknown
            };
            if let (Some(detection), Some(key), Some(at)) = (detection, key, at) {
                self.tales
                    .insert((detection.into(), key), Tale { at, verdict });
            }
        }
        let seen = kept.get("seen").map(ToString::to_string);
        if let Some(Ok(seen)) = seen.map(|text| Baseline::read(&text)) {
            self.seen.merge(seen);
        }
        self.given |= kept.get("given").and_then(Value::as_bool) == Some(true);
        let time = |key: &str| kept.get(key).and_then(Value::as_i64);
        self.began = self.began.into_iter().chain(time("began")).min();
        self.ended = self.ended.max(time("ended"));
    }
}

impl News {
    /// As a row, for a checkpoint.
    #[must_use]
    pub fn kept(&self) -> Value {
        let Alert {
            event,
            detection,
            severity,
            verdict,
            times,
        } = &self.alert;
        let certain = *verdict == Verdict::Match;
        json!([
            self.id,
            detection,
            severity.word(),
            certain,
            times,
            written(event)
        ])
    }

    /// Of a row; nothing when it is of another form.
    #[must_use]
    pub fn read(row: &Value) -> Option<Self> {
        let text = |index: usize| row.get(index).and_then(Value::as_str);
        let certain = row.get(3)?.as_bool()?;
        Some(Self {
            id: text(0)?.into(),
            alert: Alert {
                detection: text(1)?.into(),
                severity: Severity::parse(text(2)?)?,
                verdict: if certain {
                    Verdict::Match
                } else {
                    Verdict::Unknown
                },
                times: row.get(4)?.as_u64()?,
                event: read(row.get(5)?)?,
            },
        })
    }

    fn new(alert: Alert, about: &[&str]) -> Self {
        let parts = [&*alert.detection, alert.verdict.word()].into_iter();
        let id = hash_texts(parts.chain(about.iter().copied()));
        Self {
            id: format!("{id:016x}").into(),
            alert,
        }
    }
}

impl Detections<'_, '_> {
    /// Takes out what was not told before, in the order of time, and forgets what is too old to matter: `newest` is
    /// when the newest event happened.
    pub fn news(&mut self, told: &mut Told, newest: i64) -> Vec<News> {
        let mut found = Vec::new();
        for (number, alerts) in std::mem::take(&mut self.alerts) {
            let Some(detection) = self.detector.detection(number) else {
                continue;
            };
            left_out(&mut self.tally, &detection.id, alerts.left_out());
            for (key, (verdict, stub)) in alerts.into_entries() {
                // What has no time is as old as what it came with.
                let at = if stub.at == 0 { newest } else { stub.at };
                if told.is_new(&detection.id, key, at, verdict) {
                    let alert = Alert::new(detection, verdict, stub, 1);
                    found.push(News::new(alert, &[&key.to_string()]));
                }
            }
        }
        for (number, remembered) in &mut self.remembered {
            let Some(detection) = self.detector.detection(*number) else {
                continue;
            };
            let id = &*detection.id;
            let alert = |stub, times| Alert::new(detection, Verdict::Match, stub, times);
            let (parts, window) = match &detection.memory {
                Memory::None => continue,
                Memory::Threshold { count, window, .. } => {
                    let parts = Remembered::parts();
                    let length = i64::from(*window) * SECOND / parts;
                    for burst in remembered.bursts_of(*count as usize) {
                        let (from, to) = burst.slots;
                        let span = (from * length, (to + 1) * length - 1);
                        if told.is_new_burst(id, burst.group, span) {
                            let about = [burst.group.to_string(), from.to_string()];
                            let alert = alert(burst.first, burst.times);
                            found.push(News::new(alert, &[&about[0], &about[1]]));
                        }
                    }
                    (parts, *window)
                }
                Memory::Sequence { window, .. } => {
                    for (group, slot, stub) in remembered.pairs_of() {
                        let about = [group.to_string(), slot.to_string()];
                        let key = hash_texts(about.iter().map(String::as_str));
                        if told.is_new(id, key, stub.at, Verdict::Match) {
                            let news = News::new(alert(stub, 1), &[&about[0], &about[1]]);
                            found.push(news);
                        }
                    }
                    (1, *window)
                }
                Memory::FirstSeen { days } => {
                    let (sightings, (began, ended)) = remembered.take_sightings();
                    told.began = told.began.into_iter().chain(began).min();
                    told.ended = told.ended.max(ended);
                    left_out(
                        &mut self.tally,
                        id,
                        told.sight(id, *days, sightings, |key, stub| {
                            let key: Vec<&str> = key.iter().map(|part| &**part).collect();
                            found.push(News::new(alert(stub, 1), &key));
                        }),
                    );
                    continue;
                }
            };
            let before = newest - i64::from(window) * SECOND - LATE;
            left_out(&mut self.tally, id, remembered.forget(before, parts));
        }
        told.forget(newest);
        found.sort_by(|one, other| (&one.alert, &one.id).cmp(&(&other.alert, &other.id)));
        found
    }

    /// What was not judged so far.
    #[must_use]
    pub fn tally(&self, told: &Told) -> Tally {
        let mut tally = self.tally.clone();
        let first_seen = self.detector.selected().filter(|detection| {
            matches!(detection.memory, Memory::FirstSeen { days } if !told.is_judged(days))
        });
        tally.no_history = first_seen.map(|detection| detection.id.clone()).collect();
        tally
    }

    /// What is remembered, to be kept in a file.
    #[must_use]
    pub fn kept(&self) -> Value {
        let all = self.remembered.iter().filter_map(|(number, remembered)| {
            let detection = self.detector.detection(*number)?;
            Some((detection.id.to_string(), remembered.kept()))
        });
        Value::Object(all.collect())
    }

    /// Adds what was kept; detections that are not asked any more are left out.
    pub fn restore(&mut self, kept: &Value) {
        for number in &self.detector.selected {
            let Some(detection) = self.detector.detection(*number) else {
                continue;
            };
            let window = match &detection.memory {
                Memory::Threshold { window, .. } | Memory::Sequence { window, .. } => *window,
                Memory::None | Memory::FirstSeen { .. } => continue,
            };
            if let Some(kept) = kept.get(&*detection.id) {
                let remembered = self.remembered.entry(*number);
                remembered
                    .or_insert_with(|| Remembered::new(window))
                    .restore(kept);
            }
        }
    }
}

impl Told {
    /// Whether the log is long enough to say what is new, or a baseline is.
    fn is_judged(&self, days: u32) -> bool {
        let from = self.began.map(|began| began + i64::from(days) * DAY);
        self.given || from.is_some_and(|from| self.ended.is_some_and(|ended| ended >= from))
    }

    /// Takes note of what was seen, hands on what is new, and says how much found no room.
    fn sight(
        &mut self,
        detection: &str,
        days: u32,
        sightings: Vec<(Vec<Box<str>>, Stub)>,
        mut new: impl FnMut(&[Box<str>], Stub),
    ) -> u64 {
        let from = self.began.unwrap_or_default() + i64::from(days) * DAY;
        let mut room = SEEN.saturating_sub(self.seen.count_of(detection));
        let mut gone = 0;
        for (key, stub) in sightings {
            if self.seen.has(detection, &key) {
                continue;
            }
            if room == 0 {
                gone += 1;
                continue;
            }
            room -= 1;
            self.seen.add(detection, [&key].into_iter());
            if self.given || stub.at >= from {
                new(&key, stub);
            }
        }
        gone
    }
}

fn left_out(tally: &mut Tally, detection: &str, about: u64) {
    if about > 0 {
        *tally.left_out.entry(detection.into()).or_default() += about;
    }
}
