//! Asking somebody else's endpoint something over HTTPS: a GET, or a form by POST.
//!
//! Each call waits for its answer, so it belongs on a thread where that may be. What it deliberately leaves out: trying
//! again, following redirects, and knowing what is asked.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use crate::azure::http::{self, Trust};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// No longer answer is taken.
const LONGEST: usize = 1 << 20;

/// Asks.
pub struct Fetch {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetch")
    }
}

impl Fetch {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(trust: &Trust) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            runtime,
            client: http::client(trust, PATIENCE, false)?,
        })
    }

    /// What is at an address.
    ///
    /// # Errors
    /// Why there is no success, as a clause without the address.
    pub fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        self.ask(self.client.get(url))
    }

    /// What is answered to a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// Why there is no success, as a clause without the address and what was sent.
    pub fn post_form(&self, url: &str, form: String) -> Result<Vec<u8>, String> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.ask(self.client.post(url).header(CONTENT_TYPE, kind).body(form))
    }

    fn ask(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, String> {
        let request = request
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .build()
            .map_err(|error| http::reason(&error))?;
        let answer = self
            .runtime
            .block_on(http::send(&self.client, request))
            .map_err(|error| http::reason(&error))?;
        match answer.status {
            200..=299 if answer.body.len() <= LONGEST => Ok(answer.body),
            200..=299 => Err("the answer is too long".to_owned()),
            status => Err(format!("the answer is {status}")),
        }
    }
}
