//! The tables that the guide rests on: where each was read and when, and how it is renewed
//! (`data/sources.yaml`).

use model::Ref;

use crate::catalogue::Guide;
use crate::front_matter::{self, Fields};

/// Facts that were read longer ago than this may have changed.
pub const OLD_DAYS: i64 = 90;

/// A table below `data/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its path below `data/`.
    pub name: Box<str>,
    /// When it was last held against its sources (ISO date): the oldest of its values, where each has a day of its own.
    /// `None`: it is a judgement of this guide.
    pub date: Option<Box<str>>,
    /// The judgement.
    pub judgement: Option<Box<str>>,
    /// Where it was read.
    pub sources: Vec<Box<str>>,
    /// How it is renewed.
    pub renew: Option<Box<str>>,
}

/// All tables, in the order of `data/sources.yaml`.
///
/// # Errors
/// What is wrong with that file, or a table that says no date.
pub fn tables(guide: &Guide) -> Result<Vec<Table>, String> {
    some(guide, |_| true)
}

/// The tables of these names.
pub(crate) fn some(guide: &Guide, wanted: impl Fn(&str) -> bool) -> Result<Vec<Table>, String> {
    let Some(text) = guide.data.get("sources.yaml") else {
        return Ok(Vec::new());
    };
    let doc = front_matter::read(text, 1).map_err(|(line, error)| format!("{line}: {error}"))?;
    doc.root()
        .items()
        .filter(|item| {
            let name = item.get("table").and_then(Ref::as_str);
            name.is_none_or(&wanted)
        })
        .map(|item| table(guide, item))
        .collect()
}

fn table(guide: &Guide, item: Ref<'_>) -> Result<Table, String> {
    let fields = Fields::of(item, &["table", "judgement", "date", "sources", "renew"])?;
    let name = fields.text("table")?;
    let text = |key| fields.get(key).and_then(Ref::as_str).map(Box::<str>::from);
    let mut table = Table {
        name: name.into(),
        date: text("date"),
        judgement: text("judgement"),
        sources: urls(item),
        renew: text("renew"),
    };
    if table.judgement.is_some() {
        return Ok(table);
    }
    match name {
        "params.yaml" => {
            let mut oldest: Vec<&str> = guide
                .params
                .iter()
                .filter_map(|p| p.seen.as_deref())
                .collect();
            oldest.sort_unstable();
            table.date = oldest.first().map(|day| (*day).into());
            let sources = guide.params.iter().filter_map(|param| param.source.clone());
            table.sources = sources.collect();
        }
        "arm-defaults" => {
            table.date = guide.defaults.seen().min().map(Into::into);
            table.sources = guide.defaults.sources().map(Into::into).collect();
        }
        _ if table.date.is_none() => {
            let own = guide.data.get(name);
            let own = own.ok_or_else(|| format!("there is no table `{name}`"))?;
            let doc =
                front_matter::read(own, 1).map_err(|(line, error)| format!("{line}: {error}"))?;
            table.date = doc.root().get("date").and_then(Ref::as_str).map(Into::into);
            table.sources = urls(doc.root());
        }
        _ => {}
    }
    table.sources.sort();
    table.sources.dedup();
    if table.date.is_none() || table.renew.is_none() {
        return Err(format!("`{name}` needs a date, and how it is renewed"));
    }
    Ok(table)
}

fn urls(of: Ref<'_>) -> Vec<Box<str>> {
    let sources = of.get("sources").into_iter().flat_map(Ref::items);
    sources
        .filter_map(|source| source.get("url").and_then(Ref::as_str))
        .map(Into::into)
        .collect()
}

/// Days from one day to another (ISO dates).
#[must_use]
pub fn days_between(from: &str, to: &str) -> Option<i64> {
    let from = crate::setting::midnight(from)?;
    Some((crate::setting::midnight(to)?.seconds - from.seconds).div_euclid(86_400))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_table_says_when_and_where_it_was_read() {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty(), "{errors:?}");
        let tables = tables(&guide).unwrap();
        let named: BTreeSet<&str> = tables.iter().map(|table| &*table.name).collect();
        let files: BTreeSet<&str> = guide
            .data
            .keys()
            .map(|name| &**name)
            .chain(["arm-defaults"])
            .collect();
        assert_eq!(named, files);
        for table in &tables {
            if let Some(date) = &table.date {
                assert!(
                    days_between(date, "2026-11-27").is_some(),
                    "{}: {date}",
                    table.name
                );
            }
        }
        // A default that is a fact says its source; `prices.yaml` has one for each meter.
        for table in tables.iter().filter(|table| table.judgement.is_none()) {
            let each = ["prices.yaml"].contains(&&*table.name);
            assert!(
                each || !table.sources.is_empty(),
                "{} names no source",
                table.name
            );
        }
    }
}
