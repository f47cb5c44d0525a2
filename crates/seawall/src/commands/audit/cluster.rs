//! `seawall audit scheduler` and `seawall audit executor`: a Ballista cluster for questions to a history that is too
//! large for one machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

/// Runs the scheduler of a Ballista cluster, which `audit query` and `audit detect` ask with `--ballista`.
///
/// Ballista knows no passwords: whoever reaches its ports can read what its executors may read. Keep it within a network
/// that you trust, with a network policy, and give executors an identity that reads the history and nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit scheduler --listen 0.0.0.0:50050 --name scheduler.audit.svc
  seawall audit executor --scheduler scheduler.audit.svc:50050 --listen 0.0.0.0:50051 --name $POD_IP")]
pub(crate) struct SchedulerArgs {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50050")]
    pub(crate) listen: SocketAddr,
    /// Under which name executors reach it
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    pub(crate) name: String,
    /// An executor that said nothing for so long is gone, and what it did is done again
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..))]
    pub(crate) timeout: u64,
}

/// Runs an executor of a Ballista cluster.
///
/// It reads the history itself: a folder has to be there under the same path, a container needs Storage Blob Data Reader
/// for the executor's identity.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit executor --scheduler 127.0.0.1:50050
  seawall audit executor --scheduler scheduler.audit.svc:50050 --listen 0.0.0.0:50051 --name $POD_IP --memory 8G")]
pub(crate) struct ExecutorArgs {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    pub(crate) scheduler: String,
    /// Where it listens for who fetches results; for work at the next port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub(crate) listen: SocketAddr,
    /// Under which name others reach it [default: the address]
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Option<String>,
    /// How many tasks at once [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) tasks: u16,
    /// Memory for all tasks [default: 70 % of the machine's or the container's]
    #[arg(long, value_name = "BYTES")]
    pub(crate) memory: Option<String>,
    /// Folder for intermediate results [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// How often it says that it lives
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) heartbeat: u64,
}

#[cfg(not(feature = "history"))]
pub(crate) fn scheduler(_: &SchedulerArgs) -> Result<u8> {
    Err(super::without().into())
}

#[cfg(not(feature = "history"))]
pub(crate) fn executor(_: &ExecutorArgs) -> Result<u8> {
    Err(super::without().into())
}

#[cfg(feature = "history")]
pub(crate) use with::{executor, scheduler};

#[cfg(feature = "history")]
mod with {
    use history::cluster::{self, Executor};

    use super::{ExecutorArgs, Result, SchedulerArgs};
    use crate::commands::audit::with::{builtin, bytes, failed, stores};
    use crate::failure::Failure;
    use crate::output;

    pub(crate) fn scheduler(args: &SchedulerArgs) -> Result<u8> {
        builtin()?;
        output::say("scheduler", &format!("listens on {}", args.listen))?;
        cluster::scheduler(args.listen, &args.name, args.timeout, &stores()).map_err(failed)?;
        Ok(0)
    }

    pub(crate) fn executor(args: &ExecutorArgs) -> Result<u8> {
        builtin()?;
        let wrong = || {
            Failure::new(format!("`{}` is no address of a scheduler", args.scheduler))
                .help("--scheduler takes HOST:PORT")
        };
        let (host, port) = args.scheduler.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let memory = args.memory.as_deref().map(bytes).transpose()?;
        let temporary =
            std::env::temp_dir().join(format!("seawall-executor-{}", args.listen.port()));
        let executor = Executor {
            scheduler: (host.to_owned(), port),
            listen: args.listen,
            name: args.name.clone(),
            tasks: usize::from(args.tasks),
            memory,
            folder: args.folder.clone().unwrap_or(temporary),
            heartbeat: args.heartbeat,
        };
        output::say("executor", &format!("works for {}", args.scheduler))?;
        cluster::executor(&executor, &stores()).map_err(failed)?;
        Ok(0)
    }
}
