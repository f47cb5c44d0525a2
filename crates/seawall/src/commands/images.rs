//! `seawall images`: every image of an estate, by what its registry and scanners say and by what it is exposed to.

use std::io::Write as _;
use std::path::PathBuf;

use ::guide::facts::analyses;
use analysis::paths::{Graph, Wishes};
use model::finding::{Finding, Outcome, Severity};
use model::kinds::Kind;
use report::config;

use crate::choices;
use crate::commands::estate::EstateArgs;
use crate::commands::judged::Question;
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

mod json;
mod rank;
mod text;

use rank::Picture;

/// Shows every image that workloads name: signatures, scan results.
///
/// Asks the registries (nothing is pulled but manifests and configurations), verifies signatures of Notation and
/// cosign, reads results of scanners, and judges each image by the guidelines about images. First comes what is
/// worst and nearest to an attacker: critical, reachable from the internet, as root, on a way to a vault.
///
/// Exit code: 0 nothing at or above the floor; 1 findings at or above it; 2 wrong use; 3 no workload names an image;
/// 4 something could not be read (and nothing at the floor was found).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall images deploy                                   what manifests and charts name
  seawall images --cluster --acr-auth workload-identity   what runs, in registries of Azure
  seawall images . --notation ~/.config/notation          who signed it
  seawall images . --scan trivy.json --scan vex.json      what scanners found
  seawall fix . --images --guideline img-digest --unsafe  write digests")]
pub(crate) struct Args {
    #[command(flatten)]
    estate: EstateArgs,
    /// Ask no registry; only what `--scan` gives
    #[arg(long)]
    offline: bool,
    /// Lowest severity that makes the exit code 1: critical, high, medium, low, none [default: high]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
    /// text or json
    #[arg(long, value_name = "F", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    /// The day to judge as of (ages and waivers hang on it) [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside the code
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

/// What is shown.
pub(crate) struct Answer {
    /// The worst first.
    pub(crate) pictures: Vec<Picture>,
    /// What could not be read: where, why, what to do.
    pub(crate) unread: Vec<(String, String, Option<String>)>,
    /// The day.
    pub(crate) day: String,
}

pub(crate) fn run(mut args: Args) -> anyhow::Result<u8> {
    args.estate.registries.images = !args.offline;
    let floor = match args.fail_on.as_deref() {
        None => None,
        Some(word) => Some(config::parse_floor(word).ok_or_else(|| {
            Failure::new(format!("`{word}` is no severity"))
                .help("--fail-on takes critical, high, medium, low or none")
        })?),
    };
    let guide = load_guide(args.guide.as_deref())?;
    let day = choices::day(args.as_of.as_deref())?.to_string();
    let kind = Kind::Kubernetes {
        group: "seawall.dev".into(),
        kind: "Image".into(),
    };
    let mut findings: Vec<Finding> = Vec::new();
    let question = Question {
        guide,
        estate: &args.estate,
        config: args.config.as_deref(),
        kubernetes: None,
        as_of: &day,
        selects: &|guideline| guideline.is_about(&kind, false),
        overlay: Default::default(),
        new_files: Default::default(),
        remedies: None,
    };
    let answer = question.ask(|finding| findings.push(finding))?;
    let unread: Vec<_> = answer
        .unread()
        .map(|entry| {
            (
                entry.path.to_string(),
                entry
                    .reason
                    .as_deref()
                    .unwrap_or("no reason is known")
                    .to_owned(),
                entry.help.as_deref().map(str::to_owned),
            )
        })
        .collect();
    if answer.estate.of_kind("Image.seawall.dev").is_empty() {
        output::say("error", "no workload names an image")?;
        output::say(
            "  help",
            "give a folder with manifests, a chart, or `--cluster`",
        )?;
        return Ok(if unread.is_empty() { 3 } else { 4 });
    }
    let facts = analyses(guide, &answer.setting, &answer.estate);
    let wishes = Wishes {
        cluster: answer.config.cluster.clone(),
        jewels: answer.config.jewels.clone(),
    };
    let graph = Graph::build(&facts, &wishes);
    let floor = floor
        .or(answer.config.fail_on)
        .unwrap_or(Some(Severity::High));
    let worst = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Fail && finding.counts())
        .any(|finding| floor.is_some_and(|floor| finding.severity >= floor));
    let shown = Answer {
        pictures: rank::all(&facts, &graph, &guide.efforts(), findings),
        unread,
        day,
    };
    let text = match args.format.as_str() {
        "json" => json::write(&shown)?,
        _ => text::write(&shown, output::width()),
    };
    anstream::stdout().lock().write_all(text.as_bytes())?;
    Ok(match (worst, shown.unread.is_empty()) {
        (true, _) => 1,
        (false, false) => 4,
        (false, true) => 0,
    })
}
