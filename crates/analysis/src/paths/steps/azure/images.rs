//! Registries, and the workloads that pull from them.
//!
//! A node stands for a registry (`shop.azurecr.io`) and one for each repository that something pulls from
//! (`shop.azurecr.io/web`). Whoever may push moves a tag to an image of its own; a digest cannot be moved
//! (<https://learn.microsoft.com/azure/container-registry/container-registry-image-tag-version>). Left out: tags that
//! are locked against writing, which the registry does not tell here.

use std::collections::{BTreeMap, BTreeSet};

use model::image::Reference;
use model::{Ref, Resource, Within};

use super::powers::On;
use super::{Azure, value};
use crate::paths::builder::{Builder, Draft};
use crate::paths::edge::Edge;
use crate::paths::graph::{EntryKind, Evidence, NodeNo};
use crate::paths::node::Node;

/// A node for a registry or a repository.
fn images(builder: &mut Builder<'_>, name: &str) -> NodeNo {
    let number = builder.text(name);
    builder.node(Node::Images(number))
}

/// From what is pulled to what runs it.
pub(super) fn add_pulls(builder: &mut Builder<'_>) {
    let verified = verifies(builder);
    for number in 0..builder.names.workloads.len() {
        let Some(workload) = builder.names.workloads.get(number).cloned() else {
            continue;
        };
        let Some(spec) = builder.resource(&workload).and_then(Resource::pod_spec) else {
            continue;
        };
        let to = builder.node(Node::Workload(number as u32));
        let containers = ["containers", "initContainers"]
            .into_iter()
            .filter_map(|key| spec.get(key))
            .flat_map(Ref::items);
        let mut seen = BTreeSet::new();
        for container in containers {
            let Some(at) = container.get("image") else {
                continue;
            };
            let Some(image) = at.as_str().and_then(Reference::read) else {
                builder.gap("which images some pods pull was left open, and who pushes them");
                continue;
            };
            if image.digest.is_some() {
                continue;
            }
            let latest = image.tag.as_deref().is_none_or(|tag| tag == "latest");
            let policy = container.get("imagePullPolicy").and_then(Ref::as_str);
            let why = match (policy, latest) {
                (Some("Never"), _) => continue,
                (Some("Always"), _) | (None, true) => None,
                _ => Some("a node that has the image does not pull it again"),
            };
            let name = image.name();
            if !seen.insert((name.clone(), why.is_some())) {
                continue;
            }
            let from = images(builder, &name);
            let says = format!(
                "container {} pulls {} by a tag",
                container.get("name").and_then(Ref::as_str).unwrap_or("?"),
                at.as_str().unwrap_or_default()
            );
            let evidence = builder.seen(workload.resource, Some(at), &says);
            builder.add(
                Draft::new(Edge::ImageCompromise, from, to)
                    .by(evidence)
                    .perhaps(why)
                    .perhaps(verified),
            );
        }
    }
}

/// Something that looks at signatures of images: Ratify, Kyverno, Sigstore's policy controller, Connaisseur.
fn verifies(builder: &Builder<'_>) -> Option<&'static str> {
    const WHY: &str = "what verifies images in the cluster may refuse it";
    let estate = builder.estate;
    let any = [
        "RatifyVerification.constraints.gatekeeper.sh",
        "ClusterImagePolicy.policy.sigstore.dev",
        "ImageValidatingPolicy.policies.kyverno.io",
    ]
    .iter()
    .any(|kind| !estate.of_kind(kind).is_empty());
    let kyverno = ["ClusterPolicy.kyverno.io", "Policy.kyverno.io"]
        .iter()
        .flat_map(|kind| estate.of_kind(kind))
        .filter_map(|number| estate.get(*number))
        .filter_map(|policy| value(policy, &["spec", "rules"]))
        .flat_map(Ref::items)
        .any(|rule| rule.get("verifyImages").is_some());
    (any || kyverno).then_some(WHY)
}

/// Who pushes to registries, and where nobody here says who does.
pub(super) fn add(builder: &mut Builder<'_>, azure: &Azure<'_>) {
    let mut repositories: BTreeMap<Box<str>, Vec<(Box<str>, NodeNo)>> = BTreeMap::new();
    for name in builder.image_names() {
        if let Some((host, _)) = name.split_once('/') {
            let node = images(builder, &name);
            repositories
                .entry(host.into())
                .or_default()
                .push((name.clone(), node));
        }
    }
    let mut own: BTreeSet<String> = BTreeSet::new();
    for target in azure
        .targets
        .iter()
        .filter(|target| target.on == On::Registry)
    {
        let Some(registry) = target.resource.and_then(|number| azure.estate.get(number)) else {
            continue;
        };
        let host = value(registry, &["properties", "loginServer"])
            .and_then(Ref::as_str)
            .map_or_else(
                || format!("{}.azurecr.io", registry.name.name.to_ascii_lowercase()),
                str::to_ascii_lowercase,
            );
        let to = images(builder, &host);
        pushes(builder, azure, target, registry, to);
        for (_, node) in repositories.get(&*host).into_iter().flatten() {
            builder.implied(to, *node);
        }
        own.insert(host);
    }
    let absent = azure
        .estate
        .absent("Microsoft.ContainerRegistry/registries", Within::Everywhere);
    for (host, list) in &repositories {
        if own.contains(&**host) {
            continue;
        }
        if host.ends_with(".azurecr.io") && absent.is_some() {
            builder.gap(&format!(
                "registry {host} was not given: who may push there is not known"
            ));
        }
        for (name, node) in list {
            let because = format!("whoever publishes {name} can change what it holds");
            builder.entry(*node, EntryKind::Image, &because, Vec::new(), None);
        }
    }
}

/// What leads to pushing into a registry
/// (<https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview>): with
/// permissions for each repository only the data action counts, else only the action.
fn pushes(
    builder: &mut Builder<'_>,
    azure: &Azure<'_>,
    target: &super::Target,
    registry: &Resource,
    to: NodeNo,
) {
    let Some(number) = target.resource else {
        return;
    };
    let at = |path: &[&str]| value(registry, path);
    let text = |path: &[&str]| at(path).and_then(Ref::as_str);
    let mode = text(&["properties", "roleAssignmentMode"]);
    let by_repository =
        mode.is_some_and(|mode| mode.eq_ignore_ascii_case("AbacRepositoryPermissions"));
    let closed = if text(&["properties", "publicNetworkAccess"])
        .is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
    {
        Some("the registry answers only inside its private network")
    } else if text(&["properties", "networkRuleSet", "defaultAction"])
        .is_some_and(|action| action.eq_ignore_ascii_case("Deny"))
    {
        Some("the registry answers only some networks")
    } else {
        None
    };
    let admin = at(&["properties", "adminUserEnabled"]);
    let step = |builder: &mut Builder<'_>,
                edge: Edge,
                power: &'static str,
                by: Option<Evidence>,
                why: Option<&str>| {
        if let Some(from) = builder.known_power(power, &target.id) {
            builder.add(Draft::new(edge, from, to).by_all(by).perhaps(why));
        }
    };
    let push = if by_repository {
        "repository-write"
    } else {
        "image-push"
    };
    let locked = azure.locked(&target.id);
    let few = builder.seen(number, None, "those who may push to the registry");
    step(builder, Edge::RegistryPush, push, Some(few.clone()), closed);
    step(
        builder,
        Edge::RegistryPush,
        "image-import",
        Some(few.clone()),
        locked,
    );
    step(
        builder,
        Edge::RegistryPush,
        "registry-build",
        Some(few),
        closed
            .map(|_| "builds run outside of the networks that the registry answers")
            .or(locked),
    );
    let admin_on = admin.and_then(Ref::as_bool);
    if admin_on == Some(true) || admin.is_some_and(Ref::is_open) {
        let by = builder.seen(number, admin, "its admin user is on");
        let open = admin_on
            .is_none()
            .then_some("the template leaves open whether the admin user is on");
        step(
            builder,
            Edge::RegistryPassword,
            "registry-password",
            Some(by.clone()),
            open.or(closed).or(locked),
        );
        let out = builder.known(builder.node_of(to));
        if let (Some(node), Some(true)) = (out, admin_on) {
            builder.entry(
                node,
                EntryKind::Image,
                "its admin user is on: one password for everybody who pulls or pushes",
                vec![by],
                closed,
            );
        }
    }
    step(
        builder,
        Edge::RegistryPassword,
        "registry-token",
        None,
        Some("whether the registry has a token that may push is not known"),
    );
}
