//! Errors of use: a sentence, and the next thing to type.

use std::fmt;

/// An error that ends the program with exit code 2.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<report::decide::DecideError> for Failure {
    fn from(error: report::decide::DecideError) -> Self {
        Self {
            message: error.message,
            help: error.help,
        }
    }
}
