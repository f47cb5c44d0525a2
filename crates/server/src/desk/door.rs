//! The dashboard's door: HTTPS with bounds on everything a client decides.
//!
//! | a client may | bound |
//! |---|---|
//! | connect | so many at once; the handshake and the first request within seconds |
//! | ask | an address of 4 KiB; 64 headers, 32 KiB |
//! | send a form | 32 KiB, within seconds |
//! | have pages made | so many at once, for everybody |
//!
//! A form counts only when a page from here sent it: `Sec-Fetch-Site: same-origin`, which no script can set (Fetch
//! Metadata Request Headers, 2.3), or an `Origin` that names this host.
//!
//! What it deliberately leaves out: who may see what.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::request::{Asked, Fields, Replied};
use super::{Desk, route};
use crate::connections::{self, Bounds, House, Reply};
use crate::tls::{CertificateError, Certificates};

/// Bounds on what clients may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// For the handshake and the first request, and for a form.
    pub patience: Duration,
    /// For the next request.
    pub idle: Duration,
    /// Pages that are made at once.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            patience: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            pages: 4,
        }
    }
}

const ADDRESS: usize = 4096;
const FORM: usize = 32 * 1024;
const HEAD: usize = 32 * 1024;

/// Nothing is loaded from elsewhere, nothing is inline, nobody frames it, nothing is kept by caches.
const ALWAYS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-frame-options", "DENY"),
];

/// Serves until `stop` is true.
///
/// # Errors
/// When the certificate cannot be used.
pub async fn serve(
    listener: TcpListener,
    desk: Arc<Desk>,
    certificates: Arc<Certificates>,
    limits: Limits,
    stop: watch::Receiver<bool>,
) -> Result<(), CertificateError> {
    let bounds = Bounds {
        connections: limits.connections,
        patience: limits.patience,
        idle: limits.idle,
        head: HEAD,
        leave: limits.patience,
    };
    let client = Client {
        desk,
        limits,
        pages: Arc::new(Semaphore::new(limits.pages)),
        sign_ins: Arc::new(Semaphore::new(limits.pages)),
    };
    connections::serve(listener, client, &certificates, bounds, stop).await
}

#[derive(Clone)]
struct Client {
    desk: Arc<Desk>,
    limits: Limits,
    pages: Arc<Semaphore>,
    /// Apart from pages: an API server that does not answer must not keep them waiting.
    sign_ins: Arc<Semaphore>,
}

impl House for Client {
    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let refuse = |why: &str, status, said: &str| {
            self.desk.refused(why);
            reply(Replied::text(
                status,
                "text/plain; charset=utf-8",
                format!("{said}\n"),
            ))
        };
        let post = match *request.method() {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ => return refuse("method", 405, "pages are read by GET"),
        };
        let address = request.uri().path_and_query();
        if address.is_some_and(|address| address.as_str().len() > ADDRESS) {
            return refuse("address", 414, "the address is too long");
        }
        let mut asked = Asked {
            post,
            path: request.uri().path().to_owned(),
            query: Fields::parse(request.uri().query().unwrap_or_default()),
            cookies: text(request.headers(), &header::COOKIE).to_owned(),
            own: is_own(request.headers()),
            form: Fields::default(),
        };
        if post {
            if request.body().size_hint().lower() > FORM as u64 {
                return refuse("too-large", 413, "the form is too large");
            }
            let body = Limited::new(request.into_body(), FORM).collect();
            match tokio::time::timeout(self.limits.patience, body).await {
                Ok(Ok(body)) => {
                    asked.form = Fields::parse(&String::from_utf8_lossy(&body.to_bytes()));
                }
                Ok(Err(_)) => return refuse("too-large", 413, "the form is too large"),
                Err(_) => return refuse("slow", 408, "the form came too late"),
            }
        }
        let signs_in = asked.path.starts_with("/sign-in") && (post || asked.path != "/sign-in");
        let turns = if signs_in {
            &self.sign_ins
        } else {
            &self.pages
        };
        let Ok(_turn) = turns.acquire().await else {
            return refuse("ending", 503, "ending");
        };
        let desk = Arc::clone(&self.desk);
        let made = tokio::task::spawn_blocking(move || route::answer(&desk, &asked)).await;
        match made {
            Ok(made) => reply(made),
            // Nothing panics by design.
            Err(_) => refuse("failed", 500, "the page could not be made"),
        }
    }

    fn refused(&self, why: &str) {
        self.desk.refused(why);
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Whether a page from here sends this.
fn is_own(headers: &HeaderMap) -> bool {
    let site = text(headers, &HeaderName::from_static("sec-fetch-site"));
    if !site.is_empty() {
        return site == "same-origin";
    }
    let host = text(headers, &header::HOST);
    let origin = text(headers, &header::ORIGIN);
    !host.is_empty() && origin.strip_prefix("https://") == Some(host)
}

fn reply(made: Replied) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(made.body)));
    *reply.status_mut() = StatusCode::from_u16(made.status).unwrap_or(StatusCode::OK);
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(made.kind));
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if let Some(location) = made.location
        && let Ok(location) = HeaderValue::from_str(&location)
    {
        headers.insert(header::LOCATION, location);
    }
    if let Some(name) = made.named
        && let Ok(named) =
            HeaderValue::from_str(&format!("attachment; filename=\"seawall-{name}\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    for cookie in made.cookies {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_own_pages_send_forms() {
        for (own, pairs) in [
            (
                true,
                vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
            ),
            (
                true,
                vec![("host", "desk:8443"), ("origin", "https://desk:8443")],
            ),
            (
                false,
                vec![("host", "desk:8443"), ("origin", "https://evil:8443")],
            ),
            (
                false,
                vec![("host", "desk:8443"), ("origin", "http://desk:8443")],
            ),
            (
                false,
                vec![
                    ("host", "desk:8443"),
                    ("sec-fetch-site", "same-site"),
                    ("origin", "https://desk:8443"),
                ],
            ),
            (false, vec![("host", "desk:8443")]),
            (false, vec![("origin", "https://")]),
        ] {
            assert_eq!(is_own(&headers(&pairs)), own, "{pairs:?}");
        }
    }
}
