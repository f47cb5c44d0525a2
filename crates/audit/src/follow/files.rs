//! Files and folders while somebody writes to them.
//!
//! A file is its number on its device, whatever it is called: one that is renamed when logs are rotated is read to its end,
//! and so is one that is deleted while it is read. One that is cut or written anew is seen by its first bytes, which
//! [`super::Follow`] looks after.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Growing, Known, Part};
use crate::input::{self, Source};

/// How many files are held open, so that they can be read when they are gone.
const OPEN: usize = 64;
/// After so many looks at which it did not grow a file that is gone is over.
const QUIET: u32 = 2;

/// Files and folders.
#[derive(Debug, Default)]
pub struct Files {
    roots: Vec<PathBuf>,
    open: BTreeMap<String, Held>,
    paths: BTreeMap<String, PathBuf>,
    /// What grew between the last looks is worth holding open.
    lengths: BTreeMap<String, u64>,
    /// What was known at a stop, and when that was, in microseconds since 1970.
    known: Option<(Vec<Known>, i64)>,
    /// Which file each root was at the last look, and when it was written then.
    last: BTreeMap<PathBuf, (String, i64)>,
}

/// When a file was written, in microseconds since 1970.
fn written(meta: &Metadata) -> i64 {
    let time = meta.modified().ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

#[derive(Debug)]
struct Held {
    file: File,
    name: String,
    length: u64,
    /// Looks at which it was gone and did not grow.
    quiet: u32,
}

fn id(meta: &Metadata) -> String {
    format!("{}:{}", meta.dev(), meta.ino())
}

impl Files {
    /// Of these paths; of a folder everything that is called like a log, whenever it comes.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            ..Self::default()
        }
    }

    /// The files that are there now.
    fn found(&mut self) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        for root in &self.roots {
            match fs::metadata(root) {
                Ok(meta) if meta.is_dir() => {
                    let mut all = Vec::new();
                    let failed = |(path, error): (PathBuf, io::Error)| {
                        format!("cannot read `{}`: {error}", path.display())
                    };
                    input::folder(root, &mut all).map_err(failed)?;
                    found.extend(all.into_iter().filter_map(|source| match source {
                        Source::File(path) => Some(path),
                        _ => None,
                    }));
                }
                Ok(meta) => {
                    let now = (id(&meta), written(&meta));
                    let before = self.last.insert(root.clone(), now.clone());
                    if let Some((known, at)) = &self.known {
                        found.extend(rotated(root, known, *at));
                    } else if let Some((last, at)) = before.filter(|(last, _)| *last != now.0) {
                        // Perhaps more than once since then.
                        let known = [Known {
                            name: root.display().to_string(),
                            id: last,
                            at: None,
                        }];
                        found.extend(rotated(root, &known, at));
                    }
                    found.push(root.clone());
                }
                // Between being renamed and being made again.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot read `{}`: {error}", root.display())),
            }
        }
        self.known = None;
        Ok(found)
    }
}

/// What a file was called before it was rotated while nobody looked, the oldest first: files beside it that begin like it,
/// and that were known by its name or written since.
fn rotated(root: &Path, known: &[Known], at: i64) -> Vec<PathBuf> {
    let name = root.display().to_string();
    let mut ids = known
        .iter()
        .filter(|known| known.name == name)
        .map(|known| &known.id);
    let (Some(folder), Some(stem)) = (root.parent(), root.file_stem()) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let stem = stem.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, own) = (entry.path(), entry.file_name());
        let begins = own.to_string_lossy().starts_with(&*stem);
        let Some(meta) = entry.metadata().ok().filter(Metadata::is_file) else {
            continue;
        };
        let was_it = ids.clone().any(|known| *known == id(&meta));
        let since = written(&meta) >= at;
        let other = known.iter().any(|known| known.id == id(&meta));
        if begins && own != root.file_name().unwrap_or_default() && (was_it || since && !other) {
            found.push((meta.modified().ok(), path));
        }
    }
    // Where it was not rotated there is nothing to look for.
    let same = fs::metadata(root).is_ok_and(|meta| ids.any(|known| *known == id(&meta)));
    if same {
        return Vec::new();
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

impl Growing for Files {
    fn parts(&mut self) -> Result<Vec<Part>, String> {
        let paths = self.found()?;
        self.open.retain(|_, held| held.quiet <= QUIET);
        self.paths.clear();
        let mut parts = Vec::new();
        for path in paths {
            let Some(meta) = fs::metadata(&path).ok().filter(Metadata::is_file) else {
                continue;
            };
            let (id, name) = (id(&meta), path.display().to_string());
            if self.paths.contains_key(&id) {
                continue;
            }
            let part = Part {
                name: name.clone(),
                length: meta.len(),
                id: id.clone(),
                ..Part::default()
            };
            let grew = self
                .lengths
                .get(&id)
                .is_some_and(|length| *length != meta.len());
            let worth = grew || self.roots.contains(&path);
            if let Some(held) = self.open.get_mut(&id) {
                (held.name, held.quiet) = (name, 0);
            } else if worth
                && self.open.len() < OPEN
                && let Ok(file) = File::open(&path)
            {
                let held = Held {
                    file,
                    name,
                    length: 0,
                    quiet: 0,
                };
                self.open.insert(id.clone(), held);
            }
            self.paths.insert(id, path);
            parts.push(part);
        }
        self.lengths = parts
            .iter()
            .map(|part| (part.id.clone(), part.length))
            .collect();
        let mut gone = Vec::new();
        for (id, held) in &mut self.open {
            let length = held.file.metadata().map_or(0, |meta| meta.len());
            if !self.paths.contains_key(id) {
                held.quiet = if length == held.length {
                    held.quiet + 1
                } else {
                    0
                };
                gone.push(Part {
                    id: id.clone(),
                    name: held.name.clone(),
                    length,
                    over: held.quiet >= QUIET,
                    ..Part::default()
                });
            }
            held.length = length;
        }
        // What was there before comes before what is there now.
        gone.append(&mut parts);
        Ok(gone)
    }

    fn read(&mut self, part: &Part, from: u64, most: u64) -> Result<Vec<u8>, String> {
        let failed = |error: io::Error| error.to_string();
        if let Some(held) = self.open.get(&part.id) {
            return bytes(&held.file, from, most).map_err(failed);
        }
        let path = self
            .paths
            .get(&part.id)
            .ok_or_else(|| "it is gone".to_owned())?;
        let file = File::open(path).map_err(failed)?;
        if id(&file.metadata().map_err(failed)?) != part.id {
            return Err("another file is there now".to_owned());
        }
        bytes(&file, from, most).map_err(failed)
    }

    fn resume(&mut self, known: &[Known], at: i64, _: bool) {
        self.known = Some((known.to_vec(), at));
    }
}

fn bytes(file: &File, from: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut all = vec![0; usize::try_from(most).unwrap_or_default()];
    let mut filled = 0;
    while let Some(rest) = all.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    all.truncate(filled);
    Ok(all)
}
