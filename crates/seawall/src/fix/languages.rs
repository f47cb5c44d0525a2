//! Cures as edits of one file, in the language that it is written in. Each language has a module; all refuse what
//! they cannot prove to be right, with a reason for people. It leaves out what the edits come to: `prove` asks.

mod arm;
mod bicep;
mod charts;
mod manifests;
pub(super) mod patches;
pub(super) mod terraform;

use std::ops::Range;

use model::remedy::{Act, Change};
use yaml::edit::{Edit, Operation};

use super::cure::{Cure, Numbered, Way};

/// The byte order mark, which places do not count.
const MARK: char = '\u{feff}';

/// Why what refers to a new resource is not written.
const UNFINISHED: &str = "what refers to the new resource cannot be written there";

/// Why a template's resource is not taken apart.
const NOT_HERE: &str = "a template does not let a resource become another one";

/// What became of the cures of one file.
#[derive(Debug, Default)]
pub(crate) struct Edited {
    /// In order, not overlapping.
    pub(crate) edits: Vec<Edit>,
    /// Cures that could not be written, by their number, and why.
    pub(crate) refused: Vec<(usize, String)>,
    /// No object is left in the file: its documents were removed.
    pub(crate) emptied: bool,
}

impl Edited {
    /// None of them can be written.
    pub(crate) fn refused(cures: &[Numbered<'_>], why: &str) -> Self {
        let refused = cures.iter().map(|(number, _)| (*number, why.to_owned()));
        Self {
            refused: refused.collect(),
            ..Self::default()
        }
    }
}

/// Writes cures into the text of a file.
pub(crate) fn edit(path: &str, text: &str, cures: &[Numbered<'_>]) -> Edited {
    match of(path, text, cures) {
        Language::Patches => patches::new_file(path, cures),
        Language::Chart => charts::edit(text, cures),
        Language::Manifests => manifests::edit(path, text, cures),
        Language::Arm => arm::edit(path, text, cures),
        Language::Bicep => bicep::edit(path, text, cures),
        // A configuration is edited as a whole, before this.
        Language::Terraform => Edited::refused(
            cures,
            "it is written in Terraform and used by another template",
        ),
        Language::Plan => Edited::refused(
            cures,
            "a plan is what Terraform would do: give the configuration that it is made from",
        ),
    }
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Manifests,
    Patches,
    Chart,
    Arm,
    Bicep,
    Terraform,
    Plan,
}

fn of(path: &str, text: &str, cures: &[Numbered<'_>]) -> Language {
    let is_patch = |(_, cure): &Numbered<'_>| matches!(cure.way, Way::Patch(_));
    if text.is_empty() && cures.iter().all(is_patch) {
        return Language::Patches;
    }
    if cures.iter().any(|(_, cure)| cure.way == Way::Template) {
        return Language::Chart;
    }
    if !cures.iter().any(|(_, cure)| is_template(cure)) {
        return Language::Manifests;
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    if ends(&[".bicep", ".bicepparam"]) {
        Language::Bicep
    } else if ends(&[".tf", ".tfvars", ".tf.json", ".tfvars.json"]) {
        Language::Terraform
    } else if text.contains("\"terraform_version\"") {
        Language::Plan
    } else {
        Language::Arm
    }
}

/// Whether what a cure changes is written in a template.
pub(crate) fn is_template(cure: &Cure) -> bool {
    let mut changes = cure.changes.iter();
    !cure.added.is_empty() || changes.any(|change| !change.written.is_empty())
}

/// A change of a template, from where something is written.
struct Asked {
    /// A literal or a declaration in the text without its byte order mark.
    place: Range<usize>,
    /// What is done on the way from there.
    operation: Operation,
}

/// What a cure changes in one file, from where it is written.
fn from_anchor(cure: &Cure, path: &str) -> Result<Vec<Asked>, String> {
    let changes = cure.changes_in(path);
    let asked = changes.map(|change| {
        if matches!(change.act, Act::Wrap { .. }) {
            return Err(NOT_HERE.to_owned());
        }
        let anchor = change
            .anchor()
            .ok_or("nothing of it is written in the file")?;
        let rest = Change {
            at: change.at.get(anchor.steps..).unwrap_or_default().to_vec(),
            act: change.act.clone(),
            written: Vec::new(),
        };
        let operations = ::guide::remedy::operations(std::slice::from_ref(&rest))?;
        let operation = operations.into_iter().next().ok_or("it changes nothing")?;
        Ok(Asked {
            place: anchor.span.start as usize..anchor.span.end as usize,
            operation,
        })
    });
    asked.collect()
}
