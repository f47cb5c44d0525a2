//! Between values and JSON, base64 and data URIs: `json`, `string`, `base64…`, `dataUri…`.

use std::fmt::Write as _;

use crate::evaluate::text::{MAX_STRING, collect_unknowns, write_value};
use crate::functions::{Args, Fault, Function, Outcome, plain};
use crate::json;
use crate::node::{Node, NodeKind};
use crate::source::FileId;
use crate::value::{Data, Field, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("json", 1, 1, Shape::Any, json),
    plain("string", 1, 1, Shape::String, string),
    plain("base64", 1, 1, Shape::String, |args| {
        args.text(&encode(args.as_str(0)?.as_bytes()))
    }),
    plain("base64ToString", 1, 1, Shape::String, |args| {
        args.text(&decoded(args.as_str(0)?)?)
    }),
    plain("base64ToJson", 1, 1, Shape::Any, |args| {
        parse(args, &decoded(args.as_str(0)?)?)
    }),
    plain("dataUri", 1, 1, Shape::String, data_uri),
    plain("dataUriToString", 1, 1, Shape::String, data_uri_to_string),
];

fn json<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    parse(args, args.as_str(0)?)
}

fn parse<'a>(args: &Args<'_, 'a>, text: &str) -> Outcome<'a> {
    let text = args.engine.bump.alloc_str(text);
    let parsed = json::parse_data(args.engine.bump, text, FileId::default());
    if let Some(problem) = parsed.problems.first() {
        return Fault::error(format!("the text is no JSON: {}", problem.message));
    }
    Ok(value_of(args, &parsed.root))
}

/// A tree without expressions as a value. All of it stands where the call does.
fn value_of<'a>(args: &Args<'_, 'a>, node: &Node<'a>) -> Value<'a> {
    let bump = args.engine.bump;
    let data = match node.kind {
        NodeKind::Null | NodeKind::Expr(_) => Data::Null,
        NodeKind::Bool(bool) => Data::Bool(bool),
        NodeKind::Int(int) => Data::Int(int),
        NodeKind::Float(float) => Data::Float(float),
        NodeKind::Str(text) => Data::Str(text),
        NodeKind::Array(items) => {
            Data::Array(bump.alloc_slice_fill_iter(items.iter().map(|item| value_of(args, item))))
        }
        NodeKind::Object(entries) => {
            let mut fields = crate::evaluate::object::Fields::new(bump, entries.len());
            for entry in entries {
                fields.put(entry.key, args.span, value_of(args, &entry.value));
            }
            Data::Object(fields.finish())
        }
    };
    args.value(data)
}

/// Strings stay, all else becomes JSON without white space.
fn string<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let value = args.get(0);
    match value.data {
        Data::Str(_) => Ok(value),
        Data::Unknown(unknown) if matches!(unknown.shape, Shape::String | Shape::Id) => Ok(value),
        Data::Unknown(_) => Err(Fault::Open),
        // https://learn.microsoft.com/dotnet/api/system.boolean.tostring
        Data::Bool(true) => args.text("True"),
        Data::Bool(false) => args.text("False"),
        Data::Null => args.text(""),
        _ => {
            let mut found = Vec::new();
            collect_unknowns(&value, &mut found);
            if found.is_empty() {
                args.text(&to_json(&value))
            } else {
                Err(Fault::Open)
            }
        }
    }
}

/// JSON with single quotes: how `format` and `concat` print lists and objects, according to the
/// compiler's `EvaluationTests.cs`.
pub(crate) fn to_quoted(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_json(value, '\'', 0, &mut out);
    out
}

/// JSON without white space. Unknowns stand in it as strings in Bicep's words.
pub(crate) fn to_json(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_json(value, '"', 0, &mut out);
    out
}

/// Stops where the text is longer than a string may be: what it is put into says so.
fn write_json(value: &Value<'_>, quote: char, depth: u32, out: &mut String) {
    if depth > 256 || out.len() > MAX_STRING {
        return;
    }
    match value.data {
        Data::Null => out.push_str("null"),
        Data::Bool(bool) => {
            let _ = write!(out, "{bool}");
        }
        Data::Int(int) => {
            let _ = write!(out, "{int}");
        }
        Data::Float(float) => {
            let _ = write!(out, "{float:?}");
        }
        Data::Str(text) => write_string(text, quote, out),
        Data::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(item, quote, depth + 1, out);
            }
            out.push(']');
        }
        Data::Object(fields) => {
            out.push('{');
            for (at, Field { key, value, .. }) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(key, quote, out);
                out.push(':');
                write_json(value, quote, depth + 1, out);
            }
            out.push('}');
        }
        Data::Unknown(_) => {
            let mut text = String::new();
            let _ = write_value(value, &mut text);
            write_string(&text, quote, out);
        }
    }
}

/// As Newtonsoft.Json writes strings: only what must be escaped is.
fn write_string(text: &str, quote: char, out: &mut String) {
    out.push(quote);
    for char in text.chars() {
        match char {
            _ if char == quote => {
                out.push('\\');
                out.push(char);
            }
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", char as u32);
            }
            _ => out.push(char),
        }
    }
    out.push(quote);
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
#[must_use]
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                let at = (bits >> (18 - 6 * place)) as usize & 63;
                out.push(ALPHABET.get(at).copied().map_or('=', char::from));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// The bytes of a text in base64, if it is that.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    let last = digits.len().saturating_sub(4);
    for (at, chunk) in digits.chunks(4).enumerate() {
        let padding = chunk.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && at * 4 != last) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in chunk.iter().take(4 - padding) {
            let digit = ALPHABET.iter().position(|own| own == byte)? as u32;
            bits = bits << 6 | digit;
        }
        bits <<= 6 * padding;
        let [_, a, b, c] = bits.to_be_bytes();
        out.extend([a, b, c].into_iter().take(3 - padding));
    }
    Some(out)
}

fn decoded(text: &str) -> Result<String, Fault> {
    match decode(text) {
        Some(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Fault::error("the text is no base64"),
    }
}

/// The documentation says `charset=utf8`; Azure's library, according to the compiler's tests
/// (`FunctionResolverTests.cs`), writes `utf-8`.
fn data_uri<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let text = encode(args.as_str(0)?.as_bytes());
    args.text(&format!("data:text/plain;charset=utf-8;base64,{text}"))
}

fn data_uri_to_string<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let text = args.as_str(0)?;
    let Some((head, body)) = text
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
    else {
        return Fault::error("the text is no data URI");
    };
    if head.to_ascii_lowercase().ends_with(";base64") {
        return args.text(&decoded(body)?);
    }
    args.text(&crate::functions::uri::unescape(body))
}
