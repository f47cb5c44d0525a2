//! Reviews at a constant rate over TLS, whether or not answers come: an open loop. A review's time runs from the
//! moment at which it was due, so waiting for a free connection counts.
//!
//! ```text
//! cargo run --release -p seawall-server --example load ADDRESS CA RATE SECONDS [CONNECTIONS] [PATH]
//! ```
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement for people at a terminal"
)]

#[path = "reviews/pods.rs"]
mod pods;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Stream = TlsStream<TcpStream>;

/// What came of the reviews.
#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    answers: BTreeMap<String, usize>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| args.get(at).map(String::as_str);
    let address: SocketAddr = word(0).expect("ADDRESS").parse().expect("an address");
    let trusted = std::fs::read(word(1).expect("CA")).expect("the authority");
    let rate: f64 = word(2).expect("RATE").parse().expect("reviews a second");
    let seconds: f64 = word(3).expect("SECONDS").parse().expect("seconds");
    let connections: usize = word(4).map_or(500, |number| number.parse().expect("connections"));
    let path = word(5).unwrap_or("/validate?timeout=10s").to_owned();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(load(address, trusted, rate, seconds, connections, path));
}

async fn load(
    address: SocketAddr,
    trusted: Vec<u8>,
    rate: f64,
    seconds: f64,
    connections: usize,
    path: String,
) {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&trusted) {
        roots
            .add(certificate.expect("a certificate"))
            .expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    // Every tenth pod is refused.
    let requests: Vec<Arc<Vec<u8>>> = (0..10)
        .map(|number| {
            let body = if number == 0 { pods::bad(10) } else { pods::good(10) };
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: seawall\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            Arc::new([head.as_bytes(), body.as_bytes()].concat())
        })
        .collect();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let (due, inbox) = mpsc::unbounded_channel::<(Instant, Arc<Vec<u8>>)>();
    let inbox = Arc::new(tokio::sync::Mutex::new(inbox));
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut stream = connect(&connector, address).await.expect("a connection");
        let (tally, inbox, connector) = (Arc::clone(&tally), Arc::clone(&inbox), connector.clone());
        clients.push(tokio::spawn(async move {
            loop {
                let next = inbox.lock().await.recv().await;
                let Some((due, request)) = next else {
                    return;
                };
                let answer = match exchange(&mut stream, &request).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        stream = match connect(&connector, address).await {
                            Ok(stream) => stream,
                            Err(_) => return,
                        };
                        format!("lost ({})", error.kind())
                    }
                };
                let mut tally = tally.lock().expect("a tally");
                tally.times.push(due.elapsed());
                *tally.answers.entry(answer).or_default() += 1;
            }
        }));
    }
    println!("{connections} connections, {rate} reviews a second for {seconds} s");
    let begin = Instant::now();
    let count = (rate * seconds) as usize;
    for number in 0..count {
        let moment = begin + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(moment).await;
        let _ = due.send((moment, Arc::clone(&requests[number % requests.len()])));
    }
    drop(due);
    for client in clients {
        let _ = client.await;
    }
    let took = begin.elapsed();
    let mut tally = tally.lock().expect("a tally");
    tally.times.sort();
    let at = |part: f64| {
        let index = (tally.times.len().saturating_sub(1) as f64 * part) as usize;
        tally
            .times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{} answers in {:.1} s ({:.0} a second): p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, worst {:.2} ms",
        tally.times.len(),
        took.as_secs_f64(),
        tally.times.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    for (answer, count) in &tally.answers {
        println!("  {count} {answer}");
    }
}

async fn connect(connector: &TlsConnector, address: SocketAddr) -> io::Result<Stream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::IpAddress(address.ip().into());
    connector.connect(name, stream).await
}

/// One request and what was answered, in a word.
async fn exchange(stream: &mut Stream, request: &[u8]) -> io::Result<String> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut bytes = Vec::with_capacity(8192);
    let head = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or_default();
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let body = String::from_utf8_lossy(&bytes[head..]);
    let status = text.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok(if body.contains("did not judge") {
        "not judged".to_owned()
    } else if body.contains("\"allowed\":true") {
        "allowed".to_owned()
    } else if body.contains("\"allowed\":false") {
        "refused".to_owned()
    } else {
        format!("status {status}")
    })
}
