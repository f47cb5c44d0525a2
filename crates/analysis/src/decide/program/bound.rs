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
use super::{NONE, no, variable, yes};

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

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let clauses = self.clauses.iter().enumerate();
        clauses.map(|(place, clause)| (*clause as usize, self.lits_of(place)))
    }

    fn lits_of(&self, place: usize) -> &[u32] {
        let (from, to) = (self.starts[place], self.starts[place + 1]);
        &self.lits[from as usize..to as usize]
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
    at: Point,
    steps: Vec<i32>,
}

/// What some multipliers come to. Kept up to date, since a step changes few of them; all of it is whole
/// numbers, so nothing drifts.
#[derive(Debug, Default)]
struct Point {
    /// The bound without what free variables of negative reduced cost add.
    fixed: i64,
    /// The reduced cost of each free variable, scaled.
    reduced: Vec<i64>,
    /// Whether a variable is 1 at this point: its reduced cost is negative.
    one: Vec<bool>,
    /// How many literals of a clause hold at this point.
    holding: Vec<i32>,
    /// Literals touched.
    work: u64,
}

/// How long to look.
pub(super) struct Effort {
    pub(super) steps: u32,
    /// How long a step is at first, as a part of what is missing.
    pub(super) length: f64,
    /// After how many steps without gain it gets shorter.
    pub(super) patience: u32,
}

/// What a limit charges for an amount: rounded towards a lower bound, what is charged down, what is given
/// back up.
fn charge(parts: i64, amount: i64) -> i64 {
    ((i128::from(parts) * i128::from(amount)) >> PART) as i64
}

impl Point {
    /// Everything, from the start.
    fn set(&mut self, state: &State<'_>, active: &Active, multipliers: &Multipliers, scale: i64) {
        let program = state.program;
        self.reduced.resize(program.cost.len(), 0);
        self.one.clear();
        self.one.resize(program.cost.len(), false);
        self.holding.resize(program.clauses.len(), 0);
        self.fixed = state.cost * scale;
        for at in &active.free {
            self.reduced[*at as usize] = program.cost[*at as usize] * scale;
        }
        let limits = program.limits.iter().zip(&multipliers.limits);
        for ((limit, parts), left) in limits.zip(&state.left) {
            if *parts == 0 {
                continue;
            }
            self.fixed += charge(*parts, -left);
            for at in &active.free {
                self.reduced[*at as usize] += charge(*parts, limit.weights[*at as usize]);
            }
        }
        for (clause, lits) in active.iter() {
            let negative = lits.iter().filter(|lit| *lit & 1 == 1).count();
            self.holding[clause] = negative as i32;
            let multiplier = multipliers.clauses[clause];
            if multiplier != 0 {
                self.raise(lits, multiplier);
            }
        }
        self.work += active.len() as u64 * 2;
        self.turn(state, active);
    }

    /// A clause's multiplier grows by so much.
    fn raise(&mut self, lits: &[u32], by: i64) {
        self.fixed += by;
        for lit in lits {
            if lit & 1 == 0 {
                self.reduced[variable(*lit)] -= by;
            } else {
                self.reduced[variable(*lit)] += by;
                self.fixed -= by;
            }
        }
        self.work += lits.len() as u64;
    }

    /// Lets variables be what their reduced costs say now.
    fn turn(&mut self, state: &State<'_>, active: &Active) {
        for at in &active.free {
            let at = *at as usize;
            let one = self.reduced[at] < 0;
            if one == self.one[at] {
                continue;
            }
            self.one[at] = one;
            let change = if one { 1 } else { -1 };
            for (lit, change) in [(yes(at), change), (no(at), -change)] {
                let clauses = &state.occurrences[lit as usize];
                self.work += clauses.len() as u64;
                for clause in clauses {
                    self.holding[*clause as usize] += change;
                }
            }
        }
    }

    /// The bound.
    fn value(&self, active: &Active) -> i64 {
        let negative = active
            .free
            .iter()
            .map(|at| self.reduced[*at as usize].min(0));
        self.fixed + negative.sum::<i64>()
    }
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
        self.steps.resize(state.program.clauses.len(), 0);
        self.at.work = 0;
        self.at.set(state, active, multipliers, scale);
        let mut length = effort.length;
        let mut stale = 0;
        for step in 0..effort.steps {
            let value = self.at.value(active);
            let loops = 2 + 4 * state.program.limits.len();
            self.at.work += (active.clauses.len() + loops * active.free.len() + 1) as u64;
            let share = if step == 0 { 1.0 } else { 0.15 };
            for at in &active.free {
                let at = *at as usize;
                let one = f64::from(u8::from(self.at.one[at]));
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
                self.reduced.clone_from(&self.at.reduced);
                self.best.clone_from(multipliers);
            } else {
                stale += 1;
            }
            if self.scaled >= target || step + 1 == effort.steps {
                break;
            }
            let mut value = value;
            if stale >= effort.patience {
                stale = 0;
                length *= 0.6;
                if length < 0.001 {
                    break;
                }
                multipliers.clone_from(&self.best);
                self.at.set(state, active, multipliers, scale);
                value = self.scaled;
            }
            let missing = if target < NONE {
                (target - value) as f64
            } else {
                value.abs() as f64 * 0.05 + scale as f64
            };
            if !self.walk(state, active, multipliers, length * missing.max(1.0)) {
                break;
            }
        }
        multipliers.clone_from(&self.best);
        self.at.work
    }

    /// One step along the subgradient. False where there is none.
    fn walk(
        &mut self,
        state: &State<'_>,
        active: &Active,
        multipliers: &mut Multipliers,
        length: f64,
    ) -> bool {
        let program = state.program;
        let mut norm = 0.0;
        for clause in &active.clauses {
            let at = *clause as usize;
            let step = 1 - self.at.holding[at];
            let step = if step < 0 && multipliers.clauses[at] == 0 {
                0
            } else {
                step
            };
            self.steps[at] = step;
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
                .filter(|at| self.at.one[**at as usize])
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
        let unit = length / norm;
        let most = (NONE >> 6) as f64;
        for (place, clause) in active.clauses.iter().enumerate() {
            let at = *clause as usize;
            if self.steps[at] != 0 {
                let before = multipliers.clauses[at];
                let next = before as f64 + unit * f64::from(self.steps[at]);
                let next = next.clamp(0.0, most) as i64;
                multipliers.clauses[at] = next;
                self.at.raise(active.lits_of(place), next - before);
            }
        }
        let limits = program.limits.iter().zip(multipliers.limits.iter_mut());
        for (((limit, parts), left), (step, largest)) in limits.zip(&state.left).zip(over) {
            let before = *parts;
            let next = before as f64 + unit * step / largest * f64::from(1_u32 << PART);
            // What a limit charges for its heaviest variable stays within what a clause may charge.
            let most = (most * f64::from(1_u32 << PART) / largest).min((1_u64 << 62) as f64);
            *parts = next.clamp(0.0, most) as i64;
            self.at.fixed += charge(*parts, -left) - charge(before, -left);
            for at in &active.free {
                let weight = limit.weights[*at as usize];
                self.at.reduced[*at as usize] += charge(*parts, weight) - charge(before, weight);
            }
        }
        self.at.turn(state, active);
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
