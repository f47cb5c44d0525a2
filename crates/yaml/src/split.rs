//! Where documents begin and end. It streams: no more than one document is held.
//!
//! Documents end at lines that begin with `---` and go on with white space, and after lines
//! that begin with `...` likewise. Lines before the first `---` that hold no value belong to
//! the first document; later documents without a value are handed out with `empty` set. Not
//! split: at a lone carriage return. A stream that begins like JSON is split after each value.

use std::borrow::Cow;
use std::io::BufRead;

use crate::json;
use crate::text::DecodeError;
use crate::{Build, Limits, ParseError};

/// One document as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw<'t> {
    /// from `---`, if it stands there, to the end of the last line
    pub text: Cow<'t, str>,
    /// bytes before it in the stream
    pub offset: u64,
    /// 1-based line of the stream on which it begins
    pub line: u32,
    /// 0-based number of the document
    pub index: u32,
    /// it holds only comments, white space and `---`
    pub empty: bool,
    /// it looks like JSON
    pub json: bool,
}

impl Raw<'_> {
    /// Reads the document, as JSON if it looks like it and can be read so, else as YAML.
    ///
    /// # Errors
    /// As [`crate::parse`]; lines count from the beginning of the stream.
    pub fn parse<B: Build>(
        &self,
        limits: &Limits,
        build: &mut B,
    ) -> Result<Option<B::Node>, ParseError> {
        if !self.json {
            return crate::parse_at(&self.text, self.line, limits, build);
        }
        let options = json::Options::default();
        match json::parse_at(&self.text, self.line, options, limits, build) {
            Ok(node) => Ok(Some(node)),
            // `kubectl` tries YAML next; if that fails too, the first error says more.
            Err(first) => crate::parse_at(&self.text, self.line, limits, build).map_err(|_| first),
        }
    }
}

/// A document that could not be read from the stream. All but [`SplitError::Io`] concern one
/// document; the stream goes on with the next.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// the stream itself; nothing follows
    #[error("the input cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// more bytes than allowed
    #[error("line {line}: the document is larger than {limit} bytes")]
    TooLarge {
        /// 1-based line on which the document begins
        line: u32,
        /// bytes allowed
        limit: usize,
    },
    /// no text
    #[error(transparent)]
    Encoding(#[from] DecodeError),
}

/// Where to cut a stream at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nowhere,
    Before,
    /// after so many bytes of the line
    After(usize),
}

/// What is known about the document that is being collected.
#[derive(Debug, Default)]
struct Chunk {
    /// something other than comments and white space stands in it
    value: bool,
    directive: bool,
    /// it began with `---`
    marked: bool,
    json: Option<Brackets>,
}

#[derive(Debug, Default)]
struct Brackets {
    depth: u32,
    string: bool,
    escaped: bool,
}

#[derive(Debug)]
struct Cutter {
    chunk: Chunk,
    /// the stream has handed nothing out yet
    first: bool,
}

fn is_marker(line: &[u8], marker: &[u8; 3]) -> bool {
    line.starts_with(marker)
        && line
            .get(3)
            .is_none_or(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// What stands on a line after white space; nothing for comments.
fn content(line: &[u8]) -> Option<(usize, u8)> {
    let at = line
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))?;
    let byte = *line.get(at)?;
    (byte != b'#').then_some((at, byte))
}

impl Cutter {
    fn new() -> Self {
        Self {
            chunk: Chunk::default(),
            first: true,
        }
    }

    /// Looks at a line, or the rest of one after a cut, and says where a document ends.
    fn line(&mut self, line: &[u8], started: bool) -> Cut {
        if is_marker(line, b"---") {
            let joined = !started || (!self.chunk.value && self.joins());
            if !joined {
                return Cut::Before;
            }
            self.chunk.marked = true;
            self.chunk.json = None;
            let rest = line.get(3..).unwrap_or_default();
            self.chunk.value |= content(rest).is_some();
            return Cut::Nowhere;
        }
        if self.chunk.json.is_some() {
            return self.json(line, 0);
        }
        if is_marker(line, b"...") {
            return Cut::After(line.len());
        }
        let Some((at, byte)) = content(line) else {
            return Cut::Nowhere;
        };
        if byte == b'%' && at == 0 && !self.chunk.value && !self.chunk.marked {
            self.chunk.directive = true;
            return Cut::Nowhere;
        }
        let fresh = !self.chunk.value;
        self.chunk.value = true;
        if fresh && looks_like_json(line.get(at..).unwrap_or_default()) {
            self.chunk.json = Some(Brackets::default());
            return self.json(line, at);
        }
        Cut::Nowhere
    }

    /// Whether `---` continues a chunk without a value instead of ending it.
    fn joins(&self) -> bool {
        !self.chunk.marked && (self.first || self.chunk.directive)
    }

    fn json(&mut self, line: &[u8], from: usize) -> Cut {
        let Some(state) = &mut self.chunk.json else {
            return Cut::Nowhere;
        };
        for (index, byte) in line.iter().enumerate().skip(from) {
            if state.string {
                match byte {
                    _ if state.escaped => state.escaped = false,
                    b'\\' => state.escaped = true,
                    b'"' => state.string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => state.string = true,
                b'{' | b'[' => state.depth += 1,
                b'}' | b']' => {
                    state.depth = state.depth.saturating_sub(1);
                    if state.depth == 0 {
                        let rest = line.get(index + 1..).unwrap_or_default();
                        return match content(rest) {
                            // Another value on the same line begins another document.
                            Some((at, b'{' | b'[')) => Cut::After(index + 1 + at),
                            // What is no JSON at all is left to YAML as a whole.
                            Some(_) => {
                                self.chunk.json = None;
                                Cut::Nowhere
                            }
                            None => Cut::After(line.len()),
                        };
                    }
                }
                _ => {}
            }
        }
        Cut::Nowhere
    }

    /// Ends the document: whether it is empty, and whether it is JSON.
    fn finish(&mut self) -> (bool, bool) {
        let chunk = std::mem::take(&mut self.chunk);
        self.first = false;
        (!chunk.value, chunk.json.is_some())
    }
}

/// `{` or `[` followed by what JSON allows there, as far as the line tells.
fn looks_like_json(text: &[u8]) -> bool {
    let next = text.get(1..).and_then(content);
    match text.first() {
        Some(b'{') => matches!(next, None | Some((_, b'"' | b'}'))),
        Some(b'[') => matches!(next, None | Some((_, b'"' | b'{' | b'[' | b']'))),
        _ => false,
    }
}

/// The documents of a text.
#[derive(Debug)]
pub struct Documents<'t> {
    text: &'t str,
    start: usize,
    pos: usize,
    line: u32,
    next_line: u32,
    index: u32,
    cutter: Cutter,
}

/// Splits a text that is already in memory; documents borrow from it.
#[must_use]
pub fn documents(text: &str) -> Documents<'_> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    Documents {
        text,
        start,
        pos: start,
        line: 1,
        next_line: 1,
        index: 0,
        cutter: Cutter::new(),
    }
}

impl<'t> Documents<'t> {
    fn cut(&mut self, end: usize) -> Raw<'t> {
        let (empty, json) = self.cutter.finish();
        let raw = Raw {
            text: Cow::Borrowed(self.text.get(self.start..end).unwrap_or_default()),
            offset: self.start as u64,
            line: self.line,
            index: self.index,
            empty,
            json,
        };
        self.start = end;
        self.line = self.next_line;
        self.index += 1;
        raw
    }
}

impl<'t> Iterator for Documents<'t> {
    type Item = Raw<'t>;

    fn next(&mut self) -> Option<Raw<'t>> {
        let bytes = self.text.as_bytes();
        while self.pos < bytes.len() {
            let rest = bytes.get(self.pos..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let line = rest.get(..length).unwrap_or_default();
            match self.cutter.line(line, self.pos > self.start) {
                Cut::Nowhere => {
                    self.pos += length;
                    self.next_line += 1;
                }
                Cut::Before => return Some(self.cut(self.pos)),
                Cut::After(part) => {
                    self.pos += part;
                    self.next_line += u32::from(part == length);
                    return Some(self.cut(self.pos));
                }
            }
        }
        // What follows the last `...` or JSON value is a document only if it holds one.
        let left = self.start < bytes.len();
        let worth = self.index == 0 || self.cutter.chunk.value || self.cutter.chunk.marked;
        (left && worth).then(|| self.cut(bytes.len()))
    }
}

/// The documents of a stream.
#[derive(Debug)]
pub struct Splitter<R> {
    reader: R,
    limit: usize,
    buffer: Vec<u8>,
    /// a part of a line, or a line, that belongs to the next document
    pending: Vec<u8>,
    offset: u64,
    line: u32,
    next_line: u32,
    index: u32,
    cutter: Cutter,
    begun: bool,
    done: bool,
}

impl<R: BufRead> Splitter<R> {
    /// Documents may have 32 MiB.
    pub fn new(reader: R) -> Self {
        Self::with_limit(reader, 32 << 20)
    }

    /// Documents may have `limit` bytes.
    pub fn with_limit(reader: R, limit: usize) -> Self {
        Self {
            reader,
            limit,
            buffer: Vec::new(),
            pending: Vec::new(),
            offset: 0,
            line: 1,
            next_line: 1,
            index: 0,
            cutter: Cutter::new(),
            begun: false,
            done: false,
        }
    }

    /// The next line into `pending`; false at the end. A line longer than the limit is cut off.
    fn read_line(&mut self) -> std::io::Result<bool> {
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                return Ok(!self.pending.is_empty());
            }
            let found = memchr::memchr(b'\n', available);
            let length = found.map_or(available.len(), |at| at + 1);
            self.pending
                .extend_from_slice(available.get(..length).unwrap_or_default());
            self.reader.consume(length);
            if found.is_some() || self.pending.len() > self.limit {
                return Ok(true);
            }
        }
    }

    fn cut(&mut self) -> Result<Raw<'static>, SplitError> {
        let (empty, json) = self.cutter.finish();
        let bytes = std::mem::take(&mut self.buffer);
        let length = bytes.len() as u64;
        let (offset, line, index) = (self.offset, self.line, self.index);
        self.offset += length;
        self.line = self.next_line;
        self.index += 1;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let error = match crate::decode(error.as_bytes()) {
                    Err(error) => error,
                    Ok(_) => DecodeError::Binary {
                        what: "UTF-16 or binary",
                    },
                };
                return Err(error.moved(offset, line - 1).into());
            }
        };
        Ok(Raw {
            text: Cow::Owned(text),
            offset,
            line,
            index,
            empty,
            json,
        })
    }

    /// Goes on to the next `---` without keeping what is read.
    fn skip(&mut self) -> SplitError {
        let error = SplitError::TooLarge {
            line: self.line,
            limit: self.limit,
        };
        let mut passed = self.buffer.len() as u64;
        self.buffer = Vec::new();
        let mut whole = true;
        loop {
            if whole && is_marker(&self.pending, b"---") && passed > 0 {
                break;
            }
            passed += self.pending.len() as u64;
            whole = self.pending.ends_with(b"\n");
            self.next_line += u32::from(whole);
            self.pending.clear();
            match self.read_line() {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        self.cutter.finish();
        self.offset += passed;
        self.line = self.next_line;
        self.index += 1;
        error
    }
}

impl<R: BufRead> Iterator for Splitter<R> {
    type Item = Result<Raw<'static>, SplitError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            if self.pending.is_empty() {
                match self.read_line() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        self.done = true;
                        return Some(Err(error.into()));
                    }
                }
            }
            if !self.begun {
                self.begun = true;
                if self.pending.starts_with(b"\xEF\xBB\xBF") {
                    self.pending.drain(..3);
                    self.offset = 3;
                }
            }
            match self.cutter.line(&self.pending, !self.buffer.is_empty()) {
                Cut::Before => return Some(self.cut()),
                Cut::Nowhere => {
                    if self.buffer.len() + self.pending.len() > self.limit {
                        return Some(Err(self.skip()));
                    }
                    self.next_line += u32::from(self.pending.ends_with(b"\n"));
                    self.buffer.append(&mut self.pending);
                }
                Cut::After(part) => {
                    if self.buffer.len() + part > self.limit {
                        return Some(Err(self.skip()));
                    }
                    self.next_line +=
                        u32::from(part == self.pending.len() && self.pending.ends_with(b"\n"));
                    self.buffer.extend(self.pending.drain(..part));
                    return Some(self.cut());
                }
            }
        }
        self.done = true;
        let worth = self.index == 0 || self.cutter.chunk.value || self.cutter.chunk.marked;
        (!self.buffer.is_empty() && worth).then(|| self.cut())
    }
}
