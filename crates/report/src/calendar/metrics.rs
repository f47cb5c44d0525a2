//! The calendar as metrics in Prometheus' text format, for alerts of one's own: for instance written to a file that
//! node_exporter reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Calendar;

/// When each thing ends, and how many ends nobody knows.
#[must_use]
pub fn metrics(calendar: &Calendar) -> String {
    const ENDS: &str = "seawall_renewal_ends_timestamp_seconds";
    const UNKNOWN: &str = "seawall_renewal_unknown";
    let mut page = format!(
        "# HELP {ENDS} When something of the estate ends, in seconds since 1970.\n# TYPE {ENDS} gauge\n"
    );
    // Of things with the same labels the first end counts.
    let mut ends: BTreeMap<String, i64> = BTreeMap::new();
    for event in &calendar.events {
        let Some(at) = event.ends else { continue };
        let labels = format!(
            "kind=\"{}\",resource=\"{}\",what=\"{}\",renews_itself=\"{}\"",
            label(&event.kind),
            label(&event.resource),
            label(&event.says),
            event.itself
        );
        let first = ends.entry(labels).or_insert(at);
        *first = at.min(*first);
    }
    for (labels, at) in ends {
        let _ = writeln!(page, "{ENDS}{{{labels}}} {at}");
    }
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &calendar.unknown {
        *unknown.entry(&event.kind).or_default() += 1;
    }
    let _ = writeln!(
        page,
        "# HELP {UNKNOWN} Things that end when nobody knows, by kind.\n# TYPE {UNKNOWN} gauge"
    );
    for (kind, many) in unknown {
        let _ = writeln!(page, "{UNKNOWN}{{kind=\"{}\"}} {many}", label(kind));
    }
    page
}

/// The value of a label, with what the format escapes.
fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}
