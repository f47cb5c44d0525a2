//! JSON as bytes: where a value ends, which keys an object has, what a string says, in text that may end anywhere.
//!
//! Nothing is built and nothing recurses. A value that is passed over is not looked into: its brackets are
//! counted, no more, so text that is no JSON is found out only where it is read. Numbers are left as text.

use std::borrow::Cow;

use memchr::memchr;

use crate::blocks::mark;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    /// What is within the quotes, as it is written.
    Text {
        body: &'a [u8],
        escaped: bool,
        whole: bool,
    },
    /// An object or a list, with its brackets.
    Tree { text: &'a [u8], whole: bool },
    /// A number, `true`, `false` or `null`.
    Plain { text: &'a [u8], whole: bool },
    /// The text ends before it.
    Missing,
    /// No value begins here.
    Wrong,
}

impl Raw<'_> {
    /// Whether the value was read to its end.
    pub(crate) fn end(self) -> End {
        match self {
            Self::Text { whole, .. } | Self::Tree { whole, .. } | Self::Plain { whole, .. } => {
                if whole {
                    End::Whole
                } else {
                    End::Cut
                }
            }
            Self::Missing => End::Cut,
            Self::Wrong => End::Wrong,
        }
    }
}

/// Why a value was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was.
    Whole,
    /// The text ends within it.
    Cut,
    /// It is no JSON from here on.
    Wrong,
}

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Goes on behind so many bytes.
    pub(crate) fn skip(&mut self, length: usize) {
        self.at = self.bytes.len().min(self.at + length);
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The value that begins here, passed over.
    pub(crate) fn value(&mut self) -> Raw<'a> {
        match self.peek() {
            None => Raw::Missing,
            Some(b'"') => {
                self.at += 1;
                let (body, escaped, whole) = self.string_rest();
                Raw::Text {
                    body,
                    escaped,
                    whole,
                }
            }
            Some(b'{' | b'[') => {
                let (text, whole) = self.brackets();
                Raw::Tree { text, whole }
            }
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let rest = self.rest();
                let plain = |byte: &u8| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
                let length = rest.iter().position(plain);
                let text = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
                self.at += text.len();
                Raw::Plain {
                    text,
                    whole: length.is_some(),
                }
            }
            Some(_) => Raw::Wrong,
        }
    }

    /// The string that begins here, appended without its escapes.
    pub(crate) fn unescaped(&mut self, out: &mut Vec<u8>) -> End {
        if !self.eat(b'"') {
            return self.value().end();
        }
        loop {
            let rest = self.rest();
            let Some(found) = mark(rest) else {
                out.extend_from_slice(rest);
                self.at = self.bytes.len();
                return End::Cut;
            };
            out.extend_from_slice(rest.get(..found).unwrap_or_default());
            self.at += found + 1;
            if rest.get(found) == Some(&b'"') {
                return End::Whole;
            }
            if let Some(letter @ (b'"' | b'\\')) = rest.get(found + 1) {
                out.push(*letter);
                self.at += 1;
                continue;
            }
            match escape(self.rest(), out) {
                Some(used) => self.at += used,
                None => {
                    self.at = self.bytes.len();
                    return End::Cut;
                }
            }
        }
    }

    /// The rest of a string after its first quote, up to the last and over it.
    fn string_rest(&mut self) -> (&'a [u8], bool, bool) {
        let rest = self.rest();
        let (mut at, mut escaped) = (0, false);
        loop {
            let tail = rest.get(at..).unwrap_or_default();
            let Some(found) = mark(tail) else {
                self.at = self.bytes.len();
                return (rest, escaped, false);
            };
            at += found;
            if rest.get(at) == Some(&b'"') {
                self.at += at + 1;
                return (rest.get(..at).unwrap_or_default(), escaped, true);
            }
            escaped = true;
            at += 2;
        }
    }

    /// From an opening bracket over the closing one.
    fn brackets(&mut self) -> (&'a [u8], bool) {
        let rest = self.rest();
        let (mut at, mut depth) = (0, 0_usize);
        while let Some(byte) = rest.get(at) {
            at += 1;
            match byte {
                b'"' => match string_end(rest, at) {
                    Some(end) => at = end,
                    None => break,
                },
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += at;
                        return (rest.get(..at).unwrap_or_default(), true);
                    }
                }
                _ => {}
            }
        }
        self.at = self.bytes.len();
        (rest, false)
    }

    /// Hands on the entries of the object that begins here: the key as it is written, and the place of the
    /// value, which `each` must go over.
    pub(crate) fn entries(&mut self, mut each: impl FnMut(&'a [u8], &mut Self) -> End) -> End {
        if !self.eat(b'{') {
            return self.missing();
        }
        if self.eat(b'}') {
            return End::Whole;
        }
        loop {
            if !self.eat(b'"') {
                return self.missing();
            }
            let (key, _, whole) = self.string_rest();
            if !whole {
                return End::Cut;
            }
            if !self.eat(b':') {
                return self.missing();
            }
            if self.peek().is_none() {
                return End::Cut;
            }
            match each(key, self) {
                End::Whole => {}
                end => return end,
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return End::Whole;
                }
                _ => return self.missing(),
            }
        }
    }

    /// Hands on the items of the list that begins here, as `entries` does.
    pub(crate) fn items(&mut self, mut each: impl FnMut(&mut Self) -> End) -> End {
        if !self.eat(b'[') {
            return self.missing();
        }
        if self.eat(b']') {
            return End::Whole;
        }
        loop {
            if self.peek().is_none() {
                return End::Cut;
            }
            match each(self) {
                End::Whole => {}
                end => return end,
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return End::Whole;
                }
                _ => return self.missing(),
            }
        }
    }

    /// Something else stands where something must.
    fn missing(&mut self) -> End {
        if self.peek().is_none() {
            End::Cut
        } else {
            End::Wrong
        }
    }
}

/// Behind the last quote of the string whose first stands before `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let tail = text.get(at..)?;
        let found = mark(tail)?;
        if tail.get(found) == Some(&b'"') {
            return Some(at + found + 1);
        }
        at += found + 2;
    }
}

/// What a string says; of one that is cut what is left of it, without half a letter or half an escape.
pub(crate) fn text(body: &[u8], escaped: bool, whole: bool) -> Cow<'_, str> {
    if escaped {
        let mut out = Vec::with_capacity(body.len());
        unescape(body, &mut out);
        return Cow::Owned(match String::from_utf8(out) {
            Ok(text) => text,
            Err(error) => lossy(error.as_bytes(), whole).into_owned(),
        });
    }
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => lossy(body, whole),
    }
}

/// Bytes that are no UTF-8 become U+FFFD; a letter that the end cuts is left out.
fn lossy(bytes: &[u8], whole: bool) -> Cow<'_, str> {
    let bytes = match std::str::from_utf8(bytes) {
        Err(error) if !whole && error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or_default()
        }
        _ => bytes,
    };
    String::from_utf8_lossy(bytes)
}

/// Appends what a string says that is written with escapes. An escape that the end cuts is left out, a wrong
/// one and half a surrogate pair are U+FFFD, as `encoding/json` reads them.
pub(crate) fn unescape(mut body: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr(b'\\', body) {
        out.extend_from_slice(body.get(..at).unwrap_or_default());
        let rest = body.get(at + 1..).unwrap_or_default();
        let Some(used) = escape(rest, out) else {
            return;
        };
        body = rest.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(body);
}

/// What an escape stands for, after its backslash, and how many bytes it took; `None` where the end cuts it.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (letter, after) = rest.split_first()?;
    let plain = match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(after, out).map(|used| used + 1),
        other => *other,
    };
    out.push(plain);
    Some(1)
}

/// The letter of `\uXXXX`, after the `u`, and how many bytes it took; `None` where the end cuts it.
fn unicode(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let code = |at: usize| -> Option<Result<u32, ()>> {
        let digits = rest.get(at..at + 4)?;
        let digits = std::str::from_utf8(digits).map_err(|_| ());
        Some(digits.and_then(|digits| u32::from_str_radix(digits, 16).map_err(|_| ())))
    };
    let (mut used, mut letter) = (4, char::REPLACEMENT_CHARACTER);
    match code(0)? {
        Ok(high @ 0xd800..=0xdbff) => {
            let next = rest.get(4..6);
            if next == Some(b"\\u") {
                if let Ok(low @ 0xdc00..=0xdfff) = code(6)? {
                    let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    letter = char::from_u32(joined).unwrap_or(letter);
                    used = 10;
                }
            } else if next.is_none() {
                return None;
            }
        }
        Ok(code) => letter = char::from_u32(code).unwrap_or(letter),
        Err(()) => {}
    }
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    Some(used)
}
