//! Ends that stand alike, as one: each of them can reach the same and be reached by the same over the same ports, and
//! so can each reach each other. What is said of them together holds of every one.
//!
//! What it deliberately leaves out: ends that only nearly stand alike; a picture must not say what is not so.

use std::collections::BTreeMap;

use super::{Network, Passing, Spot};

/// Ends as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Fold {
    /// The first stands for all.
    pub(in super::super) members: Vec<Spot>,
}

/// What passes between ends that were folded.
#[derive(Debug)]
pub(in super::super) struct Folded {
    pub(in super::super) folds: Vec<Fold>,
    /// Between the first members of folds; once for all of them.
    pub(in super::super) passing: Vec<Passing>,
    places: BTreeMap<Spot, usize>,
}

impl Folded {
    /// Nothing is folded.
    pub(in super::super) fn plain(passing: Vec<Passing>) -> Self {
        let mut places = BTreeMap::new();
        for spot in passing.iter().flat_map(|one| [one.from, one.to]) {
            let next = places.len();
            places.entry(spot).or_insert(next);
        }
        Self::with(passing, &places)
    }

    /// Folds what stands alike.
    pub(in super::super) fn of(passing: Vec<Passing>) -> Self {
        match classes(&passing) {
            Some(classes) => Self::with(passing, &classes),
            None => Self::plain(passing),
        }
    }

    fn with(passing: Vec<Passing>, classes: &BTreeMap<Spot, usize>) -> Self {
        let mut by_class: BTreeMap<usize, usize> = BTreeMap::new();
        let mut folds: Vec<Fold> = Vec::new();
        let mut places = BTreeMap::new();
        for (spot, class) in classes {
            let at = *by_class.entry(*class).or_insert_with(|| {
                folds.push(Fold {
                    members: Vec::new(),
                });
                folds.len() - 1
            });
            if let Some(fold) = folds.get_mut(at) {
                fold.members.push(*spot);
            }
            places.insert(*spot, at);
        }
        let mut seen = std::collections::BTreeSet::new();
        let place = |spot: &Spot| places.get(spot).copied().unwrap_or_default();
        let passing = passing
            .into_iter()
            .filter(|one| seen.insert((place(&one.from), place(&one.to))))
            .collect();
        Self {
            folds,
            passing,
            places,
        }
    }

    /// The fold that an end is in.
    pub(in super::super) fn fold(&self, spot: Spot) -> Option<&Fold> {
        self.folds.get(*self.places.get(&spot)?)
    }

    /// What people call what an end stands for.
    pub(in super::super) fn title(&self, network: &Network<'_>, spot: Spot) -> String {
        let members = self.fold(spot).map_or(&[][..], |fold| &fold.members);
        if members.len() < 2 {
            return network.title(spot);
        }
        let groups = members.iter().filter_map(|spot| match spot {
            Spot::Pods(at) => network.groups.get(*at),
            Spot::Outside(_) => None,
        });
        let mut spaces = std::collections::BTreeSet::new();
        let mut workloads = 0;
        for group in groups {
            spaces.insert(group.namespace);
            workloads += group.members.len();
        }
        match (spaces.len(), spaces.first()) {
            (1, Some(one)) => format!("{workloads} workloads in {one}"),
            (several, _) => format!("{workloads} workloads in {several} namespaces"),
        }
    }
}

/// Rounds until it is given up: each tells at least one end from others.
const ROUNDS: usize = 64;

/// What is seen of an end: whether it goes there, over what, and to which class.
type Sight<'p> = (bool, &'p str, super::Passes, usize);

/// Classes of ends between which everything is the same; nothing where they are not found.
fn classes(passing: &[Passing]) -> Option<BTreeMap<Spot, usize>> {
    let mut classes: BTreeMap<Spot, usize> = BTreeMap::new();
    for spot in passing.iter().flat_map(|one| [one.from, one.to]) {
        let class = match spot {
            Spot::Outside(outside) => 1 + outside as usize,
            Spot::Pods(_) => 0,
        };
        classes.insert(spot, class);
    }
    for _ in 0..ROUNDS {
        refine(passing, &mut classes);
        let Some(apart) = uneven(passing, &classes) else {
            return Some(classes);
        };
        // Its members stand for themselves from now on.
        let next = classes.len() + classes.values().max().copied().unwrap_or_default() + 1;
        let own = classes.iter_mut().filter(|(_, class)| **class == apart);
        for (number, (_, class)) in own.enumerate() {
            *class = next + number;
        }
    }
    None
}

/// Tells ends apart that see different classes, until none is left.
fn refine(passing: &[Passing], classes: &mut BTreeMap<Spot, usize>) {
    loop {
        let mut sights: BTreeMap<Spot, BTreeMap<Sight<'_>, usize>> = BTreeMap::new();
        let class = |spot: &Spot| classes.get(spot).copied().unwrap_or_default();
        for one in passing.iter().filter(|one| one.from != one.to) {
            for (own, other, out) in [(one.from, one.to, true), (one.to, one.from, false)] {
                let sight = (out, &*one.ports, one.passes, class(&other));
                *sights.entry(own).or_default().entry(sight).or_default() += 1;
            }
        }
        let alone: std::collections::BTreeSet<Spot> = passing
            .iter()
            .filter(|one| one.from == one.to)
            .map(|one| one.from)
            .collect();
        let before: std::collections::BTreeSet<usize> = classes.values().copied().collect();
        let mut numbers = BTreeMap::new();
        let mut next: BTreeMap<Spot, usize> = BTreeMap::new();
        for (spot, class) in classes.iter() {
            let key = (*class, sights.remove(spot), alone.contains(spot));
            let number = numbers.len();
            next.insert(*spot, *numbers.entry(key).or_insert(number));
        }
        let same = numbers.len() == before.len();
        *classes = next;
        if same {
            return;
        }
    }
}

/// A class of several of which not every one goes to every one of another.
fn uneven(passing: &[Passing], classes: &BTreeMap<Spot, usize>) -> Option<usize> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for class in classes.values() {
        *sizes.entry(*class).or_default() += 1;
    }
    let mut pairs: BTreeMap<(usize, usize), (usize, &str, super::Passes, bool)> = BTreeMap::new();
    for one in passing.iter().filter(|one| one.from != one.to) {
        let key = (*classes.get(&one.from)?, *classes.get(&one.to)?);
        let known = pairs
            .entry(key)
            .or_insert((0, &one.ports, one.passes, true));
        known.0 += 1;
        known.3 &= known.1 == one.ports && known.2 == one.passes;
    }
    let size = |class: usize| sizes.get(&class).copied().unwrap_or_default();
    pairs
        .into_iter()
        .find_map(|((from, to), (number, _, _, same))| {
            let all = if from == to {
                size(from) * (size(from) - 1)
            } else {
                size(from) * size(to)
            };
            let several = if size(from) > 1 { from } else { to };
            (number != all || !same).then_some(several)
        })
}

#[cfg(test)]
mod tests {
    use super::super::{Outside, Passes};
    use super::*;

    fn passing(from: Spot, to: Spot, ports: &str) -> Passing {
        Passing {
            from,
            to,
            passes: Passes::Yes,
            ports: ports.to_owned(),
        }
    }

    fn sizes(folded: &Folded) -> Vec<usize> {
        let mut sizes: Vec<usize> = folded.folds.iter().map(|fold| fold.members.len()).collect();
        sizes.sort_unstable();
        sizes
    }

    /// What is told of folds, unfolded again.
    fn unfolded(folded: &Folded) -> Vec<(Spot, Spot, String)> {
        let mut all = Vec::new();
        for one in &folded.passing {
            let (from, to) = (folded.fold(one.from).unwrap(), folded.fold(one.to).unwrap());
            for own in &from.members {
                for other in &to.members {
                    if own != other {
                        all.push((*own, *other, one.ports.clone()));
                    }
                }
            }
        }
        all.sort();
        all
    }

    fn is_the_same(all: Vec<Passing>) -> Folded {
        let mut plain: Vec<(Spot, Spot, String)> = all
            .iter()
            .map(|one| (one.from, one.to, one.ports.clone()))
            .collect();
        plain.sort();
        let folded = Folded::of(all);
        assert_eq!(unfolded(&folded), plain);
        folded
    }

    #[test]
    fn what_stands_alike_is_one() {
        let net = Spot::Outside(Outside::Internet);
        let mut all = Vec::new();
        // Ten that reach each other and the internet, which reaches one of them.
        for from in 0..10 {
            for to in (0..10).filter(|to| *to != from) {
                all.push(passing(Spot::Pods(from), Spot::Pods(to), "everything"));
            }
            all.push(passing(Spot::Pods(from), net, "TCP 443"));
        }
        all.push(passing(net, Spot::Pods(3), "TCP 80"));
        let folded = is_the_same(all);
        assert_eq!(sizes(&folded), [1, 1, 9]);
        assert_eq!(folded.passing.len(), 6);
    }

    #[test]
    fn what_only_looks_alike_stays_apart() {
        // A ring: each reaches the next, none all.
        let ring = (0..6).map(|at| passing(Spot::Pods(at), Spot::Pods((at + 1) % 6), "TCP 1"));
        assert_eq!(sizes(&is_the_same(ring.collect())), [1; 6]);
        // Two rooms that keep to themselves.
        let mut rooms = Vec::new();
        for from in 0..6 {
            for to in (0..6).filter(|to| *to != from && to / 3 == from / 3) {
                rooms.push(passing(Spot::Pods(from), Spot::Pods(to), "everything"));
            }
        }
        let folded = Folded::of(rooms.clone());
        let plain = rooms.len();
        assert_eq!(unfolded(&folded).len(), plain);
    }

    #[test]
    fn folds_say_what_the_pairs_say_in_any_network() {
        // A small generator of numbers: the same each time.
        let mut state: u64 = 7;
        let mut next = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for round in 0..60 {
            let kinds: Vec<u64> = (0..9).map(|_| next(3)).collect();
            let rule: Vec<u64> = (0..9).map(|_| next(3)).collect();
            let mut all = Vec::new();
            for (from, one) in kinds.iter().enumerate() {
                for (to, other) in kinds.iter().enumerate() {
                    let mut ports = rule[(one * 3 + other) as usize];
                    if next(40) == 0 {
                        ports = (ports + 1) % 3;
                    }
                    if from != to && ports > 0 {
                        all.push(passing(
                            Spot::Pods(from),
                            Spot::Pods(to),
                            &format!("TCP {ports}"),
                        ));
                    }
                }
            }
            let folded = is_the_same(all);
            assert!(folded.folds.len() <= 9, "{round}");
        }
    }
}
