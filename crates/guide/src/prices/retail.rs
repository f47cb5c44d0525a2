//! The answers of the Azure Retail Prices API.
//!
//! The form stands at
//! <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>: pages of
//! at most 1,000 items, of which this reads what tells a meter and its price.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Filter, MICRO, Meter, Price, PriceError, Prices};

/// One page of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    currency: Option<String>,
    items: Vec<Item>,
    next: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Item {
    currency: Option<String>,
    price: f64,
    minimum: f64,
    region: String,
    since: String,
    until: Option<String>,
    meter: String,
    product: String,
    sku: String,
    arm_sku: String,
    service: String,
    unit: String,
    kind: String,
    primary: bool,
}

/// What a file gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Items in it.
    pub items: usize,
    /// The guide's meters that got a price, in order.
    pub meters: Vec<Box<str>>,
    /// The address of a page that the file goes on to say and does not have.
    pub next: Option<String>,
}

/// Reads the pages of a file: one after the other, as `curl` writes them, or as a list.
///
/// # Errors
/// When it is not what the API answers.
pub fn pages(text: &str) -> Result<Vec<Page>, PriceError> {
    let mut pages = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.map_err(|error| PriceError::Form(error.to_string()))? {
            Value::Array(list) => {
                for value in &list {
                    pages.push(page(value)?);
                }
            }
            value => pages.push(page(&value)?),
        }
    }
    if pages.is_empty() {
        return Err(PriceError::Form("it is empty".to_owned()));
    }
    Ok(pages)
}

fn page(value: &Value) -> Result<Page, PriceError> {
    let Some(list) = value.get("Items").and_then(Value::as_array) else {
        return Err(PriceError::Form(
            match value.get("Error").or_else(|| value.get("error")) {
                Some(error) => format!("it holds an error: {error}"),
                None => "it has no list `Items`".to_owned(),
            },
        ));
    };
    let own = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut items = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let item = value.as_object().and_then(item).ok_or_else(|| {
            PriceError::Form(format!("`Items[{index}]` has no price, unit or service"))
        })?;
        items.push(item);
    }
    Ok(Page {
        currency: own("BillingCurrency"),
        items,
        next: own("NextPageLink").filter(|link| !link.is_empty()),
    })
}

fn item(map: &Map<String, Value>) -> Option<Item> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| map.get(key).and_then(Value::as_f64);
    Some(Item {
        currency: text("currencyCode").filter(|code| !code.is_empty()),
        price: number("retailPrice")?,
        minimum: number("tierMinimumUnits").unwrap_or_default(),
        region: text("armRegionName").unwrap_or_default(),
        since: text("effectiveStartDate").unwrap_or_default(),
        until: text("effectiveEndDate"),
        meter: text("meterName").unwrap_or_default(),
        product: text("productName").unwrap_or_default(),
        sku: text("skuName").unwrap_or_default(),
        arm_sku: text("armSkuName").unwrap_or_default(),
        service: text("serviceName")?,
        unit: text("unitOfMeasure")?,
        kind: text("type").unwrap_or_default(),
        primary: map
            .get("isPrimaryMeterRegion")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    })
}

impl Filter {
    /// Whether an item is the meter, as it is charged by use, wherever that is.
    fn takes(&self, item: &Item) -> bool {
        let is = |wanted: &Option<Box<str>>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| **wanted == *value)
        };
        *self.service == *item.service
            && is(&self.product, &item.product)
            && is(&self.sku, &item.sku)
            && is(&self.arm_sku, &item.arm_sku)
            && self.meters.iter().any(|own| **own == *item.meter)
            // Reservations and prices for development and test are other items of the same meter; what is
            // not primary is never charged.
            && item.kind == "Consumption"
            && item.primary
    }

    /// The same in the API's own words, for whoever asks it.
    #[must_use]
    pub fn query(&self, region: &str) -> String {
        let quoted = |text: &str| text.replace('\'', "''");
        let mut clauses = vec![format!("serviceName eq '{}'", quoted(&self.service))];
        for (key, value) in [
            ("productName", &self.product),
            ("skuName", &self.sku),
            ("armSkuName", &self.arm_sku),
        ] {
            if let Some(value) = value {
                clauses.push(format!("{key} eq '{}'", quoted(value)));
            }
        }
        let any = |key: &str, values: &[Box<str>]| {
            let each: Vec<String> = values
                .iter()
                .map(|value| format!("{key} eq '{}'", quoted(value)))
                .collect();
            match each.as_slice() {
                [one] => one.clone(),
                _ => format!("({})", each.join(" or ")),
            }
        };
        clauses.push(any("meterName", &self.meters));
        let mut regions: Vec<Box<str>> = vec![region.into()];
        regions.extend(self.elsewhere.iter().cloned());
        clauses.push(any("armRegionName", &regions));
        clauses.push("priceType eq 'Consumption'".to_owned());
        clauses.join(" and ")
    }
}

impl Prices {
    /// Adds the prices of a file, for a region (`westeurope`) and a currency (`EUR`). What a later file
    /// says of a meter replaces what an earlier one said.
    ///
    /// `source` names the file, `date` is the day (ISO date) on which it was fetched: the answer itself
    /// does not say it.
    ///
    /// # Errors
    /// When the text is no such answer, is in other currencies only, or leaves open which of several
    /// prices is meant; nothing is added then.
    pub fn add_retail(
        &mut self,
        text: &str,
        region: &str,
        currency: &str,
        source: &str,
        date: &str,
    ) -> Result<Read, PriceError> {
        let pages = pages(text)?;
        let items: Vec<(&Item, Option<&str>)> = pages
            .iter()
            .flat_map(|page| {
                page.items.iter().map(|item| {
                    let own = item.currency.as_deref().or(page.currency.as_deref());
                    (item, own)
                })
            })
            .collect();
        if items.iter().any(|(_, own)| own.is_none()) {
            return Err(PriceError::Form(
                "neither `currencyCode` nor `BillingCurrency` says the currency".to_owned(),
            ));
        }
        let found: BTreeSet<&str> = items.iter().filter_map(|(_, own)| *own).collect();
        if !found.is_empty() && !found.contains(currency) {
            return Err(PriceError::Currency {
                wanted: currency.into(),
                found: found.into_iter().map(str::to_owned).collect(),
            });
        }
        let mut added = BTreeMap::new();
        for meter in self.meters.values() {
            let Some(filter) = &meter.retail else {
                continue;
            };
            let found: Vec<&Item> = items
                .iter()
                .filter(|(item, own)| *own == Some(currency) && filter.takes(item))
                .map(|(item, _)| *item)
                .collect();
            // What is charged alike everywhere stands under no region, under a zone or under `Global`.
            let places = std::iter::once(region).chain(filter.elsewhere.iter().map(|own| &**own));
            let own: Vec<&Item> = places
                .map(|place| {
                    let here = found.iter().filter(|item| item.region == place);
                    here.copied().collect::<Vec<&Item>>()
                })
                .find(|here| !here.is_empty())
                .unwrap_or_default();
            if let Some((tiers, since)) = tiers(meter, filter, &own, date)? {
                let price = Price {
                    tiers,
                    currency: currency.into(),
                    source: source.into(),
                    date: date.into(),
                    since,
                };
                added.insert(meter.id.clone(), price);
            }
        }
        let meters = added.keys().cloned().collect();
        for (meter, price) in added {
            self.set(&meter, price);
        }
        // A page is followed by the one it names; only the last one may name one that is not there.
        let next = pages.last().and_then(|page| page.next.clone());
        Ok(Read {
            items: items.len(),
            meters,
            next,
        })
    }
}

type Tiers = (Vec<(f64, i64)>, Option<Box<str>>);

/// The tiers of a meter from the items that are it. Of one tier that has changed, what held on the day
/// counts.
fn tiers(
    meter: &Meter,
    filter: &Filter,
    items: &[&Item],
    date: &str,
) -> Result<Option<Tiers>, PriceError> {
    let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    let holds = |item: &&&Item| {
        day(&item.since).as_str() <= date
            && item
                .until
                .as_deref()
                .is_none_or(|until| day(until).as_str() >= date)
    };
    let mut by_tier: BTreeMap<u64, Vec<&Item>> = BTreeMap::new();
    for item in items.iter().filter(holds) {
        by_tier
            .entry(item.minimum.to_bits())
            .or_default()
            .push(item);
    }
    let mut tiers = Vec::new();
    let mut since = None;
    for of_tier in by_tier.values() {
        let newest = of_tier.iter().map(|item| &item.since).max();
        let newest: Vec<&&Item> = of_tier
            .iter()
            .filter(|item| Some(&item.since) == newest)
            .collect();
        let Some(first) = newest.first() else {
            continue;
        };
        if newest
            .iter()
            .any(|item| item.price != first.price || item.unit != first.unit)
        {
            return Err(PriceError::Several {
                meter: meter.id.clone(),
                found: newest.iter().map(|item| shown(item)).collect(),
            });
        }
        let Some((_, times)) = filter.units.iter().find(|(unit, _)| **unit == *first.unit) else {
            return Err(PriceError::Unit {
                meter: meter.id.clone(),
                unit: first.unit.clone(),
                known: filter
                    .units
                    .iter()
                    .map(|(unit, _)| format!("`{unit}`"))
                    .collect(),
            });
        };
        let each = (first.price * times * MICRO).round();
        if first.price < 0.0 || first.minimum < 0.0 || !each.is_finite() {
            return Err(PriceError::Form(format!(
                "a price below nothing: {}",
                shown(first)
            )));
        }
        tiers.push((first.minimum / times, each as i64));
        since = since.max(Some(day(&first.since).into_boxed_str()).filter(|day| !day.is_empty()));
    }
    // Without its first tier a price is only known for those who use much.
    let whole = tiers.first().is_some_and(|(from, _)| *from == 0.0);
    Ok(whole.then_some((tiers, since)))
}

fn shown(item: &Item) -> String {
    format!(
        "{} / {} / {} in `{}`: {} by `{}` since {}",
        item.product,
        item.sku,
        item.meter,
        item.region,
        item.price,
        item.unit,
        item.since.get(..10).unwrap_or(&item.since)
    )
}
