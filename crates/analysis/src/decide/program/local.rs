//! Better answers near a known one, by local search: something is dropped, what is then missing is put back
//! another way, and clauses that are hard to meet weigh more each time.
//!
//! After S. Gao, T. Weise, J. Li, "An efficient local search heuristic with row weighting for the unicost set
//! covering problem" (European Journal of Operational Research 246, 2015), with prices and with literals that are
//! to be 0.
//!
//! Left out: proofs of anything.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::bound::Active;
use super::state::State;
use super::{Lit, Program, no, variable, yes};

/// The clauses that the root left open, and where the search stands.
#[derive(Debug)]
pub(super) struct Local {
    /// What the root decided, and zero where it did not.
    fixed: Vec<bool>,
    free: Vec<u32>,
    cost: Vec<i64>,
    clauses: Vec<Vec<Lit>>,
    occurrences: Vec<Vec<u32>>,
    values: Vec<bool>,
    weight: Vec<i64>,
    holding: Vec<u32>,
    /// What turning a variable gains: weights of clauses that it meets, less those that only it meets.
    score: Vec<i64>,
    unmet: Vec<u32>,
    /// The place of a clause in `unmet`.
    place: Vec<u32>,
    /// When a variable was last turned.
    turned: Vec<u64>,
    /// Whether something around a variable has changed since.
    changed: Vec<bool>,
    now: u64,
    total: i64,
    dice: u64,
    work: u64,
}

impl Local {
    pub(super) fn new(program: &Program, state: &State<'_>, active: &Active) -> Self {
        let size = program.cost.len();
        let mut occurrences = vec![Vec::new(); size * 2];
        let mut clauses = Vec::new();
        for (_, lits) in active.iter() {
            for lit in lits {
                occurrences[*lit as usize].push(clauses.len() as u32);
            }
            clauses.push(lits.to_vec());
        }
        let count = clauses.len();
        Self {
            fixed: state.values.iter().map(|value| *value == 1).collect(),
            free: active.free.clone(),
            cost: program.cost.clone(),
            clauses,
            occurrences,
            values: vec![false; size],
            weight: vec![1; count],
            holding: vec![0; count],
            score: vec![0; size],
            unmet: Vec::new(),
            place: vec![0; count],
            turned: vec![0; size],
            changed: vec![true; size],
            now: 0,
            total: 0,
            dice: 0,
            work: 0,
        }
    }

    /// SplitMix64.
    fn dice(&mut self, below: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below.max(1) as u64) as usize
    }

    fn holds(&self, lit: Lit) -> bool {
        self.values[variable(lit)] == (lit & 1 == 0)
    }

    /// Begins with an answer, or with nothing.
    fn start(&mut self, from: Option<&[bool]>) {
        self.values.clone_from(&self.fixed);
        for at in from.map_or(&[][..], |_| &self.free) {
            self.values[*at as usize] = from.is_some_and(|from| from[*at as usize]);
        }
        let costs = self.cost.iter().zip(&self.values);
        self.total = costs.map(|(cost, one)| if *one { *cost } else { 0 }).sum();
        self.score.fill(0);
        self.changed.fill(true);
        self.unmet.clear();
        for clause in 0..self.clauses.len() {
            let holding: Vec<Lit> = self.clauses[clause]
                .iter()
                .copied()
                .filter(|lit| self.holds(*lit))
                .collect();
            self.holding[clause] = holding.len() as u32;
            let weight = self.weight[clause];
            match holding.as_slice() {
                [] => {
                    self.place[clause] = self.unmet.len() as u32;
                    self.unmet.push(clause as u32);
                    for lit in &self.clauses[clause] {
                        self.score[variable(*lit)] += weight;
                    }
                }
                [only] => self.score[variable(*only)] -= weight,
                _ => {}
            }
            self.work += self.clauses[clause].len() as u64;
        }
    }

    fn turn(&mut self, at: usize) {
        self.now += 1;
        self.turned[at] = self.now;
        let one = !self.values[at];
        self.values[at] = one;
        self.total += if one { self.cost[at] } else { -self.cost[at] };
        let (holds, fails) = if one {
            (yes(at), no(at))
        } else {
            (no(at), yes(at))
        };
        for number in 0..self.occurrences[holds as usize].len() {
            let clause = self.occurrences[holds as usize][number] as usize;
            self.holding[clause] += 1;
            match self.holding[clause] {
                1 => {
                    self.add(clause, -self.weight[clause]);
                    self.score[at] -= self.weight[clause];
                    self.met(clause);
                }
                2 => self.only(clause, at, self.weight[clause]),
                _ => {}
            }
        }
        for number in 0..self.occurrences[fails as usize].len() {
            let clause = self.occurrences[fails as usize][number] as usize;
            self.holding[clause] -= 1;
            match self.holding[clause] {
                0 => {
                    self.add(clause, self.weight[clause]);
                    self.score[at] += self.weight[clause];
                    self.place[clause] = self.unmet.len() as u32;
                    self.unmet.push(clause as u32);
                }
                1 => self.only(clause, at, -self.weight[clause]),
                _ => {}
            }
        }
        let touched =
            self.occurrences[holds as usize].len() + self.occurrences[fails as usize].len();
        self.work += touched as u64;
        self.changed[at] = false;
    }

    /// What turning any variable of a clause gains changes; its neighbours may be turned again.
    fn add(&mut self, clause: usize, by: i64) {
        for lit in &self.clauses[clause] {
            self.score[variable(*lit)] += by;
            self.changed[variable(*lit)] = true;
        }
        self.work += self.clauses[clause].len() as u64;
    }

    /// What the one other literal that holds is worth changes.
    fn only(&mut self, clause: usize, but: usize, by: i64) {
        let only = self.clauses[clause]
            .iter()
            .find(|lit| variable(**lit) != but && self.holds(**lit));
        if let Some(lit) = only {
            self.score[variable(*lit)] += by;
        }
        self.work += self.clauses[clause].len() as u64;
    }

    fn met(&mut self, clause: usize) {
        let place = self.place[clause] as usize;
        self.unmet.swap_remove(place);
        if let Some(moved) = self.unmet.get(place) {
            self.place[*moved as usize] = place as u32;
        }
    }

    /// Whether turning `a` is better than turning `b`: by what is gained for the price, then the older.
    fn better(&self, a: usize, b: usize) -> bool {
        let price = |at: usize| i128::from(self.cost[at].abs().max(1));
        let of = |at: usize, other: usize| i128::from(self.score[at]) * price(other);
        (of(a, b), std::cmp::Reverse(self.turned[a]))
            > (of(b, a), std::cmp::Reverse(self.turned[b]))
    }

    /// What is to be dropped: it loses least for what it saves.
    fn dropped(&mut self, but: usize) -> Option<usize> {
        self.work += self.free.len() as u64;
        let mut best: Option<usize> = None;
        for at in &self.free {
            let at = *at as usize;
            let saves = if self.values[at] {
                self.cost[at] > 0
            } else {
                self.cost[at] < 0
            };
            if saves && at != but && best.is_none_or(|other| self.better(at, other)) {
                best = Some(at);
            }
        }
        best
    }

    /// Looks for answers that cost less than `below`; the best with what it costs. Stops when the work is done.
    pub(super) fn search(
        &mut self,
        from: Option<&[bool]>,
        mut below: i64,
        most: u64,
    ) -> (Option<(i64, Vec<bool>)>, u64) {
        self.work = 0;
        self.start(from);
        let mut found = None;
        let mut last = usize::MAX;
        while self.work < most {
            if self.unmet.is_empty() && self.total < below {
                below = self.total;
                found = Some((below, self.values.clone()));
            }
            if self.unmet.is_empty() || self.total >= below {
                let Some(at) = self.dropped(last) else { break };
                self.turn(at);
                continue;
            }
            if let Some(at) = self.dropped(last) {
                self.turn(at);
            }
            last = usize::MAX;
            while !self.unmet.is_empty() {
                let number = self.dice(self.unmet.len());
                let clause = self.unmet[number] as usize;
                let mut best: Option<usize> = None;
                for lit in &self.clauses[clause] {
                    let at = variable(*lit);
                    if self.changed[at] && best.is_none_or(|other| self.better(at, other)) {
                        best = Some(at);
                    }
                }
                self.work += self.clauses[clause].len() as u64;
                let Some(at) = best else {
                    // Nothing may be turned: everything may again.
                    self.changed.fill(true);
                    self.work += self.changed.len() as u64;
                    self.heavier();
                    break;
                };
                let more = if self.values[at] {
                    -self.cost[at]
                } else {
                    self.cost[at]
                };
                if self.total + more >= below {
                    self.heavier();
                    break;
                }
                self.turn(at);
                last = at;
                self.heavier();
            }
        }
        (found, self.work)
    }

    /// What is not met weighs more.
    fn heavier(&mut self) {
        for number in 0..self.unmet.len() {
            let clause = self.unmet[number] as usize;
            self.weight[clause] += 1;
            for lit in &self.clauses[clause] {
                self.score[variable(*lit)] += 1;
            }
            self.work += self.clauses[clause].len() as u64;
        }
    }
}
