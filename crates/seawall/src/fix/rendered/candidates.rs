//! Cures, moved to the documents that their objects are made from.

use model::remedy::Change;
use yaml::edit::Value;

use super::super::cure::Cure;
use super::Object;
use super::values::mapped;

/// The changes of a cure where its object's values are in a source; `None` when they are not there.
pub(super) fn moved(cure: &Cure, object: &Object, source: &Value) -> Option<Box<[Change]>> {
    let moved = cure.changes.iter().map(|change| {
        let mut change = change.clone();
        change.at = mapped(&object.value, source, &change.at)?;
        Some(change)
    });
    moved.collect()
}
