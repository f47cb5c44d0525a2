//! What charts and kustomizations rendered to, kept for whoever reads the same files again and again with a few other
//! texts: `helm` and `kustomize` take longer than everything else. It trusts that the files do not change meanwhile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use crate::render::NotRendered;

/// More than this is not kept.
const MOST_BYTES: usize = 64 << 20;

/// Nothing is kept unless [`Renderings::kept`] is asked for it.
#[derive(Debug, Clone, Default)]
pub struct Renderings(Option<Arc<Mutex<Kept>>>);

#[derive(Debug, Default)]
struct Kept {
    all: BTreeMap<Key, Result<String, NotRendered>>,
    bytes: usize,
}

/// What a rendering depends on, but for the files as they are: the folder, what else is said to the program, and the
/// other texts that it reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    folder: PathBuf,
    values: Vec<PathBuf>,
    kubernetes_minor: Option<u8>,
    texts: u128,
}

impl Key {
    pub(crate) fn new<'t>(
        folder: PathBuf,
        values: Vec<PathBuf>,
        kubernetes_minor: Option<u8>,
        texts: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Self {
        let mut hash = Xxh3::new();
        for text in texts.flat_map(|(path, text)| [path, text]) {
            hash.update(&text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        Self {
            folder,
            values,
            kubernetes_minor,
            texts: hash.digest128(),
        }
    }
}

impl Renderings {
    /// Keeps what is rendered.
    #[must_use]
    pub fn kept() -> Self {
        Self(Some(Arc::default()))
    }

    /// What `render` gives, or gave for the same.
    pub(crate) fn of(
        &self,
        key: impl FnOnce() -> Key,
        render: impl FnOnce() -> Result<String, NotRendered>,
    ) -> Result<String, NotRendered> {
        let Some(kept) = &self.0 else {
            return render();
        };
        let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key();
        if let Some(rendered) = lock().all.get(&key) {
            return rendered.clone();
        }
        let rendered = render();
        let mut kept = lock();
        kept.bytes += rendered.as_ref().map_or(0, String::len);
        if kept.bytes > MOST_BYTES {
            *kept = Kept::default();
        }
        kept.all.insert(key, rendered.clone());
        rendered
    }
}
