//! Answers found on the way: by reduced costs, and with what is not needed dropped again.
//!
//! Left out: proofs of anything.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::search::Search;
use super::{Lit, variable, yes};

impl Search<'_> {
    /// Looks for an answer: cheapest by reduced cost for what it does, until nothing is asked for; then
    /// drops what is not needed. Returns the work done.
    pub(super) fn greedy(&mut self) -> u64 {
        let length = self.state.trail.len();
        let mut count = vec![0_u32; self.program.cost.len()];
        let mut spent = 0;
        loop {
            count.fill(0);
            let mut asked = false;
            for place in 0..self.active.clauses.len() {
                let clause = self.active.clauses[place] as usize;
                if !self.state.is_active(clause) {
                    continue;
                }
                let open = || {
                    self.program.clauses[clause]
                        .iter()
                        .filter(|lit| self.state.is_free(variable(**lit)))
                };
                if open().any(|lit| lit & 1 == 1) {
                    continue;
                }
                asked = true;
                for lit in open() {
                    count[variable(*lit)] += 1;
                }
            }
            spent += self.active.len() as u64;
            if !asked {
                break;
            }
            let mut best: Option<(f64, usize)> = None;
            for at in &self.active.free {
                let at = *at as usize;
                if count[at] > 0 && self.state.is_free(at) {
                    let score = (self.bound.reduced[at].max(0) + 1) as f64 / f64::from(count[at]);
                    if best.is_none_or(|(other, _)| score < other) {
                        best = Some((score, at));
                    }
                }
            }
            let done = best.is_some_and(|(_, at)| self.state.set(yes(at)));
            if !done {
                self.state.undo(length);
                return spent;
            }
        }
        let mut values: Vec<bool> = self
            .state
            .values
            .iter()
            .zip(&self.program.cost)
            .map(|(value, cost)| {
                *value == 1
                    || (*value == super::state::FREE && *cost < 0 && self.program.limits.is_empty())
            })
            .collect();
        let mut chosen: Vec<usize> = self.state.trail[length..]
            .iter()
            .filter(|lit| **lit & 1 == 0)
            .map(|lit| variable(*lit))
            .filter(|at| self.program.cost[*at] >= 0)
            .collect();
        self.state.undo(length);
        chosen.sort_by_key(|at| (-self.program.cost[*at], *at));
        self.prune(&mut values, &chosen);
        self.offer(values);
        spent + self.active.len() as u64
    }

    /// Drops, the dearest first, what is not needed.
    fn prune(&self, values: &mut [bool], chosen: &[usize]) {
        let holds = |values: &[bool], lit: Lit| values[variable(lit)] == (lit & 1 == 0);
        for at in chosen {
            let needed = self.state.occurrences[yes(*at) as usize]
                .iter()
                .any(|clause| {
                    self.program.clauses[*clause as usize]
                        .iter()
                        .all(|lit| *lit == yes(*at) || !holds(values, *lit))
                });
            if !needed {
                values[*at] = false;
            }
        }
    }

    /// Takes an answer that is cheaper than what is known.
    pub(super) fn offer(&mut self, values: Vec<bool>) {
        if let Some(value) = self.program.value(&values)
            && value < self.below
        {
            self.below = value;
            self.best = Some((value, values));
        }
    }
}
