//! Points none of which is better than another in all of money, effort and risk.
//!
//! Boxes that may still hold a point are kept, each as the corner that a point in it is below in all
//! three. The box that could hold the most is searched: the least risk in it, then the least money and
//! effort for that risk, which no other point beats. The point splits every box it is in. When no box is
//! left there is no other point; when as many points as were asked for are found, they are spread.
//!
//! Left out: upkeep as a fourth direction; of points that are alike the cheapest, all counted, is given.

use super::answer::{Frontier, Point, Totals};
use super::hitting::{Best, Hitting};
use super::plan::settle;
use super::program::{LARGEST, NONE};
use super::question::Weights;
use super::{Ask, Error};

/// Money, effort (twice the middle), risk.
type Corner = [i64; 3];

/// Above everything.
const OPEN: i64 = LARGEST;

struct Sweep<'s, 'h> {
    hitting: &'s mut Hitting<'h>,
    axes: [Weights; 2],
    work: u64,
    /// Of each search, so that one hard one leaves something to the others.
    each: u64,
}

pub(super) fn frontier(hitting: &mut Hitting<'_>, ask: &Ask) -> Result<Frontier, Error> {
    if ask.points == 0 {
        return Ok(Frontier::default());
    }
    let axes = [hitting.sorted.money(), hitting.sorted.effort()];
    let mut sweep = Sweep {
        hitting,
        axes,
        work: ask.work,
        each: ask.work / 20,
    };
    let mut boxes: Vec<Corner> = vec![[OPEN; 3]];
    let mut found: Vec<(Corner, Best, bool)> = Vec::new();
    let mut complete = true;
    while let Some(corner) = largest(&boxes, &found) {
        if sweep.work == 0 {
            complete = false;
            break;
        }
        match sweep.search(corner)? {
            Some(_) if found.len() >= ask.points => {
                complete = false;
                break;
            }
            Some((at, best, proven)) if at.iter().zip(&corner).all(|(at, end)| at < end) => {
                complete &= proven;
                boxes = split(boxes, at);
                found.push((at, best, proven));
            }
            // Nothing is in it, or nothing that the work allowed sufficed to find.
            other => {
                complete &= other.is_none();
                boxes.retain(|other| *other != corner);
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    let sorted = sweep.hitting.sorted;
    let points = found
        .into_iter()
        .map(|(at, best, proven)| Point {
            measures: sorted.places(&best.chosen),
            shared: sorted.shared_places(&best.chosen),
            totals: Totals::of(sorted.costs(&best.chosen), &sorted.rates),
            risk: at[2],
            proven,
        })
        .collect();
    Ok(Frontier { points, complete })
}

impl Sweep<'_, '_> {
    fn limits(&self, corner: Corner) -> Vec<(Weights, i64)> {
        let [money, effort] = &self.axes;
        [(money, corner[0]), (effort, corner[1])]
            .into_iter()
            .filter(|(_, most)| *most < OPEN)
            .map(|(weights, most)| (weights.clone(), most - 1))
            .collect()
    }

    fn spend(
        &mut self,
        used: impl FnOnce(&mut Hitting<'_>, &mut u64) -> Result<super::hitting::Found, Error>,
    ) -> Result<super::hitting::Found, Error> {
        let granted = self.each.min(self.work);
        let mut left = granted;
        let found = used(self.hitting, &mut left)?;
        // A search costs something even where it has nothing to count.
        self.work = self.work.saturating_sub((granted - left).max(1_000));
        Ok(found)
    }

    /// The point of least risk below a corner, with the least money and effort that takes.
    fn search(&mut self, corner: Corner) -> Result<Option<(Corner, Best, bool)>, Error> {
        let limits = self.limits(corner);
        let mut goal = self.hitting.goal(self.hitting.sorted.nothing());
        goal.risk = true;
        goal.floor = 0;
        goal.below = if corner[2] < OPEN { corner[2] } else { NONE };
        goal.limits.clone_from(&limits);
        let least = self.spend(|hitting, work| hitting.solve(&goal, work))?;
        let mut proven = least.is_proven(goal.below);
        let Some(best) = least.best else {
            return Ok(None);
        };
        let [money, effort] = &self.axes;
        let both = Weights {
            measures: add(&money.measures, &effort.measures),
            shared: add(&money.shared, &effort.shared),
        };
        let mut goal = self.hitting.goal(both);
        goal.risk_at_most = Some(best.risk);
        goal.limits = limits;
        let cheap = self.spend(|hitting, work| hitting.solve(&goal, work))?;
        proven &= cheap.is_proven(NONE);
        let best = cheap.best.unwrap_or(best);
        let at = self.at(&best);
        let [money, effort] = &self.axes;
        let mut goal = self.hitting.goal(self.hitting.sorted.cost());
        goal.risk_at_most = Some(at[2]);
        goal.limits = vec![(money.clone(), at[0]), (effort.clone(), at[1])];
        let alike = self.spend(|hitting, work| hitting.solve(&goal, work))?;
        let settled = alike.is_proven(NONE);
        let mut best = alike.best.unwrap_or(best);
        if settled {
            (best, _) = settle(self.hitting, &goal, best, self.each)?;
        }
        Ok(Some((self.at(&best), best, proven)))
    }

    fn at(&self, best: &Best) -> Corner {
        let [money, effort] = &self.axes;
        let sum = |weights| self.hitting.sorted.sum(weights, &best.chosen);
        [sum(money), sum(effort), best.risk]
    }
}

fn add(a: &[i64], b: &[i64]) -> Vec<i64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// The box with the most room between the best of all points so far and its corner; the first of those.
fn largest(boxes: &[Corner], found: &[(Corner, Best, bool)]) -> Option<Corner> {
    let mut low = [0_i64; 3];
    let mut high = [1_i64; 3];
    for (at, ..) in found {
        for ((low, high), at) in low.iter_mut().zip(&mut high).zip(at) {
            *low = (*low).min(*at);
            *high = (*high).max(*at);
        }
    }
    let room = |corner: &Corner| -> f64 {
        let ends = corner.iter().zip(low.iter().zip(&high));
        ends.map(|(end, (low, high))| ((end - low) as f64 / (high - low) as f64).clamp(0.0, 1.25))
            .product()
    };
    let mut best: Option<(f64, Corner)> = None;
    for corner in boxes {
        let room = room(corner);
        if best.is_none_or(|(other, _)| room > other) {
            best = Some((room, *corner));
        }
    }
    best.map(|(_, corner)| corner)
}

/// The boxes after a point was found: what is below it in all three is gone, and boxes within others are.
fn split(boxes: Vec<Corner>, at: Corner) -> Vec<Corner> {
    let inside = |corner: &Corner| corner.iter().zip(&at).all(|(end, at)| at < end);
    let (hit, mut kept): (Vec<Corner>, Vec<Corner>) = boxes.into_iter().partition(inside);
    for corner in hit {
        for axis in 0..3 {
            let mut smaller = corner;
            if let (Some(end), Some(at)) = (smaller.get_mut(axis), at.get(axis)) {
                *end = *at;
            }
            kept.push(smaller);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    let within = |a: &Corner, b: &Corner| a != b && a.iter().zip(b).all(|(a, b)| a <= b);
    kept.iter()
        .filter(|corner| !kept.iter().any(|other| within(corner, other)))
        .copied()
        .collect()
}
