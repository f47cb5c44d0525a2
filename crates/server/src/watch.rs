//! The watch: what runs, judged as it changes.
//!
//! ```text
//! sources::cluster::watch ─┐  read and judged alone,      ┌─▶ findings of objects, at once
//! Azure, from time to time ┴─▶ a batch at a time ─▶ Held ─┤
//!                                                         └─▶ a pass over everything, when it was quiet for a moment
//!                                                             ─▶ Picture, findings of joins ─▶ keeper: reports, …
//! ```
//!
//! One thread hears and judges; one passes over everything, never two at a time, and rests at least as long as it
//! worked; one keeps (`keeper`): reports, alerts, history. What guidelines say of an object alone stands as soon as
//! it is judged; what they say with others, and what the analyses find, is as of the moment of the last pass, which
//! [`Picture::at`] tells.
//!
//! Verdicts hang on the day: with each new one, UTC, everything is told and judged anew. That also mends whatever a
//! long watch may have missed.
//!
//! What it deliberately leaves out: weighing what findings open to attackers, and any decision about admission.

mod alerts;
pub mod archive;
pub mod drift;
mod feed;
mod figures;
mod held;
pub mod history;
mod judging;
mod keeper;
mod lease;
mod listener;
mod packed;
mod pass;
mod reports;
mod said;
#[cfg(test)]
mod tests;
pub(crate) mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::thread;
use std::time::{Duration, Instant};

use ::guide::Guide;
use jiff::Timestamp;
use model::Resource;
use model::coverage::{DocumentEntry, Status};
use model::doc::Shapes;
use model::finding::{Finding, Fingerprint, GuidelineId};
use report::assessment::Counts;
use serde_json::Value;
use sources::cluster;
use sources::cluster::watch::Pace;
use sources::live::{LiveError, Source, Unread};

use self::alerts::Alerts;
use self::archive::Archive;
use self::drift::{Basing, Drift};
use self::held::Held;
use self::history::{Place, Posture};
use self::packed::Head;
use self::said::{Makers, Said};
use crate::audit::{Following, Trail};
use crate::configuration::Configuration;
use crate::trace::Tracer;

pub use self::alerts::{Alerting, Receiver, SCHEMA as ALERT_SCHEMA};
pub use self::held::Lost;
pub use self::judging::settings;
pub use self::keeper::Keeping;
pub use self::lease::Election;
pub use self::pass::Picture;
pub use self::reports::remove as remove_reports;
pub use self::said::Standing;

/// How grave a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Something is worse than it should be, and goes on.
    Warn,
    /// Something that was asked for is not done.
    Error,
}

/// Who writes the log: how grave, what happened, and what belongs to it (a map).
pub type Log = Arc<dyn Fn(Level, &str, Value) + Send + Sync>;

/// Makes a source that is read from time to time.
pub type Opening = Arc<dyn Fn() -> Result<Box<dyn Source>, LiveError> + Send + Sync>;

/// What is watched, and how.
#[derive(Clone)]
pub struct Options {
    /// The cluster.
    pub cluster: cluster::Options,
    /// How patient its watch is.
    pub pace: Pace,
    /// Azure, where it is read too.
    pub azure: Option<Opening>,
    /// How often Azure is read.
    pub azure_every: Duration,
    /// What is accepted, and how severe things are.
    pub config: Arc<Configuration>,
    /// The time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// What should run, where what does is compared with that.
    pub drift: Option<Basing>,
    /// How often that is read again.
    pub drift_every: Duration,
    /// A pass begins when nothing changed for so long, ...
    pub quiet: Duration,
    /// ... or when something changed so long ago.
    pub most: Duration,
    /// What is done with what stands.
    pub keeping: Keeping,
    /// Audit logs that are followed.
    pub audit: Option<Following>,
    /// Who writes the log.
    pub log: Log,
    /// Where spans go.
    pub tracer: Arc<Tracer>,
}

impl Options {
    /// The current cluster, with a configuration, silently.
    #[must_use]
    pub fn new(cluster: cluster::Options, config: Arc<Configuration>) -> Self {
        Self {
            cluster,
            pace: Pace::default(),
            azure: None,
            azure_every: Duration::from_secs(900),
            drift: None,
            drift_every: Duration::from_secs(600),
            config,
            clock: Arc::new(Timestamp::now),
            quiet: Duration::from_secs(2),
            most: Duration::from_secs(10),
            keeping: Keeping::default(),
            audit: None,
            log: Arc::new(|_, _, _| {}),
            tracer: Tracer::new(None),
        }
    }

    fn day(&self) -> String {
        let now = (self.clock)();
        now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cluster", &self.cluster)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// What is held of the estate; under one lock, which is held for moments only.
#[derive(Debug, Default)]
struct Live {
    held: Held,
    makers: Makers,
    local: Said,
    joined: Said,
    /// Objects whose maker is made by something else since a pass began.
    moved: BTreeSet<Arc<str>>,
}

/// What the watch knows, for the webhook, the reports and whoever asks.
#[derive(Debug)]
pub struct Shared {
    live: RwLock<Live>,
    /// What documents of the objects have in common.
    shapes: Shapes,
    picture: RwLock<Arc<Picture>>,
    dirt: Mutex<Dirt>,
    changed: Condvar,
    figures: Figures,
    kept: Kept,
    archive: Archive,
    /// What receivers of alerts are called.
    receivers: Vec<&'static str>,
    drift: Mutex<Option<Arc<Drift>>>,
    trail: Trail,
}

/// What the keeper has done.
#[derive(Debug, Default)]
struct Kept {
    keeps: AtomicBool,
    report_writes: AtomicU64,
    /// For each receiver.
    alerts: Vec<Mutex<Alerts>>,
    history_errors: AtomicU64,
}

/// What has changed since the last pass began.
#[derive(Debug, Default)]
struct Dirt {
    first: Option<Instant>,
    last: Option<Instant>,
}

/// Numbers that only grow.
#[derive(Debug, Default)]
struct Figures {
    objects_judged: AtomicU64,
    objects_gone: AtomicU64,
    passes: AtomicU64,
    unreachable: AtomicBool,
}

/// What stands at one moment.
#[derive(Debug, Clone)]
pub struct Stand {
    /// Objects that are held.
    pub objects: usize,
    /// By guideline.
    pub guidelines: BTreeMap<GuidelineId, Standing>,
    /// All verdicts by word.
    pub verdicts: Counts,
    /// How many objects of each kind ended with which status.
    pub ledger: BTreeMap<(Box<str>, Status), usize>,
    /// What could not be read.
    pub gaps: Vec<Unread>,
    /// Kinds of which nothing is heard.
    pub lost: BTreeMap<Box<str>, Lost>,
    /// Objects that were judged since the start, again and again.
    pub objects_judged: u64,
    /// Objects that went since the start.
    pub objects_gone: u64,
    /// Passes over everything since the start.
    pub passes: u64,
    /// The moment of the last pass, and how long it took.
    pub passed: Option<(Timestamp, Duration)>,
    /// The cluster cannot be reached at all.
    pub unreachable: bool,
}

impl Shared {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// When the configuration's parameters do not parse.
    pub fn new(guide: &Guide, options: &Options) -> Result<Self, String> {
        let config = options.config.now();
        let setting = Arc::new(settings(guide, &config, None, &options.day())?);
        Ok(Self {
            live: RwLock::default(),
            shapes: Shapes::default(),
            picture: RwLock::new(Arc::new(Picture::nothing(setting))),
            dirt: Mutex::default(),
            changed: Condvar::new(),
            figures: Figures::default(),
            kept: Kept {
                alerts: options
                    .keeping
                    .alerts
                    .iter()
                    .map(|_| Mutex::default())
                    .collect(),
                ..Kept::default()
            },
            archive: Archive::default(),
            receivers: options
                .keeping
                .alerts
                .iter()
                .map(|one| one.to.word())
                .collect(),
            drift: Mutex::default(),
            trail: Trail::default(),
        })
    }

    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A Namespace as it is now.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<Resource> {
        self.object(&format!("/api/v1/namespaces/{name}"))
    }

    /// An object as it is now, by its address; of a workload what joins read.
    #[must_use]
    pub fn object(&self, address: &str) -> Option<Resource> {
        let live = self.live();
        live.held.get(address)?.resources.first().cloned()
    }

    /// The estate as of the last pass; nothing (number 0) before the first.
    #[must_use]
    pub fn picture(&self) -> Arc<Picture> {
        let picture = self.picture.read();
        Arc::clone(&picture.unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether everything was read and judged once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.picture().number > 0
    }

    /// Every finding that stands, accepted ones too: what objects say alone as of now, the rest as of the last pass.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings_that(|_| true)
    }

    /// Those of them that are wanted.
    #[must_use]
    pub fn findings_that(&self, wanted: impl Fn(&Finding) -> bool) -> Vec<Finding> {
        self.findings_of_some(|_, _| true, wanted)
    }

    /// The same where it is known beforehand that few are by a guideline, or of a gravity, that is wanted.
    fn findings_of_some(
        &self,
        at_all: impl Fn(&GuidelineId, Head) -> bool,
        wanted: impl Fn(&Finding) -> bool,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut see = |finding| {
            if wanted(&finding) {
                findings.push(finding);
            }
        };
        let live = self.live();
        live.local.visit(&at_all, &mut see);
        live.joined.visit(&at_all, &mut see);
        findings
    }

    /// Shows each finding that stands, some at a time: it is judged meanwhile, and what comes or goes then may be
    /// among them or not.
    pub fn visit(&self, mut see: impl FnMut(&Finding)) {
        self.give(|finding| see(&finding));
    }

    /// The same, handed over.
    pub fn give(&self, mut take: impl FnMut(Finding)) {
        /// Written out at a time.
        const SOME: usize = 256;
        for joined in [false, true] {
            let mut after = None;
            loop {
                let (findings, last) = {
                    let live = self.live();
                    let said = if joined { &live.joined } else { &live.local };
                    said.some_after(after, SOME)
                };
                findings.into_iter().for_each(&mut take);
                after = last;
                if after.is_none() {
                    break;
                }
            }
        }
    }

    /// What became of single objects that were read and not judged, as of now.
    #[must_use]
    pub fn entries(&self) -> Vec<DocumentEntry> {
        let live = self.live();
        live.held.entries().cloned().collect()
    }

    /// Where what runs differs from what should, where that is asked.
    #[must_use]
    pub fn drift(&self) -> Option<Arc<Drift>> {
        let drift = self.drift.lock().unwrap_or_else(PoisonError::into_inner);
        drift.clone()
    }

    /// What audit logs said, where they are followed.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Something happened that every receiver is to be told of.
    pub(crate) fn happened(&self, print: &Fingerprint, told: &Value) {
        for alerts in &self.kept.alerts {
            locked(alerts).happened(*print, told.clone());
        }
    }

    /// What happened and some receiver was not told yet, each once.
    pub(crate) fn happened_waiting(&self) -> Vec<Value> {
        let mut all: BTreeMap<Fingerprint, Value> = BTreeMap::new();
        for alerts in &self.kept.alerts {
            all.extend(locked(alerts).happened_waiting());
        }
        all.into_values().collect()
    }

    /// What is said of the object at an address, also where it belongs to what made it.
    #[must_use]
    pub fn findings_of(&self, address: &str) -> Vec<Finding> {
        let live = self.live();
        let mut findings = live.local.findings_of(address);
        findings.extend(live.joined.findings_of(address));
        findings
    }

    /// What stands, in numbers.
    #[must_use]
    pub fn stand(&self) -> Stand {
        let picture = self.picture();
        let live = self.live();
        let mut guidelines = live.local.counts().clone();
        guidelines.extend(live.joined.counts().clone());
        let (local, joined) = (live.local.verdicts(), live.joined.verdicts());
        Stand {
            objects: live.held.len(),
            guidelines,
            verdicts: Counts {
                pass: local.pass + joined.pass,
                fail: local.fail + joined.fail,
                unknown: local.unknown + joined.unknown,
                not_applicable: local.not_applicable + joined.not_applicable,
            },
            ledger: live.held.ledger(),
            gaps: live.held.gaps(),
            lost: live.held.lost_kinds(),
            objects_judged: self.figures.objects_judged.load(Ordering::Relaxed),
            objects_gone: self.figures.objects_gone.load(Ordering::Relaxed),
            passes: self.figures.passes.load(Ordering::Relaxed),
            passed: (picture.number > 0).then_some((picture.at, picture.took)),
            unreachable: self.figures.unreachable.load(Ordering::Relaxed),
        }
    }

    /// What was read of the posture history in storage, the oldest first; `None` where it is not read there.
    #[must_use]
    pub fn past(&self) -> Option<Arc<[Posture]>> {
        self.archive.past()
    }

    /// Whether this replica writes reports and alerts.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.kept.keeps.load(Ordering::Relaxed)
    }

    /// A number that grows whenever something stands differently.
    fn version(&self) -> u64 {
        let figures = &self.figures;
        [
            &figures.objects_judged,
            &figures.objects_gone,
            &figures.passes,
        ]
        .iter()
        .map(|figure| figure.load(Ordering::Relaxed))
        .sum()
    }

    fn dirty(&self) {
        let now = Instant::now();
        let mut dirt = self.dirt.lock().unwrap_or_else(PoisonError::into_inner);
        dirt.first = dirt.first.or(Some(now));
        dirt.last = Some(now);
        self.changed.notify_all();
    }
}

/// How long the threads wait before they look whether to stop.
const TICK: Duration = Duration::from_millis(250);
/// What waits to be judged.
const INBOX: usize = 512;

/// Watches until `stop` is true.
pub fn run(guide: &Guide, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let again = AtomicBool::new(false);
    let (told, inbox) = sync_channel(INBOX);
    thread::scope(|scope| {
        let begin = told.clone();
        let again = &again;
        scope.spawn(move || feed::stream(options, shared, &begin, stop, again));
        if let Some(open) = &options.azure {
            scope.spawn(move || feed::poll(options, shared, open, &told, stop));
        } else {
            drop(told);
        }
        scope.spawn(move || pass::passes(guide, options, shared, stop));
        if let Some(basing) = &options.drift {
            scope.spawn(move || drift::follow(guide, options, shared, basing, stop));
        }
        scope.spawn(move || keeper::keep(guide, options, shared, stop));
        for index in 0..options.keeping.alerts.len() {
            scope.spawn(move || alerts::keep(index, options, shared, stop));
        }
        if let Some(following) = &options.audit {
            scope.spawn(move || crate::audit::follow(guide, options, following, shared, stop));
        }
        if let Some(Place::Blobs(storage)) = &options.keeping.history {
            scope.spawn(move || archive::keep(storage, options, shared, stop));
        }
        // It takes the inbox with it: who tells must not wait for ever.
        listener::listen(guide, options, shared, inbox, stop, again);
        again.store(true, Ordering::Relaxed);
    });
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps, unless it is time to stop.
pub(crate) fn rest(time: Duration, stop: &AtomicBool) {
    let begun = Instant::now();
    while !stop.load(Ordering::Relaxed) && begun.elapsed() < time {
        thread::sleep(TICK.min(time.saturating_sub(begun.elapsed())));
    }
}
