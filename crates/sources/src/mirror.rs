//! Copies of what is rendered, with other texts in place of some files: `helm` and `kustomize` read files, so texts
//! that are not written yet stand in a folder of their own. It leaves out which files those are.

use std::io;
use std::path::{Path, PathBuf};

use crate::kustomization::clean;
use crate::stream::Overlay;

/// More than this is not copied: it would cost more than it shows.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 20_000;
/// Folders within folders.
const MOST_LEVELS: usize = 64;

/// Copies of files, each at its own absolute path below a temporary folder, so that relative paths between them
/// lead where they did.
#[derive(Debug)]
pub(crate) struct Mirror {
    root: tempfile::TempDir,
    files: usize,
    bytes: u64,
}

impl Mirror {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            root: tempfile::TempDir::with_prefix("seawall-")?,
            files: 0,
            bytes: 0,
        })
    }

    /// Where a path is here.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        let absolute = absolute(path);
        let parts = absolute.components();
        let below = parts.filter(|part| matches!(part, std::path::Component::Normal(_)));
        self.root.path().join(below.collect::<PathBuf>())
    }

    /// A path here as it is outside, in words that name it.
    pub(crate) fn outside(&self, said: &str) -> String {
        let root = self.root.path().to_string_lossy();
        said.replace(&*root, "")
    }

    /// Copies a file; links are followed.
    pub(crate) fn copy(&mut self, path: &Path) -> io::Result<()> {
        self.files += 1;
        self.bytes += std::fs::metadata(path)?.len();
        if self.files > MOST_FILES || self.bytes > MOST_BYTES {
            return Err(io::Error::other("it is too large to be copied"));
        }
        let to = self.at(path);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(path, to)?;
        Ok(())
    }

    /// Copies a folder with what is in it.
    pub(crate) fn copy_folder(&mut self, folder: &Path) -> io::Result<()> {
        let mut queue = vec![(folder.to_path_buf(), 0)];
        while let Some((at, level)) = queue.pop() {
            std::fs::create_dir_all(self.at(&at))?;
            for entry in std::fs::read_dir(&at)? {
                let path = entry?.path();
                if path.is_dir() {
                    let history = path.file_name().is_some_and(|name| name == ".git");
                    if !history && level < MOST_LEVELS {
                        queue.push((path, level + 1));
                    }
                } else if path.is_file() {
                    self.copy(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Puts a text where a file is, or would be.
    pub(crate) fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let to = self.at(path);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(to, text)
    }
}

/// A path from the root on, without `.` and `..`.
fn absolute(path: &Path) -> PathBuf {
    clean(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// The texts of an overlay for files in a folder.
pub(crate) fn within<'o>(
    overlay: &'o Overlay,
    folder: &Path,
) -> impl Iterator<Item = (&'o Path, &'o str)> {
    let folder = absolute(folder);
    overlay
        .iter()
        .map(|(path, text)| (Path::new(&**path), text.as_str()))
        .filter(move |(path, _)| absolute(path).starts_with(&folder))
}

/// The text that an overlay has for a file.
pub(crate) fn text_of<'o>(overlay: &'o Overlay, file: &Path) -> Option<&'o str> {
    let file = absolute(file);
    let mut texts = overlay.iter();
    texts
        .find(|(path, _)| absolute(Path::new(&***path)) == file)
        .map(|(_, text)| text.as_str())
}
