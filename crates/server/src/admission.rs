//! What is answered to an API server that asks whether an object may be written.
//!
//! ```text
//! AdmissionReview ──review──▶ Review ──gate──▶ Decision ──answer──▶ AdmissionReview
//!                             bounded, parsed   judged, waivers,    refusals, warnings, audit
//!                                               modes by severity   annotations, cut to size
//! ```
//!
//! It reads no network and no clock, and an object is judged by the code that judges files and clusters. What it
//! deliberately leaves out: changing objects, and deletions, of which no guideline says anything.

mod answer;
mod completes;
mod gate;
mod opens;
mod owners;
mod review;

pub use answer::{Answer, unjudged};
pub use completes::{Completed, Ways};
pub use gate::{Decision, Gate, Half, Rules, Said, Why};
pub use review::{Malformed, Review};
