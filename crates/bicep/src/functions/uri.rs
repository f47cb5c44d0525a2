//! URIs: `uri`, `uriComponent`, `uriComponentToString`, `buildUri`, `parseUri`.

use crate::evaluate::text::Builder;
use crate::functions::{Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("uri", 2, 2, Shape::String, uri),
    plain("uriComponent", 1, 1, Shape::String, |args| {
        args.text(&escape(args.as_str(0)?))
    }),
    plain("uriComponentToString", 1, 1, Shape::String, |args| {
        args.text(&unescape(args.as_str(0)?))
    }),
    plain("buildUri", 1, 1, Shape::String, build_uri),
    plain("parseUri", 1, 1, Shape::Object, parse_uri),
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

/// Scheme with `://`, authority, path.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find("://")? + 3;
    let (scheme, rest) = text.split_at(end);
    let slash = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    (!authority.is_empty()).then_some((scheme, authority, path))
}

/// A reference within a base, RFC 3986, section 5.2.
fn uri<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let relative = args.get(1);
    if let (Data::Unknown(_), Data::Str(base)) = (relative.data, args.get(0).data)
        && base.ends_with('/')
    {
        let mut builder = Builder::new(args.engine);
        builder.literal(base);
        builder.push(&relative);
        return Ok(builder.finish(args.engine, args.span));
    }
    let (base, relative) = (args.as_str(0)?, args.as_str(1)?);
    let Some((scheme, authority, path)) = split(base) else {
        return Fault::error("argument 1 is no whole URI");
    };
    if split(relative).is_some() {
        return args.text(relative);
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let joined = if relative.starts_with("//") {
        return args.text(&format!("{}{relative}", scheme.trim_end_matches("//")));
    } else if relative.starts_with('/') {
        relative.to_owned()
    } else if relative.is_empty() {
        path.to_owned()
    } else {
        let folder = path
            .rfind('/')
            .map_or("/", |at| path.get(..=at).unwrap_or("/"));
        format!("{folder}{relative}")
    };
    let (joined, query) = match joined.find(['?', '#']) {
        Some(at) => joined.split_at(at),
        None => (joined.as_str(), ""),
    };
    args.text(&format!(
        "{scheme}{authority}{}{query}",
        without_dots(joined)
    ))
}

fn without_dots(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let last = path.split('/').count().saturating_sub(1);
    for (at, segment) in path.split('/').enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." && out.len() > 1 {
                    out.pop();
                }
                if at == last {
                    out.push("");
                }
            }
            _ => out.push(segment),
        }
    }
    out.join("/")
}

/// The parts of a URI joined.
fn build_uri<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    args.as_object(0)?;
    let parts = args.get(0);
    let part = |name: &str| {
        parts
            .get(name)
            .filter(|value| !matches!(value.data, Data::Null))
    };
    let Some(host) = part("host") else {
        return Fault::error("the components have no `host`");
    };
    let scheme = args.value(Data::Str("https"));
    let mut builder = Builder::new(args.engine);
    builder.push(part("scheme").unwrap_or(&scheme));
    builder.literal("://");
    builder.push(host);
    if let Some(port) = part("port").filter(|port| !is_default(part("scheme"), port)) {
        builder.literal(":");
        builder.push(port);
    }
    let starts = |value: &Value<'a>, char: char| {
        value
            .as_str()
            .is_some_and(|text| text.starts_with(char) || text.is_empty())
    };
    match part("path") {
        Some(path) => {
            if !starts(path, '/') || path.as_str() == Some("") {
                builder.literal("/");
            }
            builder.push(path);
        }
        None => builder.literal("/"),
    }
    if let Some(query) = part("query") {
        if !starts(query, '?') {
            builder.literal("?");
        }
        builder.push(query);
    }
    Ok(builder.finish(args.engine, args.span))
}

fn is_default(scheme: Option<&Value<'_>>, port: &Value<'_>) -> bool {
    let scheme = scheme.and_then(Value::as_str).unwrap_or("https");
    matches!(
        (scheme, port.data),
        ("https", Data::Int(443)) | ("http", Data::Int(80)) | (_, Data::Int(-1))
    )
}

/// How Azure writes an absent port or query is not documented; those stay open.
fn parse_uri<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let text = args.as_str(0)?;
    let Some((scheme, authority, rest)) = split(text) else {
        return Fault::error("the text is no whole URI");
    };
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse::<i64>().ok()),
        _ => (authority, None),
    };
    let path = rest
        .split(['?', '#'])
        .next()
        .filter(|path| !path.is_empty())
        .unwrap_or("/");
    let string = |text: &str| args.engine.str(args.span, text);
    let mut known = vec![
        ("scheme", string(scheme.trim_end_matches("://"))),
        ("host", string(host)),
        ("path", string(path)),
    ];
    if let Some(port) = port {
        known.push(("port", args.value(Data::Int(port))));
    }
    let fields = args.engine.object_of(args.span, &known).fields();
    let open = args.opaque(Shape::Object);
    Ok(args.engine.with(open, |unknown| unknown.fields = fields))
}
