//! How long large questions take:
//! `SEAWALL_DECIDE_SPEED=all cargo test --release -p seawall-analysis --test analysis decide::speed -- --nocapture`.

use std::collections::BTreeSet;

use analysis::decide::{
    Ask, Attacks, Cost, Effort, Measure, Question, Set, Shared, Threat, Way, decide,
};

use super::steps::{Step, Steps};
use crate::reach::random::Random;

/// Ways as a list: what a covering problem is.
struct Listed(Vec<Way>);

impl Attacks for Listed {
    fn surviving(&mut self, standing: &Set) -> Vec<Way> {
        // One way of each threat, the first that is left.
        let mut seen = BTreeSet::new();
        self.0
            .iter()
            .filter(|way| !standing.has_any(&way.cut_by) && seen.insert(way.threat))
            .cloned()
            .collect()
    }
}

/// The variable that asks for all measurements.
const ALL: &str = "SEAWALL_DECIDE_SPEED";

/// Nanoseconds that this thread has been running, others' work left out.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// A price that is small mostly, and sometimes a hundred times that.
fn price(random: &mut Random) -> Cost {
    let money = match random.below(10) {
        0..6 => 0,
        6..8 => random.below(5_000) as i64,
        8 => random.below(50_000) as i64,
        _ => random.below(200_000) as i64,
    };
    let low = 1 + random.below(20) as u32;
    Cost {
        money,
        effort: Effort {
            low,
            high: low * (1 + random.below(4) as u32),
        },
        upkeep: random.below(5) as u32 * 30,
    }
}

/// Options of topics that exclude each other, and guidelines; costs that some share; an estate of layers
/// in which a measure cuts steps of some kinds, everywhere or in some places.
fn estate(random: &mut Random, measures: usize, wide: u64) -> (Question, Steps) {
    let options = measures / 4;
    let mut question = Question::default();
    for at in 0..measures {
        let topic = (at / 4) * 4;
        let conflicts = if at < options && random.one_in(2) {
            (topic..at).collect()
        } else {
            Vec::new()
        };
        let requires = if random.one_in(7) {
            vec![random.several(2, |random| random.below(measures as u64) as usize)]
        } else {
            Vec::new()
        };
        question.measures.push(Measure {
            id: format!("m{at:03}"),
            title: String::new(),
            cost: price(random),
            requires: requires.into_iter().filter(|any| !any.is_empty()).collect(),
            conflicts,
            chosen_already: random.one_in(20),
        });
    }
    for at in 0..measures / 12 {
        question.shared.push(Shared {
            id: format!("s{at:02}"),
            cost: price(random),
            measures: (0..2 + random.below(4))
                .map(|_| random.below(measures as u64) as usize)
                .collect(),
        });
    }
    let (layers, width, kinds, places) = (7, 60, 60, 12);
    // What cuts a kind of step in a place: some measures everywhere, some in one place only.
    let mut cuts = vec![Vec::new(); kinds * places];
    for at in 0..measures {
        for _ in 0..1 + random.below(3) {
            let kind = random.below(kinds as u64) as usize;
            let everywhere = random.one_in(wide);
            let place = random.below(places as u64) as usize;
            for other in 0..places {
                if everywhere || other == place || random.one_in(6) {
                    cuts[kind * places + other].push(at);
                }
            }
        }
    }
    let mut steps = Vec::new();
    for layer in 1_usize..layers {
        for fact in 0..width {
            for _ in 0..1 + random.below(3) {
                let premise = |random: &mut Random| {
                    let back = 1 + random.below(2) as usize;
                    layer.saturating_sub(back) * width + random.below(width as u64) as usize
                };
                let kind = random.below(kinds as u64) as usize;
                steps.push(Step {
                    from: (0..1 + random.below(4) / 3)
                        .map(|_| premise(random))
                        .collect(),
                    to: layer * width + fact,
                    cut_by: cuts[kind * places + fact % places].clone(),
                });
            }
        }
    }
    // An entry is a fact that leads to several of the first layer.
    let first = layers * width;
    let entries = 12;
    for entry in 0..entries {
        for _ in 0..15 {
            steps.push(Step {
                from: vec![first + entry],
                to: random.below(width as u64) as usize,
                cut_by: Vec::new(),
            });
        }
    }
    let mut threats = Vec::new();
    for entry in 0..entries {
        for jewel in 0..8 {
            threats.push((first + entry, (layers - 1) * width + jewel));
            question.threats.push(Threat {
                id: format!("t{:03}", threats.len()),
                weight: 1 + random.below(10) as u32,
            });
        }
    }
    (
        question,
        Steps {
            facts: first + entries,
            steps,
            threats,
        },
    )
}

/// Rows of a covering problem over columns that cost `price`.
fn covering(
    random: &mut Random,
    columns: usize,
    rows: Vec<Vec<usize>>,
    price: impl Fn(&mut Random) -> i64,
) -> (Question, Listed) {
    let mut question = Question::default();
    for at in 0..columns {
        question.measures.push(Measure {
            id: format!("m{at:03}"),
            cost: Cost {
                money: price(random),
                ..Cost::default()
            },
            ..Measure::default()
        });
    }
    let mut ways = Vec::new();
    for (threat, cut_by) in rows.into_iter().enumerate() {
        question.threats.push(Threat {
            id: format!("t{threat:04}"),
            weight: 1 + random.below(10) as u32,
        });
        ways.push(Way { threat, cut_by });
    }
    (question, Listed(ways))
}

fn rows(random: &mut Random, columns: usize, rows: usize, each: u64) -> Vec<Vec<usize>> {
    (0..rows)
        .map(|_| {
            (0..each)
                .map(|_| random.below(columns as u64) as usize)
                .collect::<BTreeSet<_>>()
        })
        .map(|row| row.into_iter().collect())
        .collect()
}

/// The Steiner triple system of three times as many points, again and again: notoriously far from its bound.
fn steiner(times: u32) -> Vec<Vec<usize>> {
    let mut points = 3;
    let mut triples = vec![vec![0, 1, 2]];
    for _ in 1..times {
        let mut next = Vec::new();
        for copy in 0..3 {
            next.extend(
                triples
                    .iter()
                    .map(|triple| triple.iter().map(|at| at + copy * points).collect()),
            );
        }
        for a in 0..points {
            next.push(vec![a, a + points, a + 2 * points]);
        }
        for triple in &triples {
            for turn in [
                [0, 1, 2],
                [0, 2, 1],
                [1, 0, 2],
                [1, 2, 0],
                [2, 0, 1],
                [2, 1, 0],
            ] {
                next.push(
                    (0..3)
                        .map(|copy| triple[turn[copy]] + copy * points)
                        .collect(),
                );
            }
        }
        points *= 3;
        triples = next;
    }
    triples
}

#[expect(clippy::print_stdout, reason = "a measurement is read")]
fn measured(name: &str, question: &Question, attacks: &mut dyn Attacks, ask: &Ask) -> f64 {
    let before = cpu();
    let decision = decide(question, attacks, ask).unwrap();
    let seconds = (cpu() - before) as f64 / 1e9;
    let plan = &decision.plan;
    let gap = plan.gap.largest();
    println!(
        "{name:<28} {:>4} measures {:>4} threats {:>5} ways {:>4} asked {seconds:>7.3} s  gap {:>6.2} % of {}, {} chosen, {} left, first {}, frontier {} {}, proven changes {}",
        question.measures.len(),
        question.threats.len(),
        decision.ways,
        decision.asked,
        gap * 100.0,
        plan.totals.middle,
        plan.measures.len(),
        plan.remaining.len(),
        plan.first,
        decision.frontier.points.len(),
        decision.frontier.complete,
        decision
            .passed
            .iter()
            .filter(|passed| passed.proven)
            .count(),
    );
    gap
}

/// The plan alone.
fn plan() -> Ask {
    Ask {
        points: 0,
        changes: 0,
        ..Ask::default()
    }
}

/// Estates are decided exactly; with [`ALL`] set, everything else is measured too.
#[test]
fn two_hundred_measures() {
    let all = std::env::var_os(ALL).is_some();
    for seed in 0..if all { 8 } else { 1 } {
        let wide = [3, 30][seed as usize % 2];
        let (question, steps) = estate(&mut Random(seed), 200, wide);
        let gap = measured("estate", &question, &mut steps.clone(), &plan());
        assert!(gap < 0.01, "{gap}");
        if !all {
            continue;
        }
        for (name, money, effort) in [("a third of the money", 3, 0), ("and of the effort", 3, 3)] {
            let whole = decide(&question, &mut steps.clone(), &plan())
                .unwrap()
                .plan
                .totals
                .cost;
            let ask = Ask {
                money_at_most: Some(whole.money / money),
                effort_at_most: (effort > 0).then(|| (whole.effort.low + whole.effort.high) / 6),
                ..plan()
            };
            measured(&format!("  {name}"), &question, &mut steps.clone(), &ask);
        }
        measured(
            "  with all that is said",
            &question,
            &mut steps.clone(),
            &Ask::default(),
        );
    }
    if !all {
        return;
    }
    for seed in 0..2 {
        for (count, each) in [(400, 4), (400, 10), (1_000, 10), (1_000, 20)] {
            let mut random = Random(seed);
            let list = rows(&mut random, 200, count, each);
            let (question, mut listed) = covering(&mut random, 200, list, |random| {
                1 + random.below(10_000) as i64
            });
            measured(
                &format!("rows of {each}, prices differ"),
                &question,
                &mut listed,
                &plan(),
            );
            let mut random = Random(seed);
            let list = rows(&mut random, 200, count, each);
            let (question, mut listed) = covering(&mut random, 200, list, |_| 100);
            measured(
                &format!("rows of {each}, one price"),
                &question,
                &mut listed,
                &plan(),
            );
        }
    }
    for times in 2..5 {
        let columns = 3_usize.pow(times);
        let (question, mut listed) = covering(&mut Random(0), columns, steiner(times), |_| 100);
        measured("Steiner triples", &question, &mut listed, &plan());
    }
}
