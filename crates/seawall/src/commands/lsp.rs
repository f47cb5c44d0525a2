//! `seawall lsp`: findings in editors.

use std::path::PathBuf;

use report::config::Config;

use crate::choices;
use crate::commands::load_guide;

/// Serves an editor: findings as you type, explanations and fixes.
///
/// Speaks the Language Server Protocol on standard input and output; an editor starts it. It says of each open file
/// what `seawall assess FILE` says, with what you have not saved yet: manifests, ARM templates, Bicep, Terraform.
/// Fixes are those of `seawall fix`. Pages of a guide are compiled and their examples run. It runs no program, and
/// nothing leaves the machine.
///
/// How each editor starts it: docs/editors.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall lsp                        what an editor starts
  seawall lsp --no-unknown           only what is surely wrong
  seawall lsp --kubernetes 1.34      judged against this version")]
pub(crate) struct Args {
    /// Leave out what cannot be told from the file alone
    #[arg(long)]
    pub(crate) no_unknown: bool,
    /// Kubernetes version to judge against [default: the newest known]
    #[arg(long, value_name = "1.N")]
    pub(crate) kubernetes: Option<String>,
    /// Folder with published Bicep modules, laid out as in ~/.bicep/br or PATH/VERSION/main.json;
    /// repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) module_cache: Vec<PathBuf>,
    /// The day to judge as of [default: today]
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    /// Configuration to use instead of the seawall.yaml beside each file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    pub(crate) guide: Option<PathBuf>,
    /// Taken for editors that pass it: there is no other way to speak
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(crate) fn run(mut args: Args) -> anyhow::Result<u8> {
    // What is wrong with these is told at once, not in every file; and the editor's folder may be another.
    choices::day(args.as_of.as_deref())?;
    choices::inputs_exist(&[], &args.module_cache)?;
    let guide = load_guide(args.guide.as_deref())?;
    choices::kubernetes(
        args.kubernetes.as_deref(),
        &Config::default(),
        guide,
        || Ok(None),
    )?;
    args.config = args.config.map(std::path::absolute).transpose()?;
    for folder in &mut args.module_cache {
        *folder = std::path::absolute(&folder)?;
    }
    crate::lsp::serve(guide, &args)
}
