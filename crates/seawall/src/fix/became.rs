//! Objects that cures make another kind of: what is said of the new one is compared with what was said of the old one.
//! What nobody asks of the old kind is no worse than before when it is asked of the new one.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::guide::Guideline;
use model::kinds::Kind;
use model::remedy::{Act, Change, Step};
use model::resource::ResourceName;
use yaml::edit::Value;

use super::cure::Cure;

/// The old names by file and the id of the new one.
#[derive(Debug, Default)]
pub(super) struct Became(BTreeMap<(Arc<str>, String), Arc<ResourceName>>);

impl Became {
    pub(super) fn of<'c>(cures: impl Iterator<Item = &'c Cure>) -> Self {
        let mut names = BTreeMap::new();
        for cure in cures {
            let (Some(about), Some(kind)) = (cure.cured.first(), set(cure, "kind")) else {
                continue;
            };
            let version = set(cure, "apiVersion");
            let version = version.unwrap_or_else(|| about.resource.api_version.to_string());
            let group = version.split_once('/').map_or("", |(group, _)| group);
            let new = ResourceName {
                kind: Kind::Kubernetes {
                    group: group.into(),
                    kind: kind.into(),
                },
                ..(*about.resource).clone()
            };
            if new.id() != about.resource.id() {
                names.insert((about.path.clone(), new.id()), about.resource.clone());
            }
        }
        Self(names)
    }

    /// What an object was before, by the file and the id that it has now.
    pub(super) fn old(&self, path: &Arc<str>, id: &str) -> Option<&ResourceName> {
        if self.0.is_empty() {
            return None;
        }
        let name = self.0.get(&(path.clone(), id.to_owned()));
        name.map(|name| &**name)
    }
}

/// Whether a guideline is asked of the old kind too. Only what carries a pod becomes another kind.
pub(super) fn is_asked(guideline: &Guideline, old: &ResourceName) -> bool {
    guideline.is_about(&old.kind, true)
}

/// What a cure sets a key of the object itself to.
fn set(cure: &Cure, key: &str) -> Option<String> {
    let mut changes = cure.changes.iter();
    let change = changes.find(|change| is_of(change, key))?;
    match &change.act {
        Act::Set(text) => match Value::read(text) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a change is about a key of the object itself, which may be an item of a `List`.
fn is_of(change: &Change, key: &str) -> bool {
    let own = |step: &Step| matches!(step, Step::Key(own) if &**own == key);
    match &*change.at {
        [last] => own(last),
        [Step::Key(list), Step::Index(_), last] => &**list == "items" && own(last),
        _ => false,
    }
}
