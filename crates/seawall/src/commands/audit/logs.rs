//! Which logs are read, and what is told of what was missing in them.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::guard::Decisions;
use audit::{Fold, Losses, Options, Source, Span, Within, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::audit::{is_hub, is_url};
use sources::azure::SignIn;
use sources::eventhub::Access;

use super::connection;
use crate::commands::azure::AzureArgs;
use crate::failure::Failure;
use crate::output;

/// How long storage may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where logs are.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// Files and folders with audit events, compressed or not; `-` for standard input;
    /// https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER for Blob storage;
    /// eventhub://NAMESPACE.servicebus.windows.net/HUB for an Event Hub
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<PathBuf>,
    /// File with a connection string of the Event Hub, instead of signing in [default: what
    /// SEAWALL_EVENTHUB_CONNECTION_STRING holds]
    #[arg(long, value_name = "FILE")]
    connection_string: Option<PathBuf>,
    /// How many threads read [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    threads: Option<u8>,
    /// Only what happened from then on: 2026-11-27, 2026-11-27T08:00:00Z, or 90m, 24h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
    /// Only what happened before then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Timestamp>,
}

/// Logs, found.
pub(crate) struct Logs {
    pub(crate) sources: Vec<Source>,
    options: Options,
    span: Span,
    outside: Cell<u64>,
}

/// A moment, or how long ago it was.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write it as 2026-11-27, 2026-11-27T08:00:00Z, 90m, 24h or 7d".to_owned();
    let ago = |digits: &str, minutes: i64| -> Option<Timestamp> {
        let minutes = digits
            .parse::<u32>()
            .ok()
            .map(i64::from)?
            .checked_mul(minutes)?;
        Timestamp::now()
            .checked_sub(SignedDuration::from_mins(minutes))
            .ok()
    };
    let units = [('m', 1), ('h', 60), ('d', 1440)];
    for (unit, minutes) in units {
        if let Some(digits) = text.strip_suffix(unit) {
            return ago(digits, minutes).ok_or_else(wrong);
        }
    }
    let at = text.parse::<Timestamp>();
    at.or_else(|_| format!("{text}T00:00:00Z").parse())
        .map_err(|_| wrong())
}

/// How one signs in to storage: as the environment says.
pub(crate) fn sign_in() -> anyhow::Result<SignIn> {
    AzureArgs::default().sign_in(TIMEOUT)
}

impl LogArgs {
    /// Finds the files.
    pub(crate) fn open(&self) -> anyhow::Result<Logs> {
        if self.sources.is_empty() {
            return Err(Failure::new("no audit log was given")
                .help("give files or folders with audit logs, or `-` for standard input")
                .into());
        }
        let span = sources::blob::Span {
            since: self.since,
            until: self.until,
        };
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            return Err(Failure::new("`--since` is not before `--until`")
                .help("for one day: `--since 2026-11-27 --until 2026-11-28`")
                .into());
        }
        open(&self.sources, self.threads, span, &self.access()?)
    }

    /// How one signs in to addresses.
    pub(crate) fn access(&self) -> anyhow::Result<Access> {
        access(self.connection_string.as_deref())
    }
}

/// How one signs in to addresses, with a connection string of a file or the environment where there is one.
pub(crate) fn access(connection_string: Option<&Path>) -> anyhow::Result<Access> {
    Ok(Access {
        sign_in: sign_in()?,
        connection: connection(connection_string)?,
    })
}

/// What is at an address.
fn far(url: &str, span: sources::blob::Span, access: &Access) -> anyhow::Result<Vec<Source>> {
    let (form, nothing) = if is_hub(url) {
        (
            "it takes eventhub://NAMESPACE.servicebus.windows.net/HUB, as somebody who may receive from it (`az login`)",
            "check that a diagnostic setting sends `kube-audit` to it, and `--since`: hubs keep messages for a few days",
        )
    } else {
        (
            "it takes https://ACCOUNT.blob.core.windows.net/CONTAINER, as somebody who may read it (`az login`)",
            "check the container (`insights-logs-kube-audit`), the folder, and `--since`",
        )
    };
    let found = server::audit::sources(url, access, span).map_err(|untold| {
        let failure = Failure::new(format!("cannot read `{url}`: {}", untold.message));
        failure.help(untold.help.unwrap_or(form))
    })?;
    if found.is_empty() {
        return Err(
            Failure::new(format!("there are no logs in `{url}` of that time"))
                .help(nothing)
                .into(),
        );
    }
    Ok(found)
}

/// Finds the files of some paths, and the blobs of addresses.
pub(crate) fn open(
    paths: &[PathBuf],
    threads: Option<u8>,
    span: sources::blob::Span,
    access: &Access,
) -> anyhow::Result<Logs> {
    let mut sources = Vec::new();
    for path in paths {
        if let Some(url) = path.to_str().filter(|text| is_url(text)) {
            sources.extend(far(url, span, access)?);
            continue;
        }
        let found = audit::input::files(std::slice::from_ref(path));
        sources.extend(found.map_err(|(path, error)| {
            Failure::new(format!("cannot read `{}`: {error}", path.display()))
                .help("give files or folders with audit logs, or `-` for standard input")
        })?);
    }
    let mut options = Options::default();
    if let Some(threads) = threads {
        options.threads = usize::from(threads);
    }
    Ok(Logs {
        sources,
        options,
        span: micros(span),
        outside: Cell::default(),
    })
}

/// The same span as records have it.
pub(crate) fn micros(span: sources::blob::Span) -> Span {
    Span {
        since: span.since.map(Timestamp::as_microsecond),
        until: span.until.map(Timestamp::as_microsecond),
    }
}

impl Logs {
    /// How they are read.
    #[cfg(feature = "history")]
    pub(crate) const fn options(&self) -> Options {
        self.options
    }

    /// Reads all of them.
    pub(crate) fn read<F: Fold>(&self, new: impl Fn() -> F + Sync) -> anyhow::Result<(F, Losses)> {
        let span = self.span;
        let new = || Within::new(new(), span);
        let (within, losses) = audit::read(&self.sources, self.options, new)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.outside.set(within.outside);
        Ok((within.state, losses))
    }

    /// What could not be read or was not there, a line each, on standard error.
    pub(crate) fn tell(&self, losses: &Losses) -> anyhow::Result<()> {
        for (kind, text) in said(losses) {
            output::say(kind, &text)?;
        }
        self.tell_outside()?;
        let places = losses.unreadable_at.iter();
        for place in places.filter(|place| place.line > 0) {
            let name = self.sources.get(place.file).map(Source::name);
            let text = format!("{}:{}: no record", name.unwrap_or_default(), place.line);
            output::say("  at", &text)?;
        }
        Ok(())
    }

    /// How much was of another time, where that was asked.
    pub(crate) fn tell_outside(&self) -> anyhow::Result<()> {
        match self.outside.get() {
            0 => Ok(()),
            1 => Ok(output::say(
                "note",
                "1 record is of another time, and left",
            )?),
            many => Ok(output::say(
                "note",
                &format!("{many} records are of another time, and left"),
            )?),
        }
    }

    /// The same for scripts.
    pub(crate) fn losses(&self, losses: &Losses) -> Value {
        lost(&self.sources, losses, self.outside.get())
    }
}

/// What could not be read or was not there, for scripts.
pub(crate) fn lost(sources: &[Source], losses: &Losses, outside: u64) -> Value {
    let places: Vec<Value> = losses
        .unreadable_at
        .iter()
        .map(|place| {
            let name = sources.get(place.file).map(Source::name);
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
    let mut value = counts(losses);
    if let Some(value) = value.as_object_mut() {
        value.insert("unreadableAt".to_owned(), places.into());
        value.insert("gaps".to_owned(), gaps.into());
        value.insert("ofAnotherTime".to_owned(), outside.into());
    }
    value
}

/// What was lost, in numbers.
pub(crate) fn counts(losses: &Losses) -> Value {
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
        "expired": losses.expired,
        "otherCategories": losses.other,
        "activities": losses.activities,
        "guard": guard(&losses.guard),
        "longestDelaySeconds": losses.lag.map(|lag| lag / 1_000_000),
        "readsLogged": reads_logged(losses),
    })
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
    if losses.expired > 0 {
        let gone = count(losses.expired, "message was", "messages were");
        lines.push((
            "warning",
            format!("{gone} deleted before anybody read them"),
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
