//! Dates: `utcNow`, `dateTimeAdd`, `dateTimeFromEpoch`, `dateTimeToEpoch`.
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-date>

use crate::functions::{Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape, Why};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("utcNow", 0, 1, Shape::String, utc_now),
    plain("dateTimeAdd", 2, 3, Shape::String, date_time_add),
    plain("dateTimeFromEpoch", 1, 1, Shape::String, from_epoch),
    plain("dateTimeToEpoch", 1, 1, Shape::Int, to_epoch),
];

fn utc_now<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let open = args.opaque(Shape::String);
    let why = args.engine.bump.alloc_slice_copy(&[Why::Chance("utcNow")]);
    let not = args
        .engine
        .bump
        .alloc_slice_copy(&[args.value(Data::Str(""))]);
    Ok(args.engine.with(open, |unknown| {
        unknown.why = why;
        unknown.not = not;
    }))
}

fn date_time_add<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let (base, duration) = (args.as_str(0)?, args.as_str(1)?);
    let format = if args.len() > 2 {
        Some(args.as_str(2)?)
    } else {
        None
    };
    let Some(seconds) = parse_duration(duration) else {
        return Fault::error("the text is no duration such as `P1DT2H`");
    };
    // .NET reads more forms than are read here; those stay open.
    let base = parse(base).ok_or(Fault::Open)?;
    let Some(sum) = base.checked_add(seconds).filter(|sum| sum.in_range()) else {
        return Fault::error("the result is out of range");
    };
    match format {
        Some(format) => args.text(&formatted(sum, format)),
        None => args.text(&formatted(sum, "yyyy-MM-ddTHH:mm:ssZ")),
    }
}

fn from_epoch<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let moment = Moment {
        seconds: args.as_int(0)?,
        nanos: 0,
    };
    if !moment.in_range() {
        return Fault::error("the number is out of range");
    }
    args.text(&formatted(moment, "yyyy-MM-ddTHH:mm:ssZ"))
}

fn to_epoch<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    args.int(parse(args.as_str(0)?).ok_or(Fault::Open)?.seconds)
}

/// A point in time: seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    seconds: i64,
    nanos: u32,
}

impl Moment {
    fn checked_add(self, seconds: i64) -> Option<Self> {
        Some(Self {
            seconds: self.seconds.checked_add(seconds)?,
            ..self
        })
    }

    /// Years 1 to 9999, as in .NET.
    const fn in_range(self) -> bool {
        self.seconds >= -62_135_596_800 && self.seconds <= 253_402_300_799
    }
}

/// Seconds of an ISO 8601 duration. A year has 365 days, a month 30, as documented.
fn parse_duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let mut time = false;
    let mut seconds = 0_i64;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            time = true;
            rest = after;
            continue;
        }
        let end = rest.find(|char: char| !(char.is_ascii_digit() || char == '.'))?;
        let (number, after) = rest.split_at(end);
        let unit = after.chars().next()?;
        let factor = match (unit, time) {
            ('Y', false) => 365 * 86_400,
            ('M', false) => 30 * 86_400,
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        let part = match number.parse::<i64>() {
            Ok(whole) => whole.checked_mul(factor)?,
            Err(_) => (number.parse::<f64>().ok()? * factor as f64) as i64,
        };
        seconds = seconds.checked_add(part)?;
        rest = after.get(1..)?;
    }
    seconds.checked_mul(sign)
}

/// `2024-01-31`, with a time, with fractions, with a zone. Without a zone it is UTC.
fn parse(text: &str) -> Option<Moment> {
    let text = text.trim();
    let year: i64 = text.get(..4)?.parse().ok()?;
    let month: i64 = two(text, 4, '-')?;
    let day: i64 = two(text, 7, '-')?;
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !valid {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * 86_400;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(Moment {
            seconds: midnight,
            nanos: 0,
        });
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour: i64 = rest.get(..2)?.parse().ok()?;
    let minute = two(rest, 2, ':')?;
    let (second, mut rest) = match two(rest, 5, ':') {
        Some(second) => (second, rest.get(8..)?),
        None => (0, rest.get(5..)?),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanos = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let fraction: String = after.get(..digits.min(9))?.to_owned();
        nanos = format!("{fraction:0<9}").parse().ok()?;
        rest = after.get(digits..)?;
    }
    let offset = zone(rest.trim())?;
    let seconds = midnight + hour * 3_600 + minute * 60 + second - offset;
    Some(Moment { seconds, nanos })
}

/// Two digits after a separator.
fn two(text: &str, at: usize, separator: char) -> Option<i64> {
    text.get(at..at + 3)?.strip_prefix(separator)?.parse().ok()
}

fn zone(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let hours: i64 = text.get(1..3)?.parse().ok()?;
    let minutes: i64 = match text.get(3..)? {
        "" => 0,
        rest => rest.strip_prefix(':').unwrap_or(rest).parse().ok()?,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
/// <https://howardhinnant.github.io/date_algorithms.html>
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// .NET's date format strings in the invariant culture.
/// <https://learn.microsoft.com/dotnet/standard/base-types/standard-date-and-time-format-strings>
fn formatted(moment: Moment, format: &str) -> String {
    let custom = match format {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "G" | "" => "MM/dd/yyyy HH:mm:ss",
        "m" | "M" => "MMMM dd",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffffZ",
        "r" | "R" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ssZ",
        "y" | "Y" => "yyyy MMMM",
        other => other.strip_prefix('%').unwrap_or(other),
    };
    let mut out = String::new();
    let chars: Vec<char> = custom.chars().collect();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        if matches!(char, '\'' | '"') {
            at += 1;
            while let Some(&own) = chars.get(at).filter(|own| **own != char) {
                out.push(own);
                at += 1;
            }
            at += 1;
            continue;
        }
        if char == '\\' {
            out.extend(chars.get(at + 1));
            at += 2;
            continue;
        }
        let count = chars
            .iter()
            .skip(at)
            .take_while(|own| **own == char)
            .count();
        specifier(moment, char, count, &mut out);
        at += count;
    }
    out
}

fn specifier(moment: Moment, char: char, count: usize, out: &mut String) {
    let days = moment.seconds.div_euclid(86_400);
    let second = moment.seconds.rem_euclid(86_400);
    let (year, month, day) = civil_from_days(days);
    let hour = second / 3_600;
    let number = |value: i64, width: usize| format!("{value:0width$}");
    let name = |names: &[&str], at: i64, short: bool| {
        let name = usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at))
            .copied();
        let name = name.unwrap_or_default();
        if short {
            name.get(..3).unwrap_or(name).to_owned()
        } else {
            name.to_owned()
        }
    };
    let text = match (char, count) {
        ('y', 1 | 2) => number(year % 100, count),
        ('y', _) => number(year, count),
        ('M', 1 | 2) => number(month, count),
        ('M', _) => name(&MONTHS, month - 1, count == 3),
        ('d', 1 | 2) => number(day, count),
        ('d', _) => name(&DAYS, days.rem_euclid(7), count == 3),
        ('H', _) => number(hour, count.min(2)),
        ('h', _) => number((hour + 11) % 12 + 1, count.min(2)),
        ('m', _) => number(second / 60 % 60, count.min(2)),
        ('s', _) => number(second % 60, count.min(2)),
        ('f', _) => format!("{:09}", moment.nanos)
            .get(..count.min(7))
            .unwrap_or("")
            .to_owned(),
        ('F', _) => {
            let digits = format!("{:09}", moment.nanos);
            digits
                .get(..count.min(7))
                .unwrap_or("")
                .trim_end_matches('0')
                .to_owned()
        }
        ('t', 1) => if hour < 12 { "A" } else { "P" }.to_owned(),
        ('t', _) => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        ('z', 1) => "+0".to_owned(),
        ('z', 2) => "+00".to_owned(),
        ('z', _) => "+00:00".to_owned(),
        ('K', _) => "Z".to_owned(),
        (other, count) => String::from(other).repeat(count),
    };
    out.push_str(&text);
}

#[cfg(test)]
mod tests {
    use super::{Moment, formatted, parse, parse_duration};

    #[test]
    fn dates_are_read_and_written() {
        let moment = parse("2020-04-07 14:53:14Z").unwrap();
        assert_eq!(
            moment,
            Moment {
                seconds: 1_586_271_194,
                nanos: 0
            }
        );
        assert_eq!(parse("2020-04-07T16:53:14+02:00"), Some(moment));
        let texts = [
            ("u", "2020-04-07 14:53:14Z"),
            ("s", "2020-04-07T14:53:14"),
            ("R", "Tue, 07 Apr 2020 14:53:14 GMT"),
            ("d", "04/07/2020"),
            ("yyyyMMddTHHmmssZ", "20200407T145314Z"),
            ("M/d/yy h:mm tt", "4/7/20 2:53 PM"),
        ];
        for (format, expected) in texts {
            assert_eq!(formatted(moment, format), expected, "{format}");
        }
    }

    #[test]
    fn durations_have_fixed_months_and_years() {
        assert_eq!(parse_duration("P1Y"), Some(365 * 86_400));
        assert_eq!(parse_duration("-P1M"), Some(-30 * 86_400));
        assert_eq!(parse_duration("P1DT2H3M4S"), Some(86_400 + 7_384));
        assert_eq!(parse_duration("1D"), None);
        assert_eq!(parse_duration("PT1D"), None);
    }
}
