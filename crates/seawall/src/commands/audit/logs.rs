//! Which logs are read, and what is told of what was missing in them.

use std::path::PathBuf;

use audit::guard::Decisions;
use audit::{Fold, Losses, Options, Source, time};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output;

/// Where logs are.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// Files and folders with audit events, compressed or not; `-` for standard input
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// How many threads read [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    threads: Option<u8>,
}

/// Logs, found.
pub(crate) struct Logs {
    pub(crate) sources: Vec<Source>,
    options: Options,
}

impl LogArgs {
    /// Finds the files.
    pub(crate) fn open(&self) -> anyhow::Result<Logs> {
        open(&self.sources, self.threads)
    }
}

/// Finds the files of some paths.
pub(crate) fn open(paths: &[PathBuf], threads: Option<u8>) -> anyhow::Result<Logs> {
    let sources = audit::input::files(paths).map_err(|(path, error)| {
        Failure::new(format!("cannot read `{}`: {error}", path.display()))
            .help("give files or folders with audit logs, or `-` for standard input")
    })?;
    let mut options = Options::default();
    if let Some(threads) = threads {
        options.threads = usize::from(threads);
    }
    Ok(Logs { sources, options })
}

impl Logs {
    /// Reads all of them.
    pub(crate) fn read<F: Fold>(&self, new: impl Fn() -> F + Sync) -> anyhow::Result<(F, Losses)> {
        audit::read(&self.sources, self.options, new)
            .map_err(|error| Failure::new(error.to_string()).into())
    }

    /// What could not be read or was not there, a line each, on standard error.
    pub(crate) fn tell(&self, losses: &Losses) -> anyhow::Result<()> {
        for (kind, text) in said(losses) {
            output::say(kind, &text)?;
        }
        let places = losses.unreadable_at.iter();
        for place in places.filter(|place| place.line > 0) {
            let name = self.sources.get(place.file).map(Source::name);
            let text = format!("{}:{}: no record", name.unwrap_or_default(), place.line);
            output::say("  at", &text)?;
        }
        Ok(())
    }

    /// The same for scripts.
    pub(crate) fn losses(&self, losses: &Losses) -> Value {
        let places: Vec<Value> = losses
            .unreadable_at
            .iter()
            .map(|place| {
                let name = self.sources.get(place.file).map(Source::name);
                json!({"path": name, "line": place.line})
            })
            .collect();
        let gaps: Vec<Value> = losses
            .gaps()
            .iter()
            .map(|gap| {
                json!({
                    "cluster": gap.cluster,
                    "from": time::shown(gap.from),
                    "to": time::shown(gap.to),
                })
            })
            .collect();
        json!({
            "files": losses.files,
            "bytes": losses.bytes,
            "records": losses.records,
            "events": losses.events,
            "requests": losses.requests,
            "duplicates": losses.duplicates,
            "duplicatesCertain": !losses.forgot,
            "truncated": losses.truncated,
            "damaged": losses.damaged,
            "unreadable": losses.unreadable,
            "unreadableAt": places,
            "otherCategories": losses.other,
            "activities": losses.activities,
            "guard": guard(&losses.guard),
            "gaps": gaps,
            "longestDelaySeconds": losses.lag.map(|lag| lag / 1_000_000),
            "readsLogged": reads_logged(losses),
        })
    }
}

/// What Azure RBAC decided, for scripts.
fn guard(decisions: &Decisions) -> Value {
    let users: Vec<Value> = decisions
        .users
        .iter()
        .map(
            |(user, (allowed, denied))| json!({"user": user, "allowed": allowed, "denied": denied}),
        )
        .collect();
    json!({
        "allowed": decisions.allowed,
        "denied": decisions.denied,
        "failed": decisions.failed,
        "users": users,
        "moreUsers": decisions.more_users,
    })
}

/// The same as a line: who was denied most.
fn decisions(decisions: &Decisions) -> Option<String> {
    if decisions.allowed + decisions.denied + decisions.failed == 0 {
        return None;
    }
    let mut users: Vec<(u64, &str)> = decisions
        .users
        .iter()
        .filter(|(_, (_, denied))| *denied > 0)
        .map(|(user, (_, denied))| (*denied, &**user))
        .collect();
    users.sort_by_key(|(denied, user)| (std::cmp::Reverse(*denied), *user));
    let most: Vec<String> = users
        .iter()
        .take(3)
        .map(|(denied, user)| format!("`{}` {denied}", report::clean(user)))
        .collect();
    let most = if most.is_empty() {
        String::new()
    } else {
        format!(" (most: {})", most.join(", "))
    };
    Some(format!(
        "`guard` tells of Azure RBAC: {} allowed, {} denied{most}, {} without an answer",
        decisions.allowed, decisions.denied, decisions.failed
    ))
}

/// How many reads tell that reads are logged at all.
fn reads_logged(losses: &Losses) -> bool {
    losses.without_reads == 0 && losses.reads > 0
}

/// What a log lacks, in words.
fn said(losses: &Losses) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let count = |number: u64, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    if losses.events > 0 && !reads_logged(losses) {
        let why = if losses.without_reads > 0 {
            "the category `kube-audit-admin` leaves out `get` and `list`, and commands run in pods by WebSocket"
        } else {
            "no `get`, `list` or `watch` is in the log"
        };
        lines.push((
            "warning",
            format!("{why}: nothing is known of what was read"),
        ));
    }
    if losses.cut() > 0 {
        let first: Vec<String> = losses
            .truncated
            .iter()
            .map(|(field, number)| format!("{number} in `{field}`"))
            .collect();
        lines.push((
            "warning",
            format!(
                "{} cut off ({}): AKS keeps 16 KiB of each",
                count(losses.cut(), "event is", "events are"),
                first.join(", ")
            ),
        ));
    }
    if losses.unreadable > 0 {
        lines.push((
            "warning",
            format!(
                "{} nobody can read",
                count(losses.unreadable, "record that", "records that")
            ),
        ));
    }
    let gaps = losses.gaps();
    for gap in gaps.iter().take(5) {
        let cluster = match &*gap.cluster {
            "" => String::new(),
            cluster => format!(" of {}", cluster.rsplit('/').next().unwrap_or(cluster)),
        };
        lines.push((
            "warning",
            format!(
                "nothing{cluster} between {} and {}, though the log is steady otherwise",
                time::shown(gap.from),
                time::shown(gap.to)
            ),
        ));
    }
    if gaps.len() > 5 {
        let more = gaps.len() - 5;
        lines.push(("warning", count(more as u64, "more gap", "more gaps")));
    }
    if let Some(line) = decisions(&losses.guard) {
        lines.push(("note", line));
    }
    for (category, number) in &losses.other {
        let records = count(*number, "record", "records");
        lines.push((
            "note",
            format!("{records} of `{category}` left: no audit events"),
        ));
    }
    if losses.duplicates > 0 {
        let copies = count(losses.duplicates, "event was", "events were");
        lines.push(("note", format!("{copies} there twice, and counted once")));
    }
    lines
}
