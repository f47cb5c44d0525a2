//! What went wrong, and what to do next.

use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub struct Error {
    text: String,
    help: Option<String>,
}

impl Error {
    /// Something that went wrong.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            help: None,
        }
    }

    /// With what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// What to do while it went wrong.
pub(crate) fn to<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Error {
    move |error| Error::new(format!("cannot {what}: {error}"))
}
