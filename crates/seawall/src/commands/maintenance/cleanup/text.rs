//! A plan as people read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::cleanup::{Group, Manifest};

use super::Answer;
use crate::output;

/// Kept images are listed up to so many; JSON has all.
const KEPT: usize = 20;

pub(super) fn text(answer: &Answer, width: usize) -> String {
    let mut page = String::new();
    let registry = report::clean(&answer.listing.registry);
    let _ = writeln!(page, "Cleanup of {registry}, as of {}", answer.day);
    let say = |page: &mut String, text: &str| {
        for line in output::folded(text, width) {
            let _ = writeln!(page, "{line}");
        }
    };
    say(
        &mut page,
        &format!(
            "Listed {}; used by {}",
            answer.listing.taken_at,
            report::clean(&answer.subject.join(", "))
        ),
    );
    for (cluster, (first, last)) in &answer.seen {
        let cluster = report::clean(cluster);
        say(
            &mut page,
            &format!("{cluster} was seen from {first} to {last}"),
        );
    }
    let mut last = "";
    for group in &answer.plan.remove {
        if group.repository != last {
            let _ = writeln!(page, "\nRemove from {}", report::clean(&group.repository));
            last = &group.repository;
        }
        entry(&mut page, group, width);
    }
    if !answer.plan.keep.is_empty() {
        let _ = writeln!(page, "\nKeep");
        for kept in answer.plan.keep.iter().take(KEPT) {
            let name = name(&kept.group);
            let because = report::clean(&kept.because.join(", ")).into_owned();
            let text = format!("{}{name}: {because}", report::clean(&kept.group.repository));
            let lines = output::folded(&text, width.saturating_sub(4));
            page.push_str(&report::hanging("  ", 4, &lines));
        }
        if let Some(more) = answer
            .plan
            .keep
            .len()
            .checked_sub(KEPT)
            .filter(|more| *more > 0)
        {
            let _ = writeln!(page, "  and {more} more; `--format json` has all");
        }
    }
    let manifests = answer.plan.remove.iter().map(|group| group.manifests.len());
    let _ = writeln!(
        page,
        "\nRemove {} ({}, {} at most), keep {}",
        report::count(answer.plan.remove.len(), "image"),
        report::count(manifests.sum(), "manifest"),
        bytes(answer),
        answer.plan.keep.len()
    );
    let soft = match answer.listing.soft_delete {
        Some(soft) if soft.enabled => {
            format!(
                "Soft delete is on: for {} days it can be brought back.",
                soft.days
            )
        }
        Some(_) => "Soft delete is off: what is removed is gone.".to_owned(),
        None => "This registry brings nothing back: what is removed is gone.".to_owned(),
    };
    say(&mut page, &soft);
    page
}

/// How it is called: by its tags, else by its digest.
fn name(group: &Group) -> String {
    let tags: Vec<&str> = tags(group);
    match (tags.as_slice(), group.manifests.first()) {
        ([], Some(first)) => format!("@{}", short(first)),
        (tags, _) => format!(":{}", report::clean(&tags.join(", "))),
    }
}

/// The tags that people give, without those of cosign and of the referrers' fallback.
fn tags(group: &Group) -> Vec<&str> {
    let tags = group.manifests.iter().flat_map(|own| &own.tags);
    tags.map(String::as_str)
        .filter(|tag| !tag.starts_with("sha256-"))
        .collect()
}

fn short(manifest: &Manifest) -> &str {
    manifest.digest.get(..19).unwrap_or(&manifest.digest)
}

fn entry(page: &mut String, group: &Group, width: usize) {
    let tags = tags(group);
    let mut text = match tags.as_slice() {
        [] => "untagged".to_owned(),
        tags => report::clean(&tags.join(", ")).into_owned(),
    };
    let days = group.manifests.iter().filter_map(|own| own.updated).max();
    if let Some(updated) = days {
        text.push_str(&format!(
            ", last changed {}",
            ::guide::renewals::day(updated)
        ));
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for manifest in &group.manifests {
        *kinds.entry(what(manifest)).or_default() += 1;
    }
    if group.manifests.len() > 1 {
        let parts: Vec<String> = kinds
            .iter()
            .map(|(kind, many)| report::count(*many, kind))
            .collect();
        text.push_str(&format!(" ({})", parts.join(", ")));
    }
    let first = group.manifests.first().map_or("", short);
    let lines = output::folded(&text, width.saturating_sub(24));
    page.push_str(&report::hanging(&format!("  {first:<20}  "), 24, &lines));
}

fn what(manifest: &Manifest) -> &'static str {
    let by_tag = manifest.tags.iter().any(|tag| tag.starts_with("sha256-"));
    if !manifest.parts.is_empty() {
        "platform list"
    } else if manifest.subject.is_some() || by_tag {
        "referrer"
    } else {
        "manifest"
    }
}

/// What the images say of their size; layers that others share stay.
fn bytes(answer: &Answer) -> String {
    let manifests = answer.plan.remove.iter().flat_map(|group| &group.manifests);
    let sum: u64 = manifests.filter_map(|manifest| manifest.size).sum();
    match sum {
        sum if sum >= 1_000_000_000 => format!("{:.1} GB", sum as f64 / 1e9),
        sum if sum >= 1_000_000 => format!("{:.1} MB", sum as f64 / 1e6),
        sum => format!("{} kB", sum.div_ceil(1000)),
    }
}
