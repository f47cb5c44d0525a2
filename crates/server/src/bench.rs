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
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use analysis::paths::Wishes;
use analysis::{Analyses, Holdings};
use guide::{Guide, Guideline, setting};
use jiff::Timestamp;
use model::managed::Managed;
use model::{Estate, Resource};
use report::config::Config;
use report::triage::Triage;

use crate::admission::{Answer, Decision, Gate, Review, Rules, Ways, Why, unjudged};
use crate::configuration::Configuration;
use crate::docket::{Case, Docket, Judged};
use crate::metrics::Metrics;
use crate::trace::Open;

/// A picture of the cluster.
pub trait Picture: Send + Sync {
    /// What it holds.
    fn estate(&self) -> &Estate;
    /// When the last of it was read.
    fn at(&self) -> Timestamp;
    /// What subjects hold, where that is known already.
    fn holdings(&self) -> Option<Arc<Holdings>> {
        None
    }
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

    fn holdings(&self) -> Option<Arc<Holdings>> {
        self.holdings.clone()
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

/// Which guidelines are asked, by what the configuration says.
pub type Select = Arc<dyn Fn(&Config, &Guideline) -> bool + Send + Sync>;

/// What judges go by.
#[derive(Clone)]
pub struct Law {
    /// The guide.
    pub guide: Arc<Guide>,
    /// `seawall.yaml`.
    pub config: Arc<Configuration>,
    /// The Kubernetes minor judged against; none: what `seawall.yaml` says, else the newest known.
    pub kubernetes_minor: Option<u8>,
    /// Which guidelines are asked.
    pub select: Select,
    /// Everything is let in.
    pub dry_run: bool,
}

impl Law {
    /// What verdicts of a day depend on besides the estate.
    ///
    /// # Errors
    /// When the configuration's parameters cannot be read.
    pub fn setting(&self, config: &Config, day: &str) -> Result<guide::Setting, String> {
        let guide = &*self.guide;
        let minor = self.kubernetes_minor.or(config.kubernetes);
        let mut setting = setting::setting(guide, config.params.as_deref(), minor)?;
        setting.severities.clone_from(&config.severities);
        setting.aks = setting::aks_versions(guide, Some(day));
        setting.today = setting::midnight(day);
        Ok(setting)
    }
}

/// What judges sit for: when it is another, others sit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    day: String,
    configuration: u64,
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
        let mut last: Option<(Order, Option<usize>)> = None;
        let mut begun = Instant::now();
        let mut ready: Option<thread::JoinHandle<()>> = None;
        let mut benches = Vec::new();
        while !self.docket.is_closed() {
            let picture = self.beside.latest();
            if let Some(picture) = &picture {
                let age = (self.clock)().duration_since(picture.at()).as_secs_f64();
                self.metrics.set("seawall_estate_age_seconds", &[], age);
            }
            let order = Order {
                day: day(&(self.clock)()),
                configuration: self.law.config.number(),
            };
            let known = picture
                .as_ref()
                .map(|picture| Arc::as_ptr(picture).cast::<()>().addr());
            let now = (order, known);
            let due = match &last {
                None => true,
                // A first picture, a new day or another configuration, at once.
                Some(last) if last.0 != now.0 || last.1.is_none() != now.1.is_none() => true,
                Some(last) => *last != now && begun.elapsed() > self.refresh,
            };
            // One after the other: whoever is not sitting yet has all the time that the machine has to spare.
            let busy = self.docket.sitting() != sitting
                && ready.as_ref().is_some_and(|ready| !ready.is_finished());
            if due && !busy {
                sitting += 1;
                begun = Instant::now();
                let config = self.law.config.now();
                let day = now.0.day.clone();
                let setting = self.law.setting(&config, &day)?;
                let bench = self.clone();
                let thread = thread::Builder::new()
                    .name(format!("bench {sitting}"))
                    .spawn(move || {
                        bench.sit(sitting, (&config, &day), &setting, picture.as_deref());
                    })
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

    fn sit(
        &self,
        sitting: u64,
        (config, day): (&Config, &str),
        setting: &guide::Setting,
        picture: Option<&dyn Picture>,
    ) {
        let guide = &*self.law.guide;
        let wishes = Wishes {
            cluster: config.cluster.clone(),
            jewels: config.jewels.clone(),
        };
        let ways = Ways::new(guide, setting, wishes, config.serve.ways);
        let gate = gate(&self.law, config, setting, day).looking_for(ways);
        let analyses = picture.map(|picture| {
            guide::facts::analyses(guide, setting, picture.estate())
                .with_holdings(picture.holdings())
        });
        if let Some(analyses) = &analyses {
            warm(analyses);
        }
        self.docket.sit(sitting);
        let seat = Seat {
            bench: self,
            gate: &gate,
            analyses: analyses.as_ref(),
            picture,
        };
        let (further, taken) = sync_channel(FURTHER);
        thread::scope(|scope| {
            for number in 0..self.judges.max(1) {
                let further = further.clone();
                let judge = move || seat.judge(sitting, &further);
                let named = thread::Builder::new().name(format!("judge {sitting}.{number}"));
                let _ = named.spawn_scoped(scope, judge);
            }
            // It ends when the last judge has left.
            drop(further);
            let named = thread::Builder::new().name(format!("ways {sitting}"));
            let _ = named.spawn_scoped(scope, move || seat.complete(&taken));
        });
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
        for way in &decision.completes {
            self.metrics
                .count("seawall_admission_completes_total", &[("jewel", way.kind)]);
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

/// What a judge sits with.
#[derive(Clone, Copy)]
struct Seat<'s> {
    bench: &'s Bench,
    gate: &'s Gate<'s>,
    analyses: Option<&'s Analyses<'s>>,
    picture: Option<&'s dyn Picture>,
}

/// What is handed on to whoever looks for ways of attackers.
type Further = (Case, Decision);

/// How many cases wait for that.
const FURTHER: usize = 64;

/// What a judge has to say.
enum Heard {
    Judged(Judged),
    /// It is to be looked for ways too.
    Further(Decision),
}

impl Seat<'_> {
    /// Hears cases until others sit.
    fn judge(self, sitting: u64, further: &SyncSender<Further>) {
        while let Some(case) = self.bench.docket.take(sitting) {
            // Whoever waited has got an answer by now.
            if case.reply.is_closed() || Instant::now() >= case.deadline {
                continue;
            }
            // Nothing panics by design; but whatever does must not take the judge along.
            let parent = case.trace.as_ref();
            let mut span = parent.and_then(|parent| parent.begin("judge"));
            let heard = catch_unwind(AssertUnwindSafe(|| self.hear(&case, span.as_mut())));
            if heard.is_err() {
                span.iter_mut().for_each(Open::fail);
            }
            // Before the answer, so that it does not count the waiting for whoever takes it.
            drop(span);
            match heard {
                Ok(Heard::Judged(judged)) => drop(case.reply.send(judged)),
                Ok(Heard::Further(decision)) => {
                    // A judge does not wait for that.
                    if let Err(
                        TrySendError::Full((case, mut decision))
                        | TrySendError::Disconnected((case, mut decision)),
                    ) = further.try_send((case, decision))
                    {
                        decision.not_completed();
                        self.answer(case, &decision);
                    }
                }
                Err(_) => {
                    let failed = self.failed(&case);
                    drop(case.reply.send(failed));
                }
            }
        }
    }

    /// Looks for ways in one case after the other.
    fn complete(self, taken: &Receiver<Further>) {
        for (case, mut decision) in taken {
            if case.reply.is_closed() {
                continue;
            }
            let late = |more: Duration| Instant::now() + more >= case.deadline;
            let looked = catch_unwind(AssertUnwindSafe(|| {
                if let (Ok(review), Some(beside)) = (parse(&case.body), self.analyses) {
                    self.gate.complete(&review, beside, &late, &mut decision);
                }
            }));
            if looked.is_err() {
                decision.not_completed();
            }
            if let Some(ways) = self.gate.ways() {
                let took = ways.took().as_secs_f64();
                let metrics = &self.bench.metrics;
                metrics.set("seawall_admission_ways_seconds", &[], took);
            }
            self.answer(case, &decision);
        }
    }

    fn hear(&self, case: &Case, span: Option<&mut Open>) -> Heard {
        let review = match parse(&case.body) {
            Ok(review) => review,
            Err(why) => return Heard::Judged(Judged::Malformed(why)),
        };
        let namespace = self.bench.beside.namespace(&review.namespace);
        let late = |more: Duration| Instant::now() + more >= case.deadline;
        let (half, beside) = (case.half, self.analyses);
        let decision = self
            .gate
            .decide(&review, half, namespace.as_ref(), beside, &late);
        if let Some(span) = span {
            describe(span, &review, &decision);
        }
        // Of what is refused nothing comes.
        let further = decision.allowed
            && beside.is_some_and(|beside| self.gate.is_to_complete(&review, half, beside));
        if further {
            return Heard::Further(decision);
        }
        self.bench.note(&decision);
        let answer = Answer::of(&decision, self.age());
        Heard::Judged(Judged::Answer(review.uid.as_ref().into(), answer))
    }

    /// Says what was decided.
    fn answer(&self, case: Case, decision: &Decision) {
        self.bench.note(decision);
        let judged = match parse(&case.body) {
            Ok(review) => {
                let answer = Answer::of(decision, self.age());
                Judged::Answer(review.uid.as_ref().into(), answer)
            }
            Err(why) => Judged::Malformed(why),
        };
        let _ = case.reply.send(judged);
    }

    fn age(&self) -> Option<Duration> {
        let picture = self.picture?;
        let age = (self.bench.clock)().duration_since(picture.at());
        Some(Duration::try_from(age).unwrap_or_default())
    }

    fn failed(&self, case: &Case) -> Judged {
        self.bench
            .metrics
            .count("seawall_admission_unjudged_total", &[("why", "failed")]);
        match parse(&case.body) {
            Ok(review) => {
                let answer = unjudged(!self.gate.fails_closed(case.half), "judging failed");
                Judged::Answer(review.uid.as_ref().into(), answer)
            }
            Err(why) => Judged::Malformed(why),
        }
    }
}

/// The gate of a day.
#[must_use]
pub fn gate<'g>(law: &'g Law, config: &Config, setting: &'g guide::Setting, day: &str) -> Gate<'g> {
    let rules = Rules {
        serve: config.serve.clone(),
        dry_run: law.dry_run,
    };
    let managed = law
        .guide
        .data
        .get("provider-managed.yaml")
        .and_then(|text| guide::front_matter::read(text, 1).ok())
        .map_or_else(Managed::default, |doc| Managed::from_data(doc.root()));
    let triage = Triage::new(config, day);
    Gate::new(&law.guide, setting, rules, triage, managed, |guideline| {
        (law.select)(config, guideline)
    })
}

/// Makes what most reviews need and what takes long, before anybody waits for it.
fn warm(analyses: &Analyses<'_>) {
    if analyses.known_holdings().is_none() {
        let _ = analyses.escalations();
    }
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
