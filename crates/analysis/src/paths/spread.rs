//! From which entries which jewels are reached, for all of them at once.
//!
//! Entries whose steps lead to the same things are one. Of the rest, a few hundred at a time are carried
//! through the graph as bits: a node holds a bit for each entry that comes to hold it; a step passes on the
//! bits that all of its needs have. So memory is bounded, and a conjunction counts only where one and the same
//! entry comes to hold all of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::edge::Edge;
use super::graph::{Graph, NodeNo, SURE};
use super::search::{Allowed, StepSet};

/// How many words of bits are carried at a time.
const WORDS: usize = 8;
type Bits = [u64; WORDS];

/// Which entries reach which jewels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// for each entry the number of its class
    class_of: Vec<u32>,
    /// for each class, the numbers of the jewels, ascending
    reached: Vec<Vec<u32>>,
}

impl Spread {
    /// The jewels that an entry reaches, by their numbers in [`Graph::jewels`].
    #[must_use]
    pub fn jewels_of(&self, entry: usize) -> &[u32] {
        self.class_of
            .get(entry)
            .and_then(|class| self.reached.get(*class as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether an entry reaches a jewel.
    #[must_use]
    pub fn reaches(&self, entry: usize, jewel: usize) -> bool {
        self.jewels_of(entry).binary_search(&(jewel as u32)).is_ok()
    }

    /// The number of a class of entries that reach the same by the same steps.
    #[must_use]
    pub fn class_of(&self, entry: usize) -> Option<u32> {
        self.class_of.get(entry).copied()
    }

    /// All pairs of an entry and a jewel that it reaches.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.class_of.iter().enumerate().flat_map(|(entry, class)| {
            self.reached
                .get(*class as usize)
                .into_iter()
                .flatten()
                .map(move |jewel| (entry, *jewel as usize))
        })
    }
}

impl Graph {
    /// Which entries reach which jewels.
    #[must_use]
    pub fn spread(&self, allowed: Allowed<'_>) -> Spread {
        let (class_of, starts) = self.classes(allowed);
        let order = self.order();
        let mut reached: Vec<Vec<u32>> = vec![Vec::new(); starts.len()];
        for (round, block) in starts.chunks(WORDS * 64).enumerate() {
            let bits = self.carry(block, &order, allowed);
            for (number, jewel) in self.jewels.iter().enumerate() {
                let Some(own) = bits.get(jewel.node.0 as usize) else {
                    continue;
                };
                for at in 0..block.len() {
                    let word = own.get(at / 64).copied().unwrap_or_default();
                    if word & (1 << (at % 64)) != 0
                        && let Some(list) = reached.get_mut(round * WORDS * 64 + at)
                    {
                        list.push(number as u32);
                    }
                }
            }
        }
        Spread { class_of, reached }
    }

    /// How many pairs of an entry and a jewel are left without some steps.
    #[must_use]
    pub fn spread_without(&self, possible: bool, without: &StepSet) -> Spread {
        self.spread(Allowed {
            possible,
            without: Some(without),
        })
    }

    /// Entries of which every step leads to the same are one class; each class with one of its nodes.
    fn classes(&self, allowed: Allowed<'_>) -> (Vec<u32>, Vec<NodeNo>) {
        let jewels: std::collections::HashSet<NodeNo> =
            self.jewels.iter().map(|jewel| jewel.node).collect();
        // What a node opens: for each step with no other need what it gives; a node of steps with several
        // needs, or one that is a jewel itself, is like no other.
        let mut numbers: BTreeMap<(Vec<u32>, Option<NodeNo>), u32> = BTreeMap::new();
        let mut starts = Vec::new();
        let mut class_of = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let mut alone = jewels.contains(&entry.node);
            let mut gives = Vec::new();
            for number in self.out.of(entry.node.0) {
                let Some(row) = self.rows.get(*number as usize) else {
                    continue;
                };
                if row.needs.1 > 1 {
                    alone = true;
                } else if self.counts(*number, row.doubt, allowed) {
                    gives.push(row.gives);
                }
            }
            gives.sort_unstable();
            gives.dedup();
            let key = (gives, alone.then_some(entry.node));
            let class = *numbers.entry(key).or_insert_with(|| {
                starts.push(entry.node);
                starts.len() as u32 - 1
            });
            class_of.push(class);
        }
        (class_of, starts)
    }

    fn counts(&self, step: u32, doubt: u32, allowed: Allowed<'_>) -> bool {
        (allowed.possible || doubt == SURE)
            && allowed
                .without
                .is_none_or(|without| !without.contains(super::graph::StepNo(step)))
    }

    /// A rank for each node, so that most steps lead from a lower to a higher one: the reverse of the order in
    /// which a depth-first walk leaves the nodes.
    fn order(&self) -> Vec<u32> {
        let count = self.nodes.len();
        let mut rank = vec![0u32; count];
        let mut seen = vec![false; count];
        let mut left = count as u32;
        let roots = self.entries.iter().map(|entry| entry.node.0);
        for root in roots.chain(0..count as u32) {
            if seen.get(root as usize).copied().unwrap_or(true) {
                continue;
            }
            if let Some(flag) = seen.get_mut(root as usize) {
                *flag = true;
            }
            let mut open = vec![(root, 0usize)];
            while let Some((node, at)) = open.pop() {
                let next = self
                    .out
                    .of(node)
                    .get(at)
                    .and_then(|number| self.rows.get(*number as usize));
                match next {
                    Some(row) => {
                        open.push((node, at + 1));
                        if let Some(flag) = seen.get_mut(row.gives as usize)
                            && !*flag
                        {
                            *flag = true;
                            open.push((row.gives, 0));
                        }
                    }
                    None => {
                        left = left.saturating_sub(1);
                        if let Some(own) = rank.get_mut(node as usize) {
                            *own = left;
                        }
                    }
                }
            }
        }
        rank
    }

    /// The bits of each node when nothing changes any more.
    fn carry(&self, starts: &[NodeNo], order: &[u32], allowed: Allowed<'_>) -> Vec<Bits> {
        let mut bits: Vec<Bits> = vec![[0; WORDS]; self.nodes.len()];
        let mut waiting = vec![false; self.nodes.len()];
        let mut queue = BinaryHeap::new();
        let push =
            |queue: &mut BinaryHeap<Reverse<(u32, u32)>>, waiting: &mut Vec<bool>, node: u32| {
                if let Some(flag) = waiting.get_mut(node as usize)
                    && !*flag
                {
                    *flag = true;
                    let rank = order.get(node as usize).copied().unwrap_or_default();
                    queue.push(Reverse((rank, node)));
                }
            };
        for (at, node) in starts.iter().enumerate() {
            if let Some(word) = bits
                .get_mut(node.0 as usize)
                .and_then(|own| own.get_mut(at / 64))
            {
                *word |= 1 << (at % 64);
            }
            push(&mut queue, &mut waiting, node.0);
        }
        let mut all = [0u64; WORDS];
        for at in 0..starts.len() {
            if let Some(word) = all.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        for node in &self.base {
            if let Some(own) = bits.get_mut(node.0 as usize) {
                *own = all;
            }
            push(&mut queue, &mut waiting, node.0);
        }
        while let Some(Reverse((_, node))) = queue.pop() {
            if let Some(flag) = waiting.get_mut(node as usize) {
                *flag = false;
            }
            for number in self.out.of(node) {
                let Some(row) = self.rows.get(*number as usize) else {
                    continue;
                };
                if !self.counts(*number, row.doubt, allowed) {
                    continue;
                }
                let mut passed = all;
                for need in self.needs_of(row) {
                    let own = bits.get(need.0 as usize).copied().unwrap_or_default();
                    for (word, own) in passed.iter_mut().zip(own) {
                        *word &= own;
                    }
                }
                let Some(target) = bits.get_mut(row.gives as usize) else {
                    continue;
                };
                let mut grew = false;
                for (word, passed) in target.iter_mut().zip(passed) {
                    grew |= passed & !*word != 0;
                    *word |= passed;
                }
                if grew {
                    push(&mut queue, &mut waiting, row.gives);
                }
            }
        }
        bits
    }

    /// Whether a kind of step occurs at all.
    #[must_use]
    pub fn has(&self, edge: Edge) -> bool {
        self.rows.iter().any(|row| row.edge == edge)
    }
}
