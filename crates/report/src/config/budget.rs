//! `budget`: what a plan may cost, and by what its costs are counted.
//!
//! Left out: prices themselves; files hold them.

use std::path::{Path, PathBuf};

use guide::front_matter;
use model::Ref;

/// What `seawall decide` takes where its options do not say it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    /// Money a month more than now.
    pub money: Option<f64>,
    /// Days of work.
    pub effort: Option<f64>,
    /// Of prices and sums.
    pub currency: Option<Box<str>>,
    /// Where prices are asked for.
    pub region: Option<Box<str>>,
    /// Files of prices; a relative one is beside the configuration.
    pub prices: Vec<PathBuf>,
    /// For a person's day of work.
    pub day_rate: Option<u32>,
    /// For an hour of upkeep.
    pub hour_rate: Option<u32>,
    /// How many months are counted.
    pub months: Option<u32>,
}

const KEYS: &str = "money, effort, currency, region, prices, day-rate, hour-rate, months";

impl Budget {
    /// Reads the map; what is wrong with the place in the text where it is.
    pub(super) fn read(value: Ref<'_>, file: &str) -> Result<Self, (u32, String)> {
        let mut budget = Self::default();
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        for (key, span, value) in value.entries() {
            let wrong = |what: &str| (span.start, format!("`{key}` must be {what}"));
            let amount = || {
                front_matter::number(value)
                    .filter(|amount| (0.0..=1e9).contains(amount))
                    .ok_or_else(|| wrong("a number from 0 to 1000000000"))
            };
            let whole = |least: i64, most: i64| {
                value
                    .as_int()
                    .filter(|number| (least..=most).contains(number))
                    .and_then(|number| u32::try_from(number).ok())
                    .ok_or_else(|| wrong(&format!("a whole number from {least} to {most}")))
            };
            let word = |what: &str| {
                value
                    .as_str()
                    .filter(|text| !text.is_empty())
                    .map(Box::<str>::from)
                    .ok_or_else(|| wrong(what))
            };
            match key {
                "money" => budget.money = Some(amount()?),
                "effort" => budget.effort = Some(amount()?),
                "currency" => budget.currency = Some(word("a code such as EUR")?),
                "region" => budget.region = Some(word("a region such as westeurope")?),
                "prices" => {
                    let files = front_matter::texts(value)
                        .ok_or_else(|| wrong("a file or a list of files"))?;
                    budget.prices = files.iter().map(|file| folder.join(&**file)).collect();
                }
                "day-rate" => budget.day_rate = Some(whole(0, 100_000)?),
                "hour-rate" => budget.hour_rate = Some(whole(0, 100_000)?),
                "months" => budget.months = Some(whole(1, 240)?),
                _ => {
                    let message = format!("unknown key `{key}` of `budget`; known are: {KEYS}");
                    return Err((span.start, message));
                }
            }
        }
        Ok(budget)
    }
}
