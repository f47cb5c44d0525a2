//! Cuts a Bicep text into tokens. Line breaks are tokens, since they end statements; comments
//! and directives are kept aside. The holes of strings make it remember where it is: `}` may
//! close an object or continue a string.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use memchr::{memchr2, memmem};

use super::{Comment, Directive, DirectiveKind, Identifier};
use crate::deployment::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum TokenKind {
    At,
    Unrecognized,
    LeftBrace,
    RightBrace,
    LeftParen,
    RightParen,
    LeftSquare,
    RightSquare,
    Comma,
    Dot,
    Ellipsis,
    Question,
    DoubleQuestion,
    Colon,
    DoubleColon,
    Semicolon,
    Assignment,
    Arrow,
    Plus,
    Minus,
    Asterisk,
    Slash,
    Modulo,
    Hat,
    Exclamation,
    LeftChevron,
    RightChevron,
    LessThanOrEqual,
    GreaterThanOrEqual,
    Equals,
    NotEquals,
    EqualsInsensitive,
    NotEqualsInsensitive,
    LogicalAnd,
    LogicalOr,
    Pipe,
    Identifier,
    True,
    False,
    Null,
    Integer,
    StringComplete,
    StringLeftPiece,
    StringMiddlePiece,
    StringRightPiece,
    NewLine,
    EndOfFile,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: TokenKind,
    /// A piece of a string that does not end, or has a wrong escape: already reported.
    pub(super) broken: bool,
    /// Of a piece of a string: 0 when it is on one line, else one more than its dollars.
    pub(super) form: u16,
}

/// A text in tokens; the last one is the end of the file.
pub(super) struct Lexed<'a> {
    pub(super) tokens: Vec<Token>,
    pub(super) directives: BumpVec<'a, Directive<'a>>,
    pub(super) comments: BumpVec<'a, Comment<'a>>,
    pub(super) problems: Vec<Problem>,
}

/// What `}` closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Brace,
    /// The hole of a string of this form.
    Hole(u16),
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    file: FileId,
    bump: &'a Bump,
    /// Inside the holes of strings only.
    open: Vec<Open>,
    out: Lexed<'a>,
}

/// `LanguageConstants.MaxIdentifierLength`
const MAX_IDENTIFIER: usize = 255;

pub(super) fn lex<'a>(bump: &'a Bump, text: &'a str, file: FileId) -> Lexed<'a> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        file,
        bump,
        open: Vec::new(),
        out: Lexed {
            tokens: Vec::with_capacity(text.len() / 6 + 8),
            directives: BumpVec::new_in(bump),
            comments: BumpVec::new_in(bump),
            problems: Vec::new(),
        },
    };
    while lexer.token() != TokenKind::EndOfFile {}
    lexer.out
}

fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_identifier_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest
            .iter()
            .position(|byte| !keep(*byte))
            .unwrap_or(rest.len());
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: end as u32,
        }
    }

    fn problem(&mut self, start: usize, end: usize, message: String, help: Option<&str>) {
        let span = self.span(start, end);
        self.out.problems.push(Problem {
            span,
            message,
            help: help.map(str::to_owned),
            kind: ProblemKind::Syntax,
        });
    }

    /// White space, comments and directives before a token.
    fn trivia(&mut self) {
        let mut after_comment = false;
        loop {
            match self.peek(0) {
                b' ' | b'\t' => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let start = self.at;
                    let rest = self.bytes.get(start..).unwrap_or_default();
                    self.at += memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    self.comment(start);
                    after_comment = true;
                }
                b'/' if self.peek(1) == b'*' => {
                    self.long_comment();
                    after_comment = true;
                }
                b'#' if !after_comment && self.directive() => {}
                _ => return,
            }
        }
    }

    fn comment(&mut self, start: usize) {
        let text = self.slice(start, self.at);
        let span = self.span(start, self.at);
        self.out.comments.push(Comment { text, span });
    }

    fn long_comment(&mut self) {
        let start = self.at;
        let inside = self.bytes.get(start + 2..).unwrap_or_default();
        match memmem::find(inside, b"*/") {
            Some(length) => self.at = start + 2 + length + 2,
            None => {
                self.at = self.bytes.len();
                let message = "this comment does not end".to_owned();
                self.problem(start, start + 2, message, Some("close it with `*/`"));
            }
        }
        self.comment(start);
    }

    /// `#disable-next-line …`, when one stands here, alone on its line.
    fn directive(&mut self) -> bool {
        let start = self.at;
        let before = self.bytes.get(..start).unwrap_or_default();
        let line_start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        let before = self.text.get(line_start..start).unwrap_or("x");
        if !before.trim_matches(['\u{feff}', ' ', '\t']).is_empty() {
            return false;
        }
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let known = [
            ("disable-next-line", DirectiveKind::DisableNextLine),
            ("disable-diagnostics", DirectiveKind::DisableDiagnostics),
            ("restore-diagnostics", DirectiveKind::RestoreDiagnostics),
        ];
        let Some((word, kind)) = known.into_iter().find(|(word, _)| rest.starts_with(word)) else {
            return false;
        };
        self.at += 1 + word.len();
        let mut end = self.at;
        let mut codes = BumpVec::new_in(self.bump);
        loop {
            self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
            let from = self.at;
            self.skip_while(|byte| is_identifier_part(byte) || byte == b'-');
            if self.at == from {
                break;
            }
            end = self.at;
            codes.push(Identifier {
                name: self.slice(from, end),
                span: self.span(from, end),
            });
        }
        if codes.is_empty() {
            let message = "this directive names no diagnostic".to_owned();
            self.problem(start, end, message, Some("write its code: `BCP037`"));
        }
        let span = self.span(start, end);
        self.out.directives.push(Directive {
            kind,
            codes: codes.into_bump_slice(),
            span,
        });
        true
    }

    fn token(&mut self) -> TokenKind {
        self.trivia();
        let start = self.at;
        let before = self.out.problems.len();
        let (kind, form) = self.scan(start);
        let string = matches!(
            kind,
            TokenKind::StringComplete
                | TokenKind::StringLeftPiece
                | TokenKind::StringMiddlePiece
                | TokenKind::StringRightPiece
        );
        if kind == TokenKind::Unrecognized {
            let text = self.slice(start, self.at);
            let (message, help) = if text == "\"" {
                let message = "strings stand in single quotes".to_owned();
                (message, Some("write `'…'` instead of `\"…\"`"))
            } else {
                (format!("`{text}` is not part of the language"), None)
            };
            self.problem(start, self.at, message, help);
        }
        self.out.tokens.push(Token {
            start: start as u32,
            end: self.at as u32,
            kind,
            broken: string && self.out.problems.len() > before,
            form,
        });
        kind
    }

    fn scan(&mut self, start: usize) -> (TokenKind, u16) {
        let Some(&byte) = self.bytes.get(self.at) else {
            return (TokenKind::EndOfFile, 0);
        };
        self.at += 1;
        match byte {
            b'\n' | b'\r' => return (self.new_line(start), 0),
            b'\'' => return self.string(start),
            b'$' => return self.dollars(start),
            b'}' => return self.right_brace(start),
            b'{' if !self.open.is_empty() => self.open.push(Open::Brace),
            _ => {}
        }
        let kind = match byte {
            b'{' => TokenKind::LeftBrace,
            b'(' => TokenKind::LeftParen,
            b')' => TokenKind::RightParen,
            b'[' => TokenKind::LeftSquare,
            b']' => TokenKind::RightSquare,
            b'@' => TokenKind::At,
            b',' => TokenKind::Comma,
            b';' => TokenKind::Semicolon,
            b'+' => TokenKind::Plus,
            b'-' => TokenKind::Minus,
            b'%' => TokenKind::Modulo,
            b'*' => TokenKind::Asterisk,
            b'/' => TokenKind::Slash,
            b'^' => TokenKind::Hat,
            b'0'..=b'9' => {
                self.skip_while(|byte| byte.is_ascii_digit());
                TokenKind::Integer
            }
            _ if is_identifier_start(byte) => self.identifier(start),
            _ => self.operator(byte),
        };
        (kind, 0)
    }

    /// What may be followed by a second character.
    fn operator(&mut self, byte: u8) -> TokenKind {
        let next = self.peek(0);
        let (kind, more) = match (byte, next) {
            (b'.', b'.') if self.peek(1) == b'.' => (TokenKind::Ellipsis, 2),
            (b'.', _) => (TokenKind::Dot, 0),
            (b'?', b'?') => (TokenKind::DoubleQuestion, 1),
            (b'?', _) => (TokenKind::Question, 0),
            (b':', b':') => (TokenKind::DoubleColon, 1),
            (b':', _) => (TokenKind::Colon, 0),
            (b'!', b'=') => (TokenKind::NotEquals, 1),
            (b'!', b'~') => (TokenKind::NotEqualsInsensitive, 1),
            (b'!', _) => (TokenKind::Exclamation, 0),
            (b'<', b'=') => (TokenKind::LessThanOrEqual, 1),
            (b'<', _) => (TokenKind::LeftChevron, 0),
            (b'>', b'=') => (TokenKind::GreaterThanOrEqual, 1),
            (b'>', _) => (TokenKind::RightChevron, 0),
            (b'=', b'=') => (TokenKind::Equals, 1),
            (b'=', b'~') => (TokenKind::EqualsInsensitive, 1),
            (b'=', b'>') => (TokenKind::Arrow, 1),
            (b'=', _) => (TokenKind::Assignment, 0),
            (b'&', b'&') => (TokenKind::LogicalAnd, 1),
            (b'|', b'|') => (TokenKind::LogicalOr, 1),
            (b'|', _) => (TokenKind::Pipe, 0),
            _ => {
                // One whole character, however long, and what is like it.
                if byte >= 0x80 {
                    self.skip_while(|byte| byte >= 0x80);
                }
                (TokenKind::Unrecognized, 0)
            }
        };
        self.at += more;
        kind
    }

    fn identifier(&mut self, start: usize) -> TokenKind {
        self.skip_while(is_identifier_part);
        match self.slice(start, self.at) {
            "true" => TokenKind::True,
            "false" => TokenKind::False,
            "null" => TokenKind::Null,
            name => {
                if name.len() > MAX_IDENTIFIER {
                    let message = format!("a name has at most {MAX_IDENTIFIER} characters");
                    self.problem(start, self.at, message, None);
                }
                TokenKind::Identifier
            }
        }
    }

    fn new_line(&mut self, start: usize) -> TokenKind {
        if self.open.is_empty() {
            self.skip_while(|byte| matches!(byte, b'\n' | b'\r'));
            return TokenKind::NewLine;
        }
        // The hole of a string does not go over a line; the line break is read again.
        self.open.clear();
        self.at = start;
        self.unterminated(start, start);
        TokenKind::StringRightPiece
    }

    fn unterminated(&mut self, start: usize, end: usize) {
        let message = "this string does not end on its line".to_owned();
        let help = "close it with `'`, or write `'''…'''` for several lines";
        self.problem(start, end, message, Some(help));
    }

    fn right_brace(&mut self, start: usize) -> (TokenKind, u16) {
        match self.open.last() {
            Some(&Open::Hole(form)) => {
                let kind = if form == 0 {
                    self.short_segment(start, false)
                } else {
                    self.long_segment(start, false, u32::from(form) - 1)
                };
                if kind == TokenKind::StringRightPiece {
                    self.open.pop();
                }
                (kind, form)
            }
            Some(Open::Brace) => {
                self.open.pop();
                (TokenKind::RightBrace, 0)
            }
            None => (TokenKind::RightBrace, 0),
        }
    }

    fn string(&mut self, start: usize) -> (TokenKind, u16) {
        if self.peek(0) == b'\'' && self.peek(1) == b'\'' {
            self.at += 2;
            return (self.long_segment(start, true, 0), 1);
        }
        let kind = self.short_segment(start, true);
        if kind == TokenKind::StringLeftPiece {
            self.open.push(Open::Hole(0));
        }
        (kind, 0)
    }

    fn dollars(&mut self, start: usize) -> (TokenKind, u16) {
        self.skip_while(|byte| byte == b'$');
        let count = self.at - start;
        let quotes = self.bytes.get(self.at..self.at + 3) == Some(b"'''".as_slice());
        let (true, Ok(form)) = (quotes, u16::try_from(count + 1)) else {
            return (TokenKind::Unrecognized, 0);
        };
        self.at += 3;
        let kind = self.long_segment(start, true, count as u32);
        if kind == TokenKind::StringLeftPiece {
            self.open.push(Open::Hole(form));
        }
        (kind, form)
    }

    /// From behind the opening quotes, or behind the end of a hole, to the next hole or the end.
    fn long_segment(&mut self, start: usize, first: bool, dollars: u32) -> TokenKind {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(skipped) = memchr2(b'$', b'\'', rest) else {
                self.at = self.bytes.len();
                let message = "this string does not end".to_owned();
                self.problem(start, self.at, message, Some("close it with `'''`"));
                return ending(first);
            };
            self.at += skipped;
            let from = self.at;
            if self.peek(0) == b'$' {
                self.skip_while(|byte| byte == b'$');
                let enough = dollars > 0 && self.at - from >= dollars as usize;
                if enough && self.eat(b'{') {
                    return opening(first);
                }
            } else {
                self.skip_while(|byte| byte == b'\'');
                if self.at - from >= 3 {
                    return ending(first);
                }
            }
        }
    }

    fn short_segment(&mut self, start: usize, first: bool) -> TokenKind {
        loop {
            self.skip_while(|byte| !matches!(byte, b'\'' | b'$' | b'\\' | b'\n' | b'\r'));
            match self.peek(0) {
                b'\'' => {
                    self.at += 1;
                    return ending(first);
                }
                b'$' => {
                    self.at += 1;
                    if self.eat(b'{') {
                        return opening(first);
                    }
                }
                b'\\' => self.escape(),
                _ => {
                    self.unterminated(start, self.at);
                    return ending(first);
                }
            }
        }
    }

    /// Behind an escape; what it means is found out by [`super::text::unescape`].
    fn escape(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            b'n' | b'r' | b't' | b'\\' | b'\'' => self.at += 1,
            // `\${` is no hole.
            b'$' => {
                self.at += 1;
                self.eat(b'{');
            }
            b'u' => {
                self.at += 1;
                let digits = self.at + 1;
                if self.eat(b'{') {
                    self.skip_while(|byte| byte.is_ascii_hexdigit());
                }
                let code = self.slice(digits, self.at);
                let valid = u32::from_str_radix(code, 16).is_ok_and(|code| code <= 0x10_ffff);
                if !(valid && self.eat(b'}')) {
                    self.wrong_escape(start);
                }
            }
            _ => {
                // A line break is left where it is: it ends the string.
                if !self.at_end() && !matches!(self.peek(0), b'\n' | b'\r') {
                    self.at += 1;
                    self.skip_while(|byte| byte & 0xc0 == 0x80);
                }
                self.wrong_escape(start);
            }
        }
    }

    fn wrong_escape(&mut self, start: usize) {
        let message = format!("`{}` is no escape", self.slice(start, self.at));
        let help = "there are `\\n`, `\\r`, `\\t`, `\\\\`, `\\'`, `\\${` and `\\u{…}`";
        self.problem(start, self.at, message, Some(help));
    }
}

fn opening(first: bool) -> TokenKind {
    if first {
        TokenKind::StringLeftPiece
    } else {
        TokenKind::StringMiddlePiece
    }
}

fn ending(first: bool) -> TokenKind {
    if first {
        TokenKind::StringComplete
    } else {
        TokenKind::StringRightPiece
    }
}
