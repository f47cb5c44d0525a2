//! The container image of seawall: one static program, the authorities that it trusts and an empty folder for
//! temporary files. Nothing in it has a shell, and the same input makes the same bytes.

mod layout;
mod push;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use self::layout::{Blob, digest};
use crate::archive::Archive;
use crate::elf;
use crate::places::Places;
use crate::run::{print, say};
use crate::shipped;

/// Debian's bundle of the authorities that browsers trust.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The user that distroless images call nonroot: no user of any node.
const USER: &str = "65532:65532";

/// An image, every part of it under its digest.
#[derive(Debug)]
pub(super) struct Image {
    /// Configuration and layers.
    blobs: Vec<Blob>,
    manifest: Blob,
}

impl Image {
    /// Puts a program into an image.
    fn of(program: &[u8], authorities: &[u8], version: &str) -> Result<Self> {
        let architecture = elf::architecture_of_static(program)?;
        let mut layer = Archive::default();
        layer.folder("tmp/", 0o1777)?;
        layer.file("etc/ssl/certs/ca-certificates.crt", 0o644, authorities)?;
        layer.file("seawall", 0o755, program)?;
        let (packed, unpacked) = layer.packed()?;
        let layer = Blob::new(layout::LAYER, packed);
        let config = Blob::json(
            "application/vnd.oci.image.config.v1+json",
            &json!({
                "architecture": architecture,
                "os": "linux",
                "config": {
                    "User": USER,
                    "Entrypoint": ["/seawall"],
                    "Cmd": ["--help"],
                    "WorkingDir": "/tmp",
                    "Labels": labels(version),
                },
                "rootfs": { "type": "layers", "diff_ids": [digest(&unpacked)] },
                "history": [{ "created_by": "cargo xtask image" }],
            }),
        )?;
        let manifest = Blob::json(
            layout::MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": layout::MANIFEST,
                "config": config.descriptor(),
                "layers": [layer.descriptor()],
                "annotations": labels(version),
            }),
        )?;
        Ok(Self {
            blobs: vec![config, layer],
            manifest,
        })
    }
}

/// What OCI's image specification calls pre-defined annotation keys.
fn labels(version: &str) -> Value {
    json!({
        "org.opencontainers.image.title": "seawall",
        "org.opencontainers.image.description": "Guidelines for securing Kubernetes on Azure, executable",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.version": version,
    })
}

/// What was asked for.
#[derive(Debug, Default)]
struct Wishes {
    binary: Option<PathBuf>,
    out: Option<PathBuf>,
    push: Option<String>,
}

impl Wishes {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut wishes = Self::default();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().with_context(|| {
                format!("`{name}` needs a value, or is unknown\nhelp: cargo xtask --help")
            })?;
            match name.as_str() {
                "--binary" => wishes.binary = Some(value.into()),
                "--out" => wishes.out = Some(value.into()),
                "--push" => wishes.push = Some(value.clone()),
                _ => bail!("`image` knows no `{name}`\nhelp: cargo xtask --help"),
            }
        }
        Ok(wishes)
    }
}

/// `cargo xtask image`.
pub(crate) fn make(places: &Places, arguments: &[String]) -> Result<()> {
    let wishes = Wishes::read(arguments)?;
    let binary = match wishes.binary {
        Some(binary) => binary,
        None => shipped::build(places, &[])?,
    };
    let program = read(&binary)?;
    let authorities = read(Path::new(AUTHORITIES)).with_context(
        || "the authorities to trust are missing\nhelp: apt-get install ca-certificates",
    )?;
    let version = env!("CARGO_PKG_VERSION");
    let image = Image::of(&program, &authorities, version)?;
    let out = wishes.out.unwrap_or_else(|| places.target().join("image"));
    layout::write(&image, &out, version)?;
    say(&format!(
        "image: {} with {:.1} MB, an OCI image layout\nhelp: oras cp --from-oci-layout {}:{version} REGISTRY/NAME:TAG",
        out.display(),
        image.bytes() as f64 / 1e6,
        out.display(),
    ));
    if let Some(reference) = wishes.push {
        push::push(&image, &reference)?;
        say(&format!("image: pushed to {reference}"));
    }
    print(&format!("{}\n", image.manifest.digest));
    Ok(())
}

impl Image {
    fn bytes(&self) -> usize {
        self.blobs.iter().map(|blob| blob.bytes.len()).sum()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("`{}`", path.display()))
}
