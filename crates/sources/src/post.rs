//! Telling somebody else's endpoint something: JSON by POST.
//!
//! Each call waits for its answer, so it belongs on a thread where that may be. What it deliberately leaves out: trying
//! again, and knowing what is told. The address may hold a token, so nothing here shows more of it than its host.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};

use crate::azure::http::{self, Trust};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An endpoint.
pub struct Post {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: reqwest::Url,
}

/// Why it was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Untold {
    /// Why, as a clause.
    pub message: String,
    /// Whether telling it later may help.
    pub later: bool,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("host", &self.host()).finish()
    }
}

impl Post {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When it is no address. Only `https` is taken, and `http` to this machine.
    pub fn new(url: &str, trust: &Trust) -> Result<Self, String> {
        let url = reqwest::Url::parse(url).map_err(|error| error.to_string())?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let plain = url.scheme() == "http" && here;
        if url.scheme() != "https" && !plain {
            return Err("it must begin with `https://`".to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            runtime,
            client: http::client(trust, PATIENCE, plain)?,
            url,
        })
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Tells it.
    ///
    /// # Errors
    /// When the answer is no success, or there is none.
    pub fn send(&self, json: String) -> Result<(), Untold> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(json)
            .build()
            .map_err(|error| Untold {
                message: http::reason(&error),
                later: false,
            })?;
        let answer = self
            .runtime
            .block_on(http::send(&self.client, request))
            .map_err(|error| Untold {
                message: http::reason(&error),
                later: true,
            })?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(Untold {
                message: format!("{} answers with {status}", self.host()),
                later: status == 408 || status == 429 || status >= 500,
            }),
        }
    }
}
