//! Directives, tags, anchors and aliases: the parts of a document that manifests rarely hold.

use super::{ALPHA, Data, Kind, Scan, Scanner, class};
use crate::error::What;

impl Scanner<'_> {
    fn skip_alpha(&mut self) {
        while class(self.at(0)) & ALPHA != 0 {
            self.pos += 1;
        }
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.pos += 1;
        }
    }

    pub(super) fn fetch_anchor(&mut self, kind: Kind) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.pos;
        self.pos += 1;
        self.skip_alpha();
        let follows = matches!(
            self.at(0),
            b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
        );
        if self.pos == start + 1 || !(follows || self.is_blankz(0)) {
            let what = if kind == Kind::Anchor {
                What::AnchorName
            } else {
                What::AliasName
            };
            return self.problem(what, start);
        }
        let name = self.slice(start + 1, self.pos);
        self.push(kind, self.span_from(start), Data::Name(name));
        Ok(())
    }

    pub(super) fn fetch_directive(&mut self) -> Scan<()> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.pos;
        self.pos += 1;
        let name = self.pos;
        self.skip_alpha();
        let name = self.slice(name, self.pos);
        if !self.is_blankz(0) {
            return self.problem(What::Directive, start);
        }
        let (kind, data) = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number(start)?;
                if self.at(0) != b'.' {
                    return self.problem(What::Directive, start);
                }
                self.pos += 1;
                let minor = self.version_number(start)?;
                (Kind::VersionDirective, Data::Version(major, minor))
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.tag_handle(true, start)?;
                if !self.is_blank(0) {
                    return self.problem(What::Directive, start);
                }
                self.skip_blanks();
                let prefix = self.tag_uri("", start)?;
                if !self.is_blankz(0) {
                    return self.problem(What::Directive, start);
                }
                (Kind::TagDirective, Data::Pair(Box::new((handle, prefix))))
            }
            _ => return self.problem(What::Directive, start),
        };
        let span = self.span_from(start);
        self.skip_blanks();
        if self.at(0) == b'#' {
            self.skip_comment();
        }
        if self.pos < self.bytes.len() && !self.is_breakz(0) {
            return self.problem(What::Directive, start);
        }
        self.read_break();
        self.push(kind, span, data);
        Ok(())
    }

    fn version_number(&mut self, start: usize) -> Scan<u8> {
        let from = self.pos;
        while self.at(0).is_ascii_digit() {
            self.pos += 1;
        }
        let digits = self.slice(from, self.pos);
        match digits.parse() {
            Ok(number) if digits.len() <= 2 => Ok(number),
            _ => self.problem(What::Directive, start),
        }
    }

    pub(super) fn scan_tag(&mut self) -> Scan<()> {
        let start = self.pos;
        let (handle, suffix) = if self.at(1) == b'<' {
            self.pos += 2;
            let uri = self.tag_uri("", start)?;
            if self.at(0) != b'>' {
                return self.problem(What::Tag, start);
            }
            self.pos += 1;
            (String::new(), uri)
        } else {
            let handle = self.tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.tag_uri("", start)?;
                (handle, suffix)
            } else {
                let suffix = self.tag_uri(&handle, start)?;
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if self.pos < self.bytes.len() && !self.is_blankz(0) {
            return self.problem(What::Tag, start);
        }
        let data = Data::Pair(Box::new((handle, suffix)));
        self.push(Kind::Tag, self.span_from(start), data);
        Ok(())
    }

    fn tag_handle(&mut self, directive: bool, start: usize) -> Scan<String> {
        let from = self.pos;
        if self.at(0) != b'!' {
            return self.problem(What::Tag, start);
        }
        self.pos += 1;
        self.skip_alpha();
        if self.at(0) == b'!' {
            self.pos += 1;
        } else if directive && self.pos != from + 1 {
            return self.problem(What::Tag, start);
        }
        Ok(self.slice(from, self.pos).to_owned())
    }

    /// A tag's address; `head` is a handle that turned out to be its beginning.
    fn tag_uri(&mut self, head: &str, start: usize) -> Scan<String> {
        let mut uri = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut found = !head.is_empty();
        loop {
            match self.at(0) {
                b'%' => {
                    let octet = self
                        .bytes
                        .get(self.pos + 1..self.pos + 3)
                        .and_then(|b| std::str::from_utf8(b).ok())
                        .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
                        .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                    let Some(octet) = octet else {
                        return self.problem(What::Tag, start);
                    };
                    uri.push(octet);
                    self.pos += 3;
                }
                byte @ (b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b','
                | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'[' | b']') => {
                    uri.push(byte);
                    self.pos += 1;
                }
                byte if class(byte) & ALPHA != 0 => {
                    uri.push(byte);
                    self.pos += 1;
                }
                _ => break,
            }
            found = true;
        }
        match String::from_utf8(uri) {
            Ok(uri) if found => Ok(uri),
            _ => self.problem(What::Tag, start),
        }
    }
}
