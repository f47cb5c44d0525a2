//! Blobs that Azure Monitor keeps by the hour, and how only those of some hours are listed.
//!
//! A diagnostic setting writes `resourceId=/SUBSCRIPTIONS/…/y=2026/m=11/d=27/h=08/m=00/PT1H.json`, an append blob that
//! grows during its hour and a while after it
//! (<https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs#send-to-azure-storage>). Above the year
//! there is a folder for each cluster; these are looked for once and again from time to time. Blobs that stand
//! elsewhere are listed too, whatever time they are of.
//!
//! What it deliberately leaves out: reading blobs, and which of them hold logs.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{Blobs, Listed};
use crate::post::Untold;

/// How long folders above the years serve.
const FRESH: Duration = Duration::from_secs(600);
/// How deep folders are looked into: resource ids have about ten levels.
const DEPTH: usize = 32;
/// Folders that are looked into.
const FOLDERS: usize = 5000;
/// A record is written to the blob of the hour at which it was collected, which is later than what it tells.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// A time from which on, and one before which something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// Folders of a container that have blobs.
#[derive(Debug, Default)]
pub struct Hours {
    known: Option<(Instant, Folders)>,
}

#[derive(Debug, Default)]
struct Folders {
    /// Years stand right below these.
    hourly: Vec<String>,
    /// Blobs do.
    loose: Vec<String>,
}

impl Hours {
    /// The blobs that hold what happened in a span, the earliest hour first.
    ///
    /// # Errors
    /// When storage refuses, does not answer, or there are too many folders.
    pub fn list(&mut self, blobs: &Blobs, span: Span) -> Result<Vec<Listed>, Untold> {
        if let Some((at, _)) = &self.known
            && at.elapsed() >= FRESH
        {
            self.known = None;
        }
        let folders = match self.known.take() {
            Some((at, folders)) => (at, folders),
            None => (Instant::now(), folders(blobs)?),
        };
        let mut all = Vec::new();
        for folder in &folders.1.hourly {
            for beginning in beginnings(span) {
                let beginning = format!("{folder}{beginning}");
                all.extend(blobs.patiently(|| blobs.list(&beginning))?);
            }
        }
        for folder in &folders.1.loose {
            let listed = blobs.patiently(|| blobs.list(folder))?;
            all.extend(listed.into_iter().filter(|blob| {
                let within = blob.name.strip_prefix(folder.as_str());
                within.is_some_and(|name| !name.contains('/'))
            }));
        }
        // A container may still be empty, or get its first cluster: that is looked for again.
        let some = !folders.1.hourly.is_empty();
        self.known = some.then_some(folders);
        let mut timed: Vec<(Option<Timestamp>, Listed)> = all
            .into_iter()
            .map(|blob| (hour(&format!("{}{}", blobs.prefix, blob.name)), blob))
            .filter(|(hour, _)| hour.is_none_or(|hour| holds(span, hour)))
            .collect();
        timed.sort_by(|one, other| (one.0, &one.1.name).cmp(&(other.0, &other.1.name)));
        timed.dedup_by(|one, other| one.1.name == other.1.name);
        Ok(timed.into_iter().map(|(_, blob)| blob).collect())
    }
}

/// Whether the blob of an hour may hold something of a span.
fn holds(span: Span, hour: Timestamp) -> bool {
    let ended = later(hour, SignedDuration::from_hours(1));
    span.since.is_none_or(|since| ended > since)
        && span.until.is_none_or(|until| hour < later(until, LATE))
}

/// Names say any year, and time has an end.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

fn folders(blobs: &Blobs) -> Result<Folders, Untold> {
    let mut found = Folders::default();
    let mut waiting = vec![(String::new(), 0)];
    let mut looked = 0;
    while let Some((folder, depth)) = waiting.pop() {
        looked += 1;
        if looked > FOLDERS {
            return Err(Untold {
                help: Some("name a folder of the container behind its address"),
                ..Untold::never(format!("there are more than {FOLDERS} folders in it"))
            });
        }
        let (below, has_blobs) = blobs.patiently(|| blobs.folders(&folder))?;
        if below.iter().any(|name| is_year(name)) {
            found.hourly.push(folder.clone());
        }
        if has_blobs {
            found.loose.push(folder);
        }
        if depth < DEPTH {
            let deeper = below.into_iter().filter(|name| !is_year(name));
            waiting.extend(deeper.map(|name| (name, depth + 1)));
        }
    }
    found.hourly.sort();
    found.loose.sort();
    Ok(found)
}

fn is_year(folder: &str) -> bool {
    let name = folder.trim_end_matches('/').rsplit('/').next();
    let digits = name.and_then(|name| name.strip_prefix("y="));
    digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// What names of blobs of a span begin with, below the folder of their cluster: hours of a short one, days, months.
fn beginnings(span: Span) -> Vec<String> {
    let Some(since) = span.since else {
        return vec!["y=".to_owned()];
    };
    let until = later(span.until.unwrap_or_else(Timestamp::now), LATE).max(since);
    let hours = until.duration_since(since).as_hours();
    let (step, form) = match hours {
        ..=6 => (1, "y=%Y/m=%m/d=%d/h=%H/"),
        7..=1500 => (24, "y=%Y/m=%m/d=%d/"),
        _ => (24 * 27, "y=%Y/m=%m/"),
    };
    let mut all = Vec::new();
    let mut at = since;
    // Whatever was asked for: a hundred years of months.
    for _ in 0..1400 {
        all.push(at.min(until).strftime(form).to_string());
        if at >= until {
            break;
        }
        at = later(at, SignedDuration::from_hours(step));
    }
    all.dedup();
    all
}

/// The hour of a blob, by its name.
fn hour(name: &str) -> Option<Timestamp> {
    let mut parts = name.split('/').skip_while(|part| !is_year(part));
    let mut number = |key: &str| -> Option<&str> { parts.next()?.strip_prefix(key) };
    let (year, month) = (number("y=")?, number("m=")?);
    let (day, hour) = (number("d=")?, number("h=")?);
    format!("{year}-{month}-{day}T{hour}:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_tells_its_hour() {
        let name = "resourceId=/SUBSCRIPTIONS/X/y=2026/m=11/d=27/h=08/m=00/PT1H.json";
        assert_eq!(hour(name), Some(at("2026-11-27T08:00:00Z")));
        for none in ["audit.log", "y=2026/audit.log", "y=26/m=11/d=27/h=08/x"] {
            assert_eq!(hour(none), None, "{none}");
        }
    }

    #[test]
    fn every_hour_of_a_span_is_listed_and_few_others_are() {
        let starts = [
            "2026-11-27T08:20:00Z",
            "2026-02-28T23:59:59Z",
            "2025-12-31T22:00:00Z",
        ];
        for (since, hours) in starts
            .iter()
            .flat_map(|at| [1, 5, 30, 800, 3000].map(|n| (at, n)))
        {
            let since = at(since);
            let until = since + SignedDuration::from_hours(hours);
            let span = Span {
                since: Some(since),
                until: Some(until),
            };
            let beginnings = beginnings(span);
            for hour in 0..=hours + 1 {
                let at = since + SignedDuration::from_hours(hour);
                let name = at
                    .strftime("y=%Y/m=%m/d=%d/h=%H/m=00/PT1H.json")
                    .to_string();
                let listed = beginnings
                    .iter()
                    .filter(|one| name.starts_with(*one))
                    .count();
                assert_eq!(listed, 1, "{name} of {hours} hours since {since}");
                let own = super::hour(&name).unwrap();
                assert!(holds(span, own) || own >= until + LATE, "{name}");
            }
            assert!(beginnings.len() <= 70, "{beginnings:?}");
        }
    }
}
