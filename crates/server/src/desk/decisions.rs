//! What to do about attack paths: the cheapest plan that cuts them, what each measure of it cuts, and what less would
//! buy. Asked of the estate as of a picture, with bounded work.
//!
//! What it deliberately leaves out: taking and leaving measures (`seawall decide --interactive`).

use analysis::paths::{Graph, Wishes};
use guide::Guide;
use jiff::Timestamp;
use report::config::Config;
use report::decide::advice::without_kept;
use report::decide::{
    Bounds, Chosen, Matter, Problem, Settled, Terms, chart, id_of, json, sentences, solve, words,
};
use serde_json::Value;

use crate::watch::Picture;

/// Within what a plan is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    /// Money a month more than now.
    pub(super) money: Option<u32>,
    /// Days of work.
    pub(super) days: Option<u32>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Decisions {
    /// The number of the picture, and its moment.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    /// What was decided, or why nothing can be.
    pub(super) told: Result<Told, (String, Option<String>)>,
}

/// A plan in words.
#[derive(Debug)]
pub(super) struct Told {
    /// In a few sentences.
    pub(super) answer: Vec<String>,
    pub(super) currency: String,
    pub(super) months: u32,
    pub(super) measures: Vec<Line>,
    pub(super) totals: [String; 4],
    /// What has no price.
    pub(super) unpriced: Option<String>,
    /// A `figure`, where there is more than one point.
    pub(super) chart: Option<String>,
    pub(super) points: Vec<Point>,
    /// What stays, what would change the answer, what it rests on.
    pub(super) sections: Vec<(&'static str, Vec<String>)>,
    /// The answer for scripts.
    pub(super) value: Value,
}

/// A measure of the plan, or a cost that several share.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: String,
    /// What it is, what it cuts, what it is charged by.
    pub(super) about: Vec<String>,
    /// Money a month, days, hours a month, all counted.
    pub(super) cells: [String; 4],
}

/// A point of the frontier.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) measures: Vec<String>,
    /// Money a month, days, hours a month, risk left.
    pub(super) cells: [String; 4],
    pub(super) is_plan: bool,
}

/// Decides. Takes seconds where there is much.
pub(super) fn look(guide: &Guide, config: &Config, picture: &Picture, limits: Limits) -> Decisions {
    let analyses = guide::facts::analyses(guide, &picture.setting, &picture.estate);
    let wishes = Wishes {
        cluster: config.cluster.clone(),
        jewels: config.jewels.clone(),
    };
    let graph = Graph::build(&analyses, &wishes);
    let mut terms = Terms::of(&config.budget);
    if let Some(money) = limits.money {
        terms.settled.money = Some(i64::from(money) * 100);
    }
    if let Some(days) = limits.days {
        terms.settled.effort = Some(days.saturating_mul(10));
    }
    let day = picture.at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let as_of = day.to_string();
    let matter = Matter {
        guide,
        setting: &picture.setting,
        as_of: &as_of,
        quantities: &config.quantities,
        analyses: &analyses,
    };
    let told = Problem::new(&terms, matter, &graph, &Chosen::all(&graph))
        .and_then(|mut problem| told(&mut problem, &terms.settled))
        .map_err(|error| (error.message, error.help));
    Decisions {
        number: picture.number,
        at: picture.at,
        told,
    }
}

fn told(problem: &mut Problem<'_>, settled: &Settled) -> Result<Told, report::decide::DecideError> {
    let advice = solve(problem, settled, Bounds::QUICK)?;
    let problem = &*problem;
    let plan = &advice.decision.plan;
    let cells = |cost: &analysis::decide::Cost| {
        [
            words::money(cost.money),
            words::days(cost.effort),
            words::hours(cost.upkeep),
            words::money(words::overall(cost, &settled.rates)),
        ]
    };
    let mut measures = Vec::new();
    for place in advice.measures(problem) {
        if let Some(measure) = problem.question.measures.get(place) {
            measures.push(Line {
                id: measure.id.clone(),
                about: sentences::about(problem, settled, &advice, place),
                cells: cells(&measure.cost),
            });
        }
    }
    for at in &plan.shared {
        if let Some(shared) = problem.question.shared.get(*at) {
            measures.push(Line {
                id: shared.id.clone(),
                about: sentences::about_shared(problem, &advice, *at),
                cells: cells(&shared.cost),
            });
        }
    }
    let fixed = advice.fixed_risk(problem);
    let all = advice.points(problem);
    let points: Vec<Point> = all
        .iter()
        .map(|point| Point {
            measures: without_kept(problem, &point.measures)
                .map(|place| id_of(problem, place).to_owned())
                .collect(),
            cells: [
                words::money(point.totals.cost.money),
                words::days(point.totals.cost.effort),
                words::hours(point.totals.cost.upkeep),
                words::risk(u64::try_from(point.risk).unwrap_or_default() + fixed),
            ],
            is_plan: advice.is_plan(point),
        })
        .collect();
    let sections = sentences::sections(problem, settled, &advice);
    Ok(Told {
        answer: sentences::answer(problem, settled, &advice),
        currency: problem.costs.currency.to_string(),
        months: settled.rates.months,
        measures,
        totals: cells(&plan.totals.cost),
        unpriced: sentences::without_price(&advice.unpriced(problem)),
        chart: (points.len() > 1).then(|| chart::chart(problem, settled, &advice)),
        points,
        sections: sections
            .into_iter()
            .map(|section| (section.title, section.items))
            .collect(),
        value: json::value(problem, settled, &advice),
    })
}
