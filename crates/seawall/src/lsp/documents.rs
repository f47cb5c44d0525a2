//! The documents that the editor has open, as it has them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsp_types::{TextDocumentContentChangeEvent, TextDocumentItem, Uri};
use sources::Overlay;

use super::subject::Subject;
use super::text::{self, Encoding};

/// A document.
pub(super) struct Document {
    pub(super) uri: Uri,
    /// The name that findings have for the file.
    pub(super) name: Arc<str>,
    pub(super) version: i32,
    pub(super) text: String,
    pub(super) subject: Option<Subject>,
}

/// All that are open, by what the editor calls them.
#[derive(Default)]
pub(super) struct Documents(BTreeMap<String, Document>);

impl Documents {
    pub(super) fn open(&mut self, item: TextDocumentItem) {
        let path = path_of(&item.uri);
        let yaml = item.language_id.as_str().eq_ignore_ascii_case("yaml");
        let name: Arc<str> = match &path {
            Some(path) => sources::shown(path).into(),
            None => item.uri.0.as_str().into(),
        };
        let subject = match &path {
            Some(path) => Subject::of(path),
            None => yaml.then(|| Subject::Unsaved(name.clone())),
        };
        let document = Document {
            uri: item.uri.clone(),
            name,
            version: item.version,
            text: item.text,
            subject,
        };
        self.0.insert(item.uri.0, document);
    }

    /// Changes a document; tells what it is judged as.
    pub(super) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<Subject> {
        let document = self.0.get_mut(&uri.0)?;
        document.version = version;
        for one in changes {
            match one {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    text::change(&mut document.text, part.range, &part.text, encoding);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    document.text = whole.text;
                }
            }
        }
        document.subject.clone()
    }

    /// Looks again at what a document is: it may be a file now.
    pub(super) fn saved(&mut self, uri: &Uri) -> Option<Subject> {
        let document = self.0.get_mut(&uri.0)?;
        document.subject = path_of(uri).and_then(|path| Subject::of(&path));
        document.subject.clone()
    }

    pub(super) fn close(&mut self, uri: &Uri) -> Option<Document> {
        self.0.remove(&uri.0)
    }

    pub(super) fn get(&self, uri: &Uri) -> Option<&Document> {
        self.0.get(&uri.0)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Document> {
        self.0.values().find(|document| *document.name == *name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.0.values()
    }

    /// What is judged, each once.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.0.values().filter_map(|one| one.subject.as_ref())
    }

    /// The texts, as files are read.
    pub(super) fn overlay(&self) -> Overlay {
        let texts = self.0.values();
        let texts = texts.map(|document| (document.name.clone(), document.text.clone()));
        Arc::new(texts.collect())
    }
}

/// The text of a file: what is open, else what is on disk.
pub(super) fn text_of<'t>(open: &'t Overlay, name: &str) -> io::Result<Cow<'t, str>> {
    match open.get(name) {
        Some(text) => Ok(text.as_str().into()),
        None => std::fs::read_to_string(name).map(Into::into),
    }
}

/// The file that a document is, below the working folder where it lies there.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let path = url::Url::parse(&uri.0).ok()?.to_file_path().ok()?;
    Some(here(&path))
}

/// A path below the working folder, where it lies there.
pub(super) fn here(path: &Path) -> PathBuf {
    let folder = std::env::current_dir().ok();
    let below = folder.and_then(|folder| Some(path.strip_prefix(folder).ok()?.to_path_buf()));
    below.unwrap_or_else(|| path.to_path_buf())
}

/// What editors call a file.
pub(super) fn uri_of(name: &str) -> Option<Uri> {
    let path = std::path::absolute(Path::new(name)).ok()?;
    let path = sources::kustomization::clean(&path);
    Some(Uri(url::Url::from_file_path(path).ok()?.into()))
}
