//! A registry of container images of its own for each test that asks for one.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

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

    /// Keeps a blob, and gives its digest.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn blob(&self, repository: &str, bytes: &[u8]) -> Result<String> {
        let failed = |error: ureq::Error| Error::Answer(error.to_string());
        let digest = digest(bytes);
        let begin = format!("http://{}/v2/{repository}/blobs/uploads/", self.address);
        let begun = ureq::post(begin).send_empty().map_err(failed)?;
        let to = begun
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok())
            .ok_or_else(|| Error::Answer("no place for an upload".to_owned()))?;
        let separator = if to.contains('?') { '&' } else { '?' };
        ureq::put(format!("{to}{separator}digest={digest}"))
            .content_type("application/octet-stream")
            .send(bytes)
            .map_err(failed)?;
        Ok(digest)
    }

    /// Keeps a manifest under a tag or its digest, and gives its digest.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn manifest(&self, repository: &str, under: &str, manifest: &Value) -> Result<String> {
        let text = manifest.to_string();
        let digest = digest(text.as_bytes());
        let under = if under.is_empty() { &digest } else { under };
        let kind = manifest
            .get("mediaType")
            .and_then(Value::as_str)
            .unwrap_or("application/vnd.oci.image.manifest.v1+json");
        ureq::put(format!(
            "http://{}/v2/{repository}/manifests/{under}",
            self.address
        ))
        .content_type(kind)
        .send(text.as_bytes())
        .map_err(|error| Error::Answer(error.to_string()))?;
        Ok(digest)
    }

    /// Keeps an image of a configuration and of layers, and gives its manifest.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn image(
        &self,
        repository: &str,
        tag: &str,
        config: &Value,
        layers: &[&[u8]],
    ) -> Result<Value> {
        let config = config.to_string();
        let described = |kind: &str, digest: String, bytes: &[u8]| {
            json!({
                "mediaType": format!("application/vnd.oci.image.{kind}"),
                "digest": digest,
                "size": bytes.len(),
            })
        };
        let of = self.blob(repository, config.as_bytes())?;
        let mut all = Vec::new();
        for layer in layers {
            let of = self.blob(repository, layer)?;
            all.push(described("layer.v1.tar", of, layer));
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described("config.v1+json", of, config.as_bytes()),
            "layers": all,
        });
        self.manifest(repository, tag, &manifest)?;
        Ok(manifest)
    }
}

/// `sha256:…`
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hash = hash(&SHA256, bytes);
    let begin = "sha256:".to_owned();
    hash.as_ref().iter().fold(begin, |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
