//! Patches as entries of a kustomization's file. Those of one object are one entry.

use std::collections::BTreeMap;

use sources::post_render;
use yaml::edit::{self, Edit, Editor, Operation, Step, Value, apply};

use super::Edited;

use crate::fix::cure::{Numbered, Patch, Way};
use crate::fix::rendered::values::{get, merge, string};

/// What is done to the file's text, with the numbers of the cures that it makes.
pub(super) fn operations(text: &str, cures: &[Numbered<'_>]) -> Vec<(Vec<usize>, Operation)> {
    let merged = merged(cures);
    if merged.is_empty() {
        return Vec::new();
    }
    let own = Value::read(text).unwrap_or(Value::Null);
    let one = |(numbers, patch): (Vec<usize>, Patch)| {
        let operation = joining(&own, &patch).unwrap_or_else(|| adding(&patch));
        (numbers, operation)
    };
    merged.into_iter().map(one).collect()
}

/// A patch as a new entry.
fn adding(patch: &Patch) -> Operation {
    let target = [("kind", &patch.kind), ("name", &patch.target)];
    let target = target.map(|(key, value)| (key.to_owned(), text(value)));
    let entry = Value::Map(vec![
        ("target".to_owned(), Value::Map(target.to_vec())),
        ("patch".to_owned(), Value::String(written(patch))),
    ]);
    Operation::Add {
        route: vec![Step::from("patches")],
        value: entry,
    }
}

/// A patch as a part of one of the same object that the file has, unless that would lose a comment.
fn joining(own: &Value, patch: &Patch) -> Option<Operation> {
    let Value::List(entries) = get(own, "patches")? else {
        return None;
    };
    entries.iter().enumerate().find_map(|(index, entry)| {
        let target = get(entry, "target")?;
        let alike = string(target, "kind") == Some(&*patch.kind)
            && string(target, "name") == Some(&*patch.target);
        let text = string(entry, "patch").filter(|text| alike && !text.contains('#'))?;
        let mut whole = Value::read(text).ok()?;
        let is_same = string(&whole, "kind") == Some(&*patch.kind)
            && string(&whole, "apiVersion") == Some(&*patch.api_version);
        if !is_same {
            return None;
        }
        merge(&mut whole, &patch.merge);
        Some(Operation::Set {
            route: vec![
                Step::from("patches"),
                Step::from(index),
                Step::from("patch"),
            ],
            value: Value::String(block(&whole)),
        })
    })
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// The patches of each object as one.
fn merged(cures: &[Numbered<'_>]) -> Vec<(Vec<usize>, Patch)> {
    let mut merged: BTreeMap<[&str; 3], (Vec<usize>, Patch)> = BTreeMap::new();
    for (number, cure) in cures {
        let Way::Patch(patch) = &cure.way else {
            continue;
        };
        let target = [&*patch.api_version, &*patch.kind, &*patch.name];
        match merged.get_mut(&target) {
            Some((numbers, all)) => {
                numbers.push(*number);
                merge(&mut all.merge, &patch.merge);
            }
            None => {
                merged.insert(target, (vec![*number], (**patch).clone()));
            }
        }
    }
    merged.into_values().collect()
}

/// A kustomization for a chart's post-renderer with these patches.
pub(super) fn new_file(path: &str, cures: &[Numbered<'_>]) -> Edited {
    let text = kustomization(path);
    let done = super::manifests::edit(path, &text, cures);
    let edits = if done.edits.is_empty() {
        Vec::new()
    } else {
        vec![new_text(apply(&text, &done.edits))]
    };
    Edited { edits, ..done }
}

/// The edit that fills a new file.
fn new_text(text: String) -> Edit {
    Edit {
        start: 0,
        end: 0,
        text,
    }
}

/// The chart's name, by its folder.
fn chart_of(path: &str) -> &str {
    let folder = path.rsplit('/').nth(2).filter(|name| !name.is_empty());
    folder.unwrap_or("chart")
}

fn kustomization(path: &str) -> String {
    let (folder, rendered) = (post_render::FOLDER, post_render::RENDERED);
    format!(
        "\
# What no value of the chart changes, changed when it has been rendered. In the chart's folder:
#   Helm 3: helm upgrade --install NAME . --post-renderer sh --post-renderer-args {folder}/run.sh
#   Helm 4: helm plugin install {folder}; helm upgrade --install NAME . --post-renderer {name}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- {rendered}
",
        name = plugin(path),
    )
}

fn plugin(path: &str) -> String {
    format!("post-render-{}", chart_of(path))
}

/// Whether a file is one of a chart's post-renderer, and none of manifests.
pub(crate) fn is_post_render(path: &str) -> bool {
    path.rsplit('/').nth(1) == Some(post_render::FOLDER)
}

/// The files beside a new kustomization of a post-renderer, by path: what helm runs.
/// <https://helm.sh/docs/plugins/developer/tutorial-postrenderer-plugin>
pub(crate) fn beside(path: &str) -> Vec<(String, Edit)> {
    let folder = path.strip_suffix("/kustomization.yaml");
    let Some(folder) = folder.filter(|_| is_post_render(path)) else {
        return Vec::new();
    };
    let rendered = post_render::RENDERED;
    let script = format!(
        "\
#!/bin/sh
# Patches what helm renders, from standard input to standard output.
set -eu
work=$(mktemp -d)
trap 'rm -rf \"$work\"' EXIT
cp \"$(dirname \"$0\")/kustomization.yaml\" \"$work\"
cat > \"$work/{rendered}\"
kubectl kustomize \"$work\"
"
    );
    let plugin = format!(
        "\
apiVersion: v1
type: postrenderer/v1
name: {name}
version: 0.1.0
runtime: subprocess
runtimeConfig:
  platformCommand:
  - command: sh
    args: [\"${{HELM_PLUGIN_DIR}}/run.sh\"]
",
        name = plugin(path),
    );
    vec![
        (format!("{folder}/plugin.yaml"), new_text(plugin)),
        (format!("{folder}/run.sh"), new_text(script)),
    ]
}

/// The patch as a document.
fn written(patch: &Patch) -> String {
    let mut entries = vec![
        ("apiVersion".to_owned(), text(&patch.api_version)),
        ("kind".to_owned(), text(&patch.kind)),
    ];
    let metadata = Value::Map(vec![("name".to_owned(), text(&patch.name))]);
    let mut whole = Value::Map(vec![("metadata".to_owned(), metadata)]);
    merge(&mut whole, &patch.merge);
    if let Value::Map(rest) = whole {
        entries.extend(rest);
    }
    block(&Value::Map(entries))
}

/// A map as a document, in lines.
fn block(value: &Value) -> String {
    // An editor writes values into documents that are there.
    const HOLDER: &str = "document:\n  none: 0\n";
    let mut editor = Editor::new(HOLDER, edit::Options::default());
    let operation = Operation::Set {
        route: vec![Step::from("document")],
        value: value.clone(),
    };
    if editor.apply(0, &[operation]).is_err() {
        return String::new();
    }
    let text = apply(HOLDER, &editor.finish().edits);
    let lines = text.lines().skip(1);
    lines
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect()
}
