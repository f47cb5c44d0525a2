//! Attacks made of steps: facts that follow from facts, unless a measure cuts the step.

use std::collections::BTreeSet;

use analysis::decide::{Attacks, Cost, Effort, Measure, Question, Set, Shared, Threat, Way};

use crate::reach::random::Random;

/// A fact follows from facts.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) from: Vec<usize>,
    pub(crate) to: usize,
    pub(crate) cut_by: Vec<usize>,
}

/// For each threat the fact it starts with, and the fact it is about.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    pub(crate) facts: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) threats: Vec<(usize, usize)>,
}

impl Steps {
    /// The steps by which each fact was first derived from an entry.
    fn derive(&self, entry: usize, stands: &dyn Fn(usize) -> bool) -> Vec<Option<usize>> {
        let mut by = vec![None; self.facts];
        by[entry] = Some(usize::MAX);
        let open: Vec<usize> = (0..self.steps.len())
            .filter(|at| {
                !self.steps[*at]
                    .cut_by
                    .iter()
                    .any(|measure| stands(*measure))
            })
            .collect();
        loop {
            let mut grew = false;
            for at in &open {
                let step = &self.steps[*at];
                if by[step.to].is_none() && step.from.iter().all(|fact| by[*fact].is_some()) {
                    by[step.to] = Some(*at);
                    grew = true;
                }
            }
            if !grew {
                return by;
            }
        }
    }

    /// Which threats are left.
    pub(crate) fn left(&self, stands: &dyn Fn(usize) -> bool) -> Vec<bool> {
        self.threats
            .iter()
            .map(|(entry, jewel)| self.derive(*entry, stands)[*jewel].is_some())
            .collect()
    }
}

impl Attacks for Steps {
    fn surviving(&mut self, standing: &Set) -> Vec<Way> {
        let mut ways = Vec::new();
        let mut entries: Vec<usize> = self.threats.iter().map(|(entry, _)| *entry).collect();
        entries.sort_unstable();
        entries.dedup();
        for start in entries {
            let by = self.derive(start, &|measure| standing.has(measure));
            for (threat, (entry, jewel)) in self.threats.iter().enumerate() {
                if *entry != start || by[*jewel].is_none() {
                    continue;
                }
                let mut cut_by = BTreeSet::new();
                let mut open = vec![*jewel];
                let mut seen = vec![false; self.facts];
                while let Some(fact) = open.pop() {
                    if let Some(at) = by[fact].filter(|at| *at != usize::MAX)
                        && !std::mem::replace(&mut seen[fact], true)
                    {
                        cut_by.extend(&self.steps[at].cut_by);
                        open.extend(&self.steps[at].from);
                    }
                }
                ways.push(Way {
                    threat,
                    cut_by: cut_by.into_iter().collect(),
                });
            }
        }
        ways
    }
}

/// A question and its attacks, small enough for all subsets.
pub(crate) fn small(random: &mut Random, measures: usize) -> (Question, Steps) {
    let count = measures as u64;
    let effort = |random: &mut Random| {
        let low = random.below(20) as u32;
        Effort {
            low,
            high: low + random.below(20) as u32,
        }
    };
    // Few different prices make ties; many make none.
    let coarse = random.one_in(2);
    let cost = |random: &mut Random| {
        let money = if coarse {
            random.below(4) as i64 * 10_000
        } else {
            random.below(50_000) as i64
        };
        Cost {
            money: if random.one_in(15) { -money / 4 } else { money },
            effort: if coarse {
                Effort::default()
            } else {
                effort(random)
            },
            upkeep: if random.one_in(3) {
                random.below(300) as u32
            } else {
                0
            },
        }
    };
    let mut question = Question::default();
    for at in 0..measures {
        let mut requires = Vec::new();
        while random.one_in(6) {
            requires.push(random.several(3, |random| random.below(count) as usize));
        }
        let other = random.below(count) as usize;
        question.measures.push(Measure {
            id: format!("m{at:02}"),
            title: format!("measure {at}"),
            cost: cost(random),
            requires,
            conflicts: if random.one_in(7) && other != at {
                vec![other]
            } else {
                Vec::new()
            },
            chosen_already: random.one_in(12),
        });
    }
    for at in 0..random.below(4) {
        question.shared.push(Shared {
            id: format!("s{at}"),
            cost: cost(random),
            measures: random.several(4, |random| random.below(count) as usize),
        });
    }
    let facts = 4 + random.below(8) as usize;
    let fact = |random: &mut Random| random.below(facts as u64) as usize;
    let steps = (0..facts + random.below(14) as usize)
        .map(|_| Step {
            from: (0..=random.below(5) / 4).map(|_| fact(random)).collect(),
            to: fact(random),
            cut_by: if random.one_in(9) {
                Vec::new()
            } else {
                (0..=random.below(3))
                    .map(|_| random.below(count) as usize)
                    .collect()
            },
        })
        .collect();
    let threats: Vec<(usize, usize)> = (0..=random.below(5))
        .map(|_| (fact(random), fact(random)))
        .collect();
    for at in 0..threats.len() {
        question.threats.push(Threat {
            id: format!("t{at}"),
            weight: random.below(5) as u32,
        });
    }
    (
        question,
        Steps {
            facts,
            steps,
            threats,
        },
    )
}

/// The same question in another order, with the places that its measures went to.
pub(crate) fn shuffled(
    random: &mut Random,
    question: &Question,
    steps: &Steps,
) -> (Question, Steps) {
    let mut order = |size: usize| {
        let mut order: Vec<usize> = (0..size).collect();
        for at in (1..size).rev() {
            order.swap(at, random.below(at as u64 + 1) as usize);
        }
        order
    };
    let measures = order(question.measures.len());
    let shared = order(question.shared.len());
    let threats = order(question.threats.len());
    let turned = order(steps.steps.len());
    let place = |old: &usize| measures.iter().position(|at| at == old).unwrap();
    let places = |old: &[usize]| old.iter().rev().map(place).collect::<Vec<_>>();
    let again = Question {
        measures: measures
            .iter()
            .map(|at| {
                let mut measure = question.measures[*at].clone();
                measure.requires = measure
                    .requires
                    .iter()
                    .rev()
                    .map(|any| places(any))
                    .collect();
                measure.conflicts = places(&measure.conflicts);
                measure
            })
            .collect(),
        shared: shared
            .iter()
            .map(|at| Shared {
                measures: places(&question.shared[*at].measures),
                ..question.shared[*at].clone()
            })
            .collect(),
        threats: threats
            .iter()
            .map(|at| question.threats[*at].clone())
            .collect(),
    };
    let steps = Steps {
        facts: steps.facts,
        steps: turned
            .iter()
            .map(|at| Step {
                cut_by: places(&steps.steps[*at].cut_by),
                ..steps.steps[*at].clone()
            })
            .collect(),
        threats: threats.iter().map(|at| steps.threats[*at]).collect(),
    };
    (again, steps)
}
