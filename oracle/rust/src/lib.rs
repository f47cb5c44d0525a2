//! The real parts that tests compare seawall with: a Kubernetes API server of
//! its own for each test binary, and oracles that answer JSON lines.
//!
//! For tests only; nothing that ships depends on this crate. It starts what
//! `cargo xtask setup` has built and builds nothing itself. It waits for what it
//! starts, and what it starts ends with the process that asked for it, however
//! that process ends.

pub mod azure;
pub mod azurite;
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it is a part of tests: what it does not find is a test that fails"
)]
pub mod browser;
mod certificate;
mod client;
mod error;
mod folder;
mod guard;
pub mod kafka;
mod lines;
mod options;
mod parts;
pub mod pods;
mod registry;
mod server;
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "it is a part of tests: what it cannot make is a test that fails"
)]
pub mod sigstore;
mod texts;

pub use azurite::Azurite;
pub use certificate::{Signer, certificate_request, from_base64, from_base64url};
pub use client::get;
pub use error::{Error, Result};
pub use folder::texts_below;
pub use kafka::Kafka;
pub use lines::Lines;
pub use options::{Options, User};
pub use parts::{fixture, part};
pub use registry::{Registry, digest};
pub use server::ApiServer;
pub use texts::answers;
