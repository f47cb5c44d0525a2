//! Audit logs in Blob storage: read once, or followed while they grow.
//!
//! A blob of an hour is an append blob that Azure Monitor adds lines to. It is read from where it was read to up to the
//! length that a list tells, a range at a time, so memory does not grow with it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::Source;
use audit::follow::{Growing, Known, Part};
use audit::input::{Far, is_log};
use jiff::{SignedDuration, Timestamp};
use sources::azure::SignIn;
use sources::blob::{Blobs, Hours, Listed, Span};
use sources::post::Untold;

use super::pieces::Pieces;
use super::{Clock, said};

/// One range.
const RANGE: u64 = 4 << 20;
/// Blobs of hours this old still grow: Azure Monitor writes what it has when it has it.
const OPEN: SignedDuration = SignedDuration::from_hours(3);
/// Of these it is looked too, from time to time.
const LATE: SignedDuration = SignedDuration::from_hours(26);
/// How often.
const LOOK_BACK: Duration = Duration::from_secs(1800);

/// The blobs of a container that hold what happened in a span, to be read once.
///
/// # Errors
/// When the address is none, or storage does not answer as it should.
pub(super) fn sources(url: &str, sign_in: &SignIn, span: Span) -> Result<Vec<Source>, Untold> {
    let blobs = Blobs::to_read(url, sign_in).map_err(Untold::never)?;
    let listed = Hours::default().list(&blobs, span)?;
    let blobs = Arc::new(blobs);
    let logs = listed.into_iter().filter(|one| is_log(last(&one.name)));
    let far = logs.map(|one| {
        Source::Far(Arc::new(Blob {
            blobs: Arc::clone(&blobs),
            name: format!("{}/{}", url.trim_end_matches('/'), one.name),
            blob: one,
        }))
    });
    Ok(far.collect())
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// One blob.
#[derive(Debug)]
struct Blob {
    blobs: Arc<Blobs>,
    name: String,
    blob: Listed,
}

impl Far for Blob {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let (blobs, blob) = (Arc::clone(&self.blobs), self.blob.clone());
        Pieces::reader(move |send| {
            let mut at = 0;
            // What is added meanwhile is of the next time.
            while at < blob.length {
                let most = RANGE.min(blob.length - at);
                let range = blobs.part(&blob.name, at, most);
                let ended = range.as_ref().map_or(true, Vec::is_empty);
                at += range.as_ref().map_or(0, |bytes| bytes.len() as u64);
                let range = range.map_err(|untold| said(&untold));
                if send.send(range).is_err() || ended {
                    return;
                }
            }
        })
    }
}

/// A container that is followed.
pub(super) struct Container {
    blobs: Blobs,
    hours: Hours,
    /// From when on everything is listed the first time.
    since: Option<Timestamp>,
    /// All of that was read.
    begun: bool,
    /// When it was last looked further back, and whether it is now.
    back: Instant,
    wide: bool,
    clock: Clock,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("blobs", &self.blobs)
            .finish_non_exhaustive()
    }
}

impl Container {
    /// Of an address; from some time on, where one is given.
    ///
    /// # Errors
    /// When it is no address, or nobody can sign in in that way.
    pub(super) fn new(
        url: &str,
        sign_in: &SignIn,
        since: Option<Timestamp>,
        clock: Clock,
    ) -> Result<Self, String> {
        Ok(Self {
            blobs: Blobs::to_read(url, sign_in)?,
            hours: Hours::default(),
            since,
            begun: false,
            back: Instant::now(),
            wide: false,
            clock,
        })
    }
}

impl Growing for Container {
    fn parts(&mut self) -> Result<Vec<Part>, String> {
        let now = (self.clock)();
        let ago = |duration| now.checked_sub(duration).unwrap_or(now);
        let since = if !self.begun {
            self.since
        } else if self.back.elapsed() >= LOOK_BACK {
            self.wide = true;
            Some(ago(LATE)).max(self.since)
        } else {
            Some(ago(OPEN)).max(self.since)
        };
        let span = Span { since, until: None };
        let listed = self
            .hours
            .list(&self.blobs, span)
            .map_err(|untold| said(&untold))?;
        let logs = listed.into_iter().filter(|one| is_log(last(&one.name)));
        let parts = logs.map(|one| Part {
            id: one.name.clone(),
            name: one.name,
            length: one.length,
            grows_only: one.appended,
            ..Part::default()
        });
        Ok(parts.collect())
    }

    fn read(&mut self, part: &Part, from: u64, most: u64) -> Result<Vec<u8>, String> {
        self.blobs
            .part(&part.name, from, most)
            .map_err(|untold| said(&untold))
    }

    fn caught_up(&mut self) {
        self.begun = true;
        if std::mem::take(&mut self.wide) {
            self.back = Instant::now();
        }
    }

    fn resume(&mut self, _: &[Known], at: i64, caught_up: bool) {
        if !caught_up {
            return;
        }
        // A day and more before it, for what came late.
        let at = Timestamp::from_microsecond(at).ok();
        let from = at.and_then(|at| at.checked_sub(LATE).ok());
        self.since = self.since.max(from);
    }
}
