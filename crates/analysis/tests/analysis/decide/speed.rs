//! How long large questions take:
//! `SEAWALL_DECIDE_SPEED=all cargo test --release -p seawall-analysis --test analysis decide::speed -- --nocapture`.
//! Instead of `all` a part of the name of a question measures that one.
//! With `SEAWALL_DECIDE_FOLDER=FOLDER` those whose ways are a list are written there in the LP format, which other
//! solvers read.

use std::collections::BTreeSet;

use analysis::decide::{
    Ask, Attacks, Cost, Effort, Measure, Question, Rates, Set, Shared, Threat, Way, decide,
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

/// Options of topics that exclude each other, and guidelines; requirements; costs that some share.
fn offers(random: &mut Random, measures: usize) -> Question {
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
    question
}

/// An estate of layers in which a measure cuts steps of some kinds, everywhere or in some places.
fn estate(random: &mut Random, measures: usize, wide: u64) -> (Question, Steps) {
    let mut question = offers(random, measures);
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

/// Ways of three to eight steps, three ways to a threat. Each kind of step is cut by one to four measures; where
/// `few`, most steps are of few kinds.
fn courses(random: &mut Random, question: &mut Question, ways: usize, few: bool) -> Listed {
    let measures = question.measures.len() as u64;
    let kinds: Vec<Vec<usize>> = (0..100)
        .map(|_| {
            (0..1 + random.below(4))
                .map(|_| random.below(measures) as usize)
                .collect()
        })
        .collect();
    let kind = |random: &mut Random| {
        let all = kinds.len() as u64;
        let at = if few {
            random
                .below(all)
                .min(random.below(all))
                .min(random.below(all))
        } else {
            random.below(all)
        };
        kinds[at as usize].clone()
    };
    let mut list = Vec::new();
    for way in 0..ways {
        let steps = 3 + random.below(6);
        let cut_by: BTreeSet<usize> = (0..steps).flat_map(|_| kind(random)).collect();
        list.push(Way {
            threat: way / 3,
            cut_by: cut_by.into_iter().collect(),
        });
    }
    for threat in 0..ways.div_ceil(3) {
        question.threats.push(Threat {
            id: format!("t{threat:04}"),
            weight: 1 + random.below(10) as u32,
        });
    }
    Listed(list)
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
        "{name:<36} {:>4} measures {:>4} threats {:>5} ways {:>4} asked {seconds:>7.3} s  gap {:>6.2} % of {}, {} chosen, {} left, first {}, frontier {} {}, proven changes {}",
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

/// The question as a program that other solvers read: the cheapest that leaves nothing. In cents.
fn program(question: &Question, ways: &[Way]) -> String {
    let rates = Rates::default();
    let cents = |cost: &Cost| super::brute::exact(cost, &rates) as f64 / 60.0;
    let sum = |terms: Vec<String>| terms.join(" + ");
    let mut text = "Minimize\n obj: ".to_owned();
    let own = question.measures.iter().enumerate();
    let own = own.filter(|(_, measure)| !measure.chosen_already);
    let own = own.map(|(at, measure)| format!("{} m{at}", cents(&measure.cost)));
    let standing = |at: &usize| question.measures[*at].chosen_already;
    let shared = question.shared.iter().enumerate();
    let shared = shared.filter(|(_, shared)| !shared.measures.iter().any(standing));
    let due = shared
        .clone()
        .map(|(at, shared)| format!("{} s{at}", cents(&shared.cost)));
    text.push_str(&sum(own.chain(due).collect()));
    text.push_str("\nSubject To\n");
    for way in ways {
        let cuts = way.cut_by.iter().map(|at| format!("m{at}"));
        text.push_str(&format!(" {} >= 1\n", sum(cuts.collect())));
    }
    for (at, measure) in question.measures.iter().enumerate() {
        if measure.chosen_already {
            text.push_str(&format!(" m{at} = 1\n"));
        } else {
            for any in &measure.requires {
                let any = any.iter().map(|other| format!("m{other}")).collect();
                text.push_str(&format!(" {} - m{at} >= 0\n", sum(any)));
            }
        }
        for other in &measure.conflicts {
            if !(standing(&at) && standing(other)) {
                text.push_str(&format!(" m{at} + m{other} <= 1\n"));
            }
        }
    }
    for (number, shared) in shared {
        for at in &shared.measures {
            text.push_str(&format!(" s{number} - m{at} >= 0\n"));
        }
    }
    text.push_str("Binary\n");
    for at in 0..question.measures.len() {
        text.push_str(&format!(" m{at}"));
    }
    for at in 0..question.shared.len() {
        text.push_str(&format!(" s{at}"));
    }
    text.push_str("\nEnd\n");
    text
}

/// Measures a question whose ways are a list, and writes it down where that is asked for.
fn listed(name: &str, question: &Question, mut listed: Listed) {
    let wanted = std::env::var(ALL).unwrap_or_default();
    if wanted != "all" && !name.contains(&wanted) {
        return;
    }
    if let Some(folder) = std::env::var_os("SEAWALL_DECIDE_FOLDER") {
        let file = std::path::Path::new(&folder).join(format!("{name}.lp"));
        std::fs::write(file, program(question, &listed.0)).unwrap();
    }
    measured(name, question, &mut listed, &plan());
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
    let estates = std::env::var(ALL).is_ok_and(|name| name == "all" || name == "estate");
    for seed in 0..if estates { 8 } else { 1 } {
        let wide = [3, 30][seed as usize % 2];
        let (question, steps) = estate(&mut Random(seed), 200, wide);
        let gap = measured("estate", &question, &mut steps.clone(), &plan());
        assert!(gap < 0.01, "{gap}");
        if !estates {
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
        unstructured(seed);
    }
    for times in 2..5 {
        let columns = 3_usize.pow(times);
        let (question, ways) = covering(&mut Random(0), columns, steiner(times), |_| 100);
        listed(&format!("Steiner triples {columns}"), &question, ways);
    }
}

/// Ways of steps that come by chance are decided exactly, and what has no structure at all within bounds.
#[test]
fn without_the_structure_of_an_estate() {
    for few in [true, false] {
        let random = &mut Random(0);
        let mut question = offers(random, 200);
        let mut ways = courses(random, &mut question, 600, few);
        let gap = measured("600 ways", &question, &mut ways, &plan());
        assert!(gap < 0.01, "{gap}");
    }
    let random = &mut Random(0);
    let list = rows(random, 200, 400, 10);
    let price = |random: &mut Random| 1 + random.below(10_000) as i64;
    let (question, mut ways) = covering(random, 200, list, price);
    let gap = measured("400 rows of 10", &question, &mut ways, &plan());
    assert!(gap < 0.08, "{gap}");
}

/// Questions whose ways come by chance: from what an estate could be to what none is.
fn unstructured(seed: u64) {
    for ways in [200, 600, 2_000] {
        for few in [true, false] {
            let random = &mut Random(seed);
            let mut question = offers(random, 200);
            let ways_of = if few { "few" } else { "all" };
            let list = courses(random, &mut question, ways, few);
            listed(
                &format!("{ways} ways of {ways_of} kinds {seed}"),
                &question,
                list,
            );
        }
    }
    type Price = fn(&mut Random) -> i64;
    let prices: [(&str, Price); 3] = [
        ("decades", |random| {
            (1 + random.below(9) as i64) * 10_i64.pow(random.below(4) as u32)
        }),
        ("differ", |random| 1 + random.below(10_000) as i64),
        ("one", |_| 100),
    ];
    for (count, each) in [(400, 4), (400, 10), (1_000, 10), (1_000, 20)] {
        for (name, price) in prices {
            let mut random = Random(seed);
            let list = rows(&mut random, 200, count, each);
            let (question, ways) = covering(&mut random, 200, list, price);
            listed(
                &format!("{count} rows of {each} prices {name} {seed}"),
                &question,
                ways,
            );
        }
    }
}
