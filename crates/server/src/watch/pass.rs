//! A pass: what guidelines say that join objects, and of the estate as a whole.
//!
//! It takes the objects as they are at one moment and judges them beside the watch, on one thread that nobody waits
//! for. What comes of it carries that moment. It asks again what may be answered otherwise than at the last pass
//! ([`again`]), and everything when it cannot know: the first time, on a new day, when other kinds were read.

mod again;
mod turns;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ::guide::{Guide, Guideline, Judge, Judged, Setting, unjudged};
use analysis::Holdings;
use jiff::Timestamp;
use model::Estate;
use model::coverage::Coverage;
use model::finding::{Finding, GuidelineId};
use model::ownership::{self, Made};
use report::assessment::Counts;
use report::config::Config;
use report::triage::{Seen, Triage, is_about_waivers};
use serde_json::json;

use self::again::{Last, Unit, units};
use self::turns::Turns;
use super::held::{Held, Teller};
use super::judging::{add, is_asked};
use super::said::{Said, Sorting, counted};
use super::{Dirt, Level, Live, Options, Shared, TICK, rest};
use crate::trace::Kind;

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
    /// What subjects hold that amounts to more than it says, where that can be followed.
    pub holdings: Option<Arc<Holdings>>,
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
            holdings: None,
            took: Duration::ZERO,
            number: 0,
        }
    }
}

/// Takes the picture of a moment.
fn moment(
    held: &Held,
    estate: Estate,
    setting: Arc<Setting>,
    now: Timestamp,
    number: u64,
) -> Picture {
    Picture {
        estate,
        coverage: held.coverage(),
        setting,
        at: now,
        oldest: held.oldest(),
        subject: held.names(),
        holdings: None,
        took: Duration::ZERO,
        number,
    }
}

/// Where a finding about the estate as a whole is said.
const ESTATE: &str = "";

/// Findings of this many addresses are brought to whom they belong at a time.
const TOGETHER: usize = 256;

/// What was said of what lies at an address; nothing, where nothing is said any more.
struct Statement {
    address: Arc<str>,
    findings: Vec<(Option<Made>, Vec<Finding>)>,
    /// None where nothing is there any more.
    unit: Option<Unit>,
}

impl Statement {
    const fn of(address: Arc<str>) -> Self {
        Self {
            address,
            findings: Vec::new(),
            unit: None,
        }
    }

    fn hear(&mut self, made: Option<Made>, judged: Judged) {
        let unit = self.unit.get_or_insert_default();
        add(&mut unit.verdicts, &counted(&judged.verdicts));
        if !judged.findings.is_empty() {
            self.findings.push((made, judged.findings));
        }
    }
}

/// Where statements go.
enum Sink {
    /// What is said is said anew, beside what stood.
    Anew(Box<Said>, Vec<Statement>),
    /// What stood is changed, at the end.
    Changes(Vec<Statement>),
}

/// Passes over everything, again and again.
pub(super) struct Passing<'p> {
    guide: &'p Guide,
    options: &'p Options,
    /// As of the last pass.
    config: Arc<Config>,
    number: u64,
    last: Last,
    turns: Turns,
}

impl<'p> Passing<'p> {
    pub(super) fn new(guide: &'p Guide, options: &'p Options) -> Self {
        Self {
            guide,
            options,
            config: options.config.now(),
            number: 0,
            last: Last::default(),
            turns: Turns::default(),
        }
    }

    /// The same, which works the network and rights out for all namespaces at once.
    #[cfg(test)]
    pub(super) fn at_once(mut self) -> Self {
        self.last.at_once = true;
        self
    }

    /// Makes one pass: how long it took; `None` before everything was read once.
    pub(super) fn pass(&mut self, shared: &Shared) -> Option<Duration> {
        let begun = Instant::now();
        let (mut picture, differs) = {
            let mut live = shared.change();
            live.moved.clear();
            let held = &mut live.held;
            let ready = held.is_caught_up(Teller::Cluster);
            let setting = held.setting.clone().filter(|_| ready)?;
            *shared.dirt.lock().unwrap_or_else(PoisonError::into_inner) = Dirt::default();
            let (estate, differs) = self.turns.next(held, &self.guide.symbols);
            let (now, number) = ((self.options.clock)(), self.number + 1);
            (moment(held, estate, setting, now, number), differs)
        };
        let mut span = self.options.tracer.begin("pass", Kind::Internal, None);
        let day = picture.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let config = self.options.config.now();
        let same = Arc::ptr_eq(&config, &self.config);
        self.config = config;
        let mut triage = Triage::new(&self.config, &day.to_string());
        let differs = (same, differs);
        let (sink, asked) = self.judge(shared, &mut picture, differs, &mut triage);
        let anew = matches!(sink, Sink::Anew(..));
        let findings = self.settle(shared, &picture, sink, &mut triage);
        self.number += 1;
        picture.holdings.clone_from(&self.last.holdings);
        let took = begun.elapsed();
        picture.took = took;
        if let Some(span) = &mut span {
            span.say("seawall.resources", picture.estate.resources().len());
            span.say("seawall.asked", asked);
            span.say("seawall.findings", findings);
        }
        drop(span);
        (self.options.log)(
            Level::Info,
            "passed over everything",
            json!({
                "number": self.number,
                "resources": picture.estate.resources().len(),
                "asked": asked,
                "anew": anew,
                "findings": findings,
                "took_ms": took.as_millis() as u64,
            }),
        );
        let picture = Arc::new(picture);
        let before = self.last.picture.replace(Arc::clone(&picture));
        *shared
            .picture
            .write()
            .unwrap_or_else(PoisonError::into_inner) = picture;
        if let Some(before) = before {
            self.turns.rest(before);
        }
        shared.figures.passes.fetch_add(1, Ordering::Relaxed);
        Some(took)
    }

    /// Asks what has to be asked: what was said, and of how many addresses.
    fn judge(
        &mut self,
        shared: &Shared,
        picture: &mut Picture,
        (same, differs): (bool, Option<BTreeSet<Arc<str>>>),
        triage: &mut Triage,
    ) -> (Sink, usize) {
        let (guide, config) = (self.guide, Arc::clone(&self.config));
        let setting = Arc::clone(&picture.setting);
        let asked = |guideline: &Guideline| is_asked(&config, guideline);
        picture.coverage.guidelines =
            unjudged::not_assessed(guide, &setting, asked, &picture.estate, &picture.coverage);
        let picture = &*picture;
        let absent: BTreeSet<&str> = picture
            .coverage
            .guidelines
            .iter()
            .map(|guideline| &*guideline.guideline.0)
            .collect();
        let judge = Judge::new(guide, &setting, |guideline| {
            asked(guideline) && guideline.needs.joined && !absent.contains(&*guideline.id.0)
        });
        let network = judge
            .selected()
            .any(|(_, guideline)| guideline.needs.network);
        let analyses = ::guide::facts::analyses(guide, &setting, &picture.estate).noting();
        let (questions, analyses) = self
            .last
            .questions(picture, same, differs, analyses, network);
        let estate = &picture.estate;
        let (mut sink, units) = match &questions {
            None => {
                self.last.forget();
                (Sink::Anew(Box::default(), Vec::new()), units(estate))
            }
            Some(questions) => {
                let asked = questions.addresses.iter();
                let asked = asked.map(|address| (Arc::clone(address), estate.at(address)));
                let there = asked.filter(|(_, there)| !there.is_empty());
                (Sink::Changes(Vec::new()), there.collect())
            }
        };
        let number = units.len();
        for (address, resources) in units {
            let mut statement = Statement::of(address);
            for resource in resources {
                let judged = judge.joined(resource, &analyses);
                statement.hear(ownership::made(resource), judged);
            }
            if let Some(unit) = &mut statement.unit {
                unit.reads = analyses.noted();
            }
            self.hear(shared, &mut sink, statement, triage);
        }
        let gone = questions.as_ref().map(|questions| &questions.gone);
        for address in gone.into_iter().flatten() {
            let statement = Statement::of(Arc::clone(address));
            self.hear(shared, &mut sink, statement, triage);
        }
        if let Some(witness) = picture.estate.resources().first()
            && questions.as_ref().is_none_or(|questions| questions.estate)
        {
            let mut statement = Statement::of(ESTATE.into());
            statement.hear(None, judge.estate(witness, &analyses));
            if let Some(unit) = &mut statement.unit {
                unit.reads = analyses.noted();
            }
            self.hear(shared, &mut sink, statement, triage);
        }
        self.last.rights = analyses.known_rights();
        self.last.holdings = analyses.known_holdings();
        self.last.network = analyses.known_network();
        self.last.networks = analyses.take_networks();
        (sink, number)
    }

    /// Takes what was said.
    fn hear(
        &mut self,
        shared: &Shared,
        sink: &mut Sink,
        statement: Statement,
        triage: &mut Triage,
    ) {
        match sink {
            Sink::Changes(changes) => changes.push(statement),
            Sink::Anew(said, waiting) => {
                waiting.push(statement);
                if waiting.len() >= TOGETHER {
                    let live = shared.live();
                    let mut sorting = Sorting {
                        makers: &live.makers,
                        triage,
                    };
                    for statement in waiting.drain(..) {
                        say(&mut self.last, said, &mut sorting, statement);
                    }
                }
            }
        }
    }

    /// Brings what a pass said to whom it belongs, says what could not be read, and judges the waivers by what they
    /// matched. How many findings stand.
    fn settle(
        &mut self,
        shared: &Shared,
        picture: &Picture,
        sink: Sink,
        triage: &mut Triage,
    ) -> usize {
        let beside = self.unread(picture);
        let mut live = shared.change();
        let Live {
            held,
            makers,
            local,
            joined,
            moved,
        } = &mut *live;
        let statements = match sink {
            Sink::Changes(changes) => changes,
            Sink::Anew(said, rest) => {
                *joined = *said;
                rest
            }
        };
        let mut sorting = Sorting { makers, triage };
        for statement in statements {
            say(&mut self.last, joined, &mut sorting, statement);
        }
        // Whose maker is made by something else since the pass began.
        for address in std::mem::take(moved) {
            let object = held.get(&address);
            if let Some(made) = object.and_then(|object| object.made.as_ref()) {
                joined.say_again(&address, made, &mut sorting);
            }
        }
        for (address, unit) in std::mem::take(&mut self.last.beside) {
            joined.take_back(&address);
            joined.count(&unit.verdicts, false);
        }
        for statement in beside {
            say_beside(&mut self.last, joined, &mut sorting, statement);
        }
        for statement in self.waivers(picture, &[&*local, &*joined], sorting.triage) {
            say_beside(&mut self.last, joined, &mut sorting, statement);
        }
        joined.len()
    }

    /// What is said of what could not be read.
    fn unread(&self, picture: &Picture) -> Vec<Statement> {
        let config = &*self.config;
        let all = Judge::new(self.guide, &picture.setting, |guideline| {
            is_asked(config, guideline)
        });
        let mut statements = Vec::new();
        for entry in unjudged::unlisted(&picture.coverage) {
            if let Some((_, judged)) = all.unread(&entry) {
                let mut statement = Statement::of(entry.path);
                statement.hear(None, judged);
                statements.push(statement);
            }
        }
        statements
    }

    /// What is said of waivers, once it is known what they match.
    fn waivers(&self, picture: &Picture, said: &[&Said], triage: &mut Triage) -> Vec<Statement> {
        let (guide, config) = (self.guide, &*self.config);
        let mut statements = Vec::new();
        if config.waivers.is_empty() {
            return statements;
        }
        let about = |id: &GuidelineId, _| {
            let mut waivers = config.waivers.iter();
            waivers.any(|waiver| *waiver.guideline == *id.0)
        };
        for said in said {
            said.visit(&about, &mut |mut finding| {
                finding.waiver = None;
                triage.apply(&mut finding);
            });
        }
        let overseer = Judge::new(guide, &picture.setting, is_about_waivers);
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
            let at = format!("{}:{}", waiver.origin.path, waiver.name.name);
            let mut statement = Statement::of(at.into());
            statement.hear(None, overseer.local(&waiver));
            statements.push(statement);
        }
        statements
    }
}

/// Says something in the place of what was said of the same address.
fn say(last: &mut Last, said: &mut Said, sorting: &mut Sorting<'_>, statement: Statement) {
    let address = &statement.address;
    said.take_back(address);
    for (made, findings) in statement.findings {
        said.say(address, made.as_ref(), sorting, findings);
    }
    if let Some(unit) = &statement.unit {
        said.count(&unit.verdicts, true);
    }
    // Most are not asked anything that joins.
    let asked = |unit: &Unit| !unit.reads.is_empty() || unit.verdicts != Counts::default();
    let unit = statement.unit.filter(asked);
    if let Some(before) = last.put(&statement.address, unit) {
        said.count(&before.verdicts, false);
    }
}

/// Says something of what is no object of the estate.
fn say_beside(last: &mut Last, said: &mut Said, sorting: &mut Sorting<'_>, statement: Statement) {
    for (made, findings) in statement.findings {
        said.say(&statement.address, made.as_ref(), sorting, findings);
    }
    if let Some(unit) = statement.unit {
        said.count(&unit.verdicts, true);
        last.beside.push((statement.address, unit));
    }
}

/// Passes over everything when something changed, never twice at a time.
pub(super) fn passes(guide: &Guide, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let mut took = Duration::ZERO;
    let mut passing = Passing::new(guide, options);
    while due(options, shared, stop) {
        // It may work half of the time.
        rest(took, stop);
        if stop.load(Ordering::Relaxed) {
            return;
        }
        match passing.pass(shared) {
            Some(worked) => took = worked,
            None => rest(TICK, stop),
        }
    }
}

/// Waits until a pass is due; false when it is time to stop.
fn due(options: &Options, shared: &Shared, stop: &AtomicBool) -> bool {
    let mut dirt = shared.dirt.lock().unwrap_or_else(PoisonError::into_inner);
    while !stop.load(Ordering::Relaxed) {
        if let (Some(first), Some(last)) = (dirt.first, dirt.last)
            && (last.elapsed() >= options.quiet || first.elapsed() >= options.most)
        {
            return true;
        }
        let waited = shared.changed.wait_timeout(dirt, TICK);
        dirt = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    false
}
