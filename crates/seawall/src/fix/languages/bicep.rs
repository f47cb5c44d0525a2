//! Bicep files and their parameters. Names are not followed here: the anchor of a change is the literal that the value
//! came from.

use bicep::addition::is_unfinished;
use bicep::edit::{Act, Change, Editor, Form};
use yaml::edit::{Edit, Operation};

use super::{Edited, MARK, UNFINISHED, from_anchor};
use crate::fix::cure::Numbered;

pub(super) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    let form = if path.ends_with(".bicepparam") {
        Form::Parameters
    } else {
        Form::Template
    };
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let mark = text.len() - bare.len();
    let mut editor = Editor::new(bare, form);
    let mut refused = Vec::new();
    for (number, cure) in cures {
        let before = editor.clone();
        if let Some(declared) = cure.declares_in(path) {
            let mut declared = declared.iter();
            let done = declared.try_for_each(|(act, place)| editor.declare(place, *act).map(drop));
            if let Err(refusal) = done {
                editor = before;
                refused.push((*number, refusal.to_string()));
            }
            continue;
        }
        let done = from_anchor(cure, path).and_then(|asked| {
            let changes: Vec<Change<'_>> = asked
                .iter()
                .map(|asked| Change {
                    place: asked.place.clone(),
                    steps: asked.operation.route(),
                    act: act(&asked.operation),
                })
                .collect();
            let changed = editor.apply(&changes);
            changed.map_err(|refusal| refusal.to_string())?;
            for added in cure.added_in(path) {
                editor.add(added, path)?;
            }
            Ok(())
        });
        if done.is_err() {
            editor = before;
        }
        if let Err(why) = done {
            refused.push((*number, why));
        }
    }
    let edits = editor.finish();
    if edits.iter().any(|edit| is_unfinished(&edit.text)) {
        return Edited::refused(cures, UNFINISHED);
    }
    let edits = edits.into_iter().map(|edit| Edit {
        start: edit.start + mark,
        end: edit.end + mark,
        ..edit
    });
    Edited {
        edits: edits.collect(),
        refused,
        ..Edited::default()
    }
}

fn act(operation: &Operation) -> Act {
    match operation {
        Operation::Set { value, .. } => Act::Set(value.clone()),
        Operation::Add { value, .. } => Act::Add(value.clone()),
        // None of them is asked for in a template (`from_anchor`).
        Operation::Remove { .. } | Operation::Rename { .. } | Operation::Nest { .. } => Act::Remove,
        Operation::Replace { key, value, .. } => Act::Replace {
            key: key.clone(),
            value: value.clone(),
        },
    }
}
