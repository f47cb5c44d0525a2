//! Conversions between types: `int()`, `uint()`, `double()`, `string()`, `bytes()`, `bool()`,
//! `duration()`, `timestamp()`.

use super::{Call, Given};
use crate::error::ErrorKind;
use crate::time::{Duration, Timestamp};
use crate::{Node, Val};

/// Go's `strconv.FormatFloat(d, 'g', -1, 64)`: the shortest digits that read back the same,
/// with an exponent below 1e-4 and from 1e6 on.
pub(crate) fn double_text(d: f64) -> String {
    if d.is_nan() {
        return "NaN".into();
    }
    if d.is_infinite() {
        return if d > 0.0 {
            "+Inf".into()
        } else {
            "-Inf".into()
        };
    }
    let scientific = format!("{d:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || d == 0.0 {
        return format!("{d}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

pub(crate) fn int<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    let overflow = || c.kind(ErrorKind::Overflow, "integer");
    Some(match x {
        Val::Int(_) => x,
        Val::Uint(u) => i64::try_from(u).map_or_else(|_| overflow(), Val::Int),
        // Both borders are outside: cel-go refuses what a double cannot tell from them.
        Val::Double(d) if d > -9_223_372_036_854_775_808.0 && d < 9_223_372_036_854_775_807.0 => {
            Val::Int(d as i64)
        }
        Val::Double(_) => overflow(),
        Val::Str(s) => match parse_go_int(s) {
            Some(i) => Val::Int(i),
            None => c.fail(&format!("`{s}` is no integer")),
        },
        Val::Timestamp(t) => Val::Int(t.seconds),
        Val::Duration(d) => Val::Int(d.0),
        _ => return None,
    })
}

fn parse_go_int(s: &str) -> Option<i64> {
    s.parse().ok()
}

pub(crate) fn uint<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    let overflow = || c.kind(ErrorKind::Overflow, "unsigned integer");
    Some(match x {
        Val::Uint(_) => x,
        Val::Int(i) => u64::try_from(i).map_or_else(|_| overflow(), Val::Uint),
        Val::Double(d) if (0.0..18_446_744_073_709_551_615.0).contains(&d) => Val::Uint(d as u64),
        Val::Double(_) => overflow(),
        Val::Str(s) => match s.parse::<u64>().ok().filter(|_| !s.starts_with('+')) {
            Some(u) => Val::Uint(u),
            None => c.fail(&format!("`{s}` is no unsigned integer")),
        },
        _ => return None,
    })
}

pub(crate) fn double<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    Some(match x {
        Val::Double(_) => x,
        Val::Int(i) => Val::Double(i as f64),
        Val::Uint(u) => Val::Double(u as f64),
        Val::Str(s) => match s.parse() {
            Ok(d) => Val::Double(d),
            Err(_) => c.fail(&format!("`{s}` is no number")),
        },
        _ => return None,
    })
}

pub(crate) fn string<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    Some(match x {
        Val::Str(_) => x,
        Val::Bool(_)
        | Val::Int(_)
        | Val::Uint(_)
        | Val::Double(_)
        | Val::Duration(_)
        | Val::Timestamp(_)
        | Val::Ip(_)
        | Val::Cidr(_) => c.text(&format!("{x}")),
        Val::Bytes(b) => match std::str::from_utf8(b) {
            Ok(s) => Val::Str(s),
            Err(_) => c.fail("invalid UTF-8 in bytes"),
        },
        _ => return None,
    })
}

pub(crate) fn bytes<'a, N: Node<'a>>(x: Val<'a, N>) -> Given<'a, N> {
    match x {
        Val::Bytes(_) => Some(x),
        Val::Str(s) => Some(Val::Bytes(s.as_bytes())),
        _ => None,
    }
}

pub(crate) fn bool<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    match x {
        Val::Bool(_) => Some(x),
        // Go's `strconv.ParseBool`.
        Val::Str("1" | "t" | "T" | "TRUE" | "true" | "True") => Some(Val::Bool(true)),
        Val::Str("0" | "f" | "F" | "FALSE" | "false" | "False") => Some(Val::Bool(false)),
        Val::Str(s) => Some(c.fail(&format!("`{s}` is no boolean"))),
        _ => None,
    }
}

pub(crate) fn duration<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    match x {
        Val::Duration(_) => Some(x),
        Val::Str(s) => Some(match Duration::parse(s) {
            Some(d) => Val::Duration(d),
            None => c.fail(&format!("`{s}` is no duration")),
        }),
        _ => None,
    }
}

pub(crate) fn timestamp<'a, N: Node<'a>>(c: Call<'_, 'a, N>, x: Val<'a, N>) -> Given<'a, N> {
    match x {
        Val::Timestamp(_) => Some(x),
        Val::Int(n) => Some(match Timestamp::new(n, 0) {
            Some(t) => Val::Timestamp(t),
            None => c.kind(ErrorKind::Overflow, "timestamp"),
        }),
        Val::Str(s) => Some(match Timestamp::parse(s) {
            Some(t) => Val::Timestamp(t),
            None => c.fail(&format!("`{s}` is no timestamp")),
        }),
        _ => None,
    }
}
