//! Templates of charts: text around actions. What stands there literally is edited as YAML; an action is never
//! written over.

use yaml::edit::Edit;

use super::{Edited, manifests};
use crate::fix::cure::Numbered;
use crate::fix::rendered::{masked, values::MASKED};

/// How often the cures are tried without those that would write over an action.
const ROUNDS: usize = 8;

pub(super) fn edit(text: &str, cures: &[Numbered<'_>]) -> Edited {
    let masked = masked(text);
    let mut cures = cures.to_vec();
    let mut refused = Vec::new();
    for _ in 0..ROUNDS {
        // Offsets in the masked text are those of the text itself.
        let mut done = manifests::edit("", &masked, &cures);
        let touched = |edit: &Edit| !keeps_actions(text, &masked, edit);
        if !done.edits.iter().any(touched) {
            done.refused.extend(refused);
            return done;
        }
        // Which of them it is shows when each is alone.
        let mut guilty: Vec<usize> = Vec::new();
        for one in &cures {
            let alone = manifests::edit("", &masked, &[*one]);
            if alone.edits.iter().any(touched) {
                guilty.push(one.0);
            }
        }
        if guilty.is_empty() {
            guilty.extend(cures.iter().map(|(number, _)| *number));
        }
        cures.retain(|(number, _)| !guilty.contains(number));
        let why = || "the template computes it where it is written".to_owned();
        refused.extend(guilty.into_iter().map(|number| (number, why())));
    }
    refused.extend(cures.iter().map(|(number, _)| {
        let why = "it could not be written into the template beside the others";
        (*number, why.to_owned())
    }));
    Edited {
        edits: Vec::new(),
        refused,
    }
}

/// Whether what an edit takes away is literal, and what it brings too.
fn keeps_actions(text: &str, masked: &str, edit: &Edit) -> bool {
    let old = text.get(edit.start..edit.end);
    old.is_some() && old == masked.get(edit.start..edit.end) && !edit.text.contains(MASKED)
}
