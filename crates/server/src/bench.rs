//! The judges of reviews: threads that share a gate and what is known of the cluster.
//!
//! When the day, the configuration or the picture of the cluster changes, others are made ready beside them, then take
//! their place; those before finish the case they have begun. So no case waits for analyses to be made.
//!
//! ```text
//! keep ── every second: something new? ─▶ a sitting: setting, gate, analyses, made ready ─▶ docket.sit(n)
//!                                            └─ judges: take a case, decide, reply; until others sit
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use analysis::Analyses;
use guide::{Guide, Guideline, setting};
use jiff::Timestamp;
use model::managed::Managed;
use model::{Estate, Resource};
use report::config::Config;
use report::triage::Triage;

use crate::admission::{Answer, Decision, Gate, Review, Rules, Why, unjudged};
use crate::docket::{Case, Docket, Judged};
use crate::metrics::Metrics;
use crate::trace::Open;

/// A picture of the cluster.
pub trait Picture: Send + Sync {
    /// What it holds.
    fn estate(&self) -> &Estate;
    /// When the last of it was read.
    fn at(&self) -> Timestamp;
}

/// What is known of the cluster, from moment to moment.
pub trait Beside: Send + Sync {
    /// The newest picture; none while the cluster has not been read.
    fn latest(&self) -> Option<Arc<dyn Picture>>;
    /// A Namespace as it is now.
    fn namespace(&self, name: &str) -> Option<Resource>;
}

/// Nothing is known.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Beside for Alone {
    fn latest(&self) -> Option<Arc<dyn Picture>> {
        None
    }

    fn namespace(&self, _: &str) -> Option<Resource> {
        None
    }
}

impl Picture for crate::watch::Picture {
    fn estate(&self) -> &Estate {
        &self.estate
    }

    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Beside for crate::watch::Shared {
    fn latest(&self) -> Option<Arc<dyn Picture>> {
        let picture = self.picture();
        (picture.number > 0).then_some(picture as Arc<dyn Picture>)
    }

    fn namespace(&self, name: &str) -> Option<Resource> {
        if name.is_empty() {
            return None;
        }
        Self::namespace(self, name)
    }
}

/// Which guidelines are asked.
pub type Select = Arc<dyn Fn(&Guideline) -> bool + Send + Sync>;

/// What judges go by.
#[derive(Clone)]
pub struct Law {
    /// The guide.
    pub guide: Arc<Guide>,
    /// `seawall.yaml`.
    pub config: Arc<Config>,
    /// The Kubernetes minor judged against.
    pub kubernetes_minor: u8,
    /// Which guidelines are asked.
    pub select: Select,
    /// Everything is let in.
    pub dry_run: bool,
}

/// The bench.
#[derive(Clone)]
pub struct Bench {
    /// What is judged by.
    pub law: Law,
    /// What is known of the cluster.
    pub beside: Arc<dyn Beside>,
    /// Where cases wait.
    pub docket: Arc<Docket>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Tells the time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How many judge at once.
    pub judges: usize,
    /// How long a picture is good for at least: making analyses costs time.
    pub refresh: Duration,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").finish_non_exhaustive()
    }
}

/// How often it is asked whether something is new.
const LOOK: Duration = Duration::from_millis(500);

impl Bench {
    /// Keeps judges sitting until the docket is closed. Blocks.
    ///
    /// # Errors
    /// When the configuration's parameters cannot be read; nobody sits then.
    pub fn keep(&self) -> Result<(), String> {
        let mut sitting = 0;
        let mut last: Option<(String, Option<usize>)> = None;
        let mut begun = Instant::now();
        let mut ready: Option<thread::JoinHandle<()>> = None;
        let mut benches = Vec::new();
        while !self.docket.is_closed() {
            let picture = self.beside.latest();
            if let Some(picture) = &picture {
                let age = (self.clock)().duration_since(picture.at()).as_secs_f64();
                self.metrics.set("seawall_estate_age_seconds", &[], age);
            }
            let day = day(&(self.clock)());
            let known = picture
                .as_ref()
                .map(|picture| Arc::as_ptr(picture).cast::<()>().addr());
            let now = (day, known);
            let due = match &last {
                None => true,
                // A first picture, or a new day, at once.
                Some(last) if last.0 != now.0 || last.1.is_none() != now.1.is_none() => true,
                Some(last) => *last != now && begun.elapsed() > self.refresh,
            };
            // One after the other: whoever is not sitting yet has all the time that the machine has to spare.
            let busy = self.docket.sitting() != sitting
                && ready.as_ref().is_some_and(|ready| !ready.is_finished());
            if due && !busy {
                sitting += 1;
                begun = Instant::now();
                let setting = self.setting(&now.0)?;
                let (bench, day) = (self.clone(), now.0.clone());
                let thread = thread::Builder::new()
                    .name(format!("bench {sitting}"))
                    .spawn(move || bench.sit(sitting, &day, &setting, picture.as_deref()))
                    .map_err(|error| format!("no thread for judges: {error}"))?;
                benches.extend(ready.replace(thread));
                benches.retain(|bench: &thread::JoinHandle<()>| !bench.is_finished());
                last = Some(now);
            }
            thread::sleep(LOOK);
        }
        for bench in benches.into_iter().chain(ready) {
            let _ = bench.join();
        }
        Ok(())
    }

    fn setting(&self, day: &str) -> Result<guide::Setting, String> {
        let Law { guide, config, .. } = &self.law;
        let minor = Some(self.law.kubernetes_minor);
        let mut setting = setting::setting(guide, config.params.as_deref(), minor)?;
        setting.severities.clone_from(&config.severities);
        setting.aks = setting::aks_versions(guide, Some(day));
        setting.today = setting::midnight(day);
        Ok(setting)
    }

    fn sit(
        &self,
        sitting: u64,
        day: &str,
        setting: &guide::Setting,
        picture: Option<&dyn Picture>,
    ) {
        let guide = &*self.law.guide;
        let gate = gate(&self.law, setting, day);
        let analyses =
            picture.map(|picture| guide::facts::analyses(guide, setting, picture.estate()));
        if let Some(analyses) = &analyses {
            warm(analyses);
        }
        self.docket.sit(sitting);
        thread::scope(|scope| {
            for number in 0..self.judges.max(1) {
                let judge = || self.judge(sitting, &gate, analyses.as_ref(), picture);
                let named = thread::Builder::new().name(format!("judge {sitting}.{number}"));
                let _ = named.spawn_scoped(scope, judge);
            }
        });
    }

    fn judge(
        &self,
        sitting: u64,
        gate: &Gate<'_>,
        analyses: Option<&Analyses<'_>>,
        picture: Option<&dyn Picture>,
    ) {
        while let Some(case) = self.docket.take(sitting) {
            // Whoever waited has got an answer by now.
            if case.reply.is_closed() || Instant::now() >= case.deadline {
                continue;
            }
            let age = picture.map(|picture| {
                let age = (self.clock)().duration_since(picture.at());
                Duration::try_from(age).unwrap_or_default()
            });
            let parent = case.trace.as_ref();
            let mut span = parent.and_then(|parent| parent.begin("judge"));
            // Nothing panics by design; but whatever does must not take the judge along.
            let judged = catch_unwind(AssertUnwindSafe(|| {
                self.hear(&case, gate, analyses, age, span.as_mut())
            }));
            let judged = judged.unwrap_or_else(|_| {
                span.iter_mut().for_each(Open::fail);
                self.failed(&case, gate)
            });
            // Before the answer, so that it does not count the waiting for whoever takes it.
            drop(span);
            let _ = case.reply.send(judged);
        }
    }

    fn hear(
        &self,
        case: &Case,
        gate: &Gate<'_>,
        analyses: Option<&Analyses<'_>>,
        age: Option<Duration>,
        span: Option<&mut Open>,
    ) -> Judged {
        let review = match parse(&case.body) {
            Ok(review) => review,
            Err(why) => return Judged::Malformed(why),
        };
        let namespace = self.beside.namespace(&review.namespace);
        let late = || Instant::now() >= case.deadline;
        let decision = gate.decide(&review, case.half, namespace.as_ref(), analyses, &late);
        self.note(&decision);
        if let Some(span) = span {
            describe(span, &review, &decision);
        }
        Judged::Answer(review.uid.as_ref().into(), Answer::of(&decision, age))
    }

    fn failed(&self, case: &Case, gate: &Gate<'_>) -> Judged {
        self.metrics
            .count("seawall_admission_unjudged_total", &[("why", "failed")]);
        match parse(&case.body) {
            Ok(review) => {
                let answer = unjudged(!gate.fails_closed(case.half), "judging failed");
                Judged::Answer(review.uid.as_ref().into(), answer)
            }
            Err(why) => Judged::Malformed(why),
        }
    }

    fn note(&self, decision: &Decision) {
        for said in &decision.said {
            let finding = &said.finding;
            let labels = [
                ("guideline", &*finding.guideline.0),
                ("severity", finding.severity.word()),
            ];
            if finding.outcome == model::finding::Outcome::Fail {
                let [guideline, severity] = labels;
                let became = ("became", became(said.why));
                self.metrics.count(
                    "seawall_admission_findings_total",
                    &[guideline, severity, became],
                );
            } else {
                self.metrics
                    .count("seawall_admission_unknown_total", &labels);
            }
        }
        for how in decision.opens.iter().flat_map(|opened| &opened.how) {
            self.metrics
                .count("seawall_admission_opens_total", &[("step", how.id)]);
        }
        for (_, why) in &decision.not_asked {
            self.metrics
                .count("seawall_admission_not_asked_total", &[("why", why)]);
        }
        if decision.unreadable.is_some() {
            let labels = [("why", "unreadable")];
            self.metrics
                .count("seawall_admission_unjudged_total", &labels);
        }
    }
}

/// The gate of a day.
#[must_use]
pub fn gate<'g>(law: &'g Law, setting: &'g guide::Setting, day: &str) -> Gate<'g> {
    let rules = Rules {
        serve: law.config.serve.clone(),
        dry_run: law.dry_run,
    };
    let managed = law
        .guide
        .data
        .get("provider-managed.yaml")
        .and_then(|text| guide::front_matter::read(text, 1).ok())
        .map_or_else(Managed::default, |doc| Managed::from_data(doc.root()));
    let triage = Triage::new(&law.config, day);
    Gate::new(&law.guide, setting, rules, triage, managed, |guideline| {
        (law.select)(guideline)
    })
}

/// Makes what takes long, before anybody waits for it.
fn warm(analyses: &Analyses<'_>) {
    let _ = analyses.escalations();
    // The index of links is made with the first question.
    if let Some(first) = analyses.estate.resources().first() {
        let _ = analyses.estate.selecting(first, "NetworkPolicy");
    }
}

/// What a trace says of a review: what it is about by kind and by count, never by name. Its uid leads to the audit event.
fn describe(span: &mut Open, review: &Review<'_>, decision: &Decision) {
    // Whoever defines a kind chooses its name.
    let is_builtin = model::kinds::is_builtin(&review.kind.group, &review.kind.kind);
    let kind = if is_builtin {
        &*review.kind.kind
    } else {
        "other"
    };
    span.say("k8s.kind", kind);
    span.say("k8s.request.operation", review.operation.word());
    span.say("k8s.request.uid", &*review.uid);
    span.say("k8s.request.dry_run", review.dry_run);
    span.say("seawall.findings", decision.said.len());
    span.say("seawall.not_asked", decision.not_asked.len());
}

fn parse(body: &[u8]) -> Result<Review<'_>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    Review::parse(text).map_err(|error| error.to_string())
}

/// The ISO date, UTC.
fn day(now: &Timestamp) -> String {
    now.strftime("%Y-%m-%d").to_string()
}

const fn became(why: Why) -> &'static str {
    match why {
        Why::Refused => "refused",
        Why::Warned => "warned",
        Why::WouldBeRefused => "would-be-refused",
        Why::WasSoBefore => "was-so-before",
        Why::RestsOnOthers => "rests-on-others",
        Why::Waived => "waived",
    }
}
