//! The part of the graph that matters, with the measures against each step: what `decide` asks for ways.
//!
//! Left out: evidence and words, for which the graph is asked by the step's number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use ::guide::measures::{Measure, Measures};
use analysis::paths::{Allowed, Efforts, Graph, NodeNo, StepNo};

/// A step that may lie on a way.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) needs: Vec<u32>,
    pub(super) gives: u32,
    /// The number of its set of measures in [`Net::cuts`].
    pub(super) cut: usize,
    pub(super) sure: bool,
    /// The first of the steps that are alike.
    pub(super) step: StepNo,
}

/// Steps that lead from an entry to a jewel; alike ones are one.
#[derive(Debug)]
pub(super) struct Net {
    numbers: BTreeMap<NodeNo, u32>,
    pub(super) hops: Vec<Hop>,
    out: Vec<Vec<usize>>,
    base: Vec<u32>,
    /// Sets of measures, ascending; the first is empty.
    pub(super) cuts: Vec<Vec<Measure>>,
}

/// How many measures stand against it and what it costs, and the hop it comes by.
type Best = ((u32, u32), Option<usize>);

/// By which hop each node comes with the fewest measures against it.
pub(super) struct Come {
    best: Vec<Option<Best>>,
}

impl Net {
    pub(super) fn new(
        graph: &Graph,
        measures: &mut Measures<'_>,
        ends: &[NodeNo],
        possible: bool,
    ) -> Self {
        let allowed = Allowed {
            possible,
            without: None,
        };
        let mut net = Self {
            numbers: BTreeMap::new(),
            hops: Vec::new(),
            out: Vec::new(),
            base: Vec::new(),
            cuts: vec![Vec::new()],
        };
        let mut cuts: BTreeMap<Vec<Measure>, usize> = BTreeMap::from([(Vec::new(), 0)]);
        let mut known: BTreeMap<(Vec<u32>, u32, usize, bool), usize> = BTreeMap::new();
        for number in graph.relevant(allowed) {
            let Some(step) = graph.step(number) else {
                continue;
            };
            let mut by = measures.cutting(&step);
            by.sort_unstable();
            let cut = *cuts.entry(by).or_insert_with_key(|by| {
                net.cuts.push(by.clone());
                net.cuts.len() - 1
            });
            let mut needs: Vec<u32> = step.needs.iter().map(|need| net.number(*need)).collect();
            needs.sort_unstable();
            needs.dedup();
            let gives = net.number(step.gives);
            let sure = step.doubt.is_none();
            let next = net.hops.len();
            let at = *known
                .entry((needs.clone(), gives, cut, sure))
                .or_insert(next);
            if at == next {
                net.hops.push(Hop {
                    needs,
                    gives,
                    cut,
                    sure,
                    step: number,
                });
            }
        }
        for end in ends {
            net.number(*end);
        }
        let free = graph.derive(&[], &Efforts::default(), allowed);
        net.base = free
            .held()
            .filter(|node| free.last_step(*node).is_none())
            .filter_map(|node| net.numbers.get(&node).copied())
            .collect();
        net.out = vec![Vec::new(); net.numbers.len()];
        for (number, hop) in net.hops.iter().enumerate() {
            for need in &hop.needs {
                if let Some(out) = net.out.get_mut(*need as usize) {
                    out.push(number);
                }
            }
        }
        net
    }

    fn number(&mut self, node: NodeNo) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(node).or_insert(next)
    }

    /// The number of a node here.
    pub(super) fn of(&self, node: NodeNo) -> Option<u32> {
        self.numbers.get(&node).copied()
    }

    /// What makes two entries alike: each of their steps leads to the same and is cut by the same. A node
    /// that is needed together with others is like no other.
    pub(super) fn likeness(&self, node: u32) -> (Vec<(u32, usize, bool)>, Option<u32>) {
        let mut alone = false;
        let mut leads = Vec::new();
        let out = self.out.get(node as usize).map_or(&[][..], Vec::as_slice);
        for hop in out.iter().filter_map(|number| self.hops.get(*number)) {
            alone |= hop.needs.len() > 1;
            leads.push((hop.gives, hop.cut, hop.sure));
        }
        leads.sort_unstable();
        leads.dedup();
        (leads, alone.then_some(node))
    }

    /// What somebody who starts there comes to hold over hops that are not gone, each with as few measures
    /// against it as can be (a measure against two hops is counted twice).
    pub(super) fn come(&self, start: u32, possible: bool, gone: &[bool]) -> Come {
        let count = self.out.len();
        let mut best: Vec<Option<Best>> = vec![None; count];
        let mut settled = vec![false; count];
        let mut met: Vec<(u32, (u32, u32))> = vec![(0, (0, 0)); self.hops.len()];
        let mut queue = BinaryHeap::new();
        for node in self.base.iter().chain([&start]) {
            if let Some(slot) = best.get_mut(*node as usize) {
                *slot = Some(((0, 0), None));
                queue.push(Reverse(((0, 0), *node)));
            }
        }
        while let Some(Reverse((cost, node))) = queue.pop() {
            match settled.get_mut(node as usize) {
                Some(done) if !*done => *done = true,
                _ => continue,
            }
            let out = self.out.get(node as usize).map_or(&[][..], Vec::as_slice);
            for number in out {
                let (Some(hop), Some(so_far)) = (self.hops.get(*number), met.get_mut(*number))
                else {
                    continue;
                };
                if gone.get(hop.cut).copied().unwrap_or(false) || !(hop.sure || possible) {
                    continue;
                }
                so_far.0 += 1;
                so_far.1.0 = so_far.1.0.saturating_add(cost.0);
                so_far.1.1 = so_far.1.1.saturating_add(cost.1);
                if (so_far.0 as usize) < hop.needs.len() {
                    continue;
                }
                let against = self.cuts.get(hop.cut).map_or(0, Vec::len) as u32;
                let total = (
                    so_far.1.0.saturating_add(against),
                    so_far.1.1.saturating_add(1),
                );
                let done = settled.get(hop.gives as usize).copied().unwrap_or(true);
                if let Some(slot) = best.get_mut(hop.gives as usize)
                    && !done
                    && slot.is_none_or(|known| (total, Some(*number)) < known)
                {
                    *slot = Some((total, Some(*number)));
                    queue.push(Reverse((total, hop.gives)));
                }
            }
        }
        Come { best }
    }

    /// The hops by which a node comes, in an order in which they can be taken.
    pub(super) fn way(&self, come: &Come, to: u32) -> Option<Vec<usize>> {
        come.best.get(to as usize).copied().flatten()?;
        let mut hops = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![(to, false)];
        while let Some((node, done)) = open.pop() {
            let Some((_, Some(number))) = come.best.get(node as usize).copied().flatten() else {
                continue;
            };
            if done {
                hops.push(number);
            } else if seen.insert(node) {
                open.push((node, true));
                let needs = self.hops.get(number).map_or(&[][..], |hop| &hop.needs);
                open.extend(needs.iter().rev().map(|need| (*need, false)));
            }
        }
        Some(hops)
    }
}

impl Come {
    pub(super) fn holds(&self, node: u32) -> bool {
        self.best
            .get(node as usize)
            .is_some_and(|best| best.is_some())
    }
}
