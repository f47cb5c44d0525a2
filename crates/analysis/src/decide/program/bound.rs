//! Proven lower bounds by Lagrangian multipliers, and what they decide.
//!
//! For every whole-numbered choice of multipliers `u >= 0` of clauses and limits, the sum of `u`, of what
//! the limits take off, and of the negative reduced costs is a lower bound. Subgradient steps look for good
//! ones; floating point is used for the length of a step only, never for a bound.
//!
//! Left out: the simplex method. The bound it would find is the same in the end (the subproblem has whole
//! corners); the steps come close to it and cost a pass over the literals each.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::state::State;
use super::{NONE, variable};

/// A limit's multiplier is a whole number of these parts of a unit.
const PART: u32 = 24;

/// Multipliers of clauses, and of limits in parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Multipliers {
    pub(super) clauses: Vec<i64>,
    pub(super) limits: Vec<i64>,
}

/// The clauses that still ask for something, with the literals that are open.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub(super) clauses: Vec<u32>,
    starts: Vec<u32>,
    lits: Vec<u32>,
    pub(super) free: Vec<u32>,
}

impl Active {
    pub(super) fn fill(&mut self, state: &State<'_>) {
        self.clauses.clear();
        self.starts.clear();
        self.lits.clear();
        self.free.clear();
        self.starts.push(0);
        for (at, clause) in state.program.clauses.iter().enumerate() {
            if state.is_active(at) {
                self.clauses.push(at as u32);
                self.lits
                    .extend(clause.iter().filter(|lit| state.is_free(variable(**lit))));
                self.starts.push(self.lits.len() as u32);
            }
        }
        self.free.extend(
            (0..state.values.len())
                .filter(|at| state.is_free(*at))
                .map(|at| at as u32),
        );
    }

    pub(super) fn len(&self) -> usize {
        self.lits.len()
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.clauses.iter().enumerate().map(|(place, clause)| {
            let (from, to) = (self.starts[place], self.starts[place + 1]);
            (*clause as usize, &self.lits[from as usize..to as usize])
        })
    }
}

/// What the best multipliers say.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// In units of a cost times the scale.
    pub(super) scaled: i64,
    /// The reduced cost of each free variable, scaled.
    pub(super) reduced: Vec<i64>,
    /// How often a variable was 1 lately: near a half where the bound does not know.
    pub(super) often: Vec<f64>,
    best: Multipliers,
    current: Vec<i64>,
    steps: Vec<i32>,
}

/// How long to look.
pub(super) struct Effort {
    pub(super) steps: u32,
    /// How long a step is at first, as a part of what is missing.
    pub(super) length: f64,
    /// After how many steps without gain it gets shorter.
    pub(super) patience: u32,
}

impl Bound {
    /// Improves the multipliers, which are the best ones afterwards, until the bound reaches `target`
    /// (scaled) or the steps are used up. Returns the work done.
    pub(super) fn improve(
        &mut self,
        state: &State<'_>,
        active: &Active,
        multipliers: &mut Multipliers,
        scale: i64,
        target: i64,
        effort: &Effort,
    ) -> u64 {
        let size = state.values.len();
        self.scaled = i64::MIN;
        self.reduced.resize(size, 0);
        self.often.resize(size, 0.0);
        self.current.resize(size, 0);
        self.steps.resize(state.program.clauses.len(), 0);
        let mut length = effort.length;
        let mut stale = 0;
        let mut done = 0;
        for step in 0..effort.steps {
            done += 1;
            let value = self.evaluate(state, active, multipliers, scale);
            let share = if step == 0 { 1.0 } else { 0.15 };
            for at in &active.free {
                let at = *at as usize;
                let one = f64::from(u8::from(self.current[at] < 0));
                self.often[at] += share * (one - self.often[at]);
            }
            if value > self.scaled {
                let gained = value.saturating_sub(self.scaled.max(-NONE));
                stale = if gained > value.abs() / 5_000 {
                    0
                } else {
                    stale + 1
                };
                self.scaled = value;
                self.reduced.clone_from(&self.current);
                self.best.clone_from(multipliers);
            } else {
                stale += 1;
            }
            if self.scaled >= target {
                break;
            }
            if stale >= effort.patience {
                stale = 0;
                length *= 0.6;
                if length < 0.001 {
                    break;
                }
                multipliers.clone_from(&self.best);
                self.evaluate(state, active, multipliers, scale);
            }
            if !self.walk(state, active, multipliers, value, target, scale, length) {
                break;
            }
        }
        multipliers.clone_from(&self.best);
        done * (active.len() + 4 * active.free.len() + 1) as u64
    }

    /// The bound of these multipliers; leaves the reduced costs in `current`.
    fn evaluate(
        &mut self,
        state: &State<'_>,
        active: &Active,
        multipliers: &Multipliers,
        scale: i64,
    ) -> i64 {
        let program = state.program;
        let mut value = state.cost * scale;
        for at in &active.free {
            self.current[*at as usize] = program.cost[*at as usize] * scale;
        }
        for ((limit, parts), left) in program
            .limits
            .iter()
            .zip(&multipliers.limits)
            .zip(&state.left)
        {
            if *parts == 0 {
                continue;
            }
            // Rounded towards a lower bound: what is charged down, what is given back up.
            let charge = |amount: i64| ((i128::from(*parts) * i128::from(amount)) >> PART) as i64;
            value += charge(-left);
            for at in &active.free {
                self.current[*at as usize] += charge(limit.weights[*at as usize]);
            }
        }
        for (clause, lits) in active.iter() {
            let multiplier = multipliers.clauses[clause];
            if multiplier == 0 {
                continue;
            }
            value += multiplier;
            for lit in lits {
                if lit & 1 == 0 {
                    self.current[variable(*lit)] -= multiplier;
                } else {
                    self.current[variable(*lit)] += multiplier;
                    value -= multiplier;
                }
            }
        }
        for at in &active.free {
            value += self.current[*at as usize].min(0);
        }
        value
    }

    /// One step along the subgradient. False where there is none.
    #[expect(clippy::too_many_arguments, reason = "the parts of one formula")]
    fn walk(
        &mut self,
        state: &State<'_>,
        active: &Active,
        multipliers: &mut Multipliers,
        value: i64,
        target: i64,
        scale: i64,
        length: f64,
    ) -> bool {
        let program = state.program;
        let mut norm = 0.0;
        for (clause, lits) in active.iter() {
            let holding = lits
                .iter()
                .filter(|lit| (self.current[variable(**lit)] < 0) == (*lit & 1 == 0))
                .count() as i32;
            let step = 1 - holding;
            let step = if step < 0 && multipliers.clauses[clause] == 0 {
                0
            } else {
                step
            };
            self.steps[clause] = step;
            norm += f64::from(step * step);
        }
        let mut over = Vec::new();
        for ((limit, parts), left) in program
            .limits
            .iter()
            .zip(&multipliers.limits)
            .zip(&state.left)
        {
            let largest = limit
                .weights
                .iter()
                .map(|w| w.abs())
                .max()
                .unwrap_or(1)
                .max(1) as f64;
            let taken: i64 = active
                .free
                .iter()
                .filter(|at| self.current[**at as usize] < 0)
                .map(|at| limit.weights[*at as usize])
                .sum();
            let step = (taken - left) as f64 / largest;
            let step = if step < 0.0 && *parts == 0 { 0.0 } else { step };
            norm += step * step;
            over.push((step, largest));
        }
        if norm == 0.0 {
            return false;
        }
        let missing = if target < NONE {
            (target - value) as f64
        } else {
            value.abs() as f64 * 0.05 + scale as f64
        };
        let unit = length * missing.max(1.0) / norm;
        let most = (NONE >> 6) as f64;
        for clause in &active.clauses {
            let at = *clause as usize;
            if self.steps[at] != 0 {
                let next = multipliers.clauses[at] as f64 + unit * f64::from(self.steps[at]);
                multipliers.clauses[at] = next.clamp(0.0, most) as i64;
            }
        }
        for (parts, (step, largest)) in multipliers.limits.iter_mut().zip(over) {
            let next = *parts as f64 + unit * step / largest * f64::from(1_u32 << PART);
            // What a limit charges for its heaviest variable stays within what a clause may charge.
            let most = (most * f64::from(1_u32 << PART) / largest).min((1_u64 << 62) as f64);
            *parts = next.clamp(0.0, most) as i64;
        }
        true
    }
}

/// Multipliers to begin with: each clause takes what its cheapest literal has left.
pub(super) fn ascent(state: &State<'_>, active: &Active, scale: i64) -> Multipliers {
    let mut left: Vec<i64> = state.program.cost.iter().map(|cost| cost * scale).collect();
    let mut multipliers = Multipliers {
        clauses: vec![0; state.program.clauses.len()],
        limits: vec![0; state.program.limits.len()],
    };
    let mut order: Vec<(usize, &[u32])> = active.iter().collect();
    order.sort_by_key(|(clause, lits)| (lits.len(), *clause));
    for (clause, lits) in order {
        if lits.iter().any(|lit| lit & 1 == 1) {
            continue;
        }
        let take = lits
            .iter()
            .map(|lit| left[variable(*lit)])
            .min()
            .unwrap_or(0)
            .max(0);
        multipliers.clauses[clause] = take;
        for lit in lits {
            left[variable(*lit)] -= take;
        }
    }
    multipliers
}
