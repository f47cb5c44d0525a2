//! What is said: the plan, why, and what else could be had.
//!
//! Measures, shared costs and threats are given by their places in the question, in the order of their ids.
//!
//! Left out: words; who prints has the titles.

use super::{Cost, Effort, Rates};

/// The whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// How costs were compared.
    pub rates: Rates,
    /// What to do.
    pub plan: Plan,
    /// Threats that have a way which nothing cuts.
    pub uncuttable: Vec<usize>,
    /// Threats that have no way already.
    pub absent: Vec<usize>,
    /// Each measure of the plan, and what it is for.
    pub chosen: Vec<Chosen>,
    /// Each measure that is neither in the plan nor stands already, and why not.
    pub passed: Vec<Passed>,
    /// What less money, less effort or more risk would buy.
    pub frontier: Frontier,
    /// How many ways became known.
    pub ways: usize,
    /// How often [`super::Attacks`] was asked.
    pub asked: u64,
}

/// Measures to be taken, and what comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is to be done, without what stands already.
    pub measures: Vec<usize>,
    /// The shared costs that become due.
    pub shared: Vec<usize>,
    /// Their sums.
    pub totals: Totals,
    /// Threats that are cut.
    pub cut: Vec<usize>,
    /// Threats that could be cut and are not.
    pub remaining: Vec<Remaining>,
    /// How far from the best this can be.
    pub gap: Gap,
    /// Whether it is proven to be the first by ids among plans that cost the same.
    pub first: bool,
}

/// Sums of costs, and all in one number over the months that count, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Money a month, work once, upkeep a month.
    pub cost: Cost,
    /// With the low end of all efforts.
    pub low: i64,
    /// With the middle, which is what is compared.
    pub middle: i64,
    /// With the high end.
    pub high: i64,
}

/// A threat that could be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// Its place.
    pub threat: usize,
    /// What stands against it.
    pub why: Left,
}

/// Why a threat is left that something cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It could be cut for more than the budget or the effort allow beside the others: alone it costs
    /// this many cents, all counted; nothing where that was not found out.
    Budget(Option<i64>),
    /// What cuts it excludes what cuts threats that weigh more.
    Excluded,
    /// What cuts it can never stand: a requirement cannot be met, or something that stands excludes it.
    Impossible,
}

/// Relative distances to proven bounds; zero where the plan is proven to be the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Of the cost, among plans that leave as much risk.
    pub cost: f64,
    /// Of the weight that remains.
    pub risk: f64,
    /// No plan that leaves as little risk costs less, in cents.
    pub cost_bound: i64,
    /// No plan within the limits leaves less.
    pub risk_bound: i64,
}

impl Gap {
    /// Both are zero.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cost == 0.0 && self.risk == 0.0
    }

    /// The larger of both: what is printed as one number.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.cost.max(self.risk)
    }
}

/// A measure of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its place.
    pub measure: usize,
    /// What would be saved without it: its own cost, and shared costs that nobody else needs.
    pub saves: Totals,
    /// Threats that would come back without it (and without what requires it).
    pub cuts: Vec<usize>,
    /// Measures of the plan that could not stand without it.
    pub needed_by: Vec<usize>,
}

/// A measure that is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its place.
    pub measure: usize,
    /// Why not.
    pub why: Why,
    /// What would leave the plan if it had to be in.
    pub replaces: Vec<usize>,
    /// A measure of the plan that cuts every known way that this one cuts, and costs no more.
    pub dominated_by: Option<usize>,
    /// Measures of the plan, and those that stand, that exclude it.
    pub conflicts: Vec<usize>,
    /// Whether `why` is proven, or the best that was found with the work allowed.
    pub proven: bool,
}

/// Why a measure is not in the plan. Amounts are in cents over the months that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It can never stand: a requirement cannot be met, or something that stands excludes it.
    Impossible,
    /// It can stand only where more risk remains.
    Excluded,
    /// Even for nothing it would not lower the cost: what it cuts is cut anyway.
    NotNeeded,
    /// It would be chosen if it cost less than this, all counted.
    TooDear(i64),
    /// A plan with it costs the same; ids decided.
    AsGood,
    /// It would lower the risk if its money were at most this, in cents a month.
    BudgetMoney(i64),
    /// It would lower the risk if its effort (the middle) were at most this, in tenths of a day.
    BudgetEffort(u32),
    /// Not found out: as many as were asked for had been.
    Untried,
}

/// Points none of which is better than another in all of money, effort and risk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    /// By money, then effort, then risk.
    pub points: Vec<Point>,
    /// Whether there are no others; otherwise these are spread over them.
    pub complete: bool,
}

/// One point of the frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What to do.
    pub measures: Vec<usize>,
    /// The shared costs that become due.
    pub shared: Vec<usize>,
    /// Their sums.
    pub totals: Totals,
    /// The weight of threats that remain, without those that nothing cuts.
    pub risk: i64,
    /// Whether nothing is better in one and no worse in the others, proven.
    pub proven: bool,
}

impl std::ops::AddAssign<&Self> for Cost {
    fn add_assign(&mut self, other: &Self) {
        self.money += other.money;
        self.effort.low = self.effort.low.saturating_add(other.effort.low);
        self.effort.high = self.effort.high.saturating_add(other.effort.high);
        self.upkeep = self.upkeep.saturating_add(other.upkeep);
    }
}

impl Totals {
    pub(super) fn of<'a>(costs: impl Iterator<Item = &'a Cost>, rates: &Rates) -> Self {
        let mut cost = Cost::default();
        for one in costs {
            cost += one;
        }
        let with = |effort: Effort| cents(rates.exact(&Cost { effort, ..cost }));
        let Effort { low, high } = cost.effort;
        Self {
            cost,
            low: with(Effort { low, high: low }),
            middle: with(cost.effort),
            high: with(Effort { low: high, high }),
        }
    }
}

impl Rates {
    /// A cost in sixtieths of a cent over all months, with the middle of the effort: a whole number.
    pub(super) fn exact(&self, cost: &Cost) -> i64 {
        let months = i64::from(self.months);
        let money = cost.money.saturating_mul(months).saturating_mul(60);
        let effort = (i64::from(cost.effort.low) + i64::from(cost.effort.high))
            .saturating_mul(i64::from(self.day) * 3);
        let upkeep = i64::from(cost.upkeep).saturating_mul(i64::from(self.hour) * months);
        money.saturating_add(effort).saturating_add(upkeep)
    }
}

/// Sixtieths of a cent, rounded.
pub(super) fn cents(exact: i64) -> i64 {
    exact.saturating_add(30).div_euclid(60)
}
