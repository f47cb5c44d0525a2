//! Logs that are read into a history: files, and blobs, which are fetched as far as they are new.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tempfile::TempPath;

use crate::error::{Error, to};
use crate::part::{self, EDGE, New, Progress};
use crate::root::{Root, Stores};

/// A log.
#[derive(Debug, Clone)]
pub enum Log {
    /// A file, and what people call it.
    File(PathBuf, String),
    /// A blob.
    Blob(Blob),
}

/// A blob of a container, at the moment that it was listed.
#[derive(Debug, Clone)]
pub struct Blob {
    name: String,
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

/// So much is fetched at once.
const FETCHED: u64 = 4 << 20;

/// Where a log can be read now.
#[derive(Debug)]
pub(crate) enum Here {
    File(PathBuf),
    /// Removed when dropped.
    Fetched(TempPath),
}

impl Here {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Fetched(path) => path,
        }
    }
}

impl Log {
    /// The blobs of a container, below a prefix, that are called like logs, in the order of their names: AKS's are those
    /// of time.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn in_container(url: &str, stores: &Stores) -> Result<Vec<Self>, Error> {
        let root = Root::open(url, stores)?;
        let listed = root.store.list(Some(&root.prefix)).try_collect::<Vec<_>>();
        let mut listed = crate::session::runtime()?
            .block_on(listed)
            .map_err(to(format!("list `{url}`")))?;
        listed.retain(|meta| meta.location.filename().is_some_and(audit::input::is_log));
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        let address = url.trim_end_matches('/');
        let container = address
            .strip_suffix(root.prefix.as_ref())
            .unwrap_or(address)
            .trim_end_matches('/');
        Ok(listed
            .into_iter()
            .map(|meta| {
                Self::Blob(Blob {
                    name: format!("{container}/{}", meta.location),
                    store: Arc::clone(&root.store),
                    meta,
                })
            })
            .collect())
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::File(_, name) => name,
            Self::Blob(blob) => &blob.name,
        }
    }

    /// What of it is new, and where that is.
    pub(crate) async fn news(&self, known: &[Progress], finished: bool) -> io::Result<(New, Here)> {
        let blob = match self {
            Self::File(path, name) => {
                let new = part::new(path, name, known, finished)?;
                return Ok((new, Here::File(path.clone())));
            }
            Self::Blob(blob) => blob,
        };
        let (name, length) = (&blob.name, blob.meta.size);
        let of_it = known.iter().filter(|known| known.name == *name);
        let read = of_it.map(|known| known.to).filter(|to| *to <= length).max();
        if read == Some(length) {
            return Ok((New::Nothing, Here::File(PathBuf::new())));
        }
        if let Some(read) = read {
            let here = blob.fetched(read).await?;
            let new = part::new(&here, name, known, finished)?;
            let reads_on = match &new {
                New::Part(part, _) => part.from == read,
                New::Unfinished | New::Changed => true,
                New::Nothing => false,
            };
            // Else it is another one under the same name, of which only a part is here.
            if reads_on {
                return Ok((new, Here::Fetched(here)));
            }
        }
        let here = blob.fetched(0).await?;
        let new = part::new(&here, name, known, finished)?;
        Ok((new, Here::Fetched(here)))
    }
}

impl Blob {
    /// Fetches what follows a place, with what tells one log from another; the rest is a hole.
    async fn fetched(&self, from: u64) -> io::Result<TempPath> {
        let file = tempfile::NamedTempFile::new()?;
        file.as_file().set_len(self.meta.size)?;
        let start = from.saturating_sub(EDGE);
        self.copy(file.as_file(), 0, EDGE.min(start)).await?;
        self.copy(file.as_file(), start, self.meta.size).await?;
        Ok(file.into_temp_path())
    }

    async fn copy(&self, mut file: &File, mut at: u64, to: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(at))?;
        while at < to {
            let range = at..to.min(at + FETCHED);
            let bytes = self.store.get_range(&self.meta.location, range);
            let bytes = bytes.await.map_err(io::Error::other)?;
            if bytes.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            file.write_all(&bytes)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};

    use super::{EDGE, Log};
    use crate::part::{New, Progress};
    use crate::root::Stores;

    const URL: &str = "https://logs.blob.core.windows.net/insights/a";

    fn new(store: &Arc<InMemory>, bytes: &[u8], known: &mut Vec<Progress>) -> Option<[u64; 3]> {
        let runtime = crate::session::runtime().unwrap();
        let path = "a/PT1H.json".into();
        runtime
            .block_on(store.put(&path, bytes.to_vec().into()))
            .unwrap();
        let given = Arc::clone(store);
        let stores: Stores = Arc::new(move |_| Ok(Arc::clone(&given) as Arc<dyn ObjectStore>));
        let logs = Log::in_container(URL, &stores).unwrap();
        assert_eq!(logs[0].name(), format!("{URL}/PT1H.json"));
        let (new, here) = runtime.block_on(logs[0].news(known, false)).unwrap();
        match new {
            New::Part(part, before) => {
                let there = std::fs::read(here.path()).unwrap();
                let (from, to) = (part.from as usize, part.to as usize);
                assert_eq!(there[from..to], bytes[from..to]);
                let far = from.saturating_sub(EDGE as usize).saturating_sub(1);
                assert!(far < EDGE as usize || there[far] == 0, "fetched once more");
                let found = [part.from, part.to, before];
                known.push(part);
                Some(found)
            }
            _ => None,
        }
    }

    #[test]
    fn only_what_is_new_is_fetched() {
        let store = Arc::new(InMemory::new());
        let line = |number: u32| format!("{{\"number\": {number:060}}}\n").into_bytes();
        let lines = |from, to| (from..to).flat_map(line).collect::<Vec<u8>>();
        let mut known = Vec::new();
        let length = line(0).len() as u64;
        let mut bytes = lines(0, 1000);
        assert_eq!(new(&store, &bytes, &mut known), Some([0, 1000 * length, 0]));
        assert_eq!(new(&store, &bytes, &mut known), None);
        bytes.extend(lines(1000, 1010));
        bytes.extend(b"{\"number\"");
        let read_on = [1000 * length, 1010 * length, 1000];
        assert_eq!(new(&store, &bytes, &mut known), Some(read_on));
        assert_eq!(
            new(&store, &bytes, &mut known),
            None,
            "a line that is not whole"
        );
        // Another blob under the same name is read from its beginning.
        let other = lines(20_000, 40_000);
        assert_eq!(
            new(&store, &other, &mut known),
            Some([0, 20_000 * length, 0])
        );
    }
}
