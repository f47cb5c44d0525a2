//! Readers: everything that turns what a user names into resources of an estate.
//!
//! What it deliberately leaves out: judging. It reaches the network for a live source that was
//! asked for, or by a probe that was, and nothing else, and runs no program but an installed `helm`, `kustomize` or `kubectl`, only
//! for a chart or a kustomization that was given, and what a kubeconfig names for signing in.
//!
//! ```text
//! paths ──walk──▶ inputs (files, charts, kustomizations, templates) ──render──▶ text
//!       ──stream──▶ documents, a batch at a time, in parallel ──▶ readings, in order
//! ```

mod align;
pub mod azure;
pub mod blob;
pub mod cluster;
mod configuration;
mod deployments;
pub mod eventhub;
mod fence;
pub mod fetch;
pub mod ingestion;
pub mod kustomization;
pub mod live;
mod mirror;
pub mod node;
pub mod post;
pub mod post_render;
pub mod probe;
pub mod registry;
mod render;
mod renderings;
pub mod snapshot;
mod stream;
pub mod template;
mod walk;

pub use configuration::{Granted, Wishes, edit as edit_configurations};
pub use deployments::is_terraform;
pub use render::{RELEASE, Tools, is_chart, render};
pub use renderings::Renderings;
pub use stream::{Given, Options, Overlay, Reached, Read, read, shown};
pub use terraform::edit::{More, Wanted, Within};
pub use walk::{Input, WalkError, walk};
