//! Shows that options take away the steps that they name in `cuts`: every one of the kind.
//!
//! Of an option that an estate shows: after a change on the step's page it is recognised, was not before, and the step
//! is gone. The claim is false where the option is recognised and a step of the kind is there, be it a doubtful one.
//!
//! Of an option that refuses pods (a level of Pod Security): every step of the kind on the page, before and after
//! changes, rests on a pod that it refuses for a reason that counts: one of the guidelines that are mapped to its
//! level and take the kind away themselves fails on it. A step that only gives what others of its kind need beside
//! the pod need not.
//!
//! Of an option that nothing shows (`unseen`) nothing can be shown, so it claims no step.

use std::collections::{BTreeMap, BTreeSet};

use analysis::paths::Edge;

use super::{Failing, Look, SURVEY, Shown, from_folder, is_gone, shown};
use crate::guideline::Guideline;
use crate::options::TopicOption;
use crate::{Guide, edges::Wanted};

/// Options that refuse pods, and the frameworks whose guidelines say which.
const LEVELS: &[(&str, &[&str])] = &[
    ("pod-security/psa-baseline", &["pss-baseline"]),
    (
        "pod-security/psa-restricted",
        &["pss-baseline", "pss-restricted"],
    ),
];

/// By topic and number.
type Number = (u16, u16);

/// What examples say about claims.
#[derive(Default)]
struct Verdicts {
    shown: BTreeSet<(Number, Edge)>,
    refuted: BTreeMap<(Number, Edge), String>,
}

/// Whether a guideline is mapped to a level of Pod Security.
pub(super) fn is_of_a_level(guideline: &Guideline) -> bool {
    LEVELS
        .iter()
        .any(|(_, frameworks)| is_of(guideline, frameworks))
}

fn is_of(guideline: &Guideline, frameworks: &[&str]) -> bool {
    let mut mappings = guideline.frameworks.iter();
    mappings.any(|(framework, _)| frameworks.contains(&&**framework))
}

/// All options, with topic and number.
pub(super) fn all(guide: &Guide) -> impl Iterator<Item = (Number, &TopicOption)> {
    (0u16..).zip(&guide.topics).flat_map(|(topic, of)| {
        (0u16..)
            .zip(&of.options)
            .map(move |(at, option)| ((topic, at), option))
    })
}

fn id(guide: &Guide, (topic, at): Number) -> String {
    super::super::id(guide, super::super::Measure::Choice(topic, at))
}

/// Guidelines, with the kinds of steps that each takes away.
type Rules = Vec<(u16, BTreeSet<Edge>)>;

/// Options that refuse pods, with the guidelines that say which.
fn levels(guide: &Guide) -> Vec<(Number, Rules)> {
    all(guide)
        .filter_map(|(number, _)| {
            let own = id(guide, number);
            let (_, frameworks) = LEVELS.iter().find(|(level, _)| *level == own)?;
            let guidelines = (0u16..)
                .zip(&guide.guidelines)
                .filter(|(_, guideline)| is_of(guideline, frameworks))
                .map(|(at, guideline)| {
                    let cuts = guideline.cuts.iter();
                    (at, cuts.filter_map(|cut| Edge::find(cut)).collect())
                })
                .collect();
            Some((number, guidelines))
        })
        .collect()
}

/// Whether a step rests on an object that one of some guidelines refuses.
fn refused(objects: &BTreeSet<String>, failing: &Failing, guidelines: &BTreeSet<u16>) -> bool {
    objects
        .iter()
        .filter_map(|object| failing.get(object))
        .any(|fails| !fails.is_disjoint(guidelines))
}

fn told(step: &Wanted) -> String {
    format!("{} -> {}", step.needs.join(" + "), step.gives)
}

fn judge_example(shown: &Shown<'_>, levels: &[(Number, Rules)], verdicts: &mut Verdicts) {
    let edge = shown.edge;
    let looks = || {
        let after = shown.after.iter();
        std::iter::once(("nothing", &shown.before))
            .chain(after.map(|(change, look)| (&*change.title, look)))
    };
    for (number, guidelines) in levels {
        let counting = guidelines.iter().filter(|(_, cuts)| cuts.contains(&edge));
        let counting = counting.map(|(guideline, _)| *guideline).collect();
        for (title, look) in looks() {
            for (step, objects) in &look.steps {
                if refused(objects, &look.failing, &counting) {
                    verdicts.shown.insert((*number, edge));
                } else if !look.halves.contains(&step.gives) {
                    let why = format!("lets what {} rests on pass, after `{title}`", told(step));
                    verdicts.refuted.entry((*number, edge)).or_insert(why);
                }
            }
        }
    }
    let is_level = |number: Number| levels.iter().any(|(level, _)| *level == number);
    for (title, look) in looks() {
        for number in look.chosen.iter().filter(|number| !is_level(**number)) {
            if let Some((step, _)) = look.steps.first() {
                let why = format!("is chosen, and {} is there, after `{title}`", told(step));
                verdicts.refuted.entry((*number, edge)).or_insert(why);
            }
        }
    }
    for (_, after) in &shown.after {
        for number in after.chosen.difference(&shown.before.chosen) {
            if takes_away(shown, after) && !is_level(*number) {
                verdicts.shown.insert((*number, edge));
            }
        }
    }
}

fn takes_away(shown: &Shown<'_>, after: &Look) -> bool {
    let mut steps = shown.example.steps.iter();
    steps.any(|step| is_gone(shown.example, step, after))
}

#[test]
fn options_take_away_the_steps_that_they_name() {
    let guide = from_folder();
    let only = std::env::var("SEAWALL_TEST_EDGE").unwrap_or_default();
    let levels = levels(&guide);
    assert_eq!(levels.len(), LEVELS.len());
    let mut verdicts = Verdicts::default();
    for shown in shown(&guide) {
        judge_example(&shown, &levels, &mut verdicts);
    }
    let mut wrong = String::new();
    for (number, option) in all(&guide) {
        for cut in option.cuts.iter().filter(|cut| cut.contains(&*only)) {
            let Some(edge) = Edge::find(cut).filter(|_| guide.edge_pages.contains_key(cut)) else {
                continue;
            };
            let own = id(&guide, number);
            if let Some(why) = verdicts.refuted.get(&(number, edge)) {
                wrong.push_str(&format!("\n{own} does not cut {cut}: it {why}"));
            } else if !verdicts.shown.contains(&(number, edge)) {
                wrong.push_str(&format!("\n{own} is not shown to cut {cut}"));
            }
        }
    }
    if std::env::var_os(SURVEY).is_some() {
        for (number, edge) in &verdicts.shown {
            let (topic, at) = (usize::from(number.0), usize::from(number.1));
            let option = &guide.topics[topic].options[at];
            if !option.cuts.iter().any(|cut| &**cut == edge.id())
                && !verdicts.refuted.contains_key(&(*number, *edge))
            {
                println!("{} may cut {}", id(&guide, *number), edge.id());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the page of a step says where no guideline and no option names it.
const NOTHING: &str = "Nothing that seawall sees takes this away";

#[test]
fn pages_say_where_nothing_takes_a_step_away() {
    let guide = from_folder();
    let guidelines = guide.guidelines.iter().flat_map(|own| &own.cuts);
    let options = all(&guide).flat_map(|(_, option)| &option.cuts);
    let cut: BTreeSet<&str> = guidelines.chain(options).map(|id| &**id).collect();
    for page in guide.edge_pages.values() {
        let says = page.prose.contains(NOTHING);
        assert_eq!(says, !cut.contains(&*page.id), "{}", page.id);
    }
}
