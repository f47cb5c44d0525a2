//! What can go wrong with a real part, in words that name the next command.

use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a real part could not be started or did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The test set-up has not built or installed the part.
    #[error("`{name}` is not there, looked in {searched}\nhelp: run `cargo xtask setup`")]
    Missing {
        /// The file name of the part, for instance `kube-apiserver`.
        name: String,
        /// Where it was looked for.
        searched: String,
    },
    /// The part ended by itself, or was not ready in time.
    #[error("`{name}` {what}; the end of its log:\n{log}")]
    Process {
        /// The part.
        name: String,
        /// What it did instead of getting ready.
        what: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// A file or pipe of the part.
    #[error("`{path}`: {source}")]
    Io {
        /// The file, or the part whose pipe it is.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The API server did not answer a request.
    #[error("{method} {path}: {source}")]
    Http {
        /// The method of the request.
        method: String,
        /// The path of the request.
        path: String,
        /// What the client says.
        source: Box<ureq::Error>,
    },
    /// An oracle's answer is not JSON, or a key could not be made.
    #[error("{0}")]
    Answer(String),
}

impl Error {
    /// Says which file an input or output error belongs to.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
