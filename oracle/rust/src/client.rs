//! The few HTTP requests a test makes: JSON in and out over TLS with the
//! server's own certificate pinned. No watch, no retries, no discovery.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::{Error, Result};

/// A connection to one API server.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    url: String,
}

impl Client {
    /// `pem` is the server's certificate together with the one that signed it.
    pub(crate) fn new(url: &str, pem: &str) -> Result<Self> {
        Self::with(url, pem, None)
    }

    /// Signs in with a certificate; it and its key are PEM.
    pub(crate) fn certified(url: &str, pem: &str, certificate: &str, key: &str) -> Result<Self> {
        let key = PrivateKey::from_pem(key.as_bytes())
            .map_err(|error| Error::Answer(error.to_string()))?;
        let own = ClientCert::new_with_certs(&certificates(certificate), key);
        Self::with(url, pem, Some(own))
    }

    fn with(url: &str, pem: &str, own: Option<ClientCert>) -> Result<Self> {
        Self::patient(url, pem, own, Duration::from_secs(60))
    }

    fn patient(url: &str, pem: &str, own: Option<ClientCert>, patience: Duration) -> Result<Self> {
        let roots = certificates(pem);
        if roots.is_empty() {
            return Err(Error::Answer("the server has no certificate".to_owned()));
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(own)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .build()
            .into();
        Ok(Self {
            agent,
            url: url.to_owned(),
        })
    }

    /// The status, the body (JSON, or a string when it is something else), and
    /// the texts of `Warning` headers.
    pub(crate) fn request(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value, Vec<String>)> {
        self.request_with(token, &[], method, path, body)
    }

    /// The same with further headers.
    pub(crate) fn request_with(
        &self,
        token: &str,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value, Vec<String>)> {
        let failed = |source: ureq::Error| Error::Http {
            method: method.to_owned(),
            path: path.to_owned(),
            source: Box::new(source),
        };
        // `APPLY` is a PATCH whose body is the wanted object.
        let (method, content) = match method {
            "APPLY" => ("PATCH", "application/apply-patch+yaml"),
            "PATCH" => ("PATCH", "application/merge-patch+json"),
            other => (other, "application/json"),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("accept", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = match body {
            Some(body) => request
                .header("content-type", content)
                .body(body.to_string())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        let mut response = sent.map_err(failed)?;
        let status = response.status().as_u16();
        let warnings = response.headers().get_all("warning").iter();
        let warnings = warnings
            .map(|header| warning(&String::from_utf8_lossy(header.as_bytes())))
            .collect();
        let text = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()
            .map_err(failed)?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
            warnings,
        ))
    }
}

/// What any server answers within a time, on a connection of its own: the status, and the text. `pem` is trusted.
pub fn get(url: &str, path: &str, pem: &str, patience: Duration) -> Result<(u16, String)> {
    let client = Client::patient(url, pem, None, patience)?;
    let (status, answer, _) = client.request("", "GET", path, None)?;
    let text = answer
        .as_str()
        .map_or_else(|| answer.to_string(), str::to_owned);
    Ok((status, text))
}

fn certificates(pem: &str) -> Vec<Certificate<'static>> {
    parse_pem(pem.as_bytes())
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

/// The text of `299 - "text"`, as `makeQuotedString` in
/// `k8s.io/apimachinery/pkg/util/net/http.go` writes it.
fn warning(header: &str) -> String {
    let quoted = header.splitn(3, ' ').nth(2).unwrap_or(header);
    let quoted = quoted.strip_prefix('"').unwrap_or(quoted);
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    let mut text = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        });
    }
    text
}
