//! Azure Resource Manager templates and parameter files: JSON with comments.

use super::Edited;
use crate::fix::cure::Numbered;

pub(super) fn edit(_path: &str, _text: &str, cures: &[Numbered<'_>]) -> Edited {
    Edited::refused(
        cures,
        "seawall does not edit templates of Azure Resource Manager yet",
    )
}
