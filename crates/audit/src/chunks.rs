//! A file cut into chunks of whole records, without holding more of it than one.
//!
//! A record is a line, or an item of a JSON list that may go over many lines, or a row of CSV. Which one is seen
//! by how the file begins. A record that ends in the middle is a record; what follows it is found again at the
//! next line.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use crate::{cri, table};

/// How much is read at once.
const SIZE: usize = 1 << 20;
/// Longer records are given up: the API server's own limits keep requests below 3 MiB
/// (apiserver/pkg/server/config.go, `MaxRequestBodyBytes`), and a record holds two objects.
pub(crate) const LONGEST: usize = 32 << 20;

/// Some records of a file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    /// Where records stand; empty where each line is one.
    pub(crate) ranges: Vec<Range<usize>>,
    pub(crate) form: Form,
    /// The number of the first line.
    pub(crate) line: u64,
}

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// One on each line.
    #[default]
    Lines,
    /// Values of JSON over several lines, or in a list.
    Document,
    /// Rows; the first names the columns.
    Csv,
    /// Rows of a table, lists in a list.
    Table,
}

/// A file that is being read.
pub(crate) struct Chunks<R> {
    reader: R,
    form: Option<Form>,
    /// What was read beyond the last chunk.
    rest: Vec<u8>,
    line: u64,
    /// Inside the list of a document.
    in_list: bool,
    /// The names of the columns, where rows of a table are read.
    pub(crate) columns: Vec<String>,
    ended: bool,
    /// Bytes that were read.
    pub(crate) read: u64,
    /// Records that were too long.
    pub(crate) given_up: u64,
}

impl<R: Read> Chunks<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            form: None,
            rest: Vec::new(),
            line: 1,
            in_list: false,
            columns: Vec::new(),
            ended: false,
            read: 0,
            given_up: 0,
        }
    }

    /// Fills in the next chunk; false at the end.
    pub(crate) fn next(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        chunk.bytes.clear();
        chunk.ranges.clear();
        chunk.bytes.append(&mut self.rest);
        let mut wanted = SIZE;
        loop {
            self.fill(&mut chunk.bytes, wanted)?;
            if chunk.bytes.is_empty() {
                return Ok(false);
            }
            let form = *self.form.get_or_insert_with(|| form(&chunk.bytes));
            chunk.form = form;
            chunk.line = self.line;
            let used = match form {
                Form::Lines => self.lines(&chunk.bytes),
                Form::Document | Form::Table => self.document(chunk),
                Form::Csv => self.rows(chunk),
            };
            if used > 0 {
                self.rest
                    .extend_from_slice(chunk.bytes.get(used..).unwrap_or_default());
                chunk.bytes.truncate(used);
                self.line += memchr_iter(b'\n', &chunk.bytes).count() as u64;
                return Ok(true);
            }
            if chunk.bytes.len() >= LONGEST {
                self.give_up(&mut chunk.bytes)?;
            }
            wanted = chunk.bytes.len() * 2 + SIZE;
        }
    }

    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        while !self.ended && bytes.len() < wanted {
            let missing = (wanted - bytes.len()) as u64;
            let count = self.reader.by_ref().take(missing).read_to_end(bytes)?;
            self.read += count as u64;
            self.ended = count == 0;
        }
        Ok(())
    }

    /// Leaves out a record that is too long, up to the next line.
    fn give_up(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.given_up += 1;
        loop {
            if let Some(at) = memchr(b'\n', bytes) {
                bytes.drain(..=at);
                self.line += 1;
                return Ok(());
            }
            bytes.clear();
            self.fill(bytes, SIZE)?;
            if bytes.is_empty() {
                return Ok(());
            }
        }
    }

    /// How many bytes are whole lines.
    fn lines(&self, bytes: &[u8]) -> usize {
        if self.ended {
            return bytes.len();
        }
        let mut end = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        // What goes on in the next line stays with it.
        while end > 0 {
            let before = bytes.get(..end - 1).unwrap_or_default();
            let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
            let last = before.get(start..).unwrap_or_default();
            if !cri::line(last).is_some_and(|line| line.partial) {
                break;
            }
            end = start;
        }
        end
    }

    /// The values of a document, or the items of its list.
    fn document(&mut self, chunk: &mut Chunk) -> usize {
        let bytes = &chunk.bytes;
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let skipped = rest
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b','));
            let Some(skipped) = skipped else {
                return bytes.len();
            };
            at += skipped;
            let rest = rest.get(skipped..).unwrap_or_default();
            if !self.in_list
                && let Some((columns, length)) = table::begin(rest)
            {
                // Rows of one table in a chunk.
                if !chunk.ranges.is_empty() {
                    return at;
                }
                self.columns = columns;
                self.in_list = true;
                self.form = Some(Form::Table);
                chunk.form = Form::Table;
                at += length;
                continue;
            }
            if !self.in_list
                && let Some(length) = list_begin(rest)
            {
                self.in_list = true;
                at += length;
                continue;
            }
            match rest.first() {
                // The end of the list, or of what holds it.
                Some(b']' | b'}') => {
                    self.in_list = false;
                    at += 1;
                }
                Some(b'{' | b'[') => match value_end(rest) {
                    Some(length) => {
                        chunk.ranges.push(at..at + length);
                        at += length;
                    }
                    None if self.ended => {
                        chunk.ranges.push(at..bytes.len());
                        return bytes.len();
                    }
                    None => return at,
                },
                // No record: up to the end of the line.
                _ => match memchr(b'\n', rest) {
                    Some(end) => {
                        let whole = rest.get(..end).unwrap_or_default();
                        // What follows the list in its object: `"columns": …`.
                        if !whole.starts_with(b"\"") {
                            chunk.ranges.push(at..at + end);
                        }
                        at += end + 1;
                    }
                    None if self.ended => {
                        chunk.ranges.push(at..bytes.len());
                        return bytes.len();
                    }
                    None => return at,
                },
            }
        }
    }

    /// Rows of CSV: a line break within quotes ends none.
    fn rows(&mut self, chunk: &mut Chunk) -> usize {
        let bytes = &chunk.bytes;
        let (mut from, mut at, mut quoted) = (0, 0, false);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match memchr2(b'"', b'\n', rest) {
                Some(found) => {
                    at += found + 1;
                    if rest.get(found) == Some(&b'"') {
                        quoted = !quoted;
                    } else if !quoted {
                        chunk.ranges.push(from..at - 1);
                        from = at;
                    }
                }
                None if self.ended => {
                    if from < bytes.len() {
                        chunk.ranges.push(from..bytes.len());
                    }
                    return bytes.len();
                }
                None => return from,
            }
        }
    }
}

/// How the records of a file stand, by its beginning.
pub(crate) fn form(bytes: &[u8]) -> Form {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    match text.split_first() {
        Some((b'[', _)) => Form::Document,
        Some((b'{', rest)) => {
            let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
            let broken = matches!(next, Some(b'\n' | b'\r') | None)
                && rest.trim_ascii_start().first() == Some(&b'"');
            let first = rest.trim_ascii_start();
            let is_list = text.starts_with(b"{\"kind\":\"EventList\"")
                || first.starts_with(b"\"tables\"")
                || first.starts_with(b"\"value\"");
            if broken || is_list {
                Form::Document
            } else {
                Form::Lines
            }
        }
        Some(_) => {
            let end = memchr(b'\n', text).unwrap_or(text.len());
            let header = text.get(..end).unwrap_or_default();
            let names: Vec<&[u8]> = header
                .split(|byte| *byte == b',')
                .map(|name| name.trim_ascii().trim_ascii())
                .collect();
            let has = |wanted: &[u8]| {
                names
                    .iter()
                    .any(|name| name.strip_prefix(b"\"").unwrap_or(name).starts_with(wanted))
            };
            if has(b"log_s") || has(b"AuditId") {
                Form::Csv
            } else {
                Form::Lines
            }
        }
        None => Form::Lines,
    }
}

/// The length of what comes before the first item, where a list of records begins here: `[`, or an object up to
/// the list in it.
fn list_begin(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'[') {
        return Some(1);
    }
    let mut scan = crate::scan::Scan::new(text);
    let mut found = None;
    scan.entries(|key, scan| {
        if matches!(key, b"items" | b"Items" | b"records" | b"value") && scan.peek() == Some(b'[') {
            found = Some(text.len() - scan.rest().len() + 1);
            return crate::scan::End::Wrong;
        }
        scan.value().end()
    });
    found
}

/// The length of the object that begins here. A string with a line break is none: the object ends in it.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => loop {
                let rest = text.get(at..).unwrap_or_default();
                let found = memchr::memchr3(b'"', b'\\', b'\n', rest)?;
                at += found + 1;
                match rest.get(found) {
                    Some(b'"') => break,
                    Some(b'\n') => return Some(at - 1),
                    _ => at += 1,
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
