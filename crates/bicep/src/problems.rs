//! What went wrong, each thing once, and no more of one text than somebody reads.

use std::collections::{HashMap, HashSet};

use crate::deployment::Problem;
use crate::source::FileId;

/// Problems of one text that are listed.
const LISTED: usize = 100;

/// How many different ones are counted at all.
const COUNTED: usize = 10_000;

/// Problems in the order in which they were found, without those that say the same again.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    known: HashSet<Problem>,
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        if self.found.len() < COUNTED && self.known.insert(problem.clone()) {
            self.found.push(problem);
        }
    }

    /// Those that were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.found.iter()
    }

    /// Hands them out.
    #[must_use]
    pub fn take(&mut self) -> Vec<Problem> {
        self.known.clear();
        std::mem::take(&mut self.found)
    }
}

/// The first problems of each text, and after them how many more it has.
#[must_use]
pub fn few(problems: Vec<Problem>) -> Vec<Problem> {
    let mut counts: HashMap<FileId, usize> = HashMap::new();
    let mut more: Vec<(usize, Problem)> = Vec::new();
    let mut listed = Vec::new();
    for problem in problems {
        let file = problem.span.file;
        let count = counts.entry(file).or_default();
        *count += 1;
        if *count <= LISTED {
            listed.push(problem);
            continue;
        }
        match more.iter_mut().find(|(_, last)| last.span.file == file) {
            // What costs most of the answer counts.
            Some((number, last)) => {
                *number += 1;
                last.kind = last.kind.min(problem.kind);
            }
            None => more.push((1, problem)),
        }
    }
    listed.extend(more.into_iter().map(|(number, first)| {
        let message = match number {
            1 => "1 more problem of this file is not listed".to_owned(),
            _ if number + LISTED >= COUNTED => {
                format!("at least {number} more problems of this file are not listed")
            }
            _ => format!("{number} more problems of this file are not listed"),
        };
        Problem {
            message,
            help: Some(
                "correct the first ones: much of what follows often goes with them".to_owned(),
            ),
            ..first
        }
    }));
    listed
}

#[cfg(test)]
mod tests {
    use super::{Problems, few};
    use crate::deployment::{Problem, ProblemKind};
    use crate::source::{FileId, Span};

    fn problem(file: u32, at: u32, kind: ProblemKind) -> Problem {
        let file = FileId(file);
        Problem {
            span: Span {
                file,
                start: at,
                end: at,
            },
            message: "wrong".to_owned(),
            help: None,
            kind,
        }
    }

    #[test]
    fn each_is_kept_once() {
        let mut problems = Problems::default();
        for at in [3, 1, 3] {
            problems.add(problem(0, at, ProblemKind::Syntax));
        }
        let places: Vec<u32> = problems.take().iter().map(|own| own.span.start).collect();
        assert_eq!(places, [3, 1]);
    }

    #[test]
    fn of_each_text_the_first_are_listed_and_the_rest_is_counted() {
        let mut all: Vec<_> = (0..300)
            .map(|at| problem(0, at, ProblemKind::Expression))
            .collect();
        all[250].kind = ProblemKind::Syntax;
        all.extend((0..100).map(|at| problem(1, at, ProblemKind::Expression)));
        let listed = few(all);
        assert_eq!(listed.len(), 201);
        let last = listed.last().unwrap();
        assert_eq!(
            last.message,
            "200 more problems of this file are not listed"
        );
        assert_eq!(last.span, problem(0, 100, ProblemKind::Syntax).span);
        assert_eq!(last.kind, ProblemKind::Syntax);
    }
}
