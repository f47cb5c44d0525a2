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
    /// Those of them that declare objects or build on what does.
    resources: Vec<PathBuf>,
    /// Those that hold patches.
    patches: Vec<PathBuf>,
    remote: Vec<String>,
    missing: Vec<String>,
    component: bool,
}

/// Finds the kustomizations that no other one builds on.
pub(crate) fn roots(files: &[PathBuf]) -> Kustomizations {
    let mut refers: BTreeMap<PathBuf, (PathBuf, Refers)> = BTreeMap::new();
    for file in files {
        let named = file
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| NAMES.contains(&name));
        if let (true, Some(folder)) = (named, file.parent()) {
            refers.insert(clean(folder), (file.clone(), read(file, folder)));
        }
    }
    let mut built_on: BTreeSet<PathBuf> = BTreeSet::new();
    for (folder, (_, refer)) in &refers {
        built_on.extend(
            refer
                .local
                .iter()
                .filter(|local| *local != folder && refers.contains_key(*local))
                .cloned(),
        );
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
            let Some((own, refer)) = refers.get(&at).filter(|_| seen.insert(at.clone())) else {
                continue;
            };
            if own != file {
                found
                    .parts
                    .entry(clean(own))
                    .or_insert_with(|| root.clone());
            }
            for local in &refer.local {
                if refers.contains_key(local) {
                    queue.push(local.clone());
                } else {
                    found
                        .parts
                        .entry(local.clone())
                        .or_insert_with(|| root.clone());
                }
            }
        }
    }
    found
}

/// What a kustomization or one it builds on names and this folder does not hold.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// Addresses that would have to be fetched.
    pub(crate) remote: Vec<String>,
    /// Files and folders that do not exist.
    pub(crate) missing: Vec<String>,
}

/// What a kustomization or one it builds on would reach outside for.
pub(crate) fn outside(folder: &Path) -> Outside {
    let mut outside = Outside::default();
    let mut queue = vec![clean(folder)];
    let mut seen = BTreeSet::new();
    while let Some(at) = queue.pop() {
        if !seen.insert(at.clone()) {
            continue;
        }
        let Some(file) = file_of(&at) else { continue };
        let refers = read(&file, &at);
        outside.remote.extend(refers.remote);
        outside.missing.extend(refers.missing);
        queue.extend(refers.local.into_iter().filter(|local| is_folder(local)));
    }
    outside
}

/// The files that declare the objects of a kustomization, its own first.
#[must_use]
pub fn manifests(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut queue = std::collections::VecDeque::from([clean(folder)]);
    let mut seen = BTreeSet::new();
    while let Some(at) = queue.pop_front() {
        if !seen.insert(at.clone()) {
            continue;
        }
        if is_folder(&at) {
            queue.extend(
                file_of(&at)
                    .map(|file| read(&file, &at))
                    .into_iter()
                    .flat_map(|refers| refers.resources),
            );
        } else {
            files.push(at);
        }
    }
    files
}

/// The files with patches of a kustomization and of those that it builds on, its own first.
#[must_use]
pub fn patches(folder: &Path) -> Vec<PathBuf> {
    let mut patches = Vec::new();
    let mut queue = std::collections::VecDeque::from([clean(folder)]);
    let mut seen = BTreeSet::new();
    while let Some(at) = queue.pop_front() {
        let Some(file) = file_of(&at).filter(|_| seen.insert(at.clone())) else {
            continue;
        };
        let refers = read(&file, &at);
        patches.extend(refers.patches);
        queue.extend(refers.local.into_iter().filter(|local| is_folder(local)));
    }
    patches
}

/// Every file that a kustomization and those that it builds on may read: their own, and what any of their texts
/// names.
pub(crate) fn reads(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut queue = vec![clean(folder)];
    while let Some(at) = queue.pop() {
        let file = if is_folder(&at) {
            file_of(&at)
        } else {
            Some(at)
        };
        let Some(file) = file.filter(|file| files.insert(file.clone())) else {
            continue;
        };
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        for named in named_by(&file, &folder) {
            // What generators and transformers name is not said by the kustomization; their files are short.
            let leads_on = is_folder(&named) || !is_manifest(&named);
            if leads_on {
                queue.push(named);
            } else {
                files.insert(named);
            }
        }
    }
    files
}

/// Whether a file declares an object of a cluster: it names no files.
fn is_manifest(file: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else {
        return true;
    };
    let is_config = |line: &str| {
        line.strip_prefix("apiVersion:")
            .is_some_and(|version| version.trim().starts_with("builtin"))
    };
    !text.lines().any(is_config)
}

/// The files and folders that strings in a file name.
fn named_by(file: &Path, folder: &Path) -> Vec<PathBuf> {
    let Ok(text) = std::fs::read_to_string(file) else {
        return Vec::new();
    };
    let symbols = Symbols::default();
    let mut named = Vec::new();
    for raw in yaml::documents(&text) {
        let mut builder = DocBuilder::new(&symbols, Dialect::Plain, (&*raw.text).into(), 1);
        let Ok(Some(root)) = yaml::parse(&raw.text, &yaml::Limits::default(), &mut builder) else {
            continue;
        };
        let doc = builder.finish(root);
        let mut queue = vec![doc.root()];
        while let Some(at) = queue.pop() {
            queue.extend(at.items());
            queue.extend(at.entries().map(|(_, _, value)| value));
            let Some(text) = at.as_str().filter(|text| !text.contains('\n')) else {
                continue;
            };
            // Files of generators may be written `key=file`.
            let behind = text.split_once('=').map(|(_, file)| file);
            for name in std::iter::once(text).chain(behind) {
                let path = folder.join(name);
                if !name.is_empty() && path.exists() {
                    named.push(clean(&path));
                }
            }
        }
    }
    named
}

/// Whether a cleaned path is a folder; that of the folder where everything runs is empty.
fn is_folder(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

/// The kustomization's file in a folder.
#[must_use]
pub fn file_of(folder: &Path) -> Option<PathBuf> {
    NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
}

/// Whether a folder's kustomization is a component: it changes another one and stands for nothing.
pub(crate) fn is_component(folder: &Path) -> bool {
    file_of(folder).is_some_and(|file| read(&file, folder).component)
}

fn read(file: &Path, folder: &Path) -> Refers {
    let mut refers = Refers::default();
    let Ok(text) = std::fs::read_to_string(file) else {
        return refers;
    };
    let symbols = Symbols::default();
    for raw in yaml::documents(&text) {
        let mut builder = DocBuilder::new(&symbols, Dialect::Plain, (&*raw.text).into(), 1);
        let Ok(Some(root)) = yaml::parse(&raw.text, &yaml::Limits::default(), &mut builder) else {
            continue;
        };
        let doc = builder.finish(root);
        let root = doc.root();
        refers.component |= root.get("kind").and_then(Ref::as_str) == Some("Component");
        for key in ["resources", "bases", "components"] {
            for item in root
                .get(key)
                .into_iter()
                .flat_map(Ref::items)
                .filter_map(Ref::as_str)
            {
                refers.add(Some(item), folder);
                let local = folder.join(item);
                // What looks like an address may be one; a bare path is a path.
                if local.exists() {
                    refers.resources.push(clean(&local));
                } else if !is_address(item) {
                    refers.missing.push(item.to_owned());
                }
            }
        }
        for key in [
            "crds",
            "configurations",
            "generators",
            "transformers",
            "validators",
        ] {
            for item in root.get(key).into_iter().flat_map(Ref::items) {
                refers.add(item.as_str(), folder);
            }
        }
        for item in root
            .get("patchesStrategicMerge")
            .into_iter()
            .flat_map(Ref::items)
        {
            // An inline patch has line breaks.
            let file = item.as_str().filter(|text| !text.contains('\n'));
            refers.add(file, folder);
            refers.add_patch(file, folder);
        }
        for key in ["patches", "patchesJson6902", "replacements"] {
            for item in root.get(key).into_iter().flat_map(Ref::items) {
                let file = item.get("path").and_then(Ref::as_str);
                refers.add(file, folder);
                if key == "patches" {
                    refers.add_patch(file, folder);
                }
            }
        }
        if root
            .get("helmCharts")
            .is_some_and(|charts| charts.items().len() > 0)
        {
            refers.remote.push("a Helm chart (`helmCharts`)".to_owned());
        }
    }
    refers
}

impl Refers {
    fn add_patch(&mut self, file: Option<&str>, folder: &Path) {
        let files = file.map(|file| folder.join(file)).into_iter();
        self.patches
            .extend(files.filter(|file| file.is_file()).map(|file| clean(&file)));
    }

    fn add(&mut self, reference: Option<&str>, folder: &Path) {
        let Some(reference) = reference else { return };
        let local = folder.join(reference);
        if local.exists() {
            self.local.push(clean(&local));
        } else if is_address(reference) {
            self.remote.push(format!("`{reference}`"));
        }
    }
}

/// Whether a reference that is no file here leads to the network.
fn is_address(reference: &str) -> bool {
    reference.contains("://")
        || reference.contains("?ref=")
        || reference.starts_with("git@")
        || reference
            .split_once('/')
            .is_some_and(|(host, _)| host.contains('.') && host != "." && host != "..")
}

/// Removes `.` and `..` without touching the disk.
#[must_use]
pub fn clean(path: &Path) -> PathBuf {
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

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn a_file_is_no_address() {
        for path in ["manifest.yaml", "../base", "./base/", "base", ".."] {
            assert!(!is_address(path), "{path}");
        }
        for address in [
            "github.com/shop/base",
            "https://example.com/base.yaml",
            "git@example.com:shop/base",
            "base?ref=v1",
        ] {
            assert!(is_address(address), "{address}");
        }
    }
}
