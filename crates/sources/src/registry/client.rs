//! One registry, asked over HTTP as OCI's distribution specification says
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>): with tokens, in patience, with a bounded
//! number of connections, and not for ever.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Method, Url};
use tokio::sync::Semaphore;

use super::credentials::Credential;
use super::token::{Asker, Challenge};
use crate::azure::auth::Tokens;
use crate::azure::client::retry_after;
use crate::azure::http::{self, Answer};

/// How registries are asked.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How long an answer may take.
    pub timeout: Duration,
    /// The first pause before a request is made again; it doubles.
    pub first_wait: Duration,
    /// A registry that asks to wait longer is not waited for.
    pub longest_wait: Duration,
    /// How often a request is made.
    pub attempts: u32,
    /// Requests to one registry at a time.
    pub connections: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            attempts: 5,
            connections: 8,
        }
    }
}

/// After so many requests in a row that nobody answered, a registry is not asked again; more than it is asked at once.
const PATIENCE: u32 = 12;
/// One that was made as often as it may counts as several.
const IN_VAIN: u32 = 4;
/// How often an answer may lead elsewhere.
const REDIRECTS: usize = 4;

/// Why something was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// 0 where there was no answer.
    pub(super) status: u16,
    /// A clause.
    pub(super) why: String,
    pub(super) help: Option<String>,
}

impl Trouble {
    pub(super) const fn of(status: u16, why: String) -> Self {
        Self {
            status,
            why,
            help: None,
        }
    }

    pub(super) const fn is_absent(&self) -> bool {
        self.status == 404
    }
}

/// A registry.
pub(super) struct Registry<'t> {
    pub(super) host: String,
    base: Url,
    client: reqwest::Client,
    pace: Pace,
    credential: Option<Credential>,
    helper: Option<String>,
    azure: Option<&'t Tokens>,
    permits: Semaphore,
    /// By repository; a lock for each, so that one asks and the others wait.
    tokens: Mutex<HashMap<String, std::sync::Arc<tokio::sync::Mutex<Option<HeaderValue>>>>>,
    trouble: Mutex<(u32, Option<Trouble>)>,
}

/// What a registry needs to be asked.
pub(super) struct Way<'t> {
    pub(super) client: reqwest::Client,
    pub(super) base: Url,
    pub(super) pace: Pace,
    pub(super) credential: Option<Credential>,
    pub(super) helper: Option<String>,
    pub(super) azure: Option<&'t Tokens>,
}

impl<'t> Registry<'t> {
    pub(super) fn new(host: &str, way: Way<'t>) -> Self {
        Self {
            host: host.to_owned(),
            base: way.base,
            client: way.client,
            credential: way.credential,
            helper: way.helper,
            azure: way.azure,
            permits: Semaphore::new(way.pace.connections.clamp(1, 64)),
            pace: way.pace,
            tokens: Mutex::default(),
            trouble: Mutex::default(),
        }
    }

    /// A manifest by its tag or digest.
    pub(super) async fn manifest(
        &self,
        repository: &str,
        reference: &str,
        accept: &str,
    ) -> Result<Answer, Trouble> {
        let path = format!("manifests/{reference}");
        self.get(repository, &path, Some(accept)).await
    }

    /// A blob by its digest, checked.
    pub(super) async fn blob(&self, repository: &str, digest: &str) -> Result<Vec<u8>, Trouble> {
        let answer = self
            .get(repository, &format!("blobs/{digest}"), None)
            .await?;
        match images::has_digest(&answer.body, digest) {
            Some(true) => Ok(answer.body),
            Some(false) => Err(Trouble::of(
                200,
                format!("gives something else for {digest}"),
            )),
            None => Err(Trouble::of(
                200,
                format!("`{digest}` is no digest that is known"),
            )),
        }
    }

    /// What refers to an image, by the API for it.
    pub(super) async fn referrers(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Answer, Trouble> {
        let accept = "application/vnd.oci.image.index.v1+json";
        self.get(repository, &format!("referrers/{digest}"), Some(accept))
            .await
    }

    /// A blob, written down as it comes.
    pub(super) async fn download(
        &self,
        repository: &str,
        digest: &str,
        most: u64,
        file: &mut std::fs::File,
    ) -> Result<(), Trouble> {
        let url = self.url(repository, &format!("blobs/{digest}"))?;
        let _permit = self.permits.acquire().await;
        let token = self.known(repository).lock().await.clone();
        let mut response = self.execute(&url, None, token.as_ref()).await?;
        let mut left = REDIRECTS;
        while response.status().is_redirection() && left > 0 {
            left -= 1;
            let next = self.elsewhere(&url, response.headers().get(LOCATION))?;
            response = self.execute(&next, None, None).await?;
        }
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Trouble::of(status, format!("answers {status} for a layer")));
        }
        let mut size = 0;
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|error| Trouble::of(0, http::reason(&error)))?;
            let Some(chunk) = chunk else {
                return Ok(());
            };
            size += chunk.len() as u64;
            if size > most {
                return Err(Trouble::of(
                    200,
                    "gives a layer that is too large".to_owned(),
                ));
            }
            file.write_all(&chunk)
                .map_err(|error| Trouble::of(200, format!("a layer cannot be kept: {error}")))?;
        }
    }

    fn url(&self, repository: &str, path: &str) -> Result<Url, Trouble> {
        self.base
            .join(&format!("/v2/{repository}/{path}"))
            .map_err(|_| Trouble::of(0, "the address cannot be made".to_owned()))
    }

    async fn get(
        &self,
        repository: &str,
        path: &str,
        accept: Option<&str>,
    ) -> Result<Answer, Trouble> {
        if let Some(trouble) = self.given_up() {
            return Err(trouble);
        }
        let url = self.url(repository, path)?;
        let mut last = Trouble::of(0, "was not asked".to_owned());
        for attempt in 0..self.pace.attempts.max(1) {
            let once = {
                let _permit = self.permits.acquire().await;
                self.once(repository, &url, accept).await
            };
            let wait = match once {
                Ok(answer) => {
                    self.works();
                    return Ok(answer);
                }
                Err((trouble, None)) => {
                    if trouble.status != 0 {
                        self.works();
                    }
                    return Err(trouble);
                }
                Err((trouble, Some(asked))) => {
                    if trouble.status == 0 {
                        self.fails(&trouble, 1);
                    }
                    last = trouble;
                    asked
                }
            };
            let backoff = self.pace.first_wait * 2_u32.saturating_pow(attempt);
            let wait = if wait.is_zero() { backoff } else { wait };
            if wait > self.pace.longest_wait {
                last.why = format!("{} and asks to wait for {} s", last.why, wait.as_secs());
                break;
            }
            if let Some(trouble) = self.given_up() {
                return Err(trouble);
            }
            if attempt + 1 < self.pace.attempts {
                tokio::time::sleep(wait).await;
            }
        }
        self.fails(&last, IN_VAIN);
        Err(last)
    }

    /// One request, with a token where the registry wants one. With a duration it may work later.
    async fn once(
        &self,
        repository: &str,
        url: &Url,
        accept: Option<&str>,
    ) -> Result<Answer, (Trouble, Option<Duration>)> {
        let known = self.known(repository);
        let token = known.lock().await.clone();
        let mut answer = self.ask(url, accept, token.as_ref()).await?;
        if answer.status == 401 {
            let challenge = answer
                .headers
                .get(WWW_AUTHENTICATE)
                .and_then(|header| header.to_str().ok())
                .and_then(Challenge::read);
            let fresh = {
                let mut own = known.lock().await;
                // Another request may have got one meanwhile.
                if own.is_none() || *own == token {
                    *own = Some(self.authorized(challenge, repository).await.map_err(
                        |trouble| {
                            let again = matches!(trouble.status, 0 | 429 | 500..);
                            (trouble, again.then_some(Duration::ZERO))
                        },
                    )?);
                }
                own.clone()
            };
            answer = self.ask(url, accept, fresh.as_ref()).await?;
        }
        match answer.status {
            200 => Ok(answer),
            404 => Err((Trouble::of(404, "it is not there (404)".to_owned()), None)),
            401 | 403 => Err((self.refused(answer.status), None)),
            429 | 500 | 502 | 503 | 504 => {
                let wait = retry_after(&answer.headers).unwrap_or_default();
                let why = if answer.status == 429 {
                    "too many requests (429)".to_owned()
                } else {
                    format!("the registry is out of order ({})", answer.status)
                };
                Err((Trouble::of(answer.status, why), Some(wait)))
            }
            status => {
                let why = if answer.is_page() {
                    format!("a web page instead of a registry's answer ({status})")
                } else {
                    format!("the registry answers {status}")
                };
                Err((Trouble::of(status, why), None))
            }
        }
    }

    fn refused(&self, status: u16) -> Trouble {
        let why = format!("the registry refuses who asks ({status})");
        let help = match (&self.credential, &self.helper, self.azure) {
            (None, Some(helper), _) => format!(
                "the password is kept by `docker-credential-{helper}`, which is not run: put it into a config.json of Docker's, and name its folder in DOCKER_CONFIG"
            ),
            (None, None, None) if super::token::is_azure(&self.host) => {
                "say how to sign in to Azure with `--acr-auth`, or `docker login`; the role AcrPull suffices".to_owned()
            }
            (None, None, None) => format!("`docker login {}`", self.host),
            _ => "whoever asks needs the right to pull (AcrPull)".to_owned(),
        };
        Trouble {
            help: Some(help),
            ..Trouble::of(status, why)
        }
    }

    /// What is sent so that the registry answers.
    async fn authorized(
        &self,
        challenge: Option<Challenge>,
        repository: &str,
    ) -> Result<HeaderValue, Trouble> {
        match challenge {
            Some(Challenge::Bearer { realm, service }) => {
                let pull = format!("repository:{repository}:pull");
                let asker = Asker {
                    client: &self.client,
                    base: &self.base,
                    host: &self.host,
                    credential: self.credential.as_ref(),
                    azure: self.azure,
                };
                asker
                    .token(&realm, &service, &pull)
                    .await
                    .map_err(|trouble| match trouble.status {
                        401 | 403 if trouble.help.is_none() => Trouble {
                            why: trouble.why,
                            ..self.refused(trouble.status)
                        },
                        _ => trouble,
                    })
            }
            Some(Challenge::Basic) => match &self.credential {
                Some(Credential::Password { user, password }) => {
                    use base64::Engine as _;
                    let pair = base64::engine::general_purpose::STANDARD
                        .encode(format!("{user}:{password}"));
                    let mut header = HeaderValue::from_str(&format!("Basic {pair}"))
                        .map_err(|_| self.refused(401))?;
                    header.set_sensitive(true);
                    Ok(header)
                }
                _ => Err(self.refused(401)),
            },
            None => Err(self.refused(401)),
        }
    }

    /// An answer, from wherever the registry leads to.
    async fn ask(
        &self,
        url: &Url,
        accept: Option<&str>,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, (Trouble, Option<Duration>)> {
        let again = |error: reqwest::Error| {
            let why = format!("the registry does not answer: {}", http::reason(&error));
            (Trouble::of(0, why), Some(Duration::ZERO))
        };
        let mut answer = http::send(&self.client, self.request(url, accept, token)?)
            .await
            .map_err(again)?;
        for _ in 0..REDIRECTS {
            if !(300..400).contains(&answer.status) {
                break;
            }
            let next = self
                .elsewhere(url, answer.headers.get(LOCATION))
                .map_err(|trouble| (trouble, None))?;
            // Storage behind a registry is told nothing of who asks.
            answer = http::send(&self.client, self.request(&next, accept, None)?)
                .await
                .map_err(again)?;
        }
        Ok(answer)
    }

    fn elsewhere(&self, url: &Url, location: Option<&HeaderValue>) -> Result<Url, Trouble> {
        let strange = || Trouble::of(300, "the registry leads to no address".to_owned());
        let location = location
            .and_then(|location| location.to_str().ok())
            .ok_or_else(strange)?;
        let next = url.join(location).map_err(|_| strange())?;
        if next.scheme() != "https" && next.origin() != self.base.origin() {
            let why = "the registry leads to an address without TLS";
            return Err(Trouble::of(300, why.to_owned()));
        }
        Ok(next)
    }

    fn request(
        &self,
        url: &Url,
        accept: Option<&str>,
        token: Option<&HeaderValue>,
    ) -> Result<reqwest::Request, (Trouble, Option<Duration>)> {
        let mut request = self.client.request(Method::GET, url.clone());
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        request
            .build()
            .map_err(|error| (Trouble::of(0, http::reason(&error)), None))
    }

    async fn execute(
        &self,
        url: &Url,
        accept: Option<&str>,
        token: Option<&HeaderValue>,
    ) -> Result<reqwest::Response, Trouble> {
        let request = self
            .request(url, accept, token)
            .map_err(|(trouble, _)| trouble)?;
        self.client
            .execute(request)
            .await
            .map_err(|error| Trouble::of(0, http::reason(&error)))
    }

    fn known(&self, repository: &str) -> std::sync::Arc<tokio::sync::Mutex<Option<HeaderValue>>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.entry(repository.to_owned()).or_default().clone()
    }

    fn given_up(&self) -> Option<Trouble> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        (trouble.0 >= PATIENCE).then(|| trouble.1.clone()).flatten()
    }

    fn works(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
    }

    fn fails(&self, trouble: &Trouble, weight: u32) {
        let mut own = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        own.0 = own.0.saturating_add(weight);
        own.1 = Some(trouble.clone());
    }
}
