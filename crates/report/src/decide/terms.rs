//! Limits, rates and files of prices: what `budget` of `seawall.yaml` says, and what is usual.

use std::path::PathBuf;

use analysis::decide::Rates;

use super::advice::Settled;
use crate::config::Budget;

/// By what costs are counted.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The limits and the rates.
    pub settled: Settled,
    /// Of all sums.
    pub currency: Box<str>,
    /// Where prices are asked for; the cluster's where nobody says it.
    pub region: Option<Box<str>>,
    /// Files of prices.
    pub prices: Vec<PathBuf>,
}

impl Terms {
    /// Those of a configuration.
    #[must_use]
    pub fn of(budget: &Budget) -> Self {
        let usual = Rates::default();
        let cents = |amount: Option<u32>, usual: u32| {
            amount.map_or(usual, |amount| amount.saturating_mul(100))
        };
        let currency = budget.currency.as_deref().unwrap_or("EUR");
        Self {
            settled: Settled {
                money: budget.money.map(money),
                effort: budget.effort.map(effort),
                rates: Rates {
                    day: cents(budget.day_rate, usual.day),
                    hour: cents(budget.hour_rate, usual.hour),
                    months: budget.months.unwrap_or(usual.months),
                },
                ..Settled::default()
            },
            currency: currency.to_ascii_uppercase().into(),
            region: budget.region.clone(),
            prices: budget.prices.clone(),
        }
    }
}

/// Cents of an amount.
#[must_use]
pub fn money(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}

/// Tenths of days.
#[must_use]
pub fn effort(days: f64) -> u32 {
    (days * 10.0).round() as u32
}
