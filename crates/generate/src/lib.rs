//! From what is wanted to files that set it up: an intent is read, the questions that it leaves open are
//! answered by the guide, and templates are filled in.
//!
//! ```text
//! intent.yaml ─▶ Intent ─┐
//!                        ├─▶ Plan ─▶ templates/** ─▶ files
//! guide, questions.yaml ─┘
//! ```
//!
//! A template stands in `templates/` under the path of the file that it becomes, with `.j2` after it; one that
//! comes out empty makes no file. `{cluster}`, `{namespace}` and
//! `{policy}` in a path make a file for each. The questions are
//! content of the guide (`guide/data/questions.yaml`), options are those of its topics.
//!
//! What it deliberately leaves out: reading and writing files, asking people, judging what came out.

mod address;
mod files;
mod intent;
mod layout;
mod pairs;
mod plan;
mod policies;
mod questions;
mod written;

pub use files::{File, files};
pub use intent::{Class, Environment, Intent, IntentError, Profile, Workload};
pub use pairs::{Decisions, pairs};
pub use plan::{Answer, Cluster, Namespace, Plan, PlanError};
pub use questions::{Accept, Question, Questions};
