//! Detections for the terminal: all of them, and the page of one.

use std::fmt::Write as _;

use guide::Guide;
use guide::detection::{Detection, Log, Memory, Target, Trigger};
use model::Severity;

use crate::text::wrap;

/// All detections, the worst first.
#[must_use]
pub fn list(guide: &Guide) -> String {
    let mut out = String::new();
    let mut all: Vec<&Detection> = guide.detections.iter().collect();
    all.sort_by_key(|detection| std::cmp::Reverse(detection.severity));
    for detection in &all {
        let severity: Severity = detection.severity;
        let _ = writeln!(
            out,
            "  {:8} {:34} {}",
            severity.word(),
            detection.id,
            detection.title
        );
    }
    let _ = writeln!(
        out,
        "\n{} detections; `seawall explain ID` says why and what to do next",
        all.len()
    );
    out
}

/// What a detection remembers, in words.
pub(crate) fn memory(detection: &Detection) -> Option<String> {
    let by: Vec<&str> = detection
        .by
        .iter()
        .map(|program| program.source())
        .collect();
    let by = by.join(", ");
    match &detection.memory {
        Memory::None => None,
        Memory::Threshold {
            window,
            count,
            distinct,
        } => {
            let what = distinct.as_ref().map_or_else(
                || "requests".to_owned(),
                |program| format!("different `{}`", program.source()),
            );
            Some(format!(
                "from {count} {what} within {} on, by {by}",
                time(*window)
            ))
        }
        Memory::Sequence { window, .. } => Some(format!(
            "the second within {} of the first, by {by}",
            time(*window)
        )),
        Memory::FirstSeen { days } => Some(format!(
            "what was not seen in the baseline, or on {days} days before: {by}"
        )),
    }
}

fn time(seconds: u32) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

pub(crate) fn trigger(trigger: &Trigger) -> String {
    let verbs = if trigger.verbs.is_empty() {
        "*".to_owned()
    } else {
        trigger.verbs.join(",")
    };
    match &trigger.target {
        Target::Any => format!("{verbs} *"),
        Target::Path(path) => format!("{verbs} {path}"),
        Target::Resource(resource, None) => format!("{verbs} {resource}"),
        Target::Resource(resource, Some(subresource)) => {
            format!("{verbs} {resource}/{subresource}")
        }
        Target::Operation(operation) => operation.to_string(),
    }
}

/// Which log it reads, in words.
pub(crate) fn log(detection: &Detection) -> &'static str {
    match detection.log {
        Log::Audit => "audit log of the cluster",
        Log::Activity => "activity log of Azure",
    }
}

/// One detection as a page to read.
#[must_use]
pub fn page(guide: &Guide, detection: &Detection, width: usize) -> String {
    let mut out = String::new();
    let severity: Severity = detection.severity;
    let _ = writeln!(out, "{}\n", detection.title);
    let log = log(detection);
    let _ = writeln!(out, "{}  {} · {log}", detection.id, severity.word());
    for id in &detection.mitre {
        let title = guide.technique(id).unwrap_or_default();
        let _ = writeln!(out, "ATT&CK {id}: {title}");
    }
    for (framework, control) in &detection.frameworks {
        let _ = writeln!(out, "{framework}: {control}");
    }
    paragraphs(&mut out, &detection.prose, width);
    let _ = writeln!(out, "\nLooks at");
    for one in &detection.looks_at {
        let _ = writeln!(out, "  {}", trigger(one));
    }
    let _ = writeln!(out, "\nAlerts when");
    if let Memory::Sequence { check, .. } = &detection.memory {
        code(&mut out, check.source());
        let _ = writeln!(out, "\n  and then");
    }
    code(&mut out, detection.check.source());
    if let Some(memory) = memory(detection) {
        out.push('\n');
        for line in wrap(&memory, width.saturating_sub(2)) {
            let _ = writeln!(out, "  {line}");
        }
    }
    let _ = writeln!(out, "\nWhat to do next");
    paragraphs(&mut out, &detection.next, width);
    if !detection.references.is_empty() {
        let _ = writeln!(out, "\nReferences");
    }
    for reference in &detection.references {
        let _ = writeln!(out, "  {} (seen {})", reference.url, reference.seen);
    }
    out
}

fn code(out: &mut String, source: &str) {
    for line in source.lines() {
        let _ = writeln!(out, "  {line}");
    }
}

/// Markdown, its paragraphs folded and its code as it is.
fn paragraphs(out: &mut String, markdown: &str, width: usize) {
    let mut fenced = false;
    let mut text = String::new();
    let flush = |text: &mut String, out: &mut String| {
        if !text.is_empty() {
            out.push('\n');
            for line in wrap(text, width) {
                let _ = writeln!(out, "{line}");
            }
            text.clear();
        }
    };
    for line in markdown.lines() {
        if line.starts_with("```") {
            flush(&mut text, out);
            fenced = !fenced;
            if fenced {
                out.push('\n');
            }
        } else if fenced {
            let _ = writeln!(out, "    {line}");
        } else if line.trim().is_empty() {
            flush(&mut text, out);
        } else {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.trim());
        }
    }
    flush(&mut text, out);
}
