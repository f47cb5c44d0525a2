//! From text to tokens, by the rules of `libyaml` as Kubernetes' reader has them
//! (`go.yaml.in/yaml/v2`, `scannerc.go`): the same tokens for the same text, quirks included.
//!
//! It leaves out what the grammar of tokens means (`events`) and what a scalar is worth
//! (`resolve`). Columns are counted in bytes: only white space before the first token of a
//! line takes part in indentation, so bytes and characters agree where it matters.
//!
//! Derived from libyaml, Copyright (c) 2006 Kirill Simonov, under the MIT licence; the notice
//! stands in `NOTICE` beside this crate.

mod fetch;
mod scalar;
mod tag;

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::Span;
use crate::error::{Problem, What};

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

/// What some tokens carry.
#[derive(Debug, Clone)]
pub(crate) enum Data<'t> {
    None,
    Scalar(Style, Cow<'t, str>),
    Name(&'t str),
    /// handle and suffix of a tag, or handle and prefix of a `%TAG` directive
    Pair(Box<(String, String)>),
    Version(u8, u8),
}

#[derive(Debug, Clone)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) data: Data<'t>,
}

/// A place where a `key:` without `?` may have begun.
#[derive(Debug, Clone, Copy)]
struct SimpleKey {
    possible: bool,
    required: bool,
    /// whether the queue waits for it
    indexed: bool,
    number: usize,
    pos: usize,
    line: u32,
    column: isize,
}

/// Levels of brackets, and of indentation, that Go allows.
const MOST_LEVELS: usize = 10_000;

pub(crate) type Scan<T> = Result<T, Problem>;

#[derive(Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    pos: usize,
    line: u32,
    line_start: usize,
    tokens: VecDeque<Token<'t>>,
    available: bool,
    parsed: usize,
    indent: isize,
    indents: Vec<isize>,
    flow_level: usize,
    key_allowed: bool,
    keys: Vec<SimpleKey>,
    /// where comments stand, if they are wanted
    pub(crate) comments: Option<Vec<Span>>,
    /// the tokens that were taken, if they are wanted
    pub(crate) trail: Option<Vec<(Kind, Span)>>,
}

pub(crate) const BLANK: u8 = 1;
/// a byte that is, or may begin, a line break, and NUL
pub(crate) const BREAK: u8 = 2;
pub(crate) const COLON: u8 = 4;
pub(crate) const FLOW: u8 = 8;
pub(crate) const SINGLE: u8 = 16;
pub(crate) const DOUBLE: u8 = 32;
pub(crate) const ALPHA: u8 = 64;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated while compiling")]
    while i < 256 {
        table[i] = match i as u8 {
            b' ' | b'\t' => BLANK,
            // NEL begins with C2; the line and paragraph separators begin with E2.
            b'\r' | b'\n' | 0 | 0xC2 | 0xE2 => BREAK,
            b':' => COLON,
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => FLOW,
            b'\'' => SINGLE,
            b'"' | b'\\' => DOUBLE,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => ALPHA,
            _ => 0,
        };
        i += 1;
    }
    table
}

static CLASSES: [u8; 256] = classes();

#[inline]
pub(crate) fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let pos = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Scanner {
            text,
            bytes: text.as_bytes(),
            pos,
            line: 0,
            line_start: pos,
            tokens: VecDeque::with_capacity(16),
            available: false,
            parsed: 0,
            indent: -1,
            indents: Vec::with_capacity(16),
            flow_level: 0,
            key_allowed: true,
            keys: vec![SimpleKey {
                possible: false,
                required: false,
                indexed: false,
                number: 0,
                pos: 0,
                line: 0,
                column: 0,
            }],
            comments: None,
            trail: None,
        }
    }

    /// The next token's kind and place, without taking it.
    pub(crate) fn peek(&mut self) -> Scan<(Kind, Span)> {
        if !self.available {
            self.fetch_more()?;
            self.available = true;
        }
        match self.tokens.front() {
            Some(token) => Ok((token.kind, token.span)),
            None => Ok((Kind::StreamEnd, self.here())),
        }
    }

    /// Takes the token that [`Self::peek`] showed.
    pub(crate) fn take(&mut self) -> Data<'t> {
        self.available = false;
        self.parsed += 1;
        let Some(token) = self.tokens.pop_front() else {
            return Data::None;
        };
        if let Some(trail) = &mut self.trail {
            trail.push((token.kind, token.span));
        }
        token.data
    }

    #[inline]
    fn at(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    #[inline]
    fn column(&self) -> isize {
        (self.pos - self.line_start) as isize
    }

    fn here(&self) -> Span {
        self.span_from(self.pos)
    }

    #[inline]
    fn span_from(&self, start: usize) -> Span {
        Span {
            start: start as u32,
            end: self.pos as u32,
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn problem<T>(&self, what: What, context: usize) -> Scan<T> {
        Err(Problem {
            what,
            at: self.pos as u32,
            context: Some(context as u32),
        })
    }

    #[inline]
    fn is_blank(&self, ahead: usize) -> bool {
        class(self.at(ahead)) & BLANK != 0
    }

    /// The length of the line break that stands `ahead` of the position, 0 if none does.
    /// A carriage return counts alone here.
    #[inline]
    fn break_length(&self, ahead: usize) -> usize {
        let byte = self.at(ahead);
        if class(byte) & BREAK == 0 {
            return 0;
        }
        match byte {
            b'\n' | b'\r' => 1,
            0xC2 if self.at(ahead + 1) == 0x85 => 2,
            0xE2 if self.at(ahead + 1) == 0x80 && matches!(self.at(ahead + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    #[inline]
    fn is_breakz(&self, ahead: usize) -> bool {
        let byte = self.at(ahead);
        class(byte) & BREAK != 0 && (byte == 0 || self.break_length(ahead) > 0)
    }

    #[inline]
    fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    /// Goes past a line break; what it contributes to a scalar.
    fn read_break(&mut self) -> &'static str {
        let (length, value) = match self.at(0) {
            b'\r' if self.at(1) == b'\n' => (2, "\n"),
            b'\r' | b'\n' => (1, "\n"),
            0xC2 if self.at(1) == 0x85 => (2, "\n"),
            0xE2 if self.at(1) == 0x80 && self.at(2) == 0xA8 => (3, "\u{2028}"),
            0xE2 if self.at(1) == 0x80 && self.at(2) == 0xA9 => (3, "\u{2029}"),
            _ => return "",
        };
        self.pos += length;
        self.line += 1;
        self.line_start = self.pos;
        value
    }

    /// `---` or `...` at the start of a line.
    fn document_indicator(&self) -> bool {
        let first = self.at(0);
        (first == b'-' || first == b'.')
            && self.pos == self.line_start
            && self.at(1) == first
            && self.at(2) == first
            && self.is_blankz(3)
    }

    fn push(&mut self, kind: Kind, span: Span, data: Data<'t>) {
        self.tokens.push_back(Token { kind, span, data });
    }

    /// Takes `length` ASCII characters as a token.
    fn push_indicator(&mut self, kind: Kind, length: usize) {
        let start = self.pos;
        self.pos += length;
        self.push(kind, self.span_from(start), Data::None);
    }

    fn insert(&mut self, number: usize, kind: Kind, at: usize) {
        let token = Token {
            kind,
            span: Span {
                start: at as u32,
                end: at as u32,
            },
            data: Data::None,
        };
        // A key that was handed out already goes to the end, as in Go.
        match number.checked_sub(self.parsed) {
            Some(index) if index <= self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn fetch_more(&mut self) -> Scan<()> {
        loop {
            if !self.tokens.is_empty() {
                let head = self.parsed;
                // Inner collections begin later, so the numbers ascend.
                let first = self.keys.partition_point(|k| k.number < head);
                let same = self.keys.iter().enumerate().skip(first);
                let mut same = same.take_while(|(_, k)| k.number == head);
                let waiting = same.find(|(_, k)| k.indexed).map(|(index, _)| index);
                match waiting {
                    None => return Ok(()),
                    Some(index) => {
                        if !self.key_is_valid(index)? {
                            return Ok(());
                        }
                    }
                }
            }
            self.fetch_next()?;
        }
    }

    fn fetch_next(&mut self) -> Scan<()> {
        self.skip_to_token();
        self.unroll_indent(self.column());
        let byte = self.at(0);
        if self.pos >= self.bytes.len() {
            return self.fetch_stream_end();
        }
        if self.pos == self.line_start {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.document_indicator() {
                return self.fetch_document_indicator(byte);
            }
        }
        match byte {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push_indicator(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.is_blankz(1) => self.fetch_block_entry(),
            b'?' if self.flow_level > 0 || self.is_blankz(1) => self.fetch_key(),
            b':' if self.flow_level > 0 || self.is_blankz(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(Kind::Alias),
            b'&' => self.fetch_anchor(Kind::Anchor),
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_tag()
            }
            b'|' | b'>' if self.flow_level == 0 => {
                self.remove_key()?;
                self.key_allowed = true;
                self.scan_block(byte == b'|')
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_quoted(byte == b'\'')
            }
            // What is left of the indicators cannot begin a plain scalar; a tab can stand
            // here only where indentation is expected.
            b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                let what = match byte {
                    b'\t' => What::Tab,
                    b'%' => What::Percent,
                    b'@' | b'`' => What::Reserved,
                    _ => What::BlockInFlow,
                };
                self.problem(what, self.pos)
            }
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_plain()
            }
        }
    }

    fn key_is_valid(&mut self, index: usize) -> Scan<bool> {
        let Some(key) = self.keys.get(index).copied() else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.line < self.line || self.is_far(key.pos) {
            if key.required {
                return self.problem(What::NoColon, key.pos);
            }
            if let Some(key) = self.keys.get_mut(index) {
                key.possible = false;
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// More than 1024 characters after `from`.
    fn is_far(&self, from: usize) -> bool {
        let bytes = self.pos.saturating_sub(from);
        bytes > 1024 && (bytes > 4096 || self.slice(from, self.pos).chars().count() > 1024)
    }

    fn save_key(&mut self) -> Scan<()> {
        if !self.key_allowed {
            return Ok(());
        }
        let column = self.column();
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == column,
            indexed: true,
            number: self.parsed + self.tokens.len(),
            pos: self.pos,
            line: self.line,
            column,
        };
        self.remove_key()?;
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Scan<()> {
        if let Some(key) = self.keys.last_mut()
            && key.possible
        {
            if key.required {
                let at = key.pos;
                return self.problem(What::NoColon, at);
            }
            key.possible = false;
            key.indexed = false;
        }
        Ok(())
    }

    fn roll_indent(
        &mut self,
        column: isize,
        number: Option<usize>,
        kind: Kind,
        at: usize,
    ) -> Scan<()> {
        if self.flow_level == 0 && self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
            if self.indents.len() > MOST_LEVELS {
                return self.problem(What::TooDeep, at);
            }
            self.insert(number.unwrap_or(usize::MAX), kind, at);
        }
        Ok(())
    }

    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.here(), Data::None);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            loop {
                match self.at(0) {
                    b' ' => self.pos += 1,
                    b'\t' if self.flow_level > 0 || !self.key_allowed => self.pos += 1,
                    _ => break,
                }
            }
            if self.at(0) == b'#' {
                self.skip_comment();
            }
            if self.read_break().is_empty() {
                return;
            }
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) {
        let start = self.pos;
        self.skip_line_content();
        let span = self.span_from(start);
        if let Some(comments) = &mut self.comments {
            comments.push(span);
        }
    }

    /// Goes to the line break or the end.
    fn skip_line_content(&mut self) {
        loop {
            while class(self.at(0)) & BREAK == 0 {
                self.pos += 1;
            }
            if self.pos >= self.bytes.len() || self.is_breakz(0) {
                return;
            }
            self.pos += 1;
        }
    }
}
