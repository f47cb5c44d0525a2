//! What is generated, against the programs that will read it and what Azure publishes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

mod accepted;
mod bad;
mod bicep;
mod cluster;
mod fixes;
mod made;
mod names;
mod terraform;
mod types;
