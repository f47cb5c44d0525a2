//! Audit logs that are followed: where they are, and where it is noted how far they were read.
//!
//! What it deliberately leaves out: reading records and asking detections (`audit` does), and talking to storage (`sources`).

mod blobs;
mod checkpoint;
mod watch;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub use blobs::{Container, is_url, sources};
pub use checkpoint::{Checkpoints, Written};
pub(crate) use watch::follow;
pub use watch::{Figures, Following, Trail};

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
