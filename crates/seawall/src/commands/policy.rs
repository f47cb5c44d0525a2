//! `seawall policy`: the guide as what a cluster enforces by itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::guide::export::{self, Enforce, Export, Options, Waiver};
use ::guide::{Guide, Guideline, Setting};
use clap::Subcommand;
use report::config::Config;

use crate::choices;
use crate::commands::{assess, load_guide};
use crate::failure::Failure;

/// Makes admission policies of the guide.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Export(Box<ExportArgs>),
}

/// Writes the guidelines that a cluster can enforce by itself as admission policies.
///
/// `vap` makes one ValidatingAdmissionPolicy and one ValidatingAdmissionPolicyBinding of each
/// guideline. The API server evaluates them itself: no webhook, nothing to keep running. A
/// guideline that needs other objects, Azure or a setting that is missing is not exported;
/// standard error lists each with the reason.
///
/// What a binding does follows the severity: critical and high are denied, medium and low warn
/// and leave an audit event. Begin with `--enforce warn`, see what would be refused, then leave
/// it out. Namespaces that AKS owns are left alone. Waivers of seawall.yaml that name a resource
/// become match conditions; they do not end by themselves, so export again when they do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall policy export --as vap --enforce warn | kubectl apply -f -   see what would be refused
  seawall policy export --as vap --framework pss-baseline --out policies
  seawall policy export --as vap --kubernetes 1.33 --guideline pss-host-path

Exit code: 0 policies were written; 2 wrong use; 3 nothing can be exported.")]
struct ExportArgs {
    /// What to make: vap (ValidatingAdmissionPolicy)
    #[arg(long = "as", value_name = "FORM", value_parser = ["vap"], required = true)]
    form: String,
    /// Folder for one file per guideline [default: all to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only this guideline; repeatable
    #[arg(long, value_name = "ID")]
    guideline: Vec<String>,
    /// Only guidelines that map to this framework (pss-baseline, cis-aks-1.8, …); repeatable
    #[arg(long, value_name = "ID")]
    framework: Vec<String>,
    /// Version of the API server that will enforce them, 1.30 or newer [default: what
    /// seawall.yaml says, else the newest known]
    #[arg(long, value_name = "1.N")]
    kubernetes: Option<String>,
    /// What every binding does: warn, audit or deny [default: deny for critical and high, warn
    /// and audit for medium and low]
    #[arg(long, value_name = "ACTION", value_parser = ["warn", "audit", "deny"])]
    enforce: Option<String>,
    /// Configuration to use instead of the seawall.yaml here or above
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The day that decides which waivers are in force [default: today]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.action {
        Action::Export(args) => export(args),
    }
}

fn export(args: &ExportArgs) -> anyhow::Result<u8> {
    let guide = load_guide(args.guide.as_deref())?;
    let config = assess::read_config(args.config.as_deref(), &[PathBuf::from(".")], &guide)?;
    let frameworks = choices::frameworks(&args.framework, &config, &guide)?;
    choices::guidelines_exist(&args.guideline, &guide)?;
    let setting = setting(args, &guide, &config)?;
    let waivers = waivers(args, &config)?;
    let options = Options {
        server_minor: setting.kubernetes_minor,
        enforce: args.enforce.as_deref().and_then(Enforce::parse),
        waivers: &waivers,
    };
    let selects = |guideline: &Guideline| {
        (args.guideline.is_empty() || args.guideline.iter().any(|id| **id == *guideline.id.0))
            && (frameworks.is_empty()
                || frameworks
                    .iter()
                    .any(|id| guideline.controls(id).next().is_some()))
    };
    let made = export::vap(&guide, &setting, options, selects);
    match &args.out {
        Some(folder) => write_files(folder, &made)?,
        None => {
            let texts: Vec<&str> = made
                .policies
                .iter()
                .map(|policy| policy.text.as_str())
                .collect();
            write!(std::io::stdout().lock(), "{}", texts.join("---\n"))?;
        }
    }
    write!(
        anstream::stderr().lock(),
        "{}",
        account(args, &made, setting.kubernetes_minor)
    )?;
    Ok(if made.policies.is_empty() { 3 } else { 0 })
}

fn setting(args: &ExportArgs, guide: &Guide, config: &Config) -> anyhow::Result<Setting> {
    let minor = choices::kubernetes(args.kubernetes.as_deref(), config, guide, || Ok(None))?;
    if minor < export::FIRST_MINOR {
        return Err(Failure::new(format!(
            "Kubernetes 1.{minor} has no ValidatingAdmissionPolicy"
        ))
        .help(format!(
            "it is stable since 1.{}: `--kubernetes 1.{0}` or newer",
            export::FIRST_MINOR
        ))
        .into());
    }
    let mut setting = ::guide::setting::setting(guide, config.params.as_deref(), Some(minor))
        .map_err(Failure::new)?;
    setting.severities.clone_from(&config.severities);
    Ok(setting)
}

/// The waivers in force, as `assess` judges them.
fn waivers(args: &ExportArgs, config: &Config) -> anyhow::Result<Vec<Waiver>> {
    let as_of = choices::day(args.as_of.as_deref())?;
    let in_force = |until: &str| {
        until
            .parse::<jiff::civil::Date>()
            .is_ok_and(|until| until >= as_of)
    };
    let valid = config.waivers.iter().filter(|waiver| {
        !waiver.reason.is_empty()
            && !waiver.owner.is_empty()
            && waiver.until.as_deref().is_none_or(in_force)
    });
    Ok(valid
        .map(|waiver| {
            let until = waiver
                .until
                .as_deref()
                .map(|until| format!(" until {until}"))
                .unwrap_or_default();
            let reason = waiver
                .reason
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let owner = waiver
                .owner
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            Waiver {
                guideline: waiver.guideline.clone(),
                resource: waiver.resource.clone(),
                item: waiver.container.clone(),
                reason: format!("{reason} ({owner}){until}").into(),
            }
        })
        .collect())
}

fn write_files(folder: &Path, made: &Export) -> anyhow::Result<()> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write to `{}`: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for policy in &made.policies {
        std::fs::write(
            folder.join(format!("{}.yaml", policy.guideline)),
            &policy.text,
        )
        .map_err(failed)?;
    }
    Ok(())
}

/// What was made and what was not, for people.
fn account(args: &ExportArgs, made: &Export, minor: u8) -> String {
    let mut text = String::new();
    let place = args
        .out
        .as_ref()
        .map(|folder| format!(" to {}", folder.display()))
        .unwrap_or_default();
    let count = made.policies.len();
    let noun = if count == 1 {
        "guideline"
    } else {
        "guidelines"
    };
    let _ = writeln!(
        text,
        "{count} {noun} exported for Kubernetes 1.{minor}{place}"
    );
    let width = made
        .left_out
        .iter()
        .chain(&made.stricter)
        .map(|out| out.guideline.0.len())
        .max()
        .unwrap_or_default();
    if !made.left_out.is_empty() {
        let _ = writeln!(text, "{} not exported:", made.left_out.len());
        for out in &made.left_out {
            let _ = writeln!(text, "  {:width$}  {}", out.guideline.0, out.reason);
        }
    }
    if !made.stricter.is_empty() {
        text.push_str("waivers that policies do not hold, so the cluster is stricter:\n");
        for out in &made.stricter {
            let _ = writeln!(text, "  {:width$}  {}", out.guideline.0, out.reason);
        }
    }
    text
}
