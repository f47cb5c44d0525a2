//! Kubernetes' `semver` library: `github.com/blang/semver/v4`, with `normalize`.

use super::{Call, Given};
use crate::functions::Func;
use crate::{Node, Val};
use std::cmp::Ordering;
use std::fmt;

/// A semantic version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semver<'a> {
    /// the three numbers
    numbers: [u64; 3],
    /// what follows `-`, without it
    prerelease: &'a str,
    /// what follows `+`, without it
    build: &'a str,
}

impl fmt::Display for Semver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.numbers;
        write!(f, "{a}.{b}.{c}")?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

fn number(s: &str) -> Option<u64> {
    let plain =
        !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) && (s == "0" || !s.starts_with('0'));
    s.parse().ok().filter(|_| plain)
}

fn identifiers(s: &str, prerelease: bool) -> bool {
    s.split('.').all(|part| {
        let letters =
            !part.is_empty() && part.bytes().all(|b| b == b'-' || b.is_ascii_alphanumeric());
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        letters && (!prerelease || !digits || number(part).is_some())
    })
}

impl<'a> Semver<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (major, minor, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let (rest, build) = match rest.split_once('+') {
            Some((r, b)) => (r, Some(b)),
            None => (rest, None),
        };
        let (patch, prerelease) = match rest.split_once('-') {
            Some((p, pre)) => (p, Some(pre)),
            None => (rest, None),
        };
        let numbers = [number(major)?, number(minor)?, number(patch)?];
        let valid = prerelease.is_none_or(|p| identifiers(p, true))
            && build.is_none_or(|b| identifiers(b, false));
        valid.then_some(Self {
            numbers,
            prerelease: prerelease.unwrap_or(""),
            build: build.unwrap_or(""),
        })
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => prereleases(self.prerelease, other.prerelease),
            }
        })
    }
}

fn prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match (number(x), number(y)) {
                (Some(x), Some(y)) => x.cmp(&y),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => x.cmp(y),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Fills in missing numbers and drops `v` and leading zeros.
fn normalize(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text
        .splitn(3, '.')
        .map(|p| {
            if p.len() <= 1 {
                return p.to_owned();
            }
            let stripped = p.trim_start_matches('0');
            if stripped.starts_with(|c: char| c.is_ascii_digit()) {
                stripped.to_owned()
            } else {
                format!("0{stripped}")
            }
        })
        .collect();
    if parts.len() < 3 && parts.last()?.contains(['+', '-']) {
        return None;
    }
    parts.resize(3, "0".into());
    Some(parts.join("."))
}

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    let parse = |s: &'a str, normal: bool| -> Option<Semver<'a>> {
        if normal {
            Semver::parse(c.machine.bump.alloc_str(&normalize(s)?))
        } else {
            Semver::parse(s)
        }
    };
    let made = |s: &'a str, v: Option<Semver<'a>>| match v {
        Some(v) => Val::Semver(c.machine.bump.alloc(v)),
        None => c.fail(&format!("`{s}` is no semantic version")),
    };
    let int = |n: Option<&u64>| match n.map(|n| i64::try_from(*n)) {
        Some(Ok(n)) => Val::Int(n),
        _ => c.fail("the version number is too large"),
    };
    Some(match (func, args) {
        (Func::Semver, [Val::Str(s)]) => made(s, parse(s, false)),
        (Func::Semver, [Val::Str(s), Val::Bool(normal)]) => made(s, parse(s, *normal)),
        (Func::IsSemver, [Val::Str(s)]) => Val::Bool(parse(s, false).is_some()),
        (Func::IsSemver, [Val::Str(s), Val::Bool(normal)]) => {
            Val::Bool(parse(s, *normal).is_some())
        }
        (Func::IsGreaterThan, [Val::Semver(a), Val::Semver(b)]) => Val::Bool(a.compare(b).is_gt()),
        (Func::IsLessThan, [Val::Semver(a), Val::Semver(b)]) => Val::Bool(a.compare(b).is_lt()),
        (Func::CompareTo, [Val::Semver(a), Val::Semver(b)]) => Val::Int(a.compare(b) as i64),
        (Func::Major, [Val::Semver(v)]) => int(v.numbers.first()),
        (Func::Minor, [Val::Semver(v)]) => int(v.numbers.get(1)),
        (Func::Patch, [Val::Semver(v)]) => int(v.numbers.get(2)),
        _ => return None,
    })
}
