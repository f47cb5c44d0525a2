//! From what somebody used to the rules of roles: none wider than the use, none that another holds already.

use std::collections::{BTreeMap, BTreeSet};

/// A right that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Where; `None` for the whole cluster.
    pub namespace: Option<Box<str>>,
    /// `get`
    pub verb: Box<str>,
    /// On what.
    pub what: What,
    /// How often.
    pub count: u64,
    /// There were more names than are told apart, so any will do.
    pub any_name: bool,
    /// There were more namespaces than are told apart, so it is the whole cluster.
    pub everywhere: bool,
}

/// What a right is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Objects.
    Resource {
        /// API group; empty for the core group
        group: Box<str>,
        /// `pods`, `pods/exec`
        resource: Box<str>,
        /// only these; `None` for any, and for requests without a name
        names: Option<BTreeSet<Box<str>>>,
    },
    /// A path that is no resource; a `*` at the end stands for any rest.
    Path(Box<str>),
}

/// A rule of a role, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rule {
    /// `apiGroups`
    pub groups: BTreeSet<Box<str>>,
    /// `resources`
    pub resources: BTreeSet<Box<str>>,
    /// `resourceNames`
    pub names: BTreeSet<Box<str>>,
    /// `nonResourceURLs`
    pub urls: BTreeSet<Box<str>>,
    /// `verbs`
    pub verbs: BTreeSet<Box<str>>,
}

/// The rules for a namespace, or for the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `None` for the whole cluster
    pub namespace: Option<Box<str>>,
    /// none of which another holds
    pub rules: Vec<Rule>,
}

/// Where, which verb, and on what with any name.
type Place = (Option<Box<str>>, Box<str>, What);
type Named = BTreeMap<Box<str>, BTreeMap<What, BTreeSet<Box<str>>>>;

/// The least rules that allow all of it; the whole cluster first, then namespaces by name. With `expand`, who
/// reads may read in every way, and who changes may too.
#[must_use]
pub fn compose(atoms: &[Atom], expand: bool) -> Vec<Grant> {
    let wide: Vec<Atom> = if expand {
        atoms.iter().flat_map(expanded).collect()
    } else {
        atoms.to_vec()
    };
    let mut within: Named = BTreeMap::new();
    for atom in without_held(&joined(&wide)) {
        let namespace = atom.namespace.clone().unwrap_or_default();
        within
            .entry(namespace)
            .or_default()
            .entry(atom.what.clone())
            .or_default()
            .insert(atom.verb.clone());
    }
    within
        .into_iter()
        .map(|(namespace, found)| Grant {
            namespace: (!namespace.is_empty()).then_some(namespace),
            rules: rules(found),
        })
        .collect()
}

/// Verbs that people give together.
fn expanded(atom: &Atom) -> Vec<Atom> {
    let verbs: &[&str] = match &*atom.verb {
        "get" | "list" | "watch" => &["get", "list", "watch"],
        "update" | "patch" => &["update", "patch"],
        other => &[other],
    };
    let path = matches!(atom.what, What::Path(_));
    verbs
        .iter()
        .filter(|verb| !path || **verb == &*atom.verb)
        .map(|verb| Atom {
            verb: (*verb).into(),
            ..atom.clone()
        })
        .collect()
}

/// One atom for each verb, resource and place: with all the names, or with none where one of them has none.
fn joined(atoms: &[Atom]) -> Vec<Atom> {
    let mut all: Vec<Atom> = Vec::new();
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    for atom in atoms {
        let what = match &atom.what {
            What::Resource {
                group, resource, ..
            } => What::Resource {
                group: group.clone(),
                resource: resource.clone(),
                names: None,
            },
            path => path.clone(),
        };
        let key = (atom.namespace.clone(), atom.verb.clone(), what);
        match places.get(&key).and_then(|at| all.get_mut(*at)) {
            None => {
                places.insert(key, all.len());
                all.push(atom.clone());
            }
            Some(known) => {
                known.count += atom.count;
                if let (What::Resource { names: ours, .. }, What::Resource { names: theirs, .. }) =
                    (&mut known.what, &atom.what)
                {
                    match (ours.as_mut(), theirs) {
                        (Some(ours), Some(theirs)) => ours.extend(theirs.iter().cloned()),
                        _ => *ours = None,
                    }
                }
            }
        }
    }
    all
}

/// Leaves out of namespaces what is held in the whole cluster.
fn without_held(atoms: &[Atom]) -> Vec<Atom> {
    let cluster: Vec<Atom> = atoms
        .iter()
        .filter(|atom| atom.namespace.is_none())
        .cloned()
        .collect();
    let prefixes: Vec<(&str, &str)> = cluster
        .iter()
        .filter_map(|atom| match &atom.what {
            What::Path(path) => Some((&*atom.verb, path.strip_suffix('*')?)),
            What::Resource { .. } => None,
        })
        .collect();
    atoms
        .iter()
        .filter_map(|atom| {
            if let What::Path(path) = &atom.what {
                let held = prefixes.iter().any(|(verb, prefix)| {
                    *verb == &*atom.verb
                        && path.starts_with(prefix)
                        && path.strip_suffix('*') != Some(prefix)
                });
                return (!held).then(|| atom.clone());
            }
            let mut atom = atom.clone();
            if atom.namespace.is_some() {
                let mut held = cluster.iter().filter(|held| held.verb == atom.verb);
                if !held.all(|held| lessen(&mut atom.what, &held.what)) {
                    return None;
                }
            }
            Some(atom)
        })
        .collect()
}

/// Takes away what is held; false where nothing is left.
fn lessen(what: &mut What, held: &What) -> bool {
    let (
        What::Resource {
            group,
            resource,
            names,
        },
        What::Resource {
            group: held_group,
            resource: held_resource,
            names: held,
        },
    ) = (what, held)
    else {
        return true;
    };
    if group != held_group || resource != held_resource {
        return true;
    }
    match (names, held) {
        (_, None) => false,
        (Some(names), Some(held)) => {
            names.retain(|name| !held.contains(name));
            !names.is_empty()
        }
        (None, Some(_)) => true,
    }
}

/// One rule for resources of a group with the same names and verbs.
fn rules(found: BTreeMap<What, BTreeSet<Box<str>>>) -> Vec<Rule> {
    type Key = (Box<str>, BTreeSet<Box<str>>, BTreeSet<Box<str>>);
    let mut resources: BTreeMap<Key, BTreeSet<Box<str>>> = BTreeMap::new();
    let mut paths: BTreeMap<BTreeSet<Box<str>>, BTreeSet<Box<str>>> = BTreeMap::new();
    for (what, verbs) in found {
        match what {
            What::Resource {
                group,
                resource,
                names,
            } => {
                resources
                    .entry((group, names.unwrap_or_default(), verbs))
                    .or_default()
                    .insert(resource);
            }
            What::Path(path) => {
                paths.entry(verbs).or_default().insert(path);
            }
        }
    }
    let resources = resources
        .into_iter()
        .map(|((group, names, verbs), resources)| Rule {
            groups: BTreeSet::from([group]),
            resources,
            names,
            verbs,
            urls: BTreeSet::new(),
        });
    let paths = paths.into_iter().map(|(verbs, urls)| Rule {
        urls,
        verbs,
        ..Rule::default()
    });
    resources.chain(paths).collect()
}
