//! Telling somebody of findings that are new and grave: each once, to each of those who want to know.
//!
//! What stood when the watch began is not new. Every replica notes what it sees, so that the one that begins to keep
//! knows what the one before it has told; what appeared around that moment may be told twice, never not at all. What
//! cannot be told is tried again for a while; how much of it waits is bounded. Each receiver has a thread of its own, so
//! that none waits for another, nor the Lease for any.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::guide::Guide;
use jiff::Timestamp;
use model::finding::{Finding, Fingerprint, Outcome, Severity};
use serde_json::{Value, json};
use sources::azure::{SignIn, Trust};
use sources::ingestion::{self, Ingestion};
use sources::post::{Post, Untold};

use super::trouble::{Trouble, Why};
use super::{Level, Options, Shared, TICK, rest};

/// The version of what is sent.
pub const SCHEMA: &str = "seawall.alert/v1";

/// Findings of one message, at most.
const TOGETHER: usize = 50;
/// What waits to be told; beyond that the oldest is dropped, and counted.
const WAITING: usize = 1000;
/// How often a message is tried.
const ATTEMPTS: u32 = 8;
/// The first pause after it failed; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// A receiver may ask to wait as long as this.
const LONGEST: Duration = Duration::from_secs(300);
/// Room of a message beside its findings.
const ENVELOPE: usize = 16 * 1024;

/// Where new findings are told, and which.
#[derive(Debug, Clone)]
pub struct Alerting {
    /// To whom.
    pub to: Receiver,
    /// Findings at or above it.
    pub floor: Severity,
}

/// Who is told.
#[derive(Clone)]
pub enum Receiver {
    /// Whoever answers there, in seawall's own form; the address may hold a token.
    Webhook(String, Trust),
    /// A table of Azure Monitor: a row for each finding. The address is that of a stream.
    Monitor(String, Box<SignIn>),
}

impl Receiver {
    /// What it is called in figures and in the log.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Webhook(..) => "webhook",
            Self::Monitor(..) => "monitor",
        }
    }

    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is none that may be told.
    pub fn check(&self) -> Result<(), String> {
        self.open().map(|_| ())
    }

    fn open(&self) -> Result<Teller, String> {
        match self {
            Self::Webhook(url, trust) => {
                Post::new(url, trust).map(|one| Teller::Webhook(Box::new(one)))
            }
            Self::Monitor(url, sign_in) => {
                Ingestion::new(url, sign_in).map(|one| Teller::Monitor(Box::new(one)))
            }
        }
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

enum Teller {
    Webhook(Box<Post>),
    Monitor(Box<Ingestion>),
}

impl Teller {
    fn tell(&self, findings: &[Value], subject: &[String], at: Timestamp) -> Result<(), Untold> {
        match self {
            Self::Webhook(post) => {
                let message = json!({
                    "schema": SCHEMA,
                    "at": at.to_string(),
                    "subject": subject,
                    "findings": findings,
                });
                post.send(message.to_string())
            }
            Self::Monitor(ingestion) => {
                let rows: Vec<Value> = findings.iter().map(|one| row(one, subject, at)).collect();
                ingestion.send(&rows)
            }
        }
    }
}

/// A finding as a row of the table that deploy/azure/seawall-alerts.bicep makes.
fn row(finding: &Value, subject: &[String], at: Timestamp) -> Value {
    let text = |path: &str| {
        let value = finding.pointer(path).and_then(Value::as_str);
        cut(value.unwrap_or_default(), ingestion::LONGEST_TEXT / 4)
    };
    json!({
        "TimeGenerated": at.to_string(),
        "Schema": SCHEMA,
        "Subject": cut(&subject.join(", "), ingestion::LONGEST_TEXT / 4),
        "Guideline": text("/guideline"),
        "Title": text("/title"),
        "Severity": text("/severity"),
        "Message": text("/message"),
        "ResourceUid": text("/resource/id"),
        "ApiVersion": text("/resource/apiVersion"),
        "Kind": text("/resource/kind"),
        "Namespace": text("/resource/namespace"),
        "Name": text("/resource/name"),
        "Uri": text("/place/uri"),
        "Route": text("/place/route"),
        "Fingerprint": text("/fingerprint"),
        "Help": text("/help"),
    })
}

/// The beginning of a text, never in the middle of a character.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// What was seen, and what waits.
pub(crate) struct Alerts {
    /// When each was first seen; of those that stand.
    seen: HashMap<Fingerprint, Instant>,
    begun: bool,
    waiting: VecDeque<(Fingerprint, Value)>,
    /// What happened, by audit logs: it stays until it is told.
    happened: VecDeque<(Fingerprint, Value)>,
    failed: u32,
    next: Option<Instant>,
    /// Findings of a message; fewer after one was too large.
    together: usize,
    pub(crate) told: u64,
    pub(crate) dropped: u64,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            seen: HashMap::new(),
            begun: false,
            waiting: VecDeque::new(),
            happened: VecDeque::new(),
            failed: 0,
            next: None,
            together: TOGETHER,
            told: 0,
            dropped: 0,
        }
    }
}

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerts")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Alerts {
    /// Takes note of the grave findings that stand. What is new waits to be told when this replica keeps, or did not until less than
    /// `since` ago.
    pub(crate) fn note(
        &mut self,
        findings: &[Finding],
        guide: &Guide,
        (keeps, since): (bool, Duration),
    ) {
        let now = Instant::now();
        let mut standing = HashSet::new();
        for finding in findings {
            standing.insert(finding.fingerprint);
            if self.seen.contains_key(&finding.fingerprint) {
                continue;
            }
            self.seen.insert(finding.fingerprint, now);
            if self.begun {
                self.waiting
                    .push_back((finding.fingerprint, told(finding, guide)));
            }
        }
        // What went and comes back is new again.
        self.seen.retain(|print, _| standing.contains(print));
        self.begun = true;
        let seen = &self.seen;
        self.waiting.retain(|(print, _)| {
            // Mended before anybody was told, or told by the one who keeps.
            seen.get(print)
                .is_some_and(|at| keeps || at.elapsed() < since)
        });
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
    }

    /// Something that happened waits to be told; once, whoever says it.
    pub(crate) fn happened(&mut self, print: Fingerprint, told: Value) {
        if !self.happened.iter().any(|(own, _)| *own == print) {
            self.happened.push_back((print, told));
        }
        while self.happened.len() > WAITING {
            self.happened.pop_front();
            self.dropped += 1;
        }
    }

    /// What of that waits.
    pub(crate) fn happened_waiting(&self) -> impl Iterator<Item = (Fingerprint, Value)> + '_ {
        self.happened.iter().cloned()
    }

    /// What is told next, unless it is not time yet.
    fn batch(&self) -> Vec<(Fingerprint, Value)> {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return Vec::new();
        }
        let mut bytes = ENVELOPE;
        let all = self.waiting.iter().chain(&self.happened);
        let some = all.take(self.together);
        let fitting = some.enumerate().take_while(|(index, (_, finding))| {
            // A row says as much as a message does, and whom it is about.
            bytes += 2 * finding.to_string().len();
            *index == 0 || bytes < ingestion::MOST
        });
        fitting.map(|(_, one)| one.clone()).collect()
    }

    /// Takes note of what became of a batch.
    fn settle(&mut self, batch: &[(Fingerprint, Value)], told: &Result<(), Untold>) {
        let some = batch.len() as u64;
        let Err(untold) = told else {
            self.done(batch);
            self.told += some;
            (self.failed, self.next, self.together) = (0, None, TOGETHER);
            return;
        };
        if untold.status == Some(413) && batch.len() > 1 {
            self.together = batch.len() / 2;
            return;
        }
        self.failed += 1;
        if self.failed >= ATTEMPTS || !untold.later {
            self.done(batch);
            self.dropped += some;
            self.failed = 0;
        }
        let pause = FIRST * 2_u32.pow(self.failed.min(8));
        let asked = untold.wait.unwrap_or_default().min(LONGEST);
        self.next = Some(Instant::now() + pause.max(asked));
    }

    fn done(&mut self, batch: &[(Fingerprint, Value)]) {
        let prints: HashSet<Fingerprint> = batch.iter().map(|(print, _)| *print).collect();
        self.waiting.retain(|(print, _)| !prints.contains(print));
        self.happened.retain(|(print, _)| !prints.contains(print));
    }
}

/// What is said where nobody is told.
const UNSENT: &str = "alerts cannot be sent";

/// Tells one receiver until it is time to stop, and once more then.
pub(super) fn keep(index: usize, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let (Some(alerting), Some(alerts)) = (
        options.keeping.alerts.get(index),
        shared.kept.alerts.get(index),
    ) else {
        return;
    };
    let word = alerting.to.word();
    let teller = match alerting.to.open() {
        Ok(teller) => teller,
        Err(why) => {
            let more = json!({"to": word, "why": why});
            return (options.log)(Level::Error, UNSENT, more);
        }
    };
    let mut trouble = Trouble::new(UNSENT);
    loop {
        let last = stop.load(Ordering::Relaxed);
        let batch = if shared.keeps() {
            super::locked(alerts).batch()
        } else {
            Vec::new()
        };
        if !batch.is_empty() {
            let findings: Vec<Value> = batch.iter().map(|(_, one)| one.clone()).collect();
            let subject = shared.picture().subject.clone();
            let told = teller.tell(&findings, &subject, (options.clock)());
            super::locked(alerts).settle(&batch, &told);
            let why = told.err().map(Why::from);
            trouble.tell(&options.log, why, json!({"to": word}), json!({}));
        }
        if last {
            return;
        }
        rest(TICK, stop);
    }
}

/// Whether somebody is told of a finding.
pub(crate) fn is_grave(finding: &Finding, floor: Severity) -> bool {
    finding.counts() && finding.outcome == Outcome::Fail && finding.severity >= floor
}

fn told(finding: &Finding, guide: &Guide) -> Value {
    let resource = &finding.resource;
    let title = guide
        .guideline(&finding.guideline.0)
        .map_or("", |guideline| &*guideline.title);
    json!({
        "guideline": &*finding.guideline.0,
        "title": title,
        "severity": finding.severity.word(),
        "message": report::clean(&finding.message),
        "resource": {
            "id": resource.id(),
            "apiVersion": &*resource.api_version,
            "kind": resource.kind.name(),
            "namespace": resource.namespace,
            "name": &*resource.name,
        },
        "place": {"uri": &*finding.place.path, "route": finding.place.route},
        "fingerprint": finding.fingerprint.to_string(),
        "help": format!("seawall explain {}", finding.guideline.0),
    })
}
