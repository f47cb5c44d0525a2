//! What the API server's own ValidatingAdmissionPolicies say, against what seawall says: every
//! example of every guideline that can be exported, on a real server.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
#![expect(clippy::print_stdout, reason = "the counts are the test's report")]

#[path = "vap/alike.rs"]
mod alike;
#[path = "vap/beside.rs"]
mod beside;
#[path = "vap/choices.rs"]
mod choices;
#[path = "vap/cluster.rs"]
mod cluster;
#[path = "vap/examples.rs"]
mod examples;
#[path = "vap/exported.rs"]
mod exported;
#[path = "vap/fixtures.rs"]
mod fixtures;
#[path = "vap/forms.rs"]
mod forms;
#[path = "vap/gator.rs"]
mod gator;
#[path = "vap/mutated.rs"]
mod mutated;
#[path = "vap/mutating.rs"]
mod mutating;
#[path = "vap/said.rs"]
mod said;
