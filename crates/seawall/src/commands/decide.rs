//! `seawall decide`: the cheapest guidelines and options that cut the attack paths, and why those.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use analysis::decide::Rates;
use analysis::paths::Graph;

use crate::commands::attack::{Attack, AttackArgs};
use crate::failure::Failure;
use crate::output;

mod advice;
mod costs;
mod json;
mod net;
mod page;
mod problem;
mod sentences;
mod session;
mod text;
mod words;

use advice::{Advice, Settled, solve};
use problem::Problem;

/// Says what to do: the cheapest guidelines and options of the guide that cut the attack paths of an estate,
/// what that costs in money, work and upkeep, what stays, and what was not worth it.
///
/// The answer is exact, or says how far from the best it can be. Money comes from files of prices (docs/prices.md);
/// what has no price stays a quantity and is named beside every sum. Work is a range, counted in the middle.
///
/// E and J are as in `seawall paths`; ID is a guideline or `topic/option`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall decide .                                  the cheapest plan that cuts all that can be cut
  seawall decide . --max-effort 10                  the most for ten days of work
  seawall decide . --budget 500 --prices prices.json   the most for 500 EUR a month more than now
  seawall decide . --to cluster-admin --sure        only what is sure, only one jewel
  seawall decide . --interactive                    take and leave measures, and see what comes of it

Exit code: 0 answered; 2 wrong use; 3 nothing to judge; 4 something could not be read.")]
pub(crate) struct Args {
    #[command(flatten)]
    attack: AttackArgs,
    /// Only ways from here; repeatable
    #[arg(long, value_name = "E")]
    from: Vec<String>,
    /// Only ways to here; repeatable
    #[arg(long, value_name = "J")]
    to: Vec<String>,
    /// At most this much money a month more than now
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<f64>,
    /// At most so many days of work (by the middle of each range)
    #[arg(long, value_name = "DAYS")]
    max_effort: Option<f64>,
    /// A file of prices: an answer of the Azure Retail Prices API, or amounts of your own; repeatable
    #[arg(long, value_name = "FILE")]
    prices: Vec<PathBuf>,
    /// The region of prices [default: the cluster's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The currency of prices and of all sums
    #[arg(long, value_name = "CODE", default_value = "EUR")]
    currency: String,
    /// What a person's day of work costs
    #[arg(long, value_name = "AMOUNT", default_value_t = 800)]
    day_rate: u32,
    /// What an hour of upkeep costs
    #[arg(long, value_name = "AMOUNT", default_value_t = 100)]
    hour_rate: u32,
    /// Over how many months costs are counted
    #[arg(long, value_name = "N", default_value_t = 36, value_parser = clap::value_parser!(u32).range(1..=240))]
    months: u32,
    /// Leave out what is only possible
    #[arg(long)]
    sure: bool,
    /// Offer options that are in preview too
    #[arg(long)]
    preview: bool,
    /// A measure that is to be in the plan, whatever it cuts; repeatable
    #[arg(long, value_name = "ID")]
    take: Vec<String>,
    /// A measure that is to stay out; repeatable
    #[arg(long, value_name = "ID")]
    leave: Vec<String>,
    /// Ask for commands after the plan: take, leave, budget, effort, why, frontier
    #[arg(long, conflicts_with = "format")]
    interactive: bool,
    /// text, json or html; `F=FILE` writes to a file; repeatable [default: text]
    #[arg(long, value_name = "F")]
    format: Vec<String>,
}

/// How many points of the frontier are looked for.
const POINTS: usize = 12;

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let wanted = output::parse_of(&args.format, &["text", "json", "html"])?;
    let mut settled = limits(args)?;
    let attack = Attack::read(&args.attack)?;
    let analyses = attack.analyses();
    let graph = Graph::build(&analyses, &attack.wishes);
    if graph.entries.is_empty() && args.from.is_empty() {
        return super::paths::nothing(&attack);
    }
    let mut problem = Problem::new(args, &attack, &analyses, &graph)?;
    settled.taken = places(&problem, &args.take, "--take")?;
    settled.left = places(&problem, &args.leave, "--leave")?;
    if let Some(both) = settled.taken.intersection(&settled.left).next() {
        let id = id_of(&problem, *both);
        return Err(
            Failure::new(format!("`{id}` is to be taken and to be left"))
                .help("give it to one of `--take` and `--leave`")
                .into(),
        );
    }
    if args.interactive {
        session::run(&mut problem, &mut settled)?;
    } else {
        let advice = solve(&mut problem, &settled, POINTS)?;
        for one in &wanted {
            write(&problem, &settled, &advice, one)?;
        }
    }
    Ok(if attack.coverage.incomplete() { 4 } else { 0 })
}

fn write(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    wanted: &output::Wanted,
) -> anyhow::Result<()> {
    let mut out: Box<dyn Write> = match &wanted.file {
        Some(file) => {
            Box::new(BufWriter::new(File::create(file).map_err(|error| {
                Failure::new(format!("cannot write `{file}`: {error}"))
            })?))
        }
        None => Box::new(BufWriter::new(anstream::stdout().lock())),
    };
    match wanted.format.as_str() {
        "json" => json::write(problem, settled, advice, &mut out)?,
        "html" => out.write_all(page::page(problem, settled, advice).as_bytes())?,
        _ => {
            let width = if wanted.file.is_some() {
                80
            } else {
                output::width()
            };
            out.write_all(text::write(problem, settled, advice, width).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}

fn limits(args: &Args) -> anyhow::Result<Settled> {
    let amount = |value: Option<f64>, option: &str, times: f64| -> anyhow::Result<Option<f64>> {
        match value {
            Some(value) if !(0.0..=1e9).contains(&value) => {
                Err(Failure::new(format!("`{option}` must be from 0 to 1000000000")).into())
            }
            value => Ok(value.map(|value| value * times)),
        }
    };
    let cents = |amount: u32, option: &str| {
        amount
            .checked_mul(100)
            .filter(|_| amount <= 100_000)
            .ok_or_else(|| Failure::new(format!("`{option}` must be from 0 to 100000")))
    };
    Ok(Settled {
        money: amount(args.budget, "--budget", 100.0)?.map(|cents| cents.round() as i64),
        effort: amount(args.max_effort, "--max-effort", 10.0)?.map(|tenths| tenths.round() as u32),
        rates: Rates {
            day: cents(args.day_rate, "--day-rate")?,
            hour: cents(args.hour_rate, "--hour-rate")?,
            months: args.months,
        },
        ..Settled::default()
    })
}

/// The measures that these ids name.
fn places(
    problem: &Problem<'_>,
    ids: &[String],
    option: &str,
) -> anyhow::Result<std::collections::BTreeSet<usize>> {
    ids.iter()
        .map(|id| find(problem, id).map_err(|message| {
            Failure::new(format!("`{option} {id}`: {message}"))
                .help("`seawall decide PATH --format json` lists all measures under `measures` and `passed`")
                .into()
        }))
        .collect()
}

/// The measure that an id names, or says why there is none.
fn find(problem: &Problem<'_>, id: &str) -> Result<usize, String> {
    match problem.place(id) {
        Some(place) if problem.offers.get(place).is_some_and(|offer| offer.kept) => {
            Err("the estate has it already".to_owned())
        }
        Some(place) => Ok(place),
        None if problem.recognised.iter().any(|own| own == id) => {
            Err("the estate has it already".to_owned())
        }
        None => {
            let guide = &problem.attack.guide;
            let withheld = problem.withheld.iter().find(|(own, _)| own == id);
            Err(match withheld {
                Some((_, why)) => why.clone(),
                None if guide.guideline(id).is_some() => {
                    "it is followed where it matters, or cuts nothing here".to_owned()
                }
                None if guide.option(id).is_some() => "it cuts nothing here".to_owned(),
                None => "there is no such guideline or option".to_owned(),
            })
        }
    }
}

fn id_of<'p>(problem: &'p Problem<'_>, place: usize) -> &'p str {
    problem
        .question
        .measures
        .get(place)
        .map_or("", |measure| &measure.id)
}

/// The commands of a session, or of a pipe.
fn lines() -> impl Iterator<Item = io::Result<String>> {
    io::stdin().lines()
}
