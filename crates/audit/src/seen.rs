//! Which records were read before, in bounded memory.
//!
//! The key is not the audit id alone: whoever asks may choose it (the header `Audit-ID`), so somebody who gives
//! all requests the same one would hide them. It is the id with what was asked, by whom and when it came.
//! Remembered are 58 bits of each, of the last two generations; beyond that a copy counts again, and the answer
//! says so ([`Seen::forgot`]). They come in no order, so what remembers them is as small as it can be: it is waited for.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::event::Event;
use crate::hash::Hashed;

/// What remembers records; shared by those who read.
#[derive(Debug)]
pub(crate) struct Seen {
    shards: Vec<Mutex<Shard>>,
    limit: usize,
    forgot: AtomicBool,
}

#[derive(Debug, Default)]
struct Shard {
    now: Requests,
    before: Requests,
}

type Requests = HashSet<Request, BuildHasherDefault<Hashed>>;

/// The number of a request, and in its lowest bits the stages that came.
#[derive(Debug, Clone, Copy, Eq)]
struct Request(u64);

/// The bits of stages.
const STAGES: u64 = 0b11_1111;

impl Request {
    const fn number(self) -> u64 {
        self.0 >> STAGES.count_ones()
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

impl Hash for Request {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Tables look at the highest bits too, which the number has no more.
        state.write_u64(self.number().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

const SHARDS: usize = 64;

impl Seen {
    /// Remembers at least so many requests.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            limit: (limit / SHARDS).max(1),
            forgot: AtomicBool::new(false),
        }
    }

    /// Whether an event is the first of its request, and whether it was there before.
    pub(crate) fn sees(&self, event: &Event<'_>) -> (bool, bool) {
        let Some((number, stage)) = numbers(event) else {
            return (true, false);
        };
        // Neither the lowest bits, which are left out, nor those by which tables find their places.
        let at = usize::try_from(number >> 40).unwrap_or_default() % SHARDS;
        let Some(shard) = self.shards.get(at) else {
            return (true, false);
        };
        // Whoever held it and panicked left numbers, which are always right.
        let mut shard = shard.lock().unwrap_or_else(|broken| broken.into_inner());
        let shard = &mut *shard;
        let (request, stage) = (Request(number & !STAGES), u64::from(stage));
        for requests in [&mut shard.before, &mut shard.now] {
            if let Some(Request(known)) = requests.get(&request).copied() {
                requests.replace(Request(known | stage));
                return (false, known & stage != 0);
            }
        }
        shard.now.insert(Request(request.0 | stage));
        if shard.now.len() >= self.limit {
            if !shard.before.is_empty() {
                self.forgot.store(true, Ordering::Relaxed);
            }
            shard.before = std::mem::take(&mut shard.now);
        }
        (true, false)
    }

    /// Whether some are forgotten.
    pub(crate) fn forgot(&self) -> bool {
        self.forgot.load(Ordering::Relaxed)
    }
}

/// A number for the request of an event, and a bit for its stage. `None` where too little is known to tell two apart.
pub(crate) fn numbers(event: &Event<'_>) -> Option<(u64, u8)> {
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
    // apiserver/pkg/apis/audit/v1/types.go, `Stage`
    Some(match event.stage.as_str() {
        "RequestReceived" => (sum, 1),
        "ResponseStarted" => (sum, 2),
        "ResponseComplete" => (sum, 4),
        "Panic" => (sum, 8),
        "" => (sum, 16),
        // No API server writes others; they are requests of their own, so that none hides another.
        other => (xxh3_64_with_seed(other.as_bytes(), sum), 32),
    })
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::event::Event;

    fn sees(seen: &Seen, id: usize, stage: &str) -> (bool, bool) {
        let text = format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"{stage}","requestURI":"/readyz","verb":"get"}}"#
        );
        seen.sees(&Event::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn stages_of_a_request_are_told_apart_and_copies_found() {
        let seen = Seen::new(1 << 16);
        for id in 0..20_000 {
            assert_eq!(sees(&seen, id, "RequestReceived"), (true, false));
        }
        for id in 0..20_000 {
            assert_eq!(sees(&seen, id, "ResponseComplete"), (false, false), "{id}");
            assert_eq!(sees(&seen, id, "RequestReceived"), (false, true), "{id}");
            assert_eq!(sees(&seen, id, "ResponseComplete"), (false, true), "{id}");
        }
        // A stage that no API server writes hides no request.
        assert_eq!(sees(&seen, 1, "Odd"), (true, false));
        assert_eq!(sees(&seen, 1, "Odd"), (false, true));
        assert!(!seen.forgot());
    }

    #[test]
    fn the_last_are_remembered_and_it_is_said_when_others_are_not() {
        let seen = Seen::new(1_000);
        // Shards fill up unevenly.
        for id in 0..500 {
            sees(&seen, id, "ResponseComplete");
        }
        assert!(!seen.forgot());
        for id in 500..10_000 {
            sees(&seen, id, "ResponseComplete");
            // What was just there, in whichever generation it is.
            assert_eq!(sees(&seen, id, "ResponseComplete"), (false, true));
            assert_eq!(sees(&seen, id - 100, "ResponseComplete"), (false, true));
        }
        assert!(seen.forgot());
        assert_eq!(sees(&seen, 0, "ResponseComplete"), (true, false));
    }
}
