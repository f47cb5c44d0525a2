//! What live sources tell, against servers on loopback.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "sources/azure.rs"]
mod azure;
#[path = "sources/outage.rs"]
mod outage;
#[path = "sources/registry.rs"]
mod registry;
