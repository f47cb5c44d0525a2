//! Which kustomizations stand for themselves, which files they read, and whether they reach
//! outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use cel::Symbols;
use model::Ref;
use model::doc::{Dialect, DocBuilder};

/// The names of a kustomization's file.
pub(crate) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomizations of a folder.
#[derive(Debug, Default)]
pub(crate) struct Kustomizations {
    /// File of each root and its folder.
    roots: BTreeMap<PathBuf, PathBuf>,
    /// Files that some root reads, and which.
    parts: BTreeMap<PathBuf, PathBuf>,
}

impl Kustomizations {
    /// The folder, when `file` is the kustomization of a root.
    pub(crate) fn root_at(&self, file: &Path) -> Option<PathBuf> {
        self.roots.get(file).cloned()
    }

    /// The root that reads `file`.
    pub(crate) fn part_of(&self, file: &Path) -> Option<PathBuf> {
        self.parts.get(&clean(file)).cloned()
    }
}

/// What one kustomization file refers to.
#[derive(Debug, Default)]
struct Refers {
    local: Vec<PathBuf>,
    remote: Vec<String>,
}

/// Finds the kustomizations that no other one builds on.
pub(crate) fn roots(files: &[PathBuf]) -> Kustomizations {
    let mut refers: BTreeMap<PathBuf, (PathBuf, Refers)> = BTreeMap::new();
    for file in files {
        let named = file.file_name().and_then(|name| name.to_str()).is_some_and(|name| NAMES.contains(&name));
        if let (true, Some(folder)) = (named, file.parent()) {
            refers.insert(clean(folder), (file.clone(), read(file, folder)));
        }
    }
    let mut built_on: BTreeSet<PathBuf> = BTreeSet::new();
    for (folder, (_, refer)) in &refers {
        built_on.extend(refer.local.iter().filter(|local| *local != folder && refers.contains_key(*local)).cloned());
    }
    let mut found = Kustomizations::default();
    for (folder, (file, _)) in &refers {
        if built_on.contains(folder) {
            continue;
        }
        let root = file.parent().unwrap_or(folder).to_path_buf();
        found.roots.insert(file.clone(), root.clone());
        let mut queue = vec![folder.clone()];
        let mut seen = BTreeSet::new();
        while let Some(at) = queue.pop() {
            let Some((own, refer)) = refers.get(&at).filter(|_| seen.insert(at.clone())) else { continue };
            if own != file {
                found.parts.entry(clean(own)).or_insert_with(|| root.clone());
            }
            for local in &refer.local {
                if refers.contains_key(local) {
                    queue.push(local.clone());
                } else {
                    found.parts.entry(local.clone()).or_insert_with(|| root.clone());
                }
            }
        }
    }
    found
}

/// Addresses outside that a kustomization or one it builds on would fetch.
pub(crate) fn remotes(folder: &Path) -> Vec<String> {
    let mut remotes = Vec::new();
    let mut queue = vec![clean(folder)];
    let mut seen = BTreeSet::new();
    while let Some(at) = queue.pop() {
        if !seen.insert(at.clone()) {
            continue;
        }
        let Some(file) = NAMES.iter().map(|name| at.join(name)).find(|file| file.is_file()) else { continue };
        let refers = read(&file, &at);
        remotes.extend(refers.remote);
        queue.extend(refers.local.into_iter().filter(|local| local.is_dir()));
    }
    remotes
}

fn read(file: &Path, folder: &Path) -> Refers {
    let mut refers = Refers::default();
    let Ok(text) = std::fs::read_to_string(file) else { return refers };
    let symbols = Symbols::default();
    for raw in yaml::documents(&text) {
        let mut builder = DocBuilder::new(&symbols, Dialect::Plain, (&*raw.text).into(), 1);
        let Ok(Some(root)) = yaml::parse(&raw.text, &yaml::Limits::default(), &mut builder) else { continue };
        let doc = builder.finish(root);
        let root = doc.root();
        for key in ["resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"] {
            for item in root.get(key).into_iter().flat_map(Ref::items) {
                refers.add(item.as_str(), folder);
            }
        }
        for item in root.get("patchesStrategicMerge").into_iter().flat_map(Ref::items) {
            // An inline patch has line breaks.
            refers.add(item.as_str().filter(|text| !text.contains('\n')), folder);
        }
        for key in ["patches", "patchesJson6902", "replacements"] {
            for item in root.get(key).into_iter().flat_map(Ref::items) {
                refers.add(item.get("path").and_then(Ref::as_str), folder);
            }
        }
        if root.get("helmCharts").is_some_and(|charts| charts.items().len() > 0) {
            refers.remote.push("a Helm chart (`helmCharts`)".to_owned());
        }
    }
    refers
}

impl Refers {
    fn add(&mut self, reference: Option<&str>, folder: &Path) {
        let Some(reference) = reference else { return };
        let local = folder.join(reference);
        if local.exists() {
            self.local.push(clean(&local));
        } else if reference.contains("://")
            || reference.contains("?ref=")
            || reference.starts_with("git@")
            || reference.split('/').next().is_some_and(|host| host.contains('.') && host != "." && host != "..")
        {
            self.remote.push(reference.to_owned());
        }
    }
}

/// Removes `.` and `..` without touching the disk.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
