//! How the posture was, day by day: one file for each day, a line of JSON each time that something counts differently.
//! In Azure Blob storage (`archive`) it is a file for each day and replica.
//!
//! Files are only ever appended to. A line that a crash cut off is left out when they are read, and the next one
//! begins on a line of its own. Where they cannot be written (a full disk), nothing else is disturbed: that is counted,
//! told once, and tried again with the next change.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ::guide::Guide;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Stand;
use super::archive::{Archive, Storage};

/// Findings that count, by the word of their severity.
pub type Fails = BTreeMap<Box<str>, usize>;

/// The posture at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// When.
    pub at: Timestamp,
    /// Objects that were held.
    pub objects: usize,
    /// Failures that count.
    pub fails: Fails,
    /// Unknown verdicts that count.
    pub unknown: usize,
    /// Findings accepted by waivers.
    pub waived: usize,
    /// Kinds that could not be read, or of which nothing was heard.
    pub unread: usize,
    /// Failures by chapter.
    pub chapters: BTreeMap<Box<str>, Fails>,
    /// Failures by topic (`cluster/network`).
    pub topics: BTreeMap<Box<str>, Fails>,
}

impl Posture {
    /// What stands, summed up.
    #[must_use]
    pub fn of(stand: &Stand, guide: &Guide, at: Timestamp) -> Self {
        let mut posture = Self {
            at,
            objects: stand.objects,
            fails: Fails::new(),
            unknown: 0,
            waived: 0,
            unread: stand.gaps.iter().filter(|gap| !gap.by_choice).count() + stand.lost.len(),
            chapters: BTreeMap::new(),
            topics: BTreeMap::new(),
        };
        for (id, standing) in &stand.guidelines {
            posture.unknown += standing.unknown;
            posture.waived += standing.waived;
            let (Some(severity), true) = (standing.severity, standing.fail > 0) else {
                continue;
            };
            let Some(guideline) = guide.guideline(&id.0) else {
                continue;
            };
            let topic = format!("{}/{}", guideline.chapter, guideline.topic);
            let by_chapter = posture.chapters.entry(Box::from(&*guideline.chapter));
            let by_topic = posture.topics.entry(topic.into());
            for fails in [
                &mut posture.fails,
                by_chapter.or_default(),
                by_topic.or_default(),
            ] {
                *fails.entry(severity.word().into()).or_default() += standing.fail;
            }
        }
        posture
    }

    /// Whether nothing counts differently.
    fn is_as(&self, other: &Self) -> bool {
        let at = other.at;
        Self { at, ..self.clone() } == *other
    }
}

/// What is said where it is not kept.
pub(super) const UNWRITTEN: &str = "the posture history cannot be written";

/// Where the history is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In files of a folder.
    Folder(PathBuf),
    /// In Azure Blob storage.
    Blobs(Box<Storage>),
}

/// The history, being written.
#[derive(Debug)]
pub(crate) struct History {
    place: Place,
    last: Option<Posture>,
}

impl History {
    /// Goes on where an earlier run ended.
    pub(crate) fn new(place: &Place) -> Self {
        let mut history = Self {
            place: place.clone(),
            last: None,
        };
        history.forget();
        history
    }

    /// Another may have written meanwhile. What is in storage is not waited for: there the next posture is noted in
    /// any case.
    pub(crate) fn forget(&mut self) {
        self.last = match &self.place {
            Place::Folder(folder) => read(folder).ok().and_then(|mut all| all.pop()),
            Place::Blobs(_) => None,
        };
    }

    /// Notes the posture when something counts differently. Whether it was written, or waits for storage.
    pub(crate) fn note(&mut self, posture: Posture, archive: &Archive) -> io::Result<bool> {
        if self.last.as_ref().is_some_and(|last| posture.is_as(last)) {
            return Ok(false);
        }
        let mut line = serde_json::to_string(&posture).map_err(io::Error::other)?;
        line.push('\n');
        match &self.place {
            Place::Folder(folder) => append(folder, &day(&posture), line)?,
            Place::Blobs(_) => archive.push(day(&posture), line),
        }
        self.last = Some(posture);
        Ok(true)
    }
}

fn day(posture: &Posture) -> String {
    posture.at.strftime("%Y-%m-%d").to_string()
}

fn append(folder: &Path, day: &str, mut line: String) -> io::Result<()> {
    let path = folder.join(format!("posture-{day}.jsonl"));
    fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .open(path)?;
    if !ends_a_line(&mut file)? {
        line.insert(0, '\n');
    }
    // In one piece: a reader sees it whole or, after a crash, cut off.
    file.write_all(line.as_bytes())
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Every posture that was noted in a folder, the oldest first. Lines that are no posture are left out.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<Posture>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("posture-") && name.ends_with(".jsonl")
        })
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(postures(&fs::read(file)?));
    }
    Ok(all)
}

/// The lines of a file that are postures.
pub(super) fn postures(bytes: &[u8]) -> impl Iterator<Item = Posture> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posture(at: &str, critical: usize) -> Posture {
        Posture {
            at: at.parse().unwrap(),
            objects: 3,
            fails: Fails::from([("critical".into(), critical)]),
            unknown: 0,
            waived: 0,
            unread: 0,
            chapters: BTreeMap::new(),
            topics: BTreeMap::new(),
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("seawall-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_line_for_each_change_and_a_file_for_each_day() {
        let folder = folder("history");
        let mut history = History::new(&Place::Folder(folder.clone()));
        assert!(
            history
                .note(posture("2026-11-26T10:00:00Z", 1), &Archive::default())
                .unwrap()
        );
        assert!(
            !history
                .note(posture("2026-11-26T11:00:00Z", 1), &Archive::default())
                .unwrap()
        );
        assert!(
            history
                .note(posture("2026-11-26T12:00:00Z", 2), &Archive::default())
                .unwrap()
        );
        // Another run goes on where this one ends.
        let mut history = History::new(&Place::Folder(folder.clone()));
        assert!(
            !history
                .note(posture("2026-11-27T00:00:00Z", 2), &Archive::default())
                .unwrap()
        );
        assert!(
            history
                .note(posture("2026-11-27T01:00:00Z", 0), &Archive::default())
                .unwrap()
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        let hours: Vec<String> = read(&folder)
            .unwrap()
            .iter()
            .map(|posture| posture.at.to_string())
            .collect();
        assert_eq!(
            hours,
            [
                "2026-11-26T10:00:00Z",
                "2026-11-26T12:00:00Z",
                "2026-11-27T01:00:00Z"
            ]
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_crash_cut_off_costs_one_line() {
        let folder = folder("history-cut");
        let mut history = History::new(&Place::Folder(folder.clone()));
        history
            .note(posture("2026-11-26T10:00:00Z", 1), &Archive::default())
            .unwrap();
        history
            .note(posture("2026-11-26T11:00:00Z", 2), &Archive::default())
            .unwrap();
        let file = folder.join("posture-2026-11-26.jsonl");
        let text = fs::read_to_string(&file).unwrap();
        let cut = text.get(..text.len() - 20).unwrap();
        fs::write(&file, cut).unwrap();
        let mut history = History::new(&Place::Folder(folder.clone()));
        history
            .note(posture("2026-11-26T12:00:00Z", 3), &Archive::default())
            .unwrap();
        let counts: Vec<usize> = read(&folder)
            .unwrap()
            .iter()
            .map(|posture| posture.fails["critical"])
            .collect();
        assert_eq!(counts, [1, 3]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn where_nothing_can_be_written_that_is_an_error_and_tried_again() {
        let folder = folder("history-full");
        // A file where the folder should be stands for every reason why it cannot be written.
        fs::write(&folder, "").unwrap();
        let mut history = History::new(&Place::Folder(folder.clone()));
        assert!(
            history
                .note(posture("2026-11-26T10:00:00Z", 1), &Archive::default())
                .is_err()
        );
        fs::remove_file(&folder).unwrap();
        assert!(
            history
                .note(posture("2026-11-26T10:00:00Z", 1), &Archive::default())
                .unwrap()
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
