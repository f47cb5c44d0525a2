//! Plain, quoted and block scalars. Text is borrowed unless lines were folded or escapes
//! replaced.

use std::borrow::Cow;

use super::{
    ALPHA, BLANK, BREAK, COLON, DOUBLE, Data, FLOW, Kind, SINGLE, Scan, Scanner, Style, class,
};
use crate::Span;
use crate::error::What;

/// A value that is a piece of the text as long as possible.
struct Value<'t> {
    owned: Option<String>,
    /// first byte of the piece that was not copied yet
    piece: usize,
    scanner_text: &'t str,
}

impl<'t> Value<'t> {
    fn new(text: &'t str, piece: usize) -> Self {
        Value {
            owned: None,
            piece,
            scanner_text: text,
        }
    }

    /// Copies the piece up to `end`, then appends.
    fn append(&mut self, end: usize, more: &str) {
        let piece = self.scanner_text.get(self.piece..end).unwrap_or_default();
        let owned = self.owned.get_or_insert_default();
        owned.push_str(piece);
        owned.push_str(more);
    }

    fn finish(mut self, end: usize) -> Cow<'t, str> {
        if self.owned.is_some() {
            self.append(end, "");
        }
        match self.owned {
            Some(owned) => Cow::Owned(owned),
            None => Cow::Borrowed(self.scanner_text.get(self.piece..end).unwrap_or_default()),
        }
    }
}

/// How folded lines join: one break is a blank, more are the breaks after the first.
fn joint<'a>(first: &'a str, more: &'a str) -> Cow<'a, str> {
    if !first.starts_with('\n') {
        Cow::Owned([first, more].concat())
    } else if more.is_empty() {
        Cow::Borrowed(" ")
    } else {
        Cow::Borrowed(more)
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) -> Scan<()> {
        let start = self.pos;
        let indent = self.indent + 1;
        let mut end = start;
        let mut value = Value::new(self.text, start);
        let mut folded = false;
        let mut first = "";
        let mut more = String::new();
        loop {
            if self.at(0) == b'#' || self.document_indicator() {
                break;
            }
            let run = self.pos;
            self.plain_run();
            if self.pos > run {
                if folded {
                    value.append(end, &joint(first, &more));
                    value.piece = run;
                    folded = false;
                    more.clear();
                }
                end = self.pos;
            }
            if !self.is_blank(0) && self.break_length(0) == 0 {
                break;
            }
            loop {
                if self.is_blank(0) {
                    if folded && self.column() < indent && self.at(0) == b'\t' {
                        return self.problem(What::Tab, start);
                    }
                    self.pos += 1;
                } else {
                    let line_break = self.read_break();
                    if line_break.is_empty() {
                        break;
                    }
                    if folded {
                        more.push_str(line_break);
                    } else {
                        first = line_break;
                        folded = true;
                    }
                }
            }
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        let span = Span {
            start: start as u32,
            end: end as u32,
        };
        let data = Data::Scalar(Style::Plain, value.finish(end));
        self.push(Kind::Scalar, span, data);
        if folded {
            self.key_allowed = true;
        }
        Ok(())
    }

    /// Goes past what belongs to a plain scalar without a blank.
    fn plain_run(&mut self) {
        let stop = if self.flow_level > 0 {
            BLANK | BREAK | COLON | FLOW
        } else {
            BLANK | BREAK | COLON
        };
        loop {
            while class(self.at(0)) & stop == 0 {
                self.pos += 1;
            }
            let byte = self.at(0);
            let ends = match class(byte) {
                COLON => self.is_blankz(1),
                BREAK => self.is_breakz(0),
                _ => true,
            };
            if ends {
                return;
            }
            self.pos += 1;
        }
    }

    pub(super) fn scan_quoted(&mut self, single: bool) -> Scan<()> {
        let start = self.pos;
        let quote = self.at(0);
        self.pos += 1;
        let mut value = Value::new(self.text, self.pos);
        let mut more = String::new();
        loop {
            if self.document_indicator() {
                return self.problem(What::QuoteDocument, start);
            }
            if self.pos >= self.bytes.len() {
                return self.problem(What::QuoteOpen, start);
            }
            let escaped_break = self.quoted_run(single, start, &mut value)?;
            if self.at(0) == quote && !escaped_break {
                break;
            }
            let blanks = self.pos;
            let mut first = "";
            let mut folded = escaped_break;
            loop {
                if self.is_blank(0) {
                    self.pos += 1;
                } else {
                    let line_break = self.read_break();
                    if line_break.is_empty() {
                        break;
                    }
                    if folded {
                        more.push_str(line_break);
                    } else {
                        first = line_break;
                        folded = true;
                    }
                }
            }
            if folded {
                let end = if escaped_break { value.piece } else { blanks };
                value.append(end, &joint(first, &more));
                value.piece = self.pos;
                more.clear();
            }
        }
        let end = self.pos;
        self.pos += 1;
        let style = if single { Style::Single } else { Style::Double };
        self.push(
            Kind::Scalar,
            self.span_from(start),
            Data::Scalar(style, value.finish(end)),
        );
        Ok(())
    }

    /// Goes past what stands between blanks in quotes; whether an escaped line break ended it.
    fn quoted_run(&mut self, single: bool, start: usize, value: &mut Value<'_>) -> Scan<bool> {
        let stop = if single {
            BLANK | BREAK | SINGLE
        } else {
            BLANK | BREAK | DOUBLE
        };
        loop {
            while class(self.at(0)) & stop == 0 {
                self.pos += 1;
            }
            match self.at(0) {
                b'\'' if single => {
                    if self.at(1) != b'\'' {
                        return Ok(false);
                    }
                    value.append(self.pos, "'");
                    self.pos += 2;
                    value.piece = self.pos;
                }
                b'"' if !single => return Ok(false),
                b'\\' if !single => {
                    if self.break_length(1) > 0 {
                        value.append(self.pos, "");
                        self.pos += 1;
                        self.read_break();
                        value.piece = self.pos;
                        return Ok(true);
                    }
                    self.escape(start, value)?;
                }
                _ if self.is_blankz(0) => return Ok(false),
                _ => self.pos += 1,
            }
        }
    }

    fn escape(&mut self, start: usize, value: &mut Value<'_>) -> Scan<()> {
        let (text, digits) = match self.at(1) {
            b'0' => ("\0", 0),
            b'a' => ("\x07", 0),
            b'b' => ("\x08", 0),
            b't' | b'\t' => ("\t", 0),
            b'n' => ("\n", 0),
            b'v' => ("\x0B", 0),
            b'f' => ("\x0C", 0),
            b'r' => ("\r", 0),
            b'e' => ("\x1B", 0),
            b' ' => (" ", 0),
            b'"' => ("\"", 0),
            b'\'' => ("'", 0),
            b'\\' => ("\\", 0),
            b'N' => ("\u{85}", 0),
            b'_' => ("\u{a0}", 0),
            b'L' => ("\u{2028}", 0),
            b'P' => ("\u{2029}", 0),
            b'x' => ("", 2),
            b'u' => ("", 4),
            b'U' => ("", 8),
            _ => return self.problem(What::Escape, start),
        };
        value.append(self.pos, text);
        if digits > 0 {
            let hex = self
                .bytes
                .get(self.pos + 2..self.pos + 2 + digits)
                .and_then(|b| std::str::from_utf8(b).ok())
                .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|hex| u32::from_str_radix(hex, 16).ok());
            let Some(code) = hex else {
                return self.problem(What::EscapeDigits, start);
            };
            let Some(character) = char::from_u32(code) else {
                return self.problem(What::EscapeCode, start);
            };
            value.owned.get_or_insert_default().push(character);
        }
        self.pos += 2 + digits;
        value.piece = self.pos;
        Ok(())
    }

    pub(super) fn scan_block(&mut self, literal: bool) -> Scan<()> {
        let start = self.pos;
        let (keep, mut indent) = self.block_header(start)?;
        let mut end = self.pos;
        self.read_break();
        let mut value = String::new();
        let mut more = String::new();
        self.block_breaks(&mut indent, &mut more, start)?;
        let mut first = "";
        let mut blank_before = false;
        while self.column() == indent && self.pos < self.bytes.len() {
            let blank = self.is_blank(0);
            if literal || blank_before || blank || !first.starts_with('\n') {
                value.push_str(first);
            } else if more.is_empty() {
                value.push(' ');
            }
            value.push_str(&more);
            more.clear();
            blank_before = blank;
            let line = self.pos;
            self.skip_line_content();
            value.push_str(self.slice(line, self.pos));
            end = self.pos;
            first = self.read_break();
            self.block_breaks(&mut indent, &mut more, start)?;
        }
        if keep != Some(false) {
            value.push_str(first);
        }
        if keep == Some(true) {
            value.push_str(&more);
        }
        let span = Span {
            start: start as u32,
            end: end as u32,
        };
        self.push(
            Kind::Scalar,
            span,
            Data::Scalar(Style::Block, Cow::Owned(value)),
        );
        Ok(())
    }

    /// Reads `|2-  # comment`: which final breaks to keep, and the indentation if given.
    fn block_header(&mut self, start: usize) -> Scan<(Option<bool>, isize)> {
        self.pos += 1;
        let mut keep = self.chomping();
        let mut indent = 0;
        if class(self.at(0)) & ALPHA != 0 && self.at(0).is_ascii_digit() {
            let increment = isize::from(self.at(0) - b'0');
            if increment == 0 {
                return self.problem(What::BlockZero, start);
            }
            indent = self.indent.max(0) + increment;
            self.pos += 1;
            if keep.is_none() {
                keep = self.chomping();
            }
        }
        while self.is_blank(0) {
            self.pos += 1;
        }
        if self.at(0) == b'#' {
            self.skip_comment();
        }
        if self.pos < self.bytes.len() && !self.is_breakz(0) {
            return self.problem(What::BlockHeader, start);
        }
        Ok((keep, indent))
    }

    fn chomping(&mut self) -> Option<bool> {
        let keep = match self.at(0) {
            b'+' => true,
            b'-' => false,
            _ => return None,
        };
        self.pos += 1;
        Some(keep)
    }

    /// Goes past indentation and empty lines; finds the indentation if it is not known yet.
    fn block_breaks(&mut self, indent: &mut isize, breaks: &mut String, start: usize) -> Scan<()> {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.at(0) == b' ' {
                self.pos += 1;
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.at(0) == b'\t' {
                return self.problem(What::Tab, start);
            }
            let line_break = self.read_break();
            if line_break.is_empty() {
                break;
            }
            breaks.push_str(line_break);
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
