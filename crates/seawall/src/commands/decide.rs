//! `seawall decide`: the cheapest guidelines and options that cut the attack paths, and why those.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use analysis::paths::Graph;

use crate::commands::attack::{Attack, AttackArgs};
use crate::commands::paths::find;
use crate::failure::Failure;
use crate::output;
use crate::progress::Working;

pub(crate) mod page;
mod session;
mod terms;
mod text;

use report::decide::{Advice, Bounds, Chosen, Matter, Problem, Settled, id_of, json, solve};

/// Says what to do first: the cheapest cuts of attack paths.
///
/// Measures are guidelines and options of the guide. Says what they cost in money, work and upkeep, what stays, and what
/// was not worth it.
///
/// The answer is exact, or says how far from the best it can be. Money comes from files of prices (docs/prices.md);
/// what has no price stays a quantity and is named beside every sum. Work is a range, counted in the middle.
///
/// Limits, rates and files of prices can stand under `budget` in seawall.yaml; what is given here goes before them.
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
    /// At most this much money a month more than now; `none` for no limit
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// At most so many days of work (by the middle of each range); `none` for no limit
    #[arg(long, value_name = "DAYS")]
    max_effort: Option<String>,
    /// A file of prices: an answer of the Azure Retail Prices API, or amounts of your own; repeatable
    #[arg(long, value_name = "FILE")]
    prices: Vec<PathBuf>,
    /// The region of prices [default: the cluster's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The currency of prices and of all sums [default: EUR]
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What a person's day of work costs [default: 800]
    #[arg(long, value_name = "AMOUNT")]
    day_rate: Option<u32>,
    /// What an hour of upkeep costs [default: 100]
    #[arg(long, value_name = "AMOUNT")]
    hour_rate: Option<u32>,
    /// Over how many months costs are counted [default: 36]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=240))]
    months: Option<u32>,
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
    let attack = Attack::read(&args.attack)?;
    let terms = terms::of(args, &attack.config.budget)?;
    let mut settled = terms.settled.clone();
    let working = Working::new("looking for what an attacker can do");
    let analyses = attack.analyses();
    let graph = Graph::build(&analyses, &attack.wishes);
    if graph.entries.is_empty() && args.from.is_empty() {
        drop(working);
        return super::paths::nothing(&attack);
    }
    working.now("looking for what cuts each step");
    let chosen = Chosen {
        entries: find::entries(&graph, &args.from)?,
        jewels: find::jewels(&graph, &args.to)?,
        sure: args.sure,
        preview: args.preview,
        take: &args.take,
    };
    let matter = Matter {
        guide: attack.guide,
        setting: &attack.setting,
        as_of: &attack.as_of,
        quantities: &attack.config.quantities,
        analyses: &analyses,
    };
    let mut problem = Problem::new(&terms, matter, &graph, &chosen).map_err(Failure::from)?;
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
    drop(working);
    if args.interactive {
        session::run(&mut problem, &mut settled)?;
    } else {
        let advice = shown(&mut problem, &settled, POINTS)?;
        for one in &wanted {
            write(&problem, &settled, &advice, &attack.subject, one)?;
        }
    }
    Ok(if attack.coverage.incomplete() { 4 } else { 0 })
}

/// Decides, and says so where it takes long.
fn shown(problem: &mut Problem<'_>, settled: &Settled, points: usize) -> anyhow::Result<Advice> {
    let _working = Working::new("deciding");
    Ok(solve(problem, settled, Bounds::with_points(points)).map_err(Failure::from)?)
}

fn write(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    subject: &[String],
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
        "html" => out.write_all(page::page(problem, settled, advice, subject).as_bytes())?,
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
            let guide = problem.matter.guide;
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

/// The commands of a session, or of a pipe.
fn lines() -> impl Iterator<Item = io::Result<String>> {
    io::stdin().lines()
}
