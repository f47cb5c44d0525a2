//! What the totals say in sentences: coverage, exit code, what was not assessed.
//!
//! What it deliberately leaves out: deciding anything; [`Assessment`] does.

use std::collections::{BTreeMap, BTreeSet};

use model::coverage::{DocumentEntry, Status};

use crate::assessment::{Assessment, Summary};
use crate::enables::Attack;
use crate::text::{clean, count, shell_word};

/// `judged 41 resources in 17 files by 118 guidelines; 3 documents not read`.
pub(crate) fn coverage(assessment: &Assessment<'_>) -> String {
    let summary = &assessment.summary;
    let files = match assessment.coverage.files {
        // A running estate, or a snapshot.
        0 => String::new(),
        files => format!(" in {}", count(files, "file")),
    };
    let mut words = format!(
        "judged {}{files} by {}",
        count(summary.resources, "resource"),
        count(summary.guidelines, "guideline"),
    );
    match incomplete(assessment).count() {
        0 => words.push_str("; everything was read"),
        unread => {
            let live = incomplete(assessment).all(|entry| entry.live);
            let what = if live { "part" } else { "document" };
            words.push_str(&format!("; {} not read", count(unread, what)));
        }
    }
    words.extend(old_facts(assessment));
    words
}

/// That verdicts rest on facts that may have changed, and on which first.
fn old_facts(assessment: &Assessment<'_>) -> Option<String> {
    let oldest = assessment.old_facts.first()?;
    let facts = assessment.old_facts.iter();
    let guidelines: BTreeSet<&str> = facts
        .flat_map(|fact| fact.guidelines.iter().map(|id| &**id))
        .collect();
    Some(format!(
        "; verdicts of {} rest on facts older than {} days, the oldest of {} ({}): `seawall guide data` \
         lists what is how old",
        count(guidelines.len(), "guideline"),
        guide::tables::OLD_DAYS,
        oldest.seen,
        oldest.of
    ))
}

/// Documents that were given and could not be judged.
pub(crate) fn incomplete<'a>(
    assessment: &'a Assessment<'_>,
) -> impl Iterator<Item = &'a DocumentEntry> {
    assessment
        .coverage
        .documents
        .iter()
        .filter(|entry| entry.status.incomplete())
}

/// Kinds that seawall does not know, with how often they occur.
pub(crate) fn unknown_kinds<'a>(assessment: &'a Assessment<'_>) -> BTreeMap<&'a str, usize> {
    let mut kinds = BTreeMap::new();
    for entry in assessment
        .coverage
        .documents
        .iter()
        .filter(|entry| entry.status == Status::UnknownKind)
    {
        *kinds
            .entry(entry.kind.as_deref().unwrap_or("no kind"))
            .or_default() += 1;
    }
    kinds
}

/// Guidelines not assessed: how many need what.
pub(crate) fn needs<'a>(assessment: &'a Assessment<'_>) -> BTreeMap<&'a str, usize> {
    let mut needs = BTreeMap::new();
    for entry in &assessment.coverage.guidelines {
        *needs.entry(&*entry.needs).or_default() += 1;
    }
    needs
}

/// Why the command ends as it does: `12 findings at or above high`.
pub(crate) fn exit_reason(assessment: &Assessment<'_>) -> String {
    let summary = &assessment.summary;
    let unread = incomplete(assessment).count();
    match (assessment.exit_code(), assessment.fail_on) {
        (1, Some(floor)) => {
            let mut words = Vec::new();
            let fails = Summary::at_or_above(&summary.fails, floor);
            if fails > 0 {
                words.push(count(fails, "finding"));
            }
            let unknowns = Summary::at_or_above(&summary.unknowns, floor);
            if assessment.fail_on_unknown && unknowns > 0 {
                words.push(count(unknowns, "unknown verdict"));
            }
            format!("{} at or above {}", words.join(" and "), floor.word())
        }
        (4, _) if incomplete(assessment).all(|entry| entry.live) => {
            format!("{} of what runs could not be read", count(unread, "part"))
        }
        (4, _) => format!(
            "{} given could not be read or resolved",
            count(unread, "document")
        ),
        (_, None) => "findings do not fail this run".to_owned(),
        (_, Some(floor)) => format!("nothing at or above {}", floor.word()),
    }
}

/// The ways that attackers have: `8 ways to cluster-admin and 3 more; …`. Nothing where there are none.
pub(crate) fn attack(assessment: &Assessment<'_>) -> Option<String> {
    let weighed = match &assessment.attack {
        Attack::Weighed(weighed) => weighed,
        Attack::Nothing => return None,
        Attack::Left(reason) => return Some(format!("not weighed: {}", clean(reason))),
    };
    let first = weighed.jewels.first()?;
    let mut words = format!("{} to {}", count(weighed.ways, "way"), clean(first));
    if weighed.jewels.len() > 1 {
        words.push_str(&format!(" and {} more", weighed.jewels.len() - 1));
    }
    let (looked_at, all) = weighed.starts;
    if looked_at < all {
        words.push_str(&format!(
            "; findings are weighed by those from {looked_at} of {all} kinds of starts"
        ));
    }
    let live = assessment.coverage.files == 0;
    let mut command = "seawall paths".to_owned();
    for word in assessment.subject.iter().filter(|_| !live) {
        command.push('\u{a0}');
        command.push_str(&shell_word(word));
    }
    words.push_str(&format!("; `{command}` tells them"));
    Some(words)
}

/// What was found but does not count: `3 waived, 2 in the baseline`; `None` when there is none.
pub(crate) fn set_aside(summary: &Summary) -> Option<String> {
    let parts: Vec<String> = [
        (summary.waived, "waived"),
        (summary.in_baseline, "known from the baseline"),
        (summary.provider_managed, "on objects that AKS manages"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What was assessed, as the user named it.
pub(crate) fn subject(assessment: &Assessment<'_>) -> String {
    let names: Vec<String> = assessment
        .subject
        .iter()
        .map(|name| clean(name).into_owned())
        .collect();
    names.join(", ")
}

/// `path:line` of a ledger entry; of what is live its address.
#[must_use]
pub fn place(entry: &DocumentEntry) -> String {
    match entry.line {
        _ if entry.live => clean(&entry.path).into_owned(),
        0 => clean(&entry.path).into_owned(),
        line => format!("{}:{line}", clean(&entry.path)),
    }
}
