//! Which records were read before, in bounded memory.
//!
//! The key is not the audit id alone: whoever asks may choose it (the header `Audit-ID`), so somebody who gives
//! all requests the same one would hide them. It is the id with what was asked, by whom and when it came.
//! Remembered are 64 bits of each, of the last two generations; beyond that a copy counts again, and the answer
//! says so ([`Seen::forgot`]).

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::event::Event;

/// What remembers records; shared by those who read.
#[derive(Debug)]
pub(crate) struct Seen {
    shards: Vec<Mutex<Shard>>,
    limit: usize,
    forgot: AtomicBool,
}

#[derive(Debug, Default)]
struct Shard {
    now: Numbers,
    before: Numbers,
}

type Numbers = HashSet<u64, BuildHasherDefault<Hashed>>;

/// Numbers that are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const SHARDS: usize = 64;

impl Seen {
    /// Remembers at least so many records.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            limit: (limit / SHARDS).max(1),
            forgot: AtomicBool::new(false),
        }
    }

    /// Whether this is the first time.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        let at = usize::try_from(number & (SHARDS as u64 - 1)).unwrap_or_default();
        let Some(shard) = self.shards.get(at) else {
            return true;
        };
        // Whoever held it and panicked left numbers, which are always right.
        let mut shard = shard.lock().unwrap_or_else(|broken| broken.into_inner());
        if shard.before.contains(&number) {
            return false;
        }
        let new = shard.now.insert(number);
        if shard.now.len() >= self.limit {
            if !shard.before.is_empty() {
                self.forgot.store(true, Ordering::Relaxed);
            }
            shard.before = std::mem::take(&mut shard.now);
        }
        new
    }

    /// Whether some are forgotten.
    pub(crate) fn forgot(&self) -> bool {
        self.forgot.load(Ordering::Relaxed)
    }
}

/// A number for the request of an event, and one for the event itself. `None` where too little is known to tell
/// two apart.
pub(crate) fn numbers(event: &Event<'_>) -> Option<(u64, u64)> {
    let id = event.audit_id.known()?;
    let mut sum = xxh3_64_with_seed(id.as_bytes(), 0);
    let user = event.user.there().map_or("", |user| user.name.as_str());
    for part in [
        event.request_uri.as_str(),
        event.verb.as_str(),
        user,
        event.received.as_str(),
    ] {
        sum = xxh3_64_with_seed(part.as_bytes(), sum);
    }
    let stage = xxh3_64_with_seed(event.stage.as_str().as_bytes(), sum ^ 1);
    Some((sum, stage))
}
