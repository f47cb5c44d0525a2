//! What is not judged although it was asked for, and why: guidelines whose kind of data was not given, and kinds
//! that a live source could not list.

use std::collections::BTreeMap;

use model::coverage::{Coverage, DocumentEntry, NotAssessed, Status};
use model::{Estate, Within};

use crate::catalogue::Guide;
use crate::guideline::{Applies, Guideline};
use crate::judge::Setting;

/// The guidelines whose kind of data was not given at all.
#[must_use]
pub fn not_assessed(
    guide: &Guide,
    setting: &Setting,
    asked: impl Fn(&Guideline) -> bool,
    estate: &Estate,
    coverage: &Coverage,
) -> Vec<NotAssessed> {
    let azure = estate.has_azure()
        || coverage.documents.iter().any(|entry| {
            entry.status == Status::Assessed
                && entry.kind.as_deref().is_some_and(|kind| kind.contains('/'))
        });
    let kubernetes = coverage.documents.iter().any(|entry| {
        entry.status == Status::Assessed
            && entry
                .kind
                .as_deref()
                .is_some_and(|kind| !kind.contains('/'))
    });
    let mut missing = Vec::new();
    for guideline in guide.guidelines.iter().filter(|guideline| asked(guideline)) {
        let unset: Vec<String> = guideline
            .needs
            .params
            .iter()
            .filter(|key| !setting.set.contains(*key))
            .map(|key| how_given(guide, key))
            .collect();
        let needs = if guideline.needs.azure && !azure {
            Some("Azure resources: an ARM template, Bicep, Terraform, or `--azure`".to_owned())
        } else if (guideline.needs.kubernetes || guideline.applies == Applies::Estate)
            && !kubernetes
        {
            Some("Kubernetes objects: manifests, a chart, or `--cluster`".to_owned())
        } else if let Some(needs) = unasked(guideline, coverage) {
            Some(needs)
        } else if let Some(needs) = unseen(guideline, estate) {
            Some(needs)
        } else if !unset.is_empty() {
            Some(unset.join(" and "))
        } else {
            None
        };
        if let Some(needs) = needs {
            missing.push(NotAssessed {
                guideline: guideline.id.clone(),
                needs: needs.into(),
            });
        }
    }
    missing
}

/// How a key of `params` is set.
pub(crate) fn how_given(guide: &Guide, key: &str) -> String {
    let param = guide.params.iter().find(|param| *param.key == *key);
    match param.and_then(|param| param.given.as_deref()) {
        Some(given) => given.to_owned(),
        None => format!("`{key}` in seawall.yaml"),
    }
}

/// What could not be listed, a kind at a time: who may read one namespace of hundreds is told once.
#[must_use]
pub fn unlisted(coverage: &Coverage) -> Vec<DocumentEntry> {
    let mut kinds: BTreeMap<&str, (&DocumentEntry, usize)> = BTreeMap::new();
    for entry in coverage
        .documents
        .iter()
        .filter(|entry| entry.live && entry.status == Status::Unreadable && entry.name.is_none())
    {
        if let Some(kind) = &entry.kind {
            kinds.entry(kind).or_insert((entry, 0)).1 += 1;
        }
    }
    kinds
        .into_values()
        .map(|(first, count)| {
            let mut entry = first.clone();
            if count > 1 {
                let reason = entry.reason.take().unwrap_or_default();
                entry.reason = Some(format!("{reason}, and in {} other places", count - 1).into());
                entry.namespace = None;
            }
            entry
        })
        .collect()
}

/// What a guideline is about was left out by choice.
fn unasked(guideline: &Guideline, coverage: &Coverage) -> Option<String> {
    let Applies::Kinds(kinds) = &guideline.applies else {
        return None;
    };
    let left_out = |kind: &str| {
        coverage.documents.iter().find(|entry| {
            entry.live
                && entry.name.is_none()
                && entry.status == Status::NotRelevant
                && entry.kind.as_deref() == Some(kind)
                && entry.help.is_some()
        })
    };
    let entries: Option<Vec<&DocumentEntry>> = kinds.iter().map(|kind| left_out(kind)).collect();
    let first = *entries?.first()?;
    let given = coverage.documents.iter().any(|entry| {
        entry.status == Status::Assessed
            && entry
                .kind
                .as_deref()
                .is_some_and(|kind| kinds.iter().any(|wanted| &**wanted == kind))
    });
    let help = first.help.as_deref().unwrap_or_default();
    (!given).then(|| format!("{}: {help}", kinds.join(", ")))
}

/// A judgement of the cluster as a whole from what holds nothing of what it reads, and may
/// be a part, would only say that it is unknown.
fn unseen(guideline: &Guideline, estate: &Estate) -> Option<String> {
    if guideline.applies != Applies::Estate {
        return None;
    }
    let mut part = None;
    for kind in &guideline.needs.kinds {
        let reason = estate.absent(kind, Within::Everywhere)?;
        let elsewhere = estate.completeness.is_elsewhere(reason);
        if !estate.of_kind(kind).is_empty() || reason != model::unknown::NOT_WHOLE && !elsewhere {
            return None;
        }
        part = part.or(elsewhere.then(|| estate.describe(reason)));
    }
    let kinds = guideline.needs.kinds.join(", ");
    Some(match part {
        Some(part) => format!("the whole cluster: {part}, with nothing of {kinds}"),
        None => format!(
            "the whole cluster (`--cluster`, or `--whole` with all of its manifests): nothing of {kinds} was given"
        ),
    })
}
