//! Telling somebody of findings that are new and grave: each once, as JSON by POST.
//!
//! What stood when the watch began is not new. Every replica notes what it sees, so that the one that begins to keep
//! knows what the one before it has told; what appeared around that moment may be told twice, never not at all. What
//! cannot be told is tried again for a while; how much of it waits is bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use ::guide::Guide;
use jiff::Timestamp;
use model::finding::{Finding, Fingerprint, Outcome, Severity};
use serde_json::{Value, json};
use sources::post::Post;

/// The version of what is sent.
pub const SCHEMA: &str = "seawall.alert/v1";

/// Findings of one message.
const TOGETHER: usize = 50;
/// What waits to be told; beyond that the oldest is dropped, and counted.
const WAITING: usize = 1000;
/// How often a message is tried.
const ATTEMPTS: u32 = 8;
/// The first pause after it failed; it doubles.
const FIRST: Duration = Duration::from_secs(1);

/// What was seen, and what waits.
#[derive(Default)]
pub(crate) struct Alerts {
    /// When each was first seen; of those that stand.
    seen: HashMap<Fingerprint, Instant>,
    begun: bool,
    waiting: VecDeque<(Fingerprint, Value)>,
    failed: u32,
    next: Option<Instant>,
    pub(crate) told: u64,
    pub(crate) dropped: u64,
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

    /// Tells what waits. Why that failed, if it did.
    pub(crate) fn tell(
        &mut self,
        post: &Post,
        subject: &[String],
        at: Timestamp,
    ) -> Option<String> {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return None;
        }
        while !self.waiting.is_empty() {
            let some = self.waiting.len().min(TOGETHER);
            let findings: Vec<&Value> =
                self.waiting.iter().take(some).map(|(_, one)| one).collect();
            let message = json!({
                "schema": SCHEMA,
                "at": at.to_string(),
                "subject": subject,
                "findings": findings,
            });
            match post.send(message.to_string()) {
                Ok(()) => {
                    self.waiting.drain(..some);
                    self.told += some as u64;
                    (self.failed, self.next) = (0, None);
                }
                Err(untold) => {
                    self.failed += 1;
                    if self.failed >= ATTEMPTS || !untold.later {
                        self.waiting.drain(..some);
                        self.dropped += some as u64;
                        self.failed = 0;
                    }
                    self.next = Some(Instant::now() + FIRST * 2_u32.pow(self.failed.min(8)));
                    return Some(untold.message);
                }
            }
        }
        None
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
