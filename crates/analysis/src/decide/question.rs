//! The question in the order of ids, checked: what everything else works on.
//!
//! Left out: anything about ways.

use std::collections::BTreeSet;

use super::program::LARGEST;
use super::{Cost, Error, Question, Rates};

/// The question with measures, shared costs and threats by rank: the order of their ids.
#[derive(Debug)]
pub(super) struct Sorted<'q> {
    pub(super) question: &'q Question,
    pub(super) rates: Rates,
    pub(super) measures: Vec<Ranked>,
    pub(super) shared: Vec<RankedShared>,
    /// The place and the weight of each threat.
    pub(super) threats: Vec<(usize, i64)>,
    /// The rank of the measure at each place.
    pub(super) rank: Vec<usize>,
    /// The rank of the threat at each place.
    pub(super) threat_rank: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) place: usize,
    pub(super) cost: Cost,
    pub(super) standing: bool,
    pub(super) requires: Vec<Vec<usize>>,
    pub(super) conflicts: BTreeSet<usize>,
}

#[derive(Debug)]
pub(super) struct RankedShared {
    pub(super) place: usize,
    pub(super) cost: Cost,
    pub(super) members: Vec<usize>,
    /// Something that needs it stands already.
    pub(super) paid: bool,
}

/// What measures and shared costs weigh: zero for what stands or is paid.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) measures: Vec<i64>,
    pub(super) shared: Vec<i64>,
}

impl<'q> Sorted<'q> {
    pub(super) fn new(question: &'q Question, rates: &Rates) -> Result<Self, Error> {
        let order = order(question.measures.iter().map(|measure| measure.id.as_str()))?;
        let mut rank = vec![0; order.len()];
        for (at, place) in order.iter().enumerate() {
            if let Some(rank) = rank.get_mut(*place) {
                *rank = at;
            }
        }
        let ranks = |places: &[usize], id: &str| -> Result<Vec<usize>, Error> {
            let known = |place: &usize| rank.get(*place).copied();
            let mut ranks = places
                .iter()
                .map(|place| known(place).ok_or_else(|| Error::NoSuchMeasure(id.to_owned())))
                .collect::<Result<Vec<_>, _>>()?;
            ranks.sort_unstable();
            ranks.dedup();
            Ok(ranks)
        };
        let mut measures = Vec::new();
        for place in &order {
            let Some(measure) = question.measures.get(*place) else {
                continue;
            };
            let requires = measure.requires.iter().map(|any| ranks(any, &measure.id));
            measures.push(Ranked {
                place: *place,
                cost: measure.cost,
                standing: measure.chosen_already,
                requires: requires.collect::<Result<_, _>>()?,
                conflicts: ranks(&measure.conflicts, &measure.id)?
                    .into_iter()
                    .collect(),
            });
        }
        both_ways(&mut measures);
        let mut shared = Vec::new();
        for place in self::order(question.shared.iter().map(|shared| shared.id.as_str()))? {
            let Some(one) = question.shared.get(place) else {
                continue;
            };
            let members = ranks(&one.measures, &one.id)?;
            let stands = |at: &usize| measures.get(*at).is_some_and(|measure| measure.standing);
            shared.push(RankedShared {
                place,
                cost: one.cost,
                paid: members.iter().any(stands),
                members,
            });
        }
        let order = self::order(question.threats.iter().map(|threat| threat.id.as_str()))?;
        let mut threat_rank = vec![0; order.len()];
        let mut threats = Vec::new();
        for (at, place) in order.into_iter().enumerate() {
            let weight = question
                .threats
                .get(place)
                .map_or(0, |threat| threat.weight);
            threats.push((place, i64::from(weight)));
            if let Some(rank) = threat_rank.get_mut(place) {
                *rank = at;
            }
        }
        let sorted = Self {
            question,
            rates: *rates,
            measures,
            shared,
            threats,
            rank,
            threat_rank,
        };
        sorted
            .small_enough()
            .then_some(sorted)
            .ok_or(Error::TooLarge)
    }

    fn small_enough(&self) -> bool {
        let sum = |weights: Weights| {
            let all = weights.measures.iter().chain(&weights.shared);
            all.fold(0_i64, |sum, weight| {
                sum.saturating_add(weight.saturating_abs())
            })
        };
        let weight: i64 = self.threats.iter().map(|(_, weight)| *weight).sum();
        let axes = sum(self.money()).saturating_add(sum(self.effort()));
        sum(self.cost()) < LARGEST && axes < LARGEST && weight < LARGEST
    }

    /// What everything weighs by this.
    pub(super) fn weights(&self, of: impl Fn(&Cost) -> i64) -> Weights {
        Weights {
            measures: self
                .measures
                .iter()
                .map(|measure| {
                    if measure.standing {
                        0
                    } else {
                        of(&measure.cost)
                    }
                })
                .collect(),
            shared: self
                .shared
                .iter()
                .map(|shared| if shared.paid { 0 } else { of(&shared.cost) })
                .collect(),
        }
    }

    /// All counted, in sixtieths of a cent.
    pub(super) fn cost(&self) -> Weights {
        self.weights(|cost| self.rates.exact(cost))
    }

    /// Cents a month.
    pub(super) fn money(&self) -> Weights {
        self.weights(|cost| cost.money)
    }

    /// Twentieths of a day: twice the middle.
    pub(super) fn effort(&self) -> Weights {
        self.weights(|cost| i64::from(cost.effort.low) + i64::from(cost.effort.high))
    }

    pub(super) fn nothing(&self) -> Weights {
        self.weights(|_| 0)
    }

    /// The ranks of shared costs that become due with these measures.
    pub(super) fn due<'s>(&'s self, chosen: &'s [bool]) -> impl Iterator<Item = usize> + 's {
        let has = |at: &usize| chosen.get(*at).copied().unwrap_or(false);
        self.shared
            .iter()
            .enumerate()
            .filter(move |(_, shared)| !shared.paid && shared.members.iter().any(has))
            .map(|(at, _)| at)
    }

    /// What the measures weigh, with what they share.
    pub(super) fn sum(&self, weights: &Weights, chosen: &[bool]) -> i64 {
        let own = weights
            .measures
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| **chosen);
        let shared = self.due(chosen).filter_map(|at| weights.shared.get(at));
        own.map(|(weight, _)| weight).chain(shared).sum()
    }

    /// The costs of what is new among these measures, and of what they share.
    pub(super) fn costs<'s>(&'s self, chosen: &'s [bool]) -> impl Iterator<Item = &'s Cost> {
        let own = self
            .measures
            .iter()
            .zip(chosen)
            .filter(|(measure, chosen)| **chosen && !measure.standing)
            .map(|(measure, _)| &measure.cost);
        let shared = self.due(chosen).filter_map(|at| self.shared.get(at));
        own.chain(shared.map(|shared| &shared.cost))
    }

    /// The places of the measures that are new among these.
    pub(super) fn places(&self, chosen: &[bool]) -> Vec<usize> {
        self.measures
            .iter()
            .zip(chosen)
            .filter(|(measure, chosen)| **chosen && !measure.standing)
            .map(|(measure, _)| measure.place)
            .collect()
    }

    pub(super) fn shared_places(&self, chosen: &[bool]) -> Vec<usize> {
        let due = self.due(chosen).filter_map(|at| self.shared.get(at));
        due.map(|shared| shared.place).collect()
    }
}

/// A conflict that one measure names is one of the other, too.
fn both_ways(measures: &mut [Ranked]) {
    let pairs: Vec<(usize, usize)> = measures
        .iter()
        .enumerate()
        .flat_map(|(at, measure)| measure.conflicts.iter().map(move |other| (*other, at)))
        .collect();
    for (at, other) in pairs {
        if let Some(measure) = measures.get_mut(at) {
            measure.conflicts.insert(other);
        }
    }
}

/// The places in the order of the ids.
fn order<'i>(ids: impl Iterator<Item = &'i str>) -> Result<Vec<usize>, Error> {
    let mut order: Vec<(&str, usize)> = ids.enumerate().map(|(at, id)| (id, at)).collect();
    order.sort_unstable();
    let twice = order.windows(2).find_map(|pair| match pair {
        [(a, _), (b, _)] if a == b => Some((*a).to_owned()),
        _ => None,
    });
    match twice {
        Some(id) => Err(Error::Twice(id)),
        None => Ok(order.into_iter().map(|(_, at)| at).collect()),
    }
}
