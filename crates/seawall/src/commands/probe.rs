//! `seawall probe`: tries from inside what network policies say.

mod manifest;
mod plan;
mod readme;
mod run;

use clap::Subcommand;

/// Tries from inside a cluster what policies open and close.
///
/// `plan` writes Jobs that stand where workloads stand; each runs `run`, which prints one line of JSON;
/// `seawall assess --probed FILE` finds where the two disagree.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall probe plan --cluster --image IMAGE --out probes
  kubectl apply -f probes       (probes/README.md: how to collect and to remove)
  seawall assess --cluster --probed probed.jsonl")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(Box<plan::Args>),
    Run(run::Args),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.command {
        Command::Plan(args) => plan::run(args),
        Command::Run(args) => run::run(args),
    }
}
