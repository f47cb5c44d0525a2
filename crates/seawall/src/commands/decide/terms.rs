//! Limits, rates and prices: what the command line says, then `budget` of `seawall.yaml`, then what is usual.

use report::config::Budget;
use report::decide::Terms;

use super::Args;
use crate::failure::Failure;

pub(super) fn of(args: &Args, budget: &Budget) -> anyhow::Result<Terms> {
    let mut said = budget.clone();
    said.money = limit(args.budget.as_deref(), "--budget", budget.money)?;
    said.effort = limit(args.max_effort.as_deref(), "--max-effort", budget.effort)?;
    said.day_rate = rate(args.day_rate.or(budget.day_rate), "--day-rate")?;
    said.hour_rate = rate(args.hour_rate.or(budget.hour_rate), "--hour-rate")?;
    said.months = args.months.or(budget.months);
    if let Some(currency) = &args.currency {
        said.currency = Some(currency.as_str().into());
    }
    if let Some(region) = &args.region {
        said.region = Some(region.as_str().into());
    }
    if !args.prices.is_empty() {
        said.prices.clone_from(&args.prices);
    }
    Ok(Terms::of(&said))
}

fn rate(amount: Option<u32>, option: &str) -> Result<Option<u32>, Failure> {
    match amount {
        Some(amount) if amount > 100_000 => {
            Err(Failure::new(format!("`{option}` must be from 0 to 100000")))
        }
        amount => Ok(amount),
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
