//! The guide: loads, compiles and tests guidelines; judges resources; exports policies.
//!
//! What it deliberately leaves out: reading files, the clock, and any knowledge of a single
//! guideline. Code that knows a guideline's id is a bug.
//!
//! ```text
//! guide/**.md ──markdown, front_matter──▶ catalogue (Guide)
//! resource + estate ──context (CEL variables, facts)──▶ judge ──place──▶ findings
//! ```

pub mod admission;
pub mod ages;
pub mod answers;
pub mod beside;
mod cases;
pub mod catalogue;
pub mod complete;
mod context;
pub mod detection;
pub mod edges;
pub mod examples;
pub mod export;
pub mod facts;
pub mod fix;
pub mod front_matter;
pub mod guideline;
pub mod judge;
mod keep;
pub mod markdown;
pub mod measures;
pub mod message;
pub mod mutation;
pub mod odds;
pub mod options;
mod place;
pub mod prices;
pub mod remedy;
pub mod renewals;
pub mod setting;
pub mod tables;
pub mod unjudged;
mod unread;
mod variables;

mod builtin {
    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

pub use catalogue::{Guide, Pages, parse_minor};
pub use detection::Detection;
pub use front_matter::GuideError;
pub use guideline::Guideline;
pub use judge::{Failing, Judge, Judged, Setting, VerdictWord};
