//! `seawall maintenance calendar`: what ends and when.

use ::guide::Guide;
use ::guide::options::{Recognition, recognise};
use ::guide::tables;
use report::calendar::{self, Calendar};

use super::{Asked, Common, write};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

/// Shows what ends and when: support of versions, certificates, keys, secrets, tokens, add-ons, APIs, waivers.
///
/// Reads files, a cluster, Azure, snapshots. What ends at a time that nobody can tell is listed with the reason.
///
/// Exit code: 0 answered; 1 something ends within the days of `--fail-within`; 2 wrong use; 3 nothing to look at; 4
/// something given could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall maintenance calendar .                               what files say
  seawall maintenance calendar --cluster --azure               what runs
  seawall maintenance calendar . --format icalendar=ends.ics   for a calendar program
  seawall maintenance calendar . --fail-within 30              for a nightly job
  seawall maintenance calendar --cluster --format metrics=/var/lib/node_exporter/seawall.prom")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Only what ends within so many days, or has ended
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// Exit code 1 when something ends within so many days, or has ended, and no machine renews it
    #[arg(long, value_name = "DAYS")]
    fail_within: Option<u32>,
    /// text, json, icalendar, metrics; `F=FILE` writes to a file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let wanted = output::parse_of(&args.format, &["text", "json", "icalendar", "metrics"])?;
    let guide = load_guide(args.common.guide.as_deref())?;
    let asked = args.common.read(guide)?;
    if asked.is_empty() {
        return asked.nothing();
    }
    let calendar = of(guide, &asked, args.within)?;
    for one in &wanted {
        let width = if one.file.is_some() {
            80
        } else {
            output::width()
        };
        let text = match one.format.as_str() {
            "json" => format!("{:#}\n", calendar.json()),
            "icalendar" => calendar::icalendar(&calendar),
            "metrics" => calendar::metrics(&calendar),
            _ => calendar::text(&calendar, width),
        };
        write(&text, one.file.as_deref())?;
    }
    let near = args.fail_within.map_or(0, |days| calendar.near(days));
    asked.end(u8::from(near > 0))
}

fn of(guide: &Guide, asked: &Asked, within: Option<u32>) -> anyhow::Result<Calendar> {
    let today = asked.setting.today.map_or(0, |today| today.seconds);
    let mut calendar = Calendar::new(today, asked.subject.clone());
    calendar.add_due(&asked.due(guide));
    calendar.add_waivers(&asked.config.waivers);
    calendar.add_options(guide, &chosen(guide, asked));
    calendar.add_tables(&tables::tables(guide).map_err(Failure::new)?);
    calendar.settle(within);
    Ok(calendar)
}

/// Options that end and that the estate shows to be chosen.
fn chosen<'g>(guide: &'g Guide, asked: &Asked) -> Vec<(&'g str, &'g str)> {
    let analyses = ::guide::facts::analyses(guide, &asked.setting, &asked.estate);
    let ending = guide.options().filter(|(_, option)| option.ends.is_some());
    ending
        .filter_map(|(topic, option)| {
            let program = option.recognised.as_ref()?;
            match recognise(guide, &asked.setting, &analyses, program) {
                Recognition::Chosen | Recognition::Partly(..) => Some((&*topic.id, &*option.id)),
                Recognition::NotChosen | Recognition::Open(_) => None,
            }
        })
        .collect()
}
