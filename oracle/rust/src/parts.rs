//! Where the real parts and test data are. They are found, never built or downloaded here.

use std::env;
use std::path::PathBuf;

use crate::{Error, Result};

/// The path of a part such as `kube-apiserver`, `etcd` or `oracle-cel`: in
/// `KUBEBUILDER_ASSETS`, else in the test set-up's cache, else on `PATH`.
pub fn part(name: &str) -> Result<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from));
    folders.extend(cache().map(|cache| cache.join("bin")));
    let path = env::var_os("PATH").unwrap_or_default();
    let searched = folders
        .iter()
        .map(|folder| format!("`{}`, ", folder.display()))
        .collect::<String>();
    folders.extend(env::split_paths(&path));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::Missing {
            name: name.to_owned(),
            searched: searched + "`PATH`",
        })
}

/// A file or folder that the test set-up has put into its cache: test data of a standard, a schema.
pub fn fixture(name: &str) -> Result<PathBuf> {
    let searched = cache().map(|cache| cache.join(name));
    match searched {
        Some(found) if found.exists() => Ok(found),
        searched => Err(Error::Missing {
            name: name.to_owned(),
            searched: format!("`{}`", searched.unwrap_or_default().display()),
        }),
    }
}

/// `$SEAWALL_CACHE`, or `~/.cache/seawall`: the same rule as in `xtask`.
fn cache() -> Option<PathBuf> {
    env::var_os("SEAWALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache/seawall")))
}
