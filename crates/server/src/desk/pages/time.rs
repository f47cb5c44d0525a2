//! Times in words.

use jiff::Timestamp;
use maud::{Markup, html};
use report::count;

/// `27 November 2026, 06:30 UTC`.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (at.strftime("%-d %B %Y, %H:%M UTC")) } }
}

/// `3 minutes ago`.
pub(super) fn ago(seconds: i64) -> String {
    match seconds {
        ..=1 => "just now".to_owned(),
        2..=119 => format!("{seconds} seconds ago"),
        120..=7199 => format!("{} minutes ago", seconds / 60),
        7200..=172_799 => format!("{} hours ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// What a day is to today: whether it is over, and how far it is.
pub(super) fn until(day: &str, now: i64) -> (bool, String) {
    let today = Timestamp::from_second(now)
        .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
        .ok();
    let day: Option<jiff::civil::Date> = day.parse().ok();
    let (Some(today), Some(day)) = (today, day) else {
        return (false, String::new());
    };
    let days = today
        .until(day)
        .map_or(0, |span| i64::from(span.get_days()));
    match days {
        // Waivers count to the end of their day.
        ..0 => (
            true,
            format!("ended {} ago", count(days.unsigned_abs() as usize, "day")),
        ),
        0 => (false, "ends today".to_owned()),
        days => (
            false,
            format!("ends in {}", count(days.unsigned_abs() as usize, "day")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_words() {
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(61), "61 seconds ago");
        assert_eq!(ago(7199), "119 minutes ago");
        assert_eq!(ago(200_000), "2 days ago");
        let now = "2026-11-27T12:00:00Z".parse::<Timestamp>().unwrap();
        let now = now.as_second();
        assert_eq!(until("2026-11-27", now), (false, "ends today".to_owned()));
        assert_eq!(
            until("2026-11-26", now),
            (true, "ended 1 day ago".to_owned())
        );
        assert_eq!(
            until("2027-01-31", now),
            (false, "ends in 65 days".to_owned())
        );
        assert_eq!(until("never", now), (false, String::new()));
    }
}
