//! Manifests: YAML and JSON as `kubectl` reads them, where the text is written as its values are.

use model::remedy::{Act, Step};
use yaml::edit::{self, Editor, Format};

use super::{Edited, patches};
use crate::fix::cure::{Cure, Numbered, Way};

pub(super) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    let options = edit::Options {
        format: format_of(path, text),
        ..edit::Options::default()
    };
    let mut editor = Editor::new(text, options);
    let mut refused = Vec::new();
    let mut calls = Vec::new();
    let mut gone: Vec<Object<'_>> = Vec::new();
    let mut moot = Vec::new();
    // Objects that go first: what else is done to them has no place then.
    let (removals, others): (Vec<Numbered<'_>>, Vec<Numbered<'_>>) = cures
        .iter()
        .copied()
        .filter(|(_, cure)| !matches!(cure.way, Way::Patch(_)))
        .partition(|(_, cure)| removed(cure).is_some());
    for (number, cure) in removals.into_iter().chain(others) {
        if removed(cure).is_none() && gone.iter().any(|object| object.holds(cure)) {
            if cure.beside.is_empty() {
                moot.push(number);
            } else {
                refused.push((number, "another fix removes the object".to_owned()));
            }
            continue;
        }
        let done = ::guide::remedy::operations(&cure.changes).and_then(|operations| {
            let applied = editor.apply(cure.document, &operations);
            applied.map_err(|refusal| refusal.to_string())
        });
        match done {
            Ok(_) => {
                calls.push(vec![number]);
                gone.extend(removed(cure));
            }
            Err(why) => refused.push((number, why)),
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
    if !outcome.refused.is_empty() {
        let why = || "the object could not be removed beside others".to_owned();
        refused.extend(moot.into_iter().map(|number| (number, why())));
    }
    Edited {
        edits: outcome.edits,
        refused,
        emptied: outcome.emptied,
    }
}

/// An object: a document, or an item in one.
struct Object<'c> {
    document: u32,
    at: &'c [Step],
}

impl Object<'_> {
    /// Whether all that a cure does is done to it.
    fn holds(&self, cure: &Cure) -> bool {
        let mut changes = cure.changes.iter();
        cure.document == self.document && changes.all(|change| change.at.starts_with(self.at))
    }
}

/// The object that a cure takes away.
fn removed(cure: &Cure) -> Option<Object<'_>> {
    let [change] = &*cure.changes else {
        return None;
    };
    let is_object = match &*change.at {
        [] => true,
        [Step::Key(key), Step::Index(_)] => &**key == "items",
        _ => false,
    };
    (is_object && change.act == Act::Remove).then_some(Object {
        document: cure.document,
        at: &change.at,
    })
}

fn format_of(path: &str, text: &str) -> Format {
    if path.ends_with(".json") && text.trim_start().starts_with(['{', '/']) {
        Format::Jsonc
    } else {
        Format::Documents
    }
}
