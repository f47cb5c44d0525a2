//! The crate as its users see it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod edit;
mod edit_far;
mod edit_random;
mod expressions;
mod given;
mod language;
mod mapping;
mod modules;
mod places;
mod plan;
mod posture;
mod robust;
mod table;
