//! An assignment of some variables, what follows from it, and taking it back.
//!
//! Left out: why something follows.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::{Lit, Program, variable};

#[derive(Debug)]
pub(super) struct State<'p> {
    pub(super) program: &'p Program,
    /// 0, 1, or free.
    pub(super) values: Vec<u8>,
    /// The clauses that a literal is in.
    pub(super) occurrences: Vec<Vec<u32>>,
    /// How many literals of a clause hold.
    pub(super) holding: Vec<u32>,
    /// How many literals of a clause are open.
    pub(super) open: Vec<u32>,
    /// What the weights of the variables that are 1 leave of each limit.
    pub(super) left: Vec<i64>,
    /// The same, with what free variables of negative weight may give.
    room: Vec<i64>,
    /// The largest step that a free variable can take of each limit.
    step: Vec<i64>,
    pub(super) trail: Vec<Lit>,
    pub(super) cost: i64,
    units: Vec<u32>,
    checked: usize,
}

pub(super) const FREE: u8 = 2;

impl<'p> State<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let mut occurrences = vec![Vec::new(); program.cost.len() * 2];
        let mut units = Vec::new();
        for (at, clause) in program.clauses.iter().enumerate() {
            for lit in clause {
                occurrences[*lit as usize].push(at as u32);
            }
            if clause.len() <= 1 {
                units.push(at as u32);
            }
        }
        let negative = |weights: &[i64]| weights.iter().map(|weight| (*weight).min(0)).sum::<i64>();
        Self {
            program,
            values: vec![FREE; program.cost.len()],
            occurrences,
            holding: vec![0; program.clauses.len()],
            open: program
                .clauses
                .iter()
                .map(|clause| clause.len() as u32)
                .collect(),
            left: program.limits.iter().map(|limit| limit.at_most).collect(),
            room: program
                .limits
                .iter()
                .map(|limit| limit.at_most - negative(&limit.weights))
                .collect(),
            step: program
                .limits
                .iter()
                .map(|limit| limit.weights.iter().map(|w| w.abs()).max().unwrap_or(0))
                .collect(),
            trail: Vec::new(),
            cost: 0,
            units,
            checked: usize::MAX,
        }
    }

    pub(super) fn is_free(&self, at: usize) -> bool {
        self.values[at] == FREE
    }

    /// Whether a clause still asks for something.
    pub(super) fn is_active(&self, clause: usize) -> bool {
        self.holding[clause] == 0
    }

    /// Lets a free literal hold. False where that cannot be; the assignment is to be taken back then.
    fn assign(&mut self, lit: Lit) -> bool {
        let at = variable(lit);
        let one = lit & 1 == 0;
        self.values[at] = u8::from(one);
        self.trail.push(lit);
        if one {
            self.cost += self.program.cost[at];
        }
        let mut fits = true;
        for (number, limit) in self.program.limits.iter().enumerate() {
            let weight = limit.weights[at];
            let taken = if one { weight } else { 0 };
            self.left[number] -= taken;
            self.room[number] -= taken - weight.min(0);
            fits &= self.room[number] >= 0;
        }
        for clause in &self.occurrences[lit as usize] {
            self.holding[*clause as usize] += 1;
            self.open[*clause as usize] -= 1;
        }
        for clause in &self.occurrences[(lit ^ 1) as usize] {
            let at = *clause as usize;
            self.open[at] -= 1;
            if self.holding[at] == 0 && self.open[at] <= 1 {
                fits &= self.open[at] == 1;
                self.units.push(*clause);
            }
        }
        fits
    }

    /// Lets a literal hold with all that follows. False where that cannot be.
    pub(super) fn set(&mut self, lit: Lit) -> bool {
        match self.values[variable(lit)] {
            FREE => (self.assign(lit) && self.propagate()) || self.fail(),
            value => (value == 1) == (lit & 1 == 0),
        }
    }

    fn fail(&mut self) -> bool {
        self.units.clear();
        false
    }

    /// All that follows from what is set so far. False where that cannot be.
    pub(super) fn propagate(&mut self) -> bool {
        loop {
            while let Some(clause) = self.units.pop() {
                let at = clause as usize;
                if self.holding[at] > 0 {
                    continue;
                }
                let open = self.program.clauses[at]
                    .iter()
                    .copied()
                    .find(|lit| self.values[variable(*lit)] == FREE);
                let Some(lit) = open else {
                    return self.fail();
                };
                if !self.assign(lit) {
                    return self.fail();
                }
            }
            match self.limited() {
                None => return self.fail(),
                Some(false) => return true,
                Some(true) => {}
            }
        }
    }

    /// Sets what no limit has room for; whether there was any, or nothing where that cannot be.
    fn limited(&mut self) -> Option<bool> {
        let program = self.program;
        if self.checked == self.trail.len() {
            return Some(false);
        }
        let before = self.trail.len();
        for (number, limit) in program.limits.iter().enumerate() {
            if self.room[number] < 0 {
                return None;
            }
            if self.room[number] >= self.step[number] {
                continue;
            }
            for (at, weight) in limit.weights.iter().enumerate() {
                if weight.abs() > self.room[number] && self.values[at] == FREE {
                    let lit = if *weight > 0 {
                        super::no(at)
                    } else {
                        super::yes(at)
                    };
                    if !self.assign(lit) {
                        return None;
                    }
                }
            }
        }
        self.checked = self.trail.len();
        Some(self.trail.len() > before)
    }

    /// Takes back all that was set since the trail had this length.
    pub(super) fn undo(&mut self, length: usize) {
        self.units.clear();
        self.checked = usize::MAX;
        while self.trail.len() > length {
            let Some(lit) = self.trail.pop() else {
                return;
            };
            let at = variable(lit);
            let one = lit & 1 == 0;
            self.values[at] = FREE;
            if one {
                self.cost -= self.program.cost[at];
            }
            for (number, limit) in self.program.limits.iter().enumerate() {
                let weight = limit.weights[at];
                let taken = if one { weight } else { 0 };
                self.left[number] += taken;
                self.room[number] += taken - weight.min(0);
            }
            for clause in &self.occurrences[lit as usize] {
                self.holding[*clause as usize] -= 1;
                self.open[*clause as usize] += 1;
            }
            for clause in &self.occurrences[(lit ^ 1) as usize] {
                self.open[*clause as usize] += 1;
            }
        }
    }
}
