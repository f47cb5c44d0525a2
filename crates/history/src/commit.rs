//! What counts of a history: a list of commits, each a small file with the next number.
//!
//! A commit names the data files that it adds and how far it read which logs. It is made only if its number is free, in
//! one step, so two who write cannot both have it. What no commit names does not count: a run that was killed leaves
//! such files, and whoever commits next removes those whose number is taken.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde_json::{Value, json};

use crate::error::{Error, to};
use crate::part::Progress;
use crate::root::Root;

const SCHEMA: &str = "seawall.history/v1";
/// Where commits are.
pub(crate) const FOLDER: &str = "_commits";
/// How many are read at once.
const AT_ONCE: usize = 16;

/// A file of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// below the root
    pub path: String,
    /// the cluster that all of its events are of
    pub cluster: String,
    /// The day on which they happened, in days since 1970; of events without a time none.
    pub day: Option<i32>,
    /// how many
    pub rows: u64,
    /// of the file
    pub bytes: u64,
}

/// What one commit adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// its number, from one
    pub number: u64,
    /// data
    pub files: Vec<DataFile>,
    /// how far logs are read now
    pub sources: Vec<Progress>,
    /// records of other categories, which are not kept
    pub other: BTreeMap<Box<str>, u64>,
    /// records that nobody can read
    pub unreadable: u64,
    /// Not every copy could be known as one.
    pub forgot: bool,
}

/// A history at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// the number of the last commit
    pub number: u64,
    /// all data
    pub files: Vec<DataFile>,
    /// how far which logs are read
    pub(crate) sources: Vec<Progress>,
    /// records of other categories, which were not kept
    pub other: BTreeMap<Box<str>, u64>,
    /// records that nobody could read
    pub unreadable: u64,
    /// Not every copy could be known as one.
    pub forgot: bool,
}

fn path(number: u64) -> String {
    format!("{FOLDER}/{number:010}.json")
}

fn number_of(path: &object_store::path::Path) -> Option<u64> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}

impl Snapshot {
    /// Reads all commits.
    ///
    /// # Errors
    /// When one cannot be read, or is missing between others.
    pub async fn read(root: &Root) -> Result<Self, Error> {
        let what = || format!("read the history in `{}`", root.name());
        let listed = root.store.list(Some(&root.at(FOLDER)));
        let mut numbers: BTreeSet<u64> = listed
            .try_filter_map(|meta| async move { Ok(number_of(&meta.location)) })
            .try_collect()
            .await
            .map_err(to(what()))?;
        let last = numbers.last().copied().unwrap_or_default();
        if let Some(missing) = (1..=last).find(|number| !numbers.remove(number)) {
            return Err(Error::new(format!(
                "the history in `{}` lacks `{}`",
                root.name(),
                path(missing)
            ))
            .help("put it back from where it was copied, or begin a new history"));
        }
        let mut commits = futures::stream::iter(1..=last)
            .map(|number| async move {
                let got = root.store.get(&root.at(&path(number))).await?;
                let bytes = got.bytes().await?;
                Ok::<_, object_store::Error>((number, bytes))
            })
            .buffered(AT_ONCE);
        let mut snapshot = Self::default();
        while let Some(next) = commits.next().await {
            let (number, bytes) = next.map_err(to(what()))?;
            let commit = Commit::from_json(number, &bytes).ok_or_else(|| {
                Error::new(format!(
                    "`{}` in `{}` is no commit",
                    path(number),
                    root.name()
                ))
                .help("was it written by another version of seawall?")
            })?;
            snapshot.add(commit);
        }
        Ok(snapshot)
    }

    /// Adds the next commit.
    pub(crate) fn add(&mut self, commit: Commit) {
        self.number = commit.number;
        self.files.extend(commit.files);
        for source in commit.sources {
            match self
                .sources
                .iter_mut()
                .find(|known| known.is_before(&source))
            {
                Some(known) => *known = source,
                None => self.sources.push(source),
            }
        }
        for (category, count) in commit.other {
            *self.other.entry(category).or_default() += count;
        }
        self.unreadable += commit.unreadable;
        self.forgot |= commit.forgot;
    }
}

impl Commit {
    /// Makes it count, in one step.
    pub(crate) async fn write(&self, root: &Root) -> Result<(), Error> {
        let text = self.to_json().to_string();
        let options = PutOptions::from(PutMode::Create);
        let path = path(self.number);
        let put = root
            .store
            .put_opts(&root.at(&path), text.into_bytes().into(), options)
            .await;
        match put {
            Ok(_) => Ok(()),
            // A try whose answer was lost may have written it.
            Err(object_store::Error::AlreadyExists { .. }) if self.is_there(root).await => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => Err(Error::new(format!(
                "another `audit compact` wrote to `{}` meanwhile",
                root.name()
            ))
            .help("run it again: what was read here does not count, and nothing is lost")),
            Err(error) => Err(to(format!("write `{path}`"))(error)),
        }
    }

    async fn is_there(&self, root: &Root) -> bool {
        let own = self.to_json().to_string();
        match root.store.get(&root.at(&path(self.number))).await {
            Ok(got) => got.bytes().await.is_ok_and(|there| there == own.as_bytes()),
            Err(_) => false,
        }
    }

    fn to_json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| {
                json!({
                    "path": file.path,
                    "cluster": file.cluster,
                    "day": file.day,
                    "rows": file.rows,
                    "bytes": file.bytes,
                })
            })
            .collect();
        let sources: Vec<Value> = self.sources.iter().map(Progress::to_json).collect();
        json!({
            "schema": SCHEMA,
            "files": files,
            "sources": sources,
            "otherCategories": self.other,
            "unreadable": self.unreadable,
            "duplicatesCertain": !self.forgot,
        })
    }

    fn from_json(number: u64, bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        if value.get("schema")?.as_str()? != SCHEMA {
            return None;
        }
        let files = value.get("files")?.as_array()?.iter().map(file);
        let sources = value.get("sources")?.as_array()?;
        let other = value.get("otherCategories")?.as_object()?.iter();
        Some(Self {
            number,
            files: files.collect::<Option<_>>()?,
            sources: sources
                .iter()
                .map(Progress::from_json)
                .collect::<Option<_>>()?,
            other: other
                .map(|(category, count)| Some((category.as_str().into(), count.as_u64()?)))
                .collect::<Option<_>>()?,
            unreadable: value.get("unreadable")?.as_u64()?,
            forgot: !value.get("duplicatesCertain")?.as_bool()?,
        })
    }
}

fn file(value: &Value) -> Option<DataFile> {
    let day = match value.get("day")? {
        Value::Null => None,
        day => Some(i32::try_from(day.as_i64()?).ok()?),
    };
    Some(DataFile {
        path: value.get("path")?.as_str()?.to_owned(),
        cluster: value.get("cluster")?.as_str()?.to_owned(),
        day,
        rows: value.get("rows")?.as_u64()?,
        bytes: value.get("bytes")?.as_u64()?,
    })
}

/// Removes what no commit names and nobody can name any more: files whose number is taken by another commit.
pub(crate) async fn clean(root: &Root, snapshot: &Snapshot) -> Result<u64, Error> {
    let named: BTreeSet<&str> = snapshot.files.iter().map(|file| &*file.path).collect();
    let prefix = root.prefix.as_ref();
    let is_left = |path: &object_store::path::Path| {
        let below = path.as_ref().strip_prefix(prefix)?.trim_start_matches('/');
        let name = below.rsplit('/').next()?;
        let number: u64 = name.split_once('-')?.0.parse().ok()?;
        let is_data = below.starts_with("cluster=") && name.contains(".parquet");
        (is_data && number <= snapshot.number && !named.contains(below)).then_some(())
    };
    let left: Vec<_> = root
        .store
        .list(Some(&root.prefix))
        .try_filter_map(|meta| {
            let left = is_left(&meta.location).map(|()| meta.location);
            async move { Ok(left) }
        })
        .try_collect()
        .await
        .map_err(to("look for what killed runs left"))?;
    let mut removed = 0;
    for path in left {
        match root.store.delete(&path).await {
            Ok(()) => removed += 1,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(to("remove what a killed run left")(error)),
        }
    }
    if let Some(folder) = root.folder() {
        removed += unfinished(folder, snapshot.number);
    }
    Ok(removed)
}

/// Uploads to a folder that were not finished have a name which the store does not list: `….parquet#1`.
fn unfinished(folder: &std::path::Path, last: u64) -> u64 {
    let mut removed = 0;
    let folders = |path: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    for cluster in folders(folder) {
        for day in folders(&cluster) {
            for file in folders(&day) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let number = name
                    .split_once('-')
                    .and_then(|(number, _)| number.parse().ok());
                let is_left = name.contains(".parquet#") && number.is_some_and(|n: u64| n <= last);
                if is_left && std::fs::remove_file(&file).is_ok() {
                    removed += 1;
                }
            }
        }
    }
    removed
}
