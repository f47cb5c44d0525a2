//! What one person sees of what is known.
//!
//! Who may not see everything sees findings about what is in their namespaces, and no word in them that names another
//! namespace: what joins say of an object may tell of objects elsewhere.
//!
//! What it deliberately leaves out: asking the API server (`rights` does).

use std::collections::BTreeSet;
use std::sync::Arc;

use guide::Guide;
use model::Resource;
use model::finding::{Finding, Outcome};
use model::resource::ResourceName;

use super::rights::{Denied, Extent};
use super::session::Who;
use super::{Desk, Listed};
use crate::watch::Picture;

/// One person's view, for one request.
pub(super) struct Sight {
    pub(super) extent: Extent,
    pub(super) picture: Arc<Picture>,
    /// The worst first.
    pub(super) findings: Vec<Arc<Finding>>,
    /// Namespaces that are known and not seen, ascending.
    hidden: Vec<Box<str>>,
    /// What others who ask now need not write out again.
    _listed: Arc<Listed>,
}

impl Sight {
    /// Blocks: the API server may have to be asked.
    pub(super) fn of(desk: &Desk, who: &Who) -> Result<Self, Denied> {
        let picture = desk.options.shared.picture();
        let all = desk.findings();
        let named = namespaces(&picture, &all);
        let extent = desk.rights.extent(who, &named)?;
        let (hidden, findings): (Vec<Box<str>>, _) = match &extent {
            Extent::Everything => (Vec::new(), all.to_vec()),
            Extent::Namespaces(own) => {
                let hidden: Vec<Box<str>> = named.difference(own).cloned().collect();
                let findings = all
                    .iter()
                    .filter(|finding| is_within(&finding.resource, own))
                    .map(|finding| shown(finding, &hidden, own, &desk.options.guide))
                    .collect();
                (hidden, findings)
            }
        };
        Ok(Self {
            extent,
            picture,
            findings,
            hidden,
            _listed: all,
        })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.extent == Extent::Everything
    }

    pub(super) fn sees(&self, name: &ResourceName) -> bool {
        match &self.extent {
            Extent::Everything => true,
            Extent::Namespaces(own) => is_within(name, own),
        }
    }

    /// Whether somebody sees what is in a namespace.
    pub(super) fn sees_namespace(&self, namespace: &str) -> bool {
        match &self.extent {
            Extent::Everything => true,
            Extent::Namespaces(own) => own.contains(namespace),
        }
    }

    /// Whether a text names a namespace that somebody does not see.
    pub(super) fn hides(&self, text: &str) -> bool {
        names(text, &self.hidden)
    }

    /// The namespaces that something can be looked for in.
    pub(super) fn namespaces(&self) -> BTreeSet<Box<str>> {
        match &self.extent {
            Extent::Everything => namespaces(&self.picture, &self.findings),
            Extent::Namespaces(own) => own.clone(),
        }
    }

    /// Everything that was read and may be seen.
    pub(super) fn resources(&self) -> impl Iterator<Item = &Resource> {
        let all = self.picture.estate.resources().iter();
        all.filter(|resource| !resource.implied && self.sees(&resource.name))
    }
}

/// The namespace that something is in, or is.
pub(super) fn namespace(name: &ResourceName) -> Option<&str> {
    match &name.namespace {
        Some(namespace) if !namespace.is_empty() => Some(namespace),
        _ if name.kind.name() == "Namespace" => Some(&name.name),
        _ => None,
    }
}

fn is_within(name: &ResourceName, own: &BTreeSet<Box<str>>) -> bool {
    namespace(name).is_some_and(|namespace| own.contains(namespace))
}

/// All that are known.
fn namespaces(picture: &Picture, findings: &[Arc<Finding>]) -> BTreeSet<Box<str>> {
    let read = picture.estate.resources().iter();
    let mut names: BTreeSet<Box<str>> = BTreeSet::new();
    let said = findings.iter().map(|finding| &*finding.resource);
    for name in read.map(|resource| &resource.name).chain(said) {
        if let Some(namespace) = namespace(name)
            && !names.contains(namespace)
        {
            names.insert(namespace.into());
        }
    }
    names
}

/// A finding as somebody sees it who does not see these namespaces.
fn shown(
    finding: &Arc<Finding>,
    hidden: &[Box<str>],
    own: &BTreeSet<Box<str>>,
    guide: &Guide,
) -> Arc<Finding> {
    let guideline = guide.guideline(&finding.guideline.0);
    // What is said of an object alone is in the object.
    let alone = guideline.is_some_and(|guideline| !guideline.needs.joined);
    let elsewhere = |path: &str| {
        let namespace = path
            .split_once("/namespaces/")
            .and_then(|(_, rest)| rest.split('/').next());
        namespace.is_none_or(|namespace| !own.contains(namespace))
    };
    let apart = finding.places().any(|place| elsewhere(&place.path));
    let waived = finding
        .waiver
        .as_ref()
        .is_some_and(|waiver| names(&waiver.reason, hidden));
    if alone && !apart && !waived {
        return Arc::clone(finding);
    }
    let mut shown = Finding::clone(finding);
    shown.more_places.retain(|place| {
        let note = place.note.as_deref().unwrap_or_default();
        !elsewhere(&place.path) && !names(note, hidden) && !names(&place.source, hidden)
    });
    shown
        .evidence
        .retain(|evidence| !names(&evidence.value, hidden) && !names(&evidence.route, hidden));
    if names(&shown.message, hidden) {
        let title = guideline.map_or(&*finding.guideline.0, |guideline| &guideline.title);
        shown.message = format!("{title}: why not is about what you may not see");
    }
    if elsewhere(&shown.place.path) {
        shown.place.path = "where you may not see".into();
        shown.place.route = String::new();
        shown.place.source = Box::default();
    }
    if names(&shown.place.source, hidden) {
        shown.place.source = Box::default();
    }
    if let Outcome::Unknown { reason, .. } = &mut shown.outcome
        && names(reason, hidden)
    {
        *reason = "it rests on what you may not see".into();
    }
    if shown
        .root_cause
        .as_ref()
        .is_some_and(|cause| names(cause, hidden))
    {
        shown.root_cause = None;
    }
    if shown.item.as_ref().is_some_and(|item| names(item, hidden)) {
        shown.item = None;
    }
    if let Some(waiver) = &mut shown.waiver
        && names(&waiver.reason, hidden)
    {
        waiver.reason = "the reason is about what you may not see".into();
    }
    Arc::new(shown)
}

/// Whether a text names one of these as a word of its own.
fn names(text: &str, hidden: &[Box<str>]) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    // The words once, each looked up: there may be thousands of names.
    text.split(|c| !inside(c))
        .any(|word| !word.is_empty() && hidden.binary_search_by(|name| (**name).cmp(word)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_is_found_as_a_word() {
        let hidden = ["bank", "team-a"].map(Box::from);
        for text in [
            "from `bank/api`",
            "bank",
            "in team-a.",
            "ns=team-a,x",
            "(bank)",
        ] {
            assert!(names(text, &hidden), "{text}");
        }
        for text in ["banks", "the-bank", "team-ab", "team", ""] {
            assert!(!names(text, &hidden), "{text}");
        }
    }
}
