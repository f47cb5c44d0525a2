//! Templates of charts: text around actions. What stands there literally is edited as YAML; an action is never
//! written over.

use yaml::edit::Edit;

use super::{Edited, manifests};
use crate::fix::cure::Numbered;
use crate::fix::rendered::{action_end, masked, values::MASKED};

/// How often the cures are tried without those that would write over an action.
const ROUNDS: usize = 8;

pub(super) fn edit(text: &str, cures: &[Numbered<'_>]) -> Edited {
    let masked = masked(text);
    let mut cures = cures.to_vec();
    let mut refused = Vec::new();
    for _ in 0..ROUNDS {
        // Offsets in the masked text are those of the text itself.
        let mut done = manifests::edit("", &masked, &cures);
        let touched = |edit: &Edit| {
            !keeps_actions(text, &masked, edit) && !takes_whole_blocks(text, &masked, edit)
        };
        if !done.edits.iter().any(touched) {
            for edit in &mut done.edits {
                leave_blocks(text, edit);
            }
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
        refused,
        ..Edited::default()
    }
}

/// Whether what an edit takes away is literal, and what it brings too.
fn keeps_actions(text: &str, masked: &str, edit: &Edit) -> bool {
    let old = text.get(edit.start..edit.end);
    old.is_some() && old == masked.get(edit.start..edit.end) && !edit.text.contains(MASKED)
}

/// Whether an edit takes away a whole document, with the actions in it: each block that begins there ends there, and
/// nothing that other templates may name is defined there.
fn takes_whole_blocks(text: &str, masked: &str, edit: &Edit) -> bool {
    let starts = edit.start == 0
        || masked
            .get(edit.start..)
            .is_some_and(|rest| rest.starts_with("---"))
        || is_head(masked.get(..edit.start).unwrap_or_default());
    let ends = masked
        .get(edit.end..)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("---"));
    if !edit.text.is_empty() || !starts || !ends {
        return false;
    }
    let mut depth = 0_usize;
    let mut rest = text.get(edit.start..edit.end).unwrap_or_default();
    while let Some(open) = rest.find("{{") {
        let length = action_end(rest, open) - open;
        let (action, after) = rest
            .get(open..)
            .unwrap_or_default()
            .split_at_checked(length)
            .unwrap_or_default();
        match first_word(action) {
            Some("define") => return false,
            Some("if" | "with" | "range" | "block") => depth += 1,
            Some("end") => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            Some("else") if depth == 0 => return false,
            _ => {}
        }
        rest = after;
    }
    depth == 0
}

/// Whether a text holds nothing but comments.
fn is_head(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

/// The first word of an action.
fn first_word(action: &str) -> Option<&str> {
    let inner = action.strip_prefix("{{")?;
    let inner = inner.trim_start_matches(['-', ' ', '\t', '\r', '\n']);
    inner
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .filter(|word| !word.is_empty())
}

/// Moves what comes in behind the `{{ end }}` of a block that holds nothing but the entries before it: beside
/// `{{ if … }} resources: … {{ end }}` it must not hang on the condition.
fn leave_blocks(text: &str, edit: &mut Edit) {
    let first = edit.text.lines().find(|line| !line.trim().is_empty());
    let (Some(first), true) = (first, edit.start == edit.end) else {
        return;
    };
    let column = indent(first);
    let leads = edit.text.starts_with(['\n', '\r']);
    let mut at = if leads {
        next_line(text, edit.start)
    } else {
        edit.start
    };
    let is_line = at == 0 || text.get(..at).is_some_and(|before| before.ends_with('\n'));
    let mut moved = None;
    while is_line
        && let Some(line) = text.get(at..).and_then(|rest| rest.lines().next())
        && word(line) == Some("end")
        && opened(text, at).is_some_and(|content| {
            indent(content) == column && !content.trim_start().starts_with('-')
        })
    {
        // In front of the break of the line, or behind it.
        moved = Some(if leads {
            at + line.len()
        } else {
            next_line(text, at)
        });
        at = next_line(text, at);
    }
    if let Some(moved) = moved {
        (edit.start, edit.end) = (moved, moved);
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where the line after the one with an offset begins.
fn next_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).and_then(|rest| rest.find('\n'));
    rest.map_or(text.len(), |found| at + found + 1)
}

/// The first word of a line that is one action.
fn word(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.contains("{{") {
        return None;
    }
    inner
        .trim_matches(['-', ' ', '\t'])
        .split_whitespace()
        .next()
}

/// The first line of content in the block that the `end` on the line at an offset ends.
fn opened(text: &str, end: usize) -> Option<&str> {
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match word(line) {
            Some("if" | "with" | "range" | "define" | "block") => open.push(None),
            Some("end") if at == end => return open.pop().flatten(),
            Some("end") => {
                open.pop();
            }
            Some(_) => {}
            None => {
                let is_content = !line.trim().is_empty() && !line.trim_start().starts_with('#');
                for first in open.iter_mut().filter(|_| is_content) {
                    first.get_or_insert(line);
                }
            }
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use model::Safety;
    use model::remedy::{Act, Change, Step};
    use yaml::edit::apply;

    use super::edit;
    use crate::fix::cure::{Cure, Way};

    const TEMPLATE: &str = "\
{{- if .Values.on }}
kind: Pod
spec:
  hostIPC: {{ .Values.ipc }}
  hostPID: true {{/* a }} comment */}}
  hostNetwork: true
  {{- with .Values.context }}
  securityContext: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
";

    fn cure(key: &str, act: Act) -> Cure {
        let at = ["spec", key].map(|key| Step::Key(key.into())).to_vec();
        Cure {
            path: "pod.yaml".into(),
            document: 0,
            origin: "".into(),
            safety: Safety::Unsafe,
            changes: [Change {
                at,
                act,
                written: Vec::new(),
            }]
            .into(),
            beside: Box::default(),
            added: Box::default(),
            other: None,
            cured: Vec::new(),
            way: Way::Template,
            rendered_by: None,
        }
    }

    #[test]
    fn what_comes_in_does_not_hang_on_a_condition_beside_it() {
        let template = "kind: Pod\nspec:\n  {{- with .Values.resources }}\n  resources:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n---\nkind: Pod\n";
        let cures = [cure("hostUsers", Act::Set("false".into()))];
        let numbered: Vec<_> = cures.iter().enumerate().collect();
        let after = apply(template, &edit(template, &numbered).edits);
        assert!(
            after.contains("  {{- end }}\n  hostUsers: false\n---\n"),
            "{after}"
        );
    }

    #[test]
    fn an_action_is_never_written_over() {
        let cures = [
            cure("hostIPC", Act::Set("false".into())),
            cure("hostNetwork", Act::Remove),
            cure("hostPID", Act::Remove),
            cure("securityContext", Act::Set("{runAsNonRoot: true}".into())),
            cure("hostUsers", Act::Set("false".into())),
        ];
        let numbered: Vec<_> = cures.iter().enumerate().collect();
        let done = edit(TEMPLATE, &numbered);
        let mut refused: Vec<usize> = done.refused.iter().map(|(number, _)| *number).collect();
        refused.sort_unstable();
        assert_eq!(refused, [0, 2, 3], "{:?}", done.refused);
        let after = apply(TEMPLATE, &done.edits);
        let gone = |line: &&str| !after.lines().any(|other| other == *line);
        assert_eq!(
            TEMPLATE.lines().filter(gone).collect::<Vec<_>>(),
            ["  hostNetwork: true"]
        );
        assert!(after.contains("  hostUsers: false\n"), "{after}");
    }
}
