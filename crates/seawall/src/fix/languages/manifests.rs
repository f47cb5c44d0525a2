//! Manifests: YAML and JSON as `kubectl` reads them, where the text is written as its values are.

use yaml::edit::{self, Editor, Format};

use super::Edited;
use crate::fix::cure::Numbered;

pub(super) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    let options = edit::Options {
        format: format_of(path, text),
        ..edit::Options::default()
    };
    let mut editor = Editor::new(text, options);
    let mut refused = Vec::new();
    let mut calls = Vec::new();
    for (number, cure) in cures {
        let done = ::guide::remedy::operations(&cure.changes).and_then(|operations| {
            let applied = editor.apply(cure.document, &operations);
            applied.map_err(|refusal| refusal.to_string())
        });
        match done {
            Ok(_) => calls.push(*number),
            Err(why) => refused.push((*number, why)),
        }
    }
    let outcome = editor.finish();
    for (call, refusal) in &outcome.refused {
        if let Some(number) = calls.get(*call) {
            refused.push((*number, refusal.to_string()));
        }
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
