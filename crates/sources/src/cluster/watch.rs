//! A running cluster, watched: what is there, and from then on what changes.
//!
//! ```text
//! discovery ─▶ a line for each kind: list ─▶ watch ─▶ watch ─▶ …     told one after the other
//!     ▲                               ▲        │ 410: too old, list again (only what differs is told)
//!     └── from time to time           └────────┘ broken: the same version again, with growing pauses
//! ```
//!
//! Bookmarks keep the version fresh, so that a watch that ends goes on where it was. Of each object a number that
//! stands for its content is kept, so that neither a new list nor a heartbeat tells what did not change. What is
//! told goes through a short queue: who listens slowly slows the reading down, and nothing piles up.
//!
//! What it deliberately leaves out: namespace by namespace where a whole kind is refused (that is a gap, and asked
//! again later), and keeping objects.

mod line;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use self::line::{Line, Parts};
use super::ask::Asker;
use super::condense::Versions;
use super::describe::{self, Described};
use super::discovery::{self, Discovered, Served};
use super::kinds::{SECRETS, WANTED, Wanted};
use super::{
    Cluster, Options, SECRET_TYPES, asker, fatal, is_known, not_served, part, secrets_left_out,
};
use crate::live::{Change, Event, LiveError, Object};

/// How patient a watch is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first pause after a failure; it doubles up to [`Pace::longest`], and chance adds up to its half.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When what was refused is asked for again.
    pub refused: Duration,
    /// When it is asked again what the cluster serves, and the cluster is described anew.
    pub discovery: Duration,
    /// How long one watch lasts; the server ends it then.
    pub watch: Duration,
    /// A watch that says nothing for so long is dead. API servers send bookmarks about every minute
    /// (`bookmarkFrequency`, k8s.io/apiserver/pkg/storage/cacher).
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(30),
            refused: Duration::from_secs(300),
            discovery: Duration::from_secs(600),
            // client-go: five to ten minutes (minWatchTimeout, tools/cache/reflector.go).
            watch: Duration::from_secs(300),
            silence: Duration::from_secs(180),
        }
    }
}

/// Who is told.
pub type Tell<'t> = &'t mut dyn FnMut(Change) -> Result<(), LiveError>;

/// What waits to be told.
const QUEUE: usize = 64;
/// Lists that are read at a time, so that pages do not pile up.
const LISTS: usize = 2;
/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(200);
/// How long the first lists may take before what is there counts as told.
const FIRST_LISTS: Duration = Duration::from_secs(120);

impl Cluster {
    /// Tells everything, and from then on what changes, until `stop` is true or `tell` fails. After its first
    /// answers nothing that the server does ends it.
    ///
    /// # Errors
    /// When nothing can be read at all at first, and what `tell` returns.
    pub fn watch(
        &mut self,
        pace: &Pace,
        stop: &AtomicBool,
        tell: Tell<'_>,
    ) -> Result<(), LiveError> {
        // Longer than a watch may be silent: that is noticed where it is known what was silent.
        let silence = pace.silence + Duration::from_secs(30);
        let asker = Arc::new(asker(&self.target, &self.options.patience, silence)?);
        let described = Arc::new(Described::ask(&asker)?);
        let discovered = asker
            .wait(discovery::discover(&asker))
            .map_err(|trouble| fatal(trouble, asker.url()))?;
        if let Some(part) = part(&self.options.namespaces) {
            tell(Change::Told(Event::Gap(part)))?;
        }
        let (told, mut hear) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            asker: Arc::clone(&asker),
            pace: *pace,
            versions: Mutex::default(),
            lists: Semaphore::new(LISTS),
            unlisted: AtomicUsize::new(0),
            told,
        });
        let (found, mut look) = mpsc::channel(1);
        let describer = Describer {
            shared: Arc::clone(&shared),
            described,
            name: self.target.name.clone(),
            last: None,
        };
        asker.wait(async {
            let mut lines = Lines::new(&self.options, shared);
            let mut describing = JoinSet::new();
            let done = async {
                lines.renew(discovered, tell)?;
                describing.spawn(describer.run(found));
                let mut tick = tokio::time::interval(TICK);
                loop {
                    tokio::select! {
                        Some(change) = hear.recv() => tell(change)?,
                        Some(discovered) = look.recv() => lines.renew(discovered, tell)?,
                        _ = tick.tick() => {}
                    }
                    if stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                }
            }
            .await;
            // They hold the connection that they run on.
            describing.shutdown().await;
            lines.running.shutdown().await;
            done
        })
    }
}

/// What all lines have in common.
struct Shared {
    asker: Arc<Asker>,
    pace: Pace,
    versions: Mutex<Versions>,
    lists: Semaphore,
    /// Lines that have not come to the end of their first list.
    unlisted: AtomicUsize,
    told: mpsc::Sender<Change>,
}

/// Group, resource, namespace, field selector.
type Key = (String, String, String, String);

/// The lines that run.
struct Lines<'o> {
    options: &'o Options,
    shared: Arc<Shared>,
    /// What each follows, and what ends it when it is dropped.
    known: BTreeMap<Key, (Served, oneshot::Sender<()>)>,
    running: JoinSet<()>,
    others: BTreeSet<(String, String)>,
    secrets_left_out: bool,
}

impl<'o> Lines<'o> {
    fn new(options: &'o Options, shared: Arc<Shared>) -> Self {
        Self {
            options,
            shared,
            known: BTreeMap::new(),
            running: JoinSet::new(),
            others: BTreeSet::new(),
            secrets_left_out: false,
        }
    }

    /// Follows what the cluster serves, and nothing else.
    fn renew(&mut self, discovered: Discovered, tell: Tell<'_>) -> Result<(), LiveError> {
        while self.running.try_join_next().is_some() {}
        for wanted in WANTED {
            self.kind(wanted, &discovered, tell)?;
        }
        if self.options.secrets {
            self.kind(&SECRETS, &discovered, tell)?;
        } else if !self.secrets_left_out {
            self.secrets_left_out = true;
            tell(Change::Told(Event::Gap(secrets_left_out())))?;
        }
        for served in discovered.others(is_known) {
            let key = (served.api_version(), served.kind.clone());
            if self.others.insert(key.clone()) {
                tell(Change::Told(Event::Other {
                    api_version: key.0.into(),
                    kind: key.1.into(),
                }))?;
            }
        }
        Ok(())
    }

    fn kind(
        &mut self,
        wanted: &'static Wanted,
        discovered: &Discovered,
        tell: Tell<'_>,
    ) -> Result<(), LiveError> {
        let of = |key: &Key| key.0 == wanted.group && key.1 == wanted.resource;
        let Some(served) = discovered.find(wanted) else {
            let stale = discovered.stale.iter().any(|group| group == wanted.group);
            // What a server that is away told stays told.
            if !stale || !self.known.keys().any(of) {
                self.known.retain(|key, _| !of(key));
                tell(Change::Told(not_served(wanted, discovered)))?;
            }
            return Ok(());
        };
        if self
            .known
            .iter()
            .any(|(key, (known, _))| of(key) && known == served)
        {
            return Ok(());
        }
        self.known.retain(|key, _| !of(key));
        let everywhere = [String::new()];
        let chosen = &self.options.namespaces;
        let selectors = selectors(wanted, chosen);
        let namespaces = if served.namespaced && !chosen.is_empty() {
            chosen.as_slice()
        } else {
            &everywhere
        };
        for namespace in namespaces {
            let parts = Arc::new(Parts::new(&selectors));
            for selector in &selectors {
                self.begin(wanted, served, namespace, selector, &parts);
            }
        }
        Ok(())
    }

    fn begin(
        &mut self,
        wanted: &'static Wanted,
        served: &Served,
        namespace: &str,
        selector: &str,
        parts: &Arc<Parts>,
    ) {
        self.shared.unlisted.fetch_add(1, Ordering::Relaxed);
        let line = Line::new(
            &self.shared,
            wanted,
            served.clone(),
            namespace.to_owned(),
            selector.to_owned(),
            parts,
        );
        let (end, ended) = oneshot::channel();
        self.running.spawn(line.run(ended));
        let key = (
            served.group.clone(),
            served.resource.clone(),
            namespace.to_owned(),
            selector.to_owned(),
        );
        self.known.insert(key, (served.clone(), end));
    }
}

/// The lists that together are all of a kind.
fn selectors(wanted: &Wanted, namespaces: &[String]) -> Vec<String> {
    match wanted.resource {
        // The type of a Secret does not stand in its metadata, but one can ask for it.
        "secrets" => {
            let of = |sign: &str, kind: &&str| format!("type{sign}{kind}");
            let mut all: Vec<String> = SECRET_TYPES.iter().map(|kind| of("=", kind)).collect();
            let rest: Vec<String> = SECRET_TYPES.iter().map(|kind| of("!=", kind)).collect();
            all.push(rest.join(","));
            all
        }
        "namespaces" if !namespaces.is_empty() => namespaces
            .iter()
            .map(|name| format!("metadata.name={name}"))
            .collect(),
        _ => vec![String::new()],
    }
}

/// Says from time to time what the cluster serves and what no object says.
struct Describer {
    shared: Arc<Shared>,
    described: Arc<Described>,
    name: String,
    last: Option<Object>,
}

impl Describer {
    async fn run(mut self, found: mpsc::Sender<Discovered>) {
        // Which versions objects were written in is known once all were seen.
        let listed = async {
            while self.shared.unlisted.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(TICK / 4).await;
            }
        };
        let _ = tokio::time::timeout(FIRST_LISTS, listed).await;
        self.describe().await;
        if self.shared.told.send(Change::CaughtUp).await.is_err() {
            return;
        }
        loop {
            let pause = self.shared.pace.discovery;
            tokio::time::sleep(pause + line::chance(pause / 10)).await;
            if let Ok(discovered) = discovery::discover(&self.shared.asker).await {
                if found.send(discovered).await.is_err() {
                    return;
                }
                self.describe().await;
            }
        }
    }

    async fn describe(&mut self) {
        let asker = &self.shared.asker;
        let written = {
            let versions = self.shared.versions.lock();
            versions.unwrap_or_else(PoisonError::into_inner).values()
        };
        let object = self.described.object(&self.name, asker, written).await;
        if self.last.as_ref() != Some(&object) {
            self.last = Some(object.clone());
            let told = Change::Told(Event::Object(object));
            let _ = self.shared.told.send(told).await;
        }
        let complete = Event::Complete {
            kind: describe::KIND.into(),
            within: "".into(),
        };
        let _ = self.shared.told.send(Change::Told(complete)).await;
        let heard = Change::Heard(describe::KIND.into());
        let _ = self.shared.told.send(heard).await;
    }
}
