//! How much each kind of entry is to be expected (`data/entries.yaml`).
//!
//! Left out: likelihoods of weaknesses; these are weights beside each other, with a sentence each.

use std::collections::BTreeMap;

use analysis::paths::EntryKind;
use model::Ref;

use crate::front_matter::Fields;

/// A weight and why it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Beside the others.
    pub weight: u32,
    /// A clause.
    pub because: Box<str>,
}

/// What each kind of entry weighs, and what share of it counts where a way is only possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Odds {
    entries: BTreeMap<Box<str>, Odd>,
    possible: Option<Odd>,
}

impl Odds {
    pub(crate) fn add(&mut self, item: Ref<'_>) -> Result<(), String> {
        let fields = Fields::of(item, &["entry", "weight", "percent", "because"])?;
        let entry = fields.text("entry")?;
        let possible = entry == "possible";
        let (key, most) = if possible {
            ("percent", 100)
        } else {
            ("weight", 1000)
        };
        let weight = fields
            .get(key)
            .and_then(Ref::as_int)
            .and_then(|weight| u32::try_from(weight).ok())
            .filter(|weight| *weight <= most)
            .ok_or_else(|| format!("`{key}` must be a whole number from 0 to {most}"))?;
        let odd = Odd {
            weight,
            because: fields.text("because")?.into(),
        };
        if possible {
            self.possible = Some(odd);
        } else if EntryKind::ALL.iter().any(|kind| kind.id() == entry) {
            self.entries.insert(entry.into(), odd);
        } else {
            return Err(format!("`{entry}` is no kind of entry"));
        }
        Ok(())
    }

    /// What a kind of entry weighs, and why.
    #[must_use]
    pub fn of(&self, kind: EntryKind) -> Option<&Odd> {
        self.entries.get(kind.id())
    }

    /// How many hundredths of its weight a pair keeps that is only possible, and why.
    #[must_use]
    pub const fn possible(&self) -> Option<&Odd> {
        self.possible.as_ref()
    }

    /// Kinds of entries without a weight.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let all = EntryKind::ALL.iter().map(|kind| kind.id());
        let possible = self.possible.is_none().then_some("possible");
        all.filter(|id| !self.entries.contains_key(*id))
            .chain(possible)
            .collect()
    }
}
