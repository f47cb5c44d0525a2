//! What live sources tell, against servers on loopback.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "sources/azure.rs"]
mod azure;
