//! What attackers come to hold, held against an evaluator that knows nothing but the definition: a fixed point by
//! going over all steps until nothing changes, and every set of steps tried.

use std::collections::BTreeSet;

use analysis::paths::{Allowed, Clause, Edge, Efforts, Graph, NodeNo, StepNo, StepSet};

use crate::estates::{Dice, rounds};

/// A system of steps, small enough to try every set of its deeds.
#[derive(Debug, Clone)]
struct System {
    names: Vec<String>,
    base: Vec<NodeNo>,
    clauses: Vec<Clause>,
    entries: Vec<NodeNo>,
    jewels: Vec<NodeNo>,
}

const DEEDS: [(Edge, u32); 5] = [
    (Edge::PodExec, 1),
    (Edge::SecretRead, 2),
    (Edge::TokenRequest, 3),
    (Edge::HostPathWrite, 4),
    (Edge::ContainerEscapeKernel, 5),
];

fn efforts() -> Efforts {
    let mut efforts = Efforts::default();
    for (edge, effort) in DEEDS {
        efforts.set(edge, effort);
    }
    efforts
}

fn effort(edge: Edge) -> u32 {
    DEEDS
        .iter()
        .find(|(own, _)| *own == edge)
        .map_or(0, |(_, effort)| *effort)
}

impl System {
    /// `most` is the number of things that a step needs at most.
    fn random(dice: &mut Dice, most: usize) -> Self {
        let count = 3 + dice.below(5);
        let node = |dice: &mut Dice| NodeNo(dice.below(count) as u32);
        let steps = 4 + dice.below(10);
        let clauses = (0..steps)
            .map(|_| {
                let needs = (0..1 + dice.below(most)).map(|_| node(dice)).collect();
                let edge = if dice.once_in(4) {
                    Edge::Implied
                } else {
                    dice.of(&DEEDS).0
                };
                Clause {
                    edge,
                    needs,
                    gives: node(dice),
                    doubt: dice.once_in(4).then(|| "nobody knows".into()),
                }
            })
            .collect();
        let base = if dice.once_in(2) {
            vec![node(dice)]
        } else {
            Vec::new()
        };
        let some = |dice: &mut Dice| (0..1 + dice.below(4)).map(|_| node(dice)).collect();
        Self {
            names: (0..count).map(|number| format!("n{number}")).collect(),
            base,
            clauses,
            entries: some(dice),
            jewels: some(dice),
        }
    }

    fn graph(&self) -> Graph {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Graph::of_clauses(
            &names,
            &self.base,
            &self.clauses,
            &self.entries,
            &self.jewels,
        )
    }

    /// The same with its nodes and steps in another order, and where each node and step went.
    fn shuffled(&self, dice: &mut Dice) -> (Self, Vec<NodeNo>, Vec<usize>) {
        let mut order = |count: usize| {
            let mut order: Vec<usize> = (0..count).collect();
            for at in (1..count).rev() {
                order.swap(at, dice.below(at + 1));
            }
            order
        };
        let (nodes, steps) = (order(self.names.len()), order(self.clauses.len()));
        let moved: Vec<NodeNo> = (0..nodes.len())
            .map(|old| NodeNo(nodes.iter().position(|from| *from == old).unwrap() as u32))
            .collect();
        let all = |list: &[NodeNo]| -> Vec<NodeNo> {
            list.iter().map(|node| moved[node.0 as usize]).collect()
        };
        let mut system = Self {
            names: nodes.iter().map(|old| self.names[*old].clone()).collect(),
            base: all(&self.base),
            clauses: Vec::new(),
            entries: all(&self.entries),
            jewels: all(&self.jewels),
        };
        for old in &steps {
            let clause = &self.clauses[*old];
            let mut needs = all(&clause.needs);
            needs.reverse();
            system.clauses.push(Clause {
                edge: clause.edge,
                needs,
                gives: moved[clause.gives.0 as usize],
                doubt: clause.doubt.clone(),
            });
        }
        (system, moved, steps)
    }

    /// What is held by who starts with `from` and may take the steps that count.
    fn held(&self, from: &[NodeNo], counts: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut held = vec![false; self.names.len()];
        for node in from.iter().chain(&self.base) {
            held[node.0 as usize] = true;
        }
        loop {
            let mut grew = false;
            for (number, clause) in self.clauses.iter().enumerate() {
                let met = clause.needs.iter().all(|need| held[need.0 as usize]);
                if counts(number) && met && !held[clause.gives.0 as usize] {
                    held[clause.gives.0 as usize] = true;
                    grew = true;
                }
            }
            if !grew {
                return held;
            }
        }
    }

    /// What each node costs where a step pays for each of its needs.
    fn costs(&self, from: &[NodeNo], counts: impl Fn(usize) -> bool) -> Vec<Option<u32>> {
        let mut costs: Vec<Option<u32>> = vec![None; self.names.len()];
        for node in from.iter().chain(&self.base) {
            costs[node.0 as usize] = Some(0);
        }
        loop {
            let mut fell = false;
            for (number, clause) in self.clauses.iter().enumerate() {
                let needs: BTreeSet<NodeNo> = clause.needs.iter().copied().collect();
                let sum: Option<u32> = needs.iter().map(|need| costs[need.0 as usize]).sum();
                let Some(sum) = sum.filter(|_| counts(number)) else {
                    continue;
                };
                let total = sum + effort(clause.edge);
                let own = &mut costs[clause.gives.0 as usize];
                if own.is_none_or(|known| total < known) {
                    *own = Some(total);
                    fell = true;
                }
            }
            if !fell {
                return costs;
            }
        }
    }

    fn is_deed(&self, step: usize) -> bool {
        self.clauses[step].edge != Edge::Implied
    }

    fn may(&self, step: usize, possible: bool) -> bool {
        possible || self.clauses[step].doubt.is_none()
    }

    /// All sets of deeds by which `to` comes to be held and of which none can be left out.
    fn minimal(&self, from: NodeNo, to: NodeNo, possible: bool) -> BTreeSet<Vec<usize>> {
        let deeds: Vec<usize> = (0..self.clauses.len())
            .filter(|step| self.is_deed(*step) && self.may(*step, possible))
            .collect();
        let mut masks: Vec<u32> = (0..1 << deeds.len()).collect();
        masks.sort_by_key(|mask| mask.count_ones());
        let mut found: Vec<u32> = Vec::new();
        for mask in masks {
            if found.iter().any(|smaller| smaller & mask == *smaller) {
                continue;
            }
            let held = self.held(&[from], |step| {
                self.may(step, possible)
                    && match deeds.binary_search(&step) {
                        Ok(at) => mask & (1 << at) != 0,
                        Err(_) => true,
                    }
            });
            if held[to.0 as usize] {
                found.push(mask);
            }
        }
        let steps = |mask: u32| {
            let own = deeds.iter().enumerate();
            let own = own.filter(move |(at, _)| mask & (1 << at) != 0);
            own.map(|(_, step)| *step).collect()
        };
        found.into_iter().map(steps).collect()
    }

    fn price(&self, steps: &[usize]) -> u32 {
        let prices = steps.iter().map(|step| effort(self.clauses[*step].edge));
        prices.sum()
    }
}

fn deeds(system: &System, steps: &[StepNo]) -> Vec<usize> {
    let steps: BTreeSet<usize> = steps.iter().map(|step| step.0 as usize).collect();
    steps
        .into_iter()
        .filter(|step| system.is_deed(*step))
        .collect()
}

/// Random steps that are taken away.
fn cut(dice: &mut Dice, system: &System, graph: &Graph) -> (StepSet, BTreeSet<usize>) {
    let mut set = StepSet::new(graph);
    let mut plain = BTreeSet::new();
    for step in 0..system.clauses.len() {
        if dice.once_in(5) {
            set.insert(StepNo(step as u32));
            plain.insert(step);
        }
    }
    (set, plain)
}

fn seeds() -> std::ops::Range<u64> {
    0..rounds("SEAWALL_PATHS_ROUNDS", 3000)
}

#[test]
fn what_is_held_is_the_least_fixed_point() {
    let mut reached = 0;
    for seed in seeds() {
        let dice = &mut Dice(seed);
        let system = System::random(dice, 3);
        let graph = system.graph();
        let (set, without) = cut(dice, &system, &graph);
        for possible in [false, true] {
            let allowed = Allowed {
                possible,
                without: Some(&set),
            };
            let counts = |step: usize| system.may(step, possible) && !without.contains(&step);
            let spread = graph.spread(allowed);
            for (at, entry) in system.entries.iter().enumerate() {
                let held = system.held(&[*entry], counts);
                let costs = system.costs(&[*entry], counts);
                let derived = graph.derive(&[*entry], &efforts(), allowed);
                for (node, own) in held.iter().enumerate() {
                    let number = NodeNo(node as u32);
                    assert_eq!(derived.holds(number), *own, "seed {seed}, {node}");
                    assert_eq!(derived.cost(number), costs[node], "seed {seed}, {node}");
                }
                let given = std::iter::once(entry).chain(&system.base);
                for node in given {
                    assert_eq!(derived.last_step(*node), None, "seed {seed}");
                }
                for (jewel, node) in system.jewels.iter().enumerate() {
                    let own = held[node.0 as usize];
                    reached += usize::from(own);
                    assert_eq!(spread.reaches(at, jewel), own, "seed {seed}: {at}, {jewel}");
                }
            }
        }
    }
    assert!(reached > 1000, "{reached} are too few to prove anything");
}

/// Bits of entries travel in blocks of 512.
#[test]
fn entries_of_several_blocks_are_kept_apart() {
    for seed in 0..8 {
        let dice = &mut Dice(seed);
        let count = 1500;
        let node = |dice: &mut Dice| NodeNo(dice.below(count) as u32);
        let clauses: Vec<Clause> = (0..3000)
            .map(|_| Clause {
                edge: Edge::PodExec,
                needs: (0..1 + usize::from(dice.once_in(3)))
                    .map(|_| node(dice))
                    .collect(),
                gives: node(dice),
                doubt: None,
            })
            .collect();
        let system = System {
            names: (0..count).map(|number| format!("n{number}")).collect(),
            base: vec![node(dice)],
            clauses,
            entries: (0..1300).map(|number| NodeNo(number as u32)).collect(),
            jewels: (0..20).map(|_| node(dice)).collect(),
        };
        let spread = system.graph().spread(Allowed::SURE);
        let mut pairs = 0;
        for at in (0..system.entries.len()).step_by(7) {
            let held = system.held(&[system.entries[at]], |_| true);
            for (jewel, node) in system.jewels.iter().enumerate() {
                pairs += usize::from(held[node.0 as usize]);
                let own = spread.reaches(at, jewel);
                assert_eq!(own, held[node.0 as usize], "seed {seed}: {at}, {jewel}");
            }
        }
        assert!(pairs > 100, "seed {seed}: {pairs} pairs");
    }
}

#[test]
fn ways_are_all_minimal_sets_of_deeds() {
    let (mut several, mut joined) = (0u64, 0u64);
    for seed in seeds() {
        let dice = &mut Dice(seed ^ 0x5eed);
        // Every other one is a plain graph, in which nothing is shared.
        let most = if dice.once_in(2) { 1 } else { 3 };
        let system = System::random(dice, most);
        let graph = system.graph();
        let (from, to) = (system.entries[0], system.jewels[0]);
        for possible in [false, true] {
            let expected = system.minimal(from, to, possible);
            let (ways, more) = graph.ways(from, to, &efforts(), possible, usize::MAX);
            assert!(!more, "seed {seed}");
            let found: Vec<Vec<usize>> =
                ways.iter().map(|way| deeds(&system, &way.steps)).collect();
            let distinct: BTreeSet<Vec<usize>> = found.iter().cloned().collect();
            assert_eq!(distinct, expected, "seed {seed}: {system:?}");
            assert_eq!(distinct.len(), found.len(), "seed {seed}: one way twice");
            several += u64::from(found.len() > 1);
            for (way, deeds) in ways.iter().zip(&found) {
                let price = system.price(deeds);
                assert_eq!(way.cost, price, "seed {seed}: the sum of its steps");
                let doubtful = way
                    .steps
                    .iter()
                    .any(|step| !system.may(step.0 as usize, false));
                assert_eq!(way.possible, doubtful, "seed {seed}");
                check_order(&system, from, to, &way.steps, seed);
                joined += u64::from(
                    deeds
                        .iter()
                        .any(|step| system.clauses[*step].needs.len() > 1),
                );
            }
            assert!(
                ways.is_sorted_by_key(|way| way.cost),
                "seed {seed}: the cheapest first"
            );
            let allowed = if possible {
                Allowed::POSSIBLE
            } else {
                Allowed::SURE
            };
            let best = expected.iter().map(|steps| system.price(steps)).min();
            let cheapest = graph.cheapest(from, to, &efforts(), allowed);
            assert_eq!(cheapest.is_some(), best.is_some(), "seed {seed}");
            if let (Some(way), Some(best)) = (cheapest, best) {
                check_order(&system, from, to, &way.steps, seed);
                assert!(way.cost >= best, "seed {seed}");
                assert!(most > 1 || way.cost == best, "seed {seed}: the cheapest");
            }
            for limit in [0, 1, 2] {
                let (some, more) = graph.ways(from, to, &efforts(), possible, limit);
                assert_eq!(some.len(), expected.len().min(limit), "seed {seed}");
                assert_eq!(more, expected.len() > limit, "seed {seed}");
                let own = some.iter().map(|way| deeds(&system, &way.steps));
                assert!(
                    own.into_iter().all(|way| expected.contains(&way)),
                    "seed {seed}"
                );
            }
        }
    }
    let enough = seeds().end / 20;
    assert!(several > enough, "{several} with several ways are too few");
    assert!(joined > enough, "{joined} with several needs are too few");
}

/// Each step of a way can be taken when its turn comes, and the last gives what is sought.
fn check_order(system: &System, from: NodeNo, to: NodeNo, steps: &[StepNo], seed: u64) {
    let mut held: BTreeSet<NodeNo> = system.base.iter().copied().collect();
    held.insert(from);
    for step in steps {
        let clause = &system.clauses[step.0 as usize];
        let met = clause.needs.iter().all(|need| held.contains(need));
        assert!(met, "seed {seed}: {step:?} of {steps:?} comes too soon");
        assert!(held.insert(clause.gives), "seed {seed}: {step:?} is idle");
    }
    assert!(held.contains(&to), "seed {seed}: {steps:?} does not arrive");
}

#[test]
fn relevant_steps_are_those_of_ways() {
    let mut left_out = 0;
    for seed in seeds() {
        let dice = &mut Dice(seed ^ 0xbee);
        let system = System::random(dice, 2);
        let graph = system.graph();
        for (possible, allowed) in [(false, Allowed::SURE), (true, Allowed::POSSIBLE)] {
            let relevant = graph.relevant(allowed);
            let own: BTreeSet<usize> = relevant.iter().map(|step| step.0 as usize).collect();
            assert_eq!(own.len(), relevant.len(), "seed {seed}: one step twice");
            left_out += system.clauses.len() - own.len();
            // Nothing on a way is left out.
            for entry in &system.entries {
                for jewel in &system.jewels {
                    for way in system.minimal(*entry, *jewel, possible) {
                        assert!(way.iter().all(|step| own.contains(step)), "seed {seed}");
                    }
                }
            }
            // Without the others, all is as it was.
            let mut others = StepSet::new(&graph);
            for step in (0..system.clauses.len()).filter(|step| !own.contains(step)) {
                others.insert(StepNo(step as u32));
            }
            let without = graph.spread_without(possible, &others);
            let pairs: Vec<(usize, usize)> = graph.spread(allowed).pairs().collect();
            assert_eq!(without.pairs().collect::<Vec<_>>(), pairs, "seed {seed}");
            // Each is met by somebody, and what it gives is a jewel or is needed by another.
            let held = system.held(&system.entries, |step| system.may(step, possible));
            for step in &own {
                let clause = &system.clauses[*step];
                assert!(system.may(*step, possible), "seed {seed}");
                assert!(
                    clause.needs.iter().all(|need| held[need.0 as usize]),
                    "seed {seed}"
                );
                let needed = own
                    .iter()
                    .any(|other| system.clauses[*other].needs.contains(&clause.gives));
                assert!(
                    needed || system.jewels.contains(&clause.gives),
                    "seed {seed}"
                );
            }
        }
    }
    assert!(left_out > 1000, "{left_out} left out are too few");
}

#[test]
fn the_order_of_nodes_and_steps_changes_no_answer() {
    for seed in seeds() {
        let dice = &mut Dice(seed ^ 0x0dd);
        let system = System::random(dice, 3);
        let (other, moved, steps) = system.shuffled(dice);
        let (one, two) = (system.graph(), other.graph());
        let again = system.graph();
        for (possible, allowed) in [(false, Allowed::SURE), (true, Allowed::POSSIBLE)] {
            let pairs: Vec<_> = one.spread(allowed).pairs().collect();
            let same: Vec<_> = two.spread(allowed).pairs().collect();
            assert_eq!(pairs, same, "seed {seed}");
            for entry in &system.entries {
                let first = one.derive(&[*entry], &efforts(), allowed);
                let second = two.derive(&[moved[entry.0 as usize]], &efforts(), allowed);
                for (node, new) in moved.iter().enumerate() {
                    let cost = first.cost(NodeNo(node as u32));
                    assert_eq!(cost, second.cost(*new), "seed {seed}");
                }
            }
            let (from, to) = (system.entries[0], system.jewels[0]);
            let (ways, _) = one.ways(from, to, &efforts(), possible, usize::MAX);
            let (new_from, new_to) = (moved[from.0 as usize], moved[to.0 as usize]);
            let (others, _) = two.ways(new_from, new_to, &efforts(), possible, usize::MAX);
            let sets: BTreeSet<Vec<usize>> =
                ways.iter().map(|way| deeds(&system, &way.steps)).collect();
            let mapped: BTreeSet<Vec<usize>> = others
                .iter()
                .map(|way| {
                    let mut own: Vec<usize> = deeds(&other, &way.steps)
                        .into_iter()
                        .map(|step| steps[step])
                        .collect();
                    own.sort_unstable();
                    own
                })
                .collect();
            assert_eq!(sets, mapped, "seed {seed}");
            let (same, _) = again.ways(from, to, &efforts(), possible, usize::MAX);
            assert_eq!(ways, same, "seed {seed}: two runs");
        }
    }
}
