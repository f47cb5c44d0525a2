//! One request after the other, with the patience that a busy API server asks for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::io::AsyncBufRead;
use http::{Method, Request, StatusCode, header};
use kube::client::Body;
use serde::Deserialize;

use super::connect::{Program, client_error, one_line, silent, unreachable};
use crate::live::{LiveError, Patience};

/// How often a request is made before the answer counts as a refusal.
const ATTEMPTS: u32 = 6;
/// The longest wait that a server may ask for.
const LONGEST: Duration = Duration::from_secs(60);
/// What a question of nobody may take: the answer only matters when it comes.
const ANONYMOUS: Duration = Duration::from_secs(5);
/// What one request may take in all.
const DEADLINE: Duration = Duration::from_secs(300);
/// Of these times of [`Patience`] (5 s), a server that never answered is given so many, ...
const FIRST: u32 = 6;
/// ... a program that signs in without anybody so many, ...
const SIGN_IN: u32 = 12;
/// ... and one that may ask somebody: they may have to find a telephone.
const INTERACTIVE: u32 = 60;

/// A connection to one API server.
pub(super) struct Asker {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
    config: kube::Config,
    url: String,
    /// Whether it ever answered: what it then fails to answer is worth another try.
    answered: AtomicBool,
    patience: Patience,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Question<'q> {
    pub(super) method: Method,
    pub(super) path: &'q str,
    pub(super) accept: &'q str,
    /// The type of what is sent, and what.
    pub(super) body: Option<(&'static str, &'q str)>,
}

impl<'q> Question<'q> {
    const fn get(path: &'q str, accept: &'q str) -> Self {
        Self {
            method: Method::GET,
            path,
            accept,
            body: None,
        }
    }

    fn reads(&self) -> bool {
        self.method == Method::GET
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server said no.
    Refused {
        status: u16,
        message: String,
        /// With 410: a token that goes on where the expired one stopped.
        go_on: Option<String>,
    },
    /// There is no server to say anything.
    Lost(LiveError),
}

impl Trouble {
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Lost(_) => None,
        }
    }
}

/// What the API server says of itself when it refuses (`meta/v1.Status`).
#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
    #[serde(default)]
    metadata: StatusMeta,
}

#[derive(Debug, Default, Deserialize)]
struct StatusMeta {
    #[serde(default, rename = "continue")]
    go_on: String,
}

impl Asker {
    /// A client of its own, with one thread: this one. Runs the exec plug-in where there is one.
    pub(super) fn connect(
        runtime: tokio::runtime::Runtime,
        config: kube::Config,
        patience: &Patience,
    ) -> Result<Self, LiveError> {
        let url = super::connect::shown(&config.cluster_url);
        let url = url.trim_end_matches('/').to_owned();
        let made = match Program::of(&config) {
            Some(program) => signed_in(&runtime, &config, &program, patience)?,
            None => {
                let _within = runtime.enter();
                kube::Client::try_from(config.clone())
            }
        };
        let client = made.map_err(|trouble| client_error(&trouble))?;
        Ok(Self {
            runtime,
            client,
            config,
            url,
            answered: AtomicBool::new(false),
            patience: patience.clone(),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for something on this thread.
    pub(super) fn wait<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// GET, as JSON text.
    pub(super) fn get(&self, path: &str, accept: &str) -> Result<String, Trouble> {
        self.wait(self.fetch(path, accept))
    }

    /// The same, for whoever does something else meanwhile.
    pub(super) async fn fetch(&self, path: &str, accept: &str) -> Result<String, Trouble> {
        self.patiently(&Question::get(path, accept)).await
    }

    /// Asks once more only where the server says that it has done nothing yet.
    pub(super) fn write(&self, question: &Question<'_>) -> Result<String, Trouble> {
        self.wait(self.patiently(question))
    }

    /// The lines of an answer that does not end by itself.
    pub(super) async fn lines(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<impl AsyncBufRead + Unpin + Send + use<>, Trouble> {
        let request = Request::get(path)
            .header(header::ACCEPT, accept)
            .body(Vec::new())
            .map_err(|error| lost(format!("`{path}` is no address: {error}")))?;
        match self.client.request_stream(request).await {
            Ok(lines) => Ok(Box::pin(lines)),
            Err(kube::Error::Api(status)) => Err(Trouble::Refused {
                status: status.code,
                message: one_line(&status.message),
                go_on: None,
            }),
            Err(error) => Err(Trouble::Lost(unreachable(&self.url, &error))),
        }
    }

    /// The status of the answer to each path when nothing says who asks. Paths that get no answer are left
    /// out.
    pub(super) async fn anonymously(&self, paths: &[&'static str]) -> Vec<(&'static str, u16)> {
        let mut config = self.config.clone();
        config.auth_info = kube::config::AuthInfo::default();
        config.headers.clear();
        config.read_timeout = Some(ANONYMOUS);
        let Ok(client) = kube::Client::try_from(config) else {
            return Vec::new();
        };
        let ask = async |path: &'static str| {
            let request = Request::get(path).body(Body::empty()).ok()?;
            let answer = tokio::time::timeout(ANONYMOUS, client.send(request)).await;
            Some((path, answer.ok()?.ok()?.status().as_u16()))
        };
        let mut answers = Vec::new();
        for path in paths {
            answers.extend(ask(path).await);
        }
        answers
    }

    /// The certificates that the server shows, its own first.
    pub(super) async fn certificates(&self) -> Vec<rustls::pki_types::CertificateDer<'static>> {
        let config = self.config.clone();
        tokio::task::spawn_blocking(move || super::certificates::shown(&config))
            .await
            .unwrap_or_default()
    }

    async fn patiently(&self, question: &Question<'_>) -> Result<String, Trouble> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (trouble, wait) = match self.once(question).await {
                Ok(text) => return Ok(text),
                Err(failed) => failed,
            };
            // What a server fails at of itself it mostly fails at again.
            let most = match trouble.status() {
                Some(500) => 3,
                _ => ATTEMPTS,
            };
            match wait {
                Some(wait) if attempt < most => tokio::time::sleep(wait.after(attempt)).await,
                _ => return Err(trouble),
            }
        }
    }

    async fn once(&self, question: &Question<'_>) -> Result<String, (Trouble, Option<Wait>)> {
        let path = question.path;
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(path)
            .header(header::ACCEPT, question.accept);
        if let Some((kind, _)) = question.body {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request
            .body(question.body.map_or_else(Body::empty, |(_, text)| {
                Body::from(text.as_bytes().to_vec())
            }))
            .map_err(|error| {
                let message = format!("`{path}` is no address: {error}");
                (lost(message), None)
            })?;
        let exchange = async {
            let response = self.client.send(request).await?;
            let (parts, body) = response.into_parts();
            let bytes = body.collect_bytes().await?;
            Ok::<_, kube::Error>((parts, bytes))
        };
        let deadline = if self.answered.load(Ordering::Relaxed) {
            DEADLINE
        } else {
            self.patience.after * FIRST
        };
        let exchange = tokio::time::timeout(deadline, exchange);
        let done = self
            .patience
            .on(|| self.url.clone(), exchange)
            .await
            .map_err(|_| (Trouble::Lost(silent(&self.url)), None))?;
        let (parts, bytes) = done.map_err(|error| {
            // A connection that broke is worth another try, one that never was is not.
            // What was written may have been done.
            let again = self.answered.load(Ordering::Relaxed) && question.reads();
            let again: Option<Wait> = again.then_some(Wait::Grows);
            let trouble = match &error {
                kube::Error::Auth(_) => client_error(&error),
                kube::Error::Service(inner) if inner.is::<kube::client::AuthError>() => {
                    client_error(&error)
                }
                _ => unreachable(&self.url, &error),
            };
            (Trouble::Lost(trouble), again)
        })?;
        self.answered.store(true, Ordering::Relaxed);
        if parts.status.is_success() {
            return String::from_utf8(bytes.to_vec())
                .map_err(|_| (lost(format!("{path} is no UTF-8")), None));
        }
        let status: Status = serde_json::from_slice(&bytes).unwrap_or_default();
        let asked = parts
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
            .map(Duration::from_secs);
        let transient = match parts.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => question.reads(),
            _ => false,
        };
        let wait = transient.then(|| asked.map_or(Wait::Grows, Wait::Asked));
        let trouble = Trouble::Refused {
            status: parts.status.as_u16(),
            message: one_line(&status.message),
            go_on: Some(status.metadata.go_on).filter(|token| !token.is_empty()),
        };
        Err((trouble, wait))
    }
}

/// A client of somebody whom a program signs in. The program is waited for with patience, not for ever: it
/// runs within `try_from`, so on a thread of its own.
fn signed_in(
    runtime: &tokio::runtime::Runtime,
    config: &kube::Config,
    program: &Program,
    patience: &Patience,
) -> Result<kube::Result<kube::Client>, LiveError> {
    let (done, waiting) = std::sync::mpsc::channel();
    let handle = runtime.handle().clone();
    let config = config.clone();
    std::thread::spawn(move || {
        let _within = handle.enter();
        // Nobody waits any more: so be it.
        let _ = done.send(kube::Client::try_from(config));
    });
    if let Ok(made) = waiting.recv_timeout(patience.after) {
        return Ok(made);
    }
    patience.say(&format!("`{}`, which signs in", program.name));
    let most = if program.interactive {
        INTERACTIVE
    } else {
        SIGN_IN
    };
    let most = patience.after * most;
    waiting
        .recv_timeout(most.saturating_sub(patience.after))
        .map_err(|_| program.silent(most))
}

/// How long to wait before the next try.
#[derive(Debug, Clone, Copy)]
enum Wait {
    Asked(Duration),
    Grows,
}

impl Wait {
    fn after(self, attempt: u32) -> Duration {
        match self {
            Self::Asked(time) => time.min(LONGEST),
            Self::Grows => Duration::from_millis(200) * 2_u32.pow(attempt.min(6)),
        }
    }
}

fn lost(message: String) -> Trouble {
    Trouble::Lost(LiveError {
        message,
        help: None,
    })
}
