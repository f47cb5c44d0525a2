//! A pass over everything: what guidelines say that join objects, and of the estate as a whole.
//!
//! It takes the objects as they are at one moment and judges them beside the watch, on one thread that nobody waits
//! for. What comes of it carries that moment.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ::guide::{Guide, Guideline, Judge, Judged, Setting, unjudged};
use jiff::Timestamp;
use model::Estate;
use model::coverage::Coverage;
use model::finding::Finding;
use model::ownership::{self, Made};
use report::assessment::Counts;
use report::config::Config;
use report::triage::{Seen, Triage, is_about_waivers};
use serde_json::json;

use super::held::{Held, Teller};
use super::judging::is_asked;
use super::said::{Makers, Said, Sorting, counted};
use super::{Dirt, Level, Options, Shared, TICK, rest};

/// The estate at one moment, and what follows from it.
#[derive(Debug)]
pub struct Picture {
    /// Everything that is known, indexed.
    pub estate: Estate,
    /// What verdicts depend on besides it.
    pub setting: Arc<Setting>,
    /// The ledger: of judged objects one entry for each kind.
    pub coverage: Coverage,
    /// The moment.
    pub at: Timestamp,
    /// Since when something in it may be old, because nothing was heard of a kind.
    pub oldest: Option<Timestamp>,
    /// What the sources are called.
    pub subject: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// From 1; 0 before anything was read.
    pub number: u64,
}

impl Picture {
    /// Before anything was read.
    pub(crate) fn nothing(setting: Arc<Setting>) -> Self {
        Self {
            estate: Estate::default(),
            setting,
            coverage: Coverage::default(),
            at: Timestamp::UNIX_EPOCH,
            oldest: None,
            subject: Vec::new(),
            took: Duration::ZERO,
            number: 0,
        }
    }
}

/// What a pass said.
struct Passed {
    picture: Picture,
    said: Vec<Statement>,
    verdicts: Counts,
}

/// What was said of an object.
struct Statement {
    address: Arc<str>,
    made: Option<Made>,
    findings: Vec<Finding>,
}

/// Takes the picture of a moment.
fn moment(held: &Held, setting: Arc<Setting>, now: Timestamp, number: u64) -> Picture {
    Picture {
        estate: held.estate(),
        coverage: held.coverage(),
        setting,
        at: now,
        oldest: held.oldest(),
        subject: held.names(),
        took: Duration::ZERO,
        number,
    }
}

/// Where a finding about the estate as a whole, or about what was not read, is said.
const ESTATE: &str = "";

/// Judges it.
fn pass(guide: &Guide, config: &Config, mut picture: Picture) -> Passed {
    let begun = Instant::now();
    picture.estate.imply_namespaces(&guide.symbols);
    let setting = Arc::clone(&picture.setting);
    let asked = |guideline: &Guideline| is_asked(config, guideline);
    let missing =
        unjudged::not_assessed(guide, &setting, asked, &picture.estate, &picture.coverage);
    let absent: BTreeSet<&str> = missing
        .iter()
        .map(|guideline| &*guideline.guideline.0)
        .collect();
    let judge = Judge::new(guide, &setting, |guideline| {
        asked(guideline) && guideline.needs.joined && !absent.contains(&*guideline.id.0)
    });
    let mut passed = Saying::default();
    {
        let analyses = ::guide::facts::analyses(guide, &setting, &picture.estate);
        for resource in picture.estate.resources() {
            let judged = judge.joined(resource, &analyses);
            passed.hear(&resource.origin.path, ownership::made(resource), judged);
        }
        if let Some(witness) = picture.estate.resources().first() {
            let estate: Arc<str> = ESTATE.into();
            passed.hear(&estate, None, judge.estate(witness, &analyses));
        }
    }
    let all = Judge::new(guide, &setting, asked);
    for entry in unjudged::unlisted(&picture.coverage) {
        if let Some((_, judged)) = all.unread(&entry) {
            passed.hear(&entry.path, None, judged);
        }
    }
    drop(absent);
    picture.coverage.guidelines = missing;
    picture.took = begun.elapsed();
    Passed {
        picture,
        said: passed.said,
        verdicts: passed.verdicts,
    }
}

#[derive(Default)]
struct Saying {
    said: Vec<Statement>,
    verdicts: Counts,
}

impl Saying {
    fn hear(&mut self, address: &Arc<str>, made: Option<Made>, judged: Judged) {
        let counts = counted(&judged.verdicts);
        self.verdicts.pass += counts.pass;
        self.verdicts.fail += counts.fail;
        self.verdicts.unknown += counts.unknown;
        self.verdicts.not_applicable += counts.not_applicable;
        if !judged.findings.is_empty() {
            self.said.push(Statement {
                address: Arc::clone(address),
                made,
                findings: judged.findings,
            });
        }
    }
}

/// Brings what a pass said to whom it belongs, and judges the waivers by what they matched.
fn sorted(
    guide: &Guide,
    config: &Config,
    (statements, verdicts): (Vec<Statement>, Counts),
    (makers, local): (&Makers, &Said),
    (setting, day): (&Setting, &str),
) -> Said {
    let mut triage = Triage::new(config, day);
    let mut said = Said::default();
    for statement in statements {
        let mut sorting = Sorting {
            makers,
            triage: &mut triage,
        };
        let (address, made) = (&statement.address, statement.made.as_ref());
        said.say(address, made, &mut sorting, statement.findings);
    }
    said.count(&verdicts, true);
    if !config.waivers.is_empty() {
        let about = |finding: &Finding| {
            config
                .waivers
                .iter()
                .any(|waiver| *waiver.guideline == *finding.guideline.0)
        };
        for finding in local.standing().filter(|finding| about(finding)) {
            triage.apply(&mut Finding::clone(finding));
        }
        let overseer = Judge::new(guide, setting, is_about_waivers);
        // Azure is not watched.
        let seen = Seen {
            asked: &|id| {
                guide
                    .guideline(id)
                    .is_none_or(|guideline| !guideline.needs.azure)
            },
            beside: true,
        };
        for waiver in triage.waivers(&guide.symbols, &seen) {
            let judged = overseer.local(&waiver);
            let at: Arc<str> = format!("{}:{}", waiver.origin.path, waiver.name.name).into();
            said.count(&counted(&judged.verdicts), true);
            let mut sorting = Sorting {
                makers,
                triage: &mut triage,
            };
            said.say(&at, None, &mut sorting, judged.findings);
        }
    }
    said
}

/// Passes over everything when something changed, never twice at a time.
pub(super) fn passes(guide: &Guide, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let mut number = 0;
    let mut took = Duration::ZERO;
    while let Some(due) = due(options, shared, stop) {
        // It may work half of the time.
        rest(took, stop);
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let taken = {
            let live = shared.live();
            let ready = live.held.is_caught_up(Teller::Cluster);
            let setting = live.held.setting.clone().filter(|_| ready);
            setting.map(|setting| {
                *shared.dirt.lock().unwrap_or_else(PoisonError::into_inner) = Dirt::default();
                moment(&live.held, setting, (options.clock)(), number + 1)
            })
        };
        let Some(moment) = taken else {
            rest(TICK, stop);
            continue;
        };
        let begun = Instant::now();
        let day = moment
            .at
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .to_string();
        let setting = Arc::clone(&moment.setting);
        let passed = pass(guide, &options.config, moment);
        let said = {
            let live = shared.live();
            sorted(
                guide,
                &options.config,
                (passed.said, passed.verdicts),
                (&live.makers, &live.local),
                (&setting, &day),
            )
        };
        number += 1;
        took = begun.elapsed();
        let mut picture = passed.picture;
        picture.took = took;
        (options.log)(
            Level::Info,
            "passed over everything",
            json!({
                "number": number,
                "resources": picture.estate.resources().len(),
                "findings": said.len(),
                "took_ms": took.as_millis() as u64,
                "waited_ms": due.elapsed().saturating_sub(took).as_millis() as u64,
            }),
        );
        shared.change().joined = said;
        *shared
            .picture
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(picture);
        shared.figures.passes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until a pass is due: since when.
fn due(options: &Options, shared: &Shared, stop: &AtomicBool) -> Option<Instant> {
    let mut dirt = shared.dirt.lock().unwrap_or_else(PoisonError::into_inner);
    while !stop.load(Ordering::Relaxed) {
        if let (Some(first), Some(last)) = (dirt.first, dirt.last)
            && (last.elapsed() >= options.quiet || first.elapsed() >= options.most)
        {
            return Some(first);
        }
        let waited = shared.changed.wait_timeout(dirt, TICK);
        dirt = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    None
}
