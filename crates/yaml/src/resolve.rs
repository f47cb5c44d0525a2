//! What a scalar is worth: `go.yaml.in/yaml/v2`'s `resolve.go` (YAML 1.1 with its own
//! exceptions), then what `sigs.k8s.io/yaml` makes of it in JSON.
//!
//! It leaves out timestamps as values: both libraries hand them on as strings.

use std::borrow::Cow;

use crate::error::What;
use crate::scan::Style;

const BOOL: &str = "tag:yaml.org,2002:bool";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const NULL: &str = "tag:yaml.org,2002:null";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const BINARY: &str = "tag:yaml.org,2002:binary";
const MERGE: &str = "tag:yaml.org,2002:merge";

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Cow<'t, str>),
}

/// Whether a key is `<<`.
pub(crate) fn is_merge(tag: Option<&str>, style: Style, value: &str) -> bool {
    value == "<<"
        && match tag {
            None => style == Style::Plain,
            Some(tag) => tag == "!" || tag == MERGE,
        }
}

/// The value of a scalar.
pub(crate) fn resolve<'t>(
    tag: Option<&str>,
    style: Style,
    value: Cow<'t, str>,
) -> Result<Scalar<'t>, What> {
    let Some(tag) = tag else {
        if style != Style::Plain {
            return Ok(Scalar::Str(value));
        }
        return Ok(match guess(&value) {
            Some(found) => found,
            None => Scalar::Str(value),
        });
    };
    match tag {
        NULL | BOOL | INT | FLOAT => {
            let found = match guess(&value) {
                Some(Scalar::Int(v)) if tag == FLOAT => Scalar::Float(v as f64),
                Some(found) => found,
                None => return Err(What::TagValue),
            };
            let fits = matches!(
                (&found, tag),
                (Scalar::Null, NULL)
                    | (Scalar::Bool(_), BOOL)
                    | (Scalar::Int(_) | Scalar::Uint(_), INT)
                    | (Scalar::Float(_), FLOAT)
            );
            if fits { Ok(found) } else { Err(What::TagValue) }
        }
        TIMESTAMP if !is_timestamp(&value) => Err(What::TagValue),
        BINARY => {
            base64(&value).map_or(Err(What::Base64), |text| Ok(Scalar::Str(Cow::Owned(text))))
        }
        _ => Ok(Scalar::Str(value)),
    }
}

/// Whether a plain scalar is a string, and no time, without a tag.
pub(crate) fn reads_as_string(value: &str) -> bool {
    guess(value).is_none() && !is_timestamp(value)
}

/// What a plain scalar says without a tag, unless it is a string.
fn guess<'t>(value: &str) -> Option<Scalar<'t>> {
    let first = match value.as_bytes().first() {
        None => return Some(Scalar::Null),
        Some(first) => first,
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(value),
        b'.' => match value {
            ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
            ".inf" | ".Inf" | ".INF" => Some(Scalar::Float(f64::INFINITY)),
            _ => go_float(value).map(Scalar::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match value {
            "+.inf" | "+.Inf" | "+.INF" => Some(Scalar::Float(f64::INFINITY)),
            "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
            _ => number(value),
        },
        _ => None,
    }
}

fn word<'t>(value: &str) -> Option<Scalar<'t>> {
    match value {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Scalar::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Scalar::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        _ => None,
    }
}

fn number<'t>(value: &str) -> Option<Scalar<'t>> {
    // The usual string that begins with a digit ends here: an IP, a date, a duration.
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+' | b'-');
    if !value.bytes().all(known) {
        return None;
    }
    let plain: Cow<'_, str> = if value.contains('_') {
        Cow::Owned(value.replace('_', ""))
    } else {
        Cow::Borrowed(value)
    };
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, plain.get(1..).unwrap_or_default()),
        Some(b'+') => (false, plain.get(1..).unwrap_or_default()),
        _ => (false, &*plain),
    };
    let signed = digits.len() != plain.len();
    if let Some(magnitude) = go_uint(digits) {
        if let Some(int) = with_sign(magnitude, negative) {
            return Some(Scalar::Int(int));
        }
        if let (Ok(uint), false) = (u64::try_from(magnitude), signed) {
            return Some(Scalar::Uint(uint));
        }
    }
    if is_yaml_float(digits) {
        return plain
            .parse()
            .ok()
            .filter(|f: &f64| f.is_finite())
            .map(Scalar::Float);
    }
    // Go tries `0b` once more by hand, and there lets a sign follow it.
    let bits = plain.strip_prefix("0b")?;
    let (negative, bits) = match bits.as_bytes().first()? {
        b'-' => (true, bits.get(1..)?),
        b'+' => (false, bits.get(1..)?),
        _ => return None,
    };
    with_sign(radix(bits, 2)?, negative).map(Scalar::Int)
}

fn with_sign(magnitude: u128, negative: bool) -> Option<i64> {
    let value = i128::try_from(magnitude).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

/// `strconv.ParseUint(s, 0, …)` without underscores; `u128` so that overflow shows.
fn go_uint(digits: &str) -> Option<u128> {
    let lower = digits.as_bytes().get(1).map(u8::to_ascii_lowercase);
    match (digits.as_bytes().first(), lower) {
        (Some(b'0'), Some(b'x')) => radix(digits.get(2..)?, 16),
        (Some(b'0'), Some(b'o')) => radix(digits.get(2..)?, 8),
        (Some(b'0'), Some(b'b')) => radix(digits.get(2..)?, 2),
        (Some(b'0'), Some(_)) => radix(digits, 8),
        _ => radix(digits, 10),
    }
}

fn radix(digits: &str, base: u32) -> Option<u128> {
    // `from_str_radix` takes a sign, Go does not here.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = u128::from_str_radix(digits, base).ok()?;
    (value <= u128::from(u64::MAX)).then_some(value)
}

/// `^(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_yaml_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return false;
        }
    }
    match mantissa.split_once('.') {
        None => !mantissa.is_empty() && digits(mantissa),
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

/// `strconv.ParseFloat` of a text that begins with a point: underscores may stand between
/// digits.
fn go_float(text: &str) -> Option<f64> {
    let mut before = b'.';
    for byte in text.bytes() {
        let digit = before.is_ascii_digit();
        if (byte == b'_' && !digit) || (before == b'_' && !byte.is_ascii_digit()) {
            return None;
        }
        before = byte;
    }
    if before == b'_' {
        return None;
    }
    let plain = text.replace('_', "");
    if !is_yaml_float(&plain) {
        return None;
    }
    plain.parse().ok().filter(|f: &f64| f.is_finite())
}

/// The key that `sigs.k8s.io/yaml` makes of a scalar.
pub(crate) fn key<'t>(scalar: &Scalar<'t>) -> Result<Cow<'t, str>, What> {
    Ok(match scalar {
        Scalar::Str(value) => value.clone(),
        Scalar::Bool(true) => Cow::Borrowed("true"),
        Scalar::Bool(false) => Cow::Borrowed("false"),
        Scalar::Int(value) => Cow::Owned(value.to_string()),
        Scalar::Float(value) => Cow::Owned(go_float_key(*value)),
        Scalar::Null => return Err(What::NullKey),
        Scalar::Uint(_) => return Err(What::HugeKey),
    })
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`, with YAML's names for what is no number.
fn go_float_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&power) {
        return format!("{value}");
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

/// Standard base64 as Go reads it: line breaks are skipped, padding is required. Bytes that are
/// no UTF-8 become U+FFFD one by one, as in Go's JSON.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0_u32, 0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'\r' | b'\n' => continue,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if count % 4 >= 2 => {
                padding += 1;
                count += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = (bits << 6) | u32::from(value);
        count += 1;
        if count.is_multiple_of(4) {
            bytes.extend([(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
            bits = 0;
        }
    }
    if !count.is_multiple_of(4) {
        return None;
    }
    match padding {
        0 => {}
        1 => bytes.extend([(bits >> 10) as u8, (bits >> 2) as u8]),
        2 => bytes.push((bits >> 4) as u8),
        _ => return None,
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    Some(out)
}

/// The four layouts of `resolve.go`.
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            Some(text.get(at..).unwrap_or_default()),
        ),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let field =
        |part: Option<&str>, low: u32, high: u32, width: std::ops::RangeInclusive<usize>| {
            part.filter(|p| width.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|p| p.parse::<u32>().ok())
                .filter(|v| (low..=high).contains(v))
        };
    let Some(year) = field(year, 0, 9999, 4..=4) else {
        return false;
    };
    let Some(month) = field(month, 1, 12, 1..=2) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if field(day, 1, last, 1..=2).is_none() || parts.next().is_some() {
        return false;
    }
    let Some(time) = time else { return true };
    let zoned = !time.starts_with(' ');
    let mut time = time.get(1..).unwrap_or_default();
    if zoned {
        time = match time.strip_suffix('Z') {
            Some(rest) => rest,
            None => {
                let Some(at) = time.rfind(['+', '-']) else {
                    return false;
                };
                let zone = time.get(at + 1..).unwrap_or_default();
                let Some((hours, minutes)) = zone.split_once(':') else {
                    return false;
                };
                if field(Some(hours), 0, 24, 2..=2).is_none()
                    || field(Some(minutes), 0, 60, 2..=2).is_none()
                {
                    return false;
                }
                time.get(..at).unwrap_or_default()
            }
        };
    }
    let mut parts = time.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next());
    let (second, fraction) = match second.and_then(|s| s.split_once(['.', ','])) {
        Some((second, fraction)) => (Some(second), Some(fraction)),
        None => (second, None),
    };
    field(hour, 0, 23, 1..=2).is_some()
        && field(minute, 0, 59, 1..=2).is_some()
        && field(second, 0, 59, 1..=2).is_some()
        && parts.next().is_none()
        && fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()))
}
