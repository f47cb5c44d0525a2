//! Edits: cases by hand with every byte, refusals, and random ones against second parsers.

mod cases;
mod model;
mod nest;
mod random;
mod whole;

use yaml::edit::{Editor, Operation, Options, Refusal, Step, Value, apply};

/// `spec.containers[0]["a.b/c"]`
pub(crate) fn route(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let end = quoted.find("\"]").unwrap();
            steps.push(Step::from(&quoted[..end]));
            rest = &quoted[end + 2..];
        } else if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').unwrap();
            steps.push(Step::from(index[..end].parse::<usize>().unwrap()));
            rest = &index[end + 1..];
        } else {
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            steps.push(Step::from(&plain[..end]));
            rest = &plain[end..];
        }
    }
    steps
}

/// One operation a line, as guidelines write them; also `prune ROUTE`, `rename ROUTE to KEY`.
pub(crate) fn operations(text: &str) -> Vec<Operation> {
    let one = |line: &str| {
        let (verb, rest) = line.trim().split_once(' ').unwrap();
        let value = |text: &str| Value::read(text).unwrap();
        match verb {
            "set" => {
                let (at, to) = rest.split_once(" to ").unwrap();
                Operation::Set {
                    route: route(at),
                    value: value(to),
                }
            }
            "add" => {
                let (what, at) = rest.rsplit_once(" to ").unwrap();
                Operation::Add {
                    route: route(at),
                    value: value(what),
                }
            }
            "remove" | "prune" => Operation::Remove {
                route: route(rest),
                prune: verb == "prune",
            },
            "rename" => {
                let (at, key) = rest.split_once(" to ").unwrap();
                Operation::Rename {
                    route: route(at),
                    key: key.to_owned(),
                }
            }
            "replace" => {
                let (at, entry) = rest.split_once(" with ").unwrap();
                let Value::Map(mut entries) = value(entry) else {
                    panic!("{entry} is no entry");
                };
                let (key, value) = entries.remove(0);
                Operation::Replace {
                    route: route(at),
                    key,
                    value,
                }
            }
            _ => panic!("{line}"),
        }
    };
    text.lines().map(one).collect()
}

/// The text after operations on one of its documents.
pub(crate) fn edit_with(
    text: &str,
    document: u32,
    operations: &[Operation],
    options: Options,
) -> Result<String, Refusal> {
    let mut editor = Editor::new(text, options);
    editor.apply(document, operations)?;
    let outcome = editor.finish();
    match outcome.refused.into_iter().next() {
        Some((_, refusal)) => Err(refusal),
        None => Ok(apply(text, &outcome.edits)),
    }
}

pub(crate) fn edit(text: &str, steps: &str) -> Result<String, Refusal> {
    edit_with(text, 0, &operations(steps), Options::default())
}
