//! What ends and when: as text, JSON, iCalendar and metrics.
//!
//! What it deliberately leaves out: finding it out ([`guide::renewals`]), and the clock.

mod icalendar;
mod metrics;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use guide::Guide;
use guide::renewals::{Due, Ends, day};
use guide::tables::Table;
use model::finding::Location;
use serde_json::{Value, json};

use crate::config::Waiver;

pub use icalendar::icalendar;
pub use metrics::metrics;
pub use text::text;

/// The version of the form that JSON is written in.
pub const SCHEMA: &str = "seawall.calendar/v1";

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What ends in an estate.
#[derive(Debug, Default)]
pub struct Calendar {
    /// The day on which it is looked at, in seconds since 1970.
    pub today: i64,
    /// What was read, as people call it.
    pub subject: Vec<String>,
    /// In the order of their ends.
    pub events: Vec<Event>,
    /// What ends at a time that is not known.
    pub unknown: Vec<Event>,
}

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// A stable name of what kind it is: a page of the guide's renewals, `waiver`, `option` or `table`.
    pub kind: Box<str>,
    /// What ends.
    pub says: String,
    /// When, in seconds since 1970; `None`: why stands in `because`.
    pub ends: Option<i64>,
    /// Why the end is not known.
    pub because: Option<String>,
    /// What happens when nobody minds it.
    pub then: String,
    /// A machine renews it.
    pub itself: bool,
    /// What it is an end of, `Microsoft.KeyVault/vaults/secrets/shop/db`.
    pub resource: String,
    /// File and line, or the address of a live object.
    pub place: Option<String>,
    /// The guideline that judges the same.
    pub guideline: Option<Box<str>>,
    /// Where the facts come from, and when each was seen.
    pub sources: Vec<(Box<str>, Box<str>)>,
}

impl Event {
    /// Days until it ends; less than 0 when it has.
    fn days(&self, today: i64) -> Option<i64> {
        Some((self.ends?.div_euclid(DAY)) - today.div_euclid(DAY))
    }
}

impl Calendar {
    /// A calendar without events.
    #[must_use]
    pub fn new(today: i64, subject: Vec<String>) -> Self {
        Self {
            today,
            subject,
            ..Self::default()
        }
    }

    /// Adds what the guide's renewals found.
    pub fn add_due(&mut self, due: &[Due<'_>]) {
        for one in due {
            let (ends, because) = match &one.ends {
                Ends::At(seconds) => (Some(*seconds), None),
                Ends::Unknown(reason) => (None, Some(reason.clone())),
                Ends::Never => continue,
            };
            let renewal = one.renewal;
            self.add(Event {
                kind: renewal.id.clone(),
                says: one.says.clone(),
                ends,
                because,
                then: first_paragraph(&renewal.prose),
                itself: one.itself,
                resource: one.resource.clone(),
                place: Some(place_of(&one.place)),
                guideline: renewal.guideline.clone(),
                sources: renewal
                    .references
                    .iter()
                    .map(|own| (own.url.clone(), own.seen.clone()))
                    .collect(),
            });
        }
    }

    /// Adds the waivers of a configuration.
    pub fn add_waivers(&mut self, waivers: &[Waiver]) {
        for waiver in waivers {
            let Some(ends) = waiver.until.as_deref().and_then(guide::setting::midnight) else {
                continue;
            };
            let about = waiver.resource.as_deref().unwrap_or("everything");
            self.add(Event {
                kind: "waiver".into(),
                says: format!("waiver of `{}` for `{about}` ends", waiver.guideline),
                ends: Some(ends.seconds),
                because: None,
                then: format!("Its findings count again. {} answers for it.", waiver.owner),
                itself: false,
                resource: about.to_owned(),
                place: Some(format!("{}:{}", waiver.path, waiver.line)),
                guideline: Some(waiver.guideline.clone()),
                sources: Vec::new(),
            });
        }
    }

    /// Adds options of topics that were chosen and that their provider ends: topic, option.
    pub fn add_options(&mut self, guide: &Guide, chosen: &[(&str, &str)]) {
        for (topic, id) in chosen {
            let Some((topic, option)) = guide.option(&format!("{topic}/{id}")) else {
                continue;
            };
            let Some(ends) = option.ends.as_deref().and_then(last_day) else {
                continue;
            };
            self.add(Event {
                kind: "option".into(),
                says: format!("{} is ended by its provider", option.title),
                ends: Some(ends),
                because: None,
                then: format!(
                    "{} `seawall decide` compares what to choose instead.",
                    option.trade_off
                ),
                itself: false,
                resource: format!("{}/{}", topic.id, option.id),
                place: None,
                guideline: None,
                sources: topic
                    .references
                    .iter()
                    .map(|own| (own.url.clone(), own.seen.clone()))
                    .collect(),
            });
        }
    }

    /// Adds the days on which the guide's own tables become old; those that were read on one day are one event.
    pub fn add_tables(&mut self, tables: &[Table]) {
        let mut by_day: BTreeMap<i64, Vec<&Table>> = BTreeMap::new();
        for table in tables {
            if let Some(date) = table.date.as_deref().and_then(guide::setting::midnight) {
                by_day.entry(date.seconds).or_default().push(table);
            }
        }
        for (date, tables) in by_day {
            let read = day(date);
            let (says, resource) = match &*tables {
                [table] => (
                    format!(
                        "table `{}` of the guide, checked on {read}, is old",
                        table.name
                    ),
                    format!("guide/data/{}", table.name),
                ),
                _ => (
                    format!(
                        "{} tables of the guide, checked on {read}, are old",
                        tables.len()
                    ),
                    "guide/data".to_owned(),
                ),
            };
            let names: Vec<&str> = tables.iter().map(|table| &*table.name).collect();
            let urls: BTreeSet<&str> = tables
                .iter()
                .flat_map(|table| table.sources.iter().map(|url| &**url))
                .collect();
            self.add(Event {
                kind: "table".into(),
                says,
                ends: Some(date + guide::tables::OLD_DAYS * DAY),
                because: None,
                then: format!(
                    "Verdicts that rest on {} may no longer be true. A newer seawall brings newer tables.",
                    names.join(", ")
                ),
                itself: false,
                resource,
                place: None,
                guideline: None,
                sources: urls
                    .into_iter()
                    .map(|url| (url.into(), read.as_str().into()))
                    .collect(),
            });
        }
    }

    fn add(&mut self, event: Event) {
        if event.ends.is_some() {
            self.events.push(event);
        } else {
            self.unknown.push(event);
        }
    }

    /// Brings everything into order, and leaves out what ends later than in so many days. The same said twice is
    /// said once.
    pub fn settle(&mut self, within: Option<u32>) {
        let today = self.today;
        if let Some(within) = within {
            let is_near = |event: &Event| event.days(today) <= Some(i64::from(within));
            self.events.retain(is_near);
        }
        for events in [&mut self.events, &mut self.unknown] {
            events.sort_by(|a, b| {
                let key = |event: &Event| {
                    (
                        event.ends,
                        event.says.clone(),
                        event.resource.clone(),
                        event.place.clone(),
                    )
                };
                key(a).cmp(&key(b))
            });
            events.dedup();
        }
    }

    /// How many have ended or end within so many days, and no machine renews them.
    #[must_use]
    pub fn near(&self, days: u32) -> usize {
        let is_near = |event: &&Event| {
            !event.itself
                && event
                    .days(self.today)
                    .is_some_and(|own| own <= i64::from(days))
        };
        self.events.iter().filter(is_near).count()
    }

    /// The calendar as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let event = |event: &Event| {
            let sources: Vec<Value> = event
                .sources
                .iter()
                .map(|(url, seen)| json!({"url": url, "seen": seen}))
                .collect();
            json!({
                "kind": event.kind,
                "says": event.says,
                "ends": event.ends.map(moment),
                "days": event.days(self.today),
                "because": event.because,
                "then": event.then,
                "renewsItself": event.itself,
                "resource": event.resource,
                "place": event.place,
                "guideline": event.guideline,
                "sources": sources,
            })
        };
        json!({
            "schema": SCHEMA,
            "tool": {"name": "seawall", "version": env!("CARGO_PKG_VERSION")},
            "asOf": day(self.today),
            "subject": self.subject,
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
            "unknown": self.unknown.iter().map(event).collect::<Vec<_>>(),
        })
    }
}

/// `2027-01-31T00:00:00Z`
fn moment(seconds: i64) -> String {
    guide_time(seconds).to_string()
}

const fn guide_time(seconds: i64) -> cel::Timestamp {
    cel::Timestamp { seconds, nanos: 0 }
}

/// File and line, or an address.
fn place_of(place: &Location) -> String {
    if place.live {
        place.path.to_string()
    } else {
        format!("{}:{}", place.path, place.line)
    }
}

fn first_paragraph(prose: &str) -> String {
    let first = prose.split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a day, or of the last day of a month.
fn last_day(date: &str) -> Option<i64> {
    if date.len() > 7 {
        return Some(guide::setting::midnight(date)?.seconds);
    }
    // The day before the first of the next month.
    let (year, month) = date.split_once('-')?;
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    let (year, month) = (year + month / 12, month % 12 + 1);
    Some(guide::setting::midnight(&format!("{year:04}-{month:02}-01"))?.seconds - DAY)
}

#[cfg(test)]
mod tests;
