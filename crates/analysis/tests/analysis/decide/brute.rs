//! All subsets of measures, and what each costs and leaves: written from the definition alone.

use analysis::decide::{Cost, Question, Rates};

use super::steps::Steps;

/// A subset that may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subset {
    /// What is new, by places.
    pub(crate) mask: u32,
    /// Cents a month.
    pub(crate) money: i64,
    /// Twice the middle, in tenths of a day.
    pub(crate) effort: i64,
    /// All counted, in sixtieths of a cent.
    pub(crate) cost: i64,
    pub(crate) risk: i64,
    /// Which threats are left, those that nothing cuts not among them.
    pub(crate) left: Vec<bool>,
}

pub(crate) fn exact(cost: &Cost, rates: &Rates) -> i64 {
    let months = i64::from(rates.months);
    cost.money * months * 60
        + i64::from(cost.effort.low + cost.effort.high) * i64::from(rates.day) * 3
        + i64::from(cost.upkeep) * i64::from(rates.hour) * months
}

pub(crate) fn standing(question: &Question) -> u32 {
    (0..question.measures.len())
        .filter(|at| question.measures[*at].chosen_already)
        .map(|at| 1 << at)
        .sum()
}

pub(crate) fn uncuttable(steps: &Steps) -> Vec<bool> {
    steps.left(&|_| true)
}

/// What comes of a set, whether it may stand or not.
pub(crate) fn left(steps: &Steps, mask: u32) -> Vec<bool> {
    let never = uncuttable(steps);
    let left = steps.left(&|at| mask >> at & 1 == 1);
    left.iter()
        .zip(never)
        .map(|(left, never)| *left && !never)
        .collect()
}

/// Every subset that may stand, with what stands already. `free` is a measure that costs nothing.
pub(crate) fn subsets(
    question: &Question,
    steps: &Steps,
    rates: &Rates,
    free: Option<usize>,
) -> Vec<Subset> {
    let standing = standing(question);
    let has = |mask: u32, at: usize| mask >> at & 1 == 1;
    let mut subsets = Vec::new();
    for mask in 0..1_u32 << question.measures.len() {
        if mask & standing != standing {
            continue;
        }
        let holds = question.measures.iter().enumerate().all(|(at, measure)| {
            !has(mask, at)
                || (has(standing, at)
                    || measure
                        .requires
                        .iter()
                        .all(|any| any.iter().any(|at| has(mask, *at))))
                    && measure.conflicts.iter().all(|other| {
                        !has(mask, *other) || has(standing, at) && has(standing, *other)
                    })
        });
        if !holds {
            continue;
        }
        let mut costs: Vec<Cost> = Vec::new();
        for (at, measure) in question.measures.iter().enumerate() {
            if has(mask & !standing, at) && free != Some(at) {
                costs.push(measure.cost);
            }
        }
        for shared in &question.shared {
            let due = |set: u32| shared.measures.iter().any(|at| has(set, *at));
            if due(mask) && !due(standing) {
                costs.push(shared.cost);
            }
        }
        let left = left(steps, mask);
        subsets.push(Subset {
            mask: mask & !standing,
            money: costs.iter().map(|cost| cost.money).sum(),
            effort: costs
                .iter()
                .map(|cost| i64::from(cost.effort.low + cost.effort.high))
                .sum(),
            cost: costs.iter().map(|cost| exact(cost, rates)).sum(),
            risk: left
                .iter()
                .zip(&question.threats)
                .filter(|(left, _)| **left)
                .map(|(_, threat)| i64::from(threat.weight))
                .sum(),
            left,
        });
    }
    subsets
}
