//! Audit logs as they are kept: every shape, every cut, every order.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests stop like tests"
)]

#[path = "audit/attack.rs"]
mod attack;
#[path = "audit/follow.rs"]
mod follow;
#[path = "audit/kql.rs"]
mod kql;
#[path = "audit/learned.rs"]
mod learned;
#[path = "audit/live.rs"]
mod live;
#[path = "audit/made.rs"]
mod made;
#[path = "audit/prefix.rs"]
mod prefix;
#[path = "audit/shapes.rs"]
mod shapes;
