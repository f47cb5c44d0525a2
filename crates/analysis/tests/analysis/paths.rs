//! Attacks, held against estates in which a way was planted.

#[path = "paths/planted.rs"]
mod planted;
