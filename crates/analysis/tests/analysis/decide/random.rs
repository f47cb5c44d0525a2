//! Thousands of random questions: the decision is what all subsets say.

use std::collections::BTreeSet;

use analysis::decide::{Ask, Decision, Left, Question, Why, decide};

use super::brute::{self, Subset};
use super::steps::{self, Steps};
use crate::reach::random::Random;

fn ask() -> Ask {
    Ask {
        points: 0,
        changes: 0,
        ..Ask::default()
    }
}

/// A limit now and then, from none to more than is needed.
fn limited(random: &mut Random) -> Ask {
    Ask {
        money_at_most: (!random.one_in(3)).then(|| random.below(80_000) as i64),
        effort_at_most: random.one_in(2).then(|| random.below(60) as u32),
        ..ask()
    }
}

fn fits(subset: &Subset, ask: &Ask) -> bool {
    ask.money_at_most.is_none_or(|most| subset.money <= most)
        && ask
            .effort_at_most
            .is_none_or(|most| subset.effort <= 2 * i64::from(most))
}

/// The best subset: the least risk, then the least cost, then the first by ids.
fn best<'s>(subsets: &'s [Subset], ask: &Ask) -> Option<&'s Subset> {
    subsets
        .iter()
        .filter(|subset| fits(subset, ask))
        .min_by_key(|subset| (subset.risk, subset.cost, subset.mask))
}

fn mask(measures: &[usize]) -> u32 {
    measures.iter().map(|at| 1 << at).sum()
}

fn cents(exact: i64) -> i64 {
    (exact + 30).div_euclid(60)
}

/// How many measures the questions of a run have: mostly few, so that there can be many questions.
fn sizes(many: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..many).map(move |seed| {
        let size = match seed {
            0..8 => 18 - seed as usize % 3,
            8..60 => 12 + seed as usize % 4,
            _ => 1 + seed as usize % 11,
        };
        (seed, size)
    })
}

fn same(question: &Question, steps: &Steps, ask: &Ask, subsets: &[Subset], seed: u64) -> Decision {
    let decision = decide(question, &mut steps.clone(), ask).unwrap();
    let plan = &decision.plan;
    let Some(best) = best(subsets, ask) else {
        assert!(plan.measures.is_empty(), "seed {seed}");
        return decision;
    };
    assert_eq!(
        mask(&plan.measures),
        best.mask,
        "seed {seed}: {plan:#?}\n{best:#?}\n{question:#?}\n{steps:#?}"
    );
    assert_eq!(plan.totals.middle, cents(best.cost), "seed {seed}");
    assert_eq!(plan.totals.cost.money, best.money, "seed {seed}");
    assert!(
        plan.gap.is_closed() && plan.first,
        "seed {seed}: {:?}",
        plan.gap
    );
    let left: Vec<usize> = (0..best.left.len()).filter(|at| best.left[*at]).collect();
    let remaining: Vec<usize> = plan.remaining.iter().map(|left| left.threat).collect();
    assert_eq!(remaining, left, "seed {seed}");
    let never = brute::uncuttable(steps);
    let never: Vec<usize> = (0..never.len()).filter(|at| never[*at]).collect();
    assert_eq!(decision.uncuttable, never, "seed {seed}");
    decision
}

#[test]
fn the_cheapest_plan_is_that_of_all_subsets() {
    for (seed, size) in sizes(2_500) {
        let mut random = Random(seed);
        let (question, steps) = steps::small(&mut random, size);
        let subsets = brute::subsets(&question, &steps, &ask().rates, None);
        let decision = same(&question, &steps, &ask(), &subsets, seed);
        for remaining in &decision.plan.remaining {
            let alone = subsets.iter().any(|subset| !subset.left[remaining.threat]);
            let expected = if alone {
                Left::Excluded
            } else {
                Left::Impossible
            };
            assert_eq!(remaining.why, expected, "seed {seed}");
        }
    }
}

#[test]
fn within_limits_the_best_plan_is_that_of_all_subsets() {
    for (seed, size) in sizes(2_500) {
        let mut random = Random(seed + 1_000_000);
        let (question, steps) = steps::small(&mut random, size);
        let ask = limited(&mut random);
        let subsets = brute::subsets(&question, &steps, &ask.rates, None);
        let decision = same(&question, &steps, &ask, &subsets, seed);
        if ask.money_at_most.is_none() && ask.effort_at_most.is_none() {
            continue;
        }
        for remaining in &decision.plan.remaining {
            let alone = subsets
                .iter()
                .filter(|subset| !subset.left[remaining.threat]);
            let expected = alone
                .map(|subset| subset.cost)
                .min()
                .map_or(Left::Impossible, |cost| Left::Budget(Some(cents(cost))));
            assert_eq!(remaining.why, expected, "seed {seed}");
        }
    }
}

#[test]
fn the_frontier_is_that_of_all_subsets() {
    let mut most = 0;
    for (seed, size) in sizes(1_000).skip(20) {
        let mut random = Random(seed + 2_000_000);
        let (question, steps) = steps::small(&mut random, size.min(12));
        let ask = Ask {
            points: 1_000,
            ..ask()
        };
        let all: BTreeSet<(i64, i64, i64)> = brute::subsets(&question, &steps, &ask.rates, None)
            .iter()
            .map(|subset| (subset.money, subset.effort, subset.risk))
            .collect();
        let better = |a: &(i64, i64, i64), b: &(i64, i64, i64)| {
            a != b && a.0 <= b.0 && a.1 <= b.1 && a.2 <= b.2
        };
        let expected: Vec<_> = all
            .iter()
            .filter(|at| !all.iter().any(|other| better(other, at)))
            .copied()
            .collect();
        let decision = decide(&question, &mut steps.clone(), &ask).unwrap();
        let found: Vec<_> = decision
            .frontier
            .points
            .iter()
            .map(|point| {
                let cost = point.totals.cost;
                (
                    cost.money,
                    i64::from(cost.effort.low + cost.effort.high),
                    point.risk,
                )
            })
            .collect();
        assert_eq!(found, expected, "seed {seed}");
        assert!(decision.frontier.complete, "seed {seed}");
        most = most.max(found.len());
        let few = Ask { points: 3, ..ask };
        let decision = decide(&question, &mut steps.clone(), &few).unwrap();
        assert_eq!(
            decision.frontier.points.len(),
            expected.len().min(3),
            "seed {seed}"
        );
        assert_eq!(
            decision.frontier.complete,
            expected.len() <= 3,
            "seed {seed}"
        );
    }
    assert!(most > 10, "some frontiers have many points: {most}");
}

#[test]
fn what_a_measure_is_for_is_what_comes_back_without_it() {
    let mut seen = 0;
    for (seed, size) in sizes(1_200).skip(30) {
        let mut random = Random(seed + 3_000_000);
        let (question, steps) = steps::small(&mut random, size);
        let decision = decide(&question, &mut steps.clone(), &ask()).unwrap();
        let standing = brute::standing(&question);
        let all = mask(&decision.plan.measures) | standing;
        for chosen in &decision.chosen {
            let mut without = all & !(1 << chosen.measure);
            while let Some(falls) = (0..size).find(|at| {
                without >> at & 1 == 1
                    && standing >> at & 1 == 0
                    && !question.measures[*at]
                        .requires
                        .iter()
                        .all(|any| any.iter().any(|at| without >> at & 1 == 1))
            }) {
                without &= !(1 << falls);
                assert!(chosen.needed_by.contains(&falls), "seed {seed}");
            }
            let before = brute::left(&steps, all);
            let after = brute::left(&steps, without);
            let back: Vec<usize> = (0..before.len())
                .filter(|at| after[*at] && !before[*at])
                .collect();
            assert_eq!(chosen.cuts, back, "seed {seed}");
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
}

/// By all subsets, what would bring a measure into the plan.
fn expected_why(
    question: &Question,
    steps: &Steps,
    ask: &Ask,
    subsets: &[Subset],
    at: usize,
) -> Why {
    let plan = best(subsets, ask).unwrap();
    let free = brute::subsets(question, steps, &ask.rates, Some(at));
    let with = |subset: &&Subset| subset.mask >> at & 1 == 1;
    if !free.iter().any(|subset| with(&subset)) {
        return Why::Impossible;
    }
    // Its own money and effort count against the limits, its price does not count in the cost.
    let own = |list: &[Subset], subset: &Subset| {
        list.iter()
            .find(|other| other.mask == subset.mask)
            .cloned()
            .unwrap()
    };
    if plan.risk > 0 {
        let lower = |subset: &&Subset| with(subset) && subset.risk < plan.risk;
        if let Some(most) = ask.money_at_most {
            let money = free
                .iter()
                .filter(lower)
                .filter(|subset| {
                    ask.effort_at_most
                        .is_none_or(|most| own(subsets, subset).effort <= 2 * i64::from(most))
                })
                .map(|subset| subset.money)
                .min();
            if let Some(money) = money.filter(|money| *money <= most) {
                return Why::BudgetMoney(most - money);
            }
        }
        if let Some(most) = ask.effort_at_most {
            let effort = free
                .iter()
                .filter(lower)
                .filter(|subset| {
                    ask.money_at_most
                        .is_none_or(|most| own(subsets, subset).money <= most)
                })
                .map(|subset| subset.effort)
                .min();
            if let Some(effort) = effort.filter(|effort| *effort <= 2 * i64::from(most)) {
                return Why::BudgetEffort(((2 * i64::from(most) - effort) / 2) as u32);
            }
        }
    }
    let cheapest = free
        .iter()
        .filter(with)
        .filter(|subset| subset.risk <= plan.risk && fits(&own(subsets, subset), ask))
        .map(|subset| subset.cost)
        .min();
    let price = brute::exact(&question.measures[at].cost, &ask.rates);
    match cheapest {
        Some(cost) if plan.cost - cost == price && price > 0 => Why::AsGood,
        Some(cost) if cost < plan.cost => Why::TooDear(cents(plan.cost - cost)),
        Some(_) => Why::NotNeeded,
        None if free
            .iter()
            .any(|subset| with(&subset) && subset.risk <= plan.risk) =>
        {
            Why::Untried
        }
        None => Why::Excluded,
    }
}

#[test]
fn what_would_change_the_answer_is_what_all_subsets_say() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for (seed, size) in sizes(700).skip(60) {
        let mut random = Random(seed + 4_000_000);
        let (question, steps) = steps::small(&mut random, size.min(9));
        let ask = Ask {
            changes: 100,
            ..if random.one_in(2) {
                ask()
            } else {
                limited(&mut random)
            }
        };
        let subsets = brute::subsets(&question, &steps, &ask.rates, None);
        if best(&subsets, &ask).is_none() {
            continue;
        }
        let decision = decide(&question, &mut steps.clone(), &ask).unwrap();
        for passed in &decision.passed {
            let expected = expected_why(&question, &steps, &ask, &subsets, passed.measure);
            assert_eq!(passed.why, expected, "seed {seed}: {passed:?}\n{ask:?}");
            assert!(passed.proven, "seed {seed}: {passed:?}");
            let kind = format!("{:?}", passed.why);
            *seen
                .entry(kind.split('(').next().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 8, "every reason is seen: {seen:?}");
}

/// A decision in ids, so that it can be compared with one of the same question in another order.
fn in_words(question: &Question, decision: &Decision) -> String {
    use std::fmt::Write as _;
    let ids = |places: &[usize]| {
        places
            .iter()
            .map(|at| question.measures[*at].id.as_str())
            .collect::<Vec<_>>()
            .join(",")
    };
    let threats = |places: &[usize]| {
        places
            .iter()
            .map(|at| question.threats[*at].id.as_str())
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut text = format!(
        "{} {:?} {} | {}\n",
        ids(&decision.plan.measures),
        decision.plan.totals,
        threats(&decision.plan.cut),
        threats(&decision.uncuttable),
    );
    for left in &decision.plan.remaining {
        writeln!(
            text,
            "left {} {:?}",
            question.threats[left.threat].id, left.why
        )
        .unwrap();
    }
    for chosen in &decision.chosen {
        writeln!(
            text,
            "{} {:?} {} {}",
            question.measures[chosen.measure].id,
            chosen.saves,
            threats(&chosen.cuts),
            ids(&chosen.needed_by)
        )
        .unwrap();
    }
    for passed in &decision.passed {
        writeln!(
            text,
            "{} {:?}",
            question.measures[passed.measure].id, passed.why
        )
        .unwrap();
    }
    for point in &decision.frontier.points {
        writeln!(
            text,
            "{} {:?} {}",
            ids(&point.measures),
            point.totals,
            point.risk
        )
        .unwrap();
    }
    text
}

#[test]
fn the_order_of_the_question_does_not_matter() {
    for (seed, size) in sizes(500).skip(4) {
        let mut random = Random(seed + 5_000_000);
        let (question, steps) = steps::small(&mut random, size);
        let ask = Ask {
            points: 30,
            changes: 30,
            ..if random.one_in(2) {
                ask()
            } else {
                limited(&mut random)
            }
        };
        let first = decide(&question, &mut steps.clone(), &ask).unwrap();
        let again = decide(&question, &mut steps.clone(), &ask).unwrap();
        assert_eq!(first, again, "seed {seed}");
        let (other, mut turned) = steps::shuffled(&mut random, &question, &steps);
        let turned = decide(&other, &mut turned, &ask).unwrap();
        assert_eq!(
            in_words(&question, &first),
            in_words(&other, &turned),
            "seed {seed}"
        );
    }
}

#[test]
fn a_gap_is_never_smaller_than_it_is() {
    let mut open = 0;
    for (seed, size) in sizes(1_500).skip(8) {
        let mut random = Random(seed + 6_000_000);
        let (question, steps) = steps::small(&mut random, size);
        let ask = Ask {
            work: [0, 300, 1_000, 3_000][seed as usize % 4],
            ..if random.one_in(2) {
                ask()
            } else {
                limited(&mut random)
            }
        };
        let subsets = brute::subsets(&question, &steps, &ask.rates, None);
        let decision = decide(&question, &mut steps.clone(), &ask).unwrap();
        let plan = &decision.plan;
        let Some(subset) = subsets
            .iter()
            .find(|subset| subset.mask == mask(&plan.measures))
        else {
            panic!("seed {seed}: the plan may not stand");
        };
        assert_eq!(plan.totals.middle, cents(subset.cost), "seed {seed}");
        let Some(truth) = best(&subsets, &ask) else {
            continue;
        };
        assert!(fits(subset, &ask), "seed {seed}");
        assert!(
            plan.gap.risk_bound <= truth.risk,
            "seed {seed}: {plan:?}\n{truth:?}"
        );
        let least = subsets
            .iter()
            .filter(|other| fits(other, &ask) && other.risk <= subset.risk)
            .map(|other| other.cost)
            .min()
            .unwrap();
        assert!(
            plan.gap.cost_bound <= cents(least),
            "seed {seed}: {plan:?}\n{truth:?}"
        );
        if plan.gap.is_closed() {
            assert_eq!(
                (subset.risk, subset.cost),
                (truth.risk, truth.cost),
                "seed {seed}"
            );
        } else {
            open += 1;
        }
    }
    assert!(open > 20, "some questions are not finished: {open}");
}
