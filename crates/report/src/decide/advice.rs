//! Asks the optimiser, with what somebody has settled already: measures to take or to leave, limits.

use std::collections::BTreeSet;

use analysis::decide::{
    self, Ask, Attacks, Decision, Left, Passed, Point, Rates, Set, Threat, Why,
};

use super::DecideError;
use super::costs::{Bill, Line};
use super::problem::Problem;

/// What somebody has settled.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Places of measures that are to be in the plan.
    pub taken: BTreeSet<usize>,
    /// Places of measures that are to stay out.
    pub left: BTreeSet<usize>,
    /// Cents a month.
    pub money: Option<i64>,
    /// Tenths of a day.
    pub effort: Option<u32>,
    /// How costs are compared.
    pub rates: Rates,
}

/// The answer, without what was added to ask for it.
#[derive(Debug)]
pub struct Advice {
    /// What the optimiser says.
    pub decision: Decision,
    /// What was to be taken and fits no plan.
    pub refused: Vec<usize>,
    /// For each threat that nothing cuts the kinds of steps of a way.
    pub uncuttable: Vec<(usize, Vec<&'static str>)>,
}

/// Each measure that must be taken is a threat that nothing else cuts, and that weighs more than all others.
struct Forced<'p, 'a> {
    problem: &'p mut Problem<'a>,
    taken: Vec<usize>,
}

impl Attacks for Forced<'_, '_> {
    fn surviving(&mut self, standing: &Set) -> Vec<decide::Way> {
        let mut ways = self.problem.surviving(standing);
        let first = self.problem.threats.len();
        for (at, place) in self.taken.iter().enumerate() {
            if !standing.has(*place) {
                ways.push(decide::Way {
                    threat: first + at,
                    cut_by: vec![*place],
                });
            }
        }
        ways
    }
}

/// How much is found out, and how much work that may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Points of the frontier that are looked for.
    pub points: usize,
    /// Of how many measures it is found out what would bring them in.
    pub changes: usize,
    /// Steps for the plan, and as many each for the frontier and the explanations.
    pub work: u64,
}

impl Bounds {
    /// Seconds of work, for an answer beside others, where a terminal would wait a minute.
    pub const QUICK: Self = Self {
        points: 10,
        changes: 40,
        work: 60_000_000,
    };

    /// All that is worth telling, with so many points of the frontier.
    #[must_use]
    pub fn with_points(points: usize) -> Self {
        Self {
            points,
            changes: 120,
            work: Ask::default().work,
        }
    }
}

/// Asks.
///
/// # Errors
/// When the question contradicts itself, or its sums are too large.
pub fn solve(
    problem: &mut Problem<'_>,
    settled: &Settled,
    bounds: Bounds,
) -> Result<Advice, DecideError> {
    let mut question = problem.question.clone();
    for place in &settled.left {
        if let Some(measure) = question.measures.get_mut(*place) {
            // Of nothing nothing can stand.
            measure.requires.push(Vec::new());
        }
    }
    let own = question.threats.len();
    let all = problem.weight(0..own);
    let heavy = u32::try_from(all.saturating_add(1)).unwrap_or(u32::MAX);
    for place in &settled.taken {
        question.threats.push(Threat {
            id: format!("taken {place}"),
            weight: heavy,
        });
    }
    let ask = Ask {
        rates: settled.rates,
        money_at_most: settled.money,
        effort_at_most: settled.effort,
        points: bounds.points,
        changes: bounds.changes,
        work: bounds.work,
    };
    let mut attacks = Forced {
        taken: settled.taken.iter().copied().collect(),
        problem,
    };
    let mut decision = decide::decide(&question, &mut attacks, &ask)
        .map_err(|error| DecideError::new(error.to_string()))?;
    clean(&mut decision, own, i64::from(heavy));
    let planned: BTreeSet<usize> = decision.plan.measures.iter().copied().collect();
    let refused = settled.taken.difference(&planned).copied().collect();
    let mut everything = Set::new(problem.question.measures.len());
    (0..problem.question.measures.len()).for_each(|place| everything.insert(place));
    let uncuttable = problem
        .ways(decision.uncuttable.iter().copied(), &everything)
        .into_iter()
        .map(|(threat, way)| (threat, problem.deeds(&way)))
        .collect();
    Ok(Advice {
        decision,
        refused,
        uncuttable,
    })
}

/// Takes out threats that stood for measures.
fn clean(decision: &mut Decision, own: usize, heavy: i64) {
    let real = |threat: &usize| *threat < own;
    decision.plan.cut.retain(real);
    decision.plan.remaining.retain(|left| left.threat < own);
    decision.uncuttable.retain(real);
    decision.absent.retain(real);
    for chosen in &mut decision.chosen {
        chosen.cuts.retain(real);
    }
    // Points without what must be taken are no answers.
    decision.frontier.points.retain(|point| point.risk < heavy);
}

impl Advice {
    /// The measures that are to be taken, without what stands in the estate.
    pub fn measures<'s>(&'s self, problem: &'s Problem<'_>) -> impl Iterator<Item = usize> + 's {
        without_kept(problem, &self.decision.plan.measures)
    }

    /// What a measure of the plan replaces: options that are chosen now and exclude it.
    pub fn replaces(&self, problem: &Problem<'_>, place: usize) -> Vec<usize> {
        let conflicts = |one: usize, other: usize| {
            problem
                .question
                .measures
                .get(one)
                .is_some_and(|measure| measure.conflicts.contains(&other))
        };
        problem
            .offers
            .iter()
            .enumerate()
            .filter(|(other, offer)| {
                offer.kept && (conflicts(place, *other) || conflicts(*other, place))
            })
            .map(|(other, _)| other)
            .collect()
    }

    /// Measures that are not in the plan and could be, with why not.
    pub fn passed<'s>(&'s self, problem: &'s Problem<'_>) -> impl Iterator<Item = &'s Passed> {
        self.decision.passed.iter().filter(|passed| {
            problem
                .offers
                .get(passed.measure)
                .is_some_and(|offer| !offer.kept && !offer.edges.is_empty())
        })
    }

    /// Lines without a price in the plan.
    pub fn unpriced(&self, problem: &Problem<'_>) -> Vec<Line> {
        unpriced(
            problem,
            &self.decision.plan.measures,
            &self.decision.plan.shared,
        )
    }

    /// The weight that nothing cuts.
    pub fn fixed_risk(&self, problem: &Problem<'_>) -> u64 {
        problem.weight(self.decision.uncuttable.iter().copied())
    }

    /// The weight that remains although something would cut it.
    pub fn remaining_risk(&self, problem: &Problem<'_>) -> u64 {
        problem.weight(self.decision.plan.remaining.iter().map(|left| left.threat))
    }

    /// Whether a point is the plan.
    pub fn is_plan(&self, point: &Point) -> bool {
        point.measures == self.decision.plan.measures
    }

    /// The points of the frontier, and the plan in its place among them: it is the best of all costs in one,
    /// which upkeep is a part of, and so need not be a point itself.
    pub fn points(&self, problem: &Problem<'_>) -> Vec<Point> {
        let mut points = self.decision.frontier.points.clone();
        let plan = &self.decision.plan;
        if !points.is_empty() && !points.iter().any(|point| self.is_plan(point)) {
            let risk = self.remaining_risk(problem);
            points.push(Point {
                measures: plan.measures.clone(),
                shared: plan.shared.clone(),
                totals: plan.totals,
                risk: i64::try_from(risk).unwrap_or(i64::MAX),
                proven: plan.gap.is_closed(),
            });
            let key = |point: &Point| {
                let effort = point.totals.cost.effort;
                let middle = u64::from(effort.low) + u64::from(effort.high);
                (point.totals.cost.money, middle, point.risk)
            };
            points.sort_by_key(key);
        }
        points
    }
}

/// Of some measures those that do not stand in the estate.
pub fn without_kept<'s>(
    problem: &'s Problem<'_>,
    places: &'s [usize],
) -> impl Iterator<Item = usize> + 's {
    places
        .iter()
        .copied()
        .filter(|place| problem.offers.get(*place).is_some_and(|offer| !offer.kept))
}

/// Lines without a price of measures and shared costs, those of one meter added up.
pub fn unpriced(problem: &Problem<'_>, measures: &[usize], shared: &[usize]) -> Vec<Line> {
    let own = measures.iter().filter_map(|at| problem.offers.get(*at));
    let bills = own
        .map(|offer| &offer.bill)
        .chain(shared.iter().filter_map(|at| problem.shared.get(*at)));
    let mut found: Vec<Line> = Vec::new();
    for line in bills.flat_map(|bill: &Bill| &bill.lines) {
        if line.money.is_some() {
            continue;
        }
        match found.iter_mut().find(|known| known.meter == line.meter) {
            Some(known) => known.units += line.units,
            None => found.push(line.clone()),
        }
    }
    found.sort_by(|one, two| one.meter.cmp(&two.meter));
    found
}

/// Why something is not in the plan, as a clause.
pub fn why(problem: &Problem<'_>, passed: &Passed, amount: impl Fn(i64) -> String) -> String {
    let names = |places: &[usize]| -> String {
        let ids: Vec<&str> = places
            .iter()
            .filter_map(|place| problem.question.measures.get(*place))
            .map(|measure| measure.id.as_str())
            .collect();
        ids.join(", ")
    };
    let mut text = match passed.why {
        Why::Impossible => "it cannot stand: what it requires is not there".to_owned(),
        Why::Excluded => "with it more risk would remain".to_owned(),
        Why::NotNeeded => "what it cuts is cut anyway".to_owned(),
        Why::TooDear(below) => format!("it would be chosen below {}, all counted", amount(below)),
        Why::AsGood => "as good as what was chosen; the order of names decided".to_owned(),
        Why::BudgetMoney(most) => {
            format!(
                "the budget: it would enter at {} a month at most",
                amount(most)
            )
        }
        Why::BudgetEffort(most) => format!(
            "the effort: it would enter at {} days at most",
            super::words::tenths(most)
        ),
        Why::Untried => "not looked into".to_owned(),
    };
    if !passed.conflicts.is_empty() {
        text.push_str(&format!("; it excludes {}", names(&passed.conflicts)));
    }
    if let Some(other) = passed.dominated_by {
        text.push_str(&format!("; {} does as much for no more", names(&[other])));
    } else if !passed.replaces.is_empty() && !matches!(passed.why, Why::NotNeeded) {
        text.push_str(&format!("; it would replace {}", names(&passed.replaces)));
    }
    if !passed.proven {
        text.push_str(" (not proven)");
    }
    text
}

/// Why a threat stays that something cuts, as a clause.
pub fn why_left(left: Left, amount: impl Fn(i64) -> String) -> String {
    match left {
        Left::Budget(Some(cost)) => {
            format!(
                "nothing cuts it within the limits; by itself it takes {}, all counted",
                amount(cost)
            )
        }
        Left::Budget(None) => "nothing that fits the limits cuts it".to_owned(),
        Left::Excluded => "what cuts it excludes what cuts more".to_owned(),
        Left::Impossible => "what cuts it cannot stand here, or was left".to_owned(),
    }
}
