//! `"…".format([…])`: the clauses `%s %d %f %e %b %x %X %o %%`, as the specification has them
//! (cel-go's `ext.Strings` version 4; Kubernetes 1.34 still has version 2, which groups digits
//! of `%f` by thousands and quotes strings within lists).

use super::Call;
#[cfg(test)]
use crate::library::convert::double_text;
use crate::val::{Entries, Seq};
use crate::{Node, Val};
use std::fmt::Write as _;

pub(crate) fn format<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    template: &str,
    args: Seq<'a, N>,
) -> Val<'a, N> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let mut precision = 6_usize;
        let mut clause = after;
        if let Some(tail) = after.strip_prefix('.') {
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = tail.split_at_checked(digits).unwrap_or((tail, ""));
            match number.parse::<usize>() {
                Ok(p) if p <= 100 => precision = p,
                _ => return c.fail("could not parse formatting clause: bad precision"),
            }
            clause = tail;
        }
        let Some(letter) = clause.chars().next() else {
            return c.fail("could not parse formatting clause: unexpected end of string");
        };
        rest = clause.get(letter.len_utf8()..).unwrap_or("");
        let Some(arg) = args.get(next) else {
            return c.fail(&format!("index {next} out of range"));
        };
        next += 1;
        let arg = arg.resolve();
        if arg.is_bad() {
            return arg;
        }
        let done = match letter {
            's' => text(&mut out, arg),
            'd' => decimal(&mut out, arg),
            'f' => fixed(&mut out, arg, precision),
            'e' => scientific(&mut out, arg, precision),
            'b' => radix(&mut out, arg, 'b'),
            'o' => radix(&mut out, arg, 'o'),
            'x' | 'X' => radix(&mut out, arg, letter),
            _ => {
                return c.fail(&format!(
                    "could not parse formatting clause: unrecognized formatting clause \"{letter}\""
                ));
            }
        };
        if done.is_none() {
            return c.fail(&format!(
                "`%{letter}` does not format a {}",
                arg.type_name()
            ));
        }
    }
    out.push_str(rest);
    c.text(&out)
}

fn special(d: f64) -> Option<&'static str> {
    match d {
        d if d.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

fn text<'a, N: Node<'a>>(out: &mut String, v: Val<'a, N>) -> Option<()> {
    match v {
        Val::Str(s) => out.push_str(s),
        Val::Double(d) => match special(d) {
            Some(s) => out.push_str(s),
            None => write!(out, "{d}").ok()?,
        },
        Val::Bytes(b) => out.push_str(&String::from_utf8_lossy(b)),
        Val::Null
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Uint(_)
        | Val::Duration(_)
        | Val::Timestamp(_)
        | Val::Type(_) => {
            write!(out, "{v}").ok()?;
        }
        _ => {
            if let Some(seq) = Seq::of(v) {
                out.push('[');
                for (i, item) in seq.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    text(out, item.resolve())?;
                }
                out.push(']');
            } else {
                let mut entries = Vec::new();
                for (k, value) in Entries::of(v)?.iter() {
                    let (mut key, mut shown) = (String::new(), String::new());
                    text(&mut key, k.resolve())?;
                    text(&mut shown, value.resolve())?;
                    entries.push((key, shown));
                }
                entries.sort();
                out.push('{');
                for (i, (k, shown)) in entries.iter().enumerate() {
                    write!(out, "{}{k}: {shown}", if i > 0 { ", " } else { "" }).ok()?;
                }
                out.push('}');
            }
        }
    }
    Some(())
}

fn decimal<'a, N: Node<'a>>(out: &mut String, v: Val<'a, N>) -> Option<()> {
    match v {
        Val::Int(_) | Val::Uint(_) => write!(out, "{v}").ok(),
        Val::Double(d) => match special(d) {
            Some(s) => write!(out, "{s}").ok(),
            None => write!(out, "{d}").ok(),
        },
        _ => None,
    }
}

fn number<'a, N: Node<'a>>(v: Val<'a, N>) -> Option<f64> {
    match v {
        Val::Int(i) => Some(i as f64),
        Val::Uint(u) => Some(u as f64),
        Val::Double(d) => Some(d),
        _ => None,
    }
}

fn fixed<'a, N: Node<'a>>(out: &mut String, v: Val<'a, N>, precision: usize) -> Option<()> {
    let d = number(v)?;
    match special(d) {
        Some(s) => write!(out, "{s}").ok(),
        None => write!(out, "{d:.precision$}").ok(),
    }
}

fn scientific<'a, N: Node<'a>>(out: &mut String, v: Val<'a, N>, precision: usize) -> Option<()> {
    let d = number(v)?;
    if let Some(s) = special(d) {
        return write!(out, "{s}").ok();
    }
    let text = format!("{d:.precision$e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "{mantissa}e{sign}{:02}", exponent.abs()).ok()
}

fn radix<'a, N: Node<'a>>(out: &mut String, v: Val<'a, N>, letter: char) -> Option<()> {
    let (negative, n) = match v {
        Val::Int(i) => (i < 0, i.unsigned_abs()),
        Val::Uint(u) => (false, u),
        Val::Bool(b) if letter == 'b' => (false, u64::from(b)),
        Val::Str(s) if letter.eq_ignore_ascii_case(&'x') => return hex(out, s.as_bytes(), letter),
        Val::Bytes(b) if letter.eq_ignore_ascii_case(&'x') => return hex(out, b, letter),
        _ => return None,
    };
    if negative {
        out.push('-');
    }
    match letter {
        'b' => write!(out, "{n:b}"),
        'o' => write!(out, "{n:o}"),
        'X' => write!(out, "{n:X}"),
        _ => write!(out, "{n:x}"),
    }
    .ok()
}

fn hex(out: &mut String, bytes: &[u8], letter: char) -> Option<()> {
    for b in bytes {
        match letter {
            'X' => write!(out, "{b:02X}"),
            _ => write!(out, "{b:02x}"),
        }
        .ok()?;
    }
    Some(())
}

/// For messages: a number as the language writes it.
#[cfg(test)]
mod tests {
    #[test]
    fn doubles_are_written_as_go_does() {
        assert_eq!(super::double_text(1e21), "1e+21");
        assert_eq!(super::double_text(1e-5), "1e-05");
        assert_eq!(super::double_text(123_456.5), "123456.5");
    }
}
