//! Manifests: YAML and JSON as `kubectl` reads them, where the text is written as its values are.

use yaml::edit::{self, Editor, Format};

use super::{Edited, patches};
use crate::fix::cure::{Numbered, Way};

pub(super) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    let options = edit::Options {
        format: format_of(path, text),
        ..edit::Options::default()
    };
    let mut editor = Editor::new(text, options);
    let mut refused = Vec::new();
    let mut calls = Vec::new();
    for (number, cure) in cures {
        if matches!(cure.way, Way::Patch(_)) {
            continue;
        }
        let done = ::guide::remedy::operations(&cure.changes).and_then(|operations| {
            let applied = editor.apply(cure.document, &operations);
            applied.map_err(|refusal| refusal.to_string())
        });
        match done {
            Ok(_) => calls.push(vec![*number]),
            Err(why) => refused.push((*number, why)),
        }
    }
    for (numbers, operation) in patches::operations(text, cures) {
        match editor.apply(0, &[operation]) {
            Ok(_) => calls.push(numbers),
            Err(why) => {
                refused.extend(numbers.iter().map(|number| (*number, why.to_string())));
            }
        }
    }
    let outcome = editor.finish();
    for (call, refusal) in &outcome.refused {
        let numbers = calls.get(*call).into_iter().flatten();
        refused.extend(numbers.map(|number| (*number, refusal.to_string())));
    }
    Edited {
        edits: outcome.edits,
        refused,
    }
}

fn format_of(path: &str, text: &str) -> Format {
    if path.ends_with(".json") && text.trim_start().starts_with(['{', '/']) {
        Format::Jsonc
    } else {
        Format::Documents
    }
}
