//! Traces for OpenTelemetry: a span for each review that is judged, each pass over everything, each reading of Azure.
//!
//! Nothing is noted or sent unless the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT` and its like,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>). Spans go by OTLP over HTTP, in
//! Protobuf (`otlp`). They hold durations, counts and words of Kubernetes; no name of an object, nothing that is in one.
//!
//! What it deliberately leaves out: metrics, which Prometheus reads, and logs, which are on standard error.

mod otlp;
mod settings;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};
use sources::azure::Trust;
use sources::post::{Post, Untold};

pub use self::settings::Settings;

/// Spans that wait; what comes when so many wait is dropped, and counted (`OTEL_BSP_MAX_QUEUE_SIZE`).
const WAITING: usize = 2048;
/// Spans of one message (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
const TOGETHER: usize = 512;
/// How long the first waits for others (`OTEL_BSP_SCHEDULE_DELAY`).
const EVERY: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(250);
/// How often a message is tried.
const ATTEMPTS: u32 = 5;

/// What a span is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work of its own.
    Internal,
    /// It answers somebody.
    Server,
    /// It asks somebody.
    Client,
}

/// What is said of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A word.
    Text(Box<str>),
    /// A count.
    Number(i64),
    /// Whether.
    Is(bool),
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<usize> for Said {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Said {
    fn from(is: bool) -> Self {
        Self::Is(is)
    }
}

/// A span that has ended.
#[derive(Debug, Clone)]
struct Span {
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: &'static str,
    kind: Kind,
    /// Nanoseconds since 1970.
    begun: u64,
    ended: u64,
    said: Vec<(&'static str, Said)>,
    failed: bool,
}

/// A span that goes on. It is noted when it is dropped.
#[derive(Debug)]
pub struct Open {
    tracer: Arc<Tracer>,
    span: Span,
    since: Instant,
}

/// Whose span another belongs to.
#[derive(Debug, Clone)]
pub struct Parent {
    tracer: Arc<Tracer>,
    trace: [u8; 16],
    id: [u8; 8],
}

/// Where spans go.
pub struct Tracer {
    settings: Option<Settings>,
    random: SystemRandom,
    waiting: Mutex<VecDeque<Span>>,
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

impl Tracer {
    /// Notes nothing, or what is to be sent.
    #[must_use]
    pub fn new(settings: Option<Settings>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            random: SystemRandom::new(),
            waiting: Mutex::default(),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Spans that a collector took, and those that were dropped.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.sent), of(&self.dropped))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Span>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a span; with a `traceparent` it belongs to the caller's trace. Nothing where nobody wants it.
    #[must_use]
    pub fn begin(
        self: &Arc<Self>,
        name: &'static str,
        kind: Kind,
        traceparent: Option<&str>,
    ) -> Option<Open> {
        let settings = self.settings.as_ref()?;
        let caller = traceparent.and_then(parent_of);
        let mut trace = [0; 16];
        self.random.fill(&mut trace).ok()?;
        let trace = caller.map_or(trace, |caller| caller.trace);
        let sampled = caller.map(|caller| caller.sampled);
        if !settings.wants(trace, sampled) {
            return None;
        }
        self.open(name, kind, trace, caller.map(|caller| caller.id))
    }

    fn open(
        self: &Arc<Self>,
        name: &'static str,
        kind: Kind,
        trace: [u8; 16],
        parent: Option<[u8; 8]>,
    ) -> Option<Open> {
        let mut id = [0; 8];
        self.random.fill(&mut id).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let begun = u64::try_from(now.as_nanos()).ok()?;
        Some(Open {
            tracer: Arc::clone(self),
            span: Span {
                trace,
                id,
                parent,
                name,
                kind,
                begun,
                ended: begun,
                said: Vec::new(),
                failed: false,
            },
            since: Instant::now(),
        })
    }

    fn note(&self, span: Span) {
        let mut waiting = self.lock();
        if waiting.len() >= WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(span);
    }

    /// Sends what is noted until `stop`, and once more then. `told` hears why that fails, each time another reason, and
    /// nothing when it works again.
    pub fn export(&self, stop: &AtomicBool, told: &dyn Fn(Option<&str>)) {
        let Some(settings) = &self.settings else {
            return;
        };
        let (way, headers) = (settings.way(), &settings.headers);
        let post = match Post::with(&settings.url, &Trust::default(), way, headers) {
            Ok(post) => post,
            Err(why) => return told(Some(&why)),
        };
        let mut since: Option<Instant> = None;
        let mut trouble: Option<String> = None;
        loop {
            let last = stop.load(Ordering::Relaxed);
            let waiting = self.lock().len();
            since = (waiting > 0).then(|| since.unwrap_or_else(Instant::now));
            let due = since.is_some_and(|since| since.elapsed() >= EVERY);
            if due || waiting >= TOGETHER || last && waiting > 0 {
                since = None;
                let sent = self.send(&post, settings, stop);
                let why = sent.err().map(|untold| untold.message);
                if why != trouble {
                    told(why.as_deref());
                    trouble = why;
                }
            }
            if last {
                return;
            }
            thread::sleep(TICK);
        }
    }

    fn send(&self, post: &Post, settings: &Settings, stop: &AtomicBool) -> Result<(), Untold> {
        let spans: Vec<Span> = {
            let mut waiting = self.lock();
            let some = waiting.len().min(TOGETHER);
            waiting.drain(..some).collect()
        };
        let bytes = otlp::request(&settings.resource, &spans);
        let mut attempt = 0;
        loop {
            match post.send_as("application/x-protobuf", bytes.clone()) {
                Ok(()) => {
                    let count = spans.len() as u64;
                    self.sent.fetch_add(count, Ordering::Relaxed);
                    return Ok(());
                }
                Err(untold) => {
                    attempt += 1;
                    let ends = stop.load(Ordering::Relaxed);
                    if !untold.later || attempt >= ATTEMPTS || ends {
                        let count = spans.len() as u64;
                        self.dropped.fetch_add(count, Ordering::Relaxed);
                        return Err(untold);
                    }
                    let pause = TICK * 2_u32.pow(attempt);
                    let asked = untold.wait.unwrap_or_default();
                    let until = Instant::now() + pause.max(asked.min(EVERY));
                    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
                        thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
                    }
                }
            }
        }
    }
}

impl Open {
    /// Says something of it.
    pub fn say(&mut self, key: &'static str, said: impl Into<Said>) {
        self.span.said.push((key, said.into()));
    }

    /// It did not go well.
    pub const fn fail(&mut self) {
        self.span.failed = true;
    }

    /// Whose parent it is.
    #[must_use]
    pub fn parent(&self) -> Parent {
        Parent {
            tracer: Arc::clone(&self.tracer),
            trace: self.span.trace,
            id: self.span.id,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let took = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or_default();
        let mut span = self.span.clone();
        span.said = std::mem::take(&mut self.span.said);
        span.ended = span.begun.saturating_add(took);
        self.tracer.note(span);
    }
}

impl Parent {
    /// Begins a span that belongs to this one.
    #[must_use]
    pub fn begin(&self, name: &'static str) -> Option<Open> {
        let parent = Some(self.id);
        self.tracer.open(name, Kind::Internal, self.trace, parent)
    }
}

/// Who asks, by `traceparent` (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Caller {
    trace: [u8; 16],
    id: [u8; 8],
    sampled: bool,
}

fn parent_of(text: &str) -> Option<Caller> {
    let mut parts = text.trim().split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (id, flags) = (parts.next()?, parts.next()?);
    let versions: [u8; 1] = hex(version)?;
    // A later version may have more parts; `ff` is none.
    if versions == [0xff] || versions == [0] && parts.next().is_some() {
        return None;
    }
    let [flags] = hex(flags)?;
    let caller = Caller {
        trace: hex(trace)?,
        id: hex(id)?,
        sampled: flags & 1 == 1,
    };
    (caller.trace != [0; 16] && caller.id != [0; 8]).then_some(caller)
}

/// Lower-case hexadecimal digits of a known number.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else {
            return None;
        };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_read_as_the_recommendation_says() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let caller = parent_of(good).unwrap();
        assert_eq!(caller.id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(caller.sampled);
        assert!(parent_of(&good.replacen("00-", "01-", 1)).is_some());
        assert!(parent_of(&format!("{}-more", good.replacen("00-", "01-", 1))).is_some());
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parent_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_noted_where_nobody_asked_and_no_more_than_fits() {
        let tracer = Tracer::new(None);
        assert!(tracer.begin("a", Kind::Server, None).is_none());
        let settings = Settings::of(|name| {
            (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://127.0.0.1:1".to_owned())
        });
        let tracer = Tracer::new(settings.unwrap());
        for _ in 0..WAITING + 3 {
            drop(tracer.begin("a", Kind::Server, None));
        }
        assert_eq!(tracer.lock().len(), WAITING);
        assert_eq!(tracer.counts(), (0, 3));
        let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        assert!(tracer.begin("a", Kind::Server, Some(unsampled)).is_none());
    }
}
