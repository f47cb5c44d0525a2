//! Where an attacker may start: workloads that the internet reaches, whoever does not sign in, the credential
//! of a person or a pipeline, a pushed image, and any pod at all.

use model::Ref;

use super::builder::Builder;
use super::graph::{EntryKind, Evidence, Object};
use super::node::Node;
use super::steps::API_SERVER;
use crate::ask::{AUTHENTICATED, Subject};
use crate::reach::{Audience, Exposure};

pub(super) fn add(builder: &mut Builder<'_>) {
    exposed(builder);
    anonymous(builder);
    credentials(builder);
    breached(builder);
}

/// A workload that the internet reaches is assumed to have a weakness.
fn exposed(builder: &mut Builder<'_>) {
    let exposures: Vec<Exposure> = builder
        .analyses
        .reach()
        .exposures()
        .iter()
        .filter(|exposure| exposure.to_internet())
        .cloned()
        .collect();
    for exposure in exposures {
        let node = builder.node(Node::Workload(exposure.workload as u32));
        let doubt = if exposure.audience == Audience::Internet && !exposure.open.sure.is_empty() {
            None
        } else {
            Some(
                exposure
                    .because
                    .as_deref()
                    .or(exposure.hangs_on.as_deref())
                    .unwrap_or("what was given does not say whether the internet reaches it")
                    .to_owned(),
            )
        };
        let because = format!("the internet reaches it by {}", exposure.way.name());
        let evidence = exposure
            .through
            .iter()
            .map(|object| builder.seen(*object, None, exposure.way.name()))
            .collect();
        builder.entry(
            node,
            EntryKind::Exposed,
            &because,
            evidence,
            doubt.as_deref(),
        );
    }
}

/// Whoever reaches the API server, where bindings give that something.
fn anonymous(builder: &mut Builder<'_>) {
    let Some(node) = builder.known(Node::Base(API_SERVER)) else {
        return;
    };
    let clusters = builder
        .estate
        .of_kind("Microsoft.ContainerService/managedClusters");
    let mut doubt = Some("whether the internet reaches the API server was not given");
    let mut closed = !clusters.is_empty();
    for cluster in clusters.iter().filter_map(|id| builder.estate.get(*id)) {
        let access = cluster
            .object()
            .path(&["properties", "apiServerAccessProfile"]);
        let of = |key| access.and_then(|access| access.get(key));
        let private = of("enablePrivateCluster").and_then(Ref::as_bool) == Some(true);
        let ranges = of("authorizedIPRanges").is_some_and(|ranges| ranges.items().len() > 0);
        let open = [of("enablePrivateCluster"), of("authorizedIPRanges"), access]
            .into_iter()
            .flatten()
            .any(Ref::is_open);
        closed &= private || ranges;
        if !private && !ranges && !open {
            doubt = None;
        }
    }
    if !closed {
        let because = "the API server gives rights to whoever does not sign in";
        builder.entry(node, EntryKind::Anonymous, because, Vec::new(), doubt);
    }
}

/// The credential of whoever a binding names is stolen. What Kubernetes itself signs in with is not out there.
fn credentials(builder: &mut Builder<'_>) {
    let rights = builder.analyses.rights();
    for binding in rights.rbac.bindings() {
        for (_, subject) in binding.subjects {
            let because = match &subject {
                Subject::User(name) if !name.starts_with("system:") => {
                    "the credential of a user may be stolen"
                }
                Subject::Group(name) if !name.starts_with("system:") => {
                    "the credential of a member of the group may be stolen"
                }
                Subject::Group(name) if **name == *AUTHENTICATED => {
                    "whoever has any account at all may sign in"
                }
                _ => continue,
            };
            let by: Evidence = builder.seen_right(binding.resource, None, "names it");
            if matches!(by.object, Object::Estate(_)) {
                let node = builder.subject(&subject);
                builder.entry(node, EntryKind::Credential, because, vec![by], None);
            }
        }
    }
}

/// Any pod is assumed to be broken into: its image or a library of it is bad.
fn breached(builder: &mut Builder<'_>) {
    for number in 0..builder.names.workloads.len() {
        let node = builder.node(Node::Workload(number as u32));
        builder.entry(
            node,
            EntryKind::Breached,
            "any pod may be broken into",
            Vec::new(),
            None,
        );
    }
}
