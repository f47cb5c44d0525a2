//! Argo CD: Applications in its own namespace and in others, as far as a project allows.
//!
//! A project says what its Applications may write and where, and from which namespaces beside Argo CD's own they may
//! come (`sourceNamespaces`); the controller must be told of these namespaces too
//! (<https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/>). Who writes projects is bound by
//! none (<https://argo-cd.readthedocs.io/en/stable/operator-manual/project-specification/>).

use model::{Ref, Resource, ResourceRef, Within};

use super::{account, flag};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::Evidence;
use crate::reach::Workload;

pub(super) const APPLICATION: &str = "argo-application";
pub(super) const DOUBT: &str = "a project of Argo CD must allow it";
const PROJECT: &str = "AppProject.argoproj.io";

/// A project that lets its Applications write everything in the cluster that Argo CD runs in.
struct Free {
    resource: ResourceRef,
    /// Namespaces that Applications may come from.
    sources: Vec<Box<str>>,
}

pub(super) fn add(builder: &mut Builder<'_>, workload: &Workload, by: &Evidence) {
    let to = account(builder, workload);
    let own = builder.namespace(&workload.namespace);
    let free = free(builder, &workload.namespace);
    let from = builder.right(APPLICATION, own);
    let draft = Draft::new(Edge::OperatorResource, from, to).by(by.clone());
    match free.first() {
        Some(project) => {
            let allows = builder.seen(project.resource, None, "lets Applications write everything");
            builder.add(draft.by(allows));
        }
        None => {
            builder.add(draft.clone().perhaps(Some(DOUBT)));
            let project = builder.right("argo-project", own);
            builder.add(draft.and(project));
        }
    }
    for (namespace, evidence) in elsewhere(builder, workload) {
        let place = builder.namespace(&namespace);
        let from = builder.right(APPLICATION, place);
        let draft = Draft::new(Edge::OperatorResource, from, to)
            .by(by.clone())
            .by(evidence);
        let lets = free.iter().find(|project| {
            let mut sources = project.sources.iter();
            sources.any(|source| fits(source, &namespace))
        });
        match lets {
            Some(project) => {
                let says = "lets Applications of the namespace write everything";
                let allows = builder.seen(project.resource, None, says);
                builder.add(draft.by(allows));
            }
            None if may_come(builder, &workload.namespace, &namespace) => {
                builder.add(draft.perhaps(Some(DOUBT)));
            }
            None => {}
        }
    }
}

fn texts<'e>(resource: &'e Resource, path: &[&str]) -> impl Iterator<Item = &'e str> {
    let list = resource.object().path(path);
    list.into_iter()
        .flat_map(Ref::items)
        .filter_map(Ref::as_str)
}

/// Whether some project may take Applications of a namespace: one that was given, or one that was not.
fn may_come(builder: &Builder<'_>, own: &str, namespace: &str) -> bool {
    let estate = builder.estate;
    let given = estate.in_namespace(own, PROJECT);
    given
        .iter()
        .filter_map(|id| estate.get(*id))
        .flat_map(|project| texts(project, &["spec", "sourceNamespaces"]))
        .any(|source| fits(source, namespace))
        || estate.absent(PROJECT, Within::Namespace(own)).is_some()
}

/// Projects that limit nothing.
fn free(builder: &Builder<'_>, own: &str) -> Vec<Free> {
    let estate = builder.estate;
    let all = estate.in_namespace(own, PROJECT);
    let found = all.iter().filter_map(|id| {
        let project = estate.get(*id)?;
        let text = |of: Ref<'_>, key: &str, wanted: &[&str]| {
            let value = of.get(key).and_then(Ref::as_str);
            value.is_some_and(|value| wanted.contains(&value))
        };
        let list = |key: &str| {
            let list = project.object().path(&["spec", key]);
            list.into_iter().flat_map(Ref::items)
        };
        let here = ["*", "https://kubernetes.default.svc", "in-cluster"];
        let everywhere = list("destinations").any(|one| {
            text(one, "namespace", &["*"])
                && (text(one, "server", &here) || text(one, "name", &here))
        });
        let everything = list("clusterResourceWhitelist")
            .any(|one| text(one, "group", &["*"]) && text(one, "kind", &["*"]));
        let from_anywhere = texts(project, &["spec", "sourceRepos"]).any(|source| source == "*");
        let limits = ["clusterResourceBlacklist", "namespaceResourceBlacklist"];
        let limited = limits.iter().any(|key| list(key).next().is_some())
            || list("namespaceResourceWhitelist").next().is_some()
            || list("signatureKeys").next().is_some();
        (everywhere && everything && from_anywhere && !limited).then(|| Free {
            resource: *id,
            sources: texts(project, &["spec", "sourceNamespaces"])
                .map(Box::from)
                .collect(),
        })
    });
    found.collect()
}

/// The other namespaces that the controller serves: by its flag, or by the ConfigMap that it takes flags from.
fn elsewhere(builder: &mut Builder<'_>, workload: &Workload) -> Vec<(Box<str>, Evidence)> {
    const FLAG: &str = "--application-namespaces";
    let estate = builder.estate;
    let spec = builder.resource(workload).and_then(|own| own.pod_spec());
    let by_flag = spec.and_then(|spec| flag(spec, &format!("{FLAG}=")));
    let config = estate.find(&workload.namespace, "ConfigMap", "argocd-cmd-params-cm");
    let by_config = config.and_then(|config| {
        let value = config.object().path(&["data", "application.namespaces"])?;
        Some((estate.number_of(config)?, value))
    });
    let (resource, value) = match (by_flag, by_config) {
        (Some(value), _) => (workload.resource, value),
        (None, Some(found)) => found,
        (None, None) => return Vec::new(),
    };
    let Some(text) = value.as_str() else {
        return Vec::new();
    };
    let list = text.strip_prefix(FLAG).unwrap_or(text);
    let patterns: Vec<&str> = list
        .trim_start_matches('=')
        .split(',')
        .map(str::trim)
        .collect();
    let namespaces: Vec<Box<str>> = builder
        .namespaces
        .iter()
        .filter(|namespace| **namespace != workload.namespace)
        .filter(|namespace| patterns.iter().any(|pattern| fits(pattern, namespace)))
        .cloned()
        .collect();
    let says = "Argo CD carries out Applications of the namespace";
    namespaces
        .into_iter()
        .map(|namespace| (namespace, builder.seen(resource, Some(value), says)))
        .collect()
}

/// Whether a name fits a pattern with `*` and `?`. What stands between slashes is a regular expression, which is not
/// read: it fits nothing here.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut own) = (0, 0);
    // Where the last star stood, and how far it reached.
    let mut star: Option<(usize, usize)> = None;
    while own < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, own));
                at += 1;
            }
            Some(letter) if *letter == '?' || Some(letter) == name.get(own) => {
                at += 1;
                own += 1;
            }
            _ => match star {
                Some((before, reached)) => {
                    star = Some((before, reached + 1));
                    at = before + 1;
                    own = reached + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_as_argo_cd_reads_them() {
        for (pattern, name, wanted) in [
            ("shop", "shop", true),
            ("shop", "shop-a", false),
            ("team-*", "team-a", true),
            ("*-a", "team-a", true),
            ("t*m-?", "team-a", true),
            ("t*m-?", "team-ab", false),
            ("*", "anything", true),
            ("", "shop", false),
            ("/shop.*/", "shop", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
