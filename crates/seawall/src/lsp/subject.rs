//! What a document is judged as: the same as `seawall assess` given this file alone.
//!
//! What it deliberately leaves out: rendering. Opening a file runs no program, so charts and kustomizations are not
//! judged here; that is said where one of their files is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A file by itself: manifests, a template.
    File(PathBuf),
    /// The Terraform configuration of a folder.
    Terraform(PathBuf),
    /// Manifests that are no file yet, by the name that the editor has for them.
    Unsaved(Arc<str>),
    /// A file of a guide: the guide's folder, and the path below it.
    Page(PathBuf, Box<str>),
    /// `seawall.yaml`, or the waivers beside it.
    Configuration(PathBuf),
    /// A file that something else renders: the file, and what renders it.
    Rendered(PathBuf, PathBuf),
}

/// Files that begin a kustomization.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

impl Subject {
    /// Of a file; nothing where seawall knows nothing about such files.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder = || match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        if [report::config::FILE, report::config::WAIVERS].contains(&name) {
            return Some(Self::Configuration(path.to_path_buf()));
        }
        if KUSTOMIZATIONS.contains(&name) || name == "Chart.yaml" {
            return Some(Self::Rendered(path.to_path_buf(), folder()));
        }
        if sources::is_terraform(path) {
            return path.exists().then(|| Self::Terraform(folder()));
        }
        match path.extension()?.to_str()? {
            "md" => page(path),
            "bicep" | "bicepparam" => path.exists().then(|| Self::File(path.to_path_buf())),
            "yaml" | "yml" | "json" | "tpl" => match chart(path) {
                Some(chart) => Some(Self::Rendered(path.to_path_buf(), chart)),
                None if name.ends_with(".tpl") => None,
                None if path.exists() => Some(Self::File(path.to_path_buf())),
                None => Some(Self::Unsaved(sources::shown(path).into())),
            },
            _ => None,
        }
    }

    /// The file that `assess` would be given.
    pub(super) fn given(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            // Any file of a configuration stands for it.
            Self::Terraform(folder) => {
                let files = std::fs::read_dir(folder).ok()?.flatten();
                let files = files.map(|entry| folder.join(entry.file_name()));
                files.filter(|file| sources::is_terraform(file)).min()
            }
            _ => None,
        }
    }

    /// The name of a file of manifests, which no other file is read with.
    pub(super) fn manifests(&self) -> Option<Arc<str>> {
        match self {
            Self::File(path) => {
                let ending = path.extension()?.to_str()?;
                ["yaml", "yml"]
                    .contains(&ending)
                    .then(|| sources::shown(path).into())
            }
            Self::Unsaved(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// Whether other files that are open may be read with it.
    pub(super) fn reads_others(&self) -> bool {
        match self {
            Self::Terraform(_) | Self::Page(..) => true,
            Self::File(path) => path.extension().is_some_and(|ending| {
                ["bicep", "bicepparam", "json"]
                    .iter()
                    .any(|known| ending == *known)
            }),
            _ => false,
        }
    }
}

/// The chart whose template a file is.
fn chart(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let templates = absolute
        .ancestors()
        .skip(1)
        .find(|folder| folder.ends_with("templates"))?;
    let chart = templates.parent()?;
    sources::is_chart(chart).then(|| chart.to_path_buf())
}

/// A page of a guide: above it lies what all guidelines have in common.
fn page(path: &Path) -> Option<Subject> {
    let absolute = std::path::absolute(path).ok()?;
    let has_variables = |folder: &Path| folder.join("variables.cel").is_file();
    let mut root = absolute
        .ancestors()
        .skip(1)
        .find(|above| has_variables(above))?;
    // Those of detections have more in common.
    if root.ends_with("detections")
        && let Some(guide) = root.parent().filter(|above| has_variables(above))
    {
        root = guide;
    }
    let below = absolute.strip_prefix(root).ok()?;
    let below = below.to_str()?.replace('\\', "/");
    Some(Subject::Page(root.to_path_buf(), below.into()))
}
