//! `seawall audit`: what audit logs of clusters tell.

mod detect;
mod follow;
mod kql;
mod learn;
mod logs;
pub(crate) mod used;

use clap::Subcommand;

/// Reads audit logs of clusters.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Detect(Box<detect::Args>),
    Kql(Box<kql::Args>),
    Learn(Box<learn::Args>),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.action {
        Action::Detect(args) => detect::run(args),
        Action::Kql(args) => kql::run(args),
        Action::Learn(args) => learn::run(args),
    }
}
