//! Logs into a history: what is new of each, a few logs for each commit.
//!
//! A commit stands for the logs that were read for it, so a run that is killed loses what it read since the last one, and
//! reads it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit::{Fold, Losses, Options, Record, Source};
use datafusion::arrow::array::RecordBatch;
use tokio::sync::mpsc;

use crate::commit::{Commit, DataFile, Snapshot, clean};
use crate::copies::Copies;
use crate::error::{Error, to};
use crate::log::{Here, Log};
use crate::part::{New, Progress};
use crate::root::Root;
use crate::rows::{Partition, Rows, partition};
use crate::write::Writers;

/// So many logs at most.
const LOGS: usize = 1000;
/// Rows of a partition are handed on at so many.
const ROWS: usize = 4096;
/// Or so many bytes.
const BATCH: usize = 2 << 20;
/// Partitions that one thread holds rows of.
const PARTITIONS: usize = 64;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Logs, in the order of time.
    pub logs: Vec<Log>,
    /// How they are read.
    pub options: Options,
    /// The cluster of records that name none.
    pub cluster: String,
    /// Last lines without an end are read too: nothing will be added to them.
    pub finished: bool,
    /// So many bytes of logs are read for one commit, or one log.
    pub batch: u64,
}

/// What was left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// Nothing but a line without an end is new.
    Unfinished,
    /// It changed since it was read, and it is not lines that could be read on.
    Changed,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Compacted {
    /// files of events that were added
    pub files: Vec<DataFile>,
    /// how many logs something was read of
    pub read: u64,
    /// how many logs hold nothing new
    pub known: u64,
    /// logs of which something was left out
    pub skipped: Vec<(String, Skipped)>,
    /// what was lost in what was read
    pub losses: Losses,
    /// files of killed runs that were removed
    pub removed: u64,
    /// the number of the last commit
    pub commit: u64,
}

/// Reads what is new of some logs into a history. `told` is called after each commit.
///
/// # Errors
/// When a log cannot be read or the history cannot be written. What was committed before counts.
pub fn compact(
    root: &Root,
    plan: &Plan,
    told: &mut dyn FnMut(&Compacted),
) -> Result<Compacted, Error> {
    crate::session::runtime()?.block_on(all(root, plan, told))
}

async fn all(
    root: &Root,
    plan: &Plan,
    told: &mut dyn FnMut(&Compacted),
) -> Result<Compacted, Error> {
    root.make()?;
    let mut snapshot = Snapshot::read(root).await?;
    let mut done = Compacted::default();
    let mut copies = Copies::default();
    let mut logs = plan.logs.iter().peekable();
    while logs.peek().is_some() {
        let mut parts = Vec::new();
        let mut bytes = 0;
        // The same log under two names counts once, in one commit too.
        let mut known = snapshot.sources.clone();
        while bytes < plan.batch && parts.len() < LOGS {
            let Some(log) = logs.next() else {
                break;
            };
            let name = log.name().to_owned();
            let found = log.news(&known, plan.finished).await;
            let (new, here) = found.map_err(to(format!("read `{name}`")))?;
            match new {
                New::Part(progress, before) => {
                    bytes += progress.to - progress.from;
                    known.push(progress.clone());
                    parts.push(Part {
                        here,
                        progress,
                        before,
                    });
                }
                New::Nothing => done.known += 1,
                New::Unfinished => done.skipped.push((name, Skipped::Unfinished)),
                New::Changed => done.skipped.push((name, Skipped::Changed)),
            }
        }
        if !parts.is_empty() {
            let (commit, losses) = read(root, plan, parts, &snapshot, &mut copies).await?;
            commit.write(root).await?;
            done.files.extend(commit.files.iter().cloned());
            done.read += commit.sources.len() as u64;
            done.losses.merge(losses);
            snapshot.add(commit);
            done.commit = snapshot.number;
            told(&done);
        }
    }
    done.commit = snapshot.number;
    done.removed = clean(root, &snapshot).await?;
    Ok(done)
}

/// What is read of a log.
#[derive(Debug)]
struct Part {
    here: Here,
    progress: Progress,
    /// How many lines were read before.
    before: u64,
}

/// Reads some parts into data files.
async fn read(
    root: &Root,
    plan: &Plan,
    parts: Vec<Part>,
    snapshot: &Snapshot,
    copies: &mut Copies,
) -> Result<(Commit, Losses), Error> {
    let number = snapshot.number + 1;
    let (sender, mut receiver) = mpsc::channel::<(Partition, RecordBatch)>(4);
    let sources: Vec<Source> = parts
        .iter()
        .map(|part| {
            Source::Part(
                part.here.path().to_owned(),
                part.progress.from..part.progress.to,
            )
        })
        .collect();
    let shared = Arc::new(Shared {
        names: parts
            .iter()
            .map(|part| (part.progress.name.clone(), part.before))
            .collect(),
        cluster: plan.cluster.clone(),
    });
    let options = plan.options;
    let reading = tokio::task::spawn_blocking(move || {
        let new = || Table {
            shared: Arc::clone(&shared),
            sender: sender.clone(),
            open: BTreeMap::new(),
            refused: None,
        };
        audit::read(&sources, options, new).map(|(mut table, losses)| {
            table.hand_on_all();
            (table.refused, losses)
        })
    });
    let mut writers = Writers::new(root, number, run());
    while let Some((partition, batch)) = receiver.recv().await {
        let marked = copies.mark(root, &snapshot.files, partition.1, batch);
        writers.write(partition, &marked.await?).await?;
    }
    let (refused, losses) = reading
        .await
        .map_err(to("read logs"))?
        .map_err(|error| Error::new(error.to_string()))?;
    if let Some(refused) = refused {
        return Err(Error::new(format!(
            "cannot make a table of events: {refused}"
        )));
    }
    let files = writers.finish().await?;
    for part in &parts {
        let same = part.progress.is_in(part.here.path());
        if !same.map_err(to(format!("read `{}`", part.progress.name)))? {
            return Err(Error::new(format!(
                "`{}` became another file while it was read",
                part.progress.name
            ))
            .help("run it again: what was read since the last commit does not count"));
        }
    }
    let commit = Commit {
        number,
        files,
        forgot: copies.forgot,
        other: losses.other.clone(),
        unreadable: losses.unreadable,
        sources: parts.into_iter().map(|part| part.progress).collect(),
    };
    Ok((commit, losses))
}

/// A number that no other run has.
fn run() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let text = format!("{}/{}", std::process::id(), now.as_nanos());
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

struct Shared {
    /// By number: what a log is called, and how many lines of it were read before.
    names: Vec<(String, u64)>,
    cluster: String,
}

/// Rows that one thread makes, by partition.
struct Table {
    shared: Arc<Shared>,
    sender: mpsc::Sender<(Partition, RecordBatch)>,
    open: BTreeMap<Partition, Rows>,
    refused: Option<String>,
}

impl Table {
    fn hand_on(&mut self, partition: &Partition) {
        let Some(mut rows) = self.open.remove(partition) else {
            return;
        };
        match rows.finish() {
            // Nobody takes them where writing failed, and that is told there.
            Ok(batch) => drop(self.sender.blocking_send((partition.clone(), batch))),
            Err(error) => self.refused = Some(error.to_string()),
        }
    }

    fn hand_on_all(&mut self) {
        while let Some(partition) = self.open.keys().next().cloned() {
            self.hand_on(&partition);
        }
    }
}

impl Fold for Table {
    fn take(&mut self, record: &Record<'_>) {
        let partition = partition(record, &self.shared.cluster);
        if !self.open.contains_key(&partition) && self.open.len() >= PARTITIONS {
            self.hand_on_all();
        }
        let (name, before) = match self.shared.names.get(record.place.file) {
            Some((name, before)) => (name.as_str(), *before),
            None => ("", 0),
        };
        let rows = self.open.entry(partition.clone()).or_default();
        rows.add(record, name, before + record.place.line);
        if rows.count >= ROWS || rows.bytes >= BATCH {
            self.hand_on(&partition);
        }
    }

    fn merge(&mut self, mut other: Self) {
        other.hand_on_all();
        self.refused = self.refused.take().or(other.refused);
    }
}
