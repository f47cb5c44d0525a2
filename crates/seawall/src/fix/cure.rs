//! Which findings have a cure that can be written into a file, and which have none here, with why.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::guide::Guide;
use model::Safety;
use model::finding::{Finding, Outcome, Severity};
use model::kinds::Kind;
use model::remedy::{self, Act, Change};
use model::resource::ResourceName;
use yaml::edit::Operation;

/// What cures one or more findings of one document.
#[derive(Debug, Clone)]
pub(crate) struct Cure {
    /// The file.
    pub(crate) path: Arc<str>,
    /// Number of the document in it.
    pub(crate) document: u32,
    /// Whether it may be written without asking.
    pub(crate) safety: Safety,
    /// What is done, as the guide says it.
    pub(crate) changes: Vec<Change>,
    /// The same for the text.
    pub(crate) operations: Vec<Operation>,
    /// What it cures.
    pub(crate) cured: Vec<About>,
}

/// A finding as far as fixing is concerned.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) guideline: Arc<str>,
    pub(crate) title: Box<str>,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) resource: Arc<ResourceName>,
    pub(crate) path: Arc<str>,
    pub(crate) line: u32,
}

/// A finding that stays, and why.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) about: About,
    pub(crate) safety: Safety,
    pub(crate) why: String,
}

/// Sorts findings as they come: those that can be cured here, and the others that have a fix.
pub(crate) struct Sorting<'g> {
    guide: &'g Guide,
    cures: BTreeMap<(Arc<str>, u32, String), Cure>,
    left: Vec<Left>,
}

impl<'g> Sorting<'g> {
    pub(crate) fn new(guide: &'g Guide) -> Self {
        Self {
            guide,
            cures: BTreeMap::new(),
            left: Vec::new(),
        }
    }

    /// Takes a finding; accepted ones are left alone.
    pub(crate) fn add(&mut self, finding: &Finding) {
        let Some(safety) = finding.fix else { return };
        if finding.outcome != Outcome::Fail || finding.waiver.is_some() {
            return;
        }
        let about = About::of(self.guide, finding);
        match writable(finding) {
            Err(why) => self.left.push(Left { about, safety, why }),
            Ok((path, document, changes, operations)) => {
                // Several findings may ask for the same.
                let key = (path, document, format!("{changes:?}"));
                let cure = self.cures.entry(key.clone()).or_insert_with(|| Cure {
                    path: key.0,
                    document,
                    safety,
                    changes,
                    operations,
                    cured: Vec::new(),
                });
                if safety == Safety::Unsafe {
                    cure.safety = safety;
                }
                cure.cured.push(about);
            }
        }
    }

    /// The cures in the order of files and documents, and the findings that stay.
    pub(crate) fn end(self) -> (Vec<Cure>, Vec<Left>) {
        let mut cures: Vec<Cure> = self.cures.into_values().collect();
        let line = |cure: &Cure| cure.cured.first().map_or(0, |about| about.line);
        cures.sort_by(|one, other| {
            (&one.path, one.document, line(one)).cmp(&(&other.path, other.document, line(other)))
        });
        (cures, self.left)
    }
}

impl About {
    fn of(guide: &Guide, finding: &Finding) -> Self {
        let title = guide
            .guidelines
            .iter()
            .find(|guideline| guideline.id == finding.guideline)
            .map_or_else(Box::default, |guideline| guideline.title.clone());
        Self {
            guideline: finding.guideline.0.clone(),
            title,
            severity: finding.severity,
            message: finding.message.clone(),
            resource: finding.resource.clone(),
            path: finding.place.path.clone(),
            line: finding.place.line,
        }
    }
}

type Writable = (Arc<str>, u32, Vec<Change>, Vec<Operation>);

/// What is to be done to which document of which file, or why that cannot be.
fn writable(finding: &Finding) -> Result<Writable, String> {
    if matches!(finding.resource.kind, Kind::Azure(_)) {
        return Err(
            "seawall does not edit templates yet: `seawall explain` says what to set".to_owned(),
        );
    }
    let Some(remedy) = &finding.remedy else {
        return Err(if finding.place.live {
            "it was read from a running system: fix the file that it is applied from".to_owned()
        } else {
            "the object itself was not given, or lacks what the fix changes".to_owned()
        });
    };
    if let Some(whole) = &remedy.origin.rendered_by {
        return Err(format!(
            "`{whole}` renders it: change what it is rendered from"
        ));
    }
    let operations = ::guide::remedy::operations(remedy)?;
    Ok((
        remedy.origin.path.clone(),
        remedy.origin.index,
        remedy.changes.clone(),
        operations,
    ))
}

/// What is to be done, for people.
pub(super) fn in_words(change: &Change) -> String {
    let at = remedy::route(&change.at);
    match &change.act {
        Act::Set(value) => format!("set `{at}` to `{value}`"),
        Act::Add(value) => format!("add `{value}` to `{at}`"),
        Act::Remove => format!("remove `{at}`"),
        Act::Replace { key, value } => format!("replace `{at}` with `{key}: {value}`"),
    }
}
