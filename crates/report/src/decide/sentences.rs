//! What people are told in every output: the answer, what each measure is for, what stays, and what was not
//! worth it.
//!
//! Left out: how it stands in a terminal ([`super::text`]) or on a page ([`super::page`]).

use std::collections::BTreeMap;

use analysis::decide::{Effort, Passed, Why};
use analysis::paths::EntryKind;

use super::advice::{self, Advice, Settled};
use super::costs::{Bill, Line};
use super::problem::Problem;
use super::{id_of, words};

/// How many of a kind are shown.
const MOST: usize = 6;

/// Sentences under a heading.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// The sentences.
    pub items: Vec<String>,
}

/// What stays, what would change the answer, what was not worth it, what the sums rest on.
pub fn sections(problem: &Problem<'_>, settled: &Settled, advice: &Advice) -> Vec<Section> {
    let (near, plain) = passed(problem, settled, advice);
    stays(problem, advice)
        .into_iter()
        .chain(near)
        .chain(plain)
        .chain([rests_on(problem, settled)])
        .collect()
}

/// With its currency.
pub fn amount(problem: &Problem<'_>, cents: i64) -> String {
    format!("{} {}", words::money(cents), problem.costs.currency)
}

/// The answer in a few sentences.
pub fn answer(problem: &Problem<'_>, settled: &Settled, advice: &Advice) -> Vec<String> {
    let plan = &advice.decision.plan;
    let all: Vec<usize> = (0..problem.threats.len()).collect();
    let pairs = problem.count(&all);
    if pairs == 0 {
        return vec![
            "No way from an entry to a jewel by what was given: nothing to decide.".to_owned(),
        ];
    }
    let remaining = plan.remaining.iter().map(|left| left.threat);
    let left: Vec<usize> = remaining
        .chain(advice.decision.uncuttable.clone())
        .collect();
    let left_pairs = problem.count(&left);
    let of = words::count(
        pairs,
        "pair of an entry and a jewel",
        "pairs of an entry and a jewel",
    );
    let sure: Vec<usize> = (0..)
        .zip(&problem.threats)
        .filter(|(_, pairs)| pairs.sure)
        .map(|(at, _)| at)
        .collect();
    let sure = problem.count(&sure);
    let of = format!("{of} ({sure} sure, {} only possible)", pairs - sure);
    let measures = advice.measures(problem).count();
    let limited = settled.money.is_some() || settled.effort.is_some();
    let mut said = vec![match measures {
        0 if limited && !plan.remaining.is_empty() => {
            format!("Nothing of {of} can be cut within the limits.")
        }
        0 => format!("Nothing that the guide still asks for cuts any of {of}."),
        _ => format!(
            "{} cut{} {} of {of}: {} a month, {} of work, {} of upkeep a month.",
            words::count(measures, "measure", "measures"),
            if measures == 1 { "s" } else { "" },
            pairs - left_pairs,
            amount(problem, plan.totals.cost.money),
            words::with_unit(&words::days(plan.totals.cost.effort), "day", "days"),
            words::with_unit(&words::hours(plan.totals.cost.upkeep), "hour", "hours"),
        ),
    }];
    let all = problem.weight(0..problem.threats.len());
    let risk_left = advice.fixed_risk(problem) + advice.remaining_risk(problem);
    let gap = &plan.gap;
    let weakened: Vec<usize> = advice
        .decision
        .plan
        .cut
        .iter()
        .copied()
        .filter(|at| problem.threats.get(*at).is_some_and(|pairs| pairs.sure))
        .collect();
    let weakened = problem.both(&weakened, &left);
    if weakened > 0 {
        said.push(format!(
            "Of {} only possible ways stay.",
            words::count(weakened, "sure pair", "sure pairs")
        ));
    }
    said.push(format!(
        "Of {} points of risk {} stay. {}",
        words::risk(all),
        words::risk(risk_left),
        if gap.is_closed() && measures == 0 {
            String::new()
        } else if gap.is_closed() {
            "No cheaper plan leaves as little: proven, the gap is 0 %.".to_owned()
        } else {
            format!(
                "Not proven to be the best: the gap is {} % of the cost and {} % of the risk.",
                words::number(gap.cost * 100.0),
                words::number(gap.risk * 100.0)
            )
        }
    ));
    if limited {
        let money = settled
            .money
            .map(|cents| format!("{} a month", amount(problem, cents)));
        let effort = settled.effort.map(|tenths| {
            let days = Effort {
                low: tenths,
                high: tenths,
            };
            format!(
                "{} of work",
                words::with_unit(&words::days(days), "day", "days")
            )
        });
        let limits: Vec<String> = money.into_iter().chain(effort).collect();
        said.push(format!("Within {}.", limits.join(" and ")));
    }
    for place in &advice.refused {
        said.push(format!(
            "`{}` was to be taken, but fits no plan within the limits.",
            id_of(problem, *place)
        ));
    }
    said
}

/// What a measure of the plan is, what it is for, and what it is charged by.
pub fn about(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    place: usize,
) -> Vec<String> {
    let (Some(measure), Some(offer)) = (
        problem.question.measures.get(place),
        problem.offers.get(place),
    ) else {
        return Vec::new();
    };
    let mut said = vec![measure.title.clone()];
    let chosen = advice
        .decision
        .chosen
        .iter()
        .find(|chosen| chosen.measure == place);
    let kinds: Vec<&str> = offer.edges.iter().map(|edge| edge.id()).collect();
    let back = chosen.map_or(0, |chosen| problem.count(&chosen.cuts));
    if back > 0 {
        said.push(format!(
            "without it {} would be open; it takes away {}",
            words::count(back, "pair", "pairs"),
            short(&kinds)
        ));
    }
    let needed: Vec<&str> = chosen
        .into_iter()
        .flat_map(|chosen| &chosen.needed_by)
        .map(|place| id_of(problem, *place))
        .collect();
    if !needed.is_empty() {
        said.push(format!("required by {}", needed.join(", ")));
    }
    if settled.taken.contains(&place) && back == 0 {
        said.push("taken because it was asked for".to_owned());
    }
    let replaced: Vec<&str> = advice
        .replaces(problem, place)
        .into_iter()
        .map(|place| id_of(problem, place))
        .collect();
    if !replaced.is_empty() {
        said.push(format!(
            "instead of {}, which is chosen now (what that costs is not taken off)",
            replaced.join(", ")
        ));
    }
    if let Some(why) = &offer.open {
        said.push(format!("perhaps chosen already: {why}"));
    }
    if let Some((some, of)) = offer.partly {
        said.push(format!(
            "chosen in {some} of {of} clusters already; price and work are counted for all of them"
        ));
    }
    said.extend(charges(problem, &offer.bill));
    said
}

/// What a shared cost of the plan is, and for what.
pub fn about_shared(problem: &Problem<'_>, advice: &Advice, at: usize) -> Vec<String> {
    let (Some(shared), Some(bill)) = (problem.question.shared.get(at), problem.shared.get(at))
    else {
        return Vec::new();
    };
    let title = problem
        .matter
        .guide
        .shared_cost(&shared.id)
        .map_or("", |shared| &shared.title);
    let plan = &advice.decision.plan.measures;
    let needed: Vec<&str> = shared
        .measures
        .iter()
        .filter(|place| plan.contains(place))
        .map(|place| id_of(problem, *place))
        .collect();
    let mut said = vec![format!("{title}; paid once, for {}", needed.join(", "))];
    said.extend(charges(problem, bill));
    said
}

fn charges(problem: &Problem<'_>, bill: &Bill) -> Vec<String> {
    bill.lines
        .iter()
        .map(|line| match line.money {
            Some(money) => format!("{}: {} a month", words::line(line), amount(problem, money)),
            None => format!("{}: no price", words::line(line)),
        })
        .collect()
}

/// Whether something of it has no price.
#[must_use]
pub fn lacks(bill: &Bill) -> bool {
    bill.lines.iter().any(|line| line.money.is_none())
}

/// The footnote of sums that lack a price.
pub fn without_price(unpriced: &[Line]) -> Option<String> {
    let each: Vec<String> = unpriced.iter().map(words::line).collect();
    (!each.is_empty()).then(|| {
        format!(
            "* plus {} without a price: {}",
            words::count(each.len(), "meter", "meters"),
            each.join("; ")
        )
    })
}

fn short(kinds: &[&str]) -> String {
    let shown: Vec<&str> = kinds.iter().copied().take(MOST).collect();
    match kinds.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more kinds of steps", shown.join(", ")),
    }
}

/// What stays, and why.
pub fn stays(problem: &Problem<'_>, advice: &Advice) -> Option<Section> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for left in &advice.decision.plan.remaining {
        let why = advice::why_left(left.why, |cents| amount(problem, cents));
        groups.entry(why).or_default().push(left.threat);
    }
    for (threat, deeds) in &advice.uncuttable {
        let why = if deeds.is_empty() {
            "it is held from the start".to_owned()
        } else {
            let deeds = deeds.join(", then ");
            format!("nothing that the guide still asks for takes away {deeds}")
        };
        groups.entry(why).or_default().push(*threat);
    }
    let mut groups: Vec<(u64, String, Vec<usize>)> = groups
        .into_iter()
        .map(|(why, threats)| (problem.weight(threats.iter().copied()), why, threats))
        .collect();
    groups.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
    let mut items: Vec<String> = groups
        .iter()
        .take(MOST)
        .map(|(risk, why, threats)| {
            let those = threats
                .iter()
                .filter_map(|threat| problem.threats.get(*threat));
            let kind = if those.clone().any(|pairs| pairs.sure) {
                ""
            } else {
                "possible "
            };
            let example = those.clone().next().map_or_else(String::new, |pairs| {
                let from = pairs.entries.first().map(|node| problem.graph.title(*node));
                format!(
                    "{} to {}",
                    from.unwrap_or_default(),
                    problem.graph.title(pairs.jewel)
                )
            });
            let number = problem.count(threats);
            format!(
                "{number} {kind}{} ({} points): {why}; as from {example}",
                if number == 1 { "pair" } else { "pairs" },
                words::risk(*risk)
            )
        })
        .collect();
    if groups.len() > MOST {
        items.push(format!(
            "and for {}: `--format json` has all",
            words::count(groups.len() - MOST, "more reason", "more reasons")
        ));
    }
    (!items.is_empty()).then_some(Section {
        title: "What stays",
        items,
    })
}

/// What would change the answer, and what was not worth it.
fn passed(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
) -> (Option<Section>, Option<Section>) {
    let mut near: Vec<(i64, usize, String)> = Vec::new();
    let mut plain: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for passed in advice.passed(problem) {
        match grouped(settled, passed) {
            Some(why) => plain
                .entry(why)
                .or_default()
                .push(id_of(problem, passed.measure)),
            None => near.push(changes(problem, settled, passed)),
        }
    }
    near.sort();
    let more = near.len().saturating_sub(MOST + 2);
    let mut items: Vec<String> = near
        .into_iter()
        .take(MOST + 2)
        .map(|(_, _, text)| text)
        .collect();
    if more > 0 {
        items.push(format!("and {more} more: `--format json`"));
    }
    let near = (!items.is_empty()).then_some(Section {
        title: "What would change the answer",
        items,
    });
    let own = plain
        .iter()
        .map(|(why, ids)| format!("{why}: {}", ids.join(", ")));
    let withheld = problem
        .withheld
        .iter()
        .map(|(id, why)| format!("not offered: {id}, {why}"));
    let items: Vec<String> = own.chain(withheld).collect();
    let plain = (!items.is_empty()).then_some(Section {
        title: "Not worth it",
        items,
    });
    (near, plain)
}

/// Why many are out alike; nothing where an amount says it.
fn grouped(settled: &Settled, passed: &Passed) -> Option<&'static str> {
    if settled.left.contains(&passed.measure) {
        return Some("left out as asked");
    }
    match passed.why {
        Why::NotNeeded => Some("what they cut is cut anyway"),
        Why::Excluded => Some("with them more risk would remain"),
        Why::Impossible => Some("what they require is not there, or what stands excludes them"),
        Why::Untried => Some("not looked into"),
        Why::TooDear(_) | Why::AsGood | Why::BudgetMoney(_) | Why::BudgetEffort(_) => None,
    }
}

/// How far it is from the plan, and what would bring it in.
fn changes(problem: &Problem<'_>, settled: &Settled, passed: &Passed) -> (i64, usize, String) {
    let id = id_of(problem, passed.measure);
    let measure = problem.question.measures.get(passed.measure);
    let own = measure.map_or(0, |measure| words::overall(&measure.cost, &settled.rates));
    let why = advice::why(problem, passed, |cents| amount(problem, cents));
    let text = format!("{id} (costs {}): {why}", amount(problem, own));
    match passed.why {
        Why::TooDear(below) => (own - below, passed.measure, text),
        _ => (0, passed.measure, text),
    }
}

fn rests_on(problem: &Problem<'_>, settled: &Settled) -> Section {
    let rates = &settled.rates;
    let odds = &problem.matter.guide.odds;
    let weights: Vec<String> = EntryKind::ALL
        .iter()
        .filter_map(|kind| Some(format!("{} {}", kind.id(), odds.of(*kind)?.weight)))
        .collect();
    let possible = odds.possible().map_or(0, |possible| possible.weight);
    let mut items = vec![
        format!(
            "All over {} = money x {} + days (the middle of the range) x {} + hours x {} x {}. What \
             a day and an hour cost is assumed: `--day-rate`, `--hour-rate`, `--months`.",
            words::count(rates.months as usize, "month", "months"),
            rates.months,
            words::money(i64::from(rates.day)),
            words::money(i64::from(rates.hour)),
            rates.months,
        ),
        format!(
            "Points of risk of a pair = worth of the jewel x weight of the entry ({}), judged, not \
             measured (guide/data/entries.yaml); where only possible ways are left, {possible} % of \
             them.",
            weights.join(", "),
        ),
        "A guideline is followed everywhere, an option chosen everywhere: the work is counted once."
            .to_owned(),
    ];
    if problem.costs.notes.is_empty() {
        items.push(
            "No prices were given: what is charged by a meter adds nothing to the sums \
             (`--prices FILE`, docs/prices.md)."
                .to_owned(),
        );
    }
    items.extend(problem.costs.notes.iter().cloned());
    if !problem.recognised.is_empty() {
        items.push(format!(
            "Chosen already: {}.",
            problem.recognised.join(", ")
        ));
    }
    for gap in &problem.graph.gaps {
        items.push(format!("Not judged: {gap}."));
    }
    Section {
        title: "What the sums rest on",
        items,
    }
}
