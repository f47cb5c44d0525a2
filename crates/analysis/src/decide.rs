//! Which measures to take: the cheapest that cut the attacks, the best within a budget, and why.
//!
//! Pure numbers: what a measure is, and how an attack goes, is known to the caller. A **threat** is
//! something to be prevented (from an entry to a jewel); a **way** is one course that it can take, cut when
//! any one of some measures stands. There are too many ways to list, so [`Attacks`] is asked for those that
//! are left when some measures stand, and only those are kept (an implicit hitting set): the cheapest set
//! of measures that cuts the ways known so far is a lower bound, and an answer once nothing is left of the
//! attack. A measure never opens a way.
//!
//! Costs are compared in one number, [`Rates`] says how. Among answers that cost the same, the one that
//! leaves out the last measure in the order of ids wins, then the last but one, and so on: the answer does
//! not depend on the order of the question. Work is counted in steps, never in time; where it runs out the
//! answer says how far from the best it can be.
//!
//! | part | holds |
//! |---|---|
//! | [`answer`] | what is said |
//! | `question` | the same question in the order of ids, checked |
//! | `hitting` | asks for ways, and solves over those that are known |
//! | `program` | clauses and limits: the cheapest answer, by branch and bound |
//! | `plan` | the cheapest plan, and the best within a budget |
//! | `frontier` | what less money, less effort or more risk would buy |
//! | `explain` | why each measure is in or out, and what would change that |
//!
//! Left out: what measures do to each other's costs, except what they share; costs that grow with time;
//! likelihoods.

pub mod answer;

mod explain;
mod frontier;
mod hitting;
mod plan;
mod program;
mod question;
mod set;

pub use answer::{
    Chosen, Decision, Frontier, Gap, Left, Passed, Plan, Point, Remaining, Totals, Why,
};
pub use set::Set;

use question::Sorted;

/// From less to more, in tenths of a person's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Tenths of a day, when it goes well.
    pub low: u32,
    /// Tenths of a day, when it does not.
    pub high: u32,
}

/// What something costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Cents a month; negative where it saves money.
    pub money: i64,
    /// Work once.
    pub effort: Effort,
    /// Minutes of work a month.
    pub upkeep: u32,
}

/// Something that may be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measure {
    /// A name of its own; decides between answers that cost the same.
    pub id: String,
    /// What it says to a reader.
    pub title: String,
    /// What it costs by itself, without what it shares.
    pub cost: Cost,
    /// Of each of these, at least one has to stand too.
    pub requires: Vec<Vec<usize>>,
    /// None of these may stand beside it; said once is enough.
    pub conflicts: Vec<usize>,
    /// It stands: it costs nothing more, and stays.
    pub chosen_already: bool,
}

/// A cost that is paid once when any of some measures is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shared {
    /// A name of its own.
    pub id: String,
    /// What it costs.
    pub cost: Cost,
    /// The measures that need it.
    pub measures: Vec<usize>,
}

/// Something to be prevented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Threat {
    /// A name of its own.
    pub id: String,
    /// How much it matters, compared with others.
    pub weight: u32,
}

/// What is to be decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// What may be done.
    pub measures: Vec<Measure>,
    /// Costs that several measures share.
    pub shared: Vec<Shared>,
    /// What is to be prevented.
    pub threats: Vec<Threat>,
}

/// One course that a threat can take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// The place of the threat in [`Question::threats`].
    pub threat: usize,
    /// The places of the measures any one of which cuts it; none where nothing does.
    pub cut_by: Vec<usize>,
}

/// Knows what an attacker can still do.
pub trait Attacks {
    /// At least one way of every threat that has any left when these measures stand (those that are
    /// [`Measure::chosen_already`] among them). None of the measures that stand may cut a way that is
    /// given. The fewer measures cut it, the sooner the answer is found.
    fn surviving(&mut self, standing: &Set) -> Vec<Way>;
}

/// How costs of different kinds are compared: over some months, all in money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Cents for a person's day of work.
    pub day: u32,
    /// Cents for an hour of upkeep.
    pub hour: u32,
    /// How many months are counted.
    pub months: u32,
}

impl Default for Rates {
    /// 800 a day, 100 an hour, over three years: assumptions, to be said wherever a sum is.
    fn default() -> Self {
        Self {
            day: 80_000,
            hour: 10_000,
            months: 36,
        }
    }
}

/// What is asked of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// How costs are compared.
    pub rates: Rates,
    /// At most this many cents a month more than now.
    pub money_at_most: Option<i64>,
    /// At most this many tenths of a day, by the middle of each range.
    pub effort_at_most: Option<u32>,
    /// At most this many points of the frontier; none where it is not wanted.
    pub points: usize,
    /// At most this many measures of which it is found out what would change the answer.
    pub changes: usize,
    /// Steps for the plan; the frontier and the explanations get as much each.
    pub work: u64,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            rates: Rates::default(),
            money_at_most: None,
            effort_at_most: None,
            points: 12,
            changes: 40,
            work: 400_000_000,
        }
    }
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two of a kind have one id.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A place that there is not.
    #[error("`{0}` speaks of a measure that there is not")]
    NoSuchMeasure(String),
    /// Sums would not be exact.
    #[error("the costs or weights are too large to be summed up exactly")]
    TooLarge,
    /// A way of a threat that there is not.
    #[error("a way of a threat that there is not")]
    NoSuchThreat,
    /// The attacks say that a way is left which the measures that stand cut, or that was known to be cut.
    #[error("the threat `{0}` is said to be left by a way that is cut")]
    Contradiction(String),
}

/// Decides.
///
/// # Errors
///
/// A question that contradicts itself, or [`Attacks`] that do.
pub fn decide(
    question: &Question,
    attacks: &mut dyn Attacks,
    ask: &Ask,
) -> Result<Decision, Error> {
    let sorted = Sorted::new(question, &ask.rates)?;
    let mut hitting = hitting::Hitting::new(&sorted, attacks)?;
    let planned = plan::plan(&mut hitting, ask)?;
    let (chosen, passed) = explain::explain(&mut hitting, ask, &planned)?;
    let frontier = frontier::frontier(&mut hitting, ask)?;
    Ok(Decision {
        rates: ask.rates,
        plan: hitting.describe(&planned),
        uncuttable: hitting.threats(|threat| threat.uncuttable),
        absent: hitting.threats(|threat| threat.absent),
        chosen,
        passed,
        frontier,
        ways: hitting.known(),
        asked: hitting.asked,
    })
}
