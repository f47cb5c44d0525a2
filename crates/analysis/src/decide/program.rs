//! The cheapest yes-or-no answer to clauses and limits, exactly, by branch and bound.
//!
//! A program has variables that are 0 or 1, a cost for each (that may be negative), clauses ("at least
//! one of these holds") and limits ("the weights of what is 1 sum up to at most this"). Everything that is
//! compared is a whole number: bounds come from Lagrangian multipliers that are rounded to whole numbers
//! first, so that a bound is proven whatever became of the arithmetic that found the multipliers. Work is
//! counted in literals touched, never in time, so that the same program gets the same answer everywhere.
//!
//! | part | holds |
//! |---|---|
//! | `presolve` | what can be decided or dropped before the search, and independent parts |
//! | `state` | an assignment, what follows from it, and taking it back |
//! | `bound` | proven lower bounds, and what they decide |
//! | `search` | branch and bound |
//! | `answers` | answers found on the way |
//! | `local` | better answers near a known one |
//!
//! Left out: learning from conflicts, and general linear constraints.

mod answers;
mod bound;
mod local;
mod presolve;
mod search;
mod state;

/// A variable and whether it is meant to be 0: twice its number, and one more where it is.
pub(crate) type Lit = u32;

/// Where no answer is known: above any value that a program can have.
pub(crate) const NONE: i64 = 1 << 52;

/// The sum of the sizes of all costs (and of the weights of a limit) stays at most this.
pub(crate) const LARGEST: i64 = 1 << 46;

pub(crate) fn yes(variable: usize) -> Lit {
    (variable as Lit) << 1
}

pub(crate) fn no(variable: usize) -> Lit {
    yes(variable) | 1
}

pub(crate) fn variable(lit: Lit) -> usize {
    (lit >> 1) as usize
}

/// The weights of what is 1 sum up to at most this.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    /// One for each variable.
    pub(crate) weights: Vec<i64>,
    pub(crate) at_most: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) cost: Vec<i64>,
    pub(crate) clauses: Vec<Vec<Lit>>,
    pub(crate) limits: Vec<Limit>,
}

/// What is asked of a solution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Only what costs less is looked for.
    pub(crate) below: i64,
    /// Nothing costs less than this: who found it may stop.
    pub(crate) floor: i64,
    /// A good answer and a bound from the first node, without a search.
    pub(crate) quick: bool,
}

/// The answer to a program.
#[derive(Debug, Clone)]
pub(crate) struct Solved {
    /// The cheapest found that costs less than what was asked for.
    pub(crate) best: Option<(i64, Vec<bool>)>,
    /// Proven: no answer costs less. At most what was asked for.
    pub(crate) bound: i64,
}

impl Program {
    /// The cheapest answer. `work` is what may be spent; what was spent is taken off.
    pub(crate) fn solve(&self, wanted: Wanted, work: &mut u64) -> Solved {
        let infeasible = Solved {
            best: None,
            bound: wanted.below,
        };
        let Some(reduced) = presolve::reduce(self, work) else {
            return infeasible;
        };
        let parts = presolve::parts(&reduced.program);
        // Each part by itself is cheapest where the whole is; what the others cost at least leaves the rest.
        let least: Vec<i64> = parts.iter().map(|part| least(&part.program)).collect();
        let mut bounds = reduced.fixed_cost + least.iter().sum::<i64>();
        let mut found = reduced.fixed_cost;
        let mut values = reduced.values.clone();
        let mut complete = true;
        for (part, least) in parts.iter().zip(&least) {
            let others = bounds - least;
            let solved = search::solve(
                &part.program,
                Wanted {
                    below: wanted.below.saturating_sub(others),
                    floor: if parts.len() == 1 {
                        wanted.floor - others
                    } else {
                        -NONE
                    },
                    quick: wanted.quick,
                },
                work,
            );
            bounds = others + solved.bound;
            match solved.best {
                Some((value, answer)) => {
                    found += value;
                    for (own, value) in part.variables.iter().zip(answer) {
                        if let Some(outer) = reduced.variables.get(*own)
                            && let Some(at) = values.get_mut(*outer)
                        {
                            *at = value;
                        }
                    }
                }
                None => complete = false,
            }
            if bounds >= wanted.below {
                return infeasible;
            }
        }
        Solved {
            best: (complete && found < wanted.below).then_some((found, values)),
            bound: bounds.min(wanted.below),
        }
    }

    /// Whether the values answer the program, and what they cost.
    pub(crate) fn value(&self, values: &[bool]) -> Option<i64> {
        let holds = |lit: &Lit| values.get(variable(*lit)).copied() == Some(lit & 1 == 0);
        let sum = |weights: &[i64]| -> i64 {
            weights
                .iter()
                .zip(values)
                .map(|(weight, value)| if *value { *weight } else { 0 })
                .sum()
        };
        let fits = self.clauses.iter().all(|clause| clause.iter().any(holds))
            && self
                .limits
                .iter()
                .all(|limit| sum(&limit.weights) <= limit.at_most);
        fits.then(|| sum(&self.cost))
    }
}

/// What a program costs at least without a look at its clauses.
fn least(program: &Program) -> i64 {
    program.cost.iter().map(|cost| (*cost).min(0)).sum()
}
