//! Files in a tar archive, packed. Owners are root, times the epoch's, so that it hangs on nothing but the files'
//! names, modes and contents.

use std::io::Write as _;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// An archive that is being filled.
pub(crate) struct Archive(Builder<Vec<u8>>);

impl Default for Archive {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Archive {
    pub(crate) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        self.add(EntryType::Directory, path, mode, &[])
    }

    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
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

    /// The archive packed, and as it is unpacked.
    pub(crate) fn packed(self) -> Result<(Vec<u8>, Vec<u8>)> {
        let archive = self.0.into_inner()?;
        let mut packed = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::best());
        packed.write_all(&archive)?;
        Ok((packed.finish()?, archive))
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
