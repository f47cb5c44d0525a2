//! Leads rendered text back to its template: which file a document came from, and which line
//! of it each rendered line most likely is.
//!
//! Helm says the file (`# Source:`), kustomize does not; lines are matched by their keys in
//! order, so a place may be off where a template loops. It never points outside the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files a chart or kustomization is made of.
pub(crate) struct Sources {
    folder: PathBuf,
    texts: BTreeMap<PathBuf, Option<String>>,
    manifests: Option<Vec<PathBuf>>,
}

impl Sources {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), texts: BTreeMap::new(), manifests: None }
    }

    /// The file a rendered document came from, and the line of it for each rendered line.
    pub(crate) fn find(&mut self, rendered: &str) -> Option<(PathBuf, Box<[u32]>)> {
        let path = match rendered.lines().find_map(|line| line.strip_prefix("# Source: ")) {
            // `chart/templates/x.yaml`: the first part is the chart's name, not its folder.
            Some(source) => self.folder.join(source.trim().split_once('/')?.1),
            None => self.declared(rendered)?,
        };
        let text = self.text(&path)?;
        let lines = lines(rendered, text);
        Some((path, lines))
    }

    fn text(&mut self, path: &Path) -> Option<&str> {
        self.texts
            .entry(path.to_path_buf())
            .or_insert_with(|| std::fs::read_to_string(path).ok())
            .as_deref()
    }

    /// The manifest below the folder's parent that declares the rendered object's kind and name.
    fn declared(&mut self, rendered: &str) -> Option<PathBuf> {
        let field = |prefix: &str| {
            rendered.lines().find_map(|line| line.strip_prefix(prefix)).map(|value| value.trim().to_owned())
        };
        let kind = format!("kind: {}", field("kind: ")?);
        let name = field("  name: ")?;
        if self.manifests.is_none() {
            let mut found = Vec::new();
            list(&self.folder, &mut found, 0);
            if let Some(parent) = self.folder.parent().and_then(Path::parent) {
                list(parent, &mut found, 0);
            }
            self.manifests = Some(found);
        }
        for path in self.manifests.clone().unwrap_or_default() {
            let Some(text) = self.text(&path) else { continue };
            let declares = text.lines().any(|line| line.trim_end() == kind)
                && text.lines().any(|line| {
                    line.trim().strip_prefix("name: ").is_some_and(|own| name == own.trim() || name.ends_with(own.trim()))
                });
            if declares {
                return Some(path);
            }
        }
        None
    }
}

fn list(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    if depth > 4 || found.len() > 2000 {
        return;
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(&path, found, depth + 1);
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
            && !crate::kustomization::NAMES.iter().any(|name| path.ends_with(name))
            && !found.contains(&path)
        {
            found.push(path);
        }
    }
}

/// For each rendered line the line of the template, from 1.
fn lines(rendered: &str, template: &str) -> Box<[u32]> {
    let template: Vec<(&str, &str)> = template.lines().map(|line| (line.trim(), key(line))).collect();
    let mut at = 0usize;
    let mut map = Vec::new();
    for line in rendered.lines() {
        let (whole, own) = (line.trim(), key(line));
        let exact = || template.iter().enumerate().skip(at).find(|(_, (text, _))| *text == whole);
        let similar = || template.iter().enumerate().skip(at).take(40).find(|(_, (_, key))| !own.is_empty() && *key == own);
        if !whole.is_empty()
            && !whole.starts_with('#')
            && let Some((index, _)) = similar().or_else(exact)
        {
            at = index;
            map.push(index as u32 + 1);
            at += 1;
        } else {
            map.push((at as u32).clamp(1, template.len().max(1) as u32));
        }
    }
    if map.is_empty() {
        map.push(1);
    }
    map.into()
}

/// What a line is about: its key, with the dash of a list item.
fn key(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with("{{") || line.starts_with('#') {
        return "";
    }
    line.split_once(':').map_or("", |(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn follows_the_keys() {
        let template = "apiVersion: v1\n{{- if .x }}\nkind: Pod\n{{- end }}\nspec:\n  image: {{ .image }}\n";
        let rendered = "# Source: c/templates/x.yaml\napiVersion: v1\nkind: Pod\nspec:\n  image: a\n";
        assert_eq!(&*lines(rendered, template), &[1, 1, 3, 5, 6]);
    }
}
