//! Timestamps of records as microseconds, and back. No clock is read here.

/// Microseconds since 1970 of a timestamp in UTC as the API server and Azure write it
/// (`2026-11-27T08:00:00.123456Z`); any other form is left to jiff.
#[must_use]
pub fn micros(text: &str) -> Option<i64> {
    plain(text.as_bytes()).or_else(|| {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(time.as_microsecond())
    })
}

fn plain(text: &[u8]) -> Option<i64> {
    let (whole, rest) = text.split_first_chunk()?;
    #[rustfmt::skip]
    let [
        y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1,
    ] = whole else {
        return None;
    };
    let digits = [y0, y1, y2, y3, mo0, mo1, d0, d1, h0, h1, mi0, mi1, s0, s1];
    if !digits.iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let two = |tens: &u8, ones: &u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (year, month, day) = (two(y0, y1) * 100 + two(y2, y3), two(mo0, mo1), two(d0, d1));
    let (hour, minute, second) = (two(h0, h1), two(mi0, mi1), two(s0, s1));
    let sane = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !sane {
        return None;
    }
    let (mut fraction, mut scale) = (0, 100_000);
    let rest = rest.strip_suffix(b"Z")?;
    if let Some((point, digits)) = rest.split_first() {
        if *point != b'.' || digits.is_empty() {
            return None;
        }
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            fraction += i64::from(digit - b'0') * scale;
            scale /= 10;
        }
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + fraction)
}

/// Days since 1970 of a day of the Gregorian calendar: years are counted from March, so that the leap day is
/// the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + days - 719_468
}

/// A moment as people read it, to the second.
#[must_use]
pub fn shown(micros: i64) -> String {
    jiff::Timestamp::from_second(micros.div_euclid(1_000_000))
        .map(|time| time.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{micros, shown};

    #[test]
    fn agrees_with_a_calendar() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.999999Z",
            "2024-12-31T12:00:00.5Z",
            "2026-11-27T08:01:02.123456Z",
            "2100-03-01T00:00:00Z",
            "1969-07-20T20:17:40Z",
        ] {
            let time: jiff::Timestamp = text.parse().unwrap();
            assert_eq!(super::plain(text.as_bytes()), Some(time.as_microsecond()));
        }
        assert_eq!(
            micros("2026-11-27T09:01:02+01:00"),
            micros("2026-11-27T08:01:02Z")
        );
        assert_eq!(micros("yesterday"), None);
        assert_eq!(micros("2026-13-27T08:01:02Z"), None);
        assert_eq!(shown(1_500_000), "1970-01-01T00:00:01Z");
    }
}
