//! Audit logs in an Event Hub: read once, or followed.
//!
//! A partition is a part whose messages have numbers. Partitions are read side by side: what was sent much later than the
//! oldest message that waits anywhere is not handed on yet, for detections forget what is older than their windows.
//! Messages that the hub deleted before they were read are counted and told.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use audit::Source;
use audit::follow::{Growing, Known, Messages, Part};
use audit::input::{self, Far};
use jiff::{SignedDuration, Timestamp};
use sources::blob::Span;
use sources::eventhub::{Access, Hub, Message, Refused};
use sources::post::Untold;

use super::pieces::{Piece, Pieces};
use super::said;

/// How much later than the oldest that waits messages are handed on: less than detections wait for what comes late.
const APART: SignedDuration = SignedDuration::from_mins(10);
/// A record is sent later than what it tells happened, by clocks that differ a little.
const SOONER: SignedDuration = SignedDuration::from_mins(5);
const LATER: SignedDuration = SignedDuration::from_hours(1);
/// So often nothing may come that is there; each time one waits a little.
const PATIENCE: usize = 50;

/// A hub that is followed.
#[derive(Debug)]
pub(super) struct Partitions {
    hub: Hub,
    since: Option<Timestamp>,
    known: BTreeMap<i32, Partition>,
    /// What was sent until then is handed on.
    until: Timestamp,
}

#[derive(Debug, Default)]
struct Partition {
    /// The number of the first message that is not handed on; unknown before it was looked for.
    at: Option<u64>,
    /// The number of the first that is not fetched.
    next: u64,
    /// What is fetched and not handed on.
    waiting: VecDeque<Message>,
    end: u64,
    /// What is told when it is asked for messages.
    trouble: Option<String>,
    lost: u64,
    anew: bool,
}

impl Partition {
    fn begin(&mut self, at: u64) {
        self.at = Some(at);
        self.next = at;
        self.waiting.clear();
    }

    /// Goes on with what is still there.
    fn gone(&mut self, there: Range<u64>) {
        if self.next > there.end {
            self.anew = true;
        } else {
            self.lost += there.start.saturating_sub(self.next);
        }
        self.end = there.end;
        self.begin(there.start);
    }
}

impl Partitions {
    pub(super) fn new(
        url: &str,
        access: &Access,
        since: Option<Timestamp>,
    ) -> Result<Self, String> {
        Ok(Self {
            hub: Hub::new(url, access)?,
            since: since.and_then(|since| since.checked_sub(SOONER).ok()),
            known: BTreeMap::new(),
            until: Timestamp::MIN,
        })
    }

    /// Fetches for all that have nothing waiting.
    fn fetch(&mut self) -> Result<(), Untold> {
        let there = self.hub.partitions()?;
        self.known.retain(|number, _| there.contains(number));
        for number in there {
            let own = self.known.entry(number).or_default();
            if own.at.is_none() {
                match self.hub.begin(number, self.since) {
                    Ok(at) => own.begin(at),
                    Err(untold) => own.trouble = Some(said(&untold)),
                }
            }
        }
        let empty = self.known.iter().filter(|(_, own)| own.waiting.is_empty());
        let wanted: Vec<(i32, u64)> = empty
            .filter(|(_, own)| own.at.is_some())
            .map(|(number, own)| (*number, own.next))
            .collect();
        let fetched = self.hub.fetch(&wanted);
        let mut refused = Vec::new();
        for (number, answer) in fetched {
            let Some(own) = self.known.get_mut(&number) else {
                continue;
            };
            match answer {
                Ok(fetched) => {
                    own.end = fetched.end;
                    if let Some(last) = fetched.messages.last() {
                        own.next = last.offset + 1;
                    }
                    own.waiting.extend(fetched.messages);
                }
                Err(Refused::Gone(there)) => own.gone(there),
                Err(Refused::Untold(untold)) => {
                    own.trouble = Some(said(&untold));
                    refused.push(untold);
                }
            }
        }
        // What is true of all is no matter of partitions.
        if refused.len() == self.known.len()
            && let Some(first) = refused.pop()
            && refused.iter().all(|other| other.message == first.message)
        {
            self.known.values_mut().for_each(|own| own.trouble = None);
            return Err(first);
        }
        Ok(())
    }
}

impl Growing for Partitions {
    fn parts(&mut self) -> Result<Vec<Part>, String> {
        self.fetch().map_err(|untold| said(&untold))?;
        let front = |own: &Partition| own.waiting.front().map(|first| first.at);
        let oldest = self.known.values().filter_map(front).min();
        self.until = oldest.map_or(Timestamp::MIN, |at| at.checked_add(APART).unwrap_or(at));
        let mut all: Vec<(&i32, &Partition)> = self.known.iter().collect();
        all.sort_by_key(|(number, own)| (front(own).unwrap_or(Timestamp::MAX), **number));
        let parts = all.into_iter().map(|(number, own)| Part {
            id: number.to_string(),
            name: format!("partition {number}"),
            length: own.end,
            grows_only: true,
            messages: true,
            ..Part::default()
        });
        Ok(parts.collect())
    }

    fn read(&mut self, part: &Part, _: u64, _: u64) -> Result<Vec<u8>, String> {
        Err(format!("{} has messages", part.name))
    }

    fn messages(&mut self, part: &Part, from: Option<u64>) -> Result<Messages, String> {
        let number = part.id.parse::<i32>().ok();
        let own = number.and_then(|number| self.known.get_mut(&number));
        let own = own.ok_or_else(|| "it is gone".to_owned())?;
        if let Some(why) = own.trouble.take() {
            return Err(why);
        }
        let (lost, anew) = (own.lost, own.anew);
        let at = own
            .at
            .ok_or_else(|| "it is not known where it begins".to_owned())?;
        // Nothing of it can be skipped but what is gone.
        if from.is_some_and(|from| from != at) && lost == 0 && !anew {
            own.begin(from.unwrap_or(at));
            return Err("it is read again from where it was".to_owned());
        }
        (own.lost, own.anew) = (0, false);
        let mut found = Messages {
            first: at,
            next: at,
            lost,
            anew,
            ..Messages::default()
        };
        while let Some(first) = own.waiting.pop_front_if(|first| first.at <= self.until) {
            found.next = first.offset + 1;
            found.bodies.push(first.body);
        }
        // Behind the last message numbers may be missing.
        if own.waiting.is_empty() {
            found.next = own.next;
        }
        own.at = Some(found.next);
        Ok(found)
    }

    fn resume(&mut self, known: &[Known], _: i64, _: bool) {
        for part in known {
            if let (Ok(number), Some(at)) = (part.id.parse(), part.at) {
                self.known.entry(number).or_default().begin(at);
            }
        }
    }
}

/// The partitions of a hub, to be read once: what was sent in a span, and is there now.
pub(super) fn sources(url: &str, access: &Access, span: Span) -> Result<Vec<Source>, Untold> {
    let mut hub = Hub::new(url, access).map_err(Untold::never)?;
    let since = span.since.and_then(|since| since.checked_sub(SOONER).ok());
    let until = span.until.and_then(|until| until.checked_add(LATER).ok());
    let name = hub.address().to_string();
    let mut all = Vec::new();
    for partition in hub.partitions()? {
        let begin = hub.begin(partition, since)?;
        let end = match until {
            Some(until) => hub.begin(partition, Some(until))?,
            None => hub.end(partition)?,
        };
        if begin < end {
            all.push((partition, begin..end));
        }
    }
    let hub = Arc::new(Mutex::new(hub));
    let far = all.into_iter().map(|(partition, range)| {
        Source::Far(Arc::new(Log {
            hub: Arc::clone(&hub),
            name: format!("{name} partition {partition}"),
            partition,
            range,
        }))
    });
    Ok(far.collect())
}

/// What a partition holds, as lines.
#[derive(Debug)]
struct Log {
    hub: Arc<Mutex<Hub>>,
    name: String,
    partition: i32,
    range: Range<u64>,
}

impl Far for Log {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let (hub, partition, range) = (Arc::clone(&self.hub), self.partition, self.range.clone());
        Pieces::reader(move |send| feed(&hub, partition, range, send))
    }
}

fn feed(hub: &Mutex<Hub>, partition: i32, mut range: Range<u64>, send: &SyncSender<Piece>) {
    let mut empty = 0;
    while !range.is_empty() {
        let answer = {
            let mut hub = hub.lock().unwrap_or_else(PoisonError::into_inner);
            hub.fetch(&[(partition, range.start)]).pop()
        };
        let piece = match answer {
            Some((_, Ok(fetched))) => {
                let Some(last) = fetched.messages.last() else {
                    // A hub that is busy answers with nothing.
                    empty += 1;
                    if empty < PATIENCE {
                        continue;
                    }
                    let _ = send.send(Err(format!(
                        "messages from number {} on do not come, though they are said to be there",
                        range.start
                    )));
                    return;
                };
                (empty, range.start) = (0, last.offset + 1);
                let mut lines = Vec::new();
                for message in &fetched.messages {
                    if message.offset < range.end {
                        input::lines(&message.body, &mut lines);
                    }
                }
                Ok(lines)
            }
            Some((_, Err(Refused::Gone(_)))) => Err(
                "messages were deleted while it was read; read again, or from a later `--since` on"
                    .to_owned(),
            ),
            Some((_, Err(Refused::Untold(untold)))) => Err(said(&untold)),
            None => return,
        };
        let ended = piece.is_err();
        if send.send(piece).is_err() || ended {
            return;
        }
    }
}
