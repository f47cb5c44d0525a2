//! What can be decided or dropped before the search, without changing what the cheapest answer costs.
//!
//! Units and what follows from them; clauses that others imply; variables that nothing asks for;
//! variables that another does better for no more; independent parts. Of two that are alike the first stays.
//!
//! Left out: rules that change costs, or that add variables.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::state::State;
use super::{Limit, Lit, Program, no, variable, yes};

/// What is left to be decided.
pub(super) struct Reduced {
    pub(super) program: Program,
    /// For each variable of `program` its number in the original.
    pub(super) variables: Vec<usize>,
    /// What the original's variables are, as far as they are decided.
    pub(super) values: Vec<bool>,
    pub(super) fixed_cost: i64,
}

/// A part that shares nothing with the others.
pub(super) struct Part {
    pub(super) program: Program,
    pub(super) variables: Vec<usize>,
}

/// As many rounds as pay; what is left after them is left to the search.
const ROUNDS: usize = 20;

/// Nothing where the program has no answer.
pub(super) fn reduce(program: &Program, work: &mut u64) -> Option<Reduced> {
    let mut reduced = Reduced {
        program: program.clone(),
        variables: (0..program.cost.len()).collect(),
        values: vec![false; program.cost.len()],
        fixed_cost: 0,
    };
    for round in 0..ROUNDS {
        reduced = shrink(reduced)?;
        let size: usize = reduced.program.clauses.iter().map(Vec::len).sum();
        *work = work.saturating_sub(size as u64 * 4);
        subsume(&mut reduced.program.clauses);
        let decided = pure_or_dominated(&reduced.program);
        if decided.is_empty() || round + 1 == ROUNDS {
            break;
        }
        reduced
            .program
            .clauses
            .extend(decided.into_iter().map(|lit| vec![lit]));
    }
    Some(reduced)
}

/// Sets what follows, and leaves it out.
fn shrink(reduced: Reduced) -> Option<Reduced> {
    let Reduced {
        program,
        variables,
        mut values,
        fixed_cost,
    } = reduced;
    let mut state = State::new(&program);
    if !state.propagate() {
        return None;
    }
    let mut numbers = vec![0; program.cost.len()];
    let mut kept = Vec::new();
    for at in 0..program.cost.len() {
        if state.is_free(at) {
            numbers[at] = kept.len();
            kept.push(at);
        } else {
            values[variables[at]] = state.values[at] == 1;
        }
    }
    let clauses = (0..program.clauses.len())
        .filter(|clause| state.is_active(*clause))
        .map(|clause| {
            let mut lits: Vec<Lit> = program.clauses[clause]
                .iter()
                .filter(|lit| state.is_free(variable(**lit)))
                .map(|lit| yes(numbers[variable(*lit)]) | (lit & 1))
                .collect();
            lits.sort_unstable();
            lits.dedup();
            lits
        })
        .filter(|lits| lits.windows(2).all(|pair| pair[0] ^ 1 != pair[1]))
        .collect();
    let limits = program
        .limits
        .iter()
        .zip(&state.left)
        .map(|(limit, left)| Limit {
            weights: kept.iter().map(|at| limit.weights[*at]).collect(),
            at_most: *left,
        })
        .filter(|limit| limit.weights.iter().map(|w| (*w).max(0)).sum::<i64>() > limit.at_most)
        .collect();
    Some(Reduced {
        program: Program {
            cost: kept.iter().map(|at| program.cost[*at]).collect(),
            clauses,
            limits,
        },
        variables: kept.iter().map(|at| variables[*at]).collect(),
        values,
        fixed_cost: fixed_cost + state.cost,
    })
}

/// Drops clauses that a shorter one, or the same, implies.
fn subsume(clauses: &mut Vec<Vec<Lit>>) {
    clauses.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    clauses.dedup();
    let size = clauses
        .iter()
        .flatten()
        .max()
        .map_or(0, |lit| *lit as usize + 1);
    // For each literal the clauses that were filed under it: each under its first literal.
    let mut filed: Vec<Vec<u32>> = vec![Vec::new(); size];
    let mut marked = vec![false; size];
    let mut keep = vec![true; clauses.len()];
    for (at, clause) in clauses.iter().enumerate() {
        for lit in clause {
            marked[*lit as usize] = true;
        }
        let implied = clause.iter().any(|lit| {
            filed[*lit as usize].iter().any(|other| {
                clauses[*other as usize]
                    .iter()
                    .all(|lit| marked[*lit as usize])
            })
        });
        for lit in clause {
            marked[*lit as usize] = false;
        }
        if implied {
            keep[at] = false;
        } else if let Some(first) = clause.first() {
            filed[*first as usize].push(at as u32);
        }
    }
    let mut kept = keep.iter();
    clauses.retain(|_| kept.next().copied().unwrap_or(true));
}

/// The clauses that a literal is in, as bits.
struct Rows {
    words: usize,
    bits: Vec<u64>,
}

impl Rows {
    fn of(program: &Program) -> Self {
        let words = program.clauses.len().div_ceil(64);
        let mut bits = vec![0; words * program.cost.len() * 2];
        for (at, clause) in program.clauses.iter().enumerate() {
            for lit in clause {
                bits[*lit as usize * words + at / 64] |= 1 << (at % 64);
            }
        }
        Self { words, bits }
    }

    fn row(&self, lit: Lit) -> &[u64] {
        let from = lit as usize * self.words;
        &self.bits[from..from + self.words]
    }

    fn within(&self, inner: Lit, outer: Lit) -> bool {
        self.row(inner)
            .iter()
            .zip(self.row(outer))
            .all(|(inner, outer)| inner & !outer == 0)
    }

    fn is_empty(&self, lit: Lit) -> bool {
        self.row(lit).iter().all(|word| *word == 0)
    }

    fn first(&self, lit: Lit) -> Option<usize> {
        self.row(lit)
            .iter()
            .position(|word| *word != 0)
            .map(|at| at * 64 + self.row(lit)[at].trailing_zeros() as usize)
    }
}

/// What may be set because nothing is lost by it.
fn pure_or_dominated(program: &Program) -> Vec<Lit> {
    let rows = Rows::of(program);
    let mut decided = Vec::new();
    let mut gone = vec![false; program.cost.len()];
    let weights = |at: usize| program.limits.iter().map(move |limit| limit.weights[at]);
    for at in (0..program.cost.len()).rev() {
        let cost = program.cost[at];
        if rows.is_empty(yes(at)) && cost >= 0 && weights(at).all(|weight| weight >= 0) {
            decided.push(no(at));
            gone[at] = true;
        } else if rows.is_empty(no(at)) && cost <= 0 && weights(at).all(|weight| weight <= 0) {
            decided.push(yes(at));
            gone[at] = true;
        } else if cost >= 0
            && weights(at).all(|weight| weight >= 0)
            && let Some(first) = rows.first(yes(at))
            && program.clauses[first].iter().any(|lit| {
                let better = variable(*lit);
                lit & 1 == 0
                    && better != at
                    && !gone[better]
                    && program.cost[better] <= cost
                    && weights(better)
                        .zip(weights(at))
                        .all(|(less, more)| less <= more)
                    && rows.within(yes(at), yes(better))
                    && rows.within(no(better), no(at))
            })
        {
            decided.push(no(at));
            gone[at] = true;
        }
    }
    decided
}

/// The parts that share no clause and no limit, in the order of their first variables.
pub(super) fn parts(program: &Program) -> Vec<Part> {
    let size = program.cost.len();
    let mut parent: Vec<usize> = (0..size).collect();
    for clause in &program.clauses {
        for pair in clause.windows(2) {
            join(&mut parent, variable(pair[0]), variable(pair[1]));
        }
    }
    for limit in &program.limits {
        let mut last = None;
        for at in (0..size).filter(|at| limit.weights[*at] != 0) {
            if let Some(last) = last {
                join(&mut parent, last, at);
            }
            last = Some(at);
        }
    }
    let mut part_of = vec![usize::MAX; size];
    let mut number = vec![0; size];
    let mut parts: Vec<Part> = Vec::new();
    for at in 0..size {
        let root = find(&mut parent, at);
        if part_of[root] == usize::MAX {
            part_of[root] = parts.len();
            parts.push(Part {
                program: Program::default(),
                variables: Vec::new(),
            });
        }
        let part = &mut parts[part_of[root]];
        number[at] = part.variables.len();
        part.variables.push(at);
        part.program.cost.push(program.cost[at]);
        part_of[at] = part_of[root];
    }
    for clause in &program.clauses {
        let Some(first) = clause.first() else {
            continue;
        };
        let part = &mut parts[part_of[variable(*first)]];
        part.program.clauses.push(
            clause
                .iter()
                .map(|lit| yes(number[variable(*lit)]) | (lit & 1))
                .collect(),
        );
    }
    for limit in &program.limits {
        let Some(any) = limit.weights.iter().position(|weight| *weight != 0) else {
            continue;
        };
        let part = &mut parts[part_of[any]];
        part.program.limits.push(Limit {
            weights: part.variables.iter().map(|at| limit.weights[*at]).collect(),
            at_most: limit.at_most,
        });
    }
    parts
}

fn find(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The smaller number becomes the root, so that parts come in the order of their first variables.
fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b)] = a.min(b);
}
