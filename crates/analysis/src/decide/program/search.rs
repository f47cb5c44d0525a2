//! Branch and bound: the node with the lowest bound first, so that work raises what is proven, and from it
//! down as long as that is not far from the lowest, so that answers are found.
//!
//! Left out: restarts, and learning from conflicts.

#![expect(
    clippy::indexing_slicing,
    reason = "dense arrays, indexed by variables and clauses of the program they were sized for"
)]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::bound::{self, Active, Bound, Effort, Multipliers};
use super::local::Local;
use super::state::State;
use super::{LARGEST, Lit, NONE, Program, Solved, Wanted, no, yes};

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

/// How often an answer that is only to be good looks at every literal when it is bettered.
const NEARBY: u64 = 40;

pub(super) struct Search<'p> {
    pub(super) program: &'p Program,
    pub(super) state: State<'p>,
    scale: i64,
    /// Only what costs less is looked for, in units of the common divisor.
    pub(super) below: i64,
    pub(super) best: Option<(i64, Vec<bool>)>,
    pub(super) active: Active,
    pub(super) bound: Bound,
    multipliers: Multipliers,
    local: Option<Local>,
    /// What was spent when answers were last looked for nearby.
    spent: u64,
    nodes: u64,
}

/// A node that is yet to be looked at.
struct Open {
    bound: i64,
    /// What holds in the node above.
    trail: Vec<Lit>,
    /// What is to hold besides.
    choice: Lit,
    multipliers: Rc<Multipliers>,
}

/// The nodes that are yet to be looked at: the lowest bound first where that is wanted, then the newest.
struct Queue {
    open: BTreeMap<(i64, Reverse<u64>), Open>,
    by_bound: bool,
    count: u64,
}

/// How many multipliers the queue may keep; a node beyond that begins with those of the root.
const KEPT: usize = 1 << 22;

impl Queue {
    fn push(&mut self, open: Open) {
        self.count += 1;
        let bound = if self.by_bound { open.bound } else { 0 };
        self.open.insert((bound, Reverse(self.count)), open);
    }

    /// The lowest bound.
    fn lowest(&self) -> Option<i64> {
        if self.by_bound {
            self.open.values().next().map(|open| open.bound)
        } else {
            self.open.values().map(|open| open.bound).min()
        }
    }

    /// The next that may hold something cheaper.
    fn pop(&mut self, below: i64) -> Option<Open> {
        loop {
            let (_, open) = self.open.pop_first()?;
            if open.bound < below {
                return Some(open);
            }
        }
    }
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
        local: None,
        spent: 0,
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
        let mut queue = Queue {
            open: BTreeMap::new(),
            by_bound: self.program.limits.is_empty(),
            count: 0,
        };
        let mut root = None;
        let granted = *work;
        // What is known of the node that is open: at first only the signs of the costs.
        let mut inherited = super::least(self.program);
        loop {
            let node = self.node(wanted.quick, work);
            self.nodes += 1;
            if self.nodes == 1 && self.program.limits.is_empty() {
                self.local = Some(Local::new(self.program, &self.state, &self.active));
            }
            let open = match node {
                Node::Closed => self.below,
                Node::Branch { bound, .. } => bound.max(inherited),
            };
            if wanted.quick {
                self.nearby(self.active.len() as u64 * NEARBY, work);
            }
            let reached = |(value, _): &(i64, _)| *value <= wanted.floor;
            if wanted.quick || *work == 0 || self.best.as_ref().is_some_and(reached) {
                return queue.lowest().map_or(open, |lowest| lowest.min(open));
            }
            let used = granted - *work;
            if used >= self.spent * 2 {
                self.spent = used;
                self.nearby(used / 4, work);
            }
            let mut goes_on = false;
            if let Node::Branch { lit, .. } = node {
                inherited = open;
                let own = Rc::new(self.multipliers.clone());
                let root = root.get_or_insert_with(|| Rc::clone(&own));
                let many = queue.open.len() * self.program.clauses.len() > KEPT;
                let kept = if many { root } else { &own };
                let side = |choice: Lit, trail: &[Lit]| Open {
                    bound: inherited,
                    trail: trail.to_vec(),
                    choice,
                    multipliers: Rc::clone(kept),
                };
                queue.push(side(lit ^ 1, &self.state.trail));
                // Answers lie deep: further down where there is none, and while that is not far from the
                // lowest bound.
                let far = queue.by_bound && self.below < NONE && {
                    let lowest = queue.lowest().unwrap_or(inherited).min(inherited);
                    (inherited - lowest) * 4 > self.below - lowest
                };
                if far {
                    queue.push(side(lit, &self.state.trail));
                } else {
                    goes_on = self.state.set(lit);
                }
            }
            while !goes_on {
                let Some(open) = queue.pop(self.below) else {
                    return self.below;
                };
                goes_on = self.go(&open, work);
                inherited = open.bound;
            }
        }
    }

    /// Looks for answers near the best one.
    fn nearby(&mut self, most: u64, work: &mut u64) {
        let Some(local) = &mut self.local else {
            return;
        };
        let from = self.best.as_ref().map(|(_, values)| values.as_slice());
        let (found, spent) = local.search(from, self.below, most);
        *work = work.saturating_sub(spent);
        if let Some((_, values)) = found {
            self.offer(values);
        }
    }

    /// Goes to a node. False where it cannot be.
    fn go(&mut self, open: &Open, work: &mut u64) -> bool {
        let own = self.state.trail.iter().zip(&open.trail);
        let common = own.take_while(|(a, b)| a == b).count();
        self.state.undo(common);
        let moved = open.trail.len() - common + 1;
        let each = self.active.len() / self.active.free.len().max(1) + 1;
        *work = work.saturating_sub((moved * each) as u64);
        self.multipliers.clone_from(&open.multipliers);
        open.trail.iter().all(|lit| self.state.set(*lit)) && self.state.set(open.choice)
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
            let target = self.target();
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

    /// The bound that closes a node, scaled.
    fn target(&self) -> i64 {
        if self.below < NONE {
            (self.below - 1) * self.scale + 1
        } else {
            i64::MAX
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
        let target = self.target();
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
}
