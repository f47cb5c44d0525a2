//! Scalars as text: plain where every reader takes them for the same string, else quoted.
//! It leaves out collections (`render`).

use std::fmt::Write as _;

use super::value::Value;
use crate::resolve::reads_as_string;

/// Where a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// on a line of its own, in a map or list without brackets
    Block,
    /// in brackets
    Flow,
    /// in brackets, and quoted as JSON does
    Json,
}

pub(crate) fn scalar(out: &mut String, value: &Value, context: Context, single: bool) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Uint(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Float(value) => float(out, *value),
        Value::String(value) => string(out, value, context, single),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

/// With a point and a signed exponent: YAML 1.1 reads `1e21` as a string, Go as a number.
fn float(out: &mut String, value: f64) {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            let _ = write!(out, "{digits}{point}e{sign}{exponent}");
        }
        None => out.push_str(&text),
    }
}

pub(crate) fn string(out: &mut String, text: &str, context: Context, single: bool) {
    if context != Context::Json && is_plain(text, context) {
        out.push_str(text);
    } else if single && context != Context::Json && text.chars().all(is_printable) {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        double(out, text, context == Context::Json);
    }
}

/// In double quotes, with escapes that JSON and YAML both know where `json` is set.
pub(crate) fn double(out: &mut String, text: &str, json: bool) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c if json && c > '\u{ffff}' => out.push(c),
            c => {
                let code = c as u32;
                let _ = if code > 0xffff {
                    write!(out, "\\U{code:08x}")
                } else {
                    write!(out, "\\u{code:04x}")
                };
            }
        }
    }
    out.push('"');
}

/// Characters that YAML 1.1 and 1.2 take as they are, and that end no line.
pub(crate) fn is_printable(character: char) -> bool {
    !matches!(
        character,
        '\0'..'\u{20}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// Whether text without quotes is the same string for readers of YAML 1.1 and 1.2.
fn is_plain(text: &str, context: Context) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let begins = match first {
        b'-' => {
            let follows = bytes.get(1).copied().unwrap_or(b' ');
            !text.starts_with("---") && (follows.is_ascii_alphanumeric() || follows == b'-')
        }
        b'.' => !text.starts_with("..."),
        b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|'
        | b'>' | b'\'' | b'"' | b'%' | b'@' | b'`' | b'=' | b'<' | b' ' | b'\t' => false,
        _ => true,
    };
    let inside = |pair: &[u8]| !matches!(pair, [b':', b' ' | b'\t'] | [b' ' | b'\t', b'#']);
    let closed = |byte: &u8| {
        context == Context::Block || !matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b':' | b'?')
    };
    begins
        && !matches!(last, b' ' | b'\t' | b':')
        && bytes.windows(2).all(inside)
        && bytes.iter().all(closed)
        && text.chars().all(is_printable)
        && reads_as_string(text)
        && !is_special(text)
}

/// What some reader of YAML takes for a boolean, nothing, a number or a time.
fn is_special(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~",
    ];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(&*lower, ".inf" | ".nan" | "inf" | "nan" | "infinity") {
        return true;
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let radix = ["0x", "0o", "0b"]
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix));
    if let Some(digits) = radix {
        return digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_');
    }
    is_number(&lower) || is_date(&lower)
}

/// Digits with `_`, `,`, one point, an exponent, or parts of sixty.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let points = mantissa.bytes().filter(|b| *b == b'.').count();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    points <= 1
        && digits > 0
        && exponent.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && mantissa
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_' | b',' | b':'))
}

/// `2001-01-01`, with or without a time.
fn is_date(text: &str) -> bool {
    let date = text.split(['t', ' ']).next().unwrap_or_default();
    let mut parts = date.split('-');
    let mut part = |most: usize| {
        parts.next().is_some_and(|part| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        })
    };
    part(4) && part(2) && part(2) && parts.next().is_none()
}

/// Lines under `|`, if a string can be written so: the header and its lines.
pub(crate) fn literal(text: &str) -> Option<(&'static str, std::str::Lines<'_>)> {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let fine = text.contains('\n')
        && !body.is_empty()
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && body.chars().all(|c| c == '\n' || is_printable(c))
        && !body.split('\n').any(|line| line.ends_with([' ', '\t']));
    fine.then(|| (header, body.lines()))
}
