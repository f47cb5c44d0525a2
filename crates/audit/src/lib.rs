//! Audit logs of Kubernetes clusters: read wherever they are kept, however they are cut, and learned from.
//!
//! - [`input`] finds the files, [`read()`] hands on every record of them to states that merge ([`Fold`]), with
//!   whatever was lost on the way ([`Losses`]);
//! - [`Event`] is a record: what it says and how much of it was there;
//! - [`Request`] is what the authorizer was asked;
//! - [`detect`] asks the guide's detections about every event;
//! - [`kept`] is what must be kept of a record to say the same later;
//! - [`kql`] writes detections as queries for Log Analytics and Azure Data Explorer;
//! - [`learn`] is what everybody used, and the least roles for it;
//! - [`follow`] asks detections while logs grow, and notes how far it came.
//!
//! What is left out: clusters and Azure (nothing here reaches a network), reports, and the clock.

mod activity;
mod blocks;
mod chunks;
mod cri;
mod csv;
pub mod detect;
mod event;
pub mod follow;
pub mod guard;
mod hash;
pub mod input;
pub mod kept;
pub mod kql;
pub mod learn;
mod losses;
mod read;
mod record;
mod request;
mod scan;
mod seen;
mod table;
pub mod time;
mod wire;
mod within;

pub use event::{DECISION, Event, Field, Json, ObjectRef, REASON, Response, Text, User};
pub use input::Source;
pub use kept::Kept;
pub use losses::{Gap, Losses};
pub use read::{Fold, Options, ReadError, Record, What, read};
pub use record::Envelope;
pub use request::{Asked, Object, Request};
pub use within::{Span, Within};

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// the number of the file among those that were given
    pub file: usize,
    /// its line, from one; zero where nobody knows
    pub line: u64,
}
