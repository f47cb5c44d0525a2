//! The answer for scripts: `docs/schema/decide-v1.json`.

use std::io::{self, Write};

use ::guide::measures::Measure;
use analysis::decide::{Cost, Effort, Left, Totals, Why};
use analysis::paths::EntryKind;
use serde_json::{Value, json};

use super::advice::{self, Advice, Settled};
use super::costs::{Bill, Line};
use super::problem::Problem;
use super::{id_of, words};

/// How many entries of a group are named.
const NAMED: usize = 20;

/// Writes it.
///
/// # Errors
/// When writing fails.
pub fn write(
    problem: &Problem<'_>,
    settled: &Settled,
    advice: &Advice,
    out: &mut impl Write,
) -> io::Result<()> {
    let value = value(problem, settled, advice);
    serde_json::to_writer_pretty(&mut *out, &value)?;
    out.write_all(b"\n")
}

/// It, as a value.
#[must_use]
pub fn value(problem: &Problem<'_>, settled: &Settled, advice: &Advice) -> Value {
    let plan = &advice.decision.plan;
    let gap = &plan.gap;
    let all = problem.weight(0..problem.threats.len());
    let left = advice.fixed_risk(problem) + advice.remaining_risk(problem);
    let ids = |places: &[usize]| -> Vec<&str> {
        places.iter().map(|place| id_of(problem, *place)).collect()
    };
    json!({
        "schema": "seawall.decide/v1",
        "asOf": problem.matter.as_of,
        "measures": advice.measures(problem).map(|place| measure(problem, settled, advice, place)).collect::<Vec<_>>(),
        "shared": plan.shared.iter().filter_map(|at| shared(problem, settled, advice, *at)).collect::<Vec<_>>(),
        "totals": totals(problem, &plan.totals, &advice.unpriced(problem)),
        "pairs": {
            "all": problem.count(&(0..problem.threats.len()).collect::<Vec<_>>()),
            "cut": problem.count(&plan.cut),
        },
        "risk": { "now": points(all), "left": points(left), "uncuttable": points(advice.fixed_risk(problem)) },
        "remaining": plan.remaining.iter().map(|left| {
            let mut value = threat(problem, left.threat);
            insert(&mut value, "why", json!(match left.why {
                Left::Budget(_) => "limits",
                Left::Excluded => "excluded",
                Left::Impossible => "impossible",
            }));
            if let Left::Budget(Some(cost)) = left.why {
                insert(&mut value, "alone", amount(cost));
            }
            value
        }).collect::<Vec<_>>(),
        "uncuttable": advice.uncuttable.iter().map(|(at, deeds)| {
            let mut value = threat(problem, *at);
            insert(&mut value, "edges", json!(deeds));
            value
        }).collect::<Vec<_>>(),
        "passed": advice.passed(problem).map(|passed| {
            let mut value = json!({
                "id": id_of(problem, passed.measure),
                "why": if settled.left.contains(&passed.measure) { "left" } else { word(passed.why) },
                "replaces": ids(&passed.replaces),
                "conflicts": ids(&passed.conflicts),
                "dominatedBy": passed.dominated_by.map(|place| id_of(problem, place)),
                "proven": passed.proven,
            });
            if let Some(measure) = problem.question.measures.get(passed.measure) {
                insert(&mut value, "overall", amount(words::overall(&measure.cost, &settled.rates)));
            }
            match passed.why {
                Why::TooDear(below) => insert(&mut value, "breakEven", amount(below)),
                Why::BudgetMoney(most) => insert(&mut value, "breakEvenMonthly", amount(most)),
                Why::BudgetEffort(most) => {
                    insert(&mut value, "breakEvenDays", json!(f64::from(most) / 10.0));
                }
                _ => {}
            }
            value
        }).collect::<Vec<_>>(),
        "withheld": problem.withheld.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>(),
        "chosenAlready": problem.recognised,
        "frontier": {
            "complete": advice.decision.frontier.complete,
            "points": advice.points(problem).iter().map(|point| json!({
                "measures": advice::without_kept(problem, &point.measures).map(|place| id_of(problem, place)).collect::<Vec<_>>(),
                "totals": totals(problem, &point.totals, &advice::unpriced(problem, &point.measures, &point.shared)),
                "risk": points(u64::try_from(point.risk).unwrap_or_default() + advice.fixed_risk(problem)),
                "proven": point.proven,
                "plan": advice.is_plan(point),
            })).collect::<Vec<_>>(),
        },
        "gap": gap.largest(),
        "gaps": { "cost": gap.cost, "risk": gap.risk },
        "limits": {
            "monthly": settled.money.map(amount),
            "effortDays": settled.effort.map(|tenths| f64::from(tenths) / 10.0),
            "taken": settled.taken.iter().map(|place| id_of(problem, *place)).collect::<Vec<_>>(),
            "left": settled.left.iter().map(|place| id_of(problem, *place)).collect::<Vec<_>>(),
            "refused": ids(&advice.refused),
        },
        "rates": {
            "currency": problem.costs.currency,
            "region": problem.costs.region,
            "day": amount(i64::from(settled.rates.day)),
            "hour": amount(i64::from(settled.rates.hour)),
            "months": settled.rates.months,
            "entries": EntryKind::ALL.iter().filter_map(|kind| {
                Some((kind.id().to_owned(), json!(problem.matter.guide.odds.of(*kind)?.weight)))
            }).collect::<serde_json::Map<_, _>>(),
            "possible": problem.matter.guide.odds.possible().map_or(0.0, |odd| f64::from(odd.weight) / 100.0),
        },
        "notes": problem.costs.notes,
        "notJudged": problem.graph.gaps.iter().map(|gap| &**gap).collect::<Vec<_>>(),
    })
}

fn measure(problem: &Problem<'_>, settled: &Settled, advice: &Advice, place: usize) -> Value {
    let (Some(measure), Some(offer)) = (
        problem.question.measures.get(place),
        problem.offers.get(place),
    ) else {
        return Value::Null;
    };
    let chosen = advice
        .decision
        .chosen
        .iter()
        .find(|chosen| chosen.measure == place);
    let threats = chosen.map_or(&[][..], |chosen| &chosen.cuts);
    let ids = |places: &[usize]| -> Vec<String> {
        places
            .iter()
            .map(|place| id_of(problem, *place).to_owned())
            .collect()
    };
    json!({
        "id": measure.id,
        "title": measure.title,
        "kind": match offer.measure { Measure::Guideline(_) => "guideline", Measure::Choice(..) => "option" },
        "cost": cost(problem, settled, &measure.cost, &offer.bill),
        "effortDays": effort(measure.cost.effort),
        "cuts": {
            "pairs": problem.count(threats),
            "edges": offer.edges.iter().map(|edge| edge.id()).collect::<Vec<_>>(),
            "ways": threats.iter().map(|at| threat(problem, *at)).collect::<Vec<_>>(),
        },
        "requiredBy": chosen.map_or_else(Vec::new, |chosen| ids(&chosen.needed_by)),
        "insteadOf": ids(&advice.replaces(problem, place)),
        "perhapsChosen": offer.open,
        "chosenIn": offer.partly.map(|(some, of)| json!({ "clusters": some, "of": of })),
    })
}

fn shared(problem: &Problem<'_>, settled: &Settled, advice: &Advice, at: usize) -> Option<Value> {
    let shared = problem.question.shared.get(at)?;
    let bill = problem.shared.get(at)?;
    let plan = &advice.decision.plan.measures;
    let needed = shared.measures.iter().filter(|place| plan.contains(place));
    Some(json!({
        "id": shared.id,
        "title": problem.matter.guide.shared_cost(&shared.id).map(|shared| &*shared.title),
        "cost": cost(problem, settled, &shared.cost, bill),
        "effortDays": effort(shared.cost.effort),
        "measures": needed.map(|place| id_of(problem, *place)).collect::<Vec<_>>(),
    }))
}

fn cost(problem: &Problem<'_>, settled: &Settled, cost: &Cost, bill: &Bill) -> Value {
    json!({
        "monthly": amount(cost.money),
        "currency": problem.costs.currency,
        "upkeepHours": f64::from(cost.upkeep) / 60.0,
        "overall": amount(words::overall(cost, &settled.rates)),
        "lines": bill.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "meter": line.meter,
        "about": line.about,
        "unit": line.unit,
        "units": line.units,
        "per": line.per.as_ref().map(|(per, _)| per),
        "known": line.per.as_ref().map(|(_, known)| known.words()),
        "monthly": line.money.map(amount),
        "source": line.source.as_ref().map(|(source, _)| source),
        "seen": line.source.as_ref().map(|(_, day)| day),
    })
}

fn totals(problem: &Problem<'_>, totals: &Totals, unpriced: &[Line]) -> Value {
    json!({
        "monthly": amount(totals.cost.money),
        "currency": problem.costs.currency,
        "effortDays": effort(totals.cost.effort),
        "upkeepHours": f64::from(totals.cost.upkeep) / 60.0,
        "overall": { "low": amount(totals.low), "middle": amount(totals.middle), "high": amount(totals.high) },
        "withoutPrice": unpriced.iter().map(line).collect::<Vec<_>>(),
    })
}

fn threat(problem: &Problem<'_>, at: usize) -> Value {
    let Some(pairs) = problem.threats.get(at) else {
        return json!({});
    };
    json!({
        "entries": pairs.entries.iter().take(NAMED).map(|node| problem.graph.id(*node)).collect::<Vec<_>>(),
        "count": pairs.entries.len(),
        "jewel": problem.graph.id(pairs.jewel),
        "certainty": if pairs.sure { "sure" } else { "possible" },
        "risk": points(u64::from(pairs.weight)),
    })
}

const fn word(why: Why) -> &'static str {
    match why {
        Why::Impossible => "impossible",
        Why::Excluded => "excluded",
        Why::NotNeeded => "not-needed",
        Why::TooDear(_) => "too-dear",
        Why::AsGood => "as-good",
        Why::BudgetMoney(_) => "budget",
        Why::BudgetEffort(_) => "effort",
        Why::Untried => "untried",
    }
}

fn insert(value: &mut Value, key: &str, what: Value) {
    if let Some(map) = value.as_object_mut() {
        map.insert(key.to_owned(), what);
    }
}

/// Units of the currency.
fn amount(cents: i64) -> Value {
    json!(cents as f64 / 100.0)
}

fn points(weight: u64) -> Value {
    json!(weight as f64 / 100.0)
}

fn effort(effort: Effort) -> Value {
    json!([f64::from(effort.low) / 10.0, f64::from(effort.high) / 10.0])
}
