//! The part of the graph that matters, with the measures against each step: what `decide` asks for ways.
//!
//! Left out: evidence and words, for which the graph is asked by the step's number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use ::guide::measures::{Measure, Measures};
use analysis::paths::{Allowed, Edge, Efforts, Graph, NodeNo, StepNo};

/// A step that may lie on a way.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) needs: Vec<u32>,
    pub(super) gives: u32,
    /// The number of its set of measures in [`Net::cuts`].
    pub(super) cut: usize,
    pub(super) sure: bool,
    /// Its kind.
    kind: Edge,
    /// The first of the steps that are alike.
    pub(super) step: StepNo,
}

/// Steps that lead from an entry to a jewel; alike ones are one, and so are nodes from which the same leads on.
#[derive(Debug)]
pub(super) struct Net {
    /// For each node the number of those that are alike.
    numbers: BTreeMap<NodeNo, u32>,
    pub(super) hops: Vec<Hop>,
    out: Vec<Vec<usize>>,
    into: Vec<Vec<usize>>,
    /// How many numbers there are.
    count: u32,
    /// The number of what everybody holds.
    base: u32,
    /// Sets of measures, ascending; the first is empty.
    pub(super) cuts: Vec<Vec<Measure>>,
}

mod alike;

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
        (entries, jewels): (&[NodeNo], &[NodeNo]),
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
            into: Vec::new(),
            count: 0,
            base: 0,
            cuts: vec![Vec::new()],
        };
        let mut cuts: BTreeMap<Vec<Measure>, usize> = BTreeMap::from([(Vec::new(), 0)]);
        let free = graph.derive(&[], &Efforts::default(), allowed);
        let base: BTreeSet<NodeNo> = free
            .held()
            .filter(|node| free.last_step(*node).is_none())
            .collect();
        // Whoever starts holds what everybody holds: one node stands for it.
        let everybody = 0;
        for node in &base {
            net.numbers.insert(*node, everybody);
        }
        net.count = 1;
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
            let needs = step.needs.iter().filter(|need| !base.contains(need));
            let mut needs: Vec<u32> = needs.map(|need| net.number(*need)).collect();
            if needs.is_empty() {
                needs.push(everybody);
            }
            needs.sort_unstable();
            needs.dedup();
            let gives = net.number(step.gives);
            net.hops.push(Hop {
                needs,
                gives,
                cut,
                sure: step.doubt.is_none(),
                kind: step.edge,
                step: number,
            });
        }
        for end in entries.iter().chain(jewels) {
            net.number(*end);
        }
        let own: BTreeSet<u32> = jewels.iter().filter_map(|node| net.of(*node)).collect();
        net.join(|node| node == everybody || own.contains(&node));
        net
    }

    /// Lets one node stand for all that are alike.
    fn join(&mut self, own: impl Fn(u32) -> bool) {
        let classes = alike::classes(&self.hops, self.count as usize, own);
        let class = |node: u32| classes.get(node as usize).copied().unwrap_or(node);
        for number in self.numbers.values_mut() {
            *number = class(*number);
        }
        let mut known: BTreeSet<(Vec<u32>, u32, usize, bool, Edge)> = BTreeSet::new();
        self.hops.retain_mut(|hop| {
            for need in &mut hop.needs {
                *need = class(*need);
            }
            hop.needs.sort_unstable();
            hop.gives = class(hop.gives);
            known.insert((hop.needs.clone(), hop.gives, hop.cut, hop.sure, hop.kind))
        });
        self.count = classes.iter().max().map_or(0, |last| last + 1);
        self.base = class(0);
        self.out = vec![Vec::new(); self.count as usize];
        self.into = vec![Vec::new(); self.count as usize];
        for (number, hop) in self.hops.iter().enumerate() {
            for need in &hop.needs {
                if let Some(out) = self.out.get_mut(*need as usize) {
                    out.push(number);
                }
            }
            if let Some(into) = self.into.get_mut(hop.gives as usize) {
                into.push(number);
            }
        }
    }

    fn number(&mut self, node: NodeNo) -> u32 {
        let number = *self.numbers.entry(node).or_insert(self.count);
        self.count = self.count.max(number + 1);
        number
    }

    /// The number of a node here, and of all that are like it.
    pub(super) fn of(&self, node: NodeNo) -> Option<u32> {
        self.numbers.get(&node).copied()
    }

    /// From where each of some ends can be reached at all over hops that are not gone, where one of several
    /// needs were enough: whoever does not stand here surely does not come there. One pass for all starts.
    pub(super) fn perhaps(&self, ends: &[u32], possible: bool, gone: &[bool]) -> Perhaps {
        let words = ends.len().div_ceil(64);
        let mut reach = vec![0_u64; words * self.count as usize];
        let mut open: Vec<u32> = Vec::new();
        for (number, end) in ends.iter().enumerate() {
            if let Some(word) = reach.get_mut(*end as usize * words + number / 64) {
                *word |= 1 << (number % 64);
                open.push(*end);
            }
        }
        let mut own = vec![0_u64; words];
        while let Some(node) = open.pop() {
            let from = node as usize * words;
            if let Some(row) = reach.get(from..from + words) {
                own.copy_from_slice(row);
            }
            let into = self.into.get(node as usize).map_or(&[][..], Vec::as_slice);
            for hop in into.iter().filter_map(|number| self.hops.get(*number)) {
                if gone.get(hop.cut).copied().unwrap_or(false) || !(hop.sure || possible) {
                    continue;
                }
                for need in &hop.needs {
                    let from = *need as usize * words;
                    let mut grew = false;
                    for (word, more) in reach.iter_mut().skip(from).zip(&own) {
                        grew |= *more & !*word != 0;
                        *word |= more;
                    }
                    if grew {
                        open.push(*need);
                    }
                }
            }
        }
        Perhaps {
            base: self.base,
            words,
            reach,
        }
    }

    /// What somebody who starts there comes to hold over hops that are not gone, each with as few measures
    /// against it as can be (a measure against two hops is counted twice).
    pub(super) fn come(&self, start: u32, possible: bool, gone: &[bool]) -> Come {
        let count = self.out.len();
        let mut best: Vec<Option<Best>> = vec![None; count];
        let mut settled = vec![false; count];
        let mut met: Vec<(u32, (u32, u32))> = vec![(0, (0, 0)); self.hops.len()];
        let mut queue = BinaryHeap::new();
        for node in [self.base, start] {
            if let Some(slot) = best.get_mut(node as usize) {
                *slot = Some(((0, 0), None));
                queue.push(Reverse(((0, 0), node)));
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

/// What may be reached from where.
pub(super) struct Perhaps {
    base: u32,
    words: usize,
    reach: Vec<u64>,
}

impl Perhaps {
    /// Whether the end of this number may be reached from there.
    pub(super) fn has(&self, start: u32, number: usize) -> bool {
        [start, self.base].iter().any(|node| {
            self.reach
                .get(*node as usize * self.words + number / 64)
                .is_some_and(|word| word >> (number % 64) & 1 == 1)
        })
    }
}

impl Come {
    pub(super) fn holds(&self, node: u32) -> bool {
        self.best
            .get(node as usize)
            .is_some_and(|best| best.is_some())
    }
}
