//! Why each measure is in the plan or not, and what would change that.
//!
//! A measure of the plan is taken out, with what cannot stand without it, and the attacks are asked what
//! comes back. A measure that is not in it is forced in for nothing: what the plan saves then is what the
//! measure may cost.
//!
//! Left out: changes of two prices at once.

use super::answer::{Chosen, Passed, Totals, Why, cents};
use super::hitting::{Found, Goal, Hitting};
use super::plan::{Planned, limits};
use super::program::NONE;
use super::question::Weights;
use super::{Ask, Error};

pub(super) fn explain(
    hitting: &mut Hitting<'_>,
    ask: &Ask,
    planned: &Planned,
) -> Result<(Vec<Chosen>, Vec<Passed>), Error> {
    let sorted = hitting.sorted;
    let mut chosen = Vec::new();
    let mut passed = Vec::new();
    let tried = tried(hitting, planned, ask.changes);
    let each = ask.work / (tried.len() as u64).max(20);
    for (at, measure) in sorted.measures.iter().enumerate() {
        if measure.standing {
            continue;
        }
        if planned.chosen.get(at).copied().unwrap_or(false) {
            chosen.push(marginal(hitting, planned, at)?);
        } else {
            let mut why = Passed {
                measure: measure.place,
                why: Why::Untried,
                replaces: Vec::new(),
                dominated_by: dominated(hitting, planned, at),
                conflicts: sorted
                    .measures
                    .iter()
                    .zip(&planned.chosen)
                    .enumerate()
                    .filter(|(other, (_, chosen))| **chosen && measure.conflicts.contains(other))
                    .map(|(_, (measure, _))| measure.place)
                    .collect(),
                proven: false,
            };
            if tried.contains(&at) {
                change(hitting, ask, planned, at, each, &mut why)?;
            }
            passed.push(why);
        }
    }
    Ok((chosen, passed))
}

/// Which measures are looked into: those that cut the most known ways first.
fn tried(hitting: &Hitting<'_>, planned: &Planned, most: usize) -> Vec<usize> {
    let mut ways = vec![0_usize; hitting.sorted.measures.len()];
    for (_, known) in hitting.open() {
        for rank in known.ways.iter().flatten() {
            if let Some(ways) = ways.get_mut(*rank as usize) {
                *ways += 1;
            }
        }
    }
    let mut order: Vec<(usize, usize)> = ways
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !planned.chosen.get(*at).copied().unwrap_or(true))
        .map(|(at, ways)| (usize::MAX - ways, at))
        .collect();
    order.sort_unstable();
    order.into_iter().take(most).map(|(_, at)| at).collect()
}

/// What a measure of the plan is for.
fn marginal(hitting: &mut Hitting<'_>, planned: &Planned, at: usize) -> Result<Chosen, Error> {
    let sorted = hitting.sorted;
    let mut without = planned.chosen.clone();
    if let Some(chosen) = without.get_mut(at) {
        *chosen = false;
    }
    let mut needed_by = Vec::new();
    // What required it goes as well, and what required that.
    loop {
        let stands = |other: &usize| without.get(*other).copied().unwrap_or(false);
        let falls = sorted.measures.iter().enumerate().find(|(other, measure)| {
            stands(other)
                && !measure.standing
                && !measure.requires.iter().all(|any| any.iter().any(stands))
        });
        let Some((other, measure)) = falls else {
            break;
        };
        needed_by.push(measure.place);
        if let Some(chosen) = without.get_mut(other) {
            *chosen = false;
        }
    }
    let (left, _) = hitting.left(&without)?;
    let back = left
        .iter()
        .filter(|threat| !planned.left.iter().any(|(known, _)| known == *threat));
    let place = |threat: &usize| sorted.threats.get(*threat).map(|(place, _)| *place);
    let cuts = back.filter_map(place).collect();
    let mut only = planned.chosen.clone();
    if let Some(chosen) = only.get_mut(at) {
        *chosen = false;
    }
    let spared: Vec<usize> = {
        let still: Vec<usize> = sorted.due(&only).collect();
        sorted
            .due(&planned.chosen)
            .filter(|due| !still.contains(due))
            .collect()
    };
    let shared = spared
        .iter()
        .filter_map(|due| sorted.shared.get(*due))
        .map(|shared| &shared.cost);
    let measure = sorted.measures.get(at);
    needed_by.sort_by_key(|place| sorted.rank.get(*place).copied());
    Ok(Chosen {
        measure: measure.map_or(0, |measure| measure.place),
        saves: Totals::of(
            measure
                .map(|measure| &measure.cost)
                .into_iter()
                .chain(shared),
            &sorted.rates,
        ),
        cuts,
        needed_by,
    })
}

/// A measure of the plan that cuts every known way that this one cuts, and costs no more.
fn dominated(hitting: &Hitting<'_>, planned: &Planned, at: usize) -> Option<usize> {
    let sorted = hitting.sorted;
    let rank = at as u32;
    let mut ways = hitting
        .open()
        .flat_map(|(_, known)| &known.ways)
        .filter(|way| way.binary_search(&rank).is_ok())
        .peekable();
    ways.peek()?;
    let ways: Vec<&Vec<u32>> = ways.collect();
    let cost = |at: usize| {
        sorted
            .measures
            .get(at)
            .map(|measure| sorted.rates.exact(&measure.cost))
    };
    let better = |other: &usize| {
        let rank = *other as u32;
        planned.chosen.get(*other).copied().unwrap_or(false)
            && cost(*other) <= cost(at)
            && ways.iter().all(|way| way.binary_search(&rank).is_ok())
    };
    let found = (0..sorted.measures.len()).find(better)?;
    sorted.measures.get(found).map(|measure| measure.place)
}

/// Finds out what would bring a measure into the plan.
fn change(
    hitting: &mut Hitting<'_>,
    ask: &Ask,
    planned: &Planned,
    at: usize,
    mut work: u64,
    passed: &mut Passed,
) -> Result<(), Error> {
    let sorted = hitting.sorted;
    let own = sorted.cost().measures.get(at).copied().unwrap_or(0);
    let mut goal = hitting.goal(free(sorted.cost(), at));
    goal.limits = limits(hitting, ask);
    goal.risk_at_most = Some(planned.risk);
    goal.forced = vec![(at, true)];
    // A plan without it costs this; only what would be cheaper changes anything.
    goal.below = planned.cost;
    let cheaper = hitting.solve(&goal, &mut work)?;
    passed.proven = cheaper.is_proven(goal.below);
    if let Some(best) = cheaper.best {
        passed.replaces = replaced(hitting, planned, &best.chosen);
        let worth = planned.cost - best.value;
        passed.why = if worth == own {
            Why::AsGood
        } else {
            Why::TooDear(cents(worth))
        };
        return budget_change(hitting, ask, planned, at, work, passed);
    }
    goal.below = NONE;
    let any = hitting.solve(&goal, &mut work)?;
    if let Some(best) = any.best {
        passed.replaces = replaced(hitting, planned, &best.chosen);
        passed.why = Why::NotNeeded;
        return budget_change(hitting, ask, planned, at, work, passed);
    }
    passed.proven &= any.is_proven(NONE);
    // Not with as little risk, within the limits: with any risk, within none?
    goal.limits.clear();
    let unlimited = hitting.solve(&goal, &mut work)?;
    goal.risk_at_most = None;
    passed.why = if unlimited.best.is_some() {
        Why::Untried
    } else if hitting.solve(&goal, &mut work)?.best.is_some() {
        Why::Excluded
    } else {
        Why::Impossible
    };
    budget_change(hitting, ask, planned, at, work, passed)
}

/// Within a budget, what would let a measure lower the risk: that comes before any cost.
fn budget_change(
    hitting: &mut Hitting<'_>,
    ask: &Ask,
    planned: &Planned,
    at: usize,
    mut work: u64,
    passed: &mut Passed,
) -> Result<(), Error> {
    let sorted = hitting.sorted;
    if planned.risk == 0 || matches!(passed.why, Why::Impossible) {
        return Ok(());
    }
    let mut least =
        |weights: Weights, others: Vec<(Weights, i64)>, at_most: i64| -> Result<Found, Error> {
            let goal = Goal {
                limits: others,
                risk_at_most: Some(planned.risk - 1),
                forced: vec![(at, true)],
                below: at_most + 1,
                ..hitting.goal(free(weights, at))
            };
            hitting.solve(&goal, &mut work)
        };
    let effort = ask.effort_at_most.map(|most| i64::from(most) * 2);
    if let Some(most) = ask.money_at_most {
        let others = effort
            .map(|most| (sorted.effort(), most))
            .into_iter()
            .collect();
        let found = least(sorted.money(), others, most)?;
        if let Some(best) = &found.best {
            passed.proven = found.is_proven(most + 1);
            passed.why = Why::BudgetMoney(most - best.value);
            return Ok(());
        }
    }
    if let Some(most) = effort {
        let money = ask.money_at_most.map(|most| (sorted.money(), most));
        let found = least(sorted.effort(), money.into_iter().collect(), most)?;
        if let Some(best) = &found.best {
            passed.proven = found.is_proven(most + 1);
            passed.why = Why::BudgetEffort(u32::try_from((most - best.value) / 2).unwrap_or(0));
        }
    }
    Ok(())
}

/// The same weights, with this measure for nothing.
fn free(mut weights: Weights, at: usize) -> Weights {
    if let Some(weight) = weights.measures.get_mut(at) {
        *weight = 0;
    }
    weights
}

/// The measures of the plan that another set does without.
fn replaced(hitting: &Hitting<'_>, planned: &Planned, other: &[bool]) -> Vec<usize> {
    hitting
        .sorted
        .measures
        .iter()
        .zip(&planned.chosen)
        .zip(other)
        .filter(|((_, before), after)| **before && !**after)
        .map(|((measure, _), _)| measure.place)
        .collect()
}
