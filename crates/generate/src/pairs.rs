//! Sets of decisions in which every two answers that fit each other meet at least once: what can go wrong between
//! choices mostly goes wrong between two.

use std::collections::{BTreeMap, BTreeSet};

use guide::Guide;

use crate::plan::Rules;
use crate::questions::{NONE, Question, Questions};

/// Decisions as an intent holds them.
pub type Decisions = BTreeMap<Box<str>, Vec<Box<str>>>;

/// One thing to choose: its question, and its answers. Each option of a question that takes several is a factor of
/// its own, on or off.
struct Factor<'q> {
    question: &'q Question,
    answers: Vec<Option<&'q str>>,
}

/// An answer: the number of its factor, and its own.
type Level = (usize, usize);

/// Sets of decisions that cover all pairs of answers; the same for the same questions.
#[must_use]
pub fn pairs(guide: &Guide, questions: &Questions) -> Vec<Decisions> {
    let rules = Rules { guide, questions };
    let factors = factors(questions);
    let levels: Vec<Level> = factors
        .iter()
        .enumerate()
        .flat_map(|(at, factor)| (0..factor.answers.len()).map(move |answer| (at, answer)))
        .collect();
    let mut open: BTreeSet<(Level, Level)> = BTreeSet::new();
    for one in &levels {
        for other in &levels {
            if one.0 < other.0 {
                open.insert((*one, *other));
            }
        }
    }
    let mut sets = Vec::new();
    while let Some(pair) = open.first().copied() {
        let Some(row) = row(&rules, &factors, pair, &open) else {
            // These two exclude each other.
            open.remove(&pair);
            continue;
        };
        let row: Vec<Level> = row.into_iter().collect();
        for (at, one) in row.iter().enumerate() {
            for other in row.iter().skip(at + 1) {
                open.remove(&(*one, *other));
            }
        }
        sets.push(decisions(&factors, &row));
    }
    sets
}

fn factors(questions: &Questions) -> Vec<Factor<'_>> {
    let mut factors = Vec::new();
    for question in &questions.questions {
        if question.any {
            factors.extend(question.options.iter().map(|option| Factor {
                question,
                answers: vec![Some(&**option), None],
            }));
        } else {
            let answers = question
                .options
                .iter()
                .map(|option| (**option != *NONE).then_some(&**option));
            factors.push(Factor {
                question,
                answers: answers.collect(),
            });
        }
    }
    factors
}

/// An answer for every factor, with `pair` among them and as many open pairs as a greedy choice finds.
fn row(
    rules: &Rules<'_>,
    factors: &[Factor<'_>],
    pair: (Level, Level),
    open: &BTreeSet<(Level, Level)>,
) -> Option<BTreeMap<usize, usize>> {
    let mut row: BTreeMap<usize, usize> = BTreeMap::from([pair.0, pair.1]);
    if !fits(rules, factors, &row) {
        return None;
    }
    for (at, factor) in factors.iter().enumerate() {
        if row.contains_key(&at) {
            continue;
        }
        let mut best: Option<(usize, usize)> = None;
        for answer in 0..factor.answers.len() {
            let mut with = row.clone();
            with.insert(at, answer);
            if !fits(rules, factors, &with) {
                continue;
            }
            let new = row.iter().filter(|(other, level)| {
                let (one, two) = ((**other, **level), (at, answer));
                open.contains(&(one.min(two), one.max(two)))
            });
            let new = new.count();
            if best.is_none_or(|(most, _)| new > most) {
                best = Some((new, answer));
            }
        }
        row.insert(at, best?.1);
    }
    Some(row)
}

fn fits(rules: &Rules<'_>, factors: &[Factor<'_>], row: &BTreeMap<usize, usize>) -> bool {
    let mut chosen = rules.questions.always();
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, factor) in factors.iter().enumerate() {
        match row.get(&at) {
            Some(answer) => {
                if let Some(Some(option)) = factor.answers.get(*answer) {
                    chosen.insert(factor.question.full(option));
                }
            }
            None => {
                open.insert(&factor.question.id);
            }
        }
    }
    let answered: BTreeSet<&str> = factors
        .iter()
        .map(|factor| &*factor.question.id)
        .filter(|id| !open.contains(id))
        .collect();
    rules.trouble(&chosen, &answered).is_none()
}

fn decisions(factors: &[Factor<'_>], row: &[Level]) -> Decisions {
    let mut decisions = Decisions::new();
    for (at, answer) in row {
        let Some(factor) = factors.get(*at) else {
            continue;
        };
        let options = decisions.entry(factor.question.id.clone()).or_default();
        match factor.answers.get(*answer) {
            Some(Some(option)) => options.push((*option).into()),
            _ if !factor.question.any => options.push(NONE.into()),
            _ => {}
        }
    }
    decisions
}
