//! Logs read on and on, each record once: where they grow, what was read of each part is noted.
//!
//! [`Growing`] is what has parts: folders ([`Files`]), a pipe ([`Pipe`]); others know more. A part is read in whole
//! lines; the beginning of the next line is read again later, so where it was read to ([`Follow::checkpoint`]) and
//! what is remembered always belong together. A part that is compressed, or no lines, is read whole once it rests. A part
//! may have numbered messages instead of bytes.
//!
//! What it deliberately leaves out: the clock, when to look again, and where checkpoints are kept.

mod files;
mod pipe;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::Place;
use crate::chunks::{self, Chunk, Chunks, Form};
use crate::detect::{Detections, News, Tally, Told};
use crate::input::{self, PACKED};
use crate::losses::Losses;
use crate::read;
use crate::record::Buffers;
use crate::seen::Seen;
use crate::within::{Span, Within};

pub use files::Files;
pub use pipe::Pipe;

/// The version of checkpoints.
const SCHEMA: &str = "seawall.checkpoint/v1";
/// How much is read at once.
const PIECE: u64 = 1 << 20;
/// How much is read before it is told what was found.
const TURN: u64 = 16 << 20;
/// How many of the first bytes tell one content from another.
const PRINT: u64 = 1024;
/// Fewer bytes tell too little.
const TELLING: u64 = 64;
/// How many events are remembered to know copies.
const REMEMBERED: usize = 1 << 18;
/// How long it is known how far a part was read that is not there any more, in microseconds.
const GONE: i64 = 7 * 86_400 * 1_000_000;
/// How far ahead of the clock the newest event may be.
const AHEAD: i64 = 300 * 1_000_000;

/// A part of what grows: a file, a blob, a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The same as long as it is the same, whatever it is called.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its bytes as of now.
    pub length: u64,
    /// It cannot be written anew, only grow.
    pub grows_only: bool,
    /// Nothing will be added to it.
    pub over: bool,
    /// It is lines, whatever it begins with.
    pub lines: bool,
    /// It has messages: `length` is the number that the next one will get.
    pub messages: bool,
}

/// Messages of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    /// What they hold, in their order.
    pub bodies: Vec<Vec<u8>>,
    /// The number of the first.
    pub first: u64,
    /// The number of the one after the last.
    pub next: u64,
    /// How many were deleted before they were read.
    pub lost: u64,
    /// The numbers are those of another part of the same id: what was read before has nothing to do with it.
    pub anew: bool,
}

/// A part that was known at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it was called.
    pub name: String,
    /// Its id.
    pub id: String,
    /// How far it was read, where any of it was.
    pub at: Option<u64>,
}

/// Something whose parts grow.
pub trait Growing: Send {
    /// The parts that are there, in the order in which they are to be read.
    ///
    /// # Errors
    /// When that cannot be found out now.
    fn parts(&mut self) -> Result<Vec<Part>, String>;

    /// At most so many bytes of a part from one on; fewer at its end.
    ///
    /// # Errors
    /// When they cannot be read now.
    fn read(&mut self, part: &Part, from: u64, most: u64) -> Result<Vec<u8>, String>;

    /// Some messages of a part, from one on; from its beginning, where none of it was read.
    ///
    /// # Errors
    /// When they cannot be read now.
    fn messages(&mut self, part: &Part, from: Option<u64>) -> Result<Messages, String> {
        let _ = from;
        Err(format!("`{}` has no messages", part.name))
    }

    /// Whether nothing will come any more.
    fn is_over(&self) -> bool {
        false
    }

    /// Told when all that was there is read: what is over needs not be among the parts any more.
    fn caught_up(&mut self) {}

    /// Told before the first look after a stop: the parts that were known, when that was, and whether all that was there
    /// then had been read.
    fn resume(&mut self, known: &[Known], at: i64, caught_up: bool) {
        let _ = (known, at, caught_up);
    }
}

/// How far a part was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Position {
    name: String,
    /// Bytes of whole lines; where it is compressed, without the compression.
    at: u64,
    line: u64,
    /// The hash of so many of its first bytes.
    print: (u64, u64),
    /// When it was last there.
    there: i64,
    /// Its length when it was last looked at.
    length: u64,
    /// A line that is too long is being left out.
    skips: bool,
    /// Whether it is read by lines, or else whole or in messages; it is seen by its beginning.
    lines: Option<bool>,
    /// It has messages, and `at` is the number of the next.
    messages: bool,
    /// It was read whole.
    whole: bool,
}

/// What became of a look at what grows.
#[derive(Debug, Default)]
pub struct Looked {
    /// What is to be told.
    pub news: Vec<News>,
    /// Whether anything was read.
    pub read: bool,
    /// Whether there is more to read at once.
    pub more: bool,
    /// Whether nothing will come any more.
    pub over: bool,
    /// Parts that could not be read, and why.
    pub troubles: Vec<String>,
    /// What was gone before it was read.
    pub gone: Vec<String>,
    /// Bytes that may still be read.
    budget: u64,
}

/// Detections over logs that grow.
pub struct Follow<'d, 'g> {
    detections: Option<Within<Detections<'d, 'g>>>,
    told: Told,
    losses: Losses,
    buffers: Buffers,
    seen: Seen,
    positions: BTreeMap<String, Position>,
    /// Bytes that are read and not yet taken, by part.
    rests: BTreeMap<String, Vec<u8>>,
    /// Sources that were read to their end once.
    caught_up: BTreeSet<usize>,
}

impl<'d, 'g> Follow<'d, 'g> {
    /// From a state that saw nothing.
    #[must_use]
    pub fn new(detections: Detections<'d, 'g>, told: Told, span: Span) -> Self {
        Self {
            detections: Some(Within::new(detections, span)),
            told,
            losses: Losses::default(),
            buffers: Buffers::default(),
            seen: Seen::new(REMEMBERED),
            positions: BTreeMap::new(),
            rests: BTreeMap::new(),
            caught_up: BTreeSet::new(),
        }
    }

    /// What was lost since it began here.
    #[must_use]
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// What was not judged.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let detections = self.detections.as_ref();
        detections.map_or_else(Tally::default, |within| within.state.tally(&self.told))
    }

    /// What was seen and told.
    #[must_use]
    pub const fn told(&self) -> &Told {
        &self.told
    }

    /// Bytes that are known to be there and are not read.
    #[must_use]
    pub fn behind(&self) -> u64 {
        let open = self
            .positions
            .values()
            .filter(|position| position.lines == Some(true));
        open.map(|position| position.length.saturating_sub(position.at))
            .sum()
    }

    /// Messages that are known to be there and are not read.
    #[must_use]
    pub fn messages_behind(&self) -> u64 {
        let open = self.positions.values().filter(|position| position.messages);
        open.map(|position| position.length.saturating_sub(position.at))
            .sum()
    }

    /// Reads what is new, and says what is to be told. `source` tells several that grow apart; `now` is in microseconds
    /// since 1970.
    ///
    /// # Errors
    /// When it cannot be found out what is there.
    pub fn look(
        &mut self,
        source: usize,
        growing: &mut dyn Growing,
        now: i64,
    ) -> Result<Looked, String> {
        let parts = growing.parts()?;
        let mut looked = Looked {
            budget: TURN,
            ..Looked::default()
        };
        for part in &parts {
            let key = format!("{source} {}", part.id);
            let mut position = self.positions.remove(&key).unwrap_or_default();
            let rested = position.there != 0 && position.length == part.length;
            position.name.clone_from(&part.name);
            position.there = now;
            let mut open = Open {
                key: &key,
                part,
                growing,
                rested: rested || part.over,
            };
            let read = self.part(&mut open, &mut position, &mut looked);
            position.length = part.length;
            self.positions.insert(key, position);
            if let Err(why) = read {
                looked.troubles.push(format!("{}: {why}", part.name));
            }
        }
        let there = |position: &Position| now - position.there < GONE;
        self.positions.retain(|_, position| there(position));
        let (positions, rests) = (&self.positions, &mut self.rests);
        rests.retain(|key, _| positions.contains_key(key));
        if !looked.more && looked.troubles.is_empty() {
            self.caught_up.insert(source);
            growing.caught_up();
        }
        looked.over = growing.is_over() && !looked.read;
        looked.news = self.news(now);
        Ok(looked)
    }

    /// What is to be told of what was read.
    fn news(&mut self, now: i64) -> Vec<News> {
        let newest = self
            .losses
            .last
            .unwrap_or(now)
            .min(now.saturating_add(AHEAD));
        let detections = self.detections.as_mut();
        detections.map_or_else(Vec::new, |within| within.state.news(&mut self.told, newest))
    }

    fn part(
        &mut self,
        open: &mut Open<'_>,
        position: &mut Position,
        looked: &mut Looked,
    ) -> Result<(), String> {
        if open.part.messages {
            return self.messages(open, position, looked);
        }
        if looked.budget == 0 {
            let read = position.lines == Some(true) && position.at >= open.part.length;
            looked.more |= !position.whole && !read && open.part.length > 0;
            return Ok(());
        }
        if open.is_another(position)? {
            // Written anew: what was read of it before has nothing to do with it.
            self.rests.remove(open.key);
            let anew = Position {
                name: position.name.clone(),
                there: position.there,
                ..Position::default()
            };
            let mut before = std::mem::replace(position, anew);
            // It may come back compressed: numbers of files that are deleted are given again.
            before.length = before.at;
            let ghost = format!("{} {:x}", open.key, before.print.0);
            self.positions.insert(ghost, before);
        }
        if position.whole || open.part.length == 0 {
            return Ok(());
        }
        if open.part.lines {
            position.lines = Some(true);
        }
        if position.lines == Some(true) {
            self.losses.files += u64::from(position.at == 0 && position.length == 0);
            return self.lines(open, position, looked);
        }
        let begin = open.read(0, PRINT * 64)?;
        let packed = begin.starts_with(&PACKED);
        let lines = *position
            .lines
            .get_or_insert_with(|| !packed && chunks::form(&begin) == Form::Lines);
        if lines {
            self.losses.files += 1;
            return self.lines(open, position, looked);
        }
        if open.rested {
            if packed {
                position.at = self.before(open)?;
            }
            self.whole(open, position, packed)?;
            looked.read = true;
        }
        Ok(())
    }

    /// Some messages.
    fn messages(
        &mut self,
        open: &mut Open<'_>,
        position: &mut Position,
        looked: &mut Looked,
    ) -> Result<(), String> {
        position.messages = true;
        let from = position.lines.is_some().then_some(position.at);
        if looked.budget == 0 {
            looked.more |= from.is_none_or(|from| from < open.part.length);
            return Ok(());
        }
        let found = open.growing.messages(open.part, from)?;
        self.losses.files += u64::from(from.is_none());
        self.losses.expired += found.lost;
        let name = &open.part.name;
        match found.lost {
            0 => {}
            1 => looked
                .gone
                .push(format!("{name}: 1 message was deleted before it was read")),
            lost => looked.gone.push(format!(
                "{name}: {lost} messages were deleted before they were read"
            )),
        }
        if found.anew {
            let text = "it was made anew, and is read from its beginning";
            looked.gone.push(format!("{name}: {text}"));
        }
        let mut chunk = Chunk {
            line: found.first,
            ..Chunk::default()
        };
        for body in &found.bodies {
            input::lines(body, &mut chunk.bytes);
        }
        self.losses.bytes += chunk.bytes.len() as u64;
        looked.budget = looked.budget.saturating_sub(chunk.bytes.len() as u64);
        if !chunk.bytes.is_empty() {
            self.chunk(&chunk, &[]);
        }
        looked.read |= !found.bodies.is_empty();
        looked.more |= !found.bodies.is_empty() && found.next < open.part.length;
        (position.at, position.lines) = (found.next, Some(false));
        Ok(())
    }

    /// How far something was read before it was compressed, which the API server's own rotation does at once: it
    /// begins with the same bytes.
    fn before(&self, open: &mut Open<'_>) -> Result<u64, String> {
        let mut begin = Vec::new();
        let reader = Reader {
            open,
            at: 0,
            ready: io::Cursor::default(),
        };
        let packed = MultiGzDecoder::new(reader);
        packed
            .take(PRINT)
            .read_to_end(&mut begin)
            .map_err(|error| error.to_string())?;
        let same = |position: &&Position| {
            let (print, of) = position.print;
            let begin = usize::try_from(of).ok().and_then(|of| begin.get(..of));
            of >= TELLING && begin.is_some_and(|begin| xxh3_64(begin) == print)
        };
        let own = self
            .positions
            .values()
            .filter(|one| one.lines == Some(true));
        Ok(own
            .filter(same)
            .map(|position| position.at)
            .max()
            .unwrap_or_default())
    }

    /// Whole lines, as many as there are.
    fn lines(
        &mut self,
        open: &mut Open<'_>,
        position: &mut Position,
        looked: &mut Looked,
    ) -> Result<(), String> {
        let mut rest = self.rests.remove(open.key).unwrap_or_default();
        let done = loop {
            let from = position.at + rest.len() as u64;
            let missing = open.part.length.saturating_sub(from);
            if missing == 0 {
                break Ok(());
            }
            if looked.budget == 0 {
                looked.more = true;
                break Ok(());
            }
            let bytes = match open.read(from, missing.min(PIECE)) {
                Ok(bytes) => bytes,
                Err(why) => break Err(why),
            };
            if bytes.is_empty() {
                break Ok(());
            }
            looked.read = true;
            self.losses.bytes += bytes.len() as u64;
            looked.budget = looked.budget.saturating_sub(bytes.len() as u64);
            rest.extend_from_slice(&bytes);
            let used = memchr::memrchr(b'\n', &rest).map_or(0, |end| end + 1);
            if used > 0 {
                self.take(&rest, used, position);
                rest.drain(..used);
            } else if rest.len() > chunks::LONGEST {
                self.losses.unreadable += u64::from(!position.skips);
                position.skips = true;
                position.at += rest.len() as u64;
                rest.clear();
            }
        };
        if done.is_ok() && open.part.over && !rest.is_empty() && !looked.more {
            let all = rest.len();
            self.take(&rest, all, position);
            rest.clear();
        }
        if !rest.is_empty() {
            self.rests.insert(open.key.to_owned(), rest);
        }
        open.print(position)?;
        done
    }

    /// Takes whole lines.
    fn take(&mut self, bytes: &[u8], used: usize, position: &mut Position) {
        let mut lines = bytes.get(..used).unwrap_or_default();
        position.at += used as u64;
        if position.skips {
            position.skips = false;
            position.line += 1;
            let end = memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1);
            lines = lines.get(end..).unwrap_or_default();
        }
        let chunk = Chunk {
            bytes: lines.to_vec(),
            line: position.line + 1,
            ..Chunk::default()
        };
        position.line += memchr::memchr_iter(b'\n', lines).count() as u64;
        self.chunk(&chunk, &[]);
    }

    fn chunk(&mut self, chunk: &Chunk, columns: &[String]) {
        if let Some(detections) = self.detections.take() {
            let count = (&mut self.losses, &mut self.buffers, &self.seen);
            self.detections = Some(read::chunk(detections, count, (0, chunk, columns)));
        }
    }

    /// All of a part at once, from where it was read to when it was not compressed yet.
    fn whole(
        &mut self,
        open: &mut Open<'_>,
        position: &mut Position,
        packed: bool,
    ) -> Result<(), String> {
        let reader = Reader {
            open,
            at: 0,
            ready: io::Cursor::default(),
        };
        let mut reader: Box<dyn Read + '_> = if packed {
            Box::new(MultiGzDecoder::new(reader))
        } else {
            Box::new(reader)
        };
        let failed = |error: io::Error| error.to_string();
        io::copy(&mut reader.by_ref().take(position.at), &mut io::sink()).map_err(failed)?;
        let mut chunks = Chunks::new(reader);
        let (mut chunk, mut columns) = (Chunk::default(), Vec::new());
        while chunks.next(&mut chunk).map_err(failed)? {
            if chunk.form == Form::Csv && columns.is_empty() {
                columns = read::header(&mut chunk);
            }
            self.chunk(&chunk, &columns);
        }
        self.losses.bytes += chunks.read;
        self.losses.files += 1;
        let nowhere = Place { file: 0, line: 0 };
        (0..chunks.given_up).for_each(|_| self.losses.unreadable(nowhere));
        drop(chunks);
        position.whole = true;
        open.print(position)
    }

    /// How far it came and what it knows, as JSON; `more` is kept beside it.
    #[must_use]
    pub fn checkpoint(&self, now: i64, more: Value) -> Value {
        let positions = self.positions.iter().map(|(key, position)| {
            let Position {
                name,
                at,
                line,
                print,
                there,
                length,
                skips,
                lines,
                whole,
                messages,
            } = position;
            let row = json!([
                name, at, line, print.0, print.1, there, length, skips, whole, lines, messages
            ]);
            (key.clone(), row)
        });
        let detections = self.detections.as_ref();
        json!({
            "schema": SCHEMA,
            "at": now,
            "newest": self.losses.last,
            "caughtUp": self.caught_up,
            "positions": Value::Object(positions.collect()),
            "told": self.told.kept(),
            "remembered": detections.map(|within| within.state.kept()),
            "more": more,
        })
    }

    /// Goes on where a checkpoint was written; what was kept beside it.
    ///
    /// # Errors
    /// When it is none of this form.
    pub fn resume(
        &mut self,
        checkpoint: &Value,
        sources: &mut [Box<dyn Growing>],
    ) -> Result<Value, String> {
        if checkpoint.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            return Err(format!("its schema is not `{SCHEMA}`"));
        }
        let positions = checkpoint.get("positions").and_then(Value::as_object);
        for (key, row) in positions.into_iter().flatten() {
            let number = |index: usize| row.get(index).and_then(Value::as_u64);
            let flag = |index: usize| row.get(index).and_then(Value::as_bool) == Some(true);
            let name = row.get(0).and_then(Value::as_str).unwrap_or_default();
            let position = Position {
                name: name.to_owned(),
                at: number(1).unwrap_or_default(),
                line: number(2).unwrap_or_default(),
                print: (number(3).unwrap_or_default(), number(4).unwrap_or_default()),
                there: row.get(5).and_then(Value::as_i64).unwrap_or_default(),
                length: number(6).unwrap_or_default(),
                skips: flag(7),
                whole: flag(8),
                lines: row.get(9).and_then(Value::as_bool),
                messages: flag(10),
            };
            self.positions.insert(key.clone(), position);
        }
        self.losses.last = checkpoint.get("newest").and_then(Value::as_i64);
        if let Some(told) = checkpoint.get("told") {
            self.told.restore(told);
        }
        if let (Some(kept), Some(within)) = (checkpoint.get("remembered"), &mut self.detections) {
            within.state.restore(kept);
        }
        let at = checkpoint
            .get("at")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        let caught_up = checkpoint.get("caughtUp").and_then(Value::as_array);
        let caught_up: BTreeSet<usize> = caught_up
            .into_iter()
            .flatten()
            .filter_map(|index| usize::try_from(index.as_u64()?).ok())
            .collect();
        for (index, source) in sources.iter_mut().enumerate() {
            let known: Vec<Known> = self
                .positions
                .iter()
                .filter_map(|(key, position)| {
                    let id = key.strip_prefix(&format!("{index} "))?;
                    Some(Known {
                        name: position.name.clone(),
                        id: id.to_owned(),
                        at: position.lines.map(|_| position.at),
                    })
                })
                .collect();
            let caught_up = caught_up.contains(&index);
            source.resume(&known, at, caught_up);
            if caught_up {
                self.caught_up.insert(index);
            }
        }
        Ok(checkpoint.get("more").cloned().unwrap_or_default())
    }

    /// The lines that have no end yet, when nobody will read on.
    pub fn close(&mut self, now: i64) -> Vec<News> {
        for (key, rest) in std::mem::take(&mut self.rests) {
            let mut position = self.positions.remove(&key).unwrap_or_default();
            self.take(&rest, rest.len(), &mut position);
            self.positions.insert(key, position);
        }
        self.news(now)
    }
}

/// A part that is being read.
struct Open<'o> {
    key: &'o str,
    part: &'o Part,
    growing: &'o mut dyn Growing,
    /// It did not grow since the last look, or will not.
    rested: bool,
}

impl Open<'_> {
    fn read(&mut self, from: u64, most: u64) -> Result<Vec<u8>, String> {
        self.growing.read(self.part, from, most)
    }

    /// Whether it holds something else than what was read of it.
    fn is_another(&mut self, position: &Position) -> Result<bool, String> {
        let (print, of) = position.print;
        if of == 0 || self.part.grows_only {
            return Ok(false);
        }
        if self.part.length < of || position.lines == Some(true) && self.part.length < position.at {
            return Ok(true);
        }
        if self.part.length == position.length {
            return Ok(false);
        }
        Ok(xxh3_64(&self.read(0, of)?) != print)
    }

    /// Notes what its first bytes are.
    fn print(&mut self, position: &mut Position) -> Result<(), String> {
        let of = self.part.length.min(PRINT);
        if !self.part.grows_only && position.print.1 < of {
            let begin = self.read(0, of)?;
            position.print = (xxh3_64(&begin), begin.len() as u64);
        }
        Ok(())
    }
}

/// A part from its first byte on.
struct Reader<'r, 'o> {
    open: &'r mut Open<'o>,
    at: u64,
    ready: io::Cursor<Vec<u8>>,
}

impl Read for Reader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.ready.read(buffer)?;
        if count > 0 || self.at >= self.open.part.length {
            return Ok(count);
        }
        let most = (self.open.part.length - self.at).min(PIECE);
        let bytes = self.open.read(self.at, most).map_err(io::Error::other)?;
        self.at += bytes.len() as u64;
        self.ready = io::Cursor::new(bytes);
        self.ready.read(buffer)
    }
}
