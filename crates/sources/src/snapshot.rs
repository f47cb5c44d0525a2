//! A whole estate in one file: what was told when it was read, one event a line, to be judged later, elsewhere,
//! or beside another.
//!
//! ```text
//! gzip of JSON lines:  {"schema": "seawall.snapshot/v1", "tool": …, "takenAt": …, "sources": […], "given": […]}
//!                      {"object": {"of": "kubernetes", "address": …, "value": {…}}}
//!                      {"resource": {…}}   {"entry": {…}}   {"complete": {…}}   {"gap": {…}}   {"other": {…}}
//!                      {"end": {"events": N, "sha256": …}}
//! ```
//!
//! The last line tells a file that was cut off or edited by hand; it is no signature. Credentials are struck
//! from what is written ([`model::kept`]); what stays of them is that they were there. What is left out:
//! the texts of files.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use crate::live::{Event, LiveError, Source};
use line::{End, Header, Line};

mod line;

/// The version of the form that is written.
pub const SCHEMA: &str = "seawall.snapshot/v1";

/// What the name of every version begins with.
const FAMILY: &str = "seawall.snapshot/v";

/// Bounds against a file that was made to exhaust whoever reads it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// bytes of a line
    pub line: usize,
    /// bytes of all lines
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 48 << 20,
            total: 4 << 30,
        }
    }
}

/// What is known of a snapshot before its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The version of seawall that wrote it.
    pub version: String,
    /// When it was taken (RFC 3339).
    pub taken_at: String,
    /// What it was taken of, as reports call it.
    pub sources: Vec<String>,
    /// The paths among them.
    pub given: Vec<String>,
    /// The Kubernetes minor of the cluster among them.
    pub kubernetes_minor: Option<u8>,
    /// The configuration beside the files among them.
    pub config: Option<Configuration>,
}

/// A configuration as it was when the snapshot was taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Configuration {
    /// Its path, as reports show it.
    pub path: String,
    /// Its text, without what looks like a credential.
    pub text: String,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Events.
    pub events: u64,
    /// What of it could not be kept: the addresses.
    pub lost: Vec<String>,
}

/// Writes a snapshot.
pub struct Writer<W: Write> {
    out: GzEncoder<W>,
    hash: Sha256,
    written: Written,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(out: W, about: &About) -> io::Result<Self> {
        let mut writer = Self {
            // Neither a name nor a time: the same estate is the same bytes.
            out: GzBuilder::new().mtime(0).write(out, Compression::default()),
            hash: Sha256::new(),
            written: Written::default(),
        };
        let header = serde_json::to_string(&Header::of(about))?;
        writer.line(&header)?;
        Ok(writer)
    }

    /// Writes what a source told. What it is doing is not kept.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        // What a cluster keeps of a node is the node's: it is kept as when the node itself is read.
        if let Event::Object(object) = event
            && let Some((kept, unread)) = crate::node::of_object(object)
        {
            self.event(&Event::Kept(Box::new(kept)))?;
            for entry in unread {
                self.event(&Event::Entry(Box::new(entry)))?;
            }
            return Ok(());
        }
        let Some(text) = line::write(event)? else {
            return Ok(());
        };
        match text {
            Ok(text) => self.count(&text),
            Err(gap) => {
                self.written.lost.push(gap.address.to_string());
                let text = serde_json::to_string(&Line::from(&gap))?;
                self.count(&text)
            }
        }
    }

    fn count(&mut self, text: &str) -> io::Result<()> {
        self.written.events += 1;
        self.line(text)
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.hash.update(text.as_bytes());
        self.hash.update(b"\n");
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Writes the last line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> io::Result<(W, Written)> {
        let end = Line::End(End {
            events: self.written.events,
            sha256: format!("{:x}", self.hash.finalize_reset()),
        });
        let text = serde_json::to_string(&end)?;
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")?;
        Ok((self.out.finish()?, self.written))
    }
}

/// Whether a file begins as a snapshot does; packed charts begin so too.
#[must_use]
pub fn is_snapshot(path: &Path) -> bool {
    let mut head = [0; 2];
    let name = path.to_string_lossy();
    let packed = [".tgz", ".tar.gz"].iter().any(|end| name.ends_with(end));
    !packed
        && path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok()
        && head == [0x1f, 0x8b]
}

/// A snapshot that is read: it tells what was told when it was taken.
pub struct Snapshot {
    shown: String,
    about: About,
    lines: Option<Lines>,
}

impl Snapshot {
    /// Opens a snapshot and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, is no snapshot, or is of a version that came later.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, LiveError> {
        let shown = crate::stream::shown(path);
        let file = File::open(path).map_err(|error| LiveError {
            message: format!("cannot read the snapshot `{shown}`: {error}"),
            help: Some("make one with `seawall snapshot --cluster -o FILE`".to_owned()),
        })?;
        let mut lines = Lines {
            path: path.to_path_buf(),
            input: BufReader::new(GzDecoder::new(BufReader::new(file))),
            limits,
            number: 0,
            total: 0,
            hash: Sha256::new(),
        };
        let text = lines.next()?;
        let about = header(&shown, text.as_deref())?;
        Ok(Self {
            shown,
            about,
            lines: Some(lines),
        })
    }

    /// What its header says.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }
}

fn header(shown: &str, text: Option<&str>) -> Result<About, LiveError> {
    let no_snapshot = || {
        LiveError {
        message: format!("`{shown}` is no snapshot of seawall"),
        help: Some(
            "make one with `seawall snapshot --cluster -o FILE`; files and folders are given without \
             `--snapshot`"
                .to_owned(),
        ),
    }
    };
    let text = text.ok_or_else(no_snapshot)?;
    let schema = line::schema(text).ok_or_else(no_snapshot)?;
    if schema != SCHEMA {
        let version = schema.strip_prefix(FAMILY).ok_or_else(no_snapshot)?;
        return Err(LiveError {
            message: format!(
                "the snapshot `{shown}` is of version {version}, which this seawall does not know"
            ),
            help: Some(
                "use the version of seawall that wrote it, or a later one; or take it again with this one"
                    .to_owned(),
            ),
        });
    }
    let header: Header<'_> = serde_json::from_str(text).map_err(|error| LiveError {
        message: format!("the snapshot `{shown}` is damaged: line 1: {error}"),
        help: Some(AGAIN.to_owned()),
    })?;
    Ok(header.about())
}

const AGAIN: &str = "copy it again from where it was taken, or take it again";

impl Source for Snapshot {
    fn name(&self) -> String {
        let day = self.about.taken_at.get(..10).unwrap_or_default();
        format!(
            "{} of {day} ({})",
            self.shown,
            self.about.sources.join(", ")
        )
    }

    fn kubernetes_minor(&mut self) -> Result<Option<u8>, LiveError> {
        Ok(self.about.kubernetes_minor)
    }

    fn read(
        &mut self,
        tell: &mut dyn FnMut(Event) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        // It is read once.
        let Some(mut lines) = self.lines.take() else {
            return Ok(());
        };
        tell(Event::Doing(format!("reading {}", self.shown)))?;
        let mut events = 0;
        loop {
            let before = format!("{:x}", lines.hash.clone().finalize());
            let Some(text) = lines.next()? else {
                return Err(lines.damaged("it ends before its end: it was cut off"));
            };
            let line = serde_json::from_str::<Line<'_>>(&text).map_err(|error| {
                // What the line holds is not repeated: only where it is wrong.
                lines.damaged(&format!(
                    "line {}, column {} cannot be understood",
                    lines.number,
                    error.column()
                ))
            })?;
            if let Line::End(end) = line {
                if end.events != events || end.sha256 != before {
                    return Err(lines.damaged("it is not as it was written"));
                }
                return lines.end();
            }
            events += 1;
            let number = lines.number;
            let event = line
                .event()
                .map_err(|what| lines.damaged(&format!("line {number}: {what}")))?;
            tell(event)?;
        }
    }
}

/// The lines of a file, bounded.
struct Lines {
    path: PathBuf,
    input: BufReader<GzDecoder<BufReader<File>>>,
    limits: Limits,
    number: u64,
    total: u64,
    hash: Sha256,
}

impl Lines {
    /// The next line without its end; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<String>, LiveError> {
        let mut bytes = Vec::new();
        let most = self.limits.line as u64 + 1;
        self.number += 1;
        if let Err(error) = (&mut self.input).take(most).read_until(b'\n', &mut bytes) {
            return Err(self.unreadable(&error));
        }
        self.total += bytes.len() as u64;
        if self.total > self.limits.total {
            return Err(self.damaged(&format!(
                "it holds more than {} MB",
                self.limits.total >> 20
            )));
        }
        self.hash.update(&bytes);
        match bytes.pop() {
            None => return Ok(None),
            Some(b'\n') => {}
            Some(_) if bytes.len() >= self.limits.line => {
                return Err(self.damaged(&format!(
                    "line {} is longer than {} MB",
                    self.number,
                    self.limits.line >> 20
                )));
            }
            // The last line has an end too: what has none was cut off.
            Some(_) if self.number > 1 => {
                return Err(self.damaged("it ends before its end: it was cut off"));
            }
            Some(last) => bytes.push(last),
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| self.damaged(&format!("line {} is no text", self.number)))
    }

    /// Fails when anything comes after the last line.
    fn end(mut self) -> Result<(), LiveError> {
        let after = self.input.fill_buf().map(|rest| rest.len());
        match after {
            Ok(0) => {}
            Ok(_) => return Err(self.damaged("something comes after its end")),
            Err(error) => return Err(self.unreadable(&error)),
        }
        let rest = self.input.get_mut().get_mut().fill_buf();
        match rest.map(|rest| rest.len()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("something comes after its end")),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn damaged(&self, what: &str) -> LiveError {
        let shown = crate::stream::shown(&self.path);
        LiveError {
            message: format!("the snapshot `{shown}` is damaged: {what}"),
            help: Some(AGAIN.to_owned()),
        }
    }

    fn unreadable(&self, error: &io::Error) -> LiveError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let shown = crate::stream::shown(&self.path);
        match error.kind() {
            UnexpectedEof if self.number > 1 => {
                self.damaged("it ends before its end: it was cut off")
            }
            InvalidData | InvalidInput if self.number > 1 => {
                self.damaged("what is compressed in it cannot be read")
            }
            UnexpectedEof | InvalidData | InvalidInput => LiveError {
                message: format!("`{shown}` is no snapshot of seawall"),
                help: Some(
                    "make one with `seawall snapshot --cluster -o FILE`; files and folders are given \
                     without `--snapshot`"
                        .to_owned(),
                ),
            },
            _ => LiveError {
                message: format!("cannot read the snapshot `{shown}`: {error}"),
                help: None,
            },
        }
    }
}

#[cfg(test)]
mod tests;
