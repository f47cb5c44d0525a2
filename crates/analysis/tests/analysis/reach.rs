//! Who can talk to whom, held against an evaluator that goes pair by pair and port by port, and
//! against upstream's own test cases.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "reach/brute.rs"]
mod brute;
#[path = "reach/corners.rs"]
mod corners;
#[path = "reach/estate.rs"]
mod estate;
#[path = "reach/random.rs"]
pub(crate) mod random;
#[path = "reach/upstream.rs"]
mod upstream;
#[path = "reach/ways.rs"]
mod ways;
