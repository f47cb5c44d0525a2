//! `seawall diff`: two estates side by side: what got worse, who gained rights, what opened.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::guide::Guide;
use analysis::Analyses;
use analysis::compare::sight::{Of, Sight};
use analysis::compare::{connections, resources, rights};
use model::finding::{GuidelineId, Severity};
use report::config;
use report::diff::{Diff, Side, posture};

use crate::choices;
use crate::commands::estate::EstateArgs;
use crate::commands::load_guide;
use crate::failure::Failure;
use crate::output;

mod side;

use side::Taken;

/// Compares two estates, and says what got worse.
///
/// Findings, permissions, reachability and resources.
/// Each is a snapshot, a folder, a file, a chart or a template: two snapshots of a cluster, or the two states of
/// a pull request. What got worse stands on top. What failed before and is unknown now is not better.
///
/// Exit code: 0 nothing got worse; 1 something at or above the floor did (a finding, an escalation, a way in
/// from the internet: the last two count as high); 2 wrong use; 4 something could not be read (and nothing got
/// worse).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall diff monday.snapshot friday.snapshot
  seawall diff main/deploy feature/deploy             the two states of a pull request
  seawall diff old.yaml new.yaml --format markdown    fit for a comment")]
pub(crate) struct Args {
    /// Before: a snapshot, a folder or a file
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// After
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Values for Helm charts of both; repeatable
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Parameter files for templates of both; repeatable
    #[arg(long, value_name = "FILE")]
    parameters: Vec<PathBuf>,
    /// Folder with published Bicep modules; repeatable
    #[arg(long, value_name = "DIR")]
    module_cache: Vec<PathBuf>,
    /// Each is a whole estate: what is absent does not exist
    #[arg(long)]
    whole: bool,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Kubernetes version to judge against [default: each cluster's own, else the newest known]
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    /// Lowest severity that makes the exit code 1 when it got worse: critical, high, medium, low, none
    /// [default: high]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
    /// text, json, markdown; `F=FILE` writes to a file; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
    /// The day to judge both as of [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Configuration to use for both instead of the seawall.yaml beside each
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

impl Args {
    /// What one side is read from.
    fn estate(&self, path: &Path) -> EstateArgs {
        let kept = sources::snapshot::is_snapshot(path);
        let path = vec![path.to_path_buf()];
        EstateArgs {
            paths: if kept { Vec::new() } else { path.clone() },
            snapshot: if kept { path } else { Vec::new() },
            values: self.values.clone(),
            parameters: self.parameters.clone(),
            module_cache: self.module_cache.clone(),
            whole: self.whole,
            ..EstateArgs::default()
        }
    }
}

const FORMATS: [&str; 3] = ["text", "json", "markdown"];

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    let formats = output::parse_of(&args.format, &FORMATS)?;
    choices::guidelines_exist(&args.guideline, guide)?;
    let as_of = choices::day(args.as_of.as_deref())?.to_string();
    let mut old = side::take(args, guide, &args.old, &as_of)?;
    let mut new = side::take(args, guide, &args.new, &as_of)?;
    let fail_on = fail_on(args, &new)?;
    let mut sight = Sight::new(&old.estate, &new.estate, lost(&old.side, &new.side));
    let mut changes = resources::compare(
        (&old.estate, old.side.roots.as_slice()),
        (&new.estate, new.side.roots.as_slice()),
    );
    sight.resources(&mut changes);
    let findings = posture(
        &mut old.side,
        &mut new.side,
        &changes,
        &|by, name| sight.is_hidden(by, name),
        sight.is_narrower(Of::Old),
    );
    let (mut rights, mut connections) = facts(guide, &old, &new);
    sight.rights(&mut rights);
    sight.connections(&mut connections);
    let unseen = sight.unseen();
    let diff = Diff {
        guide,
        findings,
        resources: changes,
        rights,
        connections,
        unseen,
        old: old.side,
        new: new.side,
        fail_on,
        as_of,
        version: env!("CARGO_PKG_VERSION"),
    };
    for wanted in &formats {
        let to_file = wanted.file.is_some();
        let text = match wanted.format.as_str() {
            "json" => report::diff::json(&diff)?,
            "markdown" => report::diff::markdown(&diff),
            _ => report::diff::text(&diff, output::terminal(to_file)),
        };
        match &wanted.file {
            Some(file) => std::fs::write(file, text)
                .map_err(|error| Failure::new(format!("cannot write `{file}`: {error}")))?,
            None => anstream::stdout().lock().write_all(text.as_bytes())?,
        }
    }
    Ok(diff.exit_code())
}

/// Whether files of the new state could not be read that could before.
fn lost(old: &Side, new: &Side) -> bool {
    let files = |side: &Side| -> BTreeSet<String> {
        let unread = side.unread.iter().filter(|entry| !entry.live);
        unread
            .map(|entry| resources::relative(&entry.path, &side.roots))
            .map(Option::unwrap_or_default)
            .collect()
    };
    !files(new).is_subset(&files(old))
}

/// The floor: what the command line says, else the configuration of the new state.
fn fail_on(args: &Args, new: &Taken) -> anyhow::Result<Option<Severity>> {
    match &args.fail_on {
        Some(word) => Ok(config::parse_floor(word).ok_or_else(|| {
            Failure::new(format!("`{word}` is no severity"))
                .help("--fail-on takes critical, high, medium, low or none")
        })?),
        None => Ok(new.fail_on.unwrap_or(Some(Severity::High))),
    }
}

/// What follows from each: who may do what, and what can talk to what.
fn facts(guide: &Guide, old: &Taken, new: &Taken) -> (rights::Rights, connections::Connections) {
    let (before, after) = (old.analyses(guide), new.analyses(guide));
    let rights = rights::compare(
        rights_of(&before),
        rights_of(&after),
        new.setting.kubernetes_minor,
    );
    let connections = connections::compare(reach_of(&before), reach_of(&after));
    (rights, connections)
}

fn rights_of<'a>(analyses: &'a Analyses<'_>) -> rights::Side<'a> {
    let own = analyses.rights();
    rights::Side {
        estate: &own.estate,
        rbac: &own.rbac,
        roles: Some(analyses.roles()),
    }
}

fn reach_of<'a>(analyses: &'a Analyses<'_>) -> connections::Side<'a> {
    connections::Side {
        estate: analyses.estate,
        reach: analyses.reach(),
    }
}

/// The guidelines in question.
fn selects(args: &Args, id: &GuidelineId) -> bool {
    args.guideline.is_empty() || args.guideline.iter().any(|one| **one == *id.0)
}
