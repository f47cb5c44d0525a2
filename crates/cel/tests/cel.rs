//! Everything that goes through the public interface: one binary.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "cel/agreement.rs"]
mod agreement;
#[path = "cel/blame.rs"]
mod blame;
#[path = "cel/conformance.rs"]
mod conformance;
#[path = "cel/forms.rs"]
mod forms;
#[path = "cel/generate.rs"]
mod generate;
#[path = "cel/language.rs"]
mod language;
#[path = "cel/samples.rs"]
mod samples;
#[path = "cel/tree.rs"]
mod tree;
