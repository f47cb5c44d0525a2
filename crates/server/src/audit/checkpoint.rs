//! Where it is noted how far logs were read: a file, or a blob that nobody overwrites who has not read it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use sources::azure::SignIn;
use sources::blob::Blobs;

/// A checkpoint is no longer than this, unpacked.
const LONGEST: u64 = 256 << 20;

/// Where checkpoints are.
pub enum Checkpoints {
    /// A file.
    File(PathBuf),
    /// A blob, and its ETag as it was last seen here.
    Blob(Box<Blobs>, String, Option<String>),
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Blob(blobs, name, _) => f.debug_tuple("Blob").field(blobs).field(name).finish(),
        }
    }
}

/// What became of writing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Yes,
    /// Somebody else wrote one since it was read here.
    Another,
}

impl Checkpoints {
    /// A file, or `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`. Nothing is read yet.
    ///
    /// # Errors
    /// When it is an address, but none of Blob storage.
    pub fn new(
        place: &str,
        sign_in: impl FnOnce() -> Result<SignIn, String>,
    ) -> Result<Self, String> {
        if !super::is_url(place) {
            return Ok(Self::File(PathBuf::from(place)));
        }
        let place = place.trim_end_matches('/');
        let wrong = || "it names no blob: https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME";
        let (folder, name) = place.rsplit_once('/').ok_or_else(wrong)?;
        let blobs = Blobs::new(folder, &sign_in()?).map_err(|_| wrong().to_owned())?;
        Ok(Self::Blob(Box::new(blobs), name.to_owned(), None))
    }

    /// What was written last; nothing when nothing was.
    ///
    /// # Errors
    /// When it cannot be read, or is no JSON.
    pub fn load(&mut self) -> Result<Option<Value>, String> {
        let text = match self {
            Self::File(path) => match fs::read(&*path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
            },
            Self::Blob(blobs, name, etag) => {
                let found = blobs.get(name).map_err(|untold| untold.message)?;
                let Some((bytes, now)) = found else {
                    *etag = None;
                    return Ok(None);
                };
                *etag = Some(now);
                let mut text = Vec::new();
                GzDecoder::new(&*bytes)
                    .take(LONGEST)
                    .read_to_end(&mut text)
                    .map_err(|error| error.to_string())?;
                text
            }
        };
        let value = serde_json::from_slice(&text);
        value
            .map(Some)
            .map_err(|error| format!("it is no checkpoint: {error}"))
    }

    /// Writes one, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&mut self, checkpoint: &Value) -> Result<Written, String> {
        let text = checkpoint.to_string();
        match self {
            Self::File(path) => {
                replace(path, text.as_bytes())
                    .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
                Ok(Written::Yes)
            }
            Self::Blob(blobs, name, etag) => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                let packed = packed
                    .write_all(text.as_bytes())
                    .and_then(|()| packed.finish());
                let packed = packed.map_err(|error| error.to_string())?;
                let put = blobs.put(name, &packed, etag.as_deref());
                let now = put.map_err(|untold| match untold.help {
                    Some(help) => format!("{}: {help}", untold.message),
                    None => untold.message,
                })?;
                Ok(match now {
                    Some(now) => {
                        *etag = Some(now);
                        Written::Yes
                    }
                    None => Written::Another,
                })
            }
        }
    }
}

/// Writes a file so that there is always one, the old or the new.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    drop(file);
    fs::rename(&new, path)
}
