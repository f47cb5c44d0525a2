//! The files that cures change: their texts before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sources::{Options, Overlay};
use yaml::edit::{self, Edit};

use super::beside::is_read;
use super::cure::{Cure, Numbered, Way};
use super::languages::terraform::{self, is_terraform};
use super::languages::{self, Edited, patches};

/// One file that changes.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) before: Arc<str>,
    /// In order, not overlapping.
    pub(crate) edits: Vec<Edit>,
    /// It does not exist yet: there is nothing before.
    pub(crate) new: bool,
    /// It is deleted: there is nothing after.
    pub(crate) gone: bool,
}

impl File {
    pub(crate) fn after(&self) -> String {
        edit::apply(&self.before, &self.edits)
    }
}

/// What a set of cures does.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) files: BTreeMap<Arc<str>, File>,
    /// Those of them that hold new objects.
    objects: BTreeSet<Arc<str>>,
    /// Cures that could not be written, by their number, and why.
    pub(crate) refused: Vec<(usize, String)>,
    /// Which cures changed which file, where the cures themselves do not say.
    by: BTreeMap<Arc<str>, BTreeSet<usize>>,
}

/// Texts as they stand on disk; read once.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    known: BTreeMap<Arc<str>, Result<Arc<str>, String>>,
    /// How configurations are read.
    options: Options,
}

impl Disk {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Reads the files of cures that are not known yet.
    pub(crate) fn read(&mut self, cures: &[Cure]) {
        for cure in cures {
            for path in cure.files() {
                if !self.known.contains_key(path) {
                    let is_new = matches!(cure.way, Way::Patch(_)) && !Path::new(&**path).exists();
                    let text = if is_new {
                        Ok("".into())
                    } else {
                        self.text_of(path)
                    };
                    self.known.insert(path.clone(), text);
                }
            }
        }
    }

    /// The text of a file: what an editor has open, else what is on disk.
    fn text_of(&self, path: &str) -> Result<Arc<str>, String> {
        match self.options.overlay.get(path) {
            Some(text) => Ok(text.as_str().into()),
            None => text_of(path),
        }
    }
}

fn text_of(path: &str) -> Result<Arc<str>, String> {
    if path == "-" {
        return Err("standard input cannot be written: give the file".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err("the file is not in UTF-8: save it as UTF-8 first".to_owned()),
    }
}

impl Texts {
    /// Writes cures, given with their numbers, into the texts of their files.
    pub(crate) fn of(cures: &[Numbered<'_>], disk: &Disk) -> Self {
        let (configured, mut cures): (Vec<_>, Vec<_>) = cures
            .iter()
            .copied()
            .partition(|(_, cure)| is_terraform(cure));
        let mut refused = Vec::new();
        loop {
            let mut texts = Self::once(&cures, disk);
            // What cannot be done in one file must not be done in another.
            let torn: BTreeSet<usize> = cures
                .iter()
                .filter(|(number, cure)| {
                    cure.files().len() > 1
                        && texts.refused.iter().any(|(refused, _)| refused == number)
                })
                .map(|(number, _)| *number)
                .collect();
            if torn.is_empty() {
                texts.refused.extend(refused);
                texts.configure(&configured, disk);
                return texts;
            }
            let of_torn = texts.refused.into_iter();
            refused.extend(of_torn.filter(|(number, _)| torn.contains(number)));
            cures.retain(|(number, _)| !torn.contains(number));
        }
    }

    fn once(cures: &[Numbered<'_>], disk: &Disk) -> Self {
        let mut by_file: BTreeMap<&Arc<str>, Vec<Numbered<'_>>> = BTreeMap::new();
        for (number, cure) in cures {
            for path in cure.files() {
                by_file.entry(path).or_default().push((*number, cure));
            }
        }
        let files: Vec<(&Arc<str>, Vec<Numbered<'_>>)> = by_file.into_iter().collect();
        let done: Vec<Edited> = files
            .par_iter()
            .map(|(path, cures)| match disk.known.get(*path) {
                Some(Ok(text)) => languages::edit(path, text, cures),
                Some(Err(why)) => Edited::refused(cures, why),
                None => Edited::default(),
            })
            .collect();
        let mut texts = Self::default();
        for ((path, _), done) in files.into_iter().zip(done) {
            texts.refused.extend(done.refused);
            if !done.edits.is_empty()
                && let Some(Ok(text)) = disk.known.get(path)
            {
                let new = text.is_empty() && !Path::new(&**path).exists();
                let file = File {
                    before: text.clone(),
                    edits: done.edits,
                    new,
                    gone: done.emptied && !is_listed(path),
                };
                texts.files.insert(path.clone(), file);
                if new {
                    texts.add_beside(path);
                }
            }
        }
        texts.add_new(cures);
        texts
    }

    /// The files that belong to a new one.
    fn add_beside(&mut self, path: &str) {
        for (path, edit) in patches::beside(path) {
            if !Path::new(&path).exists() {
                let file = File {
                    before: "".into(),
                    edits: vec![edit],
                    new: true,
                    gone: false,
                };
                self.files.insert(path.into(), file);
            }
        }
    }

    /// Adds the files that cures make, but for those that could not be written otherwise.
    fn add_new(&mut self, cures: &[Numbered<'_>]) {
        let refused: BTreeSet<usize> = self.refused.iter().map(|(number, _)| *number).collect();
        let made = |(number, _): &&Numbered<'_>| !refused.contains(number);
        // A kustomization that lists a file reads it, and a chart its templates.
        let listed: BTreeSet<&Arc<str>> = cures
            .iter()
            .filter(made)
            .flat_map(|(_, cure)| cure.beside.iter().map(move |beside| (cure, beside)))
            .filter(|(cure, beside)| is_read(cure, beside))
            .map(|(_, beside)| &beside.path)
            .collect();
        for beside in cures.iter().filter(made).flat_map(|(_, cure)| &cure.beside) {
            let edit = Edit {
                start: 0,
                end: 0,
                text: beside.object.text.to_string(),
            };
            if !listed.contains(&beside.path) {
                self.objects.insert(beside.path.clone());
            }
            self.files
                .entry(beside.path.clone())
                .or_insert_with(|| File {
                    before: "".into(),
                    edits: vec![edit],
                    new: true,
                    gone: false,
                });
        }
    }

    /// Writes cures into configurations.
    fn configure(&mut self, cures: &[Numbered<'_>], disk: &Disk) {
        if cures.is_empty() {
            return;
        }
        let written = terraform::edit(cures, &disk.options);
        self.refused.extend(written.refused);
        for (path, edits) in written.edits {
            match disk.text_of(&path) {
                Ok(before) => {
                    self.files.insert(
                        path,
                        File {
                            before,
                            edits,
                            new: false,
                            gone: false,
                        },
                    );
                }
                Err(why) => {
                    let of_it = written.by.get(&path).into_iter().flatten();
                    self.refused
                        .extend(of_it.map(|number| (*number, why.clone())));
                }
            }
        }
        self.by = written.by;
    }

    /// The files that a cure changes. Where Terraform says something is found by editing.
    pub(crate) fn changed<'t>(&'t self, (number, cure): Numbered<'t>) -> Vec<&'t Arc<str>> {
        if !is_terraform(cure) {
            return cure.files().into_iter().collect();
        }
        let by = self.by.iter();
        by.filter(|(_, by)| by.contains(&number))
            .map(|(path, _)| path)
            .collect()
    }

    /// The texts as they would be read.
    pub(crate) fn overlay(&self) -> Overlay {
        self.of_files(|_| true)
    }

    /// The texts of manifests that are no files yet, and that nothing else leads to.
    pub(crate) fn new_files(&self) -> Overlay {
        self.of_files(|path| self.objects.contains(path))
    }

    fn of_files(&self, wanted: impl Fn(&Arc<str>) -> bool) -> Overlay {
        let texts = self.files.iter().filter(|(path, _)| wanted(path));
        Arc::new(
            texts
                .map(|(path, file)| (path.clone(), file.after()))
                .collect(),
        )
    }

    /// Writes the files: each beside itself first, so that none is left half written.
    pub(crate) fn write(&self) -> Result<(), (Arc<str>, std::io::Error)> {
        for (path, file) in &self.files {
            let to = Path::new(&**path);
            let written = if file.new {
                create(to, &file.after())
            } else if file.gone {
                delete(to, &file.before)
            } else {
                replace(to, &file.before, &file.after())
            };
            written.map_err(|error| (path.clone(), error))?;
        }
        Ok(())
    }
}

/// Writes a file that is not there.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}

/// Deletes a file, unless it was changed meanwhile.
fn delete(path: &Path, before: &str) -> std::io::Result<()> {
    if std::fs::read(path)? != before.as_bytes() {
        return Err(std::io::Error::other("it was changed meanwhile"));
    }
    std::fs::remove_file(path)
}

/// Folders above a file in which a kustomization may list it.
const ABOVE: usize = 8;

/// Whether a kustomization reads a file: without it, it could not be built.
fn is_listed(path: &str) -> bool {
    let Ok(file) = std::path::absolute(path) else {
        return true;
    };
    let file = sources::kustomization::clean(&file);
    let listed = |folder: &Path| {
        sources::kustomization::manifests(folder)
            .iter()
            .chain(&sources::kustomization::patches(folder))
            .any(|other| *other == file)
    };
    file.ancestors().skip(1).take(ABOVE).any(listed)
}

/// Writes a file through a new one in the same folder, with the rights of the old one.
fn replace(path: &Path, before: &str, text: &str) -> std::io::Result<()> {
    // A link stays one: what it leads to is written.
    let path = std::fs::canonicalize(path)?;
    if std::fs::read(&path)? != before.as_bytes() {
        return Err(std::io::Error::other("it was changed meanwhile"));
    }
    let rights = std::fs::metadata(&path)?.permissions();
    if rights.readonly() {
        return Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".seawall-new");
    let beside = path.with_file_name(name);
    let written = std::fs::write(&beside, text)
        .and_then(|()| std::fs::set_permissions(&beside, rights))
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
