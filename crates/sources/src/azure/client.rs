//! Requests to Resource Manager and Microsoft Graph: retried where that helps, in bounded time;
//! lists read page by page, from the pinned host and nowhere else.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Url};
use serde_json::Value;

use super::auth::Tokens;
use super::health::{self, Health};
use super::http::{self, header};
use crate::live::Patience;

/// How long to wait, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For one answer.
    pub timeout: Duration,
    /// Before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    /// Azure may ask to wait as long as this; what asks for more is given up.
    pub longest_wait: Duration,
    /// How often one request is made.
    pub attempts: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
            attempts: 5,
        }
    }
}

/// No list has more pages than this.
const MOST_PAGES: usize = 2_000;
/// Azure does give pages without items (a filter that applies to each page), but not without end.
const MOST_EMPTY: usize = 50;

/// Why a request was in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The HTTP status; 0 when there was no answer that says one.
    pub(crate) status: u16,
    /// Azure's word for it: `AuthorizationFailed`.
    pub(crate) code: String,
    /// What Azure says, for finding out which versions it knows. Never printed.
    pub(crate) message: String,
    /// It says nothing of what was asked for: no answer, an outage, a page of somebody between.
    pub(crate) general: bool,
}

/// What is answered where a proxy wants somebody to sign in, or a firewall forbids.
const WEB_PAGE: &str = "a web page instead of Azure's answer";
/// Azure's own addresses redirect nobody.
const REDIRECT: &str = "a redirect instead of Azure's answer";

impl Failure {
    pub(crate) fn of(code: impl Into<String>) -> Self {
        Self {
            status: 0,
            code: code.into(),
            message: String::new(),
            general: false,
        }
    }

    /// Without an answer of the service's own.
    fn general(code: impl Into<String>) -> Self {
        Self {
            general: true,
            ..Self::of(code)
        }
    }

    /// As people read it: `403 AuthorizationFailed`.
    pub(crate) fn shown(&self) -> String {
        match (self.status, self.code.as_str()) {
            (0, code) => code.to_owned(),
            (status, "") => status.to_string(),
            (status, code) => format!("{status} {code}"),
        }
    }

    pub(crate) fn refused(&self) -> bool {
        self.status == 403
    }

    /// Nobody who is asked again will say anything else: the token is not accepted.
    pub(crate) fn is_final(&self) -> bool {
        self.status == 401 || self.no_token()
    }

    pub(crate) fn no_token(&self) -> bool {
        self.status == 0 && self.code.starts_with(NO_TOKEN)
    }

    /// Whether somebody between here and Azure answers.
    pub(crate) fn is_strange(&self) -> bool {
        self.code == WEB_PAGE || self.code == REDIRECT
    }

    fn from_answer(answer: &http::Answer) -> Self {
        let transient = matches!(answer.status, 408 | 429 | 500..);
        let strange = match answer.status {
            300..400 => Some(REDIRECT),
            _ if !transient && answer.is_page() => Some(WEB_PAGE),
            _ => None,
        };
        if let Some(code) = strange {
            return Self {
                status: answer.status,
                ..Self::general(code)
            };
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let error = body.get("error").unwrap_or(&body);
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            status: answer.status,
            // Whoever answers chooses it: only letters of a word get to the terminal.
            code: text("code")
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(60)
                .collect(),
            message: text("message").chars().take(8_000).collect(),
            general: transient || answer.status == 401,
        }
    }
}

const NO_TOKEN: &str = "no token";

/// One service: Resource Manager or Microsoft Graph.
pub(crate) struct Client<'t> {
    pub(crate) base: Url,
    pub(crate) audience: String,
    pub(crate) tokens: &'t Tokens,
    pub(crate) http: reqwest::Client,
    pub(crate) pace: Pace,
    pub(crate) patience: Patience,
    pub(crate) health: Health,
}

/// The items of a list, and why there may be more.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) failure: Option<Failure>,
}

impl Client<'_> {
    /// The address of a path with its query.
    pub(crate) fn address(&self, path_and_query: &str) -> Result<Url, Failure> {
        let url = self
            .base
            .join(path_and_query)
            .map_err(|_| Failure::of("the address cannot be made"))?;
        self.own(&url)
            .then_some(url)
            .ok_or_else(|| Failure::of("the address leaves Azure's host"))
    }

    /// Whether an address is of the service that tokens are meant for.
    fn own(&self, url: &Url) -> bool {
        url.scheme() == self.base.scheme()
            && url.host() == self.base.host()
            && url.port_or_known_default() == self.base.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Value, Failure> {
        self.ask(Method::GET, url, None)
            .await
            .map(|(value, _)| value)
    }

    /// One request, made again while that may help.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<(Value, HeaderMap), Failure> {
        let part = health::part(url);
        let most = self
            .health
            .attempts(&part, self.pace.attempts.clamp(1, 100))?;
        let done = self.patiently(&method, url, body, most).await;
        match &done {
            Err(failure) if failure.general => self.health.fails(part, failure),
            _ => self.health.works(&part),
        }
        done
    }

    async fn patiently(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
        most: u32,
    ) -> Result<(Value, HeaderMap), Failure> {
        let mut last = Failure::of("not asked");
        for attempt in 0..most {
            let backoff = self.pace.first_wait * 2_u32.saturating_pow(attempt);
            let wait = match self.once(method, url, body).await {
                Ok(done) => return Ok(done),
                Err(Attempt::Final(failure)) => return Err(failure),
                Err(Attempt::Again(failure, wait)) => {
                    last = failure;
                    wait.unwrap_or(backoff)
                }
            };
            if wait > self.pace.longest_wait {
                last.code = format!("{} and asks to wait for {} s", last.code, wait.as_secs());
                return Err(last);
            }
            // What a service fails at of itself it mostly fails at again.
            if last.status == 500 && attempt >= 2 {
                break;
            }
            if attempt + 1 < most {
                let what = || {
                    let host = self.base.host_str().unwrap_or_default();
                    format!("{host}, which answered {}", last.shown())
                };
                let sleep = tokio::time::sleep(wait);
                self.patience.on(what, sleep).await;
            }
        }
        Err(last)
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<(Value, HeaderMap), Attempt> {
        let asked = self.tokens.header(&self.audience);
        let token = self
            .patience
            .on(|| "a token of Microsoft Entra".to_owned(), asked)
            .await
            .map_err(|error| Attempt::Final(Failure::general(format!("{NO_TOKEN}: {error}"))))?;
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .header(AUTHORIZATION, token);
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let request = request
            .build()
            .map_err(|error| Attempt::Final(Failure::of(http::reason(&error))))?;
        let host = || self.base.host_str().unwrap_or_default().to_owned();
        let answer = self
            .patience
            .on(host, http::send(&self.http, request))
            .await
            .map_err(|error| Attempt::Again(Failure::general(http::reason(&error)), None))?;
        match answer.status {
            200 => match serde_json::from_slice(&answer.body) {
                Ok(value) => Ok((value, answer.headers)),
                Err(_) if answer.is_page() => Err(Attempt::Final(Failure::general(WEB_PAGE))),
                Err(_) => Err(Attempt::Again(
                    Failure::general("the answer is no whole JSON"),
                    None,
                )),
            },
            408 | 429 | 500 | 502 | 503 | 504 => Err(Attempt::Again(
                Failure::from_answer(&answer),
                retry_after(&answer.headers),
            )),
            _ => Err(Attempt::Final(Failure::from_answer(&answer))),
        }
    }

    /// A list, to its end: `value` and `nextLink`, or Microsoft Graph's `@odata.nextLink`.
    pub(crate) async fn list(&self, first: Url) -> Listed {
        let mut listed = Listed::default();
        let mut seen = BTreeSet::new();
        let mut next = Some(first);
        let mut empty = 0;
        while let Some(url) = next.take() {
            if !seen.insert(url.as_str().to_owned()) {
                listed.failure = Some(Failure::of("the list's pages go in a circle"));
                return listed;
            }
            if seen.len() > MOST_PAGES {
                listed.failure = Some(Failure::of("the list has too many pages"));
                return listed;
            }
            let page = match self.get(&url).await {
                Ok(page) => page,
                Err(failure) => {
                    listed.failure = Some(failure);
                    return listed;
                }
            };
            let before = listed.items.len();
            match self.page(page, &mut listed.items) {
                Ok(link) => next = link,
                Err(failure) => {
                    listed.failure = Some(failure);
                    return listed;
                }
            }
            empty = if listed.items.len() == before {
                empty + 1
            } else {
                0
            };
            if empty > MOST_EMPTY {
                listed.failure = Some(Failure::of("the list goes on without anything in it"));
                return listed;
            }
        }
        listed
    }

    fn page(&self, mut page: Value, items: &mut Vec<Value>) -> Result<Option<Url>, Failure> {
        let Some(Value::Array(value)) = page.get_mut("value").map(Value::take) else {
            return Err(Failure::of("the answer is no list"));
        };
        items.extend(value);
        let link = page.get("nextLink").or_else(|| page.get("@odata.nextLink"));
        match link {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(link)) if link.is_empty() => Ok(None),
            Some(Value::String(link)) => match Url::parse(link) {
                Ok(url) if self.own(&url) => Ok(Some(url)),
                _ => Err(Failure::of(
                    "the next page is said to be on another host, which is not asked",
                )),
            },
            Some(_) => Err(Failure::of("the address of the next page is no text")),
        }
    }
}

enum Attempt {
    Final(Failure),
    /// It may work after this time, or after that of the pace.
    Again(Failure, Option<Duration>),
}

/// What `Retry-After` says: seconds, or a date
/// (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    wait_of(header(headers, "retry-after")?, now)
}

fn wait_of(text: &str, now: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let then = u64::try_from(date.timestamp().as_second()).ok()?;
    Some(Duration::from_secs(then).saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_azure_asks_to_wait_is_seconds_or_a_date() {
        let now = Duration::from_secs(784_111_777);
        assert_eq!(wait_of(" 17 ", now), Some(Duration::from_secs(17)));
        let date = "Sun, 06 Nov 1994 08:49:40 GMT";
        assert_eq!(wait_of(date, now), Some(Duration::from_secs(3)));
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(wait_of(past, now), Some(Duration::ZERO));
        assert_eq!(wait_of("soon", now), None);
        assert_eq!(wait_of("-1", now), None);
    }
}
