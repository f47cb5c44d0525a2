//! Whether the guide says something about everything its seed names: lines of the contents,
//! principles, aspects, ratings of topics.

use std::collections::BTreeSet;

use model::{Ref, Severity};

use crate::catalogue::Guide;
use crate::front_matter;
use crate::guideline::{ASPECTS, PRINCIPLES};

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
    gaps.extend(unrecognised(guide));
    gaps
}

/// Options whose `recognised` does not compile.
fn unrecognised(guide: &Guide) -> Vec<String> {
    let mut gaps = Vec::new();
    for topic in &guide.topics {
        for option in &topic.options {
            if let Some(source) = &option.recognised
                && let Err(error) = guide.compile(source)
            {
                gaps.push(format!(
                    "the option `{}` of {}/{}: {error}",
                    option.id, topic.chapter, topic.id
                ));
            }
        }
    }
    gaps
}
