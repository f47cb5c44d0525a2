//! The cheapest plan, and the best within a budget.
//!
//! First as little risk as can be, then as little cost as that takes, then the first by ids.
//!
//! Left out: anything but this one plan.

use super::answer::Left;
use super::hitting::{Best, Found, Goal, Hitting};
use super::program::NONE;
use super::question::Weights;
use super::{Ask, Error, answer};

/// A plan by ranks.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) chosen: Vec<bool>,
    /// In sixtieths of a cent.
    pub(super) cost: i64,
    pub(super) cost_bound: i64,
    pub(super) risk: i64,
    pub(super) risk_bound: i64,
    pub(super) left: Vec<(usize, Left)>,
    pub(super) first: bool,
}

/// How many threats that are left are looked at one by one.
const LOOKED_AT: usize = 100;

pub(super) fn plan(hitting: &mut Hitting<'_>, ask: &Ask) -> Result<Planned, Error> {
    let limits = limits(hitting, ask);
    let mut goal = hitting.goal(hitting.sorted.cost());
    goal.limits.clone_from(&limits);
    goal.risk_at_most = Some(0);
    let mut work = ask.work;
    let mut found = None;
    if limits.is_empty() {
        found = Some(hitting.solve(&goal, &mut work)?).filter(|found| found.best.is_some());
    }
    let mut risk_bound = 0;
    let found = match found {
        Some(found) => found,
        None => {
            let least = least_risk(hitting, &limits, work * 3 / 5)?;
            risk_bound = least.bound;
            goal.risk_at_most = least.best.as_ref().map(|best| best.risk);
            let mut work = ask.work / 2;
            let mut found = hitting.solve(&goal, &mut work)?;
            if found.best.is_none() {
                found.best = least.best.map(|best| Best {
                    value: hitting.sorted.sum(&goal.weights, &best.chosen),
                    ..best
                });
            }
            found
        }
    };
    let cost_bound = found.bound;
    // Nothing new is always possible, unless limits are below zero and nothing saves money.
    let Some(best) = found.best.clone() else {
        return nothing(hitting, risk_bound);
    };
    let (best, first) = if found.is_proven(NONE) {
        settle(hitting, &goal, best, ask.work / 4)?
    } else {
        (best, false)
    };
    let (left, _) = hitting.left(&best.chosen)?;
    let mut reasons = Vec::new();
    for (number, threat) in left.into_iter().enumerate() {
        let why = if number < LOOKED_AT {
            why_left(hitting, threat, !limits.is_empty(), ask)?
        } else {
            Left::Budget(None)
        };
        reasons.push((threat, why));
    }
    Ok(Planned {
        cost: best.value,
        cost_bound: cost_bound.min(best.value),
        risk: best.risk,
        risk_bound: risk_bound.min(best.risk),
        left: reasons,
        first,
        chosen: best.chosen,
    })
}

/// Where not even nothing fits the limits: what stands, and nothing proven.
fn nothing(hitting: &mut Hitting<'_>, risk_bound: i64) -> Result<Planned, Error> {
    let chosen: Vec<bool> = hitting
        .sorted
        .measures
        .iter()
        .map(|measure| measure.standing)
        .collect();
    let (left, _) = hitting.left(&chosen)?;
    let risk = hitting.weight(&left);
    Ok(Planned {
        chosen,
        cost: 0,
        cost_bound: 0,
        risk,
        risk_bound: risk_bound.min(risk),
        left: left
            .into_iter()
            .map(|threat| (threat, Left::Budget(None)))
            .collect(),
        first: false,
    })
}

/// Money and effort, as far as they are limited.
pub(super) fn limits(hitting: &Hitting<'_>, ask: &Ask) -> Vec<(Weights, i64)> {
    let money = ask.money_at_most.map(|most| (hitting.sorted.money(), most));
    let effort = ask
        .effort_at_most
        .map(|most| (hitting.sorted.effort(), i64::from(most) * 2));
    money.into_iter().chain(effort).collect()
}

pub(super) fn least_risk(
    hitting: &mut Hitting<'_>,
    limits: &[(Weights, i64)],
    mut work: u64,
) -> Result<Found, Error> {
    let mut goal = hitting.goal(hitting.sorted.nothing());
    goal.risk = true;
    goal.limits = limits.to_vec();
    goal.floor = 0;
    hitting.solve(&goal, &mut work)
}

/// Among answers as small as this one, the one that leaves out the last measure, then the last but one,
/// and so on; and whether that is proven.
pub(super) fn settle(
    hitting: &mut Hitting<'_>,
    goal: &Goal,
    mut best: Best,
    mut work: u64,
) -> Result<(Best, bool), Error> {
    let mut goal = Goal {
        below: best.value + 1,
        floor: best.value,
        ..goal.clone()
    };
    let mut proven = true;
    for at in (0..best.chosen.len()).rev() {
        let standing = hitting
            .sorted
            .measures
            .get(at)
            .is_some_and(|measure| measure.standing);
        if standing || goal.forced.iter().any(|(forced, _)| *forced == at) {
            continue;
        }
        if !best.chosen.get(at).copied().unwrap_or(false) {
            goal.forced.push((at, false));
            continue;
        }
        goal.forced.push((at, false));
        let found = hitting.solve(&goal, &mut work)?;
        proven &= found.is_proven(goal.below);
        match found.best {
            Some(other) => best = other,
            None => {
                if let Some(last) = goal.forced.last_mut() {
                    last.1 = true;
                }
            }
        }
    }
    Ok((best, proven))
}

/// Whether a threat could be cut by itself.
fn why_left(
    hitting: &mut Hitting<'_>,
    threat: usize,
    limited: bool,
    ask: &Ask,
) -> Result<Left, Error> {
    let mut goal = hitting.goal(hitting.sorted.cost());
    goal.risk_at_most = Some(0);
    goal.only = Some(threat);
    let mut work = ask.work / 200;
    let found = hitting.solve(&goal, &mut work)?;
    Ok(match found.best {
        Some(best) if limited => Left::Budget(Some(answer::cents(best.value))),
        Some(_) => Left::Excluded,
        None if found.bound >= NONE => Left::Impossible,
        None => Left::Budget(None),
    })
}
