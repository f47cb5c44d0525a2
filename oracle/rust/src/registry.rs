//! A registry of container images of its own for each test that asks for one.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::Guard;
use crate::server::{PATIENCE, free_ports, new_folder, write};
use crate::{Error, Result, part};

/// A running registry (the CNCF's Distribution), empty, over plain HTTP. It ends when dropped, or with this process;
/// its folder is deleted then.
#[derive(Debug)]
pub struct Registry {
    _server: Guard,
    address: String,
}

impl Registry {
    /// Starts a registry and waits until it listens.
    pub fn start() -> Result<Self> {
        let program = part("docker-registry")?;
        let begin = Instant::now();
        loop {
            let folder = new_folder()?;
            let [port] = free_ports()?;
            let address = format!("127.0.0.1:{port}");
            let storage = folder.join("storage");
            let settings = format!(
                "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {storage:?}}}, delete: {{enabled: true}}}}\nhttp: {{addr: {address:?}}}\n"
            );
            write(&folder, "config.yml", &settings)?;
            let settings = folder.join("config.yml").to_string_lossy().into_owned();
            let mut server =
                Guard::start(&program, &["serve".to_owned(), settings], &folder, true)?;
            loop {
                if TcpStream::connect(&address).is_ok() {
                    return Ok(Self {
                        _server: server,
                        address,
                    });
                }
                match server.alive() {
                    // Another process may take a free port before the registry does.
                    Err(Error::Process { log, .. })
                        if log.contains("address already in use") && begin.elapsed() < PATIENCE =>
                    {
                        break;
                    }
                    alive => alive?,
                }
                if begin.elapsed() > PATIENCE {
                    return Err(server.failed("was not ready in time"));
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}
