//! All records of some files, handed to states that merge.
//!
//! Threads take chunks from one place and keep a state each; the states are merged at the end. So a state must not
//! depend on the order of records or on which of them it saw ([`Fold`]). One chunk a thread is in memory.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Mutex;
use std::thread;

use crate::chunks::{Chunk, Chunks, Form};
use crate::event::{Event, Json};
use crate::input::Source;
use crate::losses::Losses;
use crate::record::{self, Buffers, Envelope, Found, said};
use crate::seen::Seen;
use crate::{Place, cri, csv, table, time};

/// What takes records, in any order and any part of them.
pub trait Fold: Send + Sized {
    /// Takes a record.
    fn take(&mut self, record: &Record<'_>);
    /// Adds what another saw.
    fn merge(&mut self, other: Self);
}

/// A record.
#[derive(Debug)]
pub struct Record<'r> {
    /// Where it stands.
    pub place: Place,
    /// What it was wrapped in.
    pub envelope: &'r Envelope<'r>,
    /// What it holds.
    pub what: What<'r>,
    /// When it happened, in microseconds since 1970: the event's stage, else its request.
    pub at: Option<i64>,
    /// It was there before, word for word as far as it matters.
    pub copy: bool,
    /// No other event of the same request was there before. Which one is the first hangs on the order; that
    /// there is one does not.
    pub first: bool,
}

/// What a record holds.
#[derive(Debug)]
pub enum What<'r> {
    /// An audit event of a cluster.
    Event(&'r Event<'r>),
    /// An operation of Azure Resource Manager, as the activity log writes it.
    Activity(Json<'r>),
}

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many threads; at least one.
    pub threads: usize,
    /// How many requests are remembered to know copies.
    pub remembered: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().map_or(1, usize::from),
            remembered: 1 << 19,
        }
    }
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{name}`: {error}")]
pub struct ReadError {
    /// what it is called
    pub name: String,
    /// why
    pub error: io::Error,
}

/// Reads all files.
///
/// # Errors
/// At the first file that cannot be read.
pub fn read<F: Fold>(
    sources: &[Source],
    options: Options,
    new: impl Fn() -> F + Sync,
) -> Result<(F, Losses), ReadError> {
    let queue = Mutex::new(Queue {
        sources,
        waiting: (0..sources.len()).collect(),
        current: None,
        losses: Losses::default(),
    });
    let seen = Seen::new(options.remembered);
    let work = || -> Result<(F, Losses), ReadError> {
        let mut worker = Worker {
            state: new(),
            losses: Losses::default(),
            buffers: Buffers::default(),
            row: Vec::new(),
            seen: &seen,
        };
        let mut chunk = Chunk::default();
        loop {
            let file = {
                let mut queue = queue.lock().unwrap_or_else(|broken| broken.into_inner());
                queue.next(&mut chunk)?
            };
            match file {
                Some((file, columns)) => worker.chunk(file, &chunk, &columns),
                None => return Ok((worker.state, worker.losses)),
            }
        }
    };
    let (state, mut losses) = if options.threads <= 1 {
        work()?
    } else {
        parallel(options.threads, &work)?
    };
    let queue = queue
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    losses.merge(queue.losses);
    losses.forgot = seen.forgot();
    Ok((state, losses))
}

fn parallel<F: Fold>(
    threads: usize,
    work: &(dyn Fn() -> Result<(F, Losses), ReadError> + Sync),
) -> Result<(F, Losses), ReadError> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            let other = match other.join() {
                Ok(other) => other,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            all = match (all, other) {
                (Ok((mut state, mut losses)), Ok((other, lost))) => {
                    state.merge(other);
                    losses.merge(lost);
                    Ok((state, losses))
                }
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
        }
        all
    })
}

/// What is still to read; whoever holds it reads the next chunk.
struct Queue<'s> {
    sources: &'s [Source],
    waiting: VecDeque<usize>,
    current: Option<Open>,
    losses: Losses,
}

struct Open {
    file: usize,
    chunks: Chunks<Box<dyn Read + Send>>,
    /// The names of the columns, of CSV.
    columns: Vec<String>,
}

impl Queue<'_> {
    /// The next chunk: its file, and the columns of CSV.
    fn next(&mut self, chunk: &mut Chunk) -> Result<Option<(usize, Vec<String>)>, ReadError> {
        loop {
            if self.current.is_none() {
                let Some(file) = self.waiting.pop_front() else {
                    return Ok(None);
                };
                let reader = self.opened(file)?;
                self.current = Some(Open {
                    file,
                    chunks: Chunks::new(reader),
                    columns: Vec::new(),
                });
                self.losses.files += 1;
            }
            let Some(open) = &mut self.current else {
                return Ok(None);
            };
            let file = open.file;
            let more = open.chunks.next(chunk);
            if !matches!(more, Ok(true)) {
                self.losses.bytes += open.chunks.read;
                for _ in 0..open.chunks.given_up {
                    self.losses.unreadable(Place {
                        file: open.file,
                        line: 0,
                    });
                }
            }
            match more {
                Ok(true) => {
                    if chunk.form == Form::Csv && open.columns.is_empty() {
                        open.columns = header(chunk);
                    }
                    if chunk.form == Form::Table {
                        open.columns.clone_from(&open.chunks.columns);
                    }
                    return Ok(Some((file, open.columns.clone())));
                }
                Ok(false) => self.current = None,
                Err(error) => {
                    let name = self.name(file);
                    return Err(ReadError { name, error });
                }
            }
        }
    }

    fn name(&self, file: usize) -> String {
        self.sources.get(file).map(Source::name).unwrap_or_default()
    }

    fn opened(&self, file: usize) -> Result<Box<dyn Read + Send>, ReadError> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let opened = self
            .sources
            .get(file)
            .map_or_else(|| Err(missing()), Source::open);
        opened.map_err(|error| ReadError {
            name: self.name(file),
            error,
        })
    }
}

/// Takes the first row away, which names the columns.
pub(crate) fn header(chunk: &mut Chunk) -> Vec<String> {
    if chunk.ranges.is_empty() {
        return Vec::new();
    }
    let first = chunk.ranges.remove(0);
    csv::cells(chunk.bytes.get(first).unwrap_or_default())
}

/// Hands on the records of one chunk, for who reads on and on.
pub(crate) fn chunk<F: Fold>(
    state: F,
    (losses, buffers, seen): (&mut Losses, &mut Buffers, &Seen),
    (file, chunk, columns): (usize, &Chunk, &[String]),
) -> F {
    let mut worker = Worker {
        state,
        losses: std::mem::take(losses),
        buffers: std::mem::take(buffers),
        row: Vec::new(),
        seen,
    };
    worker.chunk(file, chunk, columns);
    *losses = worker.losses;
    *buffers = worker.buffers;
    worker.state
}

/// One who reads chunks.
struct Worker<'s, F> {
    state: F,
    losses: Losses,
    buffers: Buffers,
    /// A row of a table, as an object.
    row: Vec<u8>,
    seen: &'s Seen,
}

impl<F: Fold> Worker<'_, F> {
    fn chunk(&mut self, file: usize, chunk: &Chunk, columns: &[String]) {
        if chunk.form == Form::Lines {
            let ends = memchr::memchr_iter(b'\n', &chunk.bytes).chain([chunk.bytes.len()]);
            let (mut from, mut parts) = (0, cri::Parts::default());
            for (end, number) in ends.zip(chunk.line..) {
                let line = chunk.bytes.get(from..end).unwrap_or_default().trim_ascii();
                from = end + 1;
                if line.is_empty() {
                    continue;
                }
                let Some(line) = cri::line(line) else {
                    self.record(Place { file, line: number }, line);
                    continue;
                };
                parts.take(line, number, &mut |text, line| {
                    self.record(Place { file, line }, text.trim_ascii());
                });
            }
            parts.end(&mut |text, line| self.record(Place { file, line }, text.trim_ascii()));
            return;
        }
        let mut place = Place {
            file,
            line: chunk.line,
        };
        let mut at = 0;
        for range in &chunk.ranges {
            let between = chunk.bytes.get(at..range.start).unwrap_or_default();
            place.line += memchr::memchr_iter(b'\n', between).count() as u64;
            at = range.start;
            let text = chunk.bytes.get(range.clone()).unwrap_or_default();
            match chunk.form {
                Form::Csv => self.record(place, &csv::object(columns, text)),
                Form::Table if text.first() == Some(&b'[') => {
                    let mut row = std::mem::take(&mut self.row);
                    table::object(columns, text, &mut row);
                    self.record(place, &row);
                    self.row = row;
                }
                Form::Lines | Form::Document | Form::Table => self.record(place, text),
            }
        }
    }

    fn record(&mut self, place: Place, text: &[u8]) {
        let Self {
            state,
            losses,
            buffers,
            seen,
            ..
        } = self;
        record::read(text, buffers, &mut |envelope, found| {
            losses.records += 1;
            match found {
                Found::Event(event) => {
                    take(state, losses, seen, place, envelope, event);
                }
                Found::Activity(json) => {
                    losses.activities += 1;
                    state.take(&Record {
                        place,
                        envelope,
                        what: What::Activity(json),
                        at: said(&envelope.time).and_then(time::micros),
                        copy: false,
                        first: true,
                    });
                }
                Found::Other(category, text) => {
                    if category == "guard" {
                        losses.guard.line(&String::from_utf8_lossy(text));
                    }
                    match losses.other.get_mut(category.as_ref()) {
                        Some(count) => *count += 1,
                        None => {
                            losses.other.insert(category.as_ref().into(), 1);
                        }
                    }
                }
                Found::Unreadable => losses.unreadable(place),
            }
        });
    }
}

fn take<F: Fold>(
    state: &mut F,
    losses: &mut Losses,
    seen: &Seen,
    place: Place,
    envelope: &Envelope<'_>,
    event: &Event<'_>,
) {
    counted(state, losses, place, envelope, event, seen.sees(event));
}

/// Counts an event and hands it on; whether it is the first of its request and whether a copy was found out before.
pub(crate) fn counted<F: Fold>(
    state: &mut F,
    losses: &mut Losses,
    place: Place,
    envelope: &Envelope<'_>,
    event: &Event<'_>,
    (first, copy): (bool, bool),
) {
    let stage = said(&event.stage_time).and_then(time::micros);
    let at = stage.or_else(|| said(&event.received).and_then(time::micros));
    let cluster = said(&envelope.resource).unwrap_or_default();
    losses.event(event, cluster, at);
    match envelope.without_reads() {
        Some(true) => losses.without_reads += 1,
        Some(false) => {}
        None => losses.unsaid_reads += 1,
    }
    if let (Some(stage), Some(kept)) = (stage, said(&envelope.time).and_then(time::micros)) {
        losses.lag(kept - stage);
    }
    losses.duplicates += u64::from(copy);
    losses.requests += u64::from(first);
    state.take(&Record {
        place,
        envelope,
        what: What::Event(event),
        at,
        copy,
        first,
    });
}
