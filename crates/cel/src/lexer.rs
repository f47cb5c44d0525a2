//! Characters to tokens, after the lexis of the CEL specification.
//!
//! One token at a time, borrowed from the source; only string literals allocate.

use crate::{CompileError, Span};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tok<'s> {
    Ident(&'s str),
    /// `` `name` ``
    Quoted(&'s str),
    /// The digits, with `0x` where written
    Int(&'s str),
    Uint(&'s str),
    Double(f64),
    Str(String),
    Bytes(Vec<u8>),
    /// An operator or bracket
    P(&'static str),
    End,
}

impl Tok<'_> {
    /// How the token is named in messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Tok::Ident(s) | Tok::Int(s) => format!("`{s}`"),
            Tok::Quoted(s) => format!("`` `{s}` ``"),
            Tok::Uint(s) => format!("`{s}u`"),
            Tok::Double(d) => format!("`{d}`"),
            Tok::Str(_) => "a string".into(),
            Tok::Bytes(_) => "a bytes literal".into(),
            Tok::P(p) => format!("`{p}`"),
            Tok::End => "the end of the expression".into(),
        }
    }
}

pub(crate) struct Lexer<'s> {
    src: &'s str,
    pos: usize,
}

/// The operator or bracket that begins with these two bytes.
const fn operator(first: u8, second: u8) -> Option<&'static str> {
    Some(match (first, second) {
        (b'=', b'=') => "==",
        (b'!', b'=') => "!=",
        (b'<', b'=') => "<=",
        (b'>', b'=') => ">=",
        (b'&', b'&') => "&&",
        (b'|', b'|') => "||",
        (b'<', _) => "<",
        (b'>', _) => ">",
        (b'!', _) => "!",
        (b'+', _) => "+",
        (b'-', _) => "-",
        (b'*', _) => "*",
        (b'/', _) => "/",
        (b'%', _) => "%",
        (b'?', _) => "?",
        (b':', _) => ":",
        (b'.', _) => ".",
        (b',', _) => ",",
        (b'(', _) => "(",
        (b')', _) => ")",
        (b'[', _) => "[",
        (b']', _) => "]",
        (b'{', _) => "{",
        (b'}', _) => "}",
        _ => return None,
    })
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(src: &'s str) -> Self {
        Self { src, pos: 0 }
    }

    fn rest(&self) -> &'s str {
        self.src.get(self.pos..).unwrap_or("")
    }

    fn byte(&self, offset: usize) -> u8 {
        self.src
            .as_bytes()
            .get(self.pos + offset)
            .copied()
            .unwrap_or(0)
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.pos)
    }

    fn skip_space(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.pos += 1,
                b'/' if self.byte(1) == b'/' => {
                    let len = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.pos += len;
                }
                _ => return,
            }
        }
    }

    /// The next token and where it stands.
    pub(crate) fn next(&mut self) -> Result<(Tok<'s>, Span), CompileError> {
        self.skip_space();
        let start = self.pos;
        if start >= self.src.len() {
            return Ok((Tok::End, Span::new(start, start)));
        }
        let b = self.byte(0);
        let tok = match b {
            b'"' | b'\'' => self.string(false, false)?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.word()?,
            b'0'..=b'9' => self.number()?,
            b'.' if self.byte(1).is_ascii_digit() => self.number()?,
            b'`' => self.quoted()?,
            _ => self.operator()?,
        };
        Ok((tok, self.span_from(start)))
    }

    fn operator(&mut self) -> Result<Tok<'s>, CompileError> {
        if let Some(operator) = operator(self.byte(0), self.byte(1)) {
            self.pos += operator.len();
            return Ok(Tok::P(operator));
        }
        let rest = self.rest();
        let c = rest.chars().next().unwrap_or('\0');
        let start = self.pos;
        self.pos += c.len_utf8();
        let help = match c {
            '=' => Some("write `==` to compare".to_owned()),
            '&' => Some("write `&&`".to_owned()),
            '|' => Some("write `||`".to_owned()),
            _ => None,
        };
        Err(
            CompileError::new(format!("unexpected character `{c}`"), self.span_from(start))
                .with_help(help),
        )
    }

    fn take_while(&mut self, f: impl Fn(u8) -> bool) -> &'s str {
        let start = self.pos;
        while self.pos < self.src.len() && f(self.byte(0)) {
            self.pos += 1;
        }
        self.src.get(start..self.pos).unwrap_or("")
    }

    fn word(&mut self) -> Result<Tok<'s>, CompileError> {
        let (b0, b1, b2) = (self.byte(0) | 0x20, self.byte(1), self.byte(2));
        let quote = |b| b == b'"' || b == b'\'';
        if b0 == b'r' && quote(b1) {
            self.pos += 1;
            return self.string(true, false);
        }
        if b0 == b'b' && quote(b1) {
            self.pos += 1;
            return self.string(false, true);
        }
        if ((b0 == b'b' && b1 | 0x20 == b'r') || (b0 == b'r' && b1 | 0x20 == b'b')) && quote(b2) {
            self.pos += 2;
            return self.string(true, true);
        }
        Ok(Tok::Ident(
            self.take_while(|b| b == b'_' || b.is_ascii_alphanumeric()),
        ))
    }

    fn quoted(&mut self) -> Result<Tok<'s>, CompileError> {
        let start = self.pos;
        self.pos += 1;
        let name = self.take_while(|b| b.is_ascii_alphanumeric() || b"_.-/ ".contains(&b));
        if self.byte(0) != b'`' || name.is_empty() {
            return Err(CompileError::new(
                "a name in backticks holds letters, digits, `_`, `.`, `-`, `/` and spaces, and ends with a backtick",
                self.span_from(start),
            ));
        }
        self.pos += 1;
        Ok(Tok::Quoted(name))
    }

    fn number(&mut self) -> Result<Tok<'s>, CompileError> {
        let start = self.pos;
        let text = |l: &Self| l.src.get(start..l.pos).unwrap_or("");
        if self.byte(0) == b'0' && self.byte(1) | 0x20 == b'x' && self.byte(2).is_ascii_hexdigit() {
            self.pos += 2;
            self.take_while(|b| b.is_ascii_hexdigit());
        } else {
            self.take_while(|b| b.is_ascii_digit());
            let mut double = false;
            if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
                double = true;
                self.pos += 1;
                self.take_while(|b| b.is_ascii_digit());
            }
            let exp_digits = match self.byte(1) {
                b'+' | b'-' => 2,
                _ => 1,
            };
            if self.byte(0) | 0x20 == b'e' && self.byte(exp_digits).is_ascii_digit() {
                double = true;
                self.pos += exp_digits;
                self.take_while(|b| b.is_ascii_digit());
            }
            if double {
                let value = text(self)
                    .parse::<f64>()
                    .map_err(|_| CompileError::new("this is no number", self.span_from(start)))?;
                return Ok(Tok::Double(value));
            }
        }
        let digits = text(self);
        if self.byte(0) | 0x20 == b'u' {
            self.pos += 1;
            return Ok(Tok::Uint(digits));
        }
        Ok(Tok::Int(digits))
    }

    /// A string or bytes literal, starting at its quote.
    fn string(&mut self, raw: bool, bytes: bool) -> Result<Tok<'s>, CompileError> {
        let start = self.pos;
        let quote = self.byte(0);
        let triple = self.byte(1) == quote && self.byte(2) == quote;
        self.pos += if triple { 3 } else { 1 };
        let mut out: Vec<u8> = Vec::new();
        loop {
            if self.pos >= self.src.len() {
                return Err(CompileError::new(
                    "the string does not end",
                    self.span_from(start),
                ));
            }
            let b = self.byte(0);
            if b == quote && (!triple || (self.byte(1) == quote && self.byte(2) == quote)) {
                self.pos += if triple { 3 } else { 1 };
                break;
            }
            if !triple && (b == b'\n' || b == b'\r') {
                return Err(CompileError::new(
                    "the string does not end on its line",
                    self.span_from(start),
                ));
            }
            if b == b'\\' {
                if raw {
                    // A raw string keeps the backslash, and a quote after it does not end it.
                    out.push(b);
                    self.pos += 1;
                    if self.pos < self.src.len()
                        && self.byte(0) < 0x80
                        && !matches!(self.byte(0), b'"' | b'\'')
                    {
                        out.push(self.byte(0));
                        self.pos += 1;
                    }
                } else {
                    self.escape(bytes, &mut out)?;
                }
                continue;
            }
            out.push(b);
            self.pos += 1;
        }
        if bytes {
            return Ok(Tok::Bytes(out));
        }
        String::from_utf8(out)
            .map(Tok::Str)
            .map_err(|_| CompileError::new("the string is no valid UTF-8", self.span_from(start)))
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), CompileError> {
        let start = self.pos;
        let kind = self.byte(1);
        self.pos += 2;
        let simple = match kind {
            b'a' => Some(7),
            b'b' => Some(8),
            b'f' => Some(12),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(11),
            b'\\' | b'?' | b'"' | b'\'' | b'`' => Some(kind),
            _ => None,
        };
        if let Some(b) = simple {
            out.push(b);
            return Ok(());
        }
        let bad = |l: &Self| {
            Err(CompileError::new(
                "unknown escape in a string",
                Span::new(start, l.pos.min(l.src.len())),
            )
            .with_help(Some(
                "write `\\\\` for a backslash, or a raw string: `r'…'`".into(),
            )))
        };
        let (digits, radix) = match kind {
            b'x' | b'X' => (2, 16),
            b'u' if !bytes => (4, 16),
            b'U' if !bytes => (8, 16),
            b'0'..=b'3' => {
                self.pos -= 1;
                (3, 8)
            }
            _ => return bad(self),
        };
        let text = self.src.get(self.pos..self.pos + digits).unwrap_or("");
        if text.len() != digits || !text.bytes().all(|b| (b as char).is_digit(radix)) {
            return bad(self);
        }
        let Ok(code) = u32::from_str_radix(text, radix) else {
            return bad(self);
        };
        self.pos += digits;
        if bytes {
            let Ok(b) = u8::try_from(code) else {
                return bad(self);
            };
            out.push(b);
            return Ok(());
        }
        let Some(c) = char::from_u32(code) else {
            return bad(self);
        };
        let mut buf = [0; 4];
        out.extend_from_slice(c.encode_utf8(&mut buf).as_bytes());
        Ok(())
    }
}
