//! What to do about the attack paths of an estate, as a question to the optimiser and its answer in words: measures of the
//! guide, what they cost, what they cut, what stays, and what was not worth it.
//!
//! | module | holds |
//! |---|---|
//! | [`problem`] | the estate as a question |
//! | [`costs`], [`terms`] | what measures cost, limits and rates |
//! | [`advice`] | asking, and what has been settled before |
//! | [`sentences`], [`words`] | the answer for people |
//! | [`chart`] | the frontier as a picture |
//! | [`json`] | the answer for scripts |
//!
//! Left out: reading the estate and the command line, and where it is shown.

pub mod advice;
pub mod chart;
pub mod costs;
pub mod json;
mod net;
pub mod problem;
pub mod sentences;
pub mod terms;
pub mod words;

pub use self::advice::{Advice, Bounds, Settled, solve};
pub use self::problem::{Chosen, Matter, Problem};
pub use self::terms::Terms;

/// The id of a measure by its place in the question.
#[must_use]
pub fn id_of<'p>(problem: &'p Problem<'_>, place: usize) -> &'p str {
    problem
        .question
        .measures
        .get(place)
        .map_or("", |measure| &measure.id)
}

/// Why nothing can be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecideError {
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl DecideError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}
