//! Data files: one for each cluster and day of a commit, in Parquet.
//!
//! Memory is bounded: a row group ends at a number of bytes, few files are open at once, and the one that was not written
//! to for the longest is closed for another. A file counts only once a commit names it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::commit::DataFile;
use crate::error::{Error, to};
use crate::root::Root;
use crate::rows::{Partition, SCHEMA};

/// A row group is written at so many bytes.
const GROUP: usize = 16 << 20;
/// And the largest when all together are so many.
const ALL: usize = 96 << 20;
/// Files that are open at once.
const OPEN: usize = 24;

/// What writes the files of a commit.
pub(crate) struct Writers<'r> {
    root: &'r Root,
    /// The number that the commit will have.
    number: u64,
    /// Two who write at once must not write the same file.
    run: u64,
    open: BTreeMap<Partition, Open>,
    done: Vec<DataFile>,
    count: u64,
    clock: u64,
}

struct Open {
    path: String,
    writer: AsyncArrowWriter<BufWriter>,
    rows: u64,
    used: u64,
}

impl<'r> Writers<'r> {
    pub(crate) fn new(root: &'r Root, number: u64, run: u64) -> Self {
        Self {
            root,
            number,
            run,
            open: BTreeMap::new(),
            done: Vec::new(),
            count: 0,
            clock: 0,
        }
    }

    pub(crate) async fn write(
        &mut self,
        partition: Partition,
        batch: &RecordBatch,
    ) -> Result<(), Error> {
        self.clock += 1;
        if !self.open.contains_key(&partition) {
            if self.open.len() >= OPEN {
                let oldest = self.open.iter().min_by_key(|(_, open)| open.used);
                if let Some(oldest) = oldest.map(|(partition, _)| partition.clone()) {
                    self.close(oldest).await?;
                }
            }
            let new = self.begin(&partition)?;
            self.open.insert(partition.clone(), new);
        }
        if let Some(open) = self.open.get_mut(&partition) {
            open.rows += batch.num_rows() as u64;
            open.used = self.clock;
            let written = open.writer.write(batch).await;
            written.map_err(to(format!("write `{}`", open.path)))?;
            if open.writer.in_progress_size() >= GROUP {
                let flushed = open.writer.flush().await;
                flushed.map_err(to(format!("write `{}`", open.path)))?;
            }
        }
        let sizes = self.open.values().map(|open| open.writer.memory_size());
        if sizes.sum::<usize>() > ALL {
            let largest = self
                .open
                .values_mut()
                .max_by_key(|open| open.writer.memory_size());
            if let Some(open) = largest {
                let flushed = open.writer.flush().await;
                flushed.map_err(to(format!("write `{}`", open.path)))?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, (cluster, day): &Partition) -> Result<Open, Error> {
        self.count += 1;
        let path = format!(
            "cluster={}/day={}/{:010}-{:016x}-{:04}.parquet",
            plain(cluster),
            day.map_or_else(|| "unknown".to_owned(), day_text),
            self.number,
            self.run,
            self.count
        );
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let place: Path = self.root.at(&path);
        let object = BufWriter::new(Arc::clone(&self.root.store), place);
        let writer = AsyncArrowWriter::try_new(object, Arc::clone(&SCHEMA), Some(properties))
            .map_err(to(format!("write `{path}`")))?;
        Ok(Open {
            path,
            writer,
            rows: 0,
            used: self.clock,
        })
    }

    async fn close(&mut self, partition: Partition) -> Result<(), Error> {
        let Some(open) = self.open.remove(&partition) else {
            return Ok(());
        };
        let path = open.path;
        open.writer
            .close()
            .await
            .map_err(to(format!("write `{path}`")))?;
        let (cluster, day) = partition;
        self.done.push(DataFile {
            bytes: self.root.size(&path).await?,
            path,
            cluster,
            day,
            rows: open.rows,
        });
        Ok(())
    }

    /// Closes all files.
    pub(crate) async fn finish(mut self) -> Result<Vec<DataFile>, Error> {
        while let Some(partition) = self.open.keys().next().cloned() {
            self.close(partition).await?;
        }
        self.done.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(self.done)
    }
}

/// A day as people write it.
pub(crate) fn day_text(day: i32) -> String {
    let span = jiff::Span::new().try_days(day);
    let date = span.and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span));
    date.map_or_else(|_| format!("{day}"), |date| date.to_string())
}

/// A name that any store and any shell takes; what it was stands in the commit.
fn plain(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(80)
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
            _ => '_',
        })
        .collect();
    if plain == name && !plain.is_empty() {
        plain
    } else {
        let hash = xxhash_rust::xxh3::xxh3_64(name.as_bytes());
        format!("{plain}_{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::{day_text, plain};

    #[test]
    fn names_are_plain_and_differ_where_clusters_do() {
        assert_eq!(plain("shop-1"), "shop-1");
        assert_ne!(plain("a/b"), plain("a_b"));
        assert_ne!(plain(""), plain("_"));
        assert!(!plain("../x").contains('/'));
        assert_eq!(day_text(0), "1970-01-01");
        assert_eq!(day_text(20_784), "2026-11-27");
        assert_eq!(day_text(i32::MAX), i32::MAX.to_string());
    }
}
