//! `seawall audit`: what audit logs of clusters tell.

mod cluster;
mod compact;
mod connection;
mod detect;
mod follow;
mod kql;
mod learn;
mod logs;
mod query;
pub(crate) mod used;
#[cfg(feature = "history")]
mod with;

use clap::Subcommand;

pub(crate) use connection::connection;

#[cfg(not(feature = "history"))]
use crate::failure::Failure;

/// Finds break-ins in audit logs, learns least roles, keeps history.
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
    Compact(compact::Args),
    Query(query::Args),
    Scheduler(cluster::SchedulerArgs),
    Executor(cluster::ExecutorArgs),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.action {
        Action::Detect(args) => detect::run(args),
        Action::Kql(args) => kql::run(args),
        Action::Learn(args) => learn::run(args),
        Action::Compact(args) => compact::run(args),
        Action::Query(args) => query::run(args),
        Action::Scheduler(args) => cluster::scheduler(args),
        Action::Executor(args) => cluster::executor(args),
    }
}

/// Where questions to a history are answered.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Place {
    /// Memory for the answer; what needs more goes to temporary files
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "1G",
        conflicts_with = "ballista"
    )]
    memory: String,
    /// Asks the cluster of this Ballista scheduler: http://HOST:50050
    #[arg(long, value_name = "URL", requires = "history")]
    ballista: Option<String>,
}

/// This binary was built without the history.
#[cfg(not(feature = "history"))]
fn without() -> Failure {
    Failure::new("this seawall was built without the history of audit logs")
        .help("`cargo build --release --features history` builds it in")
}
