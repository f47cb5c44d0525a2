//! `seawall serve`: the guide at the door of a cluster, and its watch.
//!
//! ```text
//!                 ┌─▶ admission ─ one object beside the cached estate ─▶ allowed, denied, warned
//! http (TLS) ─────┤
//!                 └─▶ metrics, health
//! sources ── watch ─▶ the cached estate, its facts and findings ─▶ reports, alerts, history
//!                      └─▶ desk (TLS) ─ what each may see ─▶ pages
//! ```
//!
//! What it deliberately leaves out: talking to Kubernetes and Azure (`sources` does), judging (`guide`), and
//! reading the command line.

pub mod admission;
pub mod audit;
pub mod bench;
pub mod configuration;
mod connections;
pub mod desk;
pub mod docket;
pub mod http;
pub mod install;
pub mod metrics;
pub mod run;
pub mod secret;
pub mod tls;
pub mod trace;
pub mod watch;
