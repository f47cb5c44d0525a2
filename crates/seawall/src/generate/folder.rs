//! The folder that is written to. A file with checksums says what was generated, so that what people changed since
//! is not lost, and what is not generated any more goes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use generate::File;
use sha2::{Digest as _, Sha256};

/// The checksums, as `sha256sum --check` reads them.
const CHECKSUMS: &str = ".seawall-generated";

/// What writing does to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new.
    Made,
    /// It changes.
    Changed,
    /// It stays.
    Same,
    /// It goes: it was generated once, and is no more.
    Gone,
    /// It was changed by somebody, or is not ours.
    Theirs,
}

/// A folder, and what writing files into it does.
pub(crate) struct Folder<'f> {
    root: PathBuf,
    files: &'f [File],
    /// By path.
    pub(crate) changes: BTreeMap<String, Change>,
}

impl<'f> Folder<'f> {
    /// Compares what stands there with what is to be written.
    pub(crate) fn compare(root: &Path, files: &'f [File]) -> io::Result<Self> {
        let known = read_known(&root.join(CHECKSUMS))?;
        let mut changes = BTreeMap::new();
        for file in files {
            let change = match read(&root.join(&file.path))? {
                None => Change::Made,
                Some(text) if text == file.text.as_bytes() => Change::Same,
                Some(text) if known.get(&file.path) == Some(&checksum(&text)) => Change::Changed,
                Some(_) => Change::Theirs,
            };
            changes.insert(file.path.clone(), change);
        }
        for (path, sum) in &known {
            if changes.contains_key(path) {
                continue;
            }
            // What somebody changed, or removed, is not ours any more.
            if read(&root.join(path))?.is_some_and(|text| checksum(&text) == *sum) {
                changes.insert(path.clone(), Change::Gone);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files,
            changes,
        })
    }

    /// Paths with this change.
    pub(crate) fn of(&self, change: Change) -> impl Iterator<Item = &str> {
        let changes = self.changes.iter();
        changes
            .filter(move |(_, own)| **own == change)
            .map(|(path, _)| path.as_str())
    }

    /// Writes everything, what is theirs too, and removes what is gone.
    pub(crate) fn write(&self) -> io::Result<()> {
        for file in self.files {
            if self.changes.get(&file.path) == Some(&Change::Same) {
                continue;
            }
            let path = self.root.join(&file.path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, &file.text)?;
        }
        for path in self.of(Change::Gone) {
            let path = self.root.join(path);
            fs::remove_file(&path)?;
            // Folders that are left empty go too; one that is not stays.
            let folders = path
                .ancestors()
                .skip(1)
                .take_while(|folder| *folder != self.root);
            for folder in folders {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
        let sums: String = self
            .files
            .iter()
            .map(|file| format!("{}  {}\n", checksum(file.text.as_bytes()), file.path))
            .collect();
        fs::create_dir_all(&self.root)?;
        fs::write(self.root.join(CHECKSUMS), sums)
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("`{}`: {error}", path.display()),
        )),
    }
}

fn read_known(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = read(path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    // A path that leads out of the folder is none that was written.
    let own = lines.filter(|(_, path)| {
        !Path::new(path).is_absolute() && !path.split('/').any(|part| part == "..")
    });
    Ok(own
        .map(|(sum, path)| (path.to_owned(), sum.to_owned()))
        .collect())
}

fn checksum(text: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut words = String::new();
    for byte in Sha256::digest(text) {
        let _ = write!(words, "{byte:02x}");
    }
    words
}
