//! The webhook's door: HTTPS with bounds on everything a client decides.
//!
//! | a client may | bound |
//! |---|---|
//! | connect | so many at once; the handshake and the first request within seconds |
//! | send a head | 64 headers, 64 KiB |
//! | send a body | 8 MiB, within the deadline; all together 64 MiB in memory |
//! | wait | as long as the API server says in `timeout`, less a margin |
//!
//! HTTP/1.1 only: API servers call webhooks over it to spread their requests (kubernetes/kubernetes#75791).
//!
//! What it deliberately leaves out: knowing what a review says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::admission::{Answer, Half, Review, unjudged};
use crate::connections::{self, Bounds, House, Reply};
use crate::docket::{Case, Docket, Judged};
use crate::metrics::Metrics;
use crate::tls::{CertificateError, Certificates};
use crate::trace;

/// Bounds on what clients may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Bytes of a body. An API server takes objects of 3 MiB, and sends the old one too.
    pub body: usize,
    /// Bytes of all bodies that are being read or judged.
    pub bodies: usize,
    /// For the handshake, and for the first request after it.
    pub patience: Duration,
    /// For the next request. API servers close idle connections after 90 seconds (`http.DefaultTransport` of Go);
    /// who closes first must not be the one who is about to be asked.
    pub idle: Duration,
    /// For an answer, where the API server does not say it.
    pub deadline: Duration,
    /// What is kept of it for the way back.
    pub margin: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            body: 8 << 20,
            bodies: 64 << 20,
            patience: Duration::from_secs(10),
            idle: Duration::from_secs(100),
            deadline: Duration::from_secs(10),
            margin: Duration::from_millis(300),
        }
    }
}

/// Further series, as text.
pub type More = Arc<dyn Fn() -> String + Send + Sync>;

/// What the door needs.
pub struct Door {
    /// Where reviews wait.
    pub docket: Arc<Docket>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is shown to clients.
    pub certificates: Arc<Certificates>,
    /// Bounds.
    pub limits: Limits,
    /// Everything is let in.
    pub dry_run: bool,
    /// No new work is to come: the process ends soon.
    pub ending: AtomicBool,
    /// What others count.
    pub more: Option<More>,
    /// Where spans go.
    pub tracer: Arc<trace::Tracer>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

/// How long judges may take nothing while reviews wait before the process counts as hung, and is ended by its kubelet.
const HUNG: Duration = Duration::from_secs(30);
/// The same before nobody is led here any more: less than API servers wait for an answer. A long queue is no reason;
/// the next replica would have it then.
const STALLED: Duration = Duration::from_secs(3);

/// Serves until `stop` is true; then no connection is accepted, and those that are open end after their answer.
///
/// # Errors
/// When the certificate cannot be used.
pub async fn serve(
    listener: TcpListener,
    door: Arc<Door>,
    stop: watch::Receiver<bool>,
) -> Result<(), CertificateError> {
    let limits = door.limits;
    let bounds = Bounds {
        connections: limits.connections,
        patience: limits.patience,
        idle: limits.idle,
        head: 64 * KIB,
        leave: limits.deadline,
    };
    let certificates = Arc::clone(&door.certificates);
    let client = Client {
        memory: Arc::new(Semaphore::new(limits.bodies / KIB)),
        door,
    };
    connections::serve(listener, client, &certificates, bounds, stop).await
}

/// Opens the port.
///
/// # Errors
/// When it cannot be opened.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

const KIB: usize = 1024;

/// Who answers API servers.
#[derive(Clone)]
struct Client {
    door: Arc<Door>,
    memory: Arc<Semaphore>,
}

impl House for Client {
    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let half = match request.uri().path() {
            "/validate/closed" => Half::Closed,
            "/validate/open" => Half::Open,
            "/validate" => Half::Both,
            "/healthz" if self.door.docket.hangs(HUNG) => {
                return text(StatusCode::INTERNAL_SERVER_ERROR, "the judges hang\n");
            }
            "/healthz" => return text(StatusCode::OK, "ok\n"),
            "/readyz" if self.door.ending.load(Ordering::Relaxed) => {
                return text(StatusCode::SERVICE_UNAVAILABLE, "ending\n");
            }
            "/readyz" if self.door.docket.sitting() == 0 => {
                return text(StatusCode::SERVICE_UNAVAILABLE, "no judge sits yet\n");
            }
            "/readyz" if self.door.docket.hangs(STALLED) => {
                return text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "reviews wait, and none is taken\n",
                );
            }
            "/readyz" => return text(StatusCode::OK, "ok\n"),
            "/metrics" => {
                let more = self.door.more.as_ref().map(|more| more());
                return text(
                    StatusCode::OK,
                    self.door.metrics.text() + &more.unwrap_or_default(),
                );
            }
            _ => {
                self.door.refused("path");
                return text(StatusCode::NOT_FOUND, "there is nothing here\n");
            }
        };
        if request.method() != Method::POST {
            self.door.refused("method");
            return text(StatusCode::METHOD_NOT_ALLOWED, "POST an AdmissionReview\n");
        }
        let received = Instant::now();
        let deadline = received + self.deadline(request.uri().query().unwrap_or_default());
        // API servers that trace say whose request it is (`APIServerTracing`).
        let caller = request.headers().get("traceparent");
        let caller = caller.and_then(|value| value.to_str().ok());
        let tracer = &self.door.tracer;
        let mut span = tracer.begin("admission review", trace::Kind::Server, caller);
        let reply = match self.body(request, deadline).await {
            Ok((body, _held)) => self.judge(body, half, deadline, span.as_mut()).await,
            Err(reply) => *reply,
        };
        if let Some(span) = &mut span {
            let status = reply.status();
            span.say("http.response.status_code", usize::from(status.as_u16()));
            if status.is_server_error() {
                span.fail();
            }
        }
        reply
    }

    fn refused(&self, why: &str) {
        self.door.refused(why);
    }

    fn open(&self, more: f64) {
        let metrics = &self.door.metrics;
        metrics.add("seawall_http_connections", &[], more);
    }
}

impl Client {
    /// API servers add `timeout=10s` to the address
    /// (`k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go`).
    fn deadline(&self, query: &str) -> Duration {
        let limits = &self.door.limits;
        let said = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("timeout="))
            .and_then(duration)
            // No API server waits longer (`timeoutSeconds`).
            .map_or(limits.deadline, |said| said.min(Duration::from_secs(30)));
        said.saturating_sub(limits.margin.min(said / 4))
    }

    /// The whole body, with the room that it takes.
    async fn body(
        &self,
        request: Request<Incoming>,
        deadline: Instant,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Box<Reply>> {
        let limits = &self.door.limits;
        let refuse = |why: &str, status, said: &'static str| {
            self.door.refused(why);
            Err(Box::new(text(status, said)))
        };
        let hint = request.body().size_hint();
        let size = hint.exact().unwrap_or(limits.body as u64);
        if size > limits.body as u64 {
            return refuse(
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large\n",
            );
        }
        let kibs = u32::try_from(size as usize / KIB + 1).unwrap_or(u32::MAX);
        let read = async {
            let held = Arc::clone(&self.memory).acquire_many_owned(kibs).await;
            let body = Limited::new(request.into_body(), limits.body).collect();
            Some((body.await, held.ok()?))
        };
        match tokio::time::timeout_at(deadline.into(), read).await {
            Ok(Some((Ok(body), held))) => Ok((body.to_bytes(), held)),
            Ok(Some((Err(error), _))) if error.is::<LengthLimitError>() => refuse(
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large\n",
            ),
            Ok(_) => refuse(
                "malformed",
                StatusCode::BAD_REQUEST,
                "the body ends early\n",
            ),
            Err(_) => refuse(
                "slow",
                StatusCode::REQUEST_TIMEOUT,
                "the body came too late\n",
            ),
        }
    }

    async fn judge(
        &self,
        body: Bytes,
        half: Half,
        deadline: Instant,
        mut span: Option<&mut trace::Open>,
    ) -> Reply {
        let received = Instant::now();
        let (reply, answer) = oneshot::channel();
        let parent = span.as_ref().map(|span| span.parent());
        let case = Case {
            body: body.clone(),
            half,
            received,
            deadline,
            reply,
            trace: parent,
        };
        let mut unjudged = |why: &'static str, said: &str| {
            if let Some(span) = &mut span {
                span.say("seawall.unjudged", why);
                span.fail();
            }
            self.without_judge(&body, half, why, said)
        };
        if self.door.docket.add(case).is_err() {
            return unjudged("full", "more is asked than can be judged");
        }
        let judged = match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(judged)) => judged,
            Ok(Err(_)) => {
                return unjudged("lost", "judging stopped");
            }
            Err(_) => {
                return unjudged("late", "there was no time left");
            }
        };
        self.door.metrics.observe(
            "seawall_admission_seconds",
            received.elapsed().as_secs_f64(),
        );
        match judged {
            Judged::Answer(uid, answer) => {
                if let Some(span) = &mut span {
                    span.say("seawall.allowed", answer.allowed);
                }
                self.send(&uid, &answer)
            }
            Judged::Malformed(why) => self.malformed(why),
        }
    }

    /// Answers as was declared for the case that nothing can be said.
    fn without_judge(&self, body: &[u8], half: Half, why: &str, said: &str) -> Reply {
        let metrics = &self.door.metrics;
        let review = std::str::from_utf8(body)
            .map_err(|error| error.to_string())
            .and_then(|body| Review::parse(body).map_err(|error| error.to_string()));
        match review {
            Ok(review) => {
                metrics.count("seawall_admission_unjudged_total", &[("why", why)]);
                let allowed = half != Half::Closed || self.door.dry_run;
                self.send(&review.uid, &unjudged(allowed, said))
            }
            Err(why) => self.malformed(why),
        }
    }

    fn malformed(&self, why: String) -> Reply {
        self.door.refused("malformed");
        text(StatusCode::BAD_REQUEST, why + "\n")
    }

    fn send(&self, uid: &str, answer: &Answer) -> Reply {
        let word = if answer.allowed { "allowed" } else { "refused" };
        self.door
            .metrics
            .count("seawall_admission_reviews_total", &[("answer", word)]);
        let mut reply = Response::new(Full::new(Bytes::from(answer.json(uid))));
        reply.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
        reply
    }
}

impl Door {
    fn refused(&self, why: &str) {
        self.metrics
            .count("seawall_http_refused_total", &[("why", why)]);
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    reply
}

/// A duration as Go writes those of webhooks: `10s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_of_webhooks() {
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        for wrong in ["", "10", "-1s", "s", "1e300s", "NaNs"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
