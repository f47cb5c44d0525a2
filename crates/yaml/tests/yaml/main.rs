//! Tests of reading: against `sigs.k8s.io/yaml` itself, of streams, of JSON, of error texts,
//! and against bytes that nobody would write.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking; clippy.toml excepts test functions, not what they call"
)]

mod canonical;
mod differential;
mod edit;
mod generate;
mod json;
mod messages;
mod oracle;
mod robust;
mod spans;
mod streams;
mod template;
mod words;
