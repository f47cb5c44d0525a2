//! Detections: the guide's guidelines over what happened, asked of every event.
//!
//! [`Detector`] holds what is asked; [`Detections`] is what was found so far, a state that merges ([`crate::Fold`]):
//! whatever the order of events and whoever saw which of them, the alerts are the same.
//!
//! - `alike` finds out what is left to ask, from what most events share with others;
//! - `subject` is one event before its detections, `scope` what CEL sees of it;
//! - `memory` remembers what thresholds, sequences and first sightings need, bounded, and says what did not fit;
//! - `alert` is what comes out;
//! - `state` is what was found so far as bytes, for parts of a log that are read apart.
//!
//! A record that was cut has fields that nobody knows. A detection that hangs on one is *unknown*: that is an alert
//! too where the request could change something, and is counted where not.

mod alert;
mod alike;
mod baseline;
mod bounded;
pub mod examples;
mod identities;
mod memory;
mod news;
mod scope;
mod state;
mod subject;

use std::collections::BTreeMap;

use cel::{Budget, Bump, Program, Val};
use guide::detection::{Detection, Log, Memory, Target, Trigger};
use guide::message::{Piece, Template};
use guide::{Guide, Judge, Setting};
use model::unknown;

use crate::read::{Fold, Record, What};

pub use alert::{Alert, Stub, Verdict};
use alike::Outlines;
pub use baseline::{Baseline, BaselineError};
use bounded::Bounded;
pub(crate) use bounded::hash;
pub(crate) use identities::Identities;
use memory::Remembered;
pub use news::{News, Told};
use scope::Scope;
pub use state::StateError;
pub(crate) use subject::CONNECTS;
use subject::{Subject, Truth};

/// How many alerts of one detection are kept.
const ALERTS: usize = 10_000;

/// What is asked of every event.
pub struct Detector<'g> {
    guide: &'g Guide,
    setting: &'g Setting,
    judge: Judge<'g>,
    identities: Identities,
    /// Numbers in [`Guide::detections`].
    selected: Vec<u16>,
    /// Detections by the resource that they look at.
    by_resource: BTreeMap<&'g str, Vec<u16>>,
    /// Those that look at any request, or at paths.
    any: Vec<u16>,
    activity: Vec<u16>,
    /// Ask everything about every event, however alike they are.
    thorough: bool,
}

impl<'g> Detector<'g> {
    /// A detector for the detections that `select` chooses.
    #[must_use]
    pub fn new(
        guide: &'g Guide,
        setting: &'g Setting,
        select: impl Fn(&Detection) -> bool,
    ) -> Self {
        let numbered = || (0_u16..).zip(&guide.detections);
        let selected = numbered()
            .filter(|(_, detection)| select(detection))
            .map(|(number, _)| number)
            .collect();
        let mut detector = Self {
            guide,
            setting,
            judge: Judge::new(guide, setting, |_| true),
            identities: Identities::of(guide),
            selected,
            by_resource: BTreeMap::new(),
            any: Vec::new(),
            activity: Vec::new(),
            thorough: false,
        };
        for (number, detection) in numbered() {
            if detector.selected.contains(&number) {
                detector.enter(number, detection);
            }
        }
        detector
    }

    fn enter(&mut self, number: u16, detection: &'g Detection) {
        let first = match &detection.memory {
            Memory::Sequence { on, .. } => on.as_slice(),
            _ => &[],
        };
        for trigger in detection.looks_at.iter().chain(first) {
            let list = match &trigger.target {
                _ if detection.log == Log::Activity => &mut self.activity,
                Target::Resource(name, _) if &**name != "*" => {
                    self.by_resource.entry(name).or_default()
                }
                _ => &mut self.any,
            };
            if !list.contains(&number) {
                list.push(number);
            }
        }
    }

    /// The detections that are asked.
    pub fn selected(&self) -> impl Iterator<Item = &'g Detection> + '_ {
        self.selected
            .iter()
            .filter_map(|number| self.guide.detections.get(usize::from(*number)))
    }

    /// A state that saw nothing yet.
    #[must_use]
    pub fn start(&self) -> Detections<'_, 'g> {
        Detections {
            detector: self,
            alerts: BTreeMap::new(),
            remembered: BTreeMap::new(),
            tally: Tally::default(),
            outlines: Outlines::default(),
        }
    }

    fn detection(&self, number: u16) -> Option<&'g Detection> {
        self.guide.detections.get(usize::from(number))
    }

    fn candidates(&self, subject: &Subject<'_>) -> Vec<u16> {
        if subject.is_activity() {
            return self.activity.clone();
        }
        let mut all = self.any.clone();
        let resource = subject.resource().unwrap_or_default();
        all.extend(self.by_resource.get(resource).into_iter().flatten());
        all.sort_unstable();
        all
    }
}

/// What was not judged, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that were looked at.
    pub judged: u64,
    /// By detection: how often a cut record left it open, on requests that change nothing.
    pub cut: BTreeMap<Box<str>, u64>,
    /// By detection: how often the audit policy does not log what it reads.
    pub not_logged: BTreeMap<Box<str>, u64>,
    /// Records that end before they say what was asked for.
    pub hidden: u64,
    /// Records of requests that had no answer yet; nothing is judged before there is one.
    pub received: u64,
    /// Records that could not be read as JSON from some place on.
    pub unreadable: u64,
    /// Events without a time, which what is remembered cannot place.
    pub timeless: u64,
    /// Detections of which more was found, or had to be remembered, than is kept.
    pub left_out: BTreeMap<Box<str>, u64>,
    /// Detections that need days before, or a baseline, and had none.
    pub no_history: Vec<Box<str>>,
}

/// What was found so far.
pub struct Detections<'d, 'g> {
    detector: &'d Detector<'g>,
    alerts: BTreeMap<u16, Bounded<(Verdict, Stub)>>,
    remembered: BTreeMap<u16, Remembered>,
    tally: Tally,
    /// What was worked out so far; nothing that was found hangs on it.
    outlines: Outlines,
}

/// What comes out at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of time.
    pub alerts: Vec<Alert>,
    /// What was not judged.
    pub tally: Tally,
    /// Everything that was seen first, for a baseline.
    pub seen: Baseline,
}

impl Fold for Detections<'_, '_> {
    fn take(&mut self, record: &Record<'_>) {
        let detector = self.detector;
        if !record.copy {
            self.tally.judged += 1;
        }
        if let What::Event(event) = &record.what
            && event.stage.as_str() == "RequestReceived"
        {
            self.tally.received += u64::from(!record.copy);
            return;
        }
        let at = subject::moment(record);
        let from_outline = !detector.thorough && self.outlines.left(detector, record, at);
        let mut ask = std::mem::take(&mut self.outlines.ask);
        if from_outline {
            let again = std::mem::take(&mut self.outlines.again);
            self.again(&again, at);
            self.outlines.again = again;
        }
        if !from_outline || !ask.is_empty() {
            self.look(record, at, from_outline, &mut ask);
        } else {
            self.tally.timeless += u64::from(at == 0 && !record.copy);
        }
        self.outlines.ask = ask;
    }

    fn merge(&mut self, other: Self) {
        for (number, alerts) in other.alerts {
            let own = self
                .alerts
                .entry(number)
                .or_insert_with(|| Bounded::new(ALERTS));
            own.merge(alerts, stronger);
        }
        for (number, remembered) in other.remembered {
            match self.remembered.get_mut(&number) {
                Some(own) => own.merge(remembered),
                None => {
                    self.remembered.insert(number, remembered);
                }
            }
        }
        self.tally.add(other.tally);
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.hidden += other.hidden;
        self.received += other.received;
        self.unreadable += other.unreadable;
        self.timeless += other.timeless;
        for (own, other) in [
            (&mut self.cut, other.cut),
            (&mut self.not_logged, other.not_logged),
            (&mut self.left_out, other.left_out),
        ] {
            for (detection, count) in other {
                *own.entry(detection).or_default() += count;
            }
        }
    }
}

/// Of two records of one request: what is certain, else what came first.
fn stronger(own: &mut (Verdict, Stub), other: (Verdict, Stub)) {
    if other < *own {
        *own = other;
    }
}

impl Detections<'_, '_> {
    /// Asks these detections about a record, or all that may look at it.
    fn look(&mut self, record: &Record<'_>, at: i64, from_outline: bool, ask: &mut Vec<u16>) {
        let detector = self.detector;
        let Some(subject) = Subject::of(detector.guide, record) else {
            self.tally.unreadable += 1;
            return;
        };
        self.tally.timeless += u64::from(at == 0 && !record.copy);
        if subject.hidden() && !record.copy {
            self.tally.hidden += 1;
        }
        let bump = Bump::new();
        let scope = Scope::new(
            detector.guide,
            detector.setting,
            &detector.judge,
            &detector.identities,
            &subject,
            &bump,
        );
        if !from_outline {
            *ask = detector.candidates(&subject);
        }
        for number in ask.iter() {
            if let Some(detection) = detector.detection(*number) {
                self.ask(*number, detection, &subject, &scope, record.copy);
            }
        }
        if from_outline && !subject.is_cut() {
            self.outlines.asked(at);
        }
    }

    fn ask<'a>(
        &mut self,
        number: u16,
        detection: &'a Detection,
        subject: &Subject<'a>,
        scope: &Scope<'a>,
        copy: bool,
    ) {
        if let Memory::Sequence { on, check, window } = &detection.memory
            && Truth::Yes == triggered(on, subject)
            && scope.eval(check).as_bool() == Some(true)
        {
            let stub = subject.stub(String::new());
            self.remember(
                number,
                *window,
                detection,
                |memory, group| {
                    memory.first(group, stub);
                },
                scope,
            );
        }
        let triggered = triggered(&detection.looks_at, subject);
        if triggered == Truth::No {
            return;
        }
        let verdict = match scope.eval(&detection.check) {
            Val::Bool(true) if triggered == Truth::Yes => Verdict::Match,
            Val::Bool(true) => Verdict::Unknown,
            Val::Bool(false) => return,
            Val::Unknown(unknown::NOT_LOGGED) if !subject.is_cut() => {
                let count = self
                    .tally
                    .not_logged
                    .entry(detection.id.clone())
                    .or_default();
                *count += u64::from(!copy);
                return;
            }
            _ => Verdict::Unknown,
        };
        // What hides everything is told once, by the detection that looks for it.
        if verdict == Verdict::Unknown && (subject.hidden() || !subject.changes_something()) {
            let count = self.tally.cut.entry(detection.id.clone()).or_default();
            *count += u64::from(!copy);
            return;
        }
        let stub = subject.stub(scope.message(&detection.message));
        if verdict == Verdict::Unknown {
            self.keep(number, subject.key(), verdict, stub);
            return;
        }
        match &detection.memory {
            Memory::None => self.keep(number, subject.key(), verdict, stub),
            Memory::Threshold {
                window,
                distinct,
                count,
            } => {
                let what = distinct.as_ref().map_or_else(
                    || subject.moment(),
                    |program| hash(scope.text(program).as_bytes()),
                );
                let count = *count as usize;
                self.remember(
                    number,
                    *window,
                    detection,
                    |memory, group| {
                        memory.count(group, what, count, stub);
                    },
                    scope,
                );
            }
            Memory::Sequence { window, .. } => {
                self.remember(
                    number,
                    *window,
                    detection,
                    |memory, group| {
                        memory.second(group, stub);
                    },
                    scope,
                );
            }
            Memory::FirstSeen { .. } => {
                self.remember(
                    number,
                    0,
                    detection,
                    |memory, group| {
                        memory.sighting(group, stub);
                    },
                    scope,
                );
            }
        }
    }

    /// What these look at was seen before.
    fn again(&mut self, numbers: &[u16], at: i64) {
        for number in numbers {
            if let Some(memory) = self.remembered.get_mut(number) {
                memory.sighted_again(at);
            }
        }
    }

    fn keep(&mut self, number: u16, key: u64, verdict: Verdict, stub: Stub) {
        let alerts = self
            .alerts
            .entry(number)
            .or_insert_with(|| Bounded::new(ALERTS));
        alerts.put(key, (verdict, stub), stronger);
    }

    fn remember<'a>(
        &mut self,
        number: u16,
        window: u32,
        detection: &'a Detection,
        put: impl FnOnce(&mut Remembered, Vec<Box<str>>),
        scope: &Scope<'a>,
    ) {
        let mut group = vec![scope.subject.cluster()];
        group.extend(
            detection
                .by
                .iter()
                .map(|program| scope.text(program).into_boxed_str()),
        );
        let memory = self
            .remembered
            .entry(number)
            .or_insert_with(|| Remembered::new(window));
        put(memory, group);
    }

    /// The alerts, in the order of time.
    #[must_use]
    pub fn finish(self, baseline: Option<&Baseline>) -> Outcome {
        let mut outcome = Outcome {
            tally: self.tally,
            ..Outcome::default()
        };
        let began = self.remembered.values().filter_map(Remembered::began).min();
        for (number, alerts) in self.alerts {
            let Some(detection) = self.detector.detection(number) else {
                continue;
            };
            outcome.left_out(detection, alerts.left_out());
            for (verdict, stub) in alerts.into_values() {
                outcome.alerts.push(Alert::new(detection, verdict, stub, 1));
            }
        }
        for (number, mut remembered) in self.remembered {
            let Some(detection) = self.detector.detection(number) else {
                continue;
            };
            outcome.left_out(detection, remembered.left_out());
            match &detection.memory {
                Memory::None => {}
                Memory::Threshold { count, .. } => {
                    for (stub, times) in remembered.bursts(*count as usize) {
                        outcome
                            .alerts
                            .push(Alert::new(detection, Verdict::Match, stub, times));
                    }
                }
                Memory::Sequence { .. } => {
                    for stub in remembered.pairs() {
                        outcome
                            .alerts
                            .push(Alert::new(detection, Verdict::Match, stub, 1));
                    }
                }
                Memory::FirstSeen { days } => {
                    let known = baseline.map(|baseline| baseline.known(&detection.id));
                    let (fresh, judged) = remembered.fresh(known, began, *days);
                    if !judged {
                        outcome.tally.no_history.push(detection.id.clone());
                    }
                    for stub in fresh {
                        outcome
                            .alerts
                            .push(Alert::new(detection, Verdict::Match, stub, 1));
                    }
                    outcome.seen.add(&detection.id, remembered.sightings());
                }
            }
        }
        outcome.alerts.sort();
        outcome
    }
}

impl Outcome {
    fn left_out(&mut self, detection: &Detection, about: u64) {
        if about > 0 {
            *self.tally.left_out.entry(detection.id.clone()).or_default() += about;
        }
    }
}

fn triggered(triggers: &[Trigger], subject: &Subject<'_>) -> Truth {
    triggers
        .iter()
        .map(|trigger| subject.matches(trigger))
        .max()
        .unwrap_or(Truth::No)
}

impl<'a> Scope<'a> {
    fn eval(&self, program: &'a Program) -> subject::Value<'a> {
        let budget = Budget::new(Budget::POLICY);
        program.eval(self, &[], self.bump, &budget).resolve()
    }

    /// A value as text; what nobody knows is a question mark.
    fn text(&self, program: &'a Program) -> String {
        match self.eval(program) {
            Val::Error(_) | Val::Unknown(_) => "?".to_owned(),
            Val::Str(text) if model::secrets::is_secret_value(text) => "****".to_owned(),
            value => value.to_string(),
        }
    }

    fn message(&self, template: &'a Template) -> String {
        let mut message = String::with_capacity(template.source.len() + 32);
        for piece in &template.pieces {
            match piece {
                Piece::Text(text) => message.push_str(text),
                Piece::Value(program) => message.push_str(&self.text(program)),
            }
        }
        message
    }
}
