//! What no value of a chart exposes and its templates do not say literally: a patch of what it renders to, which a
//! post-renderer of helm applies.

use std::path::Path;

use sources::{RELEASE, post_render::FOLDER};

use super::super::cure::{Cure, Patch, Way};
use super::values::{json, patch};
use super::{Candidate, Object, Rendered, Try};

/// A cure as a patch that is applied when the chart has been rendered.
pub(super) fn candidate(
    rendered: &Rendered<'_>,
    folder: &Path,
    cure: &Cure,
    object: &Object,
) -> Candidate {
    let file = folder.join(FOLDER).join("kustomization.yaml");
    let shown = sources::shown(&file);
    if !rendered.may_edit(folder) {
        return Err(format!(
            "the chart `{}` was not given",
            sources::shown(folder)
        ));
    }
    let merge = patch(&object.value, &cure.changes).ok_or_else(|| {
        "no value of the chart leads to it, and no patch can say it: an item of a list has no name"
            .to_owned()
    })?;
    // Whoever installs the chart names the release.
    if json(&merge).to_string().contains(RELEASE) {
        return Err(
            "no value of the chart leads to it, and what would be patched has the release's name"
                .to_owned(),
        );
    }
    let template = object.source.as_deref().unwrap_or("its template");
    let why = format!(
        "patched after rendering: no value leads to it, and `{template}` does not say it literally"
    );
    Ok((
        Try::Together,
        Cure {
            path: shown.into(),
            document: 0,
            way: Way::Patch(Box::new(Patch {
                api_version: object.api_version().into(),
                kind: object.kind().into(),
                name: object.name().replace(RELEASE, "name").into(),
                target: object.name().replace(RELEASE, ".*").into(),
                merge,
                why: why.into(),
            })),
            ..cure.clone()
        },
    ))
}
