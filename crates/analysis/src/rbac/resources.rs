//! The resources of the Kubernetes API: what people write (`po`, `Deployment`, `jobs.batch`, `pods/exec`) and what
//! a request asks for. From `guide/data/kubernetes-resources.txt`, and from an estate's own
//! CustomResourceDefinitions.

use std::collections::{BTreeMap, BTreeSet};

use model::{Estate, Ref};

use super::Rbac;
use super::read::text;

/// Everything that is known.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    list: Vec<Known>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// API group; empty for the core group.
    pub group: Box<str>,
    /// `pods`
    pub name: Box<str>,
    /// `pod`, in lower case; empty where there is none.
    pub singular: Box<str>,
    /// `po`
    pub short: Vec<Box<str>>,
    /// Belongs to no namespace; `None` where that is not known.
    pub cluster_scoped: Option<bool>,
    /// What may be done with it.
    pub verbs: Vec<&'static str>,
    /// Its subresources, with what may be done with them.
    pub subresources: BTreeMap<Box<str>, Vec<&'static str>>,
}

/// What somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// API group
    pub group: Box<str>,
    /// `pods`
    pub resource: Box<str>,
    /// `exec`; empty for the resource itself
    pub subresource: Box<str>,
    /// Belongs to no namespace; `None` where that is not known.
    pub cluster_scoped: Option<bool>,
    /// What may be done with it; empty where that is not known.
    pub verbs: Vec<&'static str>,
}

const LETTERS: [(char, &str); 8] = [
    ('g', "get"),
    ('l', "list"),
    ('w', "watch"),
    ('c', "create"),
    ('u', "update"),
    ('p', "patch"),
    ('d', "delete"),
    ('D', "deletecollection"),
];

/// The verbs that the API serves, in the order in which people think of them.
pub const VERBS: [&str; 8] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];

/// Resources that no API serves: only authorizers are asked about them
/// (apiserver/pkg/endpoints/filters/impersonation.go, kubernetes pkg/registry/rbac and
/// plugin/pkg/admission/certificates).
const ONLY_ASKED: [(&str, &str, &[&str]); 5] = [
    ("", "users", &["impersonate"]),
    ("", "groups", &["impersonate"]),
    ("authentication.k8s.io", "uids", &["impersonate"]),
    ("authentication.k8s.io", "userextras", &["impersonate"]),
    (
        "certificates.k8s.io",
        "signers",
        &["approve", "sign", "attest"],
    ),
];

/// Verbs that are asked about beside those that are served.
const MORE_VERBS: [(&str, &str, &[&str]); 3] = [
    ("rbac.authorization.k8s.io", "roles", &["bind", "escalate"]),
    (
        "rbac.authorization.k8s.io",
        "clusterroles",
        &["bind", "escalate"],
    ),
    ("", "serviceaccounts", &["impersonate"]),
];

impl Resources {
    /// Reads the data file's form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut list: Vec<Known> = text.lines().filter_map(line).collect();
        for (group, name, verbs) in ONLY_ASKED {
            list.push(Known {
                group: group.into(),
                name: name.into(),
                singular: "".into(),
                short: Vec::new(),
                cluster_scoped: Some(true),
                verbs: verbs.to_vec(),
                subresources: BTreeMap::new(),
            });
        }
        for known in &mut list {
            let more = MORE_VERBS
                .iter()
                .filter(|(group, name, _)| *group == &*known.group && *name == &*known.name);
            for (_, _, verbs) in more {
                known.verbs.extend_from_slice(verbs);
            }
        }
        Self { list }
    }

    /// Adds what an estate defines itself.
    pub fn add_custom(&mut self, estate: &Estate) {
        for id in estate.of_kind("CustomResourceDefinition") {
            let Some(spec) = estate
                .get(*id)
                .and_then(|resource| resource.object().get("spec"))
            else {
                continue;
            };
            let Some(names) = spec.get("names") else {
                continue;
            };
            let short = names.get("shortNames").into_iter().flat_map(Ref::items);
            let versions = spec.get("versions").into_iter().flat_map(Ref::items);
            let subresources = versions
                .filter_map(|version| version.get("subresources"))
                .flat_map(Ref::entries)
                .map(|(key, _, _)| (Box::from(key), vec!["get", "update", "patch"]))
                .collect();
            let singular = match text(names, "singular") {
                "" => text(names, "kind").to_ascii_lowercase(),
                singular => singular.to_owned(),
            };
            let known = Known {
                group: text(spec, "group").into(),
                name: text(names, "plural").into(),
                singular: singular.into(),
                short: short.filter_map(Ref::as_str).map(Box::from).collect(),
                cluster_scoped: Some(text(spec, "scope") == "Cluster"),
                verbs: VERBS.to_vec(),
                subresources,
            };
            let twice = self
                .list
                .iter()
                .any(|own| own.group == known.group && own.name == known.name);
            if !twice && !known.name.is_empty() {
                self.list.push(known);
            }
        }
    }

    /// Adds what only roles name: custom resources whose definitions were not given.
    pub fn add_named(&mut self, rbac: &Rbac) {
        let known: BTreeSet<(Box<str>, Box<str>)> = self
            .list
            .iter()
            .map(|known| (known.group.clone(), known.name.clone()))
            .collect();
        let mut more: BTreeMap<(Box<str>, Box<str>), Known> = BTreeMap::new();
        for (group, resource) in rbac.resources_named() {
            let (name, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let key = (Box::from(group), Box::from(name));
            // Groups of Kubernetes' own hold nothing custom; what is named there was served once.
            if name.contains('*') || known.contains(&key) || !group.contains('.') {
                continue;
            }
            let own = more.entry(key).or_insert_with_key(|(group, name)| Known {
                group: group.clone(),
                name: name.clone(),
                singular: "".into(),
                short: Vec::new(),
                cluster_scoped: None,
                verbs: VERBS.to_vec(),
                subresources: BTreeMap::new(),
            });
            if !subresource.is_empty() {
                own.subresources
                    .insert(subresource.into(), vec!["get", "update", "patch"]);
            }
        }
        self.list.extend(more.into_values());
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Known] {
        &self.list
    }

    /// What somebody means by a word, as `kubectl auth can-i` takes it: a plural, singular, short name or kind,
    /// with its group or group and version where it needs one, and a subresource. Kubernetes' own groups come
    /// before others, the core group first.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Named> {
        let (word, subresource) = word.split_once('/').unwrap_or((word, ""));
        let (name, group) = match word.split_once('.') {
            Some((name, group)) => (name, Some(group)),
            None => (word, None),
        };
        let lower = name.to_ascii_lowercase();
        let is_named = |known: &&Known| {
            *known.name == *lower
                || *known.singular == *lower
                || known.short.iter().any(|short| **short == *lower)
        };
        // `deployments.v1.apps`
        let unversioned = group
            .and_then(|group| group.split_once('.'))
            .map(|(_, rest)| rest);
        let in_group = |known: &&Known| match group {
            None => true,
            Some(group) => &*known.group == group || Some(&*known.group) == unversioned,
        };
        let known = self.list.iter().filter(is_named).find(in_group);
        match (known, group) {
            (Some(known), _) => Some(Named {
                group: known.group.clone(),
                resource: known.name.clone(),
                subresource: subresource.into(),
                cluster_scoped: known.cluster_scoped,
                verbs: if subresource.is_empty() {
                    known.verbs.clone()
                } else {
                    known
                        .subresources
                        .get(subresource)
                        .cloned()
                        .unwrap_or_default()
                },
            }),
            // `*`, and custom resources that were not given.
            (None, None) if name == "*" => Some(Named {
                group: "*".into(),
                resource: "*".into(),
                subresource: subresource.into(),
                cluster_scoped: None,
                verbs: Vec::new(),
            }),
            (None, Some(group)) => Some(Named {
                group: group.into(),
                resource: lower.into(),
                subresource: subresource.into(),
                cluster_scoped: None,
                verbs: Vec::new(),
            }),
            (None, None) => None,
        }
    }

    /// Those whose names are most like a word.
    #[must_use]
    pub fn like(&self, word: &str) -> Vec<&str> {
        let word = word.to_ascii_lowercase();
        let mut close: Vec<&str> = self
            .list
            .iter()
            .map(|known| &*known.name)
            .filter(|name| word.len() > 2 && (name.contains(&*word) || word.contains(*name)))
            .collect();
        close.dedup();
        close.truncate(4);
        close
    }
}

fn line(line: &str) -> Option<Known> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let mut or_none = || words.next().map(|word| if word == "-" { "" } else { word });
    let (group, name, singular) = (or_none()?, or_none()?, or_none()?);
    let (short, scope, verbs) = (or_none()?, or_none()?, or_none()?);
    Some(Known {
        group: group.into(),
        name: name.into(),
        singular: singular.into(),
        short: short
            .split(',')
            .filter(|one| !one.is_empty())
            .map(Box::from)
            .collect(),
        cluster_scoped: Some(scope == "Cluster"),
        verbs: spelled(verbs),
        subresources: words
            .filter_map(|word| word.split_once('='))
            .map(|(name, verbs)| (name.into(), spelled(verbs)))
            .collect(),
    })
}

fn spelled(letters: &str) -> Vec<&'static str> {
    letters
        .chars()
        .filter_map(|letter| LETTERS.iter().find(|(own, _)| *own == letter))
        .map(|(_, verb)| *verb)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources() -> Resources {
        Resources::parse(include_str!(
            "../../../../guide/data/kubernetes-resources.txt"
        ))
    }

    #[test]
    fn words_are_taken_as_kubectl_takes_them() {
        let resources = resources();
        for (word, group, resource, subresource) in [
            ("pods", "", "pods", ""),
            ("po", "", "pods", ""),
            ("Pod", "", "pods", ""),
            ("pods/exec", "", "pods", "exec"),
            ("deploy", "apps", "deployments", ""),
            ("deployments.apps", "apps", "deployments", ""),
            ("deployments.v1.apps/scale", "apps", "deployments", "scale"),
            // In the core group and in events.k8s.io.
            ("events", "", "events", ""),
            ("events.events.k8s.io", "events.k8s.io", "events", ""),
            ("signers", "certificates.k8s.io", "signers", ""),
            ("widgets.example.com", "example.com", "widgets", ""),
            ("*", "*", "*", ""),
        ] {
            let named = resources.find(word).unwrap();
            assert_eq!(
                (&*named.group, &*named.resource, &*named.subresource),
                (group, resource, subresource),
                "{word}"
            );
        }
        assert_eq!(resources.find("widgets"), None);
        assert_eq!(resources.like("secretz"), Vec::<&str>::new());
        assert_eq!(resources.like("binding").len(), 4);
        let namespaces = resources.find("ns").unwrap();
        assert_eq!(namespaces.cluster_scoped, Some(true));
        assert!(resources.find("pods/exec").unwrap().verbs == ["get", "create"]);
    }
}
