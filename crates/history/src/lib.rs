//! The history of audit logs: kept as Parquet, asked in SQL and by every detection, here or on a Ballista cluster.
//!
//! - [`Root`] is where a history lies: a folder, or a prefix of a container;
//! - [`compact()`] reads logs into it, [`commit`] makes what was written count, once;
//! - [`Session`] asks it: [`Session::query`] in SQL, [`Session::detect`] the guide's detections;
//! - [`cluster`] starts Ballista's scheduler and executor with what these need.
//!
//! The only crate that knows DataFusion, Parquet and Ballista. What it leaves out: how logs are read and what is a
//! break-in (`audit`), who may read storage (stores are given, see [`Stores`]), and everything printed but tables.

pub mod azure;
pub mod cluster;
pub mod commit;
mod compact;
mod copies;
mod error;
mod found;
mod log;
mod output;
mod part;
mod registry;
mod root;
mod rows;
mod session;
mod table;
mod write;

pub use compact::{Compacted, Plan, Skipped, compact};
pub use error::Error;
pub use found::Asking;
pub use log::{Blob, Log};
pub use output::Format;
pub use root::{Root, Stores};
pub use rows::columns;
pub use session::{Detected, Session, Where, Window};
