//! JSON into the same values: strict as Go's `encoding/json` reads it, or lenient as Azure
//! Resource Manager accepts it (comments, trailing commas, strings over several lines). Of a text
//! that was cut, what was there ([`prefix`]). It leaves out JSON pointers.

use std::borrow::Cow;

use crate::error::{JsonFault, ParseError, Problem, What};
use crate::scan::Scan;
use crate::{Build, Entry, Limits, Span, maps};

/// What is accepted beyond JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// `//` and `/* */` comments, commas before closing brackets, line breaks in strings
    pub lenient: bool,
}

/// Reads one JSON value that fills the text. A byte order mark is skipped.
///
/// Integers outside the 64-bit range are floats; `\ud800` alone is U+FFFD; of duplicate keys
/// the last counts, as in Go.
///
/// # Errors
/// When the text is no JSON or exceeds a limit. Line and column count from the beginning of
/// `text`.
pub fn parse<B: Build>(
    text: &str,
    options: Options,
    limits: &Limits,
    build: &mut B,
) -> Result<B::Node, ParseError> {
    parse_at(text, 1, options, limits, build)
}

/// Reads one JSON value of which only the beginning may be there: maps and lists that are not closed
/// hold what stands in them, and [`Build::cut`] is told of each. A number or word at the very end may
/// go on, so it is left out; so is a key whose value is missing. Says whether anything was missing.
///
/// # Errors
/// When the text is not the beginning of any JSON, holds nothing, or exceeds a limit.
pub fn prefix<B: Build>(
    text: &str,
    limits: &Limits,
    build: &mut B,
) -> Result<(B::Node, bool), ParseError> {
    prefixed(text, limits, build).map_err(|problem| ParseError::new(problem, text, 1))
}

fn prefixed<B: Build>(text: &str, limits: &Limits, build: &mut B) -> Scan<(B::Node, bool)> {
    let mut reader = reader(text, Options::default(), limits, build)?;
    reader.may_end = true;
    match reader.value() {
        Ok(node) => {
            reader.blanks()?;
            if reader.pos < reader.bytes.len() {
                return reader.fail(JsonFault::Trailing);
            }
            Ok((node, false))
        }
        Err(problem) => {
            let ended = matches!(
                problem.what,
                What::Json(JsonFault::End | JsonFault::StringEnd)
            );
            match ended.then(|| reader.cut()).flatten() {
                Some(node) => Ok((node, true)),
                None => Err(problem),
            }
        }
    }
}

pub(crate) fn parse_at<B: Build>(
    text: &str,
    line: u32,
    options: Options,
    limits: &Limits,
    build: &mut B,
) -> Result<B::Node, ParseError> {
    document(text, options, limits, build).map_err(|problem| ParseError::new(problem, text, line))
}

fn document<B: Build>(
    text: &str,
    options: Options,
    limits: &Limits,
    build: &mut B,
) -> Scan<B::Node> {
    let mut reader = reader(text, options, limits, build)?;
    let node = reader.value()?;
    reader.blanks()?;
    if reader.pos < reader.bytes.len() {
        return reader.fail(JsonFault::Trailing);
    }
    Ok(node)
}

fn reader<'t, 'b, B: Build>(
    text: &'t str,
    options: Options,
    limits: &'b Limits,
    build: &'b mut B,
) -> Scan<Reader<'t, 'b, B>> {
    if text.len() > limits.bytes.min(u32::MAX as usize / 2) {
        return Err(Problem {
            what: What::TooLarge,
            at: 0,
            context: None,
        });
    }
    Ok(Reader {
        text,
        bytes: text.as_bytes(),
        pos: if text.starts_with('\u{feff}') { 3 } else { 0 },
        lenient: options.lenient,
        may_end: false,
        partial: None,
        limits,
        build,
        frames: Vec::new(),
        items: Vec::new(),
        entries: Vec::new(),
    })
}

/// An open object or array.
struct Frame<'t> {
    start: usize,
    first: usize,
    /// the key that waits for its value; an array has none
    key: Option<(Cow<'t, str>, Span)>,
    object: bool,
}

struct Reader<'t, 'b, B: Build> {
    text: &'t str,
    bytes: &'t [u8],
    pos: usize,
    lenient: bool,
    /// The text may be the beginning of a longer one.
    may_end: bool,
    /// Of a string that the text ends in: what was read of it, and where it begins.
    partial: Option<(String, usize)>,
    limits: &'b Limits,
    build: &'b mut B,
    frames: Vec<Frame<'t>>,
    items: Vec<B::Node>,
    entries: Vec<Entry<'t, B::Node>>,
}

impl<'t, B: Build> Reader<'t, '_, B> {
    fn at(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn fail<T>(&self, fault: JsonFault) -> Scan<T> {
        let what = if self.pos >= self.bytes.len() && fault != JsonFault::StringEnd {
            JsonFault::End
        } else {
            fault
        };
        Err(Problem {
            what: What::Json(what),
            at: self.pos as u32,
            context: self.frames.last().map(|f| f.start as u32),
        })
    }

    fn span(&self, start: usize) -> Span {
        Span {
            start: start as u32,
            end: self.pos as u32,
        }
    }

    fn blanks(&mut self) -> Scan<()> {
        loop {
            match self.at() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.pos += 1,
                Some(b'/') if self.lenient => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Scan<()> {
        let rest = self.bytes.get(self.pos + 1..).unwrap_or_default();
        let length = match rest.first() {
            Some(b'/') => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            Some(b'*') => {
                let inner = rest.get(1..).unwrap_or_default();
                match memchr::memmem::find(inner, b"*/") {
                    Some(at) => at + 3,
                    None => return self.fail(JsonFault::Comment),
                }
            }
            _ => return self.fail(JsonFault::Value),
        };
        self.pos += 1 + length;
        Ok(())
    }

    /// Reads a value of any depth without recursion.
    fn value(&mut self) -> Scan<B::Node> {
        loop {
            let mut node = match self.begin()? {
                Some(node) => node,
                None => continue,
            };
            // A finished value may finish what it stands in.
            loop {
                let Some(frame) = self.frames.last_mut() else {
                    return Ok(node);
                };
                if frame.object {
                    let (key, key_span) = frame.key.take().unwrap_or_default();
                    self.entries.push(Entry {
                        key,
                        key_span,
                        value: node,
                        merged: false,
                    });
                } else {
                    self.items.push(node);
                }
                match self.go_on()? {
                    Some(closed) => node = closed,
                    None => break,
                }
            }
        }
    }

    /// A scalar or an empty collection; nothing if a collection was opened.
    fn begin(&mut self) -> Scan<Option<B::Node>> {
        self.blanks()?;
        let start = self.pos;
        let node = match self.at() {
            Some(b'{' | b'[') => return self.open(),
            Some(b'"') => {
                let value = self.string()?;
                self.build.string(&value, self.span(start))
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                if self.may_end && self.pos >= self.bytes.len() {
                    return self.fail(JsonFault::End);
                }
                number
            }
            Some(b't') => {
                self.word("true")?;
                self.build.bool(true, self.span(start))
            }
            Some(b'f') => {
                self.word("false")?;
                self.build.bool(false, self.span(start))
            }
            Some(b'n') => {
                self.word("null")?;
                self.build.null(self.span(start))
            }
            _ => return self.fail(JsonFault::Value),
        };
        Ok(Some(node))
    }

    fn word(&mut self, word: &str) -> Scan<()> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            if self.may_end && word.as_bytes().starts_with(rest) {
                self.pos = self.bytes.len();
            }
            return self.fail(JsonFault::Value);
        }
        self.pos += word.len();
        Ok(())
    }

    fn open(&mut self) -> Scan<Option<B::Node>> {
        let object = self.at() == Some(b'{');
        if self.frames.len() >= self.limits.depth {
            return Err(Problem {
                what: What::TooDeep,
                at: self.pos as u32,
                context: None,
            });
        }
        self.frames.push(Frame {
            start: self.pos,
            first: if object {
                self.entries.len()
            } else {
                self.items.len()
            },
            key: None,
            object,
        });
        self.pos += 1;
        self.blanks()?;
        if self.at() == Some(if object { b'}' } else { b']' }) {
            return Ok(Some(self.close()));
        }
        if object {
            self.key()?;
        }
        Ok(None)
    }

    /// After a value: the closed collection, or nothing if another value follows.
    fn go_on(&mut self) -> Scan<Option<B::Node>> {
        let object = self.frames.last().is_some_and(|f| f.object);
        let closing = if object { b'}' } else { b']' };
        self.blanks()?;
        match self.at() {
            Some(b',') => {
                let comma = self.pos;
                self.pos += 1;
                self.blanks()?;
                if self.at() == Some(closing) {
                    if !self.lenient {
                        self.pos = comma;
                        return self.fail(JsonFault::TrailingComma);
                    }
                    return Ok(Some(self.close()));
                }
                if object {
                    self.key()?;
                }
                Ok(None)
            }
            Some(byte) if byte == closing => Ok(Some(self.close())),
            _ if object => self.fail(JsonFault::ObjectComma),
            _ => self.fail(JsonFault::ArrayComma),
        }
    }

    fn close(&mut self) -> B::Node {
        self.pos += 1;
        let (start, first, object) = match self.frames.pop() {
            Some(frame) => (frame.start, frame.first, frame.object),
            None => (self.pos, 0, false),
        };
        let span = self.span(start);
        if !object {
            let items = self.items.get(first..).unwrap_or_default();
            let node = self.build.list(items, span);
            self.items.truncate(first);
            return node;
        }
        let own = self.entries.get(first..).unwrap_or_default();
        let resolved = maps::resolve(own, &[], self.build);
        let node = self.build.map(resolved.as_deref().unwrap_or(own), span);
        self.entries.truncate(first);
        node
    }

    fn key(&mut self) -> Scan<()> {
        if self.at() != Some(b'"') {
            return self.fail(JsonFault::KeyString);
        }
        let start = self.pos;
        let key = self.string()?;
        let span = self.span(start);
        self.blanks()?;
        if self.at() != Some(b':') {
            return self.fail(JsonFault::Colon);
        }
        self.pos += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some((key, span));
        }
        Ok(())
    }

    fn string(&mut self) -> Scan<Cow<'t, str>> {
        let start = self.pos;
        self.pos += 1;
        let mut piece = self.pos;
        let mut owned: Option<String> = None;
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or_default();
            let run = rest
                .iter()
                .position(|b| matches!(b, b'"' | b'\\') || *b < 0x20);
            let Some(run) = run else {
                self.pos = self.bytes.len();
                if self.may_end {
                    let mut known = owned.unwrap_or_default();
                    known.push_str(self.text.get(piece..).unwrap_or_default());
                    self.partial = Some((known, start));
                }
                return self.fail(JsonFault::StringEnd);
            };
            self.pos += run;
            let text = self.text.get(piece..self.pos).unwrap_or_default();
            match self.at() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(text),
                        Some(mut owned) => {
                            owned.push_str(text);
                            Cow::Owned(owned)
                        }
                    });
                }
                Some(b'\\') => {
                    let owned = owned.get_or_insert_default();
                    owned.push_str(text);
                    if self.may_end && self.escape_is_cut() {
                        self.partial = Some((std::mem::take(owned), start));
                        self.pos = self.bytes.len();
                        return self.fail(JsonFault::StringEnd);
                    }
                    self.escape(owned)?;
                    piece = self.pos;
                }
                Some(b'\n' | b'\r' | b'\t') if self.lenient => self.pos += 1,
                _ => return self.fail(JsonFault::StringControl),
            }
        }
    }

    /// Whether the text ends in the escape that begins here, or where its second half would stand.
    fn escape_is_cut(&self) -> bool {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        match rest.get(1) {
            None => true,
            Some(b'u') => {
                let half = self
                    .hex(self.pos)
                    .is_some_and(|code| (0xD800..0xDC00).contains(&code));
                rest.len() < if half { 12 } else { 6 }
            }
            Some(_) => false,
        }
    }

    /// Closes everything that is open where the text ends, from the inside out.
    fn cut(&mut self) -> Option<B::Node> {
        self.pos = self.bytes.len();
        if let Some((known, start)) = self.partial.take() {
            let wants_value = |frame: &Frame<'_>| !frame.object || frame.key.is_some();
            if self.frames.last().is_some_and(wants_value) {
                let span = self.span(start);
                let node = self.build.cut_string(&known, span);
                self.hold(node);
            }
        }
        let mut closed = None;
        while !self.frames.is_empty() {
            if let Some(node) = closed {
                self.hold(node);
            }
            // The bracket that `close` steps over is not there.
            self.pos = self.bytes.len().saturating_sub(1);
            let node = self.close();
            self.build.cut(node);
            closed = Some(node);
        }
        closed
    }

    /// Puts a finished value into what it stands in.
    fn hold(&mut self, node: B::Node) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if !frame.object {
            self.items.push(node);
        } else if let Some((key, key_span)) = frame.key.take() {
            self.entries.push(Entry {
                key,
                key_span,
                value: node,
                merged: false,
            });
        }
    }

    fn escape(&mut self, out: &mut String) -> Scan<()> {
        let character = match self.bytes.get(self.pos + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(out),
            _ => return self.fail(JsonFault::Escape),
        };
        out.push(character);
        self.pos += 2;
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Scan<()> {
        let Some(first) = self.hex(self.pos) else {
            return self.fail(JsonFault::Escape);
        };
        self.pos += 6;
        if (0xD800..0xDC00).contains(&first)
            && let Some(second) = self.hex(self.pos)
            && (0xDC00..0xE000).contains(&second)
        {
            self.pos += 6;
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            return Ok(());
        }
        // Half a pair is U+FFFD, as Go reads it.
        out.push(char::from_u32(first).unwrap_or('\u{fffd}'));
        Ok(())
    }

    /// The code of `\uXXXX` at a position.
    fn hex(&self, at: usize) -> Option<u32> {
        let escape = self.bytes.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.pos;
        while self.at().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        if self.pos == start {
            return self.fail(JsonFault::Number);
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<B::Node> {
        let start = self.pos;
        let mut integer = true;
        if self.at() == Some(b'-') {
            self.pos += 1;
        }
        if self.at() == Some(b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.at() == Some(b'.') {
            integer = false;
            self.pos += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.at() {
            integer = false;
            self.pos += 1;
            if let Some(b'+' | b'-') = self.at() {
                self.pos += 1;
            }
            self.digits()?;
        }
        let span = self.span(start);
        let text = self.text.get(start..self.pos).unwrap_or_default();
        if integer {
            if let Ok(value) = text.parse() {
                return Ok(self.build.int(value, span));
            }
            if let Ok(value) = text.parse() {
                return Ok(self.build.uint(value, span));
            }
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(self.build.float(value, span)),
            _ => {
                self.pos = start;
                self.fail(JsonFault::NumberRange)
            }
        }
    }
}
