//! Files, folders, compressed files and standard input.
//!
//! Of a folder everything is read that is called like a log or an export, in the order of names: storage accounts
//! keep an hour in a file (`resourceId=/…/y=2026/m=11/d=27/h=08/m=00/PT1H.json`), so that is the order of time.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::chunks::{Chunk, Chunks, Form, form};

/// Where a log comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// Something that others know how to open.
    Far(Arc<dyn Far>),
    /// Bytes of a file, which begin and end with a line.
    Part(PathBuf, Range<u64>),
}

/// A log that is not on this machine.
pub trait Far: fmt::Debug + Send + Sync {
    /// What people call it; two with one name are the same.
    fn name(&self) -> String;
    /// Its bytes, as they are kept.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

impl PartialEq for dyn Far {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Far {}

impl Source {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) | Self::Part(path, _) => path.display().to_string(),
            Self::Far(far) => far.name(),
        }
    }

    /// Opens it, without its compression.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut raw: Box<dyn Read + Send> = match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path)?),
            Self::Far(far) => far.open()?,
            Self::Part(path, range) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                Box::new(file.take(range.end.saturating_sub(range.start)))
            }
        };
        let mut magic = Vec::new();
        raw.by_ref().take(2).read_to_end(&mut magic)?;
        let packed = magic == PACKED;
        let whole = io::Cursor::new(magic).chain(raw);
        Ok(if packed {
            Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(
                1 << 16,
                whole,
            )))
        } else {
            Box::new(whole)
        })
    }
}

/// Whether what begins so has a record on each line, so that it can be read on when it grew.
#[must_use]
pub fn is_lines(beginning: &[u8]) -> bool {
    !beginning.starts_with(&PACKED) && form(beginning) == Form::Lines
}

/// Adds a message to lines of records: what goes over several lines becomes one, which leaves JSON as it is.
pub fn lines(message: &[u8], out: &mut Vec<u8>) {
    let begun = out.len();
    if form(message) == Form::Lines {
        out.extend_from_slice(message);
    } else {
        let mut chunks = Chunks::new(message);
        let mut chunk = Chunk::default();
        // Nothing goes wrong in memory.
        while let Ok(true) = chunks.next(&mut chunk) {
            for range in &chunk.ranges {
                let text = chunk.bytes.get(range.clone()).unwrap_or_default();
                let flat = text.iter().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    byte => *byte,
                });
                out.extend(flat);
                out.push(b'\n');
            }
        }
    }
    if out.len() > begun && out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
}

/// What gzip begins with.
pub(crate) const PACKED: [u8; 2] = [0x1f, 0x8b];

/// How deep folders are looked into.
const DEPTH: usize = 64;

/// The files that paths stand for; `-` is standard input.
///
/// # Errors
/// When a path cannot be read, with the path.
pub fn files(paths: &[PathBuf]) -> Result<Vec<Source>, (PathBuf, io::Error)> {
    let mut all = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            all.push(Source::Stdin);
            continue;
        }
        let meta = std::fs::metadata(path).map_err(|error| (path.clone(), error))?;
        if meta.is_dir() {
            folder(path, &mut all)?;
        } else {
            all.push(Source::File(path.clone()));
        }
    }
    Ok(all)
}

pub(crate) fn folder(root: &Path, all: &mut Vec<Source>) -> Result<(), (PathBuf, io::Error)> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let failed = |error| (folder.clone(), error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Of the entry itself: a link to a folder is not followed, it may lead back.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && depth < DEPTH {
                folders.push((entry.path(), depth + 1));
            } else if !kind.is_dir() && is_log(&entry.file_name().to_string_lossy()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    all.extend(found.into_iter().map(Source::File));
    Ok(())
}

/// Whether something is called like a log or an export.
#[must_use]
pub fn is_log(name: &str) -> bool {
    let parts = [".json", ".jsonl", ".ndjson", ".log", ".csv", ".gz"];
    !name.starts_with('.') && parts.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_of_a_message_is_a_line() {
        for (message, wanted) in [
            (
                r#"{"records":[{"a":1},{"b":2}]}"#,
                "{\"records\":[{\"a\":1},{\"b\":2}]}\n",
            ),
            ("{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n"),
            ("{\n  \"a\": 1\n}", "{   \"a\": 1 }\n"),
            (
                "{\n  \"records\": [\n    {\"a\":\n1},\n{\"b\":2}]\n}",
                "{\"a\": 1}\n{\"b\":2}\n",
            ),
            ("", ""),
            ("no record", "no record\n"),
        ] {
            let mut out = Vec::new();
            lines(message.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), wanted, "{message}");
        }
    }
}
