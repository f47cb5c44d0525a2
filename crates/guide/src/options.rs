//! The options of a topic: what each costs, asks for, rules out and cuts off, and by what an estate
//! shows that it was chosen.
//!
//! What it deliberately leaves out: prices ([`crate::prices`] knows those of meters), and which
//! options to choose.

mod count;
mod recognise;
#[cfg(test)]
mod tests;

use cel::{Env, Program};
use model::{Range, Ref};

use crate::catalogue::Guide;
use crate::front_matter::{Fields, GuideError};

pub use count::{Amount, Known, Quantities};
pub use recognise::{Recognition, recognise, run};

/// A way to decide a topic.
#[derive(Debug)]
pub struct TopicOption {
    /// Stable name within the topic.
    pub id: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// Attack edges it removes.
    pub cuts: Vec<Box<str>>,
    /// What it costs a month. Empty: no charge of its own.
    pub price: Vec<Charge>,
    /// Days, once.
    pub effort_days: Range,
    /// Hours a month.
    pub upkeep_hours: f64,
    /// Ids of [`SharedCost`]: what it needs that other options need too.
    pub shared: Vec<Box<str>>,
    /// What it stands on, as `topic/option`: of each entry one suffices.
    pub requires: Vec<Vec<Box<str>>>,
    /// What it rules out, as `topic/option`.
    pub conflicts: Vec<Box<str>>,
    /// Whether it was chosen, asked of the estate.
    pub recognised: Option<Program>,
    /// Why no estate shows that it was chosen.
    pub unseen: Option<Box<str>>,
    /// Not yet under the terms of what is generally available.
    pub preview: bool,
    /// The day (ISO date, or its month) on which its provider ends it, or ended it.
    pub ends: Option<Box<str>>,
    /// One sentence.
    pub trade_off: Box<str>,
}

/// Units of a meter that are paid each month.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// A meter of `data/prices.yaml`.
    pub meter: Box<str>,
    /// How many of its units, for each one of `per`.
    pub units: f64,
    /// The id of a [`Quantity`]; `None`: they are paid once.
    pub per: Option<Box<str>>,
}

/// What several options need and pay for once.
#[derive(Debug)]
pub struct SharedCost {
    /// Stable name.
    pub id: Box<str>,
    /// Shown.
    pub title: Box<str>,
    /// What it costs a month.
    pub price: Vec<Charge>,
    /// Days, once.
    pub effort_days: Range,
    /// Hours a month.
    pub upkeep_hours: f64,
    /// Whether it is there already, asked of the estate.
    pub recognised: Option<Program>,
    source: Option<Box<str>>,
}

/// Something of an estate that prices scale with.
#[derive(Debug)]
pub struct Quantity {
    /// Stable name, singular.
    pub id: Box<str>,
    /// What is meant, for more than one of it.
    pub about: Box<str>,
    /// Lists over the estate, of numbers to add or of things to count. The first that finds something
    /// is taken.
    pub counted: Vec<Program>,
    /// What is taken where the estate does not show it and nobody says it.
    pub assumed: f64,
    sources: Vec<Box<str>>,
}

impl TopicOption {
    pub(crate) fn read(option: Ref<'_>, topic: &str, env: &mut Env) -> Result<Self, String> {
        let known = [
            "id",
            "title",
            "cuts",
            "price",
            "effort_days",
            "upkeep_hours",
            "shared",
            "requires",
            "conflicts",
            "recognised",
            "unseen",
            "preview",
            "ends",
            "trade_off",
        ];
        let fields = Fields::of(option, &known)?;
        let text = |key| fields.get(key).map(|_| fields.text(key)).transpose();
        let mut requires = Vec::new();
        for bond in option.get("requires").into_iter().flat_map(Ref::items) {
            let any = crate::front_matter::texts(bond)
                .ok_or("`requires` lists options, or lists of options of which one suffices")?;
            requires.push(any.iter().map(|bond| full(topic, bond)).collect());
        }
        let unseen = text("unseen")?;
        let recognised = text("recognised")?
            .map(|source| env.compile(source).map_err(|error| error.to_string()))
            .transpose()?;
        if recognised.is_some() && unseen.is_some() {
            return Err("what is recognised is not `unseen`".to_owned());
        }
        Ok(Self {
            id: fields.text("id")?.into(),
            title: fields.text("title")?.into(),
            cuts: fields.texts("cuts")?,
            price: charges(option)?,
            effort_days: fields.range("effort_days")?,
            upkeep_hours: fields.number("upkeep_hours")?,
            shared: fields.texts("shared")?,
            requires,
            conflicts: fields
                .texts("conflicts")?
                .iter()
                .map(|bond| full(topic, bond))
                .collect(),
            recognised,
            unseen: unseen.map(Into::into),
            preview: match fields.get("preview") {
                None => false,
                Some(value) => value.as_bool().ok_or("`preview` must be true or false")?,
            },
            ends: text("ends")?.map(Into::into),
            trade_off: fields.text("trade_off")?.into(),
        })
    }
}

/// `topic/option` of an option of the same topic, or of `topic/option` itself.
fn full(topic: &str, bond: &str) -> Box<str> {
    if bond.contains('/') {
        bond.into()
    } else {
        format!("{topic}/{bond}").into()
    }
}

fn charges(of: Ref<'_>) -> Result<Vec<Charge>, String> {
    let mut charges = Vec::new();
    for charge in of.get("price").into_iter().flat_map(Ref::items) {
        let fields = Fields::of(charge, &["meter", "units", "per"])?;
        charges.push(Charge {
            meter: fields.text("meter")?.into(),
            units: fields.number("units")?,
            per: fields.get("per").and_then(Ref::as_str).map(Into::into),
        });
    }
    Ok(charges)
}

impl SharedCost {
    pub(crate) fn read(shared: Ref<'_>) -> Result<Self, String> {
        let known = [
            "shared",
            "title",
            "price",
            "effort_days",
            "upkeep_hours",
            "recognised",
        ];
        let fields = Fields::of(shared, &known)?;
        Ok(Self {
            id: fields.text("shared")?.into(),
            title: fields.text("title")?.into(),
            price: charges(shared)?,
            effort_days: fields.range("effort_days")?,
            upkeep_hours: fields.number("upkeep_hours")?,
            recognised: None,
            source: fields
                .get("recognised")
                .and_then(Ref::as_str)
                .map(Into::into),
        })
    }
}

impl Quantity {
    pub(crate) fn read(quantity: Ref<'_>) -> Result<Self, String> {
        let fields = Fields::of(quantity, &["quantity", "about", "counted", "assumed"])?;
        Ok(Self {
            id: fields.text("quantity")?.into(),
            about: fields.text("about")?.into(),
            counted: Vec::new(),
            assumed: fields
                .get("assumed")
                .and_then(crate::front_matter::number)
                .ok_or("`assumed` must be a number")?,
            sources: fields.texts("counted")?,
        })
    }
}

impl Guide {
    /// Compiles what data files ask of the estate: they stand before `variables.cel`.
    pub(crate) fn compile_choices(&mut self, env: &mut Env, errors: &mut Vec<GuideError>) {
        let mut compile = |source: Option<&str>, file: &str, id: &str| match env.compile(source?) {
            Ok(program) => Some(program),
            Err(error) => {
                errors.push(GuideError {
                    file: file.into(),
                    line: 1,
                    message: format!("in `{id}`: {error}"),
                });
                None
            }
        };
        for quantity in &mut self.quantities {
            for source in &quantity.sources {
                let program = compile(Some(source), "data/quantities.yaml", &quantity.id);
                quantity.counted.extend(program);
            }
        }
        for shared in &mut self.shared {
            let source = shared.source.as_deref();
            shared.recognised = compile(source, "data/shared.yaml", &shared.id);
        }
    }

    /// Every option with its topic, in the order of the guide.
    pub fn options(&self) -> impl Iterator<Item = (&crate::guideline::Topic, &TopicOption)> {
        self.topics
            .iter()
            .flat_map(|topic| topic.options.iter().map(move |option| (topic, option)))
    }

    /// An option by `topic/option`.
    #[must_use]
    pub fn option(&self, bond: &str) -> Option<(&crate::guideline::Topic, &TopicOption)> {
        let (topic, id) = bond.rsplit_once('/')?;
        let topic = self.topics.iter().find(|own| &*own.id == topic)?;
        let option = topic.options.iter().find(|option| &*option.id == id)?;
        Some((topic, option))
    }

    /// What several options share, by its id.
    #[must_use]
    pub fn shared_cost(&self, id: &str) -> Option<&SharedCost> {
        self.shared.iter().find(|shared| &*shared.id == id)
    }

    /// A quantity by its id.
    #[must_use]
    pub fn quantity(&self, id: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|quantity| &*quantity.id == id)
    }

    /// Everything that options ask of an estate.
    pub(crate) fn choice_programs(&self) -> impl Iterator<Item = &Program> {
        let options = self
            .options()
            .filter_map(|(_, option)| option.recognised.as_ref());
        let shared = self
            .shared
            .iter()
            .filter_map(|shared| shared.recognised.as_ref());
        let counted = self
            .quantities
            .iter()
            .flat_map(|quantity| &quantity.counted);
        options.chain(shared).chain(counted)
    }
}
