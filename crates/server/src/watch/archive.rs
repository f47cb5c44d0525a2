//! The posture history in Azure Blob storage: written by a thread of its own, so that nothing waits for a network, and read
//! back for the dashboard.
//!
//! Each replica appends to blobs of its own, one for each day (`posture-2026-11-27-POD.jsonl`): nobody locks, nobody
//! overwrites. What cannot be written waits in memory, bounded, and is written in order when storage answers again.
//! When an answer got lost, lines may stand there twice; who reads takes them as one.
//!
//! What it deliberately leaves out: deleting what is old, which a rule of the storage account does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use sources::azure::SignIn;
use sources::blob::{self, Blobs};
use sources::post::Untold;

use super::history::{Posture, UNWRITTEN, postures};
use super::trouble::{Trouble, Why};
use super::{Level, Options, Shared, TICK, locked, rest};

/// Bytes that wait for storage; beyond them the oldest lines are dropped, and counted.
const WAITING: usize = 16 << 20;
/// An append blob has room for 50,000 appends
/// (<https://learn.microsoft.com/azure/storage/blobs/scalability-targets>): so many seconds between two fit into a day.
const BETWEEN: Duration = Duration::from_secs(2);
/// The longest pause after it failed.
const LONGEST: Duration = Duration::from_secs(60);
/// How often it is looked what others wrote.
const LOOK: Duration = Duration::from_secs(60);
/// Days that are read back.
const DAYS: i64 = 400;
/// Bytes of one blob that are read at all.
const MOST_OF_A_BLOB: u64 = 64 << 20;

/// A place in storage, and who writes there.
#[derive(Debug, Clone)]
pub struct Storage {
    /// `https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX`.
    pub url: String,
    /// How one signs in.
    pub sign_in: SignIn,
    /// The writer: the Pod's name.
    pub writer: String,
    /// Whether it is read back, for the dashboard.
    pub shown: bool,
}

impl Storage {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is none of Blob storage.
    pub fn check(&self) -> Result<(), String> {
        self.open().map(|_| ())
    }

    fn open(&self) -> Result<Blobs, String> {
        Blobs::new(&self.url, &self.sign_in)
    }

    fn name(&self, day: &str) -> String {
        let writer = self.writer.to_ascii_lowercase();
        let plain = writer.chars().map(|letter| {
            let fits = letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
            if fits { letter } else { '-' }
        });
        format!("posture-{day}-{}.jsonl", plain.collect::<String>())
    }
}

/// What waits for storage, and what was read there.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    waiting: Mutex<Waiting>,
    past: Mutex<Option<Arc<[Posture]>>>,
    pub(crate) written: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<(String, String)>,
    bytes: usize,
    /// Lines that were taken, and of which nobody knows yet whether they are written.
    taken: usize,
}

/// Lines of one day.
struct Batch {
    day: String,
    lines: usize,
    text: String,
}

impl Archive {
    /// A line waits to be written.
    pub(crate) fn push(&self, day: String, line: String) {
        let mut waiting = locked(&self.waiting);
        waiting.bytes += line.len();
        waiting.lines.push_back((day, line));
        while waiting.bytes > WAITING && waiting.lines.len() > 1 {
            if let Some((_, line)) = waiting.lines.pop_front() {
                waiting.bytes -= line.len();
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Lines that wait.
    pub(crate) fn waiting(&self) -> usize {
        let waiting = locked(&self.waiting);
        waiting.lines.len() + waiting.taken
    }

    /// What was read, where something is read.
    pub(crate) fn past(&self) -> Option<Arc<[Posture]>> {
        locked(&self.past).clone()
    }

    /// The oldest lines, of one day, as many as one append takes.
    fn take(&self) -> Option<Batch> {
        let mut waiting = locked(&self.waiting);
        let mut batch: Option<Batch> = None;
        while let Some((day, line)) = waiting.lines.front() {
            let fits = batch.as_ref().is_none_or(|batch| {
                batch.day == *day && batch.text.len() + line.len() <= blob::MOST
            });
            if !fits {
                break;
            }
            let batch = batch.get_or_insert_with(|| Batch {
                day: day.clone(),
                lines: 0,
                text: String::new(),
            });
            batch.lines += 1;
            batch.text.push_str(line);
            let length = line.len();
            waiting.lines.pop_front();
            waiting.bytes -= length;
        }
        waiting.taken = batch.as_ref().map_or(0, |batch| batch.lines);
        batch
    }

    /// It is written.
    fn done(&self, batch: &Batch) {
        locked(&self.waiting).taken = 0;
        let lines = batch.lines as u64;
        self.written.fetch_add(lines, Ordering::Relaxed);
    }

    /// It could not be written: first again, as the lines that they were.
    fn give_back(&self, batch: &Batch) {
        let mut waiting = locked(&self.waiting);
        waiting.bytes += batch.text.len();
        waiting.taken = 0;
        for line in batch.text.split_inclusive('\n').rev() {
            waiting
                .lines
                .push_front((batch.day.clone(), line.to_owned()));
        }
    }
}

/// Writes what waits and reads what others wrote, until it is time to stop; then what waits is tried once more.
pub(super) fn keep(storage: &Storage, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let blobs = match storage.open() {
        Ok(blobs) => blobs,
        Err(why) => {
            let more = json!({ "why": why });
            return (options.log)(Level::Error, "the posture history cannot be written", more);
        }
    };
    let mut writing = Writing {
        storage,
        blobs: &blobs,
        options,
        archive: &shared.archive,
        failed: 0,
        next: None,
        trouble: Trouble::new(UNWRITTEN),
    };
    let mut reading = Reading::default();
    let mut looked: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        writing.turn();
        if storage.shown && looked.is_none_or(|at| at.elapsed() >= LOOK) {
            looked = Some(Instant::now());
            let day = (options.clock)() - jiff::SignedDuration::from_hours(24 * DAYS);
            let first = format!("posture-{}", day.strftime("%Y-%m-%d"));
            // Writing says what is wrong with storage; what was read before stays.
            if let Ok(past) = reading.look(&blobs, &first) {
                *locked(&shared.archive.past) = Some(past);
            }
        }
        rest(TICK, stop);
    }
    writing.next = None;
    writing.turn();
}

struct Writing<'w> {
    storage: &'w Storage,
    blobs: &'w Blobs,
    options: &'w Options,
    archive: &'w Archive,
    failed: u32,
    next: Option<Instant>,
    trouble: Trouble,
}

impl Writing<'_> {
    fn turn(&mut self) {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return;
        }
        let Some(batch) = self.archive.take() else {
            return;
        };
        let name = self.storage.name(&batch.day);
        let written = self.blobs.append(&name, batch.text.as_bytes());
        let pause = match &written {
            Ok(()) => {
                self.archive.done(&batch);
                self.failed = 0;
                BETWEEN
            }
            // A right that is missing now may be given later, so everything is tried again.
            Err(untold) => {
                self.archive.give_back(&batch);
                self.archive.errors.fetch_add(1, Ordering::Relaxed);
                self.failed = self.failed.saturating_add(1);
                let pause = BETWEEN * 2_u32.pow(self.failed.min(6));
                pause.max(untold.wait.unwrap_or_default()).min(LONGEST)
            }
        };
        self.next = Some(Instant::now() + pause);
        let waiting = json!({ "waiting": self.archive.waiting() });
        let why = written.err().map(Why::from);
        self.trouble
            .tell(&self.options.log, why, json!({}), waiting);
    }
}

/// What was read of blobs: they only grow, so only what is new is read.
#[derive(Default)]
struct Reading {
    blobs: BTreeMap<String, (u64, Vec<Posture>)>,
}

impl Reading {
    fn look(&mut self, blobs: &Blobs, first: &str) -> Result<Arc<[Posture]>, Untold> {
        let mut listed = blobs.list("posture-")?;
        listed.retain(|blob| *blob.name >= *first && blob.length <= MOST_OF_A_BLOB);
        let mut kept = BTreeMap::new();
        for blob in listed {
            let before = self.blobs.remove(&blob.name);
            let (from, mut all) = before.unwrap_or_default();
            let mut until = from;
            if blob.length > from {
                let bytes = blobs.read(&blob.name, from)?;
                // An append is there whole or not at all; whatever else is at the end is read again.
                let whole = bytes.iter().rposition(|byte| *byte == b'\n');
                let whole = bytes
                    .get(..whole.map_or(0, |end| end + 1))
                    .unwrap_or_default();
                all.extend(postures(whole));
                until += whole.len() as u64;
            }
            kept.insert(blob.name, (until, all));
        }
        self.blobs = kept;
        let mut all: Vec<Posture> = Vec::new();
        all.extend(
            self.blobs
                .values()
                .flat_map(|(_, some)| some.iter().cloned()),
        );
        all.sort_by_key(|posture| posture.at);
        all.dedup();
        Ok(all.into())
    }
}

/// What storage holds, read at once: every posture, the oldest first.
///
/// # Errors
/// When the address is none of Blob storage, or storage does not answer.
pub fn read(storage: &Storage) -> Result<Vec<Posture>, String> {
    let blobs = storage.open()?;
    let past = Reading::default().look(&blobs, "");
    past.map(|past| past.to_vec())
        .map_err(|untold| untold.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_taken_in_order_a_day_at_a_time_and_given_back() {
        let archive = Archive::default();
        for (day, line) in [("26", "a\n"), ("26", "b\n"), ("27", "c\n")] {
            archive.push(day.to_owned(), line.to_owned());
        }
        let batch = archive.take().unwrap();
        assert_eq!(
            (&*batch.day, &*batch.text, batch.lines),
            ("26", "a\nb\n", 2)
        );
        archive.give_back(&batch);
        assert_eq!(archive.waiting(), 3);
        for text in ["a\nb\n", "c\n"] {
            let batch = archive.take().unwrap();
            assert_eq!(batch.text, text);
            archive.done(&batch);
        }
        assert_eq!(archive.waiting(), 0);
        assert!(archive.take().is_none());
        assert_eq!(locked(&archive.waiting).bytes, 0);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_dropped_is_counted() {
        let archive = Archive::default();
        let line = format!("{}\n", "x".repeat(1 << 20));
        for _ in 0..20 {
            archive.push("26".to_owned(), line.clone());
        }
        let dropped = archive.dropped.load(Ordering::Relaxed);
        assert_eq!(archive.waiting() as u64 + dropped, 20);
        assert!(dropped > 0 && locked(&archive.waiting).bytes <= WAITING);
    }
}
