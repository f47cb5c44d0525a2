//! An OCI image layout: a folder with each part of an image under its digest, which every tool for images reads.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Image;
use crate::archive::sha256;

/// The media type of an image's manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of a layer.
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A part of an image.
#[derive(Debug)]
pub(super) struct Blob {
    pub(super) kind: &'static str,
    /// `sha256:…`
    pub(super) digest: String,
    pub(super) bytes: Vec<u8>,
}

impl Blob {
    pub(super) fn new(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            kind,
            digest: digest(&bytes),
            bytes,
        }
    }

    pub(super) fn json(kind: &'static str, value: &Value) -> Result<Self> {
        Ok(Self::new(kind, serde_json::to_vec(value)?))
    }

    pub(super) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.kind, "digest": self.digest, "size": self.bytes.len() })
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

/// Writes an image under a tag, in place of what an earlier run wrote.
pub(super) fn write(image: &Image, out: &Path, tag: &str) -> Result<()> {
    let marker = out.join("oci-layout");
    let used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if used && !marker.is_file() {
        bail!(
            "`{}` holds something else\nhelp: name an empty folder with --out",
            out.display()
        );
    }
    let blobs = out.join("blobs");
    if used {
        fs::remove_dir_all(&blobs).with_context(|| format!("`{}`", blobs.display()))?;
    }
    let folder = blobs.join("sha256");
    fs::create_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
    for blob in image.blobs.iter().chain([&image.manifest]) {
        let name = blob.digest.trim_start_matches("sha256:");
        put(&folder.join(name), &blob.bytes)?;
    }
    let mut descriptor = image.manifest.descriptor();
    if let Value::Object(fields) = &mut descriptor {
        let annotations = json!({ "org.opencontainers.image.ref.name": tag });
        fields.insert("annotations".to_owned(), annotations);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [descriptor],
    });
    put(&out.join("index.json"), &serde_json::to_vec(&index)?)?;
    let version = json!({ "imageLayoutVersion": "1.0.0" });
    put(&marker, &serde_json::to_vec(&version)?)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("`{}`", path.display()))
}
