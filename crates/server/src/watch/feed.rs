//! What is heard: the cluster, however often it has to be reached anew, and Azure from time to time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use serde_json::json;
use sources::cluster::Cluster;
use sources::live::{Change, LiveError, Source as _};

use super::held::Teller;
use super::{Level, Opening, Options, Shared, TICK, rest};
use crate::trace::Kind;

/// What the listening thread is told.
pub(super) enum Heard {
    /// A source tells everything from now on.
    Begin {
        from: Teller,
        name: String,
        minor: Option<u8>,
    },
    Change(Teller, Change),
}

impl Heard {
    /// Whether the cluster is told anew from here on.
    pub(super) const fn begins(&self) -> bool {
        matches!(
            self,
            Self::Begin {
                from: Teller::Cluster,
                ..
            }
        )
    }
}

/// Hands on what the cluster tells, however often it has to be reached anew.
pub(super) fn stream(
    options: &Options,
    shared: &Shared,
    told: &SyncSender<Heard>,
    stop: &AtomicBool,
    again: &AtomicBool,
) {
    let mut failed: u32 = 0;
    loop {
        again.store(false, Ordering::Relaxed);
        // In this order: whoever stops says so before that.
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let send = |heard| told.send(heard).map_err(|_| LiveError::stopped());
        let watched = (|| {
            let mut cluster = Cluster::new(options.cluster.clone())?;
            let minor = cluster.kubernetes_minor()?;
            failed = 0;
            shared.figures.unreachable.store(false, Ordering::Relaxed);
            send(Heard::Begin {
                from: Teller::Cluster,
                name: cluster.name(),
                minor,
            })?;
            cluster.watch(&options.pace, again, &mut |change| {
                send(Heard::Change(Teller::Cluster, change))
            })
        })();
        if let Err(error) = watched
            && !stop.load(Ordering::Relaxed)
        {
            failed += 1;
            shared.figures.unreachable.store(true, Ordering::Relaxed);
            (options.log)(
                Level::Error,
                "the cluster cannot be watched",
                json!({"why": error.message, "help": error.help, "attempt": failed}),
            );
            let pause = options.pace.first * 2_u32.pow(failed.min(16));
            rest(pause.min(options.pace.longest), stop);
        }
    }
}

/// Reads a source from time to time.
pub(super) fn poll(
    options: &Options,
    shared: &Shared,
    open: &Opening,
    told: &SyncSender<Heard>,
    stop: &AtomicBool,
) {
    // Whom bindings of the cluster name is asked of Entra.
    while !stop.load(Ordering::Relaxed) && !shared.live().held.is_caught_up(Teller::Cluster) {
        rest(TICK, stop);
    }
    let mut failed: u32 = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut span = options.tracer.begin("read Azure", Kind::Client, None);
        let mut told_of: usize = 0;
        let send = |heard| told.send(heard).map_err(|_| LiveError::stopped());
        let read = (|| {
            let mut source = open()?;
            send(Heard::Begin {
                from: Teller::Azure,
                name: source.name(),
                minor: None,
            })?;
            source.read(&mut |event| {
                if stop.load(Ordering::Relaxed) {
                    return Err(LiveError::stopped());
                }
                told_of += 1;
                send(Heard::Change(Teller::Azure, Change::Told(event)))
            })?;
            send(Heard::Change(Teller::Azure, Change::CaughtUp))
        })();
        if let Some(span) = &mut span {
            span.say("seawall.events", told_of);
            if read.is_err() {
                span.fail();
            }
        }
        drop(span);
        let pause = match read {
            Ok(()) => {
                failed = 0;
                options.azure_every
            }
            Err(error) => {
                failed += 1;
                (options.log)(
                    Level::Error,
                    "Azure cannot be read",
                    json!({"why": error.message, "help": error.help, "attempt": failed}),
                );
                let pause = Duration::from_secs(15) * 2_u32.pow(failed.min(10));
                pause.min(options.azure_every)
            }
        };
        // Replicas that began together do not ask together.
        rest(pause + pause.mul_f64(0.1 * chance()), stop);
    }
}

/// From 0 to 1.
fn chance() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    let number = RandomState::new().hash_one(Instant::now());
    (number % 1024) as f64 / 1024.0
}
