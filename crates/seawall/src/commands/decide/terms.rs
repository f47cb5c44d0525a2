//! Limits, rates and prices: what the command line says, then `budget` of `seawall.yaml`, then what is usual.

use std::path::PathBuf;

use analysis::decide::Rates;
use report::config::Budget;

use super::Args;
use super::advice::Settled;
use crate::failure::Failure;

/// By what costs are counted.
pub(super) struct Terms {
    /// The limits and the rates.
    pub(super) settled: Settled,
    pub(super) currency: Box<str>,
    pub(super) region: Option<Box<str>>,
    pub(super) prices: Vec<PathBuf>,
}

impl Terms {
    pub(super) fn of(args: &Args, budget: &Budget) -> anyhow::Result<Self> {
        let money = limit(args.budget.as_deref(), "--budget", budget.money)?;
        let effort = limit(args.max_effort.as_deref(), "--max-effort", budget.effort)?;
        let cents = |amount: u32, option: &str| {
            amount
                .checked_mul(100)
                .filter(|_| amount <= 100_000)
                .ok_or_else(|| Failure::new(format!("`{option}` must be from 0 to 100000")))
        };
        let day = args.day_rate.or(budget.day_rate).unwrap_or(800);
        let hour = args.hour_rate.or(budget.hour_rate).unwrap_or(100);
        let currency = args.currency.as_deref().or(budget.currency.as_deref());
        let region = args.region.as_deref().or(budget.region.as_deref());
        Ok(Self {
            settled: Settled {
                money: money.map(|amount| (amount * 100.0).round() as i64),
                effort: effort.map(|days| (days * 10.0).round() as u32),
                rates: Rates {
                    day: cents(day, "--day-rate")?,
                    hour: cents(hour, "--hour-rate")?,
                    months: args.months.or(budget.months).unwrap_or(36),
                },
                ..Settled::default()
            },
            currency: currency.unwrap_or("EUR").to_ascii_uppercase().into(),
            region: region.map(Box::from),
            prices: if args.prices.is_empty() {
                budget.prices.clone()
            } else {
                args.prices.clone()
            },
        })
    }
}

fn limit(said: Option<&str>, option: &str, usual: Option<f64>) -> Result<Option<f64>, Failure> {
    match said {
        None => Ok(usual),
        Some("none") => Ok(None),
        Some(text) => match text.parse::<f64>() {
            Ok(amount) if (0.0..=1e9).contains(&amount) => Ok(Some(amount)),
            _ => Err(Failure::new(format!(
                "`{option}` must be from 0 to 1000000000, or `none`; not `{text}`"
            ))),
        },
    }
}
