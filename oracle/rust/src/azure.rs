//! A loopback server that answers as Azure Resource Manager, Resource Graph, Microsoft Graph and the
//! token service do, from bodies that a test gives it: with pages, API versions, rights and troubles.
//! No emulator of these exists; the bodies are written to the shapes of the public API
//! specifications, and say which.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

mod answers;
mod logs;

pub use logs::MONITOR_TOKEN;

use crate::{Error, Result};

/// The token that the server gives and takes.
pub const TOKEN: &str = "token-of-the-loopback-server";

/// What goes wrong, and for which requests.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// A part of `METHOD /path?query`.
    pub request: String,
    /// How often it goes wrong before it works.
    pub times: usize,
    /// What happens.
    pub what: What,
}

/// What may happen to a request.
#[derive(Debug, Clone)]
pub enum What {
    /// A status with Azure's code, and headers.
    Status(u16, &'static str, Vec<(&'static str, String)>),
    /// An answer that is cut in the middle.
    Garbage,
    /// An answer after this time.
    Slow(Duration),
    /// A proxy's page, with this status.
    Page(u16),
    /// The connection ends without an answer.
    HangUp,
    /// The next page is said to be here.
    NextLink(String),
    /// The version is rejected, with a message that names these.
    RejectsVersion(&'static str),
    /// Resource Graph cuts its answer and gives no way on.
    Truncated,
    /// The headers are added to the answer.
    Headers(Vec<(&'static str, String)>),
}

/// What a test gives the server.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Ids of subscriptions.
    pub subscriptions: Vec<String>,
    /// Resources: `id`, `type` and whatever else; `_source` is not sent.
    pub resources: Vec<Value>,
    /// Objects of Microsoft Graph: `id`, `@odata.type`; groups with `members`.
    pub directory: Vec<Value>,
    /// Actions that the caller lacks, with the scope they are lacking at and below.
    pub denied: Vec<(String, String)>,
    /// Lists leave out what is denied instead of being refused.
    pub silent: bool,
    /// The management groups above subscriptions, the nearest first; above others is the root alone.
    pub chains: Vec<(String, Vec<String>)>,
    /// Items of a page.
    pub page: usize,
    /// Namespaces that are not registered.
    pub unregistered: Vec<String>,
    /// API versions by type; others have [`VERSIONS`].
    pub versions: Vec<(String, Vec<String>)>,
    /// The content of the token file that is taken.
    pub assertion: String,
    /// Streams that take rows: `/dataCollectionRules/ID/streams/NAME`.
    pub streams: Vec<String>,
    /// The most bytes of rows that are taken at once, where it is less than Azure's.
    pub most_of_a_call: Option<usize>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
}

/// The versions of a type of which the test says nothing.
pub const VERSIONS: [&str; 3] = ["2031-01-01-preview", "2030-01-01", "2029-01-01"];

#[derive(Debug)]
struct State {
    world: Mutex<World>,
    requests: Mutex<Vec<String>>,
    rows: Mutex<Vec<Value>>,
    address: String,
    stopped: AtomicBool,
}

/// The running server. Dropping it ends it.
#[derive(Debug)]
pub struct Azure {
    state: Arc<State>,
    port: u16,
    certificate: String,
}

impl Azure {
    /// Starts it on a port of its own.
    ///
    /// # Errors
    /// No port or no certificate can be had.
    pub fn start(world: World) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| Error::Answer(error.to_string());
        let made = rcgen::generate_simple_self_signed(vec![
            "127.0.0.1".to_owned(),
            "localhost".to_owned(),
        ])
        .map_err(|error| failed(&error))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|error| failed(&error))?;
        let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| failed(&error))?;
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| failed(&error))?;
        let port = listener
            .local_addr()
            .map_err(|error| failed(&error))?
            .port();
        let state = Arc::new(State {
            world: Mutex::new(world),
            requests: Mutex::new(Vec::new()),
            rows: Mutex::new(Vec::new()),
            address: format!("https://127.0.0.1:{port}"),
            stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), state, config) =
                    (stream, Arc::clone(&shared), Arc::clone(&config))
                else {
                    continue;
                };
                thread::spawn(move || serve(stream, config, &state));
            }
        });
        Ok(Self {
            state,
            port,
            certificate: made.cert.pem(),
        })
    }

    /// `https://127.0.0.1:PORT`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.state.address
    }

    /// Its certificate, PEM, which is its own authority.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The requests so far, `METHOD /path?query`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        locked(&self.state.requests).clone()
    }

    /// The rows that streams took.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        locked(&self.state.rows).clone()
    }

    /// Another world from now on.
    pub fn set(&self, world: World) {
        *locked(&self.state.world) = world;
        locked(&self.state.requests).clear();
    }
}

impl Drop for Azure {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request as it came.
struct Request {
    method: String,
    /// path and query
    target: String,
    authorization: String,
    body: Vec<u8>,
}

/// An answer as it goes.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn serve(stream: TcpStream, config: Arc<rustls::ServerConfig>, state: &State) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(120)));
    let _ = stream.set_nodelay(true);
    let Ok(connection) = rustls::ServerConnection::new(config) else {
        return;
    };
    let mut tls = BufReader::new(rustls::StreamOwned::new(connection, stream));
    while let Some(request) = receive(&mut tls) {
        let shown = format!("{} {}", request.method, request.target);
        locked(&state.requests).push(shown.clone());
        let trouble = take_trouble(&mut locked(&state.world), &shown);
        let world = locked(&state.world).clone();
        let mut answer = match &trouble {
            Some(What::Status(status, code, headers)) => Answer {
                headers: headers.clone(),
                ..answers::error(*status, code, "as the test wants it")
            },
            Some(What::RejectsVersion(message)) => {
                answers::error(400, "NoRegisteredProviderFound", message)
            }
            Some(What::Page(status)) => Answer {
                status: *status,
                headers: vec![("location", "https://login.example/".to_owned())],
                body: b"<!DOCTYPE html><title>Sign in to the internet</title>".to_vec(),
            },
            Some(What::HangUp) => return,
            _ if request.target.starts_with("/dataCollectionRules/") => {
                logs::answer(state, &world, &request)
            }
            _ => answers::answer(&world, &state.address, &request),
        };
        match trouble {
            Some(What::Garbage) => answer.body.truncate(answer.body.len() / 2),
            Some(What::Slow(time)) => thread::sleep(time),
            Some(What::NextLink(link)) => answers::set(&mut answer, "nextLink", link.into()),
            Some(What::Truncated) => {
                answers::set(&mut answer, "$skipToken", Value::Null);
                answers::set(&mut answer, "resultTruncated", "true".into());
            }
            Some(What::Headers(headers)) => answer.headers.extend(headers),
            _ => {}
        }
        if send(tls.get_mut(), &answer).is_none() {
            return;
        }
    }
}

fn take_trouble(world: &mut World, shown: &str) -> Option<What> {
    let trouble = world
        .troubles
        .iter_mut()
        .find(|trouble| trouble.times > 0 && shown.contains(&trouble.request))?;
    trouble.times -= 1;
    Some(trouble.what.clone())
}

type Tls = rustls::StreamOwned<rustls::ServerConnection, TcpStream>;

fn receive(tls: &mut BufReader<Tls>) -> Option<Request> {
    let mut line = String::new();
    tls.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    let mut authorization = String::new();
    loop {
        let mut header = String::new();
        tls.read_line(&mut header).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    tls.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        target,
        authorization,
        body,
    })
}

fn send(tls: &mut Tls, answer: &Answer) -> Option<()> {
    let mut head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    // One write: a second small one would wait for the first to be acknowledged.
    let mut whole = head.into_bytes();
    whole.extend_from_slice(&answer.body);
    tls.write_all(&whole).ok()?;
    tls.flush().ok()
}
