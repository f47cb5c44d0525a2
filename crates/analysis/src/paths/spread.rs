//! From which entries which jewels are reached, for all of them at once.
//!
//! Nodes that lead to each other by steps with one need are one ([`folded`]): who holds one holds all. Entries whose
//! steps then lead to the same things are one too. Of the rest, a few hundred at a time are carried through the
//! graph as bits: a node holds a bit for each entry that comes to hold it; a step passes on the bits that all of its
//! needs have. So memory is bounded, and a conjunction counts only where one and the same entry comes to hold all
//! of it.

use std::collections::{BTreeMap, BinaryHeap};

use folded::Folded;

use super::graph::Graph;
use super::search::{Allowed, StepSet};

mod folded;

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
        let folded = self.folded(allowed);
        let (class_of, starts) = self.classes(&folded);
        let mut reached: Vec<Vec<u32>> = vec![Vec::new(); starts.len()];
        for (round, block) in starts.chunks(WORDS * 64).enumerate() {
            let bits = folded.carry(block);
            for (number, jewel) in self.jewels.iter().enumerate() {
                let Some(own) = bits.get(folded.group(jewel.node) as usize) else {
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

    /// Which entries reach which jewels without some steps.
    #[must_use]
    pub fn spread_without(&self, possible: bool, without: &StepSet) -> Spread {
        self.spread(Allowed {
            possible,
            without: Some(without),
        })
    }

    /// Entries of which every step leads to the same are one class; each class with the group of one of them.
    fn classes(&self, folded: &Folded) -> (Vec<u32>, Vec<u32>) {
        let jewels: std::collections::HashSet<u32> = self
            .jewels
            .iter()
            .map(|jewel| folded.group(jewel.node))
            .collect();
        // What a group opens: for each step with no other need what it gives; a group of steps with several
        // needs, or one that has a jewel itself, is like no other.
        let mut numbers: BTreeMap<(Vec<u32>, Option<u32>), u32> = BTreeMap::new();
        let mut known: BTreeMap<u32, u32> = BTreeMap::new();
        let mut starts = Vec::new();
        let mut class_of = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let group = folded.group(entry.node);
            if let Some(class) = known.get(&group) {
                class_of.push(*class);
                continue;
            }
            let mut gives = Vec::new();
            let alone = folded.opens(group, &mut gives) || jewels.contains(&group);
            gives.sort_unstable();
            gives.dedup();
            let key = (gives, alone.then_some(group));
            let class = *numbers.entry(key).or_insert_with(|| {
                starts.push(group);
                starts.len() as u32 - 1
            });
            known.insert(group, class);
            class_of.push(class);
        }
        (class_of, starts)
    }
}

impl Folded {
    /// The bits of each group when nothing changes any more.
    fn carry(&self, starts: &[u32]) -> Vec<Bits> {
        let mut bits: Vec<Bits> = vec![[0; WORDS]; self.len()];
        let mut waiting = vec![false; self.len()];
        // Groups have their numbers in an order in which steps with one need lead from higher to lower ones.
        let mut queue: BinaryHeap<u32> = BinaryHeap::new();
        let push = |queue: &mut BinaryHeap<u32>, waiting: &mut Vec<bool>, group: u32| {
            if let Some(flag) = waiting.get_mut(group as usize)
                && !*flag
            {
                *flag = true;
                queue.push(group);
            }
        };
        let mut all = [0u64; WORDS];
        for (at, group) in starts.iter().enumerate() {
            let bit = 1 << (at % 64);
            let own = bits.get_mut(*group as usize);
            if let Some(word) = own.and_then(|own| own.get_mut(at / 64)) {
                *word |= bit;
            }
            if let Some(word) = all.get_mut(at / 64) {
                *word |= bit;
            }
            push(&mut queue, &mut waiting, *group);
        }
        for group in &self.base {
            if let Some(own) = bits.get_mut(*group as usize) {
                *own = all;
            }
            push(&mut queue, &mut waiting, *group);
        }
        while let Some(group) = queue.pop() {
            if let Some(flag) = waiting.get_mut(group as usize) {
                *flag = false;
            }
            for step in self.steps_of(group) {
                let mut passed = all;
                for need in step.needs {
                    let own = bits.get(*need as usize).copied().unwrap_or_default();
                    for (word, own) in passed.iter_mut().zip(own) {
                        *word &= own;
                    }
                }
                let Some(target) = bits.get_mut(step.gives as usize) else {
                    continue;
                };
                let mut grew = false;
                for (word, passed) in target.iter_mut().zip(passed) {
                    grew |= passed & !*word != 0;
                    *word |= passed;
                }
                if grew {
                    push(&mut queue, &mut waiting, step.gives);
                }
            }
        }
        bits
    }
}
