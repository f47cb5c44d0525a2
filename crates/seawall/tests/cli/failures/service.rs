//! What stands for the Service: a port on which replicas take turns that say that they are ready, as kube-proxy and
//! a kubelet see to it. A replica that hangs goes on having connections that were open.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often replicas are asked whether they are ready, and for how long. A kubelet does it less often.
const PROBE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(1);

struct Replica {
    address: SocketAddr,
    ready: AtomicBool,
}

#[derive(Default)]
struct State {
    replicas: Mutex<Vec<Arc<Replica>>>,
    next: AtomicUsize,
    stopped: AtomicBool,
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    trusted: Arc<Mutex<String>>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&serving);
                thread::spawn(move || state.lead(stream.ok()?));
            }
        });
        let trusted = Arc::new(Mutex::new(String::new()));
        Self {
            address,
            state,
            trusted,
        }
    }

    /// What the replicas' certificates are signed by.
    pub(crate) fn trust(&self, pem: &str) {
        pem.clone_into(&mut self.trusted.lock().unwrap());
    }

    /// Another replica, from when it says that it is ready.
    pub(crate) fn add(&self, address: SocketAddr) {
        let replica = Arc::new(Replica {
            address,
            ready: AtomicBool::new(false),
        });
        self.state
            .replicas
            .lock()
            .unwrap()
            .push(Arc::clone(&replica));
        let (state, trusted) = (Arc::clone(&self.state), Arc::clone(&self.trusted));
        thread::spawn(move || {
            while !state.stopped.load(Ordering::Relaxed) {
                let pem = trusted.lock().unwrap().clone();
                let url = format!("https://{}", replica.address);
                let answer = oracle::get(&url, "/readyz", &pem, PATIENCE);
                replica
                    .ready
                    .store(matches!(answer, Ok((200, _))), Ordering::Relaxed);
                thread::sleep(PROBE);
            }
        });
    }

    /// How many are ready.
    pub(crate) fn ready(&self) -> usize {
        let replicas = self.state.replicas.lock().unwrap();
        let ready = replicas
            .iter()
            .filter(|one| one.ready.load(Ordering::Relaxed));
        ready.count()
    }

    /// Waits until so many are ready.
    pub(crate) fn has(&self, wanted: usize, within: Duration) {
        let begin = Instant::now();
        while self.ready() < wanted {
            assert!(begin.elapsed() < within, "{}", self.ready());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    /// Leads a connection to a replica; without one it is closed.
    fn lead(&self, client: TcpStream) -> Option<()> {
        let ready: Vec<SocketAddr> = {
            let replicas = self.replicas.lock().unwrap();
            let ready = replicas
                .iter()
                .filter(|one| one.ready.load(Ordering::Relaxed));
            ready.map(|one| one.address).collect()
        };
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let replica = ready.get(turn % ready.len().max(1))?;
        let replica = TcpStream::connect_timeout(replica, PATIENCE).ok()?;
        let (up, down) = (client.try_clone().ok()?, replica.try_clone().ok()?);
        thread::spawn(move || pour(up, down));
        pour(replica, client);
        Some(())
    }
}

fn pour(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
