//! A webhook that runs, and a client that speaks to it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use guide::Guide;
use jiff::Timestamp;
use report::config::Config;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use server::bench::{Alone, Bench, Beside, Law, Select};
use server::configuration::Configuration;
use server::docket::Docket;
use server::http::{Door, Limits, serve};
use server::metrics::Metrics;
use server::tls::{Certificates, made};
use server::trace::Tracer;

/// The day on which tests judge.
pub(crate) fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

/// How a webhook is to run.
pub(crate) struct Wishes {
    pub(crate) config: &'static str,
    /// Which guidelines are asked.
    pub(crate) select: Select,
    /// The Kubernetes minor judged against.
    pub(crate) minor: Option<u8>,
    pub(crate) limits: Limits,
    pub(crate) capacity: usize,
    pub(crate) judges: bool,
    pub(crate) dry_run: bool,
    pub(crate) beside: Arc<dyn Beside>,
    /// How many seconds ago its certificate was made.
    pub(crate) made_ago: i64,
    /// Where its spans go.
    pub(crate) tracer: Arc<Tracer>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            config: "",
            select: Arc::new(|_, _| true),
            minor: Some(34),
            limits: Limits::default(),
            capacity: 256,
            judges: true,
            dry_run: false,
            beside: Arc::new(Alone),
            made_ago: 0,
            tracer: Tracer::new(None),
        }
    }
}

/// A webhook on a port of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) kept: Mutex<made::Kept>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) docket: Arc<Docket>,
    pub(crate) law: Law,
    stop: tokio::sync::watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

pub(crate) fn names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}

impl Running {
    pub(crate) fn start(wishes: Wishes) -> Self {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty());
        let config = Config::parse("seawall.yaml", wishes.config, &guide).unwrap();
        let law = Law {
            guide: Arc::new(guide),
            config: Configuration::new(config),
            kubernetes_minor: wishes.minor,
            select: wishes.select,
            dry_run: wishes.dry_run,
        };
        let moment = Timestamp::now().as_second() - wishes.made_ago;
        let kept = made::step(&made::Kept::new(), &names(), moment)
            .unwrap()
            .unwrap();
        let certificates = Certificates::new(made::shown(&kept).unwrap());
        let metrics = Arc::new(Metrics::new());
        let docket = Arc::new(Docket::new(wishes.capacity));
        let bench = Bench {
            law: law.clone(),
            beside: wishes.beside,
            docket: Arc::clone(&docket),
            metrics: Arc::clone(&metrics),
            clock: Arc::new(now),
            judges: 2,
            refresh: Duration::from_millis(500),
        };
        let door = Arc::new(Door {
            docket: Arc::clone(&docket),
            metrics: Arc::clone(&metrics),
            certificates: Arc::clone(&certificates),
            limits: wishes.limits,
            dry_run: wishes.dry_run,
            ending: AtomicBool::new(false),
            more: None,
            tracer: wishes.tracer,
        });
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (tell, told) = std::sync::mpsc::channel();
        let mut threads = vec![thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = server::http::listen("127.0.0.1:0".parse().unwrap())
                    .await
                    .unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, door, stopped).await.unwrap();
            });
        })];
        if wishes.judges {
            threads.push(thread::spawn(move || bench.keep().unwrap()));
        }
        let running = Self {
            address: told.recv().unwrap(),
            kept: Mutex::new(kept),
            certificates,
            metrics,
            docket,
            law,
            stop,
            threads,
        };
        let begin = Instant::now();
        while wishes.judges && running.docket.sitting() == 0 {
            assert!(begin.elapsed() < Duration::from_secs(60), "nobody sits");
            thread::sleep(Duration::from_millis(20));
        }
        running
    }

    pub(crate) fn trusted(&self) -> String {
        made::trusted(&self.kept.lock().unwrap())
            .unwrap()
            .to_owned()
    }

    pub(crate) fn connect(&self) -> io::Result<Speaking> {
        Speaking::to(self.address, &self.trusted())
    }

    /// A request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        self.connect().unwrap().ask(method, path, body).unwrap()
    }

    /// The `response` of a review.
    pub(crate) fn review(&self, path: &str, body: &str) -> Value {
        let (status, text) = self.ask("POST", path, body.as_bytes());
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["response"].clone()
    }

    pub(crate) fn refused(&self, why: &str) -> f64 {
        self.metrics
            .value("seawall_http_refused_total", &[("why", why)])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.docket.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A connection over TLS.
pub(crate) struct Speaking {
    pub(crate) stream: StreamOwned<ClientConnection, TcpStream>,
}

impl Speaking {
    pub(crate) fn to(address: SocketAddr, trusted: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream })
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<()> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.stream.flush()
    }

    pub(crate) fn receive(&mut self) -> io::Result<(u16, String)> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                let length: usize = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.trim().parse().unwrap());
                while bytes.len() < end + 4 + length {
                    let read = self.stream.read(&mut buffer)?;
                    if read == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    bytes.extend_from_slice(&buffer[..read]);
                }
                let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]);
                return Ok((status, body.into_owned()));
            }
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&buffer[..read]);
        }
    }

    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> io::Result<(u16, String)> {
        self.send(method, path, body)?;
        self.receive()
    }
}

/// Whether a flag is set, for threads of tests that go on until then.
pub(crate) fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}
