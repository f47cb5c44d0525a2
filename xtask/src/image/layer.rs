//! A layer: files in a tar archive, packed. Owners are root, times the epoch's, so that it hangs on nothing but the
//! files' contents.

use std::io::Write as _;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::layout::{Blob, digest};

/// A layer that is being filled.
pub(super) struct Layer(Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Layer {
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        self.add(EntryType::Directory, path, mode, &[])
    }

    pub(super) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        self.add(EntryType::Regular, path, mode, bytes)
    }

    fn add(&mut self, kind: EntryType, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len().try_into()?);
        Ok(self.0.append_data(&mut header, path, bytes)?)
    }

    /// The layer, and the digest of what it unpacks to.
    pub(super) fn packed(self) -> Result<(Blob, String)> {
        let archive = self.0.into_inner()?;
        let mut packed = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::best());
        packed.write_all(&archive)?;
        let blob = Blob::new(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            packed.finish()?,
        );
        Ok((blob, digest(&archive)))
    }
}
