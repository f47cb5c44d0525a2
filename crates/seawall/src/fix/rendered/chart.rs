//! A chart as far as its values are concerned: what is given, by which file, and what its templates name. It leaves
//! out what templates mean.

use std::path::{Path, PathBuf};

use yaml::edit::Value;

use super::values::{entry, get, string};

/// Charts within charts.
const LEVELS: usize = 6;
/// Templates that are read for what they name.
const MOST_TEMPLATES: usize = 2000;

/// A chart.
pub(super) struct Chart {
    /// Its own values, and the files given, a later one counting more.
    pub(super) files: Vec<File>,
    /// What templates see.
    pub(super) merged: Value,
    pub(super) references: Vec<Reference>,
}

/// A file of values.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) value: Value,
}

/// A value that a template names.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) keys: Vec<Box<str>>,
    /// Not `.Values.a` but `.a`: of an item of a list, perhaps.
    pub(super) relative: bool,
    /// It is written whole, as a map may be.
    pub(super) whole: bool,
    /// The template, within the chart.
    pub(super) file: String,
}

impl Chart {
    pub(super) fn read(folder: &Path, given: &[PathBuf]) -> Self {
        let own = folder.join("values.yaml");
        let mut files = Vec::new();
        for path in std::iter::once(&own).chain(given) {
            if let Some(value) = read(path) {
                files.push(File {
                    path: path.clone(),
                    value,
                });
            }
        }
        let mut chart = Self {
            files,
            merged: Value::Map(Vec::new()),
            references: Vec::new(),
        };
        let mut merged = chart.contained(folder, "", &mut Vec::new(), 0);
        for file in &chart.files {
            coalesce(&mut merged, &file.value);
        }
        chart.merged = merged;
        chart
    }

    /// The defaults of the charts in a chart, below their names; notes what all templates name.
    fn contained(
        &mut self,
        folder: &Path,
        within: &str,
        keys: &mut Vec<Box<str>>,
        level: usize,
    ) -> Value {
        self.note(folder, within, keys);
        let mut values = Value::Map(Vec::new());
        if level > LEVELS {
            return values;
        }
        let own = read(&folder.join("Chart.yaml"));
        for chart in sorted(&folder.join("charts")) {
            let Some(about) = read(&chart.join("Chart.yaml")) else {
                continue;
            };
            let Some(name) = string(&about, "name") else {
                continue;
            };
            for key in names(own.as_ref(), name) {
                keys.push(key.as_str().into());
                let folder_name = chart.file_name().unwrap_or_default().to_string_lossy();
                let below = format!("{within}charts/{folder_name}/");
                let mut defaults = self.contained(&chart, &below, keys, level + 1);
                if let Some(own) = read(&chart.join("values.yaml")) {
                    coalesce(&mut defaults, &own);
                }
                keys.pop();
                *entry(&mut values, &key) = defaults;
            }
        }
        values
    }

    /// Notes what the templates of a folder name.
    fn note(&mut self, folder: &Path, within: &str, keys: &[Box<str>]) {
        let mut queue = vec![(folder.join("templates"), format!("{within}templates"))];
        let mut read = 0;
        while let Some((at, name)) = queue.pop() {
            for path in sorted(&at) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{name}/{file}");
                if path.is_dir() {
                    queue.push((path, name));
                } else if read < MOST_TEMPLATES
                    && let Ok(text) = std::fs::read_to_string(&path)
                {
                    read += 1;
                    self.references.extend(references(&text, &name, keys));
                }
            }
        }
    }

    /// What an object's template may name: the file, and the definitions that any may use.
    pub(super) fn references_of<'c>(
        &'c self,
        source: Option<&'c str>,
    ) -> impl Iterator<Item = &'c Reference> + 'c {
        self.references.iter().filter(move |reference| {
            !reference.relative
                && (Some(reference.file.as_str()) == source || reference.file.ends_with(".tpl"))
        })
    }
}

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    match Value::read(&text) {
        Ok(value @ Value::Map(_)) => Some(value),
        // A file that says nothing is no reason not to write into it.
        Ok(Value::Null) => Some(Value::Map(Vec::new())),
        _ => None,
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What a chart calls one that it contains: its name, or the aliases of its dependencies.
fn names(own: Option<&Value>, name: &str) -> Vec<String> {
    let Some(Value::List(dependencies)) = own.and_then(|own| get(own, "dependencies")) else {
        return vec![name.to_owned()];
    };
    let mut names: Vec<String> = dependencies
        .iter()
        .filter(|dependency| string(dependency, "name") == Some(name))
        .map(|dependency| string(dependency, "alias").unwrap_or(name).to_owned())
        .collect();
    if names.is_empty() {
        names.push(name.to_owned());
    }
    names
}

/// Values over others, as helm puts them: maps are joined, and nothing takes away.
fn coalesce(under: &mut Value, over: &Value) {
    let Value::Map(entries) = over else {
        *under = over.clone();
        return;
    };
    for (key, value) in entries {
        match value {
            Value::Map(_) => {
                let under = entry(under, key);
                if matches!(under, Value::Map(_)) {
                    coalesce(under, value);
                } else {
                    *under = value.clone();
                }
            }
            _ => *entry(under, key) = value.clone(),
        }
    }
}

/// What a template names: `.Values.a.b`, and `.a` where it is written whole.
fn references(text: &str, file: &str, within: &[Box<str>]) -> Vec<Reference> {
    let mut found = Vec::new();
    for action in actions(text) {
        let words: Vec<&str> = action
            .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '{' | '}'))
            .filter(|word| !word.is_empty())
            .collect();
        let whole = words.iter().any(|word| matches!(*word, "toYaml" | "with"));
        for word in words {
            let (keys, relative) = match word.split_once("Values.") {
                Some(("." | "$.", keys)) => (keys, false),
                Some((before, keys)) if before.starts_with(['.', '$']) => (keys, false),
                _ => match word.strip_prefix('.') {
                    Some(keys) if whole => (keys, true),
                    _ => continue,
                },
            };
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
            let names: Vec<&str> = keys.split('.').collect();
            let builtin = [
                "Values",
                "Release",
                "Chart",
                "Capabilities",
                "Files",
                "Template",
            ];
            if names
                .iter()
                .any(|name| name.is_empty() || !name.chars().all(plain))
                || relative && builtin.contains(names.first().unwrap_or(&""))
            {
                continue;
            }
            let own = names.into_iter().map(Box::from);
            let keys = if relative {
                own.collect()
            } else {
                within.iter().cloned().chain(own).collect()
            };
            found.push(Reference {
                keys,
                relative,
                whole,
                file: file.to_owned(),
            });
        }
    }
    found
}

/// The actions of a template: what stands between `{{` and `}}`.
fn actions(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("{{").skip(1);
    parts.map(|part| part.split_once("}}").map_or(part, |(action, _)| action))
}
