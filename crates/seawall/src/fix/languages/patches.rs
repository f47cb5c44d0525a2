//! Patches as entries of a kustomization's file. Those of one object are one entry.

use std::collections::BTreeMap;

use yaml::edit::{self, Editor, Operation, Step, Value, apply};

use crate::fix::cure::{Numbered, Patch, Way};
use crate::fix::rendered::values::merge;

/// What is added to the file, with the numbers of the cures that it makes.
pub(crate) fn operations(cures: &[Numbered<'_>]) -> Vec<(Vec<usize>, Operation)> {
    let merged = merged(cures).into_iter();
    merged
        .map(|(numbers, patch)| {
            let target = [("kind", &patch.kind), ("name", &patch.name)];
            let target = target.map(|(key, value)| (key.to_owned(), text(value)));
            let entry = Value::Map(vec![
                ("target".to_owned(), Value::Map(target.to_vec())),
                ("patch".to_owned(), Value::String(written(&patch))),
            ]);
            let operation = Operation::Add {
                route: vec![Step::from("patches")],
                value: entry,
            };
            (numbers, operation)
        })
        .collect()
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

/// The patch as a document.
pub(crate) fn written(patch: &Patch) -> String {
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
