//! What of a log is new: how far it was read before, by what it holds and not by what it is called.
//!
//! A log that grew is read on from where it was, whole lines only. A log that was renamed when it was rotated is the
//! same log. What it was is known by hashes of its beginning and of what stands before the place that was reached.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

/// How much of the beginning and before the place is hashed.
pub(crate) const EDGE: u64 = 4096;

/// How far a log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// what it was called last
    pub name: String,
    /// bytes that are read
    pub to: u64,
    /// where the last run began
    pub from: u64,
    /// lines that are read
    pub lines: u64,
    /// It is read as a whole: compressed, a list, or a table.
    pub whole: bool,
    head: Edge,
    tail: Edge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    length: u64,
    hash: u128,
}

/// What is to be read of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum New {
    /// This much; the second number is how many lines were read before.
    Part(Progress, u64),
    /// Nothing.
    Nothing,
    /// Nothing but a line that has no end yet.
    Unfinished,
    /// It has changed, and it is not lines.
    Changed,
}

impl Progress {
    /// Whether `other` reads on where this ends.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        other.from > 0 && self.to == other.from && self.head == other.head
    }

    /// Whether a file holds what was read.
    pub(crate) fn is_in(&self, path: &Path) -> io::Result<bool> {
        let mut file = File::open(path)?;
        let start = self.to - self.tail.length;
        Ok(edge(&mut file, 0, self.head.length)? == self.head
            && edge(&mut file, start, self.tail.length)? == self.tail)
    }

    pub(crate) fn to_json(&self) -> Value {
        let edge =
            |edge: &Edge| json!({"length": edge.length, "hash": format!("{:032x}", edge.hash)});
        json!({
            "name": self.name,
            "from": self.from,
            "to": self.to,
            "lines": self.lines,
            "whole": self.whole,
            "head": edge(&self.head),
            "tail": edge(&self.tail),
        })
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let edge = |key: &str| {
            let value = value.get(key)?;
            let hash = value.get("hash")?.as_str()?;
            Some(Edge {
                length: value.get("length")?.as_u64()?,
                hash: u128::from_str_radix(hash, 16).ok()?,
            })
        };
        let number = |key: &str| value.get(key)?.as_u64();
        Some(Self {
            name: value.get("name")?.as_str()?.to_owned(),
            from: number("from")?,
            to: number("to")?,
            lines: number("lines")?,
            whole: value.get("whole")?.as_bool()?,
            head: edge("head")?,
            tail: edge("tail")?,
        })
    }
}

/// Finds out what of a file is new. With `finished`, a last line without an end is read too.
pub(crate) fn new(path: &Path, name: &str, known: &[Progress], finished: bool) -> io::Result<New> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let before = before(&mut file, size, known)?;
    let beginning = some(&mut file, 0, size.min(EDGE))?;
    let whole = !audit::input::is_lines(&beginning);
    let from = before.map_or(0, |known| known.to);
    if size == from {
        return Ok(New::Nothing);
    }
    if before.is_some_and(|known| known.whole) {
        return Ok(New::Changed);
    }
    let (to, lines) = if whole {
        (size, 0)
    } else {
        lines(&mut file, from, size, finished)?
    };
    if to == from {
        return Ok(New::Unfinished);
    }
    let head = match before {
        Some(known) => known.head,
        None => edge(&mut file, 0, to.min(EDGE))?,
    };
    let length = to.min(EDGE);
    let read = before.map_or(0, |known| known.lines);
    let progress = Progress {
        name: name.to_owned(),
        from,
        to,
        lines: read + lines,
        whole,
        head,
        tail: edge(&mut file, to - length, length)?,
    };
    Ok(New::Part(progress, read))
}

/// What is known of the log that a file holds: the one that goes farthest of those that it begins with.
fn before<'k>(
    file: &mut File,
    size: u64,
    known: &'k [Progress],
) -> io::Result<Option<&'k Progress>> {
    let mut lengths: Vec<u64> = known.iter().map(|known| known.head.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut best: Option<&Progress> = None;
    for length in lengths.into_iter().filter(|length| *length <= size) {
        let head = edge(file, 0, length)?;
        for known in known
            .iter()
            .filter(|known| known.head == head && known.to <= size)
        {
            let start = known.to - known.tail.length;
            if best.is_none_or(|best| best.to < known.to)
                && edge(file, start, known.tail.length)? == known.tail
            {
                best = Some(known);
            }
        }
    }
    Ok(best)
}

fn edge(file: &mut File, from: u64, length: u64) -> io::Result<Edge> {
    let hash = xxh3_128(&some(file, from, length)?);
    Ok(Edge { length, hash })
}

fn some(file: &mut File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Up to where whole lines go, and how many these are.
fn lines(file: &mut File, from: u64, size: u64, finished: bool) -> io::Result<(u64, u64)> {
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = vec![0; 1 << 18];
    let (mut at, mut end, mut count) = (from, from, 0);
    let mut rest = Vec::new();
    while at < size {
        let wanted = usize::try_from(size - at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = file.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        count += memchr::memchr_iter(b'\n', bytes).count() as u64;
        match memchr::memrchr(b'\n', bytes) {
            Some(last) => {
                end = at + last as u64 + 1;
                rest.clear();
                rest.extend_from_slice(bytes.get(last + 1..).unwrap_or_default());
            }
            // A line is not kept beyond what a record can be.
            None if rest.len() < 32 << 20 => rest.extend_from_slice(bytes),
            None => {}
        }
        at += read as u64;
    }
    let rest = rest.trim_ascii();
    let is_record = || serde_json::from_slice::<serde::de::IgnoredAny>(rest).is_ok();
    if !rest.is_empty() && (finished || is_record()) {
        end = at;
    }
    Ok((end, count))
}
