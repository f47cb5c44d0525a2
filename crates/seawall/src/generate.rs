//! What is generated: asked for in a talk, and written into a folder without losing what people changed there.

mod ask;
mod costs;
mod folder;

pub(crate) use ask::{Asked, ask, basics};
pub(crate) use costs::Charges;
pub(crate) use folder::{Change, Folder};
