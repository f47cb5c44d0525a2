//! Everything that goes through the public interface: one binary.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "bicep/arm.rs"]
mod arm;
#[path = "bicep/compile.rs"]
mod compile;
#[path = "bicep/disk.rs"]
mod disk;
#[path = "bicep/edit.rs"]
mod edit;
#[path = "bicep/syntax.rs"]
mod syntax;
