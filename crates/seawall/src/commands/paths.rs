//! `seawall paths`: the ways from where attackers start to what is worth reaching.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write as _};

use ::guide::measures::{Measure, Measures};
use analysis::Analyses;
use analysis::paths::{
    Allowed, Edge, Efforts, EntryKind, Graph, Node, NodeNo, Spread, Step, StepNo, StepSet, Way,
};

use crate::commands::attack::{Attack, AttackArgs, Scene, chosen};
use crate::failure::Failure;
use crate::output;
use crate::progress::Working;

mod choke;
pub(crate) mod find;
pub(crate) mod html;
mod json;
mod picture;
mod radius;
mod sarif;
mod svg;
pub(crate) mod tell;
mod text;

/// Shows the ways of an attacker, from a pod into Azure and back.
///
/// They begin at a workload that the internet reaches, a stolen credential, a pushed image or any pod, and end at
/// cluster-admin, the nodes, subscriptions, vaults.
///
/// Each step says what it rests on and which guidelines or options take it away. What hangs on something that was
/// not given, or on a weakness that would have to be found, is a possible way and kept apart from the sure ones.
///
/// E and J are what the output calls them: `workload:shop/web`, `sa:shop/deployer`, `user:jane`, `entra:ID`,
/// `pool:user`, `right:everything@*`, `azure:owner:/subscriptions/ID`; a part of it is enough. E can also be a kind
/// of entry (exposed, anonymous, image, credential, breached), J a kind of jewel (cluster-admin, node-root,
/// subscription-owner, vault-data).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall paths .                                     the cheapest way to each jewel
  seawall paths . --from shop/web                     what a break-in there comes to
  seawall paths . --to cluster-admin --all            every minimal way
  seawall paths --cluster --azure --format json       of what runs

Exit code: 0 answered; 1 a sure way was found and --fail was given; 2 wrong use; 3 nothing to judge;
4 something could not be read.")]
pub(crate) struct Args {
    #[command(flatten)]
    attack: AttackArgs,
    /// Only ways from here; repeatable
    #[arg(long, value_name = "E")]
    from: Vec<String>,
    /// Only ways to here; repeatable
    #[arg(long, value_name = "J")]
    to: Vec<String>,
    /// Every minimal way instead of the cheapest (at most --limit for each pair)
    #[arg(long)]
    all: bool,
    /// How many ways are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Leave out what is only possible
    #[arg(long)]
    sure: bool,
    /// Exit with 1 when there is a sure way
    #[arg(long)]
    fail: bool,
    /// text, json, sarif, html, dot or mermaid
    #[arg(long, value_name = "F", default_value = "text",
          value_parser = ["text", "json", "sarif", "html", "dot", "mermaid"], hide_possible_values = true)]
    format: String,
}

/// A pair of an entry and a jewel, with the ways between them.
pub(crate) struct Pair {
    /// Number in [`Graph::entries`], or nothing where another node was asked for.
    pub(crate) entry: Option<usize>,
    /// What is held at the start.
    pub(crate) from: NodeNo,
    /// Number in [`Graph::jewels`], or nothing where another node was asked for.
    pub(crate) jewel: Option<usize>,
    /// What is reached.
    pub(crate) to: NodeNo,
    /// The cheapest first.
    pub(crate) ways: Vec<Way>,
    /// There are more ways than these.
    pub(crate) more: bool,
    /// Other entries of the same kind from which it goes the same way.
    pub(crate) alike: Vec<NodeNo>,
}

/// Everything that is shown.
pub(crate) struct Answer<'a> {
    pub(crate) scene: Scene<'a>,
    pub(crate) analyses: &'a Analyses<'a>,
    pub(crate) graph: &'a Graph,
    pub(crate) pairs: Vec<Pair>,
    /// Pairs that are not shown.
    pub(crate) left_out: usize,
    /// The reader asked about something: possible ways are told in full too.
    pub(crate) narrowed: bool,
    /// By kind of entry: how many entries there are, how many reach something surely, how many perhaps.
    pub(crate) totals: BTreeMap<EntryKind, (usize, usize, usize)>,
    /// How many pairs are sure, and how many only possible.
    pub(crate) counts: (usize, usize),
    /// The ways that were asked for, shown or not.
    pub(crate) ways: Found,
    /// Whose credential opens the cluster by assignment alone: their ways are not told.
    pub(crate) administrators: Vec<NodeNo>,
    /// What who holds one thing can come to hold.
    pub(crate) radius: Option<radius::Radius>,
    /// The steps of the sure ways that were looked at.
    pub(crate) through: BTreeSet<StepNo>,
    pub(crate) cut_by: BTreeMap<StepNo, Vec<Measure>>,
    pub(crate) chokes: Vec<choke::Choke>,
}

/// How many ways there are, where entries that go the same way count once, and what they lead to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) sure: usize,
    pub(crate) possible: usize,
    /// What people call what sure ways lead to, the dearest first.
    pub(crate) surely: Vec<String>,
    /// And what only possible ones do.
    pub(crate) perhaps: Vec<String>,
}

impl Found {
    /// `pairs` are in order.
    fn of(graph: &Graph, pairs: &[Pair]) -> Self {
        let mut found = Self::default();
        for pair in pairs {
            let jewel = pair.jewel.and_then(|jewel| graph.jewels.get(jewel));
            let title = jewel.map_or_else(|| graph.title(pair.to), |jewel| jewel.title.to_string());
            found.add(title, pair.ways.iter().all(|way| way.possible));
        }
        found
    }

    /// Adds ways that nobody looked at.
    fn count<'p>(
        &mut self,
        graph: &Graph,
        pairs: impl Iterator<Item = &'p (Option<usize>, NodeNo, bool)>,
    ) {
        let mut known: BTreeSet<(NodeNo, bool)> = BTreeSet::new();
        for (jewel, to, surely) in pairs {
            if known.insert((*to, *surely)) {
                let jewel = jewel.and_then(|jewel| graph.jewels.get(jewel));
                let title = jewel.map_or_else(|| graph.title(*to), |jewel| jewel.title.to_string());
                self.add(title, !surely);
            } else if *surely {
                self.sure += 1;
            } else {
                self.possible += 1;
            }
        }
    }

    fn add(&mut self, title: String, possible: bool) {
        if possible {
            self.possible += 1;
            if !self.surely.contains(&title) && !self.perhaps.contains(&title) {
                self.perhaps.push(title);
            }
        } else {
            self.sure += 1;
            if !self.surely.contains(&title) {
                self.surely.push(title);
            }
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let attack = Attack::read(&args.attack)?;
    let working = Working::new("looking for what an attacker can do");
    let analyses = attack.analyses();
    let graph = Graph::build(&analyses, &attack.wishes);
    if graph.entries.is_empty() && args.from.is_empty() {
        drop(working);
        return nothing(&attack);
    }
    working.now("looking for ways");
    let efforts = attack.efforts();
    let mut measures = attack.measures(&analyses);
    let chosen = chosen(attack.guide, &attack.setting, &analyses);
    measures.leave_out(|measure| chosen.contains(&measure));
    let answer = find::answer(args, &attack, &analyses, &graph, &efforts, &mut measures)?;
    drop(working);
    let mut out = BufWriter::new(anstream::stdout().lock());
    match args.format.as_str() {
        "json" => json::write(&answer, &mut out)?,
        "sarif" => sarif::write(&answer, &mut out)?,
        "html" => html::write(&answer, &mut out)?,
        "dot" => picture::dot(&answer, &mut out)?,
        "mermaid" => picture::mermaid(&answer, &mut out)?,
        _ => out.write_all(text::write(&answer, output::width()).as_bytes())?,
    }
    out.flush()?;
    if args.fail && answer.counts.0 > 0 {
        return Ok(1);
    }
    Ok(if attack.coverage.incomplete() { 4 } else { 0 })
}

/// Says that there is no entry.
pub(crate) fn nothing(attack: &Attack) -> anyhow::Result<u8> {
    let mut stderr = anstream::stderr().lock();
    writeln!(
        stderr,
        "error: nowhere to start: no workload, no binding and no role assignment in {}",
        attack.subject.join(", ")
    )?;
    writeln!(
        stderr,
        "  help: give manifests, templates, `--cluster` or `--azure` (`seawall paths --help`)"
    )?;
    Ok(3)
}
