//! `seawall guide data`: how old the tables are that the guide rests on, and how each is renewed.

use std::path::Path;

use ::guide::tables::{OLD_DAYS, days_between, tables};
use std::io::Write as _;

use crate::choices;
use crate::commands::load_whole_guide;
use crate::failure::Failure;
use crate::output;

/// Columns before the text of a table.
const BEFORE: usize = 28;

pub(super) fn run(guide: Option<&Path>, as_of: Option<&str>) -> anyhow::Result<u8> {
    let guide = load_whole_guide(guide)?;
    let day = choices::day(as_of)?.to_string();
    let tables = tables(guide).map_err(Failure::new)?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "The tables that the guide rests on, as of {day}")?;
    let mut old = 0;
    let (dated, judged): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.date.is_some());
    for table in dated {
        let date = table.date.as_deref().unwrap_or_default();
        let days = days_between(date, &day).unwrap_or_default();
        old += usize::from(days > OLD_DAYS);
        let age = if days > OLD_DAYS { "old: " } else { "" };
        let when = match days {
            0 => "today".to_owned(),
            1 => "yesterday".to_owned(),
            days => format!("{days} days before"),
        };
        let texts = [
            format!("{age}checked on {date}, {when}"),
            format!("renewed {}", table.renew.as_deref().unwrap_or("by hand")),
        ];
        entry(&mut out, &table.name, &texts)?;
    }
    writeln!(
        out,
        "\nJudgements of this guide, which nothing outside makes old"
    )?;
    for table in judged {
        let text = table.judgement.as_deref().unwrap_or_default().to_owned();
        entry(&mut out, &table.name, &[text])?;
    }
    writeln!(
        out,
        "\n{} older than {OLD_DAYS} days; each names its sources in guide/data",
        report::count(old, "table")
    )?;
    Ok(0)
}

fn entry(out: &mut impl std::io::Write, name: &str, texts: &[String]) -> std::io::Result<()> {
    let room = output::width().saturating_sub(BEFORE);
    let lines = texts.iter().flat_map(|text| output::folded(text, room));
    let lines: Vec<String> = lines.collect();
    let label = format!("  {name:<26}");
    out.write_all(report::hanging(&label, BEFORE, &lines).as_bytes())
}
