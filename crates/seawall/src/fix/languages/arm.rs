//! Azure Resource Manager templates and parameter files: JSON with comments, whose strings may be expressions. What an
//! expression decides is not overwritten.

mod choice;

use std::ops::Range;

use ::bicep::json;
use ::bicep::node::{Node, NodeKind};
use ::bicep::source::FileId;
use bumpalo::Bump;
use model::remedy::{Declare, addition, declaration};
use yaml::edit::{self, Edit, Editor, Format, Operation, Step};

use super::{Asked, Edited, MARK, NOT_HERE, from_anchor};
use crate::fix::cure::Numbered;

pub(super) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let mark = text.len() - bare.len();
    let bump = Bump::new();
    let parsed = json::parse(&bump, bare, FileId(0));
    let options = edit::Options {
        format: Format::Jsonc,
        any_case: true,
        ..edit::Options::default()
    };
    let mut editor = Editor::new(bare, options);
    let mut refused = Vec::new();
    let mut calls = Vec::new();
    for (number, cure) in cures {
        let asked = match cure.declares_in(path) {
            Some(declared) => declarations(bare, &declared).map(Some),
            None => Ok(None),
        };
        let done = asked.and_then(|declared| match declared {
            Some(operations) => Ok((operations, Vec::new())),
            None => from_anchor(cure, path).map(|asked| (Vec::new(), asked)),
        });
        let done = done.and_then(|(mut declared, asked)| {
            let operations = asked
                .into_iter()
                .map(|asked| whole(bare, &parsed.root, asked));
            let mut operations: Vec<Operation> = operations.collect::<Result<_, _>>()?;
            operations.append(&mut declared);
            operations.extend(addition::operations(cure.added_in(path), path, bare)?);
            editor
                .apply(0, &operations)
                .map_err(|refusal| refusal.to_string())
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
    let edits = outcome.edits.into_iter().map(|edit| Edit {
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

/// Changes of how parameters are declared.
fn declarations(
    text: &str,
    declared: &[(Declare, Range<usize>)],
) -> Result<Vec<Operation>, String> {
    let mut operations = Vec::new();
    for (act, place) in declared {
        operations.extend(declaration::operations(text, place, *act)?);
    }
    Ok(operations)
}

/// An operation whose way begins at the root of the text.
fn whole(text: &str, root: &Node<'_>, asked: Asked) -> Result<Operation, String> {
    let mut way = Vec::new();
    let steps = asked.operation.route();
    let Some(anchor) = find(root, &asked.place, &mut way) else {
        // It stands within an expression.
        let whole = around(root, &asked.place);
        if let Operation::Set { route, value } = &asked.operation
            && route.is_empty()
            && let Some(switched) = choice::switched(root, whole, &asked.place, value)
        {
            return Ok(switched);
        }
        return Err(decided(text, whole, &[]));
    };
    let mut at = Some(anchor);
    let last = match asked.operation {
        Operation::Set { .. } | Operation::Add { .. } => steps.len(),
        _ => steps.len().saturating_sub(1),
    };
    for (number, step) in steps.iter().map(Some).chain([None]).enumerate() {
        let Some(node) = at else { break };
        if number <= last
            && let NodeKind::Expr(_) = node.kind
        {
            return Err(decided(text, node, steps.get(..number).unwrap_or_default()));
        }
        at = match step {
            Some(Step::Key(key)) => node.get(key),
            Some(Step::Index(index)) => node.items().get(*index),
            None => None,
        };
    }
    way.extend(steps.iter().cloned());
    Ok(match asked.operation {
        Operation::Set { value, .. } => Operation::Set { route: way, value },
        Operation::Add { value, .. } => Operation::Add { route: way, value },
        Operation::Remove { prune, .. } => Operation::Remove { route: way, prune },
        Operation::Rename { key, .. } => Operation::Rename { route: way, key },
        Operation::Replace { key, value, .. } => Operation::Replace {
            route: way,
            key,
            value,
        },
        Operation::Nest { .. } => return Err(NOT_HERE.to_owned()),
    })
}

/// The value that stands at a place, and the way to it. The reader bounds how deep it goes.
fn find<'n>(node: &'n Node<'n>, place: &Range<usize>, way: &mut Vec<Step>) -> Option<&'n Node<'n>> {
    let own = node.span.start as usize..node.span.end as usize;
    if own == *place {
        return Some(node);
    }
    if !(own.start <= place.start && place.end <= own.end) {
        return None;
    }
    for entry in node
        .entries()
        .iter()
        .filter(|entry| entry.key_expr.is_none())
    {
        way.push(Step::Key(entry.key.into()));
        if let Some(found) = find(&entry.value, place, way) {
            return Some(found);
        }
        way.pop();
    }
    for (index, item) in node.items().iter().enumerate() {
        way.push(Step::Index(index));
        if let Some(found) = find(item, place, way) {
            return Some(found);
        }
        way.pop();
    }
    None
}

/// The smallest value that holds a place.
fn around<'n>(root: &'n Node<'n>, place: &Range<usize>) -> &'n Node<'n> {
    let mut at = root;
    loop {
        let values = at.entries().iter().map(|entry| &entry.value);
        let below = values.chain(at.items()).find(|node| {
            node.span.start as usize <= place.start && place.end <= node.span.end as usize
        });
        let Some(below) = below else { return at };
        at = below;
    }
}

fn decided(text: &str, node: &Node<'_>, steps: &[Step]) -> String {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let what = match steps {
        [] => "the value".to_owned(),
        _ => format!("`{}`", called(steps)),
    };
    let written = text.get(start..end).unwrap_or_default();
    format!(
        "line {}: {what} is decided by `{}`",
        line(text, start),
        shown(written.trim_matches('"'))
    )
}

/// A way, for people.
fn called(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => {
                out.push('.');
                out.push_str(key);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// A text on one line that is not too long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST - 1).collect();
    format!("{start}…")
}
