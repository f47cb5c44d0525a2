//! What the options of topics are charged by: `guide/data/prices.yaml`.

use std::collections::BTreeMap;

use guide::Guide;
use guide::front_matter::{self, Fields};
use guide::guideline::Reference;
use model::Ref;

/// A meter.
#[derive(Debug)]
pub(super) struct Meter {
    /// What is charged.
    pub(super) about: Box<str>,
    /// By what.
    pub(super) unit: Box<str>,
    /// What a unit costs and where that was read. Without both a price is assumed.
    pub(super) price: Option<(f64, Reference)>,
}

/// All meters; what cannot be read is left out and shown by its name.
pub(super) fn read(guide: &Guide) -> BTreeMap<Box<str>, Meter> {
    let Some(Ok(doc)) = guide
        .data
        .get("prices.yaml")
        .map(|text| front_matter::read(text, 1))
    else {
        return BTreeMap::new();
    };
    let meters = doc.root().get("meters").into_iter().flat_map(Ref::items);
    meters.filter_map(|meter| entry(meter).ok()).collect()
}

fn entry(meter: Ref<'_>) -> Result<(Box<str>, Meter), String> {
    let known = ["meter", "unit", "about", "assumed", "eur", "source", "seen"];
    let fields = Fields::of(meter, &known)?;
    let assumed = fields
        .get("assumed")
        .and_then(Ref::as_bool)
        .unwrap_or(false);
    let eur = fields.get("eur").and_then(front_matter::number);
    let source = fields.text("source").and_then(|url| {
        Ok(Reference {
            url: url.into(),
            seen: fields.text("seen")?.into(),
        })
    });
    let about = Meter {
        about: fields.text("about")?.into(),
        unit: fields.text("unit")?.into(),
        price: eur.zip(source.ok()).filter(|_| !assumed),
    };
    Ok((fields.text("meter")?.into(), about))
}
