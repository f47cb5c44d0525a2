//! Everything that goes through the public interface: one binary.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "analysis/decide.rs"]
mod decide;
#[path = "analysis/estates.rs"]
mod estates;
#[path = "analysis/paths.rs"]
mod paths;
#[path = "analysis/rbac.rs"]
mod rbac;
#[path = "analysis/reach.rs"]
mod reach;
#[path = "analysis/roles.rs"]
mod roles;
