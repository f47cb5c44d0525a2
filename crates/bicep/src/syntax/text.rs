//! What a piece of a string stands for, and how a value is written as one.

use std::fmt::Write as _;

use bumpalo::Bump;
use bumpalo::collections::String as BumpString;

use super::lexer::{Token, TokenKind};

/// The value of a piece of a string, without the marks around it.
pub(super) fn segment<'a>(bump: &'a Bump, text: &'a str, token: Token) -> &'a str {
    let first = matches!(
        token.kind,
        TokenKind::StringComplete | TokenKind::StringLeftPiece
    );
    let last = matches!(
        token.kind,
        TokenKind::StringComplete | TokenKind::StringRightPiece
    );
    let dollars = usize::from(token.form).saturating_sub(1);
    let (before, after) = if token.form == 0 {
        (1, if last { 1 } else { 2 })
    } else {
        (
            if first { dollars + 3 } else { 1 },
            if last { 3 } else { dollars + 1 },
        )
    };
    let whole = text
        .get(token.start as usize..token.end as usize)
        .unwrap_or_default();
    let inside = whole
        .get(before..whole.len().saturating_sub(after))
        .unwrap_or_default();
    match (token.form, first) {
        (0, _) => unescape(bump, inside),
        (_, true) => {
            let inside = inside.strip_prefix('\r').unwrap_or(inside);
            inside.strip_prefix('\n').unwrap_or(inside)
        }
        (_, false) => inside,
    }
}

/// Resolves the escapes of a string on one line. Escapes that are none stay as they are.
fn unescape<'a>(bump: &'a Bump, text: &'a str) -> &'a str {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return text;
    }
    let mut out = BumpString::with_capacity_in(text.len(), bump);
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut characters = escaped.chars();
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(same @ ('\\' | '\'' | '$')) => out.push(same),
            Some('u') => {
                if let Some((code, after)) = code_point(characters.as_str()) {
                    let (character, after) = character(code, after);
                    out.push(character);
                    characters = after.chars();
                }
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.into_bump_str()
}

/// `{1F600}` and what follows it.
fn code_point(text: &str) -> Option<(u32, &str)> {
    let (code, after) = text.strip_prefix('{')?.split_once('}')?;
    Some((u32::from_str_radix(code, 16).unwrap_or(u32::MAX), after))
}

/// The character of a code, and what follows it. Two escapes may be the halves of one character;
/// half of one by itself is none.
fn character(code: u32, after: &str) -> (char, &str) {
    let low = after.strip_prefix("\\u").and_then(code_point);
    match (code, low) {
        (0xd800..=0xdbff, Some((low @ 0xdc00..=0xdfff, after))) => {
            let whole = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            let character = char::from_u32(whole).unwrap_or(char::REPLACEMENT_CHARACTER);
            (character, after)
        }
        _ => (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            after,
        ),
    }
}

/// Writes a value as it stands in a string on one line.
pub(crate) fn escape(out: &mut String, text: &str) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if characters.peek() == Some(&'{') => out.push_str("\\$"),
            control if control.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}
