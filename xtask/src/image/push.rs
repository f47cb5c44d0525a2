//! Pushes an image to a registry on this machine, as OCI's distribution specification says. It leaves out signing in
//! and TLS: for other registries there are `oras`, `crane` and `skopeo`, which read the layout.

use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Image, layout::Blob};

/// `HOST:PORT/NAME:TAG`.
struct Reference<'a> {
    host: &'a str,
    name: &'a str,
    tag: &'a str,
}

impl<'a> Reference<'a> {
    fn read(text: &'a str) -> Result<Self> {
        let parts = || {
            let (host, rest) = text.split_once('/')?;
            let (name, tag) = rest.rsplit_once(':')?;
            Some(Self { host, name, tag })
        };
        let reference = parts().with_context(|| {
            format!("`{text}` is no reference\nhelp: write 127.0.0.1:5000/seawall:TAG")
        })?;
        let host = reference
            .host
            .rsplit_once(':')
            .map_or(reference.host, |(host, _)| host);
        let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if !here {
            bail!("`{host}` is not this machine\nhelp: oras cp --from-oci-layout DIR:TAG {text}");
        }
        Ok(reference)
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/v2/{}/{rest}", self.host, self.name)
    }
}

pub(super) fn push(image: &Image, reference: &str) -> Result<()> {
    let to = Reference::read(reference)?;
    for blob in &image.blobs {
        patiently(|| upload(&to, blob))
            .with_context(|| format!("{} to {}", blob.digest, to.host))?;
    }
    let manifest = &image.manifest;
    let send = || {
        ureq::put(to.url(&format!("manifests/{}", to.tag)))
            .content_type(manifest.kind)
            .send(manifest.bytes.as_slice())
            .map(drop)
            .map_err(Sent::of)
    };
    patiently(send).with_context(|| format!("the manifest to {reference}"))
}

/// How often something is sent, with a pause that doubles in between.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// What became of something that was not taken.
struct Sent {
    why: anyhow::Error,
    /// It may be taken later.
    later: bool,
}

impl Sent {
    /// What a registry refuses it refuses again, unless it is busy or begins
    /// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>).
    fn of(error: ureq::Error) -> Self {
        let later = match error {
            ureq::Error::StatusCode(status) => status == 429 || status >= 500,
            ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::Timeout(_) => true,
            _ => false,
        };
        Self {
            why: error.into(),
            later,
        }
    }
}

/// Sends until it is taken or refused. An upload that broke off is begun anew.
fn patiently(send: impl Fn() -> Result<(), Sent>) -> Result<()> {
    let mut attempt = 1;
    loop {
        match send() {
            Ok(()) => return Ok(()),
            Err(sent) if sent.later && attempt < ATTEMPTS => {
                thread::sleep(PAUSE * 2_u32.pow(attempt - 1));
                attempt += 1;
            }
            Err(sent) => return Err(sent.why),
        }
    }
}

/// One blob at once, where the registry says.
fn upload(to: &Reference<'_>, blob: &Blob) -> Result<(), Sent> {
    let begun = ureq::post(to.url("blobs/uploads/"))
        .send_empty()
        .map_err(Sent::of)?;
    let location = begun
        .headers()
        .get("location")
        .and_then(|location| location.to_str().ok())
        .context("the registry names no place for an upload")
        .map_err(|why| Sent { why, later: false })?;
    let location = if location.starts_with('/') {
        format!("http://{}{location}", to.host)
    } else {
        location.to_owned()
    };
    let separator = if location.contains('?') { '&' } else { '?' };
    ureq::put(format!("{location}{separator}digest={}", blob.digest))
        .content_type("application/octet-stream")
        .send(blob.bytes.as_slice())
        .map(drop)
        .map_err(Sent::of)
}
