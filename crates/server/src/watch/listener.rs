//! The thread that hears and judges: each object alone, at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use ::guide::{Guide, Setting};
use jiff::Timestamp;
use rayon::prelude::*;
use report::config::Config;
use report::triage::Triage;
use serde_json::json;
use sources::live::{Change, Event};

use super::feed::Heard;
use super::held::{Object, Teller};
use super::judging::{Judging, Read, settings};
use super::said::Sorting;
use super::{Level, Live, Options, Shared, TICK};

/// What is judged together.
const BATCH: usize = 256;

/// Hears and judges, day after day.
pub(super) fn listen(
    guide: &Guide,
    options: &Options,
    shared: &Shared,
    inbox: Receiver<Heard>,
    stop: &AtomicBool,
    again: &AtomicBool,
) {
    let mut begin = None;
    while !stop.load(Ordering::Relaxed) {
        let Some((name, minor)) = begin.take().or_else(|| first(&inbox, stop)) else {
            return;
        };
        let day = options.day();
        // In this order: a later one is seen later.
        let number = options.config.number();
        let config = options.config.now();
        let setting = match settings(guide, &config, minor, &day) {
            Ok(setting) => Arc::new(setting),
            // It did parse when the watch began.
            Err(why) => {
                (options.log)(Level::Error, "nothing can be judged", json!({"why": why}));
                return;
            }
        };
        let round = {
            let mut live = shared.change();
            live.held.setting = Some(Arc::clone(&setting));
            live.held.begin(Teller::Cluster, &name)
        };
        (options.log)(
            Level::Info,
            "watching",
            json!({"cluster": name, "day": day, "round": round}),
        );
        let mut listener = Listener::new(guide, options, shared, &setting, (&config, &day));
        begin = listener.run(&inbox, stop, (&day, number), again);
    }
}

/// Waits for the cluster; what others tell before is not heard, they tell it again.
fn first(inbox: &Receiver<Heard>, stop: &AtomicBool) -> Option<(String, Option<u8>)> {
    while !stop.load(Ordering::Relaxed) {
        match inbox.recv_timeout(TICK) {
            Ok(Heard::Begin {
                from: Teller::Cluster,
                name,
                minor,
            }) => return Some((name, minor)),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}

/// One day of listening.
pub(super) struct Listener<'a> {
    options: &'a Options,
    shared: &'a Shared,
    judging: Judging<'a>,
    triage: Triage,
}

impl<'a> Listener<'a> {
    pub(super) fn new(
        guide: &'a Guide,
        options: &'a Options,
        shared: &'a Shared,
        setting: &'a Setting,
        (config, day): (&Config, &str),
    ) -> Self {
        Self {
            options,
            shared,
            judging: Judging::new(guide, setting, config, &shared.shapes),
            triage: Triage::new(config, day),
        }
    }

    /// Until the cluster begins anew, which is told, or it is time to stop. With a new day or another configuration it
    /// is asked to.
    fn run(
        &mut self,
        inbox: &Receiver<Heard>,
        stop: &AtomicBool,
        (day, number): (&str, u64),
        again: &AtomicBool,
    ) -> Option<(String, Option<u8>)> {
        let mut asked = false;
        while !stop.load(Ordering::Relaxed) {
            let goes_on = self.options.day() == day && self.options.config.number() == number;
            if !asked && !goes_on {
                asked = true;
                again.store(true, Ordering::Relaxed);
            }
            let mut batch = Vec::new();
            match inbox.recv_timeout(TICK) {
                Ok(heard) => batch.push(heard),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            // What follows a beginning is for the judge of the new day.
            while batch.len() < BATCH
                && !batch.last().is_some_and(Heard::begins)
                && let Ok(heard) = inbox.try_recv()
            {
                batch.push(heard);
            }
            if let Some(begin) = self.hear(batch) {
                return Some(begin);
            }
        }
        None
    }

    /// Judges a batch in parallel, then takes note of it in order.
    pub(super) fn hear(&mut self, batch: Vec<Heard>) -> Option<(String, Option<u8>)> {
        let judging = &self.judging;
        let read = |heard: &Heard| match heard {
            Heard::Change(_, Change::Told(Event::Object(object))) => Some(judging.read(object)),
            _ => None,
        };
        let read: Vec<Option<Read>> = if batch.len() < 8 {
            batch.iter().map(read).collect()
        } else {
            batch.par_iter().map(read).collect()
        };
        let now = (self.options.clock)();
        let mut dirty = false;
        let mut begin = None;
        {
            let mut live = self.shared.change();
            for (heard, read) in batch.into_iter().zip(read) {
                match heard {
                    Heard::Begin {
                        from: Teller::Cluster,
                        name,
                        minor,
                    } => begin = Some((name, minor)),
                    Heard::Begin { from, name, .. } => {
                        live.held.begin(from, &name);
                    }
                    Heard::Change(from, change) => {
                        dirty |= self.take(&mut live, from, change, read, now);
                    }
                }
            }
        }
        if dirty {
            self.shared.dirty();
        }
        begin
    }

    /// Takes note of a change: whether the estate as a whole may be another.
    fn take(
        &mut self,
        live: &mut Live,
        from: Teller,
        change: Change,
        read: Option<Read>,
        now: Timestamp,
    ) -> bool {
        match change {
            Change::Told(Event::Object(object)) => {
                read.is_some_and(|read| self.put(live, from, object.address, read))
            }
            Change::Told(Event::Complete { kind, within }) => {
                live.held.complete(from, kind, within)
            }
            Change::Told(Event::Gap(gap)) => {
                if !gap.by_choice {
                    (self.options.log)(
                        Level::Warn,
                        "a kind is not read",
                        json!({"kind": &*gap.kind, "within": &*gap.within, "why": &*gap.why, "help": gap.help}),
                    );
                }
                live.held.gap(from, gap)
            }
            Change::Told(Event::Other { api_version, kind }) => {
                live.held.other(from, api_version, kind);
                false
            }
            Change::Told(Event::Doing(_) | Event::Kept(_) | Event::Entry(_)) => false,
            Change::Gone(address) => self.drop(live, &address),
            Change::Heard(kind) => {
                live.held.heard(from, kind, now);
                false
            }
            Change::Lost { kind, why } => {
                (self.options.log)(
                    Level::Warn,
                    "nothing is heard of a kind",
                    json!({"kind": &*kind, "why": &*why}),
                );
                live.held.lost(from, kind, why, now);
                true
            }
            Change::CaughtUp => {
                for address in live.held.caught_up(from) {
                    self.drop(live, &address);
                }
                (self.options.log)(
                    Level::Info,
                    "everything was read",
                    json!({"source": live.held.names(), "objects": live.held.len()}),
                );
                true
            }
        }
    }

    fn put(&mut self, live: &mut Live, from: Teller, address: Arc<str>, read: Read) -> bool {
        let figures = &self.shared.figures;
        figures.objects_judged.fetch_add(1, Ordering::Relaxed);
        live.local.take_back(&address);
        let mut moved = false;
        for resource in &read.resources {
            moved |= live.makers.note(resource);
        }
        let object = Object {
            from,
            round: live.held.round(from),
            resources: read.resources,
            numbers: Box::default(),
            entries: read.entries,
            judged: read.judged,
            made: read.made,
            verdicts: read.verdicts,
            hidden: read.hidden,
        };
        let mut sorting = Sorting {
            makers: &live.makers,
            triage: &mut self.triage,
        };
        live.local
            .say(&address, object.made.as_ref(), &mut sorting, read.findings);
        live.local.count(&object.verdicts, true);
        let before = live.held.put(Arc::clone(&address), object);
        if let Some(before) = &before {
            live.local.count(&before.verdicts, false);
            // A ReplicaSet that runs nothing any more is no workload to anybody.
            if live
                .held
                .get(&address)
                .is_some_and(|now| now.resources.is_empty())
            {
                for resource in &before.resources {
                    moved |= live.makers.forget(&resource.name);
                }
            }
        }
        if moved {
            self.move_below(live, &address, before.as_ref());
        }
        let now = live.held.get(&address);
        let matters = |object: &Object| {
            let mut resources = object.resources.iter();
            resources.any(|resource| self.judging.joins_read(&resource.name.kind))
        };
        match (before, now) {
            (Some(before), Some(now)) => (matters(&before) || matters(now)) && !alike(&before, now),
            (None, Some(now)) => matters(now) || now.hidden.is_some(),
            _ => false,
        }
    }

    fn drop(&mut self, live: &mut Live, address: &Arc<str>) -> bool {
        live.local.take_back(address);
        let Some(before) = live.held.remove(address) else {
            return false;
        };
        let figures = &self.shared.figures;
        figures.objects_gone.fetch_add(1, Ordering::Relaxed);
        live.local.count(&before.verdicts, false);
        let mut moved = false;
        for resource in &before.resources {
            moved |= live.makers.forget(&resource.name);
        }
        if moved {
            self.move_below(live, address, Some(&before));
        }
        before.hidden.is_some()
            || before
                .resources
                .iter()
                .any(|resource| self.judging.joins_read(&resource.name.kind))
    }

    /// What an object made belongs to something else now: its findings too.
    fn move_below(&mut self, live: &mut Live, address: &Arc<str>, before: Option<&Object>) {
        let now = live.held.get(address);
        let names: Vec<model::ResourceName> = now
            .into_iter()
            .chain(before)
            .flat_map(|object| &object.resources)
            .map(|resource| resource.name.clone())
            .collect();
        for name in names {
            for below in live.makers.below(&name) {
                let Some(made) = live.held.get(&below).and_then(|object| object.made.clone())
                else {
                    continue;
                };
                let mut sorting = Sorting {
                    makers: &live.makers,
                    triage: &mut self.triage,
                };
                live.local.say_again(&below, &made, &mut sorting);
                live.joined.say_again(&below, &made, &mut sorting);
                live.moved.insert(below);
            }
        }
    }
}

/// Whether two states of an object are one to whoever joins: what is kept of them stands in the same words.
fn alike(before: &Object, now: &Object) -> bool {
    before.hidden == now.hidden
        && before.resources.len() == now.resources.len()
        && before
            .resources
            .iter()
            .zip(&now.resources)
            .all(|(before, now)| {
                before.name == now.name
                    && before.provider_managed == now.provider_managed
                    && before.doc.text() == now.doc.text()
            })
}
