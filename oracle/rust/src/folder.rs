//! Folders of the repository that tests read as they lie there.

use std::fs;
use std::path::Path;

use crate::{Error, Result};

/// All files below a folder by their paths in it, with their texts, in the order of the paths.
pub fn texts_below(root: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let path = entry.map_err(Error::io(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
            files.push((name.into_owned(), text));
        }
    }
    files.sort();
    Ok(files)
}
