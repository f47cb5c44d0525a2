//! Only what happened within some time.

use crate::read::{Fold, Record};

/// From when on and until when, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub since: Option<i64>,
    /// Before then.
    pub until: Option<i64>,
}

impl Span {
    /// Whether something lies in it. What has no time does: it may.
    #[must_use]
    pub fn holds(self, at: Option<i64>) -> bool {
        let Some(at) = at else { return true };
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// Hands on what lies in a span, and counts the rest.
#[derive(Debug)]
pub struct Within<F> {
    /// Who takes it.
    pub state: F,
    /// Records that lie outside.
    pub outside: u64,
    span: Span,
}

impl<F> Within<F> {
    /// Around a state.
    pub const fn new(state: F, span: Span) -> Self {
        Self {
            state,
            outside: 0,
            span,
        }
    }
}

impl<F: Fold> Fold for Within<F> {
    fn take(&mut self, record: &Record<'_>) {
        if self.span.holds(record.at) {
            self.state.take(record);
        } else {
            self.outside += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        self.state.merge(other.state);
        self.outside += other.outside;
    }
}
