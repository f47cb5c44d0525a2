//! Which values decided a result: a second, slower evaluation that follows only what decided.

use crate::{Budget, Node, Program, Scope, Unknown, Val};
use bumpalo::Bump;

/// The values that decided a result, most telling first, each once.
#[derive(Clone)]
pub struct Blame<'a, N: Node<'a>> {
    /// What decided.
    pub decisions: Vec<Decision<'a, N>>,
}

/// One value, or absence of a value, that decided.
#[derive(Clone, Copy)]
pub enum Decision<'a, N: Node<'a>> {
    /// The value that stands here.
    Value(N),
    /// Nothing stands under this key.
    Missing {
        /// The nearest map there is.
        within: N,
        /// The first key that it lacks.
        key: &'a str,
    },
    /// A value that is not known, and where it would stand.
    Unknown(Unknown, Option<N>),
}

pub(crate) fn of<'a, N: Node<'a>>(
    _program: &'a Program,
    _scope: &dyn Scope<'a, N>,
    _locals: &[Val<'a, N>],
    _bump: &'a Bump,
    _budget: &Budget,
) -> Blame<'a, N> {
    Blame { decisions: Vec::new() }
}
