//! Where a history lies: a folder, or a prefix of a container of Azure Blob storage.
//!
//! Both are object stores, so that everything else has one way. Who may read a container is not decided here: whoever
//! calls gives the stores ([`Stores`]).

use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::{Error, to};

/// Makes the store of a container from its address (`https://ACCOUNT.blob.core.windows.net/CONTAINER`, of an emulator
/// `https://127.0.0.1:PORT/ACCOUNT/CONTAINER`).
pub type Stores = Arc<dyn Fn(&str) -> Result<Arc<dyn ObjectStore>, String> + Send + Sync>;

/// Where a history lies.
#[derive(Debug, Clone)]
pub struct Root {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Within the store.
    pub(crate) prefix: Path,
    /// The store as plans name it.
    pub(crate) url: ObjectStoreUrl,
    /// As people gave it.
    name: String,
    local: bool,
}

/// The scheme of containers in plans; behind it their address in hexadecimal digits, since plans keep no path.
pub(crate) const SCHEME: &str = "seawall-container";

impl Root {
    /// Of a folder, or of `https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]`.
    ///
    /// # Errors
    /// When it is no such address, or nobody gives the store.
    pub fn open(name: &str, stores: &Stores) -> Result<Self, Error> {
        if name.starts_with("https://") || name.starts_with("http://") {
            return Self::container(name, stores);
        }
        let path = std::path::absolute(name).map_err(to(format!("find `{name}`")))?;
        let path = settled(&path);
        let prefix = Path::from_absolute_path(&path).map_err(to(format!("find `{name}`")))?;
        Ok(Self {
            store: Arc::new(LocalFileSystem::new()),
            prefix,
            url: ObjectStoreUrl::local_filesystem(),
            name: name.to_owned(),
            local: true,
        })
    }

    fn container(name: &str, stores: &Stores) -> Result<Self, Error> {
        let (address, prefix) = split(name)
            .ok_or_else(|| Error::new(format!("`{name}` names no container")).help(ADDRESS))?;
        let store = stores(&address).map_err(|why| Error::new(format!("`{name}`: {why}")))?;
        let hex: String = address.bytes().map(|byte| format!("{byte:02x}")).collect();
        // Of a host name, 63 letters of a label.
        let labels: Vec<&str> = hex
            .as_bytes()
            .chunks(60)
            .filter_map(|label| std::str::from_utf8(label).ok())
            .collect();
        let url = ObjectStoreUrl::parse(format!("{SCHEME}://x{}", labels.join(".x")))
            .map_err(to(format!("name `{name}`")))?;
        Ok(Self {
            store,
            prefix: Path::parse(prefix).map_err(to(format!("read `{name}`")))?,
            url,
            name: name.to_owned(),
            local: false,
        })
    }

    /// As people gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder, where it is one.
    pub(crate) fn folder(&self) -> Option<&FilePath> {
        self.local.then(|| FilePath::new(&self.name))
    }

    pub(crate) fn at(&self, path: &str) -> Path {
        let parts = path.split('/').map(object_store::path::PathPart::from);
        self.prefix.parts().chain(parts).collect()
    }

    /// Makes the folder, so that a mistyped one to read from is told from an empty one.
    pub(crate) fn make(&self) -> Result<(), Error> {
        match self.folder() {
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(to(format!("make `{}`", folder.display())))
            }
            None => Ok(()),
        }
    }

    pub(crate) async fn size(&self, path: &str) -> Result<u64, Error> {
        let head = self.store.head(&self.at(path)).await;
        Ok(head.map_err(to(format!("look at `{path}`")))?.size)
    }
}

/// A path without links and `..`, as far as it is there.
fn settled(path: &FilePath) -> PathBuf {
    for there in path.ancestors() {
        if let Ok(mut settled) = there.canonicalize() {
            let rest = path.strip_prefix(there).unwrap_or(FilePath::new(""));
            for part in rest.components() {
                match part {
                    Component::ParentDir => drop(settled.pop()),
                    part => settled.push(part),
                }
            }
            return settled;
        }
    }
    path.to_owned()
}

const ADDRESS: &str = "give a folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX";

/// The container and the prefix in it. An emulator has its account in the path.
fn split(name: &str) -> Option<(String, String)> {
    let url = url::Url::parse(name).ok()?;
    let host = url.host_str()?;
    let before = if host.contains(".blob.") { 1 } else { 2 };
    let parts: Vec<&str> = url
        .path_segments()?
        .filter(|part| !part.is_empty())
        .collect();
    let (container, prefix) = parts.split_at_checked(before)?;
    let mut address = url.clone();
    address.set_query(None);
    address.set_path(&container.join("/"));
    Some((address.to_string(), prefix.join("/")))
}

/// The address of a container that a plan names.
pub(crate) fn address(url: &url::Url) -> Option<String> {
    let hex: String = (url.scheme() == SCHEME)
        .then(|| url.host_str())??
        .split('.')
        .map(|label| label.strip_prefix('x'))
        .collect::<Option<_>>()?;
    let bytes = hex.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::{Root, Stores, address};

    #[test]
    fn a_container_is_found_again_in_a_plan() {
        let stores: Stores = Arc::new(|_| Ok(Arc::new(InMemory::new())));
        for (name, container, prefix) in [
            (
                "https://logs.blob.core.windows.net/history/a/b=1",
                "https://logs.blob.core.windows.net/history",
                "a/b=1",
            ),
            (
                "https://127.0.0.1:10000/acc/history",
                "https://127.0.0.1:10000/acc/history",
                "",
            ),
        ] {
            let root = Root::open(name, &stores).unwrap();
            let url = url::Url::parse(root.url.as_str()).unwrap();
            assert_eq!(address(&url).as_deref(), Some(container));
            assert_eq!(root.prefix.as_ref(), prefix);
        }
        assert!(Root::open("https://logs.blob.core.windows.net", &stores).is_err());
        let other = url::Url::parse("file:///a").unwrap();
        assert_eq!(address(&other), None);
    }
}
