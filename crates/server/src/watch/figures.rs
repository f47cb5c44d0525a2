//! The watch in figures, as Prometheus reads them
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use model::coverage::Status;

use super::Shared;

/// A series: its help, its type, and lines of labels and value.
struct Series<'s> {
    name: &'s str,
    kind: &'s str,
    help: &'s str,
    values: Vec<(String, f64)>,
}

impl Series<'_> {
    fn write(&self, text: &mut String) {
        let name = self.name;
        let _ = writeln!(text, "# HELP {name} {}", self.help);
        let _ = writeln!(text, "# TYPE {name} {}", self.kind);
        for (labels, value) in &self.values {
            let _ = if labels.is_empty() {
                writeln!(text, "{name} {value}")
            } else {
                writeln!(text, "{name}{{{labels}}} {value}")
            };
        }
    }
}

/// A label; values are escaped as the format asks.
fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

impl Shared {
    /// The figures of the watch as of `now`.
    #[must_use]
    pub fn figures(&self, now: Timestamp) -> String {
        let stand = self.stand();
        let mut text = String::new();
        let mut series = |name: &str, kind: &str, help: &str, values: Vec<(String, f64)>| {
            Series {
                name,
                kind,
                help,
                values,
            }
            .write(&mut text);
        };
        let one = |value: f64| vec![(String::new(), value)];
        let age = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
        let mut severities: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut guidelines = Vec::new();
        for (id, standing) in &stand.guidelines {
            let severity = standing.severity.map_or("none", |severity| severity.word());
            for (verdict, count) in [
                ("fail", standing.fail),
                ("unknown", standing.unknown),
                ("waived", standing.waived),
                ("managed", standing.managed),
            ] {
                *severities.entry((severity, verdict)).or_default() += count;
                if count > 0 {
                    let labels = [
                        label("guideline", &id.0),
                        label("severity", severity),
                        label("verdict", verdict),
                    ];
                    guidelines.push((labels.join(","), count as f64));
                }
            }
        }
        let severities = severities
            .into_iter()
            .map(|((severity, verdict), count)| {
                let labels = [label("severity", severity), label("verdict", verdict)];
                (labels.join(","), count as f64)
            })
            .collect();
        series(
            "seawall_findings",
            "gauge",
            "Findings that stand, by severity and verdict.",
            severities,
        );
        series(
            "seawall_guideline_findings",
            "gauge",
            "Findings that stand, by guideline, severity and verdict.",
            guidelines,
        );
        let objects = Status::ALL
            .into_iter()
            .map(|status| {
                let of = stand.ledger.iter().filter(|((_, own), _)| *own == status);
                let count: usize = of.map(|(_, count)| count).sum();
                (label("status", status.word()), count as f64)
            })
            .collect();
        series(
            "seawall_objects",
            "gauge",
            "Objects that are held, by what became of them.",
            objects,
        );
        series(
            "seawall_objects_judged_total",
            "counter",
            "Objects judged since the start, again and again.",
            one(stand.objects_judged as f64),
        );
        series(
            "seawall_objects_gone_total",
            "counter",
            "Objects that went since the start.",
            one(stand.objects_gone as f64),
        );
        let gaps = stand.gaps.iter().filter(|gap| !gap.by_choice).count();
        series(
            "seawall_watch_gaps",
            "gauge",
            "Kinds, in places, that could not be read.",
            one(gaps as f64),
        );
        let lost = stand
            .lost
            .iter()
            .map(|(kind, lost)| (label("kind", kind), age(lost.since)))
            .collect();
        series(
            "seawall_watch_lost_seconds",
            "gauge",
            "For how long nothing was heard of a kind, by kind.",
            lost,
        );
        series(
            "seawall_watch_unreachable",
            "gauge",
            "1 when the cluster cannot be reached at all.",
            one(f64::from(u8::from(stand.unreachable))),
        );
        series(
            "seawall_passes_total",
            "counter",
            "Passes over everything since the start.",
            one(stand.passes as f64),
        );
        if let Some((at, took)) = stand.passed {
            series(
                "seawall_facts_age_seconds",
                "gauge",
                "Age of what is said of objects together.",
                one(age(at)),
            );
            series(
                "seawall_pass_seconds",
                "gauge",
                "How long the last pass took.",
                one(took.as_secs_f64()),
            );
        }
        if let Some(drift) = self.drift() {
            let differences = drift
                .differences()
                .map(|(word, difference)| (label("what", word), difference.count as f64));
            series(
                "seawall_drift",
                "gauge",
                "Where what runs differs from what should.",
                differences.to_vec(),
            );
        }
        let kept = &self.kept;
        let count = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed) as f64;
        series(
            "seawall_keeps",
            "gauge",
            "1 when this replica writes reports and alerts.",
            one(f64::from(u8::from(kept.keeps.load(Ordering::Relaxed)))),
        );
        series(
            "seawall_report_writes_total",
            "counter",
            "Reports written to the cluster or deleted there.",
            one(count(&kept.report_writes)),
        );
        let alerts = self.alert_figures();
        series(
            "seawall_alerts_total",
            "counter",
            "Findings that were told as alerts, and those that could not be.",
            alerts,
        );
        series(
            "seawall_history_errors_total",
            "counter",
            "Attempts to note a posture that failed.",
            one(count(&kept.history_errors) + count(&self.archive.errors)),
        );
        series(
            "seawall_history_waiting",
            "gauge",
            "Postures that wait to be written to storage.",
            one(self.archive.waiting() as f64),
        );
        series(
            "seawall_history_dropped_total",
            "counter",
            "Postures that were dropped because too many waited.",
            one(count(&self.archive.dropped)),
        );
        self.trail_figures(now, &mut text);
        text
    }

    /// How following audit logs goes.
    fn trail_figures(&self, now: Timestamp, text: &mut String) {
        let trail = self.trail().figures();
        // Nobody follows, or not yet.
        if trail.looked.is_none() && trail.trouble.is_none() {
            return;
        }
        let mut series = |name: &str, kind: &str, help: &str, values: Vec<(String, f64)>| {
            Series {
                name,
                kind,
                help,
                values,
            }
            .write(text);
        };
        let events = [
            ("read", trail.events),
            ("cut", trail.cut),
            ("unreadable", trail.unreadable),
            ("expired", trail.expired),
        ];
        let events = events.map(|(what, count)| (label("what", what), count as f64));
        series(
            "seawall_audit_events_total",
            "counter",
            "Audit events read since this replica follows, those that were cut, records nobody can read, and messages of an Event Hub that expired unread.",
            events.to_vec(),
        );
        let alerts = trail
            .alerts
            .iter()
            .map(|((detection, severity, verdict), count)| {
                let labels = [
                    label("detection", detection),
                    label("severity", severity.word()),
                    label("verdict", verdict),
                ];
                (labels.join(","), *count as f64)
            });
        series(
            "seawall_audit_alerts_total",
            "counter",
            "Alerts of audit logs since this replica follows, by detection, severity and verdict.",
            alerts.collect(),
        );
        series(
            "seawall_audit_behind_bytes",
            "gauge",
            "Bytes of audit logs that are there and not read yet.",
            vec![(String::new(), trail.behind as f64)],
        );
        series(
            "seawall_audit_behind_messages",
            "gauge",
            "Messages of an Event Hub that are there and not read yet.",
            vec![(String::new(), trail.messages_behind as f64)],
        );
        let age = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
        for (name, help, at) in [
            (
                "seawall_audit_lag_seconds",
                "Age of the newest audit event that was read.",
                trail.newest,
            ),
            (
                "seawall_audit_looked_seconds",
                "How long ago it was looked for audit events.",
                trail.looked,
            ),
        ] {
            if let Some(at) = at {
                series(name, "gauge", help, vec![(String::new(), age(at))]);
            }
        }
        series(
            "seawall_audit_trouble",
            "gauge",
            "1 while audit logs cannot be read.",
            vec![(String::new(), f64::from(u8::from(trail.trouble.is_some())))],
        );
    }

    /// What became of alerts, by receiver.
    fn alert_figures(&self) -> Vec<(String, f64)> {
        let receivers = self.receivers.iter().zip(&self.kept.alerts);
        let figures = receivers.flat_map(|(word, alerts)| {
            let alerts = super::locked(alerts);
            [("told", alerts.told), ("dropped", alerts.dropped)].map(|(outcome, count)| {
                let labels = [label("outcome", outcome), label("to", word)];
                (labels.join(","), count as f64)
            })
        });
        figures.collect()
    }
}
