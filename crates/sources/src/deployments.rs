//! Which templates stand for themselves, which files they read, and which parameter files belong
//! to them. Found from the files' names and the paths they mention; nothing is evaluated here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::kustomization::clean;

/// Larger files are no template that a person wrote; they are read when they are assessed.
const LONGEST: u64 = 64 << 20;

/// The templates of a folder.
#[derive(Debug, Default)]
pub(crate) struct Deployments {
    /// Templates (and Bicep parameter files) that are deployed as they are, with the parameter
    /// files that belong to them.
    roots: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// Files that some root reads, and which.
    parts: BTreeMap<PathBuf, PathBuf>,
    /// Folders with Terraform files, with the folder that calls them as a module.
    terraform: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Deployments {
    /// The parameter files of a template that stands for itself.
    pub(crate) fn root(&self, file: &Path) -> Option<&[PathBuf]> {
        self.roots.get(file).map(Vec::as_slice)
    }

    /// The template that reads a file.
    pub(crate) fn part_of(&self, file: &Path) -> Option<&PathBuf> {
        self.parts.get(&clean(file))
    }

    /// The folder of a Terraform file, and the folder that calls it as a module, when one does.
    pub(crate) fn terraform(&self, file: &Path) -> Option<(&Path, Option<&Path>)> {
        let (folder, caller) = self.terraform.get_key_value(file.parent()?)?;
        Some((folder, caller.as_deref()))
    }
}

/// Whether a file is Bicep or its parameters.
pub(crate) fn is_bicep(file: &Path) -> bool {
    has_ending(file, &["bicep", "bicepparam"])
}

/// Whether a file is a template in JSON.
pub(crate) fn is_template(file: &Path) -> bool {
    has_ending(file, &["json"]) && model::arm::is_template(&read_head(file))
}

/// Whether a file is part of a Terraform configuration.
#[must_use]
pub fn is_terraform(file: &Path) -> bool {
    has_ending(file, &["tf"]) || name(file).ends_with(".tf.json")
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    file.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| endings.contains(&ending))
}

fn name(file: &Path) -> &str {
    file.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// Finds the templates that no other one among `files` calls.
pub(crate) fn roots(files: &[PathBuf]) -> Deployments {
    let mut deployments = Deployments::default();
    let known: BTreeMap<PathBuf, &PathBuf> = files.iter().map(|file| (clean(file), file)).collect();
    let bicep: Vec<&PathBuf> = files.iter().filter(|file| is_bicep(file)).collect();
    let mut calls: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for file in &bicep {
        let folder = file.parent().unwrap_or(Path::new(""));
        let mentioned = mentioned_paths(&read(file))
            .into_iter()
            .map(|path| clean(&folder.join(path)))
            .filter(|path| known.contains_key(path) && *path != clean(file))
            .collect();
        calls.insert(clean(file), mentioned);
    }
    let called: BTreeSet<&PathBuf> = calls.values().flatten().collect();
    for file in &bicep {
        if !called.contains(&clean(file)) {
            deployments.roots.insert((*file).clone(), Vec::new());
        }
    }
    // Files that only call each other in a ring are all roots.
    let reached = reached(&calls, deployments.roots.keys().map(|file| clean(file)));
    for file in &bicep {
        match reached.get(&clean(file)) {
            Some(root) if *root != clean(file) => {
                let shown = known.get(root).map_or(root, |file| *file);
                deployments.parts.insert(clean(file), shown.clone());
            }
            Some(_) => {}
            None => {
                deployments.roots.insert((*file).clone(), Vec::new());
            }
        }
    }
    // A compiled template that Bicep calls is read with it; whatever else it loads may be
    // something of its own.
    for (from, mentioned) in &calls {
        for path in mentioned
            .iter()
            .filter(|path| !is_bicep(path) && model::arm::is_template(&read_head(path)))
        {
            let shown = known.get(from).map_or(from, |file| *file);
            deployments
                .parts
                .entry(path.clone())
                .or_insert_with(|| shown.clone());
        }
    }
    json(files, &mut deployments);
    deployments.terraform = terraform(files);
    deployments
}

/// From each root along what it calls: the first root that reaches a file.
fn reached(
    calls: &BTreeMap<PathBuf, Vec<PathBuf>>,
    roots: impl Iterator<Item = PathBuf>,
) -> BTreeMap<PathBuf, PathBuf> {
    let mut reached = BTreeMap::new();
    for root in roots {
        let mut queue = vec![root.clone()];
        while let Some(file) = queue.pop() {
            if reached.contains_key(&file) {
                continue;
            }
            queue.extend(calls.get(&file).into_iter().flatten().cloned());
            reached.insert(file, root.clone());
        }
    }
    reached
}

/// JSON templates, the parameter files beside them, and what was compiled from Bicep.
fn json(files: &[PathBuf], deployments: &mut Deployments) {
    let mut templates = BTreeSet::new();
    let mut parameters = Vec::new();
    for file in files
        .iter()
        .filter(|file| has_ending(file, &["json", "jsonc"]))
    {
        if deployments.parts.contains_key(&clean(file)) || is_terraform(file) {
            continue;
        }
        let head = read_head(file);
        if model::arm::is_template(&head) {
            let source = file.with_extension("bicep");
            if files.binary_search(&source).is_ok() && head.contains("\"_generator\"") {
                deployments.parts.insert(clean(file), source);
            } else {
                templates.insert(file);
            }
        } else if is_parameter_file(&head) {
            parameters.push(file);
        }
    }
    let mut linked = BTreeMap::new();
    for template in &templates {
        let folder = template.parent().unwrap_or(Path::new(""));
        for path in linked_paths(&read(template)) {
            let path = clean(&folder.join(path));
            if path != clean(template) {
                linked.entry(path).or_insert_with(|| (*template).clone());
            }
        }
    }
    for template in &templates {
        match outermost(template, &linked) {
            Some(from) => {
                deployments.parts.insert(clean(template), from);
            }
            None => {
                deployments.roots.insert((*template).clone(), Vec::new());
            }
        }
    }
    let all: Vec<&PathBuf> = files
        .iter()
        .filter(|file| has_ending(file, &["bicep"]) || templates.contains(file))
        .collect();
    for file in parameters {
        let named = named_by(file, &all);
        let Some(template) = named.or_else(|| only_beside(file, &deployments.roots)) else {
            continue;
        };
        deployments.parts.insert(clean(file), template.clone());
        // What has parameters of its own is deployed by itself, whoever else calls it.
        deployments.parts.remove(&clean(&template));
        deployments
            .roots
            .entry(template)
            .or_default()
            .push(file.clone());
    }
}

/// The template that nothing links to from which links lead to this one. Templates that only
/// link to each other have none.
fn outermost(template: &Path, linked: &BTreeMap<PathBuf, PathBuf>) -> Option<PathBuf> {
    let mut at = linked.get(&clean(template))?;
    for _ in 0..linked.len() {
        match linked.get(&clean(at)) {
            Some(from) => at = from,
            None => return Some(at.clone()),
        }
    }
    None
}

/// Whether a text is a parameter file.
pub(crate) fn is_parameter_file(text: &str) -> bool {
    text.to_ascii_lowercase()
        .contains("deploymentparameters.json")
}

/// `main.parameters.json`, `main.parameters.prod.json` and `main.prod.parameters.json` belong to
/// `main.json` or `main.bicep`.
fn named_by(file: &Path, templates: &[&PathBuf]) -> Option<PathBuf> {
    let folder = file.parent()?;
    let own = name(file).to_ascii_lowercase();
    let words: Vec<&str> = own.split('.').collect();
    if !words
        .iter()
        .any(|word| *word == "parameters" || *word == "param")
    {
        return None;
    }
    for count in (1..words.len()).rev() {
        let stem = words.get(..count)?.join(".");
        for ending in ["json", "bicep"] {
            let template = templates.iter().find(|template| {
                template.parent() == Some(folder)
                    && name(template).eq_ignore_ascii_case(&format!("{stem}.{ending}"))
            });
            if let Some(template) = template {
                return Some((*template).clone());
            }
        }
    }
    None
}

/// `parameters.json` belongs to the only template beside it.
fn only_beside(file: &Path, roots: &BTreeMap<PathBuf, Vec<PathBuf>>) -> Option<PathBuf> {
    let folder = file.parent()?;
    let mut beside = roots.keys().filter(|template| {
        template.parent() == Some(folder) && !has_ending(template, &["bicepparam"])
    });
    match (beside.next(), beside.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// Folders with Terraform files, with the folder that calls each as a module.
fn terraform(files: &[PathBuf]) -> BTreeMap<PathBuf, Option<PathBuf>> {
    let mut folders: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
    let mut callers: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for file in files.iter().filter(|file| is_terraform(file)) {
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        for path in mentioned_sources(&read(file)) {
            let module = clean(&folder.join(path));
            if module != clean(&folder) {
                callers.entry(module).or_insert_with(|| folder.clone());
            }
        }
        folders.insert(folder, None);
    }
    for (folder, caller) in &mut folders {
        *caller = callers.get(&clean(folder)).cloned();
    }
    folders
}

fn read(file: &Path) -> String {
    if fs::metadata(file).is_ok_and(|data| data.len() <= LONGEST) {
        fs::read(file).map_or_else(
            |_| String::new(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    } else {
        String::new()
    }
}

/// The first bytes of a file: a template says early what it is.
fn read_head(file: &Path) -> String {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(open) = fs::File::open(file) {
        // A file that cannot be read is reported when it is assessed.
        let _ = open.take(64 << 10).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Relative paths in a Bicep text: `'./net.bicep'` after `module`, `from`, `using` or in a call.
fn mentioned_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        for quoted in line.split('\'').skip(1).step_by(2) {
            let ending = quoted.rsplit('.').next().unwrap_or_default();
            let file = [
                "bicep",
                "bicepparam",
                "json",
                "jsonc",
                "yaml",
                "yml",
                "txt",
                "sh",
                "ps1",
            ]
            .contains(&ending);
            if file
                && !quoted.contains("${")
                && !quoted.contains("://")
                && !quoted.starts_with("br")
            {
                paths.push(quoted.to_owned());
            }
        }
    }
    paths
}

/// Relative paths of linked templates: `"relativePath": "net.json"`.
fn linked_paths(text: &str) -> Vec<String> {
    text.split("\"relativePath\"")
        .skip(1)
        .filter_map(|rest| {
            let path = rest.trim_start().strip_prefix(':')?.trim_start();
            let path = path.strip_prefix('"')?.split('"').next()?;
            (!path.starts_with('[')).then(|| path.to_owned())
        })
        .collect()
}

/// Local module sources in Terraform: `source = "../net"`.
fn mentioned_sources(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let rest = line.trim_start().strip_prefix("source")?.trim_start();
            let path = rest.strip_prefix('=')?.trim_start().strip_prefix('"')?;
            let path = path.split('"').next()?;
            path.starts_with('.').then(|| path.to_owned())
        })
        .collect()
}
