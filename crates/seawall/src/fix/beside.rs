//! New objects that findings ask for, as files beside those of what they are about: named after the object, never over
//! a file that is there, and each object once, however many findings ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use model::remedy::{Act, Change, NewObject, Step};

use super::cure::{Cure, Left};

/// A file that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Empty until all are known.
    pub(crate) path: Arc<str>,
    pub(crate) object: NewObject,
}

impl Beside {
    pub(super) fn of(objects: &[NewObject]) -> Box<[Self]> {
        let objects = objects.iter().map(|object| Self {
            path: "".into(),
            object: object.clone(),
        });
        objects.collect()
    }

    /// What is done, for people.
    pub(super) fn in_words(&self) -> String {
        format!(
            "add {} `{}` in `{}`",
            self.object.kind, self.object.name, self.path
        )
    }
}

/// Kind, namespace, name; where no namespace is said, the folder stands for whatever it is applied to.
type Identity = (Box<str>, Option<Box<str>>, Box<str>);

/// Names the files that cures make. A cure that has none, or that would make an object which another makes
/// differently, is left with the reason.
pub(super) fn place(cures: Vec<Cure>, left: &mut Vec<Left>) -> Vec<Cure> {
    let mut made: BTreeMap<Identity, Beside> = BTreeMap::new();
    let mut taken: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut placed = Vec::new();
    for mut cure in cures {
        match place_one(&mut cure, &mut made, &mut taken) {
            Ok(()) => placed.push(cure),
            Err(why) => left.extend(cure.cured.into_iter().map(|about| Left {
                about,
                safety: cure.safety,
                why: why.clone(),
            })),
        }
    }
    placed
}

fn place_one(
    cure: &mut Cure,
    made: &mut BTreeMap<Identity, Beside>,
    taken: &mut BTreeSet<Arc<str>>,
) -> Result<(), String> {
    for beside in &mut cure.beside {
        let object = &beside.object;
        let folder =
            || (!model::kinds::is_cluster_scoped(&object.kind)).then(|| folder(&cure.path));
        let identity = (
            object.kind.clone(),
            object
                .namespace
                .clone()
                .or_else(|| folder().map(Into::into)),
            object.name.clone(),
        );
        if let Some(known) = made.get(&identity) {
            if known.object.text != object.text {
                return Err(format!(
                    "another fix makes {} `{}` differently",
                    object.kind, object.name
                ));
            }
            beside.path = known.path.clone();
            continue;
        }
        let path = free(&cure.path, object, taken)?;
        taken.insert(path.clone());
        beside.path = path;
        made.insert(identity, beside.clone());
    }
    let whole = cure.rendered_by.as_deref().map(Path::new);
    if whole.is_some_and(|whole| !sources::is_chart(whole)) && cure.changes.is_empty() {
        cure.changes = cure
            .beside
            .iter()
            .filter_map(|one| list(one, &cure.path))
            .collect();
    }
    Ok(())
}

/// The file beside which new objects stand: that of a kustomization, to which they are added, or a template of a
/// chart; why there is none.
pub(super) fn listed(
    whole: &str,
    changes: &[Change],
    new: &[NewObject],
) -> Result<Arc<str>, String> {
    let folder = Path::new(whole);
    if !changes.is_empty() {
        return Err(format!(
            "`{whole}` renders it: what is changed there and what is added to it are not proved together"
        ));
    }
    if sources::is_chart(folder) {
        // Whoever installs the chart names the release.
        if new.iter().any(|new| new.text.contains(sources::RELEASE)) {
            return Err(format!(
                "`{whole}` renders it, and what it needs has the release's name in it: write a template"
            ));
        }
        return Ok(sources::shown(&folder.join("templates").join("new.yaml")).into());
    }
    sources::kustomization::file_of(folder)
        .map(|list| sources::shown(&list).into())
        .ok_or_else(|| format!("`{whole}` renders it: add the object beside it"))
}

/// Whether what renders the object of a cure reads a file that the cure makes.
pub(super) fn is_read(cure: &Cure, beside: &Beside) -> bool {
    let Some(whole) = cure.rendered_by.as_deref().map(Path::new) else {
        return false;
    };
    if sources::is_chart(whole) {
        let templates = sources::shown(&whole.join("templates"));
        Path::new(&*beside.path).starts_with(&templates)
    } else {
        !cure.changes.is_empty()
    }
}

/// A new file as a resource of the kustomization that it stands beside; nothing where it stands elsewhere.
fn list(beside: &Beside, kustomization: &str) -> Option<Change> {
    let name = beside.path.strip_prefix(&*folder(kustomization))?;
    (!name.contains('/')).then(|| Change {
        at: vec![Step::Key("resources".into())],
        act: Act::Add(serde_json::Value::from(name).to_string().into()),
        written: Vec::new(),
    })
}

/// The folder of a file, with the slash behind it.
fn folder(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => String::new(),
    }
}

/// A path in the folder of a file that nothing has.
fn free(beside: &str, object: &NewObject, taken: &BTreeSet<Arc<str>>) -> Result<Arc<str>, String> {
    if beside == "-" {
        return Err("standard input cannot be written: give the file".to_owned());
    }
    let folder = folder(beside);
    let stem = &object.stem;
    let longer = object
        .namespace
        .as_ref()
        .map(|namespace| format!("{namespace}-{stem}"));
    let numbered = (2..10).map(|number| format!("{stem}-{number}"));
    let stems = std::iter::once(stem.to_string())
        .chain(longer)
        .chain(numbered);
    stems
        .map(|stem| Arc::<str>::from(format!("{folder}{stem}.yaml")))
        .find(|path| {
            !taken.contains(path) && std::fs::symlink_metadata(Path::new(&**path)).is_err()
        })
        .ok_or_else(|| format!("`{folder}{stem}.yaml` and others like it are there already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, namespace: &str, name: &str, text: &str) -> NewObject {
        NewObject {
            kind: kind.into(),
            namespace: Some(namespace.into()),
            name: name.into(),
            stem: format!("{name}-{}", kind.to_lowercase()).into(),
            text: text.into(),
        }
    }

    fn cure(path: &str, objects: &[NewObject]) -> Cure {
        Cure {
            path: path.into(),
            document: 0,
            origin: path.into(),
            safety: model::Safety::Unsafe,
            changes: Box::default(),
            beside: Beside::of(objects),
            added: Box::default(),
            other: None,
            cured: Vec::new(),
            way: crate::fix::cure::Way::Document,
            rendered_by: None,
        }
    }

    #[test]
    fn an_object_is_made_once_and_no_file_is_written_over() {
        let folder = std::env::temp_dir().join(format!("seawall-beside-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let at = |name: &str| folder.join(name).display().to_string();
        std::fs::write(at("web-poddisruptionbudget.yaml"), "").unwrap();
        let budget = object("PodDisruptionBudget", "shop", "web", "a");
        let cures = vec![
            cure(&at("web.yaml"), std::slice::from_ref(&budget)),
            cure(&at("other.yaml"), &[budget]),
            cure(
                &at("web.yaml"),
                &[object("PodDisruptionBudget", "pay", "web", "b")],
            ),
            cure(
                &at("third.yaml"),
                &[object("PodDisruptionBudget", "pay", "web", "c")],
            ),
        ];
        let placed = place(cures, &mut Vec::new());
        let paths: Vec<String> = placed
            .iter()
            .map(|cure| cure.beside[0].path.to_string())
            .collect();
        assert_eq!(
            paths,
            [
                at("shop-web-poddisruptionbudget.yaml"),
                at("shop-web-poddisruptionbudget.yaml"),
                at("pay-web-poddisruptionbudget.yaml"),
            ]
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
