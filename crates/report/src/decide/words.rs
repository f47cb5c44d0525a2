//! Amounts as people write them.

use analysis::decide::{Effort, Rates};

use super::costs::Line;

/// `1,234` or `1,234.50` of cents.
pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let digits = (cents / 100).to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    match cents % 100 {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part:02}"),
    }
}

/// `2.5` of 25 tenths.
pub fn tenths(tenths: u32) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        part => format!("{}.{part}", tenths / 10),
    }
}

/// `2-5.5`, or `2` where both ends are the same.
pub fn days(effort: Effort) -> String {
    if effort.low == effort.high {
        tenths(effort.low)
    } else {
        format!("{}-{}", tenths(effort.low), tenths(effort.high))
    }
}

/// Hours with at most two places.
pub fn hours(minutes: u32) -> String {
    number(f64::from(minutes) / 60.0)
}

/// With at most two places.
pub fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Weights of pairs are kept in hundredths.
pub fn risk(weight: u64) -> String {
    number(weight as f64 / 100.0)
}

/// All in one, in cents, with the middle of the effort.
pub fn overall(cost: &analysis::decide::Cost, rates: &Rates) -> i64 {
    let money = cost.money * i64::from(rates.months) * 60;
    let effort =
        (i64::from(cost.effort.low) + i64::from(cost.effort.high)) * i64::from(rates.day) * 3;
    let upkeep = i64::from(cost.upkeep) * i64::from(rates.hour) * i64::from(rates.months);
    (money + effort + upkeep + 30).div_euclid(60)
}

/// `6 node months (acns-node; 6 node, counted)`.
pub fn line(line: &Line) -> String {
    let mut text = format!("{} x {} ({}", number(line.units), line.unit, line.meter);
    if let Some((per, known)) = &line.per {
        text.push_str(&format!(", by {per}, {}", known.words()));
    }
    text.push(')');
    text
}

/// `1 day`, `0.5-1 days`.
pub fn with_unit(number: &str, one: &str, more: &str) -> String {
    format!("{number} {}", if number == "1" { one } else { more })
}

/// `12 pairs`, `1 pair`.
pub fn count(number: usize, one: &str, more: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {more}")
    }
}

#[cfg(test)]
mod tests {
    use analysis::decide::{Cost, Effort, Rates};

    use super::{days, hours, money, overall};

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(money(123_456_700), "1,234,567");
        assert_eq!(money(-100_050), "-1,000.50");
        assert_eq!(money(5), "0.05");
        assert_eq!(days(Effort { low: 5, high: 10 }), "0.5-1");
        assert_eq!(days(Effort { low: 20, high: 20 }), "2");
        assert_eq!(hours(15), "0.25");
        assert_eq!(hours(600), "10");
    }

    #[test]
    fn all_in_one_is_money_effort_and_upkeep_over_the_months() {
        let cost = Cost {
            money: 1_000,
            effort: Effort { low: 20, high: 50 },
            upkeep: 30,
        };
        // 10 x 36 + 3.5 x 800 + 0.5 x 100 x 36
        assert_eq!(overall(&cost, &Rates::default()), 496_000);
    }
}
