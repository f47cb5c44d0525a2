//! The webhook: the same answers as `assess`, decisions, and its door; and the watch, with real parts.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

#[path = "server/alike.rs"]
mod alike;
#[path = "server/cluster.rs"]
mod cluster;
#[path = "server/decisions.rs"]
mod decisions;
#[path = "server/desk.rs"]
mod desk;
#[path = "server/door.rs"]
mod door;
#[path = "server/examples.rs"]
mod examples;
#[path = "server/kept.rs"]
mod kept;
#[path = "server/running.rs"]
mod running;
#[path = "server/traced.rs"]
mod traced;
#[path = "server/trail.rs"]
mod trail;
#[path = "server/watch.rs"]
mod watch;
