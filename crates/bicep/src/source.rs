//! Texts that were read, places within them, and where further texts come from.

use std::cell::OnceCell;

/// Number of a text among [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// A place in a text, in bytes. The first byte and one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Which text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From the start of this one to the end of another.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// One text.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// How it is called: the path as given or found, or a module's reference.
    pub name: &'a str,
    /// Its content, without a byte order mark.
    pub text: &'a str,
    /// It came from a cache of published modules: the user does not edit it.
    pub published: bool,
}

/// All texts of one evaluation, by number.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    all: Vec<Source<'a>>,
    /// Where the lines of each begin, once somebody asked.
    lines: Vec<OnceCell<Vec<u32>>>,
}

/// On a line longer than this, bytes are counted and no characters: there is one place for each
/// of thousands of resources.
const LONG_LINE: usize = 16_384;

impl<'a> Sources<'a> {
    /// Adds a text.
    pub fn add(&mut self, source: Source<'a>) -> FileId {
        let id = FileId(self.all.len() as u32);
        self.all.push(source);
        self.lines.push(OnceCell::new());
        id
    }

    /// The text of a number.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<Source<'a>> {
        self.all.get(id.0 as usize).copied()
    }

    /// The number of a text that was already added under this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<FileId> {
        self.all
            .iter()
            .position(|source| source.name == name)
            .map(|at| FileId(at as u32))
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, Source<'a>)> + '_ {
        self.all
            .iter()
            .enumerate()
            .map(|(at, source)| (FileId(at as u32), *source))
    }

    /// Line and column (from 1, in characters) of the start of a place.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (u32, u32) {
        let at = span.file.0 as usize;
        let (Some(source), Some(lines)) = (self.all.get(at), self.lines.get(at)) else {
            return (1, 1);
        };
        let lines = lines.get_or_init(|| line_starts(source.text));
        let line = lines.partition_point(|start| *start <= span.start);
        let start = line.checked_sub(1).and_then(|at| lines.get(at)).copied();
        let before = source
            .text
            .get(start.unwrap_or_default() as usize..span.start as usize)
            .unwrap_or_default();
        let column = if before.len() > LONG_LINE {
            before.len()
        } else {
            before.chars().count()
        };
        (line as u32, column as u32 + 1)
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0)
        .chain(ends.map(|(at, _)| at as u32 + 1))
        .collect()
}

/// What a text that is asked for turned out to be.
#[derive(Debug, Clone)]
pub struct Found {
    /// How to call it: unique, and what further relative paths are relative to.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// It came from a cache of published modules.
    pub published: bool,
}

/// Where modules, parameter files and loaded files come from.
pub trait Files {
    /// A file, by a path relative to the file called `from`.
    ///
    /// # Errors
    /// Why there is none, in words for the user.
    fn file(&self, from: &str, path: &str) -> Result<Found, String>;

    /// A published module (`br:…`, `br/alias:…`, `ts:…`, `ts/alias:…`) as its compiled template.
    ///
    /// # Errors
    /// Why there is none, in words for the user.
    fn module(&self, from: &str, reference: &str) -> Result<Found, String>;

    /// The files of a folder that match a pattern, for `loadDirectoryFileInfo`.
    ///
    /// # Errors
    /// Why it cannot be listed.
    fn list(&self, from: &str, folder: &str) -> Result<Vec<String>, String> {
        let _ = (from, folder);
        Err("folders cannot be listed here".to_owned())
    }

    /// The kind (`string`, `int`, `bool`, `array`, `object`) of a property of a resource type
    /// (`Microsoft.Network/virtualNetworks@2024-05-01`), by the segments of a schema's pointer
    /// (`properties`, `tags`, `additionalProperties`, `items`, …). Nothing when it is not known:
    /// then a template says nothing of it either.
    fn property_type(&self, resource: &str, pointer: &[&str]) -> Option<String> {
        let _ = (resource, pointer);
        None
    }

    /// A resource type with its version, with the capitals of its definition; nothing when it is
    /// not known.
    fn resource_type(&self, resource: &str) -> Option<String> {
        let _ = resource;
        None
    }
}

/// No file but the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn file(&self, _from: &str, path: &str) -> Result<Found, String> {
        Err(format!("`{path}` was not given"))
    }

    fn module(&self, _from: &str, reference: &str) -> Result<Found, String> {
        Err(format!("`{reference}` was not given"))
    }
}
