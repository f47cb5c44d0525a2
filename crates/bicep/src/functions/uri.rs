//! URIs: `uri`, `uriComponent`, `uriComponentToString`, `buildUri`, `parseUri`.

use crate::functions::{Args, Function, Outcome, plain};
use crate::value::Shape;

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("uriComponent", 1, 1, Shape::String, |args| {
        args.text(&escape(args.as_str(0)?))
    }),
    plain("uriComponentToString", 1, 1, Shape::String, to_string),
];

/// Every byte that is not unreserved, as .NET's `Uri.EscapeDataString`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn to_string<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    args.text(&unescape(args.as_str(0)?))
}
