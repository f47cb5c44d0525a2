//! Mutation testing of guidelines: every dropped clause and flipped operator of a check must
//! break one of its examples, else the examples prove too little.

use crate::catalogue::Guide;
use crate::examples;

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
        for mutant in cel::mutate::mutants(&source) {
            // In front matter the clause stands in double quotes, which a mutant's own would end.
            let mutated = if line == 1 && !source.contains('"') {
                mutant.source.replace('"', "'")
            } else {
                mutant.source.clone()
            };
            // The clause stands once in the file, at or after its line.
            let Some(changed) = replace_from(&text, line, &source, &mutated) else {
                continue;
            };
            let Ok(other) = guide.reload(&file, &changed) else {
                continue;
            };
            tried += 1;
            let Some(place) = guide.guidelines.get_mut(index) else {
                continue;
            };
            let original = std::mem::replace(place, other);
            let noticed = guide.guidelines.get(index).is_some_and(|mutated| {
                mutated
                    .examples
                    .iter()
                    .any(|example| examples::run(guide, mutated, example).is_some())
            });
            if let Some(place) = guide.guidelines.get_mut(index) {
                *place = original;
            }
            if !noticed {
                survivors.push(Survivor {
                    file: file.clone(),
                    line,
                    description: mutant.description,
                    source: mutant.source,
                });
            }
        }
    }
    (tried, survivors)
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
