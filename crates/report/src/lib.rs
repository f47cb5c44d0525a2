//! Triage (configuration, waivers, baseline) and one module for each output format.
//!
//! Findings flow through once, in the order of the input: a sink keeps what its format needs
//! and no more, so that memory does not grow with the number of findings.
//!
//! [`decide`] says what to do about attack paths.
//!
//! What it deliberately leaves out: judging, and the clock (the day is passed in).

pub mod assessment;
pub mod calendar;
pub mod config;
pub mod csv;
pub mod decide;
pub mod detections;
pub mod diff;
pub mod edges;
pub mod enables;
pub mod explain;
mod groups;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod options;
mod outcome;
pub mod owners;
pub mod policyreport;
pub mod renewals;
pub mod rights;
pub mod sarif;
pub mod site;
mod spool;
pub mod terminal;
#[cfg(test)]
mod testing;
mod text;
pub mod triage;
mod unknowns;

pub use assessment::{Assessment, Counts, Sink, Summary};
pub use enables::Attack;
pub use outcome::place as ledger_place;
pub use text::{clean, count, hanging, shell_word, wrap};
