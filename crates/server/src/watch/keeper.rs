//! What is done with what stands, by one replica: reports in the cluster, alerts, posture history.
//!
//! What it deliberately leaves out: findings that are not as of a pass yet are reported all the same; only before the
//! first pass nothing is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::guide::Guide;
use serde_json::json;
use sources::cluster::Writer;

use super::alerts::{Alerting, is_grave};
use super::history::{self, History, Place, Posture};
use super::lease::{Election, Lease};
use super::reports::Reports;
use super::trouble::{Trouble, Why};
use super::{Level, Options, Shared, rest};

/// What is kept, and by whom.
#[derive(Debug, Clone, Default)]
pub struct Keeping {
    /// With several replicas, the Lease whose holder keeps.
    pub election: Option<Election>,
    /// Write reports into the cluster.
    pub reports: bool,
    /// Who is told of new grave findings.
    pub alerts: Vec<Alerting>,
    /// Where the posture history is.
    pub history: Option<Place>,
}

/// How often it is looked what there is to do.
const EVERY: Duration = Duration::from_secs(1);
/// Reports are written no more often.
const REPORTS_EVERY: Duration = Duration::from_secs(10);

/// Keeps until it is time to stop.
pub(super) fn keep(guide: &Guide, options: &Options, shared: &Shared, stop: &AtomicBool) {
    let keeping = &options.keeping;
    let mut keeper = Keeper {
        guide,
        options,
        shared,
        writer: None,
        lease: keeping.election.clone().map(Lease::new),
        kept: false,
        reports: Reports::default(),
        reported: None,
        version: 0,
        history: keeping.history.as_ref().map(History::new),
        troubles: Troubles {
            lease: Trouble::new("the Lease cannot be held"),
            reports: Trouble::new("reports cannot be written"),
            history: Trouble::new(history::UNWRITTEN),
        },
    };
    while !stop.load(Ordering::Relaxed) {
        keeper.turn();
        rest(EVERY, stop);
    }
    if let (Some(lease), Some(writer)) = (&mut keeper.lease, &keeper.writer) {
        lease.release(writer);
    }
}

struct Keeper<'k> {
    guide: &'k Guide,
    options: &'k Options,
    shared: &'k Shared,
    writer: Option<Writer>,
    lease: Option<Lease>,
    /// Whether it kept at the last turn.
    kept: bool,
    reports: Reports,
    /// When and as of which version they were written.
    reported: Option<(Instant, u64)>,
    /// As of which version what stands was looked at.
    version: u64,
    history: Option<History>,
    troubles: Troubles,
}

struct Troubles {
    lease: Trouble,
    reports: Trouble,
    history: Trouble,
}

impl Keeper<'_> {
    fn turn(&mut self) {
        let figures = &self.shared.kept;
        let keeps = self.keeps();
        figures.keeps.store(keeps, Ordering::Relaxed);
        if keeps && !self.kept {
            (self.options.log)(Level::Info, "keeping reports and alerts", json!({}));
            self.reports.forget();
            self.reported = None;
            // Another may have noted much since.
            if let Some(history) = &mut self.history {
                history.forget();
            }
        }
        self.kept = keeps;
        if !self.shared.is_ready() {
            return;
        }
        let version = self.shared.version();
        if version != self.version {
            self.version = version;
            self.note(keeps);
        }
        if keeps {
            self.write_reports(version);
        }
    }

    /// Whether this replica keeps.
    fn keeps(&mut self) -> bool {
        let reports = self.options.keeping.reports;
        if self.writer.is_none() && (self.lease.is_some() || reports) {
            match Writer::connect(&self.options.cluster) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => tell(&mut self.troubles.lease, self.options, Some(error.message)),
            }
        }
        let Some(lease) = &mut self.lease else {
            return true;
        };
        let Some(writer) = &self.writer else {
            return false;
        };
        let held = lease.hold(writer, (self.options.clock)());
        let is_held = lease.is_held();
        let why = held.err().map(|refused| refused.message);
        tell(&mut self.troubles.lease, self.options, why);
        is_held
    }

    /// Takes note of what stands.
    fn note(&mut self, keeps: bool) {
        let lasts = self.options.keeping.election.as_ref();
        let since = lasts.map_or(Duration::ZERO, |election| election.lasts * 4);
        let receivers = self.options.keeping.alerts.iter();
        for (alerting, alerts) in receivers.zip(&self.shared.kept.alerts) {
            let floor = alerting.floor;
            let grave = self.shared.findings_of_some(
                |_, head| head.fails && head.severity >= floor,
                |one| is_grave(one, floor),
            );
            super::locked(alerts).note(&grave, self.guide, (keeps, since));
        }
        if keeps && let Some(history) = &mut self.history {
            let now = (self.options.clock)();
            let posture = Posture::of(&self.shared.stand(), self.guide, now);
            let noted = history.note(posture, &self.shared.archive);
            if noted.is_err() {
                let errors = &self.shared.kept.history_errors;
                errors.fetch_add(1, Ordering::Relaxed);
                // It is tried again.
                self.version = 0;
            }
            let why = noted.err().map(|error| error.to_string());
            tell(&mut self.troubles.history, self.options, why);
        }
    }

    fn write_reports(&mut self, version: u64) {
        let due = self
            .reported
            .is_none_or(|(at, written)| written != version && at.elapsed() >= REPORTS_EVERY);
        let Some(writer) = self
            .writer
            .as_ref()
            .filter(|_| self.options.keeping.reports && due)
        else {
            return;
        };
        let written = self.reports.write(writer, self.shared, self.guide);
        // What was refused is tried again, no sooner than anything else.
        let as_of = if written.is_ok() { version } else { 0 };
        self.reported = Some((Instant::now(), as_of));
        let writes = &self.shared.kept.report_writes;
        writes.store(self.reports.writes, Ordering::Relaxed);
        let why = written.err().map(|refused| {
            if refused.is_absent() {
                "the cluster does not serve PolicyReport (wgpolicyk8s.io/v1alpha2): install its \
                 definition, or serve without reports"
                    .to_owned()
            } else {
                refused.message
            }
        });
        tell(&mut self.troubles.reports, self.options, why);
    }
}

fn tell(trouble: &mut Trouble, options: &Options, why: Option<String>) {
    trouble.tell(&options.log, why.map(Why::from), json!({}), json!({}));
}
