//! The calendar as iCalendar (RFC 5545), for programs that people keep their days in.
//!
//! Each end is an event of a whole day with an identity of its own that does not hang on the day: imported again
//! after a renewal, it moves. What nobody renews by machine reminds 30 days and 7 days before.

use std::collections::BTreeMap;

use guide::renewals::day;
use model::finding::Fingerprint;

use super::{Calendar, DAY, Event};

/// Octets of a line, without its end (RFC 5545, section 3.1).
const LONGEST: usize = 75;

/// The events; what nobody knows the end of has no day and is left out.
#[must_use]
pub fn icalendar(calendar: &Calendar) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN:VCALENDAR");
    lines.add("VERSION:2.0");
    lines.add("PRODID:-//seawall//maintenance//EN");
    lines.add("CALSCALE:GREGORIAN");
    lines.property(
        "X-WR-CALNAME",
        &format!("seawall: {}", calendar.subject.join(", ")),
    );
    let stamp = format!("{}T000000Z", compact(calendar.today));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for event in &calendar.events {
        let Some(ends) = event.ends else { continue };
        // Two credentials of one application are told apart by their order.
        let id = Fingerprint::of(&[&event.kind, &event.resource, &event.says]).to_string();
        let number = seen.entry(id.clone()).or_default();
        *number += 1;
        lines.add("BEGIN:VEVENT");
        lines.add(&match number {
            1 => format!("UID:{id}@seawall"),
            number => format!("UID:{id}-{number}@seawall"),
        });
        lines.add(&format!("DTSTAMP:{stamp}"));
        lines.add(&format!("DTSTART;VALUE=DATE:{}", compact(ends)));
        lines.add(&format!("DTEND;VALUE=DATE:{}", compact(ends + DAY)));
        lines.property("SUMMARY", &event.says);
        lines.property("DESCRIPTION", &description(event));
        lines.property("CATEGORIES", &event.kind);
        lines.add("TRANSP:TRANSPARENT");
        if !event.itself {
            for before in ["-P30D", "-P7D"] {
                lines.add("BEGIN:VALARM");
                lines.add("ACTION:DISPLAY");
                lines.add(&format!("TRIGGER:{before}"));
                lines.property("DESCRIPTION", &event.says);
                lines.add("END:VALARM");
            }
        }
        lines.add("END:VEVENT");
    }
    lines.add("END:VCALENDAR");
    lines.0
}

fn description(event: &Event) -> String {
    let mut parts = vec![event.then.clone()];
    if event.itself {
        parts.push("A machine renews it.".to_owned());
    }
    parts.push(event.resource.clone());
    parts.extend(event.place.clone());
    if let Some(guideline) = &event.guideline {
        parts.push(format!("seawall explain {guideline}"));
    }
    parts.extend(
        event
            .sources
            .iter()
            .map(|(url, seen)| format!("{url} (seen {seen})")),
    );
    parts.join("\n")
}

/// `20270131`
fn compact(seconds: i64) -> String {
    day(seconds).replace('-', "")
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A property whose value is a text (section 3.3.11).
    fn property(&mut self, name: &str, text: &str) {
        let mut value = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match c {
                '\\' | ';' | ',' => value.extend(['\\', c]),
                '\n' => value.push_str("\\n"),
                c if c.is_control() => {}
                c => value.push(c),
            }
        }
        self.add(&format!("{name}:{value}"));
    }

    /// A line, folded.
    fn add(&mut self, line: &str) {
        let mut used = 0;
        for c in line.chars() {
            if used + c.len_utf8() > LONGEST {
                self.0.push_str("\r\n ");
                used = 1;
            }
            self.0.push(c);
            used += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}
