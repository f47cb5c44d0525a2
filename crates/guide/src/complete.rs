//! Whether the guide says something about everything its seed names: lines of the contents,
//! principles, aspects, ratings of topics.

use std::collections::BTreeSet;

use model::{Ref, Severity};

use crate::catalogue::Guide;
use crate::front_matter;
use crate::guideline::{ASPECTS, Expectation, PRINCIPLES, Topic};
use crate::options::{Charge, TopicOption};
use crate::prices::Prices;

/// What has no content, a sentence each.
#[must_use]
pub fn gaps(guide: &Guide) -> Vec<String> {
    let mut gaps = Vec::new();
    let seed = guide
        .data
        .get("seed.yaml")
        .and_then(|text| front_matter::read(text, 1).ok());
    let lines: Vec<String> = seed
        .iter()
        .flat_map(|doc| doc.root().get("contents").into_iter().flat_map(Ref::items))
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect();
    if lines.is_empty() {
        gaps.push("data/seed.yaml lists no `contents`".to_owned());
    }
    for line in lines {
        // The seed's Links are every reference of every page.
        let covered = if line == "Links" {
            guide
                .guidelines
                .iter()
                .any(|guideline| !guideline.references.is_empty())
        } else {
            guide
                .topics
                .iter()
                .any(|topic| topic.seed.iter().any(|own| **own == line) && !topic.prose.is_empty())
        };
        if !covered {
            gaps.push(format!("no topic covers the seed's line `{line}`"));
        }
    }
    if guide.data.contains_key("entries.yaml") {
        for id in guide.odds.missing() {
            gaps.push(format!("data/entries.yaml has no weight for `{id}`"));
        }
    }
    for (id, title) in PRINCIPLES {
        if !guide
            .guidelines
            .iter()
            .any(|guideline| guideline.principles.iter().any(|own| &**own == id))
        {
            gaps.push(format!("no guideline serves the principle `{title}`"));
        }
    }
    for (id, title) in ASPECTS {
        if !guide
            .guidelines
            .iter()
            .any(|guideline| &*guideline.aspect == id)
        {
            gaps.push(format!("no guideline is about the aspect `{title}`"));
        }
    }
    // The seed rates topics critical, high or medium; its legend's low is for guidelines.
    let rated: BTreeSet<Severity> = guide
        .topics
        .iter()
        .filter_map(|topic| topic.rating)
        .collect();
    for severity in [Severity::Critical, Severity::High, Severity::Medium] {
        if !rated.contains(&severity) {
            gaps.push(format!(
                "no topic carries the seed's rating `{}`",
                severity.word()
            ));
        }
    }
    for severity in Severity::WORST_FIRST {
        if !guide
            .guidelines
            .iter()
            .any(|guideline| guideline.severity == severity)
        {
            gaps.push(format!("no guideline is `{}`", severity.word()));
        }
    }
    for guideline in &guide.guidelines {
        if guide.topic(&guideline.chapter, &guideline.topic).is_none() {
            gaps.push(format!(
                "`{}` stands in {}/{}, which is no topic",
                guideline.id, guideline.chapter, guideline.topic
            ));
        }
        if guideline.references.is_empty() {
            gaps.push(format!("`{}` says no reference", guideline.id));
        }
    }
    for topic in &guide.topics {
        if topic.options.is_empty() {
            gaps.push(format!(
                "the topic {}/{} compares no options",
                topic.chapter, topic.id
            ));
        }
        for edge in topic.options.iter().flat_map(|option| &option.cuts) {
            if !guide.edges.contains_key(edge) {
                gaps.push(format!(
                    "the topic {}/{} cuts an unknown edge `{edge}`",
                    topic.chapter, topic.id
                ));
            }
        }
    }
    for (topic, option) in guide.options() {
        let of = format!("the option {}/{}", topic.id, option.id);
        gaps.extend(bonds(guide, option).map(|gap| format!("{of} {gap}")));
        gaps.extend(recognition(topic, option).map(|gap| format!("{of} {gap}")));
        gaps.extend(charges(guide, &option.price).map(|gap| format!("{of} {gap}")));
    }
    for shared in &guide.shared {
        let of = format!("data/shared.yaml: `{}`", shared.id);
        gaps.extend(charges(guide, &shared.price).map(|gap| format!("{of} {gap}")));
    }
    gaps.extend(guide.choice_gaps());
    gaps
}

/// Whether what an option needs, shares and rules out exists.
fn bonds(guide: &Guide, option: &TopicOption) -> impl Iterator<Item = String> {
    let named = option.requires.iter().flatten().chain(&option.conflicts);
    let missing = named
        .filter(|bond| guide.option(bond).is_none())
        .map(|bond| format!("names `{bond}`, which is no option"));
    let shared = option
        .shared
        .iter()
        .filter(|id| guide.shared_cost(id).is_none())
        .map(|id| format!("shares `{id}`, which is not in data/shared.yaml"));
    missing.chain(shared)
}

/// Whether it is said how an estate shows the option, with an example on both sides, or why none does.
fn recognition(topic: &Topic, option: &TopicOption) -> impl Iterator<Item = String> {
    let shown = |wanted: Expectation| {
        topic.examples.iter().any(|example| {
            example.example.expectation == wanted && example.options.contains(&option.id)
        })
    };
    let seen = option.recognised.is_some();
    let unsaid = (!seen && option.unseen.is_none())
        .then(|| "says neither how it is recognised nor why it is `unseen`".to_owned());
    let good = (seen && !shown(Expectation::Good))
        .then(|| "has no example in which it is recognised".to_owned());
    let bad = (seen && !shown(Expectation::Bad))
        .then(|| "has no example in which it is not recognised".to_owned());
    unsaid.into_iter().chain(good).chain(bad)
}

/// Whether what is paid for exists.
fn charges(guide: &Guide, charges: &[Charge]) -> impl Iterator<Item = String> {
    let prices = Prices::builtin(guide);
    charges.iter().flat_map(move |charge| {
        let meter = prices
            .meter(&charge.meter)
            .is_none()
            .then(|| format!("is charged by `{}`, which is no meter", charge.meter));
        let per = charge
            .per
            .as_deref()
            .filter(|per| guide.quantity(per).is_none())
            .map(|per| format!("is charged per `{per}`, which is no quantity"));
        meter.into_iter().chain(per)
    })
}
