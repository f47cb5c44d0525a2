//! Strings: the standard functions and cel-go's `ext.Strings`. Indices count code points.

use super::{Call, Given, format_string};
use crate::error::ErrorKind;
use crate::functions::Func;
use crate::val::Seq;
use crate::{Node, Val};
use bumpalo::collections::Vec as BumpVec;

/// The byte offset of a code point; the end of the text for the one after the last.
fn offset(s: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    if s.is_ascii() {
        return (index <= s.len()).then_some(index);
    }
    s.char_indices()
        .map(|(at, _)| at)
        .chain([s.len()])
        .nth(index)
}

fn count(s: &str) -> i64 {
    i64::try_from(s.chars().count()).unwrap_or(i64::MAX)
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    if func == Func::Join {
        return join(c, args);
    }
    let (Val::Str(s), rest) = args.split_first()? else {
        return None;
    };
    let s: &'a str = s;
    c.walk(s.len());
    let range = |i: i64| c.kind(ErrorKind::IndexOutOfRange, &i.to_string());
    Some(match (func, rest) {
        (Func::Contains, [Val::Str(x)]) => Val::Bool(s.contains(x)),
        (Func::StartsWith, [Val::Str(x)]) => Val::Bool(s.starts_with(x)),
        (Func::EndsWith, [Val::Str(x)]) => Val::Bool(s.ends_with(x)),
        (Func::CharAt, [Val::Int(i)]) => match offset(s, *i).and_then(|at| s.get(at..)) {
            Some(tail) => {
                let len = tail.chars().next().map_or(0, char::len_utf8);
                Val::Str(tail.get(..len).unwrap_or(""))
            }
            None => range(*i),
        },
        (Func::IndexOf, [Val::Str(x)]) => index_of(s, x, 0).map_or(Val::Int(-1), Val::Int),
        (Func::IndexOf, [Val::Str(x), Val::Int(from)]) => {
            if *from < 0 && !x.is_empty() {
                return Some(range(*from));
            }
            index_of(s, x, *from).map_or(Val::Int(-1), Val::Int)
        }
        (Func::LastIndexOf, [Val::Str(x)]) => match (x.is_empty(), s.rfind(x)) {
            (true, _) => Val::Int(count(s)),
            (false, Some(at)) => Val::Int(count(s.get(..at)?)),
            (false, None) => Val::Int(-1),
        },
        (Func::LastIndexOf, [Val::Str(x), Val::Int(from)]) => {
            if *from < 0 && !x.is_empty() {
                return Some(range(*from));
            }
            last_index_of(s, x, *from)
        }
        (Func::LowerAscii, []) => c.text(&s.to_ascii_lowercase()),
        (Func::UpperAscii, []) => c.text(&s.to_ascii_uppercase()),
        (Func::Replace, [Val::Str(a), Val::Str(b)]) => replace(c, s, a, b, -1),
        (Func::Replace, [Val::Str(a), Val::Str(b), Val::Int(n)]) => replace(c, s, a, b, *n),
        (Func::Split, [Val::Str(x)]) => split(c, s, x, -1),
        (Func::Split, [Val::Str(x), Val::Int(n)]) => split(c, s, x, *n),
        (Func::Substring, [Val::Int(from)]) => match offset(s, *from).and_then(|at| s.get(at..)) {
            Some(tail) => Val::Str(tail),
            None => range(*from),
        },
        (Func::Substring, [Val::Int(from), Val::Int(to)]) => {
            if from > to {
                return Some(c.fail(&format!("invalid substring range: {from} to {to}")));
            }
            match (offset(s, *from), offset(s, *to)) {
                (Some(a), Some(b)) => Val::Str(s.get(a..b)?),
                (None, _) => range(*from),
                (_, None) => range(*to),
            }
        }
        (Func::Trim, []) => Val::Str(s.trim_matches(is_space)),
        (Func::Reverse, []) => c.text(&s.chars().rev().collect::<String>()),
        (Func::Quote, []) => c.text(&quote(s)),
        (Func::FormatString, [list]) => format_string::format(c, s, Seq::of(*list)?),
        _ => return None,
    })
}

/// Go's `unicode.IsSpace`.
fn is_space(ch: char) -> bool {
    ch.is_whitespace()
}

fn index_of(s: &str, x: &str, from: i64) -> Option<i64> {
    if x.is_empty() {
        return Some(from);
    }
    let start = offset(s, from)?;
    let at = start + s.get(start..)?.find(x)?;
    Some(count(s.get(..at)?))
}

fn last_index_of<'a, N: Node<'a>>(s: &str, x: &str, from: i64) -> Val<'a, N> {
    if x.is_empty() {
        return Val::Int(from);
    }
    if from >= count(s) {
        return Val::Int(-1);
    }
    let Some(start) = offset(s, from) else {
        return Val::Int(-1);
    };
    let end = (start + x.len()).min(s.len());
    // The match may start at `start` at the latest; a cut through a code point finds nothing.
    let window = s.get(..end).unwrap_or_else(|| {
        let cut = (start..=end)
            .rev()
            .find(|i| s.is_char_boundary(*i))
            .unwrap_or(start);
        s.get(..cut).unwrap_or("")
    });
    match window.rfind(x) {
        Some(at) => Val::Int(count(s.get(..at).unwrap_or(""))),
        None => Val::Int(-1),
    }
}

fn replace<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    s: &str,
    from: &str,
    to: &str,
    n: i64,
) -> Val<'a, N> {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let places = if from.is_empty() {
        s.len() + 1
    } else {
        s.len() / from.len()
    };
    let size = s.len() + places.min(n).saturating_mul(to.len());
    c.machine.budget.charge(size as u64 / 10);
    if c.machine.budget.exhausted() {
        return Val::Str("");
    }
    c.text(&s.replacen(from, to, n))
}

fn split<'a, N: Node<'a>>(c: Call<'_, 'a, N>, s: &'a str, sep: &str, n: i64) -> Val<'a, N> {
    let mut items = BumpVec::new_in(c.machine.bump);
    let limit = match usize::try_from(n) {
        Ok(0) => return c.list(items),
        Ok(n) => n,
        Err(_) => usize::MAX,
    };
    if sep.is_empty() {
        // Go splits into code points and gives nothing at the ends.
        let mut rest = s;
        while let Some(ch) = rest.chars().next() {
            if items.len() + 1 == limit {
                items.push(Val::Str(rest));
                break;
            }
            let (head, tail) = rest.split_at(ch.len_utf8());
            items.push(Val::Str(head));
            rest = tail;
        }
    } else {
        items.extend(s.splitn(limit, sep).map(Val::Str));
    }
    c.list(items)
}

fn join<'a, N: Node<'a>>(c: Call<'_, 'a, N>, args: &[Val<'a, N>]) -> Given<'a, N> {
    let (list, sep) = match args {
        [list] => (list, ""),
        [list, Val::Str(sep)] => (list, *sep),
        _ => return None,
    };
    let mut out = String::new();
    for (i, item) in Seq::of(*list)?.iter().enumerate() {
        if i > 0 {
            out.push_str(sep);
        }
        match item.resolve() {
            Val::Str(s) => out.push_str(s),
            bad if bad.is_bad() => return Some(bad),
            _ => return None,
        }
    }
    Some(c.text(&out))
}

fn quote(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for ch in s.chars() {
        match ch {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            ch => out.push(ch),
        }
    }
    out.push('"');
    out
}
