//! `seawall audit detect`: the guide's detections over audit logs.

pub(super) mod page;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ::guide::Guide;
use ::guide::setting;
use audit::Losses;
use audit::detect::{Alert, Baseline, Detector, Outcome, Tally, Verdict};
use model::Severity;
use report::config;
use report::sarif::AlertLine;
use serde_json::{Value, json};

use crate::commands::audit::follow::{self, FollowArgs};
use crate::commands::audit::logs::LogArgs;
use crate::commands::load_whole_guide;
use crate::failure::Failure;
use crate::output;
use crate::progress::Working;

/// Finds break-ins in audit logs.
///
/// Reads files, folders and standard input (`-`), compressed or not: the API server's own files, what AKS's
/// diagnostic settings leave in a storage account or an Event Hub, exports of Log Analytics, and the activity log
/// of Azure. `seawall guide list --detections` shows what is looked for, `seawall explain ID` why, and what to do
/// next.
///
/// AKS cuts records at 16 KiB. What a cut record does not say is unknown: where the request could change something
/// that is an alert too, and where not it is counted. What else was lost is told at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit detect insights-logs-kube-audit
  az storage blob download … | seawall audit detect -
  seawall audit detect LAST-MONTH --write-baseline baseline.json --fail-on none
  seawall audit detect TODAY --baseline baseline.json --format json=alerts.json
  seawall audit detect https://ACCOUNT.blob.core.windows.net/insights-logs-kube-audit --since 24h
  seawall audit detect eventhub://NAMESPACE.servicebus.windows.net/HUB --follow --checkpoint here.json
  seawall audit detect /var/log/kubernetes --follow --checkpoint here.json --format json=alerts.jsonl

Exit code: 0 nothing at or above the floor; 1 alerts at or above it; 2 wrong use; 3 no events in what was
given; 4 nothing found, but records could not be read or were cut where it matters.")]
pub(crate) struct Args {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    follow: FollowArgs,
    /// A history that `audit compact` made, instead of logs: a folder, or the URL of a container
    #[arg(long = "in", value_name = "DIR|URL", conflicts_with_all = ["sources", "threads", "follow"])]
    history: Option<String>,
    #[command(flatten)]
    place: super::Place,
    /// terminal, json or sarif, with a file behind `=`; repeatable
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<String>,
    /// Only this detection; repeatable
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// What was seen before, as `--write-baseline` wrote it; repeatable
    #[arg(long, value_name = "FILE")]
    baseline: Vec<PathBuf>,
    /// Writes down what was seen, for the next run; what the given baselines know stays in it
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// The severity from which on the exit code is 1: critical, high, medium, low or none
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    fail_on: String,
    /// Folder of a guide to use instead of the one in the binary
    #[arg(long, value_name = "DIR")]
    guide: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<u8> {
    let guide = load_whole_guide(args.guide.as_deref())?;
    let wanted = output::parse_of(&args.format, &["terminal", "json", "sarif"])?;
    let floor = config::parse_floor(&args.fail_on).ok_or_else(|| {
        Failure::new(format!("`{}` is no severity", args.fail_on))
            .help("--fail-on takes critical, high, medium, low or none")
    })?;
    if let Some(id) = args.only.iter().find(|id| guide.detection(id).is_none()) {
        return Err(Failure::new(format!("there is no detection `{id}`"))
            .help("`seawall guide list --detections` shows all")
            .into());
    }
    let baseline = baseline(args)?;
    if let Some(history) = &args.history {
        return kept(args, history, guide, baseline, &wanted, floor);
    }
    let setting = setting::setting(guide, None, None).map_err(Failure::new)?;
    let detector = Detector::new(guide, &setting, |detection| {
        args.only.is_empty() || args.only.iter().any(|id| **id == *detection.id)
    });
    if args.follow.follow {
        let asked = follow::Asked {
            logs: &args.logs,
            follow: &args.follow,
            wanted: &wanted,
            floor,
        };
        let (outcome, losses) = follow::run(guide, &detector, baseline, &asked)?;
        if let Some(path) = &args.write_baseline {
            write_seen(path, &outcome.seen)?;
        }
        let mut text = String::new();
        page::lost(&mut text, &outcome, &losses, output::terminal(true).width);
        io::stderr().lock().write_all(text.as_bytes())?;
        // Nothing new is no mistake here.
        let code = code(&outcome, &losses, floor);
        return Ok(if code == 3 { 0 } else { code });
    }
    let logs = args.logs.open()?;
    let working = Working::new("reading audit logs");
    let (state, losses) = logs.read(|| detector.start())?;
    drop(working);
    logs.tell_outside()?;
    let outcome = state.finish(baseline.as_ref());
    let lost = logs.losses(&losses);
    tell(
        args,
        guide,
        &outcome,
        baseline,
        (&losses, lost),
        (&wanted, floor),
    )?;
    Ok(code(&outcome, &losses, floor))
}

/// The same over a history.
#[cfg(not(feature = "history"))]
fn kept(
    _: &Args,
    _: &str,
    _: &Guide,
    _: Option<Baseline>,
    _: &[output::Wanted],
    _: Option<Severity>,
) -> anyhow::Result<u8> {
    Err(super::without().into())
}

/// The same over a history.
#[cfg(feature = "history")]
fn kept(
    args: &Args,
    history: &str,
    guide: &'static Guide,
    baseline: Option<Baseline>,
    wanted: &[output::Wanted],
    floor: Option<Severity>,
) -> anyhow::Result<u8> {
    use super::with;
    use ::history::{Asking, Session, Window};

    if args.place.is_cluster() && args.guide.is_some() {
        return Err(Failure::new(
            "executors of a cluster have the guide in their binary and no other",
        )
        .help("leave out --guide, or --ballista")
        .into());
    }
    let window = Window {
        since: args.logs.since.map(jiff::Timestamp::as_microsecond),
        until: args.logs.until.map(jiff::Timestamp::as_microsecond),
    };
    with::install(guide)?;
    let guide = Asking::guide().ok_or_else(|| Failure::new("there is no guide"))?;
    let working = Working::new("reading a history of audit logs");
    let session = Session::open(history, &with::stores(), &args.place.chosen()?);
    let session = session.map_err(with::failed)?;
    let found = session.detect(&Asking::only(&args.only), window);
    let found = found.map_err(with::failed)?;
    drop(working);
    let outcome = found.state.finish(baseline.as_ref());
    let lost = crate::commands::audit::logs::lost(&[], &found.losses, 0);
    tell(
        args,
        guide,
        &outcome,
        baseline,
        (&found.losses, lost),
        (wanted, floor),
    )?;
    Ok(code(&outcome, &found.losses, floor))
}

/// Writes down what was found, and what was seen.
fn tell(
    args: &Args,
    guide: &Guide,
    outcome: &Outcome,
    baseline: Option<Baseline>,
    (losses, lost): (&Losses, Value),
    (wanted, floor): (&[output::Wanted], Option<Severity>),
) -> anyhow::Result<()> {
    if let Some(path) = &args.write_baseline {
        let mut seen = baseline.unwrap_or_default();
        seen.merge(outcome.seen.clone());
        write_seen(path, &seen)?;
    }
    for one in wanted {
        let to_file = one.file.is_some();
        let mut out: Box<dyn Write> = match &one.file {
            Some(file) => {
                Box::new(BufWriter::new(fs::File::create(file).map_err(|error| {
                    Failure::new(format!("cannot write `{file}`: {error}"))
                })?))
            }
            None => Box::new(BufWriter::new(anstream::AutoStream::auto(io::stdout()))),
        };
        let text = match one.format.as_str() {
            "json" => written(guide, outcome, lost.clone()),
            "sarif" => sarif(guide, outcome, losses, code(outcome, losses, floor)),
            _ => page::page(guide, outcome, losses, &output::terminal(to_file)),
        };
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

fn write_seen(path: &Path, seen: &Baseline) -> anyhow::Result<()> {
    fs::write(path, seen.write())
        .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display())).into())
}

/// What all given baselines know; `None` when none was given.
fn baseline(args: &Args) -> anyhow::Result<Option<Baseline>> {
    let mut all: Option<Baseline> = None;
    for path in &args.baseline {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
        let read = Baseline::read(&text).map_err(|error| {
            Failure::new(format!("`{shown}` is no baseline: {error}"))
                .help("`seawall audit detect SOURCE --write-baseline FILE` writes one")
        })?;
        all.get_or_insert_with(Baseline::default).merge(read);
    }
    Ok(all)
}

fn code(outcome: &Outcome, losses: &Losses, floor: Option<Severity>) -> u8 {
    let counts = |alert: &&Alert| floor.is_some_and(|floor| alert.severity >= floor);
    let mut worth = outcome.alerts.iter().filter(counts);
    if worth.clone().any(|alert| alert.verdict == Verdict::Match) {
        1
    } else if losses.events + losses.activities == 0 {
        3
    } else if losses.unreadable + losses.expired > 0
        || outcome.tally.unreadable > 0
        || worth.next().is_some()
    {
        4
    } else {
        0
    }
}

/// An alert for programs.
pub(super) fn one(guide: &Guide, alert: &Alert) -> Value {
    let event = &alert.event;
    let detection = guide.detection(&alert.detection);
    json!({
        "detection": alert.detection,
        "title": detection.map(|detection| &detection.title),
        "severity": alert.severity.word(),
        "verdict": alert.verdict.word(),
        "time": (event.at != 0).then(|| audit::time::shown(event.at)),
        "auditID": event.audit_id,
        "user": event.user,
        "verb": event.verb,
        "object": event.object,
        "cluster": event.cluster,
        "message": event.message,
        "times": alert.times,
        "mitre": detection.map(|detection| &detection.mitre),
    })
}

/// For code scanning and whoever else collects SARIF.
fn sarif(guide: &Guide, outcome: &Outcome, losses: &Losses, code: u8) -> String {
    let times: Vec<Option<String>> = outcome
        .alerts
        .iter()
        .map(|alert| (alert.event.at != 0).then(|| audit::time::shown(alert.event.at)))
        .collect();
    let lines: Vec<AlertLine<'_>> = outcome
        .alerts
        .iter()
        .zip(&times)
        .map(|(alert, time)| AlertLine {
            detection: &alert.detection,
            severity: alert.severity,
            certain: alert.verdict == Verdict::Match,
            message: &alert.event.message,
            time: time.as_deref(),
            audit_id: &alert.event.audit_id,
            user: &alert.event.user,
            verb: &alert.event.verb,
            object: &alert.event.object,
            cluster: &alert.event.cluster,
            times: alert.times,
        })
        .collect();
    let complete = losses.unreadable + losses.expired == 0 && outcome.tally.unreadable == 0;
    report::sarif::alerts(guide, env!("CARGO_PKG_VERSION"), &lines, complete, code)
}

/// The versioned form for programs.
fn written(guide: &Guide, outcome: &Outcome, losses: Value) -> String {
    let alerts: Vec<Value> = outcome
        .alerts
        .iter()
        .map(|alert| one(guide, alert))
        .collect();
    let Tally {
        judged,
        cut,
        not_logged,
        hidden,
        received,
        unreadable,
        timeless,
        left_out,
        no_history,
    } = &outcome.tally;
    let not_judged = json!({
        "judged": judged,
        "unknown": cut,
        "notLogged": not_logged,
        "hidden": hidden,
        "unanswered": received,
        "notRead": unreadable,
        "timeless": timeless,
        "leftOut": left_out,
        "noHistory": no_history,
    });
    let mut lost = losses;
    if let (Some(lost), Value::Object(more)) = (lost.as_object_mut(), not_judged) {
        lost.extend(more);
    }
    let value = json!({
        "schema": "seawall.alerts/v1",
        "alerts": alerts,
        "losses": lost,
    });
    format!("{value:#}\n")
}
