//! Reads tokens into a tree, by recursive descent.
//!
//! What cannot be read is reported and skipped up to the next place where reading can go on: the
//! next item of a list, the next line, the next statement. A statement that starts at the left
//! margin ends everything that was left open before it.

mod expressions;
mod lists;
mod statements;
mod types;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::lexer::{Lexed, Token, TokenKind, lex};
use super::text;
use super::{Expression, ExpressionKind, Identifier, Program, StringForm};
use super::{StringLiteral, StringSegment};
use crate::deployment::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// How deep a tree may be, so that nothing that walks it runs out of stack.
pub const MAX_DEPTH: u32 = 128;

/// Reads a `.bicep` file.
#[must_use]
pub fn parse<'a>(bump: &'a Bump, text: &'a str, file: FileId) -> (Program<'a>, Vec<Problem>) {
    Parser::new(bump, text, file).program(Dialect::Template)
}

/// Reads a `.bicepparam` file.
#[must_use]
pub fn parse_parameters<'a>(
    bump: &'a Bump,
    text: &'a str,
    file: FileId,
) -> (Program<'a>, Vec<Problem>) {
    Parser::new(bump, text, file).program(Dialect::Parameters)
}

/// Which kind of file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Template,
    Parameters,
}

/// Something that was expected is not there. It is reported by whoever can go on from there.
#[derive(Debug)]
struct Failure {
    /// The token that stands there instead.
    token: Token,
    what: Complaint,
}

#[derive(Debug)]
enum Complaint {
    /// What was expected.
    Expected(&'static str),
    /// The whole message, and what to do.
    Wrong(&'static str, &'static str),
    /// A string that the lexer has already reported.
    Reported,
}

type Parsed<T> = Result<T, Failure>;

/// A set of kinds of tokens.
#[derive(Clone, Copy)]
struct Kinds(u64);

impl Kinds {
    const fn of(kinds: &[TokenKind]) -> Self {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = others;
        }
        Self(bits)
    }

    const fn and(self, kind: TokenKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    const fn has(self, kind: TokenKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// A line is over.
const LINE: Kinds = Kinds::of(&[TokenKind::NewLine]);

/// What stands in an expression: inside the hole of a string there are no arrays and objects;
/// nested resources only stand in the bodies of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowed {
    complex: bool,
    resources: bool,
}

impl Allowed {
    const SIMPLE: Self = Self {
        complex: false,
        resources: false,
    };
    const COMPLEX: Self = Self {
        complex: true,
        resources: false,
    };
    const RESOURCES: Self = Self {
        complex: true,
        resources: true,
    };
}

struct Parser<'a> {
    bump: &'a Bump,
    text: &'a str,
    file: FileId,
    lexed: Lexed<'a>,
    problems: Vec<Problem>,
    /// The next token.
    at: usize,
    /// How many levels are being read.
    depth: u32,
    /// How many lists in brackets are being read.
    open: u32,
    /// How many levels the last expression, type or statement has that was read.
    height: u32,
}

impl<'a> Parser<'a> {
    fn new(bump: &'a Bump, text: &'a str, file: FileId) -> Self {
        // Places are 32 bits wide.
        let (text, too_long) = match u32::try_from(text.len()) {
            Ok(_) => (text, false),
            Err(_) => ("", true),
        };
        let mut lexed = lex(bump, text, file);
        let mut problems = std::mem::take(&mut lexed.problems);
        if too_long {
            problems.push(Problem {
                span: Span {
                    file,
                    ..Span::default()
                },
                message: "this file is too long to be read".to_owned(),
                help: None,
                kind: ProblemKind::Syntax,
            });
        }
        Self {
            bump,
            text,
            file,
            lexed,
            problems,
            at: 0,
            depth: 0,
            open: 0,
            height: 0,
        }
    }

    fn program(mut self, dialect: Dialect) -> (Program<'a>, Vec<Problem>) {
        let mut statements = BumpVec::new_in(self.bump);
        loop {
            while self.eat(TokenKind::NewLine) {}
            if self.check(TokenKind::EndOfFile) {
                break;
            }
            let before = self.at;
            statements.push(self.statement(dialect));
            self.statement_end();
            if self.at == before {
                self.at += 1;
            }
        }
        let program = Program {
            statements: statements.into_bump_slice(),
            directives: self.lexed.directives.into_bump_slice(),
            comments: self.lexed.comments.into_bump_slice(),
            span: Span {
                file: self.file,
                start: 0,
                end: self.text.len() as u32,
            },
        };
        let mut problems = self.problems;
        problems.sort_by_key(|problem| problem.span);
        (program, problems)
    }

    fn statement_end(&mut self) {
        if self.check(TokenKind::NewLine) || self.check(TokenKind::EndOfFile) {
            return;
        }
        let failure = self.failure("a new line");
        self.recover(failure, LINE);
    }

    // Tokens.

    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> Token {
        let tokens = &self.lexed.tokens;
        // The lexer always ends with the end of the file.
        tokens
            .get(self.at + count)
            .or(tokens.last())
            .copied()
            .unwrap_or(Token {
                start: 0,
                end: 0,
                kind: TokenKind::EndOfFile,
                broken: false,
                form: 0,
            })
    }

    /// The next token that is no line break, from so many ahead.
    fn ahead_of_lines(&self, mut count: usize) -> Token {
        loop {
            let token = self.ahead(count);
            if token.kind != TokenKind::NewLine {
                return token;
            }
            count += 1;
        }
    }

    fn check(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    fn check_word(&self, word: &str) -> bool {
        self.is_word(self.peek(), word)
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == TokenKind::Identifier && self.slice(token) == word
    }

    fn slice(&self, token: Token) -> &'a str {
        self.text
            .get(token.start as usize..token.end as usize)
            .unwrap_or_default()
    }

    /// The end of the file is never passed.
    fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::EndOfFile {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.check(kind);
        if found {
            self.next();
        }
        found
    }

    fn new_lines(&mut self) {
        while self.eat(TokenKind::NewLine) {}
    }

    fn expect(&mut self, kind: TokenKind, what: &'static str) -> Parsed<Token> {
        if self.check(kind) {
            Ok(self.next())
        } else {
            Err(self.failure(what))
        }
    }

    fn expect_word(&mut self, word: &str, what: &'static str) -> Parsed<Token> {
        if self.check_word(word) {
            Ok(self.next())
        } else {
            Err(self.failure(what))
        }
    }

    // Places.

    fn span(&self, token: Token) -> Span {
        Span {
            file: self.file,
            start: token.start,
            end: token.end,
        }
    }

    /// Nothing, right before the next token.
    fn here(&self) -> Span {
        let start = self.peek().start;
        Span {
            file: self.file,
            start,
            end: start,
        }
    }

    /// From a place up to the end of the last token that was read.
    fn since(&self, start: Span) -> Span {
        let last = self
            .at
            .checked_sub(1)
            .and_then(|at| self.lexed.tokens.get(at));
        Span {
            end: last.map_or(start.end, |token| token.end.max(start.start)),
            ..start
        }
    }

    // Depth.

    /// Reads something that stands inside something else.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Something stands above what has this height.
    fn raise(&mut self, height: u32) -> Parsed<()> {
        self.height = height + 1;
        if self.height > MAX_DEPTH {
            self.height = 1;
            return Err(self.too_deep());
        }
        Ok(())
    }

    fn too_deep(&self) -> Failure {
        Failure {
            token: self.peek(),
            what: Complaint::Wrong(
                "this is nested too deeply to be read",
                "give a part of it a name with `var`",
            ),
        }
    }

    // Problems.

    fn failure(&self, expected: &'static str) -> Failure {
        Failure {
            token: self.peek(),
            what: Complaint::Expected(expected),
        }
    }

    fn report(&mut self, failure: &Failure) {
        if failure.token.kind == TokenKind::Unrecognized {
            // The lexer has said so.
            return;
        }
        let (message, help) = match failure.what {
            Complaint::Expected(what) => {
                let found = match failure.token.kind {
                    TokenKind::NewLine => "the end of the line".to_owned(),
                    TokenKind::EndOfFile => "the end of the file".to_owned(),
                    _ => format!("`{}`", shorten(self.slice(failure.token))),
                };
                (format!("expected {what}, found {found}"), None)
            }
            Complaint::Wrong(message, help) => (message.to_owned(), Some(help.to_owned())),
            Complaint::Reported => return,
        };
        let mut span = self.span(failure.token);
        if failure.token.kind == TokenKind::NewLine {
            span.end = span.start;
        }
        // One place, one problem: what follows from the first says nothing new.
        if self
            .problems
            .last()
            .is_some_and(|last| last.span.start == span.start)
        {
            return;
        }
        self.problems.push(Problem {
            span,
            message,
            help,
            kind: ProblemKind::Syntax,
        });
    }

    /// Reports what is wrong with a token, though it could be read.
    fn wrong(&mut self, token: Token, message: &'static str, help: &'static str) {
        self.report(&Failure {
            token,
            what: Complaint::Wrong(message, help),
        });
    }

    /// Reports, and goes on to the next token of one of these kinds that is not inside brackets.
    fn recover(&mut self, failure: Failure, until: Kinds) {
        self.report(&failure);
        self.height = 1;
        let (mut braces, mut parens, mut strings) = (0_u32, 0_u32, 0_u32);
        loop {
            let kind = self.peek().kind;
            let stops = until.has(kind) && strings == 0;
            match kind {
                TokenKind::EndOfFile => return,
                TokenKind::StringRightPiece | TokenKind::StringMiddlePiece if stops => return,
                _ if stops && braces == 0 && parens == 0 => return,
                TokenKind::NewLine if self.starts_statement(1, false) => return,
                TokenKind::NewLine => {
                    // Parentheses that are not closed on their line were most likely forgotten.
                    parens = 0;
                    if stops && braces == 0 {
                        return;
                    }
                }
                TokenKind::StringLeftPiece => strings += 1,
                TokenKind::StringRightPiece => strings = strings.saturating_sub(1),
                TokenKind::LeftBrace | TokenKind::LeftSquare => braces += 1,
                TokenKind::RightBrace | TokenKind::RightSquare => {
                    if braces == 0 && self.open > 0 {
                        // It closes what this stands in.
                        return;
                    }
                    braces = braces.saturating_sub(1);
                }
                TokenKind::LeftParen => parens += 1,
                TokenKind::RightParen => parens = parens.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The value, or what stands for it, up to the next token of one of these kinds.
    fn or_skip(
        &mut self,
        result: Parsed<Expression<'a>>,
        start: Span,
        until: Kinds,
    ) -> Expression<'a> {
        match result {
            Ok(expression) => expression,
            Err(failure) => {
                self.recover(failure, until);
                Expression {
                    kind: ExpressionKind::Skipped,
                    span: self.since(start),
                }
            }
        }
    }

    /// A statement starts at the left margin, so many tokens ahead. Inside the body of a
    /// resource, a resource there may be a nested one: its type has no `/`.
    fn starts_statement(&self, ahead: usize, nested_resources: bool) -> bool {
        let token = self.ahead(ahead);
        if token.kind != TokenKind::Identifier {
            return false;
        }
        let at_margin = self
            .text
            .as_bytes()
            .get((token.start as usize).wrapping_sub(1))
            .is_some_and(|before| matches!(before, b'\n' | b'\r'));
        if !at_margin {
            return false;
        }
        let next = self.ahead(ahead + 1);
        match self.slice(token) {
            "targetScope" => next.kind == TokenKind::Assignment,
            "resource" if nested_resources => {
                next.kind == TokenKind::Identifier
                    && self.slice(self.ahead(ahead + 2)).contains('/')
            }
            "param" | "var" | "type" | "func" | "resource" | "module" | "output" | "metadata"
            | "assert" | "test" => next.kind == TokenKind::Identifier,
            _ => false,
        }
    }

    // The smallest parts.

    fn identifier(&mut self, what: &'static str) -> Parsed<Identifier<'a>> {
        let token = self.expect(TokenKind::Identifier, what)?;
        Ok(Identifier {
            name: self.slice(token),
            span: self.span(token),
        })
    }

    /// A name; when there is none, an empty one.
    fn name(&mut self, what: &'static str) -> Identifier<'a> {
        match self.identifier(what) {
            Ok(name) => name,
            Err(failure) => {
                self.report(&failure);
                Identifier {
                    name: "",
                    span: self.here(),
                }
            }
        }
    }

    fn at_string(&self) -> bool {
        matches!(
            self.peek().kind,
            TokenKind::StringComplete | TokenKind::StringLeftPiece
        )
    }

    /// A string; what is wrong in its holes is reported and skipped.
    fn string(&mut self) -> Parsed<StringLiteral<'a>> {
        let mut segments = BumpVec::new_in(self.bump);
        let mut expressions = BumpVec::new_in(self.bump);
        let first = self.peek();
        let mut broken = false;
        let mut height = 0;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::StringComplete | TokenKind::StringRightPiece => {}
                TokenKind::StringLeftPiece | TokenKind::StringMiddlePiece => {}
                // The hole, or the line, ended without the string.
                _ => return Err(self.failure("`}` and the rest of the string")),
            }
            self.next();
            broken |= token.broken;
            segments.push(StringSegment {
                text: text::segment(self.bump, self.text, token),
                span: self.span(token),
            });
            if matches!(
                token.kind,
                TokenKind::StringComplete | TokenKind::StringRightPiece
            ) {
                break;
            }
            expressions.push(self.hole());
            height = height.max(self.height);
        }
        if broken {
            return Err(Failure {
                token: first,
                what: Complaint::Reported,
            });
        }
        self.raise(height)?;
        let form = match first.form {
            0 => StringForm::SingleLine,
            more => StringForm::MultiLine(u32::from(more) - 1),
        };
        Ok(StringLiteral {
            segments: segments.into_bump_slice(),
            expressions: expressions.into_bump_slice(),
            form,
        })
    }

    fn hole(&mut self) -> Expression<'a> {
        const END: Kinds = Kinds::of(&[
            TokenKind::StringMiddlePiece,
            TokenKind::StringRightPiece,
            TokenKind::NewLine,
        ]);
        let start = self.here();
        let result = self.nested(|parser| {
            let expression = parser.expression(Allowed::SIMPLE)?;
            if END.has(parser.peek().kind) {
                Ok(expression)
            } else {
                Err(parser.failure("`}`"))
            }
        });
        self.or_skip(result, start, END)
    }

    /// A string as an expression.
    fn string_expression(&mut self, what: &'static str) -> Parsed<Expression<'a>> {
        if !self.at_string() {
            return Err(self.failure(what));
        }
        let start = self.here();
        let string = self.string()?;
        Ok(Expression {
            kind: ExpressionKind::String(string),
            span: self.since(start),
        })
    }
}

/// The first line of a text, and not much of it.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
