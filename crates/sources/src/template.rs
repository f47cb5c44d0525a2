//! Templates from disk: the text, its parameter files, and where its modules come from.

use std::fs;
use std::path::{Path, PathBuf};

use bicep::deployment::{Expansion, Problem};
use bicep::node::Node;
use bicep::source::{Files, Sources, Span};
use bumpalo::Bump;
use model::azure::deployment::{self, Language, Request};
use model::azure::secrets::Masked;
use model::coverage::{DocumentEntry, Status};
use model::manifest::{Reader, Reading};
use model::resource::Origin;

use crate::fence::{Fence, Fenced};
use crate::stream::{Options, Overlay, shown};

/// A template's texts as they stand on disk.
struct Texts {
    origin: Origin,
    text: String,
    parameters: Vec<(String, String)>,
    /// Parameter files that cannot be read.
    unread: Vec<DocumentEntry>,
}

impl Texts {
    fn read(path: &Path, parameters: &[PathBuf], overlay: &Overlay) -> Result<Self, DocumentEntry> {
        let origin = Origin {
            path: shown(path).into(),
            index: 0,
            rendered_by: None,
            live: false,
        };
        let text = text(path, overlay).map_err(|reason| unreadable(&origin, &reason))?;
        let mut texts = Self {
            origin,
            text,
            parameters: Vec::new(),
            unread: Vec::new(),
        };
        for file in parameters.iter().filter(|file| belongs(file, path)) {
            match self::text(file, overlay) {
                Ok(text) => texts.parameters.push((shown(file), text)),
                Err(reason) => {
                    let origin = Origin {
                        path: shown(file).into(),
                        ..texts.origin.clone()
                    };
                    texts.unread.push(unreadable(&origin, &reason));
                }
            }
        }
        Ok(texts)
    }

    fn request<'r>(&'r self, path: &Path, files: &'r dyn Files) -> Request<'r> {
        Request {
            text: &self.text,
            language: language(path),
            parameters: &self.parameters,
            files,
            origin: &self.origin,
        }
    }
}

/// Evaluates a template with its parameter files.
pub(crate) fn read(
    path: &Path,
    parameters: &[PathBuf],
    options: &Options,
    reader: &Reader<'_>,
) -> Reading {
    let texts = match Texts::read(path, parameters, &options.overlay) {
        Ok(texts) => texts,
        Err(entry) => {
            return Reading {
                entries: vec![entry],
                ..Reading::default()
            };
        }
    };
    let files = fenced(path, options);
    let mut reading = deployment::read(reader, &texts.request(path, &files));
    reading.entries.extend(texts.unread);
    reading
}

/// What one template comes to, for whoever wants to see it.
pub struct Expanded<'e, 'a> {
    /// What it makes.
    pub expansion: &'e Expansion<'a>,
    /// The texts that were read.
    pub sources: &'e Sources<'a>,
    /// The template as ARM's tree.
    pub root: &'e Node<'a>,
    /// What is wrong with the texts.
    pub problems: &'e [Problem],
    /// Where secrets stand that were written down.
    pub secrets: Vec<Span>,
    /// What is not shown in longer texts.
    pub masked: Masked,
}

/// Evaluates a template and hands the outcome to `with`.
///
/// # Errors
/// When the template or a parameter file cannot be read: which, and why.
pub fn expand<R>(
    path: &Path,
    options: &Options,
    with: impl FnOnce(&Expanded<'_, '_>) -> R,
) -> Result<R, String> {
    let failed = |entry: &DocumentEntry| {
        format!(
            "`{}` {}",
            entry.path,
            entry.reason.as_deref().unwrap_or_default()
        )
    };
    let texts =
        Texts::read(path, &options.parameters, &options.overlay).map_err(|entry| failed(&entry))?;
    if let Some(entry) = texts.unread.first() {
        return Err(failed(entry));
    }
    let bump = Bump::new();
    let files = fenced(path, options);
    let mut sources = Sources::default();
    let loaded = deployment::load(&bump, &mut sources, &texts.request(path, &files));
    let expansion =
        bicep::expand::expand(&bump, &mut sources, &files, loaded.root, loaded.options());
    Ok(with(&Expanded {
        expansion: &expansion,
        sources: &sources,
        root: loaded.root,
        problems: &loaded.problems,
        secrets: model::azure::secrets::places(loaded.root, &loaded.parameters),
        masked: Masked::of(loaded.root, &loaded.parameters, &sources),
    }))
}

/// The disk, as far as a template may read it.
fn fenced(path: &Path, options: &Options) -> Fenced {
    let fence = Fence::around(path, &options.given);
    Fenced::new(&options.module_caches, fence).with(&options.overlay)
}

/// A Bicep parameter file stands for itself; others take JSON parameter files.
fn belongs(parameters: &Path, template: &Path) -> bool {
    let ending = |path: &Path, wanted: &str| path.extension().is_some_and(|own| own == wanted);
    !ending(template, "bicepparam") && !ending(parameters, "tfvars") && parameters != template
}

fn language(path: &Path) -> Language {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("bicep") => Language::Bicep,
        Some("bicepparam") => Language::BicepParameters,
        _ => Language::Arm,
    }
}

fn text(path: &Path, overlay: &Overlay) -> Result<String, String> {
    if let Some(text) = overlay.get(shown(path).as_str()) {
        return decoded(text.as_bytes());
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    decoded(&bytes)
}

fn decoded(bytes: &[u8]) -> Result<String, String> {
    yaml::decode(bytes)
        .map(|text| text.into_owned())
        .map_err(|error| error.to_string())
}

fn unreadable(origin: &Origin, reason: &str) -> DocumentEntry {
    DocumentEntry {
        live: false,
        path: origin.path.clone(),
        index: 0,
        line: 1,
        status: Status::Unreadable,
        kind: None,
        namespace: None,
        name: None,
        reason: Some(reason.into()),
        help: Some("check the file and its permissions".into()),
    }
}
