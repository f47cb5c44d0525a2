//! Connections over TLS, with bounds on what clients do before anybody looks at what they ask. The webhook and the
//! dashboard have the same: a bounded number, a handshake and a first request within seconds, HTTP/1.1 with a small
//! head, and an orderly end.
//!
//! What it deliberately leaves out: requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::tls::{CertificateError, Certificates};

/// What is answered.
pub(crate) type Reply = Response<Full<Bytes>>;

/// What clients may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Open connections.
    pub(crate) connections: usize,
    /// For the handshake, and for the first request after it.
    pub(crate) patience: Duration,
    /// For the next request.
    pub(crate) idle: Duration,
    /// Bytes of a head.
    pub(crate) head: usize,
    /// For those that are open when it ends.
    pub(crate) leave: Duration,
}

/// Who answers.
pub(crate) trait House: Clone + Send + Sync + 'static {
    /// What is answered to a request.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Reply> + Send;

    /// A client was sent away, and why.
    fn refused(&self, why: &str);

    /// So many more connections are open.
    fn open(&self, _more: f64) {}
}

/// Serves until `stop` is true; then no connection is accepted, and those that are open end after their answer.
pub(crate) async fn serve<H: House>(
    listener: TcpListener,
    house: H,
    certificates: &Arc<Certificates>,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CertificateError> {
    let acceptor = TlsAcceptor::from(Arc::new(certificates.server()?));
    let places = Arc::new(Semaphore::new(bounds.connections));
    loop {
        // Beyond the bound, clients wait before they are accepted.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok(place) = place else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let client = Client {
                    house: house.clone(),
                    bounds,
                    _place: place,
                };
                tokio::spawn(client.talk(stream, acceptor.clone(), stop.clone()));
            }
            // No more file descriptors, for instance: others may end meanwhile.
            Err(_) => {
                house.refused("accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // All places free again: everybody has left.
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(bounds.leave, places.acquire_many(all)).await;
    Ok(())
}

/// One connection.
struct Client<H> {
    house: H,
    bounds: Bounds,
    _place: OwnedSemaphorePermit,
}

impl<H: House> Client<H> {
    async fn talk(self, stream: TcpStream, acceptor: TlsAcceptor, mut stop: watch::Receiver<bool>) {
        let Bounds {
            patience,
            idle,
            head,
            ..
        } = self.bounds;
        let _ = stream.set_nodelay(true);
        let stream = match tokio::time::timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return self.house.refused("tls"),
            Err(_) => return self.house.refused("slow"),
        };
        let _open = Open::count(&self.house);
        let asked = Arc::new(AtomicBool::new(false));
        let (house, noted) = (self.house.clone(), Arc::clone(&asked));
        let service = service_fn(move |request| {
            noted.store(true, Ordering::Relaxed);
            let house = house.clone();
            async move { Ok::<_, Infallible>(house.answer(request).await) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_headers(64)
            .max_buf_size(head);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let first = tokio::time::sleep(patience);
        tokio::pin!(first);
        let (mut waits, mut goes_on) = (true, true);
        loop {
            tokio::select! {
                done = connection.as_mut() => {
                    if done.is_err_and(|error| error.is_parse() || error.is_timeout()) {
                        self.house.refused("malformed");
                    }
                    return;
                }
                () = first.as_mut(), if waits => {
                    waits = false;
                    if !asked.load(Ordering::Relaxed) {
                        return self.house.refused("slow");
                    }
                }
                _ = stop.wait_for(|stop| *stop), if goes_on => {
                    goes_on = false;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Counts a connection while it is open.
struct Open<'h, H: House>(&'h H);

impl<'h, H: House> Open<'h, H> {
    fn count(house: &'h H) -> Self {
        house.open(1.0);
        Self(house)
    }
}

impl<H: House> Drop for Open<'_, H> {
    fn drop(&mut self) {
        self.0.open(-1.0);
    }
}
