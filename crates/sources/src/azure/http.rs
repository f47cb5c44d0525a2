//! HTTP over TLS for Azure: one client for tokens, Resource Manager and Microsoft Graph. Nothing is
//! redirected, answers have a size and a time, and TLS is rustls on ring as everywhere else.

use std::fmt;
use std::time::Duration;

use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::request::Body;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// No answer of Azure's is this long; pages are cut well before.
const LONGEST_ANSWER: usize = 64 << 20;

/// Certificates beyond those of the system, and how long an answer may take.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Certificates of authorities, PEM: nothing but these is trusted. Empty: the system's.
    pub authorities: Vec<Vec<u8>>,
}

/// A client that only speaks HTTPS; `plain` also HTTP, which the metadata service of a virtual
/// machine speaks.
pub(crate) fn client(
    trust: &Trust,
    timeout: Duration,
    plain: bool,
) -> Result<reqwest::Client, String> {
    // Another part of the process may have chosen it already: the choice is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
        .https_only(!plain)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout.min(Duration::from_secs(20)))
        .timeout(timeout);
    if plain {
        builder = builder.no_proxy();
    }
    if !trust.authorities.is_empty() {
        let mut certificates = Vec::new();
        for pem in &trust.authorities {
            certificates.extend(
                reqwest::Certificate::from_pem_bundle(pem).map_err(|error| error.to_string())?,
            );
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder
        .build()
        .map_err(|error| format!("TLS cannot be set up: {}", reason(&error)))
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether it is a page for people.
    pub(crate) fn is_page(&self) -> bool {
        let html = header(&self.headers, "content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        html || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// Sends a request and reads the answer, never more than fits.
pub(crate) async fn send(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> Result<Answer, reqwest::Error> {
    let mut response = client.execute(request).await?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            // Cut JSON is no JSON, so this cannot be taken for a whole answer.
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// Why a request failed, in one clause and without the address.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    for _ in 0..8 {
        let Some(next) = cause.source() else { break };
        cause = next;
    }
    cause.to_string().trim_end_matches('.').to_owned()
}

/// What azure_identity asks for tokens with.
pub(crate) struct Transport(pub(crate) reqwest::Client);

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

#[async_trait::async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            _ => return Err(other("tokens are asked for by GET and POST")),
        };
        let mut sent = self.0.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            sent = sent.header(name.as_str(), value.as_str());
        }
        if let Body::Bytes(bytes) = request.body() {
            sent = sent.body(bytes.clone());
        }
        let sent = sent.build().map_err(|error| other(&reason(&error)))?;
        let answer = send(&self.0, sent).await.map_err(|error| {
            let kind = if error.is_connect() {
                ErrorKind::Connection
            } else {
                ErrorKind::Io
            };
            Error::with_message(kind, reason(&error))
        })?;
        let mut headers = Headers::new();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        Ok(AsyncRawResponse::from_bytes(
            answer.status.into(),
            headers,
            answer.body,
        ))
    }
}

fn other(message: &str) -> Error {
    Error::with_message(ErrorKind::Other, message.to_owned())
}

/// A header's value as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    headers
        .get(HeaderName::from_static(name))
        .map(HeaderValue::to_str)?
        .ok()
}
