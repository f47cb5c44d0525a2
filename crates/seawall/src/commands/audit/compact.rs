//! `seawall audit compact`: logs into a history of them.

use std::path::PathBuf;

use anyhow::Result;

/// Keeps audit logs as Parquet files, by cluster and day.
///
/// Reads what `audit detect` reads. Running it again adds what is new: a log that grew is read on from where it was, in
/// whole lines; one that was rotated is known by what it holds. A run that is killed loses nothing and counts nothing
/// twice. `seawall audit query` asks the history in SQL, `seawall audit detect --in` looks for break-ins in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit compact /var/log/kubernetes/audit --to history --cluster shop
  seawall audit compact insights-logs-kube-audit --to https://ACCOUNT.blob.core.windows.net/history
  seawall audit compact audit.log.gz --to history --finished

Exit code: 0 everything new was kept; 2 wrong use; 4 some records nobody can read, or a log has changed that cannot
be read on.")]
pub(crate) struct Args {
    /// Files and folders with audit events, compressed or not; https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER for
    /// Blob storage
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// Folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, that holds the history
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) to: String,
    /// The cluster of events that name none: the API server's own files do not
    #[arg(long, value_name = "NAME", default_value = "unknown")]
    pub(crate) cluster: String,
    /// Reads a last line without an end too: nothing will be added to it
    #[arg(long)]
    pub(crate) finished: bool,
    /// How much of logs is read for one commit: so much is read again after a kill
    #[arg(long, value_name = "BYTES", default_value = "256M")]
    pub(crate) batch: String,
    /// How many threads read [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) threads: Option<u8>,
}

#[cfg(not(feature = "history"))]
pub(crate) fn run(_: &Args) -> Result<u8> {
    Err(super::without().into())
}

#[cfg(feature = "history")]
pub(crate) use with::run;

#[cfg(feature = "history")]
mod with {
    use std::io::{self, Write};

    use audit::Source;
    use history::{Compacted, Log, Plan, Root, Skipped};
    use server::audit::{is_hub, is_url};

    use super::{Args, Result};
    use crate::commands::audit::logs;
    use crate::commands::audit::with::{bytes, failed, stores};
    use crate::failure::Failure;
    use crate::output;
    use crate::progress::Working;

    pub(crate) fn run(args: &Args) -> Result<u8> {
        let stores = stores();
        let mut named = Vec::new();
        let mut paths = Vec::new();
        for source in &args.sources {
            if source.to_str().is_some_and(is_hub) {
                return Err(Failure::new("a history is not made from an Event Hub")
                    .help("have the diagnostic setting write to a storage account too, and give its container")
                    .into());
            }
            match source.to_str().filter(|text| is_url(text)) {
                Some(url) => named.extend(Log::in_container(url, &stores).map_err(failed)?),
                None => paths.push(source.clone()),
            }
        }
        let logs = logs::open(
            &paths,
            args.threads,
            sources::blob::Span::default(),
            &logs::access(None)?,
        )?;
        for source in &logs.sources {
            let Source::File(path) = source else {
                return Err(
                    Failure::new("standard input cannot be read on another time")
                        .help("give files or folders")
                        .into(),
                );
            };
            let path = std::path::absolute(path)?;
            let name = path.display().to_string();
            named.push(Log::File(path, name));
        }
        let plan = Plan {
            logs: named,
            options: logs.options(),
            cluster: args.cluster.to_lowercase(),
            finished: args.finished,
            batch: bytes(&args.batch)?,
        };
        let root = Root::open(&args.to, &stores).map_err(failed)?;
        let working = Working::new("keeping audit logs");
        let done = history::compact(&root, &plan, &mut |_| {}).map_err(failed)?;
        drop(working);
        let mut out = io::stdout().lock();
        out.write_all(page(&done, &args.to).as_bytes())?;
        for (name, why) in &done.skipped {
            let why = match why {
                Skipped::Unfinished => "holds nothing new but a line without an end",
                Skipped::Changed => {
                    "has changed since it was read, and is not lines that could be read on: left out"
                }
            };
            output::say("note", &format!("`{name}` {why}"))?;
        }
        if done.losses.events + done.losses.activities > 0 {
            logs.tell(&done.losses)?;
        }
        let changed = done.skipped.iter().any(|(_, why)| *why == Skipped::Changed);
        Ok(if changed || done.losses.unreadable > 0 {
            4
        } else {
            0
        })
    }

    fn page(done: &Compacted, to: &str) -> String {
        let count = |number: u64, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {many}"),
        };
        let rows: u64 = done.files.iter().map(|file| file.rows).sum();
        let mut text = format!(
            "Kept {} of {} in {} in `{to}`.\n",
            count(rows, "event", "events"),
            count(done.read, "log", "logs"),
            count(done.files.len() as u64, "file", "files"),
        );
        if done.known > 0 {
            let logs = count(done.known, "log holds", "logs hold");
            text.push_str(&format!("{logs} nothing new.\n"));
        }
        if done.removed > 0 {
            let files = count(done.removed, "file", "files");
            text.push_str(&format!("Removed {files} of a run that did not end.\n"));
        }
        text
    }
}
