//! Mutation testing of guidelines: every dropped clause and flipped operator of a check must
//! break one of its examples, else the examples prove too little.

use crate::catalogue::Guide;
use crate::examples;
use crate::guideline::Guideline;

/// A change to a check that no example noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// Path below `guide/`.
    pub file: Box<str>,
    /// Line of the expression.
    pub line: u32,
    /// What was changed.
    pub description: String,
    /// The changed expression.
    pub source: String,
}

/// Mutates one guideline. Gives the number of mutants tried and those that survived.
pub fn run(guide: &mut Guide, index: usize) -> (usize, Vec<Survivor>) {
    let mut tried = 0;
    let mut survivors = Vec::new();
    let Some(guideline) = guide.guidelines.get(index) else {
        return (0, survivors);
    };
    let file = guideline.file.clone();
    let Some(text) = guide.sources.get(&file).cloned() else {
        return (0, survivors);
    };
    let clauses: Vec<(u32, String)> = guideline
        .checks
        .iter()
        .map(|check| (check.line, check.program.source().to_owned()))
        .chain(
            guideline
                .when
                .iter()
                .map(|when| (1, when.source().to_owned())),
        )
        .collect();
    for (line, source) in clauses {
        tried += each(&file, line, &source, &mut survivors, |mutant| {
            let other = altered(guide, &file, &text, line, &source, mutant)?;
            let original = std::mem::replace(guide.guidelines.get_mut(index)?, other);
            let noticed = guide.guidelines.get(index).is_some_and(|mutated| {
                mutated
                    .examples
                    .iter()
                    .any(|example| examples::run(guide, mutated, example).is_some())
            });
            *guide.guidelines.get_mut(index)? = original;
            Some(noticed)
        });
    }
    (tried, survivors)
}

/// Tries every mutant of an expression. `noticed` says whether an example notices one, and nothing of what does not
/// compile. Gives how many were tried.
pub fn each(
    file: &str,
    line: u32,
    source: &str,
    survivors: &mut Vec<Survivor>,
    mut noticed: impl FnMut(&str) -> Option<bool>,
) -> usize {
    let mut tried = 0;
    for mutant in cel::mutate::mutants(source) {
        let Some(noticed) = noticed(&mutant.source) else {
            continue;
        };
        tried += 1;
        if !noticed {
            survivors.push(Survivor {
                file: file.into(),
                line,
                description: mutant.description,
                source: mutant.source,
            });
        }
    }
    tried
}

/// The guideline with another clause; nothing where it does not compile.
fn altered(
    guide: &Guide,
    file: &str,
    text: &str,
    line: u32,
    source: &str,
    mutant: &str,
) -> Option<Guideline> {
    let in_front = line == 1;
    // In front matter the clause may stand in double quotes, which a mutant's own would end.
    let mutated = if in_front && !source.contains('"') {
        mutant.replace('"', "'")
    } else {
        mutant.to_owned()
    };
    // The clause stands once in the file, at or after its line; one that is folded does not.
    let literal = replace_from(text, line, source, &mutated);
    let reloaded = |changed: String| guide.reload(file, &changed).ok();
    literal.and_then(reloaded).or_else(|| {
        let whole = in_front.then(|| folded(text, "when", mutant)).flatten()?;
        reloaded(whole)
    })
}

/// Replaces the first occurrence of `old` at or after a line.
fn replace_from(text: &str, line: u32, old: &str, new: &str) -> Option<String> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let (before, after) = text.split_at_checked(start)?;
    let at = after.find(old)?;
    let (middle, rest) = after.split_at_checked(at)?;
    // Front matter is YAML: a mutant with a line break or quotes of its own would not read there.
    Some(format!("{before}{middle}{new}{}", rest.get(old.len()..)?))
}

/// Replaces an entry of the front matter that stands on several lines by one, and keeps the number of lines.
fn folded(text: &str, key: &str, new: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    let mut found = false;
    while let Some(line) = lines.next() {
        let is_it = !found
            && line
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'));
        if !is_it {
            out.push_str(line);
            continue;
        }
        found = true;
        // A string of JSON is one of YAML.
        out.push_str(&format!("{key}: {}\n", serde_json::Value::from(new)));
        while lines
            .next_if(|next| next.starts_with(' ') || next.trim().is_empty())
            .is_some()
        {
            out.push('\n');
        }
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_on_several_lines_is_changed_too() {
        let text =
            "---\nid: a\nwhen: >-\n  object.a == 1 &&\n  object.b\n\neach: x\n---\nwhen: b\n";
        assert_eq!(
            replace_from(text, 1, "object.a == 1 && object.b", "x"),
            None
        );
        assert_eq!(
            folded(text, "when", "object.a != \"1\"").as_deref(),
            Some("---\nid: a\nwhen: \"object.a != \\\"1\\\"\"\n\n\n\neach: x\n---\nwhen: b\n")
        );
        assert_eq!(folded(text, "until", "x"), None);
    }

    /// Conditions of guidelines are written in either form, and each is put to the proof.
    #[test]
    fn the_condition_of_every_guideline_is_mutated() {
        let (guide, errors) = Guide::builtin();
        assert!(errors.is_empty());
        let (mut tried, mut on_lines) = (0, 0);
        for guideline in &guide.guidelines {
            let Some(when) = &guideline.when else {
                continue;
            };
            let text = &guide.sources[&guideline.file];
            let source = when.source();
            let Some(mutant) = cel::mutate::mutants(source).into_iter().next() else {
                continue;
            };
            let other = altered(&guide, &guideline.file, text, 1, source, &mutant.source).unwrap();
            let changed = other.when.unwrap().source().replace('"', "'");
            assert_eq!(
                changed,
                mutant.source.replace('"', "'"),
                "{}",
                guideline.file
            );
            tried += 1;
            on_lines += usize::from(!text.contains(source));
        }
        assert!(tried > 20 && on_lines > 5, "{tried} {on_lines}");
    }
}
