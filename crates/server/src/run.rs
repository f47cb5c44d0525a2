//! The webhook from its first certificate to its last answer.
//!
//! ```text
//! certificates ─ every ten seconds: the folder or the Secret ─▶ shown from now on; a configuration that became another
//!                ─▶ what API servers are told to send
//! bench        ─ judges that sit while the docket is open
//! door         ─ accepts until a signal and a little longer, so that API servers have heard that it goes
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::json;
use sources::cluster::Writer;

use crate::bench::{Bench, Law, gate};
use crate::configuration::Followed;
use crate::desk::{self, Desk};
use crate::http::{self, Door};
use crate::install;
use crate::metrics::Metrics;
use crate::secret::{self, Secret, SecretError};
use crate::tls::{CertificateError, Certificates, Shown, made};
use crate::trace::Tracer;

pub use crate::watch::{Level, Log};

/// Has this process use small pages of memory alone from now on. The allocator asks for huge ones, of which a process that
/// runs for long uses a part: with 20,000 objects 40 of 260 MB. Where the system knows no huge pages nothing happens.
pub fn keep_pages_small() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// Where the certificate is.
#[derive(Debug)]
pub enum Kept {
    /// `tls.crt` and `tls.key` in a folder; somebody else renews them.
    Folder(PathBuf),
    /// In a Secret, made and renewed here.
    Secret(Secret, Box<Writer>),
}

/// Why there is no webhook.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No Secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The port cannot be opened.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The system gives no threads, timers or signals.
    #[error("cannot start: {0}")]
    System(std::io::Error),
    /// The configuration cannot be used.
    #[error("{0}")]
    Configuration(String),
}

/// How often the certificate is looked at.
const LOOK: Duration = Duration::from_secs(10);

impl Kept {
    /// The certificate as it is now; from a Secret after the step that is due.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn now(&self, now: i64) -> Result<Shown, RunError> {
        match self {
            Self::Folder(folder) => Ok(Shown::of_folder(folder)?),
            Self::Secret(secret, writer) => {
                let kept = secret.look(writer, now)?;
                made::shown(&kept).ok_or(RunError::Certificate(CertificateError::Missing(
                    "certificate",
                )))
            }
        }
    }

    /// The same, again and again, until `stop`.
    fn keep(
        &self,
        certificates: &Certificates,
        law: &Law,
        (metrics, log): (&Metrics, &Log),
        now: &dyn Fn() -> i64,
        stop: &mpsc::Receiver<()>,
    ) {
        let name = "seawall_certificate_loads_total";
        let mut written = law.config.number();
        let mut trouble = None;
        while let Err(mpsc::RecvTimeoutError::Timeout) = stop.recv_timeout(LOOK) {
            match self.now(now()) {
                Ok(shown) => {
                    let until = shown.not_after;
                    if certificates.exchange(shown) {
                        metrics.count(name, &[("result", "taken")]);
                        let more = json!({ "notAfter": until });
                        log(Level::Info, "certificate exchanged", more);
                    }
                }
                // What is in use goes on.
                Err(error) => {
                    metrics.count(name, &[("result", "failed")]);
                    log(
                        Level::Error,
                        "certificate not renewed",
                        json!({ "why": error.to_string() }),
                    );
                }
            }
            let until = certificates.not_after() as f64;
            metrics.set("seawall_certificate_not_after_seconds", &[], until);
            // Each replica once, when its own configuration becomes another: so none writes what another overwrites.
            let number = law.config.number();
            if number != written {
                let renewed = self.renew(law, now());
                match &renewed {
                    Ok(true) => log(Level::Info, "webhook configuration renewed", json!({})),
                    Ok(false) => {}
                    Err(why) if trouble.as_ref() != Some(why) => {
                        let more = json!({ "why": why });
                        log(Level::Error, "webhook configuration not renewed", more);
                    }
                    Err(_) => {}
                }
                if renewed.is_ok() {
                    written = number;
                }
                trouble = renewed.err();
            }
        }
    }

    /// Brings the webhook configuration up to what is asked for now. Whether it was another. With a certificate from a
    /// folder nothing is written, `--install` is.
    fn renew(&self, law: &Law, now: i64) -> Result<bool, String> {
        let Self::Secret(secret, writer) = self else {
            return Ok(false);
        };
        let config = law.config.now();
        let day = jiff::Timestamp::from_second(now)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .strftime("%Y-%m-%d")
            .to_string();
        let setting = law.setting(&config, &day)?;
        let gate = gate(law, &config, &setting, &day);
        let exclude = install::excluded(&secret.namespace, &config);
        secret::change(writer, |there| {
            install::renew(there, &gate, exclude.clone())
        })
        .map_err(|error| error.to_string())
    }
}

/// What people see, at a port of its own.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Where.
    pub listen: SocketAddr,
    /// What is shown.
    pub desk: Arc<Desk>,
}

/// What is served.
#[derive(Debug)]
pub struct Serving {
    /// Where.
    pub listen: SocketAddr,
    /// The certificate.
    pub kept: Kept,
    /// Who judges.
    pub bench: Bench,
    /// The file of what they judge by, where there is one.
    pub followed: Option<Followed>,
    /// Bounds on what clients may do.
    pub limits: http::Limits,
    /// How long it goes on after a signal. Endpoints of a pod that ends are withdrawn a moment later.
    pub drain: Duration,
    /// The dashboard, with the same certificate.
    pub dashboard: Option<Dashboard>,
    /// Where spans go.
    pub tracer: Arc<Tracer>,
}

/// Serves until the process is told to end (SIGTERM, SIGINT). `told` hears the address once it is open.
///
/// # Errors
/// When it cannot begin.
pub fn run(
    serving: Serving,
    log: &Log,
    more: Option<http::More>,
    told: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    let Serving {
        listen,
        kept,
        bench,
        followed,
        limits,
        drain,
        // Kept here until the runtime has ended, as it asks for.
        dashboard,
        tracer,
    } = serving;
    let clock = Arc::clone(&bench.clock);
    let now = move || clock().as_second();
    let certificates = Certificates::new(kept.now(now())?);
    let until = certificates.not_after();
    let metrics = Arc::clone(&bench.metrics);
    metrics.set("seawall_certificate_not_after_seconds", &[], until as f64);
    let door = Arc::new(Door {
        docket: Arc::clone(&bench.docket),
        metrics: Arc::clone(&metrics),
        certificates: Arc::clone(&certificates),
        limits,
        dry_run: bench.law.dry_run,
        ending: AtomicBool::new(false),
        more,
        tracer,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(RunError::System)?;
    let docket = Arc::clone(&bench.docket);
    thread::scope(|scope| {
        let (end, ended) = mpsc::channel();
        let keeping = &kept;
        let shown = &certificates;
        let counted = &metrics;
        let law = &bench.law;
        scope.spawn(move || keeping.keep(shown, law, (counted, log), &now, &ended));
        let (unfollow, unfollowed) = mpsc::channel();
        if let Some(mut followed) = followed {
            scope.spawn(move || followed.keep(counted, log, &unfollowed));
        }
        let judging = scope.spawn(|| bench.keep());
        let shown = dashboard.clone();
        let served = runtime.block_on(until_told(listen, door, drain, log, told, shown));
        drop((end, unfollow));
        docket.close();
        let judged = judging.join();
        served?;
        match judged {
            Ok(Err(why)) => Err(RunError::Configuration(why)),
            _ => Ok(()),
        }
    })
}

async fn until_told(
    listen: SocketAddr,
    door: Arc<Door>,
    drain: Duration,
    log: &Log,
    told: impl FnOnce(SocketAddr),
    dashboard: Option<Dashboard>,
) -> Result<(), RunError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::System)?;
    let listener = http::listen(listen)
        .await
        .map_err(|error| RunError::Listen(listen, error))?;
    let address = listener.local_addr().map_err(RunError::System)?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    if let Some(Dashboard { listen, desk }) = dashboard {
        let listener = http::listen(listen)
            .await
            .map_err(|error| RunError::Listen(listen, error))?;
        let address = listener.local_addr().map_err(RunError::System)?;
        let more = json!({ "address": address.to_string() });
        log(Level::Info, "dashboard", more);
        let certificates = Arc::clone(&door.certificates);
        let limits = desk::Limits::default();
        let stopped = stop.subscribe();
        tokio::spawn(desk::serve(listener, desk, certificates, limits, stopped));
    }
    told(address);
    let serving = tokio::spawn(http::serve(listener, Arc::clone(&door), stopped));
    // Whoever interrupts it by hand does not wait.
    let drain = tokio::select! {
        _ = terminate.recv() => drain,
        _ = interrupt.recv() => Duration::ZERO,
    };
    door.ending.store(true, Ordering::Relaxed);
    let more = json!({ "drainSeconds": drain.as_secs() });
    log(Level::Info, "ending", more);
    tokio::time::sleep(drain).await;
    let _ = stop.send(true);
    match serving.await {
        Ok(served) => Ok(served?),
        Err(_) => Ok(()),
    }
}
