//! Which events were kept before: an event that is delivered twice counts once, also when the second time comes in
//! another run.
//!
//! Known are the keys of one day's events, from what is committed and what is written now. Memory is bounded: of days that
//! hold too many keys not all are known, and that is said.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::UInt64Type;
use futures::TryStreamExt;

use crate::commit::DataFile;
use crate::error::{Error, to};
use crate::root::Root;
use crate::session::one_file;

/// Keys in memory: a quarter of a gigabyte.
const MOST: usize = 8 << 20;

const EVENT: &str = "event_key";
const REQUEST: &str = "request_key";

type Numbers = HashSet<u64, BuildHasherDefault<Hashed>>;

/// Numbers that are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[derive(Debug, Default)]
struct Keys {
    events: Numbers,
    requests: Numbers,
    used: u64,
}

impl Keys {
    fn len(&self) -> usize {
        self.events.len() + self.requests.len()
    }
}

/// What is known of events that were kept before.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    days: BTreeMap<Option<i32>, Keys>,
    clock: u64,
    /// Not all keys could be kept.
    pub(crate) forgot: bool,
}

impl Copies {
    /// Marks the events of a day that were there before, and requests that are new. `committed` is what counts.
    pub(crate) async fn mark(
        &mut self,
        root: &Root,
        committed: &[DataFile],
        day: Option<i32>,
        batch: RecordBatch,
    ) -> Result<RecordBatch, Error> {
        self.clock += 1;
        if !self.days.contains_key(&day) {
            let mut keys = Keys::default();
            for file in committed.iter().filter(|file| file.day == day) {
                self.forgot |= !load(root, file, &mut keys).await?;
            }
            self.days.insert(day, keys);
        }
        let marked = match self.days.get_mut(&day) {
            Some(keys) => {
                keys.used = self.clock;
                marked(keys, batch)?
            }
            None => batch,
        };
        while self.days.values().map(Keys::len).sum::<usize>() > MOST {
            let oldest = self.days.iter().min_by_key(|(_, keys)| keys.used);
            let Some(oldest) = oldest.map(|(day, _)| *day) else {
                break;
            };
            // What is committed is read again when it is asked for, what is not is forgotten.
            self.days.remove(&oldest);
            self.forgot = true;
        }
        Ok(marked)
    }
}

/// Adds the keys of a file; false where there are too many.
async fn load(root: &Root, file: &DataFile, keys: &mut Keys) -> Result<bool, Error> {
    let what = || format!("read `{}`", file.path);
    let mut batches = one_file(root, file, &[EVENT, REQUEST]).await?;
    while let Some(batch) = batches.try_next().await.map_err(to(what()))? {
        if keys.len() > MOST / 2 {
            return Ok(false);
        }
        keys.events
            .extend(numbers(&batch, EVENT).into_iter().flatten().flatten());
        keys.requests
            .extend(numbers(&batch, REQUEST).into_iter().flatten().flatten());
    }
    Ok(true)
}

fn numbers<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b UInt64Array> {
    batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>()
}

fn marked(keys: &mut Keys, batch: RecordBatch) -> Result<RecordBatch, Error> {
    let (Some(events), Some(requests)) = (numbers(&batch, EVENT), numbers(&batch, REQUEST)) else {
        return Ok(batch);
    };
    let copies: BooleanArray = events
        .iter()
        .map(|key| Some(key.is_some_and(|key| !keys.events.insert(key))))
        .collect();
    let firsts: BooleanArray = requests
        .iter()
        .map(|key| Some(key.is_none_or(|key| keys.requests.insert(key))))
        .collect();
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| match field.name().as_str() {
        "is_copy" => Arc::new(copies.clone()) as _,
        "is_first" => Arc::new(firsts.clone()) as _,
        _ => Arc::clone(column),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(to("mark copies"))
}
