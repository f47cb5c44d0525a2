//! Asks for ways, and solves over those that are known until nothing is left to ask.
//!
//! A program over the ways that are known is easier than the truth: what it costs at least is a proven lower
//! bound. Its answer is asked about; ways that are left make it harder; an answer that holds is an upper
//! bound. Cheap answers are asked about first, and the search begins when they hold.
//!
//! Left out: what is asked for; `plan`, `frontier` and `explain` say that.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Left, Remaining};
use super::plan::Planned;
use super::program::{Limit, Lit, NONE, Program, Wanted, no, yes};
use super::question::{Sorted, Weights};
use super::{Attacks, Error, Gap, Plan, Set, Totals, answer};

pub(super) struct Hitting<'h> {
    pub(super) sorted: &'h Sorted<'h>,
    attacks: &'h mut dyn Attacks,
    threats: Vec<Known>,
    pub(super) asked: u64,
}

/// A threat, and the ways of it that are known: each the ranks of what cuts it.
#[derive(Debug, Default, Clone)]
pub(super) struct Known {
    weight: i64,
    pub(super) uncuttable: bool,
    pub(super) absent: bool,
    pub(super) ways: BTreeSet<Vec<u32>>,
}

/// What is wanted of measures.
#[derive(Debug, Clone)]
pub(super) struct Goal {
    /// What is to be small.
    pub(super) weights: Weights,
    /// Whether what is to be small is the risk instead.
    pub(super) risk: bool,
    pub(super) limits: Vec<(Weights, i64)>,
    pub(super) risk_at_most: Option<i64>,
    pub(super) forced: Vec<(usize, bool)>,
    /// The one threat that counts, where not all do.
    pub(super) only: Option<usize>,
    pub(super) below: i64,
    pub(super) floor: i64,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) best: Option<Best>,
    /// Proven: nothing that was asked for is smaller.
    pub(super) bound: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Best {
    pub(super) value: i64,
    pub(super) chosen: Vec<bool>,
    pub(super) risk: i64,
}

/// How hard a program is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For a good answer, to ask about.
    Quick,
    /// For the best, with part of the work: more ways may turn up.
    Search,
    /// With all the work that is left.
    Last,
}

impl Found {
    /// Whether nothing is left to be found.
    pub(super) fn is_proven(&self, below: i64) -> bool {
        self.bound >= self.best.as_ref().map_or(below, |best| best.value)
    }
}

impl<'h> Hitting<'h> {
    /// Asks what nothing cuts, and what is there now.
    pub(super) fn new(sorted: &'h Sorted<'h>, attacks: &'h mut dyn Attacks) -> Result<Self, Error> {
        let known = |(_, weight): &(usize, i64)| Known {
            weight: *weight,
            absent: true,
            ..Known::default()
        };
        let mut hitting = Self {
            sorted,
            attacks,
            threats: sorted.threats.iter().map(known).collect(),
            asked: 0,
        };
        let all = vec![true; sorted.measures.len()];
        for (threat, _) in hitting.ask(&all)? {
            if let Some(known) = hitting.threats.get_mut(threat) {
                known.uncuttable = true;
                known.absent = false;
            }
        }
        let standing: Vec<bool> = sorted
            .measures
            .iter()
            .map(|measure| measure.standing)
            .collect();
        for (threat, way) in hitting.ask(&standing)? {
            if let Some(known) = hitting.threats.get_mut(threat)
                && !known.uncuttable
            {
                known.absent = false;
                known.ways.insert(way);
            }
        }
        Ok(hitting)
    }

    /// The ways that are left when these measures stand, by ranks.
    fn ask(&mut self, chosen: &[bool]) -> Result<Vec<(usize, Vec<u32>)>, Error> {
        self.asked += 1;
        let mut set = Set::new(chosen.len());
        for (measure, _) in self
            .sorted
            .measures
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| **chosen)
        {
            set.insert(measure.place);
        }
        let mut ways = Vec::new();
        for way in self.attacks.surviving(&set) {
            let threat = *self
                .sorted
                .threat_rank
                .get(way.threat)
                .ok_or(Error::NoSuchThreat)?;
            let id = || {
                let threat = self.sorted.question.threats.get(way.threat);
                threat.map_or_else(String::new, |threat| threat.id.clone())
            };
            if set.has_any(&way.cut_by) {
                return Err(Error::Contradiction(id()));
            }
            let rank = |place: &usize| self.sorted.rank.get(*place).map(|rank| *rank as u32);
            let ranks: Option<BTreeSet<u32>> = way.cut_by.iter().map(rank).collect();
            let ranks = ranks.ok_or_else(|| Error::NoSuchMeasure(id()))?;
            ways.push((threat, ranks.into_iter().collect()));
        }
        Ok(ways)
    }

    /// The threats that could be cut and are left when these measures stand; new ways become known.
    /// Second, how many became known.
    pub(super) fn left(&mut self, chosen: &[bool]) -> Result<(BTreeSet<usize>, usize), Error> {
        let mut left = BTreeSet::new();
        let mut added = 0;
        for (threat, way) in self.ask(chosen)? {
            let Some(known) = self.threats.get_mut(threat) else {
                continue;
            };
            if known.uncuttable {
                continue;
            }
            if way.is_empty() || known.absent {
                let place = self
                    .sorted
                    .threats
                    .get(threat)
                    .map_or(0, |(place, _)| *place);
                let threat = self.sorted.question.threats.get(place);
                return Err(Error::Contradiction(
                    threat.map_or_else(String::new, |threat| threat.id.clone()),
                ));
            }
            added += usize::from(known.ways.insert(way));
            left.insert(threat);
        }
        Ok((left, added))
    }

    /// The threats that can be cut, and have something to be cut.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &Known)> {
        let open = |(_, known): &(usize, &Known)| !known.uncuttable && !known.absent;
        self.threats.iter().enumerate().filter(open)
    }

    /// The places of the threats of which this is so.
    pub(super) fn threats(&self, is: impl Fn(&Known) -> bool) -> Vec<usize> {
        let all = self.threats.iter().zip(&self.sorted.threats);
        all.filter(|(known, _)| is(known))
            .map(|(_, (place, _))| *place)
            .collect()
    }

    pub(super) fn known(&self) -> usize {
        self.threats.iter().map(|threat| threat.ways.len()).sum()
    }

    pub(super) fn weight(&self, threats: &BTreeSet<usize>) -> i64 {
        let weights = threats.iter().filter_map(|at| self.threats.get(*at));
        weights.map(|threat| threat.weight).sum()
    }

    /// A goal without anything beyond what is to be small.
    pub(super) fn goal(&self, weights: Weights) -> Goal {
        Goal {
            weights,
            risk: false,
            limits: Vec::new(),
            risk_at_most: None,
            forced: Vec::new(),
            only: None,
            below: NONE,
            floor: -NONE,
        }
    }

    /// The best by a goal. `work` is what may be spent.
    pub(super) fn solve(&mut self, goal: &Goal, work: &mut u64) -> Result<Found, Error> {
        let mut best: Option<Best> = None;
        let mut below = goal.below;
        let mut bound = -NONE;
        let mut stage = Stage::Quick;
        loop {
            let wanted = Wanted {
                below,
                floor: goal.floor,
                quick: stage == Stage::Quick,
            };
            // What only finds ways is not counted: it ends when there are no new ones. Where nothing may
            // be spent any more, a search is its first node.
            let granted = match stage {
                Stage::Quick => u64::MAX,
                Stage::Search => *work / 4,
                Stage::Last => *work,
            }
            .max(1);
            let mut left = granted;
            let solved = self.program(goal).solve(wanted, &mut left);
            if stage != Stage::Quick {
                *work = work.saturating_sub(granted - left);
            }
            bound = bound.max(solved.bound);
            let mut added = 0;
            if let Some((_, mut values)) = solved.best {
                values.truncate(self.sorted.measures.len());
                let (candidate, new) = self.judge(goal, values)?;
                added = new;
                if let Some(candidate) = candidate.filter(|candidate| candidate.value < below) {
                    below = candidate.value;
                    best = Some(candidate);
                }
            }
            let low = best.as_ref().is_some_and(|best| best.value <= goal.floor);
            if low || bound >= below {
                let bound = if low { below } else { bound.min(below) };
                return Ok(Found { best, bound });
            }
            stage = match stage {
                _ if added > 0 => Stage::Quick,
                Stage::Quick => Stage::Search,
                Stage::Search if left == 0 => Stage::Last,
                Stage::Search | Stage::Last => return Ok(Found { best, bound }),
            };
        }
    }

    /// What an answer is worth, if it is one; and how many ways became known by asking.
    fn judge(&mut self, goal: &Goal, chosen: Vec<bool>) -> Result<(Option<Best>, usize), Error> {
        let (left, added) = self.left(&chosen)?;
        let risk = match goal.only {
            Some(threat) => i64::from(left.contains(&threat)),
            None => self.weight(&left),
        };
        let value = if goal.risk {
            risk
        } else {
            self.sorted.sum(&goal.weights, &chosen)
        };
        let fits = goal.risk_at_most.is_none_or(|most| risk <= most);
        let best = Best {
            value,
            chosen,
            risk,
        };
        Ok((fits.then_some(best), added))
    }

    /// What is known, as clauses: measures first, then shared costs, then threats.
    fn program(&self, goal: &Goal) -> Program {
        let measures = self.sorted.measures.len();
        let first = measures + self.sorted.shared.len();
        let mut program = Program {
            cost: if goal.risk {
                vec![0; first]
            } else {
                join(&goal.weights)
            },
            clauses: self.rules(goal),
            limits: Vec::new(),
        };
        let mut risks = vec![0; first];
        let counts = goal.risk || goal.risk_at_most.is_some();
        let may_remain = goal.risk || goal.risk_at_most.is_some_and(|most| most > 0);
        // Threats whose known ways are the same ones stand or fall together.
        let mut groups: BTreeMap<&BTreeSet<Vec<u32>>, i64> = BTreeMap::new();
        for (at, known) in self.open() {
            let weight = match goal.only {
                Some(only) => i64::from(only == at),
                None => known.weight,
            };
            if counts && weight > 0 {
                *groups.entry(&known.ways).or_default() += weight;
            }
        }
        for (ways, weight) in groups {
            let threat = may_remain.then(|| {
                program.cost.push(if goal.risk { weight } else { 0 });
                risks.push(weight);
                yes(program.cost.len() - 1)
            });
            for way in ways {
                let cuts = way.iter().map(|rank| yes(*rank as usize));
                program.clauses.push(cuts.chain(threat).collect());
            }
        }
        let size = program.cost.len();
        let padded = |mut weights: Vec<i64>| {
            weights.resize(size, 0);
            weights
        };
        program.limits = goal
            .limits
            .iter()
            .map(|(weights, at_most)| Limit {
                weights: padded(join(weights)),
                at_most: *at_most,
            })
            .collect();
        if let Some(most) = goal.risk_at_most.filter(|most| *most > 0) {
            program.limits.push(Limit {
                weights: risks,
                at_most: most,
            });
        }
        program
    }

    /// What stands, what is forced, requirements, conflicts, and what is shared.
    fn rules(&self, goal: &Goal) -> Vec<Vec<Lit>> {
        let sorted = self.sorted;
        let mut clauses: Vec<Vec<Lit>> = goal
            .forced
            .iter()
            .map(|(at, stands)| vec![if *stands { yes(*at) } else { no(*at) }])
            .collect();
        let stands = |at: usize| {
            sorted
                .measures
                .get(at)
                .is_some_and(|measure| measure.standing)
        };
        for (at, measure) in sorted.measures.iter().enumerate() {
            if measure.standing {
                clauses.push(vec![yes(at)]);
                continue;
            }
            for any in &measure.requires {
                clauses.push(
                    std::iter::once(no(at))
                        .chain(any.iter().map(|at| yes(*at)))
                        .collect(),
                );
            }
            for other in &measure.conflicts {
                if stands(*other) || *other == at {
                    clauses.push(vec![no(at)]);
                } else if *other > at {
                    clauses.push(vec![no(at), no(*other)]);
                }
            }
        }
        for (number, shared) in sorted
            .shared
            .iter()
            .enumerate()
            .filter(|(_, shared)| !shared.paid)
        {
            let due = sorted.measures.len() + number;
            for at in &shared.members {
                clauses.push(vec![no(*at), yes(due)]);
            }
            // Nobody saves what nobody chose; what costs something is left out anyway.
            if shared.cost.money < 0 {
                let members = shared.members.iter().map(|at| yes(*at));
                clauses.push(std::iter::once(no(due)).chain(members).collect());
            }
        }
        clauses
    }

    /// A plan in the words of the question.
    pub(super) fn describe(&self, planned: &Planned) -> Plan {
        let sorted = self.sorted;
        let place = |at: usize| sorted.threats.get(at).map(|(place, _)| *place);
        let relative = |value: i64, bound: i64| {
            if bound >= value {
                0.0
            } else {
                (value - bound) as f64 / value.abs().max(1) as f64
            }
        };
        Plan {
            measures: sorted.places(&planned.chosen),
            shared: sorted.shared_places(&planned.chosen),
            totals: Totals::of(sorted.costs(&planned.chosen), &sorted.rates),
            cut: self
                .open()
                .filter(|(at, _)| !planned.left.iter().any(|(left, _)| left == at))
                .filter_map(|(at, _)| place(at))
                .collect(),
            remaining: planned
                .left
                .iter()
                .filter_map(|(at, why): &(usize, Left)| {
                    place(*at).map(|threat| Remaining { threat, why: *why })
                })
                .collect(),
            gap: Gap {
                cost: relative(planned.cost, planned.cost_bound),
                risk: relative(planned.risk, planned.risk_bound),
                cost_bound: answer::cents(planned.cost_bound),
                risk_bound: planned.risk_bound,
            },
            first: planned.first,
        }
    }
}

fn join(weights: &Weights) -> Vec<i64> {
    weights
        .measures
        .iter()
        .chain(&weights.shared)
        .copied()
        .collect()
}
