//! The cost limit, after Kubernetes' own: an expression may spend so much and then fails.
//!
//! Costs follow cel-go's interpreter roughly (one for a read or a call, a tenth of a string's
//! length for walking it); they bound work, they do not predict what an API server will bill.

use std::cell::Cell;

/// What an evaluation may still spend. Shared by the evaluations that should share a limit.
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
}

impl Budget {
    /// Kubernetes' limit for one expression (`celconfig.PerCallLimit`).
    pub const EXPRESSION: u64 = 1_000_000;
    /// Kubernetes' limit for all expressions of one policy binding
    /// (`celconfig.RuntimeCELCostBudget`).
    pub const POLICY: u64 = 10_000_000;

    /// A budget of this many units.
    #[must_use]
    pub fn new(units: u64) -> Self {
        Self {
            left: Cell::new(units),
        }
    }

    /// What is left. Zero: exceeded.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    #[inline]
    pub(crate) fn charge(&self, units: u64) {
        self.left.set(self.left.get().saturating_sub(units));
    }

    #[inline]
    pub(crate) fn exhausted(&self) -> bool {
        self.left.get() == 0
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::EXPRESSION)
    }
}
