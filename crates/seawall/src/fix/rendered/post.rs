//! What no value of a chart exposes.

use std::path::Path;

use super::super::cure::Cure;
use super::{Candidate, Object, Rendered};

pub(super) fn candidate(
    _rendered: &Rendered<'_>,
    folder: &Path,
    _cure: &Cure,
    _object: &Object,
) -> Candidate {
    Err(format!(
        "no value of the chart `{}` leads to it: patch what it renders to",
        sources::shown(folder)
    ))
}
