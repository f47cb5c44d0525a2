//! `seawall reach`: who can talk to whom.

use std::io::{self, BufWriter, Write as _};

use ::analysis::reach::{
    self, End, Engine, Options, PortSet, Protocol, Ranges, Reach, Workload, address,
};
use model::Estate;
use model::coverage::Coverage;

use crate::commands::estate::{self, EstateArgs};
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::{choices, output};

mod csv;
mod explain;
mod graph;
mod html;
mod json;
pub(crate) mod place;
mod summary;
mod table;
mod ways;

use place::Place;

/// Shows who can talk to whom, and what the internet reaches.
///
/// What is exposed, what reaches metadata, the API server and the internet, and which pods reach which.
///
/// Reads network policies of every kind (NetworkPolicy, AdminNetworkPolicy, ClusterNetworkPolicy,
/// Cilium's), Services, Ingresses, the Gateway API and, where it is given, the Azure network around the
/// cluster. What hangs on something that was not given is said, never guessed.
///
/// W is a workload (`shop/web`, `web`), a namespace (`shop/`), an address or block, or one of
/// `internet`, `metadata`, `api-server`, `node`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall reach .                                       what people ask first
  seawall reach . --from shop/web --to data/db --explain   which rules let it through
  seawall reach . --from internet                       what leads from the internet to pods
  seawall reach . --to metadata                         who reaches 169.254.169.254
  seawall reach . --expand                              one row for each pair, as csv
  seawall reach . --format html > reach.html            a picture to click on

Exit code: 0 answered; 2 wrong use; 3 there is no workload; 4 something could not be read.")]
pub(crate) struct Args {
    #[command(flatten)]
    estate: EstateArgs,
    /// Only connections from here; repeatable
    #[arg(long, value_name = "W")]
    from: Vec<String>,
    /// Only connections to here; repeatable
    #[arg(long, value_name = "W")]
    to: Vec<String>,
    /// Only connections over this port: 80, 8000-9000, udp/53
    #[arg(long, value_name = "P")]
    port: Option<String>,
    /// text, csv, json, dot, mermaid or html [default: text; csv with --expand]
    #[arg(long, value_name = "F", value_parser = ["text", "csv", "json", "dot", "mermaid", "html"])]
    format: Option<String>,
    /// One row for each pair of workloads instead of one for each pair of classes
    #[arg(long)]
    expand: bool,
    /// The rules that let through or stop, with their places
    #[arg(long)]
    explain: bool,
    /// What enforces policies: none, azure, calico, cilium or upstream [default: what the cluster
    /// says, else upstream]
    #[arg(long, value_name = "ENGINE", value_parser = ["none", "azure", "calico", "cilium", "upstream"])]
    cni: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

/// What could not be read is named in so many lines.
const LINES: usize = 20;

/// What is asked, and of what.
pub(crate) struct Question<'a> {
    pub(crate) reach: &'a Reach,
    pub(crate) estate: &'a Estate,
    pub(crate) from: Vec<Place>,
    pub(crate) to: Vec<Place>,
    /// Of the addresses that are asked about as sources, those of the internet; all of them where
    /// nobody says which.
    pub(crate) internet: Ranges,
    pub(crate) ports: Option<PortSet>,
    pub(crate) expand: bool,
    pub(crate) explain: bool,
    pub(crate) width: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(None)?;
    let opened = args.estate.open()?;
    let config = opened.configuration(args.config.as_deref(), &args.estate.paths, guide)?;
    let minor = choices::kubernetes(None, &config, guide, || Ok(None))?;
    let whole = choices::whole(&args.estate, args.config.as_deref(), &config)?;
    let ports = args.port.as_deref().map(read_ports).transpose()?;
    let (estate, coverage) =
        estate::read(&args.estate, opened, guide, minor, whole, &reach::reads)?;
    let places =
        |words: &[String]| -> Vec<Place> { words.iter().map(|word| Place::parse(word)).collect() };
    let (from, to) = (places(&args.from), places(&args.to));
    let options = Options {
        engine: args.cni.as_deref().and_then(Engine::parse),
        addresses: from
            .iter()
            .chain(&to)
            .filter_map(Place::addresses)
            .collect(),
    };
    for (word, place) in args.from.iter().chain(&args.to).zip(from.iter().chain(&to)) {
        place.must_be_written_well(word)?;
    }
    let reach = Reach::build(&estate, &options);
    if reach.workloads().is_empty() {
        return nothing(&coverage);
    }
    let public = address::public();
    let internet = if from.is_empty() {
        public
    } else {
        from.iter()
            .filter_map(Place::addresses)
            .map(|asked| asked.intersection(&public))
            .fold(Ranges::empty(), |all, one| all.union(&one))
    };
    let question = Question {
        internet,
        reach: &reach,
        estate: &estate,
        from,
        to,
        ports,
        expand: args.expand,
        explain: args.explain,
        width: output::width(),
    };
    for (words, places) in [(&args.from, &question.from), (&args.to, &question.to)] {
        for (word, place) in words.iter().zip(places) {
            place.must_exist(word, &reach)?;
        }
    }
    answer(args, &question)?;
    if coverage.incomplete() {
        let unread = coverage.documents.iter();
        for entry in unread.filter(|entry| entry.status.incomplete()).take(LINES) {
            let reason = entry.reason.as_deref().unwrap_or("not read");
            output::say("warning", &format!("{}: {reason}", entry.path))?;
        }
        return Ok(4);
    }
    Ok(0)
}

fn answer(args: &Args, question: &Question<'_>) -> anyhow::Result<()> {
    let default = if args.expand { "csv" } else { "text" };
    let format = args.format.as_deref().unwrap_or(default);
    if format == "text" {
        let text = if question.explain {
            explain::text(question)?
        } else if question.from.is_empty() && question.to.is_empty() {
            summary::text(question)
        } else {
            table::text(question)
        };
        anstream::stdout().lock().write_all(text.as_bytes())?;
        return Ok(());
    }
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match format {
        "csv" => csv::write(question, &mut out)?,
        "json" => json::write(question, &mut out)?,
        "dot" => graph::dot(question, &mut out)?,
        "mermaid" => graph::mermaid(question, &mut out)?,
        _ => html::write(question, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn nothing(coverage: &Coverage) -> anyhow::Result<u8> {
    let mut stderr = anstream::stderr().lock();
    writeln!(stderr, "error: there is no workload in what was given")?;
    let read = coverage
        .documents
        .iter()
        .filter(|entry| !entry.status.incomplete())
        .count();
    writeln!(
        stderr,
        "  help: {} read, none makes pods; give those that do, or the cluster",
        summary::count(read, "object")
    )?;
    Ok(if coverage.incomplete() { 4 } else { 3 })
}

/// `80`, `8000-9000`, `udp/53`, `sctp`.
fn read_ports(word: &str) -> anyhow::Result<PortSet> {
    let wrong = || {
        Failure::new(format!("`{word}` is no port"))
            .help("write `--port 80`, `8000-9000` or `udp/53`")
    };
    let (protocol, numbers) = match word.split_once(['/', ':', ' ']) {
        Some((protocol, numbers)) => (
            Some(Protocol::parse(protocol).ok_or_else(wrong)?),
            Some(numbers),
        ),
        None => match Protocol::parse(word) {
            Some(protocol) => (Some(protocol), None),
            None => (None, Some(word)),
        },
    };
    let (first, last) = match numbers {
        None => (1, u16::MAX),
        Some(numbers) => {
            let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
            (
                first.parse().map_err(|_| wrong())?,
                last.parse().map_err(|_| wrong())?,
            )
        }
    };
    let set = match protocol {
        Some(protocol) => PortSet::range(protocol, first, last),
        None => Protocol::ALL
            .into_iter()
            .map(|protocol| PortSet::range(protocol, first, last))
            .fold(PortSet::none(), |all, one| all.union(&one)),
    };
    if set.is_empty() {
        return Err(wrong().into());
    }
    Ok(set)
}

impl Question<'_> {
    /// Whether a workload is asked about as a source.
    fn is_source(&self, workload: &Workload) -> bool {
        self.from.is_empty() || self.from.iter().any(|place| place.holds(workload))
    }

    fn is_target(&self, workload: &Workload) -> bool {
        self.to.is_empty() || self.to.iter().any(|place| place.holds(workload))
    }

    /// Whether addresses are named as a source: then what leads from the internet is the answer.
    fn names_internet(&self) -> bool {
        !self.from.is_empty() && !self.internet.is_empty()
    }

    /// Whether an end that is no workload is asked about.
    fn names(places: &[Place], end: End, addresses: Option<&Ranges>) -> bool {
        places.is_empty() || places.iter().any(|place| place.is(end, addresses))
    }

    /// The part of a set of ports that is asked about.
    fn asked(&self, ports: &PortSet) -> PortSet {
        match &self.ports {
            Some(asked) => ports.intersection(asked),
            None => ports.clone(),
        }
    }
}
