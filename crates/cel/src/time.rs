//! Durations and timestamps with the ranges and texts of cel-go.

use std::fmt;

const NANOS: i128 = 1_000_000_000;

/// A signed span of time in nanoseconds, at most about 292 years as in Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub i64);

/// A point in time: years 1 to 9999 of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

impl Duration {
    /// From whole seconds, when in range.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(1_000_000_000).map(Self)
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `100ms`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self(0));
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
            let n = digits(rest);
            let (whole, mut tail) = rest.split_at_checked(n)?;
            let mut fraction = "";
            if let Some(after) = tail.strip_prefix('.') {
                (fraction, tail) = after.split_at_checked(digits(after))?;
            }
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let unit_len = tail
                .bytes()
                .take_while(|b| *b != b'.' && !b.is_ascii_digit())
                .count();
            let (unit, after) = tail.split_at_checked(unit_len)?;
            let unit: i128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => NANOS,
                "m" => 60 * NANOS,
                "h" => 3600 * NANOS,
                _ => return None,
            };
            let whole: i128 = if whole.is_empty() {
                0
            } else {
                whole.parse().ok()?
            };
            total = total.checked_add(whole.checked_mul(unit)?)?;
            let mut scale = unit;
            for d in fraction.bytes() {
                scale /= 10;
                total += i128::from(d - b'0') * scale;
                if scale == 0 {
                    break;
                }
            }
            // Digits below a nanosecond are cut, except that Go keeps them within hours and
            // minutes through floating point; the difference is below one nanosecond.
            if total > i128::from(i64::MAX) + 1 {
                return None;
            }
            rest = after;
        }
        i64::try_from(if negative { -total } else { total })
            .ok()
            .map(Self)
    }
}

/// Seconds as `string(duration)` gives them: cel-go goes through a double.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (self.0 / 1_000_000_000) as f64 + (self.0 % 1_000_000_000) as f64 / 1e9;
        write!(f, "{seconds}s")
    }
}

struct Fraction(u32);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        let text = format!("{:09}", self.0);
        write!(f, ".{}", text.trim_end_matches('0'))
    }
}

/// Days since 1970-01-01 of a date (Howard Hinnant's `days_from_civil`).
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// A date and time of day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12
    pub(crate) month: i64,
    /// 1 to 31
    pub(crate) day: i64,
    /// 0: Sunday
    pub(crate) weekday: i64,
    /// 0 to 365
    pub(crate) yearday: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Timestamp {
    const MIN_SECONDS: i64 = -62_135_596_800;
    const MAX_SECONDS: i64 = 253_402_300_799;

    /// A point in time, when in range.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        ((Self::MIN_SECONDS..=Self::MAX_SECONDS).contains(&seconds) && nanos < 1_000_000_000)
            .then_some(Self { seconds, nanos })
    }

    fn from_nanos(n: i128) -> Option<Self> {
        let seconds = i64::try_from(n.div_euclid(NANOS)).ok()?;
        Self::new(seconds, u32::try_from(n.rem_euclid(NANOS)).ok()?)
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    pub(crate) fn checked_add(self, d: Duration) -> Option<Self> {
        Self::from_nanos(self.total() + i128::from(d.0))
    }

    pub(crate) fn checked_sub(self, d: Duration) -> Option<Self> {
        Self::from_nanos(self.total() - i128::from(d.0))
    }

    pub(crate) fn since(self, other: Self) -> Option<Duration> {
        i64::try_from(self.total() - other.total())
            .ok()
            .map(Duration)
    }

    /// RFC 3339: `2009-02-13T23:31:30.5Z`, `…+01:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let digits = |from: usize, n: usize| -> Option<i64> {
            let s = b.get(from..from + n)?;
            s.iter()
                .all(u8::is_ascii_digit)
                .then(|| s.iter().fold(0, |v, d| v * 10 + i64::from(d - b'0')))
        };
        let sep = |at: usize, c: u8| b.get(at).is_some_and(|x| *x == c);
        if !(sep(4, b'-') && sep(7, b'-') && sep(10, b'T') && sep(13, b':') && sep(16, b':')) {
            return None;
        }
        let (y, m, d) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
        let (h, min, s) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
        let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        let last = match m {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if d < 1 || d > last || h > 23 || min > 59 || s > 59 {
            return None;
        }
        let mut at = 19;
        let mut nanos = 0;
        if sep(at, b'.') || sep(at, b',') {
            at += 1;
            let start = at;
            let mut scale = 100_000_000;
            while let Some(c) = b.get(at).filter(|c| c.is_ascii_digit()) {
                nanos += u32::from(c - b'0') * scale;
                scale /= 10;
                at += 1;
            }
            if at == start {
                return None;
            }
        }
        let offset = match b.get(at)? {
            b'Z' if b.len() == at + 1 => 0,
            sign @ (b'+' | b'-') if b.len() == at + 6 && sep(at + 3, b':') => {
                let (oh, om) = (digits(at + 1, 2)?, digits(at + 4, 2)?);
                if oh > 24 || om > 60 {
                    return None;
                }
                (oh * 3600 + om * 60) * if *sign == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let seconds = days_from_civil(y, m, d) * 86_400 + h * 3600 + min * 60 + s - offset;
        Self::new(seconds, nanos)
    }

    /// The date and time of day at an offset from UTC in seconds.
    pub(crate) fn civil(self, offset: i64) -> Civil {
        let local = self.seconds + offset;
        let days = local.div_euclid(86_400);
        let time = local.rem_euclid(86_400);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        Civil {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7),
            yearday: days - days_from_civil(year, 1, 1),
            hour: time / 3600,
            minute: time / 60 % 60,
            second: time % 60,
        }
    }

    /// The offset from UTC in seconds of a zone: `UTC`, `+01:00`, `-8:00`, `02:00` or an IANA name.
    pub(crate) fn offset(self, zone: &str) -> Option<i64> {
        if zone == "UTC" || zone.is_empty() {
            return Some(0);
        }
        if let Some((hours, minutes)) = zone.split_once(':') {
            let h: i64 = hours.parse().ok()?;
            let m: i64 = minutes.parse().ok()?;
            let sign = if hours.starts_with('-') { -1 } else { 1 };
            return Some(h * 3600 + sign * m * 60);
        }
        let tz = jiff::tz::TimeZone::get(zone).ok()?;
        // The library ends a day before the year 9999 does; the calendar repeats every 400 years.
        const REPEAT: i64 = 146_097 * 86_400;
        let seconds = if self.seconds > Self::MAX_SECONDS - REPEAT {
            self.seconds - REPEAT
        } else {
            self.seconds
        };
        let at = jiff::Timestamp::from_second(seconds).ok()?;
        Some(i64::from(tz.to_offset(at).seconds()))
    }
}

/// RFC 3339 in UTC with a fraction as short as possible.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil(0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z",
            c.year,
            c.month,
            c.day,
            c.hour,
            c.minute,
            c.second,
            Fraction(self.nanos)
        )
    }
}
