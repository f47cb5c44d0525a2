//! Cases that a reader can follow by hand.

use analysis::decide::{
    Ask, Attacks, Cost, Decision, Effort, Error, Left, Measure, Question, Rates, Set, Shared,
    Threat, Way, Why, decide,
};

/// Ways as a list, all that are left at once.
struct Ways(Vec<(usize, Vec<usize>)>);

impl Attacks for Ways {
    fn surviving(&mut self, standing: &Set) -> Vec<Way> {
        let left = self
            .0
            .iter()
            .filter(|(_, cut_by)| !standing.has_any(cut_by));
        left.map(|(threat, cut_by)| Way {
            threat: *threat,
            cut_by: cut_by.clone(),
        })
        .collect()
    }
}

/// Cents a month.
fn costs(money: i64) -> Cost {
    Cost {
        money,
        ..Cost::default()
    }
}

fn measure(id: &str, money: i64) -> Measure {
    Measure {
        id: id.to_owned(),
        cost: costs(money),
        ..Measure::default()
    }
}

fn question(measures: Vec<Measure>, weights: &[u32]) -> Question {
    Question {
        measures,
        shared: Vec::new(),
        threats: weights
            .iter()
            .enumerate()
            .map(|(at, weight)| Threat {
                id: format!("t{at}"),
                weight: *weight,
            })
            .collect(),
    }
}

/// A month, so that sums are what is said.
fn ask() -> Ask {
    Ask {
        rates: Rates {
            months: 1,
            ..Rates::default()
        },
        ..Ask::default()
    }
}

fn answer(question: &Question, ways: &[(usize, &[usize])], ask: &Ask) -> Decision {
    let ways = ways
        .iter()
        .map(|(threat, cut_by)| (*threat, cut_by.to_vec()))
        .collect();
    decide(question, &mut Ways(ways), ask).unwrap()
}

#[test]
fn what_is_shared_is_paid_once_and_changes_who_is_cheapest() {
    // By itself the firewall (9) is cheaper than either pair with the meter (5 + 3, 5 + 4); both threats
    // together are cheapest with the meter paid once: 5 + 3 + 4 = 12, not 9 + 10.
    let mut question = question(
        vec![
            measure("a", 300),
            measure("b", 400),
            measure("c", 900),
            measure("d", 1_000),
        ],
        &[1, 1],
    );
    question.shared.push(Shared {
        id: "meter".to_owned(),
        cost: costs(500),
        measures: vec![0, 1],
    });
    let decision = answer(&question, &[(0, &[0, 2]), (1, &[1, 3])], &ask());
    assert_eq!(decision.plan.measures, [0, 1]);
    assert_eq!(decision.plan.shared, [0]);
    assert_eq!(decision.plan.totals.middle, 1_200);
    // Without one of them the meter is still due.
    assert_eq!(decision.chosen[0].saves.middle, 300);
    // c for nothing leaves 5 + 4 for the other threat: it is worth the 3 that a costs.
    assert_eq!(decision.passed[0].why, Why::TooDear(300));
    assert_eq!(decision.passed[0].replaces, [0]);
}

#[test]
fn effort_and_upkeep_are_priced_and_ranges_have_both_ends() {
    let mut question = question(vec![measure("a", 100)], &[1]);
    question.measures[0].cost = Cost {
        money: 100,
        effort: Effort { low: 10, high: 30 },
        upkeep: 90,
    };
    let rates = Rates {
        day: 1_000,
        hour: 200,
        months: 12,
    };
    let decision = answer(&question, &[(0, &[0])], &Ask { rates, ..ask() });
    let totals = decision.plan.totals;
    // 12 × 100, one to three days at 1,000, and an hour and a half a month at 200.
    assert_eq!(totals.low, 1_200 + 1_000 + 3_600);
    assert_eq!(totals.middle, 1_200 + 2_000 + 3_600);
    assert_eq!(totals.high, 1_200 + 3_000 + 3_600);
}

#[test]
fn a_requirement_is_met_by_the_cheaper_of_what_meets_it() {
    let mut question = question(
        vec![measure("a", 1), measure("b", 7), measure("c", 5)],
        &[1],
    );
    question.measures[0].requires = vec![vec![1, 2]];
    let decision = answer(&question, &[(0, &[0])], &ask());
    assert_eq!(decision.plan.measures, [0, 2]);
    assert_eq!(decision.chosen[1].needed_by, [0]);
    assert_eq!(decision.chosen[1].cuts, [0]);
    assert_eq!(decision.passed[0].why, Why::TooDear(5));
}

#[test]
fn what_stands_is_free_stays_and_excludes() {
    let mut question = question(
        vec![measure("a", 50), measure("b", 1), measure("c", 9)],
        &[1, 1],
    );
    question.measures[0].chosen_already = true;
    question.measures[1].conflicts = vec![0];
    let decision = answer(&question, &[(0, &[0]), (1, &[1, 2])], &ask());
    assert_eq!(decision.plan.measures, [2]);
    assert_eq!(decision.absent, [0]);
    assert_eq!(decision.passed[0].why, Why::Impossible);
    assert_eq!(decision.passed[0].conflicts, [0]);
}

#[test]
fn what_excludes_each_other_leaves_the_lighter_threat() {
    let mut question = question(vec![measure("a", 1), measure("b", 1)], &[2, 5]);
    question.measures[0].conflicts = vec![1];
    let decision = answer(&question, &[(0, &[0]), (1, &[1])], &ask());
    assert_eq!(decision.plan.measures, [1]);
    assert_eq!(decision.plan.remaining[0].threat, 0);
    assert_eq!(decision.plan.remaining[0].why, Left::Excluded);
    assert!(decision.plan.gap.is_closed());
}

#[test]
fn a_budget_buys_the_most_weight() {
    let question = question(
        vec![measure("a", 60), measure("b", 50), measure("c", 50)],
        &[10, 6, 6],
    );
    let ask = Ask {
        money_at_most: Some(100),
        ..ask()
    };
    let decision = answer(&question, &[(0, &[0]), (1, &[1]), (2, &[2])], &ask);
    assert_eq!(decision.plan.measures, [1, 2]);
    assert_eq!(decision.plan.remaining[0].why, Left::Budget(Some(60)));
    // With a at 50, a and one of the others leave 6 instead of 10.
    assert_eq!(decision.passed[0].why, Why::BudgetMoney(50));
}

#[test]
fn what_nothing_cuts_is_said_apart() {
    let question = question(vec![measure("a", 60)], &[1, 1]);
    let decision = answer(&question, &[(0, &[]), (0, &[0]), (1, &[0])], &ask());
    assert_eq!(decision.uncuttable, [0]);
    assert_eq!(decision.plan.cut, [1]);
    assert_eq!(decision.plan.measures, [0]);
}

#[test]
fn of_equals_the_first_by_id_is_chosen_and_the_other_is_as_good() {
    let question = question(vec![measure("b", 5), measure("a", 5)], &[1]);
    let decision = answer(&question, &[(0, &[0, 1])], &ask());
    assert_eq!(decision.plan.measures, [1]);
    assert!(decision.plan.first);
    assert_eq!(decision.passed[0].why, Why::AsGood);
    assert_eq!(decision.passed[0].dominated_by, Some(1));
}

#[test]
fn what_cuts_nothing_is_not_needed_unless_it_saves_money() {
    let mut question = question(
        vec![measure("a", 5), measure("b", 5), measure("c", -5)],
        &[1],
    );
    question.measures[2].requires = vec![vec![]];
    let decision = answer(&question, &[(0, &[0])], &ask());
    assert_eq!(decision.plan.measures, [0]);
    assert_eq!(decision.passed[0].why, Why::NotNeeded);
    assert_eq!(decision.passed[1].why, Why::Impossible);
    question.measures[2].requires.clear();
    let decision = answer(&question, &[(0, &[0])], &ask());
    assert_eq!(decision.plan.measures, [0, 2]);
    assert_eq!(decision.plan.totals.middle, 0);
}

#[test]
fn nothing_to_decide_is_an_answer() {
    let decision = answer(&Question::default(), &[], &ask());
    assert!(decision.plan.measures.is_empty() && decision.plan.gap.is_closed());
    assert_eq!(decision.frontier.points.len(), 1);
}

#[test]
fn limits_that_nothing_fits_leave_all_as_it_is() {
    let question = question(vec![measure("a", 5)], &[3]);
    let ask = Ask {
        money_at_most: Some(-1),
        ..ask()
    };
    let decision = answer(&question, &[(0, &[0])], &ask);
    assert!(decision.plan.measures.is_empty());
    assert_eq!(decision.plan.remaining.len(), 1);
}

#[test]
fn contradictions_are_refused() {
    let two = question(vec![measure("a", 5), measure("a", 6)], &[1]);
    let refused = |question: &Question, attacks: &mut dyn Attacks| {
        decide(question, attacks, &ask()).unwrap_err()
    };
    assert_eq!(
        refused(&two, &mut Ways(Vec::new())),
        Error::Twice("a".to_owned())
    );

    let mut one = question(vec![measure("a", 5)], &[1]);
    one.measures[0].conflicts = vec![3];
    assert_eq!(
        refused(&one, &mut Ways(Vec::new())),
        Error::NoSuchMeasure("a".to_owned())
    );
    one.measures[0].conflicts.clear();
    assert_eq!(
        refused(&one, &mut Ways(vec![(4, vec![])])),
        Error::NoSuchThreat
    );
    assert_eq!(
        refused(&one, &mut Ways(vec![(0, vec![9])])),
        Error::NoSuchMeasure("t0".to_owned())
    );
    one.measures[0].cost.money = i64::MAX / 2;
    assert_eq!(refused(&one, &mut Ways(Vec::new())), Error::TooLarge);

    /// Says that what stands cuts nothing.
    struct Deaf;
    impl Attacks for Deaf {
        fn surviving(&mut self, _: &Set) -> Vec<Way> {
            vec![Way {
                threat: 0,
                cut_by: vec![0],
            }]
        }
    }
    one.measures[0].cost.money = 5;
    assert_eq!(
        refused(&one, &mut Deaf),
        Error::Contradiction("t0".to_owned())
    );

    /// The more stands, the more is left.
    struct Backwards;
    impl Attacks for Backwards {
        fn surviving(&mut self, standing: &Set) -> Vec<Way> {
            let some = standing.has(0) && !standing.has(1);
            let way = Way {
                threat: 0,
                cut_by: vec![1],
            };
            some.then_some(way).into_iter().collect()
        }
    }
    let mut both = question(vec![measure("a", -5), measure("b", 6)], &[1]);
    both.measures[0].conflicts = vec![1];
    assert_eq!(
        refused(&both, &mut Backwards),
        Error::Contradiction("t0".to_owned())
    );
}
