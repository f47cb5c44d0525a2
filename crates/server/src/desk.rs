//! The dashboard: what the watch knows, for people with a browser.
//!
//! ```text
//! door (TLS, bounds) ─▶ sign-in: token ─ TokenReview ─▶ session (a signed cookie)
//!        └────────────▶ session ─▶ sight: what may they see (SubjectAccessReview) ─▶ pages
//! ```
//!
//! Pages are made on the server, complete without the script, and load nothing from elsewhere. Nothing here changes
//! anything in the cluster. People see findings in the namespaces where they may list pods; whoever may list the pods
//! of all namespaces sees everything.
//!
//! A session belongs to no replica: it is a cookie that all replicas sign with one key ([`Key::of`]), so nothing is
//! lost when one goes. Who signs out is forgotten by the browser, and refused by the replica that heard of it.
//!
//! What it deliberately leaves out: knowing what stands (`watch` does), judging, and writing.

mod decisions;
mod door;
mod issuer;
mod latest;
mod network;
mod pages;
mod powers;
mod request;
mod rights;
mod route;
mod session;
mod sight;
mod ways;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ::guide::Guide;
use jiff::Timestamp;
use model::finding::Finding;
use sources::cluster::Writer;

use crate::configuration::Configuration;
use crate::metrics::Metrics;
use crate::watch::history::{self, Posture};
use crate::watch::{Picture, Shared};

use self::decisions::Decisions;
use self::issuer::Relying;
use self::latest::Latest;
use self::rights::Rights;
use self::session::SignedOut;
use self::ways::Ways;

pub use self::door::{Limits, serve};
pub use self::issuer::Issuer;
pub use self::session::Key;

/// What the dashboard needs.
pub struct Options {
    /// The guide.
    pub guide: Arc<Guide>,
    /// What the watch knows.
    pub shared: Arc<Shared>,
    /// What is accepted.
    pub config: Arc<Configuration>,
    /// Who asks the API server whom a token belongs to, and what they may see. It needs to `create`
    /// `tokenreviews.authentication.k8s.io` and `subjectaccessreviews.authorization.k8s.io`: the ClusterRole
    /// `system:auth-delegator`.
    pub writer: Arc<Writer>,
    /// The folder of the posture history.
    pub history: Option<PathBuf>,
    /// Where people sign in besides the cluster.
    pub issuer: Option<Issuer>,
    /// Signs sessions.
    pub key: Key,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// The dashboard. What asks for it has threads of its own, so it must end outside of asynchronous code: whoever
/// serves it keeps it until that has ended.
pub struct Desk {
    options: Options,
    rights: Rights,
    relying: Option<Relying>,
    signed_out: SignedOut,
    findings: Mutex<Option<(Instant, Weak<Listed>)>>,
    history: Kept<Posture>,
    /// Graphs of a large estate take memory: one is made at a time.
    turn: Arc<Mutex<()>>,
    ways: Latest<(), Ways>,
    decisions: Latest<decisions::Limits, Decisions>,
}

/// Findings in the order in which they are shown.
type Listed = Vec<Arc<Finding>>;

/// A list that serves for a while, and since when it does.
type Kept<T> = Mutex<Option<(Instant, Arc<[T]>)>>;

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// How long a list of all findings serves: making it costs time that grows with them.
const FRESH: Duration = Duration::from_secs(1);

/// How long what was read of the history serves.
const REMEMBERED: Duration = Duration::from_secs(10);

const SIGN_INS: &str = "seawall_dashboard_sign_ins_total";
const REFUSED: &str = "seawall_dashboard_refused_total";
const PAGES: &str = "seawall_dashboard_pages_total";

impl Desk {
    /// Nothing is asked of anybody yet.
    ///
    /// # Errors
    /// When the issuer is not well described.
    pub fn new(options: Options) -> Result<Arc<Self>, String> {
        let metrics = &options.metrics;
        metrics.counter(SIGN_INS, "Attempts to sign in to the dashboard, by result.");
        metrics.counter(
            REFUSED,
            "Requests and connections that the dashboard refused.",
        );
        metrics.counter(PAGES, "Pages of the dashboard that were shown.");
        let relying = options.issuer.clone().map(Relying::new).transpose()?;
        Ok(Arc::new(Self {
            relying,
            rights: Rights::new(Arc::clone(&options.writer)),
            signed_out: SignedOut::default(),
            findings: Mutex::default(),
            history: Mutex::default(),
            turn: Arc::default(),
            ways: Latest::default(),
            decisions: Latest::default(),
            options,
        }))
    }

    fn now(&self) -> i64 {
        (self.options.clock)().as_second()
    }

    fn refused(&self, why: &str) {
        self.options.metrics.count(REFUSED, &[("why", why)]);
    }

    /// How things stood, the oldest first; nothing where it is not kept or cannot be read.
    fn history(&self) -> Arc<[Posture]> {
        // The watch reads what is in storage.
        if let Some(past) = self.options.shared.past() {
            return past;
        }
        let mut kept = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, history)) = &*kept
            && at.elapsed() < REMEMBERED
        {
            return Arc::clone(history);
        }
        let folder = self.options.history.as_deref();
        let history = folder.and_then(|folder| history::read(folder).ok());
        let history: Arc<[Posture]> = history.unwrap_or_default().into();
        *kept = Some((Instant::now(), Arc::clone(&history)));
        history
    }

    /// The ways of attackers; nothing while the first are being looked for.
    fn ways(&self, picture: &Arc<Picture>) -> Option<Arc<Ways>> {
        let options = &self.options;
        let (guide, config) = (Arc::clone(&options.guide), options.config.now());
        let (own, turn) = (Arc::clone(picture), Arc::clone(&self.turn));
        self.ways.ask(&(), picture.number, move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            ways::look(&guide, &config, &own)
        })
    }

    /// Those that were found before, if any.
    fn known_ways(&self) -> Option<Arc<Ways>> {
        self.ways.known(&())
    }

    /// What to do about them within limits; nothing while the first answer is being looked for.
    fn decisions(
        &self,
        picture: &Arc<Picture>,
        limits: decisions::Limits,
    ) -> Option<Arc<Decisions>> {
        let options = &self.options;
        let (guide, config) = (Arc::clone(&options.guide), options.config.now());
        let (own, turn) = (Arc::clone(picture), Arc::clone(&self.turn));
        self.decisions.ask(&limits, picture.number, move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            decisions::look(&guide, &config, &own, limits)
        })
    }

    /// Everything that stands, the worst first. It is kept for requests that come at once, and gone with the last of
    /// them: written out, findings take memory.
    fn findings(&self) -> Arc<Listed> {
        let mut kept = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, findings)) = &*kept
            && at.elapsed() < FRESH
            && let Some(findings) = findings.upgrade()
        {
            return findings;
        }
        let mut findings: Vec<Arc<Finding>> = Vec::new();
        let shared = &self.options.shared;
        shared.give(|finding| findings.push(Arc::new(finding)));
        findings.sort_by(|one, other| rank(one).cmp(&rank(other)));
        let findings = Arc::new(findings);
        *kept = Some((Instant::now(), Arc::downgrade(&findings)));
        findings
    }
}

/// The order in which findings are shown.
type Rank<'f> = (
    bool,
    bool,
    std::cmp::Reverse<model::Severity>,
    &'f str,
    Option<&'f str>,
    &'f str,
    model::finding::Fingerprint,
);

fn rank(finding: &Finding) -> Rank<'_> {
    (
        !finding.counts(),
        finding.outcome != model::finding::Outcome::Fail,
        std::cmp::Reverse(finding.severity),
        &finding.guideline.0,
        finding.resource.namespace.as_deref(),
        &finding.resource.name,
        finding.fingerprint,
    )
}
