//! What stands in brackets: items separated by lines or commas.

use super::{Allowed, Failure, Kinds, Parsed, Parser};
use crate::syntax::lexer::TokenKind;

/// Where an item of an array, an object or a type ends when it cannot be read.
pub(super) const ITEM_END: Kinds = Kinds::of(&[
    TokenKind::Comma,
    TokenKind::NewLine,
    TokenKind::RightBrace,
    TokenKind::RightSquare,
]);

/// What cannot be inside brackets of another kind: one of those is missing.
const ENDS: Kinds = Kinds::of(&[
    TokenKind::EndOfFile,
    TokenKind::RightBrace,
    TokenKind::RightSquare,
    TokenKind::RightParen,
    TokenKind::StringMiddlePiece,
    TokenKind::StringRightPiece,
]);

/// Where an argument ends when it cannot be read.
pub(super) const ARGUMENT_END: Kinds = Kinds::of(&[
    TokenKind::Comma,
    TokenKind::NewLine,
    TokenKind::RightParen,
    TokenKind::StringMiddlePiece,
    TokenKind::StringRightPiece,
]);

impl Parser<'_> {
    /// The items between brackets, of which the opening one is read. A missing closing one is
    /// reported.
    ///
    /// Items stand on lines of their own or are separated by a comma; a comma at the end of a
    /// line is refused by the compiler, so it is reported, but read.
    pub(super) fn items(
        &mut self,
        close: TokenKind,
        what: &'static str,
        allowed: Allowed,
        mut item: impl FnMut(&mut Self),
    ) {
        self.open += 1;
        self.new_lines();
        while self.more_items(close, what, allowed) {
            let before = self.at;
            item(self);
            self.separator(close, before);
        }
        self.open -= 1;
    }

    fn more_items(&mut self, close: TokenKind, what: &'static str, allowed: Allowed) -> bool {
        let token = self.peek();
        if token.kind == close {
            self.next();
            return false;
        }
        if !ENDS.has(token.kind) && !self.starts_statement(0, allowed.resources) {
            return true;
        }
        let failure = self.failure(what);
        self.report(&failure);
        // What is above wants the end of the line here.
        let before = self.at.checked_sub(1);
        if let Some(at) = before
            && self
                .lexed
                .tokens
                .get(at)
                .is_some_and(|token| token.kind == TokenKind::NewLine)
        {
            self.at = at;
        }
        false
    }

    fn separator(&mut self, close: TokenKind, before: usize) {
        let token = self.peek();
        match token.kind {
            kind if kind == close => {}
            TokenKind::NewLine => self.new_lines(),
            TokenKind::Comma => {
                self.next();
                if self.check(TokenKind::NewLine) {
                    let help = "leave out the comma: the end of the line separates";
                    self.wrong(token, "a comma cannot end a line here", help);
                    self.new_lines();
                }
            }
            _ => {
                let failure = self.failure("a new line or a comma");
                self.report(&failure);
                if self.at == before {
                    self.next();
                }
            }
        }
    }

    /// Line breaks inside parentheses, up to one before a statement: something is not closed.
    fn inner_lines(&mut self) {
        while self.check(TokenKind::NewLine) && !self.starts_statement(1, false) {
            self.next();
        }
    }

    /// The arguments between brackets, of which the opening one is read: separated by commas,
    /// after which lines may break. A missing closing bracket is reported.
    pub(super) fn arguments(
        &mut self,
        close: TokenKind,
        what: &'static str,
        mut argument: impl FnMut(&mut Self),
    ) {
        self.inner_lines();
        loop {
            let token = self.peek();
            if token.kind == close {
                self.next();
                return;
            }
            if ENDS.has(token.kind) {
                break;
            }
            let before = self.at;
            argument(self);
            let token = self.peek();
            match token.kind {
                kind if kind == close => {}
                TokenKind::Comma => {
                    self.next();
                    self.inner_lines();
                    if self.check(close) {
                        let help = "leave it out";
                        self.wrong(token, "a comma cannot stand after the last argument", help);
                    }
                }
                TokenKind::NewLine => {
                    let next = self.ahead_of_lines(1);
                    if next.kind == close {
                        self.inner_lines();
                    } else {
                        // Most likely the bracket is missing, not the comma.
                        break;
                    }
                }
                _ if self.at == before => break,
                _ => {
                    let failure = self.failure("a comma");
                    self.report(&failure);
                    if !starts_expression(token.kind) {
                        return;
                    }
                }
            }
        }
        let failure = self.failure(what);
        self.report(&failure);
    }

    /// What stands in parentheses: how many items, and whether it was well separated. Lines may
    /// break around items where `lines` says so.
    pub(super) fn parenthesized<T>(
        &mut self,
        lines: bool,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
        mut keep: impl FnMut(T),
    ) -> Parsed<Parentheses> {
        self.expect(TokenKind::LeftParen, "`(`")?;
        let mut seen = Parentheses::default();
        loop {
            seen.lines |= self.check(TokenKind::NewLine);
            if lines {
                self.inner_lines();
            }
            if self.eat(TokenKind::RightParen) {
                return Ok(seen);
            }
            keep(item(self)?);
            seen.items += 1;
            seen.lines |= self.check(TokenKind::NewLine);
            if lines {
                self.inner_lines();
            }
            if self.eat(TokenKind::Comma) {
                seen.commas += 1;
            } else {
                self.expect(TokenKind::RightParen, "`)`")?;
                return Ok(seen);
            }
        }
    }

    /// Reports what went wrong in an item and goes on behind it.
    pub(super) fn skip_item(&mut self, failure: Failure) {
        self.recover(failure, ITEM_END);
    }
}

/// What was seen between parentheses.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Parentheses {
    pub(super) items: usize,
    pub(super) commas: usize,
    pub(super) lines: bool,
}

fn starts_expression(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Identifier
            | TokenKind::Integer
            | TokenKind::True
            | TokenKind::False
            | TokenKind::Null
            | TokenKind::StringComplete
            | TokenKind::StringLeftPiece
            | TokenKind::LeftBrace
            | TokenKind::LeftParen
            | TokenKind::Minus
            | TokenKind::Exclamation
    )
}
