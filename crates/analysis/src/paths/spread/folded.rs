//! The graph with what leads to each other made one: the strongly connected groups of its steps with one need
//! (R. Tarjan, Depth-first search and linear graph algorithms, 1972).
//!
//! What everybody holds is no need. Steps within a group and steps that say what another says are left out, so
//! what is left has no circle but through steps with several needs.

use crate::paths::graph::{Graph, Index, NodeNo, SURE, StepNo};
use crate::paths::search::Allowed;

/// Groups of nodes, and the steps between them.
#[derive(Debug)]
pub(super) struct Folded {
    /// by node
    group_of: Vec<u32>,
    count: u32,
    pub(super) base: Vec<u32>,
    /// by step: its needs and what it gives
    steps: Vec<(Vec<u32>, u32)>,
    out: Index,
}

/// A step between groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between<'f> {
    pub(super) needs: &'f [u32],
    pub(super) gives: u32,
}

impl Folded {
    /// How many groups there are.
    pub(super) const fn len(&self) -> usize {
        self.count as usize
    }

    /// The group of a node. Groups have their numbers in an order in which steps with one need lead from higher
    /// to lower ones.
    pub(super) fn group(&self, node: NodeNo) -> u32 {
        self.group_of
            .get(node.0 as usize)
            .copied()
            .unwrap_or(u32::MAX)
    }

    /// The steps that need a group.
    pub(super) fn steps_of(&self, group: u32) -> impl Iterator<Item = Between<'_>> {
        self.out.of(group).iter().filter_map(|number| {
            let (needs, gives) = self.steps.get(*number as usize)?;
            Some(Between {
                needs,
                gives: *gives,
            })
        })
    }

    /// What the steps of a group give that need nothing else; and whether there are others.
    pub(super) fn opens(&self, group: u32, gives: &mut Vec<u32>) -> bool {
        let mut others = false;
        for step in self.steps_of(group) {
            if step.needs.len() > 1 {
                others = true;
            } else {
                gives.push(step.gives);
            }
        }
        others
    }
}

impl Graph {
    pub(super) fn folded(&self, allowed: Allowed<'_>) -> Folded {
        let counts = |step: u32, doubt: u32| {
            (allowed.possible || doubt == SURE)
                && allowed
                    .without
                    .is_none_or(|without| !without.contains(StepNo(step)))
        };
        let mut free = vec![false; self.nodes.len()];
        for node in &self.base {
            if let Some(flag) = free.get_mut(node.0 as usize) {
                *flag = true;
            }
        }
        let is_free = |node: &NodeNo| free.get(node.0 as usize).copied().unwrap_or_default();
        // A step that only needs what everybody holds hangs on that.
        let needs = |row| {
            let all = self.needs_of(row);
            let mut own: Vec<NodeNo> = all.iter().copied().filter(|node| !is_free(node)).collect();
            if own.is_empty() {
                own.extend(all.first());
            }
            own
        };
        let mut single: Vec<(u32, u32)> = Vec::new();
        let mut joint: Vec<(Vec<u32>, u32)> = Vec::new();
        for (number, row) in (0u32..).zip(&self.rows) {
            if !counts(number, row.doubt) {
                continue;
            }
            match needs(row).as_slice() {
                [] => {}
                [one] => single.push((one.0, row.gives)),
                several => joint.push((several.iter().map(|node| node.0).collect(), row.gives)),
            }
        }
        let next = Index::new(self.nodes.len(), single.iter().copied());
        let (group_of, count) = groups(self.nodes.len(), &next);
        let group = |node: u32| group_of.get(node as usize).copied().unwrap_or_default();
        let mut steps: Vec<(Vec<u32>, u32)> = Vec::new();
        let singles = single.iter().map(|(from, to)| (vec![group(*from)], *to));
        for (mut needs, gives) in singles.chain(joint) {
            if needs.len() > 1 {
                needs.iter_mut().for_each(|need| *need = group(*need));
                needs.sort_unstable();
                needs.dedup();
            }
            let gives = group(gives);
            if !needs.contains(&gives) {
                steps.push((needs, gives));
            }
        }
        steps.sort_unstable();
        steps.dedup();
        let pairs = steps
            .iter()
            .enumerate()
            .flat_map(|(number, (needs, _))| needs.iter().map(move |need| (*need, number as u32)));
        let out = Index::new(count as usize, pairs);
        let mut base: Vec<u32> = self.base.iter().map(|node| group(node.0)).collect();
        base.sort_unstable();
        base.dedup();
        Folded {
            group_of,
            count,
            base,
            steps,
            out,
        }
    }
}

const UNSEEN: u32 = u32::MAX;

/// The number of the group of each node, and how many groups there are. Without recursion: graphs are deep.
fn groups(nodes: usize, next: &Index) -> (Vec<u32>, u32) {
    let mut group_of = vec![UNSEEN; nodes];
    let mut low = vec![UNSEEN; nodes];
    let mut count = 0;
    let mut seen = 0u32;
    let mut path: Vec<u32> = Vec::new();
    let mut open: Vec<(u32, u32, usize)> = Vec::new();
    let at = |list: &[u32], node: u32| list.get(node as usize).copied().unwrap_or(UNSEEN);
    for root in 0..nodes as u32 {
        if at(&low, root) != UNSEEN {
            continue;
        }
        open.push((root, UNSEEN, 0));
        while let Some((node, mut number, mut edge)) = open.pop() {
            if number == UNSEEN {
                number = seen;
                seen += 1;
                if let Some(own) = low.get_mut(node as usize) {
                    *own = number;
                }
                path.push(node);
            }
            let mut deeper = None;
            while let Some(to) = next.of(node).get(edge) {
                if at(&low, *to) == UNSEEN {
                    // Looked at again when it is done: its lowest is then this one's too.
                    deeper = Some(*to);
                    break;
                }
                if at(&group_of, *to) == UNSEEN {
                    let lowest = at(&low, *to);
                    if let Some(own) = low.get_mut(node as usize) {
                        *own = lowest.min(*own);
                    }
                }
                edge += 1;
            }
            if let Some(to) = deeper {
                open.push((node, number, edge));
                open.push((to, UNSEEN, 0));
                continue;
            }
            if at(&low, node) == number {
                while let Some(member) = path.pop() {
                    if let Some(own) = group_of.get_mut(member as usize) {
                        *own = count;
                    }
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
        }
    }
    (group_of, count)
}
