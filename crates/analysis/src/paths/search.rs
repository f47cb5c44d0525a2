//! What an attacker comes to hold: the least fixed point, the cheapest way there, every minimal way.
//!
//! A way is a *derivation*: steps in an order in which each needs only what was held or given before. Its cost
//! is the sum over its steps. The search for the cheapest counts a step that two others need for each of them:
//! to weigh what is shared as well is as hard as the hardest of problems (minimum set cover is one of these), so
//! where a way joins two that share a step, [`Graph::cheapest`] may miss a cheaper one; [`Graph::ways`] has all.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::edge::{Edge, Efforts};
use super::fast::FastMap;
use super::graph::{Graph, NodeNo, Row, SURE, StepNo};

/// Which steps count.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// Steps that may not be there count too.
    pub possible: bool,
    /// Steps that are taken away.
    pub without: Option<&'a StepSet>,
}

impl Allowed<'_> {
    /// What is sure.
    pub const SURE: Self = Self {
        possible: false,
        without: None,
    };
    /// What is sure or possible.
    pub const POSSIBLE: Self = Self {
        possible: true,
        without: None,
    };
}

/// A set of steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepSet {
    words: Vec<u64>,
}

impl StepSet {
    /// An empty set for the steps of a graph.
    #[must_use]
    pub fn new(graph: &Graph) -> Self {
        Self {
            words: vec![0; graph.rows.len().div_ceil(64)],
        }
    }

    /// Adds a step.
    pub fn insert(&mut self, step: StepNo) {
        if let Some(word) = self.words.get_mut(step.0 as usize / 64) {
            *word |= 1 << (step.0 % 64);
        }
    }

    /// Whether a step is in it.
    #[must_use]
    pub fn contains(&self, step: StepNo) -> bool {
        self.words
            .get(step.0 as usize / 64)
            .is_some_and(|word| word & (1 << (step.0 % 64)) != 0)
    }
}

/// What is held in the end, and by which step it comes cheapest.
#[derive(Debug)]
pub struct Derived {
    /// cost and step for each node; [`GIVEN`] for what is held at the start
    best: Vec<Option<(u32, u32)>>,
    efforts: Efforts,
}

const GIVEN: u32 = u32::MAX;

/// A way from an entry to a jewel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// In an order in which they can be taken.
    pub steps: Vec<StepNo>,
    /// What they cost the attacker.
    pub cost: u32,
    /// Some step of it may not be there.
    pub possible: bool,
}

impl Derived {
    /// Whether a node is held in the end.
    #[must_use]
    pub fn holds(&self, node: NodeNo) -> bool {
        self.cost(node).is_some()
    }

    /// What it costs to come to hold a node.
    #[must_use]
    pub fn cost(&self, node: NodeNo) -> Option<u32> {
        Some((*self.best.get(node.0 as usize)?)?.0)
    }

    /// The step by which a node comes cheapest; nothing for what is held at the start.
    #[must_use]
    pub fn last_step(&self, node: NodeNo) -> Option<StepNo> {
        let (_, step) = (*self.best.get(node.0 as usize)?)?;
        (step != GIVEN).then_some(StepNo(step))
    }

    /// Everything that is held in the end.
    pub fn held(&self) -> impl Iterator<Item = NodeNo> + '_ {
        self.best
            .iter()
            .enumerate()
            .filter(|(_, best)| best.is_some())
            .map(|(number, _)| NodeNo(number as u32))
    }
}

impl Graph {
    /// What somebody who starts with `from` comes to hold. Ties are broken by the order of nodes and steps.
    #[must_use]
    pub fn derive(&self, from: &[NodeNo], efforts: &Efforts, allowed: Allowed<'_>) -> Derived {
        let counts = |step: u32, row: &Row| self.is_allowed(step, row.doubt, allowed);
        self.derive_until(from, None, efforts, counts)
    }

    fn derive_until(
        &self,
        from: &[NodeNo],
        until: Option<NodeNo>,
        efforts: &Efforts,
        counts: impl Fn(u32, &Row) -> bool,
    ) -> Derived {
        let mut best: Vec<Option<(u32, u32)>> = vec![None; self.nodes.len()];
        let mut settled = vec![false; self.nodes.len()];
        // Of each step with several needs: how many are met, and their cost so far.
        let mut met: FastMap<u32, (u16, u32)> = FastMap::default();
        let mut queue = BinaryHeap::new();
        for node in from.iter().chain(&self.base) {
            if let Some(slot) = best.get_mut(node.0 as usize) {
                *slot = Some((0, GIVEN));
                queue.push(Reverse((0u32, node.0)));
            }
        }
        while let Some(Reverse((cost, node))) = queue.pop() {
            match settled.get_mut(node as usize) {
                Some(done) if !*done => *done = true,
                _ => continue,
            }
            if until.is_some_and(|until| until.0 == node) {
                break;
            }
            for number in self.out.of(node) {
                let Some(row) = self.rows.get(*number as usize) else {
                    continue;
                };
                if !counts(*number, row) {
                    continue;
                }
                let needed = if row.needs.1 > 1 {
                    let (count, sum) = met.entry(*number).or_default();
                    *count += 1;
                    *sum = sum.saturating_add(cost);
                    if *count < row.needs.1 {
                        continue;
                    }
                    *sum
                } else {
                    cost
                };
                let total = needed.saturating_add(efforts.of(row.edge));
                let done = settled.get(row.gives as usize).copied().unwrap_or(true);
                if let Some(slot) = best.get_mut(row.gives as usize)
                    && !done
                    && slot.is_none_or(|known| known.1 != GIVEN && (total, *number) < known)
                {
                    *slot = Some((total, *number));
                    queue.push(Reverse((total, row.gives)));
                }
            }
        }
        Derived {
            best,
            efforts: efforts.clone(),
        }
    }

    fn is_allowed(&self, step: u32, doubt: u32, allowed: Allowed<'_>) -> bool {
        (allowed.possible || doubt == SURE)
            && allowed
                .without
                .is_none_or(|without| !without.contains(StepNo(step)))
    }

    /// The steps by which a node comes cheapest, in an order in which they can be taken.
    #[must_use]
    pub fn way(&self, derived: &Derived, to: NodeNo) -> Option<Way> {
        derived.cost(to)?;
        let mut steps = Vec::new();
        let mut seen = BTreeSet::new();
        // Depth first, without recursion: a step follows the steps of its needs.
        let mut open = vec![(to, false)];
        while let Some((node, done)) = open.pop() {
            let Some(step) = derived.last_step(node) else {
                continue;
            };
            if done {
                steps.push(step);
            } else if seen.insert(node) {
                open.push((node, true));
                let row = self.rows.get(step.0 as usize)?;
                open.extend(self.needs_of(row).iter().rev().map(|need| (*need, false)));
            }
        }
        let rows = || {
            let numbers = steps.iter();
            numbers.filter_map(|step| self.rows.get(step.0 as usize))
        };
        let cost = rows().fold(0u32, |sum, row| {
            sum.saturating_add(derived.efforts.of(row.edge))
        });
        let possible = rows().any(|row| row.doubt != SURE);
        Some(Way {
            steps,
            cost,
            possible,
        })
    }

    /// The cheapest way from a node to another.
    #[must_use]
    pub fn cheapest(
        &self,
        from: NodeNo,
        to: NodeNo,
        efforts: &Efforts,
        allowed: Allowed<'_>,
    ) -> Option<Way> {
        let counts = |step: u32, row: &Row| self.is_allowed(step, row.doubt, allowed);
        let derived = self.derive_until(&[from], Some(to), efforts, counts);
        self.way(&derived, to)
    }

    /// The deeds of a way, ascending.
    fn deeds(&self, way: &Way) -> Vec<StepNo> {
        let mut deeds: Vec<StepNo> = way
            .steps
            .iter()
            .copied()
            .filter(|step| {
                self.rows
                    .get(step.0 as usize)
                    .is_some_and(|row| row.edge != Edge::Implied)
            })
            .collect();
        deeds.sort_unstable();
        deeds
    }

    /// A way without the deeds that it can do without, the dearest first: where needs share a step, the search may
    /// have paid for a second way to something that another step gives anyway.
    fn trimmed(
        &self,
        way: Way,
        (from, to): (NodeNo, NodeNo),
        efforts: &Efforts,
        possible: bool,
    ) -> Way {
        let mut kept = self.deeds(&way);
        if kept.len() < 2 {
            return way;
        }
        let mut order = kept.clone();
        let effort = |step: StepNo| {
            let row = self.rows.get(step.0 as usize);
            row.map_or(0, |row| efforts.of(row.edge))
        };
        order.sort_by_key(|step| (std::cmp::Reverse(effort(*step)), *step));
        let mut best = way;
        for step in order {
            let counts = |number: u32, row: &Row| {
                (possible || row.doubt == SURE)
                    && (row.edge == Edge::Implied
                        || number != step.0 && kept.binary_search(&StepNo(number)).is_ok())
            };
            let derived = self.derive_until(&[from], Some(to), efforts, counts);
            if let Some(way) = self.way(&derived, to) {
                kept = self.deeds(&way);
                best = way;
            }
        }
        best
    }

    /// Every minimal way, the cheapest first, up to a number of them; and whether there are more. A way is
    /// minimal when no deed of it can be left out. Where there are more than asked for, these are those that the
    /// search finds first.
    ///
    /// Any other minimal way lacks a deed of one that was found, so taking away each in turn finds them all.
    #[must_use]
    pub fn ways(
        &self,
        from: NodeNo,
        to: NodeNo,
        efforts: &Efforts,
        possible: bool,
        limit: usize,
    ) -> (Vec<Way>, bool) {
        let mut found: Vec<Way> = Vec::new();
        let mut known: BTreeSet<Vec<StepNo>> = BTreeSet::new();
        let mut tried: BTreeSet<BTreeSet<StepNo>> = BTreeSet::new();
        let mut open: BTreeSet<(u32, Vec<StepNo>, BTreeSet<StepNo>)> = BTreeSet::new();
        let between = self.between(from, to, possible);
        let look = |without: &BTreeSet<StepNo>| {
            let counts = |step: u32, _: &Row| {
                between.contains(StepNo(step)) && !without.contains(&StepNo(step))
            };
            let derived = self.derive_until(&[from], Some(to), efforts, counts);
            self.way(&derived, to)
        };
        let first = BTreeSet::new();
        if let Some(way) = look(&first) {
            open.insert((way.cost, way.steps, first));
        }
        let mut more = false;
        while let Some((cost, steps, without)) = open.pop_first() {
            let way = Way {
                steps,
                cost,
                possible: false,
            };
            let deeds = self.deeds(&way);
            let way = self.trimmed(way, (from, to), efforts, possible);
            if known.insert(self.deeds(&way)) {
                if found.len() == limit {
                    more = true;
                    break;
                }
                found.push(way);
            }
            // What is implied cannot be taken away.
            for step in deeds {
                let mut next = without.clone();
                next.insert(step);
                if !tried.insert(next.clone()) {
                    continue;
                }
                if let Some(way) = look(&next) {
                    open.insert((way.cost, way.steps, next));
                }
            }
            if tried.len() > limit.saturating_mul(64).max(4096) {
                more = true;
                break;
            }
        }
        for way in &mut found {
            way.possible = way.steps.iter().any(|step| {
                let row = self.rows.get(step.0 as usize);
                row.is_some_and(|row| row.doubt != SURE)
            });
        }
        found.sort_by(|one, two| (one.cost, &one.steps).cmp(&(two.cost, &two.steps)));
        (found, more)
    }

    /// The steps that can lie on a way from a node to another.
    fn between(&self, from: NodeNo, to: NodeNo, possible: bool) -> StepSet {
        let allowed = Allowed {
            possible,
            without: None,
        };
        let mut set = StepSet::new(self);
        for step in self.leading(&[from], &[to], allowed) {
            set.insert(step);
        }
        set
    }
}

impl Graph {
    /// The steps that can lie on a way from an entry to a jewel: what they need is held by somebody in the end,
    /// and what they give leads on.
    #[must_use]
    pub fn relevant(&self, allowed: Allowed<'_>) -> Vec<StepNo> {
        let starts: Vec<NodeNo> = self.entries.iter().map(|entry| entry.node).collect();
        let ends: Vec<NodeNo> = self.jewels.iter().map(|jewel| jewel.node).collect();
        let mut found = self.leading(&starts, &ends, allowed);
        found.sort_unstable();
        found
    }

    /// Steps whose needs are held by who starts with all of `from`, and that lead on to one of `to`.
    fn leading(&self, from: &[NodeNo], to: &[NodeNo], allowed: Allowed<'_>) -> Vec<StepNo> {
        let held = self.derive(from, &Efforts::default(), allowed);
        let mut leads = vec![false; self.nodes.len()];
        let mut open = to.to_vec();
        let mut found = Vec::new();
        while let Some(node) = open.pop() {
            match leads.get_mut(node.0 as usize) {
                Some(flag) if !*flag => *flag = true,
                _ => continue,
            }
            for number in self.into.of(node.0) {
                let Some(row) = self.rows.get(*number as usize) else {
                    continue;
                };
                let needs = self.needs_of(row);
                if self.is_allowed(*number, row.doubt, allowed)
                    && needs.iter().all(|need| held.holds(*need))
                {
                    found.push(StepNo(*number));
                    open.extend(needs);
                }
            }
        }
        found
    }
}
