//! What may change an object of a kustomization: the patch that sets it, the file that declares it, a new patch in
//! the kustomization that was given.

use std::path::{Path, PathBuf};

use model::remedy::Change;
use yaml::edit::Value;

use super::super::cure::{Cure, Patch, Way};
use super::values::{at, get, mapped, patch, string};
use super::{Candidate, Object, Rendered, Rendering, Try};

/// A document of a file.
struct Declared {
    path: PathBuf,
    index: u32,
    value: Value,
}

/// Of documents that may declare an object this many are tried.
const ALIKE: usize = 3;

pub(super) fn candidates(
    rendered: &Rendered<'_>,
    folder: &Path,
    before: &Rendering,
    wanted: &[Cure],
) -> Vec<Vec<Candidate>> {
    let patches = declared(&sources::kustomization::patches(folder));
    let manifests = declared(&sources::kustomization::manifests(folder));
    let own = sources::kustomization::file_of(folder);
    wanted
        .iter()
        .map(|cure| {
            let Some(object) = before.objects.get(cure.document as usize) else {
                return Vec::new();
            };
            let mut found = Vec::new();
            for source in alike(&patches, object) {
                if sets(&source.value, object, &cure.changes) {
                    found.push(in_source(rendered, cure, object, source));
                }
            }
            let sources = alike(&manifests, object);
            for source in &sources {
                found.push(in_source(rendered, cure, object, source));
            }
            if let Some(own) = &own {
                let names = sources.iter().filter_map(|source| name(&source.value));
                let mut names: Vec<&str> = names.chain([object.name()]).collect();
                names.dedup();
                for name in names {
                    found.push(as_patch(rendered, cure, object, own, name));
                }
            }
            found
        })
        .collect()
}

/// The documents of files.
fn declared(files: &[PathBuf]) -> Vec<Declared> {
    let mut found = Vec::new();
    for path in files {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        for raw in yaml::documents(&text) {
            if let Ok(value @ Value::Map(_)) = Value::read(&raw.text) {
                found.push(Declared {
                    path: path.clone(),
                    index: raw.index,
                    value,
                });
            }
        }
    }
    found
}

fn name(value: &Value) -> Option<&str> {
    string(get(value, "metadata")?, "name")
}

/// The documents that may be about an object: of its kind, with its name or one that a prefix or suffix was added to;
/// the most alike first.
fn alike<'d>(all: &'d [Declared], object: &Object) -> Vec<&'d Declared> {
    let mut found: Vec<&Declared> = all
        .iter()
        .filter(|declared| {
            string(&declared.value, "kind") == Some(object.kind())
                && name(&declared.value).is_some_and(|own| object.name().contains(own))
        })
        .collect();
    found.sort_by_key(|declared| std::cmp::Reverse(name(&declared.value).map_or(0, str::len)));
    found.truncate(ALIKE);
    found
}

/// Whether a patch says what changes are about.
fn sets(patch: &Value, object: &Object, changes: &[Change]) -> bool {
    changes.iter().any(|change| {
        !change.removes_document()
            && mapped(&object.value, patch, &change.at).is_some_and(|way| at(patch, &way).is_some())
    })
}

/// A cure as an edit of a document that declares or patches its object.
fn in_source(
    rendered: &Rendered<'_>,
    cure: &Cure,
    object: &Object,
    source: &Declared,
) -> Candidate {
    let shown = sources::shown(&source.path);
    if !rendered.may_edit(&source.path) {
        return Err(format!(
            "it is declared in `{shown}`, which was not given: give it too, or patch it"
        ));
    }
    let changes = super::candidates::moved(cure, object, &source.value)
        .ok_or_else(|| format!("what it is about was not found in `{shown}`"))?;
    Ok((
        Try::Together,
        Cure {
            path: shown.into(),
            document: source.index,
            changes,
            way: Way::Document,
            ..cure.clone()
        },
    ))
}

/// A cure as a new patch in the kustomization's own file.
fn as_patch(
    rendered: &Rendered<'_>,
    cure: &Cure,
    object: &Object,
    own: &Path,
    name: &str,
) -> Candidate {
    let shown = sources::shown(own);
    if !rendered.may_edit(own) {
        return Err(format!("`{shown}` builds it, which was not given"));
    }
    let merge = patch(&object.value, &cure.changes)
        .ok_or_else(|| "no patch can say it: an item of a list has no name".to_owned())?;
    Ok((
        Try::Together,
        Cure {
            path: shown.into(),
            document: 0,
            way: Way::Patch(Box::new(Patch {
                api_version: object.api_version().into(),
                kind: object.kind().into(),
                name: name.into(),
                target: name.into(),
                merge,
                why: "patched here, since nothing else that was given changes it".into(),
            })),
            ..cure.clone()
        },
    ))
}
