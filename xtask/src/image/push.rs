//! Pushes an image to a registry on this machine, as OCI's distribution specification says. It leaves out signing in
//! and TLS: for other registries there are `oras`, `crane` and `skopeo`, which read the layout.

use std::net::IpAddr;

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
        upload(&to, blob)?;
    }
    let manifest = &image.manifest;
    ureq::put(to.url(&format!("manifests/{}", to.tag)))
        .content_type(manifest.kind)
        .send(manifest.bytes.as_slice())
        .with_context(|| format!("the manifest to {reference}"))?;
    Ok(())
}

/// One blob at once, where the registry says.
fn upload(to: &Reference<'_>, blob: &Blob) -> Result<()> {
    let what = || format!("{} to {}", blob.digest, to.host);
    let begun = ureq::post(to.url("blobs/uploads/"))
        .send_empty()
        .with_context(what)?;
    let location = begun
        .headers()
        .get("location")
        .and_then(|location| location.to_str().ok())
        .context("the registry names no place for an upload")?;
    let location = if location.starts_with('/') {
        format!("http://{}{location}", to.host)
    } else {
        location.to_owned()
    };
    let separator = if location.contains('?') { '&' } else { '?' };
    ureq::put(format!("{location}{separator}digest={}", blob.digest))
        .content_type("application/octet-stream")
        .send(blob.bytes.as_slice())
        .with_context(what)?;
    Ok(())
}
