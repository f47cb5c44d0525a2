//! What measures cost: what guidelines say, and what options are charged by in this estate.
//!
//! A meter without a price stays a quantity: it adds nothing to a sum, and every sum names it.

use std::path::{Path, PathBuf};

use ::guide::Guide;
use ::guide::options::{Charge, Known, Quantities};
use ::guide::prices::Prices;
use analysis::Analyses;
use analysis::decide::{Cost, Effort};
use model::Range;

use super::{DecideError, Matter, Terms};

/// Prices older than this many days are said to be old.
const OLD: i64 = 180;

/// What amounts rest on.
pub struct Costs {
    /// Of all amounts.
    pub currency: Box<str>,
    /// Where prices were asked for; nothing where no file needs it.
    pub region: Option<Box<str>>,
    prices: Prices,
    quantities: Quantities,
    /// What is to be known about the prices, a sentence each.
    pub notes: Vec<String>,
}

/// What something costs, and how that comes about.
#[derive(Debug, Clone, Default)]
pub struct Bill {
    /// In all.
    pub cost: Cost,
    /// What it is charged by.
    pub lines: Vec<Line>,
}

/// Units of a meter.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The meter.
    pub meter: Box<str>,
    /// What is charged, and by what.
    pub about: Box<str>,
    /// What is counted.
    pub unit: Box<str>,
    /// How many units a month.
    pub units: f64,
    /// What they scale with, and how that number is known.
    pub per: Option<(Box<str>, Known)>,
    /// Cents a month; nothing where there is no price.
    pub money: Option<i64>,
    /// Where the price comes from, and of which day.
    pub source: Option<(Box<str>, Box<str>)>,
}

impl Costs {
    /// What they are in an estate.
    ///
    /// # Errors
    /// When prices cannot be read, or nobody says where they are asked for.
    pub fn new(terms: &Terms, matter: &Matter<'_>) -> Result<Self, DecideError> {
        let analyses = matter.analyses;
        let mut region = terms.region.clone();
        if region.is_none() && !terms.prices.is_empty() {
            region = Some(region_of(analyses)?);
        }
        let quantities = Quantities::of(matter.guide, matter.setting, analyses, matter.quantities)
            .map_err(DecideError::new)?;
        Self::of(
            matter.guide,
            &terms.prices,
            region,
            &terms.currency,
            matter.as_of,
            quantities,
        )
    }

    /// What prices of these files come to for so much of everything.
    pub fn of(
        guide: &Guide,
        files: &[PathBuf],
        region: Option<Box<str>>,
        currency: &str,
        as_of: &str,
        quantities: Quantities,
    ) -> Result<Self, DecideError> {
        let mut prices = Prices::builtin(guide);
        let mut notes = Vec::new();
        for file in files {
            let place = region.as_deref().unwrap_or_default();
            add(&mut prices, file, place, currency, &mut notes)?;
        }
        let stale = prices.stale(as_of, OLD);
        if !stale.is_empty() {
            let each: Vec<String> = stale
                .iter()
                .map(|(meter, day)| format!("{meter} ({day})"))
                .collect();
            notes.push(format!("prices older than {OLD} days: {}", each.join(", ")));
        }
        Ok(Self {
            currency: currency.into(),
            region,
            prices,
            quantities,
            notes,
        })
    }

    /// What charges, work and upkeep come to.
    pub fn bill(&self, charges: &[Charge], effort: Range, upkeep_hours: f64) -> Bill {
        let lines: Vec<Line> = charges.iter().map(|charge| self.line(charge)).collect();
        let money = lines.iter().filter_map(|line| line.money).sum();
        Bill {
            cost: cost(money, effort, upkeep_hours),
            lines,
        }
    }

    /// What following a guideline costs. Its money is an estimate of the guide in EUR.
    pub fn guideline(&self, guide: &Guide, number: u16) -> Bill {
        let Some(guideline) = guide.guidelines.get(usize::from(number)) else {
            return Bill::default();
        };
        let own = &guideline.cost;
        let in_eur = &*self.currency == "EUR";
        let money = in_eur.then_some((own.monthly * 100.0).round() as i64);
        let line = (own.monthly != 0.0).then(|| Line {
            meter: "estimate".into(),
            about: "estimate of the guideline".into(),
            unit: "EUR a month".into(),
            units: own.monthly,
            per: None,
            money,
            source: None,
        });
        Bill {
            cost: cost(money.unwrap_or_default(), own.effort_days, own.upkeep_hours),
            lines: line.into_iter().collect(),
        }
    }

    fn line(&self, charge: &Charge) -> Line {
        let amount = self.quantities.get(charge.per.as_deref());
        let units = charge.units * amount.units;
        let meter = self.prices.meter(&charge.meter);
        let price = self
            .prices
            .of(&charge.meter)
            .filter(|price| price.currency == self.currency);
        Line {
            meter: charge.meter.clone(),
            about: meter.map_or_else(Box::default, |meter| meter.about.clone()),
            unit: meter.map_or_else(Box::default, |meter| meter.unit.clone()),
            units,
            per: charge.per.clone().map(|per| (per, amount.known)),
            // Millionths to hundredths, rounded.
            money: price.map(|price| price.of(units).saturating_add(5_000).div_euclid(10_000)),
            source: price.map(|price| (price.source.clone(), price.date.clone())),
        }
    }
}

/// Tenths of a day, so that what is printed adds up: a part of one is a whole one.
fn tenths(days: f64) -> u32 {
    (days * 10.0 - 1e-6).ceil().max(0.0) as u32
}

fn cost(money: i64, effort: Range, upkeep_hours: f64) -> Cost {
    Cost {
        money,
        effort: Effort {
            low: tenths(effort.low),
            high: tenths(effort.high),
        },
        upkeep: (upkeep_hours * 60.0).round().max(0.0) as u32,
    }
}

fn add(
    prices: &mut Prices,
    file: &Path,
    region: &str,
    currency: &str,
    notes: &mut Vec<String>,
) -> Result<(), DecideError> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| DecideError::new(format!("cannot read `{shown}`: {error}")))?;
    let day = std::fs::metadata(file)
        .and_then(|data| data.modified())
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_default();
    let read = prices
        .add_file(&text, region, currency, &shown.to_string(), &day)
        .map_err(|error| {
            DecideError::new(format!("`{shown}`: {error}"))
                .help("docs/prices.md says how to get a file of prices")
        })?;
    let (meters, items) = (read.meters.len(), read.items);
    let mut note = format!("{shown}: prices of {meters} meters, of {items} items, as of {day}");
    if read.next.is_some() {
        note.push_str("; a further page is named in it and was not given");
    }
    notes.push(note);
    Ok(())
}

/// Where the cluster is: of that region are the prices.
fn region_of(analyses: &Analyses<'_>) -> Result<Box<str>, DecideError> {
    let mut found: Vec<String> = analyses
        .estate
        .of_kind("Microsoft.ContainerService/managedClusters")
        .iter()
        .filter_map(|id| analyses.estate.get(*id))
        .filter_map(|cluster| cluster.object().get("location")?.as_str())
        .map(|region| region.to_ascii_lowercase().replace(' ', ""))
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(one.as_str().into()),
        [] => Err(
            DecideError::new("prices differ by region, and no cluster says one")
                .help("say it: `--region westeurope`, or `region` under `budget` in seawall.yaml"),
        ),
        several => Err(DecideError::new(format!(
            "prices differ by region, and there are clusters in {}",
            several.join(", ")
        ))
        .help("say one: `--region westeurope`")),
    }
}
