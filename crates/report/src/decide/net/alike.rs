//! Nodes from which the same leads on: what stands for many of them is looked at once.
//!
//! Two nodes are alike when their steps are of the same kinds, are cut by the same measures, are as sure, and
//! lead to nodes that are alike: the coarsest such partition, by refining it until it stays. Whoever holds one
//! of them then comes to the same jewels as whoever holds another, whatever measures stand. A node that is
//! needed together with others is like no other, and neither is a jewel, so this stays exact.
//!
//! Left out: what leads to a node.

use std::collections::BTreeMap;

use analysis::paths::Edge;

use super::Hop;

/// What leads on from a node, by the numbers of what it leads to.
type Leads = Vec<(u32, usize, bool, Edge)>;

/// The class of each of `count` nodes, numbered by their first members.
pub(super) fn classes(hops: &[Hop], count: usize, own: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut alone: Vec<bool> = (0..count).map(|node| own(node as u32)).collect();
    let mut out: Vec<Vec<&Hop>> = vec![Vec::new(); count];
    for hop in hops {
        for need in &hop.needs {
            if let Some(out) = out.get_mut(*need as usize) {
                out.push(hop);
            }
            if let Some(alone) = alone.get_mut(*need as usize) {
                *alone |= hop.needs.len() > 1;
            }
        }
    }
    let mut classes: Vec<u32> = vec![0; count];
    let mut known = 0;
    loop {
        let mut numbers: BTreeMap<(u32, Option<usize>, Leads), u32> = BTreeMap::new();
        let mut next = Vec::with_capacity(count);
        for (node, out) in out.iter().enumerate() {
            let mut leads: Leads = out
                .iter()
                .map(|hop| {
                    let to = classes.get(hop.gives as usize).copied().unwrap_or_default();
                    (to, hop.cut, hop.sure, hop.kind)
                })
                .collect();
            leads.sort_unstable();
            leads.dedup();
            let alone = alone.get(node).copied().unwrap_or(true);
            let before = classes.get(node).copied().unwrap_or_default();
            let fresh = numbers.len() as u32;
            let key = (before, alone.then_some(node), leads);
            next.push(*numbers.entry(key).or_insert(fresh));
        }
        let found = numbers.len();
        classes = next;
        if found == known {
            return classes;
        }
        known = found;
    }
}

#[cfg(test)]
mod tests {
    use analysis::paths::StepNo;

    use super::*;

    /// SplitMix64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % limit
        }
    }

    /// What somebody who starts there comes to over hops that are not gone.
    fn held(hops: &[Hop], count: u32, start: u32, gone: &[bool]) -> Vec<bool> {
        let mut held = vec![false; count as usize];
        held[start as usize] = true;
        loop {
            let before = held.clone();
            for hop in hops {
                if !gone[hop.cut] && hop.needs.iter().all(|need| held[*need as usize]) {
                    held[hop.gives as usize] = true;
                }
            }
            if before == held {
                return held;
            }
        }
    }

    #[test]
    fn whoever_holds_what_is_alike_comes_to_the_same_jewels() {
        let mut random = Random(1);
        let (mut joined, mut all) = (0, 0);
        for _ in 0..3_000 {
            let count = 3 + random.below(12) as u32;
            let jewels = 1 + random.below(2) as u32;
            let hop = |random: &mut Random| Hop {
                needs: (0..1 + random.below(7) / 6)
                    .map(|_| random.below(u64::from(count)) as u32)
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                gives: random.below(u64::from(count)) as u32,
                cut: random.below(3) as usize,
                sure: true,
                kind: Edge::Implied,
                step: StepNo(0),
            };
            let hops: Vec<Hop> = (0..random.below(30)).map(|_| hop(&mut random)).collect();
            let classes = classes(&hops, count as usize, |node| node < jewels);
            let class = |node: u32| classes[node as usize];
            let quotient: Vec<Hop> = hops
                .iter()
                .map(|hop| Hop {
                    needs: hop.needs.iter().map(|need| class(*need)).collect(),
                    gives: class(hop.gives),
                    ..*hop
                })
                .collect();
            all += count;
            joined += count - classes.iter().max().unwrap() - 1;
            let gone: Vec<bool> = (0..3).map(|_| random.below(3) == 0).collect();
            for start in 0..count {
                let exact = held(&hops, count, start, &gone);
                let found = held(&quotient, count, class(start), &gone);
                for jewel in 0..jewels {
                    assert_eq!(
                        exact[jewel as usize],
                        found[class(jewel) as usize],
                        "{start} to {jewel}, {gone:?}: {hops:#?} {classes:?}"
                    );
                }
            }
        }
        assert!(joined * 8 > all, "some are alike: {joined} of {all}");
    }
}
