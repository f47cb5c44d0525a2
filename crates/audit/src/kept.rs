//! Records as they are kept elsewhere, and read again: what must be kept of one so that every state says the same
//! as over the log.
//!
//! That is the text of the event, what it was wrapped in, and whether it is a copy. Where it is kept is the matter of
//! whoever does.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::event::{Event, Field, Json};
use crate::losses::Losses;
use crate::read::{Fold, Record, What, counted};
use crate::record::{Envelope, said};
use crate::scan::{End, Scan};
use crate::{Place, seen, time};

/// A record that was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept<'k> {
    /// Of the activity log; else an event of a cluster.
    pub activity: bool,
    /// The text of the record, as far as it was there.
    pub text: Cow<'k, [u8]>,
    /// What it was wrapped in says: `kube-audit` …
    pub category: Option<&'k str>,
    /// … the Azure resource …
    pub resource: Option<&'k str>,
    /// … and when it was collected.
    pub collected: Option<&'k str>,
    /// It was there before.
    pub copy: bool,
    /// No other event of the same request was there before.
    pub first: bool,
}

impl<'k> Kept<'k> {
    /// What is to be kept of a record.
    #[must_use]
    pub fn of(record: &'k Record<'k>) -> Self {
        let (activity, text) = match &record.what {
            What::Event(event) => (false, event.json.text()),
            What::Activity(json) => (true, json.text()),
        };
        Self {
            activity,
            text,
            category: said(&record.envelope.category),
            resource: said(&record.envelope.resource),
            collected: said(&record.envelope.time),
            copy: record.copy,
            first: record.first,
        }
    }

    /// Hands it to a state, and counts it, as [`crate::read()`] does.
    pub fn fold<F: Fold>(&self, state: &mut F, losses: &mut Losses) {
        let field = |text: Option<&'k str>| text.map_or(Field::Absent, |t| Field::Known(t.into()));
        let envelope = Envelope {
            category: field(self.category),
            resource: field(self.resource),
            time: field(self.collected),
        };
        let place = Place { file: 0, line: 0 };
        losses.records += 1;
        if self.activity {
            losses.activities += 1;
            let whole = Scan::new(&self.text).value().end() == End::Whole;
            let json = Json::new(&self.text, whole);
            state.take(&Record {
                place,
                envelope: &envelope,
                what: What::Activity(json),
                at: self.collected.and_then(time::micros),
                copy: self.copy,
                first: self.first,
            });
            return;
        }
        match Event::read(&self.text) {
            Some(event) => {
                let before = (self.first, self.copy);
                counted(state, losses, place, &envelope, &event, before);
            }
            None => losses.unreadable(place),
        }
    }
}

/// A number for the request of an event and one for the event itself: the same whenever and wherever it is read.
/// `None` where too little is known to tell two apart.
#[must_use]
pub fn numbers(event: &Event<'_>) -> Option<(u64, u64)> {
    let (request, stage) = seen::numbers(event)?;
    Some((request, xxh3_64_with_seed(&[stage], request)))
}
