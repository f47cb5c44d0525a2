//! Alerts for the terminal: by detection, the worst first, alike ones folded; then what was lost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ::guide::Guide;
use audit::Losses;
use audit::detect::{Alert, Outcome, Verdict};
use model::Severity;
use report::terminal::Options;
use report::{clean, count, wrap};

/// How many alerts of one detection by one user are shown.
const SHOWN: usize = 3;

pub(super) fn page(guide: &Guide, outcome: &Outcome, losses: &Losses, options: &Options) -> String {
    let mut out = String::new();
    let mut groups: BTreeMap<(Reverse<Severity>, &str), Vec<&Alert>> = BTreeMap::new();
    for alert in &outcome.alerts {
        groups
            .entry((Reverse(alert.severity), &alert.detection))
            .or_default()
            .push(alert);
    }
    for ((Reverse(severity), id), alerts) in &groups {
        let detection = guide.detection(id);
        let title = detection.map_or("", |detection| &*detection.title);
        let head = format!("{:8}  {id}", severity.word());
        let _ = writeln!(out, "{}", paint(options.colour, *severity, &head));
        for line in wrap(title, options.width.saturating_sub(10)) {
            let _ = writeln!(out, "          {line}");
        }
        group(&mut out, alerts, options.width);
        if let Some(detection) = detection {
            let next = format!(
                "ATT&CK {}; next: seawall explain {id}",
                detection.mitre.join(", ")
            );
            for line in wrap(&next, options.width.saturating_sub(10)) {
                let _ = writeln!(out, "          {line}");
            }
        }
        out.push('\n');
    }
    summary(&mut out, outcome, options.width);
    lost(&mut out, outcome, losses, options.width);
    out
}

/// Severity in the colours that assessments have.
pub(in super::super) fn paint(colour: bool, severity: Severity, text: &str) -> String {
    if !colour {
        return text.to_owned();
    }
    let code = match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "36",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// The alerts of one detection: what each user did, the first few in words.
fn group(out: &mut String, alerts: &[&Alert], width: usize) {
    let mut by_user: BTreeMap<(Verdict, &str), Vec<&Alert>> = BTreeMap::new();
    for alert in alerts {
        by_user
            .entry((alert.verdict, &alert.event.user))
            .or_default()
            .push(alert);
    }
    for ((verdict, _), alerts) in by_user {
        for alert in alerts.iter().take(SHOWN) {
            let doubt = match verdict {
                Verdict::Match => "",
                Verdict::Unknown => "perhaps (the record was cut): ",
            };
            let times = if alert.times > 1 {
                format!(" ({} or more)", alert.times)
            } else {
                String::new()
            };
            let message = format!("{doubt}{}{times}", clean(&alert.event.message));
            line(out, &when(alert.event.at), &message, width);
        }
        let rest = alerts.len().saturating_sub(SHOWN);
        if rest > 0 {
            let last = alerts
                .last()
                .map(|alert| when(alert.event.at))
                .unwrap_or_default();
            line(
                out,
                "",
                &format!("and {rest} more like it, the last at {last}"),
                width,
            );
        }
    }
}

fn when(at: i64) -> String {
    if at == 0 {
        return "at no known time".to_owned();
    }
    audit::time::shown(at)
}

fn line(out: &mut String, when: &str, text: &str, width: usize) {
    let indent = 32;
    for (index, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        let first = if index == 0 { when } else { "" };
        let _ = writeln!(out, "          {first:20}  {line}");
    }
}

fn summary(out: &mut String, outcome: &Outcome, width: usize) {
    let certain = |alert: &&Alert| alert.verdict == Verdict::Match;
    let found = outcome.alerts.iter().filter(certain).count();
    let detections: BTreeSet<&str> = outcome
        .alerts
        .iter()
        .filter(certain)
        .map(|alert| &*alert.detection)
        .collect();
    let doubtful = outcome.alerts.len() - found;
    if outcome.alerts.is_empty() {
        out.push_str("No alerts.\n");
        return;
    }
    let mut text = format!(
        "{} of {}",
        count(found, "alert"),
        count(detections.len(), "detection")
    );
    let severities = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
    ];
    let counts: Vec<String> = severities
        .into_iter()
        .filter_map(|severity| {
            let alerts = outcome.alerts.iter().filter(certain);
            let number = alerts.filter(|alert| alert.severity == severity).count();
            (number > 0).then(|| format!("{number} {}", severity.word()))
        })
        .collect();
    if !counts.is_empty() {
        let _ = write!(text, ": {}", counts.join(", "));
    }
    if doubtful > 0 {
        let _ = write!(
            text,
            "; {doubtful} that nobody can tell, since records were cut"
        );
    }
    for line in wrap(&text, width) {
        let _ = writeln!(out, "{line}");
    }
}

/// What was read, and what not.
pub(super) fn lost(out: &mut String, outcome: &Outcome, losses: &Losses, width: usize) {
    let mut said = Vec::new();
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut read = format!(
        "Read {}",
        count(number(losses.events + losses.activities), "event")
    );
    // A history knows how many logs there were when it was made, not now.
    if losses.files > 0 {
        let _ = write!(read, " in {}", count(number(losses.files), "file"));
    }
    if let (Some(first), Some(last)) = (losses.first, losses.last) {
        let _ = write!(read, ", from {} to {}", when(first), when(last));
    }
    said.push(format!("{read}."));
    if losses.cut() > 0 {
        let fields: Vec<String> = losses
            .truncated
            .iter()
            .map(|(field, times)| format!("{times} in {field}"))
            .collect();
        said.push(format!(
            "{} cut: {}.",
            are(number(losses.cut()), "record"),
            fields.join(", ")
        ));
    }
    let tally = &outcome.tally;
    let sum = |counts: &BTreeMap<Box<str>, u64>| number(counts.values().sum());
    let unknown = sum(&tally.cut);
    if unknown > 0 {
        said.push(format!(
            "For {} of requests that change nothing a cut record does not say whether a detection holds.",
            count(unknown, "time")
        ));
    }
    if !tally.not_logged.is_empty() {
        let ids: Vec<&str> = tally.not_logged.keys().map(|id| &**id).collect();
        said.push(format!(
            "The audit policy does not log what {} {} ({}).",
            ids.join(", "),
            if ids.len() == 1 { "reads" } else { "read" },
            count(sum(&tally.not_logged), "event")
        ));
    }
    if losses.unreadable + tally.unreadable > 0 {
        let all = number(losses.unreadable + tally.unreadable);
        said.push(format!("{} unreadable.", are(all, "record")));
    }
    if losses.expired > 0 {
        said.push(format!(
            "{} deleted before anybody read them.",
            are(number(losses.expired), "message")
        ));
    }
    if losses.duplicates > 0 {
        said.push(format!(
            "{} there twice, and counted once.",
            are(number(losses.duplicates), "event")
        ));
    }
    if tally.received > 0 && tally.received >= tally.judged {
        said.push("The log only has the beginning of requests (RequestReceived); nothing could be judged.".to_owned());
    }
    if losses.events > 0 && losses.reads == 0 {
        said.push("There are no reads in the log (kube-audit-admin leaves them out): who read Secrets is not in it, and most of `kubectl exec` neither.".to_owned());
    }
    for gap in losses.gaps() {
        said.push(format!(
            "Nothing was logged between {} and {}.",
            when(gap.from),
            when(gap.to)
        ));
    }
    if !tally.no_history.is_empty() {
        said.push(format!(
            "{} could not judge: the log is shorter than the days they look back. `--write-baseline FILE` keeps what was seen, `--baseline FILE` uses it.",
            count(tally.no_history.len(), "detection")
        ));
    }
    for (detection, times) in &tally.left_out {
        said.push(format!(
            "Of {detection} about {times} more were too many to keep."
        ));
    }
    out.push('\n');
    for text in said {
        for line in wrap(&text, width) {
            let _ = writeln!(out, "{line}");
        }
    }
}

fn are(number: usize, one: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number, one))
}
