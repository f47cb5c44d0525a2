//! Telling somebody else's endpoint something, by POST.
//!
//! Each call waits for its answer, so it belongs on a thread where that may be. What it deliberately leaves out: trying
//! again, and knowing what is told. The address may hold a token, so nothing here shows more of it than its host.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::azure::http::{self, Trust};
use crate::azure::plane::refusal;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An endpoint.
pub struct Post {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: reqwest::Url,
    headers: HeaderMap,
}

/// Why it was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Untold {
    /// Why, as a clause.
    pub message: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Whether telling it later may help.
    pub later: bool,
    /// How long the endpoint asks to wait.
    pub wait: Option<Duration>,
    /// What to do about it.
    pub help: Option<&'static str>,
}

impl Untold {
    /// It may work later.
    #[must_use]
    pub const fn later(message: String) -> Self {
        Self {
            message,
            status: None,
            later: true,
            wait: None,
            help: None,
        }
    }

    /// It will not work.
    #[must_use]
    pub const fn never(message: String) -> Self {
        Self {
            message,
            status: None,
            later: false,
            wait: None,
            help: None,
        }
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("host", &self.host()).finish()
    }
}

/// Whether what is sent may be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only `https`, and `http` to this machine.
    Sealed,
    /// `http` too: what is sent is no secret, and there are no headers that are.
    Open,
}

impl Post {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When it is no address. Only `https` is taken, and `http` to this machine.
    pub fn new(url: &str, trust: &Trust) -> Result<Self, String> {
        Self::with(url, trust, Way::Sealed, &[])
    }

    /// With headers that go with everything; they are not shown.
    ///
    /// # Errors
    /// When it is no address that may be told, or no header.
    pub fn with(
        url: &str,
        trust: &Trust,
        way: Way,
        headers: &[(String, String)],
    ) -> Result<Self, String> {
        let url = reqwest::Url::parse(url).map_err(|error| error.to_string())?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let plain = url.scheme() == "http" && (here || way == Way::Open);
        if url.scheme() != "https" && !plain {
            return Err("it must begin with `https://`".to_owned());
        }
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` is no name of a header"))?;
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| format!("the value of {name} is no text of a header"))?;
            value.set_sensitive(true);
            all.insert(name, value);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            runtime,
            client: http::client(trust, PATIENCE, plain)?,
            url,
            headers: all,
        })
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Tells JSON.
    ///
    /// # Errors
    /// When the answer is no success, or there is none.
    pub fn send(&self, json: String) -> Result<(), Untold> {
        self.send_as("application/json", json.into_bytes())
    }

    /// Tells bytes of a kind.
    ///
    /// # Errors
    /// When the answer is no success, or there is none.
    pub fn send_as(&self, kind: &'static str, bytes: Vec<u8>) -> Result<(), Untold> {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(kind))
            .body(bytes)
            .build()
            .map_err(|error| Untold::never(http::reason(&error)))?;
        let answer = self
            .runtime
            .block_on(http::send(&self.client, request))
            .map_err(|error| Untold::later(http::reason(&error)))?;
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(refusal(&self.url, &answer)),
        }
    }
}
