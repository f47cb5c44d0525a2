//! Kubernetes' `url` library: Go's `net/url`, as far as requests' URLs reach it.

use super::{Call, Given};
use crate::functions::Func;
use crate::{Map, Node, Val};
use bumpalo::collections::Vec as BumpVec;
use std::borrow::Cow;
use std::fmt;

/// A URL, parsed; it borrows the text it was parsed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url<'a> {
    text: &'a str,
    /// in lower case
    scheme: &'a str,
    /// with its port, escapes undone
    host: &'a str,
    /// as written, escaped where it must be
    path: &'a str,
    query: &'a str,
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Which part of a URL is looked at: each lets other characters stand unescaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    Path,
    User,
    Query,
    Fragment,
}

/// Go's `shouldEscape`.
fn escapes(b: u8, part: Part) -> bool {
    if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
        return false;
    }
    if matches!(part, Part::Host | Part::Zone) && b"!$&'()*+,;=:[]<>\"".contains(&b) {
        return false;
    }
    match part {
        Part::Path if b"$&+,/:;=@".contains(&b) => b == b'?',
        Part::Fragment if b"$&+,/:;=?@!()*".contains(&b) => false,
        _ => true,
    }
}

/// Go's `unescape`; `None` where it fails.
fn unescape(s: &str, part: Part) -> Option<Cow<'_, [u8]>> {
    let bytes = s.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'%' => {
                let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
                let (high, low) = (hex(at + 1)?, hex(at + 2)?);
                let value = u8::try_from(high * 16 + low).ok()?;
                // Hosts take escapes for what is not ASCII only, and `%25` before a zone.
                if part == Part::Host && high < 8 && value != b'%' {
                    return None;
                }
                if part == Part::Zone
                    && value != b'%'
                    && value != b' '
                    && escapes(value, Part::Host)
                {
                    return None;
                }
                out.push(value);
                at += 3;
            }
            b'+' if part == Part::Query => {
                out.push(b' ');
                at += 1;
            }
            _ if matches!(part, Part::Host | Part::Zone) && b < 0x80 && escapes(b, part) => {
                return None;
            }
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    Some(Cow::Owned(out))
}

/// The scheme and what follows it; `None` when there is a colon but no scheme.
fn scheme(s: &str) -> Option<(&str, &str)> {
    for (i, b) in s.bytes().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' => return Some(("", s)),
            b':' if i == 0 => return None,
            b':' => return Some((s.get(..i)?, s.get(i + 1..)?)),
            _ => return Some(("", s)),
        }
    }
    Some(("", s))
}

fn optional_port(s: &str) -> bool {
    s.is_empty()
        || s.strip_prefix(':')
            .is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()))
}

fn valid_user(s: &str) -> bool {
    s.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b))
}

/// The host of an authority, escapes undone.
fn host(authority: &str) -> Option<String> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            if !valid_user(user) {
                return None;
            }
            unescape(user, Part::User)?;
            host
        }
        None => authority,
    };
    let text = |s: &str, part| String::from_utf8(unescape(s, part)?.into_owned()).ok();
    if host.starts_with('[') {
        let end = host.rfind(']')?;
        if !optional_port(host.get(end + 1..)?) {
            return None;
        }
        let inner = host.get(..end)?;
        if let Some(zone) = inner.find("%25") {
            let before = text(inner.get(..zone)?, Part::Host)?;
            let middle = text(inner.get(zone..)?, Part::Zone)?;
            let after = text(host.get(end..)?, Part::Host)?;
            return Some(format!("{before}{middle}{after}"));
        }
    } else if let Some(colon) = host.rfind(':')
        && !optional_port(host.get(colon..)?)
    {
        return None;
    }
    text(host, Part::Host)
}

fn lower(s: &str) -> String {
    s.to_ascii_lowercase()
}

/// The parts of a URL as Go's parser sees them.
struct Parsed {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

/// Go's `parse`; `request` as `ParseRequestURI` calls it: only absolute, fragments are no
/// fragments.
fn parse(s: &str, request: bool) -> Option<Parsed> {
    if s.bytes().any(|b| b < 0x20 || b == 0x7f) || (s.is_empty() && request) {
        return None;
    }
    let mut out = Parsed {
        scheme: String::new(),
        host: String::new(),
        path: String::new(),
        query: String::new(),
    };
    if s == "*" {
        out.path = "*".into();
        return Some(out);
    }
    let (name, rest) = scheme(s)?;
    out.scheme = lower(name);
    let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    out.query = query.into();
    if !rest.starts_with('/') {
        if !out.scheme.is_empty() {
            // Opaque: `mailto:a@b`.
            return Some(out);
        }
        if request {
            return None;
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|segment| segment.contains(':'))
        {
            return None;
        }
    }
    if (!out.scheme.is_empty() || (!request && !rest.starts_with("///"))) && rest.starts_with("//")
    {
        let authority = rest.get(2..)?;
        let end = authority.find('/').unwrap_or(authority.len());
        out.host = host(authority.get(..end)?)?;
        rest = authority.get(end..)?;
    }
    unescape(rest, Part::Path)?;
    out.path = escaped_path(rest);
    Some(out)
}

/// Go's `EscapedPath`: as written when that is a valid encoding, else encoded.
fn escaped_path(raw: &str) -> String {
    let valid = raw
        .bytes()
        .all(|b| b"!$&'()*+,;=:@[]%".contains(&b) || !escapes(b, Part::Path));
    if valid {
        return raw.into();
    }
    let mut out = String::new();
    for b in unescape(raw, Part::Path).unwrap_or_default().iter() {
        if escapes(*b, Part::Path) {
            out.push_str(&format!("%{b:02X}"));
        } else {
            out.push(char::from(*b));
        }
    }
    out
}

/// Kubernetes parses twice: as a request's URI to refuse relative ones, then in full, since the
/// first does not know fragments.
fn url(s: &str) -> Option<Parsed> {
    parse(s, true)?;
    let (body, fragment) = s.split_once('#').unwrap_or((s, ""));
    unescape(fragment, Part::Fragment)?;
    parse(body, false)
}

/// Whether this is an absolute URL or path.
pub(crate) fn is_request_uri(s: &str) -> bool {
    parse(s, true).is_some()
}

/// Host and port of Go's `splitHostPort`, brackets removed.
fn split_port(host: &str) -> (&str, &str) {
    let (mut name, mut port) = (host, "");
    if let Some(colon) = host.rfind(':')
        && optional_port(host.get(colon..).unwrap_or("-"))
    {
        name = host.get(..colon).unwrap_or("");
        port = host.get(colon + 1..).unwrap_or("");
    }
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    (bare.unwrap_or(name), port)
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    Some(match (func, args) {
        (Func::Url, [Val::Str(s)]) => match url(s) {
            Some(p) => {
                let bump = c.machine.bump;
                Val::Url(bump.alloc(Url {
                    text: s,
                    scheme: bump.alloc_str(&p.scheme),
                    host: bump.alloc_str(&p.host),
                    path: bump.alloc_str(&p.path),
                    query: bump.alloc_str(&p.query),
                }))
            }
            None => c.fail(&format!("`{s}` is no URL")),
        },
        (Func::IsUrl, [Val::Str(s)]) => Val::Bool(is_request_uri(s)),
        (Func::GetScheme, [Val::Url(u)]) => Val::Str(u.scheme),
        (Func::GetHost, [Val::Url(u)]) => Val::Str(u.host),
        (Func::GetHostname, [Val::Url(u)]) => Val::Str(split_port(u.host).0),
        (Func::GetPort, [Val::Url(u)]) => Val::Str(split_port(u.host).1),
        (Func::GetEscapedPath, [Val::Url(u)]) => Val::Str(u.path),
        (Func::GetQuery, [Val::Url(u)]) => query(c, u.query),
        _ => return None,
    })
}

/// Keys in the order of their first value.
fn query<'a, N: Node<'a>>(c: Call<'_, 'a, N>, text: &'a str) -> Val<'a, N> {
    let bump = c.machine.bump;
    let mut found: Vec<(String, BumpVec<'a, Val<'a, N>>)> = Vec::new();
    for part in text
        .split('&')
        .filter(|p| !p.is_empty() && !p.contains(';'))
    {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (Some(key), Some(value)) = (unescape(key, Part::Query), unescape(value, Part::Query))
        else {
            continue;
        };
        let key = String::from_utf8_lossy(&key).into_owned();
        let value = Val::string(bump, &String::from_utf8_lossy(&value));
        match found.iter_mut().find(|(k, _)| *k == key) {
            Some((_, values)) => values.push(value),
            None => found.push((key, bumpalo::vec![in bump; value])),
        }
    }
    let mut entries = BumpVec::with_capacity_in(found.len(), bump);
    for (key, values) in found {
        entries.push((Val::string(bump, &key), c.list(values)));
    }
    Val::Map(bump.alloc(Map {
        entries: entries.into_bump_slice(),
        rest: None,
    }))
}
