//! Tries targets, several at a time. What an error of the system means is decided here.

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::dns;
use super::report::{Attempt, Outcome};
use super::target::{Target, To};

/// What runs around the probe says where things are.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long an answer is waited for, each time.
    pub wait: Duration,
    /// Where the API server is, as Kubernetes tells every container.
    pub api_server: Option<(String, u16)>,
    /// The address of the node.
    pub node: Option<String>,
}

/// A lost packet is no answer of anybody: nothing counts as silent that was asked once.
const TRIES: usize = 2;

/// So many at a time: each waits, none works.
const AT_ONCE: usize = 16;

/// Kubernetes' port of the kubelet, and that of its readers without credentials, which AKS closes.
const KUBELET: [u16; 2] = [10250, 10255];

/// Azure's own addresses (Azure documentation, virtual-machines/instance-metadata-service and
/// virtual-network/what-is-ip-address-168-63-129-16, seen 2026-11-27).
const METADATA: &str = "169.254.169.254";
const WIRE_SERVER: &str = "168.63.129.16";

/// Questions without a secret in their answer: which machine it is, and which versions of the protocol there are.
const ABOUT_MACHINE: &str = "/metadata/instance?api-version=2021-02-01";
const ABOUT_VERSIONS: &str = "/?comp=versions";

/// Tries everything; in the order of the targets.
#[must_use]
pub fn run(targets: &[Target], options: &Options) -> Vec<Attempt> {
    let planned: Vec<Attempt> = targets
        .iter()
        .flat_map(|target| planned(target, options))
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(planned.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(attempt) = planned.get(at) else {
                        break;
                    };
                    let attempt = tried(attempt.clone(), options.wait);
                    if let Ok(mut done) = done.lock() {
                        done.push((at, attempt));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, attempt)| attempt).collect()
}

/// The attempts that a target is, none of them made.
fn planned(target: &Target, options: &Options) -> Vec<Attempt> {
    let at = |to: To, host: &str, port: u16| Attempt {
        to,
        workload: None,
        pod_port: None,
        protocol: "TCP".to_owned(),
        host: host.to_owned(),
        address: None,
        port,
        outcome: Outcome::Failed,
        status: None,
        detail: None,
    };
    let not_known = |to: To, port: u16, what: &str| Attempt {
        detail: Some(format!("{what} is not known")),
        ..at(to, "", port)
    };
    match target {
        Target::Known(To::Metadata) => vec![at(To::Metadata, METADATA, 80)],
        Target::Known(To::WireServer) => [80, 32526]
            .map(|port| at(To::WireServer, WIRE_SERVER, port))
            .into(),
        Target::Known(To::ApiServer) => vec![match &options.api_server {
            Some((host, port)) => at(To::ApiServer, host, *port),
            None => not_known(To::ApiServer, 443, "where the API server is"),
        }],
        Target::Known(To::Node) => KUBELET
            .map(|port| match &options.node {
                Some(node) => at(To::Node, node, port),
                None => not_known(To::Node, port, "the address of the node"),
            })
            .into(),
        Target::Known(_) => {
            let asked = match dns::server() {
                Some(server) => at(To::Dns, &server.to_string(), 53),
                None => not_known(To::Dns, 53, "the server for names"),
            };
            vec![Attempt {
                protocol: "UDP".to_owned(),
                ..asked
            }]
        }
        Target::Internet(host, port) => vec![at(To::Internet, host, *port)],
        Target::Workload(workload, own, host, port) => vec![Attempt {
            workload: Some(workload.clone()),
            pod_port: Some(*own),
            ..at(To::Workload, host, *port)
        }],
    }
}

fn tried(mut attempt: Attempt, wait: Duration) -> Attempt {
    if attempt.host.is_empty() {
        return attempt;
    }
    let address = match resolve(&attempt.host, attempt.port) {
        Ok(address) => address,
        Err(why) => {
            attempt.outcome = Outcome::Unresolved;
            attempt.detail = Some(why);
            return attempt;
        }
    };
    attempt.address = Some(address.ip());
    for _ in 0..TRIES {
        let answer = if attempt.protocol == "UDP" {
            ask(address, wait).map(Some)
        } else {
            connect(address, attempt.to, wait)
        };
        let error = match answer {
            Ok(status) => {
                attempt.outcome = Outcome::Open;
                attempt.status = status;
                return attempt;
            }
            Err(error) => error,
        };
        attempt.outcome = outcome(error.kind());
        attempt.detail = (attempt.outcome != Outcome::Silent).then(|| said(&error));
        if attempt.outcome != Outcome::Silent {
            break;
        }
    }
    attempt
}

/// What the system's error says of the network. An ICMP message that a port is unreachable, and a reset, are refusals; that
/// something is prohibited comes as a host or network that is unreachable (Linux, net/ipv4/icmp.c, `icmp_err_convert`, and
/// net/ipv6/icmp.c; `EACCES` and `EPERM` where the own kernel's filters refuse to send).
const fn outcome(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Outcome::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Outcome::Silent,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::PermissionDenied => Outcome::Unreachable,
        _ => Outcome::Failed,
    }
}

/// The error without the number that Rust adds.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    plain.to_lowercase()
}

/// The first address of a host.
fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    match (host, port).to_socket_addrs() {
        Ok(mut all) => all
            .next()
            .ok_or_else(|| "the name leads to no address".to_owned()),
        Err(error) => Err(said(&error)),
    }
}

/// Connects; of the platform's own services the status of an answer.
fn connect(address: SocketAddr, to: To, wait: Duration) -> Result<Option<u16>, Error> {
    let mut stream = TcpStream::connect_timeout(&address, wait)?;
    let path = match (to, address.port()) {
        (To::Metadata, _) => ABOUT_MACHINE,
        (To::WireServer, 80) => ABOUT_VERSIONS,
        _ => return Ok(None),
    };
    // It is connected: what comes of the question does not change that.
    Ok(status(&mut stream, address, path, wait).ok().flatten())
}

/// The status that a question by HTTP is answered with; of the answer nothing else is read.
fn status(
    stream: &mut TcpStream,
    address: SocketAddr,
    path: &str,
    wait: Duration,
) -> Result<Option<u16>, Error> {
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nMetadata: true\r\nConnection: close\r\n\r\n",
        address.ip()
    );
    stream.write_all(question.as_bytes())?;
    // `HTTP/1.1 200`
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let line = String::from_utf8_lossy(&line);
    let code = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..));
    Ok(code.and_then(|code| code.parse().ok()))
}

/// Asks a server for a name; the code of its answer.
fn ask(address: SocketAddr, wait: Duration) -> Result<u16, Error> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => [0, 0, 0, 0].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(wait))?;
    socket.send(&dns::question())?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer)?;
    let answer = answer.get(..length).unwrap_or_default();
    dns::code(answer).ok_or_else(|| Error::new(ErrorKind::InvalidData, "no answer to the question"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn options(api_server: Option<(String, u16)>) -> Options {
        Options {
            wait: Duration::from_millis(500),
            api_server,
            node: None,
        }
    }

    #[test]
    fn who_listens_is_open_and_who_does_not_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let closed = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let targets = [
            Target::Internet("127.0.0.1".to_owned(), open),
            Target::Internet("127.0.0.1".to_owned(), closed),
            Target::Internet("nobody.invalid".to_owned(), 443),
            Target::Known(To::Node),
            Target::Known(To::ApiServer),
        ];
        let api = Some(("127.0.0.1".to_owned(), open));
        let results = run(&targets, &options(api));
        let all: Vec<(u16, Outcome)> = results.iter().map(|one| (one.port, one.outcome)).collect();
        assert_eq!(
            all,
            [
                (open, Outcome::Open),
                (closed, Outcome::Refused),
                (443, Outcome::Unresolved),
                (10250, Outcome::Failed),
                (10255, Outcome::Failed),
                (open, Outcome::Open),
            ]
        );
        let detail = results[3].detail.as_deref();
        assert_eq!(detail, Some("the address of the node is not known"));
    }

    #[test]
    fn of_an_answer_only_the_status_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 512];
            let length = stream.read(&mut question).unwrap();
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n{\"access_token\":\"CANARY\"}")
                .unwrap();
            String::from_utf8_lossy(&question[..length]).into_owned()
        });
        let wait = Duration::from_secs(5);
        assert_eq!(connect(address, To::Metadata, wait).unwrap(), Some(403));
        let asked = server.join().unwrap();
        assert!(asked.contains("GET /metadata/instance?"), "{asked}");
        assert!(asked.contains("Metadata: true"), "{asked}");
    }
}
