//! What follows from an estate: who may do what, and who can talk to whom.
//!
//! Pure functions of the estate: no I/O, no clock, nothing spawned, no rule of the guide. Guidelines read
//! what is computed here as `facts`; the commands `can`, `who-can`, `reach` and `diff` print it.
//!
//! | module | holds |
//! |---|---|
//! | [`cleanup`] | which images of a registry nobody uses |
//! | [`compare`] | what differs between two estates |
//! | [`decide`] | the cheapest measures that cut attacks, the best within a budget, and why |
//! | [`ask`] | the words of a question about rights and of its answer |
//! | [`notes`] | what an answer hangs on, for whoever watches an estate |
//! | [`rbac`] | Kubernetes RBAC as the API server evaluates it, and what amounts to more rights |
//! | [`roles`] | Azure role assignments, deny assignments, and Azure RBAC for Kubernetes |
//! | [`reach`] | who can talk to whom, by network policies and by Azure's network |

pub mod ask;
pub mod cleanup;
pub mod compare;
pub mod decide;
pub mod notes;
pub mod paths;
pub mod rbac;
pub mod reach;
pub mod roles;

mod analyses;
mod holdings;
mod networks;

pub use analyses::{Analyses, Given, Lazily, Rights};
pub use holdings::{Holdings, RightsTouched};
pub use networks::{Network, Networks};
