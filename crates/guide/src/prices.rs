//! What the meters cost by which options are charged (`data/prices.yaml`), and prices read from files in
//! the form of the Azure Retail Prices API
//! (<https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>).
//!
//! What it deliberately leaves out: files, the network and the clock. A meter without a price stays a
//! quantity; nothing is estimated.

mod retail;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::Ref;

use crate::catalogue::Guide;
use crate::front_matter::{self, Fields, number};
use crate::guideline::Reference;

pub use retail::{Page, Read, pages};

/// Millionths of a unit of a currency.
pub const MICRO: f64 = 1_000_000.0;

/// What something is charged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Meter {
    /// Stable name.
    pub id: Box<str>,
    /// What is charged.
    pub about: Box<str>,
    /// By what.
    pub unit: Box<str>,
    /// What finds it among retail prices; `None`: `unpriced` says why.
    pub retail: Option<Filter>,
    /// Why retail prices do not have it.
    pub unpriced: Option<Box<str>>,
    /// Where its filter, or why there is none, was read.
    pub references: Vec<Reference>,
}

/// The items of the Azure Retail Prices API that are a meter. Values are compared as they are, since
/// the API's filter has been doing so since 2023-01-01-preview.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// `serviceName`
    pub service: Box<str>,
    /// `productName`
    pub product: Option<Box<str>>,
    /// `skuName`
    pub sku: Option<Box<str>>,
    /// `armSkuName`
    pub arm_sku: Option<Box<str>>,
    /// `meterName`, under each of the names it has had.
    pub meters: Vec<Box<str>>,
    /// Values of `armRegionName` under which a meter stands that has none in the region: `Global`, none
    /// at all, a zone of several regions.
    pub elsewhere: Vec<Box<str>>,
    /// `unitOfMeasure`, and how many of it are one unit of the guide's meter.
    pub units: Vec<(Box<str>, f64)>,
}

/// What a meter costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// From how many units on a month (from 0, ascending), and millionths of the currency for each unit
    /// above that.
    pub tiers: Vec<(f64, i64)>,
    /// ISO 4217 code.
    pub currency: Box<str>,
    /// Where it was read: an address or a file.
    pub source: Box<str>,
    /// The day (ISO date) on which it was read.
    pub date: Box<str>,
    /// The day from which it has held, where that is known.
    pub since: Option<Box<str>>,
}

impl Price {
    /// What a number of units costs, in millionths of the currency.
    #[must_use]
    pub fn of(&self, units: f64) -> i64 {
        let ends = self.tiers.iter().skip(1).map(|(from, _)| *from);
        let mut total = 0.0;
        for ((from, each), to) in self.tiers.iter().zip(ends.chain([f64::INFINITY])) {
            total += (units.min(to) - from).max(0.0) * *each as f64;
        }
        total.round() as i64
    }

    /// What one unit costs, where each costs the same.
    #[must_use]
    pub fn flat(&self) -> Option<i64> {
        match self.tiers.as_slice() {
            [(_, each)] => Some(*each),
            _ => None,
        }
    }
}

/// Meters and their prices.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    meters: BTreeMap<Box<str>, Meter>,
    prices: BTreeMap<Box<str>, Price>,
}

/// Why prices could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The text is not what the API answers.
    #[error("this is no answer of the Azure Retail Prices API: {0}")]
    Form(String),
    /// A list of own amounts is wrong.
    #[error("in the list of prices, {0}")]
    Own(String),
    /// More than one item is the meter.
    #[error("{} prices are `{meter}`, one was expected: {}", found.len(), found.join("; "))]
    Several {
        /// The guide's meter.
        meter: Box<str>,
        /// Each as it stands there.
        found: Vec<String>,
    },
    /// An item by another unit than the guide knows for it.
    #[error("the price of `{meter}` is by `{unit}`; known is {}", known.join(", "))]
    Unit {
        /// The guide's meter.
        meter: Box<str>,
        /// As it stands there.
        unit: String,
        /// As the guide has it.
        known: Vec<String>,
    },
    /// No item is in the currency.
    #[error("the prices are in {}, not in {wanted}", found.join(", "))]
    Currency {
        /// What was asked for.
        wanted: Box<str>,
        /// What there is.
        found: Vec<String>,
    },
}

impl Prices {
    /// The guide's meters, with the prices that it has a source for.
    #[must_use]
    pub fn builtin(guide: &Guide) -> Self {
        let mut prices = Self::default();
        let text = guide.data.get("prices.yaml");
        if let Some(Ok(doc)) = text.map(|text| front_matter::read(text, 1)) {
            for meter in doc.root().get("meters").into_iter().flat_map(Ref::items) {
                if let Ok((meter, price)) = entry(meter) {
                    if let Some(price) = price {
                        prices.prices.insert(meter.id.clone(), price);
                    }
                    prices.meters.insert(meter.id.clone(), meter);
                }
            }
        }
        prices
    }

    /// A meter by its id.
    #[must_use]
    pub fn meter(&self, id: &str) -> Option<&Meter> {
        self.meters.get(id)
    }

    /// All meters, by id.
    pub fn meters(&self) -> impl Iterator<Item = &Meter> {
        self.meters.values()
    }

    /// What a meter costs; `None`: nobody said.
    #[must_use]
    pub fn of(&self, meter: &str) -> Option<&Price> {
        self.prices.get(meter)
    }

    /// Prices that were read more than `days` before a day (ISO date), or read on none: the meters in
    /// order, with the day.
    #[must_use]
    pub fn stale(&self, today: &str, days: i64) -> Vec<(&str, &str)> {
        let now = day_number(today);
        let old = |price: &Price| {
            let read = day_number(&price.date);
            now.zip(read).is_none_or(|(now, read)| now - read > days)
        };
        self.prices
            .iter()
            .filter(|(_, price)| old(price))
            .map(|(id, price)| (&**id, &*price.date))
            .collect()
    }

    /// Adds the prices of a file: an answer of the Azure Retail Prices API ([`Self::add_retail`]), or
    /// amounts of your own: a YAML list of `{ meter, amount, currency, source, seen }`, each for one of
    /// the guide's units. `region`, `currency`, `source` and `date` are as there.
    ///
    /// # Errors
    /// What is wrong with it; nothing is added then.
    pub fn add_file(
        &mut self,
        text: &str,
        region: &str,
        currency: &str,
        source: &str,
        date: &str,
    ) -> Result<Read, PriceError> {
        let yaml = text
            .lines()
            .map(str::trim_start)
            .find(|line| !line.is_empty())
            .is_some_and(|line| line.starts_with(['-', '#']));
        if yaml {
            self.add_own(text, currency)
        } else {
            self.add_retail(text, region, currency, source, date)
        }
    }

    fn add_own(&mut self, text: &str, currency: &str) -> Result<Read, PriceError> {
        let doc = front_matter::read(text, 1)
            .map_err(|(line, message)| PriceError::Own(format!("line {line}: {message}")))?;
        let mut added: BTreeMap<Box<str>, Price> = BTreeMap::new();
        for item in doc.root().items() {
            let line = doc.line_column(item.span().start).0;
            let wrong = |message: String| PriceError::Own(format!("line {line}: {message}"));
            let known = ["meter", "amount", "currency", "source", "seen"];
            let fields = Fields::of(item, &known).map_err(wrong)?;
            let meter = fields.text("meter").map_err(wrong)?;
            if self.meter(meter).is_none() {
                return Err(wrong(format!("`{meter}` is no meter of the guide")));
            }
            let price = price(item, &known).map_err(wrong)?;
            if price.flat().is_none_or(|each| each < 0) {
                return Err(wrong("`amount` is below nothing".to_owned()));
            }
            if day_number(&price.date).is_none() {
                return Err(wrong("`seen` must be a date such as 2026-11-26".to_owned()));
            }
            if *price.currency != *currency {
                return Err(PriceError::Currency {
                    wanted: currency.into(),
                    found: vec![price.currency.to_string()],
                });
            }
            if added.insert(meter.into(), price).is_some() {
                return Err(wrong(format!("`{meter}` has a price already")));
            }
        }
        let read = Read {
            items: added.len(),
            meters: added.keys().cloned().collect(),
            next: None,
        };
        self.prices.extend(added);
        Ok(read)
    }

    fn set(&mut self, meter: &str, price: Price) {
        self.prices.insert(meter.into(), price);
    }
}

/// Days since the epoch.
fn day_number(day: &str) -> Option<i64> {
    Some(crate::setting::midnight(day)?.seconds.div_euclid(86_400))
}

fn entry(meter: Ref<'_>) -> Result<(Meter, Option<Price>), String> {
    let known = [
        "meter",
        "unit",
        "about",
        "retail",
        "unpriced",
        "references",
        "price",
    ];
    let fields = Fields::of(meter, &known)?;
    let retail = fields.get("retail").map(filter).transpose()?;
    let unpriced = fields.get("unpriced").and_then(Ref::as_str);
    if retail.is_some() == unpriced.is_some() {
        return Err("a meter has either `retail` or `unpriced`".to_owned());
    }
    let known = ["amount", "currency", "source", "seen"];
    let price = fields
        .get("price")
        .map(|value| price(value, &known))
        .transpose()?;
    let meter = Meter {
        id: fields.text("meter")?.into(),
        about: fields.text("about")?.into(),
        unit: fields.text("unit")?.into(),
        retail,
        unpriced: unpriced.map(Into::into),
        references: fields.references()?,
    };
    Ok((meter, price))
}

/// A price that somebody has a source for.
fn price(value: Ref<'_>, known: &[&str]) -> Result<Price, String> {
    let fields = Fields::of(value, known)?;
    let amount = fields.get("amount").and_then(number);
    let amount = amount.ok_or("`amount` must be a number")?;
    Ok(Price {
        tiers: vec![(0.0, (amount * MICRO).round() as i64)],
        currency: fields.text("currency")?.into(),
        source: fields.text("source")?.into(),
        date: fields.text("seen")?.into(),
        since: None,
    })
}

fn filter(value: Ref<'_>) -> Result<Filter, String> {
    let known = [
        "service",
        "product",
        "sku",
        "armSku",
        "meter",
        "elsewhere",
        "units",
    ];
    let fields = Fields::of(value, &known)?;
    let text = |key| fields.get(key).and_then(Ref::as_str).map(Into::into);
    let mut units = Vec::new();
    for (unit, _, times) in fields
        .get("units")
        .into_iter()
        .flat_map(|units| units.entries().collect::<Vec<_>>())
    {
        let times = number(times).filter(|times| *times > 0.0);
        units.push((
            unit.into(),
            times.ok_or("`units` says how many of each are one of the meter's")?,
        ));
    }
    if units.is_empty() {
        return Err("`units` is missing".to_owned());
    }
    Ok(Filter {
        service: fields.text("service")?.into(),
        product: text("product"),
        sku: text("sku"),
        arm_sku: text("armSku"),
        meters: fields.texts("meter")?,
        elsewhere: fields.texts("elsewhere")?,
        units,
    })
}
