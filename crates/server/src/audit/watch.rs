//! Detections beside the watch: the holder of the Lease follows audit logs, tells what they say, and notes how far it came.
//!
//! What is to be told waits in the checkpoint until receivers have it, so whoever keeps next goes on telling; each alert has
//! an id that stays, by which a receiver knows what it was told before. The last alerts are in the checkpoint too: every
//! replica shows them.
//!
//! What it deliberately leaves out: findings, and who may see what (`desk`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ::guide::{Guide, setting};
use audit::Span;
use audit::detect::{Detector, News, Told};
use audit::follow::{Follow, Growing};
use jiff::Timestamp;
use model::Severity;
use model::finding::Fingerprint;
use serde_json::{Value, json};
use sources::eventhub::Access;

use super::{Checkpoints, Clock, Written};
use crate::watch::trouble::{Trouble, Why};
use crate::watch::{Level, Options, Shared, locked, rest};

/// Alerts that are shown.
const SHOWN: usize = 2000;
/// How long receivers have at the end.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is noted how far it came, where nothing is to be told.
const NOTED: Duration = Duration::from_secs(10);

/// What is followed.
#[derive(Debug, Clone)]
pub struct Following {
    /// A path, or an address of Blob storage or an Event Hub.
    pub source: String,
    /// Where it is noted how far it came: a path or an address; nowhere.
    pub checkpoint: Option<String>,
    /// How one signs in to where it is, and to storage.
    pub access: Access,
    /// From when on, where nothing is noted yet.
    pub since: Option<Timestamp>,
    /// Alerts at or above it are told to receivers.
    pub floor: Severity,
    /// Between two looks.
    pub every: Duration,
}

impl Following {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// When an address is none.
    pub fn check(&self) -> Result<(), String> {
        self.open(&(Arc::new(Timestamp::now) as Clock))?;
        self.checkpoints().map(|_| ())
    }

    fn open(&self, clock: &Clock) -> Result<Box<dyn Growing>, String> {
        super::open(&self.source, &self.access, self.since, clock)
    }

    fn checkpoints(&self) -> Result<Option<Checkpoints>, String> {
        let place = self.checkpoint.as_deref();
        place
            .map(|place| Checkpoints::new(place, || Ok(self.access.sign_in.clone())))
            .transpose()
    }
}

/// What audit logs said.
#[derive(Debug, Default)]
pub struct Trail {
    alerts: Mutex<VecDeque<News>>,
    figures: Mutex<Figures>,
}

/// How following goes, since this replica began to.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Events that were read.
    pub events: u64,
    /// Events that ended early.
    pub cut: u64,
    /// Records that nobody can read.
    pub unreadable: u64,
    /// Messages that were deleted before they were read.
    pub expired: u64,
    /// Bytes that are known to be there and not read.
    pub behind: u64,
    /// Messages that are.
    pub messages_behind: u64,
    /// When the newest event happened.
    pub newest: Option<Timestamp>,
    /// When it was last looked.
    pub looked: Option<Timestamp>,
    /// The log has no reads in it.
    pub without_reads: bool,
    /// Alerts by detection and verdict.
    pub alerts: BTreeMap<(Box<str>, Severity, &'static str), u64>,
    /// Why nothing is read now.
    pub trouble: Option<String>,
    /// Somebody else follows; this is as of what they noted last.
    pub of_another: bool,
}

impl Trail {
    /// The last alerts, the newest first.
    #[must_use]
    pub fn alerts(&self) -> Vec<News> {
        locked(&self.alerts).iter().cloned().collect()
    }

    /// How it goes.
    #[must_use]
    pub fn figures(&self) -> Figures {
        locked(&self.figures).clone()
    }

    fn add(&self, news: &[News]) {
        let mut alerts = locked(&self.alerts);
        for one in news {
            if !alerts.iter().any(|own| own.id == one.id) {
                alerts.push_front(one.clone());
            }
        }
        let mut all: Vec<News> = alerts.drain(..).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.alert.event.at));
        all.truncate(SHOWN);
        alerts.extend(all);
    }

    fn kept(&self) -> Value {
        locked(&self.alerts).iter().map(News::kept).collect()
    }

    fn show(&self, kept: Option<&Value>) {
        let rows = kept.and_then(Value::as_array).into_iter().flatten();
        let alerts = rows.filter_map(News::read).collect();
        *locked(&self.alerts) = alerts;
    }
}

/// Follows while this replica keeps; shows what another found while it does.
pub(crate) fn follow(
    guide: &Guide,
    options: &Options,
    following: &Following,
    shared: &Shared,
    stop: &AtomicBool,
) {
    let setting = match setting::setting(guide, None, None) {
        Ok(setting) => setting,
        Err(why) => {
            let more = json!({ "why": why });
            return (options.log)(Level::Error, "audit logs cannot be followed", more);
        }
    };
    let detector = Detector::new(guide, &setting, |_| true);
    let mut trouble = Trouble::new("audit logs cannot be followed");
    while !stop.load(Ordering::Relaxed) {
        let why = if shared.keeps() {
            let keeping = Keeping {
                detector: &detector,
                options,
                following,
                shared,
                stop,
            };
            keeping.keep(&mut trouble)
        } else {
            show(following, shared)
        };
        say(options, &mut trouble, why);
        let pause = following.every.max(Duration::from_secs(1));
        let begun = Instant::now();
        let keeps = shared.keeps();
        // Whoever begins to keep begins at once.
        while begun.elapsed() < pause && keeps == shared.keeps() && !stop.load(Ordering::Relaxed) {
            rest(Duration::from_secs(1), stop);
        }
    }
}

fn say(options: &Options, trouble: &mut Trouble, why: Option<String>) {
    trouble.tell(&options.log, why.map(Why::from), Value::Null, Value::Null);
}

/// Shows what the one who keeps has noted.
fn show(following: &Following, shared: &Shared) -> Option<String> {
    let trail = shared.trail();
    let mut checkpoints = match following.checkpoints() {
        Ok(checkpoints) => checkpoints?,
        Err(why) => return Some(why),
    };
    match checkpoints.load() {
        Ok(Some(checkpoint)) => {
            trail.show(checkpoint.pointer("/more/timeline"));
            let time = |key: &str| {
                let micros = checkpoint.get(key).and_then(Value::as_i64);
                micros.and_then(|at| Timestamp::from_microsecond(at).ok())
            };
            let mut figures = locked(&trail.figures);
            figures.of_another = true;
            (figures.newest, figures.looked) = (time("newest"), time("at"));
            None
        }
        Ok(None) => None,
        Err(why) => Some(why),
    }
}

struct Keeping<'k, 'g> {
    detector: &'k Detector<'g>,
    options: &'k Options,
    following: &'k Following,
    shared: &'k Shared,
    stop: &'k AtomicBool,
}

impl Keeping<'_, '_> {
    /// Follows until it does not keep any more, or it cannot go on; why not.
    fn keep(&self, trouble: &mut Trouble) -> Option<String> {
        self.kept(trouble).err()
    }

    fn kept(&self, trouble: &mut Trouble) -> Result<(), String> {
        let trail = self.shared.trail();
        let now = || (self.options.clock)().as_microsecond();
        let mut sources = vec![self.following.open(&self.options.clock)?];
        let mut checkpoints = self.following.checkpoints()?;
        let detections = self.detector.start();
        let span = Span {
            since: self.following.since.map(Timestamp::as_microsecond),
            until: None,
        };
        let mut follow = Follow::new(detections, Told::new(None), span);
        let found = checkpoints
            .as_mut()
            .map(Checkpoints::load)
            .transpose()?
            .flatten();
        if let Some(checkpoint) = found {
            let more = follow.resume(&checkpoint, &mut sources)?;
            trail.show(more.get("timeline"));
            self.wait_again(&more);
        }
        *locked(&trail.figures) = Figures::default();
        (self.options.log)(Level::Info, "following audit logs", json!({}));
        let mut noted = Instant::now();
        let mut waited = self.waiting().len();
        while self.shared.keeps() && !self.stop.load(Ordering::Relaxed) {
            let (mut more, mut read, mut told) = (false, false, false);
            for (index, source) in sources.iter_mut().enumerate() {
                let looked = match follow.look(index, source.as_mut(), now()) {
                    Ok(looked) => looked,
                    Err(why) => {
                        locked(&trail.figures).trouble = Some(why.clone());
                        say(self.options, trouble, Some(why));
                        continue;
                    }
                };
                let why = looked.troubles.first().cloned();
                say(self.options, trouble, why.clone());
                for what in &looked.gone {
                    let more = json!({ "what": what });
                    (self.options.log)(Level::Warn, "a part of the audit log was lost", more);
                }
                (more, read) = (more | looked.more, read | looked.read);
                told |= !looked.news.is_empty();
                trail.add(&looked.news);
                self.note(&follow, why);
                self.tell(&looked.news);
            }
            let waiting = self.waiting();
            // What was told since needs not be told again.
            let due = told || waiting.len() != waited || read && noted.elapsed() >= NOTED;
            if let Some(checkpoints) = checkpoints.as_mut().filter(|_| due) {
                self.store(&follow, checkpoints, &waiting)?;
                (noted, waited) = (Instant::now(), waiting.len());
            }
            if !more {
                rest(self.following.every, self.stop);
            }
        }
        // Receivers are told once more at the end; what they have needs not be told again.
        let begun = Instant::now();
        while !self.waiting().is_empty() && begun.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(50));
        }
        if let Some(checkpoints) = &mut checkpoints
            && self.shared.keeps()
        {
            self.store(&follow, checkpoints, &self.waiting())?;
        }
        Ok(())
    }

    fn store(
        &self,
        follow: &Follow<'_, '_>,
        checkpoints: &mut Checkpoints,
        waiting: &[Value],
    ) -> Result<(), String> {
        let more = json!({ "timeline": self.shared.trail().kept(), "waiting": waiting });
        let now = (self.options.clock)().as_microsecond();
        match checkpoints.store(&follow.checkpoint(now, more))? {
            Written::Yes => Ok(()),
            Written::Another => Err("another replica follows the same logs".to_owned()),
        }
    }

    /// Takes note of how it goes.
    fn note(&self, follow: &Follow<'_, '_>, trouble: Option<String>) {
        let losses = follow.losses();
        let mut figures = locked(&self.shared.trail().figures);
        figures.events = losses.events + losses.activities;
        figures.cut = losses.cut();
        figures.unreadable = losses.unreadable;
        figures.expired = losses.expired;
        (figures.behind, figures.messages_behind) = (follow.behind(), follow.messages_behind());
        figures.newest = losses
            .last
            .and_then(|at| Timestamp::from_microsecond(at).ok());
        figures.looked = Some((self.options.clock)());
        figures.without_reads = losses.events > 0 && losses.reads == 0;
        figures.trouble = trouble;
    }

    /// What is grave waits to be told; all of it is counted.
    fn tell(&self, news: &[News]) {
        let trail = self.shared.trail();
        for one in news {
            let alert = &one.alert;
            let key = (
                alert.detection.clone(),
                alert.severity,
                alert.verdict.word(),
            );
            *locked(&trail.figures).alerts.entry(key).or_default() += 1;
            if alert.severity >= self.following.floor {
                let value = told(one, self.detector);
                self.shared.happened(&print(&one.id), &value);
            }
        }
    }

    /// What waits for some receiver, each once.
    fn waiting(&self) -> Vec<Value> {
        self.shared.happened_waiting()
    }

    fn wait_again(&self, more: &Value) {
        let waiting = more.get("waiting").and_then(Value::as_array);
        for value in waiting.into_iter().flatten() {
            let id = value.get("fingerprint").and_then(Value::as_str);
            self.shared.happened(&print(id.unwrap_or_default()), value);
        }
    }
}

fn print(id: &str) -> Fingerprint {
    Fingerprint::of(&["audit", id])
}

/// An alert as receivers hear of it: in the form of findings, with what happened beside it.
fn told(news: &News, detector: &Detector<'_>) -> Value {
    let News { id, alert } = news;
    let event = &alert.event;
    let detection = detector.selected().find(|own| own.id == alert.detection);
    let title = detection.map_or("", |detection| &*detection.title);
    json!({
        "guideline": alert.detection,
        "title": title,
        "severity": alert.severity.word(),
        "message": report::clean(&event.message),
        "resource": {
            "id": event.object,
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Event",
            "namespace": event.namespace,
            "name": event.object,
        },
        "place": {"uri": event.cluster, "route": event.audit_id},
        "fingerprint": id,
        "help": format!("seawall explain {}", alert.detection),
        "event": {
            "time": audit::time::shown(event.at),
            "auditID": event.audit_id,
            "user": event.user,
            "verb": event.verb,
            "object": event.object,
            "cluster": event.cluster,
            "verdict": alert.verdict.word(),
            "times": alert.times,
        },
    })
}
