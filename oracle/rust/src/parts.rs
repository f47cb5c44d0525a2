//! Where the real parts are. They are found, never built or downloaded here.

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

/// `$SEAWALL_CACHE`, or `~/.cache/seawall`: the same rule as in `xtask`.
fn cache() -> Option<PathBuf> {
    env::var_os("SEAWALL_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache/seawall")))
}
