//! From findings to edits of files: cures are collected, written into the text, and proved by assessing the text
//! that they would make.
//!
//! ```text
//! judged::Question ─▶ findings with remedies ─▶ cures ─▶ languages ─▶ texts ─▶ judged::Question again
//!                                               │   ▲                                  │
//!                      of rendered objects: ────┘   └──── without those that do not hold ──┘
//!                      led to their sources
//! ```

mod became;
mod beside;
mod cure;
mod hidden;
mod hunks;
mod languages;
mod prove;
mod rendered;
mod show;
mod texts;
mod waiting;

pub(crate) use cure::{About, Cure, Sorted, Sorting};
pub(crate) use hidden::Hidden;
pub(crate) use prove::{Proved, Said, alone, prove};
pub(crate) use rendered::{Asked, Found, Rendered};
pub(crate) use show::{Shown, json, operations, parts, text};
pub(crate) use texts::Texts;
pub(crate) use waiting::ask;
