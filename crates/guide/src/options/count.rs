//! How many of something an estate has, for prices that scale with it.

use std::collections::BTreeMap;

use analysis::Analyses;
use bumpalo::Bump;
use cel::{Program, Val};

use crate::catalogue::Guide;
use crate::context::{Context, Value};
use crate::judge::Setting;

/// How much of something there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// How much.
    pub units: f64,
    /// How that is known.
    pub known: Known,
}

/// How an amount is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The configuration says it.
    Said,
    /// Counted in an estate that shows all of it.
    Counted,
    /// Counted; there may be more than was given.
    AtLeast,
    /// The guide's assumption.
    Assumed,
}

impl Known {
    /// The words used in every output.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Said => "as configured",
            Self::Counted => "counted",
            Self::AtLeast => "counted, at least",
            Self::Assumed => "assumed",
        }
    }
}

/// Every quantity of the guide, for one estate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quantities {
    amounts: BTreeMap<Box<str>, Amount>,
}

impl Quantities {
    /// The guide's assumptions, for whoever has no estate.
    #[must_use]
    pub fn assumed(guide: &Guide) -> Self {
        let amounts = guide.quantities.iter().map(|quantity| {
            let amount = Amount {
                units: quantity.assumed,
                known: Known::Assumed,
            };
            (quantity.id.clone(), amount)
        });
        Self {
            amounts: amounts.collect(),
        }
    }

    /// What is said goes before what is counted, that before what is assumed.
    ///
    /// # Errors
    /// Names a key of `said` that is no quantity of the guide.
    pub fn of(
        guide: &Guide,
        setting: &Setting,
        analyses: &Analyses<'_>,
        said: &BTreeMap<String, f64>,
    ) -> Result<Self, String> {
        if let Some(key) = said.keys().find(|key| guide.quantity(key).is_none()) {
            let known: Vec<&str> = guide.quantities.iter().map(|own| &*own.id).collect();
            return Err(format!(
                "`{key}` is no quantity; known are: {}",
                known.join(", ")
            ));
        }
        let mut quantities = Self::assumed(guide);
        for quantity in &guide.quantities {
            let counted = || {
                let found: Vec<Amount> = quantity
                    .counted
                    .iter()
                    .filter_map(|program| count(guide, setting, analyses, program))
                    .collect();
                // Where one list is known to be empty, another may say it.
                let some = found.iter().find(|amount| amount.units > 0.0);
                some.or(found.first()).copied()
            };
            let amount = match said.get(&*quantity.id) {
                Some(units) => Some(Amount {
                    units: *units,
                    known: Known::Said,
                }),
                None => counted(),
            };
            if let Some(amount) = amount {
                quantities.amounts.insert(quantity.id.clone(), amount);
            }
        }
        Ok(quantities)
    }

    /// How much there is of a quantity; one, where a charge scales with nothing.
    #[must_use]
    pub fn get(&self, per: Option<&str>) -> Amount {
        per.and_then(|id| self.amounts.get(id).copied())
            .unwrap_or(Amount {
                units: 1.0,
                known: Known::Counted,
            })
    }
}

/// The sum of what a list holds. An open list without anything known says nothing.
fn count(
    guide: &Guide,
    setting: &Setting,
    analyses: &Analyses<'_>,
    program: &Program,
) -> Option<Amount> {
    let witness = analyses.estate.resources().first()?;
    let bump = Bump::new();
    let context = Context::unbounded(guide, setting, witness, analyses, &bump);
    let list = program.eval(&context, &[], &bump, &context.budget);
    let items = list.as_list()?;
    let mut open = items.rest().is_some();
    let mut units = 0.0;
    for index in 0..items.len() {
        match items.get(index).and_then(number) {
            Some(number) => units += number,
            None => open = true,
        }
    }
    let known = match (open, units > 0.0) {
        (false, _) => Known::Counted,
        (true, true) => Known::AtLeast,
        (true, false) => return None,
    };
    Some(Amount { units, known })
}

/// What an item adds: a number itself, anything else that is known one.
fn number(item: Value<'_>) -> Option<f64> {
    match item.resolve() {
        Val::Int(number) => Some(number as f64),
        Val::Uint(number) => Some(number as f64),
        Val::Double(number) => Some(number),
        Val::Unknown(_) | Val::Error(_) | Val::Null => None,
        _ => Some(1.0),
    }
}
