//! What Azure keeps and takes beside Resource Manager: storage and logs. Each service has tokens of its own, and answers
//! that are not always JSON.
//!
//! Each call waits for its answer, so it belongs on a thread where that may be. What it deliberately leaves out: trying
//! again, for callers have more to say meanwhile.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, Url};

use super::auth::{Auth, Surroundings, Tokens};
use super::client::retry_after;
use super::cloud::Cloud;
use super::http::{self, Answer, Trust, header};
use crate::post::Untold;

/// How one signs in, and whom one trusts.
#[derive(Clone)]
pub struct SignIn {
    /// Where tokens are asked for.
    pub cloud: Cloud,
    /// In which way.
    pub auth: Auth,
    /// Who one is, by the environment.
    pub surroundings: Surroundings,
    /// Which certificates are trusted.
    pub trust: Trust,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl SignIn {
    /// Tokens; nothing is sent yet.
    pub(crate) fn tokens(&self) -> Result<Tokens, String> {
        Tokens::new(
            self.auth,
            &self.cloud,
            &self.trust,
            self.timeout,
            &self.surroundings,
        )
        .map_err(|why| format!("cannot sign in to Azure: {why}"))
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// One service, signed in to.
pub(crate) struct Plane {
    runtime: tokio::runtime::Runtime,
    tokens: Tokens,
    client: reqwest::Client,
    audience: &'static str,
}

impl Plane {
    /// Nothing is sent yet.
    pub(crate) fn new(sign_in: &SignIn, audience: &'static str) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            runtime,
            tokens: sign_in.tokens()?,
            client: http::client(&sign_in.trust, sign_in.timeout, false)?,
            audience,
        })
    }

    /// What its tokens are for.
    #[cfg(test)]
    pub(crate) const fn audience(&self) -> &'static str {
        self.audience
    }

    /// The answer to a request, whatever its status.
    pub(crate) fn ask(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, Untold> {
        let token = self
            .runtime
            .block_on(self.tokens.header(self.audience))
            .map_err(|why| Untold {
                help: Some(self.tokens.help()),
                ..Untold::later(format!("cannot sign in to Azure: {why}"))
            })?;
        let mut request = self
            .client
            .request(method.clone(), url.clone())
            .header(AUTHORIZATION, token);
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|error| Untold::never(format!("{name}: {error}")))?;
            request = request.header(*name, value);
        }
        if body.is_empty() && method != Method::GET {
            // Nobody adds it to what is empty, and storage insists on it.
            request = request.header(CONTENT_LENGTH, 0);
        }
        let request = request
            .body(body)
            .build()
            .map_err(|error| Untold::never(http::reason(&error)))?;
        self.runtime
            .block_on(http::send(&self.client, request))
            .map_err(|error| Untold::later(http::reason(&error)))
    }
}

/// Why an answer is no success, with the service's own word for it.
pub(crate) fn refusal(url: &Url, answer: &Answer) -> Untold {
    let host = url.host_str().unwrap_or_default();
    let status = answer.status;
    let code = code(answer);
    Untold {
        message: format!("{host} answers with {status} {code}")
            .trim_end()
            .to_owned(),
        status: Some(status),
        later: status == 408 || status == 429 || status >= 500,
        wait: retry_after(&answer.headers),
        help: None,
    }
}

/// The service's word: a header of storage's, `error.code` of others. Whoever answers chooses it, so only letters are taken.
pub(crate) fn code(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = body.get("error").and_then(|error| error.get("code"));
    let said = header(&answer.headers, "x-ms-error-code").or_else(|| said?.as_str());
    let letters = said.unwrap_or_default().chars();
    letters
        .filter(char::is_ascii_alphanumeric)
        .take(60)
        .collect()
}

/// An address whose host is a service's, or this machine: a token is sent nowhere else.
pub(crate) fn address(text: &str, hosts: &[&str]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    let here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    if url.scheme() != "https" {
        return Err("it must begin with `https://`".to_owned());
    }
    if !here && !hosts.iter().any(|end| host.ends_with(end)) {
        let ends: Vec<String> = hosts.iter().map(|end| format!("`{end}`")).collect();
        return Err(format!(
            "`{host}` is no host of Azure's (these end with {})",
            ends.join(", ")
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("an address holds no name, password or fragment here".to_owned());
    }
    Ok(url)
}
