//! From the paths a user gives to inputs: files in a stable order, charts and kustomizations
//! as one input each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::deployments;
use crate::kustomization;
use crate::post_render;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file of manifests or an ARM template.
    File(PathBuf),
    /// A file that was given or found and that no reader understands, with the reason.
    Unread(PathBuf, &'static str),
    /// A Helm chart's folder.
    Chart(PathBuf),
    /// A folder with a kustomization that no other one builds on.
    Kustomization(PathBuf),
    /// An ARM template, Bicep file or Bicep parameter file that is deployed as it is, with the
    /// parameter files that belong to it.
    Deployment(PathBuf, Vec<PathBuf>),
    /// A folder with a Terraform configuration.
    Terraform(PathBuf),
    /// A file that is read as a part of a chart or kustomization.
    Part(PathBuf, PathBuf),
    /// A file in a chart's folder that the chart does not render.
    Beside(PathBuf, PathBuf),
}

/// Why a path cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// It does not exist.
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    /// It cannot be listed.
    #[error("cannot list `{path}`: {message}")]
    List {
        /// which
        path: PathBuf,
        /// why
        message: String,
    },
}

/// Lists the inputs below the given paths. `-` is standard input. Folders respect `.gitignore`;
/// a file that is named is read whatever it is called.
///
/// # Errors
/// When a path does not exist or cannot be listed.
pub fn walk(paths: &[PathBuf]) -> Result<Vec<Input>, WalkError> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            for input in folder(path)? {
                let key = match &input {
                    Input::Part(path, _)
                    | Input::Beside(path, _)
                    | Input::File(path)
                    | Input::Deployment(path, _)
                    | Input::Unread(path, _) => path.clone(),
                    Input::Terraform(path) => path.join("main.tf"),
                    Input::Chart(path) => path.join("Chart.yaml"),
                    Input::Kustomization(path) => path.join("kustomization.yaml"),
                    Input::Stdin => continue,
                };
                if seen.insert(key) {
                    inputs.push(input);
                }
            }
        } else if path.exists() {
            if seen.insert(path.clone()) {
                inputs.push(named_file(path));
            }
        } else {
            return Err(WalkError::Missing(path.clone()));
        }
    }
    Ok(inputs)
}

fn named_file(path: &Path) -> Input {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if kustomization::NAMES.contains(&name) {
        return Input::Kustomization(
            path.parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        );
    }
    if name == "Chart.yaml" {
        return Input::Chart(
            path.parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        );
    }
    if deployments::is_bicep(path) || deployments::is_template(path) {
        return Input::Deployment(path.to_path_buf(), Vec::new());
    }
    if deployments::is_terraform(path) {
        return Input::Terraform(
            path.parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf),
        );
    }
    by_ending(path).unwrap_or_else(|| Input::File(path.to_path_buf()))
}

/// What a file's ending says; `None` when it says nothing.
fn by_ending(path: &Path) -> Option<Input> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("yaml" | "yml" | "json") => Some(Input::File(path.to_path_buf())),
        Some("tgz") => Some(Input::Unread(
            path.to_path_buf(),
            "a packed chart; unpack it and give its folder",
        )),
        _ => None,
    }
}

fn folder(root: &Path) -> Result<Vec<Input>, WalkError> {
    let mut files = Vec::new();
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walker {
        let entry = entry.map_err(|error| WalkError::List {
            path: root.to_path_buf(),
            message: error.to_string(),
        })?;
        if entry.file_type().is_some_and(|kind| {
            // A link that leads nowhere is no folder; that it cannot be read is told.
            kind.is_file() || kind.is_symlink() && !entry.path().is_dir()
        }) {
            files.push(entry.into_path());
        }
    }
    files.sort();
    let charts = charts(&files);
    let kustomizations = kustomization::roots(&files);
    let deployments = deployments::roots(&files);
    let mut configurations = BTreeSet::new();
    let mut inputs = Vec::new();
    for file in files {
        if let Some(chart) = charts.iter().find(|chart| file.starts_with(chart)) {
            if file == chart.join("Chart.yaml") {
                inputs.push(Input::Chart(chart.clone()));
            } else if is_template_source(&file, chart) {
                inputs.push(Input::Part(file, chart.clone()));
            } else if is_manifest(&file) && !is_about_chart(&file) {
                inputs.push(Input::Beside(file, chart.clone()));
            }
            continue;
        }
        if let Some(root) = kustomizations.root_at(&file) {
            inputs.push(Input::Kustomization(root));
            continue;
        }
        if let Some(root) = kustomizations.part_of(&file) {
            inputs.push(Input::Part(file, root));
            continue;
        }
        if let Some(parameters) = deployments.root(&file) {
            let parameters = parameters.to_vec();
            inputs.push(Input::Deployment(file, parameters));
            continue;
        }
        if let Some(template) = deployments.part_of(&file) {
            let template = template.clone();
            inputs.push(Input::Part(file, template));
            continue;
        }
        if let Some((folder, caller)) = deployments
            .terraform(&file)
            .filter(|_| deployments::is_terraform(&file))
        {
            let whole = caller.unwrap_or(folder).to_path_buf();
            let first = caller.is_none() && configurations.insert(whole.clone());
            inputs.extend(first.then(|| Input::Terraform(whole.clone())));
            inputs.push(Input::Part(file, whole));
            continue;
        }
        if file
            .file_name()
            .is_some_and(|name| name == "seawall.yaml" || name == "seawall-waivers.yaml")
        {
            continue;
        }
        inputs.extend(by_ending(&file).filter(|input| !matches!(input, Input::Unread(path, _) if path.extension().is_some_and(|ending| ending == "tgz"))));
    }
    Ok(inputs)
}

/// Chart folders that do not lie in another chart.
fn charts(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut charts: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<&Path> = files
        .iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "Chart.yaml"))
        .filter_map(|file| file.parent())
        .collect();
    folders.sort();
    for folder in folders {
        if !charts.iter().any(|chart| folder.starts_with(chart)) {
            charts.push(folder.to_path_buf());
        }
    }
    charts
}

/// Files of a chart that become objects: they are accounted for one by one.
fn is_template_source(file: &Path, chart: &Path) -> bool {
    let within = file.strip_prefix(chart).unwrap_or(file);
    is_manifest(file)
        && within.components().any(|part| {
            ["templates", "crds", post_render::FOLDER]
                .map(AsRef::as_ref)
                .contains(&part.as_os_str())
        })
}

fn is_manifest(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// Files that tell helm about a chart, or about one that it contains.
fn is_about_chart(file: &Path) -> bool {
    ["Chart.yaml", "requirements.yaml", "values.yaml"]
        .iter()
        .any(|name| file.ends_with(name))
}
