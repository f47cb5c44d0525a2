//! Audit logs that are read or followed where somebody else keeps them, and where it is noted how far they were read.
//!
//! A source is a path, a container of Blob storage ([`blobs`]), or an Event Hub ([`hub`]). What it deliberately leaves out:
//! reading records and asking detections (`audit` does), and talking to storage and hubs (`sources`).

mod blobs;
mod checkpoint;
mod hub;
mod pieces;
mod watch;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use audit::Source;
use audit::follow::{Files, Growing};
use jiff::Timestamp;
use sources::blob::Span;
use sources::eventhub::{Access, SCHEME};
use sources::post::Untold;

pub use checkpoint::{Checkpoints, Written};
pub(crate) use watch::follow;
pub use watch::{Figures, Following, Trail};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Between two looks at files, at storage, and at a hub, which waits for messages itself.
const FILES: Duration = Duration::from_secs(2);
const STORAGE: Duration = Duration::from_secs(15);
const HUB: Duration = Duration::from_secs(2);

/// Whether a source is an address and no path.
#[must_use]
pub fn is_url(text: &str) -> bool {
    is_hub(text) || text.starts_with("https://") || text.starts_with("http://")
}

/// Whether it is the address of an Event Hub.
#[must_use]
pub fn is_hub(text: &str) -> bool {
    text.starts_with(SCHEME)
}

/// How often it is looked for more in a source, unless somebody says otherwise.
#[must_use]
pub fn pace(source: &str) -> Duration {
    if is_hub(source) {
        HUB
    } else if is_url(source) {
        STORAGE
    } else {
        FILES
    }
}

/// What an address holds of a span, to be read once.
///
/// # Errors
/// When the address is none, or nobody answers there as they should.
pub fn sources(url: &str, access: &Access, span: Span) -> Result<Vec<Source>, Untold> {
    if is_hub(url) {
        return hub::sources(url, access, span);
    }
    blobs::sources(url, &access.sign_in, span)
}

/// A source to be followed, from some time on where one is given. Nothing is read yet.
///
/// # Errors
/// When an address is none, or nobody can sign in in that way.
pub fn open(
    source: &str,
    access: &Access,
    since: Option<Timestamp>,
    clock: &Clock,
) -> Result<Box<dyn Growing>, String> {
    if is_hub(source) {
        return Ok(Box::new(hub::Partitions::new(source, access, since)?));
    }
    if is_url(source) {
        let container = blobs::Container::new(source, &access.sign_in, since, Arc::clone(clock))?;
        return Ok(Box::new(container));
    }
    Ok(Box::new(Files::new(vec![source.into()])))
}

fn said(untold: &Untold) -> String {
    match untold.help {
        Some(help) => format!("{}: {help}", untold.message),
        None => untold.message.clone(),
    }
}

/// True once the process is told to end (SIGTERM, SIGINT).
///
/// # Errors
/// When the system gives no threads or signals.
pub fn ended() -> io::Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let within = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    drop(within);
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            told.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(stop)
}
