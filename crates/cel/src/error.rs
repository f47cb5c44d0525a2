//! What can go wrong: a source that does not compile, and an evaluation that fails.
//!
//! Errors of evaluation are values of the language; they carry no backtrace and allocate
//! nothing outside the caller's arena.

use crate::Span;
use std::fmt;

/// A source that is no valid expression, or that names something unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong: lower case, without a final period.
    pub message: String,
    /// Where in the source.
    pub span: Span,
    /// What to write instead, when that is known.
    pub help: Option<String>,
}

impl CompileError {
    pub(crate) fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// The kind of an evaluation error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A key that the map does not hold; the detail is the key.
    NoSuchKey,
    /// A variable or member that its scope declares but does not hold now (see
    /// [`crate::Val::absent`]): reading it fails, `has()` of it is false.
    Absent,
    /// A list index out of range; the detail is the index.
    IndexOutOfRange,
    /// An operator or function that does not take values of these types; the detail is its name.
    NoSuchOverload,
    /// Division by zero.
    DivideByZero,
    /// Remainder by zero.
    ModulusByZero,
    /// An integer, duration or timestamp left its range.
    Overflow,
    /// The cost limit was exceeded.
    CostLimit,
    /// Anything else; the detail says what.
    Other,
}

/// Why an evaluation failed. Lives in the caller's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvalError<'a> {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The key, index, function or text that [`ErrorKind`] speaks of.
    pub detail: &'a str,
    /// Which part of the program's source failed.
    pub span: Span,
}

impl fmt::Display for EvalError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.detail;
        match self.kind {
            ErrorKind::NoSuchKey => write!(f, "no such key: `{detail}`"),
            ErrorKind::Absent => write!(f, "`{detail}` is absent"),
            ErrorKind::IndexOutOfRange => write!(f, "index out of range: {detail}"),
            ErrorKind::NoSuchOverload => {
                write!(
                    f,
                    "no such overload: `{detail}` does not take values of these types"
                )
            }
            ErrorKind::DivideByZero => f.write_str("division by zero"),
            ErrorKind::ModulusByZero => f.write_str("modulus by zero"),
            ErrorKind::Overflow => write!(f, "{detail} overflow"),
            ErrorKind::CostLimit => f.write_str("cost limit exceeded"),
            ErrorKind::Other => f.write_str(detail),
        }
    }
}
