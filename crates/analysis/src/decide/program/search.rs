//! Branch and bound in depth, with answers found on the way.
//!
//! Left out: restarts, learning, and a queue of nodes ordered by their bounds.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use super::bound::{self, Active, Bound, Effort, Multipliers};
use super::state::State;
use super::{LARGEST, Lit, NONE, Program, Solved, Wanted, no, variable, yes};

/// At the root, where the bound decides what is left of the program.
const ROOT: Effort = Effort {
    steps: 2_000,
    length: 1.5,
    patience: 25,
};
/// At every other node, from the multipliers of the one above.
const NODE: Effort = Effort {
    steps: 24,
    length: 0.15,
    patience: 6,
};
const QUICK: Effort = Effort {
    steps: 60,
    length: 1.0,
    patience: 8,
};

struct Search<'p> {
    program: &'p Program,
    state: State<'p>,
    scale: i64,
    /// Only what costs less is looked for, in units of the common divisor.
    below: i64,
    best: Option<(i64, Vec<bool>)>,
    active: Active,
    bound: Bound,
    multipliers: Multipliers,
    nodes: u64,
}

/// A choice that has another side.
struct Frame {
    length: usize,
    other: Lit,
    bound: i64,
    multipliers: Multipliers,
}

enum Node {
    /// Nothing below it is cheaper than what is known.
    Closed,
    Branch {
        lit: Lit,
        bound: i64,
    },
}

/// The cheapest answer to a program that presolving is done with.
pub(super) fn solve(program: &Program, wanted: Wanted, work: &mut u64) -> Solved {
    let divisor = program
        .cost
        .iter()
        .fold(0, |divisor, cost| gcd(divisor, cost.abs()))
        .max(1);
    if divisor > 1 {
        let mut divided = program.clone();
        for cost in &mut divided.cost {
            *cost /= divisor;
        }
        let up = |value: i64| {
            if value >= NONE {
                value
            } else {
                -((-value).div_euclid(divisor))
            }
        };
        let solved = run(
            &divided,
            Wanted {
                below: up(wanted.below),
                floor: up(wanted.floor),
                quick: wanted.quick,
            },
            work,
        );
        return Solved {
            best: solved.best.map(|(value, values)| (value * divisor, values)),
            bound: if solved.bound >= up(wanted.below) {
                wanted.below
            } else {
                (solved.bound * divisor).min(wanted.below)
            },
        };
    }
    run(program, wanted, work)
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn run(program: &Program, wanted: Wanted, work: &mut u64) -> Solved {
    let sizes: i64 = program.cost.iter().map(|cost| cost.abs()).sum();
    let scale = (LARGEST / sizes.max(1)).clamp(1, 1 << 20);
    let state = State::new(program);
    let mut search = Search {
        program,
        scale,
        // Nothing costs more than all together.
        below: if wanted.below > sizes {
            NONE
        } else {
            wanted.below
        },
        best: None,
        active: Active::default(),
        bound: Bound::default(),
        multipliers: Multipliers::default(),
        nodes: 0,
        state,
    };
    let reached = search.all(wanted, work);
    let bound = search
        .best
        .as_ref()
        .map_or(reached, |(value, _)| reached.min(*value));
    Solved {
        best: search.best,
        bound: if bound >= wanted.below.min(NONE) {
            wanted.below
        } else {
            bound
        },
    }
}

impl Search<'_> {
    /// Searches everything, or until the work is used up; returns what is proven.
    fn all(&mut self, wanted: Wanted, work: &mut u64) -> i64 {
        if !self.state.propagate() {
            return wanted.below;
        }
        self.active.fill(&self.state);
        self.multipliers = bound::ascent(&self.state, &self.active, self.scale);
        let mut frames: Vec<Frame> = Vec::new();
        // What is known of the node that is open: at first only the signs of the costs.
        let mut inherited = super::least(self.program);
        loop {
            let node = self.node(wanted.quick, work);
            self.nodes += 1;
            let stop = wanted.quick
                || *work == 0
                || self
                    .best
                    .as_ref()
                    .is_some_and(|(value, _)| *value <= wanted.floor);
            if stop {
                let open = match node {
                    Node::Closed => self.below,
                    Node::Branch { bound, .. } => bound.max(inherited),
                };
                return frames.iter().map(|frame| frame.bound).fold(open, i64::min);
            }
            let mut goes_on = false;
            if let Node::Branch { lit, bound } = node {
                inherited = bound.max(inherited);
                frames.push(Frame {
                    length: self.state.trail.len(),
                    other: lit ^ 1,
                    bound: inherited,
                    multipliers: self.multipliers.clone(),
                });
                goes_on = self.state.set(lit);
            }
            while !goes_on {
                let Some(frame) = frames.pop() else {
                    return self.below;
                };
                self.state.undo(frame.length);
                if frame.bound >= self.below {
                    continue;
                }
                self.multipliers = frame.multipliers;
                inherited = frame.bound;
                goes_on = self.state.set(frame.other);
            }
        }
    }

    /// Bounds a node, sets what the bound decides, looks for an answer, and chooses where to branch.
    fn node(&mut self, quick: bool, work: &mut u64) -> Node {
        let mut proven = i64::MIN;
        // Again while the bound decides much; each time is a node's worth of work.
        for round in 0..4 {
            self.active.fill(&self.state);
            *work = work.saturating_sub(self.program.clauses.len() as u64);
            if let Some(node) = self.leaf() {
                return node;
            }
            let effort = match (self.nodes, round, quick) {
                (0, 0, _) => &QUICK,
                (0, 1, false) => &ROOT,
                _ => &NODE,
            };
            let target = if self.below < NONE {
                (self.below - 1) * self.scale + 1
            } else {
                i64::MAX
            };
            let spent = self.bound.improve(
                &self.state,
                &self.active,
                &mut self.multipliers,
                self.scale,
                target,
                effort,
            );
            *work = work.saturating_sub(spent);
            proven = proven.max(-((-self.bound.scaled).div_euclid(self.scale)));
            if proven >= self.below {
                return Node::Closed;
            }
            if self.nodes == 0 || self.nodes.is_multiple_of(16) {
                let spent = self.greedy();
                *work = work.saturating_sub(spent);
                if proven >= self.below {
                    return Node::Closed;
                }
            }
            let before = self.state.trail.len();
            if !self.fix() {
                return Node::Closed;
            }
            let little = (self.state.trail.len() - before) * 20 <= self.active.free.len();
            let first = self.nodes == 0 && round == 0 && !quick;
            if little && !first {
                break;
            }
        }
        // What was set since is not part of what the choice below looks at.
        self.active.fill(&self.state);
        match self.leaf() {
            Some(node) => node,
            None => Node::Branch {
                lit: self.choose(),
                bound: proven,
            },
        }
    }

    /// Where nothing is asked for any more and nothing is to be gained, the answer.
    fn leaf(&mut self) -> Option<Node> {
        if !self.active.clauses.is_empty() {
            return None;
        }
        let gains = self
            .active
            .free
            .iter()
            .any(|at| self.program.cost[*at as usize] < 0);
        if gains || self.state.left.iter().any(|left| *left < 0) {
            return None;
        }
        let values = self.state.values.iter().map(|value| *value == 1).collect();
        self.offer(values);
        Some(Node::Closed)
    }

    /// Sets what would cost too much the other way. False where nothing cheaper is left.
    fn fix(&mut self) -> bool {
        if self.below >= NONE {
            return true;
        }
        let target = (self.below - 1) * self.scale + 1;
        for place in 0..self.active.free.len() {
            let at = self.active.free[place] as usize;
            if !self.state.is_free(at) {
                continue;
            }
            let reduced = self.bound.reduced[at];
            if self.bound.scaled + reduced.abs() >= target && reduced != 0 {
                let lit = if reduced > 0 { no(at) } else { yes(at) };
                if !self.state.set(lit) {
                    return false;
                }
            }
        }
        true
    }

    /// The variable that the bound is least sure of, weighed by how much asks for it.
    fn choose(&self) -> Lit {
        let mut best: Option<(f64, usize)> = None;
        for at in &self.active.free {
            let at = *at as usize;
            let asked = |lit: Lit| {
                self.state.occurrences[lit as usize]
                    .iter()
                    .filter(|clause| self.state.is_active(**clause as usize))
                    .count()
            };
            let asked = asked(yes(at)) + asked(no(at));
            if asked == 0 {
                continue;
            }
            let often = self.bound.often[at];
            let unsure = often.min(1.0 - often) + 0.01;
            let score = unsure * (1.0 + asked as f64).sqrt();
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, at));
            }
        }
        if let Some((_, at)) = best {
            return if self.bound.often[at] >= 0.25 {
                yes(at)
            } else {
                no(at)
            };
        }
        // No clause asks: what lowers the cost, or what a limit lacks.
        let short = |at: usize| {
            let mut limits = self.program.limits.iter().zip(&self.state.left);
            limits.any(|(limit, left)| *left < 0 && limit.weights[at] < 0)
        };
        let free = || self.active.free.iter().map(|at| *at as usize);
        let at = free()
            .find(|at| self.program.cost[*at] < 0 || short(*at))
            .or_else(|| free().next());
        yes(at.unwrap_or(0))
    }

    /// Looks for an answer: cheapest by reduced cost for what it does, until nothing is asked for; then
    /// drops what is not needed. Returns the work done.
    fn greedy(&mut self) -> u64 {
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
    fn offer(&mut self, values: Vec<bool>) {
        if let Some(value) = self.program.value(&values)
            && value < self.below
        {
            self.below = value;
            self.best = Some((value, values));
        }
    }
}
