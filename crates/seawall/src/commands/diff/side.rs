//! One of the two estates: read whole, judged, and with what follows from it.

use std::path::Path;

use ::guide::{Guide, Setting};
use analysis::Analyses;
use model::Estate;
use model::finding::Severity;
use report::diff::Side;
use sources::Overlay;

use super::{Args, selects};
use crate::commands::judged::Question;

/// An estate as it was taken in.
pub(super) struct Taken {
    pub(super) side: Side,
    pub(super) estate: Estate,
    pub(super) setting: Setting,
    /// The floor that its configuration sets.
    pub(super) fail_on: Option<Option<Severity>>,
}

/// Reads and judges one side.
pub(super) fn take(args: &Args, guide: &Guide, path: &Path, as_of: &str) -> anyhow::Result<Taken> {
    let mut findings = Vec::new();
    let answer = Question {
        guide,
        estate: &args.estate(path),
        config: args.config.as_deref(),
        kubernetes: args.kubernetes.as_deref(),
        as_of,
        selects: &|guideline| selects(args, &guideline.id),
        overlay: Overlay::default(),
        new_files: Overlay::default(),
        remedies: None,
    }
    .ask(|finding| findings.push(finding))?;
    let unread = answer.unread().cloned().collect();
    Ok(Taken {
        side: Side {
            name: path.display().to_string(),
            roots: answer.setting.roots.clone(),
            resources: answer.resources,
            findings,
            unread,
        },
        estate: answer.estate,
        setting: answer.setting,
        fail_on: answer.config.fail_on,
    })
}

impl Taken {
    /// What follows from it.
    pub(super) fn analyses<'t>(&'t self, guide: &'t Guide) -> Analyses<'t> {
        ::guide::facts::analyses(guide, &self.setting, &self.estate)
    }
}
