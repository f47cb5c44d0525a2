//! Functions on points in time; none reads the clock.

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};

use super::Args;
use crate::engine::{Engine, Eval, Fault};
use crate::value::{Data, Val};

/// A point in time and the offset it was written with, in seconds.
#[derive(Clone, Copy)]
struct Moment {
    at: Timestamp,
    offset: i32,
}

impl<'a> Engine<'a, '_> {
    pub(super) fn dates(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "timeadd" => self.time_add(call),
            "timecmp" => self.time_compare(call),
            "formatdate" => self.format_date(call),
            _ => return None,
        };
        Some(result)
    }

    fn moment(&self, call: &Args<'_, 'a>, at: usize) -> Result<Moment, Fault<'a>> {
        let text = self.string_arg(call, at)?;
        // RFC 3339 alone, as Terraform has it.
        let rfc = text.len() >= 20 && text.as_bytes().get(10).is_some_and(|byte| *byte == b'T');
        let parsed = rfc.then(|| text.parse::<Timestamp>().ok()).flatten();
        parsed
            .map(|at| Moment {
                at,
                offset: offset(text),
            })
            .ok_or_else(|| self.fault(call.span, format!("`{text}` is no RFC 3339 time")))
    }

    fn time_add(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let moment = self.moment(call, 0)?;
        let text = self.string_arg(call, 1)?;
        let sum = duration(text).and_then(|duration| moment.at.checked_add(duration).ok());
        let Some(at) = sum else {
            return Err(self.fault(call.span, format!("`{text}` is no duration")));
        };
        let text = Moment { at, ..moment }
            .format("YYYY-MM-DD'T'hh:mm:ssZ")
            .unwrap_or_default();
        Ok(self.str(call.span, &text))
    }

    fn time_compare(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let order = self.moment(call, 0)?.at.cmp(&self.moment(call, 1)?.at);
        Ok(Val::new(call.span, Data::Int(order as i64)))
    }

    fn format_date(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let pattern = self.string_arg(call, 0)?;
        let moment = self.moment(call, 1)?;
        match moment.format(pattern) {
            Some(text) => Ok(self.str(call.span, &text)),
            None => Err(self.fault(call.span, format!("`{pattern}` is no pattern of a date"))),
        }
    }
}

fn offset(text: &str) -> i32 {
    let Some(zone) = text.len().checked_sub(6).and_then(|at| text.get(at..)) else {
        return 0;
    };
    let sign = match zone.get(..1) {
        Some("+") => 1,
        Some("-") => -1,
        _ => return 0,
    };
    let part = |range| {
        zone.get(range)
            .and_then(|digits: &str| digits.parse::<i32>().ok())
            .unwrap_or_default()
    };
    sign * (part(1..3) * 3600 + part(4..6) * 60)
}

/// `1h30m`, `-24h`, `1.5s`: as Go's `time.ParseDuration`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0_f64;
    while !rest.is_empty() && rest != "0" {
        let end = rest.find(|next: char| !next.is_ascii_digit() && next != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let (unit, factor) = [
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ms", 1e-3),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ]
        .into_iter()
        .find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest.get(unit.len()..)?;
        seconds += number * factor;
    }
    let seconds = if negative { -seconds } else { seconds };
    SignedDuration::try_from_secs_f64(seconds).ok()
}

impl Moment {
    /// <https://developer.hashicorp.com/terraform/language/functions/formatdate>
    fn format(self, pattern: &str) -> Option<String> {
        let zone = jiff::tz::Offset::from_seconds(self.offset).ok()?;
        let civil = zone.to_datetime(self.at);
        let mut out = String::new();
        let mut chars = pattern.chars().peekable();
        while let Some(letter) = chars.next() {
            if letter == '\'' {
                loop {
                    match chars.next()? {
                        '\'' if chars.peek() == Some(&'\'') => {
                            chars.next();
                            out.push('\'');
                        }
                        '\'' => break,
                        next => out.push(next),
                    }
                }
                continue;
            }
            if !letter.is_ascii_alphabetic() {
                out.push(letter);
                continue;
            }
            let mut count = 1;
            while chars.peek() == Some(&letter) {
                chars.next();
                count += 1;
            }
            let half = (civil.hour() + 11) % 12 + 1;
            let day = match civil.weekday() {
                Weekday::Monday => "Monday",
                Weekday::Tuesday => "Tuesday",
                Weekday::Wednesday => "Wednesday",
                Weekday::Thursday => "Thursday",
                Weekday::Friday => "Friday",
                Weekday::Saturday => "Saturday",
                Weekday::Sunday => "Sunday",
            };
            let text = match (letter, count) {
                ('Y', 4) => format!("{:04}", civil.year()),
                ('Y', 2) => format!("{:02}", civil.year() % 100),
                ('M', 4) => MONTHS.get(month(civil))?.to_string(),
                ('M', 3) => MONTHS.get(month(civil))?.get(..3)?.to_owned(),
                ('M', 2) => format!("{:02}", civil.month()),
                ('M', 1) => civil.month().to_string(),
                ('D', 2) => format!("{:02}", civil.day()),
                ('D', 1) => civil.day().to_string(),
                ('E', 4) => day.to_owned(),
                ('E', 3) => day.get(..3)?.to_owned(),
                ('h', 2) => format!("{:02}", civil.hour()),
                ('h', 1) => civil.hour().to_string(),
                ('H', 2) => format!("{half:02}"),
                ('H', 1) => half.to_string(),
                ('A', 2) => (if civil.hour() < 12 { "AM" } else { "PM" }).to_owned(),
                ('a', 2) => (if civil.hour() < 12 { "am" } else { "pm" }).to_owned(),
                ('m', 2) => format!("{:02}", civil.minute()),
                ('m', 1) => civil.minute().to_string(),
                ('s', 2) => format!("{:02}", civil.second()),
                ('s', 1) => civil.second().to_string(),
                ('Z', 1) if self.offset == 0 => "Z".to_owned(),
                ('Z', 3) if self.offset == 0 => "UTC".to_owned(),
                ('Z', 1 | 5) => self.zone(":"),
                ('Z', 3 | 4) => self.zone(""),
                _ => return None,
            };
            out.push_str(&text);
        }
        Some(out)
    }

    fn zone(self, between: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

fn month(civil: jiff::civil::DateTime) -> usize {
    usize::try_from(civil.month() - 1).unwrap_or_default()
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
